/* progress.c - the progress line. */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "report.h"

static const double redraw_seconds = 0.1;
enum { PLAIN_LINES = 10 };

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void cli_progress_init(struct cli_progress *progress, const struct cli_options *options,
                       void (*begin)(void *user), void *user)
{
    memset(progress, 0, sizeof *progress);
    progress->options = options;
    progress->begin = begin;
    progress->user = user;
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

static double seconds_left(const struct cli_progress *progress)
{
    const struct tulle_progress *last = &progress->last;
    double done = (double)(last->epoch - 1) + (double)last->step / (double)last->steps;
    return cli_progress_seconds(progress) * ((double)last->epochs - done) / done;
}

static char *line_text(const struct cli_progress *progress, double valid_loss, int finished)
{
    const struct tulle_progress *last = &progress->last;
    char *train = loss_text("train loss", last->train_loss);
    char *valid = loss_text("valid loss", valid_loss);
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
static void draw(struct cli_progress *progress, double valid_loss, int finished)
{
    char *line = line_text(progress, valid_loss, finished);
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

static void log_epoch(struct cli_progress *progress, double valid_loss, int finished)
{
    if (!is_due(progress->last.epoch, progress->last.epochs))
        return;
    char *line = line_text(progress, valid_loss, finished);
    cli_log(progress->options, "%s", line);
    free(line);
}

int cli_progress_step(const struct tulle_progress *now, void *user)
{
    struct cli_progress *progress = user;
    if (!progress->begun)
        progress->begin(progress->user);
    progress->begun = 1;
    /* An epoch's valid loss is known only from the next one's first step on. */
    if (!progress->live && progress->last.epoch && now->epoch != progress->last.epoch)
        log_epoch(progress, now->valid_loss, 0);
    progress->last = *now;
    if (progress->live && seconds_now() - progress->drawn >= redraw_seconds)
        draw(progress, now->valid_loss, 0);
    return cli_interrupted();
}

void cli_progress_finish(struct cli_progress *progress, double valid_loss)
{
    if (!progress->live) {
        log_epoch(progress, valid_loss, 1);
        return;
    }
    draw(progress, valid_loss, 1);
    fputc('\n', stderr);
}

void cli_progress_abandon(struct cli_progress *progress)
{
    if (progress->width)
        fputc('\n', stderr);
}
