/*
 * number_rows.h - for tests of the kernels that embed a number: rows of a first layer's inputs, the
 * number in column NUMBER and its functions from FIRST_SUM on, with other columns behind them; and
 * the gradients there.
 */
#ifndef NUMBER_ROWS_H
#define NUMBER_ROWS_H

#include <float.h>
#include <inttypes.h>

#include "kernel_tables.h"

enum { NUMBER = 2, FIRST_SUM = 5, OTHERS = 3 };

static const double alpha = -0.375;

struct rows {
    enum tulle_type type;
    struct waves waves; /* the one or */
    struct spline spline;
    void *knots; /* the other, with NULL for waves */
    size_t samples, dimensions, stride, length,
        size; /* length: of a row of parameters, size: all */
    void *x, *gradient, *parameters;
};

/* All but what x is embedded by. */
static inline struct rows begin_rows(enum tulle_type type, size_t samples, size_t dimensions)
{
    struct rows rows = {.type = type, .samples = samples, .dimensions = dimensions};
    rows.stride = tulle_padded(FIRST_SUM + dimensions + OTHERS);
    rows.x = random_buffer(type, samples * rows.stride);
    rows.gradient = random_buffer(type, samples * rows.stride);
    return rows;
}

static inline void free_rows(struct rows *rows)
{
    tulle_free(rows->x), tulle_free(rows->gradient), tulle_free(rows->parameters);
    tulle_free(rows->knots);
}

static inline double number(const struct rows *rows, size_t sample)
{
    return get(rows->type, rows->x, sample * rows->stride + NUMBER);
}

static inline void set_number(struct rows *rows, size_t sample, double value)
{
    set(rows->type, rows->x, sample * rows->stride + NUMBER, value);
}

/* The functions of samples [begin, end). */
static inline void embed(const struct kernels *kernels, const struct rows *rows, void *x,
                         size_t begin, size_t end)
{
    const void *from = at(rows->type, x, begin * rows->stride + NUMBER);
    void *to = at(rows->type, x, begin * rows->stride + FIRST_SUM);
    if (rows->knots)
        kernels->spline(&rows->spline, rows->knots, rows->parameters, from, rows->stride,
                        end - begin, to);
    else
        kernels->waves(&rows->waves, rows->parameters, from, rows->stride, end - begin, to);
}

/* What the kernels leave: x with the functions, and the gradients. Freed with tulle_free(). */
static inline void *get_sums(const struct kernels *kernels, const struct rows *rows)
{
    void *x = copy_buffer(rows->type, rows->x, rows->samples * rows->stride);
    embed(kernels, rows, x, 0, rows->samples);
    return x;
}

static inline void *get_gradients(const struct kernels *kernels, const struct rows *rows,
                                  size_t parts)
{
    void *sums = random_buffer(rows->type, rows->size);
    set_padding(rows->type, sums, 1, 0, rows->size, NAN);
    for (size_t part = 0; part < parts; part++) {
        size_t begin = rows->samples * part / parts, end = rows->samples * (part + 1) / parts;
        enum sum_part kind = (part == 0 ? SUM_FIRST : 0) | (part == parts - 1 ? SUM_LAST : 0);
        const void *x = at(rows->type, rows->x, begin * rows->stride + NUMBER);
        const void *gradient = at(rows->type, rows->gradient, begin * rows->stride + FIRST_SUM);
        if (rows->knots)
            kernels->spline_gradient(&rows->spline, rows->knots, x, gradient, rows->stride,
                                     end - begin, kind, sums, alpha);
        else
            kernels->waves_gradient(&rows->waves, rows->parameters, x, gradient, rows->stride,
                                    end - begin, kind, sums, alpha);
    }
    return sums;
}

/* The gradients with those by the numbers, of samples [begin, end), added in the numbers' column.
 */
static inline void add_input_gradients(const struct kernels *kernels, const struct rows *rows,
                                       void *gradient, size_t begin, size_t end)
{
    size_t first = begin * rows->stride;
    const void *x = at(rows->type, rows->x, first + NUMBER);
    const void *from = at(rows->type, gradient, first + FIRST_SUM);
    void *to = at(rows->type, gradient, first + NUMBER);
    if (rows->knots)
        kernels->spline_input_gradient(&rows->spline, rows->knots, rows->parameters, x, from,
                                       rows->stride, end - begin, to);
    else
        kernels->waves_input_gradient(&rows->waves, rows->parameters, x, from, rows->stride,
                                      end - begin, to);
}

