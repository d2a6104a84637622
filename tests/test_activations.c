/*
 * test_activations.c - every activation, value and derivative, against libm in double (naive.c) and
 * with the same bits from every table; and parametric activations to the bit.
 */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel_matrix.h"
#include "naive.h"

static const double special[] = {
    0.0,        -0.0,      1e-300,    -1e-40, 1e-45,   0.17,     -0.35,    1.0,       -0.7517916,
    -1.2784645, -20.0,     20.0,      86.9,   -86.9,   87.1,     -87.1,    88.0,      -89.0,
    -103.5,     -110.0,    400.0,     -400.0, 707.0,   -707.0,   709.0,    -709.0,    -744.0,
    -750.0,     1048576.0, 1048577.0, 1e6,    -123456, 1e13,     -1e13,    1e30,      -1e30,
    3e38,       -3e38,     1e300,     -1e300, DBL_MAX, -DBL_MAX, INFINITY, -INFINITY, NAN};

/* act(z) and act'(z) by naive.c. Far out, where its formulas multiply infinity by 0, every
 * activation is a line or level but for sine, which is not defined there. */
static double expected_value(enum tulle_type type, enum tulle_activation activation, double z,
                             double *slope)
{
    double sine_limit = type == TULLE_F64 ? 0x1p49 : 0x1p20;
    if (isnan(z) || (activation == TULLE_ACTIVATION_SINE && fabs(z) > sine_limit))
        return *slope = NAN;
    if (fabs(z) <= 1000 || activation == TULLE_ACTIVATION_SINE)
        return naive_activation(activation, z, slope);
    double value = naive_activation(activation, copysign(1000, z), slope);
    return *slope == 0 ? value : *slope * z;
}

/* How much errors of rounding grow: in z^3 and z^2 on their way through an exponential, which in
 * f64 are naive.c's own. */
static double condition(enum tulle_type type, enum tulle_activation activation, double z)
{
    if (activation == TULLE_ACTIVATION_GELU_TANH)
        return 1 + fabs(z) + fabs(z * z * z);
    return activation == TULLE_ACTIVATION_GELU && type == TULLE_F64 ? 1 + z * z : 1;
}

/* Within 4 units in the last place or, where exponentials count as 0 already, as near to it. The
 * derivative may be a difference of terms as large as act(z) / z. */
static void check_value(enum tulle_type type, enum tulle_activation activation, double z,
                        double found, double slope, const char *table)
{
    double epsilon = type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON, derivative, bounded = fabs(z);
    double expected = rounded(type, expected_value(type, activation, z, &derivative));
    bounded = bounded < 1000 ? bounded : 1000;
    double tiny = 4 * (type == TULLE_F64 ? DBL_MIN : FLT_MIN) * (1 + bounded * bounded);
    double factor = 4 * epsilon * condition(type, activation, bounded);
    double size = fabs(derivative) + (z != 0 && isfinite(z) ? fabs(expected / z) : 0);
    if (isnan(expected)
            ? isnan(found)
            : (found == expected || fabs(found - expected) <= factor * fabs(expected) + tiny) &&
                  fabs(slope - derivative) <= factor * size + tiny)
        return;
    fail_msg("%s, %s, %s: at %.17g %.17g, not %.17g; slope %.17g, not %.17g",
             tulle_activation_name(activation), table, tulle_type_name(type), z, found, expected,
             slope, derivative);
}

/* The values of z as biases of a product of zeros: -0 times 0 leaves a bias of -0 as it is. */
static void check_activation(enum tulle_type type, enum tulle_activation activation, int dots,
                             size_t count, const void *z)
{
    size_t stride = tulle_row_stride(count);
    void *zeros = random_buffer(type, count * TULLE_ROW_PAD);
    void *outs[2] = {random_buffer(type, stride), random_buffer(type, stride)};
    void *slopes[2] = {random_buffer(type, stride), random_buffer(type, stride)};
    void *a = tulle_calloc_aligned(TULLE_ROW_PAD, sizeof(double));
    assert_non_null(a);
    set_padding(type, zeros, count, 0, TULLE_ROW_PAD, -0.0);
    for (size_t t = 0; t < table_counts[type]; t++) {
        const struct kernels *kernels = tables[type][t];
        void *out = outs[t != 0], *slope = slopes[t != 0];
        struct product p = {a, zeros, out, TULLE_ROW_PAD, dots ? TULLE_ROW_PAD : stride, stride, 1};
        (dots ? kernels->forward_dots : kernels->forward)(&p, (struct tile_range){0, 1, 0, count},
                                                          z, slope, activation);
        for (size_t i = 0; i < count; i++) {
            double x = get(type, z, i);
            assert_true(is_same_number(type, outs[0], out, i) &&
                        is_same_number(type, slopes[0], slope, i));
            check_value(type, activation, x, get(type, out, i), get(type, slope, i), kernels->name);
            if (!dots && x == 0 && get(type, out, i) == 0)
                assert_true(is_same(type, out, z, i)); /* -0 stays -0 */
        }
    }
    tulle_free(zeros), tulle_free(a);
    tulle_free(outs[0]), tulle_free(outs[1]), tulle_free(slopes[0]), tulle_free(slopes[1]);
}

