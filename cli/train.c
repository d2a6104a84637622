/* train.c - `tulle train`: a table in, a model file out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "interrupt.h"
#include "options.h"
#include "progress.h"
#include "report.h"

struct job {
    const struct cli_options *options;
    struct tulle_train_options train;
    char *output;
    tulle_dataset *dataset;
    tulle_model *model;
};

/* --- Options that must fit together --- */

static const char *find_name(const struct cli_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->items[i], name) == 0)
            return names->items[i];
    }
    return NULL;
}

static int check_columns(const struct cli_options *options)
{
    const char *split = options->split_column;
    if (options->target.count == 0)
        return cli_usage_error("--target is missing: the column to predict, --target NAME");
    for (size_t i = 0; i < options->target.count; i++) {
        const char *target = options->target.items[i];
        if (find_name(&options->drop, target))
            return cli_usage_error("--drop: '%s' is also a --target", target);
        if (split && strcmp(split, target) == 0)
            return cli_usage_error("--split-column: '%s' is also a --target", target);
    }
    if (split && find_name(&options->drop, split))
        return cli_usage_error("--drop: '%s' is also the --split-column", split);
    return 0;
}

static int check_fractions(const struct cli_options *options)
{
    const char *given = cli_options_given(options, "valid")  ? "--valid"
                        : cli_options_given(options, "test") ? "--test"
                                                             : NULL;
    if (options->split_column && given)
        return cli_usage_error("%s and --split-column exclude each other: rows are split either "
                               "at random or by a column",
                               given);
    double sum = options->train.valid_fraction + options->train.test_fraction;
    if (!options->split_column && sum >= 1)
        return cli_usage_error("--valid and --test: their sum is %g, which leaves no rows for "
                               "training",
                               sum);
    return 0;
}

static int check_output(const struct job *job)
{
    if (cli_same_file(job->options->arguments[0], job->output))
        return cli_usage_error("--output: '%s' is the data itself", job->output);
    if (job->options->json && strcmp(job->output, "-") == 0)
        return cli_usage_error("--output: stdout cannot take both the model and --json");
    return 0;
}

/* --- The log --- */

/* "a, b, c and 5 more"; to be freed. */
static char *list_text(const char *const *names, size_t count)
{
    enum { SHOWN = 10 };
    char *text = cli_format("%s", "");
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        char *longer = cli_format("%s%s%s", text, i ? ", " : "", names[i]);
        free(text);
        text = longer;
    }
    if (count <= SHOWN)
        return text;
    char *longer = cli_format("%s and %zu more", text, count - SHOWN);
    free(text);
    return longer;
}

static void log_split(const struct job *job, const struct tulle_dataset_info *data)
{
    size_t rows[3] = {0, 0, 0};
    if (!data->split) {
        cli_log(job->options, "split at random: %g valid, %g test, seed %lu",
                job->train.valid_fraction, job->train.test_fraction,
                (unsigned long)job->train.seed);
        return;
    }
    for (size_t i = 0; i < data->rows; i++)
        rows[data->split[i]]++;
    cli_log(job->options, "split by column '%s': %zu train, %zu valid, %zu test",
            data->split_column, rows[TULLE_SPLIT_TRAIN], rows[TULLE_SPLIT_VALID],
            rows[TULLE_SPLIT_TEST]);
}

static void log_network(const struct job *job, size_t inputs)
{
    size_t count = job->train.hidden_count + 1;
    struct tulle_layer *layers = cli_allocate(count, sizeof *layers);
    for (size_t i = 0; i < count - 1; i++) {
        layers[i].units = job->train.hidden[i];
        layers[i].activation = job->train.activation;
    }
    layers[count - 1].units = job->train.target_count;
    layers[count - 1].activation = TULLE_ACTIVATION_IDENTITY;
    char *text = cli_network_text(inputs, layers, count, job->train.precision);
    cli_log(job->options, "network %s", text);
    free(text);
    free(layers);
}

