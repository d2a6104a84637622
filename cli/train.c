/* train.c - `tulle train`: a table in, a model file out. */
#include "train.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "interrupt.h"
#include "report.h"

static int on_progress(const struct tulle_progress *now, void *user)
{
    struct cli_training *job = user;
    if (now->trial > 0) {
        cli_progress_show_trial(&job->progress, now);
        return cli_interrupted();
    }
    if (job->progress.last.epoch == 0) {
        cli_progress_clear(&job->progress); /* of trials */
        cli_train_log_beginning(job, now->model);
        cli_epoch_log_begin(&job->epochs, now->epoch);
    }
    if (now->epoch_is_complete)
        cli_epoch_log_add(&job->epochs, now, cli_progress_seconds(&job->progress));
    cli_progress_step(&job->progress, now);
    return cli_interrupted();
}

static void on_notice(const char *text, void *user)
{
    struct cli_training *job = user;
    cli_progress_abandon(&job->progress);
    cli_train_log_notice(job, text);
}

static int print_json(const struct cli_training *job, double seconds)
{
    const struct tulle_model_info *info = tulle_model_info(job->model);
    json_t *object = json_object();
    cli_json_set(object, "model", cli_json_text(job->output));
    cli_json_set(object, "task", cli_json_text(tulle_task_name(info->task)));
    cli_json_set(object, "rows", cli_json_split_rows(info->rows));
    cli_json_set(object, "epochs", cli_json_count(info->curve_count));
    cli_json_set(object, "best_epoch", cli_json_count_or_null(info->best_epoch));
    cli_json_set(object, "seconds", cli_json_number(seconds));
    cli_json_set(object, "metrics", cli_json_split_metrics(info));
    cli_json_set(object, "network", cli_json_network(info));
    return cli_json_print(object);
}

/* Says how to go on, if there is a checkpoint to go on from; `why` comes first. */
static int advise_resuming(const struct cli_training *job, const char *why)
{
    if (!job->train.checkpoint || access(job->train.checkpoint, R_OK) != 0)
        return 0;
    char *resume = cli_train_resume_text(job->options);
    cli_failure("%sgo on with: %s", why, resume);
    free(resume);
    return 1;
}

static int end_interrupted(const struct cli_training *job)
{
    if (!advise_resuming(job, "interrupted; "))
        cli_failure("interrupted; no file was written");
    return 128 + cli_interrupted();
}

/* What differs from the checkpoint is a member of the library's options; here it is an option. The
 * hash of the rest says nothing to people. */
static void name_option(struct tulle_error *error)
{
    static const char before[] = "the checkpoint is of another run: ", hash[] = ", as a hash is ";
    char *member = error->message + sizeof before - 1, *text;
    if (strncmp(error->message, before, sizeof before - 1) != 0)
        return;
    size_t length = strcspn(member, " ");
    int is_member = strncmp(member + length, " is ", strlen(" is ")) == 0;
    const char *option = is_member ? cli_option_of_member(member, length) : NULL;
    const char *hashed = strstr(member, hash);
    if (hashed)
        text = cli_format("it had other %.*s", (int)(hashed - member), member);
    else
        text = option ? cli_format("--%s%s", option, member + length) : cli_format("%s", member);
    snprintf(member, sizeof error->message - (sizeof before - 1), "%s", text);
    free(text);
}

/* Says which options to turn: the library knows them by other names. */
static int fail_training(struct cli_training *job, struct tulle_error *error)
{
    const char *hint = error->code == TULLE_ERROR_MEMORY     ? "; try a smaller --hidden or --batch"
                       : error->code != TULLE_ERROR_DIVERGED ? ""
                       : job->train.checkpoint               ? " (--lr, and another --checkpoint)"
                                                             : " (--lr)";
    size_t length = strlen(error->message);
    cli_progress_abandon(&job->progress);
    if (error->code == TULLE_ERROR_INTERRUPTED)
        return end_interrupted(job);
    snprintf(error->message + length, sizeof error->message - length, "%s", hint);
    name_option(error);
    cli_print_error(job->options,
                    error); /* even if there was a signal: the checkpoint could not be written */
    /* What diverges does so again. */
    if (job->progress.last.epoch > 0 && error->code != TULLE_ERROR_DIVERGED)
        advise_resuming(job, "");
    return cli_interrupted()                     ? 128 + cli_interrupted()
           : error->code == TULLE_ERROR_ARGUMENT ? CLI_USAGE
                                                 : CLI_FAILURE;
}

