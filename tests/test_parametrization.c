/*
 * test_parametrization.c - what learning rates and decays mean to parameters of each kind: the NTK
 * parametrization, against a network that has its weights divided by sqrt(inputs); the rates of
 * biases, mixes, embedded numbers and factors; and regularization that is turned down.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_support.h"

/* --- Against a network of v x / sqrt(inputs) -------------------------------------------------- */

/* A step of v and b, of which the network has w = v / sqrt(inputs) and b: kept is what the
 * optimizer keeps, of the weights and then the biases of each layer. */
static void step_plainly(struct naive *net, double *v, struct naive_kept *kept, int t,
                         const struct tulle_trainer_options *o, const struct data *data)
{
    naive_gradients(net, data->x, data->y, ROWS);
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        size_t area = layer->units * layer->inputs;
        double root = sqrt((double)layer->inputs);
        for (size_t i = 0; i < area; i++, v++, kept++) {
            *v = naive_update(o, o->learning_rate, o->weight_decay, t, *v,
                              layer->weight_gradients[i] / root / ROWS, kept);
            layer->weights[i] = *v / root;
        }
        for (size_t u = 0; u < layer->units; u++, kept++)
            layer->biases[u] = naive_update(
                o, o->learning_rate * o->bias_learning_rate, o->weight_decay * o->bias_weight_decay,
                t, layer->biases[u], layer->bias_gradients[u] / ROWS, kept);
    }
}

static void check_ntk(const struct tulle_trainer_options *options, const struct data *data)
{
    double tolerance = options->precision == TULLE_F64 ? 1e-10 : 2e-4;
    size_t count = parameter_count(options);
    tulle_trainer *trainer = new_trainer(options);
    struct naive net = naive_of(trainer, options);
    struct naive_kept *kept = calloc(count, sizeof *kept);
    double *v = calloc(count, sizeof *v), *next = v;
    assert_true(kept && v);
    for (size_t l = 0; l < net.layer_count; l++)
        for (size_t i = 0; i < net.layers[l].units * net.layers[l].inputs; i++)
            *next++ = net.layers[l].weights[i] * sqrt((double)net.layers[l].inputs);
    for (int t = 1; t <= 5; t++) {
        step(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
        step_plainly(&net, v, kept, t, options, data);
        double worst = parameter_difference(trainer, &net);
        if (!(worst <= tolerance))
            fail_msg("%s, %s, step %d: a parameter is off by %g",
                     tulle_optimizer_name(options->optimizer), tulle_type_name(options->precision),
                     t, worst);
    }
    free(kept), free(v);
    naive_free(&net);
    tulle_trainer_free(trainer);
}

static void test_ntk(void **state)
{
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int o = 0; o < OPTIMIZERS; o++)
            for (int decays = 0; decays <= 1; decays++) {
                struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
                options.parametrization = TULLE_PARAMETRIZATION_NTK;
                options.optimizer = (enum tulle_optimizer)o;
                options.epsilon = 0.01; /* of the gradients' size, to be seen */
                options.momentum = 0.75;
                options.bias_learning_rate = 0.25;
                options.weight_decay = decays ? 0.5 : 0;
                options.bias_weight_decay = 0.125;
                check_ntk(&options, *state);
            }
}

/* --- A network of all kinds of parameters ----------------------------------------------------- */

enum { HIDDEN = 12, NUMBERS = 2, FREQUENCIES = 3, DIMENSIONS = 2 };
enum kind { WEIGHTS, BIASES, MIXES, OTHERS, EMBEDDED, FACTORS, KINDS };

