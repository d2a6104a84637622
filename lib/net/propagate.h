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
#include "optimizer.h"
#include "rows.h"
#include "workspace.h"

struct pass {
    const struct network *network;
    const struct kernels *kernels; /* of the network's precision */
    struct workspace *workspace;
    const void *parameters; /* the arena */
    struct rows x;          /* features: the network's columns */
    /* Unused in predicting. */
    struct rows y;         /* features: tulle_loss_targets */
    const double *weights; /* of each row of y's matrix; NULL: 1 */
    struct loss loss;
    double drops;         /* what layers' dropout is multiplied by: 0 but in steps */
    uint64_t dropout_key; /* another for each step */
};

/* About the floating-point operations of a step: two for each weight and sample forward, two for
 * the weights' gradient and two for the inputs', of every member. */
double tulle_step_operations(const struct network *network, size_t samples);

/* Threads share samples by so many: few, so that no thread waits long for another. */
size_t tulle_pass_grain(const struct network *network);

/* In each call samples [begin, end) of x and y are the batch. More than the workspace's block
 * need its sums in a step. */

struct step {
    void *parameters; /* the pass's */
    double learning_rate;
    double regularization; /* what weight decay is multiplied by */
    double penalty;        /* besides that, of layers' weights */
    /* What the sums over the batch of the gradients are multiplied by. */
    double weight_alpha, bias_alpha;
    int keeps_gradients;         /* in the workspace's sums; else it is plain descent, in place */
    struct optimizer *optimizer; /* that then makes the step; NULL: they are all that is wanted */
};

/* One step. Returns the sum of the losses over samples and targets before it, the mean over members
 * of the sum of each. */
double tulle_pass_step(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                       const struct step *step);

/* The sum of the losses over samples and targets; of members that of their mean output. */
double tulle_pass_loss(const struct pass *pass, struct pool *pool, size_t begin, size_t end);

/* What becomes of a sample's outputs on their way to the user: computed in double and rounded only
 * to the type of the user's matrix. At most 2 predictions for each output. */
struct output_link {
    size_t predictions;
    void (*apply)(const void *context, const double *outputs, double *predictions);
    const void *context;
};

/* Writes the outputs, or what link (may be NULL) makes of them, to rows [begin, end) of out. pool
 * may be NULL. */
void tulle_pass_predict(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                        struct tulle_matrix_out out, const struct output_link *link);

/* What becomes of gradients on their way from the user's units to the network's and back. */
struct gradient_link {
    /* From dy, a row of the user's, and a sample's outputs to the gradient by these, in their
     * place. There is room for as many predictions as an output_link may have. */
    void (*enter)(const void *context, const void *dy, enum tulle_type type, double *outputs,
                  double *room);
    /* From x, the row that a sample was loaded from, and the gradient by its numbers to a row of
     * the user's. */
    void (*leave)(const void *context, const void *x, enum tulle_type type, const double *gradient,
                  void *dx, enum tulle_type dx_type);
    const void *context;
};

/* With the pass's y for the gradient by each output, of members by their mean, writes those by each
 * column of x to rows [begin, end) of dx: 0 by a level. Or by what the link (may be NULL) makes of
 * them. The workspace must be one for training, as far as that has no steps. pool may be NULL. */
void tulle_pass_input_gradient(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                               struct tulle_matrix_out dx, const struct gradient_link *link);

#endif
