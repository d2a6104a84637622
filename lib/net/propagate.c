/* propagate.c - a batch through a network: forward, and backward into a step. */
#include "../base/portability.h"

#include "../base/float_mode.h"
#include "propagate.h"

/* What the threads of one call share. */
struct job {
    const struct pass *pass;
    void (*finish)(const struct job *job, size_t s,
                   size_t e); /* of a block, after its forward pass */
    size_t begin, count;      /* the batch: samples begin..begin + count - 1 of the pass's rows */
    void *to;
    double weight_alpha, bias_alpha;
    struct tulle_matrix_out out;
    const struct tulle_column *scaling;
};

/* Element number `index` of a buffer of the pass's precision. */
static void *at(const struct pass *pass, const void *buffer, size_t index)
{
    return (char *)buffer + index * tulle_type_size(pass->network->precision);
}

/* In what follows samples [s, e) of the batch lie in one block, and s is a multiple of the kernels'
 * columns. */

/* Where the block of sample s begins in a feature-major buffer of so many rows. */
static void *block_of(const struct pass *pass, const void *buffer, size_t rows, size_t s)
{
    return at(pass, buffer, s / TULLE_SAMPLE_BLOCK * rows * pass->workspace->stride);
}

/* All rows, and samples [s, e), of their block. */
static struct tile_range range_of(size_t rows, size_t s, size_t e)
{
    size_t begin = s % TULLE_SAMPLE_BLOCK;
    return (struct tile_range){0, rows, begin, begin + e - s};
}

/* Sample-major rows, `stride` apart, to a feature-major buffer. */
static void rows_to_block(const struct pass *pass, const void *rows, size_t stride, size_t features,
                          void *buffer, size_t s, size_t e)
{
    void *block = block_of(pass, buffer, features, s);
    pass->kernels->transpose(rows, stride, e - s, features, at(pass, block, s % TULLE_SAMPLE_BLOCK),
                             pass->workspace->stride);
}

/* x from the rows, sample-major and feature-major. */
static void load_inputs(const struct job *job, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    size_t inputs = pass->network->inputs, stride = pass->network->layers[0].stride;
    void *rows = at(pass, ws->x_rows, s * stride);
    tulle_rows_load(&pass->x, job->begin + s, job->begin + e, inputs, pass->network->precision,
                    rows, stride);
    rows_to_block(pass, rows, stride, inputs, ws->x, s, e);
}

/* O_l = act(W_l O_(l-1) + b_l) for every layer. The slopes act' are kept if the layers have room
 * for them, and for each layer's weight gradient its input sample-major. */
static void forward_block(const struct pass *pass, size_t s, size_t e)
{
    const struct network *network = pass->network;
    const struct workspace *ws = pass->workspace;
    const void *in = block_of(pass, ws->x, network->inputs, s);
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        const struct workspace_layer *work = &ws->layers[l];
        void *out = block_of(pass, work->out, layer->units, s);
        void *slope = work->slope ? block_of(pass, work->slope, layer->units, s) : NULL;
        struct product product = {.a = at(pass, pass->parameters, layer->weights),
                                  .a_row = layer->stride,
                                  .a_column = 1,
                                  .b = in,
                                  .b_row = ws->stride,
                                  .c = out,
                                  .c_row = ws->stride,
                                  .k = layer->inputs,
                                  .k_block = layer->inputs};
        pass->kernels->forward(&product, range_of(layer->units, s, e),
                               at(pass, pass->parameters, layer->biases), slope, layer->activation);
        if (work->rows) {
            size_t stride = network->layers[l + 1].stride;
            pass->kernels->transpose(at(pass, out, s % TULLE_SAMPLE_BLOCK), ws->stride,
                                     layer->units, e - s, at(pass, work->rows, s * stride), stride);
        }
        in = out;
    }
}

/* Each sample's loss, and in the last layer's slopes the gradient dloss/dz. */
static void loss_block(const struct job *job, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    const struct workspace_layer *last = &ws->layers[ws->layer_count - 1];
    size_t outputs = pass->network->outputs;
    void *rows = at(pass, ws->y_rows, s * outputs);
    tulle_rows_load(&pass->y, job->begin + s, job->begin + e, outputs, pass->network->precision,
                    rows, outputs);
    rows_to_block(pass, rows, outputs, outputs, ws->y, s, e);

    const void *out = block_of(pass, last->out, outputs, s), *y = block_of(pass, ws->y, outputs, s);
    const void *slope = block_of(pass, last->slope, outputs, s);
    for (size_t i = s; i < e; i++)
        ws->losses[i] = 0;
    for (size_t o = 0; o < outputs; o++) {
        size_t index = o * ws->stride + s % TULLE_SAMPLE_BLOCK;
        pass->kernels->loss(pass->loss, at(pass, out, index), at(pass, y, index), e - s,
                            at(pass, slope, index), ws->losses + s);
    }
}

