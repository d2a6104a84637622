/* table_reader.c - the format, the header, the columns that are wanted, and their cells. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/utf8.h"
#include "byte_source.h"
#include "csv_reader.h"
#include "name_index.h"
#include "npy_reader.h"
#include "number.h"
#include "table_reader.h"

#define LEFT_OUT SIZE_MAX

struct table_reader {
    struct byte_source *source;
    struct csv_reader *csv; /* one of the two */
    struct npy_reader *npy;
    const struct csv_record *first; /* the first record, if it is a row and not yet returned */
    int has_header;
    size_t file_columns;
    char **file_names; /* (file_columns) */
    size_t columns;
    size_t *slots;      /* (file_columns) the place of each among the columns, or LEFT_OUT */
    const char **names; /* (columns) */
    double *values;     /* (columns) */
    int all_columns;    /* but those dropped; else as listed */
    size_t split;       /* the position of the split column, SIZE_MAX if there is none */
    size_t line;
};

const char *tulle_table_reader_source(const struct table_reader *reader)
{
    return tulle_byte_source_name(reader->source);
}

/* --- Names ------------------------------------------------------------------------------------ */

static void trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*length;
    }
    while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        --*length;
}

/* Whether every cell is a number, also one that a row may not have, or empty, but not all of them
 * are empty. */
static int is_row_of_numbers(const struct csv_record *record)
{
    int numbers = 0;
    for (size_t i = 0; i < record->count; i++) {
        const char *text = record->cells[i].text;
        size_t length = record->cells[i].length;
        double ignored;
        trim(&text, &length);
        if (length == 0)
            continue;
        if (tulle_number_parse(text, length, &ignored) == NUMBER_MALFORMED)
            return 0;
        numbers = 1;
    }
    return numbers;
}

/* The names in the header; "c<index>" where that is NULL or has an empty cell. */
static enum tulle_status name_file_columns(struct table_reader *reader,
                                           const struct csv_record *header,
                                           struct tulle_error *error)
{
    reader->file_names = tulle_calloc(reader->file_columns, sizeof *reader->file_names);
    if (!reader->file_names)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < reader->file_columns; i++) {
        char numbered[32];
        const char *text = header ? header->cells[i].text : "";
        size_t length = header ? header->cells[i].length : 0;
        trim(&text, &length);
        if (length == 0) {
            length = (size_t)snprintf(numbered, sizeof numbered, "c%zu", i);
            text = numbered;
        }
        char *name = tulle_calloc(length + 1, 1);
        if (!name)
            return tulle_fail_memory(error);
        reader->file_names[i] = memcpy(name, text, length);
    }
    return TULLE_OK;
}

/* --- The columns that are wanted -------------------------------------------------------------- */

/* What is known while columns are chosen. */
struct choice {
    const struct tulle_read_options *options;
    const struct csv_record *header; /* NULL if there is none */
    struct name_index index;         /* of the file's names */
    unsigned char *marks;            /* (file_columns) */
};

static enum tulle_status fail_no_column(const struct table_reader *reader, const char *name,
                                        struct tulle_error *error)
{
    return tulle_fail_no_column(error, tulle_table_reader_source(reader), name,
                                (const char *const *)reader->file_names, reader->file_columns);
}

/* A name that could not stand in a model file, or be written to a terminal. */
static enum tulle_status fail_not_utf8(const struct table_reader *reader,
                                       const struct choice *choice, size_t position,
                                       struct tulle_error *error)
{
    const struct csv_cell *cell = &choice->header->cells[position];
    return tulle_fail_at(
        error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), cell->line, cell->column,
        "the name of column %zu is not UTF-8 text; save the file as UTF-8", position + 1);
}

/* The position of a name that must be there, and once, and be UTF-8. */
static enum tulle_status find_column(const struct table_reader *reader, const struct choice *choice,
                                     const char *name, size_t *position, struct tulle_error *error)
{
    const struct name_entry *found;
    size_t count = tulle_name_index_find(&choice->index, name, &found);
    if (count == 0)
        return fail_no_column(reader, name, error);
    *position = found[0].position;
    if (!tulle_is_utf8(name))
        return fail_not_utf8(reader, choice, *position, error);
    if (count == 1)
        return TULLE_OK;
    const struct csv_cell *second = &choice->header->cells[found[1].position];
    return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), second->line,
                         second->column, "column '%s' is in the header twice, as cells %zu and %zu",
                         name, found[0].position + 1, found[1].position + 1);
}

