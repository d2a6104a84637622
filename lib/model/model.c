/* model.c - making, describing and freeing a model. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/memory.h"
#include "../data/column_fit.h"
#include "../data/levels.h"
#include "../data/missing.h"
#include "model.h"

/* --- Copying a description ------------------------------------------------------------------- */

/* *copies is set at once and what it holds is zero or good, so that free_columns can clean up. */
static int copy_columns(const struct tulle_column *columns, size_t count,
                        const struct tulle_column **copies)
{
    struct tulle_column *copy = tulle_calloc(count, sizeof *copy);
    *copies = copy;
    for (size_t i = 0; copy && i < count; i++) {
        if (!tulle_column_copy(&copy[i], &columns[i]))
            return 0;
        if (copy[i].levels.names) { /* a category has none of these */
            copy[i].scaling = TULLE_SCALING_NONE;
            copy[i].mean = copy[i].minimum = copy[i].maximum = 0;
            copy[i].scale = 1;
            copy[i].is_clamped = 0;
        }
    }
    return copy != NULL;
}

static void free_columns(const struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++)
        tulle_column_clear((struct tulle_column *)&columns[i]);
    tulle_free((struct tulle_column *)columns);
}

/* Where nothing was measured, and in slots that have no metric, a value is NaN. */
static int copy_metrics(const struct tulle_model_info *info, const struct tulle_metrics **copies)
{
    const size_t count = 3 * info->target_count;
    struct tulle_metrics *copy = tulle_calloc(count, sizeof *copy);
    *copies = copy;
    for (size_t i = 0; copy && i < count; i++) {
        copy[i].rows = info->metrics ? info->metrics[i].rows : 0;
        for (int k = 0; k < TULLE_METRIC_SLOTS; k++)
            copy[i].value[k] = copy[i].rows > 0 && tulle_metric_name((enum tulle_metric)k)
                                   ? info->metrics[i].value[k]
                                   : NAN;
    }
    return copy != NULL;
}

/* NULL for an array of no items, as for one that there is no memory for. */
static void *copy_array(const void *items, size_t count, size_t size)
{
    void *copy = count > 0 ? tulle_calloc(count, size) : NULL;
    if (copy)
        memcpy(copy, items, count * size);
    return copy;
}

static int copy_text(const char *text, const char **copy)
{
    *copy = text ? tulle_strdup(text) : NULL;
    return !text || *copy;
}

static int copy_missing(struct tulle_model_info *copy, const struct tulle_model_info *info)
{
    const struct tulle_levels given = {info->missing, info->missing_count};
    struct tulle_levels texts;
    int copied = tulle_levels_copy(&texts, info->missing ? &given : &tulle_default_missing);
    copy->missing = texts.names;
    copy->missing_count = texts.count;
    return copied;
}

/* Of no numbers nothing more is said, and 0 members are 1. */
static int copy_front(struct tulle_front *copy, const struct tulle_front *front)
{
    const size_t count = front->number_count;
    size_t knots = 0;
    *copy = (struct tulle_front){.has_factors = front->has_factors != 0,
                                 .members = front->members > 0 ? front->members : 1};
    if (count == 0)
        return 1;
    if (front->bins > 0)
        knots = count * (front->bins + 1); /* of which there is an array: no overflow */
    copy->number_count = count;
    copy->dimensions = front->dimensions;
    copy->frequencies = front->frequencies;
    copy->bins = front->bins;
    copy->numbers = copy_array(front->numbers, count, sizeof *front->numbers);
    copy->knots = copy_array(front->knots, knots, sizeof *front->knots);
    return copy->numbers && (copy->knots || knots == 0);
}

static int copy_settings(struct tulle_model_info *copy, const struct tulle_model_info *info)
{
    struct tulle_setting *settings = tulle_calloc(info->setting_count, sizeof *settings);
    copy->settings = settings;
    int copied = settings != NULL;
    for (size_t i = 0; copied && i < info->setting_count; i++)
        copied = copy_text(info->settings[i].name, &settings[i].name) &&
                 copy_text(info->settings[i].value, &settings[i].value);
    return copied;
}

static void free_settings(const struct tulle_setting *settings, size_t count)
{
    for (size_t i = 0; settings && i < count; i++) {
        tulle_free((char *)settings[i].name);
        tulle_free((char *)settings[i].value);
    }
    tulle_free((struct tulle_setting *)settings);
}

/* The columns that tulle_session_predict gives. */
static size_t count_predictions(const struct tulle_model_info *info)
{
    return info->loss == TULLE_LOSS_BINARY_CROSS_ENTROPY
               ? 2 * info->target_count
               : info->layers[info->layer_count - 1].units;
}

