/*
 * test_embedding.c - learned vectors for levels, and parametric layers: as a network has them whose
 * inputs the vectors are; what is no level; getting and setting them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net_support.h"

enum { INPUTS = 3, EMBEDDINGS = 2, COLUMNS = INPUTS + EMBEDDINGS, OUTPUTS = 2, ROWS = 50 };
enum { WIDTH = INPUTS + 4 + 2 };

static const struct tulle_embedding embeddings[EMBEDDINGS] = {{6, 4}, {2, 2}};
static const struct tulle_layer layers[] = {{11, TULLE_ACTIVATION_TANH, 1, 0},
                                            {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};

static struct tulle_trainer_options options_of(enum tulle_type precision)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, precision);
    options.embeddings = embeddings;
    options.embedding_count = EMBEDDINGS;
    options.learning_rate = 0.25;
    return options;
}

/* Of levels of the first embedding only those below 5 occur. */
static void make_data(double x[ROWS * COLUMNS], double y[ROWS * OUTPUTS])
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 2);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t c = 0; c < INPUTS; c++)
            x[r * COLUMNS + c] = (float)(tulle_rng_uniform(&rng) - 0.5);
        x[r * COLUMNS + INPUTS] = (double)tulle_rng_integer(&rng, 4);
        x[r * COLUMNS + INPUTS + 1] = (double)tulle_rng_integer(&rng, 2);
        for (size_t o = 0; o < OUTPUTS; o++)
            y[r * OUTPUTS + o] = (float)tulle_rng_uniform(&rng);
    }
}

/* Random ones, level 0's among them, exact in f32; freed by the caller. */
static double *randomize(tulle_trainer *trainer, const struct tulle_trainer_options *options)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 8);
    double *values = new_values(&rng, parameter_count(options));
    set_parameters(trainer, options, values);
    return values;
}

/* --- What they compute ------------------------------------------------------------------------ */

/* The rows with the vectors in the place of the levels. */
static void look_up(const tulle_trainer *trainer, const double *x, double *wide)
{
    double first[7 * 4], second[3 * 2];
    assert_int_equal(tulle_trainer_get_embedding(trainer, 0, first), TULLE_OK);
    assert_int_equal(tulle_trainer_get_embedding(trainer, 1, second), TULLE_OK);
    for (size_t r = 0; r < ROWS; r++, x += COLUMNS, wide += WIDTH) {
        memcpy(wide, x, INPUTS * sizeof *x);
        memcpy(wide + INPUTS, first + (size_t)x[INPUTS] * 4, 4 * sizeof *x);
        memcpy(wide + INPUTS + 4, second + (size_t)x[INPUTS + 1] * 2, 2 * sizeof *x);
    }
}

/* A trainer without embeddings on the vectors gives the same bits, and so does its step for the
 * layers. */
static void test_as_inputs(void **state)
{
    double x[ROWS * COLUMNS], y[ROWS * OUTPUTS], wide[ROWS * WIDTH];
    double out[ROWS * OUTPUTS], wide_out[ROWS * OUTPUTS], loss, wide_loss;
    (void)state;
    make_data(x, y);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = options_of((enum tulle_type)precision);
        struct tulle_trainer_options plain =
            network_options(WIDTH, layers, 2, (enum tulle_type)precision);
        plain.learning_rate = options.learning_rate;
        tulle_trainer *trainer = new_trainer(&options), *on_vectors = new_trainer(&plain);
        double *values = randomize(trainer, &options);
        set_parameters(on_vectors, &plain, values);
        look_up(trainer, x, wide);
        assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, ROWS, COLUMNS),
                                               tulle_f64_out(out, ROWS, OUTPUTS)),
                         TULLE_OK);
        assert_int_equal(tulle_trainer_predict(on_vectors, tulle_f64(wide, ROWS, WIDTH),
                                               tulle_f64_out(wide_out, ROWS, OUTPUTS)),
                         TULLE_OK);
        assert_memory_equal(out, wide_out, sizeof out);
        assert_int_equal(tulle_trainer_step(trainer, tulle_f64(x, ROWS, COLUMNS),
                                            tulle_f64(y, ROWS, OUTPUTS), &loss),
                         TULLE_OK);
        assert_int_equal(tulle_trainer_step(on_vectors, tulle_f64(wide, ROWS, WIDTH),
                                            tulle_f64(y, ROWS, OUTPUTS), &wide_loss),
                         TULLE_OK);
        assert_true(loss == wide_loss);
        double *a = get_parameters(trainer, &options), *b = get_parameters(on_vectors, &plain);
        assert_memory_equal(a, b, parameter_count(&plain) * sizeof *a);
        free(values), free(a), free(b);
        tulle_trainer_free(trainer);
        tulle_trainer_free(on_vectors);
    }
}

