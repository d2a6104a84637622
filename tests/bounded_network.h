/* bounded_network.h - naive.h with all that a network may have, a front, members, parametric layers
 * and dropout; and with bounds. */
#ifndef BOUNDED_NETWORK_H
#define BOUNDED_NETWORK_H

#include "bounded.h"

/* Rows of x and their targets for a network with the parameters, which are as get_parameters() has
 * them. */
struct bounded_rows {
    const double *parameters, *x, *y;
    const double *weights; /* NULL: 1 */
    size_t rows;
};

/* The outputs outside of steps, (rows, outputs), and the loss, for which y may be NULL, and out. */
struct bounded bounded_predict(const struct tulle_trainer_options *options,
                               const struct bounded_rows *rows, struct bounded *out);

/* The gradients of all parameters in the trainer's first step, reduced as the options say, and that
 * step's loss. */
struct bounded bounded_gradients(const struct tulle_trainer_options *options,
                                 const struct bounded_rows *rows, struct bounded *gradients);

#endif
