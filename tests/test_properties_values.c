/*
 * test_properties_values.c - outputs, losses and gradients of random networks, each within the
 * bounds that rounding leaves it about what the plain network computes (bounded_network.h).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bounded_network.h"
#include "random_network.h"

/* How many numbers were compared, and how many of them with bounds so wide that they say little:
 * behind kinks, and far out on exponentials. */
static size_t compared, loose;

static void check_number(const struct random_network *n, const char *what, size_t i, double found,
                         struct bounded expected)
{
    expected.error += least_size(n->options.precision);
    compared++;
    loose += !(expected.error <= 0.05 * fabs(expected.value) + 0.001);
    if (isfinite(expected.error) && !is_within(found, expected))
        fail_msg("%s %zu is %.17g, not %.17g +- %.3g", what, i, found, expected.value,
                 expected.error);
}

static struct bounded_rows rows_of(const struct random_network *n)
{
    return (struct bounded_rows){n->parameters, n->x, n->y, n->row_weights, n->rows};
}

static void check_outputs(const struct random_network *n, tulle_trainer *trainer)
{
    const struct bounded_rows rows = rows_of(n);
    size_t count = n->rows * n->outputs;
    struct bounded *expected = calloc(count, sizeof *expected);
    double *out = calloc(count, sizeof *out), loss;
    assert_true(expected && out);
    struct bounded expected_loss = bounded_predict(&n->options, &rows, expected);
    assert_int_equal(tulle_trainer_predict(trainer, first_x(n, n->rows),
                                           tulle_f64_out(out, n->rows, n->outputs)),
                     TULLE_OK);
    for (size_t i = 0; i < count; i++)
        check_number(n, "output", i, out[i], expected[i]);
    assert_int_equal(tulle_trainer_loss(trainer, first_x(n, n->rows), first_y(n, n->rows), &loss),
                     TULLE_OK);
    check_number(n, "the loss, number", 0, loss, expected_loss);
    free(expected), free(out);
}

/* With an enormous power of two for a learning rate, a step shows its gradients to the last bits.
 */
static void check_gradients(const struct random_network *n, tulle_trainer *trainer)
{
    const struct bounded_rows rows = rows_of(n);
    const double unit = rounding_unit(n->options.precision);
    size_t count = parameter_count(&n->options);
    struct bounded *expected = calloc(count, sizeof *expected);
    double loss;
    assert_non_null(expected);
    struct bounded expected_loss = bounded_gradients(&n->options, &rows, expected);
    double *found = step_gradients(trainer, &n->options, first_x(n, n->rows), first_y(n, n->rows),
                                   n->row_weights, &loss);
    check_number(n, "the step's loss, number", 0, loss, expected_loss);
    for (size_t i = 0; i < count; i++) {
        expected[i].error +=
            4 * unit * (fabs(found[i]) + fabs(n->parameters[i]) / n->options.learning_rate);
        check_number(n, "gradient", i, found[i], expected[i]);
    }
    free(expected), free(found);
}

static void check_values(struct tulle_rng *rng)
{
    struct random_network n;
    draw_network(&n, rng);
    n.options.learning_rate = 0x1p40;
    tulle_trainer *trainer = trainer_of(&n);
    if (draw_one_in(rng, 10))
        set_threads(trainer, (unsigned)draw_count(rng, 2, 5));
    check_outputs(&n, trainer);
    check_gradients(&n, trainer);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

TEST_PROPERTY(values, 3000)

/* That the bounds say something. */
static void test_bounds(void **state)
{
    (void)state;
    printf("%zu numbers compared, %zu of them within wide bounds\n", compared, loose);
    assert_true(loose <= compared / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {PROPERTY(values), cmocka_unit_test(test_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
