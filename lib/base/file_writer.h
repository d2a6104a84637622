/*
 * file_writer.h - output that appears whole or not at all.
 *
 * Bytes go to a temporary file beside the path; commit syncs it, renames it over the path and syncs
 * the folder; abort removes it, and what a killed process left is removed by the next writer of the
 * same path. A path that exists and is no regular file (a device, a pipe) is written directly:
 * renaming over it would replace the device. "-" is standard output. Symbolic links are followed,
 * so that the link stays a link.
 */
#ifndef TULLE_FILE_WRITER_H
#define TULLE_FILE_WRITER_H

#include "status.h"

struct file_writer;

/* Where a path leads to, which need not be there; freed with tulle_free(). NULL, with errno set,
 * for links in a circle or without memory. */
char *tulle_resolve_links(const char *path);

/* Makes the temporary file. */
enum tulle_status tulle_file_writer_open(const char *path, struct file_writer **writer,
                                         struct tulle_error *error);

/* Buffered: errors of earlier writes may come back from a later call. */
enum tulle_status tulle_file_writer_write(struct file_writer *writer, const void *data, size_t size,
                                          struct tulle_error *error);

/* Commit shall give the file that it replaces, if there is one, the name `keep` (and take that from
 * the file that has it), in such a way that at every moment one of the two names has the old file
 * or the new one. Not where writing is direct. */
enum tulle_status tulle_file_writer_keep(struct file_writer *writer, const char *keep,
                                         struct tulle_error *error);

/* Finishes and frees the writer, on failure too (the path then holds what it held before). */
enum tulle_status tulle_file_writer_commit(struct file_writer *writer, struct tulle_error *error);

/* Drops what was written and frees the writer; accepts NULL. */
void tulle_file_writer_abort(struct file_writer *writer);

#endif
