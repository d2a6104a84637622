/*
 * sealed.h - mutations of a tensor file (docs/format.md) that get behind its checksum: a change of
 * its header, of the description in it or of its data, after which the header's length is right
 * again, the checksum too, and mostly the tensors are those that the description now asks for.
 */
#ifndef SEALED_H
#define SEALED_H

#include "scratch.h"

struct sealed_tensor {
    char name[64], type[4]; /* "F32" */
    size_t rank, shape[3];
};

enum { MOST_SEALED_TENSORS = 256 };

/* Lists the tensors that the description asks for; returns how many, 0 if that cannot be said.
 * found is the type of the file's tensor of a name, "" if it has none. */
typedef size_t sealed_list_fn(const char *description, int version,
                              const char *(*found)(const void *file, const char *name),
                              const void *file, struct sealed_tensor tensors[MOST_SEALED_TENSORS]);

/* For LLVMFuzzerCustomMutator: noun is "model" or "checkpoint". */
size_t sealed_mutate(const char *noun, sealed_list_fn *list, uint8_t *bytes, size_t size,
                     size_t most, unsigned seed);

/* The file with the "configuration" and the Tulle version of another file of its kind; freed with
 * free(). NULL if it has these already, or is no such file. */
uint8_t *sealed_as_today(const char *noun, const uint8_t *bytes, size_t size, const uint8_t *other,
                         size_t other_size, size_t *new_size);

#endif
