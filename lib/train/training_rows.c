/* training_rows.c - which rows train, validate and test, their classes, and how much each counts.
 */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "training.h"

#define FAIL_DATA(t, error, ...)                                                                   \
    tulle_fail_at(error, TULLE_ERROR_DATA, (t)->dataset->info.source, 0, 0, __VA_ARGS__)

/* --- The split ------------------------------------------------------------------------------- */

static double target_of(const struct training *t, size_t row, size_t target)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    return data->values[row * data->columns + t->columns[t->input_count + target]];
}

static int has_targets(const struct training *t, size_t row)
{
    for (size_t i = 0; i < t->target_count; i++)
        if (isnan(target_of(t, row, i)))
            return 0;
    return 1;
}

/* The split that the table gives a row; validation rows that came apart leave it no others. */
static unsigned split_of(const struct training *t, size_t row)
{
    unsigned split = t->dataset->info.split[row];
    return t->joined && row < t->first_rows && split == TULLE_SPLIT_VALID ? TULLE_SPLIT_TRAIN
                                                                          : split;
}

static void split_by_column(struct training *t)
{
    size_t filled = 0;
    for (unsigned split = 0; split < 3; split++) {
        size_t begin = filled;
        for (size_t r = 0; r < t->dataset->info.rows; r++)
            if (has_targets(t, r) && split_of(t, r) == split)
                t->order[filled++] = r;
        t->rows[split] = filled - begin;
    }
}

/* A row as its class puts it into a split. */
struct placed {
    double class;
    size_t position; /* in the shuffled order */
    unsigned split;
};

