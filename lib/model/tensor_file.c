/* tensor_file.c - the container of models and checkpoints: its layout, and writing it. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/file_writer.h"
#include "../base/memory.h"
#include "tensor_layout.h"

/* --- Layout ---------------------------------------------------------------------------------- */

size_t tulle_tensor_before_version(const struct tensor_file *kind, char text[128])
{
    return (size_t)snprintf(text, 128, "\",\"format\":\"%s\",\"format_version\":\"", kind->format);
}

static const char *const dtypes[] = {"F32", "F64", "U32", "U64"};

static size_t number_size(const struct tensor *tensor)
{
    return tensor->type == TENSOR_F32 || tensor->type == TENSOR_U32 ? 4 : 8;
}

static size_t column_count(const struct tensor *tensor)
{
    return tensor->rank > 1 ? tensor->shape[tensor->rank - 1] : 1;
}

static size_t row_count(const struct tensor *tensor)
{
    return tensor->shape[0] * (tensor->rank == 3 ? tensor->shape[1] : 1);
}

/* Where a row stands in memory. */
static void *find_row(const struct tensor *tensor, size_t row)
{
    const size_t each =
        tensor->rank == 3 ? tensor->shape[1] : 1; /* rows of an index of the first */
    const size_t numbers = row / each * tensor->stride[0] + row % each * tensor->stride[1];
    return (char *)tensor->data + numbers * number_size(tensor);
}

int tulle_tensor_find_end(const struct tensor *tensor, uint64_t begin, uint64_t *end)
{
    size_t numbers = 1;
    for (size_t d = 0; d < tensor->rank; d++)
        if (!tulle_multiply(numbers, tensor->shape[d], &numbers))
            return 0;
    if (numbers > (INT64_MAX - begin) / number_size(tensor))
        return 0;
    *end = begin + (uint64_t)numbers * number_size(tensor);
    return 1;
}

json_t *tulle_tensor_make_entry(const struct tensor *tensor, uint64_t begin, uint64_t end)
{
    json_t *entry = json_pack("{s:s, s:[]}", "dtype", dtypes[tensor->type], "shape");
    int failed = 0;
    for (size_t d = 0; d < tensor->rank; d++)
        failed |= json_array_append_new(json_object_get(entry, "shape"),
                                        json_integer((json_int_t)tensor->shape[d])) != 0;
    if (failed || json_object_set_new(entry, "data_offsets",
                                      json_pack("[I, I]", (json_int_t)begin, (json_int_t)end))) {
        json_decref(entry);
        return NULL;
    }
    return entry;
}

/* Calls visit for the bytes of a tensor that stands in memory, until it fails. */
static enum tulle_status visit_data(const struct tensor *t, run_fn *visit, void *context)
{
    const size_t rows = row_count(t), bytes = column_count(t) * number_size(t);
    if (t->stride[0] == 0)
        return visit(context, t->data, rows * bytes);
    enum tulle_status status = TULLE_OK;
    for (size_t row = 0; row < rows && status == TULLE_OK; row++)
        status = visit(context, find_row(t, row), bytes);
    return status;
}

/* The same with copies of its rows, which are read in where is_read. */
static enum tulle_status visit_copies(const struct tensor *t, int is_read, run_fn *visit,
                                      void *context, struct tulle_error *error)
{
    const size_t rows = row_count(t), bytes = column_count(t) * number_size(t);
    enum tulle_status status = TULLE_OK;
    void *run = tulle_calloc(bytes, 1);
    if (!run)
        return tulle_fail_memory(error);
    for (size_t row = 0; row < rows && status == TULLE_OK; row++) {
        if (!is_read)
            t->copy_row(t, row, run, 0);
        status = visit(context, run, bytes);
        if (is_read && status == TULLE_OK)
            t->copy_row(t, row, run, 1);
    }
    tulle_free(run);
    return status;
}

enum tulle_status tulle_tensor_visit(const struct tensor *tensors, size_t count, int is_read,
                                     run_fn *visit, void *context, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    for (const struct tensor *t = tensors; t < tensors + count && status == TULLE_OK; t++)
        status = t->data ? visit_data(t, visit, context)
                         : visit_copies(t, is_read, visit, context, error);
    return status;
}

/* --- Writing --------------------------------------------------------------------------------- */

/* The bytes of a file up to its data, and how many those of the data are. */
struct head {
    unsigned char *bytes;
    size_t size;
    uint64_t data_size;
};

/* Adds the tensors' entries to the header; *end is where their data ends. */
static enum tulle_status add_entries(json_t *header, const struct tensor *tensors, size_t count,
                                     uint64_t *end, struct tulle_error *error)
{
    uint64_t begin = *end = 0;
    for (size_t i = 0; i < count; i++, begin = *end)
        if (!tulle_tensor_find_end(&tensors[i], begin, end) ||
            json_object_set_new(header, tensors[i].name,
                                tulle_tensor_make_entry(&tensors[i], begin, *end)) != 0)
            return tulle_fail_memory(error);
    return TULLE_OK;
}

