/* test_output_link.c - sessions: what outputs become by each loss, and rows that are not plain
 * numbers. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linear_model.h"

enum { INPUTS = 3 };

static const double identity[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
static const char *const colours[] = {"red", "green", "blue"};
static const char *const answers[] = {"no", "yes"};

/* A model whose outputs are its inputs a, b, c. */
static struct tulle_model *plain_model(enum tulle_loss loss, const struct tulle_column *targets,
                                       size_t target_count, const double *quantiles,
                                       size_t quantile_count)
{
    const struct tulle_column inputs[] = {number_column("a"), number_column("b"),
                                          number_column("c")};
    return linear_model((struct tulle_model_info){.inputs = inputs,
                                                  .input_count = INPUTS,
                                                  .targets = targets,
                                                  .target_count = target_count,
                                                  .loss = loss,
                                                  .quantiles = quantiles,
                                                  .quantile_count = quantile_count},
                        INPUTS, identity);
}

/* Predicts rows and frees the model. */
static void predict(struct tulle_model *model, const double *x, size_t rows, double *out)
{
    tulle_session *session;
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(x, rows, info->input_count),
                                           tulle_f64_out(out, rows, info->prediction_count)),
                     TULLE_OK);
    tulle_session_free(session);
    tulle_model_free(model);
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-14 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}

static const double rows[] = {0.5, -1, 2, 0, 0, 0, 30, -40, 3, -700, 1, 700};
enum { ROWS = sizeof rows / sizeof rows[0] / INPUTS };

static void test_scaled(void **state)
{
    static const double quantiles[] = {0.1, 0.5, 0.9};
    struct tulle_column targets[] = {number_column("u"), number_column("v"), number_column("w")};
    double out[ROWS * INPUTS];
    (void)state;
    for (int t = 0; t < INPUTS; t++) {
        targets[t].mean = 100.0 * t - 7;
        targets[t].scale = t + 0.5;
    }
    predict(plain_model(TULLE_LOSS_HUBER, targets, 3, NULL, 0), rows, ROWS, out);
    for (int i = 0; i < ROWS * INPUTS; i++)
        assert_true(out[i] == rows[i] * targets[i % INPUTS].scale + targets[i % INPUTS].mean);
    predict(plain_model(TULLE_LOSS_QUANTILE, targets + 1, 1, quantiles, 3), rows, ROWS, out);
    for (int i = 0; i < ROWS * INPUTS; i++)
        assert_true(out[i] == rows[i] * targets[1].scale + targets[1].mean);
}

static void test_exponential(void **state)
{
    struct tulle_column targets[] = {number_column("u"), number_column("v"), number_column("w")};
    double out[ROWS * INPUTS];
    (void)state;
    targets[1].scale = 2.5;
    for (int loss = TULLE_LOSS_POISSON; loss <= TULLE_LOSS_GAMMA; loss++) {
        predict(plain_model(loss, targets, 3, NULL, 0), rows, ROWS, out);
        for (int i = 0; i < ROWS * INPUTS; i++)
            assert_near(out[i], exp(rows[i]) * targets[i % INPUTS].scale);
    }
}

