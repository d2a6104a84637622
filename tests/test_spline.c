/*
 * test_spline.c - the piecewise-linear function of a number: its formula in double, at and around
 * its knots, far from them and of what is no number; gradients; the same bits from every table,
 * however samples are grouped, and those written down here.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "number_rows.h"

enum { SAMPLES = 61 };

static double knot(const struct rows *rows, size_t t)
{
    return get(rows->type, rows->knots, t);
}

/* Knots from -2 to 2, of differing distances. Every other number is a knot, as long as there are
 * any, and the others lie between them and outside. */
static struct rows make_rows(enum tulle_type type, size_t bins, size_t dimensions)
{
    struct rows rows = begin_rows(type, SAMPLES, dimensions);
    rows.spline = (struct spline){bins, dimensions};
    rows.length = tulle_padded(dimensions);
    rows.size = tulle_spline_size(&rows.spline);
    rows.parameters = random_buffer(type, rows.size);
    rows.knots = random_buffer(type, bins + 1);
    set_padding(type, rows.parameters, bins, dimensions, rows.length, 0);
    for (size_t t = 0; t <= bins; t++)
        set(type, rows.knots, t,
            4 * ((double)t + 0.9 * tulle_rng_uniform(&rng)) / (double)(bins + 1) - 2);
    for (size_t i = 0; i < SAMPLES; i++)
        set_number(&rows, i,
                   i % 2 == 0 && i / 2 <= bins ? knot(&rows, i / 2)
                                               : 5 * tulle_rng_uniform(&rng) - 2.5);
    return rows;
}

/* What x has of bin t. */
static double share(const struct rows *rows, size_t t, double x)
{
    double below = knot(rows, t), above = knot(rows, t + 1);
    return x <= below ? 0 : x >= above ? 1 : (x - below) / (above - below);
}

static double sum_plainly(const struct rows *rows, size_t d, double x)
{
    double sum = 0;
    for (size_t t = 0; t < rows->spline.bins; t++)
        sum += share(rows, t, x) * get(rows->type, rows->parameters, t * rows->length + d);
    return sum;
}

static double gradient_plainly(const struct rows *rows, size_t t, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        sum += share(rows, t, number(rows, i)) *
               get(rows->type, rows->gradient, i * rows->stride + FIRST_SUM + d);
    return alpha * sum;
}

/* Nothing but the function is written, and padding is 0. */
static void check_formula(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    size_t dimensions = rows->dimensions;
    void *x = get_sums(kernels, rows), *gradients = get_gradients(kernels, rows, 1);
    for (size_t i = 0; i < SAMPLES * rows->stride; i++) {
        size_t column = i % rows->stride;
        if (column < FIRST_SUM || column >= FIRST_SUM + dimensions)
            assert_true(is_same(type, x, rows->x, i));
        else
            assert_near(kernels, "the sum", i, get(type, x, i),
                        sum_plainly(rows, column - FIRST_SUM, number(rows, i / rows->stride)),
                        2 * (double)rows->spline.bins);
    }
    for (size_t i = 0; i < rows->size; i++) {
        size_t t = i / rows->length, d = i % rows->length;
        if (d >= dimensions)
            assert_true(get(type, gradients, i) == 0);
        else
            assert_near(kernels, "gradient", i, get(type, gradients, i),
                        gradient_plainly(rows, t, d), 2 * SAMPLES);
    }
    tulle_free(x), tulle_free(gradients);
}

/* The gradient by a sample's number is added to what is there, and nothing else is written. At a
 * knot the slope is that of the bin to its right; beyond the knots there is none. */
static void check_input_formula(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    void *found = get_input_gradients(kernels, rows);
    for (size_t i = 0; i < SAMPLES * rows->stride; i++) {
        size_t first = i - i % rows->stride + FIRST_SUM;
        double sum = 0, x = number(rows, i / rows->stride), most = 1;
        if (i % rows->stride != NUMBER) {
            assert_true(is_same(type, found, rows->gradient, i));
            continue;
        }
        for (size_t t = 0; t < rows->spline.bins; t++)
            for (size_t d = 0; x >= knot(rows, t) && x < knot(rows, t + 1) && d < rows->dimensions;
                 d++) {
                double width = knot(rows, t + 1) - knot(rows, t);
                sum += get(type, rows->gradient, first + d) *
                       get(type, rows->parameters, t * rows->length + d) / width;
                most = fmax(most, 1 / width);
            }
        assert_near(kernels, "gradient by number", i, get(type, found, i),
                    get(type, rows->gradient, i) + sum, most * (double)rows->dimensions);
    }
    tulle_free(found);
}

