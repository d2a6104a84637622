/* info.c - `tulle info`: what is in a model file. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "report.h"

/* --- For people --- */

static void print_training(const struct tulle_model_info *info)
{
    const size_t *rows = info->rows;
    if (info->epochs == 0)
        return; /* it came from a trainer, which knows of no epochs */
    printf("trained   %zu epochs of %s on %s, lr %g, batch %zu, seed %lu%s\n", info->epochs,
           tulle_optimizer_name(info->optimizer), tulle_loss_name(info->loss), info->learning_rate,
           info->batch_size, (unsigned long)info->seed,
           info->standardize ? ", standardised" : ", not standardised");
    printf("rows      %zu train, %zu valid, %zu test, ", rows[TULLE_SPLIT_TRAIN],
           rows[TULLE_SPLIT_VALID], rows[TULLE_SPLIT_TEST]);
    if (info->split_column) {
        char *name = cli_clean(info->split_column);
        printf("split by column '%s'\n", name);
        free(name);
    } else {
        printf("split at random (%g valid, %g test)\n", info->valid_fraction, info->test_fraction);
    }
}

static void add_columns(struct cli_table *table, const char *kind,
                        const struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cli_table_add(table, "%s", i == 0 ? kind : "");
        cli_table_add(table, "%s", columns[i].name);
        cli_table_add(table, "%.6g", columns[i].minimum);
        cli_table_add(table, "%.6g", columns[i].maximum);
        cli_table_add(table, "%.6g", columns[i].mean);
        cli_table_add(table, "%.6g", columns[i].scale);
    }
}

static void print_columns(const struct tulle_model_info *info)
{
    static const char *const header[] = {"", "", "minimum", "maximum", "mean", "scale"};
    struct cli_table table = {.columns = 6, .left = 2};
    for (size_t i = 0; i < table.columns; i++)
        cli_table_add(&table, "%s", header[i]);
    add_columns(&table, "inputs", info->inputs, info->input_count);
    add_columns(&table, "targets", info->targets, info->target_count);
    putchar('\n');
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
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
    char *network =
        cli_network_text(info->input_count, info->layers, info->layer_count, info->precision);
    printf("%s\n", name);
    printf("file      format %u, checksum %s, by tulle %s\n", info->format_version, info->checksum,
           info->tulle_version);
    printf("network   %s\n", network);
    free(name);
    free(network);
    print_training(info);
    print_columns(info);
    print_metrics(info);
    return cli_close_stdout();
}

/* --- For programs --- */

static json_t *columns_json(const struct tulle_column *columns, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *column = json_object();
        cli_json_set(column, "name", cli_json_text(columns[i].name));
        cli_json_set(column, "minimum", cli_json_number(columns[i].minimum));
        cli_json_set(column, "maximum", cli_json_number(columns[i].maximum));
        cli_json_set(column, "mean", cli_json_number(columns[i].mean));
        cli_json_set(column, "scale", cli_json_number(columns[i].scale));
        cli_json_append(array, column);
    }
    return array;
}

static json_t *training_json(const struct tulle_model_info *info)
{
    json_t *training = json_object();
    cli_json_set(training, "loss", cli_json_text(tulle_loss_name(info->loss)));
    cli_json_set(training, "optimizer", cli_json_text(tulle_optimizer_name(info->optimizer)));
    cli_json_set(training, "learning_rate", cli_json_number(info->learning_rate));
    cli_json_set(training, "batch_size", cli_json_count(info->batch_size));
    cli_json_set(training, "epochs", cli_json_count(info->epochs));
    cli_json_set(training, "seed", cli_json_count(info->seed));
    cli_json_set(training, "standardize", json_boolean(info->standardize));
    cli_json_set(training, "split_column", cli_json_text(info->split_column));
    cli_json_set(training, "valid_fraction",
                 info->split_column ? json_null() : cli_json_number(info->valid_fraction));
    cli_json_set(training, "test_fraction",
                 info->split_column ? json_null() : cli_json_number(info->test_fraction));
    cli_json_set(training, "rows", cli_json_split_rows(info));
    return training;
}

static int print_json(const char *path, const struct tulle_model_info *info)
{
    json_t *object = json_object();
    cli_json_set(object, "model", cli_json_text(path));
    cli_json_set(object, "format_version", cli_json_count(info->format_version));
    cli_json_set(object, "tulle_version", cli_json_text(info->tulle_version));
    cli_json_set(object, "checksum", cli_json_text(info->checksum));
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
        return cli_fail(&error);
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
        "Prints the network, its columns with their range over the training rows and their "
        "standardisation (value - mean) / scale, how it was trained, its metrics in the targets' "
        "own units, and the file's format version and checksum.",
    .arguments = {{"MODEL", "a file that 'tulle train' wrote"}},
    .required = 1,
    .examples = "  tulle info houses.tulle\n"
                "  tulle info houses.tulle --json | jq .metrics.test.rmse\n",
    .run = run,
};
