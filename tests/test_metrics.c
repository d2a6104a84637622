/* test_metrics.c - every metric against its formula, written out plainly. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/model/metrics.h"

enum { ROWS = 700, MOST = 5 };

/* Rows of one target: what was predicted, in up to MOST columns, what is true, and weights. */
struct sample {
    struct tulle_column target;
    struct tulle_model_info info;
    size_t rows, columns;
    double predictions[ROWS][MOST], truth[ROWS], weights[ROWS];
};

static struct tulle_rng rng;

static double draw(double from, double to)
{
    return from + (to - from) * tulle_rng_uniform(&rng);
}

/* A target of `levels` classes, or a number if there are none. */
static struct sample *new_sample(enum tulle_loss loss, size_t levels)
{
    static const char *const names[] = {"red", "green", "blue", "grey", "pink"};
    struct sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->target = (struct tulle_column){.name = "y", .mean = 3, .scale = 2.5};
    if (levels)
        s->target.levels = (struct tulle_levels){names, levels};
    s->info = (struct tulle_model_info){.loss = loss, .targets = &s->target, .target_count = 1};
    s->rows = ROWS;
    s->columns = levels ? levels : 1;
    for (size_t r = 0; r < ROWS; r++)
        s->weights[r] = 1;
    return s;
}

static void weigh(struct sample *s)
{
    for (size_t r = 0; r < s->rows; r++)
        s->weights[r] = r % 5 == 2 ? 0 : draw(0, 3);
}

static struct tulle_metrics measure(const struct sample *s, double *confusion)
{
    struct tally tally;
    struct tulle_metrics metrics;
    assert_true(tulle_tally_init(&tally, &s->info, 0, s->rows, confusion));
    for (size_t r = 0; r < s->rows; r++)
        tulle_tally_add(&tally, s->predictions[r], s->truth[r], s->weights[r]);
    tulle_tally_finish(&tally, &metrics);
    tulle_tally_clear(&tally);
    assert_int_equal(metrics.rows, s->rows);
    return metrics;
}

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}

/* The sum over rows of weight * f(row), by the sum of weights. */
static double mean_of(const struct sample *s, double (*f)(const struct sample *s, size_t row))
{
    long double sum = 0, weight = 0;
    for (size_t r = 0; r < s->rows; r++) {
        sum += s->weights[r] > 0 ? (long double)s->weights[r] * f(s, r) : 0;
        weight += s->weights[r];
    }
    return (double)(sum / weight);
}

/* --- Numbers --------------------------------------------------------------------------------- */

static size_t middle; /* the column that rmse, mae and r2 look at */

static double square(const struct sample *s, size_t r)
{
    double error = s->predictions[r][middle] - s->truth[r];
    return error * error;
}

static double absolute(const struct sample *s, size_t r)
{
    return fabs(s->predictions[r][middle] - s->truth[r]);
}

static double truth(const struct sample *s, size_t r)
{
    return s->truth[r];
}

static double true_mean;

static double deviation(const struct sample *s, size_t r)
{
    return (s->truth[r] - true_mean) * (s->truth[r] - true_mean);
}

static void check_numbers(const struct sample *s, double tolerance)
{
    struct tulle_metrics found = measure(s, NULL);
    true_mean = mean_of(s, truth);
    assert_near(found.value[TULLE_METRIC_RMSE], sqrt(mean_of(s, square)), tolerance);
    assert_near(found.value[TULLE_METRIC_MAE], mean_of(s, absolute), tolerance);
    assert_near(found.value[TULLE_METRIC_R2], 1 - mean_of(s, square) / mean_of(s, deviation),
                tolerance);
    for (int i = TULLE_METRIC_ACCURACY; i < TULLE_METRIC_SLOTS; i++)
        assert_true(isnan(found.value[i]));
}

