/*
 * json_parse.c - a text as jansson's values.
 *
 * Not by jansson's own parser: that one, when an allocation fails, complains of the syntax, leaves
 * out a character without a word, or stops at an assertion (2.14). What makes its values does say
 * when there is no memory.
 */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/utf8.h"
#include "../data/number.h"
#include "json_text.h"

enum { DEEPEST = 64 }; /* more than any file of ours has */

struct parser {
    const char *at, *end;
    char *text; /* the last string, with a NUL; room for any of them, in place of its quotes */
    int depth;
    const char *wrong; /* with what is at `at`; NULL where there was no memory */
};

/* No value. */
static json_t *refuse(struct parser *p, const char *wrong)
{
    p->wrong = wrong;
    return NULL;
}

static int is_next(const struct parser *p, char c)
{
    return p->at < p->end && *p->at == c;
}

static int skip(struct parser *p, char c)
{
    int is_there = is_next(p, c);
    p->at += is_there;
    return is_there;
}

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && memchr(" \t\n\r", *p->at, 4))
        p->at++;
}

/* --- Strings --------------------------------------------------------------------------------- */

/* The four digits of "\u00e9"; -1 if they are not there. */
static long read_hex(struct parser *p)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    long code = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = p->at < p->end ? memchr(digits, *p->at, 32) : NULL;
        if (!digit)
            return -1;
        code = code * 16 + (digit - digits) % 16;
        p->at++;
    }
    return code;
}

static char *put_utf8(char *to, long code)
{
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(first[more] | code >> 6 * more);
    while (more-- > 0)
        *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

/* What follows "\u"; NULL if it is no character, or the one that ends strings in C. */
static char *read_code(struct parser *p, char *to)
{
    long code = read_hex(p);
    if (code >= 0xd800 && code < 0xdc00) { /* the first half of one beyond 0xffff */
        long rest = skip(p, '\\') && skip(p, 'u') ? read_hex(p) : -1;
        if (rest < 0xdc00 || rest > 0xdfff)
            return NULL;
        code = 0x10000 + code % 1024 * 1024 + rest % 1024;
    } else if (code <= 0 || (code >= 0xdc00 && code < 0xe000)) {
        return NULL;
    }
    return put_utf8(to, code);
}

/* What follows a backslash. */
static char *read_escape(struct parser *p, char *to)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = p->at < p->end ? memchr(names, *p->at, sizeof names - 1) : NULL;
    if (skip(p, 'u'))
        return read_code(p, to);
    if (!name)
        return NULL;
    p->at++;
    *to++ = meanings[name - names];
    return to;
}

/* From after the quote to after the other one, into p->text; 0 if it is no string. */
static int read_text(struct parser *p, size_t *length)
{
    char *to = p->text;
    while (to && p->at < p->end && *p->at != '"' && (unsigned char)*p->at >= ' ') {
        char c = *p->at++;
        if (c == '\\')
            to = read_escape(p, to);
        else
            *to++ = c;
    }
    if (!to || !skip(p, '"'))
        return 0;
    *to = '\0';
    *length = (size_t)(to - p->text);
    return tulle_is_utf8(p->text);
}

static json_t *read_string(struct parser *p)
{
    size_t length;
    if (!read_text(p, &length))
        return refuse(p, "expected a string");
    return json_stringn_nocheck(p->text, length);
}

/* --- Numbers and words ----------------------------------------------------------------------- */

/* Returns how many there are. */
static size_t skip_digits(struct parser *p)
{
    const char *begin = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
        p->at++;
    return (size_t)(p->at - begin);
}

static json_t *make_integer(struct parser *p, const char *at)
{
    int is_negative = *at == '-';
    json_int_t value = 0; /* as a negative number, of which there is one more */
    for (at += is_negative; at < p->at; at++) {
        int digit = *at - '0';
        if (value < (LLONG_MIN + digit) / 10)
            return refuse(p, "expected an integer of 64 bits");
        value = value * 10 - digit;
    }
    if (!is_negative && value == LLONG_MIN)
        return refuse(p, "expected an integer of 64 bits");
    return json_integer(is_negative ? value : -value);
}

