/*
 * test_dropout.c - which units a step leaves out: a share near the rate, known by key, row and unit
 * alone, whatever the table, the grouping and the neighbours.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_tables.h"

enum { ROWS = 40, UNITS = 75, STRIDE = 80 };

static const double rates[] = {0.01, 0.1, 0.25, 0.5, 0.9, 0.999};
enum { RATES = sizeof rates / sizeof *rates };

/* Ones in (ROWS, UNITS), -7 in the padding, and slopes of 2. */
static void *filled(enum tulle_type type, double value)
{
    void *matrix = tulle_calloc_aligned(ROWS * STRIDE, tulle_type_size(type));
    assert_non_null(matrix);
    set_padding(type, matrix, ROWS, 0, STRIDE, value);
    set_padding(type, matrix, ROWS, UNITS, STRIDE, -7);
    return matrix;
}

/* What a call leaves of them; freed by the caller. */
static void *drop(const struct kernels *kernels, double rate, uint64_t key, uint64_t first)
{
    void *z = filled(kernels->type, 1), *slope = filled(kernels->type, 2);
    kernels->drop(z, slope, STRIDE, ROWS, UNITS, rate, key, first);
    for (size_t i = 0; i < ROWS * STRIDE; i++)
        assert_true(i % STRIDE < UNITS
                        ? get(kernels->type, slope, i) == 2 * get(kernels->type, z, i)
                        : get(kernels->type, slope, i) == -7 && get(kernels->type, z, i) == -7);
    tulle_free(slope);
    return z;
}

/* The others grow by 1 / (1 - rate). */
static void check_scale(const struct kernels *kernels)
{
    enum tulle_type type = kernels->type;
    for (size_t r = 0; r < RATES; r++) {
        void *z = drop(kernels, rates[r], 11, 0);
        double scale = rounded(type, 1 / (1 - rates[r]));
        for (size_t i = 0; i < ROWS * STRIDE; i++)
            if (i % STRIDE < UNITS)
                assert_true(get(type, z, i) == 0 || get(type, z, i) == scale);
        tulle_free(z);
    }
}

/* In every row, every column and altogether, within five deviations of a fair draw. */
static void check_share(const struct kernels *kernels)
{
    enum { KEYS = 50 };
    for (size_t r = 0; r < RATES; r++) {
        double all = 0, row[ROWS] = {0}, column[UNITS] = {0};
        for (uint64_t key = 0; key < KEYS; key++) {
            void *z = drop(kernels, rates[r], key, 0);
            for (size_t i = 0; i < ROWS * UNITS; i++) {
                int is_dropped = get(kernels->type, z, i / UNITS * STRIDE + i % UNITS) == 0;
                all += is_dropped;
                row[i / UNITS] += is_dropped;
                column[i % UNITS] += is_dropped;
            }
            tulle_free(z);
        }
        double variance = rates[r] * (1 - rates[r]);
        assert_true(fabs(all - KEYS * ROWS * UNITS * rates[r]) <=
                    5 * sqrt(KEYS * ROWS * UNITS * variance));
        for (size_t i = 0; i < ROWS; i++)
            assert_true(fabs(row[i] - KEYS * UNITS * rates[r]) <=
                        5 * sqrt(KEYS * UNITS * variance) + 1);
        for (size_t i = 0; i < UNITS; i++)
            assert_true(fabs(column[i] - KEYS * ROWS * rates[r]) <=
                        5 * sqrt(KEYS * ROWS * variance) + 1);
    }
}

/* The same as the generic table's, to the bit. */
static void check_bits(const struct kernels *kernels)
{
    enum tulle_type type = kernels->type;
    for (size_t r = 0; r < RATES; r++)
        for (uint64_t key = 1; key != 0; key *= 1024) {
            void *expected = drop(tables[type][0], rates[r], key, key ^ 5);
            void *found = drop(kernels, rates[r], key, key ^ 5);
            assert_memory_equal(found, expected, ROWS * STRIDE * tulle_type_size(type));
            tulle_free(expected), tulle_free(found);
        }
}

