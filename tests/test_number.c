/* test_number.c - decimal text to double: the grammar, and every rounding against strtod. */
#include "../lib/base/portability.h"

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
#include "../lib/data/number.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Parses a copy that ends where the text ends, so that a sanitiser sees any look beyond it. */
static enum number_kind parse(const char *text, double *value)
{
    size_t length = strlen(text);
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    enum number_kind kind = tulle_number_parse(copy, length, value);
    free(copy);
    return kind;
}

static void assert_same_bits(const char *text, double got, double expected)
{
    if (memcmp(&got, &expected, sizeof got) != 0)
        fail_msg("\"%s\": expected %a, got %a", text, expected, got);
}

/* As strtod reads it in the C locale. */
static void assert_as_strtod(const char *text)
{
    double expected = strtod(text, NULL), got = 0;
    enum number_kind kind = parse(text, &got);
    if (kind != (isinf(expected) ? NUMBER_TOO_LARGE : NUMBER_FINITE))
        fail_msg("\"%s\": kind %d", text, (int)kind);
    if (kind == NUMBER_FINITE)
        assert_same_bits(text, got, expected);
}

static void test_grammar(void **state)
{
    static const char *const numbers[] = {
        "0",
        "-0",
        "+0",
        "7",
        "+7",
        "-7",
        "007",
        "1.5",
        "1.",
        ".5",
        "-.5",
        "1e5",
        "1E5",
        "1e+5",
        "1e-5",
        "1.e2",
        ".1e2",
        "00.50e01",
        "0e99",
        "0e-9",
        "0.0e999999999999999999999",
        "1e-400",
        "-1e-99999999999999999999",
    };
    static const char *const malformed[] = {
        "",       "-",      "+",    ".",    "-.",  "e5",    "1e",    "1e+",   "1e5.",
        "1..2",   "1.2.3",  "--1",  "+-1",  "1 ",  " 1",    "1 2",   "0x10",  "0x1p3",
        "1f",     "1d5",    "n/a",  "NA",   "1,5", "1_000", "1e5e5", "infin", "nano",
        "nan(1)", "1.#INF", "\xb2", "1e 5", "- 1", ".e5",   "?",     "in",    "infinityy",
    };
    static const char *const not_finite[] = {"nan", "NaN",  "-nan",      "+NAN",
                                             "inf", "-Inf", "+infinity", "INFINITY"};
    static const char *const too_large[] = {"1e309", "-1e309", "1e99999999999999999999999",
                                            "1.7976931348623159e308", "2e308"};
    double value;
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        assert_as_strtod(numbers[i]);
    for (size_t i = 0; i < COUNT(malformed); i++)
        if (parse(malformed[i], &value) != NUMBER_MALFORMED)
            fail_msg("\"%s\" should be malformed", malformed[i]);
    for (size_t i = 0; i < COUNT(not_finite); i++)
        assert_int_equal(parse(not_finite[i], &value), NUMBER_NOT_FINITE);
    for (size_t i = 0; i < COUNT(too_large); i++)
        assert_int_equal(parse(too_large[i], &value), NUMBER_TOO_LARGE);
    assert_int_equal(tulle_number_parse("1\0002", 3, &value), NUMBER_MALFORMED);
    assert_int_equal(tulle_number_parse("12345", 3, &value), NUMBER_FINITE);
    assert_true(value == 123);
}

/* Cases whose value is known without strtod. */
static void test_known(void **state)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"9007199254740993", 0x1p53}, /* halfway: to even */
        {"9007199254740995", 9007199254740996.0},
        {"9007199254740993.00000000000000000000000000000000000000001", 9007199254740994.0},
        {"1.00000000000000011102230246251565404236316680908203125", 1.0}, /* 1 + 2^-53 */
        {"1.00000000000000011102230246251565404236316680908203126", 0x1.0000000000001p0},
        {"1.00000000000000011102230246251565404236316680908203124", 1.0},
        {"1e22", 1e22},
        {"1e23", 0x1.52d02c7e14af6p+76},
        {"123456789012345678", 0x1.b69b4ba630f35p+56},
        {"18446744073709551615", 0x1p64},
        {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
        {"1.797693134862315807e308", 0x1.fffffffffffffp+1023},
        {"2.2250738585072014e-308", 0x1p-1022},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
        {"4.9e-324", 0x1p-1074},
        {"2.4703282292062328e-324", 0x1p-1074}, /* just above half of it */
        {"2.4703282292062327e-324", 0},
        {"-1e-999", -0.0},
    };
    double value;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(parse(cases[i].text, &value), NUMBER_FINITE);
        assert_same_bits(cases[i].text, value, cases[i].value);
    }
}

/* Zeros that cancel against the exponent, and one digit that tips a halfway case from afar. */
static void test_very_long(void **state)
{
    enum { ZEROS = 5000 };
    static char text[2 * ZEROS + 200];
    char zeros[ZEROS + 1];
    double value;
    (void)state;
    memset(zeros, '0', ZEROS);
    zeros[ZEROS] = '\0';

    snprintf(text, sizeof text, "25%se-5001", zeros);
    assert_int_equal(parse(text, &value), NUMBER_FINITE);
    assert_true(value == 2.5);
    snprintf(text, sizeof text, ".%s25e5001", zeros);
    assert_int_equal(parse(text, &value), NUMBER_FINITE);
    assert_true(value == 2.5);
    snprintf(text, sizeof text, "%s1.5%s", zeros, zeros);
    assert_int_equal(parse(text, &value), NUMBER_FINITE);
    assert_true(value == 1.5);
    snprintf(text, sizeof text, "9007199254740993.%s", zeros);
    assert_int_equal(parse(text, &value), NUMBER_FINITE);
    assert_true(value == 9007199254740992.0);
    strcat(text, "1");
    assert_int_equal(parse(text, &value), NUMBER_FINITE);
    assert_true(value == 9007199254740994.0);
    snprintf(text, sizeof text, "1%s", zeros);
    assert_int_equal(parse(text, &value), NUMBER_TOO_LARGE);
}

