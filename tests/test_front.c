/*
 * test_front.c - what stands between a sample's numbers and the first layer: embeddings of numbers
 * by waves and splines, and factors. What they give, against a network that has all of it for
 * inputs; the gradients of all parameters, against differences of losses; the same bits at any
 * number of threads; getting and setting them; and what is refused.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_support.h"

static const double rate = 1099511627776.0; /* 2^40 */

enum { INPUTS = 4, NUMBERS = 2, BINS = 4, ROWS = 30, MOST_WIDTH = 60, MOST_OUTPUTS = 9 };

static const size_t numbers[NUMBERS] = {1, 3};
static const double knots[NUMBERS * (BINS + 1)] = {-0.5,  -0.25, 0,    0.125, 0.5,
                                                   -0.75, -0.5,  0.25, 0.5,   0.75};
static const struct tulle_embedding embedding = {5, 3};

static const struct tulle_layer narrow[] = {{5, TULLE_ACTIVATION_MISH, 1, 0},
                                            {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_layer wide[] = {{11, TULLE_ACTIVATION_MISH, 1, 0},
                                          {4, TULLE_ACTIVATION_TANH, 0, 0},
                                          {9, TULLE_ACTIVATION_IDENTITY, 0, 0}};

/* A network for every pair of things. */
static const struct trial {
    size_t frequencies, bins, dimensions;
    int has_factors;
    size_t embeddings;
    const struct tulle_layer *layers;
    size_t layer_count;
} trials[] = {
    {3, 0, 2, 1, 1, narrow, 2},     {0, BINS, 2, 1, 1, narrow, 2}, {17, 0, 1, 0, 1, wide, 3},
    {0, BINS, 17, 0, 1, wide, 3},   {1, 0, 19, 1, 0, wide + 2, 1}, {0, BINS, 1, 1, 0, wide, 3},
    {5, 0, 3, 0, 0, narrow, 2},     {0, BINS, 3, 0, 0, narrow, 2}, {0, 0, 0, 1, 0, narrow, 2},
    {0, 0, 0, 1, 1, narrow + 1, 1}, {16, 0, 16, 1, 1, narrow, 2},
};
enum { TRIALS = sizeof trials / sizeof *trials };

static struct tulle_trainer_options options_of(const struct trial *trial, enum tulle_type precision)
{
    struct tulle_trainer_options options =
        network_options(INPUTS, trial->layers, trial->layer_count, precision);
    options.embeddings = &embedding;
    options.embedding_count = trial->embeddings;
    options.front = (struct tulle_front){.numbers = numbers,
                                         .number_count = trial->dimensions > 0 ? NUMBERS : 0,
                                         .dimensions = trial->dimensions,
                                         .frequencies = trial->frequencies,
                                         .bins = trial->bins,
                                         .knots = knots,
                                         .has_factors = trial->has_factors};
    options.loss = trial->layers[trial->layer_count - 1].units == MOST_OUTPUTS
                       ? TULLE_LOSS_CROSS_ENTROPY
                       : TULLE_LOSS_MSE;
    options.weight_reduction = options.bias_reduction = TULLE_REDUCTION_SUM;
    options.learning_rate = rate;
    options.batch_size = ROWS;
    return options;
}

/* A trainer of random parameters, and data of which some numbers are knots or far out. */
struct fixture {
    struct tulle_trainer_options options;
    size_t columns, outputs, targets;
    tulle_trainer *trainer;
    double *parameters, *x, *y;
};

static void set_up(struct fixture *f, const struct trial *trial, enum tulle_type precision)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 4);
    f->options = options_of(trial, precision);
    f->columns = row_columns(&f->options);
    f->outputs = trial->layers[trial->layer_count - 1].units;
    f->targets = target_count(&f->options);
    f->trainer = new_trainer(&f->options);
    f->parameters = randomize_parameters(f->trainer, &f->options, &rng);
    f->x = new_rows(&rng, &f->options, ROWS);
    f->y = new_targets(&rng, &f->options, ROWS);
    for (size_t r = 0; r < BINS + 3; r++)
        for (size_t n = 0; n < NUMBERS; n++)
            f->x[r * f->columns + numbers[n]] = r <= BINS      ? knots[n * (BINS + 1) + r]
                                                : r > BINS + 1 ? 2.5
                                                               : -3;
}

static void clear(struct fixture *f)
{
    tulle_trainer_free(f->trainer);
    free(f->parameters), free(f->x), free(f->y);
}

