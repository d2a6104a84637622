/*
 * arrow.h - columns of Arrow's C data and stream interface, to doubles and levels.
 *
 * The structs are those of the specification ("The Arrow C data interface", "The Arrow C stream
 * interface"). They carry no sizes of buffers: what a producer says of lengths is believed, as by
 * every consumer; what can be checked (counts, offsets, indices, views) is.
 */
#ifndef TULLE_CORE_ARROW_H
#define TULLE_CORE_ARROW_H

#include <stdint.h>

#include "core.h"

struct arrow_schema {
    const char *format, *name, *metadata;
    int64_t flags, child_count;
    struct arrow_schema **children, *dictionary;
    void (*release)(struct arrow_schema *);
    void *private_data;
};

struct arrow_array {
    int64_t length, null_count, offset, buffer_count, child_count;
    const void **buffers;
    struct arrow_array **children, *dictionary;
    void (*release)(struct arrow_array *);
    void *private_data;
};

struct arrow_stream {
    int (*get_schema)(struct arrow_stream *, struct arrow_schema *);
    int (*get_next)(struct arrow_stream *, struct arrow_array *);
    const char *(*get_last_error)(struct arrow_stream *);
    void (*release)(struct arrow_stream *);
    void *private_data;
};

enum arrow_kind {
    ARROW_NULL,
    ARROW_BOOL,
    ARROW_INT8,
    ARROW_UINT8,
    ARROW_INT16,
    ARROW_UINT16,
    ARROW_INT32,
    ARROW_UINT32,
    ARROW_INT64,
    ARROW_UINT64,
    ARROW_FLOAT16,
    ARROW_FLOAT32,
    ARROW_FLOAT64,
    ARROW_TEXT,
    ARROW_LARGE_TEXT,
    ARROW_TEXT_VIEW,
};

/* A column, of all chunks; for the chunk at hand, `array` and what its dictionary means. */
struct arrow_column {
    const char *name;
    enum arrow_kind kind;       /* of a dictionary's its indices' */
    enum arrow_kind value_kind; /* of the dictionary's values, else kind */
    int has_dictionary;
    const struct arrow_array *array;
    double *meanings;   /* of the dictionary's entries: a number or level, NaN, or UNKNOWN */
    PyObject *levels;   /* {bytes: index} of text, in the order of their first rows */
    PyObject *in_order; /* [bytes] */
};

/* Whether there is something in row i; all of an array that is known to miss nothing, or has no
 * bitmap. */
int arrow_is_valid(const struct arrow_array *array, int64_t i);

/* Fills in a column's name and kinds; -1 with the exception of a type that is none of those. */
int arrow_column_init(struct arrow_column *column, const struct arrow_schema *schema);
void arrow_column_clear(struct arrow_column *column);

/* Turns to the next chunk, of so many rows; -1 with an exception where it is not sound. */
int arrow_column_turn(struct arrow_column *column, const struct arrow_array *array, int64_t rows);

/* Rows begin to end of the chunk go to out[0], out[stride], ... */
int arrow_column_read(struct arrow_column *column, int64_t begin, int64_t end, double *out,
                      size_t stride);

#endif
