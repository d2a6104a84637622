/* test_typed_tables.c - categories and missing values in tables from files: of what kind a column
 * is, what its levels are, and what is refused. */
#include "../lib/base/portability.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/data/dataset.h"
#include "../lib/data/levels.h"
#include "../lib/data/table_reader.h"
#include "table_files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Options with the counts left to be found; no missing[0] stands for those that are usual. */
struct request {
    const char *categorical[MAX_NAMES], *numeric[MAX_NAMES], *missing[MAX_NAMES], *split;
};

static struct tulle_read_options make_options(const struct request *request)
{
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    options.split_column = request->split;
    options.categorical = request->categorical;
    options.categorical_count = name_count(request->categorical);
    options.numeric = request->numeric;
    options.numeric_count = name_count(request->numeric);
    options.missing_count = name_count(request->missing);
    options.missing = options.missing_count ? request->missing : NULL;
    return options;
}

static enum tulle_status read_table(const void *bytes, size_t size, const struct request *request,
                                    tulle_dataset **dataset, struct tulle_error *error)
{
    struct tulle_read_options options = make_options(request);
    return read_written(bytes, size, &options, dataset, error);
}

/* --- A text form of what is read -------------------------------------------------------------- */

/* A line for each row, of numbers, names in brackets and "-" for what is missing; and one of the
 * columns' levels: "number" or names in the order of their numbers. */
static void print_dataset(const struct tulle_dataset_info *info, char *to, size_t size)
{
    FILE *file = fmemopen(to, size, "w");
    assert_non_null(file);
    for (size_t i = 0; i < info->rows * info->columns; i++) {
        const struct tulle_levels *levels = &info->levels[i % info->columns];
        double value = info->values[i];
        if (isnan(value))
            fputc('-', file);
        else if (!levels->names)
            fprintf(file, "%g", value);
        else
            fprintf(file, "[%s]", levels->names[(size_t)value]);
        fputc((i + 1) % info->columns ? ' ' : '\n', file);
    }
    for (size_t c = 0; c < info->columns; c++) {
        fprintf(file, "%s%s", c ? " " : "", info->levels[c].names ? "" : "number");
        for (size_t i = 0; i < info->levels[c].count; i++)
            fprintf(file, "[%s]", info->levels[c].names[i]);
    }
    fclose(file);
}

