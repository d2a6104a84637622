/*
 * front.h - what stands between a sample's numbers and the first layer (struct tulle_front): the
 * vectors of levels, the embeddings of numbers, and the factors, of which each member of the
 * network has its own.
 *
 * On the way back the first layer gives dloss/dx' for its input x' = f x, member by member, in the
 * workspace's x_slope. From that come the gradient at x, the sum of f dloss/dx' over the members,
 * and that of a member's f, the sum of x dloss/dx' over the samples.
 */
#ifndef TULLE_FRONT_H
#define TULLE_FRONT_H

#include "workspace.h"

/* The inputs of the first layer from samples [s, e) of the workspace's x, as they were loaded. */
void tulle_front_forward(const struct network *network, const struct kernels *kernels,
                         const struct workspace *ws, const void *parameters, size_t s, size_t e);

/* What the first layer reads: rows x_stride apart, one of each sample's members after the other. */
static inline const void *tulle_front_output(const struct workspace *ws)
{
    return ws->scaled ? ws->scaled : ws->x;
}

/* Turns x_slope, dloss/dx' of samples [s, e), into the gradient at x and the factors' own. */
void tulle_front_gradient(const struct network *network, const struct kernels *kernels,
                          const struct workspace *ws, const void *parameters, size_t s, size_t e);

/* Turns it instead into the gradient by the numbers of the samples as they were loaded, in
 * x_gradient, the sum over the members. */
void tulle_front_input_gradient(const struct network *network, const struct kernels *kernels,
                                const struct workspace *ws, const void *parameters, size_t s,
                                size_t e);

/* Adds the first `size` samples' gradients to the workspace's sums, of those parameters that are
 * this thread's share, sample after sample. The first part of a batch begins at 0; the last
 * multiplies the sums by alpha. */
void tulle_front_backward(const struct network *network, const struct kernels *kernels,
                          const struct workspace *ws, const void *parameters, size_t size,
                          enum sum_part part, double alpha, unsigned thread, unsigned threads);

#endif
