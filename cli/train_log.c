/* train_log.c - what `tulle train` says before and after the epochs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "files.h"
#include "report.h"
#include "train.h"
#include "train_settings.h"

/* --- Before --- */

/* Whether a column's levels are the names of splits, train among them. */
static int holds_splits(const struct tulle_levels *levels)
{
    enum tulle_split split;
    int has_train = 0;
    for (size_t i = 0; i < levels->count; i++) {
        if (tulle_split_from_name(levels->names[i], &split) != TULLE_OK)
            return 0;
        has_train |= split == TULLE_SPLIT_TRAIN;
    }
    return has_train && levels->count > 1;
}

/* When training has begun to look at it: an error in the table stands alone. */
static void log_data(struct cli_training *job)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(job->dataset);
    if (job->data_is_logged)
        return;
    job->data_is_logged = 1;
    char *names = cli_list_text(data->names, data->columns);
    cli_log(job->options, "%s: %zu row%s, %zu column%s (%s): %s",
            cli_source_name(job->options->arguments[0]), data->rows, data->rows == 1 ? "" : "s",
            data->columns, data->columns == 1 ? "" : "s",
            data->has_header ? "header found" : "no header", names);
    free(names);
    for (size_t i = 0; !job->options->split_column && i < data->columns; i++)
        if (holds_splits(&data->levels[i]))
            cli_log(job->options,
                    "note: column '%s' is an input here; for the split that it seems to hold, %s",
                    data->names[i],
                    job->options->command->bit == CLI_CV
                        ? "there is no use: leave it out with --drop"
                        : "give --split-column");
}

void cli_train_log_notice(struct cli_training *job, const char *text)
{
    log_data(job);
    cli_log(job->options, "note: %s", text);
}

static char *split_text(const struct cli_training *job)
{
    const struct cli_options *options = job->options;
    if (options->valid_file && options->split_column)
        return cli_format("valid rows from %s, test rows by column '%s'",
                          cli_source_name(options->valid_file), options->split_column);
    if (options->valid_file)
        return cli_format("valid rows from %s", cli_source_name(options->valid_file));
    if (options->split_column)
        return cli_format("split by column '%s'", options->split_column);
    return cli_format("split at random with seed %lu", (unsigned long)job->train.seed);
}

/* "adam, lr 0.001 (cosine), batch 256, loss mse" */
static char *optimizer_text(const struct tulle_model_info *info)
{
    const char *schedule = cli_setting_value(info->settings, info->setting_count, "schedule");
    const char *decay = cli_setting_value(info->settings, info->setting_count, "weight_decay");
    char *text =
        cli_format("%s, lr %g", tulle_optimizer_name(info->optimizer), info->learning_rate);
    if (strcmp(schedule, "constant") != 0)
        text = cli_append(text, " (%s)", schedule);
    if (strcmp(decay, "0") != 0)
        text = cli_append(text, ", weight decay %s", decay);
    return cli_append(text, ", batch %zu, loss %s", info->batch_size, tulle_loss_name(info->loss));
}

void cli_train_log_beginning(struct cli_training *job, const struct tulle_model_info *info)
{
    char *const texts[] = {split_text(job), cli_task_text(info), cli_inputs_text(info),
                           optimizer_text(info), cli_network_text(info)};
    log_data(job);
    cli_log(job->options, "%s: %zu train, %zu valid, %zu test", texts[0],
            info->rows[TULLE_SPLIT_TRAIN], info->rows[TULLE_SPLIT_VALID],
            info->rows[TULLE_SPLIT_TEST]);
    cli_log(job->options, "%s", texts[1]);
    cli_log(job->options, "%s", texts[2]);
    cli_log(job->options, "recipe %s: %s", tulle_recipe_name(job->train.recipe), texts[3]);
    cli_log(job->options, "network %s", texts[4]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

/* --- After --- */

static void log_epochs(const struct cli_options *options, const struct tulle_model_info *info)
{
    const char *patience = cli_setting_value(info->settings, info->setting_count, "patience");
    if (info->curve_count < info->epochs)
        cli_log(options, "ended after epoch %zu of %zu: no better valid loss in %s epoch%s",
                info->curve_count, info->epochs, patience, strcmp(patience, "1") == 0 ? "" : "s");
    if (info->best_epoch)
        cli_log(options, "best epoch %zu, with a valid loss of %.4g: the model is that epoch's",
                info->best_epoch, info->curve[info->best_epoch - 1].valid_loss);
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

static void log_notes(const struct cli_options *options, const struct tulle_model_info *info)
{
    for (size_t i = 0; info->task == TULLE_TASK_REGRESSION && i < info->target_count; i++) {
        const struct tulle_column *target = &info->targets[i];
        if (target->minimum == target->maximum)
            cli_log(options,
                    "note: target '%s' is constant in the training rows (%g): there is "
                    "nothing to learn",
                    target->name, target->minimum);
        else if (info->metrics[i].value[TULLE_METRIC_R2] < 0)
            cli_log(options,
                    "note: on its own training rows the network does no better than the "
                    "mean of '%s'; try a lower --lr or more --epochs",
                    target->name);
    }
}

void cli_train_log_end(const struct cli_training *job)
{
    const struct tulle_model_info *info = tulle_model_info(job->model);
    log_epochs(job->options, info);
    log_metrics(job->options, info);
    log_notes(job->options, info);
}

/* --- Going on --- */

char *cli_train_resume_text(const struct cli_options *options)
{
    char *text = cli_format("tulle train");
    for (int i = 0; i < options->argc; i++)
        text = cli_append_word(cli_append(text, " "), options->argv[i]);
    if (options->train.resume)
        return text;
    /* In front, since what follows "--" is no option. */
    char *resumed = cli_format("tulle train --resume%s", text + strlen("tulle train"));
    free(text);
    return resumed;
}
