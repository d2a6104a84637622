/* search_space.h - what `tulle tune` tries: settings, and how their values are drawn. */
#ifndef TULLE_CLI_SEARCH_SPACE_H
#define TULLE_CLI_SEARCH_SPACE_H

#include <stddef.h>

enum cli_distribution {
    CLI_CHOICE,  /* one of some texts, each as likely; "x0.5" is half of what the recipe says */
    CLI_UNIFORM, /* a number from low to high */
    CLI_FACTOR   /* low to high times what the recipe says, its logarithm uniform */
};

struct cli_dimension {
    const char *option; /* of `tulle train` */
    const char *needs;  /* an option that must not be 0 or none, or this one means nothing */
    enum cli_distribution distribution;
    double low, high;
    const char *choices[6];
};

enum { CLI_DIMENSIONS = 10 };
extern const struct cli_dimension cli_search_space[CLI_DIMENSIONS];

/* Whether an option's value makes what needs it mean nothing. */
int cli_search_is_off(const char *value);

/* Whether there is something to draw: of what is 0 in the recipe, `base`, there are no multiples.
 */
int cli_search_applies(const struct cli_dimension *dimension, const char *base);

/* The value that u, uniform in [0, 1), stands for, as the option's text; to be freed. */
char *cli_search_value(const struct cli_dimension *dimension, double u, const char *base);

/* The distribution in words; to be freed. */
char *cli_search_text(const struct cli_dimension *dimension);

#endif
