/* train_settings.c - settings as options: what recipes say, and which options mean something only
 * beside others. */
#include "train_settings.h"

#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "report.h"

const char *cli_setting_value(const struct tulle_setting *settings, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0)
            return settings[i].value;
    return NULL;
}

const char *cli_recipe_value(enum tulle_recipe recipe, int is_of_classes,
                             const struct cli_option *option)
{
    size_t count;
    const struct tulle_setting *settings = tulle_recipe_settings(recipe, is_of_classes, &count);
    return cli_setting_value(settings, count, cli_option_member(option));
}

/* --- Options that belong to others --- */

enum { MOST_VALUES = 3 };

/* An option that means something only with some values of another one: these, or all but 0. */
struct dependence {
    const char *option, *of;
    const char *values[MOST_VALUES];
};

#define ADAM                                                                                       \
    {                                                                                              \
        "adam", "adamw"                                                                            \
    }
#define SQUARES                                                                                    \
    {                                                                                              \
        "rmsprop", "adam", "adamw"                                                                 \
    }
#define ABOVE_0                                                                                    \
    {                                                                                              \
        NULL                                                                                       \
    }
#define NONE                                                                                       \
    {                                                                                              \
        "0"                                                                                        \
    }
static const struct dependence dependences[] = {
    {"quantiles", "loss", {"quantile"}},
    {"huber-delta", "loss", {"huber"}},
    {"label-smoothing", "loss", {"auto", "cross_entropy", "binary_cross_entropy"}},
    {"number-frequencies", "number-dim", ABOVE_0},
    {"number-bins", "number-dim", ABOVE_0},
    {"number-deviation", "number-dim", ABOVE_0},
    {"number-frequencies", "number-bins", NONE},
    {"number-deviation", "number-bins", NONE},
    {"number-lr", "number-dim", ABOVE_0},
    {"mix-lr", "parametric", {"yes"}},
    {"factor-lr", "input-factors", {"yes"}},
    {"momentum", "optimizer", {"sgd", "nesterov"}},
    {"beta1", "optimizer", ADAM},
    {"beta2", "optimizer", SQUARES},
    {"epsilon", "optimizer", SQUARES},
    {"bias-decay", "weight-decay", ABOVE_0},
    {"schedule-factor", "schedule", {"step", "plateau"}},
    {"schedule-epochs", "schedule", {"step", "plateau"}},
};
enum { DEPENDENCES = sizeof dependences / sizeof dependences[0] };

static int is_fit(const struct dependence *d, const char *value)
{
    if (!d->values[0])
        return strcmp(value, "0") != 0;
    for (size_t i = 0; i < MOST_VALUES && d->values[i]; i++)
        if (strcmp(d->values[i], value) == 0)
            return 1;
    return 0;
}

/* "--optimizer rmsprop, adam or adamw", "--weight-decay above 0" */
static char *needs_text(const struct dependence *d)
{
    char *text = cli_format("--%s", d->of);
    if (!d->values[0])
        return cli_append(text, " above 0");
    for (size_t i = 0; i < MOST_VALUES && d->values[i]; i++) {
        int is_last = i + 1 == MOST_VALUES || !d->values[i + 1];
        text = cli_append(text, "%s%s", i == 0 ? " " : is_last ? " or " : ", ", d->values[i]);
    }
    return text;
}

/* As given, else as the recipe says, else the default. */
static const char *value_of(const struct cli_options *options, const char *name, int is_of_classes,
                            char *buffer, size_t size)
{
    const struct cli_option *option = cli_option_find(name);
    const char *value = cli_recipe_value(options->train.recipe, is_of_classes, option);
    if (value && !cli_options_given(options, name))
        return value;
    option->type->show(option->type, (const char *)options + option->field, buffer, size);
    return buffer;
}

/* The task is not known yet: what fits numbers or classes will do. */
static int check_dependence(const struct cli_options *options, const struct dependence *d)
{
    char buffer[64];
    const char *value = NULL;
    for (int is_of_classes = 0; is_of_classes < 2; is_of_classes++) {
        value = value_of(options, d->of, is_of_classes, buffer, sizeof buffer);
        if (is_fit(d, value))
            return 0;
    }
    int is_by_recipe = value != buffer;
    char *needs = needs_text(d);
    char *why = is_by_recipe ? cli_format("; that of recipe %s is %s",
                                          tulle_recipe_name(options->train.recipe), value)
                             : cli_format("%s", "");
    int status = cli_usage_error("--%s is for %s%s", d->option, needs, why);
    free(needs);
    free(why);
    return status;
}

/* Learned functions of numbers have to be of a kind. */
static int check_numbers(const struct cli_options *options)
{
    char dimensions[32], bins[32], frequencies[32];
    const char *count = value_of(options, "number-dim", 0, dimensions, sizeof dimensions);
    if (strcmp(count, "0") == 0 ||
        strcmp(value_of(options, "number-bins", 0, bins, sizeof bins), "0") != 0 ||
        strcmp(value_of(options, "number-frequencies", 0, frequencies, sizeof frequencies), "0") !=
            0)
        return 0;
    return cli_usage_error("--number-dim %s needs a --number-bins or --number-frequencies above 0",
                           count);
}

