/*
 * model_file.h - what the writer and the reader of model files share. Only for builds with model
 * files; docs/format.md describes the file.
 */
#ifndef TULLE_MODEL_FILE_H
#define TULLE_MODEL_FILE_H

#include <jansson.h>
#include <stdint.h>

#include "model.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files hold little-endian numbers, as they stand in memory; this machine's are not"
#endif

/*
 * A file begins with the length of its JSON header (8 bytes) and the header begins with the three
 * texts below, the checksum's digits between the first two and the version's number after the last.
 * This much is the same in every version of the format, so that every reader can tell a damaged
 * file from one that is too new for it.
 */
#define MODEL_LENGTH_SIZE 8
#define MODEL_BEFORE_CHECKSUM "{\"__metadata__\":{\"checksum\":\"xxh3-64:"
#define MODEL_CHECKSUM_DIGITS 16
#define MODEL_BEFORE_VERSION "\",\"format\":\"tulle\",\"format_version\":\""
#define MODEL_CHECKSUM_OFFSET (MODEL_LENGTH_SIZE + sizeof MODEL_BEFORE_CHECKSUM - 1)
#define MODEL_VERSION_OFFSET                                                                       \
    (MODEL_CHECKSUM_OFFSET + MODEL_CHECKSUM_DIGITS + sizeof MODEL_BEFORE_VERSION - 1)

#define MODEL_DATA_ALIGNMENT 64

/*
 * The header's entries for the tensors of such a network, in the order of the data, and the bytes
 * that they take. TULLE_ERROR_FORMAT if those are more than can be.
 */
enum tulle_status tulle_model_tensors(enum tulle_type precision, size_t inputs,
                                      const struct tulle_layer *layers, size_t layer_count,
                                      json_t **tensors, uint64_t *bytes, struct tulle_error *error);

/* Calls visit for every run of parameters, in the order of the file, until one fails: with a copy
 * of them, or to fill them in. */
typedef enum tulle_status model_run_fn(void *context, void *run, size_t bytes);
enum tulle_status tulle_model_each_run(const struct tulle_model *model, model_run_fn *visit,
                                       void *context, struct tulle_error *error);
enum tulle_status tulle_model_fill_runs(struct tulle_model *model, model_run_fn *visit,
                                        void *context, struct tulle_error *error);

#endif
