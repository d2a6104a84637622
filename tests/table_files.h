/* table_files.h - files for the tests of the table readers, in a folder of their own. */
#ifndef TULLE_TABLE_FILES_H
#define TULLE_TABLE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../include/tulle.h"

/* FOLDER/table, one file that every write replaces; its name tells no reader its format. */
static char table_folder[] = "/tmp/tulle-table-XXXXXX";
static char table_path[sizeof table_folder + 16];

static inline int make_table_folder(void **state)
{
    (void)state;
    if (!mkdtemp(table_folder))
        return -1;
    snprintf(table_path, sizeof table_path, "%s/table", table_folder);
    return 0;
}

static inline int remove_table_folder(void **state)
{
    (void)state;
    unlink(table_path);
    return rmdir(table_folder);
}

static inline void write_table(const void *bytes, size_t size)
{
    FILE *file = fopen(table_path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Writes the table and reads it: a dataset is there if and only if that succeeds. */
static inline enum tulle_status read_written(const void *bytes, size_t size,
                                             const struct tulle_read_options *options,
                                             tulle_dataset **dataset, struct tulle_error *error)
{
    write_table(bytes, size);
    enum tulle_status status = tulle_dataset_read(table_path, options, dataset, error);
    assert_int_equal(*dataset == NULL, status != TULLE_OK);
    return status;
}

/* That no beginning of a table of `size` bytes, whose column "s" is the split, makes the reader
 * fall over. */
static inline void check_truncations(const char *text, size_t size)
{
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    options.split_column = "s";
    for (size_t length = 0; length < size; length++) {
        struct tulle_error error;
        tulle_dataset *dataset;
        enum tulle_status status = read_written(text, length, &options, &dataset, &error);
        assert_true(status == TULLE_OK || status == TULLE_ERROR_DATA);
        tulle_dataset_free(dataset);
    }
}

/* Lists of names in a test's tables: as many as are there, at most MAX_NAMES. */
enum { MAX_NAMES = 4 };

static inline size_t name_count(const char *const *names)
{
    size_t count = 0;
    while (count < MAX_NAMES && names[count])
        count++;
    return count;
}

#endif
