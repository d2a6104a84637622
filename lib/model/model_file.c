/* model_file.c - saving and loading a model; docs/format.md describes the file. */
#include "../base/portability.h"

#include "model.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <fenv.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/file_io.h"
#include "../base/file_writer.h"
#include "../base/float_mode.h"
#include "../base/memory.h"
#include "model_json.h"
#include "tensor_file.h"

const int tulle_has_model_files = 1;

static const struct tensor_file model_file = {"tulle", "model", TULLE_MODEL_FORMAT,
                                              MODEL_LONGEST_HEADER};

/* --- The tensors of a model ------------------------------------------------------------------ */

/* Those of 8 bytes a number come first, so that all stand at multiples of their numbers' sizes. */
struct model_tensors {
    struct tensor *items; /* (count) */
    size_t count;
    size_t described; /* the first of them belong to the description, the others are parameters */
    const struct tulle_model *model; /* where those stand in memory; NULL while it is not there */
};

/* Adds a matrix, or where columns is 0 a vector, and `copies` of it one behind the other unless
 * that is 0; its name is left to the caller. */
static struct tensor *add(struct model_tensors *list, enum tensor_type type, size_t copies,
                          size_t rows, size_t columns)
{
    struct tensor *t = &list->items[list->count++];
    *t = copies ? (struct tensor){.type = type, .rank = 3, .shape = {copies, rows, columns}}
                : (struct tensor){.type = type, .rank = columns ? 2 : 1, .shape = {rows, columns}};
    return t;
}

static void list_description(struct model_tensors *list, const struct tulle_model_info *info)
{
    for (size_t i = 0; i < info->input_count; i++) {
        const struct tulle_column *column = &info->inputs[i];
        if (column->quantile_count == 0)
            continue;
        struct tensor *t = add(list, TENSOR_F64, 0, column->quantile_count, 0);
        snprintf(t->name, sizeof t->name, "columns.%zu.quantiles", i);
        t->data = (double *)column->quantiles;
    }
    if (info->front.bins > 0) {
        struct tensor *t = add(list, TENSOR_F64, 0, info->front.number_count, info->front.bins + 1);
        snprintf(t->name, sizeof t->name, "numbers.knots");
        t->data = (double *)info->front.knots;
    }
    if (info->curve_count > 0) {
        struct tensor *t = add(list, TENSOR_F64, 0, info->curve_count, 3);
        snprintf(t->name, sizeof t->name, "curve");
        t->data = (struct tulle_epoch *)info->curve;
    }
    list->described = list->count;
}

static enum tensor_type parameter_type(const struct tulle_model_info *info)
{
    return info->precision == TULLE_F64 ? TENSOR_F64 : TENSOR_F32;
}

/* The same as add for parameters, which if the model is there stand at `offset` of its arena. */
static struct tensor *add_parameters(struct model_tensors *list,
                                     const struct tulle_model_info *info, size_t copies,
                                     size_t rows, size_t columns, size_t offset)
{
    struct tensor *t = add(list, parameter_type(info), copies, rows, columns);
    if (list->model)
        t->data = tulle_element(list->model->parameters, info->precision, offset);
    return t;
}

/* A unit's weights, which in memory may lie on the lanes. */
static void copy_unit(const struct tensor *tensor, size_t unit, void *weights, int is_read)
{
    const struct tulle_model *model = tensor->context;
    if (is_read)
        tulle_arena_set_unit(&model->network, model->parameters, tensor->index, unit, weights);
    else
        tulle_arena_get_unit(&model->network, model->parameters, tensor->index, unit, weights);
}

/* The last layer is there once for each of several members. */
static void list_layer(struct model_tensors *list, const struct tulle_model_info *info, size_t l,
                       size_t inputs)
{
    const struct tulle_layer *layer = &info->layers[l];
    const struct network_layer nowhere = {0};
    const struct network_layer *there = list->model ? &list->model->network.layers[l] : &nowhere;
    size_t copies = l + 1 == info->layer_count && info->front.members > 1 ? info->front.members : 0;
    struct tensor *t = add(list, parameter_type(info), copies, layer->units, inputs);
    snprintf(t->name, sizeof t->name, "layers.%zu.weight", l);
    t->copy_row = copy_unit;
    t->context = (struct tulle_model *)list->model;
    t->index = l;
    t = add_parameters(list, info, 0, copies ? copies : layer->units, copies ? layer->units : 0,
                       there->biases);
    snprintf(t->name, sizeof t->name, "layers.%zu.bias", l);
    if (copies)
        t->stride[0] = there->biases_step;
    if (!layer->parametric)
        return;
    t = add_parameters(list, info, 0, layer->units, 0, there->mix);
    snprintf(t->name, sizeof t->name, "layers.%zu.mix", l);
}

