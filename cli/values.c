/* values.c - option values from text and back. Nothing is accepted by halves: "12x" is no number.
 */
#include "values.h"

#include <float.h>
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
    snprintf(expected, sizeof expected, "%sa whole number from %.0f to %.0f",
             type->expected ? type->expected : "", type->minimum, type->maximum);
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

/* As many rows as tulle_train finds right are 0 to it. */
static int parse_count_or_auto(const struct cli_value_type *type, const char *text, void *field,
                               char *problem, size_t size)
{
    if (strcmp(text, "auto") != 0)
        return parse_count(type, text, field, problem, size);
    *(size_t *)field = 0;
    return 0;
}

static int parse_count_or_trial(const struct cli_value_type *type, const char *text, void *field,
                                char *problem, size_t size)
{
    if (strcmp(text, "auto") != 0)
        return parse_count(type, text, field, problem, size);
    *(size_t *)field = TULLE_BY_TRIAL;
    return 0;
}

static void show_count_or_trial(const struct cli_value_type *type, const void *field, char *buffer,
                                size_t size)
{
    if (*(const size_t *)field == TULLE_BY_TRIAL)
        snprintf(buffer, size, "auto");
    else
        show_count(type, field, buffer, size);
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

static int parse_decimal(const struct cli_value_type *type, const char *text, void *field,
                         char *problem, size_t size)
{
    double value;
    if (decimal(text, &value) != 0 || value < type->minimum || value > type->maximum)
        return fail(problem, size, type->expected, text);
    *(double *)field = value;
    return 0;
}

static void show_number(const struct cli_value_type *type, const void *field, char *buffer,
                        size_t size)
{
    (void)type;
    snprintf(buffer, size, "%g", *(const double *)field);
}

/* "90s", "1.5h" */
static int parse_time(const struct cli_value_type *type, const char *text, void *field,
                      char *problem, size_t size)
{
    static const struct {
        char letter;
        int seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}};
    size_t length = strlen(text);
    char digits[32];
    double value;
    for (size_t i = 0; length > 1 && i < sizeof units / sizeof units[0]; i++) {
        snprintf(digits, sizeof digits, "%.*s", (int)length - 1, text);
        if (text[length - 1] != units[i].letter || decimal(digits, &value) != 0 || value <= 0)
            continue;
        *(double *)field = value * units[i].seconds;
        return 0;
    }
    return fail(problem, size, type->expected, text);
}

static void show_time(const struct cli_value_type *type, const void *field, char *buffer,
                      size_t size)
{
    (void)type;
    snprintf(buffer, size, "%gs", *(const double *)field);
}

/* --- Lists --- */

static const char quoted[] = "a name that begins with a double quote to end with one";

static size_t count_items(const char *text)
{
    size_t count = 1;
    for (; *text; text++)
        count += *text == ',';
    return count;
}

/* Copies what goes on to a double quote, of which two stand for one; returns what is behind it,
 * NULL if there is none. */
static const char *unquote(const char *text, char **to)
{
    for (; *text; text++) {
        if (*text == '"' && *++text != '"')
            return text;
        *(*to)++ = *text;
    }
    return NULL;
}

/* Cuts a copy of the text at its commas; the items point into it. As in CSV one that begins with a
 * double quote may hold commas up to the next, behind which the item ends or `next` follows.
 * Returns -1 where that is not so. */
static int split_items(struct cli_names *names, const char *text, char next)
{
    cli_names_free(names);
    names->text = cli_format("%s", text);
    names->items = cli_allocate(count_items(text), sizeof *names->items);
    for (char *to = names->text;; text++) {
        names->items[names->count++] = to;
        if (*text == '"') {
            text = unquote(text + 1, &to);
            if (!text || (*text && *text != ',' && *text != next))
                return -1;
        }
        while (*text && *text != ',')
            *to++ = *text++;
        *to++ = '\0';
        if (!*text)
            return 0;
    }
}

/* A list of names, each of them something, and none twice. */
static int check_names(const struct cli_names *names, const char *text, const char *expected,
                       char *problem, size_t size)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!*names->items[i])
            return fail(problem, size, expected, text);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names->items[i], names->items[j]) == 0) {
                snprintf(problem, size, "'%s' is there twice", names->items[i]);
                return -1;
            }
        }
    }
    return 0;
}

static int parse_names(const struct cli_value_type *type, const char *text, void *field,
                       char *problem, size_t size)
{
    (void)type;
    if (split_items(field, text, ',') != 0)
        return fail(problem, size, quoted, text);
    return check_names(field, text, "names separated by single commas", problem, size);
}

void cli_names_free(struct cli_names *names)
{
    free(names->items);
    free(names->text);
    memset(names, 0, sizeof *names);
}

