/*
 * byte_source.h - the bytes of a file or of standard input, gzip undone, through a window that
 * grows as far as its reader needs and moves on as its reader skips.
 */
#ifndef TULLE_BYTE_SOURCE_H
#define TULLE_BYTE_SOURCE_H

#include <stdint.h>

#include "../base/status.h"

/* Whether this build undoes gzip, for tulle_build_info. */
extern const int tulle_has_gzip;

struct byte_source;

/* What has been read and not yet skipped; it stays where it is until the next call of _fill or
 * _close. The bytes may be changed in place. */
struct byte_window {
    char *data;
    size_t size;
};

/* What one read asks for at most; smaller in tests, so that every byte gets to be a boundary. */
#define TULLE_BYTE_SOURCE_CHUNK ((size_t)1 << 18)

/* Opens a path, or standard input for "-". chunk >= 1. */
enum tulle_status tulle_byte_source_open(const char *path, size_t chunk,
                                         struct byte_source **source, struct tulle_error *error);
void tulle_byte_source_close(struct byte_source *source);

/* The name for error messages. */
const char *tulle_byte_source_name(const struct byte_source *source);

struct byte_window tulle_byte_source_window(const struct byte_source *source);

/* Reads until the window has at least size bytes; at the end of the input it has fewer. Memory
 * grows with the bytes that arrive, never with the size asked for. */
enum tulle_status tulle_byte_source_fill(struct byte_source *source, size_t size,
                                         struct tulle_error *error);

/* Drops the window's first count bytes. */
void tulle_byte_source_skip(struct byte_source *source, size_t count);

/* What one read asks for at most, as it was opened. */
size_t tulle_byte_source_chunk(const struct byte_source *source);

/* Whether _read_at may be called: the input is a plain file. Then *left is the number of bytes from
 * the window's beginning to the file's end. */
int tulle_byte_source_is_file(const struct byte_source *source, uint64_t *left);

/* Reads the size bytes that begin `offset` after the window's beginning, without regard to the
 * window. That the file ends before them is an error. */
enum tulle_status tulle_byte_source_read_at(const struct byte_source *source, uint64_t offset,
                                            void *to, size_t size, struct tulle_error *error);

#endif
