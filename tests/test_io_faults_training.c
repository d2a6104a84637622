/* test_io_faults_training.c - training with checkpoints, interrupted and resumed, where each system
 * call fails in turn: at the end stand the same model's bytes, or an error and whole files. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io_faults.h"
#include "training_runs.h"

static struct run run;
static tulle_dataset *dataset;
static tulle_model *model;
static struct bytes expected;      /* the model's file at the end */
static struct bytes first, second; /* checkpoints after so many steps */
static size_t calls, stop;         /* of progress; in which one to interrupt, 0: in none */

enum { FIRST = 5, SECOND = 9 };

static int count_call(const struct tulle_progress *progress, void *user)
{
    (void)progress, (void)user;
    note_state("run");
    note_state("run.previous");
    return ++calls == stop;
}

/* `at`: the step to be interrupted after, 0 for none; steps: between checkpoints. */
static enum tulle_status train(size_t at, size_t steps, int resume, struct tulle_error *error)
{
    char path[512];
    snprintf(path, sizeof path, "%s", in_folder("run"));
    calls = 0;
    stop = at;
    run.options.progress = count_call;
    run.options.checkpoint = path;
    run.options.checkpoint_steps = steps;
    run.options.resume = resume;
    enum tulle_status status = tulle_train(dataset, &run.options, &model, error);
    run.options.checkpoint = NULL;
    return status;
}

static struct bytes checkpoint_after(size_t steps)
{
    assert_int_equal(train(steps, SIZE_MAX, 0, NULL), TULLE_ERROR_INTERRUPTED);
    return get_bytes(in_folder("run"));
}

static int make_all(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    make_run(&run, RUN_CLASSES);
    run.options.epochs = 4;
    run.options.batch_size = 64;
    run.options.threads = 1;
    dataset = new_dataset(&run.table);
    first = checkpoint_after(FIRST);
    second = checkpoint_after(SECOND);
    assert_int_equal(train(0, SIZE_MAX, 0, NULL), TULLE_OK);
    expected = model_bytes(model);
    tulle_model_free(model);
    model = NULL;
    return 0;
}

static int free_all(void **state)
{
    free(expected.data);
    free(first.data);
    free(second.data);
    tulle_dataset_free(dataset);
    return remove_folder(state);
}

/* --- What must hold -------------------------------------------------------------------------- */

static void assert_expected(void)
{
    struct bytes found = model_bytes(model);
    tulle_model_free(model);
    model = NULL;
    assert_int_equal(found.size, expected.size);
    assert_memory_equal(found.data, expected.data, expected.size);
    free(found.data);
}

/* From what is in the folder now, training comes to the same end. */
static void check_end(enum tulle_status status)
{
    struct tulle_error error;
    assert_int_equal(model != NULL, status == TULLE_OK);
    if (model)
        assert_expected();
    if (train(0, SIZE_MAX, 1, &error) != TULLE_OK)
        fail_msg("not resumed: %s", error.message);
    assert_expected();
}

/* --- Operations ------------------------------------------------------------------------------ */

static void put_checkpoints(void)
{
    put_bytes(in_folder("run"), second.data, second.size);
    put_bytes(in_folder("run.previous"), first.data, first.size);
}

static void put_damaged(void)
{
    put_checkpoints();
    put_bytes(in_folder("run"), second.data, second.size / 2);
}

static enum tulle_status train_anew(struct tulle_error *error)
{
    return train(0, 5, 0, error);
}

static enum tulle_status train_and_stop(struct tulle_error *error)
{
    return train(8, SIZE_MAX, 0, error);
}

static enum tulle_status resume(struct tulle_error *error)
{
    return train(0, SIZE_MAX, 1, error);
}

static void check(struct io_operation operation)
{
    operation.check = check_end;
    operation.path = "run";
    operation.is_slow = 1;
    check_operation(&operation);
}

static void test_checkpoints(void **state)
{
    (void)state;
    check((struct io_operation){"train with checkpoints", NULL, train_anew, .may_lag = 1});
    check((struct io_operation){"train with checkpoints in the place of others", put_checkpoints,
                                train_anew, .may_lag = 1});
    check((struct io_operation){"train with checkpoints where there are no links", put_checkpoints,
                                train_anew, .may_lag = 1, .has_no_links = 1});
}

static void test_interruption(void **state)
{
    (void)state;
    check((struct io_operation){"interrupt training", NULL, train_and_stop,
                                .result = TULLE_ERROR_INTERRUPTED});
    check((struct io_operation){"interrupt training that has a checkpoint", put_checkpoints,
                                train_and_stop, .result = TULLE_ERROR_INTERRUPTED});
}

static void test_resume(void **state)
{
    (void)state;
    check((struct io_operation){"resume", put_checkpoints, resume, .most = 1000});
    check((struct io_operation){"resume from the checkpoint before", put_damaged, resume});
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_all, free_all)
    const struct CMUnitTest tests[] = {TEST(test_checkpoints), TEST(test_interruption),
                                       TEST(test_resume)};
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
