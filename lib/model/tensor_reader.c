/*
 * tensor_reader.c - reading the container of models and checkpoints. What a header says is checked
 * against the length of the file before there is room made for any tensor. A checksum keeps out
 * accidents, not malice: it decides how a bad file is called, and saves no other check.
 */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/file_io.h"
#include "../base/memory.h"
#include "json_text.h"
#include "tensor_layout.h"

/* Of a version number: its digits and the quote after them, in a file that is long enough. */
#define VERSION_SIZE 8

#define BUFFER_SIZE 65536
#define LARGEST_READ ((size_t)1 << 30)

struct tensor_reader {
    const struct tensor_file *kind;
    char *path; /* NULL of bytes in memory */
    int fd;
    const unsigned char *bytes, *bytes_end; /* the next ones, in memory; else NULL */
    uint64_t size;                          /* of the file */
    unsigned char *header;                  /* with its length before it, as in the file */
    size_t data_offset;                     /* the bytes at header */
    uint64_t left;                          /* bytes of the data that have not been read */
    XXH3_state_t *hash;  /* of all bytes so far, the checksum's digits taken as zeros; NULL before
                            the header is there */
    int length_is_wrong; /* known without looking at all the bytes */
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
    if (reader->bytes) {
        /* Lengths were checked before; but nothing may be read behind the block's end. */
        if (size > (size_t)(reader->bytes_end - reader->bytes))
            return REFUSE(error, "cut short");
        memcpy(at, reader->bytes, size);
        reader->bytes += size;
        return TULLE_OK;
    }
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
    size_t length = tulle_tensor_before_version(kind, text);
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
    const size_t needed = CHECKSUM_OFFSET + CHECKSUM_DIGITS +
                          tulle_tensor_before_version(reader->kind, text) + VERSION_SIZE;
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

static struct tensor_reader *make_reader(const struct tensor_file *kind)
{
    struct tensor_reader *r = tulle_calloc(1, sizeof *r);
    if (r) {
        r->kind = kind;
        r->fd = -1;
    }
    return r;
}

/* Reads the header, if all went well so far. */
static enum tulle_status start_reading(struct tensor_reader *r, enum tulle_status status,
                                       struct tensor_reader **reader, struct tulle_error *error)
{
    if (status == TULLE_OK)
        status = read_head(r, error);
    if (status == TULLE_OK)
        status = parse_header(r, error);
    if (status != TULLE_OK)
        return tulle_tensor_file_finish(r, status, NULL, error);
    *reader = r;
    return TULLE_OK;
}

enum tulle_status tulle_tensor_file_open(const struct tensor_file *kind, const char *path,
                                         struct tensor_reader **reader, struct tulle_error *error)
{
    *reader = NULL;
    struct tensor_reader *r = make_reader(kind);
    if (!r)
        return tulle_fail_memory(error);
    r->path = tulle_strdup(path);
    return start_reading(r, r->path ? open_file(r, error) : tulle_fail_memory(error), reader,
                         error);
}

enum tulle_status tulle_tensor_bytes_open(const struct tensor_file *kind, const void *bytes,
                                          size_t size, struct tensor_reader **reader,
                                          struct tulle_error *error)
{
    *reader = NULL;
    struct tensor_reader *r = make_reader(kind);
    if (!r)
        return tulle_fail_memory(error);
    r->bytes = bytes;
    r->bytes_end = r->bytes + size;
    r->size = size;
    return start_reading(r, TULLE_OK, reader, error);
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
        if (!tulle_tensor_find_end(&tensors[i], begin, &end))
            return REFUSE(error, "the tensor '%s' is too large", name);
        json_t *entry = tulle_tensor_make_entry(&tensors[i], begin, end);
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
    return tulle_tensor_visit(tensors, count, 1, read_run, &input, error);
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
    tulle_tensor_write_digits(reader->hash, digits);
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