static const struct {
    const char *text;
    struct request request;
    const char *expected;
} tables[] = {
    /* The first cell that is not missing tells the kind. */
    {"a,b\nx,1\ny,2\nx,3\n", {{0}, {0}, {0}, 0}, "[x] 1\n[y] 2\n[x] 3\n[x][y] number"},
    {"a,b\nx,\n5,2\n", {{0}, {0}, {0}, 0}, "[x] -\n[5] 2\n[x][5] number"},
    {"a,b\nNA,?\n,n\n7,m\n", {{0}, {0}, {0}, 0}, "- -\n- [n]\n7 [m]\nnumber [n][m]"},
    {"a,b\nNA,1\n,2\n", {{0}, {0}, {0}, 0}, "- 1\n- 2\nnumber number"},
    {"a\ntrue\nfalse\n", {{0}, {0}, {0}, 0}, "[true]\n[false]\n[true][false]"},
    {"a\n1.5.2\n0x10\n", {{0}, {0}, {0}, 0}, "[1.5.2]\n[0x10]\n[1.5.2][0x10]"},
    /* Or the options do. */
    {"a,b\n2,1\n1,01\n2,1.0\n",
     {{"a", "b", "no such"}, {0}, {0}, 0},
     "[2] [1]\n[1] [01]\n[2] [1.0]\n[2][1] [1][01][1.0]"},
    {"a\ninf\n1e999\n", {{"a"}, {0}, {0}, 0}, "[inf]\n[1e999]\n[inf][1e999]"},
    {"a,b\n,1\nNA,2\n", {{"a"}, {"b", "no such"}, {0}, 0}, "- 1\n- 2\n number"},
    {"a\n1\n", {{"a", "a"}, {0}, {0}, 0}, "[1]\n[1]"},
    {"1,2\n1,3\n", {{"c0"}, {"c1"}, {0}, 0}, "[1] 2\n[1] 3\n[1] number"},
    /* What is missing: empty cells always, tokens as they are written, blanks aside. */
    {"a,b\n1,x\n, \nNA,NA\n N/A ,\tN/A\nnan,nan\nNaN,NaN\nnull,null\n?,?\n",
     {{0}, {0}, {0}, 0},
     "1 [x]\n- -\n- -\n- -\n- -\n- -\n- -\n- -\nnumber [x]"},
    {"a,b\n\"1\",\"x\"\n\"\",\"\"\n\" NA\",\"?\"\n",
     {{0}, {0}, {0}, 0},
     "1 [x]\n- -\n- -\nnumber [x]"},
    {"a,b\n1,x\nnone,none\n,na\n", {{0}, {0}, {"none"}, 0}, "1 [x]\n- -\n- [na]\nnumber [x][na]"},
    {"a,b\n1,NA\n-1,?\n", {{0}, {0}, {"-1", "-"}, 0}, "1 [NA]\n- [?]\nnumber [NA][?]"},
    {"a,b\n-999,-999\n-999.0,x\n3 , -999\n",
     {{0}, {0}, {"-999"}, 0},
     "- -\n- [x]\n3 -\nnumber [x]"},
    /* Numbers are compared as numbers, categories as texts. */
    {"a,b\n-9.99e2,x\n-999.0,-999.0\n-998,-999\n",
     {{0}, {0}, {"-999"}, 0},
     "- [x]\n- -\n-998 -\nnumber [x]"},
    {"a,b\n1e200,1\n5,1.\n01,2\n", {{0}, {0}, {"1e+200", "1"}, 0}, "- -\n5 -\n- 2\nnumber number"},
    /* Holes in a table without a header. */
    {"1,,3\n,2,\n", {{0}, {0}, {0}, 0}, "1 - 3\n- 2 -\nnumber number number"},
    {" ,2\n4,x\n", {{0}, {"no such"}, {"x"}, 0}, "- 2\n4 -\nnumber number"},
    {"1,nan\n2,5\n", {{0}, {0}, {0}, 0}, "1 -\n2 5\nnumber number"},
    {"1,?\nNA,5\n", {{0}, {0}, {0}, 0}, "1 -\n- 5\nnumber number"},
    {"none,1\n2,none\n", {{0}, {0}, {"none"}, 0}, "- 1\n2 -\nnumber number"},
    {"-999,?\n2,3\n", {{0}, {0}, {"-999", "?"}, 0}, "- -\n2 3\nnumber number"},
    {"NA,?\n1,2\n", {{0}, {0}, {0}, 0}, "1 2\nnumber number"},
    /* Quotes and blanks around texts, and characters of several bytes. */
    {"a,b\n\"x, y\",1\n\"say \"\"x\"\"\",2\n x , 3\n\" x \",4\n5\" nail,5\n",
     {{0}, {0}, {0}, 0},
     "[x, y] 1\n[say \"x\"] 2\n[x] 3\n[x] 4\n[5\" nail] 5\n[x, y][say \"x\"][x][5\" nail] number"},
    {"a;b\r\nx y;1,5\r\nx  y;1,5\r\n",
     {{0}, {0}, {0}, 0},
     "[x y] [1,5]\n[x  y] [1,5]\n[x y][x  y] [1,5]"},
    {"a\nZ\xc3\xbcrich\n\xe6\x9d\xb1\xe4\xba\xac\nZ\xc3\xbcrich\n",
     {{0}, {0}, {0}, 0},
     "[Z\xc3\xbcrich]\n[\xe6\x9d\xb1\xe4\xba\xac]\n[Z\xc3\xbcrich]\n"
     "[Z\xc3\xbcrich][\xe6\x9d\xb1\xe4\xba\xac]"},
    /* A split column is of no kind, unless it is a column as well; see below. */
    {"a,s,b\nx,train,1\ny,test,\n", {{0}, {0}, {0}, "s"}, "[x] 1\n[y] -\n[x][y] number"},
};

