/* test_training_columns.c - what training makes of a table's inputs: which it leaves out, how the
 * others enter, and that it learns about them from the training rows alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/base/mix64.h"
#include "training_support.h"

/* --- What is left out ------------------------------------------------------------------------ */

static const char *const one_level[] = {"only", NULL};
static const char *const same_levels[] = {"red", "green", "blue", NULL};
static char row_names[100][8];
static const char *row_levels[101];

static const char *const *name_rows(void)
{
    for (size_t r = 0; r < 100; r++) {
        snprintf(row_names[r], sizeof row_names[r], "id%zu", r);
        row_levels[r] = row_names[r];
    }
    return row_levels;
}

/* A constant number, a constant text, text that differs in every row, copies of a number and of a
 * category behind others; of 8 columns 3 enter. */
static void test_left_out(void **state)
{
    (void)state;
    struct watch watch = {"", 0};
    struct table table;
    struct tulle_train_options options = small_options();
    clear_table(&table, 100);
    add_column(&table, "k", NULL);
    add_column(&table, "a", NULL);
    add_column(&table, "colour", colours);
    add_column(&table, "c", NULL);
    add_column(&table, "text", one_level);
    add_column(&table, "a2", NULL);
    add_column(&table, "id", name_rows());
    add_column(&table, "y", NULL);
    for (size_t r = 0; r < 100; r++) {
        const double row[] = {
            4, (double)(r % 7), (double)(r % 3), (double)(r % 11),
            0, (double)(r % 7), (double)r,       (double)(r % 7 + r % 3 + r % 11) + 0.5};
        memcpy(table.values[r], row, sizeof row);
    }
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_string_equal(watch.notices,
                        "input 'k' is left out: it is the same in all training rows\n"
                        "input 'text' is left out: it is the same in all training rows\n"
                        "input 'a2' is left out: it is the same as 'a'\n"
                        "input 'id' is left out: its text differs in every row\n");
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->input_count, 3);
    assert_string_equal(info->inputs[0].name, "a");
    assert_string_equal(info->inputs[1].name, "colour");
    assert_string_equal(info->inputs[2].name, "c");
    tulle_model_free(model);
}

/* What is only nearly a copy, in one row, as text, or where it is missing, is none. */
static void test_nearly_equal(void **state)
{
    (void)state;
    struct watch watch = {"", 0};
    struct table table;
    struct tulle_train_options options = small_options();
    clear_table(&table, 60);
    add_column(&table, "number", NULL);
    add_column(&table, "text", same_levels);
    add_column(&table, "other text", colours + 0);
    add_column(&table, "one row", NULL);
    add_column(&table, "holes", NULL);
    add_column(&table, "holes too", NULL);
    add_column(&table, "y", NULL);
    for (size_t r = 0; r < 60; r++) {
        double v = (double)(r % 3);
        const double row[] = {
            v, v, v, r == 41 ? 7 : v, r == 5 ? NAN : v, r == 5 ? NAN : v, (double)(r * r)};
        memcpy(table.values[r], row, sizeof row);
    }
    options.valid_fraction = 0;
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_string_equal(watch.notices,
                        "input 'other text' is left out: it is the same as 'text'\n"
                        "input 'holes too' is left out: it is the same as 'holes'\n");
    assert_int_equal(tulle_model_info(model)->input_count, 4);
    tulle_model_free(model);
}

/* Copies of a category that is missing now and then. */
static void test_equal_with_holes(void **state)
{
    (void)state;
    struct watch watch = {"", 0};
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 60);
    add_column(&table, "paint", same_levels);
    for (size_t r = 0; r < 60; r++) {
        table.values[r][COLOUR] = r % 7 == 2 ? NAN : table.values[r][COLOUR];
        table.values[r][Y + 1] = table.values[r][COLOUR];
    }
    options.notice = take_notice;
    options.user = &watch;
    tulle_model_free(train_table(&table, &options));
    assert_string_equal(watch.notices, "input 'paint' is left out: it is the same as 'colour'\n");
}

