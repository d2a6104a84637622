/*
 * test_session_gradient.c - the derivatives of a model's predictions by its columns, in the units
 * of both: of each scaling and link by its formula; of models with everything in them against
 * differences of their predictions; and the same bits however rows are grouped.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linear_model.h"
#include "model_support.h"
#include "net_support.h"

enum { INPUTS = 3 };

static const double identity[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

/* dx of so many rows by a session of its own. */
static void find_gradient(const struct tulle_model *model, const double *x, const double *dy,
                          size_t rows, double *dx)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    tulle_session *session = new_session(model);
    assert_int_equal(tulle_session_input_gradient(session, tulle_f64(x, rows, info->input_count),
                                                  tulle_f64(dy, rows, info->prediction_count),
                                                  tulle_f64_out(dx, rows, info->input_count)),
                     TULLE_OK);
    tulle_session_free(session);
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-14 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}

/* --- Links ------------------------------------------------------------------------------------ */

static const double points[] = {0.5, -1, 2, 0, 0, 0, 30, -40, 3, -700, 1, 700};
static const double dy[] = {1, -2, 0.5, 3, 0, 1, 1, 1, 1, -1, 2, 4};
enum { POINTS = sizeof points / sizeof points[0] / INPUTS };

/* Of a model whose outputs are its inputs. */
static void find_plain(enum tulle_loss loss, const struct tulle_column *targets,
                       size_t target_count, const double *weights, const double *by, double *dx)
{
    static const double quantiles[] = {0.1, 0.5, 0.9};
    const struct tulle_column inputs[] = {number_column("a"), number_column("b"),
                                          number_column("c")};
    int has_quantiles = loss == TULLE_LOSS_QUANTILE;
    struct tulle_model *model = linear_model(
        (struct tulle_model_info){.inputs = inputs,
                                  .input_count = INPUTS,
                                  .targets = targets,
                                  .target_count = target_count,
                                  .loss = loss,
                                  .quantiles = has_quantiles ? quantiles : NULL,
                                  .quantile_count = has_quantiles ? 3 : 0},
        has_quantiles || loss == TULLE_LOSS_CROSS_ENTROPY ? INPUTS : target_count, weights);
    find_gradient(model, points, by, POINTS, dx);
    tulle_model_free(model);
}

static void test_numbers(void **state)
{
    struct tulle_column targets[] = {number_column("u"), number_column("v"), number_column("w")};
    double dx[POINTS * INPUTS];
    (void)state;
    for (int t = 0; t < INPUTS; t++) {
        targets[t].mean = 100.0 * t - 7;
        targets[t].scale = t + 0.5;
    }
    find_plain(TULLE_LOSS_HUBER, targets, 3, identity, dy, dx);
    for (int i = 0; i < POINTS * INPUTS; i++)
        assert_true(dx[i] == dy[i] * targets[i % INPUTS].scale);
    find_plain(TULLE_LOSS_QUANTILE, targets + 1, 1, identity, dy, dx);
    for (int i = 0; i < POINTS * INPUTS; i++)
        assert_true(dx[i] == dy[i] * targets[1].scale);
    targets[0].mean = 0;
    for (int loss = TULLE_LOSS_POISSON; loss <= TULLE_LOSS_GAMMA; loss++) {
        for (int t = 0; t < INPUTS; t++)
            targets[t].mean = 0;
        find_plain((enum tulle_loss)loss, targets, 3, identity, dy, dx);
        for (int i = 0; i < POINTS * INPUTS; i++)
            assert_near(dx[i], dy[i] * exp(points[i]) * targets[i % INPUTS].scale);
    }
}

