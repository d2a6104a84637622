/*
 * spline.h - the learned piecewise-linear function of a number, and its gradient. Dimensions lie on
 * the lanes.
 *
 * Of bin t the function has got the share e_t(x) = min(1, max(0, (x - k_t) / (k_(t+1) - k_t))), and
 * is sum_t e_t(x) W_t (Gorishniy et al., 2022). All bins before that of x count whole, and none
 * behind it.
 */
#ifndef TULLE_SPLINE_H
#define TULLE_SPLINE_H

#include <string.h>

#include "dots.h"
#include "kernels.h"
#include "vec_types.h"

/* The bin of x, the last one whose first knot is not above it, or else the first one. */
static size_t find_bin(const real *knots, size_t bins, real x)
{
    size_t bin = 0;
    for (size_t left = bins; left > 1;) {
        size_t half = left / 2;
        bin = knots[bin + half] <= x ? bin + half : bin;
        left -= half;
    }
    return bin;
}

/* What x has of its bin; 0 where it is no number. */
static real share_of_bin(const real *knots, size_t bin, real x)
{
    real share = (x - knots[bin]) / (knots[bin + 1] - knots[bin]);
    return share > 1 ? 1 : share > 0 ? share : 0;
}

static void compute_spline(const struct spline *spline, const void *knots, const void *parameters,
                           const void *x, size_t stride, size_t n, void *to)
{
    size_t row = tulle_padded(spline->dimensions); /* of W */
    for (size_t i = 0; i < n; i++) {
        real number = ((const real *)x)[i * stride], *out = (real *)to + i * stride;
        size_t bin = find_bin(knots, spline->bins, number);
        vec share = vec_set1(share_of_bin(knots, bin, number));
        for (size_t d = 0; d < spline->dimensions; d += LANES) {
            const real *w = (const real *)parameters + d;
            size_t count = spline->dimensions - d < LANES ? spline->dimensions - d : LANES;
            vec sum = vec_set1(0);
            for (size_t t = 0; t < bin; t++, w += row)
                sum += vec_load(w);
            sum = vec_fma(share, vec_load(w), sum);
            memcpy(out + d, &sum, count * sizeof *out);
        }
    }
}

static void compute_spline_gradient(const struct spline *spline, const void *knots, const void *x,
                                    const void *gradient, size_t stride, size_t n,
                                    enum sum_part part, void *sums, double alpha)
{
    size_t row = tulle_padded(spline->dimensions); /* of W */
    if (part & SUM_FIRST)
        memset(sums, 0, tulle_spline_size(spline) * sizeof(real));
    for (size_t i = 0; i < n; i++) {
        real number = ((const real *)x)[i * stride];
        const real *from = (const real *)gradient + i * stride;
        size_t bin = find_bin(knots, spline->bins, number);
        vec share = vec_set1(share_of_bin(knots, bin, number));
        for (size_t d = 0; d < spline->dimensions; d += LANES) {
            real *w = (real *)sums + d;
            size_t count = spline->dimensions - d < LANES ? spline->dimensions - d : LANES;
            vec g = vec_set1(0);
            memcpy(&g, from + d, count * sizeof *from);
            for (size_t t = 0; t < bin; t++, w += row)
                vec_store(w, vec_load(w) + g);
            vec_store(w, vec_fma(share, g, vec_load(w)));
        }
    }
    for (size_t i = 0; part & SUM_LAST && i < tulle_spline_size(spline); i += LANES)
        vec_store((real *)sums + i, vec_set1((real)alpha) * vec_load((real *)sums + i));
}

/* Where x lies in bin t, sum_d g_d W_td / (k_(t+1) - k_t); it is flat beyond the knots. */
static void compute_spline_input_gradient(const struct spline *spline, const void *knots,
                                          const void *parameters, const void *x,
                                          const void *gradient, size_t stride, size_t n, void *to)
{
    _Alignas(VEC_BYTES) real padded[TULLE_MOST_WAVES]; /* a row of gradients */
    const real *ends = knots;
    size_t row = tulle_padded(spline->dimensions); /* of W */
    real dot;
    memset(padded, 0, row * sizeof *padded);
    for (size_t i = 0; i < n * stride; i += stride) {
        real number = ((const real *)x)[i];
        size_t bin = find_bin(ends, spline->bins, number);
        if (!(number >= ends[bin] && number < ends[bin + 1]))
            continue;
        memcpy(padded, (const real *)gradient + i, spline->dimensions * sizeof *padded);
        const real *w = (const real *)parameters + bin * row;
        compute_dots(1, &(struct product){padded, w, &dot, row, row, 1, row}, 0, 0, 0);
        ((real *)to)[i] += dot / (ends[bin + 1] - ends[bin]);
    }
}

#endif