/* Within the range of training, quantiles too; what is not finite is not made to look so. */
static void test_clamped(void **state)
{
    static const double quantiles[] = {0.1, 0.5, 0.9};
    static const double x[] = {-2, 0.25, 3, NAN, 1e300, -1e300}, huge[] = {1e200, 0, 0};
    struct tulle_column target = number_column("u"), input = number_column("x");
    double out[ROWS * INPUTS];
    (void)state;
    target.mean = 1;
    target.scale = 2;
    target.minimum = 0.5;
    target.maximum = 4;
    target.is_clamped = 1;
    predict(plain_model(TULLE_LOSS_QUANTILE, &target, 1, quantiles, 3), x, 1, out);
    assert_true(out[0] == 0.5 && out[1] == 1.5 && out[2] == 4);
    const struct tulle_column mixed[] = {target, number_column("v"), number_column("w")};
    predict(plain_model(TULLE_LOSS_MSE, mixed, 3, NULL, 0), rows, ROWS, out);
    for (int r = 0; r < ROWS; r++) {
        assert_true(out[r * INPUTS] == fmin(fmax(rows[r * INPUTS] * 2 + 1, 0.5), 4));
        assert_true(out[r * INPUTS + 1] == rows[r * INPUTS + 1]);
    }
    predict(plain_model(TULLE_LOSS_POISSON, mixed, 3, NULL, 0), rows, ROWS, out);
    for (int r = 0; r < ROWS; r++) {
        assert_near(out[r * INPUTS], fmin(fmax(exp(rows[r * INPUTS]) * 2, 0.5), 4));
        assert_near(out[r * INPUTS + 1], exp(rows[r * INPUTS + 1]));
    }
    for (int loss = TULLE_LOSS_MSE; loss <= TULLE_LOSS_GAMMA; loss += TULLE_LOSS_GAMMA) {
        predict(linear_model((struct tulle_model_info){.inputs = &input,
                                                       .input_count = 1,
                                                       .targets = &target,
                                                       .target_count = 1,
                                                       .loss = loss},
                             1, huge),
                x + 3, 3, out);
        for (int r = 1; r < 3; r++)
            assert_false(isfinite(out[r]));
    }
}

static void test_logistic(void **state)
{
    const struct tulle_column targets[] = {level_column("u", answers, 2),
                                           level_column("v", answers, 2),
                                           level_column("w", answers, 2)};
    double out[ROWS * INPUTS * 2];
    (void)state;
    predict(plain_model(TULLE_LOSS_BINARY_CROSS_ENTROPY, targets, 3, NULL, 0), rows, ROWS, out);
    for (int i = 0; i < ROWS * INPUTS; i++) {
        assert_near(out[2 * i], 1 / (1 + exp(rows[i]))); /* small ones have all their digits */
        assert_near(out[2 * i + 1], 1 / (1 + exp(-rows[i])));
    }
}

static void test_softmax(void **state)
{
    const struct tulle_column target = level_column("u", colours, 3);
    double out[ROWS * INPUTS];
    (void)state;
    predict(plain_model(TULLE_LOSS_CROSS_ENTROPY, &target, 1, NULL, 0), rows, ROWS, out);
    for (int r = 0; r < ROWS; r++) {
        const double *o = rows + r * INPUTS;
        long double sum = expl(o[0]) + expl(o[1]) + expl(o[2]);
        for (int k = 0; k < INPUTS; k++)
            if (expl(o[k]) / sum > DBL_MIN)
                assert_near(out[r * INPUTS + k], (double)(expl(o[k]) / sum));
            else
                assert_true(out[r * INPUTS + k] <= DBL_MIN);
    }
}

/* Sums that overflow, of either sign, are not certainty. */
static void test_overflow(void **state)
{
    static const enum tulle_loss losses[] = {TULLE_LOSS_MSE, TULLE_LOSS_POISSON,
                                             TULLE_LOSS_BINARY_CROSS_ENTROPY,
                                             TULLE_LOSS_CROSS_ENTROPY};
    static const double huge[] = {1e200, -1e200}, weights[] = {1e200, 0, 0};
    const struct tulle_column x = number_column("x");
    (void)state;
    for (int l = 0; l < 4; l++) {
        const struct tulle_column target =
            l < 2 ? number_column("y") : level_column("y", colours, l == 2 ? 2 : 3);
        double out[6];
        predict(linear_model((struct tulle_model_info){.inputs = &x,
                                                       .input_count = 1,
                                                       .targets = &target,
                                                       .target_count = 1,
                                                       .loss = losses[l]},
                             l == 3 ? 3 : 1, weights),
                huge, 2, out);
        for (int i = 0; i < (l < 2 ? 2 : 2 * l); i++)
            assert_false(isfinite(out[i]));
    }
}

/* --- Rows that are not plain numbers --------------------------------------------------------- */

/* Scaled number with an indicator, two levels, three levels. Each number that they become has a
 * weight of its own power of two, so that a prediction tells them all. */
