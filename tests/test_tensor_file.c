/* test_tensor_file.c - what is written comes back, in whatever pieces it is read, and a file that
 * is of another kind or has other tensors is refused. */
#include "../lib/base/portability.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "../lib/model/tensor_file.h"
#include "model_support.h"

#ifdef TULLE_WITH_MODEL_FILES

static const struct tensor_file kind = {"tulle-test", "test", 3, 10000};

#define DESCRIPTION "{\"caf\xc3\xa9\":\"\\\"\\n\"}"

/* Numbers of all types; those of the matrix stand column by column in memory, and rows of the
 * cube apart. */
struct numbers {
    float f32[3];
    double f64[2][3];
    uint32_t u32[2];
    uint64_t u64[1];
    float turned[3][2];
    float cube[2][4][5]; /* (2, 3, 2) of them */
};

static int is_reading; /* what copy_turned is to be called for */

static void copy_turned(const struct tensor *tensor, size_t row, void *numbers, int is_read)
{
    struct numbers *n = tensor->context;
    float *run = numbers;
    assert_int_equal(tensor->index, 7);
    assert_int_equal(is_read, is_reading);
    for (size_t i = 0; i < 3; i++)
        if (is_read)
            n->turned[i][row] = run[i];
        else
            run[i] = n->turned[i][row];
}

enum { TENSORS = 6 };

static void list(struct numbers *n, struct tensor tensors[TENSORS])
{
    const struct tensor all[TENSORS] = {
        {"doubles", TENSOR_F64, 2, {2, 3}, n->f64, NULL, NULL, 0},
        {"large", TENSOR_U64, 1, {1, 0}, n->u64, NULL, NULL, 0},
        {"turned", TENSOR_F32, 2, {2, 3}, NULL, copy_turned, n, 7},
        {"floats", TENSOR_F32, 1, {3, 0}, n->f32, NULL, NULL, 0},
        {"small", TENSOR_U32, 1, {2, 0}, n->u32, NULL, NULL, 0},
        {"cube", TENSOR_F32, 3, {2, 3, 2}, n->cube, NULL, NULL, 0, {4 * 5, 5}},
    };
    memcpy(tensors, all, sizeof all);
}

static struct numbers some_numbers(void)
{
    return (struct numbers){{1, -2, 3.5f},
                            {{0.1, -0.0, 1e300}, {4, 5, 6}},
                            {UINT32_MAX, 7},
                            {UINT64_MAX - 1},
                            {{11, 21}, {12, 22}, {13, 23}},
                            {{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}}};
}

static void write_file(const struct tensor_file *of, const char *path, const char *keep)
{
    struct numbers numbers = some_numbers();
    struct tensor tensors[TENSORS];
    struct tulle_error error = {.message = ""};
    list(&numbers, tensors);
    is_reading = 0;
    if (tulle_tensor_file_write(of, path, keep, "1.2.3", DESCRIPTION, tensors, TENSORS, &error) !=
        TULLE_OK)
        fail_msg("%s", error.message);
}

static struct tensor_reader *open_file(const char *path)
{
    struct tensor_reader *reader;
    struct tulle_error error = {.message = ""};
    if (tulle_tensor_file_open(&kind, path, &reader, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    is_reading = 1;
    return reader;
}

static void test_round_trip(void **state)
{
    (void)state;
    const struct numbers expected = some_numbers();
    write_file(&kind, in_folder("file"), NULL);
    for (size_t first = 0; first <= TENSORS; first++) { /* read before the others */
        struct numbers found;
        struct tensor tensors[TENSORS];
        char checksum[17];
        memset(&found, 0, sizeof found);
        list(&found, tensors);
        struct tensor_reader *reader = open_file(in_folder("file"));
        assert_string_equal(tulle_tensor_file_description(reader), DESCRIPTION);
        assert_string_equal(tulle_tensor_file_tulle_version(reader), "1.2.3");
        assert_int_equal(tulle_tensor_file_version(reader), 3);
        assert_int_equal(tulle_tensor_file_check(reader, tensors, TENSORS, NULL), TULLE_OK);
        assert_int_equal(tulle_tensor_file_read(reader, tensors, first, NULL), TULLE_OK);
        assert_int_equal(tulle_tensor_file_read(reader, tensors + first, TENSORS - first, NULL),
                         TULLE_OK);
        assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, checksum, NULL), TULLE_OK);
        assert_int_equal(strlen(checksum), 16);
        assert_memory_equal(found.f32, expected.f32, sizeof found.f32);
        assert_memory_equal(found.f64, expected.f64, sizeof found.f64);
        assert_memory_equal(found.u32, expected.u32, sizeof found.u32);
        assert_memory_equal(found.u64, expected.u64, sizeof found.u64);
        assert_memory_equal(found.turned, expected.turned, sizeof found.turned);
        assert_memory_equal(found.cube, expected.cube, sizeof found.cube);
    }
}

