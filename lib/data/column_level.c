/* column_level.c - which level a text or a number is: among few, among many, or for all levels of a
 * table at once. */
#include "../base/portability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "column_level.h"
#include "number.h"

static int read_number(const char *text, double *number)
{
    return tulle_number_parse(text, strlen(text), number) == NUMBER_FINITE;
}

double tulle_column_level(const struct tulle_column *column, const char *text)
{
    const struct tulle_levels *levels = &column->levels;
    double number, other;
    for (size_t i = 0; i < levels->count; i++)
        if (strcmp(levels->names[i], text) == 0)
            return (double)i;
    if (!read_number(text, &number))
        return NAN;
    for (size_t i = 0; i < levels->count; i++)
        if (read_number(levels->names[i], &other) && other == number)
            return (double)i;
    return NAN;
}

static int compare_pairs(const void *left, const void *right)
{
    const struct number_pair *a = left, *b = right;
    int order = (a->key > b->key) - (a->key < b->key);
    return order ? order : (a->value > b->value) - (a->value < b->value);
}

int tulle_level_numbers(const struct tulle_levels *levels, struct number_map *map)
{
    size_t count = 0;
    map->count = 0;
    map->pairs = tulle_calloc(levels->count, sizeof *map->pairs);
    if (!map->pairs)
        return 0;
    for (size_t i = 0; i < levels->count; i++) {
        map->pairs[count].value = (double)i;
        count += read_number(levels->names[i], &map->pairs[count].key);
    }
    qsort(map->pairs, count, sizeof *map->pairs, compare_pairs);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || map->pairs[i].key != map->pairs[map->count - 1].key)
            map->pairs[map->count++] = map->pairs[i];
    return 1;
}

int tulle_level_finder_init(struct level_finder *finder, const struct tulle_levels *levels)
{
    *finder = (struct level_finder){0};
    return tulle_name_index_init(&finder->names, levels->names, levels->count) &&
           tulle_level_numbers(levels, &finder->numbers);
}

void tulle_level_finder_clear(struct level_finder *finder)
{
    tulle_name_index_clear(&finder->names);
    tulle_free(finder->numbers.pairs);
    *finder = (struct level_finder){0};
}

double tulle_level_find(const struct level_finder *finder, const char *text)
{
    const struct name_entry *found;
    double number;
    if (tulle_name_index_find(&finder->names, text, &found) > 0)
        return (double)found->position;
    return read_number(text, &number) ? tulle_number_map_get(&finder->numbers, number) : NAN;
}

double *tulle_level_map(const struct tulle_levels *levels, const struct tulle_column *column)
{
    struct level_finder finder;
    double *map = NULL;
    if (tulle_level_finder_init(&finder, &column->levels))
        map = tulle_calloc(levels->count, sizeof *map);
    for (size_t i = 0; map && i < levels->count; i++)
        map[i] = tulle_level_find(&finder, levels->names[i]);
    tulle_level_finder_clear(&finder);
    return map;
}
