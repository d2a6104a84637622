/* io_faults.c - the table of system calls that fail when they are told to. */
#include "../lib/base/portability.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "io_faults.h"

/* --- Faults ---------------------------------------------------------------------------------- */

#define IO_CALLS(X)                                                                                \
    X(open)                                                                                        \
    X(read)                                                                                        \
    X(pread)                                                                                       \
    X(write)                                                                                       \
    X(fsync)                                                                                       \
    X(close)                                                                                       \
    X(duplicate)                                                                                   \
    X(lock)                                                                                        \
    X(stat)                                                                                        \
    X(fstat)                                                                                       \
    X(fchmod)                                                                                      \
    X(access)                                                                                      \
    X(readlink)                                                                                    \
    X(rename)                                                                                      \
    X(link)                                                                                        \
    X(unlink)

#define X(name) CALL_##name,
enum io_call { IO_CALLS(X) CALLS };
#undef X

#define X(name) #name,
static const char *const call_names[] = {IO_CALLS(X)};
#undef X

/* The last of them is no failure. */
static const int errnums[] = {EIO, ENOSPC, EMFILE, EACCES, EINTR};
enum { ERRNUMS = sizeof errnums / sizeof *errnums };

enum { NO_FAULT, ONCE, LASTING, EVERY_SECOND, AT_RANDOM };

static struct {
    const struct io_operation *operation;
    struct file_io system;
    int when;
    enum io_call call; /* that fails; with EVERY_SECOND and AT_RANDOM, all do */
    size_t number;     /* from 1: which of them is the first to */
    int errnum;
    size_t most; /* bytes that a read or write takes, 0: all */
    size_t made[CALLS], failed[CALLS];
    size_t lost_unlinks; /* that were not asked for again */
    struct tulle_rng rng;
} faults;

static int fails(enum io_call call)
{
    size_t number = ++faults.made[call];
    int is_it = 0;
    if (faults.when == ONCE || faults.when == LASTING)
        is_it = call == faults.call &&
                (number == faults.number || (faults.when == LASTING && number > faults.number));
    else if (faults.when == EVERY_SECOND)
        is_it = number % 2 == 1;
    else if (faults.when == AT_RANDOM && tulle_rng_integer(&faults.rng, 15) == 0) {
        is_it = 1;
        faults.errnum = errnums[tulle_rng_integer(&faults.rng, ERRNUMS - 1)];
    }
    faults.failed[call] += (size_t)is_it;
    faults.lost_unlinks += is_it && call == CALL_unlink && faults.errnum != EINTR;
    errno = faults.errnum;
    return is_it;
}

static size_t part_of(size_t size)
{
    return faults.most > 0 && size > faults.most ? faults.most : size;
}

#define FAULTY(type, call, parameters, arguments)                                                  \
    static type faulty_##call parameters                                                           \
    {                                                                                              \
        return fails(CALL_##call) ? -1 : faults.system.call arguments;                             \
    }

FAULTY(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))
FAULTY(ssize_t, read, (int fd, void *to, size_t size), (fd, to, part_of(size)))
FAULTY(ssize_t, pread, (int fd, void *to, size_t size, off_t offset),
       (fd, to, part_of(size), offset))
FAULTY(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, part_of(size)))
FAULTY(int, duplicate, (int fd), (fd))
FAULTY(int, stat, (const char *path, struct stat *status), (path, status))
FAULTY(int, fstat, (int fd, struct stat *status), (fd, status))
FAULTY(int, fchmod, (int fd, mode_t mode), (fd, mode))
FAULTY(int, access, (const char *path, int mode), (path, mode))
FAULTY(ssize_t, readlink, (const char *path, char *to, size_t size), (path, to, size))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, rename, (const char *from, const char *to), (from, to))
FAULTY(int, unlink, (const char *path), (path))

/* No disk is waited for: test_power_cut.c looks at what is synced when. */
static int no_fsync(int fd)
{
    (void)fd;
    return 0;
}

/* A descriptor is closed even where that fails. */
static int faulty_close(int fd)
{
    int has_failed = fails(CALL_close), errnum = errno;
    int result = faults.system.close(fd);
    errno = has_failed ? errnum : errno;
    return has_failed ? -1 : result;
}

static int faulty_link(const char *from, const char *to)
{
    if (fails(CALL_link))
        return -1;
    errno = EPERM;
    return faults.operation->has_no_links ? -1 : faults.system.link(from, to);
}

static int faulty_lock(int fd)
{
    if (fails(CALL_lock))
        return -1;
    errno = ENOTSUP;
    return faults.operation->has_no_locks ? -1 : faults.system.lock(fd);
}

/* --- What the folder holds ------------------------------------------------------------------- */

enum { MOST_STATES = 32 };

