/* propagate.c - a batch through a network: forward, and backward into a step. */
#include "../base/portability.h"

#include <string.h>

#include "../base/float_mode.h"
#include "front.h"
#include "propagate.h"

struct job;

/* What is done with a part of a batch besides taking it forward. */
struct work {
    /* After the forward pass of samples [s, e) of the part, in the thread that has them. */
    void (*finish)(const struct job *job, unsigned thread, size_t s, size_t e);
    /* After all of the part's, in every thread, behind a barrier; NULL if there is nothing to do.
     */
    void (*join)(struct job *job, unsigned thread, unsigned threads);
};

/* What the threads of one call share. */
struct job {
    const struct pass *pass;
    const struct work *together, *alone; /* for several threads, and for one */
    size_t begin, count;     /* the batch: samples begin..begin + count - 1 of the pass's rows */
    size_t first, size;      /* the part of it in the workspace: samples first..first + size - 1 */
    double loss;             /* of all parts so far; thread 0's */
    const struct step *step; /* NULL but in a step */
    struct tulle_matrix_out out;
    const struct output_link *link;
};

/* Element number `index` of a buffer of the pass's precision. */
static void *at(const struct pass *pass, const void *buffer, size_t index)
{
    return tulle_element(buffer, pass->network->precision, index);
}

/* The same in the sums that are kept between parts; NULL where a batch is one part. */
static void *sums_at(const struct pass *pass, size_t index)
{
    return pass->workspace->sums ? at(pass, pass->workspace->sums, index) : NULL;
}

/* --- Samples [s, e) of the part in the workspace, in one thread -------------------------------
 *
 * Of a network with members, a sample is as many rows, one behind the other. Most layers take all
 * rows alike; the last has a copy of weights for each member, which sees every members-th row.
 */

/* Rows of a sample that one of the layer's copies of weights sees. */
static size_t rows_each(const struct pass *pass, const struct network_layer *layer)
{
    return pass->network->members / layer->copies;
}

static double *scratch(const struct pass *pass, unsigned thread)
{
    return pass->workspace->scratch + thread * pass->workspace->scratch_size;
}

static void load_inputs(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    size_t begin = job->begin + job->first, stride = pass->workspace->x_stride;
    tulle_rows_load(&pass->x, begin + s, begin + e, pass->network->columns, pass->kernels,
                    at(pass, pass->workspace->x, s * stride), stride, scratch(pass, thread));
    tulle_front_forward(pass->network, pass->kernels, pass->workspace, pass->parameters, s, e);
}

/* What a layer does to its units' sums besides its activation: the parametric mix, and dropout. Its
 * stream of random numbers has the row's place in the batch for a name. */
static void finish_layer(const struct job *job, size_t l, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace_layer *work = &pass->workspace->layers[l];
    size_t members = pass->network->members, rows = (e - s) * members;
    size_t first = s * members * work->stride;
    double dropout = layer->dropout * pass->drops;
    void *out = at(pass, work->out, first);
    if (layer->is_parametric)
        pass->kernels->mix(out, work->tilt ? at(pass, work->tilt, first) : NULL,
                           work->gap ? at(pass, work->gap, first) : NULL, work->stride, rows,
                           layer->units, at(pass, pass->parameters, layer->mix), layer->activation);
    if (dropout > 0)
        pass->kernels->drop(out, at(pass, work->slope, first), work->stride, rows, layer->units,
                            dropout, pass->dropout_key + l, (job->first + s) * members);
}

/* out = act(in W^T + b) of layer l with its copy of weights, and the slopes act' if it has room. */
static void forward_copy(const struct pass *pass, size_t l, size_t copy, size_t s, size_t e)
{
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace *ws = pass->workspace;
    const struct workspace_layer *work = &ws->layers[l];
    const void *in = l == 0 ? tulle_front_output(ws) : ws->layers[l - 1].out;
    size_t in_stride = l == 0 ? ws->x_stride : ws->layers[l - 1].stride;
    size_t each = rows_each(pass, layer);
    const struct product product = {
        .a = at(pass, in, copy * in_stride),
        .a_row = layer->copies * in_stride,
        .b = at(pass, pass->parameters, layer->weights + copy * layer->weights_step),
        .b_row = layer->stride,
        .c = at(pass, work->out, copy * work->stride),
        .c_row = layer->copies * work->stride,
        .k = layer->inputs};
    (layer->is_narrow ? pass->kernels->forward_dots : pass->kernels->forward)(
        &product, (struct tile_range){s * each, e * each, 0, layer->units},
        at(pass, pass->parameters, layer->biases + copy * layer->biases_step),
        work->slope ? at(pass, work->slope, copy * work->stride) : NULL,
        layer->is_parametric ? TULLE_ACTIVATION_IDENTITY : layer->activation);
}