/* At an edge, though not beyond it, a prediction is what it would be. */
static void test_clamped(void **state)
{
    struct tulle_column targets[] = {number_column("u"), number_column("v"), number_column("w")};
    double dx[POINTS * INPUTS];
    (void)state;
    for (int t = 0; t < INPUTS; t++) {
        targets[t].is_clamped = t != 1;
        targets[t].minimum = -2;
        targets[t].maximum = 4;
        targets[t].mean = 1;
        targets[t].scale = 2;
    }
    find_plain(TULLE_LOSS_MSE, targets, 3, identity, dy, dx);
    for (int i = 0; i < POINTS * INPUTS; i++) {
        double prediction = 2 * points[i] + 1;
        int is_held = i % INPUTS != 1 && (prediction < -2 || prediction > 4);
        assert_true(dx[i] == (is_held ? 0 : 2 * dy[i]));
    }
    targets[0].maximum = targets[2].maximum = exp(2);
    for (int t = 0; t < INPUTS; t++) {
        targets[t].minimum = 0.25;
        targets[t].mean = 0;
        targets[t].scale = 1;
    }
    find_plain(TULLE_LOSS_POISSON, targets, 3, identity, dy, dx);
    for (int i = 0; i < POINTS * INPUTS; i++) {
        double prediction = exp(points[i]);
        int is_held = i % INPUTS != 1 && (prediction < 0.25 || points[i] > 2);
        if (i != 2) /* whose last digit decides */
            assert_near(dx[i], is_held ? 0 : dy[i] * prediction);
    }
}

static void test_logistic(void **state)
{
    static const char *const answers[] = {"no", "yes"};
    const struct tulle_column targets[] = {level_column("u", answers, 2),
                                           level_column("v", answers, 2),
                                           level_column("w", answers, 2)};
    double dx[POINTS * INPUTS], by[POINTS * INPUTS * 2];
    (void)state;
    for (int i = 0; i < POINTS * INPUTS; i++) {
        by[2 * i] = dy[i] - 1;
        by[2 * i + 1] = dy[i] * 2;
    }
    find_plain(TULLE_LOSS_BINARY_CROSS_ENTROPY, targets, 3, identity, by, dx);
    for (int i = 0; i < POINTS * INPUTS; i++)
        assert_near(dx[i], (dy[i] + 1) * exp(-fabs(points[i])) / pow(1 + exp(-fabs(points[i])), 2));
}

static void test_softmax(void **state)
{
    static const char *const colours[] = {"red", "green", "blue"};
    const struct tulle_column target = level_column("u", colours, 3);
    double dx[POINTS * INPUTS];
    (void)state;
    find_plain(TULLE_LOSS_CROSS_ENTROPY, &target, 1, identity, dy, dx);
    for (int r = 0; r < POINTS; r++) {
        double p[INPUTS], sum = 0, largest = -INFINITY;
        for (int k = 0; k < INPUTS; k++)
            largest = fmax(largest, points[r * INPUTS + k]);
        for (int k = 0; k < INPUTS; k++)
            sum += p[k] = exp(points[r * INPUTS + k] - largest);
        for (int k = 0; k < INPUTS; k++) {
            double expected = 0;
            for (int j = 0; j < INPUTS; j++)
                expected += dy[r * INPUTS + j] * p[j] / sum * ((j == k) - p[k] / sum);
            assert_true(fabs(dx[r * INPUTS + k] - expected) <= 1e-15);
        }
    }
}

/* --- Columns ---------------------------------------------------------------------------------- */

/* One of them to one output that is their sum, by weights of 1. */
static double slope_at(const struct tulle_column *column, double x)
{
    static const double ones[] = {1, 1, 1, 1};
    const struct tulle_column target = number_column("u");
    struct tulle_model *model = linear_model(
        (struct tulle_model_info){
            .inputs = column, .input_count = 1, .targets = &target, .target_count = 1},
        1, ones);
    double one = 1, dx;
    find_gradient(model, &x, &one, 1, &dx);
    tulle_model_free(model);
    return dx;
}

static void test_scalings(void **state)
{
    struct tulle_column column = number_column("a");
    (void)state;
    column.mean = 3;
    column.scale = 4;
    assert_true(slope_at(&column, 2.5) == 1);
    for (int missing = 0; missing <= 1; missing++) { /* and, with it, the longer way of encoding */
        column.missing = (size_t)missing;
        column.scaling = TULLE_SCALING_STANDARD;
        assert_true(slope_at(&column, 2.5) == 0.25);
        assert_true(slope_at(&column, -1e100) == 0.25);
        assert_true(slope_at(&column, NAN) == 0);
        assert_true(isnan(slope_at(&column, INFINITY)) && isnan(slope_at(&column, -INFINITY)));
    }
    column.scaling = TULLE_SCALING_ROBUST;
    for (double x = -20; x <= 20; x += 0.75) {
        double u = (x - 3) / 4;
        assert_near(slope_at(&column, x), pow(1 + u * u / 9, -1.5) / 4);
    }
    assert_true(slope_at(&column, DBL_MAX) == 0 && slope_at(&column, -1e155) == 0);
    column.scaling = TULLE_SCALING_STANDARD;
    column.minimum = column.maximum = 3; /* it had one value in training */
    assert_true(slope_at(&column, 2.5) == 0 && slope_at(&column, 3) == 0);
}

