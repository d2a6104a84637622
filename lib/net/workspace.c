/* workspace.c - the memory that a pass through a network works in. */
#include "../base/portability.h"

#include <stdint.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "workspace.h"

/* Samples that a thread takes through the network together: so many that what they take is near
 * this size, beside the weights in a second-level cache of half a megabyte or more; but enough that
 * the weights are read only once for many of them, and in whole tiles of any table. */
enum { BLOCK_BYTES = 576 * 1024, FEWEST = 96, MOST = 144, TILE_MULTIPLE = 12 };

static size_t block_samples(const struct network *network, int training)
{
    size_t numbers = tulle_row_stride(network->layers[0].inputs);
    for (size_t l = 0; l < network->layer_count; l++) {
        size_t stride = tulle_row_stride(network->layers[l].units);
        numbers += training ? 2 * stride : stride;
    }
    size_t samples = BLOCK_BYTES / tulle_type_size(network->precision) / numbers;
    samples = samples < FEWEST ? FEWEST : samples > MOST ? MOST : samples;
    return samples - samples % TILE_MULTIPLE;
}

/* *buffer = a zeroed (rows, stride) matrix of the type; 0 if there is no memory. */
static int allocate(void **buffer, size_t rows, size_t stride, enum tulle_type type)
{
    size_t count;
    *buffer = stride != 0 && tulle_multiply(rows, stride, &count)
                  ? tulle_calloc_aligned(count, tulle_type_size(type))
                  : NULL;
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
        if (!allocate(&layer->out, ws->capacity, layer->stride, type) ||
            (is_training && !allocate(&layer->slope, ws->capacity, layer->stride, type)) ||
            (is_training && is_parametric &&
             (!allocate(&layer->gap, ws->capacity, layer->stride, type) ||
              !allocate(&layer->tilt, ws->capacity, layer->stride, type))))
            return 0;
    }
    return 1;
}

static int allocate_for_training(struct workspace *ws, const struct network *network,
                                 const struct kernels *kernels, const struct workspace_use *use)
{
    enum tulle_type type = network->precision;
    size_t deepest = 1; /* sum of a product that turns its weights */
    for (size_t l = network->embedding_count > 0 ? 0 : 1; l < network->layer_count; l++)
        if (!network->layers[l].is_narrow && network->layers[l].units > deepest)
            deepest = network->layers[l].units;
    ws->panel_size = deepest * kernels->columns;
    ws->losses = tulle_calloc(ws->capacity, sizeof *ws->losses);
    ws->weights = tulle_calloc(ws->capacity, sizeof *ws->weights);
    if (!ws->losses || !ws->weights)
        return 0;
    if (use->keeps_gradients || use->samples > ws->block) {
        ws->sums = tulle_network_arena(network);
        if (!ws->sums)
            return 0;
    }
    return allocate(&ws->panels, use->threads, ws->panel_size, type) &&
           allocate(&ws->y, ws->capacity, use->targets, type) &&
           (network->embedding_count == 0 ||
            allocate(&ws->x_slope, ws->capacity, ws->x_stride, type));
}

/* Doubles for a sample as it is encoded, or for a layer's outputs and the predictions from them (at
 * most two for each, struct output_link). */
static int allocate_scratch(struct workspace *ws, const struct network *network, unsigned threads)
{
    size_t count;
    ws->scratch_size = network->columns;
    for (size_t l = 0; l < network->layer_count; l++) {
        size_t out;
        if (!tulle_multiply(3, network->layers[l].units, &out))
            return 0;
        if (out > ws->scratch_size)
            ws->scratch_size = out;
    }
    ws->scratch = tulle_multiply(threads, ws->scratch_size, &count)
                      ? tulle_calloc(count, sizeof *ws->scratch)
                      : NULL;
    return ws->scratch != NULL;
}

enum tulle_status tulle_workspace_init(struct workspace *workspace, const struct network *network,
                                       const struct kernels *kernels,
                                       const struct workspace_use *use)
{
    size_t block = block_samples(network, use->is_training), count;
    size_t capacity = use->samples / use->threads < block ? use->samples : block * use->threads;
    *workspace = (struct workspace){.block = block,
                                    .capacity = capacity,
                                    .x_stride = tulle_row_stride(network->layers[0].inputs)};
    if (network->embedding_count > 0)
        workspace->levels = tulle_multiply(capacity, network->embedding_count, &count)
                                ? tulle_calloc(count, sizeof *workspace->levels)
                                : NULL;
    if ((network->embedding_count == 0 || workspace->levels) &&
        allocate(&workspace->x, capacity, workspace->x_stride, network->precision) &&
        allocate_scratch(workspace, network, use->threads) &&
        allocate_layers(workspace, network, use->is_training) &&
        (!use->is_training || allocate_for_training(workspace, network, kernels, use)))
        return TULLE_OK;
    tulle_workspace_clear(workspace);
    return TULLE_ERROR_MEMORY;
}

void tulle_workspace_clear(struct workspace *workspace)
{
    for (size_t l = 0; l < workspace->layer_count; l++) {
        free(workspace->layers[l].out);
        free(workspace->layers[l].slope);
        free(workspace->layers[l].gap);
        free(workspace->layers[l].tilt);
    }
    free(workspace->layers);
    free(workspace->x);
    free(workspace->levels);
    free(workspace->scratch);
    free(workspace->x_slope);
    free(workspace->y);
    free(workspace->weights);
    free(workspace->losses);
    free(workspace->sums);
    free(workspace->panels);
    *workspace = (struct workspace){0};
}