static void list_embeddings(struct model_tensors *list, const struct tulle_model_info *info)
{
    for (size_t i = 0, e = 0; i < info->input_count; i++) {
        const struct tulle_column *column = &info->inputs[i];
        if (!tulle_column_is_embedded(column))
            continue;
        const struct network_embedding nowhere = {0};
        const struct network_embedding *there =
            list->model ? &list->model->network.embeddings[e] : &nowhere;
        struct tensor *t = add_parameters(list, info, 0, column->levels.count + 1,
                                          column->dimensions, there->table);
        snprintf(t->name, sizeof t->name, "embeddings.%zu.weight", e++);
    }
}

/* What numbers are embedded by, in memory laid out as struct waves or struct spline says. */
static void list_numbers(struct model_tensors *list, const struct tulle_model_info *info)
{
    const struct tulle_front *front = &info->front;
    const size_t n = front->number_count, d = front->dimensions, f = front->frequencies;
    const size_t row = tulle_padded(front->bins > 0 ? d : f);
    const struct part {
        const char *name;
        size_t copies, rows, columns, offset;
    } spline = {"numbers.weight", n, front->bins, d, 0},
      waves[] = {{"numbers.frequency", 0, n, f, 0},
                 {"numbers.phase", 0, n, f, row},
                 {"numbers.weight", n, d, f, 2 * row},
                 {"numbers.bias", 0, n, d, (2 + d) * row}};
    const struct part *parts = front->bins > 0 ? &spline : waves;
    const size_t count = front->bins > 0 ? 1 : sizeof waves / sizeof *waves;
    const struct network nowhere = {0};
    const struct network *there = list->model ? &list->model->network : &nowhere;
    for (const struct part *p = parts; n > 0 && p < parts + count; p++) {
        struct tensor *t = add_parameters(list, info, p->copies, p->rows, p->columns,
                                          there->first_number + p->offset);
        snprintf(t->name, sizeof t->name, "%s", p->name);
        t->stride[0] = there->number_size;
        t->stride[1] = row;
    }
}

static void list_factors(struct model_tensors *list, const struct tulle_model_info *info,
                         size_t inputs)
{
    const struct network nowhere = {0};
    const struct network *there = list->model ? &list->model->network : &nowhere;
    if (!info->front.has_factors)
        return;
    struct tensor *t = add_parameters(list, info, 0, info->front.members, inputs, there->factors);
    snprintf(t->name, sizeof t->name, "factors");
    t->stride[0] = there->factor_stride;
}

/* Adds count * each to the first layer's inputs; 0 if there is no such number. */
static int widen(size_t *inputs, size_t count, size_t each)
{
    size_t all;
    if (!tulle_multiply(count, each, &all) || all > SIZE_MAX - *inputs)
        return 0;
    *inputs += all;
    return 1;
}

/* The tensors that such a model has in its file; where they stand in memory if `model` is not NULL.
 * list->items is freed with tulle_free(). */
static enum tulle_status list_tensors(const struct tulle_model_info *info,
                                      const struct tulle_model *model, struct model_tensors *list,
                                      struct tulle_error *error)
{
    enum { OF_A_LAYER = 3, OTHERS = 6 }; /* at most, beside one of each input */
    const size_t most = info->input_count + OF_A_LAYER * info->layer_count + OTHERS;
    size_t first = 0;
    *list = (struct model_tensors){tulle_calloc(most, sizeof *list->items), .model = model};
    if (!list->items)
        return tulle_fail_memory(error);
    int fits = widen(&first, info->front.number_count, info->front.dimensions);
    for (size_t i = 0; fits && i < info->input_count; i++) {
        const struct tulle_column *column = &info->inputs[i];
        fits = widen(&first, 1,
                     tulle_column_is_embedded(column) ? column->dimensions
                                                      : tulle_column_inputs(column));
    }
    if (!fits)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "its inputs have too many dimensions");
    list_description(list, info);
    for (size_t l = 0, inputs = first; l < info->layer_count; inputs = info->layers[l++].units)
        list_layer(list, info, l, inputs);
    list_embeddings(list, info);
    list_numbers(list, info);
    list_factors(list, info, first);
    return TULLE_OK;
}

