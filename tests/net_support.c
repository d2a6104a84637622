/* net_support.c - networks, data and comparisons for tests. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_support.h"

struct tulle_trainer_options network_options(size_t inputs, const struct tulle_layer *layers,
                                             size_t layer_count, enum tulle_type precision)
{
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    options.inputs = inputs;
    options.layers = layers;
    options.layer_count = layer_count;
    options.precision = precision;
    options.threads = 1;
    return options;
}

tulle_trainer *new_trainer(const struct tulle_trainer_options *options)
{
    struct tulle_error error = {0};
    tulle_trainer *trainer = NULL;
    if (tulle_trainer_create(options, &trainer, &error) != TULLE_OK)
        fail_msg("tulle_trainer_create: %s", error.message);
    assert_non_null(trainer);
    return trainer;
}

tulle_model *new_model(const tulle_trainer *trainer)
{
    tulle_model *model = NULL;
    assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_OK);
    assert_non_null(model);
    return model;
}

tulle_session *new_session(const tulle_model *model)
{
    tulle_session *session = NULL;
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_non_null(session);
    return session;
}

double *new_values(struct tulle_rng *rng, size_t count)
{
    double *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(2 * tulle_rng_uniform(rng) - 1);
    return values;
}

float *new_floats(const double *values, size_t count)
{
    float *floats = malloc(count * sizeof *floats);
    assert_non_null(floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)values[i];
    return floats;
}

void randomize_biases(tulle_trainer *trainer, struct naive *net, struct tulle_rng *rng)
{
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        for (size_t u = 0; u < layer->units; u++)
            layer->biases[u] = (float)(tulle_rng_uniform(rng) - 0.5);
        assert_int_equal(tulle_trainer_set_parameters(trainer, l, layer->weights, layer->biases),
                         TULLE_OK);
    }
}

/* Of the first layer. */
static size_t input_width(const struct tulle_trainer_options *options)
{
    size_t width = options->inputs;
    for (size_t e = 0; e < options->embedding_count; e++)
        width += options->embeddings[e].dimensions;
    return width;
}

struct naive naive_of(const tulle_trainer *trainer, const struct tulle_trainer_options *options)
{
    struct naive net;
    naive_create(&net, input_width(options), options->layers, options->layer_count);
    for (size_t l = 0; l < net.layer_count; l++)
        assert_int_equal(
            tulle_trainer_get_parameters(trainer, l, net.layers[l].weights, net.layers[l].biases),
            TULLE_OK);
    return net;
}

double difference(const double *found, const double *expected, size_t count)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(found[i]))
            return INFINITY;
        worst = fmax(worst, fabs(found[i] - expected[i]));
        largest = fmax(largest, fabs(expected[i]));
    }
    return largest > 0 ? worst / largest : worst;
}

double parameter_difference(const tulle_trainer *trainer, const struct naive *net)
{
    double worst = 0;
    for (size_t l = 0; l < net->layer_count; l++) {
        const struct naive_layer *layer = &net->layers[l];
        size_t count = layer->units * layer->inputs;
        double *weights = malloc(count * sizeof *weights);
        double *biases = malloc(layer->units * sizeof *biases);
        assert_true(weights && biases);
        assert_int_equal(tulle_trainer_get_parameters(trainer, l, weights, biases), TULLE_OK);
        worst = fmax(worst, difference(weights, layer->weights, count));
        worst = fmax(worst, difference(biases, layer->biases, layer->units));
        free(weights);
        free(biases);
    }
    return worst;
}

size_t parameter_count(const struct tulle_trainer_options *options)
{
    size_t count = 0, inputs = input_width(options);
    for (size_t l = 0; l < options->layer_count; l++) {
        const struct tulle_layer *layer = &options->layers[l];
        count += layer->units * (inputs + 1 + (layer->parametric != 0));
        inputs = layer->units;
    }
    for (size_t e = 0; e < options->embedding_count; e++)
        count += (options->embeddings[e].levels + 1) * options->embeddings[e].dimensions;
    return count;
}

double *get_parameters(const tulle_trainer *trainer, const struct tulle_trainer_options *options)
{
    double *values = calloc(parameter_count(options), sizeof *values), *next = values;
    size_t inputs = input_width(options);
    assert_non_null(values);
    for (size_t l = 0; l < options->layer_count; l++) {
        size_t units = options->layers[l].units;
        double *biases = next + units * inputs;
        assert_int_equal(tulle_trainer_get_parameters(trainer, l, next, biases), TULLE_OK);
        next = biases + units;
        if (options->layers[l].parametric) {
            assert_int_equal(tulle_trainer_get_mix(trainer, l, next), TULLE_OK);
            next += units;
        }
        inputs = units;
    }
    for (size_t e = 0; e < options->embedding_count; e++) {
        assert_int_equal(tulle_trainer_get_embedding(trainer, e, next), TULLE_OK);
        next += (options->embeddings[e].levels + 1) * options->embeddings[e].dimensions;
    }
    return values;
}

void set_parameters(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                    const double *values)
{
    size_t inputs = input_width(options);
    for (size_t l = 0; l < options->layer_count; l++) {
        size_t units = options->layers[l].units;
        const double *biases = values + units * inputs;
        assert_int_equal(tulle_trainer_set_parameters(trainer, l, values, biases), TULLE_OK);
        values = biases + units;
        if (options->layers[l].parametric) {
            assert_int_equal(tulle_trainer_set_mix(trainer, l, values), TULLE_OK);
            values += units;
        }
        inputs = units;
    }
    for (size_t e = 0; e < options->embedding_count; e++) {
        assert_int_equal(tulle_trainer_set_embedding(trainer, e, values), TULLE_OK);
        values += (options->embeddings[e].levels + 1) * options->embeddings[e].dimensions;
    }
}

size_t target_count(const struct tulle_trainer_options *options)
{
    size_t outputs = options->layers[options->layer_count - 1].units;
    if (options->loss == TULLE_LOSS_CROSS_ENTROPY)
        return 1;
    return options->loss == TULLE_LOSS_QUANTILE && options->quantile_count > 0
               ? outputs / options->quantile_count
               : outputs;
}

double *new_targets(struct tulle_rng *rng, const struct tulle_trainer_options *options, size_t rows)
{
    size_t count = rows * target_count(options);
    size_t outputs = options->layers[options->layer_count - 1].units;
    double *targets = new_values(rng, count);
    for (size_t i = 0; i < count; i++) {
        if (options->loss == TULLE_LOSS_POISSON)
            targets[i] = (double)tulle_rng_integer(rng, 3);
        else if (options->loss == TULLE_LOSS_GAMMA)
            targets[i] = (float)(fabs(targets[i]) + 0.125);
        else if (options->loss == TULLE_LOSS_BINARY_CROSS_ENTROPY)
            targets[i] = (double)tulle_rng_integer(rng, 1);
        else if (options->loss == TULLE_LOSS_CROSS_ENTROPY)
            targets[i] = (double)tulle_rng_integer(rng, outputs - 1);
    }
    return targets;
}

int same_parameters(const tulle_trainer *a, const tulle_trainer *b,
                    const struct tulle_trainer_options *options)
{
    double *first = get_parameters(a, options), *second = get_parameters(b, options);
    int same = !memcmp(first, second, parameter_count(options) * sizeof *first);
    free(first);
    free(second);
    return same;
}
