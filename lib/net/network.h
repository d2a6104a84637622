/*
 * network.h - the shape of a network and where its parameters lie.
 *
 * All parameters stand in one arena of the network's precision. Layer l has its biases at
 * arena[layers[l].biases] and its weights at arena[layers[l].weights], a matrix with a padded row
 * stride: (inputs, units), so that units lie on the lanes of a vector, or, where there are too few
 * units for that, (units, inputs). The padding begins as zero and is never part of a result. The
 * layout depends on the shape and the precision alone, never on the machine. Behind a parametric
 * layer's biases come its units' mixes, and behind all layers the embeddings' tables, dense (levels
 * + 1, dimensions).
 */
#ifndef TULLE_NETWORK_H
#define TULLE_NETWORK_H

#include "../base/status.h"
#include "../kernels/kernels.h"

struct network_layer {
    size_t inputs, units;
    enum tulle_activation activation;
    int is_narrow;          /* weights are (units, inputs), not (inputs, units) */
    size_t weights, biases; /* offsets in elements */
    size_t stride;          /* of a row of weights, in elements */
    int is_parametric;
    size_t mix; /* offset of a parametric layer's (units) */
    double dropout;
};

struct network_embedding {
    size_t levels, dimensions;
    size_t table;  /* offset of row 0 */
    size_t column; /* of the first layer's inputs at which its vector stands */
};

/* A run of the arena that an optimiser treats alike: from `begin` to the next block. */
struct network_block {
    size_t begin;
    int is_bias;
};

/* Fewer units than this make a layer narrow. */
enum { TULLE_NARROW_UNITS = 8 };

/* Levels and classes are whole numbers among a sample's others, of which f32 has all up to 2^24. */
enum { TULLE_MOST_LEVELS = 1 << 24 };

struct network {
    enum tulle_type precision;
    size_t inputs;  /* numbers of a sample, before the levels of its embeddings */
    size_t columns; /* of a sample: inputs and embeddings */
    size_t outputs, layer_count, embedding_count;
    struct network_layer *layers;         /* (layer_count) */
    struct network_embedding *embeddings; /* (embedding_count) */
    size_t block_count;
    struct network_block *blocks; /* (block_count), in order; the last ends with the arena */
    size_t parameter_count;       /* without padding */
    size_t arena_size;            /* in elements, with padding */
};

/* Bytes of one number. */
static inline size_t tulle_type_size(enum tulle_type type)
{
    return type == TULLE_F64 ? sizeof(double) : sizeof(float);
}

/* Element number `index` of an array of the type. */
static inline void *tulle_element(const void *array, enum tulle_type type, size_t index)
{
    return (char *)array + index * tulle_type_size(type);
}

/*
 * The row stride, in elements, of a matrix with rows of n numbers: an odd multiple of
 * TULLE_ROW_PAD, because rows at power-of-two distances share cache sets. 0 if it does not fit a
 * size_t.
 */
size_t tulle_row_stride(size_t n);

/* What a network is made from, as in struct tulle_trainer_options. */
struct network_shape {
    enum tulle_type precision;
    size_t inputs, embedding_count, layer_count;
    const struct tulle_embedding *embeddings;
    const struct tulle_layer *layers;
};

/* TULLE_ERROR_ARGUMENT for a layer without units or with an unknown activation and the like,
 * TULLE_ERROR_MEMORY for sizes that overflow. */
enum tulle_status tulle_network_init(struct network *network, const struct network_shape *shape,
                                     struct tulle_error *error);
void tulle_network_clear(struct network *network);

static inline size_t tulle_arena_bytes(const struct network *network)
{
    return network->arena_size * tulle_type_size(network->precision);
}

/* A zeroed arena, aligned; NULL if there is no memory. Freed with free(). */
void *tulle_network_arena(const struct network *network);

/* Where in the arena a weight stands. */
static inline size_t tulle_weight_index(const struct network_layer *layer, size_t unit,
                                        size_t input)
{
    return layer->weights +
           (layer->is_narrow ? unit * layer->stride + input : input * layer->stride + unit);
}

/* Element access for whoever is not in a hurry. */
double tulle_arena_get(const struct network *network, const void *arena, size_t index);
void tulle_arena_set(const struct network *network, void *arena, size_t index, double value);

/* Copies of one layer's parameters, dense; either pointer may be NULL. The layer must exist. */
void tulle_arena_get_layer(const struct network *network, const void *arena, size_t layer,
                           double *weights, double *biases);
void tulle_arena_set_layer(const struct network *network, void *arena, size_t layer,
                           const double *weights, const double *biases);

/* Copies the weights of one unit from or to (inputs) dense numbers of the network's precision. */
void tulle_arena_get_unit(const struct network *network, const void *arena, size_t layer,
                          size_t unit, void *weights);
void tulle_arena_set_unit(const struct network *network, void *arena, size_t layer, size_t unit,
                          const void *weights);

/* The same of a run of numbers anywhere in the arena. */
void tulle_arena_get_run(const struct network *network, const void *arena, size_t begin,
                         size_t count, double *values);
void tulle_arena_set_run(const struct network *network, void *arena, size_t begin, size_t count,
                         const double *values);

/* Whether every parameter is a finite number. */
int tulle_arena_is_finite(const struct network *network, const void *arena);

#endif
