/* table_reader.c - the format, the header, and cells to numbers and levels. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/memory.h"
#include "byte_source.h"
#include "csv_reader.h"
#include "levels.h"
#include "missing.h"
#include "npy_reader.h"
#include "number.h"
#include "number_format.h"
#include "table_columns.h"
#include "table_reader.h"

struct table_reader {
    struct byte_source *source;
    struct csv_reader *csv; /* one of the two */
    struct npy_reader *npy;
    const struct csv_record *first; /* the first record, if it is a row and not yet returned */
    int has_header;
    struct missing_texts missing;
    struct table_columns columns;
    unsigned char *is_plain;     /* (columns.file_count) a cell is a number and nothing else */
    struct level_set *sets;      /* (columns.count); those of numeric columns are all zeros, */
    struct tulle_levels *levels; /* and those here are copies of theirs */
    double *values;              /* (columns.count) */
    size_t line;
};

const char *tulle_table_reader_source(const struct table_reader *reader)
{
    return tulle_byte_source_name(reader->source);
}

/* --- Open and close --------------------------------------------------------------------------- */

/* Whether every cell is a number, also one that a row may not have, or missing, and at least one is
 * a number. */
static int is_row_of_numbers(const struct table_reader *reader, const struct csv_record *record)
{
    int numbers = 0;
    for (size_t i = 0; i < record->count; i++) {
        const char *text = record->cells[i].text;
        size_t length = record->cells[i].length;
        double ignored;
        tulle_trim(&text, &length);
        if (tulle_number_parse(text, length, &ignored) != NUMBER_MALFORMED)
            numbers = 1;
        else if (!tulle_is_missing_text(&reader->missing, text, length))
            return 0;
    }
    return numbers;
}

/* Says of what kind the file's column i is; 0 if there is no memory. */
static int set_kind(struct table_reader *reader, size_t i, enum column_kind kind)
{
    size_t slot = reader->columns.slots[i];
    if (kind == KIND_CATEGORICAL) {
        if (!tulle_level_set_init(&reader->sets[slot]))
            return 0;
        reader->levels[slot] = reader->sets[slot].levels;
    }
    reader->columns.kinds[slot] = kind;
    reader->is_plain[i] =
        kind == KIND_NUMERIC && !reader->missing.has_numbers && i != reader->columns.split;
    return 1;
}

/* What there is for each column. */
static enum tulle_status prepare_columns(struct table_reader *reader,
                                         const struct tulle_read_options *options,
                                         size_t file_count, const struct csv_record *header,
                                         struct tulle_error *error)
{
    struct table_columns *columns = &reader->columns;
    enum tulle_status status = tulle_table_columns_init(columns, tulle_table_reader_source(reader),
                                                        options, file_count, header, error);
    if (status)
        return status;
    reader->is_plain = tulle_calloc(columns->file_count, sizeof *reader->is_plain);
    reader->sets = tulle_calloc(columns->count, sizeof *reader->sets);
    reader->levels = tulle_calloc(columns->count, sizeof *reader->levels);
    reader->values = tulle_calloc(columns->count, sizeof *reader->values);
    if (!reader->is_plain || !reader->sets || !reader->levels || !reader->values)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < columns->file_count; i++) {
        size_t slot = columns->slots[i];
        if (slot == TULLE_LEFT_OUT)
            continue;
        enum column_kind kind = columns->kinds[slot];
        if (kind == KIND_OPEN && reader->npy)
            kind = KIND_NUMERIC;
        if (!set_kind(reader, i, kind))
            return tulle_fail_memory(error);
    }
    return TULLE_OK;
}

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
    reader->has_header = !is_row_of_numbers(reader, first);
    if (!reader->has_header)
        reader->first = first;
    return prepare_columns(reader, options, first->count, reader->has_header ? first : NULL, error);
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
    return prepare_columns(reader, options, tulle_npy_reader_columns(reader->npy), NULL, error);
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

    const size_t magic_size = sizeof TULLE_NPY_MAGIC - 1;
    enum tulle_status status =
        tulle_byte_source_open(path, TULLE_BYTE_SOURCE_CHUNK, &made->source, error);
    if (!status && !tulle_missing_init(&made->missing, known.missing, known.missing_count))
        status = tulle_fail_memory(error);
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
    tulle_missing_clear(&reader->missing);
    for (size_t i = 0; reader->sets && i < reader->columns.count; i++)
        tulle_level_set_clear(&reader->sets[i]);
    tulle_table_columns_clear(&reader->columns);
    tulle_free(reader->is_plain);
    tulle_free(reader->sets);
    tulle_free(reader->levels);
    tulle_free(reader->values);
    tulle_free(reader);
}

