/* training_epochs.c - the epochs: steps, schedules, the validation loss and what follows from it.
 */
#include "../base/portability.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/memory.h"
#include "schedule.h"
#include "training.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- Divergence ------------------------------------------------------------------------------ */

/*
 * A network that predicts the middle of the targets' range has a loss of at most this: for mse, the
 * variance of a target in a range is at most a quarter of the range's square (Popoviciu, 1935). The
 * losses of classes and of counts begin near 1.
 */
static double loss_of_middle(const struct training *t)
{
    double sum = 0;
    for (size_t o = 0; o < t->target_count; o++) {
        const struct tulle_column *target = &t->fits[t->input_count + o];
        double range = (target->maximum - target->minimum) / target->scale;
        switch (t->options.loss) {
        case TULLE_LOSS_MSE:
            sum += range * range / 4;
            break;
        case TULLE_LOSS_MAE:
        case TULLE_LOSS_HUBER:
        case TULLE_LOSS_QUANTILE:
            sum += range;
            break;
        default:
            sum += 1;
        }
    }
    return sum / (double)t->target_count;
}

/* Weights are of no use whose loss is so far above where it began, before anything was learned, and
 * above that of the middle. */
static double hopeless_loss(const struct training *t, double first_loss)
{
    double middle = loss_of_middle(t);
    return 1000 * (fabs(first_loss) > middle ? fabs(first_loss) : middle);
}

static int has_diverged(const struct training *t, double loss)
{
    return !(loss <= t->state.hopeless_loss); /* a NaN too */
}

static enum tulle_status fail_diverged(const struct training *t, double loss,
                                       struct tulle_error *error)
{
    char text[32] = "not a number";
    if (!isnan(loss))
        snprintf(text, sizeof text, "%g", loss);
    return tulle_fail(error, TULLE_ERROR_DIVERGED,
                      "training diverged in epoch %zu of %zu: the loss is %s; try a learning rate "
                      "below %g",
                      (size_t)t->state.epoch + 1, t->options.epochs, text,
                      t->options.learning_rate);
}

/* --- Steps ----------------------------------------------------------------------------------- */

static double weight_of(const struct training *t, const size_t *order, size_t count)
{
    double sum = 0;
    for (size_t i = 0; t->weights && i < count; i++)
        sum += t->weights[order[i]];
    return t->weights ? sum : (double)count;
}

static struct tulle_progress progress_of(const struct training *t)
{
    const struct training_state *s = &t->state;
    return (struct tulle_progress){
        .trial = t->trial,
        .trials = TULLE_TRIALS,
        .epoch = (size_t)s->epoch + 1,
        .epochs = t->options.epochs,
        .step = (size_t)s->step,
        .steps = tulle_training_steps(t),
        .train_loss = tulle_trainer_mean_loss(t->trainer, s->epoch_loss,
                                              s->epoch_weight > 0 ? s->epoch_weight : 1),
        .valid_loss = s->valid_loss,
        .learning_rate = t->trainer->options.learning_rate,
        .best_epoch = (size_t)s->best_epoch,
        .best_loss = s->best_loss,
        .model = &t->model->info};
}

static enum tulle_status interrupt(struct training *t, const struct tulle_progress *progress,
                                   struct tulle_error *error)
{
    if (t->options.checkpoint) {
        enum tulle_status status = tulle_training_save(t, error);
        if (status != TULLE_OK)
            return status;
    }
    return tulle_fail(error, TULLE_ERROR_INTERRUPTED, "interrupted in epoch %zu of %zu",
                      progress->epoch, progress->epochs);
}

/* Calls the caller's progress; *ends is set where training is to end here. */
static enum tulle_status report(struct training *t, const struct tulle_progress *progress,
                                int *ends, struct tulle_error *error)
{
    int answer = t->options.progress ? t->options.progress(progress, t->options.user) : 0;
    if (answer == TULLE_STOP_HERE)
        *ends = t->is_stopped = 1;
    else if (answer != 0)
        return interrupt(t, progress, error);
    return TULLE_OK;
}

/* Writes the checkpoint if it is time to. Where that fails training says so once, goes on
 * and tries again. */
