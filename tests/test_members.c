/*
 * test_members.c - networks of several members, against trainers of one member each that have its
 * factors and last layer: a step learns what theirs would on the average, and outside of steps the
 * mean of their outputs counts.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_support.h"
#include "sample.h"

static const double rate = 1099511627776.0; /* 2^40 */

enum { INPUTS = 4, NUMBERS = 2, BINS = 3, ROWS = 300, MOST_OUTPUTS = 9, MOST_MEMBERS = 4 };

static const size_t numbers[NUMBERS] = {0, 2};
static const double knots[NUMBERS * (BINS + 1)] = {-0.5, -0.25, 0, 0.5, -0.75, 0.25, 0.5, 0.75};
static const struct tulle_embedding embedding = {5, 3};

static const struct tulle_layer narrow[] = {{13, TULLE_ACTIVATION_MISH, 1, 0},
                                            {6, TULLE_ACTIVATION_TANH, 0, 0},
                                            {1, TULLE_ACTIVATION_IDENTITY, 1, 0}};
static const struct tulle_layer wide[] = {{6, TULLE_ACTIVATION_TANH, 0, 0},
                                          {19, TULLE_ACTIVATION_GELU, 1, 0},
                                          {9, TULLE_ACTIVATION_SOFTPLUS, 0, 0}};

static const struct trial {
    size_t members;
    enum tulle_loss loss;
    const struct tulle_layer *layers;
    size_t layer_count, frequencies, bins, embeddings;
} trials[] = {
    {1, TULLE_LOSS_MSE, narrow, 3, 3, 0, 1},
    {2, TULLE_LOSS_MSE, narrow, 3, 0, BINS, 1},
    {3, TULLE_LOSS_CROSS_ENTROPY, wide, 3, 3, 0, 1},
    {4, TULLE_LOSS_MSE, wide, 3, 0, BINS, 0},
    {4, TULLE_LOSS_BINARY_CROSS_ENTROPY, narrow + 2, 1, 0, 0, 0},
    {2, TULLE_LOSS_CROSS_ENTROPY, wide + 2, 1, 0, BINS, 1},
};
enum { TRIALS = sizeof trials / sizeof *trials };

static struct tulle_trainer_options options_of(const struct trial *trial, enum tulle_type precision)
{
    struct tulle_trainer_options options =
        network_options(INPUTS, trial->layers, trial->layer_count, precision);
    options.embeddings = &embedding;
    options.embedding_count = trial->embeddings;
    options.front =
        (struct tulle_front){.numbers = numbers,
                             .number_count = trial->frequencies + trial->bins > 0 ? NUMBERS : 0,
                             .dimensions = 2,
                             .frequencies = trial->frequencies,
                             .frequency_deviation = 0.5,
                             .bins = trial->bins,
                             .knots = knots,
                             .has_factors = 1,
                             .members = trial->members};
    options.loss = trial->loss;
    options.label_smoothing = 0.125;
    options.learning_rate = rate;
    options.batch_size = ROWS;
    return options;
}

/* A trainer of random parameters, those of one member each, and data. */
struct fixture {
    struct tulle_trainer_options options, single;
    size_t columns, outputs, targets, members;
    tulle_trainer *trainer, *trainers[MOST_MEMBERS];
    double *parameters, *x, *y, *weights;
};

/* Where among all parameters that stands which is number i of a trainer of that member alone. */
static size_t index_of(const struct fixture *f, size_t member, size_t i)
{
    const struct tulle_trainer_options *o = &f->single;
    size_t last = o->layer_count - 1, width = input_width(o);
    size_t inputs = last > 0 ? o->layers[last - 1].units : width;
    size_t area = inputs * f->outputs, begin = 0;
    for (size_t l = 0, n = width; l < last; n = o->layers[l++].units)
        begin += o->layers[l].units * (n + 1 + (o->layers[l].parametric != 0));
    if (i < begin)
        return i;
    if (i < begin + area)
        return i + member * area;
    if (i < begin + area + f->outputs)
        return i + (f->members - 1) * area + member * f->outputs;
    i += (f->members - 1) * (area + f->outputs);
    return i < parameter_count(&f->options) - f->members * width ? i : i + member * width;
}

/* Gives those of one member each its share of all parameters. */
static void share_parameters(struct fixture *f)
{
    size_t count = parameter_count(&f->single);
    double *own = calloc(count, sizeof *own), *all = get_parameters(f->trainer, &f->options);
    assert_non_null(own);
    for (size_t m = 0; m < f->members; m++) {
        for (size_t i = 0; i < count; i++)
            own[i] = all[index_of(f, m, i)];
        set_parameters(f->trainers[m], &f->single, own);
    }
    free(own), free(all);
}

