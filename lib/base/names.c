/* names.c - enum values and their names, and the name that was probably meant. */
#include "portability.h"

#include <string.h>

#include "../../include/tulle.h"
#include "memory.h"

#define NAME(NAME, value, name, ...) [value] = #name,
static const char *const activation_names[] = {TULLE_ACTIVATION_LIST(NAME)};
static const char *const loss_names[] = {TULLE_LOSS_LIST(NAME)};
static const char *const optimizer_names[] = {TULLE_OPTIMIZER_LIST(NAME)};
static const char *const initializer_names[] = {TULLE_INITIALIZER_LIST(NAME)};
static const char *const scaling_names[] = {TULLE_SCALING_LIST(NAME)};
static const char *const task_names[] = {TULLE_TASK_LIST(NAME)};
static const char *const schedule_names[] = {TULLE_SCHEDULE_LIST(NAME)};
static const char *const parametrization_names[] = {TULLE_PARAMETRIZATION_LIST(NAME)};
static const char *const dialect_names[] = {TULLE_DIALECT_LIST(NAME)};
static const char *const fading_names[] = {TULLE_FADING_LIST(NAME)};
static const char *const recipe_names[] = {TULLE_RECIPE_LIST(NAME)};
static const char *const metric_names[] = {TULLE_METRIC_LIST(NAME)};
static const char *const type_names[] = {[TULLE_F32] = "f32", [TULLE_F64] = "f64"};
#undef NAME

#define COUNT(names) (sizeof(names) / sizeof((names)[0]))

/* The index of name, count if it is none of them. */
static size_t find(const char *name, const char *const *names, size_t count)
{
    size_t i = 0;
    while (i < count && strcmp(name, names[i]) != 0)
        i++;
    return i;
}

#define DEFINE_NAME(type)                                                                          \
    const char *tulle_##type##_name(enum tulle_##type value)                                       \
    {                                                                                              \
        return (size_t)value < COUNT(type##_names) ? type##_names[value] : NULL;                   \
    }

#define DEFINE_FROM_NAME(type)                                                                     \
    enum tulle_status tulle_##type##_from_name(const char *name, enum tulle_##type *value)         \
    {                                                                                              \
        size_t i = find(name, type##_names, COUNT(type##_names));                                  \
        if (i == COUNT(type##_names))                                                              \
            return TULLE_ERROR_ARGUMENT;                                                           \
        *value = (enum tulle_##type)i;                                                             \
        return TULLE_OK;                                                                           \
    }

#define DEFINE_NAMES(type) DEFINE_NAME(type) DEFINE_FROM_NAME(type)

DEFINE_NAMES(activation)
DEFINE_NAMES(loss)
DEFINE_NAMES(optimizer)
DEFINE_NAMES(initializer)
DEFINE_NAMES(scaling)
DEFINE_NAMES(task)
DEFINE_NAMES(schedule)
DEFINE_NAMES(parametrization)
DEFINE_NAMES(dialect)
DEFINE_NAMES(fading)
DEFINE_NAMES(recipe)
DEFINE_NAMES(type)
DEFINE_NAME(metric)

/* The first name of a split is the one it is shown by. */
static const struct {
    const char *name;
    enum tulle_split split;
} split_names[] = {
    {"train", TULLE_SPLIT_TRAIN},      {"valid", TULLE_SPLIT_VALID}, {"val", TULLE_SPLIT_VALID},
    {"validation", TULLE_SPLIT_VALID}, {"test", TULLE_SPLIT_TEST},   {"all", TULLE_SPLIT_ALL},
};

const char *tulle_split_name(enum tulle_split split)
{
    for (size_t i = 0; i < COUNT(split_names); i++)
        if (split_names[i].split == split)
            return split_names[i].name;
    return NULL;
}

enum tulle_status tulle_split_from_name(const char *name, enum tulle_split *split)
{
    for (size_t i = 0; i < COUNT(split_names); i++)
        if (strcmp(split_names[i].name, name) == 0) {
            *split = split_names[i].split;
            return TULLE_OK;
        }
    return TULLE_ERROR_ARGUMENT;
}

/* Levenshtein's distance (1966) by one row of the table; SIZE_MAX if there is no memory. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t *row = tulle_calloc(b_length + 1, sizeof *row);
    if (!row)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = replaced < best ? replaced : best;
        }
    }
    size_t distance = row[b_length];
    tulle_free(row);
    return distance;
}

size_t tulle_nearest_name(const char *name, const char *const *names, size_t count)
{
    size_t nearest = SIZE_MAX, nearest_distance = SIZE_MAX;
    size_t length = strlen(name);
    if (length > 256) /* no typing error, and the table below would be large */
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(names[i]);
        size_t longer = length > other ? length : other;
        if (other > 256)
            continue;
        size_t distance = edit_distance(name, names[i]);
        if (distance < nearest_distance && distance <= (longer + 2) / 3 && distance < longer) {
            nearest = i;
            nearest_distance = distance;
        }
    }
    return nearest;
}
