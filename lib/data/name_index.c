/* name_index.c - a sorted array and binary search. */
#include "../base/portability.h"

#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "name_index.h"

static int compare_entries(const void *left, const void *right)
{
    const struct name_entry *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->position > b->position) - (a->position < b->position);
}

int tulle_name_index_init(struct name_index *index, const char *const *names, size_t count)
{
    index->count = count;
    index->entries = tulle_calloc(count, sizeof *index->entries);
    if (!index->entries)
        return 0;
    for (size_t i = 0; i < count; i++)
        index->entries[i] = (struct name_entry){names[i], i};
    qsort(index->entries, count, sizeof *index->entries, compare_entries);
    return 1;
}

void tulle_name_index_clear(struct name_index *index)
{
    tulle_free(index->entries);
    index->entries = NULL;
}

size_t tulle_name_index_find(const struct name_index *index, const char *name,
                             const struct name_entry **found)
{
    size_t low = 0, high = index->count, count = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(index->entries[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = index->entries + low;
    while (low + count < index->count && strcmp(index->entries[low + count].name, name) == 0)
        count++;
    return count;
}
