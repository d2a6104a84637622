/*
 * test_input_gradient.c - the derivatives of a trainer's outputs by its inputs: of random networks
 * against formulas in double, and against differences of the outputs themselves; the same bits
 * whatever the threads and however many rows there are; by the parameters that predict; and no
 * trace of it in what follows.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "naive_input.h"
#include "random_network.h"

static double *new_zeros(size_t count)
{
    double *zeros = calloc(count, sizeof *zeros);
    assert_non_null(zeros);
    return zeros;
}

/* Of all rows; freed with free(). */
static double *find_gradient(tulle_trainer *trainer, const struct random_network *n,
                             const double *dy)
{
    double *dx = new_zeros(n->rows * n->columns);
    assert_int_equal(tulle_trainer_input_gradient(trainer, first_x(n, n->rows),
                                                  tulle_f64(dy, n->rows, n->outputs),
                                                  tulle_f64_out(dx, n->rows, n->columns)),
                     TULLE_OK);
    return dx;
}

static double *find_outputs(tulle_trainer *trainer, const struct random_network *n)
{
    double *out = new_zeros(n->rows * n->outputs);
    assert_int_equal(tulle_trainer_predict(trainer, first_x(n, n->rows),
                                           tulle_f64_out(out, n->rows, n->outputs)),
                     TULLE_OK);
    return out;
}

/* In f32 a sum near 0 may be on the other side of it, where an activation has another slope. */
static void smooth(struct random_network *n)
{
    for (size_t l = 0; l < n->options.layer_count; l++) {
        enum tulle_activation *activation = &n->layers[l].activation;
        if (*activation == TULLE_ACTIVATION_RELU || *activation == TULLE_ACTIVATION_LEAKY_RELU ||
            *activation == TULLE_ACTIVATION_SELU)
            *activation = TULLE_ACTIVATION_MISH;
    }
}

static void assert_close(const struct random_network *n, const char *what, const double *found,
                         const double *expected, size_t count)
{
    double bound = n->options.precision == TULLE_F64 ? 1e-11 : 1e-3;
    double error = difference(found, expected, count);
    if (!(error <= bound))
        fail_msg("%s are off by %g", what, error);
}

/* --- What it computes ------------------------------------------------------------------------- */

