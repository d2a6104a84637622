/* eval.c - `tulle eval`: how far a model's predictions are off on rows with known targets. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "report.h"

enum { MOST_CLASSES = 10 }; /* of a confusion matrix that people can read */

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

/* The model's columns and, as far as they are asked for, the split and the weights. A column is of
 * the kind that it was in training, whatever its first cell looks like, and what was missing there
 * is so here. */
static tulle_dataset *read_data(const struct cli_options *options,
                                const struct tulle_model_info *info, const char *split_column,
                                struct tulle_error *error)
{
    struct tulle_read_options read = TULLE_READ_OPTIONS;
    tulle_dataset *dataset;
    const char *weight = options->train.weight_column;
    size_t count = info->input_count + info->target_count;
    const char **columns = cli_allocate(count + 1, sizeof *columns);
    const char **kinds[2] = {cli_allocate(count + 1, sizeof *columns),
                             cli_allocate(count + 1, sizeof *columns)};
    size_t counts[2] = {0, 0};
    int is_input = 0; /* the weights too */
    for (size_t i = 0; i < count; i++) {
        const struct tulle_column *column =
            i < info->input_count ? &info->inputs[i] : &info->targets[i - info->input_count];
        int is_categorical = column->levels.names != NULL;
        columns[i] = column->name;
        kinds[is_categorical][counts[is_categorical]++] = column->name;
        is_input |= weight && strcmp(weight, column->name) == 0;
    }
    if (weight && !is_input) {
        columns[count++] = weight;
        kinds[0][counts[0]++] = weight;
    }
    read.columns = columns;
    read.column_count = count;
    read.split_column = split_column;
    read.numeric = kinds[0];
    read.numeric_count = counts[0];
    read.categorical = kinds[1];
    read.categorical_count = counts[1];
    read.missing = options->missing.items ? options->missing.items : info->missing;
    read.missing_count = options->missing.items ? options->missing.count : info->missing_count;
    tulle_dataset_read(options->arguments[1], &read, &dataset, error);
    free(columns);
    free(kinds[0]);
    free(kinds[1]);
    return dataset;
}

/* --- What was found --- */

/* Those of the model's training, even where they cannot be said of these rows. */
static unsigned known_metrics(const struct tulle_model_info *info,
                              const struct tulle_evaluation *evaluation)
{
    return cli_metrics_known(info->metrics, 3 * info->target_count) |
           cli_metrics_known(evaluation->metrics, info->target_count);
}

static void log_notes(const struct cli_options *options, const struct tulle_model_info *info,
                      const struct tulle_evaluation *evaluation)
{
    for (size_t i = 0; i < info->target_count; i++) {
        const double *values = evaluation->metrics[i].value;
        enum tulle_metric metric =
            info->task == TULLE_TASK_REGRESSION ? TULLE_METRIC_R2 : TULLE_METRIC_AUC;
        if (isnan(values[metric]) &&
            (metric == TULLE_METRIC_R2 || info->targets[i].levels.count == 2))
            cli_log(options, "note: '%s' is the same in all of these rows, so there is no %s",
                    info->targets[i].name, tulle_metric_name(metric));
    }
    if (info->weight_column && !options->train.weight_column)
        cli_log(options,
                "note: in training, rows counted as column '%s' says; here all count the "
                "same (--weight)",
                info->weight_column);
}

/* Sums of weights, or else numbers of rows. */
static json_t *confusion_json(const struct cli_options *options,
                              const struct tulle_model_info *info,
                              const struct tulle_evaluation *evaluation)
{
    json_t *object = json_object(), *names = json_array(), *matrix = json_array();
    for (size_t i = 0; i < evaluation->classes; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < evaluation->classes; j++) {
            double sum = evaluation->confusion[i * evaluation->classes + j];
            cli_json_append(row, options->train.weight_column ? cli_json_number(sum)
                                                              : cli_json_count((size_t)sum));
        }
        cli_json_append(names, cli_json_text(info->targets[0].levels.names[i]));
        cli_json_append(matrix, row);
    }
    cli_json_set(object, "classes", names);
    cli_json_set(object, "matrix", matrix);
    return object;
}

