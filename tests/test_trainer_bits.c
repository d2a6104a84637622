/* test_trainer_bits.c - that the bits of a trainer depend neither on threads and instruction sets
 * nor on how its data lies. */
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/cpu.h"
#include "../lib/train/trainer.h"
#include "trainer_support.h"

/* --- The same bits --------------------------------------------------------------------------- */

/* An epoch is a shuffle and steps of the rows in that order. */
static void test_epoch_is_steps(void **state)
{
    enum { BATCH = 16 };
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options(precision);
        options.batch_size = BATCH;
        tulle_trainer *whole = new_trainer(&options), *stepped = new_trainer(&options);
        size_t order[ROWS];
        double x[BATCH * INPUTS], y[BATCH * OUTPUTS], sum = 0;
        for (size_t r = 0; r < ROWS; r++)
            order[r] = r;
        tulle_rng_shuffle(tulle_trainer_rng(stepped), order, ROWS);
        for (size_t first = 0; first < ROWS; first += BATCH) {
            size_t count = ROWS - first < BATCH ? ROWS - first : BATCH;
            for (size_t r = 0; r < count; r++) {
                memcpy(x + r * INPUTS, data->x + order[first + r] * INPUTS, INPUTS * sizeof *x);
                memcpy(y + r * OUTPUTS, data->y + order[first + r] * OUTPUTS, OUTPUTS * sizeof *y);
            }
            sum += (double)count *
                   step(stepped, tulle_f64(x, count, INPUTS), tulle_f64(y, count, OUTPUTS));
        }
        double loss = epoch(whole, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
        assert_near(loss, sum / ROWS, 1e-14);
        assert_true(same_parameters(whole, stepped, &options));
        tulle_trainer_free(whole);
        tulle_trainer_free(stepped);
    }
}

/* Type and stride of the caller's arrays do not matter. */
static void test_views(void **state)
{
    enum { X_STRIDE = INPUTS + 4, Y_STRIDE = OUTPUTS + 1 };
    const struct data *data = *state;
    static double x[ROWS * X_STRIDE], y[ROWS * Y_STRIDE];
    for (size_t i = 0; i < ROWS * X_STRIDE; i++)
        x[i] = i % X_STRIDE < INPUTS ? data->x[i / X_STRIDE * INPUTS + i % X_STRIDE] : NAN;
    for (size_t i = 0; i < ROWS * Y_STRIDE; i++)
        y[i] = i % Y_STRIDE < OUTPUTS ? data->y[i / Y_STRIDE * OUTPUTS + i % Y_STRIDE] : NAN;

    struct tulle_matrix xs[] = {x_rows(data, 0, ROWS), tulle_f32(data->x_f32, ROWS, INPUTS),
                                tulle_f64(x, ROWS, INPUTS), x_rows(data, 0, ROWS)};
    struct tulle_matrix ys[] = {y_rows(data, 0, ROWS), tulle_f32(data->y_f32, ROWS, OUTPUTS),
                                tulle_f64(y, ROWS, OUTPUTS), y_rows(data, 0, ROWS)};
    xs[2].stride = X_STRIDE;
    ys[2].stride = Y_STRIDE;
    xs[3].stride = ys[3].stride = 0;

    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options(precision);
        tulle_trainer *reference = new_trainer(&options);
        double loss = epoch(reference, xs[0], ys[0]), step_loss = step(reference, xs[0], ys[0]);
        for (int view = 1; view < 4; view++) {
            tulle_trainer *trainer = new_trainer(&options);
            assert_true(epoch(trainer, xs[view], ys[view]) == loss);
            assert_true(step(trainer, xs[view], ys[view]) == step_loss);
            assert_true(same_parameters(trainer, reference, &options));
            tulle_trainer_free(trainer);
        }
        tulle_trainer_free(reference);
    }
}

