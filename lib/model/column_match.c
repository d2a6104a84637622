/* column_match.c - a table's columns for a model's. */
#include "../base/portability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../data/column_level.h"
#include "../data/encoder.h"
#include "../data/name_index.h"
#include "../data/number.h"
#include "column_match.h"

struct matched_column {
    size_t position;           /* in a row of the table */
    struct name_index names;   /* the model's levels by name, */
    struct number_map numbers; /* and those by number whose names are one */
    double *map;               /* (mapped) the model's level for each of the table's so far */
    size_t mapped;
};

static int is_categorical(const struct tulle_column *column)
{
    return column->levels.names != NULL;
}

/* What it takes to find a level; 0 if there is no memory. */
static int index_levels(struct matched_column *matched, const struct tulle_column *column)
{
    return !is_categorical(column) ||
           (tulle_name_index_init(&matched->names, column->levels.names, column->levels.count) &&
            tulle_level_numbers(&column->levels, &matched->numbers));
}

enum tulle_status tulle_column_match_init(struct column_match *match,
                                          const struct tulle_column *columns, size_t count,
                                          const char *source, const char *const *names,
                                          size_t name_count, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    struct name_index index = {0};
    *match = (struct column_match){.columns = columns, .count = count, .source = source};
    match->matched = tulle_calloc(count, sizeof *match->matched);
    if (!match->matched || !tulle_name_index_init(&index, names, name_count)) {
        status = tulle_fail_memory(error);
        goto out;
    }
    for (size_t i = 0; i < count && status == TULLE_OK; i++) {
        const struct name_entry *found;
        if (tulle_name_index_find(&index, columns[i].name, &found) == 0)
            status = tulle_fail_no_column(error, source, columns[i].name, names, name_count);
        else if (!index_levels(&match->matched[i], &columns[i]))
            status = tulle_fail_memory(error);
        else
            match->matched[i].position = found->position;
    }
out:
    tulle_name_index_clear(&index);
    return status;
}

void tulle_column_match_clear(struct column_match *match)
{
    for (size_t i = 0; match->matched && i < match->count; i++) {
        tulle_name_index_clear(&match->matched[i].names);
        free(match->matched[i].numbers.pairs);
        free(match->matched[i].map);
    }
    free(match->matched);
    *match = (struct column_match){0};
}

static double level_of_number(const struct matched_column *matched, double number)
{
    double level = tulle_number_map_get(&matched->numbers, number);
    return isnan(level) ? TULLE_UNKNOWN_LEVEL : level;
}

/* As tulle_column_level, but fast for many levels. */
static double level_of_name(const struct matched_column *matched, const char *name)
{
    const struct name_entry *found;
    double number;
    if (tulle_name_index_find(&matched->names, name, &found) > 0)
        return (double)found->position;
    if (tulle_number_parse(name, strlen(name), &number) == NUMBER_FINITE)
        return level_of_number(matched, number);
    return TULLE_UNKNOWN_LEVEL;
}

enum tulle_status tulle_column_match_levels(struct column_match *match,
                                            const struct tulle_levels *levels,
                                            struct tulle_error *error)
{
    for (size_t i = 0; i < match->count; i++) {
        struct matched_column *matched = &match->matched[i];
        const struct tulle_levels *table = &levels[matched->position];
        if (table->count == matched->mapped)
            continue;
        if (!is_categorical(&match->columns[i]))
            return tulle_fail_at(error, TULLE_ERROR_DATA, match->source, 0, 0,
                                 "column '%s' holds names, such as '%.40s', where the model was "
                                 "trained on numbers; read it as numeric",
                                 match->columns[i].name, table->names[0]);
        double *map = tulle_realloc_array(matched->map, table->count, sizeof *map);
        if (!map)
            return tulle_fail_memory(error);
        matched->map = map;
        for (; matched->mapped < table->count; matched->mapped++)
            map[matched->mapped] = level_of_name(matched, table->names[matched->mapped]);
    }
    return TULLE_OK;
}

/* What a row of the table holds in the model's column number `index`. */
static double value_of(const struct column_match *match, size_t index, const double *row)
{
    const struct matched_column *matched = &match->matched[index];
    double value = row[matched->position];
    if (!is_categorical(&match->columns[index]) || isnan(value))
        return value;
    return matched->mapped > 0 ? matched->map[(size_t)value] : level_of_number(matched, value);
}

void tulle_column_match_row(const struct column_match *match, const double *row, double *values,
                            size_t *out_of_range)
{
    for (size_t i = 0; i < match->count; i++) {
        double value = value_of(match, i, row);
        if (out_of_range)
            out_of_range[i] += tulle_is_out_of_range(&match->columns[i], value);
        values[i] = value;
    }
}
