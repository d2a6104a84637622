/* test_settings.c - settings from texts and as texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/train/settings.h"

static const struct tulle_train_options nothing = TULLE_TRAIN_OPTIONS;

static enum tulle_status complete(struct tulle_train_options *options, const char *name,
                                  const char *value)
{
    const struct tulle_setting setting = {name, value};
    return tulle_settings_complete(options, &setting, 1);
}

/* --- From texts ------------------------------------------------------------------------------ */

/* What is set stays. */
static void test_complete(void **state)
{
    static const struct tulle_setting settings[] = {
        {"scaling", "robust"},    {"parametric", "yes"},  {"keep_best", "no"},
        {"number_bins", "48"},    {"dropout", "0.15"},    {"learning_rate", "1e-3"},
        {"hidden", "3,20,1"},     {"batch_size", "auto"}, {"members", "8"},
        {"activation", "mish"},   {"patience", "0"},      {"parametrization", "ntk"},
        {"fading", "flat_cos"},   {"optimizer", "adamw"}, {"schedule", "cosine"},
        {"initializer", "lecun"},
    };
    struct tulle_train_options o = nothing;
    (void)state;
    o.dropout = 0;
    o.members = 2;
    o.keep_best = 1;
    o.activation = TULLE_ACTIVATION_IDENTITY;
    assert_int_equal(tulle_settings_complete(&o, settings, sizeof settings / sizeof *settings),
                     TULLE_OK);
    assert_int_equal(o.scaling, TULLE_SCALING_ROBUST);
    assert_int_equal(o.parametric, 1);
    assert_int_equal(o.keep_best, 1);
    assert_int_equal(o.number_bins, 48);
    assert_true(o.dropout == 0);
    assert_true(o.learning_rate == 0.001);
    assert_int_equal(o.hidden_count, 3);
    assert_true(o.hidden[0] == 3 && o.hidden[1] == 20 && o.hidden[2] == 1);
    assert_int_equal(o.batch_size, 0);
    assert_int_equal(o.members, 2);
    assert_int_equal(o.activation, TULLE_ACTIVATION_IDENTITY);
    assert_int_equal(o.patience, 0);
    assert_int_equal(o.parametrization, TULLE_PARAMETRIZATION_NTK);
    assert_int_equal(o.fading, TULLE_FADING_FLAT_COS);
    assert_int_equal(o.optimizer, TULLE_OPTIMIZER_ADAMW);
    assert_int_equal(o.schedule, TULLE_SCHEDULE_COSINE);
    assert_int_equal(o.initializer, TULLE_INITIALIZER_LECUN);
    tulle_free((size_t *)o.hidden);
    /* No one has said anything of these. */
    assert_true(o.momentum == TULLE_AUTO && o.epochs == (size_t)-1 &&
                o.input_factors == TULLE_AUTO);
}

/* A linear model is not one of the recipe's. */
static void test_hidden(void **state)
{
    static const size_t none[1];
    struct tulle_train_options o = nothing;
    (void)state;
    o.hidden = none;
    assert_int_equal(complete(&o, "hidden", "7"), TULLE_OK);
    assert_true(o.hidden == none && o.hidden_count == 0);
    o.hidden = NULL;
    assert_int_equal(complete(&o, "hidden", "none"), TULLE_OK);
    assert_true(o.hidden && o.hidden_count == 0);
    tulle_free((size_t *)o.hidden);
}

static void test_malformed(void **state)
{
    static const struct tulle_setting malformed[] = {
        {"members", "-1"},       {"members", "2.5"},    {"members", "1e30"}, {"members", "auto"},
        {"members", ""},         {"dropout", "1 2"},    {"dropout", "inf"},  {"dropout", "yes"},
        {"keep_best", "maybe"},  {"activation", "AF"},  {"hidden", ""},      {"hidden", "8,,8"},
        {"hidden", "8,"},        {"hidden", "none,8"},  {"targets", "y"},    {"seed", "1"},
        {"recipe", "plain"},     {"batch_size", "one"}, {"Members", "1"},    {"", ""},
        {"optimizer", "sgd,sgd"}};
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        struct tulle_train_options o = nothing;
        if (tulle_settings_complete(&o, &malformed[i], 1) != TULLE_ERROR_ARGUMENT)
            fail_msg("%s is taken to be %s", malformed[i].name, malformed[i].value);
        tulle_free((size_t *)o.hidden);
    }
}

/* --- As texts -------------------------------------------------------------------------------- */

