/* json_text.c - JSON as texts, and what is wrong with one. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <stdarg.h>

#include "../base/memory.h"
#include "json_text.h"

/* 17 significant digits bring every double back. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(17))

char *tulle_json_text(const json_t *json)
{
    size_t length = json_dumpb(json, NULL, 0, DUMP_FLAGS);
    char *text = tulle_calloc(length + 1, 1);
    if (text && (length == 0 || json_dumpb(json, text, length, DUMP_FLAGS) != length)) {
        tulle_free(text);
        text = NULL;
    }
    return text;
}

/* How many of the format's members there are. */
static size_t count_members(const json_t *object, const char *format, va_list list)
{
    size_t count = 0;
    for (; *format; format++)
        if (*format == ':' || *format == '?') {
            const char *name = va_arg(list, const char *);
            count += json_object_get(object, name) != NULL;
            (void)va_arg(list, void *); /* where it goes */
        }
    return count;
}

/* jansson's own check that all members are known ('!') needs memory, and without it takes them for
 * unknown. */
enum tulle_status tulle_json_unpack(const char *part, json_t *object, struct tulle_error *error,
                                    const char *format, ...)
{
    va_list list, again;
    json_error_t json_error;
    if (json_typeof(object) != JSON_OBJECT)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: expected an object", part);
    va_start(list, format);
    va_copy(again, list);
    int failed = json_vunpack_ex(object, &json_error, 0, format, list) != 0;
    int is_all = count_members(object, format, again) == json_object_size(object);
    va_end(again);
    va_end(list);
    if (failed && json_error_code(&json_error) == json_error_out_of_memory)
        return tulle_fail_memory(error);
    if (failed)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %s", part, json_error.text);
    return is_all ? TULLE_OK
                  : tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: unknown members", part);
}

#endif
