/* trainer.h - the trainer's inside, for the epoch loop that feeds it from a table. */
#ifndef TULLE_TRAINER_H
#define TULLE_TRAINER_H

#include "../model/model.h"
#include "../net/propagate.h"

struct tulle_trainer {
    struct tulle_trainer_options options; /* layers and rng are not kept */
    struct network network;
    const struct kernels *kernels;
    struct pool *pool;
    struct workspace workspace;
    void *parameters; /* the arena */
    struct tulle_rng rng;
    size_t *order; /* row numbers of an epoch on the caller's arrays */
    size_t order_capacity;
};

/* One update from samples [begin, end) of the rows, at most a batch of them. *loss_sum is the
 * sum of the losses over samples and outputs before it; TULLE_ERROR_DIVERGED if that is not finite.
 */
enum tulle_status tulle_trainer_step_rows(struct tulle_trainer *trainer, const struct rows *x,
                                          const struct rows *y, size_t begin, size_t end,
                                          double *loss_sum);

/* The mean loss of samples 0..count-1 of the rows; count >= 1. */
double tulle_trainer_loss_rows(struct tulle_trainer *trainer, const struct rows *x,
                               const struct rows *y, size_t count);

/* Copies the parameters to a model of the same network, which nobody else has seen yet.
 * TULLE_ERROR_DIVERGED if one is not finite. */
enum tulle_status tulle_trainer_export(const struct tulle_trainer *trainer,
                                       struct tulle_model *model);

#endif
