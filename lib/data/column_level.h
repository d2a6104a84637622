/* column_level.h - which level a text or a number is. */
#ifndef TULLE_COLUMN_LEVEL_H
#define TULLE_COLUMN_LEVEL_H

#include "../base/status.h"
#include "name_index.h"
#include "number_map.h"

/* The levels whose names are numbers: from the number to the index, the first of equal ones. 0 if
 * there is no memory. map->pairs is freed with tulle_free(). */
int tulle_level_numbers(const struct tulle_levels *levels, struct number_map *map);

/* Finds one of many levels, as tulle_column_level does. All zeros is one that is not initialised,
 * which may be cleared. */
struct level_finder {
    struct name_index names;
    struct number_map numbers;
};

/* The levels must outlive the finder. 0 if there is no memory: it must be cleared then too. */
int tulle_level_finder_init(struct level_finder *finder, const struct tulle_levels *levels);
void tulle_level_finder_clear(struct level_finder *finder);

/* The level, NaN if there is none. */
double tulle_level_find(const struct level_finder *finder, const char *text);

/* map[i] = the column's level (tulle_column_level) for level i of a table, NaN for none; NULL if
 * there is no memory. Freed with tulle_free(). */
double *tulle_level_map(const struct tulle_levels *levels, const struct tulle_column *column);

#endif
