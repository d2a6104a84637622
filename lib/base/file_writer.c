/* file_writer.c - output that appears whole or not at all; see file_writer.h. */
#include "portability.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file_io.h"
#include "file_writer.h"
#include "memory.h"
#include "mix64.h"

#define BUFFER_SIZE 65536
#define LARGEST_WRITE ((size_t)1 << 30) /* macOS refuses one of INT_MAX bytes */
#define MOST_LINKS 40                   /* as Linux follows */
#define MOST_TEMPORARIES 1000           /* names to try: as many writers may be at one file */

struct file_writer {
    int fd;
    int lock;   /* a second descriptor of the temporary file, which keeps its lock; else -1 */
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
    int errnum = current ? ELOOP : ENOMEM;
    for (int links = 0; current && links <= MOST_LINKS; links++) {
        char link[PATH_MAX];
        ssize_t length = tulle_io_readlink(current, link, sizeof link - 1);
        if (length < 0 && (errno == EINVAL || errno == ENOENT || errno == ENOTDIR))
            return current; /* no link, or nothing there */
        if (length < 0) {
            errnum = errno;
            break;
        }
        link[length] = '\0';
        char *next = link[0] == '/' ? tulle_strdup(link) : sibling(current, link);
        tulle_free(current);
        current = next;
        if (!current)
            errnum = ENOMEM;
    }
    tulle_free(current);
    errno = errnum;
    return NULL;
}

/* --- The temporary file ---------------------------------------------------------------------- */

/*
 * Its writer holds a lock on it, which ends with the process, however that ends. So whoever can
 * lock a temporary file of somebody else's has found what a killed process left, and removes it;
 * nobody removes or renames one that he has not locked. Where the file system knows no locks,
 * nothing is taken for a leftover.
 */

static int is_file_at(int fd, const char *path)
{
    struct stat file, named;
    return tulle_io_fstat(fd, &file) == 0 && tulle_io_stat(path, &named) == 0 &&
           file.st_dev == named.st_dev && file.st_ino == named.st_ino;
}

enum leftover { NOT_FOUND, REMOVED, IN_USE };

static enum leftover remove_leftover(const char *path)
{
    int fd = tulle_io_open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
    if (fd < 0)
        return NOT_FOUND; /* or something that is nobody's temporary file */
    /* Between opening and locking, its writer may have finished, and another taken the name. */
    int is_removed = tulle_io_lock(fd) == 0 && is_file_at(fd, path) && tulle_io_unlink(path) == 0;
    tulle_io_close(fd);
    return is_removed ? REMOVED : IN_USE;
}

/* Returns an errno; EEXIST if, before it was locked, another writer took the file for a leftover.
 */
static int lock_temporary(struct file_writer *writer)
{
    struct stat file;
    if (tulle_io_lock(writer->fd) != 0 && errno == EWOULDBLOCK)
        return EEXIST;
    if (tulle_io_fstat(writer->fd, &file) != 0)
        return errno;
    if (file.st_nlink == 0 && !is_file_at(writer->fd, writer->temporary))
        return EEXIST;
    /* What closing the file has to say must be heard before it is renamed, and the lock must last
     * until it is. */
    writer->lock = tulle_io_duplicate(writer->fd);
    return writer->lock < 0 ? errno : 0;
}

/* Returns an errno; EEXIST if the name is taken. */
static int create_at(struct file_writer *writer, char *path, mode_t mode)
{
    writer->fd = tulle_io_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (writer->fd < 0)
        return errno;
    writer->temporary = path;
    int errnum = lock_temporary(writer);
    if (errnum == EEXIST) {
        tulle_io_close(writer->fd);
        writer->fd = -1;
        writer->temporary = NULL;
    }
    return errnum;
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0;
    for (; *text; text++)
        hash = tulle_hash64(hash, (unsigned char)*text);
    return hash;
}

/* The name has a hash of the target's and not that name itself, which may be as long as one can be.
 * Freed with tulle_free(); NULL if there is no memory. */
static char *temporary_path(const struct file_writer *writer, int number)
{
    char name[64];
    snprintf(name, sizeof name, ".tulle.tmp-%016" PRIx64 "-%d",
             hash_of(writer->target + folder_length(writer->target)), number);
    return sibling(writer->target, name);
}

/* From that number to the first that there is none of. */
static void remove_leftovers(const struct file_writer *writer, int number)
{
    for (int is_there = 1; is_there && number < MOST_TEMPORARIES; number++) {
        char *path = temporary_path(writer, number);
        is_there = path && remove_leftover(path) != NOT_FOUND;
        tulle_free(path);
    }
}

/* Makes the temporary file, empty. Returns an errno. */
static int create_temporary(struct file_writer *writer, mode_t mode)
{
    int number = 0, errnum = EEXIST;
    for (; number < MOST_TEMPORARIES && errnum == EEXIST; number++) {
        char *path = temporary_path(writer, number);
        if (!path)
            return ENOMEM;
        errnum = create_at(writer, path, mode);
        if (errnum == EEXIST && remove_leftover(path) != IN_USE)
            errnum = create_at(writer, path, mode);
        if (!writer->temporary)
            tulle_free(path);
    }
    if (errnum == 0)
        remove_leftovers(writer, number);
    return errnum;
}

/* --- Opening --------------------------------------------------------------------------------- */

