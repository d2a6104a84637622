/*
 * peak.h - how many floating-point operations a second this machine can do at best, now: the
 * yardstick of `tulle bench`. Shared machines change their speed from one second to the next, so it
 * is measured again beside every figure that is compared with it.
 */
#ifndef TULLE_CLI_PEAK_H
#define TULLE_CLI_PEAK_H

#include "../include/tulle.h"

/* Seconds since some fixed moment. */
double cli_clock(void);

/* The CPUs that this process may run on. */
unsigned cli_peak_cpus(void);

/* The instruction set that is fastest here: "generic", "avx2", "avx512" or "neon". TULLE_KERNELS
 * does not lower it. */
const char *cli_peak_level(void);

/* Operations a second, a multiply-add being two, of that many threads running at once. Takes less
 * than a millisecond. */
double cli_peak(enum tulle_type type, unsigned threads);

#endif
