/* test_early_stopping.c - what happens from epoch to epoch: progress, the curve, the best epoch,
 * and stopping early; learning rates from step to step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "training_support.h"

enum { ROWS = 80, STEPS = 4, MOST_CALLS = 4000 }; /* 50 rows to train on, in batches of 16 */

#define RATE 0.03125

/* Validation rows have 4/10 of what training rows have: a network that begins at 0 and learns the
 * latter is for a while best at the former. */
static void make_shrunk(struct table *table)
{
    make_table(table, ROWS);
    split_table(table);
    double mean = 0;
    for (size_t r = 0; r < ROWS; r++)
        mean += table->values[r][Y] / ROWS;
    for (size_t r = 0; r < ROWS; r++)
        if (table->splits[r] == TULLE_SPLIT_VALID)
            table->values[r][Y] = mean + 0.4 * (table->values[r][Y] - mean);
}

static struct tulle_train_options slow_options(void)
{
    struct tulle_train_options options = small_options();
    options.learning_rate = RATE;
    options.epochs = 40;
    return options;
}

/* --- The best epoch -------------------------------------------------------------------------- */

static size_t find_best(const struct tulle_model_info *info)
{
    size_t best = 0;
    for (size_t e = 1; e < info->curve_count; e++)
        if (info->curve[e].valid_loss < info->curve[best].valid_loss)
            best = e;
    return best + 1;
}

/* The best epoch's parameters are those of a run of so many epochs, bit for bit. */
static void test_keep_best(void **state)
{
    static const double averaging[] = {0, 0.9};
    (void)state;
    struct table table;
    make_shrunk(&table);
    for (size_t i = 0; i < 2; i++)
        for (int optimizer = TULLE_OPTIMIZER_SGD; optimizer <= TULLE_OPTIMIZER_ADAMW; optimizer++) {
            struct tulle_train_options options = slow_options();
            options.optimizer = (enum tulle_optimizer)optimizer;
            if (optimizer >= TULLE_OPTIMIZER_RMSPROP)
                options.learning_rate = optimizer == TULLE_OPTIMIZER_RMSPROP ? RATE / 64 : RATE / 8;
            options.averaging = averaging[i];
            options.dropout = 0.1;
            tulle_model *best = train_table(&table, &options);
            const struct tulle_model_info *info = tulle_model_info(best);
            assert_int_equal(info->curve_count, 40);
            assert_int_equal(info->best_epoch, find_best(info));
            assert_in_range(info->best_epoch, 2, 39);

            options.epochs = info->best_epoch;
            options.keep_best = 0;
            tulle_model *shorter = train_table(&table, &options);
            assert_int_equal(tulle_model_info(shorter)->best_epoch, 0);
            assert_true(same_bits(best, shorter));
            assert_memory_equal(info->curve, tulle_model_info(shorter)->curve,
                                info->best_epoch * sizeof *info->curve);
            for (size_t split = 0; split < 3; split++)
                assert_true(metric(best, split, TULLE_METRIC_RMSE) ==
                            metric(shorter, split, TULLE_METRIC_RMSE));
            options.epochs = 40;
            tulle_model *last = train_table(&table, &options);
            assert_false(same_bits(best, last));
            tulle_model_free(best);
            tulle_model_free(shorter);
            tulle_model_free(last);
        }
}

/* The valid loss of the curve is that of the model, in the target's units squared. */
static void test_valid_loss(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = slow_options();
    options.precision = TULLE_F64;
    make_shrunk(&table);
    tulle_model *model = train_table(&table, &options);
    const struct tulle_model_info *info = tulle_model_info(model);
    double rmse = metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_RMSE) / info->targets[0].scale;
    double loss = info->curve[info->best_epoch - 1].valid_loss;
    assert_true(fabs(rmse * rmse - loss) < 1e-9 * loss);
    tulle_model_free(model);
}

