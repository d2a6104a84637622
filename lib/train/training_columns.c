/* training_columns.c - which columns there are, what task the targets make, and what is learned
 * about each. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/mix64.h"
#include "../data/number.h"
#include "training.h"

#define FAIL_DATA(t, error, ...)                                                                   \
    tulle_fail_at(error, TULLE_ERROR_DATA, (t)->dataset->info.source, 0, 0, __VA_ARGS__)

/* --- Names ----------------------------------------------------------------------------------- */

static enum tulle_status find_column(const struct training *t, const char *name, size_t *column,
                                     struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    *column = tulle_dataset_find(t->dataset, name);
    return *column == SIZE_MAX
               ? tulle_fail_no_column(error, data->source, name, data->names, data->columns)
               : TULLE_OK;
}

static enum tulle_status find_targets(struct training *t, size_t *targets,
                                      struct tulle_error *error)
{
    for (size_t i = 0; i < t->target_count; i++) {
        enum tulle_status status = find_column(t, t->options.targets[i], &targets[i], error);
        if (status != TULLE_OK)
            return status;
        for (size_t j = 0; j < i; j++)
            if (targets[j] == targets[i])
                return tulle_fail(error, TULLE_ERROR_ARGUMENT, "target '%s' is named twice",
                                  t->options.targets[i]);
    }
    return TULLE_OK;
}

static enum tulle_status find_weights(struct training *t, const size_t *targets,
                                      struct tulle_error *error)
{
    const char *name = t->options.weight_column;
    t->weight_column = SIZE_MAX;
    if (!name)
        return TULLE_OK;
    enum tulle_status status = find_column(t, name, &t->weight_column, error);
    for (size_t i = 0; status == TULLE_OK && i < t->target_count; i++)
        if (targets[i] == t->weight_column)
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "column '%s' cannot be both a target and the weights", name);
    if (status == TULLE_OK && t->dataset->info.levels[t->weight_column].count > 0)
        return FAIL_DATA(t, error, "column '%s' holds text, but weights are numbers", name);
    return status;
}

/* --- The task -------------------------------------------------------------------------------- */

/* How many different numbers a column has: at most `most` are told apart. */
static size_t count_values(const struct tulle_dataset_info *data, size_t column, size_t most,
                           int *are_whole)
{
    double seen[32];
    size_t count = 0;
    *are_whole = 1;
    for (size_t r = 0; r < data->rows && count < most; r++) {
        double value = data->values[r * data->columns + column];
        size_t i = 0;
        while (i < count && seen[i] != value)
            i++;
        if (i == count && !isnan(value)) {
            seen[count++] = value;
            *are_whole &= value == floor(value);
        }
    }
    return count;
}

/* A target's own task: text, and numbers of which there are two, are classes. */
static enum tulle_task task_of(const struct training *t, size_t column)
{
    enum { MOST = 32 };
    const struct tulle_dataset_info *data = &t->dataset->info;
    int are_whole;
    if (data->levels[column].count > 0)
        return TULLE_TASK_CLASSIFICATION;
    size_t count = count_values(data, column, MOST, &are_whole);
    if (count == 2)
        return TULLE_TASK_CLASSIFICATION;
    if (count > 2 && count < MOST && are_whole)
        tulle_training_notice(t,
                              "target '%s' has %zu different whole numbers: they are taken as "
                              "amounts; if they are classes, the task is classification",
                              data->names[column], count);
    return TULLE_TASK_REGRESSION;
}

/* By the values of the targets, which must agree. */
static enum tulle_status guess_task(struct training *t, const size_t *targets,
                                    struct tulle_error *error)
{
    const char *const *names = t->dataset->info.names;
    t->task = task_of(t, targets[0]);
    for (size_t i = 1; i < t->target_count; i++)
        if (task_of(t, targets[i]) != t->task)
            return FAIL_DATA(
                t, error, "target '%s' holds %s and target '%s' does not; train a model for each",
                names[targets[i]], t->task == TULLE_TASK_REGRESSION ? "classes" : "amounts",
                names[targets[0]]);
    return TULLE_OK;
}

