/* test_training_rows.c - which rows train, validate and test: by a column, by shares of them, from
 * a table of their own, and without those whose target is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/train/training.h"
#include "training_support.h"

static void assert_rows(const tulle_model *model, size_t train, size_t valid, size_t test)
{
    const size_t expected[] = {train, valid, test};
    const struct tulle_model_info *info = tulle_model_info(model);
    for (size_t split = 0; split < 3; split++) {
        assert_int_equal(info->rows[split], expected[split]);
        for (size_t t = 0; t < info->target_count; t++)
            assert_int_equal(info->metrics[split * info->target_count + t].rows, expected[split]);
    }
}

/* --- Which rows a split has ------------------------------------------------------------------ */

/* The table's rows as training splits them, for class targets in column y; freed by free_split. */
static struct training split_rows(const tulle_dataset *dataset,
                                  const struct tulle_train_options *options)
{
    struct training t = {.dataset = dataset,
                         .first_rows = dataset->info.rows,
                         .options = *options,
                         .target_count = 1};
    struct tulle_error error;
    tulle_rng_seed(&t.rng, options->seed);
    if (tulle_training_find_columns(&t, &error) != TULLE_OK ||
        tulle_training_split(&t, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    return t;
}

static void free_split(struct training *t)
{
    tulle_free(t->columns);
    tulle_free(t->order);
    tulle_free(t->shuffled);
}

/* Every row is in one split, once. */
static void assert_partition(const struct training *t)
{
    unsigned char seen[TABLE_ROWS] = {0};
    size_t rows = t->dataset->info.rows;
    assert_int_equal(t->rows[0] + t->rows[1] + t->rows[2], rows);
    for (size_t i = 0; i < rows; i++) {
        assert_true(t->order[i] < rows);
        assert_int_equal(seen[t->order[i]]++, 0);
    }
}

static void test_by_column(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 80);
    split_table(&table);
    options.valid_fraction = 0.7; /* is not looked at */
    tulle_model *model = train_table(&table, &options);
    assert_rows(model, 50, 20, 10);
    assert_true(tulle_model_info(model)->valid_fraction == 0);
    tulle_model_free(model);

    tulle_dataset *dataset = new_dataset(&table);
    struct training t = split_rows(dataset, &options);
    assert_partition(&t);
    for (size_t i = 0; i < 80; i++)
        assert_int_equal(table.splits[t.order[i]], i < 50   ? TULLE_SPLIT_TRAIN
                                                   : i < 70 ? TULLE_SPLIT_VALID
                                                            : TULLE_SPLIT_TEST);
    free_split(&t);
    tulle_dataset_free(dataset);
}

static void test_by_share(void **state)
{
    static const struct {
        double valid, test;
        size_t rows[3];
    } cases[] = {{0.1, 0, {90, 10, 0}},
                 {0, 0, {100, 0, 0}},
                 {0.25, 0.3, {45, 25, 30}},
                 {0.004, 0.006, {99, 0, 1}},
                 {0.49, 0.49, {2, 49, 49}}};
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        options.valid_fraction = cases[i].valid;
        options.test_fraction = cases[i].test;
        tulle_model *model = train_table(&table, &options);
        assert_rows(model, cases[i].rows[0], cases[i].rows[1], cases[i].rows[2]);
        assert_true(tulle_model_info(model)->valid_fraction == cases[i].valid);
        assert_true(tulle_model_info(model)->test_fraction == cases[i].test);
        tulle_model_free(model);
    }
    /* Another seed draws other rows, and the same one the same. */
    tulle_dataset *dataset = new_dataset(&table);
    struct training a = split_rows(dataset, &options), b = split_rows(dataset, &options);
    options.seed++;
    struct training c = split_rows(dataset, &options);
    assert_partition(&a);
    assert_partition(&c);
    assert_memory_equal(a.order, b.order, 100 * sizeof *a.order);
    assert_memory_not_equal(a.order, c.order, 100 * sizeof *a.order);
    free_split(&a);
    free_split(&b);
    free_split(&c);
    tulle_dataset_free(dataset);
}

/* --- By class -------------------------------------------------------------------------------- */

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
                                      "l", "m", "n", "o", "p", "q", "r", "s", "t", NULL};