static void set_up(struct fixture *f, const struct trial *trial, enum tulle_type precision)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 4);
    f->options = f->single = options_of(trial, precision);
    f->single.front.members = 0;
    f->columns = row_columns(&f->options);
    f->outputs = trial->layers[trial->layer_count - 1].units;
    f->targets = target_count(&f->options);
    f->members = trial->members;
    f->trainer = new_trainer(&f->options);
    f->parameters = randomize_parameters(f->trainer, &f->options, &rng);
    for (size_t m = 0; m < f->members; m++)
        f->trainers[m] = new_trainer(&f->single);
    share_parameters(f);
    f->x = new_rows(&rng, &f->options, ROWS);
    f->y = new_targets(&rng, &f->options, ROWS);
    f->weights = new_values(&rng, ROWS);
    for (size_t r = 0; r < ROWS; r++)
        f->weights[r] = fabs(f->weights[r]);
}

static void clear(struct fixture *f)
{
    for (size_t m = 0; m < f->members; m++)
        tulle_trainer_free(f->trainers[m]);
    tulle_trainer_free(f->trainer);
    free(f->parameters), free(f->x), free(f->y), free(f->weights);
}

/* The first rows. */
static struct tulle_matrix x_of(const struct fixture *f, size_t rows)
{
    return tulle_f64(f->x, rows, f->columns);
}

static struct tulle_matrix y_of(const struct fixture *f, size_t rows)
{
    return tulle_f64(f->y, rows, f->targets);
}

static void predict(tulle_trainer *trainer, const struct fixture *f, size_t rows, double *out)
{
    assert_int_equal(
        tulle_trainer_predict(trainer, x_of(f, rows), tulle_f64_out(out, rows, f->outputs)),
        TULLE_OK);
}

/* What a check is called for: all trials, in both precisions. */
static void for_each_trial(void (*check)(struct fixture *f, double tolerance))
{
    for (size_t t = 0; t < TRIALS; t++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            struct fixture f;
            set_up(&f, &trials[t], (enum tulle_type)precision);
            check(&f, precision == TULLE_F64 ? 1e-12 : 1e-4);
            clear(&f);
        }
}

/* --- Steps ------------------------------------------------------------------------------------ */

/* The k losses' mean is what is learned from: of what is shared the gradient is the mean, and of
 * what is a member's own a k-th of its. */
static void compare_steps(struct fixture *f, size_t rows, const double *weights, double tolerance)
{
    size_t count = parameter_count(&f->options);
    double loss, own_loss, mean_loss = 0, *expected = calloc(count, sizeof *expected);
    assert_non_null(expected);
    for (size_t m = 0; m < f->members; m++) {
        double *own = step_gradients(f->trainers[m], &f->single, x_of(f, rows), y_of(f, rows),
                                     weights, &own_loss);
        for (size_t i = 0; i < parameter_count(&f->single); i++)
            expected[index_of(f, m, i)] += own[i] / (double)f->members;
        mean_loss += own_loss / (double)f->members;
        free(own);
    }
    double *found =
        step_gradients(f->trainer, &f->options, x_of(f, rows), y_of(f, rows), weights, &loss);
    assert_true(fabs(loss - mean_loss) <= tolerance * fabs(mean_loss));
    assert_true(difference(found, expected, count) <= tolerance);
    free(found), free(expected);
}

static void check_steps(struct fixture *f, double tolerance)
{
    static const size_t sizes[] = {1, 7, ROWS};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        compare_steps(f, sizes[i], NULL, tolerance);
        compare_steps(f, sizes[i], f->weights, tolerance);
    }
}

static void test_steps(void **state)
{
    (void)state;
    for_each_trial(check_steps);
}

/* Gradients are clipped by the norm of all of them. */
static void check_clip(struct fixture *f, double tolerance)
{
    size_t count = parameter_count(&f->options);
    double squares = 0;
    double *whole =
        step_gradients(f->trainer, &f->options, x_of(f, ROWS), y_of(f, ROWS), NULL, NULL);
    for (size_t i = 0; i < count; i++)
        squares += whole[i] * whole[i];
    f->options.clip_norm = sqrt(squares) / 4;
    tulle_trainer *clipped = new_trainer(&f->options);
    set_parameters(clipped, &f->options, f->parameters);
    double *part = step_gradients(clipped, &f->options, x_of(f, ROWS), y_of(f, ROWS), NULL, NULL);
    for (size_t i = 0; i < count; i++)
        part[i] *= 4;
    assert_true(difference(part, whole, count) <= tolerance);
    free(whole), free(part);
    tulle_trainer_free(clipped);
}

