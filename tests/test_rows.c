/* test_rows.c - samples as they come from a matrix of either type: which rows and columns, scaled,
 * with holes; and which matrices are none. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/net/network.h"
#include "../lib/net/rows.h"

enum { ROWS = 5, COLUMNS = 150, STRIDE = 160 };

static double f64[ROWS * STRIDE];
static float f32[ROWS * STRIDE];
static double mean[COLUMNS], scale[COLUMNS];

/* Eighths, which f32 has too; now and then one is missing. */
static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS * STRIDE; i++) {
        f64[i] = i % 37 == 5 ? NAN : (double)(i * 29 % 97) / 8 - 6;
        f32[i] = (float)f64[i];
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        mean[c] = (double)(c % 5) / 4;
        scale[c] = c % 2 ? 2 : 0.25;
    }
    return 0;
}

static double expected_value(const struct rows *rows, size_t sample, size_t feature)
{
    size_t row = rows->order ? rows->order[sample] : sample;
    size_t column = rows->columns ? rows->columns[feature] : feature;
    double value = f64[row * (rows->matrix.stride ? rows->matrix.stride : COLUMNS) + column];
    if (isnan(value) && rows->missing_is_0)
        return 0;
    return rows->mean ? (value - mean[feature]) / scale[feature] : value;
}

static void check(const struct rows *rows, const struct kernels *kernels, size_t features)
{
    enum { TO_STRIDE = COLUMNS + 10 };
    double loaded[2 * TO_STRIDE];
    tulle_rows_load(rows, 1, 3, features, kernels, loaded, TO_STRIDE, NULL);
    for (size_t s = 0; s < 2; s++)
        for (size_t f = 0; f < features; f++) {
            size_t at = s * TO_STRIDE + f;
            double found = kernels->type == TULLE_F64 ? loaded[at] : ((const float *)loaded)[at];
            double expected = expected_value(rows, 1 + s, f);
            if (!(found == expected || (isnan(found) && isnan(expected))))
                fail_msg("sample %zu, feature %zu: %g, expected %g", s, f, found, expected);
        }
}

/* Neighbouring columns, and columns from all over, more than are picked at a time. */
static void test_load(void **state)
{
    static const size_t order[] = {4, 0, 3, 2, 1};
    static size_t neighbours[COLUMNS], some[COLUMNS];
    (void)state;
    for (size_t c = 0; c < COLUMNS; c++) {
        neighbours[c] = 20 + c;
        some[c] = c * 7 % COLUMNS;
    }
    const size_t *const columns[] = {NULL, neighbours, some};
    for (int i = 0; i < 3 * 2 * 2 * 2 * 2 * 2; i++) {
        int is_f32 = i & 1, has_order = i >> 1 & 1, is_scaled = i >> 2 & 1;
        enum tulle_type type = i >> 3 & 1 ? TULLE_F64 : TULLE_F32;
        struct rows rows = {.matrix = is_f32 ? tulle_f32(f32, ROWS, COLUMNS)
                                             : tulle_f64(f64, ROWS, COLUMNS),
                            .order = has_order ? order : NULL,
                            .columns = columns[i >> 5],
                            .mean = is_scaled ? mean : NULL,
                            .scale = is_scaled ? scale : NULL,
                            .missing_is_0 = is_scaled};
        rows.matrix.stride = i >> 4 & 1 ? STRIDE : 0;
        check(&rows, tulle_kernels(type), columns[i >> 5] == neighbours ? COLUMNS - 20 : COLUMNS);
    }
}

static void test_valid(void **state)
{
    const struct tulle_matrix good = tulle_f64(f64, ROWS, COLUMNS);
    struct tulle_matrix m = good;
    (void)state;
    assert_true(tulle_matrix_is_valid(good, COLUMNS));
    assert_false(tulle_matrix_is_valid(good, COLUMNS - 1));
    m.type = (enum tulle_type)2;
    assert_false(tulle_matrix_is_valid(m, COLUMNS));
    m = good;
    m.stride = 0;
    assert_true(tulle_matrix_is_valid(m, COLUMNS));
    m.stride = COLUMNS - 1;
    assert_false(tulle_matrix_is_valid(m, COLUMNS));
    m = good;
    m.data = NULL;
    assert_false(tulle_matrix_is_valid(m, COLUMNS));
    m.rows = 0;
    assert_true(tulle_matrix_is_valid(m, COLUMNS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_valid),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
