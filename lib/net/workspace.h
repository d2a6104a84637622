/*
 * workspace.h - the memory that a pass through a network works in, for `capacity` samples at a
 * time, however many a batch has.
 *
 * Matrices are sample-major, with padded rows. The capacity is chosen so that what a thread's
 * samples take on their way through the network, forward and back, stays in its second-level cache.
 */
#ifndef TULLE_WORKSPACE_H
#define TULLE_WORKSPACE_H

#include <stdint.h>

#include "network.h"

struct workspace {
    size_t block;    /* samples that a thread takes at a time */
    size_t capacity; /* samples: a block for every thread, or a whole batch */
    size_t rows; /* capacity times the network's members: sample i's are rows i * members, ... */
    size_t x_stride;
    void *x;          /* (capacity, x_stride) the first layer's inputs, */
    void *scaled;     /* (rows, x_stride) and times the factors; NULL if there are none */
    uint32_t *levels; /* (capacity, embeddings); NULL if there are none */
    double *scratch;  /* (threads, scratch_size): a sample on its way in, and out */
    size_t scratch_size;
    size_t layer_count;
    struct workspace_layer {
        size_t stride;
        void *out; /* (rows, stride) activations */
        /* Likewise, but NULL unless training. */
        void *slope; /* act'(z), and then the gradient dloss/dz */
        void *gap;   /* of a parametric layer: act(z) - z, and then the gradient of its mix */
        void *tilt;  /* of a parametric layer, whose slope is 1 at first: the derivative */
    } * layers;
    /* The rest is NULL unless training. */
    void *x_slope; /* (rows, x_stride) dloss/dx of the first layer's inputs, and with factors then
                      times x: those of the factors. Where nothing in the inputs is learned, x
                      itself, which nobody needs any more when they are asked for */
    void *x_gradient; /* (capacity, x_stride) dloss/dx: x_slope itself but with factors */
    void *ones;       /* (x_stride) */
    void *y;          /* (rows, targets) dense */
    double *weights;  /* (rows) of each sample */
    double *losses;   /* (rows) */
    void *sums;       /* an arena: gradients of a batch so far; NULL too for batches of a block */
    void *panels;     /* (threads, panel_size) scratch */
    size_t panel_size;
};

/* What a workspace is for. */
struct workspace_use {
    size_t samples; /* of the largest batch */
    unsigned threads;
    int is_training;
    size_t targets;      /* numbers of a sample's target */
    int keeps_gradients; /* sums are needed whatever the batch, */
    int makes_no_steps;  /* or never: only the inputs' gradients are of interest */
};

/* TULLE_ERROR_MEMORY if it cannot be had; the workspace is then cleared. */
enum tulle_status tulle_workspace_init(struct workspace *workspace, const struct network *network,
                                       const struct kernels *kernels,
                                       const struct workspace_use *use);
void tulle_workspace_clear(struct workspace *workspace);

#endif
