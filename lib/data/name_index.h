/* name_index.h - many names, found fast. */
#ifndef TULLE_NAME_INDEX_H
#define TULLE_NAME_INDEX_H

#include <stddef.h>

struct name_entry {
    const char *name; /* the caller's, which must outlive the index */
    size_t position;
};

/* The names in alphabetical order, equal ones by position. */
struct name_index {
    struct name_entry *entries;
    size_t count;
};

/* 0 if there is no memory. */
int tulle_name_index_init(struct name_index *index, const char *const *names, size_t count);
void tulle_name_index_clear(struct name_index *index);

/* How many times a name is there; *found is the first of its entries, the others follow. */
size_t tulle_name_index_find(const struct name_index *index, const char *name,
                             const struct name_entry **found);

#endif
