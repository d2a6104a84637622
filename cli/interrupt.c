/* interrupt.c - the handlers and their state. */
#define _XOPEN_SOURCE 700
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_int holding, noted; /* holding: the seconds to tidy up in */
static struct timespec first;     /* when noted was set */

static int is_a_second_later(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - first.tv_sec) + 1e-9 * (double)(now.tv_nsec - first.tv_nsec) >= 1;
}

static void on_signal(int number)
{
    /* A terminal and a parent process may both send it, or a finger may slip. */
    if (!holding || (noted && is_a_second_later()))
        _exit(128 + number);
    if (noted)
        return;
    clock_gettime(CLOCK_MONOTONIC, &first);
    noted = number;
    /* The library takes a read or a write up again that a signal broke off, but the pipe may stay
     * silent for ever: without stdin the read fails, and the library tidies up. On any other pipe
     * only the alarm helps. */
    int before = errno;
    close(STDIN_FILENO);
    alarm((unsigned)holding);
    errno = before;
}

static void on_alarm(int number)
{
    _exit(128 + (noted ? noted : number));
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void cli_interrupt_install(void)
{
    struct sigaction inherited;
    /* A shell starts background jobs of a script with SIGINT and SIGQUIT ignored, but `kill -INT`
     * of such a job is meant; so they are taken even then. That nohup ignores SIGHUP is meant. */
    handle(SIGINT, on_signal);
    handle(SIGQUIT, on_signal);
    handle(SIGTERM, on_signal);
    sigaction(SIGHUP, NULL, &inherited);
    if (inherited.sa_handler != SIG_IGN)
        handle(SIGHUP, on_signal);
    handle(SIGALRM, on_alarm);
    /* So that a closed pipe and a file past `ulimit -f` are errors to report, like a full disk. */
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN);
}

void cli_interrupt_hold(unsigned seconds)
{
    holding = (int)seconds;
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

int cli_poll(void *user)
{
    (void)user;
    return cli_interrupted();
}
