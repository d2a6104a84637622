/* naive_input.h - the outputs of any network, front and members included, and their derivatives by
 * its inputs: one row at a time, in double, from formulas. */
#ifndef NAIVE_INPUT_H
#define NAIVE_INPUT_H

#include "net_support.h"

/* Of the network of these options with its parameters as get_parameters() has them: the outputs for
 * the row x, and dx, the gradient of their sum weighed by dy. */
void naive_input_gradient(const struct tulle_trainer_options *options, const double *parameters,
                          const double *x, const double *dy, double *outputs, double *dx);

#endif
