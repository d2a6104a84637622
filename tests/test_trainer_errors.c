/* test_trainer_errors.c - what the trainer refuses, and what it does about divergence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_support.h"

/* Sanitizers end a program that asks for too much memory, unless they are told to return NULL. */
#define DEFAULT_OPTIONS(function)                                                                  \
    __attribute__((visibility("default"))) const char *function(void);                             \
    const char *function(void)                                                                     \
    {                                                                                              \
        return "allocator_may_return_null=1";                                                      \
    }
DEFAULT_OPTIONS(__asan_default_options)
DEFAULT_OPTIONS(__tsan_default_options)

enum { INPUTS = 3, OUTPUTS = 2, ROWS = 8 };

static const struct tulle_layer layers[] = {{5, TULLE_ACTIVATION_RELU, 0, 0},
                                            {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const double x[ROWS * INPUTS] = {1,    2, -1,  0.5, 0,   0.25, -2,   1,
                                        1,    3, -1,  2,   0.1, 0.2,  0.3,  1,
                                        -0.5, 0, 0.7, 0.2, 0.1, 0.9,  -0.6, 1};
static const double y[ROWS * OUTPUTS] = {1, -1, 0.5, 2, 0, 1, 1, 1, -1, 0.5, 0.25, 0, 2, 1, 1, 0};

/* --- Options --------------------------------------------------------------------------------- */

/* The trainer is NULL, and the message one line of text. */
static enum tulle_status refusal(const struct tulle_trainer_options *options)
{
    struct tulle_error error;
    tulle_trainer *trainer = (tulle_trainer *)&error;
    memset(&error, 'x', sizeof error);
    enum tulle_status status = tulle_trainer_create(options, &trainer, &error);
    if (status == TULLE_OK) {
        tulle_trainer_free(trainer);
        return TULLE_OK;
    }
    assert_null(trainer);
    assert_int_equal(error.code, status);
    assert_string_equal(error.file, "");
    assert_true(error.line == 0 && error.column == 0);
    assert_true(memchr(error.message, 0, sizeof error.message) && strlen(error.message) > 10);
    assert_null(strchr(error.message, '\n'));

    trainer = (tulle_trainer *)&error;
    assert_int_equal(tulle_trainer_create(options, &trainer, NULL), status);
    assert_null(trainer);
    return status;
}

/* Options that differ from good ones by `change` are TULLE_ERROR_ARGUMENT, with the message. */
#define REFUSED(change, text)                                                                      \
    do {                                                                                           \
        struct tulle_trainer_options o = network_options(INPUTS, layers, 2, TULLE_F64);            \
        struct tulle_error error;                                                                  \
        tulle_trainer *none;                                                                       \
        change;                                                                                    \
        if (refusal(&o) != TULLE_ERROR_ARGUMENT)                                                   \
            fail_msg("not refused: %s", #change);                                                  \
        tulle_trainer_create(&o, &none, &error);                                                   \
        if (strcmp(error.message, text) != 0)                                                      \
            fail_msg("%s: \"%s\", not \"%s\"", #change, error.message, text);                      \
    } while (0)

static void test_options(void **state)
{
    static const double quantiles[] = {0.25, 0.5, 0.75}, two[] = {0.5, 0.75}, zero[] = {0};
    static const double one[] = {0.5, 1}, nan[] = {NAN}, falling[] = {0.5, 0.25},
                        twice[] = {0.5, 0.5};
    static const struct tulle_layer single[] = {{1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    static const struct tulle_layer countless[] = {
        {((size_t)1 << 24) + 1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    (void)state;
    REFUSED(o.size = 0, "the options' size is not set");
    REFUSED(o.size = sizeof o.size - 1, "the options' size is not set");
    REFUSED(o.precision = (enum tulle_type)2, "unknown precision 2");
    REFUSED(o.loss = (enum tulle_loss)100, "unknown loss 100");
    REFUSED(o.loss = TULLE_LOSS_AUTO, "unknown loss -1");
    REFUSED(o.optimizer = (enum tulle_optimizer)100, "unknown optimizer 100");
    REFUSED(o.initializer = (enum tulle_initializer)100, "unknown initializer 100");
    REFUSED(o.weight_reduction = (enum tulle_reduction)2, "unknown reduction of the gradients");
    REFUSED(o.bias_reduction = (enum tulle_reduction)2, "unknown reduction of the gradients");
    REFUSED(o.batch_size = 0, "the batch size must be at least 1");
    REFUSED((o.loss = TULLE_LOSS_CROSS_ENTROPY, o.layers = single, o.layer_count = 1),
            "cross_entropy needs an output for each of at least 2 classes");
    REFUSED((o.loss = TULLE_LOSS_CROSS_ENTROPY, o.layers = countless, o.layer_count = 1),
            "there are 16777217 classes, more than the 16777216 that f32 can number");
    REFUSED((o.loss = TULLE_LOSS_QUANTILE, o.quantiles = quantiles, o.quantile_count = 3),
            "3 quantiles of each target need outputs in multiples of that, got 2");
    REFUSED((o.quantiles = zero, o.quantile_count = 1),
            "a quantile must be between 0 and 1, got 0");
    REFUSED((o.quantiles = one, o.quantile_count = 2), "a quantile must be between 0 and 1, got 1");
    REFUSED((o.quantiles = nan, o.quantile_count = 1),
            "a quantile must be between 0 and 1, got nan");
    REFUSED((o.quantiles = falling, o.quantile_count = 2),
            "quantiles must ascend, got 0.25 after 0.5");
    REFUSED((o.quantiles = twice, o.quantile_count = 2),
            "quantiles must ascend, got 0.5 after 0.5");
    REFUSED(o.quantile_count = 2, "quantiles is NULL, but quantile_count 2");

    struct tulle_trainer_options good = network_options(INPUTS, layers, 2, TULLE_F64);
    good.loss = TULLE_LOSS_QUANTILE;
    good.quantiles = two;
    good.quantile_count = 2;
    assert_int_equal(refusal(&good), TULLE_OK);
}

/* Every number, at the values nearest to those that are good. */
static void test_numbers(void **state)
{
    const char *from_0 = "of at least 0", *above_0 = "above 0", *below_1 = "in [0, 1)";
    (void)state;
#define REFUSED_NUMBER(member, name, expected, value)                                              \
    do {                                                                                           \
        char text[128];                                                                            \
        snprintf(text, sizeof text, "the %s must be a finite number %s, got %g", name, expected,   \
                 (double)(value));                                                                 \
        REFUSED(o.member = value, text);                                                           \
    } while (0)
#define REFUSED_ODD(member, name, expected)                                                        \
    do {                                                                                           \
        REFUSED_NUMBER(member, name, expected, NAN);                                               \
        REFUSED_NUMBER(member, name, expected, INFINITY);                                          \
        REFUSED_NUMBER(member, name, expected, -INFINITY);                                         \
        REFUSED_NUMBER(member, name, expected, -1e-300);                                           \
    } while (0)
    REFUSED_ODD(learning_rate, "learning rate", from_0);
    REFUSED_ODD(momentum, "momentum", below_1);
    REFUSED_ODD(beta1, "beta1", below_1);
    REFUSED_ODD(beta2, "beta2", below_1);
    REFUSED_ODD(epsilon, "epsilon", above_0);
    REFUSED_ODD(weight_decay, "weight decay", from_0);
    REFUSED_ODD(bias_learning_rate, "learning rate of biases", from_0);
    REFUSED_ODD(bias_weight_decay, "weight decay of biases", from_0);
    REFUSED_ODD(clip_norm, "norm that gradients are clipped to", from_0);
    REFUSED_ODD(averaging, "averaging", below_1);
    REFUSED_ODD(huber_delta, "huber delta", above_0);
    REFUSED_ODD(label_smoothing, "label smoothing", below_1);
    REFUSED_NUMBER(momentum, "momentum", below_1, 1.0);
    REFUSED_NUMBER(beta1, "beta1", below_1, 1.0);
    REFUSED_NUMBER(beta2, "beta2", below_1, 1.0);
    REFUSED_NUMBER(averaging, "averaging", below_1, 1.0);
    REFUSED_NUMBER(label_smoothing, "label smoothing", below_1, 1.0);
    REFUSED_NUMBER(epsilon, "epsilon", above_0, 0.0);
    REFUSED_NUMBER(huber_delta, "huber delta", above_0, 0.0);

    struct tulle_trainer_options extreme = network_options(INPUTS, layers, 2, TULLE_F64);
    extreme.learning_rate = extreme.momentum = extreme.beta1 = extreme.beta2 = 0;
    extreme.bias_learning_rate = 0;
    extreme.epsilon = extreme.huber_delta = 1e-300;
    extreme.averaging = extreme.label_smoothing = nextafter(1, 0);
    assert_int_equal(refusal(&extreme), TULLE_OK);
}

static void test_shapes(void **state)
{
    static const struct tulle_embedding embeddings[] = {{3, 2}, {0, 2}}, flat[] = {{3, 0}};
    static const struct tulle_embedding deep[] = {{((size_t)1 << 24) + 1, 1}};
    const struct tulle_layer no_units[] = {{4, TULLE_ACTIVATION_RELU, 0, 0},
                                           {0, TULLE_ACTIVATION_RELU, 0, 0},
                                           {1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    const struct tulle_layer unknown[] = {{4, (enum tulle_activation)ACTIVATIONS, 0, 0},
                                          {1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    const struct tulle_layer last_drops[] = {{4, TULLE_ACTIVATION_RELU, 0, 0},
                                             {1, TULLE_ACTIVATION_IDENTITY, 0, 0.5}};
    struct tulle_layer drops[] = {{4, TULLE_ACTIVATION_RELU, 0, 0},
                                  {1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    const double bad[] = {1, -0.1, NAN, INFINITY};
    (void)state;
    REFUSED(o.inputs = 0, "a network needs at least one input");
    REFUSED(o.layer_count = 0, "a network needs at least one layer");
    REFUSED(o.layers = NULL, "a network needs at least one layer");
    REFUSED((o.layers = no_units, o.layer_count = 3), "layer 1 has no units");
    REFUSED(o.layers = unknown, "layer 0 has an unknown activation");
    REFUSED(o.layers = last_drops, "layer 1 has dropout, which the last one cannot have");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        drops[0].dropout = bad[i];
        REFUSED(o.layers = drops, "layer 0 has a dropout that is not in [0, 1)");
    }
    REFUSED((o.embeddings = embeddings, o.embedding_count = 2), "embedding 1 has no levels");
    REFUSED((o.embeddings = flat, o.embedding_count = 1), "embedding 0 has no dimensions");
    REFUSED((o.embeddings = deep, o.embedding_count = 1),
            "embedding 0 has 16777217 levels, more than the 16777216 that f32 can number");
    REFUSED(o.embedding_count = 2, "embeddings is NULL, but embedding_count 2");
}

/* A caller built against an older header has shorter options: the rest are defaults, whatever
 * bytes stand there. One built against a newer header has longer ones. */
static void test_options_of_other_sizes(void **state)
{
    struct {
        struct tulle_trainer_options known;
        char future[64];
    } longer;
    (void)state;
    struct tulle_trainer_options shorter = network_options(INPUTS, layers, 2, TULLE_F64);
    shorter.size = offsetof(struct tulle_trainer_options, precision);
    memset((char *)&shorter + shorter.size, 0x7f, sizeof shorter - shorter.size);
    tulle_trainer *trainer = new_trainer(&shorter);
    tulle_model *model = new_model(trainer);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->precision, TULLE_F32);
    assert_int_equal(info->loss, TULLE_LOSS_MSE);
    assert_int_equal(info->optimizer, TULLE_OPTIMIZER_SGD);
    assert_true(info->learning_rate == 0.01);
    assert_int_equal(info->batch_size, 32);
    assert_int_equal(info->seed, 0);
    tulle_model_free(model);
    tulle_trainer_free(trainer);

    memset(&longer, 0x7f, sizeof longer);
    longer.known = network_options(INPUTS, layers, 2, TULLE_F64);
    longer.known.size = sizeof longer;
    longer.known.batch_size = 5;
    trainer = new_trainer(&longer.known);
    model = new_model(trainer);
    info = tulle_model_info(model);
    assert_int_equal(info->precision, TULLE_F64);
    assert_int_equal(info->batch_size, 5);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
}

/* What no machine holds, with sizes that overflow and sizes that do not. */
static void test_too_large(void **state)
{
    const size_t billion = 1000000000, max = (size_t)-1;
    const struct {
        size_t inputs, hidden, outputs;
    } shapes[] = {{1, billion, billion}, {billion, billion, 1},
                  {max, 1, 1},           {1, max, 1},
                  {1, 1, max},           {max / 8, 1, 1},
                  {1, max / 16 + 1, 16}, {max, max, max},
                  {1, max / 8 - 1, 1},   {(size_t)1 << 32, 1u << 31, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
            const struct tulle_layer large[] = {{shapes[i].hidden, TULLE_ACTIVATION_RELU, 0, 0},
                                                {shapes[i].outputs, TULLE_ACTIVATION_TANH, 0, 0}};
            struct tulle_trainer_options options =
                network_options(shapes[i].inputs, large, 2, precision);
            enum tulle_status status = refusal(&options);
            assert_true(status == TULLE_ERROR_MEMORY || status == TULLE_ERROR_ARGUMENT);
        }

    /* By what else a network has. */
    const size_t most = max / 8;
    const size_t numbers[] = {0};
    const struct {
        struct tulle_embedding embedding;
        size_t inputs, units;
        int parametric;
        struct tulle_front front;
    } others[] = {
        {{1 << 24, (size_t)1 << 50}, 1, 1, 0, {0}},
        {{7, most / 4}, 1, 1, 0, {0}},
        {{1, 1}, max, 1, 0, {0}},
        {{1, 1}, 1, most / 5 * 2, 1, {0}},
        {{1, 1},
         1,
         most / 103,
         0,
         {.numbers = numbers, .number_count = 1, .dimensions = 100, .frequencies = 100}},
        {{1, 1}, (size_t)1 << 40, (size_t)1 << 20, 0, {.has_factors = 1, .members = 32}},
        {{1, 1}, most / 2, 1, 0, {.has_factors = 1, .members = 2}},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const struct tulle_layer layer = {others[i].units, TULLE_ACTIVATION_TANH,
                                          others[i].parametric, 0};
        struct tulle_trainer_options options =
            network_options(others[i].inputs, &layer, 1, TULLE_F64);
        options.embeddings = &others[i].embedding;
        options.embedding_count = 1;
        options.front = others[i].front;
        enum tulle_status status = refusal(&options);
        if (status != TULLE_ERROR_MEMORY)
            fail_msg("case %zu: %s", i, tulle_status_text(status));
    }

    /* A batch size beyond all memory may be refused or mean "all rows", but nothing else. */
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F64);
    options.batch_size = max;
    tulle_trainer *trainer = NULL;
    enum tulle_status status = tulle_trainer_create(&options, &trainer, NULL);
    if (status == TULLE_OK)
        assert_int_equal(tulle_trainer_epoch(trainer, tulle_f64(x, ROWS, INPUTS),
                                             tulle_f64(y, ROWS, OUTPUTS), NULL),
                         TULLE_OK);
    else
        assert_true(status == TULLE_ERROR_MEMORY || status == TULLE_ERROR_ARGUMENT);
    tulle_trainer_free(trainer);
}

/* --- Matrices -------------------------------------------------------------------------------- */

static void test_matrices(void **state)
{
    const struct tulle_matrix good_x = tulle_f64(x, ROWS, INPUTS);
    const struct tulle_matrix good_y = tulle_f64(y, ROWS, OUTPUTS);
    struct tulle_matrix short_stride = good_x, no_type = good_x, y_short_stride = good_y;
    short_stride.stride = INPUTS - 1;
    y_short_stride.stride = OUTPUTS - 1;
    no_type.type = (enum tulle_type)2;
    const struct {
        struct tulle_matrix x, y;
    } bad[] = {
        {tulle_f64(x, ROWS, INPUTS - 1), good_y},
        {tulle_f64(x, ROWS / 2, INPUTS + 1), tulle_f64(y, ROWS / 2, OUTPUTS)},
        {good_x, tulle_f64(y, ROWS, OUTPUTS - 1)},
        {tulle_f64(x, ROWS / 2, INPUTS), tulle_f64(y, ROWS / 2, OUTPUTS + 1)},
        {tulle_f64(x, ROWS - 1, INPUTS), good_y},
        {good_x, tulle_f64(y, ROWS - 1, OUTPUTS)},
        {tulle_f64(x, 0, INPUTS), tulle_f64(y, 0, OUTPUTS)},
        {short_stride, good_y},
        {no_type, good_y},
        {good_x, y_short_stride},
    };
    (void)state;
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F32);
    tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
    double loss;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(tulle_trainer_step(trainer, bad[i].x, bad[i].y, &loss),
                         TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_epoch(trainer, bad[i].x, bad[i].y, &loss),
                         TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_loss(trainer, bad[i].x, bad[i].y, &loss),
                         TULLE_ERROR_ARGUMENT);
    }
    /* Not even a number was drawn. */
    assert_memory_equal(tulle_trainer_rng(trainer), tulle_trainer_rng(untouched),
                        sizeof(struct tulle_rng));
    assert_true(same_parameters(trainer, untouched, &options));
    tulle_trainer_free(trainer);
    tulle_trainer_free(untouched);
}

static void test_output_matrices(void **state)
{
    double out[ROWS * (OUTPUTS + 1)] = {0};
    const struct tulle_matrix in = tulle_f64(x, ROWS, INPUTS);
    struct tulle_matrix_out bad[] = {
        tulle_f64_out(out, ROWS, OUTPUTS - 1), tulle_f64_out(out, ROWS, OUTPUTS + 1),
        tulle_f64_out(out, ROWS - 1, OUTPUTS), tulle_f64_out(out, ROWS, OUTPUTS),
        tulle_f64_out(out, ROWS, OUTPUTS),
    };
    bad[3].stride = OUTPUTS - 1;
    bad[4].type = (enum tulle_type)2;
    (void)state;
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F32);
    tulle_trainer *trainer = new_trainer(&options);
    tulle_model *model = new_model(trainer);
    tulle_session *session = new_session(model);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(tulle_trainer_predict(trainer, in, bad[i]), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_session_predict(session, in, bad[i]), TULLE_ERROR_ARGUMENT);
    }
    const struct tulle_matrix narrow = tulle_f64(x, ROWS, INPUTS - 1);
    const struct tulle_matrix_out good = tulle_f64_out(out, ROWS, OUTPUTS);
    assert_int_equal(tulle_trainer_predict(trainer, narrow, good), TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_session_predict(session, narrow, good), TULLE_ERROR_ARGUMENT);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        assert_true(out[i] == 0);
    tulle_session_free(session);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
}

/* --- Divergence ------------------------------------------------------------------------------ */

static void assert_no_model(const tulle_trainer *trainer)
{
    tulle_model *model = (tulle_model *)&layers;
    assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_ERROR_DIVERGED);
    assert_null(model);
}

static void test_learning_rate_diverges(void **state)
{
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int activation = 0; activation < ACTIVATIONS; activation++)
            for (int by_step = 0; by_step <= 1; by_step++) {
                const struct tulle_layer net[] = {{5, activation, 0, 0},
                                                  {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};
                struct tulle_trainer_options options = network_options(INPUTS, net, 2, precision);
                options.learning_rate = 1000;
                options.batch_size = 3;
                tulle_trainer *trainer = new_trainer(&options);
                enum tulle_status status = TULLE_OK;
                for (int i = 0; i < 1000 && status == TULLE_OK; i++)
                    status = (by_step ? tulle_trainer_step : tulle_trainer_epoch)(
                        trainer, tulle_f64(x, ROWS, INPUTS), tulle_f64(y, ROWS, OUTPUTS), NULL);
                assert_int_equal(status, TULLE_ERROR_DIVERGED);
                struct naive net_now = naive_of(trainer, &options);
                if (parameter_difference(trainer, &net_now) != 0) /* something is not finite */
                    assert_no_model(trainer);
                naive_free(&net_now);
                tulle_trainer_free(trainer);
            }
}

/* A NaN is not lost in the comparison of a relu. */
static void test_not_a_number(void **state)
{
    double broken_x[ROWS * INPUTS], broken_y[ROWS * OUTPUTS];
    const double weights[5 * INPUTS] = {[7] = NAN};
    (void)state;
    memcpy(broken_x, x, sizeof x);
    memcpy(broken_y, y, sizeof y);
    broken_x[4] = broken_y[3] = NAN;
    const struct {
        const double *x, *y, *weights;
    } cases[] = {{broken_x, y, NULL}, {x, broken_y, NULL}, {x, y, weights}};

    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int i = 0; i < 3; i++)
            for (int activation = 0; activation < ACTIVATIONS; activation++) {
                const struct tulle_layer net[] = {{5, activation, 0, 0},
                                                  {OUTPUTS, activation, 0, 0}};
                struct tulle_trainer_options options = network_options(INPUTS, net, 2, precision);
                tulle_trainer *trainer = new_trainer(&options);
                if (cases[i].weights)
                    tulle_trainer_set_parameters(trainer, 0, cases[i].weights, NULL);
                assert_int_equal(tulle_trainer_step(trainer, tulle_f64(cases[i].x, ROWS, INPUTS),
                                                    tulle_f64(cases[i].y, ROWS, OUTPUTS), NULL),
                                 TULLE_ERROR_DIVERGED);
                assert_no_model(trainer);
                tulle_trainer_free(trainer);
            }
}

static void test_no_model_of_broken_parameters(void **state)
{
    static const double broken[] = {NAN, INFINITY, -INFINITY, 1e300 /* in f32 */};
    (void)state;
    for (int i = 0; i < 4; i++)
        for (int bias = 0; bias <= 1; bias++) {
            struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F32);
            tulle_trainer *trainer = new_trainer(&options);
            const double weights[OUTPUTS * 5] = {[9] = broken[i]}, biases[OUTPUTS] = {0, broken[i]};
            assert_int_equal(tulle_trainer_set_parameters(trainer, 1, bias ? NULL : weights,
                                                          bias ? biases : NULL),
                             TULLE_OK);
            assert_no_model(trainer);
            tulle_trainer_free(trainer);
        }
}

static void test_free_nothing(void **state)
{
    (void)state;
    tulle_trainer_free(NULL);
    tulle_model_free(NULL);
    tulle_session_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_options_of_other_sizes),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_matrices),
        cmocka_unit_test(test_output_matrices),
        cmocka_unit_test(test_learning_rate_diverges),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_no_model_of_broken_parameters),
        cmocka_unit_test(test_free_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
