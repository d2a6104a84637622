/* bench_time.c - repeats, each beside a measurement of the peak, and their quantiles. */
#include <stdlib.h>

#include "bench.h"
#include "peak.h"
#include "report.h"

enum { REPEATS = 31, QUICK_REPEATS = 3, FEWEST_REPEATS = 5, SINGLES = 1000 };
#define GROUP_SECONDS 0.005 /* long beside a tick of the scheduler's clock */
#define QUICK_GROUP_SECONDS 0.0005
#define LINE_SECONDS 0.8 /* fifty lines are to end within a minute on any machine */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of sorted values: the smallest that at least that fraction of them does not exceed. */
static double quantile(const double *values, size_t count, double fraction)
{
    size_t index = (size_t)(fraction * (double)count);
    return values[index < count ? index : count - 1];
}

double cli_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return quantile(values, count, 0.5);
}

/* Times `runs` runs together, or each by itself into singles. */
static enum tulle_status time_runs(const struct cli_work *work, size_t runs, double *singles,
                                   double *seconds)
{
    double begin = cli_clock(), last = begin;
    for (size_t i = 0; i < runs; i++) {
        enum tulle_status status = work->run(work->user);
        if (status != TULLE_OK)
            return status;
        if (singles) {
            double now = cli_clock();
            singles[i] = now - last;
            last = now;
        }
    }
    *seconds = (cli_clock() - begin) / (double)runs;
    return TULLE_OK;
}

/* How many runs fill a group. The first run warms up caches, pages and threads. */
static enum tulle_status group_size(const struct cli_work *work, double group, size_t *runs)
{
    double seconds;
    enum tulle_status status = time_runs(work, 1, NULL, &seconds);
    *runs = 1;
    while (status == TULLE_OK) {
        status = time_runs(work, *runs, NULL, &seconds);
        double wanted = group / (seconds > 1e-9 ? seconds : 1e-9);
        if (wanted <= (double)*runs)
            break;
        *runs = wanted < 4.0 * (double)*runs ? (size_t)wanted + 1 : 4 * *runs;
    }
    return status;
}

/* Of the times in seconds and the shares of the peak; sorts both. */
static void summarize(struct cli_timing *timing, double *times, size_t count, double *ratios,
                      size_t repeats)
{
    timing->median = cli_median(times, count);
    timing->lower = quantile(times, count, 0.25);
    timing->upper = quantile(times, count, 0.75);
    timing->p99 = quantile(times, count, 0.99);
    timing->of_peak = cli_median(ratios, repeats);
}

static int is_time(size_t repeats, double end)
{
    return repeats < FEWEST_REPEATS || cli_clock() < end;
}

enum tulle_status cli_time_groups(const struct cli_work *work, int quick, struct cli_timing *timing)
{
    double times[REPEATS], ratios[REPEATS], end = cli_clock() + LINE_SECONDS;
    size_t repeats = 0, most = quick ? QUICK_REPEATS : REPEATS, runs;
    enum tulle_status status = group_size(work, quick ? QUICK_GROUP_SECONDS : GROUP_SECONDS, &runs);
    while (status == TULLE_OK && repeats < most && is_time(repeats, end)) {
        double peak = work->operations > 0 ? cli_peak(work->type, work->threads) : 1;
        status = time_runs(work, runs, NULL, &times[repeats]);
        ratios[repeats] = work->operations / times[repeats] / peak;
        repeats++;
    }
    if (status != TULLE_OK)
        return status;
    summarize(timing, times, repeats, ratios, repeats);
    timing->p99 = 0; /* of groups there is none */
    return TULLE_OK;
}

enum tulle_status cli_time_singles(const struct cli_work *work, int quick,
                                   struct cli_timing *timing)
{
    double ratios[REPEATS], mean;
    size_t repeats = quick ? QUICK_REPEATS : REPEATS, count = repeats * SINGLES;
    double *times = cli_allocate(count, sizeof *times);
    enum tulle_status status = time_runs(work, SINGLES, NULL, &mean);
    for (size_t i = 0; status == TULLE_OK && i < repeats; i++) {
        double *these = times + i * SINGLES, peak = cli_peak(work->type, work->threads);
        status = time_runs(work, SINGLES, these, &mean);
        ratios[i] = work->operations / cli_median(these, SINGLES) / peak;
    }
    if (status == TULLE_OK)
        summarize(timing, times, count, ratios, repeats);
    free(times);
    return status;
}
