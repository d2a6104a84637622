/*
 * test_checkpoint_file.c - a checkpoint comes back whole or not at all; one that is damaged, or was
 * being written when the process was killed, leaves the one before; one of another run is refused.
 */
#include "../lib/base/portability.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "../lib/base/memory.h"
#include "../lib/model/checkpoint.h"
#include "model_support.h"

enum { MOST = 10 };

/* A computation's state. */
struct run {
    float weights[37];
    uint32_t rng[5];
    uint64_t steps[1];
    double curve[MOST];
    size_t curve_count;
    struct checkpoint_field fields[3];
    struct checkpoint_part parts[5];
    struct checkpoint checkpoint; /* of the above */
};

/* As it is after so many steps: every number says which. */
static void run_init(struct run *run, int step)
{
    memset(run, 0, sizeof *run);
    for (size_t i = 0; i < 37; i++)
        run->weights[i] = (float)step;
    for (size_t i = 0; i < 5; i++)
        run->rng[i] = (uint32_t)step;
    run->steps[0] = (uint64_t)step;
    run->curve_count = (size_t)step % MOST;
    for (size_t i = 0; i < run->curve_count; i++)
        run->curve[i] = step;
    const struct checkpoint_field fields[] = {
        {"learning_rate", "0.1"}, {"columns", "caf\xc3\xa9, \"rooms\""}, {"seed", "1"}};
    const struct checkpoint_part parts[] = {
        {"weights", TENSOR_F32, run->weights, 37, NULL},
        {"none", TENSOR_F64, NULL, 0, NULL},
        {"rng", TENSOR_U32, run->rng, 5, NULL},
        {"steps", TENSOR_U64, run->steps, 1, NULL},
        {"curve", TENSOR_F64, run->curve, run->curve_count, NULL}};
    memcpy(run->fields, fields, sizeof fields);
    memcpy(run->parts, parts, sizeof parts);
    run->checkpoint = (struct checkpoint){run->fields, 3, run->parts, 5};
}

static void write_step(int step)
{
    struct run run;
    struct tulle_error error = {.message = ""};
    run_init(&run, step);
    if (tulle_checkpoint_write(in_folder("run"), &run.checkpoint, &error) != TULLE_OK)
        fail_msg("%s", error.message);
}

/* A run that is ready to be filled in. */
static void run_empty(struct run *run)
{
    run_init(run, 0);
    run->parts[4].count = MOST;
    run->parts[4].data = NULL;
    run->parts[4].found_count = &run->curve_count;
}

/* The step that comes back, -1 for none; that something is said is what `notice` expects, or that
 * nothing is if that is NULL. */
