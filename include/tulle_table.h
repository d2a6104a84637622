/* tulle_table.h - tables of numbers and categories, from files or arrays. Part of tulle.h, which
 * has the conventions; include that.
 *
 * Threads: tables may be read and made on any threads at once, but standard input by one. None is
 * ever changed, so that any number of threads may look at it, until one frees it. */
#ifndef TULLE_API_TABLE_H
#define TULLE_API_TABLE_H

#include "tulle_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A table with named columns, and a split for each row if it came with one. */
typedef struct tulle_dataset tulle_dataset;

enum tulle_split {
    TULLE_SPLIT_TRAIN = 0,
    TULLE_SPLIT_VALID = 1,
    TULLE_SPLIT_TEST = 2,
    TULLE_SPLIT_ALL = 3 /* as an argument only: every row */
};

TULLE_API const char *tulle_split_name(enum tulle_split split); /* "train", "valid", ... */

/* Accepts "val" and "validation" for valid too. */
TULLE_API enum tulle_status tulle_split_from_name(const char *name, enum tulle_split *split);

/* The values of a categorical column, in the order of their first rows. A numeric column has none:
 * names is NULL, count 0. */
struct tulle_levels {
    const char *const *names; /* (count) */
    size_t count;
};

/* Of a table that is read: five times as many as a model file can name. */
enum { TULLE_MOST_COLUMNS = 1 << 20 };

struct tulle_read_options {
    size_t size;
    const char *const *columns; /* NULL: all but drop and split_column; else these, in this order */
    size_t column_count;
    const char *const *drop; /* columns to leave out; may be NULL */
    size_t drop_count;
    const char *split_column; /* holds train, valid or test for each row; NULL: there is none */
    const char *const *categorical; /* columns whose cells are names, even where they look like */
    size_t categorical_count;       /* numbers; those that the table does not have are ignored */
    const char *const *numeric;     /* columns whose cells must be numbers, or missing; ignored */
    size_t numeric_count;           /* likewise */
    const char *const *missing;     /* texts that stand for no value; NULL: */
    size_t missing_count;           /* TULLE_DEFAULT_MISSING */
};

#define TULLE_READ_OPTIONS                                                                         \
    {                                                                                              \
        sizeof(struct tulle_read_options), NULL, 0, NULL, 0, NULL, NULL, 0, NULL, 0, NULL, 0       \
    }

/* Besides these, or those of the options, empty cells are always missing. A text that
 * is a number means that number however it is written: -999.0 is -999. Of a table from arrays,
 * those of them that are levels of a column do not count. */
#define TULLE_DEFAULT_MISSING                                                                      \
    {                                                                                              \
        "NA", "N/A", "NaN", "nan", "null", "?"                                                     \
    }

/*
 * Reads a table; path "-" is standard input, and gzip is undone whatever the name. The content
 * tells the format:
 *
 *   .npy   2-D, of b1, f4, f8, i1..i8 or u1..u8, either byte order, C or Fortran order; the columns
 *          are named c0, c1, ... A NaN is missing.
 *   CSV    RFC 4180 with ',', ';' or tab, LF or CRLF, with or without a UTF-8 byte order mark. The
 *          first row names the columns, unless it holds nothing but numbers and missing cells, and
 *          not the latter alone: then it is data and the columns are c0, c1, ... Blank lines are
 *          skipped, and blanks around names and cells ignored.
 *
 * A column is numeric or categorical: as the options say, else as its first cell does that is not
 * missing. A numeric one must go on with numbers, of at most 1e150 in size, so that squares can be
 * summed; the decimal is rounded correctly. A categorical one is any text in UTF-8. Only the
 * columns that are kept are looked at. options may be NULL. TULLE_ERROR_DATA says where and why.
 *
 * What is taken of memory grows with the rows and with the longest line that have arrived, to three
 * times each while they grow, and with nothing that a header claims. A byte of gzip can hold 1032
 * of them, though: who reads a stranger's packed table gives the process a limit.
 */
TULLE_API enum tulle_status tulle_dataset_read(const char *path,
                                               const struct tulle_read_options *options,
                                               tulle_dataset **dataset, struct tulle_error *error);

/*
 * Copies arrays: names is (columns) or NULL for c0, c1, ...; levels is (columns) or NULL, with no
 * levels for a numeric column; splits is (rows) values of enum tulle_split or NULL. NaN is missing;
 * every other value must be of at most 1e150 in size and, in a categorical column, the index of a
 * level. A level's name must not be blank, as a cell with that name would be missing.
 */
TULLE_API enum tulle_status
tulle_dataset_create(const char *const *names, struct tulle_matrix values,
                     const struct tulle_levels *levels, const unsigned char *splits,
                     tulle_dataset **dataset, struct tulle_error *error);
TULLE_API void tulle_dataset_free(tulle_dataset *dataset);

struct tulle_dataset_info {
    const char *source;         /* the path, "standard input" or, for arrays, "" */
    size_t rows, columns;       /* of the columns kept, without the split column */
    const char *const *names;   /* (columns) */
    const double *values;       /* (rows, columns), dense: a number, or the index of a level; NaN */
    const unsigned char *split; /* (rows) of enum tulle_split, or NULL */
    const char *split_column;   /* its name, or NULL */
    int has_header;             /* whether the names came from the file */
    const struct tulle_levels *levels; /* (columns) */
    const char *const *missing; /* (missing_count) what stood for no value besides empty cells; */
    size_t missing_count;       /* for arrays TULLE_DEFAULT_MISSING */
};

/* It and all that it points to live as long as the table. */
TULLE_API const struct tulle_dataset_info *tulle_dataset_info(const tulle_dataset *dataset);

#ifdef __cplusplus
}
#endif
#endif
