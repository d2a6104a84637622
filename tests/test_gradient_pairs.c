/*
 * test_gradient_pairs.c - the gradients of every activation with every loss, and of all that a
 * network may have besides: embeddings, parametric layers, dropout, sample weights, label
 * smoothing.
 *
 * As in test_gradients.c one step with a learning rate of 2^40 shows them. They are compared with
 * central differences of the loss that a step with a learning rate of 0 returns, and with the naive
 * network where that knows of the thing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/train/trainer.h"
#include "net_support.h"
#include "sample.h"

enum { INPUTS = 3, HIDDEN = 5, OUTPUTS = 4, ROWS = 6, MOST_LAYERS = 3 };

static const double rate = 1099511627776.0; /* 2^40 */

/* What is tried. */
struct setting {
    enum tulle_loss loss;
    enum tulle_activation hidden, output;
    int has_weights, has_embeddings, is_parametric;
    double dropout, label_smoothing;
    size_t quantiles;
};

static const struct tulle_embedding embeddings[] = {{4, 2}, {1, 3}};
static const double quantiles[] = {0.125, 0.75};
static const double weights[ROWS] = {1, 0.5, 2, 0, 3, 0.25};

struct fixture {
    const struct setting *setting;
    struct tulle_layer layers[MOST_LAYERS];
    struct tulle_trainer_options options;
    tulle_trainer *trainer;
    double *x, *y;
    double *parameters; /* (count) as the trainer begins */
    size_t count;
};

static void set_up(struct fixture *f, const struct setting *setting, enum tulle_type precision)
{
    const struct tulle_layer layers[] = {
        {HIDDEN, setting->hidden, setting->is_parametric, setting->dropout},
        {HIDDEN + 6, setting->hidden, setting->is_parametric, setting->dropout},
        {OUTPUTS, setting->output, setting->is_parametric, 0}};
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 6);
    *f = (struct fixture){.setting = setting};
    memcpy(f->layers, layers, sizeof layers);
    f->options = network_options(INPUTS, f->layers, 3, precision);
    f->options.loss = setting->loss;
    f->options.batch_size = ROWS;
    f->options.weight_reduction = f->options.bias_reduction = TULLE_REDUCTION_SUM;
    f->options.huber_delta = 0.375;
    f->options.label_smoothing = setting->label_smoothing;
    f->options.quantiles = setting->quantiles ? quantiles : NULL;
    f->options.quantile_count = setting->quantiles;
    f->options.embeddings = setting->has_embeddings ? embeddings : NULL;
    f->options.embedding_count = setting->has_embeddings ? 2 : 0;
    f->trainer = new_trainer(&f->options);
    f->count = parameter_count(&f->options);
    f->parameters = new_values(&rng, f->count);
    set_parameters(f->trainer, &f->options, f->parameters);
    size_t columns = INPUTS + f->options.embedding_count;
    f->x = new_values(&rng, ROWS * columns);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t e = 0; e < f->options.embedding_count; e++)
            f->x[r * columns + INPUTS + e] = (double)tulle_rng_integer(&rng, embeddings[e].levels);
    f->y = new_targets(&rng, &f->options, ROWS);
}

static void clear(struct fixture *f)
{
    tulle_trainer_free(f->trainer);
    free(f->parameters);
    free(f->x);
    free(f->y);
}

/* A step with the dropout of the first one. */
static double take_step(const struct fixture *f, double learning_rate)
{
    double loss;
    f->trainer->steps = 0;
    assert_int_equal(tulle_trainer_set_learning_rate(f->trainer, learning_rate), TULLE_OK);
    assert_int_equal(tulle_trainer_step_weighted(
                         f->trainer, tulle_f64(f->x, ROWS, INPUTS + f->options.embedding_count),
                         tulle_f64(f->y, ROWS, target_count(&f->options)),
                         f->setting->has_weights ? weights : NULL, &loss),
                     TULLE_OK);
    return loss;
}

/* Of all parameters, in the order of get_parameters. */
static double *find_gradients(const struct fixture *f)
{
    take_step(f, rate);
    double *found = get_parameters(f->trainer, &f->options);
    for (size_t i = 0; i < f->count; i++)
        found[i] = (f->parameters[i] - found[i]) / rate;
    set_parameters(f->trainer, &f->options, f->parameters);
    return found;
}

static void fail_at(const struct fixture *f, const char *with, size_t parameter, double found,
                    double expected)
{
    fail_msg("%s, hidden %s, output %s, %s; compared with %s: parameter %zu has the gradient "
             "%.17g, not %.17g",
             tulle_loss_name(f->setting->loss), tulle_activation_name(f->setting->hidden),
             tulle_activation_name(f->setting->output), tulle_type_name(f->options.precision), with,
             parameter, found, expected);
}

/* --- Central differences --------------------------------------------------------------------- */

/* The sum whose gradient flows back, with one parameter moved by h. */
static double moved_error(struct fixture *f, size_t i, double h)
{
    double kept = f->parameters[i];
    f->parameters[i] = kept + h;
    set_parameters(f->trainer, &f->options, f->parameters);
    f->parameters[i] = kept;
    double outputs = f->setting->loss == TULLE_LOSS_CROSS_ENTROPY ? 1 : OUTPUTS;
    return take_step(f, 0) * ROWS * outputs / (f->setting->loss == TULLE_LOSS_MSE ? 2 : 1);
}

