/* output_link.h - from a network's outputs to predictions in the targets' own units. */
#ifndef TULLE_OUTPUT_LINK_H
#define TULLE_OUTPUT_LINK_H

#include "../net/propagate.h"
#include "model.h"

struct model_link {
    const struct tulle_model_info *info;
    const struct kernels *kernels; /* of doubles, for exp */
};

/* How the model's outputs become predictions (tulle_session_predict): by its loss and its targets'
 * scaling, in double. The model_link must outlive it. */
struct output_link tulle_model_link(const struct model_link *link);

/* The way back: a row of gradients by the predictions, numbers of `type`, and the outputs that
 * these came from, which become the gradient by the outputs. 0 where a prediction is held at the
 * edge of its range. predictions is room for so many. */
void tulle_model_link_gradient(const struct model_link *link, const void *dy, enum tulle_type type,
                               double *outputs, double *predictions);

/* The columns that a target of the model takes among the predictions. */
size_t tulle_target_predictions(const struct tulle_model_info *info, size_t target);

/* The most probable class, the first of equals. */
size_t tulle_most_probable(const double *probabilities, size_t classes);

#endif
