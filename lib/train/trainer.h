/* trainer.h - the trainer's inside, for the epoch loop that feeds it from a table. */
#ifndef TULLE_TRAINER_H
#define TULLE_TRAINER_H

#include "../model/model.h"
#include "../net/propagate.h"

struct tulle_trainer {
    struct tulle_trainer_options options; /* what it points to is not kept, but for user */
    struct network network;
    const struct kernels *kernels;
    struct pool *pool;
    struct workspace workspace;
    void *parameters; /* the arena */
    struct loss loss;
    double *quantiles; /* those of the loss */
    size_t targets;    /* numbers of a row's target */
    int is_in_place;   /* steps need no optimizer */
    struct optimizer optimizer;
    uint64_t steps;        /* so far; names the next one's dropout */
    double regularization; /* what dropout and weight decay are multiplied by in the next step */
    struct tulle_rng rng;
    size_t *order; /* row numbers of an epoch on the caller's arrays */
    size_t order_capacity;
    double *own_loss; /* (rows of a batch, 2 outputs + targets) for a loss_function */
    size_t own_loss_capacity;
};

/* Where a batch is: samples [begin, end) of the rows, with the weights of the rows of y's matrix
 * (NULL: 1). */
struct batch {
    const struct rows *x, *y;
    const double *weights;
    size_t begin, end;
};

/* Makes room for steps of so many rows. */
enum tulle_status tulle_trainer_reserve(struct tulle_trainer *trainer, size_t rows);

/* One update from a batch for which there is room. *loss_sum is the sum of the losses over samples
 * and outputs before it; TULLE_ERROR_DIVERGED if that is not finite. */
enum tulle_status tulle_trainer_step_rows(struct tulle_trainer *trainer, const struct batch *batch,
                                          double *loss_sum);

/* The sum of the losses of a batch of any size, which must not be empty. TULLE_ERROR_MEMORY with a
 * loss of the caller's own alone. */
enum tulle_status tulle_trainer_loss_sum(struct tulle_trainer *trainer, const struct batch *batch,
                                         double *sum);

/* A sum of losses over so many rows as their mean (TULLE_LOSS_LIST). */
double tulle_trainer_mean_loss(const struct tulle_trainer *trainer, double sum, double rows);

/* The parameters that predict: the average, where there is one. */
void *tulle_trainer_best_parameters(const struct tulle_trainer *trainer);

/* Copies those to a model of the same network, which nobody else has seen yet.
 * TULLE_ERROR_DIVERGED if one is not finite. */
enum tulle_status tulle_trainer_export(const struct tulle_trainer *trainer,
                                       struct tulle_model *model);

#endif
