/*
 * dropout.h - which units a step leaves out, from a generator that is asked for any of its numbers
 * by name: no thread or part of a batch depends on what another has drawn.
 */
#ifndef TULLE_DROPOUT_H
#define TULLE_DROPOUT_H

#include "../base/mix64.h"
#include "kernels.h"
#include "vec_types.h"

/* 32 random bits for number `unit` of a stream: an integer hash of two rounds, with the multipliers
 * found by Wellons ("Prospecting for hash functions", 2018), between two halves of the stream's
 * key.
 */
static inline uint32_t draw(uint32_t unit, uint32_t low, uint32_t high)
{
    uint32_t x = unit * 0x9e3779b9u + low;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) + high;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Plain loops, which compilers turn into vectors of this instruction set. */
static void drop(void *z, void *slope, size_t stride, size_t rows, size_t n, double rate,
                 uint64_t key, uint64_t first)
{
    const uint32_t dropped = (uint32_t)(rate * 4294967296.0);
    const real scale = (real)(1 / (1 - rate));
    for (size_t r = 0; r < rows; r++) {
        uint64_t stream = tulle_mix64(key + (first + r) * TULLE_GOLDEN64);
        uint32_t low = (uint32_t)stream, high = (uint32_t)(stream >> 32);
        real *restrict z_row = (real *)z + r * stride;
        real *restrict slope_row = (real *)slope + r * stride;
        for (size_t u = 0; u < n; u++) {
            real kept = draw((uint32_t)u, low, high) >= dropped ? scale : 0;
            z_row[u] *= kept;
            slope_row[u] *= kept;
        }
    }
}

#endif
