/* test_tasks.c - what a table's targets ask for, every loss on targets of its own, and classes from
 * their names to predictions and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "training_support.h"

static const char *const targets_y_z[] = {"y", "z"}, *const targets_z_y[] = {"z", "y"};
static const char *const words[] = {"no", "yes", NULL};
static const char *const sizes[] = {"small", "large", "middle", NULL};

/* x in [0, 1), and columns y and z of the kinds that the level names say. */
static void make_two(struct table *table, size_t rows, const char *const *y_levels,
                     const char *const *z_levels)
{
    clear_table(table, rows);
    add_column(table, "x", NULL);
    add_column(table, "y", y_levels);
    add_column(table, "z", z_levels);
    for (size_t r = 0; r < rows; r++)
        table->values[r][0] = (double)(r * 7 % rows) / (double)rows;
}

enum { X_OF_TWO, Y_OF_TWO, Z_OF_TWO };

/* One target, y. */
static void make_one(struct table *table, size_t rows, const char *const *levels)
{
    make_two(table, rows, levels, NULL);
    table->columns = 2;
}

static void assert_task(const struct table *table, struct tulle_train_options options,
                        enum tulle_task task, enum tulle_loss loss)
{
    options.epochs = 1;
    tulle_model *model = train_table(table, &options);
    assert_int_equal(tulle_model_info(model)->task, task);
    assert_int_equal(tulle_model_info(model)->loss, loss);
    tulle_model_free(model);
}

/* --- The task -------------------------------------------------------------------------------- */

/* y becomes row number modulo `kinds`, from `first`, in steps of `step`. */
static void set_kinds(struct table *table, size_t kinds, double first, double step)
{
    for (size_t r = 0; r < table->rows; r++)
        table->values[r][Y_OF_TWO] = first + step * (double)(r % kinds);
}

static void test_inferred(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_one(&table, 60, NULL);
    set_kinds(&table, 2, -1, 2.5);
    assert_task(&table, options, TULLE_TASK_CLASSIFICATION, TULLE_LOSS_BINARY_CROSS_ENTROPY);
    set_kinds(&table, 3, 0, 0.5);
    assert_task(&table, options, TULLE_TASK_REGRESSION, TULLE_LOSS_MSE);
    make_one(&table, 60, words);
    set_kinds(&table, 2, 0, 1);
    assert_task(&table, options, TULLE_TASK_CLASSIFICATION, TULLE_LOSS_BINARY_CROSS_ENTROPY);
    make_one(&table, 60, sizes);
    set_kinds(&table, 3, 0, 1);
    assert_task(&table, options, TULLE_TASK_CLASSIFICATION, TULLE_LOSS_CROSS_ENTROPY);
}

/* A target of few whole numbers may be classes: that is said, once. */
static void test_whole_numbers(void **state)
{
    static const size_t kinds[] = {2, 3, 31, 32};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct watch watch = {"", 0};
        struct table table;
        struct tulle_train_options options = small_options();
        options.notice = take_notice;
        options.user = &watch;
        make_one(&table, 64, NULL);
        set_kinds(&table, kinds[i], 1, 1);
        assert_task(&table, options, i == 0 ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION,
                    i == 0 ? TULLE_LOSS_BINARY_CROSS_ENTROPY : TULLE_LOSS_MSE);
        int is_said =
            strstr(watch.notices, "different whole numbers: they are taken as amounts") != NULL;
        assert_int_equal(is_said, i == 1 || i == 2);
        assert_int_equal(count_lines(watch.notices), is_said);
        *watch.notices = '\0';
        options.task = TULLE_TASK_REGRESSION; /* then it is known */
        assert_task(&table, options, TULLE_TASK_REGRESSION, TULLE_LOSS_MSE);
        assert_string_equal(watch.notices, "");
    }
}

