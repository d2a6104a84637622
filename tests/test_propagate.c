/*
 * test_propagate.c - that a batch's bits depend neither on the parts in which it is computed nor on
 * the kernels that compute them. A sample of all combinations is tried; with TULLE_LONG in the
 * environment, each.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/net/propagate.h"
#include "kernel_tables.h"
#include "net_support.h"
#include "sample.h"

enum { INPUTS = 13, ROWS = 301, MOST_OUTPUTS = 9 };

#ifdef TULLE_EMULATED
enum { APART = 7 };
#else
enum { APART = 3 };
#endif

static const size_t batches[] = {1, 2, 3, 5, 17, ROWS};

/* Layers with fewer units than a vector has lanes, with some more than several have, and both. */
static const struct shape {
    size_t layer_count;
    struct tulle_layer layers[4];
} shapes[] = {
    {3,
     {{5, TULLE_ACTIVATION_TANH, 0, 0},
      {3, TULLE_ACTIVATION_RELU, 0, 0},
      {1, TULLE_ACTIVATION_IDENTITY, 0, 0}}},
    {3,
     {{200, TULLE_ACTIVATION_RELU, 0, 0},
      {65, TULLE_ACTIVATION_LEAKY_RELU, 0, 0},
      {9, TULLE_ACTIVATION_IDENTITY, 0, 0}}},
    {4,
     {{37, TULLE_ACTIVATION_TANH, 0, 0},
      {6, TULLE_ACTIVATION_LEAKY_RELU, 0, 0},
      {50, TULLE_ACTIVATION_RELU, 0, 0},
      {3, TULLE_ACTIVATION_LOGISTIC, 0, 0}}},
};

/* How a batch is cut: a workspace for so many samples and threads, of which `runs` take part; each
 * takes `block` samples at a time, where that is not 0. */
struct cut {
    size_t samples;
    unsigned threads, runs;
    size_t block;
};

/* What is computed; all rows and outputs of its options count. */
struct plan {
    struct tulle_trainer_options options;
    const double *x, *y, *weights; /* (ROWS, columns), (ROWS, targets), (ROWS) or NULL */
    struct loss loss;
    size_t steps;
};

/* What comes of a batch. */
struct results {
    double losses[3]; /* before each step and after the last */
    uint64_t bits;    /* of the outputs, the parameters and what the optimizer keeps */
};

static struct network network_of(const struct tulle_trainer_options *o)
{
    const struct network_shape shape = {o->precision,   o->inputs,     o->embedding_count,
                                        o->layer_count, o->embeddings, o->layers,
                                        o->front};
    struct network network;
    assert_int_equal(tulle_network_init(&network, &shape, NULL), TULLE_OK);
    return network;
}

/* All of the arena but its padding. */
static void randomize(const struct network *network, void *parameters)
{
    struct tulle_rng draws;
    tulle_rng_seed(&draws, 5);
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        for (size_t u = 0; u < layer->copies * layer->units; u++) {
            for (size_t i = 0; i < layer->inputs; i++)
                tulle_arena_set(network, parameters, tulle_weight_index(layer, u, i),
                                tulle_rng_uniform(&draws) - 0.5);
            tulle_arena_set(network, parameters, tulle_bias_index(layer, u),
                            tulle_rng_uniform(&draws) / 4);
        }
        for (size_t u = 0; layer->is_parametric && u < layer->units; u++)
            tulle_arena_set(network, parameters, layer->mix + u, tulle_rng_uniform(&draws));
    }
    for (size_t e = 0; e < network->embedding_count; e++) {
        const struct network_embedding *embedding = &network->embeddings[e];
        for (size_t i = 0; i < (embedding->levels + 1) * embedding->dimensions; i++)
            tulle_arena_set(network, parameters, embedding->table + i,
                            tulle_rng_uniform(&draws) - 0.5);
    }
    double *front = new_values(&draws, network->arena_size); /* more than enough */
    tulle_arena_set_numbers(network, parameters, front);
    if (network->has_factors)
        tulle_arena_set_factors(network, parameters, front);
    free(front);
}

/* Zeros of either sign are the same: where padding is written to, some tables write more of it. */
static uint64_t hash_arena(uint64_t bits, const struct network *network, void *arena)
{
    for (size_t i = 0; arena && i < network->arena_size; i++)
        tulle_arena_set(network, arena, i, tulle_arena_get(network, arena, i) + 0.0);
    return arena ? hash_numbers(bits, network->precision, arena, network->arena_size) : bits;
}

