/* settings.c - each setting's kind and place, from which its text is made and read. */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../data/number.h"
#include "../data/number_format.h"
#include "settings.h"

/* X(member, kind, condition): the condition of options o is that it has a part in the run. */
#define SETTING_LIST(X)                                                                            \
    X(valid_fraction, number, !has_splits)                                                         \
    X(test_fraction, number, !has_splits)                                                          \
    X(class_weights, class_weights, o->balance_classes || o->class_weight_count > 0)               \
    X(precision, type, 1)                                                                          \
    X(seed, seed, 1)                                                                               \
    X(loss, loss, !o->loss_function)                                                               \
    X(huber_delta, number, !o->loss_function && o->loss == TULLE_LOSS_HUBER)                       \
    X(quantiles, quantiles, !o->loss_function && o->loss == TULLE_LOSS_QUANTILE)                   \
    X(recipe, recipe, 1)                                                                           \
    X(scaling, scaling, 1)                                                                         \
    X(standardize_targets, flag, 1)                                                                \
    X(clamp_predictions, flag, 1)                                                                  \
    X(one_hot_levels, count, 1)                                                                    \
    X(embedding_dimensions, count, 1)                                                              \
    X(number_dimensions, count, 1)                                                                 \
    X(number_bins, bins, 1)                                                                        \
    X(number_frequencies, count, 1)                                                                \
    X(number_deviation, number, 1)                                                                 \
    X(hidden, hidden, 1)                                                                           \
    X(activation, activation, 1)                                                                   \
    X(parametric, flag, 1)                                                                         \
    X(dropout, number, 1)                                                                          \
    X(input_factors, flag, 1)                                                                      \
    X(members, count, 1)                                                                           \
    X(initializer, initializer, 1)                                                                 \
    X(parametrization, parametrization, 1)                                                         \
    X(optimizer, optimizer, 1)                                                                     \
    X(learning_rate, number, 1)                                                                    \
    X(bias_learning_rate, number, 1)                                                               \
    X(mix_learning_rate, number, 1)                                                                \
    X(factor_learning_rate, number, 1)                                                             \
    X(number_learning_rate, number, 1)                                                             \
    X(momentum, number, 1)                                                                         \
    X(beta1, number, 1)                                                                            \
    X(beta2, number, 1)                                                                            \
    X(epsilon, number, 1)                                                                          \
    X(weight_decay, number, 1)                                                                     \
    X(bias_weight_decay, number, 1)                                                                \
    X(clip_norm, number, 1)                                                                        \
    X(averaging, number, 1)                                                                        \
    X(label_smoothing, number, 1)                                                                  \
    X(batch_size, auto_count, 1)                                                                   \
    X(epochs, auto_count, 1)                                                                       \
    X(schedule, schedule, 1)                                                                       \
    X(schedule_factor, number, 1)                                                                  \
    X(schedule_epochs, count, 1)                                                                   \
    X(warmup, number, 1)                                                                           \
    X(fading, fading, 1)                                                                           \
    X(patience, count, 1)                                                                          \
    X(keep_best, flag, 1)

/* Texts one behind the other; without `to` they are only measured. */
struct writer {
    char *to;
    size_t used;
};

/* What there is to be done with a member, `offset` bytes into the options. A kind that no recipe
 * has settings of is only written. */
struct kind {
    int (*is_open)(const struct tulle_train_options *o, size_t offset); /* as the recipe says */
    enum tulle_status (*read)(const char *text, struct tulle_train_options *o, size_t offset);
    void (*write)(const struct tulle_train_options *o, size_t offset, struct writer *writer);
};

#define MEMBER(type, o, offset) ((type *)((char *)(o) + (offset)))
#define CONST_MEMBER(type, o, offset) ((const type *)((const char *)(o) + (offset)))

static void put_bytes(struct writer *writer, const char *bytes, size_t count)
{
    if (writer->to)
        memcpy(writer->to + writer->used, bytes, count);
    writer->used += count;
}

static void put(struct writer *writer, const char *text)
{
    put_bytes(writer, text, strlen(text));
}

/* --- Numbers --------------------------------------------------------------------------------- */

static void put_number(struct writer *writer, double number)
{
    char text[TULLE_NUMBER_SIZE];
    tulle_number_format(number, text);
    put(writer, text);
}

static void put_count(struct writer *writer, uint64_t count)
{
    char text[24], *at = text + sizeof text;
    do
        *--at = (char)('0' + count % 10);
    while ((count /= 10) > 0);
    put_bytes(writer, at, (size_t)(text + sizeof text - at));
}

static enum tulle_status scan_number(const char *text, size_t length, double *number)
{
    return tulle_number_parse(text, length, number) == NUMBER_FINITE ? TULLE_OK
                                                                     : TULLE_ERROR_ARGUMENT;
}

static enum tulle_status scan_count(const char *text, size_t length, size_t *count)
{
    enum { MOST = 1 << 30 };
    double number;
    enum tulle_status status = scan_number(text, length, &number);
    if (status != TULLE_OK || !(number >= 0 && number <= MOST && number == floor(number)))
        return TULLE_ERROR_ARGUMENT;
    *count = (size_t)number;
    return TULLE_OK;
}