static void test_clip(void **state)
{
    (void)state;
    for_each_trial(check_clip);
}

/* --- Outside of steps ------------------------------------------------------------------------- */

static double loss_of_outputs(const struct fixture *f, const double *out)
{
    const struct naive_criterion criterion = {.loss = f->options.loss,
                                              .label_smoothing = f->options.label_smoothing};
    double gradient[MOST_OUTPUTS], sum = 0;
    for (size_t r = 0; r < ROWS; r++)
        sum += naive_sample_loss(&criterion, f->outputs, out + r * f->outputs,
                                 f->y + r * f->targets, gradient);
    return sum / (ROWS * (f->options.loss == TULLE_LOSS_CROSS_ENTROPY ? 1 : (double)f->outputs));
}

static void check_means(struct fixture *f, double tolerance)
{
    static double out[ROWS * MOST_OUTPUTS], own[ROWS * MOST_OUTPUTS], mean[ROWS * MOST_OUTPUTS];
    double loss;
    memset(mean, 0, sizeof mean);
    for (size_t m = 0; m < f->members; m++) {
        predict(f->trainers[m], f, ROWS, own);
        for (size_t i = 0; i < ROWS * f->outputs; i++)
            mean[i] += own[i] / (double)f->members;
    }
    predict(f->trainer, f, ROWS, out);
    assert_true(difference(out, mean, ROWS * f->outputs) <= tolerance);
    assert_int_equal(tulle_trainer_loss(f->trainer, x_of(f, ROWS), y_of(f, ROWS), &loss), TULLE_OK);
    assert_true(fabs(loss - loss_of_outputs(f, mean)) <= tolerance * loss);
    if (f->options.loss == TULLE_LOSS_MSE)
        check_model(f->trainer, &f->options, f->x, ROWS);
}

static void test_means(void **state)
{
    (void)state;
    for_each_trial(check_means);
}

/* --- Gradients and losses of one's own -------------------------------------------------------- */

/* What dy is the gradient of: the sum of dy times the mean outputs. */
static double moved_sum(struct fixture *f, size_t i, double h, size_t rows, const double *dy)
{
    double out[16 * MOST_OUTPUTS], kept = f->parameters[i], sum = 0;
    f->parameters[i] = kept + h;
    set_parameters(f->trainer, &f->options, f->parameters);
    f->parameters[i] = kept;
    predict(f->trainer, f, rows, out);
    for (size_t o = 0; o < rows * f->outputs; o++)
        sum += dy[o] * out[o];
    return sum;
}

static void test_step_gradient(void **state)
{
    enum { FEW = 5 };
    const double h = 2e-4;
    (void)state;
    for (size_t t = 0; t < TRIALS; t++) {
        struct fixture f;
        set_up(&f, &trials[t], TULLE_F64);
        const double *dy = f.weights; /* any numbers */
        assert_int_equal(
            tulle_trainer_step_gradient(f.trainer, x_of(&f, FEW), tulle_f64(dy, FEW, f.outputs)),
            TULLE_OK);
        double *gradients = gradients_since(f.trainer, &f.options, f.parameters);
        for (size_t i = 0; i < parameter_count(&f.options); i++) {
            if (!is_sampled_emulated(t + i, 7))
                continue;
            double near = moved_sum(&f, i, h, FEW, dy) - moved_sum(&f, i, -h, FEW, dy);
            double far = moved_sum(&f, i, 2 * h, FEW, dy) - moved_sum(&f, i, -2 * h, FEW, dy);
            double numeric = (8 * near - far) / (12 * h) / FEW;
            if (!(fabs(gradients[i] - numeric) <= 1e-8 * fabs(numeric) + 1e-8))
                fail_msg("trial %zu: the gradient of parameter %zu is %.10g instead of %.10g", t, i,
                         gradients[i], numeric);
        }
        free(gradients);
        clear(&f);
    }
}

/* Squared errors of the outputs that the trainer is known to predict. */
static double own_loss(size_t rows, size_t outputs, const double *output, size_t targets,
                       const double *target, double *gradient, void *user)
{
    const double *predicted = user;
    double sum = 0;
    (void)targets;
    for (size_t i = 0; i < rows * outputs; i++) {
        assert_true(output[i] == predicted[i]);
        gradient[i] = output[i] - target[i];
        sum += gradient[i] * gradient[i];
    }
    return sum / (double)(rows * outputs);
}

