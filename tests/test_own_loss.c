/*
 * test_own_loss.c - a loss of the caller's own: one that does what a built-in one does learns the
 * same; what it is called with, and how often.
 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "own_loss.h"
#include "trainer_support.h"

/* With one target, a class. */
static double own_cross_entropy(size_t rows, size_t outputs, const double *output, size_t targets,
                                const double *target, double *gradient, void *user)
{
    const struct naive_criterion criterion = {.loss = TULLE_LOSS_CROSS_ENTROPY};
    double sum = 0;
    (void)user;
    assert_int_equal(targets, 1);
    for (size_t r = 0; r < rows; r++)
        sum += naive_sample_loss(&criterion, outputs, output + r * outputs, target + r,
                                 gradient + r * outputs);
    return sum / (double)rows;
}

/* --- As the built-in one ---------------------------------------------------------------------- */

/* A network with all there is, and a column of levels behind x's. */
static const struct tulle_layer rich_layers[] = {{19, TULLE_ACTIVATION_RELU, 1, 0.25},
                                                 {33, TULLE_ACTIVATION_TANH, 0, 0.5},
                                                 {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_embedding embedding = {4, 3};

static void compare(const struct data *data, struct tulle_trainer_options options,
                    tulle_loss_fn *function, const double *targets)
{
    size_t columns = INPUTS + options.embedding_count, target_columns = target_count(&options);
    double x[ROWS * (INPUTS + 1)], tolerance = options.precision == TULLE_F64 ? 1e-12 : 1e-4;
    for (size_t r = 0; r < ROWS; r++) {
        memcpy(x + r * columns, data->x + r * INPUTS, INPUTS * sizeof *x);
        if (options.embedding_count > 0)
            x[r * columns + INPUTS] = (double)(r % (embedding.levels + 1));
    }
    struct tulle_matrix xm = tulle_f64(x, ROWS, columns);
    struct tulle_matrix ym = tulle_f64(targets, ROWS, target_columns);
    double weights[ROWS], losses[2], out[2][ROWS * OUTPUTS];
    for (size_t r = 0; r < ROWS; r++)
        weights[r] = (double)(r % 3) / 2;
    tulle_trainer *built_in = new_trainer(&options);
    options.loss_function = function;
    options.loss = TULLE_LOSS_MAE; /* makes no difference */
    options.targets = target_columns;
    tulle_trainer *own = new_trainer(&options);
    assert_true(same_parameters(built_in, own, &options));
    for (int e = 0; e < 3; e++)
        assert_near(epoch(own, xm, ym), epoch(built_in, xm, ym), tolerance);
    assert_near(step(own, xm, ym), step(built_in, xm, ym), tolerance);
    tulle_trainer *both[] = {built_in, own};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tulle_trainer_step_weighted(both[i], xm, ym, weights, NULL), TULLE_OK);
        assert_int_equal(tulle_trainer_loss(both[i], xm, ym, &losses[i]), TULLE_OK);
        assert_int_equal(tulle_trainer_predict(both[i], xm, tulle_f64_out(out[i], ROWS, OUTPUTS)),
                         TULLE_OK);
    }
    assert_near(losses[1], losses[0], tolerance);
    assert_true(difference(out[1], out[0], ROWS * OUTPUTS) <= tolerance);
    double *a = get_parameters(own, &options), *b = get_parameters(built_in, &options);
    assert_true(difference(a, b, parameter_count(&options)) <= tolerance);
    free(a), free(b);
    tulle_trainer_free(own);
    tulle_trainer_free(built_in);
}

static void test_same_as_built_in(void **state)
{
    const struct data *data = *state;
    double classes[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        classes[r] = (double)(r * r % OUTPUTS);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int rich = 0; rich <= 1; rich++)
            for (size_t batch = 1; batch <= 64; batch = 3 * batch + 7) {
                struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
                options.batch_size = batch;
                options.learning_rate = 0.01;
                if (rich) {
                    options.layers = rich_layers;
                    options.embeddings = &embedding;
                    options.embedding_count = 1;
                    options.optimizer = TULLE_OPTIMIZER_NESTEROV;
                    options.momentum = 0.5;
                    options.averaging = 0.75;
                    options.clip_norm = 1;
                }
                compare(data, options, own_mse, data->y);
                options.loss = TULLE_LOSS_CROSS_ENTROPY;
                compare(data, options, own_cross_entropy, classes);
            }
}

/* --- What it is called with ------------------------------------------------------------------- */

struct call {
    size_t rows, outputs, targets, calls;
    pthread_t thread;
    double output[ROWS * OUTPUTS], target[ROWS * 5];
    double returned, gradient;
};

