/* network.c - the shape of a network and where its parameters lie. */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "network.h"

size_t tulle_row_stride(size_t n)
{
    if (n > SIZE_MAX / 2)
        return 0;
    size_t groups = n / TULLE_ROW_PAD + (n % TULLE_ROW_PAD != 0);
    return (groups | 1) * TULLE_ROW_PAD;
}

/* --- Sizes beyond all memory ----------------------------------------------------------------- */

/* Sums, products and strides that overflow are TOO_MANY, and so is what is made of them: an arena
 * with it in is FULL, and stays so. */
#define TOO_MANY SIZE_MAX
#define FULL (SIZE_MAX / sizeof(double)) /* the size of no arena: that is a multiple */

static size_t sum(size_t a, size_t b)
{
    return a > TOO_MANY - b ? TOO_MANY : a + b;
}

static size_t product(size_t a, size_t b)
{
    size_t all;
    return tulle_multiply(a, b, &all) ? all : TOO_MANY;
}

static size_t padded(size_t n)
{
    size_t stride = tulle_row_stride(n);
    return stride > 0 ? stride : TOO_MANY;
}

/* Appends a block of count elements that an optimiser treats alike, padded so that what follows is
 * aligned. Returns where it begins. */
static size_t append_block(struct network *network, size_t count, enum block_kind kind,
                           size_t inputs)
{
    size_t begin = network->arena_size, size = padded(count);
    network->blocks[network->block_count++] = (struct network_block){begin, kind, inputs};
    network->arena_size = size > FULL - begin ? FULL : begin + size;
    return begin;
}

/* --- What is asked for ----------------------------------------------------------------------- */

/* Knots must differ as the network keeps them: in f32 some may be rounded to the same number. */
static enum tulle_status check_knots(const struct network_shape *shape, struct tulle_error *error)
{
    const struct tulle_front *front = &shape->front;
    enum tulle_status status = TULLE_OK;
    uint64_t mode = tulle_float_mode_enter();
    for (size_t i = 0; status == TULLE_OK && i < front->number_count * (front->bins + 1); i++) {
        int is_first = i % (front->bins + 1) == 0;
        double before = is_first ? -INFINITY : front->knots[i - 1], knot = front->knots[i];
        if (shape->precision == TULLE_F32) {
            before = (float)before;
            knot = (float)knot;
        }
        if (!(before < knot) || isinf(knot))
            status = tulle_fail(error, TULLE_ERROR_ARGUMENT,
                                "knots must be finite and ascend in %s, got %g after %g",
                                tulle_type_name(shape->precision), knot, before);
    }
    tulle_float_mode_leave(mode);
    return status;
}

static enum tulle_status check_numbers(const struct network_shape *shape, struct tulle_error *error)
{
    const struct tulle_front *front = &shape->front;
    if (front->number_count == 0)
        return TULLE_OK;
    if (!front->numbers || front->dimensions == 0 || (front->frequencies > 0) == (front->bins > 0))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "embedded numbers need at least 1 dimension, and either frequencies or "
                          "bins");
    if (front->frequencies > TULLE_MOST_WAVES || front->dimensions > TULLE_MOST_WAVES ||
        front->bins > TULLE_MOST_BINS)
        return tulle_fail(
            error, TULLE_ERROR_ARGUMENT,
            "an embedded number has at most %d frequencies, %d dimensions and %d bins",
            TULLE_MOST_WAVES, TULLE_MOST_WAVES, TULLE_MOST_BINS);
    for (size_t i = 0; i < front->number_count; i++)
        if (front->numbers[i] >= shape->inputs ||
            (i > 0 && front->numbers[i] <= front->numbers[i - 1]))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "embedded numbers must be inputs, ascending, of which there are %zu; "
                              "got %zu",
                              shape->inputs, front->numbers[i]);
    if (front->bins > 0 && !front->knots)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "knots is NULL, but bins %zu", front->bins);
    return front->bins > 0 ? check_knots(shape, error) : TULLE_OK;
}

static enum tulle_status check_front(const struct network_shape *shape, struct tulle_error *error)
{
    if (shape->front.members > 1 && !shape->front.has_factors)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "members need factors of the inputs, or all of them would be the same");
    if (shape->front.members > TULLE_MOST_MEMBERS)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network has at most %d members, got %zu",
                          TULLE_MOST_MEMBERS, shape->front.members);
    return check_numbers(shape, error);
}

