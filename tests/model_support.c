/* model_support.c - an example of a model, and files in a temporary folder. */
#include "../lib/base/portability.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model_support.h"

static char folder[128];

void set_metrics(struct tulle_metrics *metrics, size_t rows, double rmse, double mae, double r2)
{
    metrics->rows = rows;
    for (int k = 0; k < TULLE_METRIC_SLOTS; k++)
        metrics->value[k] = NAN;
    metrics->value[TULLE_METRIC_RMSE] = rmse;
    metrics->value[TULLE_METRIC_MAE] = mae;
    metrics->value[TULLE_METRIC_R2] = r2;
}

void example_init(struct example *example)
{
    *example = (struct example){
        .inputs = {{"rooms", 2, 0.5, 1, 3, .scaling = TULLE_SCALING_STANDARD},
                   {"age", 30, 10, 10, 50, .scaling = TULLE_SCALING_STANDARD}},
        .targets = {{"price", 100, 20, 60, 140, .scaling = TULLE_SCALING_STANDARD}},
        .layers = {{2, TULLE_ACTIVATION_RELU, 0, 0}, {1, TULLE_ACTIVATION_IDENTITY, 0, 0}},
        .info = {.precision = TULLE_F32,
                 .task = TULLE_TASK_REGRESSION,
                 .input_count = 2,
                 .target_count = 1,
                 .layer_count = 2,
                 .huber_delta = 1,
                 .learning_rate = 0.05,
                 .batch_size = 32,
                 .epochs = 60,
                 .valid_fraction = 0.1,
                 .test_fraction = 0.25,
                 .rows = {3, 0, 1}},
    };
    set_metrics(&example->metrics[0], 3, 1.5, 1.25, 0.96875);
    set_metrics(&example->metrics[1], 0, NAN, NAN, NAN);
    set_metrics(&example->metrics[2], 1, 2, 2, NAN);
    example->info.inputs = example->inputs;
    example->info.targets = example->targets;
    example->info.layers = example->layers;
    example->info.metrics = example->metrics;
}

struct tulle_model *example_model(void)
{
    static const double hidden_weights[] = {1, -0.5, 0.25, 2}, hidden_biases[] = {0.5, -1};
    static const double output_weights[] = {3, -1.5}, output_biases[] = {0.125};
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    tulle_arena_set_layer(&model->network, model->parameters, 0, hidden_weights, hidden_biases);
    tulle_arena_set_layer(&model->network, model->parameters, 1, output_weights, output_biases);
    return model;
}

void rich_init(struct rich *rich)
{
    static const double knots[] = {1, 2, 2, 4};
    static const char *const no_yes[] = {"no", "yes"};
    static const char *const colours[] = {"red", "green", "\"blue\", caf\xc3\xa9\n"};
    static const char *const cities[] = {"A", "B", "C", "D", "5"};
    static const char *const classes[] = {"setosa", "versicolor", "virginica"};
    *rich = (struct rich){
        .inputs = {{"rooms", 2, 0.5, 1, 3, TULLE_SCALING_STANDARD, .missing = 3},
                   {"area", 2, 1, 1, 4, .scaling = TULLE_SCALING_QUANTILE, .quantiles = knots,
                    .quantile_count = 4},
                   {"lift", .scale = 1, .levels = {no_yes, 2}},
                   {"colour", .scale = 1, .levels = {colours, 3}, .missing = 2},
                   {"city", .scale = 1, .levels = {cities, 5}, .dimensions = 2},
                   {"pay", 1e-3, 1.0 / 3, -1e150, 1e150, .scaling = TULLE_SCALING_ROBUST}},
        .targets = {{"kind", .scale = 1, .levels = {classes, 3}}},
        .numbers = {0, 2, 8}, /* rooms, area, pay */
        .layers = {{8, TULLE_ACTIVATION_GELU, 1, 0.25}, {3, TULLE_ACTIVATION_IDENTITY, 0, 0}},
        .settings = {{"learning_rate", "0.04"},
                     {"activation", "\"gelu\", caf\xc3\xa9"},
                     {"hidden", ""},
                     {"caf\xc3\xa9", "yes"}},
        .curve = {{1.125, 0.75, 0.02}, {0.5, NAN, 1.0 / 3}},
        .info = {.precision = TULLE_F32,
                 .task = TULLE_TASK_CLASSIFICATION,
                 .input_count = 6,
                 .target_count = 1,
                 .layer_count = 2,
                 .front = {.number_count = 3,
                           .frequencies = 5,
                           .dimensions = 2,
                           .has_factors = 1,
                           .members = 2},
                 .setting_count = 4,
                 .loss = TULLE_LOSS_CROSS_ENTROPY,
                 .huber_delta = 1.5,
                 .label_smoothing = 0.1,
                 .optimizer = TULLE_OPTIMIZER_ADAMW,
                 .learning_rate = 1e-3,
                 .batch_size = 256,
                 .epochs = 10,
                 .seed = UINT32_MAX,
                 .split_column = "spl\"it",
                 .weight_column = "weight",
                 .rows = {10, 20, 30},
                 .curve_count = 2,
                 .best_epoch = 1},
    };
    for (int i = 0; i < 3; i++) {
        set_metrics(&rich->metrics[i], 10, NAN, NAN, NAN);
        rich->metrics[i].value[TULLE_METRIC_ACCURACY] = 0.9;
        rich->metrics[i].value[TULLE_METRIC_LOG_LOSS] = 1.0 / 3;
    }
    rich->info.inputs = rich->inputs;
    rich->info.targets = rich->targets;
    rich->info.front.numbers = rich->numbers;
    rich->info.layers = rich->layers;
    rich->info.settings = rich->settings;
    rich->info.metrics = rich->metrics;
    rich->info.curve = rich->curve;
}

