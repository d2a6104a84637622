/* column_fit.c - ranges, moments, quantiles and levels of a column's training rows. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "column_fit.h"
#include "dataset.h"
#include "levels.h"
#include "number_format.h"

enum { MOST_QUANTILES = 1001 };

/* --- A column's memory ------------------------------------------------------------------------ */

void tulle_column_clear(struct tulle_column *column)
{
    tulle_free((void *)column->name);
    tulle_free((void *)column->quantiles);
    tulle_free((void *)column->levels.names);
    memset(column, 0, sizeof *column);
}

int tulle_column_copy(struct tulle_column *copy, const struct tulle_column *column)
{
    double *quantiles = NULL;
    if (column->quantiles)
        quantiles = tulle_calloc(column->quantile_count, sizeof *quantiles);
    if (quantiles)
        memcpy(quantiles, column->quantiles, column->quantile_count * sizeof *quantiles);
    *copy = *column;
    copy->name = tulle_strdup(column->name);
    copy->quantiles = quantiles;
    int has_levels = tulle_levels_copy(&copy->levels, &column->levels);
    if (copy->name && !quantiles == !column->quantiles && has_levels)
        return 1;
    tulle_column_clear(copy);
    return 0;
}

int tulle_column_is_constant(const struct tulle_column *column)
{
    if (column->levels.names)
        return column->levels.count + (column->missing > 0) <= 1;
    return column->missing == 0 && column->minimum == column->maximum;
}

/* --- Numbers ---------------------------------------------------------------------------------- */

/* The rows that are looked at. */
struct selection {
    const struct tulle_dataset_info *info;
    size_t index;
    const size_t *order;
    size_t count;
};

static double value_at(const struct selection *rows, size_t i)
{
    return rows->info->values[rows->order[i] * rows->info->columns + rows->index];
}

/* The values that are not missing, *found of them and, where there are none, a 0 behind. NULL if
 * there is no memory; freed with tulle_free(). */
static double *collect_values(const struct selection *rows, size_t *found)
{
    double *values = tulle_calloc(rows->count, sizeof *values);
    *found = 0;
    for (size_t i = 0; values && i < rows->count; i++) {
        double value = value_at(rows, i);
        if (!isnan(value))
            values[(*found)++] = value;
    }
    return values;
}

static void fit_range(const double *values, size_t count, struct tulle_column *column)
{
    column->minimum = column->maximum = values[0];
    for (size_t i = 1; i < count; i++) {
        if (values[i] < column->minimum)
            column->minimum = values[i];
        if (values[i] > column->maximum)
            column->maximum = values[i];
    }
}

/*
 * Two passes over t = (x - minimum) / range, which lies in [0, 1]: values near the ends of the
 * range of a double neither overflow nor lose their deviation, as they would if they were squared.
 */
static void fit_moments(const double *values, size_t count, struct tulle_column *column)
{
    double range = column->maximum - column->minimum, mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++)
        mean += (values[i] - column->minimum) / range;
    mean /= (double)count;
    for (size_t i = 0; i < count; i++) {
        double deviation = (values[i] - column->minimum) / range - mean;
        variance += deviation * deviation;
    }
    variance /= (double)count;
    column->mean = column->minimum + range * mean;
    column->scale = fmax(range * sqrt(variance), DBL_MIN);
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Adding 0 turns -0 into 0: which of equal numbers comes first is up to the C library. */
static void sort(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] += 0.0;
    qsort(values, count, sizeof *values, compare_numbers);
}

/* The value part / parts of the way from the first to the last, part <= parts. */
static double quantile(const double *sorted, size_t count, size_t part, size_t parts)
{
    size_t whole = (count - 1) / parts, rest = part * ((count - 1) % parts);
    size_t at = part * whole + rest / parts;
    rest %= parts;
    if (rest == 0)
        return sorted[at];
    return sorted[at] + (double)rest / (double)parts * (sorted[at + 1] - sorted[at]);
}

static void fit_robust(const double *sorted, size_t count, struct tulle_column *column)
{
    double between_quartiles = quantile(sorted, count, 3, 4) - quantile(sorted, count, 1, 4);
    column->mean = quantile(sorted, count, 1, 2);
    double unit =
        between_quartiles > 0 ? between_quartiles : (column->maximum - column->minimum) / 2;
    column->scale = fmax(unit, DBL_MIN);
}