/* The rows of a matrix stand one after the other, whatever memory has. */
static void test_bytes(void **state)
{
    (void)state;
    const float rows[] = {11, 12, 13, 21, 22, 23};
    const float cube[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    write_file(&kind, in_folder("file"), NULL);
    write_file(&kind, in_folder("again"), NULL);
    struct bytes file = get_bytes(in_folder("file")), again = get_bytes(in_folder("again"));
    assert_int_equal(file.size, again.size);
    assert_memory_equal(file.data, again.data, file.size);
    size_t data = 8 + file.data[0] + 256 * (size_t)file.data[1];
    assert_int_equal(data % 64, 0);
    assert_memory_equal(file.data + data + 7 * 8, rows, sizeof rows);
    assert_memory_equal(file.data + file.size - sizeof cube, cube, sizeof cube);
    assert_non_null(
        strstr((char *)file.data + 8, "\"format\":\"tulle-test\",\"format_version\":\"3\""));
    free(file.data);
    free(again.data);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct tensor_file other = {"tulle-tests", "test", 3, 10000},
                                    newer = {"tulle-test", "test", 4, 10000},
                                    older = {"tulle-test", "test", 2, 10000};
    struct tensor_reader *reader;
    struct tulle_error error;
    write_file(&other, in_folder("file"), NULL);
    assert_int_equal(tulle_tensor_file_open(&kind, in_folder("file"), &reader, &error),
                     TULLE_ERROR_FORMAT);
    assert_null(reader);
    assert_string_equal(error.message, "not a Tulle test");
    assert_string_equal(error.file, in_folder("file"));
    write_file(&newer, in_folder("file"), NULL);
    assert_int_equal(tulle_tensor_file_open(&kind, in_folder("file"), &reader, &error),
                     TULLE_ERROR_VERSION);
    assert_non_null(strstr(error.message, "test format 4 is newer than this Tulle reads (3)"));
    write_file(&older, in_folder("file"), NULL);
    reader = open_file(in_folder("file"));
    assert_int_equal(tulle_tensor_file_version(reader), 2);
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL), TULLE_OK);
}

static void test_other_tensors(void **state)
{
    (void)state;
    struct numbers numbers;
    struct tensor tensors[TENSORS];
    write_file(&kind, in_folder("file"), NULL);
    enum { ALL = TENSORS };
    const struct {
        size_t index;
        struct tensor tensor;
        size_t count;
        const char *part;
    } cases[] = {
        {0, {"doubles", TENSOR_U64, 2, {2, 3}, NULL, NULL, NULL, 0}, ALL, "'doubles' is not as"},
        {0, {"doubles", TENSOR_F64, 1, {6, 0}, NULL, NULL, NULL, 0}, ALL, "'doubles' is not as"},
        {0, {"doubles", TENSOR_F64, 2, {3, 2}, NULL, NULL, NULL, 0}, ALL, "'doubles' is not as"},
        {0, {"doubles", TENSOR_F64, 2, {SIZE_MAX, 2}, NULL, NULL, NULL, 0}, ALL, "too large"},
        {1, {"lost", TENSOR_U64, 1, {1, 0}, NULL, NULL, NULL, 0}, ALL, "'lost' is not as"},
        {4, {"small", TENSOR_U32, 1, {1, 0}, NULL, NULL, NULL, 0}, ALL, "'small' is not as"},
        {4, {"small", TENSOR_U32, 1, {2, 0}, NULL, NULL, NULL, 0}, ALL - 1, "does not name"},
        {4, {"floats", TENSOR_F32, 1, {3, 0}, NULL, NULL, NULL, 0}, ALL, "'floats' is not as"},
        {5, {"cube", TENSOR_F32, 3, {3, 2, 2}, NULL, NULL, NULL, 0}, ALL, "'cube' is not as"},
        {5, {"cube", TENSOR_F32, 2, {6, 2}, NULL, NULL, NULL, 0}, ALL, "'cube' is not as"},
        {5, {"cube", TENSOR_F32, 3, {SIZE_MAX / 8, 16, 0}, NULL, NULL, NULL, 0}, ALL, "too large"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tulle_error error;
        list(&numbers, tensors);
        tensors[cases[i].index] = cases[i].tensor;
        struct tensor_reader *reader = open_file(in_folder("file"));
        enum tulle_status status = tulle_tensor_file_check(reader, tensors, cases[i].count, &error);
        status = tulle_tensor_file_finish(reader, status, NULL, &error);
        assert_int_equal(status, TULLE_ERROR_FORMAT);
        assert_string_equal(error.file, in_folder("file"));
        if (!strstr(error.message, cases[i].part))
            fail_msg("expected '%s' in '%s'", cases[i].part, error.message);
    }
}

/* Damage is called so, whatever it made of the file; also where nothing was read. */
static void test_damage(void **state)
{
    (void)state;
    write_file(&kind, in_folder("file"), NULL);
    struct bytes file = get_bytes(in_folder("file"));
    file.data[file.size - 1] ^= 1;
    put_bytes(in_folder("file"), file.data, file.size);
    const enum tulle_status before[] = {TULLE_OK, TULLE_ERROR_ARGUMENT, TULLE_ERROR_FORMAT};
    for (int i = 0; i < 3; i++) {
        struct tulle_error error = {.message = "something else"};
        struct tensor_reader *reader = open_file(in_folder("file"));
        assert_int_equal(tulle_tensor_file_finish(reader, before[i], NULL, &error),
                         TULLE_ERROR_FORMAT);
        assert_string_equal(error.message, "damaged: its checksum does not match");
    }
    struct tulle_error error = {.message = "out of memory"};
    struct tensor_reader *reader = open_file(in_folder("file"));
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_ERROR_MEMORY, NULL, &error),
                     TULLE_ERROR_MEMORY);
    assert_string_equal(error.message, "out of memory");
    free(file.data);
}

