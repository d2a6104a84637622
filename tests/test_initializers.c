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
    case TULLE_INITIALIZER_AUTO:
        break;
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

/* --- The front -------------------------------------------------------------------------------- */

enum { FEW = 4, NUMBERS = 2, DIMENSIONS = 3, FREQUENCIES = 400, BINS = 2, MEMBERS = 500 };

static const size_t numbers[NUMBERS] = {1, 2};
static const double knots[NUMBERS * (BINS + 1)] = {-1, 0, 1, -2, 0, 2};
static const struct tulle_embedding embeddings[] = {{3, 5}, {2, 1}};

static struct tulle_trainer_options front_options(size_t frequencies, size_t members)
{
    static const struct tulle_layer layer = {1, TULLE_ACTIVATION_IDENTITY, 0, 0};
    struct tulle_trainer_options options = network_options(FEW, &layer, 1, TULLE_F64);
    options.embeddings = embeddings;
    options.embedding_count = 2;
    options.front = (struct tulle_front){.numbers = numbers,
                                         .number_count = NUMBERS,
                                         .dimensions = DIMENSIONS,
                                         .frequencies = frequencies,
                                         .frequency_deviation = 0.1,
                                         .bins = frequencies > 0 ? 0 : BINS,
                                         .knots = knots,
                                         .has_factors = 1,
                                         .members = members};
    return options;
}

/* Numbers that are uniform in +-bound, and come near to it, or normal with this deviation. */
static void check_uniform(const double *values, size_t count, double bound)
{
    double mean = 0, farthest = 0;
    for (size_t i = 0; i < count; i++) {
        mean += values[i] / (double)count;
        farthest = fmax(farthest, fabs(values[i]));
    }
    assert_true(fabs(mean) <= 5 * bound / sqrt(3 * (double)count));
    assert_true(farthest <= bound && farthest >= bound * (1 - 10 / (double)count));
}

static void check_normal(const double *values, size_t count, double deviation)
{
    double mean = 0, square = 0, farthest = 0;
    for (size_t i = 0; i < count; i++) {
        mean += values[i] / deviation / (double)count;
        square += pow(values[i] / deviation, 2) / (double)count;
        farthest = fmax(farthest, fabs(values[i] / deviation));
    }
    assert_true(fabs(mean) <= 5 / sqrt((double)count));
    assert_true(fabs(square - 1) <= 5 * sqrt(2 / (double)count));
    assert_true(farthest > 2 && farthest < 6);
}

static void test_waves(void **state)
{
    const struct tulle_trainer_options options = front_options(FREQUENCIES, 0);
    const double bound = 1 / sqrt(FREQUENCIES);
    size_t each = number_count(&options) / NUMBERS;
    double *values = calloc(NUMBERS, each * sizeof *values);
    tulle_trainer *trainer = new_trainer(&options);
    (void)state;
    assert_non_null(values);
    assert_int_equal(tulle_trainer_get_numbers(trainer, values), TULLE_OK);
    for (size_t n = 0; n < NUMBERS; n++) {
        const double *own = values + n * each, *v = own + 2 * FREQUENCIES;
        check_normal(own, FREQUENCIES, options.front.frequency_deviation);
        check_uniform(own + FREQUENCIES, FREQUENCIES, acos(-1));
        check_uniform(v, DIMENSIONS * FREQUENCIES, bound);
        for (size_t d = 0; d < DIMENSIONS; d++) {
            double c = v[DIMENSIONS * FREQUENCIES + d];
            assert_true(c != 0 && fabs(c) <= bound);
        }
    }
    assert_memory_not_equal(values, values + each, each * sizeof *values);
    free(values);
    tulle_trainer_free(trainer);
}

static void test_splines(void **state)
{
    const struct tulle_trainer_options options = front_options(0, 0);
    double values[NUMBERS * BINS * DIMENSIONS] = {1};
    tulle_trainer *trainer = new_trainer(&options);
    (void)state;
    assert_int_equal(tulle_trainer_get_numbers(trainer, values), TULLE_OK);
    for (size_t i = 0; i < NUMBERS * BINS * DIMENSIONS; i++)
        assert_true(values[i] == 0);
    tulle_trainer_free(trainer);
}

