/* initialize.c - the parameters that training begins with. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "initialize.h"

/* A standard normal number by the polar method (Marsaglia and Bray, 1964), one of each pair. */
static double draw_normal(struct tulle_rng *rng)
{
    double u, v, square;
    do {
        u = 2 * tulle_rng_uniform(rng) - 1;
        v = 2 * tulle_rng_uniform(rng) - 1;
        square = u * u + v * v;
    } while (square >= 1 || square == 0);
    double logarithm = square;
    tulle_kernels(TULLE_F64)->elementary(ELEMENTARY_LOG, &logarithm, 1);
    return u * sqrt(-2 * logarithm / square);
}

/* As NumPy's uniform(-high, high) would: low + (high - low) * u. */
static double draw_uniform(struct tulle_rng *rng, double high)
{
    double low = -high;
    return low + (high - low) * tulle_rng_uniform(rng);
}

static double draw_weight(const struct network_layer *layer, enum tulle_initializer initializer,
                          struct tulle_rng *rng)
{
    double inputs = (double)layer->inputs, units = (double)layer->units;
    switch (initializer) {
    case TULLE_INITIALIZER_HE:
        return draw_normal(rng) * sqrt(2 / inputs);
    case TULLE_INITIALIZER_GLOROT:
        return draw_uniform(rng, sqrt(6 / (inputs + units)));
    case TULLE_INITIALIZER_LECUN:
    case TULLE_INITIALIZER_DATA:
        return draw_normal(rng) * sqrt(1 / inputs);
    default:
        return draw_uniform(rng, 1 / sqrt(inputs));
    }
}

void tulle_initialize(const struct network *network, void *parameters,
                      enum tulle_initializer initializer, struct tulle_rng *rng)
{
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        for (size_t u = 0; u < layer->units; u++) {
            for (size_t i = 0; i < layer->inputs; i++)
                tulle_arena_set(network, parameters, tulle_weight_index(layer, u, i),
                                draw_weight(layer, initializer, rng));
            if (layer->is_parametric)
                tulle_arena_set(network, parameters, layer->mix + u, 1);
        }
    }
    for (size_t e = 0; e < network->embedding_count; e++) {
        const struct network_embedding *embedding = &network->embeddings[e];
        size_t first = embedding->dimensions; /* row 0 stays at 0 */
        for (size_t i = first; i < (embedding->levels + 1) * embedding->dimensions; i++)
            tulle_arena_set(network, parameters, embedding->table + i,
                            draw_uniform(rng, 1 / sqrt((double)embedding->levels)));
    }
}

/* Scales and shifts the units of layer l, whose sums over the samples are z: (count, units). */
static void standardize_units(const struct network *network, void *parameters, size_t l,
                              const double *z, size_t count)
{
    const struct network_layer *layer = &network->layers[l];
    for (size_t u = 0; u < layer->units; u++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < count; i++)
            mean += z[i * layer->units + u];
        mean /= (double)count;
        for (size_t i = 0; i < count; i++) {
            double deviation = z[i * layer->units + u] - mean;
            variance += deviation * deviation;
        }
        double deviation = sqrt(variance / (double)count);
        /* What rounding may make of equal sums. */
        double least =
            (double)count * (network->precision == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON);
        if (!(deviation > least * fabs(mean)) || isinf(deviation))
            continue;
        double scale = 1 / deviation;
        for (size_t i = 0; i < layer->inputs; i++) {
            size_t index = tulle_weight_index(layer, u, i);
            tulle_arena_set(network, parameters, index,
                            tulle_arena_get(network, parameters, index) * scale);
        }
        double bias = tulle_arena_get(network, parameters, layer->biases + u);
        tulle_arena_set(network, parameters, layer->biases + u, (bias - mean) * scale);
    }
}

enum tulle_status tulle_initialize_from_data(const struct pass *pass, void *parameters,
                                             size_t count)
{
    const struct network *network = pass->network;
    size_t layers = network->layer_count, widest = 0;
    for (size_t l = 0; l < layers; l++)
        if (network->layers[l].units > widest)
            widest = network->layers[l].units;
    struct network_layer *copies = tulle_calloc(layers, sizeof *copies);
    double *z = tulle_calloc(count, widest * sizeof *z);
    if (copies && z)
        memcpy(copies, network->layers, layers * sizeof *copies);
    for (size_t l = 0; copies && z && l < layers; l++) {
        /* The network up to this layer, which gives its sums as they are. */
        struct network part = *network;
        struct pass to_sums = *pass;
        copies[l].activation = TULLE_ACTIVATION_IDENTITY;
        copies[l].is_parametric = 0;
        part.layers = copies;
        part.layer_count = l + 1;
        part.outputs = copies[l].units;
        to_sums.network = &part;
        tulle_pass_predict(&to_sums, NULL, 0, count, tulle_f64_out(z, count, part.outputs), NULL);
        standardize_units(network, parameters, l, z, count);
        copies[l] = network->layers[l];
    }
    enum tulle_status status = copies && z ? TULLE_OK : TULLE_ERROR_MEMORY;
    free(copies);
    free(z);
    return status;
}
