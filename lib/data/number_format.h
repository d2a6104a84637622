/* number_format.h - double to decimal text. */
#ifndef TULLE_NUMBER_FORMAT_H
#define TULLE_NUMBER_FORMAT_H

/* Room for the longest, "-2.2250738585072014e-308", a NUL, and the decimal point of any locale. */
enum { TULLE_NUMBER_SIZE = 40 };

/*
 * Writes the shortest decimal that reads back as the same double, the sign of a zero included;
 * value must be finite. With '.' in any locale, whatever the program's rounding mode. (46 powers of
 * two, below which doubles lie twice as dense as above, are given 17 digits where 16 would do.)
 */
void tulle_number_format(double value, char text[TULLE_NUMBER_SIZE]);

#endif
