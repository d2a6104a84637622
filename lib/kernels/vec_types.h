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
#define REAL_SQRT sqrt
#else
typedef float real;
typedef uint32_t bits;
#define REAL_FMA fmaf
#define REAL_SQRT sqrtf
#endif

typedef real vec __attribute__((vector_size(VEC_BYTES)));
typedef bits vec_bits __attribute__((vector_size(VEC_BYTES)));

enum { LANES = VEC_BYTES / sizeof(real) };

#define VEC_INLINE static inline __attribute__((always_inline))

/* Full unrolling of a loop with a constant count. The accumulators of a tile stay in registers only
 * if every loop over them is unrolled. Compilers do not unroll without optimisation; sanitizers
 * would take minutes to compile what it makes, and check loops as well. */
#if !defined(__OPTIMIZE__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNROLL
#elif defined(__clang__)
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

/*
 * Groups of four lanes, for transposing 4 x 4 blocks side by side: 32 bytes of them where vectors
 * have that, as two such shuffles go as fast as one of 64, and else one group. Not passed to
 * functions or returned from them: not every target has registers of that size.
 */
#define QUADS (VEC_BYTES >= 32 && !REAL_IS_F64 ? 2 : 1)
typedef real quads __attribute__((vector_size(4 * QUADS * sizeof(real))));
typedef bits quads_bits __attribute__((vector_size(4 * QUADS * sizeof(real))));

/* QUADS_LOAD(from, row): group g is the four numbers at from + 4 g row, which need not be aligned.
 * Two groups there are on x86-64 alone, whose instruction compilers do not find by themselves. */
#if QUADS == 1
typedef real unaligned_quads __attribute__((vector_size(sizeof(quads)), aligned(sizeof(real))));
#define QUADS_LOAD(from, row) (*(const unaligned_quads *)(from))
#else
#define QUADS_LOAD(from, row)                                                                      \
    ((quads)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)),                       \
                                 _mm_loadu_ps((from) + 4 * (row)), 1))
#endif

/* In each group lanes i, j, k, l of the eight that a's group and b's make. */
#define QUADS_LANE(group, x) (4 * (group) + (x) % 4 + 4 * QUADS * ((x) / 4))
#define QUADS_FOUR(g, i, j, k, l)                                                                  \
    QUADS_LANE(g, i), QUADS_LANE(g, j), QUADS_LANE(g, k), QUADS_LANE(g, l)
#if VEC_BYTES >= 32 && !REAL_IS_F64
#define QUADS_INDEX(i, j, k, l) QUADS_FOUR(0, i, j, k, l), QUADS_FOUR(1, i, j, k, l)
#else
#define QUADS_INDEX(i, j, k, l) QUADS_FOUR(0, i, j, k, l)
#endif
#if defined(__clang__)
#define QUADS_SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, QUADS_INDEX(i, j, k, l))
#else
#define QUADS_SHUFFLE(a, b, i, j, k, l)                                                            \
    __builtin_shuffle(a, b, (quads_bits){QUADS_INDEX(i, j, k, l)})
#endif

/* mask ? a : b, lane by lane; mask is the result of a comparison. */
#define VEC_SELECT(mask, a, b)                                                                     \
    ((vec)(((vec_bits)(mask) & (vec_bits)(a)) | (~(vec_bits)(mask) & (vec_bits)(b))))

#endif
