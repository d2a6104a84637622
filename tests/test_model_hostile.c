/* test_model_hostile.c - files that are no model, or no longer one: all are refused with one line
 * that names the file. */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "edited_model.h"

static void test_no_model(void **state)
{
    (void)state;
    unsigned char noise[5000];
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)tulle_rng_next(&rng);
    static const char text[] = "longitude,latitude,rooms\n1,2,3\n4,5,6\n7,8,9\n10,11,12\n13,14,15\n"
                               "16,17,18\n19,20,21\n22,23,24\n25,26,27\n28,29,30\n31,32,33\n";
    static const char other[] = "\x58\0\0\0\0\0\0\0"
                                "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\","
                                "\"shape\":[8],\"data_offsets\":[0,32]}}         "
                                "01234567890123456789012345678901";
    put_bytes(in_folder("empty"), "", 0);
    put_bytes(in_folder("short"), "tulle", 5);
    put_bytes(in_folder("text"), text, sizeof text - 1);
    put_bytes(in_folder("noise"), noise, sizeof noise);
    put_bytes(in_folder("other"), other, sizeof other - 1);
    assert_refused(in_folder("empty"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("short"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("text"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("noise"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("other"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("."), TULLE_ERROR_FORMAT, "a folder, expected a model file");
    assert_refused(in_folder("none"), TULLE_ERROR_IO, "cannot open: No such file or directory");
    assert_int_equal(mkfifo(in_folder("pipe"), 0666), 0);
    assert_refused(in_folder("pipe"), TULLE_ERROR_FORMAT, "not a regular file");
    assert_refused("/dev/zero", TULLE_ERROR_FORMAT, "not a regular file");
}

static void test_cut_short(void **state)
{
    (void)state;
    struct bytes file = example_bytes();
    const size_t needed = 61 + strlen("\",\"format\":\"tulle\",\"format_version\":\"") + 8;
    for (size_t size = 0; size < file.size; size++) {
        put_bytes(in_folder("cut"), file.data, size);
        assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT,
                       size < needed              ? "cut short: it has only"
                       : size < data_offset(file) ? "cut short or damaged: its header should"
                                                  : "cut short or damaged: its tensors take");
    }
    struct bytes longer = {realloc(file.data, file.size + 4), file.size + 4};
    assert_non_null(longer.data);
    memset(longer.data + file.size, 0, 4);
    put_sealed(in_folder("cut"), longer);
    assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "take 36 bytes, but 40 are there");
    longer.size -= 8;
    put_sealed(in_folder("cut"), longer);
    assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "take 36 bytes, but 32 are there");
    free(longer.data);

    file = bytes_of(rich_model());
    for (; file.size > 0; file.size -= file.size < 13 ? file.size : 13) {
        put_bytes(in_folder("cut"), file.data, file.size - 1);
        assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "cut short");
    }
    free(file.data);
}

/* Flips one bit in every so many of in_folder("example"). */
static void flip_bits(struct bytes file, size_t distance)
{
    int fd = open(in_folder("example"), O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < file.size * 8; i += distance) {
        unsigned char flipped = file.data[i / 8] ^ (unsigned char)(1u << i % 8);
        struct tulle_error error;
        struct tulle_model *model;
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(i / 8)), 1);
        enum tulle_status status = tulle_model_load(in_folder("example"), &model, &error);
        if (status != TULLE_ERROR_FORMAT && status != TULLE_ERROR_VERSION)
            fail_msg("bit %zu of byte %zu: %d", i % 8, i / 8, status);
        assert_int_equal(pwrite(fd, &file.data[i / 8], 1, (off_t)(i / 8)), 1);
    }
    close(fd);
    struct tulle_model *model;
    assert_int_equal(tulle_model_load(in_folder("example"), &model, NULL), TULLE_OK);
    tulle_model_free(model);
    free(file.data);
}

static void test_every_flipped_bit(void **state)
{
    (void)state;
    flip_bits(example_bytes(), 1);
    flip_bits(bytes_of(rich_model()), 11);
}

#define VERSION "\"format_version\":\"3\""

