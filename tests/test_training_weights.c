/* test_training_weights.c - how much rows and classes count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "own_loss.h"
#include "training_support.h"

enum { X, Z, WEIGHT, TARGET, COLUMNS };

static const char *const kinds[] = {"often", "rare", "rarest", NULL};
static const char *const rare[] = {"rare"}, *const rare_and_often[] = {"often", "rare"};

/* Two inputs of classes that overlap: 80, 16 and 4 rows of 100. Each row weighs 1. */
static void make_overlap(struct table *table, size_t rows)
{
    struct tulle_rng rng;
    clear_table(table, rows);
    add_column(table, "x", NULL);
    add_column(table, "z", NULL);
    add_column(table, "weight", NULL);
    add_column(table, "y", kinds);
    tulle_rng_seed(&rng, 4);
    for (size_t r = 0; r < rows; r++) {
        double kind = r % 25 == 7 ? 2 : r % 6 == 5 ? 1 : 0;
        const double row[COLUMNS] = {kind + 1.5 * tulle_rng_uniform(&rng), tulle_rng_uniform(&rng),
                                     1, kind};
        memcpy(table->values[r], row, sizeof row);
    }
}

/* The share of a class's rows that the model finds. */
static double recall(const tulle_model *model, const struct table *table, size_t class)
{
    struct tulle_evaluation *evaluation;
    tulle_dataset *dataset = new_dataset(table);
    const struct tulle_levels *levels = &tulle_model_info(model)->targets[0].levels;
    size_t at = 0;
    while (at < levels->count && strcmp(levels->names[at], kinds[class]) != 0)
        at++;
    assert_true(at < levels->count);
    assert_int_equal(tulle_evaluate(model, dataset, TULLE_SPLIT_ALL, NULL, &evaluation, NULL),
                     TULLE_OK);
    const double *row = evaluation->confusion + at * evaluation->classes;
    double found = row[at], all = 0;
    for (size_t k = 0; k < evaluation->classes; k++)
        all += row[k];
    tulle_evaluation_free(evaluation);
    tulle_dataset_free(dataset);
    return found / all;
}

static struct tulle_train_options weighing_options(void)
{
    struct tulle_train_options options = small_options();
    options.weight_column = "weight";
    options.valid_fraction = 0;
    return options;
}

/* --- Classes --------------------------------------------------------------------------------- */

static void test_class_weights(void **state)
{
    static const double ten[] = {10}, ten_and_tenth[] = {0.1, 10}, nothing[] = {0};
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    options.epochs = 40;
    make_overlap(&table, 400);
    tulle_model *usual = train_table(&table, &options);
    options.balance_classes = 1;
    tulle_model *balanced = train_table(&table, &options);
    assert_true(recall(balanced, &table, 1) > recall(usual, &table, 1));
    assert_true(recall(balanced, &table, 2) > recall(usual, &table, 2) + 0.5);
    assert_true(recall(balanced, &table, 0) < recall(usual, &table, 0));
    assert_true(metric(balanced, TULLE_SPLIT_TRAIN, TULLE_METRIC_BALANCED_ACCURACY) >
                metric(usual, TULLE_SPLIT_TRAIN, TULLE_METRIC_BALANCED_ACCURACY) + 0.1);
    options.balance_classes = 0;
    options.class_names = rare;
    options.class_weights = ten;
    options.class_weight_count = 1;
    tulle_model *named = train_table(&table, &options);
    assert_true(recall(named, &table, 1) > recall(usual, &table, 1) + 0.1);
    options.class_weights = nothing;
    tulle_model *without = train_table(&table, &options);
    assert_true(recall(without, &table, 1) == 0);
    options.class_names = rare_and_often;
    options.class_weights = ten_and_tenth;
    options.class_weight_count = 2;
    tulle_model *both = train_table(&table, &options);
    assert_true(recall(both, &table, 1) > 0.9 && recall(both, &table, 0) < 0.5);
    tulle_model_free(usual);
    tulle_model_free(balanced);
    tulle_model_free(named);
    tulle_model_free(without);
    tulle_model_free(both);
}

