/* test_pool.c - the thread pool, and a whole step on more threads than the machine has CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/pool.h"
#include "../lib/net/propagate.h"

/* Every item is in one share, in order, and shares begin at whole groups. */
static void test_share(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads < 9; threads++)
        for (size_t group = 1; group < 18; group += 4)
            for (size_t count = 0; count < 100; count++) {
                size_t expected = 0;
                for (unsigned t = 0; t < threads; t++) {
                    size_t begin, end;
                    tulle_pool_share(t, threads, count, group, &begin, &end);
                    assert_int_equal(begin, expected);
                    assert_true(begin % group == 0 || begin == count);
                    assert_true(end >= begin);
                    expected = end;
                }
                assert_int_equal(expected, count);
            }
}

struct relay {
    atomic_uint calls;
    unsigned values[16];
};

/* In each round a thread reads what its neighbour wrote in the round before. */
static void pass_on(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    struct relay *relay = context;
    atomic_fetch_add(&relay->calls, 1);
    for (int round = 0; round < 50; round++) {
        unsigned next = relay->values[(thread + 1) % threads] + 1;
        tulle_pool_barrier(pool);
        relay->values[thread] = next;
        tulle_pool_barrier(pool);
    }
}

static void test_barrier(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 7; threads += 2) {
        struct pool *pool = tulle_pool_create(threads);
        assert_non_null(pool);
        assert_int_equal(tulle_pool_threads(pool), threads);
        struct relay relay = {0};
        for (int run = 0; run < 5; run++)
            tulle_pool_run(pool, pass_on, &relay);
        assert_int_equal(atomic_load(&relay.calls), 5 * threads);
        for (unsigned t = 0; t < threads; t++)
            assert_int_equal(relay.values[t], 250);
        tulle_pool_free(pool);
    }
}

/* The host program's floating-point mode, where a test can set it. */
#if defined(__x86_64__)
#include <xmmintrin.h>
#define get_mode _mm_getcsr
#define set_mode _mm_setcsr
enum { USUAL_MODE = 0x1f80, ODD_MODE = 0x1f80 | 0x6000 | 0x8040 /* toward zero, no denormals */ };
#else
enum { USUAL_MODE, ODD_MODE = USUAL_MODE };
static unsigned get_mode(void)
{
    return USUAL_MODE;
}
static void set_mode(unsigned mode)
{
    (void)mode;
}
#endif

/* Three steps of a network on a pool of so many threads; returns the parameters' arena. */
static void *train(unsigned threads, unsigned mode, const char *kernels, enum tulle_type type,
                   size_t *bytes)
{
    enum { INPUTS = 13, OUTPUTS = 3, ROWS = 301 };
    const struct tulle_layer layers[] = {{37, TULLE_ACTIVATION_TANH},
                                         {50, TULLE_ACTIVATION_RELU},
                                         {OUTPUTS, TULLE_ACTIVATION_LOGISTIC}};
    struct network network;
    struct workspace workspace;
    struct tulle_rng rng;
    double x[ROWS * INPUTS], y[ROWS * OUTPUTS];
    const struct kernels *table = tulle_kernels_by_name(kernels, type);
    if (!table)
        return NULL;
    tulle_rng_seed(&rng, 3);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        x[i] = tulle_rng_uniform(&rng) - 0.5;
    for (size_t i = 0; i < ROWS * OUTPUTS; i++)
        y[i] = tulle_rng_uniform(&rng);

    assert_int_equal(tulle_network_init(&network, INPUTS, layers, 3, type, NULL), TULLE_OK);
    assert_int_equal(tulle_workspace_init(&workspace, &network, ROWS, 1), TULLE_OK);
    void *parameters = tulle_network_arena(&network);
    for (size_t l = 0; l < 3; l++)
        for (size_t u = 0; u < network.layers[l].units; u++)
            for (size_t i = 0; i < network.layers[l].inputs; i++)
                tulle_arena_set(&network, parameters,
                                network.layers[l].weights + u * network.layers[l].stride + i,
                                tulle_rng_uniform(&rng) - 0.5);

    struct pool *pool = tulle_pool_create(threads);
    struct pass pass = {.network = &network,
                        .kernels = table,
                        .workspace = &workspace,
                        .parameters = parameters,
                        .x = {.matrix = tulle_f64(x, ROWS, INPUTS)},
                        .y = {.matrix = tulle_f64(y, ROWS, OUTPUTS)}};
    set_mode(mode);
    for (int step = 0; step < 3; step++)
        tulle_pass_step(&pass, pool, 0, ROWS - (size_t)step * 97, parameters, -0.05, -0.05);
    assert_int_equal(get_mode() & ~0x3fu, mode); /* as it was, but for the flags of exceptions */
    set_mode(USUAL_MODE);
    *bytes = network.arena_size * tulle_type_size(type);
    tulle_pool_free(pool);
    tulle_workspace_clear(&workspace);
    tulle_network_clear(&network);
    return parameters;
}

static void test_same_bits(void **state)
{
    (void)state;
    static const char *const kernels[] = {"generic", "avx2", "avx512"};
    for (enum tulle_type type = TULLE_F32; type <= TULLE_F64; type++) {
        size_t bytes;
        void *expected = train(1, USUAL_MODE, "generic", type, &bytes);
        for (size_t k = 0; k < 3; k++)
            for (unsigned threads = 1; threads <= 7; threads++) {
                void *parameters = train(threads, USUAL_MODE, kernels[k], type, &bytes);
                if (parameters)
                    assert_memory_equal(parameters, expected, bytes);
                free(parameters);
            }
        free(expected);
    }
}

/* Nor does it matter in which floating-point mode the host program runs. */
static void test_float_mode(void **state)
{
    (void)state;
    for (enum tulle_type type = TULLE_F32; type <= TULLE_F64; type++) {
        size_t bytes;
        void *expected = train(1, USUAL_MODE, "generic", type, &bytes);
        for (unsigned threads = 1; threads <= 2; threads++) {
            void *found = train(threads, ODD_MODE, "generic", type, &bytes);
            assert_memory_equal(found, expected, bytes);
            free(found);
        }
        free(expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_barrier),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_float_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
