/* values.c - option values from text and back. Nothing is accepted by halves: "12x" is no number.
 */
#include "values.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../include/tulle.h"
#include "report.h"

enum { MOST_CHOICES = 16 };

static int fail(char *problem, size_t size, const char *expected, const char *got)
{
    snprintf(problem, size, "expected %s, got '%s'", expected, got);
    return -1;
}

/* --- Flags and text --- */

static int parse_flag(const struct cli_value_type *type, const char *text, void *field,
                      char *problem, size_t size)
{
    (void)type, (void)text, (void)problem, (void)size;
    *(int *)field = 1;
    return 0;
}

static int parse_text(const struct cli_value_type *type, const char *text, void *field,
                      char *problem, size_t size)
{
    (void)type;
    if (!*text)
        return fail(problem, size, "a name", text);
    *(const char **)field = text;
    return 0;
}

/* --- Numbers --- */

/* Digits alone: strtoull would take blanks, signs and, for -1, the largest number there is. */
static int whole_number(const char *text, double minimum, double maximum, uint64_t *value)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > 18 || text[length])
        return -1;
    *value = strtoull(text, NULL, 10);
    return (double)*value >= minimum && (double)*value <= maximum ? 0 : -1;
}

static int parse_whole(const struct cli_value_type *type, const char *text, uint64_t *value,
                       char *problem, size_t size)
{
    if (whole_number(text, type->minimum, type->maximum, value) == 0)
        return 0;
    char expected[80];
    snprintf(expected, sizeof expected, "a whole number from %.0f to %.0f", type->minimum,
             type->maximum);
    return fail(problem, size, expected, text);
}

static int parse_count(const struct cli_value_type *type, const char *text, void *field,
                       char *problem, size_t size)
{
    uint64_t value;
    if (parse_whole(type, text, &value, problem, size) != 0)
        return -1;
    *(size_t *)field = (size_t)value;
    return 0;
}

static int parse_threads(const struct cli_value_type *type, const char *text, void *field,
                         char *problem, size_t size)
{
    uint64_t value;
    if (parse_whole(type, text, &value, problem, size) != 0)
        return -1;
    *(unsigned *)field = (unsigned)value;
    return 0;
}

static int parse_seed(const struct cli_value_type *type, const char *text, void *field,
                      char *problem, size_t size)
{
    uint64_t value;
    if (parse_whole(type, text, &value, problem, size) != 0)
        return -1;
    *(uint32_t *)field = (uint32_t)value;
    return 0;
}

static void show_count(const struct cli_value_type *type, const void *field, char *buffer,
                       size_t size)
{
    (void)type;
    snprintf(buffer, size, "%zu", *(const size_t *)field);
}

static void show_threads(const struct cli_value_type *type, const void *field, char *buffer,
                         size_t size)
{
    (void)type;
    snprintf(buffer, size, "%u", *(const unsigned *)field);
}

static void show_seed(const struct cli_value_type *type, const void *field, char *buffer,
                      size_t size)
{
    (void)type;
    snprintf(buffer, size, "%lu", (unsigned long)*(const uint32_t *)field);
}

/* A finite decimal: strtod would also take blanks, hexadecimal, "inf" and "nan". */
static int decimal(const char *text, double *value)
{
    char *end;
    if (!*text || text[strspn(text, "+-.0123456789eE")])
        return -1;
    *value = strtod(text, &end);
    return *end || !isfinite(*value) ? -1 : 0;
}

static int parse_rate(const struct cli_value_type *type, const char *text, void *field,
                      char *problem, size_t size)
{
    double value;
    (void)type;
    if (decimal(text, &value) != 0 || value <= 0)
        return fail(problem, size, "a number above 0", text);
    *(double *)field = value;
    return 0;
}

static int parse_fraction(const struct cli_value_type *type, const char *text, void *field,
                          char *problem, size_t size)
{
    double value;
    (void)type;
    if (decimal(text, &value) != 0 || value < 0 || value >= 1)
        return fail(problem, size, "a number from 0 to below 1", text);
    *(double *)field = value;
    return 0;
}

static void show_number(const struct cli_value_type *type, const void *field, char *buffer,
                        size_t size)
{
    (void)type;
    snprintf(buffer, size, "%g", *(const double *)field);
}

/* --- Lists --- */

