/* scaling.h - what is learned from a column before training: its range, mean and deviation. */
#ifndef TULLE_SCALING_H
#define TULLE_SCALING_H

#include "../base/status.h"

/*
 * Fills in all of *column but the name from the column at index `index` of the dataset, over rows
 * order[0..count-1], count >= 1. With standardize, mean and scale are the mean and the (population)
 * standard deviation, and a constant column has scale 1; without, they are 0 and 1.
 * TULLE_ERROR_DATA if the range of values is beyond that of a double.
 */
enum tulle_status tulle_scaling_fit(const struct tulle_dataset *dataset, size_t index,
                                    const size_t *order, size_t count, int standardize,
                                    struct tulle_column *column, struct tulle_error *error);

#endif
