/*
 * npy_reader.h - rows of doubles from a NumPy array file: format 1.0, 2.0 or 3.0, two dimensions,
 * of b1, f4, f8, i1 to i8 or u1 to u8, either byte order. An array in C order is read row by row;
 * one in Fortran order some rows at a time, from everywhere in the file, or if it comes through a
 * pipe or gzip is held in memory whole, as its rows are complete only at its end.
 */
#ifndef TULLE_NPY_READER_H
#define TULLE_NPY_READER_H

#include "byte_source.h"

struct npy_reader;

/* What every .npy file begins with. */
#define TULLE_NPY_MAGIC "\x93NUMPY"

/* The source is the caller's, stands at its beginning, and must outlive the reader. The array has
 * at least one row and one column, or it is an error. */
enum tulle_status tulle_npy_reader_open(struct byte_source *source, struct npy_reader **reader,
                                        struct tulle_error *error);
void tulle_npy_reader_close(struct npy_reader *reader);

size_t tulle_npy_reader_columns(const struct npy_reader *reader);

/* Whether the numbers are of the type f4. */
int tulle_npy_reader_is_f4(const struct npy_reader *reader);

/* The next row, whole until the next call; NULL after the last. */
enum tulle_status tulle_npy_reader_next(struct npy_reader *reader, const double **row,
                                        struct tulle_error *error);

#endif
