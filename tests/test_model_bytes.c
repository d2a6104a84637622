/* test_model_bytes.c - a model in memory is the bytes of its file, and is read as warily. */
#include "../lib/base/portability.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_support.h"

/* The bytes in a block of just their size, so that a read beyond them is seen. */
static struct bytes to_bytes(const struct tulle_model *model)
{
    struct bytes bytes = {NULL, 0};
    size_t again;
    assert_int_equal(tulle_model_to_bytes(model, NULL, 0, &bytes.size, NULL), TULLE_OK);
    bytes.data = malloc(bytes.size);
    assert_non_null(bytes.data);
    assert_int_equal(tulle_model_to_bytes(model, bytes.data, bytes.size, &again, NULL), TULLE_OK);
    assert_int_equal(again, bytes.size);
    return bytes;
}

static void check(struct tulle_model *model)
{
    save_model(model, in_folder("file"));
    struct bytes file = get_bytes(in_folder("file")), bytes = to_bytes(model);
    assert_int_equal(bytes.size, file.size);
    assert_memory_equal(bytes.data, file.data, file.size);
    tulle_model *read, *loaded = load_model(in_folder("file"));
    assert_int_equal(tulle_model_from_bytes(bytes.data, bytes.size, &read, NULL), TULLE_OK);
    assert_same_model(read, loaded);
    assert_string_equal(tulle_model_info(read)->checksum, tulle_model_info(loaded)->checksum);
    tulle_model_free(read);
    tulle_model_free(loaded);
    tulle_model_free(model);
    free(file.data);
    free(bytes.data);
}

static void test_bytes_are_the_files(void **state)
{
    (void)state;
    if (!tulle_has_model_files)
        skip();
    check(example_model());
    check(rich_model());
}

static void test_too_small_a_block_stays_as_it_is(void **state)
{
    (void)state;
    unsigned char block[64], before[64];
    size_t needed;
    if (!tulle_has_model_files)
        skip();
    struct tulle_model *model = example_model();
    memset(block, 7, sizeof block);
    memcpy(before, block, sizeof block);
    assert_int_equal(tulle_model_to_bytes(model, block, sizeof block, &needed, NULL), TULLE_OK);
    assert_true(needed > sizeof block);
    assert_memory_equal(block, before, sizeof block);
    tulle_model_free(model);
}

static void test_not_finite(void **state)
{
    (void)state;
    struct tulle_error error;
    size_t needed = 1;
    if (!tulle_has_model_files)
        skip();
    struct tulle_model *model = example_model();
    tulle_arena_set_layer(&model->network, model->parameters, 1, NULL, &(double){NAN});
    assert_int_equal(tulle_model_to_bytes(model, NULL, 0, &needed, &error), TULLE_ERROR_DIVERGED);
    assert_int_equal(needed, 0);
    assert_string_equal(error.file, "");
    tulle_model_free(model);
}

/* Each length that is too short, and a flipped bit in each byte: with the words that the file has,
 * but no file's name. */
static void test_damage_is_refused(void **state)
{
    (void)state;
    if (!tulle_has_model_files)
        skip();
    struct tulle_model *model = example_model();
    struct bytes bytes = to_bytes(model);
    for (size_t i = 0; i < bytes.size; i++) {
        struct tulle_error error, of_file;
        tulle_model *read, *loaded;
        unsigned char *cut = malloc(i ? i : 1);
        assert_non_null(cut);
        memcpy(cut, bytes.data, i);
        assert_int_equal(tulle_model_from_bytes(cut, i, &read, &error), TULLE_ERROR_FORMAT);
        assert_null(read);
        assert_string_equal(error.file, "");
        free(cut);
        bytes.data[i] ^= 1;
        enum tulle_status status = tulle_model_from_bytes(bytes.data, bytes.size, &read, &error);
        assert_true(status == TULLE_ERROR_FORMAT || status == TULLE_ERROR_VERSION);
        if (i % 16 == 0) {
            put_bytes(in_folder("file"), bytes.data, bytes.size);
            assert_int_equal(tulle_model_load(in_folder("file"), &loaded, &of_file), status);
            assert_string_equal(of_file.message, error.message);
        }
        bytes.data[i] ^= 1;
    }
    free(bytes.data);
    tulle_model_free(model);
}

static void test_without_model_files(void **state)
{
    (void)state;
    struct tulle_error error;
    tulle_model *model;
    size_t needed = 1;
    if (tulle_has_model_files)
        skip();
    model = example_model();
    assert_int_equal(tulle_model_to_bytes(model, NULL, 0, &needed, &error),
                     TULLE_ERROR_UNSUPPORTED);
    assert_int_equal(needed, 0);
    tulle_model_free(model);
    assert_int_equal(tulle_model_from_bytes("", 0, &model, &error), TULLE_ERROR_UNSUPPORTED);
    assert_null(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bytes_are_the_files, make_folder, remove_folder),
        cmocka_unit_test(test_too_small_a_block_stays_as_it_is),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test_setup_teardown(test_damage_is_refused, make_folder, remove_folder),
        cmocka_unit_test(test_without_model_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
