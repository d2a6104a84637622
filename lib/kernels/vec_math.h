/*
 * vec_math.h - exp, log, tanh, erf, sin and their kin on the vector type.
 *
 * Made of + - * /, fused multiply-adds, comparisons and integer operations alone, without a branch,
 * so that a number's result depends neither on its neighbours nor on the machine. Series are
 * Taylor's, in Horner's form, with as many terms as leave out less than rounding does. Results are
 * within 2 units in the last place, denormals included (tests/test_elementary.c tries every float);
 * NaN gives NaN.
 */
#ifndef TULLE_VEC_MATH_H
#define TULLE_VEC_MATH_H

#include "vec_types.h"

#if REAL_IS_F64
#define SIGNIFICAND_BITS 52
#define EXPONENT_BIAS 1023
#define EXP_LIMIT 708.0                /* exp(+-708) is a normal number */
#define EXP_HIGHEST 710.0              /* exp of this is infinite */
#define EXP_LOWEST (-746.0)            /* and of this 0 */
#define ROUND_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */
#define LN2_HIGH 0x1.62e42fefa3800p-1  /* ln 2 in 40 bits, so that n * LN2_HIGH is exact */
#define LN2_LOW 0x1.ef35793c76730p-45  /* and the rest of it */
#define LOG2_E 0x1.71547652b82fep+0
#define TWO_OVER_PI 0x1.45f306dc9c883p-1
#define HALF_PI_HIGH 0x1.921fb54442d18p+0 /* pi / 2 in three parts, each rounded to nearest */
#define HALF_PI_MIDDLE 0x1.1a62633145c07p-54
#define HALF_PI_LOW (-0x1.f1976b7ed8fbcp-110)
#define SMALLEST_NORMAL 0x1p-1022
#else
#define SIGNIFICAND_BITS 23
#define EXPONENT_BIAS 127
#define EXP_LIMIT 87.0f
#define EXP_HIGHEST 90.0f
#define EXP_LOWEST (-105.0f)
#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23 */
#define LN2_HIGH 0x1.62e4p-1f   /* 15 bits */
#define LN2_LOW 0x1.7f7d1cp-20f
#define LOG2_E 0x1.715476p+0f
#define TWO_OVER_PI 0x1.45f306p-1f
#define HALF_PI_HIGH 0x1.921fb6p+0f
#define HALF_PI_MIDDLE (-0x1.777a5cp-25f)
#define HALF_PI_LOW (-0x1.ee59dap-50f)
#define SMALLEST_NORMAL 0x1p-126f
#endif

/* Beyond this neighbouring numbers are more than 1/8 apart. */
#define SIN_LIMIT ((real)((bits)1 << (SIGNIFICAND_BITS - 3)))

VEC_INLINE vec vec_abs(vec x)
{
    return (vec)((vec_bits)x & ~(vec_bits)vec_set1((real)-0.0));
}

VEC_INLINE vec vec_copy_sign(vec magnitude, vec sign)
{
    return (vec)((vec_bits)magnitude | ((vec_bits)sign & (vec_bits)vec_set1((real)-0.0)));
}

/* x within +-limit; NaN stays. */
VEC_INLINE vec vec_clamp(vec x, real limit)
{
    return VEC_SELECT(vec_abs(x) > limit, vec_copy_sign(vec_set1(limit), x), x);
}

/* terms[0] + terms[1] x + ... of count >= 1 terms. */
VEC_INLINE vec vec_polynomial(vec x, const real *terms, int count)
{
    vec sum = vec_set1(terms[count - 1]);
    UNROLL
    for (int i = count - 2; i >= 0; i--)
        sum = vec_fma(sum, x, vec_set1(terms[i]));
    return sum;
}

/* --- Exponentials ---------------------------------------------------------------------------- */

/*
 * For x within EXP_LOWEST..EXP_HIGHEST: returns p = exp(r) - 1, where x = n ln 2 + r and |r| <=
 * ln(2) / 2, so that exp(x) = 2^n + 2^n p. n is in the low bits of *shifted; what rounding takes
 * from r is added to p.
 *
 * n is x / ln 2 rounded by adding and subtracting 1.5 * 2^(significand bits). The first term left
 * out of the series is below r * 0.35^7 / 8! (in f64 0.35^13 / 14!), a quarter of a unit in the
 * last place in f32 and a tenth in f64.
 */
