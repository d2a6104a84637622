/* info.c - `tulle info`: what is in a model file. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "options.h"
#include "report.h"
#include "train_settings.h"

/* --- For people --- */

static void print_split(const struct tulle_model_info *info)
{
    const size_t *rows = info->rows;
    printf("rows      %zu train, %zu valid, %zu test, ", rows[TULLE_SPLIT_TRAIN],
           rows[TULLE_SPLIT_VALID], rows[TULLE_SPLIT_TEST]);
    if (info->split_column) {
        char *name = cli_clean(info->split_column);
        printf("split by column '%s'\n", name);
        free(name);
    } else if (cli_has_valid_table(info)) {
        printf("the valid rows from a table of their own\n");
    } else {
        printf("split at random (%g valid, %g test)\n", info->valid_fraction, info->test_fraction);
    }
}

static void print_curve(const struct tulle_model_info *info)
{
    if (info->curve_count == 0)
        return;
    const struct tulle_epoch *first = &info->curve[0], *last = &info->curve[info->curve_count - 1];
    printf("losses    train %.4g to %.4g", first->train_loss, last->train_loss);
    if (!isnan(last->valid_loss))
        printf(", valid %.4g to %.4g", first->valid_loss, last->valid_loss);
    if (info->best_epoch)
        printf(", lowest %.4g at epoch %zu, the model's",
               info->curve[info->best_epoch - 1].valid_loss, info->best_epoch);
    putchar('\n');
}

/* "quantile 0.1, 0.5, 0.9", "huber (delta 1)", "cross_entropy (smoothing 0.1)" */
static void print_loss(const struct tulle_model_info *info)
{
    printf("%s", tulle_loss_name(info->loss));
    for (size_t i = 0; i < info->quantile_count; i++)
        printf("%s %g", i ? "," : "", info->quantiles[i]);
    if (info->loss == TULLE_LOSS_HUBER)
        printf(" (delta %g)", info->huber_delta);
    if (info->task == TULLE_TASK_CLASSIFICATION && info->label_smoothing > 0)
        printf(" (label smoothing %g)", info->label_smoothing);
}

static void print_training(const struct tulle_model_info *info)
{
    if (info->epochs == 0)
        return; /* it came from a trainer, which knows of no epochs */
    printf("trained   ");
    if (info->curve_count && info->curve_count < info->epochs)
        printf("%zu of ", info->curve_count);
    printf("%zu epoch%s of %s, loss ", info->epochs, info->epochs == 1 ? "" : "s",
           tulle_optimizer_name(info->optimizer));
    print_loss(info);
    printf(", lr %g, batch %zu, seed %lu\n", info->learning_rate, info->batch_size,
           (unsigned long)info->seed);
    print_curve(info);
    print_split(info);
    if (info->weight_column) {
        char *name = cli_clean(info->weight_column);
        printf("weights   column '%s'\n", name);
        free(name);
    }
}

/* The command that trains it again, in lines that a shell takes as one. */
static void print_command(const struct tulle_model_info *info)
{
    enum { WIDTH = 98 };
    size_t count;
    struct cli_given *given = cli_repeating_options(info, &count);
    int at = count ? printf("command   tulle train DATA") : 0;
    for (size_t i = 0; i < count; i++) {
        char *word = cli_append_word(cli_format("--%s ", given[i].option), given[i].value);
        char *text = cli_clean(word);
        int length = (int)strlen(text);
        if (at + 1 + length > WIDTH)
            at = printf(" \\\n         ") - 3;
        at += printf(" %s", text);
        free(word);
        free(text);
    }
    if (count)
        putchar('\n');
    cli_given_free(given, count);
}

static void add_columns(struct cli_table *table, const char *kind,
                        const struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tulle_column *column = &columns[i];
        const double numbers[] = {column->minimum, column->maximum, column->mean, column->scale};
        char *entry = cli_entry_text(column);
        cli_table_add(table, "%s", i == 0 ? kind : "");
        cli_table_add(table, "%s", column->name);
        cli_table_add(table, "%s", column->levels.names && *kind == 't' ? "class" : entry);
        for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++) {
            int has_none = column->levels.names || fabs(numbers[j]) == DBL_MAX; /* a trainer's */
            cli_table_add(table, has_none ? "-" : "%.6g", numbers[j]);
        }
        cli_table_add(table, "%zu", column->missing);
        free(entry);
    }
}

