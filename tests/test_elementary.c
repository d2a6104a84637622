/*
 * test_elementary.c - exp, log, tanh, erf, sin and their kin: within 2 units in the last place of
 * libm's result in a wider type, the same bits from every table, and those written down here.
 *
 * Every 1009th float is tried, and with TULLE_LONG_TESTS in the environment all of them, which
 * takes more than an hour.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel_tables.h"

enum { BLOCK = 4096 };

/* A double is wide enough for floats, and faster. */
static const struct function {
    const char *name;
    double (*wide)(double);
    long double (*wider)(long double);
} functions[] = {
#define FUNCTION(NAME, name) {#name, name, name##l},
    TULLE_ELEMENTARY_LIST(FUNCTION)
#undef FUNCTION
};

enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* What the kernels define sin and cos up to. */
static double limit(enum tulle_type type, enum elementary f)
{
    double largest = type == TULLE_F64 ? 0x1p49 : 0x1p20;
    return f == ELEMENTARY_SIN || f == ELEMENTARY_COS ? largest : INFINITY;
}

/* The distance in units in the last place that the type has at the exact result. What overflows
 * counts as the power of two that follows the largest number. */
static double error_in_ulp(enum tulle_type type, double found, long double exact)
{
    int digits = type == TULLE_F64 ? 53 : 24, lowest = type == TULLE_F64 ? -1021 : -125, exponent;
    long double above = ldexpl(1, type == TULLE_F64 ? 1024 : 128);
    if (isnan(found) || isnan(exact))
        return isnan(found) && isnan(exact) ? 0 : INFINITY;
    if (exact == 0)
        return found == 0 && !signbit(found) == !signbit(exact) ? 0 : INFINITY;
    if (fabsl(exact) > above)
        exact = copysignl(above, exact);
    long double value = isinf(found) ? copysignl(above, found) : found;
    frexpl(exact, &exponent);
    exponent = fabsl(exact) == above ? exponent - 1 : exponent < lowest ? lowest : exponent;
    return (double)(fabsl(value - exact) / ldexpl(1, exponent - digits));
}

/* Applies f by every table and checks that all agree; `to` has the results. */
static void apply(enum tulle_type type, enum elementary f, const void *x, void *to, size_t n)
{
    _Alignas(64) double other[BLOCK];
    size_t size = tulle_type_size(type);
    for (size_t t = 0; t < table_counts[type]; t++) {
        void *result = t == 0 ? to : other;
        memcpy(result, x, n * size);
        tables[type][t]->elementary(f, result, n);
        for (size_t i = 0; memcmp(result, to, n * size) != 0 && i < n; i++)
            if (!is_same_number(type, result, to, i))
                fail_msg("%s of %a: %a by %s, %a by %s", functions[f].name, get(type, x, i),
                         get(type, result, i), tables[type][t]->name, get(type, to, i),
                         tables[type][0]->name);
    }
}

static double check_block(enum tulle_type type, enum elementary f, const void *x, size_t n)
{
    _Alignas(64) double found[BLOCK];
    double worst = 0;
    apply(type, f, x, found, n);
    for (size_t i = 0; i < n; i++) {
        double argument = get(type, x, i);
        long double exact = type == TULLE_F64 ? functions[f].wider(argument)
                                              : (long double)functions[f].wide(argument);
        if (fabs(argument) > limit(type, f))
            exact = NAN;
        double error = error_in_ulp(type, get(type, found, i), exact);
        if (!(error <= 2))
            fail_msg("%s of %a in %s is %a, not %La: %g units in the last place", functions[f].name,
                     argument, tulle_type_name(type), get(type, found, i), exact, error);
        worst = fmax(worst, error);
    }
    return worst;
}

static void test_floats(void **state)
{
    static float x[BLOCK];
    const uint64_t end = UINT64_C(1) << 32;
    uint64_t stride = getenv("TULLE_LONG_TESTS") ? 1 : 1009;
    (void)state;
#if defined(TULLE_EMULATED)
    stride = 100003;
#endif
    for (int f = 0; f < FUNCTIONS; f++) {
        double worst = 0;
        for (uint64_t bits = 0; bits < end;) {
            size_t n = 0;
            for (; n < BLOCK && bits < end; n++, bits += stride) {
                uint32_t pattern = (uint32_t)bits;
                memcpy(&x[n], &pattern, sizeof pattern);
            }
            worst = fmax(worst, check_block(TULLE_F32, f, x, n));
        }
        print_message("%s: %.3f units in the last place\n", functions[f].name, worst);
    }
}

/* What random numbers seldom are: where functions are exact or overflow, where a branch ends, and
 * whole numbers next to multiples of pi. */
static const double edges[] = {0,
                               1,
                               2,
                               0.5,
                               0.75,
                               0.6931471805599453,
                               0.34657359027997264,
                               0.41421356237309503,
                               0.41421356237309515,
                               0.7071067811865475,
                               0.7071067811865476,
                               1.414213562373095,
                               1.4142135623730951,
                               0.7853981633974483,
                               1.5707963267948966,
                               3.141592653589793,
                               6.283185307179586,
                               87.33,
                               88.72284,
                               103.97,
                               708.4,
                               709.782712893384,
                               745.13,
                               745.2,
                               26.54,
                               27.3,
                               22,
                               355,
                               103993,
                               104348,
                               833719,
                               4272943,
                               80143857,
                               245850922,
                               411557987,
                               1e22,
                               0x1p20,
                               0x1p49,
                               0x1.fffffep127,
                               0x1.fffffffffffffp1023,
                               INFINITY,
                               NAN};