/* Whatever is not read of the numbers is looked at in the end: the last byte, and that it is there.
 */
static void test_rest(void **state)
{
    (void)state;
    struct tulle_error error;
    assert_int_equal(
        tulle_tensor_file_write(&kind, in_folder("file"), NULL, "1.2.3", "{}", NULL, 0, NULL),
        TULLE_OK);
    struct bytes file = get_bytes(in_folder("file"));
    put_bytes(in_folder("longer"), file.data, file.size + 1); /* by the NUL behind it */
    struct tensor_reader *reader = open_file(in_folder("longer"));
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, &error), TULLE_ERROR_FORMAT);
    assert_string_equal(error.message, "damaged: its checksum does not match");
    reader = open_file(in_folder("longer"));
    assert_int_equal(truncate(in_folder("longer"), (off_t)file.size), 0);
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, &error), TULLE_ERROR_FORMAT);
    assert_string_equal(error.message, "cut short while it was read");
    free(file.data);
}

static void test_keep(void **state)
{
    (void)state;
    write_file(&kind, in_folder("file"), in_folder("old")); /* there is nothing to keep */
    assert_int_equal(entry_count(), 1);
    put_bytes(in_folder("old"), "older", 5);
    put_bytes(in_folder("file"), "old", 3);
    write_file(&kind, in_folder("file"), in_folder("old"));
    assert_int_equal(entry_count(), 2);
    struct bytes old = get_bytes(in_folder("old"));
    assert_string_equal((char *)old.data, "old");
    free(old.data);
    tulle_tensor_file_finish(open_file(in_folder("file")), TULLE_OK, NULL, NULL);

    /* Where the old one cannot be kept it stays where it is. */
    struct tulle_error error;
    struct numbers numbers = some_numbers();
    struct tensor tensors[TENSORS];
    list(&numbers, tensors);
    is_reading = 0;
    put_bytes(in_folder("file"), "old", 3);
    assert_int_equal(tulle_tensor_file_write(&kind, in_folder("file"), in_folder("no/folder"),
                                             "1.2.3", "{}", tensors, TENSORS, &error),
                     TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, "cannot keep the file that is there"));
    old = get_bytes(in_folder("file"));
    assert_string_equal((char *)old.data, "old");
    assert_int_equal(entry_count(), 2);
    free(old.data);
}

/* Cut off after it was opened, at every place; of a row that is copied in there is all or nothing.
 */
