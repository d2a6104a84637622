/* test_training.c - the whole job on a table: what goes wrong there, and what must not. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../include/tulle.h"

enum { ROWS = 60, COLUMNS = 3 }; /* a, k, y */

static const char *const names[] = {"a", "k", "y"};
static const char *const target[] = {"y"};
static double values[ROWS * COLUMNS];
static unsigned char splits[ROWS];

/* y = 3 a, k = 0; every fourth row is for validation. */
static int fill(void **state)
{
    (void)state;
    for (size_t r = 0; r < ROWS; r++) {
        values[r * COLUMNS] = (double)(r * 7 % ROWS) / ROWS;
        values[r * COLUMNS + 1] = 0;
        values[r * COLUMNS + 2] = 3 * values[r * COLUMNS];
        splits[r] = r % 4 == 3 ? TULLE_SPLIT_VALID : TULLE_SPLIT_TRAIN;
    }
    return 0;
}

static struct tulle_train_options usual_options(void)
{
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.targets = target;
    options.target_count = 1;
    options.threads = 1;
    return options;
}

static enum tulle_status train(const struct tulle_train_options *options, tulle_model **model,
                               struct tulle_error *error)
{
    tulle_dataset *dataset;
    assert_int_equal(
        tulle_dataset_create(names, tulle_f64(values, ROWS, COLUMNS), splits, &dataset, error),
        TULLE_OK);
    enum tulle_status status = tulle_train(dataset, options, model, error);
    assert_true((status == TULLE_OK) == (*model != NULL));
    tulle_dataset_free(dataset);
    return status;
}

static double predict(const tulle_model *model, double a, double k)
{
    double x[] = {a, k}, y;
    tulle_session *session;
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(x, 1, 2), tulle_f64_out(&y, 1, 1)),
                     TULLE_OK);
    tulle_session_free(session);
    return y;
}

static void test_learns(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    tulle_model *model;
    options.epochs = 300;
    assert_int_equal(train(&options, &model, NULL), TULLE_OK);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->rows[TULLE_SPLIT_TRAIN], 45);
    assert_true(info->metrics[TULLE_SPLIT_TRAIN].r2 > 0.999);
    assert_true(info->metrics[TULLE_SPLIT_VALID].r2 > 0.99);
    assert_int_equal(info->metrics[TULLE_SPLIT_TEST].rows, 0);
    tulle_model_free(model);
}

/* Another value in a column that never changed in training changes nothing. */
static void test_constant_input(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    tulle_model *model;
    options.epochs = 3;
    assert_int_equal(train(&options, &model, NULL), TULLE_OK);
    assert_true(predict(model, 0.5, 0) == predict(model, 0.5, 2024));
    assert_true(predict(model, 0.5, 0) != predict(model, 0.6, 0));
    tulle_model_free(model);
}

static void test_constant_target(void **state)
{
    static const double constants[] = {0, 1e-6, -42, 1e100};
    (void)state;
    for (size_t c = 0; c < sizeof constants / sizeof *constants; c++) {
        struct tulle_train_options options = usual_options();
        tulle_model *model;
        options.epochs = 3;
        for (size_t r = 0; r < ROWS; r++)
            values[r * COLUMNS + 2] = constants[c];
        assert_int_equal(train(&options, &model, NULL), TULLE_OK);
        assert_true(predict(model, 0.3, 0) == constants[c]);
        assert_true(isnan(tulle_model_info(model)->metrics[0].r2));
        assert_true(tulle_model_info(model)->metrics[0].rmse == 0);
        tulle_model_free(model);
    }
}

/* A target far from 0 beside its deviation keeps its digits, in f32 too. */
static void test_offset(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    tulle_model *model;
    options.epochs = 300;
    for (size_t r = 0; r < ROWS; r++)
        values[r * COLUMNS + 2] += 1.7e9;
    assert_int_equal(train(&options, &model, NULL), TULLE_OK);
    assert_true(tulle_model_info(model)->metrics[TULLE_SPLIT_TRAIN].r2 > 0.999);
    assert_true(fabs(predict(model, 0.5, 0) - 1.7e9 - 1.5) < 0.1);
    tulle_model_free(model);
}

/* Whether the loss ends as infinity or only as something absurd, in an epoch or at its last step.
 */
static void test_divergence(void **state)
{
    static const size_t batches[] = {4, 45}, epochs[] = {1, 3, 100};
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (size_t b = 0; b < 2; b++)
            for (size_t e = 0; e < 3; e++) {
                struct tulle_train_options options = usual_options();
                struct tulle_error error;
                tulle_model *model;
                options.precision = (enum tulle_type)precision;
                options.learning_rate = 1000;
                options.batch_size = batches[b];
                options.epochs = epochs[e];
                assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DIVERGED);
                assert_true(strstr(error.message, "in epoch 1 of") ||
                            strstr(error.message, "in epoch 2 of"));
            }
}

/* What the network could not hold is named before training. */
static void test_range(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    struct tulle_error error;
    tulle_model *model;
    values[3 * COLUMNS] = 1e30; /* of validation */
    assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DATA);
    assert_non_null(strstr(error.message, "row 4: column 'a' holds 1e+30"));
    options.precision = TULLE_F64;
    assert_int_equal(train(&options, &model, &error), TULLE_OK);
    tulle_model_free(model);
    fill(NULL);
    values[2] = 1e30;
    options.precision = TULLE_F32;
    options.standardize = 0;
    assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DATA);
    assert_non_null(strstr(error.message, "row 1: column 'y' holds 1e+30"));
}

/* Nor is a prediction that is no number measured as if it were one. */
static void test_evaluate_not_finite(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    struct tulle_error error;
    struct tulle_metrics metrics;
    tulle_dataset *dataset;
    tulle_model *model;
    options.epochs = 1;
    assert_int_equal(train(&options, &model, &error), TULLE_OK);
    values[7 * COLUMNS] = 1e100;
    assert_int_equal(
        tulle_dataset_create(names, tulle_f64(values, ROWS, COLUMNS), splits, &dataset, NULL),
        TULLE_OK);
    assert_int_equal(tulle_evaluate(model, dataset, TULLE_SPLIT_TRAIN, &metrics, &error), TULLE_OK);
    assert_int_equal(tulle_evaluate(model, dataset, TULLE_SPLIT_VALID, &metrics, &error),
                     TULLE_ERROR_DATA);
    assert_non_null(strstr(error.message, "row 8: the prediction of 'y' is not finite"));
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_learns, fill),
        cmocka_unit_test_setup(test_constant_input, fill),
        cmocka_unit_test_setup(test_constant_target, fill),
        cmocka_unit_test_setup(test_offset, fill),
        cmocka_unit_test_setup(test_divergence, fill),
        cmocka_unit_test_setup(test_range, fill),
        cmocka_unit_test_setup(test_evaluate_not_finite, fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