static int compare_classes(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

/* A share of the rows begin..end-1: rounded at the ends, so that many small classes together give
 * theirs too. */
static size_t share_of(double fraction, size_t begin, size_t end)
{
    return (size_t)((double)end * fraction + 0.5) - (size_t)((double)begin * fraction + 0.5);
}

/* How many of a class's rows, begin..end-1 of all, are held out; one at least is left to train on.
 */
static void hold_out(const struct training *t, size_t begin, size_t end, size_t *valid,
                     size_t *test)
{
    size_t count = end - begin;
    *valid = share_of(t->options.valid_fraction, begin, end);
    *test = share_of(t->options.test_fraction, begin, end);
    if (*valid + *test >= count) {
        *valid = *valid < count ? *valid : count - 1;
        *test = count - 1 - *valid;
    }
}

/* Each class's rows in the same proportions, in the order that they are shuffled in. */
static int split_by_class(struct training *t, size_t count)
{
    struct placed *placed = tulle_calloc(count, sizeof *placed);
    size_t *shuffled = tulle_calloc(count, sizeof *shuffled);
    size_t filled = 0;
    int has_memory = placed && shuffled;
    for (size_t i = 0; has_memory && i < count; i++)
        placed[i] = (struct placed){target_of(t, t->order[i], 0), i, 0};
    if (has_memory) {
        memcpy(shuffled, t->order, count * sizeof *shuffled);
        qsort(placed, count, sizeof *placed, compare_classes);
    }
    for (size_t begin = 0, end; has_memory && begin < count; begin = end) {
        size_t valid, test;
        for (end = begin; end < count && placed[end].class == placed[begin].class; end++)
            ;
        hold_out(t, begin, end, &valid, &test);
        for (size_t i = begin; i < end; i++)
            placed[i].split = i - begin < valid          ? TULLE_SPLIT_VALID
                              : i - begin < valid + test ? TULLE_SPLIT_TEST
                                                         : TULLE_SPLIT_TRAIN;
    }
    /* Back in the shuffled order, split by split. */
    unsigned char *splits = tulle_calloc(count, 1);
    has_memory = has_memory && splits;
    for (size_t i = 0; has_memory && i < count; i++)
        splits[placed[i].position] = (unsigned char)placed[i].split;
    for (unsigned split = 0; has_memory && split < 3; split++) {
        size_t first = filled;
        for (size_t i = 0; i < count; i++)
            if (splits[i] == split)
                t->order[filled++] = shuffled[i];
        t->rows[split] = filled - first;
    }
    tulle_free(placed);
    tulle_free(shuffled);
    tulle_free(splits);
    return has_memory;
}

static int split_at_random(struct training *t)
{
    size_t count = 0;
    for (size_t r = 0; r < t->dataset->info.rows; r++)
        if (has_targets(t, r))
            t->order[count++] = r;
    tulle_rng_shuffle(&t->rng, t->order, count);
    if (t->task == TULLE_TASK_CLASSIFICATION && t->target_count == 1)
        return split_by_class(t, count);
    double rows = (double)count;
    t->rows[TULLE_SPLIT_VALID] = (size_t)(rows * t->options.valid_fraction + 0.5);
    t->rows[TULLE_SPLIT_TEST] = (size_t)(rows * t->options.test_fraction + 0.5);
    size_t held_out = t->rows[TULLE_SPLIT_VALID] + t->rows[TULLE_SPLIT_TEST];
    t->rows[TULLE_SPLIT_TRAIN] = count > held_out ? count - held_out : 0;
    return 1;
}

enum tulle_status tulle_training_split(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    t->order = tulle_calloc(data->rows, sizeof *t->order);
    if (!t->order)
        return tulle_fail_memory(error);
    if (data->split)
        split_by_column(t);
    else if (!split_at_random(t))
        return tulle_fail_memory(error);
    size_t used = t->rows[0] + t->rows[1] + t->rows[2];
    if (used < data->rows)
        tulle_training_notice(t, "%zu row%s left out for want of a target", data->rows - used,
                              data->rows - used == 1 ? " is" : "s are");
    if (t->rows[TULLE_SPLIT_TRAIN] < 2)
        return FAIL_DATA(t, error, "training needs at least 2 rows, got %zu (of %zu in all)",
                         t->rows[TULLE_SPLIT_TRAIN], data->rows);
    t->valid_known = t->rows[TULLE_SPLIT_VALID];
    t->shuffled = tulle_calloc(t->rows[TULLE_SPLIT_TRAIN], sizeof *t->shuffled);
    return t->shuffled ? TULLE_OK : tulle_fail_memory(error);
}

/* --- Classes --------------------------------------------------------------------------------- */

/* Validation rows whose class training does not know have no loss: they go last. */
static int put_unknown_last(struct training *t)
{
    size_t *valid = t->order + t->rows[TULLE_SPLIT_TRAIN], count = t->rows[TULLE_SPLIT_VALID];
    size_t known = 0, unknown = 0, *others = tulle_calloc(count, sizeof *others);
    for (size_t i = 0; others && i < count; i++) {
        int is_known = 1;
        for (size_t target = 0; target < t->target_count; target++)
            is_known &= !isnan(t->classes[valid[i] * t->target_count + target]);
        if (is_known)
            valid[known++] = valid[i];
        else
            others[unknown++] = valid[i];
    }
    if (!others)
        return 0;
    memcpy(valid + known, others, unknown * sizeof *valid);
    tulle_free(others);
    t->valid_known = known;
    if (unknown > 0)
        tulle_training_notice(t,
                              "%zu valid row%s of a class that no training row has: counted as "
                              "wrong, with no part in the valid loss",
                              unknown, unknown == 1 ? " is" : "s are");
    return 1;
}

enum tulle_status tulle_training_find_classes(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    if (t->task == TULLE_TASK_REGRESSION)
        return TULLE_OK;
    t->classes = tulle_calloc(data->rows, t->target_count * sizeof *t->classes);
    if (!t->classes)
        return tulle_fail_memory(error);
    for (size_t r = 0; r < data->rows; r++)
        tulle_encode_targets(&t->target_rows, data->values + r * data->columns, TULLE_F64,
                             t->classes + r * t->target_count);
    return put_unknown_last(t) ? TULLE_OK : tulle_fail_memory(error);
}

/* --- Weights --------------------------------------------------------------------------------- */

/* The weight column's numbers. */
static enum tulle_status take_weights(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    size_t used = t->rows[0] + t->rows[1] + t->rows[2];
    for (size_t i = 0; i < used; i++) {
        double weight = data->values[t->order[i] * data->columns + t->weight_column];
        if (!(weight >= 0))
            return tulle_fail_row(t, t->order[i], error,
                                  "expected a weight of at least 0 in column '%s', got %g",
                                  t->options.weight_column, weight);
        t->weights[t->order[i]] = weight;
    }
    return TULLE_OK;
}

/* factors[c]: what class c counts, so that all weigh the same, or as the caller says. */
static enum tulle_status find_class_factors(const struct training *t, double *factors,
                                            struct tulle_error *error)
{
    const struct tulle_column *target = &t->fits[t->input_count];
    const struct tulle_train_options *o = &t->options;
    size_t classes = target->levels.count;
    for (size_t c = 0; c < classes; c++)
        factors[c] = o->balance_classes ? 0 : 1;
    for (size_t i = 0; o->balance_classes && i < t->rows[TULLE_SPLIT_TRAIN]; i++)
        factors[(size_t)t->classes[t->order[i]]] += t->weights[t->order[i]];
    for (size_t c = 0; o->balance_classes && c < classes; c++)
        factors[c] = factors[c] > 0 ? 1 / factors[c] : 0;
    for (size_t i = 0; i < o->class_weight_count; i++) {
        double level = tulle_column_level(target, o->class_names[i]);
        if (isnan(level))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "no training row has the class '%s' that a weight is given for",
                              o->class_names[i]);
        if (!(o->class_weights[i] >= 0) || isinf(o->class_weights[i]))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "the weight of class '%s' must be at least 0, got %g",
                              o->class_names[i], o->class_weights[i]);
        factors[(size_t)level] *= o->class_weights[i];
    }
    return TULLE_OK;
}

