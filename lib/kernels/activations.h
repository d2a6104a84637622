/*
 * activations.h - the activation functions on the vector type.
 *
 * activate_<name>(z, &slope) returns act(z) and sets slope to act'(z): computed together, since
 * they share their costly part, so that the backward pass is a multiplication whatever the
 * activation. To add one: write the function here and a row in TULLE_ACTIVATION_LIST of tulle.h.
 *
 * A NaN goes through every one of them: comparisons are arranged so that it takes the branch that
 * keeps z.
 */
#ifndef TULLE_ACTIVATIONS_H
#define TULLE_ACTIVATIONS_H

#include "../../include/tulle.h"
#include "vec_types.h"

#if REAL_IS_F64
#define SIGNIFICAND_BITS 52
#define EXPONENT_BIAS 1023
#define EXP_LIMIT 708.0                /* exp(+-708) is a normal number */
#define ROUND_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */
#define LN2_HIGH 0x1.62e42fefa3800p-1  /* ln 2 in 40 bits, so that n * LN2_HIGH is exact */
#define LN2_LOW 0x1.ef35793c76730p-45  /* and the rest of it */
#define LOG2_E 0x1.71547652b82fep+0
#define EXPM1_DEGREE 13
#else
#define SIGNIFICAND_BITS 23
#define EXPONENT_BIAS 127
#define EXP_LIMIT 87.0f
#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23 */
#define LN2_HIGH 0x1.62e4p-1f   /* 15 bits */
#define LN2_LOW 0x1.7f7d1cp-20f
#define LOG2_E 0x1.715476p+0f
#define EXPM1_DEGREE 7
#endif

VEC_INLINE vec vec_abs(vec x)
{
    return (vec)((vec_bits)x & ~(vec_bits)vec_set1((real)-0.0));
}

VEC_INLINE vec vec_copy_sign(vec magnitude, vec sign)
{
    return (vec)((vec_bits)magnitude | ((vec_bits)sign & (vec_bits)vec_set1((real)-0.0)));
}

/*
 * For |x| <= EXP_LIMIT: returns p = exp(r) - 1 and sets *power to 2^n, where x = n ln 2 + r and
 * |r| <= ln(2) / 2, so that exp(x) = 2^n + 2^n p.
 *
 * n is x / ln 2 rounded by adding and subtracting 1.5 * 2^(significand bits), which leaves n in the
 * low bits of the sum, from where a shift makes it an exponent. p is Taylor's polynomial in
 * Horner's form: the first term left out is below r * 0.35^DEGREE / (DEGREE + 1)!, a quarter of a
 * unit in the last place in f32 and a tenth in f64.
 */
VEC_INLINE vec vec_exp_reduced(vec x, vec *power)
{
    static const real inverse_factorial[] = {
        (real)(1.0 / 2),        (real)(1.0 / 6),         (real)(1.0 / 24),
        (real)(1.0 / 120),      (real)(1.0 / 720),       (real)(1.0 / 5040),
        (real)(1.0 / 40320),    (real)(1.0 / 362880),    (real)(1.0 / 3628800),
        (real)(1.0 / 39916800), (real)(1.0 / 479001600), (real)(1.0 / 6227020800)};

    vec shifted = vec_fma(x, vec_set1(LOG2_E), vec_set1(ROUND_MAGIC));
    vec n = shifted - ROUND_MAGIC;
    *power = (vec)(((vec_bits)shifted + EXPONENT_BIAS) << SIGNIFICAND_BITS);

    vec r = vec_fma(n, vec_set1(-LN2_HIGH), x);
    r = vec_fma(n, vec_set1(-LN2_LOW), r);
    vec p = vec_set1(inverse_factorial[EXPM1_DEGREE - 2]);
    UNROLL
    for (int i = EXPM1_DEGREE - 3; i >= 0; i--)
        p = vec_fma(p, r, vec_set1(inverse_factorial[i]));
    return vec_fma(r * r, p, r);
}

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

/* With p = exp(2|z|) - 1: tanh|z| = p / (p + 2), tanh' = 4 (p + 1) / (p + 2)^2. No term cancels:
 * p has its full precision near 0, where 2^n is 1. */
VEC_INLINE vec activate_tanh(vec z, vec *slope)
{
    vec x = vec_abs(z) + vec_abs(z), power;
    x = VEC_SELECT(x > EXP_LIMIT / 2, vec_set1(EXP_LIMIT / 2), x);
    vec p = vec_exp_reduced(x, &power);
    p = vec_fma(power, p, power - 1);
    vec q = 1 / (p + 2);
    *slope = 4 * ((p + 1) * q) * q;
    return vec_copy_sign(p * q, z);
}

/* With e = exp(-|z|): 1 / (1 + e) or, for negative z, e / (1 + e); the slope is e / (1 + e)^2. */
VEC_INLINE vec activate_logistic(vec z, vec *slope)
{
    vec x = -vec_abs(z), power;
    x = VEC_SELECT(x < -EXP_LIMIT, vec_set1(-EXP_LIMIT), x);
    vec p = vec_exp_reduced(x, &power);
    vec e = vec_fma(power, p, power);
    vec q = 1 / (1 + e);
    *slope = e * q * q;
    return VEC_SELECT(z < 0, e * q, q);
}

#endif
