/*
 * test_waves.c - the waves of a number: their formula in double, gradients against differences,
 * the same bits from every table, however samples are grouped, and those written down here.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_tables.h"

enum { SAMPLES = 23, NUMBER = 2, FIRST_SUM = 5, OTHERS = 3 };

static const double alpha = -0.375, pi = 3.14159265358979323846;

/* Rows of a first layer's inputs, the number in column NUMBER and its sums from FIRST_SUM on, with
 * other columns behind them; and the gradients there. */
struct rows {
    enum tulle_type type;
    struct waves waves;
    size_t stride, length; /* length: of a row of V */
    void *x, *gradient, *parameters;
};

static struct rows make_rows(enum tulle_type type, size_t frequencies, size_t dimensions)
{
    struct rows rows = {.type = type, .waves = {frequencies, dimensions}};
    rows.stride = tulle_padded(FIRST_SUM + dimensions + OTHERS);
    rows.length = tulle_padded(frequencies);
    rows.x = random_buffer(type, SAMPLES * rows.stride);
    rows.gradient = random_buffer(type, SAMPLES * rows.stride);
    for (size_t i = 0; i < SAMPLES; i++)
        set(type, rows.x, i * rows.stride + NUMBER, 8 * tulle_rng_uniform(&rng) - 4);
    rows.parameters = random_buffer(type, tulle_waves_size(&rows.waves));
    size_t others = 2 + dimensions;
    set_padding(type, rows.parameters, others, frequencies, rows.length, 0);
    set_padding(type, at(type, rows.parameters, others * rows.length), 1, dimensions,
                tulle_padded(dimensions), 0);
    return rows;
}

static void free_rows(struct rows *rows)
{
    tulle_free(rows->x), tulle_free(rows->gradient), tulle_free(rows->parameters);
}

/* What the kernels leave: x with the sums, and the gradients. Freed by the caller. */
static void *get_sums(const struct kernels *kernels, const struct rows *rows)
{
    void *x = copy_buffer(rows->type, rows->x, SAMPLES * rows->stride);
    kernels->waves(&rows->waves, rows->parameters, at(rows->type, x, NUMBER), rows->stride, SAMPLES,
                   at(rows->type, x, FIRST_SUM));
    return x;
}

static void *get_gradients(const struct kernels *kernels, const struct rows *rows, size_t parts)
{
    size_t size = tulle_waves_size(&rows->waves);
    void *sums = random_buffer(rows->type, size);
    set_padding(rows->type, sums, 1, 0, size, NAN);
    for (size_t part = 0; part < parts; part++) {
        size_t begin = SAMPLES * part / parts, end = SAMPLES * (part + 1) / parts;
        enum sum_part kind = (part == 0 ? SUM_FIRST : 0) | (part == parts - 1 ? SUM_LAST : 0);
        kernels->waves_gradient(&rows->waves, rows->parameters,
                                at(rows->type, rows->x, begin * rows->stride + NUMBER),
                                at(rows->type, rows->gradient, begin * rows->stride + FIRST_SUM),
                                rows->stride, end - begin, kind, sums, alpha);
    }
    return sums;
}

/* The element of the parameters: of w (row 0), of b (1), of V's rows, and then of c. */
static double parameter(const struct rows *rows, size_t row, size_t i)
{
    return get(rows->type, rows->parameters, row * rows->length + i);
}

static double angle(const struct rows *rows, size_t f, double x)
{
    return 2 * pi * parameter(rows, 0, f) * x + parameter(rows, 1, f);
}

static double sum_plainly(const struct rows *rows, size_t d, double x)
{
    double sum = parameter(rows, 2 + rows->waves.dimensions, d);
    for (size_t f = 0; f < rows->waves.frequencies; f++)
        sum += parameter(rows, 2 + d, f) * cos(angle(rows, f, x));
    return sum;
}

/* The gradients of one sample, times alpha, in place of sums laid out like the parameters. */
static void add_gradients_plainly(const struct rows *rows, size_t sample, double *sums)
{
    size_t length = rows->length, dimensions = rows->waves.dimensions;
    double x = get(rows->type, rows->x, sample * rows->stride + NUMBER);
    for (size_t d = 0; d < dimensions; d++) {
        double g = alpha * get(rows->type, rows->gradient, sample * rows->stride + FIRST_SUM + d);
        sums[(2 + dimensions) * length + d] += g;
        for (size_t f = 0; f < rows->waves.frequencies; f++) {
            double slope = -g * parameter(rows, 2 + d, f) * sin(angle(rows, f, x));
            sums[f] += slope * 2 * pi * x;
            sums[length + f] += slope;
            sums[(2 + d) * length + f] += g * cos(angle(rows, f, x));
        }
    }
}

