/*
 * test_gradients.c - the gradient of every parameter.
 *
 * The trainer shows no gradients, but one step of SGD with an enormous learning rate does: with a
 * power of two, (w - w_new) / learning_rate is dw to the last bits. It is compared with central
 * differences of the trainer's own loss and with the naive network.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net_support.h"
#include "sample.h"

static const double rate = 1099511627776.0; /* 2^40 */

struct shape {
    size_t inputs, rows, layer_count, units[5];
};

/* Small enough for central differences of every parameter. */
static const struct shape small[] = {
    {1, 1, 1, {1}},        {1, 1, 2, {1, 1}},           {3, 5, 2, {5, 2}},  {7, 17, 2, {3, 3}},
    {2, 70, 3, {5, 3, 1}}, {4, 16, 5, {3, 5, 4, 3, 2}}, {17, 2, 2, {3, 1}}, {3, 3, 2, {33, 1}},
};

static const struct shape large[] = {
    {1, 70, 1, {17}},
    {5, 64, 3, {33, 7, 1}},
    {17, 33, 2, {3, 33}},
    {33, 70, 2, {17, 1}},
    {64, 1, 2, {64, 16}},
    {16, 15, 2, {128, 2}},
    {31, 31, 5, {7, 33, 16, 5, 3}},
    {100, 50, 3, {65, 130, 1}},
    {6, 301, 2, {9, 2}},
};

enum { SMALL = sizeof small / sizeof small[0], LARGE = sizeof large / sizeof large[0] };

/* A trainer, its naive twin and data for one shape; the tests free it with clear(). */
struct fixture {
    const struct shape *shape;
    struct tulle_layer layers[5];
    struct tulle_trainer_options options;
    tulle_trainer *trainer;
    struct naive net;
    double *x, *y;
};

static void set_up(struct fixture *f, const struct shape *shape, enum tulle_activation hidden,
                   enum tulle_activation output, enum tulle_type precision)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 5);
    f->shape = shape;
    for (size_t l = 0; l < shape->layer_count; l++) {
        f->layers[l] = (struct tulle_layer){
            .units = shape->units[l], .activation = l + 1 < shape->layer_count ? hidden : output};
    }
    f->options = network_options(shape->inputs, f->layers, shape->layer_count, precision);
    f->options.learning_rate = rate;
    f->options.batch_size = shape->rows;
    f->options.weight_reduction = f->options.bias_reduction = TULLE_REDUCTION_SUM;
    f->trainer = new_trainer(&f->options);
    f->net = naive_of(f->trainer, &f->options);
    randomize_biases(f->trainer, &f->net, &rng);
    f->x = new_values(&rng, shape->rows * f->net.inputs);
    f->y = new_values(&rng, shape->rows * f->net.outputs);
}

static void clear(struct fixture *f)
{
    tulle_trainer_free(f->trainer);
    naive_free(&f->net);
    free(f->x);
    free(f->y);
}

static struct tulle_matrix x_of(const struct fixture *f)
{
    return tulle_f64(f->x, f->shape->rows, f->net.inputs);
}

static struct tulle_matrix y_of(const struct fixture *f)
{
    return tulle_f64(f->y, f->shape->rows, f->net.outputs);
}

/* Takes the step; gradients are those of the returned network. */
static struct naive trainer_gradients(const struct fixture *f)
{
    struct naive before = naive_of(f->trainer, &f->options), after;
    assert_int_equal(tulle_trainer_step(f->trainer, x_of(f), y_of(f), NULL), TULLE_OK);
    after = naive_of(f->trainer, &f->options);
    for (size_t l = 0; l < before.layer_count; l++) {
        struct naive_layer *b = &before.layers[l], *a = &after.layers[l];
        for (size_t i = 0; i < b->units * b->inputs; i++)
            b->weight_gradients[i] = (b->weights[i] - a->weights[i]) / rate;
        for (size_t u = 0; u < b->units; u++)
            b->bias_gradients[u] = (b->biases[u] - a->biases[u]) / rate;
    }
    naive_free(&after);
    return before;
}

