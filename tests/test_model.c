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
    assert_int_equal(info->format_version, 3);
    assert_string_equal(info->checksum, "");
    assert_string_equal(info->tulle_version, "9.8.7");
    assert_string_equal(info->inputs[0].name, "rooms");
    assert_string_equal(info->inputs[1].name, "age");
    assert_string_equal(info->targets[0].name, "price");
    assert_string_equal(info->split_column, "split");
    assert_int_equal(info->layers[0].units, 2);
    assert_int_equal(info->parameter_count, 2 * 2 + 2 + 1 * 2 + 1);
    assert_int_equal(info->prediction_count, 1);
    assert_true(info->metrics[0].value[TULLE_METRIC_RMSE] == 1.5);
    assert_true(isnan(info->metrics[2].value[TULLE_METRIC_R2]));
    assert_true(isnan(info->metrics[0].value[TULLE_METRIC_AUC]));
    tulle_model_free(model);
}

static void test_defaults(void **state)
{
    (void)state;
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    example.info.metrics = NULL;
    example.info.task = TULLE_TASK_AUTO;
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_string_equal(info->tulle_version, tulle_version());
    assert_null(info->split_column);
    assert_null(info->weight_column);
    assert_null(info->quantiles);
    assert_null(info->curve);
    assert_int_equal(info->setting_count, 0);
    assert_int_equal(info->front.members, 1);
    assert_null(info->front.numbers);
    assert_int_equal(info->task, TULLE_TASK_REGRESSION);
    assert_int_equal(info->metrics[2].rows, 0);
    assert_true(isnan(info->metrics[2].value[TULLE_METRIC_RMSE]));
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

#define NUMBER(name_, mean_, scale_, minimum_, maximum_)                                           \
    .name = name_, .mean = mean_, .scale = scale_, .minimum = minimum_, .maximum = maximum_

static void test_refused_columns(void **state)
{
    (void)state;
    static const double descending[] = {2, 1}, infinite[] = {1, INFINITY}, knots[] = {1, 2};
    static const char *const same[] = {"a", "b", "a"}, *const bad[] = {"a\xff"};
    static const char *const one[] = {"a"};
    const struct {
        struct tulle_column column;
        const char *part;
    } cases[] = {
        {{NUMBER("rooms", 0, 1, 0, 0)}, "two inputs are named 'rooms'"},
        {{NUMBER("", 0, 1, 0, 0)}, "input 2 has no name"},
        {{NUMBER("caf\xe9", 0, 1, 0, 0)}, "the name of input 2 is not UTF-8"},
        {{NUMBER("\xc0\xaf", 0, 1, 0, 0)}, "not UTF-8"},
        {{NUMBER("\xed\xa0\x80", 0, 1, 0, 0)}, "not UTF-8"},
        {{NUMBER("\xf4\x90\x80\x80", 0, 1, 0, 0)}, "not UTF-8"},
        {{NUMBER("\xe2\x82", 0, 1, 0, 0)}, "not UTF-8"},
        {{NUMBER("age", NAN, 1, 0, 0)}, "input 'age' has mean nan"},
        {{NUMBER("age", 0, 0, 0, 0)}, "scale 0"},
        {{NUMBER("age", 0, -1, 0, 0)}, "scale -1"},
        {{NUMBER("age", 0, INFINITY, 0, 0)}, "scale inf"},
        {{NUMBER("age", 0, NAN, 0, 0)}, "scale"},
        {{NUMBER("age", 0, 1, 2, 1)}, "from 2 to 1"},
        {{NUMBER("age", 0, 1, -INFINITY, 1)}, "from -inf"},
        {{NUMBER("age", 0, 1, 0, NAN)}, "to nan"},
        {{NUMBER("age", 0, 1, 0, 1), .scaling = (enum tulle_scaling)9}, "unknown scaling"},
        {{NUMBER("age", 0, 1, 0, 1), .missing = SIZE_MAX}, "2^53"},
        {{NUMBER("age", 0, 1, 0, 1), .dimensions = 1}, "has no levels"},
        {{NUMBER("age", 0, 1, 0, 1), .scaling = TULLE_SCALING_QUANTILE},
         "has 0 quantiles, expected one"},
        {{NUMBER("age", 0, 1, 0, 1), .scaling = TULLE_SCALING_QUANTILE, .quantiles = NULL,
          .quantile_count = 2},
         "has 2 quantiles"},
        {{NUMBER("age", 0, 1, 0, 1), .scaling = TULLE_SCALING_ROBUST, .quantiles = knots,
          .quantile_count = 1},
         "expected none"},
        {{NUMBER("age", 0, 1, 0, 1), .scaling = TULLE_SCALING_QUANTILE, .quantiles = descending,
          .quantile_count = 2},
         "ascending"},
        {{NUMBER("age", 0, 1, 0, 1), .scaling = TULLE_SCALING_QUANTILE, .quantiles = infinite,
          .quantile_count = 2},
         "not finite"},
        {{NUMBER("age", 0, 1, 0, 1), .is_clamped = 1}, "the input 'age' is clamped"},
        {{"age", .levels = {same, 3}}, "two levels of 'age' are named 'a'"},
        {{"age", .levels = {bad, 1}}, "level 1 of 'age' is not UTF-8"},
        {{"age", .levels = {same, 0}}, "0 levels"},
        {{"age", .levels = {one, 1}, .quantiles = knots, .quantile_count = 1}, "1 quantiles"},
        {{"age", .levels = {one, 1}, .dimensions = SIZE_MAX}, "2^53"},
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
    static const double half[] = {0.5}, descending[] = {0.5, 0.5}, outside[] = {1};
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
    REFUSED(e.targets[0].scaling = TULLE_SCALING_ROBUST, "only inputs can have");
    REFUSED(e.layers[0].units = 0, "no units");
    REFUSED(e.layers[0].activation = (enum tulle_activation)99, "unknown activation");
    REFUSED(e.layers[0].dropout = 1, "dropout");
    REFUSED(e.info.precision = (enum tulle_type)2, "unknown precision");
    REFUSED(e.info.loss = (enum tulle_loss)99, "unknown");
    REFUSED(e.info.loss = TULLE_LOSS_AUTO, "unknown");
    REFUSED(e.info.optimizer = (enum tulle_optimizer)99, "unknown");
    REFUSED(e.info.task = (enum tulle_task)99, "unknown");
    REFUSED(e.info.learning_rate = -1, "learning rate is -1");
    REFUSED(e.info.learning_rate = INFINITY, "learning rate is inf");
    REFUSED(e.info.valid_fraction = 1.5, "fractions");
    REFUSED(e.info.valid_fraction = -0.5, "fractions");
    REFUSED(e.info.test_fraction = NAN, "fractions");
    REFUSED(e.info.split_column = "\xff", "split column");
    REFUSED(e.info.weight_column = "\xff", "weight column");
    REFUSED(e.info.tulle_version = "a version number that has 32 byt", "no version");
    REFUSED(e.info.tulle_version = "\xff", "no version");
    REFUSED(e.info.batch_size = ((size_t)1 << 53) + 1, "2^53");
    REFUSED(e.info.rows[0] = ((size_t)1 << 53) + 1, "2^53");
    REFUSED(e.info.rows[1] = ((size_t)1 << 53) + 1, "2^53");
    REFUSED(e.info.rows[2] = SIZE_MAX, "2^53");
    REFUSED(e.info.best_epoch = 1, "epoch 1 is the best of 0");
    REFUSED(e.info.huber_delta = -1, "huber_delta");
    REFUSED((e.info.loss = TULLE_LOSS_HUBER, e.info.huber_delta = 0), "huber_delta");
    REFUSED(e.info.huber_delta = INFINITY, "huber_delta");
    REFUSED(e.info.label_smoothing = 1, "label_smoothing");
    REFUSED(e.info.label_smoothing = -0.5, "label_smoothing");
    REFUSED((e.info.quantiles = half, e.info.quantile_count = 1), "1 quantiles with the loss mse");
    REFUSED(e.info.loss = TULLE_LOSS_QUANTILE, "0 quantiles with the loss quantile");
    e.info.loss = TULLE_LOSS_QUANTILE;
    e.info.quantiles = outside, e.info.quantile_count = 1;
    assert_refused(&e.info, "quantile 1 is 1");
    e.info.quantiles = descending, e.info.quantile_count = 2;
    assert_refused(&e.info, "quantile 2 is 0.5");
    REFUSED(e.metrics[0].value[TULLE_METRIC_RMSE] = -1, "impossible metrics");
    REFUSED(e.metrics[1].value[TULLE_METRIC_MAE] = -DBL_MIN, "impossible metrics");
    REFUSED(e.metrics[2].value[TULLE_METRIC_R2] = 1.5, "impossible metrics");
    REFUSED(e.metrics[1].rows = SIZE_MAX, "impossible metrics");
}

/* What is just still welcome. */
static void test_limits(void **state)
{
    (void)state;
    static const char *const one[] = {"a"};
    const size_t most = (size_t)1 << 53;
    struct example e;
    struct tulle_error error;
    example_init(&e);
    e.inputs[0].missing = most;
    e.inputs[1] = (struct tulle_column){"age", .levels = {one, 1}, .dimensions = most};
    e.targets[0].minimum = e.targets[0].maximum;
    e.info.tulle_version = "a version number of 31 bytes...";
    e.info.learning_rate = 0;
    e.info.label_smoothing = nextafter(1, 0);
    e.info.valid_fraction = e.info.test_fraction = 1;
    e.info.batch_size = e.info.epochs = e.info.rows[0] = e.info.rows[1] = e.info.rows[2] = most;
    e.info.best_epoch = e.info.curve_count = most;
    set_metrics(&e.metrics[0], most, 0, 0, 1);
    if (tulle_model_check(&e.info, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    e.info.huber_delta = e.info.valid_fraction = e.info.test_fraction = 0;
    assert_int_equal(tulle_model_check(&e.info, NULL), TULLE_OK);
}

static void test_refused_targets(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    struct example e;
    example_init(&e);
    struct tulle_column two[] = {e.targets[0], e.targets[0]};
    e.info.targets = two;
    e.info.target_count = 2;
    e.info.metrics = NULL;
    e.info.task = TULLE_TASK_AUTO;
    assert_refused(&e.info, "two targets are named 'price'");
    two[1].name = "rent";
    e.info.loss = TULLE_LOSS_CROSS_ENTROPY;
    two[0].levels = two[1].levels = (struct tulle_levels){names, 2};
    assert_refused(&e.info, "the loss cross_entropy is for one target, but there are 2");
    e.info.loss = TULLE_LOSS_BINARY_CROSS_ENTROPY;
    two[1].dimensions = 1;
    assert_refused(&e.info, "the target 'rent' has a scaling that only inputs can have");
    two[1].dimensions = 0;
    struct tulle_metrics metrics[6] = {{0}};
    metrics[5].value[TULLE_METRIC_RMSE] = -1;
    e.layers[1].units = 2;
    e.info.metrics = metrics;
    assert_refused(&e.info, "impossible metrics: rmse -1");
}

/* The units of the last layer, and what targets there are, go with the loss. */
static void test_outputs(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c"};
    static const double quantiles[] = {0.1, 0.5, 0.9};
    const struct {
        enum tulle_loss loss;
        enum tulle_task task;
        size_t classes, quantiles, outputs, predictions;
        const char *part; /* NULL: it is welcome */
    } cases[] = {
        {TULLE_LOSS_CROSS_ENTROPY, TULLE_TASK_AUTO, 3, 0, 3, 3, NULL},
        {TULLE_LOSS_CROSS_ENTROPY, TULLE_TASK_AUTO, 3, 0, 1, 0, "'price' has 3 classes"},
        {TULLE_LOSS_CROSS_ENTROPY, TULLE_TASK_AUTO, 0, 0, 3, 0,
         "for classes, but 'price' has numbers"},
        {TULLE_LOSS_CROSS_ENTROPY, TULLE_TASK_REGRESSION, 3, 0, 3, 0, "is for classification"},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, TULLE_TASK_CLASSIFICATION, 2, 0, 1, 2, NULL},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, TULLE_TASK_AUTO, 3, 0, 1, 0, "'price' has 3"},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, TULLE_TASK_AUTO, 2, 0, 2, 0, "there are 1 targets"},
        {TULLE_LOSS_QUANTILE, TULLE_TASK_AUTO, 0, 3, 3, 3, NULL},
        {TULLE_LOSS_QUANTILE, TULLE_TASK_AUTO, 0, 3, 1, 0, "1 targets of 3 quantiles"},
        {TULLE_LOSS_QUANTILE, TULLE_TASK_AUTO, 0, 3, 6, 0, "1 targets of 3 quantiles"},
        {TULLE_LOSS_QUANTILE, TULLE_TASK_AUTO, 2, 3, 3, 0, "'price' has classes"},
        {TULLE_LOSS_MSE, TULLE_TASK_AUTO, 1, 0, 1, 0, "for numbers, but 'price' has classes"},
        {TULLE_LOSS_MAE, TULLE_TASK_CLASSIFICATION, 0, 0, 1, 0, "is for regression"},
        {TULLE_LOSS_POISSON, TULLE_TASK_REGRESSION, 0, 0, 1, 1, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct example e;
        struct tulle_model *model;
        example_init(&e);
        e.info.loss = cases[i].loss;
        e.info.task = cases[i].task;
        if (cases[i].classes > 0)
            e.targets[0].levels = (struct tulle_levels){names, cases[i].classes};
        e.info.quantiles = cases[i].quantiles ? quantiles : NULL;
        e.info.quantile_count = cases[i].quantiles;
        e.layers[1].units = cases[i].outputs;
        if (cases[i].part) {
            assert_refused(&e.info, cases[i].part);
            continue;
        }
        assert_int_equal(tulle_model_create(&e.info, &model, NULL), TULLE_OK);
        assert_int_equal(tulle_model_info(model)->prediction_count, cases[i].predictions);
        assert_int_not_equal(tulle_model_info(model)->task, TULLE_TASK_AUTO);
        tulle_model_free(model);
    }
}

/* The network takes what the encoder gives, and the model owns all that it points to. */
static void test_columns(void **state)
{
    (void)state;
    struct rich rich;
    rich_init(&rich);
    struct tulle_model *model = rich_model();
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(model->network.inputs, 2 + 1 + 1 + 4 + 1);
    assert_int_equal(model->network.layers[0].inputs, 9 + 3 * 2 + 2);
    assert_int_equal(model->network.embedding_count, 1);
    assert_int_equal(model->network.embeddings[0].levels, 5);
    assert_int_equal(info->parameter_count,
                     8 * 17 + 8 + 8 + 2 * (3 * 8 + 3) + 6 * 2 + 3 * (5 + 5 + 2 * 5 + 2) + 2 * 17);
    assert_ptr_not_equal(info->inputs[1].quantiles, rich.inputs[1].quantiles);
    assert_ptr_not_equal(info->inputs[3].levels.names, rich.inputs[3].levels.names);
    assert_ptr_equal(model->encoder.columns, info->inputs);
    assert_string_equal(info->inputs[3].levels.names[1], "green");
    assert_string_equal(info->targets[0].levels.names[2], "virginica");
    assert_true(info->inputs[1].quantiles[3] == 4);
    assert_true(info->curve[1].train_loss == 0.5);
    assert_string_equal(info->weight_column, "weight");
    tulle_model_free(model);
}

static void test_front(void **state)
{
    (void)state;
    struct rich rich;
    struct tulle_model *model;
    rich_init(&rich);
    rich.info.front.frequency_deviation = 0.1;
    rich.info.front.has_factors = 7;
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    memset(rich.numbers, 0xff, sizeof rich.numbers);
    const struct tulle_front *front = &tulle_model_info(model)->front;
    assert_int_equal(front->number_count, 3);
    assert_int_equal(front->numbers[0], 0);
    assert_int_equal(front->numbers[2], 8);
    assert_int_equal(front->frequencies, 5);
    assert_int_equal(front->dimensions, 2);
    assert_int_equal(front->members, 2);
    assert_int_equal(front->has_factors, 1);
    assert_true(front->frequency_deviation == 0);
    assert_int_equal(model->network.members, 2);
    tulle_model_free(model);

    /* Nothing is said of waves that no number has. */
    rich_init(&rich);
    rich.info.front =
        (struct tulle_front){.frequencies = 16, .dimensions = 3, .bins = 7, .has_factors = 1};
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    front = &tulle_model_info(model)->front;
    assert_null(front->numbers);
    assert_int_equal(front->frequencies, 0);
    assert_int_equal(front->bins, 0);
    assert_null(front->knots);
    assert_int_equal(front->dimensions, 0);
    assert_int_equal(front->members, 1);
    assert_int_equal(model->network.layers[0].inputs, 9 + 2);
    tulle_model_free(model);
}

static void test_refused_fronts(void **state)
{
    (void)state;
    static const double knots[] = {1, 2, 2, INFINITY};
    const struct {
        struct tulle_front front;
        const char *part;
    } cases[] = {
        {{(const size_t[]){0, 9}, 2, 2, 5}, "must be inputs, ascending"},
        {{(const size_t[]){2, 2}, 2, 2, 5}, "must be inputs, ascending"},
        {{(const size_t[]){3, 2}, 2, 2, 5}, "must be inputs, ascending"},
        {{(const size_t[]){0}, 1, 2, 0}, "either frequencies or bins"},
        {{(const size_t[]){0}, 1, 2, 5, .bins = 1, .knots = knots}, "either frequencies or bins"},
        {{(const size_t[]){0}, 1, 0, 5}, "at least 1 dimension"},
        {{(const size_t[]){0}, 1, 2, SIZE_MAX / 8}, "at most"},
        {{(const size_t[]){0}, 1, SIZE_MAX, 5}, "at most"},
        {{(const size_t[]){0}, 1, 2, .bins = 2, .knots = knots}, "must be finite and ascend"},
        {{(const size_t[]){0}, 1, 2, .bins = 1, .knots = knots + 2}, "must be finite and ascend"},
        {{.members = 2}, "members need factors"},
        {{.has_factors = 1, .members = SIZE_MAX / 8}, "at most 1024 members"},
    };
    struct rich rich;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rich_init(&rich);
        rich.info.front = cases[i].front;
        assert_refused(&rich.info, cases[i].part);
    }
}

static void test_settings(void **state)
{
    (void)state;
    struct rich rich;
    struct tulle_model *model;
    char name[] = "dropout", value[] = "0.15";
    rich_init(&rich);
    rich.settings[2] = (struct tulle_setting){name, value};
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    name[0] = value[0] = '!';
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->setting_count, 4);
    assert_string_equal(info->settings[0].name, "learning_rate");
    assert_string_equal(info->settings[0].value, "0.04");
    assert_string_equal(info->settings[2].name, "dropout");
    assert_string_equal(info->settings[2].value, "0.15");
    tulle_model_free(model);

    rich.settings[2] = (struct tulle_setting){"learning_rate", "0.1"};
    assert_refused(&rich.info, "two settings are named 'learning_rate'");
    rich.settings[2] = (struct tulle_setting){" ", "0.1"};
    assert_refused(&rich.info, "setting 3 has no name");
    rich.settings[2] = (struct tulle_setting){"caf\xe9", "0.1"};
    assert_refused(&rich.info, "not UTF-8");
    rich.settings[2] = (struct tulle_setting){"dropout", "\xff"};
    assert_refused(&rich.info, "setting 3 has no name, or is not UTF-8 text");
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
    memset(name, 'n', MODEL_LONGEST_HEADER);
    const char *const texts[] = {name, name, name};
    example_init(&example);
    example.info.missing = texts;
    example.info.missing_count = 3;
    assert_refused(&example.info, "drop columns");
    example.inputs[0].name = name;
    assert_refused(&example.info, "drop columns");
    free(name);
}