/* On two CPUs the trainer itself takes two threads for a large step, and one for a small one. */
static void test_thread_choice(void **state)
{
    static const struct tulle_layer layers[] = {{512, TULLE_ACTIVATION_RELU},
                                                {1, TULLE_ACTIVATION_IDENTITY}};
    (void)state;
    struct tulle_trainer_options options = network_options(100, layers, 2, TULLE_F32);
    for (unsigned threads = 0; threads <= 64; threads += 8)
        for (size_t batch = 1; batch <= 4096; batch *= 4096) {
            options.threads = threads;
            options.batch_size = batch;
            tulle_trainer *trainer = new_trainer(&options);
            unsigned cpus = tulle_cpu_count(), used = tulle_pool_threads(trainer->pool);
            assert_true(batch == 1 ? used == 1 : cpus == 1 ? used == 1 : used > 1);
            assert_true(used <= cpus && (threads == 0 || used <= threads));
            tulle_trainer_free(trainer);
        }
}

/* Few samples are many rows of members, for which threads pay. */
static void test_thread_choice_of_members(void **state)
{
    static const struct tulle_layer layers[] = {{512, TULLE_ACTIVATION_RELU},
                                                {1, TULLE_ACTIVATION_IDENTITY}};
    (void)state;
    struct tulle_trainer_options options = network_options(100, layers, 2, TULLE_F32);
    options.front = (struct tulle_front){.has_factors = 1, .members = 32};
    options.threads = 0;
    options.batch_size = 4;
    tulle_trainer *trainer = new_trainer(&options);
    assert_true(tulle_cpu_count() == 1 || tulle_pool_threads(trainer->pool) > 1);
    tulle_trainer_free(trainer);
}

/* Wide enough, and of enough rows, that threads have something to share. */
static void test_threads(void **state)
{
    enum { WIDE_INPUTS = 50, WIDE_ROWS = 145, EPOCHS = 2 };
    static const struct tulle_layer wide[] = {{129, TULLE_ACTIVATION_RELU},
                                              {67, TULLE_ACTIVATION_LOGISTIC},
                                              {65, TULLE_ACTIVATION_LEAKY_RELU},
                                              {3, TULLE_ACTIVATION_TANH}};
    static const unsigned threads[] = {1, 2, 3, 7, 1}; /* the last is a second run */
    static const size_t batches[] = {1, 16, 100};
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 8);
    double *x = new_values(&rng, WIDE_ROWS * WIDE_INPUTS), *y = new_values(&rng, WIDE_ROWS * 3);
    struct tulle_matrix xm = tulle_f64(x, WIDE_ROWS, WIDE_INPUTS), ym = tulle_f64(y, WIDE_ROWS, 3);

    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
            struct tulle_trainer_options options = network_options(WIDE_INPUTS, wide, 4, precision);
            tulle_trainer *reference = NULL;
            double reference_loss = 0, loss = 0, all_loss;
            double out[WIDE_ROWS * 3], reference_out[WIDE_ROWS * 3];
            options.batch_size = batches[b];
            for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
                tulle_trainer *trainer = new_trainer(&options);
                set_threads(trainer, threads[t]);
                for (int e = 0; e < EPOCHS; e++)
                    loss = epoch(trainer, xm, ym);
                assert_int_equal(tulle_trainer_loss(trainer, xm, ym, &all_loss), TULLE_OK);
                loss += all_loss + step(trainer, xm, ym);
                assert_int_equal(
                    tulle_trainer_predict(trainer, xm, tulle_f64_out(out, WIDE_ROWS, 3)), TULLE_OK);
                if (reference) {
                    assert_true(loss == reference_loss);
                    assert_memory_equal(out, reference_out, sizeof out);
                    assert_true(same_parameters(trainer, reference, &options));
                    tulle_trainer_free(trainer);
                } else {
                    reference = trainer;
                    reference_loss = loss;
                    memcpy(reference_out, out, sizeof out);
                }
            }
            tulle_trainer_free(reference);
        }
    free(x);
    free(y);
}

/* The portable kernels and the machine's best ones, through all activations and a tail in every
 * dimension. */
