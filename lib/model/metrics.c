/* metrics.c - how good predictions are. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "metrics.h"
#include "output_link.h"

static double logarithm(const struct tally *tally, double x)
{
    tally->kernels->elementary(ELEMENTARY_LOG, &x, 1);
    return x;
}

/* --- Row by row ------------------------------------------------------------------------------ */

static size_t middle_quantile(const double *quantiles, size_t count)
{
    size_t middle = 0;
    for (size_t q = 1; q < count; q++)
        if (fabs(quantiles[q] - 0.5) < fabs(quantiles[middle] - 0.5))
            middle = q;
    return middle;
}

int tulle_tally_init(struct tally *tally, const struct tulle_model_info *info, size_t target,
                     size_t rows, double *confusion)
{
    int is_class = tulle_is_of_classes(info->loss);
    int has_deviance = info->loss == TULLE_LOSS_POISSON || info->loss == TULLE_LOSS_GAMMA;
    *tally = (struct tally){.target = &info->targets[target],
                            .kernels = tulle_kernels(TULLE_F64),
                            .loss = info->loss,
                            .squares = is_class ? NAN : 0,
                            .absolutes = is_class ? NAN : 0,
                            .spread = is_class ? NAN : 0,
                            .quantiles = info->quantiles,
                            .quantile_count = info->quantile_count,
                            .middle = middle_quantile(info->quantiles, info->quantile_count),
                            .pinball = info->quantile_count ? 0 : NAN,
                            .deviance = has_deviance ? 0 : NAN,
                            .log_loss = is_class ? 0 : NAN,
                            .confusion = confusion};
    if (!is_class)
        return 1;
    tally->classes = tally->target->levels.count;
    tally->scored_size = tally->classes == 2 ? rows : 0;
    tally->totals = tulle_calloc(tally->classes + 1, sizeof *tally->totals);
    tally->hits = tulle_calloc(tally->classes, sizeof *tally->hits);
    tally->scored = tulle_calloc(tally->scored_size, sizeof *tally->scored);
    return tally->totals && tally->hits && tally->scored;
}

void tulle_tally_clear(struct tally *tally)
{
    tulle_free(tally->totals);
    tulle_free(tally->hits);
    tulle_free(tally->scored);
    *tally = (struct tally){0};
}

static double pinball_loss(const struct tally *tally, const double *predictions, double truth)
{
    double sum = 0;
    for (size_t q = 0; q < tally->quantile_count; q++) {
        double below = (truth - predictions[q]) / tally->target->scale;
        sum += fmax(tally->quantiles[q] * below, (tally->quantiles[q] - 1) * below);
    }
    return sum / (double)tally->quantile_count;
}

/* Twice the gap of log likelihood to predictions that are true (Nelder and Wedderburn, 1972), in
 * units of the target's scale. */
static double unit_deviance(const struct tally *tally, double prediction, double truth)
{
    double o = prediction / tally->target->scale, y = truth / tally->target->scale;
    if (tally->loss == TULLE_LOSS_GAMMA)
        return y > 0 ? 2 * (y / o - 1 - logarithm(tally, y / o)) : NAN;
    if (y == 0)
        return 2 * o;
    return y > 0 ? 2 * (y * logarithm(tally, y / o) - y + o) : NAN;
}

static void add_number(struct tally *tally, const double *predictions, double truth, double weight)
{
    double error = (predictions[tally->middle] - truth) / tally->target->scale;
    tally->squares += weight * (error * error);
    tally->absolutes += weight * fabs(error);
    if (tally->quantile_count > 0)
        tally->pinball += weight * pinball_loss(tally, predictions, truth);
    if (!isnan(tally->deviance))
        tally->deviance += weight * unit_deviance(tally, predictions[0], truth);

    /* The mean and the squares about it, in one pass (West, 1979). */
    double share = weight / tally->weight;
    tally->origin = share == 1 ? truth : tally->origin;
    double from_mean = (truth - tally->origin) / tally->target->scale - tally->mean;
    tally->mean += from_mean * share;
    tally->spread += weight * from_mean * (from_mean * (1 - share));
}

static void add_score(struct tally *tally, size_t truth, double score, double weight)
{
    struct scored_row row = {score, weight};
    if (truth == 0)
        tally->scored[tally->firsts++] = row;
    else
        tally->scored[tally->scored_size - ++tally->seconds] = row;
}

static void add_class(struct tally *tally, const double *predictions, double truth, double weight)
{
    size_t predicted = tulle_most_probable(predictions, tally->classes);
    double probability = DBL_MIN; /* log loss has to end somewhere */
    size_t class = tally->classes;
    if (truth >= 0) {
        class = (size_t)truth;
        probability = fmax(probability, predictions[class]);
        tally->hits[class] += predicted == class ? weight : 0;
        if (tally->confusion)
            tally->confusion[class * tally->classes + predicted] += weight;
        if (tally->scored_size > 0)
            add_score(tally, class, predictions[1], weight);
    }
    tally->totals[class] += weight;
    tally->claims += predicted == 1 ? weight : 0;
    tally->log_loss -= weight * logarithm(tally, probability);
}

