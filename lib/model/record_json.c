/* record_json.c - how a model was trained and measured as JSON, and back; see docs/format.md. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <math.h>

#include "../base/memory.h"
#include "json_pieces.h"
#include "record_json.h"

static const char *const split_names[3] = {"train", "valid", "test"};

/* --- Training -------------------------------------------------------------------------------- */

static json_t *write_number(const void *numbers, size_t i)
{
    return json_real(((const double *)numbers)[i]);
}

json_t *tulle_record_write_training(const struct tulle_model_info *info)
{
    return json_pack("{s:s, s:f, s:f, s:o, s:s, s:f, s:I, s:I, s:I, s:o, s:s?, s:s?, s:f, s:f, "
                     "s:{s:I, s:I, s:I}, s:I, s:I}",
                     "loss", tulle_loss_name(info->loss), "huber_delta", info->huber_delta,
                     "label_smoothing", info->label_smoothing, "quantiles",
                     tulle_json_write_array(info->quantile_count, write_number, info->quantiles),
                     "optimizer", tulle_optimizer_name(info->optimizer), "learning_rate",
                     info->learning_rate, "batch_size", (json_int_t)info->batch_size, "epochs",
                     (json_int_t)info->epochs, "seed", (json_int_t)info->seed, "missing",
                     tulle_json_write_texts(info->missing, info->missing_count), "split_column",
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

static enum tulle_status unpack_rows(json_t *rows, struct training *t, struct tulle_error *error)
{
    return tulle_json_unpack("rows", rows, error, "{s:I, s:I, s:I}", split_names[0], &t->rows[0],
                             split_names[1], &t->rows[1], split_names[2], &t->rows[2]);
}

static enum tulle_status unpack_training(json_t *object, struct training *t,
                                         struct tulle_model_info *info, struct tulle_error *error)
{
    json_t *rows;
    enum tulle_status status = tulle_json_unpack(
        "training", object, error,
        "{s:s, s:F, s:F, s:o, s:s, s:F, s:I, s:I, s:I, s:o, s:o, s:o, s:F, s:F, s:o, s:I, s:I}",
        "loss", &t->loss, "huber_delta", &info->huber_delta, "label_smoothing",
        &info->label_smoothing, "quantiles", &t->quantiles, "optimizer", &t->optimizer,
        "learning_rate", &info->learning_rate, "batch_size", &t->batch_size, "epochs", &t->epochs,
        "seed", &t->seed, "missing", &t->missing, "split_column", &t->split_column, "weight_column",
        &t->weight_column, "valid_fraction", &info->valid_fraction, "test_fraction",
        &info->test_fraction, "rows", &rows, "best_epoch", &t->best_epoch, "curve", &t->curve);
    return status == TULLE_OK ? unpack_rows(rows, t, error) : status;
}

/* Format 1 had one loss and one optimizer, and said of scaling that there was some. */
static enum tulle_status unpack_training_1(json_t *object, struct training *t,
                                           struct tulle_model_info *info, struct tulle_error *error)
{
    int standardize;
    json_t *rows;
    info->huber_delta = 1;
    enum tulle_status status = tulle_json_unpack(
        "training", object, error, "{s:s, s:s, s:F, s:I, s:I, s:I, s:b, s:o, s:F, s:F, s:o}",
        "loss", &t->loss, "optimizer", &t->optimizer, "learning_rate", &info->learning_rate,
        "batch_size", &t->batch_size, "epochs", &t->epochs, "seed", &t->seed, "standardize",
        &standardize, "split_column", &t->split_column, "valid_fraction", &info->valid_fraction,
        "test_fraction", &info->test_fraction, "rows", &rows);
    return status == TULLE_OK ? unpack_rows(rows, t, error) : status;
}

static int is_number(const json_t *json)
{
    return json_typeof(json) == JSON_INTEGER || json_typeof(json) == JSON_REAL;
}

static enum tulle_status read_quantiles(const json_t *array, struct model_json *json,
                                        struct tulle_error *error)
{
    void *items;
    enum tulle_status status = tulle_json_read_array("quantiles", array, sizeof *json->quantiles,
                                                     &items, &json->info.quantile_count, error);
    if (status != TULLE_OK)
        return status;
    json->quantiles = items;
    for (size_t i = 0; i < json->info.quantile_count; i++) {
        const json_t *number = json_array_get(array, i);
        if (!is_number(number))
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad quantiles: not a number");
        json->quantiles[i] = json_number_value(number);
    }
    return TULLE_OK;
}

enum tulle_status tulle_record_read_training(json_t *object, int version, struct model_json *json,
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
        return tulle_json_fail_unknown("loss", t.loss, error);
    if (tulle_optimizer_from_name(t.optimizer, &info->optimizer) != TULLE_OK ||
        (version == 1 && info->optimizer != TULLE_OPTIMIZER_SGD))
        return tulle_json_fail_unknown("optimizer", t.optimizer, error);
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
        status = tulle_json_read_count(counts[i].part, counts[i].value, counts[i].count, error);
    if (status == TULLE_OK)
        status = tulle_json_read_name("split_column", t.split_column, &info->split_column, error);
    if (status == TULLE_OK && t.weight_column)
        status =
            tulle_json_read_name("weight_column", t.weight_column, &info->weight_column, error);
    if (status == TULLE_OK && t.missing)
        status = tulle_json_read_texts("missing", t.missing, &json->missing, &info->missing_count,
                                       error);
    if (status == TULLE_OK && t.quantiles)
        status = read_quantiles(t.quantiles, json, error);
    return status;
}

/* --- Settings -------------------------------------------------------------------------------- */

/* An object's members keep their order, on the way out and on the way back. */
json_t *tulle_record_write_settings(const struct tulle_model_info *info)
{
    json_t *object = json_object();
    for (size_t i = 0; i < info->setting_count; i++)
        if (json_object_set_new(object, info->settings[i].name,
                                json_string(info->settings[i].value)) != 0) {
            json_decref(object);
            return NULL;
        }
    return object;
}

enum tulle_status tulle_record_read_settings(json_t *object, struct model_json *json,
                                             struct tulle_error *error)
{
    if (json_typeof(object) != JSON_OBJECT)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad settings: not an object");
    json->settings = tulle_calloc(json_object_size(object), sizeof *json->settings);
    if (!json->settings)
        return tulle_fail_memory(error);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        const char *value = json_string_value(json_object_iter_value(at));
        if (!value)
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad settings: '%s' is not a string",
                              name);
        json->settings[json->info.setting_count++] = (struct tulle_setting){name, value};
    }
    return TULLE_OK;
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

json_t *tulle_record_write_metrics(const struct tulle_model_info *info)
{
    json_t *object = json_object();
    for (size_t split = 0; split < 3; split++)
        if (json_object_set_new(
                object, split_names[split],
                tulle_json_write_array(info->target_count, write_metric,
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
    if (!rows || json_typeof(rows) != JSON_INTEGER)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: no number of rows");
    size_t found = 1;
    for (size_t k = 0; k < TULLE_METRIC_SLOTS; k++) {
        const char *name = k < most ? tulle_metric_name((enum tulle_metric)k) : NULL;
        const json_t *value = json_object_get(object, name); /* NULL of NULL */
        metrics->value[k] = value && is_number(value) ? json_number_value(value) : NAN;
        found += value != NULL;
        if (value && !is_number(value) && !(version == 1 && json_typeof(value) == JSON_NULL))
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: %s is not a number", name);
    }
    if (found != json_object_size(object) || (version == 1 && found != 4))
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad metrics: not those of this format");
    return tulle_json_read_count("rows", json_integer_value(rows), &metrics->rows, error);
}

enum tulle_status tulle_record_read_metrics(json_t *object, int version, struct model_json *json,
                                            struct tulle_error *error)
{
    json_t *splits[3];
    enum tulle_status status =
        tulle_json_unpack("metrics", object, error, "{s:o, s:o, s:o}", split_names[0], &splits[0],
                          split_names[1], &splits[1], split_names[2], &splits[2]);
    if (status != TULLE_OK)
        return status;
    size_t targets = json->info.target_count;
    json->metrics = tulle_calloc(3 * targets, sizeof *json->metrics);
    if (!json->metrics)
        return tulle_fail_memory(error);
    for (size_t split = 0; split < 3; split++) {
        if (json_array_size(splits[split]) != targets) /* 0 of what is no array */
            return tulle_fail(error, TULLE_ERROR_FORMAT,
                              "bad metrics: expected one for each of the %zu targets in '%s'",
                              targets, split_names[split]);
        for (size_t i = 0; i < targets; i++) {
            status = read_metric(json_array_get(splits[split], i), version,
                                 &json->metrics[split * targets + i], error);
            if (status != TULLE_OK)
                return status;
        }
    }
    return TULLE_OK;
}

#endif
