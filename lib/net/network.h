/*
 * network.h - the shape of a network and where its parameters lie.
 *
 * All parameters stand in one arena of the network's precision. Layer l has its biases at
 * arena[layers[l].biases] and its weights at arena[layers[l].weights], a matrix with a padded row
 * stride: (inputs, units), so that units lie on the lanes of a vector, or, where there are too few
 * units for that, (units, inputs). The padding begins as zero and is never part of a result. The
 * layout depends on the shape and the precision alone, never on the machine. Of a network with
 * members the last layer has a copy of weights for each, one behind the other, and likewise of
 * biases. Behind a parametric layer's biases come its units' mixes, and behind all layers the
 * embeddings' tables, dense (levels + 1, dimensions), then the embedded numbers, and the factors,
 * (members, first layer's inputs) with padded rows.
 */
#ifndef TULLE_NETWORK_H
#define TULLE_NETWORK_H

#include "../base/status.h"
#include "../kernels/kernels.h"

struct network_layer {
    size_t inputs, units;
    enum tulle_activation activation;
    int is_narrow;                    /* weights are (units, inputs), not (inputs, units) */
    size_t weights, biases;           /* offsets in elements */
    size_t stride;                    /* of a row of weights, in elements */
    size_t copies;                    /* the members of the last layer, else 1 */
    size_t weights_step, biases_step; /* from one copy to the next */
    int is_parametric;
    size_t mix; /* offset of a parametric layer's (units) */
    double dropout;
};

struct network_embedding {
    size_t levels, dimensions;
    size_t table;  /* offset of row 0 */
    size_t column; /* of the first layer's inputs at which its vector stands */
};

enum block_kind {
    BLOCK_WEIGHTS,
    BLOCK_BIASES,
    BLOCK_MIX,
    BLOCK_TABLE,
    BLOCK_NUMBERS,
    BLOCK_FACTORS
};
enum { BLOCK_KINDS = BLOCK_FACTORS + 1 };

/* A run of the arena that an optimiser treats alike: from `begin` to the next block. */
struct network_block {
    size_t begin;
    enum block_kind kind;
    size_t inputs; /* of a layer's weights, else 1 */
};

/* Fewer units than this make a layer narrow. */
enum { TULLE_NARROW_UNITS = 8 };

/* Levels and classes are whole numbers among a sample's others, of which f32 has all up to 2^24. */
enum { TULLE_MOST_LEVELS = 1 << 24 };

/* Bins of an embedded number, far more than are of use. */
enum { TULLE_MOST_BINS = 1 << 16 };

/* Members, far more than are of use. A pass has room for the layers' outputs of all of them:
 * without a limit a small file of many members would ask for much memory. */
enum { TULLE_MOST_MEMBERS = 1 << 10 };

struct network {
    enum tulle_type precision;
    size_t inputs;   /* numbers of a sample, before the levels of its embeddings */
    size_t columns;  /* of a sample: inputs and embeddings */
    size_t *numbers; /* (number_count) those of the inputs that are embedded */
    size_t number_count;
    struct waves waves;   /* of each of them, */
    struct spline spline; /* or this; the other is 0 */
    void *knots;          /* (number_count, knot_stride) of the precision; NULL without splines */
    size_t knot_stride;
    size_t dimensions;    /* that a number is embedded in */
    size_t number_size;   /* of one's parameters, with padding */
    size_t first_number;  /* offset of the first one's */
    size_t number_column; /* of the first layer's inputs at which the first one's stand */
    int has_factors;
    size_t factors, factor_stride; /* offset, and that of a row */
    size_t members;
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
    struct tulle_front front;
};

/* TULLE_ERROR_ARGUMENT for a layer without units or with an unknown activation and the like,
 * TULLE_ERROR_MEMORY for sizes that overflow. */
enum tulle_status tulle_network_init(struct network *network, const struct network_shape *shape,
                                     struct tulle_error *error);
void tulle_network_clear(struct network *network);

/* Whether both compute the same from the same parameters; dropout aside, which is for steps. */
int tulle_network_is_same(const struct network *a, const struct network *b);

/* Whether there is anything in the first layer's input to be learned. */
static inline int tulle_network_learns_inputs(const struct network *network)
{
    return network->embedding_count > 0 || network->number_count > 0 || network->has_factors;
}

/* A view of the network that has but one of the members, over `layers`, room for layer_count of
 * them; not to be cleared. */
struct network tulle_network_member(const struct network *network, size_t member,
                                    struct network_layer *layers);

static inline size_t tulle_arena_bytes(const struct network *network)
{
    return network->arena_size * tulle_type_size(network->precision);
}

/* A zeroed arena, aligned; NULL if there is no memory. Freed with tulle_free(). */
void *tulle_network_arena(const struct network *network);

/* Where in the arena a weight or a bias stands; units go on through the copies. */
static inline size_t tulle_weight_index(const struct network_layer *layer, size_t unit,
                                        size_t input)
{
    size_t copy = unit / layer->units;
    unit -= copy * layer->units;
    return layer->weights + copy * layer->weights_step +
           (layer->is_narrow ? unit * layer->stride + input : input * layer->stride + unit);
}

static inline size_t tulle_bias_index(const struct network_layer *layer, size_t unit)
{
    size_t copy = unit / layer->units;
    return layer->biases + copy * layer->biases_step + unit - copy * layer->units;
}

/* Element access for whoever is not in a hurry. */
double tulle_arena_get(const struct network *network, const void *arena, size_t index);
void tulle_arena_set(const struct network *network, void *arena, size_t index, double value);

/* Copies of one layer's parameters, dense, (copies, units, inputs) and (copies, units); either
 * pointer may be NULL. The layer must exist. */
void tulle_arena_get_layer(const struct network *network, const void *arena, size_t layer,
                           double *weights, double *biases);
void tulle_arena_set_layer(const struct network *network, void *arena, size_t layer,
                           const double *weights, const double *biases);

/* The same of the factors, (members, first layer's inputs), and of the embedded numbers, one by one
 * as tulle_trainer_get_numbers has them, tulle_number_count each. */
void tulle_arena_get_factors(const struct network *network, const void *arena, double *factors);
void tulle_arena_set_factors(const struct network *network, void *arena, const double *factors);
size_t tulle_number_count(const struct network *network);
void tulle_arena_get_numbers(const struct network *network, const void *arena, double *numbers);
void tulle_arena_set_numbers(const struct network *network, void *arena, const double *numbers);

/* Copies the weights of one unit, among those of all copies, from or to (inputs) dense numbers of
 * the network's precision. */
void tulle_arena_get_unit(const struct network *network, const void *arena, size_t layer,
                          size_t unit, void *weights);
void tulle_arena_set_unit(const struct network *network, void *arena, size_t layer, size_t unit,
                          const void *weights);

/* The same of a run of numbers anywhere in the arena. */
void tulle_arena_get_run(const struct network *network, const void *arena, size_t begin,
                         size_t count, double *values);
void tulle_arena_set_run(const struct network *network, void *arena, size_t begin, size_t count,
                         const double *values);

/* arena = (1 - share) arena + share from, in double; for a share of 1 a copy, whatever there was.
 */
void tulle_arena_blend(const struct network *network, void *arena, const void *from, double share);

/* Whether every parameter is a finite number. */
int tulle_arena_is_finite(const struct network *network, const void *arena);

#endif