/* x and the class y: sizes[k] rows of class k, mixed. */
static void make_sized_classes(struct table *table, const size_t *sizes, size_t kinds)
{
    size_t left[20], rows = 0, filled = 0;
    for (size_t k = 0; k < kinds; k++)
        rows += left[k] = sizes[k];
    clear_table(table, rows);
    add_column(table, "x", NULL);
    add_column(table, "y", letters);
    while (filled < rows)
        for (size_t k = 0; k < kinds; k++)
            if (left[k] > 0) {
                left[k]--;
                table->values[filled][0] = (double)(filled * 37 % 101) + (double)k;
                table->values[filled++][1] = (double)k;
            }
}

/* Each class's rows in each split are its share to within one row, all classes' together the
 * table's, and each class has one to train on. */
static void check_strata(const size_t *sizes, size_t kinds, double valid, double test, int exact)
{
    struct table table;
    struct tulle_train_options options = small_options();
    make_sized_classes(&table, sizes, kinds);
    options.valid_fraction = valid;
    options.test_fraction = test;
    tulle_dataset *dataset = new_dataset(&table);
    struct training t = split_rows(dataset, &options);
    const double shares[] = {1 - valid - test, valid, test};
    assert_partition(&t);
    for (size_t split = 0, begin = 0; split < 3; begin += t.rows[split++]) {
        size_t found[20] = {0};
        for (size_t i = 0; i < t.rows[split]; i++)
            found[(size_t)table.values[t.order[begin + i]][1]]++;
        for (size_t k = 0; k < kinds; k++) {
            double expected = shares[split] * (double)sizes[k];
            if (exact && fabs((double)found[k] - expected) >= (split == 0 ? 2 : 1))
                fail_msg("class %zu: %zu rows in the %s split, expected about %g", k, found[k],
                         tulle_split_name((enum tulle_split)split), expected);
            assert_true(split > 0 || found[k] > 0);
        }
        double expected = shares[split] * (double)table.rows;
        if (exact && fabs((double)t.rows[split] - expected) > 1)
            fail_msg("%zu rows in the %s split, expected about %g", t.rows[split],
                     tulle_split_name((enum tulle_split)split), expected);
    }
    free_split(&t);
    tulle_dataset_free(dataset);
}

static void test_by_class(void **state)
{
    static const size_t usual[] = {200, 100, 37, 13, 5, 2}, halves[] = {100, 300},
                        few[] = {1, 1, 1, 9}, pairs[] = {2, 2, 2};
    static const size_t small[] = {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4};
    (void)state;
    check_strata(usual, 6, 0.1, 0, 1);
    check_strata(usual, 6, 0.2, 0.25, 1);
    check_strata(halves, 2, 0.5, 0.25, 1);
    check_strata(small, 20, 0.1, 0, 1);
    check_strata(small, 20, 0.15, 0.1, 1);
    check_strata(few, 4, 0.45, 0.45, 0); /* one row each is for training */
    check_strata(pairs, 3, 0.4, 0.4, 0);
}

/* --- A table of validation rows -------------------------------------------------------------- */

static void test_valid_dataset(void **state)
{
    (void)state;
    struct watch watch = {"", 0};
    struct table table, valid;
    struct tulle_train_options options = small_options();
    make_table(&table, 80);
    /* Columns in another order, one more, levels in another order and a new one, and splits, which
     * are not looked at. */
    static const char *const more_colours[] = {"pink", "blue", "red", "green", NULL};
    static const double place[] = {2, 3, 1};
    clear_table(&valid, 60);
    add_column(&valid, "y", NULL);
    add_column(&valid, "more", NULL);
    add_column(&valid, "colour", more_colours);
    add_column(&valid, "b", NULL);
    add_column(&valid, "city", cities);
    add_column(&valid, "a", NULL);
    for (size_t r = 0; r < 60; r++) {
        const double *from = table.values[r + 20];
        const double row[] = {from[Y], 0,          r == 7 ? 0 : place[(size_t)from[COLOUR]],
                              from[B], from[CITY], from[A]};
        memcpy(valid.values[r], row, sizeof row);
    }
    split_table(&valid);

    /* The same as one table whose splits say so. */
    struct table joined = table;
    joined.rows = 80 + 60;
    joined.has_splits = 1;
    for (size_t r = 0; r < 60; r++) {
        memcpy(joined.values[80 + r], table.values[r + 20], sizeof *joined.values);
        joined.splits[80 + r] = TULLE_SPLIT_VALID;
    }
    joined.values[80 + 7][COLOUR] = NAN;
    tulle_model *expected = train_table(&joined, &options);
    tulle_dataset *dataset = new_dataset(&valid);
    options.valid_dataset = dataset;
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_string_equal(watch.notices, "");
    assert_rows(model, 80, 60, 0);
    assert_int_equal(find_input(model, "colour")->levels.count, 3);
    assert_true(same_bits(model, expected));
    assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_RMSE) ==
                metric(expected, TULLE_SPLIT_VALID, TULLE_METRIC_RMSE));
    tulle_model_free(model);
    tulle_model_free(expected);

    /* The first table's own validation rows train, its test rows stay what they are. */
    split_table(&table);
    model = train_table(&table, &options);
    assert_rows(model, 70, 60, 10);
    tulle_model_free(model);
    tulle_dataset_free(dataset);
}

