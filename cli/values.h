/* values.h - the types of value that options take: from text, and back for the help. */
#ifndef TULLE_CLI_VALUES_H
#define TULLE_CLI_VALUES_H

#include <stddef.h>

/* NAME,NAME,... */
struct cli_names {
    const char **items;
    size_t count;
    char *text; /* holds the items */
};

/* CLASS=WEIGHT,..., or balanced */
struct cli_class_weights {
    struct cli_names names;
    double *weights; /* of each name */
    int balanced;
};

/* X,X,... */
struct cli_numbers {
    double *items;
    size_t count;
};

/* N,N,... */
struct cli_counts {
    size_t *items; /* NULL until they are given; then not, even where there are none */
    size_t count;
};

struct cli_choice {
    const char *name; /* NULL ends the list */
    int value;
    const char *meaning; /* for the help; may be NULL */
};

struct cli_value_type {
    /* Sets the field from the text; returns 0, or -1 with what is wrong in problem. */
    int (*parse)(const struct cli_value_type *type, const char *text, void *field, char *problem,
                 size_t size);
    /* Writes the field as the user would; NULL for a type whose options have no default. */
    void (*show)(const struct cli_value_type *type, const void *field, char *buffer, size_t size);
    double minimum, maximum; /* of numbers */
    const char *expected;    /* what to write, of decimals; or besides a whole number */
    const struct cli_choice *choices;
};

/* The field's type is given behind each. */
extern const struct cli_value_type cli_type_flag;          /* int */
extern const struct cli_value_type cli_type_yes_no;        /* int */
extern const struct cli_value_type cli_type_text;          /* const char *: the argument itself */
extern const struct cli_value_type cli_type_names;         /* struct cli_names */
extern const struct cli_value_type cli_type_missing;       /* struct cli_names, which may be none */
extern const struct cli_value_type cli_type_counts;        /* struct cli_counts */
extern const struct cli_value_type cli_type_class_weights; /* struct cli_class_weights */
extern const struct cli_value_type cli_type_quantiles;     /* struct cli_numbers in (0, 1) */
extern const struct cli_value_type cli_type_count;         /* size_t, at least 1 */
extern const struct cli_value_type cli_type_count_or_none; /* size_t */
extern const struct cli_value_type cli_type_count_or_auto; /* size_t; 0 is "auto" */
extern const struct cli_value_type cli_type_count_or_trial; /* size_t; TULLE_BY_TRIAL is "auto" */
extern const struct cli_value_type cli_type_folds;          /* size_t, at least 2 */
extern const struct cli_value_type cli_type_limit;          /* size_t, at least 1, none given */
extern const struct cli_value_type cli_type_time;           /* double, seconds */
extern const struct cli_value_type cli_type_threads;        /* unsigned */
extern const struct cli_value_type cli_type_seed;           /* uint32_t */
extern const struct cli_value_type cli_type_rate;           /* double, above 0 */
extern const struct cli_value_type cli_type_amount;         /* double, at least 0 */
extern const struct cli_value_type cli_type_factor;         /* double in (0, 1] */
extern const struct cli_value_type cli_type_fraction;       /* double in [0, 1) */
extern const struct cli_value_type cli_type_activation;     /* the enums of tulle.h */
extern const struct cli_value_type cli_type_fading;
extern const struct cli_value_type cli_type_initializer;
extern const struct cli_value_type cli_type_loss;
extern const struct cli_value_type cli_type_optimizer;
extern const struct cli_value_type cli_type_parametrization;
extern const struct cli_value_type cli_type_precision;
extern const struct cli_value_type cli_type_recipe;
extern const struct cli_value_type cli_type_scaling;
extern const struct cli_value_type cli_type_schedule;
extern const struct cli_value_type cli_type_split;
extern const struct cli_value_type cli_type_task;
extern const struct cli_value_type cli_type_part; /* enum cli_bench_part */

void cli_names_free(struct cli_names *names);

#endif
