/* test_number.c - decimal text to double: the grammar, and every rounding against strtod. */
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
#include "../lib/data/number.h"
#include "sample.h"

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
        /* At the ends of what goes without strtod, and one step beyond. */
        {"1e-307", 0x1.1fa182c40c60dp-1020},
        {"1e-308", 0x0.730d67819e8d2p-1022},
        {"18446744073709551615e288", 0x1.a44df832b8d46p+1020},
        {"1e289", 0x1.06b0bb1fb384cp+960},
        /* The digits are too many for 64 bits, the number is not. */
        {"00000000000000000000000123", 123},
        {"0.00000000000000000000000123", 1.23e-24},
        {"0.0000000000000000000000000", 0},
        {"123456789012345678901234567890", 0x1.8ee90ff6c373ep+96},
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

/* --- Against a plain reading ------------------------------------------------------------------ */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How much of the text is a number, by the grammar, character by character; 0 if there is none at
 * its beginning or its exponent lacks digits. */
static size_t number_length(const char *text)
{
    size_t i = *text == '-' || *text == '+', digits = 0;
    for (; is_digit(text[i]); i++)
        digits++;
    if (text[i] == '.')
        for (i++; is_digit(text[i]); i++)
            digits++;
    if (digits == 0)
        return 0;
    if (text[i] == 'e' || text[i] == 'E') {
        i += text[i + 1] == '-' || text[i + 1] == '+' ? 2 : 1;
        if (!is_digit(text[i]))
            return 0;
        while (is_digit(text[i]))
            i++;
    }
    return i;
}

/* The number at the beginning of the text, within an array that ends `room` bytes after it. */
static void assert_scan(const char *text, size_t room)
{
    char number[64] = "";
    size_t length = number_length(text);
    double value = 0;
    char *copy = malloc(length + room + 1);
    assert_non_null(copy);
    memcpy(copy, text, length + room);
    const char *end = tulle_number_scan(copy, copy + length + room, &value);
    size_t got = end ? (size_t)(end - copy) : 0;
    free(copy);
    if (got != length)
        fail_msg("\"%s\": expected %zu characters, got %zu", text, length, got);
    memcpy(number, text, length);
    if (length > 0)
        assert_same_bits(text, value, strtod(number, NULL));
}

/* Every byte at every place of a number, and numbers that end anywhere in the words they are read
 * by. */
static void test_every_byte(void **state)
{
    static const char *const texts[] = {"12345678901234567,", "1.2345678901234567,",
                                        "1234567.123456789,", "12345678.12345678,",
                                        "-12.5,-7.25e-3,8;",  "0.0000000123e+10,"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t at = 0; at < strlen(texts[i]); at++)
            for (int byte = 0; byte < 256; byte++) {
                char text[64] = "";
                strcpy(text, texts[i]);
                text[at] = (char)byte;
                assert_scan(text, strlen(texts[i]) - number_length(text));
            }
    for (size_t whole = 0; whole <= 19; whole++)
        for (size_t fraction = 0; whole + fraction <= 19; fraction++)
            for (size_t room = 0; room <= 12; room++) {
                char text[64];
                sprintf(text, "%.*s.%.*s,9.87654321e2", (int)whole, "9876543210123456789",
                        (int)fraction, "1234567890987654321");
                if (whole + fraction > 0)
                    assert_scan(text, room);
            }
}

/* --- Against strtod --------------------------------------------------------------------------- */

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

/* w 10^q that is exactly between two doubles, w of at most 64 bits: for q >= 0, n = j 5^q must have
 * 54 bits and be odd, and w = j 2^s; for q < 0, w = n 5^-q. At times one off, or with so many zeros
 * after it that it is too long for a word. */
static void shape_halfway_power(char *text)
{
    int q = up_to(27) - 4;
    uint64_t five = 1, w;
    for (int i = 0; i < abs(q); i++)
        five *= 5;
    if (q < 0) {
        uint64_t limit =
            (UINT64_MAX / five) < UINT64_C(1) << 54 ? UINT64_MAX / five : (UINT64_C(1) << 54) - 1;
        w = (UINT64_C(1) << 53 | tulle_rng_integer(&rng, limit - (UINT64_C(1) << 53)) | 1) * five;
    } else {
        uint64_t least = (UINT64_C(1) << 53) / five + 1, most = ((UINT64_C(1) << 54) - 1) / five;
        w = (least + tulle_rng_integer(&rng, most - least)) | 1;
        w <<= up_to(__builtin_clzll(w));
    }
    w += (uint64_t)up_to(2) - 1;
    int zeros = up_to(1) * up_to(30), length = sprintf(text, "%" PRIu64, w);
    int more = sprintf(text + length, "%.*s%s", zeros, "000000000000000000000000000000",
                       zeros > 0 && up_to(1) ? "1" : "");
    sprintf(text + length + more, "e%d", q - more);
}

/* Each power of ten in turn, with as many digits as may be. */
static void shape_every_power(char *text)
{
    static int power = -345;
    sprintf(text, "%" PRIu64 "e%d", bits64() >> up_to(63), power);
    power = power == 310 ? -345 : power + 1;
}

static void shape_subnormal(char *text)
{
    uint64_t bits = bits64() >> (11 + up_to(52)); /* at most one bit in the exponent */
    double value;
    memcpy(&value, &bits, sizeof value);
    sprintf(text, "%.*g", 15 + up_to(8), value);
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
        {shape_integer, 100000},
        {shape_decimal, 150000},
        {shape_exponent, 150000},
        {shape_any_exponent, 150000},
        {shape_any_double, 150000},
        {shape_usual_double, 150000},
        {shape_every_power, 150000},
        {shape_subnormal, 50000},
        {shape_long, 5000},
        {shape_halfway_integer, 50000},
        {shape_halfway_fraction, 50000},
        {shape_halfway_power, 100000},
        {shape_halfway_subnormal, 30},
    };
    (void)state;
    tulle_rng_seed(&rng, 1);
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (int i = 0; i < shapes[s].count; i++) {
            char text[1200] = "";
            if (!is_sampled_emulated((size_t)i, 5))
                continue;
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

/* A program that rounds otherwise reads the same numbers. */
static void test_rounding_modes(void **state)
{
    static const int modes[] = {FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    static const char *const texts[] = {"9007199254740993.0000000000000000001", "1e-310", "0.1",
                                        "1.7976931348623157e308", "123456789012345678901234567890"};
    (void)state;
    for (size_t t = 0; t < COUNT(texts); t++)
        for (size_t m = 0; m < COUNT(modes); m++) {
            double expected = strtod(texts[t], NULL), got = 0;
            fesetround(modes[m]);
            enum number_kind kind = parse(texts[t], &got);
            int mode = fegetround();
            fesetround(FE_TONEAREST);
            assert_int_equal(kind, NUMBER_FINITE);
            assert_int_equal(mode, modes[m]);
            assert_same_bits(texts[t], got, expected);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),        cmocka_unit_test(test_known),
        cmocka_unit_test(test_very_long),      cmocka_unit_test(test_against_strtod),
        cmocka_unit_test(test_every_byte),     cmocka_unit_test(test_locale),
        cmocka_unit_test(test_rounding_modes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
