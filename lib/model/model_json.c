/* model_json.c - all about a model but its weights as a JSON text, and back; see docs/format.md.
 * Each part is written and read side by side, that of training in record_json.c. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <string.h>

#include "../base/memory.h"
#include "json_pieces.h"
#include "record_json.h"

/* --- Columns --------------------------------------------------------------------------------- */

static json_t *write_column(const void *columns, size_t i)
{
    const struct tulle_column *c = (const struct tulle_column *)columns + i;
    if (c->levels.names)
        return json_pack("{s:s, s:o, s:I, s:I}", "name", c->name, "levels",
                         tulle_json_write_texts(c->levels.names, c->levels.count), "dimensions",
                         (json_int_t)c->dimensions, "missing", (json_int_t)c->missing);
    json_t *object = json_pack("{s:s, s:f, s:f, s:f, s:f, s:s, s:I, s:b}", "name", c->name, "mean",
                               c->mean, "scale", c->scale, "min", c->minimum, "max", c->maximum,
                               "scaling", tulle_scaling_name(c->scaling), "missing",
                               (json_int_t)c->missing, "clamped", c->is_clamped != 0);
    if (c->quantile_count > 0 &&
        json_object_set_new(object, "quantiles", json_integer((json_int_t)c->quantile_count)) !=
            0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static enum tulle_status read_category(const char *part, json_t *object, struct tulle_column *c,
                                       struct tulle_error *error)
{
    json_t *levels;
    json_int_t dimensions, missing;
    enum tulle_status status =
        tulle_json_unpack(part, object, error, "{s:s, s:o, s:I, s:I}", "name", &c->name, "levels",
                          &levels, "dimensions", &dimensions, "missing", &missing);
    if (status == TULLE_OK)
        status = tulle_json_read_texts(part, levels, &c->levels.names, &c->levels.count, error);
    if (status == TULLE_OK && c->levels.count == 0)
        status = tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: a column of no levels", part);
    if (status == TULLE_OK)
        status = tulle_json_read_count("dimensions", dimensions, &c->dimensions, error);
    return status == TULLE_OK ? tulle_json_read_count("missing", missing, &c->missing, error)
                              : status;
}

static enum tulle_status read_number(const char *part, json_t *object, int version,
                                     struct tulle_column *c, struct tulle_error *error)
{
    const char *members = version == 2 ? "{s:s, s:F, s:F, s:F, s:F, s:s, s:I, s?I}"
                                       : "{s:s, s:F, s:F, s:F, s:F, s:s, s:I, s?I, s:b}";
    const char *scaling;
    json_int_t missing, quantiles = 0;
    enum tulle_status status =
        tulle_json_unpack(part, object, error, members, "name", &c->name, "mean", &c->mean, "scale",
                          &c->scale, "min", &c->minimum, "max", &c->maximum, "scaling", &scaling,
                          "missing", &missing, "quantiles", &quantiles, "clamped", &c->is_clamped);
    if (status != TULLE_OK)
        return status;
    if (tulle_scaling_from_name(scaling, &c->scaling) != TULLE_OK)
        return tulle_json_fail_unknown("scaling", scaling, error);
    status = tulle_json_read_count("missing", missing, &c->missing, error);
    return status == TULLE_OK
               ? tulle_json_read_count("quantiles", quantiles, &c->quantile_count, error)
               : status;
}

/* What format 1 had: numbers, by their means and scales. */
static enum tulle_status read_column_1(const char *part, json_t *object, struct tulle_column *c,
                                       struct tulle_error *error)
{
    enum tulle_status status = tulle_json_unpack(part, object, error, "{s:s, s:F, s:F, s:F, s:F}",
                                                 "name", &c->name, "mean", &c->mean, "scale",
                                                 &c->scale, "min", &c->minimum, "max", &c->maximum);
    if (status != TULLE_OK)
        return status;
    c->scaling = c->mean != 0 || c->scale != 1 ? TULLE_SCALING_STANDARD : TULLE_SCALING_NONE;
    return TULLE_OK;
}

static enum tulle_status read_columns(const char *part, const json_t *array, int version,
                                      struct tulle_column **columns, size_t *count,
                                      struct tulle_error *error)
{
    void *items;
    enum tulle_status status =
        tulle_json_read_array(part, array, sizeof(struct tulle_column), &items, count, error);
    if (status != TULLE_OK)
        return status;
    *columns = items;
    for (size_t i = 0; i < *count && status == TULLE_OK; i++) {
        struct tulle_column *c = &(*columns)[i];
        json_t *object = json_array_get(array, i);
        status = version == 1                        ? read_column_1(part, object, c, error)
                 : json_object_get(object, "levels") ? read_category(part, object, c, error)
                                                     : read_number(part, object, version, c, error);
    }
    return status;
}

/* --- Front ----------------------------------------------------------------------------------- */

static json_t *write_index(const void *indices, size_t i)
{
    return json_integer((json_int_t)((const size_t *)indices)[i]);
}

static json_t *write_front(const struct tulle_front *front)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:b, s:I}", "numbers",
                     tulle_json_write_array(front->number_count, write_index, front->numbers),
                     "dimensions", (json_int_t)front->dimensions, "frequencies",
                     (json_int_t)front->frequencies, "bins", (json_int_t)front->bins, "factors",
                     front->has_factors, "members", (json_int_t)front->members);
}

