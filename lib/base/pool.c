/* pool.c - a persistent pool of threads that run one function together. */
#include "portability.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "memory.h"
#include "pool.h"

/* Words that threads wait on stand on cache lines of their own. */
struct word {
    _Alignas(TULLE_ALIGNMENT) atomic_uint value;
};

struct pool {
    struct word start;   /* advanced to begin a run */
    struct word arrived; /* threads that stand at the barrier */
    struct word phase;   /* advanced by the last of them */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned threads;
    int stop;
    pool_fn *function;
    void *context;
    struct worker {
        struct pool *pool;
        unsigned number;
        pthread_t handle;
    } * workers; /* (threads - 1), the numbers from 1 */
};

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Waits until word is no longer `old`: first spinning, since the others are a microsecond behind
 * as a rule, then asleep. */
static void wait_while(struct pool *pool, struct word *word, unsigned old)
{
    for (int i = 0; i < 2000; i++) {
        if (atomic_load_explicit(&word->value, memory_order_acquire) != old)
            return;
        pause_cpu();
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load_explicit(&word->value, memory_order_acquire) == old)
        pthread_cond_wait(&pool->changed, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

/* Under the mutex, so that no thread falls asleep between its last look and the change. */
static void advance(struct pool *pool, struct word *word)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add_explicit(&word->value, 1, memory_order_release);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
}

void tulle_pool_barrier(struct pool *pool)
{
    if (pool->threads == 1)
        return;
    unsigned phase = atomic_load_explicit(&pool->phase.value, memory_order_acquire);
    unsigned before = atomic_fetch_add_explicit(&pool->arrived.value, 1, memory_order_acq_rel);
    if (before + 1 == pool->threads) {
        atomic_store_explicit(&pool->arrived.value, 0, memory_order_relaxed);
        advance(pool, &pool->phase);
    } else {
        wait_while(pool, &pool->phase, phase);
    }
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    for (unsigned runs = 0;; runs++) {
        wait_while(pool, &pool->start, runs);
        if (pool->stop)
            return NULL;
        pool->function(pool, worker->number, pool->threads, pool->context);
        tulle_pool_barrier(pool);
    }
}

/* Ends the first `count` workers and frees the pool. */
static void stop(struct pool *pool, unsigned count)
{
    pool->stop = 1;
    advance(pool, &pool->start);
    for (unsigned i = 0; i < count; i++)
        pthread_join(pool->workers[i].handle, NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->workers);
    free(pool);
}

struct pool *tulle_pool_create(unsigned threads)
{
    struct pool *pool = tulle_calloc_aligned(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->workers = tulle_calloc(threads - 1, sizeof *pool->workers);
    if (!pool->workers) {
        stop(pool, 0);
        return NULL;
    }
    for (unsigned i = 0; i + 1 < threads; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].number = i + 1;
        if (pthread_create(&pool->workers[i].handle, NULL, work, &pool->workers[i]) != 0) {
            pool->threads = i + 1; /* those that started will do; none looks before a run begins */
            break;
        }
    }
    return pool;
}

void tulle_pool_free(struct pool *pool)
{
    if (pool)
        stop(pool, pool->threads - 1);
}

unsigned tulle_pool_threads(const struct pool *pool)
{
    return pool->threads;
}

void tulle_pool_run(struct pool *pool, pool_fn *function, void *context)
{
    if (pool->threads > 1) {
        pool->function = function;
        pool->context = context;
        advance(pool, &pool->start);
    }
    function(pool, 0, pool->threads, context);
    tulle_pool_barrier(pool);
}

void tulle_pool_share(unsigned thread, unsigned threads, size_t count, size_t group, size_t *begin,
                      size_t *end)
{
    size_t groups = count / group + (count % group != 0);
    size_t each = groups / threads, more = groups % threads;
    size_t first = thread * each + (thread < more ? thread : more);
    size_t last = first + each + (thread < more);
    *begin = first * group < count ? first * group : count;
    *end = last * group < count ? last * group : count;
}
