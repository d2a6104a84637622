/*
 * table_columns.h - the columns of a table file and those of them that are wanted: their names,
 * their order and, as far as the caller says, their kinds.
 */
#ifndef TULLE_TABLE_COLUMNS_H
#define TULLE_TABLE_COLUMNS_H

#include <stdint.h>

#include "csv_reader.h"

#define TULLE_LEFT_OUT SIZE_MAX

enum column_kind {
    KIND_OPEN, /* as its first cell will tell */
    KIND_NUMERIC,
    KIND_CATEGORICAL
};

/* All zeros is one that is not initialised, which may be cleared. */
struct table_columns {
    size_t file_count;
    char **file_names; /* (file_count) */
    size_t *slots;     /* (file_count) the place of each among those wanted, or TULLE_LEFT_OUT */
    size_t split;      /* the position of the split column, SIZE_MAX if there is none */
    size_t count;
    const char **names;      /* (count) */
    enum column_kind *kinds; /* (count) */
};

/*
 * Names the file's columns as the header does, "c<index>" where that is NULL or has an empty cell,
 * and resolves the options. `source` is the name for messages. After an error the columns may be
 * cleared.
 */
enum tulle_status tulle_table_columns_init(struct table_columns *columns, const char *source,
                                           const struct tulle_read_options *options,
                                           size_t file_count, const struct csv_record *header,
                                           struct tulle_error *error);
void tulle_table_columns_clear(struct table_columns *columns);

#endif