VEC_INLINE vec vec_exp_series(vec x, vec_bits *shifted)
{
    static const real inverse_factorial[] = {
        (real)(1.0 / 2),        (real)(1.0 / 6),         (real)(1.0 / 24),
        (real)(1.0 / 120),      (real)(1.0 / 720),       (real)(1.0 / 5040),
        (real)(1.0 / 40320),    (real)(1.0 / 362880),    (real)(1.0 / 3628800),
        (real)(1.0 / 39916800), (real)(1.0 / 479001600), (real)(1.0 / 6227020800)};

    vec sum = vec_fma(x, vec_set1(LOG2_E), vec_set1(ROUND_MAGIC)), n = sum - ROUND_MAGIC;
    *shifted = (vec_bits)sum;
    vec high = vec_fma(n, vec_set1(-LN2_HIGH), x), r = vec_fma(n, vec_set1(-LN2_LOW), high);
    vec low = vec_fma(n, vec_set1(-LN2_LOW), high - r);
    return r + vec_fma(r * r, vec_polynomial(r, inverse_factorial, REAL_IS_F64 ? 12 : 6), low);
}

/* For |x| <= EXP_LIMIT: p as above, and *power = 2^n. */
VEC_INLINE vec vec_exp_reduced(vec x, vec *power)
{
    vec_bits shifted;
    vec p = vec_exp_series(x, &shifted);
    *power = (vec)((shifted + EXPONENT_BIAS) << SIGNIFICAND_BITS);
    return p;
}

/* For x <= 0: exp(x), but 0 where it is no normal number any more; *less_1 is exp(x) - 1. */
VEC_INLINE vec vec_exp_negative(vec x, vec *less_1)
{
    vec power, p = vec_exp_reduced(x, &power);
    vec_bits is_0 = (vec_bits)(x < -EXP_LIMIT);
    *less_1 = VEC_SELECT(is_0, vec_set1(-1), vec_fma(power, p, power - 1));
    return VEC_SELECT(is_0, vec_set1(0), vec_fma(power, p, power));
}

/*
 * For all x: p as above, and 2^n as *half times *rest, as it may be out of range itself: n is half
 * of n rounded down and half of it rounded up. A product with *rest rounds once more only where the
 * result is denormal.
 */
VEC_INLINE vec vec_exp_halves(vec x, vec *half, vec *rest)
{
    vec_bits shifted;
    x = VEC_SELECT(x > EXP_HIGHEST, vec_set1(EXP_HIGHEST), x);
    x = VEC_SELECT(x < EXP_LOWEST, vec_set1(EXP_LOWEST), x);
    vec p = vec_exp_series(x, &shifted);
    *half = (vec)(((shifted + 2 * EXPONENT_BIAS) >> 1) << SIGNIFICAND_BITS);
    *rest = (vec)(((shifted + 2 * EXPONENT_BIAS + 1) >> 1) << SIGNIFICAND_BITS);
    return p;
}

VEC_INLINE vec vec_exp(vec x)
{
    vec half, rest, p = vec_exp_halves(x, &half, &rest);
    return vec_fma(half, p, half) * rest;
}

/* 2^n (1 + p) - 1 = half (p + 1 - 2^-n) rest, where p is exact for n = 0. */
VEC_INLINE vec vec_expm1(vec x)
{
    vec half, rest, p = vec_exp_halves(x, &half, &rest);
    vec inverse_rest =
        (vec)((((vec_bits){0} + 2 * EXPONENT_BIAS) << SIGNIFICAND_BITS) - (vec_bits)rest);
    return vec_copy_sign(vec_fma(half, p, half - inverse_rest) * rest, x);
}

/* With p = exp(2|x|) - 1: tanh|x| = p / (p + 2), and *slope = tanh' = 4 (p + 1) / (p + 2)^2. No
 * term cancels: p has its full precision near 0, where 2^n is 1. t is improved by what the division
 * by the unrounded p + 2 leaves. */
