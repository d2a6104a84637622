/*
 * test_kernels.c - every kernel of every table against plain loops, to the bit.
 *
 * The loops below say what order each sum has; fma() is exact everywhere, so that whatever table
 * agrees with them agrees with every other. Sizes cross all tile and vector widths.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/kernels/kernels.h"
#include "../lib/net/network.h"

static const char *const table_names[] = {"generic", "avx2", "avx512"};
static struct tulle_rng rng;

/* --- Numbers of either type ------------------------------------------------------------------ */

static double get(enum tulle_type type, const void *buffer, size_t i)
{
    return type == TULLE_F64 ? ((const double *)buffer)[i] : ((const float *)buffer)[i];
}

static void set(enum tulle_type type, void *buffer, size_t i, double value)
{
    if (type == TULLE_F64)
        ((double *)buffer)[i] = value;
    else
        ((float *)buffer)[i] = (float)value;
}

static double fused(enum tulle_type type, double a, double b, double c)
{
    return type == TULLE_F64 ? fma(a, b, c) : fmaf((float)a, (float)b, (float)c);
}

static double rounded(enum tulle_type type, double value)
{
    return type == TULLE_F64 ? value : (float)value;
}

static void *random_buffer(enum tulle_type type, size_t count)
{
    void *buffer = tulle_calloc_aligned(count, tulle_type_size(type));
    assert_non_null(buffer);
    for (size_t i = 0; i < count; i++)
        set(type, buffer, i, tulle_rng_uniform(&rng) - 0.5);
    return buffer;
}

static void *copy_buffer(enum tulle_type type, const void *buffer, size_t count)
{
    void *copy = tulle_calloc_aligned(count, tulle_type_size(type));
    assert_non_null(copy);
    return memcpy(copy, buffer, count * tulle_type_size(type));
}

/* Bits, so that -0 is not 0. */
static void assert_same(enum tulle_type type, const void *a, const void *b, size_t i)
{
    size_t size = tulle_type_size(type);
    assert_memory_equal((const char *)a + i * size, (const char *)b + i * size, size);
}

/* --- Products -------------------------------------------------------------------------------- */

/* One product in its three forms on one shape. By rows A is (rows, k); by columns it is (k, rows),
 * as the weights are in the backward pass. */
