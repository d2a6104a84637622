/* test_links.c - a file is written where the links lead, which stay. */
#include "../lib/base/portability.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "../lib/base/memory.h"
#include "written_text.h"

static void test_links(void **state)
{
    (void)state;
    put(in_folder("target"), "old");
    assert_int_equal(symlink("target", in_folder("link")), 0);
    assert_int_equal(symlink(in_folder("link"), in_folder("link to link")), 0);
    assert_int_equal(symlink("not yet", in_folder("dangling")), 0);
    assert_int_equal(symlink("loop", in_folder("loop")), 0);
    assert_int_equal(symlink("nowhere/file", in_folder("astray")), 0);

    assert_int_equal(write_text(in_folder("link to link"), "new", NULL), TULLE_OK);
    assert_int_equal(write_text(in_folder("dangling"), "made", NULL), TULLE_OK);
    assert_int_equal(write_text(in_folder("loop"), "x", NULL), TULLE_ERROR_IO);
    struct tulle_error error;
    assert_int_equal(write_text(in_folder("astray"), "x", &error), TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, "no folder"));
    assert_non_null(strstr(error.message, "/nowhere/'"));
    assert_holds(in_folder("target"), "new");
    assert_holds(in_folder("not yet"), "made");
    const char *const links[] = {"link", "link to link", "dangling"};
    for (int i = 0; i < 3; i++) {
        struct stat status;
        assert_int_equal(lstat(in_folder(links[i]), &status), 0);
        assert_true(S_ISLNK(status.st_mode));
    }
    assert_int_equal(entry_count(), 7);
}

/* As many as Linux follows, and one more. */
static void test_many_links(void **state)
{
    (void)state;
    char name[16], target[16] = "file";
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "link%d", i);
        assert_int_equal(symlink(target, in_folder(name)), 0);
        memcpy(target, name, sizeof name);
    }
    char *path = tulle_resolve_links(in_folder("link40"));
    assert_non_null(path);
    assert_string_equal(path, in_folder("file"));
    tulle_free(path);
    errno = 0;
    assert_null(tulle_resolve_links(in_folder("link41")));
    assert_int_equal(errno, ELOOP);
}

static struct file_io file_system;

static ssize_t read_nothing(const char *path, char *to, size_t size)
{
    (void)path, (void)to, (void)size;
    tulle_file_io.readlink = file_system.readlink;
    errno = EINVAL; /* of an earlier call */
    return 0;
}

/* Some systems have links to "": such a one leads to its own folder. */
static void test_empty_link(void **state)
{
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.readlink = read_nothing;
    char *path = tulle_resolve_links(in_folder("link"));
    tulle_file_io = file_system;
    assert_non_null(path);
    assert_string_equal(path, in_folder(""));
    tulle_free(path);
}

static ssize_t fill(const char *path, char *to, size_t size)
{
    (void)path;
    tulle_file_io.readlink = file_system.readlink;
    memset(to, 'n', size);
    return (ssize_t)size;
}

/* A link as long as there is room for is no more than the system takes as a name. */
static void test_longest_link(void **state)
{
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.readlink = fill;
    errno = 0;
    char *path = tulle_resolve_links(in_folder("link"));
    tulle_file_io = file_system;
    assert_null(path);
    assert_int_equal(errno, ENAMETOOLONG);
}

static int no_link(const char *from, const char *to)
{
    (void)from, (void)to;
    errno = EPERM;
    return -1;
}

static int rename_no_temporary(const char *from, const char *to)
{
    errno = EIO;
    return strstr(from, ".tulle.tmp-") ? -1 : file_system.rename(from, to);
}

/* The old file is kept by moving it, and comes back where the new one cannot take its place. */
static void test_no_hard_links(void **state)
{
    (void)state;
    file_system = tulle_file_io;
    put(in_folder("file"), "old");
    for (int is_possible = 0; is_possible < 2; is_possible++) {
        struct file_writer *writer;
        struct tulle_error error;
        assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
        assert_int_equal(tulle_file_writer_keep(writer, in_folder("kept"), NULL), TULLE_OK);
        tulle_file_io.link = no_link;
        tulle_file_io.rename = is_possible ? file_system.rename : rename_no_temporary;
        enum tulle_status status = tulle_file_writer_commit(writer, &error);
        tulle_file_io = file_system;
        assert_int_equal(status, is_possible ? TULLE_OK : TULLE_ERROR_IO);
        assert_true(is_possible || strstr(error.message, strerror(EIO)));
        assert_holds(in_folder(is_possible ? "kept" : "file"), "old");
        assert_int_equal(entry_count(), 1 + is_possible);
    }
}

static char *watched;

static int rename_beside_a_file(const char *from, const char *to)
{
    assert_int_equal(file_system.access(watched, F_OK), 0);
    return file_system.rename(from, to);
}

/* Where there are, the old file has both names until the new one takes its own. */
static void test_never_without_a_file(void **state)
{
    struct file_writer *writer;
    char path[512];
    (void)state;
    file_system = tulle_file_io;
    watched = strcpy(path, in_folder("file"));
    put(watched, "old");
    assert_int_equal(tulle_file_writer_open(watched, &writer, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_keep(writer, in_folder("kept"), NULL), TULLE_OK);
    struct stat before, kept;
    assert_int_equal(stat(watched, &before), 0);
    tulle_file_io.rename = rename_beside_a_file;
    enum tulle_status status = tulle_file_writer_commit(writer, NULL);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_OK);
    assert_int_equal(stat(in_folder("kept"), &kept), 0);
    assert_true(kept.st_ino == before.st_ino);
    assert_holds(in_folder("kept"), "old");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
        TEST(test_links),        TEST(test_many_links),    TEST(test_empty_link),
        TEST(test_longest_link), TEST(test_no_hard_links), TEST(test_never_without_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