struct tulle_model *rich_model(void)
{
    struct rich rich;
    struct tulle_model *model;
    struct tulle_error error = {.message = ""};
    rich_init(&rich);
    if (tulle_model_create(&rich.info, &model, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    fill_parameters(model);
    return model;
}

/* Blocks are followed by padding, which stays 0. */
static void fill_run(struct tulle_model *model, size_t begin, size_t count, double *value)
{
    for (size_t i = 0; i < count; i++, *value += 0.125)
        tulle_arena_set(&model->network, model->parameters, begin + i, *value);
}

/* Of all numbers' waves the w come first, then the b; of splines number after number. */
static void fill_numbers(struct tulle_model *model, double *value)
{
    const struct network *network = &model->network;
    const size_t f = network->waves.frequencies, d = network->dimensions;
    const size_t each = tulle_number_count(network), is_spline = network->spline.bins > 0;
    const size_t parts[] = {is_spline ? each : f, f, d * f, is_spline ? 0 : d};
    double *numbers = calloc(network->number_count, each * sizeof *numbers);
    assert_non_null(numbers);
    for (size_t p = 0, before = 0; p < 4; before += parts[p++])
        for (size_t n = 0; n < network->number_count; n++)
            for (size_t i = 0; i < parts[p]; i++, *value += 0.125)
                numbers[n * each + before + i] = *value;
    tulle_arena_set_numbers(network, model->parameters, numbers);
    free(numbers);
}

void fill_parameters(struct tulle_model *model)
{
    double value = -3;
    for (size_t l = 0; l < model->network.layer_count; l++) {
        const struct network_layer *layer = &model->network.layers[l];
        for (size_t u = 0; u < layer->copies * layer->units; u++)
            for (size_t i = 0; i < layer->inputs; i++)
                fill_run(model, tulle_weight_index(layer, u, i), 1, &value);
        for (size_t u = 0; u < layer->copies * layer->units; u++)
            fill_run(model, tulle_bias_index(layer, u), 1, &value);
        if (layer->is_parametric)
            fill_run(model, layer->mix, layer->units, &value);
    }
    for (size_t e = 0; e < model->network.embedding_count; e++) {
        const struct network_embedding *embedding = &model->network.embeddings[e];
        fill_run(model, embedding->table, (embedding->levels + 1) * embedding->dimensions, &value);
    }
    if (model->network.number_count > 0)
        fill_numbers(model, &value);
    for (size_t m = 0; model->network.has_factors && m < model->network.members; m++)
        fill_run(model, model->network.factors + m * model->network.factor_stride,
                 model->network.layers[0].inputs, &value);
}

int make_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/tulle-test-XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

int remove_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(in_folder(entry->d_name));
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int entry_count(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

struct bytes get_bytes(const char *path)
{
    struct bytes bytes = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("no file %s", path);
    fseek(file, 0, SEEK_END);
    bytes.size = (size_t)ftell(file);
    bytes.data = calloc(bytes.size + 1, 1);
    assert_non_null(bytes.data);
    rewind(file);
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

void put_bytes(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* --- Files of models --- */

void save_model(const struct tulle_model *model, const char *path)
{
    struct tulle_error error = {0};
    if (tulle_model_save(model, path, &error) != TULLE_OK)
        fail_msg("save: %s", error.message);
}

struct tulle_model *load_model(const char *path)
{
    struct tulle_error error = {0};
    struct tulle_model *model;
    if (tulle_model_load(path, &model, &error) != TULLE_OK)
        fail_msg("load: %s", error.message);
    return model;
}

void assert_same_bytes(const char *path, const char *other)
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
        assert_int_equal(found[i].is_clamped, expected[i].is_clamped);
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

static void assert_same_front(const struct tulle_front *a, const struct tulle_front *b)
{
    assert_int_equal(a->number_count, b->number_count);
    for (size_t i = 0; i < b->number_count; i++)
        assert_int_equal(a->numbers[i], b->numbers[i]);
    assert_int_equal(a->frequencies, b->frequencies);
    assert_int_equal(a->bins, b->bins);
    if (b->bins > 0)
        assert_memory_equal(a->knots, b->knots, b->number_count * (b->bins + 1) * sizeof *b->knots);
    assert_int_equal(a->dimensions, b->dimensions);
    assert_int_equal(a->has_factors, b->has_factors);
    assert_int_equal(a->members, b->members);
}

void assert_same_model(const struct tulle_model *found, const struct tulle_model *expected)
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
    assert_same_front(&a->front, &b->front);
    assert_same_training(a, b);
    assert_int_equal(a->setting_count, b->setting_count);
    for (size_t i = 0; i < b->setting_count; i++) {
        assert_string_equal(a->settings[i].name, b->settings[i].name);
        assert_string_equal(a->settings[i].value, b->settings[i].value);
    }
    for (size_t i = 0; i < 3 * b->target_count; i++) {
        assert_int_equal(a->metrics[i].rows, b->metrics[i].rows);
        for (int k = 0; k < TULLE_METRIC_SLOTS; k++)
            assert_same_figure(a->metrics[i].value[k], b->metrics[i].value[k]);
    }
    assert_memory_equal(found->parameters, expected->parameters,
                        expected->network.arena_size * tulle_type_size(b->precision));
}

void check_file(const struct tulle_model *model)
{
    save_model(model, in_folder("one"));
    struct tulle_model *loaded = load_model(in_folder("one"));
    assert_same_model(loaded, model);
    save_model(loaded, in_folder("two"));
    assert_same_bytes(in_folder("one"), in_folder("two"));
    tulle_model_free(loaded);
}
