/*
 * test_update.c - the step of every optimizer: its formula in double, the same bits from every
 * table, and padding that stays 0.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_tables.h"

enum { N = 7 * TULLE_ROW_PAD, USED = N - 5, STEPS = 4 };

static const struct update updates[] = {
    {.learning_rate = 0.125, .shrink = 1, .correction1 = 1, .correction2 = 1, .clip = 1},
    {.learning_rate = 0.01,
     .momentum = 0.9,
     .beta1 = 0.9,
     .beta2 = 0.99,
     .epsilon = 1e-8,
     .decay = 0.05,
     .shrink = 1,
     .correction1 = 10,
     .correction2 = 100,
     .clip = 0.3,
     .averaging = 0.75},
    {.learning_rate = 0.003,
     .momentum = 0.5,
     .beta1 = 0,
     .beta2 = 0.999,
     .epsilon = 0.1,
     .shrink = 0.96875,
     .correction1 = 1,
     .correction2 = 1.5,
     .clip = 1,
     .averaging = 0.999},
};

/* Parameters, gradients and what is kept. */
struct state {
    void *w, *g, *m, *v, *average;
};

static struct state make_state(enum tulle_type type)
{
    struct state s = {random_buffer(type, N), random_buffer(type, N), random_buffer(type, N),
                      random_buffer(type, N), random_buffer(type, N)};
    for (size_t i = 0; i < N; i++) /* a mean of squares */
        set(type, s.v, i, fabs(get(type, s.v, i)));
    void *all[] = {s.w, s.g, s.m, s.v, s.average};
    for (size_t i = 0; i < 5; i++)
        set_padding(type, all[i], 1, USED, N, 0);
    return s;
}

static struct state copy_state(enum tulle_type type, const struct state *s)
{
    return (struct state){copy_buffer(type, s->w, N), copy_buffer(type, s->g, N),
                          copy_buffer(type, s->m, N), copy_buffer(type, s->v, N),
                          copy_buffer(type, s->average, N)};
}

static void free_state(struct state *s)
{
    tulle_free(s->w), tulle_free(s->g), tulle_free(s->m), tulle_free(s->v), tulle_free(s->average);
}

static int keeps_m(enum tulle_optimizer o)
{
    return o != TULLE_OPTIMIZER_RMSPROP;
}

static int keeps_v(enum tulle_optimizer o)
{
    return o == TULLE_OPTIMIZER_RMSPROP || o == TULLE_OPTIMIZER_ADAM || o == TULLE_OPTIMIZER_ADAMW;
}

static void run(const struct kernels *kernels, const struct update *update, const struct state *s,
                int averages)
{
    kernels->update(update, N, s->w, s->g, keeps_m(update->optimizer) ? s->m : NULL,
                    keeps_v(update->optimizer) ? s->v : NULL, averages ? s->average : NULL);
}

/* One parameter by the formulas of TULLE_OPTIMIZER_LIST. */
static void step_plainly(const struct update *u, double *w, double g, double *m, double *v,
                         double *average)
{
    g = g * u->clip + u->decay * *w;
    switch (u->optimizer) {
    case TULLE_OPTIMIZER_AUTO:
        fail_msg("no optimizer");
        break;
    case TULLE_OPTIMIZER_SGD:
        *m = u->momentum * *m + g;
        *w = *w * u->shrink - u->learning_rate * *m;
        break;
    case TULLE_OPTIMIZER_NESTEROV:
        *m = u->momentum * *m + g;
        *w = *w * u->shrink - u->learning_rate * (g + u->momentum * *m);
        break;
    case TULLE_OPTIMIZER_RMSPROP:
        *v = u->beta2 * *v + (1 - u->beta2) * g * g;
        *w = *w * u->shrink - u->learning_rate * g / (sqrt(*v) + u->epsilon);
        break;
    case TULLE_OPTIMIZER_ADAM:
    case TULLE_OPTIMIZER_ADAMW:
        *m = u->beta1 * *m + (1 - u->beta1) * g;
        *v = u->beta2 * *v + (1 - u->beta2) * g * g;
        *w = *w * u->shrink -
             u->learning_rate * (*m * u->correction1) / (sqrt(*v * u->correction2) + u->epsilon);
        break;
    }
    *average = u->averaging * *average + (1 - u->averaging) * *w;
}

static void assert_near(enum tulle_type type, const char *what, const struct update *update,
                        double found, double expected)
{
    double tolerance = (type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON) * 32;
    if (!(fabs(found - expected) <= tolerance * (1 + fabs(expected))))
        fail_msg("%s, %s: %s is %.17g, not %.17g", tulle_optimizer_name(update->optimizer),
                 tulle_type_name(type), what, found, expected);
}