static const char *text_of(const struct tulle_train_options *options, int has_splits,
                           const char *name)
{
    static char text[1000];
    size_t count;
    const char *found = NULL;
    struct tulle_setting *settings = tulle_settings_texts(options, has_splits, &count);
    assert_non_null(settings);
    for (size_t i = 0; i < count; i++)
        if (strcmp(settings[i].name, name) == 0) {
            assert_null(found);
            snprintf(text, sizeof text, "%s", settings[i].value);
            found = text;
        }
    tulle_free(settings);
    return found;
}

/* Complete but for what a test adds. */
static struct tulle_train_options complete_options(void)
{
    static const size_t units[] = {12, 1000000, 3};
    struct tulle_train_options o = nothing;
    size_t count;
    o.loss = TULLE_LOSS_MSE;
    o.hidden = units;
    o.hidden_count = 3;
    const struct tulle_setting *recipe = tulle_recipe_settings(TULLE_RECIPE_PLAIN, 0, &count);
    assert_int_equal(tulle_settings_complete(&o, recipe, count), TULLE_OK);
    return o;
}

#define CHECK(member, value, text)                                                                 \
    do {                                                                                           \
        o.member = value;                                                                          \
        assert_string_equal(text_of(&o, 0, #member), text);                                        \
    } while (0)

static void test_texts(void **state)
{
    struct tulle_train_options o = complete_options();
    (void)state;
    CHECK(seed, UINT32_MAX, "4294967295");
    CHECK(precision, TULLE_F64, "f64");
    CHECK(loss, TULLE_LOSS_BINARY_CROSS_ENTROPY, "binary_cross_entropy");
    CHECK(recipe, TULLE_RECIPE_ENSEMBLE, "ensemble");
    CHECK(scaling, TULLE_SCALING_QUANTILE, "quantile");
    CHECK(one_hot_levels, 0, "0");
    CHECK(one_hot_levels, SIZE_MAX - 1,
          SIZE_MAX > UINT32_MAX ? "18446744073709551614" : "4294967294");
    CHECK(keep_best, 7, "yes");
    CHECK(keep_best, 0, "no");
    CHECK(batch_size, 0, "auto");
    CHECK(batch_size, 250, "250");
    CHECK(learning_rate, 0.1 + 0.2, "0.30000000000000004");
    CHECK(valid_fraction, 0.25, "0.25");
}

#undef CHECK

static void test_lists(void **state)
{
    static const double quantiles[] = {0.05, 0.5, 0.95}, weights[] = {2, 0.5, 1};
    static const char *const names[] = {"red", "blue, or \"green\"", "a=b"};
    struct tulle_train_options o = complete_options();
    (void)state;
    assert_string_equal(text_of(&o, 0, "hidden"), "12,1000000,3");
    o.hidden_count = 0;
    assert_string_equal(text_of(&o, 0, "hidden"), "none");
    o.loss = TULLE_LOSS_QUANTILE;
    assert_string_equal(text_of(&o, 0, "quantiles"), "0.5");
    o.quantiles = quantiles;
    o.quantile_count = 3;
    assert_string_equal(text_of(&o, 0, "quantiles"), "0.05,0.5,0.95");
    o.balance_classes = 1;
    assert_string_equal(text_of(&o, 0, "class_weights"), "balanced");
    o.class_names = names;
    o.class_weights = weights;
    o.class_weight_count = 3;
    assert_string_equal(text_of(&o, 0, "class_weights"),
                        "balanced,red=2,\"blue, or \"\"green\"\"\"=0.5,a=b=1");
    o.balance_classes = 0;
    o.class_weight_count = 1;
    assert_string_equal(text_of(&o, 0, "class_weights"), "red=2");
}

static double own_loss(size_t rows, size_t outputs, const double *output, size_t targets,
                       const double *target, double *gradient, void *user)
{
    (void)rows, (void)outputs, (void)output, (void)targets, (void)target, (void)gradient;
    (void)user;
    return 0;
}

/* What has no part in a run is not among its settings. */
static void test_left_out(void **state)
{
    struct tulle_train_options o = complete_options();
    (void)state;
    assert_null(text_of(&o, 1, "valid_fraction"));
    assert_null(text_of(&o, 1, "test_fraction"));
    assert_string_equal(text_of(&o, 0, "test_fraction"), "0");
    assert_null(text_of(&o, 0, "class_weights"));
    assert_null(text_of(&o, 0, "quantiles"));
    assert_null(text_of(&o, 0, "huber_delta"));
    o.loss = TULLE_LOSS_HUBER;
    assert_string_equal(text_of(&o, 0, "huber_delta"), "1");
    o.loss_function = own_loss;
    assert_null(text_of(&o, 0, "huber_delta"));
    assert_null(text_of(&o, 0, "loss"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),  cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lists),     cmocka_unit_test(test_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
