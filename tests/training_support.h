/* training_support.h - what the tests of training on tables share: small tables, options that train
 * fast, a record of notices, and comparing models. */
#ifndef TRAINING_SUPPORT_H
#define TRAINING_SUPPORT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/base/utf8.h"
#include "../lib/model/model.h"

/* --- Tables ---------------------------------------------------------------------------------- */

enum { TABLE_ROWS = 400, TABLE_COLUMNS = 8 };

struct table {
    size_t rows, columns;
    const char *names[TABLE_COLUMNS];
    struct tulle_levels levels[TABLE_COLUMNS];
    double values[TABLE_ROWS][TABLE_COLUMNS]; /* the first `columns` of each row are the table's */
    unsigned char splits[TABLE_ROWS];
    int has_splits;
};

/* Adds a column, of missing values as yet; level_names ends with NULL, and is NULL for numbers.
 * Returns its number. */
static inline size_t add_column(struct table *table, const char *name,
                                const char *const *level_names)
{
    size_t column = table->columns++, count = 0;
    assert_true(column < TABLE_COLUMNS);
    while (level_names && level_names[count])
        count++;
    table->names[column] = name;
    table->levels[column] = (struct tulle_levels){level_names, count};
    for (size_t r = 0; r < table->rows; r++)
        table->values[r][column] = NAN;
    return column;
}

static inline void clear_table(struct table *table, size_t rows)
{
    assert_true(rows <= TABLE_ROWS);
    memset(table, 0, sizeof *table);
    table->rows = rows;
}

/* Every fourth row is for validation, and of every eight one for tests. */
static inline void split_table(struct table *table)
{
    table->has_splits = 1;
    for (size_t r = 0; r < table->rows; r++)
        table->splits[r] = r % 4 == 3   ? TULLE_SPLIT_VALID
                           : r % 8 == 6 ? TULLE_SPLIT_TEST
                                        : TULLE_SPLIT_TRAIN;
}

static inline tulle_dataset *new_dataset(const struct table *table)
{
    tulle_dataset *dataset;
    struct tulle_error error;
    if (tulle_dataset_create(table->names,
                             (struct tulle_matrix){table->values, TULLE_F64, table->rows,
                                                   table->columns, TABLE_COLUMNS},
                             table->levels, table->has_splits ? table->splits : NULL, &dataset,
                             &error) != TULLE_OK)
        fail_msg("no dataset: %s", error.message);
    return dataset;
}

static const char *const colours[] = {"red", "green", "blue", NULL};
static const char *const cities[] = {"Aix",   "Bonn", "Cork", "Dax",  "Essen", "Faro",
                                     "Genoa", "Hull", "Ivry", "Jena", "Kiel",  NULL};

enum { A, B, COLOUR, CITY, Y };

/* All kinds of inputs: a number, one that is missing now and then, a category to be one-hot and one
 * to be embedded; and y, a number that depends on them all. */
static inline void make_table(struct table *table, size_t rows)
{
    struct tulle_rng rng;
    clear_table(table, rows);
    add_column(table, "a", NULL);
    add_column(table, "b", NULL);
    add_column(table, "colour", colours);
    add_column(table, "city", cities);
    add_column(table, "y", NULL);
    tulle_rng_seed(&rng, 5);
    for (size_t r = 0; r < rows; r++) {
        double *row = table->values[r];
        row[A] = 10 * tulle_rng_uniform(&rng);
        row[B] = r % 9 == 4 ? NAN : tulle_rng_uniform(&rng) - 5;
        row[COLOUR] = (double)tulle_rng_integer(&rng, 2);
        row[CITY] = r < 11 ? (double)r : (double)tulle_rng_integer(&rng, 10);
        row[Y] = row[A] + (isnan(row[B]) ? 3 : 4 * row[B]) + 2 * row[COLOUR] + 0.5 * row[CITY];
    }
}

/* Turns y into three classes. */
static inline void make_classes(struct table *table)
{
    for (size_t r = 0; r < table->rows; r++)
        table->values[r][Y] = floor(fmod(fabs(table->values[r][Y]), 3));
    table->levels[Y] = table->levels[COLOUR];
}

