/*
 * test_dialect.c - steps as scikit-learn takes them, against formulas in double: momentum that has
 * the learning rate in it, Adam's epsilon, means by the sum of weights, and a penalty, in steps and
 * in what they report.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trainer_support.h"

enum { STEPS = 6 };

static double weight_sum(const double *weights, size_t rows)
{
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        sum += weights ? weights[r] : 1;
    return sum;
}

/* Half the squares of all weights. */
static double half_squares(const struct naive *net)
{
    double sum = 0;
    for (size_t l = 0; l < net->layer_count; l++)
        for (size_t i = 0; i < net->layers[l].units * net->layers[l].inputs; i++)
            sum += pow(net->layers[l].weights[i], 2);
    return sum / 2;
}

/* What rows divide by. */
static double divisor(const struct tulle_trainer_options *o, const double *weights, size_t rows)
{
    return o->dialect == TULLE_DIALECT_SKLEARN ? weight_sum(weights, rows) : (double)rows;
}

/* The loss with its penalty, which for mse is twice that of what steps follow. */
static double plain_loss(struct naive *net, const struct tulle_trainer_options *o, const double *x,
                         const double *y, const double *weights, size_t rows)
{
    double by = divisor(o, weights, rows);
    double share = o->loss == TULLE_LOSS_MSE             ? 2
                   : o->loss == TULLE_LOSS_CROSS_ENTROPY ? 1
                                                         : 1.0 / OUTPUTS;
    net->weights = weights;
    double loss = naive_loss(net, x, y, rows) * (double)rows / by;
    return loss + share * o->penalty / by * half_squares(net);
}

static void step_plainly(struct naive *net, struct naive_kept *kept, int t,
                         const struct tulle_trainer_options *o, double rate, const double *x,
                         const double *y, const double *weights, size_t rows)
{
    double by = divisor(o, weights, rows);
    net->weights = weights;
    naive_gradients(net, x, y, rows);
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        size_t area = layer->units * layer->inputs;
        for (size_t i = 0; i < area; i++, kept++)
            layer->weights[i] = naive_update(
                o, rate, o->weight_decay, t, layer->weights[i],
                layer->weight_gradients[i] / by + o->penalty / by * layer->weights[i], kept);
        for (size_t u = 0; u < layer->units; u++, kept++)
            layer->biases[u] = naive_update(o, rate, o->weight_decay * o->bias_weight_decay, t,
                                            layer->biases[u], layer->bias_gradients[u] / by, kept);
    }
}

static void check_steps(const struct data *data, const struct tulle_trainer_options *options,
                        const double *targets, const double *weights)
{
    static const size_t sizes[STEPS] = {32, 70, 1, 33, 16, 69};
    static const double rates[STEPS] = {0.01, 0.01, 0.04, 0, 0.005, 0.01};
    double tolerance = options->precision == TULLE_F64 ? 1e-9 : 2e-4;
    size_t columns = target_count(options);
    tulle_trainer *trainer = new_trainer(options);
    struct naive net = naive_of(trainer, options);
    struct naive_kept *kept = calloc(parameter_count(options), sizeof *kept);
    struct tulle_rng rng;
    assert_non_null(kept);
    net.criterion.loss = options->loss;
    tulle_rng_seed(&rng, 1);
    randomize_biases(trainer, &net, &rng);
    for (int s = 0; s < STEPS; s++) {
        size_t rows = sizes[s], first = ROWS - rows;
        const double *x = data->x + first * INPUTS, *y = targets + first * columns;
        const double *own = weights ? weights + first : NULL;
        double expected = plain_loss(&net, options, x, y, own, rows), loss;
        tulle_trainer_set_learning_rate(trainer, rates[s]);
        assert_int_equal(tulle_trainer_step_weighted(trainer, x_rows(data, first, rows),
                                                     tulle_f64(y, rows, columns), own, &loss),
                         TULLE_OK);
        assert_near(loss, expected, tolerance);
        step_plainly(&net, kept, s + 1, options, rates[s], x, y, own, rows);
        double worst = parameter_difference(trainer, &net);
        if (!(worst <= tolerance))
            fail_msg("%s, %s, step %d: a parameter is off by %g",
                     tulle_optimizer_name(options->optimizer), tulle_type_name(options->precision),
                     s, worst);
    }
    tulle_trainer_free(trainer);
    naive_free(&net);
    free(kept);
}

/* Every optimizer in both dialects, by each loss that scikit-learn has. */
static void test_formulas(void **state)
{
    static const enum tulle_loss losses[] = {TULLE_LOSS_MSE, TULLE_LOSS_BINARY_CROSS_ENTROPY,
                                             TULLE_LOSS_CROSS_ENTROPY, TULLE_LOSS_POISSON};
    struct tulle_rng rng;
    double weights[ROWS];
    tulle_rng_seed(&rng, 6);
    for (size_t r = 0; r < ROWS; r++)
        weights[r] = (double)tulle_rng_integer(&rng, 4) / 2 + (r == ROWS - 1);
    for (int i = 0; i < 2 * 2 * 2 * 2 * 2 * OPTIMIZERS; i++) {
        struct tulle_trainer_options options = usual_options(i & 1 ? TULLE_F64 : TULLE_F32);
        options.dialect = i & 2 ? TULLE_DIALECT_SKLEARN : TULLE_DIALECT_PYTORCH;
        options.penalty = i & 4 ? 0.75 : 0;
        options.momentum = i & 8 ? 0.75 : 0;
        options.weight_decay = i & 4 && i & 8 ? 0.25 : 0;
        options.optimizer = (enum tulle_optimizer)(i / 32);
        options.epsilon = 0.01; /* else Adam makes much of the rounding of gradients near 0 */
        options.loss = losses[i % 4 ^ (i / 4 % 4)];
        double *targets = new_targets(&rng, &options, ROWS);
        check_steps(*state, &options, targets, i & 16 ? weights : NULL);
        free(targets);
    }
}