static void test_without_valid_rows(void **state)
{
    (void)state;
    struct table table;
    struct tulle_train_options options = slow_options();
    make_shrunk(&table);
    table.has_splits = 0;
    options.valid_fraction = 0;
    tulle_model *model = train_table(&table, &options);
    assert_int_equal(tulle_model_info(model)->best_epoch, 0);
    assert_int_equal(tulle_model_info(model)->curve_count, 40);
    for (size_t e = 0; e < 40; e++)
        assert_true(isnan(tulle_model_info(model)->curve[e].valid_loss));
    tulle_model_free(model);
    options.patience = 3;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "stopping early needs rows to validate on, and there are none");
    options.patience = 0;
    options.schedule = TULLE_SCHEDULE_PLATEAU;
    refuse(&table, &options, TULLE_ERROR_ARGUMENT,
           "the plateau schedule needs rows to validate on");
}

/* --- Stopping -------------------------------------------------------------------------------- */

static void test_patience(void **state)
{
    static const size_t patiences[] = {1, 2, 5, 100};
    (void)state;
    struct table table;
    make_shrunk(&table);
    struct tulle_train_options options = slow_options();
    tulle_model *whole = train_table(&table, &options);
    const struct tulle_epoch *curve = tulle_model_info(whole)->curve;
    for (size_t i = 0; i < 4; i++) {
        size_t best = 0, end = 0;
        while (end < 40 && end - best < patiences[i]) {
            end++;
            if (best == 0 || curve[end - 1].valid_loss < curve[best - 1].valid_loss)
                best = end;
        }
        options.patience = patiences[i];
        for (options.keep_best = 0; options.keep_best <= 1; options.keep_best++) {
            tulle_model *model = train_table(&table, &options);
            const struct tulle_model_info *info = tulle_model_info(model);
            assert_int_equal(info->curve_count, end);
            assert_int_equal(info->epochs, 40);
            assert_int_equal(info->best_epoch, options.keep_best ? best : 0);
            assert_memory_equal(info->curve, curve, end * sizeof *curve);
            tulle_model_free(model);
        }
        assert_true(i == 3 || end < 40);
    }
    tulle_model_free(whole);
}

/* What progress was told, and when it is to answer what. */
struct record {
    struct watch watch;
    struct tulle_progress calls[MOST_CALLS];
    size_t stop_at; /* the call, from 1, that answers; 0: none */
    int answer;
};

static int take_progress(const struct tulle_progress *progress, void *user)
{
    struct record *record = user;
    assert_true(record->watch.calls < MOST_CALLS);
    record->calls[record->watch.calls++] = *progress;
    assert_non_null(progress->model);
    assert_int_equal(progress->model->input_count, 4);
    return record->watch.calls == record->stop_at ? record->answer : 0;
}

static struct record record;

static void record_progress(struct tulle_train_options *options, size_t stop_at, int answer)
{
    memset(&record, 0, sizeof record);
    record.stop_at = stop_at;
    record.answer = answer;
    options->progress = take_progress;
    options->user = &record;
}

/* Ending at an epoch's last step, or after it, is what that many epochs give; in its middle, an
 * epoch that was shorter. */
static void test_stop_here(void **state)
{
    (void)state;
    struct table table;
    make_shrunk(&table);
    for (size_t stop = 1; stop <= 2 * (STEPS + 1); stop++) {
        struct tulle_train_options options = slow_options();
        size_t epochs = (stop + STEPS) / (STEPS + 1), in_epoch = stop - (epochs - 1) * (STEPS + 1);
        options.keep_best = 0;
        record_progress(&options, stop, TULLE_STOP_HERE);
        tulle_model *model = train_table(&table, &options);
        const struct tulle_model_info *info = tulle_model_info(model);
        assert_int_equal(info->curve_count, epochs);
        assert_int_equal(record.watch.calls, stop + (in_epoch <= STEPS));
        assert_true(record.calls[record.watch.calls - 1].epoch_is_complete);
        options.epochs = epochs;
        options.progress = NULL;
        tulle_model *shorter = train_table(&table, &options);
        assert_int_equal(same_bits(model, shorter), in_epoch >= STEPS);
        assert_int_equal(memcmp(info->curve, tulle_model_info(shorter)->curve,
                                epochs * sizeof *info->curve) == 0,
                         in_epoch >= STEPS);
        tulle_model_free(model);
        tulle_model_free(shorter);
    }
}

static int is_stopped(void *user)
{
    const struct record *asked = user;
    return asked->stop_at > 0 && asked->watch.calls >= asked->stop_at;
}

