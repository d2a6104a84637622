/*
 * test_waves.c - the waves of a number: their formula in double, gradients against differences,
 * the same bits from every table, however samples are grouped, and those written down here.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number_rows.h"

enum { SAMPLES = 23 };

static const double pi = 3.14159265358979323846;

static struct rows make_rows(enum tulle_type type, size_t frequencies, size_t dimensions)
{
    struct rows rows = begin_rows(type, SAMPLES, dimensions);
    rows.waves = (struct waves){frequencies, dimensions};
    rows.length = tulle_padded(frequencies);
    rows.size = tulle_waves_size(&rows.waves);
    for (size_t i = 0; i < SAMPLES; i++)
        set_number(&rows, i, 8 * tulle_rng_uniform(&rng) - 4);
    rows.parameters = random_buffer(type, rows.size);
    size_t others = 2 + dimensions;
    set_padding(type, rows.parameters, others, frequencies, rows.length, 0);
    set_padding(type, at(type, rows.parameters, others * rows.length), 1, dimensions,
                tulle_padded(dimensions), 0);
    return rows;
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
    double x = number(rows, sample);
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

/* Nothing but the sums is written, and padding is 0. Angles are below 16, and rounded there. */
static void check_formula(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    size_t size = rows->size, dimensions = rows->dimensions;
    void *x = get_sums(kernels, rows), *gradients = get_gradients(kernels, rows, 1);
    double *expected = calloc(size, sizeof *expected);
    assert_non_null(expected);
    for (size_t i = 0; i < SAMPLES * rows->stride; i++) {
        size_t column = i % rows->stride;
        if (column < FIRST_SUM || column >= FIRST_SUM + dimensions) {
            assert_true(is_same(type, x, rows->x, i));
            continue;
        }
        double x_i = number(rows, i / rows->stride);
        assert_near(kernels, "the sum", i, get(type, x, i),
                    sum_plainly(rows, column - FIRST_SUM, x_i),
                    16 * (double)rows->waves.frequencies);
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
                        16 * SAMPLES * sqrt((double)dimensions) * (row == 0 ? 8 : 1));
    }
    tulle_free(x), tulle_free(gradients), free(expected);
}

/* The gradient by a sample's number is added to what is there, and nothing else is written. */
static void check_input_formula(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    void *found = get_input_gradients(kernels, rows);
    for (size_t i = 0; i < SAMPLES * rows->stride; i++) {
        size_t first = i - i % rows->stride + FIRST_SUM;
        double sum = get(type, rows->gradient, i), x = number(rows, i / rows->stride);
        if (i % rows->stride != NUMBER) {
            assert_true(is_same(type, found, rows->gradient, i));
            continue;
        }
        for (size_t d = 0; d < rows->waves.dimensions; d++)
            for (size_t f = 0; f < rows->waves.frequencies; f++)
                sum -= get(type, rows->gradient, first + d) * parameter(rows, 2 + d, f) *
                       sin(angle(rows, f, x)) * 2 * pi * parameter(rows, 0, f);
        assert_near(kernels, "gradient by number", i, get(type, found, i), sum,
                    64 * (double)(rows->waves.frequencies * rows->waves.dimensions));
    }
    tulle_free(found);
}

/* What is no angle any more: its waves are NaN, but the padding of the gradients is 0. */
static void check_padding(const struct kernels *kernels, const struct rows *rows)
{
    static const double far[] = {1e30, INFINITY, -INFINITY, NAN};
    enum tulle_type type = rows->type;
    for (size_t k = 0; k < sizeof far / sizeof *far; k++) {
        struct rows other = *rows;
        other.x = copy_buffer(type, rows->x, SAMPLES * rows->stride);
        set_number(&other, 4, far[k]);
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
    for (size_t i = 0; i < rows->size; i++) {
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
static void for_each_shape(rows_check *check)
{
    static const size_t frequencies[] = {5, 16, 20}, dimensions[] = {1, 3, 4, 17};
    for (size_t i = 0; i < sizeof frequencies / sizeof *frequencies; i++)
        for (size_t j = 0; j < sizeof dimensions / sizeof *dimensions; j++)
            for_each_table_of(make_rows, frequencies[i], dimensions[j], check);
}

TEST_EVERY_SHAPE(formula)
TEST_EVERY_SHAPE(input_formula)
TEST_EVERY_SHAPE(bits)
TEST_EVERY_SHAPE(padding)
TEST_EVERY_SHAPE(differences)

/* As many frequencies as there may be. */
static void test_most_waves(void **state)
{
    (void)state;
    for_each_table_of(make_rows, TULLE_MOST_WAVES, 2, check_bits);
}

static void test_written_bits(void **state)
{
    static const uint64_t expected[] = {
        [TULLE_F32] = 0xc4ea764c7902ec76, [TULLE_F64] = 0x65eeac0f52fb7a32};
    static const uint64_t of_inputs[] = {
        [TULLE_F32] = 0x6bf11b212d0d76f8, [TULLE_F64] = 0x3b368abb50397fb3};
    (void)state;
    check_written_bits(make_rows, expected, of_inputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),      cmocka_unit_test(test_input_formula),
        cmocka_unit_test(test_bits),         cmocka_unit_test(test_padding),
        cmocka_unit_test(test_differences),  cmocka_unit_test(test_most_waves),
        cmocka_unit_test(test_written_bits),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
