/* test_trainer.c - steps, epochs and predictions of the trainer, against the naive network. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_support.h"

/* --- Beginning ------------------------------------------------------------------------------- */

static void test_initial_parameters(void **state)
{
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options(precision);
        tulle_trainer *trainer = new_trainer(&options);
        struct naive net;
        struct tulle_rng rng;
        tulle_rng_seed(&rng, options.seed);
        naive_create(&net, INPUTS, usual_layers, LAYERS);
        naive_init(&net, &rng);
        assert_true(parameter_difference(trainer, &net) <= (precision == TULLE_F64 ? 1e-15 : 1e-7));
        assert_memory_equal(tulle_trainer_rng(trainer), &rng, sizeof rng);
        tulle_trainer_free(trainer);
        naive_free(&net);
    }
}

/* A generator that is passed is copied, and goes on where the caller left it. */
static void test_callers_generator(void **state)
{
    (void)state;
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    struct tulle_rng rng, copy;
    struct naive net;
    tulle_rng_seed(&rng, 99);
    for (int i = 0; i < 1000; i++)
        tulle_rng_uniform(&rng);
    copy = rng;
    options.rng = &rng;
    tulle_trainer *trainer = new_trainer(&options);
    assert_memory_equal(&rng, &copy, sizeof rng);
    naive_create(&net, INPUTS, usual_layers, LAYERS);
    naive_init(&net, &copy);
    assert_true(parameter_difference(trainer, &net) <= 1e-15);
    assert_memory_equal(tulle_trainer_rng(trainer), &copy, sizeof copy);
    tulle_trainer_free(trainer);
    naive_free(&net);
}

static void test_set_and_get(void **state)
{
    (void)state;
    static const double weights[OUTPUTS * 33] = {[0] = 0.1, [1] = -1e-3, [40] = 1.0 / 3, [65] = 7};
    static const double biases[OUTPUTS] = {1e10 / 3, -0.7};
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options(precision);
        tulle_trainer *trainer = new_trainer(&options);
        struct naive before = naive_of(trainer, &options);
        double w[OUTPUTS * 33], b[OUTPUTS];
        assert_int_equal(tulle_trainer_set_parameters(trainer, 2, weights, NULL), TULLE_OK);
        assert_int_equal(tulle_trainer_get_parameters(trainer, 2, w, b), TULLE_OK);
        assert_true(b[0] == 0 && b[1] == 0);
        assert_int_equal(tulle_trainer_set_parameters(trainer, 2, NULL, biases), TULLE_OK);
        assert_int_equal(tulle_trainer_get_parameters(trainer, 2, w, NULL), TULLE_OK);
        assert_int_equal(tulle_trainer_get_parameters(trainer, 2, NULL, b), TULLE_OK);
        for (int i = 0; i < OUTPUTS * 33; i++)
            assert_true(w[i] == (precision == TULLE_F64 ? weights[i] : (float)weights[i]));
        for (int i = 0; i < OUTPUTS; i++)
            assert_true(b[i] == (precision == TULLE_F64 ? biases[i] : (float)biases[i]));

        /* The other layers are as they were, and there is no layer 3. */
        memcpy(before.layers[2].weights, w, sizeof w);
        memcpy(before.layers[2].biases, b, sizeof b);
        assert_true(parameter_difference(trainer, &before) == 0);
        assert_int_equal(tulle_trainer_get_parameters(trainer, 3, w, b), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_set_parameters(trainer, 3, w, b), TULLE_ERROR_ARGUMENT);
        tulle_trainer_free(trainer);
        naive_free(&before);
    }
}

/* --- Against the naive network --------------------------------------------------------------- */

static const struct reductions {
    enum tulle_reduction weights, biases;
} reductions[] = {{TULLE_REDUCTION_MEAN, TULLE_REDUCTION_MEAN},
                  {TULLE_REDUCTION_MEAN, TULLE_REDUCTION_SUM},
                  {TULLE_REDUCTION_SUM, TULLE_REDUCTION_MEAN},
                  {TULLE_REDUCTION_SUM, TULLE_REDUCTION_SUM}};

enum { REDUCTIONS = sizeof reductions / sizeof reductions[0] };

static const double tolerances[] = {[TULLE_F32] = 1e-4, [TULLE_F64] = 1e-11};

/* Steps of different sizes, among them more rows than batch_size, on one trainer. */
static void test_step(void **state)
{
    static const size_t sizes[] = {32, 1, 7, 70, 33, 16, 64, 5, 69};
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int r = 0; r < REDUCTIONS; r++) {
            struct tulle_trainer_options options = usual_options(precision);
            struct tulle_rng rng;
            options.learning_rate = 0.01;
            options.weight_reduction = reductions[r].weights;
            options.bias_reduction = reductions[r].biases;
            struct naive_sgd sgd = {options.learning_rate, ROWS, reductions[r].weights,
                                    reductions[r].biases};
            tulle_trainer *trainer = new_trainer(&options);
            struct naive net = naive_of(trainer, &options);
            tulle_rng_seed(&rng, 1);
            randomize_biases(trainer, &net, &rng);
            for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
                size_t first = ROWS - sizes[i];
                double loss =
                    step(trainer, x_rows(data, first, sizes[i]), y_rows(data, first, sizes[i]));
                double expected = naive_step(&net, &sgd, data->x + first * INPUTS,
                                             data->y + first * OUTPUTS, sizes[i]);
                assert_near(loss, expected, tolerances[precision]);
                assert_true(parameter_difference(trainer, &net) <= tolerances[precision]);
            }
            tulle_trainer_free(trainer);
            naive_free(&net);
        }
}

