/*
 * column_match.h - a table's columns for a model's: where in a row they stand, and the table's
 * levels as the model's. Measuring a model and predicting a file share it.
 */
#ifndef TULLE_COLUMN_MATCH_H
#define TULLE_COLUMN_MATCH_H

#include "../base/status.h"

/* Where a categorical column's value is none of the model's levels. As an input it is missing, as
 * every index is that is none (tulle_session_predict). */
#define TULLE_UNKNOWN_LEVEL (-1.0)

struct matched_column;

struct column_match {
    const struct tulle_column *columns; /* (count) the model's */
    size_t count;
    const char *source;             /* the table's, for errors */
    struct matched_column *matched; /* (count) */
};

/* Finds the model's columns among the table's by name; all must outlive the match, which is to be
 * cleared on failure too. TULLE_ERROR_DATA names a column that is not there. */
enum tulle_status tulle_column_match_init(struct column_match *match,
                                          const struct tulle_column *columns, size_t count,
                                          const char *source, const char *const *names,
                                          size_t name_count, struct tulle_error *error);
void tulle_column_match_clear(struct column_match *match);

/* Takes in the table's levels, (name_count): to be called before rows that have new ones.
 * TULLE_ERROR_DATA for names where the model has numbers. */
enum tulle_status tulle_column_match_levels(struct column_match *match,
                                            const struct tulle_levels *levels,
                                            struct tulle_error *error);

/*
 * What a row of the table holds in the model's columns, to values, (count), which may be the row
 * itself if they stand there in the model's order: a number, or one of the model's levels, or
 * TULLE_UNKNOWN_LEVEL; NaN is missing. The table's column may be of numbers where the model's is
 * categorical: a level is then the number that its name is. Adds 1 to out_of_range[i] (may be NULL)
 * where column i holds what training has not seen.
 */
void tulle_column_match_row(const struct column_match *match, const double *row, double *values,
                            size_t *out_of_range);

#endif
