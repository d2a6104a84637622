/* test_file_writer.c - output appears whole or not at all, wherever the path leads. */
#include "../lib/base/portability.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "written_text.h"

static void test_new_file(void **state)
{
    (void)state;
    mode_t mask = umask(027);
    assert_int_equal(write_text(in_folder("new"), "hello", NULL), TULLE_OK);
    umask(mask);
    assert_holds(in_folder("new"), "hello");
    struct stat status;
    assert_int_equal(stat(in_folder("new"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(entry_count(), 1);
}

static void test_old_file_until_commit(void **state)
{
    (void)state;
    const char *path = in_folder("file");
    put(path, "old");
    assert_int_equal(chmod(path, 0604), 0);
    struct file_writer *writer;
    mode_t mask = umask(077); /* is for new files */
    assert_int_equal(tulle_file_writer_open(path, &writer, NULL), TULLE_OK);
    umask(mask);
    assert_int_equal(tulle_file_writer_write(writer, "new", 3, NULL), TULLE_OK);
    assert_int_equal(entry_count(), 2);
    assert_holds(path, "old");
    assert_int_equal(tulle_file_writer_commit(writer, NULL), TULLE_OK);
    assert_holds(path, "new");
    assert_int_equal(entry_count(), 1);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0604);
}

static mode_t made_with;

static int note_mode(const char *path, int flags, mode_t mode)
{
    made_with = (flags & O_CREAT) ? mode : made_with;
    return open(path, flags, mode);
}

/* What takes a private file's place is private from the first moment. */
static void test_private_file(void **state)
{
    (void)state;
    const char *path = in_folder("file");
    put(path, "old");
    assert_int_equal(chmod(path, 0600), 0);
    struct file_io io = tulle_file_io;
    tulle_file_io.open = note_mode;
    enum tulle_status status = write_text(path, "new", NULL);
    tulle_file_io = io;
    assert_int_equal(status, TULLE_OK);
    assert_int_equal(made_with, 0600);
}

static char made[4096]; /* the last file that was */
static int made_fd = -1;

/* No program that the caller starts gets a descriptor, no terminal becomes the caller's own, and
 * nothing that is there is taken for a new file. */
static int check_flags(const char *path, int flags, mode_t mode)
{
    int is_folder = (flags & O_DIRECTORY) != 0, is_new = (flags & O_CREAT) != 0;
    assert_true(flags & O_CLOEXEC);
    assert_int_equal(flags & O_ACCMODE, is_folder ? O_RDONLY : O_WRONLY);
    assert_true(is_folder || (is_new ? flags & O_EXCL : flags & O_NOCTTY));
    assert_int_equal(mode, is_new ? 0666 : 0);
    int fd = open(path, flags, mode);
    if (is_new && fd >= 0) {
        snprintf(made, sizeof made, "%s", path);
        made_fd = fd;
    }
    return fd;
}

/* Of what another writer left, neither a link nor a pipe is waited for. */
static int check_leftover(const char *path, int flags, mode_t mode)
{
    if (!(flags & (O_CREAT | O_DIRECTORY))) {
        assert_true(flags & O_NOFOLLOW);
        assert_true(flags & O_NONBLOCK);
    }
    return check_flags(path, flags, mode);
}

static void test_flags(void **state)
{
    (void)state;
    struct file_io io = tulle_file_io;
    struct stat status;
    struct file_writer *writer;
    mode_t mask = umask(0);
    tulle_file_io.open = check_leftover;
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
    tulle_file_writer_abort(writer);
    put(made, "left by a writer that was killed");
    assert_int_equal(write_text(in_folder("file"), "new", NULL), TULLE_OK);
    tulle_file_io.open = check_flags;
    assert_int_equal(write_text("/dev/null", "text", NULL), TULLE_OK);
    tulle_file_io = io;
    umask(mask);
    assert_holds(in_folder("file"), "new");
    assert_int_equal(stat(in_folder("file"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0666);
    assert_int_equal(entry_count(), 1);
}

/* Where standard input is closed a file gets its number; and what fails to open closes none. */
static void test_descriptor_0(void **state)
{
    (void)state;
    struct file_io io = tulle_file_io;
    int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    tulle_file_io.open = check_flags;
    close(STDIN_FILENO);
    enum tulle_status status = write_text(in_folder("file"), "new", NULL);
    int found = made_fd;
    errno = EIO; /* of an earlier call */
    enum tulle_status direct = write_text("/dev/null", "new", NULL);
    close(STDIN_FILENO); /* a writer that forgot to */
    int device = open("/dev/null", O_RDONLY);
    enum tulle_status failed = write_text(in_folder("none/file"), "x", NULL);
    int is_open = fcntl(STDIN_FILENO, F_GETFD) >= 0;
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
    tulle_file_io = io;
    assert_int_equal(status, TULLE_OK);
    assert_int_equal(found, STDIN_FILENO);
    assert_int_equal(direct, TULLE_OK);
    assert_int_equal(device, STDIN_FILENO);
    assert_int_equal(failed, TULLE_ERROR_IO);
    assert_true(is_open);
    assert_holds(in_folder("file"), "new");
}

static void test_abort(void **state)
{
    (void)state;
    put(in_folder("file"), "old");
    struct file_writer *writer;
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_write(writer, "new", 3, NULL), TULLE_OK);
    tulle_file_writer_abort(writer);
    assert_holds(in_folder("file"), "old");
    assert_int_equal(tulle_file_writer_open(in_folder("other"), &writer, NULL), TULLE_OK);
    tulle_file_writer_abort(writer);
    tulle_file_writer_abort(NULL);
    assert_int_equal(entry_count(), 1);
}

/* Pieces of every size around that of the buffer, so that they cross its end in every way. */
static void test_pieces(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 65535, 1, 65536, 3, 65537, 0, 65535, 200000, 2, 65536};
    unsigned char *piece = malloc(200000);
    assert_non_null(piece);
    struct file_writer *writer;
    assert_int_equal(tulle_file_writer_open(in_folder("big"), &writer, NULL), TULLE_OK);
    size_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            piece[k] = (unsigned char)((total + k) % 251);
        assert_int_equal(tulle_file_writer_write(writer, piece, sizes[i], NULL), TULLE_OK);
        total += sizes[i];
    }
    assert_int_equal(tulle_file_writer_write(writer, NULL, 0, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_commit(writer, NULL), TULLE_OK);
    free(piece);
    struct bytes found = get_bytes(in_folder("big"));
    assert_int_equal(found.size, total);
    for (size_t k = 0; k < total; k++)
        if (found.data[k] != k % 251)
            fail_msg("byte %zu differs", k);
    free(found.data);
}

/* A limit on the size of files stands in for a disk that fills up. */
static void test_failure_keeps_the_old_file(void **state)
{
    (void)state;
    put(in_folder("file"), "old");
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 1000;
    signal(SIGXFSZ, SIG_IGN);
    static const char block[5000];
    struct file_writer *writer;
    struct tulle_error error;
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_write(writer, block, sizeof block, NULL), TULLE_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum tulle_status status = tulle_file_writer_commit(writer, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_string_equal(error.file, in_folder("file"));
    assert_non_null(strstr(error.message, strerror(EFBIG)));
    assert_holds(in_folder("file"), "old");
    assert_int_equal(entry_count(), 1);
}

static int failing_close(int fd)
{
    close(fd);
    errno = EDQUOT;
    return -1;
}

/* Some file systems say only then that there was no room. */
static void test_failing_close(void **state)
{
    (void)state;
    struct tulle_error error;
    put(in_folder("file"), "old");
    tulle_file_io.close = failing_close;
    enum tulle_status status = write_text(in_folder("file"), "new", &error);
    tulle_file_io.close = close;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, strerror(EDQUOT)));
    assert_holds(in_folder("file"), "old");
    assert_int_equal(entry_count(), 1);
}

static struct file_io file_system;
static int sync_errnum;

static int failing_fsync(int fd)
{
    (void)fd;
    errno = sync_errnum;
    return -1;
}

/* What has no disk behind it, such as a pipe or a file system in memory, cannot be synced. */
static void test_nothing_to_sync(void **state)
{
    static const int errnums[] = {EINVAL, ENOTSUP, EOPNOTSUPP, EROFS, EIO};
    (void)state;
    file_system = tulle_file_io;
    for (size_t i = 0; i < sizeof errnums / sizeof *errnums; i++) {
        put(in_folder("file"), "old");
        sync_errnum = errnums[i];
        tulle_file_io.fsync = failing_fsync;
        enum tulle_status status = write_text(in_folder("file"), "new", NULL);
        tulle_file_io = file_system;
        assert_int_equal(status, sync_errnum == EIO ? TULLE_ERROR_IO : TULLE_OK);
        assert_holds(in_folder("file"), sync_errnum == EIO ? "old" : "new");
        assert_int_equal(entry_count(), 1);
    }
}

static int no_fchmod(int fd, mode_t mode)
{
    (void)fd, (void)mode;
    errno = EPERM;
    return -1;
}

/* A file that others may read does not become one that they may not. */
static void test_mode_not_kept(void **state)
{
    (void)state;
    put(in_folder("file"), "old");
    file_system = tulle_file_io;
    tulle_file_io.fchmod = no_fchmod;
    assert_old_stays(&file_system, EPERM);
}

static size_t taken;

static ssize_t take_at_most_1_gib(int fd, const void *from, size_t size)
{
    (void)fd, (void)from;
    if (size > (size_t)1 << 30) {
        errno = EINVAL; /* as macOS from twice that on */
        return -1;
    }
    taken += size;
    return (ssize_t)size;
}

static void test_large_piece(void **state)
{
    const size_t size = ((size_t)1 << 30) + 1;
    struct file_writer *writer;
    (void)state;
    void *piece = calloc(size, 1); /* never touched */
    assert_non_null(piece);
    taken = 0;
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
    file_system = tulle_file_io;
    tulle_file_io.write = take_at_most_1_gib;
    enum tulle_status status = tulle_file_writer_write(writer, piece, size, NULL);
    tulle_file_io = file_system;
    tulle_file_writer_abort(writer);
    free(piece);
    assert_int_equal(status, TULLE_OK);
    assert_int_equal(taken, size);
}

static ssize_t write_nothing(int fd, const void *from, size_t size)
{
    (void)fd, (void)from, (void)size;
    return 0;
}

static int open_errnum;

static int open_nothing(const char *path, int flags, mode_t mode)
{
    (void)path, (void)flags, (void)mode;
    errno = open_errnum;
    return -1;
}

static int stat_no_folder(const char *path, struct stat *status)
{
    if (path[strlen(path) - 1] != '.')
        return file_system.stat(path, status);
    errno = EACCES;
    return -1;
}

/* Answers that systems seldom give. */
static void test_odd_answers(void **state)
{
    struct tulle_error error;
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.write = write_nothing; /* which would be written for ever */
    enum tulle_status status = write_text(in_folder("file"), "new", &error);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, strerror(EIO)));
    assert_int_equal(entry_count(), 0);

    tulle_file_io.write = write_nothing;
    status = write_text("-", "new", &error);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_string_equal(error.file, "standard output");

    static const int errnums[] = {EPERM, ENOENT}; /* of a device that is there, or was */
    for (int i = 0; i < 2; i++) {
        open_errnum = errnums[i];
        tulle_file_io.open = open_nothing;
        status = write_text("/dev/null", "new", &error);
        tulle_file_io = file_system;
        assert_int_equal(status, TULLE_ERROR_IO);
        assert_non_null(strstr(error.message, strerror(errnums[i])));
    }

    tulle_file_io.stat = stat_no_folder; /* a folder that is not known to be missing */
    status = write_text(in_folder("no/file"), "new", &error);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_string_equal(error.message, "cannot write: No such file or directory");
}

