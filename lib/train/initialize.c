/* initialize.c - the parameters that training begins with. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
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
    } while (square >= 1 || square == 0); /* not covered: 0, one time in 2^106 */
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

static void initialize_layer(const struct network *network, void *parameters, size_t l,
                             enum tulle_initializer initializer, struct tulle_rng *rng)
{
    const struct network_layer *layer = &network->layers[l];
    for (size_t u = 0; u < layer->copies * layer->units; u++)
        for (size_t i = 0; i < layer->inputs; i++)
            tulle_arena_set(network, parameters, tulle_weight_index(layer, u, i),
                            draw_weight(layer, initializer, rng));
    for (size_t u = 0; layer->is_parametric && u < layer->units; u++)
        tulle_arena_set(network, parameters, layer->mix + u, 1);
}

static void initialize_embedding(const struct network *network, void *parameters, size_t e,
                                 struct tulle_rng *rng)
{
    const struct network_embedding *embedding = &network->embeddings[e];
    size_t first = embedding->dimensions; /* row 0 stays at 0 */
    for (size_t i = first; i < (embedding->levels + 1) * embedding->dimensions; i++)
        tulle_arena_set(network, parameters, embedding->table + i,
                        draw_uniform(rng, 1 / sqrt((double)embedding->levels)));
}

/* Number by number w, b, V and c; 0 if there is no memory. */
static int initialize_waves(const struct network *network, void *parameters, double deviation,
                            struct tulle_rng *rng)
{
    const double pi = 3.14159265358979323846;
    size_t frequencies = network->waves.frequencies, count = tulle_number_count(network);
    double *waves = tulle_calloc(network->number_count, count * sizeof *waves), *at = waves;
    if (!waves)
        return 0;
    for (size_t n = 0; n < network->number_count; n++) {
        for (size_t i = 0; i < count; i++)
            *at++ = i < frequencies       ? deviation * draw_normal(rng)
                    : i < 2 * frequencies ? draw_uniform(rng, pi)
                                          : draw_uniform(rng, 1 / sqrt((double)frequencies));
    }
    tulle_arena_set_numbers(network, parameters, waves);
    tulle_free(waves);
    return 1;
}

/* Factors of the inputs that come from one number or level. */
static void set_factors(const struct network *network, void *parameters, size_t member,
                        size_t first, size_t count, double value)
{
    for (size_t i = first; i < first + count; i++)
        tulle_arena_set(network, parameters, network->factors + member * network->factor_stride + i,
                        value);
}

/* All 1, or of members normal numbers. */
static void initialize_factors(const struct network *network, void *parameters,
                               struct tulle_rng *rng)
{
    int is_drawn = network->members > 1;
    for (size_t m = 0; network->has_factors && m < network->members; m++) {
        for (size_t i = 0, n = 0; i < network->inputs; i++) {
            double value = is_drawn ? draw_normal(rng) : 1;
            set_factors(network, parameters, m, i, 1, value);
            if (n < network->number_count && network->numbers[n] == i)
                set_factors(network, parameters, m,
                            network->number_column + n++ * network->dimensions, network->dimensions,
                            value);
        }
        for (size_t e = 0; e < network->embedding_count; e++)
            set_factors(network, parameters, m, network->embeddings[e].column,
                        network->embeddings[e].dimensions, is_drawn ? draw_normal(rng) : 1);
    }
}

enum tulle_status tulle_initialize(const struct network *network, void *parameters,
                                   enum tulle_initializer initializer, double frequency_deviation,
                                   struct tulle_rng *rng)
{
    for (size_t l = 0; l < network->layer_count; l++)
        initialize_layer(network, parameters, l, initializer, rng);
    for (size_t e = 0; e < network->embedding_count; e++)
        initialize_embedding(network, parameters, e, rng);
    if (!network->knots && !initialize_waves(network, parameters, frequency_deviation, rng))
        return TULLE_ERROR_MEMORY;
    initialize_factors(network, parameters, rng);
    return TULLE_OK;
}

/* A mean of a few of count numbers, `stride` apart, with random weights: those of a uniformly drawn
 * point of the simplex, which are exponential numbers over their sum. */
static double draw_mean(const double *z, size_t stride, size_t count, struct tulle_rng *rng)
{
    enum { FEW = 5 };
    double sum = 0, weights = 0;
    for (int i = 0; i < FEW; i++) {
        double weight = 1 - tulle_rng_uniform(rng);
        tulle_kernels(TULLE_F64)->elementary(ELEMENTARY_LOG, &weight, 1);
        sum -= weight * z[tulle_rng_integer(rng, (uint32_t)(count - 1)) * stride];
        weights -= weight;
    }
    return sum / weights; /* that are above 0, but for one time in 2^265 */
}

/* Scales and shifts the units of layer l, whose sums over the samples are z: (count, units). */
static void fit_units(const struct network *network, void *parameters, size_t l, const double *z,
                      size_t count, struct tulle_rng *rng)
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
        double centre = draw_mean(z + u, layer->units, count, rng);
        /* What rounding may make of equal sums. */
        double least =
            (double)count * (network->precision == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON);
        if (!(deviation > least * fabs(mean)))
            continue;
        double scale = 1 / deviation;
        for (size_t i = 0; i < layer->inputs; i++) {
            size_t index = tulle_weight_index(layer, u, i);
            tulle_arena_set(network, parameters, index,
                            tulle_arena_get(network, parameters, index) * scale);
        }
        size_t bias = tulle_bias_index(layer, u);
        tulle_arena_set(network, parameters, bias,
                        (tulle_arena_get(network, parameters, bias) - centre) * scale);
    }
}

/* Those of layer l, of the copy of the network's only member; z and layers are room for its sums
 * and for all layers. */
static void fit_layer(const struct pass *pass, const struct network *network, void *parameters,
                      size_t l, size_t count, struct network_layer *layers, double *z,
                      struct tulle_rng *rng)
{
    /* The network up to this layer, which gives its sums as they are. */
    struct network part = *network;
    struct pass to_sums = *pass;
    memcpy(layers, network->layers, (l + 1) * sizeof *layers);
    layers[l].activation = TULLE_ACTIVATION_IDENTITY;
    layers[l].is_parametric = 0;
    part.layers = layers;
    part.layer_count = l + 1;
    part.outputs = layers[l].units;
    to_sums.network = &part;
    tulle_pass_predict(&to_sums, NULL, 0, count, tulle_f64_out(z, count, part.outputs), NULL);
    fit_units(network, parameters, l, z, count, rng);
}

enum tulle_status tulle_initialize_from_data(const struct pass *pass, void *parameters,
                                             size_t count, struct tulle_rng *rng)
{
    size_t layers = pass->network->layer_count, widest = 0;
    for (size_t l = 0; l < layers; l++)
        if (pass->network->layers[l].units > widest)
            widest = pass->network->layers[l].units;
    struct network_layer *copies = tulle_calloc(layers, 2 * sizeof *copies);
    double *z = tulle_calloc(count, widest * sizeof *z);
    /* The shared layers by the first member's rows, each member's last by its own. */
    for (size_t m = 0; copies && z && m < pass->network->members; m++) {
        const struct network member = tulle_network_member(pass->network, m, copies);
        for (size_t l = m == 0 ? 0 : layers - 1; l < layers; l++)
            fit_layer(pass, &member, parameters, l, count, copies + layers, z, rng);
    }
    enum tulle_status status = copies && z ? TULLE_OK : TULLE_ERROR_MEMORY;
    tulle_free(copies);
    tulle_free(z);
    return status;
}
