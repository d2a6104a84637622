/*
 * model_json.h - all about a model but its weights, as the JSON text that stands in a model file.
 * Only for builds with model files.
 */
#ifndef TULLE_MODEL_JSON_H
#define TULLE_MODEL_JSON_H

#include <jansson.h>

#include "model.h"

/* Freed with free(); NULL if there is no memory. */
char *tulle_model_json_write(const struct tulle_model_info *info);

struct model_json {
    struct tulle_model_info info; /* what it points to is owned by the members below */
    json_t *root;                 /* the names */
    struct tulle_column *inputs, *targets;
    struct tulle_layer *layers;
    struct tulle_metrics *metrics;
};

/*
 * Fills in json, which must be zeroed, and is to be cleared on failure too. Refuses
 * (TULLE_ERROR_FORMAT) a text that has not exactly the members that it should, of the right types,
 * and counts that do not agree; tulle_model_create judges the values.
 */
enum tulle_status tulle_model_json_read(const char *text, struct model_json *json,
                                        struct tulle_error *error);
void tulle_model_json_clear(struct model_json *json);

/* "bad layers: expected object, got integer" (TULLE_ERROR_FORMAT), or TULLE_ERROR_MEMORY, which
 * jansson often reports by saying nothing. */
enum tulle_status tulle_fail_json(const char *part, const json_error_t *json_error,
                                  struct tulle_error *error);

#endif
