/* sealed.c - a tensor file taken apart, changed somewhere, and put together again. */
#include "../../lib/base/portability.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "sealed.h"

#define CHECKSUM_AT 45
#define BEFORE_CHECKSUM "{\"__metadata__\":{\"checksum\":\"xxh3-64:"

enum { MOST_BYTES = 1 << 16 }; /* of a description, and of the data */

struct sealed {
    const char *noun;
    json_t *header;
    char text[MOST_BYTES]; /* the description */
    uint8_t *data;
    size_t data_size;
};

static uint64_t random_state;

static size_t random_below(size_t limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (size_t)(random_state >> 33) % limit;
}

/* --- Apart and together ---------------------------------------------------------------------- */

static json_t *metadata_of(const struct sealed *file)
{
    return json_object_get(file->header, "__metadata__");
}

static int take_apart(struct sealed *file, const uint8_t *bytes, size_t size)
{
    uint64_t length = 0;
    for (size_t i = 0; i < 8 && size >= 8; i++)
        length |= (uint64_t)bytes[i] << 8 * i;
    if (size < 8 || length > size - 8)
        return 0;
    file->header = json_loadb((const char *)bytes + 8, (size_t)length, 0, NULL);
    const char *text = json_string_value(json_object_get(metadata_of(file), file->noun));
    if (!text || strlen(text) >= sizeof file->text)
        return 0;
    strcpy(file->text, text);
    file->data_size = size - 8 - (size_t)length;
    file->data = malloc(file->data_size + MOST_BYTES);
    CHECK(file->data);
    memcpy(file->data, bytes + 8 + length, file->data_size);
    return 1;
}

static void seal(uint8_t *bytes, size_t size)
{
    char digits[17];
    if (memcmp(bytes + 8, BEFORE_CHECKSUM, sizeof BEFORE_CHECKSUM - 1) != 0)
        return;
    memset(bytes + CHECKSUM_AT, '0', 16);
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits(bytes, size));
    memcpy(bytes + CHECKSUM_AT, digits, 16);
}

/* The new size; 0 if there is not so much room. */
static size_t put_together(const struct sealed *file, uint8_t *bytes, size_t most)
{
    json_object_set_new(metadata_of(file), file->noun, json_string(file->text));
    char *text = json_dumps(file->header, JSON_COMPACT);
    size_t length = text ? strlen(text) : 0, head = (8 + length + 63) / 64 * 64, size = 0;
    if (text && length >= CHECKSUM_AT + 16 && head + file->data_size <= most) {
        size = head + file->data_size;
        for (size_t i = 0; i < 8; i++)
            bytes[i] = (uint8_t)((uint64_t)(head - 8) >> 8 * i);
        memcpy(bytes + 8, text, length);
        memset(bytes + 8 + length, ' ', head - 8 - length);
        memcpy(bytes + head, file->data, file->data_size);
        seal(bytes, size);
    }
    free(text);
    return size;
}

/* --- The tensors ----------------------------------------------------------------------------- */

static const char *found_type(const void *context, const char *name)
{
    const struct sealed *file = context;
    const char *type =
        json_string_value(json_object_get(json_object_get(file->header, name), "dtype"));
    return type ? type : "";
}

static size_t width_of(const char *type)
{
    return strcmp(type, "F32") == 0 || strcmp(type, "U32") == 0 ? 4 : 8;
}

/* 0, 1, 2, ... in a tensor's type: finite, and ascending as knots must be. */
static void write_number(uint8_t *to, const char *type, size_t number)
{
    const uint64_t u64 = number;
    const uint32_t u32 = (uint32_t)number;
    const double f64 = (double)number;
    const float f32 = (float)number;
    memcpy(to,
           *type == 'F' ? (width_of(type) == 4 ? (const void *)&f32 : &f64)
                        : (width_of(type) == 4 ? (const void *)&u32 : &u64),
           width_of(type));
}

/* Copies what a tensor has in the file, and goes on with numbers that it may have. */
static void fill(const struct sealed *file, const struct sealed_tensor *tensor, uint8_t *to,
                 size_t bytes)
{
    json_int_t begin = 0, end = 0;
    size_t kept = 0;
    json_unpack(json_object_get(file->header, tensor->name), "{s:[I, I]}", "data_offsets", &begin,
                &end);
    if (begin >= 0 && begin <= end && (size_t)end <= file->data_size &&
        strcmp(found_type(file, tensor->name), tensor->type) == 0)
        kept = (size_t)(end - begin) < bytes ? (size_t)(end - begin) : bytes;
    memcpy(to, file->data + (kept ? begin : 0), kept);
    for (size_t at = kept; at < bytes; at += width_of(tensor->type))
        write_number(to + at, tensor->type, at / width_of(tensor->type));
}

