/* optimizer.c - what an optimizer keeps between steps, and its part of one. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/pool.h"
#include "optimizer.h"

/* The grain of the norm: so many gradients are summed by one thread, as so many interleaved sums.
 */
enum { CHUNK = 2048, PARTS = 8 };

static int keeps_first(const struct tulle_trainer_options *o)
{
    return o->optimizer == TULLE_OPTIMIZER_ADAM || o->optimizer == TULLE_OPTIMIZER_ADAMW ||
           (o->optimizer != TULLE_OPTIMIZER_RMSPROP && o->momentum > 0);
}

static int keeps_second(const struct tulle_trainer_options *o)
{
    return o->optimizer == TULLE_OPTIMIZER_ADAM || o->optimizer == TULLE_OPTIMIZER_ADAMW ||
           o->optimizer == TULLE_OPTIMIZER_RMSPROP;
}

int tulle_optimizer_is_in_place(const struct tulle_trainer_options *o,
                                const struct network *network)
{
    int is_parametric = 0, is_adapted = o->parametrization != TULLE_PARAMETRIZATION_STANDARD;
    for (size_t l = 0; l < network->layer_count; l++)
        is_parametric |= network->layers[l].is_parametric;
    return (o->optimizer == TULLE_OPTIMIZER_SGD || o->optimizer == TULLE_OPTIMIZER_NESTEROV) &&
           o->momentum == 0 && o->weight_decay == 0 && o->penalty == 0 && o->clip_norm == 0 &&
           o->averaging == 0 && !tulle_network_learns_inputs(network) && !is_parametric &&
           !is_adapted;
}

int tulle_optimizer_init(struct optimizer *optimizer, const struct tulle_trainer_options *o,
                         const struct network *network)
{
    *optimizer = (struct optimizer){.update = {.optimizer = o->optimizer,
                                               .momentum = o->momentum,
                                               .beta1 = o->beta1,
                                               .beta2 = o->beta2,
                                               .epsilon = o->epsilon,
                                               .shrink = 1,
                                               .correction1 = 1,
                                               .correction2 = 1,
                                               .clip = 1,
                                               .averaging = o->averaging},
                                    .rates = {[BLOCK_WEIGHTS] = 1,
                                              [BLOCK_BIASES] = o->bias_learning_rate,
                                              [BLOCK_MIX] = o->mix_learning_rate,
                                              [BLOCK_TABLE] = 1,
                                              [BLOCK_NUMBERS] = o->number_learning_rate,
                                              [BLOCK_FACTORS] = o->factor_learning_rate},
                                    .regularization = 1,
                                    .dialect = o->dialect,
                                    .parametrization = o->parametrization,
                                    .clip_norm = o->clip_norm,
                                    .power1 = 1,
                                    .power2 = 1};
    for (int kind = 0; kind < BLOCK_KINDS; kind++)
        optimizer->decays[kind] =
            o->weight_decay * (kind == BLOCK_BIASES ? o->bias_weight_decay : 1);
    if (keeps_first(o) && !(optimizer->m = tulle_network_arena(network)))
        return 0;
    if (keeps_second(o) && !(optimizer->v = tulle_network_arena(network)))
        return 0;
    if (o->averaging > 0 && !(optimizer->average = tulle_network_arena(network)))
        return 0;
    if (o->clip_norm > 0) {
        optimizer->norm_count = (network->arena_size - 1) / CHUNK + 1;
        optimizer->norms = tulle_calloc(optimizer->norm_count, sizeof *optimizer->norms);
        if (!optimizer->norms)
            return 0;
    }
    return 1;
}

void tulle_optimizer_clear(struct optimizer *optimizer)
{
    tulle_free(optimizer->m);
    tulle_free(optimizer->v);
    tulle_free(optimizer->average);
    tulle_free(optimizer->norms);
    *optimizer = (struct optimizer){0};
}

void tulle_optimizer_start_average(struct optimizer *optimizer, const struct network *network,
                                   const void *parameters)
{
    if (optimizer->average)
        memcpy(optimizer->average, parameters, tulle_arena_bytes(network));
}

void tulle_optimizer_begin(struct optimizer *optimizer, double learning_rate, double regularization,
                           double penalty)
{
    struct update *update = &optimizer->update;
    optimizer->power1 *= update->beta1;
    optimizer->power2 *= update->beta2;
    update->learning_rate = learning_rate;
    optimizer->regularization = regularization;
    optimizer->penalty = penalty;
    if (update->optimizer == TULLE_OPTIMIZER_ADAM || update->optimizer == TULLE_OPTIMIZER_ADAMW) {
        update->correction1 = 1 / (1 - optimizer->power1);
        update->correction2 = 1 / (1 - optimizer->power2);
        if (optimizer->dialect == TULLE_DIALECT_SKLEARN) { /* of v before epsilon, not after it */
            update->correction1 *= sqrt(1 - optimizer->power2);
            update->correction2 = 1;
        }
    }
}

/* The sum of the squares of a chunk, the same whatever the machine: PARTS interleaved sums, and
 * those added up one by one. */
