/*
 * test_portable_bits.c - the same bits on every machine: what training and prediction come to, as
 * one number for each precision and each activation, loss, optimizer, initializer and front, is
 * written down here.
 *
 * All data is drawn from tulle_rng, and nothing is called that a C library may round its own way.
 * When sums are given another order on purpose, every number changes: a failure prints the new
 * tables.
 */
#include <fenv.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_support.h"

enum { FRONTS = 2, CASES = ACTIVATIONS + LOSSES + OPTIMIZERS + INITIALIZERS + FRONTS };

static const uint64_t expected[2][CASES] = {
    [TULLE_F32] = {0x195b321ac13f4fce, 0x5c8a2d9fdb6e6977, 0x148610e55dc59594, 0xe41e5851eea587fd,
                   0xb7a3c344d7ef6ef3, 0x99b6c149a98d4822, 0xfa5c9a5ae6763161, 0xc4283c2825a929b9,
                   0xa554ba03d2789134, 0xae3ba35518acedd4, 0xb557fccbef75e288, 0x5fd6ae37ce2a0395,
                   0x2b30837923576966, 0x63171f72317e6e9d, 0x3f3c02dcbc5d0212, 0x7bddc5f8ab0d7386,
                   0x61f449e2b1147dde, 0xf66b458218f05ff5, 0xf23f9da19d275d18, 0x6427e3b0d7a26177,
                   0xdb76a990543a0536, 0xda311f4116d41ab5, 0x77458a246384f0ee, 0x33f893ba5fb40e9a,
                   0xa9495dd5ffc2859e, 0x754baefe57ca8936, 0x63171f72317e6e9d, 0x0b4fbd4e1e3e79ed,
                   0xb04884d23cc9087d, 0x0d0eacb6196c8c84, 0x0d0eacb6196c8c84, 0x8dfdfb65fdae91aa,
                   0x06afc19f643bdcf9},
    [TULLE_F64] = {0xe515188f776b8ab5, 0xe7f41f7466fe6348, 0x5ca07e09acd8ee97, 0x633a2e1342797e91,
                   0xb681eeba789684e4, 0x296b551b3e4af8df, 0x6175126c95dc8964, 0x6c5195a8f7327be6,
                   0xf6f8b64606604bc0, 0xa59a8a558bfdc6a0, 0x3eef1b44f32e06e7, 0x2fe9161e34f06094,
                   0xd04afbf0da47897f, 0x018a8e0238db844f, 0x7c928ea2c0757c89, 0x4ea75271ed4c98e6,
                   0xa89886c7b1502f22, 0xeb6588f88f7f95e0, 0xad4e9490017eebe6, 0xe7d6d9e11263e0fb,
                   0xa6b5c67f73eea5bb, 0x9221e86a5800bcc5, 0xaf0c30926882d3f7, 0xeeba6aae5bf389da,
                   0x01752e5744088fec, 0x0d5415a3e6f77c5e, 0x018a8e0238db844f, 0x42b21ace5d56c0d6,
                   0x7468ba34389ed4c9, 0xddcacb74f60ece86, 0xddcacb74f60ece86, 0xaeca504af0e7cfe3,
                   0x3342d222268a73a9},
};

/* FNV-1a (Fowler, Noll and Vo, 1991), taking the bits of whole numbers at a time. */
static void hash(uint64_t *state, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        *state = (*state ^ bits) * UINT64_C(0x100000001b3);
    }
}

/* A network larger than any tile, with tails in every direction. */
enum { INPUTS = 37, HIDDEN = 45, OUTPUTS = 3, LAYERS = 3, ROWS = 161, EMBEDDINGS = 2 };

static const struct tulle_embedding embeddings[EMBEDDINGS] = {{5, 3}, {30, 18}};
static const double quantiles[] = {0.125, 0.5, 0.9};

static const size_t numbers[] = {0, 20, 36};
static const double knots[] = {-1, -0.5, 0.1, 1, -0.7, 0, 0.2, 0.7, -0.01, 0.3, 0.5, 2};

/* Waves in the one, and splines with members in the other. */
static const struct tulle_front fronts[FRONTS] = {
    {numbers, 3, 5, 19, 0.5, 0, NULL, 1, 1},
    {numbers, 3, 17, 0, 0, 3, knots, 1, 3},
};

/* What a case has that is not usual: an activation on plain layers; a loss with weighted rows,
 * smoothed labels and quantiles; an optimizer with all that it may do and on all kinds of
 * parameters; an initializer; a front with Adam and all that. */
