/*
 * model_json.h - all about a model but its weights, as the JSON text that stands in a model file.
 * Only for builds with model files.
 */
#ifndef TULLE_MODEL_JSON_H
#define TULLE_MODEL_JSON_H

#include <jansson.h>

#include "model.h"

/* Of the format TULLE_MODEL_FORMAT. Freed with tulle_free(); NULL if there is no memory. */
char *tulle_model_json_write(const struct tulle_model_info *info);

struct model_json {
    struct tulle_model_info info; /* what it points to is owned by the members below */
    json_t *root;                 /* the texts */
    struct tulle_column *inputs, *targets;
    size_t *numbers; /* of the front, as are the knots */
    double *knots;
    struct tulle_layer *layers;
    const char *const *missing;
    struct tulle_setting *settings;
    double *quantiles;
    struct tulle_metrics *metrics;
    struct tulle_epoch *curve;
};

/*
 * Fills in json, which must be zeroed, and is to be cleared on failure too, from a text of the
 * given version of the format. Refuses (TULLE_ERROR_FORMAT) a text that has not exactly the members
 * that it should, of the right types, and counts that do not agree; tulle_model_check judges the
 * values. The columns' quantiles, the knots and the curve are tensors of their own: only their
 * numbers are known then, and who reads them stores what tulle_free() frees in the columns, in
 * json->knots and in json->curve.
 */
enum tulle_status tulle_model_json_read(const char *text, int version, struct model_json *json,
                                        struct tulle_error *error);
void tulle_model_json_clear(struct model_json *json);

#endif
