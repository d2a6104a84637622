/* test_pace.c - one thread or several: made-up machines, and what they lose by trying. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/base/pace.h"

/* The share of 100,000 runs that several threads do, and the time of all over that of one thread,
 * where the runs take `alone` seconds on one thread, and on several `together` but every `period`th
 * `stalled`. */
struct outcome {
    double share, time;
};

static struct outcome simulate(struct pace *pace, double alone, double together, int period,
                               double stalled)
{
    enum { RUNS = 100000 };
    struct outcome outcome = {0, 0};
    int count = 0;
    for (int i = 0; i < RUNS; i++) {
        double time = alone;
        if (pace->together) {
            time = ++count % period == 0 ? stalled : together;
            outcome.share += 1.0 / RUNS;
        }
        outcome.time += time / (alone * RUNS);
        tulle_pace_note(pace, 1e7, time);
    }
    return outcome;
}

/* Where a second thread halves the time, it is used; looking what one takes costs little. */
static void test_faster(void **state)
{
    (void)state;
    for (double alone = 50e-6; alone < 0.1; alone *= 4) {
        struct pace pace = {0};
        struct outcome outcome = simulate(&pace, alone, alone / 2, 1000, alone);
        assert_true(outcome.share > 0.95);
        assert_true(outcome.time < 0.52);
    }
}

/* Where it slows work down, steadily or now and then by a slice of CPU time, little is lost. */
static void test_slower(void **state)
{
    (void)state;
    for (double alone = 50e-6; alone < 0.01; alone *= 4) {
        struct pace steady = {0}, sliced = {0};
        assert_true(simulate(&steady, alone, alone * 4, 1, alone * 4).time < 1.02);
        assert_true(simulate(&sliced, alone, alone / 2, 4, alone / 2 + 4e-3).time < 1.02);
    }
}

/* When the other process has ended, the second thread comes back; and the other way round. */
static void test_change(void **state)
{
    const double alone = 300e-6, faster = 160e-6, slower = 400e-6;
    (void)state;
    struct pace pace = {0};
    simulate(&pace, alone, slower, 1, slower);
    assert_true(simulate(&pace, alone, faster, 1, faster).share > 0.9);
    assert_true(simulate(&pace, alone, slower, 1, slower).time < 1.02);
    assert_true(simulate(&pace, alone, faster, 1, faster).share > 0.9);
}

/* A first run that is slow, as memory is new to it, does not speak against one thread for long, and
 * one that was stopped for an hour does not put the threads away for a day. */
static void test_outliers(void **state)
{
    (void)state;
    struct pace pace = {0}, stopped = {0};
    tulle_pace_note(&stopped, 1e7, 3600);
    assert_true(simulate(&stopped, 300e-6, 150e-6, 1, 150e-6).share > 0.8);
    tulle_pace_note(&pace, 1e7, 0.1);
    assert_true(simulate(&pace, 300e-6, 330e-6, 1, 330e-6).time < 1.02);
    simulate(&pace, 300e-6, 150e-6, 1, 150e-6);
    tulle_pace_note(&pace, 1e7, 3600);
    assert_true(simulate(&pace, 300e-6, 150e-6, 1, 150e-6).share > 0.8);
    tulle_pace_note(&pace, 1e7, -1); /* a clock that goes back, or stands */
    tulle_pace_note(&pace, 1e7, 0);
    assert_true(simulate(&pace, 300e-6, 150e-6, 1, 150e-6).share > 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faster),
        cmocka_unit_test(test_slower),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_outliers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