/* '' is an empty list. */
static int parse_missing(const struct cli_value_type *type, const char *text, void *field,
                         char *problem, size_t size)
{
    struct cli_names *names = field;
    (void)type;
    if (split_items(names, text, ',') != 0)
        return fail(problem, size, quoted, text);
    if (*text)
        return check_names(names, text, "texts separated by single commas", problem, size);
    names->count = 0;
    return 0;
}

/* What the library takes where the list is NULL. */
static void show_missing(const struct cli_value_type *type, const void *field, char *buffer,
                         size_t size)
{
    static const char *const texts[] = TULLE_DEFAULT_MISSING;
    size_t length = 0;
    (void)type, (void)field;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && length < size; i++)
        length += (size_t)snprintf(buffer + length, size - length, "%s%s", i ? "," : "", texts[i]);
}

static int parse_class_weights(const struct cli_value_type *type, const char *text, void *field,
                               char *problem, size_t size)
{
    static const char expected[] = "'balanced', or CLASS=WEIGHT separated by commas";
    struct cli_class_weights *weights = field;
    (void)type;
    if (strcmp(text, "balanced") == 0) {
        weights->balanced = 1;
        return 0;
    }
    if (split_items(&weights->names, text, '=') != 0)
        return fail(problem, size, quoted, text);
    weights->weights = cli_allocate(weights->names.count, sizeof *weights->weights);
    for (size_t i = 0; i < weights->names.count; i++) {
        char *sign = strrchr(weights->names.items[i], '='); /* a class's name may have others */
        if (!sign || decimal(sign + 1, &weights->weights[i]) != 0)
            return fail(problem, size, expected, text);
        if (weights->weights[i] < 0)
            return fail(problem, size, "weights of at least 0", text);
        *sign = '\0';
    }
    return check_names(&weights->names, text, expected, problem, size);
}

