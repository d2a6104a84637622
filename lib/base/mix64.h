/* mix64.h - 64 bits well mixed: for hashes, and for random numbers that are asked for by name. */
#ifndef TULLE_MIX64_H
#define TULLE_MIX64_H

#include <stdint.h>
#include <string.h>

/* 2^64 over the golden ratio: steps of it spread out. */
#define TULLE_GOLDEN64 UINT64_C(0x9e3779b97f4a7c15)

/* The finaliser of splitmix64 (Steele, Lea and Flood, 2014): every bit of x moves every bit. */
static inline uint64_t tulle_mix64(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* The state of a hash after one more word. */
static inline uint64_t tulle_hash64(uint64_t state, uint64_t word)
{
    return tulle_mix64((state + TULLE_GOLDEN64) ^ word);
}

/* The same after so many bytes, 8 at a time. */
static inline uint64_t tulle_hash_bytes(uint64_t state, const void *bytes, size_t size)
{
    for (const char *at = (const char *)bytes; size > 0;) {
        uint64_t word = 0;
        size_t piece = size < sizeof word ? size : sizeof word;
        memcpy(&word, at, piece);
        state = tulle_hash64(state, word);
        at += piece;
        size -= piece;
    }
    return state;
}

#endif