static void test_overridden(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_one(&table, 60, NULL);
    set_kinds(&table, 3, 0, 0.5);
    options.task = TULLE_TASK_CLASSIFICATION;
    assert_task(&table, options, TULLE_TASK_CLASSIFICATION, TULLE_LOSS_CROSS_ENTROPY);
    options.task = TULLE_TASK_AUTO;
    options.loss = TULLE_LOSS_CROSS_ENTROPY;
    assert_task(&table, options, TULLE_TASK_CLASSIFICATION, TULLE_LOSS_CROSS_ENTROPY);
    set_kinds(&table, 2, 0, 1);
    assert_task(&table, options, TULLE_TASK_CLASSIFICATION, TULLE_LOSS_CROSS_ENTROPY);
    options.loss = TULLE_LOSS_POISSON;
    assert_task(&table, options, TULLE_TASK_REGRESSION, TULLE_LOSS_POISSON);
    options.loss = TULLE_LOSS_AUTO;
    options.task = TULLE_TASK_REGRESSION;
    assert_task(&table, options, TULLE_TASK_REGRESSION, TULLE_LOSS_MSE);
}

static void test_refused(void **state)
{
    static const char *const twice[] = {"y", "y"}, *const unknown[] = {"Y"},
                             *const all[] = {"x", "y", "z"};
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_two(&table, 60, sizes, NULL);
    set_kinds(&table, 3, 0, 1);
    for (size_t r = 0; r < 60; r++)
        table.values[r][Z_OF_TWO] = (double)(r * r);

    options.task = TULLE_TASK_REGRESSION;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "target 'y' holds text, but regression needs numbers");
    options.loss = TULLE_LOSS_CROSS_ENTROPY;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "the loss cross_entropy is not for regression");
    options.task = TULLE_TASK_AUTO;
    options.loss = TULLE_LOSS_MAE;
    refuse(&table, &options, TULLE_ERROR_DATA, "target 'y' holds text");
    options.task = TULLE_TASK_CLASSIFICATION;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "the loss mae is not for classification");
    options.loss = (enum tulle_loss)99;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "unknown loss 99");
    options.loss = TULLE_LOSS_BINARY_CROSS_ENTROPY;
    refuse(&table, &options, TULLE_ERROR_DATA, "for two classes, but target 'y' has 3");

    options = small_options();
    options.targets = targets_y_z;
    options.target_count = 2;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "target 'z' holds amounts and target 'y' does not; train a model for each");
    options.targets = targets_z_y;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "target 'y' holds classes and target 'z' does not; train a model for each");
    options.targets = targets_y_z;
    for (size_t r = 0; r < 60; r++)
        table.values[r][Z_OF_TWO] = (double)(r % 5 == 0);
    refuse(&table, &options, TULLE_ERROR_DATA,
           "target 'y' has 3 classes; of several targets each may have only two");
    set_kinds(&table, 2, 0, 1);
    options.loss = TULLE_LOSS_CROSS_ENTROPY;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "cross_entropy is for one target, got 2");

    options = small_options();
    options.targets = twice;
    options.target_count = 2;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "target 'y' is named twice");
    options.targets = unknown;
    options.target_count = 1;
    refuse(&table, &options, TULLE_ERROR_DATA, "'Y'");
    options.targets = all;
    options.target_count = 3;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "no column is left to predict from: of 3, 3 are targets");
    table.columns = 2;
    table.levels[Y_OF_TWO] = (struct tulle_levels){NULL, 0};
    options.target_count = 1;
    options.weight_column = "y";
    refuse(&table, &options, TULLE_ERROR_DATA,
           "no column is left to predict from: of 2, 1 is the target and one is the weights");
}

/* --- Losses of numbers ----------------------------------------------------------------------- */

static struct tulle_train_options long_options(enum tulle_loss loss)
{
    struct tulle_train_options options = small_options();
    options.loss = loss;
    options.epochs = 200;
    options.optimizer = TULLE_OPTIMIZER_ADAM;
    options.learning_rate = 0.01;
    options.keep_best = 0;
    return options;
}

/* The last epoch's loss is below `share` of the first's, above the `floor` that the loss has. */
static void assert_improved(const tulle_model *model, double floor, double share)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    double first = info->curve[0].train_loss - floor;
    double last = info->curve[info->curve_count - 1].train_loss - floor;
    if (!(last < share * first))
        fail_msg("%s: from %g to %g", tulle_loss_name(info->loss), first, last);
}

