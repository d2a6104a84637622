/* test_column_fit.c - what is learned about columns: against plain formulas, and at the extremes.
 */
#include "../lib/base/portability.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/data/column_fit.h"
#include "../lib/data/dataset.h"
#include "../lib/data/encoder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ROWS = 4000, COLUMNS = 3 };

/* A table of one column, whose rows are all taken, in order. */
struct table {
    struct tulle_dataset dataset;
    const char *name;
    struct tulle_levels levels;
    size_t order[ROWS];
};

static void make_table(struct table *table, const double *values, size_t rows,
                       const char *const *levels, size_t level_count)
{
    table->name = "size";
    table->levels = (struct tulle_levels){levels, level_count};
    table->dataset = (struct tulle_dataset){.info = {.source = "houses.csv",
                                                     .rows = rows,
                                                     .columns = 1,
                                                     .names = &table->name,
                                                     .values = values,
                                                     .levels = &table->levels}};
    for (size_t r = 0; r < rows; r++)
        table->order[r] = r;
}

static enum tulle_status try_numbers(const double *values, size_t count, enum tulle_scaling scaling,
                                     struct tulle_column *column, struct tulle_error *error)
{
    struct table table;
    struct column_fit_options options = {scaling, 8, 4};
    make_table(&table, values, count, NULL, 0);
    return tulle_column_fit(&table.dataset, 0, table.order, count, &options, column, error);
}

static struct tulle_column fit_numbers(const double *values, size_t count,
                                       enum tulle_scaling scaling)
{
    struct tulle_column column;
    struct tulle_error error;
    if (try_numbers(values, count, scaling, &column, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    assert_string_equal(column.name, "size");
    assert_null(column.levels.names);
    assert_int_equal(column.scaling, scaling);
    assert_int_equal(column.dimensions, 0);
    return column;
}

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("expected %.17g, got %.17g", expected, found);
}

/* Some skewed numbers; every seventh is missing, if any may be. */
static void draw_values(double *values, size_t count, uint32_t seed, int with_missing)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, seed);
    for (size_t i = 0; i < count; i++) {
        double u = tulle_rng_uniform(&rng);
        values[i] = with_missing && i % 7 == 3 ? NAN : 1000 + 50 * u * u * u;
    }
}

/* --- Moments ---------------------------------------------------------------------------------- */

/* Columns, rows and their order are picked; sums have one order, so bits are compared. */
static void test_standard(void **state)
{
    static double values[ROWS * COLUMNS];
    static const char *const names[COLUMNS] = {"a", "b", "c"};
    static const struct tulle_levels levels[COLUMNS];
    struct tulle_dataset dataset = {.info = {.source = "",
                                             .rows = ROWS,
                                             .columns = COLUMNS,
                                             .names = names,
                                             .values = values,
                                             .levels = levels}};
    size_t order[ROWS / 2];
    struct column_fit_options options = {TULLE_SCALING_STANDARD, 8, 4};
    (void)state;
    for (int with_missing = 0; with_missing < 2; with_missing++) {
        double present[ROWS / 2], mean = 0, variance = 0, minimum = INFINITY, maximum = -INFINITY;
        size_t count = 0;
        draw_values(values, ROWS * COLUMNS, 1, with_missing);
        for (size_t i = 0; i < ROWS / 2; i++) {
            order[i] = ROWS - 1 - 2 * i;
            double value = values[order[i] * COLUMNS + 1];
            if (!isnan(value)) {
                present[count++] = value;
                minimum = fmin(minimum, value);
                maximum = fmax(maximum, value);
            }
        }
        for (size_t i = 0; i < count; i++)
            mean += (present[i] - minimum) / (maximum - minimum);
        mean /= (double)count;
        for (size_t i = 0; i < count; i++)
            variance += ((present[i] - minimum) / (maximum - minimum) - mean) *
                        ((present[i] - minimum) / (maximum - minimum) - mean);
        variance /= (double)count;

        struct tulle_column column;
        assert_int_equal(tulle_column_fit(&dataset, 1, order, ROWS / 2, &options, &column, NULL),
                         TULLE_OK);
        assert_string_equal(column.name, "b");
        assert_int_equal(column.missing, ROWS / 2 - count);
        assert_true(with_missing == (column.missing > 0));
        assert_true(column.minimum == minimum && column.maximum == maximum);
        assert_true(column.mean == minimum + (maximum - minimum) * mean);
        assert_true(column.scale == (maximum - minimum) * sqrt(variance));
        assert_null(column.quantiles);
        tulle_column_clear(&column);
    }
}