void tulle_tally_add(struct tally *tally, const double *predictions, double truth, double weight)
{
    tally->rows++;
    if (weight == 0)
        return;
    tally->weight += weight;
    if (tally->classes > 0)
        add_class(tally, predictions, truth, weight);
    else
        add_number(tally, predictions, truth, weight);
}

/* --- The metrics ----------------------------------------------------------------------------- */

static double metric_rmse(const struct tally *tally)
{
    return sqrt(tally->squares / tally->weight) * tally->target->scale;
}

static double metric_mae(const struct tally *tally)
{
    return tally->absolutes / tally->weight * tally->target->scale;
}

static double metric_r2(const struct tally *tally)
{
    return tally->spread > 0 ? 1 - tally->squares / tally->spread : NAN;
}

static double metric_pinball(const struct tally *tally)
{
    return tally->pinball / tally->weight * tally->target->scale;
}

/* Gamma's has no unit. */
static double metric_deviance(const struct tally *tally)
{
    double unit = tally->loss == TULLE_LOSS_GAMMA ? 1 : tally->target->scale;
    return tally->deviance / tally->weight * unit;
}

static double metric_accuracy(const struct tally *tally)
{
    double hits = tally->classes > 0 ? 0 : NAN;
    for (size_t c = 0; c < tally->classes; c++)
        hits += tally->hits[c];
    return hits / tally->weight;
}

static double metric_balanced_accuracy(const struct tally *tally)
{
    double sum = 0, present = 0;
    for (size_t c = 0; c < tally->classes; c++)
        if (tally->totals[c] > 0) {
            sum += tally->hits[c] / tally->totals[c];
            present++;
        }
    if (tally->classes > 0 && tally->totals[tally->classes] > 0)
        present++;
    return sum / present;
}

static double metric_log_loss(const struct tally *tally)
{
    return tally->log_loss / tally->weight;
}

/* By score, and by weight too, so that sums do not depend on how qsort leaves equal scores. */
static int compare_scores(const void *left, const void *right)
{
    const struct scored_row *a = left, *b = right;
    if (a->score != b->score)
        return a->score < b->score ? -1 : 1;
    return a->weight < b->weight ? -1 : a->weight > b->weight;
}

/* Of all pairs of a row of the first class and one of the second, the share in which the second's
 * score is higher; equal ones count half (Mann and Whitney, 1947). The scores are sorted. */
static double metric_auc(const struct tally *tally)
{
    if (!tally->scored)
        return NAN;
    const struct scored_row *first = tally->scored;
    const struct scored_row *second = tally->scored + tally->scored_size - tally->seconds;
    double below = 0, all_second = 0, pairs = 0;
    size_t f = 0;
    for (size_t s = 0; s < tally->seconds;) {
        double score = second[s].score, equal_first = 0, equal_second = 0;
        for (; s < tally->seconds && second[s].score == score; s++)
            equal_second += second[s].weight;
        for (; f < tally->firsts && first[f].score < score; f++)
            below += first[f].weight;
        for (; f < tally->firsts && first[f].score == score; f++)
            equal_first += first[f].weight;
        pairs += equal_second * (below + equal_first / 2);
        below += equal_first;
        all_second += equal_second;
    }
    for (; f < tally->firsts; f++)
        below += first[f].weight;
    double share = pairs / (below * all_second); /* 0 / 0 where a class has no rows */
    return share > 1 ? 1 : share;                /* which rounding may make it */
}

static double metric_f1(const struct tally *tally)
{
    if (tally->classes != 2)
        return NAN;
    return 2 * tally->hits[1] / (tally->claims + tally->totals[1]);
}

void tulle_tally_finish(struct tally *tally, struct tulle_metrics *metrics)
{
    if (tally->scored_size > 0) {
        qsort(tally->scored, tally->firsts, sizeof *tally->scored, compare_scores);
        qsort(tally->scored + tally->scored_size - tally->seconds, tally->seconds,
              sizeof *tally->scored, compare_scores);
    }
    *metrics = (struct tulle_metrics){.rows = tally->rows};
    for (size_t i = 0; i < TULLE_METRIC_SLOTS; i++)
        metrics->value[i] = NAN;
#define METRIC_VALUE(NAME, number, name, formula, better)                                          \
    metrics->value[number] = metric_##name(tally);
    TULLE_METRIC_LIST(METRIC_VALUE)
#undef METRIC_VALUE
}