static void test_bad_valid_dataset(void **state)
{
    (void)state;
    struct table table, valid;
    struct tulle_train_options options = small_options();
    make_table(&table, 40);
    make_table(&valid, 40);
    valid.columns = Y;
    options.valid_dataset = new_dataset(&valid);
    refuse(&table, &options, TULLE_ERROR_DATA, "'y'");
    tulle_dataset_free((tulle_dataset *)options.valid_dataset);
    valid.columns = Y + 1;
    valid.values[5][A] = 1e30; /* rows are counted from the first of their own table */
    options.valid_dataset = new_dataset(&valid);
    refuse(&table, &options, TULLE_ERROR_DATA, "row 6: column 'a' holds 1e+30");
    tulle_dataset_free((tulle_dataset *)options.valid_dataset);
    valid.levels[A] = valid.levels[CITY];
    for (size_t r = 0; r < 40; r++)
        valid.values[r][A] = 0;
    options.valid_dataset = new_dataset(&valid);
    refuse(&table, &options, TULLE_ERROR_DATA, "expected numbers in column 'a'");
    tulle_dataset_free((tulle_dataset *)options.valid_dataset);
}

/* --- Few rows -------------------------------------------------------------------------------- */

static void test_two_rows(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 2);
    for (int batch = 1; batch <= 1000; batch *= 1000) {
        options.batch_size = (size_t)batch;
        options.task = TULLE_TASK_REGRESSION;
        options.epochs = 200;
        tulle_model *model = train_table(&table, &options);
        assert_rows(model, 2, 0, 0);
        assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_R2) > 0.99);
        tulle_model_free(model);
        options.task = TULLE_TASK_AUTO; /* two numbers are classes */
        model = train_table(&table, &options);
        assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_ACCURACY) == 1);
        tulle_model_free(model);
    }
    table.rows = 1;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "training needs at least 2 rows, got 1 (of 1 in all)");
    table.rows = 2;
    options.task = TULLE_TASK_REGRESSION;
    options.valid_fraction = 0.4;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "training needs at least 2 rows, got 1 (of 2 in all)");
    make_table(&table, 3);
    options.valid_fraction = 0.5; /* rounded up, as is the other */
    options.test_fraction = 0.49;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "training needs at least 2 rows, got 0 (of 3 in all)");
}

/* A batch larger than the table is the table, whatever its size. */
static void test_large_batch(void **state)
{
    static const size_t sizes[] = {72, 73, 1000, (size_t)1 << 53};
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    tulle_model *first = NULL;
    make_table(&table, 80);
    for (size_t i = 0; i < 4; i++) {
        options.batch_size = sizes[i];
        tulle_model *model = train_table(&table, &options);
        assert_int_equal(tulle_model_info(model)->batch_size, sizes[i]);
        if (i > 0)
            assert_true(same_bits(model, first));
        if (i > 0)
            tulle_model_free(model);
        else
            first = model;
    }
    tulle_model_free(first);
}

/* --- Targets that are missing ---------------------------------------------------------------- */

