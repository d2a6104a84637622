/* test_out_of_memory_trainer.c - trainers, with every allocation of each call failing in turn: a
 * call that fails leaves parameters, generator and results as they were. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "net_support.h"
#include "own_loss.h"

enum { INPUTS = 5, NUMBERS = 2, BINS = 3, ROWS = 40, BATCH = 8, OUTPUTS = 2 };

static const size_t numbers[NUMBERS] = {1, 4};
static const double knots[NUMBERS * (BINS + 1)] = {-1, -0.5, 0, 1, -1, 0, 0.25, 0.5};
static const struct tulle_embedding embedding = {4, 3};
static const struct tulle_layer layers[] = {{9, TULLE_ACTIVATION_MISH, 1, 0.25},
                                            {10, TULLE_ACTIVATION_RELU, 0, 0},
                                            {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};

/* --- The trainers ---------------------------------------------------------------------------- */

/* What updates in place, on one thread. */
static struct tulle_trainer_options plain_options(void)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers + 1, 2, TULLE_F64);
    options.batch_size = BATCH;
    options.learning_rate = 0.01;
    return options;
}

/* What has some of everything: splines, members, an optimizer that remembers. */
static struct tulle_trainer_options rich_options(void)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers, 3, TULLE_F32);
    options.embeddings = &embedding;
    options.embedding_count = 1;
    options.front = (struct tulle_front){.numbers = numbers,
                                         .number_count = NUMBERS,
                                         .dimensions = 2,
                                         .bins = BINS,
                                         .knots = knots,
                                         .has_factors = 1,
                                         .members = 3};
    options.optimizer = TULLE_OPTIMIZER_ADAMW;
    options.averaging = 0.5;
    options.clip_norm = 1;
    options.batch_size = BATCH;
    return options;
}

/* Waves, and a loss of the caller's own. */
static struct tulle_trainer_options own_options(void)
{
    struct tulle_trainer_options options = plain_options();
    options.front = (struct tulle_front){.numbers = numbers,
                                         .number_count = NUMBERS,
                                         .dimensions = 2,
                                         .frequencies = 3,
                                         .frequency_deviation = 1};
    options.optimizer = TULLE_OPTIMIZER_RMSPROP;
    options.loss_function = own_mse;
    return options;
}

static struct tulle_trainer_options options;
static tulle_trainer *trainer;

/* --- What is done with them ------------------------------------------------------------------ */

static const double untouched = 12345;
static double *x, *y, *weights;
static double loss, predictions[ROWS * OUTPUTS];

static struct tulle_matrix all_x(void)
{
    return tulle_f64(x, ROWS, row_columns(&options));
}

static struct tulle_matrix all_y(void)
{
    return tulle_f64(y, ROWS, OUTPUTS);
}

static enum tulle_status step(void)
{
    return tulle_trainer_step_weighted(trainer, all_x(), all_y(), weights, &loss);
}

static enum tulle_status step_gradient(void)
{
    return tulle_trainer_step_gradient(trainer, all_x(), all_y());
}

static enum tulle_status epoch(void)
{
    return tulle_trainer_epoch(trainer, all_x(), all_y(), &loss);
}

static enum tulle_status epoch_ordered(void)
{
    static const size_t order[] = {39, 0, 7, 7, 12, 1, 3, 20, 31, 2};
    return tulle_trainer_epoch_ordered(trainer, all_x(), all_y(), weights, order,
                                       sizeof order / sizeof *order, &loss);
}

static enum tulle_status find_gradient(void)
{
    double gradient[2048];
    assert_true(parameter_count(&options) <= sizeof gradient / sizeof *gradient);
    return tulle_trainer_gradient(trainer, all_x(), all_y(), weights, &loss, gradient);
}

static enum tulle_status find_loss(void)
{
    return tulle_trainer_loss(trainer, all_x(), all_y(), &loss);
}

static enum tulle_status predict(void)
{
    return tulle_trainer_predict(trainer, all_x(), tulle_f64_out(predictions, ROWS, OUTPUTS));
}

/* What needs no memory at all. */
static enum tulle_status find_input_gradient(void)
{
    double dx[ROWS * (INPUTS + 1)];
    return tulle_trainer_input_gradient(trainer, all_x(), all_y(),
                                        tulle_f64_out(dx, ROWS, row_columns(&options)));
}

static enum tulle_status get_and_set(void)
{
    double *parameters = get_parameters(trainer, &options);
    set_parameters(trainer, &options, parameters);
    free(parameters);
    return TULLE_OK;
}

