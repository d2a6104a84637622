/* test_dataset.c - tables of numbers from files: columns, headers, splits, and where errors point
 * to. */
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

#include <cmocka.h>

#include "../lib/data/dataset.h"
#include "../lib/data/table_reader.h"
#include "table_files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Options with the counts left to be found. */
struct request {
    const char *columns[MAX_NAMES], *drop[MAX_NAMES], *split;
};

static enum tulle_status read_table(const void *bytes, size_t size, const struct request *request,
                                    tulle_dataset **dataset, struct tulle_error *error)
{
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    options.column_count = name_count(request->columns);
    options.columns = options.column_count ? request->columns : NULL;
    options.drop_count = name_count(request->drop);
    options.drop = request->drop;
    options.split_column = request->split;
    return read_written(bytes, size, &options, dataset, error);
}

/* --- What is read ----------------------------------------------------------------------------- */

enum { MAX_VALUES = 8 };

static const struct {
    const char *text;
    struct request request;
    const char *names[MAX_NAMES];
    int has_header;
    size_t rows;
    double values[MAX_VALUES];
    const char *splits; /* the first letter of each row's */
} tables[] = {
    {"a,b\n1,2\n3,4\n", {{0}, {0}, 0}, {"a", "b"}, 1, 2, {1, 2, 3, 4}, NULL},
    {"1,2\n3,4\n", {{0}, {0}, 0}, {"c0", "c1"}, 0, 2, {1, 2, 3, 4}, NULL},
    {"-1e3\n", {{0}, {0}, 0}, {"c0"}, 0, 1, {-1000}, NULL},
    {"a\n1\n", {{0}, {0}, 0}, {"a"}, 1, 1, {1}, NULL},
    {"a,,c\n1,2,3\n", {{0}, {0}, 0}, {"a", "c1", "c"}, 1, 1, {1, 2, 3}, NULL},
    {"a;b\n1;2\n", {{0}, {0}, 0}, {"a", "b"}, 1, 1, {1, 2}, NULL},
    {"a\tb\r\n1\t2\r\n", {{0}, {0}, 0}, {"a", "b"}, 1, 1, {1, 2}, NULL},
    /* Blanks around names and numbers; quoted numbers. */
    {" a , \"b\n 1 ,\t2\t\n", {{0}, {0}, 0}, {"a", "\"b"}, 1, 1, {1, 2}, NULL},
    {"\"a,b\",\"c\"\"d\"\n\"1\",\" 2 \"\n", {{0}, {0}, 0}, {"a,b", "c\"d"}, 1, 1, {1, 2}, NULL},
    {"1,x\n2,3\n", {{0}, {0}, 0}, {"1", "x"}, 1, 1, {2, 3}, NULL},
    {"a;b\n 1;  2\n+.5 ;-4.\n", {{0}, {0}, 0}, {"a", "b"}, 1, 2, {1, 2, .5, -4}, NULL},
    {"a\tb\n 1 \t\" 2\"\n3\t 4\n", {{0}, {0}, 0}, {"a", "b"}, 1, 2, {1, 2, 3, 4}, NULL},
    /* Columns by name, dropped, or as a split. */
    {"a,b,c\n1,2,3\n4,5,6\n", {{"c", "a"}, {0}, 0}, {"c", "a"}, 1, 2, {3, 1, 6, 4}, NULL},
    {"a,b,c\n1,x,3\n", {{0}, {"b"}, 0}, {"a", "c"}, 1, 1, {1, 3}, NULL},
    {"1,2,3\n", {{0}, {"c1"}, 0}, {"c0", "c2"}, 0, 1, {1, 3}, NULL},
    {"a,s,b\n1,train,2\n3,validation,4\n5, test ,6\n7,val,8\n",
     {{0}, {0}, "s"},
     {"a", "b"},
     1,
     4,
     {1, 2, 3, 4, 5, 6, 7, 8},
     "tvTv"},
    {"a,s\r\n1,train\r\n2, test \r\n3,\"valid\"\r\n4,val",
     {{0}, {0}, "s"},
     {"a"},
     1,
     4,
     {1, 2, 3, 4},
     "tTvv"},
    {"a,s\n1,valid\n", {{"a"}, {0}, "s"}, {"a"}, 1, 1, {1}, "v"},
    /* What is not wanted is not looked at. */
    {"a,a,b\n1,2,3\n", {{"b"}, {0}, 0}, {"b"}, 1, 1, {3}, NULL},
    {"a,b,a,a\nx,2,y,z\n", {{0}, {"a"}, 0}, {"b"}, 1, 1, {2}, NULL},
    {"a,b\n1,nan\n", {{"a"}, {0}, 0}, {"a"}, 1, 1, {1}, NULL},
    {"b,a,c\n,1,5\" nail\nx y, 2 ,\n", {{"a"}, {0}, 0}, {"a"}, 1, 2, {1, 2}, NULL},
    {"a,b\n1,1e308\n", {{"a"}, {0}, 0}, {"a"}, 1, 1, {1}, NULL},
    {"a,caf\xe9\n1,2\n", {{"a"}, {0}, 0}, {"a"}, 1, 1, {1}, NULL},
    {"caf\xe9,a\n1,2\n", {{0}, {"caf\xe9"}, 0}, {"a"}, 1, 1, {2}, NULL},
    {"caf\xc3\xa9\n1\n", {{0}, {0}, 0}, {"caf\xc3\xa9"}, 1, 1, {1}, NULL},
    /* The largest numbers; empty cells alone make no row of numbers. */
    {"-1e150,1e150\n", {{0}, {0}, 0}, {"c0", "c1"}, 0, 1, {-1e150, 1e150}, NULL},
    {",\n1,2\n", {{0}, {0}, 0}, {"c0", "c1"}, 1, 1, {1, 2}, NULL},
};

