/*
 * test_portable_bits.c - the same bits on every machine: what training and prediction come to, as
 * one number for each precision and activation, is written down here.
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

static const uint64_t expected[2][ACTIVATIONS] = {
    [TULLE_F32] = {0x195b321ac13f4fce, 0x5c8a2d9fdb6e6977, 0x148610e55dc59594, 0x1c018a9d8d36805f,
                   0x7e5ae56de7b4cf54},
    [TULLE_F64] = {0xe515188f776b8ab5, 0xe7f41f7466fe6348, 0x5ca07e09acd8ee97, 0x0899798288178983,
                   0xa851c0e53431fe42},
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

/* In a program that rounds by `mode`: a network larger than any tile, with tails in every
 * direction, and steps of 1, a few and more samples than a block has; a hash of the losses, the
 * predictions and the parameters. */
static uint64_t bits_of(enum tulle_type precision, enum tulle_activation activation, int mode)
{
    enum { INPUTS = 37, HIDDEN = 45, OUTPUTS = 3, LAYERS = 3, ROWS = 161 };
    static const size_t steps[] = {ROWS, 1, 5, 32, ROWS};
    struct tulle_layer layers[] = {{HIDDEN, activation}, {INPUTS, activation}, {OUTPUTS, 0}};
    struct tulle_trainer_options options = network_options(INPUTS, layers, LAYERS, precision);
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 1);
    double *x = new_values(&rng, ROWS * INPUTS), *y = new_values(&rng, ROWS * OUTPUTS);
    double predicted[ROWS * OUTPUTS], weights[HIDDEN * INPUTS], biases[HIDDEN];
    uint64_t state = UINT64_C(0xcbf29ce484222325);
    fesetround(mode);
    tulle_trainer *trainer = new_trainer(&options);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        double loss;
        assert_int_equal(tulle_trainer_step(trainer, tulle_f64(x, steps[i], INPUTS),
                                            tulle_f64(y, steps[i], OUTPUTS), &loss),
                         TULLE_OK);
        hash(&state, &loss, 1);
    }
    assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, ROWS, INPUTS),
                                           tulle_f64_out(predicted, ROWS, OUTPUTS)),
                     TULLE_OK);
    hash(&state, predicted, ROWS * OUTPUTS);
    for (size_t i = 0, inputs = INPUTS; i < LAYERS; inputs = layers[i++].units) {
        assert_int_equal(tulle_trainer_get_parameters(trainer, i, weights, biases), TULLE_OK);
        hash(&state, weights, layers[i].units * inputs);
        hash(&state, biases, layers[i].units);
    }
    fesetround(FE_TONEAREST);
    tulle_trainer_free(trainer);
    free(x), free(y);
    return state;
}

static void test_training(void **state)
{
    (void)state;
    uint64_t found[2][ACTIVATIONS];
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int activation = 0; activation < ACTIVATIONS; activation++)
            found[type][activation] =
                bits_of((enum tulle_type)type, (enum tulle_activation)activation, FE_TONEAREST);
    if (memcmp(found, expected, sizeof expected) == 0)
        return;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        print_message("    [TULLE_F%d] = {", type == TULLE_F32 ? 32 : 64);
        for (int activation = 0; activation < ACTIVATIONS; activation++)
            print_message("%s0x%016" PRIx64, activation ? ", " : "", found[type][activation]);
        print_message("},\n");
    }
    fail_msg("these are the bits of this machine; they ought to be those of every one");
}

static void test_rounding_modes(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int activation = 0; activation < ACTIVATIONS; activation++)
            assert_true(bits_of((enum tulle_type)type, (enum tulle_activation)activation,
                                activation % 2 ? FE_UPWARD : FE_TOWARDZERO) ==
                        expected[type][activation]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_training),
                                       cmocka_unit_test(test_rounding_modes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
