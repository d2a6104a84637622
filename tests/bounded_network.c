/* bounded_network.c - a network, one sample and one member at a time, and its rounding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/mix64.h"
#include "../lib/kernels/kernels.h"
#include "bounded_network.h"
#include "random_network.h"

/* --- Where things are ------------------------------------------------------------------------- */

struct plan {
    const struct tulle_trainer_options *options;
    const struct bounded_rows *rows;
    double unit;
    size_t width, members, outputs, targets;
    size_t layers[MOST_LAYERS], tables[MOST_EMBEDDINGS], numbers, factors; /* where they begin */
    struct naive_criterion criterion;
};

static struct plan make_plan(const struct tulle_trainer_options *o, const struct bounded_rows *rows)
{
    static const double median = 0.5;
    struct plan plan = {.options = o,
                        .rows = rows,
                        .unit = rounding_unit(o->precision),
                        .width = input_width(o),
                        .members = member_count(o),
                        .outputs = o->layers[o->layer_count - 1].units,
                        .targets = target_count(o),
                        .numbers = first_number(o),
                        .factors = first_number(o) + number_count(o),
                        .criterion = {o->loss, o->huber_delta, o->label_smoothing,
                                      o->quantile_count ? o->quantiles : &median,
                                      o->quantile_count ? o->quantile_count : 1}};
    size_t at = 0, inputs = plan.width;
    for (size_t l = 0; l < o->layer_count; inputs = o->layers[l++].units) {
        size_t copies = l + 1 == o->layer_count ? plan.members : 1;
        plan.layers[l] = at;
        at += o->layers[l].units * (copies * (inputs + 1) + (o->layers[l].parametric != 0));
    }
    for (size_t e = 0; e < o->embedding_count; e++) {
        plan.tables[e] = at;
        at += (o->embeddings[e].levels + 1) * o->embeddings[e].dimensions;
    }
    return plan;
}

/* A layer as one member sees it. */
struct place {
    size_t inputs, units, weights, biases, mixes;
};

static struct place place_of(const struct plan *plan, size_t l, size_t member)
{
    const struct tulle_trainer_options *o = plan->options;
    size_t inputs = l > 0 ? o->layers[l - 1].units : plan->width, units = o->layers[l].units;
    int is_last = l + 1 == o->layer_count;
    size_t copies = is_last ? plan->members : 1, copy = is_last ? member : 0;
    size_t biases = plan->layers[l] + copies * units * inputs;
    return (struct place){inputs, units, plan->layers[l] + copy * units * inputs,
                          biases + copy * units, biases + copies * units};
}

/* The first parameter of embedded number `number`, and how many each has. */
static size_t number_place(const struct plan *plan, size_t number)
{
    const struct tulle_front *front = &plan->options->front;
    return plan->numbers + number * (number_count(plan->options) / front->number_count);
}

static size_t factor_place(const struct plan *plan, size_t member)
{
    return plan->factors + member * plan->width;
}

static const double *row_of(const struct plan *plan, size_t row)
{
    return plan->rows->x + row * row_columns(plan->options);
}

static size_t table_place(const struct plan *plan, size_t row, size_t embedding)
{
    const struct tulle_trainer_options *o = plan->options;
    size_t level = (size_t)row_of(plan, row)[o->inputs + embedding];
    return plan->tables[embedding] + level * o->embeddings[embedding].dimensions;
}

/* --- One sample, forward ---------------------------------------------------------------------- */

struct sample {
    size_t row, member;
    int drops;                                      /* in a step */
    struct bounded raw[MOST_WIDTH], in[MOST_WIDTH]; /* before the factors, and behind them */
    struct sample_layer {
        struct bounded out[MOST_UNITS];
        struct bounded slope[MOST_UNITS], gap[MOST_UNITS]; /* derivatives of out by z and by mix */
    } layers[MOST_LAYERS];
};

/* cos and sin of what wave f of a number is at x. */
static void find_wave(const struct plan *plan, size_t place, size_t f, double x,
                      struct bounded *cosine, struct bounded *sine)
{
    const double *own = plan->rows->parameters + place;
    double turn = 2 * acos(-1) * own[f] * x, phase = own[plan->options->front.frequencies + f];
    double error = 3 * plan->unit * (fabs(turn) + fabs(phase)) + 8 * plan->unit;
    *cosine = (struct bounded){cos(turn + phase), error, 0};
    *sine = (struct bounded){sin(turn + phase), error, 0};
}

