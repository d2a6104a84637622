/* test_training_trials.c - number_bins by trial: what tables make of it, and when there are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "training_support.h"

enum { ROWS = 400, WAVES = 9 };

static struct table table;

/* Calls of progress, in trials and after them. */
struct calls {
    struct watch watch;
    size_t of_trial[3];
    size_t stop_at; /* that call of a trial ends it */
    size_t polls, refused_poll;
};

static int count_calls(const struct tulle_progress *progress, void *user)
{
    struct calls *calls = user;
    assert_int_equal(progress->trials, 2);
    assert_in_range(progress->trial, 0, 2);
    for (size_t later = progress->trial == 0 ? 3 : progress->trial + 1; later < 3; later++)
        assert_int_equal(calls->of_trial[later], 0);
    size_t call = ++calls->of_trial[progress->trial];
    return progress->trial > 0 && call == calls->stop_at ? TULLE_STOP_HERE : 0;
}

/* Before the first step, of the training or of a trial. */
static int count_polls(void *user)
{
    struct calls *calls = user;
    assert_int_equal(calls->of_trial[0], 0);
    return ++calls->polls == calls->refused_poll;
}

static struct tulle_train_options options_of(struct calls *calls)
{
    struct tulle_train_options options = small_options();
    memset(calls, 0, sizeof *calls);
    options.recipe = TULLE_RECIPE_TABULAR;
    options.epochs = 60;
    options.valid_fraction = 0.3;
    options.progress = count_calls;
    options.poll = count_polls;
    options.notice = take_notice;
    options.user = calls;
    return options;
}

/* y is a wave of a, or all but nothing of it and noise. */
static void make_numbers(int is_fine)
{
    struct tulle_rng rng;
    clear_table(&table, ROWS);
    add_column(&table, "a", NULL);
    add_column(&table, "y", NULL);
    tulle_rng_seed(&rng, 8);
    for (size_t r = 0; r < ROWS; r++) {
        double a = tulle_rng_uniform(&rng), phase = WAVES * a - floor(WAVES * a);
        table.values[r][0] = a;
        table.values[r][1] = is_fine ? fabs(phase - 0.5) : a / 4 + tulle_rng_uniform(&rng);
    }
}

static size_t chosen_bins(const struct tulle_train_options *options)
{
    tulle_model *model = train_table(&table, options);
    const struct tulle_model_info *info = tulle_model_info(model);
    size_t bins = info->front.bins;
    for (size_t i = 0; i < info->setting_count; i++)
        if (strcmp(info->settings[i].name, "number_bins") == 0)
            assert_int_equal(strtoul(info->settings[i].value, NULL, 10), bins ? bins : 48);
    tulle_model_free(model);
    return bins;
}

/* With many bins noise is learned, and with few no waves. */
static void test_chosen(void **state)
{
    struct calls calls;
    struct tulle_train_options options = options_of(&calls);
    (void)state;
    make_numbers(1);
    assert_int_equal(chosen_bins(&options), 48);
    assert_int_equal(calls.of_trial[1], calls.of_trial[2]);
    assert_int_equal(calls.of_trial[0], 4 * calls.of_trial[1]);
    options = options_of(&calls);
    make_numbers(0);
    assert_int_equal(chosen_bins(&options), 2);
    assert_int_equal(calls.watch.notices[0], '\0'); /* those of a trial are the training's own */
}

/* Validation rows of another table are those of the trials, too. */
static void test_apart(void **state)
{
    struct calls calls;
    struct tulle_train_options options = options_of(&calls);
    (void)state;
    make_numbers(1);
    tulle_dataset *train = new_dataset(&table);
    make_numbers(0);
    tulle_dataset *valid = new_dataset(&table);
    options.valid_dataset = valid;
    tulle_model *model = train_dataset(train, &options);
    assert_int_equal(tulle_model_info(model)->front.bins, 2);
    assert_true(calls.of_trial[2] > 0);
    tulle_model_free(model);
    tulle_dataset_free(train);
    tulle_dataset_free(valid);
}

/* So they are where the first table has such rows too: there they are to train on. */
static void test_both(void **state)
{
    struct calls calls;
    size_t bins[2];
    (void)state;
    make_numbers(0);
    tulle_dataset *valid = new_dataset(&table);
    make_numbers(1);
    table.has_splits = 1;
    for (int with_valid = 0; with_valid < 2; with_valid++) {
        struct tulle_train_options options = options_of(&calls);
        for (size_t r = 0; r < ROWS; r++)
            table.splits[r] = with_valid && r % 2 ? TULLE_SPLIT_VALID : TULLE_SPLIT_TRAIN;
        tulle_dataset *train = new_dataset(&table);
        options.valid_dataset = valid;
        tulle_model *model = train_dataset(train, &options);
        bins[with_valid] = tulle_model_info(model)->front.bins;
        assert_int_equal(calls.of_trial[0], 4 * calls.of_trial[1]);
        tulle_model_free(model);
        tulle_dataset_free(train);
    }
    assert_int_equal(bins[0], bins[1]);
    tulle_dataset_free(valid);
}

