/* model_json.c - all about a model but its weights as a JSON text, and back; see docs/format.md.
 * Each part is written and read side by side. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <math.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "json_text.h"
#include "model_json.h"

static const char *const split_names[3] = {"train", "valid", "test"};

/* --- Pieces ---------------------------------------------------------------------------------- */

/* An array of what write_item gives for each of count items. */
static json_t *write_array(size_t count, json_t *(*write_item)(const void *items, size_t i),
                           const void *items)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, write_item(items, i)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *write_text(const void *texts, size_t i)
{
    return json_string(((const char *const *)texts)[i]);
}

static json_t *write_number(const void *numbers, size_t i)
{
    return json_real(((const double *)numbers)[i]);
}

/* Room for the items of an array: *count * size zeroed bytes in *items. */
static enum tulle_status read_array(const char *part, const json_t *array, size_t size,
                                    void **items, size_t *count, struct tulle_error *error)
{
    if (!json_is_array(array))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: not an array", part);
    *count = json_array_size(array);
    *items = tulle_calloc(*count, size);
    return *items ? TULLE_OK : tulle_fail_memory(error);
}

/* An array of strings; *texts is to be freed, also on failure, but not the strings. */
static enum tulle_status read_texts(const char *part, const json_t *array,
                                    const char *const **texts, size_t *count,
                                    struct tulle_error *error)
{
    void *items;
    enum tulle_status status = read_array(part, array, sizeof **texts, &items, count, error);
    if (status != TULLE_OK)
        return status;
    const char **strings = items;
    *texts = strings;
    for (size_t i = 0; i < *count; i++)
        if (!(strings[i] = json_string_value(json_array_get(array, i))))
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: a text is not a string", part);
    return TULLE_OK;
}

static enum tulle_status read_count(const char *part, json_int_t value, size_t *count,
                                    struct tulle_error *error)
{
    if (value < 0 || (uintmax_t)value > SIZE_MAX)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %" JSON_INTEGER_FORMAT, part, value);
    *count = (size_t)value;
    return TULLE_OK;
}

/* A string, or null for NULL. */
static enum tulle_status read_name(const char *part, const json_t *json, const char **name,
                                   struct tulle_error *error)
{
    *name = json_string_value(json);
    if (*name || json_is_null(json))
        return TULLE_OK;
    return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: not a string or null", part);
}

static enum tulle_status fail_unknown(const char *what, const char *name, struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_FORMAT, "unknown %s '%s'", what, name);
}

/* --- Columns --------------------------------------------------------------------------------- */

static json_t *write_column(const void *columns, size_t i)
{
    const struct tulle_column *c = (const struct tulle_column *)columns + i;
    if (c->levels.names)
        return json_pack("{s:s, s:o, s:I, s:I}", "name", c->name, "levels",
                         write_array(c->levels.count, write_text, c->levels.names), "dimensions",
                         (json_int_t)c->dimensions, "missing", (json_int_t)c->missing);
    json_t *object =
        json_pack("{s:s, s:f, s:f, s:f, s:f, s:s, s:I}", "name", c->name, "mean", c->mean, "scale",
                  c->scale, "min", c->minimum, "max", c->maximum, "scaling",
                  tulle_scaling_name(c->scaling), "missing", (json_int_t)c->missing);
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
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0, "{s:s, s:o, s:I, s:I!}", "name", &c->name, "levels",
                       &levels, "dimensions", &dimensions, "missing", &missing) != 0)
        return tulle_fail_json(part, &json_error, error);
    enum tulle_status status = read_texts(part, levels, &c->levels.names, &c->levels.count, error);
    if (status == TULLE_OK && c->levels.count == 0)
        status = tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: a column of no levels", part);
    if (status == TULLE_OK)
        status = read_count("dimensions", dimensions, &c->dimensions, error);
    return status == TULLE_OK ? read_count("missing", missing, &c->missing, error) : status;
}

