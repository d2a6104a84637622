/* eval.c - `tulle eval`: how far a model's predictions are off on rows with known targets. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "report.h"

/* The split column to read, NULL for none. Returns 0 or the exit status. */
static int choose_split_column(const struct cli_options *options,
                               const struct tulle_model_info *info, const char **column)
{
    *column = options->split_column;
    if (*column || options->split == TULLE_SPLIT_ALL)
        return 0;
    *column = info->split_column;
    if (!*column)
        return cli_usage_error("--split: '%s' was not trained with a split column; name the one in "
                               "the data with --split-column",
                               options->arguments[0]);
    return 0;
}

static tulle_dataset *read_data(const char *path, const struct tulle_model_info *info,
                                const char *split_column, struct tulle_error *error)
{
    struct tulle_read_options read = TULLE_READ_OPTIONS;
    tulle_dataset *dataset;
    size_t count = info->input_count + info->target_count;
    const char **columns = cli_allocate(count, sizeof *columns);
    for (size_t i = 0; i < info->input_count; i++)
        columns[i] = info->inputs[i].name;
    for (size_t i = 0; i < info->target_count; i++)
        columns[info->input_count + i] = info->targets[i].name;
    read.columns = columns;
    read.column_count = count;
    read.split_column = split_column;
    tulle_dataset_read(path, &read, &dataset, error);
    free(columns);
    return dataset;
}

static int print_json(const struct cli_options *options, const struct tulle_model_info *info,
                      const struct tulle_metrics *metrics)
{
    json_t *object = cli_json_metrics(info, metrics);
    cli_json_set(object, "split", cli_json_text(tulle_split_name(options->split)));
    return cli_json_print(object);
}

static int print_table(const struct cli_options *options, const struct tulle_model_info *info,
                       const struct tulle_metrics *metrics)
{
    struct cli_table table = {0};
    cli_table_add_metrics_header(&table);
    for (size_t i = 0; i < info->target_count; i++)
        cli_table_add_metrics(&table, info->targets[i].name, options->split, &metrics[i]);
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    return cli_close_stdout();
}

static int run(const struct cli_options *options)
{
    tulle_model *model = NULL;
    tulle_dataset *dataset = NULL;
    struct tulle_metrics *metrics = NULL;
    const struct tulle_model_info *info;
    const char *split_column;
    struct tulle_error error;
    int status;

    if (options->split_column && !cli_options_given(options, "split"))
        return cli_usage_error("--split-column needs --split, to say which rows to measure");
    if (tulle_model_load(options->arguments[0], &model, &error) != TULLE_OK)
        return cli_fail(&error);
    info = tulle_model_info(model);
    status = choose_split_column(options, info, &split_column);
    if (status != 0)
        goto out;
    metrics = cli_allocate(info->target_count, sizeof *metrics);
    dataset = read_data(options->arguments[1], info, split_column, &error);
    if (!dataset || tulle_evaluate(model, dataset, options->split, metrics, &error) != TULLE_OK) {
        status = cli_fail(&error);
        goto out;
    }
    for (size_t i = 0; i < info->target_count; i++) {
        if (metrics[i].r2 != metrics[i].r2)
            cli_log(options, "note: '%s' is constant in these rows, so there is no r2",
                    info->targets[i].name);
    }
    status =
        options->json ? print_json(options, info, metrics) : print_table(options, info, metrics);
out:
    free(metrics);
    tulle_dataset_free(dataset);
    tulle_model_free(model);
    return status;
}

const struct cli_command cli_eval = {
    .bit = CLI_EVAL,
    .name = "eval",
    .summary = "measure a model on rows whose targets are known",
    .synopsis = "MODEL DATA [--split SPLIT [--split-column NAME]] [OPTIONS]",
    .description =
        "Predicts the rows of DATA and compares with the targets in it: rmse, the root of the mean "
        "squared error; mae, the mean absolute error; r2, the share of the variance that is "
        "explained. rmse and mae are in the target's own units.\n\n"
        "Columns are found by name: their order does not matter, and others are ignored. --split "
        "measures only the rows of one split; the column is then --split-column, else the one that "
        "the model was trained with.\n\n"
        "--json prints rows, rmse, mae, r2 and split; with several targets these are averages, and "
        "each one's stand under \"targets\".",
    .arguments = {{"MODEL", "a file that 'tulle train' wrote"}, {"DATA", CLI_DATA_HELP}},
    .required = 2,
    .examples = "  tulle eval houses.tulle new.csv\n"
                "  tulle eval houses.tulle houses.csv --split test --json\n",
    .run = run,
};
