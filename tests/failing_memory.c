/* failing_memory.c - memory that fails where a test wants it to; see failing_memory.h. */
#include "../lib/base/portability.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef TULLE_WITH_MODEL_FILES
#include <jansson.h>
#include <xxhash.h>
#endif

#include <cmocka.h>

#include "failing_memory.h"

/* --- The allocator --------------------------------------------------------------------------- */

/* Stands before each block. */
struct label {
    size_t size, alignment;
};
enum { LEAST_ALIGNMENT = 32, FRESH = 0x5a, STALE = 0xa5 };

static atomic_size_t blocks, bytes, peak, calls, failures, first_failure;
static atomic_int is_persistent;

struct held held_memory(void)
{
    return (struct held){blocks, bytes};
}

size_t peak_memory(void)
{
    return atomic_exchange(&peak, bytes);
}

void fail_allocations(size_t n, int persists)
{
    calls = failures = 0;
    is_persistent = persists;
    first_failure = n;
}

size_t stop_failing(void)
{
    first_failure = 0;
    return failures;
}

/* Counts an allocation; whether it is one of those that fail. */
static int fails(void)
{
    size_t first = first_failure, call = atomic_fetch_add(&calls, 1) + 1;
    int is_chosen = first > 0 && (call == first || (is_persistent && call > first));
    failures += (size_t)is_chosen;
    return is_chosen;
}

static void *make_block(size_t size, size_t alignment)
{
    void *whole;
    alignment = alignment < LEAST_ALIGNMENT ? LEAST_ALIGNMENT : alignment;
    if (size > SIZE_MAX - alignment || posix_memalign(&whole, alignment, size + alignment) != 0)
        return NULL;
    char *block = (char *)whole + alignment;
    ((struct label *)block)[-1] = (struct label){size, alignment};
    blocks++;
    bytes += size;
    if (bytes > peak)
        peak = bytes;
    return memset(block, FRESH, size);
}

static void *allocate(size_t size, size_t alignment, void *user)
{
    assert_true(size > 0 && alignment > 0 && (alignment & (alignment - 1)) == 0 && user == &blocks);
    return fails() ? NULL : make_block(size, alignment);
}

static void release(void *block, void *user)
{
    const struct label label = ((struct label *)block)[-1];
    assert_true(user == &blocks);
    memset(block, STALE, label.size);
    free((char *)block - label.alignment);
    blocks--;
    bytes -= label.size;
}

/* Always moves the block, so that no pointer into the old one goes unnoticed. */
static void *reallocate(void *block, size_t size, void *user)
{
    const struct label label = ((struct label *)block)[-1];
    assert_true(label.alignment == LEAST_ALIGNMENT && size > 0);
    void *moved = fails() ? NULL : make_block(size, LEAST_ALIGNMENT);
    if (!moved)
        return NULL;
    memcpy(moved, block, label.size < size ? label.size : size);
    release(block, user);
    return moved;
}

/* --- What allocates besides the library ------------------------------------------------------ */

/* The linker leads the library's calls here. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*function)(void *), void *argument)
{
    return fails() ? EAGAIN : __real_pthread_create(thread, attributes, function, argument);
}

#ifdef TULLE_WITH_MODEL_FILES
XXH3_state_t *__real_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void)
{
    return fails() ? NULL : __real_XXH3_createState();
}

static void *allocate_for_jansson(size_t size)
{
    return allocate(size > 0 ? size : 1, 1, &blocks);
}

static void release_for_jansson(void *block)
{
    if (block)
        release(block, &blocks);
}

static void set_jansson(int is_failing)
{
    if (is_failing)
        json_set_alloc_funcs(allocate_for_jansson, release_for_jansson);
    else
        json_set_alloc_funcs(malloc, free);
}
#else
static void set_jansson(int is_failing)
{
    (void)is_failing;
}
#endif

int use_failing_memory(void **state)
{
    const struct tulle_allocator allocator = {allocate, reallocate, release, &blocks};
    (void)state;
    set_jansson(1);
    return (int)tulle_set_allocator(&allocator, NULL);
}

int use_usual_memory(void **state)
{
    (void)state;
    assert_int_equal(blocks, 0);
    set_jansson(0);
    return (int)tulle_set_allocator(NULL, NULL);
}

/* --- Torture --------------------------------------------------------------------------------- */

/* The number after n: each, or each of the first and then a sample. */
static size_t next(const struct operation *operation, size_t n)
{
    enum { FIRST = 24 };
    int is_sampled = operation->is_slow;
#ifdef TULLE_EMULATED
    is_sampled = 1;
#endif
    return is_sampled && !getenv("TULLE_LONG") ? n + 1 + n / FIRST * 4 : n + 1;
}

static void judge(const struct operation *operation, size_t n, enum tulle_status status,
                  const struct tulle_error *error)
{
    if (status == TULLE_OK)
        return;
    if (status != TULLE_ERROR_MEMORY)
        fail_msg("%s, allocation %zu: %s: %s", operation->name, n, tulle_status_text(status),
                 error->message);
    if (operation->has_no_error)
        return;
    if (error->code != status || !(strstr(error->message, "out of memory") ||
                                   strstr(error->message, "Cannot allocate memory")))
        fail_msg("%s, allocation %zu: a message of its own: %s", operation->name, n,
                 error->message);
}

/* One try; returns how many allocations failed. */
static size_t try_once(const struct operation *operation, size_t n, int persists,
                       enum tulle_status *status)
{
    struct tulle_error error = {.message = ""};
    const struct held before = held_memory();
    fail_allocations(n, persists);
    *status = operation->run(operation->has_no_error ? NULL : &error);
    size_t failed = stop_failing();
    judge(operation, n, *status, &error);
    if (failed == 0 && *status != TULLE_OK)
        fail_msg("%s: fails without a reason: %s", operation->name, error.message);
    operation->check(*status);
    const struct held after = held_memory();
    if (after.blocks != before.blocks || after.bytes != before.bytes)
        fail_msg("%s, allocation %zu: %zu blocks before, %zu after", operation->name, n,
                 before.blocks, after.blocks);
    return failed;
}

void torture(const struct operation *operation)
{
    size_t tries[2] = {0}, successes = 0;
    for (int persists = 0; persists < 2; persists++) {
        enum tulle_status status;
        for (size_t n = 1; try_once(operation, n, persists, &status) > 0; n = next(operation, n)) {
            tries[persists]++;
            successes += status == TULLE_OK;
        }
    }
    print_message("%s: %zu allocations failed alone, %zu with all after them; %zu did no harm\n",
                  operation->name, tries[0], tries[1], successes);
}
