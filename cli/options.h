/*
 * options.h - the commands' options, each defined once: the parser, the help and the defaults all
 * come from the one table in option_table.c.
 */
#ifndef TULLE_CLI_OPTIONS_H
#define TULLE_CLI_OPTIONS_H

#include <stddef.h>

#include "../include/tulle.h"
#include "values.h"

/* Which commands an option belongs to. */
enum {
    CLI_TRAIN = 1,
    CLI_EVAL = 2,
    CLI_PREDICT = 4,
    CLI_INFO = 8,
    CLI_HELP = 16,
    CLI_BENCH = 32,
    CLI_CV = 64,
    CLI_TUNE = 128,
    CLI_FITS = CLI_TRAIN | CLI_CV | CLI_TUNE, /* those that train */
    CLI_EVERY = 255
};

/* What `tulle bench` can measure. */
enum cli_bench_part {
    CLI_BENCH_ALL, /* not to be asked for by name: all but widths */
    CLI_BENCH_STEP,
    CLI_BENCH_SHAPES,
    CLI_BENCH_RECIPES,
    CLI_BENCH_PREDICT,
    CLI_BENCH_READ,
    CLI_BENCH_WIDTHS
};

struct cli_options {
    const struct cli_command *command;
    const char *arguments[2]; /* DATA; MODEL and DATA; ... NULL where there is none */
    int argc;
    char **argv; /* what was given behind the command's name */
    struct cli_names target, drop, categorical, numeric, missing;
    struct cli_class_weights class_weights;
    struct cli_numbers quantiles;
    struct cli_counts hidden;
    const char *output, *split_column, *valid_file, *log;
    enum tulle_split split;
    enum cli_bench_part only;
    size_t folds, trials;             /* trials 0: no limit */
    double budget;                    /* in seconds */
    struct tulle_train_options train; /* its lists are those above; see train_options.c */
    int json, quiet, quick, probabilities, warn_range, help, version;
    unsigned char given[96]; /* by place in the table */
};

/* One of `tulle COMMAND`, described where it is implemented. */
struct cli_command {
    unsigned bit;
    const char *name;
    const char *summary;     /* for the list of commands */
    const char *synopsis;    /* what follows the name */
    const char *description; /* paragraphs, one a line */
    struct {
        const char *name, *help;
    } arguments[2];
    size_t required; /* of the arguments */
    const char *examples;
    int (*run)(const struct cli_options *options); /* returns the exit status */
};

/* What DATA may be, for the commands that read it. */
#define CLI_DATA_HELP                                                                              \
    "a table: CSV with ',', ';' or tab, its first row naming the columns (else they are c0, c1, "  \
    "...), or .npy, 2-D; either may be gzipped. - is stdin"

extern const struct cli_command cli_train, cli_cv, cli_tune, cli_eval, cli_predict, cli_info,
    cli_bench, cli_help;
extern const struct cli_command *const cli_commands[]; /* in the order of the help, then NULL */

struct cli_option {
    const char *name, *letter; /* "output", "o"; letter may be NULL */
    const char *value;         /* its placeholder; NULL for a flag */
    unsigned commands;
    const char *section;
    const struct cli_value_type *type;
    size_t field;       /* its offset in struct cli_options */
    const char *member; /* its name there, as in "train.learning_rate" */
    const char *help;
};

extern const struct cli_option cli_option_table[]; /* section by section, then a NULL name */
extern const size_t cli_option_count;

void cli_options_init(struct cli_options *options, const struct cli_command *command);
void cli_options_free(struct cli_options *options);

/* Reads what follows the command's name. Returns 0, or the exit status after saying what is
 * wrong. With --help or --version nothing is required. */
int cli_options_parse(struct cli_options *options, int argc, char **argv);

int cli_options_given(const struct cli_options *options, const char *name);

/* The option of that name, which there must be. */
const struct cli_option *cli_option_find(const char *name);

/* The member of struct tulle_train_options that an option of `tulle train` sets. */
const char *cli_option_member(const struct cli_option *option);

/* The name of the option that sets this member of struct tulle_train_options; NULL if none does. */
const char *cli_option_of_member(const char *member, size_t length);

/* The command of that name, NULL after saying that there is none. */
const struct cli_command *cli_command_find(const char *name);

#endif