static void test_none(void **state)
{
    static const double values[] = {3, NAN, -1, 8};
    struct tulle_column column = fit_numbers(values, COUNT(values), TULLE_SCALING_NONE);
    (void)state;
    assert_true(column.mean == 0 && column.scale == 1);
    assert_true(column.minimum == -1 && column.maximum == 8);
    assert_int_equal(column.missing, 1);
    assert_false(tulle_column_is_constant(&column));
    tulle_column_clear(&column);
}

/* --- Quantiles -------------------------------------------------------------------------------- */

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double naive_quantile(const double *sorted, size_t count, double share)
{
    double at = share * (double)(count - 1);
    size_t below = (size_t)at;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static void test_robust(void **state)
{
    static const double values[] = {5, 1, NAN, 3, 100, 2};          /* 1 2 3 5 100 */
    static const double most_equal[] = {7, 7, 7, 7, 7, 7, 7, 9, 1}; /* quartiles are equal */
    static double drawn[ROWS], sorted[ROWS];
    (void)state;
    struct tulle_column column = fit_numbers(values, COUNT(values), TULLE_SCALING_ROBUST);
    assert_true(column.mean == 3 && column.scale == 3);
    assert_int_equal(column.missing, 1);
    tulle_column_clear(&column);

    column = fit_numbers(most_equal, COUNT(most_equal), TULLE_SCALING_ROBUST);
    assert_true(column.mean == 7 && column.scale == 4);
    tulle_column_clear(&column);

    for (size_t count = 2; count < 40; count++) {
        draw_values(drawn, count, (uint32_t)count, 0);
        memcpy(sorted, drawn, sizeof drawn);
        qsort(sorted, count, sizeof *sorted, compare_numbers);
        column = fit_numbers(drawn, count, TULLE_SCALING_ROBUST);
        assert_near(column.mean, naive_quantile(sorted, count, 0.5), 1e-15);
        assert_near(column.scale,
                    naive_quantile(sorted, count, 0.75) - naive_quantile(sorted, count, 0.25),
                    1e-11);
        tulle_column_clear(&column);
    }
}

/* All values where they are few; else 1001 of them, from the least to the largest, ascending. */
static void test_quantiles(void **state)
{
    static const size_t counts[] = {2, 3, 1000, 1001, 1002, 2001, ROWS};
    static double values[ROWS], sorted[ROWS];
    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        size_t count = counts[i], knots = count < 1001 ? count : 1001;
        draw_values(values, count, 5, 0);
        memcpy(sorted, values, sizeof values);
        qsort(sorted, count, sizeof *sorted, compare_numbers);
        struct tulle_column column = fit_numbers(values, count, TULLE_SCALING_QUANTILE);
        assert_int_equal(column.quantile_count, knots);
        assert_near(column.mean, naive_quantile(sorted, count, 0.5), 1e-15);
        assert_true(column.scale == 1);
        assert_true(column.quantiles[0] == column.minimum);
        assert_true(column.quantiles[knots - 1] == column.maximum);
        for (size_t k = 0; k < knots; k++) {
            double share = (double)k / (double)(knots - 1);
            assert_near(column.quantiles[k], naive_quantile(sorted, count, share), 1e-14);
            assert_true(count > 1001 || column.quantiles[k] == sorted[k]);
            assert_true(k == 0 || column.quantiles[k] >= column.quantiles[k - 1]);
        }
        tulle_column_clear(&column);
    }
}

