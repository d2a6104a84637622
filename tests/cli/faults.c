/* faults.c - linked with the command's own objects: a command whose calls of the C library fail
 * where TULLE_FAULT says, as in "memory 3" (the third allocation), "fclose 1" or "thread 2+" (the
 * second thread, and all that come after). With "memory 3!" there is a SIGINT then instead, and
 * "memory 0" says at the end how many allocations there were. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind = "";
static size_t first;
static char manner;
static atomic_size_t calls;

/* Counts a call of that kind; whether it is one of those that fail. */
static int fails(const char *name, int error)
{
    if (strcmp(kind, name) != 0)
        return 0;
    size_t call = atomic_fetch_add(&calls, 1) + 1;
    if (manner == '!' && call == first)
        raise(SIGINT);
    int is_chosen = call == first || (manner == '+' && call > first);
    if (!is_chosen || manner == '!')
        return 0;
    errno = error;
    return 1;
}

/* The linker leads the calls of NAME here. */
#define WRAP(result, name, parameters, arguments, fault, error, failure)                           \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        return fails(fault, error) ? failure : __real_##name arguments;                            \
    }
WRAP(void *, calloc, (size_t count, size_t size), (count, size), "memory", ENOMEM, NULL)
WRAP(void *, realloc, (void *block, size_t size), (block, size), "memory", ENOMEM, NULL)
WRAP(int, posix_memalign, (void **block, size_t alignment, size_t size), (block, alignment, size),
     "memory", ENOMEM, ENOMEM)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument), "thread", EAGAIN, EAGAIN)
WRAP(int, sched_getaffinity, (pid_t process, size_t size, cpu_set_t *set), (process, size, set),
     "affinity", EINVAL, -1)
WRAP(int, ftruncate, (int file, off_t size), (file, size), "ftruncate", EIO, -1)
WRAP(FILE *, fdopen, (int file, const char *mode), (file, mode), "fdopen", ENOMEM, NULL)

/* A file is closed even if that fails. */
int __real_fclose(FILE *file);
int __wrap_fclose(FILE *file);
int __wrap_fclose(FILE *file)
{
    int result = __real_fclose(file);
    return fails("fclose", EIO) ? EOF : result;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    int mode = flags & O_CREAT ? va_arg(list, int) : 0;
    va_end(list);
    return fails("open", EMFILE) ? -1 : __real_open(path, flags, mode);
}

#ifdef __GLIBC__ /* of which a hardened build calls this */
WRAP(int, __open_2, (const char *path, int flags), (path, flags), "open", EMFILE, -1)
#endif

static void *allocate_for_jansson(size_t size)
{
    return fails("memory", ENOMEM) ? NULL : malloc(size);
}

__attribute__((constructor)) static void read_fault(void)
{
    static char name[16];
    const char *fault = getenv("TULLE_FAULT");
    if (!fault)
        return;
    if (sscanf(fault, "%15s %zu%c", name, &first, &manner) < 2) {
        fputs("faults: TULLE_FAULT is to be a kind and a number\n", stderr);
        exit(99);
    }
    kind = name;
    json_set_alloc_funcs(allocate_for_jansson, free);
}

/* What comes after the command's own end, such as the writing of gcov's files, does not fail. */
__attribute__((destructor)) static void end_faults(void)
{
    if (*kind && first == 0)
        fprintf(stderr, "%zu calls\n", (size_t)calls);
    kind = "";
}
