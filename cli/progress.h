/*
 * progress.h - how training is going: one line that is rewritten on a terminal, some ten lines in a
 * log file.
 */
#ifndef TULLE_CLI_PROGRESS_H
#define TULLE_CLI_PROGRESS_H

#include "../include/tulle.h"
#include "options.h"

struct cli_progress {
    const struct cli_options *options;
    void (*begin)(void *user); /* called once, when nothing can be wrong with the input any more */
    void *user;
    int live, begun;
    int width; /* of the line on the terminal */
    double started, drawn;
    struct tulle_progress last;
};

void cli_progress_init(struct cli_progress *progress, const struct cli_options *options,
                       void (*begin)(void *user), void *user);

/* The tulle_progress_fn; user is the struct cli_progress. */
int cli_progress_step(const struct tulle_progress *now, void *user);

/* After the last step, with the valid loss of the last epoch. */
void cli_progress_finish(struct cli_progress *progress, double valid_loss);

/* Leaves the terminal's cursor on a line of its own, for an error. */
void cli_progress_abandon(struct cli_progress *progress);

/* Seconds since init. */
double cli_progress_seconds(const struct cli_progress *progress);

#endif
