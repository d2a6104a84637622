/*
 * test_kernels.c - every kernel of every table against plain loops, to the bit.
 *
 * The loops below say what order each sum has; fma() is exact everywhere, so that whatever table
 * agrees with them agrees with every other. Sizes cross all tile and vector widths.
 */
#include <float.h>
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

static struct tulle_rng rng;

/* The tables of either precision that this machine can run, the generic one first. */
static const struct kernels *tables[2][4];
static size_t table_counts[2];

static int find_tables(void **state)
{
    static const char *const names[] = {"generic", "avx2", "avx512", "neon"};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const struct kernels *kernels = tulle_kernels_by_name(names[i], type);
            if (kernels)
                tables[type][table_counts[type]++] = kernels;
        }
        if (table_counts[type] == 0 || strcmp(tables[type][0]->name, "generic") != 0)
            return 1;
    }
    return 0;
}

static void for_each_table(void (*check)(const struct kernels *))
{
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++)
            check(tables[type][t]);
}

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

/* Sums and products of two floats, rounded to double and then to float, are as if rounded once. */
static double rounded(enum tulle_type type, double value)
{
    return type == TULLE_F64 ? value : (float)value;
}

static void *at(enum tulle_type type, void *buffer, size_t i)
{
    return (char *)buffer + i * tulle_type_size(type);
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

/* What stands in rows behind their first `used` numbers. */
static void set_padding(enum tulle_type type, void *matrix, size_t rows, size_t used, size_t stride,
                        double value)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = used; i < stride; i++)
            set(type, matrix, r * stride + i, value);
}

/* Bits, so that -0 is not 0. */
static int is_same(enum tulle_type type, const void *a, const void *b, size_t i)
{
    size_t size = tulle_type_size(type);
    return memcmp((const char *)a + i * size, (const char *)b + i * size, size) == 0;
}

/* --- A matrix that a kernel has written ------------------------------------------------------ */

struct matrix {
    enum tulle_type type;
    size_t rows, stride;
    struct tile_range range; /* what was to be written */
};

static size_t matrix_size(const struct matrix *matrix)
{
    return matrix->rows * matrix->stride;
}

/* The range is as expected and all else is as before; but vectors reach into the padding, where
 * they leave zeros. */
static void assert_written(const struct matrix *matrix, const void *before, const void *expected,
                           const void *found, const char *kernel, const char *table)
{
    const struct tile_range *range = &matrix->range;
    size_t reach = (range->column_end + TULLE_ROW_PAD - 1) / TULLE_ROW_PAD * TULLE_ROW_PAD;
    for (size_t m = 0; m < matrix->rows; m++)
        for (size_t n = 0; n < matrix->stride; n++) {
            size_t i = m * matrix->stride + n;
            int is_row = m >= range->row_begin && m < range->row_end;
            int is_inside = is_row && n >= range->column_begin && n < range->column_end;
            int is_padding = is_row && n >= range->column_end && n < reach;
            if (is_same(matrix->type, found, is_inside ? expected : before, i) ||
                (is_padding && get(matrix->type, found, i) == 0))
                continue;
            fail_msg("%s, %s, %s: (%zu, %zu) of (%zu, %zu) is %.17g, not %.17g", kernel, table,
                     tulle_type_name(matrix->type), m, n, range->row_end, range->column_end,
                     get(matrix->type, found, i),
                     get(matrix->type, is_inside ? expected : before, i));
        }
}

/* --- Products -------------------------------------------------------------------------------- */

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
    free(o->a), free(o->b), free(o->turned), free(o->bias), free(o->before);
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
    enum tulle_activation activation = tulle_rng_integer(&rng, TULLE_ACTIVATION_LOGISTIC);
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
            free(out), free(slope);
        }
    }
    free(outs), free(slopes);
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
        free(panel), free(found);
    }
    free(expected);
}

/* The sum in one part and in more of them, of all kinds. */
static void check_accumulate(struct operands *o)
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
            set(type, expected, i,
                fused(type, alpha, sum_chain(o, m, n, 0), get(type, o->before, i)));
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
                tables[type][t]->accumulate(&product, *range,
                                            (part == 0 ? SUM_FIRST : 0) |
                                                (part == parts - 1 ? SUM_LAST : 0),
                                            parts == 1 ? NULL : sums, alpha);
            }
            assert_written(&o->c, o->before, expected, found, "accumulate", tables[type][t]->name);
            free(found), free(sums);
        }
    free(expected);
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
    }
    check_accumulate(&by_columns);
    free_operands(&by_rows);
    free_operands(&by_columns);
}