/* Returns 0 or the exit status. */
static int save(struct cli_training *job)
{
    struct tulle_error error;
    if (cli_interrupted())
        return end_interrupted(job);
    if (tulle_model_save(job->model, job->output, &error) != TULLE_OK) {
        int status = cli_fail(job->options, &error);
        advise_resuming(job, "");
        return status;
    }
    cli_log(job->options, "wrote %s",
            strcmp(job->output, "-") == 0 ? "the model to stdout" : job->output);
    return 0;
}

static int train(struct cli_training *job)
{
    struct tulle_error error;
    cli_interrupt_hold(job->train.checkpoint ? CLI_CHECKPOINT_SECONDS : CLI_TIDY_SECONDS);
    cli_progress_init(&job->progress, job->options);
    job->train.progress = on_progress;
    job->train.poll = cli_poll;
    job->train.notice = on_notice;
    job->train.user = job;
    if (tulle_train(job->dataset, &job->train, &job->model, &error) != TULLE_OK)
        return fail_training(job, &error);
    double seconds = cli_progress_seconds(&job->progress);
    if (job->progress.last.epoch == 0)
        cli_train_log_beginning(job, tulle_model_info(job->model));
    cli_progress_finish(&job->progress);
    cli_train_log_end(job);
    int status = save(job);
    if (status == 0 && job->options->json) {
        status = print_json(job, seconds);
        if (status != 0)
            cli_failure("only the JSON is missing: the model was written to %s", job->output);
    }
    return status;
}

static int run(const struct cli_options *options)
{
    struct cli_training job = {.options = options, .train = options->train};
    job.output =
        options->output ? cli_format("%s", options->output) : cli_model_path(options->arguments[0]);
    int status = cli_train_prepare(&job);
    if (status == 0)
        status = cli_train_read(&job);
    if (status == 0)
        status = train(&job);
    int logged = cli_epoch_log_close(&job.epochs);
    tulle_model_free(job.model);
    tulle_dataset_free(job.valid);
    tulle_dataset_free(job.dataset);
    free(job.output);
    return status ? status : logged;
}

const struct cli_command cli_train = {
    .bit = CLI_TRAIN,
    .name = "train",
    .summary = "train a network on a table and write it to a model file",
    .synopsis = "DATA --target NAME[,NAME...] [-o MODEL] [OPTIONS]",
    .description =
        "Trains a network to predict the target columns of DATA from all the others, measures it "
        "and writes it to a model file, which holds all that predicting from raw rows needs.\n\n"
        "The file is named by --output, else after the data: data/houses.csv.gz makes "
        "houses.tulle in the current folder, - makes model.tulle.\n\n"
        "The rows are split in three: the network learns from the train rows alone; the valid rows "
        "show during training how it does on rows it has not seen, and choose the epoch that the "
        "model is taken from; the test rows are measured once, at the end. Rows are split by "
        "--split-column, else at random by --valid and --test.\n\n"
        "All settings are chosen by --recipe, and each may be given instead. The default, tabular, "
        "is meant to be good on any table as it is; ensemble takes two to three times as long, and "
        "predicts a "
        "little better on most.\n\n"
        "A column of text is categorical. A missing number enters as the mean (for robust and "
        "quantile scaling the median), and where training has seen any, a further input says that "
        "it was missing; a missing category is then one more level. A level that training has not "
        "seen is a missing one. Inputs that are constant or the same as another are left out, and "
        "so are text that differs in every row and rows without a target.\n\n"
        "The losses in the log are of the standardised target. The metrics are in the target's "
        "own units; those that belong to the task are shown. With several targets, --json gives "
        "their averages, and each one's under \"targets\".\n\n"
        "With --checkpoint a run can be stopped at any time, by a signal or a power cut, and goes "
        "on with --resume; the data and all other options must be the same.",
    .arguments = {{"DATA", CLI_DATA_HELP}},
    .required = 1,
    .examples = "  tulle train houses.csv --target price\n"
                "  tulle train houses.csv.gz --target price,rent --drop id --test 0.2 -o h.tulle\n"
                "  tulle train houses.csv --target price --recipe ensemble --epochs 64\n"
                "  tulle train houses.csv --target price --split-column split --recipe plain \\\n"
                "        --hidden 256,256 --schedule cosine --json > result.json\n"
                "  tulle train irises.csv --target species --patience 20 --log epochs.jsonl\n"
                "  tulle train houses.csv --target price --checkpoint houses.ckpt --resume\n",
    .run = run,
};
