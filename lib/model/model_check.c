/* model_check.c - what a description must hold to be one of a model. */
#include "../base/portability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/utf8.h"
#include "../data/levels.h"
#include "model.h"

/* The largest integer up to which a double, and so any reader of JSON, holds all of them. */
#define LARGEST_INTEGER ((uint64_t)1 << 53)

#define REFUSE(error, ...) tulle_fail(error, TULLE_ERROR_ARGUMENT, __VA_ARGS__)

/* --- Names ----------------------------------------------------------------------------------- */

/* A column by its name, and whether it is an input. */
struct named {
    const char *name;
    int is_input;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static enum tulle_status fail_same_name(const struct named *a, const struct named *b,
                                        struct tulle_error *error)
{
    if (a->is_input != b->is_input)
        return REFUSE(error, "'%s' is both an input and a target; it must be one of them", a->name);
    return REFUSE(error, "two %s are named '%s'; each needs a name of its own",
                  a->is_input ? "inputs" : "targets", a->name);
}

/* By sorting, since a file may hold a million names and must not buy a quadratic search with them.
 */
static enum tulle_status check_unique(const struct tulle_model_info *info,
                                      struct tulle_error *error)
{
    size_t count = info->input_count + info->target_count;
    struct named *all = tulle_calloc(count, sizeof *all);
    if (!all)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < info->input_count; i++)
        all[i] = (struct named){info->inputs[i].name, 1};
    for (size_t i = 0; i < info->target_count; i++)
        all[info->input_count + i] = (struct named){info->targets[i].name, 0};
    qsort(all, count, sizeof *all, compare_names);
    enum tulle_status status = TULLE_OK;
    for (size_t i = 1; i < count && status == TULLE_OK; i++)
        if (strcmp(all[i - 1].name, all[i].name) == 0)
            status = fail_same_name(&all[i - 1], &all[i], error);
    tulle_free(all);
    return status;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A text that occurs twice among these, which are sorted; NULL if there is none. */
static const char *find_twin(const char **texts, size_t count)
{
    qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 1; i < count; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            return texts[i];
    return NULL;
}

static enum tulle_status check_levels(const struct tulle_column *column, struct tulle_error *error)
{
    const struct tulle_levels *levels = &column->levels;
    if (levels->count == 0 || column->quantile_count > 0)
        return REFUSE(error, "'%s' is a category with %zu levels and %zu quantiles, expected %s",
                      column->name, levels->count, column->quantile_count,
                      "one level or more, and no quantiles");
    for (size_t i = 0; i < levels->count; i++) {
        const char *name = levels->names[i];
        if (!tulle_is_utf8(name) || tulle_is_blank(name))
            return REFUSE(error, "level %zu of '%s' is %s", i + 1, column->name,
                          tulle_is_blank(name) ? "blank" : "not UTF-8 text");
    }
    const char **sorted = tulle_calloc(levels->count, sizeof *sorted);
    if (!sorted)
        return tulle_fail_memory(error);
    memcpy(sorted, levels->names, levels->count * sizeof *sorted);
    const char *twin = find_twin(sorted, levels->count);
    tulle_free(sorted);
    return twin ? REFUSE(error, "two levels of '%s' are named '%s'", column->name, twin) : TULLE_OK;
}

/* --- Columns --------------------------------------------------------------------------------- */

/* At least what a list of texts takes in the header, in quotes that are escaped. */
static size_t list_bytes(const char *const *texts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(texts[i]) + strlen("\\\"\\\",");
    return bytes;
}

/* At least what a column takes in the header of a model file: the punctuation there, quotes
 * escaped, its name, and its levels or its figures, of which %.17g writes at most two characters
 * more each. */
static size_t header_bytes(const struct tulle_column *column)
{
    const char *category = "{\\\"name\\\":\\\"\\\",\\\"levels\\\":[],\\\"dimensions\\\":0,"
                           "\\\"missing\\\":0}";
    const char *number =
        "{\\\"name\\\":\\\"\\\",\\\"mean\\\":,\\\"scale\\\":,\\\"min\\\":,"
        "\\\"max\\\":,\\\"scaling\\\":\\\"none\\\",\\\"missing\\\":0,\\\"clamped\\\":true}";
    size_t bytes = strlen(column->name);
    if (column->levels.names)
        return bytes + strlen(category) + list_bytes(column->levels.names, column->levels.count);
    bytes += (size_t)snprintf(NULL, 0, "%.17g%.17g%.17g%.17g", column->mean, column->scale,
                              column->minimum, column->maximum);
    return bytes + strlen(number) - 4 * 2;
}

/* Before training, since a model that cannot be saved is not worth the work. The header's whole
 * length is known, and checked, only when it is written. */
static enum tulle_status check_header_length(const struct tulle_model_info *info,
                                             struct tulle_error *error)
{
    size_t bytes = 0;
    for (size_t i = 0; i < info->input_count; i++)
        bytes += header_bytes(&info->inputs[i]);
    for (size_t i = 0; i < info->target_count; i++)
        bytes += header_bytes(&info->targets[i]);
    if (info->missing)
        bytes += list_bytes(info->missing, info->missing_count);
    if (bytes <= MODEL_LONGEST_HEADER)
        return TULLE_OK;
    return REFUSE(error,
                  "the names and figures of the columns take more than the %d bytes that a model "
                  "file has room for; drop columns, or shorten their names",
                  MODEL_LONGEST_HEADER);
}

static enum tulle_status check_quantiles(const struct tulle_column *c, struct tulle_error *error)
{
    const int has_some = c->scaling == TULLE_SCALING_QUANTILE;
    const size_t count = c->quantiles ? c->quantile_count : 0;
    if (has_some ? count == 0 : c->quantile_count > 0)
        return REFUSE(error, "'%s' has %zu quantiles, expected %s", c->name, c->quantile_count,
                      has_some ? "one or more" : "none");
    for (size_t i = 0; i < c->quantile_count; i++)
        if (!isfinite(c->quantiles[i]) || (i > 0 && c->quantiles[i] < c->quantiles[i - 1]))
            return REFUSE(error, "the quantiles of '%s' are not finite, ascending numbers",
                          c->name);
    return TULLE_OK;
}

static enum tulle_status check_number(const char *role, const struct tulle_column *c,
                                      struct tulle_error *error)
{
    if (!tulle_scaling_name(c->scaling))
        return REFUSE(error, "%s '%s' has an unknown scaling", role, c->name);
    if (c->dimensions > 0)
        return REFUSE(error, "%s '%s' is to be embedded, but has no levels", role, c->name);
    if (!isfinite(c->mean) || !isfinite(c->scale) || !(c->scale > 0))
        return REFUSE(error,
                      "%s '%s' has mean %g and scale %g; both must be finite, and the scale "
                      "above 0",
                      role, c->name, c->mean, c->scale);
    if (!isfinite(c->minimum) || !isfinite(c->maximum) || c->minimum > c->maximum)
        return REFUSE(error, "%s '%s' has values from %g to %g; both must be finite, in that order",
                      role, c->name, c->minimum, c->maximum);
    return check_quantiles(c, error);
}

static enum tulle_status check_columns(const char *role, const struct tulle_column *columns,
                                       size_t count, struct tulle_error *error)
{
    if (count == 0)
        return REFUSE(error, "a model needs at least one %s", role);
    for (size_t i = 0; i < count; i++) {
        const struct tulle_column *c = &columns[i];
        if (c->name[0] == '\0')
            return REFUSE(error, "%s %zu has no name", role, i + 1);
        if (!tulle_is_utf8(c->name))
            return REFUSE(error, "the name of %s %zu is not UTF-8 text", role, i + 1);
        if (c->missing > LARGEST_INTEGER || c->dimensions > LARGEST_INTEGER)
            return REFUSE(error,
                          "%s '%s' is missing in %zu rows and has %zu dimensions; both must be at "
                          "most 2^53",
                          role, c->name, c->missing, c->dimensions);
        enum tulle_status status =
            c->levels.names ? check_levels(c, error) : check_number(role, c, error);
        if (status != TULLE_OK)
            return status;
    }
    return TULLE_OK;
}

/* Only a target can be clamped; of a category nothing is said. */
static enum tulle_status check_inputs(const struct tulle_model_info *info,
                                      struct tulle_error *error)
{
    for (size_t i = 0; i < info->input_count; i++)
        if (info->inputs[i].is_clamped)
            return REFUSE(error, "the input '%s' is clamped, which only a target can be",
                          info->inputs[i].name);
    return check_columns("input", info->inputs, info->input_count, error);
}

/* --- Targets --------------------------------------------------------------------------------- */

int tulle_is_of_classes(enum tulle_loss loss)
{
    return loss == TULLE_LOSS_BINARY_CROSS_ENTROPY || loss == TULLE_LOSS_CROSS_ENTROPY;
}

static enum tulle_status check_targets(const struct tulle_model_info *info,
                                       struct tulle_error *error)
{
    const int is_of_classes = tulle_is_of_classes(info->loss);
    const char *loss = tulle_loss_name(info->loss);
    enum tulle_task task = is_of_classes ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION;
    if (info->task != TULLE_TASK_AUTO && info->task != task)
        return REFUSE(error, "the loss %s is for %s", loss, tulle_task_name(task));
    if (info->loss == TULLE_LOSS_CROSS_ENTROPY && info->target_count > 1)
        return REFUSE(error, "the loss %s is for one target, but there are %zu", loss,
                      info->target_count);
    for (size_t i = 0; i < info->target_count; i++) {
        const struct tulle_column *target = &info->targets[i];
        size_t classes = target->levels.count;
        if ((classes > 0) != is_of_classes)
            return REFUSE(error, "the loss %s is for %s, but '%s' has %s", loss,
                          is_of_classes ? "classes" : "numbers", target->name,
                          is_of_classes ? "numbers" : "classes");
        if (info->loss == TULLE_LOSS_BINARY_CROSS_ENTROPY && classes != 2)
            return REFUSE(error, "the loss %s is for two classes, but '%s' has %zu", loss,
                          target->name, classes);
        if (target->dimensions > 0 ||
            (target->scaling != TULLE_SCALING_NONE && target->scaling != TULLE_SCALING_STANDARD))
            return REFUSE(error, "the target '%s' has a scaling that only inputs can have",
                          target->name);
    }
    return TULLE_OK;
}

static enum tulle_status check_outputs(const struct tulle_model_info *info,
                                       struct tulle_error *error)
{
    if (info->layer_count == 0)
        return REFUSE(error, "a model needs at least one layer");
    size_t outputs = info->layers[info->layer_count - 1].units, targets = info->target_count;
    size_t classes = info->targets[0].levels.count, quantiles = info->quantile_count;
    if (info->loss == TULLE_LOSS_CROSS_ENTROPY && outputs != classes)
        return REFUSE(error, "the last layer has %zu units, but '%s' has %zu classes", outputs,
                      info->targets[0].name, classes);
    if (info->loss == TULLE_LOSS_QUANTILE &&
        (outputs % quantiles != 0 || outputs / quantiles != targets))
        return REFUSE(error, "the last layer has %zu units, but there are %zu targets of %zu %s",
                      outputs, targets, quantiles, "quantiles each");
    if (info->loss != TULLE_LOSS_CROSS_ENTROPY && info->loss != TULLE_LOSS_QUANTILE &&
        outputs != targets)
        return REFUSE(error, "the last layer has %zu units, but there are %zu targets", outputs,
                      targets);
    return TULLE_OK;
}

/* --- Training -------------------------------------------------------------------------------- */

static enum tulle_status check_loss(const struct tulle_model_info *info, struct tulle_error *error)
{
    const double delta = info->huber_delta;
    if (!isfinite(delta) || delta < 0 || (delta == 0 && info->loss == TULLE_LOSS_HUBER))
        return REFUSE(error, "huber_delta is %g, expected a finite number above 0", delta);
    if (!(info->label_smoothing >= 0 && info->label_smoothing < 1))
        return REFUSE(error, "label_smoothing is %g, expected a number in [0, 1)",
                      info->label_smoothing);
    if ((info->quantile_count > 0) != (info->loss == TULLE_LOSS_QUANTILE))
        return REFUSE(error, "there are %zu quantiles with the loss %s", info->quantile_count,
                      tulle_loss_name(info->loss));
    for (size_t i = 0; i < info->quantile_count; i++) {
        double quantile = info->quantiles[i];
        if (!(quantile > (i > 0 ? info->quantiles[i - 1] : 0) && quantile < 1))
            return REFUSE(error, "quantile %zu is %g, expected ascending numbers in (0, 1)", i + 1,
                          quantile);
    }
    return TULLE_OK;
}

static enum tulle_status check_texts(const struct tulle_model_info *info, struct tulle_error *error)
{
    if (info->split_column && !tulle_is_utf8(info->split_column))
        return REFUSE(error, "the name of the split column is not UTF-8 text");
    if (info->weight_column && !tulle_is_utf8(info->weight_column))
        return REFUSE(error, "the name of the weight column is not UTF-8 text");
    for (size_t i = 0; info->missing && i < info->missing_count; i++)
        if (!tulle_is_utf8(info->missing[i]))
            return REFUSE(error, "text %zu of those that stand for no value is not UTF-8", i + 1);
    if (info->tulle_version &&
        (strlen(info->tulle_version) >= sizeof(((struct tulle_model *)0)->version) ||
         !tulle_is_utf8(info->tulle_version)))
        return REFUSE(error, "'%.40s' is no version of Tulle", info->tulle_version);
    return TULLE_OK;
}

static enum tulle_status check_settings(const struct tulle_model_info *info,
                                        struct tulle_error *error)
{
    const char **names = tulle_calloc(info->setting_count, sizeof *names);
    if (!names)
        return tulle_fail_memory(error);
    enum tulle_status status = TULLE_OK;
    for (size_t i = 0; i < info->setting_count && status == TULLE_OK; i++) {
        const struct tulle_setting *setting = &info->settings[i];
        names[i] = setting->name;
        if (tulle_is_blank(setting->name) || !tulle_is_utf8(setting->name) ||
            !tulle_is_utf8(setting->value))
            status = REFUSE(error, "setting %zu has no name, or is not UTF-8 text", i + 1);
    }
    const char *twin = status == TULLE_OK ? find_twin(names, info->setting_count) : NULL;
    tulle_free(names);
    return twin ? REFUSE(error, "two settings are named '%s'", twin) : status;
}

static enum tulle_status check_training(const struct tulle_model_info *info,
                                        struct tulle_error *error)
{
    if (!isfinite(info->learning_rate) || info->learning_rate < 0)
        return REFUSE(error, "the learning rate is %g, expected a finite number of at least 0",
                      info->learning_rate);
    if (!(info->valid_fraction >= 0 && info->valid_fraction <= 1) ||
        !(info->test_fraction >= 0 && info->test_fraction <= 1))
        return REFUSE(error,
                      "the fractions of rows to validate and to test on are %g and %g, expected "
                      "numbers from 0 to 1",
                      info->valid_fraction, info->test_fraction);
    const size_t counts[] = {info->batch_size, info->epochs,  info->curve_count,
                             info->rows[0],    info->rows[1], info->rows[2]};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] > LARGEST_INTEGER)
            return REFUSE(error,
                          "the batch size, the epochs and the rows must be at most 2^53, got %zu",
                          counts[i]);
    if (info->best_epoch > info->curve_count)
        return REFUSE(error, "epoch %zu is the best of %zu", info->best_epoch, info->curve_count);
    enum tulle_status status = check_texts(info, error);
    return status == TULLE_OK ? check_settings(info, error) : status;
}