static void test_instruction_sets(void **state)
{
    static const size_t batches[] = {1, 13, 40};
    const struct data *data = *state;
    if (getenv("TULLE_KERNELS"))
        skip(); /* the choice is not ours */
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int i = 0; i < ACTIVATIONS * 3; i++) {
            const struct tulle_layer net[] = {{19, i / 3}, {9, i / 3}, {OUTPUTS, i / 3}};
            struct tulle_trainer_options options = network_options(INPUTS, net, 3, precision);
            tulle_trainer *trainers[2];
            double losses[2], out[2][ROWS * OUTPUTS];
            options.batch_size = batches[i % 3];
            for (int generic = 0; generic <= 1; generic++) {
                if (generic)
                    setenv("TULLE_KERNELS", "generic", 1);
                trainers[generic] = new_trainer(&options);
                unsetenv("TULLE_KERNELS");
                losses[generic] =
                    epoch(trainers[generic], x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
                assert_int_equal(tulle_trainer_predict(trainers[generic], x_rows(data, 0, ROWS),
                                                       tulle_f64_out(out[generic], ROWS, OUTPUTS)),
                                 TULLE_OK);
            }
            assert_true(losses[0] == losses[1]);
            assert_memory_equal(out[0], out[1], sizeof out[0]);
            assert_true(same_parameters(trainers[0], trainers[1], &options));
            tulle_trainer_free(trainers[0]);
            tulle_trainer_free(trainers[1]);
        }
}

/* The loss over all rows is one sum in one order, however large the workspace has grown. */
static void test_loss_order(void **state)
{
    const struct data *data = *state;
    struct tulle_trainer_options options = usual_options(TULLE_F32);
    double loss[3];
    options.learning_rate = 0;
    options.batch_size = 8;
    tulle_trainer *trainer = new_trainer(&options);
    struct tulle_matrix x = x_rows(data, 0, ROWS), y = y_rows(data, 0, ROWS);
    assert_int_equal(tulle_trainer_loss(trainer, x, y, &loss[0]), TULLE_OK);
    step(trainer, x, y);
    assert_int_equal(tulle_trainer_loss(trainer, x, y, &loss[1]), TULLE_OK);
    tulle_trainer_free(trainer);
    options.batch_size = 33;
    trainer = new_trainer(&options);
    assert_int_equal(tulle_trainer_loss(trainer, x, y, &loss[2]), TULLE_OK);
    tulle_trainer_free(trainer);
    assert_true(loss[0] == loss[1] && loss[0] == loss[2]);
}

/* A model's targets have a mean of 0, to which an output of -0 must not be added. */
static void test_zeros_of_models(void **state)
{
    enum { UNITS = 20 }; /* so many that a sum begins with its bias */
    const struct tulle_layer layers[] = {{UNITS, TULLE_ACTIVATION_IDENTITY}};
    const double weights[UNITS] = {0}, x[] = {-1, 1};
    double biases[UNITS], out[2 * UNITS];
    (void)state;
    for (size_t u = 0; u < UNITS; u++)
        biases[u] = u % 2 ? 0.0 : -0.0;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = network_options(1, layers, 1, precision);
        tulle_trainer *trainer = new_trainer(&options);
        assert_int_equal(tulle_trainer_set_parameters(trainer, 0, weights, biases), TULLE_OK);
        assert_int_equal(
            tulle_trainer_predict(trainer, tulle_f64(x, 2, 1), tulle_f64_out(out, 2, UNITS)),
            TULLE_OK);
        for (size_t u = 0; u < UNITS; u++)
            assert_true((signbit(out[u]) != 0) == (u % 2 == 0) && !signbit(out[UNITS + u]));
        check_model(trainer, &options, x, 2);
        tulle_trainer_free(trainer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_epoch_is_steps),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_loss_order),
        cmocka_unit_test(test_thread_choice),
        cmocka_unit_test(test_thread_choice_of_members),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_zeros_of_models),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
