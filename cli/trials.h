/*
 * trials.h - trainings side by side, for `tulle cv` and `tulle tune`. A training has one thread,
 * or a few where there are more CPUs than trainings: many small ones at once waste less than one
 * after another on all CPUs would.
 */
#ifndef TULLE_CLI_TRIALS_H
#define TULLE_CLI_TRIALS_H

#include <stddef.h>

#include "progress.h"
#include "train.h"

/*
 * Calls work(0, user), work(1, user), ... up to count - 1, begun in this order by so many threads,
 * of which the caller's is one, until a call returns something else than 0. Returns when all calls
 * have.
 */
void cli_trials_run(size_t count, unsigned threads, int (*work)(size_t index, void *user),
                    void *user);

/* How many trainings of count to have at once, and how many threads each is to use. */
void cli_trials_plan(const struct cli_options *options, size_t count, unsigned *at_once,
                     unsigned *threads_each);

/* Says why one of the trainings failed, `name` being "fold" or "trial", counted from 1; returns the
 * exit status. */
int cli_trials_fail(const struct cli_training *job, const char *name, size_t number,
                    const struct tulle_error *error);

#endif