static enum tulle_status check_layers(const struct network_shape *shape, struct tulle_error *error)
{
    if (shape->layer_count == 0 || !shape->layers)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network needs at least one layer");
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
    return TULLE_OK;
}

static enum tulle_status check_shape(const struct network_shape *shape, struct tulle_error *error)
{
    if (shape->inputs == 0 && shape->embedding_count == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a network needs at least one input");
    if (!tulle_type_name(shape->precision))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown precision %d",
                          (int)shape->precision);
    enum tulle_status status = check_layers(shape, error);
    if (status != TULLE_OK)
        return status;
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
    return check_front(shape, error);
}

/* --- The arena ------------------------------------------------------------------------------- */

/* Places the layer behind what the arena has. */
static void add_layer(struct network *network, size_t l, size_t inputs,
                      const struct tulle_layer *from)
{
    struct network_layer *layer = &network->layers[l];
    size_t copies = l + 1 == network->layer_count ? network->members : 1;
    *layer = (struct network_layer){.inputs = inputs,
                                    .units = from->units,
                                    .activation = from->activation,
                                    .is_narrow = from->units < TULLE_NARROW_UNITS,
                                    .copies = copies,
                                    .is_parametric = from->parametric != 0,
                                    .dropout = from->dropout};
    layer->stride = padded(layer->is_narrow ? inputs : layer->units);
    layer->weights_step = product(layer->is_narrow ? layer->units : inputs, layer->stride);
    layer->biases_step = padded(layer->units);
    layer->weights =
        append_block(network, product(copies, layer->weights_step), BLOCK_WEIGHTS, inputs);
    layer->biases = append_block(network, product(copies, layer->biases_step), BLOCK_BIASES, 1);
    network->parameter_count += copies * (layer->units * inputs + layer->units);
    network->outputs = layer->units;
    if (layer->is_parametric) {
        layer->mix = append_block(network, layer->units, BLOCK_MIX, 1);
        network->parameter_count += layer->units;
    }
}

/* The same for an embedding, whose vector stands at a column of the first layer's inputs. */
static void add_embedding(struct network *network, size_t e, const struct tulle_embedding *from,
                          size_t column)
{
    size_t count = product(from->levels + 1, from->dimensions);
    network->embeddings[e] = (struct network_embedding){
        from->levels, from->dimensions, append_block(network, count, BLOCK_TABLE, 1), column};
    network->parameter_count += count;
}

/* The same for embedded numbers, and factors of so many inputs of the first layer. */
static void add_front(struct network *network, size_t width)
{
    if (network->number_count > 0) {
        network->number_size = network->spline.bins > 0 ? tulle_spline_size(&network->spline)
                                                        : tulle_waves_size(&network->waves);
        network->first_number = append_block(
            network, product(network->number_count, network->number_size), BLOCK_NUMBERS, 1);
        network->parameter_count += network->number_count * tulle_number_count(network);
    }
    if (network->has_factors) {
        network->factor_stride = padded(width);
        network->factors = append_block(network, product(network->members, network->factor_stride),
                                        BLOCK_FACTORS, 1);
        network->parameter_count += network->members * width;
    }
}

/* All offsets; 0 if they are beyond all memory. */
static int lay_out(struct network *network, const struct network_shape *shape)
{
    const struct tulle_front *front = &shape->front;
    size_t column = sum(shape->inputs, product(front->number_count, front->dimensions));
    size_t width = column;
    network->number_column = shape->inputs;
    for (size_t e = 0; e < shape->embedding_count; e++)
        width = sum(width, shape->embeddings[e].dimensions);
    for (size_t l = 0; l < shape->layer_count; l++)
        add_layer(network, l, l == 0 ? width : shape->layers[l - 1].units, &shape->layers[l]);
    for (size_t e = 0; e < shape->embedding_count; e++) {
        add_embedding(network, e, &shape->embeddings[e], column);
        column += shape->embeddings[e].dimensions;
    }
    add_front(network, width);
    return network->arena_size < FULL;
}