/* What the hash of a column's rows is after one more cell: a number, or the hash of its text. */
static uint64_t hash_number(uint64_t hash, double number)
{
    uint64_t word;
    memcpy(&word, &number, sizeof word);
    return tulle_hash64(hash, word);
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0;
    for (; *text; text++)
        hash = tulle_hash64(hash, (unsigned char)*text);
    return hash;
}

/* Makes the last two rows of a column of numbers such that its hash is that of another, which is
 * `before` ahead of the last cell. */
static void make_hash(struct table *table, size_t column, uint64_t before, uint64_t cell)
{
    double *last = &table->values[table->rows - 1][column];
    uint64_t begin = 0, word;
    for (size_t r = 0; r + 2 < table->rows; r++)
        begin = hash_number(begin, table->values[r][column]);
    for (double other = 1;; other++) {
        table->values[table->rows - 2][column] = other;
        word = (before + TULLE_GOLDEN64) ^ cell ^ (hash_number(begin, other) + TULLE_GOLDEN64);
        memcpy(last, &word, sizeof word);
        if (fabs(*last) > 1e-9 && fabs(*last) < 1e9)
            break;
    }
    assert_true(hash_number(hash_number(begin, table->values[table->rows - 2][column]), *last) ==
                tulle_hash64(before, cell));
}

/* Columns of one hash, and nothing else in common, are told apart. */
static void test_same_hash(void **state)
{
    enum { ROWS = 40 };
    (void)state;
    struct watch watch = {"", 0};
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, ROWS);
    table.has_splits = 1; /* all train, in this order */
    size_t like_a = add_column(&table, "like a", NULL), like_text = Y + 2;
    add_column(&table, "like colour", NULL);
    uint64_t of_a = 0, of_text = 1;
    for (size_t r = 0; r + 1 < ROWS; r++) {
        of_a = hash_number(of_a, table.values[r][A]);
        of_text = tulle_hash64(of_text, hash_text(colours[(size_t)table.values[r][COLOUR]]));
    }
    for (size_t r = 0; r < ROWS; r++)
        table.values[r][like_a] = table.values[r][like_text] = (double)(r % 5);
    uint64_t cell;
    memcpy(&cell, &table.values[ROWS - 1][A], sizeof cell);
    make_hash(&table, like_a, of_a, cell);
    make_hash(&table, like_text, of_text,
              hash_text(colours[(size_t)table.values[ROWS - 1][COLOUR]]));
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_string_equal(watch.notices, "");
    assert_int_equal(tulle_model_info(model)->input_count, 6);
    tulle_model_free(model);
}

static void test_nothing_left(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    clear_table(&table, 100);
    add_column(&table, "k", NULL);
    add_column(&table, "empty", NULL);
    add_column(&table, "text", one_level);
    add_column(&table, "id", name_rows());
    add_column(&table, "y", NULL);
    for (size_t r = 0; r < 100; r++) {
        const double row[] = {4, NAN, 0, (double)r, (double)(r * r)};
        memcpy(table.values[r], row, sizeof row);
    }
    refuse(
        &table, &options, TULLE_ERROR_DATA,
        "no input is left to predict from: all 4 are constant or have another text in every row");
}

/* --- How the others enter -------------------------------------------------------------------- */

/* Numbers that the first layer has: those of its weights but for the embeddings' vectors. */
static size_t numbers_in(const tulle_model *model)
{
    return model->network.inputs;
}

