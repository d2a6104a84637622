/*
 * pace.h - whether work of one kind is done faster by several threads than by one, found by trying.
 *
 * It cannot be known beforehand: another process may hold a CPU, two CPUs may be the halves of one
 * core, and their caches may be near or far. Which way is taken never changes a result.
 */
#ifndef TULLE_PACE_H
#define TULLE_PACE_H

/* A record of all zeros is a new one. */
struct pace {
    int together;  /* whether several threads should do the next work */
    double alone;  /* seconds that an operation takes on one thread; 0 if not known */
    double credit; /* seconds that several threads may still lose before one is used again */
    double stay;   /* seconds of work before the other way is tried */
};

/* Notes that so many operations took so many seconds, done as `together` had said. */
void tulle_pace_note(struct pace *pace, double operations, double seconds);

#endif
