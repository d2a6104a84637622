/* model_file.c - how parameters are laid out as tensors; what is there without model files. */
#include "../base/portability.h"

#include "model.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <stdio.h>
#include <stdlib.h>

#include "../base/memory.h"
#include "model_file.h"

const int tulle_has_model_files = 1;

/* Appends the entry of one tensor, a matrix, or a vector where columns is 0. */
static int add_tensor(json_t *tensors, const char *name, enum tulle_type precision, uint64_t rows,
                      uint64_t columns, uint64_t begin, uint64_t end)
{
    const char *dtype = precision == TULLE_F64 ? "F64" : "F32";
    json_t *shape = columns ? json_pack("[I, I]", (json_int_t)rows, (json_int_t)columns)
                            : json_pack("[I]", (json_int_t)rows);
    json_t *tensor = json_pack("{s:s}", "dtype", dtype);
    int failed = json_object_set_new(tensor, "shape", shape);
    failed |= json_object_set_new(tensor, "data_offsets",
                                  json_pack("[I, I]", (json_int_t)begin, (json_int_t)end));
    if (failed)
        json_decref(tensor);
    return failed ? -1 : json_object_set_new(tensors, name, tensor);
}

enum tulle_status tulle_model_tensors(enum tulle_type precision, size_t inputs,
                                      const struct tulle_layer *layers, size_t layer_count,
                                      json_t **tensors, uint64_t *bytes, struct tulle_error *error)
{
    const uint64_t number = tulle_type_size(precision), most = INT64_MAX / number;
    json_t *object = json_object();
    uint64_t end = 0; /* in numbers */
    enum tulle_status status = object ? TULLE_OK : tulle_fail_memory(error);
    for (size_t i = 0; i < layer_count && status == TULLE_OK; i++) {
        uint64_t units = layers[i].units;
        if (units > (most - end) / ((uint64_t)inputs + 1)) {
            status = tulle_fail(error, TULLE_ERROR_FORMAT, "layer %zu is too large", i);
            break;
        }
        uint64_t weights = end, biases = weights + units * inputs;
        end = biases + units;
        char name[64];
        snprintf(name, sizeof name, "layers.%zu.weight", i);
        int failed =
            add_tensor(object, name, precision, units, inputs, weights * number, biases * number);
        snprintf(name, sizeof name, "layers.%zu.bias", i);
        failed |= add_tensor(object, name, precision, units, 0, biases * number, end * number);
        if (failed)
            status = tulle_fail_memory(error);
        inputs = layers[i].units;
    }
    if (status != TULLE_OK) {
        json_decref(object);
        return status;
    }
    *tensors = object;
    *bytes = end * number;
    return TULLE_OK;
}

/* A run is a unit's weights or a layer's biases. `fill`: the model's parameters, written to after
 * visit; NULL: they are only read. */
static enum tulle_status visit_runs(const struct tulle_model *model, char *fill,
                                    model_run_fn *visit, void *context, struct tulle_error *error)
{
    const struct network *network = &model->network;
    size_t number = tulle_type_size(network->precision);
    enum tulle_status status = TULLE_OK;
    for (size_t l = 0; l < network->layer_count && status == TULLE_OK; l++) {
        const struct network_layer *layer = &network->layers[l];
        void *run = tulle_calloc(layer->inputs, number);
        if (!run)
            return tulle_fail_memory(error);
        for (size_t unit = 0; unit < layer->units && status == TULLE_OK; unit++) {
            if (!fill)
                tulle_arena_get_unit(network, model->parameters, l, unit, run);
            status = visit(context, run, layer->inputs * number);
            if (fill && status == TULLE_OK)
                tulle_arena_set_unit(network, fill, l, unit, run);
        }
        free(run);
        if (status == TULLE_OK)
            status = visit(context, (char *)model->parameters + layer->biases * number,
                           layer->units * number);
    }
    return status;
}

enum tulle_status tulle_model_each_run(const struct tulle_model *model, model_run_fn *visit,
                                       void *context, struct tulle_error *error)
{
    return visit_runs(model, NULL, visit, context, error);
}

enum tulle_status tulle_model_fill_runs(struct tulle_model *model, model_run_fn *visit,
                                        void *context, struct tulle_error *error)
{
    return visit_runs(model, model->parameters, visit, context, error);
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

#endif