static void test_kinds(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 90);
    options.valid_fraction = 0;
    tulle_model *model = train_table(&table, &options);
    const struct tulle_column *b = find_input(model, "b"), *city = find_input(model, "city");
    assert_int_equal(find_input(model, "a")->missing, 0);
    assert_int_equal(b->missing, 10);
    assert_int_equal(find_input(model, "colour")->levels.count, 3);
    assert_int_equal(find_input(model, "colour")->dimensions, 0);
    assert_int_equal(city->levels.count, 11);
    assert_int_equal(city->dimensions, 8);
    /* a, b and whether it is missing, three colours; and a vector for each of 11 cities and none.
     */
    assert_int_equal(numbers_in(model), 1 + 2 + 3);
    assert_int_equal(tulle_model_info(model)->parameter_count,
                     (6 + 8) * 12 + 12 + 12 + 1 + (11 + 1) * 8);
    tulle_model_free(model);
}

/* one_hot_levels and embedding_dimensions say which categories are embedded, in how much. */
static void test_one_hot_levels(void **state)
{
    static const struct {
        size_t one_hot, dimensions, numbers, embeddings;
    } cases[] = {
        {11, 5, 3 + 3 + 11, 0}, {10, 5, 3 + 3, 1}, {3, 1, 3 + 3, 1}, {2, 2, 3, 2}, {0, 2, 3, 2}};
    (void)state;
    struct table table;
    make_table(&table, 90);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tulle_train_options options = small_options();
        options.valid_fraction = 0;
        options.one_hot_levels = cases[i].one_hot;
        options.embedding_dimensions = cases[i].dimensions;
        tulle_model *model = train_table(&table, &options);
        assert_int_equal(numbers_in(model), cases[i].numbers);
        assert_int_equal(model->network.embedding_count, cases[i].embeddings);
        for (size_t e = 0; e < cases[i].embeddings; e++)
            assert_int_equal(model->network.embeddings[e].dimensions, cases[i].dimensions);
        tulle_model_free(model);
    }
}

/* Of two levels, and as many embedded as one-hot ones, y is found as well. */
static void test_categories_learn(void **state)
{
    static const size_t one_hot[] = {0, 20};
    (void)state;
    struct table table;
    make_table(&table, 300);
    for (size_t r = 0; r < 300; r++)
        table.values[r][Y] = table.values[r][CITY] * 3 + (table.values[r][COLOUR] == 1);
    for (size_t i = 0; i < 2; i++) {
        struct tulle_train_options options = small_options();
        options.one_hot_levels = one_hot[i];
        options.epochs = 150;
        options.optimizer = TULLE_OPTIMIZER_ADAM;
        options.learning_rate = 0.01;
        tulle_model *model = train_table(&table, &options);
        assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_R2) > 0.98);
        tulle_model_free(model);
    }
}

/* A value that is missing tells by itself; one that is missing only in a prediction is the centre.
 */
static void test_missing_numbers(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 300);
    table.columns = 2;
    table.names[1] = "y";
    for (size_t r = 0; r < 300; r++) {
        double *row = table.values[r];
        row[1] = r % 5 == 0 ? 7 : 1 + 0.01 * row[0];
        if (r % 5 == 0)
            row[0] = NAN;
    }
    options.epochs = 200;
    options.optimizer = TULLE_OPTIMIZER_ADAM;
    options.learning_rate = 0.01;
    tulle_model *model = train_table(&table, &options);
    const double missing = NAN, middle = 5;
    assert_int_equal(numbers_in(model), 2);
    assert_true(fabs(predict_row(model, &missing, 0) - 7) < 0.1);
    assert_true(fabs(predict_row(model, &middle, 0) - 1.05) < 0.1);
    tulle_model_free(model);

    for (size_t r = 0; r < 300; r++)
        table.values[r][0] = (double)r;
    model = train_table(&table, &options);
    double mean = tulle_model_info(model)->inputs[0].mean;
    assert_int_equal(numbers_in(model), 1);
    assert_true(predict_row(model, &missing, 0) == predict_row(model, &mean, 0));
    tulle_model_free(model);
}

/* A level that no training row has behaves as a missing one, in validation rows as in predictions.
 */
