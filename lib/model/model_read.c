/*
 * model_read.c - loading a model. Everything that the header says is checked against the length of
 * the file before there is an arena to read the parameters into. A checksum keeps out accidents,
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
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "../base/memory.h"
#include "model_file.h"
#include "model_json.h"

#define BUFFER_SIZE 65536
#define LARGEST_READ ((size_t)1 << 30)

struct source {
    int fd;
    const char *path;
    struct tulle_error *error;
    uint64_t size;         /* of the file */
    unsigned char *header; /* with its length before it, as in the file */
    size_t data_offset;    /* the bytes at header */
    XXH3_state_t *hash;    /* of all bytes so far, the checksum's digits taken as zeros */
    int length_is_wrong;   /* known without looking at all the bytes */
};

#define REFUSE(source, ...) tulle_fail((source)->error, TULLE_ERROR_FORMAT, __VA_ARGS__)

/* --- Bytes ----------------------------------------------------------------------------------- */

static enum tulle_status open_source(struct source *source)
{
    /* Not to wait for the other end of a pipe. */
    source->fd = open(source->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (source->fd < 0)
        return tulle_fail_errno(source->error, source->path, "cannot open", errno);
    struct stat file;
    if (fstat(source->fd, &file) != 0)
        return tulle_fail_errno(source->error, source->path, "cannot read", errno);
    if (!S_ISREG(file.st_mode))
        return REFUSE(source, S_ISDIR(file.st_mode)
                                  ? "a folder, expected a model file"
                                  : "not a regular file; save the model to one first");
    source->size = (uint64_t)file.st_size;
    return TULLE_OK;
}

static enum tulle_status read_bytes(struct source *source, void *bytes, size_t size)
{
    unsigned char *at = bytes;
    while (size > 0) {
        ssize_t got = read(source->fd, at, size < LARGEST_READ ? size : LARGEST_READ);
        if (got < 0 && errno != EINTR)
            return tulle_fail_errno(source->error, source->path, "cannot read", errno);
        if (got == 0)
            return REFUSE(source, "cut short while it was read");
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        }
    }
    return TULLE_OK;
}

/* Of the data; see model_run_fn. */
static enum tulle_status read_run(void *context, void *run, size_t bytes)
{
    struct source *source = context;
    enum tulle_status status = read_bytes(source, run, bytes);
    if (status == TULLE_OK)
        XXH3_64bits_update(source->hash, run, bytes);
    return status;
}

static enum tulle_status skip_data(struct source *source)
{
    unsigned char buffer[BUFFER_SIZE];
    enum tulle_status status = TULLE_OK;
    for (uint64_t left = source->size - source->data_offset; left > 0 && status == TULLE_OK;) {
        size_t piece = left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE;
        status = read_run(source, buffer, piece);
        left -= piece;
    }
    return status;
}

/* --- The head -------------------------------------------------------------------------------- */

/* Of a version number: its digits and the quote after them, in a file that is long enough. */
#define VERSION_SIZE 8

static int is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the file begins as every version of the format does, and which version it is. */
static enum tulle_status identify(struct source *source, const unsigned char *start)
{
    if (memcmp(start + MODEL_LENGTH_SIZE, MODEL_BEFORE_CHECKSUM,
               sizeof MODEL_BEFORE_CHECKSUM - 1) != 0 ||
        memcmp(start + MODEL_CHECKSUM_OFFSET + MODEL_CHECKSUM_DIGITS, MODEL_BEFORE_VERSION,
               sizeof MODEL_BEFORE_VERSION - 1) != 0)
        return REFUSE(source, "not a Tulle model");
    const unsigned char *version = start + MODEL_VERSION_OFFSET;
    int digits = 0;
    while (digits < VERSION_SIZE && is_digit(version[digits]))
        digits++;
    if (digits == 0 || digits == VERSION_SIZE || version[digits] != '"' || version[0] == '0')
        return REFUSE(source, "damaged: it has no format version");
    long number = strtol((const char *)version, NULL, 10);
    if (number > TULLE_MODEL_FORMAT)
        return tulle_fail(source->error, TULLE_ERROR_VERSION,
                          "model format %ld is newer than this Tulle reads (%d); update Tulle",
                          number, TULLE_MODEL_FORMAT);
    return TULLE_OK;
}

