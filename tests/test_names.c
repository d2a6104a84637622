/* test_names.c - enum values to names and back. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../include/tulle.h"

/* All values of one enum, from 0, have names that lead back to them, and nothing else has. */
#define DEFINE_TEST(type, count)                                                                   \
    static void test_##type##_names(void **state)                                                  \
    {                                                                                              \
        enum tulle_##type value;                                                                   \
        (void)state;                                                                               \
        for (int i = 0; i < (count); i++) {                                                        \
            const char *name = tulle_##type##_name((enum tulle_##type)i);                          \
            assert_non_null(name);                                                                 \
            assert_int_equal(tulle_##type##_from_name(name, &value), TULLE_OK);                    \
            assert_int_equal(value, i);                                                            \
        }                                                                                          \
        assert_null(tulle_##type##_name((enum tulle_##type)(count)));                              \
        assert_null(tulle_##type##_name((enum tulle_##type) - 1));                                 \
        assert_int_equal(tulle_##type##_from_name("", &value), TULLE_ERROR_ARGUMENT);              \
        assert_int_equal(tulle_##type##_from_name("no such", &value), TULLE_ERROR_ARGUMENT);       \
    }

#define ONE_MORE(...) +1

DEFINE_TEST(activation, 0 TULLE_ACTIVATION_LIST(ONE_MORE))
DEFINE_TEST(loss, 0 TULLE_LOSS_LIST(ONE_MORE))
DEFINE_TEST(optimizer, 0 TULLE_OPTIMIZER_LIST(ONE_MORE))
DEFINE_TEST(initializer, 0 TULLE_INITIALIZER_LIST(ONE_MORE))
DEFINE_TEST(scaling, 0 TULLE_SCALING_LIST(ONE_MORE))
DEFINE_TEST(task, 0 TULLE_TASK_LIST(ONE_MORE))
DEFINE_TEST(schedule, 0 TULLE_SCHEDULE_LIST(ONE_MORE))
DEFINE_TEST(parametrization, 0 TULLE_PARAMETRIZATION_LIST(ONE_MORE))
DEFINE_TEST(dialect, 0 TULLE_DIALECT_LIST(ONE_MORE))
DEFINE_TEST(fading, 0 TULLE_FADING_LIST(ONE_MORE))
DEFINE_TEST(recipe, 0 TULLE_RECIPE_LIST(ONE_MORE))
DEFINE_TEST(type, 2)

/* What people and files know them by. */
static void test_some_names(void **state)
{
    (void)state;
    assert_string_equal(tulle_activation_name(TULLE_ACTIVATION_GELU_TANH), "gelu_tanh");
    assert_string_equal(tulle_loss_name(TULLE_LOSS_BINARY_CROSS_ENTROPY), "binary_cross_entropy");
    assert_string_equal(tulle_optimizer_name(TULLE_OPTIMIZER_ADAMW), "adamw");
    assert_string_equal(tulle_initializer_name(TULLE_INITIALIZER_FAN_IN), "fan_in");
    assert_string_equal(tulle_scaling_name(TULLE_SCALING_QUANTILE), "quantile");
    assert_string_equal(tulle_task_name(TULLE_TASK_AUTO), "auto");
    assert_string_equal(tulle_task_name(TULLE_TASK_CLASSIFICATION), "classification");
    assert_string_equal(tulle_schedule_name(TULLE_SCHEDULE_ONE_CYCLE), "one_cycle");
    assert_string_equal(tulle_type_name(TULLE_F64), "f64");
}

static void test_metric_names(void **state)
{
    (void)state;
    assert_string_equal(tulle_metric_name(TULLE_METRIC_RMSE), "rmse");
    assert_string_equal(tulle_metric_name(TULLE_METRIC_BALANCED_ACCURACY), "balanced_accuracy");
    for (int i = 0; i < 0 TULLE_METRIC_LIST(ONE_MORE); i++)
        assert_non_null(tulle_metric_name((enum tulle_metric)i));
    assert_null(tulle_metric_name((enum tulle_metric)(0 TULLE_METRIC_LIST(ONE_MORE))));
}

static void test_split_names(void **state)
{
    enum tulle_split split;
    (void)state;
    for (int i = TULLE_SPLIT_TRAIN; i <= TULLE_SPLIT_ALL; i++) {
        assert_int_equal(tulle_split_from_name(tulle_split_name((enum tulle_split)i), &split),
                         TULLE_OK);
        assert_int_equal(split, i);
    }
    assert_string_equal(tulle_split_name(TULLE_SPLIT_VALID), "valid");
    assert_int_equal(tulle_split_from_name("val", &split), TULLE_OK);
    assert_int_equal(split, TULLE_SPLIT_VALID);
    assert_int_equal(tulle_split_from_name("validation", &split), TULLE_OK);
    assert_int_equal(split, TULLE_SPLIT_VALID);
    assert_int_equal(tulle_split_from_name("", &split), TULLE_ERROR_ARGUMENT);
    assert_null(tulle_split_name((enum tulle_split)4));
}

static void test_nearest(void **state)
{
    static char name[258];
    const char *const names[] = {"rooms", name};
    (void)state;
    memset(name, 'n', sizeof name - 1);
    assert_int_equal(tulle_nearest_name("roms", names, 2), 0);
    assert_int_equal(tulle_nearest_name("nnnnn", names, 2), SIZE_MAX);
    assert_int_equal(tulle_nearest_name(name, names, 2), SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activation_names), cmocka_unit_test(test_loss_names),
        cmocka_unit_test(test_optimizer_names),  cmocka_unit_test(test_initializer_names),
        cmocka_unit_test(test_scaling_names),    cmocka_unit_test(test_task_names),
        cmocka_unit_test(test_schedule_names),   cmocka_unit_test(test_parametrization_names),
        cmocka_unit_test(test_dialect_names),    cmocka_unit_test(test_fading_names),
        cmocka_unit_test(test_recipe_names),     cmocka_unit_test(test_type_names),
        cmocka_unit_test(test_nearest),          cmocka_unit_test(test_some_names),
        cmocka_unit_test(test_metric_names),     cmocka_unit_test(test_split_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