static int is_number_open(const struct tulle_train_options *o, size_t offset)
{
    return *CONST_MEMBER(double, o, offset) == TULLE_AUTO;
}

static enum tulle_status read_number(const char *text, struct tulle_train_options *o, size_t offset)
{
    return scan_number(text, strlen(text), MEMBER(double, o, offset));
}

static void write_number(const struct tulle_train_options *o, size_t offset, struct writer *writer)
{
    put_number(writer, *CONST_MEMBER(double, o, offset));
}

static int is_count_open(const struct tulle_train_options *o, size_t offset)
{
    return *CONST_MEMBER(size_t, o, offset) == (size_t)TULLE_AUTO;
}

static enum tulle_status read_count(const char *text, struct tulle_train_options *o, size_t offset)
{
    return scan_count(text, strlen(text), MEMBER(size_t, o, offset));
}

static void write_count(const struct tulle_train_options *o, size_t offset, struct writer *writer)
{
    put_count(writer, *CONST_MEMBER(size_t, o, offset));
}

/* 0 is as many as the number of training rows suggests. */
static enum tulle_status read_auto_count(const char *text, struct tulle_train_options *o,
                                         size_t offset)
{
    return read_count(strcmp(text, "auto") == 0 ? "0" : text, o, offset);
}

static void write_auto_count(const struct tulle_train_options *o, size_t offset,
                             struct writer *writer)
{
    if (*CONST_MEMBER(size_t, o, offset) == 0)
        put(writer, "auto");
    else
        write_count(o, offset, writer);
}

static enum tulle_status read_bins(const char *text, struct tulle_train_options *o, size_t offset)
{
    if (strcmp(text, "auto") != 0)
        return read_count(text, o, offset);
    *MEMBER(size_t, o, offset) = TULLE_BY_TRIAL;
    return TULLE_OK;
}

static void write_bins(const struct tulle_train_options *o, size_t offset, struct writer *writer)
{
    if (*CONST_MEMBER(size_t, o, offset) == TULLE_BY_TRIAL)
        put(writer, "auto");
    else
        write_count(o, offset, writer);
}

static void write_seed(const struct tulle_train_options *o, size_t offset, struct writer *writer)
{
    put_count(writer, *CONST_MEMBER(uint32_t, o, offset));
}

/* --- Choices --------------------------------------------------------------------------------- */

static int is_flag_open(const struct tulle_train_options *o, size_t offset)
{
    return *CONST_MEMBER(int, o, offset) == TULLE_AUTO;
}

static enum tulle_status read_flag(const char *text, struct tulle_train_options *o, size_t offset)
{
    int is_yes = strcmp(text, "yes") == 0;
    *MEMBER(int, o, offset) = is_yes;
    return is_yes || strcmp(text, "no") == 0 ? TULLE_OK : TULLE_ERROR_ARGUMENT;
}

static void write_flag(const struct tulle_train_options *o, size_t offset, struct writer *writer)
{
    put(writer, *CONST_MEMBER(int, o, offset) ? "yes" : "no");
}