static int copy_info(struct tulle_model *model, const struct tulle_model_info *info)
{
    struct tulle_model_info *copy = &model->info;
    *copy = *info;
    copy->format_version = TULLE_MODEL_FORMAT;
    copy->checksum = model->checksum;
    strcpy(model->version, info->tulle_version ? info->tulle_version : TULLE_VERSION_STRING);
    copy->tulle_version = model->version;
    copy->task =
        tulle_is_of_classes(info->loss) ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION;
    copy->prediction_count = count_predictions(info);
    copy->layers = copy_array(info->layers, info->layer_count, sizeof *info->layers);
    copy->quantiles = copy_array(info->quantiles, info->quantile_count, sizeof *info->quantiles);
    copy->curve = copy_array(info->curve, info->curve_count, sizeof *info->curve);
    int copied = copy->layers && (copy->quantiles || info->quantile_count == 0) &&
                 (copy->curve || info->curve_count == 0);
    copied &= copy_front(&copy->front, &info->front);
    copied &= copy_settings(copy, info);
    copied &= copy_metrics(info, &copy->metrics);
    copied &= copy_missing(copy, info);
    copied &= copy_text(info->split_column, &copy->split_column);
    copied &= copy_text(info->weight_column, &copy->weight_column);
    copied &= copy_columns(info->inputs, info->input_count, &copy->inputs);
    copied &= copy_columns(info->targets, info->target_count, &copy->targets);
    return copied;
}

/* --- The model ------------------------------------------------------------------------------- */

/* Of a model that has its description. */
static enum tulle_status make_network(struct tulle_model *model, struct tulle_error *error)
{
    const struct tulle_model_info *info = &model->info;
    const struct encoder *encoder = &model->encoder;
    if (!tulle_encoder_init(&model->encoder, info->inputs, info->input_count))
        return tulle_fail_memory(error);
    const struct network_shape shape = {.precision = info->precision,
                                        .inputs = encoder->inputs,
                                        .embedding_count = encoder->embedding_count,
                                        .layer_count = info->layer_count,
                                        .embeddings = encoder->embeddings,
                                        .layers = info->layers,
                                        .front = info->front};
    enum tulle_status status = tulle_network_init(&model->network, &shape, error);
    if (status != TULLE_OK)
        return status;
    model->info.parameter_count = model->network.parameter_count;
    model->info.first_inputs = model->network.layers[0].inputs;
    model->parameters = tulle_network_arena(&model->network);
    return model->parameters ? TULLE_OK : tulle_fail_memory(error);
}

enum tulle_status tulle_model_create(const struct tulle_model_info *info,
                                     struct tulle_model **model, struct tulle_error *error)
{
    *model = NULL;
    enum tulle_status status = tulle_model_check(info, error);
    if (status != TULLE_OK)
        return status;
    struct tulle_model *m = tulle_calloc(1, sizeof *m);
    if (!m)
        return tulle_fail_memory(error);
    status = copy_info(m, info) ? make_network(m, error) : tulle_fail_memory(error);
    if (status == TULLE_OK)
        *model = m;
    else
        tulle_model_free(m);
    return status;
}

void tulle_model_free(tulle_model *model)
{
    if (!model)
        return;
    struct tulle_model_info *info = &model->info;
    free_columns(info->inputs, info->input_count);
    free_columns(info->targets, info->target_count);
    tulle_free((size_t *)info->front.numbers);
    tulle_free((double *)info->front.knots);
    tulle_free((struct tulle_layer *)info->layers);
    free_settings(info->settings, info->setting_count);
    tulle_free((double *)info->quantiles);
    tulle_free((struct tulle_epoch *)info->curve);
    tulle_free((struct tulle_metrics *)info->metrics);
    tulle_free((void *)info->missing);
    tulle_free((char *)info->split_column);
    tulle_free((char *)info->weight_column);
    tulle_encoder_clear(&model->encoder);
    tulle_network_clear(&model->network);
    tulle_free(model->parameters);
    tulle_free(model);
}

const struct tulle_model_info *tulle_model_info(const tulle_model *model)
{
    return &model->info;
}

enum tulle_status tulle_model_get_parameters(const tulle_model *model, size_t layer,
                                             double *weights, double *biases)
{
    if (layer >= model->network.layer_count)
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_layer(&model->network, model->parameters, layer, weights, biases);
    return TULLE_OK;
}

int tulle_model_is_finite(const struct tulle_model *model)
{
    return tulle_arena_is_finite(&model->network, model->parameters);
}