/* Four points: the error is of order h^4. */
static double central_difference(struct fixture *f, size_t i, double h)
{
    double near = moved_error(f, i, h) - moved_error(f, i, -h);
    double far = moved_error(f, i, 2 * h) - moved_error(f, i, -2 * h);
    return (8 * near - far) / (12 * h);
}

/* Where two widths disagree there is a kink between them, and narrower ones are tried. */
static double numeric_gradient(struct fixture *f, size_t i)
{
    double h = 1e-3, wide = central_difference(f, i, h), narrow;
    for (;; h /= 2, wide = narrow) {
        narrow = central_difference(f, i, h / 2);
        if (fabs(wide - narrow) <= 1e-7 * fabs(narrow) + 1e-9 || h < 1e-5)
            return narrow;
    }
}

static void compare_with_differences(const struct setting *setting)
{
    static size_t turn;
    struct fixture f;
    set_up(&f, setting, TULLE_F64);
    double *found = find_gradients(&f), largest = 0;
    for (size_t i = 0; i < f.count; i++)
        largest = fmax(largest, fabs(found[i]));
    turn++; /* other parameters in the sample */
    for (size_t i = 0; i < f.count; i++) {
        if (!is_sampled_emulated(turn + i, 7))
            continue;
        double expected = numeric_gradient(&f, i);
        if (!(fabs(found[i] - expected) <= 1e-6 * fabs(expected) + 1e-9 * largest + 1e-9))
            fail_at(&f, "central differences", i, found[i], expected);
    }
    assert_true(largest > 0);
    free(found);
    clear(&f);
}

static const struct setting plain = {.hidden = TULLE_ACTIVATION_MISH,
                                     .output = TULLE_ACTIVATION_SINE};

/* Every activation in all layers with every loss. */
static void test_pairs(void **state)
{
    (void)state;
    for (int loss = 0; loss < LOSSES; loss++)
        for (int activation = 0; activation < ACTIVATIONS; activation++) {
            struct setting setting = plain;
            setting.loss = (enum tulle_loss)loss;
            setting.hidden = setting.output = (enum tulle_activation)activation;
            compare_with_differences(&setting);
        }
}

/* Every loss and every activation of layers with all the rest, one thing at a time and together. */
static void test_features(void **state)
{
    (void)state;
    for (int loss = 0; loss < LOSSES; loss++)
        for (int features = 1; features < 64; features = features == 32 ? 63 : 2 * features) {
            struct setting setting = plain;
            setting.loss = (enum tulle_loss)loss;
            setting.has_weights = features & 1;
            setting.has_embeddings = features & 2;
            setting.is_parametric = features & 4;
            setting.dropout = features & 8 ? 0.375 : 0;
            setting.label_smoothing = features & 16 ? 0.125 : 0;
            setting.quantiles = features & 32 ? 2 : 0;
            compare_with_differences(&setting);
        }
    for (int activation = 0; activation < ACTIVATIONS; activation++) {
        struct setting setting = {.loss = TULLE_LOSS_HUBER, .dropout = 0.25};
        setting.hidden = setting.output = (enum tulle_activation)activation;
        setting.is_parametric = setting.has_embeddings = 1;
        compare_with_differences(&setting);
    }
}

/* --- The naive network ----------------------------------------------------------------------- */

static void compare_with_naive(const struct setting *setting, enum tulle_type precision,
                               double tolerance)
{
    struct fixture f;
    set_up(&f, setting, precision);
    struct naive net = naive_of(f.trainer, &f.options);
    net.criterion = (struct naive_criterion){setting->loss, f.options.huber_delta,
                                             setting->label_smoothing, quantiles, 1};
    static const double median = 0.5;
    if (setting->quantiles)
        net.criterion.quantile_count = setting->quantiles;
    else
        net.criterion.quantiles = &median;
    net.weights = setting->has_weights ? weights : NULL;
    naive_gradients(&net, f.x, f.y, ROWS);
    double loss = take_step(&f, 0), expected_loss = naive_loss(&net, f.x, f.y, ROWS);
    if (!(fabs(loss - expected_loss) <= tolerance * fmax(1, fabs(expected_loss))))
        fail_at(&f, "the naive loss", 0, loss, expected_loss);
    double *found = find_gradients(&f), *next = found, largest = 0;
    for (size_t i = 0; i < f.count; i++)
        largest = fmax(largest, fabs(found[i]));
    for (size_t l = 0; l < net.layer_count; l++) {
        const struct naive_layer *layer = &net.layers[l];
        for (size_t i = 0; i < layer->units * (layer->inputs + 1); i++, next++) {
            size_t area = layer->units * layer->inputs;
            double expected =
                i < area ? layer->weight_gradients[i] : layer->bias_gradients[i - area];
            if (!(fabs(*next - expected) <= tolerance * largest))
                fail_at(&f, "the naive network", (size_t)(next - found), *next, expected);
        }
    }
    free(found);
    naive_free(&net);
    clear(&f);
}

static void test_naive(void **state)
{
    (void)state;
    for (int loss = 0; loss < LOSSES; loss++)
        for (int activation = 0; activation < ACTIVATIONS; activation++)
            for (int extras = 0; extras < 2; extras++) {
                struct setting setting = {.loss = (enum tulle_loss)loss, .has_weights = extras};
                setting.hidden = setting.output = (enum tulle_activation)activation;
                setting.label_smoothing = extras * 0.125;
                setting.quantiles = extras ? 2 : 0;
                compare_with_naive(&setting, TULLE_F64, 1e-12);
                compare_with_naive(&setting, TULLE_F32, 2e-5);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_naive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
