/* propagate.c - a batch through a network: forward, and backward into a step. */
#include "../base/portability.h"

#include "../base/float_mode.h"
#include "embedding.h"
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

/* --- Samples [s, e) of the part in the workspace, in one thread ------------------------------- */

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
    tulle_embedding_forward(pass->network, pass->workspace, pass->parameters, s, e);
}

/* What a layer does to its units' sums besides its activation: the parametric mix, and dropout. Its
 * stream of random numbers has the sample's place in the batch for a name. */
static void finish_layer(const struct job *job, size_t l, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace_layer *work = &pass->workspace->layers[l];
    size_t first = s * work->stride;
    void *out = at(pass, work->out, first);
    if (layer->is_parametric)
        pass->kernels->mix(out, work->tilt ? at(pass, work->tilt, first) : NULL,
                           work->gap ? at(pass, work->gap, first) : NULL, work->stride, e - s,
                           layer->units, at(pass, pass->parameters, layer->mix), layer->activation);
    if (layer->dropout > 0 && pass->drops)
        pass->kernels->drop(out, at(pass, work->slope, first), work->stride, e - s, layer->units,
                            layer->dropout, pass->dropout_key + l, job->first + s);
}

/* O_l = act(O_(l-1) W_l^T + b_l) for every layer, and the slopes act' if the layers have room. */
static void forward(const struct job *job, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    const void *in = ws->x;
    size_t in_stride = ws->x_stride;
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        const struct workspace_layer *work = &ws->layers[l];
        const struct product product = {.a = in,
                                        .a_row = in_stride,
                                        .b = at(pass, pass->parameters, layer->weights),
                                        .b_row = layer->stride,
                                        .c = work->out,
                                        .c_row = work->stride,
                                        .k = layer->inputs};
        (layer->is_narrow ? pass->kernels->forward_dots : pass->kernels->forward)(
            &product, (struct tile_range){s, e, 0, layer->units},
            at(pass, pass->parameters, layer->biases), work->slope,
            layer->is_parametric ? TULLE_ACTIVATION_IDENTITY : layer->activation);
        finish_layer(job, l, s, e);
        in = work->out;
        in_stride = work->stride;
    }
}

/* Each sample's loss, and in the last layer's slopes the gradient dloss/dz. */
static void find_losses(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    const struct workspace_layer *last = &ws->layers[ws->layer_count - 1];
    size_t outputs = pass->network->outputs, begin = job->begin + job->first;
    size_t targets = tulle_loss_targets(&pass->loss, outputs);
    void *y = at(pass, ws->y, s * targets);
    tulle_rows_load(&pass->y, begin + s, begin + e, targets, pass->kernels, y, targets,
                    scratch(pass, thread));
    for (size_t i = s; pass->weights && i < e; i++)
        ws->weights[i] = pass->weights[pass->y.order ? pass->y.order[begin + i] : begin + i];
    pass->kernels->loss(&pass->loss, at(pass, last->out, s * last->stride), last->stride, y,
                        pass->weights ? ws->weights + s : NULL, e - s, outputs,
                        at(pass, last->slope, s * last->stride), ws->losses + s);
}

/* to[i] *= by[i] for n numbers of each of samples [s, e). */
static void multiply_rows(enum tulle_type type, void *to, const void *by, size_t stride, size_t n,
                          size_t s, size_t e)
{
    for (size_t first = s * stride; first < e * stride; first += stride)
        for (size_t i = first; i < first + n; i++) {
            if (type == TULLE_F64)
                ((double *)to)[i] *= ((const double *)by)[i];
            else
                ((float *)to)[i] *= ((const float *)by)[i];
        }
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
    enum tulle_type type = pass->network->precision;
    if (!layer->is_parametric)
        return;
    multiply_rows(type, work->gap, work->slope, work->stride, layer->units, s, e);
    multiply_rows(type, work->slope, work->tilt, work->stride, layer->units, s, e);
}

/* dz_(l-1) = dz_l W_l * act'(z_(l-1)) for the samples and inputs of the range; of the first layer,
 * the gradient of the inputs themselves. */
static void find_input_gradient(const struct pass *pass, size_t l, unsigned thread,
                                struct tile_range range)
{
    const struct workspace *ws = pass->workspace;
    const struct network_layer *layer = &pass->network->layers[l];
    const struct workspace_layer *work = &ws->layers[l];
    const struct product product = {.a = work->slope,
                                    .a_row = work->stride,
                                    .b = at(pass, pass->parameters, layer->weights),
                                    .b_row = layer->stride,
                                    .c = l > 0 ? work[-1].slope : ws->x_slope,
                                    .c_row = l > 0 ? work[-1].stride : ws->x_stride,
                                    .k = layer->units};
    if (layer->is_narrow)
        pass->kernels->multiply(&product, range);
    else
        pass->kernels->multiply_turned(&product, range,
                                       at(pass, ws->panels, thread * ws->panel_size));
}

/* x_slope = dz_0 W_0 for the columns where embeddings stand, and those before them that share a
 * tile. */
