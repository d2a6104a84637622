/*
 * tensor_file.c - the container of models and checkpoints. What a header says is checked against
 * the length of the file before there is room made for any tensor. A checksum keeps out accidents,
 * not malice: it decides how a bad file is called, and saves no other check.
 */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "../base/file_io.h"
#include "../base/file_writer.h"
#include "../base/memory.h"
#include "json_text.h"
#include "tensor_file.h"

/*
 * A file begins with the length of its JSON header (8 bytes) and the header begins with the text
 * below, the checksum's digits, and the text of write_before_version. This much, and the version's
 * number after it, is the same in every version of a format, so that every reader can tell a
 * damaged file from one that is too new for it.
 */
#define LENGTH_SIZE 8
#define BEFORE_CHECKSUM "{\"__metadata__\":{\"checksum\":\"xxh3-64:"
#define CHECKSUM_OFFSET (LENGTH_SIZE + sizeof BEFORE_CHECKSUM - 1)
#define CHECKSUM_DIGITS 16
#define CHECKSUM_ZEROS "0000000000000000"
#define DATA_ALIGNMENT 64

/* Of a version number: its digits and the quote after them, in a file that is long enough. */
#define VERSION_SIZE 8

#define BUFFER_SIZE 65536
#define LARGEST_READ ((size_t)1 << 30)

/* Returns its length. */
static size_t write_before_version(const struct tensor_file *kind, char text[128])
{
    return (size_t)snprintf(text, 128, "\",\"format\":\"%s\",\"format_version\":\"", kind->format);
}

/* --- Tensors --------------------------------------------------------------------------------- */

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

/* Where the tensor ends that begins at `begin`; 0 if that is beyond what JSON's integers hold. */
static int find_end(const struct tensor *tensor, uint64_t begin, uint64_t *end)
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

/* The header's entry for a tensor; NULL if there is no memory. */
static json_t *make_entry(const struct tensor *tensor, uint64_t begin, uint64_t end)
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

typedef enum tulle_status run_fn(void *context, void *run, size_t bytes);

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

/* Calls visit for all bytes of the tensors in turn, until it fails: with them, or to read them in.
 */
static enum tulle_status visit_runs(const struct tensor *tensors, size_t count, int is_read,
                                    run_fn *visit, void *context, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    for (const struct tensor *t = tensors; t < tensors + count && status == TULLE_OK; t++)
        status = t->data ? visit_data(t, visit, context)
                         : visit_copies(t, is_read, visit, context, error);
    return status;
}

/* --- Writing --------------------------------------------------------------------------------- */

/* Adds the tensors' entries to the header. */
static enum tulle_status add_entries(json_t *header, const struct tensor *tensors, size_t count,
                                     struct tulle_error *error)
{
    uint64_t begin = 0, end;
    for (size_t i = 0; i < count; i++, begin = end)
        if (!find_end(&tensors[i], begin, &end) ||
            json_object_set_new(header, tensors[i].name, make_entry(&tensors[i], begin, end)) != 0)
            return tulle_fail_memory(error);
    return TULLE_OK;
}

static void put_length(unsigned char *bytes, uint64_t length)
{
    for (int i = 0; i < LENGTH_SIZE; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
}

/* The bytes of a file up to its data, with a checksum of zeros; the header may be NULL for want of
 * memory, and is then of length 0. */
static enum tulle_status lay_out_head(const struct tensor_file *kind, const json_t *header,
                                      unsigned char **head, size_t *size, struct tulle_error *error)
{
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT), used = LENGTH_SIZE + length;
    *size = (used + DATA_ALIGNMENT - 1) / DATA_ALIGNMENT * DATA_ALIGNMENT;
    *head = tulle_calloc(*size, 1);
    if (*size - LENGTH_SIZE > kind->longest_header)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the names and figures of the columns take %zu bytes, more than the %zu "
                          "that a %s file has room for; drop columns, or shorten their names",
                          *size, kind->longest_header, kind->noun);
    if (!*head || length == 0 ||
        json_dumpb(header, (char *)*head + LENGTH_SIZE, length, JSON_COMPACT) != length)
        return tulle_fail_memory(error);
    put_length(*head, *size - LENGTH_SIZE);
    memset(*head + used, ' ', *size - used);
    return TULLE_OK;
}

/* *head is to be freed on failure too. The order of the metadata's members is part of the format.
 */
