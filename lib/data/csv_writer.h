/*
 * csv_writer.h - rows of cells as comma-separated text (RFC 4180), lines ending in LF. The first
 * error is kept and comes back at the end of the row; what follows it is not written.
 */
#ifndef TULLE_CSV_WRITER_H
#define TULLE_CSV_WRITER_H

#include "../base/file_writer.h"

struct csv_writer {
    struct file_writer *file; /* the caller's */
    struct tulle_error *error;
    enum tulle_status status;
    int has_cells; /* of the row */
};

/* A cell of text, quoted where a reader would stumble over what is in it. */
void tulle_csv_text(struct csv_writer *writer, const char *text);

/* A cell of two texts with a ':' between them. */
void tulle_csv_pair(struct csv_writer *writer, const char *text, const char *after);

/* A cell that holds the shortest decimal of the number (number_format.h). */
void tulle_csv_number(struct csv_writer *writer, double number);

enum tulle_status tulle_csv_end_row(struct csv_writer *writer);

#endif
