/* tune.c - `tulle tune`: random search for better settings than the recipe's. */
#include "tune.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "interrupt.h"
#include "report.h"
#include "train_settings.h"
#include "trials.h"

/* --- Settings --- */

/* Trials up to this one. What they draw depends on their number alone, and on the seed: neither on
 * what other options are given nor on which thread is first. */
static struct cli_trial *make_trials(struct cli_tune *tune, size_t index)
{
    while (tune->count <= index) {
        struct cli_trial *trial = cli_allocate(1, sizeof *trial);
        trial->tune = tune;
        trial->index = tune->count;
        trial->rung = CLI_RUNGS;
        for (size_t i = 0; i < CLI_RUNGS; i++)
            trial->losses[i] = NAN;
        for (size_t i = 0; i < CLI_DIMENSIONS; i++)
            trial->draws[i] = tulle_rng_uniform(&tune->rng);
        if (tune->count == tune->capacity) {
            size_t capacity = tune->capacity ? 2 * tune->capacity : 64;
            struct cli_trial **trials = cli_allocate(capacity, sizeof *trials);
            if (tune->count)
                memcpy(trials, tune->trials, tune->count * sizeof *trials);
            free(tune->trials);
            tune->trials = trials;
            tune->capacity = capacity;
        }
        tune->trials[tune->count++] = trial;
    }
    return tune->trials[index];
}

int cli_trial_takes(const struct cli_trial *trial, size_t index)
{
    const char *needed = cli_search_space[index].needs;
    for (size_t i = 0; needed && i < CLI_DIMENSIONS; i++)
        if (strcmp(cli_search_space[i].option, needed) == 0 && trial->values[i] &&
            cli_search_is_off(trial->values[i]))
            return 0;
    return trial->tune->is_searched[index];
}

/* The first trial is the recipe itself. */
static void choose_values(struct cli_trial *trial)
{
    for (size_t i = 0; trial->index > 0 && i < CLI_DIMENSIONS; i++)
        if (cli_trial_takes(trial, i))
            trial->values[i] =
                cli_search_value(&cli_search_space[i], trial->draws[i], trial->tune->bases[i]);
}

char *cli_trial_options(const struct cli_trial *trial)
{
    char *text = cli_format("%s", "");
    for (size_t i = 0; i < CLI_DIMENSIONS; i++)
        if (trial->values[i])
            text = cli_append(text, "%s--%s %s", *text ? " " : "", cli_search_space[i].option,
                              trial->values[i]);
    return text;
}

/* The trial's options: those of the command line, with its own in front, as after "--" there are
 * none. Returns 0 or the exit status; to be freed in any case. */
static int parse_trial(const struct cli_trial *trial, struct cli_options *options)
{
    const struct cli_options *given = trial->tune->job.options;
    char *own[CLI_DIMENSIONS];
    char **words = cli_allocate(CLI_DIMENSIONS + (size_t)given->argc, sizeof *words);
    int count = 0;
    for (size_t i = 0; i < CLI_DIMENSIONS; i++)
        if (trial->values[i])
            words[count++] = cli_format("--%s=%s", cli_search_space[i].option, trial->values[i]);
    memcpy(own, words, (size_t)count * sizeof *own);
    memcpy(words + count, given->argv, (size_t)given->argc * sizeof *words);
    cli_options_init(options, given->command);
    int status = cli_options_parse(options, count + given->argc, words);
    for (int i = 0; i < count; i++)
        free(own[i]);
    free(words);
    return status;
}

/* --- A trial --- */

static const char *setting_of(const struct tulle_model_info *info, const char *option)
{
    return cli_setting_value(info->settings, info->setting_count,
                             cli_option_member(cli_option_find(option)));
}

/* With lock. */
static void fail(struct cli_tune *tune, const struct cli_trial *trial,
                 const struct tulle_error *error)
{
    if (!atomic_exchange(&tune->has_failed, 1)) {
        tune->failed = trial->index;
        tune->error = *error;
    }
}

/* What the recipe says of an option, and whether it can be searched then. */
static void take_base(struct cli_tune *tune, size_t index, const struct tulle_model_info *info)
{
    const struct cli_dimension *dimension = &cli_search_space[index];
    /* A batch of the recipe may be "auto". */
    tune->bases[index] = strcmp(dimension->option, "batch") == 0
                             ? cli_format("%zu", info->batch_size)
                             : cli_format("%s", setting_of(info, dimension->option));
    tune->is_searched[index] &= cli_search_applies(dimension, tune->bases[index]);
    if (dimension->needs)
        tune->is_searched[index] &= !cli_search_is_off(setting_of(info, dimension->needs));
    tune->is_searched[index] &= !cli_option_is_idle(info, dimension->option);
}

