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

#include "../lib/data/missing.h"
#include "model_support.h"

static void save(const struct tulle_model *model, const char *path)
{
    struct tulle_error error = {0};
    if (tulle_model_save(model, path, &error) != TULLE_OK)
        fail_msg("save: %s", error.message);
}

static struct tulle_model *load(const char *path)
{
    struct tulle_error error = {0};
    struct tulle_model *model;
    if (tulle_model_load(path, &model, &error) != TULLE_OK)
        fail_msg("load: %s", error.message);
    return model;
}

static void assert_same_bytes(const char *path, const char *other)
{
    struct bytes a = get_bytes(path), b = get_bytes(other);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    free(a.data);
    free(b.data);
}

/* Bits, so that -0.0 is not 0.0; any NaN for a figure that is not finite. */
static void assert_same_figure(double found, double expected)
{
    if (isfinite(expected))
        assert_memory_equal(&found, &expected, sizeof found);
    else
        assert_true(isnan(found));
}

static void assert_same_columns(const struct tulle_column *found,
                                const struct tulle_column *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i].name, expected[i].name);
        assert_same_figure(found[i].mean, expected[i].mean);
        assert_same_figure(found[i].scale, expected[i].scale);
        assert_same_figure(found[i].minimum, expected[i].minimum);
        assert_same_figure(found[i].maximum, expected[i].maximum);
        assert_int_equal(found[i].scaling, expected[i].scaling);
        assert_int_equal(found[i].missing, expected[i].missing);
        assert_int_equal(found[i].dimensions, expected[i].dimensions);
        assert_int_equal(found[i].quantile_count, expected[i].quantile_count);
        if (expected[i].quantile_count > 0)
            assert_memory_equal(found[i].quantiles, expected[i].quantiles,
                                expected[i].quantile_count * sizeof *expected[i].quantiles);
        assert_int_equal(found[i].levels.count, expected[i].levels.count);
        for (size_t k = 0; k < expected[i].levels.count; k++)
            assert_string_equal(found[i].levels.names[k], expected[i].levels.names[k]);
    }
}

static void assert_same_text(const char *found, const char *expected)
{
    assert_int_equal(found == NULL, expected == NULL);
    if (expected)
        assert_string_equal(found, expected);
}

static void assert_same_training(const struct tulle_model_info *a, const struct tulle_model_info *b)
{
    assert_int_equal(a->loss, b->loss);
    assert_same_figure(a->huber_delta, b->huber_delta);
    assert_same_figure(a->label_smoothing, b->label_smoothing);
    assert_int_equal(a->quantile_count, b->quantile_count);
    for (size_t i = 0; i < b->quantile_count; i++)
        assert_same_figure(a->quantiles[i], b->quantiles[i]);
    assert_int_equal(a->optimizer, b->optimizer);
    assert_same_figure(a->learning_rate, b->learning_rate);
    assert_int_equal(a->batch_size, b->batch_size);
    assert_int_equal(a->epochs, b->epochs);
    assert_int_equal(a->seed, b->seed);
    assert_same_text(a->split_column, b->split_column);
    assert_same_text(a->weight_column, b->weight_column);
    assert_int_equal(a->missing_count, b->missing_count);
    for (size_t i = 0; i < b->missing_count; i++)
        assert_string_equal(a->missing[i], b->missing[i]);
    assert_same_figure(a->valid_fraction, b->valid_fraction);
    assert_same_figure(a->test_fraction, b->test_fraction);
    assert_memory_equal(a->rows, b->rows, sizeof b->rows);
    assert_int_equal(a->best_epoch, b->best_epoch);
    assert_int_equal(a->curve_count, b->curve_count);
    if (b->curve_count > 0)
        assert_memory_equal(a->curve, b->curve, b->curve_count * sizeof *b->curve);
}

static void assert_same_model(const struct tulle_model *found, const struct tulle_model *expected)
{
    const struct tulle_model_info *a = &found->info, *b = &expected->info;
    assert_int_equal(a->format_version, b->format_version);
    assert_string_equal(a->tulle_version, b->tulle_version);
    assert_int_equal(a->precision, b->precision);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->input_count, b->input_count);
    assert_int_equal(a->target_count, b->target_count);
    assert_int_equal(a->layer_count, b->layer_count);
    assert_int_equal(a->parameter_count, b->parameter_count);
    assert_same_columns(a->inputs, b->inputs, b->input_count);
    assert_same_columns(a->targets, b->targets, b->target_count);
    for (size_t l = 0; l < b->layer_count; l++) {
        assert_int_equal(a->layers[l].units, b->layers[l].units);
        assert_int_equal(a->layers[l].activation, b->layers[l].activation);
        assert_int_equal(a->layers[l].parametric, b->layers[l].parametric);
        assert_same_figure(a->layers[l].dropout, b->layers[l].dropout);
    }
    assert_same_training(a, b);
    for (size_t i = 0; i < 3 * b->target_count; i++) {
        assert_int_equal(a->metrics[i].rows, b->metrics[i].rows);
        for (int k = 0; k < TULLE_METRIC_SLOTS; k++)
            assert_same_figure(a->metrics[i].value[k], b->metrics[i].value[k]);
    }
    assert_memory_equal(found->parameters, expected->parameters,
                        expected->network.arena_size * tulle_type_size(b->precision));
}

enum { EXAMPLE_DATA = 1600 }; /* where the data begins */

