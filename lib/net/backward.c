/* backward.c - the way back through a network, and into a step. */
#include "../base/portability.h"

#include <string.h>

#include "backward.h"
#include "front.h"

static void *at(const struct pass *pass, const void *buffer, size_t index)
{
    return tulle_pass_at(pass, buffer, index);
}

/* The same in the sums that are kept between parts; NULL where a batch is one part. */
static void *sums_at(const struct pass *pass, size_t index)
{
    return pass->workspace->sums ? at(pass, pass->workspace->sums, index) : NULL;
}

/* --- Samples [s, e) of the part, in one thread ------------------------------------------------ */

/*
 * A parametric layer gives z + a (act(z) - z). Its slopes, which are 1 but for dropout, have by now
 * become the gradient at its output, dloss/do. From that the mix's gradient is do (act(z) - z), and
 * that of z is do (1 + a (act'(z) - 1)), the tilt.
 */
static void find_mix_gradient(const struct pass *pass, size_t l, size_t s, size_t e)
{
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace_layer *work = &pass->workspace->layers[l];
    size_t members = pass->network->members, rows = (e - s) * members, stride = work->stride;
    if (!layer->is_parametric)
        return;
    void *slope = at(pass, work->slope, s * members * stride);
    void *gap = at(pass, work->gap, s * members * stride);
    pass->kernels->scale_rows(gap, stride, gap, stride, slope, stride, rows, layer->units, 0);
    pass->kernels->scale_rows(slope, stride, slope, stride,
                              at(pass, work->tilt, s * members * stride), stride, rows,
                              layer->units, 0);
}

/* dz_(l-1) = dz_l W_l * act'(z_(l-1)) for samples [s, e) and inputs [begin, end); of the first
 * layer, the gradient of the inputs themselves. */
static void find_input_gradient(const struct pass *pass, size_t l, unsigned thread, size_t s,
                                size_t e, size_t begin, size_t end)
{
    const struct workspace *ws = pass->workspace;
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace_layer *work = &ws->layers[l];
    size_t each = tulle_rows_each(pass, layer), copies = layer->copies;
    size_t in_stride = l > 0 ? work[-1].stride : ws->x_stride;
    const struct tile_range range = {s * each, e * each, begin, end};
    for (size_t copy = 0; copy < copies; copy++) {
        const struct product product = {
            .a = at(pass, work->slope, copy * work->stride),
            .a_row = copies * work->stride,
            .b = at(pass, pass->parameters, layer->weights + copy * layer->weights_step),
            .b_row = layer->stride,
            .c = at(pass, l > 0 ? work[-1].slope : ws->x_slope, copy * in_stride),
            .c_row = copies * in_stride,
            .k = layer->units};
        if (layer->is_narrow)
            pass->kernels->multiply(&product, range);
        else
            pass->kernels->multiply_turned(&product, range,
                                           at(pass, ws->panels, thread * ws->panel_size));
    }
}

void tulle_backward_layers(const struct pass *pass, unsigned thread, size_t s, size_t e)
{
    for (size_t l = pass->network->layer_count - 1; l > 0; l--) {
        find_mix_gradient(pass, l, s, e);
        find_input_gradient(pass, l, thread, s, e, 0, pass->network->layers[l].inputs);
    }
    find_mix_gradient(pass, 0, s, e);
}

/* x_slope = dz_0 W_0 for the first layer's inputs from `begin` on. */
static void find_first_gradient(const struct pass *pass, unsigned thread, size_t s, size_t e,
                                size_t begin)
{
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    size_t end = network->layers[0].inputs;
    for (size_t row = s * network->members; row < e * network->members; row++)
        memcpy(at(pass, ws->x_slope, row * ws->x_stride + begin), at(pass, ws->ones, begin),
               (end - begin) * tulle_type_size(network->precision));
    find_input_gradient(pass, 0, thread, s, e, begin, end);
}

void tulle_backward_front(const struct pass *pass, unsigned thread, size_t s, size_t e)
{
    const struct network *network = pass->network;
    size_t rest = network->inputs % pass->kernels->columns; /* shares a tile with what is learned */
    if (!tulle_network_learns_inputs(network))
        return;
    find_first_gradient(pass, thread, s, e, network->has_factors ? 0 : network->inputs - rest);
    tulle_front_gradient(network, pass->kernels, pass->workspace, pass->parameters, s, e);
}

void tulle_backward_inputs(const struct pass *pass, unsigned thread, size_t s, size_t e)
{
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    size_t width = network->layers[0].inputs;
    size_t padding = (tulle_padded(width) - width) * tulle_type_size(network->precision);
    find_first_gradient(pass, thread, s, e, 0);
    /* It may stand in x, whose padding must not keep what became of a gradient that is no number.
     */
    for (size_t row = s * network->members; row < e * network->members; row++)
        memset(at(pass, ws->x_slope, row * ws->x_stride + width), 0, padding);
    tulle_front_input_gradient(network, pass->kernels, ws, pass->parameters, s, e);
}

/* --- All samples of the part, for a thread's share of the parameters -------------------------- */

static enum sum_part part_of(const struct job *job)
{
    return (job->first == 0 ? SUM_FIRST : 0) |
           (job->first + job->size == job->count ? SUM_LAST : 0) |
           (job->step->keeps_gradients ? SUM_STORE : 0);
}

