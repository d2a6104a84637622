/* test_out_of_memory_files.c - checkpoints, models, bytes and columns by themselves, with each of
 * their allocations failing: what is too slow to do within trainings. */
#include "../lib/base/portability.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "../lib/base/file_writer.h"
#include "../lib/base/memory.h"
#include "../lib/data/byte_source.h"
#include "../lib/data/column_fit.h"
#include "../lib/model/checkpoint.h"
#include "../lib/model/json_text.h"
#include "failing_memory.h"
#include "model_support.h"

/* --- Checkpoints ----------------------------------------------------------------------------- */

enum { CURVE = 4 };
static float weights[100];
static double curve[CURVE];
static size_t curve_count;
static const struct checkpoint_field fields[] = {{"seed", "1"}, {"recipe", "plain"}};
static struct checkpoint_part parts[] = {{"weights", TENSOR_F32, weights, 100, NULL},
                                         {"curve", TENSOR_F64, curve, CURVE, NULL}};
static const struct checkpoint checkpoint = {(struct checkpoint_field *)fields, 2, parts, 2};

static enum tulle_status write_checkpoint(struct tulle_error *error)
{
    for (size_t i = 0; i < 100; i++)
        weights[i] = (float)i;
    parts[1].data = curve;
    parts[1].found_count = NULL;
    return tulle_checkpoint_write(in_folder("run"), &checkpoint, error);
}

static enum tulle_status read_checkpoint(struct tulle_error *error)
{
    int found;
    char notice[CHECKPOINT_NOTICE_SIZE];
    memset(weights, 0, sizeof weights);
    parts[1].data = NULL;
    parts[1].found_count = &curve_count;
    enum tulle_status status =
        tulle_checkpoint_read(in_folder("run"), &checkpoint, &found, notice, error);
    assert_int_equal(found, status == TULLE_OK);
    if (status == TULLE_OK) {
        assert_true(weights[1] == 1 && weights[99] == 99);
        assert_memory_equal(parts[1].data, curve, sizeof curve);
    }
    tulle_free(parts[1].data);
    return status;
}

static enum tulle_status check_checkpoint(struct tulle_error *error)
{
    return tulle_checkpoint_check(in_folder("run"), error);
}

/* What was there before is there, and standard input, which is file 0, is not closed for a file
 * that was not opened. */
static void check_run(enum tulle_status status)
{
    (void)status;
    assert_int_not_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_int_equal(read_checkpoint(NULL), TULLE_OK);
}

static int stat_of_a_path(const char *path, struct stat *status)
{
    assert_true(path != NULL); /* for want of memory */
    return stat(path, status);
}

static void test_checkpoints(void **state)
{
    (void)state;
    struct file_io file_system = tulle_file_io;
    if (!tulle_has_model_files)
        skip();
    if (fcntl(STDIN_FILENO, F_GETFD) == -1)
        assert_int_equal(open("/dev/null", O_RDONLY), STDIN_FILENO);
    for (size_t i = 0; i < CURVE; i++)
        curve[i] = (double)i;
    assert_int_equal(write_checkpoint(NULL), TULLE_OK);
    tulle_file_io.stat = stat_of_a_path;
    torture(&(struct operation){
        .name = "write a checkpoint", .run = write_checkpoint, .check = check_run});
    torture(&(struct operation){
        .name = "read a checkpoint", .run = read_checkpoint, .check = check_run});
    torture(&(struct operation){
        .name = "look at a checkpoint", .run = check_checkpoint, .check = check_run});
    tulle_file_io = file_system;
}

/* --- Models ---------------------------------------------------------------------------------- */

static struct tulle_model *model, *loaded;

static enum tulle_status save(struct tulle_error *error)
{
    return tulle_model_save(model, in_folder("model"), error);
}

static void check_saved(enum tulle_status status)
{
    (void)status;
    struct tulle_model *found = load_model(in_folder("model"));
    assert_same_model(found, model);
    tulle_model_free(found);
}

static enum tulle_status load(struct tulle_error *error)
{
    return tulle_model_load(in_folder("model"), &loaded, error);
}

static enum tulle_status load_bytes(struct tulle_error *error)
{
    struct bytes bytes = get_bytes(in_folder("model"));
    enum tulle_status status = tulle_model_from_bytes(bytes.data, bytes.size, &loaded, error);
    free(bytes.data);
    return status;
}

static unsigned char saved[1 << 16];

static enum tulle_status save_bytes(struct tulle_error *error)
{
    size_t size;
    return tulle_model_to_bytes(model, saved, sizeof saved, &size, error);
}

static void check_saved_bytes(enum tulle_status status)
{
    struct bytes file = get_bytes(in_folder("model"));
    if (status == TULLE_OK)
        assert_memory_equal(saved, file.data, file.size);
    free(file.data);
}

static void check_loaded(enum tulle_status status)
{
    assert_int_equal(loaded != NULL, status == TULLE_OK);
    if (loaded)
        assert_same_model(loaded, model);
    tulle_model_free(loaded);
}

