/* memory.c - allocation that checks its arithmetic. */
#include "portability.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

int tulle_multiply(size_t a, size_t b, size_t *product)
{
    if (b != 0 && a > SIZE_MAX / b)
        return 0;
    *product = a * b;
    return 1;
}

void *tulle_calloc(size_t count, size_t size)
{
    return count == 0 ? calloc(1, 1) : calloc(count, size);
}

void *tulle_realloc_array(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!tulle_multiply(count, size, &bytes))
        return NULL;
    return realloc(block, bytes ? bytes : 1);
}

void *tulle_calloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    void *block;
    if (!tulle_multiply(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    if (posix_memalign(&block, TULLE_ALIGNMENT, bytes ? bytes : 1) != 0)
        return NULL;
    return memset(block, 0, bytes);
}

char *tulle_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}
