/*
 * vec_neon.h - the vector type of aarch64: NEON, which every such processor has, so that no region
 * of code need be opened for it. Of its 32 registers a tile takes 24 for sums and 4 for B.
 */
#ifndef TULLE_VEC_NEON_H
#define TULLE_VEC_NEON_H

/* GCC reorders instructions before it hands out registers on this target: it would load all of a
 * tile's numbers of A at once, and then keep sums in memory. */
#if !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif

#include <arm_neon.h>
#include <math.h>

#define VEC_BYTES 16
#define TILE_ROWS 6
#define TILE_VECS 4
#define LONG_VECS 8
#define VEC_REGION_END

#include "vec_types.h"

VEC_INLINE vec vec_fma(vec a, vec b, vec c)
{
#if REAL_IS_F64
    return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#endif
}

VEC_INLINE vec vec_sqrt(vec a)
{
#if REAL_IS_F64
    return (vec)vsqrtq_f64((float64x2_t)a);
#else
    return (vec)vsqrtq_f32((float32x4_t)a);
#endif
}

#endif