/* Where there is no memory to look for what is wrong, nothing is found right. */
static void test_wrong_descriptions(void **state)
{
    (void)state;
    static const char *const twins[] = {"a", "a"};
    for (int i = 0; i < 3; i++) {
        struct rich rich;
        rich_init(&rich);
        if (i == 0)
            rich.inputs[1].name = rich.inputs[0].name;
        if (i == 1)
            rich.inputs[2].levels.names = twins;
        if (i == 2)
            rich.settings[1].name = rich.settings[0].name;
        size_t n = 1, failed;
        do {
            struct tulle_error error;
            fail_allocations(n++, 0);
            enum tulle_status status = tulle_model_check(&rich.info, &error);
            failed = stop_failing();
            assert_int_equal(error.code, status);
            assert_true(status == TULLE_ERROR_ARGUMENT || (failed && status == TULLE_ERROR_MEMORY));
        } while (failed);
    }
}

/* With all that a model can have, splines among it. */
static void test_models(void **state)
{
    (void)state;
    static const double knots[] = {1, 2, 3, 4, 5, 6};
    struct rich rich;
    if (!tulle_has_model_files)
        skip();
    rich_init(&rich);
    rich.info.front.number_count = 2;
    rich.info.front.frequencies = 0;
    rich.info.front.bins = 2;
    rich.info.front.knots = knots;
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    save_model(model, in_folder("model"));
    torture(&(struct operation){.name = "save a model", .run = save, .check = check_saved});
    torture(&(struct operation){.name = "load a model", .run = load, .check = check_loaded});
    torture(&(struct operation){
        .name = "a model to bytes", .run = save_bytes, .check = check_saved_bytes});
    torture(&(struct operation){
        .name = "a model from bytes", .run = load_bytes, .check = check_loaded});
    tulle_model_free(model);
}

/* --- Bytes ----------------------------------------------------------------------------------- */

/* Of which more are wanted than are read at once. */
static enum tulle_status read_bytes(struct tulle_error *error)
{
    struct byte_source *source;
    enum tulle_status status = tulle_byte_source_open(in_folder("bytes"), 4, &source, error);
    if (status == TULLE_OK)
        status = tulle_byte_source_fill(source, 64, error);
    if (status == TULLE_OK)
        assert_int_equal(tulle_byte_source_window(source).size, 64);
    tulle_byte_source_close(source);
    return status;
}

static void check_nothing(enum tulle_status status)
{
    (void)status;
}

static void test_bytes(void **state)
{
    unsigned char bytes[64] = "text";
    (void)state;
    put_bytes(in_folder("bytes"), bytes, sizeof bytes);
    torture(&(struct operation){.name = "read bytes", .run = read_bytes, .check = check_nothing});
}

/* --- Output ---------------------------------------------------------------------------------- */

static enum tulle_status write_through_link(struct tulle_error *error)
{
    struct file_writer *writer;
    enum tulle_status status = tulle_file_writer_open(in_folder("link"), &writer, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_keep(writer, in_folder("kept"), error);
    if (status == TULLE_OK)
        return tulle_file_writer_commit(writer, error);
    tulle_file_writer_abort(writer);
    return status;
}

static void check_written(enum tulle_status status)
{
    struct bytes file = get_bytes(in_folder("file"));
    assert_int_equal(file.size, status == TULLE_OK ? 0 : 3);
    assert_int_equal(entry_count(), status == TULLE_OK ? 3 : 2);
    free(file.data);
    remove(in_folder("kept"));
    put_bytes(in_folder("file"), "old", 3);
}

static void test_output(void **state)
{
    (void)state;
    put_bytes(in_folder("file"), "old", 3);
    assert_int_equal(symlink("file", in_folder("link")), 0);
    torture(&(struct operation){
        .name = "write through a link", .run = write_through_link, .check = check_written});
}

/* Without memory an error does not say that the folder is missing. */
static void test_missing_folder(void **state)
{
    int is_named = 0;
    (void)state;
    for (size_t n = 1, failed = 1; failed > 0; n++) {
        struct file_writer *writer;
        struct tulle_error error;
        fail_allocations(n, 0);
        enum tulle_status status = tulle_file_writer_open(in_folder("no/file"), &writer, &error);
        failed = stop_failing();
        assert_true(status == TULLE_ERROR_IO || (status == TULLE_ERROR_MEMORY && failed > 0));
        is_named = strstr(error.message, "there is no folder") != NULL;
    }
    assert_true(is_named);
}

/* --- Texts and headers ----------------------------------------------------------------------- */

#ifdef TULLE_WITH_MODEL_FILES
static enum tulle_status parse_array(struct tulle_error *error)
{
    static const char text[] = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]";
    json_t *json;
    enum tulle_status status = tulle_json_parse("text", text, sizeof text - 1, &json, error);
    if (status == TULLE_OK)
        assert_int_equal(json_array_size(json), 20);
    json_decref(json);
    return status;
}

static void test_texts(void **state)
{
    (void)state;
    torture(&(struct operation){.name = "parse JSON", .run = parse_array, .check = check_nothing});
}

/* A file of which there is nothing but the header. */
static const struct tensor_file kind = {"tulle-test", "test", 1, 1000};

