/*
 * losses.h - the losses: gradient_<name>(loss, sample) multiplies a sample's slopes by the
 * derivatives of its loss by its outputs, and by its weight, and returns the loss; cross-entropy
 * has a function for many samples instead. To add one: write the function here, a line
 * DEFINE_LOSSES below and a row in TULLE_LOSS_LIST of tulle_trainer.h.
 *
 * Losses are added up in double, one output after the other, but for the exponentials of
 * cross-entropy. A target that is NaN or that the loss is not defined for makes the loss NaN.
 */
#ifndef TULLE_LOSSES_H
#define TULLE_LOSSES_H

#include <string.h>

#include "activations.h"
#include "dots.h"
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

/* --- Losses of many samples, each by itself -------------------------------------------------- */

/* n samples; losses (n) are written, each times its weight. */
struct samples {
    const struct loss *loss;
    const real *outputs, *targets;
    size_t n, stride, count, row_targets;
    const double *weights; /* NULL for 1 */
    real *slope;
    double *losses;
};

VEC_INLINE double weight_of(const struct samples *s, size_t i)
{
    return s->weights ? s->weights[i] : 1;
}

#define DEFINE_LOSSES(name)                                                                        \
    static void losses_##name(const struct samples *s)                                             \
    {                                                                                              \
        for (size_t i = 0; i < s->n; i++) {                                                        \
            const struct sample sample = {s->outputs + i * s->stride,                              \
                                          s->targets + i * s->row_targets, s->count,               \
                                          (real)weight_of(s, i), s->slope + i * s->stride};        \
            s->losses[i] = weight_of(s, i) * gradient_##name(s->loss, &sample);                    \
        }                                                                                          \
    }
DEFINE_LOSSES(given)
DEFINE_LOSSES(mse)
DEFINE_LOSSES(mae)
DEFINE_LOSSES(huber)
DEFINE_LOSSES(quantile)
DEFINE_LOSSES(poisson)
DEFINE_LOSSES(gamma)
DEFINE_LOSSES(binary_cross_entropy)
#undef DEFINE_LOSSES

/* --- Cross-entropy --------------------------------------------------------------------------- */

/*
 * With e_k = exp(o_k - maximum) and S their sum, the loss is log(S) - sum t_k (o_k - maximum), and
 * the derivative by o_k is e_k / S - t_k. One e_k is 1, and where a network is sure the others are
 * next to nothing: they are added up apart, so that log(S) = log1p(S - 1) and e_y / S - t_y keep
 * their digits.
 *
 * Each step of this waits for the one before, so up to TOGETHER samples take it side by side, if
 * their exponentials fit in KEPT numbers. A sample with more classes goes piece by piece, and its
 * exponentials are found twice.
 */
enum { TOGETHER = 32, KEPT = 1024 };

struct softmax {
    size_t class; /* the target; SIZE_MAX where it is none */
    real maximum, e_y;
    double ones, others; /* how many e_k are 1, and the sum of the others */
};

/* Numbers k to k + LANES - 1 of a row of n, padded; -infinity behind the last. */
VEC_INLINE vec row_load(const real *row, size_t k, size_t n)
{
    static const real numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    vec number;
    memcpy(&number, numbers, sizeof number);
    return VEC_SELECT(number < (real)(n - k), vec_load(row + k), vec_set1((real)-INFINITY));
}

