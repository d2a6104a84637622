/* table_columns.c - names, and what the options say of them. */
#include "../base/portability.h"

#include <stdio.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/utf8.h"
#include "name_index.h"
#include "table_columns.h"

static enum tulle_status name_file_columns(struct table_columns *columns,
                                           const struct csv_record *header,
                                           struct tulle_error *error)
{
    columns->file_names = tulle_calloc(columns->file_count, sizeof *columns->file_names);
    if (!columns->file_names)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < columns->file_count; i++) {
        char numbered[32];
        const char *text = header ? header->cells[i].text : "";
        size_t length = header ? header->cells[i].length : 0;
        tulle_trim(&text, &length);
        if (length == 0) {
            length = (size_t)snprintf(numbered, sizeof numbered, "c%zu", i);
            text = numbered;
        }
        char *name = tulle_calloc(length + 1, 1);
        if (!name)
            return tulle_fail_memory(error);
        columns->file_names[i] = memcpy(name, text, length);
    }
    return TULLE_OK;
}

/* --- Which are wanted ------------------------------------------------------------------------- */

/* What is known while columns are chosen. */
struct choice {
    const char *source;
    const struct tulle_read_options *options;
    const struct csv_record *header; /* NULL if there is none */
    struct name_index index;         /* of the file's names */
    unsigned char *marks;            /* (file_count) */
};

static enum tulle_status fail_no_column(const struct table_columns *columns,
                                        const struct choice *choice, const char *name,
                                        struct tulle_error *error)
{
    return tulle_fail_no_column(error, choice->source, name,
                                (const char *const *)columns->file_names, columns->file_count);
}

/* A name that could not stand in a model file, or be written to a terminal. */
static enum tulle_status fail_not_utf8(const struct choice *choice, size_t position,
                                       struct tulle_error *error)
{
    const struct csv_cell *cell = &choice->header->cells[position];
    return tulle_fail_at(error, TULLE_ERROR_DATA, choice->source, cell->line, cell->column,
                         "the name of column %zu is not UTF-8 text; save the file as UTF-8",
                         position + 1);
}

/* The position of a name that must be there, and once, and be UTF-8. */
static enum tulle_status find_column(const struct table_columns *columns,
                                     const struct choice *choice, const char *name,
                                     size_t *position, struct tulle_error *error)
{
    const struct name_entry *found;
    size_t count = tulle_name_index_find(&choice->index, name, &found);
    if (count == 0)
        return fail_no_column(columns, choice, name, error);
    *position = found[0].position;
    if (!tulle_is_utf8(name))
        return fail_not_utf8(choice, *position, error);
    if (count == 1)
        return TULLE_OK;
    const struct csv_cell *second = &choice->header->cells[found[1].position];
    return tulle_fail_at(error, TULLE_ERROR_DATA, choice->source, second->line, second->column,
                         "column '%s' is in the header twice, as cells %zu and %zu", name,
                         found[0].position + 1, found[1].position + 1);
}

/* Marks the columns to leave out: those dropped and the split column. */
static enum tulle_status mark_left_out(struct table_columns *columns, const struct choice *choice,
                                       struct tulle_error *error)
{
    const struct tulle_read_options *options = choice->options;
    for (size_t i = 0; i < options->drop_count; i++) {
        const struct name_entry *found;
        size_t count = tulle_name_index_find(&choice->index, options->drop[i], &found);
        if (count == 0)
            return fail_no_column(columns, choice, options->drop[i], error);
        for (size_t j = 0; j < count; j++)
            choice->marks[found[j].position] = 1;
    }
    if (!options->split_column)
        return TULLE_OK;
    enum tulle_status status =
        find_column(columns, choice, options->split_column, &columns->split, error);
    if (!status)
        choice->marks[columns->split] = 1;
    return status;
}

static void add_column(struct table_columns *columns, size_t position)
{
    columns->names[columns->count] = columns->file_names[position];
    columns->slots[position] = columns->count++;
}

static enum tulle_status choose_rest(struct table_columns *columns, const struct choice *choice,
                                     struct tulle_error *error)
{
    for (size_t i = 0; i < columns->file_count; i++) {
        if (choice->marks[i])
            continue;
        size_t position = SIZE_MAX;
        enum tulle_status status =
            find_column(columns, choice, columns->file_names[i], &position, error);
        if (status)
            return status;
        add_column(columns, position);
    }
    return TULLE_OK;
}

