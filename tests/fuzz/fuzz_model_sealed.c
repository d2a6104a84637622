/* fuzz_model_sealed.c - target: model files with a right checksum whose description says anything,
 * and whose tensors mostly are as it says. */
#include "../../lib/base/portability.h"

#include <stdio.h>
#include <string.h>

#include "../../lib/data/encoder.h"
#include "../../lib/model/model_json.h"
#include "model_use.h"
#include "sealed.h"

struct list {
    struct sealed_tensor *tensors;
    size_t count;
    const char *type; /* of parameters */
};

/* Up to the first 0, which ends the shape, or two numbers; `copies` of it, if that is not 0. */
static void add(struct list *list, const char *name, const char *type, size_t copies, size_t rows,
                size_t columns)
{
    if (list->count == MOST_SEALED_TENSORS)
        return;
    struct sealed_tensor *tensor = &list->tensors[list->count++];
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    snprintf(tensor->type, sizeof tensor->type, "%s", type);
    tensor->rank = 0;
    if (copies > 0)
        tensor->shape[tensor->rank++] = copies;
    tensor->shape[tensor->rank++] = rows;
    if (columns > 0)
        tensor->shape[tensor->rank++] = columns;
}

static void add_numbered(struct list *list, const char *folder, size_t number, const char *name,
                         const char *type, size_t copies, size_t rows, size_t columns)
{
    char text[64];
    snprintf(text, sizeof text, "%s.%zu.%s", folder, number, name);
    add(list, text, type, copies, rows, columns);
}

/* The first layer's inputs. */
static size_t width_of(const struct tulle_model_info *info)
{
    size_t width = info->front.number_count * info->front.dimensions;
    for (size_t i = 0; i < info->input_count; i++)
        width += tulle_column_is_embedded(&info->inputs[i]) ? info->inputs[i].dimensions
                                                            : tulle_column_inputs(&info->inputs[i]);
    return width;
}

static void add_layers(struct list *list, const struct tulle_model_info *info)
{
    size_t inputs = width_of(info);
    for (size_t l = 0; l < info->layer_count; l++) {
        const struct tulle_layer *layer = &info->layers[l];
        const int is_last = l + 1 == info->layer_count;
        const size_t copies = is_last && info->front.members > 1 ? info->front.members : 0;
        add_numbered(list, "layers", l, "weight", list->type, copies, layer->units, inputs);
        add_numbered(list, "layers", l, "bias", list->type, copies, layer->units, 0);
        if (layer->parametric)
            add_numbered(list, "layers", l, "mix", list->type, 0, layer->units, 0);
        inputs = layer->units;
    }
}

static void add_front(struct list *list, const struct tulle_front *front)
{
    const size_t n = front->number_count, f = front->frequencies, d = front->dimensions;
    if (n > 0 && front->bins > 0)
        add(list, "numbers.weight", list->type, n, front->bins, d);
    else if (n > 0) {
        add(list, "numbers.frequency", list->type, 0, n, f);
        add(list, "numbers.phase", list->type, 0, n, f);
        add(list, "numbers.weight", list->type, n, d, f);
        add(list, "numbers.bias", list->type, 0, n, d);
    }
}

static void list_all(struct list *list, const struct tulle_model_info *info)
{
    size_t embedded = 0;
    for (size_t i = 0; i < info->input_count; i++)
        if (info->inputs[i].quantile_count > 0)
            add_numbered(list, "columns", i, "quantiles", "F64", 0, info->inputs[i].quantile_count,
                         0);
    if (info->front.number_count > 0 && info->front.bins > 0)
        add(list, "numbers.knots", "F64", 0, info->front.number_count, info->front.bins + 1);
    if (info->curve_count > 0)
        add(list, "curve", "F64", 0, info->curve_count, 3);
    add_layers(list, info);
    for (size_t i = 0; i < info->input_count; i++)
        if (tulle_column_is_embedded(&info->inputs[i]))
            add_numbered(list, "embeddings", embedded++, "weight", list->type, 0,
                         info->inputs[i].levels.count + 1, info->inputs[i].dimensions);
    add_front(list, &info->front);
    if (info->front.has_factors)
        add(list, "factors", list->type, 0, info->front.members, width_of(info));
}

static size_t list_tensors(const char *description, int version,
                           const char *(*found)(const void *file, const char *name),
                           const void *file, struct sealed_tensor *tensors)
{
    (void)found, (void)file;
    struct model_json json = {0};
    struct list list = {tensors, 0, "F32"};
    if (tulle_model_json_read(description, version, &json, NULL) == TULLE_OK) {
        if (json.info.precision == TULLE_F64)
            list.type = "F64";
        list_all(&list, &json.info);
    }
    tulle_model_json_clear(&json);
    return list.count;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    return sealed_mutate("model", list_tensors, data, size, most, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    put_scratch("input", data, size);
    use_model(in_scratch("input"));
    return 0;
}
