/*
 * model_json.h - all about a model but its weights, as the JSON text that stands in a model file.
 * Only for builds with model files.
 */
#ifndef TULLE_MODEL_JSON_H
#define TULLE_MODEL_JSON_H

#include "model.h"

/* Freed with free(); NULL if there is no memory. */
char *tulle_model_json_write(const struct tulle_model_info *info);

struct model_json {
    struct tulle_model_info info; /* what it points to is owned by the members below */
    struct json_t *root;          /* the names */
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

#endif
