/* test_status.c - error messages: one line of UTF-8, whatever names and cells are quoted in it. */
#include "../lib/base/portability.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/status.h"
#include "../lib/base/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_characters(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        uint32_t code;
    } cases[] = {
        {"", 1, 0},
        {"a", 1, 'a'},
        {"\x7f", 1, 0x7f},
        {"\xc2\x80", 2, 0x80},
        {"\xdf\xbf", 2, 0x7ff},
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xed\x9f\xbf", 3, 0xd7ff},
        {"\xee\x80\x80", 3, 0xe000},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
        {"\x80", 0, 0},             /* no beginning */
        {"\xc1\xbf", 0, 0},         /* overlong */
        {"\xe0\x9f\xbf", 0, 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0, 0}, /* overlong */
        {"\xed\xa0\x80", 0, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0, 0}, /* beyond the last */
        {"\xf5\x80\x80\x80", 0, 0},
        {"\xff", 0, 0},
        {"\xc3", 0, 0},         /* cut short */
        {"\xe2\x82", 0, 0},     /* cut short */
        {"\xf0\x9f\x8c", 0, 0}, /* cut short */
        {"\xe2\x82z", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t code;
        assert_int_equal(tulle_utf8_character(cases[i].text, &code), cases[i].length);
        if (cases[i].length > 0)
            assert_int_equal(code, cases[i].code);
        assert_int_equal(tulle_is_utf8(cases[i].text), cases[i].length > 0);
    }
}

static void test_controls(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a\nb\x1b[31m\x7f", "a?b?[31m?"},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb7", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb7"},
        {"\xc2\x80x\xc2\x9b[31m\xc2\x9f\xc2\xa0", "?x?[31m?\xc2\xa0"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf", "\xe2\x80\xa7??\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5??\xe2\x81\xaa"},
        {"caf\xe9!", "caf?!"},
        {"\x9b[31m", "?[31m"},
        {"\xe2\x82", "??"},
        {"\xed\xa0\x80", "???"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tulle_error error;
        tulle_fail_at(&error, TULLE_ERROR_DATA, cases[i].text, 0, 0, "%s", cases[i].text);
        assert_string_equal(error.message, cases[i].expected);
        assert_string_equal(error.file, cases[i].expected);
    }
}

/* The end of the buffer, at every place within a character. */
static void test_cut(void **state)
{
    (void)state;
    for (size_t before = 0; before < 4; before++) {
        char text[1024];
        struct tulle_error error;
        memset(text, 'x', before);
        for (size_t i = before; i + 4 < sizeof text; i += 4)
            memcpy(text + i, "\xf0\x9f\x8c\xb7", 5);
        tulle_fail_at(&error, TULLE_ERROR_DATA, text, 1, 1, "%s", text);
        assert_true(tulle_is_utf8(error.message) && tulle_is_utf8(error.file));
        assert_int_equal(strlen(error.message), sizeof error.message - 1);
        size_t whole = before + (sizeof error.message - 1 - before) / 4 * 4;
        assert_memory_equal(error.message, text, whole);
        for (size_t i = whole; error.message[i]; i++)
            assert_int_equal(error.message[i], '?');
    }
}

static void test_no_column(void **state)
{
    static char name[300];
    const char *names[] = {"rooms", "price", name};
    const char *const long_first[] = {name, "rooms"};
    struct tulle_error error;
    (void)state;
    memset(name, 'n', sizeof name - 1);
    assert_int_equal(tulle_fail_no_column(&error, "t.csv", "rom", names, 2), TULLE_ERROR_DATA);
    assert_string_equal(error.message, "no column 'rom'; did you mean 'rooms'?");
    tulle_fail_no_column(&error, "t.csv", "elephant", names, 1);
    assert_string_equal(error.message, "no column 'elephant'; there is rooms");
    tulle_fail_no_column(&error, "t.csv", "elephant", names, 2);
    assert_string_equal(error.message, "no column 'elephant'; there are rooms, price");
    tulle_fail_no_column(&error, "t.csv", "elephant", names, 3);
    assert_string_equal(error.message, "no column 'elephant'; there are rooms, price, ...");
    tulle_fail_no_column(&error, "t.csv", "elephant", long_first, 2);
    assert_string_equal(error.message, "no column 'elephant'");
}

static void test_texts(void **state)
{
    struct tulle_error error;
    (void)state;
#define ASSERT_TEXT(name, value, text) assert_string_equal(tulle_status_text(TULLE_##name), text);
    TULLE_STATUS_LIST(ASSERT_TEXT)
    assert_string_equal(tulle_status_text((enum tulle_status)99), "unknown status");
    /* What the C library makes of a number that is no error differs. */
    assert_int_equal(tulle_fail_errno(&error, "t.csv", "cannot read", 123456), TULLE_ERROR_IO);
    assert_string_equal(error.file, "t.csv");
    assert_non_null(strstr(error.message, "123456"));
    assert_int_equal(tulle_fail_errno(&error, "t.csv", "cannot read", ENOMEM), TULLE_ERROR_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters), cmocka_unit_test(test_controls),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_no_column),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
