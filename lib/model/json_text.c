/* json_text.c - JSON as texts, and what is wrong with one. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <stdlib.h>

#include "../base/memory.h"
#include "json_text.h"

/* 17 significant digits bring every double back. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(17))

char *tulle_json_text(const json_t *json)
{
    size_t length = json_dumpb(json, NULL, 0, DUMP_FLAGS);
    char *text = tulle_calloc(length + 1, 1);
    if (text && (length == 0 || json_dumpb(json, text, length, DUMP_FLAGS) != length)) {
        free(text);
        text = NULL;
    }
    return text;
}

enum tulle_status tulle_fail_json(const char *part, const json_error_t *json_error,
                                  struct tulle_error *error)
{
    if (json_error_code(json_error) == json_error_out_of_memory || json_error->text[0] == '\0')
        return tulle_fail_memory(error);
    return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %s", part, json_error->text);
}

#endif
