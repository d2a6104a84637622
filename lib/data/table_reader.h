/*
 * table_reader.h - one row after another from a table on disk: what tulle_dataset_read and
 * tulle_predict_file have in common. It finds the format, the header and the columns that are
 * wanted (table_columns.h), and turns cells into numbers and levels; readers of single formats
 * (csv_reader.h, npy_reader.h) stand behind it.
 */
#ifndef TULLE_TABLE_READER_H
#define TULLE_TABLE_READER_H

#include "../base/status.h"

struct table_reader;

/* Opens path, reads the header and resolves the columns of the options (may be NULL). A column that
 * is named there but not in the file is an error with a suggestion, and so is a wanted name that
 * the file has twice or that is not UTF-8. Whether a column is both listed and dropped is the
 * caller's to check. */
enum tulle_status tulle_table_reader_open(const char *path,
                                          const struct tulle_read_options *options,
                                          struct table_reader **reader, struct tulle_error *error);
void tulle_table_reader_close(struct table_reader *reader);

/* The columns that rows will have, in the order of the values. */
size_t tulle_table_reader_columns(const struct table_reader *reader);
const char *const *tulle_table_reader_names(const struct table_reader *reader);
int tulle_table_reader_has_header(const struct table_reader *reader);

/* The name of the split column, NULL if there is none. */
const char *tulle_table_reader_split_column(const struct table_reader *reader);

/* The next row: *values points to its numbers, all of at most TULLE_LARGEST_VALUE in size, or
 * indices of levels, NaN where they are missing, until the next call; or is NULL after the last
 * row. *split is set if there is a split column. After an error there is no next row. */
enum tulle_status tulle_table_reader_next(struct table_reader *reader, const double **values,
                                          enum tulle_split *split, struct tulle_error *error);

/* The levels so far, (columns). A column has none while it is numeric, or all missing and of no
 * kind yet. After a row there may be more, behind those there were. Until the reader is closed,
 * what is returned stays where it is and so does each level's text, but not the array of them. */
const struct tulle_levels *tulle_table_reader_levels(const struct table_reader *reader);

/* The name for error messages: the path, or "standard input". */
const char *tulle_table_reader_source(const struct table_reader *reader);

/* What stands for no value besides empty cells, (count) texts; names is not NULL. They live as long
 * as the reader. */
const struct tulle_levels *tulle_table_reader_missing(const struct table_reader *reader);

/* The physical line that the row last returned began at; its index from 1 for .npy. */
size_t tulle_table_reader_line(const struct table_reader *reader);

#endif