static void save_in_time(struct training *t)
{
    const struct tulle_train_options *o = &t->options;
    if (!o->checkpoint)
        return;
    uint64_t step = t->state.epoch * tulle_training_steps(t) + t->state.step;
    int is_due = o->checkpoint_steps > 0 ? step % o->checkpoint_steps == 0
                                         : now() - t->last_write >= o->checkpoint_seconds;
    if (!is_due)
        return;
    struct tulle_error failure;
    char text[sizeof failure.message];
    t->last_write = now();
    int has_failed = tulle_training_save(t, &failure) != TULLE_OK;
    if (has_failed && !t->has_failed_to_save) {
        tulle_error_text(&failure, text, sizeof text);
        tulle_training_notice(t, "the checkpoint is not written: %s", text);
    }
    t->has_failed_to_save = has_failed;
}

/* Sets what a step of this epoch goes by. */
static void follow_schedule(const struct training *t, uint64_t step)
{
    size_t steps = tulle_training_steps(t);
    const struct schedule_point point = {t->state.epoch * steps + step,
                                         (uint64_t)t->options.epochs * steps,
                                         (size_t)t->state.epoch, (size_t)t->state.drops};
    tulle_trainer_set_learning_rate(t->trainer, tulle_schedule_rate(&t->options, point));
    tulle_trainer_set_regularization(t->trainer, tulle_schedule_fade(t->options.fading, point));
}

static enum tulle_status run_step(struct training *t, const struct rows *x, const struct rows *y,
                                  struct tulle_error *error)
{
    struct training_state *s = &t->state;
    size_t rows = t->rows[TULLE_SPLIT_TRAIN], size = t->trainer->options.batch_size;
    size_t begin = (size_t)s->step * size;
    size_t end = rows - begin > size ? begin + size : rows;
    const struct batch batch = {x, y, t->weights, begin, end};
    double sum = NAN;
    follow_schedule(t, s->step);
    if (tulle_trainer_step_rows(t->trainer, &batch, &sum) == TULLE_ERROR_MEMORY)
        return tulle_fail_memory(error);
    s->epoch_loss += sum;
    s->epoch_weight += weight_of(t, t->shuffled + begin, end - begin);
    double loss = tulle_trainer_mean_loss(t->trainer, s->epoch_loss,
                                          s->epoch_weight > 0 ? s->epoch_weight : 1);
    if (s->epoch == 0 && s->step == 0)
        s->hopeless_loss = hopeless_loss(t, loss);
    if (has_diverged(t, loss))
        return fail_diverged(t, loss, error);
    s->step++;
    return TULLE_OK;
}

/* --- Epochs ---------------------------------------------------------------------------------- */

/* The mean loss of `count` rows; NaN for none. */
static enum tulle_status find_loss(struct training *t, const size_t *order, size_t count,
                                   double *loss, struct tulle_error *error)
{
    struct rows x, y;
    double weight = weight_of(t, order, count), sum;
    *loss = NAN;
    if (count == 0 || !(weight > 0))
        return TULLE_OK;
    tulle_training_view(t, order, &x, &y);
    const struct batch batch = {&x, &y, t->weights, 0, count};
    if (tulle_trainer_loss_sum(t->trainer, &batch, &sum) != TULLE_OK)
        return tulle_fail_memory(error);
    *loss = tulle_trainer_mean_loss(t->trainer, sum, weight);
    return TULLE_OK;
}

int tulle_training_hurries(const struct training *t)
{
    return t->is_stopped && tulle_training_poll(t, NULL) != TULLE_OK;
}

/* What follows from an epoch's validation loss. */
static void learn_from_validation(struct training *t)
{
    struct training_state *s = &t->state;
    if (isnan(s->valid_loss))
        return;
    s->epochs_since_best++;
    s->epochs_since_drop++;
    if (s->best_epoch == 0 || s->valid_loss < s->best_loss) {
        s->best_loss = s->valid_loss;
        s->best_epoch = s->epoch + 1;
        s->epochs_since_best = s->epochs_since_drop = 0;
        if (t->best)
            memcpy(t->best, tulle_trainer_best_parameters(t->trainer),
                   tulle_arena_bytes(&t->trainer->network));
    }
    if (t->options.schedule == TULLE_SCHEDULE_PLATEAU &&
        s->epochs_since_drop >= t->options.schedule_epochs) {
        s->drops++;
        s->epochs_since_drop = 0;
    }
}

