/*
 * optimizer.h - what an optimizer keeps between steps, and its part of one: with all gradients of
 * a batch in an arena, each thread updates a share of the parameters. Plain gradient descent has no
 * need of this: its gradients are added to the parameters as they are summed up.
 */
#ifndef TULLE_OPTIMIZER_H
#define TULLE_OPTIMIZER_H

#include "network.h"

struct optimizer {
    struct update update;       /* of weights; the learning rate is set before a step */
    double rates[BLOCK_KINDS];  /* times the learning rate */
    double decays[BLOCK_KINDS]; /* times regularization; added to gradients, or decoupled */
    double regularization;      /* set before a step */
    double penalty;             /* likewise; a decay of layers' weights alone */
    enum tulle_dialect dialect;
    enum tulle_parametrization parametrization;
    double clip_norm;      /* 0: none */
    void *m, *v;           /* arenas, NULL where the optimizer keeps none */
    void *average;         /* an arena: the averaged parameters, or NULL */
    double power1, power2; /* beta1 and beta2 to the power of the steps so far */
    double *norms;         /* of the gradients' chunks, squared; NULL without clipping */
    size_t norm_count;
};

/* Whether so plain a step can be made in place. */
int tulle_optimizer_is_in_place(const struct tulle_trainer_options *options,
                                const struct network *network);

/* 0 if there is no memory; cleared all the same. */
int tulle_optimizer_init(struct optimizer *optimizer, const struct tulle_trainer_options *options,
                         const struct network *network);
void tulle_optimizer_clear(struct optimizer *optimizer);

/* Makes the average, if there is one, begin with these parameters. */
void tulle_optimizer_start_average(struct optimizer *optimizer, const struct network *network,
                                   const void *parameters);

/* Once before the threads of a step begin. */
void tulle_optimizer_begin(struct optimizer *optimizer, double learning_rate, double regularization,
                           double penalty);

/* Half the sum of the squares of all layers' weights. */
double tulle_optimizer_half_squares(const struct network *network, const void *parameters);

/* This thread's share of the norms, needed by all threads in the next; with clipping only. */
void tulle_optimizer_measure(const struct optimizer *optimizer, const struct network *network,
                             const void *gradients, unsigned thread, unsigned threads);

/* This thread's share of the step. */
void tulle_optimizer_step(const struct optimizer *optimizer, const struct network *network,
                          const struct kernels *kernels, void *parameters, const void *gradients,
                          unsigned thread, unsigned threads);

#endif