static void forward(const struct job *job, size_t s, size_t e)
{
    const struct network *network = job->pass->network;
    for (size_t l = 0; l < network->layer_count; l++) {
        for (size_t copy = 0; copy < network->layers[l].copies; copy++)
            forward_copy(job->pass, l, copy, s, e);
        finish_layer(job, l, s, e);
    }
}

/* Where the outputs of sample s stand: those of its first member, or of all when they are merged.
 */
static size_t output_index(const struct pass *pass, size_t s)
{
    const struct network *network = pass->network;
    return s * network->members * pass->workspace->layers[network->layer_count - 1].stride;
}

/* Outside of steps a sample's outputs are the means over its members. */
static void merge_members(const struct pass *pass, size_t s, size_t e)
{
    const struct network *network = pass->network;
    const struct workspace_layer *last = &pass->workspace->layers[network->layer_count - 1];
    for (size_t i = s; network->members > 1 && i < e; i++)
        for (size_t o = 0; o < network->outputs; o++) {
            size_t first = output_index(pass, i) + o;
            double sum = 0;
            for (size_t m = 0; m < network->members; m++)
                sum += tulle_arena_get(network, last->out, first + m * last->stride);
            tulle_arena_set(network, last->out, first, sum / (double)network->members);
        }
}

/* The targets and weights of samples [s, e), `copies` times each. */
static void load_targets(const struct job *job, unsigned thread, size_t copies, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    size_t begin = job->begin + job->first;
    size_t targets = tulle_loss_targets(&pass->loss, pass->network->outputs);
    tulle_rows_load(&pass->y, begin + s, begin + e, targets, pass->kernels,
                    at(pass, ws->y, s * copies * targets), copies * targets, scratch(pass, thread));
    for (size_t i = s; i < e; i++) {
        size_t row = i * copies;
        for (size_t c = 1; c < copies; c++)
            memcpy(at(pass, ws->y, (row + c) * targets), at(pass, ws->y, row * targets),
                   targets * tulle_type_size(pass->network->precision));
        for (size_t c = 0; pass->weights && c < copies; c++)
            ws->weights[row + c] =
                pass->weights[pass->y.order ? pass->y.order[begin + i] : begin + i];
    }
}

/* Of n rows from `row` on, whose outputs are from `first` on and `stride` apart, the losses and, in
 * the slopes, the gradients dloss/dz. */
static void find_row_losses(const struct pass *pass, size_t row, size_t n, size_t first,
                            size_t stride)
{
    const struct workspace *ws = pass->workspace;
    const struct workspace_layer *last = &ws->layers[ws->layer_count - 1];
    size_t outputs = pass->network->outputs, targets = tulle_loss_targets(&pass->loss, outputs);
    pass->kernels->loss(&pass->loss, at(pass, last->out, first), stride,
                        at(pass, ws->y, row * targets), pass->weights ? ws->weights + row : NULL, n,
                        outputs, at(pass, last->slope, first), ws->losses + row);
}

/* Of samples outside of a step. */
static void find_merged_losses(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    merge_members(pass, s, e);
    load_targets(job, thread, 1, s, e);
    find_row_losses(pass, s, e - s, output_index(pass, s),
                    output_index(pass, 1) /* from one to the next */);
}

/* In a step every member learns by itself. */
static void find_losses(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    size_t members = pass->network->members;
    load_targets(job, thread, members, s, e);
    find_row_losses(pass, s * members, (e - s) * members, output_index(pass, s),
                    ws->layers[ws->layer_count - 1].stride);
}

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
    size_t each = rows_each(pass, layer), copies = layer->copies;
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

