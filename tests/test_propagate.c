/* test_propagate.c - that a batch's bits do not depend on the parts in which it is computed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/net/propagate.h"

enum { INPUTS = 13, ROWS = 301, MOST_OUTPUTS = 9 };

static const size_t batches[] = {1, 2, 3, 5, 17, ROWS};

/* Layers with fewer units than a vector has lanes, with some more than several have, and both. */
static const struct shape {
    size_t layer_count;
    struct tulle_layer layers[4];
} shapes[] = {
    {3, {{5, TULLE_ACTIVATION_TANH}, {3, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}}},
    {3,
     {{200, TULLE_ACTIVATION_RELU},
      {65, TULLE_ACTIVATION_LEAKY_RELU},
      {9, TULLE_ACTIVATION_IDENTITY}}},
    {4,
     {{37, TULLE_ACTIVATION_TANH},
      {6, TULLE_ACTIVATION_LEAKY_RELU},
      {50, TULLE_ACTIVATION_RELU},
      {3, TULLE_ACTIVATION_LOGISTIC}}},
};

/* How a batch is cut: a workspace for so many samples and threads, of which `runs` take part; each
 * takes `block` samples at a time, where that is not 0. */
struct cut {
    size_t samples;
    unsigned threads, runs;
    size_t block;
};

/* What comes of a batch. */
struct results {
    size_t bytes;
    void *parameters; /* after a step */
    double losses[2]; /* before it and after it */
    double out[ROWS * MOST_OUTPUTS];
};

static void run(const struct network *network, const struct kernels *kernels, size_t batch,
                const struct cut *cut, struct results *results)
{
    double x[ROWS * INPUTS], y[ROWS * MOST_OUTPUTS];
    struct workspace workspace;
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 5);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = tulle_rng_uniform(&rng) - 0.5;
    for (size_t i = 0; i < ROWS * MOST_OUTPUTS; i++)
        y[i] = tulle_rng_uniform(&rng);
    void *parameters = tulle_network_arena(network);
    assert_non_null(parameters);
    for (size_t l = 0; l < network->layer_count; l++)
        for (size_t u = 0; u < network->layers[l].units; u++)
            for (size_t i = 0; i < network->layers[l].inputs; i++)
                tulle_arena_set(network, parameters, tulle_weight_index(&network->layers[l], u, i),
                                tulle_rng_uniform(&rng) - 0.5);

    assert_int_equal(
        tulle_workspace_init(&workspace, network, kernels, cut->samples, cut->threads, 1),
        TULLE_OK);
    if (cut->block)
        workspace.block = cut->block;
    struct pool *pool = tulle_pool_create(cut->runs);
    assert_non_null(pool);
    assert_int_equal(tulle_pool_threads(pool), cut->runs);
    struct pass pass = {.network = network,
                        .kernels = kernels,
                        .workspace = &workspace,
                        .parameters = parameters,
                        .x = {.matrix = tulle_f64(x, ROWS, INPUTS)},
                        .y = {.matrix = tulle_f64(y, ROWS, network->outputs)}};
    double alpha = -0.1 / (double)batch;
    *results = (struct results){.parameters = parameters,
                                .bytes = network->arena_size * tulle_type_size(kernels->type)};
    results->losses[0] = tulle_pass_step(&pass, pool, ROWS - batch, ROWS, parameters, alpha, alpha);
    results->losses[1] = tulle_pass_loss(&pass, pool, ROWS - batch, ROWS);
    tulle_pass_predict(&pass, pool, ROWS - batch, ROWS,
                       tulle_f64_out(results->out, ROWS, network->outputs), NULL);
    tulle_pool_free(pool);
    tulle_workspace_clear(&workspace);
}

static void check_cuts(const struct network *network, const struct kernels *kernels)
{
    static const size_t blocks[] = {0, 7};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        struct results expected, found;
        run(network, kernels, batches[b], &(struct cut){batches[b], 1, 1, 0}, &expected);
        for (unsigned threads = 1; threads <= 3; threads++)
            for (unsigned runs = 1; runs <= threads; runs++)
                for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
                    /* More than fit a workspace, where these are to be cut smaller; else only as
                     * many as there are. */
                    size_t samples = blocks[i] ? 1000 : batches[b];
                    run(network, kernels, batches[b],
                        &(struct cut){samples, threads, runs, blocks[i]}, &found);
                    assert_true(found.losses[0] == expected.losses[0]);
                    assert_true(found.losses[1] == expected.losses[1]);
                    assert_memory_equal(found.out, expected.out, sizeof found.out);
                    assert_memory_equal(found.parameters, expected.parameters, expected.bytes);
                    free(found.parameters);
                }
        free(expected.parameters);
    }
}