/* In haste no rows are looked at again: the same parameters, without a record of what they do. */
static void test_stop_at_once(void **state)
{
    (void)state;
    struct table table;
    make_shrunk(&table);
    for (size_t stop = 1; stop <= 2 * (STEPS + 1); stop++) {
        struct tulle_train_options options = slow_options();
        int is_whole = stop % (STEPS + 1) == 0;
        options.keep_best = 0;
        record_progress(&options, stop, TULLE_STOP_HERE);
        tulle_model *slow = train_table(&table, &options);
        record_progress(&options, stop, TULLE_STOP_HERE);
        options.poll = is_stopped;
        tulle_model *fast = train_table(&table, &options);
        const struct tulle_model_info *info = tulle_model_info(fast);
        size_t epochs = info->curve_count;
        assert_int_equal(epochs, tulle_model_info(slow)->curve_count);
        assert_int_equal(isnan(info->curve[epochs - 1].valid_loss), !is_whole);
        assert_false(isnan(tulle_model_info(slow)->curve[epochs - 1].valid_loss));
        assert_true(same_bits(fast, slow));
        for (size_t split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_VALID; split++) {
            assert_int_equal(tulle_model_info(slow)->metrics[split].rows, info->rows[split]);
            assert_int_equal(info->metrics[split].rows, 0);
            assert_true(isnan(info->metrics[split].value[TULLE_METRIC_RMSE]));
        }
        tulle_model_free(slow);
        tulle_model_free(fast);
    }
}

static void test_interrupt(void **state)
{
    static const int answers[] = {1, -2, 1000};
    (void)state;
    struct table table;
    make_shrunk(&table);
    for (size_t stop = 1; stop <= STEPS + 2; stop++) {
        struct tulle_train_options options = slow_options();
        record_progress(&options, stop, answers[stop % 3]);
        refuse(&table, &options, TULLE_ERROR_INTERRUPTED,
               stop <= STEPS + 1 ? "interrupted in epoch 1 of 40" : "interrupted in epoch 2 of 40");
        assert_int_equal(record.watch.calls, stop);
    }
}

/* --- Progress -------------------------------------------------------------------------------- */

static int same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void test_progress(void **state)
{
    enum { EPOCHS = 12 };
    (void)state;
    struct table table;
    struct tulle_train_options options = slow_options();
    make_shrunk(&table);
    options.epochs = EPOCHS;
    record_progress(&options, 0, 0);
    tulle_model *model = train_table(&table, &options);
    const struct tulle_epoch *curve = tulle_model_info(model)->curve;
    assert_int_equal(record.watch.calls, EPOCHS * (STEPS + 1));
    size_t best = 0;
    for (size_t c = 0; c < record.watch.calls; c++) {
        const struct tulle_progress *p = &record.calls[c];
        size_t epoch = c / (STEPS + 1), step = c % (STEPS + 1);
        int is_complete = step == STEPS;
        if (is_complete && (best == 0 || curve[epoch].valid_loss < curve[best - 1].valid_loss))
            best = epoch + 1;
        assert_int_equal(p->epoch, epoch + 1);
        assert_int_equal(p->epochs, EPOCHS);
        assert_int_equal(p->step, is_complete ? STEPS : step + 1);
        assert_int_equal(p->steps, STEPS);
        assert_int_equal(p->epoch_is_complete, is_complete);
        assert_true(p->learning_rate == RATE);
        assert_int_equal(p->best_epoch, best);
        assert_true(same_number(p->best_loss, best ? curve[best - 1].valid_loss : NAN));
        size_t valid_epoch = is_complete ? epoch : epoch - 1;
        assert_true(
            same_number(p->valid_loss, epoch || is_complete ? curve[valid_epoch].valid_loss : NAN));
        if (step >= STEPS - 1)
            assert_true(p->train_loss == curve[epoch].train_loss);
        else
            assert_true(p->train_loss > 0 && p->train_loss != curve[epoch].train_loss);
    }
    tulle_model_free(model);
}

/* --- Learning rates -------------------------------------------------------------------------- */