static void test_small_products(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t rows = 1; rows <= 25; rows++)
            for (size_t columns = 1; columns <= 72; columns += columns < 34 ? 1 : 5)
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
                    check_products(type, rows[r], columns[c], terms[k]);
}

/* --- Activations ----------------------------------------------------------------------------- */

static const double special[] = {0.0,    -0.0,  1e-300, -1e-40, 0.17,     -0.35,
                                 1.0,    -20.0, 88.0,   -89.0,  400.0,    709.0,
                                 -750.0, 1e30,  -1e30,  1e300,  INFINITY, -INFINITY};

/* act(z) and act'(z) by libm. */
static double expected_value(enum tulle_activation activation, double z, double *slope)
{
    double e = exp(-fabs(z)), t = tanh(z);
    int is_tanh = activation == TULLE_ACTIVATION_TANH;
    *slope = is_tanh ? (1 - t) * (1 + t) : e / ((1 + e) * (1 + e));
    return is_tanh ? t : (z < 0 ? e : 1) / (1 + e);
}

/* The values of z as biases of a product of zeros: -0 times 0 leaves a bias of -0 as it is. */
static void check_activation(enum tulle_type type, enum tulle_activation activation, int dots,
                             size_t count, const void *z)
{
    size_t stride = tulle_row_stride(count);
    double epsilon = type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON;
    void *zeros = random_buffer(type, count * TULLE_ROW_PAD);
    void *outs[2] = {random_buffer(type, stride), random_buffer(type, stride)};
    void *slopes[2] = {random_buffer(type, stride), random_buffer(type, stride)};
    set_padding(type, zeros, count, 0, TULLE_ROW_PAD, -0.0);
    void *a = tulle_calloc_aligned(TULLE_ROW_PAD, sizeof(double));
    for (size_t t = 0; t < table_counts[type]; t++) {
        const struct kernels *kernels = tables[type][t];
        void *out = outs[t != 0], *slope = slopes[t != 0];
        struct product p = {a, zeros, out, TULLE_ROW_PAD, dots ? TULLE_ROW_PAD : stride, stride, 1};
        (dots ? kernels->forward_dots : kernels->forward)(&p, (struct tile_range){0, 1, 0, count},
                                                          z, slope, activation);
        for (size_t i = 0; i < count; i++) {
            assert_true(is_same(type, outs[0], out, i) && is_same(type, slopes[0], slope, i));
            double x = get(type, z, i), found = get(type, out, i), derivative;
            int is_curve =
                activation == TULLE_ACTIVATION_TANH || activation == TULLE_ACTIVATION_LOGISTIC;
            double expected = is_curve ? expected_value(activation, x, &derivative)
                                       : activate(type, activation, x, &derivative);
            double tolerance = is_curve ? 4 * epsilon : 0;
            if (!(found == expected || fabs(found - expected) <= tolerance) ||
                !(fabs(get(type, slope, i) - derivative) <= tolerance))
                fail_msg("%s, %s, %s: at %.17g %.17g, not %.17g; slope %.17g, not %.17g",
                         tulle_activation_name(activation), kernels->name, tulle_type_name(type), x,
                         found, expected, get(type, slope, i), derivative);
            if (!dots && !is_curve && expected == 0 && x == 0)
                assert_true(is_same(type, out, z, i)); /* -0 stays -0 */
        }
    }
    free(zeros), free(a);
    free(outs[0]), free(outs[1]), free(slopes[0]), free(slopes[1]);
}

static void test_activations(void **state)
{
    enum { COUNT = 512, SPECIAL = sizeof special / sizeof *special };
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        void *z = random_buffer(type, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            set(type, z, i,
                i < SPECIAL ? rounded(type, special[i]) : 40 * (tulle_rng_uniform(&rng) - 0.5));
        for (int activation = 0; tulle_activation_name(activation); activation++)
            for (int dots = 0; dots <= 1; dots++)
                check_activation(type, activation, dots, COUNT, z);
        free(z);
    }
}

/* --- The rest -------------------------------------------------------------------------------- */

/* Numbers of both types as they are and scaled; what the table's type cannot hold becomes NaN. */
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
            kernels->load(from, from_type, n, scaled ? mean : NULL, scaled ? scale : NULL, to);
            for (size_t i = 0; i < COUNT; i++) {
                double value = get(from_type, from, i), found = get(kernels->type, to, i);
                if (scaled)
                    value = (value - mean[i]) / scale[i];
                value = rounded(kernels->type, value);
                if (i >= n)
                    assert_true(is_same(kernels->type, to, before, i));
                else
                    assert_true(isfinite(value) ? found == value : isnan(found));
            }
            free(to), free(before);
        }
    free(from);
}

