/*
 * test_hostile_checkpoint.c - the checkpoint of a training, cut short or with a bit of it flipped:
 * training goes on from the one before, and ends with the model that it would have made; or, where
 * there is none, it says so in one line and makes none. With TULLE_LONG every cut and every bit.
 */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "training_runs.h"

#if defined(TULLE_EMULATED) || defined(__SANITIZE_ADDRESS__)
enum { BITS_APART = 2003, BYTES_APART = 501 };
#else
enum { BITS_APART = 61, BYTES_APART = 17 };
#endif

static struct run run;
static struct watch watch;
static struct bytes checkpoint, previous; /* as they were left */
static tulle_model *expected;

static int stop_at_4(const struct tulle_progress *progress, void *user)
{
    (void)progress;
    return ++((struct watch *)user)->calls == 4;
}

/* The run, at a size that it can be gone on with some hundred thousand times. */
static void make_small_run(void)
{
    static const size_t units[] = {3};
    make_run(&run, RUN_ENSEMBLE);
    run.table.rows = 24;
    run.options.hidden = units;
    run.options.hidden_count = 1;
    run.options.number_dimensions = 1;
    run.options.number_bins = 2;
    run.options.members = 2;
    run.options.batch_size = 8;
    run.options.epochs = 2;
    run.options.keep_best = 0; /* what comes last shows all that came before */
    run.options.notice = take_notice;
    run.options.user = &watch;
}

static int begin(void **state)
{
    if (make_folder(state) != 0)
        return -1;
    make_small_run();
    expected = train_table(&run.table, &run.options);
    run.options.checkpoint = in_folder("run.ckpt");
    run.options.checkpoint_steps = 1;
    run.options.progress = stop_at_4;
    memset(&watch, 0, sizeof watch);
    refuse(&run.table, &run.options, TULLE_ERROR_INTERRUPTED, "interrupted in epoch ");
    checkpoint = get_bytes(in_folder("run.ckpt"));
    previous = get_bytes(in_folder("run.ckpt.previous"));
    run.options.progress = NULL;
    run.options.checkpoint_steps = 0;
    run.options.resume = 1;
    return 0;
}

static int end(void **state)
{
    tulle_model_free(expected);
    free(checkpoint.data);
    free(previous.data);
    return remove_folder(state);
}

/* Both ways, with these bytes as the checkpoint. */
static void go_on_from(const void *bytes, size_t size)
{
    run.options.checkpoint = in_folder("run.ckpt");
    remove(in_folder("run.ckpt.previous"));
    put_bytes(in_folder("run.ckpt"), bytes, size);
    refuse(&run.table, &run.options, TULLE_ERROR_FORMAT,
           "; name another file to begin at the beginning");
    put_bytes(in_folder("run.ckpt.previous"), previous.data, previous.size);
    memset(&watch, 0, sizeof watch);
    tulle_model *model = train_table(&run.table, &run.options);
    assert_non_null(strstr(watch.notices, "run.ckpt.previous\n"));
    assert_true(same_bits(model, expected));
    tulle_model_free(model);
}

static void test_every_cut(void **state)
{
    (void)state;
    const size_t step = getenv("TULLE_LONG") ? 1 : BYTES_APART;
    size_t count = 0;
    for (size_t size = 0; size < checkpoint.size; size += step, count++)
        go_on_from(checkpoint.data, size);
    print_message("%zu cuts passed over\n", count);
}

static void test_every_bit(void **state)
{
    (void)state;
    const size_t step = getenv("TULLE_LONG") ? 1 : BITS_APART;
    size_t count = 0;
    for (size_t bit = 0; bit < checkpoint.size * 8; bit += step, count++) {
        const unsigned char flip = (unsigned char)(1u << bit % 8);
        checkpoint.data[bit / 8] ^= flip;
        go_on_from(checkpoint.data, checkpoint.size);
        checkpoint.data[bit / 8] ^= flip;
    }
    print_message("%zu flipped bits passed over\n", count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(test_every_cut), TEST(test_every_bit)};
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77; /* skipped */
}