static enum tulle_status find_task(struct training *t, const size_t *targets,
                                   struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    const struct tulle_train_options *o = &t->options;
    t->task = o->task;
    if (t->task == TULLE_TASK_AUTO && o->loss != TULLE_LOSS_AUTO)
        t->task = tulle_is_of_classes(o->loss) ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION;
    if (t->task == TULLE_TASK_AUTO && o->loss_function)
        t->task = TULLE_TASK_REGRESSION;
    if (t->task == TULLE_TASK_AUTO) {
        enum tulle_status status = guess_task(t, targets, error);
        if (status != TULLE_OK)
            return status;
    }
    if (o->loss != TULLE_LOSS_AUTO &&
        tulle_is_of_classes(o->loss) != (t->task == TULLE_TASK_CLASSIFICATION))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the loss %s is not for %s",
                          tulle_loss_name(o->loss), tulle_task_name(t->task));
    if (o->loss_function && t->task == TULLE_TASK_CLASSIFICATION)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "a loss of your own is for regression, on numeric targets");
    for (size_t i = 0; t->task == TULLE_TASK_REGRESSION && i < t->target_count; i++)
        if (data->levels[targets[i]].count > 0)
            return FAIL_DATA(t, error, "target '%s' holds text, but regression needs numbers",
                             data->names[targets[i]]);
    return TULLE_OK;
}

enum tulle_status tulle_training_find_columns(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    size_t taken = t->target_count + (t->options.weight_column != NULL), input = 0;
    t->columns = tulle_calloc(data->columns + t->target_count, sizeof *t->columns);
    size_t *targets = tulle_calloc(t->target_count, sizeof *targets);
    enum tulle_status status = TULLE_OK;
    if (!t->columns || !targets) {
        status = tulle_fail_memory(error);
        goto out;
    }
    status = find_targets(t, targets, error);
    if (status == TULLE_OK)
        status = find_weights(t, targets, error);
    if (status == TULLE_OK && taken >= data->columns)
        status = FAIL_DATA(t, error, "no column is left to predict from: of %zu, %zu %s%s",
                           data->columns, t->target_count,
                           t->target_count == 1 ? "is the target" : "are targets",
                           t->options.weight_column ? " and one is the weights" : "");
    if (status == TULLE_OK)
        status = find_task(t, targets, error);
    if (status != TULLE_OK)
        goto out;
    for (size_t c = 0; c < data->columns; c++) {
        int is_taken = c == t->weight_column;
        for (size_t i = 0; i < t->target_count; i++)
            is_taken |= targets[i] == c;
        if (!is_taken)
            t->columns[input++] = c;
    }
    t->input_count = input;
    memcpy(t->columns + input, targets, t->target_count * sizeof *targets);
out:
    tulle_free(targets);
    return status;
}

/* --- Fits ------------------------------------------------------------------------------------ */

/* A cell's number, or its name: columns number their levels each in its own way, and by rows that
 * are not for training too. */
static uint64_t hash_cell(const struct tulle_levels *levels, double value)
{
    uint64_t state;
    memcpy(&state, &value, sizeof state);
    if (!levels->names || isnan(value))
        return state;
    state = 0;
    for (const char *at = levels->names[(size_t)value]; *at; at++)
        state = tulle_hash64(state, (unsigned char)*at);
    return state;
}

/* A hash of each input's training values, so that equal ones are found. */
static void hash_inputs(const struct training *t, uint64_t *hashes)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    for (size_t i = 0; i < t->input_count; i++)
        hashes[i] = data->levels[t->columns[i]].names != NULL;
    for (size_t r = 0; r < t->rows[TULLE_SPLIT_TRAIN]; r++) {
        const double *row = data->values + t->order[r] * data->columns;
        for (size_t i = 0; i < t->input_count; i++) {
            size_t c = t->columns[i];
            hashes[i] = tulle_hash64(hashes[i], hash_cell(&data->levels[c], row[c]));
        }
    }
}