static struct tulle_matrix x_of(const struct fixture *f)
{
    return tulle_f64(f->x, ROWS, f->columns);
}

static struct tulle_matrix y_of(const struct fixture *f)
{
    return tulle_f64(f->y, ROWS, f->targets);
}

static double *find_gradients(const struct fixture *f)
{
    return step_gradients(f->trainer, &f->options, x_of(f), y_of(f), NULL, NULL);
}

/* --- What they compute ------------------------------------------------------------------------ */

static void embed_number(const struct fixture *f, size_t n, double x, double *to)
{
    const struct tulle_front *front = &f->options.front;
    size_t dimensions = front->dimensions, frequencies = front->frequencies;
    const double *own = f->parameters + first_number(&f->options) +
                        n * (number_count(&f->options) / front->number_count);
    const double *v = own + 2 * frequencies, *knot = knots + n * (BINS + 1);
    for (size_t d = 0; d < dimensions; d++) {
        to[d] = front->bins > 0 ? 0 : v[dimensions * frequencies + d];
        for (size_t i = 0; i < frequencies; i++)
            to[d] += v[d * frequencies + i] * cos(2 * acos(-1) * own[i] * x + own[frequencies + i]);
        for (size_t t = 0; t < front->bins; t++)
            to[d] +=
                own[t * dimensions + d] * fmin(1, fmax(0, (x - knot[t]) / (knot[t + 1] - knot[t])));
    }
}

/* The first layer's inputs of all rows: (ROWS, input_width()). */
static void find_inputs(const struct fixture *f, double *inputs)
{
    const struct tulle_front *front = &f->options.front;
    size_t width = input_width(&f->options), size = embedding.dimensions;
    size_t count = front->number_count * front->dimensions;
    const double *factors = f->parameters + parameter_count(&f->options) - width;
    const double *table = f->parameters + first_number(&f->options) - (embedding.levels + 1) * size;
    for (size_t r = 0; r < ROWS; r++, inputs += width) {
        const double *x = f->x + r * f->columns;
        memcpy(inputs, x, INPUTS * sizeof *x);
        for (size_t n = 0; n < front->number_count; n++)
            embed_number(f, n, x[numbers[n]], inputs + INPUTS + n * front->dimensions);
        if (f->options.embedding_count > 0)
            memcpy(inputs + INPUTS + count, table + (size_t)x[INPUTS] * size, size * sizeof *table);
        for (size_t i = 0; front->has_factors && i < width; i++)
            inputs[i] *= factors[i];
    }
}

/* A plain network on the inputs predicts the same and has the same gradients for its layers. */
static void compare_with_plain(const struct fixture *f, double tolerance)
{
    static double inputs[ROWS * MOST_WIDTH], out[ROWS * MOST_OUTPUTS], plain_out[sizeof out / 8];
    struct fixture plain = *f;
    size_t width = input_width(&f->options), count;
    assert_true(width <= MOST_WIDTH);
    find_inputs(f, inputs);
    plain.options.inputs = plain.columns = width;
    plain.options.embedding_count = 0;
    plain.options.front = (struct tulle_front){0};
    plain.trainer = new_trainer(&plain.options);
    plain.x = inputs;
    set_parameters(plain.trainer, &plain.options, f->parameters);
    assert_int_equal(
        tulle_trainer_predict(f->trainer, x_of(f), tulle_f64_out(out, ROWS, f->outputs)), TULLE_OK);
    assert_int_equal(tulle_trainer_predict(plain.trainer, x_of(&plain),
                                           tulle_f64_out(plain_out, ROWS, f->outputs)),
                     TULLE_OK);
    assert_true(difference(out, plain_out, ROWS * f->outputs) <= tolerance);
    double *gradients = find_gradients(f), *of_plain = find_gradients(&plain);
    count = parameter_count(&plain.options);
    assert_true(difference(gradients, of_plain, count) <= tolerance);
    free(gradients), free(of_plain);
    tulle_trainer_free(plain.trainer);
}

static void test_as_inputs(void **state)
{
    (void)state;
    for (size_t t = 0; t < TRIALS; t++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            struct fixture f;
            set_up(&f, &trials[t], (enum tulle_type)precision);
            compare_with_plain(&f, precision == TULLE_F64 ? 1e-12 : 1e-4);
            clear(&f);
        }
}