static enum tulle_status read_number(const char *part, json_t *object, struct tulle_column *c,
                                     struct tulle_error *error)
{
    const char *scaling;
    json_int_t missing, quantiles = 0;
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0, "{s:s, s:F, s:F, s:F, s:F, s:s, s:I, s?I!}", "name",
                       &c->name, "mean", &c->mean, "scale", &c->scale, "min", &c->minimum, "max",
                       &c->maximum, "scaling", &scaling, "missing", &missing, "quantiles",
                       &quantiles) != 0)
        return tulle_fail_json(part, &json_error, error);
    if (tulle_scaling_from_name(scaling, &c->scaling) != TULLE_OK)
        return fail_unknown("scaling", scaling, error);
    enum tulle_status status = read_count("missing", missing, &c->missing, error);
    return status == TULLE_OK ? read_count("quantiles", quantiles, &c->quantile_count, error)
                              : status;
}

/* What format 1 had: numbers, by their means and scales. */
static enum tulle_status read_column_1(const char *part, json_t *object, struct tulle_column *c,
                                       struct tulle_error *error)
{
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0, "{s:s, s:F, s:F, s:F, s:F!}", "name", &c->name,
                       "mean", &c->mean, "scale", &c->scale, "min", &c->minimum, "max",
                       &c->maximum) != 0)
        return tulle_fail_json(part, &json_error, error);
    c->scaling = c->mean != 0 || c->scale != 1 ? TULLE_SCALING_STANDARD : TULLE_SCALING_NONE;
    return TULLE_OK;
}

static enum tulle_status read_columns(const char *part, const json_t *array, int version,
                                      struct tulle_column **columns, size_t *count,
                                      struct tulle_error *error)
{
    void *items;
    enum tulle_status status =
        read_array(part, array, sizeof(struct tulle_column), &items, count, error);
    if (status != TULLE_OK)
        return status;
    *columns = items;
    for (size_t i = 0; i < *count && status == TULLE_OK; i++) {
        struct tulle_column *c = &(*columns)[i];
        json_t *object = json_array_get(array, i);
        status = version == 1                        ? read_column_1(part, object, c, error)
                 : json_object_get(object, "levels") ? read_category(part, object, c, error)
                                                     : read_number(part, object, c, error);
    }
    return status;
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
        version == 1 ? "{s:I, s:s!}" : "{s:I, s:s, s:b, s:F!}"; /* format 1 had no more */
    void *items;
    enum tulle_status status = read_array("layers", array, sizeof(struct tulle_layer), &items,
                                          &json->info.layer_count, error);
    if (status != TULLE_OK)
        return status;
    json->layers = items;
    for (size_t i = 0; i < json->info.layer_count && status == TULLE_OK; i++) {
        struct tulle_layer *layer = &json->layers[i];
        json_error_t json_error;
        json_int_t units;
        const char *activation;
        if (json_unpack_ex(json_array_get(array, i), &json_error, 0, members, "units", &units,
                           "activation", &activation, "parametric", &layer->parametric, "dropout",
                           &layer->dropout) != 0)
            return tulle_fail_json("layers", &json_error, error);
        if (tulle_activation_from_name(activation, &layer->activation) != TULLE_OK ||
            (version == 1 && layer->activation > last_of_1))
            return fail_unknown("activation", activation, error);
        status = read_count("units", units, &layer->units, error);
    }
    return status;
}

/* --- Training -------------------------------------------------------------------------------- */

static json_t *write_training(const struct tulle_model_info *info)
{
    return json_pack("{s:s, s:f, s:f, s:o, s:s, s:f, s:I, s:I, s:I, s:o, s:s?, s:s?, s:f, s:f, "
                     "s:{s:I, s:I, s:I}, s:I, s:I}",
                     "loss", tulle_loss_name(info->loss), "huber_delta", info->huber_delta,
                     "label_smoothing", info->label_smoothing, "quantiles",
                     write_array(info->quantile_count, write_number, info->quantiles), "optimizer",
                     tulle_optimizer_name(info->optimizer), "learning_rate", info->learning_rate,
                     "batch_size", (json_int_t)info->batch_size, "epochs", (json_int_t)info->epochs,
                     "seed", (json_int_t)info->seed, "missing",
                     write_array(info->missing_count, write_text, info->missing), "split_column",
                     info->split_column, "weight_column", info->weight_column, "valid_fraction",
                     info->valid_fraction, "test_fraction", info->test_fraction, "rows",
                     split_names[0], (json_int_t)info->rows[0], split_names[1],
                     (json_int_t)info->rows[1], split_names[2], (json_int_t)info->rows[2],
                     "best_epoch", (json_int_t)info->best_epoch, "curve",
                     (json_int_t)info->curve_count);
}

