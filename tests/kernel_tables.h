/* kernel_tables.h - for tests of the kernels: the tables that this machine can run, and numbers of
 * either precision. */
#ifndef KERNEL_TABLES_H
#define KERNEL_TABLES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../lib/base/memory.h"
#include "../lib/kernels/kernels.h"
#include "../lib/net/network.h"

static struct tulle_rng rng;

/* Of either precision, the generic one first. */
static const struct kernels *tables[2][4];
static size_t table_counts[2];

static inline int find_tables(void **state)
{
    static const char *const names[] = {"generic", "avx2", "avx512", "neon"};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const struct kernels *kernels = tulle_kernels_by_name(names[i], type);
            if (kernels)
                tables[type][table_counts[type]++] = kernels;
        }
        if (table_counts[type] == 0 || strcmp(tables[type][0]->name, "generic") != 0)
            return 1;
    }
    return 0;
}

static inline void for_each_table(void (*check)(const struct kernels *))
{
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++)
            check(tables[type][t]);
}

static inline double get(enum tulle_type type, const void *buffer, size_t i)
{
    return type == TULLE_F64 ? ((const double *)buffer)[i] : ((const float *)buffer)[i];
}

static inline void set(enum tulle_type type, void *buffer, size_t i, double value)
{
    if (type == TULLE_F64)
        ((double *)buffer)[i] = value;
    else
        ((float *)buffer)[i] = (float)value;
}

/* Sums and products of two floats, rounded to double and then to float, are as if rounded once. */
static inline double rounded(enum tulle_type type, double value)
{
    return type == TULLE_F64 ? value : (float)value;
}

static inline void *at(enum tulle_type type, void *buffer, size_t i)
{
    return (char *)buffer + i * tulle_type_size(type);
}

/* Uniform in [-0.5, 0.5). */
static inline void *random_buffer(enum tulle_type type, size_t count)
{
    void *buffer = tulle_calloc_aligned(count, tulle_type_size(type));
    assert_non_null(buffer);
    for (size_t i = 0; i < count; i++)
        set(type, buffer, i, tulle_rng_uniform(&rng) - 0.5);
    return buffer;
}

static inline void *copy_buffer(enum tulle_type type, const void *buffer, size_t count)
{
    void *copy = tulle_calloc_aligned(count, tulle_type_size(type));
    assert_non_null(copy);
    return memcpy(copy, buffer, count * tulle_type_size(type));
}

/* What stands in rows behind their first `used` numbers. */
static inline void set_padding(enum tulle_type type, void *matrix, size_t rows, size_t used,
                               size_t stride, double value)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = used; i < stride; i++)
            set(type, matrix, r * stride + i, value);
}

/* Bits, so that -0 is not 0. */
static inline int is_same(enum tulle_type type, const void *a, const void *b, size_t i)
{
    size_t size = tulle_type_size(type);
    return memcmp((const char *)a + i * size, (const char *)b + i * size, size) == 0;
}

/* The same, but any NaN is every other: machines differ in its bits. */
static inline int is_same_number(enum tulle_type type, const void *a, const void *b, size_t i)
{
    return is_same(type, a, b, i) || (isnan(get(type, a, i)) && isnan(get(type, b, i)));
}

/* FNV-1a (Fowler, Noll and Vo, 1991), taking the bits of whole numbers at a time; begin with
 * HASH_BEGIN. Any NaN is every other. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)
static inline uint64_t hash_numbers(uint64_t state, enum tulle_type type, const void *buffer,
                                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = tulle_type_size(type);
        uint64_t bits = 0;
        if (!isnan(get(type, buffer, i)))
            memcpy(&bits, (const char *)buffer + i * size, size);
        state = (state ^ bits) * UINT64_C(0x100000001b3);
    }
    return state;
}

#endif