/* The file that docs/format.md shows, to the byte. */
static void test_documented_example(void **state)
{
    (void)state;
    struct tulle_model *model = example_model();
    save(model, in_folder("example"));
    assert_string_equal(tulle_model_info(model)->checksum, "");
    tulle_model_free(model);

    struct bytes file = get_bytes(in_folder("example"));
    assert_int_equal(file.size, EXAMPLE_DATA + 36);
    assert_int_equal(file.data[0] + 256 * file.data[1], EXAMPLE_DATA - 8);
    assert_memory_equal(file.data + 8, "{\"__metadata__\":{\"checksum\":\"xxh3-64:", 37);
    assert_memory_equal(file.data + 61, "\",\"format\":\"tulle\",\"format_version\":\"2\",", 40);
    const float parameters[] = {1, -0.5f, 0.25f, 2, 0.5f, -1, 3, -1.5f, 0.125f};
    assert_memory_equal(file.data + EXAMPLE_DATA, parameters, sizeof parameters);

    model = load(in_folder("example"));
    const char *checksum = tulle_model_info(model)->checksum;
    assert_memory_equal(file.data + 45, checksum, 16);
    struct bytes page = get_bytes(TULLE_SOURCE_DIR "/docs/format.md");
    if (!strstr((const char *)page.data, checksum))
        fail_msg("docs/format.md does not show the checksum %s", checksum);
    save(model, in_folder("again"));
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

/* Saves, loads and saves again. */
static void check_file(const struct tulle_model *model)
{
    save(model, in_folder("one"));
    struct tulle_model *loaded = load(in_folder("one"));
    assert_same_model(loaded, model);
    save(loaded, in_folder("two"));
    assert_same_bytes(in_folder("one"), in_folder("two"));
    tulle_model_free(loaded);
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
                                           .missing = i % 4};
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

/* Categories, quantiles, embeddings, mixes and a curve; in both precisions, with and without. */
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
    rich.inputs[1].scaling = TULLE_SCALING_NONE;
    rich.inputs[1].quantile_count = 0;
    rich.inputs[1].quantiles = NULL;
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    fill_parameters(model);
    check_file(model);
    tulle_model_free(model);
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

/* The same bytes and the same numbers whatever the program's rounding mode. */
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
    save(model, in_folder("nearest"));
    for (int i = 0; i < 3; i++) {
        fesetround(modes[i]);
        save(model, in_folder("directed"));
        struct tulle_model *loaded = load(in_folder("directed"));
        assert_int_equal(fegetround(), modes[i]);
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
}

/* A file of format 1, with the predictions that the Tulle of that time gave for it; its tanh was
 * another, by a unit in the last place of a float here and there. */
static void test_format_1(void **state)
{
    (void)state;
    static const double rows[][8] = {{8.3252, 41.0, 6.984126984126984, 1.0238095238095237, 322.0,
                                      2.5555555555555554, 37.88, -122.23},
                                     {8.3014, 21.0, 6.238137082601054, 0.9718804920913884, 2401.0,
                                      2.109841827768014, 37.86, -122.22}};
    double predicted[2];
    tulle_session *session;
    struct tulle_model *model = load(TULLE_SOURCE_DIR "/tests/data/model_v1.tulle");
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->format_version, 1);
    assert_string_equal(info->checksum, "e5bb676973e6a812");
    assert_int_equal(info->task, TULLE_TASK_REGRESSION);
    assert_int_equal(info->prediction_count, 1);
    assert_int_equal(info->inputs[0].scaling, TULLE_SCALING_STANDARD);
    assert_true(info->huber_delta == 1 && info->label_smoothing == 0);
    assert_null(info->weight_column);
    assert_int_equal(info->missing_count, tulle_default_missing.count);
    assert_null(info->curve);
    assert_true(info->metrics[2].value[TULLE_METRIC_R2] == 0.65083803274674534);
    assert_true(isnan(info->metrics[2].value[TULLE_METRIC_PINBALL]));
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(&rows[0][0], 2, 8),
                                           tulle_f64_out(predicted, 2, 1)),
                     TULLE_OK);
    assert_true(fabs(predicted[0] - 4.2637329444427134) < 1e-6);
    assert_true(fabs(predicted[1] - 4.2264672479731695) < 1e-6);
    tulle_session_free(session);

    save(model, in_folder("new"));
    struct tulle_model *loaded = load(in_folder("new"));
    assert_int_equal(tulle_model_info(loaded)->format_version, 2);
    loaded->info.format_version = 1;
    assert_same_model(loaded, model);
    tulle_model_free(loaded);
    tulle_model_free(model);
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
    save(model, in_folder("large"));
    struct tulle_model *loaded = load(in_folder("large"));
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
    save(model, in_folder("link"));
    struct stat status;
    assert_int_equal(lstat(in_folder("link"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    tulle_model_free(load(in_folder("target")));
    tulle_model_free(load(in_folder("link")));
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
        TEST(test_documented_example), TEST(test_round_trip),   TEST(test_rich),
        TEST(test_quantile_loss),      TEST(test_missing),      TEST(test_rounding_modes),
        TEST(test_format_1),           TEST(test_large),        TEST(test_header_too_long),
        TEST(test_not_finite),         TEST(test_check_path),   TEST(test_unusable_paths),
        TEST(test_full_device),        TEST(test_through_link),
    };
    const struct CMUnitTest without[] = {TEST(test_without_model_files)};
    return tulle_has_model_files ? cmocka_run_group_tests_name("model files", with, NULL, NULL)
                                 : cmocka_run_group_tests_name("no files", without, NULL, NULL);
}