static json_t *read_number(struct parser *p)
{
    const char *begin = p->at;
    double value;
    int is_real = 0;
    skip(p, '-');
    int is_number = skip(p, '0') || skip_digits(p) > 0;
    if (is_number && skip(p, '.')) {
        is_real = 1;
        is_number = skip_digits(p) > 0;
    }
    if (is_number && (skip(p, 'e') || skip(p, 'E'))) {
        is_real = 1;
        if (!skip(p, '-'))
            skip(p, '+');
        is_number = skip_digits(p) > 0;
    }
    if (!is_number)
        return refuse(p, "expected a value");
    if (!is_real)
        return make_integer(p, begin);
    tulle_number_scan(begin, p->at, &value);
    return isfinite(value) ? json_real(value) : refuse(p, "expected a number of at most 1.8e308");
}

static json_t *read_word(struct parser *p)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(p->end - p->at) >= length && memcmp(p->at, words[i], length) == 0) {
            p->at += length;
            return i == 0 ? json_true() : i == 1 ? json_false() : json_null();
        }
    }
    return read_number(p);
}

/* --- Arrays and objects ---------------------------------------------------------------------- */

static json_t *read_value(struct parser *p);

static int read_item(struct parser *p, json_t *array)
{
    json_t *item = read_value(p);
    return item && json_array_append_new(array, item) == 0;
}

static int read_member(struct parser *p, json_t *object)
{
    size_t length;
    skip_blanks(p);
    if (!skip(p, '"') || !read_text(p, &length)) {
        refuse(p, "expected a member's name");
        return 0;
    }
    if (json_object_get(object, p->text)) {
        refuse(p, "expected a name that was not there before");
        return 0;
    }
    char *name = tulle_strdup(p->text); /* which the value may overwrite */
    if (!name)
        return 0;
    skip_blanks(p);
    json_t *value = skip(p, ':') ? read_value(p) : refuse(p, "expected ':'");
    int is_read = value && json_object_set_new_nocheck(object, name, value) == 0;
    tulle_free(name);
    return is_read;
}

/* Up to the bracket that closes it; 0 if that, or a part, is not there. */
static int read_parts(struct parser *p, json_t *whole, char close,
                      int (*read_part)(struct parser *p, json_t *whole))
{
    skip_blanks(p);
    if (skip(p, close))
        return 1;
    do {
        if (!read_part(p, whole))
            return 0;
        skip_blanks(p);
    } while (skip(p, ','));
    if (!is_next(p, close))
        refuse(p, close == ']' ? "expected ',' or ']'" : "expected ',' or '}'");
    return skip(p, close);
}

/* What follows the bracket that opens it; `whole` is empty as yet, or NULL. */
static json_t *read_whole(struct parser *p, json_t *whole, char close,
                          int (*read_part)(struct parser *p, json_t *whole))
{
    if (++p->depth > DEEPEST)
        refuse(p, "expected fewer brackets within each other");
    else if (whole && read_parts(p, whole, close, read_part)) {
        p->depth--;
        return whole;
    }
    json_decref(whole);
    return NULL;
}

/* NULL, with p->wrong set or left, if there is none or no memory. */
static json_t *read_value(struct parser *p)
{
    skip_blanks(p);
    if (skip(p, '{'))
        return read_whole(p, json_object(), '}', read_member);
    if (skip(p, '['))
        return read_whole(p, json_array(), ']', read_item);
    return skip(p, '"') ? read_string(p) : read_word(p);
}

enum tulle_status tulle_json_parse(const char *part, const char *text, size_t length, json_t **json,
                                   struct tulle_error *error)
{
    struct parser p = {.at = text, .end = text + length};
    *json = NULL;
    p.text = tulle_calloc(length, 1);
    if (!p.text)
        return tulle_fail_memory(error);
    json_t *value = read_value(&p);
    if (value)
        skip_blanks(&p);
    if (value && p.at < p.end) {
        refuse(&p, "expected the end");
        json_decref(value);
        value = NULL;
    }
    tulle_free(p.text);
    *json = value;
    if (p.wrong)
        return tulle_fail(error, TULLE_ERROR_FORMAT, "bad %s: %s at byte %zu", part, p.wrong,
                          (size_t)(p.at - text) + 1);
    return value ? TULLE_OK : tulle_fail_memory(error);
}

#endif
