/* test_model_file.c - what is saved comes back exactly, and saving fails without doing harm. */
#include "../lib/base/portability.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/float_mode.h"
#include "model_support.h"

enum { EXAMPLE_DATA = 1792 }; /* where the data begins */

/* The file that docs/format.md shows, to the byte. */
static void test_documented_example(void **state)
{
    (void)state;
    struct tulle_model *model = example_model();
    save_model(model, in_folder("example"));
    assert_string_equal(tulle_model_info(model)->checksum, "");
    tulle_model_free(model);

    struct bytes file = get_bytes(in_folder("example"));
    assert_int_equal(file.size, EXAMPLE_DATA + 36);
    assert_int_equal(file.data[0] + 256 * file.data[1], EXAMPLE_DATA - 8);
    assert_memory_equal(file.data + 8, "{\"__metadata__\":{\"checksum\":\"xxh3-64:", 37);
    assert_memory_equal(file.data + 61, "\",\"format\":\"tulle\",\"format_version\":\"3\",", 40);
    const float parameters[] = {1, -0.5f, 0.25f, 2, 0.5f, -1, 3, -1.5f, 0.125f};
    assert_memory_equal(file.data + EXAMPLE_DATA, parameters, sizeof parameters);

    model = load_model(in_folder("example"));
    const char *checksum = tulle_model_info(model)->checksum;
    assert_memory_equal(file.data + 45, checksum, 16);
    struct bytes page = get_bytes(TULLE_SOURCE_DIR "/docs/format.md");
    if (!strstr((const char *)page.data, checksum))
        fail_msg("docs/format.md does not show the checksum %s", checksum);
    save_model(model, in_folder("again"));
    assert_same_bytes(in_folder("again"), in_folder("example"));
    tulle_model_free(model);
    free(page.data);
    free(file.data);
}

/* Weights of every magnitude that the precision has. */
static void fill_oddly(struct tulle_model *model)
{
    static const double f64[] = {0.0, -0.0, 1.0 / 3, DBL_MAX, -DBL_MIN, DBL_TRUE_MIN, -2e-17};
    static const double f32[] = {0.0, -0.0, 1.0 / 3, FLT_MAX, -FLT_MIN, FLT_TRUE_MIN, -2e-17};
    const double *values = model->info.precision == TULLE_F64 ? f64 : f32;
    for (size_t l = 0, n = 0; l < model->network.layer_count; l++) {
        const struct network_layer *layer = &model->network.layers[l];
        for (size_t u = 0; u < layer->units; u++) {
            for (size_t i = 0; i < layer->inputs; i++)
                tulle_arena_set(&model->network, model->parameters, tulle_weight_index(layer, u, i),
                                values[n++ % 7]);
            tulle_arena_set(&model->network, model->parameters, layer->biases + u, values[n++ % 7]);
        }
    }
}