static void print_levels(const struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tulle_levels *levels = &columns[i].levels;
        if (!levels->names)
            continue;
        char *list = cli_list_text(levels->names, levels->count);
        char *text = cli_format("%s, %zu level%s: %s", columns[i].name, levels->count,
                                levels->count == 1 ? "" : "s", list);
        char *line = cli_clean(text);
        printf("%s\n", line);
        free(list);
        free(text);
        free(line);
    }
}

static void print_columns(const struct tulle_model_info *info)
{
    static const char *const header[] = {"",        "",     "enters as", "minimum",
                                         "maximum", "mean", "scale",     "missing"};
    struct cli_table table = {.columns = sizeof header / sizeof header[0], .left = 3};
    size_t categorical = 0;
    for (size_t i = 0; i < table.columns; i++)
        cli_table_add(&table, "%s", header[i]);
    add_columns(&table, "inputs", info->inputs, info->input_count);
    add_columns(&table, "targets", info->targets, info->target_count);
    putchar('\n');
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    for (size_t i = 0; i < info->input_count; i++)
        categorical += info->inputs[i].levels.names != NULL;
    if (categorical || info->task == TULLE_TASK_CLASSIFICATION)
        putchar('\n');
    print_levels(info->inputs, info->input_count);
    print_levels(info->targets, info->target_count);
}

static void print_metrics(const struct tulle_model_info *info)
{
    struct cli_table table = {0};
    if (info->metrics[0].rows == 0)
        return;
    cli_table_add_model_metrics(&table, info);
    putchar('\n');
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
}

static int print_text(const char *path, const struct tulle_model_info *info)
{
    char *name = cli_clean(path);
    char *version = cli_clean(info->tulle_version);
    char *text = cli_task_text(info);
    char *task = cli_clean(text);
    char *network = cli_network_text(info);
    printf("%s\n", name);
    printf("file      format %u, checksum %s, by tulle %s\n", info->format_version, info->checksum,
           version);
    printf("task      %s\n", task);
    printf("network   %s\n", network);
    free(name);
    free(version);
    free(text);
    free(task);
    free(network);
    print_training(info);
    print_command(info);
    print_columns(info);
    print_metrics(info);
    return cli_close_stdout();
}

/* --- For programs --- */

static json_t *column_json(const struct tulle_column *column)
{
    json_t *object = json_object();
    int is_categorical = column->levels.names != NULL;
    cli_json_set(object, "name", cli_json_text(column->name));
    cli_json_set(object, "kind", cli_json_text(is_categorical ? "categorical" : "numeric"));
    cli_json_set(object, "missing", cli_json_count(column->missing));
    if (is_categorical) {
        json_t *levels = json_array();
        for (size_t i = 0; i < column->levels.count; i++)
            cli_json_append(levels, cli_json_text(column->levels.names[i]));
        cli_json_set(object, "levels", levels);
        cli_json_set(object, "dimensions", cli_json_count_or_null(column->dimensions));
        return object;
    }
    cli_json_set(object, "scaling", cli_json_text(tulle_scaling_name(column->scaling)));
    cli_json_set(object, "minimum", cli_json_number(column->minimum));
    cli_json_set(object, "maximum", cli_json_number(column->maximum));
    cli_json_set(object, "mean", cli_json_number(column->mean));
    cli_json_set(object, "scale", cli_json_number(column->scale));
    if (column->quantile_count) {
        json_t *quantiles = json_array();
        for (size_t i = 0; i < column->quantile_count; i++)
            cli_json_append(quantiles, cli_json_number(column->quantiles[i]));
        cli_json_set(object, "quantiles", quantiles);
    }
    return object;
}

static json_t *columns_json(const struct tulle_column *columns, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        cli_json_append(array, column_json(&columns[i]));
    return array;
}

static json_t *curve_json(const struct tulle_model_info *info)
{
    json_t *array = json_array();
    for (size_t i = 0; i < info->curve_count; i++) {
        json_t *epoch = json_object();
        cli_json_set(epoch, "epoch", cli_json_count(i + 1));
        cli_json_set(epoch, "train_loss", cli_json_number(info->curve[i].train_loss));
        cli_json_set(epoch, "valid_loss", cli_json_number(info->curve[i].valid_loss));
        cli_json_set(epoch, "learning_rate", cli_json_number(info->curve[i].learning_rate));
        cli_json_append(array, epoch);
    }
    return array;
}

