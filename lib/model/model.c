/* model.c - making, describing and freeing a model; what a description must hold to be one. */
#include "../base/portability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/utf8.h"
#include "model.h"

/* The largest integer up to which a double, and so any reader of JSON, holds all of them. */
#define LARGEST_INTEGER ((uint64_t)1 << 53)

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
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "'%s' is both an input and a target; it must be one of them", a->name);
    return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                      "two %s are named '%s'; each needs a name of its own",
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
    free(all);
    return status;
}

/* At least what a column takes in the header of a model file: the punctuation there, quotes
 * escaped, its name and its figures, of which %.17g writes at most two characters more each. */
static size_t header_bytes(const struct tulle_column *column)
{
    const char *punctuation = "{\\\"name\\\":\\\"\\\",\\\"mean\\\":,\\\"scale\\\":,"
                              "\\\"min\\\":,\\\"max\\\":}";
    const double figures[] = {column->mean, column->scale, column->minimum, column->maximum};
    size_t bytes = strlen(punctuation) + strlen(column->name);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        int length = snprintf(NULL, 0, "%.17g", figures[i]);
        bytes += length > 2 ? (size_t)length - 2 : 1;
    }
    return bytes;
}

/* Before training, since a model that cannot be saved is not worth the work. The header's whole
 * length is known, and checked, only when it is written. */
static enum tulle_status check_header_length(const struct tulle_model_info *info,
                                             struct tulle_error *error)
{
    size_t bytes = 0;
    for (size_t i = 0; i < info->input_count && bytes <= MODEL_LONGEST_HEADER; i++)
        bytes += header_bytes(&info->inputs[i]);
    for (size_t i = 0; i < info->target_count && bytes <= MODEL_LONGEST_HEADER; i++)
        bytes += header_bytes(&info->targets[i]);
    if (bytes <= MODEL_LONGEST_HEADER)
        return TULLE_OK;
    return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                      "the names and figures of the columns take more than the %d bytes that a "
                      "model file has room for; drop columns, or shorten their names",
                      MODEL_LONGEST_HEADER);
}

static enum tulle_status check_columns(const char *role, const struct tulle_column *columns,
                                       size_t count, struct tulle_error *error)
{
    if (count == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a model needs at least one %s", role);
    for (size_t i = 0; i < count; i++) {
        const struct tulle_column *c = &columns[i];
        if (c->name[0] == '\0')
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "%s %zu has no name", role, i + 1);
        if (!tulle_is_utf8(c->name))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the name of %s %zu is not UTF-8 text",
                              role, i + 1);
        if (!isfinite(c->mean) || !isfinite(c->scale) || !(c->scale > 0))
            return tulle_fail(
                error, TULLE_ERROR_ARGUMENT,
                "%s '%s' has mean %g and scale %g; both must be finite, and the scale "
                "above 0",
                role, c->name, c->mean, c->scale);
        if (!isfinite(c->minimum) || !isfinite(c->maximum) || c->minimum > c->maximum)
            return tulle_fail(
                error, TULLE_ERROR_ARGUMENT,
                "%s '%s' has values from %g to %g; both must be finite, in that order", role,
                c->name, c->minimum, c->maximum);
    }
    return TULLE_OK;
}

static enum tulle_status check_training(const struct tulle_model_info *info,
                                        struct tulle_error *error)
{
    if (!tulle_type_name(info->precision) || !tulle_loss_name(info->loss) ||
        !tulle_optimizer_name(info->optimizer))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown precision, loss or optimizer");
    if (!isfinite(info->learning_rate) || info->learning_rate < 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the learning rate is %g, expected a finite number of at least 0",
                          info->learning_rate);
    if (!(info->valid_fraction >= 0 && info->valid_fraction <= 1) ||
        !(info->test_fraction >= 0 && info->test_fraction <= 1))
        return tulle_fail(
            error, TULLE_ERROR_ARGUMENT,
            "the fractions of rows to validate and to test on are %g and %g, expected "
            "numbers from 0 to 1",
            info->valid_fraction, info->test_fraction);
    if (info->split_column && !tulle_is_utf8(info->split_column))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the name of the split column is not UTF-8 text");
    if (info->tulle_version &&
        (strlen(info->tulle_version) >= sizeof(((struct tulle_model *)0)->version) ||
         !tulle_is_utf8(info->tulle_version)))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "'%.40s' is no version of Tulle",
                          info->tulle_version);
    const size_t counts[] = {info->batch_size, info->epochs, info->rows[0], info->rows[1],
                             info->rows[2]};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] > LARGEST_INTEGER)
            return tulle_fail(
                error, TULLE_ERROR_ARGUMENT,
                "the batch size, the epochs and the rows must be at most 2^53, got %zu", counts[i]);
    return TULLE_OK;
}

/* Where nothing was measured the figures are 0; where something was, they may be not finite. */
static enum tulle_status check_metrics(const struct tulle_model_info *info,
                                       struct tulle_error *error)
{
    for (size_t i = 0; info->metrics && i < 3 * info->target_count; i++) {
        const struct tulle_metrics *m = &info->metrics[i];
        if (m->rmse < 0 || m->mae < 0 || m->r2 > 1 || m->rows > LARGEST_INTEGER)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "impossible metrics: rmse %g, mae %g, r2 %g over %zu rows", m->rmse,
                              m->mae, m->r2, m->rows);
    }
    return TULLE_OK;
}

