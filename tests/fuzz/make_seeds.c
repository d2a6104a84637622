/* make_seeds.c - writes what fuzzing of models and checkpoints begins with: make_seeds FOLDER. */
#include "../../lib/base/portability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "checkpoint_use.h"

enum { ROWS = 40, COLUMNS = 6 };

/* Numbers, one of them missing now and then; categories of two, three and five levels; and the
 * target, of numbers or classes. */
static tulle_dataset *make_table(int is_of_classes)
{
    static const char *const names[] = {"a", "b", "lift", "colour", "city", "y"};
    static const char *const lifts[] = {"no", "yes"}, *const colours[] = {"red", "green", "blue"};
    static const char *const cities[] = {"Aix", "Bonn", "Cork", "Dax", "5"};
    const struct tulle_levels levels[] = {{NULL, 0},    {NULL, 0},   {lifts, 2},
                                          {colours, 3}, {cities, 5}, {NULL, 0}};
    double values[ROWS][COLUMNS];
    tulle_dataset *table;
    for (size_t r = 0; r < ROWS; r++) {
        const double a = (double)(r * r % 37), b = (double)(r * 7 % 11) - 5;
        const double row[] = {
            a, r % 9 == 4 ? NAN : b, (double)(r % 2), (double)(r % 3), (double)(r * 3 % 5), 0};
        for (size_t c = 0; c < COLUMNS; c++)
            values[r][c] = row[c];
        values[r][COLUMNS - 1] = is_of_classes ? (double)((r * r % 37 + r % 3) % 3) : a + 2 * b;
    }
    CHECK(tulle_dataset_create(names, tulle_f64(&values[0][0], ROWS, COLUMNS), levels, NULL, &table,
                               NULL) == TULLE_OK);
    return table;
}

static struct tulle_train_options small_options(void)
{
    static const char *const targets[] = {"y"};
    static const size_t hidden[] = {3};
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.targets = targets;
    options.target_count = 1;
    options.recipe = TULLE_RECIPE_NOTEBOOK;
    options.hidden = hidden;
    options.hidden_count = 1;
    options.epochs = 2;
    options.batch_size = 16;
    options.threads = 1;
    return options;
}

static void make_model(const char *folder, const char *name, int is_of_classes,
                       const struct tulle_train_options *options)
{
    char path[4096];
    tulle_model *model;
    struct tulle_error error;
    tulle_dataset *table = make_table(is_of_classes);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (tulle_train(table, options, &model, &error) != TULLE_OK ||
        tulle_model_save(model, path, &error) != TULLE_OK) {
        fprintf(stderr, "%s: %s\n", name, error.message);
        exit(1);
    }
    tulle_model_free(model);
    tulle_dataset_free(table);
}

static void make_models(const char *folder)
{
    static const double quantiles[] = {0.25, 0.75};
    struct tulle_train_options options = small_options();
    make_model(folder, "plain", 0, &options);
    options.precision = TULLE_F64;
    options.parametric = 1;
    options.activation = TULLE_ACTIVATION_GELU;
    options.scaling = TULLE_SCALING_ROBUST;
    options.one_hot_levels = 4;
    make_model(folder, "f64", 0, &options);
    options = small_options();
    options.loss = TULLE_LOSS_QUANTILE;
    options.quantiles = quantiles;
    options.quantile_count = 2;
    options.scaling = TULLE_SCALING_QUANTILE;
    make_model(folder, "quantiles", 0, &options);
    options = small_options();
    options.task = TULLE_TASK_CLASSIFICATION;
    options.number_dimensions = 2;
    options.number_frequencies = 3;
    make_model(folder, "waves", 1, &options);
    options.number_frequencies = 0;
    options.number_bins = 2;
    options.input_factors = 1;
    options.members = 2;
    options.one_hot_levels = 2;
    options.embedding_dimensions = 2;
    make_model(folder, "members", 1, &options);
}

int main(int argc, char **argv)
{
    char path[4096];
    size_t size;
    if (argc != 2) {
        fprintf(stderr, "usage: make_seeds FOLDER\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/model", argv[1]);
    mkdir(path, 0777);
    make_models(path);
    snprintf(path, sizeof path, "%s/checkpoint", argv[1]);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/checkpoint/example", argv[1]);
    const uint8_t *bytes = example_checkpoint(&size);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
    return 0;
}
