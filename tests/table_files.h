/* table_files.h - files for the tests of the table readers, in a folder of their own. */
#ifndef TULLE_TABLE_FILES_H
#define TULLE_TABLE_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

#endif