/* x_slope = dz_0 W_0 for the columns that are learned, and those before them that share a tile. */
static void find_front_gradient(const struct pass *pass, unsigned thread, size_t s, size_t e)
{
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    if (!tulle_network_learns_inputs(network))
        return;
    size_t begin =
        network->has_factors ? 0 : network->inputs - network->inputs % pass->kernels->columns;
    size_t end = network->layers[0].inputs;
    for (size_t row = s * network->members; row < e * network->members; row++)
        memcpy(at(pass, ws->x_slope, row * ws->x_stride + begin), at(pass, ws->ones, begin),
               (end - begin) * tulle_type_size(network->precision));
    find_input_gradient(pass, 0, thread, s, e, begin, end);
    tulle_front_gradient(network, pass->kernels, ws, pass->parameters, s, e);
}

/* The losses and, from the last layer to the second, the gradients. */
static void find_gradients(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct network *network = job->pass->network;
    find_losses(job, thread, s, e);
    for (size_t l = network->layer_count - 1; l > 0; l--) {
        find_mix_gradient(job->pass, l, s, e);
        find_input_gradient(job->pass, l, thread, s, e, 0, network->layers[l].inputs);
    }
    find_mix_gradient(job->pass, 0, s, e);
    find_front_gradient(job->pass, thread, s, e);
}

/* The last layer's activations, or the predictions that the link makes of them, to the rows of the
 * user's matrix. */
static void store_outputs(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network *network = pass->network;
    const struct workspace_layer *last = &pass->workspace->layers[network->layer_count - 1];
    size_t stride = job->out.stride ? job->out.stride : job->out.columns;
    size_t count = job->link ? job->link->predictions : network->outputs;
    double *outputs = scratch(pass, thread), *predictions = outputs;
    merge_members(pass, s, e);
    for (size_t i = s; i < e; i++) {
        tulle_arena_get_run(network, last->out, output_index(pass, i), network->outputs, outputs);
        if (job->link) {
            predictions = outputs + network->outputs;
            job->link->apply(job->link->context, outputs, predictions);
        }
        size_t first = (job->begin + job->first + i) * stride;
        for (size_t p = 0; p < count; p++) {
            if (job->out.type == TULLE_F64)
                ((double *)job->out.data)[first + p] = predictions[p];
            else
                ((float *)job->out.data)[first + p] = (float)predictions[p];
        }
    }
}

/* --- All samples of the part, for a thread's share of the parameters -------------------------- */

/* Row after row, whatever the threads and the parts. */
static void add_losses(struct job *job, unsigned thread, unsigned threads)
{
    size_t rows = job->size * (job->step ? job->pass->network->members : 1);
    (void)threads;
    for (size_t i = 0; thread == 0 && i < rows; i++)
        job->loss += job->pass->workspace->losses[i];
}

static enum sum_part part_of(const struct job *job)
{
    return (job->first == 0 ? SUM_FIRST : 0) |
           (job->first + job->size == job->count ? SUM_LAST : 0) |
           (job->step->optimizer ? SUM_STORE : 0);
}

/* Where gradients, or the step itself, go. */
static void *destination(const struct job *job, size_t index)
{
    return at(job->pass, job->step->optimizer ? job->pass->workspace->sums : job->step->parameters,
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
            .k = job->size * rows_each(pass, layer)};
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
                   job->size * rows_each(pass, layer), units,
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

static void update(struct job *job, unsigned thread, unsigned threads)
{
    add_losses(job, thread, threads);
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

/* What find_gradients and update do, for a thread alone: it may write weights as soon as it has
 * read them for the input's gradient. Of large layers, where samples are so few that weights are
 * most of the traffic, so many inputs at a time that their weights are still in a second-level
 * cache. */
static void find_gradients_and_update(struct job *job, unsigned thread, unsigned threads)
{
    enum { NEAR_BYTES = 256 * 1024, FEW_SAMPLES = 48 };
    const struct pass *pass = job->pass;
    size_t columns = pass->kernels->columns;
    add_losses(job, thread, threads);
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
                find_input_gradient(pass, l, thread, 0, job->size, begin, end);
            update_weights(job, l, begin, end);
        }
        if (l == 0)
            find_front_gradient(pass, thread, 0, job->size);
        update_biases(job, l, thread, threads);
    }
    update_front(job, thread, threads);
}