/* dz_(l-1) = W_l^T dz_l * act'(z_(l-1)), from the last layer to the second. */
static void backward_block(const struct pass *pass, size_t s, size_t e)
{
    const struct workspace *ws = pass->workspace;
    for (size_t l = ws->layer_count - 1; l > 0; l--) {
        const struct network_layer *layer = &pass->network->layers[l];
        struct product product = {.a = at(pass, pass->parameters, layer->weights),
                                  .a_row = 1,
                                  .a_column = layer->stride,
                                  .b = block_of(pass, ws->layers[l].slope, layer->units, s),
                                  .b_row = ws->stride,
                                  .c = block_of(pass, ws->layers[l - 1].slope, layer->inputs, s),
                                  .c_row = ws->stride,
                                  .k = layer->units,
                                  .k_block = layer->units};
        pass->kernels->multiply(&product, range_of(layer->inputs, s, e));
    }
}

/* W_l += alpha dz_l O_(l-1)^T and b_l += alpha (sum of dz_l over the batch), for a thread's share
 * of each layer's units. */
static void update_units(const struct job *job, unsigned thread, unsigned threads)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    for (size_t l = 0; l < ws->layer_count; l++) {
        const struct network_layer *layer = &pass->network->layers[l];
        const void *gradient = ws->layers[l].slope;
        size_t begin, end;
        tulle_pool_share(thread, threads, layer->units, pass->kernels->rows, &begin, &end);
        struct product product = {.a = gradient,
                                  .a_row = ws->stride,
                                  .a_column = 1,
                                  .b = l == 0 ? ws->x_rows : ws->layers[l - 1].rows,
                                  .b_row = layer->stride,
                                  .c = at(pass, job->to, layer->weights),
                                  .c_row = layer->stride,
                                  .k = job->count,
                                  .k_block = TULLE_SAMPLE_BLOCK,
                                  .a_block = layer->units * ws->stride};
        struct tile_range range = {begin, end, 0, layer->inputs};
        pass->kernels->accumulate(&product, range, job->weight_alpha);
        pass->kernels->sum_rows(&product, begin, end, job->bias_alpha,
                                at(pass, job->to, layer->biases));
    }
}

static void loss_and_backward_block(const struct job *job, size_t s, size_t e)
{
    loss_block(job, s, e);
    backward_block(job->pass, s, e);
}

/* The last layer's activations of a block to the rows of the user's matrix. */
static void store_outputs(const struct job *job, size_t s, size_t e)
{
    const struct pass *pass = job->pass;
    const struct workspace *ws = pass->workspace;
    const struct network *network = pass->network;
    const void *outputs = block_of(pass, ws->layers[ws->layer_count - 1].out, network->outputs, s);
    size_t stride = job->out.stride ? job->out.stride : job->out.columns;
    for (size_t o = 0; o < network->outputs; o++)
        for (size_t i = s; i < e; i++) {
            double value =
                tulle_arena_get(network, outputs, o * ws->stride + i % TULLE_SAMPLE_BLOCK);
            if (job->scaling)
                value = value * job->scaling[o].scale + job->scaling[o].mean;
            size_t index = (job->begin + i) * stride + o;
            if (job->out.type == TULLE_F64)
                ((double *)job->out.data)[index] = value;
            else
                ((float *)job->out.data)[index] = (float)value;
        }
}

/* A thread's share of the samples, block by block. */
static void run_samples(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    (void)pool;
    const struct job *job = context;
    size_t begin, end;
    tulle_pool_share(thread, threads, job->count, job->pass->kernels->columns, &begin, &end);
    uint64_t mode = tulle_float_mode_enter();
    for (size_t s = begin, e; s < end; s = e) {
        e = s - s % TULLE_SAMPLE_BLOCK + TULLE_SAMPLE_BLOCK; /* where its block ends */
        e = e < end ? e : end;
        load_inputs(job, s, e);
        forward_block(job->pass, s, e);
        job->finish(job, s, e);
    }
    tulle_float_mode_leave(mode);
}

static void run_step(struct pool *pool, unsigned thread, unsigned threads, void *context)
{
    run_samples(pool, thread, threads, context);
    tulle_pool_barrier(pool);
    uint64_t mode = tulle_float_mode_enter();
    update_units(context, thread, threads);
    tulle_float_mode_leave(mode);
}

/* In one order, whatever the threads: sample after sample. */
static double add_losses(const struct job *job, double sum)
{
    for (size_t i = 0; i < job->count; i++)
        sum += job->pass->workspace->losses[i];
    return sum;
}

double tulle_pass_step(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                       void *to, double weight_alpha, double bias_alpha)
{
    struct job job = {.pass = pass,
                      .finish = loss_and_backward_block,
                      .begin = begin,
                      .count = end - begin,
                      .to = to,
                      .weight_alpha = weight_alpha,
                      .bias_alpha = bias_alpha};
    tulle_pool_run(pool, run_step, &job);
    return add_losses(&job, 0);
}

double tulle_pass_loss(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                       double sum)
{
    struct job job = {.pass = pass, .finish = loss_block, .begin = begin, .count = end - begin};
    tulle_pool_run(pool, run_samples, &job);
    return add_losses(&job, sum);
}

void tulle_pass_predict(const struct pass *pass, struct pool *pool, size_t begin, size_t end,
                        struct tulle_matrix_out out, const struct tulle_column *scaling)
{
    struct job job = {.pass = pass,
                      .finish = store_outputs,
                      .begin = begin,
                      .count = end - begin,
                      .out = out,
                      .scaling = scaling};
    if (pool)
        tulle_pool_run(pool, run_samples, &job);
    else
        run_samples(NULL, 0, 1, &job);
}