static double expected_factor(enum tulle_schedule schedule, double t, size_t epoch)
{
    const double pi = acos(-1);
    switch (schedule) {
    case TULLE_SCHEDULE_STEP:
        return pow(0.5, (double)(epoch / 3));
    case TULLE_SCHEDULE_COSINE:
        return (1 + cos(pi * t)) / 2;
    case TULLE_SCHEDULE_ONE_CYCLE:
        return t < 0.3 ? 1 - (1 - 1.0 / 25) * (1 + cos(pi * t / 0.3)) / 2
                       : 1.0 / 250000 + (1 - 1.0 / 250000) * (1 + cos(pi * (t - 0.3) / 0.7)) / 2;
    case TULLE_SCHEDULE_COSLOG4:
        return (1 - cos(2 * pi * log2(1 + 15 * t))) / 2;
    default:
        return 1;
    }
}

/* Each step's rate is the schedule's, and in a warm-up a growing share of it. */
static void test_schedules(void **state)
{
    static const enum tulle_schedule schedules[] = {TULLE_SCHEDULE_CONSTANT, TULLE_SCHEDULE_STEP,
                                                    TULLE_SCHEDULE_COSINE, TULLE_SCHEDULE_ONE_CYCLE,
                                                    TULLE_SCHEDULE_COSLOG4};
    enum { EPOCHS = 10 };
    (void)state;
    struct table table;
    make_shrunk(&table);
    for (size_t i = 0; i < 5; i++)
        for (int warms_up = 0; warms_up <= 1; warms_up++) {
            struct tulle_train_options options = slow_options();
            options.epochs = EPOCHS;
            options.schedule = schedules[i];
            options.schedule_factor = 0.5;
            options.schedule_epochs = 3;
            options.warmup = warms_up ? 0.25 : 0;
            record_progress(&options, 0, 0);
            tulle_model *model = train_table(&table, &options);
            for (size_t c = 0, step = 0; c < record.watch.calls; c++) {
                const struct tulle_progress *p = &record.calls[c];
                double of_curve = tulle_model_info(model)->curve[p->epoch - 1].learning_rate;
                if (p->step == STEPS)
                    assert_true(p->learning_rate == of_curve);
                if (p->epoch_is_complete)
                    continue;
                double t = (double)step++ / (EPOCHS * STEPS);
                double expected = RATE * expected_factor(schedules[i], t, p->epoch - 1);
                if (warms_up && step < EPOCHS * STEPS / 4)
                    expected *= (double)step / (EPOCHS * STEPS / 4);
                if (!(fabs(p->learning_rate - expected) <= 1e-12 * RATE))
                    fail_msg("%s, step %zu: %.17g, expected %.17g",
                             tulle_schedule_name(schedules[i]), step, p->learning_rate, expected);
            }
            tulle_model_free(model);
        }
}

/* The rate falls after every so many epochs without a better valid loss, and the model with it. */
static void test_plateau(void **state)
{
    (void)state;
    struct table table;
    make_shrunk(&table);
    for (size_t wait = 1; wait <= 4; wait++) {
        struct tulle_train_options options = slow_options();
        options.schedule = TULLE_SCHEDULE_PLATEAU;
        options.schedule_factor = 0.25;
        options.schedule_epochs = wait;
        tulle_model *model = train_table(&table, &options);
        const struct tulle_epoch *curve = tulle_model_info(model)->curve;
        double rate = RATE, best = INFINITY;
        size_t since = 0, drops = 0;
        for (size_t e = 0; e < 40; e++) {
            assert_true(curve[e].learning_rate == rate);
            since = curve[e].valid_loss < best ? 0 : since + 1;
            best = fmin(best, curve[e].valid_loss);
            if (since < wait)
                continue;
            rate *= 0.25;
            since = 0;
            drops++;
        }
        assert_true(drops >= 2);
        tulle_model_free(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_best),          cmocka_unit_test(test_valid_loss),
        cmocka_unit_test(test_without_valid_rows), cmocka_unit_test(test_patience),
        cmocka_unit_test(test_stop_here),          cmocka_unit_test(test_stop_at_once),
        cmocka_unit_test(test_interrupt),          cmocka_unit_test(test_progress),
        cmocka_unit_test(test_schedules),          cmocka_unit_test(test_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
