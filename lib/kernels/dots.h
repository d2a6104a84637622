/*
 * dots.h - dot products of rows on the vector type: TULLE_ROW_PAD interleaved partial sums, and
 * then those pairwise.
 */
#ifndef TULLE_DOTS_H
#define TULLE_DOTS_H

#include "kernels.h"
#include "vec_types.h"

/* Rows of dots that go together: 4 hide the latency of their sums, unless they need more registers
 * than there are. */
enum { DOT_VECS = TULLE_ROW_PAD / LANES, DOT_ROWS = DOT_VECS > 2 ? 2 : 4 };

/* The interleaved sums pairwise. */
VEC_INLINE real sum_dot(vec *sum)
{
    UNROLL
    for (size_t j = 4; j < DOT_VECS; j++)
        sum[j - 4] += sum[j];
    UNROLL
    for (size_t j = 2; j < 4 && j < DOT_VECS; j++)
        sum[j - 2] += sum[j];
    if (DOT_VECS > 1)
        sum[0] += sum[DOT_VECS > 1];
    return vec_sum(sum[0]);
}

/* C's elements (m, n) to (m + rows - 1, n), over k numbers whose padding is 0. */
VEC_INLINE void compute_dots(size_t rows, const struct product *product, size_t m, size_t n,
                             real bias)
{
    vec sum[DOT_ROWS][DOT_VECS] = {{{0}}};
    size_t a_row = product->a_row;
    const real *a = (const real *)product->a + m * a_row;
    const real *b = (const real *)product->b + n * product->b_row;
    for (const real *end = b + product->k; b < end; a += TULLE_ROW_PAD, b += TULLE_ROW_PAD) {
        UNROLL
        for (size_t r = 0; r < rows; r++) {
            UNROLL
            for (size_t j = 0; j < DOT_VECS; j++)
                sum[r][j] = vec_fma(vec_load(a + r * a_row + j * LANES), vec_load(b + j * LANES),
                                    sum[r][j]);
        }
    }
    UNROLL
    for (size_t r = 0; r < rows; r++) {
        ((real *)product->c)[(m + r) * product->c_row + n] = bias + sum_dot(sum[r]);
    }
}

/* C's elements (begin, n) to (end - 1, n). */
static void compute_dot_column(const struct product *product, size_t begin, size_t end, size_t n,
                               real bias)
{
    size_t m = begin;
    for (; m + DOT_ROWS <= end; m += DOT_ROWS)
        compute_dots(DOT_ROWS, product, m, n, bias);
    for (; m < end; m++)
        compute_dots(1, product, m, n, bias);
}

#endif
