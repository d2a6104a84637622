/*
 * test_epoch_ordered.c - epochs over rows in an order of the caller's: the bits of the steps that
 * they are made of, and of an epoch that shuffles so; what is refused; and no random numbers drawn.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_network.h"

static void *new_array(size_t count, size_t size)
{
    void *array = calloc(count + 1, size);
    assert_non_null(array);
    return array;
}

/* A step of rows order[0..count-1], gathered; returns its loss. */
static double step_of(tulle_trainer *trainer, const struct random_network *n, const size_t *order,
                      size_t count)
{
    double *x = new_array(count * n->columns, sizeof *x), *y = new_array(count * n->targets, 8);
    double *weights = new_array(count, sizeof *weights), loss = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(x + i * n->columns, n->x + order[i] * n->columns, n->columns * sizeof *x);
        memcpy(y + i * n->targets, n->y + order[i] * n->targets, n->targets * sizeof *y);
        weights[i] = n->row_weights ? n->row_weights[order[i]] : 1;
    }
    assert_int_equal(tulle_trainer_step_weighted(trainer, tulle_f64(x, count, n->columns),
                                                 tulle_f64(y, count, n->targets),
                                                 n->row_weights ? weights : NULL, &loss),
                     TULLE_OK);
    free(x), free(y), free(weights);
    return loss;
}

static void draw(struct random_network *n, struct tulle_rng *rng)
{
    draw_network(n, rng);
    draw_optimizer(n, rng);
    n->options.learning_rate /= 4096; /* nothing diverges */
}

/* Of fewer rows than there are, or more. */
static void check_steps(struct tulle_rng *rng)
{
    struct random_network n;
    draw(&n, rng);
    size_t count = 1 + tulle_rng_integer(rng, 2 * n.rows), size = n.options.batch_size;
    size_t *order = new_array(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = tulle_rng_integer(rng, n.rows - 1);
    tulle_trainer *trainer = trainer_of(&n), *stepwise = trainer_of(&n);
    double loss, sum = 0;
    assert_int_equal(tulle_trainer_epoch_ordered(trainer, first_x(&n, n.rows), first_y(&n, n.rows),
                                                 n.row_weights, order, count, &loss),
                     TULLE_OK);
    for (size_t begin = 0; begin < count; begin += size) {
        size_t rows = count - begin < size ? count - begin : size;
        sum += (double)rows * step_of(stepwise, &n, order + begin, rows);
    }
    assert_true(same_parameters(trainer, stepwise, &n.options));
    assert_true(fabs(loss - sum / (double)count) <= 1e-12 * (1 + fabs(loss)));
    assert_memory_equal(tulle_trainer_rng(trainer), tulle_trainer_rng(stepwise),
                        sizeof(struct tulle_rng));
    free(order);
    tulle_trainer_free(trainer), tulle_trainer_free(stepwise);
    clear_network(&n);
}

static void check_shuffle(struct tulle_rng *rng)
{
    struct random_network n;
    double losses[2];
    draw(&n, rng);
    size_t *order = new_array(n.rows, sizeof *order);
    tulle_trainer *trainer = trainer_of(&n), *shuffled = trainer_of(&n);
    for (size_t i = 0; i < n.rows; i++)
        order[i] = i;
    tulle_rng_shuffle(tulle_trainer_rng(trainer), order, n.rows);
    assert_int_equal(tulle_trainer_epoch_ordered(trainer, first_x(&n, n.rows), first_y(&n, n.rows),
                                                 NULL, order, n.rows, &losses[0]),
                     TULLE_OK);
    assert_int_equal(
        tulle_trainer_epoch(shuffled, first_x(&n, n.rows), first_y(&n, n.rows), &losses[1]),
        TULLE_OK);
    assert_memory_equal(&losses[0], &losses[1], sizeof *losses);
    assert_true(same_parameters(trainer, shuffled, &n.options));
    free(order);
    tulle_trainer_free(trainer), tulle_trainer_free(shuffled);
    clear_network(&n);
}

TEST_PROPERTY(steps, 150)
TEST_PROPERTY(shuffle, 100)

enum { INPUTS = 2, ROWS = 3 };

/* None of them takes a step, though its first rows are good. */
static void test_refused(void **state)
{
    static const struct tulle_layer layer = {1, TULLE_ACTIVATION_IDENTITY, 0, 0};
    static const double x[ROWS * INPUTS] = {1, 2, 3, 4, 5, 6}, y[ROWS] = {1, 2, 3};
    static const double good_weights[ROWS] = {1, 0, 2}, bad_weights[ROWS] = {1, 1, -1};
    static const size_t order[] = {0, 1, 2, 0}, beyond[] = {0, 1, 3, SIZE_MAX};
    struct tulle_trainer_options options = network_options(INPUTS, &layer, 1, TULLE_F32);
    options.batch_size = 1;
    const struct tulle_matrix good_x = tulle_f64(x, ROWS, INPUTS), good_y = tulle_f64(y, ROWS, 1);
    const struct {
        struct tulle_matrix x, y;
        const double *weights;
        const size_t *order;
        size_t count;
    } bad[] = {
        {good_x, good_y, good_weights, beyond, 3},
        {good_x, good_y, NULL, beyond, 4},
        {good_x, good_y, NULL, NULL, 3},
        {good_x, good_y, NULL, order, 0},
        {good_x, good_y, bad_weights, order, 3},
        {tulle_f64(x, ROWS, 1), good_y, NULL, order, 3},
        {tulle_f64(x, ROWS - 1, INPUTS), good_y, NULL, order, 2},
        {good_x, tulle_f64(y, ROWS, 2), NULL, order, 3},
        {tulle_f64(x, 0, INPUTS), tulle_f64(y, 0, 1), NULL, order, 1},
    };
    tulle_trainer *trainer = new_trainer(&options), *untouched = new_trainer(&options);
    double loss = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tulle_trainer_epoch_ordered(trainer, bad[i].x, bad[i].y, bad[i].weights,
                                                     bad[i].order, bad[i].count, &loss),
                         TULLE_ERROR_ARGUMENT);
    assert_true(loss == 7 && same_parameters(trainer, untouched, &options));
    /* Rows that nobody asks for may weigh anything. */
    assert_int_equal(
        tulle_trainer_epoch_ordered(trainer, good_x, good_y, bad_weights, beyond, 2, NULL),
        TULLE_OK);
    assert_false(same_parameters(trainer, untouched, &options));
    tulle_trainer_free(trainer), tulle_trainer_free(untouched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROPERTY(steps),
        PROPERTY(shuffle),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