/* 1; of members a normal number for all that comes from the same input. */
static void test_factors(void **state)
{
    /* The input or embedding that each of the first layer's inputs comes from. */
    static const size_t origins[] = {0, 1, 2, 3, 1, 1, 1, 2, 2, 2, 4, 4, 4, 4, 4, 5};
    enum { WIDTH = sizeof origins / sizeof *origins, ORIGINS = 6 };
    static double factors[MEMBERS * WIDTH], drawn[MEMBERS * ORIGINS];
    (void)state;
    for (size_t members = 0; members <= MEMBERS; members += members ? MEMBERS - 1 : 1) {
        const struct tulle_trainer_options options = front_options(0, members);
        size_t count = member_count(&options);
        tulle_trainer *trainer = new_trainer(&options);
        assert_int_equal(input_width(&options), WIDTH);
        assert_int_equal(tulle_trainer_get_factors(trainer, factors), TULLE_OK);
        for (size_t m = 0; m < count; m++)
            for (size_t i = WIDTH; i-- > 0;)
                drawn[m * ORIGINS + origins[i]] = factors[m * WIDTH + i];
        for (size_t i = 0; i < count * WIDTH; i++)
            assert_true(factors[i] == drawn[i / WIDTH * ORIGINS + origins[i % WIDTH]]);
        for (size_t i = 0; count == 1 && i < WIDTH; i++)
            assert_true(factors[i] == 1);
        if (count > 1)
            check_normal(drawn, count * ORIGINS, 1);
        tulle_trainer_free(trainer);
    }
}

/* --- From data -------------------------------------------------------------------------------- */

enum { COLUMNS = 4, LAYERS = 3, ROWS = 333, USED = 300, MOST_MEMBERS = 3 };

/* Numbers far from standard, the last of them always the same, and a level. */
static void make_rows(double x[ROWS * COLUMNS], double least)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 12);
    for (size_t r = 0; r < ROWS; r++) {
        x[r * COLUMNS] = least + 30 * tulle_rng_uniform(&rng);
        x[r * COLUMNS + 1] = 1e-3 * tulle_rng_uniform(&rng);
        x[r * COLUMNS + 2] = 5;
        x[r * COLUMNS + 3] = (double)tulle_rng_integer(&rng, 3);
    }
}

/* Gives `to`, a trainer of layers up to l and of one member, that member's parameters. */
static void copy_member(const tulle_trainer *from, tulle_trainer *to,
                        const struct tulle_trainer_options *options, size_t l, size_t member)
{
    double weights[4096], biases[64], table[64], waves[256], factors[256];
    size_t inputs = input_width(options), width = inputs;
    for (size_t k = 0; k <= l; k++) {
        size_t units = options->layers[k].units, own = k + 1 == LAYERS ? member : 0;
        assert_int_equal(tulle_trainer_get_parameters(from, k, weights, biases), TULLE_OK);
        assert_int_equal(tulle_trainer_set_parameters(to, k, weights + own * units * inputs,
                                                      biases + own * units),
                         TULLE_OK);
        inputs = units;
    }
    assert_int_equal(tulle_trainer_get_embedding(from, 0, table), TULLE_OK);
    assert_int_equal(tulle_trainer_set_embedding(to, 0, table), TULLE_OK);
    if (options->front.members == 0)
        return;
    assert_int_equal(tulle_trainer_get_numbers(from, waves), TULLE_OK);
    assert_int_equal(tulle_trainer_set_numbers(to, waves), TULLE_OK);
    assert_int_equal(tulle_trainer_get_factors(from, factors), TULLE_OK);
    assert_int_equal(tulle_trainer_set_factors(to, factors + member * width), TULLE_OK);
}

/* Every unit's sums in layer l, which are what a trainer of the layers up to l gives, whose last is
 * the identity: their deviation, and that they are 0 somewhere. */
