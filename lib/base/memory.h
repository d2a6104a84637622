/* memory.h - allocation that checks its arithmetic, by the allocator of tulle_set_allocator(). All
 * memory of the library comes from here, and goes back through tulle_free(). */
#ifndef TULLE_MEMORY_H
#define TULLE_MEMORY_H

#include <stddef.h>

/* Two cache lines: the adjacent-line prefetcher makes pairs of them one unit of sharing. */
#define TULLE_ALIGNMENT 128

/* count * size zeroed bytes, or NULL if there is no memory or the product overflows. Never NULL for
 * a count of 0. */
void *tulle_calloc(size_t count, size_t size);

/* Resizes as realloc does, what is not aligned; NULL (and the old block still there) on overflow
 * too. */
void *tulle_realloc_array(void *block, size_t count, size_t size);

/* As tulle_calloc, aligned to TULLE_ALIGNMENT. */
void *tulle_calloc_aligned(size_t count, size_t size);

/* A copy of text, NULL if there is no memory. */
char *tulle_strdup(const char *text);

/* Of NULL nothing. */
void tulle_free(void *block);

/* *product = a * b; 0 if that overflows. */
int tulle_multiply(size_t a, size_t b, size_t *product);

#endif
