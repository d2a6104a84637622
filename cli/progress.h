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
    int live;
    int width;     /* of the line on the terminal */
    double before; /* epochs that an earlier run has done */
    double started, drawn;
    struct tulle_progress last; /* its epoch is 0 before the first step */
};

void cli_progress_init(struct cli_progress *progress, const struct cli_options *options);

/* After every step, as the library tells it. */
void cli_progress_step(struct cli_progress *progress, const struct tulle_progress *now);

/* After the last one. */
void cli_progress_finish(struct cli_progress *progress);

/* Leaves the terminal's cursor on a line of its own, for an error or a note. */
void cli_progress_abandon(struct cli_progress *progress);

/* Seconds since init. */
double cli_progress_seconds(const struct cli_progress *progress);

#endif