/* Factors that are powers of two may as well be part of the weights: to the bit. */
static void test_factors_as_weights(void **state)
{
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = network_options(INPUTS, wide, 3, precision);
        struct tulle_trainer_options plain = options;
        static const double factors[INPUTS] = {1, 0.5, -4, 0.125};
        double out[ROWS * 9], plain_out[ROWS * 9];
        struct tulle_rng rng;
        tulle_rng_seed(&rng, 6);
        options.front.has_factors = 1;
        tulle_trainer *scaled = new_trainer(&options), *trainer = new_trainer(&plain);
        double *parameters = randomize_parameters(trainer, &plain, &rng);
        double *x = new_rows(&rng, &plain, ROWS);
        for (size_t i = 0; i < INPUTS * wide[0].units; i++)
            parameters[i] /= factors[i % INPUTS];
        assert_int_equal(tulle_trainer_set_factors(scaled, factors), TULLE_OK);
        for (size_t l = 0, at = 0, inputs = INPUTS; l < 3; inputs = wide[l++].units) {
            const double *biases = parameters + at + wide[l].units * inputs;
            assert_int_equal(tulle_trainer_set_parameters(scaled, l, parameters + at, biases),
                             TULLE_OK);
            at += wide[l].units * (inputs + 1);
            if (wide[l].parametric) {
                assert_int_equal(tulle_trainer_set_mix(scaled, l, parameters + at), TULLE_OK);
                at += wide[l].units;
            }
        }
        assert_int_equal(
            tulle_trainer_predict(scaled, tulle_f64(x, ROWS, INPUTS), tulle_f64_out(out, ROWS, 9)),
            TULLE_OK);
        assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, ROWS, INPUTS),
                                               tulle_f64_out(plain_out, ROWS, 9)),
                         TULLE_OK);
        assert_memory_equal(out, plain_out, sizeof out);
        free(parameters), free(x);
        tulle_trainer_free(scaled), tulle_trainer_free(trainer);
    }
}

static void test_models(void **state)
{
    (void)state;
    for (size_t t = 0; t < TRIALS; t++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            struct fixture f;
            set_up(&f, &trials[t], (enum tulle_type)precision);
            if (f.options.loss == TULLE_LOSS_MSE)
                check_model(f.trainer, &f.options, f.x, ROWS);
            clear(&f);
        }
}

/* --- Gradients -------------------------------------------------------------------------------- */

/* The sum over the rows whose gradient flows back, with one parameter moved by h. */
static double moved_loss(struct fixture *f, size_t i, double h)
{
    double kept = f->parameters[i], loss;
    f->parameters[i] = kept + h;
    set_parameters(f->trainer, &f->options, f->parameters);
    assert_int_equal(tulle_trainer_loss(f->trainer, x_of(f), y_of(f), &loss), TULLE_OK);
    f->parameters[i] = kept;
    return f->options.loss == TULLE_LOSS_MSE ? loss * (double)(ROWS * f->outputs) / 2 : loss * ROWS;
}

static void test_differences(void **state)
{
    const double h = 2e-4;
    (void)state;
    for (size_t t = 0; t < TRIALS; t++) {
        struct fixture f;
        set_up(&f, &trials[t], TULLE_F64);
        double *gradients = find_gradients(&f);
        for (size_t i = 0; i < parameter_count(&f.options); i++) {
            double near = moved_loss(&f, i, h) - moved_loss(&f, i, -h);
            double far = moved_loss(&f, i, 2 * h) - moved_loss(&f, i, -2 * h);
            double numeric = (8 * near - far) / (12 * h);
            if (!(fabs(gradients[i] - numeric) <= 1e-7 * fabs(numeric) + 1e-7))
                fail_msg("trial %zu: the gradient of parameter %zu, of %zu, is %.10g instead of "
                         "%.10g",
                         t, i, parameter_count(&f.options), gradients[i], numeric);
        }
        free(gradients);
        clear(&f);
    }
}

static void test_precisions(void **state)
{
    (void)state;
    for (size_t t = 0; t < TRIALS; t++) {
        struct fixture f32, f64;
        set_up(&f32, &trials[t], TULLE_F32);
        set_up(&f64, &trials[t], TULLE_F64);
        double *found = find_gradients(&f32), *expected = find_gradients(&f64);
        assert_true(difference(found, expected, parameter_count(&f64.options)) <= 2e-5);
        free(found), free(expected);
        clear(&f32), clear(&f64);
    }
}

/* --- The same bits ---------------------------------------------------------------------------- */