size_t tulle_table_reader_columns(const struct table_reader *reader)
{
    return reader->columns.count;
}

const char *const *tulle_table_reader_names(const struct table_reader *reader)
{
    return reader->columns.names;
}

int tulle_table_reader_has_header(const struct table_reader *reader)
{
    return reader->has_header;
}

const char *tulle_table_reader_split_column(const struct table_reader *reader)
{
    const struct table_columns *columns = &reader->columns;
    return columns->split == SIZE_MAX ? NULL : columns->file_names[columns->split];
}

const struct tulle_levels *tulle_table_reader_levels(const struct table_reader *reader)
{
    return reader->levels;
}

const struct tulle_levels *tulle_table_reader_missing(const struct table_reader *reader)
{
    return &reader->missing.texts;
}

size_t tulle_table_reader_line(const struct table_reader *reader)
{
    return reader->line;
}

/* --- Cells ------------------------------------------------------------------------------------ */

/* What a cell that is refused should have been, and what else to say. */
struct refusal {
    const char *expected, *hint;
};

static enum tulle_status check_number(enum number_kind kind, double value, struct refusal *refusal)
{
    switch (kind) { /* not covered: a kind that is not here */
    case NUMBER_FINITE:
        refusal->expected = tulle_number_expected(value);
        break;
    case NUMBER_NOT_FINITE:
        refusal->expected = tulle_number_expected(INFINITY);
        break;
    case NUMBER_TOO_LARGE:
        refusal->expected = tulle_number_expected(DBL_MAX);
        break;
    case NUMBER_MALFORMED:
        refusal->expected = "a number";
        refusal->hint = "; name it as missing, or the column as categorical";
        break;
    }
    return refusal->expected ? TULLE_ERROR_DATA : TULLE_OK;
}

static enum tulle_status read_level(struct table_reader *reader, size_t slot, const char *text,
                                    size_t length, struct refusal *refusal)
{
    size_t level;
    enum tulle_status status = tulle_level_set_add(&reader->sets[slot], text, length, &level);
    if (status == TULLE_ERROR_DATA)
        *refusal = (struct refusal){"UTF-8 text", "; save the file as UTF-8"};
    if (status)
        return status;
    reader->levels[slot] = reader->sets[slot].levels;
    reader->values[slot] = (double)level;
    return TULLE_OK;
}

/* A cell of the file's column i, which is wanted; TULLE_ERROR_DATA if it is refused. */
static enum tulle_status read_cell(struct table_reader *reader, size_t i, const char *text,
                                   size_t length, struct refusal *refusal)
{
    size_t slot = reader->columns.slots[i];
    const enum column_kind *kind = &reader->columns.kinds[slot];
    double *value = &reader->values[slot];
    enum number_kind number = NUMBER_MALFORMED;
    *refusal = (struct refusal){NULL, ""};
    tulle_trim(&text, &length);
    if (*kind != KIND_CATEGORICAL || reader->missing.has_numbers)
        number = tulle_number_parse(text, length, value);
    if (number == NUMBER_FINITE ? tulle_is_missing_number(&reader->missing, *value, 0)
                                : tulle_is_missing_text(&reader->missing, text, length)) {
        *value = NAN;
        return TULLE_OK;
    }
    if (*kind == KIND_OPEN &&
        !set_kind(reader, i, number == NUMBER_MALFORMED ? KIND_CATEGORICAL : KIND_NUMERIC))
        return TULLE_ERROR_MEMORY;
    return *kind == KIND_CATEGORICAL ? read_level(reader, slot, text, length, refusal)
                                     : check_number(number, *value, refusal);
}

static int read_split(const char *text, size_t length, enum tulle_split *split)
{
    char name[16] = "";
    tulle_trim(&text, &length);
    if (length < sizeof name)
        memcpy(name, text, length);
    return tulle_split_from_name(name, split) == TULLE_OK && *split != TULLE_SPLIT_ALL;
}

/* --- Rows ------------------------------------------------------------------------------------- */

/* "expected <expected> in column '<column>', got "<text>"<hint>" */
static enum tulle_status fail_cell(const struct table_reader *reader, const struct csv_cell *cell,
                                   const char *column, const struct refusal *refusal,
                                   struct tulle_error *error)
{
    enum { SHOWN = 40 };
    const char *text = cell->text;
    size_t length = cell->length;
    char got[SHOWN + 8] = "an empty cell";
    tulle_trim(&text, &length);
    size_t shown = length > SHOWN ? SHOWN : length;
    while (shown > 0 && shown < length && ((unsigned char)text[shown] & 0xc0) == 0x80)
        shown--; /* not within a UTF-8 character */
    if (length > 0)
        snprintf(got, sizeof got, "\"%.*s%s\"", (int)shown, text, shown < length ? "..." : "");
    return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), cell->line,
                         cell->column, "expected %s in column '%s', got %s%s", refusal->expected,
                         column, got, refusal->hint);
}

