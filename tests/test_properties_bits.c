/*
 * test_properties_bits.c - what must not change a bit: threads, instruction sets, how a batch
 * stands in memory, which rows are predicted together, the order of outputs, parameters that are
 * got and set, models that are saved and loaded. Of random networks.
 */
#include "../lib/base/portability.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_support.h"
#include "random_network.h"

static double *predict(tulle_trainer *trainer, const struct random_network *n,
                       struct tulle_matrix x)
{
    double *out = calloc(x.rows * n->outputs, sizeof *out);
    assert_non_null(out);
    assert_int_equal(tulle_trainer_predict(trainer, x, tulle_f64_out(out, x.rows, n->outputs)),
                     TULLE_OK);
    return out;
}

/* Any NaN is every other. */
static void assert_same(const char *what, const double *found, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&found[i], &expected[i], sizeof *found) != 0 &&
            !(isnan(found[i]) && isnan(expected[i])))
            fail_msg("%s: number %zu is %.17g, not %.17g", what, i, found[i], expected[i]);
}

/* --- Threads, instruction sets and views ------------------------------------------------------ */

/* All that some steps leave behind. */
struct outcome {
    double *parameters, *out, losses[6];
};

static void free_outcome(struct outcome *outcome)
{
    free(outcome->parameters), free(outcome->out);
}

/* Data that stands in memory in another way. */
struct view {
    struct tulle_matrix x, y;
};

/* Steps and an epoch with kernels no better than `level`, NULL for the best. */
static struct outcome run(const struct random_network *n, const struct view *view, unsigned threads,
                          const char *level, size_t steps)
{
    struct outcome outcome = {0};
    const char *limit = getenv("TULLE_KERNELS");
    if (level)
        setenv("TULLE_KERNELS", level, 1);
    tulle_trainer *trainer = trainer_of(n);
    if (level && limit)
        setenv("TULLE_KERNELS", limit, 1);
    else if (level)
        unsetenv("TULLE_KERNELS");
    set_threads(trainer, threads);
    for (size_t t = 0; t < steps; t++)
        tulle_trainer_step_weighted(trainer, view->x, view->y, n->row_weights, &outcome.losses[t]);
    tulle_trainer_epoch(trainer, view->x, view->y, &outcome.losses[steps]);
    tulle_trainer_loss(trainer, view->x, view->y, &outcome.losses[steps + 1]);
    outcome.out = predict(trainer, n, view->x);
    outcome.parameters = get_parameters(trainer, &n->options);
    tulle_trainer_free(trainer);
    return outcome;
}

static void compare_runs(const char *what, const struct random_network *n, const struct view *view,
                         unsigned threads, const char *level, size_t steps,
                         const struct outcome *expected)
{
    struct outcome found = run(n, view, threads, level, steps);
    assert_same(what, found.losses, expected->losses, steps + 2);
    assert_same(what, found.out, expected->out, n->rows * n->outputs);
    assert_same(what, found.parameters, expected->parameters, parameter_count(&n->options));
    free_outcome(&found);
}

/* The same numbers as floats or doubles in rows that are longer, NaN behind their end. */
static struct tulle_matrix copy_view(struct tulle_rng *rng, struct tulle_matrix m)
{
    size_t stride = m.columns + draw_small(rng, 0, 20), count = m.rows * stride;
    enum tulle_type type = draw_one_in(rng, 2) ? TULLE_F64 : TULLE_F32;
    double *copy = calloc(count, sizeof *copy);
    assert_non_null(copy);
    for (size_t i = 0; i < count; i++) {
        size_t row = i / stride, column = i % stride;
        double value =
            column < m.columns ? ((const double *)m.data)[row * m.columns + column] : NAN;
        if (type == TULLE_F64)
            copy[i] = value;
        else
            ((float *)copy)[i] = (float)value;
    }
    describe("; %s of stride %zu", tulle_type_name(type), stride);
    return (struct tulle_matrix){copy, type, m.rows, m.columns, stride};
}

