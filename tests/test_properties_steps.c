/*
 * test_properties_steps.c - steps of random networks by random optimizers, against the formulas of
 * naive.c. The gradients of each step are the library's own, of a second trainer that follows them
 * with an enormous learning rate; test_properties_values.c has compared them. What is left to be
 * wrong is the optimizer alone, and its bounds are some units in the last place.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/train/trainer.h"
#include "bounded.h"
#include "random_network.h"

/* --- What a parameter is ---------------------------------------------------------------------- */

struct kind {
    double rate, decay; /* times those of weights */
    size_t inputs;      /* of a layer's weights, else 1 */
};

static void set_kinds(struct kind *kinds, size_t count, double rate, double decay, size_t inputs)
{
    for (size_t i = 0; i < count; i++)
        kinds[i] = (struct kind){rate, decay, inputs};
}

/* Of all, in the order of get_parameters(). */
static struct kind *find_kinds(const struct tulle_trainer_options *o)
{
    size_t count = parameter_count(o), inputs = input_width(o), at = 0;
    struct kind *kinds = calloc(count, sizeof *kinds);
    assert_non_null(kinds);
    for (size_t l = 0; l < o->layer_count; inputs = o->layers[l++].units) {
        size_t units = o->layers[l].units;
        size_t copies = l + 1 == o->layer_count ? member_count(o) : 1;
        set_kinds(kinds + at, copies * units * inputs, 1, 1, inputs);
        at += copies * units * inputs;
        set_kinds(kinds + at, copies * units, o->bias_learning_rate, o->bias_weight_decay, 1);
        at += copies * units;
        if (o->layers[l].parametric) {
            set_kinds(kinds + at, units, o->mix_learning_rate, 1, 1);
            at += units;
        }
    }
    set_kinds(kinds + at, first_number(o) - at, 1, 1, 1);
    set_kinds(kinds + first_number(o), number_count(o), o->number_learning_rate, 1, 1);
    set_kinds(kinds + first_number(o) + number_count(o), factor_count(o), o->factor_learning_rate,
              1, 1);
    return kinds;
}

/* --- One step of one parameter ---------------------------------------------------------------- */

/* What is kept of it, and how far off the library's may be. */
struct kept {
    struct naive_kept plain;
    double m_error, v_error;
};

struct setting {
    const struct tulle_trainer_options *options;
    double rate, decay, unit;
    int t;
};

/* m' = m / (1 - power), of powers that are rounded doubles on both sides. */
static void correct(double *m, double *error, double power)
{
    *m /= 1 - power;
    *error = *error / (1 - power) + *m * 0x1p-50 * power / (1 - power);
}

/* The bound of the way that a step goes, m and v having been updated. Square roots and divisions
 * are exact but for their rounding; what is divided by is never below epsilon. */
static double way_error(const struct setting *s, struct bounded g, const struct kept *kept)
{
    const struct tulle_trainer_options *o = s->options;
    double m = fabs(kept->plain.m), m_error = kept->m_error, v = kept->plain.v;
    double v_error = kept->v_error;
    if (o->optimizer == TULLE_OPTIMIZER_SGD)
        return s->rate * (m_error + 3 * s->unit * m);
    if (o->optimizer == TULLE_OPTIMIZER_NESTEROV)
        return s->rate *
               (g.error + o->momentum * m_error + 4 * s->unit * (fabs(g.value) + o->momentum * m));
    if (o->optimizer == TULLE_OPTIMIZER_RMSPROP) {
        m = fabs(g.value);
        m_error = g.error;
    } else {
        correct(&m, &m_error, pow(o->beta1, s->t));
        correct(&v, &v_error, pow(o->beta2, s->t));
    }
    double root = sqrt(v), root_error = v > 0 ? fmin(sqrt(v_error), v_error / root) : sqrt(v_error);
    double below = root + o->epsilon, least = fmax(below - root_error, o->epsilon) * (1 - s->unit);
    double error = m_error / least + m * (root_error + 6 * s->unit * below) / (below * least);
    return s->rate * (error + 6 * s->unit * m / least);
}

