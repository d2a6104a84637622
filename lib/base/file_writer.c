/* file_writer.c - output that appears whole or not at all; see file_writer.h. */
#include "portability.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_writer.h"
#include "memory.h"

#define BUFFER_SIZE 65536
#define LARGEST_WRITE ((size_t)1 << 30) /* macOS refuses one of INT_MAX bytes */
#define MOST_LINKS 40
#define MOST_TEMPORARIES 1000 /* names to try; leftovers of a killed process may hold some */

struct file_writer {
    int fd;
    int errnum; /* of the first write that failed, 0 if none did */
    int is_stdout;
    char *path;      /* as the user wrote it, or "standard output": for messages */
    char *target;    /* where the links lead; NULL when writing directly */
    char *temporary; /* NULL when writing directly */
    char *keep;      /* what the old file is to be called; NULL if it is not to be kept */
    size_t used;
    unsigned char buffer[BUFFER_SIZE];
};

/* The length of the folder's part of a path, with its last '/'; 0 if it has none. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* "FOLDER/tail", where FOLDER/ is that of path. */
static char *sibling(const char *path, const char *tail)
{
    size_t folder = folder_length(path);
    char *result = tulle_calloc(folder + strlen(tail) + 1, 1);
    if (result) {
        memcpy(result, path, folder);
        strcpy(result + folder, tail);
    }
    return result;
}

/* The file that path leads to, links followed, whether or not it exists yet. Links among its
 * folders need no following. NULL with errno set on failure. */
char *tulle_resolve_links(const char *path)
{
    char *current = tulle_strdup(path);
    for (int links = 0; current && links < MOST_LINKS; links++) {
        char link[PATH_MAX];
        ssize_t length = readlink(current, link, sizeof link - 1);
        if (length < 0)
            return current;
        link[length] = '\0';
        char *next = link[0] == '/' ? tulle_strdup(link) : sibling(current, link);
        free(current);
        current = next;
    }
    errno = current ? ELOOP : ENOMEM;
    free(current);
    return NULL;
}

/* Makes the temporary file, empty. It has a short name of its own, because the target's may be as
 * long as a name can be. Returns an errno. */
static int create_temporary(struct file_writer *writer)
{
    for (int n = 0; n < MOST_TEMPORARIES; n++) {
        char name[64];
        snprintf(name, sizeof name, ".tulle.tmp-%ld-%d", (long)getpid(), n);
        char *temporary = sibling(writer->target, name);
        if (!temporary)
            return ENOMEM;
        writer->fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->fd >= 0) {
            writer->temporary = temporary;
            return 0;
        }
        int errnum = errno;
        free(temporary);
        if (errnum != EEXIST && errnum != EINTR)
            return errnum;
    }
    return EEXIST;
}

/* `old` is the regular file at the path, NULL if there is none. Returns an errno. */
static int open_beside(struct file_writer *writer, const struct stat *old)
{
    writer->target = tulle_resolve_links(writer->path);
    if (!writer->target)
        return errno;
    if (writer->target[folder_length(writer->target)] == '\0')
        return ENOENT; /* "" or a folder that is not there */
    /* Renaming needs no permission to write to the old file; respect its absence all the same. */
    if (old && access(writer->target, W_OK) != 0)
        return errno;
    int errnum = create_temporary(writer);
    if (errnum == 0 && old && fchmod(writer->fd, old->st_mode & 0777) != 0)
        errnum = errno;
    return errnum;
}

