/*
 * pool.h - a persistent pool of threads that run one function together.
 *
 * Every thread of a run, the caller included, runs the same function with its own number and takes
 * its share of the work by it; a barrier stands between parts that need each other's results.
 * Threads that wait spin for some 50 us and then sleep. Only the caller's thread takes signals. In
 * a child process, where a fork() leaves the others behind, the caller's thread runs alone.
 */
#ifndef TULLE_POOL_H
#define TULLE_POOL_H

#include <stddef.h>

struct pool;

typedef void pool_fn(struct pool *pool, unsigned thread, unsigned threads, void *context);

/* A pool of `threads` threads, the caller's counted, or of fewer where the system gives no more;
 * NULL if there is no memory. */
struct pool *tulle_pool_create(unsigned threads);
void tulle_pool_free(struct pool *pool);
unsigned tulle_pool_threads(const struct pool *pool);

/* Runs function on every thread and returns when all have finished. */
void tulle_pool_run(struct pool *pool, pool_fn *function, void *context);

/* From now on tulle_pool_run_work takes only the threads that pay; until then, all. */
void tulle_pool_adapt(struct pool *pool);

/* Floating-point operations that a thread must have to do: some 20 us, which pay for the barriers.
 */
#define TULLE_POOL_LEAST_WORK 2e6

/* Runs function, that has so many floating-point operations to do, on as many threads as they pay
 * for: few threads for little work, and the caller's alone where others are found to slow it down
 * (see pace.h). */
void tulle_pool_run_work(struct pool *pool, double operations, pool_fn *function, void *context);

/* Inside a running function: returns when every thread of the run has called it. */
void tulle_pool_barrier(struct pool *pool);

/* Thread number `thread`'s share [*begin, *end) of count items that come in groups of `group`:
 * whole groups, the numbers of which differ by one at most. */
void tulle_pool_share(unsigned thread, unsigned threads, size_t count, size_t group, size_t *begin,
                      size_t *end);

#endif
