/*
 * test_checkpoint_traps.c - checkpoints whose checksum is right and whose description is not, what
 * is asked of a path before a run, and of a checkpoint's fields.
 */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/model/checkpoint.h"
#include "model_support.h"

static const struct tensor_file kind = {"tulle-checkpoint", "checkpoint", 1, 20000000},
                                newer = {"tulle-checkpoint", "checkpoint", 2, 20000000};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DESCRIPTION                                                                                \
    "{\"configuration\":{\"seed\":\"1\",\"recipe\":\"plain\"},\"counts\":{\"weights\":3,"          \
    "\"curve\":2}}"

/* A file of such a description, and of the numbers 1, 2, 3 and 4, 5. */
static void put(const struct tensor_file *of, const char *name, const char *version,
                const char *description)
{
    float weights[] = {1, 2, 3};
    double curve[] = {4, 5};
    const struct tensor tensors[] = {{"weights", TENSOR_F32, 1, {3}, weights, NULL, NULL, 0},
                                     {"curve", TENSOR_F64, 1, {2}, curve, NULL, NULL, 0}};
    assert_int_equal(
        tulle_tensor_file_write(of, in_folder(name), NULL, version, description, tensors, 2, NULL),
        TULLE_OK);
}

/* What is read into by a run of that description. */
struct run {
    float weights[3];
    size_t curve_count;
    struct checkpoint_field fields[2];
    struct checkpoint_part parts[2];
    struct checkpoint checkpoint;
};

static void run_init(struct run *run)
{
    *run = (struct run){.fields = {{"seed", "1"}, {"recipe", "plain"}}};
    run->parts[0] = (struct checkpoint_part){"weights", TENSOR_F32, run->weights, 3, NULL};
    run->parts[1] = (struct checkpoint_part){"curve", TENSOR_F64, NULL, 10, &run->curve_count};
    run->checkpoint = (struct checkpoint){run->fields, 2, run->parts, 2};
}

static enum tulle_status read_run(struct run *run, int *found, struct tulle_error *error)
{
    char notice[CHECKPOINT_NOTICE_SIZE];
    run_init(run);
    enum tulle_status status =
        tulle_checkpoint_read(in_folder("run"), &run->checkpoint, found, notice, error);
    assert_string_equal(notice, "");
    assert_int_equal(*found, status == TULLE_OK);
    return status;
}

static void test_read(void **state)
{
    (void)state;
    struct run run;
    int found;
    put(&kind, "run", TULLE_VERSION_STRING, DESCRIPTION);
    assert_int_equal(read_run(&run, &found, NULL), TULLE_OK);
    double *curve = run.parts[1].data;
    assert_true(run.weights[0] == 1 && run.weights[2] == 3);
    assert_int_equal(run.curve_count, 2);
    assert_true(curve[0] == 4 && curve[1] == 5);
    tulle_free(curve);
}

/* What stands in a part that is to be found is not of the run, whether a file is there or not. */
static void test_found_parts(void **state)
{
    (void)state;
    struct run run;
    int found;
    char notice[CHECKPOINT_NOTICE_SIZE];
    for (int i = 0; i < 2; i++) {
        run_init(&run);
        run.parts[1].data = run.weights;
        run.checkpoint.parts = run.parts + i;
        run.checkpoint.part_count = i == 0 ? 2 : 1;
        assert_int_equal(
            tulle_checkpoint_read(in_folder("run"), &run.checkpoint, &found, notice, NULL),
            TULLE_OK);
        assert_int_equal(found, 0);
        assert_null(run.parts[1].data);
    }
}

#define FIELDS "{\"seed\":\"1\",\"recipe\":\"plain\"}"
#define CONFIGURED "{\"configuration\":" FIELDS ",\"counts\":"