static void test_unseen_levels(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 120);
    split_table(&table);
    for (size_t r = 0; r < 120; r++)
        for (size_t c = COLOUR; c <= CITY; c++) {
            double last = c == COLOUR ? 2 : 10;
            int is_train = table.splits[r] == TULLE_SPLIT_TRAIN;
            table.values[r][c] = fmod(table.values[r][c], is_train ? last : last + 1);
        }
    struct table missing = table;
    for (size_t r = 0; r < 120; r++)
        for (size_t c = COLOUR; c <= CITY; c++)
            if (missing.values[r][c] == (c == COLOUR ? 2 : 10))
                missing.values[r][c] = NAN;
    tulle_model *model = train_table(&table, &options), *other = train_table(&missing, &options);
    assert_int_equal(find_input(model, "colour")->levels.count, 2);
    assert_int_equal(find_input(model, "city")->levels.count, 10);
    assert_true(same_bits(model, other));
    for (size_t split = 0; split < 3; split++)
        assert_true(metric(model, split, TULLE_METRIC_RMSE) ==
                    metric(other, split, TULLE_METRIC_RMSE));
    assert_true(tulle_model_info(model)->curve[0].valid_loss ==
                tulle_model_info(other)->curve[0].valid_loss);
    const double row[] = {1, -4.5, NAN, NAN}, unknown[] = {1, -4.5, 2, 10},
                 known[] = {1, -4.5, 0, 0};
    assert_true(predict_row(model, row, 0) == predict_row(model, unknown, 0));
    assert_true(predict_row(model, row, 0) != predict_row(model, known, 0));
    tulle_model_free(model);
    tulle_model_free(other);
}

/* Each scaling learns, whatever the unit and however far from 0 a column is; without one it does
 * not where the numbers are large. */
static void test_scalings(void **state)
{
    (void)state;
    struct table table;
    make_table(&table, 200);
    for (size_t r = 0; r < 200; r++)
        table.values[r][A] = 1e6 + 1000 * table.values[r][A];
    for (int scaling = TULLE_SCALING_STANDARD; scaling <= TULLE_SCALING_QUANTILE; scaling++) {
        struct tulle_train_options options = small_options();
        options.scaling = (enum tulle_scaling)scaling;
        options.epochs = 100;
        tulle_model *model = train_table(&table, &options);
        assert_int_equal(find_input(model, "a")->scaling, scaling);
        assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_R2) > 0.9);
        tulle_model_free(model);
    }
    struct tulle_train_options options = small_options();
    options.scaling = TULLE_SCALING_NONE;
    refuse(&table, &options, TULLE_ERROR_DIVERGED, "training diverged in epoch 1");
}

/* --- From the training rows alone ------------------------------------------------------------ */

/* Test rows may hold anything, and validation rows any inputs: the parameters are the same, bit for
 * bit, and all that is known about columns. */
static void test_training_rows_alone(void **state)
{
    (void)state;
    for (int scaling = TULLE_SCALING_NONE; scaling <= TULLE_SCALING_QUANTILE; scaling++) {
        struct table table, changed;
        struct tulle_train_options options = small_options();
        options.scaling = (enum tulle_scaling)scaling;
        options.learning_rate = 0.001;
        options.keep_best = 0;
        make_table(&table, 120);
        split_table(&table);
        changed = table;
        for (size_t r = 0; r < 120; r++) {
            double *row = changed.values[r];
            if (table.splits[r] == TULLE_SPLIT_TRAIN)
                continue;
            row[A] = r % 3 ? NAN : 1e4;
            row[B] = -3000;
            row[COLOUR] = NAN;
            row[CITY] = 4;
            row[Y] = -70 - (double)r;
        }
        tulle_model *model = train_table(&table, &options),
                    *other = train_table(&changed, &options);
        const struct tulle_model_info *a = tulle_model_info(model), *b = tulle_model_info(other);
        assert_true(same_bits(model, other));
        for (size_t c = 0; c <= a->input_count; c++) {
            const struct tulle_column *one = c < a->input_count ? &a->inputs[c] : a->targets;
            const struct tulle_column *two = c < a->input_count ? &b->inputs[c] : b->targets;
            assert_true(one->mean == two->mean && one->scale == two->scale);
            assert_true(one->minimum == two->minimum && one->maximum == two->maximum);
            assert_int_equal(one->missing, two->missing);
            assert_int_equal(one->levels.count, two->levels.count);
            assert_int_equal(one->quantile_count, two->quantile_count);
            for (size_t q = 0; q < one->quantile_count; q++)
                assert_true(one->quantiles[q] == two->quantiles[q]);
        }
        for (size_t e = 0; e < a->curve_count; e++)
            assert_true(a->curve[e].train_loss == b->curve[e].train_loss &&
                        a->curve[e].valid_loss != b->curve[e].valid_loss);
        assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_MAE) ==
                    metric(other, TULLE_SPLIT_TRAIN, TULLE_METRIC_MAE));
        assert_true(metric(model, TULLE_SPLIT_TEST, TULLE_METRIC_MAE) !=
                    metric(other, TULLE_SPLIT_TEST, TULLE_METRIC_MAE));
        tulle_model_free(model);
        tulle_model_free(other);
    }
}

