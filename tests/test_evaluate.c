/* test_evaluate.c - a model measured on tables that are not quite those it was trained on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linear_model.h"

enum { ROWS = 2600 }; /* more than two blocks */

static const char *const colours[] = {"red", "green", "blue"};
static const double identity[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

/* Predicts the most probable of its inputs, each the sum for one class. */
static struct tulle_model *colour_model(const char *const *classes)
{
    const struct tulle_column inputs[] = {number_column("r"), number_column("g"),
                                          number_column("b")};
    const struct tulle_column target = level_column("colour", classes, 3);
    return linear_model((struct tulle_model_info){.inputs = inputs,
                                                  .input_count = 3,
                                                  .targets = &target,
                                                  .target_count = 1,
                                                  .loss = TULLE_LOSS_CROSS_ENTROPY},
                        3, identity);
}

/* Predicts y = a and z = b. */
static struct tulle_model *number_model(void)
{
    const struct tulle_column inputs[] = {number_column("a"), number_column("b")};
    const struct tulle_column targets[] = {number_column("y"), number_column("z")};
    static const double weights[] = {1, 0, 0, 1};
    return linear_model(
        (struct tulle_model_info){
            .inputs = inputs, .input_count = 2, .targets = targets, .target_count = 2},
        2, weights);
}

static tulle_dataset *new_dataset(const char *const *names, size_t columns, const double *values,
                                  size_t rows, const struct tulle_levels *levels,
                                  const unsigned char *splits)
{
    tulle_dataset *dataset;
    assert_int_equal(tulle_dataset_create(names, tulle_f64(values, rows, columns), levels, splits,
                                          &dataset, NULL),
                     TULLE_OK);
    return dataset;
}

static struct tulle_evaluation *evaluate(const struct tulle_model *model,
                                         const tulle_dataset *dataset, enum tulle_split split,
                                         const char *weight_column)
{
    struct tulle_evaluation *evaluation;
    struct tulle_error error = {0};
    if (tulle_evaluate(model, dataset, split, weight_column, &evaluation, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    return evaluation;
}

/* The message of an evaluation that must fail. */
static const char *message(const struct tulle_model *model, const tulle_dataset *dataset,
                           enum tulle_split split, const char *weight_column)
{
    static struct tulle_error error;
    struct tulle_evaluation *evaluation;
    assert_int_not_equal(tulle_evaluate(model, dataset, split, weight_column, &evaluation, &error),
                         TULLE_OK);
    assert_null(evaluation);
    return error.message;
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-13 * fabs(expected)))
        fail_msg("%.17g, expected %.17g", found, expected);
}

/* --- Numbers --------------------------------------------------------------------------------- */

/* Columns in another order, with others between; holes in the targets; a split; weights. */
static void test_numbers(void **state)
{
    enum { A = 4, B = 0, Y = 2, Z = 3, W = 5, COLUMNS = 6 };
    static const char *const names[] = {"b", "x", "y", "z", "a", "w"};
    static double values[ROWS * COLUMNS];
    static unsigned char splits[ROWS];
    struct tulle_model *model = number_model();
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 3);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        values[i] = 24 * tulle_rng_uniform(&rng) - 12;
    for (size_t r = 0; r < ROWS; r++) {
        double *row = values + r * COLUMNS;
        row[W] = fabs(row[W]);
        row[Y] = r % 4 == 0 ? NAN : row[Y];
        row[Z] = r % 6 == 0 ? NAN : row[Z];
        row[B] = r % 8 == 0 ? NAN : row[B]; /* enters as 0 */
        splits[r] = (unsigned char)(r % 3);
    }
    tulle_dataset *dataset = new_dataset(names, COLUMNS, values, ROWS, NULL, splits);
    for (int split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_ALL; split++)
        for (int weighs = 0; weighs < 2; weighs++) {
            struct tulle_evaluation *found = evaluate(model, dataset, split, weighs ? "w" : NULL);
            double y = 0, z = 0, y_weight = 0, z_weight = 0;
            size_t y_rows = 0, z_rows = 0, out_a = 0, out_b = 0;
            for (size_t r = 0; r < ROWS; r++) {
                const double *row = values + r * COLUMNS;
                double weight = weighs ? row[W] : 1, b = isnan(row[B]) ? 0 : row[B];
                if ((split != TULLE_SPLIT_ALL && splits[r] != split) ||
                    (isnan(row[Y]) && isnan(row[Z])))
                    continue;
                out_a += fabs(row[A]) > 10;
                out_b += fabs(b) > 10;
                if (!isnan(row[Y])) {
                    y_rows++;
                    y += weight * fabs(row[A] - row[Y]);
                    y_weight += weight;
                }
                if (!isnan(row[Z])) {
                    z_rows++;
                    z += weight * fabs(b - row[Z]);
                    z_weight += weight;
                }
            }
            assert_int_equal(found->metrics[0].rows, y_rows);
            assert_int_equal(found->metrics[1].rows, z_rows);
            assert_near(found->metrics[0].value[TULLE_METRIC_MAE], y / y_weight);
            assert_near(found->metrics[1].value[TULLE_METRIC_MAE], z / z_weight);
            assert_int_equal(found->out_of_range[0], out_a);
            assert_int_equal(found->out_of_range[1], out_b);
            assert_null(found->confusion);
            assert_int_equal(found->classes, 0);
            tulle_evaluation_free(found);
        }
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* --- Classes --------------------------------------------------------------------------------- */

/* Six rows, r g b and a class: of which the model is right in four, wrong in one, cannot know one,
 * and is not told of a seventh. */
static void check_colours(const struct tulle_model *model, const tulle_dataset *dataset)
{
    static const double confusion[] = {2, 0, 0, 0, 1, 1, 0, 0, 1};
    struct tulle_evaluation *found = evaluate(model, dataset, TULLE_SPLIT_ALL, NULL);
    const double *value = found->metrics[0].value;
    assert_int_equal(found->metrics[0].rows, 6);
    assert_int_equal(found->classes, 3);
    assert_memory_equal(found->confusion, confusion, sizeof confusion);
    assert_near(value[TULLE_METRIC_ACCURACY], 4.0 / 6);
    assert_near(value[TULLE_METRIC_BALANCED_ACCURACY], (1 + 0.5 + 1 + 0) / 4);
    tulle_evaluation_free(found);
}

/* The table's levels are in another order, and it has one that the model has not. */
static void test_levels(void **state)
{
    static const char *const names[] = {"colour", "r", "g", "b"};
    static const char *const table_colours[] = {"blue", "mauve", "red", "green"};
    static const double values[] = {2, 9, 0, 0, 2, 9, 0, 0, 3, 0, 9,   0, 3, 0,
                                    0, 9, 0, 0, 0, 9, 1, 9, 0, 0, NAN, 9, 0, 0};
    const struct tulle_levels levels[4] = {{table_colours, 4}};
    struct tulle_model *model = colour_model(colours);
    tulle_dataset *dataset = new_dataset(names, 4, values, 7, levels, NULL);
    (void)state;
    check_colours(model, dataset);
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* Classes that are numbers: in a numeric column, and as texts of the same numbers. */
static void test_number_classes(void **state)
{
    static const char *const names[] = {"colour", "r", "g", "b"};
    static const char *const classes[] = {"1", "2.50", "-3"};
    static const char *const texts[] = {"+1", "2.5", "-3.0", "7"};
    static const double values[] = {1, 9, 0,  0, 1, 9, 0, 0, 2.5, 0, 9,   0, 2.5, 0,
                                    0, 9, -3, 0, 0, 9, 7, 9, 0,   0, NAN, 9, 0,   0};
    static const double indices[] = {0, 0, 1, 1, 2, 3, NAN};
    double as_texts[sizeof values / sizeof values[0]];
    const struct tulle_levels levels[4] = {{texts, 4}};
    struct tulle_model *model = colour_model(classes);
    (void)state;
    tulle_dataset *dataset = new_dataset(names, 4, values, 7, NULL, NULL);
    check_colours(model, dataset);
    tulle_dataset_free(dataset);
    memcpy(as_texts, values, sizeof values);
    for (int r = 0; r < 7; r++)
        as_texts[r * 4] = indices[r];
    dataset = new_dataset(names, 4, as_texts, 7, levels, NULL);
    check_colours(model, dataset);
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* An unknown level of an input is missing, and counted as out of range; a missing one is not. */
static void test_input_levels(void **state)
{
    static const char *const names[] = {"y", "c"};
    static const char *const table_colours[] = {"blue", "mauve", "red"};
    static const double weights[] = {1, 2, 3, 50}; /* of red, green, blue, missing */
    static const double values[] = {3, 0, 50, 1, 1, 2, 50, NAN};
    const struct tulle_levels levels[2] = {{NULL, 0}, {table_colours, 3}};
    struct tulle_column input = level_column("c", colours, 3);
    const struct tulle_column target = number_column("y");
    (void)state;
    input.missing = 1;
    struct tulle_model *model = linear_model(
        (struct tulle_model_info){
            .inputs = &input, .input_count = 1, .targets = &target, .target_count = 1},
        1, weights);
    tulle_dataset *dataset = new_dataset(names, 2, values, 4, levels, NULL);
    struct tulle_evaluation *found = evaluate(model, dataset, TULLE_SPLIT_ALL, NULL);
    assert_true(found->metrics[0].value[TULLE_METRIC_RMSE] == 0);
    assert_int_equal(found->out_of_range[0], 1);
    tulle_evaluation_free(found);
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* Two targets of two classes each: no confusion matrix. */
static void test_two_class_targets(void **state)
{
    static const char *const answers[] = {"no", "yes"};
    static const char *const names[] = {"a", "b", "p", "q"};
    static const double values[] = {1, 1, 1, 0, -1, 2, 0, 1, 2, -2, 1, 0};
    static const double weights[] = {1, 0, 0, 1};
    const struct tulle_levels levels[4] = {{NULL, 0}, {NULL, 0}, {answers, 2}, {answers, 2}};
    const struct tulle_column inputs[] = {number_column("a"), number_column("b")};
    const struct tulle_column targets[] = {level_column("p", answers, 2),
                                           level_column("q", answers, 2)};
    (void)state;
    struct tulle_model *model =
        linear_model((struct tulle_model_info){.inputs = inputs,
                                               .input_count = 2,
                                               .targets = targets,
                                               .target_count = 2,
                                               .loss = TULLE_LOSS_BINARY_CROSS_ENTROPY},
                     2, weights);
    tulle_dataset *dataset = new_dataset(names, 4, values, 3, levels, NULL);
    struct tulle_evaluation *found = evaluate(model, dataset, TULLE_SPLIT_ALL, NULL);
    assert_true(found->metrics[0].value[TULLE_METRIC_ACCURACY] == 1);
    assert_near(found->metrics[1].value[TULLE_METRIC_ACCURACY], 2.0 / 3);
    assert_true(found->metrics[1].value[TULLE_METRIC_AUC] == 1);
    assert_null(found->confusion);
    tulle_evaluation_free(found);
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* --- What cannot be measured ----------------------------------------------------------------- */

static void test_errors(void **state)
{
    static const char *const names[] = {"a", "b", "y", "z", "w", "v"};
    static const char *const short_names[] = {"a", "bb", "y", "z"};
    double values[] = {1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 0, -2};
    static const unsigned char splits[] = {TULLE_SPLIT_TRAIN, TULLE_SPLIT_TRAIN};
    struct tulle_levels levels[6] = {{NULL, 0}};
    struct tulle_model *model = number_model();
    (void)state;
    tulle_dataset *dataset = new_dataset(short_names, 4, values, 2, NULL, NULL);
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, NULL),
                        "no column 'b'; did you mean 'bb'?");
    tulle_dataset_free(dataset);

    dataset = new_dataset(names, 6, values, 2, NULL, splits);
    assert_string_equal(message(model, dataset, TULLE_SPLIT_TEST, NULL), "has no test rows");
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, "w"),
                        "the weights in column 'w' are all 0");
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, "v"),
                        "row 2: expected a weight of at least 0 in column 'v', got -2");
    assert_non_null(strstr(message(model, dataset, TULLE_SPLIT_ALL, "weight"), "no column"));
    assert_string_equal(message(model, dataset, (enum tulle_split)4, NULL), "unknown split 4");
    tulle_dataset_free(dataset);

    levels[4] = (struct tulle_levels){(const char *const[]){"heavy"}, 1};
    dataset = new_dataset(names, 6, values, 2, levels, NULL);
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, "w"),
                        "column 'w' holds names; weights must be numbers");
    assert_string_equal(message(model, dataset, TULLE_SPLIT_TRAIN, NULL),
                        "was read without a split column, so it has no train rows");
    levels[4] = (struct tulle_levels){NULL, 0};
    tulle_dataset_free(dataset);

    values[1] = 0; /* the level "many" */
    values[7] = NAN;
    levels[1] = (struct tulle_levels){(const char *const[]){"many"}, 1};
    dataset = new_dataset(names, 6, values, 2, levels, NULL);
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, NULL),
                        "column 'b' holds names, such as 'many', where the model was trained on "
                        "numbers; read it as numeric");
    tulle_dataset_free(dataset);

    values[2] = values[3] = values[8] = values[9] = NAN;
    dataset = new_dataset(names, 6, values, 2, NULL, NULL);
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, NULL),
                        "has no rows in which 'y' is not missing");
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* A prediction that overflows is refused by its row, unless nothing is known to hold against it. */
static void test_not_finite(void **state)
{
    static const char *const names[] = {"x", "y"};
    double values[] = {1, 1, 2, 2, 1e150, 3, 4, 4};
    const double weight = 1e200;
    const struct tulle_column input = number_column("x"), target = number_column("y");
    (void)state;
    struct tulle_model *model = linear_model(
        (struct tulle_model_info){
            .inputs = &input, .input_count = 1, .targets = &target, .target_count = 1},
        1, &weight);
    tulle_dataset *dataset = new_dataset(names, 2, values, 4, NULL, NULL);
    assert_string_equal(message(model, dataset, TULLE_SPLIT_ALL, NULL),
                        "row 3: the prediction of 'y' is not finite; a value of this row must be "
                        "far outside what the model was trained on");
    tulle_dataset_free(dataset);
    values[5] = NAN;
    dataset = new_dataset(names, 2, values, 4, NULL, NULL);
    struct tulle_evaluation *found = evaluate(model, dataset, TULLE_SPLIT_ALL, NULL);
    assert_int_equal(found->metrics[0].rows, 3);
    tulle_evaluation_free(found);
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* The same in a block that others follow. */
static void test_not_finite_early(void **state)
{
    static const char *const names[] = {"x", "y"};
    static double values[2 * ROWS];
    const double weight = 1e200;
    const struct tulle_column input = number_column("x"), target = number_column("y");
    (void)state;
    values[6] = 1e150;
    struct tulle_model *model = linear_model(
        (struct tulle_model_info){
            .inputs = &input, .input_count = 1, .targets = &target, .target_count = 1},
        1, &weight);
    tulle_dataset *dataset = new_dataset(names, 2, values, ROWS, NULL, NULL);
    assert_non_null(strstr(message(model, dataset, TULLE_SPLIT_ALL, NULL), "row 4: "));
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* A table of which class was taken for which has a place for each pair of up to 1000. */
static void test_many_classes(void **state)
{
    enum { CLASSES = 1001 };
    static char texts[CLASSES][8];
    static const char *classes[CLASSES];
    static double weights[CLASSES], values[2 * CLASSES];
    static const char *const names[] = {"x", "kind"};
    const struct tulle_column input = number_column("x");
    (void)state;
    for (size_t c = 0; c < CLASSES; c++) {
        snprintf(texts[c], sizeof texts[c], "k%zu", c);
        classes[c] = texts[c];
        values[2 * c + 1] = (double)c;
    }
    weights[7] = 1; /* of x, which is 1 where the class is 7, and else 0 */
    values[2 * 7] = 1;
    for (size_t count = CLASSES - 1; count <= CLASSES; count++) {
        const struct tulle_levels levels[] = {{NULL, 0}, {classes, count}};
        const struct tulle_column target = level_column("kind", classes, count);
        struct tulle_model *model =
            linear_model((struct tulle_model_info){.inputs = &input,
                                                   .input_count = 1,
                                                   .targets = &target,
                                                   .target_count = 1,
                                                   .loss = TULLE_LOSS_CROSS_ENTROPY},
                         count, weights);
        tulle_dataset *dataset = new_dataset(names, 2, values, count, levels, NULL);
        struct tulle_evaluation *found = evaluate(model, dataset, TULLE_SPLIT_ALL, NULL);
        assert_int_equal(found->metrics[0].rows, count);
        assert_int_equal(found->classes, count <= 1000 ? count : 0);
        assert_int_equal(found->confusion != NULL, count <= 1000);
        if (found->confusion)
            assert_true(found->confusion[7 * count + 7] == 1);
        tulle_evaluation_free(found);
        tulle_dataset_free(dataset);
        tulle_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),           cmocka_unit_test(test_levels),
        cmocka_unit_test(test_number_classes),    cmocka_unit_test(test_input_levels),
        cmocka_unit_test(test_two_class_targets), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_not_finite),        cmocka_unit_test(test_not_finite_early),
        cmocka_unit_test(test_many_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
