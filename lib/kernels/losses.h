/*
 * losses.h - the losses: gradient_<name>(loss, sample) multiplies a sample's slopes by the
 * derivatives of its loss by its outputs, and by its weight, and returns the loss. To add one:
 * write the function here and a row in TULLE_LOSS_LIST of tulle_trainer.h.
 *
 * Losses are added up in double, one output after the other. A target that is NaN or that the loss
 * is not defined for makes the loss NaN.
 */
#ifndef TULLE_LOSSES_H
#define TULLE_LOSSES_H

#include <string.h>

#include "activations.h"
#include "kernels.h"

struct sample {
    const real *outputs; /* (count), padded */
    const real *targets; /* (tulle_loss_targets) */
    size_t count;
    real weight;
    real *slope; /* as outputs */
};

/* --- Losses of plain arithmetic -------------------------------------------------------------- */

VEC_INLINE double gradient_given(const struct loss *loss, const struct sample *s)
{
    (void)loss;
    for (size_t o = 0; o < s->count; o++)
        s->slope[o] *= s->targets[o] * s->weight;
    return 0;
}

VEC_INLINE double gradient_mse(const struct loss *loss, const struct sample *s)
{
    double sum = 0;
    (void)loss;
    for (size_t o = 0; o < s->count; o++) {
        real difference = s->outputs[o] - s->targets[o];
        s->slope[o] *= difference * s->weight;
        sum += (double)difference * (double)difference;
    }
    return sum;
}

VEC_INLINE double gradient_mae(const struct loss *loss, const struct sample *s)
{
    double sum = 0;
    (void)loss;
    for (size_t o = 0; o < s->count; o++) {
        real difference = s->outputs[o] - s->targets[o];
        s->slope[o] *= (real)((difference > 0) - (difference < 0)) * s->weight;
        sum += fabs((double)difference);
    }
    return sum;
}

/* Huber, 1964 */
VEC_INLINE double gradient_huber(const struct loss *loss, const struct sample *s)
{
    double delta = loss->huber_delta, sum = 0;
    for (size_t o = 0; o < s->count; o++) {
        real difference = s->outputs[o] - s->targets[o];
        double size = fabs((double)difference);
        int is_far = size > delta;
        s->slope[o] *= (is_far ? (real)copysign(delta, difference) : difference) * s->weight;
        sum += is_far ? delta * (size - 0.5 * delta) : 0.5 * (size * size);
    }
    return sum;
}

/* Koenker and Bassett, 1978 */
VEC_INLINE double gradient_quantile(const struct loss *loss, const struct sample *s)
{
    double sum = 0;
    for (size_t o = 0; o < s->count; o++) {
        double quantile = loss->quantiles[o % loss->quantile_count];
        real difference = s->outputs[o] - s->targets[o / loss->quantile_count];
        double rate = difference > 0 ? 1 - quantile : difference < 0 ? -quantile : 0;
        s->slope[o] *= (real)rate * s->weight;
        sum += difference == 0 ? 0 : (difference > 0 ? 1 - quantile : -quantile) * difference;
    }
    return sum;
}

/* --- Losses by vectors, an output at a time -------------------------------------------------- */

/* The losses of outputs o with the targets y, and their derivatives by o. */
typedef vec vector_loss(const struct loss *loss, vec o, vec y, vec *gradient);

/* Where vectors reach into the padding their targets are 1, which every loss is defined for. */
VEC_INLINE double gradient_by_vectors(vector_loss *vector_loss, const struct loss *loss,
                                      const struct sample *s)
{
    _Alignas(VEC_BYTES) real lanes[LANES];
    double sum = 0;
    for (size_t o = 0; o < s->count; o += LANES) {
        size_t used = s->count - o < LANES ? s->count - o : LANES;
        vec_store(lanes, vec_set1(1));
        memcpy(lanes, s->targets + o, used * sizeof *lanes);
        vec gradient,
            value = vector_loss(loss, vec_load(s->outputs + o), vec_load(lanes), &gradient);
        vec_store(s->slope + o, vec_load(s->slope + o) * (gradient * s->weight));
        vec_store(lanes, value);
        for (size_t i = 0; i < used; i++)
            sum += lanes[i];
    }
    return sum;
}

VEC_INLINE vec vector_poisson(const struct loss *loss, vec o, vec y, vec *gradient)
{
    vec mean = vec_exp(o);
    (void)loss;
    *gradient = mean - y;
    return VEC_SELECT(y >= 0, vec_fma(-y, o, mean), vec_set1((real)NAN));
}

VEC_INLINE vec vector_gamma(const struct loss *loss, vec o, vec y, vec *gradient)
{
    vec ratio = y * vec_exp(-o);
    (void)loss;
    *gradient = 1 - ratio;
    return VEC_SELECT(y > 0, o + ratio, vec_set1((real)NAN));
}

/* With e = exp(-|o|) the loss is log(1 + e) + (max(0, o) - t o), and the derivative logistic(o) -
 * t, which for o >= 0 is (1 - t) - e / (1 + e): nothing cancels where t is 0 or 1. */
VEC_INLINE vec vector_binary_cross_entropy(const struct loss *loss, vec o, vec y, vec *gradient)
{
    real smoothing = (real)loss->label_smoothing;
    vec t = vec_fma(y, vec_set1(1 - smoothing), vec_set1(smoothing * (real)0.5));
    vec unused, e = vec_exp_negative(-vec_abs(o), &unused), tail = e / (1 + e);
    *gradient = VEC_SELECT(o < 0, tail - t, (1 - t) - tail);
    vec line = vec_fma(-t, o, VEC_SELECT(o < 0, vec_set1(0), o));
    return VEC_SELECT((y >= 0) & (y <= 1), vec_log1p_unit(e) + line, vec_set1((real)NAN));
}

