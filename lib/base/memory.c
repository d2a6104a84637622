/* memory.c - allocation that checks its arithmetic, by the C library or by what the program gives.
 */
#include "portability.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "status.h"

int tulle_multiply(size_t a, size_t b, size_t *product)
{
    if (b != 0 && a > SIZE_MAX / b)
        return 0;
    *product = a * b;
    return 1;
}

/* Its functions are NULL as long as the C library's serve. */
static struct tulle_allocator own;

enum tulle_status tulle_set_allocator(const struct tulle_allocator *allocator,
                                      struct tulle_error *error)
{
    if (allocator && (!allocator->allocate || !allocator->reallocate || !allocator->release))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "an allocator needs all three of allocate, reallocate and release");
    own = allocator ? *allocator : (struct tulle_allocator){NULL};
    return TULLE_OK;
}

static void *allocate_zeroed(size_t bytes, size_t alignment)
{
    void *block = own.allocate(bytes, alignment, own.user);
    return block ? memset(block, 0, bytes) : NULL;
}

/* calloc() knows which pages the system has zeroed already. */
void *tulle_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!tulle_multiply(count, size, &bytes))
        return NULL;
    bytes = bytes ? bytes : 1;
    return own.allocate ? allocate_zeroed(bytes, _Alignof(max_align_t)) : calloc(bytes, 1);
}

void *tulle_realloc_array(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (!tulle_multiply(count, size, &bytes))
        return NULL;
    bytes = bytes ? bytes : 1;
    if (!own.allocate)
        return realloc(block, bytes);
    return block ? own.reallocate(block, bytes, own.user)
                 : own.allocate(bytes, _Alignof(max_align_t), own.user);
}

void *tulle_calloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    void *block;
    if (!tulle_multiply(count, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes = bytes ? bytes : 1;
    if (own.allocate)
        return allocate_zeroed(bytes, TULLE_ALIGNMENT);
    if (posix_memalign(&block, TULLE_ALIGNMENT, bytes) != 0)
        return NULL;
    return memset(block, 0, bytes);
}

void tulle_free(void *block)
{
    if (!own.release)
        free(block);
    else if (block)
        own.release(block, own.user);
}

char *tulle_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = tulle_realloc_array(NULL, size, 1);
    return copy ? memcpy(copy, text, size) : NULL;
}