/* When the first trial has begun: what the recipe comes to for this table. */
static void begin(struct cli_tune *tune, const struct tulle_progress *now)
{
    static const struct tulle_error no_valid_rows = {
        .code = TULLE_ERROR_ARGUMENT,
        .message = "there are no valid rows to compare trials by; --valid or the split column must "
                   "leave some"};
    const struct tulle_model_info *info = now->model;
    cli_train_log_beginning(&tune->job, info);
    if (info->rows[TULLE_SPLIT_VALID] == 0)
        fail(tune, tune->trials[0], &no_valid_rows);
    tune->epochs = now->epochs;
    for (size_t i = 0; i < CLI_DIMENSIONS; i++)
        take_base(tune, i, info);
    tune->is_known = 1;
    tune->began = cli_progress_seconds(&tune->job.progress);
    pthread_cond_broadcast(&tune->has_begun);
}

/* By the first trial, which is always finished; and if no time is set, as if all others took as
 * long. */
static double seconds_left(const struct cli_tune *tune)
{
    const struct cli_trial *first = tune->trials[0];
    int is_at_first = first->outcome == CLI_RUNNING;
    double seconds = cli_progress_seconds(&tune->job.progress), epochs = 0;
    double spent = seconds - tune->began;
    if (is_at_first && first->epochs == 0)
        return NAN;
    if (tune->seconds > 0) {
        double left = tune->seconds - seconds;
        double of_first =
            is_at_first ? spent * ((double)tune->epochs / (double)first->epochs - 1) : 0;
        return fmax(fmax(left, of_first), 0);
    }
    for (size_t i = 0; i < tune->count; i++)
        epochs += (double)(tune->trials[i]->outcome == CLI_RUNNING ? tune->trials[i]->epochs
                                                                   : tune->epochs);
    return spent * ((double)tune->most * (double)tune->epochs / epochs - 1);
}

static void draw(struct cli_tune *tune)
{
    size_t over = 0;
    for (size_t i = 0; i < tune->count; i++)
        over += tune->trials[i]->outcome != CLI_RUNNING;
    char *text = cli_format("%zu trial%s done", over, over == 1 ? "" : "s");
    if (tune->best)
        text = cli_append(text, ", best valid loss %.4g", tune->best->loss);
    cli_progress_show(&tune->job.progress, text, seconds_left(tune));
    free(text);
}

static void record_epoch(struct cli_trial *trial, const struct tulle_progress *now)
{
    trial->epochs = now->epoch;
    for (size_t i = 0; i < CLI_RUNGS; i++) {
        if (cli_rung_epoch(i, now->epochs) != now->epoch)
            continue;
        trial->losses[i] = now->best_epoch ? now->best_loss : INFINITY;
        trial->reached = i + 1;
        cli_rule_decide(trial->tune);
    }
}

static int is_out_of_time(const struct cli_tune *tune)
{
    return tune->seconds > 0 && cli_progress_seconds(&tune->job.progress) >= tune->seconds;
}

static int on_progress(const struct tulle_progress *now, void *user)
{
    struct cli_trial *trial = user;
    struct cli_tune *tune = trial->tune;
    int is_first = trial->index == 0 && !tune->is_known; /* which only this thread changes */
    if (now->trial == 0 && (is_first || now->epoch_is_complete)) {
        pthread_mutex_lock(&tune->lock);
        if (is_first)
            begin(tune, now);
        if (now->epoch_is_complete)
            record_epoch(trial, now);
        draw(tune);
        pthread_mutex_unlock(&tune->lock);
    }
    /* The first is always finished: it may be the only one. */
    return cli_interrupted() || atomic_load(&tune->has_failed) || atomic_load(&trial->is_stopped) ||
           (trial->index > 0 && is_out_of_time(tune));
}

/* Of the first trial alone: the others say much the same. */
static void on_notice(const char *text, void *user)
{
    struct cli_tune *tune = ((struct cli_trial *)user)->tune;
    pthread_mutex_lock(&tune->lock);
    cli_progress_clear(&tune->job.progress);
    cli_train_log_notice(&tune->job, text);
    pthread_mutex_unlock(&tune->lock);
}

/* What only trials that are not stopped have. */
static void take_results(struct cli_trial *trial)
{
    const struct tulle_model_info *info = tulle_model_info(trial->model);
    size_t epoch = info->best_epoch ? info->best_epoch : info->curve_count;
    trial->epochs = info->curve_count;
    trial->loss = info->curve[epoch - 1].valid_loss;
    trial->valid = cli_allocate(info->target_count, sizeof *trial->valid);
    memcpy(trial->valid, info->metrics + TULLE_SPLIT_VALID * info->target_count,
           info->target_count * sizeof *trial->valid);
    for (size_t i = trial->reached; i < CLI_RUNGS; i++) /* it ended early by itself */
        if (cli_rung_epoch(i, info->epochs))
            trial->losses[i] = trial->loss;
}

