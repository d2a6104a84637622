/* propagate.c - a batch through a network: forward, and backward into a step. */
#include "../base/portability.h"

#include <string.h>

#include "../base/float_mode.h"
#include "backward.h"
#include "front.h"

static void *at(const struct pass *pass, const void *buffer, size_t index)
{
    return tulle_pass_at(pass, buffer, index);
}

/* --- Samples [s, e) of the part in the workspace, in one thread -------------------------------
 *
 * Of a network with members, a sample is as many rows, one behind the other. Most layers take all
 * rows alike; the last has a copy of weights for each member, which sees every members-th row.
 */

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
    size_t each = tulle_rows_each(pass, layer);
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

/* Those at every layer. */
static void find_gradients(const struct job *job, unsigned thread, size_t s, size_t e)
{
    find_losses(job, thread, s, e);
    tulle_backward_layers(job->pass, thread, s, e);
    tulle_backward_front(job->pass, thread, s, e);
}

/* The user's row of a sample of the part. */
static void *out_row(const struct job *job, size_t i)
{
    size_t stride = job->out.stride ? job->out.stride : job->out.columns;
    return tulle_element(job->out.data, job->out.type, (job->begin + job->first + i) * stride);
}

static void store(enum tulle_type type, void *row, const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (type == TULLE_F64)
            ((double *)row)[i] = numbers[i];
        else
            ((float *)row)[i] = (float)numbers[i];
    }
}

/* The last layer's activations, or the predictions that the link makes of them, to the rows of the
 * user's matrix. */
static void store_outputs(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network *network = pass->network;
    const struct workspace_layer *last = &pass->workspace->layers[network->layer_count - 1];
    size_t count = job->link ? job->link->predictions : network->outputs;
    double *outputs = scratch(pass, thread), *predictions = outputs;
    merge_members(pass, s, e);
    for (size_t i = s; i < e; i++) {
        tulle_arena_get_run(network, last->out, output_index(pass, i), network->outputs, outputs);
        if (job->link) {
            predictions = outputs + network->outputs;
            job->link->apply(job->link->context, outputs, predictions);
        }
        store(job->out.type, out_row(job, i), predictions, count);
    }
}

/* The gradients by the outputs, where a step has targets: as the user gives them, or as the link
 * makes them of what he gives. The outputs are the means of their members', but the division can
 * wait. */
static void load_output_gradients(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network *network = pass->network;
    const struct gradient_link *link = job->gradient_link;
    const void *out = pass->workspace->layers[network->layer_count - 1].out;
    size_t count = network->outputs, members = network->members;
    double *outputs = scratch(pass, thread);
    if (!link) {
        load_targets(job, thread, members, s, e);
        return;
    }
    merge_members(pass, s, e);
    for (size_t i = s; i < e; i++) {
        tulle_arena_get_run(network, out, output_index(pass, i), count, outputs);
        link->enter(link->context, tulle_rows_at(&pass->y, job->begin + job->first + i),
                    pass->y.matrix.type, outputs, outputs + count);
        for (size_t row = i * members; row < (i + 1) * members; row++)
            tulle_arena_set_run(network, pass->workspace->y, row * count, count, outputs);
    }
}

/* The gradients by the numbers that were loaded, or what the link makes of them, to the rows of the
 * user's matrix; by levels they are 0. */
static void store_input_gradients(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    const struct gradient_link *link = job->gradient_link;
    size_t members = network->members;
    double *gradient = scratch(pass, thread);
    load_output_gradients(job, thread, s, e);
    find_row_losses(pass, s * members, (e - s) * members, output_index(pass, s),
                    ws->layers[network->layer_count - 1].stride);
    tulle_backward_layers(pass, thread, s, e);
    tulle_backward_inputs(pass, thread, s, e);
    for (size_t i = s; i < e; i++) {
        tulle_arena_get_run(network, ws->x_gradient, i * ws->x_stride, network->inputs, gradient);
        for (size_t c = 0; c < network->columns; c++)
            gradient[c] = c < network->inputs ? gradient[c] / (double)members : 0;
        if (link)
            link->leave(link->context, tulle_rows_at(&pass->x, job->begin + job->first + i),
                        pass->x.matrix.type, gradient, out_row(job, i), job->out.type);
        else
            store(job->out.type, out_row(job, i), gradient, network->columns);
    }
}

/* Row after row, whatever the threads and the parts. */
static void add_losses(struct job *job, unsigned thread, unsigned threads)
{
    size_t rows = job->size * (job->step ? job->pass->network->members : 1);
    (void)threads;
    for (size_t i = 0; thread == 0 && i < rows; i++)
        job->loss += job->pass->workspace->losses[i];
}

/* --- The parameters --------------------------------------------------------------------------- */

static void update(struct job *job, unsigned thread, unsigned threads)
{
    add_losses(job, thread, threads);
    tulle_backward_update(job, thread, threads);
}

static void update_alone(struct job *job, unsigned thread, unsigned threads)
{
    add_losses(job, thread, threads);
    tulle_backward_alone(job);
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

size_t tulle_pass_grain(const struct network *network)
{
    enum { FEWEST_ROWS = 4 }; /* a tile of fewer cannot hide the latency of its sums */
    return (FEWEST_ROWS - 1) / network->members + 1;
}

static void run(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    struct job job = *(const struct job *)context;
    const struct work *work = threads == 1 ? job.alone : job.together;
    const struct workspace *ws = job.pass->workspace;
    size_t most = ws->block * threads < ws->capacity ? ws->block * threads : ws->capacity;
    size_t grain = tulle_pass_grain(job.pass->network), begin, end;
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
    static const struct work alone = {find_losses, update_alone};
    struct job job = {.pass = pass,
                      .together = &together,
                      .alone = &alone,
                      .begin = begin,
                      .count = end - begin,
                      .step = step};
    if (step->optimizer)
        tulle_optimizer_begin(step->optimizer, step->learning_rate, step->regularization,
                              step->penalty);
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

void tulle_pass_input_gradient(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                               struct tulle_matrix_out dx, const struct gradient_link *link)
{
    static const struct work work = {store_input_gradients, NULL};
    struct pass given = *pass;
    given.loss.is_given = 1;
    struct job job = {.pass = &given,
                      .together = &work,
                      .alone = &work,
                      .begin = begin,
                      .count = end - begin,
                      .out = dx,
                      .gradient_link = link};
    start(&job, pool, tulle_step_operations(pass->network, job.count) * 2 / 3);
}
