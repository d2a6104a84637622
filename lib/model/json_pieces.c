/* json_pieces.c - arrays, texts and counts as JSON, and back. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include "../base/memory.h"
#include "json_pieces.h"

json_t *tulle_json_write_array(size_t count, json_t *(*write_item)(const void *items, size_t i),
                               const void *items)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, write_item(items, i)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *write_text(const void *texts, size_t i)
{
    return json_string(((const char *const *)texts)[i]);
}

json_t *tulle_json_write_texts(const char *const *texts, size_t count)
{
    return tulle_json_write_array(count, write_text, texts);
}

enum tulle_status tulle_json_read_array(const char *part, const json_t *array, size_t size,
                                        void **items, size_t *count, struct tulle_error *error)
{
    if (json_typeof(array) != JSON_ARRAY)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: not an array", part);
    *count = json_array_size(array);
    *items = tulle_calloc(*count, size);
    return *items ? TULLE_OK : tulle_fail_memory(error);
}

enum tulle_status tulle_json_read_texts(const char *part, const json_t *array,
                                        const char *const **texts, size_t *count,
                                        struct tulle_error *error)
{
    void *items;
    enum tulle_status status =
        tulle_json_read_array(part, array, sizeof **texts, &items, count, error);
    if (status != TULLE_OK)
        return status;
    /* NOLINTNEXTLINE(*uninitialized.Assign): nothing fails without a status */
    const char **strings = items;
    *texts = strings;
    for (size_t i = 0; i < *count; i++)
        if (!(strings[i] = json_string_value(json_array_get(array, i))))
            return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: a text is not a string", part);
    return TULLE_OK;
}

enum tulle_status tulle_json_read_name(const char *part, const json_t *json, const char **name,
                                       struct tulle_error *error)
{
    *name = json_string_value(json);
    if (*name || json_typeof(json) == JSON_NULL)
        return TULLE_OK;
    return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: not a string or null", part);
}

enum tulle_status tulle_json_read_count(const char *part, json_int_t value, size_t *count,
                                        struct tulle_error *error)
{
    if (value < 0 || (uintmax_t)value > SIZE_MAX)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %" JSON_INTEGER_FORMAT, part, value);
    *count = (size_t)value;
    return TULLE_OK;
}

enum tulle_status tulle_json_fail_unknown(const char *what, const char *name,
                                          struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_FORMAT, "unknown %s '%s'", what, name);
}

#endif