#define DEFINE_WRITE(type)                                                                         \
    static void write_##type(const struct tulle_train_options *o, size_t offset,                   \
                             struct writer *writer)                                                \
    {                                                                                              \
        put(writer, tulle_##type##_name(*CONST_MEMBER(enum tulle_##type, o, offset)));             \
    }

#define DEFINE_CHOICE(type)                                                                        \
    DEFINE_WRITE(type)                                                                             \
    static int is_##type##_open(const struct tulle_train_options *o, size_t offset)                \
    {                                                                                              \
        return (int)*CONST_MEMBER(enum tulle_##type, o, offset) == TULLE_AUTO;                     \
    }                                                                                              \
    static enum tulle_status read_##type(const char *text, struct tulle_train_options *o,          \
                                         size_t offset)                                            \
    {                                                                                              \
        return tulle_##type##_from_name(text, MEMBER(enum tulle_##type, o, offset));               \
    }

DEFINE_WRITE(type)
DEFINE_WRITE(loss)
DEFINE_WRITE(recipe)
DEFINE_CHOICE(scaling)
DEFINE_CHOICE(activation)
DEFINE_CHOICE(initializer)
DEFINE_CHOICE(parametrization)
DEFINE_CHOICE(optimizer)
DEFINE_CHOICE(schedule)
DEFINE_CHOICE(fading)

/* --- Lists ----------------------------------------------------------------------------------- */

static int is_hidden_open(const struct tulle_train_options *o, size_t offset)
{
    (void)offset;
    return !o->hidden;
}

static enum tulle_status read_hidden(const char *text, struct tulle_train_options *o, size_t offset)
{
    size_t most = 1, length;
    enum tulle_status status = TULLE_OK;
    (void)offset;
    for (const char *at = text; *at; at++)
        most += *at == ',';
    size_t *units = tulle_calloc(most, sizeof *units);
    if (!units)
        return TULLE_ERROR_MEMORY;
    o->hidden = units;
    o->hidden_count = strcmp(text, "none") == 0 ? 0 : most;
    for (size_t l = 0; status == TULLE_OK && l < o->hidden_count; l++, text += length + 1) {
        length = strcspn(text, ",");
        status = scan_count(text, length, &units[l]);
    }
    return status;
}

static void write_hidden(const struct tulle_train_options *o, size_t offset, struct writer *writer)
{
    (void)offset;
    for (size_t l = 0; l < o->hidden_count; l++) {
        put(writer, l > 0 ? "," : "");
        put_count(writer, o->hidden[l]);
    }
    if (o->hidden_count == 0)
        put(writer, "none");
}

static void write_quantiles(const struct tulle_train_options *o, size_t offset,
                            struct writer *writer)
{
    (void)offset;
    for (size_t q = 0; q < o->quantile_count; q++) {
        put(writer, q > 0 ? "," : "");
        put_number(writer, o->quantiles[q]);
    }
    if (o->quantile_count == 0)
        put(writer, "0.5");
}

/* A class's name, as in CSV where it holds what separates names. */
static void put_class(struct writer *writer, const char *name)
{
    if (!strpbrk(name, ",\"")) {
        put(writer, name);
        return;
    }
    put(writer, "\"");
    for (; *name; name++) {
        put(writer, *name == '"' ? "\"" : "");
        put_bytes(writer, name, 1);
    }
    put(writer, "\"");
}

static void write_class_weights(const struct tulle_train_options *o, size_t offset,
                                struct writer *writer)
{
    (void)offset;
    if (o->balance_classes)
        put(writer, "balanced");
    for (size_t i = 0; i < o->class_weight_count; i++) {
        put(writer, i > 0 || o->balance_classes ? "," : "");
        put_class(writer, o->class_names[i]);
        put(writer, "=");
        put_number(writer, o->class_weights[i]);
    }
}

/* --- All of them ----------------------------------------------------------------------------- */

#define KIND(name)                                                                                 \
    static const struct kind name##_kind = {is_##name##_open, read_##name, write_##name}
#define WRITTEN_KIND(name) static const struct kind name##_kind = {.write = write_##name}
KIND(number);
KIND(count);
KIND(flag);
KIND(hidden);
KIND(scaling);
KIND(activation);
KIND(initializer);
KIND(parametrization);
KIND(optimizer);
KIND(schedule);
KIND(fading);
WRITTEN_KIND(class_weights);
WRITTEN_KIND(type);
WRITTEN_KIND(seed);
WRITTEN_KIND(loss);
WRITTEN_KIND(quantiles);
WRITTEN_KIND(recipe);
static const struct kind bins_kind = {is_count_open, read_bins, write_bins};
static const struct kind auto_count_kind = {is_count_open, read_auto_count, write_auto_count};

static const struct row {
    const char *name;
    size_t offset;
    const struct kind *kind;
} rows[] = {
#define ROW(member, kind, condition)                                                               \
    {#member, offsetof(struct tulle_train_options, member), &kind##_kind},
    SETTING_LIST(ROW)
#undef ROW
};

enum { ROWS = sizeof rows / sizeof *rows };

enum tulle_status tulle_settings_complete(struct tulle_train_options *options,
                                          const struct tulle_setting *settings, size_t count)
{
    enum tulle_status status = TULLE_OK;
    for (size_t i = 0; status == TULLE_OK && i < count; i++) {
        const struct row *row = rows;
        while (row < rows + ROWS && strcmp(row->name, settings[i].name) != 0)
            row++;
        if (row == rows + ROWS || !row->kind->is_open)
            status = TULLE_ERROR_ARGUMENT;
        else if (row->kind->is_open(options, row->offset))
            status = row->kind->read(settings[i].value, options, row->offset);
    }
    return status;
}

/* Writes the texts, and where they stand to `settings` if there is memory for both; returns how
 * many. */
static size_t write_all(const struct tulle_train_options *o, int has_splits,
                        struct tulle_setting *settings, struct writer *writer)
{
#define CONDITION(member, kind, condition) condition,
    const int has_part[] = {SETTING_LIST(CONDITION)};
#undef CONDITION
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!has_part[i])
            continue;
        if (settings)
            settings[count] = (struct tulle_setting){rows[i].name, writer->to + writer->used};
        rows[i].kind->write(o, rows[i].offset, writer);
        put_bytes(writer, "", 1);
        count++;
    }
    return count;
}

struct tulle_setting *tulle_settings_texts(const struct tulle_train_options *options,
                                           int has_splits, size_t *count)
{
    struct writer writer = {NULL, 0};
    *count = write_all(options, has_splits, NULL, &writer);
    size_t size = *count * sizeof(struct tulle_setting);
    char *block = tulle_calloc(size + writer.used, 1);
    if (!block)
        return NULL;
    writer = (struct writer){block + size, 0};
    write_all(options, has_splits, (struct tulle_setting *)block, &writer);
    return (struct tulle_setting *)block;
}
