/*
 * test_kernels.c - the kernels of every table that take numbers in and add up columns, to the bit.
 * The others have tests of their own: test_kernels_products.c, test_activations.c, test_losses.c,
 * test_update.c, test_dropout.c, test_elementary.c.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_matrix.h"

/* Numbers of both types as they are and scaled; what the table's type cannot hold becomes NaN, and
 * a NaN that is to be scaled 0. */
static void check_load_from(const struct kernels *kernels, enum tulle_type from_type)
{
    enum { COUNT = 70 };
    static const double odd[] = {1e39, -1e39, 3.4e38, INFINITY, -INFINITY, NAN};
    double mean[COUNT], scale[COUNT];
    void *from = random_buffer(from_type, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        mean[i] = tulle_rng_uniform(&rng);
        scale[i] = tulle_rng_uniform(&rng) + 0.1;
        if (i % 7 == 0)
            set(from_type, from, i, odd[i / 7 % 6]);
    }
    for (size_t n = 1; n <= COUNT; n++)
        for (int scaled = 0; scaled <= 1; scaled++) {
            void *to = random_buffer(kernels->type, COUNT);
            void *before = copy_buffer(kernels->type, to, COUNT);
            kernels->load(from, from_type, n, n % 2, scaled ? mean : NULL, scaled ? scale : NULL,
                          to);
            for (size_t i = 0; i < COUNT; i++) {
                double value = get(from_type, from, i), found = get(kernels->type, to, i);
                if (scaled)
                    value = (value - mean[i]) / scale[i];
                if (isnan(value) && n % 2)
                    value = 0;
                value = rounded(kernels->type, value);
                if (i >= n)
                    assert_true(is_same(kernels->type, to, before, i));
                else
                    assert_true(isfinite(value) ? found == value : isnan(found));
            }
            tulle_free(to), tulle_free(before);
        }
    tulle_free(from);
}

static void check_load(const struct kernels *kernels)
{
    check_load_from(kernels, TULLE_F32);
    check_load_from(kernels, TULLE_F64);
}

/* Columns' sums in up to four parts; added to C, or stored there, where they have been kept in C
 * itself. */
static void check_sums(const struct kernels *kernels, size_t rows, size_t columns, int stores)
{
    enum tulle_type type = kernels->type;
    struct matrix to = {type, 1, tulle_row_stride(columns), {0, 1, 0, columns}};
    void *a = random_buffer(type, rows * to.stride), *before = random_buffer(type, to.stride);
    double alpha = rounded(type, -0.7);
    /* Gradients that overflow leave this in the padding; it goes no further. */
    set_padding(type, a, rows, columns, to.stride, stores ? NAN : 0);
    set_padding(type, before, 1, columns, to.stride, 0);
    void *expected = copy_buffer(type, before, to.stride);
    for (size_t n = 0; n < columns; n++) {
        double sum = 0;
        for (size_t m = 0; m < rows; m++)
            sum = rounded(type, sum + get(type, a, m * to.stride + n));
        set(type, expected, n, fused(type, alpha, sum, stores ? 0 : get(type, before, n)));
    }
    for (size_t parts = 1; parts <= 4 && parts <= rows; parts++) {
        void *found = copy_buffer(type, before, to.stride), *sums = random_buffer(type, to.stride);
        set_padding(type, sums, 1, 0, to.stride, NAN);
        for (size_t part = 0; part < parts; part++) {
            size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
            void *from = at(type, a, begin * to.stride);
            struct product product = {from, NULL, found, to.stride, 0, 0, end - begin};
            enum sum_part kind = (part == 0 ? SUM_FIRST : 0) | (part == parts - 1 ? SUM_LAST : 0) |
                                 (stores ? SUM_STORE : 0);
            kernels->sum_columns(&product, columns, kind,
                                 stores       ? found
                                 : parts == 1 ? NULL
                                              : sums,
                                 alpha);
        }
        assert_written(&to, before, expected, found, "sum_columns", kernels->name);
        tulle_free(found), tulle_free(sums);
    }
    tulle_free(a), tulle_free(before), tulle_free(expected);
}

static void check_sum_columns(const struct kernels *kernels)
{
    for (size_t columns = 1; columns <= 140; columns++)
        for (int stores = 0; stores <= 1; stores++)
            check_sums(kernels, 1 + columns * 5 % 23, columns, stores);
}

#define TEST_EVERY_TABLE(name)                                                                     \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        for_each_table(check_##name);                                                              \
    }
TEST_EVERY_TABLE(load)
TEST_EVERY_TABLE(sum_columns)

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_load),
                                       cmocka_unit_test(test_sum_columns)};
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
