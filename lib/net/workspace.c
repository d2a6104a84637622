/* workspace.c - the memory that a pass through a network works in. */
#include "../base/portability.h"

#include <stdlib.h>

#include "../base/memory.h"
#include "workspace.h"

/* *buffer = a zeroed (rows, stride) matrix of the type; 0 if there is no memory. */
static int allocate(void **buffer, size_t rows, size_t stride, enum tulle_type type)
{
    size_t count;
    *buffer = stride != 0 && tulle_multiply(rows, stride, &count)
                  ? tulle_calloc_aligned(count, tulle_type_size(type))
                  : NULL;
    return *buffer != NULL;
}

/* The same for the blocks of a feature-major buffer. */
static int allocate_blocks(const struct workspace *ws, void **buffer, size_t rows,
                           enum tulle_type type)
{
    size_t blocks = (ws->capacity - 1) / TULLE_SAMPLE_BLOCK + 1, all_rows;
    *buffer = NULL;
    return tulle_multiply(blocks, rows, &all_rows) && allocate(buffer, all_rows, ws->stride, type);
}

static int allocate_all(struct workspace *ws, const struct network *network, int training)
{
    enum tulle_type type = network->precision;
    if (!allocate_blocks(ws, &ws->x, network->inputs, type) ||
        !allocate(&ws->x_rows, ws->capacity, network->layers[0].stride, type))
        return 0;
    if (training) {
        ws->losses = tulle_calloc(ws->capacity, sizeof *ws->losses);
        if (!ws->losses || !allocate_blocks(ws, &ws->y, network->outputs, type) ||
            !allocate(&ws->y_rows, ws->capacity, network->outputs, type))
            return 0;
    }
    ws->layers = tulle_calloc(network->layer_count, sizeof *ws->layers);
    if (!ws->layers)
        return 0;
    ws->layer_count = network->layer_count;
    for (size_t l = 0; l < network->layer_count; l++) {
        struct workspace_layer *layer = &ws->layers[l];
        size_t units = network->layers[l].units;
        if (!allocate_blocks(ws, &layer->out, units, type))
            return 0;
        if (training && !allocate_blocks(ws, &layer->slope, units, type))
            return 0;
        if (training && l + 1 < network->layer_count &&
            !allocate(&layer->rows, ws->capacity, network->layers[l + 1].stride, type))
            return 0;
    }
    return 1;
}

enum tulle_status tulle_workspace_init(struct workspace *workspace, const struct network *network,
                                       size_t capacity, int training)
{
    size_t block = capacity < TULLE_SAMPLE_BLOCK ? capacity : TULLE_SAMPLE_BLOCK;
    *workspace = (struct workspace){.capacity = capacity, .stride = tulle_row_stride(block)};
    if (allocate_all(workspace, network, training))
        return TULLE_OK;
    tulle_workspace_clear(workspace);
    return TULLE_ERROR_MEMORY;
}

void tulle_workspace_clear(struct workspace *workspace)
{
    for (size_t l = 0; l < workspace->layer_count; l++) {
        free(workspace->layers[l].out);
        free(workspace->layers[l].slope);
        free(workspace->layers[l].rows);
    }
    free(workspace->layers);
    free(workspace->x);
    free(workspace->x_rows);
    free(workspace->y);
    free(workspace->y_rows);
    free(workspace->losses);
    *workspace = (struct workspace){0};
}