/* A device or a pipe. Returns an errno. */
static int open_directly(struct file_writer *writer)
{
    do
        writer->fd = open(writer->path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    while (writer->fd < 0 && errno == EINTR);
    return writer->fd < 0 ? errno : 0;
}

static int open_output(struct file_writer *writer)
{
    if (writer->is_stdout) {
        writer->fd = STDOUT_FILENO;
        return 0;
    }
    struct stat status;
    if (stat(writer->path, &status) != 0)
        return errno == ENOENT ? open_beside(writer, NULL) : errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return S_ISREG(status.st_mode) ? open_beside(writer, &status) : open_directly(writer);
}

/* Whether the folder that the file is to be in is missing; the system says ENOENT also where one
 * takes no new files, as /proc. */
static int lacks_folder(const char *path)
{
    struct stat status;
    char *folder = sibling(path, ".");
    int is_missing = folder && stat(folder, &status) != 0 && errno == ENOENT;
    free(folder);
    return is_missing;
}

static enum tulle_status fail_open(const struct file_writer *writer, int errnum,
                                   struct tulle_error *error)
{
    const char *target = writer->target ? writer->target : writer->path;
    if (errnum == ENOENT && lacks_folder(target))
        return tulle_fail_at(error, TULLE_ERROR_IO, writer->path, 0, 0,
                             "cannot write: there is no folder '%.*s'", (int)folder_length(target),
                             target);
    return tulle_fail_errno(error, writer->path, "cannot write", errnum);
}

enum tulle_status tulle_file_writer_open(const char *path, struct file_writer **writer,
                                         struct tulle_error *error)
{
    *writer = NULL;
    struct file_writer *w = tulle_calloc(1, sizeof *w);
    if (!w)
        return tulle_fail_memory(error);
    w->fd = -1;
    /* /dev/stdout by its name, because opening it again would start at the beginning of the file
     * that standard output is redirected to. */
    w->is_stdout = strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
    w->path = tulle_strdup(w->is_stdout ? "standard output" : path);
    enum tulle_status status = w->path ? TULLE_OK : tulle_fail_memory(error);
    int errnum = status == TULLE_OK ? open_output(w) : 0;
    if (errnum != 0)
        status = fail_open(w, errnum, error);
    if (status == TULLE_OK)
        *writer = w;
    else
        tulle_file_writer_abort(w);
    return status;
}

/* Returns an errno. */
static int write_all(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size < LARGEST_WRITE ? size : LARGEST_WRITE);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

static void flush(struct file_writer *writer)
{
    if (writer->errnum == 0)
        writer->errnum = write_all(writer->fd, writer->buffer, writer->used);
    writer->used = 0;
}

enum tulle_status tulle_file_writer_write(struct file_writer *writer, const void *data, size_t size,
                                          struct tulle_error *error)
{
    if (size > BUFFER_SIZE - writer->used)
        flush(writer);
    if (size > BUFFER_SIZE && writer->errnum == 0)
        writer->errnum = write_all(writer->fd, data, size);
    if (writer->errnum != 0)
        return tulle_fail_errno(error, writer->path, "cannot write", writer->errnum);
    if (size > 0 && size <= BUFFER_SIZE) {
        memcpy(writer->buffer + writer->used, data, size);
        writer->used += size;
    }
    return TULLE_OK;
}

/* As fsync, returning an errno; what has no disk behind it needs no syncing. */
static int sync_fd(int fd)
{
    while (fsync(fd) != 0) {
        if (errno == EINVAL || errno == ENOTSUP || errno == EOPNOTSUPP || errno == EROFS)
            return 0;
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

/* Returns an errno. After EINTR the descriptor is gone on Linux and the data is synced anyway. */
static int close_output(struct file_writer *writer)
{
    int fd = writer->fd;
    writer->fd = -1;
    if (fd < 0 || fd == STDOUT_FILENO || close(fd) == 0 || errno == EINTR)
        return 0;
    return errno;
}

/* So that the new name, too, survives a power failure. A folder that may not be read cannot be
 * synced. Returns an errno. */
static int sync_folder(const char *path)
{
    char *folder = sibling(path, ".");
    if (!folder)
        return ENOMEM;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return 0;
    int errnum = sync_fd(fd);
    close(fd);
    return errnum;
}

enum tulle_status tulle_file_writer_keep(struct file_writer *writer, const char *keep,
                                         struct tulle_error *error)
{
    free(writer->keep);
    writer->keep = tulle_strdup(keep);
    return writer->keep ? TULLE_OK : tulle_fail_memory(error);
}

/* By a second link, so that the path is never without a file; where there are none, by renaming.
 * Returns an errno. */
static int keep_old(const struct file_writer *writer)
{
    if (!writer->keep || access(writer->target, F_OK) != 0)
        return 0;
    if (unlink(writer->keep) != 0 && errno != ENOENT)
        return errno;
    if (link(writer->target, writer->keep) == 0 || rename(writer->target, writer->keep) == 0)
        return 0;
    return errno;
}

/* Returns an errno. */
static int put_in_place(struct file_writer *writer, const char **action)
{
    int errnum = keep_old(writer);
    if (errnum != 0) {
        *action = "cannot keep the file that is there";
        return errnum;
    }
    if (rename(writer->temporary, writer->target) != 0)
        return errno;
    free(writer->temporary);
    writer->temporary = NULL;
    *action = "written, but cannot sync its folder";
    return sync_folder(writer->target);
}

enum tulle_status tulle_file_writer_commit(struct file_writer *writer, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    const char *action = "cannot write";
    flush(writer);
    int errnum = writer->errnum;
    if (errnum == 0)
        errnum = sync_fd(writer->fd);
    int close_errnum = close_output(writer);
    if (errnum == 0)
        errnum = close_errnum;
    if (errnum == 0 && writer->temporary)
        errnum = put_in_place(writer, &action);
    if (errnum != 0)
        status = tulle_fail_errno(error, writer->path, action, errnum);
    tulle_file_writer_abort(writer);
    return status;
}

void tulle_file_writer_abort(struct file_writer *writer)
{
    if (!writer)
        return;
    close_output(writer);
    if (writer->temporary)
        unlink(writer->temporary);
    free(writer->path);
    free(writer->target);
    free(writer->temporary);
    free(writer->keep);
    free(writer);
}