static enum tulle_status choose_listed(struct table_columns *columns, const struct choice *choice,
                                       struct tulle_error *error)
{
    const struct tulle_read_options *options = choice->options;
    memset(choice->marks, 0, columns->file_count);
    for (size_t i = 0; i < options->column_count; i++) {
        size_t position = SIZE_MAX;
        enum tulle_status status =
            find_column(columns, choice, options->columns[i], &position, error);
        if (status)
            return status;
        if (choice->marks[position])
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "column '%s' is listed twice",
                              options->columns[i]);
        choice->marks[position] = 1;
        add_column(columns, position);
    }
    return TULLE_OK;
}

/* --- Of what kind ----------------------------------------------------------------------------- */

/* Where a name's column is among those that are read; TULLE_LEFT_OUT if it is not. */
static size_t slot_of(const struct table_columns *columns, const struct choice *choice,
                      const char *name)
{
    const struct name_entry *found;
    return tulle_name_index_find(&choice->index, name, &found) > 0 ? columns->slots[found->position]
                                                                   : TULLE_LEFT_OUT;
}

/* By two lists of names; those that are not among the columns say nothing. */
static enum tulle_status choose_kinds(struct table_columns *columns, const struct choice *choice,
                                      struct tulle_error *error)
{
    const struct tulle_read_options *options = choice->options;
    for (size_t i = 0; i < options->categorical_count; i++) {
        size_t slot = slot_of(columns, choice, options->categorical[i]);
        if (slot != TULLE_LEFT_OUT)
            columns->kinds[slot] = KIND_CATEGORICAL;
    }
    for (size_t i = 0; i < options->numeric_count; i++) {
        size_t slot = slot_of(columns, choice, options->numeric[i]);
        if (slot == TULLE_LEFT_OUT)
            continue;
        if (columns->kinds[slot] == KIND_CATEGORICAL)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "column '%s' is listed both as categorical and as numeric",
                              options->numeric[i]);
        columns->kinds[slot] = KIND_NUMERIC;
    }
    return TULLE_OK;
}

/* --- Both ------------------------------------------------------------------------------------- */

static int allocate(struct table_columns *columns, struct choice *choice)
{
    size_t count = columns->file_count;
    columns->slots = tulle_calloc(count, sizeof *columns->slots);
    columns->names = tulle_calloc(count, sizeof *columns->names);
    columns->kinds = tulle_calloc(count, sizeof *columns->kinds); /* KIND_OPEN */
    choice->marks = tulle_calloc(count, 1);
    if (!columns->slots || !columns->names || !columns->kinds || !choice->marks)
        return 0;
    for (size_t i = 0; i < count; i++)
        columns->slots[i] = TULLE_LEFT_OUT;
    return tulle_name_index_init(&choice->index, (const char *const *)columns->file_names, count);
}

enum tulle_status tulle_table_columns_init(struct table_columns *columns, const char *source,
                                           const struct tulle_read_options *options,
                                           size_t file_count, const struct csv_record *header,
                                           struct tulle_error *error)
{
    struct choice choice = {source, options, header, {0}, NULL};
    *columns = (struct table_columns){.file_count = file_count, .split = SIZE_MAX};
    enum tulle_status status = name_file_columns(columns, header, error);
    if (!status && !allocate(columns, &choice))
        status = tulle_fail_memory(error);
    if (!status)
        status = mark_left_out(columns, &choice, error);
    if (!status)
        status = (options->columns ? choose_listed : choose_rest)(columns, &choice, error);
    if (!status && columns->count == 0)
        status = tulle_fail_at(error, TULLE_ERROR_DATA, source, 0, 0, "no column is left to read");
    if (!status)
        status = choose_kinds(columns, &choice, error);
    tulle_name_index_clear(&choice.index);
    tulle_free(choice.marks);
    return status;
}

void tulle_table_columns_clear(struct table_columns *columns)
{
    for (size_t i = 0; columns->file_names && i < columns->file_count; i++)
        tulle_free(columns->file_names[i]);
    tulle_free(columns->file_names);
    tulle_free(columns->slots);
    tulle_free(columns->names);
    tulle_free(columns->kinds);
}
