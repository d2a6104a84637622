/* normal.c - normal deviates by rational functions (Wichura, The percentage points of the normal
 * distribution, algorithm AS 241, 1988: PPND16). */
#include "../base/portability.h"

#include <math.h>
#include <stddef.h>

#include "normal.h"

/*
 * -log(x) for 0 < x < 1/4, so that terms do not cancel. With x = 2^e m and m in [sqrt(1/2),
 * sqrt(2)), log(m) = 2 artanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...) for s = (m - 1) / (m + 1). Since
 * s^2 < 0.0295, the first term left out, s^25 / 25, is below 1e-19.
 */
static double minus_log(double x)
{
    const double ln2_high = 0x1.62e42fefa3800p-1; /* 40 bits of ln 2: times e it is exact */
    const double ln2_low = 0x1.ef35793c76730p-45;
    int e;
    double m = frexp(x, &e);
    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    double s = (m - 1) / (m + 1), square = s * s, series = 0;
    for (int k = 23; k >= 3; k -= 2)
        series = (series + 1.0 / k) * square;
    return -(e * ln2_high + (e * ln2_low + 2 * (s + s * series)));
}

static double polynomial(const double coefficients[8], double x)
{
    double sum = coefficients[7];
    for (size_t i = 7; i-- > 0;)
        sum = sum * x + coefficients[i];
    return sum;
}

/* Three ranges: the middle, by the distance from 1/2, and the tails, near and far, by
 * sqrt(-log(p)). Each has the coefficients of a numerator and a denominator, ascending. */
double tulle_normal_quantile(double p)
{
    static const double middle[2][8] = {
        {3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3,
         1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
         3.3430575583588128105e+4, 2.5090809287301226727e+3},
        {1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
         2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4,
         5.2264952788528545610e+3}};
    static const double near[2][8] = {
        {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
         3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
         2.27238449892691845833e-2, 7.74545014278341407640e-4},
        {1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
         1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
         1.05075007164441684324e-9}};
    static const double far[2][8] = {
        {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
         2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
         2.71155556874348757815e-5, 2.01033439929228813265e-7},
        {1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
         7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
         2.04426310338993978564e-15}};

    double q = p - 0.5;
    if (fabs(q) <= 0.425) {
        double r = 0.180625 - q * q;
        return q * polynomial(middle[0], r) / polynomial(middle[1], r);
    }
    double r = sqrt(minus_log(q < 0 ? p : 1 - p));
    int is_near = r <= 5;
    const double(*tail)[8] = is_near ? near : far;
    r -= is_near ? 1.6 : 5;
    double deviate = polynomial(tail[0], r) / polynomial(tail[1], r);
    return q < 0 ? -deviate : deviate;
}