VEC_INLINE vec vec_tanh_slope(vec x, vec *slope)
{
    vec y = vec_abs(x) + vec_abs(x), power;
    vec p = vec_exp_reduced(VEC_SELECT(y > EXP_LIMIT, vec_set1(EXP_LIMIT), y), &power);
    p = vec_fma(power, p, power - 1);
    vec q = 1 / (p + 2), t = p * q;
    *slope = 4 * ((p + 1) * q) * q;
    return vec_copy_sign(vec_fma(q, vec_fma(-t, p, vec_fma(t, vec_set1(-2), p)), t), x);
}

VEC_INLINE vec vec_tanh(vec x)
{
    vec slope;
    return vec_tanh_slope(x, &slope);
}

/* --- Logarithms ------------------------------------------------------------------------------ */

/*
 * k ln 2 + log(1 + f) for 1 + f from sqrt(1/2) to sqrt(2): with s = f / (2 + f), log(1 + f) =
 * 2 artanh(s) = 2 s + s R, R = 2/3 s^2 + 2/5 s^4 + ..., and 2 s = f - s f. The first term left out
 * of R is below 2 s * 0.0295^5 / 11 (in f64 0.0295^11 / 23).
 */
VEC_INLINE vec vec_log_series(vec f, vec k)
{
    static const real odd[] = {
        (real)(2.0 / 3),  (real)(2.0 / 5),  (real)(2.0 / 7),  (real)(2.0 / 9),  (real)(2.0 / 11),
        (real)(2.0 / 13), (real)(2.0 / 15), (real)(2.0 / 17), (real)(2.0 / 19), (real)(2.0 / 21)};
    vec s = f / (2 + f), z = s * s;
    vec rest = f - z * vec_polynomial(z, odd, REAL_IS_F64 ? 10 : 4);
    return vec_fma(k, vec_set1(LN2_HIGH), f) + vec_fma(-s, rest, k * LN2_LOW);
}

/* For normal x > 0: k and m = x / 2^k from sqrt(1/2) to sqrt(2); *scale is 2^-k, and of no use for
 * x near the largest number. The bits of x less those of sqrt(1/2) have k as their exponent. */
VEC_INLINE vec vec_split(vec x, vec *k, vec *scale)
{
    const vec_bits root = (vec_bits)vec_set1((real)0.70710678118654752440);
    const vec_bits fraction = (vec_bits){0} + (((bits)1 << SIGNIFICAND_BITS) - 1);
    const vec_bits one = (vec_bits)vec_set1(1), integer = (vec_bits)vec_set1(ROUND_MAGIC);
    vec_bits offset = (vec_bits)x - root + one, biased = offset >> SIGNIFICAND_BITS;
    *k = (vec)(integer + biased) - (ROUND_MAGIC + EXPONENT_BIAS);
    *scale = (vec)((2 * EXPONENT_BIAS - biased) << SIGNIFICAND_BITS);
    return (vec)((offset & fraction) + root);
}

/* What log gives for 0, infinity and numbers below 0. */
VEC_INLINE vec vec_log_special(vec x, vec log)
{
    log = VEC_SELECT(x == (real)INFINITY, x, log);
    return VEC_SELECT(x > 0, log,
                      VEC_SELECT(x == 0, vec_set1((real)-INFINITY), vec_set1((real)NAN)));
}

VEC_INLINE vec vec_log(vec x)
{
    const real up = (real)((bits)1 << SIGNIFICAND_BITS);
    vec k, scale, normal = VEC_SELECT(x < SMALLEST_NORMAL, x * up, x);
    vec m = vec_split(normal, &k, &scale);
    k = VEC_SELECT(x < SMALLEST_NORMAL, k - SIGNIFICAND_BITS, k);
    return vec_log_special(x, vec_log_series(m - 1, k));
}

/* 1 + x is u, rounded, and what rounding took is added to the reduced number (Knuth's sum of two:
 * The Art of Computer Programming 2, 4.2.2). It is nothing where u has no room for the 1. */
VEC_INLINE vec vec_log1p(vec x)
{
    vec k, scale, u = 1 + x, m = vec_split(u, &k, &scale);
    vec x_in_u = u - 1, lost = (1 - (u - x_in_u)) + (x - x_in_u);
    lost = VEC_SELECT(u < 1 / (real)SMALLEST_NORMAL, lost * scale, vec_set1(0));
    return vec_copy_sign(vec_log_special(u, vec_log_series(m - 1 + lost, k)), x);
}