static int are_equal(const struct training *t, size_t a, size_t b)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    const char *const *a_names = data->levels[t->columns[a]].names;
    const char *const *b_names = data->levels[t->columns[b]].names;
    if (!a_names != !b_names)
        return 0;
    for (size_t r = 0; r < t->rows[TULLE_SPLIT_TRAIN]; r++) {
        const double *row = data->values + t->order[r] * data->columns;
        double x = row[t->columns[a]], y = row[t->columns[b]];
        int are_names = a_names && !isnan(x + y); /* neither is missing */
        /* not covered: two texts of one hash */
        if (are_names ? strcmp(a_names[(size_t)x], b_names[(size_t)y]) != 0
                      : memcmp(&x, &y, sizeof x) != 0)
            return 0;
    }
    return 1;
}

struct hashed {
    uint64_t hash;
    size_t input;
};

static int compare_hashes(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->input > y->input) - (x->input < y->input);
}

/* first[i] = the column of the first input with the same values as input i. */
static int find_duplicates(const struct training *t, size_t *first)
{
    uint64_t *hashes = tulle_calloc(t->input_count, sizeof *hashes);
    struct hashed *sorted = tulle_calloc(t->input_count, sizeof *sorted);
    int has_memory = hashes && sorted;
    if (has_memory)
        hash_inputs(t, hashes);
    for (size_t i = 0; has_memory && i < t->input_count; i++)
        sorted[i] = (struct hashed){hashes[i], i};
    if (has_memory)
        qsort(sorted, t->input_count, sizeof *sorted, compare_hashes);
    for (size_t i = 0, group = 0; has_memory && i < t->input_count; i++) {
        if (sorted[i].hash != sorted[group].hash)
            group = i;
        size_t original = sorted[group].input, input = sorted[i].input;
        int is_copy = input != original && are_equal(t, original, input);
        first[input] = t->columns[is_copy ? original : input];
    }
    tulle_free(hashes);
    tulle_free(sorted);
    return has_memory;
}

/* Whether no two training rows have the same text. */
static int is_all_different(const struct training *t, const struct tulle_column *column)
{
    enum { FEW = 20 };
    size_t rows = t->rows[TULLE_SPLIT_TRAIN] - column->missing;
    return column->levels.count == rows && rows >= FEW;
}

/* Numbers ascending, and then texts. */
static int compare_names(const void *a, const void *b)
{
    const char *first = *(char *const *)a, *second = *(char *const *)b;
    double x, y;
    int is_first = tulle_number_parse(first, strlen(first), &x) == NUMBER_FINITE;
    int is_second = tulle_number_parse(second, strlen(second), &y) == NUMBER_FINITE;
    if (is_first != is_second)
        return is_second - is_first;
    if (is_first && x != y)
        return x < y ? -1 : 1;
    return strcmp(first, second);
}

/* To alphabetical order, so that neither the order of rows nor rows that do not train decide which
 * class is the second, or which level has which weights. */
static void sort_levels(struct tulle_column *column)
{
    if (column->levels.count > 0)
        qsort((char **)column->levels.names, column->levels.count, sizeof(char *), compare_names);
}

