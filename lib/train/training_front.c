/* training_front.c - what the options put before the first layer (struct tulle_front). */
#include "../base/portability.h"

#include <float.h>
#include <math.h>

#include "../base/memory.h"
#include "training.h"

/* Numbers farther from a than this differ in f32 too, and so that one over the difference is in
 * range. */
static double least_step(double a)
{
    return fmax(fabs(a) * 0x1p-20, FLT_MIN);
}

/*
 * The knots of column c as the network sees it, of `found` values those that are apart, and behind
 * them, where these are fewer than all, such as no training value comes near.
 */
static void encode_knots(const struct training *t, size_t c, size_t found, double *knots)
{
    size_t all = t->options.number_bins + 1, kept = 0;
    for (size_t i = 0; i < found; i++) {
        double knot = tulle_encode_number(&t->inputs, c, knots[i]);
        if (kept == 0 || knot - knots[kept - 1] > least_step(knot))
            knots[kept++] = knot;
    }
    for (; kept < all; kept++)
        knots[kept] = knots[kept - 1] + fmax(1, 2 * least_step(knots[kept - 1]));
}

static enum tulle_status make_knots(struct training *t, struct tulle_error *error)
{
    size_t all = t->options.number_bins + 1;
    t->knots = tulle_calloc(t->front.number_count, all * sizeof *t->knots);
    if (!t->knots)
        return tulle_fail_memory(error);
    double *knots = t->knots;
    for (size_t i = 0; i < t->input_count; i++) {
        if (t->fits[i].levels.names)
            continue;
        size_t found = tulle_column_knots(t->dataset, t->columns[i], t->order,
                                          t->rows[TULLE_SPLIT_TRAIN], all, knots);
        if (found == 0)
            return tulle_fail_memory(error);
        encode_knots(t, i, found, knots);
        knots += all;
        enum tulle_status status = tulle_training_poll(t, error);
        if (status != TULLE_OK)
            return status;
    }
    t->front.knots = t->knots;
    return TULLE_OK;
}

/* Numbers are learned functions of themselves, not of what says whether they are missing. */
enum tulle_status tulle_training_make_front(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    struct tulle_front *front = &t->front;
    size_t count = 0, input = 0;
    *front = (struct tulle_front){.has_factors = o->input_factors != 0, .members = o->members};
    t->numbers = tulle_calloc(t->input_count, sizeof *t->numbers);
    if (!t->numbers)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < t->input_count; i++) {
        if (!t->fits[i].levels.names)
            t->numbers[count++] = input;
        input += tulle_column_inputs(&t->fits[i]);
    }
    if (count == 0 || o->number_dimensions == 0)
        return TULLE_OK;
    front->numbers = t->numbers;
    front->number_count = count;
    front->dimensions = o->number_dimensions;
    front->frequencies = o->number_bins > 0 ? 0 : o->number_frequencies;
    front->frequency_deviation = o->number_deviation;
    front->bins = o->number_bins;
    return o->number_bins > 0 ? make_knots(t, error) : TULLE_OK;
}