static void test_quantiles(void **state)
{
    static const double knots[] = {1, 2, 2, 4, 8};
    struct tulle_column column = number_column("a");
    struct encoder encoder;
    (void)state;
    column.scaling = TULLE_SCALING_QUANTILE;
    column.minimum = 1;
    column.maximum = 8;
    column.quantiles = knots;
    column.quantile_count = 5;
    assert_int_equal(tulle_encoder_init(&encoder, &column, 1), 1);
    for (int i = 0; i < 5; i++) {
        double from = knots[i], to = i < 4 ? knots[i + 1] : 9;
        if (from == to)
            continue;
        double rise = tulle_encode_number(&encoder, 0, to) - tulle_encode_number(&encoder, 0, from);
        assert_near(slope_at(&column, from), rise / (to - from));
        assert_near(slope_at(&column, (from + to) / 2), rise / (to - from));
    }
    assert_true(slope_at(&column, 0.5) == 0 && slope_at(&column, 100) == 0);
    tulle_encoder_clear(&encoder);
}

/* --- Models with everything ------------------------------------------------------------------- */

enum { COLUMNS = 7, RICH_ROWS = 200, MOST_PREDICTIONS = 3 };

/* The rich model's columns and a last one that is not scaled, with the loss and its target; of
 * random parameters. */
