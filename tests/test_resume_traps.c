/* test_resume_traps.c - checkpoints whose checksum is right, and whose training cannot have been.
 */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include "edited_model.h"
#include "own_loss.h"
#include "training_runs.h"

static struct run run;
static struct watch watch;

static int stop_at_7(const struct tulle_progress *progress, void *user)
{
    return progress->trial == 0 && ++((struct watch *)user)->calls == 7;
}

static int stop_at_the_end(const struct tulle_progress *progress, void *user)
{
    (void)user;
    return progress->epoch_is_complete && progress->epoch == progress->epochs;
}

static void stop_at(int (*place)(const struct tulle_progress *, void *))
{
    memset(&watch, 0, sizeof watch);
    run.options.checkpoint = in_folder("run.ckpt");
    run.options.notice = take_notice;
    run.options.user = &watch;
    run.options.progress = place;
    refuse(&run.table, &run.options, TULLE_ERROR_INTERRUPTED, "interrupted in epoch ");
}

/* Has its training stopped, the first time or again. */
static void stop(void)
{
    stop_at(stop_at_7);
}

static void remove_checkpoints(void)
{
    remove(in_folder("run.ckpt"));
    remove(in_folder("run.ckpt.previous"));
}

enum { EPOCH, STEP, BEST_EPOCH, POSITION = 7 }; /* among the counts, the file's first numbers */

static void set_count(struct bytes file, size_t count, uint64_t value)
{
    memcpy(file.data + data_offset(file) + count * sizeof value, &value, sizeof value);
}

/* A state that no step leads to. */
static void test_impossible(void **state)
{
    static const struct {
        uint64_t epoch, step, best_epoch, position;
    } cases[] = {{9, 0, 0, 100}, {1, 99, 0, 100}, {1, 1, 2, 100}, {2, 1, 1, 100}, {1, 1, 1, 625}};
    (void)state;
    make_run(&run, RUN_PLAIN);
    run.options.resume = 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        stop();
        struct bytes file = get_bytes(in_folder("run.ckpt"));
        set_count(file, EPOCH, cases[i].epoch);
        set_count(file, STEP, cases[i].step);
        set_count(file, BEST_EPOCH, cases[i].best_epoch);
        set_count(file, POSITION, cases[i].position);
        put_sealed(in_folder("run.ckpt"), file);
        refuse(&run.table, &run.options, TULLE_ERROR_FORMAT,
               "not a checkpoint that this training can have written");
        free(file.data);
        remove_checkpoints();
    }
}

/* More epochs than there are to be. */
static void test_longer(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    run.options.epochs = 6;
    stop_at(stop_at_the_end);
    struct bytes file = get_bytes(in_folder("run.ckpt"));
    struct bytes changed = edited(file, "\\\"epochs\\\":\\\"6\\\"", "\\\"epochs\\\":\\\"5\\\"");
    put_sealed(in_folder("run.ckpt"), changed);
    run.options.epochs = 5;
    run.options.resume = 1;
    refuse(&run.table, &run.options, TULLE_ERROR_FORMAT,
           "not a checkpoint that this training can have written");
    free(file.data);
    free(changed.data);
}

static int stop_at_once(const struct tulle_progress *progress, void *user)
{
    (void)progress, (void)user;
    return 1;
}

/* Training goes on from each of its counts and losses: after a step the next checkpoint has those
 * that a step does not touch. */
static void test_every_number(void **state)
{
    enum { STEPS = 6, COUNTS = 8, EPOCH_LOSS = COUNTS + 2, WEIGHT, NUMBERS = COUNTS + 7 };
    static const double losses[] = {0.5, 1.5, 2.5, 3.5, 1e300, 5.5, 6.5};
    (void)state;
    make_run(&run, RUN_PLAIN);
    stop();
    struct bytes file = get_bytes(in_folder("run.ckpt"));
    unsigned char *before = file.data + data_offset(file);
    for (size_t i = BEST_EPOCH + 1; i <= STEPS; i++)
        set_count(file, i, 100 + i);
    set_count(file, POSITION, 624); /* behind the last number that was drawn */
    memcpy(before + COUNTS * sizeof(uint64_t), losses, sizeof losses);
    put_sealed(in_folder("run.ckpt"), file);
    run.options.resume = 1;
    stop_at(stop_at_once);
    struct bytes next = get_bytes(in_folder("run.ckpt"));
    set_count(file, STEPS, 101 + STEPS);
    for (size_t i = BEST_EPOCH; i < NUMBERS; i++)
        if (i != EPOCH_LOSS && i != WEIGHT)
            assert_memory_equal(next.data + data_offset(next) + i * 8, before + i * 8, 8);
    free(file.data);
    free(next.data);
}

/* What plain descent has, each with its count, and nothing else. */
static void test_parts(void **state)
{
    static const char before[] = "\\\"counts\\\":{\\\"counts\\\":8,\\\"losses\\\":7,"
                                 "\\\"generator\\\":624,\\\"parameters\\\":",
                      after[] = ",\\\"curve\\\":3}}\"";
    (void)state;
    make_run(&run, RUN_PLAIN);
    run.options.optimizer = TULLE_OPTIMIZER_SGD;
    stop();
    struct bytes file = get_bytes(in_folder("run.ckpt"));
    const char *counts = strstr((char *)file.data + 8, before);
    assert_non_null(counts);
    counts += sizeof before - 1;
    counts += strspn(counts, "0123456789");
    assert_memory_equal(counts, after, sizeof after - 1);
    free(file.data);
}

/* Bins that a trial cannot have chosen are not taken over; what is tried out then differs. */
static void test_impossible_bins(void **state)
{
    static const char *const bins[] = {"-1", "65537", "many"};
    (void)state;
    make_run(&run, RUN_TABULAR);
    for (size_t i = 0; i < sizeof bins / sizeof *bins; i++) {
        char chosen[64], other[64];
        run.options.resume = 1; /* where there is nothing yet */
        stop();
        struct bytes file = get_bytes(in_folder("run.ckpt"));
        int is_48 = strstr((char *)file.data + 8, "\\\"number_bins\\\":\\\"48\\\"") != NULL;
        snprintf(chosen, sizeof chosen, "\\\"number_bins\\\":\\\"%d\\\"", is_48 ? 48 : 2);
        snprintf(other, sizeof other, "\\\"number_bins\\\":\\\"%s\\\"", bins[i]);
        struct bytes changed = edited(file, chosen, other);
        put_sealed(in_folder("run.ckpt"), changed);
        refuse(&run.table, &run.options, TULLE_ERROR_ARGUMENT, "number_bins is ");
        free(file.data);
        free(changed.data);
        remove_checkpoints();
    }
}

/* As many epochs as can be asked for. */
static void test_endless(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    run.options.epochs = (size_t)1 << 53;
    run.options.resume = 1;
    stop();
    stop();
    assert_non_null(strstr(watch.notices, "goes on from '"));
}

/* Of a loss of the caller's own a checkpoint knows that there was one. */
static void test_own_loss(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    run.options.loss_function = own_mse;
    stop();
    run.options.resume = 1;
    run.options.loss_function = NULL;
    refuse(&run.table, &run.options, TULLE_ERROR_ARGUMENT, "loss is not set there and mse here");
    run.options.loss_function = own_mse;
    run.options.progress = NULL;
    tulle_model_free(train_table(&run.table, &run.options));
    assert_non_null(strstr(watch.notices, "goes on from '"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_impossible),      TEST(test_longer),  TEST(test_every_number),
        TEST(test_impossible_bins), TEST(test_endless), TEST(test_own_loss),
        TEST(test_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no checkpoints */
}

#endif