static void test_activations(void **state)
{
    enum { COUNT = 4000, SPECIAL = sizeof special / sizeof *special };
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        void *z = random_buffer(type, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            set(type, z, i,
                i < SPECIAL ? special[i]
                            : (2 * tulle_rng_uniform(&rng) - 1) * ldexp(1, i % 12 - 3));
        for (int activation = 0; tulle_activation_name(activation); activation++)
            for (int dots = 0; dots <= 1; dots++)
                check_activation(type, activation, dots, COUNT, z);
        tulle_free(z);
    }
}

/* --- Parametric activations ------------------------------------------------------------------ */

/* In the place of z what mix makes of it: act(z) and act'(z) come from forward. */
static void mix_plainly(const struct kernels *kernels, enum tulle_activation activation, void *z,
                        void *slope, void *gap, size_t n, const void *a)
{
    enum tulle_type type = kernels->type;
    size_t stride = tulle_row_stride(n);
    void *zeros = tulle_calloc_aligned(stride, sizeof(double));
    void *active = copy_buffer(type, z, stride);
    assert_non_null(zeros);
    struct product p = {zeros, zeros, active, TULLE_ROW_PAD, stride, stride, 1};
    kernels->forward(&p, (struct tile_range){0, 1, 0, n}, z, slope, activation);
    for (size_t i = 0; i < n; i++) {
        double sum = get(type, z, i), share = get(type, a, i);
        double more = rounded(type, get(type, active, i) - sum);
        set(type, gap, i, more);
        set(type, z, i, fused(type, share, more, sum));
        more = rounded(type, get(type, slope, i) - 1);
        set(type, slope, i, fused(type, share, more, 1));
    }
    tulle_free(zeros), tulle_free(active);
}

static void check_mix_of(const struct kernels *kernels, enum tulle_activation activation, size_t n)
{
    enum { ROWS = 3 };
    enum tulle_type type = kernels->type;
    size_t stride = tulle_row_stride(n), size = ROWS * stride;
    void *z = random_buffer(type, size), *a = random_buffer(type, stride);
    set_padding(type, z, ROWS, n, stride, 0);
    void *expected_z = copy_buffer(type, z, size), *alone = copy_buffer(type, z, size);
    void *expected_slope = tulle_calloc_aligned(size, sizeof(double));
    void *expected_gap = tulle_calloc_aligned(size, sizeof(double));
    void *slope = random_buffer(type, size), *gap = random_buffer(type, size);
    assert_true(expected_slope && expected_gap);
    set_padding(type, slope, ROWS, n, stride, 0);
    set_padding(type, gap, ROWS, n, stride, 0);
    for (size_t r = 0; r < ROWS; r++)
        mix_plainly(kernels, activation, at(type, expected_z, r * stride),
                    at(type, expected_slope, r * stride), at(type, expected_gap, r * stride), n, a);
    kernels->mix(z, slope, gap, stride, ROWS, n, a, activation);
    kernels->mix(alone, NULL, NULL, stride, ROWS, n, a, activation);
    for (size_t i = 0; i < size; i++)
        assert_true(is_same(type, z, expected_z, i) && is_same(type, alone, expected_z, i) &&
                    is_same(type, slope, expected_slope, i) && is_same(type, gap, expected_gap, i));
    tulle_free(z), tulle_free(a), tulle_free(alone), tulle_free(slope), tulle_free(gap);
    tulle_free(expected_z), tulle_free(expected_slope), tulle_free(expected_gap);
}

static void check_mix(const struct kernels *kernels)
{
    static const size_t units[] = {1, 3, 8, 16, 17, 40, 255, 256, 257, 600};
    for (int activation = 0; tulle_activation_name(activation); activation++)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            check_mix_of(kernels, activation, units[i]);
}

static void test_mix(void **state)
{
    (void)state;
    for_each_table(check_mix);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_activations),
                                       cmocka_unit_test(test_mix)};
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