static struct tulle_model *make_rich(enum tulle_loss loss, enum tulle_type precision, int has_waves)
{
    static const char *const names[] = {"a", "b", "c"};
    static const double quantiles[] = {0.1, 0.5, 0.9};
    static const double knots[] = {-2, -0.5, 0, 0.75, 2.5, -1, -0.5, 0.25, 1, 1.5, -3, -1, 0, 1, 3};
    int has_classes = tulle_is_of_classes(loss);
    struct rich rich;
    struct tulle_model *model;
    struct tulle_error error = {.message = ""};
    struct tulle_column inputs[COLUMNS];
    struct tulle_rng rng;
    rich_init(&rich);
    memcpy(inputs, rich.inputs, sizeof rich.inputs);
    inputs[COLUMNS - 1] = number_column("plain");
    rich.info.inputs = inputs;
    rich.info.input_count = COLUMNS;
    rich.info.precision = precision;
    rich.info.loss = loss;
    rich.info.task = has_classes ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION;
    rich.targets[0] = has_classes ? level_column("y", names, 3) : number_column("y");
    rich.targets[0].levels.count = loss == TULLE_LOSS_CROSS_ENTROPY          ? 3
                                   : loss == TULLE_LOSS_BINARY_CROSS_ENTROPY ? 2
                                                                             : 0;
    rich.targets[0].scale = has_classes ? 1 : 2.5;
    rich.targets[0].mean = loss == TULLE_LOSS_MSE ? 100 : 0;
    rich.info.quantiles = loss == TULLE_LOSS_QUANTILE ? quantiles : NULL;
    rich.info.quantile_count = loss == TULLE_LOSS_QUANTILE ? 3 : 0;
    rich.info.metrics = NULL;
    rich.layers[1].units = loss == TULLE_LOSS_CROSS_ENTROPY || rich.info.quantiles ? 3 : 1;
    if (!has_waves) {
        rich.info.front.frequencies = 0;
        rich.info.front.bins = 4;
        rich.info.front.knots = knots;
    }
    if (tulle_model_create(&rich.info, &model, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    fill_parameters(model);
    tulle_rng_seed(&rng, 3);
    for (size_t i = 0; i < model->network.arena_size; i++)
        if (tulle_arena_get(&model->network, model->parameters, i) != 0) /* not in the padding */
            tulle_arena_set(&model->network, model->parameters, i,
                            (float)(2 * tulle_rng_uniform(&rng) - 1));
    return model;
}

/* Numbers between their knots, levels, and a tenth of either missing. */
static void fill_rows(double *x, struct tulle_rng *rng)
{
    static const double levels[COLUMNS] = {0, 0, 2, 3, 5, 0, 0};
    for (size_t i = 0; i < RICH_ROWS * COLUMNS; i++) {
        size_t c = i % COLUMNS;
        x[i] = levels[c] > 0 ? floor(levels[c] * tulle_rng_uniform(rng))
               : c == 1      ? 0.5 + 4 * tulle_rng_uniform(rng)
               : c == 0      ? 1 + 2 * tulle_rng_uniform(rng)
                             : 2 * tulle_rng_uniform(rng) - 1;
        x[i] = tulle_rng_uniform(rng) < 0.1 ? NAN : (float)x[i];
    }
}

/* Of column c of all rows, moved by `step`, dy's sums of predictions. */
static void find_sums(tulle_session *session, double *x, size_t c, double step, size_t predictions,
                      const double *by, double *sums)
{
    double out[RICH_ROWS * MOST_PREDICTIONS], kept[RICH_ROWS];
    for (size_t r = 0; r < RICH_ROWS; r++) {
        kept[r] = x[r * COLUMNS + c];
        x[r * COLUMNS + c] += step;
    }
    assert_int_equal(tulle_session_predict(session, tulle_f64(x, RICH_ROWS, COLUMNS),
                                           tulle_f64_out(out, RICH_ROWS, predictions)),
                     TULLE_OK);
    for (size_t r = 0; r < RICH_ROWS; r++) {
        x[r * COLUMNS + c] = kept[r];
        sums[r] = 0;
        for (size_t p = 0; p < predictions; p++)
            sums[r] += by[r * predictions + p] * out[r * predictions + p];
    }
}

/* In f64 against differences; in f32 against f64, of the same parameters. */
static void check_rich(enum tulle_loss loss, int has_waves)
{
    const double step = 0x1p-20;
    static double x[RICH_ROWS * COLUMNS], dx[RICH_ROWS * COLUMNS], expected[RICH_ROWS * COLUMNS];
    double above[RICH_ROWS], below[RICH_ROWS];
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 8);
    fill_rows(x, &rng);
    struct tulle_model *model = make_rich(loss, TULLE_F64, has_waves);
    struct tulle_model *rounded = make_rich(loss, TULLE_F32, has_waves);
    size_t predictions = tulle_model_info(model)->prediction_count;
    double *by = new_values(&rng, RICH_ROWS * predictions);
    tulle_session *session = new_session(model);
    find_gradient(model, x, by, RICH_ROWS, dx);
    for (size_t c = 0; c < COLUMNS; c++) {
        int is_number = !tulle_model_info(model)->inputs[c].levels.names;
        find_sums(session, x, c, is_number ? step : 0, predictions, by, above);
        find_sums(session, x, c, is_number ? -step : 0, predictions, by, below);
        for (size_t r = 0; r < RICH_ROWS; r++)
            expected[r * COLUMNS + c] = (above[r] - below[r]) / (2 * step);
    }
    double error = difference(dx, expected, RICH_ROWS * COLUMNS);
    if (!(error <= 1e-6))
        fail_msg("%s: the gradients are off the differences by %g", tulle_loss_name(loss), error);
    for (size_t i = 0; i < RICH_ROWS * COLUMNS; i++)
        if (isnan(x[i]) || tulle_model_info(model)->inputs[i % COLUMNS].levels.names)
            assert_true(dx[i] == 0);
    find_gradient(rounded, x, by, RICH_ROWS, expected);
    error = difference(expected, dx, RICH_ROWS * COLUMNS);
    if (!(error <= 1e-3))
        fail_msg("%s: f32 is off f64 by %g", tulle_loss_name(loss), error);
    free(by);
    tulle_session_free(session);
    tulle_model_free(model), tulle_model_free(rounded);
}

static void test_differences(void **state)
{
    static const enum tulle_loss losses[] = {TULLE_LOSS_MSE,
                                             TULLE_LOSS_QUANTILE,
                                             TULLE_LOSS_POISSON,
                                             TULLE_LOSS_GAMMA,
                                             TULLE_LOSS_BINARY_CROSS_ENTROPY,
                                             TULLE_LOSS_CROSS_ENTROPY};
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        for (int has_waves = 0; has_waves <= 1; has_waves++)
            check_rich(losses[i], has_waves);
}

/* --- Bits ------------------------------------------------------------------------------------- */

/* Any grouping, threads and types of x, dy and dx; and predictions between them are what they were.
 */
static void test_bits(void **state)
{
    static double x[RICH_ROWS * COLUMNS], dx[RICH_ROWS * COLUMNS], again[RICH_ROWS * COLUMNS];
    static double out[2][RICH_ROWS * MOST_PREDICTIONS];
    static float dx_f32[RICH_ROWS * COLUMNS];
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 8);
    fill_rows(x, &rng);
    double *by = new_values(&rng, RICH_ROWS * 3);
    float *x_f32 = new_floats(x, RICH_ROWS * COLUMNS), *by_f32 = new_floats(by, RICH_ROWS * 3);
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct tulle_model *model =
            make_rich(TULLE_LOSS_CROSS_ENTROPY, (enum tulle_type)precision, 1);
        tulle_session *session = new_session(model);
        const struct tulle_matrix all = tulle_f64(x, RICH_ROWS, COLUMNS);
        assert_int_equal(tulle_session_predict(session, all, tulle_f64_out(out[0], RICH_ROWS, 3)),
                         TULLE_OK);
        find_gradient(model, x, by, RICH_ROWS, dx);
        for (unsigned threads = 1; threads <= 3; threads++) {
            for (size_t size = 1; size <= RICH_ROWS; size = size * 3 + 1)
                for (size_t r = 0; r < RICH_ROWS; r += size) {
                    size_t rows = RICH_ROWS - r < size ? RICH_ROWS - r : size;
                    assert_int_equal(tulle_session_input_gradient(
                                         session, tulle_f64(x + r * COLUMNS, rows, COLUMNS),
                                         tulle_f64(by + r * 3, rows, 3),
                                         tulle_f64_out(again + r * COLUMNS, rows, COLUMNS)),
                                     TULLE_OK);
                }
            assert_memory_equal(again, dx, sizeof dx);
            assert_int_equal(tulle_session_set_threads(session, threads), TULLE_OK);
        }
        assert_int_equal(tulle_session_input_gradient(session, tulle_f32(x_f32, RICH_ROWS, COLUMNS),
                                                      tulle_f32(by_f32, RICH_ROWS, 3),
                                                      tulle_f32_out(dx_f32, RICH_ROWS, COLUMNS)),
                         TULLE_OK);
        for (size_t i = 0; i < RICH_ROWS * COLUMNS; i++)
            assert_true(dx_f32[i] == (float)dx[i]);
        assert_int_equal(tulle_session_predict(session, all, tulle_f64_out(out[1], RICH_ROWS, 3)),
                         TULLE_OK);
        assert_memory_equal(out[0], out[1], sizeof out[0]);
        tulle_session_free(session);
        tulle_model_free(model);
    }
    free(by), free(x_f32), free(by_f32);
}

