/* test_initializers.c - the parameters that training begins with: their distributions, and the sums
 * that they give over data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/train/initialize.h"
#include "../lib/train/trainer.h"
#include "net_support.h"

enum { INPUTS = 150, UNITS = 200 };

static const struct tulle_layer one_layer[] = {{UNITS, TULLE_ACTIVATION_IDENTITY, 0, 0}};

/* --- Distributions ---------------------------------------------------------------------------- */

static double expected_deviation(enum tulle_initializer initializer)
{
    switch (initializer) {
    case TULLE_INITIALIZER_FAN_IN:
        return sqrt(1.0 / INPUTS / 3);
    case TULLE_INITIALIZER_HE:
        return sqrt(2.0 / INPUTS);
    case TULLE_INITIALIZER_GLOROT:
        return sqrt(6.0 / (INPUTS + UNITS) / 3);
    case TULLE_INITIALIZER_LECUN:
    case TULLE_INITIALIZER_DATA:
        return sqrt(1.0 / INPUTS);
    }
    return NAN;
}

static struct tulle_trainer_options options_of(int initializer, enum tulle_type precision)
{
    struct tulle_trainer_options options = network_options(INPUTS, one_layer, 1, precision);
    options.initializer = (enum tulle_initializer)initializer;
    return options;
}

/* The first four moments, and how far out the farthest of 30000 is. */
static void test_distributions(void **state)
{
    (void)state;
    for (int initializer = 0; initializer < INITIALIZERS; initializer++) {
        const struct tulle_trainer_options options = options_of(initializer, TULLE_F64);
        double deviation = expected_deviation(options.initializer), n = INPUTS * UNITS;
        int is_uniform =
            initializer == TULLE_INITIALIZER_FAN_IN || initializer == TULLE_INITIALIZER_GLOROT;
        double fourth = is_uniform ? 1.8 : 3, moments[5] = {0}, farthest = 0;
        tulle_trainer *trainer = new_trainer(&options);
        double *values = get_parameters(trainer, &options);
        for (size_t i = 0; i < INPUTS * UNITS; i++) {
            double x = values[i] / deviation;
            for (int m = 1; m <= 4; m++)
                moments[m] += pow(x, m) / n;
            farthest = fmax(farthest, fabs(x));
        }
        assert_true(fabs(moments[1]) <= 5 / sqrt(n));
        assert_true(fabs(moments[2] - 1) <= 5 * sqrt(2 / n));
        assert_true(fabs(moments[3]) <= 5 * sqrt(15 / n));
        assert_true(fabs(moments[4] - fourth) <= 5 * sqrt(96 / n));
        if (is_uniform)
            assert_true(farthest <= sqrt(3) && farthest > 0.999 * sqrt(3));
        else
            assert_true(farthest > 3.5 && farthest < 6);
        for (size_t u = 0; u < UNITS; u++) /* biases */
            assert_true(values[INPUTS * UNITS + u] == 0);
        free(values);
        tulle_trainer_free(trainer);
    }
}

/* Another seed draws others, and f32 what f64 does, rounded. */
static void test_draws(void **state)
{
    (void)state;
    for (int initializer = 0; initializer < INITIALIZERS; initializer++) {
        struct tulle_trainer_options options = options_of(initializer, TULLE_F64);
        tulle_trainer *f64 = new_trainer(&options), *again = new_trainer(&options);
        options.precision = TULLE_F32;
        tulle_trainer *f32 = new_trainer(&options);
        options.seed = 1;
        tulle_trainer *other = new_trainer(&options);
        assert_true(same_parameters(f64, again, &options));
        assert_false(same_parameters(f32, other, &options));
        assert_memory_equal(tulle_trainer_rng(f32), tulle_trainer_rng(f64),
                            sizeof(struct tulle_rng));
        double *wide = get_parameters(f64, &options), *narrow = get_parameters(f32, &options);
        for (size_t i = 0; i < parameter_count(&options); i++)
            assert_true(narrow[i] == (float)wide[i]);
        free(wide), free(narrow);
        tulle_trainer_free(f64);
        tulle_trainer_free(again);
        tulle_trainer_free(f32);
        tulle_trainer_free(other);
    }
}

/* Without data to look at, data is lecun. */
static void test_data_without_data(void **state)
{
    const struct tulle_trainer_options data = options_of(TULLE_INITIALIZER_DATA, TULLE_F64);
    const struct tulle_trainer_options lecun = options_of(TULLE_INITIALIZER_LECUN, TULLE_F64);
    tulle_trainer *a = new_trainer(&data), *b = new_trainer(&lecun);
    (void)state;
    assert_true(same_parameters(a, b, &data));
    tulle_trainer_free(a);
    tulle_trainer_free(b);
}

/* --- From data -------------------------------------------------------------------------------- */

enum { COLUMNS = 4, LAYERS = 3, ROWS = 333, USED = 300 };

