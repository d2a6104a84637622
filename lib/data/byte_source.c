/*
 * byte_source.c - reading, and undoing gzip.
 *
 * inflate() is called directly, not through zlib's gzread(): that one loses bytes when a signal
 * interrupts a read from a pipe, and takes a file cut short within the header for plain text.
 */
#include "../base/portability.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#ifdef TULLE_WITH_GZIP
#include <zlib.h>
#endif

#include "../base/file_io.h"
#include "../base/memory.h"
#include "byte_source.h"

struct byte_source {
    int descriptor;
    int is_borrowed; /* standard input, which stays open: the caller may close it to end a read */
    char *name;
    size_t chunk;
    char *buffer;                 /* the window is buffer[start..start + size) */
    size_t capacity, start, size; /* capacity >= 1 */
    uint64_t skipped;             /* bytes before the window, of plain input */
    int at_end;
    struct gunzip *gunzip; /* NULL for plain input */
};

static enum tulle_status read_plain(struct byte_source *source, void *to, size_t size, size_t *got,
                                    struct tulle_error *error)
{
    ssize_t result = tulle_io_read(source->descriptor, to, size);
    if (result < 0)
        return tulle_fail_errno(error, source->name, "cannot read", errno);
    *got = (size_t)result;
    return TULLE_OK;
}

#ifdef TULLE_WITH_GZIP

const int tulle_has_gzip = 1;

/* One or more gzip members (RFC 1952), one after the other, zeros after each ignored. */
struct gunzip {
    z_stream stream;
    int in_member;
    unsigned char *packed; /* (chunk) */
};

static void gunzip_free(struct gunzip *gunzip)
{
    if (!gunzip)
        return;
    inflateEnd(&gunzip->stream);
    tulle_free(gunzip->packed);
    tulle_free(gunzip);
}

static voidpf allocate_for_zlib(voidpf user, uInt items, uInt size)
{
    (void)user;
    return tulle_calloc(items, size);
}

static void release_for_zlib(voidpf user, voidpf block)
{
    (void)user;
    tulle_free(block);
}

/* Makes what is in the window the beginning of the packed input. */
static enum tulle_status gunzip_start(struct byte_source *source, struct tulle_error *error)
{
    struct gunzip *gunzip = tulle_calloc(1, sizeof *gunzip);
    if (!gunzip)
        return tulle_fail_memory(error);
    source->gunzip = gunzip;
    gunzip->stream.zalloc = allocate_for_zlib;
    gunzip->stream.zfree = release_for_zlib;
    size_t capacity = source->chunk > source->size ? source->chunk : source->size;
    gunzip->packed = tulle_calloc(capacity, 1);
    if (!gunzip->packed || inflateInit2(&gunzip->stream, 15 + 16) != Z_OK) /* 16: gzip only */
        return tulle_fail_memory(error);
    memcpy(gunzip->packed, source->buffer + source->start, source->size);
    gunzip->stream.next_in = gunzip->packed;
    gunzip->stream.avail_in = (uInt)source->size;
    gunzip->in_member = 1;
    source->start = source->size = 0;
    return TULLE_OK;
}

static enum tulle_status gunzip_refill(struct byte_source *source, struct tulle_error *error)
{
    struct gunzip *gunzip = source->gunzip;
    size_t got = 0;
    enum tulle_status status = read_plain(source, gunzip->packed, source->chunk, &got, error);
    if (status)
        return status;
    gunzip->stream.next_in = gunzip->packed;
    gunzip->stream.avail_in = (uInt)got;
    return TULLE_OK;
}

/* Steps over the zeros after a member, with which what is written in blocks (tapes) is filled up.
 */
static void skip_padding(z_stream *stream)
{
    while (stream->avail_in > 0 && *stream->next_in == 0) {
        stream->next_in++;
        stream->avail_in--;
    }
}

/* As read_plain: at least one byte, or none at the end. */
static enum tulle_status read_gzip(struct byte_source *source, void *to, size_t size, size_t *got,
                                   struct tulle_error *error)
{
    struct gunzip *gunzip = source->gunzip;
    z_stream *stream = &gunzip->stream;
    stream->next_out = to;
    stream->avail_out = (uInt)size;
    while (stream->avail_out == size) {
        if (stream->avail_in == 0) {
            enum tulle_status status = gunzip_refill(source, error);
            if (status)
                return status;
        }
        if (stream->avail_in == 0) {
            if (gunzip->in_member)
                return tulle_fail_at(error, TULLE_ERROR_DATA, source->name, 0, 0,
                                     "the gzip data is cut short");
            break;
        }
        if (!gunzip->in_member) {
            skip_padding(stream);
            if (stream->avail_in == 0)
                continue;
            inflateReset(stream);
            gunzip->in_member = 1;
        }
        int result = inflate(stream, Z_NO_FLUSH);
        if (result == Z_STREAM_END)
            gunzip->in_member = 0;
        else if (result == Z_MEM_ERROR)
            return tulle_fail_memory(error);
        else if (result != Z_OK)
            return tulle_fail_at(error, TULLE_ERROR_DATA, source->name, 0, 0,
                                 "the gzip data is damaged: %s",
                                 /* not covered: zlib always says what it is */
                                 stream->msg ? stream->msg : "no more is known");
    }
    *got = size - stream->avail_out;
    return TULLE_OK;
}

#else

const int tulle_has_gzip = 0;

