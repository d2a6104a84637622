/*
 * test_gradient_of_weights.c - the loss and the gradient of a trainer without a step: of random
 * networks those that a step of plain descent reports and follows; with a penalty the derivative of
 * that loss; and no trace of it in what follows.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_network.h"
#include "trainer_support.h"

static double *new_zeros(size_t count)
{
    double *zeros = calloc(count, sizeof *zeros);
    assert_non_null(zeros);
    return zeros;
}

/* The numbers of all layers' weights and biases, which is all but mixes and the front. */
static size_t layer_numbers(const struct tulle_trainer_options *o)
{
    size_t count = 0, inputs = input_width(o);
    for (size_t l = 0; l < o->layer_count; inputs = o->layers[l++].units)
        count +=
            (l + 1 == o->layer_count ? member_count(o) : 1) * o->layers[l].units * (inputs + 1);
    return count;
}

/* Of an array laid out like get_parameters() those; in place. */
static void leave_layers(const struct tulle_trainer_options *o, double *values)
{
    double *to = values;
    size_t inputs = input_width(o);
    for (size_t l = 0; l < o->layer_count; inputs = o->layers[l++].units) {
        size_t units = (l + 1 == o->layer_count ? member_count(o) : 1) * o->layers[l].units;
        memmove(to, values, units * (inputs + 1) * sizeof *to);
        to += units * (inputs + 1);
        values += units * (inputs + 1) + (o->layers[l].parametric ? o->layers[l].units : 0);
    }
}

static void find(tulle_trainer *trainer, const struct random_network *n, double *loss,
                 double *gradient)
{
    assert_int_equal(tulle_trainer_gradient(trainer, first_x(n, n->rows), first_y(n, n->rows),
                                            n->row_weights, loss, gradient),
                     TULLE_OK);
}

static void draw_without_dropout(struct random_network *n, struct tulle_rng *rng)
{
    draw_network(n, rng);
    for (size_t l = 0; l < n->options.layer_count; l++)
        n->layers[l].dropout = 0;
}

