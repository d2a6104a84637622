/* naive_metrics.c - metrics as plain sums over rows, pair by pair where it takes pairs. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "naive_metrics.h"
#include "property.h"

/* A target of `levels` classes, or a number if there are none. */
struct sample *new_sample(enum tulle_loss loss, size_t levels)
{
    static const char *const names[] = {"red", "green", "blue", "grey", "pink"};
    struct sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->target = (struct tulle_column){.name = "y", .mean = 3, .scale = 2.5};
    if (levels)
        s->target.levels = (struct tulle_levels){names, levels};
    s->info = (struct tulle_model_info){.loss = loss, .targets = &s->target, .target_count = 1};
    s->rows = MOST_ROWS;
    s->columns = levels ? levels : 1;
    for (size_t r = 0; r < MOST_ROWS; r++)
        s->weights[r] = 1;
    return s;
}

struct tulle_metrics measure(const struct sample *s, double *confusion)
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

void assert_metric(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)) &&
        !(isnan(found) && isnan(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}

/* The sum over rows of weight * f(row), by the sum of weights. */
double mean_of(const struct sample *s, double (*f)(const struct sample *s, size_t row))
{
    long double sum = 0, weight = 0;
    for (size_t r = 0; r < s->rows; r++) {
        sum += s->weights[r] > 0 ? (long double)s->weights[r] * f(s, r) : 0;
        weight += s->weights[r];
    }
    return (double)(sum / weight);
}

/* --- Numbers --------------------------------------------------------------------------------- */

static double square(const struct sample *s, size_t r)
{
    double error = s->predictions[r][s->middle] - s->truth[r];
    return error * error;
}

static double absolute(const struct sample *s, size_t r)
{
    return fabs(s->predictions[r][s->middle] - s->truth[r]);
}

static double truth(const struct sample *s, size_t r)
{
    return s->truth[r];
}

/* The mean of squares about the mean. */
static double variance(const struct sample *s)
{
    double mean = mean_of(s, truth), weights = 0, sum = 0;
    for (size_t r = 0; r < s->rows; r++) {
        weights += s->weights[r];
        sum += s->weights[r] * ((s->truth[r] - mean) * (s->truth[r] - mean));
    }
    return sum / weights;
}

static double pinball(const struct sample *s, size_t r)
{
    double sum = 0;
    for (size_t q = 0; q < s->info.quantile_count; q++) {
        double below = s->truth[r] - s->predictions[r][q], quantile = s->info.quantiles[q];
        sum += below > 0 ? quantile * below : (quantile - 1) * below;
    }
    return sum / (double)s->info.quantile_count;
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

/* The difference of terms that are larger than it is, of the order of 1. */
static void check_deviance(double found, double expected, double tolerance)
{
    if (isnan(expected) ? !isnan(found)
                        : !(fabs(found - expected) <= 10 * tolerance * (1 + expected)))
        fail_msg("deviance %.17g, expected %.17g", found, expected);
}

void check_numbers(const struct sample *s, double tolerance)
{
    struct tulle_metrics found = measure(s, NULL);
    double *value = found.value, unexplained = mean_of(s, square) / variance(s);
    assert_metric(value[TULLE_METRIC_RMSE], sqrt(mean_of(s, square)), tolerance);
    assert_metric(value[TULLE_METRIC_MAE], mean_of(s, absolute), tolerance);
    if (variance(s) > 0)
        assert_true(fabs(value[TULLE_METRIC_R2] - (1 - unexplained)) <=
                    tolerance * (1 + unexplained));
    assert_metric(value[TULLE_METRIC_PINBALL],
                  s->info.quantile_count > 0 ? mean_of(s, pinball) : NAN, tolerance);
    if (s->info.loss == TULLE_LOSS_POISSON)
        check_deviance(value[TULLE_METRIC_DEVIANCE], mean_of(s, poisson), tolerance);
    else if (s->info.loss == TULLE_LOSS_GAMMA)
        check_deviance(value[TULLE_METRIC_DEVIANCE], mean_of(s, gamma_deviance), tolerance);
    else
        assert_true(isnan(value[TULLE_METRIC_DEVIANCE]));
    for (int i = TULLE_METRIC_ACCURACY; i < TULLE_METRIC_SLOTS; i++)
        assert_true(isnan(value[i]));
}

/* --- Classes --------------------------------------------------------------------------------- */

size_t best_class(const struct sample *s, size_t r)
{
    size_t best = 0;
    for (size_t c = 0; c < s->columns; c++)
        best = s->predictions[r][c] > s->predictions[r][best] ? c : best;
    return best;
}

double is_right(const struct sample *s, size_t r)
{
    return (double)best_class(s, r) == s->truth[r];
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
        tp += s->truth[r] == 1 && best_class(s, r) == 1 ? s->weights[r] : 0;
        fp += s->truth[r] != 1 && best_class(s, r) == 1 ? s->weights[r] : 0;
        fn += s->truth[r] == 1 && best_class(s, r) != 1 ? s->weights[r] : 0;
    }
    return 2 * tp / (2 * tp + fp + fn);
}

void check_classes(const struct sample *s)
{
    struct tulle_metrics found = measure(s, NULL);
    assert_metric(found.value[TULLE_METRIC_ACCURACY], mean_of(s, is_right), 1e-13);
    assert_metric(found.value[TULLE_METRIC_BALANCED_ACCURACY], balanced_accuracy(s), 1e-13);
    assert_metric(found.value[TULLE_METRIC_LOG_LOSS], mean_of(s, surprise), 1e-13);
    for (int i = TULLE_METRIC_RMSE; i <= TULLE_METRIC_DEVIANCE; i++)
        assert_true(isnan(found.value[i]));
    if (s->columns == 2) {
        assert_metric(found.value[TULLE_METRIC_AUC], auc(s), 1e-12);
        assert_metric(found.value[TULLE_METRIC_F1], f1(s), 1e-13);
    } else
        assert_true(isnan(found.value[TULLE_METRIC_AUC]) && isnan(found.value[TULLE_METRIC_F1]));
}

/* Probabilities in steps, so that there are ties, which lean to the class that is true. */
void draw_classes(struct sample *s, struct tulle_rng *rng)
{
    for (size_t r = 0; r < s->rows; r++) {
        double sum = 0;
        s->truth[r] = floor(draw_number(rng, 0, (double)s->columns));
        for (size_t c = 0; c < s->columns; c++)
            sum += s->predictions[r][c] =
                floor(draw_number(rng, 1, 9)) + ((double)c == s->truth[r] ? 2 : 0);
        for (size_t c = 0; c < s->columns; c++)
            s->predictions[r][c] /= sum;
    }
}
