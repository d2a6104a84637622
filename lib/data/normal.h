/* normal.h - the standard normal distribution. */
#ifndef TULLE_NORMAL_H
#define TULLE_NORMAL_H

/* The deviate below which the share p of it lies, 0 < p < 1, to within 1e-15 of its size and with
 * the same bits on every machine; in the default floating-point mode (base/float_mode.h). */
double tulle_normal_quantile(double p);

#endif