/* Edges and powers of two and what is next to them, of either sign, and random numbers of all sizes
 * and of those where something happens. */
static size_t make_doubles(double **numbers)
{
    enum { EDGES = sizeof edges / sizeof *edges, POWERS = 2098, RANDOM = 60000 };
    size_t n = 0;
    double *x = malloc((6 * (EDGES + POWERS) + 2 * RANDOM) * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < EDGES + POWERS; i++) {
        double edge = i < EDGES ? edges[i] : ldexp(1, i - EDGES - 1074);
        for (int sign = -1; sign <= 1; sign += 2) {
            x[n++] = sign * edge;
            x[n++] = nextafter(sign * edge, -INFINITY);
            x[n++] = nextafter(sign * edge, INFINITY);
        }
    }
    for (int i = 0; i < RANDOM; i++) {
        uint64_t bits = (uint64_t)(tulle_rng_uniform(&rng) * 0x1p32) << 32 |
                        (uint64_t)(tulle_rng_uniform(&rng) * 0x1p32);
        memcpy(&x[n++], &bits, sizeof bits);
        x[n++] = ldexp(2 * tulle_rng_uniform(&rng) - 1, i % 16 - 5);
    }
    *numbers = x;
    return n;
}

static void test_doubles(void **state)
{
    double *x;
    size_t n;
    (void)state;
    tulle_rng_seed(&rng, 3);
    n = make_doubles(&x);
#if defined(TULLE_EMULATED)
    n /= 8;
#endif
    for (int f = 0; f < FUNCTIONS; f++) {
        double worst = 0;
        for (size_t i = 0; i < n; i += BLOCK)
            worst = fmax(worst, check_block(TULLE_F64, f, x + i, n - i < BLOCK ? n - i : BLOCK));
        print_message("%s: %.3f units in the last place\n", functions[f].name, worst);
    }
    free(x);
}

static const uint64_t expected_bits[2][FUNCTIONS] = {
    [TULLE_F32] = {0xb57afc06130fe23d, 0xed412691e8120d59, 0x6f30b05ddb7262e7, 0x2110944c847acff9,
                   0x15c4c9cc8ab5e5e5, 0xb598763b59edb6ec, 0xb2ec9d4373cbb70c, 0x6321c06d82162ee5},
    [TULLE_F64] = {0xa242d3b4b914232e, 0x77d730865c52d57c, 0xfba9f6139a11263c, 0x353930597df37c8a,
                   0x78d80f6058b3232d, 0x7d87c5524bda4f74, 0xdf88546606ad4fdf, 0xb5bfca91c53d65a6},
};

static void test_bits(void **state)
{
    static float floats[43000];
    uint64_t found[2][FUNCTIONS];
    double *doubles;
    size_t n = 0, count;
    (void)state;
    for (uint64_t bits = 0; bits >> 32 == 0; bits += 100003, n++) {
        uint32_t pattern = (uint32_t)bits;
        memcpy(&floats[n], &pattern, sizeof pattern);
    }
    tulle_rng_seed(&rng, 3);
    count = make_doubles(&doubles);
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int f = 0; f < FUNCTIONS; f++) {
            const char *x = type == TULLE_F32 ? (const char *)floats : (const char *)doubles;
            size_t size = tulle_type_size(type), all = type == TULLE_F32 ? n : count;
            _Alignas(64) double result[BLOCK];
            found[type][f] = HASH_BEGIN;
            for (size_t i = 0; i < all; i += BLOCK) {
                size_t some = all - i < BLOCK ? all - i : BLOCK;
                memcpy(result, x + i * size, some * size);
                tulle_kernels((enum tulle_type)type)->elementary((enum elementary)f, result, some);
                found[type][f] = hash_numbers(found[type][f], (enum tulle_type)type, result, some);
            }
        }
    free(doubles);
    if (memcmp(found, expected_bits, sizeof found) == 0)
        return;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        print_message("    [TULLE_F%d] = {", type == TULLE_F32 ? 32 : 64);
        for (int f = 0; f < FUNCTIONS; f++)
            print_message("%s0x%016" PRIx64, f ? ", " : "", found[type][f]);
        print_message("},\n");
    }
    fail_msg("these are the bits of this machine; they ought to be those of every one");
}

/* Any number of numbers anywhere: each gets what it gets alone, and nothing else is touched. */
static void check_any_count(const struct kernels *kernels)
{
    enum { COUNT = 40 };
    enum tulle_type type = kernels->type;
    void *x = random_buffer(type, COUNT), *alone = copy_buffer(type, x, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        kernels->elementary(ELEMENTARY_EXP, at(type, alone, i), 1);
    for (size_t first = 0; first < 3; first++)
        for (size_t n = 0; first + n <= COUNT; n++) {
            void *found = copy_buffer(type, x, COUNT);
            kernels->elementary(ELEMENTARY_EXP, at(type, found, first), n);
            for (size_t i = 0; i < COUNT; i++)
                assert_true(is_same(type, found, i >= first && i < first + n ? alone : x, i));
            tulle_free(found);
        }
    tulle_free(x), tulle_free(alone);
}

static void test_any_count(void **state)
{
    (void)state;
    for_each_table(check_any_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_floats),
                                       cmocka_unit_test(test_doubles), cmocka_unit_test(test_bits),
                                       cmocka_unit_test(test_any_count)};
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
