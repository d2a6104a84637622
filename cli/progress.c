/* progress.c - the progress line. */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peak.h"
#include "report.h"

static const double redraw_seconds = 0.1;
enum { PLAIN_LINES = 10 };

/* How long steps are watched before they say how long all will take; on a terminal, where the next
 * line may correct it, and in a log, where it stands. */
static const double glance_seconds = 0.2, watch_seconds = 2, patience_seconds = 10;

void cli_progress_init(struct cli_progress *progress, const struct cli_options *options)
{
    memset(progress, 0, sizeof *progress);
    progress->options = options;
    progress->live = !options->quiet && isatty(STDERR_FILENO);
    progress->started = cli_clock();
}

double cli_progress_seconds(const struct cli_progress *progress)
{
    return cli_clock() - progress->started;
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

static double epochs_done(const struct tulle_progress *progress)
{
    return (double)(progress->epoch - 1) + (double)progress->step / (double)progress->steps;
}

static double seconds_of_steps(const struct cli_progress *progress)
{
    return cli_clock() - progress->stepped;
}

/* What comes before the first step, and that step itself, are not repeated. */
static double seconds_left(const struct cli_progress *progress)
{
    double done = epochs_done(&progress->last);
    double first = epochs_done(&progress->first);
    return done > first ? seconds_of_steps(progress) * ((double)progress->last.epochs - done) /
                              (done - first)
                        : NAN;
}

/* "" while that cannot be said. */
static char *left_text(const struct cli_progress *progress)
{
    double left = seconds_left(progress);
    if (isnan(left) || (progress->live && seconds_of_steps(progress) < glance_seconds))
        return cli_format("%s", "");
    char *time = time_text(left);
    char *text = cli_format("  %s left", time);
    free(time);
    return text;
}

static char *taken_text(const struct cli_progress *progress)
{
    char *time = time_text(cli_progress_seconds(progress));
    char *text = cli_format("  in %s", time);
    free(time);
    return text;
}

static char *line_text(const struct cli_progress *progress, int finished)
{
    const struct tulle_progress *last = &progress->last;
    char *train = loss_text("train loss", last->train_loss);
    char *valid = loss_text("valid loss", last->valid_loss);
    char *time = finished ? taken_text(progress) : left_text(progress);
    char *line = cli_format("epoch %zu/%zu%s%s%s", last->epoch, last->epochs, train, valid, time);
    free(train);
    free(valid);
    free(time);
    return line;
}

/* --- Lines --- */

/* Blanks cover what a longer line left behind; every terminal can do that. */
static void draw_line(struct cli_progress *progress, const char *line)
{
    int width = (int)strlen(line);
    fprintf(stderr, "\r%s%*s", line, progress->width > width ? progress->width - width : 0, "");
    fflush(stderr);
    progress->width = width;
    progress->drawn = cli_clock();
}

static void draw(struct cli_progress *progress, int finished)
{
    char *line = line_text(progress, finished);
    draw_line(progress, line);
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

/* Whether it is time to tell how long all will take: as late as it may be, since later is more
 * exact, but before the second epoch ends. */
static int is_time_to_tell(const struct cli_progress *progress)
{
    const struct tulle_progress *last = &progress->last;
    size_t second = progress->first.epoch + 1;
    double seconds = seconds_of_steps(progress);
    int is_last_chance = last->step + 1 >= last->steps;
    return (last->epoch == second && (is_last_chance || seconds >= watch_seconds)) ||
           seconds >= patience_seconds;
}

/* Once. */
static void tell_time(struct cli_progress *progress, double left)
{
    if (progress->has_told || isnan(left))
        return;
    char *time = time_text(left);
    cli_log(progress->options, "about %s to go", time);
    progress->has_told = 1;
    free(time);
}

void cli_progress_step(struct cli_progress *progress, const struct tulle_progress *now)
{
    int is_first = progress->last.epoch == 0;
    if (is_first) {
        progress->first = *now;
        progress->stepped = cli_clock();
    }
    /* Whether an epoch was the last is known only from the next one's first step on. */
    if (!is_first && !progress->live && now->epoch != progress->last.epoch &&
        is_due(progress->last.epoch, now->epochs)) {
        log_epoch(progress, 0);
        progress->has_told = 1;
    }
    progress->last = *now;
    if (!progress->live && is_time_to_tell(progress))
        tell_time(progress, seconds_left(progress));
    else if (progress->live && cli_clock() - progress->drawn >= redraw_seconds)
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

void cli_progress_show(struct cli_progress *progress, const char *text, double left)
{
    if (!progress->live && cli_progress_seconds(progress) >= watch_seconds)
        tell_time(progress, left);
    if (!progress->live || cli_clock() - progress->drawn < redraw_seconds)
        return;
    char *time = time_text(isnan(left) ? 0 : left);
    char *line = isnan(left) ? cli_format("%s", text) : cli_format("%s  %s left", text, time);
    draw_line(progress, line);
    free(line);
    free(time);
}

void cli_progress_show_trial(struct cli_progress *progress, const struct tulle_progress *now)
{
    char *text = cli_format("trial %zu/%zu  epoch %zu/%zu", now->trial, now->trials, now->epoch,
                            now->epochs);
    cli_progress_show(progress, text, NAN);
    free(text);
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (progress->width)
        fprintf(stderr, "\r%*s\r", progress->width, "");
    progress->width = 0;
}

void cli_progress_abandon(struct cli_progress *progress)
{
    if (progress->width)
        fputc('\n', stderr);
    progress->width = 0;
}