/* Zeros of both signs are one number, and sorting leaves no trace of which came first. */
static void test_signed_zeros(void **state)
{
    static const double values[] = {0.0, -0.0, 1, -0.0, 0.0, -1, -0.0};
    struct tulle_column column = fit_numbers(values, COUNT(values), TULLE_SCALING_QUANTILE);
    (void)state;
    for (size_t k = 1; k < 6; k++)
        assert_true(column.quantiles[k] == 0 && !signbit(column.quantiles[k]));
    tulle_column_clear(&column);
}

/* What is learned and what the encoder makes of it belong together: skewed numbers come out with
 * mean 0 and deviation 1, and by quantiles as if drawn from a normal distribution. */
static void test_encoded(void **state)
{
    static double values[ROWS];
    static const enum tulle_scaling both[] = {TULLE_SCALING_STANDARD, TULLE_SCALING_QUANTILE};
    (void)state;
    draw_values(values, ROWS, 9, 1);
    for (size_t s = 0; s < COUNT(both); s++) {
        struct tulle_column column = fit_numbers(values, ROWS, both[s]);
        struct encoder encoder;
        assert_true(tulle_encoder_init(&encoder, &column, 1));
        assert_int_equal(encoder.inputs, 2);
        struct row_encoder rows = {&encoder, NULL, NULL};
        double sums[5] = {0};
        for (size_t r = 0; r < ROWS; r++) {
            double encoded[2], power = 1;
            tulle_encode_inputs(&rows, &values[r], TULLE_F64, encoded);
            assert_true(encoded[1] == (isnan(values[r]) ? 1 : 0));
            assert_true(!isnan(values[r]) || encoded[0] == 0);
            for (size_t k = 0; k < 5 && !isnan(values[r]); k++, power *= encoded[0])
                sums[k] += power;
        }
        assert_true(sums[0] + (double)column.missing == ROWS);
        double tolerance = both[s] == TULLE_SCALING_STANDARD ? 1e-12 : 0.02;
        assert_true(fabs(sums[1] / sums[0]) < tolerance);
        assert_true(fabs(sums[2] / sums[0] - 1) < tolerance);
        if (both[s] == TULLE_SCALING_QUANTILE) { /* a normal distribution's moments: 0 and 3 */
            assert_true(fabs(sums[3] / sums[0]) < 0.02);
            assert_true(fabs(sums[4] / sums[0] - 3) < 0.2);
        }
        tulle_encoder_clear(&encoder);
        tulle_column_clear(&column);
    }
}

/* --- Knots ------------------------------------------------------------------------------------ */

enum { BINS = 48 };

static size_t find_knots(const double *values, size_t count, double knots[BINS + 1])
{
    struct table table;
    make_table(&table, values, count, NULL, 0);
    return tulle_column_knots(&table.dataset, 0, table.order, count, BINS + 1, knots);
}

static void test_few_knots(void **state)
{
    static const double same[] = {7, 7, 7}, none[] = {NAN, NAN}, few[] = {2, NAN, -0.0, 2, 9, 0.0};
    static const double expected[] = {0, 2, 9};
    double knots[BINS + 1];
    (void)state;
    assert_int_equal(find_knots(same, 3, knots), 1);
    assert_true(knots[0] == 7);
    assert_int_equal(find_knots(none, 2, knots), 1);
    assert_true(knots[0] == 0);
    assert_int_equal(find_knots(few, 6, knots), 3);
    assert_memory_equal(knots, expected, sizeof expected);
    /* The ends of one bin. */
    struct table table;
    make_table(&table, few, 6, NULL, 0);
    assert_int_equal(tulle_column_knots(&table.dataset, 0, table.order, 6, 2, knots), 2);
    assert_true(knots[0] == 0 && knots[1] == 9);
}