static void test_numbers(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_MSE, 0);
    (void)state;
    for (size_t r = 0; r < ROWS; r++) {
        s->truth[r] = draw(-4, 9);
        s->predictions[r][0] = s->truth[r] + draw(-2, 2);
    }
    check_numbers(s, 1e-13);
    weigh(s);
    check_numbers(s, 1e-13);
    s->weights[0] = 0; /* the first value, from which deviations are taken */
    s->truth[0] = 1e6;
    check_numbers(s, 1e-13);
    struct tulle_metrics found = measure(s, NULL);
    assert_true(isnan(found.value[TULLE_METRIC_PINBALL]));
    assert_true(isnan(found.value[TULLE_METRIC_DEVIANCE]));
    free(s);
}

/* A small spread far from 0, values as large as a table's may be, and no spread at all. */
static void test_hard_numbers(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_MSE, 0);
    (void)state;
    for (size_t r = 0; r < ROWS; r++) {
        s->truth[r] = 1e12 + (double)(r % 7);
        s->predictions[r][0] = s->truth[r] + (r % 2 ? 0.5 : -0.25);
    }
    s->target.scale = 2.1;
    check_numbers(s, 1e-12);

    s->target.scale = 1e149;
    for (size_t r = 0; r < ROWS; r++) {
        s->truth[r] = r % 2 ? 1e150 : -1e150;
        s->predictions[r][0] = s->truth[r] / 2;
    }
    struct tulle_metrics found = measure(s, NULL);
    assert_near(found.value[TULLE_METRIC_RMSE], 5e149, 1e-13);
    assert_near(found.value[TULLE_METRIC_MAE], 5e149, 1e-13);
    assert_near(found.value[TULLE_METRIC_R2], 0.75, 1e-13);

    s->target.scale = 1;
    for (size_t r = 0; r < ROWS; r++) {
        s->truth[r] = 0.1;
        s->predictions[r][0] = 0.3;
    }
    weigh(s);
    found = measure(s, NULL);
    assert_near(found.value[TULLE_METRIC_RMSE], 0.2, 1e-13);
    assert_true(isnan(found.value[TULLE_METRIC_R2]));
    memset(s->weights, 0, sizeof s->weights);
    found = measure(s, NULL);
    assert_true(isnan(found.value[TULLE_METRIC_RMSE]) && isnan(found.value[TULLE_METRIC_MAE]));
    free(s);
}

static const double quantiles[] = {0.05, 0.4, 0.55, 0.9};

static double pinball(const struct sample *s, size_t r)
{
    double sum = 0;
    for (int q = 0; q < 4; q++) {
        double below = s->truth[r] - s->predictions[r][q];
        sum += below > 0 ? quantiles[q] * below : (quantiles[q] - 1) * below;
    }
    return sum / 4;
}

static void test_quantiles(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_QUANTILE, 0);
    (void)state;
    s->info.quantiles = quantiles;
    s->info.quantile_count = 4;
    for (size_t r = 0; r < ROWS; r++) {
        s->truth[r] = draw(-4, 9);
        for (int q = 0; q < 4; q++)
            s->predictions[r][q] = s->truth[r] + draw(-2, 2);
    }
    weigh(s);
    middle = 2;
    check_numbers(s, 1e-13);
    middle = 0;
    assert_near(measure(s, NULL).value[TULLE_METRIC_PINBALL], mean_of(s, pinball), 1e-13);
    free(s);
}

static double poisson(const struct sample *s, size_t r)
{
    double y = s->truth[r], o = s->predictions[r][0];
    return 2 * ((y > 0 ? y * log(y / o) : 0) - y + o);
}

static double gamma_deviance(const struct sample *s, size_t r)
{
    double y = s->truth[r], o = s->predictions[r][0];
    return 2 * (log(o / y) + y / o - 1);
}