static enum tulle_status weigh_classes(struct training *t, struct tulle_error *error)
{
    if (t->task != TULLE_TASK_CLASSIFICATION || t->target_count > 1)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "class weights are for classification with one target");
    double *factors = tulle_calloc(t->fits[t->input_count].levels.count, sizeof *factors);
    if (!factors)
        return tulle_fail_memory(error);
    enum tulle_status status = find_class_factors(t, factors, error);
    for (size_t r = 0; status == TULLE_OK && r < t->dataset->info.rows; r++)
        if (!isnan(t->classes[r]))
            t->weights[r] *= factors[(size_t)t->classes[r]];
    tulle_free(factors);
    return status;
}

enum tulle_status tulle_training_weigh(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    int weighs_classes = o->balance_classes || o->class_weight_count > 0;
    size_t rows = t->dataset->info.rows, train = t->rows[TULLE_SPLIT_TRAIN];
    enum tulle_status status = TULLE_OK;
    if (!o->weight_column && !weighs_classes)
        return TULLE_OK;
    t->weights = tulle_calloc(rows, sizeof *t->weights);
    if (!t->weights)
        return tulle_fail_memory(error);
    for (size_t r = 0; r < rows; r++)
        t->weights[r] = 1;
    if (o->weight_column)
        status = take_weights(t, error);
    if (status == TULLE_OK && weighs_classes)
        status = weigh_classes(t, error);
    if (status != TULLE_OK)
        return status;
    /* With a mean of 1 the learning rate means what it does without weights. By the largest first,
     * so that the sum stays in range. */
    double largest = 0, sum = 0;
    for (size_t i = 0; i < train; i++)
        if (t->weights[t->order[i]] > largest)
            largest = t->weights[t->order[i]];
    if (largest == 0)
        return FAIL_DATA(t, error, "the weights of all training rows are 0");
    for (size_t i = 0; i < train; i++)
        sum += t->weights[t->order[i]] / largest;
    for (size_t r = 0; r < rows; r++)
        t->weights[r] = t->weights[r] / largest / (sum / (double)train);
    return TULLE_OK;
}

/* --- As the network sees them ---------------------------------------------------------------- */

static struct rows view(const struct training *t, const size_t *order,
                        const struct encoder *encoder, const struct row_encoder *encoding)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    struct rows rows = {.matrix = tulle_f64(data->values, data->rows, data->columns),
                        .order = order};
    if (encoder->is_linear) {
        rows.columns = encoding->columns;
        rows.mean = encoder->means;
        rows.scale = encoder->scales;
        rows.missing_is_0 = 1;
    } else {
        rows.encode = encoder == &t->targets ? tulle_encode_targets : tulle_encode_inputs;
        rows.context = encoding;
    }
    return rows;
}

void tulle_training_view(const struct training *t, const size_t *order, struct rows *x,
                         struct rows *y)
{
    *x = view(t, order, &t->inputs, &t->input_rows);
    *y = view(t, order, &t->targets, &t->target_rows);
    if (t->classes)
        *y = (struct rows){.matrix = tulle_f64(t->classes, t->dataset->info.rows, t->target_count),
                           .order = order};
}