/* A trial that the caller has ended is none. */
static void test_stopped(void **state)
{
    struct calls calls;
    struct tulle_train_options options = options_of(&calls);
    (void)state;
    make_numbers(0);
    calls.stop_at = 5;
    assert_int_equal(chosen_bins(&options), 48);
    assert_int_equal(calls.of_trial[1], 6); /* the step, and its epoch */
    assert_int_equal(calls.of_trial[2], 0);
    assert_true(calls.of_trial[0] > 100);
}

/* Without anything to choose by or for, the bins are many. */
static void test_none(void **state)
{
    struct calls calls;
    (void)state;
    for (int without = 0; without < 5; without++) {
        struct tulle_train_options options = options_of(&calls);
        size_t expected = 48;
        options.epochs = 2;
        make_numbers(1);
        if (without == 0) {
            options.valid_fraction = 0;
        } else if (without == 1) {
            options.number_bins = expected = 7;
        } else if (without == 2) {
            options.number_dimensions = expected = 0;
        } else if (without == 3) { /* valid rows that count */
            size_t weight = add_column(&table, "weight", NULL);
            table.has_splits = 1;
            for (size_t r = 0; r < ROWS; r++) {
                table.splits[r] = r % 3 ? TULLE_SPLIT_TRAIN : TULLE_SPLIT_VALID;
                table.values[r][weight] = r % 3 ? 1 : 0;
            }
            options.weight_column = "weight";
        } else { /* numbers */
            table.levels[0] = (struct tulle_levels){colours, 3};
            for (size_t r = 0; r < ROWS; r++)
                table.values[r][0] = (double)(r % 3);
            expected = 0;
        }
        assert_int_equal(chosen_bins(&options), expected);
        assert_int_equal(calls.of_trial[1] + calls.of_trial[2], 0);
        assert_true(calls.of_trial[0] > 0);
    }
}

/* A tenth of the table, which are the rows to validate on, have a loss that is no number. */
static double no_valid_loss(size_t rows, size_t outputs, const double *output, size_t targets,
                            const double *target, double *gradient, void *user)
{
    double sum = 0;
    (void)outputs, (void)targets, (void)user;
    for (size_t r = 0; r < rows; r++) {
        gradient[r] = output[r] - target[r];
        sum += gradient[r] * gradient[r];
    }
    return rows == ROWS / 10 ? NAN : sum / (double)rows;
}

/* Trials that tell nothing leave it at many bins. */
static void test_nothing_told(void **state)
{
    struct calls calls;
    struct tulle_train_options options = options_of(&calls);
    (void)state;
    make_numbers(0);
    options.epochs = 4;
    options.valid_fraction = 0.1;
    options.batch_size = ROWS;
    options.loss_function = no_valid_loss;
    assert_int_equal(chosen_bins(&options), 48);
    assert_true(calls.of_trial[1] > 0 && calls.of_trial[2] > 0);
}

/* A trial that diverges has lost; when all do, the training says why. */
static void test_diverged(void **state)
{
    struct calls calls;
    struct tulle_train_options options = options_of(&calls);
    (void)state;
    make_numbers(1);
    options.learning_rate = 1e30;
    refuse(&table, &options, TULLE_ERROR_DIVERGED, "of 60");
    assert_true(calls.of_trial[1] + calls.of_trial[2] < calls.of_trial[0] + 60);
}

/* At each poll there is, in the preparation of a trial too; nothing is left, and nothing runs on.
 */
static void test_interrupted(void **state)
{
    struct calls calls;
    struct tulle_train_options options = options_of(&calls);
    (void)state;
    make_numbers(0);
    add_column(&table, "b", NULL);
    options.epochs = 4;
    for (size_t r = 0; r < ROWS; r++)
        table.values[r][2] = (double)(r % 7);
    tulle_model_free(train_table(&table, &options));
    size_t polls = calls.polls;
    assert_true(polls > 45); /* 15 parts, 2 columns, knots of each: three times */
    for (size_t at = 1; at <= polls; at++) {
        options = options_of(&calls);
        options.epochs = 4;
        calls.refused_poll = at;
        refuse(&table, &options, TULLE_ERROR_INTERRUPTED, "interrupted before the first step");
        assert_int_equal(calls.polls, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chosen),       cmocka_unit_test(test_apart),
        cmocka_unit_test(test_both),         cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_none),         cmocka_unit_test(test_diverged),
        cmocka_unit_test(test_nothing_told), cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
