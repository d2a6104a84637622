/* training_options.c - the options of a training: what of them is wrong, and what the recipe says
 * where they do not. */
#include "../base/portability.h"

#include <math.h>

#include "settings.h"
#include "training.h"

enum tulle_status tulle_training_check_options(const struct tulle_train_options *o,
                                               struct tulle_error *error)
{
    if (o->target_count == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "no target column is named");
    if (!(o->valid_fraction >= 0) || !(o->test_fraction >= 0) ||
        !(o->valid_fraction + o->test_fraction < 1))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the fractions of rows to validate and to test on must be at least 0 and "
                          "sum to less than 1, got %g and %g",
                          o->valid_fraction, o->test_fraction);
    if (o->loss != TULLE_LOSS_AUTO && !tulle_loss_name(o->loss))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown loss %d", (int)o->loss);
    if (!tulle_task_name(o->task))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown task %d", (int)o->task);
    if (!tulle_recipe_name(o->recipe))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown recipe %d", (int)o->recipe);
    if (!(o->checkpoint_seconds >= 0))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the seconds between checkpoints must be at least 0, got %g",
                          o->checkpoint_seconds);
    if (o->resume && !o->checkpoint)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "no checkpoint is named to resume from");
    return TULLE_OK;
}

/* What the trainer will not look at. */
static enum tulle_status check_complete(const struct tulle_train_options *o,
                                        struct tulle_error *error)
{
    if (!tulle_schedule_name(o->schedule) || !tulle_scaling_name(o->scaling) ||
        !tulle_fading_name(o->fading))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown schedule, scaling or fading");
    if (!tulle_activation_name(o->activation))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown activation %d", (int)o->activation);
    if (!(o->schedule_factor > 0) || !(o->schedule_factor <= 1) || o->schedule_epochs == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "a schedule's factor must be in (0, 1] and its epochs at least 1, got %g "
                          "and %zu",
                          o->schedule_factor, o->schedule_epochs);
    if (!(o->warmup >= 0) || !(o->warmup < 1))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the warm-up is a share of the steps in [0, 1), got %g", o->warmup);
    if (o->embedding_dimensions == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "an embedding has at least 1 dimension");
    if (o->members == 0 || o->members > TULLE_MOST_MEMBERS)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network has 1 to %d members, got %zu",
                          TULLE_MOST_MEMBERS, o->members);
    if (o->number_bins > TULLE_MOST_BINS &&
        o->number_bins != TULLE_BY_TRIAL) /* for which knots would have been made */
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "an embedded number has at most %d bins, got %zu", TULLE_MOST_BINS,
                          o->number_bins);
    return TULLE_OK;
}

/* So that small tables have steps enough and large ones batches worth sharing; a batch is never
 * larger than the table. */
static size_t choose_batch_size(size_t rows)
{
    size_t size = rows <= 1024     ? 64
                  : rows <= 4096   ? 128
                  : rows <= 32768  ? 256
                  : rows <= 131072 ? 512
                                   : 1024;
    return size < rows ? size : rows;
}

/* What a small table lacks in steps it needs in epochs, and a large one needs fewer: a number of
 * steps that grows as the square root of the rows. Measured on tables of 500 to 35,000
 * rows (docs/quality.md). */
static size_t choose_epochs(size_t rows)
{
    enum { FEWEST = 8, MOST = 256 };
    double epochs = rint(10000 / sqrt((double)rows));
    return epochs < FEWEST ? FEWEST : epochs > MOST ? MOST : (size_t)epochs;
}

enum tulle_status tulle_training_complete_options(struct training *t, struct tulle_error *error)
{
    struct tulle_train_options *o = &t->options;
    size_t count;
    const struct tulle_setting *settings =
        tulle_recipe_settings(o->recipe, t->task == TULLE_TASK_CLASSIFICATION, &count);
    t->owns_hidden = !o->hidden;
    /* The recipes' texts are good: what can be wanting is memory. */
    if (tulle_settings_complete(o, settings, count) != TULLE_OK)
        return tulle_fail_memory(error);
    if (o->batch_size == 0)
        o->batch_size = choose_batch_size(t->rows[TULLE_SPLIT_TRAIN]);
    if (o->epochs == 0)
        o->epochs = choose_epochs(t->rows[TULLE_SPLIT_TRAIN]);
    return check_complete(o, error);
}