static void test_shortened(void **state)
{
    (void)state;
    static const size_t ends[TENSORS] = {48, 56, 80, 92, 100, 148};
    const struct numbers expected = some_numbers();
    write_file(&kind, in_folder("whole"), NULL);
    struct bytes file = get_bytes(in_folder("whole"));
    size_t data = 8 + file.data[0] + 256 * (size_t)file.data[1];
    for (size_t size = data; size < file.size; size++) {
        struct numbers found;
        struct tensor tensors[TENSORS];
        struct tulle_error error;
        list(&found, tensors);
        memset(found.turned, 0, sizeof found.turned);
        put_bytes(in_folder("file"), file.data, file.size);
        struct tensor_reader *reader = open_file(in_folder("file"));
        assert_int_equal(truncate(in_folder("file"), (off_t)size), 0);
        size_t whole = 0;
        while (whole < TENSORS &&
               tulle_tensor_file_read(reader, tensors + whole, 1, &error) == TULLE_OK)
            whole++;
        assert_true(whole < TENSORS);
        assert_true(size < data + ends[whole] && (whole == 0 || size >= data + ends[whole - 1]));
        assert_int_equal(tulle_tensor_file_finish(reader, TULLE_ERROR_FORMAT, NULL, &error),
                         TULLE_ERROR_FORMAT);
        assert_string_equal(error.message, "cut short while it was read");
        for (size_t row = 0; row < 2; row++)
            for (size_t i = 0; i < 3; i++)
                assert_true(found.turned[i][row] ==
                            (found.turned[2][row] != 0 ? expected.turned[i][row] : 0));
    }
    free(file.data);
}

/* Of which no file could hold all, or where the header could not say where they end. */
static void test_too_large(void **state)
{
    (void)state;
    const struct tensor huge = {.name = "huge", TENSOR_F64, 2, {SIZE_MAX / 4, 8}},
                        most = {.name = "most", TENSOR_F32, 1, {(size_t)INT64_MAX / 4}},
                        one = {.name = "one", TENSOR_U32, 1, {1}};
    const struct tensor lists[][2] = {{huge}, {most, one}};
    struct tulle_error error;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(tulle_tensor_file_write(&kind, in_folder("file"), NULL, "1.2.3", "{}",
                                                 lists[i], i + 1, &error),
                         TULLE_ERROR_MEMORY);
        assert_int_equal(entry_count(), 0);
    }
    write_file(&kind, in_folder("file"), NULL);
    struct tensor_reader *reader = open_file(in_folder("file"));
    assert_int_equal(tulle_tensor_file_check(reader, &most, 1, &error), TULLE_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "'most' is not as the description says"));
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, &error), TULLE_OK);
}

static void test_header_too_long(void **state)
{
    (void)state;
    char description[10001];
    struct tulle_error error;
    memset(description, 'x', sizeof description - 1);
    description[sizeof description - 1] = '\0';
    assert_int_equal(tulle_tensor_file_write(&kind, in_folder("file"), NULL, "1.2.3", description,
                                             NULL, 0, &error),
                     TULLE_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "more than the 10000 that a test file has room for"));
    assert_int_equal(entry_count(), 0);
}

static struct file_io usual_io;
static int opened_flags;

static int open_and_look(const char *path, int flags, mode_t mode)
{
    assert_int_equal(mode, 0); /* it makes no file */
    opened_flags = flags;
    return usual_io.open(path, flags, mode);
}

/* It neither waits for a pipe, nor makes a terminal its own, nor passes the file on to other
 * programs; and file 0 is one like others, in a program whose standard input is closed. */
static void test_opening(void **state)
{
    (void)state;
    write_file(&kind, in_folder("file"), NULL);
    const int input = dup(STDIN_FILENO);
    assert_true(input > 0);
    close(STDIN_FILENO);
    usual_io = tulle_file_io;
    tulle_file_io.open = open_and_look;
    struct tensor_reader *reader = open_file(in_folder("file"));
    tulle_file_io = usual_io;
    assert_int_equal(opened_flags, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), FD_CLOEXEC);
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL), TULLE_OK);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_int_equal(dup2(input, STDIN_FILENO), STDIN_FILENO);
    close(input);
}

/* As many blanks as it takes to a multiple of 64, and a limit that counts them. */
static void test_header_length(void **state)
{
    (void)state;
    char description[64] = "";
    for (size_t used = 0; used < sizeof description; description[used++] = 'x') {
        struct tensor_file limited = kind;
        struct tensor_reader *reader;
        struct tulle_error error;
        assert_int_equal(tulle_tensor_file_write(&kind, in_folder("file"), NULL, "1.2.3",
                                                 description, NULL, 0, NULL),
                         TULLE_OK);
        struct bytes file = get_bytes(in_folder("file"));
        assert_int_equal(file.size % 64, 0);
        assert_int_not_equal(file.data[file.size - 64], ' ');
        limited.longest_header = file.size - 8;
        assert_int_equal(tulle_tensor_file_write(&limited, in_folder("file"), NULL, "1.2.3",
                                                 description, NULL, 0, NULL),
                         TULLE_OK);
        assert_int_equal(tulle_tensor_file_open(&limited, in_folder("file"), &reader, NULL),
                         TULLE_OK);
        tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL);
        limited.longest_header--;
        assert_int_equal(tulle_tensor_file_write(&limited, in_folder("file"), NULL, "1.2.3",
                                                 description, NULL, 0, NULL),
                         TULLE_ERROR_ARGUMENT);
        assert_int_equal(tulle_tensor_file_open(&limited, in_folder("file"), &reader, &error),
                         TULLE_ERROR_FORMAT);
        assert_non_null(strstr(error.message, "damaged: a header of"));
        free(file.data);
    }
}