static int fit_quantiles(const double *sorted, size_t count, struct tulle_column *column)
{
    size_t knots = count < MOST_QUANTILES ? count : MOST_QUANTILES;
    double *quantiles = tulle_calloc(knots, sizeof *quantiles);
    if (!quantiles)
        return 0;
    for (size_t i = 0; i < knots; i++)
        quantiles[i] = quantile(sorted, count, i, knots > 1 ? knots - 1 : 1);
    column->mean = quantile(sorted, count, 1, 2);
    column->quantiles = quantiles;
    column->quantile_count = knots;
    return 1;
}

/* The centre and the unit, once the range is known. 0 if there is no memory. */
static int fit_scaling(double *values, size_t count, struct tulle_column *column)
{
    int is_constant = column->minimum == column->maximum;
    column->mean = column->scaling == TULLE_SCALING_NONE ? 0 : values[0];
    switch (column->scaling) { /* not covered: a scaling that is not here */
    case TULLE_SCALING_AUTO:   /* nobody's here */
    case TULLE_SCALING_NONE:
        break;
    case TULLE_SCALING_STANDARD:
        if (!is_constant)
            fit_moments(values, count, column);
        break;
    case TULLE_SCALING_ROBUST:
        sort(values, count);
        if (!is_constant)
            fit_robust(values, count, column);
        break;
    case TULLE_SCALING_QUANTILE:
        sort(values, count);
        return fit_quantiles(values, is_constant ? 1 : count, column);
    }
    return 1;
}

static enum tulle_status fit_number(const struct selection *rows, struct tulle_column *column,
                                    struct tulle_error *error)
{
    size_t count;
    double *values = collect_values(rows, &count);
    if (!values)
        return tulle_fail_memory(error);
    if (count > 0)
        column->missing = rows->count - count;
    else
        count = 1;
    fit_range(values, count, column);
    int has_memory = fit_scaling(values, count, column);
    tulle_free(values);
    return has_memory ? TULLE_OK : tulle_fail_memory(error);
}

/* Of sorted values each once, at the front, and in counts how often each is there. */
static size_t count_values(double *sorted, size_t count, double *counts)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (distinct > 0 && sorted[distinct - 1] == sorted[i]) {
            counts[distinct - 1]++;
        } else {
            counts[distinct] = 1;
            sorted[distinct++] = sorted[i];
        }
    }
    return distinct;
}

/* rest / left rows: a share for which the sum of min(count, share) is `bins` shares. */
struct share {
    double rest, left; /* whole numbers, so that what is compared is exact */
};

static int is_whole_share(const struct share *share, double count)
{
    return count * share->left >= share->rest;
}

/* Of counts of more values than bins. Each round takes out the values that are a share by
 * themselves, which are fewer than the bins that are left. */
static struct share find_share(const double *counts, size_t distinct, size_t bins)
{
    struct share share = {INFINITY, 1};
    for (;;) {
        struct share next = {0, (double)bins};
        for (size_t i = 0; i < distinct; i++) {
            int is_whole = is_whole_share(&share, counts[i]);
            next.left -= is_whole;
            next.rest += is_whole ? 0 : counts[i];
        }
        if (next.left == share.left && next.rest == share.rest)
            return share;
        share = next;
    }
}

/*
 * A value that most rows have takes the place of most quantiles, and leaves none to tell the others
 * apart. So no value counts for more than a share: the others divide what is left of the knots, as
 * bins are found in histograms of gradient boosting (Ke et al., LightGBM, 2017). A knot is the
 * value within whose rows the next share begins, so a value of a whole share has one of its own.
 */
static size_t place_knots(const double *values, const double *counts, size_t distinct, size_t count,
                          double *knots)
{
    const struct share share = find_share(counts, distinct, count - 1);
    size_t placed = 0;
    double sum = 0; /* times share.left */
    for (size_t i = 0; i + 1 < distinct && placed + 1 < count; i++) {
        sum += is_whole_share(&share, counts[i]) ? share.rest : counts[i] * share.left;
        if (sum > share.rest * (double)placed)
            knots[placed++] = values[i];
    }
    knots[placed++] = values[distinct - 1];
    return placed;
}

size_t tulle_column_knots(const struct tulle_dataset *dataset, size_t index, const size_t *order,
                          size_t rows, size_t count, double *knots)
{
    struct selection selection = {&dataset->info, index, order, rows};
    size_t found, placed = 0;
    double *values = collect_values(&selection, &found);
    double *counts = tulle_calloc(rows, sizeof *counts);
    if (values && counts) {
        sort(values, found);
        placed = count_values(values, found > 0 ? found : 1, counts);
        if (placed > count)
            placed = place_knots(values, counts, placed, count, knots);
        else
            memcpy(knots, values, placed * sizeof *knots);
    }
    tulle_free(values);
    tulle_free(counts);
    return placed;
}

