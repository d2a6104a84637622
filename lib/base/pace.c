/*
 * pace.c - one thread or several, found by trying.
 *
 * What several threads save against one is put to their credit and what they lose is taken from it.
 * When it is used up, one thread works alone for PENANCE times what a trial has cost. So several
 * threads lose at most one part in PENANCE of one thread's speed, whatever the machine does.
 */
#include "portability.h"

#include "pace.h"

static const double ALLOWANCE = 200e-6; /* for a trial: waking threads up takes some 50 us */
static const double MOST = 20e-3;       /* longer than the slices in which CPUs are shared out */
static const double PENANCE = 100;
static const double RECHECK = 64; /* several threads' time over that of one look at one thread's */
static const double DRIFT = 1.02; /* by which one thread's time may grow from run to run */

/* One thread's time is the least of late, or a run that was interrupted would speak for several. */
static void note_alone(struct pace *pace, double operations, double seconds)
{
    double time = seconds / operations;
    if (pace->alone == 0) { /* the first run may well be slow: as long again for a second */
        pace->alone = time;
        pace->credit = ALLOWANCE;
        pace->stay = seconds < MOST ? seconds : MOST;
        return;
    }
    double slower = pace->alone * DRIFT;
    pace->alone = time < slower ? time : slower;
    if (pace->stay <= 0) {
        pace->together = 1;
        pace->stay = RECHECK * (seconds < MOST ? seconds : MOST);
    }
}

static void note_together(struct pace *pace, double operations, double seconds)
{
    double saved = pace->alone * operations - seconds;
    pace->credit += saved > -MOST ? saved : -MOST;
    if (pace->credit > MOST)
        pace->credit = MOST;
    if (pace->credit < 0) {
        pace->together = 0;
        pace->stay = PENANCE * (ALLOWANCE - pace->credit);
        pace->credit = ALLOWANCE;
    } else if (pace->stay <= 0) {
        pace->together = 0;
    }
}

void tulle_pace_note(struct pace *pace, double operations, double seconds)
{
    if (!(seconds > 1e-9)) /* the clock's grain, or a clock that went back */
        seconds = 1e-9;
    pace->stay -= seconds;
    (pace->together ? note_together : note_alone)(pace, operations, seconds);
}