/* Marks the columns to leave out: those dropped and the split column. */
static enum tulle_status mark_left_out(struct table_reader *reader, const struct choice *choice,
                                       struct tulle_error *error)
{
    const struct tulle_read_options *options = choice->options;
    for (size_t i = 0; i < options->drop_count; i++) {
        const struct name_entry *found;
        size_t count = tulle_name_index_find(&choice->index, options->drop[i], &found);
        if (count == 0)
            return fail_no_column(reader, options->drop[i], error);
        for (size_t j = 0; j < count; j++)
            choice->marks[found[j].position] = 1;
    }
    if (!options->split_column)
        return TULLE_OK;
    enum tulle_status status =
        find_column(reader, choice, options->split_column, &reader->split, error);
    if (!status)
        choice->marks[reader->split] = 1;
    return status;
}

static void add_column(struct table_reader *reader, size_t position)
{
    reader->names[reader->columns] = reader->file_names[position];
    reader->slots[position] = reader->columns++;
}

static enum tulle_status choose_rest(struct table_reader *reader, const struct choice *choice,
                                     struct tulle_error *error)
{
    for (size_t i = 0; i < reader->file_columns; i++) {
        if (choice->marks[i])
            continue;
        size_t position = SIZE_MAX;
        enum tulle_status status =
            find_column(reader, choice, reader->file_names[i], &position, error);
        if (status)
            return status;
        add_column(reader, position);
    }
    return TULLE_OK;
}

static enum tulle_status choose_listed(struct table_reader *reader, const struct choice *choice,
                                       struct tulle_error *error)
{
    const struct tulle_read_options *options = choice->options;
    memset(choice->marks, 0, reader->file_columns);
    for (size_t i = 0; i < options->column_count; i++) {
        size_t position = SIZE_MAX;
        enum tulle_status status =
            find_column(reader, choice, options->columns[i], &position, error);
        if (status)
            return status;
        if (choice->marks[position])
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "column '%s' is listed twice",
                              options->columns[i]);
        choice->marks[position] = 1;
        add_column(reader, position);
    }
    return TULLE_OK;
}

static enum tulle_status choose_columns(struct table_reader *reader,
                                        const struct tulle_read_options *options,
                                        const struct csv_record *header, struct tulle_error *error)
{
    enum tulle_status status;
    struct choice choice = {options, header, {0}, NULL};
    choice.marks = tulle_calloc(reader->file_columns, 1);
    reader->slots = tulle_calloc(reader->file_columns, sizeof *reader->slots);
    reader->names = tulle_calloc(reader->file_columns, sizeof *reader->names);
    reader->values = tulle_calloc(reader->file_columns, sizeof *reader->values);
    if (!choice.marks || !reader->slots || !reader->names || !reader->values ||
        !tulle_name_index_init(&choice.index, (const char *const *)reader->file_names,
                               reader->file_columns)) {
        status = tulle_fail_memory(error);
        goto out;
    }
    for (size_t i = 0; i < reader->file_columns; i++)
        reader->slots[i] = LEFT_OUT;
    reader->all_columns = options->columns == NULL;
    status = mark_left_out(reader, &choice, error);
    if (!status)
        status = (reader->all_columns ? choose_rest : choose_listed)(reader, &choice, error);
    if (!status && reader->columns == 0)
        status = tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), 0, 0,
                               "no column is left to read");
out:
    tulle_name_index_clear(&choice.index);
    free(choice.marks);
    return status;
}

/* --- Open and close --------------------------------------------------------------------------- */

static enum tulle_status open_csv(struct table_reader *reader,
                                  const struct tulle_read_options *options,
                                  struct tulle_error *error)
{
    const struct csv_record *first;
    enum tulle_status status = tulle_csv_reader_open(reader->source, &reader->csv, error);
    if (!status)
        status = tulle_csv_reader_next(reader->csv, &first, error);
    if (status)
        return status;
    if (!first)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), 0, 0,
                             "expected a table, got an empty file");
    status = tulle_csv_reader_cut(reader->csv, error);
    if (status)
        return status;
    reader->has_header = !is_row_of_numbers(first);
    if (!reader->has_header)
        reader->first = first;
    reader->file_columns = first->count;
    const struct csv_record *header = reader->has_header ? first : NULL;
    status = name_file_columns(reader, header, error);
    return status ? status : choose_columns(reader, options, header, error);
}