static void assert_table(const struct tulle_dataset_info *info, size_t i)
{
    size_t columns = name_count(tables[i].names);
    assert_string_equal(info->source, table_path);
    assert_int_equal(info->rows, tables[i].rows);
    assert_int_equal(info->columns, columns);
    assert_int_equal(info->has_header, tables[i].has_header);
    for (size_t c = 0; c < columns; c++)
        assert_string_equal(info->names[c], tables[i].names[c]);
    for (size_t v = 0; v < info->rows * columns; v++)
        assert_true(info->values[v] == tables[i].values[v]);
    assert_int_equal(info->split == NULL, tables[i].splits == NULL);
    if (!tables[i].splits) {
        assert_null(info->split_column);
        return;
    }
    assert_string_equal(info->split_column, tables[i].request.split);
    for (size_t r = 0; r < info->rows; r++)
        assert_int_equal("tvT"[info->split[r]], tables[i].splits[r]);
}

static void test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        struct tulle_error error;
        tulle_dataset *dataset;
        if (read_table(tables[i].text, strlen(tables[i].text), &tables[i].request, &dataset,
                       &error))
            fail_msg("table %zu: %zu:%zu: %s", i, error.line, error.column, error.message);
        assert_table(tulle_dataset_info(dataset), i);
        tulle_dataset_free(dataset);
    }
}

static void test_many_rows(void **state)
{
    enum { ROWS = 20000 };
    char *text;
    size_t size;
    struct tulle_error error;
    tulle_dataset *dataset;
    FILE *to = open_memstream(&text, &size);
    (void)state;
    fprintf(to, "a,s,b\n");
    for (int r = 0; r < ROWS; r++)
        fprintf(to, "%d,%s,%.17g\n", r, r % 3 ? "train" : "test", r / 7.0);
    fclose(to);
    assert_int_equal(read_table(text, size, &(struct request){.split = "s"}, &dataset, &error),
                     TULLE_OK);
    free(text);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_int_equal(info->rows, ROWS);
    for (size_t r = 0; r < ROWS; r++) {
        assert_true(info->values[2 * r] == (double)r);
        assert_true(info->values[2 * r + 1] == (double)r / 7.0);
        assert_int_equal(info->split[r], r % 3 ? TULLE_SPLIT_TRAIN : TULLE_SPLIT_TEST);
    }
    assert_int_equal(tulle_dataset_find(dataset, "b"), 1);
    assert_true(tulle_dataset_find(dataset, "s") == SIZE_MAX);
    tulle_dataset_free(dataset);
}

/* --- What is refused -------------------------------------------------------------------------- */