int tulle_training_grow_curve(struct training *t)
{
    if (t->curve_count < t->curve_capacity)
        return 1;
    size_t capacity = t->curve_capacity > 0 ? 2 * t->curve_capacity : 64;
    struct tulle_epoch *larger = tulle_realloc_array(t->curve, capacity, sizeof *larger);
    if (!larger)
        return 0;
    t->curve = larger;
    t->curve_capacity = capacity;
    return 1;
}

/* After the last step of an epoch; rng is the generator after its shuffle. */
static enum tulle_status finish_epoch(struct training *t, const struct tulle_rng *rng, int *ends,
                                      struct tulle_error *error)
{
    struct training_state *s = &t->state;
    if (!tulle_training_grow_curve(t))
        return tulle_fail_memory(error);
    size_t known = tulle_training_hurries(t) ? 0 : t->valid_known;
    enum tulle_status status =
        find_loss(t, t->order + t->rows[TULLE_SPLIT_TRAIN], known, &s->valid_loss, error);
    if (status != TULLE_OK)
        return status;
    learn_from_validation(t);
    struct tulle_progress progress = progress_of(t);
    progress.epoch_is_complete = 1;
    t->curve[t->curve_count++] =
        (struct tulle_epoch){progress.train_loss, s->valid_loss, progress.learning_rate};
    if (t->options.patience > 0 && s->epochs_since_best >= t->options.patience)
        *ends = 1;
    /* The state is that of the next epoch before the caller may stop: a checkpoint is written. */
    t->rng = *rng;
    s->epoch++;
    s->step = 0;
    s->epoch_loss = s->epoch_weight = 0;
    return report(t, &progress, ends, error);
}

/* From the state's step to the epoch's last. */
static enum tulle_status run_epoch(struct training *t, int *ends, struct tulle_error *error)
{
    size_t rows = t->rows[TULLE_SPLIT_TRAIN], steps = tulle_training_steps(t);
    struct rows x, y;
    struct tulle_rng rng = t->rng;
    enum tulle_status status = TULLE_OK;
    memcpy(t->shuffled, t->order, rows * sizeof *t->shuffled);
    tulle_rng_shuffle(&rng, t->shuffled, rows);
    tulle_training_view(t, t->shuffled, &x, &y);
    while (status == TULLE_OK && t->state.step < steps && !*ends) {
        status = run_step(t, &x, &y, error);
        if (status == TULLE_OK) {
            const struct tulle_progress progress = progress_of(t);
            status = report(t, &progress, ends, error);
        }
        if (status == TULLE_OK)
            save_in_time(t);
    }
    return status == TULLE_OK ? finish_epoch(t, &rng, ends, error) : status;
}

/* Takes over the parameters of the best epoch, or those of the last, which have not been looked at
 * yet. */
static enum tulle_status choose_parameters(struct training *t, struct tulle_error *error)
{
    struct training_state *s = &t->state;
    int keeps_best = t->best && s->best_epoch > 0;
    if (keeps_best)
        memcpy(tulle_trainer_best_parameters(t->trainer), t->best,
               tulle_arena_bytes(&t->trainer->network));
    /* Not the validation rows' loss, which one odd row can make large. */
    double loss = 0;
    enum tulle_status status = TULLE_OK;
    if (!tulle_training_hurries(t))
        status = find_loss(t, t->order, t->rows[TULLE_SPLIT_TRAIN], &loss, error);
    if (status != TULLE_OK)
        return status;
    tulle_trainer_export(t->trainer, t->model);
    if (has_diverged(t, loss) || !tulle_model_is_finite(t->model)) {
        s->epoch--; /* the last one, for the error */
        return fail_diverged(t, loss, error);
    }
    t->model->info.best_epoch = keeps_best ? (size_t)s->best_epoch : 0;
    return TULLE_OK;
}

enum tulle_status tulle_training_run(struct training *t, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    int ends = 0;
    t->last_write = now();
    if (t->state.step > 0) /* the step before, of which an epoch's end may tell */
        follow_schedule(t, t->state.step - 1);
    if (t->options.patience > 0 && t->state.epochs_since_best >= t->options.patience)
        ends = 1; /* of a run that had been over */
    while (status == TULLE_OK && !ends && t->state.epoch < t->options.epochs)
        status = run_epoch(t, &ends, error);
    return status == TULLE_OK ? choose_parameters(t, error) : status;
}
