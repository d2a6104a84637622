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

#include <stddef.h>
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

/* The lanes from `first` of `count` on are 0: lane i of the vector at `from` is element first + i.
 * The lanes that are left out are loaded too, so they must be there. */
VEC_INLINE vec vec_load_first(const real *from, size_t count, size_t first)
{
    vec_bits index;
    UNROLL
    for (int i = 0; i < LANES; i++)
        index[i] = (bits)(first + (size_t)i);
    return (vec)((vec_bits)vec_load(from) & (vec_bits)(index < (bits)count));
}

/* The sum of the lanes: the upper half onto the lower, until one is left. Halves of a vector are
 * taken through memory of its own type, which compilers turn into single instructions. */
VEC_INLINE real vec_sum(vec v)
{
    typedef real half8 __attribute__((vector_size(8 * sizeof(real))));
    typedef real half4 __attribute__((vector_size(4 * sizeof(real))));
    typedef real half2 __attribute__((vector_size(2 * sizeof(real))));
    union {
        vec whole;
        half8 eight[2];
        half4 four[2];
        half2 two[2];
        real one[2];
    } u = {v};
    if (LANES == 16)
        u.eight[0] += u.eight[1];
    if (LANES >= 8)
        u.four[0] += u.four[1];
    if (LANES >= 4)
        u.two[0] += u.two[1];
    return u.one[0] + u.one[1];
}

/* Four numbers, for moving them about. Not passed to functions or returned from them: not every
 * target has registers of that size. */
typedef real quad __attribute__((vector_size(4 * sizeof(real))));
typedef bits quad_bits __attribute__((vector_size(4 * sizeof(real))));

/* Lanes i, j, k, l of the eight that a and b make. */
#if defined(__clang__)
#define QUAD_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define QUAD_SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, (quad_bits){i, j, k, l})
#endif

/* mask ? a : b, lane by lane; mask is the result of a comparison. */
#define VEC_SELECT(mask, a, b)                                                                     \
    ((vec)(((vec_bits)(mask) & (vec_bits)(a)) | (~(vec_bits)(mask) & (vec_bits)(b))))

#endif
