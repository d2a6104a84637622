/* progress.c - the progress line. */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

static const double redraw_seconds = 0.1;
enum { PLAIN_LINES = 10 };

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void cli_progress_init(struct cli_progress *progress, const struct cli_options *options)
{
    memset(progress, 0, sizeof *progress);
    progress->options = options;
    progress->live = !options->quiet && isatty(STDERR_FILENO);
    progress->started = seconds_now();
}

double cli_progress_seconds(const struct cli_progress *progress)
{
    return seconds_now() - progress->started;
}

/* --- Text --- */

static char *loss_text(const char *name, double loss)
{
    if (isnan(loss))
        return cli_format("%s", "");
    return cli_format(loss == 0 || (loss >= 0.001 && loss < 1000) ? "  %s %.4f" : "  %s %.3e", name,
                      loss);
}

static char *time_text(double seconds)
{
    long whole = lround(seconds);
    if (whole < 60)
        return cli_format("%.1f s", seconds);
    if (whole < 3600)
        return cli_format("%ld min %02ld s", whole / 60, whole % 60);
    return cli_format("%ld h %02ld min", whole / 3600, whole / 60 % 60);
}

static double epochs_done(const struct tulle_progress *last)
{
    return (double)(last->epoch - 1) + (double)last->step / (double)last->steps;
}

static double seconds_left(const struct cli_progress *progress)
{
    double done = epochs_done(&progress->last);
    return cli_progress_seconds(progress) * ((double)progress->last.epochs - done) /
           (done - progress->before);
}

static char *line_text(const struct cli_progress *progress, int finished)
{
    const struct tulle_progress *last = &progress->last;
    char *train = loss_text("train loss", last->train_loss);
    char *valid = loss_text("valid loss", last->valid_loss);
    char *time = time_text(finished ? cli_progress_seconds(progress) : seconds_left(progress));
    char *line = cli_format(finished ? "epoch %zu/%zu%s%s  in %s" : "epoch %zu/%zu%s%s  %s left",
                            last->epoch, last->epochs, train, valid, time);
    free(train);
    free(valid);
    free(time);
    return line;
}

/* --- Lines --- */

/* Blanks cover what a longer line left behind; every terminal can do that. */
static void draw(struct cli_progress *progress, int finished)
{
    char *line = line_text(progress, finished);
    int width = (int)strlen(line);
    fprintf(stderr, "\r%s%*s", line, progress->width > width ? progress->width - width : 0, "");
    fflush(stderr);
    progress->width = width;
    progress->drawn = seconds_now();
    free(line);
}

/* The epochs whose lines a log gets: the last of each tenth. */
static int is_due(size_t epoch, size_t epochs)
{
    return epoch * PLAIN_LINES / epochs != (epoch - 1) * PLAIN_LINES / epochs;
}

static void log_epoch(struct cli_progress *progress, int finished)
{
    char *line = line_text(progress, finished);
    cli_log(progress->options, "%s", line);
    free(line);
}

void cli_progress_step(struct cli_progress *progress, const struct tulle_progress *now)
{
    if (progress->last.epoch == 0)
        progress->before = (double)(now->epoch - 1) + (double)(now->step - 1) / (double)now->steps;
    /* Whether an epoch was the last is known only from the next one's first step on. */
    else if (!progress->live && now->epoch != progress->last.epoch &&
             is_due(progress->last.epoch, now->epochs))
        log_epoch(progress, 0);
    progress->last = *now;
    if (progress->live && seconds_now() - progress->drawn >= redraw_seconds)
        draw(progress, 0);
}

void cli_progress_finish(struct cli_progress *progress)
{
    if (progress->last.epoch == 0)
        return; /* all epochs had been done by an earlier run */
    if (!progress->live) {
        log_epoch(progress, 1);
        return;
    }
    draw(progress, 1);
    fputc('\n', stderr);
}

void cli_progress_abandon(struct cli_progress *progress)
{
    if (progress->width)
        fputc('\n', stderr);
    progress->width = 0;
}