static void check_round_trip(enum tulle_type precision, size_t inputs, const size_t *units,
                             size_t layer_count)
{
    static const double odd[] = {
        0.1, -0.0, 1.0 / 3, -DBL_MAX, DBL_TRUE_MIN, 1e23, 5e15, 4503599627370497.5, -1e-5};
    static const char *const names[] = {"\"quoted\"", "back\\slash", "new\nline",
                                        "tab\tbed",   "caf\xc3\xa9", "\xf0\x9f\x8c\xb7",
                                        "a,b;c",      "\x01",        "null"};
    struct tulle_column columns[2 * 16]; /* inputs, targets */
    struct tulle_layer layers[8];
    struct tulle_metrics metrics[3 * 16];
    char numbered[2 * 16][8];
    for (size_t i = 0; i < 2 * 16; i++) {
        snprintf(numbered[i], sizeof numbered[i], "c%zu", i);
        columns[i] = (struct tulle_column){.name = i < 9 ? names[i] : numbered[i],
                                           .mean = odd[i % 9],
                                           .scale = fabs(odd[(i + 2) % 9]) + DBL_TRUE_MIN,
                                           .minimum = -fabs(odd[i % 9]),
                                           .maximum = fabs(odd[i % 9]),
                                           .scaling = TULLE_SCALING_STANDARD,
                                           .missing = i % 4,
                                           .is_clamped = i >= 16 && i % 2};
    }
    for (size_t i = 0; i < 3 * 16; i++)
        set_metrics(&metrics[i], i, fabs(odd[i % 9]), i % 5 ? 0.1 : INFINITY,
                    i % 3 ? -odd[i % 9] / DBL_MAX : NAN);
    for (size_t i = 0; i < layer_count; i++)
        layers[i] = (struct tulle_layer){units[i], (enum tulle_activation)(i % 13), i % 2, 0};
    struct tulle_model_info info = {.precision = precision,
                                    .input_count = inputs,
                                    .target_count = units[layer_count - 1],
                                    .layer_count = layer_count,
                                    .inputs = columns,
                                    .targets = columns + 16,
                                    .layers = layers,
                                    .metrics = metrics,
                                    .learning_rate = 0.1,
                                    .batch_size = (size_t)1 << 53,
                                    .seed = UINT32_MAX,
                                    .split_column = inputs % 3 ? "sp\"lit" : NULL,
                                    .valid_fraction = 0.3,
                                    .test_fraction = 1.0 / 3,
                                    .rows = {1, 0, ((size_t)1 << 53) - 1},
                                    .tulle_version = "0.0.1-caf\xc3\xa9"};
    struct tulle_model *model;
    struct tulle_error error = {0};
    if (tulle_model_create(&info, &model, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    fill_oddly(model);
    check_file(model);
    tulle_model_free(model);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (enum tulle_type precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        check_round_trip(precision, 1, (const size_t[]){1}, 1);
        check_round_trip(precision, 16, (const size_t[]){16}, 1);
        check_round_trip(precision, 3, (const size_t[]){17, 5, 2}, 3);
        check_round_trip(precision, 10, (const size_t[]){1, 33, 1, 2, 3, 7, 16, 9}, 8);
        check_round_trip(precision, 5, (const size_t[]){300, 200, 11}, 3);
    }
}

/* Categories, quantiles, embeddings, mixes, a front, settings and a curve; in both precisions, with
 * and without. */
static void test_rich(void **state)
{
    (void)state;
    struct rich rich;
    struct tulle_model *model = rich_model();
    check_file(model);
    tulle_model_free(model);
    rich_init(&rich);
    rich.info.precision = TULLE_F64;
    rich.info.missing = (const char *const[]){"-999", "caf\xc3\xa9", ""};
    rich.info.missing_count = 3;
    rich.info.curve_count = rich.info.best_epoch = 0;
    rich.layers[0].parametric = 0;
    rich.inputs[4].dimensions = 0;
    rich.info.front = (struct tulle_front){.members = 0};
    rich.info.setting_count = 0;
    rich.inputs[1].scaling = TULLE_SCALING_NONE;
    rich.inputs[1].quantile_count = 0;
    rich.inputs[1].quantiles = NULL;
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    fill_parameters(model);
    check_file(model);
    tulle_model_free(model);
}

/* Every part of the front without the others, and sizes that do and do not fill what is padded. */
static void test_fronts(void **state)
{
    (void)state;
    static const double knots[][6] = {[TULLE_F32] = {-1e20, -1.0 / 3, 0, 1e-30, 0.1, 1e30},
                                      [TULLE_F64] = {-1e100, -1.0 / 3, 0, 1e-300, 0.1, 1e300}};
    const struct tulle_front fronts[] = {
        {(const size_t[]){8}, 1, 1, 16, .members = 1},
        {(const size_t[]){0, 2}, 2, 17, 20},
        {(const size_t[]){0, 1, 2, 3}, 4, 4, 1, .has_factors = 1},
        {(const size_t[]){0, 8}, 2, 3, .bins = 2},
        {(const size_t[]){2}, 1, 17, .bins = 5, .has_factors = 1, .members = 3},
        {.has_factors = 1},
        {.has_factors = 1, .members = 9},
        {.has_factors = 1, .members = 1},
        {(const size_t[]){0}, 1, 17, 2},
        {(const size_t[]){0, 2}, 2, 2, 17},
        {(const size_t[]){0, 2, 8}, 3, 17, .bins = 1},
    };
    for (size_t i = 0; i < 2 * sizeof fronts / sizeof *fronts; i++) {
        struct rich rich;
        struct tulle_model *model;
        rich_init(&rich);
        rich.info.precision = i % 2 ? TULLE_F64 : TULLE_F32;
        rich.info.front = fronts[i / 2];
        rich.info.front.knots = knots[i % 2];
        rich.inputs[1].quantile_count = 1 + i % 4;
        rich.layers[1].parametric = i % 3 == 0;
        rich.info.layers = rich.layers + (i == 9); /* a layer that is first and last */
        rich.info.layer_count = 2 - (i == 9);
        assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
        fill_parameters(model);
        check_file(model);
        tulle_model_free(model);
    }
}

/* As many tensors as there can be: each input with quantiles or a table, each layer with a mix, and
 * all else but splines. */
static void test_many_tensors(void **state)
{
    (void)state;
    enum { MANY = 12 };
    static const char *const levels[] = {"a", "b", "c"};
    struct rich rich;
    struct tulle_model *model;
    struct tulle_column inputs[MANY];
    struct tulle_layer layers[MANY];
    char names[MANY][4];
    rich_init(&rich);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "c%zu", i);
        inputs[i] = (struct tulle_column){names[i], .scale = 1, .levels = {levels, 1 + i % 3},
                                          .dimensions = 1 + i % 5};
        layers[i] = (struct tulle_layer){3, TULLE_ACTIVATION_TANH, 1, 0};
    }
    inputs[MANY / 2] = rich.inputs[1];
    rich.info.inputs = inputs;
    rich.info.layers = layers;
    rich.info.input_count = rich.info.layer_count = MANY;
    rich.info.curve_count = 1;
    rich.info.front.number_count = 1;
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    fill_parameters(model);
    check_file(model);
    tulle_model_free(model);
}

