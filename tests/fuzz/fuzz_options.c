/* fuzz_options.c - target: the lines of a text as what follows `tulle` on the command line. It is
 * read, and the help's and the settings' texts are made from it, but nothing is run. */
#include "../../lib/base/portability.h"

#include <stdlib.h>
#include <string.h>

#include "../../cli/options.h"
#include "../../cli/train_settings.h"
#include "scratch.h"

enum { MOST_ARGUMENTS = 64 };

/* What each option was set to, as the help would show it. */
static void show_values(const struct cli_options *options)
{
    char text[256];
    for (size_t i = 0; i < cli_option_count; i++) {
        const struct cli_option *option = &cli_option_table[i];
        if (option->type->show)
            option->type->show(option->type, (const char *)options + option->field, text,
                               sizeof text);
    }
}

static void parse(const struct cli_command *command, int argc, char **argv)
{
    struct cli_options options;
    cli_options_init(&options, command);
    int status = cli_options_parse(&options, argc, argv);
    CHECK(status == 0 || status == 2);
    if (status == 0)
        show_values(&options);
    if (status == 0 && (command->bit & CLI_FITS) && !options.help && !options.version)
        status = cli_settings_check(&options);
    CHECK(status == 0 || status == 2);
    cli_options_free(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *argv[MOST_ARGUMENTS + 1];
    int argc = 0;
    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *at = text; at && argc < MOST_ARGUMENTS;) {
        char *end = memchr(at, '\n', size - (size_t)(at - text));
        argv[argc++] = at;
        if (end)
            *end = '\0';
        at = end ? end + 1 : NULL;
    }
    argv[argc] = NULL;
    const struct cli_command *command = cli_command_find(argv[0]);
    if (command)
        parse(command, argc - 1, argv + 1);
    free(text);
    return 0;
}
