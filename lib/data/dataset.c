/* dataset.c - a table in memory, from a file, from the caller's arrays or from two others. */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/memory.h"
#include "dataset.h"
#include "levels.h"
#include "missing.h"
#include "name_index.h"
#include "number.h"
#include "table_reader.h"

/* --- Making one ------------------------------------------------------------------------------- */

/* A dataset with everything but rows and levels; names NULL for c0, c1, ... */
static struct tulle_dataset *create_empty(const char *source, const char *const *names,
                                          size_t columns, const char *split_column,
                                          const struct tulle_levels *missing)
{
    struct tulle_dataset *made = tulle_calloc(1, sizeof *made);
    if (!made)
        return NULL;
    char **copies = tulle_calloc(columns, sizeof *copies);
    made->info.names = (const char *const *)copies;
    made->info.columns = columns;
    made->info.levels = tulle_calloc(columns, sizeof *made->info.levels);
    made->info.source = tulle_strdup(source);
    struct tulle_levels texts;
    int failed =
        !tulle_levels_copy(&texts, missing) || !copies || !made->info.levels || !made->info.source;
    made->info.missing = texts.names;
    made->info.missing_count = texts.count;
    for (size_t i = 0; i < columns && !failed; i++) {
        char numbered[32];
        snprintf(numbered, sizeof numbered, "c%zu", i);
        copies[i] = tulle_strdup(names ? names[i] : numbered);
        failed = !copies[i];
    }
    if (split_column && !failed) {
        made->info.split_column = tulle_strdup(split_column);
        failed = !made->info.split_column;
    }
    if (failed) {
        tulle_dataset_free(made);
        return NULL;
    }
    return made;
}

/* Makes room for `rows` rows; what was there stays. */
static int resize(struct tulle_dataset *dataset, size_t rows, int has_split)
{
    size_t count;
    if (!tulle_multiply(rows, dataset->info.columns, &count))
        return 0;
    void *values = tulle_realloc_array((void *)dataset->info.values, count, sizeof(double));
    if (!values)
        return 0;
    dataset->info.values = values;
    if (!has_split)
        return 1;
    void *split = tulle_realloc_array((void *)dataset->info.split, rows, 1);
    if (!split)
        return 0;
    dataset->info.split = split;
    return 1;
}

/* Copies a column's levels. */
static int set_levels(struct tulle_dataset *dataset, size_t column,
                      const struct tulle_levels *levels)
{
    return tulle_levels_copy((struct tulle_levels *)&dataset->info.levels[column], levels);
}

void tulle_dataset_free(struct tulle_dataset *dataset)
{
    if (!dataset)
        return;
    for (size_t i = 0; dataset->info.names && i < dataset->info.columns; i++)
        tulle_free((void *)dataset->info.names[i]);
    for (size_t i = 0; dataset->info.levels && i < dataset->info.columns; i++)
        tulle_free((void *)dataset->info.levels[i].names);
    tulle_free((void *)dataset->info.names);
    tulle_free((void *)dataset->info.levels);
    tulle_free((void *)dataset->info.source);
    tulle_free((void *)dataset->info.values);
    tulle_free((void *)dataset->info.split);
    tulle_free((void *)dataset->info.split_column);
    tulle_free((void *)dataset->info.missing);
    tulle_free(dataset);
}

/* --- From a file ------------------------------------------------------------------------------ */

/* In the names of a table whose lines end in CR alone its rows stand. */
static int has_carriage_return(const struct tulle_dataset_info *info)
{
    size_t i = 0;
    while (i < info->columns && !strchr(info->names[i], '\r'))
        i++;
    return i < info->columns;
}

static enum tulle_status read_rows(struct tulle_dataset *dataset, struct table_reader *reader,
                                   struct tulle_error *error)
{
    enum { FIRST_NUMBERS = 2048 };
    struct tulle_dataset_info *info = &dataset->info;
    int has_split = info->split_column != NULL;
    size_t capacity = 0;
    for (;;) {
        const double *values;
        enum tulle_split split = TULLE_SPLIT_TRAIN;
        enum tulle_status status = tulle_table_reader_next(reader, &values, &split, error);
        if (status)
            return status;
        if (!values)
            break;
        if (info->rows == capacity) {
            capacity = capacity ? 2 * capacity : 1 + FIRST_NUMBERS / info->columns;
            if (!resize(dataset, capacity, has_split))
                return tulle_fail_memory(error);
        }
        memcpy((double *)info->values + info->rows * info->columns, values,
               info->columns * sizeof(double));
        if (has_split)
            ((unsigned char *)info->split)[info->rows] = (unsigned char)split;
        info->rows++;
    }
    if (info->rows == 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), 0, 0,
                             "no rows after the header%s",
                             has_carriage_return(info)
                                 ? ", where lines end in CR alone; save the file with LF"
                                 : "");
    if (!resize(dataset, info->rows, has_split))
        return tulle_fail_memory(error);
    for (size_t i = 0; i < info->columns; i++)
        if (!set_levels(dataset, i, &tulle_table_reader_levels(reader)[i]))
            return tulle_fail_memory(error);
    return TULLE_OK;
}

