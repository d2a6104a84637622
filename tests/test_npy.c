/* test_npy.c - NumPy's arrays: every type and order, and every header that must be refused. */
#include "../lib/base/portability.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../lib/data/npy_reader.h"
#include "table_files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- Making files ----------------------------------------------------------------------------- */

struct bytes {
    unsigned char data[1024];
    size_t size;
};

static void append(struct bytes *file, const void *data, size_t size)
{
    assert_true(file->size + size <= sizeof file->data);
    memcpy(file->data + file->size, data, size);
    file->size += size;
}

/* All up to the elements. */
static struct bytes npy(int version, const char *header)
{
    struct bytes file = {{0}, 0};
    size_t length = strlen(header), length_size = version == 1 ? 2 : 4;
    append(&file, "\x93NUMPY", 6);
    append(&file, (unsigned char[]){(unsigned char)version, 0}, 2);
    for (size_t i = 0; i < length_size; i++)
        append(&file, (unsigned char[]){(unsigned char)(length >> 8 * i)}, 1);
    append(&file, header, length);
    return file;
}

static void append_element(struct bytes *file, uint64_t bits, size_t size, int little_endian)
{
    for (size_t i = 0; i < size; i++)
        append(file,
               (unsigned char[]){(unsigned char)(bits >> 8 * (little_endian ? i : size - 1 - i))},
               1);
}

static void write_bytes(const struct bytes *file)
{
    write_table(file->data, file->size);
}

/* --- Reading them ----------------------------------------------------------------------------- */

enum { MAX_VALUES = 512 };

struct result {
    enum tulle_status status;
    struct tulle_error error;
    size_t rows, columns;
    double values[MAX_VALUES];
};

static struct result read_path(const char *path, size_t chunk)
{
    struct result result = {0};
    struct byte_source *source;
    struct npy_reader *reader = NULL;
    result.status = tulle_byte_source_open(path, chunk, &source, &result.error);
    if (!result.status)
        result.status = tulle_npy_reader_open(source, &reader, &result.error);
    if (!result.status)
        result.columns = tulle_npy_reader_columns(reader);
    while (!result.status) {
        const double *row;
        result.status = tulle_npy_reader_next(reader, &row, &result.error);
        if (!row)
            break;
        assert_true((result.rows + 1) * result.columns <= MAX_VALUES);
        memcpy(result.values + result.rows * result.columns, row, result.columns * sizeof *row);
        result.rows++;
    }
    tulle_npy_reader_close(reader);
    tulle_byte_source_close(source);
    return result;
}

static struct result read_npy(size_t chunk)
{
    return read_path(table_path, chunk);
}

/* The same from standard input, which is not read out of turn. */
static struct result read_stream(size_t chunk)
{
    int saved = dup(STDIN_FILENO), file = open(table_path, O_RDONLY);
    assert_true(saved >= 0 && file >= 0);
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    close(file);
    struct result result = read_path("-", chunk);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    return result;
}

static void assert_refused(const struct bytes *file, const char *message)
{
    write_bytes(file);
    for (size_t chunk = 1; chunk <= 1000; chunk *= 10) {
        struct result result = read_npy(chunk);
        assert_int_equal(result.status, TULLE_ERROR_DATA);
        assert_string_equal(result.error.file, table_path);
        if (!strstr(result.error.message, message))
            fail_msg("expected \"%s\", got \"%s\"", message, result.error.message);
    }
}

/* --- Types and orders ------------------------------------------------------------------------- */

enum { ROWS = 2, COLUMNS = 3 };

