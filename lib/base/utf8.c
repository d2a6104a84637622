/* utf8.c - RFC 3629: neither overlong forms nor surrogates are characters. */
#include "portability.h"

#include "utf8.h"

size_t tulle_utf8_character(const char *text, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    *code = s[0];
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    size_t more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
    *code &= 0x3fu >> more;
    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    int is_surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < smallest[more] || *code > 0x10ffff || is_surrogate ? 0 : more + 1;
}

int tulle_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

int tulle_is_utf8(const char *text)
{
    while (*text) {
        uint32_t code;
        size_t length = tulle_utf8_character(text, &code);
        if (length == 0)
            return 0;
        text += length;
    }
    return 1;
}