/* The last `batch` rows. */
static struct results run(const struct plan *plan, const struct kernels *kernels, size_t batch,
                          const struct cut *cut)
{
    const struct tulle_trainer_options *o = &plan->options;
    struct network network = network_of(o);
    int is_in_place = tulle_optimizer_is_in_place(o, &network);
    struct workspace workspace;
    struct optimizer optimizer = {.m = NULL};
    const struct workspace_use use = {.samples = cut->samples,
                                      .threads = cut->threads,
                                      .is_training = 1,
                                      .targets = network.outputs,
                                      .keeps_gradients = !is_in_place};
    void *parameters = tulle_network_arena(&network);
    assert_non_null(parameters);
    randomize(&network, parameters);
    assert_int_equal(tulle_workspace_init(&workspace, &network, kernels, &use), TULLE_OK);
    if (!is_in_place)
        assert_true(tulle_optimizer_init(&optimizer, o, &network));
    tulle_optimizer_start_average(&optimizer, &network, parameters);
    if (cut->block)
        workspace.block = cut->block;
    struct pool *pool = tulle_pool_create(cut->runs);
    assert_non_null(pool);
    assert_int_equal(tulle_pool_threads(pool), cut->runs);

    size_t targets = tulle_loss_targets(&plan->loss, network.outputs);
    struct pass pass = {.network = &network,
                        .kernels = kernels,
                        .workspace = &workspace,
                        .parameters = parameters,
                        .x = {.matrix = tulle_f64(plan->x, ROWS, network.columns)},
                        .y = {.matrix = tulle_f64(plan->y, ROWS, targets)},
                        .weights = plan->weights,
                        .loss = plan->loss,
                        .drops = 1};
    struct step step = {.parameters = parameters,
                        .learning_rate = 0.004,
                        .regularization = 0.5,
                        .weight_alpha = 1 / (double)batch,
                        .bias_alpha = 1,
                        .keeps_gradients = !is_in_place,
                        .optimizer = is_in_place ? NULL : &optimizer};
    if (is_in_place)
        step.weight_alpha = step.bias_alpha = -0.1 / (double)batch;
    struct results results = {.bits = HASH_BEGIN};
    for (size_t s = 0; s < plan->steps; s++) {
        pass.dropout_key = 3 + s * network.layer_count;
        results.losses[s] = tulle_pass_step(&pass, pool, ROWS - batch, ROWS, &step);
    }
    pass.drops = 0;
    results.losses[plan->steps] = tulle_pass_loss(&pass, pool, ROWS - batch, ROWS);
    double *out = calloc(ROWS * network.outputs, sizeof *out);
    assert_non_null(out);
    tulle_pass_predict(&pass, pool, ROWS - batch, ROWS, tulle_f64_out(out, ROWS, network.outputs),
                       NULL);
    results.bits = hash_numbers(results.bits, TULLE_F64, out, ROWS * network.outputs);
    results.bits = hash_arena(results.bits, &network, parameters);
    results.bits = hash_arena(results.bits, &network, optimizer.m);
    results.bits = hash_arena(results.bits, &network, optimizer.v);
    results.bits = hash_arena(results.bits, &network, optimizer.average);
    free(out), tulle_free(parameters);
    tulle_pool_free(pool);
    tulle_optimizer_clear(&optimizer);
    tulle_workspace_clear(&workspace);
    tulle_network_clear(&network);
    return results;
}

static void assert_same(const struct plan *plan, const struct kernels *kernels, size_t batch,
                        const struct cut *cut, const struct results *expected)
{
    struct results found = run(plan, kernels, batch, cut);
    for (size_t i = 0; i <= plan->steps; i++)
        assert_true(isfinite(expected->losses[i]));
    if (memcmp(&found, expected, sizeof found) != 0)
        fail_msg("%s, %s, %s, %s: %zu samples on %u of %u threads, blocks of %zu, differ",
                 tulle_type_name(kernels->type), kernels->name, tulle_loss_name(plan->options.loss),
                 tulle_optimizer_name(plan->options.optimizer), batch, cut->runs, cut->threads,
                 cut->block);
}

/* --- Plain steps in all ways ------------------------------------------------------------------ */

/* Squared errors and plain descent on the inputs and targets of old. */
static struct plan plain_plan(const struct tulle_layer *layers, size_t layer_count,
                              enum tulle_type type)
{
    static double x[ROWS * INPUTS], y[ROWS * MOST_OUTPUTS];
    struct plan plan = {
        .options = network_options(INPUTS, layers, layer_count, type), .x = x, .y = y, .steps = 1};
    struct tulle_rng draws;
    tulle_rng_seed(&draws, 5);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = tulle_rng_uniform(&draws) - 0.5;
    for (size_t i = 0; i < ROWS * MOST_OUTPUTS; i++)
        y[i] = tulle_rng_uniform(&draws);
    return plan;
}

