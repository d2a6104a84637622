/*
 * test_kernels_products.c - the products of every table against plain loops, to the bit.
 *
 * The loops below say what order each sum has; fma() is exact everywhere, so that whatever table
 * agrees with them agrees with every other. Sizes cross all tile and vector widths: those that are
 * left out under an emulator leave every rest of rows beside every rest of columns.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_matrix.h"
#include "sample.h"

/* The operands of products on one range. */
struct operands {
    struct matrix c;
    int by_columns;                         /* A is, for accumulate */
    struct product product, turned_product; /* B by rows, by columns; C is set for each table */
    void *a, *b, *bias;
    size_t a_rows, a_used, a_stride;
    void *turned; /* B by columns */
    size_t turned_stride;
    void *before; /* C */
};

static struct operands make_operands(enum tulle_type type, struct tile_range range, size_t k,
                                     int by_columns)
{
    struct operands o = {.by_columns = by_columns};
    o.c = (struct matrix){type, range.row_end + 2, tulle_row_stride(range.column_end), range};
    o.a_rows = by_columns ? k : o.c.rows;
    o.a_used = by_columns ? o.c.rows : k;
    o.a_stride = tulle_row_stride(o.a_used);
    o.turned_stride = tulle_row_stride(k);
    o.a = random_buffer(type, o.a_rows * o.a_stride);
    o.b = random_buffer(type, k * o.c.stride);
    o.turned = random_buffer(type, range.column_end * o.turned_stride);
    o.bias = random_buffer(type, o.c.stride);
    o.before = random_buffer(type, matrix_size(&o.c));
    for (size_t n = 0; n < range.column_end; n++)
        for (size_t i = 0; i < k; i++)
            set(type, o.turned, n * o.turned_stride + i, get(type, o.b, i * o.c.stride + n));
    o.product = (struct product){o.a, o.b, NULL, o.a_stride, o.c.stride, o.c.stride, k};
    o.turned_product = o.product;
    o.turned_product.b = o.turned;
    o.turned_product.b_row = o.turned_stride;
    return o;
}

static void free_operands(struct operands *o)
{
    tulle_free(o->a), tulle_free(o->b), tulle_free(o->turned), tulle_free(o->bias),
        tulle_free(o->before);
}

/* start + sum over k of A's (m, k) B's (k, n), term after term. */
static double sum_chain(const struct operands *o, size_t m, size_t n, double start)
{
    const struct product *p = &o->product;
    for (size_t i = 0; i < p->k; i++) {
        double a = get(o->c.type, p->a, o->by_columns ? i * p->a_row + m : m * p->a_row + i);
        start = fused(o->c.type, a, get(o->c.type, p->b, i * p->b_row + n), start);
    }
    return start;
}

/* The same in partial sums that take turns, and that are added by halves. */
static double sum_dot(const struct operands *o, size_t m, size_t n, double bias)
{
    const struct product *p = &o->product;
    double part[TULLE_ROW_PAD] = {0};
    for (size_t i = 0; i < p->k; i++)
        part[i % TULLE_ROW_PAD] =
            fused(o->c.type, get(o->c.type, p->a, m * p->a_row + i),
                  get(o->c.type, p->b, i * p->b_row + n), part[i % TULLE_ROW_PAD]);
    for (size_t half = TULLE_ROW_PAD / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++)
            part[i] = rounded(o->c.type, part[i] + part[i + half]);
    return rounded(o->c.type, bias + part[0]);
}

/* The activations made of two lines; the others as a 1 x 1 product of the generic table gives them,
 * which test_activations compares with libm. */
static double activate(enum tulle_type type, enum tulle_activation activation, double z,
                       double *slope)
{
    static _Alignas(TULLE_ALIGNMENT) double zero[TULLE_ROW_PAD], bias[TULLE_ROW_PAD];
    static _Alignas(TULLE_ALIGNMENT) double out[TULLE_ROW_PAD], slopes[TULLE_ROW_PAD];
    double below = activation == TULLE_ACTIVATION_RELU ? 0 : rounded(type, 0.01);
    switch (activation) {
    case TULLE_ACTIVATION_IDENTITY:
        *slope = 1;
        return z;
    case TULLE_ACTIVATION_RELU:
    case TULLE_ACTIVATION_LEAKY_RELU:
        *slope = z < 0 ? below : 1;
        return z >= 0 ? z : below == 0 ? 0 : rounded(type, below * z);
    default:
        set(type, bias, 0, z);
        struct product p = {zero, zero, out, TULLE_ROW_PAD, TULLE_ROW_PAD, TULLE_ROW_PAD, 1};
        tables[type][0]->forward(&p, (struct tile_range){0, 1, 0, 1}, bias, slopes, activation);
        *slope = get(type, slopes, 0);
        return get(type, out, 0);
    }
}

