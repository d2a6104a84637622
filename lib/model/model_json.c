/* model_json.c - all about a model but its weights as a JSON text, and back; see docs/format.md.
 * Each part is written and read side by side. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <math.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "model_json.h"

/* 17 significant digits bring every double back. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(17))

static const char *const split_names[3] = {"train", "valid", "test"};

/* --- Pieces ---------------------------------------------------------------------------------- */

enum tulle_status tulle_fail_json(const char *part, const json_error_t *json_error,
                                  struct tulle_error *error)
{
    if (json_error_code(json_error) == json_error_out_of_memory || json_error->text[0] == '\0')
        return tulle_fail_memory(error);
    return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %s", part, json_error->text);
}

/* An array of objects, one for each of count items. */
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

static enum tulle_status read_count(const char *part, json_int_t value, size_t *count,
                                    struct tulle_error *error)
{
    if (value < 0 || (uintmax_t)value > SIZE_MAX)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %" JSON_INTEGER_FORMAT, part, value);
    *count = (size_t)value;
    return TULLE_OK;
}

/* JSON has no way to write a number that is not finite. */
static json_t *write_number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static int read_number_or_null(const json_t *json, double *value)
{
    *value = json_is_null(json) ? NAN : json_number_value(json);
    return json_is_null(json) || json_is_number(json);
}

/* --- Columns --------------------------------------------------------------------------------- */

static json_t *write_column(const void *columns, size_t i)
{
    const struct tulle_column *c = (const struct tulle_column *)columns + i;
    return json_pack("{s:s, s:f, s:f, s:f, s:f}", "name", c->name, "mean", c->mean, "scale",
                     c->scale, "min", c->minimum, "max", c->maximum);
}

static enum tulle_status read_columns(const char *part, const json_t *array,
                                      struct tulle_column **columns, size_t *count,
                                      struct tulle_error *error)
{
    void *items;
    enum tulle_status status =
        read_array(part, array, sizeof(struct tulle_column), &items, count, error);
    if (status != TULLE_OK)
        return status;
    *columns = items;
    for (size_t i = 0; i < *count; i++) {
        struct tulle_column *c = &(*columns)[i];
        json_error_t json_error;
        if (json_unpack_ex(json_array_get(array, i), &json_error, 0, "{s:s, s:F, s:F, s:F, s:F!}",
                           "name", &c->name, "mean", &c->mean, "scale", &c->scale, "min",
                           &c->minimum, "max", &c->maximum) != 0)
            return tulle_fail_json(part, &json_error, error);
    }
    return TULLE_OK;
}

/* --- Layers ---------------------------------------------------------------------------------- */

static json_t *write_layer(const void *layers, size_t i)
{
    const struct tulle_layer *layer = (const struct tulle_layer *)layers + i;
    return json_pack("{s:I, s:s}", "units", (json_int_t)layer->units, "activation",
                     tulle_activation_name(layer->activation));
}

static enum tulle_status read_layers(const json_t *array, struct model_json *json,
                                     struct tulle_error *error)
{
    void *items;
    enum tulle_status status = read_array("layers", array, sizeof(struct tulle_layer), &items,
                                          &json->info.layer_count, error);
    if (status != TULLE_OK)
        return status;
    json->layers = items;
    for (size_t i = 0; i < json->info.layer_count; i++) {
        json_error_t json_error;
        json_int_t units;
        const char *activation;
        if (json_unpack_ex(json_array_get(array, i), &json_error, 0, "{s:I, s:s!}", "units", &units,
                           "activation", &activation) != 0)
            return tulle_fail_json("layers", &json_error, error);
        if (tulle_activation_from_name(activation, &json->layers[i].activation) != TULLE_OK)
            return tulle_fail(error, TULLE_ERROR_FORMAT, "unknown activation '%s'", activation);
        status = read_count("units", units, &json->layers[i].units, error);
        if (status != TULLE_OK)
            return status;
    }
    return TULLE_OK;
}

/* --- Training -------------------------------------------------------------------------------- */

static json_t *write_training(const struct tulle_model_info *info)
{
    return json_pack(
        "{s:s, s:s, s:f, s:I, s:I, s:I, s:b, s:s?, s:f, s:f, s:{s:I, s:I, s:I}}", "loss",
        tulle_loss_name(info->loss), "optimizer", tulle_optimizer_name(info->optimizer),
        "learning_rate", info->learning_rate, "batch_size", (json_int_t)info->batch_size, "epochs",
        (json_int_t)info->epochs, "seed", (json_int_t)info->seed, "standardize", info->standardize,
        "split_column", info->split_column, "valid_fraction", info->valid_fraction, "test_fraction",
        info->test_fraction, "rows", split_names[0], (json_int_t)info->rows[0], split_names[1],
        (json_int_t)info->rows[1], split_names[2], (json_int_t)info->rows[2]);
}

