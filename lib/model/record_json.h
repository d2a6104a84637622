/*
 * record_json.h - the parts of a model's description that say how it was trained and measured
 * (model_json.h puts all of it together). Only for builds with model files.
 */
#ifndef TULLE_RECORD_JSON_H
#define TULLE_RECORD_JSON_H

#include "model_json.h"

/* NULL if there is no memory. */
json_t *tulle_record_write_training(const struct tulle_model_info *info);
json_t *tulle_record_write_settings(const struct tulle_model_info *info);
json_t *tulle_record_write_metrics(const struct tulle_model_info *info);

/* Each fills in its part of json->info, from a text of that version of the format; how many targets
 * there are must be known. What is made belongs to json, on failure too. */
enum tulle_status tulle_record_read_training(json_t *object, int version, struct model_json *json,
                                             struct tulle_error *error);
enum tulle_status tulle_record_read_settings(json_t *object, struct model_json *json,
                                             struct tulle_error *error);
enum tulle_status tulle_record_read_metrics(json_t *object, int version, struct model_json *json,
                                            struct tulle_error *error);

#endif