/* The tensors of a front, as docs/format.md has them. */
static void test_front_layout(void **state)
{
    (void)state;
    static const char *const entries[] = {
        "\"layers.1.weight\":{\"dtype\":\"F32\",\"shape\":[2,3,8],",
        "\"layers.1.bias\":{\"dtype\":\"F32\",\"shape\":[2,3],",
        "\"embeddings.0.weight\":{\"dtype\":\"F32\",\"shape\":[6,2],",
        "\"numbers.frequency\":{\"dtype\":\"F32\",\"shape\":[3,5],",
        "\"numbers.phase\":{\"dtype\":\"F32\",\"shape\":[3,5],",
        "\"numbers.weight\":{\"dtype\":\"F32\",\"shape\":[3,2,5],",
        "\"numbers.bias\":{\"dtype\":\"F32\",\"shape\":[3,2],",
        "\"factors\":{\"dtype\":\"F32\",\"shape\":[2,17],",
    };
    struct tulle_model *model = rich_model();
    const size_t count = model->network.parameter_count;
    save_model(model, in_folder("rich"));
    tulle_model_free(model);
    struct bytes file = get_bytes(in_folder("rich"));
    const char *at = (const char *)file.data + 8;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (!(at = strstr(at, entries[i])))
            fail_msg("no %s", entries[i]);
    /* fill_parameters wrote them in this order. */
    const unsigned char *data = file.data + file.size - count * sizeof(float);
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, data + i * sizeof value, sizeof value);
        assert_true(value == (float)i * 0.125f - 3);
    }
    free(file.data);
}

static void test_quantile_loss(void **state)
{
    (void)state;
    static const double quantiles[] = {0.1, 0.5, 1 - 1.0 / 3};
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    example.info.loss = TULLE_LOSS_QUANTILE;
    example.info.quantiles = quantiles;
    example.info.quantile_count = 3;
    example.layers[1].units = 3;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    check_file(model);
    tulle_model_free(model);
}