/* --- The floating-point mode ----------------------------------------------------------------- */

/* The host's: that of arithmetic, and that in which the C library turns decimals into doubles and
 * back, which on x86 it asks another register for. */
struct host_mode {
    uint64_t arithmetic;
    int decimals;
};

static struct host_mode enter_mode(void)
{
    struct host_mode mode = {tulle_float_mode_enter(), fegetround()};
    fesetround(FE_TONEAREST);
    return mode;
}

static void leave_mode(struct host_mode mode)
{
    fesetround(mode.decimals);
    tulle_float_mode_leave(mode.arithmetic);
}

/* --- Saving ---------------------------------------------------------------------------------- */

/* Where a model goes: a file, or memory, of which *needed is said. */
struct destination {
    const char *path;
    unsigned char *bytes;
    size_t size, *needed;
};

static enum tulle_status save(const tulle_model *model, const struct destination *to,
                              struct tulle_error *error)
{
    if (!tulle_model_is_finite(model))
        return tulle_fail_at(error, TULLE_ERROR_DIVERGED, to->path ? to->path : "", 0, 0,
                             "not saved: the model has parameters that are not finite numbers");
    struct model_tensors list;
    struct host_mode mode = enter_mode();
    enum tulle_status status = list_tensors(&model->info, model, &list, error);
    char *description = tulle_model_json_write(&model->info);
    if (status == TULLE_OK && to->path)
        status = tulle_tensor_file_write(&model_file, to->path, NULL, model->info.tulle_version,
                                         description, list.items, list.count, error);
    else if (status == TULLE_OK)
        status = tulle_tensor_bytes_write(&model_file, model->info.tulle_version, description,
                                          list.items, list.count, to->bytes, to->size, to->needed,
                                          error);
    tulle_free(description);
    tulle_free(list.items);
    leave_mode(mode);
    return status;
}

enum tulle_status tulle_model_save(const tulle_model *model, const char *path,
                                   struct tulle_error *error)
{
    const struct destination to = {.path = path};
    return save(model, &to, error);
}

enum tulle_status tulle_model_to_bytes(const tulle_model *model, void *bytes, size_t size,
                                       size_t *needed, struct tulle_error *error)
{
    const struct destination to = {.bytes = bytes, .size = size, .needed = needed};
    *needed = 0;
    return save(model, &to, error);
}

enum tulle_status tulle_model_check_path(const char *path, struct tulle_error *error)
{
    /* Opening a pipe would wait for its reader, and closing it again would send that reader away.
     */
    struct stat file;
    /* not covered: one that may not be written, which root may */
    if (tulle_io_stat(path, &file) == 0 && S_ISFIFO(file.st_mode) &&
        tulle_io_access(path, W_OK) == 0)
        return TULLE_OK;
    struct file_writer *writer;
    enum tulle_status status = tulle_file_writer_open(path, &writer, error);
    tulle_file_writer_abort(writer);
    return status;
}

/* --- Loading --------------------------------------------------------------------------------- */

/* Makes room for the tensors that belong to the description, which are known to be there, and reads
 * them. */
static enum tulle_status read_description(struct tensor_reader *reader, struct model_json *json,
                                          struct model_tensors *list, struct tulle_error *error)
{
    struct tensor *next = list->items;
    for (size_t i = 0; i < json->info.input_count; i++) {
        struct tulle_column *column = &json->inputs[i];
        if (column->quantile_count == 0)
            continue;
        next->data = tulle_calloc(column->quantile_count, sizeof *column->quantiles);
        column->quantiles = next->data;
        if (!next++->data)
            return tulle_fail_memory(error);
    }
    if (json->info.front.bins > 0) {
        next->data = tulle_calloc(next->shape[0], next->shape[1] * sizeof *json->knots);
        json->info.front.knots = json->knots = next->data;
        if (!next++->data)
            return tulle_fail_memory(error);
    }
    if (json->info.curve_count > 0) {
        next->data = json->curve = tulle_calloc(json->info.curve_count, sizeof *json->curve);
        json->info.curve = json->curve;
        if (!next->data)
            return tulle_fail_memory(error);
    }
    return tulle_tensor_file_read(reader, list->items, list->described, error);
}

