/* number_map.c - binary search among the keys. */
#include "../base/portability.h"

#include <math.h>

#include "number_map.h"

/* Where x lies is anybody's guess, so the halving is a selection and not a branch. */
size_t tulle_number_map_find(const struct number_map *map, double x)
{
    const struct number_pair *first = map->pairs;
    size_t count = map->count;
    while (count > 1) {
        size_t half = count / 2;
        first = first[half].key <= x ? first + half : first;
        count -= half;
    }
    return (size_t)(first - map->pairs) + (count == 1 && first->key <= x);
}

double tulle_number_map_get(const struct number_map *map, double x)
{
    size_t count = tulle_number_map_find(map, x);
    return count > 0 && map->pairs[count - 1].key == x ? map->pairs[count - 1].value : NAN;
}
