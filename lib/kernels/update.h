/*
 * update.h - the optimisers on the vector type: one pass over parameters, their gradients and what
 * is kept of earlier ones. To add one: a function step_<name> here and a row in
 * TULLE_OPTIMIZER_LIST of tulle_trainer.h.
 *
 * Padding has the gradient 0 and stands at 0, where every one of them leaves it.
 */
#ifndef TULLE_UPDATE_H
#define TULLE_UPDATE_H

#include <float.h>

#include "kernels.h"
#include "vec_types.h"

/* The numbers of struct update, rounded to the table's type. */
struct update_step {
    vec learning_rate, momentum, beta1, beta2, rest1, rest2, epsilon, correction2;
};

/* step_<name>(step, w, g, m, v): the parameter after the step. */

VEC_INLINE vec step_sgd(const struct update_step *s, vec w, vec g, vec *m, vec *v)
{
    (void)v;
    *m = vec_fma(s->momentum, *m, g);
    return vec_fma(-s->learning_rate, *m, w);
}

VEC_INLINE vec step_nesterov(const struct update_step *s, vec w, vec g, vec *m, vec *v)
{
    (void)v;
    *m = vec_fma(s->momentum, *m, g);
    return vec_fma(-s->learning_rate, vec_fma(s->momentum, *m, g), w);
}

VEC_INLINE vec step_rmsprop(const struct update_step *s, vec w, vec g, vec *m, vec *v)
{
    (void)m;
    *v = vec_fma(s->beta2, *v, s->rest2 * (g * g));
    return vec_fma(-s->learning_rate, g / (vec_sqrt(*v) + s->epsilon), w);
}

/* learning_rate has the first correction in it (Kingma and Ba, 2015, at the end of section 2). */
VEC_INLINE vec step_adam(const struct update_step *s, vec w, vec g, vec *m, vec *v)
{
    *m = vec_fma(s->beta1, *m, s->rest1 * g);
    *v = vec_fma(s->beta2, *v, s->rest2 * (g * g));
    return vec_fma(-s->learning_rate, *m / (vec_sqrt(*v * s->correction2) + s->epsilon), w);
}

VEC_INLINE vec step_adamw(const struct update_step *s, vec w, vec g, vec *m, vec *v)
{
    return step_adam(s, w, g, m, v); /* the decay is update's shrink */
}

/* A loop of its own for every optimiser. What one does not keep is read from w and not written. */
#define DEFINE_UPDATE(NAME, value, name, formula)                                                  \
    static void update_##name(const struct update *u, const struct update_step *s, size_t n,       \
                              real *w, const real *g, real *m, real *v, real *average)             \
    {                                                                                              \
        vec clip = vec_set1((real)u->clip), decay = vec_set1((real)u->decay);                      \
        vec shrink = vec_set1((real)u->shrink), blend = vec_set1((real)(1 - u->averaging));        \
        for (size_t i = 0; i < n; i += LANES) {                                                    \
            vec weight = vec_load(w + i);                                                          \
            vec gradient = vec_fma(decay, weight, vec_load(g + i) * clip);                         \
            vec first = vec_load((m ? m : w) + i), second = vec_load((v ? v : w) + i);             \
            weight = step_##name(s, weight * shrink, gradient, &first, &second);                   \
            vec_store(w + i, weight);                                                              \
            if (m)                                                                                 \
                vec_store(m + i, first);                                                           \
            if (v)                                                                                 \
                vec_store(v + i, second);                                                          \
            if (average) {                                                                         \
                vec before = vec_load(average + i);                                                \
                vec_store(average + i, vec_fma(blend, weight - before, before));                   \
            }                                                                                      \
        }                                                                                          \
    }
TULLE_OPTIMIZER_LIST(DEFINE_UPDATE)
#undef DEFINE_UPDATE

static void update(const struct update *u, size_t n, void *w, const void *g, void *m, void *v,
                   void *average)
{
    static void (*const updates[])(const struct update *, const struct update_step *, size_t,
                                   real *, const real *, real *, real *, real *) = {
#define UPDATE_ENTRY(NAME, value, name, formula) [value] = update_##name,
        TULLE_OPTIMIZER_LIST(UPDATE_ENTRY)
#undef UPDATE_ENTRY
    };
    /* One that is 0 in the table's type would make the padding 0 / 0. */
    const double least = REAL_IS_F64 ? DBL_MIN : FLT_MIN;
    const struct update_step step = {
        .learning_rate = vec_set1((real)(u->learning_rate * u->correction1)),
        .momentum = vec_set1((real)u->momentum),
        .beta1 = vec_set1((real)u->beta1),
        .beta2 = vec_set1((real)u->beta2),
        .rest1 = vec_set1((real)(1 - u->beta1)),
        .rest2 = vec_set1((real)(1 - u->beta2)),
        .epsilon = vec_set1((real)(u->epsilon > least ? u->epsilon : least)),
        .correction2 = vec_set1((real)u->correction2),
    };
    updates[u->optimizer](u, &step, n, w, g, m, v, average);
}

#endif