/* Fits the inputs and takes out those that say nothing. */
static enum tulle_status fit_inputs(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    const struct column_fit_options options = {t->options.scaling, t->options.one_hot_levels,
                                               t->options.embedding_dimensions};
    size_t kept = 0, all = t->input_count;
    size_t *first = tulle_calloc(all, sizeof *first);
    enum tulle_status status = TULLE_OK;
    if (!first || !find_duplicates(t, first))
        status = tulle_fail_memory(error);
    for (size_t i = 0; first && status == TULLE_OK && i < all; i++) {
        struct tulle_column *fit = &t->fits[kept];
        const char *name = data->names[t->columns[i]];
        status = tulle_training_poll(t, error);
        if (status == TULLE_OK)
            status = tulle_column_fit(t->dataset, t->columns[i], t->order,
                                      t->rows[TULLE_SPLIT_TRAIN], &options, fit, error);
        if (status != TULLE_OK)
            break;
        sort_levels(fit);
        int is_constant = tulle_column_is_constant(fit);
        if (is_constant)
            tulle_training_notice(t, "input '%s' is left out: it is the same in all training rows",
                                  name);
        else if (first[i] != t->columns[i])
            tulle_training_notice(t, "input '%s' is left out: it is the same as '%s'", name,
                                  data->names[first[i]]);
        else if (is_all_different(t, fit))
            tulle_training_notice(t, "input '%s' is left out: its text differs in every row", name);
        else {
            t->columns[kept++] = t->columns[i];
            continue;
        }
        tulle_column_clear(fit);
    }
    tulle_free(first);
    if (status == TULLE_OK && kept == 0)
        status = FAIL_DATA(t, error,
                           "no input is left to predict from: all %zu are constant or "
                           "have another text in every row",
                           all);
    memmove(t->columns + kept, t->columns + all, t->target_count * sizeof *t->columns);
    t->input_count = kept;
    return status;
}

/* Means of distributions of counts and amounts are above 0; a unit of their size is the mean. */
static enum tulle_status fit_positive(const struct training *t, struct tulle_column *target,
                                      size_t column, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    int is_gamma = t->options.loss == TULLE_LOSS_GAMMA;
    for (size_t i = 0; i < t->rows[TULLE_SPLIT_TRAIN] + t->rows[TULLE_SPLIT_VALID]; i++) {
        double value = data->values[t->order[i] * data->columns + column];
        if (value < 0 || (is_gamma && value == 0))
            return tulle_fail_row(t, t->order[i], error,
                                  "the loss %s needs targets %s 0, but '%s' is %g",
                                  tulle_loss_name(t->options.loss),
                                  is_gamma ? "above" : "of at least", target->name, value);
    }
    target->scale = t->options.standardize_targets && target->mean > 0 ? target->mean : 1;
    target->mean = 0;
    return TULLE_OK;
}

static enum tulle_status fit_class_target(struct training *t, struct tulle_column *target,
                                          size_t column, struct tulle_error *error)
{
    enum { MOST_NUMBERS = 1000 };
    const struct column_fit_options options = {TULLE_SCALING_NONE, SIZE_MAX, 0};
    const struct tulle_levels *data_levels = &t->dataset->info.levels[column];
    size_t rows = t->rows[TULLE_SPLIT_TRAIN];
    enum tulle_status status =
        data_levels->count > 0
            ? tulle_column_fit(t->dataset, column, t->order, rows, &options, target, error)
            : tulle_column_fit_classes(t->dataset, column, t->order, rows, MOST_NUMBERS, target,
                                       error);
    if (status != TULLE_OK)
        return status;
    size_t classes = target->levels.count;
    if (data_levels->count > 0)
        sort_levels(target);
    if (classes == 1)
        return FAIL_DATA(t, error, "target '%s' has only one class in the training rows, '%s'",
                         target->name, target->levels.names[0]);
    if (classes == rows && classes > 2)
        return FAIL_DATA(t, error, "target '%s' has another class in each of the %zu training rows",
                         target->name, rows);
    if (t->target_count > 1 && classes > 2)
        return FAIL_DATA(t, error,
                         "target '%s' has %zu classes; of several targets each may have only two",
                         target->name, classes);
    return TULLE_OK;
}

static enum tulle_status fit_target(struct training *t, size_t i, struct tulle_error *error)
{
    struct tulle_column *target = &t->fits[t->input_count + i];
    size_t column = t->columns[t->input_count + i];
    enum tulle_loss loss = t->options.loss;
    if (t->task == TULLE_TASK_CLASSIFICATION)
        return fit_class_target(t, target, column, error);
    int is_positive = loss == TULLE_LOSS_POISSON || loss == TULLE_LOSS_GAMMA;
    const struct column_fit_options options = {
        is_positive || t->options.standardize_targets ? TULLE_SCALING_STANDARD : TULLE_SCALING_NONE,
        SIZE_MAX, 0};
    enum tulle_status status = tulle_column_fit(
        t->dataset, column, t->order, t->rows[TULLE_SPLIT_TRAIN], &options, target, error);
    target->is_clamped = t->options.clamp_predictions != 0;
    return status == TULLE_OK && is_positive ? fit_positive(t, target, column, error) : status;
}