/* `old` is the regular file at the path, NULL if there is none. Returns an errno. */
static int open_beside(struct file_writer *writer, const struct stat *old)
{
    writer->target = tulle_resolve_links(writer->path);
    if (!writer->target)
        return errno;
    if (writer->target[folder_length(writer->target)] == '\0')
        return ENOENT; /* "" or a folder that is not there */
    /* Renaming needs no permission to write to the old file; respect its absence all the same. */
    if (old && tulle_io_access(writer->target, W_OK) != 0)
        return errno;
    /* Never more open than the old one: who had it open for that moment would read the new one. */
    const mode_t mode = old ? old->st_mode & 0777 : 0666;
    int errnum = create_temporary(writer, mode);
    if (errnum == 0 && old && tulle_io_fchmod(writer->fd, mode) != 0)
        errnum = errno;
    return errnum;
}

/* A device or a pipe. Returns an errno. */
static int open_directly(struct file_writer *writer)
{
    writer->fd = tulle_io_open(writer->path, O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
    return writer->fd < 0 ? errno : 0;
}

static int open_output(struct file_writer *writer)
{
    if (writer->is_stdout) {
        writer->fd = STDOUT_FILENO;
        return 0;
    }
    struct stat status;
    if (tulle_io_stat(writer->path, &status) != 0)
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
    int is_missing = folder && tulle_io_stat(folder, &status) != 0 && errno == ENOENT;
    tulle_free(folder);
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
    w->fd = w->lock = -1;
    /* /dev/stdout by its name, because opening it again would start at the beginning of the file
     * that standard output is redirected to. */
    w->is_stdout = strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
    w->path = tulle_strdup(w->is_stdout ? "standard output" : path);
    int errnum = w->path ? open_output(w) : 0;
    enum tulle_status status = !w->path      ? tulle_fail_memory(error)
                               : errnum != 0 ? fail_open(w, errnum, error)
                                             : TULLE_OK;
    if (status == TULLE_OK)
        *writer = w;
    else
        tulle_file_writer_abort(w);
    return status;
}

/* --- Writing --------------------------------------------------------------------------------- */

/* Returns an errno. */
static int write_all(int fd, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = tulle_io_write(fd, data, size < LARGEST_WRITE ? size : LARGEST_WRITE);
        if (written <= 0) /* none of some bytes: it would be none for ever */
            return written < 0 ? errno : EIO;
        data += written;
        size -= (size_t)written;
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

/* --- Finishing ------------------------------------------------------------------------------- */

/* As fsync, returning an errno; what has no disk behind it needs no syncing. */
static int sync_fd(int fd)
{
    static const int without_disk[] = {EINVAL, ENOTSUP, EOPNOTSUPP, EROFS};
    int errnum = tulle_io_fsync(fd) == 0 ? 0 : errno;
    for (size_t i = 0; i < sizeof without_disk / sizeof *without_disk; i++)
        if (errnum == without_disk[i])
            return 0;
    return errnum;
}

/* Returns an errno. */
static int close_output(struct file_writer *writer)
{
    int fd = writer->fd;
    writer->fd = -1;
    return fd < 0 || fd == STDOUT_FILENO || tulle_io_close(fd) == 0 ? 0 : errno;
}

/* So that the new name, too, survives a power failure. A folder that may not be read cannot be
 * synced. Returns an errno. */
static int sync_folder(const char *folder)
{
    int fd = tulle_io_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno != EACCES ? errno : 0;
    int errnum = sync_fd(fd);
    tulle_io_close(fd);
    return errnum;
}

enum tulle_status tulle_file_writer_keep(struct file_writer *writer, const char *keep,
                                         struct tulle_error *error)
{
    tulle_free(writer->keep);
    writer->keep = tulle_strdup(keep);
    return writer->keep ? TULLE_OK : tulle_fail_memory(error);
}

/* By a second link, so that the path is never without a file; where there are no links, by moving
 * it away. Returns an errno. */
static int keep_old(const struct file_writer *writer, int *has_moved)
{
    *has_moved = 0;
    if (!writer->keep)
        return 0;
    if (tulle_io_access(writer->target, F_OK) != 0)
        return errno == ENOENT ? 0 : errno;
    if (tulle_io_unlink(writer->keep) != 0 && errno != ENOENT)
        return errno;
    if (tulle_io_link(writer->target, writer->keep) == 0)
        return 0;
    *has_moved = tulle_io_rename(writer->target, writer->keep) == 0;
    return *has_moved ? 0 : errno;
}

/* Returns an errno. */
static int put_in_place(struct file_writer *writer, const char **action)
{
    int has_moved, errnum = keep_old(writer, &has_moved);
    if (errnum != 0) {
        *action = "cannot keep the file that is there";
        return errnum;
    }
    if (tulle_io_rename(writer->temporary, writer->target) != 0) {
        errnum = errno;
        if (has_moved)
            tulle_io_rename(writer->keep, writer->target);
        return errnum;
    }
    char *folder = writer->temporary; /* there might be no memory for its name now */
    writer->temporary = NULL;
    strcpy(folder + folder_length(folder), ".");
    *action = "written, but cannot sync its folder";
    errnum = sync_folder(folder);
    tulle_free(folder);
    return errnum;
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
        tulle_io_unlink(writer->temporary);
    if (writer->lock >= 0)
        tulle_io_close(writer->lock);
    tulle_free(writer->path);
    tulle_free(writer->target);
    tulle_free(writer->temporary);
    tulle_free(writer->keep);
    tulle_free(writer);
}
