/* schedule.c - the learning rate of every step, and the fading of regularization. */
#include "../base/portability.h"

#include "../kernels/kernels.h"
#include "schedule.h"

static const double PI = 3.14159265358979323846, LN2 = 0.69314718055994530942;

/* The kernels' own functions: those of libm differ from machine to machine. */
static double apply(enum elementary f, double x)
{
    tulle_kernels(TULLE_F64)->elementary(f, &x, 1);
    return x;
}

/* From `from` to `to` along half a cosine, with t from 0 to 1. */
static double cosine(double from, double to, double t)
{
    return to + (from - to) * (1 + apply(ELEMENTARY_COS, PI * t)) / 2;
}

static double power(double base, uint64_t exponent)
{
    double result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base)
        if (exponent & 1)
            result *= base;
    return result;
}

static double factor(const struct tulle_train_options *o, struct schedule_point point)
{
    enum { LOWEST = 250000, FIRST = 25 };
    const double rise = 0.3;
    double t = (double)point.step / (double)point.steps;
    switch (o->schedule) {
    case TULLE_SCHEDULE_STEP:
        return power(o->schedule_factor, point.epoch / o->schedule_epochs);
    case TULLE_SCHEDULE_COSINE:
        return cosine(1, 0, t);
    case TULLE_SCHEDULE_ONE_CYCLE:
        return t < rise ? cosine(1.0 / FIRST, 1, t / rise)
                        : cosine(1, 1.0 / LOWEST, (t - rise) / (1 - rise));
    case TULLE_SCHEDULE_PLATEAU:
        return power(o->schedule_factor, point.drops);
    case TULLE_SCHEDULE_COSLOG4:
        return cosine(0, 1, 2 * apply(ELEMENTARY_LOG, 1 + 15 * t) / LN2);
    default:
        return 1;
    }
}

double tulle_schedule_rate(const struct tulle_train_options *options, struct schedule_point point)
{
    double rate = options->learning_rate * factor(options, point);
    double warmup = options->warmup * (double)point.steps;
    double warm = (double)(point.step + 1);
    return warm < warmup ? rate * (warm / warmup) : rate;
}

double tulle_schedule_fade(enum tulle_fading fading, struct schedule_point point)
{
    double t = (double)point.step / (double)point.steps;
    return fading == TULLE_FADING_FLAT_COS && t >= 0.5 ? cosine(1, 0, 2 * t - 1) : 1;
}
