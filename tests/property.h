/*
 * property.h - tests of properties: what must hold of every case is checked of many that are drawn
 * at random. Each case has a seed of its own, the first one's and then those that follow it. A case
 * that fails is printed with the line that repeats it:
 *
 *     TULLE_SEED=7301 TULLE_CASES=1 test_properties_steps
 *
 * TULLE_LONG=1 is for nights: a hundred times as many cases, from a seed that the clock gives.
 */
#ifndef PROPERTY_H
#define PROPERTY_H

#include "../include/tulle.h"

/* Calls check for so many cases, or TULLE_CASES; fewer where the build is a slow one. */
void check_cases(const char *name, size_t cases, void (*check)(struct tulle_rng *rng));

/* Adds to what is printed of the case if it fails. */
void describe(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints the case that a test was in when it failed: its teardown. */
int report_case(void **state);

/* The test test_<name>: so many cases for check_<name>(). */
#define TEST_PROPERTY(name, cases)                                                                 \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        check_cases(#name, cases, check_##name);                                                   \
    }

/* Its entry in the list of tests. */
#define PROPERTY(name) cmocka_unit_test_teardown(test_##name, report_case)

/* One time in so many. */
int draw_one_in(struct tulle_rng *rng, unsigned many);

/* From least to most: uniform; and most often near the least. */
size_t draw_count(struct tulle_rng *rng, size_t least, size_t most);
size_t draw_small(struct tulle_rng *rng, size_t least, size_t most);
double draw_number(struct tulle_rng *rng, double least, double most);

#endif
