/*
 * interrupt.h - SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT: exit status 128 plus the signal's
 * number, with nothing half-written.
 *
 * Where there is nothing to tidy up a signal ends the program at once. Between hold and release it
 * is only noted, and progress callbacks return cli_interrupted() to have the library stop and tidy
 * up. What hangs ends all the same, three seconds after the first signal; more of them change
 * nothing.
 */
#ifndef TULLE_CLI_INTERRUPT_H
#define TULLE_CLI_INTERRUPT_H

void cli_interrupt_install(void);
void cli_interrupt_hold(void);
void cli_interrupt_release(void);

/* The number of the signal that came, or 0. */
int cli_interrupted(void);

#endif