VEC_INLINE double gradient_poisson(const struct loss *loss, const struct sample *s)
{
    return gradient_by_vectors(vector_poisson, loss, s);
}

VEC_INLINE double gradient_gamma(const struct loss *loss, const struct sample *s)
{
    return gradient_by_vectors(vector_gamma, loss, s);
}

VEC_INLINE double gradient_binary_cross_entropy(const struct loss *loss, const struct sample *s)
{
    return gradient_by_vectors(vector_binary_cross_entropy, loss, s);
}

/* --- Cross-entropy --------------------------------------------------------------------------- */

/* The largest of n numbers, padded; -infinity if all are NaN. */
VEC_INLINE real row_maximum(const real *row, size_t n)
{
    static const real numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    _Alignas(VEC_BYTES) real lanes[LANES];
    vec maximum = vec_set1((real)-INFINITY);
    memcpy(lanes, numbers, sizeof lanes);
    vec number = vec_load(lanes);
    for (size_t i = 0; i < n; i += LANES) {
        vec x = vec_load(row + i);
        maximum = VEC_SELECT((x > maximum) & (number < (real)(n - i)), x, maximum);
    }
    vec_store(lanes, maximum);
    UNROLL
    for (size_t width = LANES / 2; width > 0; width /= 2) {
        UNROLL
        for (size_t i = 0; i < width; i++)
            lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
    }
    return lanes[0];
}

/* to[i] = exp(row[i] - maximum) for n numbers; at most 1 in the padding. */
VEC_INLINE void row_exp(const real *row, size_t n, real maximum, real *to)
{
    for (size_t i = 0; i < n; i += LANES) {
        vec unused, x = vec_load(row + i) - maximum;
        vec_store(to + i, vec_exp_negative(VEC_SELECT(x > 0, vec_set1(0), x), &unused));
    }
}

/*
 * With e_k = exp(o_k - maximum) and S their sum, the loss is log(S) - sum t_k (o_k - maximum), and
 * the derivative by o_k is e_k / S - t_k. One e_k is 1, so that log(S) = log1p(S - 1) is exact
 * where a network is sure; for the same reason e_y / S - t_y is taken from S in double.
 */
VEC_INLINE double gradient_cross_entropy(const struct loss *loss, const struct sample *s)
{
    enum { PIECE_OF_ROW = 256 };
    _Alignas(VEC_BYTES) real piece[PIECE_OF_ROW];
    const real *o = s->outputs;
    size_t count = s->count;
    real y = s->targets[0], maximum = row_maximum(o, count);
    size_t class = y >= 0 && y < (real)count ? (size_t)y : count;
    if (class == count || (real) class != y)
        return NAN;
    double sum = 0, spread = 0, e_y = 0;
    for (size_t i = 0; i < count; i += PIECE_OF_ROW) {
        size_t n = count - i < PIECE_OF_ROW ? count - i : PIECE_OF_ROW;
        row_exp(o + i, n, maximum, piece);
        for (size_t k = 0; k < n; k++)
            sum += piece[k];
        for (size_t k = 0; loss->label_smoothing > 0 && k < n; k++)
            spread += o[i + k] - maximum;
        e_y = class >= i && class - i < n ? piece[class - i] : e_y;
    }

    double inverse = 1 / sum, share = loss->label_smoothing / (double)count;
    double t_y = 1 - loss->label_smoothing + share;
    real slope_y = s->slope[class] * ((real)((e_y - sum * t_y) * inverse) * s->weight);
    for (size_t i = 0; i < count; i += PIECE_OF_ROW) {
        size_t n = count - i < PIECE_OF_ROW ? count - i : PIECE_OF_ROW;
        if (count > PIECE_OF_ROW) /* else they are still there */
            row_exp(o + i, n, maximum, piece);
        for (size_t k = 0; k < n; k += LANES) {
            real *slope = s->slope + i + k;
            vec gradient = vec_load(piece + k) * (real)inverse - (real)share;
            vec_store(slope, vec_load(slope) * (gradient * s->weight));
        }
    }
    s->slope[class] = slope_y;
    return vec_log1p(vec_set1((real)(sum - 1)))[0] -
           (1 - loss->label_smoothing) * (o[class] - maximum) - share * spread;
}

/* --- The table's member ---------------------------------------------------------------------- */

#define EACH_SAMPLE(name)                                                                          \
    for (size_t i = 0; i < n; i++) {                                                               \
        double weight = weights ? weights[i] : 1;                                                  \
        const struct sample sample = {(const real *)outputs + i * stride,                          \
                                      (const real *)targets + i * row_targets, count,              \
                                      (real)weight, (real *)slope + i * stride};                   \
        losses[i] = weight * gradient_##name(loss, &sample);                                       \
    }

static void compute_losses(const struct loss *loss, const void *outputs, size_t stride,
                           const void *targets, const double *weights, size_t n, size_t count,
                           void *slope, double *losses)
{
    size_t row_targets = tulle_loss_targets(loss, count);
    if (loss->is_given) {
        EACH_SAMPLE(given)
        return;
    }
    switch (loss->kind) {
#define LOSS_CASE(NAME, value, name, formula)                                                      \
    case TULLE_LOSS_##NAME:                                                                        \
        EACH_SAMPLE(name)                                                                          \
        break;
        TULLE_LOSS_LIST(LOSS_CASE)
#undef LOSS_CASE
    case TULLE_LOSS_AUTO:
        break;
    }
}
#undef EACH_SAMPLE

#endif
