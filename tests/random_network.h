/* random_network.h - a network, an optimizer and data, all drawn at random: one case of a
 * property. */
#ifndef RANDOM_NETWORK_H
#define RANDOM_NETWORK_H

#include "net_support.h"
#include "property.h"

enum {
    MOST_LAYERS = 5,
    MOST_UNITS = 300,
    MOST_EMBEDDINGS = 3,
    MOST_NUMBERS = 4,
    MOST_BINS = 9,
    MOST_QUANTILES = 4,
    MOST_WIDTH = 256 /* of the first layer's inputs */
};

struct random_network {
    struct tulle_trainer_options
        options; /* points to what follows, and so must stay in its place */
    struct tulle_layer layers[MOST_LAYERS];
    struct tulle_embedding embeddings[MOST_EMBEDDINGS];
    size_t numbers[MOST_NUMBERS];
    double knots[MOST_NUMBERS * (MOST_BINS + 1)], quantiles[MOST_QUANTILES];
    size_t rows, columns, outputs, targets;
    double *parameters;  /* as get_parameters() has them */
    double *x, *y;       /* (rows, columns), (rows, targets), exact in f32 too */
    double *row_weights; /* (rows), or NULL */
};

/* Plain gradient descent. Described as it is drawn; freed with clear_network(). */
void draw_network(struct random_network *n, struct tulle_rng *rng);
void clear_network(struct random_network *n);

/* An optimizer with what belongs to it, for a network that is drawn. */
void draw_optimizer(struct random_network *n, struct tulle_rng *rng);

/* A trainer of the network with its parameters. */
tulle_trainer *trainer_of(const struct random_network *n);

/* The first rows of its data. */
struct tulle_matrix first_x(const struct random_network *n, size_t rows);
struct tulle_matrix first_y(const struct random_network *n, size_t rows);

#endif