static void test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tables); i++) {
        struct tulle_error error;
        tulle_dataset *dataset;
        char got[512];
        const char *text = tables[i].text;
        if (read_table(text, strlen(text), &tables[i].request, &dataset, &error))
            fail_msg("table %zu: %zu:%zu: %s", i, error.line, error.column, error.message);
        print_dataset(tulle_dataset_info(dataset), got, sizeof got);
        if (strcmp(got, tables[i].expected) != 0)
            fail_msg("table %zu: got\n%s", i, got);
        tulle_dataset_free(dataset);
    }
}

/* The options that the columns are listed in, and a split that is one of them. */
static void test_split_is_a_column(void **state)
{
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    tulle_dataset *dataset;
    (void)state;
    write_table("a,s\n1,train\n2,test\n", 19);
    options.columns = (const char *[]){"s", "a"};
    options.column_count = 2;
    options.split_column = "s";
    assert_int_equal(tulle_dataset_read(table_path, &options, &dataset, NULL), TULLE_OK);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_int_equal(info->levels[0].count, 2);
    assert_string_equal(info->levels[0].names[1], "test");
    assert_int_equal(info->split[1], TULLE_SPLIT_TEST);
    tulle_dataset_free(dataset);
}

/* --- What is refused -------------------------------------------------------------------------- */

static const struct {
    const char *text;
    struct request request;
    size_t line, column;
    const char *message;
} refused[] = {
    {"b,rooms\nx,2\ny,n/a\n",
     {{0}, {0}, {0}, 0},
     3,
     3,
     "expected a number in column 'rooms', got \"n/a\"; name it as missing, or the column as "
     "categorical"},
    {"b,rooms\n\"x\ny\",2\n\"\"\"y\", four\n",
     {{0}, {0}, {0}, 0},
     4,
     7,
     "expected a number in column 'rooms', got \"four\""},
    {"a\nx\n", {{0}, {"a"}, {0}, 0}, 2, 1, "expected a number in column 'a', got \"x\""},
    {"a\n1\nNA\n", {{0}, {0}, {"none"}, 0}, 3, 1, "expected a number in column 'a', got \"NA\""},
    {"a\n1\nna\n", {{0}, {0}, {0}, 0}, 3, 1, "expected a number in column 'a', got \"na\""},
    {"a\n1\nNAN\n", {{0}, {0}, {0}, 0}, 3, 1, "expected a finite number in column 'a', got"},
    {"a\ninf\n", {{0}, {0}, {0}, 0}, 2, 1, "expected a finite number in column 'a', got \"inf\""},
    {"a,b\n1,x\n1e200,y\n", {{0}, {0}, {"7"}, 0}, 3, 1, "expected a number of at most 1e150"},
    {"a,b\nx,1\ncaf\xe9,2\n",
     {{0}, {0}, {0}, 0},
     3,
     1,
     "expected UTF-8 text in column 'a', got \"caf?\"; save the file as UTF-8"},
    {"a,b\nx,1\nx,2\nx,\"\xff\"\n", {{"b"}, {0}, {0}, 0}, 4, 3, "expected UTF-8 text"},
    {"a,b\nx,1\ny\n", {{0}, {0}, {0}, 0}, 3, 2, "expected 2 cells as in the header, got 1"},
    {"a,b\nx,1\ny,2,z\n", {{0}, {0}, {0}, 0}, 3, 5, "expected 2 cells as in the header, got 3"},
    {"a,s\nx,\n", {{0}, {0}, {0}, "s"}, 2, 3, "expected train, valid or test in column 's'"},
    {"a,b\n", {{"a"}, {0}, {0}, 0}, 0, 0, "no rows after the header"},
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
        assert_string_equal(error.file, table_path);
        if (error.line != refused[i].line || error.column != refused[i].column ||
            !strstr(error.message, refused[i].message))
            fail_msg("case %zu: got %zu:%zu: %s", i, error.line, error.column, error.message);
    }
}

static void test_both_kinds_refused(void **state)
{
    struct request request = {{"b", "a"}, {"a"}, {0}, NULL};
    struct tulle_error error;
    tulle_dataset *dataset;
    (void)state;
    assert_int_equal(read_table("a,b\n1,2\n", 8, &request, &dataset, &error), TULLE_ERROR_ARGUMENT);
    assert_string_equal(error.message, "column 'a' is listed both as categorical and as numeric");
}

