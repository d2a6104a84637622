/* column_fit.h - what is learned about a column from the training rows (struct tulle_column). */
#ifndef TULLE_COLUMN_FIT_H
#define TULLE_COLUMN_FIT_H

#include "../base/status.h"

struct column_fit_options {
    enum tulle_scaling scaling;
    size_t one_hot_levels;       /* a column of more levels is embedded, in so many dimensions; */
    size_t embedding_dimensions; /* missing counts as a level, and two levels never are */
};

/*
 * Fills in *column, its name a copy, from the column at `index` of the dataset over rows
 * order[0..count-1], count >= 1: the range, centre and unit of the values that are not missing, or
 * the levels that are there, in the order of the dataset's. The centre and the unit are
 *
 *   none      0 and 1
 *   standard  the mean and the (population) standard deviation
 *   robust    the median and the interquartile range; or, where that is 0, half of the whole range
 *   quantile  the median and 1; the quantiles, at most 1001, are all values where these are fewer
 *
 * with quantiles interpolated linearly between the values. A constant column's are its value and 1
 * (but for none). Without a value that is not missing the column counts as constant: as a number 0
 * that is never missing, or without levels. A unit is at least DBL_MIN, so that none is 0. Fails
 * only for want of memory; *column is then clear.
 */
enum tulle_status tulle_column_fit(const struct tulle_dataset *dataset, size_t index,
                                   const size_t *order, size_t count,
                                   const struct column_fit_options *options,
                                   struct tulle_column *column, struct tulle_error *error);

/* The same for a numeric column whose numbers are classes: each number a level, ascending, named by
 * its shortest decimal (tulle_number_format). At most `most` levels, else TULLE_ERROR_DATA. */
enum tulle_status tulle_column_fit_classes(const struct tulle_dataset *dataset, size_t index,
                                           const size_t *order, size_t count, size_t most,
                                           struct tulle_column *column, struct tulle_error *error);

/*
 * At most `count` >= 2 values of a numeric column over rows order[0..rows-1], ascending and each
 * once, from the least to the largest: all where no more are there, else such that between
 * neighbours are about as many rows, of which a value's count for no more than the share of one
 * bin. A 0 where the column is always missing. How many they are; 0 if there is no memory.
 */
size_t tulle_column_knots(const struct tulle_dataset *dataset, size_t index, const size_t *order,
                          size_t rows, size_t count, double *knots);

/* Frees what a fitted or copied column owns: name, quantiles, and levels.names, one block with all
 * its texts. */
void tulle_column_clear(struct tulle_column *column);

/* A deep copy; 0 if there is no memory, with *copy clear. */
int tulle_column_copy(struct tulle_column *copy, const struct tulle_column *column);

/* Whether all training rows have one value, or none has any. */
int tulle_column_is_constant(const struct tulle_column *column);

#endif
