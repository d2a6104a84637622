/*
 * rows.h - where a batch comes from: which rows and columns of a matrix, scaled how. The same view
 * serves a user's dense array in the trainer and a table's columns in training and prediction.
 */
#ifndef TULLE_ROWS_H
#define TULLE_ROWS_H

#include "../kernels/kernels.h"

struct rows {
    struct tulle_matrix matrix;
    const size_t *order;        /* sample s is row order[s]; NULL: row s */
    const size_t *columns;      /* feature c is column columns[c]; NULL: column c */
    const double *mean, *scale; /* (features): (value - mean) / scale; NULL: as it is */
    int missing_is_0;           /* whether NaN becomes 0 then */
    /* NULL; else columns, mean and scale are not used, and this writes the features of a row. */
    void (*encode)(const void *context, const void *row, enum tulle_type type, double *encoded);
    const void *context;
};

/* Writes `features` numbers of each of samples [begin, end) to consecutive rows of `to`, which are
 * of the kernels' type and `stride` elements apart. encoded is room for as many doubles, if there
 * is an encode. */
void tulle_rows_load(const struct rows *rows, size_t begin, size_t end, size_t features,
                     const struct kernels *kernels, void *to, size_t stride, double *encoded);

/* The row of the matrix that a sample is. */
const void *tulle_rows_at(const struct rows *rows, size_t sample);

/* Whether m is a matrix of that many columns: data, a known type, a stride that is wide enough. */
int tulle_matrix_is_valid(struct tulle_matrix m, size_t columns);

#endif
