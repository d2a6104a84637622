/*
 * metrics.h - how good predictions are: sums over rows, one after another in their order, and from
 * them the metrics of TULLE_METRIC_LIST.
 */
#ifndef TULLE_METRICS_H
#define TULLE_METRICS_H

#include "../kernels/kernels.h"
#include "model.h"

/* A row's probability of the second of two classes. */
struct scored_row {
    double score, weight;
};

/* What is known of one target's rows so far. The sums of the other task, and of other losses, are
 * NaN, and so become the metrics made of them. */
struct tally {
    const struct tulle_column *target;
    const struct kernels *kernels; /* of doubles, for log */
    enum tulle_loss loss;
    size_t rows;
    double weight; /* of all rows, as are all sums of their weights */

    /* Regression: sums of errors in units of the target's scale, so that their squares do not
     * overflow where the target itself does not. */
    double squares, absolutes;
    double origin, mean, spread;   /* of the true values, from `origin`, the first with a weight */
    const double *quantiles;       /* (quantile_count) */
    size_t quantile_count, middle; /* the quantile that is nearest to 0.5 */
    double pinball, deviance;

    /* Classification. */
    size_t classes; /* 0 for regression */
    double *totals; /* (classes + 1) rows of each class, the last of those that are none */
    double *hits;   /* (classes) those of them that were predicted to be */
    double claims;  /* rows that were predicted to be of the second class */
    double log_loss;
    double *confusion; /* (classes, classes) by true class and predicted class; may be NULL */
    struct scored_row *scored; /* (scored_size) of two classes: rows of the second, from the end */
    size_t scored_size, firsts, seconds;
};

/* For at most so many rows of a target of the model; 0 if there is no memory. confusion may be
 * NULL, else it is the caller's and zeroed. */
int tulle_tally_init(struct tally *tally, const struct tulle_model_info *info, size_t target,
                     size_t rows, double *confusion);
void tulle_tally_clear(struct tally *tally);

/*
 * Adds a row: its predictions (tulle_target_predictions), finite, and what is true, a number or a
 * class. A class that the model does not have (truth < 0) is never predicted: the row counts as
 * wrong, with a probability of the smallest double, as a row of one more class for balanced
 * accuracy, and not for the auc.
 */
void tulle_tally_add(struct tally *tally, const double *predictions, double truth, double weight);

void tulle_tally_finish(struct tally *tally, struct tulle_metrics *metrics);

#endif
