/* test_training_bits.c - a model's file, byte for byte, whatever the number of threads and the
 * instruction set. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "training_runs.h"

static void test_same_file(void **state)
{
    static const char *const kernels[] = {NULL, "generic", "avx2"};
    static struct run run;
    (void)state;
    if (getenv("TULLE_KERNELS"))
        skip();
    for (int number = 0; number < RUNS; number++) {
        make_run(&run, number);
        struct bytes expected = bytes_of_run(&run);
        for (size_t k = 0; k < 3; k++)
            for (unsigned threads = 0; threads <= 7; threads += threads < 4 ? 1 : 3) {
                run.options.threads = threads;
                if (kernels[k])
                    setenv("TULLE_KERNELS", kernels[k], 1);
                struct bytes found = bytes_of_run(&run);
                unsetenv("TULLE_KERNELS");
                if (!same_bytes(found, expected))
                    fail_msg("run %d gives another model with %s kernels on %u threads", number,
                             kernels[k] ? kernels[k] : "the best", threads);
                free(found.data);
            }
        free(expected.data);
    }
}

/* Other seeds give other models: the test above compares something. */
static void test_other_seed(void **state)
{
    static struct run run;
    (void)state;
    for (int number = 0; number < RUNS; number++) {
        make_run(&run, number);
        struct bytes a = bytes_of_run(&run);
        run.options.seed++;
        struct bytes b = bytes_of_run(&run);
        assert_false(same_bytes(a, b));
        free(a.data);
        free(b.data);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(test_same_file), TEST(test_other_seed)};
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
