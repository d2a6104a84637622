/*
 * vec_avx512.h - the vector type of x86-64 with AVX-512F. Opens a region of code that is compiled
 * for it, whatever the command line says; VEC_REGION_END closes it.
 */
#ifndef TULLE_VEC_AVX512_H
#define TULLE_VEC_AVX512_H

#include <immintrin.h>
#include <math.h>

#define VEC_BYTES 64
#define TILE_ROWS 12
#define TILE_VECS 2
#define LONG_VECS 8

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,fma"))), apply_to = function)
#define VEC_REGION_END _Pragma("clang attribute pop")
#else
#pragma GCC push_options
#pragma GCC target("avx512f,fma")
#define VEC_REGION_END _Pragma("GCC pop_options")
#endif

#include "vec_types.h"

VEC_INLINE vec vec_fma(vec a, vec b, vec c)
{
#if REAL_IS_F64
    return (vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#else
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#endif
}

VEC_INLINE vec vec_sqrt(vec a)
{
#if REAL_IS_F64
    return (vec)_mm512_sqrt_pd((__m512d)a);
#else
    return (vec)_mm512_sqrt_ps((__m512)a);
#endif
}

#endif