static size_t bytes_of(const struct sealed_tensor *tensor)
{
    size_t bytes = width_of(tensor->type);
    for (size_t d = 0; d < tensor->rank; d++) {
        if (tensor->shape[d] > MOST_BYTES)
            return MOST_BYTES + 1;
        bytes *= tensor->shape[d];
        if (bytes > MOST_BYTES)
            return bytes;
    }
    return bytes;
}

/* Makes the tensors those that the description asks for, unless they are too large. */
static void fit_tensors(struct sealed *file, sealed_list_fn *list)
{
    static struct sealed_tensor tensors[MOST_SEALED_TENSORS];
    const char *version = json_string_value(json_object_get(metadata_of(file), "format_version"));
    size_t count = list(file->text, version ? atoi(version) : 0, found_type, file, tensors), at = 0;
    uint8_t *data = malloc(2 * MOST_BYTES);
    json_t *header = json_pack("{s:O}", "__metadata__", metadata_of(file));
    CHECK(data && header);
    for (size_t i = 0; i < count && at <= MOST_BYTES; i++) {
        const size_t bytes = bytes_of(&tensors[i]);
        if (bytes > MOST_BYTES)
            break;
        fill(file, &tensors[i], data + at, bytes);
        json_t *shape = json_array();
        for (size_t d = 0; d < tensors[i].rank; d++)
            json_array_append_new(shape, json_integer((json_int_t)tensors[i].shape[d]));
        json_object_set_new(header, tensors[i].name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensors[i].type, "shape",
                                      shape, "data_offsets", (json_int_t)at,
                                      (json_int_t)(at + bytes)));
        at += bytes;
    }
    if (count == 0 || json_object_size(header) != count + 1 || at > MOST_BYTES) {
        json_decref(header);
        free(data);
        return;
    }
    json_decref(file->header);
    free(file->data);
    file->header = header;
    file->data = data;
    file->data_size = at;
}

/* --- Changes --------------------------------------------------------------------------------- */

static json_t *other_integer(json_int_t value)
{
    const uint64_t bits = (uint64_t)value;
    const uint64_t others[] = {0,
                               1,
                               UINT64_MAX,
                               2,
                               3,
                               bits + 1,
                               bits - 1,
                               bits ^ 1,
                               bits / 2,
                               bits * 2,
                               17,
                               1025,
                               4097,
                               65537,
                               (uint64_t)1 << 32,
                               INT64_MAX,
                               1u << 24,
                               random_below(64),
                               (uint64_t)1 << 53,
                               (uint64_t)1 << 63};
    return json_integer((json_int_t)others[random_below(sizeof others / sizeof *others)]);
}

static json_t *other_real(double value)
{
    const double others[] = {0,   -0.0,  1,      -1,         0.5,    1e308,  -1e308,
                             1.5, value, -value, value * 2,  1e-320, 1e-200, 0.999999999999,
                             1e9, 1e150, 1e200,  value / 1e9};
    return json_real(others[random_below(sizeof others / sizeof *others)]);
}

static json_t *other_string(const char *value)
{
    static const char *const words[] = {"",
                                        "none",
                                        "standard",
                                        "robust",
                                        "quantile",
                                        "mse",
                                        "mae",
                                        "huber",
                                        "poisson",
                                        "gamma",
                                        "cross_entropy",
                                        "binary_cross_entropy",
                                        "identity",
                                        "relu",
                                        "leaky_relu",
                                        "tanh",
                                        "logistic",
                                        "elu",
                                        "selu",
                                        "silu",
                                        "mish",
                                        "gelu",
                                        "gelu_tanh",
                                        "softplus",
                                        "sine",
                                        "regression",
                                        "f32",
                                        "classification",
                                        "f64",
                                        "sgd",
                                        "adamw",
                                        "auto",
                                        "\x1b[2J\n",
                                        "\"',;",
                                        " ",
                                        "caf\xc3\xa9"};
    char text[256] = "";
    if (random_below(3) > 0)
        return json_string(words[random_below(sizeof words / sizeof *words)]);
    snprintf(text, sizeof text, "%s", value);
    size_t length = LLVMFuzzerMutate((uint8_t *)text, strlen(text), sizeof text - 1);
    return json_stringn(text, length); /* NULL if it is no UTF-8 */
}

static json_t *other_value(const json_t *value)
{
    switch (random_below(12) == 0 ? JSON_NULL : json_typeof(value)) {
    case JSON_INTEGER:
        return other_integer(json_integer_value(value));
    case JSON_REAL:
        return other_real(json_real_value(value));
    case JSON_STRING:
        return other_string(json_string_value(value));
    case JSON_TRUE:
    case JSON_FALSE:
        return json_boolean(!json_is_true(value));
    default:
        return random_below(2) ? json_integer(2) : json_null();
    }
}

