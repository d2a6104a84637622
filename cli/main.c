/* main.c - finds the command and runs it. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "options.h"
#include "report.h"

const struct cli_command *const cli_commands[] = {&cli_train, &cli_cv,      &cli_tune,
                                                  &cli_eval,  &cli_predict, &cli_info,
                                                  &cli_bench, &cli_help,    NULL};

/* If the caller closed one of the three, the next file opened would take its place: a log line
 * would land in the model file. Opened the wrong way round, use of them still fails. */
static void occupy_standard_files(void)
{
    for (int file = 0; file <= 2; file++) {
        if (fcntl(file, F_GETFD) == -1 &&
            open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY) == -1)
            _exit(CLI_FAILURE);
    }
}

static int print_version(void)
{
    char build[128];
    tulle_build_info(build, sizeof build);
    printf("tulle %s\n%s\n", tulle_version(), build);
    return cli_close_stdout();
}

static int run(int argc, char **argv)
{
    const char *name = argv[1];
    if (strcmp(name, "--version") == 0)
        return print_version();
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = cli_help.name;
    else if (name[0] == '-')
        return cli_usage_error("expected a command before '%s'; try 'tulle help'", name);

    const struct cli_command *command = cli_command_find(name);
    if (!command)
        return CLI_USAGE;
    struct cli_options options;
    cli_options_init(&options, command);
    int status = cli_options_parse(&options, argc - 2, argv + 2);
    if (status == 0 && options.version)
        status = print_version();
    else if (status == 0 && options.help) {
        options.arguments[0] = command->name;
        status = cli_help.run(&options);
    } else if (status == 0)
        status = command->run(&options);
    cli_options_free(&options);
    return status;
}

int main(int argc, char **argv)
{
    occupy_standard_files();
    cli_interrupt_install();
    if (argc >= 2)
        return run(argc, argv);
    fputs("usage: tulle COMMAND ...\n\n", stderr);
    for (size_t i = 0; cli_commands[i]; i++)
        fprintf(stderr, "  %-8s  %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fputs("\nTry 'tulle help', or 'tulle help COMMAND'.\n", stderr);
    return CLI_USAGE;
}