static void log_beginning(void *user)
{
    const struct job *job = user;
    const struct tulle_dataset_info *data = tulle_dataset_info(job->dataset);
    char *names = list_text(data->names, data->columns);
    cli_log(job->options, "%s: %zu rows, %zu columns (%s): %s",
            cli_source_name(job->options->arguments[0]), data->rows, data->columns,
            data->has_header ? "header found" : "no header", names);
    free(names);
    log_split(job, data);
    log_network(job, data->columns - job->train.target_count);
}

static void log_metrics(const struct cli_options *options, const struct tulle_model_info *info)
{
    if (options->quiet)
        return;
    struct cli_table table = {0};
    cli_table_add_model_metrics(&table, info);
    fputc('\n', stderr);
    cli_table_print(stderr, &table, "  ");
    fputc('\n', stderr);
    cli_table_free(&table);
}

static void note_constant_inputs(const struct cli_options *options,
                                 const struct tulle_model_info *info)
{
    size_t count = 0;
    const char **names = cli_allocate(info->input_count, sizeof *names);
    for (size_t i = 0; i < info->input_count; i++) {
        if (info->inputs[i].minimum == info->inputs[i].maximum)
            names[count++] = info->inputs[i].name;
    }
    char *list = list_text(names, count);
    if (count)
        cli_log(options, "note: constant in the training rows, so of no use as an input: %s", list);
    free(list);
    free(names);
}

static void log_notes(const struct cli_options *options, const struct tulle_model_info *info)
{
    note_constant_inputs(options, info);
    for (size_t i = 0; i < info->target_count; i++) {
        const struct tulle_column *target = &info->targets[i];
        if (target->minimum == target->maximum)
            cli_log(options,
                    "note: target '%s' is constant in the training rows (%g): there is "
                    "nothing to learn",
                    target->name, target->minimum);
        else if (info->metrics[i].r2 < 0)
            cli_log(options,
                    "note: on its own training rows the network does no better than the "
                    "mean of '%s'; try a lower --lr or more --epochs",
                    target->name);
    }
}

/* --- The work --- */

/* Of the standardised targets, as training measures it. */
static double final_valid_loss(const struct tulle_model_info *info)
{
    const struct tulle_metrics *valid = info->metrics + TULLE_SPLIT_VALID * info->target_count;
    double sum = 0;
    for (size_t i = 0; i < info->target_count; i++) {
        double scaled = valid[i].rmse / info->targets[i].scale;
        sum += scaled * scaled;
    }
    return valid[0].rows ? sum / (double)info->target_count : NAN;
}

static int print_json(const struct job *job, double seconds)
{
    const struct tulle_model_info *info = tulle_model_info(job->model);
    json_t *object = json_object();
    cli_json_set(object, "model", cli_json_text(job->output));
    cli_json_set(object, "rows", cli_json_split_rows(info));
    cli_json_set(object, "epochs", cli_json_count(info->epochs));
    cli_json_set(object, "seconds", cli_json_number(seconds));
    cli_json_set(object, "metrics", cli_json_split_metrics(info));
    cli_json_set(object, "network", cli_json_network(info));
    return cli_json_print(object);
}

/* Making the temporary file and removing it again is not to be cut short. */
static int check_path(const struct job *job)
{
    struct tulle_error error;
    cli_interrupt_hold();
    int status = 0;
    if (tulle_model_check_path(job->output, &error) != TULLE_OK)
        status = cli_fail(&error);
    cli_interrupt_release();
    return status;
}

static int read_data(struct job *job)
{
    struct tulle_read_options read = TULLE_READ_OPTIONS;
    struct tulle_error error;
    read.drop = job->options->drop.items;
    read.drop_count = job->options->drop.count;
    read.split_column = job->options->split_column;
    if (tulle_dataset_read(job->options->arguments[0], &read, &job->dataset, &error) != TULLE_OK)
        return cli_fail(&error);
    return 0;
}