/* The same for x from 0 to 1, as it is there with k = 0 or 1. */
VEC_INLINE vec vec_log1p_unit(vec x)
{
    vec_bits is_half = (vec_bits)(x > (real)0.41421356237309504880);
    vec f = VEC_SELECT(is_half, vec_fma(x, vec_set1((real)0.5), vec_set1((real)-0.5)), x);
    return vec_log_series(f, VEC_SELECT(is_half, vec_set1(1), vec_set1(0)));
}

/* --- The error function ---------------------------------------------------------------------- */

/*
 * exp(t^2) erfc(t) for t >= 0, as q = 1 / (1 + t / 4) times a polynomial in p = 2 q - 1, by which
 * a half-line becomes an interval (as Shepherd and Laframboise, 1981, do with another t). The terms
 * are those of scripts/erfcx_terms.py, for t up to where exp(-t^2) is no normal number any more; it
 * finds an error of 2^-29 in f32 and 2^-59 in f64, relative. q is improved by what a division by
 * the unrounded 1 + t / 4 leaves.
 */
VEC_INLINE vec vec_erfcx(vec t)
{
#if REAL_IS_F64
    static const real terms[] = {
        0x1.18932bf08e154p-2,   0x1.f3fe31ecb49bfp-3,   0x1.8be202d26c707p-3,
        0x1.14eacb1ad034fp-3,   0x1.52cac2371007ap-4,   0x1.645fd8a4bb5ebp-5,
        0x1.38dbd2c8e8c74p-6,   0x1.b00c052c92cfap-8,   0x1.908f471d892e7p-10,
        0x1.269b515355ae3p-14,  -0x1.dd28411cb6fd2p-14, -0x1.72cd9f35ef597p-15,
        -0x1.e7f5a949f751cp-21, 0x1.3c6dfd00f5992p-18,  0x1.3b2209f231752p-20,
        -0x1.7e37d327de957p-22, -0x1.c80a92efb2c90p-23, 0x1.443e1290c3f13p-26,
        0x1.148c0e84d915cp-25,  -0x1.ab3d43be0640bp-32, -0x1.4a70a3407bed1p-28,
        0x1.e8fede6b4b9a1p-33,  0x1.4047c5472c97fp-31,  -0x1.120b71dccd582p-33};
#else
    static const real terms[] = {0x1.18932cp-2f,  0x1.f3fe32p-3f,  0x1.8be206p-3f,  0x1.14eac6p-3f,
                                 0x1.52ca10p-4f,  0x1.646382p-5f,  0x1.38ed30p-6f,  0x1.aed8f4p-8f,
                                 0x1.925166p-10f, 0x1.f90c0ep-14f, -0x1.9dc198p-13f};
#endif
    vec quarter = t * (real)0.25, q = 1 / (1 + quarter);
    vec left = q * vec_fma(-q, quarter, 1 - q);
    vec p = 2 * left + vec_fma(q, vec_set1(2), vec_set1(-1));
    return (q + left) * vec_polynomial(p, terms, (int)(sizeof terms / sizeof *terms));
}

/* exp(factor x^2) for finite x and a factor that is -1 times a power of two; 0 where it is no
 * normal number. x^2 is large where this is small, so what rounding takes from it counts: exp(a +
 * b) is nearly exp(a) (1 + b). */
VEC_INLINE vec vec_exp_square(vec x, real factor)
{
    vec square = x * x, lost = vec_fma(x, x, -square), unused;
    vec e = vec_exp_negative(square * factor, &unused);
    return vec_fma(e, lost * factor, e);
}

/* Near 0 the series 2 / sqrt(pi) (x - x^3 / 3 + x^5 / (2! 5) - ...), and else 1 - erfc(|x|). The
 * first term left out is below 0.75^18 / (9! 19) (in f64 0.75^30 / (15! 31)). */
