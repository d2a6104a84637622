/* edited_model.h - files of models with something else in them, and how they must be refused. Only
 * for builds with model files. */
#ifndef EDITED_MODEL_H
#define EDITED_MODEL_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include <cmocka.h>

#include "model_support.h"

/* Checks that loading fails with that status and a message with `part` in it. */
static inline void assert_refused(const char *path, enum tulle_status status, const char *part)
{
    struct tulle_error error = {0};
    struct tulle_model *model = (struct tulle_model *)&model;
    enum tulle_status found = tulle_model_load(path, &model, &error);
    assert_null(model);
    assert_int_equal(error.code, found);
    assert_string_equal(error.file, path);
    assert_true(error.line == 0 && error.column == 0);
    if (found != status || !strstr(error.message, part))
        fail_msg("expected status %d with '%s', got %d: %s", status, part, found, error.message);
    assert_int_equal(tulle_model_load(path, &model, NULL), status);
}

/* The file of a model, which is freed. */
static inline struct bytes bytes_of(struct tulle_model *model)
{
    assert_int_equal(tulle_model_save(model, in_folder("example"), NULL), TULLE_OK);
    tulle_model_free(model);
    return get_bytes(in_folder("example"));
}

static inline struct bytes example_bytes(void)
{
    return bytes_of(example_model());
}

static inline size_t data_offset(struct bytes file)
{
    return 8 + file.data[0] + 256 * (size_t)file.data[1];
}

/* Writes the file with a right checksum. */
static inline void put_sealed(const char *path, struct bytes file)
{
    char digits[17];
    memset(file.data + 45, '0', 16);
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits(file.data, file.size));
    memcpy(file.data + 45, digits, 16);
    put_bytes(path, file.data, file.size);
}

/* The file with the first `from` in its header turned into `to`, and the header's length right. */
static inline struct bytes edited(struct bytes file, const char *from, const char *to)
{
    size_t header = data_offset(file);
    char *at = strstr((char *)file.data + 8, from);
    if (!at)
        fail_msg("no '%s' in the header", from);
    size_t before = (size_t)(at - (char *)file.data), after = before + strlen(from);
    size_t length = header - strlen(from) + strlen(to), padded = (length + 63) / 64 * 64;
    struct bytes result = {NULL, padded + file.size - header};
    result.data = calloc(result.size + 1, 1);
    assert_non_null(result.data);
    for (int i = 0; i < 8; i++)
        result.data[i] = (unsigned char)((uint64_t)(padded - 8) >> 8 * i);
    memcpy(result.data + 8, file.data + 8, before - 8);
    memcpy(result.data + before, to, strlen(to));
    memcpy(result.data + before + strlen(to), file.data + after, header - after);
    memset(result.data + length, ' ', padded - length);
    memcpy(result.data + padded, file.data + header, file.size - header);
    return result;
}

#endif
