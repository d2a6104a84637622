/* status.h - filling in a struct tulle_error (every function accepts NULL), and reading options. */
#ifndef TULLE_STATUS_H
#define TULLE_STATUS_H

#include <stdarg.h>

#include "../../include/tulle.h"

#if defined(__GNUC__)
#define TULLE_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TULLE_PRINTF(text, first)
#endif

/* Each returns code, so that a failing function can end in `return tulle_fail(...)`. The message is
 * one line of UTF-8: control characters and other bytes that reach it (from a cell of a file, say)
 * become '?'. */
enum tulle_status tulle_fail(struct tulle_error *error, enum tulle_status code, const char *format,
                             ...) TULLE_PRINTF(3, 4);

/* With a file and, unless 0, a line and a column. */
enum tulle_status tulle_fail_at(struct tulle_error *error, enum tulle_status code, const char *file,
                                size_t line, size_t column, const char *format, ...)
    TULLE_PRINTF(6, 7);

/* TULLE_ERROR_MEMORY, in the one wording. */
enum tulle_status tulle_fail_memory(struct tulle_error *error);

/* A failed system call on a file: "houses.csv: cannot open: No such file or directory". `errnum` is
 * the value of errno. ENOMEM becomes TULLE_ERROR_MEMORY, anything else TULLE_ERROR_IO. */
enum tulle_status tulle_fail_errno(struct tulle_error *error, const char *file, const char *action,
                                   int errnum);

/* "no column 'rom'; did you mean 'rooms'?", or what columns there are (TULLE_ERROR_DATA). */
enum tulle_status tulle_fail_no_column(struct tulle_error *error, const char *file,
                                       const char *name, const char *const *names, size_t count);

/* Reads the caller's options, which may be from an older or a newer header: `to` holds the
 * defaults, and as many bytes as both sides know of are copied over it. Both begin with their size.
 * 0 if from's size cannot be one. */
int tulle_options_copy(void *to, const void *from);

#endif