static void check_formula(const struct kernels *kernels, const struct update *update)
{
    enum tulle_type type = kernels->type;
    struct state s = make_state(type);
    for (int step = 0; step < STEPS; step++) {
        struct state before = copy_state(type, &s);
        run(kernels, update, &s, 1);
        for (size_t i = 0; i < N; i++) {
            double w = get(type, before.w, i), g = get(type, before.g, i);
            double m = get(type, before.m, i), v = get(type, before.v, i);
            double average = get(type, before.average, i);
            step_plainly(update, &w, g, &m, &v, &average);
            if (i >= USED) {
                assert_true(get(type, s.w, i) == 0 && get(type, s.m, i) == 0 &&
                            get(type, s.v, i) == 0 && get(type, s.average, i) == 0);
                continue;
            }
            assert_near(type, "w", update, get(type, s.w, i), w);
            assert_near(type, "m", update, get(type, s.m, i), m);
            assert_near(type, "v", update, get(type, s.v, i), v);
            assert_near(type, "the average", update, get(type, s.average, i), average);
            assert_true(is_same(type, s.g, before.g, i));
        }
        free_state(&before);
    }
    free_state(&s);
}

static void for_each_update(void (*check)(const struct kernels *, const struct update *))
{
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++)
            for (size_t i = 0; i < sizeof updates / sizeof *updates; i++)
                for (int o = 0; tulle_optimizer_name((enum tulle_optimizer)o); o++) {
                    struct update update = updates[i];
                    update.optimizer = (enum tulle_optimizer)o;
                    if (update.epsilon == 0)
                        update.epsilon = 1e-8;
                    if (o != TULLE_OPTIMIZER_ADAM && o != TULLE_OPTIMIZER_ADAMW)
                        update.correction1 = update.correction2 = 1;
                    check(tables[type][t], &update);
                }
}

static void test_formulas(void **state)
{
    (void)state;
    for_each_update(check_formula);
}

/* As the generic table has it; with an average and without. */
static void check_bits(const struct kernels *kernels, const struct update *update)
{
    enum tulle_type type = kernels->type;
    for (int averages = 0; averages <= 1; averages++) {
        struct state expected = make_state(type), found = copy_state(type, &expected);
        for (int step = 0; step < STEPS; step++) {
            run(tables[type][0], update, &expected, averages);
            run(kernels, update, &found, averages);
        }
        for (size_t i = 0; i < N; i++)
            assert_true(is_same(type, found.w, expected.w, i) &&
                        is_same(type, found.m, expected.m, i) &&
                        is_same(type, found.v, expected.v, i) &&
                        is_same(type, found.average, expected.average, i));
        free_state(&expected);
        free_state(&found);
    }
}

static void test_bits(void **state)
{
    (void)state;
    for_each_update(check_bits);
}

/* Without momentum nothing is kept, and nothing that stands elsewhere comes in. */
static void check_nothing_kept(const struct kernels *kernels, const struct update *update)
{
    enum tulle_type type = kernels->type;
    struct update plain = *update;
    if (keeps_v(plain.optimizer))
        return;
    plain.momentum = 0;
    struct state s = make_state(type), zeros = copy_state(type, &s);
    set_padding(type, zeros.m, 1, 0, N, 0);
    kernels->update(&plain, N, s.w, s.g, NULL, NULL, NULL);
    kernels->update(&plain, N, zeros.w, zeros.g, zeros.m, NULL, NULL);
    for (size_t i = 0; i < N; i++)
        assert_true(get(type, s.w, i) == get(type, zeros.w, i));
    free_state(&s);
    free_state(&zeros);
}

static void test_nothing_kept(void **state)
{
    (void)state;
    for_each_update(check_nothing_kept);
}

/* An epsilon that f32 cannot hold must not turn a gradient of 0 into 0 / 0. */
static void check_small_epsilon(const struct kernels *kernels, const struct update *update)
{
    enum tulle_type type = kernels->type;
    struct update small = *update;
    small.epsilon = DBL_TRUE_MIN;
    struct state s = make_state(type);
    set_padding(type, s.g, 1, 0, N, 0);
    set_padding(type, s.m, 1, 0, N, 0);
    set_padding(type, s.v, 1, 0, N, 0);
    small.decay = 0;
    run(kernels, &small, &s, 0);
    for (size_t i = 0; i < N; i++)
        assert_true(isfinite(get(type, s.w, i)));
    free_state(&s);
}

static void test_small_epsilon(void **state)
{
    (void)state;
    for_each_update(check_small_epsilon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_formulas), cmocka_unit_test(test_bits),
                                       cmocka_unit_test(test_nothing_kept),
                                       cmocka_unit_test(test_small_epsilon)};
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
