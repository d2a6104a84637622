/* test_schedule.c - the learning rate and the fading of every step, against the formulas by libm.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/train/schedule.h"

enum { STEPS = 240, STEPS_OF_EPOCH = 8 };

static const double pi = 3.14159265358979323846;

static double rate_at(const struct tulle_train_options *options, size_t step, size_t drops)
{
    const struct schedule_point point = {step, STEPS, step / STEPS_OF_EPOCH, drops};
    return tulle_schedule_rate(options, point);
}

static struct tulle_train_options options_of(enum tulle_schedule schedule)
{
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.schedule = schedule;
    options.learning_rate = 0.03;
    options.schedule_factor = 0.3;
    options.schedule_epochs = 4;
    return options;
}

static double expected_factor(const struct tulle_train_options *options, size_t step, size_t drops)
{
    double t = (double)step / STEPS;
    switch (options->schedule) {
    case TULLE_SCHEDULE_CONSTANT:
        return 1;
    case TULLE_SCHEDULE_STEP:
        return pow(options->schedule_factor,
                   floor((double)(step / STEPS_OF_EPOCH) / (double)options->schedule_epochs));
    case TULLE_SCHEDULE_COSINE:
        return (1 + cos(pi * t)) / 2;
    case TULLE_SCHEDULE_ONE_CYCLE:
        return t < 0.3 ? 1 - (1 - 1.0 / 25) * (1 + cos(pi * t / 0.3)) / 2
                       : 1.0 / 250000 + (1 - 1.0 / 250000) * (1 + cos(pi * (t - 0.3) / 0.7)) / 2;
    case TULLE_SCHEDULE_PLATEAU:
        return pow(options->schedule_factor, (double)drops);
    case TULLE_SCHEDULE_COSLOG4:
        return (1 - cos(2 * pi * log2(1 + 15 * t))) / 2;
    default:
        return NAN;
    }
}

static void test_formulas(void **state)
{
    (void)state;
    for (int schedule = 0; tulle_schedule_name((enum tulle_schedule)schedule); schedule++) {
        const struct tulle_train_options options = options_of((enum tulle_schedule)schedule);
        for (size_t step = 0; step < STEPS; step++) {
            size_t drops = step % 5;
            double expected = options.learning_rate * expected_factor(&options, step, drops);
            double found = rate_at(&options, step, drops);
            if (!(fabs(found - expected) <= 1e-14 * options.learning_rate))
                fail_msg("%s, step %zu: the rate is %.17g, not %.17g",
                         tulle_schedule_name(options.schedule), step, found, expected);
        }
    }
}

/* Where they begin, turn and end. */
static void test_landmarks(void **state)
{
    struct tulle_train_options options = options_of(TULLE_SCHEDULE_COSINE);
    (void)state;
    assert_true(rate_at(&options, 0, 0) == options.learning_rate);
    assert_true(fabs(rate_at(&options, STEPS / 2, 0) - options.learning_rate / 2) < 1e-16);
    options = options_of(TULLE_SCHEDULE_ONE_CYCLE);
    assert_true(fabs(rate_at(&options, 0, 0) - options.learning_rate / 25) < 1e-16);
    assert_true(fabs(rate_at(&options, STEPS * 3 / 10, 0) - options.learning_rate) < 1e-16);
    options = options_of(TULLE_SCHEDULE_STEP);
    assert_true(rate_at(&options, 4 * STEPS_OF_EPOCH - 1, 0) == options.learning_rate);
    assert_true(rate_at(&options, 4 * STEPS_OF_EPOCH, 0) ==
                options.learning_rate * options.schedule_factor);
    options = options_of(TULLE_SCHEDULE_COSLOG4);
    assert_true(rate_at(&options, 0, 0) == 0);
    for (int cycle = 0; cycle < 4; cycle++) { /* each twice as long as the one before */
        const struct schedule_point end = {(1u << cycle) - 1, 15, 0, 0};
        assert_true(tulle_schedule_rate(&options, end) <= 1e-15);
    }
}

/* The first steps go up in a line to what the schedule says, which is then as without. */
static void test_warmup(void **state)
{
    (void)state;
    for (int schedule = 0; tulle_schedule_name((enum tulle_schedule)schedule); schedule++) {
        const struct tulle_train_options plain = options_of((enum tulle_schedule)schedule);
        struct tulle_train_options warm = plain;
        warm.warmup = 0.125;
        for (size_t step = 0; step < STEPS; step++) {
            double share = (double)(step + 1) / (0.125 * STEPS);
            double expected = rate_at(&plain, step, 1) * (share < 1 ? share : 1);
            assert_true(fabs(rate_at(&warm, step, 1) - expected) <= 1e-16);
        }
        assert_true(rate_at(&warm, STEPS / 8 - 1, 1) == rate_at(&plain, STEPS / 8 - 1, 1));
    }
}

/* Flat for half of the steps, and then down to 0, without a jump. */
static void test_fading(void **state)
{
    (void)state;
    for (size_t step = 0; step < STEPS; step++) {
        const struct schedule_point point = {step, STEPS, step / STEPS_OF_EPOCH, 0};
        double t = (double)step / STEPS, expected = t < 0.5 ? 1 : (1 + cos(pi * (2 * t - 1))) / 2;
        double found = tulle_schedule_fade(TULLE_FADING_FLAT_COS, point);
        assert_true(fabs(found - expected) <= 1e-15);
        assert_true(found >= 0 && found <= 1);
        assert_true(tulle_schedule_fade(TULLE_FADING_NONE, point) == 1);
    }
    const struct schedule_point half = {1, 2, 0, 0}, late = {(1ull << 40) - 1, 1ull << 40, 0, 0};
    assert_true(tulle_schedule_fade(TULLE_FADING_FLAT_COS, half) == 1);
    assert_true(tulle_schedule_fade(TULLE_FADING_FLAT_COS, late) >= 0);
}

/* So many drops that the rate is no more than 0; one step in all. */
static void test_limits(void **state)
{
    struct tulle_train_options options = options_of(TULLE_SCHEDULE_PLATEAU);
    (void)state;
    assert_true(rate_at(&options, 0, SIZE_MAX) == 0);
    for (int schedule = 0; tulle_schedule_name((enum tulle_schedule)schedule); schedule++) {
        const struct schedule_point only = {0, 1, 0, 0};
        options = options_of((enum tulle_schedule)schedule);
        double rate = tulle_schedule_rate(&options, only);
        assert_true(rate >= 0 && rate <= options.learning_rate);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas), cmocka_unit_test(test_landmarks),
        cmocka_unit_test(test_warmup),   cmocka_unit_test(test_fading),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
