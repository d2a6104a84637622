/*
 * interrupt.h - Ctrl-C and SIGTERM: exit status 130 and 143, with nothing half-written.
 *
 * Where there is nothing to tidy up a signal ends the program at once. Between
 * hold and release it is only noted, and progress callbacks return cli_interrupted() to have the
 * library stop and tidy up; a second signal ends the program all the same.
 */
#ifndef TULLE_CLI_INTERRUPT_H
#define TULLE_CLI_INTERRUPT_H

void cli_interrupt_install(void);
void cli_interrupt_hold(void);
void cli_interrupt_release(void);

/* The number of the signal that came, or 0. */
int cli_interrupted(void);

#endif
