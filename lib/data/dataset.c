/* dataset.c - a table in memory, from a file or from the caller's arrays. */
#include "../base/portability.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "dataset.h"
#include "name_index.h"
#include "number.h"
#include "table_reader.h"

/* --- Making one ------------------------------------------------------------------------------- */

/* A dataset with everything but rows; names NULL for c0, c1, ... */
static struct tulle_dataset *create_empty(const char *source, const char *const *names,
                                          size_t columns, const char *split_column)
{
    struct tulle_dataset *made = tulle_calloc(1, sizeof *made);
    if (!made)
        return NULL;
    char **copies = tulle_calloc(columns, sizeof *copies);
    made->info.names = (const char *const *)copies;
    made->info.columns = columns;
    made->info.source = tulle_strdup(source);
    int failed = !copies || !made->info.source;
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

void tulle_dataset_free(struct tulle_dataset *dataset)
{
    if (!dataset)
        return;
    for (size_t i = 0; dataset->info.names && i < dataset->info.columns; i++)
        free((void *)dataset->info.names[i]);
    free((void *)dataset->info.names);
    free((void *)dataset->info.source);
    free((void *)dataset->info.values);
    free((void *)dataset->info.split);
    free((void *)dataset->info.split_column);
    free(dataset);
}

/* --- From a file ------------------------------------------------------------------------------ */

static enum tulle_status read_rows(struct tulle_dataset *dataset, struct table_reader *reader,
                                   struct tulle_error *error)
{
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
            capacity = capacity ? 2 * capacity : 256;
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
                             "no rows after the header");
    return resize(dataset, info->rows, has_split) ? TULLE_OK : tulle_fail_memory(error);
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
    made =
        create_empty(tulle_table_reader_source(reader), tulle_table_reader_names(reader),
                     tulle_table_reader_columns(reader), tulle_table_reader_split_column(reader));
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
            const char *expected = tulle_number_expected(value);
            if (expected)
                return tulle_fail(error, TULLE_ERROR_DATA,
                                  "row %zu: expected %s in column '%s', got %g", r + 1, expected,
                                  dataset->info.names[c], value);
            *to++ = value;
        }
    return TULLE_OK;
}

enum tulle_status tulle_dataset_create(const char *const *names, struct tulle_matrix values,
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
    struct tulle_dataset *made = create_empty("", names, values.columns, NULL);
    if (!made || !resize(made, values.rows, splits != NULL)) {
        tulle_dataset_free(made);
        return tulle_fail_memory(error);
    }
    made->info.rows = values.rows;
    if (splits)
        memcpy((unsigned char *)made->info.split, splits, values.rows);
    status = copy_values(made, &values, error);
    if (status)
        tulle_dataset_free(made);
    else
        *dataset = made;
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