/* Batches of several parts, which are others for every number of threads. */
static void test_threads(void **state)
{
    enum { MANY = 1000, THREADS = 3 };
    static double out[THREADS][MANY * MOST_OUTPUTS];
    (void)state;
    for (size_t t = 0; t < TRIALS; t += 3)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            struct tulle_trainer_options options =
                options_of(&trials[t], (enum tulle_type)precision);
            size_t columns = row_columns(&options), targets = target_count(&options);
            size_t outputs = options.layers[options.layer_count - 1].units;
            tulle_trainer *trainers[THREADS];
            struct tulle_rng rng;
            tulle_rng_seed(&rng, 5);
            options.learning_rate = 0.125;
            options.weight_reduction = options.bias_reduction = TULLE_REDUCTION_MEAN;
            options.batch_size = MANY - 10;
            double *x = new_rows(&rng, &options, MANY), *y = new_targets(&rng, &options, MANY);
            double loss[THREADS];
            for (unsigned n = 0; n < THREADS; n++) {
                trainers[n] = new_trainer(&options);
                set_threads(trainers[n], n + 1);
                assert_int_equal(tulle_trainer_epoch(trainers[n], tulle_f64(x, MANY, columns),
                                                     tulle_f64(y, MANY, targets), &loss[n]),
                                 TULLE_OK);
                assert_int_equal(tulle_trainer_predict(trainers[n], tulle_f64(x, MANY, columns),
                                                       tulle_f64_out(out[n], MANY, outputs)),
                                 TULLE_OK);
                assert_true(loss[n] == loss[0]);
                assert_memory_equal(out[n], out[0], MANY * outputs * sizeof **out);
                assert_true(same_parameters(trainers[n], trainers[0], &options));
            }
            for (unsigned n = 0; n < THREADS; n++)
                tulle_trainer_free(trainers[n]);
            free(x), free(y);
        }
}

/* --- Getting and setting ---------------------------------------------------------------------- */

static void test_set_and_get(void **state)
{
    (void)state;
    for (size_t t = 0; t < TRIALS; t++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            struct fixture f;
            set_up(&f, &trials[t], (enum tulle_type)precision);
            size_t first = first_number(&f.options), count = number_count(&f.options);
            size_t all = parameter_count(&f.options);
            double *found = get_parameters(f.trainer, &f.options);
            assert_memory_equal(found, f.parameters, all * sizeof *found);
            for (size_t i = first; i < all; i++)
                f.parameters[i] /= 3;
            if (count > 0)
                assert_int_equal(tulle_trainer_set_numbers(f.trainer, f.parameters + first),
                                 TULLE_OK);
            if (factor_count(&f.options) > 0)
                assert_int_equal(tulle_trainer_set_factors(f.trainer, f.parameters + first + count),
                                 TULLE_OK);
            free(found);
            found = get_parameters(f.trainer, &f.options);
            for (size_t i = 0; i < all; i++)
                assert_true(found[i] ==
                            (precision == TULLE_F64 ? f.parameters[i] : (float)f.parameters[i]));
            free(found);
            clear(&f);
        }
}

static void test_nothing_to_get(void **state)
{
    const struct tulle_trainer_options options = network_options(INPUTS, narrow, 2, TULLE_F64);
    tulle_trainer *trainer = new_trainer(&options);
    double values[INPUTS] = {0};
    (void)state;
    assert_int_equal(tulle_trainer_get_factors(trainer, values), TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_trainer_set_factors(trainer, values), TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_trainer_get_numbers(trainer, values), TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_trainer_set_numbers(trainer, values), TULLE_ERROR_ARGUMENT);
    tulle_trainer_free(trainer);
}

/* --- What is refused -------------------------------------------------------------------------- */

static const size_t no_input[] = {1, INPUTS}, turned[] = {3, 1}, twice[] = {1, 1};
static const double equal_knots[] = {0, 1, 2, 2, 3, 0, 1, 2, 3, 4};
static const double endless_knots[] = {0, 1, 2, 3, 4, 0, 1, 2, 3, INFINITY};
static const double near_knots[] = {0, 1, 2, 3, 4, 0, 1, 1 + 1e-12, 3, 4};
static const double far_knots[] = {0, 1, 2, 3, 1e300, 0, 1, 2, 3, 4};
static const double no_knots[] = {0, 1, NAN, 3, 4, 0, 1, 2, 3, 4};

#define INCOMPLETE "embedded numbers need at least 1 dimension, and either frequencies or bins"
#define TOO_MANY "an embedded number has at most 4096 frequencies, 4096 dimensions and 65536 bins"
#define NO_INPUTS "embedded numbers must be inputs, ascending, of which there are 4; got "

