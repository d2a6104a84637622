/* help.c - `tulle help [COMMAND]`, from the commands' descriptions and the table of options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "report.h"
#include "search_space.h"
#include "train_settings.h"

enum { WIDTH = 80, OPTION_INDENT = 28, METRIC_INDENT = 21 };

/* Prints words from column `at` on, with lines of at most WIDTH that begin at `indent`. */
static void print_wrapped(const char *text, int at, int indent)
{
    while (*text) {
        int length = (int)strcspn(text, " \n");
        if (at > indent && at + 1 + length > WIDTH) {
            putchar('\n');
            at = 0;
        }
        if (at < indent)
            at += printf("%*s", indent - at, "");
        else if (at > indent)
            at += printf(" ");
        at += printf("%.*s", length, text);
        text += length;
        if (*text == '\n') {
            putchar('\n');
            at = 0;
        }
        text += *text != '\0';
    }
    putchar('\n');
}

/* --- One command --- */

static char *default_text(const struct cli_option *option, const struct cli_options *defaults)
{
    char value[64] = "";
    if (cli_recipe_value(defaults->train.recipe, 0, option))
        return cli_format(" [by recipe]");
    if (option->type->show)
        option->type->show(option->type, (const char *)defaults + option->field, value,
                           sizeof value);
    return *value ? cli_format(" [%s]", value) : cli_format("%s", "");
}

/* "; one of relu, tanh" unless the placeholder says it already, or there is a list of them. */
static char *choices_text(const struct cli_option *option)
{
    char *text = cli_format("%s", "");
    const struct cli_choice *choice = option->type->choices;
    if (!choice || strchr(option->value, '|'))
        return text;
    if (choice->meaning)
        return cli_append(text, "; see below");
    for (; choice->name; choice++)
        text = cli_append(text, "%s%s", *text ? ", " : "; one of ", choice->name);
    return text;
}