static json_t *options_json(const struct tulle_model_info *info)
{
    size_t count;
    struct cli_given *given = cli_repeating_options(info, &count);
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++)
        cli_json_set(object, given[i].option, cli_json_text(given[i].value));
    cli_given_free(given, count);
    return object;
}

static json_t *training_json(const struct tulle_model_info *info)
{
    json_t *training = json_object();
    json_t *quantiles = json_array();
    for (size_t i = 0; i < info->quantile_count; i++)
        cli_json_append(quantiles, cli_json_number(info->quantiles[i]));
    cli_json_set(training, "loss", cli_json_text(tulle_loss_name(info->loss)));
    cli_json_set(training, "huber_delta", cli_json_number(info->huber_delta));
    cli_json_set(training, "label_smoothing", cli_json_number(info->label_smoothing));
    cli_json_set(training, "quantiles", quantiles);
    cli_json_set(training, "optimizer", cli_json_text(tulle_optimizer_name(info->optimizer)));
    cli_json_set(training, "learning_rate", cli_json_number(info->learning_rate));
    cli_json_set(training, "batch_size", cli_json_count(info->batch_size));
    cli_json_set(training, "epochs", cli_json_count(info->epochs));
    cli_json_set(training, "best_epoch", cli_json_count_or_null(info->best_epoch));
    cli_json_set(training, "seed", cli_json_count(info->seed));
    cli_json_set(training, "split_column", cli_json_text(info->split_column));
    json_t *missing = json_array();
    for (size_t i = 0; i < info->missing_count; i++)
        cli_json_append(missing, cli_json_text(info->missing[i]));
    cli_json_set(training, "missing", missing);
    cli_json_set(training, "weight_column", cli_json_text(info->weight_column));
    cli_json_set(training, "valid_fraction",
                 info->split_column ? json_null() : cli_json_number(info->valid_fraction));
    cli_json_set(training, "test_fraction",
                 info->split_column ? json_null() : cli_json_number(info->test_fraction));
    cli_json_set(training, "rows", cli_json_split_rows(info->rows));
    cli_json_set(training, "options", options_json(info));
    cli_json_set(training, "curve", curve_json(info));
    return training;
}

static int print_json(const char *path, const struct tulle_model_info *info)
{
    json_t *object = json_object();
    cli_json_set(object, "model", cli_json_text(path));
    cli_json_set(object, "format_version", cli_json_count(info->format_version));
    cli_json_set(object, "tulle_version", cli_json_text(info->tulle_version));
    cli_json_set(object, "checksum", cli_json_text(info->checksum));
    cli_json_set(object, "task", cli_json_text(tulle_task_name(info->task)));
    cli_json_set(object, "network", cli_json_network(info));
    cli_json_set(object, "inputs", columns_json(info->inputs, info->input_count));
    cli_json_set(object, "targets", columns_json(info->targets, info->target_count));
    cli_json_set(object, "training", training_json(info));
    cli_json_set(object, "metrics", cli_json_split_metrics(info));
    return cli_json_print(object);
}

static int run(const struct cli_options *options)
{
    const char *path = options->arguments[0];
    tulle_model *model;
    struct tulle_error error;
    if (tulle_model_load(path, &model, &error) != TULLE_OK)
        return cli_fail(options, &error);
    const struct tulle_model_info *info = tulle_model_info(model);
    int status = options->json ? print_json(path, info) : print_text(path, info);
    tulle_model_free(model);
    return status;
}

const struct cli_command cli_info = {
    .bit = CLI_INFO,
    .name = "info",
    .summary = "show what is in a model file",
    .synopsis = "MODEL [--json]",
    .description =
        "Prints the task and the network; the columns, with how they enter it, their range over "
        "the training rows, their scaling (value - mean) / scale, in how many training rows they "
        "were missing, and their levels; how it was trained, its metrics in the targets' own "
        "units, and the file's format version and checksum. --json has all levels and the losses "
        "of every epoch.\n\n"
        "All settings of its training are shown as the command that repeats it: the same data "
        "give the same model, byte for byte. Only columns that were left out by --drop are not in "
        "the file.",
    .arguments = {{"MODEL", "a file that 'tulle train' wrote"}},
    .required = 1,
    .examples = "  tulle info houses.tulle\n"
                "  tulle info houses.tulle --json | jq .metrics.test.rmse\n",
    .run = run,
};