static void check_sums(const tulle_trainer *trainer, const struct tulle_trainer_options *options,
                       size_t l, size_t member, const double *x)
{
    struct tulle_trainer_options part = *options;
    struct tulle_layer part_layers[LAYERS];
    size_t units = options->layers[l].units;
    double tolerance = options->precision == TULLE_F64 ? 1e-9 : 1e-3;
    memcpy(part_layers, options->layers, (l + 1) * sizeof *part_layers);
    part_layers[l] = (struct tulle_layer){units, TULLE_ACTIVATION_IDENTITY, 0, 0};
    part.layers = part_layers;
    part.layer_count = l + 1;
    part.front.members = 1;
    tulle_trainer *up_to = new_trainer(&part);
    double *sums = calloc(USED * units, sizeof *sums);
    assert_non_null(sums);
    copy_member(trainer, up_to, options, l, member);
    assert_int_equal(
        tulle_trainer_predict(up_to, tulle_f64(x, USED, COLUMNS), tulle_f64_out(sums, USED, units)),
        TULLE_OK);
    for (size_t u = 0; u < units; u++) {
        double mean = 0, variance = 0, least = INFINITY, most = -INFINITY;
        for (size_t r = 0; r < USED; r++) {
            mean += sums[r * units + u] / USED;
            least = fmin(least, sums[r * units + u]);
            most = fmax(most, sums[r * units + u]);
        }
        for (size_t r = 0; r < USED; r++)
            variance += pow(sums[r * units + u] - mean, 2) / USED;
        assert_true(fabs(sqrt(variance) - 1) <= tolerance);
        assert_true(least <= tolerance && most >= -tolerance);
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

static struct tulle_trainer_options data_options(const struct tulle_layer *layers, size_t members,
                                                 enum tulle_type precision)
{
    static const size_t first = 0;
    struct tulle_trainer_options options = network_options(COLUMNS - 1, layers, LAYERS, precision);
    options.embeddings = embeddings;
    options.embedding_count = 1;
    options.initializer = TULLE_INITIALIZER_DATA;
    if (members > 0)
        options.front = (struct tulle_front){.numbers = &first,
                                             .number_count = 1,
                                             .dimensions = 3,
                                             .frequencies = 4,
                                             .frequency_deviation = 0.1,
                                             .has_factors = 1,
                                             .members = members};
    return options;
}

/* The layers that members share see the first of them: far from 0, the others' units would all be
 * saturated. */
static void test_from_data(void **state)
{
    double x[ROWS * COLUMNS];
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int i = 0; i < ACTIVATIONS * (MOST_MEMBERS + 1); i++) {
            enum tulle_activation activation = (enum tulle_activation)(i / (MOST_MEMBERS + 1));
            const struct tulle_layer layers[LAYERS] = {{30, activation, 1, 0.5},
                                                       {7, activation, 0, 0},
                                                       {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
            struct tulle_trainer_options options =
                data_options(layers, (size_t)i % (MOST_MEMBERS + 1), (enum tulle_type)precision);
            tulle_trainer *trainer = new_trainer(&options);
            const struct pass pass = pass_of(trainer, x);
            make_rows(x, member_count(&options) > 1 ? -15 : 100);
            assert_int_equal(
                tulle_initialize_from_data(&pass, trainer->parameters, USED, &trainer->rng),
                TULLE_OK);
            for (size_t l = 0; l < LAYERS; l++)
                for (size_t m = 0; m < (l + 1 < LAYERS ? 1 : member_count(&options)); m++)
                    check_sums(trainer, &options, l, m, x);
            tulle_trainer_free(trainer);
        }
}

/* The units' zeros lie all over the data, not at its mean. */
static void test_zeros(void **state)
{
    enum { UNITS_HERE = 1000 };
    static const struct tulle_layer layer = {UNITS_HERE, TULLE_ACTIVATION_IDENTITY, 0, 0};
    static double x[ROWS], biases[UNITS_HERE], weights[UNITS_HERE];
    struct tulle_rng rng;
    double mean = 0, square = 0;
    (void)state;
    tulle_rng_seed(&rng, 3);
    for (size_t r = 0; r < ROWS; r++)
        x[r] = 2 * tulle_rng_uniform(&rng) - 1;
    const struct tulle_trainer_options options = network_options(1, &layer, 1, TULLE_F64);
    tulle_trainer *trainer = new_trainer(&options);
    struct pass pass = pass_of(trainer, x);
    pass.x.matrix = tulle_f64(x, ROWS, 1);
    assert_int_equal(tulle_initialize_from_data(&pass, trainer->parameters, ROWS, &trainer->rng),
                     TULLE_OK);
    assert_int_equal(tulle_trainer_get_parameters(trainer, 0, weights, biases), TULLE_OK);
    for (size_t u = 0; u < UNITS_HERE; u++) {
        double zero = -biases[u] / weights[u];
        mean += zero / UNITS_HERE;
        square += zero * zero / UNITS_HERE;
    }
    /* Of five weights uniform in the simplex the squares come to 1 / 3 in the mean, and the
     * variance of numbers uniform in +-1 is 1 / 3. */
    assert_true(fabs(mean) <= 0.06);
    assert_true(fabs(square - 1.0 / 9) <= 0.03);
    tulle_trainer_free(trainer);
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
        assert_int_equal(
            tulle_initialize_from_data(&pass, trainer->parameters, USED, &trainer->rng), TULLE_OK);
        assert_true(same_parameters(trainer, untouched, &options));
        tulle_trainer_free(trainer);
        tulle_trainer_free(untouched);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distributions),     cmocka_unit_test(test_draws),
        cmocka_unit_test(test_data_without_data), cmocka_unit_test(test_waves),
        cmocka_unit_test(test_splines),           cmocka_unit_test(test_factors),
        cmocka_unit_test(test_from_data),         cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_constant_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
