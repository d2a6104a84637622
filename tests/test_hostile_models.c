/*
 * test_hostile_models.c - the model of each format in tests/data, cut short or with a bit of it
 * flipped: each time it is refused with one line, and with its own bytes back it is a model again.
 * With TULLE_LONG every cut and every bit, else as many as there is time for.
 */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <fcntl.h>
#include <unistd.h>

#include "../lib/base/utf8.h"
#include "edited_model.h"

#if defined(TULLE_EMULATED) || defined(__SANITIZE_ADDRESS__)
enum { BITS_APART = 101, BYTES_APART = 13 };
#else
enum { BITS_APART = 7, BYTES_APART = 3 };
#endif

static const char *const files[] = {"model_v1.tulle", "model_v2.tulle", "model_v3.tulle",
                                    "model_v3_waves.tulle"};
enum { FILES = sizeof files / sizeof *files };

static struct bytes golden_bytes(size_t i)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/data/%s", TULLE_SOURCE_DIR, files[i]);
    return get_bytes(path);
}

/* Refused, for its content, with one line that names it. */
static void refuse(const char *path, const char *damage, size_t at)
{
    struct tulle_error error;
    struct tulle_model *model;
    enum tulle_status status = tulle_model_load(path, &model, &error);
    if (status != TULLE_ERROR_FORMAT || model || strcmp(error.file, path) != 0 ||
        !error.message[0] || strchr(error.message, '\n') || !tulle_is_utf8(error.message))
        fail_msg("%s %zu: status %d, \"%s\"", damage, at, status, error.message);
}

static void test_every_cut(void **state)
{
    (void)state;
    const size_t step = getenv("TULLE_LONG") ? 1 : BYTES_APART;
    size_t count = 0;
    for (size_t i = 0; i < FILES; i++) {
        struct bytes file = golden_bytes(i);
        put_bytes(in_folder("cut"), file.data, file.size);
        for (size_t size = file.size; size-- > 0;) {
            if (size % step != 0)
                continue;
            assert_int_equal(truncate(in_folder("cut"), (off_t)size), 0);
            refuse(in_folder("cut"), "cut short to bytes", size);
            count++;
        }
        free(file.data);
    }
    print_message("%zu cuts refused\n", count);
}

static void test_every_bit(void **state)
{
    (void)state;
    const size_t step = getenv("TULLE_LONG") ? 1 : BITS_APART;
    size_t count = 0;
    for (size_t i = 0; i < FILES; i++) {
        struct bytes file = golden_bytes(i);
        put_bytes(in_folder("flipped"), file.data, file.size);
        int fd = open(in_folder("flipped"), O_WRONLY);
        assert_true(fd >= 0);
        for (size_t bit = 0; bit < file.size * 8; bit += step, count++) {
            const off_t at = (off_t)(bit / 8);
            const unsigned char flipped = file.data[at] ^ (unsigned char)(1u << bit % 8);
            assert_int_equal(pwrite(fd, &flipped, 1, at), 1);
            refuse(in_folder("flipped"), "flipped bit", bit);
            assert_int_equal(pwrite(fd, &file.data[at], 1, at), 1);
        }
        close(fd);
        free(file.data);
        tulle_model_free(load_model(in_folder("flipped")));
    }
    print_message("%zu flipped bits refused\n", count);
}

/* What is there twice, or has something behind it. */
static void test_longer(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        struct bytes file = golden_bytes(i);
        const size_t ends[] = {1, 8, 64, file.size};
        struct bytes longer = {calloc(2 * file.size, 1), 0};
        assert_non_null(longer.data);
        memcpy(longer.data, file.data, file.size);
        memcpy(longer.data + file.size, file.data, file.size);
        for (size_t k = 0; k < 4; k++) {
            longer.size = file.size + ends[k];
            put_bytes(in_folder("longer"), longer.data, longer.size);
            refuse(in_folder("longer"), "longer by bytes", ends[k]);
            put_sealed(in_folder("longer"), longer);
            refuse(in_folder("longer"), "sealed, longer by bytes", ends[k]);
        }
        free(longer.data);
        free(file.data);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(test_every_cut), TEST(test_every_bit),
                                       TEST(test_longer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no model files to refuse */
}

#endif
