/* test_metrics.c - every metric against its formula, written out plainly. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "naive_metrics.h"
#include "property.h"

static struct tulle_rng rng;

static double draw(double from, double to)
{
    return draw_number(&rng, from, to);
}

static void weigh(struct sample *s)
{
    for (size_t r = 0; r < s->rows; r++)
        s->weights[r] = r % 5 == 2 ? 0 : draw(0, 3);
}

/* --- Numbers --------------------------------------------------------------------------------- */

static void test_numbers(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_MSE, 0);
    (void)state;
    for (size_t r = 0; r < MOST_ROWS; r++) {
        s->truth[r] = draw(-4, 9);
        s->predictions[r][0] = s->truth[r] + draw(-2, 2);
    }
    check_numbers(s, 1e-13);
    weigh(s);
    check_numbers(s, 1e-13);
    s->weights[0] = 0; /* the first value, from which deviations are taken */
    s->truth[0] = 1e6;
    check_numbers(s, 1e-13);
    free(s);
}

/* A small spread far from 0, values as large as a table's may be, and no spread at all. */
static void test_hard_numbers(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_MSE, 0);
    (void)state;
    for (size_t r = 0; r < MOST_ROWS; r++) {
        s->truth[r] = 1e12 + (double)(r % 7);
        s->predictions[r][0] = s->truth[r] + (r % 2 ? 0.5 : -0.25);
    }
    s->target.scale = 2.1;
    check_numbers(s, 1e-12);

    s->target.scale = 1e149;
    for (size_t r = 0; r < MOST_ROWS; r++) {
        s->truth[r] = r % 2 ? 1e150 : -1e150;
        s->predictions[r][0] = s->truth[r] / 2;
    }
    struct tulle_metrics found = measure(s, NULL);
    assert_metric(found.value[TULLE_METRIC_RMSE], 5e149, 1e-13);
    assert_metric(found.value[TULLE_METRIC_MAE], 5e149, 1e-13);
    assert_metric(found.value[TULLE_METRIC_R2], 0.75, 1e-13);

    s->target.scale = 1;
    for (size_t r = 0; r < MOST_ROWS; r++) {
        s->truth[r] = 0.1;
        s->predictions[r][0] = 0.3;
    }
    weigh(s);
    found = measure(s, NULL);
    assert_metric(found.value[TULLE_METRIC_RMSE], 0.2, 1e-13);
    assert_true(isnan(found.value[TULLE_METRIC_R2]));
    memset(s->weights, 0, sizeof s->weights);
    found = measure(s, NULL);
    assert_true(isnan(found.value[TULLE_METRIC_RMSE]) && isnan(found.value[TULLE_METRIC_MAE]));
    free(s);
}

static const double quantiles[] = {0.05, 0.4, 0.55, 0.9};

static void test_quantiles(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_QUANTILE, 0);
    (void)state;
    s->info.quantiles = quantiles;
    s->info.quantile_count = 4;
    for (size_t r = 0; r < MOST_ROWS; r++) {
        s->truth[r] = draw(-4, 9);
        for (int q = 0; q < 4; q++)
            s->predictions[r][q] = s->truth[r] + draw(-2, 2);
    }
    weigh(s);
    s->middle = 2;
    check_numbers(s, 1e-13);
    free(s);
}

static void test_deviances(void **state)
{
    (void)state;
    for (int loss = TULLE_LOSS_POISSON; loss <= TULLE_LOSS_GAMMA; loss++) {
        struct sample *s = new_sample(loss, 0);
        for (size_t r = 0; r < MOST_ROWS; r++) {
            s->truth[r] = loss == TULLE_LOSS_POISSON ? floor(draw(0, 5)) : draw(0.1, 5);
            s->predictions[r][0] = draw(0.2, 6);
        }
        weigh(s);
        check_numbers(s, 1e-13);
        s->truth[6] = -1; /* of which neither distribution knows */
        assert_true(isnan(measure(s, NULL).value[TULLE_METRIC_DEVIANCE]));
        free(s);
    }
}

/* --- Classes --------------------------------------------------------------------------------- */

static void test_classes(void **state)
{
    (void)state;
    for (size_t classes = 2; classes <= MOST_PREDICTIONS; classes++) {
        struct sample *s = new_sample(
            classes == 2 ? TULLE_LOSS_BINARY_CROSS_ENTROPY : TULLE_LOSS_CROSS_ENTROPY, classes);
        draw_classes(s, &rng);
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
    draw_classes(s, &rng);
    weigh(s);
    s->truth[8] = -1; /* is in no row of it */
    measure(s, found);
    for (size_t r = 0; r < MOST_ROWS; r++)
        if (s->truth[r] >= 0)
            expected[(size_t)s->truth[r] * 3 + best_class(s, r)] += s->weights[r];
    assert_memory_equal(found, expected, sizeof found);
    free(s);
}

/* Rows of one class only; and nothing that is, or is said to be, of the second. */
static void test_one_class(void **state)
{
    struct sample *s = new_sample(TULLE_LOSS_BINARY_CROSS_ENTROPY, 2);
    (void)state;
    draw_classes(s, &rng);
    memset(s->truth, 0, sizeof s->truth);
    struct tulle_metrics found = measure(s, NULL);
    assert_true(isnan(found.value[TULLE_METRIC_AUC]));
    assert_true(found.value[TULLE_METRIC_F1] == 0);
    assert_metric(found.value[TULLE_METRIC_BALANCED_ACCURACY], mean_of(s, is_right), 1e-13);
    for (size_t r = 0; r < MOST_ROWS; r++)
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
        for (size_t r = 0; r < MOST_ROWS; r++) {
            s->truth[r] = r >= MOST_ROWS / 3;
            s->predictions[r][1] = 0.5 + slopes[i] * ((double)r / MOST_ROWS - 0.5);
            s->predictions[r][0] = 1 - s->predictions[r][1];
        }
        assert_metric(measure(s, NULL).value[TULLE_METRIC_AUC], expected[i], 0);
        weigh(s);
        assert_metric(measure(s, NULL).value[TULLE_METRIC_AUC], expected[i], 1e-13);
        for (size_t r = 0; r < MOST_ROWS; r++)
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
