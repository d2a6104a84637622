/* test_pool.c - the thread pool, and a whole step on more threads than the machine has CPUs. */
#if defined(__linux__)
#define _GNU_SOURCE /* pthread_setattr_default_np */
#endif
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
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

enum { ROUNDS = 50, MOST_THREADS = 33 };

struct relay {
    atomic_uint calls;
    unsigned threads; /* of the last run */
    unsigned values[MOST_THREADS];
};

/* Long enough for those who wait to fall asleep. */
static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
}

/* In each round a thread reads what its neighbour wrote in the round before. Now and then one keeps
 * the others waiting. */
static void pass_on(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    struct relay *relay = context;
    atomic_fetch_add(&relay->calls, 1);
    if (thread == 0)
        relay->threads = threads;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned next = relay->values[(thread + 1) % threads] + 1;
        if (round % 16 == 3 && round / 16 % threads == thread)
            nap();
        tulle_pool_barrier(pool);
        relay->values[thread] = next;
        tulle_pool_barrier(pool);
    }
}

static void test_barrier(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= MOST_THREADS; threads = 2 * threads + 1) {
        enum { RUNS = 5 };
        struct pool *pool = tulle_pool_create(threads);
        assert_non_null(pool);
        assert_int_equal(tulle_pool_threads(pool), threads);
        struct relay relay = {0};
        for (int run = 0; run < RUNS; run++) {
            tulle_pool_run(pool, pass_on, &relay);
            if (run == 2)
                nap();
        }
        assert_int_equal(atomic_load(&relay.calls), RUNS * threads);
        for (unsigned t = 0; t < threads; t++)
            assert_int_equal(relay.values[t], RUNS * ROUNDS);
        tulle_pool_free(pool);
    }
}

/* Runs of one round, thousands one after the other: no thread is lost or comes twice. */
static void count_calls(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    unsigned *calls = context; /* one of each thread, and what thread 0 found of all */
    calls[thread]++;
    tulle_pool_barrier(pool);
    if (thread == 0)
        for (unsigned t = 0; t < threads; t++)
            calls[MOST_THREADS] += calls[t];
}

static void test_many_runs(void **state)
{
    (void)state;
    for (unsigned threads = 2; threads <= 8; threads += 3) {
        enum { RUNS = 1000 };
        unsigned calls[MOST_THREADS + 1] = {0};
        struct pool *pool = tulle_pool_create(threads);
        for (int run = 0; run < RUNS; run++)
            tulle_pool_run(pool, count_calls, calls);
        for (unsigned t = 0; t < threads; t++)
            assert_int_equal(calls[t], RUNS);
        assert_int_equal(calls[MOST_THREADS], threads * RUNS * (RUNS + 1) / 2);
        tulle_pool_free(pool);
    }
}

/* One run of so much work; returns its threads, whose values must all have gone round. */
static unsigned threads_of(struct pool *pool, double operations)
{
    struct relay relay = {0};
    tulle_pool_run_work(pool, operations, pass_on, &relay);
    assert_int_equal(atomic_load(&relay.calls), relay.threads);
    for (unsigned t = 0; t < relay.threads; t++)
        assert_int_equal(relay.values[t], ROUNDS);
    return relay.threads;
}

/* A pool that adapts takes no more threads than the work pays for; how many of those depends on the
 * machine, but both ways are tried. The other threads sleep on and are there for the next run. */
static void test_adaptation(void **state)
{
    (void)state;
    struct pool *pool = tulle_pool_create(5);
    unsigned seen[6] = {0};
    assert_int_equal(threads_of(pool, 0), 5);
    assert_int_equal(threads_of(pool, 1e12), 5);
    tulle_pool_adapt(pool);
    for (int run = 0; run < 20; run++) {
        assert_int_equal(threads_of(pool, 1e3), 1);
        assert_int_equal(threads_of(pool, 1e12), 5);
        seen[threads_of(pool, 6.5e6)]++;
    }
    assert_int_equal(seen[1] + seen[3], 20); /* how many of each is up to the clock */
    struct relay relay = {0};
    tulle_pool_run(pool, pass_on, &relay);
    assert_int_equal(relay.threads, 5);
    tulle_pool_free(pool);
}

struct masks {
    sigset_t of[MOST_THREADS];
};

