/* failing_memory.h - memory that fails where a test wants it to: the library's own, jansson's,
 * xxHash's and what a thread takes. It counts what is held and knows its blocks' alignment. */
#ifndef FAILING_MEMORY_H
#define FAILING_MEMORY_H

#include "../include/tulle.h"

/* For cmocka's set-up and teardown of a group: nothing of the library may be alive. */
int use_failing_memory(void **state);
int use_usual_memory(void **state);

/* Blocks and bytes that are held. */
struct held {
    size_t blocks, bytes;
};
struct held held_memory(void);

/* The most bytes that were held at a time since the last call. */
size_t peak_memory(void);

/* From now on allocation number n fails, from 1, and if it `persists` all that come after. */
void fail_allocations(size_t n, int persists);

/* Whence no allocation fails any more; returns how many did. */
size_t stop_failing(void);

/* What is tried, and what must be true whether it succeeded or not. */
struct operation {
    const char *name;
    /* Alone it runs under failures. Error is NULL where the call has none to fill in. */
    enum tulle_status (*run)(struct tulle_error *error);
    int has_no_error;
    int is_slow; /* it syncs files */
    /* That there is the right result or none, and that the objects are as good as before; frees
     * what run made. */
    void (*check)(enum tulle_status status);
};

/* Fails allocation 1, 2, 3, ... of the operation until it runs without a failure, each alone, and
 * then all from it on. Each time it must succeed, or fail with TULLE_ERROR_MEMORY and its message,
 * and after its check hold as much memory as before. Of a slow one, and under an emulator, those
 * beyond the first are a sample, unless TULLE_LONG is set. */
void torture(const struct operation *operation);

#endif
