/*
 * number.c - decimal text to double: digits eight at a time, and one rounding, in integers, by a
 * table of powers of ten (Lemire, Number parsing at a gigabyte per second, 2021). What is longer
 * than that takes, or not of the size of normal doubles, is left to strtod.
 */
#include "../base/portability.h"

#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "powers_of_ten.h"

/* --- Rounding --------------------------------------------------------------------------------- */

/* So many digits always fit a uint64_t. */
#define MANTISSA_DIGITS 19

#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 uint128;

/*
 * The double nearest to mantissa * 10^exponent; 0 if it is none that this way can tell.
 *
 * Of the product of the mantissa, 64 bits, and the power, 128 bits, the highest 128 are taken.
 * Their first 54 are right whatever the mantissa, although the power is not exact (Mushtak and
 * Lemire, Fast number parsing without fallback, 2023): 53 that are wanted, and the one to round by.
 */
static int round_short(uint64_t mantissa, int64_t exponent, double *value)
{
    if (mantissa == 0) {
        *value = 0;
        return 1;
    }
    if (exponent < MIN_POWER_OF_TEN || exponent > MAX_POWER_OF_TEN)
        return 0;
    const uint64_t *power = powers_of_ten[exponent - MIN_POWER_OF_TEN];
    int shift = __builtin_clzll(mantissa);
    mantissa <<= shift;
    uint128 product = (uint128)mantissa * power[0] + ((uint128)mantissa * power[1] >> 64);
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;

    int first = (int)(high >> 63); /* the product's first bit is its 128th, or else the 127th */
    uint64_t kept = high >> (9 + first);
    /* Halfway between two doubles it goes to the even one. With other exponents nothing is: the
     * power of five in the number, or in what it is divided by, has too many bits for that.
     * (not covered: such an exponent where it looks so, by a chance of 1 in 2^70) */
    if (low == 0 && (kept & 3) == 1 && kept << (9 + first) == high && exponent >= -4 &&
        exponent <= 23)
        kept--;
    kept = (kept >> 1) + (kept & 1);

    /* floor(log2(10^exponent)), by 217706 / 2^16 for log2(10): right up to exponents of 342. */
    int64_t log2_power = (exponent * 217706) >> 16;
    /* The value is kept * 2^(first + 11 + log2_power - shift). 1023 is the exponents' bias, and
     * 52 the digits after the point; kept brings a 1 before it, or, rounded up, a 2. */
    int64_t biased = first + 11 + log2_power - shift + 52 + 1023;
    uint64_t bits = ((uint64_t)(biased - 1) << 52) + kept;
    memcpy(value, &bits, sizeof *value);
    return 1;
}
#else
static int round_short(uint64_t mantissa, int64_t exponent, double *value)
{
    (void)exponent;
    *value = 0;
    return mantissa == 0;
}
#endif

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
static double round_by_strtod(const char *text, const char *end, int64_t exponent)
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
    int mode = fegetround(); /* by which strtod rounds */
    fesetround(FE_TONEAREST);
    double value = strtod(buffer, NULL);
    fesetround(mode);
    return value;
}

/* As round_by_strtod, of digits of which one is not 0; where the leading digits, and the same with
 * one more in the last place, round to one double, so does what lies between. */
