/* number.h - decimal text to double, correctly rounded, whatever the locale. */
#ifndef TULLE_NUMBER_H
#define TULLE_NUMBER_H

#include <stddef.h>

/* The largest size of a number in a table. Means, deviations and errors are sums of squares over
 * the rows: those of differences of such numbers, 4e300 each, stay within a double's range
 * (1.8e308) for ten million rows; the square of 1.4e154 does not even alone. */
#define TULLE_LARGEST_VALUE 1e150

/*
 * Reads the number that text begins with: an optional sign, digits with at most one '.' among or
 * around them, and an optional exponent. Returns where it ends, NULL if there is none. One that is
 * too small for a double is 0, one that is too large HUGE_VAL. Nothing at or after `end` is read.
 */
const char *tulle_number_scan(const char *text, const char *end, double *value);

enum number_kind {
    NUMBER_FINITE,     /* "12", "-.5", "+3.e-7" */
    NUMBER_MALFORMED,  /* "", "n/a", "0x10", "1 2" */
    NUMBER_NOT_FINITE, /* "nan", "-inf", "Infinity" */
    NUMBER_TOO_LARGE   /* "1e999" */
};

/* What all of text[0..length) is; no blanks, no NUL needed. *value is written only for
 * NUMBER_FINITE. */
enum number_kind tulle_number_parse(const char *text, size_t length, double *value);

/* NULL if a table may hold the value, which may be missing, NaN; else what it may hold, to follow
 * "expected". */
const char *tulle_number_expected(double value);

#endif