static struct tulle_rng rng;

static uint64_t bits64(void)
{
    uint64_t high = tulle_rng_next(&rng);
    return high << 32 | tulle_rng_next(&rng);
}

static int up_to(int maximum)
{
    return (int)tulle_rng_integer(&rng, (uint64_t)maximum);
}

static void digits(char *text, int count)
{
    for (text += strlen(text); count > 0; count--)
        *text++ = (char)('0' + up_to(9));
    *text = '\0';
}

/* --- Shapes of random numbers; text has room for 1200 bytes and is empty --- */

static void shape_integer(char *text)
{
    sprintf(text, "%" PRId64, (int64_t)bits64() >> up_to(63));
}

static void shape_decimal(char *text)
{
    digits(text, up_to(10));
    strcat(text, ".");
    digits(text, 1 + up_to(12));
}

static void shape_exponent(char *text)
{
    digits(text, 1 + up_to(20));
    strcat(text, ".");
    digits(text, up_to(5));
    sprintf(text + strlen(text), "e%d", up_to(80) - 40);
}

static void shape_any_exponent(char *text)
{
    digits(text, 1 + up_to(25));
    sprintf(text + strlen(text), "E%+d", up_to(720) - 360);
}

static void shape_any_double(char *text)
{
    uint64_t bits = bits64();
    double value;
    memcpy(&value, &bits, sizeof value);
    sprintf(text, "%.*g", up_to(1) ? 17 : 1 + up_to(20), isfinite(value) ? value : 1);
}

static void shape_usual_double(char *text)
{
    sprintf(text, "%.*g", 15 + up_to(2), (tulle_rng_uniform(&rng) - 0.5) * pow(10, up_to(8)));
}

static void shape_long(char *text)
{
    digits(text, up_to(500));
    strcat(text, ".");
    digits(text, 1 + up_to(500));
    sprintf(text + strlen(text), "e%d", up_to(800) - 500);
}

/* Odd integers of 54 bits, shifted: exactly between two doubles; at times a little more. */
static void shape_halfway_integer(char *text)
{
    uint64_t odd = (bits64() >> 10) | UINT64_C(1) << 53 | 1;
    sprintf(text, "%" PRIu64 "%s", odd << up_to(10), up_to(1) ? "" : ".000000000000000000001");
}

static void shape_halfway_fraction(char *text)
{
    uint64_t whole = (bits64() >> 12) | UINT64_C(1) << 52;
    static const char *const fractions[] = {".5", ".50000000000000000000001",
                                            ".49999999999999999999999", ".4999"};
    sprintf(text, "%" PRIu64 "%s", whole, fractions[up_to(3)]);
}

/* All the digits of k 2^-1075, halfway between subnormal or small normal doubles, by schoolbook
 * arithmetic: k is halved 1075 times. At times the last digit is moved by one. */
static void shape_halfway_subnormal(char *text)
{
    enum { DIGITS = 1100 };
    static unsigned char fraction[DIGITS]; /* of 2^-1075 times a small odd k */
    unsigned k = (unsigned)up_to(999) * 2 + 1, whole = k;
    memset(fraction, 0, sizeof fraction);
    for (int halving = 0; halving < 1075; halving++) {
        unsigned carry = whole & 1;
        whole >>= 1;
        for (int i = 0; i < DIGITS; i++) {
            unsigned digit = fraction[i] + 10 * carry;
            fraction[i] = (unsigned char)(digit / 2);
            carry = digit & 1;
        }
    }
    int change = up_to(2) - 1; /* the last digit, number 1075, is a 5 */
    fraction[1074] = (unsigned char)(fraction[1074] + change);
    strcpy(text, "0.");
    for (int i = 0; i < 1075; i++)
        text[2 + i] = (char)('0' + fraction[i]);
    text[2 + 1075] = '\0';
}

static void test_against_strtod(void **state)
{
    static const struct {
        void (*make)(char *text);
        int count;
    } shapes[] = {
        {shape_integer, 25000},
        {shape_decimal, 25000},
        {shape_exponent, 40000},
        {shape_any_exponent, 25000},
        {shape_any_double, 25000},
        {shape_usual_double, 25000},
        {shape_long, 5000},
        {shape_halfway_integer, 25000},
        {shape_halfway_fraction, 25000},
        {shape_halfway_subnormal, 30},
    };
    (void)state;
    tulle_rng_seed(&rng, 1);
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (int i = 0; i < shapes[s].count; i++) {
            char text[1200] = "";
            shapes[s].make(text);
            assert_as_strtod(text);
        }
}

/* Where the locale's decimal point is a comma, which needs such a locale to be installed. */
static void test_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    const char *found = NULL;
    double value;
    (void)state;
    for (size_t i = 0; i < COUNT(names) && !found; i++)
        found = setlocale(LC_ALL, names[i]);
    if (!found)
        skip();
    assert_int_equal(parse("1.5e-300", &value), NUMBER_FINITE);
    setlocale(LC_ALL, "C");
    assert_true(value == 1.5e-300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),   cmocka_unit_test(test_known),
        cmocka_unit_test(test_very_long), cmocka_unit_test(test_against_strtod),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
