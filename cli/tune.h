/*
 * tune.h - the parts of `tulle tune`: the trials and the rule that stops the poor ones (tune.c,
 * tune_rule.c), and what is printed (tune_report.c).
 */
#ifndef TULLE_CLI_TUNE_H
#define TULLE_CLI_TUNE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "../include/tulle.h"
#include "search_space.h"
#include "train.h"

/* Points of the way at which a trial may be stopped, counted from 0. */
enum { CLI_RUNGS = 3 };

enum cli_outcome {
    CLI_RUNNING,
    CLI_FINISHED,
    CLI_STOPPED, /* by the rule */
    CLI_DIVERGED,
    CLI_GIVEN_UP, /* at the end of the time */
    CLI_FAILED
};

struct cli_trial {
    struct cli_tune *tune;
    size_t index;
    double draws[CLI_DIMENSIONS]; /* uniform in [0, 1) */
    char *values[CLI_DIMENSIONS]; /* of options; NULL: as the recipe says */
    double losses[CLI_RUNGS];     /* the lowest valid loss by then; NaN where it did not get */
    size_t reached;               /* rungs that it is past; all, when it is over */
    size_t rung;                  /* that the rule stops it at; CLI_RUNGS: none */
    atomic_int is_stopped;        /* the same, to be seen without the lock */
    enum cli_outcome outcome;
    size_t epochs;
    double loss;                 /* that of the model, or where it was stopped */
    tulle_model *model;          /* until it is known whether it is the best */
    struct tulle_metrics *valid; /* (target_count), of a finished one */
};

struct cli_tune {
    struct cli_training job;
    size_t most; /* trials */
    unsigned threads_each;
    double seconds; /* the budget; 0: none */
    int is_searched[CLI_DIMENSIONS];
    pthread_mutex_t lock;     /* of all below, and of stderr */
    pthread_cond_t has_begun; /* the first trial: what the recipe says is known, or never */
    char *bases[CLI_DIMENSIONS];
    int is_known;
    double began;  /* when that was, in seconds: bins that are chosen by trial are chosen then */
    size_t epochs; /* of each trial that runs to its end */
    struct tulle_rng rng;
    struct cli_trial **trials;
    size_t count, capacity;
    size_t decided[CLI_RUNGS]; /* of each rung: trials whose fate there is known */
    size_t settled;            /* trials of which all is known */
    struct cli_trial *best;    /* of those settled */
    atomic_int has_failed;     /* as training does not, but for diverging; and */
    size_t failed;             /* which trial has, or diverged first, and */
    struct tulle_error error;  /* why */
};

/* --- The rule --- */

/* The epoch that a rung is after, of so many; 0 for one that there is not. */
size_t cli_rung_epoch(size_t rung, size_t epochs);

/* Says, of what can be said now, which trials are to be stopped. */
void cli_rule_decide(struct cli_tune *tune);

/* Whether nothing about a trial can change any more. */
int cli_rule_is_settled(const struct cli_tune *tune, const struct cli_trial *trial);

/* --- The results --- */

/* How many trials there were, to stderr. */
void cli_tune_log(const struct cli_tune *tune);

/* Returns the exit status. */
int cli_tune_print(const struct cli_tune *tune);

/* Whether a dimension is searched, and means something beside the values of those before it. */
int cli_trial_takes(const struct cli_trial *trial, size_t index);

/* "--lr 0.07 --dropout 0.1"; to be freed. */
char *cli_trial_options(const struct cli_trial *trial);

#endif
