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

enum tulle_status tulle_network_init(struct network *network, size_t inputs,
                                     const struct tulle_layer *layers, size_t layer_count,
                                     enum tulle_type precision, struct tulle_error *error)
{
    *network =
        (struct network){.precision = precision, .inputs = inputs, .layer_count = layer_count};
    if (inputs == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network needs at least one input");
    if (layer_count == 0 || !layers)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network needs at least one layer");
    if (!tulle_type_name(precision))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown precision %d", (int)precision);
    network->layers = tulle_calloc(layer_count, sizeof *network->layers);
    if (!network->layers)
        return tulle_fail_memory(error);

    for (size_t l = 0; l < layer_count; l++) {
        struct network_layer *layer = &network->layers[l];
        size_t weights, area;
        layer->inputs = l == 0 ? inputs : layers[l - 1].units;
        layer->units = layers[l].units;
        layer->activation = layers[l].activation;
        layer->is_narrow = layer->units < TULLE_NARROW_UNITS;
        layer->stride = tulle_row_stride(layer->is_narrow ? layer->inputs : layer->units);
        if (layer->units == 0 || !tulle_activation_name(layer->activation)) {
            const char *what = layer->units == 0 ? "no units" : "an unknown activation";
            tulle_network_clear(network);
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "layer %zu has %s", l, what);
        }
        if (!tulle_multiply(layer->units, layer->inputs, &weights) || layer->stride == 0 ||
            !tulle_multiply(layer->is_narrow ? layer->units : layer->inputs, layer->stride,
                            &area) ||
            !append(network, area, &layer->weights) ||
            !append(network, layer->units, &layer->biases)) {
            tulle_network_clear(network);
            return tulle_fail_memory(error);
        }
        network->parameter_count += weights + layer->units;
        network->outputs = layer->units;
    }
    return TULLE_OK;
}

void tulle_network_clear(struct network *network)
{
    free(network->layers);
    network->layers = NULL;
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

int tulle_arena_is_finite(const struct network *network, const void *arena)
{
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        for (size_t u = 0; u < layer->units; u++) {
            if (!isfinite(tulle_arena_get(network, arena, layer->biases + u)))
                return 0;
            for (size_t i = 0; i < layer->inputs; i++)
                if (!isfinite(tulle_arena_get(network, arena, tulle_weight_index(layer, u, i))))
                    return 0;
        }
    }
    return 1;
}