static const struct tulle_layer all_layers[] = {{HIDDEN, TULLE_ACTIVATION_MISH, 1, 0.5},
                                                {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_embedding embedding = {4, 3};
static const size_t numbers[NUMBERS] = {2, 5};

/* The rows' last column is the level: 0 or 1. */
static struct tulle_trainer_options all_options(enum tulle_optimizer optimizer,
                                                const struct tulle_layer *layers)
{
    struct tulle_trainer_options options = network_options(INPUTS - 1, layers, 2, TULLE_F64);
    options.embeddings = &embedding;
    options.embedding_count = 1;
    options.front = (struct tulle_front){.numbers = numbers,
                                         .number_count = NUMBERS,
                                         .dimensions = DIMENSIONS,
                                         .frequencies = FREQUENCIES,
                                         .frequency_deviation = 1,
                                         .has_factors = 1};
    options.optimizer = optimizer;
    return options;
}

static double *level_rows(const struct data *data)
{
    double *x = calloc(ROWS * INPUTS, sizeof *x);
    assert_non_null(x);
    memcpy(x, data->x, ROWS * INPUTS * sizeof *x);
    for (size_t r = 0; r < ROWS; r++)
        x[(r + 1) * INPUTS - 1] = (double)(r % 2);
    return x;
}

/* Of the parameters in the order of get_parameters(). */
static enum kind kind_of(const struct tulle_trainer_options *options, size_t i)
{
    size_t width = input_width(options);
    const size_t ends[] = {HIDDEN * width,       HIDDEN, HIDDEN, OUTPUTS * HIDDEN, OUTPUTS, 5 * 3,
                           number_count(options)};
    static const enum kind kinds[] = {WEIGHTS, BIASES, MIXES, WEIGHTS, BIASES, OTHERS, EMBEDDED};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; i -= ends[k++])
        if (i < ends[k])
            return kinds[k];
    return FACTORS;
}

/* The way that each parameter goes in a step, without dropout; freed with free(). */
static double *find_step(const struct tulle_trainer_options *options, const struct data *data)
{
    double *x = level_rows(data);
    tulle_trainer *trainer = new_trainer(options);
    double *before = get_parameters(trainer, options);
    assert_int_equal(tulle_trainer_set_regularization(trainer, 0), TULLE_OK);
    step(trainer, tulle_f64(x, ROWS, INPUTS), y_rows(data, 0, ROWS));
    double *after = get_parameters(trainer, options);
    for (size_t i = 0; i < parameter_count(options); i++)
        after[i] -= before[i];
    tulle_trainer_free(trainer);
    free(x), free(before);
    return after;
}

/* Compares a step with one of the usual rates, kind by kind. */
static void check_rates(const struct tulle_trainer_options *options, const double rates[KINDS],
                        const struct data *data)
{
    struct tulle_trainer_options usual = all_options(options->optimizer, options->layers);
    usual.learning_rate = options->learning_rate;
    double *found = find_step(options, data), *expected = find_step(&usual, data);
    for (size_t i = 0; i < parameter_count(options); i++) {
        enum kind kind = kind_of(options, i);
        if (!(fabs(found[i] - rates[kind] * expected[i]) <= 1e-9 * fabs(expected[i])))
            fail_msg("%s: parameter %zu, of kind %d, goes %.17g instead of %g times %.17g",
                     tulle_optimizer_name(options->optimizer), i, kind, found[i], rates[kind],
                     expected[i]);
    }
    free(found), free(expected);
}

static void test_rates(void **state)
{
    static const double rates[][KINDS] = {
        {1, 0.1, 1, 1, 1, 1}, {1, 1, 0.5, 1, 1, 1},  {1, 1, 1, 1, 3, 1},
        {1, 1, 1, 1, 1, 6},   {1, 0, 2, 1, 0.25, 7}, {1, 1, 0, 1, 0, 0},
    };
    for (int o = 0; o < OPTIMIZERS; o++)
        for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
            struct tulle_trainer_options options = all_options((enum tulle_optimizer)o, all_layers);
            options.learning_rate = 1024; /* ways so long that they are known exactly */
            options.bias_learning_rate = rates[i][BIASES];
            options.mix_learning_rate = rates[i][MIXES];
            options.number_learning_rate = rates[i][EMBEDDED];
            options.factor_learning_rate = rates[i][FACTORS];
            check_rates(&options, rates[i], *state);
        }
}

