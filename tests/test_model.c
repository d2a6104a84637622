/* test_model.c - what a description must hold to become a model, and that the model is a copy. */
#include "../lib/base/portability.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_support.h"

static void test_copy(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    char name[] = "rooms", split[] = "split", version[] = "9.8.7";
    example.inputs[0].name = name;
    example.info.split_column = split;
    example.info.tulle_version = version;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    memset(&example, 0xff, sizeof example);
    name[0] = split[0] = version[0] = '!';

    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->format_version, 1);
    assert_string_equal(info->checksum, "");
    assert_string_equal(info->tulle_version, "9.8.7");
    assert_string_equal(info->inputs[0].name, "rooms");
    assert_string_equal(info->inputs[1].name, "age");
    assert_string_equal(info->targets[0].name, "price");
    assert_string_equal(info->split_column, "split");
    assert_int_equal(info->layers[0].units, 2);
    assert_int_equal(info->parameter_count, 2 * 2 + 2 + 1 * 2 + 1);
    assert_true(info->metrics[0].rmse == 1.5);
    assert_true(isnan(info->metrics[2].r2));
    tulle_model_free(model);
}

static void test_defaults(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    example.info.metrics = NULL;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_string_equal(info->tulle_version, tulle_version());
    assert_null(info->split_column);
    assert_int_equal(info->metrics[2].rows, 0);
    double weights[4] = {1, 1, 1, 1}, biases[2] = {1, 1};
    assert_int_equal(tulle_model_get_parameters(model, 0, weights, biases), TULLE_OK);
    assert_true(weights[0] == 0 && weights[3] == 0 && biases[1] == 0);
    tulle_model_free(model);
    tulle_model_free(NULL);
}

static void test_parameters(void **state)
{
    (void)state;
    struct tulle_model *model = example_model();
    double weights[4], biases[2];
    assert_int_equal(tulle_model_get_parameters(model, 0, weights, NULL), TULLE_OK);
    assert_int_equal(tulle_model_get_parameters(model, 0, NULL, biases), TULLE_OK);
    assert_true(weights[0] == 1 && weights[1] == -0.5 && weights[2] == 0.25 && weights[3] == 2);
    assert_true(biases[0] == 0.5 && biases[1] == -1);
    assert_int_equal(tulle_model_get_parameters(model, 1, weights, biases), TULLE_OK);
    assert_true(weights[0] == 3 && weights[1] == -1.5 && biases[0] == 0.125);
    assert_int_equal(tulle_model_get_parameters(model, 2, weights, biases), TULLE_ERROR_ARGUMENT);

    assert_true(tulle_model_is_finite(model));
    weights[0] = NAN;
    tulle_arena_set_layer(&model->network, model->parameters, 1, weights, NULL);
    assert_false(tulle_model_is_finite(model));
    tulle_model_free(model);
}

/* Checks that the description is refused, and that its message has `part` in it. */
static void assert_refused(const struct tulle_model_info *info, const char *part)
{
    struct tulle_model *model = (struct tulle_model *)&model;
    struct tulle_error error;
    assert_int_equal(tulle_model_create(info, &model, &error), TULLE_ERROR_ARGUMENT);
    assert_null(model);
    if (!strstr(error.message, part))
        fail_msg("expected '%s' in '%s'", part, error.message);
}

