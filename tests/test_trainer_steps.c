/* test_trainer_steps.c - steps with weights of rows, with gradients of the caller's own, and with
 * dropout. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_support.h"

static double weighted_step(tulle_trainer *trainer, const struct data *data, const double *weights)
{
    double loss = -1;
    assert_int_equal(tulle_trainer_step_weighted(trainer, x_rows(data, 0, ROWS),
                                                 y_rows(data, 0, ROWS), weights, &loss),
                     TULLE_OK);
    return loss;
}

/* The largest difference between the parameters of both. */
static double distance(const tulle_trainer *a, const tulle_trainer *b,
                       const struct tulle_trainer_options *options)
{
    double *first = get_parameters(a, options), *second = get_parameters(b, options);
    double result = difference(first, second, parameter_count(options));
    free(first), free(second);
    return result;
}

/* --- Weights ---------------------------------------------------------------------------------- */

static void test_weights_of_one(void **state)
{
    const struct data *data = *state;
    double ones[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        ones[r] = 1;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int loss = 0; loss < LOSSES; loss++) {
            struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
            struct tulle_rng rng;
            tulle_rng_seed(&rng, 4);
            options.loss = (enum tulle_loss)loss;
            double *targets = new_targets(&rng, &options, ROWS), found, expected;
            struct tulle_matrix x = x_rows(data, 0, ROWS);
            struct tulle_matrix y = tulle_f64(targets, ROWS, target_count(&options));
            tulle_trainer *plain = new_trainer(&options), *none = new_trainer(&options);
            tulle_trainer *weighted = new_trainer(&options);
            expected = step(plain, x, y);
            assert_int_equal(tulle_trainer_step_weighted(none, x, y, NULL, &found), TULLE_OK);
            assert_true(found == expected && same_parameters(none, plain, &options));
            assert_int_equal(tulle_trainer_step_weighted(weighted, x, y, ones, &found), TULLE_OK);
            assert_true(found == expected && same_parameters(weighted, plain, &options));
            assert_int_equal(tulle_trainer_step_weighted(weighted, x, y, ones, NULL), TULLE_OK);
            tulle_trainer_free(plain);
            tulle_trainer_free(none);
            tulle_trainer_free(weighted);
            free(targets);
        }
}

/* A row of weight 0 is not there, one of weight 2 is there twice, but for the mean's divisor. */
static void test_weights_count_rows(void **state)
{
    enum { KEPT = 40, TWICE = 25 };
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int means = 0; means <= 1; means++) {
            struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
            double weights[ROWS] = {0}, x[(KEPT + TWICE) * INPUTS], y[(KEPT + TWICE) * OUTPUTS];
            double share = means ? (double)(KEPT + TWICE) / ROWS : 1;
            options.learning_rate = 0.01;
            options.weight_reduction = options.bias_reduction =
                means ? TULLE_REDUCTION_MEAN : TULLE_REDUCTION_SUM;
            tulle_trainer *weighted = new_trainer(&options);
            options.learning_rate *= share;
            tulle_trainer *counted = new_trainer(&options);
            for (size_t r = 0; r < KEPT; r++)
                weights[r] = r < TWICE ? 2 : 1;
            memcpy(x, data->x, KEPT * INPUTS * sizeof *x);
            memcpy(x + KEPT * INPUTS, data->x, TWICE * INPUTS * sizeof *x);
            memcpy(y, data->y, KEPT * OUTPUTS * sizeof *y);
            memcpy(y + KEPT * OUTPUTS, data->y, TWICE * OUTPUTS * sizeof *y);
            double loss = weighted_step(weighted, data, weights);
            double expected = step(counted, tulle_f64(x, KEPT + TWICE, INPUTS),
                                   tulle_f64(y, KEPT + TWICE, OUTPUTS));
            double tolerance = precision == TULLE_F64 ? 1e-13 : 1e-5;
            assert_near(loss, expected * (KEPT + TWICE) / ROWS, tolerance);
            assert_true(distance(weighted, counted, &options) <= tolerance);
            tulle_trainer_free(weighted);
            tulle_trainer_free(counted);
        }
}

