/* cv.c - `tulle cv`: k-fold cross-validation, which says how good a model is to be expected. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "report.h"
#include "trials.h"

struct fold {
    struct cv *cv;
    enum tulle_status status;
    struct tulle_error error;
    int is_over;
    double done;                /* of its epochs, from 0 to 1 */
    size_t rows[3];             /* by split; all from here on of a fold that is done */
    size_t epochs, best_epoch;  /* as in struct tulle_model_info */
    struct tulle_metrics *test; /* (targets) */
};

struct cv {
    struct cli_training job;
    size_t *order, count; /* rows with a target, dealt out to the folds in this order */
    double *classes;      /* (count), in the same order; NULL: it does not go by class */
    struct fold *folds;
    size_t fold_count;
    tulle_model *model; /* of the first fold; of the others what is needed is copied */
    unsigned at_once, threads_each;
    atomic_int failed;
    int has_begun;        /* the first fold, whose thread alone sets it, with lock; and */
    double began;         /* when, in seconds: after its trials */
    pthread_mutex_t lock; /* of the folds' members and of stderr */
    size_t logged;        /* folds, in their order */
};

/* --- Rows to folds --- */

/* A row with a target, at its place in the shuffled order. */
struct placed {
    double class;
    size_t position, row;
};

static int compare_places(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* The column's values, NULL if it is not there: the library will say so. */
static const double *find_column(const struct tulle_dataset_info *data, const char *name)
{
    for (size_t i = 0; i < data->columns; i++)
        if (strcmp(data->names[i], name) == 0)
            return data->values + i;
    return NULL;
}

static int has_targets(const struct cv *cv, size_t row)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(cv->job.dataset);
    const struct cli_names *targets = &cv->job.options->target;
    for (size_t i = 0; i < targets->count; i++) {
        const double *column = find_column(data, targets->items[i]);
        if (column && isnan(column[row * data->columns]))
            return 0;
    }
    return 1;
}

/* Whether rows are to be dealt out class by class. Two numbers are two classes, too. */
static int has_classes(const struct cv *cv, const struct placed *placed)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(cv->job.dataset);
    const struct cli_options *options = cv->job.options;
    size_t changes = 0;
    if (options->train.task != TULLE_TASK_AUTO)
        return options->train.task == TULLE_TASK_CLASSIFICATION;
    if (options->train.loss == TULLE_LOSS_CROSS_ENTROPY ||
        options->train.loss == TULLE_LOSS_BINARY_CROSS_ENTROPY)
        return 1;
    for (size_t i = 0; i < data->columns; i++)
        if (data->levels[i].names && strcmp(data->names[i], options->target.items[0]) == 0)
            return 1;
    for (size_t i = 1; i < cv->count; i++)
        changes += placed[i].class != placed[i - 1].class;
    return changes == 1;
}

/* Shuffles the rows and, of one target's classes, puts those of a class together: dealt out one by
 * one to the folds, each gets its share of every class. */
static void order_rows(struct cv *cv)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(cv->job.dataset);
    const struct cli_options *options = cv->job.options;
    const double *target =
        options->target.count == 1 ? find_column(data, options->target.items[0]) : NULL;
    struct tulle_rng rng;
    cv->order = cli_allocate(data->rows, sizeof *cv->order);
    for (size_t r = 0; r < data->rows; r++)
        if (has_targets(cv, r))
            cv->order[cv->count++] = r;
    tulle_rng_seed(&rng, options->train.seed);
    tulle_rng_shuffle(&rng, cv->order, cv->count);
    if (!target)
        return;
    struct placed *placed = cli_allocate(cv->count, sizeof *placed);
    for (size_t i = 0; i < cv->count; i++)
        placed[i] = (struct placed){target[cv->order[i] * data->columns], i, cv->order[i]};
    qsort(placed, cv->count, sizeof *placed, compare_places);
    if (has_classes(cv, placed))
        cv->classes = cli_allocate(cv->count, sizeof *cv->classes);
    for (size_t i = 0; cv->classes && i < cv->count; i++) {
        cv->order[i] = placed[i].row;
        cv->classes[i] = placed[i].class;
    }
    free(placed);
}

static size_t rounded(double x)
{
    return (size_t)(x + 0.5);
}

/* The splits as fold number `fold` has them. Of the rows that do not test, those that validate are
 * as evenly spread as can be: of each class alike, too, but its first row trains, as a class that
 * only validates is not learned. */