/* Nothing but a layer's weights has inputs to divide by. */
static void test_ntk_of_weights_alone(void **state)
{
    for (int is_adam = 0; is_adam <= 1; is_adam++) {
        struct tulle_trainer_options options =
            all_options(is_adam ? TULLE_OPTIMIZER_ADAM : TULLE_OPTIMIZER_SGD, all_layers);
        struct tulle_trainer_options ntk = options;
        options.learning_rate = ntk.learning_rate = 1024;
        options.epsilon = ntk.epsilon = 1e-300;
        ntk.parametrization = TULLE_PARAMETRIZATION_NTK;
        double *standard = find_step(&options, *state), *found = find_step(&ntk, *state);
        size_t width = input_width(&options);
        for (size_t i = 0; i < parameter_count(&options); i++) {
            double inputs = kind_of(&options, i) != WEIGHTS ? 1
                            : i < HIDDEN * width            ? (double)width
                                                            : HIDDEN;
            double expected = standard[i] / (is_adam ? sqrt(inputs) : inputs);
            assert_true(fabs(found[i] - expected) <= 1e-9 * fabs(expected));
        }
        free(standard), free(found);
    }
}

/* --- Regularization --------------------------------------------------------------------------- */

/* So much of it as if the options had asked for as much in the first place. */
static void check_regularization(enum tulle_optimizer optimizer, double factor,
                                 const struct data *data)
{
    struct tulle_layer less[] = {all_layers[0], all_layers[1]};
    struct tulle_trainer_options options = all_options(optimizer, all_layers);
    struct tulle_trainer_options expected = all_options(optimizer, less);
    double *x = level_rows(data);
    options.learning_rate = expected.learning_rate = 0.0625;
    options.weight_decay = 0.5;
    expected.weight_decay = 0.5 * factor;
    less[0].dropout *= factor;
    tulle_trainer *turned_down = new_trainer(&options), *trainer = new_trainer(&expected);
    assert_int_equal(tulle_trainer_set_regularization(turned_down, factor), TULLE_OK);
    for (int i = 0; i < 3; i++)
        assert_true(step(turned_down, tulle_f64(x, ROWS, INPUTS), y_rows(data, 0, ROWS)) ==
                    step(trainer, tulle_f64(x, ROWS, INPUTS), y_rows(data, 0, ROWS)));
    assert_true(same_parameters(turned_down, trainer, &options));
    free(x);
    tulle_trainer_free(turned_down);
    tulle_trainer_free(trainer);
}

static void test_regularization(void **state)
{
    for (int o = 0; o < OPTIMIZERS; o++)
        for (double factor = 0; factor <= 1; factor += 0.25)
            check_regularization((enum tulle_optimizer)o, factor, *state);
}

static void test_refused(void **state)
{
    static const double refused[] = {-1e-9, 1.0000001, NAN, INFINITY, -INFINITY};
    const struct data *data = *state;
    const struct tulle_trainer_options options = all_options(TULLE_OPTIMIZER_ADAM, all_layers);
    double *x = level_rows(data);
    tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(tulle_trainer_set_regularization(trainer, refused[i]),
                         TULLE_ERROR_ARGUMENT);
    assert_true(step(trainer, tulle_f64(x, ROWS, INPUTS), y_rows(data, 0, ROWS)) ==
                step(untouched, tulle_f64(x, ROWS, INPUTS), y_rows(data, 0, ROWS)));
    assert_true(same_parameters(trainer, untouched, &options));
    free(x);
    tulle_trainer_free(trainer);
    tulle_trainer_free(untouched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ntk),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_ntk_of_weights_alone),
        cmocka_unit_test(test_regularization),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