static struct bounded find_share(const struct plan *plan, size_t number, size_t bin, double x)
{
    const double *knot =
        plan->options->front.knots + number * (plan->options->front.bins + 1) + bin;
    double share = fmin(1, fmax(0, (x - knot[0]) / (knot[1] - knot[0])));
    return (struct bounded){share, 4 * plan->unit * share, 0};
}

static void embed_number(const struct plan *plan, size_t number, double x, struct bounded *to)
{
    const struct tulle_front *front = &plan->options->front;
    size_t dimensions = front->dimensions, frequencies = front->frequencies;
    size_t place = number_place(plan, number), terms = frequencies + front->bins;
    const double *own = plan->rows->parameters + place, *v = own + 2 * frequencies;
    for (size_t d = 0; d < dimensions; d++) {
        to[d] = (struct bounded){0};
        if (frequencies > 0)
            add_product(&to[d], exact(1), exact(v[dimensions * frequencies + d]));
    }
    for (size_t f = 0; f < frequencies; f++) {
        struct bounded cosine, sine;
        find_wave(plan, place, f, x, &cosine, &sine);
        for (size_t d = 0; d < dimensions; d++)
            add_product(&to[d], exact(v[d * frequencies + f]), cosine);
    }
    for (size_t t = 0; t < front->bins; t++)
        for (size_t d = 0; d < dimensions; d++)
            add_product(&to[d], exact(own[t * dimensions + d]), find_share(plan, number, t, x));
    for (size_t d = 0; d < dimensions; d++)
        to[d] = settled(to[d], terms + 1, plan->unit);
}

/* The first layer's inputs: numbers, embedded numbers, levels' vectors; times the factors. */
static void find_inputs(const struct plan *plan, struct sample *s)
{
    const struct tulle_trainer_options *o = plan->options;
    const double *x = row_of(plan, s->row), *p = plan->rows->parameters;
    struct bounded *to = s->raw;
    for (size_t i = 0; i < o->inputs; i++)
        *to++ = exact(x[i]);
    for (size_t i = 0; i < o->front.number_count; i++, to += o->front.dimensions)
        embed_number(plan, i, x[o->front.numbers[i]], to);
    for (size_t e = 0; e < o->embedding_count; e++)
        for (size_t d = 0; d < o->embeddings[e].dimensions; d++)
            *to++ = exact(p[table_place(plan, s->row, e) + d]);
    for (size_t i = 0; i < plan->width; i++)
        s->in[i] = o->front.has_factors
                       ? product(s->raw[i], exact(p[factor_place(plan, s->member) + i]), plan->unit)
                       : s->raw[i];
}

/* What a step's dropout multiplies the layer's outputs by. */
static void find_kept(const struct plan *plan, const struct sample *s, size_t l, double *kept)
{
    const struct tulle_layer *layer = &plan->options->layers[l];
    double slopes[MOST_UNITS];
    for (size_t u = 0; u < layer->units; u++)
        kept[u] = slopes[u] = 1;
    if (s->drops && layer->dropout > 0)
        tulle_kernels_by_name("generic", TULLE_F64)
            ->drop(kept, slopes, MOST_UNITS, 1, layer->units, layer->dropout,
                   tulle_hash64(plan->options->seed, 0) + l, s->row * plan->members + s->member);
}

static void find_layer(const struct plan *plan, struct sample *s, size_t l)
{
    const struct tulle_layer *layer = &plan->options->layers[l];
    const struct place at = place_of(plan, l, s->member);
    const struct bounded *in = l > 0 ? s->layers[l - 1].out : s->in;
    const double *p = plan->rows->parameters;
    double kept[MOST_UNITS];
    find_kept(plan, s, l, kept);
    for (size_t u = 0; u < at.units; u++) {
        struct bounded z = {0}, factor = exact(kept[u]);
        add_product(&z, exact(1), exact(p[at.biases + u]));
        for (size_t k = 0; k < at.inputs; k++)
            add_product(&z, exact(p[at.weights + u * at.inputs + k]), in[k]);
        struct bounded_unit unit = bounded_unit(plan->options->precision, layer->activation,
                                                settled(z, at.inputs, plan->unit),
                                                layer->parametric ? &p[at.mixes + u] : NULL);
        s->layers[l].out[u] = product(unit.out, factor, plan->unit);
        s->layers[l].slope[u] = product(unit.slope, factor, plan->unit);
        s->layers[l].gap[u] = product(unit.gap, factor, plan->unit);
    }
}