static void find_embedding_gradient(const struct pass *pass, unsigned thread, size_t s, size_t e)
{
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    if (network->embedding_count == 0)
        return;
    size_t begin = network->inputs - network->inputs % pass->kernels->columns;
    size_t end = network->layers[0].inputs;
    for (size_t i = s * ws->x_stride; i < e * ws->x_stride; i += ws->x_stride)
        for (size_t c = begin; c < end; c++)
            tulle_arena_set(network, ws->x_slope, i + c, 1);
    find_input_gradient(pass, 0, thread, (struct tile_range){s, e, begin, end});
}

/* The losses and, from the last layer to the second, the gradients. */
static void find_gradients(const struct job *job, unsigned thread, size_t s, size_t e)
{
    const struct network *network = job->pass->network;
    find_losses(job, thread, s, e);
    for (size_t l = network->layer_count - 1; l > 0; l--) {
        find_mix_gradient(job->pass, l, s, e);
        find_input_gradient(job->pass, l, thread,
                            (struct tile_range){s, e, 0, network->layers[l].inputs});
    }
    find_mix_gradient(job->pass, 0, s, e);
    find_embedding_gradient(job->pass, thread, s, e);
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
    for (size_t i = s; i < e; i++) {
        tulle_arena_get_run(network, last->out, i * last->stride, network->outputs, outputs);
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

/* Sample after sample, whatever the threads and the parts. */
static void add_losses(struct job *job, unsigned thread, unsigned threads)
{
    (void)threads;
    for (size_t i = 0; thread == 0 && i < job->size; i++)
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
    const void *in = l == 0 ? ws->x : ws->layers[l - 1].out, *gradient = ws->layers[l].slope;
    size_t in_stride = l == 0 ? ws->x_stride : ws->layers[l - 1].stride;
    size_t gradient_stride = ws->layers[l].stride;
    const struct product product = {.a = layer->is_narrow ? gradient : in,
                                    .a_row = layer->is_narrow ? gradient_stride : in_stride,
                                    .b = layer->is_narrow ? in : gradient,
                                    .b_row = layer->is_narrow ? in_stride : gradient_stride,
                                    .c = destination(job, layer->weights),
                                    .c_row = layer->stride,
                                    .k = job->size};
    const struct tile_range range = layer->is_narrow
                                        ? (struct tile_range){0, layer->units, begin, end}
                                        : (struct tile_range){begin, end, 0, layer->units};
    pass->kernels->accumulate(&product, range, part_of(job), sums_at(pass, layer->weights),
                              job->step->weight_alpha);
}

/* Adds alpha times the sum over the part of the thread's share of columns of `from`, rows of
 * `units` numbers, to the run of parameters at `begin`. */
static void update_run(const struct job *job, const void *from, size_t stride, size_t units,
                       size_t run, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    size_t begin, end;
    tulle_pool_share(thread, threads, units, TULLE_ROW_PAD, &begin, &end);
    const struct product product = {.a = at(pass, from, begin),
                                    .a_row = stride,
                                    .c = destination(job, run + begin),
                                    .k = job->size};
    pass->kernels->sum_columns(&product, end - begin, part_of(job), sums_at(pass, run + begin),
                               job->step->bias_alpha);
}

/* b_l += alpha (sum of dz_l over the batch), and a parametric layer's mixes likewise. */
static void update_biases(const struct job *job, size_t l, unsigned thread, unsigned threads)
{
    const struct network_layer *layer = &job->pass->network->layers[l];
    const struct workspace_layer *work = &job->pass->workspace->layers[l];
    update_run(job, work->slope, work->stride, layer->units, layer->biases, thread, threads);
    if (layer->is_parametric)
        update_run(job, work->gap, work->stride, layer->units, layer->mix, thread, threads);
}

static void update_embeddings(const struct job *job, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    tulle_embedding_backward(pass->network, pass->workspace, job->size, part_of(job),
                             job->step->weight_alpha, thread, threads);
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
    update_embeddings(job, thread, threads);
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
        if (layer->is_narrow || l == 0 || job->size > FEW_SAMPLES)
            block = layer->inputs;
        for (size_t begin = 0, end; begin < layer->inputs; begin = end) {
            end = layer->inputs - begin < block ? layer->inputs : begin + block;
            if (l > 0)
                find_input_gradient(pass, l, thread, (struct tile_range){0, job->size, begin, end});
            update_weights(job, l, begin, end);
        }
        if (l == 0)
            find_embedding_gradient(pass, thread, 0, job->size);
        update_biases(job, l, thread, threads);
    }
    update_embeddings(job, thread, threads);
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

static void run(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    struct job job = *(const struct job *)context;
    const struct work *work = threads == 1 ? job.alone : job.together;
    const struct workspace *ws = job.pass->workspace;
    size_t most = ws->block * threads < ws->capacity ? ws->block * threads : ws->capacity;
    size_t begin, end;
    uint64_t mode = tulle_float_mode_enter();
    for (; job.first < job.count; job.first += job.size) {
        job.size = job.count - job.first < most ? job.count - job.first : most;
        tulle_pool_share(thread, threads, job.size, job.pass->kernels->rows, &begin, &end);
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
    return 6 * (double)network->parameter_count * (double)samples;
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
        tulle_optimizer_begin(step->optimizer, step->learning_rate);
    start(&job, pool, tulle_step_operations(pass->network, job.count));
    return job.loss;
}

double tulle_pass_loss(const struct pass *pass, struct pool *pool, size_t begin, size_t end)
{
    static const struct work work = {find_losses, add_losses};
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
