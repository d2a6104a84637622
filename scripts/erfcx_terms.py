#!/usr/bin/env python3
"""Prints the polynomials of vec_erfcx in lib/kernels/vec_math.h, and their largest relative errors.

usage: erfcx_terms.py

With q = 1 / (1 + t / 4) and p = 2 q - 1, a polynomial in p that interpolates erfcx(t) / q at Chebyshev's points,
where erfcx(t) = exp(t^2) erfc(t), for t from 0 to where exp(-t^2) is no normal number any more.
"""
import math
import struct
from decimal import Decimal, getcontext

getcontext().prec = 760  # erfc(27) is 1 - erf(27) with 318 digits cancelled, from terms of as many digits

PI = 16 * sum(Decimal((-1) ** k) / ((2 * k + 1) * 5 ** (2 * k + 1)) for k in range(560)) \
    - 4 * sum(Decimal((-1) ** k) / ((2 * k + 1) * 239 ** (2 * k + 1)) for k in range(170))  # Machin (1706)


def erfcx(t):
    term, total, n = t, t, 0
    while abs(term) > Decimal(10) ** -740:
        n += 1
        term *= -t * t / n
        total += term / (2 * n + 1)
    return (t * t).exp() * (1 - 2 / PI.sqrt() * total)


def value(p):
    q = (p + 1) / 2
    return erfcx(4 * (1 / q - 1)) / q


def terms(t_max, degree):
    """The coefficients, the constant first, from Newton's divided differences."""
    low, high = 2 / (1 + t_max / 4) - 1, 1.0
    points = [Decimal((low + high) / 2 + (high - low) / 2 * math.cos(math.pi * (i + 0.5) / (degree + 1)))
              for i in range(degree + 1)]
    differences = [value(p) for p in points]
    for order in range(1, degree + 1):
        for i in range(degree, order - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) / (points[i] - points[i - order])
    result = []
    for difference, point in zip(reversed(differences), reversed(points)):
        shifted = [Decimal(0)] + result
        for i, term in enumerate(result):
            shifted[i] -= term * point
        shifted[0] += difference
        result = shifted
    return result


def error(coefficients, t_max):
    worst = Decimal(0)
    for i in range(301):
        p = 2 / (1 + Decimal(t_max) * i / 300 / 4) - 1
        found = Decimal(0)
        for c in reversed(coefficients):
            found = found * p + c
        worst = max(worst, abs(found / value(p) - 1))
    return worst


def as_hex(number, is_f64):
    if is_f64:
        return float(number).hex()
    single = struct.unpack("f", struct.pack("f", float(number)))[0]
    mantissa, exponent = single.hex().split("p")
    return f"{mantissa[:-7]}p{exponent}f"  # six of the thirteen hexadecimal digits hold all 24 bits


for name, t_max, degree in (("f32", 9.34, 10), ("f64", 26.7, 23)):
    coefficients = terms(t_max, degree)
    print(f"{name}: degree {degree}, error 2^{float(error(coefficients, t_max).ln() / Decimal(2).ln()):.1f}")
    print(",\n".join(as_hex(c, name == "f64") for c in coefficients))
