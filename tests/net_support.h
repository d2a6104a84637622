/* net_support.h - what the tests of trainer and session share: networks, data and comparisons. */
#ifndef NET_SUPPORT_H
#define NET_SUPPORT_H

#include "naive.h"

enum { ACTIVATIONS = TULLE_ACTIVATION_LOGISTIC + 1 };

/* Defaults but for the network, and one thread. */
struct tulle_trainer_options network_options(size_t inputs, const struct tulle_layer *layers,
                                             size_t layer_count, enum tulle_type precision);

/* A trainer that must come into being. */
tulle_trainer *new_trainer(const struct tulle_trainer_options *options);

/* Its model and a session of it, as certainly. */
tulle_model *new_model(const tulle_trainer *trainer);
tulle_session *new_session(const tulle_model *model);

/* Numbers uniform in [-1, 1), each exact in f32 too; freed with free(). */
double *new_values(struct tulle_rng *rng, size_t count);

/* The same numbers as floats. */
float *new_floats(const double *values, size_t count);

/* Biases are 0 at first, which hides mistakes: gives both sides the same random ones. */
void randomize_biases(tulle_trainer *trainer, struct naive *net, struct tulle_rng *rng);

/* A naive network of the same shape and with the same parameters; freed with naive_free(). */
struct naive naive_of(const tulle_trainer *trainer, const struct tulle_trainer_options *options);

/* The largest |found - expected|, relative to the largest |expected|; absolute where that is 0.
 * NaN or infinity in found count as infinitely far. */
double difference(const double *found, const double *expected, size_t count);

/* The largest difference over the network's tensors. */
double parameter_difference(const tulle_trainer *trainer, const struct naive *net);

/* Whether the parameters of both trainers, made from the same options, have the same bits. */
int same_parameters(const tulle_trainer *a, const tulle_trainer *b,
                    const struct tulle_trainer_options *options);

#endif
