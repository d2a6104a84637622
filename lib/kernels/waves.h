/*
 * waves.h - the learned waves of a number: sums of cosines with weights, frequencies and phases of
 * their own, and the gradients of these. Frequencies lie on the lanes.
 */
#ifndef TULLE_WAVES_H
#define TULLE_WAVES_H

#include <string.h>

#include "dots.h"
#include "kernels.h"
#include "vec_math.h"
#include "vec_types.h"

#define TWO_PI ((real)6.28318530717958647693)

/* w x comes first: padding then is cos(0) for every x whose waves are numbers. */
VEC_INLINE vec wave_angle(vec w, vec b, real x)
{
    return vec_fma(vec_set1(TWO_PI), w * x, b);
}

/* The cosines of as many samples as there is room for, and then their dots with V's rows. */
static void compute_waves(const struct waves *waves, const void *parameters, const void *x,
                          size_t stride, size_t n, void *to)
{
    _Alignas(VEC_BYTES) real cosines[TULLE_MOST_WAVES];
    size_t row = tulle_padded(waves->frequencies), group = TULLE_MOST_WAVES / row;
    const real *w = parameters, *b = w + row, *v = b + row, *c = v + waves->dimensions * row;
    struct product product = {cosines, v, NULL, row, row, stride, row};
    for (size_t i = 0; i < n; i += group) {
        size_t count = n - i < group ? n - i : group;
        const real *numbers = (const real *)x + i * stride;
        for (size_t f = 0; f < row; f += LANES) {
            vec frequency = vec_load(w + f), phase = vec_load(b + f);
            for (size_t s = 0; s < count; s++)
                vec_store(cosines + s * row + f,
                          vec_cos(wave_angle(frequency, phase, numbers[s * stride])));
        }
        product.c = (real *)to + i * stride;
        for (size_t d = 0; d < waves->dimensions; d++)
            compute_dot_column(&product, 0, count, d, c[d]);
    }
}

/* For the vector of frequencies at f. With z = 2 pi w x + b and r = sum_d g_d V_d, a sample adds
 * g_d cos(z) to the gradient of V_d, -r sin(z) to that of b and 2 pi x times this to that of w. */
VEC_INLINE void add_wave_gradients(const struct waves *waves, const real *parameters, const real *x,
                                   const real *gradient, size_t stride, size_t n, size_t f,
                                   real *sums)
{
    size_t row = tulle_padded(waves->frequencies);
    vec w = vec_load(parameters + f), b = vec_load(parameters + row + f);
    vec w_sum = vec_load(sums + f), b_sum = vec_load(sums + row + f);
    const real *v = parameters + 2 * row + f;
    real *v_sums = sums + 2 * row + f;
    for (size_t i = 0; i < n; i++, x += stride, gradient += stride) {
        vec cosine, sine = vec_sin_cos(wave_angle(w, b, *x), &cosine), below = vec_set1(0);
        for (size_t d = 0; d < waves->dimensions; d++) {
            vec g = vec_set1(gradient[d]);
            below = vec_fma(g, vec_load(v + d * row), below);
            vec_store(v_sums + d * row, vec_fma(g, cosine, vec_load(v_sums + d * row)));
        }
        below *= -sine;
        b_sum += below;
        w_sum = vec_fma(vec_set1(TWO_PI * *x), below, w_sum);
    }
    vec_store(sums + f, w_sum);
    vec_store(sums + row + f, b_sum);
}

/* The padding of V's sums, where cos(0) has been added up, becomes 0 again. */
static void scale_sums(real *sums, size_t used, size_t size, real alpha)
{
    for (size_t i = 0; i < size; i++)
        sums[i] = i < used ? sums[i] * alpha : 0;
}

static void compute_waves_gradient(const struct waves *waves, const void *parameters, const void *x,
                                   const void *gradient, size_t stride, size_t n,
                                   enum sum_part part, void *sums, double alpha)
{
    size_t row = tulle_padded(waves->frequencies), rows = 2 + waves->dimensions;
    real *c_sums = (real *)sums + rows * row;
    if (part & SUM_FIRST)
        memset(sums, 0, tulle_waves_size(waves) * sizeof(real));
    for (size_t f = 0; f < waves->frequencies; f += LANES)
        add_wave_gradients(waves, parameters, x, gradient, stride, n, f, sums);
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < waves->dimensions; d++)
            c_sums[d] += ((const real *)gradient)[i * stride + d];
    if (!(part & SUM_LAST))
        return;
    for (size_t r = 0; r < rows; r++)
        scale_sums((real *)sums + r * row, waves->frequencies, row, (real)alpha);
    scale_sums(c_sums, waves->dimensions, waves->dimensions, (real)alpha);
}

/* With z and r as in add_wave_gradients: sum_f -r_f sin(z_f) 2 pi w_f. */
static void compute_waves_input_gradient(const struct waves *waves, const void *parameters,
                                         const void *x, const void *gradient, size_t stride,
                                         size_t n, void *to)
{
    _Alignas(VEC_BYTES) real slopes[TULLE_MOST_WAVES];
    size_t row = tulle_padded(waves->frequencies);
    const real *w = parameters, *b = w + row, *v = b + row;
    real dot;
    const struct product product = {slopes, w, &dot, row, row, 1, row};
    for (size_t i = 0; i < n * stride; i += stride) {
        const real *from = (const real *)gradient + i;
        for (size_t f = 0; f < row; f += LANES) {
            vec angle = wave_angle(vec_load(w + f), vec_load(b + f), ((const real *)x)[i]);
            vec below = vec_set1(0);
            for (size_t d = 0; d < waves->dimensions; d++)
                below = vec_fma(vec_set1(from[d]), vec_load(v + d * row + f), below);
            vec_store(slopes + f, below * -vec_sin(angle));
        }
        compute_dots(1, &product, 0, 0, 0);
        ((real *)to)[i] += TWO_PI * dot;
    }
}

#endif