/* Each cut of each batch by each table: in the sample, on one of APART successive turns. */
static void check_cuts(const struct plan *plan, size_t turn)
{
    static const size_t blocks[] = {0, 7};
    enum tulle_type type = plan->options.precision;
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        struct results expected =
            run(plan, tables[type][0], batches[b], &(struct cut){batches[b], 1, 1, 0});
        size_t number = turn + b;
        for (size_t t = 0; t < table_counts[type]; t++)
            for (unsigned threads = 1; threads <= 3; threads++)
                for (unsigned runs = 1; runs <= threads; runs++)
                    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
                        /* More than fit a workspace, where these are to be cut smaller; else only
                         * as many as there are. */
                        size_t samples = blocks[i] ? 1000 : batches[b];
                        if (!is_sampled(number++, APART))
                            continue;
                        assert_same(plan, tables[type][t], batches[b],
                                    &(struct cut){samples, threads, runs, blocks[i]}, &expected);
                    }
    }
}

static void test_parts(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct plan plan =
                plain_plan(shapes[s].layers, shapes[s].layer_count, (enum tulle_type)type);
            check_cuts(&plan, s);
        }
}

/* A layer so large that a thread alone updates it piece by piece while it goes back. */
static void test_large_layer(void **state)
{
    enum { BATCH = 17 };
    static const size_t units[][2] = {{70, 1100}, {70, 1100}, {20, 4200}};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
            const struct tulle_layer layers[] = {{units[i][0], TULLE_ACTIVATION_TANH, 0, 0},
                                                 {units[i][1], TULLE_ACTIVATION_LEAKY_RELU, 0, 0},
                                                 {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
            struct plan plan = plain_plan(layers, 3, (enum tulle_type)type);
            plan.options.momentum = i == 1 ? 0.9 : 0;
            struct results expected =
                run(&plan, tables[type][0], BATCH, &(struct cut){BATCH, 1, 1, 0});
            for (size_t t = 0; t < table_counts[type]; t++) {
                assert_same(&plan, tables[type][t], BATCH, &(struct cut){BATCH, 1, 1, 0},
                            &expected);
                assert_same(&plan, tables[type][t], BATCH, &(struct cut){1000, 2, 2, 7}, &expected);
            }
        }
}

/* --- All there is ----------------------------------------------------------------------------- */

static const size_t numbers[] = {0, 3, 4, 12};
static const double knots[] = {-0.5, 0, 0.5, -0.25, 0.1, 0.7, -0.75, -0.5, -0.25, 0, 0.3, 0.4};

static const struct tulle_front fronts[] = {
    {0},
    {.has_factors = 1},
    {numbers, 4, 5, 19, 0.5, 0, NULL, 0, 1},
    {numbers, 4, 2, 3, 0.5, 0, NULL, 1, 2},
    {numbers, 4, 18, 0, 0, 2, knots, 1, 5},
};
enum { FRONTS = sizeof fronts / sizeof *fronts };

/* Every loss with every optimizer, and every activation, and every front: with weight decay,
 * clipping, averages, dropout, embeddings, parametric layers, weights of rows, label smoothing and
 * quantiles.
 */
static void check_all_features(enum tulle_type type, enum tulle_activation activation,
                               enum tulle_loss loss, enum tulle_optimizer optimizer,
                               const struct tulle_front *front)
{
    static const struct tulle_embedding embeddings[] = {{5, 3}, {2, 1}, {30, 20}};
    static const double quantiles[] = {0.1, 0.5, 0.9};
    static const size_t sizes[] = {1, 41};
    static size_t turn;
    const struct tulle_layer layers[] = {
        {37, activation, 1, 0.25}, {6, activation, 0, 0.5}, {20, activation, 1, 0}, {3, 0, 0, 0}};
    enum { COLUMNS = INPUTS + 3 };
    struct plan plan = {.options = network_options(INPUTS, layers, 4, type), .steps = 2};
    struct tulle_rng draws;
    tulle_rng_seed(&draws, 9);
    plan.options.embeddings = embeddings;
    plan.options.embedding_count = 3;
    plan.options.front = *front;
    plan.options.loss = loss;
    plan.options.optimizer = optimizer;
    plan.options.momentum = 0.9;
    plan.options.weight_decay = 0.01;
    plan.options.bias_learning_rate = 0.5;
    plan.options.bias_weight_decay = 0.25;
    plan.options.clip_norm = 0.125;
    plan.options.averaging = 0.75;
    plan.options.quantiles = quantiles;
    plan.options.quantile_count = 3;
    plan.loss = (struct loss){loss, 0, 0.5, 0.125, quantiles, 3};
    double *x = new_values(&draws, ROWS * COLUMNS), *y = new_targets(&draws, &plan.options, ROWS);
    double weights[ROWS];
    for (size_t r = 0; r < ROWS; r++) {
        weights[r] = (double)tulle_rng_integer(&draws, 8) / 4;
        for (size_t e = 0; e < 3; e++)
            x[r * COLUMNS + INPUTS + e] = (double)tulle_rng_integer(&draws, embeddings[e].levels);
    }
    plan.x = x;
    plan.y = y;
    plan.weights = weights;
    for (size_t b = 0; b < sizeof sizes / sizeof *sizes; b++) {
        struct results expected =
            run(&plan, tables[type][0], sizes[b], &(struct cut){sizes[b], 1, 1, 0});
        for (size_t t = 0; t < table_counts[type]; t++)
            for (unsigned threads = 1; threads <= 5; threads++) {
                size_t block = threads % 2 ? 7 : 0;
                if (!is_sampled(turn + b + t + threads, APART))
                    continue;
                assert_same(&plan, tables[type][t], sizes[b],
                            &(struct cut){block ? 1000 : sizes[b], threads, threads, block},
                            &expected);
            }
    }
    turn++;
    free(x), free(y);
}

static void test_all_features(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        for (int loss = 0; loss < LOSSES; loss++)
            for (int optimizer = 0; optimizer < OPTIMIZERS; optimizer++)
                check_all_features((enum tulle_type)type, TULLE_ACTIVATION_SILU,
                                   (enum tulle_loss)loss, (enum tulle_optimizer)optimizer,
                                   &fronts[0]);
        for (int activation = 0; activation < ACTIVATIONS; activation++)
            check_all_features((enum tulle_type)type, (enum tulle_activation)activation,
                               TULLE_LOSS_CROSS_ENTROPY, TULLE_OPTIMIZER_ADAM, &fronts[0]);
        for (size_t f = 1; f < FRONTS; f++) {
            check_all_features((enum tulle_type)type, TULLE_ACTIVATION_TANH, TULLE_LOSS_MSE,
                               TULLE_OPTIMIZER_ADAMW, &fronts[f]);
            check_all_features((enum tulle_type)type, TULLE_ACTIVATION_MISH,
                               TULLE_LOSS_CROSS_ENTROPY, TULLE_OPTIMIZER_SGD, &fronts[f]);
        }
    }
}

