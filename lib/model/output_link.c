/* output_link.c - from a network's outputs to predictions in the targets' own units. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "output_link.h"

size_t tulle_target_predictions(const struct tulle_model_info *info, size_t target)
{
    if (tulle_is_of_classes(info->loss))
        return info->targets[target].levels.count;
    return info->quantile_count ? info->quantile_count : 1;
}

size_t tulle_most_probable(const double *probabilities, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (probabilities[c] > probabilities[best])
            best = c;
    return best;
}

/* 0, or NaN where x is not finite: added to what exp makes of x, so that a sum that overflowed does
 * not look like certainty. */
static double nan_unless_finite(double x)
{
    return x - x;
}

/* Held within the range of training where the target is to be; but an output that is not finite
 * stays visible. */
static double clamp(const struct tulle_column *target, double output, double prediction)
{
    if (!target->is_clamped || !isfinite(output))
        return prediction;
    return prediction < target->minimum   ? target->minimum
           : prediction > target->maximum ? target->maximum
                                          : prediction;
}

/* Whether it is not what it would be. */
static int is_held(const struct tulle_column *target, double output, double prediction)
{
    return clamp(target, output, prediction) != prediction && !isnan(prediction);
}

/* A mean of 0 leaves an output of -0 what it is: the bits of a trainer, whose targets have no
 * units. */
static double in_own_units(const struct tulle_column *target, double output)
{
    double centred = output * target->scale;
    return target->mean == 0 ? centred : centred + target->mean;
}

static void scale_outputs(const void *context, const double *outputs, double *predictions)
{
    const struct tulle_model_info *info = ((const struct model_link *)context)->info;
    size_t each = tulle_target_predictions(info, 0);
    for (size_t t = 0; t < info->target_count; t++) {
        const struct tulle_column *target = &info->targets[t];
        for (size_t k = t * each; k < (t + 1) * each; k++)
            predictions[k] = clamp(target, outputs[k], in_own_units(target, outputs[k]));
    }
}

static void exp_outputs(const void *context, const double *outputs, double *predictions)
{
    const struct model_link *link = context;
    size_t targets = link->info->target_count;
    for (size_t t = 0; t < targets; t++)
        predictions[t] = outputs[t];
    link->kernels->elementary(ELEMENTARY_EXP, predictions, targets);
    for (size_t t = 0; t < targets; t++) {
        const struct tulle_column *target = &link->info->targets[t];
        double prediction = predictions[t] * target->scale + nan_unless_finite(outputs[t]);
        predictions[t] = clamp(target, outputs[t], prediction);
    }
}

/* 1 - p and p = 1 / (1 + exp(-o)) of each target, by e = exp(-|o|) <= 1: the larger is 1 / (1 + e),
 * and e / (1 + e) the smaller, with all its digits. */
static void logistic_outputs(const void *context, const double *outputs, double *predictions)
{
    const struct model_link *link = context;
    size_t targets = link->info->target_count;
    for (size_t t = 0; t < targets; t++)
        predictions[t] = -fabs(outputs[t]);
    link->kernels->elementary(ELEMENTARY_EXP, predictions, targets);
    for (size_t t = targets;
         t-- > 0;) { /* from the last: what is read lies before what is written */
        double o = outputs[t], e = predictions[t] + nan_unless_finite(o);
        predictions[2 * t + (o >= 0)] = 1 / (1 + e);
        predictions[2 * t + !(o >= 0)] = e / (1 + e);
    }
}

/* exp(o_k) / sum exp(o_j), both divided by the exponential of the largest, so that none overflows
 * and the sum is at least 1. */
static void softmax_outputs(const void *context, const double *outputs, double *predictions)
{
    const struct model_link *link = context;
    size_t classes = tulle_target_predictions(link->info, 0);
    double largest = outputs[tulle_most_probable(outputs, classes)], sum = 0;
    for (size_t k = 0; k < classes; k++)
        predictions[k] = outputs[k] - largest;
    link->kernels->elementary(ELEMENTARY_EXP, predictions, classes);
    for (size_t k = 0; k < classes; k++)
        sum += predictions[k] + nan_unless_finite(outputs[k]);
    for (size_t k = 0; k < classes; k++)
        predictions[k] /= sum;
}