/* The model with its parameters still zero; what the file says about it is checked first. */
static enum tulle_status make_model(struct tensor_reader *reader, struct tulle_model **model,
                                    struct tulle_error *error)
{
    struct model_json json = {0};
    struct model_tensors list = {0};
    const int version = tulle_tensor_file_version(reader);
    enum tulle_status status =
        tulle_model_json_read(tulle_tensor_file_description(reader), version, &json, error);
    json.info.tulle_version = tulle_tensor_file_tulle_version(reader);
    if (status == TULLE_OK)
        status = list_tensors(&json.info, NULL, &list, error);
    if (status == TULLE_OK)
        status = tulle_tensor_file_check(reader, list.items, list.count, error);
    if (status == TULLE_OK)
        status = read_description(reader, &json, &list, error);
    if (status == TULLE_OK)
        status = tulle_model_create(&json.info, model, error);
    if (status == TULLE_OK)
        (*model)->info.format_version = (unsigned)version;
    tulle_free(list.items);
    tulle_model_json_clear(&json);
    return status == TULLE_ERROR_ARGUMENT ? TULLE_ERROR_FORMAT : status; /* not the caller's */
}

static enum tulle_status read_parameters(struct tensor_reader *reader, struct tulle_model *model,
                                         struct tulle_error *error)
{
    struct model_tensors list;
    enum tulle_status status = list_tensors(&model->info, model, &list, error);
    if (status == TULLE_OK)
        status = tulle_tensor_file_read(reader, list.items + list.described,
                                        list.count - list.described, error);
    tulle_free(list.items);
    if (status == TULLE_OK && !tulle_model_is_finite(model))
        return tulle_fail(error, TULLE_ERROR_FORMAT,
                          "it has parameters that are not finite numbers");
    return status;
}

/* Reads a model from a reader that has just been opened, and closes that. */
static enum tulle_status load(struct tensor_reader *reader, tulle_model **model,
                              struct tulle_error *error)
{
    struct tulle_model *made = NULL;
    char checksum[sizeof made->checksum];
    struct host_mode mode = enter_mode();
    enum tulle_status status = make_model(reader, &made, error);
    if (status == TULLE_OK)
        status = read_parameters(reader, made, error);
    status = tulle_tensor_file_finish(reader, status, checksum, error);
    leave_mode(mode);
    if (status == TULLE_OK) {
        /* NOLINTNEXTLINE(*NonNullParamChecker): nothing fails without a status */
        memcpy(made->checksum, checksum, sizeof checksum);
        *model = made;
    } else {
        tulle_model_free(made);
    }
    return status;
}

enum tulle_status tulle_model_load(const char *path, tulle_model **model, struct tulle_error *error)
{
    struct tensor_reader *reader;
    *model = NULL;
    enum tulle_status status = tulle_tensor_file_open(&model_file, path, &reader, error);
    return status == TULLE_OK ? load(reader, model, error) : status;
}

enum tulle_status tulle_model_from_bytes(const void *bytes, size_t size, tulle_model **model,
                                         struct tulle_error *error)
{
    struct tensor_reader *reader;
    *model = NULL;
    enum tulle_status status = tulle_tensor_bytes_open(&model_file, bytes, size, &reader, error);
    return status == TULLE_OK ? load(reader, model, error) : status;
}

#else

const int tulle_has_model_files = 0;

static enum tulle_status fail_without(struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_UNSUPPORTED,
                      "this build of Tulle has no model files: it was built without jansson and "
                      "xxHash");
}

enum tulle_status tulle_model_save(const tulle_model *model, const char *path,
                                   struct tulle_error *error)
{
    (void)model, (void)path;
    return fail_without(error);
}

enum tulle_status tulle_model_check_path(const char *path, struct tulle_error *error)
{
    (void)path;
    return fail_without(error);
}

enum tulle_status tulle_model_load(const char *path, tulle_model **model, struct tulle_error *error)
{
    (void)path;
    *model = NULL;
    return fail_without(error);
}

enum tulle_status tulle_model_to_bytes(const tulle_model *model, void *bytes, size_t size,
                                       size_t *needed, struct tulle_error *error)
{
    (void)model, (void)bytes, (void)size;
    *needed = 0;
    return fail_without(error);
}

enum tulle_status tulle_model_from_bytes(const void *bytes, size_t size, tulle_model **model,
                                         struct tulle_error *error)
{
    (void)bytes, (void)size;
    *model = NULL;
    return fail_without(error);
}

#endif
