/*
 * rng.c - MT19937 and the draws that NumPy's legacy generator makes from it.
 *
 * M. Matsumoto, T. Nishimura: Mersenne Twister: a 623-dimensionally equidistributed uniform
 * pseudo-random number generator, ACM TOMACS 8 (1998); seeding as in their revision of 2002.
 */
#include "portability.h"

#include "../../include/tulle.h"

enum { N = 624, M = 397 };

void tulle_rng_seed(struct tulle_rng *rng, uint32_t seed)
{
    rng->state[0] = seed;
    for (uint32_t i = 1; i < N; i++)
        rng->state[i] = 1812433253u * (rng->state[i - 1] ^ rng->state[i - 1] >> 30) + i;
    rng->position = N;
}

/* The next word of the recurrence: the top bit of one word joined to the rest of the next. */
static uint32_t twist(uint32_t upper, uint32_t lower, uint32_t far)
{
    uint32_t y = (upper & 0x80000000u) | (lower & 0x7fffffffu);
    return far ^ y >> 1 ^ (lower & 1 ? 0x9908b0dfu : 0);
}

static void refill(struct tulle_rng *rng)
{
    uint32_t *s = rng->state;
    for (int i = 0; i < N - M; i++)
        s[i] = twist(s[i], s[i + 1], s[i + M]);
    for (int i = N - M; i < N - 1; i++)
        s[i] = twist(s[i], s[i + 1], s[i + M - N]);
    s[N - 1] = twist(s[N - 1], s[0], s[M - 1]);
    rng->position = 0;
}

uint32_t tulle_rng_next(struct tulle_rng *rng)
{
    if (rng->position >= N)
        refill(rng);
    uint32_t y = rng->state[rng->position++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

double tulle_rng_uniform(struct tulle_rng *rng)
{
    uint32_t high = tulle_rng_next(rng) >> 5; /* 27 bits */
    uint32_t low = tulle_rng_next(rng) >> 6;  /* 26 bits */
    return (high * 67108864.0 + low) / 9007199254740992.0;
}

uint64_t tulle_rng_integer(struct tulle_rng *rng, uint64_t maximum)
{
    uint64_t mask = maximum, value;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    if (maximum == 0)
        return 0;
    do {
        value = maximum > UINT32_MAX ? (uint64_t)tulle_rng_next(rng) << 32 : 0;
        value = (value | tulle_rng_next(rng)) & mask;
    } while (value > maximum);
    return value;
}

void tulle_rng_shuffle(struct tulle_rng *rng, size_t *items, size_t count)
{
    for (size_t i = count; i-- > 1;) {
        size_t j = (size_t)tulle_rng_integer(rng, i);
        size_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}