/* Rows per bin are even, also when most of the rows have one value, in the midst or the least. */
static void test_even_knots(void **state)
{
    static const double repeated[] = {1010, 0};
    static const size_t shares[] = {0, 2, 10}; /* of ten rows, which have that value */
    static double values[ROWS], sorted[ROWS];
    double knots[BINS + 1];
    (void)state;
    for (size_t c = 0; c < COUNT(repeated) * COUNT(shares); c++) {
        size_t share = shares[c % COUNT(shares)], heavy = 0;
        draw_values(values, ROWS, 11, 0);
        for (size_t i = 0; i < ROWS; i++)
            if (i % 10 < share && i % 100 != 1) {
                values[i] = repeated[c / COUNT(shares)];
                heavy++;
            }
        memcpy(sorted, values, sizeof values);
        qsort(sorted, ROWS, sizeof *sorted, compare_numbers);
        size_t found = find_knots(values, ROWS, knots);
        size_t distinct = ROWS - (heavy > 0 ? heavy - 1 : 0);
        assert_int_equal(found, distinct < BINS + 1 ? distinct : BINS + 1);
        assert_true(knots[0] == sorted[0] && knots[found - 1] == sorted[ROWS - 1]);
        size_t least = ROWS, most = 0;
        for (size_t k = 0, r = 0; k + 1 < found; k++) { /* rows in [knot, next knot) */
            size_t first = r;
            while (sorted[r] < knots[k + 1])
                r++;
            assert_true(r > first);
            if (r - first < heavy)
                continue; /* that value's bin */
            least = r - first < least ? r - first : least;
            most = r - first > most ? r - first : most;
        }
        assert_true(most <= 2 * least);
    }
}

/* --- Extremes --------------------------------------------------------------------------------- */

static const enum tulle_scaling scalings[] = {TULLE_SCALING_NONE, TULLE_SCALING_STANDARD,
                                              TULLE_SCALING_ROBUST, TULLE_SCALING_QUANTILE};

/* One value, in one row or in many, and none at all. */
static void test_constants(void **state)
{
    static const double one[] = {-4.5}, same[] = {-4.5, -4.5, -4.5}, none[] = {NAN, NAN},
                        some[] = {-4.5, NAN, -4.5};
    (void)state;
    for (size_t s = 0; s < COUNT(scalings); s++) {
        const struct {
            const double *values;
            size_t count;
            double value;
            int is_constant;
        } cases[] = {{one, 1, -4.5, 1}, {same, 3, -4.5, 1}, {none, 2, 0, 1}, {some, 3, -4.5, 0}};
        for (size_t i = 0; i < COUNT(cases); i++) {
            double value = cases[i].value;
            struct tulle_column column = fit_numbers(cases[i].values, cases[i].count, scalings[s]);
            assert_true(column.minimum == value && column.maximum == value);
            assert_true(column.mean == (scalings[s] == TULLE_SCALING_NONE ? 0 : value));
            assert_true(column.scale == 1);
            assert_int_equal(column.missing, !cases[i].is_constant);
            assert_int_equal(tulle_column_is_constant(&column), cases[i].is_constant);
            if (scalings[s] == TULLE_SCALING_QUANTILE) {
                assert_int_equal(column.quantile_count, 1);
                assert_true(column.quantiles[0] == value);
            }
            tulle_column_clear(&column);
        }
    }
}

static void test_extremes(void **state)
{
    static const double large[] = {-1e150, 1e150, 1e150, -1e150, 0};
    static const double small[] = {0, 3e-320, 1e-320, 2e-320};
    (void)state;
    for (size_t s = 0; s < COUNT(scalings); s++) {
        struct tulle_column column = fit_numbers(large, COUNT(large), scalings[s]);
        assert_true(isfinite(column.mean) && isfinite(column.scale) && column.scale > 0);
        assert_true(scalings[s] == TULLE_SCALING_NONE || fabs(column.mean) <= 1e134);
        tulle_column_clear(&column);
        column = fit_numbers(small, COUNT(small), scalings[s]);
        assert_true(column.mean >= 0 && column.mean <= 3e-320 && column.scale > 0);
        tulle_column_clear(&column);
    }
}

