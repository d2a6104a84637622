/* json_text.h - JSON as texts, and what is wrong with one. Only for builds with model files. */
#ifndef TULLE_JSON_TEXT_H
#define TULLE_JSON_TEXT_H

#include <jansson.h>

#include "../base/status.h"

/* Compact, with what digits it takes to read every double back. Freed with free(); NULL if there is
 * no memory. */
char *tulle_json_text(const json_t *json);

/* "bad layers: expected object, got integer" (TULLE_ERROR_FORMAT), or TULLE_ERROR_MEMORY, which
 * jansson often reports by saying nothing. */
enum tulle_status tulle_fail_json(const char *part, const json_error_t *json_error,
                                  struct tulle_error *error);

#endif
