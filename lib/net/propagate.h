/*
 * propagate.h - a batch through a network: forward, and backward into a step.
 *
 * A batch goes through the workspace in parts of its capacity. In each, every thread first takes
 * samples of its own through the network and back: nothing is shared but the parameters, which
 * nobody writes. Then, behind a barrier, every thread adds up, over all samples of the part, the
 * gradients of parameters of its own, and after the last part writes them. Each number is thus
 * written by one thread, in one order, however many threads and parts there are.
 */
#ifndef TULLE_PROPAGATE_H
#define TULLE_PROPAGATE_H

#include "../base/pool.h"
#include "network.h"
#include "rows.h"
#include "workspace.h"

struct pass {
    const struct network *network;
    const struct kernels *kernels; /* of the network's precision */
    struct workspace *workspace;
    const void *parameters; /* the arena */
    struct rows x;          /* features: the network's inputs */
    struct rows y;          /* features: the network's outputs; unused in predicting */
    enum tulle_loss loss;   /* unused in predicting */
};

/* About the floating-point operations of a step: two for each parameter and sample forward, two for
 * the weights' gradient and two for the inputs'. */
double tulle_step_operations(const struct network *network, size_t samples);

/* In each call samples [begin, end) of x and y are the batch. More than the workspace's block
 * need its sums in a step. */

/*
 * Adds weight_alpha and bias_alpha times the sums over the batch of the gradients to the weights
 * and the biases in `to`, an arena: the parameters themselves for a step of plain gradient descent
 * (alpha = -learning_rate), a zeroed one for the gradient (alpha = 1). Returns the sum of the
 * losses over samples and outputs before the step.
 */
double tulle_pass_step(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                       void *to, double weight_alpha, double bias_alpha);

/* The sum of the losses over samples and outputs. */
double tulle_pass_loss(const struct pass *pass, struct pool *pool, size_t begin, size_t end);

/* Writes the outputs to rows [begin, end) of out, times scale plus mean unless scaling is NULL;
 * that is computed in double and rounded only to the type of out. pool may be NULL. */
void tulle_pass_predict(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                        struct tulle_matrix_out out, const struct tulle_column *scaling);

#endif
