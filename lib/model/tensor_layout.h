/*
 * tensor_layout.h - what the writer and the reader of tensor files share: how the bytes lie.
 *
 * A file begins with the length of its JSON header (8 bytes) and the header begins with the text
 * below, the checksum's digits, and the text of tulle_tensor_before_version. This much, and the
 * version's number after it, is the same in every version of a format, so that every reader can
 * tell a damaged file from one that is too new for it.
 */
#ifndef TULLE_TENSOR_LAYOUT_H
#define TULLE_TENSOR_LAYOUT_H

#include <jansson.h>
#include <stdint.h>
#include <xxhash.h>

#include "tensor_file.h"

#define LENGTH_SIZE 8
#define BEFORE_CHECKSUM "{\"__metadata__\":{\"checksum\":\"xxh3-64:"
#define CHECKSUM_OFFSET (LENGTH_SIZE + sizeof BEFORE_CHECKSUM - 1)
#define CHECKSUM_DIGITS 16
#define CHECKSUM_ZEROS "0000000000000000"
#define DATA_ALIGNMENT 64

/* Returns its length. */
size_t tulle_tensor_before_version(const struct tensor_file *kind, char text[128]);

/* Where the tensor ends that begins at `begin`; 0 if that is beyond what JSON's integers hold. */
int tulle_tensor_find_end(const struct tensor *tensor, uint64_t begin, uint64_t *end);

/* The header's entry for a tensor; NULL if there is no memory. */
json_t *tulle_tensor_make_entry(const struct tensor *tensor, uint64_t begin, uint64_t end);

typedef enum tulle_status run_fn(void *context, void *run, size_t bytes);

/* Calls visit for all bytes of the tensors in turn, until it fails: with them, or to read them in.
 */
enum tulle_status tulle_tensor_visit(const struct tensor *tensors, size_t count, int is_read,
                                     run_fn *visit, void *context, struct tulle_error *error);

void tulle_tensor_write_digits(const XXH3_state_t *hash, char digits[CHECKSUM_DIGITS + 1]);

#endif
