/* workspace.c - the memory that a pass through a network works in. */
#include "../base/portability.h"

#include <stdint.h>

#include "../base/memory.h"
#include "workspace.h"

/* Samples, or rows of members, that a thread takes through the network together: so many that what
 * they take is near this size, beside the weights in a second-level cache of half a megabyte or
 * more; but enough that the weights are read only once for many of them, and in whole tiles of any
 * table. */
enum { BLOCK_BYTES = 576 * 1024, FEWEST = 96, MOST = 144, TILE_MULTIPLE = 12 };

static size_t block_samples(const struct network *network, int training)
{
    size_t numbers = tulle_row_stride(network->layers[0].inputs);
    for (size_t l = 0; l < network->layer_count; l++) {
        size_t stride = tulle_row_stride(network->layers[l].units);
        numbers += training ? 2 * stride : stride;
    }
    size_t rows = BLOCK_BYTES / tulle_type_size(network->precision) / numbers;
    rows = rows < FEWEST ? FEWEST : rows > MOST ? MOST : rows;
    size_t samples = (rows - rows % TILE_MULTIPLE) / network->members;
    return samples > 0 ? samples : 1;
}

/* *buffer = a zeroed (rows, stride) matrix of the type, whose rows are no larger than a network
 * that is in memory; 0 if there is no memory. */
static int allocate(void **buffer, size_t rows, size_t stride, enum tulle_type type)
{
    *buffer = tulle_calloc_aligned(rows, stride * tulle_type_size(type));
    return *buffer != NULL;
}

static int allocate_layers(struct workspace *ws, const struct network *network, int is_training)
{
    enum tulle_type type = network->precision;
    ws->layers = tulle_calloc(network->layer_count, sizeof *ws->layers);
    if (!ws->layers)
        return 0;
    ws->layer_count = network->layer_count;
    for (size_t l = 0; l < network->layer_count; l++) {
        struct workspace_layer *layer = &ws->layers[l];
        int is_parametric = network->layers[l].is_parametric;
        layer->stride = tulle_row_stride(network->layers[l].units);
        if (!allocate(&layer->out, ws->rows, layer->stride, type) ||
            (is_training && !allocate(&layer->slope, ws->rows, layer->stride, type)) ||
            (is_training && is_parametric &&
             (!allocate(&layer->gap, ws->rows, layer->stride, type) ||
              !allocate(&layer->tilt, ws->rows, layer->stride, type))))
            return 0;
    }
    return 1;
}

static int allocate_inputs(struct workspace *ws, const struct network *network)
{
    enum tulle_type type = network->precision;
    if (network->embedding_count > 0) {
        ws->levels = tulle_calloc(ws->capacity, network->embedding_count * sizeof *ws->levels);
        if (!ws->levels)
            return 0;
    }
    return allocate(&ws->x, ws->capacity, ws->x_stride, type) &&
           (!network->has_factors || allocate(&ws->scaled, ws->rows, ws->x_stride, type));
}

/* For the gradient of the inputs. */
static int allocate_input_slopes(struct workspace *ws, const struct network *network)
{
    enum tulle_type type = network->precision;
    if (!allocate(&ws->ones, 1, ws->x_stride, type))
        return 0;
    for (size_t i = 0; i < network->layers[0].inputs; i++)
        tulle_arena_set(network, ws->ones, i, 1);
    ws->x_slope = ws->x;
    if (tulle_network_learns_inputs(network) &&
        !allocate(&ws->x_slope, ws->rows, ws->x_stride, type))
        return 0;
    ws->x_gradient = ws->x_slope;
    return !network->has_factors || allocate(&ws->x_gradient, ws->capacity, ws->x_stride, type);
}

static int allocate_for_training(struct workspace *ws, const struct network *network,
                                 const struct kernels *kernels, const struct workspace_use *use)
{
    enum tulle_type type = network->precision;
    size_t deepest = 1; /* sum of a product that turns its weights */
    for (size_t l = 0; l < network->layer_count; l++)
        if (!network->layers[l].is_narrow && network->layers[l].units > deepest)
            deepest = network->layers[l].units;
    ws->panel_size = deepest * kernels->columns;
    ws->losses = tulle_calloc(ws->rows, sizeof *ws->losses);
    ws->weights = tulle_calloc(ws->rows, sizeof *ws->weights);
    if (!ws->losses || !ws->weights)
        return 0;
    if (!use->makes_no_steps && (use->keeps_gradients || use->samples > ws->block)) {
        ws->sums = tulle_network_arena(network);
        if (!ws->sums)
            return 0;
    }
    return allocate(&ws->panels, use->threads, ws->panel_size, type) &&
           allocate(&ws->y, ws->rows, use->targets, type) && allocate_input_slopes(ws, network);
}

/* Doubles for a sample as it is encoded, or for a layer's outputs and the predictions from them (at
 * most two for each, struct output_link). */
static int allocate_scratch(struct workspace *ws, const struct network *network, unsigned threads)
{
    ws->scratch_size = network->columns;
    for (size_t l = 0; l < network->layer_count; l++) {
        size_t out = 3 * network->layers[l].units;
        if (out > ws->scratch_size)
            ws->scratch_size = out;
    }
    ws->scratch = tulle_calloc(threads, ws->scratch_size * sizeof *ws->scratch);
    return ws->scratch != NULL;
}

enum tulle_status tulle_workspace_init(struct workspace *workspace, const struct network *network,
                                       const struct kernels *kernels,
                                       const struct workspace_use *use)
{
    size_t block = block_samples(network, use->is_training);
    size_t capacity = use->samples / use->threads < block ? use->samples : block * use->threads;
    *workspace = (struct workspace){.block = block,
                                    .capacity = capacity,
                                    .rows = capacity * network->members, /* of few at a time */
                                    .x_stride = tulle_row_stride(network->layers[0].inputs)};
    if (allocate_inputs(workspace, network) && allocate_scratch(workspace, network, use->threads) &&
        allocate_layers(workspace, network, use->is_training) &&
        (!use->is_training || allocate_for_training(workspace, network, kernels, use)))
        return TULLE_OK;
    tulle_workspace_clear(workspace);
    return TULLE_ERROR_MEMORY;
}

void tulle_workspace_clear(struct workspace *workspace)
{
    for (size_t l = 0; l < workspace->layer_count; l++) {
        tulle_free(workspace->layers[l].out);
        tulle_free(workspace->layers[l].slope);
        tulle_free(workspace->layers[l].gap);
        tulle_free(workspace->layers[l].tilt);
    }
    tulle_free(workspace->layers);
    tulle_free(workspace->levels);
    tulle_free(workspace->scratch);
    if (workspace->x_gradient != workspace->x_slope)
        tulle_free(workspace->x_gradient);
    if (workspace->x_slope != workspace->x)
        tulle_free(workspace->x_slope);
    tulle_free(workspace->x);
    tulle_free(workspace->ones);
    tulle_free(workspace->scaled);
    tulle_free(workspace->y);
    tulle_free(workspace->weights);
    tulle_free(workspace->losses);
    tulle_free(workspace->sums);
    tulle_free(workspace->panels);
    *workspace = (struct workspace){0};
}
