/* pool.c - a persistent pool of threads that run one function together. */
#include "portability.h"

#if defined(__linux__)
#define _GNU_SOURCE /* syscall, sched_getcpu */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"
#include "pace.h"
#include "pool.h"

/* --- Words that threads wait on -------------------------------------------------------------- */

/* An even number that one thread at a time advances, on cache lines of its own. It is one more
 * while somebody sleeps, so that whoever advances it need call nobody where nobody does. */
struct word {
    _Alignas(TULLE_ALIGNMENT) atomic_uint value;
#if !defined(__linux__)
    pthread_mutex_t mutex;
    pthread_cond_t changed;
#endif
};

/* sleep_while sleeps until word is no longer `value`, or by chance not quite so long. */
#if defined(__linux__)
static void open_word(struct word *word)
{
    (void)word;
}

static void close_word(struct word *word)
{
    (void)word;
}

static void sleep_while(struct word *word, unsigned value)
{
    syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(struct word *word)
{
    syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
#else
static void open_word(struct word *word)
{
    pthread_mutex_init(&word->mutex, NULL);
    pthread_cond_init(&word->changed, NULL);
}

static void close_word(struct word *word)
{
    pthread_cond_destroy(&word->changed);
    pthread_mutex_destroy(&word->mutex);
}

static void sleep_while(struct word *word, unsigned value)
{
    pthread_mutex_lock(&word->mutex);
    if (atomic_load_explicit(&word->value, memory_order_relaxed) == value)
        pthread_cond_wait(&word->changed, &word->mutex);
    pthread_mutex_unlock(&word->mutex);
}

/* Under the mutex, so that no thread falls asleep between its last look and the change. */
static void wake_all(struct word *word)
{
    pthread_mutex_lock(&word->mutex);
    pthread_cond_broadcast(&word->changed);
    pthread_mutex_unlock(&word->mutex);
}
#endif

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb"); /* yield does nothing on most; this takes some 10 ns */
#endif
}

/* Waits until word has advanced from `old`: first spinning, since the others are a microsecond
 * behind as a rule; then letting a thread run that may want this CPU; then asleep. */
static void wait_while(struct word *word, unsigned old)
{
    enum { SPINS = 2000, YIELDS = 4 };
    for (int i = 0; i < SPINS + YIELDS; i++) {
        if ((atomic_load_explicit(&word->value, memory_order_acquire) & ~1u) != old)
            return;
        if (i < SPINS)
            pause_cpu();
        else
            sched_yield();
    }
    for (;;) {
        unsigned seen = old;
        if (!atomic_compare_exchange_strong_explicit(&word->value, &seen, old + 1,
                                                     memory_order_acquire, memory_order_acquire) &&
            seen != old + 1)
            return;
        sleep_while(word, old + 1);
    }
}

static void advance(struct word *word)
{
    unsigned next = (atomic_load_explicit(&word->value, memory_order_relaxed) | 1) + 1;
    if (atomic_exchange_explicit(&word->value, next, memory_order_acq_rel) & 1)
        wake_all(word);
}

/* --- The pool -------------------------------------------------------------------------------- */

enum { PACES = 64 };

struct pool {
    struct word phase;   /* advanced by the last thread that comes to a barrier */
    struct word arrived; /* how many have come; nobody waits on it */
    pid_t process;       /* that has the threads: a child of it has the pool alone */
    unsigned threads;
    unsigned running; /* threads of the run */
    int adapts, stops;
    int cpu; /* on which the caller was when the run began */
    pool_fn *function;
    void *context;
    struct worker {
        struct word start; /* advanced to begin a run */
        struct pool *pool;
        unsigned number;
        pthread_t handle;
    } * workers;              /* (threads - 1), the numbers from 1 */
    struct pace paces[PACES]; /* of runs of 2^i operations and more, whatever they do */
};

/* Counts the calling thread in. Returns whether it is the last, and everybody may go on. */
static int arrive(struct pool *pool)
{
    unsigned expected = pool->running; /* read first: afterwards another run may begin */
    unsigned before = atomic_fetch_add_explicit(&pool->arrived.value, 1, memory_order_acq_rel);
    if (before + 1 < expected)
        return 0;
    atomic_store_explicit(&pool->arrived.value, 0, memory_order_relaxed);
    advance(&pool->phase);
    return 1;
}

void tulle_pool_barrier(struct pool *pool)
{
    if (pool->running == 1)
        return;
    unsigned phase = atomic_load_explicit(&pool->phase.value, memory_order_acquire) & ~1u;
    if (!arrive(pool))
        wait_while(&pool->phase, phase);
}

#if defined(__linux__)
/* The CPU that the thread runs on. */
static int this_cpu(void)
{
    return sched_getcpu();
}

/* Moves the thread to another CPU, if it may use one. A thread that has been woken often begins on
 * the CPU of the one that woke it, and two threads that spin there wait for each other's slices.
 * (not covered: what becomes of it depends on the machine) */
static void leave_cpu(int cpu)
{
    cpu_set_t all, others;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    others = all;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
        sched_setaffinity(0, sizeof all, &all);
}
#else
static int this_cpu(void)
{
    return -1;
}

static void leave_cpu(int cpu)
{
    (void)cpu;
}
#endif

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    for (unsigned start = 0;; start += 2) {
        wait_while(&worker->start, start);
        if (pool->stops)
            return NULL;
        if (pool->cpu >= 0 && pool->cpu == this_cpu()) /* not covered: a matter of chance */
            leave_cpu(pool->cpu);
        pool->function(pool, worker->number, pool->running, pool->context);
        arrive(pool); /* the caller alone waits for the others at the end */
    }
}

