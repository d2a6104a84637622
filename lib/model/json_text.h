/* json_text.h - JSON as texts, and what is wrong with one. Only for builds with model files. */
#ifndef TULLE_JSON_TEXT_H
#define TULLE_JSON_TEXT_H

#include <jansson.h>

#include "../base/status.h"

/* Compact, with what digits it takes to read every double back. Freed with tulle_free(); NULL if
 * there is no memory, or json is NULL for want of some. */
char *tulle_json_text(const json_t *json);

/* Reads a JSON text of which no name comes twice in an object. Else *json is NULL and the error
 * "bad header: expected ':' at byte 17" (TULLE_ERROR_FORMAT), or TULLE_ERROR_MEMORY. */
enum tulle_status tulle_json_parse(const char *part, const char *text, size_t length, json_t **json,
                                   struct tulle_error *error);

/* As json_unpack() of an object's own members, "{s:s, s?I}", which must be all that it has. An
 * error is one in the file, or TULLE_ERROR_MEMORY. */
enum tulle_status tulle_json_unpack(const char *part, json_t *object, struct tulle_error *error,
                                    const char *format, ...);

#endif
