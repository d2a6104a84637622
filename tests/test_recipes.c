/* test_recipes.c - recipes: their settings, and training by them on tables that are small or have
 * little to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/train/settings.h"
#include "training_support.h"

enum { RECIPES = TULLE_RECIPE_NOTEBOOK + 1 };

static const size_t narrow[] = {15, 9};

/* What a caller who knows nothing asks for, but quicker. */
static struct tulle_train_options options_of(int recipe)
{
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.targets = target_y;
    options.target_count = 1;
    options.recipe = (enum tulle_recipe)recipe;
    options.hidden = narrow;
    options.hidden_count = 2;
    options.epochs = 4;
    options.threads = 1;
    return options;
}

static const char *setting(const struct tulle_model_info *info, const char *name)
{
    for (size_t i = 0; i < info->setting_count; i++)
        if (strcmp(info->settings[i].name, name) == 0)
            return info->settings[i].value;
    fail_msg("the model has no setting '%s'", name);
    return NULL;
}

/* --- The table of recipes -------------------------------------------------------------------- */

/* Each says all that can be said, in the options' order, as training itself would. */
static void test_whole(void **state)
{
    (void)state;
    for (int recipe = 0; recipe < RECIPES; recipe++)
        for (int is_of_classes = 0; is_of_classes < 2; is_of_classes++) {
            struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
            size_t said, all, first = 0;
            const struct tulle_setting *settings =
                tulle_recipe_settings((enum tulle_recipe)recipe, is_of_classes, &said);
            options.loss = TULLE_LOSS_MSE;
            assert_int_equal(tulle_settings_complete(&options, settings, said), TULLE_OK);
            struct tulle_setting *texts = tulle_settings_texts(&options, 0, &all);
            assert_non_null(texts);
            while (strcmp(texts[first].name, "recipe") != 0)
                first++;
            assert_int_equal(all - (first + 1), said);
            for (size_t i = 0; i < said; i++) {
                assert_string_equal(settings[i].name, texts[first + 1 + i].name);
                assert_string_equal(settings[i].value, texts[first + 1 + i].value);
            }
            tulle_free(texts);
            tulle_free((size_t *)options.hidden);
        }
}

static void test_unknown(void **state)
{
    size_t count = 7;
    (void)state;
    assert_null(tulle_recipe_settings((enum tulle_recipe)RECIPES, 0, &count));
    assert_int_equal(count, 0);
    assert_null(tulle_recipe_settings((enum tulle_recipe) - 1, 1, &count));
}

/* --- Training -------------------------------------------------------------------------------- */

static struct table table;

/* Options that say nothing are the tabular recipe, as it is. */
static void test_default(void **state)
{
    static const size_t numbers[] = {0, 1}; /* b's indicator is the third input */
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    (void)state;
    make_table(&table, 60);
    options.targets = target_y;
    options.target_count = 1;
    options.epochs = 2;
    tulle_model *model = train_table(&table, &options);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_string_equal(setting(info, "recipe"), "tabular");
    assert_string_equal(setting(info, "hidden"), "128,128");
    assert_string_equal(setting(info, "batch_size"), "54");
    assert_string_equal(setting(info, "loss"), "mse");
    assert_string_equal(setting(info, "epochs"), "2");
    assert_int_equal(info->layer_count, 3);
    for (size_t l = 0; l < 2; l++) {
        assert_int_equal(info->layers[l].units, 128);
        assert_int_equal(info->layers[l].activation, TULLE_ACTIVATION_RELU);
        assert_true(!info->layers[l].parametric && info->layers[l].dropout == 0.1);
    }
    assert_int_equal(info->front.number_count, 2);
    assert_memory_equal(info->front.numbers, numbers, sizeof numbers);
    assert_int_equal(info->front.dimensions, 4);
    assert_true(info->front.bins == 2 || info->front.bins == 48);
    assert_true(info->front.has_factors && info->front.members == 8);
    assert_int_equal(info->optimizer, TULLE_OPTIMIZER_ADAMW);
    assert_int_equal(info->inputs[0].scaling, TULLE_SCALING_QUANTILE);
    assert_true(info->targets[0].is_clamped);
    assert_true(info->learning_rate == 0.01);
    tulle_model_free(model);
}

/* Classes have settings of their own. */
static void test_classes(void **state)
{
    struct tulle_train_options options = options_of(TULLE_RECIPE_REALMLP);
    (void)state;
    make_table(&table, 120);
    make_classes(&table);
    tulle_model *model = train_table(&table, &options);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->layers[0].activation, TULLE_ACTIVATION_SELU);
    assert_true(info->learning_rate == 0.04 && info->label_smoothing == 0.1);
    assert_false(info->targets[0].is_clamped);
    assert_string_equal(setting(info, "loss"), "cross_entropy");
    assert_string_equal(setting(info, "label_smoothing"), "0.1");
    tulle_model_free(model);
}

