/* bench_report.c - a table that grows on the screen, or one JSON object at the end. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "peak.h"
#include "report.h"

/* The parts as the table calls them, and the columns that follow rows and threads. */
#define SPEED "        time  GFLOP/s  % of peak"
static const struct {
    const char *part, *title, *columns;
} headings[] = {
    {"peak", "multiply-add peak", "              GFLOP/s"},
    {"step", "training step, reference", SPEED},
    {"shapes", "training step, other shapes", SPEED},
    {"recipe", "training step, recipes", SPEED},
    {"widths", "training step, by width", SPEED},
    {"row", "prediction of one row", "  time: p50  GFLOP/s  % of peak         p99"},
    {"batch", "prediction of many rows", SPEED},
    {"read", "reading CSV", "        time     MB/s"},
};

enum { TIME_WIDTH = 12 };

/* "    31.4 us": three digits and a unit. */
static void print_time(double seconds)
{
    static const char *const units[] = {" s", "ms", "us", "ns"};
    size_t unit = 0;
    for (; unit < 3 && seconds < 0.9995; unit++)
        seconds *= 1000;
    printf("  %7.*f %s", seconds < 9.995 ? 2 : seconds < 99.95, seconds, units[unit]);
}

/* A number of three digits or more, in as many characters. */
static void print_number(int width, double number)
{
    printf("%*.*f", width, number < 9.995 ? 2 : number < 99.95, number);
}

void cli_bench_begin(struct cli_bench_report *report, const struct cli_options *options)
{
    char build[128];
    memset(report, 0, sizeof *report);
    report->line.part = "";
    if (options->json) {
        report->lines = json_array();
        return;
    }
    tulle_build_info(build, sizeof build);
    printf("tulle %s; %s\n"
           "Medians. The peak is measured again just before each repeat, on as many threads.\n",
           tulle_version(), build);
}

static void print_heading(const char *part)
{
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
        if (strcmp(headings[i].part, part) == 0)
            printf("\n%-27s    rows  threads%s\n", headings[i].title, headings[i].columns);
}

void cli_bench_line(struct cli_bench_report *report, const char *part, const char *subject,
                    const char *type, size_t rows, unsigned threads)
{
    const struct cli_bench_line line = {part, subject, type, rows, threads};
    if (!report->lines) {
        if (strcmp(report->line.part, part) != 0)
            print_heading(part);
        printf("  %-20s  %-3s", subject, type ? type : "");
        if (rows)
            printf("  %6zu", rows);
        printf("%*u", rows ? 9 : 17, threads);
        fflush(stdout);
    }
    report->line = line;
}

static json_t *line_json(const struct cli_bench_line *line)
{
    json_t *object = json_object();
    cli_json_set(object, "part", cli_json_text(line->part));
    cli_json_set(object, "subject", cli_json_text(line->subject));
    if (line->type)
        cli_json_set(object, "precision", cli_json_text(line->type));
    if (line->rows)
        cli_json_set(object, "rows", cli_json_count(line->rows));
    cli_json_set(object, "threads", cli_json_count(line->threads));
    return object;
}

static json_t *timing_json(const struct cli_timing *timing)
{
    json_t *seconds = json_object();
    cli_json_set(seconds, "lower", cli_json_number(timing->lower));
    cli_json_set(seconds, "median", cli_json_number(timing->median));
    cli_json_set(seconds, "upper", cli_json_number(timing->upper));
    if (timing->p99 > 0)
        cli_json_set(seconds, "p99", cli_json_number(timing->p99));
    return seconds;
}

void cli_bench_peak(struct cli_bench_report *report, double speed)
{
    if (report->lines) {
        json_t *object = line_json(&report->line);
        cli_json_set(object, "gflops", cli_json_number(speed / 1e9));
        cli_json_append(report->lines, object);
        return;
    }
    printf("%*s", TIME_WIDTH, "");
    print_number(9, speed / 1e9);
    putchar('\n');
}

void cli_bench_work(struct cli_bench_report *report, const struct cli_timing *timing,
                    double operations)
{
    double gflops = operations / timing->median / 1e9, percent = 100 * timing->of_peak;
    if (report->lines) {
        json_t *object = line_json(&report->line);
        cli_json_set(object, "seconds", timing_json(timing));
        cli_json_set(object, "gflops", cli_json_number(gflops));
        cli_json_set(object, "percent_of_peak", cli_json_number(percent));
        cli_json_append(report->lines, object);
        return;
    }
    print_time(timing->median);
    print_number(9, gflops);
    printf("%11.1f", percent);
    if (timing->p99 > 0)
        print_time(timing->p99);
    putchar('\n');
}

void cli_bench_bytes(struct cli_bench_report *report, const struct cli_timing *timing, double bytes)
{
    double speed = bytes / timing->median / 1e6;
    if (report->lines) {
        json_t *object = line_json(&report->line);
        cli_json_set(object, "seconds", timing_json(timing));
        cli_json_set(object, "megabytes_per_second", cli_json_number(speed));
        cli_json_append(report->lines, object);
        return;
    }
    print_time(timing->median);
    print_number(9, speed);
    putchar('\n');
}

int cli_bench_end(struct cli_bench_report *report, const struct cli_options *options)
{
    char build[128];
    if (!report->lines)
        return cli_close_stdout();
    tulle_build_info(build, sizeof build);
    json_t *object = json_object();
    cli_json_set(object, "tulle_version", cli_json_text(tulle_version()));
    cli_json_set(object, "build", cli_json_text(build));
    cli_json_set(object, "cpus", cli_json_count(cli_peak_cpus()));
    cli_json_set(object, "peak_level", cli_json_text(cli_peak_level()));
    cli_json_set(object, "quick", json_boolean(options->quick));
    cli_json_set(object, "lines", report->lines);
    return cli_json_print(object);
}
