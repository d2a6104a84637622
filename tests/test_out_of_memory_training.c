/* test_out_of_memory_training.c - trainings on tables, their checkpoints and going on from them,
 * with every allocation failing in turn: the right model, or none. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "own_loss.h"
#include "training_runs.h"

enum { ROWS = 60 };

static struct run run;
static tulle_dataset *dataset;
static tulle_model *model, *expected;

/* A table so small and trainings so short that many can be tried. */
static void start(void)
{
    make_table(&run.table, ROWS);
    run.options = small_options();
    run.options.epochs = 2;
    run.options.batch_size = 20;
    run.options.valid_fraction = 0.2;
}

static enum tulle_status train(struct tulle_error *error)
{
    return tulle_train(dataset, &run.options, &model, error);
}

static void check_model(enum tulle_status status)
{
    assert_int_equal(model != NULL, status == TULLE_OK);
    if (model)
        assert_same_model(model, expected);
    tulle_model_free(model);
}

static void torture_run(const char *name)
{
    dataset = new_dataset(&run.table);
    expected = train_dataset(dataset, &run.options);
    torture(&(struct operation){.name = name, .run = train, .check = check_model});
    tulle_model_free(expected);
    tulle_dataset_free(dataset);
}

/* --- Trainings ------------------------------------------------------------------------------- */

/* Those of some also find out by trials how many bins numbers need. */
static void test_recipes(void **state)
{
    (void)state;
    for (int recipe = 0; tulle_recipe_name((enum tulle_recipe)recipe); recipe++)
        for (int is_of_classes = 0; is_of_classes < 2; is_of_classes++) {
            char name[100];
            start();
            if (is_of_classes)
                make_classes(&run.table);
            run.options.recipe = (enum tulle_recipe)recipe;
            snprintf(name, sizeof name, "train %s, %s", tulle_recipe_name(run.options.recipe),
                     is_of_classes ? "classes" : "numbers");
            torture_run(name);
        }
}

static void test_runs(void **state)
{
    static const struct {
        int number;
        const char *name;
    } runs[] = {{RUN_PLAIN, "train in place"},
                {RUN_EVERYTHING, "train on two threads with weights, warm-up, patience"},
                {RUN_CLASSES, "train balanced classes"},
                {RUN_QUANTILES, "train quantiles"},
                {RUN_ENSEMBLE, "train splines"}};
    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        make_run(&run, runs[i].number);
        run.options.epochs = 2;
        run.options.threads = runs[i].number == RUN_EVERYTHING ? 2 : 1;
        torture_run(runs[i].name);
    }
}

/* Validation rows that come apart, whose levels are others, and a loss of the caller's own. */
static void test_joined(void **state)
{
    static struct table other;
    static const char *const others[] = {"blue", "violet", "red", NULL};
    (void)state;
    start();
    other = run.table;
    other.levels[COLOUR].names = others;
    run.options.valid_dataset = new_dataset(&other);
    run.options.loss_function = own_mse;
    torture_run("train with a table to validate on");
    tulle_dataset_free((tulle_dataset *)run.options.valid_dataset);

    /* Without such rows, the last loss is of more rows than any before it. */
    start();
    run.options.valid_fraction = 0;
    run.options.loss_function = own_mse;
    torture_run("train with a loss of one's own");
}

/* The recipe's own layers. */
static void test_hidden(void **state)
{
    (void)state;
    start();
    run.table.rows = 10;
    run.options.epochs = 1;
    run.options.hidden = NULL;
    torture_run("train the recipe's layers");
}

/* --- Checkpoints ----------------------------------------------------------------------------- */

static char path[200];
static struct bytes checkpoint;

static void remove_checkpoints(void)
{
    remove(in_folder("run.ckpt"));
    remove(in_folder("run.ckpt.previous"));
}

static int interrupt(const struct tulle_progress *progress, void *user)
{
    (void)user;
    return progress->trial == 0 && progress->epoch == 2;
}

