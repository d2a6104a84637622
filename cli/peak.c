/* peak.c - independent chains of fused multiply-adds that never leave their registers. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#else
#define _POSIX_C_SOURCE 200809L
#endif
#include "peak.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

double cli_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

unsigned cli_peak_cpus(void)
{
#if defined(__linux__)
    cpu_set_t set; /* too short on machines of more than 1024 CPUs, which sysconf counts then */
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}

/* --- One thread --- */

/* The command line turns fusing off; here it is what is wanted. */
#if defined(__clang__)
#define FUSE _Pragma("clang fp contract(fast)")
#define FOR(isa) __attribute__((target(isa), noinline))
#define FOR_ANY __attribute__((noinline))
#else
#define FUSE
#define FOR(isa) __attribute__((target(isa), optimize("O3", "fp-contract=fast"), noinline))
#define FOR_ANY __attribute__((optimize("O3", "fp-contract=fast"), noinline))
#endif

enum { ROUNDS = 40000 };

/* PROBE(name, attributes, number, bytes, chains): does ROUNDS multiply-adds in each of the chains,
 * on vectors of that many bytes; returns the operations done. The chains must outnumber latency
 * times operations a cycle and leave two registers: 12 of 16 for AVX2, 16 of 32 for the four pipes
 * of an Apple core. */
#define PROBE(name, attributes, number, bytes, chains)                                             \
    attributes static double name(void)                                                            \
    {                                                                                              \
        FUSE typedef number vec __attribute__((vector_size(bytes)));                               \
        vec x[chains], factor = (vec){0} + (number)0.999, term = (vec){0} + (number)1e-9;          \
        for (int i = 0; i < chains; i++)                                                           \
            x[i] = (vec){0} + (number)i;                                                           \
        for (int round = 0; round < ROUNDS; round++)                                               \
            for (int i = 0; i < chains; i++)                                                       \
                x[i] = x[i] * factor + term;                                                       \
        volatile number used = 0;                                                                  \
        for (int i = 0; i < chains; i++)                                                           \
            used += x[i][0];                                                                       \
        (void)used;                                                                                \
        return 2.0 * ROUNDS * chains * bytes / sizeof(number);                                     \
    }

typedef double probe(void);

struct level {
    const char *name;
    probe *probes[2]; /* by enum tulle_type */
    int (*runs_here)(void);
};

static int always(void)
{
    return 1;
}

#if defined(__aarch64__)
PROBE(probe_neon_f32, FOR_ANY, float, 16, 16)
PROBE(probe_neon_f64, FOR_ANY, double, 16, 16)
#else
PROBE(probe_generic_f32, FOR_ANY, float, 16, 12)
PROBE(probe_generic_f64, FOR_ANY, double, 16, 12)
#endif
#if defined(__x86_64__)
PROBE(probe_avx2_f32, FOR("avx2,fma"), float, 32, 12)
PROBE(probe_avx2_f64, FOR("avx2,fma"), double, 32, 12)
/* not covered: many CPUs have none of this */
PROBE(probe_avx512_f32, FOR("avx512f,fma"), float, 64, 12)
/* not covered: the same */
PROBE(probe_avx512_f64, FOR("avx512f,fma"), double, 64, 12)

/* The compiler's look at CPUID asks the operating system's XCR0, too. (not covered: CPUs differ) */
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* not covered: CPUs differ */
static int has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f");
}
#endif

static const struct level levels[] = {
#if defined(__aarch64__)
    {"neon", {probe_neon_f32, probe_neon_f64}, always},
#else
    {"generic", {probe_generic_f32, probe_generic_f64}, always},
#endif
#if defined(__x86_64__)
    {"avx2", {probe_avx2_f32, probe_avx2_f64}, has_avx2},
    {"avx512", {probe_avx512_f32, probe_avx512_f64}, has_avx512},
#endif
};

/* Wider is not always faster: some CPUs lower their clock for 512 bits, and some do them in halves.
 * A tie, as far as three tries can tell, goes to the wider. */
static const struct level *best_level(void)
{
    static const struct level *best;
    double most = 0;
    if (best)
        return best;
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        double speed = 0;
        for (int attempt = 0; levels[i].runs_here() && attempt < 3; attempt++) {
            double begin = cli_clock(), operations = 0;
            for (int type = TULLE_F32; type <= TULLE_F64; type++)
                operations += levels[i].probes[type]();
            double now = operations / (cli_clock() - begin);
            speed = fmax(speed, now);
        }
        if (speed > 0.95 * most) { /* not covered: which is best depends on the CPU */
            best = &levels[i];
            most = fmax(most, speed);
        }
    }
    return best;
}

const char *cli_peak_level(void)
{
    return best_level()->name;
}

/* --- Many threads --- */

struct runner {
    pthread_t thread;
    probe *run;
    unsigned number, of;
    atomic_uint *here; /* how many have arrived; they leave together */
    double begin, end, operations;
};

/* Left alone, a new thread often shares a CPU with another for longer than it lives. */
static void take_cpu(unsigned number)
{
#if defined(__linux__)
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    unsigned left = number % (unsigned)CPU_COUNT(&all);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all) || left-- > 0)
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
#else
    (void)number;
#endif
}

static void *run_together(void *argument)
{
    struct runner *runner = argument;
    take_cpu(runner->number);
    atomic_fetch_add(runner->here, 1);
    while (atomic_load(runner->here) < runner->of)
        sched_yield();
    runner->begin = cli_clock();
    runner->operations = runner->run();
    runner->end = cli_clock();
    return NULL;
}

static double peak_of_many(probe *run, unsigned threads)
{
    struct runner *runners = cli_allocate(threads, sizeof *runners);
    double begin = INFINITY, end = 0, operations = 0;
    atomic_uint here = 0;
    for (unsigned i = 0; i < threads; i++) {
        struct runner *runner = &runners[i];
        runner->run = run;
        runner->number = i;
        runner->of = threads;
        runner->here = &here;
        if (pthread_create(&runner->thread, NULL, run_together, runner) != 0)
            exit(cli_failure("cannot start %u threads", threads));
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(runners[i].thread, NULL);
        begin = fmin(begin, runners[i].begin);
        end = fmax(end, runners[i].end);
        operations += runners[i].operations;
    }
    free(runners);
    return operations / (end - begin);
}

/* One thread stays on the CPU where the work beside it runs, too. */
double cli_peak(enum tulle_type type, unsigned threads)
{
    probe *run = best_level()->probes[type];
    if (threads > 1)
        return peak_of_many(run, threads);
    double begin = cli_clock(), operations = run();
    return operations / (cli_clock() - begin);
}
