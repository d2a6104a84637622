/* number_map.h - a function given at some numbers: pairs in ascending order, and binary search. */
#ifndef TULLE_NUMBER_MAP_H
#define TULLE_NUMBER_MAP_H

#include <stddef.h>

struct number_pair {
    double key, value;
};

/* Keys are all different and ascend. */
struct number_map {
    struct number_pair *pairs;
    size_t count;
};

/* How many keys are at most x, which is no NaN. */
size_t tulle_number_map_find(const struct number_map *map, double x);

/* The value at the key x; NaN if there is none. */
double tulle_number_map_get(const struct number_map *map, double x);

#endif