static void print_option(const struct cli_option *option, const struct cli_options *defaults)
{
    int at = option->letter ? printf("  -%s, ", option->letter) : printf("      ");
    at += printf("--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
    if (at > OPTION_INDENT - 2) {
        putchar('\n');
        at = 0;
    }
    char *choices = choices_text(option);
    char *value = default_text(option, defaults);
    char *text = cli_format("%s%s%s", option->help, choices, value);
    print_wrapped(text, at, OPTION_INDENT);
    free(choices);
    free(value);
    free(text);
}

static void print_options(const struct cli_command *command)
{
    struct cli_options defaults;
    const char *section = "";
    cli_options_init(&defaults, command);
    for (const struct cli_option *option = cli_option_table; option->name; option++) {
        if (!(option->commands & command->bit))
            continue;
        if (strcmp(section, option->section) != 0)
            printf("\n%s options:\n", option->section);
        section = option->section;
        print_option(option, &defaults);
    }
    cli_options_free(&defaults);
}

/* What the names mean that an option's value may be. */
static void print_choices(const struct cli_command *command)
{
    for (const struct cli_option *option = cli_option_table; option->name; option++) {
        const struct cli_choice *choices = option->type->choices;
        int longest = 0;
        if (!(option->commands & command->bit) || !choices || !choices->meaning)
            continue;
        for (const struct cli_choice *choice = choices; choice->name; choice++)
            longest = (int)strlen(choice->name) > longest ? (int)strlen(choice->name) : longest;
        printf("\n--%s is one of:\n", option->name);
        for (const struct cli_choice *choice = choices; choice->name; choice++)
            print_wrapped(choice->meaning, printf("  %s", choice->name), longest + 4);
    }
}

static void print_metrics(void)
{
#define LINE(NAME, value, name, formula, better) {#name, formula},
    static const struct {
        const char *name, *formula;
    } lines[] = {TULLE_METRIC_LIST(LINE)};
#undef LINE
    printf("\nMetrics, of a prediction o and a target y:\n");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        print_wrapped(lines[i].formula, printf("  %s", lines[i].name), METRIC_INDENT);
}

static void print_search_space(void)
{
    printf("\nWhat is searched, unless the option is given, or one that depends on it:\n");
    for (size_t i = 0; i < CLI_DIMENSIONS; i++) {
        char *text = cli_search_text(&cli_search_space[i]);
        print_wrapped(text, printf("  --%s", cli_search_space[i].option), METRIC_INDENT);
        free(text);
    }
}

static void print_command(const struct cli_command *command)
{
    printf("usage: tulle %s %s\n\n", command->name, command->synopsis);
    print_wrapped(command->description, 0, 0);
    if (command->arguments[0].name)
        printf("\nArguments:\n");
    for (size_t i = 0; i < 2 && command->arguments[i].name; i++)
        print_wrapped(command->arguments[i].help, printf("  %s", command->arguments[i].name), 11);
    print_options(command);
    print_choices(command);
    if (command->bit == CLI_TUNE)
        print_search_space();
    if (command->bit & (CLI_FITS | CLI_EVAL))
        print_metrics();
    printf("\nValues in [brackets] are the defaults. '--name VALUE' and '--name=VALUE' are the\n"
           "same; '--' ends the options.\n");
    if (command->bit & CLI_FITS)
        printf("'tulle help recipes' has what stands [by recipe].\n");
    printf("\nExamples:\n%s", command->examples);
    printf("\nExit status: 0 done, 1 failure, 2 wrong usage, 128 + N ended by signal N.\n"
           "See also: 'tulle help' for the other commands.\n");
}

/* --- The recipes --- */

static const char recipes_topic[] = "recipes";

static void add_values(struct cli_table *table, const struct cli_option *option)
{
    cli_table_add(table, "--%s", option->name);
    for (const struct cli_choice *recipe = cli_type_recipe.choices; recipe->name; recipe++)
        cli_table_add(table, "%s", cli_recipe_value((enum tulle_recipe)recipe->value, 0, option));
}

/* What a recipe takes for classes where that is not what it takes for numbers. */
static void print_of_classes(const struct cli_choice *recipe)
{
    int has_any = 0;
    for (const struct cli_option *option = cli_option_table; option->name; option++) {
        const char *numbers = cli_recipe_value((enum tulle_recipe)recipe->value, 0, option);
        const char *classes = cli_recipe_value((enum tulle_recipe)recipe->value, 1, option);
        if (!numbers || strcmp(numbers, classes) == 0)
            continue;
        if (!has_any)
            printf("For classes %s takes", recipe->name);
        has_any = 1;
        printf(" --%s %s", option->name, classes);
    }
    printf("%s", has_any ? ".\n" : "");
}

static void print_recipes(void)
{
    struct cli_table table = {.columns = 1};
    printf("Recipes: what 'tulle train --recipe NAME' takes for options that are not given.\n\n");
    cli_table_add(&table, "option");
    for (const struct cli_choice *recipe = cli_type_recipe.choices; recipe->name; recipe++) {
        print_wrapped(recipe->meaning, printf("  %s", recipe->name), 12);
        cli_table_add(&table, "%s", recipe->name);
        table.columns++;
    }
    table.left = table.columns;
    for (const struct cli_option *option = cli_option_table; option->name; option++)
        if (cli_recipe_value(TULLE_RECIPE_TABULAR, 0, option))
            add_values(&table, option);
    putchar('\n');
    cli_table_print(stdout, &table, "");
    cli_table_free(&table);
    putchar('\n');
    for (const struct cli_choice *recipe = cli_type_recipe.choices; recipe->name; recipe++)
        print_of_classes(recipe);
    printf("'tulle help train' says what the options mean.\n");
}

/* --- All of them --- */

static void print_overview(void)
{
    printf("tulle %s: trains and serves small dense neural networks\n\n"
           "usage: tulle COMMAND ...\n\n"
           "Commands:\n",
           tulle_version());
    for (size_t i = 0; cli_commands[i]; i++)
        printf("  %-8s  %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    printf("\n"
           "Everywhere:\n"
           "  'tulle COMMAND --help' and 'tulle help COMMAND' are the manual of a command.\n"
           "  'tulle help recipes' shows the settings that 'tulle train' chooses from.\n"
           "  'tulle --version' prints the version and what this build can do.\n"
           "  Results go to stdout, the log to stderr. '-' is stdin or stdout.\n"
           "\n"
           "From rows to predictions:\n"
           "  tulle train houses.csv --target price    writes houses.tulle\n"
           "  tulle cv houses.csv --target price       how good that is to be expected\n"
           "  tulle tune houses.csv --target price     searches for better settings\n"
           "  tulle eval houses.tulle new.csv          how far off it is on other rows\n"
           "  tulle predict houses.tulle new.csv       its predictions, as CSV\n"
           "  tulle info houses.tulle                  what is in the model file\n"
           "\n"
           "Exit status: 0 done, 1 failure, 2 wrong usage, 128 + N ended by signal N (130 is\n"
           "Ctrl-C); files that were not finished are not left behind.\n");
}

static int run(const struct cli_options *options)
{
    const struct cli_command *command = NULL;
    if (options->arguments[0] && strcmp(options->arguments[0], recipes_topic) == 0) {
        print_recipes();
        return cli_close_stdout();
    }
    if (options->arguments[0]) {
        command = cli_command_find(options->arguments[0]);
        if (!command)
            return CLI_USAGE;
    }
    if (command)
        print_command(command);
    else
        print_overview();
    return cli_close_stdout();
}

const struct cli_command cli_help = {
    .bit = CLI_HELP,
    .name = "help",
    .summary = "explain a command and its options",
    .synopsis = "[COMMAND | recipes]",
    .description = "Prints what a command does, its options and their defaults, and an example. "
                   "'tulle COMMAND --help' prints the same; without COMMAND it lists them all. "
                   "'tulle help recipes' prints a table of the settings in each recipe.",
    .arguments = {{"COMMAND", "the command to explain, or the word recipes"}},
    .required = 0,
    .examples = "  tulle help train\n"
                "  tulle help recipes\n",
    .run = run,
};
