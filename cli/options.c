/* options.c - the table of options, and the parser that reads from it. */
#include "options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define FIELD(member) offsetof(struct cli_options, member)
#define DATA "Data"
#define NETWORK "Network"
#define TRAINING "Training"
#define BENCHMARK "Benchmark"
#define OUTPUT "Output"
#define OTHER "Other"

const struct cli_option cli_option_table[] = {
    {"target", NULL, "NAME,...", CLI_TRAIN, DATA, &cli_type_names, FIELD(target),
     "the columns to predict; required. All other columns are inputs"},
    {"drop", NULL, "NAME,...", CLI_TRAIN, DATA, &cli_type_names, FIELD(drop),
     "columns to leave out; they may hold anything"},
    {"split-column", NULL, "NAME", CLI_TRAIN | CLI_EVAL, DATA, &cli_type_text, FIELD(split_column),
     "the column that holds train, valid (or val, validation) or test for each row"},
    {"split", NULL, "SPLIT", CLI_EVAL, DATA, &cli_type_split, FIELD(split), "the rows to measure"},
    {"valid", NULL, "FRACTION", CLI_TRAIN, DATA, &cli_type_fraction, FIELD(train.valid_fraction),
     "without a split column: the fraction of rows, drawn at random, that training does not see "
     "and that the valid loss is measured on"},
    {"test", NULL, "FRACTION", CLI_TRAIN, DATA, &cli_type_fraction, FIELD(train.test_fraction),
     "without a split column: the fraction of rows kept for the test metrics"},
    {"standardize", NULL, "yes|no", CLI_TRAIN, DATA, &cli_type_yes_no, FIELD(train.standardize),
     "bring inputs and targets to mean 0 and standard deviation 1 for training; the model undoes "
     "it, so predictions come in the target's own units"},

    {"hidden", NULL, "UNITS,...", CLI_TRAIN, NETWORK, &cli_type_counts, FIELD(hidden),
     "units of the hidden layers, from the inputs on; none makes a linear model"},
    {"activation", NULL, "NAME", CLI_TRAIN, NETWORK, &cli_type_activation, FIELD(train.activation),
     "what the units of the hidden layers compute from their sum"},
    {"precision", NULL, "f32|f64", CLI_TRAIN, NETWORK, &cli_type_precision, FIELD(train.precision),
     "the numbers that the network computes with: 4 or 8 bytes each"},

    {"loss", NULL, "NAME", CLI_TRAIN, TRAINING, &cli_type_loss, FIELD(train.loss),
     "what training makes small; mse is the mean squared error"},
    {"optimizer", NULL, "NAME", CLI_TRAIN, TRAINING, &cli_type_optimizer, FIELD(train.optimizer),
     "how a step changes the weights; sgd is plain gradient descent on mini-batches"},
    {"lr", NULL, "RATE", CLI_TRAIN, TRAINING, &cli_type_rate, FIELD(train.learning_rate),
     "the learning rate: how far a step goes. Too high and training diverges"},
    {"batch", NULL, "ROWS", CLI_TRAIN, TRAINING, &cli_type_count, FIELD(train.batch_size),
     "rows in a step"},
    {"epochs", NULL, "N", CLI_TRAIN, TRAINING, &cli_type_count, FIELD(train.epochs),
     "passes over the training rows"},
    {"seed", NULL, "N", CLI_TRAIN, TRAINING, &cli_type_seed, FIELD(train.seed),
     "seeds the random numbers behind the split, the first weights and the order of rows. The same "
     "data, options and seed give the same model, byte for byte"},
    {"threads", NULL, "N", CLI_TRAIN | CLI_BENCH, TRAINING, &cli_type_threads, FIELD(train.threads),
     "at most that many; 0 is as many as the CPUs and the work allow. Results are the same to the "
     "bit"},

    {"only", NULL, "PART", CLI_BENCH, BENCHMARK, &cli_type_part, FIELD(only),
     "measure this part alone, and the peak"},
    {"quick", NULL, NULL, CLI_BENCH, BENCHMARK, &cli_type_flag, FIELD(quick),
     "fewer and shorter repeats: rough figures in seconds"},

    {"output", "o", "FILE", CLI_TRAIN | CLI_PREDICT, OUTPUT, &cli_type_text, FIELD(output),
     "the file to write; it appears only when it is complete. - is stdout"},
    {"json", NULL, NULL, CLI_TRAIN | CLI_EVAL | CLI_INFO | CLI_BENCH, OUTPUT, &cli_type_flag,
     FIELD(json), "print the results to stdout as one JSON object"},
    {"quiet", NULL, NULL, CLI_TRAIN | CLI_EVAL | CLI_PREDICT, OUTPUT, &cli_type_flag, FIELD(quiet),
     "no log on stderr; errors are still printed"},

    {"help", "h", NULL, CLI_EVERY, OTHER, &cli_type_flag, FIELD(help), "print this and exit"},
    {"version", NULL, NULL, CLI_EVERY, OTHER, &cli_type_flag, FIELD(version),
     "print the version and what this build can do, and exit"},
    {NULL, NULL, NULL, 0, NULL, NULL, 0, NULL},
};

enum { OPTION_COUNT = sizeof cli_option_table / sizeof cli_option_table[0] - 1 };
_Static_assert(OPTION_COUNT <= sizeof((struct cli_options *)0)->given, "given[] is too short");

void cli_options_init(struct cli_options *options, const struct cli_command *command)
{
    /* The layers that tulle_train makes when it is told of none, which its options cannot say. */
    static const size_t hidden[] = TULLE_DEFAULT_HIDDEN;
    const struct tulle_train_options train = TULLE_TRAIN_OPTIONS;

    memset(options, 0, sizeof *options);
    options->command = command;
    options->train = train;
    options->split = TULLE_SPLIT_ALL;
    options->hidden.count = sizeof hidden / sizeof hidden[0];
    options->hidden.items = cli_allocate(options->hidden.count, sizeof *hidden);
    memcpy(options->hidden.items, hidden, sizeof hidden);
}

void cli_options_free(struct cli_options *options)
{
    free(options->target.items);
    free(options->target.text);
    free(options->drop.items);
    free(options->drop.text);
    free(options->hidden.items);
}

int cli_options_given(const struct cli_options *options, const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(cli_option_table[i].name, name) == 0)
            return options->given[i];
    }
    return 0;
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
    char *names[OPTION_COUNT];
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
    free(written);
    return CLI_USAGE;
}

static int foreign_option(const struct cli_command *command, const struct cli_option *option)
{
    char *owners = cli_format("%s", "");
    for (const struct cli_command *const *owner = cli_commands; *owner; owner++) {
        if (!(option->commands & (*owner)->bit))
            continue;
        char *longer = cli_format("%s%s'tulle %s'", owners, *owners ? " and " : "", (*owner)->name);
        free(owners);
        owners = longer;
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