/* Numbers far from standard, the last of them always the same, and a level. */
static void make_rows(double x[ROWS * COLUMNS])
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 12);
    for (size_t r = 0; r < ROWS; r++) {
        x[r * COLUMNS] = 100 + 30 * tulle_rng_uniform(&rng);
        x[r * COLUMNS + 1] = 1e-3 * tulle_rng_uniform(&rng);
        x[r * COLUMNS + 2] = 5;
        x[r * COLUMNS + 3] = (double)tulle_rng_integer(&rng, 3);
    }
}

/* The mean and the deviation of every unit's sums in layer l: what a trainer of the layers up to l
 * gives, whose last is the identity. */
static void check_sums(const tulle_trainer *trainer, const struct tulle_trainer_options *options,
                       size_t l, const double *x)
{
    struct tulle_trainer_options part = *options;
    struct tulle_layer part_layers[LAYERS];
    size_t units = options->layers[l].units;
    double tolerance = options->precision == TULLE_F64 ? 1e-9 : 1e-3;
    memcpy(part_layers, options->layers, (l + 1) * sizeof *part_layers);
    part_layers[l] = (struct tulle_layer){units, TULLE_ACTIVATION_IDENTITY, 0, 0};
    part.layers = part_layers;
    part.layer_count = l + 1;
    tulle_trainer *up_to = new_trainer(&part);
    double *sums = calloc(USED * units, sizeof *sums), weights[4096], biases[64], table[64];
    assert_non_null(sums);
    for (size_t k = 0; k <= l; k++) {
        assert_int_equal(tulle_trainer_get_parameters(trainer, k, weights, biases), TULLE_OK);
        assert_int_equal(tulle_trainer_set_parameters(up_to, k, weights, biases), TULLE_OK);
    }
    assert_int_equal(tulle_trainer_get_embedding(trainer, 0, table), TULLE_OK);
    assert_int_equal(tulle_trainer_set_embedding(up_to, 0, table), TULLE_OK);
    assert_int_equal(
        tulle_trainer_predict(up_to, tulle_f64(x, USED, COLUMNS), tulle_f64_out(sums, USED, units)),
        TULLE_OK);
    for (size_t u = 0; u < units; u++) {
        double mean = 0, variance = 0;
        for (size_t r = 0; r < USED; r++)
            mean += sums[r * units + u] / USED;
        for (size_t r = 0; r < USED; r++)
            variance += pow(sums[r * units + u] - mean, 2) / USED;
        assert_true(fabs(mean) <= tolerance && fabs(sqrt(variance) - 1) <= tolerance);
    }
    free(sums);
    tulle_trainer_free(up_to);
}

static struct pass pass_of(tulle_trainer *trainer, const double *x)
{
    return (struct pass){.network = &trainer->network,
                         .kernels = trainer->kernels,
                         .workspace = &trainer->workspace,
                         .parameters = trainer->parameters,
                         .x = {.matrix = tulle_f64(x, ROWS, COLUMNS)}};
}

static void test_from_data(void **state)
{
    static const struct tulle_embedding embedding = {3, 5};
    double x[ROWS * COLUMNS];
    (void)state;
    make_rows(x);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int activation = 0; activation < ACTIVATIONS; activation++) {
            const struct tulle_layer layers[LAYERS] = {
                {30, (enum tulle_activation)activation, 1, 0.5},
                {7, (enum tulle_activation)activation, 0, 0},
                {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
            struct tulle_trainer_options options =
                network_options(COLUMNS - 1, layers, LAYERS, (enum tulle_type)precision);
            options.embeddings = &embedding;
            options.embedding_count = 1;
            options.initializer = TULLE_INITIALIZER_DATA;
            tulle_trainer *trainer = new_trainer(&options);
            const struct pass pass = pass_of(trainer, x);
            assert_int_equal(tulle_initialize_from_data(&pass, trainer->parameters, USED),
                             TULLE_OK);
            for (size_t l = 0; l < LAYERS; l++)
                check_sums(trainer, &options, l, x);
            tulle_trainer_free(trainer);
        }
}

/* Units whose sums are all the same stay as they are. */
static void test_constant_data(void **state)
{
    static const struct tulle_layer layer[] = {{9, TULLE_ACTIVATION_TANH, 0, 0}};
    const double x[ROWS * COLUMNS] = {0};
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        const struct tulle_trainer_options options =
            network_options(COLUMNS, layer, 1, (enum tulle_type)precision);
        tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
        const struct pass pass = pass_of(trainer, x);
        assert_int_equal(tulle_initialize_from_data(&pass, trainer->parameters, USED), TULLE_OK);
        assert_true(same_parameters(trainer, untouched, &options));
        tulle_trainer_free(trainer);
        tulle_trainer_free(untouched);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions),     cmocka_unit_test(test_draws),
        cmocka_unit_test(test_data_without_data), cmocka_unit_test(test_from_data),
        cmocka_unit_test(test_constant_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