static void test_losses_of_errors(void **state)
{
    static const enum tulle_loss losses[] = {TULLE_LOSS_MSE, TULLE_LOSS_MAE, TULLE_LOSS_HUBER,
                                             TULLE_LOSS_QUANTILE};
    (void)state;
    struct table table;
    make_table(&table, 200);
    for (size_t i = 0; i < 4; i++)
        for (int standardize = 0; standardize <= 1; standardize++) {
            struct tulle_train_options options = long_options(losses[i]);
            options.standardize_targets = standardize;
            tulle_model *model = train_table(&table, &options);
            assert_improved(model, 0, 0.2);
            assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_R2) > 0.95);
            tulle_model_free(model);
        }
}

/* Of y = x + noise whose spread grows with x, quantiles ascend, and a share of rows near each
 * quantile's level lies below it. */
static void test_quantiles(void **state)
{
    static const double levels[] = {0.1, 0.5, 0.8};
    enum { ROWS = 400 };
    (void)state;
    struct table table;
    struct tulle_rng rng;
    struct tulle_train_options options = long_options(TULLE_LOSS_QUANTILE);
    make_one(&table, ROWS, NULL);
    tulle_rng_seed(&rng, 1);
    for (size_t r = 0; r < ROWS; r++) {
        double x = table.values[r][0];
        table.values[r][1] = 100 + x + (0.2 + x) * tulle_rng_uniform(&rng);
    }
    options.quantiles = levels;
    options.quantile_count = 3;
    options.valid_fraction = 0;
    tulle_model *model = train_table(&table, &options);
    assert_int_equal(tulle_model_info(model)->prediction_count, 3);
    assert_int_equal(tulle_model_info(model)->quantile_count, 3);
    size_t below[3] = {0};
    for (size_t r = 0; r < ROWS; r++)
        for (size_t q = 0; q < 3; q++)
            below[q] += table.values[r][1] <= predict_row(model, table.values[r], q);
    for (size_t q = 0; q < 3; q++)
        if (fabs((double)below[q] / ROWS - levels[q]) > 0.05)
            fail_msg("%zu of %d rows are below the quantile %g", below[q], ROWS, levels[q]);
    assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_PINBALL) < 0.2);
    tulle_model_free(model);
}

/* Counts and amounts whose mean is exp(1 + 2 x): predictions are above 0 and near the mean. */
static void test_positive(void **state)
{
    static const enum tulle_loss losses[] = {TULLE_LOSS_POISSON, TULLE_LOSS_GAMMA};
    (void)state;
    struct table table;
    struct tulle_rng rng;
    make_one(&table, 400, NULL);
    for (size_t i = 0; i < 2; i++)
        for (int standardize = 0; standardize <= 1; standardize++) {
            struct tulle_train_options options = long_options(losses[i]);
            options.standardize_targets = standardize;
            tulle_rng_seed(&rng, 2);
            for (size_t r = 0; r < 400; r++) {
                double mean = exp(1 + 2 * table.values[r][0]);
                double amount = mean * (0.5 + tulle_rng_uniform(&rng));
                table.values[r][1] = i == 0 ? floor(amount + 0.5) : amount;
            }
            tulle_model *model = train_table(&table, &options);
            assert_true(isfinite(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_DEVIANCE)));
            for (double x = -20; x < 20; x += 0.25) {
                double found = predict_row(model, &x, 0);
                assert_true(found > 0);
                if (x >= 0 && x < 1 && fabs(found / exp(1 + 2 * x) - 1) > 0.15)
                    fail_msg("%s at %g: %g for %g", tulle_loss_name(losses[i]), x, found,
                             exp(1 + 2 * x));
            }
            tulle_model_free(model);
        }
}

