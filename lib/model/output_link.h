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

/* The columns that a target of the model takes among the predictions. */
size_t tulle_target_predictions(const struct tulle_model_info *info, size_t target);

/* The most probable class, the first of equals. */
size_t tulle_most_probable(const double *probabilities, size_t classes);

#endif