/* Changes an array or object itself: an item more, or less. */
static void change_items(json_t *items)
{
    const size_t count = json_is_array(items) ? json_array_size(items) : json_object_size(items);
    size_t at = count ? random_below(count) : 0;
    if (json_is_array(items) && count && random_below(2))
        json_array_insert_new(items, random_below(count + 1),
                              json_deep_copy(json_array_get(items, at)));
    else if (json_is_array(items))
        json_array_remove(items, at);
    else {
        void *member = json_object_iter(items);
        while (member && at-- > 0)
            member = json_object_iter_next(items, member);
        if (member && random_below(2))
            json_object_set(items, "extra", json_object_iter_value(member));
        else if (member)
            json_object_del(items, json_object_iter_key(member));
    }
}

/* Walks down at random, and changes what is there. */
static void change(json_t *parent)
{
    const int is_array = json_is_array(parent);
    const size_t count = is_array ? json_array_size(parent) : json_object_size(parent);
    if (count == 0 || random_below(12) == 0) {
        change_items(parent);
        return;
    }
    size_t at = random_below(count);
    void *member = is_array ? NULL : json_object_iter(parent);
    for (size_t i = 0; i < at && !is_array; i++)
        member = json_object_iter_next(parent, member);
    json_t *value = is_array ? json_array_get(parent, at) : json_object_iter_value(member);
    if (json_is_array(value) || json_is_object(value)) {
        change(value);
        return;
    }
    json_t *other = other_value(value);
    if (other && is_array)
        json_array_set_new(parent, at, other);
    else if (other)
        json_object_iter_set_new(parent, member, other);
}

static void change_description(struct sealed *file)
{
    json_t *root = json_loads(file->text, 0, NULL);
    if (!json_is_object(root) && !json_is_array(root)) {
        json_decref(root);
        return;
    }
    for (size_t times = 1 + random_below(2); times > 0; times--)
        change(root);
    char *text = json_dumps(root, JSON_COMPACT);
    if (text && strlen(text) < sizeof file->text)
        strcpy(file->text, text);
    free(text);
    json_decref(root);
}

static void change_text(struct sealed *file)
{
    char text[MOST_BYTES];
    strcpy(text, file->text);
    size_t length = LLVMFuzzerMutate((uint8_t *)text, strlen(text), sizeof text - 1);
    json_t *string = json_stringn(text, length);
    if (string && strlen(json_string_value(string)) < sizeof file->text)
        strcpy(file->text, json_string_value(string));
    json_decref(string);
}

size_t sealed_mutate(const char *noun, sealed_list_fn *list, uint8_t *bytes, size_t size,
                     size_t most, unsigned seed)
{
    static struct sealed file;
    enum { DATA, TEXT, HEADER, KINDS = 12 }; /* the rest: the description */
    random_state = seed;
    file = (struct sealed){.noun = noun};
    size_t changed = 0;
    if (take_apart(&file, bytes, size)) {
        const size_t kind = random_below(KINDS);
        if (kind == DATA)
            file.data_size = LLVMFuzzerMutate(file.data, file.data_size, file.data_size + 64);
        else if (kind == TEXT)
            change_text(&file);
        else if (kind == HEADER)
            change(file.header);
        else
            change_description(&file);
        if (kind > HEADER && random_below(4) > 0)
            fit_tensors(&file, list);
        changed = put_together(&file, bytes, most);
    }
    json_decref(file.header);
    free(file.data);
    return changed > 0 ? changed : LLVMFuzzerMutate(bytes, size, most);
}

/* --- Of today -------------------------------------------------------------------------------- */

/* Whether anything in the file has changed with it. */
static int take_configuration(struct sealed *file, const struct sealed *from)
{
    json_t *root = json_loads(file->text, 0, NULL), *other = json_loads(from->text, 0, NULL);
    json_t *today = json_object_get(other, "configuration");
    json_t *version = json_object_get(metadata_of(from), "tulle_version");
    const int is_other =
        json_object_get(root, "configuration") &&
        !(json_equal(json_object_get(root, "configuration"), today) &&
          json_equal(json_object_get(metadata_of(file), "tulle_version"), version));
    if (is_other) {
        json_object_set(root, "configuration", today);
        json_object_set(metadata_of(file), "tulle_version", version);
        char *text = json_dumps(root, JSON_COMPACT);
        CHECK(text && strlen(text) < sizeof file->text);
        strcpy(file->text, text);
        free(text);
    }
    json_decref(root);
    json_decref(other);
    return is_other;
}

uint8_t *sealed_as_today(const char *noun, const uint8_t *bytes, size_t size, const uint8_t *other,
                         size_t other_size, size_t *new_size)
{
    static struct sealed file, from;
    uint8_t *result = NULL;
    file = from = (struct sealed){.noun = noun};
    if (take_apart(&file, bytes, size) && take_apart(&from, other, other_size) &&
        take_configuration(&file, &from)) {
        const size_t most = size + MOST_BYTES;
        result = malloc(most);
        CHECK(result);
        *new_size = put_together(&file, result, most);
        CHECK(*new_size > 0);
    }
    json_decref(file.header);
    json_decref(from.header);
    free(file.data);
    free(from.data);
    return result;
}