static void check_products(const struct kernels *kernels, size_t rows, size_t columns, size_t k,
                           int by_columns)
{
    enum tulle_type type = kernels->type;
    size_t a_stride = tulle_row_stride(by_columns ? rows : k), stride = tulle_row_stride(columns);
    void *a = random_buffer(type, a_stride * (by_columns ? k : rows));
    void *b = random_buffer(type, stride * k), *c = random_buffer(type, stride * rows);
    void *bias = random_buffer(type, rows);
    void *slope = copy_buffer(type, c, stride * rows), *out = copy_buffer(type, c, stride * rows);
    void *product = copy_buffer(type, c, stride * rows), *sum = copy_buffer(type, c, stride * rows);
    double alpha = rounded(type, -0.3);

    struct product p = {.a = a,
                        .b = b,
                        .a_row = by_columns ? 1 : a_stride,
                        .a_column = by_columns ? a_stride : 1,
                        .b_row = stride,
                        .c_row = stride,
                        .k = k,
                        .k_block = k};
    struct tile_range range = {0, rows, 0, columns};
    p.c = out;
    kernels->forward(&p, range, bias, slope, TULLE_ACTIVATION_RELU);
    p.c = product;
    kernels->multiply(&p, range);
    p.c = sum;
    kernels->accumulate(&p, range, alpha);

    void *expected = tulle_calloc_aligned(1, sizeof(double));
    for (size_t m = 0; m < rows; m++)
        for (size_t n = 0; n < columns; n++) {
            double z = get(type, bias, m), ab = 0, old = get(type, c, m * stride + n);
            for (size_t i = 0; i < k; i++) {
                double left = get(type, a, m * p.a_row + i * p.a_column);
                double right = get(type, b, i * stride + n);
                z = fused(type, left, right, z);
                ab = fused(type, left, right, ab);
            }
            size_t at = m * stride + n;
            size_t size = tulle_type_size(type);
            set(type, expected, 0, z < 0 ? 0 : z);
            assert_memory_equal((char *)out + at * size, expected, size);
            assert_true(get(type, slope, at) == (z >= 0));
            set(type, expected, 0, rounded(type, ab * old));
            assert_memory_equal((char *)product + at * size, expected, size);
            set(type, expected, 0, fused(type, alpha, ab, old));
            assert_memory_equal((char *)sum + at * size, expected, size);
        }
    void *all[] = {a, b, c, bias, slope, out, product, sum, expected};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void for_each_table(void (*check)(const struct kernels *))
{
    for (size_t i = 0; i < sizeof table_names / sizeof *table_names; i++)
        for (enum tulle_type type = TULLE_F32; type <= TULLE_F64; type++) {
            const struct kernels *kernels = tulle_kernels_by_name(table_names[i], type);
            if (kernels)
                check(kernels);
            else
                assert_int_not_equal(i, 0); /* the generic one must always be there */
        }
}

static void check_all_products(const struct kernels *kernels)
{
    for (size_t rows = 1; rows <= 20; rows++)
        for (size_t columns = 1; columns <= 37; columns += columns < 18 ? 1 : 9)
            check_products(kernels, rows, columns, 1 + (rows * 7 + columns) % 19,
                           (rows + columns) % 2);
    check_products(kernels, 31, 65, 257, 0);
    check_products(kernels, 31, 65, 257, 1);
}

static void test_products(void **state)
{
    (void)state;
    for_each_table(check_all_products);
}

/* A range in the middle is written, and nothing else. */
static void check_range(const struct kernels *kernels)
{
    enum tulle_type type = kernels->type;
    size_t rows = 15, columns = 8 * kernels->columns, k = 5, stride = tulle_row_stride(columns);
    void *a = random_buffer(type, rows * stride), *b = random_buffer(type, k * stride);
    void *c = random_buffer(type, rows * stride), *part = copy_buffer(type, c, rows * stride);
    void *whole = copy_buffer(type, c, rows * stride);
    struct product p = {.a = a,
                        .b = b,
                        .a_row = stride,
                        .a_column = 1,
                        .b_row = stride,
                        .c_row = stride,
                        .k = k,
                        .k_block = k};
    struct tile_range range = {3, 11, 2 * kernels->columns, 5 * kernels->columns};
    p.c = whole;
    kernels->accumulate(&p, (struct tile_range){0, rows, 0, columns}, 1);
    p.c = part;
    kernels->accumulate(&p, range, 1);
    for (size_t m = 0; m < rows; m++)
        for (size_t n = 0; n < columns; n++) {
            int inside = m >= range.row_begin && m < range.row_end && n >= range.column_begin &&
                         n < range.column_end;
            assert_same(type, part, inside ? whole : c, m * stride + n);
        }
    free(a), free(b), free(c), free(part), free(whole);
}

static void test_range(void **state)
{
    (void)state;
    for_each_table(check_range);
}

/* A in blocks, as the gradients of a large batch are, gives what A in one piece gives. */
static void check_blocks(const struct kernels *kernels)
{
    enum { ROWS = 29, COLUMNS = 45, BLOCK = 16 };
    enum tulle_type type = kernels->type;
    for (size_t k = 1; k < 50; k += 3) {
        size_t a_stride = tulle_row_stride(k), stride = tulle_row_stride(COLUMNS);
        size_t block_stride = tulle_row_stride(BLOCK), blocks = (k - 1) / BLOCK + 1;
        void *a = random_buffer(type, ROWS * a_stride), *b = random_buffer(type, k * stride);
        void *in_blocks = random_buffer(type, blocks * ROWS * block_stride);
        void *whole = random_buffer(type, ROWS * stride);
        void *part = copy_buffer(type, whole, ROWS * stride);
        for (size_t m = 0; m < ROWS; m++)
            for (size_t i = 0; i < k; i++)
                set(type, in_blocks, (i / BLOCK * ROWS + m) * block_stride + i % BLOCK,
                    get(type, a, m * a_stride + i));
        struct product p = {.a = a,
                            .b = b,
                            .c = whole,
                            .a_row = a_stride,
                            .a_column = 1,
                            .b_row = stride,
                            .c_row = stride,
                            .k = k,
                            .k_block = k};
        struct tile_range range = {0, ROWS, 0, COLUMNS};
        kernels->accumulate(&p, range, 0.5);
        p.a = in_blocks, p.a_row = block_stride, p.c = part;
        p.k_block = BLOCK, p.a_block = ROWS * block_stride;
        kernels->accumulate(&p, range, 0.5);
        for (size_t m = 0; m < ROWS; m++)
            for (size_t n = 0; n < COLUMNS; n++)
                assert_same(type, whole, part, m * stride + n);
        free(a), free(b), free(in_blocks), free(whole), free(part);
    }
}

static void test_blocks(void **state)
{
    (void)state;
    for_each_table(check_blocks);
}

/* --- Activations: the tables agree to the bit ------------------------------------------------ */

static const double special[] = {0.0,    -0.0,  1e-300, -1e-40, 0.17,     -0.35,
                                 1.0,    -20.0, 88.0,   -89.0,  400.0,    709.0,
                                 -750.0, 1e30,  -1e30,  1e300,  INFINITY, -INFINITY};

static void check_activations(const struct kernels *kernels)
{
    enum { COUNT = 512 };
    enum tulle_type type = kernels->type;
    const struct kernels *generic = tulle_kernels_by_name("generic", type);
    size_t stride = tulle_row_stride(COUNT);
    void *x = random_buffer(type, stride), *one = random_buffer(type, 1);
    void *zero = tulle_calloc_aligned(1, sizeof(double));
    set(type, one, 0, 1);
    for (size_t i = 0; i < COUNT; i++)
        set(type, x, i,
            i < sizeof special / sizeof *special ? special[i]
                                                 : 40 * (tulle_rng_uniform(&rng) - 0.5));
    for (int activation = 0; tulle_activation_name((enum tulle_activation)activation);
         activation++) {
        void *out[2], *slope[2];
        for (int t = 0; t < 2; t++) {
            out[t] = random_buffer(type, stride);
            slope[t] = random_buffer(type, stride);
            struct product p = {.a = one,
                                .a_row = 1,
                                .a_column = 1,
                                .b = x,
                                .b_row = stride,
                                .c = out[t],
                                .c_row = stride,
                                .k = 1,
                                .k_block = 1};
            struct tile_range range = {0, 1, 0, COUNT};
            (t ? kernels : generic)
                ->forward(&p, range, zero, slope[t], (enum tulle_activation)activation);
        }
        for (size_t i = 0; i < COUNT; i++) {
            assert_same(type, out[0], out[1], i);
            assert_same(type, slope[0], slope[1], i);
            assert_false(isnan(get(type, out[0], i)));
        }
        free(out[0]), free(out[1]), free(slope[0]), free(slope[1]);
    }
    free(x), free(one), free(zero);
}

static void test_activations(void **state)
{
    (void)state;
    for_each_table(check_activations);
}

/* --- The rest -------------------------------------------------------------------------------- */

static void check_sum_rows(const struct kernels *kernels)
{
    enum { ROWS = 3, BLOCK = 32 };
    enum tulle_type type = kernels->type;
    for (size_t n = 1; n < 70; n++) {
        size_t stride = tulle_row_stride(BLOCK), blocks = (n - 1) / BLOCK + 1;
        void *from = random_buffer(type, blocks * ROWS * stride), *to = random_buffer(type, ROWS);
        void *old = copy_buffer(type, to, ROWS);
        struct product p = {.a = from,
                            .a_row = stride,
                            .a_column = 1,
                            .k = n,
                            .k_block = BLOCK,
                            .a_block = ROWS * stride};
        kernels->sum_rows(&p, 1, ROWS, rounded(type, -0.7), to);
        assert_same(type, to, old, 0);
        for (size_t r = 1; r < ROWS; r++) {
            double part[TULLE_ROW_PAD] = {0};
            for (size_t i = 0; i < n; i++)
                part[i % TULLE_ROW_PAD] =
                    rounded(type, part[i % TULLE_ROW_PAD] +
                                      get(type, from, (i / BLOCK * ROWS + r) * stride + i % BLOCK));
            for (size_t half = TULLE_ROW_PAD / 2; half > 0; half /= 2)
                for (size_t i = 0; i < half; i++)
                    part[i] = rounded(type, part[i] + part[i + half]);
            double expected = fused(type, rounded(type, -0.7), part[0], get(type, old, r));
            assert_true(get(type, to, r) == expected);
        }
        free(from), free(to), free(old);
    }
}

static void test_sum_rows(void **state)
{
    (void)state;
    for_each_table(check_sum_rows);
}

static void check_transpose(const struct kernels *kernels)
{
    enum tulle_type type = kernels->type;
    for (size_t rows = 1; rows < 20; rows += 3)
        for (size_t columns = 1; columns < 40; columns += 4) {
            size_t from_row = tulle_row_stride(columns), to_row = tulle_row_stride(rows);
            void *from = random_buffer(type, rows * from_row);
            void *to = random_buffer(type, columns * to_row);
            void *old = copy_buffer(type, to, columns * to_row);
            kernels->transpose(from, from_row, rows, columns, to, to_row);
            for (size_t c = 0; c < columns; c++)
                for (size_t r = 0; r < to_row; r++)
                    assert_true(get(type, to, c * to_row + r) ==
                                (r < rows ? get(type, from, r * from_row + c)
                                          : get(type, old, c * to_row + r)));
            free(from), free(to), free(old);
        }
}

static void test_transpose(void **state)
{
    (void)state;
    for_each_table(check_transpose);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products), cmocka_unit_test(test_range),
        cmocka_unit_test(test_blocks),   cmocka_unit_test(test_activations),
        cmocka_unit_test(test_sum_rows), cmocka_unit_test(test_transpose),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