static void test_epoch(void **state)
{
    static const size_t batches[] = {1, 3, 16, 32, 69, 70, 500};
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
            struct tulle_trainer_options options = usual_options(precision);
            options.batch_size = batches[i];
            options.bias_reduction = TULLE_REDUCTION_SUM;
            options.learning_rate = 0.01;
            struct naive_sgd sgd = {options.learning_rate, batches[i], TULLE_REDUCTION_MEAN,
                                    TULLE_REDUCTION_SUM};
            tulle_trainer *trainer = new_trainer(&options);
            struct naive net = naive_of(trainer, &options);
            struct tulle_rng rng = *tulle_trainer_rng(trainer);
            for (int e = 0; e < 3; e++) {
                double loss = epoch(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
                assert_near(loss, naive_epoch(&net, &sgd, &rng, data->x, data->y, ROWS),
                            tolerances[precision]);
                assert_true(parameter_difference(trainer, &net) <= tolerances[precision]);
                assert_memory_equal(tulle_trainer_rng(trainer), &rng, sizeof rng);
            }
            tulle_trainer_free(trainer);
            naive_free(&net);
        }
}

static void test_loss_and_predict(void **state)
{
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options(precision);
        options.batch_size = 3; /* of steps: says nothing about these calls */
        tulle_trainer *trainer = new_trainer(&options);
        struct naive net = naive_of(trainer, &options);
        struct tulle_rng rng;
        tulle_rng_seed(&rng, 1);
        randomize_biases(trainer, &net, &rng);

        double loss, out[ROWS * OUTPUTS], expected[ROWS * OUTPUTS];
        for (size_t rows = 1; rows <= ROWS; rows += 23) {
            assert_int_equal(
                tulle_trainer_loss(trainer, x_rows(data, 0, rows), y_rows(data, 0, rows), &loss),
                TULLE_OK);
            assert_near(loss, naive_loss(&net, data->x, data->y, rows), tolerances[precision]);
        }
        for (size_t r = 0; r < ROWS; r++)
            memcpy(expected + r * OUTPUTS, naive_forward(&net, data->x + r * INPUTS),
                   OUTPUTS * sizeof *expected);
        assert_int_equal(tulle_trainer_predict(trainer, x_rows(data, 0, ROWS),
                                               tulle_f64_out(out, ROWS, OUTPUTS)),
                         TULLE_OK);
        assert_true(difference(out, expected, ROWS * OUTPUTS) <= tolerances[precision]);
        assert_true(parameter_difference(trainer, &net) == 0);
        tulle_trainer_free(trainer);
        naive_free(&net);
    }
}

/* --- The learning rate ----------------------------------------------------------------------- */