/* The optimizer's part of a step, once all gradients are there. */
static void optimize(const struct job *job, struct pool *pool, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    const struct optimizer *optimizer = job->step->optimizer;
    const void *gradients = pass->workspace->sums;
    if (optimizer->clip_norm > 0) {
        tulle_pool_barrier(pool);
        tulle_optimizer_measure(optimizer, pass->network, gradients, thread, threads);
    }
    tulle_pool_barrier(pool);
    tulle_optimizer_step(optimizer, pass->network, pass->kernels, job->step->parameters, gradients,
                         thread, threads);
}

/* --- The batch, part after part --------------------------------------------------------------- */

size_t tulle_pass_grain(const struct network *network, const struct kernels *kernels)
{
    return (kernels->rows - 1) / network->members + 1;
}

static void run(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    struct job job = *(const struct job *)context;
    const struct work *work = threads == 1 ? job.alone : job.together;
    const struct workspace *ws = job.pass->workspace;
    size_t most = ws->block * threads < ws->capacity ? ws->block * threads : ws->capacity;
    size_t grain = tulle_pass_grain(job.pass->network, job.pass->kernels), begin, end;
    uint64_t mode = tulle_float_mode_enter();
    for (; job.first < job.count; job.first += job.size) {
        job.size = job.count - job.first < most ? job.count - job.first : most;
        tulle_pool_share(thread, threads, job.size, grain, &begin, &end);
        if (begin < end) {
            load_inputs(&job, thread, begin, end);
            forward(&job, begin, end);
            work->finish(&job, thread, begin, end);
        }
        if (work->join) {
            tulle_pool_barrier(pool);
            work->join(&job, thread, threads);
        }
        if (threads > 1 && job.first + job.size < job.count)
            tulle_pool_barrier(pool); /* the workspace may be written over from here on */
    }
    if (job.step && job.step->optimizer)
        optimize(&job, pool, thread, threads);
    tulle_float_mode_leave(mode);
    if (thread == 0 && work->join) /* without barriers another may just be reading the job */
        ((struct job *)context)->loss = job.loss;
}

double tulle_step_operations(const struct network *network, size_t samples)
{
    double weights = 0;
    for (size_t l = 0; l < network->layer_count; l++)
        weights += ((double)network->layers[l].inputs + 1) * (double)network->layers[l].units;
    return 6 * weights * (double)network->members * (double)samples;
}

/* On the pool's threads, or the caller's if there is none; with so many operations to do. */
static void start(struct job *job, struct pool *pool, double operations)
{
    if (pool)
        tulle_pool_run_work(pool, operations, run, job);
    else
        run(NULL, 0, 1, job);
}

double tulle_pass_step(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                       const struct step *step)
{
    static const struct work together = {find_gradients, update};
    static const struct work alone = {find_losses, find_gradients_and_update};
    struct job job = {.pass = pass,
                      .together = &together,
                      .alone = &alone,
                      .begin = begin,
                      .count = end - begin,
                      .step = step};
    if (step->optimizer)
        tulle_optimizer_begin(step->optimizer, step->learning_rate, step->regularization);
    start(&job, pool, tulle_step_operations(pass->network, job.count));
    return job.loss / (double)pass->network->members;
}

double tulle_pass_loss(const struct pass *pass, struct pool *pool, size_t begin, size_t end)
{
    static const struct work work = {find_merged_losses, add_losses};
    struct job job = {
        .pass = pass, .together = &work, .alone = &work, .begin = begin, .count = end - begin};
    start(&job, pool, tulle_step_operations(pass->network, job.count) / 3);
    return job.loss;
}

void tulle_pass_predict(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                        struct tulle_matrix_out out, const struct output_link *link)
{
    static const struct work work = {store_outputs, NULL};
    struct job job = {.pass = pass,
                      .together = &work,
                      .alone = &work,
                      .begin = begin,
                      .count = end - begin,
                      .out = out,
                      .link = link};
    start(&job, pool, tulle_step_operations(pass->network, job.count) / 3);
}