static const struct {
    const char *text;
    struct request request;
    size_t line, column;
    const char *message;
} refused[] = {
    {"", {{0}, {0}, 0}, 0, 0, "expected a table, got an empty file"},
    {"\n\n \n", {{0}, {0}, 0}, 0, 0, "expected a table, got an empty file"},
    {"a,b\n", {{0}, {0}, 0}, 0, 0, "no rows after the header"},
    {"a,b\r1,2\r",
     {{0}, {0}, 0},
     0,
     0,
     "no rows after the header, where lines end in CR alone; save the file with LF"},
    {"a,b\n\n\n", {{0}, {0}, 0}, 0, 0, "no rows after the header"},
    /* Ragged rows: the surplus cell, or the end of the line that lacks one. */
    {"a,b,c\n1,2,3\n1,2\n", {{0}, {0}, 0}, 3, 4, "expected 3 cells as in the header, got 2"},
    {"a,b\n1,2,3,4\n", {{0}, {0}, 0}, 2, 5, "expected 2 cells as in the header, got 4"},
    {"a,b\n1,2\n3,4,\n", {{0}, {0}, 0}, 3, 5, "expected 2 cells as in the header, got 3"},
    {"a\tb\n1\t\t2\n", {{0}, {0}, 0}, 2, 4, "expected 2 cells as in the header, got 3"},
    {"a,b\n1,x\n2\n", {{"a"}, {0}, 0}, 3, 2, "expected 2 cells as in the header, got 1"},
    {"a,b\n1,x\n2,y,3\n", {{"a"}, {0}, 0}, 3, 5, "expected 2 cells as in the header, got 3"},
    {"a,b\n\"x\ny\",2,3\n", {{0}, {0}, 0}, 3, 6, "expected 2 cells as in the header, got 3"},
    {"a,b\n\"x\ny\"\n", {{0}, {0}, 0}, 3, 3, "expected 2 cells as in the header, got 1"},
    {"a\n1,2\n", {{0}, {0}, 0}, 2, 3, "expected 1 cell as in the header, got 2"},
    {"1,2\n3\n", {{0}, {0}, 0}, 2, 2, "expected 2 cells as in the first row, got 1"},
    /* Cells. */
    {"a,rooms\n1,2\n1,n/a\n",
     {{0}, {0}, 0},
     3,
     3,
     "expected a number in column 'rooms', got \"n/a\"; name it as missing, or the column as "
     "categorical"},
    {"a,b\n0,3\n1 2,3\n", {{0}, {0}, 0}, 3, 1, "expected a number in column 'a', got \"1 2\""},
    {"a,b\n1,2\n1,2\r3\n", {{0}, {0}, 0}, 3, 3, "expected a number in column 'b', got \"2?3\""},
    {"a;b\n1;2\n1,5;2\n", {{0}, {0}, 0}, 3, 1, "expected a number in column 'a', got \"1,5\""},
    {"a,b\n1,2\n\"3\",x\n", {{0}, {0}, 0}, 3, 5, "expected a number in column 'b', got \"x\""},
    /* The first that is wrong is told, however the columns are listed. */
    {"a,b\n1,2\nx,y\n", {{"b", "a"}, {0}, 0}, 3, 1, "expected a number in column 'a', got \"x\""},
    {"a,b\n1,-inf\n", {{0}, {0}, 0}, 2, 3, "expected a finite number in column 'b', got \"-inf\""},
    {"a\n1e999\n",
     {{0}, {0}, 0},
     2,
     1,
     "expected a number of at most 1e150 in size in column 'a', got \"1e999\""},
    {"y,x\n1e150,1e308\n",
     {{0}, {0}, 0},
     2,
     7,
     "expected a number of at most 1e150 in size in column 'x', got \"1e308\""},
    {"x\n-1e150\n-1.0000000000000002e150\n",
     {{"x"}, {0}, 0},
     3,
     1,
     "expected a number of at most 1e150 in size in column 'x', got \"-1.0000000000000002e150\""},
    {"1,2\n1,inf\n", {{0}, {0}, 0}, 2, 3, "expected a finite number in column 'c1', got \"inf\""},
    {"1,INF\n", {{0}, {0}, 0}, 1, 3, "expected a finite number in column 'c1', got \"INF\""},
    {"x,y\n1,2\n\"1\n2\",3\n",
     {{0}, {0}, 0},
     3,
     1,
     "expected a number in column 'x', got \"1?2\";"},
    {"a\n0\n1234567890123456789012345678901234567890x\n",
     {{"a"}, {0}, 0},
     3,
     1,
     "got \"1234567890123456789012345678901234567890...\""},
    {"a\n0\n123456789012345678901234567890123456789\xc3\xb6xyz\n",
     {{"a"}, {0}, 0},
     3,
     1,
     "got \"123456789012345678901234567890123456789...\""},
    {"a,b\n1,\"2\n", {{0}, {0}, 0}, 2, 3, "this quote is never closed"},
    /* Splits. */
    {"a,s\n1,train\n2,Test\n",
     {{0}, {0}, "s"},
     3,
     3,
     "expected train, valid or test in column 's', got \"Test\""},
    {"a,s\n1,all\n", {{0}, {0}, "s"}, 2, 3, "expected train, valid or test in column 's'"},
    {"s,a\nx,y\n", {{0}, {0}, "s"}, 2, 1, "expected train, valid or test in column 's'"},
    {"a,s\n1,2\n", {{"a", "s"}, {0}, "s"}, 2, 3, "expected train, valid or test in column 's'"},
    {"a,s\n1,\n", {{0}, {0}, "s"}, 2, 3, "in column 's', got an empty cell"},
    {"a,s\n1,traintraintraintrain\n", {{0}, {0}, "s"}, 2, 3, "got \"traintraintraintrain\""},
    /* Names. */
    {"rooms,b\n1,2\n", {{"rom"}, {0}, 0}, 0, 0, "no column 'rom'; did you mean 'rooms'?"},
    {"rooms,b\n1,2\n", {{"b", "elephant"}, {0}, 0}, 0, 0, "no column 'elephant'"},
    {"rooms,b\n1,2\n", {{0}, {"romos"}, 0}, 0, 0, "no column 'romos'; did you mean 'rooms'?"},
    {"a,split\n1,2\n", {{0}, {0}, "splt"}, 0, 0, "no column 'splt'; did you mean 'split'?"},
    {"1,2\n", {{"c2"}, {0}, 0}, 0, 0, "no column 'c2'; did you mean"},
    {"a,b\n1,2\n", {{0}, {"a", "b"}, 0}, 0, 0, "no column is left to read"},
    {"a,s\n1,test\n", {{0}, {"a"}, "s"}, 0, 0, "no column is left to read"},
    {"\nb,a,c,a\n1,2,3,4\n",
     {{0}, {0}, 0},
     2,
     7,
     "column 'a' is in the header twice, as cells 2 and 4"},
    {"b,a,a\n1,2,3\n",
     {{"a"}, {0}, 0},
     1,
     5,
     "column 'a' is in the header twice, as cells 2 and 3"},
    {"a,\"\n\",caf\xe9\n1,2,3\n",
     {{0}, {0}, 0},
     2,
     3,
     "the name of column 3 is not UTF-8 text; save the file as UTF-8"},
    {"caf\xe9,b\n1,2\n", {{"b", "caf\xe9"}, {0}, 0}, 1, 1, "the name of column 1 is not UTF-8"},
    {"b,\xff\n1,test\n", {{"b"}, {0}, "\xff"}, 1, 3, "the name of column 2 is not UTF-8"},
    {"b,s,s\n1,2,3\n", {{"b"}, {0}, "s"}, 1, 5, "column 's' is in the header twice"},
    {"c1,\n1,2\n", {{0}, {0}, 0}, 1, 4, "column 'c1' is in the header twice, as cells 1 and 2"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct tulle_error error = {0};
        tulle_dataset *dataset;
        const char *text = refused[i].text;
        assert_int_equal(read_table(text, strlen(text), &refused[i].request, &dataset, &error),
                         TULLE_ERROR_DATA);
        assert_int_equal(error.code, TULLE_ERROR_DATA);
        assert_string_equal(error.file, table_path);
        if (error.line != refused[i].line || error.column != refused[i].column ||
            !strstr(error.message, refused[i].message))
            fail_msg("case %zu: got %zu:%zu: %s", i, error.line, error.column, error.message);
        enum tulle_status status = tulle_dataset_read(table_path, NULL, &dataset, NULL);
        assert_int_equal(status == TULLE_OK, dataset != NULL);
        tulle_dataset_free(dataset);
    }
}