static void test_refused_weights(void **state)
{
    static const double bad[] = {-1, -1e-300, NAN, INFINITY, -INFINITY};
    const struct data *data = *state;
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t row = 0; row < ROWS; row += ROWS - 1) {
            double weights[ROWS] = {0};
            weights[row] = bad[i];
            assert_int_equal(tulle_trainer_step_weighted(trainer, x_rows(data, 0, ROWS),
                                                         y_rows(data, 0, ROWS), weights, NULL),
                             TULLE_ERROR_ARGUMENT);
            assert_true(same_parameters(trainer, untouched, &options));
        }
    const double zeros[ROWS] = {0};
    assert_true(weighted_step(trainer, data, zeros) == 0);
    assert_true(same_parameters(trainer, untouched, &options));
    tulle_trainer_free(trainer);
    tulle_trainer_free(untouched);
}

/* --- Gradients of the caller's own ------------------------------------------------------------ */

/* Fed o - y it is a step of mse, to the bit. */
static void test_step_gradient(void **state)
{
    static const size_t sizes[] = {70, 1, 33, 16};
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int momentum = 0; momentum <= 1; momentum++) {
            struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
            options.momentum = momentum * 0.5;
            tulle_trainer *plain = new_trainer(&options);
            options.loss = TULLE_LOSS_CROSS_ENTROPY; /* makes no difference */
            tulle_trainer *fed = new_trainer(&options);
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                double dy[ROWS * OUTPUTS];
                struct tulle_matrix x = x_rows(data, 0, sizes[i]);
                assert_int_equal(
                    tulle_trainer_predict(fed, x, tulle_f64_out(dy, sizes[i], OUTPUTS)), TULLE_OK);
                for (size_t k = 0; k < sizes[i] * OUTPUTS; k++)
                    dy[k] -= data->y[k];
                assert_int_equal(
                    tulle_trainer_step_gradient(fed, x, tulle_f64(dy, sizes[i], OUTPUTS)),
                    TULLE_OK);
                step(plain, x, y_rows(data, 0, sizes[i]));
                assert_true(same_parameters(plain, fed, &options));
            }
            tulle_trainer_free(plain);
            tulle_trainer_free(fed);
        }
}

static void test_refused_gradients(void **state)
{
    const struct data *data = *state;
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    struct tulle_matrix x = x_rows(data, 0, ROWS), dy = y_rows(data, 0, ROWS), wide = dy;
    tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
    wide.stride = OUTPUTS - 1;
    const struct {
        struct tulle_matrix x, dy;
    } bad[] = {{x, y_rows(data, 0, ROWS - 1)},
               {x, tulle_f64(data->y, ROWS, OUTPUTS - 1)},
               {x, wide},
               {tulle_f64(data->x, ROWS, INPUTS - 1), dy},
               {x_rows(data, 0, 0), y_rows(data, 0, 0)}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tulle_trainer_step_gradient(trainer, bad[i].x, bad[i].dy),
                         TULLE_ERROR_ARGUMENT);
    assert_true(same_parameters(trainer, untouched, &options));
    tulle_trainer_free(trainer);
    tulle_trainer_free(untouched);

    /* Predictions are not the outputs that a step would have, or not of its parameters. */
    struct tulle_layer drops[LAYERS];
    memcpy(drops, usual_layers, sizeof usual_layers);
    drops[0].dropout = 0.25;
    for (int averages = 0; averages < 2; averages++) {
        options = usual_options(TULLE_F64);
        options.layers = averages ? usual_layers : drops;
        options.averaging = averages * 0.5;
        trainer = new_trainer(&options);
        assert_int_equal(tulle_trainer_step_gradient(trainer, x, dy), TULLE_ERROR_ARGUMENT);
        tulle_trainer_free(trainer);
    }
}

/* --- Dropout ---------------------------------------------------------------------------------- */