static void assert_near(const struct kernels *kernels, const char *what, size_t i, double found,
                        double expected, double scale)
{
    double tolerance = (kernels->type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON) * 16 * scale;
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%s, %s: %s %zu is %.17g, not %.17g", kernels->name,
                 tulle_type_name(kernels->type), what, i, found, expected);
}

/* Nothing but the sums is written, and padding is 0. Angles are below 16, and rounded there. */
static void check_formula(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    size_t size = tulle_waves_size(&rows->waves), dimensions = rows->waves.dimensions;
    void *x = get_sums(kernels, rows), *gradients = get_gradients(kernels, rows, 1);
    double *expected = calloc(size, sizeof *expected);
    assert_non_null(expected);
    for (size_t i = 0; i < SAMPLES * rows->stride; i++) {
        size_t column = i % rows->stride;
        if (column < FIRST_SUM || column >= FIRST_SUM + dimensions) {
            assert_true(is_same(type, x, rows->x, i));
            continue;
        }
        double number = get(type, rows->x, i - column + NUMBER);
        assert_near(kernels, "the sum", i, get(type, x, i),
                    sum_plainly(rows, column - FIRST_SUM, number), (double)rows->waves.frequencies);
    }
    for (size_t i = 0; i < SAMPLES; i++)
        add_gradients_plainly(rows, i, expected);
    for (size_t i = 0; i < size; i++) {
        size_t row = i / rows->length < 2 + dimensions ? i / rows->length : 2 + dimensions;
        size_t used = row < 2 + dimensions ? rows->waves.frequencies : dimensions;
        if (i - row * rows->length >= used)
            assert_true(get(type, gradients, i) == 0);
        else
            assert_near(kernels, "gradient", i, get(type, gradients, i), expected[i],
                        SAMPLES * sqrt((double)dimensions) * (row == 0 ? 8 : 1));
    }
    tulle_free(x), tulle_free(gradients), free(expected);
}

/* The same as the generic table's, in one part and in more of them; sample by sample as well. */
static void check_bits(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    size_t bytes = tulle_type_size(type), size = tulle_waves_size(&rows->waves);
    void *expected = get_sums(tables[type][0], rows), *found = get_sums(kernels, rows);
    assert_memory_equal(found, expected, SAMPLES * rows->stride * bytes);
    for (size_t i = 0; i < SAMPLES; i++)
        kernels->waves(&rows->waves, rows->parameters, at(type, rows->x, i * rows->stride + NUMBER),
                       rows->stride, 1, at(type, found, i * rows->stride + FIRST_SUM));
    assert_memory_equal(found, expected, SAMPLES * rows->stride * bytes);
    tulle_free(expected), tulle_free(found);
    expected = get_gradients(tables[type][0], rows, 1);
    for (size_t parts = 1; parts <= 4; parts++) {
        found = get_gradients(kernels, rows, parts);
        assert_memory_equal(found, expected, size * bytes);
        tulle_free(found);
    }
    tulle_free(expected);
}

/* What is no angle any more: its waves are NaN, but the padding of the gradients is 0. */
static void check_padding(const struct kernels *kernels, const struct rows *rows)
{
    static const double far[] = {1e30, INFINITY, -INFINITY, NAN};
    enum tulle_type type = rows->type;
    for (size_t k = 0; k < sizeof far / sizeof *far; k++) {
        struct rows other = *rows;
        other.x = copy_buffer(type, rows->x, SAMPLES * rows->stride);
        set(type, other.x, 4 * rows->stride + NUMBER, far[k]);
        void *x = get_sums(kernels, &other), *gradients = get_gradients(kernels, &other, 2);
        for (size_t d = 0; d < rows->waves.dimensions; d++) {
            assert_true(isnan(get(type, x, 4 * rows->stride + FIRST_SUM + d)));
            assert_false(isnan(get(type, x, 5 * rows->stride + FIRST_SUM + d)));
        }
        for (size_t row = 0; row < 2 + rows->waves.dimensions; row++)
            for (size_t f = 0; f < rows->length; f++) {
                double gradient = get(type, gradients, row * rows->length + f);
                assert_true(f < rows->waves.frequencies ? isnan(gradient) : gradient == 0);
            }
        tulle_free(other.x), tulle_free(x), tulle_free(gradients);
    }
}

