/* dataset.h - the table in memory: row-major doubles, exactly as read, of at most
 * TULLE_LARGEST_VALUE in size (number.h), or indices of levels; NaN is missing. */
#ifndef TULLE_DATASET_H
#define TULLE_DATASET_H

#include "../base/status.h"

/* Owns all that info points to; the names of a column's levels are one block (levels.h). */
struct tulle_dataset {
    struct tulle_dataset_info info;
};

/* The index of a column, SIZE_MAX if there is none of that name. */
size_t tulle_dataset_find(const struct tulle_dataset *dataset, const char *name);

/*
 * A new dataset: the rows of `first`, with their splits or all of them train, and then those of
 * `second`, all of second_split. The columns are first's; second's are matched by name and may be
 * more. Levels are matched by their text, and second's new ones follow first's. TULLE_ERROR_DATA if
 * a column is not there, or is of another kind; one that is all missing in either is of any kind.
 */
enum tulle_status tulle_dataset_join(const struct tulle_dataset *first,
                                     const struct tulle_dataset *second, unsigned char second_split,
                                     struct tulle_dataset **joined, struct tulle_error *error);

#endif
