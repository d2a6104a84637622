/* test_resume.c - training that was interrupted or killed goes on from its checkpoint to the very
 * file that it would have given without a stop. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "training_runs.h"

static struct run run;

/* Interrupts in the call of that number, from 1; 0: in none. Those of trials are counted apart. */
struct interruption {
    struct watch watch;
    size_t at, trial_calls, trial_at;
};

static int interrupt(const struct tulle_progress *progress, void *user)
{
    struct interruption *interruption = user;
    if (progress->trial > 0)
        return ++interruption->trial_calls == interruption->trial_at;
    return ++interruption->watch.calls == interruption->at;
}

static struct interruption interruption;

/* Goes on with the run, or begins it, until the call of number `at` (0: to the end). The model, or
 * NULL where it was interrupted. */
static tulle_model *go_on(size_t at, unsigned threads)
{
    tulle_model *model;
    struct tulle_error error;
    memset(&interruption, 0, sizeof interruption);
    interruption.at = at;
    run.options.progress = interrupt;
    run.options.notice = take_notice;
    run.options.user = &interruption;
    run.options.checkpoint = in_folder("run.ckpt");
    run.options.resume = 1;
    run.options.threads = threads;
    tulle_dataset *dataset = new_dataset(&run.table);
    enum tulle_status status = tulle_train(dataset, &run.options, &model, &error);
    tulle_dataset_free(dataset);
    if (status != TULLE_OK && status != TULLE_ERROR_INTERRUPTED)
        fail_msg("%s", error.message);
    assert_int_equal(model != NULL, status == TULLE_OK);
    return model;
}

/* That this is the model's file; frees the model. */
static void assert_bytes(tulle_model *model, struct bytes expected, const char *what, size_t at)
{
    assert_non_null(model);
    struct bytes found = model_bytes(model);
    if (!same_bytes(found, expected))
        fail_msg("another model: %s %zu", what, at);
    free(found.data);
    tulle_model_free(model);
}

static void remove_checkpoint(void)
{
    remove(in_folder("run.ckpt"));
    remove(in_folder("run.ckpt.previous"));
}

/* The run's file without a stop, and how often it calls progress. */
static struct bytes begin(int number, size_t *calls)
{
    make_run(&run, number);
    memset(&interruption, 0, sizeof interruption);
    run.options.progress = interrupt;
    run.options.user = &interruption;
    struct bytes bytes = bytes_of_run(&run);
    *calls = interruption.watch.calls;
    return bytes;
}

/* --- Interruptions --------------------------------------------------------------------------- */

static const char *in_last_epoch(void)
{
    static char text[64];
    snprintf(text, sizeof text, "run.ckpt', in epoch %zu of %zu\n", run.options.epochs,
             run.options.epochs);
    return text;
}

/* In every call: after the first step, an epoch's last, the epoch itself, and the last of all. */
static void test_every_call(void **state)
{
    (void)state;
    for (int number = 0; number < RUNS; number++) {
        size_t calls;
        struct bytes expected = begin(number, &calls);
        assert_true(calls > 10);
        for (size_t at = 1; at <= calls; at++) {
            remove_checkpoint();
            assert_null(go_on(at, 1 + at % 3));
            assert_non_null(strstr(interruption.watch.notices, "no checkpoint"));
            tulle_model *model = go_on(0, 1 + (at + 1) % 2);
            assert_non_null(strstr(interruption.watch.notices, "goes on from '"));
            if (at == calls && number != RUN_EVERYTHING) /* the run was over */
                assert_non_null(strstr(interruption.watch.notices, in_last_epoch()));
            assert_int_equal(interruption.watch.calls, calls - at);
            assert_bytes(model, expected, "interrupted in call", at);
        }
        free(expected.data);
    }
}

/* Again and again, after so many calls each time, and once more when all is done. */
static void test_again_and_again(void **state)
{
    (void)state;
    for (int number = 0; number < RUNS; number++)
        for (size_t each = 1; each <= 3; each++) {
            size_t calls, stops = 0;
            struct bytes expected = begin(number, &calls);
            tulle_model *model = NULL;
            remove_checkpoint();
            while (!model && stops < 1000) {
                model = go_on(each, 1 + (unsigned)stops % 2);
                stops++;
            }
            assert_int_equal(stops, calls / each + 1);
            assert_bytes(model, expected, "interrupted after calls:", each);
            assert_bytes(go_on(0, 2), expected, "after the end, in steps of", each);
            free(expected.data);
        }
}

/* Checkpoints that are written on the way change nothing, and training goes on from the last one.
 */
static void test_on_the_way(void **state)
{
    (void)state;
    for (int number = 0; number < RUNS; number++)
        for (size_t steps = 1; steps <= 7; steps += 3) {
            size_t calls;
            struct bytes expected = begin(number, &calls);
            run.options.checkpoint_steps = steps;
            remove_checkpoint();
            assert_bytes(go_on(0, 2), expected, "with checkpoints after steps:", steps);
            struct bytes checkpoint = get_bytes(in_folder("run.ckpt"));
            assert_bytes(go_on(0, 1), expected, "from checkpoints after steps:", steps);
            assert_true(interruption.watch.calls <= 2 * steps);
            free(checkpoint.data);
            free(expected.data);
        }
    size_t calls;
    struct bytes expected = begin(RUN_PLAIN, &calls);
    run.options.checkpoint_seconds = 0; /* after every step */
    remove_checkpoint();
    assert_bytes(go_on(0, 1), expected, "with checkpoints every seconds:", 0);
    assert_bytes(go_on(0, 1), expected, "from checkpoints every seconds:", 0);
    assert_int_equal(interruption.watch.calls, 1);
    free(expected.data);
}

