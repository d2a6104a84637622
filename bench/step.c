/*
 * step.c - a training step of the notebook's network in per cent of the machine's multiply-add
 * peak.
 *
 * The peak is measured beside every figure, on the same thread: shared machines change their speed
 * from second to second, and a ratio taken within milliseconds does not. Prints medians.
 *
 *     build/bench/step [f32|f64]
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tulle.h"

enum { FEATURES = 100, MOST_ROWS = 4096, REPEATS = 31 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* --- The peak: independent chains of fused multiply-adds, in f32 ------------------------------ */

/* Fusing is off on the command line; here it is what is wanted. */
#if defined(__clang__)
#define CONTRACT _Pragma("clang fp contract(fast)")
#define FUSED(isa) __attribute__((target(isa), noinline))
#else
#define CONTRACT
#define FUSED(isa) __attribute__((target(isa), optimize("O3", "fp-contract=fast"), noinline))
#endif

/* PROBE(name, attributes, bytes): GFLOP/s with vectors of that many bytes. Twelve chains hide a
 * latency of up to six cycles at two operations a cycle. The compiler fuses, as the target region
 * allows it to. */
#define PROBE(name, attributes, bytes)                                                             \
    attributes static double name(void)                                                            \
    {                                                                                              \
        CONTRACT                                                                                   \
        typedef float vec __attribute__((vector_size(bytes)));                                     \
        enum { CHAINS = 12, ROUNDS = 40000 };                                                      \
        vec x[CHAINS], factor = (vec){0} + 0.999f, term = (vec){0} + 1e-9f;                        \
        for (int i = 0; i < CHAINS; i++)                                                           \
            x[i] = (vec){0} + (float)i;                                                            \
        double begin = seconds();                                                                  \
        for (int round = 0; round < ROUNDS; round++)                                               \
            for (int i = 0; i < CHAINS; i++)                                                       \
                x[i] = x[i] * factor + term;                                                       \
        double elapsed = seconds() - begin;                                                        \
        volatile float used = 0;                                                                   \
        for (int i = 0; i < CHAINS; i++)                                                           \
            used += x[i][0];                                                                       \
        (void)used;                                                                                \
        return 2.0 * CHAINS * ROUNDS * (bytes / sizeof(float)) / elapsed / 1e9;                    \
    }

PROBE(peak_generic, , 16)
#if defined(__x86_64__)
PROBE(peak_avx2, FUSED("avx2,fma"), 32)
PROBE(peak_avx512, FUSED("avx512f,fma"), 64)

static double peak(void)
{
    double best = peak_generic(), other = 0;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        other = peak_avx2();
    best = other > best ? other : best;
    if (__builtin_cpu_supports("avx512f"))
        other = peak_avx512();
    return other > best ? other : best;
}
#else
static double peak(void)
{
    return peak_generic();
}
#endif

/* --- The step --------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, REPEATS, sizeof *values, ascending);
    return values[REPEATS / 2];
}

static int measure(enum tulle_type type, size_t batch, const double *x, const double *y)
{
    const struct tulle_layer layers[] = {
        {128, TULLE_ACTIVATION_RELU}, {256, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}};
    /* Two operations a weight and row forward, two for the weight gradient, two for the input
     * gradient of all layers but the first. */
    const double flops = 2.0 * (2 * 100 * 128 + 3 * 128 * 256 + 3 * 256) * (double)batch;
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    options.inputs = FEATURES;
    options.layers = layers;
    options.layer_count = 3;
    options.precision = type;
    options.batch_size = batch;
    options.learning_rate = 1e-6;
    options.threads = 1;
    tulle_trainer *trainer;
    if (tulle_trainer_create(&options, &trainer, NULL) != TULLE_OK)
        return 1;

    int steps = (int)(1e8 / flops) + 1;
    double of_peak[REPEATS], microseconds[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        double machine = peak() / (type == TULLE_F64 ? 2 : 1), begin = seconds();
        for (int i = 0; i < steps; i++)
            tulle_trainer_step(trainer, tulle_f64(x, batch, FEATURES), tulle_f64(y, batch, 1),
                               NULL);
        double step = (seconds() - begin) / steps;
        microseconds[r] = 1e6 * step;
        of_peak[r] = 100 * flops / step / 1e9 / machine;
    }
    printf("%s  batch %4zu  %8.1f us  %5.1f %% of peak\n", tulle_type_name(type), batch,
           median(microseconds), median(of_peak));
    tulle_trainer_free(trainer);
    return 0;
}

int main(int argc, char **argv)
{
    static const size_t batches[] = {1, 4, 16, 64, 500, MOST_ROWS};
    static double x[MOST_ROWS * FEATURES], y[MOST_ROWS];
    struct tulle_rng rng;
    char build[128];
    int status = 0;
    tulle_rng_seed(&rng, 0);
    for (size_t i = 0; i < MOST_ROWS * FEATURES; i++)
        x[i] = tulle_rng_uniform(&rng);
    for (size_t i = 0; i < MOST_ROWS; i++)
        y[i] = tulle_rng_uniform(&rng);
    tulle_build_info(build, sizeof build);
    printf("100 -> 128 -> 256 -> 1, one thread; %s\n", build);
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
            if (argc < 2 || strcmp(argv[1], tulle_type_name((enum tulle_type)type)) == 0)
                status |= measure((enum tulle_type)type, batches[b], x, y);
    return status;
}