/* The loss that the task and its targets ask for, where the caller has not. */
static void choose_loss(struct training *t)
{
    const struct tulle_column *target = &t->fits[t->input_count];
    if (t->options.loss != TULLE_LOSS_AUTO)
        return;
    t->options.loss = t->task == TULLE_TASK_REGRESSION ? TULLE_LOSS_MSE
                      : target->levels.count == 2      ? TULLE_LOSS_BINARY_CROSS_ENTROPY
                                                       : TULLE_LOSS_CROSS_ENTROPY;
}

static enum tulle_status make_encoders(struct training *t, struct tulle_error *error)
{
    size_t inputs = t->input_count;
    t->maps = tulle_calloc(inputs + t->target_count, sizeof *t->maps);
    if (!t->maps || !tulle_encoder_init(&t->inputs, t->fits, inputs) ||
        !tulle_encoder_init(&t->targets, t->fits + inputs, t->target_count))
        return tulle_fail_memory(error);
    for (size_t i = 0; i < inputs + t->target_count; i++) {
        const struct tulle_levels *levels = &t->dataset->info.levels[t->columns[i]];
        if (levels->count > 0 && !(t->maps[i] = tulle_level_map(levels, &t->fits[i])))
            return tulle_fail_memory(error);
    }
    t->input_rows = (struct row_encoder){&t->inputs, t->columns, t->maps};
    t->target_rows = (struct row_encoder){&t->targets, t->columns + inputs, t->maps + inputs};
    return TULLE_OK;
}

enum tulle_status tulle_training_fit_columns(struct training *t, struct tulle_error *error)
{
    t->fits = tulle_calloc(t->input_count + t->target_count, sizeof *t->fits);
    if (!t->fits)
        return tulle_fail_memory(error);
    enum tulle_status status = fit_inputs(t, error);
    for (size_t i = 0; status == TULLE_OK && i < t->target_count; i++)
        status = fit_target(t, i, error);
    if (status != TULLE_OK)
        return status;
    choose_loss(t);
    if (t->options.loss == TULLE_LOSS_BINARY_CROSS_ENTROPY)
        for (size_t i = 0; i < t->target_count; i++)
            if (t->fits[t->input_count + i].levels.count > 2)
                return FAIL_DATA(
                    t, error, "binary_cross_entropy is for two classes, but target '%s' has %zu",
                    t->fits[t->input_count + i].name, t->fits[t->input_count + i].levels.count);
    if (t->options.loss == TULLE_LOSS_CROSS_ENTROPY && t->target_count > 1)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "cross_entropy is for one target, got %zu",
                          t->target_count);
    return make_encoders(t, error);
}

/* --- The range ------------------------------------------------------------------------------- */

enum tulle_status tulle_training_check_range(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    /* Squares must be in range too. */
    double limit = sqrt(t->options.precision == TULLE_F32 ? FLT_MAX : DBL_MAX);
    size_t rows = t->rows[0] + t->rows[1] + t->rows[2];
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < t->input_count + t->target_count; i++) {
            const struct tulle_column *column = &t->fits[i];
            double value = data->values[t->order[r] * data->columns + t->columns[i]];
            int is_squashed = i < t->input_count && (column->scaling == TULLE_SCALING_ROBUST ||
                                                     column->scaling == TULLE_SCALING_QUANTILE);
            if (column->levels.count == 0 && !is_squashed &&
                fabs((value - column->mean) / column->scale) > limit)
                return tulle_fail_row(
                    t, t->order[r], error, "column '%s' holds %g, which %s is too large for %s",
                    column->name, value,
                    column->scaling == TULLE_SCALING_NONE ? "unscaled"
                                                          : "beside the training rows' values",
                    tulle_type_name(t->options.precision));
        }
    return TULLE_OK;
}