static void gunzip_free(struct gunzip *gunzip)
{
    (void)gunzip;
}

static enum tulle_status gunzip_start(struct byte_source *source, struct tulle_error *error)
{
    return tulle_fail_at(error, TULLE_ERROR_UNSUPPORTED, source->name, 0, 0,
                         "this is gzip, and this build was made without zlib; decompress the file "
                         "first");
}

#endif

/* Adds bytes to the window, or sets at_end. */
static enum tulle_status read_chunk(struct byte_source *source, struct tulle_error *error)
{
    if (source->start > 0) {
        memmove(source->buffer, source->buffer + source->start, source->size);
        source->start = 0;
    }
    if (source->size == source->capacity) {
        char *larger = tulle_realloc_array(source->buffer, source->capacity, 2);
        if (!larger)
            return tulle_fail_memory(error);
        source->buffer = larger;
        source->capacity *= 2;
    }
    char *to = source->buffer + source->size;
    size_t size = source->capacity - source->size, got = 0;
    if (size > source->chunk)
        size = source->chunk;
    enum tulle_status status;
#ifdef TULLE_WITH_GZIP
    if (source->gunzip)
        status = read_gzip(source, to, size, &got, error);
    else
#endif
        status = read_plain(source, to, size, &got, error);
    if (status)
        return status;
    source->size += got;
    source->at_end = got == 0;
    return TULLE_OK;
}

enum tulle_status tulle_byte_source_fill(struct byte_source *source, size_t size,
                                         struct tulle_error *error)
{
    while (source->size < size && !source->at_end) {
        enum tulle_status status = read_chunk(source, error);
        if (status)
            return status;
    }
    return TULLE_OK;
}

/* A directory can be opened, but the error that reading it gives is less clear. */
static enum tulle_status open_descriptor(struct byte_source *source, const char *path,
                                         struct tulle_error *error)
{
    struct stat about;
    source->is_borrowed = strcmp(path, "-") == 0;
    if (source->is_borrowed)
        source->descriptor = STDIN_FILENO;
    else
        source->descriptor = tulle_io_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (source->descriptor < 0)
        return tulle_fail_errno(error, source->name, "cannot open", errno);
    if (tulle_io_fstat(source->descriptor, &about) == 0 && S_ISDIR(about.st_mode))
        return tulle_fail_at(error, TULLE_ERROR_IO, source->name, 0, 0,
                             "expected a file, got a directory");
    return TULLE_OK;
}

enum tulle_status tulle_byte_source_open(const char *path, size_t chunk,
                                         struct byte_source **source, struct tulle_error *error)
{
    enum tulle_status status;
    *source = NULL;
    struct byte_source *made = tulle_calloc(1, sizeof *made);
    if (!made)
        return tulle_fail_memory(error);
    made->descriptor = -1;
    made->chunk = made->capacity = chunk;
    made->name = tulle_strdup(strcmp(path, "-") == 0 ? "standard input" : path);
    made->buffer = tulle_calloc(made->capacity, 1);
    if (!made->name || !made->buffer) {
        status = tulle_fail_memory(error);
        goto out;
    }
    status = open_descriptor(made, path, error);
    if (status)
        goto out;
    status = tulle_byte_source_fill(made, 2, error);
    if (status)
        goto out;
    if (made->size >= 2 && memcmp(made->buffer, "\x1f\x8b", 2) == 0)
        status = gunzip_start(made, error);
out:
    if (status) {
        tulle_byte_source_close(made);
        return status;
    }
    *source = made;
    return TULLE_OK;
}

void tulle_byte_source_close(struct byte_source *source)
{
    if (!source)
        return;
    gunzip_free(source->gunzip);
    if (source->descriptor >= 0 && !source->is_borrowed)
        tulle_io_close(source->descriptor);
    tulle_free(source->buffer);
    tulle_free(source->name);
    tulle_free(source);
}

const char *tulle_byte_source_name(const struct byte_source *source)
{
    return source->name;
}

struct byte_window tulle_byte_source_window(const struct byte_source *source)
{
    return (struct byte_window){source->buffer + source->start, source->size};
}

void tulle_byte_source_skip(struct byte_source *source, size_t count)
{
    source->start += count;
    source->size -= count;
    source->skipped += count;
}

size_t tulle_byte_source_chunk(const struct byte_source *source)
{
    return source->chunk;
}

int tulle_byte_source_is_file(const struct byte_source *source, uint64_t *left)
{
    struct stat about;
    /* Standard input may begin anywhere in its file. */
    if (source->gunzip || source->is_borrowed || tulle_io_fstat(source->descriptor, &about) != 0 ||
        !S_ISREG(about.st_mode) || (uint64_t)about.st_size < source->skipped)
        return 0;
    *left = (uint64_t)about.st_size - source->skipped;
    return 1;
}

enum tulle_status tulle_byte_source_read_at(const struct byte_source *source, uint64_t offset,
                                            void *to, size_t size, struct tulle_error *error)
{
    while (size > 0) {
        ssize_t got =
            tulle_io_pread(source->descriptor, to, size, (off_t)(source->skipped + offset));
        if (got < 0)
            return tulle_fail_errno(error, source->name, "cannot read", errno);
        if (got == 0)
            return tulle_fail_at(error, TULLE_ERROR_DATA, source->name, 0, 0,
                                 "the file became shorter while it was read");
        to = (char *)to + got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return TULLE_OK;
}