static void put_length(unsigned char *bytes, uint64_t length)
{
    for (int i = 0; i < LENGTH_SIZE; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
}

/* With a checksum of zeros; the header may be NULL for want of memory, and is then of length 0. */
static enum tulle_status lay_out_head(const struct tensor_file *kind, const json_t *header,
                                      struct head *head, struct tulle_error *error)
{
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT), used = LENGTH_SIZE + length;
    head->size = (used + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    head->bytes = tulle_calloc(head->size, 1);
    if (head->size - LENGTH_SIZE > kind->longest_header)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the names and figures of the columns take %zu bytes, more than the %zu "
                          "that a %s file has room for; drop columns, or shorten their names",
                          head->size, kind->longest_header, kind->noun);
    if (!head->bytes || length == 0 ||
        json_dumpb(header, (char *)head->bytes + LENGTH_SIZE, length, JSON_COMPACT) != length)
        return tulle_fail_memory(error);
    put_length(head->bytes, head->size - LENGTH_SIZE);
    memset(head->bytes + used, ' ', head->size - used);
    return TULLE_OK;
}

/* head->bytes are to be freed on failure too. The order of the metadata's members is part of the
 * format. */
static enum tulle_status make_head(const struct tensor_file *kind, const char *tulle_version,
                                   const char *description, const struct tensor *tensors,
                                   size_t count, struct head *head, struct tulle_error *error)
{
    char version[16];
    snprintf(version, sizeof version, "%d", kind->version);
    json_t *header = json_pack("{s:{s:s, s:s, s:s, s:s, s:s}}", "__metadata__", "checksum",
                               "xxh3-64:" CHECKSUM_ZEROS, "format", kind->format, "format_version",
                               version, "tulle_version", tulle_version, kind->noun, description);
    enum tulle_status status = add_entries(header, tensors, count, &head->data_size, error);
    if (status == TULLE_OK)
        status = lay_out_head(kind, header, head, error);
    json_decref(header);
    return status;
}

static enum tulle_status hash_run(void *hash, void *run, size_t bytes)
{
    XXH3_64bits_update(hash, run, bytes);
    return TULLE_OK;
}

void tulle_tensor_write_digits(const XXH3_state_t *hash, char digits[CHECKSUM_DIGITS + 1])
{
    snprintf(digits, CHECKSUM_DIGITS + 1, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(hash));
}

/* Puts the checksum in place of the zeros in the head. */
static enum tulle_status seal(struct head *head, const struct tensor *tensors, size_t count,
                              struct tulle_error *error)
{
    XXH3_state_t *hash = XXH3_createState();
    if (!hash)
        return tulle_fail_memory(error);
    XXH3_64bits_reset(hash);
    hash_run(hash, head->bytes, head->size);
    enum tulle_status status = tulle_tensor_visit(tensors, count, 0, hash_run, hash, error);
    if (status == TULLE_OK) {
        char digits[CHECKSUM_DIGITS + 1];
        tulle_tensor_write_digits(hash, digits);
        memcpy(head->bytes + CHECKSUM_OFFSET, digits, CHECKSUM_DIGITS);
    }
    XXH3_freeState(hash);
    return status;
}

struct output {
    struct file_writer *writer;
    struct tulle_error *error;
};

static enum tulle_status write_run(void *context, void *run, size_t bytes)
{
    struct output *output = context;
    return tulle_file_writer_write(output->writer, run, bytes, output->error);
}

enum tulle_status tulle_tensor_file_write(const struct tensor_file *kind, const char *path,
                                          const char *keep, const char *tulle_version,
                                          const char *description, const struct tensor *tensors,
                                          size_t count, struct tulle_error *error)
{
    struct head head = {.bytes = NULL};
    struct output output = {NULL, error};
    enum tulle_status status =
        make_head(kind, tulle_version, description, tensors, count, &head, error);
    if (status == TULLE_OK)
        status = seal(&head, tensors, count, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_open(path, &output.writer, error);
    if (status == TULLE_OK && keep)
        status = tulle_file_writer_keep(output.writer, keep, error);
    if (status == TULLE_OK)
        status = write_run(&output, head.bytes, head.size);
    if (status == TULLE_OK)
        status = tulle_tensor_visit(tensors, count, 0, write_run, &output, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_commit(output.writer, error);
    else
        tulle_file_writer_abort(output.writer);
    tulle_free(head.bytes);
    return status;
}

/* --- Writing to memory ----------------------------------------------------------------------- */

static enum tulle_status append_run(void *context, void *run, size_t bytes)
{
    unsigned char **at = context;
    memcpy(*at, run, bytes);
    *at += bytes;
    return TULLE_OK;
}

enum tulle_status tulle_tensor_bytes_write(const struct tensor_file *kind,
                                           const char *tulle_version, const char *description,
                                           const struct tensor *tensors, size_t count,
                                           unsigned char *bytes, size_t size, size_t *needed,
                                           struct tulle_error *error)
{
    struct head head = {.bytes = NULL};
    enum tulle_status status =
        make_head(kind, tulle_version, description, tensors, count, &head, error);
    /* not covered: a size_t of 32 bits */
    if (status == TULLE_OK && head.data_size > SIZE_MAX - head.size)
        status = tulle_fail_memory(error);
    *needed = head.size + (size_t)head.data_size;
    if (status == TULLE_OK && size >= *needed) {
        status = seal(&head, tensors, count, error);
        if (status == TULLE_OK) {
            memcpy(bytes, head.bytes, head.size);
            bytes += head.size;
            status = tulle_tensor_visit(tensors, count, 0, append_run, &bytes, error);
        }
    }
    tulle_free(head.bytes);
    return status;
}

#endif