static enum cli_outcome outcome_of(enum tulle_status status)
{
    if (status == TULLE_OK)
        return CLI_FINISHED;
    if (status == TULLE_ERROR_DIVERGED)
        return CLI_DIVERGED;
    return status == TULLE_ERROR_INTERRUPTED ? CLI_GIVEN_UP : CLI_FAILED;
}

/* A trial that the rule has stopped, whatever it came to since. */
static void stop_in_retrospect(struct cli_trial *trial)
{
    trial->outcome = CLI_STOPPED;
    trial->epochs = cli_rung_epoch(trial->rung, trial->tune->epochs);
    trial->loss = trial->losses[trial->rung];
}

/* In the order of their numbers, so that the log is that of one thread. */
static void settle(struct cli_tune *tune)
{
    for (; tune->settled < tune->count; tune->settled++) {
        struct cli_trial *trial = tune->trials[tune->settled];
        if (!cli_rule_is_settled(tune, trial))
            return;
        if (trial->rung < CLI_RUNGS)
            stop_in_retrospect(trial);
        int is_best =
            trial->outcome == CLI_FINISHED && (!tune->best || trial->loss < tune->best->loss);
        struct cli_trial *loser = is_best ? tune->best : trial;
        if (loser) {
            tulle_model_free(loser->model);
            loser->model = NULL;
        }
        if (!is_best)
            continue;
        tune->best = trial;
        char *text = cli_trial_options(trial);
        cli_progress_clear(&tune->job.progress);
        cli_log(tune->job.options, "trial %zu: valid loss %.4g, %s%s", trial->index + 1,
                trial->loss, trial->index ? "with " : "the recipe", text);
        free(text);
    }
}

/* Without lock. */
static enum tulle_status train(struct cli_trial *trial, struct tulle_error *error)
{
    struct cli_tune *tune = trial->tune;
    struct cli_options own;
    parse_trial(trial, &own);
    struct cli_training job = {.options = &own, .train = own.train};
    cli_train_take_lists(&job);
    job.train.valid_dataset = tune->job.valid;
    job.train.threads = tune->threads_each;
    job.train.progress = on_progress;
    job.train.poll = cli_poll;
    job.train.notice = trial->index == 0 ? on_notice : NULL;
    job.train.user = trial;
    enum tulle_status status = tulle_train(tune->job.dataset, &job.train, &trial->model, error);
    cli_options_free(&own);
    return status;
}

/* With lock. */
static void finish(struct cli_trial *trial, enum tulle_status status,
                   const struct tulle_error *error)
{
    struct cli_tune *tune = trial->tune;
    trial->outcome = outcome_of(status);
    if (trial->outcome == CLI_FINISHED)
        take_results(trial);
    else if (trial->outcome == CLI_FAILED)
        fail(tune, trial, error);
    else if (trial->outcome == CLI_DIVERGED && trial->index == 0)
        tune->error = *error; /* in case that all do */
    trial->reached = CLI_RUNGS;
    pthread_cond_broadcast(&tune->has_begun);
    cli_rule_decide(tune);
    settle(tune);
}

/* For cli_trials_run: not 0 when there is no time for more. */
static int run_trial(size_t index, void *user)
{
    struct cli_tune *tune = user;
    struct tulle_error error;
    enum tulle_status status = TULLE_ERROR_INTERRUPTED;
    pthread_mutex_lock(&tune->lock);
    while (index > 0 && !tune->is_known && tune->trials[0]->outcome == CLI_RUNNING)
        pthread_cond_wait(&tune->has_begun, &tune->lock);
    int can_begin = index == 0 || (tune->is_known && !cli_interrupted() && !is_out_of_time(tune));
    /* One that cannot may have been made on account of a later one, which waits for its end. */
    struct cli_trial *trial = can_begin || index < tune->count ? make_trials(tune, index) : NULL;
    if (can_begin)
        choose_values(trial);
    pthread_mutex_unlock(&tune->lock);
    if (can_begin)
        status = train(trial, &error);
    pthread_mutex_lock(&tune->lock);
    if (trial)
        finish(trial, status, &error);
    pthread_mutex_unlock(&tune->lock);
    return !can_begin || atomic_load(&tune->has_failed) || cli_interrupted();
}

/* --- All of it --- */