static void test_descriptions(void **state)
{
    (void)state;
    static const struct {
        const char *version, *description;
        enum tulle_status status;
        const char *part;
    } cases[] = {
        {"9.8.7", DESCRIPTION, TULLE_ERROR_ARGUMENT, "another run: Tulle is 9.8.7 there and "},
        {NULL, "", TULLE_ERROR_FORMAT, "bad description of the checkpoint"},
        {NULL, "{", TULLE_ERROR_FORMAT, "bad description of the checkpoint"},
        {NULL, "[]", TULLE_ERROR_FORMAT, "bad description of the checkpoint"},
        {NULL, "{}", TULLE_ERROR_FORMAT, "bad description of the checkpoint"},
        {NULL, "{\"configuration\":" FIELDS "}", TULLE_ERROR_FORMAT, "bad description"},
        {NULL, "{\"counts\":{}}", TULLE_ERROR_FORMAT, "bad description"},
        {NULL, CONFIGURED "{},\"more\":0}", TULLE_ERROR_FORMAT, "unknown members"},
        {NULL, "{\"configuration\":[],\"counts\":{}}", TULLE_ERROR_ARGUMENT,
         "seed is not set there and 1 here"},
        {NULL, "{\"configuration\":{\"seed\":1},\"counts\":{}}", TULLE_ERROR_ARGUMENT,
         "seed is not set there and 1 here"},
        {NULL, CONFIGURED "[]}", TULLE_ERROR_ARGUMENT, "weights is not set there"},
        {NULL, CONFIGURED "{\"curve\":2}}", TULLE_ERROR_ARGUMENT, "weights is not set there"},
        {NULL, CONFIGURED "{\"weights\":\"3\",\"curve\":2}}", TULLE_ERROR_ARGUMENT,
         "weights is not set there"},
        {NULL, CONFIGURED "{\"weights\":3.0,\"curve\":2}}", TULLE_ERROR_ARGUMENT,
         "weights is not set there"},
        {NULL, CONFIGURED "{\"weights\":-1,\"curve\":2}}", TULLE_ERROR_ARGUMENT,
         "weights is not set there"},
        {NULL, CONFIGURED "{\"weights\":2,\"curve\":2}}", TULLE_ERROR_ARGUMENT,
         "weights has 2 numbers there and 3 here"},
        {NULL, CONFIGURED "{\"weights\":3,\"curve\":11}}", TULLE_ERROR_ARGUMENT,
         "curve has 11 numbers there and 10 here"},
        {NULL, CONFIGURED "{\"weights\":3,\"curve\":9223372036854775807}}", TULLE_ERROR_ARGUMENT,
         "curve has 9223372036854775807 numbers there and 10 here"},
        {NULL, CONFIGURED "{\"weights\":3,\"curve\":3}}", TULLE_ERROR_FORMAT, "'curve' is not as"},
        {NULL, CONFIGURED "{\"weights\":3,\"curve\":0}}", TULLE_ERROR_FORMAT,
         "tensors that the description does not name"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run run;
        struct tulle_error error;
        int found;
        put(&kind, "run", cases[i].version ? cases[i].version : TULLE_VERSION_STRING,
            cases[i].description);
        enum tulle_status status = read_run(&run, &found, &error);
        assert_null(run.parts[1].data);
        if (status != cases[i].status || !strstr(error.message, cases[i].part))
            fail_msg("expected '%s', got %d: %s", cases[i].part, status, error.message);
        assert_int_equal(read_run(&run, &found, NULL), status);
    }
}

/* A name that leads nowhere but to itself. */
static void put_loop(const char *name)
{
    assert_int_equal(symlink(in_folder(name), in_folder(name)), 0);
}

static void assert_unfit(const char *name, enum tulle_status status, const char *part)
{
    struct tulle_error error = {.message = ""};
    assert_int_equal(tulle_checkpoint_check(in_folder(name), &error), status);
    assert_true(error.line == 0 && error.column == 0);
    if (!strstr(error.message, part))
        fail_msg("expected '%s' in '%s'", part, error.message);
}

static void test_check(void **state)
{
    (void)state;
    assert_int_equal(tulle_checkpoint_check(in_folder("run"), NULL), TULLE_OK);
    assert_int_equal(entry_count(), 0);
    put_bytes(in_folder("run"), "", 0); /* as mktemp leaves it */
    assert_int_equal(tulle_checkpoint_check(in_folder("run"), NULL), TULLE_OK);
    put_bytes(in_folder("run"), "a", 1);
    assert_unfit("run", TULLE_ERROR_FORMAT, "is there and no intact checkpoint; name another file");
    put_bytes(in_folder("run"), "a,b\n1,2\n", 8);
    assert_unfit("run", TULLE_ERROR_FORMAT, "is there and no intact checkpoint; name another file");
    put(&kind, "run", TULLE_VERSION_STRING, DESCRIPTION);
    assert_int_equal(tulle_checkpoint_check(in_folder("run"), NULL), TULLE_OK);
    put(&kind, "run.previous", TULLE_VERSION_STRING,
        DESCRIPTION); /* of which the header says all */
    if (truncate(in_folder("run.previous"), (off_t)1 << 40) == 0)
        assert_int_equal(tulle_checkpoint_check(in_folder("run"), NULL), TULLE_OK);
    put(&newer, "run.previous", "9.8.7", "{}");
    assert_unfit("run", TULLE_ERROR_VERSION, "checkpoint format 2 is newer");
    put(&newer, "run", "9.8.7", "{}");
    assert_int_equal(unlink(in_folder("run.previous")), 0);
    assert_unfit("run", TULLE_ERROR_VERSION, "or name another checkpoint");
    put_loop("loop");
    assert_unfit("loop", TULLE_ERROR_IO, "symbolic links");
    assert_int_equal(mkdir(in_folder("folder"), 0777), 0);
    assert_unfit("folder", TULLE_ERROR_IO, "directory");
    assert_unfit("no/run", TULLE_ERROR_IO, "there is no folder");
    assert_int_equal(rmdir(in_folder("folder")), 0);
}

static void test_field(void **state)
{
    (void)state;
    char text[16];
    put(&kind, "run", TULLE_VERSION_STRING, "{\"configuration\":{\"seed\":\"\"}}");
    assert_true(tulle_checkpoint_field(in_folder("run"), "seed", text, 1));
    assert_string_equal(text, "");
    put(&kind, "run", TULLE_VERSION_STRING, DESCRIPTION);
    assert_true(tulle_checkpoint_field(in_folder("run"), "recipe", text, 6));
    assert_string_equal(text, "plain");
    assert_false(tulle_checkpoint_field(in_folder("run"), "recipe", text, 5));
    assert_false(tulle_checkpoint_field(in_folder("run"), "recipes", text, sizeof text));
    assert_false(tulle_checkpoint_field(in_folder("none"), "recipe", text, sizeof text));
    put_loop("loop");
    assert_false(tulle_checkpoint_field(in_folder("loop"), "recipe", text, sizeof text));

    /* Of one that is damaged, or is none, that before it is asked. */
    assert_int_equal(rename(in_folder("run"), in_folder("run.previous")), 0);
    assert_true(tulle_checkpoint_field(in_folder("run"), "seed", text, sizeof text));
    assert_string_equal(text, "1");
    put(&kind, "run", TULLE_VERSION_STRING, "{\"configuration\":");
    assert_true(tulle_checkpoint_field(in_folder("run"), "seed", text, sizeof text));
    put(&kind, "run", TULLE_VERSION_STRING, DESCRIPTION);
    struct bytes file = get_bytes(in_folder("run"));
    file.data[file.size - 1] ^= 1;
    put_bytes(in_folder("run"), file.data, file.size);
    put(&kind, "run.previous", TULLE_VERSION_STRING, "{\"configuration\":{\"seed\":\"2\"}}");
    assert_true(tulle_checkpoint_field(in_folder("run"), "seed", text, sizeof text));
    assert_string_equal(text, "2");
    free(file.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_read),  TEST(test_found_parts), TEST(test_descriptions),
        TEST(test_check), TEST(test_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no checkpoints */
}

#endif
