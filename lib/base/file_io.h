/*
 * file_io.h - every system call on files that the library makes for its caller, through one table,
 * so that tests can make each of them fail.
 */
#ifndef TULLE_FILE_IO_H
#define TULLE_FILE_IO_H

#include <sys/stat.h>
#include <sys/types.h>

/* As the functions of those names. */
struct file_io {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*read)(int fd, void *to, size_t size);
    ssize_t (*pread)(int fd, void *to, size_t size, off_t offset);
    ssize_t (*write)(int fd, const void *from, size_t size);
    int (*fsync)(int fd);
    int (*close)(int fd);
    int (*duplicate)(int fd); /* fcntl(fd, F_DUPFD_CLOEXEC, 0) */
    int (*lock)(int fd);      /* flock(fd, LOCK_EX | LOCK_NB) */
    int (*stat)(const char *path, struct stat *status);
    int (*fstat)(int fd, struct stat *status);
    int (*fchmod)(int fd, mode_t mode);
    int (*access)(const char *path, int mode);
    ssize_t (*readlink)(const char *path, char *to, size_t size);
    int (*rename)(const char *from, const char *to);
    int (*link)(const char *from, const char *to);
    int (*unlink)(const char *path);
};

/* The system's own; only tests put others in their place. */
extern struct file_io tulle_file_io;

/* Each makes its call, again where a signal interrupted it: some file systems let any call be. */
int tulle_io_open(const char *path, int flags, mode_t mode);
ssize_t tulle_io_read(int fd, void *to, size_t size);
ssize_t tulle_io_pread(int fd, void *to, size_t size, off_t offset);
ssize_t tulle_io_write(int fd, const void *from, size_t size);
int tulle_io_fsync(int fd);
int tulle_io_duplicate(int fd);
int tulle_io_lock(int fd);
int tulle_io_stat(const char *path, struct stat *status);
int tulle_io_fstat(int fd, struct stat *status);
int tulle_io_fchmod(int fd, mode_t mode);
int tulle_io_access(const char *path, int mode);
ssize_t tulle_io_readlink(const char *path, char *to, size_t size);
int tulle_io_rename(const char *from, const char *to);
int tulle_io_link(const char *from, const char *to);
int tulle_io_unlink(const char *path);

/* But this one never again: the descriptor is gone, and another thread's may have its number. */
int tulle_io_close(int fd);

#endif
