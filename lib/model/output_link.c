/* output_link.c - from a network's outputs to predictions in the targets' own units. */
#include "../base/portability.h"

#include <math.h>

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

static void scale_outputs(const void *context, const double *outputs, double *predictions)
{
    const struct tulle_model_info *info = ((const struct model_link *)context)->info;
    size_t each = tulle_target_predictions(info, 0);
    for (size_t t = 0; t < info->target_count; t++) {
        const struct tulle_column *target = &info->targets[t];
        for (size_t k = t * each; k < (t + 1) * each; k++)
            predictions[k] = clamp(target, outputs[k], outputs[k] * target->scale + target->mean);
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