/* Only the vectors of levels that occur move, level 0's among them. */
static void test_moved_vectors(void **state)
{
    double x[ROWS * COLUMNS], y[ROWS * OUTPUTS], before[7 * 4], after[7 * 4];
    (void)state;
    make_data(x, y);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = options_of((enum tulle_type)precision);
        tulle_trainer *trainer = new_trainer(&options);
        free(randomize(trainer, &options));
        assert_int_equal(tulle_trainer_get_embedding(trainer, 0, before), TULLE_OK);
        assert_int_equal(tulle_trainer_epoch(trainer, tulle_f64(x, ROWS, COLUMNS),
                                             tulle_f64(y, ROWS, OUTPUTS), NULL),
                         TULLE_OK);
        assert_int_equal(tulle_trainer_get_embedding(trainer, 0, after), TULLE_OK);
        for (size_t i = 0; i < 7 * 4; i++)
            assert_true((before[i] != after[i]) == (i / 4 < 5));
        tulle_trainer_free(trainer);
    }
}

/* A network of nothing but embeddings learns a table by heart. */
static void test_no_numbers(void **state)
{
    static const struct tulle_embedding one = {9, 5};
    static const struct tulle_layer layer = {1, TULLE_ACTIVATION_IDENTITY, 0, 0};
    double x[10], y[10], loss = 1;
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        x[i] = (double)i;
        y[i] = (double)(i * i % 7);
    }
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options =
            network_options(0, &layer, 1, (enum tulle_type)precision);
        options.embeddings = &one;
        options.embedding_count = 1;
        options.optimizer = TULLE_OPTIMIZER_ADAM;
        options.learning_rate = 0.05;
        tulle_trainer *trainer = new_trainer(&options);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(
                tulle_trainer_step(trainer, tulle_f64(x, 10, 1), tulle_f64(y, 10, 1), &loss),
                TULLE_OK);
        assert_true(loss < 1e-3);
        tulle_trainer_free(trainer);
    }
}

/* --- What is no level ------------------------------------------------------------------------- */

static void test_no_level(void **state)
{
    static const double bad[] = {-1, -1e-9, 0.5, 7, 6.5, 1e9, 4294967296.0, 1e30, NAN, INFINITY};
    double x[ROWS * COLUMNS], y[ROWS * OUTPUTS], out[ROWS * OUTPUTS], loss;
    (void)state;
    make_data(x, y);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            enum { ROW = 17 };
            struct tulle_trainer_options options = options_of((enum tulle_type)precision);
            tulle_trainer *trainer = new_trainer(&options);
            double kept = x[ROW * COLUMNS + INPUTS];
            tulle_model *model;
            x[ROW * COLUMNS + INPUTS] = bad[i];
            assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, ROWS, COLUMNS),
                                                   tulle_f64_out(out, ROWS, OUTPUTS)),
                             TULLE_OK);
            for (size_t o = 0; o < ROWS * OUTPUTS; o++)
                assert_true(isnan(out[o]) == (o / OUTPUTS == ROW));
            assert_int_equal(tulle_trainer_loss(trainer, tulle_f64(x, ROWS, COLUMNS),
                                                tulle_f64(y, ROWS, OUTPUTS), &loss),
                             TULLE_OK);
            assert_true(isnan(loss));
            assert_int_equal(tulle_trainer_step(trainer, tulle_f64(x, ROWS, COLUMNS),
                                                tulle_f64(y, ROWS, OUTPUTS), NULL),
                             TULLE_ERROR_DIVERGED);
            assert_int_equal(tulle_trainer_model(trainer, &model), TULLE_ERROR_DIVERGED);
            x[ROW * COLUMNS + INPUTS] = kept;
            tulle_trainer_free(trainer);
        }
}

/* --- Getting and setting ---------------------------------------------------------------------- */

static void test_beginning(void **state)
{
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = options_of((enum tulle_type)precision);
        tulle_trainer *trainer = new_trainer(&options);
        double mix[11], table[7 * 4];
        struct tulle_rng rng;
        tulle_rng_seed(&rng, options.seed);
        assert_int_equal(tulle_trainer_get_mix(trainer, 0, mix), TULLE_OK);
        for (size_t u = 0; u < 11; u++)
            assert_true(mix[u] == 1);
        for (size_t i = 0; i < 11 * WIDTH + OUTPUTS * 11; i++) /* the weights come first */
            tulle_rng_uniform(&rng);
        for (size_t e = 0; e < EMBEDDINGS; e++) {
            double bound = 1 / sqrt((double)embeddings[e].levels);
            size_t dimensions = embeddings[e].dimensions;
            assert_int_equal(tulle_trainer_get_embedding(trainer, e, table), TULLE_OK);
            for (size_t i = 0; i < (embeddings[e].levels + 1) * dimensions; i++) {
                double expected = i < dimensions ? 0 : bound * (2 * tulle_rng_uniform(&rng) - 1);
                assert_true(fabs(table[i] - expected) <= (precision == TULLE_F64 ? 1e-15 : 1e-7));
            }
        }
        assert_memory_equal(tulle_trainer_rng(trainer), &rng, sizeof rng);
        tulle_trainer_free(trainer);
    }
}