/* Row after row, in groups, and fewer units: as in one call. */
static void check_groups(const struct kernels *kernels)
{
    enum tulle_type type = kernels->type;
    void *expected = drop(kernels, 0.4, 77, 1000);
    for (size_t group = 1; group < ROWS; group += 6)
        for (size_t units = 1; units <= UNITS; units += 37) {
            void *z = filled(type, 1), *slope = filled(type, 2);
            for (size_t begin = 0; begin < ROWS; begin += group) {
                size_t rows = ROWS - begin < group ? ROWS - begin : group;
                kernels->drop(at(type, z, begin * STRIDE), at(type, slope, begin * STRIDE), STRIDE,
                              rows, units, 0.4, 77, 1000 + begin);
            }
            for (size_t i = 0; i < ROWS * STRIDE; i++)
                assert_true(i % STRIDE < units ? is_same(type, z, expected, i)
                                               : get(type, z, i) == (i % STRIDE < UNITS ? 1 : -7));
            tulle_free(z), tulle_free(slope);
        }
    tulle_free(expected);
}

/* How much two draws agree: as often as two coins that have nothing to do with each other. */
static void assert_independent(const struct kernels *kernels, const void *a, const void *b)
{
    size_t same = 0;
    for (size_t i = 0; i < ROWS * UNITS; i++) {
        size_t at = i / UNITS * STRIDE + i % UNITS;
        same += (get(kernels->type, a, at) == 0) == (get(kernels->type, b, at) == 0);
    }
    assert_true(fabs((double)same - ROWS * UNITS * 0.5) <= 5 * sqrt(ROWS * UNITS * 0.25));
}

/* Keys as neighbouring layers, steps and seeds have them, rows and units apart. */
static void check_independence(const struct kernels *kernels)
{
    static const uint64_t others[] = {1, 2, 3, 100, UINT64_C(1) << 32, UINT64_C(5) << 32};
    enum tulle_type type = kernels->type;
    void *a = drop(kernels, 0.5, 0, 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        void *b = drop(kernels, 0.5, others[i], 0);
        assert_independent(kernels, a, b);
        tulle_free(b);
    }
    for (size_t shift = 1; shift < 4; shift++) {
        void *rows_on = drop(kernels, 0.5, 0, ROWS * shift);
        void *units_on = drop(kernels, 0.5, 0, 0);
        assert_independent(kernels, a, rows_on);
        for (size_t i = 0; i < ROWS * STRIDE; i++)
            set(type, units_on, i, get(type, a, i / STRIDE * STRIDE + (i + shift) % STRIDE));
        set_padding(type, units_on, ROWS, UNITS, STRIDE, 1);
        assert_independent(kernels, a, units_on);
        tulle_free(rows_on), tulle_free(units_on);
    }
    tulle_free(a);
}

/* What was dropped is 0 whatever it was, as far as it was a number. */
static void check_values(const struct kernels *kernels)
{
    enum tulle_type type = kernels->type;
    void *z = random_buffer(type, ROWS * STRIDE), *slope = random_buffer(type, ROWS * STRIDE);
    void *z0 = copy_buffer(type, z, ROWS * STRIDE),
         *slope0 = copy_buffer(type, slope, ROWS * STRIDE);
    void *ones = drop(kernels, 0.3, 5, 0);
    kernels->drop(z, slope, STRIDE, ROWS, UNITS, 0.3, 5, 0);
    for (size_t i = 0; i < ROWS * STRIDE; i++) {
        double factor = i % STRIDE < UNITS ? get(type, ones, i) : 1;
        assert_true(get(type, z, i) == rounded(type, get(type, z0, i) * factor));
        assert_true(get(type, slope, i) == rounded(type, get(type, slope0, i) * factor));
    }
    tulle_free(z), tulle_free(slope), tulle_free(z0), tulle_free(slope0), tulle_free(ones);
}

#define TEST_EVERY_TABLE(name)                                                                     \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        for_each_table(check_##name);                                                              \
    }
TEST_EVERY_TABLE(scale)
TEST_EVERY_TABLE(share)
TEST_EVERY_TABLE(bits)
TEST_EVERY_TABLE(groups)
TEST_EVERY_TABLE(independence)
TEST_EVERY_TABLE(values)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scale),  cmocka_unit_test(test_share),
        cmocka_unit_test(test_bits),   cmocka_unit_test(test_groups),
        cmocka_unit_test(test_values), cmocka_unit_test(test_independence),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