static void fail_at(const struct fixture *f, const char *what, size_t layer, double worst)
{
    const struct tulle_layer *layers = f->layers;
    fail_msg(
        "%s network, %zu inputs, %zu layers, hidden %s, output %s, %zu rows: %s gradients of layer "
        "%zu are off by %.3g",
        tulle_type_name(f->options.precision), f->shape->inputs, f->shape->layer_count,
        tulle_activation_name(layers[0].activation),
        tulle_activation_name(layers[f->shape->layer_count - 1].activation), f->shape->rows, what,
        layer, worst);
}

/* --- Against the naive network --------------------------------------------------------------- */

static void compare_with_naive(const struct shape *shape, enum tulle_activation hidden,
                               enum tulle_activation output, enum tulle_type precision,
                               double tolerance)
{
    struct fixture f;
    set_up(&f, shape, hidden, output, precision);
    naive_gradients(&f.net, f.x, f.y, shape->rows);
    struct naive found = trainer_gradients(&f);
    for (size_t l = 0; l < f.net.layer_count; l++) {
        const struct naive_layer *expected = &f.net.layers[l];
        double weights = difference(found.layers[l].weight_gradients, expected->weight_gradients,
                                    expected->units * expected->inputs);
        double biases =
            difference(found.layers[l].bias_gradients, expected->bias_gradients, expected->units);
        if (!(weights <= tolerance))
            fail_at(&f, "weight", l, weights);
        if (!(biases <= tolerance))
            fail_at(&f, "bias", l, biases);
    }
    naive_free(&found);
    clear(&f);
}

static void compare_all_with_naive(enum tulle_type precision, double tolerance)
{
    for (int hidden = 0; hidden < ACTIVATIONS; hidden++)
        for (int output = 0; output < ACTIVATIONS; output++) {
            for (int s = 0; s < SMALL; s++)
                if (is_sampled_emulated(hidden + output + s, 5))
                    compare_with_naive(&small[s], hidden, output, precision, tolerance);
            for (int s = 0; s < LARGE; s++)
                if (is_sampled_emulated(hidden + output + s, 5))
                    compare_with_naive(&large[s], hidden, output, precision, tolerance);
        }
}

static void test_naive_f64(void **state)
{
    (void)state;
    compare_all_with_naive(TULLE_F64, 1e-12);
}

static void test_naive_f32(void **state)
{
    (void)state;
    compare_all_with_naive(TULLE_F32, 2e-5);
}

/* --- Against central differences ------------------------------------------------------------- */

/* E = half the squared error summed over rows and outputs, whose gradient flows back, with one
 * parameter of a layer moved by h. */
static double moved_error(struct fixture *f, size_t l, double *parameter, double h)
{
    struct naive_layer *layer = &f->net.layers[l];
    double kept = *parameter, loss;
    *parameter = kept + h;
    assert_int_equal(tulle_trainer_set_parameters(f->trainer, l, layer->weights, layer->biases),
                     TULLE_OK);
    assert_int_equal(tulle_trainer_loss(f->trainer, x_of(f), y_of(f), &loss), TULLE_OK);
    *parameter = kept;
    return loss * (double)(f->shape->rows * f->net.outputs) / 2;
}

/* Four points: the error is of order h^4. */
static double central_difference(struct fixture *f, size_t l, double *parameter, double h)
{
    double near = moved_error(f, l, parameter, h) - moved_error(f, l, parameter, -h);
    double far = moved_error(f, l, parameter, 2 * h) - moved_error(f, l, parameter, -2 * h);
    return (8 * near - far) / (12 * h);
}

/* Two step sizes that disagree have a kink of relu or leaky_relu between them: a smaller step comes
 * to lie on one side of it. */
static double numeric_gradient(struct fixture *f, size_t l, double *parameter)
{
    double h = 1e-3, wide = central_difference(f, l, parameter, h), narrow;
    for (;;) {
        narrow = central_difference(f, l, parameter, h / 2);
        if (fabs(wide - narrow) <= 1e-8 * fabs(narrow) + 1e-11 || h < 1e-5)
            return narrow;
        h /= 2;
        wide = narrow;
    }
}

/* The largest error of count gradients, in units of what is allowed: a relative 1e-6, with a floor
 * for the rounding of the losses that were subtracted. */