/* Each learns what the table has to teach; what an option says the recipe does not. */
static void test_learn(void **state)
{
    (void)state;
    make_table(&table, TABLE_ROWS);
    for (int recipe = 0; recipe < RECIPES; recipe++) {
        struct tulle_train_options options = options_of(recipe);
        options.epochs = 60;
        options.learning_rate = recipe == TULLE_RECIPE_PLAIN ? 0.01 : TULLE_AUTO;
        tulle_model *model = train_table(&table, &options);
        double r2 = metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_R2);
        if (!(r2 > 0.9))
            fail_msg("%s reaches %g", tulle_recipe_name(options.recipe), r2);
        tulle_model_free(model);
    }
}

/* The settings that a model has kept make it again, to the bit, whatever recipe they came from. */
static void test_repeat(void **state)
{
    (void)state;
    for (int recipe = 0; recipe < 2 * RECIPES; recipe++) {
        struct tulle_train_options options = options_of(recipe / 2),
                                   again = options_of(RECIPES - 1);
        size_t first = 0;
        make_table(&table, 150);
        if (recipe % 2)
            make_classes(&table);
        options.averaging = 0.5;
        options.schedule = TULLE_SCHEDULE_ONE_CYCLE;
        tulle_model *model = train_table(&table, &options);
        const struct tulle_model_info *info = tulle_model_info(model);
        while (strcmp(info->settings[first].name, "scaling") != 0)
            first++;
        again.hidden = NULL;
        again.epochs = (size_t)-1;
        assert_int_equal(
            tulle_settings_complete(&again, info->settings + first, info->setting_count - first),
            TULLE_OK);
        tulle_model *same = train_table(&table, &again);
        assert_true(same_bits(model, same));
        tulle_free((size_t *)again.hidden);
        tulle_model_free(model);
        tulle_model_free(same);
    }
}

/* --- Batches and epochs ---------------------------------------------------------------------- */

/* What the number of rows makes of a recipe that leaves them open. */
static void check_counts(size_t rows, size_t batch, size_t epochs)
{
    static const char *const names[] = {"x", "y"};
    const size_t none[1] = {0};
    struct tulle_train_options options = options_of(TULLE_RECIPE_TABULAR);
    double *values = calloc(2 * rows, sizeof *values);
    unsigned char *splits = calloc(rows, 1);
    tulle_dataset *dataset;
    char text[24];
    assert_true(values && splits);
    for (size_t r = 0; r < rows; r++) {
        values[2 * r] = (double)(r * 7 % 10);
        values[2 * r + 1] = (double)(r * 7 % 10 + r % 2);
    }
    assert_int_equal(
        tulle_dataset_create(names, tulle_f64(values, rows, 2), NULL, splits, &dataset, NULL),
        TULLE_OK);
    options.hidden = none;
    options.hidden_count = 0;
    options.members = 1;
    options.number_dimensions = 0;
    options.epochs = (size_t)TULLE_AUTO;
    tulle_model *model = train_dataset(dataset, &options);
    assert_int_equal(tulle_model_info(model)->batch_size, batch);
    snprintf(text, sizeof text, "%zu", batch);
    assert_string_equal(setting(tulle_model_info(model), "batch_size"), text);
    assert_int_equal(tulle_model_info(model)->epochs, epochs);
    snprintf(text, sizeof text, "%zu", epochs);
    assert_string_equal(setting(tulle_model_info(model), "epochs"), text);
    tulle_model_free(model);
    tulle_dataset_free(dataset);
    free(values);
    free(splits);
}

static void test_counts(void **state)
{
    (void)state;
    check_counts(3, 3, 256);
    check_counts(64, 64, 256);
    check_counts(1024, 64, 256);
    check_counts(1700, 128, 243);
    check_counts(4097, 256, 156);
    check_counts(32769, 512, 55);
}

/* --- Tables with little in them -------------------------------------------------------------- */

/* Trains by every recipe, on numbers and on classes, with waves and with splines; all that the
 * models predict is a number, and in the range of those that were seen, where that is asked for. */
static void train_all(void)
{
    static struct table classes;
    classes = table;
    make_classes(&classes);
    for (int run = 0; run < 4 * RECIPES; run++) {
        struct tulle_train_options options = options_of(run / 4);
        options.number_dimensions = 2;
        options.number_bins = run & 1 ? 9 : 0;
        tulle_model *model = train_table(run & 2 ? &classes : &table, &options);
        const struct tulle_model_info *info = tulle_model_info(model);
        for (size_t r = 0; r < table.rows; r += 7) {
            double row[TABLE_COLUMNS];
            for (size_t i = 0; i < info->input_count; i++)
                for (size_t c = 0; c < table.columns; c++)
                    if (strcmp(table.names[c], info->inputs[i].name) == 0)
                        row[i] = table.values[r][c];
            for (int far = 0; far < 2; far++) {
                double y = predict_row(model, row, 0);
                assert_true(isfinite(y));
                if (info->targets[0].is_clamped)
                    assert_true(y >= info->targets[0].minimum && y <= info->targets[0].maximum);
                for (size_t i = 0; i < info->input_count; i++)
                    row[i] *= 1000;
            }
        }
        tulle_model_free(model);
    }
}

