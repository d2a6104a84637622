/*
 * json_pieces.h - what the parts of a model's description are made of, as JSON and back: arrays,
 * texts and counts. `part` is the part of the description that an error (TULLE_ERROR_FORMAT) is
 * about. Only for builds with model files.
 */
#ifndef TULLE_JSON_PIECES_H
#define TULLE_JSON_PIECES_H

#include "json_text.h"

/* An array of what write_item gives for each of count items; NULL if there is no memory. */
json_t *tulle_json_write_array(size_t count, json_t *(*write_item)(const void *items, size_t i),
                               const void *items);
json_t *tulle_json_write_texts(const char *const *texts, size_t count);

/* Room for the items of an array: *count * size zeroed bytes in *items, freed with tulle_free(). */
enum tulle_status tulle_json_read_array(const char *part, const json_t *array, size_t size,
                                        void **items, size_t *count, struct tulle_error *error);

/* An array of strings; *texts, which must be NULL before, is to be freed, also on failure, but not
 * the strings. */
enum tulle_status tulle_json_read_texts(const char *part, const json_t *array,
                                        const char *const **texts, size_t *count,
                                        struct tulle_error *error);

/* A string, or null for NULL. */
enum tulle_status tulle_json_read_name(const char *part, const json_t *json, const char **name,
                                       struct tulle_error *error);

enum tulle_status tulle_json_read_count(const char *part, json_int_t value, size_t *count,
                                        struct tulle_error *error);

/* "unknown loss 'hinge'" */
enum tulle_status tulle_json_fail_unknown(const char *what, const char *name,
                                          struct tulle_error *error);

#endif