static double sum_squares(const struct network *network, const void *numbers, size_t begin,
                          size_t end)
{
    double sums[PARTS] = {0}, sum = 0;
    for (size_t i = begin; i < end; i += PARTS) /* the arena's size is a multiple */
        for (size_t p = 0; p < PARTS; p++) {
            double value = network->precision == TULLE_F64
                               ? ((const double *)numbers)[i + p]
                               : (double)((const float *)numbers)[i + p];
            sums[p] += value * value;
        }
    for (size_t p = 0; p < PARTS; p++)
        sum += sums[p];
    return sum;
}

/* Where block number b ends. */
static size_t end_of_block(const struct network *network, size_t b)
{
    return b + 1 < network->block_count ? network->blocks[b + 1].begin : network->arena_size;
}

double tulle_optimizer_half_squares(const struct network *network, const void *parameters)
{
    double sum = 0;
    for (size_t b = 0; b < network->block_count; b++)
        if (network->blocks[b].kind == BLOCK_WEIGHTS)
            sum += sum_squares(network, parameters, network->blocks[b].begin,
                               end_of_block(network, b));
    return sum / 2;
}

void tulle_optimizer_measure(const struct optimizer *optimizer, const struct network *network,
                             const void *gradients, unsigned thread, unsigned threads)
{
    size_t first, last;
    tulle_pool_share(thread, threads, optimizer->norm_count, 1, &first, &last);
    for (size_t c = first; c < last; c++) {
        size_t begin = c * CHUNK;
        size_t end = network->arena_size - begin < CHUNK ? network->arena_size : begin + CHUNK;
        optimizer->norms[c] = sum_squares(network, gradients, begin, end);
    }
}

/* What gradients are multiplied by so that their norm is at most clip_norm (Pascanu et al., 2013).
 */
static double find_clip(const struct optimizer *optimizer)
{
    double squares = 0;
    for (size_t c = 0; c < optimizer->norm_count; c++)
        squares += optimizer->norms[c];
    double norm = sqrt(squares);
    return norm > optimizer->clip_norm ? optimizer->clip_norm / norm : 1;
}

static void step_run(const struct update *update, const struct optimizer *optimizer,
                     const struct network *network, const struct kernels *kernels, void *parameters,
                     const void *gradients, size_t begin, size_t end)
{
    enum tulle_type type = network->precision;
    kernels->update(update, end - begin, tulle_element(parameters, type, begin),
                    tulle_element(gradients, type, begin),
                    optimizer->m ? tulle_element(optimizer->m, type, begin) : NULL,
                    optimizer->v ? tulle_element(optimizer->v, type, begin) : NULL,
                    optimizer->average ? tulle_element(optimizer->average, type, begin) : NULL);
}

/*
 * The step of a block. Parametrized as z = v x / sqrt(n) + b with w = v / sqrt(n), gradients by v
 * are those by w, divided by sqrt(n), and so is what a step of v means to w: altogether a learning
 * rate divided by n. Of optimizers that divide by the gradients' size, that of the gradients
 * cancels, but for epsilon, and sqrt(n) is left. Decay is a share of the parameter, of v as of w.
 */
static struct update update_of(const struct optimizer *optimizer, const struct network_block *block)
{
    struct update update = optimizer->update;
    double decay = optimizer->decays[block->kind] * optimizer->regularization;
    update.learning_rate *= optimizer->rates[block->kind];
    if (update.optimizer == TULLE_OPTIMIZER_ADAMW)
        update.shrink = 1 - update.learning_rate * decay;
    else
        update.decay = decay;
    if (block->kind == BLOCK_WEIGHTS)
        update.decay += optimizer->penalty;
    if (optimizer->parametrization == TULLE_PARAMETRIZATION_NTK && block->inputs > 1) {
        double inputs = (double)block->inputs;
        int divides = optimizer->v != NULL;
        update.learning_rate /= divides ? sqrt(inputs) : inputs;
        update.epsilon *= divides ? sqrt(inputs) : 1;
        update.decay *= inputs; /* of the gradient by v, in terms of that by w */
    }
    if (optimizer->dialect == TULLE_DIALECT_SKLEARN && !optimizer->v) {
        /* What moves, m, has the learning rate in it: the gradients come with theirs. */
        update.clip = update.learning_rate;
        update.decay *= update.learning_rate;
        update.learning_rate = 1;
    }
    return update;
}

void tulle_optimizer_step(const struct optimizer *optimizer, const struct network *network,
                          const struct kernels *kernels, void *parameters, const void *gradients,
                          unsigned thread, unsigned threads)
{
    double clip = optimizer->clip_norm > 0 ? find_clip(optimizer) : 1;
    size_t begin, end;
    tulle_pool_share(thread, threads, network->arena_size, TULLE_ROW_PAD, &begin, &end);
    for (size_t b = 0; b < network->block_count; b++) {
        const struct network_block *block = &network->blocks[b];
        size_t from = block->begin, to = end_of_block(network, b);
        from = from < begin ? begin : from;
        to = to > end ? end : to;
        if (from >= to)
            continue;
        struct update update = update_of(optimizer, block);
        update.clip *= clip;
        step_run(&update, optimizer, network, kernels, parameters, gradients, from, to);
    }
}