static enum tulle_status fail_ragged(const struct table_reader *reader,
                                     const struct csv_record *record, struct tulle_error *error)
{
    size_t expected = reader->columns.file_count;
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

/* A record with quotes, or one of which an error is to be told. */
static enum tulle_status read_cells(struct table_reader *reader, const struct csv_record *record,
                                    enum tulle_split *split, struct tulle_error *error)
{
    static const struct refusal no_split = {"train, valid or test", ""};
    const struct table_columns *columns = &reader->columns;
    enum tulle_status status = tulle_csv_reader_cut(reader->csv, error);
    if (status)
        return status;
    if (record->count != columns->file_count)
        return fail_ragged(reader, record, error);
    for (size_t i = 0; i < record->count; i++) {
        const struct csv_cell *cell = &record->cells[i];
        struct refusal refusal;
        if (columns->slots[i] != TULLE_LEFT_OUT) {
            status = read_cell(reader, i, cell->text, cell->length, &refusal);
            if (status == TULLE_ERROR_MEMORY)
                return tulle_fail_memory(error);
            if (status)
                return fail_cell(reader, cell, columns->file_names[i], &refusal, error);
        }
        if (i == columns->split && !read_split(cell->text, cell->length, split))
            return fail_cell(reader, cell, columns->file_names[i], &no_split, error);
    }
    return TULLE_OK;
}

/* The same for nearly all records, in one pass: 1 if the record has no quotes and all is as it
 * should be. */
static int read_plain(struct table_reader *reader, const struct csv_record *record,
                      enum tulle_split *split)
{
    const char *p = record->text, *end = p + record->length;
    const size_t count = reader->columns.file_count, *slots = reader->columns.slots;
    if (record->has_quotes)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && p++ == end) /* else it is at a delimiter */
            return 0;
        const char *cell = p;
        if (reader->is_plain[i]) {
            double value;
            while (p < end && *p == ' ')
                p++;
            p = tulle_number_scan(p, record->readable_end, &value);
            if (p && (p == end || *p == record->delimiter) && fabs(value) <= TULLE_LARGEST_VALUE) {
                reader->values[slots[i]] = value;
                continue;
            }
        }
        struct refusal refusal;
        p = memchr(cell, record->delimiter, (size_t)(end - cell));
        if (!p)
            p = end;
        if (slots[i] != TULLE_LEFT_OUT && read_cell(reader, i, cell, (size_t)(p - cell), &refusal))
            return 0;
        if (i == reader->columns.split && !read_split(cell, (size_t)(p - cell), split))
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
    if (!read_plain(reader, record, split)) {
        status = read_cells(reader, record, split, error);
        if (status)
            return status;
    }
    *values = reader->values;
    return TULLE_OK;
}

/* A number of the file's column i; a level is named by its decimal. */
static enum tulle_status read_element(struct table_reader *reader, size_t i, double number,
                                      struct refusal *refusal)
{
    size_t slot = reader->columns.slots[i];
    char text[TULLE_NUMBER_SIZE];
    int is_f4 = tulle_npy_reader_is_f4(reader->npy);
    int is_missing = isnan(number) || tulle_is_missing_number(&reader->missing, number, is_f4);
    *refusal = (struct refusal){is_missing ? NULL : tulle_number_expected(number), ""};
    if (refusal->expected)
        return TULLE_ERROR_DATA;
    if (is_missing || reader->columns.kinds[slot] == KIND_NUMERIC) {
        reader->values[slot] = is_missing ? NAN : number;
        return TULLE_OK;
    }
    tulle_number_format(number + 0.0, text); /* -0 is 0 */
    return read_level(reader, slot, text, strlen(text), refusal);
}

static enum tulle_status next_npy(struct table_reader *reader, const double **values,
                                  struct tulle_error *error)
{
    const double *row;
    enum tulle_status status = tulle_npy_reader_next(reader->npy, &row, error);
    if (status || !row)
        return status;
    reader->line++;
    for (size_t i = 0; i < reader->columns.file_count; i++) {
        struct refusal refusal;
        if (reader->columns.slots[i] == TULLE_LEFT_OUT)
            continue;
        status = read_element(reader, i, row[i], &refusal);
        if (status == TULLE_ERROR_MEMORY)
            return tulle_fail_memory(error);
        if (status)
            return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(reader), 0, 0,
                                 "row %zu: expected %s in column '%s', got %g", reader->line,
                                 refusal.expected, reader->columns.file_names[i], row[i]);
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