static const char *const tables[] = {"generic", "avx2", "avx512", "neon"};

static void test_parts(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            struct network network;
            assert_int_equal(tulle_network_init(&network, INPUTS, shapes[s].layers,
                                                shapes[s].layer_count, type, NULL),
                             TULLE_OK);
            for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
                if (tulle_kernels_by_name(tables[t], type))
                    check_cuts(&network, tulle_kernels_by_name(tables[t], type));
            tulle_network_clear(&network);
        }
}

/* A layer so large that a thread alone updates it piece by piece while it goes back. */
static void test_large_layer(void **state)
{
    enum { BATCH = 17 };
    const struct tulle_layer layers[] = {{70, TULLE_ACTIVATION_TANH},
                                         {1100, TULLE_ACTIVATION_LEAKY_RELU},
                                         {2, TULLE_ACTIVATION_IDENTITY}};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        struct network network;
        assert_int_equal(tulle_network_init(&network, INPUTS, layers, 3, type, NULL), TULLE_OK);
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
            const struct kernels *kernels = tulle_kernels_by_name(tables[t], type);
            struct results alone, together;
            if (!kernels)
                continue;
            run(&network, kernels, BATCH, &(struct cut){BATCH, 1, 1, 0}, &alone);
            run(&network, kernels, BATCH, &(struct cut){1000, 2, 2, 7}, &together);
            assert_true(alone.losses[0] == together.losses[0]);
            assert_true(alone.losses[1] == together.losses[1]);
            assert_memory_equal(alone.parameters, together.parameters, alone.bytes);
            free(alone.parameters), free(together.parameters);
        }
        tulle_network_clear(&network);
    }
}

/* A gradient that is infinite while the loss is finite: what it does to the padding, of which each
 * table writes another amount, must not reach the next step. */
static void test_infinite_gradient(void **state)
{
    const struct tulle_layer layers[] = {{1, TULLE_ACTIVATION_RELU},
                                         {1, TULLE_ACTIVATION_IDENTITY}};
    float x[INPUTS], y = 0;
    struct network network;
    struct pool *pool = tulle_pool_create(1);
    double expected = 0;
    (void)state;
    for (size_t i = 0; i < INPUTS; i++)
        x[i] = 1;
    assert_int_equal(tulle_network_init(&network, INPUTS, layers, 2, TULLE_F32, NULL), TULLE_OK);
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        const struct kernels *kernels = tulle_kernels_by_name(tables[t], TULLE_F32);
        struct workspace workspace;
        if (!kernels)
            continue;
        float *parameters = tulle_network_arena(&network);
        assert_int_equal(tulle_workspace_init(&workspace, &network, kernels, 1, 1, 1), TULLE_OK);
        for (size_t i = 0; i < INPUTS; i++)
            parameters[tulle_weight_index(&network.layers[0], 0, i)] = 1;
        parameters[tulle_weight_index(&network.layers[1], 0, 0)] = 1e20f;
        struct pass pass = {.network = &network,
                            .kernels = kernels,
                            .workspace = &workspace,
                            .parameters = parameters,
                            .x = {.matrix = tulle_f32(x, 1, INPUTS)},
                            .y = {.matrix = tulle_f32(&y, 1, 1)}};
        tulle_pass_step(&pass, pool, 0, 1, parameters, -0.01, -0.01);
        double loss = tulle_pass_loss(&pass, pool, 0, 1);
        assert_true(isfinite(loss));
        assert_true(t == 0 || loss == expected);
        expected = loss;
        free(parameters);
        tulle_workspace_clear(&workspace);
    }
    tulle_network_clear(&network);
    tulle_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts),
                                       cmocka_unit_test(test_large_layer),
                                       cmocka_unit_test(test_infinite_gradient)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
