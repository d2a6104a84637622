/*
 * bounded.h - numbers in double, each with how far rounding may have taken the library's from it,
 * by the rules of running error analysis (Wilkinson, 1963). And bounded so: the activations and
 * losses of naive.h, kinks included. A test that compares with them has no tolerance to choose, and
 * no case to leave out.
 */
#ifndef BOUNDED_H
#define BOUNDED_H

#include <math.h>

#include "naive.h"

struct bounded {
    double value, error;
    double size; /* of a sum on its way: that of all its terms */
};

/* Half the spacing of the precision's numbers about 1, and that of the doubles of the test. */
static inline double rounding_unit(enum tulle_type precision)
{
    return (precision == TULLE_F64 ? 0x1p-53 : 0x1p-24) + 0x1p-53;
}

/* What only denormals would tell from 0, with a wide margin. */
static inline double least_size(enum tulle_type precision)
{
    return precision == TULLE_F64 ? 1e-290 : 1e-32;
}

static inline struct bounded exact(double value)
{
    return (struct bounded){value, 0, 0};
}

/* *sum += a b */
static inline void add_product(struct bounded *sum, struct bounded a, struct bounded b)
{
    double value = a.value * b.value;
    double error = fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error;
    sum->value += value;
    sum->error += error;
    sum->size += fabs(value) + error;
}

/* The sum of so many terms, in any order: none is rounded more often than there are terms, and each
 * twice by itself. */
static inline struct bounded settled(struct bounded sum, size_t terms, double unit)
{
    return (struct bounded){sum.value, sum.error + ((double)terms + 2) * unit * sum.size, 0};
}

static inline struct bounded product(struct bounded a, struct bounded b, double unit)
{
    struct bounded sum = {0};
    add_product(&sum, a, b);
    return settled(sum, 2, unit);
}

/* Whether a number of the library's can be this one. */
static inline int is_within(double found, struct bounded expected)
{
    return fabs(found - expected.value) <= expected.error;
}

/* A layer's unit with the sum z: what it gives, the derivative of that by z, and, of a parametric
 * one, by its mix. NULL for the mix of one that is not. */
struct bounded_unit {
    struct bounded out, slope, gap;
};
struct bounded_unit bounded_unit(enum tulle_type precision, enum tulle_activation activation,
                                 struct bounded z, const double *mix);

/* The loss of one sample, and its derivatives by the outputs o. */
struct bounded bounded_sample_loss(enum tulle_type precision, const struct naive_criterion *c,
                                   size_t outputs, const struct bounded *o, const double *y,
                                   struct bounded *gradient);

#endif