static void check_forward(struct operands *o, int dots)
{
    enum tulle_type type = o->c.type;
    const struct tile_range *range = &o->c.range;
    const char *name = dots ? "forward_dots" : "forward";
    size_t size = matrix_size(&o->c);
    enum tulle_activation activation =
        (enum tulle_activation)tulle_rng_integer(&rng, TULLE_ACTIVATION_SINE);
    void *outs = copy_buffer(type, o->before, size), *slopes = copy_buffer(type, outs, size);
    for (size_t m = range->row_begin; m < range->row_end; m++)
        for (size_t n = range->column_begin; n < range->column_end; n++) {
            double bias = get(type, o->bias, n), derivative;
            double z = dots ? sum_dot(o, m, n, bias) : sum_chain(o, m, n, bias);
            set(type, outs, m * o->c.stride + n, activate(type, activation, z, &derivative));
            set(type, slopes, m * o->c.stride + n, derivative);
        }
    /* Dots rely on zeros behind the rows; sums side by side may have any neighbours. */
    double padding = dots ? 0 : NAN;
    set_padding(type, o->a, o->a_rows, o->a_used, o->a_stride, padding);
    set_padding(type, o->turned, range->column_end, o->product.k, o->turned_stride, padding);
    set_padding(type, o->b, o->product.k, range->column_end, o->c.stride, NAN);
    set_padding(type, o->bias, 1, range->column_end, o->c.stride, NAN);
    for (size_t t = 0; t < table_counts[type]; t++) {
        const struct kernels *kernels = tables[type][t];
        struct product product = dots ? o->turned_product : o->product;
        for (int has_slope = 0; has_slope <= 1; has_slope++) {
            void *out = product.c = copy_buffer(type, o->before, size);
            void *slope = copy_buffer(type, o->before, size);
            (dots ? kernels->forward_dots : kernels->forward)(&product, *range, o->bias,
                                                              has_slope ? slope : NULL, activation);
            assert_written(&o->c, o->before, outs, out, name, kernels->name);
            if (has_slope)
                assert_written(&o->c, o->before, slopes, slope, name, kernels->name);
            tulle_free(out), tulle_free(slope);
        }
    }
    tulle_free(outs), tulle_free(slopes);
}

/* Here as in accumulate the padding of C is 0, and has to stay 0. */
static void check_multiply(struct operands *o, int turned)
{
    enum tulle_type type = o->c.type;
    const struct tile_range *range = &o->c.range;
    size_t size = matrix_size(&o->c);
    set_padding(type, o->before, o->c.rows, range->column_end, o->c.stride, 0);
    set_padding(type, o->b, o->product.k, range->column_end, o->c.stride, 0);
    set_padding(type, o->a, o->a_rows, o->a_used, o->a_stride, NAN);
    set_padding(type, o->turned, range->column_end, o->product.k, o->turned_stride, NAN);
    void *expected = copy_buffer(type, o->before, size);
    for (size_t m = range->row_begin; m < range->row_end; m++)
        for (size_t n = range->column_begin; n < range->column_end; n++) {
            size_t i = m * o->c.stride + n;
            set(type, expected, i, get(type, o->before, i) * sum_chain(o, m, n, 0));
        }
    for (size_t t = 0; t < table_counts[type]; t++) {
        const struct kernels *kernels = tables[type][t];
        struct product product = turned ? o->turned_product : o->product;
        void *panel = random_buffer(type, product.k * kernels->columns);
        void *found = copy_buffer(type, o->before, size);
        product.c = found;
        if (turned)
            kernels->multiply_turned(&product, *range, panel);
        else
            kernels->multiply(&product, *range);
        assert_written(&o->c, o->before, expected, found, turned ? "multiply_turned" : "multiply",
                       kernels->name);
        tulle_free(panel), tulle_free(found);
    }
    tulle_free(expected);
}

