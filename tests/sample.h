/*
 * sample.h - for tests that go through all combinations of many things: which of the cases to take
 * where all would take too long. With TULLE_LONG in the environment that is every one.
 *
 * Number them so that whatever they are made of still comes up, and meets most of the rest.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stddef.h>
#include <stdlib.h>

/* Whether case `number` is of those that are so far apart. */
static inline int is_sampled(size_t number, size_t apart)
{
    return number % apart == 0 || getenv("TULLE_LONG") != NULL;
}

/* The same under an emulator, where all is some 20 times as slow; else always. */
static inline int is_sampled_emulated(size_t number, size_t apart)
{
#ifdef TULLE_EMULATED
    return is_sampled(number, apart);
#else
    (void)number, (void)apart;
    return 1;
#endif
}

#endif