enum tulle_status tulle_dataset_read(const char *path, const struct tulle_read_options *options,
                                     struct tulle_dataset **dataset, struct tulle_error *error)
{
    struct table_reader *reader;
    struct tulle_dataset *made = NULL;
    *dataset = NULL;
    enum tulle_status status = tulle_table_reader_open(path, options, &reader, error);
    if (status)
        return status;
    made = create_empty(tulle_table_reader_source(reader), tulle_table_reader_names(reader),
                        tulle_table_reader_columns(reader), tulle_table_reader_split_column(reader),
                        tulle_table_reader_missing(reader));
    if (!made) {
        status = tulle_fail_memory(error);
        goto out;
    }
    made->info.has_header = tulle_table_reader_has_header(reader);
    status = read_rows(made, reader, error);
out:
    tulle_table_reader_close(reader);
    if (status)
        tulle_dataset_free(made);
    else
        *dataset = made;
    return status;
}

/* --- From arrays ------------------------------------------------------------------------------ */

static enum tulle_status check_names(const char *const *names, size_t columns,
                                     struct tulle_error *error)
{
    struct name_index index;
    for (size_t i = 0; i < columns; i++)
        if (!names[i])
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the name of column %zu is NULL", i);
    if (!tulle_name_index_init(&index, names, columns))
        return tulle_fail_memory(error);
    enum tulle_status status = TULLE_OK;
    for (size_t i = 1; i < columns && !status; i++) {
        const struct name_entry *entry = &index.entries[i];
        if (strcmp(entry[-1].name, entry->name) == 0)
            status =
                tulle_fail(error, TULLE_ERROR_ARGUMENT, "columns %zu and %zu are both named '%s'",
                           entry[-1].position, entry->position, entry->name);
    }
    tulle_name_index_clear(&index);
    return status;
}

static enum tulle_status check_matrix(const struct tulle_matrix *values, struct tulle_error *error)
{
    if (!values->data || values->rows == 0 || values->columns == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "a dataset has at least one row and one column, got %zu and %zu",
                          values->rows, values->columns);
    if (values->type != TULLE_F32 && values->type != TULLE_F64)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "no type of number has the value %d",
                          (int)values->type);
    if (values->stride != 0 && values->stride < values->columns)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "rows of %zu columns cannot have a stride of %zu", values->columns,
                          values->stride);
    return TULLE_OK;
}

/* Levels that can be told apart, and written. */
static enum tulle_status check_levels(const struct tulle_levels *levels, const char *column,
                                      struct tulle_error *error)
{
    struct level_set set;
    enum tulle_status status = TULLE_OK;
    if (!levels->names)
        return levels->count == 0 ? TULLE_OK
                                  : tulle_fail(error, TULLE_ERROR_ARGUMENT,
                                               "column '%s' has %zu levels, but no names of them",
                                               column, levels->count);
    if (!tulle_level_set_init(&set))
        return tulle_fail_memory(error);
    for (size_t i = 0; i < levels->count && !status; i++) {
        size_t number = 0;
        const char *name = levels->names[i];
        const char *problem = !name ? "NULL" : tulle_is_blank(name) ? "blank" : NULL;
        status =
            problem ? TULLE_ERROR_DATA : tulle_level_set_add(&set, name, strlen(name), &number);
        if (status == TULLE_ERROR_MEMORY)
            tulle_fail_memory(error);
        else if (status)
            status = tulle_fail(error, TULLE_ERROR_ARGUMENT,
                                "the name of level %zu of column '%s' is %s", i, column,
                                problem ? problem : "not UTF-8 text");
        else if (number != i)
            status = tulle_fail(error, TULLE_ERROR_ARGUMENT,
                                "levels %zu and %zu of column '%s' are both '%s'", number, i,
                                column, name);
    }
    tulle_level_set_clear(&set);
    return status;
}

