/* net_support.c - networks, data and comparisons for tests. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/train/trainer.h"
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

void set_threads(tulle_trainer *trainer, unsigned threads)
{
    tulle_pool_free(trainer->pool);
    trainer->pool = tulle_pool_create(threads);
    assert_non_null(trainer->pool);
    assert_int_equal(tulle_pool_threads(trainer->pool), threads);
    tulle_workspace_clear(&trainer->workspace);
    const struct workspace_use use = {.samples = trainer->options.batch_size,
                                      .threads = threads,
                                      .is_training = 1,
                                      .targets = trainer->network.outputs,
                                      .keeps_gradients = !trainer->is_in_place};
    assert_int_equal(
        tulle_workspace_init(&trainer->workspace, &trainer->network, trainer->kernels, &use),
        TULLE_OK);
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

void check_model(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                 const double *x, size_t rows)
{
    size_t columns = row_columns(options),
           outputs = options->layers[options->layer_count - 1].units;
    double *out = calloc(rows, 2 * outputs * sizeof *out), *of_model = out + rows * outputs;
    double *levels = malloc(rows * columns * sizeof *levels);
    assert_true(out && levels);
    for (size_t i = 0; i < rows * columns; i++)
        levels[i] = i % columns < options->inputs ? x[i] : x[i] > 0 ? x[i] - 1 : NAN;
    tulle_model *model = new_model(trainer);
    tulle_session *session = new_session(model);
    assert_int_equal(tulle_model_info(model)->parameter_count, parameter_count(options));
    assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, rows, columns),
                                           tulle_f64_out(out, rows, outputs)),
                     TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(levels, rows, columns),
                                           tulle_f64_out(of_model, rows, outputs)),
                     TULLE_OK);
    assert_memory_equal(out, of_model, rows * outputs * sizeof *out);
    free(out), free(levels);
    tulle_session_free(session);
    tulle_model_free(model);
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

size_t input_width(const struct tulle_trainer_options *options)
{
    size_t width = options->inputs + options->front.number_count * options->front.dimensions;
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

size_t row_columns(const struct tulle_trainer_options *options)
{
    return options->inputs + options->embedding_count;
}

double *new_rows(struct tulle_rng *rng, const struct tulle_trainer_options *options, size_t rows)
{
    size_t columns = row_columns(options);
    double *x = new_values(rng, rows * columns);
    for (size_t r = 0; r < rows; r++)
        for (size_t e = 0; e < options->embedding_count; e++)
            x[r * columns + options->inputs + e] =
                (double)tulle_rng_integer(rng, (uint32_t)options->embeddings[e].levels);
    return x;
}

/* --- All parameters --------------------------------------------------------------------------- */

size_t member_count(const struct tulle_trainer_options *options)
{
    return options->front.members > 0 ? options->front.members : 1;
}

/* Units of a layer, those of all members' last one. */
static size_t unit_count(const struct tulle_trainer_options *options, size_t layer)
{
    size_t copies = layer + 1 == options->layer_count ? member_count(options) : 1;
    return copies * options->layers[layer].units;
}

static size_t table_count(const struct tulle_trainer_options *options, size_t embedding)
{
    const struct tulle_embedding *e = &options->embeddings[embedding];
    return (e->levels + 1) * e->dimensions;
}

size_t number_count(const struct tulle_trainer_options *options)
{
    const struct tulle_front *front = &options->front;
    size_t each = front->bins > 0
                      ? front->bins * front->dimensions
                      : (2 + front->dimensions) * front->frequencies + front->dimensions;
    return front->number_count * each;
}

size_t factor_count(const struct tulle_trainer_options *options)
{
    return options->front.has_factors ? member_count(options) * input_width(options) : 0;
}

size_t first_number(const struct tulle_trainer_options *options)
{
    size_t count = 0, inputs = input_width(options);
    for (size_t l = 0; l < options->layer_count; l++) {
        const struct tulle_layer *layer = &options->layers[l];
        count += unit_count(options, l) * (inputs + 1) + (layer->parametric ? layer->units : 0);
        inputs = layer->units;
    }
    for (size_t e = 0; e < options->embedding_count; e++)
        count += table_count(options, e);
    return count;
}

size_t parameter_count(const struct tulle_trainer_options *options)
{
    return first_number(options) + number_count(options) + factor_count(options);
}

double *get_parameters(const tulle_trainer *trainer, const struct tulle_trainer_options *options)
{
    double *values = calloc(parameter_count(options), sizeof *values), *next = values;
    size_t inputs = input_width(options);
    assert_non_null(values);
    for (size_t l = 0; l < options->layer_count; l++) {
        size_t units = unit_count(options, l);
        double *biases = next + units * inputs;
        assert_int_equal(tulle_trainer_get_parameters(trainer, l, next, biases), TULLE_OK);
        next = biases + units;
        inputs = options->layers[l].units;
        if (options->layers[l].parametric) {
            assert_int_equal(tulle_trainer_get_mix(trainer, l, next), TULLE_OK);
            next += inputs;
        }
    }
    for (size_t e = 0; e < options->embedding_count; next += table_count(options, e++))
        assert_int_equal(tulle_trainer_get_embedding(trainer, e, next), TULLE_OK);
    if (number_count(options) > 0)
        assert_int_equal(tulle_trainer_get_numbers(trainer, next), TULLE_OK);
    if (factor_count(options) > 0)
        assert_int_equal(tulle_trainer_get_factors(trainer, next + number_count(options)),
                         TULLE_OK);
    return values;
}

void set_parameters(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                    const double *values)
{
    size_t inputs = input_width(options);
    for (size_t l = 0; l < options->layer_count; l++) {
        size_t units = unit_count(options, l);
        const double *biases = values + units * inputs;
        assert_int_equal(tulle_trainer_set_parameters(trainer, l, values, biases), TULLE_OK);
        values = biases + units;
        inputs = options->layers[l].units;
        if (options->layers[l].parametric) {
            assert_int_equal(tulle_trainer_set_mix(trainer, l, values), TULLE_OK);
            values += inputs;
        }
    }
    for (size_t e = 0; e < options->embedding_count; values += table_count(options, e++))
        assert_int_equal(tulle_trainer_set_embedding(trainer, e, values), TULLE_OK);
    if (number_count(options) > 0)
        assert_int_equal(tulle_trainer_set_numbers(trainer, values), TULLE_OK);
    if (factor_count(options) > 0)
        assert_int_equal(tulle_trainer_set_factors(trainer, values + number_count(options)),
                         TULLE_OK);
}

double *randomize_parameters(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                             struct tulle_rng *rng)
{
    double *values = new_values(rng, parameter_count(options));
    set_parameters(trainer, options, values);
    return values;
}

double *gradients_since(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                        const double *before)
{
    double *values = get_parameters(trainer, options);
    for (size_t i = 0; i < parameter_count(options); i++)
        values[i] = (before[i] - values[i]) / options->learning_rate;
    set_parameters(trainer, options, before);
    return values;
}

double *step_gradients(tulle_trainer *trainer, const struct tulle_trainer_options *options,
                       struct tulle_matrix x, struct tulle_matrix y, const double *weights,
                       double *loss)
{
    double *before = get_parameters(trainer, options);
    assert_int_equal(tulle_trainer_step_weighted(trainer, x, y, weights, loss), TULLE_OK);
    double *gradients = gradients_since(trainer, options, before);
    free(before);
    return gradients;
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