static int folder_errnum;

static int open_no_folder(const char *path, int flags, mode_t mode)
{
    errno = folder_errnum;
    return flags & O_DIRECTORY ? -1 : file_system.open(path, flags, mode);
}

/* That the new name may not outlive a power failure is said, but where it cannot be helped. */
static void test_folder_not_synced(void **state)
{
    static const int errnums[] = {EMFILE, EIO, EACCES};
    (void)state;
    file_system = tulle_file_io;
    for (size_t i = 0; i < sizeof errnums / sizeof *errnums; i++) {
        struct tulle_error error;
        put(in_folder("file"), "old");
        folder_errnum = errnums[i];
        tulle_file_io.open = open_no_folder;
        enum tulle_status status = write_text(in_folder("file"), "new", &error);
        tulle_file_io = file_system;
        assert_int_equal(status, errnums[i] == EACCES ? TULLE_OK : TULLE_ERROR_IO);
        if (status != TULLE_OK)
            assert_non_null(strstr(error.message, "written, but cannot sync its folder: "));
        assert_holds(in_folder("file"), "new");
        assert_int_equal(entry_count(), 1);
    }
}

static int fsync_no_folder(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    errno = EIO;
    return S_ISDIR(status.st_mode) ? -1 : file_system.fsync(fd);
}