/* --- Overflow --------------------------------------------------------------------------------- */

/* A gradient that is infinite while the loss is finite: what it does to the padding, of which each
 * table writes another amount, must not reach the next step. */
static void test_infinite_gradient(void **state)
{
    const struct tulle_layer layers[] = {{1, TULLE_ACTIVATION_RELU, 0, 0},
                                         {1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    const struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F32);
    struct network network = network_of(&options);
    float x[INPUTS], y = 0;
    struct pool *pool = tulle_pool_create(1);
    double expected = 0;
    (void)state;
    for (size_t i = 0; i < INPUTS; i++)
        x[i] = 1;
    for (size_t t = 0; t < table_counts[TULLE_F32]; t++) {
        const struct kernels *kernels = tables[TULLE_F32][t];
        const struct workspace_use use = {
            .samples = 1, .threads = 1, .is_training = 1, .targets = 1};
        struct workspace workspace;
        float *parameters = tulle_network_arena(&network);
        assert_int_equal(tulle_workspace_init(&workspace, &network, kernels, &use), TULLE_OK);
        for (size_t i = 0; i < INPUTS; i++)
            parameters[tulle_weight_index(&network.layers[0], 0, i)] = 1;
        parameters[tulle_weight_index(&network.layers[1], 0, 0)] = 1e20f;
        struct pass pass = {.network = &network,
                            .kernels = kernels,
                            .workspace = &workspace,
                            .parameters = parameters,
                            .x = {.matrix = tulle_f32(x, 1, INPUTS)},
                            .y = {.matrix = tulle_f32(&y, 1, 1)}};
        tulle_pass_step(
            &pass, pool, 0, 1,
            &(struct step){.parameters = parameters, .weight_alpha = -0.01, .bias_alpha = -0.01});
        double loss = tulle_pass_loss(&pass, pool, 0, 1);
        assert_true(isfinite(loss));
        assert_true(t == 0 || loss == expected);
        expected = loss;
        tulle_free(parameters);
        tulle_workspace_clear(&workspace);
    }
    tulle_network_clear(&network);
    tulle_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_large_layer),
        cmocka_unit_test(test_all_features),
        cmocka_unit_test(test_infinite_gradient),
    };
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