/* A run that patience ended is over, wherever it is taken up. */
static void test_patience(void **state)
{
    (void)state;
    size_t calls, longer;
    struct bytes expected = begin(RUN_EVERYTHING, &calls);
    run.options.patience = 1;
    run.options.epochs = 60;
    memset(&interruption, 0, sizeof interruption);
    free(expected.data);
    expected = bytes_of_run(&run);
    longer = interruption.watch.calls;
    assert_true(longer < 60 * 3);
    for (size_t at = longer - 3; at <= longer; at++) {
        remove_checkpoint();
        assert_null(go_on(at, 1));
        assert_bytes(go_on(0, 2), expected, "with patience, interrupted in call", at);
    }
    free(expected.data);
}

/* Without resume training begins anew, and its checkpoint takes the other's place. */
static void test_anew(void **state)
{
    (void)state;
    size_t calls;
    struct bytes expected = begin(RUN_CLASSES, &calls);
    assert_null(go_on(7, 1));
    run.options.resume = 0;
    memset(&interruption, 0, sizeof interruption);
    run.options.progress = interrupt;
    run.options.user = &interruption;
    tulle_model *model = train_table(&run.table, &run.options);
    assert_int_equal(interruption.watch.calls, calls);
    assert_bytes(model, expected, "begun anew", 0);
    free(expected.data);
}

/* An interruption of the trials leaves nothing; what they found, a checkpoint keeps. */
static void test_trials(void **state)
{
    (void)state;
    size_t calls;
    struct tulle_error error;
    tulle_model *model;
    struct bytes expected = begin(RUN_TABULAR, &calls);
    size_t trial_calls = interruption.trial_calls;
    assert_true(trial_calls > 2);
    remove_checkpoint();
    tulle_dataset *dataset = new_dataset(&run.table);
    run.options.checkpoint = in_folder("run.ckpt");
    for (size_t at = 1; at <= trial_calls; at++) {
        memset(&interruption, 0, sizeof interruption);
        interruption.trial_at = at;
        assert_int_equal(tulle_train(dataset, &run.options, &model, &error),
                         TULLE_ERROR_INTERRUPTED);
        assert_null(model);
        assert_int_equal(interruption.watch.calls, 0);
        assert_int_equal(access(run.options.checkpoint, F_OK), -1);
    }
    tulle_dataset_free(dataset);
    assert_null(go_on(calls / 2, 1));
    assert_int_equal(interruption.trial_calls, trial_calls);
    assert_bytes(go_on(0, 2), expected, "after trials", calls / 2);
    assert_int_equal(interruption.trial_calls, 0);
    free(expected.data);
}

/* --- Death ----------------------------------------------------------------------------------- */

/* In a child process: trains to the end, with checkpoints, and saves the model. */
static void train_and_save(size_t steps, unsigned threads)
{
    tulle_model *model;
    struct tulle_train_options options = run.options;
    tulle_dataset *dataset = new_dataset(&run.table);
    options.progress = NULL;
    options.notice = NULL;
    options.checkpoint = in_folder("run.ckpt");
    options.checkpoint_steps = steps;
    options.resume = 1;
    options.threads = threads;
    int is_done = tulle_train(dataset, &options, &model, NULL) == TULLE_OK &&
                  tulle_model_save(model, in_folder("child"), NULL) == TULLE_OK;
    _exit(is_done ? 0 : 1);
}

/* Killed twenty times at any moment, and again if it was as quick as that, a run comes to its end.
 */
static void test_killed(void **state)
{
    enum { KILLS = 20 };
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, (uint32_t)getpid());
    for (int number = 0; number < RUNS; number++) {
        size_t calls, kills = 0;
        int is_over = 0;
        struct bytes expected = begin(number, &calls);
        remove_checkpoint();
        for (unsigned turn = 0; !is_over; turn++) {
            int status;
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0)
                train_and_save(1 + turn % 3, 1 + turn % 2);
            if (turn < KILLS) {
                const struct timespec moment = {0, (long)tulle_rng_integer(&rng, 12000000)};
                nanosleep(&moment, NULL);
                kill(child, SIGKILL);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            is_over = WIFEXITED(status);
            kills += !is_over;
            if (is_over && WEXITSTATUS(status) != 0)
                fail_msg("run %d failed after %zu kills", number, kills);
        }
        struct bytes found = get_bytes(in_folder("child"));
        if (!same_bytes(found, expected))
            fail_msg("run %d gives another model after %zu kills", number, kills);
        remove(in_folder("child"));
        free(found.data);
        free(expected.data);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_every_call), TEST(test_again_and_again),
        TEST(test_on_the_way), TEST(test_patience),
        TEST(test_anew),       TEST(test_trials),
        TEST(test_killed),
    };
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
