/* number.h - decimal text to double, correctly rounded, whatever the locale. */
#ifndef TULLE_NUMBER_H
#define TULLE_NUMBER_H

#include <stddef.h>

enum number_kind {
    NUMBER_FINITE,     /* "12", "-.5", "+3.e-7"; one too small for a double is 0 */
    NUMBER_MALFORMED,  /* "", "n/a", "0x10", "1 2" */
    NUMBER_NOT_FINITE, /* "nan", "-inf", "Infinity" */
    NUMBER_TOO_LARGE   /* "1e999" */
};

/*
 * The number that all of text[0..length) is: an optional sign, digits with at most one '.' among or
 * around them, and an optional exponent; no blanks, no NUL needed. *value is written only for
 * NUMBER_FINITE.
 */
enum number_kind tulle_number_parse(const char *text, size_t length, double *value);

#endif