static void check_formula(struct tulle_rng *rng)
{
    struct random_network n;
    draw_network(&n, rng);
    if (n.options.precision == TULLE_F32)
        smooth(&n);
    tulle_trainer *trainer = trainer_of(&n);
    double *dy = new_values(rng, n.rows * n.outputs), *dx = find_gradient(trainer, &n, dy);
    double *expected = new_zeros(n.rows * n.columns), *outputs = new_zeros(n.rows * n.outputs);
    double *found = find_outputs(trainer, &n);
    for (size_t r = 0; r < n.rows; r++)
        naive_input_gradient(&n.options, n.parameters, n.x + r * n.columns, dy + r * n.outputs,
                             outputs + r * n.outputs, expected + r * n.columns);
    assert_close(&n, "the outputs", found, outputs, n.rows * n.outputs);
    assert_close(&n, "the gradients", dx, expected, n.rows * n.columns);
    free(dy), free(dx), free(expected), free(outputs), free(found);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

/* sum_o dy[r][o] output[r][o] of each row, added to sums times `factor`; returns the largest sum of
 * such terms' sizes. */
static double add_weighed(tulle_trainer *trainer, const struct random_network *n, const double *dy,
                          double factor, double *sums)
{
    double *out = find_outputs(trainer, n), largest = 0, size = 0;
    for (size_t i = 0; i < n->rows * n->outputs; i++) {
        sums[i / n->outputs] += factor * dy[i] * out[i];
        size = (i % n->outputs > 0 ? size : 0) + fabs(dy[i] * out[i]);
        largest = fmax(largest, size);
    }
    free(out);
    return largest;
}

/* Central differences of the outputs, one column of all rows at a time. Random numbers are no knots
 * and no corners. Outputs are rounded, which the step makes much of where gradients are small. */
static void check_differences(struct tulle_rng *rng)
{
    const double step = 0x1p-20;
    struct random_network n;
    draw_network(&n, rng);
    n.options.precision = TULLE_F64;
    smooth(&n);
    tulle_trainer *trainer = trainer_of(&n);
    for (size_t i = 0; i < n.rows * n.columns; i++)
        if (i % n.columns < n.options.inputs)
            n.x[i] = 2 * tulle_rng_uniform(rng) - 1;
    double *dy = new_values(rng, n.rows * n.outputs), *dx = find_gradient(trainer, &n, dy);
    double *expected = new_zeros(n.rows * n.columns), *sums = new_zeros(n.rows);
    double size = 0, largest = 0;
    for (size_t c = 0; c < n.options.inputs; c++) {
        memset(sums, 0, n.rows * sizeof *sums);
        for (size_t r = 0; r < n.rows; r++)
            n.x[r * n.columns + c] += step;
        size = fmax(size, add_weighed(trainer, &n, dy, 0.5 / step, sums));
        for (size_t r = 0; r < n.rows; r++)
            n.x[r * n.columns + c] -= 2 * step;
        add_weighed(trainer, &n, dy, -0.5 / step, sums);
        for (size_t r = 0; r < n.rows; r++) {
            n.x[r * n.columns + c] += step;
            expected[r * n.columns + c] = sums[r];
            largest = fmax(largest, fabs(sums[r]));
        }
    }
    double error = difference(dx, expected, n.rows * n.columns);
    double rounding = largest > 0 ? 8 * DBL_EPSILON * size / step / largest : 0;
    if (!(error <= 1e-6 + rounding))
        fail_msg("the gradients are off the differences by %g, of rounding %g", error, rounding);
    free(dy), free(dx), free(expected), free(sums);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

/* --- Bits ------------------------------------------------------------------------------------- */

/* At any number of threads; with as many rows as there are, in strides and floats too, or one. */
static void check_bits(struct tulle_rng *rng)
{
    struct random_network n;
    draw_network(&n, rng);
    tulle_trainer *trainer = trainer_of(&n);
    size_t stride = n.columns + 3, row = tulle_rng_integer(rng, n.rows - 1);
    double *dy = new_values(rng, n.rows * n.outputs), *dx = find_gradient(trainer, &n, dy);
    double *one = new_zeros(n.columns);
    float *x_f32 = new_floats(n.x, n.rows * n.columns),
          *dy_f32 = new_floats(dy, n.rows * n.outputs);
    float *dx_f32 = calloc(n.rows * stride, sizeof *dx_f32);
    assert_non_null(dx_f32);
    for (unsigned threads = 2; threads <= 3; threads++) {
        set_threads(trainer, threads);
        double *again = find_gradient(trainer, &n, dy);
        assert_memory_equal(again, dx, n.rows * n.columns * sizeof *dx);
        free(again);
    }
    assert_int_equal(tulle_trainer_input_gradient(trainer,
                                                  tulle_f64(n.x + row * n.columns, 1, n.columns),
                                                  tulle_f64(dy + row * n.outputs, 1, n.outputs),
                                                  tulle_f64_out(one, 1, n.columns)),
                     TULLE_OK);
    assert_memory_equal(one, dx + row * n.columns, n.columns * sizeof *dx);
    struct tulle_matrix_out strided = tulle_f32_out(dx_f32, n.rows, n.columns);
    strided.stride = stride;
    assert_int_equal(tulle_trainer_input_gradient(trainer, tulle_f32(x_f32, n.rows, n.columns),
                                                  tulle_f32(dy_f32, n.rows, n.outputs), strided),
                     TULLE_OK);
    for (size_t i = 0; i < n.rows * stride; i++) {
        size_t r = i / stride, c = i % stride;
        assert_true(dx_f32[i] == (c < n.columns ? (float)dx[r * n.columns + c] : 0));
    }
    free(dy), free(dx), free(one), free(x_f32), free(dy_f32), free(dx_f32);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

/* Steps and predictions do not know of it, not even of gradients that were no numbers. */
static void check_no_trace(struct tulle_rng *rng)
{
    struct random_network n;
    double loss[2];
    draw_network(&n, rng);
    draw_optimizer(&n, rng);
    tulle_trainer *trainer = trainer_of(&n), *other = trainer_of(&n);
    double *dy = new_zeros(n.rows * n.outputs);
    for (size_t i = 0; i < n.rows * n.outputs; i++)
        dy[i] = tulle_rng_integer(rng, 1) ? NAN : INFINITY;
    free(find_gradient(trainer, &n, dy));
    double *out = find_outputs(trainer, &n), *expected = find_outputs(other, &n);
    assert_memory_equal(out, expected, n.rows * n.outputs * sizeof *out);
    for (int step = 0; step < 2; step++) {
        tulle_trainer *both[] = {trainer, other};
        for (int i = 0; i < 2; i++)
            (void)tulle_trainer_step_weighted(both[i], first_x(&n, n.rows), first_y(&n, n.rows),
                                              n.row_weights, &loss[i]);
        assert_memory_equal(&loss[0], &loss[1], sizeof *loss);
        free(find_gradient(trainer, &n, dy));
    }
    assert_true(same_parameters(trainer, other, &n.options));
    free(dy), free(out), free(expected);
    tulle_trainer_free(trainer), tulle_trainer_free(other);
    clear_network(&n);
}

TEST_PROPERTY(formula, 400)
TEST_PROPERTY(differences, 60)
TEST_PROPERTY(bits, 200)
TEST_PROPERTY(no_trace, 200)

/* --- The rest --------------------------------------------------------------------------------- */

enum { INPUTS = 3, ROWS = 5 };

static const struct tulle_layer layers[] = {{6, TULLE_ACTIVATION_TANH, 0, 0.5},
                                            {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};

static const double x[ROWS * INPUTS] = {0.5, -1, 2, 0, 1, 1, -0.25, 3, 1, 1, 2, 3, -1, -2, 0.125};
static const double y[ROWS * 2] = {1, 2, 0, -1, 0.5, 0.25, 3, -2, 1, 0};

static enum tulle_status gradient_of(tulle_trainer *trainer, double *dx)
{
    return tulle_trainer_input_gradient(trainer, tulle_f64(x, ROWS, INPUTS), tulle_f64(y, ROWS, 2),
                                        tulle_f64_out(dx, ROWS, INPUTS));
}

/* The average's, which predicts, and nothing is dropped. */
static void test_average(void **state)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F64);
    double found[ROWS * INPUTS], expected[ROWS * INPUTS];
    (void)state;
    options.averaging = 0.5;
    tulle_trainer *averaged = new_trainer(&options), *plain = new_trainer(&options);
    for (int step = 0; step < 3; step++)
        assert_int_equal(
            tulle_trainer_step(averaged, tulle_f64(x, ROWS, INPUTS), tulle_f64(y, ROWS, 2), NULL),
            TULLE_OK);
    tulle_model *model = new_model(averaged);
    for (size_t l = 0; l < 2; l++) {
        double weights[18], biases[6];
        assert_int_equal(tulle_model_get_parameters(model, l, weights, biases), TULLE_OK);
        assert_int_equal(tulle_trainer_set_parameters(plain, l, weights, biases), TULLE_OK);
    }
    assert_false(same_parameters(averaged, plain, &options));
    assert_int_equal(gradient_of(averaged, found), TULLE_OK);
    assert_int_equal(gradient_of(plain, expected), TULLE_OK);
    assert_memory_equal(found, expected, sizeof found);
    tulle_model_free(model);
    tulle_trainer_free(averaged), tulle_trainer_free(plain);
}

/* A linear network's gradient is its weights; at a corner it is that of the right side. */
static void test_corners(void **state)
{
    static const struct tulle_layer relu = {1, TULLE_ACTIVATION_RELU, 0, 0};
    static const size_t number = 0;
    static const double knots[] = {-1, 0, 2}, points[] = {-2, -1, -0.5, 0, 1, 2, 3};
    static const double slopes[] = {0, 3, 3, 0.5, 0.5, 0, 0}, bins[] = {3, 1};
    enum { POINTS = sizeof points / sizeof *points };
    double dx[POINTS], one = 1, zero = 0, dy[POINTS] = {1, 1, 1, 1, 1, 1, 1};
    (void)state;
    struct tulle_trainer_options options = network_options(1, &relu, 1, TULLE_F32);
    tulle_trainer *trainer = new_trainer(&options);
    tulle_trainer_set_parameters(trainer, 0, &(double){-3}, &zero);
    assert_int_equal(tulle_trainer_input_gradient(trainer, tulle_f64(&zero, 1, 1),
                                                  tulle_f64(&one, 1, 1), tulle_f64_out(dx, 1, 1)),
                     TULLE_OK);
    assert_true(dx[0] == -3);
    tulle_trainer_free(trainer);
    options.layers = layers + 1;
    options.front = (struct tulle_front){
        .numbers = &number, .number_count = 1, .dimensions = 1, .bins = 2, .knots = knots};
    trainer = new_trainer(&options);
    tulle_trainer_set_parameters(trainer, 0, (double[]){0, 1, 0, 0}, (double[]){0, 0});
    tulle_trainer_set_numbers(trainer, bins);
    double both[2 * POINTS] = {0};
    for (size_t i = 0; i < POINTS; i++)
        both[2 * i] = dy[i];
    assert_int_equal(tulle_trainer_input_gradient(trainer, tulle_f64(points, POINTS, 1),
                                                  tulle_f64(both, POINTS, 2),
                                                  tulle_f64_out(dx, POINTS, 1)),
                     TULLE_OK);
    for (size_t i = 0; i < POINTS; i++)
        assert_true(dx[i] == slopes[i]);
    tulle_trainer_free(trainer);
}

static void test_arguments(void **state)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F32);
    const struct tulle_matrix good_x = tulle_f64(x, ROWS, INPUTS), good_y = tulle_f64(y, ROWS, 2);
    double dx[ROWS * INPUTS] = {0}, zeros[ROWS * INPUTS] = {0};
    const struct tulle_matrix_out good_dx = tulle_f64_out(dx, ROWS, INPUTS);
    tulle_trainer *trainer = new_trainer(&options);
    (void)state;
    const struct {
        struct tulle_matrix x, dy;
        struct tulle_matrix_out dx;
    } bad[] = {
        {tulle_f64(x, ROWS, 2), good_y, good_dx},
        {tulle_f64(x, ROWS - 1, INPUTS), good_y, good_dx},
        {good_x, tulle_f64(y, ROWS, 1), good_dx},
        {good_x, tulle_f64(y, ROWS - 1, 2), good_dx},
        {good_x, tulle_f64(NULL, ROWS, 2), good_dx},
        {good_x, good_y, tulle_f64_out(dx, ROWS, 2)},
        {good_x, good_y, tulle_f64_out(dx, ROWS - 1, INPUTS)},
        {good_x, good_y, tulle_f64_out(NULL, ROWS, INPUTS)},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tulle_trainer_input_gradient(trainer, bad[i].x, bad[i].dy, bad[i].dx),
                         TULLE_ERROR_ARGUMENT);
    assert_memory_equal(dx, zeros, sizeof dx);
    assert_int_equal(tulle_trainer_input_gradient(trainer, tulle_f64(NULL, 0, INPUTS),
                                                  tulle_f64(NULL, 0, 2),
                                                  tulle_f64_out(NULL, 0, INPUTS)),
                     TULLE_OK);
    tulle_trainer_free(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROPERTY(formula),
        PROPERTY(differences),
        PROPERTY(bits),
        PROPERTY(no_trace),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