/* The members as jansson gives them. */
struct training {
    const char *loss, *optimizer;
    json_t *quantiles, *missing, *split_column, *weight_column;
    json_int_t batch_size, epochs, seed, rows[3], best_epoch, curve;
};

static enum tulle_status unpack_training(json_t *object, struct training *t,
                                         struct tulle_model_info *info, struct tulle_error *error)
{
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0,
                       "{s:s, s:F, s:F, s:o, s:s, s:F, s:I, s:I, s:I, s:o, s:o, s:o, s:F, s:F, "
                       "s:{s:I, s:I, s:I!}, s:I, s:I!}",
                       "loss", &t->loss, "huber_delta", &info->huber_delta, "label_smoothing",
                       &info->label_smoothing, "quantiles", &t->quantiles, "optimizer",
                       &t->optimizer, "learning_rate", &info->learning_rate, "batch_size",
                       &t->batch_size, "epochs", &t->epochs, "seed", &t->seed, "missing",
                       &t->missing, "split_column", &t->split_column, "weight_column",
                       &t->weight_column, "valid_fraction", &info->valid_fraction, "test_fraction",
                       &info->test_fraction, "rows", split_names[0], &t->rows[0], split_names[1],
                       &t->rows[1], split_names[2], &t->rows[2], "best_epoch", &t->best_epoch,
                       "curve", &t->curve) != 0)
        return tulle_fail_json("training", &json_error, error);
    return TULLE_OK;
}

/* Format 1 had one loss and one optimizer, and said of scaling that there was some. */
static enum tulle_status unpack_training_1(json_t *object, struct training *t,
                                           struct tulle_model_info *info, struct tulle_error *error)
{
    json_error_t json_error;
    int standardize;
    info->huber_delta = 1;
    if (json_unpack_ex(object, &json_error, 0,
                       "{s:s, s:s, s:F, s:I, s:I, s:I, s:b, s:o, s:F, s:F, s:{s:I, s:I, s:I!}!}",
                       "loss", &t->loss, "optimizer", &t->optimizer, "learning_rate",
                       &info->learning_rate, "batch_size", &t->batch_size, "epochs", &t->epochs,
                       "seed", &t->seed, "standardize", &standardize, "split_column",
                       &t->split_column, "valid_fraction", &info->valid_fraction, "test_fraction",
                       &info->test_fraction, "rows", split_names[0], &t->rows[0], split_names[1],
                       &t->rows[1], split_names[2], &t->rows[2]) != 0)
        return tulle_fail_json("training", &json_error, error);
    return TULLE_OK;
}

static enum tulle_status read_quantiles(const json_t *array, struct model_json *json,
                                        struct tulle_error *error)
{
    void *items;
    enum tulle_status status = read_array("quantiles", array, sizeof *json->quantiles, &items,
                                          &json->info.quantile_count, error);
    if (status != TULLE_OK)
        return status;
    json->quantiles = items;
    for (size_t i = 0; i < json->info.quantile_count; i++) {
        const json_t *number = json_array_get(array, i);
        if (!json_is_number(number))
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad quantiles: not a number");
        json->quantiles[i] = json_number_value(number);
    }
    return TULLE_OK;
}

