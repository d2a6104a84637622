/*
 * fuzz_checkpoint_sealed.c - target: checkpoints with a right checksum that say anything. One of
 * another configuration is refused, and that of the training in checkpoint_use.c changes with the
 * library's settings: each input is tried as it is, and again as one of today's configuration.
 */
#include "../../lib/base/portability.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_use.h"
#include "sealed.h"

/* A part's tensor has the type that the file gives it. */
static size_t list_tensors(const char *description, int version,
                           const char *(*found)(const void *file, const char *name),
                           const void *file, struct sealed_tensor *tensors)
{
    (void)version;
    size_t used = 0;
    const char *name;
    json_t *count, *root = json_loads(description, 0, NULL);
    json_object_foreach(json_object_get(root, "counts"), name, count)
    {
        const json_int_t numbers = json_integer_value(count);
        if (numbers <= 0 || used == MOST_SEALED_TENSORS)
            continue;
        struct sealed_tensor *tensor = &tensors[used++];
        const char *type = found(file, name);
        snprintf(tensor->name, sizeof tensor->name, "%s", name);
        snprintf(tensor->type, sizeof tensor->type, "%s", *type ? type : "F64");
        tensor->rank = 1;
        tensor->shape[0] = (size_t)numbers;
    }
    json_decref(root);
    return used;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    return sealed_mutate("checkpoint", list_tensors, data, size, most, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t example_size, today_size;
    const uint8_t *example = example_checkpoint(&example_size);
    use_checkpoint(data, size);
    uint8_t *today = sealed_as_today("checkpoint", data, size, example, example_size, &today_size);
    if (today)
        use_checkpoint(today, today_size);
    free(today);
    return 0;
}