/* Balanced classes are those with weights of one over their numbers of rows: of the same bits, the
 * weights' sizes being powers of 2. */
static void test_balanced(void **state)
{
    static const double weights[] = {1, 8};
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 72);
    for (size_t r = 0; r < 72; r++)
        table.values[r][TARGET] = r % 9 == 2;
    options.balance_classes = 1;
    tulle_model *balanced = train_table(&table, &options);
    options.balance_classes = 0;
    options.class_names = rare_and_often;
    options.class_weights = weights;
    options.class_weight_count = 2;
    tulle_model *named = train_table(&table, &options);
    options = weighing_options();
    for (size_t r = 0; r < 72; r++)
        table.values[r][WEIGHT] = r % 9 == 2 ? 4 : 0.5;
    tulle_model *weighed = train_table(&table, &options);
    assert_true(same_bits(balanced, named));
    assert_true(same_bits(weighed, named));
    tulle_model_free(balanced);
    tulle_model_free(named);
    tulle_model_free(weighed);
}

/* Balanced classes of which one weighs nothing, with rows that are of none: as if neither were
 * there. */
static void test_balanced_with_nothing(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    options.balance_classes = 1;
    make_overlap(&table, 100);
    for (size_t r = 0; r < 100; r++) {
        table.values[r][WEIGHT] = table.values[r][TARGET] != 1;
        if (r % 10 == 9)
            table.values[r][TARGET] = NAN;
    }
    tulle_model *model = train_table(&table, &options);
    assert_true(recall(model, &table, 0) > 0.5);
    assert_true(recall(model, &table, 1) == 0);
    tulle_model_free(model);
}

/* Classes that are numbers go by any of their decimals. */
static void test_number_names(void **state)
{
    static const char *const names[] = {"1e0"};
    static const double three[] = {3};
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 100);
    table.levels[TARGET] = (struct tulle_levels){NULL, 0};
    options.task = TULLE_TASK_CLASSIFICATION;
    options.class_names = names;
    options.class_weights = three;
    options.class_weight_count = 1;
    tulle_model *model = train_table(&table, &options);
    for (size_t r = 0; r < 100; r++)
        table.values[r][WEIGHT] = table.values[r][TARGET] == 1 ? 3 : 1;
    options.class_weight_count = 0;
    tulle_model *expected = train_table(&table, &options);
    assert_true(same_bits(model, expected));
    tulle_model_free(model);
    tulle_model_free(expected);
}

static void test_bad_class_weights(void **state)
{
    static const char *const unknown[] = {"never"};
    static const double one[] = {1}, negative[] = {-1}, zeros[] = {0, 0, 0}, endless[] = {INFINITY};
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 100);
    options.class_names = unknown;
    options.class_weights = one;
    options.class_weight_count = 1;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "no training row has the class 'never' that a weight is given for");
    options.class_names = rare;
    options.class_weights = negative;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "the weight of class 'rare' must be at least 0, got -1");
    options.class_weights = endless;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "the weight of class 'rare'");
    options.class_names = kinds;
    options.class_weights = zeros;
    options.class_weight_count = 3;
    refuse(&table, &options, TULLE_ERROR_DATA, "the weights of all training rows are 0");
    options = weighing_options();
    options.balance_classes = 1;
    table.levels[TARGET] = (struct tulle_levels){NULL, 0};
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "class weights are for classification with one target");
    static const char *const two[] = {"y", "rare too"};
    make_overlap(&table, 100);
    size_t also = add_column(&table, "rare too", kinds);
    for (size_t r = 0; r < 100; r++) {
        table.values[r][TARGET] = fmin(table.values[r][TARGET], 1);
        table.values[r][also] = (double)(r % 3 == 0);
    }
    options.targets = two;
    options.target_count = 2;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "class weights are for classification with one target");
}

/* --- Rows ------------------------------------------------------------------------------------ */

