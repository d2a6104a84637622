/*
 * interrupt.h - SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT: exit status 128 plus the signal's
 * number, with nothing half-written.
 *
 * Where there is nothing to tidy up a signal ends the program at once. Between hold and release it
 * is only noted, and progress callbacks return cli_interrupted() to have the library stop and tidy
 * up. What hangs ends all the same, some seconds after the first signal, or at another one that
 * comes a second later or more.
 */
#ifndef TULLE_CLI_INTERRUPT_H
#define TULLE_CLI_INTERRUPT_H

enum { CLI_TIDY_SECONDS = 3, CLI_CHECKPOINT_SECONDS = 60 };

void cli_interrupt_install(void);

/* What there is to tidy up takes at most so many seconds. */
void cli_interrupt_hold(unsigned seconds);
void cli_interrupt_release(void);

/* The number of the signal that came, or 0. */
int cli_interrupted(void);

/* The same for tulle_train_options.poll. */
int cli_poll(void *user);

#endif