static void test_missing_targets(void **state)
{
    static const char *const both[] = {"y", "b"};
    (void)state;
    struct watch watch = {"", 0};
    struct table table, fewer;
    struct tulle_train_options options = small_options();
    make_table(&table, 80);
    split_table(&table);
    fewer = table;
    fewer.rows = 0;
    for (size_t r = 0; r < 80; r++)
        if (r % 5 == 1)
            table.values[r][Y] = NAN;
        else {
            memcpy(fewer.values[fewer.rows], table.values[r], sizeof *table.values);
            fewer.splits[fewer.rows++] = table.splits[r];
        }
    tulle_model *expected = train_table(&fewer, &options);
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_string_equal(watch.notices, "16 rows are left out for want of a target\n");
    assert_rows(model, 40, 16, 8);
    assert_true(same_bits(model, expected));
    tulle_model_free(model);
    tulle_model_free(expected);

    /* Of several targets, rows that lack one. */
    *watch.notices = '\0';
    options.targets = both;
    options.target_count = 2;
    model = train_table(&table, &options);
    size_t left = 0;
    for (size_t r = 0; r < 80; r++)
        left += r % 5 == 1 || r % 9 == 4;
    char line[64];
    snprintf(line, sizeof line, "%zu rows are left out for want of a target\n", left);
    assert_string_equal(watch.notices, line);
    tulle_model_free(model);
    for (size_t r = 0; r < 80; r++)
        table.values[r][Y] = NAN;
    refuse(&table, &options, TULLE_ERROR_DATA,
           "training needs at least 2 rows, got 0 (of 80 in all)");
}

/* --- Classes that training does not have ----------------------------------------------------- */

/* Rows of such a class have no part in the valid loss: the model is as if they were not there. They
 * count as wrong. */
static void test_unknown_classes(void **state)
{
    static const size_t sizes[] = {30, 30, 30, 30};
    (void)state;
    struct watch watch = {"", 0};
    struct table table, without;
    struct tulle_train_options options = small_options();
    make_sized_classes(&table, sizes, 4);
    split_table(&table);
    without = table;
    without.rows = 0;
    size_t unknown = 0, valid = 0;
    for (size_t r = 0; r < 120; r++) {
        if (table.splits[r] == TULLE_SPLIT_TRAIN && table.values[r][1] == 3)
            table.values[r][1] = 0;
        int is_unknown = table.splits[r] == TULLE_SPLIT_VALID && r % 3 == 0;
        valid += table.splits[r] == TULLE_SPLIT_VALID;
        unknown += is_unknown;
        if (table.splits[r] == TULLE_SPLIT_VALID)
            table.values[r][1] = is_unknown ? 3 : (double)(r % 3);
        memcpy(without.values[without.rows], table.values[r], sizeof *table.values);
        without.splits[without.rows] = table.splits[r];
        without.rows += !is_unknown;
    }
    tulle_model *expected = train_table(&without, &options);
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_non_null(strstr(watch.notices, "10 valid rows are of a class that no training row has: "
                                          "counted as wrong, with no part in the valid loss\n"));
    assert_int_equal(unknown, 10);
    assert_int_equal(tulle_model_info(model)->targets[0].levels.count, 3);
    assert_true(same_bits(model, expected));
    assert_true(tulle_model_info(model)->curve[4].valid_loss ==
                tulle_model_info(expected)->curve[4].valid_loss);
    assert_int_equal(tulle_model_info(model)->rows[TULLE_SPLIT_VALID], valid);
    double right =
        metric(expected, TULLE_SPLIT_VALID, TULLE_METRIC_ACCURACY) * (double)(valid - unknown);
    assert_true(fabs(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_ACCURACY) -
                     right / (double)valid) < 1e-12);
    tulle_model_free(model);
    tulle_model_free(expected);
    /* Of one row the notice is about one. */
    for (size_t r = 0, kept = 0; r < 120; r++)
        if (table.splits[r] == TULLE_SPLIT_VALID && table.values[r][1] == 3 && kept++ > 0)
            table.values[r][1] = 0;
    *watch.notices = '\0';
    tulle_model_free(train_table(&table, &options));
    assert_non_null(strstr(watch.notices, "1 valid row is of a class that no training row has"));
    /* With no others nothing can be validated. */
    for (size_t r = 0; r < 120; r++)
        if (table.splits[r] == TULLE_SPLIT_VALID)
            table.values[r][1] = 3;
    model = train_table(&table, &options);
    assert_int_equal(tulle_model_info(model)->best_epoch, 0);
    assert_true(isnan(tulle_model_info(model)->curve[0].valid_loss));
    assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_ACCURACY) == 0);
    tulle_model_free(model);
    options.patience = 3;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT, "stopping early needs rows to validate on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_column),         cmocka_unit_test(test_by_share),
        cmocka_unit_test(test_by_class),          cmocka_unit_test(test_valid_dataset),
        cmocka_unit_test(test_bad_valid_dataset), cmocka_unit_test(test_two_rows),
        cmocka_unit_test(test_large_batch),       cmocka_unit_test(test_missing_targets),
        cmocka_unit_test(test_unknown_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