static enum tulle_status read_training(json_t *object, int version, struct model_json *json,
                                       struct tulle_error *error)
{
    struct tulle_model_info *info = &json->info;
    struct training t = {0};
    enum tulle_status status = version == 1 ? unpack_training_1(object, &t, info, error)
                                            : unpack_training(object, &t, info, error);
    if (status != TULLE_OK)
        return status;
    if (tulle_loss_from_name(t.loss, &info->loss) != TULLE_OK ||
        (version == 1 && info->loss != TULLE_LOSS_MSE))
        return fail_unknown("loss", t.loss, error);
    if (tulle_optimizer_from_name(t.optimizer, &info->optimizer) != TULLE_OK ||
        (version == 1 && info->optimizer != TULLE_OPTIMIZER_SGD))
        return fail_unknown("optimizer", t.optimizer, error);
    if (t.seed < 0 || t.seed > UINT32_MAX)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad seed: %" JSON_INTEGER_FORMAT, t.seed);
    info->seed = (uint32_t)t.seed;
    const struct {
        const char *part;
        json_int_t value;
        size_t *count;
    } counts[] = {{"batch_size", t.batch_size, &info->batch_size},
                  {"epochs", t.epochs, &info->epochs},
                  {"rows", t.rows[0], &info->rows[0]},
                  {"rows", t.rows[1], &info->rows[1]},
                  {"rows", t.rows[2], &info->rows[2]},
                  {"best_epoch", t.best_epoch, &info->best_epoch},
                  {"curve", t.curve, &info->curve_count}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts && status == TULLE_OK; i++)
        status = read_count(counts[i].part, counts[i].value, counts[i].count, error);
    if (status == TULLE_OK)
        status = read_name("split_column", t.split_column, &info->split_column, error);
    if (status == TULLE_OK && t.weight_column)
        status = read_name("weight_column", t.weight_column, &info->weight_column, error);
    if (status == TULLE_OK && t.missing)
        status = read_texts("missing", t.missing, &json->missing, &info->missing_count, error);
    if (status == TULLE_OK && t.quantiles)
        status = read_quantiles(t.quantiles, json, error);
    return status;
}

/* --- Metrics --------------------------------------------------------------------------------- */