static void test_learning_rate(void **state)
{
    static const double refused[] = {NAN, INFINITY, -INFINITY, -1e-300};
    const struct data *data = *state;
    struct tulle_matrix x = x_rows(data, 0, ROWS), y = y_rows(data, 0, ROWS);
    struct tulle_trainer_options slow = usual_options(TULLE_F64), fast = slow;
    slow.learning_rate = 0;
    fast.learning_rate = 0.5;
    tulle_trainer *changed = new_trainer(&slow), *kept = new_trainer(&slow);
    tulle_trainer *reference = new_trainer(&fast);

    step(changed, x, y);
    assert_true(same_parameters(changed, kept, &slow)); /* a rate of 0 learns nothing */
    assert_int_equal(tulle_trainer_set_learning_rate(changed, 0.5), TULLE_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(tulle_trainer_set_learning_rate(changed, refused[i]),
                         TULLE_ERROR_ARGUMENT);
    step(changed, x, y);
    step(reference, x, y);
    assert_true(same_parameters(changed, reference, &slow));
    tulle_trainer_free(changed);
    tulle_trainer_free(kept);
    tulle_trainer_free(reference);
}

/* --- Its model ------------------------------------------------------------------------------- */

static void test_model(void **state)
{
    static const char *const inputs[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6"};
    static const char *const targets[] = {"y0", "y1"};
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options(precision);
        options.batch_size = 24;
        tulle_trainer *trainer = new_trainer(&options);
        epoch(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
        struct naive net = naive_of(trainer, &options);
        tulle_model *model = new_model(trainer);
        tulle_trainer_free(trainer); /* the model is on its own */

        const struct tulle_model_info *info = tulle_model_info(model);
        assert_int_equal(info->precision, precision);
        assert_int_equal(info->input_count, INPUTS);
        assert_int_equal(info->target_count, OUTPUTS);
        assert_int_equal(info->layer_count, LAYERS);
        assert_int_equal(info->parameter_count, 19 * 7 + 19 + 33 * 19 + 33 + 2 * 33 + 2);
        assert_true(info->learning_rate == options.learning_rate);
        assert_int_equal(info->batch_size, 24);
        assert_int_equal(info->seed, 11);
        assert_int_equal(info->epochs, 0);
        assert_int_equal(info->task, TULLE_TASK_REGRESSION);
        assert_int_equal(info->loss, TULLE_LOSS_MSE);
        assert_string_equal(info->checksum, "");
        assert_string_equal(info->tulle_version, tulle_version());
        for (int c = 0; c < INPUTS; c++) {
            assert_string_equal(info->inputs[c].name, inputs[c]);
            assert_true(info->inputs[c].mean == 0 && info->inputs[c].scale == 1);
        }
        for (int c = 0; c < OUTPUTS; c++) {
            assert_string_equal(info->targets[c].name, targets[c]);
            assert_true(info->targets[c].mean == 0 && info->targets[c].scale == 1);
        }
        for (int l = 0; l < LAYERS; l++) {
            double w[33 * 19], b[33];
            const struct naive_layer *layer = &net.layers[l];
            assert_int_equal(info->layers[l].units, usual_layers[l].units);
            assert_int_equal(info->layers[l].activation, usual_layers[l].activation);
            assert_int_equal(tulle_model_get_parameters(model, l, w, b), TULLE_OK);
            assert_memory_equal(w, layer->weights, layer->units * layer->inputs * sizeof *w);
            assert_memory_equal(b, layer->biases, layer->units * sizeof *b);
        }
        assert_int_equal(tulle_model_get_parameters(model, LAYERS, NULL, NULL),
                         TULLE_ERROR_ARGUMENT);
        tulle_model_free(model);
        naive_free(&net);
    }
}

/* There is a model of every loss, which says what was trained how. */
static void test_model_of_every_loss(void **state)
{
    static const struct tulle_layer layers[] = {{5, TULLE_ACTIVATION_MISH, 1, 0.25},
                                                {6, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    static const double quantiles[] = {0.1, 0.5, 0.9};
    (void)state;
    for (int loss = 0; loss < LOSSES; loss++) {
        struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F64);
        int is_binary = loss == TULLE_LOSS_BINARY_CROSS_ENTROPY;
        options.loss = (enum tulle_loss)loss;
        options.optimizer = TULLE_OPTIMIZER_ADAMW;
        options.quantiles = quantiles;
        options.quantile_count = 3;
        options.label_smoothing = 0.125;
        options.huber_delta = 2.5;
        tulle_trainer *trainer = new_trainer(&options);
        tulle_model *model = new_model(trainer);
        const struct tulle_model_info *info = tulle_model_info(model);
        assert_int_equal(info->loss, loss);
        assert_int_equal(info->optimizer, TULLE_OPTIMIZER_ADAMW);
        assert_true(info->label_smoothing == 0.125 && info->huber_delta == 2.5);
        assert_int_equal(info->target_count, target_count(&options));
        assert_int_equal(info->quantile_count, loss == TULLE_LOSS_QUANTILE ? 3 : 0);
        assert_int_equal(info->prediction_count, is_binary ? 12 : 6);
        assert_int_equal(info->task, is_binary || loss == TULLE_LOSS_CROSS_ENTROPY
                                         ? TULLE_TASK_CLASSIFICATION
                                         : TULLE_TASK_REGRESSION);
        assert_true(info->layers[0].parametric && info->layers[0].dropout == 0.25);
        tulle_model_free(model);
        tulle_trainer_free(trainer);
    }
}

/* Parameters that are set again after a divergence are as good as new. */
static void test_recovery(void **state)
{
    const struct data *data = *state;
    struct tulle_trainer_options options = usual_options(TULLE_F32);
    struct tulle_matrix x = x_rows(data, 0, ROWS), y = y_rows(data, 0, ROWS);
    tulle_trainer *trainer = new_trainer(&options), *fresh = new_trainer(&options);
    tulle_model *model;
    tulle_trainer_set_learning_rate(trainer, 1e30);
    for (int i = 0; i < 20; i++)
        tulle_trainer_step(trainer, x, y, NULL);
    assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_ERROR_DIVERGED);
    for (size_t l = 0; l < options.layer_count; l++) {
        double weights[4096], biases[128];
        assert_int_equal(tulle_trainer_get_parameters(fresh, l, weights, biases), TULLE_OK);
        assert_int_equal(tulle_trainer_set_parameters(trainer, l, weights, biases), TULLE_OK);
    }
    tulle_trainer_set_learning_rate(trainer, options.learning_rate);
    assert_true(step(trainer, x, y) == step(fresh, x, y));
    assert_true(same_parameters(trainer, fresh, &options));
    assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_OK);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
    tulle_trainer_free(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_parameters),
        cmocka_unit_test(test_callers_generator),
        cmocka_unit_test(test_set_and_get),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_epoch),
        cmocka_unit_test(test_loss_and_predict),
        cmocka_unit_test(test_learning_rate),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_model_of_every_loss),
        cmocka_unit_test(test_recovery),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