static int print_json(const struct cli_options *options, const struct tulle_model_info *info,
                      const struct tulle_evaluation *evaluation)
{
    json_t *object = cli_json_metrics(info, known_metrics(info, evaluation), evaluation->metrics);
    cli_json_set(object, "split", cli_json_text(tulle_split_name(options->split)));
    if (evaluation->confusion)
        cli_json_set(object, "confusion", confusion_json(options, info, evaluation));
    if (options->warn_range) {
        json_t *rows = json_object();
        for (size_t i = 0; i < info->input_count; i++)
            cli_json_set(rows, info->inputs[i].name, cli_json_count(evaluation->out_of_range[i]));
        cli_json_set(object, "out_of_range", rows);
    }
    return cli_json_print(object);
}

/* True classes downward, predicted ones across. */
static void print_confusion(const struct tulle_model_info *info,
                            const struct tulle_evaluation *evaluation)
{
    size_t classes = evaluation->classes;
    const char *const *names = info->targets[0].levels.names;
    struct cli_table table = {.columns = classes + 1, .left = 1};
    cli_table_add(&table, "is \\ predicted");
    for (size_t i = 0; i < classes; i++)
        cli_table_add(&table, "%s", names[i]);
    for (size_t i = 0; i < classes; i++) {
        cli_table_add(&table, "%s", names[i]);
        for (size_t j = 0; j < classes; j++)
            cli_table_add(&table, "%.10g", evaluation->confusion[i * classes + j]);
    }
    putchar('\n');
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
}

static int print_table(const struct cli_options *options, const struct tulle_model_info *info,
                       const struct tulle_evaluation *evaluation)
{
    unsigned known = known_metrics(info, evaluation);
    struct cli_table table = {0};
    cli_table_add_metrics_header(&table, known);
    for (size_t i = 0; i < info->target_count; i++)
        cli_table_add_metrics(&table, known, info->targets[i].name, options->split,
                              &evaluation->metrics[i]);
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    if (evaluation->confusion && evaluation->classes <= MOST_CLASSES)
        print_confusion(info, evaluation);
    return cli_close_stdout();
}

static int run(const struct cli_options *options)
{
    tulle_model *model = NULL;
    tulle_dataset *dataset = NULL;
    struct tulle_evaluation *evaluation = NULL;
    const struct tulle_model_info *info;
    const char *split_column;
    struct tulle_error error;
    int status;

    if (options->split_column && !cli_options_given(options, "split"))
        return cli_usage_error("--split-column needs --split, to say which rows to measure");
    if (tulle_model_load(options->arguments[0], &model, &error) != TULLE_OK)
        return cli_fail(options, &error);
    info = tulle_model_info(model);
    status = choose_split_column(options, info, &split_column);
    if (status != 0)
        goto out;
    dataset = read_data(options, info, split_column, &error);
    if (!dataset || tulle_evaluate(model, dataset, options->split, options->train.weight_column,
                                   &evaluation, &error) != TULLE_OK) {
        status = cli_fail(options, &error);
        goto out;
    }
    log_notes(options, info, evaluation);
    if (options->warn_range)
        cli_log_out_of_range(options, info, evaluation->out_of_range);
    status = (options->json ? print_json : print_table)(options, info, evaluation);
out:
    tulle_evaluation_free(evaluation);
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
        "Predicts the rows of DATA and compares with the targets in it. For up to 10 "
        "classes a table says how many rows of each are predicted as which.\n\n"
        "Columns are found by name: their order does not matter, and others are ignored. Rows "
        "whose target is missing are left out. --split measures only the rows of one split; the "
        "column is then --split-column, else the one that the model was trained with.\n\n"
        "--json prints rows, the metrics and split; for classes also confusion, with the classes "
        "and a matrix of rows by true and predicted class. With several targets the metrics are "
        "averages, and each one's stand under \"targets\".",
    .arguments = {{"MODEL", "a file that 'tulle train' wrote"}, {"DATA", CLI_DATA_HELP}},
    .required = 2,
    .examples = "  tulle eval houses.tulle new.csv\n"
                "  tulle eval houses.tulle houses.csv --split test --json\n"
                "  tulle eval houses.tulle new.csv --warn-range\n",
    .run = run,
};
