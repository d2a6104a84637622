/* training_trials.c - a setting that no table of rules knows, found out by short trainings. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../data/number.h"
#include "../data/number_format.h"
#include "../model/checkpoint.h"
#include "training.h"

/*
 * Many bins make what is fine in a table (a place's latitude) learnable, and what is noise, too;
 * which of them weighs more shows soon. A quarter of the epochs with two members tell them apart
 * as the whole run does (docs/quality.md), in a sixteenth of the time of eight members each.
 */
static const size_t candidates[TULLE_TRIALS] = {2, 48};
enum { MOST_MEMBERS = 2, PART_OF_EPOCHS = 4 };

static int has_numbers(const struct training *t)
{
    size_t i = 0;
    while (i < t->input_count && t->fits[i].levels.names)
        i++;
    return t->options.number_dimensions > 0 && i < t->input_count;
}

/* Over the second half of its epochs, since one of them may be lucky. */
static double mean_loss(const struct training *trial)
{
    size_t first = trial->curve_count / 2;
    double sum = 0;
    for (size_t i = first; i < trial->curve_count; i++)
        sum += trial->curve[i].valid_loss;
    return isnan(sum) ? INFINITY : sum / (double)(trial->curve_count - first);
}

static enum tulle_status try_bins(const struct training *t, size_t index, double *loss,
                                  int *is_stopped, struct tulle_error *error)
{
    struct training trial = {.given = t->given,
                             .options = t->options,
                             .target_count = t->target_count,
                             .trial = index + 1};
    struct tulle_train_options *o = &trial.options;
    o->checkpoint = NULL;
    o->resume = 0;
    o->notice = NULL;
    o->number_bins = candidates[index];
    o->members = o->members < MOST_MEMBERS ? o->members : MOST_MEMBERS;
    o->epochs = (o->epochs + PART_OF_EPOCHS - 1) / PART_OF_EPOCHS;
    o->keep_best = 0;
    enum tulle_status status = tulle_training_prepare(&trial, error);
    if (status == TULLE_OK)
        status = tulle_training_run(&trial, error);
    *loss = status == TULLE_OK ? mean_loss(&trial) : INFINITY;
    *is_stopped = trial.is_stopped;
    tulle_training_clear(&trial);
    return status == TULLE_ERROR_DIVERGED ? TULLE_OK : status;
}

/* Where training goes on from a checkpoint, the trials have been, or another number was asked for,
 * which the checkpoint then is refused for. 0 if not. */
static int find_chosen(const struct training *t, size_t *bins)
{
    char text[TULLE_NUMBER_SIZE];
    double found;
    if (!t->options.resume ||
        !tulle_checkpoint_field(t->options.checkpoint, "number_bins", text, sizeof text) ||
        tulle_number_parse(text, strlen(text), &found) != NUMBER_FINITE ||
        !(found >= 0 && found <= TULLE_MOST_BINS))
        return 0;
    *bins = (size_t)found;
    return 1;
}

enum tulle_status tulle_training_choose_bins(struct training *t, struct tulle_error *error)
{
    size_t best = TULLE_TRIALS - 1;
    double losses[TULLE_TRIALS];
    if (t->options.number_bins != TULLE_BY_TRIAL)
        return TULLE_OK;
    t->options.number_bins = candidates[best];
    if (!has_numbers(t) || !tulle_training_has_valid(t) || find_chosen(t, &t->options.number_bins))
        return TULLE_OK;
    for (size_t i = 0; i < TULLE_TRIALS; i++) {
        int is_stopped;
        enum tulle_status status = try_bins(t, i, &losses[i], &is_stopped, error);
        if (status != TULLE_OK || is_stopped) /* and nothing is known */
            return status;
    }
    for (size_t i = 0; i < TULLE_TRIALS; i++)
        best = losses[i] < losses[best] ? i : best;
    t->options.number_bins = candidates[best];
    return TULLE_OK;
}