static void test_arguments_refused(void **state)
{
    struct tulle_error error;
    tulle_dataset *dataset;
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    (void)state;
    assert_int_equal(
        read_table("a,b\n1,2\n", 8, &(struct request){.columns = {"a", "a"}}, &dataset, &error),
        TULLE_ERROR_ARGUMENT);
    assert_string_equal(error.message, "column 'a' is listed twice");

    options.size = 0;
    assert_int_equal(tulle_dataset_read(table_path, &options, &dataset, &error),
                     TULLE_ERROR_ARGUMENT);
    assert_null(dataset);

    /* Options of a header that knew no more than the columns. */
    options = (struct tulle_read_options)TULLE_READ_OPTIONS;
    options.size = offsetof(struct tulle_read_options, drop);
    options.split_column = "not looked at";
    assert_int_equal(tulle_dataset_read(table_path, &options, &dataset, &error), TULLE_OK);
    tulle_dataset_free(dataset);

    assert_int_equal(tulle_dataset_read("/tmp/there/is/no/such/file", NULL, &dataset, &error),
                     TULLE_ERROR_IO);
    assert_null(dataset);
    char text[600];
    tulle_error_text(&error, text, sizeof text);
    assert_string_equal(text, "/tmp/there/is/no/such/file: cannot open: No such file or directory");
}

