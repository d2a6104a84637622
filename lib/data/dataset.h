/* dataset.h - the table in memory: row-major doubles, exactly as read, of at most
 * TULLE_LARGEST_VALUE in size (number.h). */
#ifndef TULLE_DATASET_H
#define TULLE_DATASET_H

#include "../base/status.h"

/* Owns all that info points to. */
struct tulle_dataset {
    struct tulle_dataset_info info;
};

/* The index of a column, SIZE_MAX if there is none of that name. */
size_t tulle_dataset_find(const struct tulle_dataset *dataset, const char *name);

#endif