static struct bounded step_plainly(const struct setting *s, double w, struct bounded g,
                                   struct kept *kept)
{
    const struct tulle_trainer_options *o = s->options;
    double least = least_size(o->precision), m = fabs(kept->plain.m), v = kept->plain.v;
    double after = naive_update(o, s->rate, s->decay, s->t, w, g.value, &kept->plain);
    if (o->optimizer != TULLE_OPTIMIZER_ADAMW) {
        g.error += 3 * s->unit * (fabs(g.value) + fabs(s->decay * w));
        g.value += s->decay * w;
    }
    int is_adam = o->optimizer >= TULLE_OPTIMIZER_ADAM;
    double of_m = is_adam ? o->beta1 : o->momentum, of_g = is_adam ? 1 - o->beta1 : 1;
    kept->m_error = of_m * kept->m_error + of_g * g.error +
                    4 * s->unit * (of_m * m + of_g * fabs(g.value)) + least;
    kept->v_error = o->beta2 * kept->v_error +
                    (1 - o->beta2) * g.error * (2 * fabs(g.value) + g.error) +
                    4 * s->unit * (o->beta2 * v + (1 - o->beta2) * g.value * g.value) + least;
    double shrink = o->optimizer == TULLE_OPTIMIZER_ADAMW ? s->rate * s->decay : 0;
    double rounding = 2 * s->unit * (fabs(w) * (1 + shrink) + fabs(after));
    return (struct bounded){after, way_error(s, g, kept) + rounding, 0};
}

/* --- Steps of all ----------------------------------------------------------------------------- */

struct run {
    struct random_network n;
    tulle_trainer *trainer, *probe;
    struct tulle_trainer_options probe_options;
    struct kind *kinds;
    struct kept *kept;
    double learning_rate, regularization;
};

/* The same network with plain steps. */
static void make_probe(struct run *run)
{
    const struct tulle_trainer_options plain = TULLE_TRAINER_OPTIONS;
    struct tulle_trainer_options *o = &run->probe_options;
    *o = run->n.options;
    o->optimizer = plain.optimizer;
    o->parametrization = plain.parametrization;
    o->momentum = plain.momentum;
    o->weight_decay = plain.weight_decay;
    o->clip_norm = plain.clip_norm;
    o->averaging = plain.averaging;
    o->bias_learning_rate = o->mix_learning_rate = o->number_learning_rate =
        o->factor_learning_rate = 1;
    o->learning_rate = 0x1p40;
    run->probe = new_trainer(o);
}

/* As far as a parameter of that size shows it. */
static struct bounded *find_gradients(const struct run *run, const double *before,
                                      const double *shown)
{
    const struct tulle_trainer_options *o = &run->n.options;
    size_t count = parameter_count(o);
    double unit = rounding_unit(o->precision), squares = 0;
    struct bounded *gradients = calloc(count, sizeof *gradients);
    assert_non_null(gradients);
    for (size_t i = 0; i < count; i++) {
        double error = 4 * unit * (fabs(shown[i]) + fabs(before[i]) * 0x1p-40);
        gradients[i] = (struct bounded){shown[i], error + least_size(o->precision), 0};
        squares += shown[i] * shown[i];
    }
    double of_norm = 8 * unit + (double)count * 0x1p-53; /* the sum of squares, term by term */
    double norm = sqrt(squares), clip = o->clip_norm > 0 && norm > o->clip_norm;
    for (size_t i = 0; clip && i < count; i++) {
        double factor = o->clip_norm / norm;
        gradients[i].value *= factor;
        gradients[i].error = gradients[i].error * factor + of_norm * fabs(gradients[i].value);
    }
    return gradients;
}

/* The parameters after the step; ntk's are those of z = v x / sqrt(inputs), which v's step gives.
 */
static void check_parameters(struct run *run, int t, const double *before,
                             const struct bounded *gradients, const double *found)
{
    const struct tulle_trainer_options *o = &run->n.options;
    double unit = rounding_unit(o->precision);
    for (size_t i = 0; i < parameter_count(o); i++) {
        const struct kind *kind = &run->kinds[i];
        double root =
            o->parametrization == TULLE_PARAMETRIZATION_NTK ? sqrt((double)kind->inputs) : 1;
        const struct setting setting = {o, run->learning_rate * kind->rate,
                                        o->weight_decay * kind->decay * run->regularization,
                                        2 * unit, t};
        struct bounded g = {gradients[i].value / root, gradients[i].error / root, 0};
        struct bounded v = step_plainly(&setting, before[i] * root, g, &run->kept[i]);
        struct bounded w = {v.value / root, v.error / root + least_size(o->precision), 0};
        if (!is_within(found[i], w))
            fail_msg("step %d: parameter %zu is %.17g, not %.17g +- %.3g; it was %.17g and its "
                     "gradient %.17g",
                     t, i, found[i], w.value, w.error, before[i], gradients[i].value);
    }
}