/* An enormous step shows its gradient. */
static void check_step(struct tulle_rng *rng)
{
    struct random_network n;
    double losses[2];
    draw_without_dropout(&n, rng);
    n.options.learning_rate = 1099511627776.0; /* 2^40 */
    size_t count = layer_numbers(&n.options);
    double *found = new_zeros(count), *again = new_zeros(count);
    tulle_trainer *trainer = trainer_of(&n);
    find(trainer, &n, &losses[0], found);
    double *expected = step_gradients(trainer, &n.options, first_x(&n, n.rows), first_y(&n, n.rows),
                                      n.row_weights, &losses[1]);
    leave_layers(&n.options, expected);
    assert_memory_equal(&losses[0], &losses[1], sizeof *losses);
    double error = difference(found, expected, count);
    if (!(error <= (n.options.precision == TULLE_F64 ? 1e-13 : 1e-5)))
        fail_msg("the gradient is off by %g", error);
    for (unsigned threads = 2; threads <= 3; threads++) {
        set_threads(trainer, threads);
        find(trainer, &n, &losses[1], again);
        assert_memory_equal(again, found, count * sizeof *found);
        assert_memory_equal(&losses[0], &losses[1], sizeof *losses);
    }
    free(found), free(again), free(expected);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

/* It takes no step, and those that follow are what they would have been. */
static void check_no_trace(struct tulle_rng *rng)
{
    struct random_network n;
    draw_network(&n, rng);
    draw_optimizer(&n, rng);
    double *gradient = new_zeros(layer_numbers(&n.options)), loss, losses[2];
    tulle_trainer *trainer = trainer_of(&n), *untouched = trainer_of(&n);
    tulle_trainer *both[] = {trainer, untouched};
    for (int s = 0; s < 3; s++) {
        find(trainer, &n, &loss, s < 2 ? gradient : NULL);
        find(trainer, &n, NULL, NULL);
        assert_true(same_parameters(trainer, untouched, &n.options));
        for (int i = 0; i < 2; i++)
            (void)tulle_trainer_epoch(both[i], first_x(&n, n.rows), first_y(&n, n.rows),
                                      &losses[i]);
        assert_memory_equal(&losses[0], &losses[1], sizeof *losses);
    }
    assert_true(same_parameters(trainer, untouched, &n.options));
    free(gradient);
    tulle_trainer_free(trainer), tulle_trainer_free(untouched);
    clear_network(&n);
}

TEST_PROPERTY(step, 300)
TEST_PROPERTY(no_trace, 100)

/* --- With a penalty --------------------------------------------------------------------------- */

/* Of mse the loss counts twice, as without a penalty, and with two outputs each half. */
static void test_penalty(void **state)
{
    const double step = 0x1p-20;
    for (int sklearn = 0; sklearn <= 1; sklearn++) {
        struct tulle_trainer_options options = usual_options(TULLE_F64);
        double weights[ROWS], losses[2];
        for (size_t r = 0; r < ROWS; r++)
            weights[r] = (double)(r % 4);
        options.penalty = 3;
        options.dialect = sklearn ? TULLE_DIALECT_SKLEARN : TULLE_DIALECT_PYTORCH;
        options.loss = TULLE_LOSS_BINARY_CROSS_ENTROPY;
        tulle_trainer *trainer = new_trainer(&options);
        size_t count = parameter_count(&options);
        double *values = get_parameters(trainer, &options), *gradient = new_zeros(count);
        double *differences = new_zeros(count);
        const struct tulle_matrix x = x_rows(*state, 0, ROWS), y = y_rows(*state, 0, ROWS);
        assert_int_equal(tulle_trainer_gradient(trainer, x, y, weights, NULL, gradient), TULLE_OK);
        for (size_t i = 0; i < count; i++) {
            double value = values[i];
            for (int side = 0; side < 2; side++) {
                values[i] = value + (side ? step : -step);
                set_parameters(trainer, &options, values);
                assert_int_equal(
                    tulle_trainer_gradient(trainer, x, y, weights, &losses[side], NULL), TULLE_OK);
            }
            values[i] = value;
            differences[i] = OUTPUTS * (losses[1] - losses[0]) / (2 * step);
        }
        assert_true(difference(gradient, differences, count) <= 1e-7);
        free(values), free(gradient), free(differences);
        tulle_trainer_free(trainer);
    }
}

/* With the average at hand, the parameters themselves; a loss that is none is reported. */
static void test_average_and_infinity(void **state)
{
    struct tulle_trainer_options options = usual_options(TULLE_F32);
    double gradient[2][2048], losses[2];
    const struct tulle_matrix x = x_rows(*state, 0, ROWS), y = y_rows(*state, 0, ROWS);
    assert_true(parameter_count(&options) <= 2048);
    tulle_trainer *plain = new_trainer(&options);
    options.averaging = 0.5;
    tulle_trainer *averaged = new_trainer(&options);
    tulle_trainer *both[] = {plain, averaged};
    for (int i = 0; i < 2; i++) {
        step(both[i], x, y);
        step(both[i], x, y);
        assert_int_equal(tulle_trainer_gradient(both[i], x, y, NULL, &losses[i], gradient[i]),
                         TULLE_OK);
    }
    assert_near(losses[0], losses[1], 1e-6);
    assert_true(difference(gradient[0], gradient[1], parameter_count(&options)) <= 1e-5);
    assert_int_equal(tulle_trainer_set_parameters(plain, 2, NULL, (double[]){INFINITY, 0}),
                     TULLE_OK);
    assert_int_equal(tulle_trainer_gradient(plain, x, y, NULL, &losses[0], gradient[0]), TULLE_OK);
    assert_false(isfinite(losses[0]));
    tulle_trainer_free(plain), tulle_trainer_free(averaged);
}

static void test_arguments(void **state)
{
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    const struct tulle_matrix x = x_rows(*state, 0, ROWS), y = y_rows(*state, 0, ROWS);
    double gradient = 7, loss = 7, weights[ROWS] = {[ROWS - 1] = -1};
    tulle_trainer *trainer = new_trainer(&options);
    assert_int_equal(tulle_trainer_gradient(trainer, x, x, NULL, &loss, &gradient),
                     TULLE_ERROR_ARGUMENT);
    assert_int_equal(
        tulle_trainer_gradient(trainer, x, y_rows(*state, 0, 1), NULL, &loss, &gradient),
        TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_trainer_gradient(trainer, x_rows(*state, 0, 0), y_rows(*state, 0, 0),
                                            NULL, &loss, &gradient),
                     TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_trainer_gradient(trainer, x, y, weights, &loss, &gradient),
                     TULLE_ERROR_ARGUMENT);
    assert_true(gradient == 7 && loss == 7);
    tulle_trainer_free(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROPERTY(step),
        PROPERTY(no_trace),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_average_and_infinity),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