static double record(size_t rows, size_t outputs, const double *output, size_t targets,
                     const double *target, double *gradient, void *user)
{
    struct call *call = user;
    assert_true(pthread_equal(call->thread, pthread_self()));
    call->rows = rows;
    call->outputs = outputs;
    call->targets = targets;
    call->calls++;
    memcpy(call->output, output, rows * outputs * sizeof *output);
    memcpy(call->target, target, rows * targets * sizeof *target);
    for (size_t i = 0; i < rows * outputs; i++)
        gradient[i] = call->gradient;
    return call->returned;
}

/* Of more columns than outputs, or fewer. */
static void test_arguments(void **state)
{
    static const size_t widths[] = {0, 1, 5};
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (size_t w = 0; w < 3; w++) {
            struct call call = {.thread = pthread_self(), .returned = 0.375};
            struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
            size_t targets = widths[w] ? widths[w] : OUTPUTS;
            struct tulle_matrix x = x_rows(data, 0, ROWS), y = tulle_f64(data->x, ROWS, targets);
            double out[ROWS * OUTPUTS], loss;
            y.stride = INPUTS;
            options.batch_size = 16;
            options.threads = 4;
            options.loss_function = record;
            options.user = &call;
            options.targets = widths[w];
            tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
            set_threads(trainer, 3);
            assert_int_equal(tulle_trainer_predict(trainer, x, tulle_f64_out(out, ROWS, OUTPUTS)),
                             TULLE_OK);
            assert_int_equal(call.calls, 0);
            assert_true(step(trainer, x, y) == 0.375);
            assert_true(call.calls == 1 && call.rows == ROWS);
            assert_true(call.outputs == OUTPUTS && call.targets == targets);
            assert_memory_equal(call.output, out, sizeof out);
            for (size_t i = 0; i < ROWS * targets; i++)
                assert_true(call.target[i] == data->x[i / targets * INPUTS + i % targets]);
            assert_int_equal(tulle_trainer_loss(trainer, x, y, &loss), TULLE_OK);
            assert_true(loss == 0.375 && call.calls == 2 && call.rows == ROWS);
            assert_true(epoch(trainer, x, y) == 0.375);
            assert_true(call.calls == 2 + (ROWS - 1) / 16 + 1 && call.rows == ROWS % 16);
            assert_true(same_parameters(trainer, untouched, &options)); /* gradients of 0 */

            y.columns = targets + 1;
            assert_int_equal(tulle_trainer_step(trainer, x, y, NULL), TULLE_ERROR_ARGUMENT);
            tulle_trainer_free(trainer);
            tulle_trainer_free(untouched);
        }
}

/* A model knows of no quantiles then. */
static void test_without_quantiles(void **state)
{
    static const double quantiles[] = {0.1, 0.9};
    struct call call = {.thread = pthread_self(), .returned = 1};
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    (void)state;
    options.loss = TULLE_LOSS_QUANTILE;
    options.quantiles = quantiles;
    options.quantile_count = 2;
    options.loss_function = record;
    options.user = &call;
    tulle_trainer *trainer = new_trainer(&options);
    tulle_model *model = new_model(trainer);
    assert_int_equal(tulle_model_info(model)->loss, TULLE_LOSS_MSE);
    assert_int_equal(tulle_model_info(model)->quantile_count, 0);
    assert_int_equal(tulle_model_info(model)->prediction_count, OUTPUTS);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
}

/* A loss or a gradient that is no number. */
static void test_divergence(void **state)
{
    const struct data *data = *state;
    struct call call = {.thread = pthread_self(), .returned = NAN};
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    struct tulle_matrix x = x_rows(data, 0, ROWS), y = y_rows(data, 0, ROWS);
    options.loss_function = record;
    options.user = &call;
    tulle_trainer *trainer = new_trainer(&options);
    tulle_model *model;
    double loss;
    assert_int_equal(tulle_trainer_loss(trainer, x, y, &loss), TULLE_OK);
    assert_true(isnan(loss));
    assert_int_equal(tulle_trainer_step(trainer, x, y, &loss), TULLE_ERROR_DIVERGED);
    assert_int_equal(tulle_trainer_epoch(trainer, x, y, &loss), TULLE_ERROR_DIVERGED);
    call.returned = INFINITY;
    assert_int_equal(tulle_trainer_step(trainer, x, y, &loss), TULLE_ERROR_DIVERGED);
    call.returned = 1;
    call.gradient = NAN;
    assert_int_equal(tulle_trainer_step(trainer, x, y, &loss), TULLE_OK);
    assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_ERROR_DIVERGED);
    tulle_trainer_free(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_built_in),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_without_quantiles),
        cmocka_unit_test(test_divergence),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