/* Copies what is said of embedded numbers; 0 if there is no memory. */
static int take_numbers(struct network *network, const struct tulle_front *front)
{
    size_t count = front->number_count;
    if (count == 0)
        return 1;
    memcpy(network->numbers, front->numbers, count * sizeof *network->numbers);
    network->dimensions = front->dimensions;
    if (front->bins == 0) {
        network->waves = (struct waves){front->frequencies, front->dimensions};
        return 1;
    }
    network->spline = (struct spline){front->bins, front->dimensions};
    network->knot_stride = tulle_row_stride(front->bins + 1);
    network->knots =
        tulle_calloc_aligned(count, network->knot_stride * tulle_type_size(network->precision));
    uint64_t mode = tulle_float_mode_enter();
    for (size_t i = 0; network->knots && i < count; i++)
        tulle_arena_set_run(network, network->knots, i * network->knot_stride, front->bins + 1,
                            front->knots + i * (front->bins + 1));
    tulle_float_mode_leave(mode);
    return network->knots != NULL;
}

enum tulle_status tulle_network_init(struct network *network, const struct network_shape *shape,
                                     struct tulle_error *error)
{
    enum { OF_A_LAYER = 3, OF_THE_FRONT = 2 }; /* blocks */
    const struct tulle_front *front = &shape->front;
    *network = (struct network){.precision = shape->precision,
                                .inputs = shape->inputs,
                                .number_count = front->number_count,
                                .has_factors = front->has_factors != 0,
                                .members = front->members > 0 ? front->members : 1,
                                .layer_count = shape->layer_count,
                                .embedding_count = shape->embedding_count};
    enum tulle_status status = check_shape(shape, error);
    if (status != TULLE_OK)
        return status;
    size_t layers = shape->layer_count, embeddings = shape->embedding_count;
    network->columns = shape->inputs + embeddings;
    network->layers = tulle_calloc(layers, sizeof *network->layers);
    network->embeddings = tulle_calloc(embeddings, sizeof *network->embeddings);
    network->numbers = tulle_calloc(front->number_count, sizeof *network->numbers);
    network->blocks =
        tulle_calloc(OF_A_LAYER * layers + embeddings + OF_THE_FRONT, sizeof *network->blocks);
    if (network->layers && network->embeddings && network->numbers && network->blocks &&
        take_numbers(network, front) && lay_out(network, shape))
        return TULLE_OK;
    tulle_network_clear(network);
    return tulle_fail_memory(error);
}

struct network tulle_network_member(const struct network *network, size_t member,
                                    struct network_layer *layers)
{
    struct network one = *network;
    struct network_layer *last = &layers[network->layer_count - 1];
    memcpy(layers, network->layers, network->layer_count * sizeof *layers);
    last->copies = 1;
    last->weights += member * last->weights_step;
    last->biases += member * last->biases_step;
    one.layers = layers;
    one.factors += member * network->factor_stride;
    one.members = 1;
    return one;
}

static int are_same_layers(const struct network *a, const struct network *b)
{
    for (size_t l = 0; l < a->layer_count; l++)
        if (a->layers[l].units != b->layers[l].units ||
            a->layers[l].activation != b->layers[l].activation ||
            a->layers[l].is_parametric != b->layers[l].is_parametric)
            return 0;
    return 1;
}

static int are_same_embeddings(const struct network *a, const struct network *b)
{
    for (size_t e = 0; e < a->embedding_count; e++)
        if (a->embeddings[e].levels != b->embeddings[e].levels ||
            a->embeddings[e].dimensions != b->embeddings[e].dimensions)
            return 0;
    return 1;
}

int tulle_network_is_same(const struct network *a, const struct network *b)
{
    size_t numbers = a->number_count;
    size_t knots = numbers * a->knot_stride * tulle_type_size(a->precision);
    return a->precision == b->precision && a->inputs == b->inputs && a->members == b->members &&
           a->has_factors == b->has_factors && a->layer_count == b->layer_count &&
           a->embedding_count == b->embedding_count && numbers == b->number_count &&
           a->dimensions == b->dimensions && a->waves.frequencies == b->waves.frequencies &&
           a->spline.bins == b->spline.bins && are_same_layers(a, b) && are_same_embeddings(a, b) &&
           memcmp(a->numbers, b->numbers, numbers * sizeof *a->numbers) == 0 &&
           (!a->knots || memcmp(a->knots, b->knots, knots) == 0);
}

