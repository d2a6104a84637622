/* file_io.c - the table of system calls on files, and calling through it. */
#include "portability.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "file_io.h"

static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

static int system_duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int system_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

struct file_io tulle_file_io = {
    .open = system_open,
    .read = read,
    .pread = pread,
    .write = write,
    .fsync = fsync,
    .close = close,
    .duplicate = system_duplicate,
    .lock = system_lock,
    .stat = stat,
    .fstat = fstat,
    .fchmod = fchmod,
    .access = access,
    .readlink = readlink,
    .rename = rename,
    .link = link,
    .unlink = unlink,
};

#define RETURN_WHEN_DONE(type, call)                                                               \
    type result;                                                                                   \
    do                                                                                             \
        result = tulle_file_io.call;                                                               \
    while (result < 0 && errno == EINTR);                                                          \
    return result

int tulle_io_open(const char *path, int flags, mode_t mode)
{
    RETURN_WHEN_DONE(int, open(path, flags, mode));
}

ssize_t tulle_io_read(int fd, void *to, size_t size)
{
    RETURN_WHEN_DONE(ssize_t, read(fd, to, size));
}

ssize_t tulle_io_pread(int fd, void *to, size_t size, off_t offset)
{
    RETURN_WHEN_DONE(ssize_t, pread(fd, to, size, offset));
}

ssize_t tulle_io_write(int fd, const void *from, size_t size)
{
    RETURN_WHEN_DONE(ssize_t, write(fd, from, size));
}

int tulle_io_fsync(int fd)
{
    RETURN_WHEN_DONE(int, fsync(fd));
}

int tulle_io_duplicate(int fd)
{
    RETURN_WHEN_DONE(int, duplicate(fd));
}

int tulle_io_lock(int fd)
{
    RETURN_WHEN_DONE(int, lock(fd));
}

int tulle_io_stat(const char *path, struct stat *status)
{
    RETURN_WHEN_DONE(int, stat(path, status));
}

int tulle_io_fstat(int fd, struct stat *status)
{
    RETURN_WHEN_DONE(int, fstat(fd, status));
}

int tulle_io_fchmod(int fd, mode_t mode)
{
    RETURN_WHEN_DONE(int, fchmod(fd, mode));
}

int tulle_io_access(const char *path, int mode)
{
    RETURN_WHEN_DONE(int, access(path, mode));
}

ssize_t tulle_io_readlink(const char *path, char *to, size_t size)
{
    RETURN_WHEN_DONE(ssize_t, readlink(path, to, size));
}

int tulle_io_rename(const char *from, const char *to)
{
    RETURN_WHEN_DONE(int, rename(from, to));
}

int tulle_io_link(const char *from, const char *to)
{
    RETURN_WHEN_DONE(int, link(from, to));
}

int tulle_io_unlink(const char *path)
{
    RETURN_WHEN_DONE(int, unlink(path));
}

int tulle_io_close(int fd)
{
    int result = tulle_file_io.close(fd);
    return result < 0 && errno == EINTR ? 0 : result;
}