/* --- The rest of it --------------------------------------------------------------------------- */

/* Rows that weigh nothing change nothing but for what is remembered, and their loss is 0. */
static void test_weights_of_0(void **state)
{
    static const double nothing[ROWS] = {0};
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    options.dialect = TULLE_DIALECT_SKLEARN;
    tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
    double loss;
    assert_int_equal(tulle_trainer_step_weighted(trainer, x_rows(*state, 0, ROWS),
                                                 y_rows(*state, 0, ROWS), nothing, &loss),
                     TULLE_OK);
    assert_true(loss == 0 && same_parameters(trainer, untouched, &options));
    tulle_trainer_free(trainer), tulle_trainer_free(untouched);
}

/* An epoch's loss is the mean over rows of its steps', whatever the rows of each weigh. */
static void test_epoch(void **state)
{
    enum { BATCH = 32 };
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    double weights[ROWS], losses[3], loss;
    size_t order[ROWS];
    options.dialect = TULLE_DIALECT_SKLEARN;
    options.penalty = 0.5;
    options.batch_size = BATCH;
    for (size_t r = 0; r < ROWS; r++) {
        order[r] = r;
        weights[r] = (double)(r % 5);
    }
    tulle_trainer *trainer = new_trainer(&options), *stepwise = new_trainer(&options);
    assert_int_equal(tulle_trainer_epoch_ordered(trainer, x_rows(*state, 0, ROWS),
                                                 y_rows(*state, 0, ROWS), weights, order, ROWS,
                                                 &loss),
                     TULLE_OK);
    for (size_t s = 0; s < 3; s++) {
        size_t rows = s < 2 ? BATCH : ROWS - 2 * BATCH, first = s * BATCH;
        assert_int_equal(tulle_trainer_step_weighted(stepwise, x_rows(*state, first, rows),
                                                     y_rows(*state, first, rows), weights + first,
                                                     &losses[s]),
                         TULLE_OK);
    }
    assert_near(loss, (BATCH * (losses[0] + losses[1]) + (ROWS - 2 * BATCH) * losses[2]) / ROWS,
                1e-14);
    assert_true(same_parameters(trainer, stepwise, &options));
    tulle_trainer_free(trainer), tulle_trainer_free(stepwise);
}

/* A loss of the caller's own has the penalty as it is said, beside the mean that it returns. */
static double own_mse(size_t rows, size_t outputs, const double *output, size_t targets,
                      const double *target, double *gradient, void *user)
{
    double sum = 0;
    (void)targets, (void)user;
    for (size_t i = 0; i < rows * outputs; i++) {
        gradient[i] = output[i] - target[i];
        sum += gradient[i] * gradient[i];
    }
    return sum / (double)rows / 2;
}

static void test_own_loss(void **state)
{
    const struct data *data = *state;
    struct tulle_trainer_options options = usual_options(TULLE_F64);
    double weights[ROWS], losses[2];
    for (size_t r = 0; r < ROWS; r++)
        weights[r] = (double)(r % 3);
    options.dialect = TULLE_DIALECT_SKLEARN;
    options.penalty = 0.5;
    options.optimizer = TULLE_OPTIMIZER_ADAM;
    tulle_trainer *built_in = new_trainer(&options);
    options.loss_function = own_mse;
    tulle_trainer *own = new_trainer(&options);
    struct naive net = naive_of(own, &options);
    double expected = options.penalty / weight_sum(weights, ROWS) * half_squares(&net);
    expected += naive_loss(&net, data->x, data->y, ROWS) * OUTPUTS / 2;
    tulle_trainer *both[] = {built_in, own};
    for (int i = 0; i < 2; i++)
        assert_int_equal(tulle_trainer_step_weighted(both[i], x_rows(*state, 0, ROWS),
                                                     y_rows(*state, 0, ROWS), weights, &losses[i]),
                         TULLE_OK);
    assert_near(losses[1], expected, 1e-14);
    naive_free(&net);
    net = naive_of(own, &options);
    assert_true(parameter_difference(built_in, &net) <= 1e-12);
    naive_free(&net);
    tulle_trainer_free(built_in), tulle_trainer_free(own);
}

static void test_refused(void **state)
{
    struct tulle_trainer_options options = usual_options(TULLE_F32);
    struct tulle_error error;
    tulle_trainer *trainer;
    (void)state;
    options.penalty = -1;
    assert_int_equal(tulle_trainer_create(&options, &trainer, &error), TULLE_ERROR_ARGUMENT);
    assert_string_equal(error.message, "the penalty must be a finite number of at least 0, got -1");
    options.penalty = 0;
    options.dialect = (enum tulle_dialect)2;
    assert_int_equal(tulle_trainer_create(&options, &trainer, &error), TULLE_ERROR_ARGUMENT);
    assert_string_equal(error.message, "unknown dialect 2");
    /* The options of callers that know nothing of them end before them. */
    options.size = offsetof(struct tulle_trainer_options, penalty);
    assert_int_equal(tulle_trainer_create(&options, &trainer, &error), TULLE_OK);
    tulle_trainer_free(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas), cmocka_unit_test(test_weights_of_0),
        cmocka_unit_test(test_epoch),    cmocka_unit_test(test_own_loss),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