/* How long a name may be depends on what else must stand in the header, to the byte. */
static void test_longest_names(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "", "bc"};
    const size_t beside[] = {326, 326 - 109 + 70, 326 + 18, 326 + 18 + 18 + 21, 326 + 112};
    char *name = malloc(MODEL_LONGEST_HEADER);
    assert_non_null(name);
    for (int i = 0; i < 5; i++) {
        struct example e;
        struct tulle_error error;
        example_init(&e);
        struct tulle_column targets[] = {e.targets[0], e.targets[0]};
        e.inputs[0].name = name;
        if (i == 1)
            e.inputs[1] = (struct tulle_column){"age", .levels = {texts + 2, 1}};
        if (i == 2)
            e.info.missing = texts, e.info.missing_count = 3;
        if (i == 3)
            e.inputs[1].mean = e.inputs[1].minimum = -0.1, e.targets[0].scale = 5e-324;
        if (i == 4) {
            targets[1].name = "rent";
            e.info.targets = targets, e.info.target_count = e.layers[1].units = 2;
            e.info.metrics = NULL;
        }
        memset(name, 'n', MODEL_LONGEST_HEADER);
        name[MODEL_LONGEST_HEADER - beside[i]] = '\0';
        if (tulle_model_check(&e.info, &error) != TULLE_OK)
            fail_msg("%d: %s", i, error.message);
        name[MODEL_LONGEST_HEADER - beside[i]] = 'n';
        name[MODEL_LONGEST_HEADER - beside[i] + 1] = '\0';
        assert_int_equal(tulle_model_check(&e.info, &error), TULLE_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "drop columns"));
    }
    free(name);
}

/* Wherever in a list the other one is. */
static void test_twins(void **state)
{
    (void)state;
    struct rich rich;
    rich_init(&rich);
    rich.inputs[5].name = "rooms";
    assert_refused(&rich.info, "two inputs are named 'rooms'");
    rich_init(&rich);
    rich.targets[0].name = "rooms";
    assert_refused(&rich.info, "'rooms' is both an input and a target");
    rich_init(&rich);
    rich.settings[3].name = "learning_rate";
    assert_refused(&rich.info, "two settings are named 'learning_rate'");
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
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refused_targets),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_front),
        cmocka_unit_test(test_refused_fronts),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_names_too_long),
        cmocka_unit_test(test_longest_names),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
