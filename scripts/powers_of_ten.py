#!/usr/bin/env python3
"""Prints lib/data/powers_of_ten.h, in exact integer arithmetic.

usage: powers_of_ten.py >lib/data/powers_of_ten.h
"""

# The exponents with which no 64-bit integer leaves the range of normal doubles, 2.2e-308 to 1.8e308.
MINIMUM, MAXIMUM = -307, 288


def power(exponent):
    """The leading 128 bits of 10^exponent, which are those of 5^exponent. Where they are not all, they are rounded
    down; but up for reciprocals of powers that a 64-bit integer can be a multiple of, down to 5^-27: their
    product is then not just below the whole number that it stands for."""
    five = 5 ** abs(exponent)
    if exponent >= 0:
        return (five << 128) >> five.bit_length()
    return (1 << (127 + five.bit_length())) // five + (exponent >= -27)


print(f"""\
/*
 * powers_of_ten.h - for number.c, made by scripts/powers_of_ten.py: the leading 128 bits of
 * 10^{MINIMUM} to 10^{MAXIMUM}, with which no 64-bit integer leaves the range of normal doubles: high half
 * and low half, rounded down, but those of 10^-27 to 10^-1 up.
 */
#ifndef TULLE_POWERS_OF_TEN_H
#define TULLE_POWERS_OF_TEN_H

#include <stdint.h>

#define MIN_POWER_OF_TEN ({MINIMUM})
#define MAX_POWER_OF_TEN {MAXIMUM}

/* clang-format off */
static const uint64_t powers_of_ten[MAX_POWER_OF_TEN - MIN_POWER_OF_TEN + 1][2] = {{""")
for first in range(MINIMUM, MAXIMUM + 1, 2):
    halves = [divmod(power(exponent), 1 << 64) for exponent in (first, first + 1)]
    print("    " + " ".join(f"{{0x{high:016x}, 0x{low:016x}}}," for high, low in halves))
print("""\
};
/* clang-format on */

#endif""")