/* alpha times the sum of all sums, each times its gradient. */
static double total(const struct kernels *kernels, const struct rows *rows)
{
    double total = 0;
    void *x = get_sums(kernels, rows);
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t d = 0; d < rows->waves.dimensions; d++) {
            size_t here = i * rows->stride + FIRST_SUM + d;
            total += alpha * get(rows->type, x, here) * get(rows->type, rows->gradient, here);
        }
    tulle_free(x);
    return total;
}

/* The gradients are what the sums change by. */
static void check_differences(const struct kernels *kernels, const struct rows *rows)
{
    const double step = 0x1p-16;
    if (rows->type != TULLE_F64)
        return;
    double *gradients = get_gradients(kernels, rows, 3), *parameters = rows->parameters;
    for (size_t i = 0; i < tulle_waves_size(&rows->waves); i++) {
        double value = parameters[i];
        if (value == 0) /* padding */
            continue;
        parameters[i] = value + step;
        double above = total(kernels, rows);
        parameters[i] = value - step;
        double difference = (above - total(kernels, rows)) / (2 * step);
        parameters[i] = value;
        if (!(fabs(gradients[i] - difference) <= 1e-5))
            fail_msg("%s: gradient %zu is %.17g, and the difference %.17g", kernels->name, i,
                     gradients[i], difference);
    }
    tulle_free(gradients);
}

/* One vector with padding, exactly as much as padding is a multiple of, and more. */
static void for_each_shape(void (*check)(const struct kernels *, const struct rows *))
{
    static const size_t frequencies[] = {5, 16, 20}, dimensions[] = {1, 3, 4, 17};
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t i = 0; i < sizeof frequencies / sizeof *frequencies; i++)
            for (size_t j = 0; j < sizeof dimensions / sizeof *dimensions; j++) {
                struct rows rows = make_rows((enum tulle_type)type, frequencies[i], dimensions[j]);
                for (size_t t = 0; t < table_counts[type]; t++)
                    check(tables[type][t], &rows);
                free_rows(&rows);
            }
}

#define TEST_EVERY_SHAPE(name)                                                                     \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        for_each_shape(check_##name);                                                              \
    }
TEST_EVERY_SHAPE(formula)
TEST_EVERY_SHAPE(bits)
TEST_EVERY_SHAPE(padding)
TEST_EVERY_SHAPE(differences)

/* As many frequencies as there may be. */
static void test_most_waves(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        struct rows rows = make_rows((enum tulle_type)type, TULLE_MOST_WAVES, 2);
        for (size_t t = 0; t < table_counts[type]; t++)
            check_bits(tables[type][t], &rows);
        free_rows(&rows);
    }
}

/* The bits that every machine ought to find. */
static void test_written_bits(void **state)
{
    static const uint64_t expected[] = {
        [TULLE_F32] = 0xc4ea764c7902ec76, [TULLE_F64] = 0x65eeac0f52fb7a32};
    uint64_t found[2];
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        tulle_rng_seed(&rng, 5);
        struct rows rows = make_rows((enum tulle_type)type, 20, 3);
        void *x = get_sums(tables[type][0], &rows);
        void *gradients = get_gradients(tables[type][0], &rows, 1);
        found[type] = hash_numbers(HASH_BEGIN, rows.type, x, SAMPLES * rows.stride);
        found[type] =
            hash_numbers(found[type], rows.type, gradients, tulle_waves_size(&rows.waves));
        tulle_free(x), tulle_free(gradients);
        free_rows(&rows);
    }
    if (memcmp(found, expected, sizeof expected) != 0)
        fail_msg("the bits of this machine are 0x%016" PRIx64 ", 0x%016" PRIx64, found[TULLE_F32],
                 found[TULLE_F64]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),    cmocka_unit_test(test_bits),
        cmocka_unit_test(test_padding),    cmocka_unit_test(test_differences),
        cmocka_unit_test(test_most_waves), cmocka_unit_test(test_written_bits),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