static double excess(struct fixture *f, size_t l, double *parameters, const double *gradients,
                     size_t count)
{
    double worst = 0;
    for (size_t i = 0; i < count; i++) {
        double numeric = numeric_gradient(f, l, &parameters[i]);
        double allowed = 1e-6 * fmax(fabs(numeric), fabs(gradients[i])) + 1e-10;
        worst = fmax(worst, fabs(numeric - gradients[i]) / allowed);
    }
    return worst;
}

static void compare_with_differences(const struct shape *shape, enum tulle_activation hidden,
                                     enum tulle_activation output)
{
    struct fixture f;
    set_up(&f, shape, hidden, output, TULLE_F64);
    struct naive found = trainer_gradients(&f);
    for (size_t l = 0; l < f.net.layer_count; l++)
        assert_int_equal(tulle_trainer_set_parameters(f.trainer, l, f.net.layers[l].weights,
                                                      f.net.layers[l].biases),
                         TULLE_OK);
    for (size_t l = 0; l < f.net.layer_count; l++) {
        struct naive_layer *layer = &f.net.layers[l];
        const struct naive_layer *gradients = &found.layers[l];
        double weights = excess(&f, l, layer->weights, gradients->weight_gradients,
                                layer->units * layer->inputs);
        double biases = excess(&f, l, layer->biases, gradients->bias_gradients, layer->units);
        if (!(weights <= 1))
            fail_at(&f, "numeric weight", l, 1e-6 * weights);
        if (!(biases <= 1))
            fail_at(&f, "numeric bias", l, 1e-6 * biases);
        moved_error(&f, l, layer->weights, 0); /* leaves the layer as it was */
    }
    naive_free(&found);
    clear(&f);
}

static void test_differences(void **state)
{
    (void)state;
    for (int s = 0; s < SMALL; s++)
        for (int a = 0; a < ACTIVATIONS; a++) {
            if (is_sampled_emulated(s + a, 3))
                compare_with_differences(&small[s], a, TULLE_ACTIVATION_IDENTITY);
            if (is_sampled_emulated(s + a + 1, 3))
                compare_with_differences(&small[s], TULLE_ACTIVATION_TANH, a);
        }
}

/* --- At zero --------------------------------------------------------------------------------- */

/* With x = 0 and zero biases every z of a 2 -> 3 -> 1 network is 0. The slope of relu there is 1:
 * with y = 1, dE/db of the output is -1 a row, and dE/db of hidden unit u is -w[u] a row. */
static void test_slope_at_zero(void **state)
{
    (void)state;
    static const enum tulle_activation kinked[] = {TULLE_ACTIVATION_RELU,
                                                   TULLE_ACTIVATION_LEAKY_RELU};
    const double x[] = {0.0, -0.0, -0.0, 0.0, 0.0, 0.0}, y[] = {1, 1, 1};
    for (int a = 0; a < 2; a++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            const struct tulle_layer layers[] = {{3, kinked[a]}, {1, kinked[a]}};
            struct tulle_trainer_options options = network_options(2, layers, 2, precision);
            double w[3], b[3], output;
            options.weight_reduction = options.bias_reduction = TULLE_REDUCTION_SUM;
            options.learning_rate = 1;
            tulle_trainer *trainer = new_trainer(&options);
            assert_int_equal(tulle_trainer_get_parameters(trainer, 1, w, NULL), TULLE_OK);
            assert_int_equal(
                tulle_trainer_step(trainer, tulle_f64(x, 3, 2), tulle_f64(y, 3, 1), NULL),
                TULLE_OK);
            assert_int_equal(tulle_trainer_get_parameters(trainer, 0, NULL, b), TULLE_OK);
            assert_int_equal(tulle_trainer_get_parameters(trainer, 1, NULL, &output), TULLE_OK);
            assert_true(output == 3);
            for (int u = 0; u < 3; u++)
                assert_true(fabs(b[u] - 3 * w[u]) <= 1e-6 * fabs(w[u]));
            tulle_trainer_free(trainer);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naive_f64),
        cmocka_unit_test(test_naive_f32),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_slope_at_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
