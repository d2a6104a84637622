/*
 * number.c - decimal text to double.
 *
 * Three ways, each exact up to its single rounding: one multiplication or division of doubles
 * (Clinger, How to read floating point numbers accurately, 1990), the same in 128-bit integers, and
 * strtod for what is longer or further from 1.
 */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "number.h"

/* So many digits always fit a uint64_t. */
#define MANTISSA_DIGITS 19

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 uint128;

/* 5^27 is the largest power that fits 63 bits. */
#define MAX_FIVES 27
static const uint64_t fives[MAX_FIVES + 1] = {1u,
                                              5u,
                                              25u,
                                              125u,
                                              625u,
                                              3125u,
                                              15625u,
                                              78125u,
                                              390625u,
                                              1953125u,
                                              9765625u,
                                              48828125u,
                                              244140625u,
                                              1220703125u,
                                              6103515625u,
                                              30517578125u,
                                              152587890625u,
                                              762939453125u,
                                              3814697265625u,
                                              19073486328125u,
                                              95367431640625u,
                                              476837158203125u,
                                              2384185791015625u,
                                              11920928955078125u,
                                              59604644775390625u,
                                              298023223876953125u,
                                              1490116119384765625u,
                                              7450580596923828125u};

/*
 * mantissa * 10^exponent = mantissa * 5^exponent * 2^exponent. The power of two is exact, and the
 * rest is brought to 62 bits or more, of which the lowest also says whether anything was cut off
 * below it: then the conversion to double rounds as it would with all digits. Nothing here leaves
 * the range of normal doubles. mantissa is not 0, exponent within +-MAX_FIVES.
 */
static double round_integer(uint64_t mantissa, int exponent)
{
    if (exponent >= 0) {
        uint128 product = (uint128)mantissa * fives[exponent];
        uint64_t high = (uint64_t)(product >> 64);
        int shift = high ? 64 - __builtin_clzll(high) : 0;
        uint64_t kept = (uint64_t)(product >> shift);
        int cut_off = ((uint128)kept << shift) != product;
        return ldexp((double)(kept | (uint64_t)cut_off), shift + exponent);
    }
    /* With both operands shifted up to 64 bits, the quotient of mantissa * 2^63 lies between 2^62
     * and 2^64. */
    uint64_t five = fives[-exponent];
    int mantissa_shift = __builtin_clzll(mantissa), five_shift = __builtin_clzll(five);
    uint128 dividend = (uint128)(mantissa << mantissa_shift) << 63;
    uint64_t divisor = five << five_shift;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    int remainder = (uint128)quotient * divisor != dividend;
    return ldexp((double)(quotient | (uint64_t)remainder),
                 five_shift - mantissa_shift - 63 + exponent);
}
#endif

/* mantissa * 10^exponent where that takes one rounding; 0 where it would take more. */
static int round_short(uint64_t mantissa, int64_t exponent, double *value)
{
    /* The powers of ten that doubles hold exactly. */
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (mantissa <= UINT64_C(1) << 53 && exponent >= -22 && exponent <= 22) {
        double exact = (double)mantissa;
        *value = exponent < 0 ? exact / tens[-exponent] : exact * tens[exponent];
        return 1;
    }
#ifdef __SIZEOF_INT128__
    if (mantissa != 0 && exponent >= -MAX_FIVES && exponent <= MAX_FIVES) {
        *value = round_integer(mantissa, (int)exponent);
        return 1;
    }
#endif
    return 0;
}

/*
 * The double halfway between two neighbours is k 2^-1075 = k 5^1075 10^-1075 with k < 2^54, which
 * has at most 768 digits: of what stands beyond so many, it only matters whether any is not 0.
 */
#define MAX_DIGITS 768

/*
 * The number that the digits in [text, end), read without their point, times 10^exponent make;
 * HUGE_VAL if it is too large. It goes to strtod as an integer with an exponent, for the decimal
 * point that strtod takes is that of the locale.
 */
static double round_long(const char *text, const char *end, int64_t exponent)
{
    char buffer[MAX_DIGITS + 32];
    size_t used = 0;
    int cut_off = 0;
    for (; text < end; text++) {
        if (*text == '.' || (used == 0 && *text == '0'))
            continue;
        if (used < MAX_DIGITS) {
            buffer[used++] = *text;
        } else {
            cut_off |= *text != '0';
            exponent++;
        }
    }
    if (used == 0)
        return 0;
    if (cut_off) {
        buffer[used++] = '1';
        exponent--;
    }
    int64_t magnitude = exponent + (int64_t)used; /* the value lies in [0.1, 1) * 10^magnitude */
    if (magnitude > 309)
        return HUGE_VAL;
    if (magnitude < -323)
        return 0;
    snprintf(buffer + used, sizeof buffer - used, "e%d", (int)exponent);
    return strtod(buffer, NULL);
}

/* Passes over digits, appending them to *mantissa (which wraps around when there are too many). */
static const char *scan_digits(const char *p, const char *end, uint64_t *mantissa)
{
    for (; p < end; p++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0';
        if (digit > 9)
            break;
        *mantissa = *mantissa * 10 + digit;
    }
    return p;
}

/* Passes over "12", "+12" or "-12", adding it to *exponent; NULL if that is not what is there. */
static const char *scan_exponent(const char *p, const char *end, int64_t *exponent)
{
    /* Beyond what any count of digits in memory could make up for. */
    const int64_t limit = INT64_C(100000000000000000);
    int negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *digits = p;
    int64_t value = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (value < limit)
            value = value * 10 + (*p - '0');
    *exponent += negative ? -value : value;
    return p > digits ? p : NULL;
}

/* Whether text is word, which is in small letters, in letters of either case. */
static int is_word(const char *text, size_t length, const char *word)
{
    size_t i = 0;
    while (i < length && word[i] != '\0' && (text[i] | 0x20) == word[i])
        i++;
    return i == length && word[i] == '\0';
}

static int is_not_finite(const char *text, size_t length)
{
    return is_word(text, length, "nan") || is_word(text, length, "inf") ||
           is_word(text, length, "infinity");
}

enum number_kind tulle_number_parse(const char *text, size_t length, double *value)
{
    const char *p = text, *end = text + length;
    int negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;

    const char *digits = p;
    uint64_t mantissa = 0;
    int64_t exponent = 0;
    p = scan_digits(p, end, &mantissa);
    size_t digit_count = (size_t)(p - digits);
    if (p < end && *p == '.') {
        const char *fraction = ++p;
        p = scan_digits(p, end, &mantissa);
        digit_count += (size_t)(p - fraction);
        exponent = -(int64_t)(p - fraction);
    }
    if (digit_count == 0)
        return is_not_finite(digits, (size_t)(end - digits)) ? NUMBER_NOT_FINITE : NUMBER_MALFORMED;
    const char *digits_end = p;
    if (p < end && (*p == 'e' || *p == 'E'))
        p = scan_exponent(p + 1, end, &exponent);
    if (p != end)
        return NUMBER_MALFORMED;

    double magnitude;
    if (digit_count > MANTISSA_DIGITS || !round_short(mantissa, exponent, &magnitude))
        magnitude = round_long(digits, digits_end, exponent);
    if (isinf(magnitude))
        return NUMBER_TOO_LARGE;
    *value = negative ? -magnitude : magnitude;
    return NUMBER_FINITE;
}

const char *tulle_number_expected(double value)
{
    if (!isfinite(value))
        return "a finite number";
    return fabs(value) > TULLE_LARGEST_VALUE ? "a number of at most 1e150 in size" : NULL;
}
