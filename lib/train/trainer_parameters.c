/* trainer_parameters.c - a trainer's parameters and generator, to look at and to change, and the
 * model that they make. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "trainer.h"

/* --- Parameters ------------------------------------------------------------------------------ */

enum tulle_status tulle_trainer_get_parameters(const tulle_trainer *trainer, size_t layer,
                                               double *weights, double *biases)
{
    if (layer >= trainer->network.layer_count)
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_layer(&trainer->network, trainer->parameters, layer, weights, biases);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_parameters(tulle_trainer *trainer, size_t layer,
                                               const double *weights, const double *biases)
{
    if (layer >= trainer->network.layer_count)
        return TULLE_ERROR_ARGUMENT;
    uint64_t mode = tulle_float_mode_enter();
    tulle_arena_set_layer(&trainer->network, trainer->parameters, layer, weights, biases);
    tulle_float_mode_leave(mode);
    tulle_optimizer_start_average(&trainer->optimizer, &trainer->network, trainer->parameters);
    return TULLE_OK;
}

/* The run of parameters of a layer's mix or of an embedding's table; 0 if there is none. */
static int find_mix(const struct tulle_trainer *trainer, size_t layer, size_t *begin, size_t *count)
{
    const struct network *network = &trainer->network;
    if (layer >= network->layer_count || !network->layers[layer].is_parametric)
        return 0;
    *begin = network->layers[layer].mix;
    *count = network->layers[layer].units;
    return 1;
}

static int find_table(const struct tulle_trainer *trainer, size_t index, size_t *begin,
                      size_t *count)
{
    if (index >= trainer->network.embedding_count)
        return 0;
    const struct network_embedding *embedding = &trainer->network.embeddings[index];
    *begin = embedding->table;
    *count = (embedding->levels + 1) * embedding->dimensions;
    return 1;
}

static void set_run(struct tulle_trainer *trainer, size_t begin, size_t count, const double *values)
{
    uint64_t mode = tulle_float_mode_enter();
    tulle_arena_set_run(&trainer->network, trainer->parameters, begin, count, values);
    tulle_float_mode_leave(mode);
    tulle_optimizer_start_average(&trainer->optimizer, &trainer->network, trainer->parameters);
}

enum tulle_status tulle_trainer_get_mix(const tulle_trainer *trainer, size_t layer, double *mix)
{
    size_t begin, count;
    if (!find_mix(trainer, layer, &begin, &count))
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_run(&trainer->network, trainer->parameters, begin, count, mix);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_mix(tulle_trainer *trainer, size_t layer, const double *mix)
{
    size_t begin, count;
    if (!find_mix(trainer, layer, &begin, &count))
        return TULLE_ERROR_ARGUMENT;
    set_run(trainer, begin, count, mix);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_get_embedding(const tulle_trainer *trainer, size_t embedding,
                                              double *table)
{
    size_t begin, count;
    if (!find_table(trainer, embedding, &begin, &count))
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_run(&trainer->network, trainer->parameters, begin, count, table);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_embedding(tulle_trainer *trainer, size_t embedding,
                                              const double *table)
{
    size_t begin, count;
    if (!find_table(trainer, embedding, &begin, &count))
        return TULLE_ERROR_ARGUMENT;
    set_run(trainer, begin, count, table);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_get_factors(const tulle_trainer *trainer, double *factors)
{
    if (!trainer->network.has_factors)
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_factors(&trainer->network, trainer->parameters, factors);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_factors(tulle_trainer *trainer, const double *factors)
{
    if (!trainer->network.has_factors)
        return TULLE_ERROR_ARGUMENT;
    uint64_t mode = tulle_float_mode_enter();
    tulle_arena_set_factors(&trainer->network, trainer->parameters, factors);
    tulle_float_mode_leave(mode);
    tulle_optimizer_start_average(&trainer->optimizer, &trainer->network, trainer->parameters);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_get_numbers(const tulle_trainer *trainer, double *numbers)
{
    if (trainer->network.number_count == 0)
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_numbers(&trainer->network, trainer->parameters, numbers);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_numbers(tulle_trainer *trainer, const double *numbers)
{
    if (trainer->network.number_count == 0)
        return TULLE_ERROR_ARGUMENT;
    uint64_t mode = tulle_float_mode_enter();
    tulle_arena_set_numbers(&trainer->network, trainer->parameters, numbers);
    tulle_float_mode_leave(mode);
    tulle_optimizer_start_average(&trainer->optimizer, &trainer->network, trainer->parameters);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_blend(tulle_trainer *trainer, const tulle_trainer *from,
                                      double share)
{
    const struct network *network = &trainer->network;
    if (!(share >= 0 && share <= 1) || !tulle_network_is_same(network, &from->network))
        return TULLE_ERROR_ARGUMENT;
    uint64_t mode = tulle_float_mode_enter();
    tulle_arena_blend(network, trainer->parameters, from->parameters, share);
    tulle_float_mode_leave(mode);
    tulle_optimizer_start_average(&trainer->optimizer, network, trainer->parameters);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_regularization(tulle_trainer *trainer, double factor)
{
    if (!(factor >= 0 && factor <= 1))
        return TULLE_ERROR_ARGUMENT;
    trainer->regularization = factor;
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_learning_rate(tulle_trainer *trainer, double learning_rate)
{
    if (!(learning_rate >= 0) || isinf(learning_rate))
        return TULLE_ERROR_ARGUMENT;
    trainer->options.learning_rate = learning_rate;
    return TULLE_OK;
}

struct tulle_rng *tulle_trainer_rng(tulle_trainer *trainer)
{
    return &trainer->rng;
}

/* --- The model ------------------------------------------------------------------------------- */

void *tulle_trainer_best_parameters(const struct tulle_trainer *trainer)
{
    return trainer->optimizer.average ? trainer->optimizer.average : trainer->parameters;
}

enum tulle_status tulle_trainer_export(const struct tulle_trainer *trainer,
                                       struct tulle_model *model)
{
    memcpy(model->parameters, tulle_trainer_best_parameters(trainer),
           tulle_arena_bytes(&trainer->network));
    return tulle_model_is_finite(model) ? TULLE_OK : TULLE_ERROR_DIVERGED;
}

enum { NAME_SIZE = 24 };

/* The names <letter>0, <letter>1, ...; NULL if there is no memory. They stand in the same block,
 * after the pointers to them. */
static const char **make_names(const char *letter, size_t count)
{
    const char **names = tulle_calloc(count, sizeof *names + NAME_SIZE);
    char *text = names ? (char *)(names + count) : NULL;
    for (size_t i = 0; names && i < count; i++, text += NAME_SIZE) {
        snprintf(text, NAME_SIZE, "%s%zu", letter, i);
        names[i] = text;
    }
    return names;
}

/* What a model of the trainer has for columns. */
struct columns {
    struct tulle_column *inputs, *targets;
    size_t input_count, target_count, level_count;
    const char **input_names, **target_names, **level_names; /* 0, 1, ... for classes; 1, ... */
};

static int make_columns(const struct tulle_trainer *trainer, struct columns *columns)
{
    const struct network *network = &trainer->network;
    int has_own_loss = trainer->options.loss_function != NULL;
    int has_classes = !has_own_loss && tulle_is_of_classes(trainer->loss.kind);
    size_t classes = trainer->loss.kind == TULLE_LOSS_CROSS_ENTROPY ? network->outputs : 2;
    columns->input_count = network->columns;
    columns->target_count =
        has_own_loss ? network->outputs : tulle_loss_targets(&trainer->loss, network->outputs);
    columns->level_count = has_classes ? classes : 0;
    for (size_t e = 0; e < network->embedding_count; e++)
        if (network->embeddings[e].levels > columns->level_count)
            columns->level_count = network->embeddings[e].levels;
    columns->inputs = tulle_calloc(columns->input_count, sizeof *columns->inputs);
    columns->targets = tulle_calloc(columns->target_count, sizeof *columns->targets);
    columns->input_names = make_names("c", columns->input_count);
    columns->target_names = make_names("y", columns->target_count);
    columns->level_names = make_names("", columns->level_count + 1);
    if (!columns->inputs || !columns->targets || !columns->input_names || !columns->target_names ||
        !columns->level_names)
        return 0;
    for (size_t i = 0; i < columns->input_count; i++) {
        columns->inputs[i] = (struct tulle_column){
            .name = columns->input_names[i], .scale = 1, .minimum = -DBL_MAX, .maximum = DBL_MAX};
        if (i >= network->inputs) {
            const struct network_embedding *embedding = &network->embeddings[i - network->inputs];
            columns->inputs[i].levels =
                (struct tulle_levels){columns->level_names + 1, embedding->levels};
            columns->inputs[i].dimensions = embedding->dimensions;
            columns->inputs[i].missing = 1; /* level 0 of x */
        }
    }
    for (size_t i = 0; i < columns->target_count; i++) {
        columns->targets[i] = (struct tulle_column){
            .name = columns->target_names[i], .scale = 1, .minimum = -DBL_MAX, .maximum = DBL_MAX};
        if (has_classes)
            columns->targets[i].levels = (struct tulle_levels){columns->level_names, classes};
    }
    return 1;
}

static void free_columns(struct columns *columns)
{
    tulle_free(columns->inputs);
    tulle_free(columns->targets);
    tulle_free(columns->input_names);
    tulle_free(columns->target_names);
    tulle_free(columns->level_names);
}

/* Those of all numbers, dense; NULL if there is no memory. */
static double *copy_knots(const struct network *network)
{
    size_t each = network->spline.bins + 1;
    double *knots = tulle_calloc(network->number_count, each * sizeof *knots);
    for (size_t i = 0; knots && network->knots && i < network->number_count; i++)
        tulle_arena_get_run(network, network->knots, i * network->knot_stride, each,
                            knots + i * each);
    return knots;
}

enum tulle_status tulle_trainer_model(const tulle_trainer *trainer, tulle_model **model)
{
    const struct network *network = &trainer->network;
    const struct tulle_trainer_options *o = &trainer->options;
    enum tulle_status status = TULLE_ERROR_MEMORY;
    struct columns columns = {0};
    struct tulle_layer *layers = tulle_calloc(network->layer_count, sizeof *layers);
    double *knots = copy_knots(network);
    *model = NULL;
    if (!layers || !knots || !make_columns(trainer, &columns))
        goto out;
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        layers[l] = (struct tulle_layer){layer->units, layer->activation, layer->is_parametric,
                                         layer->dropout};
    }
    int has_quantiles = trainer->loss.kind == TULLE_LOSS_QUANTILE && !o->loss_function;
    struct tulle_model_info info = {
        .precision = network->precision,
        .task =
            columns.targets[0].levels.count > 0 ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION,
        .input_count = columns.input_count,
        .target_count = columns.target_count,
        .layer_count = network->layer_count,
        .inputs = columns.inputs,
        .targets = columns.targets,
        .layers = layers,
        .front = {.numbers = network->numbers,
                  .number_count = network->number_count,
                  .dimensions = network->dimensions,
                  .frequencies = network->waves.frequencies,
                  .bins = network->spline.bins,
                  .knots = network->knots ? knots : NULL,
                  .has_factors = network->has_factors,
                  .members = network->members},
        .loss = o->loss_function ? TULLE_LOSS_MSE : o->loss,
        .huber_delta = o->huber_delta,
        .label_smoothing = o->label_smoothing,
        .quantiles = has_quantiles ? trainer->quantiles : NULL,
        .quantile_count = has_quantiles ? trainer->loss.quantile_count : 0,
        .optimizer = o->optimizer,
        .learning_rate = o->learning_rate,
        .batch_size = o->batch_size,
        .seed = o->seed};
    status = tulle_model_create(&info, model, NULL);
    if (status != TULLE_OK)
        goto out;
    status = tulle_trainer_export(trainer, *model);
    if (status != TULLE_OK) {
        tulle_model_free(*model);
        *model = NULL;
    }

out:
    free_columns(&columns);
    tulle_free(layers);
    tulle_free(knots);
    return status;
}