static void test_deviances(void **state)
{
    (void)state;
    for (int loss = TULLE_LOSS_POISSON; loss <= TULLE_LOSS_GAMMA; loss++) {
        struct sample *s = new_sample(loss, 0);
        for (size_t r = 0; r < ROWS; r++) {
            s->truth[r] = loss == TULLE_LOSS_POISSON ? floor(draw(0, 5)) : draw(0.1, 5);
            s->predictions[r][0] = draw(0.2, 6);
        }
        weigh(s);
        check_numbers(s, 1e-13);
        assert_near(measure(s, NULL).value[TULLE_METRIC_DEVIANCE],
                    mean_of(s, loss == TULLE_LOSS_POISSON ? poisson : gamma_deviance), 1e-12);
        s->truth[6] = -1; /* of which neither distribution knows */
        assert_true(isnan(measure(s, NULL).value[TULLE_METRIC_DEVIANCE]));
        free(s);
    }
}

/* --- Classes --------------------------------------------------------------------------------- */

static size_t best(const struct sample *s, size_t r)
{
    size_t best = 0;
    for (size_t c = 0; c < s->columns; c++)
        best = s->predictions[r][c] > s->predictions[r][best] ? c : best;
    return best;
}

static double is_right(const struct sample *s, size_t r)
{
    return (double)best(s, r) == s->truth[r];
}

static double surprise(const struct sample *s, size_t r)
{
    double p = s->truth[r] < 0 ? 0 : s->predictions[r][(size_t)s->truth[r]];
    return -log(p > DBL_MIN ? p : DBL_MIN);
}

/* Mean over the classes that are there, unknown ones together as one. */
static double balanced_accuracy(const struct sample *s)
{
    double sum = 0, classes = 0;
    for (double c = -1; c < (double)s->columns; c++) {
        double right = 0, all = 0;
        for (size_t r = 0; r < s->rows; r++)
            if (s->truth[r] == c) {
                all += s->weights[r];
                right += is_right(s, r) > 0 ? s->weights[r] : 0;
            }
        if (all > 0) {
            sum += right / all;
            classes++;
        }
    }
    return sum / classes;
}

/* Pair by pair. */
static double auc(const struct sample *s)
{
    double higher = 0, pairs = 0;
    for (size_t a = 0; a < s->rows; a++)
        for (size_t b = 0; b < s->rows; b++) {
            double weight = s->weights[a] * s->weights[b];
            double first = s->predictions[a][1], second = s->predictions[b][1];
            if (s->truth[a] != 0 || s->truth[b] != 1)
                continue;
            pairs += weight;
            higher += second > first ? weight : second == first ? weight / 2 : 0;
        }
    return higher / pairs;
}

static double f1(const struct sample *s)
{
    double tp = 0, fp = 0, fn = 0;
    for (size_t r = 0; r < s->rows; r++) {
        tp += s->truth[r] == 1 && best(s, r) == 1 ? s->weights[r] : 0;
        fp += s->truth[r] != 1 && best(s, r) == 1 ? s->weights[r] : 0;
        fn += s->truth[r] == 1 && best(s, r) != 1 ? s->weights[r] : 0;
    }
    return 2 * tp / (2 * tp + fp + fn);
}

static void check_classes(const struct sample *s)
{
    struct tulle_metrics found = measure(s, NULL);
    assert_near(found.value[TULLE_METRIC_ACCURACY], mean_of(s, is_right), 1e-13);
    assert_near(found.value[TULLE_METRIC_BALANCED_ACCURACY], balanced_accuracy(s), 1e-13);
    assert_near(found.value[TULLE_METRIC_LOG_LOSS], mean_of(s, surprise), 1e-13);
    for (int i = TULLE_METRIC_RMSE; i <= TULLE_METRIC_DEVIANCE; i++)
        assert_true(isnan(found.value[i]));
    if (s->columns == 2) {
        assert_near(found.value[TULLE_METRIC_AUC], auc(s), 1e-12);
        assert_near(found.value[TULLE_METRIC_F1], f1(s), 1e-13);
    } else
        assert_true(isnan(found.value[TULLE_METRIC_AUC]) && isnan(found.value[TULLE_METRIC_F1]));
}