static void test_arguments(void **state)
{
    struct tulle_model *model = example_model();
    tulle_session *session = new_session(model);
    double x[4] = {0}, by[2] = {1, 1}, dx[4] = {7, 7, 7, 7};
    const struct {
        size_t x_rows, x_columns, dy_rows, dy_columns, dx_rows, dx_columns;
    } bad[] = {{2, 1, 2, 1, 2, 2}, {2, 2, 2, 2, 2, 2}, {2, 2, 2, 1, 2, 1},
               {1, 2, 2, 1, 2, 2}, {2, 2, 1, 1, 2, 2}, {2, 2, 2, 1, 1, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            tulle_session_input_gradient(session, tulle_f64(x, bad[i].x_rows, bad[i].x_columns),
                                         tulle_f64(by, bad[i].dy_rows, bad[i].dy_columns),
                                         tulle_f64_out(dx, bad[i].dx_rows, bad[i].dx_columns)),
            TULLE_ERROR_ARGUMENT);
    assert_true(dx[0] == 7);
    assert_int_equal(tulle_session_input_gradient(session, tulle_f64(x, 0, 2), tulle_f64(by, 0, 1),
                                                  tulle_f64_out(dx, 0, 2)),
                     TULLE_OK);
    assert_true(dx[0] == 7);
    tulle_session_free(session);
    tulle_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),     cmocka_unit_test(test_clamped),
        cmocka_unit_test(test_logistic),    cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_scalings),    cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_differences), cmocka_unit_test(test_bits),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
