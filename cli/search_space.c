/*
 * search_space.c - the space that `tulle tune` searches. What counts on most tables is there
 * (Holzmueller et al., 2024, tune nearly the same), around the recipe, whichever it is. Two
 * settings are not: label smoothing, which changes the valid loss that trials are compared by, and
 * epochs and members, of which more are better and slower.
 */
#include "search_space.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

const struct cli_dimension cli_search_space[CLI_DIMENSIONS] = {
    {"lr", NULL, CLI_FACTOR, 0.2, 3, {NULL}},
    {"dropout", "hidden", CLI_UNIFORM, 0, 0.4, {NULL}},
    {"weight-decay", NULL, CLI_FACTOR, 0.1, 10, {NULL}},
    {"hidden", NULL, CLI_CHOICE, 0, 0, {"128,128", "256,256", "256,256,256", "512,512", "512"}},
    {"batch", NULL, CLI_CHOICE, 0, 0, {"x0.5", "x1", "x2"}},
    {"activation", "hidden", CLI_CHOICE, 0, 0, {"relu", "selu", "silu", "mish", "gelu"}},
    {"scaling", NULL, CLI_CHOICE, 0, 0, {"standard", "robust", "quantile"}},
    {"number-dim", NULL, CLI_CHOICE, 0, 0, {"x0", "x1", "x2"}},
    {"number-bins", "number-dim", CLI_CHOICE, 0, 0, {"x0.25", "x1", "x4"}},
    {"number-deviation", "number-dim", CLI_FACTOR, 0.3, 10, {NULL}},
};

static size_t count_choices(const struct cli_dimension *dimension)
{
    size_t most = sizeof dimension->choices / sizeof dimension->choices[0], count = 0;
    while (count < most && dimension->choices[count])
        count++;
    return count;
}

/* low (high / low)^u, of u's first 20 bits: by square roots, which are the same on every machine,
 * as powers are not. */
static double between(double low, double high, double u)
{
    double factor = high / low, value = low;
    for (int bit = 0; bit < 20; bit++) {
        factor = sqrt(factor);
        u *= 2;
        if (u >= 1) {
            value *= factor;
            u -= 1;
        }
    }
    return value;
}

int cli_search_is_off(const char *value)
{
    return strcmp(value, "0") == 0 || strcmp(value, "none") == 0;
}

int cli_search_applies(const struct cli_dimension *dimension, const char *base)
{
    int is_multiple = dimension->distribution == CLI_FACTOR;
    for (size_t i = 0; i < count_choices(dimension); i++)
        is_multiple |= *dimension->choices[i] == 'x';
    return !is_multiple || strtod(base, NULL) > 0;
}

char *cli_search_value(const struct cli_dimension *dimension, double u, const char *base)
{
    double of_recipe = strtod(base, NULL);
    if (dimension->distribution == CLI_UNIFORM)
        return cli_format("%.2g", dimension->low + (dimension->high - dimension->low) * u);
    if (dimension->distribution == CLI_FACTOR)
        return cli_format("%.3g", of_recipe * between(dimension->low, dimension->high, u));
    const char *choice = dimension->choices[(size_t)(u * (double)count_choices(dimension))];
    return *choice == 'x' ? cli_format("%.0f", ceil(of_recipe * strtod(choice + 1, NULL)))
                          : cli_format("%s", choice);
}

/* "0.5 or 1 or 2 times the recipe's", "128,128 or 256,256" */
static char *choices_text(const struct cli_dimension *dimension)
{
    char *text = cli_format("%s", "");
    int is_multiple = 0;
    for (size_t i = 0; i < count_choices(dimension); i++) {
        const char *choice = dimension->choices[i];
        is_multiple |= *choice == 'x';
        text = cli_append(text, "%s%s", i ? " or " : "", choice + (*choice == 'x'));
    }
    return is_multiple ? cli_append(text, " times the recipe's") : text;
}

char *cli_search_text(const struct cli_dimension *dimension)
{
    if (dimension->distribution == CLI_CHOICE)
        return choices_text(dimension);
    char *text = cli_format("%g to %g", dimension->low, dimension->high);
    return dimension->distribution == CLI_FACTOR
               ? cli_append(text, " times the recipe's, evenly on a logarithmic scale")
               : text;
}
