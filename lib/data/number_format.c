/* number_format.c - double to decimal text: fewer digits are tried first, and read back. */
#include "../base/portability.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "number_format.h"

/* Bits are compared, not numbers: 0 is not -0, and a program that flushes denormals takes all of
 * them for 0. */
static int reads_back(const char *text, double value)
{
    double read;
    return tulle_number_parse(text, strlen(text), &read) == NUMBER_FINITE &&
           memcmp(&read, &value, sizeof read) == 0;
}

/* Puts '.' in the place of the locale's decimal point, which may be several bytes. */
static void make_point_plain(char *text)
{
    char *point = text + strspn(text, "+-0123456789e");
    if (*point == '\0')
        return;
    char *rest = point + strcspn(point, "0123456789e");
    *point = '.';
    memmove(point + 1, rest, strlen(rest) + 1);
}

/* A normal double has every decimal of 15 digits to itself: if fewer do, the 15 end in zeros, which
 * %g leaves out. Denormals are sparser. */
void tulle_number_format(double value, char text[TULLE_NUMBER_SIZE])
{
    int mode = fegetround(); /* by which snprintf rounds */
    fesetround(FE_TONEAREST);
    int digits = fabs(value) < DBL_MIN ? 1 : 15;
    do {
        snprintf(text, TULLE_NUMBER_SIZE, "%.*g", digits, value);
        make_point_plain(text);
    } while (digits++ < 17 && !reads_back(text, value)); /* 17 always do */
    fesetround(mode);
}