static void test_not_positive(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = long_options(TULLE_LOSS_POISSON);
    make_one(&table, 60, NULL);
    set_kinds(&table, 5, 0, 1);
    options.epochs = 1;
    tulle_model_free(train_table(&table, &options));
    set_kinds(&table, 1, 0, 0); /* whose mean is no unit */
    tulle_model *model = train_table(&table, &options);
    assert_true(tulle_model_info(model)->targets[0].scale == 1);
    tulle_model_free(model);
    set_kinds(&table, 5, 0, 1);
    options.loss = TULLE_LOSS_GAMMA;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "the loss gamma needs targets above 0, but 'y' is 0");
    set_kinds(&table, 1, 1, 1);
    table.values[17][1] = -2;
    refuse(&table, &options, TULLE_ERROR_DATA, "row 18: the loss gamma needs targets above 0");
    options.loss = TULLE_LOSS_POISSON;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "row 18: the loss poisson needs targets of at least 0, but 'y' is -2");
}

static void test_several_targets(void **state)
{
    (void)state;
    struct table table;
    make_two(&table, 120, NULL, NULL);
    for (size_t r = 0; r < 120; r++) {
        table.values[r][Y_OF_TWO] = 1000 + table.values[r][0];
        table.values[r][Z_OF_TWO] = -0.001 * table.values[r][0];
    }
    for (enum tulle_loss loss = TULLE_LOSS_MSE; loss <= TULLE_LOSS_QUANTILE; loss++) {
        struct tulle_train_options options = long_options(loss);
        options.targets = targets_y_z;
        options.target_count = 2;
        tulle_model *model = train_table(&table, &options);
        assert_int_equal(tulle_model_info(model)->prediction_count, 2);
        double x = 0.5;
        assert_true(fabs(predict_row(model, &x, 0) - 1000.5) < 0.05);
        assert_true(fabs(predict_row(model, &x, 1) + 0.0005) < 0.00005);
        tulle_model_free(model);
    }
}

/* --- Classes --------------------------------------------------------------------------------- */

/* The index of the most probable class of the only target. */
static size_t predict_class(const tulle_model *model, const double *row)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    size_t best = 0;
    double sum = 0, largest = 0;
    assert_int_equal(info->prediction_count, info->targets[0].levels.count);
    for (size_t k = 0; k < info->prediction_count; k++) {
        double probability = predict_row(model, row, k);
        assert_true(probability >= 0 && probability <= 1);
        sum += probability;
        if (probability > largest) {
            largest = probability;
            best = k;
        }
    }
    assert_true(fabs(sum - 1) < 1e-6);
    return best;
}

/* x in thirds or halves. A class's name comes back, in whatever order the rows and levels are. */
static void check_classes(const char *const *levels, size_t kinds, enum tulle_loss loss,
                          double smoothing)
{
    struct table table;
    struct tulle_train_options options = long_options(loss);
    options.label_smoothing = smoothing;
    make_one(&table, 180, levels);
    for (size_t r = 0; r < 180; r++) {
        double third = floor((double)kinds * table.values[r][0]);
        table.values[r][1] = levels ? third : 7 - 2.5 * third;
    }
    tulle_model *model = train_table(&table, &options);
    assert_improved(model, 0, smoothing > 0 ? 0.8 : 0.4);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->targets[0].levels.count, kinds);
    for (size_t k = 1; k < kinds; k++) { /* alphabetical, and numbers ascending */
        const char *const *names = info->targets[0].levels.names;
        assert_true(levels ? strcmp(names[k - 1], names[k]) < 0
                           : atof(names[k - 1]) < atof(names[k]));
    }
    assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_ACCURACY) > 0.85);
    for (size_t k = 0; k < kinds; k++) {
        char name[32];
        double x = ((double)k + 0.5) / (double)kinds;
        snprintf(name, sizeof name, "%g", 7 - 2.5 * (double)k);
        assert_string_equal(info->targets[0].levels.names[predict_class(model, &x)],
                            levels ? levels[k] : name);
    }
    tulle_model_free(model);
}