/* The sum of the first so many rows of W, rounded as it grows. */
static double sum_of_bins(const struct rows *rows, size_t bins, size_t d)
{
    double sum = 0;
    for (size_t t = 0; t < bins; t++)
        sum = rounded(rows->type, sum + get(rows->type, rows->parameters, t * rows->length + d));
    return sum;
}

/* At a knot, and outside of all, bins count whole or not at all: nothing is left to be rounded but
 * the sum. So it is far out, where differences are infinite; and what is no number has no share. */
static void check_whole_bins(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    const double most = type == TULLE_F64 ? DBL_MAX : FLT_MAX;
    const double above[] = {2.5, 1e30, most, INFINITY}, below[] = {-2.5, -most, -INFINITY, NAN};
    enum { FAR = sizeof above / sizeof *above };
    struct rows other = *rows;
    size_t bins = rows->spline.bins, whole[SAMPLES];
    other.x = copy_buffer(type, rows->x, SAMPLES * rows->stride);
    for (size_t i = 0; i < SAMPLES; i++) {
        whole[i] = i < FAR ? bins : i < 2 * FAR ? 0 : i % (bins + 1);
        set_number(&other, i,
                   i < FAR       ? above[i]
                   : i < 2 * FAR ? below[i - FAR]
                                 : knot(rows, whole[i]));
    }
    void *x = get_sums(kernels, &other), *gradients = get_gradients(kernels, &other, 2);
    for (size_t d = 0; d < rows->spline.dimensions; d++) {
        for (size_t i = 0; i < SAMPLES; i++)
            assert_true(get(type, x, i * rows->stride + FIRST_SUM + d) ==
                        sum_of_bins(rows, whole[i], d));
        for (size_t t = 0; t < bins; t++) {
            double sum = 0;
            for (size_t i = 0; i < SAMPLES; i++)
                if (t < whole[i])
                    sum = rounded(
                        type, sum + get(type, rows->gradient, i * rows->stride + FIRST_SUM + d));
            assert_true(get(type, gradients, t * rows->length + d) == rounded(type, alpha * sum));
        }
    }
    tulle_free(other.x), tulle_free(x), tulle_free(gradients);
}

/* Knots that are the same once they are rounded leave their bin to what is beyond it. */
static void check_equal_knots(const struct kernels *kernels, const struct rows *rows)
{
    enum tulle_type type = rows->type;
    size_t bins = rows->spline.bins;
    struct rows other = *rows;
    other.knots = copy_buffer(type, rows->knots, bins + 1);
    other.x = copy_buffer(type, rows->x, SAMPLES * rows->stride);
    set(type, other.knots, bins, knot(rows, bins - 1));
    set_number(&other, 0, knot(rows, bins - 1));
    set_number(&other, 1, knot(rows, bins - 1) + 0.5);
    void *x = get_sums(kernels, &other);
    for (size_t i = 0; i < 2; i++)
        for (size_t d = 0; d < rows->spline.dimensions; d++)
            assert_true(get(type, x, i * rows->stride + FIRST_SUM + d) ==
                        sum_of_bins(rows, bins - 1 + i, d));
    tulle_free(other.knots), tulle_free(other.x), tulle_free(x);
}

/* One bin and more; less than any vector, a part of one, and more than one. */
static void for_each_shape(rows_check *check)
{
    static const size_t bins[] = {1, 2, 3, 8, 29, 48}, dimensions[] = {1, 4, 7, 16, 19};
    for (size_t i = 0; i < sizeof bins / sizeof *bins; i++)
        for (size_t j = 0; j < sizeof dimensions / sizeof *dimensions; j++)
            for_each_table_of(make_rows, bins[i], dimensions[j], check);
}

TEST_EVERY_SHAPE(formula)
TEST_EVERY_SHAPE(input_formula)
TEST_EVERY_SHAPE(bits)
TEST_EVERY_SHAPE(whole_bins)
TEST_EVERY_SHAPE(equal_knots)

/* As many bins as there may be. */
static void test_most_bins(void **state)
{
    (void)state;
    for_each_table_of(make_rows, TULLE_MOST_BINS, 2, check_bits);
}

static void test_written_bits(void **state)
{
    static const uint64_t expected[] = {
        [TULLE_F32] = 0xa1a7f13d08e454ec, [TULLE_F64] = 0x26db27435d610580};
    static const uint64_t of_inputs[] = {
        [TULLE_F32] = 0x8dd0b6f76017f341, [TULLE_F64] = 0xbbcfacb546005313};
    (void)state;
    check_written_bits(make_rows, expected, of_inputs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formula),      cmocka_unit_test(test_input_formula),
        cmocka_unit_test(test_bits),         cmocka_unit_test(test_whole_bins),
        cmocka_unit_test(test_equal_knots),  cmocka_unit_test(test_most_bins),
        cmocka_unit_test(test_written_bits),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