static void assign_splits(const struct cv *cv, size_t fold, unsigned char *splits)
{
    double fraction = cv->job.train.valid_fraction;
    size_t others = 0, valid = 0, last = SIZE_MAX; /* last: of the others' places */
    for (size_t i = 0; i < cv->count; i++) {
        if (i % cv->fold_count == fold) {
            splits[cv->order[i]] = TULLE_SPLIT_TEST;
            continue;
        }
        int is_new = cv->classes && (last == SIZE_MAX || cv->classes[last] != cv->classes[i]);
        int validates = rounded(fraction * (double)++others) > valid && !is_new;
        splits[cv->order[i]] = validates ? TULLE_SPLIT_VALID : TULLE_SPLIT_TRAIN;
        valid += validates;
        last = i;
    }
}

static enum tulle_status split_data(const struct cv *cv, size_t fold, tulle_dataset **split,
                                    struct tulle_error *error)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(cv->job.dataset);
    unsigned char *splits = cli_allocate(data->rows, 1); /* rows without a target do not count */
    assign_splits(cv, fold, splits);
    enum tulle_status status =
        tulle_dataset_create(data->names, tulle_f64(data->values, data->rows, data->columns),
                             data->levels, splits, split, error);
    free(splits);
    return status;
}

/* --- A fold --- */

/* With lock. */
static void draw(struct cv *cv)
{
    double done = 0, seconds = cli_progress_seconds(&cv->job.progress);
    size_t counted = 0;
    for (size_t i = 0; i < cv->fold_count; i++) {
        done += cv->folds[i].done / (double)cv->fold_count;
        counted += cv->folds[i].done > 0;
    }
    seconds -= cv->began;
    char *text = cli_format("%zu of %zu folds, %.0f %% of the epochs", cv->logged, cv->fold_count,
                            100 * done);
    /* As long as not all that run have done an epoch, it seems to take longer than it does. */
    cli_progress_show(&cv->job.progress, text,
                      counted < cv->at_once ? NAN : seconds * (1 - done) / done);
    free(text);
}

/* Rows of a class of its own. */
static size_t count_lone_rows(const struct cv *cv)
{
    size_t lone = 0;
    for (size_t i = 0; cv->classes && i < cv->count; i++)
        lone += (i == 0 || cv->classes[i - 1] != cv->classes[i]) &&
                (i + 1 == cv->count || cv->classes[i + 1] != cv->classes[i]);
    return lone;
}

/* With lock, when the first fold has begun. */
static void begin(struct cv *cv, const struct tulle_model_info *info)
{
    size_t lone = count_lone_rows(cv);
    cv->has_begun = 1;
    cv->began = cli_progress_seconds(&cv->job.progress);
    if (lone > 0) {
        char *text = cli_format("%zu class%s one row: a fold that tests it has not learned it",
                                lone, lone == 1 ? " has" : "es have");
        cli_train_log_notice(&cv->job, text);
        free(text);
    }
    cli_train_log_beginning(&cv->job, info);
}

static int on_progress(const struct tulle_progress *now, void *user)
{
    struct fold *fold = user;
    struct cv *cv = fold->cv;
    int is_first = fold == cv->folds && !cv->has_begun;
    if (now->trial == 0 && (is_first || now->epoch_is_complete)) {
        pthread_mutex_lock(&cv->lock);
        if (is_first)
            begin(cv, now->model);
        if (now->epoch_is_complete) { /* one step says little about the time to come */
            fold->done = (double)now->epoch / (double)now->epochs;
            if (cv->has_begun) /* another fold may be faster */
                draw(cv);
        }
        pthread_mutex_unlock(&cv->lock);
    }
    return cli_interrupted() || atomic_load(&cv->failed);
}

/* Of the first fold alone: the others say much the same. */
static void on_notice(const char *text, void *user)
{
    struct cv *cv = ((struct fold *)user)->cv;
    pthread_mutex_lock(&cv->lock);
    cli_progress_clear(&cv->job.progress);
    cli_train_log_notice(&cv->job, text);
    pthread_mutex_unlock(&cv->lock);
}

/* In the order of the folds, whichever is ready first. */
static void log_folds(struct cv *cv)
{
    for (; cv->logged < cv->fold_count && cv->folds[cv->logged].is_over; cv->logged++) {
        const struct fold *fold = &cv->folds[cv->logged];
        if (fold->status != TULLE_OK)
            return;
        unsigned known = cv->job.options->target.count == 1 ? cli_metrics_known(fold->test, 1) : 0;
        char *text = cli_format("fold %zu of %zu: ", cv->logged + 1, cv->fold_count);
        text = fold->best_epoch ? cli_append(text, "best epoch %zu of ", fold->best_epoch) : text;
        text = cli_append(text, "%zu%s", fold->epochs, fold->best_epoch ? "" : " epochs");
        for (int m = 0; m < TULLE_METRIC_SLOTS; m++)
            if (known & 1u << m)
                text = cli_append(text, ", %s %.4g", tulle_metric_name((enum tulle_metric)m),
                                  fold->test->value[m]);
        cli_progress_clear(&cv->job.progress);
        cli_log(cv->job.options, "%s", text);
        free(text);
    }
}