static enum tulle_status write_header(struct tulle_error *error)
{
    return tulle_tensor_file_write(&kind, in_folder("header"), NULL, "1.2.3", "{}", NULL, 0, error);
}

static void check_header(enum tulle_status status)
{
    struct tensor_reader *reader;
    enum tulle_status opened = tulle_tensor_file_open(&kind, in_folder("header"), &reader, NULL);
    assert_int_equal(opened, status == TULLE_OK ? TULLE_OK : TULLE_ERROR_IO);
    if (reader) {
        assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL), TULLE_OK);
        assert_int_equal(remove(in_folder("header")), 0);
    }
}

static void test_header(void **state)
{
    (void)state;
    torture(
        &(struct operation){.name = "write a header", .run = write_header, .check = check_header});
}

/* Where there is no memory to compare tensors, they are not found right. */
static void test_other_tensor(void **state)
{
    (void)state;
    float number = 1;
    const struct tensor there = {.name = "a", TENSOR_F32, 1, {1}, &number},
                        other = {.name = "b", TENSOR_F32, 1, {1}, &number};
    struct tensor_reader *reader;
    assert_int_equal(
        tulle_tensor_file_write(&kind, in_folder("file"), NULL, "1.2.3", "{}", &there, 1, NULL),
        TULLE_OK);
    assert_int_equal(tulle_tensor_file_open(&kind, in_folder("file"), &reader, NULL), TULLE_OK);
    size_t n = 1, failed;
    do {
        fail_allocations(n++, 0);
        enum tulle_status status = tulle_tensor_file_check(reader, &other, 1, NULL);
        failed = stop_failing();
        assert_true(status == TULLE_ERROR_FORMAT || (failed && status == TULLE_ERROR_MEMORY));
    } while (failed);
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL), TULLE_OK);
}
#else
static void test_other_tensor(void **state)
{
    (void)state;
    skip();
}

static void test_header(void **state)
{
    (void)state;
    skip();
}

static void test_texts(void **state)
{
    (void)state;
    skip();
}
#endif

/* --- Columns --------------------------------------------------------------------------------- */

/* An array of numbers that are names: each is a level of its own. */
static enum tulle_status read_names(struct tulle_error *error)
{
    static const char *const names[] = {"c0"};
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    tulle_dataset *dataset;
    options.categorical = names;
    options.categorical_count = 1;
    enum tulle_status status = tulle_dataset_read(in_folder("names"), &options, &dataset, error);
    if (status == TULLE_OK)
        assert_int_equal(tulle_dataset_info(dataset)->levels[0].count, 100);
    tulle_dataset_free(dataset);
    return status;
}

static const tulle_dataset *numbers;

static enum tulle_status fit_classes(struct tulle_error *error)
{
    static const size_t order[] = {0, 1, 2, 3, 4, 5, 6, 7};
    struct tulle_column column;
    enum tulle_status status = tulle_column_fit_classes(numbers, 0, order, 8, 100, &column, error);
    if (status == TULLE_OK)
        assert_int_equal(column.levels.count, 8);
    tulle_column_clear(&column);
    return status;
}

static void test_columns(void **state)
{
    static const char header[] =
        "\x93NUMPY\x01\0\x3b\0{'descr': '|u1', 'fortran_order': False, 'shape': (100, 1)}";
    unsigned char file[sizeof header - 1 + 100];
    static const char *const names[] = {"y"};
    double values[8];
    tulle_dataset *dataset;
    (void)state;
    memcpy(file, header, sizeof header - 1);
    for (size_t i = 0; i < 100; i++)
        file[sizeof header - 1 + i] = (unsigned char)i;
    for (size_t i = 0; i < 8; i++)
        values[i] = (double)i;
    put_bytes(in_folder("names"), file, sizeof file);
    torture(&(struct operation){.name = "read names", .run = read_names, .check = check_nothing});
    assert_int_equal(
        tulle_dataset_create(names, tulle_f64(values, 8, 1), NULL, NULL, &dataset, NULL), TULLE_OK);
    numbers = dataset;
    torture(&(struct operation){.name = "fit classes", .run = fit_classes, .check = check_nothing});
    tulle_dataset_free(dataset);
}

/* Without memory an error has no advice. */
static void test_advice(void **state)
{
    static const char *const names[] = {"rooms"};
    (void)state;
    assert_int_equal(tulle_nearest_name("roms", names, 1), 0);
    fail_allocations(1, 1);
    size_t nearest = tulle_nearest_name("roms", names, 1);
    assert_int_equal(stop_failing(), 1);
    assert_int_equal(nearest, SIZE_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_checkpoints),
        TEST(test_header),
        TEST(test_other_tensor),
        TEST(test_models),
        TEST(test_wrong_descriptions),
        TEST(test_bytes),
        TEST(test_columns),
        TEST(test_output),
        TEST(test_missing_folder),
        TEST(test_texts),
        cmocka_unit_test(test_advice),
    };
    return cmocka_run_group_tests(tests, use_failing_memory, use_usual_memory);
}