/* --- Failing --------------------------------------------------------------------------------- */

/* All that a call can change. */
struct state {
    double *parameters, loss, predictions[ROWS * OUTPUTS];
    struct tulle_rng rng;
};

static struct state before, after;
static enum tulle_status (*act)(void);

static struct state get_state(void)
{
    struct state state = {.parameters = get_parameters(trainer, &options),
                          .loss = loss,
                          .rng = *tulle_trainer_rng(trainer)};
    memcpy(state.predictions, predictions, sizeof predictions);
    return state;
}

static void assert_state(const struct state *expected)
{
    struct state state = get_state();
    assert_memory_equal(state.parameters, expected->parameters,
                        parameter_count(&options) * sizeof *state.parameters);
    assert_memory_equal(&state.loss, &expected->loss, sizeof loss);
    assert_memory_equal(state.predictions, expected->predictions, sizeof predictions);
    assert_memory_equal(&state.rng, &expected->rng, sizeof state.rng);
    free(state.parameters);
}

static void start(void)
{
    trainer = new_trainer(&options);
    loss = untouched;
    for (size_t i = 0; i < ROWS * OUTPUTS; i++)
        predictions[i] = untouched;
}

static enum tulle_status run_act(struct tulle_error *error)
{
    (void)error;
    return act();
}

/* A second try does what the first should have done. */
static void check_act(enum tulle_status status)
{
    if (status != TULLE_OK) {
        assert_state(&before);
        assert_int_equal(act(), TULLE_OK);
    }
    assert_state(&after);
    tulle_trainer_free(trainer);
    start();
}

static void torture_act(const char *name, enum tulle_status (*call)(void))
{
    act = call;
    start();
    before = get_state();
    assert_int_equal(act(), TULLE_OK);
    after = get_state();
    tulle_trainer_free(trainer);
    start();
    torture(&(struct operation){name, run_act, 1, 0, check_act});
    tulle_trainer_free(trainer);
    free(before.parameters);
    free(after.parameters);
}

static enum tulle_status create(struct tulle_error *error)
{
    return tulle_trainer_create(&options, &trainer, error);
}

static void check_created(enum tulle_status status)
{
    assert_int_equal(trainer != NULL, status == TULLE_OK);
    if (trainer)
        assert_state(&before);
    tulle_trainer_free(trainer);
}

static void torture_creation(void)
{
    start();
    before = get_state();
    tulle_trainer_free(trainer);
    torture(&(struct operation){.name = "make a trainer", .run = create, .check = check_created});
    free(before.parameters);
}

static tulle_model *model;

static enum tulle_status make_model(struct tulle_error *error)
{
    (void)error;
    return tulle_trainer_model(trainer, &model);
}

static void check_model_made(enum tulle_status status)
{
    assert_int_equal(model != NULL, status == TULLE_OK);
    tulle_model_free(model);
    assert_state(&before);
}

static void torture_model(void)
{
    start();
    before = get_state();
    torture(&(struct operation){"make a model of a trainer", make_model, 1, 0, check_model_made});
    tulle_trainer_free(trainer);
    free(before.parameters);
}

static void torture_trainer(struct tulle_trainer_options of)
{
    struct tulle_rng rng;
    options = of;
    tulle_rng_seed(&rng, 2);
    x = new_rows(&rng, &options, ROWS);
    y = new_values(&rng, ROWS * OUTPUTS);
    weights = new_values(&rng, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        weights[i] += 1;
    torture_creation();
    torture_act("a large step", step);
    torture_act("an epoch", epoch);
    torture_act("an epoch in order", epoch_ordered);
    torture_act("a loss", find_loss);
    torture_act("a gradient", find_gradient);
    torture_act("predictions", predict);
    torture_act("parameters", get_and_set);
    if (options.averaging == 0)
        torture_act("a step of the caller's gradients", step_gradient);
    torture_model();
    trainer = new_trainer(&options);
    fail_allocations(1, 1);
    assert_int_equal(find_input_gradient(), TULLE_OK);
    assert_int_equal(stop_failing(), 0);
    tulle_trainer_free(trainer);
    free(x);
    free(y);
    free(weights);
}

static void test_plain(void **state)
{
    (void)state;
    torture_trainer(plain_options());
}

static void test_rich(void **state)
{
    (void)state;
    torture_trainer(rich_options());
}

static void test_own_loss(void **state)
{
    (void)state;
    torture_trainer(own_options());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_rich),
        cmocka_unit_test(test_own_loss),
    };
    return cmocka_run_group_tests(tests, use_failing_memory, use_usual_memory);
}
