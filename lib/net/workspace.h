/*
 * workspace.h - the memory that a pass through a network works in, for up to `capacity` samples.
 *
 * Feature-major buffers come in blocks of TULLE_SAMPLE_BLOCK samples, so that what a block's pass
 * through the network touches is compact: in a buffer of `rows` features, sample i of block b has
 * its feature f at (b * rows + f) * stride + i. Sample-major ones have the stride of a weight row
 * of the layer that reads them, so that its weight gradient's columns line up with the weights'.
 */
#ifndef TULLE_WORKSPACE_H
#define TULLE_WORKSPACE_H

#include "network.h"

/* Samples that go through the whole network together, so that their activations are still in the
 * cache when the next layer reads them. A multiple of TULLE_ROW_PAD and of any tile's columns. */
enum { TULLE_SAMPLE_BLOCK = 128 };

struct workspace {
    size_t capacity; /* samples */
    size_t stride;   /* of feature-major buffers */
    void *x;         /* (blocks, inputs, stride) feature-major */
    void *x_rows;    /* (capacity, layers[0].stride) sample-major */
    void *y;         /* (blocks, outputs, stride) feature-major; NULL unless training */
    void *y_rows;    /* (capacity, outputs) sample-major; NULL unless training */
    double *losses;  /* (capacity) of each sample; NULL unless training */
    size_t layer_count;
    struct workspace_layer {
        void *out;   /* (blocks, units, stride) feature-major: activations */
        void *slope; /* likewise: act'(z), and then the gradient dloss/dz; NULL unless training */
        void *rows;  /* (capacity, stride of the next layer) sample-major: activations; NULL unless
                        training, and for the last layer */
    } * layers;
};

/* TULLE_ERROR_MEMORY if it cannot be had; the workspace is then cleared. */
enum tulle_status tulle_workspace_init(struct workspace *workspace, const struct network *network,
                                       size_t capacity, int training);
void tulle_workspace_clear(struct workspace *workspace);

#endif