/* What the value of a column should have been; NULL if it is that. */
static const char *expected_value(double value, const struct tulle_levels *levels)
{
    if (isnan(value))
        return NULL;
    if (!levels->names)
        return tulle_number_expected(value);
    return value >= 0 && value < (double)levels->count && value == floor(value)
               ? NULL
               : "the index of a level";
}

static enum tulle_status copy_values(const struct tulle_dataset *dataset,
                                     const struct tulle_matrix *values, struct tulle_error *error)
{
    size_t stride = values->stride ? values->stride : values->columns;
    double *to = (double *)dataset->info.values;
    for (size_t r = 0; r < values->rows; r++)
        for (size_t c = 0; c < values->columns; c++) {
            size_t at = r * stride + c;
            double value = values->type == TULLE_F32 ? (double)((const float *)values->data)[at]
                                                     : ((const double *)values->data)[at];
            const char *expected = expected_value(value, &dataset->info.levels[c]);
            if (expected)
                return tulle_fail(error, TULLE_ERROR_DATA,
                                  "row %zu: expected %s in column '%s', got %g", r + 1, expected,
                                  dataset->info.names[c], value);
            *to++ = isnan(value) ? NAN : value;
        }
    return TULLE_OK;
}

/* A text that is a level of some column does not stand for a missing value. */
static void keep_levels_apart(struct tulle_dataset *dataset)
{
    struct tulle_dataset_info *info = &dataset->info;
    size_t kept = 0;
    for (size_t m = 0; m < info->missing_count; m++) {
        int is_level = 0;
        for (size_t c = 0; c < info->columns; c++)
            for (size_t l = 0; l < info->levels[c].count && !is_level; l++)
                is_level = strcmp(info->levels[c].names[l], info->missing[m]) == 0;
        if (!is_level)
            ((const char **)info->missing)[kept++] = info->missing[m];
    }
    info->missing_count = kept;
}

enum tulle_status tulle_dataset_create(const char *const *names, struct tulle_matrix values,
                                       const struct tulle_levels *levels,
                                       const unsigned char *splits, struct tulle_dataset **dataset,
                                       struct tulle_error *error)
{
    *dataset = NULL;
    enum tulle_status status = check_matrix(&values, error);
    if (!status && names)
        status = check_names(names, values.columns, error);
    if (status)
        return status;
    for (size_t r = 0; splits && r < values.rows; r++)
        if (splits[r] > TULLE_SPLIT_TEST)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "row %zu: no split for rows has the value %d", r + 1, splits[r]);
    struct tulle_dataset *made =
        create_empty("", names, values.columns, NULL, &tulle_default_missing);
    if (!made || !resize(made, values.rows, splits != NULL)) {
        status = tulle_fail_memory(error);
        goto out;
    }
    made->info.rows = values.rows;
    if (splits)
        memcpy((unsigned char *)made->info.split, splits, values.rows);
    for (size_t c = 0; levels && c < values.columns && !status; c++) {
        status = check_levels(&levels[c], made->info.names[c], error);
        if (!status && !set_levels(made, c, &levels[c]))
            status = tulle_fail_memory(error);
    }
    if (!status) {
        keep_levels_apart(made);
        status = copy_values(made, &values, error);
    }
out:
    if (status)
        tulle_dataset_free(made);
    else
        *dataset = made;
    return status;
}

/* --- From two others -------------------------------------------------------------------------- */

/* The second's column that goes with one of the first's. */
struct match {
    size_t column;
    double *map; /* from its levels to the joined ones; NULL for a numeric column */
};

static int is_all_missing(const struct tulle_dataset_info *info, size_t column)
{
    size_t r = 0;
    while (r < info->rows && isnan(info->values[r * info->columns + column]))
        r++;
    return r == info->rows;
}

/* The joined levels of one column of each, the first's in front. */
static int join_levels(struct tulle_dataset *joined, size_t column,
                       const struct tulle_levels *first, const struct tulle_levels *second,
                       struct match *match)
{
    struct level_set set;
    size_t number;
    if (!tulle_level_set_init(&set))
        return 0;
    match->map = tulle_calloc(second->count, sizeof *match->map);
    int done = match->map != NULL;
    for (size_t i = 0; done && i < first->count; i++)
        done = !tulle_level_set_add(&set, first->names[i], strlen(first->names[i]), &number);
    for (size_t i = 0; done && i < second->count; i++) {
        done = !tulle_level_set_add(&set, second->names[i], strlen(second->names[i]), &number);
        match->map[i] = (double)number;
    }
    done = done && set_levels(joined, column, &set.levels);
    tulle_level_set_clear(&set);
    return done;
}