static int read_step(const char *notice)
{
    struct run run;
    int found;
    char said[CHECKPOINT_NOTICE_SIZE];
    struct tulle_error error = {.message = ""};
    run_empty(&run);
    if (tulle_checkpoint_read(in_folder("run"), &run.checkpoint, &found, said, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    if (notice ? !strstr(said, notice) : said[0] != '\0')
        fail_msg("unexpected: %s", said);
    double *curve = run.parts[4].data;
    if (!found) {
        assert_null(curve);
        return -1;
    }
    int step = (int)run.steps[0];
    for (size_t i = 0; i < 37; i++)
        assert_true(run.weights[i] == (float)step);
    for (size_t i = 0; i < 5; i++)
        assert_true(run.rng[i] == (uint32_t)step);
    assert_int_equal(run.curve_count, step % MOST);
    for (size_t i = 0; i < run.curve_count; i++)
        assert_true(curve[i] == step);
    tulle_free(curve);
    return step;
}

/* That reading with the run's fields and parts fails so. */
static void assert_refused(struct run *run, enum tulle_status status, const char *part)
{
    int found = 1;
    char notice[CHECKPOINT_NOTICE_SIZE];
    struct tulle_error error = {.message = ""};
    assert_int_equal(
        tulle_checkpoint_read(in_folder("run"), &run->checkpoint, &found, notice, &error), status);
    assert_int_equal(found, 0);
    assert_int_equal(error.code, status);
    assert_true(error.line == 0 && error.column == 0);
    assert_true(strncmp(error.file, in_folder("run"), strlen(in_folder("run"))) == 0);
    if (!strstr(error.message, part))
        fail_msg("expected '%s' in '%s'", part, error.message);
    if (status == TULLE_ERROR_ARGUMENT)
        assert_null(strstr(error.message, "name another file")); /* that is for damaged ones */
    if (run->parts[4].found_count) {
        tulle_free(run->parts[4].data);
        run->parts[4].data = NULL;
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    assert_int_equal(read_step(NULL), -1);
    for (int step = 1; step <= 12; step++) {
        write_step(step);
        assert_int_equal(read_step(NULL), step);
        assert_int_equal(entry_count(), step == 1 ? 1 : 2);
    }
    assert_int_equal(unlink(in_folder("run")), 0);
    assert_int_equal(read_step("/run: missing; going on from"), 11);
    assert_int_equal(unlink(in_folder("run.previous")), 0);
    assert_int_equal(read_step(NULL), -1);
}

static void test_other_runs(void **state)
{
    (void)state;
    struct run run;
    write_step(3);
    run_empty(&run);
    run.fields[0].text = "0.02";
    assert_refused(&run, TULLE_ERROR_ARGUMENT,
                   "the checkpoint is of another run: learning_rate is 0.1 there and 0.02 here");
    run_empty(&run);
    run.checkpoint.field_count = 2;
    assert_refused(&run, TULLE_ERROR_ARGUMENT, "seed is 1 there and not set here");
    run_empty(&run);
    run.fields[2] = (struct checkpoint_field){"momentum", "0.9"};
    assert_refused(&run, TULLE_ERROR_ARGUMENT, "momentum is not set there and 0.9 here");
    run_empty(&run);
    run.parts[0].count = 36;
    assert_refused(&run, TULLE_ERROR_ARGUMENT, "weights has 37 numbers there and 36 here");
    run_empty(&run);
    run.parts[0].count = 38;
    assert_refused(&run, TULLE_ERROR_ARGUMENT, "weights has 37 numbers there and 38 here");
    run_empty(&run);
    run.parts[4].count = 2;
    assert_refused(&run, TULLE_ERROR_ARGUMENT, "curve has 3 numbers there and 2 here");
    run_empty(&run);
    run.parts[2].type = TENSOR_F32;
    assert_refused(&run, TULLE_ERROR_FORMAT, "'rng' is not as the description says");
    run_empty(&run);
    run.checkpoint.part_count = 4;
    assert_refused(&run, TULLE_ERROR_FORMAT, "tensors that the description does not name");

    /* A run that is another is no reason to look at an older checkpoint. */
    write_step(4);
    run_empty(&run);
    run.fields[0].text = "0.02";
    assert_refused(&run, TULLE_ERROR_ARGUMENT, "another run");
    run_init(&run, 1);
    run.fields[1].text = "caf\xe9";
    assert_int_equal(tulle_checkpoint_write(in_folder("run"), &run.checkpoint, NULL),
                     TULLE_ERROR_ARGUMENT);
    assert_int_equal(read_step(NULL), 4);
}

/* Every cut and many flipped bits: alone the file is refused, with the one before that is read. */
static void test_damage(void **state)
{
    (void)state;
    struct run run;
    write_step(7);
    struct bytes file = get_bytes(in_folder("run"));
    for (size_t size = 0; size < file.size; size += 3) {
        put_bytes(in_folder("run"), file.data, size);
        run_empty(&run);
        assert_refused(&run, TULLE_ERROR_FORMAT, "; name another file to begin at the beginning");
    }
    put_bytes(in_folder("run"), file.data, file.size);
    write_step(8);
    assert_int_equal(read_step(NULL), 8);
    free(file.data);
    file = get_bytes(in_folder("run"));
    for (size_t size = 0; size < file.size; size += 7) {
        put_bytes(in_folder("run"), file.data, size);
        assert_int_equal(read_step("; going on from"), 7);
    }
    for (size_t i = 0; i < file.size * 8; i += 5) {
        file.data[i / 8] ^= (unsigned char)(1u << i % 8);
        put_bytes(in_folder("run"), file.data, file.size);
        file.data[i / 8] ^= (unsigned char)(1u << i % 8);
        assert_int_equal(read_step("; going on from"), 7);
    }
    put_bytes(in_folder("run.previous"), "", 0);
    put_bytes(in_folder("run"), file.data, file.size - 1);
    run_empty(&run);
    assert_refused(&run, TULLE_ERROR_FORMAT, "; of the one before: not a Tulle checkpoint");
    free(file.data);
}

/* What is damaged never takes the place of what is whole. */
static void test_writing_over_damage(void **state)
{
    (void)state;
    write_step(1);
    write_step(2);
    put_bytes(in_folder("run"), "damaged", 7);
    assert_int_equal(read_step("not a Tulle checkpoint"), 1);
    write_step(3);
    assert_int_equal(read_step(NULL), 3);
    assert_int_equal(unlink(in_folder("run")), 0);
    assert_int_equal(read_step("missing"), 1);
    write_step(4);
    assert_int_equal(read_step(NULL), 4);
    assert_int_equal(unlink(in_folder("run")), 0);
    assert_int_equal(read_step("missing"), 1);
}

static void write_newer(const char *path)
{
#ifdef TULLE_WITH_MODEL_FILES
    const struct tensor_file newer = {"tulle-checkpoint", "checkpoint", 9, 1000};
    assert_int_equal(tulle_tensor_file_write(&newer, path, NULL, "9.0", "{}", NULL, 0, NULL),
                     TULLE_OK);
#else
    (void)path;
#endif
}

/* Of a newer Tulle it is neither passed over nor replaced, by either name. */
static void test_newer(void **state)
{
    static const char *const names[] = {"run", "run.previous"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct run run;
        struct tulle_error error;
        write_step(1);
        write_step(2);
        write_newer(in_folder(names[i]));
        struct bytes before = get_bytes(in_folder(names[i]));
        run_init(&run, 3);
        assert_int_equal(tulle_checkpoint_write(in_folder("run"), &run.checkpoint, &error),
                         TULLE_ERROR_VERSION);
        assert_string_equal(error.file, in_folder(names[i]));
        assert_true(error.line == 0 && error.column == 0);
        assert_string_equal(error.message,
                            "checkpoint format 9 is newer than this Tulle reads (1); "
                            "update Tulle, or name another checkpoint");
        if (i == 1) { /* it is not needed */
            assert_int_equal(read_step(NULL), 2);
            assert_int_equal(unlink(in_folder("run")), 0);
        }
        run_empty(&run);
        assert_refused(&run, TULLE_ERROR_VERSION, "checkpoint format 9 is newer");
        struct bytes after = get_bytes(in_folder(names[i]));
        assert_int_equal(after.size, before.size);
        assert_memory_equal(after.data, before.data, after.size);
        free(before.data);
        free(after.data);
        remove(in_folder("run"));
        remove(in_folder("run.previous"));
    }
}

static void test_unusable_paths(void **state)
{
    (void)state;
    struct run run;
    struct tulle_error error;
    run_init(&run, 1);
    assert_int_equal(tulle_checkpoint_write(in_folder("no/folder"), &run.checkpoint, &error),
                     TULLE_ERROR_IO);
    assert_string_equal(error.file, in_folder("no/folder"));
    assert_int_equal(mkfifo(in_folder("run"), 0666), 0);
    run_empty(&run);
    assert_refused(&run, TULLE_ERROR_FORMAT, "not a regular file");
}

/* A disk with faults, of which the last file cannot be opened, or no file be asked about. */
static struct file_io usual_io;

static int open_other(const char *path, int flags, mode_t mode)
{
    errno = EIO;
    return strcmp(path, in_folder("run")) == 0 ? -1 : usual_io.open(path, flags, mode);
}

static int stat_nothing(const char *path, struct stat *status)
{
    (void)path, (void)status;
    errno = EACCES;
    return -1;
}

static void test_faults(void **state)
{
    (void)state;
    write_step(1);
    write_step(2);
    usual_io = tulle_file_io;
    tulle_file_io.open = open_other;
    assert_int_equal(read_step("Input/output error; going on from"), 1);
    tulle_file_io = usual_io;
    tulle_file_io.stat = stat_nothing; /* which does not mean that nothing is there */
    assert_int_equal(read_step(NULL), 2);
    tulle_file_io = usual_io;
}

static void write_for_ever(void)
{
    for (int step = 1;; step++) {
        struct run run;
        run_init(&run, step);
        if (tulle_checkpoint_write(in_folder("run"), &run.checkpoint, NULL) != TULLE_OK)
            _exit(1);
    }
}

/* Wherever the process is killed, there is a whole checkpoint, and if there is one before, it is
 * whole too. */
static void test_killed(void **state)
{
    (void)state;
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 1);
    write_step(0);
    write_step(0);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            write_for_ever();
        const struct timespec pause = {0, 500000 + (long)tulle_rng_integer(&rng, 20000000)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_true(read_step(NULL) >= 0);
        if (rename(in_folder("run.previous"), in_folder("run")) == 0)
            assert_true(read_step(NULL) >= 0);
    }
}

static void test_without_model_files(void **state)
{
    (void)state;
    struct run run;
    int found;
    char notice[CHECKPOINT_NOTICE_SIZE];
    run_init(&run, 1);
    assert_int_equal(tulle_checkpoint_write(in_folder("run"), &run.checkpoint, NULL),
                     TULLE_ERROR_UNSUPPORTED);
    assert_int_equal(tulle_checkpoint_read(in_folder("run"), &run.checkpoint, &found, notice, NULL),
                     TULLE_ERROR_UNSUPPORTED);
    assert_int_equal(found, 0);
    assert_int_equal(entry_count(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest with[] = {
        TEST(test_round_trip),     TEST(test_other_runs),
        TEST(test_damage),         TEST(test_writing_over_damage),
        TEST(test_unusable_paths), TEST(test_killed),
        TEST(test_newer),          TEST(test_faults),
    };
    const struct CMUnitTest without[] = {TEST(test_without_model_files)};
    return tulle_has_model_files ? cmocka_run_group_tests_name("checkpoints", with, NULL, NULL)
                                 : cmocka_run_group_tests_name("no files", without, NULL, NULL);
}
