/* scratch.h - what every fuzz target needs: a folder for the files that the library is to read, and
 * a check that stands in every build. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "../../include/tulle.h"

/* Ends the process, as a finding, unless the condition holds. */
#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)
void check(int holds, const char *condition, const char *file, int line);

/* FOLDER/name in a folder of this process's own, good until the eighth call from now. */
const char *in_scratch(const char *name);
void put_scratch(const char *name, const void *bytes, size_t size);

/* The whole file, freed with free(). */
uint8_t *get_scratch(const char *name, size_t *size);

/* That an error is one clear line: its code, and a message that a terminal can be shown. */
void check_error(enum tulle_status status, const struct tulle_error *error);

/* The two functions of a target; see libFuzzer's documentation. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

/* libFuzzer's own: changes the bytes in place, up to `most` of them, and returns how many. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

#endif