/* No beginning of a table makes the reader fall over, and where it is cut within a cell's text the
 * rest of the table is as it was. */
static void test_every_truncation(void **state)
{
    const char text[] = "\xef\xbb\xbf\"a\"\"\n\",s,b\r\n1.5e-3,\"train\",\" -2\"\r\n\r\n,test,1\n";
    (void)state;
    check_truncations(text, sizeof text);
}

/* --- .npy ------------------------------------------------------------------------------------- */

static const unsigned char array[] = "\x93NUMPY\x01\0\x40\0"
                                     "{'descr': '|i1', 'fortran_order': False, "
                                     "'shape': (2, 3), }    \n"
                                     "\x01\x02\x03\x04\x05\xff";

static void test_npy(void **state)
{
    struct tulle_error error;
    tulle_dataset *dataset;
    const struct tulle_dataset_info *info;
    static const double values[] = {3, 1, -1, 4};
    (void)state;
    assert_int_equal(array[8] + 10 + 6, sizeof array - 1);
    assert_int_equal(read_table(array, sizeof array - 1, &(struct request){.columns = {"c2", "c0"}},
                                &dataset, &error),
                     TULLE_OK);
    info = tulle_dataset_info(dataset);
    assert_int_equal(info->rows, 2);
    assert_int_equal(info->columns, 2);
    assert_int_equal(info->has_header, 0);
    assert_string_equal(info->names[0], "c2");
    assert_memory_equal(info->values, values, sizeof values);
    tulle_dataset_free(dataset);

    assert_int_equal(
        read_table(array, sizeof array - 1, &(struct request){.columns = {"c3"}}, &dataset, &error),
        TULLE_ERROR_DATA);
    assert_non_null(strstr(error.message, "no column 'c3'"));
    assert_int_equal(
        read_table(array, sizeof array - 1, &(struct request){.split = "c1"}, &dataset, &error),
        TULLE_ERROR_DATA);
    assert_string_equal(error.message,
                        "a .npy file holds numbers alone, so it has no split column 'c1'");
    for (size_t size = 0; size < sizeof array - 1; size++)
        assert_int_equal(
            read_table(array, size, &(struct request){.split = NULL}, &dataset, &error),
            TULLE_ERROR_DATA);
    assert_int_equal(
        read_table(array, sizeof array, &(struct request){.split = NULL}, &dataset, &error),
        TULLE_ERROR_DATA);
    assert_string_equal(error.message, "expected 6 bytes of data, got more");
}

static void test_npy_values_refused(void **state)
{
    unsigned char file[] = "\x93NUMPY\x01\0\x40\0"
                           "{'descr': '>f4', 'fortran_order': False, "
                           "'shape': (2, 1), }    \n"
                           "\x3f\x80\0\0\x7f\x80\0\0";
    unsigned char large[] = "\x93NUMPY\x01\0\x40\0"
                            "{'descr': '>f8', 'fortran_order': False, "
                            "'shape': (1, 2), }    \n"
                            "\x3f\xf0\0\0\0\0\0\0\xff\xe0\0\0\0\0\0\0"; /* 1, -2^1023 */
    struct tulle_error error;
    tulle_dataset *dataset;
    (void)state;
    assert_int_equal(
        read_table(file, sizeof file - 1, &(struct request){.split = NULL}, &dataset, &error),
        TULLE_ERROR_DATA);
    assert_int_equal(error.line, 0);
    assert_string_equal(error.message, "row 2: expected a finite number in column 'c0', got inf");

    const char *message = "row 1: expected a number of at most 1e150 in size in column 'c1', "
                          "got -8.98847e+307";
    assert_int_equal(
        read_table(large, sizeof large - 1, &(struct request){.split = NULL}, &dataset, &error),
        TULLE_ERROR_DATA);
    assert_string_equal(error.message, message);
    assert_int_equal(
        read_table(large, sizeof large - 1, &(struct request){.columns = {"c0"}}, &dataset, &error),
        TULLE_OK);
    tulle_dataset_free(dataset);
}

