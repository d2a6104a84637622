/*
 * test_optimizer.c - steps of every optimizer on a trainer, against the formulas of
 * TULLE_OPTIMIZER_LIST on the gradients of the naive network; weight decay, clipping and averages.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_support.h"

enum { TRIED_STEPS = 6 };

/* --- Against the formulas --------------------------------------------------------------------- */

/* The gradients that a step divides by the rows, or not, clipped together. */
static void scale_gradients(struct naive *net, const struct tulle_trainer_options *o, size_t rows)
{
    double squares = 0, factor = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t l = 0; l < net->layer_count; l++) {
            struct naive_layer *layer = &net->layers[l];
            double weights = pass                                         ? factor
                             : o->weight_reduction == TULLE_REDUCTION_SUM ? 1
                                                                          : 1.0 / (double)rows;
            double biases = pass                                       ? factor
                            : o->bias_reduction == TULLE_REDUCTION_SUM ? 1
                                                                       : 1.0 / (double)rows;
            for (size_t i = 0; i < layer->units * layer->inputs; i++) {
                layer->weight_gradients[i] *= weights;
                squares += pow(layer->weight_gradients[i], 2);
            }
            for (size_t u = 0; u < layer->units; u++) {
                layer->bias_gradients[u] *= biases;
                squares += pow(layer->bias_gradients[u], 2);
            }
        }
        if (o->clip_norm > 0 && sqrt(squares) > o->clip_norm)
            factor = o->clip_norm / sqrt(squares);
    }
}

/* A step, and an average with it in the second network. */
static void step_plainly(struct naive *net, struct naive *average, struct naive_kept *kept, int t,
                         const struct tulle_trainer_options *o, const double *x, const double *y,
                         size_t rows)
{
    const double rates[] = {o->learning_rate, o->learning_rate * o->bias_learning_rate};
    const double decays[] = {o->weight_decay, o->weight_decay * o->bias_weight_decay};
    naive_gradients(net, x, y, rows);
    scale_gradients(net, o, rows);
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l], *mean = &average->layers[l];
        size_t area = layer->units * layer->inputs;
        for (size_t i = 0; i < area + layer->units; i++, kept++) {
            int is_bias = i >= area;
            double *w = i < area ? &layer->weights[i] : &layer->biases[i - area];
            double *a = i < area ? &mean->weights[i] : &mean->biases[i - area];
            double g = i < area ? layer->weight_gradients[i] : layer->bias_gradients[i - area];
            *w = naive_update(o, rates[is_bias], decays[is_bias], t, *w, g, kept);
            *a = o->averaging * *a + (1 - o->averaging) * *w;
        }
    }
}

static void check_steps(const struct data *data, const struct tulle_trainer_options *options)
{
    static const size_t sizes[TRIED_STEPS] = {32, 70, 1, 33, 16, 69};
    double tolerance = options->precision == TULLE_F64 ? 1e-9 : 2e-4;
    tulle_trainer *trainer = new_trainer(options);
    struct naive net = naive_of(trainer, options), average = naive_of(trainer, options);
    struct naive_kept *kept = calloc(parameter_count(options), sizeof *kept);
    struct tulle_rng rng;
    assert_non_null(kept);
    tulle_rng_seed(&rng, 1);
    randomize_biases(trainer, &net, &rng);
    tulle_rng_seed(&rng, 1);
    randomize_biases(trainer, &average, &rng);
    for (int s = 0; s < TRIED_STEPS; s++) {
        size_t rows = sizes[s], first = ROWS - rows;
        double loss = step(trainer, x_rows(data, first, rows), y_rows(data, first, rows)), all;
        const double *x = data->x + first * INPUTS, *y = data->y + first * OUTPUTS;
        assert_near(loss, naive_loss(&net, x, y, rows), tolerance);
        step_plainly(&net, &average, kept, s + 1, options, x, y, rows);
        double worst = parameter_difference(trainer, &net);
        if (!(worst <= tolerance))
            fail_msg("%s, %s, step %d: a parameter is off by %g",
                     tulle_optimizer_name(options->optimizer), tulle_type_name(options->precision),
                     s, worst);
        /* Outside steps the average counts. */
        assert_int_equal(
            tulle_trainer_loss(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS), &all),
            TULLE_OK);
        assert_near(all,
                    naive_loss(options->averaging > 0 ? &average : &net, data->x, data->y, ROWS),
                    tolerance);
    }
    tulle_trainer_free(trainer);
    naive_free(&net);
    naive_free(&average);
    free(kept);
}

