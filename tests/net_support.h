/* net_support.h - what the tests of trainer and session share: networks, data and comparisons. */
#ifndef NET_SUPPORT_H
#define NET_SUPPORT_H

#include "naive.h"

/* How many there are. */
#define ONE_MORE(NAME, value, name, formula) +1
enum {
    ACTIVATIONS = TULLE_ACTIVATION_LIST(ONE_MORE),
    LOSSES = TULLE_LOSS_LIST(ONE_MORE),
    OPTIMIZERS = TULLE_OPTIMIZER_LIST(ONE_MORE),
    INITIALIZERS = TULLE_INITIALIZER_LIST(ONE_MORE)
};
#undef ONE_MORE

/* Defaults but for the network, and one thread. */
struct tulle_trainer_options network_options(size_t inputs, const struct tulle_layer *layers,
                                             size_t layer_count, enum tulle_type precision);

/* A trainer that must come into being. */
tulle_trainer *new_trainer(const struct tulle_trainer_options *options);

/* Exactly so many; the trainer itself would ask what the machine has and the work pays for. */
void set_threads(tulle_trainer *trainer, unsigned threads);

/* Its model and a session of it, as certainly. */
tulle_model *new_model(const tulle_trainer *trainer);
tulle_session *new_session(const tulle_model *model);

/* Numbers uniform in [-1, 1), each exact in f32 too; freed with free(). */
double *new_values(struct tulle_rng *rng, size_t count);

/* The same numbers as floats. */
float *new_floats(const double *values, size_t count);

/* Biases are 0 at first, which hides mistakes: gives both sides the same random ones. */
void randomize_biases(tulle_trainer *trainer, struct naive *net, struct tulle_rng *rng);

/* A naive network of the same layers and with the same parameters, to which the vectors of
 * embeddings and numbers are inputs like others; freed with naive_free(). */
struct naive naive_of(const tulle_trainer *trainer, const struct tulle_trainer_options *options);

/* The largest |found - expected|, relative to the largest |expected|; absolute where that is 0.
 * NaN or infinity in found count as infinitely far. */
double difference(const double *found, const double *expected, size_t count);

/* The largest difference over the network's tensors. */
double parameter_difference(const tulle_trainer *trainer, const struct naive *net);

/* Columns of x, and inputs of the first layer. */
size_t row_columns(const struct tulle_trainer_options *options);
size_t input_width(const struct tulle_trainer_options *options);

/* Rows of x: numbers like new_values(), and levels; freed with free(). */
double *new_rows(struct tulle_rng *rng, const struct tulle_trainer_options *options, size_t rows);

/* A session of the trainer's model, whose loss must be mse, must predict the same bits. */
void check_model(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                 const double *x, size_t rows);

/* All parameters in one array: layer by layer weights, biases and mixes, then the embeddings'
 * tables, the embedded numbers and the factors. That of get is freed with free(). */
size_t member_count(const struct tulle_trainer_options *options);
size_t first_number(const struct tulle_trainer_options *options);
size_t number_count(const struct tulle_trainer_options *options);
size_t factor_count(const struct tulle_trainer_options *options);
size_t parameter_count(const struct tulle_trainer_options *options);
double *get_parameters(const tulle_trainer *trainer, const struct tulle_trainer_options *options);
void set_parameters(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                    const double *values);

/* Sets all of them to numbers like new_values(), freed with free(). */
double *randomize_parameters(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                             struct tulle_rng *rng);

/* The gradients that a step of SGD has followed from `before`, which it is set back to; freed with
 * free(). With an enormous power of two for a learning rate they are right to the last bits. */
double *gradients_since(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                        const double *before);

/* Those of one step, after which the parameters are as they were; weights and loss may be NULL. */
double *step_gradients(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                       struct tulle_matrix x, struct tulle_matrix y, const double *weights,
                       double *loss);

/* Targets that the loss is defined for, exact in f32 too: (rows, tulle_loss_targets); freed with
 * free(). */
double *new_targets(struct tulle_rng *rng, const struct tulle_trainer_options *options,
                    size_t rows);
size_t target_count(const struct tulle_trainer_options *options);

/* Whether the parameters of both trainers, made from the same options, have the same bits. */
int same_parameters(const tulle_trainer *a, const tulle_trainer *b,
                    const struct tulle_trainer_options *options);

#endif