/* The averages, as if they were the parameters. */
static double *get_average(const struct run *run)
{
    tulle_trainer *trainer = run->trainer;
    void *parameters = trainer->parameters;
    trainer->parameters = trainer->optimizer.average;
    double *average = get_parameters(trainer, &run->n.options);
    trainer->parameters = parameters;
    return average;
}

static void check_average(const struct run *run, const double *before, const double *parameters)
{
    const struct tulle_trainer_options *o = &run->n.options;
    double *found = get_average(run), unit = rounding_unit(o->precision);
    for (size_t i = 0; i < parameter_count(o); i++) {
        double old = o->averaging * before[i], new = (1 - o->averaging) * parameters[i];
        double error = 6 * unit * (fabs(before[i]) + fabs(parameters[i]));
        const struct bounded expected = {old + new, error + least_size(o->precision), 0};
        if (!is_within(found[i], expected))
            fail_msg("average %zu is %.17g, not %.17g +- %.3g", i, found[i], expected.value,
                     expected.error);
    }
    free(found);
}

/* Whether the squares of all gradients are numbers of the precision, divided by 1 - beta2 too. */
static int are_moderate(const struct run *run, const struct bounded *gradients)
{
    const struct tulle_trainer_options *o = &run->n.options;
    double most = o->precision == TULLE_F64 ? 1e150 : 1e17;
    for (size_t i = 0; i < parameter_count(o); i++)
        if (!(fabs(gradients[i].value) <= most))
            return 0;
    return 1;
}

/* A step from the first rows, which both trainers see alike, to the bit. 0 if there is no going on:
 * it diverged. */
static int check_step(struct run *run, int t, size_t rows)
{
    struct random_network *n = &run->n;
    const struct tulle_matrix x = first_x(n, rows), y = first_y(n, rows);
    double *before = get_parameters(run->trainer, &n->options), loss, same_loss;
    double *average = n->options.averaging > 0 ? get_average(run) : NULL;
    set_parameters(run->probe, &n->options, before);
    enum tulle_status status =
        tulle_trainer_step_weighted(run->probe, x, y, n->row_weights, &same_loss);
    assert_int_equal(tulle_trainer_step_weighted(run->trainer, x, y, n->row_weights, &loss),
                     status);
    assert_int_equal(status, isfinite(loss) ? TULLE_OK : TULLE_ERROR_DIVERGED);
    assert_true(loss == same_loss || status != TULLE_OK);
    double *shown = gradients_since(run->probe, &run->probe_options, before);
    double *found = get_parameters(run->trainer, &n->options);
    struct bounded *gradients = find_gradients(run, before, shown);
    int goes_on = status == TULLE_OK && are_moderate(run, gradients);
    if (goes_on)
        check_parameters(run, t, before, gradients, found);
    if (goes_on && average)
        check_average(run, average, found);
    free(before), free(average), free(shown), free(gradients), free(found);
    return goes_on;
}

static void check_steps(struct tulle_rng *rng)
{
    struct run run = {.regularization = 1};
    draw_network(&run.n, rng);
    draw_optimizer(&run.n, rng);
    size_t steps = draw_count(rng, 1, 5), count = parameter_count(&run.n.options);
    describe("; %zu steps", steps);
    run.trainer = trainer_of(&run.n);
    run.learning_rate = run.n.options.learning_rate;
    make_probe(&run);
    run.kinds = find_kinds(&run.n.options);
    run.kept = calloc(count, sizeof *run.kept);
    assert_non_null(run.kept);
    int goes_on = 1;
    for (size_t t = 1; goes_on && t <= steps; t++) {
        if (draw_one_in(rng, 4)) {
            run.learning_rate *= draw_number(rng, 0, 1.5);
            run.regularization = draw_number(rng, 0, 1);
            describe("; rate %.17g and regularization %.17g from step %zu on", run.learning_rate,
                     run.regularization, t);
            tulle_trainer_set_learning_rate(run.trainer, run.learning_rate);
            tulle_trainer_set_regularization(run.trainer, run.regularization);
            tulle_trainer_set_regularization(run.probe, run.regularization);
        }
        goes_on = check_step(&run, (int)t,
                             draw_one_in(rng, 2) ? run.n.rows : draw_count(rng, 1, run.n.rows));
    }
    tulle_trainer_free(run.trainer);
    tulle_trainer_free(run.probe);
    free(run.kinds), free(run.kept);
    clear_network(&run.n);
}

TEST_PROPERTY(steps, 4000)

int main(void)
{
    const struct CMUnitTest tests[] = {PROPERTY(steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