/* The largest of n numbers, padded; -infinity if all are NaN. */
VEC_INLINE real row_maximum(const real *row, size_t n)
{
    _Alignas(VEC_BYTES) real lanes[LANES];
    vec maximum = vec_set1((real)-INFINITY);
    for (size_t k = 0; k < n; k += LANES) {
        vec x = row_load(row, k, n);
        maximum = VEC_SELECT(x > maximum, x, maximum);
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

static void begin_softmax(const struct samples *s, struct softmax *x)
{
    for (size_t i = 0; i < s->n; i++) {
        real y = s->targets[i];
        int is_class = y >= 0 && y < (real)s->count && (real)(size_t)y == y;
        real maximum = row_maximum(s->outputs + i * s->stride, s->count);
        x[i] = (struct softmax){.class = is_class ? (size_t)y : SIZE_MAX, .maximum = maximum};
    }
}

/* A piece of every sample's row: n numbers from the output `begin` on. Their e_k are in `exps`, one
 * sample's behind the other's, each in whole vectors. */
struct piece {
    size_t begin, n, room;
    real *exps;
};

/* With 0 in the rest of a vector, if the maximum is a number. */
static void find_exps(const struct samples *s, const struct softmax *x, const struct piece *piece)
{
    const size_t n = piece->n, count = s->n * piece->room;
    real *exps = piece->exps;
    for (size_t i = 0; i < s->n; i++) {
        const real *row = s->outputs + i * s->stride + piece->begin;
        for (size_t k = 0; k < n; k += LANES)
            vec_store(exps + i * piece->room + k, row_load(row, k, n) - x[i].maximum);
    }
    for (size_t k = 0; k < count; k += LANES) {
        vec unused;
        vec_store(exps + k, vec_exp_negative(vec_load(exps + k), &unused));
    }
}

static void add_exps(const struct samples *s, struct softmax *x, const struct piece *piece)
{
    const size_t begin = piece->begin, n = piece->n;
    const real *exps = piece->exps;
    for (size_t i = 0; i < s->n; i++, x++, exps += piece->room) {
        vec ones = {0}, others[DOT_VECS] = {{0}};
        for (size_t k = 0; k < n; k += TULLE_ROW_PAD) {
            UNROLL
            for (size_t j = 0; j < DOT_VECS; j++) {
                if (k + j * LANES >= n)
                    break;
                vec e = vec_load(exps + k + j * LANES);
                vec_bits is_1 = (vec_bits)(e == 1);
                ones += (vec)(is_1 & (vec_bits)vec_set1(1));
                others[j] += (vec)(~is_1 & (vec_bits)e);
            }
        }
        x->ones += vec_sum(ones);
        x->others += sum_dot(others);
        if (x->class - begin < n)
            x->e_y = exps[x->class - begin];
    }
}

/* slope *= weight * (e_k / S - t_k). With t_y = 1 - d, e_y / S - t_y is (e_y - S) / S + d. */
static void end_softmax(const struct samples *s, const struct softmax *x, const struct piece *piece)
{
    const size_t n = piece->n;
    const real *exps = piece->exps;
    double smoothing = s->loss->label_smoothing, share = smoothing / (double)s->count;
    for (size_t i = 0; i < s->n; i++, x++, exps += piece->room) {
        real weight = (real)weight_of(s, i), *slope = s->slope + i * s->stride + piece->begin;
        double inverse = 1 / (x->ones + x->others);
        double less = x->e_y - x->ones - x->others; /* e_y - S */
        real by_y = (real)(less * inverse + (smoothing - share));
        size_t y = x->class - piece->begin;
        real slope_y = y < n ? slope[y] * (by_y * weight) : 0;
        for (size_t k = 0; k < n; k += LANES) {
            vec gradient = vec_load(exps + k) * (real)inverse - (real)share;
            vec_store(slope + k, vec_load(slope + k) * (gradient * weight));
        }
        if (y < n)
            slope[y] = slope_y;
    }
}

static void find_softmax_losses(const struct samples *s, const struct softmax *x)
{
    _Alignas(VEC_BYTES) real logs[TOGETHER] = {0};
    double smoothing = s->loss->label_smoothing, share = smoothing / (double)s->count;
    for (size_t i = 0; i < s->n; i++)
        logs[i] = (real)(x[i].ones - 1 + x[i].others);
    for (size_t i = 0; i < s->n; i += LANES)
        vec_store(logs + i, vec_log1p(vec_load(logs + i)));
    for (size_t i = 0; i < s->n; i++) {
        const real *o = s->outputs + i * s->stride;
        double spread = 0, by_y = NAN;
        for (size_t k = 0; smoothing > 0 && k < s->count; k++)
            spread += o[k] - x[i].maximum;
        if (x[i].class < s->count)
            by_y = (1 - smoothing) * (o[x[i].class] - x[i].maximum);
        s->losses[i] = weight_of(s, i) * (logs[i] - by_y - share * spread);
    }
}

static struct piece make_piece(const struct samples *s, size_t begin, real *exps)
{
    size_t n = s->count - begin < KEPT ? s->count - begin : KEPT;
    return (struct piece){begin, n, (n + LANES - 1) / LANES * LANES, exps};
}

/* Of as many samples as may go together. */
static void softmax_together(const struct samples *s)
{
    _Alignas(VEC_BYTES) real exps[KEPT];
    struct softmax x[TOGETHER];
    begin_softmax(s, x);
    for (size_t begin = 0; begin < s->count; begin += KEPT) {
        const struct piece piece = make_piece(s, begin, exps);
        find_exps(s, x, &piece);
        add_exps(s, x, &piece);
    }
    find_softmax_losses(s, x);
    for (size_t begin = 0; begin < s->count; begin += KEPT) {
        const struct piece piece = make_piece(s, begin, exps);
        if (s->count > KEPT) /* else they are still there */
            find_exps(s, x, &piece);
        end_softmax(s, x, &piece);
    }
}

static void losses_cross_entropy(const struct samples *s)
{
    size_t room = make_piece(s, 0, NULL).room,
           most = KEPT / room < TOGETHER ? KEPT / room : TOGETHER;
    for (size_t first = 0; first < s->n; first += most) {
        struct samples some = *s;
        some.n = s->n - first < most ? s->n - first : most;
        some.outputs += first * s->stride;
        some.targets += first;
        some.weights = s->weights ? s->weights + first : NULL;
        some.slope += first * s->stride;
        some.losses += first;
        softmax_together(&some);
    }
}

/* --- The table's member ---------------------------------------------------------------------- */

static void compute_losses(const struct loss *loss, const void *outputs, size_t stride,
                           const void *targets, const double *weights, size_t n, size_t count,
                           void *slope, double *losses)
{
    const struct samples samples = {.loss = loss,
                                    .outputs = outputs,
                                    .targets = targets,
                                    .n = n,
                                    .stride = stride,
                                    .count = count,
                                    .row_targets = tulle_loss_targets(loss, count),
                                    .weights = weights,
                                    .slope = slope,
                                    .losses = losses};
    if (loss->is_given) {
        losses_given(&samples);
        return;
    }
    switch (loss->kind) {
#define LOSS_CASE(NAME, value, name, formula)                                                      \
    case TULLE_LOSS_##NAME:                                                                        \
        losses_##name(&samples);                                                                   \
        break;
        TULLE_LOSS_LIST(LOSS_CASE)
#undef LOSS_CASE
    case TULLE_LOSS_AUTO:
        break;
    }
}

#endif
