/* test_json_parse.c - JSON texts: what they are, where they are wrong, and that jansson's own
 * parser reads the same. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef TULLE_WITH_MODEL_FILES

#include "../lib/model/json_text.h"

/* Reads a copy of exactly so many bytes, behind which nothing may be read. */
static json_t *parse(const char *text, size_t length, struct tulle_error *error)
{
    char *copy = malloc(length ? length : 1);
    json_t *json;
    assert_non_null(copy);
    memcpy(copy, text, length);
    enum tulle_status status = tulle_json_parse("text", copy, length, &json, error);
    assert_int_equal(json != NULL, status == TULLE_OK);
    assert_true(status == TULLE_OK || status == TULLE_ERROR_FORMAT);
    free(copy);
    return json;
}

static json_t *parse_like_jansson(const char *text, size_t length)
{
    return json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

static void check_same(const char *text, size_t length)
{
    struct tulle_error error;
    json_t *found = parse(text, length, &error), *expected = parse_like_jansson(text, length);
    if ((found != NULL) != (expected != NULL) || (found && !json_equal(found, expected)))
        fail_msg("not as jansson reads it: %.*s (%s)", (int)length, text,
                 found ? "ok" : error.message);
    json_decref(found);
    json_decref(expected);
}

static void test_values(void **state)
{
    static const char *const texts[] = {
        "{}",
        " [ ] ",
        "{\"a\":1,\"b\":[true,false,null,-2.5e-3]}\n\t\r ",
        "true",
        "null",
        " { \"a\" : 1 , \"b\" : [ 1 , 2 ] , \"c\" : { } } ",
        "0",
        "-0",
        "-0.0",
        "9223372036854775807",
        "-9223372036854775808",
        "0.1",
        "1.7976931348623157e308",
        "1e-999",
        "4.9e-324",
        "12345678901234567890.0",
        "1E+2",
        "\"\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\uD83D\\ude00\"",
        "\"\xc3\xa9\x7f\"",
        "[[[[[[[[[[1]]]]]]]]]]",
        "{\"a\":{\"a\":{\"a\":0}}}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *json = parse(texts[i], strlen(texts[i]), NULL);
        assert_non_null(json);
        json_decref(json);
        check_same(texts[i], strlen(texts[i]));
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "bad text: expected a value at byte 1"},
        {"[1 2]", "bad text: expected ',' or ']' at byte 4"},
        {"{\"a\":1 \"b\"", "bad text: expected ',' or '}' at byte 8"},
        {"{\"a\" 1}", "bad text: expected ':' at byte 6"},
        {"{1:1}", "bad text: expected a member's name at byte 2"},
        {"{\"a\":1,}", "bad text: expected a member's name at byte 8"},
        {"{\"a\":1,\"a\":1}", "bad text: expected a name that was not there before at byte 11"},
        {"[1,]", "bad text: expected a value at byte 4"},
        {"[]]", "bad text: expected the end at byte 3"},
        {"nul", "bad text: expected a value at byte 1"},
        {"NaN", "bad text: expected a value at byte 1"},
        {"01", "bad text: expected the end at byte 2"},
        {"-", "bad text: expected a value at byte 2"},
        {"+1", "bad text: expected a value at byte 1"},
        {"1.", "bad text: expected a value at byte 3"},
        {".5", "bad text: expected a value at byte 1"},
        {"1e", "bad text: expected a value at byte 3"},
        {"1e999", "bad text: expected a number of at most 1.8e308 at byte 6"},
        {"9223372036854775808", "bad text: expected an integer of 64 bits at byte 20"},
        {"-9223372036854775809", "bad text: expected an integer of 64 bits at byte 21"},
        {"\"a", "bad text: expected a string at byte 3"},
        {"\"\n\"", "bad text: expected a string at byte 2"},
        {"\"\\x\"", "bad text: expected a string at byte 3"},
        {"\"\\u00g0\"", "bad text: expected a string at byte 6"},
        {"\"\\u0000\"", "bad text: expected a string at byte 8"},
        {"\"\\ud800\"", "bad text: expected a string at byte 8"},
        {"\"\\ud800\\u0041\"", "bad text: expected a string at byte 14"},
        {"\"\\udc00\"", "bad text: expected a string at byte 8"},
        {"\"\xc3\"", "bad text: expected a string at byte 4"},
        {"\"\xed\xa0\x80\"", "bad text: expected a string at byte 6"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tulle_error error = {.message = ""};
        assert_null(parse(cases[i].text, strlen(cases[i].text), &error));
        assert_int_equal(error.code, TULLE_ERROR_FORMAT);
        assert_string_equal(error.message, cases[i].message);
        assert_null(parse_like_jansson(cases[i].text, strlen(cases[i].text)));
    }
}

/* The first and last code points of each length, and of the two halves that the great ones have. */
static void test_code_points(void **state)
{
    static const char *const escapes[] = {
        "0000",        "0001",        "0042",        "007f",        "0080",        "07ff",
        "0800",        "d7ff",        "d800",        "dbff",        "dc00",        "dfff",
        "e000",        "ffff",        "d800\\udc00", "d800\\udfff", "dbff\\udc00", "dbff\\udfff",
        "d800\\udbff", "d800\\ue000", "d800\\ud800", "dc00\\udc00", "dbffx",       "dbff\\n"};
    (void)state;
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        char text[32];
        check_same(text, (size_t)snprintf(text, sizeof text, "[\"\\u%s\"]", escapes[i]));
    }
}

static void test_depth(void **state)
{
    char text[4096];
    struct tulle_error error = {.message = ""};
    (void)state;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    json_t *json = parse(text, 128, &error);
    assert_non_null(json);
    json_decref(json);
    memset(text, '[', sizeof text);
    assert_null(parse(text, sizeof text, &error));
    assert_non_null(strstr(error.message, "fewer brackets"));
}

/* Texts in which some bytes are others: what jansson takes, and only that. */
static void test_edited(void **state)
{
    static const char whole[] =
        "{\"name\":\"a\\u00e9\\ud83d\\ude00\\n\\\"\xc3\xa9\",\"list\":[1,-2."
        "5e+3,0.125,12345678901234567,true,false,null],\"in\":{\"\":{}}}";
    static const char bytes[] = "{}[]\",:\\u0d8ceE+-.1 9tfn\n\xc3\xa9\xff";
#ifdef TULLE_EMULATED
    enum { TRIES = 2000 };
#else
    enum { TRIES = 100000 };
#endif
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 8);
    for (size_t length = 0; length < sizeof whole; length++)
        check_same(whole, length);
    for (size_t at = 0; at < sizeof whole - 1; at++) { /* a NUL is nothing that may stand there */
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        text[at] = '\0';
        assert_null(parse(text, sizeof whole - 1, NULL));
    }
    for (int i = 0; i < TRIES; i++) {
        char text[sizeof whole];
        size_t length = sizeof whole - 1;
        memcpy(text, whole, sizeof whole);
        for (uint64_t edits = tulle_rng_integer(&rng, 3); edits-- > 0;) {
            size_t at = tulle_rng_integer(&rng, length - 1);
            if (tulle_rng_integer(&rng, 3) > 0)
                text[at] = bytes[tulle_rng_integer(&rng, sizeof bytes - 2)];
            else
                memmove(text + at, text + at + 1, --length - at);
        }
        check_same(text, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_code_points), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_edited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77;
}

#endif