static void test_set_and_get(void **state)
{
    static const double mix[11] = {[0] = 0.1, [3] = -2, [10] = 1e-3};
    static const double table[7 * 4] = {[0] = 0.3, [5] = -1e6, [27] = 1.0 / 3};
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = options_of((enum tulle_type)precision);
        tulle_trainer *trainer = new_trainer(&options);
        double *before = randomize(trainer, &options), found[7 * 4];
        assert_int_equal(tulle_trainer_set_mix(trainer, 0, mix), TULLE_OK);
        assert_int_equal(tulle_trainer_get_mix(trainer, 0, found), TULLE_OK);
        for (size_t i = 0; i < 11; i++)
            assert_true(found[i] == (precision == TULLE_F64 ? mix[i] : (float)mix[i]));
        assert_int_equal(tulle_trainer_set_embedding(trainer, 0, table), TULLE_OK);
        assert_int_equal(tulle_trainer_get_embedding(trainer, 0, found), TULLE_OK);
        for (size_t i = 0; i < 7 * 4; i++)
            assert_true(found[i] == (precision == TULLE_F64 ? table[i] : (float)table[i]));
        double *after = get_parameters(trainer, &options); /* the others are as they were */
        size_t mix_at = 11 * WIDTH + 11, table_at = mix_at + 11 + OUTPUTS * 11 + OUTPUTS;
        for (size_t i = 0; i < parameter_count(&options); i++)
            if ((i < mix_at || i >= mix_at + 11) && (i < table_at || i >= table_at + 7 * 4))
                assert_true(after[i] == before[i]);
        free(before), free(after);

        assert_int_equal(tulle_trainer_get_mix(trainer, 1, found), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_set_mix(trainer, 1, found), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_get_mix(trainer, 2, found), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_set_mix(trainer, SIZE_MAX, found), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_get_embedding(trainer, 2, found), TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_trainer_set_embedding(trainer, SIZE_MAX, found),
                         TULLE_ERROR_ARGUMENT);
        tulle_trainer_free(trainer);
    }
}

/* --- Its model -------------------------------------------------------------------------------- */

/* A session takes levels by their index, from 0, and NaN for none of them. */
static void test_model(void **state)
{
    double x[ROWS * COLUMNS], y[ROWS * OUTPUTS], out[ROWS * OUTPUTS], of_model[ROWS * OUTPUTS];
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_trainer_options options = options_of((enum tulle_type)precision);
        tulle_trainer *trainer = new_trainer(&options);
        make_data(x, y);
        free(randomize(trainer, &options));
        assert_int_equal(tulle_trainer_predict(trainer, tulle_f64(x, ROWS, COLUMNS),
                                               tulle_f64_out(out, ROWS, OUTPUTS)),
                         TULLE_OK);
        for (size_t r = 0; r < ROWS; r++)
            for (size_t e = 0; e < EMBEDDINGS; e++) {
                double *level = &x[r * COLUMNS + INPUTS + e];
                *level = *level > 0 ? *level - 1 : NAN;
            }
        tulle_model *model = new_model(trainer);
        tulle_session *session = new_session(model);
        const struct tulle_model_info *info = tulle_model_info(model);
        assert_int_equal(info->parameter_count, parameter_count(&options));
        assert_int_equal(info->inputs[INPUTS].levels.count, embeddings[0].levels);
        assert_int_equal(info->inputs[INPUTS].dimensions, embeddings[0].dimensions);
        assert_int_equal(info->layers[0].parametric, 1);
        assert_int_equal(tulle_session_predict(session, tulle_f64(x, ROWS, COLUMNS),
                                               tulle_f64_out(of_model, ROWS, OUTPUTS)),
                         TULLE_OK);
        assert_memory_equal(out, of_model, sizeof out);
        tulle_session_free(session);
        tulle_model_free(model);
        tulle_trainer_free(trainer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_inputs),  cmocka_unit_test(test_moved_vectors),
        cmocka_unit_test(test_no_numbers), cmocka_unit_test(test_no_level),
        cmocka_unit_test(test_beginning),  cmocka_unit_test(test_set_and_get),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