/* No checkpoint is written on the way, unless that is asked for. */
static void start_with_checkpoint(void)
{
    start();
    run.options.recipe = TULLE_RECIPE_TABULAR;
    run.options.number_bins = 6;
    run.options.checkpoint_seconds = 1e6;
    dataset = new_dataset(&run.table);
    expected = train_dataset(dataset, &run.options);
    snprintf(path, sizeof path, "%s", in_folder("run.ckpt"));
    run.options.checkpoint = path;
}

static void finish(void)
{
    tulle_model_free(expected);
    tulle_dataset_free(dataset);
    remove_checkpoints();
}

/* Whatever there is of checkpoints leads to the same model. */
static void check_resumed(enum tulle_status status)
{
    const struct tulle_train_options options = run.options;
    check_model(status);
    run.options.resume = 1;
    run.options.progress = NULL;
    run.options.checkpoint_steps = 0;
    check_model(train(NULL));
    run.options = options;
    remove_checkpoints();
    assert_int_equal(entry_count(), 0);
}

/* Checkpoints that cannot be written on the way do not end a training. */
static void test_checkpoints(void **state)
{
    (void)state;
    start_with_checkpoint();
    run.options.checkpoint_steps = 3;
    torture(&(struct operation){
        .name = "train with checkpoints", .run = train, .check = check_resumed, .is_slow = 1});
    finish();
}

/* An interruption is what is wanted here. */
static enum tulle_status train_until_interrupted(struct tulle_error *error)
{
    enum tulle_status status = train(error);
    assert_null(model);
    return status == TULLE_ERROR_INTERRUPTED ? TULLE_OK : status;
}

static void check_interrupted(enum tulle_status status)
{
    if (status == TULLE_OK) {
        struct bytes found = get_bytes(in_folder("run.ckpt"));
        assert_true(same_bytes(found, checkpoint));
        free(found.data);
    }
    check_resumed(TULLE_ERROR_INTERRUPTED);
}

static void test_interruption(void **state)
{
    (void)state;
    start_with_checkpoint();
    run.options.progress = interrupt;
    assert_int_equal(train_until_interrupted(NULL), TULLE_OK);
    checkpoint = get_bytes(in_folder("run.ckpt"));
    remove_checkpoints();
    torture(&(struct operation){.name = "interrupt a training",
                                .run = train_until_interrupted,
                                .check = check_interrupted,
                                .is_slow = 1});
    free(checkpoint.data);
    finish();
}

/* A failure leaves the checkpoint as it is, and the one before it. */
static void check_gone_on(enum tulle_status status)
{
    struct bytes found = get_bytes(in_folder("run.ckpt"));
    check_model(status);
    assert_true(same_bytes(found, checkpoint));
    assert_int_equal(entry_count(), 2);
    free(found.data);
}

static void test_resume(void **state)
{
    (void)state;
    start_with_checkpoint();
    run.options.progress = interrupt;
    assert_int_equal(train_until_interrupted(NULL), TULLE_OK);
    run.options.progress = NULL;
    run.options.resume = 1;
    checkpoint = get_bytes(in_folder("run.ckpt"));
    put_bytes(in_folder("run.ckpt.previous"), checkpoint.data, checkpoint.size);
    torture(&(struct operation){
        .name = "go on from a checkpoint", .run = train, .check = check_gone_on});
    checkpoint.data[checkpoint.size / 2] ^= 1;
    put_bytes(in_folder("run.ckpt"), checkpoint.data, checkpoint.size);
    torture(&(struct operation){
        .name = "go on from the one before", .run = train, .check = check_gone_on});
    free(checkpoint.data);
    finish();
}

static int set_up(void **state)
{
    return make_folder(state) || use_failing_memory(state);
}

static int tear_down(void **state)
{
    return use_usual_memory(state) || remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipes),     cmocka_unit_test(test_runs),
        cmocka_unit_test(test_joined),      cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_checkpoints), cmocka_unit_test(test_interruption),
        cmocka_unit_test(test_resume),
    };
    return tulle_has_model_files ? cmocka_run_group_tests(tests, set_up, tear_down) : 77;
}
