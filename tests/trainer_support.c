/* trainer_support.c - the network and data that the tests of the trainer share. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trainer_support.h"

const struct tulle_layer usual_layers[LAYERS] = {{19, TULLE_ACTIVATION_RELU, 0, 0},
                                                 {33, TULLE_ACTIVATION_TANH, 0, 0},
                                                 {OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0}};

int make_data(void **state)
{
    struct data *data = malloc(sizeof *data);
    struct tulle_rng rng;
    if (!data)
        return 1;
    tulle_rng_seed(&rng, 3);
    data->x = new_values(&rng, ROWS * INPUTS);
    data->y = new_values(&rng, ROWS * OUTPUTS);
    data->x_f32 = new_floats(data->x, ROWS * INPUTS);
    data->y_f32 = new_floats(data->y, ROWS * OUTPUTS);
    *state = data;
    return 0;
}

int free_data(void **state)
{
    struct data *data = *state;
    free(data->x);
    free(data->y);
    free(data->x_f32);
    free(data->y_f32);
    free(data);
    return 0;
}

struct tulle_trainer_options usual_options(enum tulle_type precision)
{
    struct tulle_trainer_options options = network_options(INPUTS, usual_layers, LAYERS, precision);
    options.learning_rate = 0.0625;
    options.seed = 11;
    return options;
}

struct tulle_matrix x_rows(const struct data *data, size_t first, size_t count)
{
    return tulle_f64(data->x + first * INPUTS, count, INPUTS);
}

struct tulle_matrix y_rows(const struct data *data, size_t first, size_t count)
{
    return tulle_f64(data->y + first * OUTPUTS, count, OUTPUTS);
}

double step(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y)
{
    double loss = -1;
    assert_int_equal(tulle_trainer_step(trainer, x, y, &loss), TULLE_OK);
    return loss;
}

double epoch(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y)
{
    double loss = -1;
    assert_int_equal(tulle_trainer_epoch(trainer, x, y, &loss), TULLE_OK);
    return loss;
}

void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("got %.17g, expected %.17g to a relative %g", found, expected, tolerance);
}