static void test_folder_sync_fails(void **state)
{
    struct tulle_error error;
    (void)state;
    file_system = tulle_file_io;
    tulle_file_io.fsync = fsync_no_folder;
    enum tulle_status status = write_text(in_folder("file"), "new", &error);
    tulle_file_io = file_system;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, "written, but cannot sync its folder: "));
    assert_non_null(strstr(error.message, strerror(EIO)));
    assert_holds(in_folder("file"), "new");
}

static void test_kept_as_said_last(void **state)
{
    struct file_writer *writer;
    (void)state;
    put(in_folder("file"), "old");
    assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_keep(writer, in_folder("first"), NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_keep(writer, in_folder("last"), NULL), TULLE_OK);
    assert_int_equal(tulle_file_writer_commit(writer, NULL), TULLE_OK);
    assert_holds(in_folder("last"), "old");
    assert_int_equal(entry_count(), 2);
}

static int renamings;

static int rename_nothing(const char *from, const char *to)
{
    (void)from, (void)to;
    renamings++;
    errno = EIO;
    return -1;
}

/* Where there was no old file to keep none is put back; what was kept before is no concern. */
static void test_nothing_to_put_back(void **state)
{
    struct file_writer *writer;
    (void)state;
    put(in_folder("kept"), "older");
    file_system = tulle_file_io;
    for (int keeps = 0; keeps < 2; keeps++) {
        assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
        if (keeps)
            assert_int_equal(tulle_file_writer_keep(writer, in_folder("kept"), NULL), TULLE_OK);
        renamings = 0;
        tulle_file_io.rename = rename_nothing;
        enum tulle_status status = tulle_file_writer_commit(writer, NULL);
        tulle_file_io = file_system;
        assert_int_equal(status, TULLE_ERROR_IO);
        assert_int_equal(renamings, 1);
        assert_int_equal(entry_count(), 1);
    }
}