static void test_refused_columns(void **state)
{
    (void)state;
    const struct {
        struct tulle_column column;
        const char *part;
    } cases[] = {
        {{"rooms", 0, 1, 0, 0}, "two inputs are named 'rooms'"},
        {{"", 0, 1, 0, 0}, "input 2 has no name"},
        {{"caf\xe9", 0, 1, 0, 0}, "the name of input 2 is not UTF-8"},
        {{"\xc0\xaf", 0, 1, 0, 0}, "not UTF-8"},
        {{"\xed\xa0\x80", 0, 1, 0, 0}, "not UTF-8"},
        {{"\xf4\x90\x80\x80", 0, 1, 0, 0}, "not UTF-8"},
        {{"\xe2\x82", 0, 1, 0, 0}, "not UTF-8"},
        {{"age", NAN, 1, 0, 0}, "input 'age' has mean nan"},
        {{"age", 0, 0, 0, 0}, "scale 0"},
        {{"age", 0, -1, 0, 0}, "scale -1"},
        {{"age", 0, INFINITY, 0, 0}, "scale inf"},
        {{"age", 0, NAN, 0, 0}, "scale"},
        {{"age", 0, 1, 2, 1}, "from 2 to 1"},
        {{"age", 0, 1, -INFINITY, 1}, "from -inf"},
        {{"age", 0, 1, 0, NAN}, "to nan"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct example example;
        example_init(&example);
        example.inputs[1] = cases[i].column;
        assert_refused(&example.info, cases[i].part);
    }
    /* All lengths of UTF-8, and control characters, are welcome. */
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    example.inputs[1].name = "a\n\"\\\t\x7f caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb7";
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    tulle_model_free(model);
}

static void test_refused_descriptions(void **state)
{
    (void)state;
    struct example e;
#define REFUSED(change, part)                                                                      \
    do {                                                                                           \
        example_init(&e);                                                                          \
        change;                                                                                    \
        assert_refused(&e.info, part);                                                             \
    } while (0)
    REFUSED(e.info.input_count = 0, "at least one input");
    REFUSED(e.info.target_count = 0, "at least one target");
    REFUSED(e.info.layer_count = 0, "at least one layer");
    REFUSED(e.info.layer_count = 1, "2 units, but there are 1 targets");
    REFUSED(e.targets[0].name = "age",
            "'age' is both an input and a target; it must be one of them");
    REFUSED(e.layers[0].units = 0, "no units");
    REFUSED(e.layers[0].activation = (enum tulle_activation)99, "unknown activation");
    REFUSED(e.info.precision = (enum tulle_type)2, "unknown precision");
    REFUSED(e.info.loss = (enum tulle_loss)99, "unknown");
    REFUSED(e.info.optimizer = (enum tulle_optimizer)99, "unknown");
    REFUSED(e.info.learning_rate = -1, "learning rate is -1");
    REFUSED(e.info.learning_rate = INFINITY, "learning rate is inf");
    REFUSED(e.info.valid_fraction = 1.5, "fractions");
    REFUSED(e.info.test_fraction = NAN, "fractions");
    REFUSED(e.info.split_column = "\xff", "split column");
    REFUSED(e.info.tulle_version = "a version number of more than 31 bytes", "no version");
    REFUSED(e.info.batch_size = ((size_t)1 << 53) + 1, "2^53");
    REFUSED(e.info.rows[2] = SIZE_MAX, "2^53");
    REFUSED(e.metrics[0].rmse = -1, "impossible metrics");
    REFUSED(e.metrics[1].mae = -DBL_MIN, "impossible metrics");
    REFUSED(e.metrics[2].r2 = 1.5, "impossible metrics");
}

/* The longest names that a file could have room for, were they all that it holds. */
static void test_names_too_long(void **state)
{
    (void)state;
    char *name = malloc(MODEL_LONGEST_HEADER + 1);
    assert_non_null(name);
    memset(name, 'n', MODEL_LONGEST_HEADER);
    name[MODEL_LONGEST_HEADER] = '\0';
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    example.inputs[0].name = name;
    assert_refused(&example.info, "the names and figures of the columns take more than the "
                                  "20000000 bytes that a model file has room for; drop columns");
    name[MODEL_LONGEST_HEADER / 2] = '\0';
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    tulle_model_free(model);
    example.targets[0].name = name + MODEL_LONGEST_HEADER / 2 + 1;
    assert_refused(&example.info, "drop columns");
    free(name);
}

static void test_too_large(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    struct tulle_error error;
    example_init(&example);
    example.layers[0].units = SIZE_MAX / 4;
    assert_int_equal(tulle_model_create(&example.info, &model, &error), TULLE_ERROR_MEMORY);
    assert_null(model);
    assert_int_equal(error.code, TULLE_ERROR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_refused_columns),
        cmocka_unit_test(test_refused_descriptions),
        cmocka_unit_test(test_names_too_long),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