static void take_results(struct fold *fold, const struct tulle_model_info *info)
{
    size_t targets = info->target_count;
    memcpy(fold->rows, info->rows, sizeof fold->rows);
    fold->epochs = info->curve_count;
    fold->best_epoch = info->best_epoch;
    fold->test = cli_allocate(targets, sizeof *fold->test);
    memcpy(fold->test, info->metrics + TULLE_SPLIT_TEST * targets, targets * sizeof *fold->test);
}

static int run_fold(size_t index, void *user)
{
    struct cv *cv = user;
    struct fold *fold = &cv->folds[index];
    struct tulle_train_options train = cv->job.train;
    tulle_dataset *dataset;
    tulle_model *model = NULL;
    fold->cv = cv;
    train.threads = cv->threads_each;
    train.progress = on_progress;
    train.poll = cli_poll;
    train.notice = index == 0 ? on_notice : NULL;
    train.user = fold;
    fold->status = split_data(cv, index, &dataset, &fold->error);
    if (fold->status == TULLE_OK)
        fold->status = tulle_train(dataset, &train, &model, &fold->error);
    tulle_dataset_free(dataset);
    if (fold->status == TULLE_OK)
        take_results(fold, tulle_model_info(model));
    else
        atomic_store(&cv->failed, 1);
    if (index == 0)
        cv->model = model;
    else
        tulle_model_free(model); /* there may be as many folds as rows */
    pthread_mutex_lock(&cv->lock);
    fold->is_over = 1;
    fold->done = 1;
    log_folds(cv);
    pthread_mutex_unlock(&cv->lock);
    return fold->status != TULLE_OK;
}

/* --- What was found --- */

/* Mean and standard deviation over the folds, (target_count) each; NaN where a fold has none. */
static void summarize(const struct cv *cv, size_t targets, struct tulle_metrics *mean,
                      struct tulle_metrics *deviation)
{
    double folds = (double)cv->fold_count;
    for (size_t i = 0; i < targets; i++) {
        mean[i].rows = deviation[i].rows = cv->count;
        for (int m = 0; m < TULLE_METRIC_SLOTS; m++) {
            double sum = 0, squares = 0;
            for (size_t f = 0; f < cv->fold_count; f++)
                sum += cv->folds[f].test[i].value[m] / folds;
            for (size_t f = 0; f < cv->fold_count; f++) {
                double from_mean = cv->folds[f].test[i].value[m] - sum;
                squares += from_mean * from_mean;
            }
            mean[i].value[m] = sum;
            deviation[i].value[m] = sqrt(squares / (folds - 1));
        }
    }
}

static void add_line(struct cli_table *table, const char *label, const char *target, unsigned known,
                     const struct tulle_metrics *metrics)
{
    cli_table_add(table, "%s", label);
    cli_table_add(table, "%s", target);
    cli_table_add(table, "%zu", metrics->rows);
    cli_table_add_values(table, known, metrics);
}

static int print_table(const struct cv *cv, unsigned known, const struct tulle_metrics *mean,
                       const struct tulle_metrics *deviation)
{
    const struct tulle_model_info *info = tulle_model_info(cv->model);
    struct cli_table table = {.columns = 3, .left = 2};
    cli_table_add(&table, "fold");
    cli_table_add(&table, "target");
    cli_table_add(&table, "rows");
    cli_table_add_names(&table, known);
    for (size_t i = 0; i < info->target_count; i++) {
        const char *target = info->targets[i].name;
        for (size_t f = 0; f < cv->fold_count; f++) {
            char *label = cli_format("%zu", f + 1);
            add_line(&table, label, target, known, &cv->folds[f].test[i]);
            free(label);
        }
        add_line(&table, "mean", target, known, &mean[i]);
        add_line(&table, "deviation", target, known, &deviation[i]);
    }
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    return cli_close_stdout();
}