/* What makes denormals 0, as a program has it that was linked with -ffast-math. */
#if defined(__x86_64__)
enum { FLUSHING = 0x8040 };
#elif defined(__aarch64__)
enum { FLUSHING = 1 << 24 };
#else
enum { FLUSHING = 0 };
#endif

static uint64_t get_mode(void)
{
    const uint64_t mode = tulle_float_mode_enter();
    tulle_float_mode_leave(mode);
    return mode;
}

/* The same bytes and the same numbers whatever the program's rounding mode, which stays. */
static void test_rounding_modes(void **state)
{
    (void)state;
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    struct rich rich;
    struct tulle_model *model;
    rich_init(&rich);
    rich.inputs[0].mean = 0.1;
    rich.inputs[0].scale = 1.0 / 3;
    rich.inputs[0].maximum = 1e23;
    rich.info.learning_rate = 5e-324;
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    save_model(model, in_folder("nearest"));
    for (int i = 0; i < 3; i++) {
        const uint64_t usual = get_mode();
        fesetround(modes[i]);
        tulle_float_mode_leave(get_mode() | FLUSHING);
        save_model(model, in_folder("directed"));
        struct tulle_model *loaded = load_model(in_folder("directed"));
        assert_int_equal(get_mode() & FLUSHING, FLUSHING);
        assert_int_equal(fegetround(), modes[i]);
        tulle_float_mode_leave(usual);
        fesetround(FE_TONEAREST);
        assert_same_bytes(in_folder("directed"), in_folder("nearest"));
        assert_same_model(loaded, model);
        tulle_model_free(loaded);
    }
    tulle_model_free(model);
}

static void test_missing(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    struct tulle_error error;
    const char *latin1[] = {"NA", "gr\xfcn"};
    example_init(&example);
    example.info.missing = latin1;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK); /* none of them */
    check_file(model);
    assert_int_equal(tulle_model_info(model)->missing_count, 0);
    tulle_model_free(model);
    example.info.missing_count = 2;
    assert_int_equal(tulle_model_create(&example.info, &model, &error), TULLE_ERROR_ARGUMENT);
    assert_string_equal(error.message, "text 2 of those that stand for no value is not UTF-8");
    example.info.missing = latin1 + 1;
    example.info.missing_count = 1;
    assert_int_equal(tulle_model_create(&example.info, &model, &error), TULLE_ERROR_ARGUMENT);
    assert_string_equal(error.message, "text 1 of those that stand for no value is not UTF-8");
}

/* A model is as large as its memory; nothing but its header has a limit. */
static void test_large(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    example.layers[0].units = 300000;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    save_model(model, in_folder("large"));
    struct tulle_model *loaded = load_model(in_folder("large"));
    assert_same_model(loaded, model);
    tulle_model_free(loaded);
    tulle_model_free(model);
}

/* Escaped, a quote takes four bytes, which is found only when the header is written. */
static void test_header_too_long(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    struct tulle_error error;
    size_t length = MODEL_LONGEST_HEADER / 2;
    char *name = malloc(length + 1);
    assert_non_null(name);
    memset(name, '"', length);
    name[length] = '\0';
    example_init(&example);
    example.inputs[0].name = name;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    assert_int_equal(tulle_model_save(model, in_folder("long"), &error), TULLE_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "drop columns"));
    assert_int_equal(entry_count(), 0);
    tulle_model_free(model);
    free(name);
}

static void test_not_finite(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        struct tulle_model *model = example_model();
        tulle_arena_set_layer(&model->network, model->parameters, 1, NULL, &bad[i]);
        struct tulle_error error;
        assert_int_equal(tulle_model_save(model, in_folder("bad"), &error), TULLE_ERROR_DIVERGED);
        assert_string_equal(error.file, in_folder("bad"));
        assert_true(error.line == 0 && error.column == 0);
        tulle_model_free(model);
    }
    assert_int_equal(entry_count(), 0);
}