static int access_nothing(const char *path, int mode)
{
    errno = EIO;
    return mode == F_OK ? -1 : file_system.access(path, mode);
}

/* Nothing takes the place of an old file that cannot be kept: it cannot be looked at, as the first
 * time here, or nothing can have the name. */
static void test_old_file_not_kept(void **state)
{
    static const char *const names[] = {"kept", "folder", "no/folder"};
    static const int reasons[] = {EIO, EISDIR, ENOENT};
    (void)state;
    put(in_folder("file"), "old");
    assert_int_equal(mkdir(in_folder("folder"), 0777), 0);
    file_system = tulle_file_io;
    for (int i = 0; i < 3; i++) {
        struct file_writer *writer;
        struct tulle_error error;
        assert_int_equal(tulle_file_writer_open(in_folder("file"), &writer, NULL), TULLE_OK);
        assert_int_equal(tulle_file_writer_keep(writer, in_folder(names[i]), NULL), TULLE_OK);
        tulle_file_io.access = i == 0 ? access_nothing : file_system.access;
        enum tulle_status status = tulle_file_writer_commit(writer, &error);
        tulle_file_io = file_system;
        assert_int_equal(status, TULLE_ERROR_IO);
        assert_non_null(strstr(error.message, "cannot keep the file that is there: "));
        assert_non_null(strstr(error.message, strerror(reasons[i])));
        assert_holds(in_folder("file"), "old");
        assert_int_equal(entry_count(), 2);
    }
}

static void test_unusable_paths(void **state)
{
    (void)state;
    put(in_folder("file"), "old");
    assert_int_equal(mkdir(in_folder("sub"), 0777), 0);
    char long_name[400];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const struct {
        const char *path, *message;
    } cases[] = {
        {"", "cannot write: No such file or directory"},
        {in_folder("."), "cannot write: Is a directory"},
        {in_folder("sub"), "cannot write: Is a directory"},
        {in_folder("file/under"), "cannot write: Not a directory"},
        {"/no-such-folder/file", "cannot write: there is no folder '/no-such-folder/'"},
        {"no-such-folder/", "cannot write: there is no folder 'no-such-folder/'"},
        {in_folder("sub/"), "cannot write: Is a directory"},
        {long_name, "cannot write: File name too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tulle_error error;
        assert_int_equal(write_text(cases[i].path, "x", &error), TULLE_ERROR_IO);
        assert_int_equal(error.code, TULLE_ERROR_IO);
        assert_string_equal(error.file, cases[i].path);
        assert_string_equal(error.message, cases[i].message);
        assert_true(error.line == 0 && error.column == 0);
    }
    assert_int_equal(entry_count(), 2);
}

/* A folder that is there, but takes no new files, is not said to be missing. */
static void test_folder_without_files(void **state)
{
    (void)state;
    struct stat status;
    if (stat("/proc/self", &status) != 0)
        skip();
    struct tulle_error error;
    assert_int_equal(write_text("/proc/no-such-file", "x", &error), TULLE_ERROR_IO);
    assert_null(strstr(error.message, "no folder"));
}

static void test_longest_name(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    assert_int_equal(write_text(in_folder(name), "fits", NULL), TULLE_OK);
    assert_holds(in_folder(name), "fits");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
        TEST(test_new_file),
        TEST(test_old_file_until_commit),
        TEST(test_private_file),
        TEST(test_flags),
        TEST(test_descriptor_0),
        TEST(test_abort),
        TEST(test_pieces),
        TEST(test_unusable_paths),
        TEST(test_folder_without_files),
        TEST(test_failure_keeps_the_old_file),
        TEST(test_failing_close),
        TEST(test_nothing_to_sync),
        TEST(test_mode_not_kept),
        TEST(test_large_piece),
        TEST(test_odd_answers),
        TEST(test_folder_not_synced),
        TEST(test_folder_sync_fails),
        TEST(test_kept_as_said_last),
        TEST(test_nothing_to_put_back),
        TEST(test_old_file_not_kept),
        TEST(test_longest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
