/* network.c - the shape of a network and where its parameters lie. */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "network.h"

size_t tulle_row_stride(size_t n)
{
    if (n > SIZE_MAX / 2)
        return 0;
    size_t groups = n / TULLE_ROW_PAD + (n % TULLE_ROW_PAD != 0);
    return (groups | 1) * TULLE_ROW_PAD;
}

/* Appends count elements, padded so that what follows is aligned; 0 on overflow. */
static int append(struct network *network, size_t count, size_t *offset)
{
    size_t padded = tulle_row_stride(count);
    *offset = network->arena_size;
    if (padded == 0 || padded > SIZE_MAX / sizeof(double) - network->arena_size)
        return 0;
    network->arena_size += padded;
    return 1;
}

/* The same as a block that an optimiser treats alike. */
static int append_block(struct network *network, size_t count, int is_bias, size_t *offset)
{
    struct network_block *block = &network->blocks[network->block_count];
    if (!append(network, count, offset))
        return 0;
    *block = (struct network_block){*offset, is_bias};
    network->block_count++;
    return 1;
}

static enum tulle_status check_shape(const struct network_shape *shape, struct tulle_error *error)
{
    if (shape->inputs == 0 && shape->embedding_count == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network needs at least one input");
    if (shape->layer_count == 0 || !shape->layers)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network needs at least one layer");
    if (!tulle_type_name(shape->precision))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown precision %d",
                          (int)shape->precision);
    for (size_t l = 0; l < shape->layer_count; l++) {
        const struct tulle_layer *layer = &shape->layers[l];
        const char *wrong = layer->units == 0                           ? "no units"
                            : !tulle_activation_name(layer->activation) ? "an unknown activation"
                            : !(layer->dropout >= 0 && layer->dropout < 1)
                                ? "a dropout that is not in [0, 1)"
                            : layer->dropout > 0 && l + 1 == shape->layer_count
                                ? "dropout, which the last one cannot have"
                                : NULL;
        if (wrong)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "layer %zu has %s", l, wrong);
    }
    if (shape->embedding_count > 0 && !shape->embeddings)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "embeddings is NULL, but embedding_count %zu", shape->embedding_count);
    for (size_t e = 0; e < shape->embedding_count; e++) {
        const struct tulle_embedding *embedding = &shape->embeddings[e];
        if (embedding->levels == 0 || embedding->dimensions == 0)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "embedding %zu has no %s", e,
                              embedding->levels == 0 ? "levels" : "dimensions");
        if (embedding->levels > TULLE_MOST_LEVELS)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "embedding %zu has %zu levels, more than the %d that f32 can number",
                              e, embedding->levels, TULLE_MOST_LEVELS);
    }
    return TULLE_OK;
}

/* Places the layer behind what the arena has; 0 on overflow. */
static int add_layer(struct network *network, size_t l, size_t inputs,
                     const struct tulle_layer *from)
{
    struct network_layer *layer = &network->layers[l];
    size_t weights, area;
    *layer = (struct network_layer){.inputs = inputs,
                                    .units = from->units,
                                    .activation = from->activation,
                                    .is_narrow = from->units < TULLE_NARROW_UNITS,
                                    .is_parametric = from->parametric != 0,
                                    .dropout = from->dropout};
    layer->stride = tulle_row_stride(layer->is_narrow ? inputs : layer->units);
    if (layer->stride == 0 || !tulle_multiply(layer->units, inputs, &weights) ||
        !tulle_multiply(layer->is_narrow ? layer->units : inputs, layer->stride, &area) ||
        !append_block(network, area, 0, &layer->weights) ||
        !append_block(network, layer->units, 1, &layer->biases) ||
        (layer->is_parametric && !append_block(network, layer->units, 1, &layer->mix)))
        return 0;
    network->parameter_count += weights + layer->units * (layer->is_parametric ? 2 : 1);
    network->outputs = layer->units;
    return 1;
}

/* The same for an embedding, whose vector stands at *column of the first layer's inputs. */
static int add_embedding(struct network *network, size_t e, const struct tulle_embedding *from,
                         size_t column)
{
    struct network_embedding *embedding = &network->embeddings[e];
    size_t count;
    *embedding = (struct network_embedding){from->levels, from->dimensions, 0, column};
    if (!tulle_multiply(from->levels + 1, from->dimensions, &count) ||
        !append_block(network, count, 0, &embedding->table))
        return 0;
    network->parameter_count += count;
    return 1;
}