static enum tulle_status read_training(json_t *object, struct tulle_model_info *info,
                                       struct tulle_error *error)
{
    const char *loss, *optimizer;
    json_int_t batch_size, epochs, seed, rows[3];
    json_t *split_column;
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0,
                       "{s:s, s:s, s:F, s:I, s:I, s:I, s:b, s:o, s:F, s:F, s:{s:I, s:I, s:I!}!}",
                       "loss", &loss, "optimizer", &optimizer, "learning_rate",
                       &info->learning_rate, "batch_size", &batch_size, "epochs", &epochs, "seed",
                       &seed, "standardize", &info->standardize, "split_column", &split_column,
                       "valid_fraction", &info->valid_fraction, "test_fraction",
                       &info->test_fraction, "rows", split_names[0], &rows[0], split_names[1],
                       &rows[1], split_names[2], &rows[2]) != 0)
        return tulle_fail_json("training", &json_error, error);
    if (tulle_loss_from_name(loss, &info->loss) != TULLE_OK)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "unknown loss '%s'", loss);
    if (tulle_optimizer_from_name(optimizer, &info->optimizer) != TULLE_OK)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "unknown optimizer '%s'", optimizer);
    if (seed < 0 || seed > UINT32_MAX)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad seed: %" JSON_INTEGER_FORMAT, seed);
    info->seed = (uint32_t)seed;
    info->split_column = json_string_value(split_column);
    if (!info->split_column && !json_is_null(split_column))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad split_column: not a string or null");
    enum tulle_status status = read_count("batch_size", batch_size, &info->batch_size, error);
    if (status == TULLE_OK)
        status = read_count("epochs", epochs, &info->epochs, error);
    for (int split = 0; split < 3 && status == TULLE_OK; split++)
        status = read_count("rows", rows[split], &info->rows[split], error);
    return status;
}

/* --- Metrics --------------------------------------------------------------------------------- */

static json_t *write_metric(const void *metrics, size_t i)
{
    const struct tulle_metrics *m = (const struct tulle_metrics *)metrics + i;
    json_t *object = json_pack("{s:I}", "rows", (json_int_t)m->rows);
    if (json_object_set_new(object, "rmse", write_number_or_null(m->rmse)) != 0 ||
        json_object_set_new(object, "mae", write_number_or_null(m->mae)) != 0 ||
        json_object_set_new(object, "r2", write_number_or_null(m->r2)) != 0) {
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

static enum tulle_status read_metric(json_t *object, struct tulle_metrics *metrics,
                                     struct tulle_error *error)
{
    json_int_t rows;
    json_t *rmse, *mae, *r2;
    json_error_t json_error;
    if (json_unpack_ex(object, &json_error, 0, "{s:I, s:o, s:o, s:o!}", "rows", &rows, "rmse",
                       &rmse, "mae", &mae, "r2", &r2) != 0)
        return tulle_fail_json("metrics", &json_error, error);
    if (!read_number_or_null(rmse, &metrics->rmse) || !read_number_or_null(mae, &metrics->mae) ||
        !read_number_or_null(r2, &metrics->r2))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: not a number or null");
    return read_count("rows", rows, &metrics->rows, error);
}

static enum tulle_status read_metrics(json_t *object, struct model_json *json,
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
            enum tulle_status status = read_metric(json_array_get(splits[split], i),
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
    json_t *root = json_pack("{s:s}", "precision", tulle_type_name(info->precision));
    if (json_object_set_new(root, "inputs",
                            write_array(info->input_count, write_column, info->inputs)) == 0 &&
        json_object_set_new(root, "targets",
                            write_array(info->target_count, write_column, info->targets)) == 0 &&
        json_object_set_new(root, "layers",
                            write_array(info->layer_count, write_layer, info->layers)) == 0 &&
        json_object_set_new(root, "training", write_training(info)) == 0 &&
        json_object_set_new(root, "metrics", write_metrics(info)) == 0) {
        size_t length = json_dumpb(root, NULL, 0, DUMP_FLAGS);
        text = tulle_calloc(length + 1, 1);
        if (text && (length == 0 || json_dumpb(root, text, length, DUMP_FLAGS) != length)) {
            free(text);
            text = NULL;
        }
    }
    json_decref(root);
    return text;
}

enum tulle_status tulle_model_json_read(const char *text, struct model_json *json,
                                        struct tulle_error *error)
{
    const char *precision;
    json_t *inputs, *targets, *layers, *training, *metrics;
    json_error_t json_error;
    json->root = json_loads(text, JSON_REJECT_DUPLICATES, &json_error);
    if (!json->root ||
        json_unpack_ex(json->root, &json_error, 0, "{s:s, s:o, s:o, s:o, s:o, s:o!}", "precision",
                       &precision, "inputs", &inputs, "targets", &targets, "layers", &layers,
                       "training", &training, "metrics", &metrics) != 0)
        return tulle_fail_json("description of the model", &json_error, error);
    struct tulle_model_info *info = &json->info;
    if (tulle_type_from_name(precision, &info->precision) != TULLE_OK)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "unknown precision '%s'", precision);
    enum tulle_status status =
        read_columns("inputs", inputs, &json->inputs, &info->input_count, error);
    if (status == TULLE_OK)
        status = read_columns("targets", targets, &json->targets, &info->target_count, error);
    if (status == TULLE_OK)
        status = read_layers(layers, json, error);
    if (status == TULLE_OK)
        status = read_training(training, info, error);
    if (status == TULLE_OK)
        status = read_metrics(metrics, json, error);
    info->inputs = json->inputs;
    info->targets = json->targets;
    info->layers = json->layers;
    info->metrics = json->metrics;
    return status;
}

void tulle_model_json_clear(struct model_json *json)
{
    json_decref(json->root);
    free(json->inputs);
    free(json->targets);
    free(json->layers);
    free(json->metrics);
}

#endif