static size_t count_items(const char *text)
{
    size_t count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

static int parse_names(const struct cli_value_type *type, const char *text, void *field,
                       char *problem, size_t size)
{
    struct cli_names *names = field;
    (void)type;
    names->text = cli_allocate(strlen(text) + 1, 1);
    strcpy(names->text, text);
    names->items = cli_allocate(count_items(text), sizeof *names->items);
    names->count = 0;
    for (char *name = names->text; name;) {
        char *comma = strchr(name, ',');
        if (comma)
            *comma++ = '\0';
        if (!*name)
            return fail(problem, size, "names separated by single commas", text);
        for (size_t i = 0; i < names->count; i++) {
            if (strcmp(names->items[i], name) == 0) {
                snprintf(problem, size, "'%s' is there twice", name);
                return -1;
            }
        }
        names->items[names->count++] = name;
        name = comma;
    }
    return 0;
}

static int parse_counts(const struct cli_value_type *type, const char *text, void *field,
                        char *problem, size_t size)
{
    struct cli_counts *counts = field;
    free(counts->items);
    counts->items = cli_allocate(count_items(text), sizeof *counts->items);
    counts->count = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    for (const char *item = text; item;) {
        const char *comma = strchr(item, ',');
        char digits[24];
        uint64_t value;
        snprintf(digits, sizeof digits, "%.*s", comma ? (int)(comma - item) : 20, item);
        if (whole_number(digits, type->minimum, type->maximum, &value) != 0)
            return fail(problem, size, "'none', or whole numbers above 0 separated by commas",
                        text);
        counts->items[counts->count++] = (size_t)value;
        item = comma ? comma + 1 : NULL;
    }
    return 0;
}

static void show_counts(const struct cli_value_type *type, const void *field, char *buffer,
                        size_t size)
{
    const struct cli_counts *counts = field;
    size_t length = 0;
    (void)type;
    for (size_t i = 0; i < counts->count && length < size; i++)
        length += (size_t)snprintf(buffer + length, size - length, "%s%zu", i ? "," : "",
                                   counts->items[i]);
}

/* --- Choices --- */

static int parse_choice(const struct cli_value_type *type, const char *text, void *field,
                        char *problem, size_t size)
{
    const char *names[MOST_CHOICES] = {NULL};
    size_t count = 0;
    for (const struct cli_choice *choice = type->choices; choice->name; choice++) {
        if (strcmp(choice->name, text) == 0) {
            memcpy(field, &choice->value, sizeof choice->value); /* an int or an enum */
            return 0;
        }
        names[count++] = choice->name;
    }
    size_t nearest = tulle_nearest_name(text, names, count);
    if (nearest != SIZE_MAX) {
        snprintf(problem, size, "unknown value '%s'; did you mean '%s'?", text, names[nearest]);
        return -1;
    }
    size_t length = (size_t)snprintf(problem, size, "unknown value '%s'; expected", text);
    for (size_t i = 0; i < count && length < size; i++)
        length += (size_t)snprintf(problem + length, size - length, "%s%s",
                                   i == 0           ? " "
                                   : i + 1 == count ? " or "
                                                    : ", ",
                                   names[i]);
    return -1;
}

/* Takes the names that split columns may use, too. */
static int parse_split(const struct cli_value_type *type, const char *text, void *field,
                       char *problem, size_t size)
{
    if (tulle_split_from_name(text, field) == TULLE_OK)
        return 0;
    return parse_choice(type, text, field, problem, size);
}

static void show_choice(const struct cli_value_type *type, const void *field, char *buffer,
                        size_t size)
{
    int value;
    memcpy(&value, field, sizeof value);
    for (const struct cli_choice *choice = type->choices; choice->name; choice++) {
        if (choice->value == value)
            snprintf(buffer, size, "%s", choice->name);
    }
}

#define CHOICE(NAME, value, name, formula) {#name, value},
static const struct cli_choice activations[] = {TULLE_ACTIVATION_LIST(CHOICE){NULL, 0}};
static const struct cli_choice losses[] = {TULLE_LOSS_LIST(CHOICE){NULL, 0}};
static const struct cli_choice optimizers[] = {TULLE_OPTIMIZER_LIST(CHOICE){NULL, 0}};
#undef CHOICE
static const struct cli_choice precisions[] = {{"f32", TULLE_F32}, {"f64", TULLE_F64}, {NULL, 0}};
static const struct cli_choice splits[] = {{"train", TULLE_SPLIT_TRAIN},
                                           {"valid", TULLE_SPLIT_VALID},
                                           {"test", TULLE_SPLIT_TEST},
                                           {"all", TULLE_SPLIT_ALL},
                                           {NULL, 0}};
static const struct cli_choice parts[] = {
    {"step", CLI_BENCH_STEP}, {"shapes", CLI_BENCH_SHAPES}, {"predict", CLI_BENCH_PREDICT},
    {"read", CLI_BENCH_READ}, {"widths", CLI_BENCH_WIDTHS}, {NULL, 0}};
static const struct cli_choice yes_no[] = {{"yes", 1}, {"no", 0}, {NULL, 0}};

/* The upper bounds are beyond any use; they keep typing errors from the arithmetic on sizes. */
#define MOST 1e9

const struct cli_value_type cli_type_flag = {parse_flag, NULL, 0, 0, NULL};
const struct cli_value_type cli_type_text = {parse_text, NULL, 0, 0, NULL};
const struct cli_value_type cli_type_names = {parse_names, NULL, 0, 0, NULL};
const struct cli_value_type cli_type_counts = {parse_counts, show_counts, 1, MOST, NULL};
const struct cli_value_type cli_type_count = {parse_count, show_count, 1, MOST, NULL};
const struct cli_value_type cli_type_threads = {parse_threads, show_threads, 0, 4096, NULL};
const struct cli_value_type cli_type_seed = {parse_seed, show_seed, 0, UINT32_MAX, NULL};
const struct cli_value_type cli_type_rate = {parse_rate, show_number, 0, 0, NULL};
const struct cli_value_type cli_type_fraction = {parse_fraction, show_number, 0, 0, NULL};
const struct cli_value_type cli_type_yes_no = {parse_choice, show_choice, 0, 0, yes_no};
const struct cli_value_type cli_type_activation = {parse_choice, show_choice, 0, 0, activations};
const struct cli_value_type cli_type_loss = {parse_choice, show_choice, 0, 0, losses};
const struct cli_value_type cli_type_optimizer = {parse_choice, show_choice, 0, 0, optimizers};
const struct cli_value_type cli_type_precision = {parse_choice, show_choice, 0, 0, precisions};
const struct cli_value_type cli_type_split = {parse_split, show_choice, 0, 0, splits};
const struct cli_value_type cli_type_part = {parse_choice, show_choice, 0, 0, parts};