static void test_versions(void **state)
{
    (void)state;
    const struct {
        const char *to;
        enum tulle_status status; /* of a file whose checksum is right */
        const char *part;
    } cases[] = {
        {"\"format_version\":\"4\"", TULLE_ERROR_VERSION, "model format 4 is newer"},
        {"\"format_version\":\"999\"", TULLE_ERROR_VERSION, "model format 999 is newer"},
        {"\"format_version\":\"10\"", TULLE_ERROR_VERSION, "model format 10 is newer"},
        {"\"format_version\":\"9999999\"", TULLE_ERROR_VERSION, "model format 9999999 is newer"},
        {"\"format_version\":\"99999999\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"0\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"01\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"-1\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"1.5\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"99999999999\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\": \"3\"", TULLE_ERROR_FORMAT, "not a Tulle model"},
        {"\"format_version\":3", TULLE_ERROR_FORMAT, "not a Tulle model"},
    };
    struct bytes file = example_bytes();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes other = edited(file, VERSION, cases[i].to);
        const int is_newer = cases[i].status == TULLE_ERROR_VERSION;
        put_bytes(in_folder("other"), other.data, other.size);
        assert_refused(in_folder("other"), TULLE_ERROR_FORMAT,
                       is_newer ? "its checksum does not match" : cases[i].part);
        put_sealed(in_folder("other"), other);
        assert_refused(in_folder("other"), cases[i].status, cases[i].part);
        free(other.data);
    }
    free(file.data);
}

static void test_header_lengths(void **state)
{
    (void)state;
    struct bytes file = example_bytes();
    const uint64_t right = data_offset(file) - 8;
    const uint64_t lengths[] = {56,
                                0,
                                1,
                                7,
                                8,
                                63,
                                64,
                                right - 1,
                                right + 1,
                                right + 64,
                                right + 36,
                                right + 37,
                                1 << 30,
                                1ull << 32,
                                1ull << 63,
                                UINT64_MAX,
                                UINT64_MAX - 7,
                                right - 64};
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        for (int i = 0; i < 8; i++)
            file.data[i] = (unsigned char)(lengths[n] >> 8 * i);
        put_sealed(in_folder("length"), file);
        assert_refused(in_folder("length"), TULLE_ERROR_FORMAT, "");
    }
    free(file.data);

    /* A newer version may have other rules. */
    file = example_bytes();
    struct bytes newer = edited(file, VERSION, "\"format_version\":\"4\"");
    newer.data[0] ^= 1;
    put_sealed(in_folder("length"), newer);
    assert_refused(in_folder("length"), TULLE_ERROR_VERSION, "model format 4 is newer");
    free(newer.data);
    free(file.data);
}

static void test_parameters_not_finite(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    struct bytes file = example_bytes();
    for (size_t at = data_offset(file); at < file.size; at += sizeof(float)) {
        unsigned char saved[sizeof(float)];
        memcpy(saved, file.data + at, sizeof saved);
        for (int i = 0; i < 3; i++) {
            memcpy(file.data + at, &bad[i], sizeof bad[i]);
            put_sealed(in_folder("bad"), file);
            assert_refused(in_folder("bad"), TULLE_ERROR_FORMAT, "not finite");
        }
        memcpy(file.data + at, saved, sizeof saved);
    }
    free(file.data);
}

/* A parser that calls itself must have a limit. */
static void test_deep_nesting(void **state)
{
    (void)state;
    struct bytes file = example_bytes();
    size_t depth = 1000000;
    char *brackets = malloc(depth + 32);
    assert_non_null(brackets);
    const char *const before[] = {"\"model\":\"", "\"layers.0.weight\":"};
    for (int i = 0; i < 2; i++) {
        strcpy(brackets, before[i]);
        memset(brackets + strlen(before[i]), '[', depth);
        brackets[strlen(before[i]) + depth] = '\0';
        struct bytes trap = edited(file, before[i], brackets);
        put_sealed(in_folder("deep"), trap);
        free(trap.data);
        assert_refused(in_folder("deep"), TULLE_ERROR_FORMAT, "fewer brackets");
    }
    free(brackets);
    free(file.data);
}

/* Huge on paper only: it must be neither held in memory nor read to its end. */
static void test_sparse(void **state)
{
    (void)state;
    free(example_bytes().data);
    if (truncate(in_folder("example"), (off_t)1 << 40) != 0)
        skip();
    assert_refused(in_folder("example"), TULLE_ERROR_FORMAT, "take 36 bytes");
    int fd = open(in_folder("example"), O_WRONLY);
    assert_int_equal(pwrite(fd, "\xf8\xff\xff\x3f", 4, 0), 4);
    close(fd);
    assert_refused(in_folder("example"), TULLE_ERROR_FORMAT, "a header of 1073741816 bytes");
    put_bytes(in_folder("zeros"), "", 0);
    assert_int_equal(truncate(in_folder("zeros"), (off_t)1 << 40), 0);
    assert_refused(in_folder("zeros"), TULLE_ERROR_FORMAT, "not a Tulle model");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_no_model),
        TEST(test_cut_short),
        TEST(test_versions),
        TEST(test_every_flipped_bit),
        TEST(test_header_lengths),
        TEST(test_sparse),
        TEST(test_parameters_not_finite),
        TEST(test_deep_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no model files to refuse */
}

#endif