/* --- Levels ----------------------------------------------------------------------------------- */

static enum tulle_status fit_levels(const struct selection *rows,
                                    const struct column_fit_options *options,
                                    struct tulle_column *column, struct tulle_error *error)
{
    const struct tulle_levels *levels = &rows->info->levels[rows->index];
    size_t found = 0;
    const char **names = tulle_calloc(levels->count, sizeof *names); /* of those that are there */
    if (!names)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < rows->count; i++) {
        double value = value_at(rows, i);
        if (isnan(value))
            column->missing++;
        else
            names[(size_t)value] = levels->names[(size_t)value];
    }
    for (size_t i = 0; i < levels->count; i++)
        if (names[i])
            names[found++] = names[i];
    if (found == 0)
        column->missing = 0;
    size_t kinds = found + (column->missing > 0);
    if (kinds > 2 && kinds > options->one_hot_levels)
        column->dimensions = options->embedding_dimensions;
    struct tulle_levels there = {names, found};
    int is_copied = tulle_levels_copy(&column->levels, &there);
    tulle_free(names);
    return is_copied ? TULLE_OK : tulle_fail_memory(error);
}

static enum tulle_status fit_classes(const struct selection *rows, size_t most,
                                     struct tulle_column *column, struct tulle_error *error)
{
    size_t count, classes = 0;
    char(*texts)[TULLE_NUMBER_SIZE] = NULL;
    const char **names = NULL;
    enum tulle_status status = tulle_fail_memory(error);
    double *values = collect_values(rows, &count);
    if (!values)
        goto out;
    if (count > 0)
        column->missing = rows->count - count;
    sort(values, count);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || values[i] != values[classes - 1])
            values[classes++] = values[i];
    if (classes > most) {
        status = tulle_fail_at(error, TULLE_ERROR_DATA, rows->info->source, 0, 0,
                               "column '%s' has %zu different numbers, more than the %zu that can "
                               "be classes; to predict them as numbers is a task for regression",
                               column->name, classes, most);
        goto out;
    }
    texts = tulle_calloc(classes, sizeof *texts);
    names = tulle_calloc(classes, sizeof *names);
    if (!texts || !names)
        goto out;
    for (size_t i = 0; i < classes; i++) {
        tulle_number_format(values[i], texts[i]);
        names[i] = texts[i];
    }
    struct tulle_levels levels = {names, classes};
    if (tulle_levels_copy(&column->levels, &levels))
        status = TULLE_OK;
out:
    tulle_free(texts);
    tulle_free(names);
    tulle_free(values);
    return status;
}

/* --- The whole -------------------------------------------------------------------------------- */

static enum tulle_status begin(const struct selection *rows, struct tulle_column *column,
                               struct tulle_error *error)
{
    *column = (struct tulle_column){.scale = 1};
    column->name = tulle_strdup(rows->info->names[rows->index]);
    return column->name ? TULLE_OK : tulle_fail_memory(error);
}

enum tulle_status tulle_column_fit(const struct tulle_dataset *dataset, size_t index,
                                   const size_t *order, size_t count,
                                   const struct column_fit_options *options,
                                   struct tulle_column *column, struct tulle_error *error)
{
    struct selection rows = {&dataset->info, index, order, count};
    uint64_t mode = tulle_float_mode_enter();
    enum tulle_status status = begin(&rows, column, error);
    if (status == TULLE_OK && dataset->info.levels[index].names) {
        status = fit_levels(&rows, options, column, error);
    } else if (status == TULLE_OK) {
        column->scaling = options->scaling;
        status = fit_number(&rows, column, error);
    }
    if (status != TULLE_OK)
        tulle_column_clear(column);
    tulle_float_mode_leave(mode);
    return status;
}

enum tulle_status tulle_column_fit_classes(const struct tulle_dataset *dataset, size_t index,
                                           const size_t *order, size_t count, size_t most,
                                           struct tulle_column *column, struct tulle_error *error)
{
    struct selection rows = {&dataset->info, index, order, count};
    uint64_t mode = tulle_float_mode_enter();
    enum tulle_status status = begin(&rows, column, error);
    if (status == TULLE_OK)
        status = fit_classes(&rows, most, column, error);
    if (status != TULLE_OK)
        tulle_column_clear(column);
    tulle_float_mode_leave(mode);
    return status;
}