/* The worker's thread takes no signals but those that it raises itself: handlers of the program
 * run on the program's threads. */
static int start_thread(struct worker *worker)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&blocked, own[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    int error = pthread_create(&worker->handle, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct pool *tulle_pool_create(unsigned threads)
{
    struct pool *pool = tulle_calloc_aligned(1, sizeof *pool);
    if (!pool)
        return NULL;
    open_word(&pool->phase);
    pool->process = getpid();
    pool->threads = 1;
    pool->workers = tulle_calloc_aligned(threads - 1, sizeof *pool->workers);
    if (!pool->workers) {
        tulle_pool_free(pool);
        return NULL;
    }
    for (; pool->threads < threads; pool->threads++) {
        struct worker *worker = &pool->workers[pool->threads - 1];
        worker->pool = pool;
        worker->number = pool->threads;
        open_word(&worker->start);
        if (start_thread(worker) != 0) { /* those that started will do */
            close_word(&worker->start);
            break;
        }
    }
    return pool;
}

static int is_at_home(const struct pool *pool)
{
    return pool->process == getpid();
}

static void stop_threads(struct pool *pool)
{
    pool->stops = 1;
    for (unsigned i = 0; i + 1 < pool->threads; i++)
        advance(&pool->workers[i].start);
    for (unsigned i = 0; i + 1 < pool->threads; i++) {
        pthread_join(pool->workers[i].handle, NULL);
        close_word(&pool->workers[i].start);
    }
    close_word(&pool->phase);
}

void tulle_pool_free(struct pool *pool)
{
    if (!pool)
        return;
    if (is_at_home(pool))
        stop_threads(pool);
    tulle_free(pool->workers);
    tulle_free(pool);
}

unsigned tulle_pool_threads(const struct pool *pool)
{
    return pool->threads;
}

/* --- Runs ------------------------------------------------------------------------------------ */

static void run(struct pool *pool, unsigned threads, pool_fn *function, void *context)
{
    if (threads > 1 && !is_at_home(pool))
        threads = 1;
    pool->running = threads;
    pool->function = function;
    pool->context = context;
    pool->cpu = threads > 1 ? this_cpu() : -1;
    for (unsigned i = 0; i + 1 < threads; i++)
        advance(&pool->workers[i].start);
    function(pool, 0, threads, context);
    tulle_pool_barrier(pool);
}

void tulle_pool_run(struct pool *pool, pool_fn *function, void *context)
{
    run(pool, pool->threads, function, context);
}

void tulle_pool_adapt(struct pool *pool)
{
    pool->adapts = 1;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void tulle_pool_run_work(struct pool *pool, double operations, pool_fn *function, void *context)
{
    /* Of operations for each thread: 10 ms of work pay for a CPU that another process takes away
     * meanwhile. */
    const double ample = 1e9;
    double paid = pool->adapts ? operations / TULLE_POOL_LEAST_WORK : pool->threads;
    unsigned threads = paid >= pool->threads ? pool->threads : paid > 1 ? (unsigned)paid : 1;
    if (threads == 1 || !pool->adapts || operations > ample * threads) {
        run(pool, threads, function, context);
        return;
    }
    struct pace *pace = &pool->paces[ilogb(operations)];
    double begin = seconds();
    run(pool, pace->together ? threads : 1, function, context);
    tulle_pace_note(pace, operations, seconds() - begin);
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
