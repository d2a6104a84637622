/*
 * peer.h - what the C programs that compare.py compares have in common: one task at a time, asked
 * for on stdin as "TASK PRECISION ROWS SECONDS", answered on stdout with the seconds of one run, or
 * "-" for what the program cannot do. worker.py does the same for the Python packages.
 *
 *     step   one update of the reference network 100-128-256-1 from ROWS rows
 *     row    a prediction of one row
 *     batch  predictions of ROWS rows
 */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 100, HIDDEN_1 = 128, HIDDEN_2 = 256, OUTPUTS = 1 };
#define LEARNING_RATE 1e-6 /* the same rows, many thousand times */

struct task {
    const char *name, *precision;
    size_t rows;
};

/* What each program defines. peer_prepare returns the run for a task, NULL if it has none; what it
 * made for the task before, it may free. */
static const char *peer_version(void);
typedef void peer_run(void);
static peer_run *peer_prepare(const struct task *task);

static inline double peer_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* In [0, 1): a linear congruential generator will do for data. */
static inline double peer_random(void)
{
    static unsigned long long state = 1;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (double)(state >> 40) / (double)(1 << 24);
}

static inline void *peer_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        fputs("out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

static inline int peer_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median over groups of runs that fill `group` seconds; 0: over single runs. Groups are short,
 * so that what another program interrupts stays in a few of them. */
static inline double peer_time(peer_run *run, double seconds, double group)
{
    enum { MOST = 100000 };
    static double times[MOST];
    double begin = peer_clock();
    run();
    double last = peer_clock(), runs = group / (last - begin) + 1;
    size_t count = 0;
    begin = last;
    do {
        for (long i = 0; i < (long)runs; i++)
            run();
        double now = peer_clock();
        times[count++] = (now - last) / (double)(long)runs;
        last = now;
    } while (count < MOST && last - begin < seconds);
    qsort(times, count, sizeof *times, peer_ascending);
    return times[count / 2];
}

int main(void)
{
    char line[256], name[16], precision[16];
    struct task task = {name, precision, 0};
    double seconds;
    printf("ready %s\n", peer_version());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) &&
           sscanf(line, "%15s %15s %zu %lf", name, precision, &task.rows, &seconds) == 4) {
        peer_run *run = peer_prepare(&task);
        if (run) {
            double begin = peer_clock();
            do /* warms up caches, pages and threads */
                run();
            while (peer_clock() - begin < seconds / 10);
            printf("%.9g\n", peer_time(run, seconds, strcmp(name, "row") == 0 ? 0 : 1e-3));
        } else {
            puts("-");
        }
        fflush(stdout);
    }
    return 0;
}

#endif