/* Metrics are for the record: only what no rounding explains is refused. */
static enum tulle_status check_metrics(const struct tulle_model_info *info,
                                       struct tulle_error *error)
{
    for (size_t i = 0; info->metrics && i < 3 * info->target_count; i++) {
        const struct tulle_metrics *m = &info->metrics[i];
        const double *value = m->value;
        if (value[TULLE_METRIC_RMSE] < 0 || value[TULLE_METRIC_MAE] < 0 ||
            value[TULLE_METRIC_R2] > 1 || m->rows > LARGEST_INTEGER)
            return REFUSE(error, "impossible metrics: rmse %g, mae %g, r2 %g over %zu rows",
                          value[TULLE_METRIC_RMSE], value[TULLE_METRIC_MAE], value[TULLE_METRIC_R2],
                          m->rows);
    }
    return TULLE_OK;
}

enum tulle_status tulle_model_check(const struct tulle_model_info *info, struct tulle_error *error)
{
    if (!tulle_type_name(info->precision) || !tulle_loss_name(info->loss) ||
        !tulle_optimizer_name(info->optimizer) || !tulle_task_name(info->task))
        return REFUSE(error, "unknown precision, task, loss or optimizer");
    enum tulle_status status = check_inputs(info, error);
    if (status == TULLE_OK)
        status = check_columns("target", info->targets, info->target_count, error);
    if (status == TULLE_OK)
        status = check_unique(info, error);
    if (status == TULLE_OK)
        status = check_header_length(info, error);
    if (status == TULLE_OK)
        status = check_loss(info, error);
    if (status == TULLE_OK)
        status = check_targets(info, error);
    if (status == TULLE_OK)
        status = check_outputs(info, error);
    if (status == TULLE_OK)
        status = check_training(info, error);
    return status == TULLE_OK ? check_metrics(info, error) : status;
}
