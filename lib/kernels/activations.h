/*
 * activations.h - the activation functions on the vector type.
 *
 * activate_<name>(z, &slope) returns act(z) and sets slope to act'(z): computed together, since
 * they share their costly part, so that the backward pass is a multiplication whatever the
 * activation. To add one: write the function here and a row in TULLE_ACTIVATION_LIST of
 * tulle_trainer.h.
 *
 * Infinities give the limits; where a product would be infinity times 0, z is first bounded by
 * EXP_LIMIT, where the other factor is 0 already. A NaN goes through every one of them: comparisons
 * are arranged so that it takes the branch that keeps z.
 */
#ifndef TULLE_ACTIVATIONS_H
#define TULLE_ACTIVATIONS_H

#include "../../include/tulle.h"
#include "vec_math.h"

/* Two lines that meet at 0: z above it and below * z below it, where the slope `below` of 0 gives 0
 * even for -infinity. */
VEC_INLINE vec activate_lines(vec z, real below, vec *slope)
{
    vec_bits keep = (vec_bits)(vec_set1(below) != 0);
    *slope = VEC_SELECT(z < 0, vec_set1(below), vec_set1(1));
    return VEC_SELECT(z < 0, (vec_bits)(z * below) & keep, z);
}

/* `below` of the activations made of two lines, which products apply to sums in registers; NaN for
 * the others. */
static inline real slope_below_0(enum tulle_activation activation)
{
    switch (activation) {
    case TULLE_ACTIVATION_IDENTITY:
        return 1;
    case TULLE_ACTIVATION_RELU:
        return 0;
    case TULLE_ACTIVATION_LEAKY_RELU:
        return (real)0.01;
    default:
        return NAN;
    }
}

#define DEFINE_LINES(NAME, name)                                                                   \
    VEC_INLINE vec activate_##name(vec z, vec *slope)                                              \
    {                                                                                              \
        return activate_lines(z, slope_below_0(TULLE_ACTIVATION_##NAME), slope);                   \
    }
DEFINE_LINES(IDENTITY, identity)
DEFINE_LINES(RELU, relu)
DEFINE_LINES(LEAKY_RELU, leaky_relu)
#undef DEFINE_LINES

VEC_INLINE vec activate_tanh(vec z, vec *slope)
{
    return vec_tanh_slope(z, slope);
}

/* With e = exp(-|z|): 1 / (1 + e) or, for negative z, e / (1 + e); the slope is e / (1 + e)^2. */
VEC_INLINE vec activate_logistic(vec z, vec *slope)
{
    vec unused, e = vec_exp_negative(-vec_abs(z), &unused), q = 1 / (1 + e);
    *slope = e * q * q;
    return VEC_SELECT(z < 0, e * q, q);
}

/* factor * (z >= 0 ? z : below (exp(z) - 1)) */
VEC_INLINE vec activate_exponential(vec z, double factor, double below, vec *slope)
{
    vec less_1, e = vec_exp_negative(z, &less_1);
    vec above = vec_set1((real)factor), under = vec_set1((real)(factor * below));
    *slope = VEC_SELECT(z < 0, under * e, above);
    return VEC_SELECT(z < 0, under * less_1, above * z);
}

/* Clevert, Unterthiner and Hochreiter, 2016 */
VEC_INLINE vec activate_elu(vec z, vec *slope)
{
    return activate_exponential(z, 1, 1, slope);
}

/* With the constants of Klambauer et al., 2017, which keep mean 0 and variance 1. */
VEC_INLINE vec activate_selu(vec z, vec *slope)
{
    return activate_exponential(z, 1.0507009873554804934, 1.6732632423543772848, slope);
}

/* z as a factor of what vanishes where z goes to -infinity. */
VEC_INLINE vec bounded_below(vec z)
{
    return VEC_SELECT(z < -EXP_LIMIT, vec_set1(-EXP_LIMIT), z);
}

/* z logistic(v), where v rises with z and dv = dv/dz. */
VEC_INLINE vec activate_gated(vec z, vec v, vec dv, vec *slope)
{
    vec gate_slope, gate = activate_logistic(v, &gate_slope);
    *slope = vec_fma(vec_clamp(z, EXP_LIMIT) * dv, gate_slope, gate);
    return bounded_below(z) * gate;
}

VEC_INLINE vec activate_silu(vec z, vec *slope)
{
    return activate_gated(z, z, vec_set1(1), slope);
}

/* (1 + tanh(u)) / 2 is logistic(2 u). */
VEC_INLINE vec activate_gelu_tanh(vec z, vec *slope)
{
    const real linear = (real)1.59576912160573071176; /* 2 sqrt(2 / pi) */
    const real cubic = (real)(1.59576912160573071176 * 0.044715);
    vec bounded = vec_clamp(z, EXP_LIMIT), square = bounded * bounded;
    vec v = bounded * vec_fma(square, vec_set1(cubic), vec_set1(linear));
    vec dv = vec_fma(square, vec_set1(3 * cubic), vec_set1(linear));
    return activate_gated(z, v, dv, slope);
}

/* z times the normal distribution function, whose tail is erfc(|z| / sqrt(2)) / 2; its derivative
 * is the density exp(-z^2 / 2) / sqrt(2 pi). Both have the same exponential (Hendrycks and Gimpel,
 * 2016). */
VEC_INLINE vec activate_gelu(vec z, vec *slope)
{
    vec bounded = vec_clamp(z, EXP_LIMIT), e = vec_exp_square(bounded, (real)-0.5);
    vec tail = (real)0.5 * e * vec_erfcx(vec_abs(bounded) * (real)0.70710678118654752440);
    vec share = VEC_SELECT(z < 0, tail, 1 - tail);
    *slope = vec_fma(bounded * (real)0.39894228040143267794, e, share);
    return bounded_below(z) * share;
}

/* With w = exp(2 z) + 2 exp(z), tanh(log(1 + exp(z))) = w / (w + 2), whose derivative is 4 exp(z)
 * (exp(z) + 1) / (w + 2)^2. For z above 0 all is divided by powers of exp(z), so that e =
 * exp(-|z|) will do and nothing overflows (Misra, 2019). */
VEC_INLINE vec activate_mish(vec z, vec *slope)
{
    vec unused, e = vec_exp_negative(-vec_abs(z), &unused);
    vec w = VEC_SELECT(z < 0, e * (e + 2), 2 * e + 1);
    vec q = 1 / vec_fma(VEC_SELECT(z < 0, vec_set1(1), e * e), vec_set1(2), w);
    vec gate = w * q, gate_slope = 4 * (e * (e + 1)) * VEC_SELECT(z < 0, vec_set1(1), e) * q * q;
    *slope = vec_fma(vec_clamp(z, EXP_LIMIT), gate_slope, gate);
    return bounded_below(z) * gate;
}

/* max(0, z) + log(1 + exp(-|z|)) */
VEC_INLINE vec activate_softplus(vec z, vec *slope)
{
    vec unused, e = vec_exp_negative(-vec_abs(z), &unused);
    *slope = activate_logistic(z, &unused);
    return VEC_SELECT(z < 0, vec_set1(0), z) + vec_log1p_unit(e);
}

VEC_INLINE vec activate_sine(vec z, vec *slope)
{
    return vec_sin_cos(z, slope);
}

#endif
