/*
 * bench.h - the parts of `tulle bench`: what is measured (bench.c, bench_recipe.c, bench_read.c),
 * how it is timed (bench_time.c) and how it is told (bench_report.c).
 */
#ifndef TULLE_CLI_BENCH_H
#define TULLE_CLI_BENCH_H

#include <jansson.h>

#include "../include/tulle.h"
#include "options.h"

/* What runs and is timed. */
struct cli_work {
    enum tulle_status (*run)(void *user);
    void *user;
    double operations; /* floating-point, of one run; 0: not compared with the peak */
    enum tulle_type type;
    unsigned threads;
};

/* Of all repeats. */
struct cli_timing {
    double lower, median, upper; /* seconds of a run: its quartiles */
    double p99;                  /* of single runs; 0 where only groups of them were timed */
    double of_peak;              /* median of speed over the peak measured just before it */
};

/* Of the values, which are then in order. */
double cli_median(double *values, size_t count);

/* Times runs in groups that are long enough for the clock. */
enum tulle_status cli_time_groups(const struct cli_work *work, int quick,
                                  struct cli_timing *timing);

/* Times each run by itself, clock included: for what must answer at once. */
enum tulle_status cli_time_singles(const struct cli_work *work, int quick,
                                   struct cli_timing *timing);

/* One line of the table, one object of the JSON. */
struct cli_bench_line {
    const char *part, *subject; /* "step", "100-128-256-1" */
    const char *type;           /* "f32"; NULL: of no type */
    size_t rows;                /* 0: of no rows */
    unsigned threads;
};

struct cli_bench_report {
    json_t *lines; /* NULL: text */
    struct cli_bench_line line;
};

void cli_bench_begin(struct cli_bench_report *report, const struct cli_options *options);

/* A line is begun before it is measured, so that one sees what is taking its time; the subject must
 * live until its figures are there. */
void cli_bench_line(struct cli_bench_report *report, const char *part, const char *subject,
                    const char *type, size_t rows, unsigned threads);

/* The figures that end it: operations a second; a timing, and the operations or bytes of a run. */
void cli_bench_peak(struct cli_bench_report *report, double speed);
void cli_bench_work(struct cli_bench_report *report, const struct cli_timing *timing,
                    double operations);
void cli_bench_bytes(struct cli_bench_report *report, const struct cli_timing *timing,
                     double bytes);

/* Returns the exit status. */
int cli_bench_end(struct cli_bench_report *report, const struct cli_options *options);

/* A line: a step of the recipe, for a table of numbers. */
void cli_bench_recipe(struct cli_bench_report *report, int quick, enum tulle_recipe recipe,
                      unsigned threads);

/* The part that reads files. */
void cli_bench_read(struct cli_bench_report *report, int quick);

#endif
