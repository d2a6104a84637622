/* test_memory.c - allocation that checks its arithmetic, and whose functions the caller may choose.
 */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "failing_memory.h"

/* --- Whatever the allocator ------------------------------------------------------------------ */

static void check_zeros(const unsigned char *block, size_t size)
{
    assert_non_null(block);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(block[i], 0);
}

static void check_all(void)
{
    unsigned char *plain = tulle_calloc(7, 3), *aligned = tulle_calloc_aligned(5, 9);
    check_zeros(plain, 21);
    check_zeros(aligned, 45);
    assert_int_equal((uintptr_t)aligned % TULLE_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)plain % _Alignof(max_align_t), 0);
    plain[20] = 5;
    plain = tulle_realloc_array(plain, 100, 1000);
    assert_non_null(plain);
    assert_int_equal(plain[20], 5);
    assert_null(tulle_realloc_array(plain, SIZE_MAX / 2, 3)); /* and plain is still there */
    plain = tulle_realloc_array(plain, 0, 8);
    assert_non_null(plain);
    tulle_free(plain);
    tulle_free(aligned);
    tulle_free(NULL);
    char *text = tulle_strdup("text");
    assert_string_equal(text, "text");
    tulle_free(text);
    void *none[] = {tulle_calloc(0, 8), tulle_calloc(8, 0), tulle_calloc_aligned(0, 8),
                    tulle_realloc_array(NULL, 0, 1)};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_non_null(none[i]);
        tulle_free(none[i]);
    }
    assert_null(tulle_calloc(SIZE_MAX / 2, 3));
    assert_null(tulle_calloc_aligned(SIZE_MAX / 2, 3));
    assert_null(tulle_calloc_aligned(SIZE_MAX, 1));
}

static void test_usual(void **state)
{
    (void)state;
    check_all();
    assert_int_equal(held_memory().blocks, 0);
}

static void test_own(void **state)
{
    assert_int_equal(use_failing_memory(state), 0);
    void *block = tulle_calloc(3, 5);
    assert_int_equal(held_memory().blocks, 1);
    assert_int_equal(held_memory().bytes, 15);
    tulle_free(block);
    check_all();
    assert_int_equal(use_usual_memory(state), 0);
    test_usual(state);
}

/* Nothing is written, moved or freed where the allocator has no more. */
static void test_failing(void **state)
{
    assert_int_equal(use_failing_memory(state), 0);
    char *block = tulle_strdup("block");
    fail_allocations(1, 1);
    assert_null(tulle_calloc(1, 1));
    assert_null(tulle_calloc_aligned(1, 1));
    assert_null(tulle_strdup("a"));
    assert_null(tulle_realloc_array(NULL, 1, 1));
    assert_null(tulle_realloc_array(block, 1000, 1));
    assert_int_equal(stop_failing(), 5);
    assert_string_equal(block, "block");
    tulle_free(block);
    assert_int_equal(use_usual_memory(state), 0);
}

/* --- Choosing -------------------------------------------------------------------------------- */

static void *allocate(size_t size, size_t alignment, void *user)
{
    (void)size, (void)alignment, (void)user;
    return NULL;
}

static void *reallocate(void *block, size_t size, void *user)
{
    (void)block, (void)size, (void)user;
    return NULL;
}

static void release(void *block, void *user)
{
    (void)block, (void)user;
}

/* One that is refused changes nothing. */
static void test_refused(void **state)
{
    const struct tulle_allocator cases[] = {{NULL, reallocate, release, NULL},
                                            {allocate, NULL, release, NULL},
                                            {allocate, reallocate, NULL, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tulle_error error;
        assert_int_equal(tulle_set_allocator(&cases[i], &error), TULLE_ERROR_ARGUMENT);
        assert_string_equal(error.message,
                            "an allocator needs all three of allocate, reallocate and release");
        assert_int_equal(tulle_set_allocator(&cases[i], NULL), TULLE_ERROR_ARGUMENT);
        check_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual),
        cmocka_unit_test(test_own),
        cmocka_unit_test(test_failing),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
