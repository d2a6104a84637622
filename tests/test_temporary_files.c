/* test_temporary_files.c - what a killed process left is removed, and what a living one writes is
 * not, however many write the same file. */
#include "../lib/base/portability.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "written_text.h"

/* --- Processes ------------------------------------------------------------------------------- */

enum { LONGEST_LIFE = 100 }; /* of a child, in seconds, should its parent fail */

/* A child process that begins to write, says so, and waits to be killed. */
static pid_t begin_in_child(const char *path)
{
    int said[2];
    char byte;
    assert_int_equal(pipe(said), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct file_writer *writer;
        alarm(LONGEST_LIFE);
        if (tulle_file_writer_open(path, &writer, NULL) != TULLE_OK ||
            tulle_file_writer_write(writer, "half", 4, NULL) != TULLE_OK ||
            write(said[1], "", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(said[1]);
    assert_int_equal(read(said[0], &byte, 1), 1);
    close(said[0]);
    return child;
}

/* The name of the folder's temporary file. */
static void find_temporary(char name[300])
{
    DIR *folder = opendir(in_folder(""));
    assert_non_null(folder);
    name[0] = '\0';
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strncmp(entry->d_name, ".tulle.tmp-", 11) == 0)
            snprintf(name, 300, "%s", entry->d_name);
    closedir(folder);
    assert_true(name[0] != '\0');
}

static void kill_child(pid_t child)
{
    int status;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* What killed processes left, and nothing of those that live, the next writer of the file removes.
 */
static void test_leftovers(void **state)
{
    (void)state;
    pid_t first = begin_in_child(in_folder("file")), second = begin_in_child(in_folder("file"));
    assert_int_equal(entry_count(), 2);
    kill_child(first);
    assert_int_equal(entry_count(), 2);
    assert_int_equal(write_text(in_folder("file"), "new", NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2); /* the file, and the second's */
    kill_child(second);
    struct file_writer *one, *two;
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &one, NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2); /* the file, and our own */
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &two, NULL), TULLE_OK);
    assert_int_equal(entry_count(), 3); /* the file, and two of our own */
    assert_int_equal(tulle_file_writer_write(one, "one", 3, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_write(two, "two", 3, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_commit(one, NULL), TULLE_OK);
    assert_holds(in_folder("file"), "one");
    assert_int_equal(tulle_file_writer_commit(two, NULL), TULLE_OK);
    assert_holds(in_folder("file"), "two");
    assert_int_equal(entry_count(), 1);
}

/* The writer of another file does not look for them. */
static void test_leftover_of_others(void **state)
{
    (void)state;
    kill_child(begin_in_child(in_folder("file")));
    assert_int_equal(write_text(in_folder("other"), "new", NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2);
    assert_int_equal(write_text(in_folder("file"), "new", NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2);
}

/* Where standard input is closed the leftover gets its number, and is removed all the same. */
static void test_leftover_at_descriptor_0(void **state)
{
    (void)state;
    kill_child(begin_in_child(in_folder("file")));
    int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    close(STDIN_FILENO);
    enum tulle_status status = write_text(in_folder("file"), "new", NULL);
    int is_open = fcntl(STDIN_FILENO, F_GETFD) >= 0;
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
    assert_int_equal(status, TULLE_OK);
    assert_false(is_open);
    assert_holds(in_folder("file"), "new");
    assert_int_equal(entry_count(), 1);
}

static int no_fsync(int fd)
{
    (void)fd;
    return 0;
}

enum { WRITERS = 3, LETTERS = 3000 };

static pid_t write_for_ever(char letter)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    char text[LETTERS + 1];
    alarm(LONGEST_LIFE);
    memset(text, letter, LETTERS);
    text[LETTERS] = '\0';
    tulle_file_io.fsync = no_fsync;
    while (write_text(in_folder("file"), text, NULL) == TULLE_OK)
        ;
    _exit(1);
}

/* Processes that write one file at the same time, and are killed, never take each other's temporary
 * files for leftovers. */
static void test_many_writers(void **state)
{
    (void)state;
    for (int round = 0; round < 15; round++) {
        const struct timespec moment = {0, 1000000 * round};
        pid_t children[WRITERS];
        for (int i = 0; i < WRITERS; i++)
            children[i] = write_for_ever((char)('a' + i));
        nanosleep(&moment, NULL);
        for (int i = 0; i < WRITERS; i++)
            kill_child(children[i]); /* that has not ended by itself */
        if (access(in_folder("file"), F_OK) != 0)
            continue;
        struct bytes bytes = get_bytes(in_folder("file"));
        assert_int_equal(bytes.size, LETTERS);
        for (size_t i = 1; i < bytes.size; i++)
            assert_int_equal(bytes.data[i], bytes.data[0]);
        free(bytes.data);
        assert_true(entry_count() <= 1 + 3 * WRITERS); /* however many rounds */
    }
}

/* In a folder that others may write to, the name may be anything's. */
static void test_taken_names(void **state)
{
    char path[512], name[300];
    (void)state;
    pid_t child = begin_in_child(in_folder("file"));
    find_temporary(name);
    kill_child(child);
    strcpy(path, in_folder(name));
    put(in_folder("important"), "mine");
    for (int kind = 0; kind < 4; kind++) {
        assert_int_equal(remove(path), 0);
        assert_int_equal(kind == 0   ? symlink("important", path)
                         : kind == 1 ? mkfifo(path, 0666)
                         : kind == 2 ? mkdir(path, 0777)
                                     : link(in_folder("important"), path),
                         0);
        assert_int_equal(write_text(in_folder("file"), "new", NULL), TULLE_OK);
        assert_holds(in_folder("file"), "new");
        assert_holds(in_folder("important"), "mine");
    }
    assert_int_equal(entry_count(), 2); /* the last was removed, which took a name from it only */
}

/* --- At the worst moment --------------------------------------------------------------------- */

static struct file_io file_system;
static enum { TAKEN_AND_LOCKED, TAKEN_AND_GONE, REPLACED } event;

/* The first call that locks finds that another process was faster. */
static int late_lock(int fd)
{
    char name[300];
    tulle_file_io.lock = file_system.lock;
    find_temporary(name);
    if (event == REPLACED) {
        assert_int_equal(rename(in_folder(name), in_folder("finished")), 0);
        put(in_folder(name), "another's");
    } else
        assert_int_equal(unlink(in_folder(name)), 0);
    errno = EWOULDBLOCK;
    return event == TAKEN_AND_LOCKED ? -1 : file_system.lock(fd);
}

/* Writes the file with what was put in place of calls of file_system, which then return. */
static void write_replaced(void)
{
    enum tulle_status status = write_text(in_folder("file"), "new", NULL);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_OK);
    assert_holds(in_folder("file"), "new");
}

/* The number that the next file that is opened gets. */
static int next_descriptor(void)
{
    int fd = open(in_folder("."), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void write_late(void)
{
    int next = next_descriptor();
    file_system = tulle_file_io;
    tulle_file_io.lock = late_lock;
    write_replaced();
    assert_int_equal(next_descriptor(), next);
}

/* The new temporary file was taken for a leftover before it was locked. */
static void test_taken_before_locked(void **state)
{
    (void)state;
    for (event = TAKEN_AND_LOCKED; event <= TAKEN_AND_GONE; event++) {
        write_late();
        assert_int_equal(entry_count(), 1);
    }
}

/* Another writer finished with its temporary file before that was looked at, and a third has taken
 * the name. */
static void test_finished_before_locked(void **state)
{
    char name[300];
    (void)state;
    kill_child(begin_in_child(in_folder("file")));
    find_temporary(name);
    event = REPLACED;
    write_late();
    assert_holds(in_folder(name), "another's");
    assert_int_equal(entry_count(), 3);
}

static int late_rename(const char *from, const char *to)
{
    struct file_writer *other;
    tulle_file_io.rename = file_system.rename;
    assert_int_equal(tulle_file_writer_open(to, &other, NULL), TULLE_OK);
    tulle_file_writer_abort(other);
    return file_system.rename(from, to);
}

/* Another writer comes when all is written and closed. */
static void test_locked_until_renamed(void **state)
{
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.rename = late_rename;
    write_replaced();
    assert_int_equal(entry_count(), 1);
}

static int count_no_links(int fd, struct stat *status)
{
    int result = file_system.fstat(fd, status);
    status->st_nlink = 0;
    return result;
}

/* Some file systems count no links: the new file is there all the same. */
static void test_no_link_counts(void **state)
{
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.fstat = count_no_links;
    write_replaced();
    assert_int_equal(entry_count(), 1);
}

static int stat_elsewhere(const char *path, struct stat *status)
{
    int result = file_system.stat(path, status);
    status->st_dev += strstr(path, ".tulle.tmp-") != NULL;
    return result;
}

static int fstat_later(int fd, struct stat *status)
{
    (void)fd, (void)status;
    tulle_file_io.fstat = file_system.fstat;
    errno = EIO;
    return -1;
}

/* Leftovers that are let be: a file system that was mounted meanwhile has a file of the same name
 * and number; or the file cannot be looked at. */
static void test_no_leftovers(void **state)
{
    char name[300];
    (void)state;
    kill_child(begin_in_child(in_folder("file")));
    find_temporary(name);
    file_system = tulle_file_io;
    tulle_file_io.fstat = fstat_later;
    assert_int_equal(write_text(in_folder("file"), "older", NULL), TULLE_OK);
    tulle_file_io.stat = stat_elsewhere;
    write_replaced();
    assert_holds(in_folder(name), "");
    assert_int_equal(entry_count(), 2);
}

/* Nothing is written to a new file that may have been taken for a leftover. */
static void test_new_file_not_looked_at(void **state)
{
    (void)state;
    put(in_folder("file"), "old");
    file_system = tulle_file_io;
    tulle_file_io.fstat = fstat_later;
    assert_old_stays(&file_system, EIO);
}

static int no_duplicate(int fd)
{
    (void)fd;
    errno = EMFILE;
    return -1;
}

/* Nor to one whose lock would not last. */
static void test_lock_does_not_last(void **state)
{
    (void)state;
    put(in_folder("file"), "old");
    file_system = tulle_file_io;
    tulle_file_io.duplicate = no_duplicate;
    assert_old_stays(&file_system, EMFILE);
}

static int duplicate_as_0(int fd)
{
    close(STDIN_FILENO);
    errno = EIO; /* of an earlier call */
    return file_system.duplicate(fd);
}

static void test_lock_at_descriptor_0(void **state)
{
    (void)state;
    int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    file_system = tulle_file_io;
    tulle_file_io.duplicate = duplicate_as_0;
    enum tulle_status status = write_text(in_folder("file"), "new", NULL);
    tulle_file_io = file_system;
    int is_open = fcntl(STDIN_FILENO, F_GETFD) >= 0;
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
    assert_int_equal(status, TULLE_OK);
    assert_false(is_open);
    assert_holds(in_folder("file"), "new");
}

/* Leftovers are as many as there are names for them; a file with one number more is somebody's own.
 */
static void test_most_leftovers(void **state)
{
    enum { MOST = 1000 };
    char name[300], *digits;
    (void)state;
    kill_child(begin_in_child(in_folder("file")));
    find_temporary(name);
    digits = strrchr(name, '-') + 1;
    for (int number = 1; number <= MOST; number++) {
        snprintf(digits, sizeof name - (size_t)(digits - name), "%d", number);
        put(in_folder(name), "");
    }
    assert_int_equal(entry_count(), MOST + 1);
    assert_int_equal(write_text(in_folder("file"), "new", NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2);
    assert_holds(in_folder(name), "");
}

static int taken(const char *path, int flags, mode_t mode)
{
    errno = EEXIST;
    return flags & O_CREAT ? -1 : file_system.open(path, flags, mode);
}

static void test_no_name_is_free(void **state)
{
    struct tulle_error error;
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.open = taken;
    enum tulle_status status = write_text(in_folder("file"), "new", &error);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, strerror(EEXIST)));
    assert_int_equal(entry_count(), 0);
}

static int locked_by_another(int fd)
{
    (void)fd;
    errno = EWOULDBLOCK;
    return -1;
}

static int first_descriptor;

static int close_one(int fd)
{
    assert_true(fd >= first_descriptor);
    assert_int_equal(close(fd), 0);
    return 0;
}

static void test_closed_once(void **state)
{
    (void)state;
    first_descriptor = next_descriptor();
    file_system = tulle_file_io;
    tulle_file_io.close = close_one;
    write_replaced();
    assert_int_equal(next_descriptor(), first_descriptor);
}

/* Each new file was taken for a leftover before it was locked: they are let be, and each descriptor
 * is closed once. */
static void test_all_taken_before_locked(void **state)
{
    enum { MOST = 1000 };
    struct tulle_error error;
    (void)state;
    first_descriptor = next_descriptor();
    file_system = tulle_file_io;
    tulle_file_io.lock = locked_by_another;
    tulle_file_io.close = close_one;
    enum tulle_status status = write_text(in_folder("file"), "new", &error);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, strerror(EEXIST)));
    assert_int_equal(entry_count(), MOST);
    assert_int_equal(next_descriptor(), first_descriptor);
}

/* A writer that is given up leaves neither file nor descriptor. */
static void test_given_up(void **state)
{
    struct file_writer *writer;
    (void)state;
    int next = next_descriptor();
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_write(writer, "new", 3, NULL), TULLE_OK);
    tulle_file_writer_abort(writer);
    assert_int_equal(next_descriptor(), next);
    assert_int_equal(entry_count(), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_leftovers),
        TEST(test_given_up),
        TEST(test_leftover_of_others),
        TEST(test_leftover_at_descriptor_0),
        TEST(test_many_writers),
        TEST(test_taken_names),
        TEST(test_taken_before_locked),
        TEST(test_finished_before_locked),
        TEST(test_locked_until_renamed),
        TEST(test_no_name_is_free),
        TEST(test_no_link_counts),
        TEST(test_no_leftovers),
        TEST(test_new_file_not_looked_at),
        TEST(test_lock_does_not_last),
        TEST(test_lock_at_descriptor_0),
        TEST(test_closed_once),
        TEST(test_all_taken_before_locked),
        TEST(test_most_leftovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