static struct tulle_model *mixed_model(enum tulle_scaling scaling)
{
    static const double weights[] = {1, 2, 4, 8, 16, 32, 64};
    struct tulle_column inputs[] = {number_column("a"), level_column("b", answers, 2),
                                    level_column("c", colours, 3)};
    const struct tulle_column target = number_column("y");
    inputs[0].scaling = scaling;
    inputs[0].mean = 3;
    inputs[0].scale = 2;
    inputs[0].missing = inputs[2].missing = 1;
    return linear_model(
        (struct tulle_model_info){
            .inputs = inputs, .input_count = INPUTS, .targets = &target, .target_count = 1},
        1, weights);
}

static void test_mixed_rows(void **state)
{
    /* a = (x - 3) / 2 and 2 if missing; b = -4 or 4; c = 8, 16, 32, or 64 if missing */
    static const double x[][INPUTS] = {{5, 1, 0},     {3, 0, 2}, {NAN, 1, 1},
                                       {1, NAN, NAN}, {1, 2, 3}, {1, -1, 0.5}};
    static const double expected[] = {13, 28, 22, 63, 63, 63};
    enum { COUNT = sizeof expected / sizeof expected[0] };
    double out[COUNT];
    (void)state;
    predict(mixed_model(TULLE_SCALING_STANDARD), &x[0][0], COUNT, out);
    for (int r = 0; r < COUNT; r++)
        assert_true(out[r] == expected[r]);
}

/* Any grouping, threads and types of x and out. */
static void test_mixed_views(void **state)
{
    enum { MANY = 2500 };
    static double x[MANY * INPUTS], out[MANY], again[MANY];
    static float x_f32[MANY * INPUTS], out_f32[MANY];
    struct tulle_model *model = mixed_model(TULLE_SCALING_ROBUST);
    tulle_session *session;
    (void)state;
    for (int r = 0; r < MANY; r++) {
        x[r * INPUTS] = r % 10 ? r * 0.125 - 100 : NAN;
        x[r * INPUTS + 1] = r % 3;
        x[r * INPUTS + 2] = r % 7 ? r % 4 : NAN;
    }
    for (int i = 0; i < MANY * INPUTS; i++)
        x_f32[i] = (float)x[i];
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    tulle_session_predict(session, tulle_f64(x, MANY, INPUTS), tulle_f64_out(out, MANY, 1));
    for (size_t r = 0; r < MANY; r++)
        tulle_session_predict(session, tulle_f64(x + r * INPUTS, 1, INPUTS),
                              tulle_f64_out(again + r, 1, 1));
    assert_memory_equal(again, out, sizeof out);
    assert_int_equal(tulle_session_set_threads(session, 2), TULLE_OK);
    tulle_session_predict(session, tulle_f32(x_f32, MANY, INPUTS), tulle_f64_out(again, MANY, 1));
    assert_memory_equal(again, out, sizeof out);
    tulle_session_predict(session, tulle_f64(x, MANY, INPUTS), tulle_f32_out(out_f32, MANY, 1));
    for (size_t r = 0; r < MANY; r++)
        assert_true(out_f32[r] == (float)out[r]);
    tulle_session_free(session);
    tulle_model_free(model);
}

/* The matrices' columns are inputs and predictions, not what the network has of either. */
static void test_shapes(void **state)
{
    struct tulle_model *model = mixed_model(TULLE_SCALING_NONE);
    tulle_session *session;
    double x[7] = {0}, out[2];
    (void)state;
    assert_int_equal(tulle_model_info(model)->prediction_count, 1);
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(x, 1, 7), tulle_f64_out(out, 1, 1)),
                     TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_session_predict(session, tulle_f64(x, 1, 3), tulle_f64_out(out, 1, 2)),
                     TULLE_ERROR_ARGUMENT);
    tulle_session_free(session);
    tulle_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaled),     cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_clamped),    cmocka_unit_test(test_logistic),
        cmocka_unit_test(test_softmax),    cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_mixed_rows), cmocka_unit_test(test_mixed_views),
        cmocka_unit_test(test_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