static struct tulle_trainer_options dropout_options(struct tulle_layer layers[LAYERS],
                                                    enum tulle_type precision)
{
    struct tulle_trainer_options options = usual_options(precision);
    memcpy(layers, usual_layers, sizeof usual_layers);
    layers[0].dropout = 0.25;
    layers[1].dropout = 0.5;
    options.layers = layers;
    return options;
}

/* Drops in steps alone, others in each step, the same ones again from the same seed. */
static void test_dropout(void **state)
{
    const struct data *data = *state;
    struct tulle_matrix x = x_rows(data, 0, ROWS), y = y_rows(data, 0, ROWS);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_layer layers[LAYERS];
        struct tulle_trainer_options options = dropout_options(layers, (enum tulle_type)precision);
        struct tulle_trainer_options none = usual_options((enum tulle_type)precision);
        options.learning_rate = none.learning_rate = 0;
        struct tulle_rng rng;
        tulle_rng_seed(&rng, 3); /* the seed names the dropout, even where it draws nothing else */
        options.rng = none.rng = &rng;
        tulle_trainer *first = new_trainer(&options), *again = new_trainer(&options);
        options.seed++;
        tulle_trainer *other = new_trainer(&options), *plain = new_trainer(&none);
        double losses[4];
        for (int i = 0; i < 4; i++) {
            losses[i] = step(first, x, y);
            assert_true(step(again, x, y) == losses[i]);
            assert_true(step(other, x, y) != losses[i]);
            for (int j = 0; j < i; j++)
                assert_true(losses[i] != losses[j]);
        }
        double outside, expected;
        assert_int_equal(tulle_trainer_loss(first, x, y, &outside), TULLE_OK);
        assert_int_equal(tulle_trainer_loss(plain, x, y, &expected), TULLE_OK);
        assert_true(outside == expected && step(plain, x, y) == expected);
        double out[ROWS * OUTPUTS], expected_out[ROWS * OUTPUTS];
        assert_int_equal(tulle_trainer_predict(first, x, tulle_f64_out(out, ROWS, OUTPUTS)),
                         TULLE_OK);
        assert_int_equal(
            tulle_trainer_predict(plain, x, tulle_f64_out(expected_out, ROWS, OUTPUTS)), TULLE_OK);
        assert_memory_equal(out, expected_out, sizeof out);
        tulle_trainer_free(first);
        tulle_trainer_free(again);
        tulle_trainer_free(other);
        tulle_trainer_free(plain);
    }
}

/* A unit's output keeps its mean: that of one identity layer over many steps. */
static void test_dropout_keeps_the_mean(void **state)
{
    enum { UNITS = 64, TRIES = 2000 };
    static const struct tulle_layer layers[] = {{UNITS, TULLE_ACTIVATION_IDENTITY, 0, 0.3},
                                                {1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    const struct data *data = *state;
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F64);
    options.learning_rate = 0;
    options.loss = TULLE_LOSS_MAE; /* far above any output: the loss is y - o */
    tulle_trainer *trainer = new_trainer(&options);
    const double high = 1000;
    double output, sum = 0, squares = 0;
    assert_int_equal(
        tulle_trainer_predict(trainer, x_rows(data, 0, 1), tulle_f64_out(&output, 1, 1)), TULLE_OK);
    for (int i = 0; i < TRIES; i++) {
        double dropped = high - step(trainer, x_rows(data, 0, 1), tulle_f64(&high, 1, 1));
        sum += dropped;
        squares += dropped * dropped;
    }
    double mean = sum / TRIES, deviation = sqrt(squares / TRIES - mean * mean);
    assert_true(deviation > 0 && fabs(mean - output) <= 4 * deviation / sqrt(TRIES));
    tulle_trainer_free(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_of_one),         cmocka_unit_test(test_weights_count_rows),
        cmocka_unit_test(test_refused_weights),        cmocka_unit_test(test_step_gradient),
        cmocka_unit_test(test_refused_gradients),      cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_dropout_keeps_the_mean),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