static enum tulle_status open_npy(struct table_reader *reader,
                                  const struct tulle_read_options *options,
                                  struct tulle_error *error)
{
    enum tulle_status status = tulle_npy_reader_open(reader->source, &reader->npy, error);
    if (status)
        return status;
    if (options->split_column)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), 0, 0,
                             "a .npy file holds numbers alone, so it has no split column '%s'",
                             options->split_column);
    reader->file_columns = tulle_npy_reader_columns(reader->npy);
    status = name_file_columns(reader, NULL, error);
    return status ? status : choose_columns(reader, options, NULL, error);
}

enum tulle_status tulle_table_reader_open(const char *path,
                                          const struct tulle_read_options *options,
                                          struct table_reader **reader, struct tulle_error *error)
{
    struct tulle_read_options known = TULLE_READ_OPTIONS;
    *reader = NULL;
    if (options && !tulle_options_copy(&known, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the size of the read options is not set");
    struct table_reader *made = tulle_calloc(1, sizeof *made);
    if (!made)
        return tulle_fail_memory(error);
    made->split = SIZE_MAX;

    const size_t magic_size = sizeof TULLE_NPY_MAGIC - 1;
    enum tulle_status status =
        tulle_byte_source_open(path, TULLE_BYTE_SOURCE_CHUNK, &made->source, error);
    if (!status)
        status = tulle_byte_source_fill(made->source, magic_size, error);
    if (!status) {
        struct byte_window window = tulle_byte_source_window(made->source);
        int is_npy =
            window.size >= magic_size && memcmp(window.data, TULLE_NPY_MAGIC, magic_size) == 0;
        status = (is_npy ? open_npy : open_csv)(made, &known, error);
    }
    if (status) {
        tulle_table_reader_close(made);
        return status;
    }
    *reader = made;
    return TULLE_OK;
}

void tulle_table_reader_close(struct table_reader *reader)
{
    if (!reader)
        return;
    tulle_csv_reader_close(reader->csv);
    tulle_npy_reader_close(reader->npy);
    tulle_byte_source_close(reader->source);
    for (size_t i = 0; reader->file_names && i < reader->file_columns; i++)
        free(reader->file_names[i]);
    free(reader->file_names);
    free(reader->slots);
    free(reader->names);
    free(reader->values);
    free(reader);
}

size_t tulle_table_reader_columns(const struct table_reader *reader)
{
    return reader->columns;
}

const char *const *tulle_table_reader_names(const struct table_reader *reader)
{
    return reader->names;
}

int tulle_table_reader_has_header(const struct table_reader *reader)
{
    return reader->has_header;
}

const char *tulle_table_reader_split_column(const struct table_reader *reader)
{
    return reader->split == SIZE_MAX ? NULL : reader->file_names[reader->split];
}

size_t tulle_table_reader_line(const struct table_reader *reader)
{
    return reader->line;
}

/* --- Rows ------------------------------------------------------------------------------------- */

/* "expected <expected> in column '<column>', got "<text>"<hint>" */
static enum tulle_status fail_cell(const struct table_reader *reader, const struct csv_cell *cell,
                                   const char *expected, const char *column, const char *hint,
                                   struct tulle_error *error)
{
    enum { SHOWN = 40 };
    const char *text = cell->text;
    size_t length = cell->length;
    char got[SHOWN + 8] = "an empty cell";
    trim(&text, &length);
    size_t shown = length > SHOWN ? SHOWN : length;
    while (shown > 0 && shown < length && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown--; /* not within a UTF-8 character */
    if (length > 0)
        snprintf(got, sizeof got, "\"%.*s%s\"", (int)shown, text, shown < length ? "..." : "");
    return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), cell->line,
                         cell->column, "expected %s in column '%s', got %s%s", expected, column,
                         got, hint);
}

static enum tulle_status parse_cell(const struct table_reader *reader, const struct csv_cell *cell,
                                    const char *column, double *value, struct tulle_error *error)
{
    const char *text = cell->text;
    size_t length = cell->length;
    trim(&text, &length);
    const char *expected = NULL, *hint = "";
    switch (tulle_number_parse(text, length, value)) {
    case NUMBER_FINITE:
        expected = tulle_number_expected(*value);
        break;
    case NUMBER_NOT_FINITE:
        expected = tulle_number_expected(NAN);
        break;
    case NUMBER_TOO_LARGE:
        expected = tulle_number_expected(DBL_MAX);
        break;
    case NUMBER_MALFORMED:
        expected = "a number";
        if (length > 0 && reader->all_columns)
            hint = "; a column of text can be dropped";
        break;
    }
    return expected ? fail_cell(reader, cell, expected, column, hint, error) : TULLE_OK;
}

static int parse_split(const char *text, size_t length, enum tulle_split *split)
{
    char name[16] = "";
    trim(&text, &length);
    if (length < sizeof name)
        memcpy(name, text, length);
    return tulle_split_from_name(name, split) == TULLE_OK && *split != TULLE_SPLIT_ALL;
}

static enum tulle_status fail_ragged(const struct table_reader *reader,
                                     const struct csv_record *record, struct tulle_error *error)
{
    size_t expected = reader->file_columns;
    size_t line = record->end_line, column = record->end_column;
    if (record->count > expected) {
        line = record->cells[expected].line;
        column = record->cells[expected].column;
    }
    return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), line, column,
                         "expected %zu cell%s as in the %s, got %zu", expected,
                         expected == 1 ? "" : "s", reader->has_header ? "header" : "first row",
                         record->count);
}