/* Finds the second's columns and joins the levels. */
static enum tulle_status match_columns(struct tulle_dataset *joined,
                                       const struct tulle_dataset_info *first,
                                       const struct tulle_dataset_info *second,
                                       struct match *matches, struct tulle_error *error)
{
    struct name_index index;
    enum tulle_status status = TULLE_OK;
    if (!tulle_name_index_init(&index, second->names, second->columns))
        return tulle_fail_memory(error);
    for (size_t c = 0; c < first->columns && !status; c++) {
        const struct name_entry *found;
        const char *name = first->names[c];
        if (tulle_name_index_find(&index, name, &found) == 0) {
            status =
                tulle_fail_no_column(error, second->source, name, second->names, second->columns);
            break;
        }
        matches[c].column = found->position;
        const struct tulle_levels *ours = &first->levels[c];
        const struct tulle_levels *theirs = &second->levels[found->position];
        const struct tulle_levels *decisive = is_all_missing(first, c) ? theirs : ours;
        const int is_categorical = decisive->names != NULL;
        if (is_categorical != (theirs->names != NULL) && !is_all_missing(second, found->position))
            status = tulle_fail_at(
                error, TULLE_ERROR_DATA, second->source, 0, 0,
                "expected %s in column '%s' as in the training rows, got %s; name the column as "
                "%s when it is read",
                is_categorical ? "categories" : "numbers", name,
                is_categorical ? "numbers" : "categories",
                is_categorical ? "categorical" : "numeric");
        else if (is_categorical && !join_levels(joined, c, ours, theirs, &matches[c]))
            status = tulle_fail_memory(error);
    }
    tulle_name_index_clear(&index);
    return status;
}

/* Fills in the rows of a dataset that has room for them all. */
static void join_rows(struct tulle_dataset *joined, const struct tulle_dataset_info *first,
                      const struct tulle_dataset_info *second, unsigned char second_split,
                      const struct match *matches)
{
    size_t columns = first->columns;
    double *to = (double *)joined->info.values;
    unsigned char *split = (unsigned char *)joined->info.split;
    memcpy(to, first->values, first->rows * columns * sizeof *to);
    to += first->rows * columns;
    for (size_t r = 0; r < second->rows; r++)
        for (size_t c = 0; c < columns; c++) {
            double value = second->values[r * second->columns + matches[c].column];
            int is_level = matches[c].map && !isnan(value);
            *to++ = is_level ? matches[c].map[(size_t)value] : value;
        }
    if (first->split)
        memcpy(split, first->split, first->rows);
    else
        memset(split, TULLE_SPLIT_TRAIN, first->rows);
    memset(split + first->rows, second_split, second->rows);
    joined->info.rows = first->rows + second->rows;
}

enum tulle_status tulle_dataset_join(const struct tulle_dataset *first,
                                     const struct tulle_dataset *second, unsigned char second_split,
                                     struct tulle_dataset **joined, struct tulle_error *error)
{
    const struct tulle_dataset_info *a = &first->info, *b = &second->info;
    enum tulle_status status;
    *joined = NULL;
    struct match *matches = tulle_calloc(a->columns, sizeof *matches);
    const struct tulle_levels missing = {a->missing, a->missing_count};
    struct tulle_dataset *made =
        create_empty(a->source, a->names, a->columns, a->split_column, &missing);
    if (!matches || !made || !resize(made, a->rows + b->rows, 1)) {
        status = tulle_fail_memory(error);
        goto out;
    }
    made->info.has_header = a->has_header;
    status = match_columns(made, a, b, matches, error);
    if (!status)
        join_rows(made, a, b, second_split, matches);
out:
    for (size_t c = 0; matches && c < a->columns; c++)
        tulle_free(matches[c].map);
    tulle_free(matches);
    if (status)
        tulle_dataset_free(made);
    else
        *joined = made;
    return status;
}

/* --- Looking at one --------------------------------------------------------------------------- */

const struct tulle_dataset_info *tulle_dataset_info(const struct tulle_dataset *dataset)
{
    return &dataset->info;
}

size_t tulle_dataset_find(const struct tulle_dataset *dataset, const char *name)
{
    for (size_t i = 0; i < dataset->info.columns; i++)
        if (strcmp(dataset->info.names[i], name) == 0)
            return i;
    return SIZE_MAX;
}