/* --- Training -------------------------------------------------------------------------------- */

/* The notices of a training, one a line, and how often progress was called; a test's own record
 * begins with it. */
struct watch {
    char notices[4096];
    size_t calls;
};

static inline void take_notice(const char *text, void *user)
{
    struct watch *watch = user;
    size_t length = strlen(watch->notices);
    assert_true(text[0] != '\0');
    assert_null(strchr(text, '\n'));
    assert_true(tulle_is_utf8(text));
    snprintf(watch->notices + length, sizeof watch->notices - length, "%s\n", text);
}

static inline size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static const char *const target_y[] = {"y"};
static const size_t few_units[] = {12};

/* A small network, trained for as long as a test may take. */
static inline struct tulle_train_options small_options(void)
{
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.targets = target_y;
    options.target_count = 1;
    options.recipe = TULLE_RECIPE_NOTEBOOK;
    options.hidden = few_units;
    options.hidden_count = 1;
    options.epochs = 10;
    options.batch_size = 16;
    options.threads = 1;
    options.seed = 3;
    return options;
}

static inline tulle_model *train_dataset(const tulle_dataset *dataset,
                                         const struct tulle_train_options *options)
{
    tulle_model *model;
    struct tulle_error error;
    if (tulle_train(dataset, options, &model, &error) != TULLE_OK)
        fail_msg("training failed: %s", error.message);
    assert_non_null(model);
    return model;
}

static inline tulle_model *train_table(const struct table *table,
                                       const struct tulle_train_options *options)
{
    tulle_dataset *dataset = new_dataset(table);
    tulle_model *model = train_dataset(dataset, options);
    tulle_dataset_free(dataset);
    return model;
}

/* Training fails with this status and a message that holds the text, which is one line. */
static inline void refuse_dataset(const tulle_dataset *dataset,
                                  const struct tulle_train_options *options,
                                  enum tulle_status status, const char *text)
{
    tulle_model *model = (tulle_model *)&status;
    struct tulle_error error;
    enum tulle_status found = tulle_train(dataset, options, &model, &error);
    assert_null(model);
    if (found != status || error.code != status || !strstr(error.message, text))
        fail_msg("expected %s, \"%s\"; got %s, \"%s\"", tulle_status_text(status), text,
                 tulle_status_text(found), found == TULLE_OK ? "" : error.message);
    assert_null(strchr(error.message, '\n'));
    assert_true(tulle_is_utf8(error.message));
    assert_true(error.line == 0 && error.column == 0); /* of the table's file nothing is known */
}

static inline void refuse(const struct table *table, const struct tulle_train_options *options,
                          enum tulle_status status, const char *text)
{
    tulle_dataset *dataset = new_dataset(table);
    refuse_dataset(dataset, options, status, text);
    tulle_dataset_free(dataset);
}

/* --- Models ---------------------------------------------------------------------------------- */

static inline double metric(const tulle_model *model, enum tulle_split split,
                            enum tulle_metric number)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    return info->metrics[(size_t)split * info->target_count].value[number];
}

/* The prediction for one row of values, one for each of the model's inputs, at `place` among the
 * row's predictions. */
static inline double predict_row(const tulle_model *model, const double *row, size_t place)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    tulle_session *session;
    double *out = calloc(info->prediction_count, sizeof *out);
    assert_non_null(out);
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(row, 1, info->input_count),
                                           tulle_f64_out(out, 1, info->prediction_count)),
                     TULLE_OK);
    double found = out[place];
    tulle_session_free(session);
    free(out);
    return found;
}

static inline int same_bits(const tulle_model *a, const tulle_model *b)
{
    const struct network *network = &a->network;
    return network->arena_size == b->network.arena_size &&
           memcmp(a->parameters, b->parameters,
                  network->arena_size * tulle_type_size(network->precision)) == 0;
}

static inline const struct tulle_column *find_input(const tulle_model *model, const char *name)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    for (size_t i = 0; i < info->input_count; i++)
        if (strcmp(info->inputs[i].name, name) == 0)
            return &info->inputs[i];
    return NULL;
}

#endif