static int print_json(const struct cv *cv, unsigned known, const struct tulle_metrics *mean,
                      const struct tulle_metrics *deviation)
{
    json_t *folds = json_array(), *object = json_object();
    const struct tulle_model_info *info = tulle_model_info(cv->model);
    for (size_t f = 0; f < cv->fold_count; f++) {
        const struct fold *fold = &cv->folds[f];
        json_t *found = json_object();
        cli_json_set(found, "rows", cli_json_split_rows(fold->rows));
        cli_json_set(found, "epochs", cli_json_count(fold->epochs));
        cli_json_set(found, "best_epoch", cli_json_count_or_null(fold->best_epoch));
        cli_json_set(found, "test", cli_json_metrics(info, known, fold->test));
        cli_json_append(folds, found);
    }
    cli_json_set(object, "task", cli_json_text(tulle_task_name(info->task)));
    cli_json_set(object, "seconds", cli_json_number(cli_progress_seconds(&cv->job.progress)));
    cli_json_set(object, "folds", folds);
    cli_json_set(object, "mean", cli_json_metrics(info, known, mean));
    cli_json_set(object, "deviation", cli_json_metrics(info, known, deviation));
    return cli_json_print(object);
}

static int print_results(const struct cv *cv)
{
    size_t targets = tulle_model_info(cv->model)->target_count;
    struct tulle_metrics *mean = cli_allocate(targets, sizeof *mean);
    struct tulle_metrics *deviation = cli_allocate(targets, sizeof *deviation);
    unsigned known = 0;
    for (size_t f = 0; f < cv->fold_count; f++)
        known |= cli_metrics_known(cv->folds[f].test, targets);
    summarize(cv, targets, mean, deviation);
    int status = (cv->job.options->json ? print_json : print_table)(cv, known, mean, deviation);
    free(mean);
    free(deviation);
    return status;
}

/* --- All of it --- */

/* The first fold that failed by itself; others were stopped on its account. */
static int fail_folds(const struct cv *cv)
{
    for (size_t i = 0; i < cv->fold_count; i++) {
        const struct fold *fold = &cv->folds[i];
        if (fold->is_over && fold->status != TULLE_OK && fold->status != TULLE_ERROR_INTERRUPTED)
            return cli_trials_fail(&cv->job, "fold", i + 1, &fold->error);
    }
    struct tulle_error interrupted = {.code = TULLE_ERROR_INTERRUPTED};
    return cli_fail(cv->job.options, &interrupted);
}

static int run_folds(struct cv *cv)
{
    const struct cli_options *options = cv->job.options;
    cv->fold_count = options->folds;
    order_rows(cv);
    if (cv->count < cv->fold_count)
        return cli_failure("--folds: %zu folds need as many rows with a target, got %zu",
                           cv->fold_count, cv->count);
    cv->folds = cli_allocate(cv->fold_count, sizeof *cv->folds);
    cli_trials_plan(options, cv->fold_count, &cv->at_once, &cv->threads_each);
    cli_interrupt_hold(CLI_TIDY_SECONDS);
    cli_progress_init(&cv->job.progress, options);
    cli_trials_run(cv->fold_count, cv->at_once, run_fold, cv);
    cli_progress_clear(&cv->job.progress);
    int status = atomic_load(&cv->failed) ? fail_folds(cv) : print_results(cv);
    for (size_t i = 0; i < cv->fold_count; i++)
        free(cv->folds[i].test);
    tulle_model_free(cv->model);
    return status;
}

static int run(const struct cli_options *options)
{
    struct cv cv = {.job = {.options = options, .train = options->train},
                    .lock = PTHREAD_MUTEX_INITIALIZER};
    int status = cli_train_prepare(&cv.job);
    if (status == 0)
        status = cli_train_read(&cv.job);
    if (status == 0)
        status = run_folds(&cv);
    free(cv.folds);
    free(cv.order);
    free(cv.classes);
    tulle_dataset_free(cv.job.dataset);
    return status;
}

const struct cli_command cli_cv = {
    .bit = CLI_CV,
    .name = "cv",
    .summary = "cross-validate: train on all folds of the rows but one, test on that",
    .synopsis = "DATA --target NAME[,NAME...] [--folds N] [OPTIONS]",
    .description =
        "Says how good the models of 'tulle train' with the same options are to be expected, and "
        "how much that varies: in a table, the metrics of each fold, their mean and their standard "
        "deviation. No model is kept.\n\n"
        "The rows are drawn into folds at random, of each class alike. A model is trained for each "
        "fold: its rows are the test rows, and of all others --valid are the valid rows, which "
        "choose the epoch. A column that holds a split is of no use here: leave it out with "
        "--drop.\n\n"
        "Folds are trained side by side, one thread each. How many there are changes nothing in "
        "the results.",
    .arguments = {{"DATA", CLI_DATA_HELP}},
    .required = 1,
    .examples = "  tulle cv houses.csv --target price\n"
                "  tulle cv houses.csv --target price --folds 10 --recipe plain --json\n"
                "  tulle cv irises.csv --target species --drop split --seed 1\n",
    .run = run,
};