struct output_link tulle_model_link(const struct model_link *link)
{
    struct output_link result = {link->info->prediction_count, scale_outputs, link};
    if (link->info->loss == TULLE_LOSS_POISSON || link->info->loss == TULLE_LOSS_GAMMA)
        result.apply = exp_outputs;
    else if (link->info->loss == TULLE_LOSS_BINARY_CROSS_ENTROPY)
        result.apply = logistic_outputs;
    else if (link->info->loss == TULLE_LOSS_CROSS_ENTROPY)
        result.apply = softmax_outputs;
    return result;
}

/* --- And back --------------------------------------------------------------------------------- */

static double number(const void *row, enum tulle_type type, size_t i)
{
    return type == TULLE_F64 ? ((const double *)row)[i] : (double)((const float *)row)[i];
}

/* dy_k dp_k/do_k of predictions that each come from one output: p = s o + m, or s exp(o), which are
 * their own derivatives. */
static void find_gradient(const struct model_link *link, const void *dy, enum tulle_type type,
                          double *outputs, double *predictions)
{
    const struct tulle_model_info *info = link->info;
    int is_exponential = info->loss == TULLE_LOSS_POISSON || info->loss == TULLE_LOSS_GAMMA;
    size_t each = tulle_target_predictions(info, 0), count = info->prediction_count;
    memcpy(predictions, outputs, count * sizeof *predictions);
    if (is_exponential)
        link->kernels->elementary(ELEMENTARY_EXP, predictions, count);
    for (size_t k = 0; k < count; k++) {
        const struct tulle_column *target = &info->targets[k / each];
        double prediction =
            is_exponential ? predictions[k] * target->scale : in_own_units(target, outputs[k]);
        double slope = is_exponential ? prediction : target->scale;
        outputs[k] = is_held(target, outputs[k], prediction)
                         ? 0
                         : number(dy, type, k) * (slope + nan_unless_finite(outputs[k]));
    }
}

/* Of 1 - p and p: dp/do = p (1 - p). */
static void find_logistic_gradient(const struct model_link *link, const void *dy,
                                   enum tulle_type type, double *outputs, double *predictions)
{
    logistic_outputs(link, outputs, predictions);
    for (size_t t = 0; t < link->info->target_count; t++) {
        const double *p = predictions + 2 * t;
        outputs[t] = (number(dy, type, 2 * t + 1) - number(dy, type, 2 * t)) * (p[0] * p[1]);
    }
}

/* dp_j/do_k = p_j ((j == k) - p_k), so the sum over j is p_k (dy_k - sum p_j dy_j). */
static void find_softmax_gradient(const struct model_link *link, const void *dy,
                                  enum tulle_type type, double *outputs, double *predictions)
{
    size_t classes = tulle_target_predictions(link->info, 0);
    double mean = 0;
    softmax_outputs(link, outputs, predictions);
    for (size_t k = 0; k < classes; k++)
        mean += predictions[k] * number(dy, type, k);
    for (size_t k = 0; k < classes; k++)
        outputs[k] = predictions[k] * (number(dy, type, k) - mean);
}

void tulle_model_link_gradient(const struct model_link *link, const void *dy, enum tulle_type type,
                               double *outputs, double *predictions)
{
    if (link->info->loss == TULLE_LOSS_BINARY_CROSS_ENTROPY)
        find_logistic_gradient(link, dy, type, outputs, predictions);
    else if (link->info->loss == TULLE_LOSS_CROSS_ENTROPY)
        find_softmax_gradient(link, dy, type, outputs, predictions);
    else
        find_gradient(link, dy, type, outputs, predictions);
}
