/* train_options.c - whether the options of `tulle train` fit together, and what they mean to the
 * library. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "interrupt.h"
#include "report.h"
#include "train.h"
#include "train_settings.h"

/* --- Columns and rows --- */

int cli_is_among(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 1;
    return 0;
}

static int is_listed(const struct cli_names *names, const char *name)
{
    return cli_is_among(names->items, names->count, name);
}

/* A column has one part to play. */
static int check_columns(const struct cli_options *options)
{
    const char *split = options->split_column, *weight = options->train.weight_column;
    if (options->target.count == 0)
        return cli_usage_error("--target is missing: the column to predict, --target NAME");
    for (size_t i = 0; i < options->target.count; i++) {
        const char *target = options->target.items[i];
        if (is_listed(&options->drop, target))
            return cli_usage_error("--drop: '%s' is also a --target", target);
        if (split && strcmp(split, target) == 0)
            return cli_usage_error("--split-column: '%s' is also a --target", target);
        if (weight && strcmp(weight, target) == 0)
            return cli_usage_error("--weight: '%s' is also a --target", target);
    }
    if (split && is_listed(&options->drop, split))
        return cli_usage_error("--drop: '%s' is also the --split-column", split);
    if (weight && is_listed(&options->drop, weight))
        return cli_usage_error("--drop: '%s' is also the --weight", weight);
    if (split && weight && strcmp(split, weight) == 0)
        return cli_usage_error("--split-column: '%s' is also the --weight", split);
    for (size_t i = 0; i < options->numeric.count; i++)
        if (is_listed(&options->categorical, options->numeric.items[i]))
            return cli_usage_error("--numeric: '%s' is also --categorical",
                                   options->numeric.items[i]);
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
    if (options->valid_file && given)
        return cli_usage_error("%s and --valid-file exclude each other: with a file of valid rows "
                               "no others are held out",
                               given);
    double sum = options->train.valid_fraction + options->train.test_fraction;
    if (!options->split_column && !options->valid_file && sum >= 1)
        return cli_usage_error("--valid and --test: their sum is %g, which leaves no rows for "
                               "training",
                               sum);
    return 0;
}

/* --- Files --- */

/* Each file that is written must be another one than all before it. (Only the checkpoint and the
 * one before may be: a process that is killed as it keeps the one leaves two names of it.) */
static int check_distinct(const struct cli_training *job, const char *previous)
{
    const struct cli_options *options = job->options;
    const struct {
        const char *option, *path, *noun;
    } files[] = {{"DATA", options->arguments[0], "the data itself"},
                 {"--valid-file", options->valid_file, "the --valid-file itself"},
                 {"--output", job->output, "the --output itself"},
                 {"--checkpoint", options->train.checkpoint, "the --checkpoint itself"},
                 {"--checkpoint", previous, "for the checkpoint before"},
                 {"--log", options->log, NULL}};
    enum { OUTPUT = 2, CHECKPOINT, PREVIOUS, COUNT = sizeof files / sizeof files[0] };
    for (size_t i = OUTPUT; i < COUNT; i++) {
        if (files[i].path && i >= CHECKPOINT && strcmp(files[i].path, "-") == 0)
            return cli_usage_error("%s: expected the name of a file, got '-'", files[i].option);
        for (size_t j = 0; files[i].path && j < i; j++)
            if (files[j].path && !(i == PREVIOUS && j == CHECKPOINT) &&
                cli_same_path(files[i].path, files[j].path))
                return cli_usage_error("%s: '%s'%s is %s", files[i].option, files[i].path,
                                       i == PREVIOUS ? ", for the checkpoint before," : "",
                                       files[j].noun);
    }
    return 0;
}

static int check_files(const struct cli_training *job)
{
    const struct cli_options *options = job->options;
    const char *checkpoint = options->train.checkpoint;
    if (options->valid_file && strcmp(options->valid_file, "-") == 0 &&
        strcmp(options->arguments[0], "-") == 0)
        return cli_usage_error("--valid-file: stdin is the data itself");
    if (options->json && job->output && strcmp(job->output, "-") == 0)
        return cli_usage_error("--output: stdout cannot take both the model and --json");
    char *previous = checkpoint ? cli_previous_path(checkpoint) : NULL;
    int status = check_distinct(job, previous);
    free(previous);
    return status;
}

/* Nobody is to lose a run by leaving out a word. What is there need not be a checkpoint, so that
 * nobody is told to remove it. */
static int check_checkpoint(const struct cli_options *options)
{
    const char *path = options->train.checkpoint;
    if (!path) {
        static const char *const others[] = {"resume", "checkpoint-seconds", "checkpoint-steps"};
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
            if (cli_options_given(options, others[i]))
                return cli_usage_error("--%s needs --checkpoint FILE", others[i]);
        return 0;
    }
    if (cli_options_given(options, "checkpoint-seconds") && options->train.checkpoint_steps > 0)
        return cli_usage_error("--checkpoint-seconds and --checkpoint-steps exclude each other");
    if (cli_is_special(path))
        return cli_usage_error("--checkpoint: '%s' is no regular file", path);
    char *previous = cli_previous_path(path);
    const char *found = access(path, F_OK) == 0       ? path
                        : access(previous, F_OK) == 0 ? previous
                                                      : NULL;
    int status = 0;
    if (found && !options->train.resume)
        status = cli_usage_error("--checkpoint: '%s' is there already; go on from it with "
                                 "--resume, or name another file",
                                 found);
    free(previous);
    return status;
}

/* Making the temporary files and removing them again is not to be cut short. */
static int check_paths(struct cli_training *job)
{
    struct tulle_error error;
    int status = 0;
    cli_interrupt_hold(CLI_TIDY_SECONDS);
    if ((job->output && tulle_model_check_path(job->output, &error) != TULLE_OK) ||
        (job->train.checkpoint &&
         tulle_model_check_path(job->train.checkpoint, &error) != TULLE_OK))
        status = cli_fail(job->options, &error);
    cli_interrupt_release();
    return status == 0 && job->options->log ? cli_epoch_log_open(&job->epochs, job->options->log)
                                            : status;
}

/* --- All of it --- */

void cli_train_take_lists(struct cli_training *job)
{
    const struct cli_options *options = job->options;
    struct tulle_train_options *train = &job->train;
    train->targets = options->target.items;
    train->target_count = options->target.count;
    train->hidden = options->hidden.items;
    train->hidden_count = options->hidden.count;
    train->quantiles = options->quantiles.items;
    train->quantile_count = options->quantiles.count;
    train->balance_classes = options->class_weights.balanced;
    train->class_names = options->class_weights.names.items;
    train->class_weights = options->class_weights.weights;
    train->class_weight_count = options->class_weights.names.count;
}

int cli_train_prepare(struct cli_training *job)
{
    const struct cli_options *options = job->options;
    cli_train_take_lists(job);
    int status = check_columns(options);
    if (status == 0)
        status = check_fractions(options);
    if (status == 0)
        status = cli_settings_check(options);
    if (status == 0)
        status = check_files(job);
    if (status == 0)
        status = check_checkpoint(options);
    return status == 0 ? check_paths(job) : status;
}