/* A column that varies in the other rows only is constant, and one that differs from another there
 * only, be it by a level that no training row has, is a copy. */
static void test_constant_in_training(void **state)
{
    static const char *const more_colours[] = {"blue", "green", "black", "red", NULL};
    static const double place[] = {3, 1, 0};
    (void)state;
    struct watch watch = {"", 0};
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 120);
    split_table(&table);
    add_column(&table, "paint", more_colours);
    for (size_t r = 0; r < 120; r++) {
        double *row = table.values[r];
        row[Y + 1] = place[(size_t)row[COLOUR]];
        if (table.splits[r] == TULLE_SPLIT_TRAIN) {
            row[A] = -2;
            row[CITY] = 3;
        } else
            row[Y + 1] = 2;
    }
    options.notice = take_notice;
    options.user = &watch;
    tulle_model *model = train_table(&table, &options);
    assert_string_equal(watch.notices,
                        "input 'a' is left out: it is the same in all training rows\n"
                        "input 'city' is left out: it is the same in all training rows\n"
                        "input 'paint' is left out: it is the same as 'colour'\n");
    assert_int_equal(tulle_model_info(model)->input_count, 2);
    tulle_model_free(model);
}

/* The table's own order of levels counts for nothing, and a level that only a test row has, or
 * none, takes no place among the model's. */
static void test_levels_of_training(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = small_options();
    make_table(&table, 120);
    split_table(&table);
    tulle_model *model = train_table(&table, &options);
    static const char *const more[] = {"black", "blue", "white", "green", "red", "grey", NULL};
    static const double place[] = {4, 3, 1}; /* of red, green and blue */
    static const char *const sorted[] = {"blue", "green", "red"};
    struct table with_more = table;
    with_more.levels[COLOUR] = (struct tulle_levels){more, 6};
    for (size_t r = 0; r < 120; r++)
        with_more.values[r][COLOUR] = table.splits[r] == TULLE_SPLIT_TEST
                                          ? (double)(r % 6)
                                          : place[(size_t)table.values[r][COLOUR]];
    tulle_model *other = train_table(&with_more, &options);
    assert_true(same_bits(model, other));
    for (size_t l = 0; l < 3; l++)
        assert_string_equal(find_input(other, "colour")->levels.names[l], sorted[l]);
    tulle_model_free(model);
    tulle_model_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_nearly_equal),
        cmocka_unit_test(test_equal_with_holes),
        cmocka_unit_test(test_same_hash),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_one_hot_levels),
        cmocka_unit_test(test_categories_learn),
        cmocka_unit_test(test_missing_numbers),
        cmocka_unit_test(test_unseen_levels),
        cmocka_unit_test(test_scalings),
        cmocka_unit_test(test_training_rows_alone),
        cmocka_unit_test(test_constant_in_training),
        cmocka_unit_test(test_levels_of_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
