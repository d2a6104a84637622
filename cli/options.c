/* options.c - the parser of the command line, which reads from the table of options. */
#include "options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

void cli_options_init(struct cli_options *options, const struct cli_command *command)
{
    const struct tulle_train_options train = TULLE_TRAIN_OPTIONS;

    memset(options, 0, sizeof *options);
    options->command = command;
    options->train = train;
    options->split = TULLE_SPLIT_ALL;
    options->folds = 5;
    options->budget = 60;
}

void cli_options_free(struct cli_options *options)
{
    struct cli_names *const lists[] = {&options->target,      &options->drop,
                                       &options->categorical, &options->numeric,
                                       &options->missing,     &options->class_weights.names};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        cli_names_free(lists[i]);
    free(options->class_weights.weights);
    free(options->quantiles.items);
    free(options->hidden.items);
}

const struct cli_option *cli_option_find(const char *name)
{
    const struct cli_option *option = cli_option_table;
    while (strcmp(option->name, name) != 0)
        option++;
    return option;
}

int cli_options_given(const struct cli_options *options, const char *name)
{
    return options->given[cli_option_find(name) - cli_option_table];
}

const char *cli_option_member(const struct cli_option *option)
{
    static const char parent[] = "train.";
    size_t length = sizeof parent - 1;
    return option->member + (strncmp(option->member, parent, length) == 0 ? length : 0);
}

static int sets_member(const struct cli_option *option, const char *member, size_t length)
{
    const char *name = cli_option_member(option);
    return (option->commands & CLI_TRAIN) && strlen(name) == length &&
           strncmp(name, member, length) == 0;
}

const char *cli_option_of_member(const char *member, size_t length)
{
    const struct cli_option *option = cli_option_table;
    while (option->name && !sets_member(option, member, length))
        option++;
    return option->name;
}

/* --- Names --- */

const struct cli_command *cli_command_find(const char *name)
{
    const char *names[8];
    size_t count = 0;
    for (; cli_commands[count]; count++) {
        names[count] = cli_commands[count]->name;
        if (strcmp(names[count], name) == 0)
            return cli_commands[count];
    }
    size_t nearest = tulle_nearest_name(name, names, count);
    if (nearest != SIZE_MAX)
        cli_usage_error("unknown command '%s'; did you mean '%s'? Try 'tulle help'", name,
                        names[nearest]);
    else
        cli_usage_error("unknown command '%s'; try 'tulle help'", name);
    return NULL;
}

/* Whether the first `length` bytes of an argument are an option's "--name" or "-n". */
static int is_named(const struct cli_option *option, const char *argument, size_t length)
{
    size_t dashes = strncmp(argument, "--", 2) == 0 ? 2 : argument[0] == '-';
    const char *name = dashes == 2 ? option->name : option->letter;
    return dashes && name && length == dashes + strlen(name) &&
           strncmp(argument + dashes, name, length - dashes) == 0;
}

static const struct cli_option *find_option(const char *argument, size_t length)
{
    for (const struct cli_option *option = cli_option_table; option->name; option++) {
        if (is_named(option, argument, length))
            return option;
    }
    return NULL;
}

static int unknown_option(const struct cli_command *command, const char *argument, size_t length)
{
    char *written = cli_format("%.*s", (int)length, argument);
    char **names = cli_allocate(cli_option_count, sizeof *names);
    size_t count = 0;
    for (const struct cli_option *option = cli_option_table; option->name; option++) {
        if (option->commands & command->bit)
            names[count++] = cli_format("--%s", option->name);
    }
    size_t nearest = tulle_nearest_name(written, (const char *const *)names, count);
    if (nearest != SIZE_MAX)
        cli_usage_error("unknown option '%s'; did you mean '%s'? Try 'tulle %s --help'", written,
                        names[nearest], command->name);
    else
        cli_usage_error("unknown option '%s'; try 'tulle %s --help'", written, command->name);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    free(written);
    return CLI_USAGE;
}

static int foreign_option(const struct cli_command *command, const struct cli_option *option)
{
    char *owners = cli_format("%s", "");
    unsigned others = option->commands;
    for (const struct cli_command *const *owner = cli_commands; *owner; owner++) {
        if (!(others & (*owner)->bit))
            continue;
        others &= ~(*owner)->bit;
        owners = cli_append(owners, "%s'tulle %s'",
                            !*owners ? ""
                            : others ? ", "
                                     : " and ",
                            (*owner)->name);
    }
    cli_usage_error("--%s is an option of %s, not of 'tulle %s'", option->name, owners,
                    command->name);
    free(owners);
    return CLI_USAGE;
}

/* --- The parser --- */

static int set_option(struct cli_options *options, const struct cli_option *option,
                      const char *value)
{
    char problem[1024];
    size_t place = (size_t)(option - cli_option_table);
    if (options->given[place])
        return cli_usage_error("--%s is given twice", option->name);
    options->given[place] = 1;
    if (option->type->parse(option->type, value, (char *)options + option->field, problem,
                            sizeof problem) != 0)
        return cli_usage_error("--%s: %s", option->name, problem);
    return 0;
}

/* Whether an argument that stands where a value is due is another option instead. */
static int is_option(const char *argument)
{
    return strncmp(argument, "--", 2) == 0 || find_option(argument, strlen(argument));
}

/* Reads the option at argv[*index], moving on by one if its value is the next argument. */
static int parse_option(struct cli_options *options, int argc, char **argv, int *index)
{
    const char *argument = argv[*index];
    size_t length = strcspn(argument, "=");
    const struct cli_option *option = find_option(argument, length);
    if (!option)
        return unknown_option(options->command, argument, length);
    if (!(option->commands & options->command->bit))
        return foreign_option(options->command, option);

    const char *value = argument[length] ? argument + length + 1 : NULL;
    if (!option->value && value)
        return cli_usage_error("--%s takes no value", option->name);
    if (option->value && !value) {
        if (*index + 1 == argc || is_option(argv[*index + 1]))
            return cli_usage_error("--%s needs a value: --%s %s", option->name, option->name,
                                   option->value);
        value = argv[++*index];
    }
    return set_option(options, option, value);
}

static int parse_argument(struct cli_options *options, const char *argument)
{
    const struct cli_command *command = options->command;
    for (size_t i = 0; i < 2 && command->arguments[i].name; i++) {
        if (!options->arguments[i]) {
            options->arguments[i] = argument;
            return 0;
        }
    }
    return cli_usage_error("unexpected argument '%s'; try 'tulle %s --help'", argument,
                           command->name);
}

int cli_options_parse(struct cli_options *options, int argc, char **argv)
{
    const struct cli_command *command = options->command;
    int only_arguments = 0;
    options->argc = argc;
    options->argv = argv;
    for (int i = 0; i < argc; i++) {
        int status = 0;
        if (only_arguments || argv[i][0] != '-' || !argv[i][1])
            status = parse_argument(options, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            only_arguments = 1;
        else
            status = parse_option(options, argc, argv, &i);
        if (status)
            return status;
    }
    if (options->help || options->version)
        return 0;
    for (size_t i = 0; i < command->required; i++) {
        if (!options->arguments[i])
            return cli_usage_error("%s is missing: tulle %s %s", command->arguments[i].name,
                                   command->name, command->synopsis);
    }
    return 0;
}
