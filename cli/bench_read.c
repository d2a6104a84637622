/* bench_read.c - how fast a table is read from CSV. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "interrupt.h"
#include "report.h"

enum { COLUMNS = 9, FILE_BYTES = 8000000, QUICK_FILE_BYTES = 500000 };

struct table {
    const char *name;
    int digits;
};

/* Writes rows of numbers in [0, 1000) with that many digits; returns 0 or a value of errno. */
static int write_table(int descriptor, int digits, size_t size, size_t *rows, size_t *bytes)
{
    FILE *file = fdopen(descriptor, "w");
    struct tulle_rng rng;
    if (!file)
        return errno;
    tulle_rng_seed(&rng, 0);
    *bytes = 0;
    for (*rows = 0; *bytes < size; ++*rows) {
        for (int column = 0; column < COLUMNS; column++) {
            int length = fprintf(file, "%.*g%c", digits, 1000 * tulle_rng_uniform(&rng),
                                 column + 1 < COLUMNS ? ',' : '\n');
            *bytes += length > 0 ? (size_t)length : 0;
        }
        if (ferror(file))
            break;
    }
    int failed = ferror(file);
    return fclose(file) != 0 || failed ? errno : 0;
}

static enum tulle_status read_table(void *user)
{
    tulle_dataset *dataset;
    if (cli_interrupted())
        return TULLE_ERROR_INTERRUPTED;
    enum tulle_status status = tulle_dataset_read(user, NULL, &dataset, NULL);
    tulle_dataset_free(dataset);
    return status;
}

/* Returns 0 or the exit status. */
static int time_file(const struct cli_work *work, int quick, int descriptor,
                     const struct table *table, struct cli_bench_report *report,
                     struct cli_timing *timing, size_t *bytes)
{
    size_t rows = 0;
    int problem =
        write_table(descriptor, table->digits, quick ? QUICK_FILE_BYTES : FILE_BYTES, &rows, bytes);
    if (problem)
        return cli_failure("%s: cannot write: %s", (char *)work->user, strerror(problem));
    cli_bench_line(report, "read", table->name, NULL, rows, 1);
    enum tulle_status status = cli_time_groups(work, quick, timing);
    if (status == TULLE_OK)
        return 0;
    /* A signal ends the program soon, and says nothing either in the other parts. */
    return cli_interrupted() ? CLI_FAILURE : cli_failure("%s", tulle_status_text(status));
}

/* The file is gone before anything is said of it that may end the program. */
static int bench_file(struct cli_bench_report *report, int quick, const struct table *table,
                      const char *folder)
{
    char *path = cli_format("%s/tulle-bench-XXXXXX", folder);
    const struct cli_work work = {read_table, path, 0, TULLE_F64, 1};
    struct cli_timing timing = {0};
    size_t bytes = 0;
    int status, descriptor = mkstemp(path);
    if (descriptor < 0) {
        status = cli_failure("%s: cannot create a file there: %s", folder, strerror(errno));
    } else {
        status = time_file(&work, quick, descriptor, table, report, &timing, &bytes);
        unlink(path);
    }
    free(path);
    if (status == 0)
        cli_bench_bytes(report, &timing, (double)bytes);
    return status;
}

void cli_bench_read(struct cli_bench_report *report, int quick)
{
    static const struct table tables[] = {{"9 columns, 6 digits", 6},    /* as people write them */
                                          {"9 columns, 17 digits", 17}}; /* as programs do */
    const char *chosen = getenv("TMPDIR"), *folder = chosen && *chosen ? chosen : "/tmp";
    int status = 0;
    cli_interrupt_hold(CLI_TIDY_SECONDS); /* to remove the file */
    for (size_t i = 0; status == 0 && i < sizeof tables / sizeof tables[0]; i++)
        status = bench_file(report, quick, &tables[i], folder);
    cli_interrupt_release();
    if (status)
        exit(status);
}