static void get_mask(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    (void)pool;
    (void)threads;
    pthread_sigmask(SIG_BLOCK, NULL, &((struct masks *)context)->of[thread]);
}

/* The program's signals go to the program's threads, but a worker's own faults are its own. */
static void test_signals(void **state)
{
    static const int sent[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGWINCH};
    static const int raised[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    (void)state;
    struct masks masks;
    struct pool *pool = tulle_pool_create(3);
    tulle_pool_run(pool, get_mask, &masks);
    for (unsigned t = 0; t < 3; t++) {
        for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++)
            assert_int_equal(sigismember(&masks.of[t], sent[i]), t > 0);
        for (size_t i = 0; i < sizeof raised / sizeof raised[0]; i++)
            assert_int_equal(sigismember(&masks.of[t], raised[i]), 0);
    }
    tulle_pool_free(pool);
}

/* Where the system gives fewer threads, those must do: here stacks of 16 TB, of which a few fit at
 * most. An emulator may look for the place of such a stack for minutes. */
static void test_too_few(void **state)
{
    (void)state;
#if defined(__GLIBC__) && SIZE_MAX > UINT32_MAX && !defined(TULLE_EMULATED)
    enum { ASKED = 20 };
    pthread_attr_t usual, huge;
    assert_int_equal(pthread_getattr_default_np(&usual), 0);
    assert_int_equal(pthread_getattr_default_np(&huge), 0);
    assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 44), 0);
    assert_int_equal(pthread_setattr_default_np(&huge), 0);
    struct pool *pool = tulle_pool_create(ASKED);
    assert_int_equal(pthread_setattr_default_np(&usual), 0);
    assert_non_null(pool);
    unsigned threads = tulle_pool_threads(pool);
    assert_true(threads >= 1 && threads < ASKED);
    struct relay relay = {0};
    tulle_pool_run(pool, pass_on, &relay);
    assert_int_equal(relay.threads, threads);
    assert_int_equal(atomic_load(&relay.calls), threads);
    tulle_pool_free(pool);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
    print_message("%u of %d threads\n", threads, ASKED);
#else
    skip();
#endif
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
    const struct tulle_layer layers[] = {{37, TULLE_ACTIVATION_TANH, 0, 0},
                                         {50, TULLE_ACTIVATION_RELU, 0, 0},
                                         {OUTPUTS, TULLE_ACTIVATION_LOGISTIC, 0, 0}};
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

    const struct network_shape shape = {type, INPUTS, 0, 3, NULL, layers};
    const struct workspace_use use = {
        .samples = ROWS, .threads = threads, .is_training = 1, .targets = OUTPUTS};
    assert_int_equal(tulle_network_init(&network, &shape, NULL), TULLE_OK);
    assert_int_equal(tulle_workspace_init(&workspace, &network, table, &use), TULLE_OK);
    void *parameters = tulle_network_arena(&network);
    for (size_t l = 0; l < 3; l++)
        for (size_t u = 0; u < network.layers[l].units; u++)
            for (size_t i = 0; i < network.layers[l].inputs; i++)
                tulle_arena_set(&network, parameters, tulle_weight_index(&network.layers[l], u, i),
                                tulle_rng_uniform(&rng) - 0.5);

    struct pool *pool = tulle_pool_create(threads);
    struct pass pass = {.network = &network,
                        .kernels = table,
                        .workspace = &workspace,
                        .parameters = parameters,
                        .x = {.matrix = tulle_f64(x, ROWS, INPUTS)},
                        .y = {.matrix = tulle_f64(y, ROWS, OUTPUTS)}};
    const struct step sgd = {.parameters = parameters, .weight_alpha = -0.05, .bias_alpha = -0.05};
    set_mode(mode);
    for (int step = 0; step < 3; step++)
        tulle_pass_step(&pass, pool, 0, ROWS - (size_t)step * 97, &sgd);
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
                tulle_free(parameters);
            }
        tulle_free(expected);
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
            tulle_free(found);
        }
        tulle_free(expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_share),     cmocka_unit_test(test_barrier),
        cmocka_unit_test(test_many_runs), cmocka_unit_test(test_adaptation),
        cmocka_unit_test(test_signals),   cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_float_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
