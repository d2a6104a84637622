/* test_streams.c - output to what is no file: a device, a pipe, standard output. */
#include "../lib/base/portability.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "written_text.h"

static void test_full_device(void **state)
{
    (void)state;
    struct stat status;
    if (stat("/dev/full", &status) != 0)
        skip();
    struct tulle_error error;
    assert_int_equal(write_text("/dev/full", "x", &error), TULLE_ERROR_IO);
    assert_string_equal(error.file, "/dev/full");
    assert_string_equal(error.message, "cannot write: No space left on device");
    assert_int_equal(stat("/dev/full", &status), 0);
    assert_true(S_ISCHR(status.st_mode));

    /* Beyond the buffer, the error comes back from a write; it does not go away by writing on. */
    static const char block[100000];
    struct file_writer *writer;
    assert_int_equal(tulle_file_writer_open("/dev/full", &writer, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_write(writer, block, sizeof block, NULL), TULLE_ERROR_IO);
    assert_int_equal(tulle_file_writer_write(writer, "x", 1, NULL), TULLE_ERROR_IO);
    assert_int_equal(tulle_file_writer_write(writer, block, sizeof block, NULL), TULLE_ERROR_IO);
    assert_int_equal(tulle_file_writer_commit(writer, &error), TULLE_ERROR_IO);
    assert_int_equal(write_text("/dev/null", "x", NULL), TULLE_OK);
}

/* Standard output, redirected to a file that has something in it already, is not started anew. */
static void test_standard_output(void **state)
{
    (void)state;
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int file = open(in_folder("out"), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(saved >= 0 && file >= 0);
    assert_int_equal(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    close(file);
    enum tulle_status first = write_text("-", "one ", NULL);
    enum tulle_status second = write_text("/dev/stdout", "two ", NULL);
    enum tulle_status third = write_text("-", "three", NULL);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(first, TULLE_OK);
    assert_int_equal(second, TULLE_OK);
    assert_int_equal(third, TULLE_OK);
    assert_holds(in_folder("out"), "one two three");
}

static void *drain(void *path)
{
    static char text[16];
    FILE *pipe = fopen(path, "r");
    if (pipe) {
        text[fread(text, 1, sizeof text - 1, pipe)] = '\0';
        fclose(pipe);
    }
    return text;
}

static void test_pipe(void **state)
{
    (void)state;
    char path[512];
    strcpy(path, in_folder("pipe"));
    assert_int_equal(mkfifo(path, 0666), 0);
    pthread_t reader;
    assert_int_equal(pthread_create(&reader, NULL, drain, path), 0);
    assert_int_equal(write_text(path, "through", NULL), TULLE_OK);
    void *text;
    assert_int_equal(pthread_join(reader, &text), 0);
    assert_string_equal(text, "through");
    assert_int_equal(entry_count(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
        TEST(test_full_device),
        TEST(test_pipe),
        TEST(test_standard_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
