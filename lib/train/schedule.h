/* schedule.h - the learning rate of every step (TULLE_SCHEDULE_LIST), and how far regularization
 * has faded by then (TULLE_FADING_LIST). */
#ifndef TULLE_SCHEDULE_H
#define TULLE_SCHEDULE_H

#include "../base/status.h"

struct schedule_point {
    uint64_t step, steps; /* of all epochs: step counts from 0 */
    size_t epoch;         /* from 0 */
    size_t drops;         /* of the plateau schedule, so far */
};

/* The learning rate of the step. */
double tulle_schedule_rate(const struct tulle_train_options *options, struct schedule_point point);

/* What its dropout and weight decay are multiplied by. */
double tulle_schedule_fade(enum tulle_fading fading, struct schedule_point point);

#endif