static enum tulle_status make_head(const struct tensor_file *kind, const char *tulle_version,
                                   const char *description, const struct tensor *tensors,
                                   size_t count, unsigned char **head, size_t *size,
                                   struct tulle_error *error)
{
    char version[16];
    snprintf(version, sizeof version, "%d", kind->version);
    json_t *header = json_pack("{s:{s:s, s:s, s:s, s:s, s:s}}", "__metadata__", "checksum",
                               "xxh3-64:" CHECKSUM_ZEROS, "format", kind->format, "format_version",
                               version, "tulle_version", tulle_version, kind->noun, description);
    enum tulle_status status = add_entries(header, tensors, count, error);
    if (status == TULLE_OK)
        status = lay_out_head(kind, header, head, size, error);
    json_decref(header);
    return status;
}

static enum tulle_status hash_run(void *hash, void *run, size_t bytes)
{
    XXH3_64bits_update(hash, run, bytes);
    return TULLE_OK;
}

static void write_digits(const XXH3_state_t *hash, char digits[CHECKSUM_DIGITS + 1])
{
    snprintf(digits, CHECKSUM_DIGITS + 1, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(hash));
}

/* Puts the checksum in place of the zeros in the head. */
static enum tulle_status seal(unsigned char *head, size_t size, const struct tensor *tensors,
                              size_t count, struct tulle_error *error)
{
    XXH3_state_t *hash = XXH3_createState();
    if (!hash)
        return tulle_fail_memory(error);
    XXH3_64bits_reset(hash);
    hash_run(hash, head, size);
    enum tulle_status status = visit_runs(tensors, count, 0, hash_run, hash, error);
    if (status == TULLE_OK) {
        char digits[CHECKSUM_DIGITS + 1];
        write_digits(hash, digits);
        memcpy(head + CHECKSUM_OFFSET, digits, CHECKSUM_DIGITS);
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
    unsigned char *head = NULL;
    size_t size = 0;
    struct output output = {NULL, error};
    enum tulle_status status =
        make_head(kind, tulle_version, description, tensors, count, &head, &size, error);
    if (status == TULLE_OK)
        status = seal(head, size, tensors, count, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_open(path, &output.writer, error);
    if (status == TULLE_OK && keep)
        status = tulle_file_writer_keep(output.writer, keep, error);
    if (status == TULLE_OK)
        status = write_run(&output, head, size);
    if (status == TULLE_OK)
        status = visit_runs(tensors, count, 0, write_run, &output, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_commit(output.writer, error);
    else
        tulle_file_writer_abort(output.writer);
    tulle_free(head);
    return status;
}

/* --- Reading --------------------------------------------------------------------------------- */

struct tensor_reader {
    const struct tensor_file *kind;
    char *path;
    int fd;
    uint64_t size;         /* of the file */
    unsigned char *header; /* with its length before it, as in the file */
    size_t data_offset;    /* the bytes at header */
    uint64_t left;         /* bytes of the data that have not been read */
    XXH3_state_t *hash;    /* of all bytes so far, the checksum's digits taken as zeros; NULL before
                              the header is there */
    int length_is_wrong;   /* known without looking at all the bytes */
    int version;
    json_t *json; /* of the header; the texts are its */
    const char *tulle_version, *description;
};

#define REFUSE(error, ...) tulle_fail(error, TULLE_ERROR_FORMAT, __VA_ARGS__)

static enum tulle_status open_file(struct tensor_reader *reader, struct tulle_error *error)
{
    /* Not to wait for the other end of a pipe. */
    reader->fd = tulle_io_open(reader->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (reader->fd < 0)
        return tulle_fail_errno(error, reader->path, "cannot open", errno);
    struct stat file;
    if (tulle_io_fstat(reader->fd, &file) != 0)
        return tulle_fail_errno(error, reader->path, "cannot read", errno);
    if (S_ISDIR(file.st_mode))
        return REFUSE(error, "a folder, expected a %s file", reader->kind->noun);
    if (!S_ISREG(file.st_mode))
        return REFUSE(error, "not a regular file; save the %s to one first", reader->kind->noun);
    reader->size = (uint64_t)file.st_size;
    return TULLE_OK;
}

static enum tulle_status read_bytes(struct tensor_reader *reader, void *bytes, size_t size,
                                    struct tulle_error *error)
{
    unsigned char *at = bytes;
    while (size > 0) {
        ssize_t got = tulle_io_read(reader->fd, at, size < LARGEST_READ ? size : LARGEST_READ);
        if (got < 0)
            return tulle_fail_errno(error, reader->path, "cannot read", errno);
        if (got == 0)
            return REFUSE(error, "cut short while it was read");
        at += got;
        size -= (size_t)got;
    }
    return TULLE_OK;
}

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the file begins as every version of the format does, and which version it is; start has
 * all that this needs. */
static enum tulle_status identify(struct tensor_reader *reader, const unsigned char *start,
                                  struct tulle_error *error)
{
    const struct tensor_file *kind = reader->kind;
    const unsigned char *after = start + CHECKSUM_OFFSET + CHECKSUM_DIGITS;
    char text[128];
    size_t length = write_before_version(kind, text);
    if (memcmp(start + LENGTH_SIZE, BEFORE_CHECKSUM, sizeof BEFORE_CHECKSUM - 1) != 0 ||
        memcmp(after, text, length) != 0)
        return REFUSE(error, "not a Tulle %s", kind->noun);
    const unsigned char *version = after + length;
    int digits = 0;
    while (digits < VERSION_SIZE && is_digit(version[digits]))
        digits++;
    if (digits == 0 || digits == VERSION_SIZE || version[digits] != '"' || version[0] == '0')
        return REFUSE(error, "damaged: it has no format version");
    reader->version = (int)strtol((const char *)version, NULL, 10);
    if (reader->version > kind->version)
        return tulle_fail(error, TULLE_ERROR_VERSION,
                          "%s format %d is newer than this Tulle reads (%d); update Tulle",
                          kind->noun, reader->version, kind->version);
    return TULLE_OK;
}

static uint64_t get_length(const unsigned char *bytes)
{
    uint64_t length = 0;
    for (int i = 0; i < LENGTH_SIZE; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    return length;
}

static enum tulle_status hash_head(struct tensor_reader *reader, struct tulle_error *error)
{
    const size_t after = CHECKSUM_OFFSET + CHECKSUM_DIGITS;
    reader->hash = XXH3_createState();
    if (!reader->hash)
        return tulle_fail_memory(error);
    XXH3_64bits_reset(reader->hash);
    XXH3_64bits_update(reader->hash, reader->header, CHECKSUM_OFFSET);
    XXH3_64bits_update(reader->hash, CHECKSUM_ZEROS, CHECKSUM_DIGITS);
    XXH3_64bits_update(reader->hash, reader->header + after, reader->data_offset - after);
    return TULLE_OK;
}

/* Reads the header, once it is known to be one and to be all there; of a newer version too, so that
 * its checksum can tell whether it is one or only the digit is damaged. */
static enum tulle_status read_head(struct tensor_reader *reader, struct tulle_error *error)
{
    char text[128];
    unsigned char start[256];
    const size_t needed =
        CHECKSUM_OFFSET + CHECKSUM_DIGITS + write_before_version(reader->kind, text) + VERSION_SIZE;
    if (reader->size < needed)
        return REFUSE(error, "not a Tulle %s, or cut short: it has only %" PRIu64 " bytes",
                      reader->kind->noun, reader->size);
    enum tulle_status status = read_bytes(reader, start, needed, error);
    if (status == TULLE_OK)
        status = identify(reader, start, error);
    if (status != TULLE_OK && status != TULLE_ERROR_VERSION)
        return status;
    uint64_t length = get_length(start);
    if (length > reader->size - LENGTH_SIZE)
        return REFUSE(error,
                      "cut short or damaged: its header should have %" PRIu64
                      " bytes, the whole file has %" PRIu64,
                      length, reader->size);
    if (length > reader->kind->longest_header || length < needed - LENGTH_SIZE ||
        (LENGTH_SIZE + length) % DATA_ALIGNMENT != 0)
        return status == TULLE_OK ? REFUSE(error, "damaged: a header of %" PRIu64 " bytes", length)
                                  : status;
    reader->data_offset = LENGTH_SIZE + (size_t)length;
    reader->left = reader->size - reader->data_offset;
    reader->header = tulle_calloc(reader->data_offset, 1);
    if (!reader->header)
        return tulle_fail_memory(error);
    memcpy(reader->header, start, needed);
    enum tulle_status rest =
        read_bytes(reader, reader->header + needed, reader->data_offset - needed, error);
    if (rest == TULLE_OK)
        rest = hash_head(reader, error);
    return rest == TULLE_OK ? status : rest;
}

static enum tulle_status parse_header(struct tensor_reader *reader, struct tulle_error *error)
{
    const char *checksum, *format, *version;
    enum tulle_status status =
        tulle_json_parse("header", (const char *)reader->header + LENGTH_SIZE,
                         reader->data_offset - LENGTH_SIZE, &reader->json, error);
    if (status != TULLE_OK)
        return status;
    json_t *metadata =
        json_object_get(reader->json, "__metadata__"); /* which identify() has seen */
    return tulle_json_unpack("header", metadata, error, "{s:s, s:s, s:s, s:s, s:s}", "checksum",
                             &checksum, "format", &format, "format_version", &version,
                             "tulle_version", &reader->tulle_version, reader->kind->noun,
                             &reader->description);
}

enum tulle_status tulle_tensor_file_open(const struct tensor_file *kind, const char *path,
                                         struct tensor_reader **reader, struct tulle_error *error)
{
    *reader = NULL;
    struct tensor_reader *r = tulle_calloc(1, sizeof *r);
    if (!r)
        return tulle_fail_memory(error);
    r->kind = kind;
    r->fd = -1;
    r->path = tulle_strdup(path);
    enum tulle_status status = r->path ? open_file(r, error) : tulle_fail_memory(error);
    if (status == TULLE_OK)
        status = read_head(r, error);
    if (status == TULLE_OK)
        status = parse_header(r, error);
    if (status != TULLE_OK)
        return tulle_tensor_file_finish(r, status, NULL, error);
    *reader = r;
    return TULLE_OK;
}

const char *tulle_tensor_file_description(const struct tensor_reader *reader)
{
    return reader->description;
}

const char *tulle_tensor_file_tulle_version(const struct tensor_reader *reader)
{
    return reader->tulle_version;
}

int tulle_tensor_file_version(const struct tensor_reader *reader)
{
    return reader->version;
}

enum tulle_status tulle_tensor_file_check(struct tensor_reader *reader,
                                          const struct tensor *tensors, size_t count,
                                          struct tulle_error *error)
{
    uint64_t begin = 0, end, there = reader->size - reader->data_offset;
    for (size_t i = 0; i < count; i++, begin = end) {
        const char *name = tensors[i].name;
        if (!find_end(&tensors[i], begin, &end))
            return REFUSE(error, "the tensor '%s' is too large", name);
        json_t *entry = make_entry(&tensors[i], begin, end);
        if (!entry)
            return tulle_fail_memory(error);
        int is_equal = json_equal(entry, json_object_get(reader->json, name));
        json_decref(entry);
        if (!is_equal)
            return REFUSE(error, "the tensor '%s' is not as the description says", name);
    }
    if (json_object_size(reader->json) != count + 1) /* and __metadata__ */
        return REFUSE(error, "it has tensors that the description does not name");
    if (begin == there)
        return TULLE_OK;
    reader->length_is_wrong = 1;
    return REFUSE(error,
                  "cut short or damaged: its tensors take %" PRIu64 " bytes, but %" PRIu64
                  " are there",
                  begin, there);
}

struct input {
    struct tensor_reader *reader;
    struct tulle_error *error;
};

static enum tulle_status read_run(void *context, void *run, size_t bytes)
{
    struct input *input = context;
    enum tulle_status status = read_bytes(input->reader, run, bytes, input->error);
    if (status == TULLE_OK) {
        input->reader->left -= bytes;
        XXH3_64bits_update(input->reader->hash, run, bytes);
    }
    return status;
}

enum tulle_status tulle_tensor_file_read(struct tensor_reader *reader, const struct tensor *tensors,
                                         size_t count, struct tulle_error *error)
{
    struct input input = {reader, error};
    return visit_runs(tensors, count, 1, read_run, &input, error);
}

/* Reads what is left, for the checksum's sake. */
static enum tulle_status check_checksum(struct tensor_reader *reader, struct tulle_error *error)
{
    unsigned char buffer[BUFFER_SIZE];
    struct input input = {reader, error};
    while (reader->left > 0) {
        enum tulle_status status =
            read_run(&input, buffer, reader->left < BUFFER_SIZE ? reader->left : BUFFER_SIZE);
        if (status != TULLE_OK)
            return status;
    }
    char digits[CHECKSUM_DIGITS + 1];
    write_digits(reader->hash, digits);
    if (memcmp(reader->header + CHECKSUM_OFFSET, digits, CHECKSUM_DIGITS) != 0)
        return REFUSE(error, "damaged: its checksum does not match");
    return TULLE_OK;
}

enum tulle_status tulle_tensor_file_finish(struct tensor_reader *reader, enum tulle_status status,
                                           char *checksum, struct tulle_error *error)
{
    int is_readable = status != TULLE_ERROR_MEMORY && status != TULLE_ERROR_IO;
    if (reader->hash && is_readable && !reader->length_is_wrong) {
        enum tulle_status compared = check_checksum(reader, error);
        if (compared != TULLE_OK)
            status = compared;
    }
    if (status == TULLE_OK && checksum) {
        memcpy(checksum, reader->header + CHECKSUM_OFFSET, CHECKSUM_DIGITS);
        checksum[CHECKSUM_DIGITS] = '\0';
    }
    if (status != TULLE_OK && error && reader->path)
        tulle_fail_at(error, status, reader->path, 0, 0, "%s", error->message);
    json_decref(reader->json);
    tulle_free(reader->header);
    tulle_free(reader->path);
    XXH3_freeState(reader->hash);
    if (reader->fd >= 0)
        tulle_io_close(reader->fd);
    tulle_free(reader);
    return status;
}

#endif