/* The sum in one part and in more of them, of all kinds; added to C, or stored there, where it has
 * been kept in C itself. */
static void check_accumulate(struct operands *o, int stores)
{
    enum tulle_type type = o->c.type;
    const struct tile_range *range = &o->c.range;
    size_t size = matrix_size(&o->c), k = o->product.k;
    double alpha = rounded(type, -0.3);
    set_padding(type, o->before, o->c.rows, range->column_end, o->c.stride, 0);
    set_padding(type, o->b, k, range->column_end, o->c.stride, 0);
    set_padding(type, o->a, o->a_rows, o->a_used, o->a_stride, NAN);
    void *expected = copy_buffer(type, o->before, size);
    for (size_t m = range->row_begin; m < range->row_end; m++)
        for (size_t n = range->column_begin; n < range->column_end; n++) {
            size_t i = m * o->c.stride + n;
            double start = stores ? 0 : get(type, o->before, i);
            set(type, expected, i, fused(type, alpha, sum_chain(o, m, n, 0), start));
        }
    for (size_t t = 0; t < table_counts[type]; t++)
        for (size_t parts = 1; parts <= 4 && parts <= k; parts++) {
            void *found = copy_buffer(type, o->before, size);
            void *sums = random_buffer(type, size);
            struct product product = o->product;
            product.c = found;
            set_padding(type, sums, o->c.rows, 0, o->c.stride, NAN);
            for (size_t part = 0; part < parts; part++) {
                size_t begin = k * part / parts, end = k * (part + 1) / parts;
                product.a = at(type, o->a, begin * product.a_row);
                product.b = at(type, o->b, begin * product.b_row);
                product.k = end - begin;
                enum sum_part kind = (part == 0 ? SUM_FIRST : 0) |
                                     (part == parts - 1 ? SUM_LAST : 0) | (stores ? SUM_STORE : 0);
                tables[type][t]->accumulate(&product, *range, kind,
                                            stores       ? found
                                            : parts == 1 ? NULL
                                                         : sums,
                                            alpha);
            }
            assert_written(&o->c, o->before, expected, found, "accumulate", tables[type][t]->name);
            tulle_free(found), tulle_free(sums);
        }
    tulle_free(expected);
}

/* Every product on one range; a range begins in the middle of a matrix where rows and columns are
 * odd, at columns that are whole tiles of every table. */
static void check_products(enum tulle_type type, size_t rows, size_t columns, size_t k)
{
    enum { TILES = 32 };
    size_t m = rows % 2 ? 0 : 3, n = (rows + columns) % 2 ? 0 : TILES;
    for (size_t t = 0; t < table_counts[type]; t++)
        assert_int_equal(TILES % tables[type][t]->columns, 0);
    struct tile_range range = {m, m + rows, n, n + columns};
    struct operands by_rows = make_operands(type, range, k, 0);
    struct operands by_columns = make_operands(type, range, k, 1);
    for (int other = 0; other <= 1; other++) {
        check_forward(&by_rows, other);
        check_multiply(&by_rows, other);
        check_accumulate(&by_columns, other);
    }
    free_operands(&by_rows);
    free_operands(&by_columns);
}

static void test_small_products(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t rows = 1; rows <= 25; rows++)
            for (size_t columns = 1; columns <= 72; columns += columns < 34 ? 1 : 5)
                if (is_sampled_emulated(rows + columns, 5))
                    check_products(type, rows, columns, 1 + (rows * 7 + columns * 5) % 19);
}

/* More terms than the pieces have in which few rows turn their matrix; more columns than the
 * longest tile has. */
static void test_large_products(void **state)
{
    static const size_t rows[] = {1, 2, 3, 14}, columns[] = {1, 40, 263};
    static const size_t terms[] = {31, 32, 63, 65, 256, 257, 530};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
            for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
                for (size_t k = 0; k < sizeof terms / sizeof *terms; k++)
                    if (is_sampled_emulated(r + c + k, 3))
                        check_products(type, rows[r], columns[c], terms[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_small_products),
                                       cmocka_unit_test(test_large_products)};
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