/* A file that is there, or was, or was once in between; a link's content is where it leads. */
struct state {
    char name[64];
    struct bytes bytes;
    int is_before, is_after;
};

static struct {
    struct state items[MOST_STATES];
    size_t count;
} states;

static struct bytes content_of(const char *name)
{
    char to[512];
    ssize_t length = readlink(in_folder(name), to, sizeof to);
    if (length < 0)
        return get_bytes(in_folder(name));
    struct bytes bytes = {calloc((size_t)length + 1, 1), (size_t)length};
    assert_non_null(bytes.data);
    memcpy(bytes.data, to, (size_t)length);
    return bytes;
}

/* The state of that name and content; NULL if there is none. */
static struct state *find_state(const char *name, struct bytes bytes)
{
    for (struct state *s = states.items; s < states.items + states.count; s++)
        if (strcmp(s->name, name) == 0 && s->bytes.size == bytes.size &&
            memcmp(s->bytes.data, bytes.data, bytes.size) == 0)
            return s;
    return NULL;
}

static struct state *add_state(const char *name)
{
    struct bytes bytes = content_of(name);
    struct state *state = find_state(name, bytes);
    if (state) {
        free(bytes.data);
        return state;
    }
    assert_true(states.count < MOST_STATES);
    state = &states.items[states.count++];
    *state = (struct state){.bytes = bytes};
    snprintf(state->name, sizeof state->name, "%s", name);
    return state;
}

void note_state(const char *name)
{
    if (faults.when == NO_FAULT && access(in_folder(name), F_OK) == 0)
        add_state(name);
}

static void clear_states(void)
{
    while (states.count > 0)
        free(states.items[--states.count].bytes.data);
}

/* Calls visit for every name in the folder. */
static void visit_folder(void (*visit)(const char *name))
{
    DIR *folder = opendir(in_folder(""));
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            visit(entry->d_name);
    closedir(folder);
}

static void visit_before(const char *name)
{
    add_state(name)->is_before = 1;
}

static void visit_after(const char *name)
{
    add_state(name)->is_after = 1;
}

/* A temporary file that could not be removed. */
static int is_left_over(const char *name)
{
    return strncmp(name, ".tulle.tmp-", 11) == 0 && faults.lost_unlinks > 0;
}

static void visit_remove(const char *name)
{
    if (!is_left_over(name))
        assert_int_equal(remove(in_folder(name)), 0);
}

void empty_folder(void)
{
    visit_folder(visit_remove);
}

/* --- What must hold -------------------------------------------------------------------------- */

