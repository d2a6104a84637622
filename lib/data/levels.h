/*
 * levels.h - the different texts of a categorical column, numbered as they first come: a hash table
 * that grows with them. Its memory is some 25 bytes a level beside the text.
 */
#ifndef TULLE_LEVELS_H
#define TULLE_LEVELS_H

#include <stdint.h>

#include "../base/status.h"

struct level_slot;
struct text_block;

/* All zeros is one that is not initialised, which may be cleared. */
struct level_set {
    struct tulle_levels levels; /* the texts stay where they are, the array of them moves */
    size_t capacity;            /* of levels.names */
    struct level_slot *slots;   /* (slot_count) */
    size_t slot_count;          /* a power of two */
    uint64_t key;               /* of the hashes */
    struct text_block *text;    /* where names are kept */
};

/* levels.names is not NULL from here on. 0 if there is no memory: it is then all zeros. */
int tulle_level_set_init(struct level_set *set);
void tulle_level_set_clear(struct level_set *set);

/* *level = the number of text[0..length), which has no NUL; a new level if there is none of that
 * text yet. TULLE_ERROR_DATA if it is not UTF-8: it is then not added. */
enum tulle_status tulle_level_set_add(struct level_set *set, const char *text, size_t length,
                                      size_t *level);

/* Whether a text holds blanks alone, or nothing: as a cell it would be missing, and is no level. */
int tulle_is_blank(const char *text);

/* A copy whose names, with their texts, are one block: tulle_free((void *)copy->names). NULL stays
 * NULL. 0 if there is no memory. */
int tulle_levels_copy(struct tulle_levels *copy, const struct tulle_levels *levels);

#endif