static void check_own_loss(struct fixture *f, double tolerance)
{
    static double out[ROWS * MOST_OUTPUTS], dy[ROWS * MOST_OUTPUTS];
    struct tulle_trainer_options options = f->options;
    double loss, step_loss, *y;
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 2);
    y = new_values(&rng, ROWS * f->outputs);
    options.loss_function = own_loss;
    options.user = out;
    tulle_trainer *trainer = new_trainer(&options);
    set_parameters(trainer, &options, f->parameters);
    predict(f->trainer, f, ROWS, out);
    for (size_t i = 0; i < ROWS * f->outputs; i++)
        dy[i] = out[i] - y[i];
    const struct tulle_matrix ym = tulle_f64(y, ROWS, f->outputs);
    assert_int_equal(tulle_trainer_loss(trainer, x_of(f, ROWS), ym, &loss), TULLE_OK);
    assert_int_equal(tulle_trainer_step(trainer, x_of(f, ROWS), ym, &step_loss), TULLE_OK);
    assert_true(loss == step_loss);
    assert_int_equal(
        tulle_trainer_step_gradient(f->trainer, x_of(f, ROWS), tulle_f64(dy, ROWS, f->outputs)),
        TULLE_OK);
    double *found = gradients_since(trainer, &options, f->parameters);
    double *expected = gradients_since(f->trainer, &options, f->parameters);
    assert_true(difference(found, expected, parameter_count(&options)) <= tolerance);
    free(found), free(expected), free(y);
    tulle_trainer_free(trainer);
}

static void test_own_loss(void **state)
{
    (void)state;
    for_each_trial(check_own_loss);
}

/* --- All together ----------------------------------------------------------------------------- */

/* Adam with averages, clipping, decay and dropout, at 1 to 3 threads: the same bits; and whole
 * batches learn. */
static void run_all(const struct trial *trial, enum tulle_type precision, size_t batch)
{
    enum { THREADS = 3 };
    static double out[THREADS][ROWS * MOST_OUTPUTS];
    struct tulle_layer layers[3];
    struct tulle_trainer_options options = options_of(trial, precision);
    tulle_trainer *trainers[THREADS];
    struct fixture f;
    set_up(&f, trial, precision);
    memcpy(layers, trial->layers, trial->layer_count * sizeof *layers);
    layers[0].dropout = trial->layer_count > 1 ? 0.25 : 0;
    options.layers = layers;
    options.optimizer = TULLE_OPTIMIZER_ADAM;
    options.learning_rate = 0.02;
    options.weight_decay = 0.01;
    options.averaging = 0.5;
    options.clip_norm = 1;
    options.batch_size = batch;
    for (unsigned n = 0; n < THREADS; n++) {
        double before, loss, after;
        trainers[n] = new_trainer(&options);
        set_threads(trainers[n], n + 1);
        assert_int_equal(tulle_trainer_loss(trainers[n], x_of(&f, ROWS), y_of(&f, ROWS), &before),
                         TULLE_OK);
        for (int e = 0; e < (batch == ROWS ? 20 : 2); e++)
            assert_int_equal(
                tulle_trainer_epoch(trainers[n], x_of(&f, ROWS), y_of(&f, ROWS), &loss), TULLE_OK);
        assert_int_equal(tulle_trainer_loss(trainers[n], x_of(&f, ROWS), y_of(&f, ROWS), &after),
                         TULLE_OK);
        predict(trainers[n], &f, ROWS, out[n]);
        assert_true(batch < ROWS || after < before);
        assert_memory_equal(out[n], out[0], ROWS * f.outputs * sizeof **out);
        assert_true(same_parameters(trainers[n], trainers[0], &options));
    }
    for (unsigned n = 0; n < THREADS; n++)
        tulle_trainer_free(trainers[n]);
    clear(&f);
}

static void test_all_together(void **state)
{
    (void)state;
    for (size_t t = 0; t < TRIALS; t++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            if (is_sampled_emulated(t + precision, 2))
                run_all(&trials[t], (enum tulle_type)precision, 7);
            if (is_sampled_emulated(t + precision + 1, 2))
                run_all(&trials[t], (enum tulle_type)precision, ROWS);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),    cmocka_unit_test(test_clip),
        cmocka_unit_test(test_means),    cmocka_unit_test(test_step_gradient),
        cmocka_unit_test(test_own_loss), cmocka_unit_test(test_all_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
