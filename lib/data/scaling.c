/* scaling.c - what is learned from a column before training. */
#include "../base/portability.h"

#include <math.h>

#include "dataset.h"
#include "scaling.h"

/*
 * Two passes over t = (x - minimum) / range, which lies in [0, 1]: values near the ends of the
 * range of a double neither overflow nor lose their deviation, as they would if they were squared.
 */
static void fit_moments(const double *values, size_t stride, const size_t *order, size_t count,
                        struct tulle_column *column)
{
    double range = column->maximum - column->minimum, mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++)
        mean += (values[order[i] * stride] - column->minimum) / range;
    mean /= (double)count;
    for (size_t i = 0; i < count; i++) {
        double deviation = (values[order[i] * stride] - column->minimum) / range - mean;
        variance += deviation * deviation;
    }
    variance /= (double)count;
    column->mean = column->minimum + range * mean;
    column->scale = range * sqrt(variance);
}

enum tulle_status tulle_scaling_fit(const struct tulle_dataset *dataset, size_t index,
                                    const size_t *order, size_t count, int standardize,
                                    struct tulle_column *column, struct tulle_error *error)
{
    const struct tulle_dataset_info *info = &dataset->info;
    const double *values = info->values + index;
    size_t stride = info->columns;
    double first = values[order[0] * stride];
    column->minimum = column->maximum = first;
    for (size_t i = 1; i < count; i++) {
        double value = values[order[i] * stride];
        if (value < column->minimum)
            column->minimum = value;
        if (value > column->maximum)
            column->maximum = value;
    }

    column->mean = 0;
    column->scale = 1;
    if (!standardize)
        return TULLE_OK;
    if (column->minimum == column->maximum) {
        column->mean = first;
        return TULLE_OK;
    }
    fit_moments(values, stride, order, count, column);
    if (!isfinite(column->mean) || !isfinite(column->scale) || column->scale <= 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, info->source, 0, 0,
                             "the values of column '%s', from %g to %g, cannot be standardised: "
                             "their range is beyond that of a double",
                             info->names[index], column->minimum, column->maximum);
    return TULLE_OK;
}