/* Where saving fails, checking the path beforehand says so in the same words. */
static void test_unusable_paths(void **state)
{
    (void)state;
    struct tulle_model *model = example_model();
    put_bytes(in_folder("file"), "old", 3);
    const char *const paths[] = {in_folder("."), in_folder("file/under"), in_folder("none/file"),
                                 ""};
    for (int i = 0; i < 4; i++) {
        struct tulle_error saved, checked;
        assert_int_equal(tulle_model_save(model, paths[i], &saved), TULLE_ERROR_IO);
        assert_int_equal(tulle_model_check_path(paths[i], &checked), TULLE_ERROR_IO);
        assert_string_equal(saved.file, paths[i]);
        assert_string_equal(saved.message, checked.message);
    }
    assert_int_equal(entry_count(), 1);
    tulle_model_free(model);
}

static void test_check_path(void **state)
{
    (void)state;
    put_bytes(in_folder("file"), "old", 3);
    assert_int_equal(tulle_model_check_path(in_folder("file"), NULL), TULLE_OK);
    assert_int_equal(tulle_model_check_path(in_folder("new"), NULL), TULLE_OK);
    assert_int_equal(tulle_model_check_path("/dev/null", NULL), TULLE_OK);
    assert_int_equal(tulle_model_check_path("-", NULL), TULLE_OK);
    assert_int_equal(mkfifo(in_folder("pipe"), 0666), 0);
    assert_int_equal(tulle_model_check_path(in_folder("pipe"), NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2);
    struct bytes file = get_bytes(in_folder("file"));
    assert_string_equal((const char *)file.data, "old");
    free(file.data);
}

static void test_full_device(void **state)
{
    (void)state;
    struct stat status;
    if (stat("/dev/full", &status) != 0)
        skip();
    struct tulle_model *model = example_model();
    struct tulle_error error;
    assert_int_equal(symlink("/dev/full", in_folder("full")), 0);
    assert_int_equal(tulle_model_check_path(in_folder("full"), NULL), TULLE_OK);
    assert_int_equal(tulle_model_save(model, in_folder("full"), &error), TULLE_ERROR_IO);
    assert_string_equal(error.message, "cannot write: No space left on device");
    assert_int_equal(tulle_model_save(model, "/dev/full", &error), TULLE_ERROR_IO);
    assert_int_equal(stat("/dev/full", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    assert_int_equal(entry_count(), 1);
    tulle_model_free(model);
}

static void test_through_link(void **state)
{
    (void)state;
    struct tulle_model *model = example_model();
    put_bytes(in_folder("target"), "old", 3);
    assert_int_equal(symlink("target", in_folder("link")), 0);
    save_model(model, in_folder("link"));
    struct stat status;
    assert_int_equal(lstat(in_folder("link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    tulle_model_free(load_model(in_folder("target")));
    tulle_model_free(load_model(in_folder("link")));
    tulle_model_free(model);
}

static void test_without_model_files(void **state)
{
    (void)state;
    struct tulle_model *model = example_model(), *loaded = model;
    struct tulle_error error;
    assert_int_equal(tulle_model_save(model, in_folder("m"), &error), TULLE_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "built without jansson and xxHash"));
    assert_int_equal(tulle_model_check_path(in_folder("m"), &error), TULLE_ERROR_UNSUPPORTED);
    assert_int_equal(tulle_model_load(in_folder("m"), &loaded, &error), TULLE_ERROR_UNSUPPORTED);
    assert_null(loaded);
    assert_int_equal(entry_count(), 0);
    tulle_model_free(model);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest with[] = {
        TEST(test_documented_example),
        TEST(test_round_trip),
        TEST(test_rich),
        TEST(test_quantile_loss),
        TEST(test_missing),
        TEST(test_rounding_modes),
        TEST(test_fronts),
        TEST(test_many_tensors),
        TEST(test_front_layout),

        TEST(test_large),
        TEST(test_header_too_long),
        TEST(test_not_finite),
        TEST(test_check_path),
        TEST(test_unusable_paths),
        TEST(test_full_device),
        TEST(test_through_link),
    };
    const struct CMUnitTest without[] = {TEST(test_without_model_files)};
    return tulle_has_model_files ? cmocka_run_group_tests_name("model files", with, NULL, NULL)
                                 : cmocka_run_group_tests_name("no files", without, NULL, NULL);
}