/* JSON has no way to write a number that is not finite: such a metric is left out. */
static json_t *write_metric(const void *metrics, size_t i)
{
    const struct tulle_metrics *m = (const struct tulle_metrics *)metrics + i;
    json_t *object = json_pack("{s:I}", "rows", (json_int_t)m->rows);
    const char *name;
    for (int k = 0; (name = tulle_metric_name((enum tulle_metric)k)); k++)
        if (isfinite(m->value[k]) &&
            json_object_set_new(object, name, json_real(m->value[k])) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *write_metrics(const struct tulle_model_info *info)
{
    json_t *object = json_object();
    for (size_t split = 0; split < 3; split++)
        if (json_object_set_new(object, split_names[split],
                                write_array(info->target_count, write_metric,
                                            info->metrics + split * info->target_count)) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

/* Format 1 had always the first three, and null for a figure that is not finite. */
static enum tulle_status read_metric(json_t *object, int version, struct tulle_metrics *metrics,
                                     struct tulle_error *error)
{
    const size_t most = version == 1 ? 3 : TULLE_METRIC_SLOTS;
    const json_t *rows = json_object_get(object, "rows");
    if (!json_is_integer(rows))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: no number of rows");
    size_t found = 1;
    for (size_t k = 0; k < TULLE_METRIC_SLOTS; k++) {
        const char *name = k < most ? tulle_metric_name((enum tulle_metric)k) : NULL;
        const json_t *value = name ? json_object_get(object, name) : NULL;
        metrics->value[k] = json_is_number(value) ? json_number_value(value) : NAN;
        found += value != NULL;
        if (value && !json_is_number(value) && !(version == 1 && json_is_null(value)))
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: %s is not a number", name);
    }
    if (found != json_object_size(object) || (version == 1 && found != 4))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: not those of this format");
    return read_count("rows", json_integer_value(rows), &metrics->rows, error);
}

static enum tulle_status read_metrics(json_t *object, int version, struct model_json *json,
                                      struct tulle_error *error)
{
    json_t *splits[3];
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0, "{s:o, s:o, s:o!}", split_names[0], &splits[0],
                       split_names[1], &splits[1], split_names[2], &splits[2]) != 0)
        return tulle_fail_json("metrics", &json_error, error);
    size_t targets = json->info.target_count;
    json->metrics = tulle_calloc(3 * targets, sizeof *json->metrics);
    if (!json->metrics)
        return tulle_fail_memory(error);
    for (size_t split = 0; split < 3; split++) {
        if (!json_is_array(splits[split]) || json_array_size(splits[split]) != targets)
            return tulle_fail(error, TULLE_ERROR_FORMAT,
                              "bad metrics: expected one for each of the %zu targets in '%s'",
                              targets, split_names[split]);
        for (size_t i = 0; i < targets; i++) {
            enum tulle_status status = read_metric(json_array_get(splits[split], i), version,
                                                   &json->metrics[split * targets + i], error);
            if (status != TULLE_OK)
                return status;
        }
    }
    return TULLE_OK;
}

/* --- The whole ------------------------------------------------------------------------------- */

char *tulle_model_json_write(const struct tulle_model_info *info)
{
    char *text = NULL;
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "precision",
                  tulle_type_name(info->precision), "task", tulle_task_name(info->task), "inputs",
                  write_array(info->input_count, write_column, info->inputs), "targets",
                  write_array(info->target_count, write_column, info->targets), "layers",
                  write_array(info->layer_count, write_layer, info->layers), "training",
                  write_training(info), "metrics", write_metrics(info));
    if (root)
        text = tulle_json_text(root);
    json_decref(root);
    return text;
}

/* The parts of the description. */
struct parts {
    const char *precision, *task;
    json_t *inputs, *targets, *layers, *training, *metrics;
};

static enum tulle_status unpack_parts(const char *text, int version, struct model_json *json,
                                      struct parts *parts, struct tulle_error *error)
{
    json_error_t json_error;
    const char *members =
        version == 1 ? "{s:s, s:o, s:o, s:o, s:o, s:o!}" : "{s:s, s:o, s:o, s:o, s:o, s:o, s:s!}";
    parts->task = "regression"; /* the one of format 1 */
    json->root = json_loads(text, JSON_REJECT_DUPLICATES, &json_error);
    if (!json->root ||
        json_unpack_ex(json->root, &json_error, 0, members, "precision", &parts->precision,
                       "inputs", &parts->inputs, "targets", &parts->targets, "layers",
                       &parts->layers, "training", &parts->training, "metrics", &parts->metrics,
                       "task", &parts->task) != 0)
        return tulle_fail_json("description of the model", &json_error, error);
    if (tulle_type_from_name(parts->precision, &json->info.precision) != TULLE_OK)
        return fail_unknown("precision", parts->precision, error);
    if (tulle_task_from_name(parts->task, &json->info.task) != TULLE_OK ||
        json->info.task == TULLE_TASK_AUTO)
        return fail_unknown("task", parts->task, error);
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
    if (status == TULLE_OK)
        status = read_layers(parts.layers, version, json, error);
    if (status == TULLE_OK)
        status = read_training(parts.training, version, json, error);
    if (status == TULLE_OK)
        status = read_metrics(parts.metrics, version, json, error);
    info->inputs = json->inputs;
    info->targets = json->targets;
    info->layers = json->layers;
    info->missing = json->missing;
    info->quantiles = json->quantiles;
    info->metrics = json->metrics;
    return status;
}

static void free_columns(struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++) {
        free((char **)columns[i].levels.names);
        free((double *)columns[i].quantiles);
    }
    free(columns);
}

void tulle_model_json_clear(struct model_json *json)
{
    free_columns(json->inputs, json->info.input_count);
    free_columns(json->targets, json->info.target_count);
    free(json->layers);
    free((void *)json->missing);
    free(json->quantiles);
    free(json->metrics);
    free(json->curve);
    json_decref(json->root);
}

#endif