static int descriptor_count(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* "save a model: call 3 of rename: No space left on device" */
static const char *fault_text(void)
{
    static char text[256];
    static const char *const times[] = {"nothing fails", "once", "from then on", "every second",
                                        "at random"};
    snprintf(text, sizeof text, "%s: %s %zu, %s, %s", faults.operation->name,
             call_names[faults.call], faults.number, times[faults.when], strerror(faults.errnum));
    return text;
}

static void visit_check(const char *name)
{
    if (is_left_over(name))
        return;
    struct bytes bytes = content_of(name);
    if (!find_state(name, bytes))
        fail_msg("%s: %s is neither as before nor as after", fault_text(), name);
    free(bytes.data);
}

/* Whether the file is there and whole; after success, if that is asked for. */
static int is_in_state(const char *name, int after)
{
    if (access(in_folder(name), F_OK) != 0)
        return 0;
    struct bytes bytes = content_of(name);
    struct state *state = find_state(name, bytes);
    free(bytes.data);
    return state && (state->is_after || !after);
}

static int was_before(const char *name)
{
    for (size_t i = 0; i < states.count; i++)
        if (states.items[i].is_before && strcmp(states.items[i].name, name) == 0)
            return 1;
    return 0;
}

/* That every file is whole and the path has one, the new one after success. */
static void check_folder(enum tulle_status status)
{
    const char *path = faults.operation->path;
    char previous[64];
    visit_folder(visit_check);
    if (!path)
        return;
    snprintf(previous, sizeof previous, "%s.previous", path);
    if (status == faults.operation->result && !is_in_state(path, 1) && !faults.operation->may_lag)
        fail_msg("%s: no new file after success", fault_text());
    /* Without links the old file is moved away first; moved back it cannot be if that fails too. */
    int may_be_away = (faults.failed[CALL_link] > 0 || faults.operation->has_no_links) &&
                      faults.failed[CALL_rename] > 1;
    if (was_before(path) && !is_in_state(path, 0) && !(may_be_away && is_in_state(previous, 0)))
        fail_msg("%s: the file is gone", fault_text());
}

static void check_error(enum tulle_status status, const struct tulle_error *error)
{
    char text[1024];
    if (status == faults.operation->result)
        return;
    tulle_error_text(error, text, sizeof text);
    int is_told = faults.when == AT_RANDOM ||
                  (faults.errnum != EINTR && strstr(text, strerror(faults.errnum)));
    if (status != TULLE_ERROR_IO || error->code != status || error->file[0] == '\0' ||
        strchr(text, '\n') || !is_told)
        fail_msg("%s: failed with \"%s\", %s", fault_text(), text, tulle_status_text(status));
}

/* --- The operation, again and again ---------------------------------------------------------- */

static void prepare(void)
{
    empty_folder();
    if (faults.operation->prepare)
        faults.operation->prepare();
}

static enum tulle_status run_with(const struct file_io *io)
{
    struct tulle_error error = {.message = ""};
    int descriptors = descriptor_count();
    tulle_file_io = *io;
    enum tulle_status status = faults.operation->run(&error);
    tulle_file_io = faults.system;
    if (descriptor_count() != descriptors)
        fail_msg("%s: a descriptor is left open", fault_text());
    check_error(status, &error);
    return status;
}

static void run_check(enum tulle_status status)
{
    if (faults.operation->check)
        faults.operation->check(status);
}

/* Returns how many calls failed. */
static size_t check_once(int when)
{
    static const struct file_io faulty = {
#define X(name) .name = faulty_##name,
        IO_CALLS(X)
#undef X
    };
    size_t failed = 0;
    prepare();
    memset(faults.made, 0, sizeof faults.made);
    memset(faults.failed, 0, sizeof faults.failed);
    faults.lost_unlinks = 0;
    faults.when = when;
    if (when == NO_FAULT)
        visit_folder(visit_before);
    enum tulle_status status = run_with(&faulty);
    if (when == NO_FAULT)
        visit_folder(visit_after);
    check_folder(status);
    run_check(status);
    if (faults.lost_unlinks > 0) { /* what could not be removed goes the next time */
        prepare();
        faults.lost_unlinks = 0;
        faults.when = NO_FAULT;
        assert_int_equal(run_with(&faults.system), faults.operation->result);
        visit_folder(visit_check);
        run_check(faults.operation->result);
    }
    for (int call = 0; call < CALLS; call++)
        failed += faults.failed[call];
    return failed;
}

/* Where it would take long. */
static int is_short(void)
{
#ifdef TULLE_EMULATED
    return 1;
#else
    return faults.operation->is_slow && !getenv("TULLE_LONG");
#endif
}

/* Each call of a kind in turn, until there are no more; for any errnum, or one after the other. */
static size_t check_each(enum io_call call, int errnum, int when)
{
    size_t failed = 0, now;
    faults.call = call;
    faults.number = 1;
    do {
        faults.errnum = errnum ? errnum : errnums[(call + faults.number) % (ERRNUMS - 1)];
        now = check_once(when);
        failed += now;
        faults.number++;
    } while (now > 0);
    return failed;
}

static size_t check_all(void)
{
    size_t failed = 0;
    for (int call = 0; call < CALLS; call++) {
        for (int i = 0; i < (is_short() ? 1 : ERRNUMS - 1); i++) {
            int errnum = is_short() ? 0 : errnums[i];
            failed += check_each((enum io_call)call, errnum, ONCE);
            failed += check_each((enum io_call)call, errnum, LASTING);
        }
        failed += check_each((enum io_call)call, EINTR, ONCE);
    }
    return failed;
}

/* Short counts, and signals, together. */
static size_t check_counts(void)
{
    const size_t most[] = {1, 1000};
    size_t failed = 0;
    faults.errnum = EINTR;
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        faults.most = most[i];
        assert_int_equal(check_once(NO_FAULT), 0);
        failed += check_once(EVERY_SECOND);
    }
    return failed;
}

static size_t check_at_random(void)
{
    size_t failed = 0, cases = getenv("TULLE_LONG") ? 1000 : 40;
    for (uint32_t seed = 0; seed < cases; seed++) {
        faults.number = seed; /* to be told */
        tulle_rng_seed(&faults.rng, seed);
        failed += check_once(AT_RANDOM);
    }
    return failed;
}

void check_operation(const struct io_operation *operation)
{
    size_t failed = 0, interrupted;
    faults.operation = operation;
    const struct file_io system = tulle_file_io;
    tulle_file_io.fsync = no_fsync;
    faults.system = tulle_file_io;
    faults.most = operation->most;
    check_once(NO_FAULT);
    failed += check_all();
    failed += check_at_random();
    interrupted = check_counts();
    clear_states();
    tulle_file_io = system;
    print_message("%s: %zu calls failed, %zu interrupted and short\n", operation->name, failed,
                  interrupted);
}
