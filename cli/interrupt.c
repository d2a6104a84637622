/* interrupt.c - the handler and its two words of state. */
#define _POSIX_C_SOURCE 200809L
#include "interrupt.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t holding, noted;

static void on_signal(int number)
{
    if (!holding || noted)
        _exit(128 + number);
    noted = number;
    /* The library takes a read up again that a signal broke off, but the pipe may stay silent for
     * ever: without stdin that read fails, and the library tidies up. */
    close(STDIN_FILENO);
}

void cli_interrupt_install(void)
{
    /* A shell starts background jobs of a script with SIGINT ignored, but `kill -INT` of such a job
     * is meant; so the signal is taken even then. */
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* so that a closed pipe is an error to report, like a full disk */
}

void cli_interrupt_hold(void)
{
    holding = 1;
}

void cli_interrupt_release(void)
{
    holding = 0;
    if (noted)
        _exit(128 + noted);
}

int cli_interrupted(void)
{
    return noted;
}