/* --- Many levels ------------------------------------------------------------------------------ */

static void test_many_levels(void **state)
{
    enum { LEVELS = 100000, ROWS = 2 * LEVELS };
    char *text, name[32];
    size_t size;
    tulle_dataset *dataset;
    FILE *to = open_memstream(&text, &size);
    (void)state;
    fprintf(to, "id,x\n");
    for (size_t r = 0; r < ROWS; r++)
        fprintf(to, "user-%zu,%zu\n", r * 7919 % LEVELS, r);
    fclose(to);
    assert_int_equal(read_table(text, size, &(struct request){.split = NULL}, &dataset, NULL),
                     TULLE_OK);
    free(text);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_int_equal(info->rows, ROWS);
    assert_int_equal(info->levels[0].count, LEVELS);
    for (size_t r = 0; r < ROWS; r++) {
        assert_true(info->values[2 * r] == (double)(r % LEVELS));
        snprintf(name, sizeof name, "user-%zu", r * 7919 % LEVELS);
        assert_string_equal(info->levels[0].names[r % LEVELS], name);
    }
    tulle_dataset_free(dataset);
}

/* So many texts that some have the same hash: of 32 bits, a dozen pairs are expected to. */
static void test_same_hashes(void **state)
{
    enum { TEXTS = 320000 };
    struct level_set set;
    size_t level;
    (void)state;
    assert_true(tulle_level_set_init(&set));
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < TEXTS; i++) {
            char text[32];
            int length = snprintf(text, sizeof text, "%zu", i * i);
            if (i % 2)
                text[length++] = '?'; /* of which so some are longer than others */
            assert_int_equal(tulle_level_set_add(&set, text, (size_t)length, &level), TULLE_OK);
            assert_int_equal(level, i);
        }
    tulle_level_set_clear(&set);
}

/* Texts of all lengths, of which each is the beginning of the next; long ones; none. */
static void test_level_set(void **state)
{
    enum { LONGEST = 3000 };
    struct level_set set;
    struct tulle_levels copy;
    size_t level;
    char *text = malloc(LONGEST);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONGEST);
    assert_true(tulle_level_set_init(&set));
    assert_true(tulle_levels_copy(&copy, &set.levels));
    assert_non_null(copy.names);
    tulle_free((void *)copy.names);
    for (int pass = 0; pass < 2; pass++)
        for (size_t length = 0; length < LONGEST; length++) {
            assert_int_equal(tulle_level_set_add(&set, text, length, &level), TULLE_OK);
            assert_int_equal(level, length);
        }
    const char *first = set.levels.names[0];
    for (size_t i = 0; i < 10000; i++) {
        char number[16];
        int length = snprintf(number, sizeof number, "%zu", i);
        assert_int_equal(tulle_level_set_add(&set, number, (size_t)length, &level), TULLE_OK);
        assert_int_equal(level, LONGEST + i);
    }
    assert_ptr_equal(set.levels.names[0], first);
    for (int pass = 0; pass < 2; pass++)
        assert_int_equal(tulle_level_set_add(&set, "\xc3", 1, &level), TULLE_ERROR_DATA);
    assert_int_equal(set.levels.count, LONGEST + 10000);
    assert_true(tulle_levels_copy(&copy, &set.levels));
    tulle_level_set_clear(&set);
    assert_int_equal(copy.count, LONGEST + 10000);
    for (size_t i = 0; i < LONGEST; i++)
        assert_int_equal(strlen(copy.names[i]), i);
    assert_string_equal(copy.names[LONGEST + 4321], "4321");
    tulle_free((void *)copy.names);
    tulle_level_set_clear(&set);
    assert_true(tulle_level_set_init(&set));
    assert_int_equal(tulle_level_set_add(&set, text, LONGEST, &level), TULLE_OK);
    assert_int_equal(strlen(set.levels.names[0]), LONGEST); /* the first one is longer than usual */
    tulle_level_set_clear(&set);
    free(text);
}

/* --- Row by row ------------------------------------------------------------------------------- */

