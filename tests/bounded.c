/* bounded.c - activations and losses, and how far rounding takes them. */
#include <float.h>
#include <stdlib.h>

#include "bounded.h"

/* What the kernels' functions are off by, in units of rounding: test_activations.c checks that. */
enum { OF_FUNCTIONS = 8 };

/* --- Activations ------------------------------------------------------------------------------ */

/* The largest second derivative, rounded up, and how far the first one jumps at 0. */
static const struct {
    double curvature, jump;
} shapes[] = {
    [TULLE_ACTIVATION_IDENTITY] = {0, 0},   [TULLE_ACTIVATION_RELU] = {0, 1},
    [TULLE_ACTIVATION_LEAKY_RELU] = {0, 1}, [TULLE_ACTIVATION_TANH] = {1, 0},
    [TULLE_ACTIVATION_LOGISTIC] = {1, 0},   [TULLE_ACTIVATION_ELU] = {1, 0},
    [TULLE_ACTIVATION_SELU] = {2, 1},       [TULLE_ACTIVATION_SILU] = {1, 0},
    [TULLE_ACTIVATION_MISH] = {1, 0},       [TULLE_ACTIVATION_GELU] = {1, 0},
    [TULLE_ACTIVATION_GELU_TANH] = {1, 0},  [TULLE_ACTIVATION_SOFTPLUS] = {1, 0},
    [TULLE_ACTIVATION_SINE] = {1, 0},
};

/* How much errors of rounding grow on their way through powers of z into an exponential. */
static double condition(enum tulle_activation activation, double z)
{
    return activation == TULLE_ACTIVATION_GELU_TANH ? 1 + fabs(z) + fabs(z * z * z)
           : activation == TULLE_ACTIVATION_GELU    ? 1 + z * z
                                                    : 1;
}

struct bounded_unit bounded_unit(enum tulle_type precision, enum tulle_activation activation,
                                 struct bounded z, const double *mix)
{
    double slope, act = naive_activation(activation, z.value, &slope);
    double unit = rounding_unit(precision), least = least_size(precision);
    double rounding = OF_FUNCTIONS * unit * condition(activation, z.value);
    double tiny = least * (1 + z.value * z.value);
    /* How much the slope may change within the bounds of z. */
    double spread = shapes[activation].curvature * z.error +
                    (fabs(z.value) <= z.error ? shapes[activation].jump : 0);
    if (z.error == 0)
        spread = 0;
    double act_error = rounding * fabs(act) + tiny;
    double slope_size = fabs(slope) + (z.value != 0 ? fabs(act / z.value) : 0);
    double slope_error = rounding * slope_size + tiny;
    if (!mix)
        return (struct bounded_unit){
            .out = {act, (fabs(slope) + spread) * z.error + act_error, 0},
            .slope = {slope, spread + slope_error, 0},
        };
    double a = *mix, gap = act - z.value, tilt = 1 + a * (slope - 1);
    double gap_rounding = act_error + unit * fabs(gap);
    double tilt_error = fabs(a) * slope_error + 3 * unit * (1 + fabs(a) * (1 + fabs(slope)));
    return (struct bounded_unit){
        .out = {z.value + a * gap, (fabs(tilt) + fabs(a) * spread) * z.error +
                                       fabs(a) * gap_rounding +
                                       3 * unit * (fabs(z.value) + fabs(a * gap))},
        .slope = {tilt, fabs(a) * spread + tilt_error},
        .gap = {gap, (fabs(slope - 1) + spread) * z.error + gap_rounding},
    };
}

/* --- Losses ----------------------------------------------------------------------------------- */

/* How far a loss's derivative by o may change within the bounds of o. */
static double gradient_spread(enum tulle_loss loss, struct bounded o, double y)
{
    int may_be_equal = o.error > 0 && fabs(o.value - y) <= o.error;
    switch (loss) {
    case TULLE_LOSS_MAE:
        return may_be_equal ? 2 : 0;
    case TULLE_LOSS_QUANTILE:
        return may_be_equal ? 1 : 0;
    case TULLE_LOSS_POISSON:
        return exp(o.value) * expm1(o.error);
    case TULLE_LOSS_GAMMA:
        return y * exp(-o.value) * expm1(o.error);
    default: /* the second derivative is at most 1 */
        return o.error;
    }
}

/* What is rounded on the way to the derivative and to the loss, where that is more than they are
 * themselves. */
static void rounded_sizes(enum tulle_loss loss, double o, double y, double *of_gradient,
                          double *of_loss)
{
    if (loss == TULLE_LOSS_POISSON) {
        *of_gradient = exp(o) + y;
        *of_loss = exp(o) + fabs(y * o);
    } else if (loss == TULLE_LOSS_GAMMA) {
        *of_gradient = 1 + y * exp(-o);
        *of_loss = fabs(o) + y * exp(-o);
    } else {
        int is_binary = loss == TULLE_LOSS_BINARY_CROSS_ENTROPY;
        *of_gradient = is_binary ? 2 : 0;
        *of_loss = is_binary ? 1 + 2 * fabs(o) : 0;
    }
}

/* Probabilities change by factors of exp(2 error) at most. Each exponential has the rounding of
 * what it is of, which is at most `range` below the largest output. */
static double cross_entropy_errors(const struct naive_criterion *c, size_t classes, double unit,
                                   const struct bounded *o, struct bounded *gradient)
{
    double error = 0, highest = o[0].value, lowest = o[0].value;
    for (size_t k = 0; k < classes; k++) {
        error = fmax(error, o[k].error);
        highest = fmax(highest, o[k].value);
        lowest = fmin(lowest, o[k].value);
    }
    double range = highest - lowest, steps = OF_FUNCTIONS + (double)classes + range;
    for (size_t k = 0; k < classes; k++) {
        double probability = fabs(gradient[k].value) + 1; /* or less */
        gradient[k].error = probability * (expm1(2 * error) + steps * unit);
    }
    return 2 * error + steps * unit * (1 + range * (1 + c->label_smoothing));
}

struct bounded bounded_sample_loss(enum tulle_type precision, const struct naive_criterion *c,
                                   size_t outputs, const struct bounded *o, const double *y,
                                   struct bounded *gradient)
{
    double unit = rounding_unit(precision), error = 0, size = 0;
    double *values = calloc(2 * outputs, sizeof *values), *slopes = values + outputs;
    if (!values)
        abort();
    for (size_t i = 0; i < outputs; i++)
        values[i] = o[i].value;
    double loss = naive_sample_loss(c, outputs, values, y, slopes);
    for (size_t i = 0; i < outputs; i++)
        gradient[i] = exact(slopes[i]);
    free(values);
    if (c->loss == TULLE_LOSS_CROSS_ENTROPY)
        return (struct bounded){loss, cross_entropy_errors(c, outputs, unit, o, gradient), 0};
    for (size_t i = 0; i < outputs; i++) {
        double target = y[i / (outputs / naive_targets(c, outputs))], of_gradient, of_loss;
        double spread = gradient_spread(c->loss, o[i], target);
        rounded_sizes(c->loss, o[i].value, target, &of_gradient, &of_loss);
        error += (2 * fabs(gradient[i].value) + 2 * spread) * o[i].error; /* of mse twice */
        gradient[i].error =
            spread + OF_FUNCTIONS * unit * fmax(of_gradient, fabs(gradient[i].value));
        size += of_loss;
    }
    return (struct bounded){loss, error + OF_FUNCTIONS * unit * fmax(size, fabs(loss)), 0};
}