/* Everything off, each thing alone, and everything on. */
static void test_formulas(void **state)
{
    enum { FEATURES = 6 };
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int o = 0; o < OPTIMIZERS; o++)
            for (int f = 0; f <= FEATURES + 1; f++) {
                struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
                int all = f == FEATURES + 1;
                options.optimizer = (enum tulle_optimizer)o;
                options.learning_rate = 0.01;
                options.epsilon =
                    0.01; /* else Adam makes much of the rounding of gradients near 0 */
                options.momentum = all || f == 1 ? 0.75 : 0;
                options.weight_decay = all || f == 2 ? 0.25 : 0;
                options.clip_norm = all || f == 3 ? 0.5 : 0;
                options.averaging = all || f == 4 ? 0.875 : 0;
                options.bias_learning_rate = all || f == 5 ? 0.25 : 1;
                options.bias_weight_decay = all || f == 5 ? 0.5 : 0;
                if (all || f == 6) {
                    options.bias_reduction = TULLE_REDUCTION_SUM;
                    options.beta1 = 0.5;
                    options.beta2 = 0.75;
                }
                check_steps(*state, &options);
            }
}

/* --- One thing at a time ---------------------------------------------------------------------- */

/* The length of the way that a step of rate 1 goes. */
static double length_of_step(const struct data *data, double clip_norm)
{
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    options.learning_rate = 1;
    options.clip_norm = clip_norm;
    tulle_trainer *trainer = new_trainer(&options);
    double *before = get_parameters(trainer, &options), squares = 0;
    step(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
    double *after = get_parameters(trainer, &options);
    for (size_t i = 0; i < parameter_count(&options); i++)
        squares += pow(after[i] - before[i], 2);
    tulle_trainer_free(trainer);
    free(before), free(after);
    return sqrt(squares);
}

static void test_clip(void **state)
{
    double free_length = length_of_step(*state, 0);
    assert_near(length_of_step(*state, free_length / 4), free_length / 4, 1e-12);
    assert_near(length_of_step(*state, free_length * 2), free_length, 1e-12);
}

/* A step in place and one by way of the gradients are the same but for rounding. */
static void test_in_place(void **state)
{
    const struct data *data = *state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = usual_options((enum tulle_type)precision);
        options.bias_learning_rate = 0.5;
        tulle_trainer *in_place = new_trainer(&options);
        options.clip_norm = 1e30;
        tulle_trainer *kept = new_trainer(&options);
        for (size_t rows = 1; rows <= ROWS; rows += 23) {
            step(in_place, x_rows(data, 0, rows), y_rows(data, 0, rows));
            step(kept, x_rows(data, 0, rows), y_rows(data, 0, rows));
        }
        double *a = get_parameters(in_place, &options), *b = get_parameters(kept, &options);
        assert_true(difference(a, b, parameter_count(&options)) <=
                    (precision == TULLE_F64 ? 1e-14 : 1e-6));
        free(a), free(b);
        tulle_trainer_free(in_place);
        tulle_trainer_free(kept);
    }
}

static double loss_of(tulle_trainer *trainer, const struct data *data)
{
    double loss = -1;
    assert_int_equal(
        tulle_trainer_loss(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS), &loss), TULLE_OK);
    return loss;
}

/* Parameters that are set begin the average anew; those that are got are not the average; the model
 * is. */
static void test_average(void **state)
{
    const struct data *data = *state;
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    options.averaging = 0.999;
    tulle_trainer *trainer = new_trainer(&options);
    options.averaging = 0;
    tulle_trainer *plain = new_trainer(&options);
    double first = loss_of(trainer, data);
    for (int i = 0; i < 20; i++) {
        step(trainer, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
        step(plain, x_rows(data, 0, ROWS), y_rows(data, 0, ROWS));
    }
    double slow = loss_of(trainer, data), fast = loss_of(plain, data);
    assert_true(fast < slow && slow < first);

    double out[ROWS * OUTPUTS], of_model[ROWS * OUTPUTS];
    tulle_model *model = new_model(trainer);
    tulle_session *session = new_session(model);
    assert_int_equal(
        tulle_trainer_predict(trainer, x_rows(data, 0, ROWS), tulle_f64_out(out, ROWS, OUTPUTS)),
        TULLE_OK);
    assert_int_equal(tulle_session_predict(session, x_rows(data, 0, ROWS),
                                           tulle_f64_out(of_model, ROWS, OUTPUTS)),
                     TULLE_OK);
    assert_memory_equal(out, of_model, sizeof out);
    tulle_session_free(session);
    tulle_model_free(model);

    double *now = get_parameters(trainer, &options);
    set_parameters(trainer, &options, now);
    set_parameters(plain, &options, now);
    assert_true(loss_of(trainer, data) == loss_of(plain, data));
    free(now);
    tulle_trainer_free(trainer);
    tulle_trainer_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_clip),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_average),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
