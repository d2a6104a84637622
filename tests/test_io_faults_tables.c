/* test_io_faults_tables.c - reading tables of every format, where each system call fails in turn:
 * an error, or the table as it is. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/data/byte_source.h"
#include "io_faults.h"

enum { ROWS = 50, MOST_BYTES = 4096 };

/* --- Files ----------------------------------------------------------------------------------- */

static struct {
    unsigned char data[MOST_BYTES];
    size_t size;
} file;

static void append(const void *data, size_t size)
{
    assert_true(file.size + size <= sizeof file.data);
    memcpy(file.data + file.size, data, size);
    file.size += size;
}

static void append_number(uint32_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        append(&(unsigned char){(unsigned char)(number >> 8 * i)}, 1);
}

static void make_csv(void)
{
    static const char *const names[] = {"red", "\"gr\"\"een\"", "blue"};
    file.size = 0;
    append("a,colour,b\n", 11);
    for (int row = 0; row < ROWS; row++) {
        char line[64];
        int length = snprintf(line, sizeof line, "%d.25,%s,%s\n", row, names[row % 3],
                              row % 5 == 0 ? "NA" : "1e-3");
        append(line, (size_t)length);
    }
}

static uint32_t crc_of(const unsigned char *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < 8 * size; i++) {
        crc ^= i % 8 == 0 ? data[i / 8] : 0;
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Puts what the file has into a stored block. */
static void pack(void)
{
    unsigned char plain[MOST_BYTES];
    size_t size = file.size;
    memcpy(plain, file.data, size);
    file.size = 0;
    append("\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11);
    append_number((uint32_t)size, 2);
    append_number(~(uint32_t)size, 2);
    append(plain, size);
    append_number(crc_of(plain, size), 4);
    append_number((uint32_t)size, 4);
}

static void make_gzip(void)
{
    make_csv();
    pack();
}

static void make_npy(const char *order)
{
    char header[118];
    int length = snprintf(header, sizeof header,
                          "{'descr': '|i1', 'fortran_order': %s, 'shape': (%d, 3), }", order, ROWS);
    memset(header + length, ' ', sizeof header - (size_t)length);
    file.size = 0;
    append("\x93NUMPY\x01\0", 8);
    append_number(sizeof header, 2);
    append(header, sizeof header);
    for (uint32_t i = 0; i < 3 * ROWS; i++)
        append_number(i % 128, 1);
}

static void make_rows(void)
{
    make_npy("False");
}

static void make_columns(void)
{
    make_npy("True");
}

static void make_packed_columns(void)
{
    make_columns();
    pack();
}

/* --- Reading --------------------------------------------------------------------------------- */

static tulle_dataset *expected, *found;

static void write_file(void)
{
    put_bytes(in_folder("table"), file.data, file.size);
}

static enum tulle_status read_file(struct tulle_error *error)
{
    return tulle_dataset_read(in_folder("table"), NULL, &found, error);
}

static void check_dataset(enum tulle_status status)
{
    assert_int_equal(found != NULL, status == TULLE_OK);
    if (!found)
        return;
    const struct tulle_dataset_info *a = tulle_dataset_info(found),
                                    *b = tulle_dataset_info(expected);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->columns, b->columns);
    assert_memory_equal(a->values, b->values, b->rows * b->columns * sizeof *b->values);
    for (size_t c = 0; c < b->columns; c++) {
        assert_string_equal(a->names[c], b->names[c]);
        assert_int_equal(a->levels[c].count, b->levels[c].count);
        for (size_t i = 0; i < b->levels[c].count; i++)
            assert_string_equal(a->levels[c].names[i], b->levels[c].names[i]);
    }
    tulle_dataset_free(found);
    found = NULL;
}

static void check_format(const char *name, void (*make)(void))
{
    struct io_operation operation = {name, write_file, read_file, check_dataset, .most = 100};
    struct tulle_error error;
    make();
    write_file();
    if (tulle_dataset_read(in_folder("table"), NULL, &expected, &error) != TULLE_OK)
        fail_msg("%s: %s", name, error.message);
    assert_int_equal(tulle_dataset_info(expected)->rows, ROWS);
    check_operation(&operation);
    operation.most = 2; /* so that each look ahead takes a call of its own */
    operation.is_slow = 1;
    check_operation(&operation);
    tulle_dataset_free(expected);
}

static void test_csv(void **state)
{
    (void)state;
    check_format("read CSV", make_csv);
}

static void test_gzip(void **state)
{
    (void)state;
    if (!tulle_has_gzip)
        skip();
    check_format("read gzip", make_gzip);
    check_format("read packed NPY by columns", make_packed_columns);
}

static void test_npy(void **state)
{
    (void)state;
    check_format("read NPY by rows", make_rows);
    check_format("read NPY by columns", make_columns);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(test_csv), TEST(test_gzip), TEST(test_npy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