int cli_option_is_needed(const struct cli_options *options, const char *name)
{
    for (size_t i = 0; i < DEPENDENCES; i++)
        if (strcmp(dependences[i].of, name) == 0 &&
            cli_options_given(options, dependences[i].option))
            return 1;
    return 0;
}

int cli_settings_check(const struct cli_options *options)
{
    char buffer[64];
    for (size_t i = 0; i < DEPENDENCES; i++) {
        int status = cli_options_given(options, dependences[i].option)
                         ? check_dependence(options, &dependences[i])
                         : 0;
        if (status)
            return status;
    }
    if (options->train.optimizer == TULLE_OPTIMIZER_NESTEROV &&
        strcmp(value_of(options, "momentum", 0, buffer, sizeof buffer), "0") == 0)
        return cli_usage_error("--optimizer nesterov needs a --momentum above 0, such as 0.9");
    if (check_numbers(options) != 0)
        return CLI_USAGE;
    const char *members = value_of(options, "members", 0, buffer, sizeof buffer);
    char factors[8];
    if (strcmp(members, "1") != 0 &&
        strcmp(value_of(options, "input-factors", 0, factors, sizeof factors), "no") == 0)
        return cli_usage_error("--members %s needs --input-factors yes: members differ by them",
                               members);
    return 0;
}

/* --- Repeating a run --- */

/* Beside the settings of the model, at most; see add_data. */
enum { MOST_OTHERS = 6 };

static void add(struct cli_given *given, size_t *count, const char *option, char *value)
{
    given[*count].option = option;
    given[(*count)++].value = value;
}

static char *column_names(const struct tulle_column *columns, size_t count,
                          int is_wanted(const struct tulle_column *))
{
    char *text = cli_format("%s", "");
    for (size_t i = 0; i < count; i++)
        if (is_wanted(&columns[i]))
            text = cli_append_name(*text ? cli_append(text, ",") : text, columns[i].name);
    return text;
}

static int is_any(const struct tulle_column *column)
{
    (void)column;
    return 1;
}

/* Categories that would be read as numbers if nobody said so: one of them looks like a number. */
static int is_declared(const struct tulle_column *column)
{
    for (size_t i = 0; column->levels.names && i < column->levels.count; i++) {
        const char *name = column->levels.names[i];
        if (*name && !name[strspn(name, "+-.0123456789eE")])
            return 1;
    }
    return 0;
}

/* "" where it is what is missing anyway. */
static char *missing_text(const struct tulle_model_info *info)
{
    static const char *const usual[] = TULLE_DEFAULT_MISSING;
    size_t count = sizeof usual / sizeof usual[0], same = 0;
    char *text = cli_format("%s", "");
    for (size_t i = 0; i < info->missing_count; i++) {
        same += i < count && strcmp(info->missing[i], usual[i]) == 0;
        text = cli_append_name(i ? cli_append(text, ",") : text, info->missing[i]);
    }
    if (same != count || info->missing_count != count)
        return text;
    free(text);
    return NULL;
}

/* Columns and rows. */
static void add_data(struct cli_given *given, size_t *count, const struct tulle_model_info *info)
{
    char *missing = missing_text(info);
    char *declared = column_names(info->inputs, info->input_count, is_declared);
    add(given, count, "target", column_names(info->targets, info->target_count, is_any));
    add(given, count, "task", cli_format("%s", tulle_task_name(info->task)));
    if (info->split_column)
        add(given, count, "split-column", cli_format("%s", info->split_column));
    else if (cli_has_valid_table(info))
        add(given, count, "valid-file", cli_format("VALID"));
    if (info->weight_column)
        add(given, count, "weight", cli_format("%s", info->weight_column));
    if (missing)
        add(given, count, "missing", missing);
    if (*declared)
        add(given, count, "categorical", declared);
    else
        free(declared);
}

int cli_option_is_idle(const struct tulle_model_info *info, const char *option)
{
    for (size_t i = 0; i < DEPENDENCES; i++) {
        if (strcmp(dependences[i].option, option) != 0)
            continue;
        const char *member = cli_option_member(cli_option_find(dependences[i].of));
        const char *value = cli_setting_value(info->settings, info->setting_count, member);
        if (value && !is_fit(&dependences[i], value))
            return 1;
    }
    return 0;
}

struct cli_given *cli_repeating_options(const struct tulle_model_info *info, size_t *count)
{
    struct cli_given *given = cli_allocate(info->setting_count + MOST_OTHERS, sizeof *given);
    int is_split_at_random = !info->split_column && !cli_has_valid_table(info);
    *count = 0;
    if (info->setting_count > 0)
        add_data(given, count, info);
    for (size_t i = 0; i < info->setting_count; i++) {
        const struct tulle_setting *setting = &info->settings[i];
        const char *option = cli_option_of_member(setting->name, strlen(setting->name));
        int is_fraction = option && (strcmp(option, "valid") == 0 || strcmp(option, "test") == 0);
        if (option && !cli_option_is_idle(info, option) && (is_split_at_random || !is_fraction))
            add(given, count, option, cli_format("%s", setting->value));
    }
    return given;
}

void cli_given_free(struct cli_given *given, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(given[i].value);
    free(given);
}
