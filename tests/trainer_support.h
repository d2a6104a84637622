/* trainer_support.h - the network and data that the tests of the trainer share. */
#ifndef TRAINER_SUPPORT_H
#define TRAINER_SUPPORT_H

#include "net_support.h"

enum { INPUTS = 7, OUTPUTS = 2, LAYERS = 3, ROWS = 70 };

extern const struct tulle_layer usual_layers[LAYERS];

/* The data of most tests: numbers that f32 holds exactly. */
struct data {
    double *x, *y;        /* (ROWS, INPUTS), (ROWS, OUTPUTS) */
    float *x_f32, *y_f32; /* the same numbers */
};

/* A group's set-up and teardown, with *state a struct data. */
int make_data(void **state);
int free_data(void **state);

struct tulle_trainer_options usual_options(enum tulle_type precision);

/* Matrices of rows first..first+count-1 of the data. */
struct tulle_matrix x_rows(const struct data *data, size_t first, size_t count);
struct tulle_matrix y_rows(const struct data *data, size_t first, size_t count);

/* A step or an epoch that must succeed; its loss. */
double step(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y);
double epoch(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y);

void assert_near(double found, double expected, double tolerance);

#endif