/* Where gradients, or the step itself, go. */
static void *destination(const struct job *job, size_t index)
{
    return at(job->pass,
              job->step->keeps_gradients ? job->pass->workspace->sums : job->step->parameters,
              index);
}

/* W_l += alpha dz_l^T O_(l-1), transposed unless the layer is narrow, for inputs [begin, end). */
static void update_weights(const struct job *job, size_t l, size_t begin, size_t end)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    const struct network_layer *layer = &pass->network->layers[l];
    const void *in = l == 0 ? tulle_front_output(ws) : ws->layers[l - 1].out;
    size_t in_stride = l == 0 ? ws->x_stride : ws->layers[l - 1].stride;
    size_t gradient_stride = ws->layers[l].stride, copies = layer->copies;
    const struct tile_range range = layer->is_narrow
                                        ? (struct tile_range){0, layer->units, begin, end}
                                        : (struct tile_range){begin, end, 0, layer->units};
    for (size_t copy = 0; copy < copies; copy++) {
        const void *from = at(pass, in, copy * in_stride);
        const void *gradient = at(pass, ws->layers[l].slope, copy * gradient_stride);
        size_t weights = layer->weights + copy * layer->weights_step;
        const struct product product = {
            .a = layer->is_narrow ? gradient : from,
            .a_row = copies * (layer->is_narrow ? gradient_stride : in_stride),
            .b = layer->is_narrow ? from : gradient,
            .b_row = copies * (layer->is_narrow ? in_stride : gradient_stride),
            .c = destination(job, weights),
            .c_row = layer->stride,
            .k = job->size * tulle_rows_each(pass, layer)};
        pass->kernels->accumulate(&product, range, part_of(job), sums_at(pass, weights),
                                  job->step->weight_alpha);
    }
}

/* Adds alpha times the sum over `rows` rows of `from`, `stride` apart, to the run of so many units'
 * parameters at `run`: of the thread's share of them. */
static void update_run(const struct job *job, const void *from, size_t stride, size_t rows,
                       size_t units, size_t run, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    size_t begin, end;
    tulle_pool_share(thread, threads, units, TULLE_ROW_PAD, &begin, &end);
    const struct product product = {
        .a = at(pass, from, begin), .a_row = stride, .c = destination(job, run + begin), .k = rows};
    pass->kernels->sum_columns(&product, end - begin, part_of(job), sums_at(pass, run + begin),
                               job->step->bias_alpha);
}

/* b_l += alpha (sum of dz_l over the batch), and a parametric layer's mixes likewise. */
static void update_biases(const struct job *job, size_t l, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace_layer *work = &pass->workspace->layers[l];
    size_t stride = work->stride, units = layer->units, copies = layer->copies;
    for (size_t copy = 0; copy < copies; copy++)
        update_run(job, at(pass, work->slope, copy * stride), copies * stride,
                   job->size * tulle_rows_each(pass, layer), units,
                   layer->biases + copy * layer->biases_step, thread, threads);
    if (layer->is_parametric)
        update_run(job, work->gap, stride, job->size * pass->network->members, units, layer->mix,
                   thread, threads);
}

static void update_front(const struct job *job, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    tulle_front_backward(pass->network, pass->kernels, pass->workspace, pass->parameters, job->size,
                         part_of(job), job->step->weight_alpha, thread, threads);
}

void tulle_backward_update(const struct job *job, unsigned thread, unsigned threads)
{
    for (size_t l = 0; l < job->pass->network->layer_count; l++) {
        const struct network_layer *layer = &job->pass->network->layers[l];
        size_t begin, end;
        /* In groups of 4: tiles of fewer rows cannot hide the latency of their sums. */
        tulle_pool_share(thread, threads, layer->inputs,
                         layer->is_narrow ? job->pass->kernels->columns : 4, &begin, &end);
        update_weights(job, l, begin, end);
        update_biases(job, l, thread, threads);
    }
    update_front(job, thread, threads);
}

/* A thread alone may write weights as soon as it has
 * read them for the input's gradient. Of large layers, where samples are so few that weights are
 * most of the traffic, so many inputs at a time that their weights are still in a second-level
 * cache. */
void tulle_backward_alone(const struct job *job)
{
    enum { NEAR_BYTES = 256 * 1024, FEW_SAMPLES = 48 };
    const struct pass *pass = job->pass;
    size_t columns = pass->kernels->columns;
    for (size_t l = pass->network->layer_count; l-- > 0;) {
        const struct network_layer *layer = &pass->network->layers[l];
        find_mix_gradient(pass, l, 0, job->size);
        size_t bytes = columns * layer->stride * tulle_type_size(pass->network->precision);
        size_t block = bytes < NEAR_BYTES ? NEAR_BYTES / bytes * columns : columns;
        if (layer->is_narrow || l == 0 || job->size * pass->network->members > FEW_SAMPLES)
            block = layer->inputs;
        for (size_t begin = 0, end; begin < layer->inputs; begin = end) {
            end = layer->inputs - begin < block ? layer->inputs : begin + block;
            if (l > 0)
                find_input_gradient(pass, l, 0, 0, job->size, begin, end);
            update_weights(job, l, begin, end);
        }
        if (l == 0)
            tulle_backward_front(pass, 0, 0, job->size);
        update_biases(job, l, 0, 1);
    }
    update_front(job, 0, 1);
}
