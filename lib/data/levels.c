/* levels.c - open addressing over the hashes, texts in blocks that are never moved. */
#include "../base/portability.h"

#include <string.h>
#include <time.h>

#include "../base/memory.h"
#include "../base/utf8.h"
#include "levels.h"

/* The hash beside the number spares nearly all looks at texts that are others. */
struct level_slot {
    uint32_t hash;
    uint32_t number; /* the level's, from 1; 0: the slot is empty */
};

struct text_block {
    struct text_block *previous;
    size_t used, size;
    char text[];
};

enum { FIRST_CAPACITY = 8, FIRST_BLOCK = 256, LARGEST_BLOCK = 1 << 20 };

/* The product of two sums with halves of the key: of two words that were chosen without knowing it
 * the products are equal once in 2^32 keys (Black et al., UMAC: fast and secure message
 * authentication, 1999). */
static uint64_t mix(uint64_t key, uint64_t word)
{
    const uint32_t low = (uint32_t)word + (uint32_t)key;
    const uint32_t high = (uint32_t)(word >> 32) + (uint32_t)(key >> 32);
    return (uint64_t)low * high;
}

static uint64_t spread(uint64_t bits)
{
    const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / the golden ratio (Knuth, 1973) */
    bits *= odd;
    return (bits ^ bits >> 32) * odd;
}

/* Eight bytes at a time. */
static uint32_t hash_text(uint64_t key, const char *text, size_t length)
{
    uint64_t hash = length, word;
    for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = mix(key, hash ^ word);
    }
    word = 0;
    for (size_t i = 0; i < length; i++)
        word = word << 8 | (unsigned char)text[i];
    return (uint32_t)(spread(mix(key, hash ^ word)) >> 32);
}

/* From the time and from where memory lies, as no one knows who makes a table: names chosen to fall
 * into one slot would take time with the square of their number. Levels are numbered as they come,
 * so that no result shows the key. */
static uint64_t draw_key(const void *block)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    uint64_t key = spread((uint64_t)now.tv_sec ^ (uint64_t)now.tv_nsec << 32);
    key = spread(key ^ (uintptr_t)block);
    return spread(key ^ (uintptr_t)&now);
}

/* Where the text is, or the empty slot where it belongs. */
static struct level_slot *find_slot(const struct level_set *set, uint32_t hash, const char *text,
                                    size_t length)
{
    size_t mask = set->slot_count - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct level_slot *slot = &set->slots[i];
        if (slot->number == 0)
            return slot;
        if (slot->hash == hash) {
            const char *name = set->levels.names[slot->number - 1];
            if (strlen(name) == length && memcmp(name, text, length) == 0)
                return slot;
        }
    }
}

/* Twice the slots, each level to the first that is free. */
static int grow_slots(struct level_set *set)
{
    struct level_slot *old = set->slots;
    size_t count = 2 * set->slot_count; /* of slots that are in memory: no overflow */
    struct level_slot *slots = tulle_calloc(count, sizeof *slots);
    if (!slots)
        return 0;
    for (size_t i = 0; i < set->slot_count; i++) {
        size_t to = old[i].hash & (count - 1);
        if (old[i].number == 0)
            continue;
        while (slots[to].number != 0)
            to = (to + 1) & (count - 1);
        slots[to] = old[i];
    }
    tulle_free(old);
    set->slots = slots;
    set->slot_count = count;
    return 1;
}

/* Room for one more level, with at least half of the slots empty. */
static int make_room(struct level_set *set)
{
    if (set->levels.count == set->capacity) {
        size_t capacity = 2 * set->capacity;
        void *names =
            tulle_realloc_array((void *)set->levels.names, capacity, sizeof *set->levels.names);
        if (!names)
            return 0;
        set->levels.names = names;
        set->capacity = capacity;
    }
    return set->levels.count < UINT32_MAX - 1 && /* not covered: some 200 GB of names */
           (set->levels.count < set->slot_count / 2 || grow_slots(set));
}

/* The text with a NUL behind it, where nothing is kept yet; NULL if there is no memory. */
static char *place_text(struct level_set *set, const char *text, size_t length)
{
    struct text_block *block = set->text;
    if (!block || block->size - block->used <= length) {
        size_t size = block && block->size < LARGEST_BLOCK ? 2 * block->size : LARGEST_BLOCK;
        size = !block ? FIRST_BLOCK : size;
        size = length < size ? size : length + 1; /* of a text in memory: no overflow */
        block = tulle_realloc_array(NULL, 1, sizeof *block + size);
        if (!block)
            return NULL;
        *block = (struct text_block){set->text, 0, size};
        set->text = block;
    }
    char *to = block->text + block->used;
    memcpy(to, text, length);
    to[length] = '\0';
    return to;
}

enum tulle_status tulle_level_set_add(struct level_set *set, const char *text, size_t length,
                                      size_t *level)
{
    uint32_t hash = hash_text(set->key, text, length);
    struct level_slot *slot = find_slot(set, hash, text, length);
    if (slot->number > 0) {
        *level = slot->number - 1;
        return TULLE_OK;
    }
    char *name = place_text(set, text, length);
    if (!name || !make_room(set))
        return TULLE_ERROR_MEMORY;
    if (!tulle_is_utf8(name))
        return TULLE_ERROR_DATA;
    set->text->used += length + 1;
    *level = set->levels.count++;
    ((const char **)set->levels.names)[*level] = name;
    *find_slot(set, hash, text, length) = (struct level_slot){hash, (uint32_t)*level + 1};
    return TULLE_OK;
}

int tulle_level_set_init(struct level_set *set)
{
    *set = (struct level_set){.capacity = FIRST_CAPACITY, .slot_count = 2 * (size_t)FIRST_CAPACITY};
    set->levels.names = tulle_calloc(set->capacity, sizeof *set->levels.names);
    set->slots = tulle_calloc(set->slot_count, sizeof *set->slots);
    set->key = draw_key(set->slots);
    if (set->levels.names && set->slots)
        return 1;
    tulle_level_set_clear(set);
    return 0;
}

void tulle_level_set_clear(struct level_set *set)
{
    while (set->text) {
        struct text_block *previous = set->text->previous;
        tulle_free(set->text);
        set->text = previous;
    }
    tulle_free((void *)set->levels.names);
    tulle_free(set->slots);
    *set = (struct level_set){0};
}

int tulle_is_blank(const char *text)
{
    return text[strspn(text, " \t")] == '\0';
}

int tulle_levels_copy(struct tulle_levels *copy, const struct tulle_levels *levels)
{
    *copy = (struct tulle_levels){0};
    if (!levels->names)
        return 1;
    size_t bytes = levels->count * sizeof *levels->names;
    for (size_t i = 0; i < levels->count; i++)
        bytes += strlen(levels->names[i]) + 1;
    const char **names = tulle_realloc_array(NULL, bytes, 1);
    if (!names)
        return 0;
    char *text = (char *)(names + levels->count);
    for (size_t i = 0; i < levels->count; i++) {
        names[i] = text;
        size_t size = strlen(levels->names[i]) + 1;
        memcpy(text, levels->names[i], size);
        text += size;
    }
    *copy = (struct tulle_levels){names, levels->count};
    return 1;
}