void tulle_network_clear(struct network *network)
{
    tulle_free(network->layers);
    tulle_free(network->embeddings);
    tulle_free(network->numbers);
    tulle_free(network->knots);
    tulle_free(network->blocks);
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
    for (size_t u = 0; u < l->copies * l->units; u++) {
        for (size_t i = 0; weights && i < l->inputs; i++)
            weights[u * l->inputs + i] =
                tulle_arena_get(network, arena, tulle_weight_index(l, u, i));
        if (biases)
            biases[u] = tulle_arena_get(network, arena, tulle_bias_index(l, u));
    }
}

void tulle_arena_set_layer(const struct network *network, void *arena, size_t layer,
                           const double *weights, const double *biases)
{
    const struct network_layer *l = &network->layers[layer];
    for (size_t u = 0; u < l->copies * l->units; u++) {
        for (size_t i = 0; weights && i < l->inputs; i++)
            tulle_arena_set(network, arena, tulle_weight_index(l, u, i),
                            weights[u * l->inputs + i]);
        if (biases)
            tulle_arena_set(network, arena, tulle_bias_index(l, u), biases[u]);
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

void tulle_arena_get_factors(const struct network *network, const void *arena, double *factors)
{
    size_t width = network->layers[0].inputs;
    for (size_t m = 0; m < network->members; m++)
        tulle_arena_get_run(network, arena, network->factors + m * network->factor_stride, width,
                            factors + m * width);
}

void tulle_arena_set_factors(const struct network *network, void *arena, const double *factors)
{
    size_t width = network->layers[0].inputs;
    for (size_t m = 0; m < network->members; m++)
        tulle_arena_set_run(network, arena, network->factors + m * network->factor_stride, width,
                            factors + m * width);
}

size_t tulle_number_count(const struct network *network)
{
    const struct waves *waves = &network->waves;
    return network->spline.bins > 0
               ? network->spline.bins * network->dimensions
               : (2 + waves->dimensions) * waves->frequencies + waves->dimensions;
}

/* A number's parameters are so many dense runs, each padded: of waves w, b, the rows of V, and c;
 * of splines the rows of W. */
static size_t count_runs(const struct network *network)
{
    return network->spline.bins > 0 ? network->spline.bins : network->waves.dimensions + 3;
}

/* Where a run stands, and its length. */
static size_t find_run(const struct network *network, size_t number, size_t run, size_t *count)
{
    size_t is_c = run == network->waves.dimensions + 2;
    size_t row = network->spline.bins > 0 ? network->dimensions : network->waves.frequencies;
    *count = network->spline.bins == 0 && is_c ? network->dimensions : row;
    return network->first_number + number * network->number_size + run * tulle_padded(row);
}

void tulle_arena_get_numbers(const struct network *network, const void *arena, double *numbers)
{
    for (size_t i = 0; i < network->number_count; i++)
        for (size_t r = 0, count; r < count_runs(network); r++, numbers += count) {
            size_t begin = find_run(network, i, r, &count);
            tulle_arena_get_run(network, arena, begin, count, numbers);
        }
}

void tulle_arena_set_numbers(const struct network *network, void *arena, const double *numbers)
{
    for (size_t i = 0; i < network->number_count; i++)
        for (size_t r = 0, count; r < count_runs(network); r++, numbers += count) {
            size_t begin = find_run(network, i, r, &count);
            tulle_arena_set_run(network, arena, begin, count, numbers);
        }
}

void tulle_arena_blend(const struct network *network, void *arena, const void *from, double share)
{
    double rest = 1 - share;
    if (share == 1)
        memcpy(arena, from, tulle_arena_bytes(network));
    else if (network->precision == TULLE_F64)
        for (size_t i = 0; i < network->arena_size; i++)
            ((double *)arena)[i] = rest * ((double *)arena)[i] + share * ((const double *)from)[i];
    else
        for (size_t i = 0; i < network->arena_size; i++)
            ((float *)arena)[i] = (float)(rest * (double)((float *)arena)[i] +
                                          share * (double)((const float *)from)[i]);
}

/* The padding is zero. */
int tulle_arena_is_finite(const struct network *network, const void *arena)
{
    for (size_t i = 0; i < network->arena_size; i++)
        if (!isfinite(tulle_arena_get(network, arena, i)))
            return 0;
    return 1;
}