static const struct {
    struct tulle_front front;
    const char *message;
} refused[] = {
    {{.members = 2}, "members need factors of the inputs, or all of them would be the same"},
    {{.has_factors = 1, .members = 1025}, "a network has at most 1024 members, got 1025"},
    {{NULL, 2, 3, 4, 1, 0, NULL, 0, 0}, INCOMPLETE},
    {{numbers, 2, 0, 4, 1, 0, NULL, 0, 0}, INCOMPLETE},
    {{numbers, 2, 3, 0, 1, 0, NULL, 0, 0}, INCOMPLETE},
    {{numbers, 2, 3, 4, 1, BINS, knots, 0, 0}, INCOMPLETE},
    {{numbers, 2, 3, 4097, 1, 0, NULL, 0, 0}, TOO_MANY},
    {{numbers, 2, SIZE_MAX, 4, 1, 0, NULL, 0, 0}, TOO_MANY},
    {{numbers, 2, 3, 0, 1, 65537, knots, 0, 0}, TOO_MANY},
    {{no_input, 2, 3, 4, 1, 0, NULL, 0, 0}, NO_INPUTS "4"},
    {{turned, 2, 3, 4, 1, 0, NULL, 0, 0}, NO_INPUTS "1"},
    {{twice, 2, 3, 4, 1, 0, NULL, 0, 0}, NO_INPUTS "1"},
    {{numbers, 2, 3, 0, 0, BINS, NULL, 0, 0}, "knots is NULL, but bins 4"},
    {{numbers, 2, 3, 0, 0, BINS, equal_knots, 0, 0},
     "knots must be finite and ascend in f32, got 2 after 2"},
    {{numbers, 2, 3, 0, 0, BINS, endless_knots, 0, 0},
     "knots must be finite and ascend in f32, got inf after 3"},
    {{numbers, 2, 3, 0, 0, BINS, no_knots, 0, 0},
     "knots must be finite and ascend in f32, got nan after 1"},
    {{numbers, 2, 3, 0, 0, BINS, near_knots, 0, 0},
     "knots must be finite and ascend in f32, got 1 after 1"},
    {{numbers, 2, 3, 0, 0, BINS, far_knots, 0, 0},
     "knots must be finite and ascend in f32, got inf after 3"},
    {{numbers, 2, 3, 4, -1, 0, NULL, 0, 0},
     "the deviation of frequencies must be a finite number of at least 0, got -1"},
    {{numbers, 2, 3, 4, NAN, 0, NULL, 0, 0},
     "the deviation of frequencies must be a finite number of at least 0, got nan"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct tulle_trainer_options options = network_options(INPUTS, narrow, 2, TULLE_F32);
        tulle_trainer *trainer = (tulle_trainer *)1;
        struct tulle_error error = {0};
        options.front = refused[i].front;
        assert_int_equal(tulle_trainer_create(&options, &trainer, &error), TULLE_ERROR_ARGUMENT);
        assert_null(trainer);
        assert_string_equal(error.message, refused[i].message);
    }
}

/* Knots that are the same in f32, or too large for it, are good ones in f64. */
static void test_knots_of_f64(void **state)
{
    static const double *const good[] = {near_knots, far_knots};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct tulle_trainer_options options = network_options(INPUTS, narrow, 2, TULLE_F64);
        options.front = (struct tulle_front){numbers, 2, 3, 0, 0, BINS, good[i], 0, 0};
        tulle_trainer *trainer = new_trainer(&options);
        tulle_model *model;
        assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_OK);
        tulle_model_free(model);
        tulle_trainer_free(trainer);
    }
}

/* What is said of numbers that there are none of does not count. */
static void test_no_numbers(void **state)
{
    struct tulle_trainer_options options = network_options(INPUTS, narrow, 2, TULLE_F32);
    (void)state;
    options.front = (struct tulle_front){NULL, 0, SIZE_MAX, SIZE_MAX, 0, SIZE_MAX, NULL, 0, 1};
    tulle_trainer_free(new_trainer(&options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_inputs),    cmocka_unit_test(test_factors_as_weights),
        cmocka_unit_test(test_differences),  cmocka_unit_test(test_precisions),
        cmocka_unit_test(test_threads),      cmocka_unit_test(test_set_and_get),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_nothing_to_get),
        cmocka_unit_test(test_no_numbers),   cmocka_unit_test(test_models),
        cmocka_unit_test(test_knots_of_f64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