/* The smallest range that there is has a unit, too. */
static void test_smallest_range(void **state)
{
    static const double narrow[] = {0, 5e-324, 5e-324};
    (void)state;
    for (size_t s = 0; s < COUNT(scalings); s++)
        for (size_t count = 2; count <= COUNT(narrow); count++) {
            struct tulle_column column = fit_numbers(narrow, count, scalings[s]);
            assert_true(column.mean >= 0 && column.mean <= 5e-324);
            assert_true(column.scale >= DBL_MIN);
            tulle_column_clear(&column);
        }
}

/* The program's rounding mode changes no bit, and is kept. */
static void test_rounding_modes(void **state)
{
    static const int modes[] = {FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    static double values[ROWS];
    (void)state;
    draw_values(values, ROWS, 3, 1);
    for (size_t s = 0; s < COUNT(scalings); s++)
        for (size_t m = 0; m < COUNT(modes); m++) {
            struct tulle_column expected = fit_numbers(values, ROWS, scalings[s]);
            fesetround(modes[m]);
            struct tulle_column found = fit_numbers(values, ROWS, scalings[s]);
            int kept = fegetround();
            fesetround(FE_TONEAREST);
            assert_int_equal(kept, modes[m]);
            assert_memory_equal(&found.mean, &expected.mean, sizeof found.mean);
            assert_memory_equal(&found.scale, &expected.scale, sizeof found.scale);
            if (expected.quantiles)
                assert_memory_equal(found.quantiles, expected.quantiles,
                                    expected.quantile_count * sizeof(double));
            tulle_column_clear(&found);
            tulle_column_clear(&expected);
        }
}

/* --- Levels ----------------------------------------------------------------------------------- */

static const char *const towns[] = {"Oslo", "Rome", "Bern", "Nice", "Graz"};

static struct tulle_column fit_towns(const double *values, size_t count, size_t one_hot_levels)
{
    struct table table;
    struct tulle_column column;
    struct column_fit_options options = {TULLE_SCALING_ROBUST, one_hot_levels, 6};
    make_table(&table, values, count, towns, COUNT(towns));
    assert_int_equal(
        tulle_column_fit(&table.dataset, 0, table.order, count, &options, &column, NULL), TULLE_OK);
    assert_string_equal(column.name, "size");
    assert_non_null(column.levels.names);
    assert_int_equal(column.scaling, TULLE_SCALING_NONE);
    assert_true(column.scale == 1);
    return column;
}

/* Those that the rows have, in the dataset's order, and nothing of the others. */
static void test_levels(void **state)
{
    static const double values[] = {4, 0, NAN, 2, 4, 0, 4};
    (void)state;
    struct tulle_column column = fit_towns(values, COUNT(values), 8);
    assert_int_equal(column.levels.count, 3);
    assert_string_equal(column.levels.names[0], "Oslo");
    assert_string_equal(column.levels.names[1], "Bern");
    assert_string_equal(column.levels.names[2], "Graz");
    assert_int_equal(column.missing, 1);
    tulle_column_clear(&column);
    tulle_column_clear(&column); /* does nothing */
}

static void test_dimensions(void **state)
{
    static const double values[] = {0, 1, 2, NAN};
    static const struct {
        size_t begin, count, one_hot_levels, dimensions;
        int is_constant;
    } cases[] = {{0, 3, 3, 0, 0},        {0, 3, 2, 6, 0}, {0, 4, 4, 0, 0}, {0, 4, 3, 6, 0},
                 {0, 4, SIZE_MAX, 0, 0}, {0, 3, 0, 6, 0}, {0, 2, 0, 0, 0}, {2, 2, 0, 0, 0},
                 {0, 1, 0, 0, 1},        {3, 1, 0, 0, 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tulle_column column =
            fit_towns(values + cases[i].begin, cases[i].count, cases[i].one_hot_levels);
        assert_int_equal(column.dimensions, cases[i].dimensions);
        assert_int_equal(tulle_column_is_constant(&column), cases[i].is_constant);
        tulle_column_clear(&column);
    }
}

static void test_all_missing(void **state)
{
    static const double values[] = {NAN, NAN};
    struct tulle_column column = fit_towns(values, COUNT(values), 8);
    (void)state;
    assert_int_equal(column.levels.count, 0);
    assert_int_equal(column.missing, 0);
    assert_true(tulle_column_is_constant(&column));
    tulle_column_clear(&column);
}

/* --- Classes ---------------------------------------------------------------------------------- */

static void test_classes(void **state)
{
    static const double values[] = {3, 0.1, -0.0, NAN, 3, 1e20, -2, 0.0, 0.1};
    static const char *const expected[] = {"-2", "0", "0.1", "3", "1e+20"};
    struct table table;
    struct tulle_column column;
    struct tulle_error error;
    (void)state;
    make_table(&table, values, COUNT(values), NULL, 0);
    assert_int_equal(
        tulle_column_fit_classes(&table.dataset, 0, table.order, COUNT(values), 5, &column, NULL),
        TULLE_OK);
    assert_string_equal(column.name, "size");
    assert_int_equal(column.missing, 1);
    assert_true(column.mean == 0 && column.scale == 1);
    assert_int_equal(column.levels.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_string_equal(column.levels.names[i], expected[i]);
    assert_false(tulle_column_is_constant(&column));
    tulle_column_clear(&column);

    assert_int_equal(
        tulle_column_fit_classes(&table.dataset, 0, table.order, COUNT(values), 4, &column, &error),
        TULLE_ERROR_DATA);
    assert_null(column.name);
    assert_string_equal(error.file, "houses.csv");
    assert_string_equal(error.message,
                        "column 'size' has 5 different numbers, more than the 4 that can be "
                        "classes; to predict them as numbers is a task for regression");
    /* One row, and one that is missing. */
    assert_int_equal(tulle_column_fit_classes(&table.dataset, 0, table.order, 1, 4, &column, NULL),
                     TULLE_OK);
    assert_true(tulle_column_is_constant(&column));
    tulle_column_clear(&column);
    assert_int_equal(
        tulle_column_fit_classes(&table.dataset, 0, table.order + 3, 1, 4, &column, NULL),
        TULLE_OK);
    assert_non_null(column.levels.names);
    assert_int_equal(column.levels.count, 0);
    tulle_column_clear(&column);
}

/* --- Copies ----------------------------------------------------------------------------------- */

static void test_copy(void **state)
{
    static const double numbers[] = {3, 1, 2, NAN}, cells[] = {4, 0, NAN, 2};
    struct tulle_column from[2] = {fit_numbers(numbers, 4, TULLE_SCALING_QUANTILE),
                                   fit_towns(cells, 4, 2)};
    struct tulle_column to[2];
    (void)state;
    for (size_t i = 0; i < 2; i++)
        assert_true(tulle_column_copy(&to[i], &from[i]));
    assert_ptr_not_equal(to[0].name, from[0].name);
    assert_ptr_not_equal(to[0].quantiles, from[0].quantiles);
    for (size_t i = 0; i < 2; i++)
        tulle_column_clear(&from[i]);
    assert_string_equal(to[0].name, "size");
    assert_true(to[0].mean == 2 && to[0].minimum == 1 && to[0].maximum == 3);
    assert_int_equal(to[0].quantile_count, 3);
    assert_true(to[0].quantiles[1] == 2);
    assert_null(to[0].levels.names);
    assert_null(to[1].quantiles);
    assert_int_equal(to[1].dimensions, 6);
    assert_int_equal(to[1].levels.count, 3);
    assert_string_equal(to[1].levels.names[2], "Graz");
    for (size_t i = 0; i < 2; i++)
        tulle_column_clear(&to[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standard),       cmocka_unit_test(test_none),
        cmocka_unit_test(test_robust),         cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_signed_zeros),   cmocka_unit_test(test_encoded),
        cmocka_unit_test(test_constants),      cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_smallest_range), cmocka_unit_test(test_rounding_modes),
        cmocka_unit_test(test_levels),         cmocka_unit_test(test_dimensions),
        cmocka_unit_test(test_all_missing),    cmocka_unit_test(test_classes),
        cmocka_unit_test(test_copy),           cmocka_unit_test(test_few_knots),
        cmocka_unit_test(test_even_knots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
