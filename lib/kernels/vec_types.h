/*
 * vec_types.h - the vector type and its operations that need no instruction by name. Included by
 * the vec_<isa>.h of an instruction set, which has defined VEC_BYTES; REAL_IS_F64 picks the
 * precision.
 *
 * + - * / and comparisons are the GNU vector extension's own operators: IEEE operations on each
 * lane, a comparison giving all ones or all zeros.
 */
#ifndef TULLE_VEC_TYPES_H
#define TULLE_VEC_TYPES_H

#include <stdint.h>

#if REAL_IS_F64
typedef double real;
typedef uint64_t bits;
#define REAL_FMA fma
#else
typedef float real;
typedef uint32_t bits;
#define REAL_FMA fmaf
#endif

typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef bits vec_bits __attribute__((vector_size(VEC_BYTES)));

enum { LANES = VEC_BYTES / sizeof(real) };

#define VEC_INLINE static inline __attribute__((always_inline))

/* Full unrolling of a loop with a constant count. The accumulators of a tile stay in registers only
 * if every loop over them is unrolled. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

VEC_INLINE vec vec_load(const real *from)
{
    return *(const vec *)from;
}

VEC_INLINE void vec_store(real *to, vec v)
{
    *(vec *)to = v;
}

VEC_INLINE vec vec_set1(real x)
{
    return x - (vec){0};
}

/* mask ? a : b, lane by lane; mask is the result of a comparison. */
#define VEC_SELECT(mask, a, b)                                                                     \
    ((vec)(((vec_bits)(mask) & (vec_bits)(a)) | (~(vec_bits)(mask) & (vec_bits)(b))))

#endif