static enum tulle_status read_numbers(const json_t *array, struct model_json *json,
                                      struct tulle_error *error)
{
    void *items;
    enum tulle_status status = tulle_json_read_array("numbers", array, sizeof *json->numbers,
                                                     &items, &json->info.front.number_count, error);
    if (status != TULLE_OK)
        return status;
    json->numbers = items;
    for (size_t i = 0; i < json->info.front.number_count && status == TULLE_OK; i++) {
        const json_t *index = json_array_get(array, i);
        if (json_typeof(index) != JSON_INTEGER)
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad numbers: not an integer");
        status =
            tulle_json_read_count("numbers", json_integer_value(index), &json->numbers[i], error);
    }
    return status;
}

static enum tulle_status read_front(json_t *object, struct model_json *json,
                                    struct tulle_error *error)
{
    struct tulle_front *front = &json->info.front;
    json_t *numbers;
    json_int_t dimensions, frequencies, bins, members;
    enum tulle_status status =
        tulle_json_unpack("front", object, error, "{s:o, s:I, s:I, s:I, s:b, s:I}", "numbers",
                          &numbers, "dimensions", &dimensions, "frequencies", &frequencies, "bins",
                          &bins, "factors", &front->has_factors, "members", &members);
    if (status != TULLE_OK)
        return status;
    if (members == 0) /* which in a struct tulle_front would be 1 */
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad members: 0");
    status = read_numbers(numbers, json, error);
    if (status == TULLE_OK && front->number_count == 0 && (dimensions || frequencies || bins))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad front: dimensions of no numbers");
    if (status == TULLE_OK)
        status = tulle_json_read_count("dimensions", dimensions, &front->dimensions, error);
    if (status == TULLE_OK)
        status = tulle_json_read_count("frequencies", frequencies, &front->frequencies, error);
    if (status == TULLE_OK)
        status = tulle_json_read_count("bins", bins, &front->bins, error);
    return status == TULLE_OK ? tulle_json_read_count("members", members, &front->members, error)
                              : status;
}

/* --- Layers ---------------------------------------------------------------------------------- */

static json_t *write_layer(const void *layers, size_t i)
{
    const struct tulle_layer *layer = (const struct tulle_layer *)layers + i;
    return json_pack("{s:I, s:s, s:b, s:f}", "units", (json_int_t)layer->units, "activation",
                     tulle_activation_name(layer->activation), "parametric", layer->parametric != 0,
                     "dropout", layer->dropout);
}

static enum tulle_status read_layers(const json_t *array, int version, struct model_json *json,
                                     struct tulle_error *error)
{
    const enum tulle_activation last_of_1 = TULLE_ACTIVATION_LOGISTIC;
    const char *members =
        version == 1 ? "{s:I, s:s}" : "{s:I, s:s, s:b, s:F}"; /* format 1 had no more */
    void *items;
    enum tulle_status status = tulle_json_read_array("layers", array, sizeof(struct tulle_layer),
                                                     &items, &json->info.layer_count, error);
    if (status != TULLE_OK)
        return status;
    json->layers = items;
    for (size_t i = 0; i < json->info.layer_count && status == TULLE_OK; i++) {
        struct tulle_layer *layer = &json->layers[i];
        json_int_t units;
        const char *activation;
        status = tulle_json_unpack("layers", json_array_get(array, i), error, members, "units",
                                   &units, "activation", &activation, "parametric",
                                   &layer->parametric, "dropout", &layer->dropout);
        if (status != TULLE_OK)
            return status;
        if (tulle_activation_from_name(activation, &layer->activation) != TULLE_OK ||
            (version == 1 && layer->activation > last_of_1))
            return tulle_json_fail_unknown("activation", activation, error);
        status = tulle_json_read_count("units", units, &layer->units, error);
    }
    return status;
}

