/*
 * train.h - the parts of `tulle train`: whether the options fit together (train_options.c), what
 * is read (train_read.c), what the log says (train_log.c), the line of JSON for each epoch
 * (epoch_log.c), and the work (train.c).
 */
#ifndef TULLE_CLI_TRAIN_H
#define TULLE_CLI_TRAIN_H

#include <stdio.h>

#include "../include/tulle.h"
#include "options.h"
#include "progress.h"

/* The file of --log. */
struct cli_epoch_log {
    const char *path;
    FILE *file;     /* NULL: no log is asked for, or it has failed */
    int is_stream;  /* a pipe or /dev/stdout: what went before is not its own */
    int is_new;     /* this run has made it, and it is empty */
    int problem;    /* the value of errno that it failed with, or 0 */
    double written; /* seconds into the run, at the last line */
};

struct cli_training {
    const struct cli_options *options;
    struct tulle_train_options train;
    char *output; /* NULL: there is to be none */
    tulle_dataset *dataset, *valid;
    tulle_model *model;
    struct cli_progress progress;
    struct cli_epoch_log epochs;
    int data_is_logged;
};

/* All of these return 0, or the exit status after saying what is wrong. */

/* Completes the options and looks whether they fit together, and whether what is to be written can
 * be. */
int cli_train_prepare(struct cli_training *job);

/* The lists of options, as tulle_train takes them; prepare does so, too. */
void cli_train_take_lists(struct cli_training *job);

/* Whether a name is one of count. */
int cli_is_among(const char *const *names, size_t count, const char *name);

/* Reads the data, and that of --valid-file. */
int cli_train_read(struct cli_training *job);

/* --- The log --- */

void cli_train_log_notice(struct cli_training *job, const char *text);

/* The data, and all about the model to be. */
void cli_train_log_beginning(struct cli_training *job, const struct tulle_model_info *info);

/* Best epoch, metrics, notes. */
void cli_train_log_end(const struct cli_training *job);

/* The command that goes on from the checkpoint; to be freed. */
char *cli_train_resume_text(const struct cli_options *options);

/* --- A line of JSON for each epoch --- */

int cli_epoch_log_open(struct cli_epoch_log *log, const char *path);

/* Before the first line: keeps the lines of the epochs before this one, counted from 1. */
void cli_epoch_log_begin(struct cli_epoch_log *log, size_t epoch);
void cli_epoch_log_add(struct cli_epoch_log *log, const struct tulle_progress *now, double seconds);

/* Leaves no empty file behind that was not there. */
int cli_epoch_log_close(struct cli_epoch_log *log);

#endif
