/* test_dataset_create.c - tables from arrays, and one table of two. */
#include "../lib/base/portability.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/data/dataset.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- From arrays ------------------------------------------------------------------------------ */

static void test_create(void **state)
{
    const float data[] = {1, 2, -1, 3, 4, -1};
    const char *const names[] = {"x", "y"};
    const unsigned char splits[] = {TULLE_SPLIT_TEST, TULLE_SPLIT_TRAIN};
    struct tulle_matrix values = tulle_f32(data, 2, 2);
    struct tulle_error error;
    tulle_dataset *dataset;
    (void)state;
    values.stride = 3;
    assert_int_equal(tulle_dataset_create(names, values, NULL, splits, &dataset, &error), TULLE_OK);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_string_equal(info->source, "");
    assert_int_equal(info->rows, 2);
    assert_int_equal(info->columns, 2);
    assert_string_equal(info->names[1], "y");
    assert_true(info->values[1] == 2 && info->values[2] == 3 && info->values[3] == 4);
    assert_int_equal(info->split[0], TULLE_SPLIT_TEST);
    assert_null(info->split_column);
    tulle_dataset_free(dataset);

    const double wide[] = {0.1, 0.2};
    values = tulle_f64(wide, 2, 1);
    values.stride = 0; /* the columns, that is */
    assert_int_equal(tulle_dataset_create(NULL, values, NULL, NULL, &dataset, &error), TULLE_OK);
    info = tulle_dataset_info(dataset);
    assert_string_equal(info->names[0], "c0");
    assert_true(info->values[1] == 0.2);
    assert_null(info->split);
    tulle_dataset_free(dataset);
    tulle_dataset_free(NULL);
}