/* A float that is not quite the decimal that it was written as, and the same in a double, which it
 * is not. */
static void test_npy_missing(void **state)
{
    unsigned char f4[] = "\x93NUMPY\x01\0\x40\0"
                         "{'descr': '>f4', 'fortran_order': False, "
                         "'shape': (2, 1), }    \n"
                         "\xc2\xc7\xcc\xcd\x3f\x80\0\0"; /* -99.9, 1 */
    unsigned char f8[] = "\x93NUMPY\x01\0\x40\0"
                         "{'descr': '>f8', 'fortran_order': False, "
                         "'shape': (1, 2), }    \n"
                         "\xc0\x58\xf9\x99\xa0\0\0\0\xc0\x58\xf9\x99\x99\x99\x99\x9a";
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    tulle_dataset *dataset;
    (void)state;
    options.missing = (const char *[]){"NA", "-99.90", "1e39"};
    options.missing_count = 3;
    for (int is_categorical = 0; is_categorical < 2; is_categorical++) {
        options.categorical = (const char *[]){"c0"};
        options.categorical_count = (size_t)is_categorical;
        write_table(f4, sizeof f4 - 1);
        assert_int_equal(tulle_dataset_read(table_path, &options, &dataset, NULL), TULLE_OK);
        const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
        assert_true(isnan(info->values[0]) && info->values[1] == !is_categorical);
        assert_int_equal(info->missing_count, 3);
        assert_string_equal(info->missing[1], "-99.90");
        tulle_dataset_free(dataset);
    }
    options.categorical_count = 0;
    write_table(f8, sizeof f8 - 1);
    assert_int_equal(tulle_dataset_read(table_path, &options, &dataset, NULL), TULLE_OK);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_true(info->values[0] == (double)-99.9f && isnan(info->values[1]));
    tulle_dataset_free(dataset);
}

/* What comes from standard input is called so, in the dataset too. */
static void test_standard_input(void **state)
{
    tulle_dataset *dataset;
    int saved = dup(STDIN_FILENO);
    (void)state;
    write_table("a\n1\n", 4);
    int file = open(table_path, O_RDONLY);
    assert_true(saved >= 0 && file >= 0);
    assert_int_equal(dup2(file, STDIN_FILENO), STDIN_FILENO);
    close(file);
    enum tulle_status status = tulle_dataset_read("-", NULL, &dataset, NULL);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    assert_int_equal(status, TULLE_OK);
    assert_string_equal(tulle_dataset_info(dataset)->source, "standard input");
    tulle_dataset_free(dataset);
}

/* --- Rows one by one -------------------------------------------------------------------------- */

static void test_lines(void **state)
{
    static const size_t lines[] = {3, 5, 7};
    const char text[] = "\na,b\n1,2\n\n3,\"\n4\"\n5,6";
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    struct table_reader *reader;
    struct tulle_error error;
    const double *values;
    enum tulle_split split;
    (void)state;
    write_table(text, sizeof text - 1);
    options.columns = (const char *[]){"a"};
    options.column_count = 1;
    assert_int_equal(tulle_table_reader_open(table_path, &options, &reader, &error), TULLE_OK);
    for (size_t i = 0; i < COUNT(lines); i++) {
        assert_int_equal(tulle_table_reader_next(reader, &values, &split, &error), TULLE_OK);
        assert_non_null(values);
        assert_int_equal(tulle_table_reader_line(reader), lines[i]);
        assert_true(values[0] == (double)(2 * i + 1));
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tulle_table_reader_next(reader, &values, &split, &error), TULLE_OK);
        assert_null(values);
    }
    tulle_table_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),           cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_arguments_refused),
        cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_npy),
        cmocka_unit_test(test_npy_missing),      cmocka_unit_test(test_npy_values_refused),
        cmocka_unit_test(test_standard_input),   cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, make_table_folder, remove_table_folder);
}
