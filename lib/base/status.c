/* status.c - status codes, error messages and the reading of options structs. */
#include "portability.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "status.h"
#include "utf8.h"

const char *tulle_status_text(enum tulle_status status)
{
    switch (status) {
#define STATUS_CASE(name, value, text)                                                             \
    case TULLE_##name:                                                                             \
        return text;
        TULLE_STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}

int tulle_error_text(const struct tulle_error *error, char *buffer, size_t size)
{
    if (error->file[0] == '\0')
        return snprintf(buffer, size, "%s", error->message);
    if (error->line == 0)
        return snprintf(buffer, size, "%s: %s", error->file, error->message);
    if (error->column == 0)
        return snprintf(buffer, size, "%s:%zu: %s", error->file, error->line, error->message);
    return snprintf(buffer, size, "%s:%zu:%zu: %s", error->file, error->line, error->column,
                    error->message);
}

/* Messages quote names and cells of untrusted files, and the buffer's end may cut a character in
 * two: an escape sequence must not reach a terminal, nor a newline break the one line, nor bytes
 * that are not UTF-8 break a program that reads the lines. */
static void replace_controls(char *text)
{
    char *to = text;
    while (*text) {
        uint32_t code;
        size_t length = tulle_utf8_character(text, &code);
        if (length == 0 || tulle_is_control(code)) {
            *to++ = '?';
            text += length ? length : 1;
        } else {
            memmove(to, text, length);
            to += length;
            text += length;
        }
    }
    *to = '\0';
}

static void fill(struct tulle_error *error, enum tulle_status code, const char *file, size_t line,
                 size_t column, const char *format, va_list arguments)
{
    if (!error)
        return;
    /* Formatted apart, since an argument may point into *error. */
    struct tulle_error filled = {.code = code, .line = line, .column = column};
    snprintf(filled.file, sizeof filled.file, "%s", file);
    vsnprintf(filled.message, sizeof filled.message, format, arguments);
    replace_controls(filled.file);
    replace_controls(filled.message);
    *error = filled;
}

enum tulle_status tulle_fail(struct tulle_error *error, enum tulle_status code, const char *format,
                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, "", 0, 0, format, arguments);
    va_end(arguments);
    return code;
}

enum tulle_status tulle_fail_at(struct tulle_error *error, enum tulle_status code, const char *file,
                                size_t line, size_t column, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(error, code, file, line, column, format, arguments);
    va_end(arguments);
    return code;
}

enum tulle_status tulle_fail_memory(struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_MEMORY, "out of memory");
}

enum tulle_status tulle_fail_errno(struct tulle_error *error, const char *file, const char *action,
                                   int errnum)
{
    enum tulle_status code = errnum == ENOMEM ? TULLE_ERROR_MEMORY : TULLE_ERROR_IO;
    char reason[128];
    if (strerror_r(errnum, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "error %d", errnum);
    return tulle_fail_at(error, code, file, 0, 0, "%s: %s", action, reason);
}

enum tulle_status tulle_fail_no_column(struct tulle_error *error, const char *file,
                                       const char *name, const char *const *names, size_t count)
{
    size_t nearest = tulle_nearest_name(name, names, count);
    if (nearest != SIZE_MAX)
        return tulle_fail_at(error, TULLE_ERROR_DATA, file, 0, 0,
                             "no column '%s'; did you mean '%s'?", name, names[nearest]);
    char list[200] = "";
    size_t length = 0, listed = 0;
    for (; listed < count && length + strlen(names[listed]) + 5 < sizeof list; listed++) {
        const char *quote = strchr(names[listed], ',') ? "\"" : "";
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s%s%s",
                                   listed ? ", " : "", quote, names[listed], quote);
    }
    if (listed == 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, file, 0, 0, "no column '%s'", name);
    return tulle_fail_at(error, TULLE_ERROR_DATA, file, 0, 0, "no column '%s'; there %s %s%s", name,
                         count == 1 ? "is" : "are", list, listed < count ? ", ..." : "");
}

int tulle_options_copy(void *to, const void *from)
{
    size_t to_size, from_size;
    memcpy(&to_size, to, sizeof to_size);
    memcpy(&from_size, from, sizeof from_size);
    if (from_size < sizeof from_size)
        return 0;
    memcpy(to, from, from_size < to_size ? from_size : to_size);
    memcpy(to, &to_size, sizeof to_size);
    return 1;
}