/* --- The whole ------------------------------------------------------------------------------- */

char *tulle_model_json_write(const struct tulle_model_info *info)
{
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "precision",
                  tulle_type_name(info->precision), "task", tulle_task_name(info->task), "inputs",
                  tulle_json_write_array(info->input_count, write_column, info->inputs), "targets",
                  tulle_json_write_array(info->target_count, write_column, info->targets), "front",
                  write_front(&info->front), "layers",
                  tulle_json_write_array(info->layer_count, write_layer, info->layers), "training",
                  tulle_record_write_training(info), "settings", tulle_record_write_settings(info),
                  "metrics", tulle_record_write_metrics(info));
    char *text = tulle_json_text(root);
    json_decref(root);
    return text;
}

/* The parts of the description. */
struct parts {
    const char *precision, *task;
    json_t *inputs, *targets, *layers, *training, *metrics;
    json_t *front, *settings; /* NULL before format 3 */
};

static enum tulle_status unpack_parts(const char *text, int version, struct model_json *json,
                                      struct parts *parts, struct tulle_error *error)
{
    const char *part = "description of the model";
    const char *members = version == 1   ? "{s:s, s:o, s:o, s:o, s:o, s:o}"
                          : version == 2 ? "{s:s, s:o, s:o, s:o, s:o, s:o, s:s}"
                                         : "{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o}";
    *parts = (struct parts){.task = "regression"}; /* the one of format 1 */
    enum tulle_status status = tulle_json_parse(part, text, strlen(text), &json->root, error);
    if (status == TULLE_OK)
        status = tulle_json_unpack(part, json->root, error, members, "precision", &parts->precision,
                                   "inputs", &parts->inputs, "targets", &parts->targets, "layers",
                                   &parts->layers, "training", &parts->training, "metrics",
                                   &parts->metrics, "task", &parts->task, "front", &parts->front,
                                   "settings", &parts->settings);
    if (status != TULLE_OK)
        return status;
    if (tulle_type_from_name(parts->precision, &json->info.precision) != TULLE_OK)
        return tulle_json_fail_unknown("precision", parts->precision, error);
    if (tulle_task_from_name(parts->task, &json->info.task) != TULLE_OK ||
        json->info.task == TULLE_TASK_AUTO)
        return tulle_json_fail_unknown("task", parts->task, error);
    return TULLE_OK;
}

enum tulle_status tulle_model_json_read(const char *text, int version, struct model_json *json,
                                        struct tulle_error *error)
{
    struct tulle_model_info *info = &json->info;
    struct parts parts;
    enum tulle_status status = unpack_parts(text, version, json, &parts, error);
    if (status == TULLE_OK)
        status =
            read_columns("inputs", parts.inputs, version, &json->inputs, &info->input_count, error);
    if (status == TULLE_OK)
        status = read_columns("targets", parts.targets, version, &json->targets,
                              &info->target_count, error);
    if (status == TULLE_OK && parts.front)
        status = read_front(parts.front, json, error);
    if (status == TULLE_OK)
        status = read_layers(parts.layers, version, json, error);
    if (status == TULLE_OK)
        status = tulle_record_read_training(parts.training, version, json, error);
    if (status == TULLE_OK && parts.settings)
        status = tulle_record_read_settings(parts.settings, json, error);
    if (status == TULLE_OK)
        status = tulle_record_read_metrics(parts.metrics, version, json, error);
    info->inputs = json->inputs;
    info->targets = json->targets;
    info->front.numbers = json->numbers;
    info->layers = json->layers;
    info->missing = json->missing;
    info->settings = json->settings;
    info->quantiles = json->quantiles;
    info->metrics = json->metrics;
    return status;
}

static void free_columns(struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++) {
        tulle_free((char **)columns[i].levels.names);
        tulle_free((double *)columns[i].quantiles);
    }
    tulle_free(columns);
}

void tulle_model_json_clear(struct model_json *json)
{
    free_columns(json->inputs, json->info.input_count);
    free_columns(json->targets, json->info.target_count);
    tulle_free(json->numbers);
    tulle_free(json->knots);
    tulle_free(json->layers);
    tulle_free((void *)json->missing);
    tulle_free(json->settings);
    tulle_free(json->quantiles);
    tulle_free(json->metrics);
    tulle_free(json->curve);
    json_decref(json->root);
}

#endif
