/* column_match.c - a table's columns for a model's. */
#include "../base/portability.h"

#include <math.h>

#include "../base/memory.h"
#include "../data/encoder.h"
#include "column_match.h"

struct matched_column {
    size_t position;            /* in a row of the table */
    struct level_finder levels; /* the model's; all zeros for numbers */
    double *map;                /* (mapped) the model's level for each of the table's so far */
    size_t mapped;
};

static int is_categorical(const struct tulle_column *column)
{
    return column->levels.names != NULL;
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
        struct matched_column *matched = &match->matched[i];
        if (tulle_name_index_find(&index, columns[i].name, &found) == 0)
            status = tulle_fail_no_column(error, source, columns[i].name, names, name_count);
        else if (is_categorical(&columns[i]) &&
                 !tulle_level_finder_init(&matched->levels, &columns[i].levels))
            status = tulle_fail_memory(error);
        else
            matched->position = found->position;
    }
out:
    tulle_name_index_clear(&index);
    return status;
}

void tulle_column_match_clear(struct column_match *match)
{
    for (size_t i = 0; match->matched && i < match->count; i++) {
        tulle_level_finder_clear(&match->matched[i].levels);
        tulle_free(match->matched[i].map);
    }
    tulle_free(match->matched);
    *match = (struct column_match){0};
}

static double or_unknown(double level)
{
    return isnan(level) ? TULLE_UNKNOWN_LEVEL : level;
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
            map[matched->mapped] =
                or_unknown(tulle_level_find(&matched->levels, table->names[matched->mapped]));
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
    if (matched->mapped > 0)
        return matched->map[(size_t)value];
    return or_unknown(tulle_number_map_get(&matched->levels.numbers, value));
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