static double round_long(const char *text, const char *end, int64_t exponent)
{
    uint64_t mantissa = 0;
    int64_t left_out = 0;
    int used = 0;
    for (const char *p = text; p < end; p++) {
        if (*p == '.')
            continue;
        if (used == MANTISSA_DIGITS) {
            left_out++;
        } else {
            mantissa = mantissa * 10 + (uint64_t)(*p - '0');
            used += mantissa != 0;
        }
    }
    double low = 0, high = 0;
    int are_known = round_short(mantissa, exponent + left_out, &low) &
                    round_short(mantissa + (left_out > 0), exponent + left_out, &high);
    return are_known && low == high ? low : round_by_strtod(text, end, exponent);
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* Eight characters, the first in the lowest byte. */
static uint64_t load8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* The number of the eight digits in the bytes, the first in the lowest: joined into pairs, the
 * pairs into fours, those into one. */
static uint64_t join8(uint64_t digits)
{
    const uint64_t mask = UINT64_C(0x000000ff000000ff);
    digits = digits * 10 + (digits >> 8);
    return ((digits & mask) * (100 + (UINT64_C(1000000) << 32)) +
            (digits >> 16 & mask) * (1 + (UINT64_C(10000) << 32))) >>
           32;
}

/* The lowest byte in which the high bit is set, 8 if it is in none. */
static int first_marked(uint64_t high_bits)
{
    return high_bits ? __builtin_ctzll(high_bits) / 8 : 8;
}

/* Digits with at most one '.' among or around them. */
struct digits {
    const char *begin, *end;
    const char *point; /* NULL if there is none */
    uint64_t mantissa; /* the digits as one integer, which wraps around when they are too many */
};

/*
 * Reads them a word of eight characters at a time, as long as there are so many to read. How many
 * digits the last word has is anybody's guess, so no branch depends on that; whether there is
 * another word is guessed well, and then that one need not wait for this.
 */
static struct digits scan_digits(const char *p, const char *end)
{
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    struct digits d = {p, p, NULL, 0};
    while (end - p >= 8) {
        uint64_t word = load8(p) ^ UINT64_C(0x3030303030303030);
        /* Marks the bytes that are more than 9 and so no digits. */
        uint64_t others = (((word & ~high_bits) + UINT64_C(0x7676767676767676)) | word) & high_bits;
        if (!others) {
            d.mantissa = d.mantissa * 100000000 + join8(word);
            p += 8;
            continue;
        }
        int used = first_marked(others), count = used;
        if (!d.point && p[used] == '.') {
            uint64_t before = (UINT64_C(1) << 8 * used) - 1;
            d.point = p + used;
            word = (word & before) | (word >> 8 & ~before);
            used = first_marked(others & (others - 1));
            count = used - 1;
        }
        if (count > 0)
            d.mantissa = d.mantissa * tens[count] + join8(word << (64 - 8 * count));
        p += used;
        if (used < 8)
            goto out;
    }
    for (; p < end; p++) {
        unsigned digit = (unsigned char)*p - (unsigned)'0';
        if (digit <= 9)
            d.mantissa = d.mantissa * 10 + digit;
        else if (*p == '.' && !d.point)
            d.point = p;
        else
            break;
    }
out:
    d.end = p;
    return d;
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

const char *tulle_number_scan(const char *text, const char *end, double *value)
{
    if (text == end)
        return NULL;
    /* Signs are as good as random: a branch on them would be guessed wrong half the time. */
    const char *p = text;
    int negative = *p == '-';
    p += negative | (*p == '+');

    struct digits d = scan_digits(p, end);
    ptrdiff_t digit_count = d.end - d.begin - (d.point != NULL);
    if (digit_count == 0)
        return NULL;
    int64_t exponent = d.point ? d.point + 1 - d.end : 0;
    p = d.end;
    if (p < end && (*p == 'e' || *p == 'E'))
        p = scan_exponent(p + 1, end, &exponent);
    double magnitude;
    if (digit_count > MANTISSA_DIGITS || !round_short(d.mantissa, exponent, &magnitude))
        magnitude = round_long(d.begin, d.end, exponent);
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, sizeof bits);
    return p;
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
    if (length > 0 && (*text == '-' || *text == '+')) {
        text++;
        length--;
    }
    return is_word(text, length, "nan") || is_word(text, length, "inf") ||
           is_word(text, length, "infinity");
}

enum number_kind tulle_number_parse(const char *text, size_t length, double *value)
{
    double read;
    if (tulle_number_scan(text, text + length, &read) != text + length)
        return is_not_finite(text, length) ? NUMBER_NOT_FINITE : NUMBER_MALFORMED;
    if (isinf(read))
        return NUMBER_TOO_LARGE;
    *value = read;
    return NUMBER_FINITE;
}

const char *tulle_number_expected(double value)
{
    if (isinf(value))
        return "a finite number";
    return fabs(value) > TULLE_LARGEST_VALUE ? "a number of at most 1e150 in size" : NULL;
}