static struct tulle_trainer_options options_of(int number, enum tulle_type precision,
                                               struct tulle_layer layers[LAYERS])
{
    int loss = number - ACTIVATIONS, optimizer = loss - LOSSES,
        initializer = optimizer - OPTIMIZERS, front = initializer - INITIALIZERS;
    enum tulle_activation activation =
        loss < 0 ? (enum tulle_activation)number : TULLE_ACTIVATION_RELU;
    int has_all = (optimizer >= 0 && initializer < 0) || front >= 0;
    const struct tulle_layer plain[LAYERS] = {{HIDDEN, activation, has_all, has_all * 0.25},
                                              {INPUTS, activation, has_all, has_all * 0.5},
                                              {OUTPUTS, TULLE_ACTIVATION_IDENTITY, has_all, 0}};
    memcpy(layers, plain, sizeof plain);
    struct tulle_trainer_options options = network_options(INPUTS, layers, LAYERS, precision);
    if (has_all) {
        options.embeddings = embeddings;
        options.embedding_count = EMBEDDINGS;
        options.optimizer = front < 0 ? (enum tulle_optimizer)optimizer : TULLE_OPTIMIZER_ADAM;
        options.momentum = 0.875;
        options.weight_decay = 0.01;
        options.bias_learning_rate = 0.5;
        options.bias_weight_decay = 0.25;
        options.clip_norm = 0.1;
        options.averaging = 0.75;
        options.mix_learning_rate = 0.25;
    } else if (initializer >= 0) {
        options.initializer = (enum tulle_initializer)initializer;
    } else if (loss >= 0) {
        options.loss = (enum tulle_loss)loss;
        options.huber_delta = 0.25;
        options.label_smoothing = 0.1;
        options.quantiles = quantiles;
        options.quantile_count = OUTPUTS;
    }
    if (front >= 0) {
        options.front = fronts[front];
        options.factor_learning_rate = 6;
        options.number_learning_rate = 0.5;
        options.parametrization = TULLE_PARAMETRIZATION_NTK;
    }
    return options;
}

/* In a program that rounds by `mode`: steps of 1, a few and more samples than a block has; a hash
 * of the losses, the predictions and the parameters. */
static uint64_t bits_of(int number, enum tulle_type precision, int mode)
{
    static const size_t steps[] = {ROWS, 1, 5, 32, ROWS};
    struct tulle_layer layers[LAYERS];
    struct tulle_trainer_options options = options_of(number, precision, layers);
    size_t columns = INPUTS + options.embedding_count, targets = target_count(&options);
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 1);
    double *x = new_values(&rng, ROWS * columns), *y = new_targets(&rng, &options, ROWS);
    double predicted[ROWS * OUTPUTS], weights[ROWS];
    uint64_t state = UINT64_C(0xcbf29ce484222325);
    for (size_t r = 0; r < ROWS; r++) {
        weights[r] = (double)(r % 5) / 2;
        for (size_t e = 0; e < options.embedding_count; e++)
            x[r * columns + INPUTS + e] = (double)tulle_rng_integer(&rng, embeddings[e].levels);
    }
    fesetround(mode);
    tulle_trainer *trainer = new_trainer(&options);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        double loss;
        assert_int_equal(tulle_trainer_step_weighted(trainer, tulle_f64(x, steps[i], columns),
                                                     tulle_f64(y, steps[i], targets),
                                                     number < ACTIVATIONS ? NULL : weights, &loss),
                         TULLE_OK);
        hash(&state, &loss, 1);
    }
    assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, ROWS, columns),
                                           tulle_f64_out(predicted, ROWS, OUTPUTS)),
                     TULLE_OK);
    hash(&state, predicted, ROWS * OUTPUTS);
    double *parameters = get_parameters(trainer, &options);
    hash(&state, parameters, parameter_count(&options));
    fesetround(FE_TONEAREST);
    tulle_trainer_free(trainer);
    free(x), free(y), free(parameters);
    return state;
}

static void test_training(void **state)
{
    (void)state;
    uint64_t found[2][CASES];
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int number = 0; number < CASES; number++)
            found[type][number] = bits_of(number, (enum tulle_type)type, FE_TONEAREST);
    if (memcmp(found, expected, sizeof expected) == 0)
        return;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        print_message("    [TULLE_F%d] = {", type == TULLE_F32 ? 32 : 64);
        for (int number = 0; number < CASES; number++)
            print_message("%s0x%016" PRIx64, number ? ", " : "", found[type][number]);
        print_message("},\n");
    }
    fail_msg("these are the bits of this machine; they ought to be those of every one");
}

static void test_rounding_modes(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int number = 0; number < CASES; number++)
            assert_true(bits_of(number, (enum tulle_type)type,
                                number % 2 ? FE_UPWARD : FE_TOWARDZERO) == expected[type][number]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_training),
                                       cmocka_unit_test(test_rounding_modes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
