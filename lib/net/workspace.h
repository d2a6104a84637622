/*
 * workspace.h - the memory that a pass through a network works in, for `capacity` samples at a
 * time, however many a batch has.
 *
 * Matrices are sample-major, with padded rows. The capacity is chosen so that what a thread's
 * samples take on their way through the network, forward and back, stays in its second-level cache.
 */
#ifndef TULLE_WORKSPACE_H
#define TULLE_WORKSPACE_H

#include "network.h"

struct workspace {
    size_t block;    /* samples that a thread takes at a time */
    size_t capacity; /* samples: a block for every thread, or a whole batch */
    size_t x_stride;
    void *x;        /* (capacity, x_stride) inputs */
    void *y;        /* (capacity, outputs) targets, dense; NULL unless training */
    double *losses; /* (capacity) of each sample; NULL unless training */
    void *sums;     /* an arena: gradients of a batch so far; NULL unless training on more samples
                       than a block */
    void *panels;   /* (threads, panel_size) scratch; NULL unless training */
    size_t panel_size;
    size_t layer_count;
    struct workspace_layer {
        size_t stride;
        void *out;   /* (capacity, stride) activations */
        void *slope; /* likewise: act'(z), and then the gradient dloss/dz; NULL unless training */
    } * layers;
};

/* For batches of up to `samples`, shared by so many threads. TULLE_ERROR_MEMORY if it cannot be
 * had; the workspace is then cleared. */
enum tulle_status tulle_workspace_init(struct workspace *workspace, const struct network *network,
                                       const struct kernels *kernels, size_t samples,
                                       unsigned threads, int training);
void tulle_workspace_clear(struct workspace *workspace);

#endif