VEC_INLINE vec vec_erf(vec x)
{
#define ERF_TERM(sign, factorial, odd)                                                             \
    (real)(sign 1.12837916709551257390 / ((double)(factorial) * (odd)))
    static const real terms[] = {
        (real)0.12837916709551257390, /* less 1, so that x itself is added last, unrounded */
        ERF_TERM(-, 1, 3),
        ERF_TERM(+, 2, 5),
        ERF_TERM(-, 6, 7),
        ERF_TERM(+, 24, 9),
        ERF_TERM(-, 120, 11),
        ERF_TERM(+, 720, 13),
        ERF_TERM(-, 5040, 15),
        ERF_TERM(+, 40320, 17),
        ERF_TERM(-, 362880, 19),
        ERF_TERM(+, 3628800, 21),
        ERF_TERM(-, 39916800, 23),
        ERF_TERM(+, 479001600, 25),
        ERF_TERM(-, 6227020800, 27),
        ERF_TERM(+, 87178291200, 29)};
#undef ERF_TERM
    vec t = vec_clamp(vec_abs(x), EXP_LIMIT), z = x * x;
    vec far = vec_copy_sign(vec_fma(-vec_exp_square(t, -1), vec_erfcx(t), vec_set1(1)), x);
    vec near = vec_fma(x, vec_polynomial(z, terms, REAL_IS_F64 ? 15 : 9), x);
    return VEC_SELECT(t < (real)0.75, near, far);
}

/* --- Sine and cosine ------------------------------------------------------------------------- */

/*
 * sin(x), and *cosine; NaN beyond +-SIN_LIMIT. With n the whole number next to |x| / (pi / 2) and r
 * the rest, n's two lowest bits tell which of +-sin(r) and +-cos(r) they are. r is |x| less n times
 * pi / 2 in three parts (Cody and Waite, 1980), of which the first difference is exact, and n times
 * what the parts leave out is nothing even beside the smallest r. The first terms left out are
 * below 0.8^10 / 11! and 0.8^12 / 12! (in f64 0.8^18 / 19! and 0.8^18 / 18!).
 */
VEC_INLINE vec vec_sin_cos(vec x, vec *cosine)
{
    static const real odd[] = {(real)(-1.0 / 6),
                               (real)(1.0 / 120),
                               (real)(-1.0 / 5040),
                               (real)(1.0 / 362880),
                               (real)(-1.0 / 39916800),
                               (real)(1.0 / 6227020800),
                               (real)(-1.0 / 1307674368000),
                               (real)(1.0 / 355687428096000)};
    static const real even[] = {(real)(1.0 / 24),
                                (real)(-1.0 / 720),
                                (real)(1.0 / 40320),
                                (real)(-1.0 / 3628800),
                                (real)(1.0 / 479001600),
                                (real)(-1.0 / 87178291200),
                                (real)(1.0 / 20922789888000)};
    vec y = VEC_SELECT(vec_abs(x) > SIN_LIMIT, vec_set1((real)NAN), vec_abs(x));
    vec sum = vec_fma(y, vec_set1(TWO_OVER_PI), vec_set1(ROUND_MAGIC)), n = sum - ROUND_MAGIC;
    vec r = vec_fma(n, vec_set1(-HALF_PI_HIGH), y);
    r = vec_fma(n, vec_set1(-HALF_PI_MIDDLE), r);
    r = vec_fma(n, vec_set1(-HALF_PI_LOW), r);

    vec z = r * r, half = z * (real)0.5, first = 1 - half;
    vec s = vec_fma(r * z, vec_polynomial(z, odd, REAL_IS_F64 ? 8 : 4), r);
    vec c =
        vec_fma(z * z, vec_polynomial(z, even, REAL_IS_F64 ? 7 : 4), (1 - first) - half) + first;

    vec_bits quarter = (vec_bits)sum, sign = (vec_bits)vec_set1((real)-0.0);
    vec_bits is_odd = -(quarter & 1);
    vec_bits sine_sign = ((quarter >> 1) << (8 * sizeof(real) - 1)) ^ ((vec_bits)x & sign);
    vec_bits cosine_sign = ((quarter + 1) >> 1) << (8 * sizeof(real) - 1);
    *cosine = (vec)((vec_bits)VEC_SELECT(is_odd, s, c) ^ cosine_sign);
    return (vec)((vec_bits)VEC_SELECT(is_odd, c, s) ^ sine_sign);
}

VEC_INLINE vec vec_sin(vec x)
{
    vec cosine;
    return vec_sin_cos(x, &cosine);
}

VEC_INLINE vec vec_cos(vec x)
{
    vec cosine;
    vec_sin_cos(x, &cosine);
    return cosine;
}

#endif