/* Says which options to turn: the library knows them by other names. */
static int fail_training(struct tulle_error *error)
{
    const char *hint = error->code == TULLE_ERROR_DIVERGED ? " (--lr)"
                       : error->code == TULLE_ERROR_MEMORY ? "; try a smaller --hidden or --batch"
                                                           : "";
    size_t length = strlen(error->message);
    snprintf(error->message + length, sizeof error->message - length, "%s", hint);
    return cli_fail(error);
}

static int train(struct job *job)
{
    struct cli_progress progress;
    struct tulle_error error;
    cli_interrupt_hold();
    cli_progress_init(&progress, job->options, log_beginning, job);
    job->train.progress = cli_progress_step;
    job->train.user = &progress;
    if (tulle_train(job->dataset, &job->train, &job->model, &error) != TULLE_OK) {
        cli_progress_abandon(&progress);
        return fail_training(&error);
    }
    double seconds = cli_progress_seconds(&progress);
    const struct tulle_model_info *info = tulle_model_info(job->model);
    cli_progress_finish(&progress, final_valid_loss(info));
    log_metrics(job->options, info);
    log_notes(job->options, info);
    if (cli_interrupted() || tulle_model_save(job->model, job->output, &error) != TULLE_OK)
        return cli_fail(&error);
    cli_log(job->options, "wrote %s",
            strcmp(job->output, "-") == 0 ? "the model to stdout" : job->output);
    int status = job->options->json ? print_json(job, seconds) : 0;
    if (status != 0)
        cli_failure("only the JSON is missing: the model was written to %s", job->output);
    return status;
}

static int run(const struct cli_options *options)
{
    struct job job = {.options = options, .train = options->train};
    job.train.targets = options->target.items;
    job.train.target_count = options->target.count;
    job.train.hidden = options->hidden.items;
    job.train.hidden_count = options->hidden.count;
    job.output =
        options->output ? cli_format("%s", options->output) : cli_model_path(options->arguments[0]);

    int status = check_columns(options);
    if (status == 0)
        status = check_fractions(options);
    if (status == 0)
        status = check_output(&job);
    if (status == 0)
        status = check_path(&job);
    if (status == 0)
        status = read_data(&job);
    if (status == 0)
        status = train(&job);
    tulle_model_free(job.model);
    tulle_dataset_free(job.dataset);
    free(job.output);
    return status;
}

const struct cli_command cli_train = {
    .bit = CLI_TRAIN,
    .name = "train",
    .summary = "train a network on a table and write it to a model file",
    .synopsis = "DATA --target NAME[,NAME...] [-o MODEL] [OPTIONS]",
    .description =
        "Trains a network to predict the target columns of DATA from all the others, measures it "
        "and writes it to a model file, which holds all that predicting from raw rows needs. "
        "Every cell that is used must be a finite number.\n\n"
        "The file is named by --output, else after the data: data/houses.csv.gz makes "
        "houses.tulle in the current folder, - makes model.tulle.\n\n"
        "The rows are split in three: the network learns from the train rows alone; the valid rows "
        "show during training how it does on rows it has not seen; the test rows are measured "
        "once, "
        "at the end. Rows are split by --split-column, else at random by --valid and --test.\n\n"
        "The losses in the log are of the standardised target. The metrics are in the target's "
        "own units: rmse, the root of the mean squared error; mae, the mean absolute error; r2, "
        "the "
        "share of the variance that is explained (1 is perfect, 0 no better than the mean; none "
        "where the target is constant). With several targets, --json gives their averages, and "
        "each one's under \"targets\".",
    .arguments = {{"DATA", CLI_DATA_HELP}},
    .required = 1,
    .examples = "  tulle train houses.csv --target price\n"
                "  tulle train houses.csv.gz --target price,rent --drop id --test 0.2 -o h.tulle\n"
                "  tulle train houses.csv --target price --split-column split --hidden 256,256 \\\n"
                "        --lr 0.01 --epochs 200 --json > result.json\n",
    .run = run,
};