/* More numbers than a header has bytes, as models mostly have. */
enum { MANY = 1000 };

static struct tensor many(float *numbers)
{
    return (struct tensor){.name = "many", TENSOR_F32, 1, {MANY}, numbers};
}

/* A block of just the bytes of a file with `numbers`, so that a read beyond them is seen. */
static struct bytes bytes_of_many(float *numbers)
{
    const struct tensor tensor = many(numbers);
    struct bytes bytes = {NULL, 0};
    size_t again;
    assert_int_equal(tulle_tensor_bytes_write(&kind, "1.2.3", DESCRIPTION, &tensor, 1, NULL, 0,
                                              &bytes.size, NULL),
                     TULLE_OK);
    bytes.data = malloc(bytes.size);
    assert_non_null(bytes.data);
    assert_int_equal(tulle_tensor_bytes_write(&kind, "1.2.3", DESCRIPTION, &tensor, 1, bytes.data,
                                              bytes.size, &again, NULL),
                     TULLE_OK);
    assert_int_equal(again, bytes.size);
    return bytes;
}

static void test_memory(void **state)
{
    (void)state;
    float numbers[MANY], found[MANY];
    for (int i = 0; i < MANY; i++)
        numbers[i] = (float)i;
    const struct tensor there = many(numbers), here = many(found);
    struct tensor_reader *reader;
    struct bytes bytes = bytes_of_many(numbers);
    assert_int_equal(tulle_tensor_file_write(&kind, in_folder("file"), NULL, "1.2.3", DESCRIPTION,
                                             &there, 1, NULL),
                     TULLE_OK);
    struct bytes file = get_bytes(in_folder("file"));
    assert_int_equal(bytes.size, file.size);
    assert_memory_equal(bytes.data, file.data, file.size);
    assert_int_equal(tulle_tensor_bytes_open(&kind, bytes.data, bytes.size, &reader, NULL),
                     TULLE_OK);
    assert_int_equal(tulle_tensor_file_check(reader, &here, 1, NULL), TULLE_OK);
    assert_int_equal(tulle_tensor_file_read(reader, &here, 1, NULL), TULLE_OK);
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL), TULLE_OK);
    assert_memory_equal(found, numbers, sizeof numbers);
    free(file.data);
    free(bytes.data);
}

/* Bytes of another kind have no reader; and nothing is read behind the last byte, not even where
 * nobody checked that there are so many. */
static void test_memory_is_refused(void **state)
{
    (void)state;
    static const struct tensor_file other = {"tulle-tests", "test", 3, 10000};
    float numbers[MANY] = {0};
    const struct tensor tensor = many(numbers);
    struct tensor_reader *reader = (struct tensor_reader *)&numbers;
    struct tulle_error error;
    struct bytes bytes = bytes_of_many(numbers);
    assert_int_equal(tulle_tensor_bytes_open(&other, bytes.data, bytes.size, &reader, &error),
                     TULLE_ERROR_FORMAT);
    assert_null(reader);
    assert_string_equal(error.message, "not a Tulle test");
    assert_int_equal(tulle_tensor_bytes_open(&kind, bytes.data, bytes.size, &reader, NULL),
                     TULLE_OK);
    assert_int_equal(tulle_tensor_file_read(reader, &tensor, 1, NULL), TULLE_OK);
    assert_int_equal(tulle_tensor_file_read(reader, &tensor, 1, &error), TULLE_ERROR_FORMAT);
    assert_string_equal(error.message, "cut short");
    assert_int_equal(tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL), TULLE_OK);
    free(bytes.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),      TEST(test_bytes),
        TEST(test_kinds),           TEST(test_other_tensors),
        TEST(test_damage),          TEST(test_keep),
        TEST(test_header_too_long), TEST(test_too_large),
        TEST(test_shortened),       TEST(test_header_length),
        TEST(test_opening),         TEST(test_rest),
        TEST(test_memory),          TEST(test_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no such files */
}

#endif