static int save(const struct cli_tune *tune)
{
    const struct cli_training *job = &tune->job;
    struct tulle_error error;
    if (tulle_model_save(tune->best->model, job->output, &error) != TULLE_OK)
        return cli_fail(job->options, &error);
    cli_log(job->options, "wrote %s", job->output);
    return 0;
}

static int search(struct cli_tune *tune)
{
    const struct cli_options *options = tune->job.options;
    unsigned at_once;
    tune->most = options->trials ? options->trials : SIZE_MAX;
    tune->seconds = options->trials && !cli_options_given(options, "budget") ? 0 : options->budget;
    for (size_t i = 0; i < CLI_DIMENSIONS; i++) {
        const char *option = cli_search_space[i].option;
        tune->is_searched[i] =
            !cli_options_given(options, option) && !cli_option_is_needed(options, option);
    }
    tulle_rng_seed(&tune->rng, options->train.seed);
    make_trials(tune, 0);
    cli_trials_plan(options, tune->most, &at_once, &tune->threads_each);
    cli_interrupt_hold(CLI_TIDY_SECONDS);
    cli_progress_init(&tune->job.progress, options);
    cli_trials_run(tune->most, at_once, run_trial, tune);
    cli_progress_clear(&tune->job.progress);
    if (atomic_load(&tune->has_failed) || !tune->best)
        return cli_trials_fail(&tune->job, "trial", tune->failed + 1, &tune->error);
    /* Whoever has seen enough keeps what was found. */
    if (cli_interrupted())
        cli_log(options, "interrupted: the best so far counts");
    cli_tune_log(tune);
    int saved = save(tune), printed = cli_tune_print(tune); /* the model can be made again */
    return cli_interrupted() ? 128 + cli_interrupted() : saved ? saved : printed;
}

static void free_trials(struct cli_tune *tune)
{
    for (size_t i = 0; i < tune->count; i++) {
        struct cli_trial *trial = tune->trials[i];
        for (size_t j = 0; j < CLI_DIMENSIONS; j++)
            free(trial->values[j]);
        tulle_model_free(trial->model);
        free(trial->valid);
        free(trial);
    }
    for (size_t i = 0; i < CLI_DIMENSIONS; i++)
        free(tune->bases[i]);
    free(tune->trials);
}

static int run(const struct cli_options *options)
{
    struct cli_tune tune = {.job = {.options = options, .train = options->train},
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .has_begun = PTHREAD_COND_INITIALIZER};
    tune.job.output =
        options->output ? cli_format("%s", options->output) : cli_model_path(options->arguments[0]);
    int status = strcmp(tune.job.output, "-") == 0
                     ? cli_usage_error("--output: expected the name of a file, got '-': the "
                                       "results go to stdout")
                     : cli_train_prepare(&tune.job);
    if (status == 0)
        status = cli_train_read(&tune.job);
    if (status == 0)
        status = search(&tune);
    free_trials(&tune);
    tulle_dataset_free(tune.job.valid);
    tulle_dataset_free(tune.job.dataset);
    free(tune.job.output);
    return status;
}

const struct cli_command cli_tune = {
    .bit = CLI_TUNE,
    .name = "tune",
    .summary = "search for better settings than the recipe's, and keep the best model",
    .synopsis = "DATA --target NAME[,NAME...] [--budget TIME] [OPTIONS]",
    .description =
        "Trains again and again, with settings drawn at random, and keeps the model with the "
        "lowest valid loss, in a file that is named as by 'tulle train'. It is the one that 'tulle "
        "train' makes with the same options and those that are printed for it. Trial 1 is the "
        "recipe itself; options that are given stay as they are "
        "in all trials. The table shows the best ten.\n\n"
        "Poor trials are stopped: at 1/15, 1/5 and 7/15 of the epochs those whose lowest valid "
        "loss so far is higher than that of more than half of the trials before them that got as "
        "far, "
        "once there are three. Trials are compared in the order of their numbers, so that with "
        "--trials the results are the same however many run at once; with --budget it "
        "depends on the machine how many there are. Trials that the end of the time interrupts do "
        "not count, but trial 1 is always finished; after Ctrl-C the best of those that are "
        "finished "
        "is kept. On a large table fewer --epochs leave time for "
        "more trials.\n\n"
        "Trials run side by side, one thread each. The test rows, if there are any, are measured "
        "for the best model alone.",
    .arguments = {{"DATA", CLI_DATA_HELP}},
    .required = 1,
    .examples = "  tulle tune houses.csv --target price --budget 10m -o houses.tulle\n"
                "  tulle tune houses.csv --target price --trials 30 --epochs 50 --hidden 256,256\n"
                "  tulle tune irises.csv --target species --test 0.2 --trials 20 --json\n",
    .run = run,
};