static void test_growing_levels(void **state)
{
    static const size_t counts[] = {0, 1, 2, 2};
    const char text[] = "a\nNA\nx\n\"y\"\nx\n";
    struct table_reader *reader;
    const double *values;
    enum tulle_split split;
    (void)state;
    write_table(text, sizeof text - 1);
    assert_int_equal(tulle_table_reader_open(table_path, NULL, &reader, NULL), TULLE_OK);
    const struct tulle_levels *levels = tulle_table_reader_levels(reader);
    for (size_t i = 0; i < COUNT(counts); i++) {
        assert_int_equal(tulle_table_reader_next(reader, &values, &split, NULL), TULLE_OK);
        assert_ptr_equal(tulle_table_reader_levels(reader), levels);
        assert_int_equal(levels->count, counts[i]);
        assert_int_equal(levels->names == NULL, i == 0);
        if (i > 0)
            assert_string_equal(levels->names[(size_t)values[0]], i == 2 ? "y" : "x");
    }
    assert_int_equal(tulle_table_reader_next(reader, &values, &split, NULL), TULLE_OK);
    assert_null(values);
    assert_int_equal(levels->count, 2);
    tulle_table_reader_close(reader);
}

/* No beginning of a table makes the reader fall over. */
static void test_every_truncation(void **state)
{
    const char text[] =
        "a,s,b\r\n\"x\"\"\n\xc3\xbc\",train,-2\r\n\r\ny\xe6\x9d\xb1,test,NA\n,test,1\n";
    (void)state;
    check_truncations(text, sizeof text);
}

/* --- .npy ------------------------------------------------------------------------------------- */

/* (3, 2) of float32: 1 -0, NaN 2.5, -1 0 */
static const unsigned char floats[] = "\x93NUMPY\x01\0\x40\0"
                                      "{'descr': '>f4', 'fortran_order': False, "
                                      "'shape': (3, 2), }    \n"
                                      "\x3f\x80\0\0\x80\0\0\0\xff\xc0\0\1\x40\x20\0\0"
                                      "\xbf\x80\0\0\0\0\0\0";
/* (2, 2) of bool */
static const unsigned char bools[] = "\x93NUMPY\x01\0\x40\0"
                                     "{'descr': '|b1', 'fortran_order': False, "
                                     "'shape': (2, 2), }    \n"
                                     "\0\1\1\1";

static void test_npy(void **state)
{
    static const struct {
        const unsigned char *bytes;
        size_t size;
        struct request request;
        const char *expected;
    } cases[] = {
        {floats, sizeof floats - 1, {{0}, {0}, {0}, 0}, "1 -0\n- 2.5\n-1 0\nnumber number"},
        {floats,
         sizeof floats - 1,
         {{"c1"}, {"c0"}, {0}, 0},
         "1 [0]\n- [2.5]\n-1 [0]\nnumber [0][2.5]"},
        {floats,
         sizeof floats - 1,
         {{"c1"}, {0}, {"-1", "2.5"}, 0},
         "1 [0]\n- -\n- [0]\nnumber [0]"},
        {bools, sizeof bools - 1, {{0}, {0}, {0}, 0}, "0 1\n1 1\nnumber number"},
        {bools, sizeof bools - 1, {{"c1"}, {0}, {0}, 0}, "0 [1]\n1 [1]\nnumber [1]"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tulle_error error;
        tulle_dataset *dataset;
        char got[128];
        if (read_table(cases[i].bytes, cases[i].size, &cases[i].request, &dataset, &error))
            fail_msg("case %zu: %s", i, error.message);
        print_dataset(tulle_dataset_info(dataset), got, sizeof got);
        assert_string_equal(got, cases[i].expected);
        tulle_dataset_free(dataset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),           cmocka_unit_test(test_split_is_a_column),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_both_kinds_refused),
        cmocka_unit_test(test_many_levels),      cmocka_unit_test(test_level_set),
        cmocka_unit_test(test_same_hashes),      cmocka_unit_test(test_growing_levels),
        cmocka_unit_test(test_every_truncation), cmocka_unit_test(test_npy),
    };
    return cmocka_run_group_tests(tests, make_table_folder, remove_table_folder);
}