static void check_runs(struct tulle_rng *rng)
{
    static const char *const levels[] = {"generic", "avx2"};
    struct random_network n;
    draw_network(&n, rng);
    draw_optimizer(&n, rng);
    size_t steps = draw_count(rng, 0, 4);
    unsigned threads = (unsigned)draw_small(rng, 2, 5);
    const struct view plain = {first_x(&n, n.rows), first_y(&n, n.rows)};
    const struct view other = {copy_view(rng, plain.x), copy_view(rng, plain.y)};
    describe("; %zu steps, %u threads", steps, threads);
    struct outcome expected = run(&n, &plain, 1, NULL, steps);
    compare_runs("threads", &n, &plain, threads, NULL, steps, &expected);
    compare_runs("generic", &n, &plain, 1, "generic", steps, &expected);
    compare_runs("a view, with threads", &n, &other, (unsigned)draw_small(rng, 1, 5),
                 levels[draw_count(rng, 0, 1)], steps, &expected);
    free_outcome(&expected);
    free((void *)other.x.data), free((void *)other.y.data);
    clear_network(&n);
}

TEST_PROPERTY(runs, 500)

/* --- Rows and outputs in another order -------------------------------------------------------- */

static size_t *draw_order(struct tulle_rng *rng, size_t count)
{
    size_t *order = calloc(count, sizeof *order);
    assert_non_null(order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    tulle_rng_shuffle(rng, order, count);
    return order;
}

/* Each row alone; and all in another order, some of them twice. */
static void check_rows(struct tulle_rng *rng, const struct random_network *n,
                       tulle_trainer *trainer, const double *expected)
{
    size_t columns = n->columns, outputs = n->outputs, *order = draw_order(rng, n->rows);
    double *x = calloc(n->rows * columns, sizeof *x);
    assert_non_null(x);
    order[0] = order[n->rows - 1];
    for (size_t r = 0; r < n->rows; r++)
        memcpy(x + r * columns, n->x + order[r] * columns, columns * sizeof *x);
    double *shuffled = predict(trainer, n, tulle_f64(x, n->rows, columns));
    for (size_t r = 0; r < n->rows; r++) {
        double *alone = predict(trainer, n, tulle_f64(n->x + r * columns, 1, columns));
        assert_same("a row alone", alone, expected + r * outputs, outputs);
        assert_same("rows in another order", shuffled + r * outputs, expected + order[r] * outputs,
                    outputs);
        free(alone);
    }
    free(order), free(x), free(shuffled);
}

/* The last layer's units in another order give the outputs in that order. */
static void check_output_order(struct tulle_rng *rng, const struct random_network *n,
                               tulle_trainer *trainer, const double *expected)
{
    const struct tulle_trainer_options *o = &n->options;
    size_t last = o->layer_count - 1, units = n->outputs, members = member_count(o);
    size_t inputs = last > 0 ? o->layers[last - 1].units : input_width(o);
    size_t *order = draw_order(rng, units);
    double *w = calloc(4 * members * units * (inputs + 1), sizeof *w);
    assert_non_null(w);
    double *b = w + members * units * inputs, *moved = b + members * units;
    double *moved_b = moved + members * units * inputs, *mix = moved_b + members * units;
    double *moved_mix = mix + units;
    assert_int_equal(tulle_trainer_get_parameters(trainer, last, w, b), TULLE_OK);
    for (size_t i = 0; i < members * units; i++) {
        size_t from = i / units * units + order[i % units];
        memcpy(moved + i * inputs, w + from * inputs, inputs * sizeof *w);
        moved_b[i] = b[from];
    }
    assert_int_equal(tulle_trainer_set_parameters(trainer, last, moved, moved_b), TULLE_OK);
    if (o->layers[last].parametric) {
        assert_int_equal(tulle_trainer_get_mix(trainer, last, mix), TULLE_OK);
        for (size_t u = 0; u < units; u++)
            moved_mix[u] = mix[order[u]];
        assert_int_equal(tulle_trainer_set_mix(trainer, last, moved_mix), TULLE_OK);
    }
    double *out = predict(trainer, n, first_x(n, n->rows));
    for (size_t i = 0; i < n->rows * units; i++)
        assert_same("outputs in another order", &out[i],
                    &expected[i / units * units + order[i % units]], 1);
    set_parameters(trainer, o, n->parameters);
    free(order), free(w), free(out);
}

/* Members in the opposite order have the same mean; sums of up to 5 of them in double are exact
 * but for rounding in f64. */
static void check_member_order(const struct random_network *n, tulle_trainer *trainer,
                               const double *expected)
{
    const struct tulle_trainer_options *o = &n->options;
    size_t last = o->layer_count - 1, units = n->outputs, members = member_count(o);
    size_t inputs = last > 0 ? o->layers[last - 1].units : input_width(o);
    size_t width = input_width(o);
    double *w = calloc(2 * members * (units * (inputs + 1) + width), sizeof *w);
    assert_non_null(w);
    double *b = w + members * units * inputs, *f = b + members * units;
    double *moved = f + members * width, *moved_b = moved + members * units * inputs;
    double *moved_f = moved_b + members * units;
    assert_int_equal(tulle_trainer_get_parameters(trainer, last, w, b), TULLE_OK);
    assert_int_equal(tulle_trainer_get_factors(trainer, f), TULLE_OK);
    for (size_t m = 0; m < members; m++) {
        size_t from = members - 1 - m, area = units * inputs;
        memcpy(moved + m * area, w + from * area, area * sizeof *w);
        memcpy(moved_b + m * units, b + from * units, units * sizeof *b);
        memcpy(moved_f + m * width, f + from * width, width * sizeof *f);
    }
    assert_int_equal(tulle_trainer_set_parameters(trainer, last, moved, moved_b), TULLE_OK);
    assert_int_equal(tulle_trainer_set_factors(trainer, moved_f), TULLE_OK);
    double *out = predict(trainer, n, first_x(n, n->rows));
    assert_true(difference(out, expected, n->rows * units) <=
                (o->precision == TULLE_F64 ? 1e-12 : 1e-5));
    set_parameters(trainer, o, n->parameters);
    free(w), free(out);
}

static void check_orders(struct tulle_rng *rng)
{
    struct random_network n;
    draw_network(&n, rng);
    tulle_trainer *trainer = trainer_of(&n);
    double *expected = predict(trainer, &n, first_x(&n, n.rows));
    check_rows(rng, &n, trainer, expected);
    check_output_order(rng, &n, trainer, expected);
    if (n.options.front.has_factors)
        check_member_order(&n, trainer, expected);
    double *parameters = get_parameters(trainer, &n.options);
    assert_same("parameters set and got", parameters, n.parameters, parameter_count(&n.options));
    free(parameters), free(expected);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

TEST_PROPERTY(orders, 700)

/* --- Models ----------------------------------------------------------------------------------- */

static double *predict_model(const tulle_model *model, const struct random_network *n,
                             const double *x, unsigned threads)
{
    size_t count = tulle_model_info(model)->prediction_count;
    double *out = calloc(n->rows * count, sizeof *out);
    tulle_session *session = new_session(model);
    assert_non_null(out);
    assert_int_equal(tulle_session_set_threads(session, threads), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(x, n->rows, n->columns),
                                           tulle_f64_out(out, n->rows, count)),
                     TULLE_OK);
    tulle_session_free(session);
    return out;
}

/* The trainer's, the model's, the same with threads, and those of the model that is read back; the
 * file of which is the same, byte for byte. */
static void check_models(struct tulle_rng *rng)
{
    struct random_network n;
    draw_network(&n, rng);
    draw_optimizer(&n, rng);
    tulle_trainer *trainer = trainer_of(&n);
    tulle_model *model = new_model(trainer);
    if (n.options.loss == TULLE_LOSS_MSE)
        check_model(trainer, &n.options, n.x, n.rows);
    for (size_t i = 0; i < n.rows * n.columns; i++) /* a session's levels count from 0 */
        if (i % n.columns >= n.options.inputs)
            n.x[i] = n.x[i] > 0 ? n.x[i] - 1 : NAN;
    size_t count = n.rows * tulle_model_info(model)->prediction_count;
    double *expected = predict_model(model, &n, n.x, 1);
    double *found = predict_model(model, &n, n.x, (unsigned)draw_small(rng, 2, 5));
    assert_same("a session with threads", found, expected, count);
    free(found);
#ifdef TULLE_WITH_MODEL_FILES
    check_file(model);
    tulle_model *loaded = load_model(in_folder("one")); /* which check_file() has left there */
    found = predict_model(loaded, &n, n.x, 1);
    assert_same("a model that is loaded", found, expected, count);
    free(found);
    tulle_model_free(loaded);
#endif
    free(expected);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

TEST_PROPERTY(models, 100)

int main(void)
{
    const struct CMUnitTest tests[] = {PROPERTY(runs), PROPERTY(orders), PROPERTY(models)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
