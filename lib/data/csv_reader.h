/*
 * csv_reader.h - records of cells from comma-separated text (RFC 4180), one at a time.
 *
 * Lines end in LF or CRLF; a record is as long as its quoted line ends make it. The delimiter is
 * found from the first record. A quote counts only as the first byte of a cell; within any other it
 * is a byte like the rest. Lines of nothing but spaces are skipped.
 */
#ifndef TULLE_CSV_READER_H
#define TULLE_CSV_READER_H

#include "byte_source.h"

struct csv_reader;

struct csv_cell {
    const char *text; /* without the quotes around it, doubled ones made single; no NUL follows */
    size_t length;
    size_t line, column; /* of its first byte in the file, from 1 */
};

struct csv_record {
    size_t line; /* the physical line that it begins at */
    const char *text;
    size_t length;            /* without the line end */
    const char *readable_end; /* of what may be looked at after it: its line end, and more */
    int has_quotes;           /* if not, a delimiter is one wherever it stands */
    char delimiter;
    /* Known once it is cut. */
    const struct csv_cell *cells;
    size_t count;
    size_t end_line, end_column; /* just past its last byte */
};

/* Takes the blanks off both ends of a text. */
static inline void tulle_trim(const char **text, size_t *length)
{
    while (*length > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*length;
    }
    while (*length > 0 && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        --*length;
}

/* The source is the caller's, stands at its beginning, and must outlive the reader. */
enum tulle_status tulle_csv_reader_open(struct byte_source *source, struct csv_reader **reader,
                                        struct tulle_error *error);
void tulle_csv_reader_close(struct csv_reader *reader);

/* The next record, whole until the next call; NULL after the last. */
enum tulle_status tulle_csv_reader_next(struct csv_reader *reader, const struct csv_record **record,
                                        struct tulle_error *error);

/* Cuts the record last returned into cells, in place; once is enough. */
enum tulle_status tulle_csv_reader_cut(struct csv_reader *reader, struct tulle_error *error);

#endif