enum tulle_status tulle_network_init(struct network *network, const struct network_shape *shape,
                                     struct tulle_error *error)
{
    *network = (struct network){.precision = shape->precision,
                                .inputs = shape->inputs,
                                .layer_count = shape->layer_count,
                                .embedding_count = shape->embedding_count};
    enum tulle_status status = check_shape(shape, error);
    if (status != TULLE_OK)
        return status;
    size_t width = shape->inputs, layers = shape->layer_count, embeddings = shape->embedding_count;
    network->columns = width + embeddings;
    network->layers = tulle_calloc(layers, sizeof *network->layers);
    network->embeddings = tulle_calloc(embeddings, sizeof *network->embeddings);
    network->blocks = tulle_calloc(3 * layers + embeddings, sizeof *network->blocks);
    int fits =
        network->layers && network->embeddings && network->blocks && network->columns >= embeddings;
    for (size_t e = 0; fits && e < embeddings; e++) {
        width += shape->embeddings[e].dimensions;
        fits = width >= shape->embeddings[e].dimensions;
    }
    for (size_t l = 0; fits && l < layers; l++)
        fits =
            add_layer(network, l, l == 0 ? width : shape->layers[l - 1].units, &shape->layers[l]);
    for (size_t e = 0, column = shape->inputs; fits && e < embeddings; e++) {
        fits = add_embedding(network, e, &shape->embeddings[e], column);
        column += shape->embeddings[e].dimensions;
    }
    if (fits)
        return TULLE_OK;
    tulle_network_clear(network);
    return tulle_fail_memory(error);
}

void tulle_network_clear(struct network *network)
{
    free(network->layers);
    free(network->embeddings);
    free(network->blocks);
    *network = (struct network){0};
}

void *tulle_network_arena(const struct network *network)
{
    return tulle_calloc_aligned(network->arena_size, tulle_type_size(network->precision));
}

double tulle_arena_get(const struct network *network, const void *arena, size_t index)
{
    return network->precision == TULLE_F64 ? ((const double *)arena)[index]
                                           : ((const float *)arena)[index];
}

void tulle_arena_set(const struct network *network, void *arena, size_t index, double value)
{
    if (network->precision == TULLE_F64)
        ((double *)arena)[index] = value;
    else
        ((float *)arena)[index] = (float)value;
}

void tulle_arena_get_layer(const struct network *network, const void *arena, size_t layer,
                           double *weights, double *biases)
{
    const struct network_layer *l = &network->layers[layer];
    for (size_t u = 0; u < l->units; u++) {
        for (size_t i = 0; weights && i < l->inputs; i++)
            weights[u * l->inputs + i] =
                tulle_arena_get(network, arena, tulle_weight_index(l, u, i));
        if (biases)
            biases[u] = tulle_arena_get(network, arena, l->biases + u);
    }
}

void tulle_arena_set_layer(const struct network *network, void *arena, size_t layer,
                           const double *weights, const double *biases)
{
    const struct network_layer *l = &network->layers[layer];
    for (size_t u = 0; u < l->units; u++) {
        for (size_t i = 0; weights && i < l->inputs; i++)
            tulle_arena_set(network, arena, tulle_weight_index(l, u, i),
                            weights[u * l->inputs + i]);
        if (biases)
            tulle_arena_set(network, arena, l->biases + u, biases[u]);
    }
}

void tulle_arena_get_unit(const struct network *network, const void *arena, size_t layer,
                          size_t unit, void *weights)
{
    const struct network_layer *l = &network->layers[layer];
    size_t size = tulle_type_size(network->precision);
    for (size_t i = 0; i < l->inputs; i++)
        memcpy((char *)weights + i * size,
               (const char *)arena + tulle_weight_index(l, unit, i) * size, size);
}

void tulle_arena_set_unit(const struct network *network, void *arena, size_t layer, size_t unit,
                          const void *weights)
{
    const struct network_layer *l = &network->layers[layer];
    size_t size = tulle_type_size(network->precision);
    for (size_t i = 0; i < l->inputs; i++)
        memcpy((char *)arena + tulle_weight_index(l, unit, i) * size,
               (const char *)weights + i * size, size);
}

void tulle_arena_get_run(const struct network *network, const void *arena, size_t begin,
                         size_t count, double *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = tulle_arena_get(network, arena, begin + i);
}

void tulle_arena_set_run(const struct network *network, void *arena, size_t begin, size_t count,
                         const double *values)
{
    for (size_t i = 0; i < count; i++)
        tulle_arena_set(network, arena, begin + i, values[i]);
}

/* The padding is zero. */
int tulle_arena_is_finite(const struct network *network, const void *arena)
{
    for (size_t i = 0; i < network->arena_size; i++)
        if (!isfinite(tulle_arena_get(network, arena, i)))
            return 0;
    return 1;
}