static int parse_numbers(const struct cli_value_type *type, const char *text, void *field,
                         char *problem, size_t size)
{
    struct cli_numbers *numbers = field;
    struct cli_names items = {0};
    int result = split_items(&items, text, ',');
    numbers->items = cli_allocate(items.count, sizeof *numbers->items);
    numbers->count = items.count;
    for (size_t i = 0; i < items.count; i++) {
        double value;
        if (decimal(items.items[i], &value) != 0 || value < type->minimum ||
            value > type->maximum || (i > 0 && value <= numbers->items[i - 1]))
            result = -1;
        else
            numbers->items[i] = value;
    }
    cli_names_free(&items);
    return result ? fail(problem, size, type->expected, text) : 0;
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
    size_t length = (size_t)snprintf(problem, size, "unknown value '%s';", text);
    if (nearest != SIZE_MAX && length < size)
        length += (size_t)snprintf(problem + length, size - length, " did you mean '%s'? Expected",
                                   names[nearest]);
    else if (length < size)
        length += (size_t)snprintf(problem + length, size - length, " expected");
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

#define CHOICE(NAME, value, name, formula) {#name, value, formula},
#define END                                                                                        \
    {                                                                                              \
        NULL, 0, NULL                                                                              \
    }
static const struct cli_choice activations[] = {TULLE_ACTIVATION_LIST(CHOICE) END};
static const struct cli_choice fadings[] = {TULLE_FADING_LIST(CHOICE) END};
static const struct cli_choice initializers[] = {TULLE_INITIALIZER_LIST(CHOICE) END};
static const struct cli_choice losses[] = {
    {"auto", TULLE_LOSS_AUTO, "mse for numbers, cross entropy for classes"},
    TULLE_LOSS_LIST(CHOICE) END};
static const struct cli_choice optimizers[] = {TULLE_OPTIMIZER_LIST(CHOICE) END};
static const struct cli_choice parametrizations[] = {TULLE_PARAMETRIZATION_LIST(CHOICE) END};
static const struct cli_choice recipes[] = {TULLE_RECIPE_LIST(CHOICE) END};
static const struct cli_choice scalings[] = {TULLE_SCALING_LIST(CHOICE) END};
static const struct cli_choice schedules[] = {TULLE_SCHEDULE_LIST(CHOICE) END};
static const struct cli_choice tasks[] = {TULLE_TASK_LIST(CHOICE) END};
#undef CHOICE
static const struct cli_choice precisions[] = {
    {"f32", TULLE_F32, NULL}, {"f64", TULLE_F64, NULL}, END};
static const struct cli_choice splits[] = {{"train", TULLE_SPLIT_TRAIN, NULL},
                                           {"valid", TULLE_SPLIT_VALID, NULL},
                                           {"test", TULLE_SPLIT_TEST, NULL},
                                           {"all", TULLE_SPLIT_ALL, NULL},
                                           END};
static const struct cli_choice parts[] = {{"step", CLI_BENCH_STEP, NULL},
                                          {"shapes", CLI_BENCH_SHAPES, NULL},
                                          {"recipes", CLI_BENCH_RECIPES, NULL},
                                          {"predict", CLI_BENCH_PREDICT, NULL},
                                          {"read", CLI_BENCH_READ, NULL},
                                          {"widths", CLI_BENCH_WIDTHS, NULL},
                                          END};
static const struct cli_choice yes_no[] = {{"yes", 1, NULL}, {"no", 0, NULL}, END};
#undef END

/* The upper bounds are beyond any use; they keep typing errors from the arithmetic on sizes. */
#define MOST 1e9
#define ABOVE_0 DBL_TRUE_MIN
#define BELOW_1 (1 - DBL_EPSILON / 2)

const struct cli_value_type cli_type_flag = {.parse = parse_flag};
const struct cli_value_type cli_type_text = {.parse = parse_text};
const struct cli_value_type cli_type_names = {.parse = parse_names};
const struct cli_value_type cli_type_missing = {.parse = parse_missing, .show = show_missing};
const struct cli_value_type cli_type_class_weights = {.parse = parse_class_weights};
const struct cli_value_type cli_type_counts = {parse_counts, NULL, 1, MOST, NULL, NULL};
const struct cli_value_type cli_type_quantiles = {
    parse_numbers, NULL, ABOVE_0, BELOW_1, "ascending numbers between 0 and 1 separated by commas",
    NULL};
const struct cli_value_type cli_type_count = {parse_count, show_count, 1, MOST, NULL, NULL};
const struct cli_value_type cli_type_count_or_none = {parse_count, show_count, 0, MOST, NULL, NULL};
const struct cli_value_type cli_type_count_or_auto = {parse_count_or_auto, NULL, 1, MOST,
                                                      "auto, or ",         NULL};
const struct cli_value_type cli_type_count_or_trial = {
    parse_count_or_trial, show_count_or_trial, 0, MOST, "auto, or ", NULL};
const struct cli_value_type cli_type_folds = {parse_count, show_count, 2, MOST, NULL, NULL};
const struct cli_value_type cli_type_limit = {parse_count, NULL, 1, MOST, NULL, NULL};
const struct cli_value_type cli_type_time = {
    parse_time, show_time, 0, 0, "a time above 0, such as 90s, 10m or 2h", NULL};
const struct cli_value_type cli_type_threads = {parse_threads, show_threads, 0, 4096, NULL, NULL};
const struct cli_value_type cli_type_seed = {parse_seed, show_seed, 0, UINT32_MAX, NULL, NULL};

#define DECIMAL(minimum, maximum, expected)                                                        \
    {                                                                                              \
        parse_decimal, show_number, minimum, maximum, expected, NULL                               \
    }
const struct cli_value_type cli_type_rate = DECIMAL(ABOVE_0, DBL_MAX, "a number above 0");
const struct cli_value_type cli_type_amount = DECIMAL(0, DBL_MAX, "a number of at least 0");
const struct cli_value_type cli_type_factor = DECIMAL(ABOVE_0, 1, "a number above 0, at most 1");
const struct cli_value_type cli_type_fraction = DECIMAL(0, BELOW_1, "a number from 0 to below 1");

#define ONE_OF(choices)                                                                            \
    {                                                                                              \
        parse_choice, show_choice, 0, 0, NULL, choices                                             \
    }
const struct cli_value_type cli_type_yes_no = ONE_OF(yes_no);
const struct cli_value_type cli_type_activation = ONE_OF(activations);
const struct cli_value_type cli_type_fading = ONE_OF(fadings);
const struct cli_value_type cli_type_initializer = ONE_OF(initializers);
const struct cli_value_type cli_type_loss = ONE_OF(losses);
const struct cli_value_type cli_type_optimizer = ONE_OF(optimizers);
const struct cli_value_type cli_type_parametrization = ONE_OF(parametrizations);
const struct cli_value_type cli_type_precision = ONE_OF(precisions);
const struct cli_value_type cli_type_recipe = ONE_OF(recipes);
const struct cli_value_type cli_type_scaling = ONE_OF(scalings);
const struct cli_value_type cli_type_schedule = ONE_OF(schedules);
const struct cli_value_type cli_type_task = ONE_OF(tasks);
const struct cli_value_type cli_type_part = ONE_OF(parts);
const struct cli_value_type cli_type_split = {parse_split, show_choice, 0, 0, NULL, splits};
