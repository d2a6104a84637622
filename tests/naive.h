/*
 * naive.h - what Tulle computes, as plain as it can be said: double precision, one sample at a
 * time, loops and libm. This is the executable specification that the library is compared with;
 * it is compared itself with NumPy (test_notebook.c).
 */
#ifndef NAIVE_H
#define NAIVE_H

#include "../include/tulle.h"

enum { NAIVE_MAX_LAYERS = 8 };

struct naive_layer {
    size_t inputs, units;
    enum tulle_activation activation;
    double *weights, *biases;                  /* (units, inputs), (units) */
    double *weight_gradients, *bias_gradients; /* the same, summed over the rows */
    double *a, *slope;                         /* (units) of one sample: act(W x + b), act' */
    double *da;                                /* (units) of one sample: dE/da */
};

/* A loss and its parameters, as struct tulle_trainer_options has them. */
struct naive_criterion {
    enum tulle_loss loss;
    double huber_delta, label_smoothing;
    const double *quantiles; /* (quantile_count) */
    size_t quantile_count;
};

struct naive {
    size_t inputs, outputs, layer_count;
    struct naive_layer layers[NAIVE_MAX_LAYERS];
    struct naive_criterion criterion; /* mse; may be set to another */
    const double *weights;            /* NULL; or of the next call's rows */
};

/* act(z), and *slope = act'(z). */
double naive_activation(enum tulle_activation activation, double z, double *slope);

/* The loss of one sample of so many outputs o with the targets y, and its derivatives by them. */
double naive_sample_loss(const struct naive_criterion *criterion, size_t outputs, const double *o,
                         const double *y, double *gradient);
size_t naive_targets(const struct naive_criterion *criterion, size_t outputs);

/* A network of zeros. These functions abort where memory is short: they serve tests alone. */
void naive_create(struct naive *net, size_t inputs, const struct tulle_layer *layers,
                  size_t layer_count);
void naive_free(struct naive *net);

/* Weights layer by layer and row by row, uniform in +-1/sqrt(inputs of the layer); biases 0. */
void naive_init(struct naive *net, struct tulle_rng *rng);

/* The outputs for one sample x, (inputs); valid until the next call. */
const double *naive_forward(struct naive *net, const double *x);

/* In what follows x is (rows, inputs) and y is (rows, naive_targets), both dense. */

/* The mean over rows, and over outputs unless there is one target for all of them, of the losses
 * times the rows' weights. */
double naive_loss(struct naive *net, const double *x, const double *y, size_t rows);

/* Fills in the gradients of the sum over rows and outputs of the losses times the rows' weights;
 * for mse of half of it. */
void naive_gradients(struct naive *net, const double *x, const double *y, size_t rows);

struct naive_sgd {
    double learning_rate;
    size_t batch_size;
    enum tulle_reduction weight_reduction, bias_reduction;
};

/* One update from all rows; returns the loss before it. */
double naive_step(struct naive *net, const struct naive_sgd *sgd, const double *x, const double *y,
                  size_t rows);

/* Shuffles the row numbers, then takes a step for every batch_size of them, the last maybe short;
 * returns the mean over the rows of the losses before each row's update. */
double naive_epoch(struct naive *net, const struct naive_sgd *sgd, struct tulle_rng *rng,
                   const double *x, const double *y, size_t rows);

/* What an optimizer keeps for one parameter, 0 at first. */
struct naive_kept {
    double m, v;
};

/* One parameter w with the gradient g after step number t, from 1 on, of the options' optimizer;
 * the learning rate and the decay are given besides. */
double naive_update(const struct tulle_trainer_options *options, double rate, double decay, int t,
                    double w, double g, struct naive_kept *kept);

/*
 * The notebook: x = rand(rows, features), y = rand(rows, 1), a network features -> 128 -> 256 -> 1
 * with ReLU, weight gradients summed over the batch and bias gradients averaged. All is drawn from
 * one generator, in the order x, y, weights, shuffles.
 */
struct notebook {
    uint32_t seed;
    size_t rows, features, epochs, batch;
    double learning_rate;
    size_t every;
};

/* Sets mse[i] to the loss over all rows after epoch i * every, for all of them below epochs. */
void naive_notebook(const struct notebook *notebook, double *mse);

#endif
