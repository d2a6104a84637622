/*
 * vec_avx2.h - the vector type of x86-64 with AVX2 and FMA. Opens a region of code that is compiled
 * for them, whatever the command line says; VEC_REGION_END closes it.
 */
#ifndef TULLE_VEC_AVX2_H
#define TULLE_VEC_AVX2_H

#include <immintrin.h>
#include <math.h>

#define VEC_BYTES 32
#define TILE_ROWS 6
#define TILE_VECS 2
#define LONG_VECS 8

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define VEC_REGION_END _Pragma("clang attribute pop")
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define VEC_REGION_END _Pragma("GCC pop_options")
#endif

#include "vec_types.h"

VEC_INLINE vec vec_fma(vec a, vec b, vec c)
{
#if REAL_IS_F64
    return (vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#endif
}

VEC_INLINE vec vec_sqrt(vec a)
{
#if REAL_IS_F64
    return (vec)_mm256_sqrt_pd((__m256d)a);
#else
    return (vec)_mm256_sqrt_ps((__m256)a);
#endif
}

#endif