static void test_classes(void **state)
{
    (void)state;
    check_classes(words, 2, TULLE_LOSS_AUTO, 0);
    check_classes(words, 2, TULLE_LOSS_BINARY_CROSS_ENTROPY, 0.1);
    check_classes(words, 2, TULLE_LOSS_CROSS_ENTROPY, 0);
    check_classes(sizes, 3, TULLE_LOSS_AUTO, 0);
    check_classes(sizes, 3, TULLE_LOSS_CROSS_ENTROPY, 0.1);
    check_classes(NULL, 2, TULLE_LOSS_AUTO, 0);
    check_classes(NULL, 3, TULLE_LOSS_CROSS_ENTROPY, 0);
}

/* Classes are in one order, however they came: numbers ascending, of one number alphabetically, and
 * then texts. */
static void test_class_order(void **state)
{
    static const char *const names[] = {"10", "b", "9.0", "2", "a", "9", NULL};
    static const char *const sorted[] = {"2", "9", "9.0", "10", "a", "b"};
    struct table table;
    struct tulle_train_options options = small_options();
    (void)state;
    make_table(&table, 60);
    add_column(&table, "class", names);
    for (size_t r = 0; r < table.rows; r++)
        table.values[r][Y + 1] = (double)(r % 6);
    static const char *const targets[] = {"class"};
    options.targets = targets;
    tulle_model *model = train_table(&table, &options);
    const struct tulle_levels *levels = &tulle_model_info(model)->targets[0].levels;
    assert_int_equal(levels->count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(levels->names[i], sorted[i]);
    tulle_model_free(model);
}

/* Several targets of two classes each, of text and of numbers: a probability for each class. */
static void test_labels(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = long_options(TULLE_LOSS_AUTO);
    make_two(&table, 180, words, NULL);
    for (size_t r = 0; r < 180; r++) {
        table.values[r][Y_OF_TWO] = table.values[r][0] > 0.3;
        table.values[r][Z_OF_TWO] = table.values[r][0] > 0.7 ? 20 : 10;
    }
    options.targets = targets_y_z;
    options.target_count = 2;
    tulle_model *model = train_table(&table, &options);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->loss, TULLE_LOSS_BINARY_CROSS_ENTROPY);
    assert_int_equal(info->prediction_count, 4);
    assert_string_equal(info->targets[1].levels.names[1], "20");
    assert_improved(model, 0, 0.5);
    for (double x = 0.1; x < 1; x += 0.4) {
        assert_true((predict_row(model, &x, 1) > 0.5) == (x > 0.3));
        assert_true((predict_row(model, &x, 3) > 0.5) == (x > 0.7));
        assert_true(fabs(predict_row(model, &x, 2) + predict_row(model, &x, 3) - 1) < 1e-6);
    }
    for (size_t t = 0; t < 2; t++)
        assert_true(info->metrics[t].value[TULLE_METRIC_AUC] > 0.99);
    tulle_model_free(model);
}

static void test_bad_classes(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_one(&table, 40, sizes);
    set_kinds(&table, 1, 1, 0);
    refuse(&table, &options, TULLE_ERROR_DATA,
           "target 'y' has only one class in the training rows, 'large'");
    split_table(&table);
    for (size_t r = 3; r < 40; r += 4) /* and others in the validation rows */
        table.values[r][1] = 2;
    refuse(&table, &options, TULLE_ERROR_DATA, "only one class in the training rows, 'large'");

    make_one(&table, 40, NULL);
    set_kinds(&table, 40, 0.5, 1);
    options.task = TULLE_TASK_CLASSIFICATION;
    options.valid_fraction = 0;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "target 'y' has another class in each of the 40 training rows");
    set_kinds(&table, 1, 5, 0);
    refuse(&table, &options, TULLE_ERROR_DATA, "only one class in the training rows, '5'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inferred),         cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_overridden),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_losses_of_errors), cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_positive),         cmocka_unit_test(test_not_positive),
        cmocka_unit_test(test_several_targets),  cmocka_unit_test(test_classes),
        cmocka_unit_test(test_labels),           cmocka_unit_test(test_class_order),
        cmocka_unit_test(test_bad_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