/* Probabilities in steps, so that there are ties, which lean to the class that is true. */
static void draw_classes(struct sample *s)
{
    for (size_t r = 0; r < s->rows; r++) {
        double sum = 0;
        s->truth[r] = floor(draw(0, (double)s->columns));
        for (size_t c = 0; c < s->columns; c++)
            sum += s->predictions[r][c] = floor(draw(1, 9)) + ((double)c == s->truth[r] ? 2 : 0);
        for (size_t c = 0; c < s->columns; c++)
            s->predictions[r][c] /= sum;
    }
}

static void test_classes(void **state)
{
    (void)state;
    for (size_t classes = 2; classes <= MOST; classes++) {
        struct sample *s = new_sample(
            classes == 2 ? TULLE_LOSS_BINARY_CROSS_ENTROPY : TULLE_LOSS_CROSS_ENTROPY, classes);
        draw_classes(s);
        check_classes(s);
        weigh(s);
        check_classes(s);
        s->predictions[3][(size_t)s->truth[3]] = 0; /* sure, and wrong */
        s->weights[3] = 1;
        check_classes(s);
        s->truth[4] = s->truth[60] = -1; /* classes that the model does not have */
        check_classes(s);
        free(s);
    }
}

static void test_confusion(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_CROSS_ENTROPY, 3);
    double found[9] = {0}, expected[9] = {0};
    (void)state;
    draw_classes(s);
    weigh(s);
    s->truth[8] = -1; /* is in no row of it */
    measure(s, found);
    for (size_t r = 0; r < ROWS; r++)
        if (s->truth[r] >= 0)
            expected[(size_t)s->truth[r] * 3 + best(s, r)] += s->weights[r];
    assert_memory_equal(found, expected, sizeof found);
    free(s);
}

/* Rows of one class only; and nothing that is, or is said to be, of the second. */
static void test_one_class(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_BINARY_CROSS_ENTROPY, 2);
    (void)state;
    draw_classes(s);
    memset(s->truth, 0, sizeof s->truth);
    struct tulle_metrics found = measure(s, NULL);
    assert_true(isnan(found.value[TULLE_METRIC_AUC]));
    assert_true(found.value[TULLE_METRIC_F1] == 0);
    assert_near(found.value[TULLE_METRIC_BALANCED_ACCURACY], mean_of(s, is_right), 1e-13);
    for (size_t r = 0; r < ROWS; r++)
        s->predictions[r][0] = 1, s->predictions[r][1] = 0;
    found = measure(s, NULL);
    assert_true(isnan(found.value[TULLE_METRIC_F1]));
    assert_true(found.value[TULLE_METRIC_ACCURACY] == 1);
    assert_true(found.value[TULLE_METRIC_LOG_LOSS] == 0);
    free(s);
}

/* All pairs in order, none, and all tied. */
static void test_auc_limits(void **state)
{
    static const double slopes[] = {1, -1, 0}, expected[] = {1, 0, 0.5};
    struct sample *s = new_sample(TULLE_LOSS_CROSS_ENTROPY, 2);
    (void)state;
    for (int i = 0; i < 3; i++) {
        for (size_t r = 0; r < ROWS; r++) {
            s->truth[r] = r >= ROWS / 3;
            s->predictions[r][1] = 0.5 + slopes[i] * ((double)r / ROWS - 0.5);
            s->predictions[r][0] = 1 - s->predictions[r][1];
        }
        assert_near(measure(s, NULL).value[TULLE_METRIC_AUC], expected[i], 0);
        weigh(s);
        assert_near(measure(s, NULL).value[TULLE_METRIC_AUC], expected[i], 1e-13);
        for (size_t r = 0; r < ROWS; r++)
            s->weights[r] = 1;
    }
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_hard_numbers),
        cmocka_unit_test(test_quantiles), cmocka_unit_test(test_deviances),
        cmocka_unit_test(test_classes),   cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_one_class), cmocka_unit_test(test_auc_limits),
    };
    tulle_rng_seed(&rng, 6);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