static const struct bounded *forward(const struct plan *plan, struct sample *s)
{
    size_t count = plan->options->layer_count;
    find_inputs(plan, s);
    for (size_t l = 0; l < count; l++)
        find_layer(plan, s, l);
    return s->layers[count - 1].out;
}

static double weight_of(const struct plan *plan, size_t row)
{
    return plan->rows->weights ? plan->rows->weights[row] : 1;
}

static struct bounded find_loss(const struct plan *plan, size_t row, const struct bounded *o,
                                struct bounded *gradient)
{
    return bounded_sample_loss(plan->options->precision, &plan->criterion, plan->outputs, o,
                               plan->rows->y + row * plan->targets, gradient);
}

/* The mean over rows, and outputs unless there is one target for all of them. */
static struct bounded mean_loss(const struct plan *plan, struct bounded sum)
{
    int is_per_row = plan->options->loss == TULLE_LOSS_CROSS_ENTROPY;
    double count = (double)plan->rows->rows * (is_per_row ? 1 : (double)plan->outputs);
    sum = settled(sum, plan->rows->rows * plan->members * plan->outputs, 0x1p-52);
    return (struct bounded){sum.value / count, sum.error / count, 0};
}

struct bounded bounded_predict(const struct tulle_trainer_options *options,
                               const struct bounded_rows *rows, struct bounded *out)
{
    struct plan plan = make_plan(options, rows);
    struct bounded loss = {0}, mean[MOST_UNITS], gradient[MOST_UNITS];
    struct sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    for (size_t r = 0; r < rows->rows; r++) {
        memset(mean, 0, sizeof mean);
        for (size_t m = 0; m < plan.members; m++) {
            s->row = r, s->member = m;
            const struct bounded *own = forward(&plan, s);
            for (size_t o = 0; o < plan.outputs; o++)
                add_product(&mean[o], own[o], exact(1 / (double)plan.members));
        }
        for (size_t o = 0; o < plan.outputs; o++) {
            mean[o] = settled(mean[o], plan.members, plan.members > 1 ? plan.unit : 0);
            if (out)
                out[r * plan.outputs + o] = mean[o];
        }
        if (rows->y)
            add_product(&loss, find_loss(&plan, r, mean, gradient), exact(1));
    }
    free(s);
    return mean_loss(&plan, loss);
}

/* --- And back --------------------------------------------------------------------------------- */

/* From dloss/dout of layer l to that of the layer below, or of the first layer's inputs; the
 * layer's own gradients are added. */
static void return_layer(const struct plan *plan, const struct sample *s, size_t l,
                         const struct bounded *dout, struct bounded *below,
                         struct bounded *gradients)
{
    const struct place at = place_of(plan, l, s->member);
    const struct bounded *in = l > 0 ? s->layers[l - 1].out : s->in;
    memset(below, 0, at.inputs * sizeof *below);
    for (size_t u = 0; u < at.units; u++) {
        struct bounded dz = product(dout[u], s->layers[l].slope[u], plan->unit);
        add_product(&gradients[at.biases + u], exact(1), dz);
        if (plan->options->layers[l].parametric)
            add_product(&gradients[at.mixes + u], dout[u], s->layers[l].gap[u]);
        for (size_t k = 0; k < at.inputs; k++) {
            size_t w = at.weights + u * at.inputs + k;
            add_product(&gradients[w], dz, in[k]);
            add_product(&below[k], dz, exact(plan->rows->parameters[w]));
        }
    }
    for (size_t k = 0; k < at.inputs; k++)
        below[k] = settled(below[k], at.units, plan->unit);
}