/* Each way of saying that a row counts twice, in batches of the whole table: as a weight, as a row
 * of its own, and as half the weights of all others. What is learned about columns must not count
 * the row twice, so there is no scaling. */
static void check_twice(enum tulle_loss loss)
{
    struct table table, more;
    struct tulle_train_options options = weighing_options();
    options.loss = loss;
    options.batch_size = 400;
    options.precision = TULLE_F64;
    options.scaling = TULLE_SCALING_NONE;
    options.standardize_targets = 0;
    options.epochs = 20;
    make_overlap(&table, 100);
    if (loss != TULLE_LOSS_CROSS_ENTROPY)
        table.levels[TARGET] = (struct tulle_levels){NULL, 0};
    if (loss == TULLE_LOSS_GAMMA)
        for (size_t r = 0; r < 100; r++)
            table.values[r][TARGET] += 0.5;
    table.has_splits = 1; /* all train: no numbers are drawn before those of the weights */
    more = table;
    for (size_t r = 0; r < 100; r += 3) {
        memcpy(more.values[more.rows++], table.values[r], sizeof *table.values);
        table.values[r][WEIGHT] = 2;
    }
    tulle_model *weighed = train_table(&table, &options), *longer = train_table(&more, &options);
    for (size_t r = 0; r < 100; r++)
        table.values[r][WEIGHT] /= 4;
    tulle_model *smaller = train_table(&table, &options);
    assert_true(same_bits(weighed, smaller));
    for (size_t e = 0; e < 20; e++) {
        double a = tulle_model_info(weighed)->curve[e].train_loss;
        double b = tulle_model_info(longer)->curve[e].train_loss;
        if (!(fabs(a - b) <= 1e-11 * fabs(b)))
            fail_msg("%s, epoch %zu: %.17g and %.17g", tulle_loss_name(loss), e, a, b);
    }
    for (int m = 0; m <= TULLE_METRIC_F1; m++) {
        double a = metric(weighed, TULLE_SPLIT_TRAIN, m), b = metric(longer, TULLE_SPLIT_TRAIN, m);
        if (!(fabs(a - b) <= 1e-9 * fabs(b)) && !(isnan(a) && isnan(b)))
            fail_msg("%s of %s: %.17g and %.17g", tulle_metric_name(m), tulle_loss_name(loss), a,
                     b);
    }
    tulle_model_free(weighed);
    tulle_model_free(longer);
    tulle_model_free(smaller);
}

static void test_twice(void **state)
{
    (void)state;
    for (int loss = TULLE_LOSS_MSE; loss <= TULLE_LOSS_GAMMA; loss++)
        check_twice((enum tulle_loss)loss);
    check_twice(TULLE_LOSS_CROSS_ENTROPY);
}

/* A row that weighs nothing has no part in the losses, in training as in validation. */
static void test_nothing(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 120);
    split_table(&table);
    for (size_t r = 0; r < 120; r += 5)
        table.values[r][WEIGHT] = 0;
    tulle_model *model = train_table(&table, &options);
    for (size_t r = 0; r < 120; r += 5)
        table.values[r][TARGET] = 1 - fmin(table.values[r][TARGET], 1);
    tulle_model *other = train_table(&table, &options);
    assert_true(same_bits(model, other));
    for (size_t e = 0; e < options.epochs; e++)
        assert_memory_equal(&tulle_model_info(model)->curve[e], &tulle_model_info(other)->curve[e],
                            sizeof(struct tulle_epoch));
    tulle_model_free(model);
    tulle_model_free(other);
}

static int check_loss(const struct tulle_progress *progress, void *user)
{
    (void)user;
    assert_true(isfinite(progress->train_loss));
    return 0;
}

/* Batches of such rows alone are steps without a loss. */
static void test_weightless_batches(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 60);
    for (size_t r = 0; r < 60; r++)
        table.values[r][WEIGHT] = r % 10 == 5;
    options.batch_size = 1;
    options.progress = check_loss;
    tulle_model *model = train_table(&table, &options);
    for (size_t e = 0; e < options.epochs; e++)
        assert_true(tulle_model_info(model)->curve[e].train_loss > 0);
    tulle_model_free(model);
}

