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

static char folder[64];

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
        .layers = {{8, TULLE_ACTIVATION_GELU, 1, 0.25}, {3, TULLE_ACTIVATION_IDENTITY, 0, 0}},
        .curve = {{1.125, 0.75, 0.02}, {0.5, NAN, 1.0 / 3}},
        .info = {.precision = TULLE_F32,
                 .task = TULLE_TASK_CLASSIFICATION,
                 .input_count = 6,
                 .target_count = 1,
                 .layer_count = 2,
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
    rich->info.layers = rich->layers;
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

void fill_parameters(struct tulle_model *model)
{
    double value = -3;
    for (size_t l = 0; l < model->network.layer_count; l++) {
        const struct network_layer *layer = &model->network.layers[l];
        for (size_t u = 0; u < layer->units; u++)
            for (size_t i = 0; i < layer->inputs; i++)
                fill_run(model, tulle_weight_index(layer, u, i), 1, &value);
        fill_run(model, layer->biases, layer->units, &value);
        if (layer->is_parametric)
            fill_run(model, layer->mix, layer->units, &value);
    }
    for (size_t e = 0; e < model->network.embedding_count; e++) {
        const struct network_embedding *embedding = &model->network.embeddings[e];
        fill_run(model, embedding->table, (embedding->levels + 1) * embedding->dimensions, &value);
    }
}

int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tulle-test-XXXXXX");
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
