/* backward.h - the inside of a pass (propagate.h): what its threads share, and the way back from
 * the gradients at the last layer to those of the inputs, and into a step. */
#ifndef TULLE_BACKWARD_H
#define TULLE_BACKWARD_H

#include "propagate.h"

struct job;

/* What is done with a part of a batch besides taking it forward. */
struct work {
    /* After the forward pass of samples [s, e) of the part, in the thread that has them. */
    void (*finish)(const struct job *job, unsigned thread, size_t s, size_t e);
    /* After all of the part's, in every thread, behind a barrier; NULL if there is nothing to do.
     */
    void (*join)(struct job *job, unsigned thread, unsigned threads);
};

/* What the threads of one call share. */
struct job {
    const struct pass *pass;
    const struct work *together, *alone; /* for several threads, and for one */
    size_t begin, count;     /* the batch: samples begin..begin + count - 1 of the pass's rows */
    size_t first, size;      /* the part of it in the workspace: samples first..first + size - 1 */
    double loss;             /* of all parts so far; thread 0's */
    const struct step *step; /* NULL but in a step */
    struct tulle_matrix_out out;
    const struct output_link *link;
    const struct gradient_link *gradient_link;
};

/* Element number `index` of a buffer of the pass's precision. */
static inline void *tulle_pass_at(const struct pass *pass, const void *buffer, size_t index)
{
    return tulle_element(buffer, pass->network->precision, index);
}

/* Rows of a sample that one of the layer's copies of weights sees. */
static inline size_t tulle_rows_each(const struct pass *pass, const struct network_layer *layer)
{
    return pass->network->members / layer->copies;
}

/* Samples [s, e) of the part: from the slopes of the last layer, which by now are dloss/dz, those
 * of all before it. */
void tulle_backward_layers(const struct pass *pass, unsigned thread, size_t s, size_t e);

/* After that the gradients of what the front learns, or instead, in the workspace's x_gradient,
 * those of the numbers that were loaded: of them, and of what else is learned of them. */
void tulle_backward_front(const struct pass *pass, unsigned thread, size_t s, size_t e);
void tulle_backward_inputs(const struct pass *pass, unsigned thread, size_t s, size_t e);

/* With the gradients of all of the part's samples, this thread's share of the parameters. */
void tulle_backward_update(const struct job *job, unsigned thread, unsigned threads);

/* All of this for a thread alone, from the last layer's gradients on. */
void tulle_backward_alone(const struct job *job);

#endif