static uint64_t get_length(const unsigned char *bytes)
{
    uint64_t length = 0;
    for (int i = 0; i < MODEL_LENGTH_SIZE; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    return length;
}

/* Reads the header, once it is known to be one and to be all there. */
static enum tulle_status read_head(struct source *source)
{
    unsigned char start[MODEL_VERSION_OFFSET + VERSION_SIZE];
    if (source->size < sizeof start)
        return REFUSE(source, "not a Tulle model, or cut short: it has only %" PRIu64 " bytes",
                      source->size);
    enum tulle_status status = read_bytes(source, start, sizeof start);
    if (status == TULLE_OK)
        status = identify(source, start);
    if (status != TULLE_OK)
        return status;
    uint64_t length = get_length(start);
    if (length > source->size - MODEL_LENGTH_SIZE)
        return REFUSE(source,
                      "cut short or damaged: its header should have %" PRIu64
                      " bytes, the whole file has %" PRIu64,
                      length, source->size);
    if (length > MODEL_LONGEST_HEADER || length < sizeof start - MODEL_LENGTH_SIZE ||
        (MODEL_LENGTH_SIZE + length) % MODEL_DATA_ALIGNMENT != 0)
        return REFUSE(source, "damaged: a header of %" PRIu64 " bytes", length);
    source->data_offset = MODEL_LENGTH_SIZE + (size_t)length;
    source->header = tulle_calloc(source->data_offset, 1);
    source->hash = XXH3_createState();
    if (!source->header || !source->hash)
        return tulle_fail_memory(source->error);
    memcpy(source->header, start, sizeof start);
    return read_bytes(source, source->header + sizeof start, source->data_offset - sizeof start);
}

static void hash_head(struct source *source)
{
    const size_t after = MODEL_CHECKSUM_OFFSET + MODEL_CHECKSUM_DIGITS;
    XXH3_64bits_reset(source->hash);
    XXH3_64bits_update(source->hash, source->header, MODEL_CHECKSUM_OFFSET);
    XXH3_64bits_update(source->hash, "0000000000000000", MODEL_CHECKSUM_DIGITS);
    XXH3_64bits_update(source->hash, source->header + after, source->data_offset - after);
}

/* --- What the header says -------------------------------------------------------------------- */

/* That the tensors are those of the network, laid out as this format does it, and all there. */
static enum tulle_status check_tensors(struct source *source, const json_t *header,
                                       const struct tulle_model_info *info)
{
    json_t *tensors;
    uint64_t bytes, there = source->size - source->data_offset;
    enum tulle_status status =
        tulle_model_tensors(info->precision, info->input_count, info->layers, info->layer_count,
                            &tensors, &bytes, source->error);
    if (status != TULLE_OK)
        return status;
    for (void *at = json_object_iter(tensors); at; at = json_object_iter_next(tensors, at)) {
        const char *name = json_object_iter_key(at);
        if (!json_equal(json_object_iter_value(at), json_object_get(header, name))) {
            status = REFUSE(source, "the tensor '%s' is not as the network's layers say", name);
            goto out;
        }
    }
    if (json_object_size(header) != json_object_size(tensors) + 1) { /* and __metadata__ */
        status = REFUSE(source, "it has tensors that no layer of the network has");
    } else if (bytes != there) {
        source->length_is_wrong = 1;
        status = REFUSE(source,
                        "cut short or damaged: its parameters take %" PRIu64 " bytes, but %" PRIu64
                        " are there",
                        bytes, there);
    }
out:
    json_decref(tensors);
    return status;
}

/*
 * Whether there is memory to parse the header. jansson's parser takes a failed allocation badly
 * (2.14 drops characters, or stops at an assertion), so it must not come to that. The most that it
 * can need is for "{},{},": 224 bytes for every 3.
 */
static int has_room_to_parse(size_t length)
{
    void *volatile room = tulle_realloc_array(NULL, length, 80);
    int has_room = room != NULL;
    free(room);
    return has_room;
}

/* Reads the header and makes the model, its parameters still zero. */
static enum tulle_status make_model(struct source *source, struct tulle_model **model)
{
    const size_t length = source->data_offset - MODEL_LENGTH_SIZE;
    if (!has_room_to_parse(length))
        return tulle_fail_memory(source->error);
    struct model_json description = {0};
    const char *checksum, *format, *format_version, *text;
    json_error_t json_error;
    enum tulle_status status;
    json_t *header = json_loadb((const char *)source->header + MODEL_LENGTH_SIZE, length,
                                JSON_REJECT_DUPLICATES, &json_error);
    if (!header ||
        json_unpack_ex(header, &json_error, 0, "{s:{s:s, s:s, s:s, s:s, s:s!}}", "__metadata__",
                       "checksum", &checksum, "format", &format, "format_version", &format_version,
                       "tulle_version", &description.info.tulle_version, "model", &text) != 0) {
        status = tulle_fail_json("header", &json_error, source->error);
        goto out;
    }
    status = tulle_model_json_read(text, &description, source->error);
    if (status == TULLE_OK)
        status = check_tensors(source, header, &description.info);
    if (status == TULLE_OK)
        status = tulle_model_create(&description.info, model, source->error);
    if (status == TULLE_ERROR_ARGUMENT)
        status = TULLE_ERROR_FORMAT; /* the file's, not the caller's */
out:
    tulle_model_json_clear(&description);
    json_decref(header);
    return status;
}

static enum tulle_status load(struct source *source, struct tulle_model **model)
{
    enum tulle_status status = open_source(source);
    if (status == TULLE_OK)
        status = read_head(source);
    if (status != TULLE_OK)
        return status;
    hash_head(source);
    enum tulle_status made = make_model(source, model);
    if (source->length_is_wrong || made == TULLE_ERROR_MEMORY)
        return made;
    status = made == TULLE_OK ? tulle_model_fill_runs(*model, read_run, source, source->error)
                              : skip_data(source);
    if (status != TULLE_OK)
        return status;
    char digits[MODEL_CHECKSUM_DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(source->hash));
    if (memcmp(source->header + MODEL_CHECKSUM_OFFSET, digits, MODEL_CHECKSUM_DIGITS) != 0)
        return REFUSE(source, "damaged: its checksum does not match");
    if (made != TULLE_OK)
        return made;
    memcpy((*model)->checksum, digits, sizeof digits);
    if (!tulle_model_is_finite(*model))
        return REFUSE(source, "it has parameters that are not finite numbers");
    return TULLE_OK;
}

enum tulle_status tulle_model_load(const char *path, tulle_model **model, struct tulle_error *error)
{
    struct tulle_error failure;
    struct source source = {.fd = -1, .path = path, .error = &failure};
    *model = NULL;
    enum tulle_status status = load(&source, model);
    if (status != TULLE_OK) {
        tulle_model_free(*model);
        *model = NULL;
        tulle_fail_at(error, status, path, 0, 0, "%s", failure.message);
    }
    free(source.header);
    XXH3_freeState(source.hash);
    if (source.fd >= 0)
        close(source.fd);
    return status;
}

#endif
