/*
 * embedding.h - learned vectors for levels: a sample's levels, loaded behind its numbers, become
 * the vectors of that many dimensions that stand there in the first layer's input.
 */
#ifndef TULLE_EMBEDDING_H
#define TULLE_EMBEDDING_H

#include "workspace.h"

/* Looks up the vectors for samples [s, e) of the workspace's x. What is no level makes the sample's
 * numbers NaN, which no loss takes for good. */
void tulle_embedding_forward(const struct network *network, const struct workspace *ws,
                             const void *parameters, size_t s, size_t e);

/* Adds the first `size` samples' gradients, from the workspace's x_gradient, to the tables in its
 * sums: in each, sample after sample, those rows that are this thread's share. The first part of a
 * batch begins at 0; the last multiplies the sums by alpha. */
void tulle_embedding_backward(const struct network *network, const struct workspace *ws,
                              size_t size, enum sum_part part, double alpha, unsigned thread,
                              unsigned threads);

#endif
