/*
 * encoder.h - from a row of a table to the numbers that enter the network, as struct tulle_column
 * says: scaled numbers, indicators of missing values, one-hot categories, and after all of these
 * the levels of the columns that are embedded.
 *
 * The bits of what is computed here are those of the default floating-point mode
 * (base/float_mode.h), which callers are in.
 */
#ifndef TULLE_ENCODER_H
#define TULLE_ENCODER_H

#include "../base/status.h"
#include "column_level.h"

/* A column is categorical where levels.names is not NULL; it may have lost all of its levels. */
struct encoder {
    const struct tulle_column *columns; /* (column_count); the caller's */
    size_t column_count;
    size_t inputs;                      /* numbers for the first layer */
    struct tulle_embedding *embeddings; /* (embedding_count), in the order of their columns */
    size_t embedding_count;
    /* Every column is one number, (value - mean) / scale: what the kernels' load does, for which
     * these are the columns' means and scales. */
    int is_linear, is_identity; /* identity: linear, with means of 0 and scales of 1 */
    double *means, *scales;
    /* (column_count) of a categorical column, its levels that are numbers; with
     * TULLE_SCALING_QUANTILE, the deviates at the quantiles. */
    struct number_map *maps;
};

/* The numbers that a column gives to `inputs`, and whether it is among the embeddings. */
size_t tulle_column_inputs(const struct tulle_column *column);
int tulle_column_is_embedded(const struct tulle_column *column);

/* 0 if there is no memory; it is to be cleared even so. The columns must outlive the encoder. */
int tulle_encoder_init(struct encoder *encoder, const struct tulle_column *columns, size_t count);
void tulle_encoder_clear(struct encoder *encoder);

/* Where a row of some table has an encoder's columns. */
struct row_encoder {
    const struct encoder *encoder;
    const size_t *columns;     /* (column_count) positions in the row; NULL: 0, 1, ... */
    const double *const *maps; /* NULL: the row has the columns' own levels; else (column_count),
                                  from the table's levels to the column's (tulle_level_map), each
                                  NULL where the table has numbers: those of a categorical column
                                  are then the levels that are named so */
};

/* Writes inputs + embedding_count numbers for the row of numbers of `type`; context is a struct
 * row_encoder. NaN is missing, and so is a level that the column does not have; an infinity gives
 * one, and any other number a finite one, unless (value - mean) / scale is beyond a double's range.
 * A level of an embedding is 1 + its index, 0 where it is missing. No allocation. */
void tulle_encode_inputs(const void *context, const void *row, enum tulle_type type,
                         double *encoded);

/* The same for targets: a number each, scaled by mean and scale alone, or the index of the class;
 * NaN where missing. */
void tulle_encode_targets(const void *context, const void *row, enum tulle_type type,
                          double *encoded);

/* The way back: from the gradient by the inputs that a row became, as tulle_encode_inputs writes
 * them, to dx, that by its numbers, (column_count) of dx_type. By what is missing, or a level, it
 * is 0; by an infinity NaN. */
void tulle_encode_gradient(const void *context, const void *row, enum tulle_type type,
                           const double *gradient, void *dx, enum tulle_type dx_type);

/* What a number that is not missing becomes in a numeric column that is an input. */
double tulle_encode_number(const struct encoder *encoder, size_t column, double x);

/* Whether a number, or the index of a level, is none that training has seen. NaN is not out of
 * range: whoever maps levels must look whether that is what made it one. */
int tulle_is_out_of_range(const struct tulle_column *column, double value);

#endif
