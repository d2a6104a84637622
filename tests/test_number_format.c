/* test_number_format.c - double to decimal text: it reads back, and nothing shorter does. */
#include "../lib/base/portability.h"

#include <fenv.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../include/tulle.h"
#include "../lib/data/number_format.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    double value;
    const char *text;
} known[] = {
    {0, "0"},
    {-0.0, "-0"},
    {7, "7"},
    {-7, "-7"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {2.0 / 3, "0.6666666666666666"},
    {123456789012345, "123456789012345"},
    {9007199254740993.0, "9007199254740992"},
    {1e15, "1e+15"},
    {1e23, "1e+23"},
    {0.001, "0.001"},
    {1e-5, "1e-05"},
    {1e150, "1e+150"},
    {-1.7976931348623157e308, "-1.7976931348623157e+308"},
    {2.2250738585072014e-308, "2.2250738585072014e-308"},
    {-2.2250738585072009e-308, "-2.225073858507201e-308"}, /* the largest denormal */
    {5e-324, "5e-324"},
    {1.5e-323, "1.5e-323"},
    {1.2e-320, "1.2e-320"},
};

static void test_known(void **state)
{
    char text[TULLE_NUMBER_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        tulle_number_format(known[i].value, text);
        assert_string_equal(text, known[i].text);
    }
}

/* Significant digits, the zeros at either end aside. */
static int count_digits(const char *text)
{
    int digits = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text == '0') {
            zeros += digits > 0;
        } else if (*text >= '1' && *text <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

static void assert_shortest(double value)
{
    char text[TULLE_NUMBER_SIZE], shorter[400];
    tulle_number_format(value, text);
    double read = strtod(text, NULL);
    if (memcmp(&read, &value, sizeof read) != 0)
        fail_msg("%a became %s", value, text);
    int digits = count_digits(text);
    if (digits <= 1)
        return;
    snprintf(shorter, sizeof shorter, "%.*g", digits - 1, value);
    if (strtod(shorter, NULL) == value)
        fail_msg("%s would do for %s", shorter, text);
}

static void test_shortest(void **state)
{
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)tulle_rng_next(&rng) << 32 | tulle_rng_next(&rng);
        double value;
        if (i % 8 == 0)
            bits &= UINT64_C(0x800fffffffffffff); /* a denormal */
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            assert_shortest(value);
        assert_shortest((double)(float)tulle_rng_uniform(&rng));
        assert_shortest((double)(tulle_rng_next(&rng) % 100000) / 1000);
    }
    for (int e = -1074; e < 1024; e++)
        assert_shortest(ldexp(1, e));
}

static void test_rounding_modes(void **state)
{
    static const int modes[] = {FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    char text[TULLE_NUMBER_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++)
        for (size_t m = 0; m < COUNT(modes); m++) {
            fesetround(modes[m]);
            tulle_number_format(known[i].value, text);
            int kept = fegetround();
            fesetround(FE_TONEAREST);
            assert_int_equal(kept, modes[m]);
            assert_string_equal(text, known[i].text);
        }
}

static void test_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE",
                                        "ps_AF.UTF-8"}; /* the last has a point of two bytes */
    char text[TULLE_NUMBER_SIZE];
    int found = 0;
    (void)state;
    for (size_t n = 0; n < COUNT(names); n++) {
        if (!setlocale(LC_ALL, names[n]))
            continue;
        found = 1;
        for (size_t i = 0; i < COUNT(known); i++) {
            tulle_number_format(known[i].value, text);
            assert_string_equal(text, known[i].text);
        }
    }
    setlocale(LC_ALL, "C");
    if (!found)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_shortest),
        cmocka_unit_test(test_rounding_modes),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