static void return_number(const struct plan *plan, size_t number, double x,
                          const struct bounded *dto, struct bounded *gradients)
{
    const struct tulle_front *front = &plan->options->front;
    size_t dimensions = front->dimensions, frequencies = front->frequencies;
    size_t place = number_place(plan, number), v = place + 2 * frequencies;
    for (size_t f = 0; f < frequencies; f++) {
        struct bounded cosine, sine, below = {0};
        find_wave(plan, place, f, x, &cosine, &sine);
        for (size_t d = 0; d < dimensions; d++) {
            add_product(&gradients[v + d * frequencies + f], dto[d], cosine);
            add_product(&below, dto[d], exact(plan->rows->parameters[v + d * frequencies + f]));
        }
        below = product(settled(below, dimensions, plan->unit), sine, plan->unit);
        add_product(&gradients[place + frequencies + f], exact(-1), below);
        add_product(&gradients[place + f], exact(-2 * acos(-1) * x), below);
    }
    for (size_t d = 0; frequencies > 0 && d < dimensions; d++)
        add_product(&gradients[v + dimensions * frequencies + d], exact(1), dto[d]);
    for (size_t t = 0; t < front->bins; t++)
        for (size_t d = 0; d < dimensions; d++)
            add_product(&gradients[place + t * dimensions + d], dto[d],
                        find_share(plan, number, t, x));
}

static void return_front(const struct plan *plan, const struct sample *s, struct bounded *din,
                         struct bounded *gradients)
{
    const struct tulle_trainer_options *o = plan->options;
    size_t place = factor_place(plan, s->member), at = o->inputs;
    for (size_t i = 0; o->front.has_factors && i < plan->width; i++) {
        add_product(&gradients[place + i], din[i], s->raw[i]);
        din[i] = product(din[i], exact(plan->rows->parameters[place + i]), plan->unit);
    }
    for (size_t i = 0; i < o->front.number_count; i++, at += o->front.dimensions)
        return_number(plan, i, row_of(plan, s->row)[o->front.numbers[i]], din + at, gradients);
    for (size_t e = 0; e < o->embedding_count; e++)
        for (size_t d = 0; d < o->embeddings[e].dimensions; d++)
            add_product(&gradients[table_place(plan, s->row, e) + d], exact(1), din[at++]);
}

/* Sums to what a step follows: biases and mixes are reduced in one way, all else in the other. */
static void reduce(const struct plan *plan, struct bounded *gradients)
{
    const struct tulle_trainer_options *o = plan->options;
    size_t rows = plan->rows->rows, count = parameter_count(o);
    double shares[] = {1.0 / (double)(rows * plan->members), 1.0 / (double)plan->members};
    for (size_t i = 0, l = 0; i < count; i++) {
        while (l + 1 < o->layer_count && i >= plan->layers[l + 1])
            l++;
        struct place at = place_of(plan, l, 0);
        int is_bias = i >= at.biases && i < at.mixes + (o->layers[l].parametric ? at.units : 0);
        double share = shares[is_bias ? o->bias_reduction : o->weight_reduction];
        struct bounded sum =
            settled(gradients[i], rows * plan->members + plan->members, plan->unit);
        gradients[i] = product(sum, exact(share), plan->unit);
    }
}

struct bounded bounded_gradients(const struct tulle_trainer_options *options,
                                 const struct bounded_rows *rows, struct bounded *gradients)
{
    struct plan plan = make_plan(options, rows);
    struct bounded loss = {0}, even[MOST_UNITS], odd[MOST_UNITS];
    struct bounded *upper = even, *lower = odd;
    struct sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    memset(gradients, 0, parameter_count(options) * sizeof *gradients);
    s->drops = 1;
    for (size_t i = 0; i < rows->rows * plan.members; i++) {
        s->row = i / plan.members, s->member = i % plan.members;
        struct bounded weight = exact(weight_of(&plan, s->row));
        add_product(&loss, find_loss(&plan, s->row, forward(&plan, s), upper), weight);
        for (size_t o = 0; o < plan.outputs; o++)
            upper[o] = product(upper[o], weight, plan.unit);
        for (size_t l = options->layer_count; l-- > 0;) {
            return_layer(&plan, s, l, upper, lower, gradients);
            struct bounded *swapped = upper;
            upper = lower, lower = swapped;
        }
        return_front(&plan, s, upper, gradients);
    }
    free(s);
    reduce(&plan, gradients);
    loss = mean_loss(&plan, loss);
    return (struct bounded){loss.value / (double)plan.members, loss.error / (double)plan.members};
}
