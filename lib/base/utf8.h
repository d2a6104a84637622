/* utf8.h - telling UTF-8 text from other bytes. */
#ifndef TULLE_UTF8_H
#define TULLE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of the character that a text begins with, 1 to 4, and its code point in *code; 0 if
 * they are none. Never looks beyond a NUL, which is a character of one byte. */
size_t tulle_utf8_character(const char *text, uint32_t *code);

int tulle_is_utf8(const char *text);

/* Whether a terminal does something else with the character than show it: control characters, ends
 * of lines and paragraphs, and those that turn the direction of writing round. */
int tulle_is_control(uint32_t code);

#endif