/* Rows weigh the same in a loss of the caller's own. */
static void test_own_loss(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 100);
    table.levels[TARGET] = (struct tulle_levels){NULL, 0};
    for (size_t r = 0; r < 100; r++)
        table.values[r][WEIGHT] = (double)(r % 4);
    options.precision = TULLE_F64;
    options.loss = TULLE_LOSS_MSE;
    tulle_model *usual = train_table(&table, &options);
    options.loss = TULLE_LOSS_AUTO;
    options.loss_function = own_mse;
    tulle_model *own = train_table(&table, &options);
    for (double x = 0; x < 3; x += 0.5) {
        const double row[] = {x, 0.5};
        assert_true(fabs(predict_row(own, row, 0) - predict_row(usual, row, 0)) < 1e-9);
    }
    tulle_model_free(own);
    tulle_model_free(usual);
}

/* Whatever their size, weights mean what they do beside each other. */
static void test_sizes(void **state)
{
    static const double sizes[] = {0x1p-480, 0x1p490};
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 100);
    for (size_t r = 0; r < 100; r++)
        table.values[r][WEIGHT] = (double)(r % 4);
    tulle_model *expected = train_table(&table, &options);
    for (size_t i = 0; i < 2; i++) {
        struct table scaled = table;
        for (size_t r = 0; r < 100; r++)
            scaled.values[r][WEIGHT] *= sizes[i];
        tulle_model *model = train_table(&scaled, &options);
        assert_true(same_bits(model, expected));
        assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_LOG_LOSS) ==
                    metric(expected, TULLE_SPLIT_TRAIN, TULLE_METRIC_LOG_LOSS));
        tulle_model_free(model);
    }
    tulle_model_free(expected);
}

static void test_bad_weights(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 100);
    split_table(&table);
    table.values[7][WEIGHT] = -0.5; /* of validation */
    refuse(&table, &options, TULLE_ERROR_DATA,
           "row 8: expected a weight of at least 0 in column 'weight', got -0.5");
    table.values[7][WEIGHT] = NAN;
    refuse(&table, &options, TULLE_ERROR_DATA, "row 8: expected a weight of at least 0");
    for (size_t r = 0; r < 100; r++)
        table.values[r][WEIGHT] = table.splits[r] != TULLE_SPLIT_TRAIN;
    refuse(&table, &options, TULLE_ERROR_DATA, "the weights of all training rows are 0");
    table.levels[WEIGHT] = table.levels[TARGET];
    refuse(&table, &options, TULLE_ERROR_DATA,
           "column 'weight' holds text, but weights are numbers");
    options.weight_column = "weigth";
    refuse(&table, &options, TULLE_ERROR_DATA, "did you mean 'weight'");
    options.weight_column = "y";
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "column 'y' cannot be both a target and the weights");
}

/* Where no validation row weighs anything there is no valid loss to go by. */
static void test_weightless_validation(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = weighing_options();
    make_overlap(&table, 100);
    split_table(&table);
    for (size_t r = 0; r < 100; r++)
        table.values[r][WEIGHT] = table.splits[r] == TULLE_SPLIT_TRAIN;
    tulle_model *model = train_table(&table, &options);
    assert_int_equal(tulle_model_info(model)->best_epoch, 0);
    assert_true(isnan(tulle_model_info(model)->curve[0].valid_loss));
    tulle_model_free(model);
    options.patience = 2;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "stopping early needs rows to validate on");
    options.patience = 0;
    options.schedule = TULLE_SCHEDULE_PLATEAU;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "the plateau schedule needs rows to validate on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_balanced),
        cmocka_unit_test(test_number_names),
        cmocka_unit_test(test_bad_class_weights),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_weightless_batches),
        cmocka_unit_test(test_own_loss),
        cmocka_unit_test(test_balanced_with_nothing),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bad_weights),
        cmocka_unit_test(test_weightless_validation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
