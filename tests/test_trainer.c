/* test_trainer.c - steps, epochs and predictions of the trainer, against the naive network. */
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
#include "net_support.h"

enum { INPUTS = 7, OUTPUTS = 2, LAYERS = 3, ROWS = 70 };

static const struct tulle_layer layers[LAYERS] = {
    {19, TULLE_ACTIVATION_RELU}, {33, TULLE_ACTIVATION_TANH}, {OUTPUTS, TULLE_ACTIVATION_IDENTITY}};

/* The data of most tests: numbers that f32 holds exactly. */
struct data {
    double *x, *y;        /* (ROWS, INPUTS), (ROWS, OUTPUTS) */
    float *x_f32, *y_f32; /* the same numbers */
};

static int make_data(void **state)
{
    struct data *data = malloc(sizeof *data);
    struct tulle_rng rng;
    if (!data)
        return 1;
    tulle_rng_seed(&rng, 3);
    data->x = new_values(&rng, ROWS * INPUTS);
    data->y = new_values(&rng, ROWS * OUTPUTS);
    data->x_f32 = new_floats(data->x, ROWS * INPUTS);
    data->y_f32 = new_floats(data->y, ROWS * OUTPUTS);
    *state = data;
    return 0;
}

static int free_data(void **state)
{
    struct data *data = *state;
    free(data->x);
    free(data->y);
    free(data->x_f32);
    free(data->y_f32);
    free(data);
    return 0;
}

static struct tulle_trainer_options usual_options(enum tulle_type precision)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers, LAYERS, precision);
    options.learning_rate = 0.0625;
    options.seed = 11;
    return options;
}

/* Matrices of rows first..first+count-1 of the data. */
static struct tulle_matrix x_rows(const struct data *data, size_t first, size_t count)
{
    return tulle_f64(data->x + first * INPUTS, count, INPUTS);
}

static struct tulle_matrix y_rows(const struct data *data, size_t first, size_t count)
{
    return tulle_f64(data->y + first * OUTPUTS, count, OUTPUTS);
}

static double step(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y)
{
    double loss = -1;
    assert_int_equal(tulle_trainer_step(trainer, x, y, &loss), TULLE_OK);
    return loss;
}

static double epoch(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y)
{
    double loss = -1;
    assert_int_equal(tulle_trainer_epoch(trainer, x, y, &loss), TULLE_OK);
    return loss;
}

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("got %.17g, expected %.17g to a relative %g", found, expected, tolerance);
}

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
        naive_create(&net, INPUTS, layers, LAYERS);
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
    naive_create(&net, INPUTS, layers, LAYERS);
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

/* Exactly so many; the trainer itself would ask what the machine has and the work pays for. */
static void set_threads(tulle_trainer *trainer, unsigned threads)
{
    tulle_pool_free(trainer->pool);
    trainer->pool = tulle_pool_create(threads);
    assert_non_null(trainer->pool);
    assert_int_equal(tulle_pool_threads(trainer->pool), threads);
    tulle_workspace_clear(&trainer->workspace);
    assert_int_equal(tulle_workspace_init(&trainer->workspace, &trainer->network, trainer->kernels,
                                          trainer->options.batch_size, threads, 1),
                     TULLE_OK);
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
        assert_int_equal(info->standardize, 0);
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
            assert_int_equal(info->layers[l].units, layers[l].units);
            assert_int_equal(info->layers[l].activation, layers[l].activation);
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
        cmocka_unit_test(test_epoch_is_steps),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_loss_order),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_thread_choice),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_learning_rate),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