static enum tulle_status check_info(const struct tulle_model_info *info, struct tulle_error *error)
{
    enum tulle_status status = check_columns("input", info->inputs, info->input_count, error);
    if (status == TULLE_OK)
        status = check_columns("target", info->targets, info->target_count, error);
    if (status == TULLE_OK)
        status = check_unique(info, error);
    if (status == TULLE_OK)
        status = check_header_length(info, error);
    if (status != TULLE_OK)
        return status;
    if (info->layer_count == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "a model needs at least one layer");
    size_t outputs = info->layers[info->layer_count - 1].units;
    if (outputs != info->target_count)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the last layer has %zu units, but there are %zu targets", outputs,
                          info->target_count);
    status = check_training(info, error);
    return status == TULLE_OK ? check_metrics(info, error) : status;
}

/* *copies is set at once and its names are NULL or good, so that free_columns can clean up. */
static int copy_columns(const struct tulle_column *columns, size_t count,
                        const struct tulle_column **copies)
{
    struct tulle_column *copy = tulle_calloc(count, sizeof *copy);
    *copies = copy;
    if (!copy)
        return 0;
    for (size_t i = 0; i < count; i++) {
        copy[i] = columns[i];
        copy[i].name = tulle_strdup(columns[i].name);
        if (!copy[i].name)
            return 0;
    }
    return 1;
}

static void free_columns(const struct tulle_column *columns, size_t count)
{
    for (size_t i = 0; columns && i < count; i++)
        free((char *)columns[i].name);
    free((struct tulle_column *)columns);
}

static int copy_info(struct tulle_model *model, const struct tulle_model_info *info)
{
    struct tulle_model_info *copy = &model->info;
    *copy = *info;
    copy->format_version = TULLE_MODEL_FORMAT;
    copy->checksum = model->checksum;
    strcpy(model->version, info->tulle_version ? info->tulle_version : TULLE_VERSION_STRING);
    copy->tulle_version = model->version;
    copy->inputs = copy->targets = NULL;
    copy->split_column = NULL;

    struct tulle_layer *layers = tulle_calloc(info->layer_count, sizeof *layers);
    copy->layers = layers;
    size_t metrics_count = 3 * info->target_count;
    struct tulle_metrics *metrics = tulle_calloc(metrics_count, sizeof *metrics);
    copy->metrics = metrics;
    if (!layers || !metrics)
        return 0;
    memcpy(layers, info->layers, info->layer_count * sizeof *layers);
    if (info->metrics)
        memcpy(metrics, info->metrics, metrics_count * sizeof *metrics);
    if (info->split_column && !(copy->split_column = tulle_strdup(info->split_column)))
        return 0;
    return copy_columns(info->inputs, info->input_count, &copy->inputs) &&
           copy_columns(info->targets, info->target_count, &copy->targets);
}

/* The inputs' means and scales side by side, as the kernels read them. */
static int copy_scaling(struct tulle_model *model)
{
    const struct tulle_column *inputs = model->info.inputs;
    size_t count = model->info.input_count;
    int changes = 0;
    for (size_t i = 0; i < count; i++)
        changes |= inputs[i].mean != 0 || inputs[i].scale != 1;
    if (!changes)
        return 1;
    model->input_means = tulle_calloc(count, sizeof *model->input_means);
    model->input_scales = tulle_calloc(count, sizeof *model->input_scales);
    for (size_t i = 0; model->input_means && model->input_scales && i < count; i++) {
        model->input_means[i] = inputs[i].mean;
        model->input_scales[i] = inputs[i].scale;
    }
    return model->input_means && model->input_scales;
}

enum tulle_status tulle_model_create(const struct tulle_model_info *info,
                                     struct tulle_model **model, struct tulle_error *error)
{
    *model = NULL;
    enum tulle_status status = check_info(info, error);
    if (status != TULLE_OK)
        return status;
    struct tulle_model *m = tulle_calloc(1, sizeof *m);
    if (!m || !copy_info(m, info) || !copy_scaling(m)) {
        status = tulle_fail_memory(error);
        goto out;
    }
    status = tulle_network_init(&m->network, info->input_count, info->layers, info->layer_count,
                                info->precision, error);
    if (status != TULLE_OK)
        goto out;
    m->info.parameter_count = m->network.parameter_count;
    m->parameters = tulle_network_arena(&m->network);
    if (!m->parameters) {
        status = tulle_fail_memory(error);
        goto out;
    }
    *model = m;
    m = NULL;
out:
    tulle_model_free(m);
    return status;
}

void tulle_model_free(tulle_model *model)
{
    if (!model)
        return;
    free_columns(model->info.inputs, model->info.input_count);
    free_columns(model->info.targets, model->info.target_count);
    free((struct tulle_layer *)model->info.layers);
    free((struct tulle_metrics *)model->info.metrics);
    free((char *)model->info.split_column);
    free(model->input_means);
    free(model->input_scales);
    tulle_network_clear(&model->network);
    free(model->parameters);
    free(model);
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