static const struct {
    const char *type;
    size_t size;
    uint64_t bits[ROWS * COLUMNS]; /* row-major */
    double values[ROWS * COLUMNS];
} types[] = {
    {"f4",
     4,
     {0x3f000000, 0xbfa00000, 0x40400000, 0x7f7fffff, 0x80000000, 0x00000001},
     {0.5, -1.25, 3, 0x1.fffffep127, -0.0, 0x1p-149}},
    {"f8",
     8,
     {0x3fb999999999999a, 0xbff4000000000000, 0x7fefffffffffffff, 1, 0, 0x4000000000000000},
     {0.1, -1.25, 0x1.fffffffffffffp1023, 0x1p-1074, 0, 2}},
    {"b1", 1, {0, 1, 1, 0, 2, 0}, {0, 1, 1, 0, 1, 0}},
    {"i1", 1, {0x80, 0x7f, 0, 1, 0xff, 5}, {-128, 127, 0, 1, -1, 5}},
    {"i2", 2, {0x8000, 0x7fff, 0x0102, 1, 0xffff, 5}, {-32768, 32767, 258, 1, -1, 5}},
    {"i4",
     4,
     {0x80000000, 0x7fffffff, 0x01020304, 1, 0xffffffff, 5},
     {-2147483648.0, 2147483647, 16909060, 1, -1, 5}},
    {"i8",
     8,
     {UINT64_C(1) << 63, INT64_MAX, 0x0102030405, 1, UINT64_MAX, 0x20000000000001},
     {-0x1p63, 0x1p63, 4328719365.0, 1, -1, 0x1p53}},
    {"u1", 1, {0x80, 0x7f, 0, 1, 0xff, 5}, {128, 127, 0, 1, 255, 5}},
    {"u2", 2, {0x8000, 0x7fff, 0x0102, 1, 0xffff, 5}, {32768, 32767, 258, 1, 65535, 5}},
    {"u4",
     4,
     {0x80000000, 0x7fffffff, 0x01020304, 1, 0xffffffff, 5},
     {2147483648.0, 2147483647, 16909060, 1, 4294967295.0, 5}},
    {"u8",
     8,
     {UINT64_C(1) << 63, INT64_MAX, 0x0102030405, 1, UINT64_MAX, 0x20000000000003},
     {0x1p63, 0x1p63, 4328719365.0, 1, 0x1p64, 0x1.0000000000002p53}},
};

static int host_is_little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one;
}

static struct bytes make_typed(size_t type, char order, int fortran, int version)
{
    char header[128];
    int little_endian = order == '<' || (order != '>' && host_is_little_endian());
    snprintf(header, sizeof header,
             "{'descr': '%c%s', 'fortran_order': %s, 'shape': (%d, %d), }          \n", order,
             types[type].type, fortran ? "True" : "False", ROWS, COLUMNS);
    struct bytes file = npy(version, header);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        size_t at = fortran ? i % ROWS * COLUMNS + i / ROWS : i;
        append_element(&file, types[type].bits[at], types[type].size, little_endian);
    }
    return file;
}

static void test_types(void **state)
{
    static const char orders[] = "<>=|";
    (void)state;
    for (size_t type = 0; type < COUNT(types); type++)
        for (const char *order = orders; *order; order++)
            for (int fortran = 0; fortran < 2; fortran++)
                for (size_t chunk = 1; chunk < 100; chunk += 11) {
                    struct bytes file = make_typed(type, *order, fortran, 1);
                    write_bytes(&file);
                    struct result result = read_npy(chunk);
                    assert_int_equal(result.status, TULLE_OK);
                    assert_int_equal(result.rows, ROWS);
                    assert_int_equal(result.columns, COLUMNS);
                    assert_memory_equal(result.values, types[type].values,
                                        sizeof types[type].values);
                }
}

static void test_formats(void **state)
{
    static const char *const headers[] = {
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}\n",
        "{'shape': (1,2), 'fortran_order': False, 'descr': '<f8'}",
        "{\"descr\":\"<f8\",\"fortran_order\":False,\"shape\":(1 , 2 ,)}    \n",
        "  { 'descr' : '<f8' ,\n 'fortran_order' : True , 'shape' : ( 1, 2 ) , }",
    };
    (void)state;
    for (int version = 1; version <= 3; version++)
        for (size_t i = 0; i < COUNT(headers); i++) {
            struct bytes file = npy(version, headers[i]);
            append_element(&file, 0x3ff8000000000000, 8, 1);
            append_element(&file, 0x7ff0000000000000, 8, 1);
            write_bytes(&file);
            struct result result = read_npy(64);
            assert_int_equal(result.status, TULLE_OK);
            assert_int_equal(result.rows, 1);
            assert_int_equal(result.columns, 2);
            assert_true(result.values[0] == 1.5);
            assert_true(isinf(result.values[1])); /* finite or not is for others to check */
        }
}

/* --- What is refused -------------------------------------------------------------------------- */

#define HEADER(descr, order, shape)                                                                \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape ", }\n"