static void test_20_rows(void **state)
{
    (void)state;
    make_table(&table, 20);
    train_all();
}

/* One number and one category. */
static void test_3_columns(void **state)
{
    (void)state;
    make_table(&table, 100);
    for (size_t r = 0; r < table.rows; r++)
        table.values[r][B] = table.values[r][CITY] = NAN;
    train_all();
}

/* Of each column two values are there. */
static void test_missing(void **state)
{
    (void)state;
    make_table(&table, 100);
    for (size_t r = 0; r < table.rows; r++)
        for (size_t c = A; c <= CITY; c++)
            if (r != 10 * (c + 1) && r != 10 * (c + 1) + 5)
                table.values[r][c] = NAN;
    train_all();
}

static void test_constant_target(void **state)
{
    (void)state;
    make_table(&table, 60);
    for (size_t r = 0; r < table.rows; r++)
        table.values[r][Y] = -4.25;
    for (int recipe = 0; recipe < RECIPES; recipe++) {
        const struct tulle_train_options options = options_of(recipe);
        tulle_model *model = train_table(&table, &options);
        const double row[] = {3, NAN, 1, 4};
        assert_true(predict_row(model, row, 0) == -4.25);
        tulle_model_free(model);
    }
}

/* Knots are where the values are, each once, and then beyond all of them. */
static void test_knots(void **state)
{
    struct tulle_train_options options = options_of(TULLE_RECIPE_PLAIN);
    enum { BINS = 5 };
    (void)state;
    make_table(&table, 64);
    for (size_t r = 0; r < table.rows; r++) {
        table.values[r][A] = (double)(r % 2);
        table.values[r][B] = (double)r;
    }
    table.has_splits = 1;
    options.scaling = TULLE_SCALING_NONE;
    options.number_dimensions = 2;
    options.number_bins = BINS;
    options.number_frequencies = 0;
    tulle_model *model = train_table(&table, &options);
    const struct tulle_front *front = &tulle_model_info(model)->front;
    assert_int_equal(front->number_count, 2);
    assert_int_equal(front->bins, BINS);
    assert_true(front->knots[0] == 0 && front->knots[1] > 0 && front->knots[1] <= 1);
    for (size_t i = 1; i <= BINS; i++) {
        assert_true(front->knots[i] > front->knots[i - 1]);
        assert_true(front->knots[BINS + 1 + i] == (i < BINS ? floor(12.8 * (double)i) : 63));
    }
    assert_true(front->knots[BINS] > 1);
    tulle_model_free(model);
}

/* What is begun from data is not begun from the table's first rows, which are alike here. */
/* Values that differ by less than the network's numbers tell apart share a knot. */
static void test_close_knots(void **state)
{
    (void)state;
    struct tulle_train_options options = options_of(TULLE_RECIPE_PLAIN);
    make_table(&table, 60);
    for (size_t r = 0; r < 60; r++)
        table.values[r][A] = 1 + (double)(r % 3) + (r % 2 ? 1e-9 : 0);
    options.number_dimensions = 2;
    options.number_bins = 8;
    options.number_frequencies = 0;
    options.scaling = TULLE_SCALING_NONE;
    tulle_model *model = train_table(&table, &options);
    const struct tulle_front *front = &tulle_model_info(model)->front;
    assert_int_equal(front->bins, 8);
    for (size_t k = 1; k <= 8; k++)
        assert_true(front->knots[k] - front->knots[k - 1] > 0.5);
    tulle_model_free(model);
}

static void test_sorted(void **state)
{
    enum { ROWS = 20000 };
    static const char *const names[] = {"x", "y"};
    static double values[ROWS][2];
    static unsigned char splits[ROWS]; /* all to train on */
    struct tulle_train_options options = options_of(TULLE_RECIPE_PLAIN);
    tulle_dataset *dataset;
    tulle_model *model;
    (void)state;
    for (size_t r = 0; r < ROWS; r++) {
        double x = (double)r / ROWS;
        values[r][0] = x;
        values[r][1] = x * (1 - x);
    }
    assert_int_equal(
        tulle_dataset_create(names, tulle_f64(values[0], ROWS, 2), NULL, splits, &dataset, NULL),
        TULLE_OK);
    options.initializer = TULLE_INITIALIZER_DATA;
    options.epochs = 1;
    assert_int_equal(tulle_train(dataset, &options, &model, NULL), TULLE_OK);
    assert_true(tulle_model_info(model)->curve[0].train_loss < 10);
    tulle_model_free(model);
    tulle_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_knots),     cmocka_unit_test(test_whole),
        cmocka_unit_test(test_unknown),         cmocka_unit_test(test_default),
        cmocka_unit_test(test_classes),         cmocka_unit_test(test_learn),
        cmocka_unit_test(test_repeat),          cmocka_unit_test(test_counts),
        cmocka_unit_test(test_20_rows),         cmocka_unit_test(test_3_columns),
        cmocka_unit_test(test_missing),         cmocka_unit_test(test_knots),
        cmocka_unit_test(test_constant_target), cmocka_unit_test(test_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
