/* naive_metrics.h - every metric of rows with weights by its formula, written out plainly, for the
 * library's to be compared with. */
#ifndef NAIVE_METRICS_H
#define NAIVE_METRICS_H

#include "../lib/model/metrics.h"

enum { MOST_ROWS = 700, MOST_PREDICTIONS = 5 };

/* Rows of one target: what was predicted, what is true (a class of which the model does not know is
 * -1), and weights. */
struct sample {
    struct tulle_column target;
    struct tulle_model_info info;
    size_t rows, columns; /* columns: of predictions */
    size_t middle;        /* that which rmse, mae and r2 look at */
    double predictions[MOST_ROWS][MOST_PREDICTIONS], truth[MOST_ROWS], weights[MOST_ROWS];
};

/* MOST_ROWS of a target of `levels` classes, or of a number if there are none, with weights of 1;
 * freed with free(). */
struct sample *new_sample(enum tulle_loss loss, size_t levels);

/* Classes, and probabilities in steps, so that there are ties, which lean to the class that is
 * true. */
void draw_classes(struct sample *s, struct tulle_rng *rng);

/* What the library finds; confusion may be NULL. */
struct tulle_metrics measure(const struct sample *s, double *confusion);

/* That all of it is as it should be, but for rounding. */
void check_numbers(const struct sample *s, double tolerance);
void check_classes(const struct sample *s);

/* NaN is near NaN. */
void assert_metric(double found, double expected, double tolerance);

/* The sum over rows of weight * f(row), by the sum of weights. */
double mean_of(const struct sample *s, double (*f)(const struct sample *s, size_t row));

/* The most probable class, the first of several, and whether it is the true one. */
size_t best_class(const struct sample *s, size_t row);
double is_right(const struct sample *s, size_t row);

#endif