/* A record's cells, one by one: those with quotes, and those of which an error is to be told. */
static enum tulle_status parse_cells(struct table_reader *reader, const struct csv_record *record,
                                     enum tulle_split *split, struct tulle_error *error)
{
    enum tulle_status status = tulle_csv_reader_cut(reader->csv, error);
    if (status)
        return status;
    if (record->count != reader->file_columns)
        return fail_ragged(reader, record, error);
    for (size_t i = 0; i < record->count; i++) {
        const struct csv_cell *cell = &record->cells[i];
        size_t slot = reader->slots[i];
        if (slot != LEFT_OUT) {
            status = parse_cell(reader, cell, reader->names[slot], &reader->values[slot], error);
            if (status)
                return status;
        }
        if (i == reader->split && !parse_split(cell->text, cell->length, split))
            return fail_cell(reader, cell, "train, valid or test", reader->file_names[i], "",
                             error);
    }
    return TULLE_OK;
}

/* The same for nearly all records, in one pass: 1 if the record has no quotes and all is as it
 * should be. */
static int parse_plain(struct table_reader *reader, const struct csv_record *record,
                       enum tulle_split *split)
{
    const char *p = record->text, *end = p + record->length;
    const size_t columns = reader->file_columns, *slots = reader->slots;
    if (record->has_quotes)
        return 0;
    for (size_t i = 0; i < columns; i++) {
        if (i > 0 && (p >= end || *p++ != record->delimiter))
            return 0;
        const char *cell = p;
        if (slots[i] != LEFT_OUT) {
            double value;
            while (p < end && *p == ' ')
                p++;
            p = tulle_number_scan(p, record->readable_end, &value);
            if (!p || !(fabs(value) <= TULLE_LARGEST_VALUE))
                return 0;
            reader->values[slots[i]] = value;
        } else {
            p = memchr(p, record->delimiter, (size_t)(end - p));
            if (!p)
                p = end;
        }
        if (i == reader->split && !parse_split(cell, (size_t)(p - cell), split))
            return 0;
    }
    return p == end;
}

static enum tulle_status next_csv(struct table_reader *reader, const double **values,
                                  enum tulle_split *split, struct tulle_error *error)
{
    enum tulle_status status;
    const struct csv_record *record = reader->first;
    reader->first = NULL;
    if (!record) {
        status = tulle_csv_reader_next(reader->csv, &record, error);
        if (status || !record)
            return status;
    }
    reader->line = record->line;
    if (!parse_plain(reader, record, split)) {
        status = parse_cells(reader, record, split, error);
        if (status)
            return status;
    }
    *values = reader->values;
    return TULLE_OK;
}

static enum tulle_status next_npy(struct table_reader *reader, const double **values,
                                  struct tulle_error *error)
{
    const double *row;
    enum tulle_status status = tulle_npy_reader_next(reader->npy, &row, error);
    if (status || !row)
        return status;
    reader->line++;
    for (size_t i = 0; i < reader->file_columns; i++) {
        size_t slot = reader->slots[i];
        if (slot == LEFT_OUT)
            continue;
        const char *expected = tulle_number_expected(row[i]);
        if (expected)
            return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), 0, 0,
                                 "row %zu: expected %s in column '%s', got %g", reader->line,
                                 expected, reader->names[slot], row[i]);
        reader->values[slot] = row[i];
    }
    *values = reader->values;
    return TULLE_OK;
}

enum tulle_status tulle_table_reader_next(struct table_reader *reader, const double **values,
                                          enum tulle_split *split, struct tulle_error *error)
{
    *values = NULL;
    return reader->npy ? next_npy(reader, values, error) : next_csv(reader, values, split, error);
}
