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
    int width;                         /* of the line on the terminal */
    double started, drawn, stepped;    /* at init, the last drawing and the first step's end */
    struct tulle_progress first, last; /* their epoch is 0 before the first step */
    int has_told;                      /* a log line has said how long it will take */
};

void cli_progress_init(struct cli_progress *progress, const struct cli_options *options);

/* After every step, as the library tells it. */
void cli_progress_step(struct cli_progress *progress, const struct tulle_progress *now);

/* After the last one. */
void cli_progress_finish(struct cli_progress *progress);

/* Before, in trials. */
void cli_progress_show_trial(struct cli_progress *progress, const struct tulle_progress *now);

/* In place of these, for several trainings at once: on a terminal, a line that is rewritten now and
 * then; in the log of a run that is not short, once, the time that is left. left: seconds to go;
 * NaN: nobody knows. */
void cli_progress_show(struct cli_progress *progress, const char *text, double left);

/* Removes the line, for one that is to stay. */
void cli_progress_clear(struct cli_progress *progress);

/* Leaves the terminal's cursor on a line of its own, for an error or a note. */
void cli_progress_abandon(struct cli_progress *progress);

/* Seconds since init. */
double cli_progress_seconds(const struct cli_progress *progress);

#endif