static void test_headers_refused(void **state)
{
    static const struct {
        const char *header, *message;
    } cases[] = {
        {HEADER("'<c16'", "False", "(2, 3)"), "expected numbers of the types b1, f4, f8, i1 to i8 "
                                              "or u1 to u8 in the .npy header, got <c16"},
        {HEADER("'<f2'", "False", "(2, 3)"), "got <f2"},
        {HEADER("'|b8'", "False", "(2, 3)"), "got |b8"},
        {HEADER("'|O'", "False", "(2, 3)"), "got |O"},
        {HEADER("'<U5'", "False", "(2, 3)"), "got <U5"},
        {HEADER("'f8'", "False", "(2, 3)"), "got f8"},
        {HEADER("'<4 '", "False", "(2, 3)"), "got <4 "},
        {HEADER("'<f88888888888888888'", "False", "(2, 3)"), "expected ' in the .npy header"},
        {HEADER("[('a', '<f8'), ('b', '<f8')]", "False", "(2, )"),
         "one type, not the fields of a structured array"},
        {HEADER("'<f8'", "0", "(2, 3)"), "expected False"},
        {HEADER("'<f8'", "False", "(6,)"),
         "expected an array of 2 dimensions, (rows, columns), got 1"},
        {HEADER("'<f8'", "False", "()"), "got 0"},
        {HEADER("'<f8'", "False", "(1, 2, 3)"), "got 3"},
        {HEADER("'<f8'", "False", "(0, 3)"),
         "expected at least one row and one column, got shape (0, 3)"},
        {HEADER("'<f8'", "False", "(2, 0)"), "got shape (2, 0)"},
        {HEADER("'<f8'", "False", "(2 3)"), "expected , in"},
        {HEADER("'<f8'", "False", "(-2, 3)"), "expected a size in"},
        {HEADER("'<f8'", "False", "(,)"), "expected a size in"},
        {HEADER("'<f8'", "False", "[2, 3]"), "expected ( in"},
        {HEADER("'<f8'", "False", "(99999999999999999999999, 3)"), "expected , in"},
        {HEADER("'<f8'", "False", "(9999999999999, 9999999999999)"), "fits no memory"},
        {HEADER("'<f8'", "True", "(2305843009213693952, 1)"), "fits no memory"},
        {HEADER("'<f8'", "False", "(1, 1048577)"), "an array of 1048577 columns; at most 1048576 "},
        {"{'descr': '<f8', 'fortran_order': False, }", "all of descr, fortran_order and shape"},
        {"{}", "all of descr, fortran_order and shape"},
        {"{'descr': '<f8', 'color': 3}", "no keys but descr, fortran_order and shape"},
        {"{'descr' '<f8'}", "expected : in"},
        {"{descr: '<f8'}", "expected \" in"},
        {"", "expected { in"},
        {"{", "expected \" in"},
        {"{'descr': '<f8'", "expected } in"},
        {"{'shape': (3", "expected , in"},
        {HEADER("'<f8'", "False", "(2, 3)") "x", "nothing after '}'"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes file = npy(1, cases[i].header);
        append(&file, (unsigned char[48]){0}, 48);
        assert_refused(&file, cases[i].message);
    }
}

static void test_prefix_refused(void **state)
{
    const char *header = HEADER("'<f8'", "False", "(1, 1)");
    struct bytes file = npy(4, header);
    (void)state;
    assert_refused(&file, "expected .npy format 1, 2 or 3, got 4");
    file = npy(0, header);
    assert_refused(&file, "expected .npy format 1, 2 or 3, got 0");
    file = npy(2, header);
    memset(file.data + 8, 0xff, 4);
    assert_refused(&file, "expected a .npy header of at most 65536 bytes, got 4294967295");
    file = npy(1, header);
    memset(file.data + 8, 0xff, 2);
    assert_refused(&file, "the .npy header is cut short");
}

/* Sizes that are claimed take no memory before their bytes have come. */
static void test_claims_refused(void **state)
{
    static const struct {
        const char *header, *message;
    } cases[] = {
        {HEADER("'<f8'", "False", "(2, 4)"), "expected 64 bytes of data, got 48"},
        {HEADER("'<f8'", "True", "(2, 4)"), "expected 64 bytes of data, got 48"},
        {HEADER("'<f8'", "False", "(2, 2)"), "expected 32 bytes of data, got more"},
        {HEADER("'<f8'", "True", "(2, 2)"), "expected 32 bytes of data, got more"},
        {HEADER("'<f8'", "False", "(1000000000000000, 1)"),
         "expected 8000000000000000 bytes of data, got 48"},
        {HEADER("'<f8'", "True", "(1000000000000000, 1)"),
         "expected 8000000000000000 bytes of data, got 48"},
        {HEADER("'|u1'", "False", "(18446744073709551615, 1)"),
         "expected 18446744073709551615 bytes of data, got 48"},
        {HEADER("'|u1'", "True", "(18446744073709551615, 1)"),
         "expected 18446744073709551615 bytes of data, got 48"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bytes file = npy(1, cases[i].header);
        append(&file, (unsigned char[48]){0}, 48);
        assert_refused(&file, cases[i].message);
    }
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (int version = 1; version <= 2; version++)
        for (int fortran = 0; fortran < 2; fortran++) {
            struct bytes whole = make_typed(1, '<', fortran, version);
            for (size_t size = 0; size < whole.size; size++) {
                struct bytes cut = whole;
                cut.size = size;
                size_t data = ROWS * COLUMNS * 8;
                assert_refused(&cut, size < whole.size - data ? "cut short" : "bytes of data, got");
            }
        }
}

/* In Fortran order, in a pipe, which can be read in one direction only. */
static void test_named_pipe(void **state)
{
    (void)state;
    struct bytes file = make_typed(1, '<', 1, 1);
    unlink(table_path);
    assert_int_equal(mkfifo(table_path, 0600), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int to = open(table_path, O_WRONLY);
        _exit(write(to, file.data, file.size) == (ssize_t)file.size ? 0 : 1);
    }
    struct result result = read_npy(64);
    int child_status;
    assert_true(waitpid(child, &child_status, 0) == child && child_status == 0);
    unlink(table_path);
    assert_int_equal(result.status, TULLE_OK);
    assert_memory_equal(result.values, types[1].values, sizeof types[1].values);
}

enum { LONG_ROWS = 150 };

/* An array in Fortran order, of u2: row r is r, 1000 + r, 2000 + r. */
static void write_columns(void)
{
    struct bytes file = npy(1, HEADER("'>u2'", "True", "(150, 3)"));
    for (uint64_t i = 0; i < LONG_ROWS * 3; i++)
        append_element(&file, i / LONG_ROWS * 1000 + i % LONG_ROWS, 2, 0);
    write_bytes(&file);
}

/* Blocks of the least rows and a rest, and of all; and without blocks from a stream. */
static void test_column_blocks(void **state)
{
    (void)state;
    write_columns();
    for (size_t chunk = 1; chunk < 200; chunk += 11)
        for (int stream = 0; stream < 2; stream++) {
            struct result result = (stream ? read_stream : read_npy)(chunk);
            assert_int_equal(result.status, TULLE_OK);
            assert_int_equal(result.rows, LONG_ROWS);
            assert_int_equal(result.columns, 3);
            for (size_t i = 0; i < LONG_ROWS * 3; i++)
                assert_true(result.values[i] == (double)(i % 3 * 1000 + i / 3));
        }
}

/* A file that is not any more what it was when it was opened. */
static void test_shortened(void **state)
{
    struct byte_source *source;
    struct npy_reader *reader;
    struct tulle_error error;
    const double *row;
    (void)state;
    write_columns();
    assert_int_equal(tulle_byte_source_open(table_path, 2, &source, &error), TULLE_OK);
    assert_int_equal(tulle_npy_reader_open(source, &reader, &error), TULLE_OK);
    assert_int_equal(tulle_npy_reader_next(reader, &row, &error), TULLE_OK);
    assert_true(row[2] == 2000);
    assert_int_equal(truncate(table_path, 100), 0);
    enum tulle_status status = TULLE_OK;
    while (!status && row)
        status = tulle_npy_reader_next(reader, &row, &error);
    assert_int_equal(status, TULLE_ERROR_DATA);
    assert_string_equal(error.message, "the file became shorter while it was read");
    tulle_npy_reader_close(reader);
    tulle_byte_source_close(source);
}

/* No bit of the header makes the reader fall over; what it then reads is anything or nothing. */
static void test_every_flip(void **state)
{
    (void)state;
    for (int fortran = 0; fortran < 2; fortran++) {
        struct bytes whole = make_typed(7, '<', fortran, 1);
        for (size_t bit = 0; bit < 8 * (whole.size - ROWS * COLUMNS); bit++) {
            struct bytes flipped = whole;
            flipped.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
            write_bytes(&flipped);
            struct result result = read_npy(16);
            assert_true(result.status == TULLE_OK || result.status == TULLE_ERROR_DATA);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),           cmocka_unit_test(test_formats),
        cmocka_unit_test(test_headers_refused), cmocka_unit_test(test_prefix_refused),
        cmocka_unit_test(test_claims_refused),  cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_flip),      cmocka_unit_test(test_column_blocks),
        cmocka_unit_test(test_shortened),       cmocka_unit_test(test_named_pipe),
    };
    return cmocka_run_group_tests(tests, make_table_folder, remove_table_folder);
}
