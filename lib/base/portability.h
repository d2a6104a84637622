/*
 * portability.h - what every source of the library includes first: the POSIX version asked for, and
 * arithmetic that means what it says.
 *
 * Contraction (a * b + c turned into a fused multiply-add where the compiler likes) would make bits
 * depend on the compiler and the target, so it is off here as well as on the build's command line:
 * the core must give the same bits when it is built as plain `cc -c`. Fused multiply-adds are
 * written by name.
 */
#ifndef TULLE_PORTABILITY_H
#define TULLE_PORTABILITY_H

#if defined(__FAST_MATH__)
#error                                                                                             \
    "Tulle must not be built with -ffast-math or -Ofast: its bits and its NaN checks depend on IEEE"
#endif

/* POSIX's strerror_r is meant, whatever a surrounding build defines. */
#undef _GNU_SOURCE
#if !defined(_POSIX_C_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE 1
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#endif