static inline void *get_input_gradients(const struct kernels *kernels, const struct rows *rows)
{
    void *gradient = copy_buffer(rows->type, rows->gradient, rows->samples * rows->stride);
    add_input_gradients(kernels, rows, gradient, 0, rows->samples);
    return gradient;
}

static inline void assert_near(const struct kernels *kernels, const char *what, size_t i,
                               double found, double expected, double units)
{
    double tolerance = (kernels->type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON) * units;
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%s, %s: %s %zu is %.17g, not %.17g", kernels->name,
                 tulle_type_name(kernels->type), what, i, found, expected);
}

/* The same as the generic table's, in one part and in more of them; sample by sample as well. */
static inline void check_bits(const struct kernels *kernels, const struct rows *rows)
{
    size_t bytes = tulle_type_size(rows->type), count = rows->samples * rows->stride;
    void *expected = get_sums(tables[rows->type][0], rows), *found = get_sums(kernels, rows);
    assert_memory_equal(found, expected, count * bytes);
    memcpy(found, rows->x, count * bytes);
    for (size_t i = 0; i < rows->samples; i++)
        embed(kernels, rows, found, i, i + 1);
    assert_memory_equal(found, expected, count * bytes);
    tulle_free(expected), tulle_free(found);
    expected = get_input_gradients(tables[rows->type][0], rows);
    found = get_input_gradients(kernels, rows);
    assert_memory_equal(found, expected, count * bytes);
    memcpy(found, rows->gradient, count * bytes);
    for (size_t i = 0; i < rows->samples; i++)
        add_input_gradients(kernels, rows, found, i, i + 1);
    assert_memory_equal(found, expected, count * bytes);
    tulle_free(expected), tulle_free(found);
    expected = get_gradients(tables[rows->type][0], rows, 1);
    for (size_t parts = 1; parts <= 4; parts++) {
        found = get_gradients(kernels, rows, parts);
        assert_memory_equal(found, expected, rows->size * bytes);
        tulle_free(found);
    }
    tulle_free(expected);
}

/* --- Every table, precision and shape --------------------------------------------------------- */

typedef struct rows rows_maker(enum tulle_type type, size_t terms, size_t dimensions);
typedef void rows_check(const struct kernels *kernels, const struct rows *rows);

static inline void for_each_table_of(rows_maker *make, size_t terms, size_t dimensions,
                                     rows_check *check)
{
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        struct rows rows = make((enum tulle_type)type, terms, dimensions);
        for (size_t t = 0; t < table_counts[type]; t++)
            check(tables[type][t], &rows);
        free_rows(&rows);
    }
}

/* The bits that every machine ought to find. */
static inline void check_written_bits(rows_maker *make, const uint64_t expected[2],
                                      const uint64_t expected_of_inputs[2])
{
    uint64_t found[2], found_of_inputs[2];
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        tulle_rng_seed(&rng, 5);
        struct rows rows = make((enum tulle_type)type, 20, 3);
        void *x = get_sums(tables[type][0], &rows);
        void *gradients = get_gradients(tables[type][0], &rows, 1);
        void *of_inputs = get_input_gradients(tables[type][0], &rows);
        found[type] = hash_numbers(HASH_BEGIN, rows.type, x, rows.samples * rows.stride);
        found[type] = hash_numbers(found[type], rows.type, gradients, rows.size);
        found_of_inputs[type] =
            hash_numbers(HASH_BEGIN, rows.type, of_inputs, rows.samples * rows.stride);
        tulle_free(x), tulle_free(gradients), tulle_free(of_inputs);
        free_rows(&rows);
    }
    if (memcmp(found, expected, sizeof found) != 0 ||
        memcmp(found_of_inputs, expected_of_inputs, sizeof found) != 0)
        fail_msg("the bits of this machine are 0x%016" PRIx64 ", 0x%016" PRIx64 " and 0x%016" PRIx64
                 ", 0x%016" PRIx64,
                 found[TULLE_F32], found[TULLE_F64], found_of_inputs[TULLE_F32],
                 found_of_inputs[TULLE_F64]);
}

/* test_<name>: check_<name>() of what for_each_shape() makes. */
#define TEST_EVERY_SHAPE(name)                                                                     \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        for_each_shape(check_##name);                                                              \
    }

#endif