static void check_load(const struct kernels *kernels)
{
    check_load_from(kernels, TULLE_F32);
    check_load_from(kernels, TULLE_F64);
}

/* Columns' sums in up to four parts. */
static void check_sums(const struct kernels *kernels, size_t rows, size_t columns)
{
    enum tulle_type type = kernels->type;
    struct matrix to = {type, 1, tulle_row_stride(columns), {0, 1, 0, columns}};
    void *a = random_buffer(type, rows * to.stride), *before = random_buffer(type, to.stride);
    double alpha = rounded(type, -0.7);
    set_padding(type, a, rows, columns, to.stride, 0);
    set_padding(type, before, 1, columns, to.stride, 0);
    void *expected = copy_buffer(type, before, to.stride);
    for (size_t n = 0; n < columns; n++) {
        double sum = 0;
        for (size_t m = 0; m < rows; m++)
            sum = rounded(type, sum + get(type, a, m * to.stride + n));
        set(type, expected, n, fused(type, alpha, sum, get(type, before, n)));
    }
    for (size_t parts = 1; parts <= 4 && parts <= rows; parts++) {
        void *found = copy_buffer(type, before, to.stride), *sums = random_buffer(type, to.stride);
        set_padding(type, sums, 1, 0, to.stride, NAN);
        for (size_t part = 0; part < parts; part++) {
            size_t begin = rows * part / parts, end = rows * (part + 1) / parts;
            void *from = at(type, a, begin * to.stride);
            struct product product = {from, NULL, found, to.stride, 0, 0, end - begin};
            enum sum_part kind = (part == 0 ? SUM_FIRST : 0) | (part == parts - 1 ? SUM_LAST : 0);
            kernels->sum_columns(&product, columns, kind, parts == 1 ? NULL : sums, alpha);
        }
        assert_written(&to, before, expected, found, "sum_columns", kernels->name);
        free(found), free(sums);
    }
    free(a), free(before), free(expected);
}

static void check_sum_columns(const struct kernels *kernels)
{
    for (size_t columns = 1; columns <= 140; columns++)
        check_sums(kernels, 1 + columns * 5 % 23, columns);
}

static void check_gradient(const struct kernels *kernels, enum tulle_loss loss, size_t n,
                           size_t count)
{
    enum tulle_type type = kernels->type;
    struct matrix slope = {type, n, tulle_row_stride(count), {0, n, 0, count}};
    void *outputs = random_buffer(type, matrix_size(&slope));
    void *targets = random_buffer(type, n * count);
    void *before = random_buffer(type, matrix_size(&slope));
    set_padding(type, before, n, count, slope.stride, 0);
    void *found = copy_buffer(type, before, matrix_size(&slope));
    void *expected = copy_buffer(type, before, matrix_size(&slope));
    double *losses = random_buffer(TULLE_F64, n);
    kernels->loss(loss, outputs, slope.stride, targets, n, count, found, losses);
    for (size_t s = 0; s < n; s++) {
        double sum = 0;
        for (size_t o = 0; o < count; o++) {
            size_t i = s * slope.stride + o;
            double difference =
                rounded(type, get(type, outputs, i) - get(type, targets, s * count + o));
            set(type, expected, i, difference * get(type, before, i));
            sum += difference * difference;
        }
        assert_true(losses[s] == sum);
    }
    assert_written(&slope, before, expected, found, "loss", kernels->name);
    free(outputs), free(targets), free(before), free(found), free(expected), free(losses);
}

static void check_loss(const struct kernels *kernels)
{
    for (size_t n = 1; n <= 7; n += 3)
        for (size_t count = 1; count <= 40; count++)
            check_gradient(kernels, TULLE_LOSS_MSE, n, count);
}

#define TEST_EVERY_TABLE(name)                                                                     \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        for_each_table(check_##name);                                                              \
    }
TEST_EVERY_TABLE(load)
TEST_EVERY_TABLE(sum_columns)
TEST_EVERY_TABLE(loss)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_products), cmocka_unit_test(test_large_products),
        cmocka_unit_test(test_activations),    cmocka_unit_test(test_load),
        cmocka_unit_test(test_sum_columns),    cmocka_unit_test(test_loss),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