static void test_create_refused(void **state)
{
    const double data[] = {1, 2, 3, INFINITY}, large[] = {1, -1e150, 1e151, 1};
    const char *const same[] = {"x", "x"}, *const same_early[] = {"x", "x", "y", "z"};
    const char *const missing[] = {"x", NULL};
    const unsigned char splits[] = {TULLE_SPLIT_TEST, TULLE_SPLIT_ALL};
    struct tulle_matrix finite = tulle_f64(data, 1, 2), narrow = finite, odd = finite;
    struct tulle_error error;
    tulle_dataset *dataset;
    narrow.stride = 1;
    odd.type = (enum tulle_type)7;
    const struct {
        const char *const *names;
        struct tulle_matrix values;
        const unsigned char *splits;
        enum tulle_status status;
        const char *message;
    } cases[] = {
        {NULL, tulle_f64(data, 2, 2), NULL, TULLE_ERROR_DATA,
         "row 2: expected a finite number in column 'c1', got inf"},
        {NULL, tulle_f64(large, 2, 2), NULL, TULLE_ERROR_DATA,
         "row 2: expected a number of at most 1e150 in size in column 'c0', got 1e+151"},
        {NULL, tulle_f64(data, 0, 2), NULL, TULLE_ERROR_ARGUMENT,
         "a dataset has at least one row and one column, got 0 and 2"},
        {NULL, tulle_f64(data, 2, 0), NULL, TULLE_ERROR_ARGUMENT,
         "a dataset has at least one row and one column, got 2 and 0"},
        {NULL, narrow, NULL, TULLE_ERROR_ARGUMENT, "rows of 2 columns cannot have a stride of 1"},
        {NULL, odd, NULL, TULLE_ERROR_ARGUMENT, "no type of number has the value 7"},
        {NULL, tulle_f64(NULL, 2, 2), NULL, TULLE_ERROR_ARGUMENT,
         "a dataset has at least one row and one column, got 2 and 2"},
        {NULL, tulle_f64(data, SIZE_MAX / 2 + 1, 2), NULL, TULLE_ERROR_MEMORY, "out of memory"},
        {same, finite, NULL, TULLE_ERROR_ARGUMENT, "columns 0 and 1 are both named 'x'"},
        {same_early, tulle_f64(data, 1, 4), NULL, TULLE_ERROR_ARGUMENT,
         "columns 0 and 1 are both named 'x'"},
        {missing, finite, NULL, TULLE_ERROR_ARGUMENT, "the name of column 1 is NULL"},
        {NULL, tulle_f64(data, 2, 1), splits, TULLE_ERROR_ARGUMENT,
         "row 2: no split for rows has the value 3"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(tulle_dataset_create(cases[i].names, cases[i].values, NULL,
                                              cases[i].splits, &dataset, &error),
                         cases[i].status);
        assert_null(dataset);
        assert_string_equal(error.message, cases[i].message);
    }
}

static const char *const colours[] = {"red", "gr\xc3\xbcn", "blue"};

static void test_create_levels(void **state)
{
    const double data[] = {1.5, 2, NAN, 0, -NAN, NAN};
    const struct tulle_levels levels[] = {{NULL, 0}, {colours, 3}};
    struct tulle_error error;
    tulle_dataset *dataset;
    (void)state;
    assert_int_equal(
        tulle_dataset_create(NULL, tulle_f64(data, 3, 2), levels, NULL, &dataset, &error),
        TULLE_OK);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_null(info->levels[0].names);
    assert_int_equal(info->levels[0].count, 0);
    assert_int_equal(info->levels[1].count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(info->levels[1].names[i], colours[i]);
        assert_ptr_not_equal(info->levels[1].names[i], colours[i]);
    }
    assert_true(info->values[0] == 1.5 && info->values[1] == 2 && info->values[3] == 0);
    assert_true(isnan(info->values[2]) && isnan(info->values[4]) && isnan(info->values[5]));
    tulle_dataset_free(dataset);

    /* A category that is never there, without levels. */
    const float missing[] = {NAN, NAN};
    assert_int_equal(tulle_dataset_create(NULL, tulle_f32(missing, 2, 1),
                                          &(struct tulle_levels){colours, 0}, NULL, &dataset,
                                          &error),
                     TULLE_OK);
    info = tulle_dataset_info(dataset);
    assert_non_null(info->levels[0].names);
    assert_int_equal(info->levels[0].count, 0);
    tulle_dataset_free(dataset);
}

/* A level may be called what else stands for a missing value. */
static void test_create_level_na(void **state)
{
    static const char *const countries[] = {"NA", "FR"};
    const struct tulle_levels levels = {countries, 2};
    const double values[] = {0, 1, 0};
    tulle_dataset *dataset;
    (void)state;
    assert_int_equal(
        tulle_dataset_create(NULL, tulle_f64(values, 3, 1), &levels, NULL, &dataset, NULL),
        TULLE_OK);
    const struct tulle_dataset_info *info = tulle_dataset_info(dataset);
    assert_int_equal(info->missing_count, 5);
    for (size_t i = 0; i < info->missing_count; i++)
        assert_string_not_equal(info->missing[i], "NA");
    assert_true(info->values[0] == 0 && info->values[2] == 0);
    tulle_dataset_free(dataset);
}

static void test_create_levels_refused(void **state)
{
    static const char *const twice[] = {"a", "b", "a"};
    static const char *const missing[] = {"a", NULL};
    static const char *const empty[] = {"", "b"}, *const blank[] = {"a", " \t "};
    static const char *const latin1[] = {"a", "gr\xfcn"};
    const struct {
        double value;
        struct tulle_levels levels;
        enum tulle_status status;
        const char *message;
    } cases[] = {
        {3,
         {colours, 3},
         TULLE_ERROR_DATA,
         "row 1: expected the index of a level in column 'c0', got 3"},
        {-1,
         {colours, 3},
         TULLE_ERROR_DATA,
         "row 1: expected the index of a level in column 'c0', got -1"},
        {0.5,
         {colours, 3},
         TULLE_ERROR_DATA,
         "row 1: expected the index of a level in column 'c0', got 0.5"},
        {INFINITY,
         {colours, 3},
         TULLE_ERROR_DATA,
         "row 1: expected the index of a level in column 'c0', got inf"},
        {0,
         {colours, 0},
         TULLE_ERROR_DATA,
         "row 1: expected the index of a level in column 'c0', got 0"},
        {0, {NULL, 3}, TULLE_ERROR_ARGUMENT, "column 'c0' has 3 levels, but no names of them"},
        {0, {twice, 3}, TULLE_ERROR_ARGUMENT, "levels 0 and 2 of column 'c0' are both 'a'"},
        {0, {missing, 2}, TULLE_ERROR_ARGUMENT, "the name of level 1 of column 'c0' is NULL"},
        {0, {empty, 2}, TULLE_ERROR_ARGUMENT, "the name of level 0 of column 'c0' is blank"},
        {0, {blank, 2}, TULLE_ERROR_ARGUMENT, "the name of level 1 of column 'c0' is blank"},
        {0,
         {latin1, 2},
         TULLE_ERROR_ARGUMENT,
         "the name of level 1 of column 'c0' is not UTF-8 text"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tulle_error error;
        tulle_dataset *dataset;
        assert_int_equal(tulle_dataset_create(NULL, tulle_f64(&cases[i].value, 1, 1),
                                              &cases[i].levels, NULL, &dataset, &error),
                         cases[i].status);
        assert_null(dataset);
        assert_string_equal(error.message, cases[i].message);
    }
}

/* --- From two others -------------------------------------------------------------------------- */

static const char *const join_names[] = {"x", "colour"};
static const char *const join_names_turned[] = {"colour", "extra", "x"};
static const struct tulle_levels join_levels[] = {{NULL, 0}, {colours, 2}};

static tulle_dataset *make(const char *const *names, struct tulle_matrix values,
                           const struct tulle_levels *levels, const unsigned char *splits)
{
    tulle_dataset *dataset;
    assert_int_equal(tulle_dataset_create(names, values, levels, splits, &dataset, NULL), TULLE_OK);
    return dataset;
}

static void test_join(void **state)
{
    static const char *const others[] = {"blue", "red", "pink"};
    const struct tulle_levels other_levels[] = {{others, 3}, {NULL, 0}, {NULL, 0}};
    const double a[] = {1, 0, 2, 1}, b[] = {0, 9, 3, 1, 9, NAN, 2, 9, 5, NAN, 9, 6};
    const double expected[] = {1, 0, 2, 1, 3, 2, NAN, 0, 5, 3, 6, NAN};
    const char *const all[] = {colours[0], colours[1], "blue", "pink"};
    const unsigned char splits[] = {TULLE_SPLIT_TEST, TULLE_SPLIT_TRAIN};
    struct tulle_error error;
    (void)state;
    for (int has_splits = 0; has_splits < 2; has_splits++) {
        tulle_dataset *joined;
        tulle_dataset *first =
            make(join_names, tulle_f64(a, 2, 2), join_levels, has_splits ? splits : NULL);
        tulle_dataset *second = make(join_names_turned, tulle_f64(b, 4, 3), other_levels, NULL);
        assert_int_equal(tulle_dataset_join(first, second, TULLE_SPLIT_VALID, &joined, &error),
                         TULLE_OK);
        tulle_dataset_free(first);
        tulle_dataset_free(second);
        const struct tulle_dataset_info *info = tulle_dataset_info(joined);
        assert_int_equal(info->rows, 6);
        assert_int_equal(info->columns, 2);
        assert_string_equal(info->names[1], "colour");
        assert_null(info->levels[0].names);
        assert_int_equal(info->levels[1].count, COUNT(all));
        for (size_t i = 0; i < COUNT(all); i++)
            assert_string_equal(info->levels[1].names[i], all[i]);
        for (size_t i = 0; i < COUNT(expected); i++)
            assert_true(isnan(expected[i]) ? isnan(info->values[i])
                                           : info->values[i] == expected[i]);
        assert_int_equal(info->split[0], has_splits ? TULLE_SPLIT_TEST : TULLE_SPLIT_TRAIN);
        assert_int_equal(info->split[1], TULLE_SPLIT_TRAIN);
        for (size_t r = 2; r < 6; r++)
            assert_int_equal(info->split[r], TULLE_SPLIT_VALID);
        tulle_dataset_free(joined);
    }
}

/* A column without a value goes with any kind. */
static void test_join_missing(void **state)
{
    const double a[] = {1, 0}, b[] = {NAN, NAN};
    struct tulle_levels swapped[] = {{colours, 3}, {NULL, 0}};
    struct tulle_error error;
    tulle_dataset *joined, *first = make(join_names, tulle_f64(a, 1, 2), join_levels, NULL),
                           *second = make(join_names, tulle_f64(b, 1, 2), swapped, NULL);
    (void)state;
    assert_int_equal(tulle_dataset_join(first, second, TULLE_SPLIT_TEST, &joined, &error),
                     TULLE_OK);
    const struct tulle_dataset_info *info = tulle_dataset_info(joined);
    assert_int_equal(info->rows, 2);
    assert_null(info->levels[0].names);
    assert_int_equal(info->levels[1].count, 2);
    assert_true(isnan(info->values[2]) && isnan(info->values[3]));
    tulle_dataset_free(joined);
    tulle_dataset_free(second);
    tulle_dataset_free(first);
}

/* The first's column without a value takes the second's kind and levels. */
static void test_join_missing_first(void **state)
{
    const double a[] = {NAN, NAN}, b[] = {1, 0};
    const struct tulle_levels none[] = {{NULL, 0}, {NULL, 0}}, empty[] = {{colours, 0}, {NULL, 0}};
    const struct tulle_levels *const firsts[] = {none, empty};
    (void)state;
    for (size_t i = 0; i < COUNT(firsts); i++) {
        struct tulle_error error;
        tulle_dataset *joined, *first = make(join_names, tulle_f64(a, 1, 2), firsts[i], NULL),
                               *second = make(join_names, tulle_f64(b, 1, 2), join_levels, NULL);
        assert_int_equal(tulle_dataset_join(first, second, TULLE_SPLIT_VALID, &joined, &error),
                         TULLE_OK);
        const struct tulle_dataset_info *info = tulle_dataset_info(joined);
        assert_null(info->levels[0].names);
        assert_int_equal(info->levels[1].count, 2);
        assert_string_equal(info->levels[1].names[0], colours[0]);
        assert_true(isnan(info->values[0]) && isnan(info->values[1]));
        assert_true(info->values[2] == 1 && info->values[3] == 0);
        tulle_dataset_free(joined);
        tulle_dataset_free(second);
        tulle_dataset_free(first);
    }
}

static void test_join_refused(void **state)
{
    static const char *const misspelt[] = {"x", "color"};
    const struct tulle_levels categories[] = {{colours, 2}, {colours, 2}};
    const double a[] = {1, 0}, b[] = {1, 1};
    const struct {
        const char *const *names;
        const struct tulle_levels *levels;
        const char *message;
    } cases[] = {
        {misspelt, join_levels, "no column 'colour'; did you mean 'color'?"},
        {join_names, categories,
         "expected numbers in column 'x' as in the training rows, got categories; name the column "
         "as numeric when it is read"},
        {join_names, NULL,
         "expected categories in column 'colour' as in the training rows, got numbers; name the "
         "column as categorical when it is read"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tulle_error error;
        tulle_dataset *joined,
            *first = make(join_names, tulle_f64(a, 1, 2), join_levels, NULL),
            *second = make(cases[i].names, tulle_f64(b, 1, 2), cases[i].levels, NULL);
        assert_int_equal(tulle_dataset_join(first, second, TULLE_SPLIT_VALID, &joined, &error),
                         TULLE_ERROR_DATA);
        assert_null(joined);
        assert_string_equal(error.message, cases[i].message);
        tulle_dataset_free(second);
        tulle_dataset_free(first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_create_refused),
        cmocka_unit_test(test_create_levels),
        cmocka_unit_test(test_create_level_na),
        cmocka_unit_test(test_create_levels_refused),
        cmocka_unit_test(test_join),
        cmocka_unit_test(test_join_missing),
        cmocka_unit_test(test_join_missing_first),
        cmocka_unit_test(test_join_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
