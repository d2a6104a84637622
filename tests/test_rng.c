/*
 * test_rng.c - the generator's draws are those of NumPy's legacy generator.
 *
 * All expected numbers come from NumPy. With r = numpy.random.RandomState(seed) made anew for each:
 * words from r._bit_generator.random_raw(2000), uniforms from r.rand(1000), integers from
 * r.randint(0, maximum + 1, 3, dtype=numpy.uint64), shuffles from r.shuffle(numpy.arange(n)).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../include/tulle.h"

enum { SEEDS = 4, BOUNDS = 10, MANY = 1000 };

static const struct {
    uint32_t seed;
    uint32_t first[4], word_623, word_624, word_1999; /* counted from 0 */
    double uniform_0, uniform_1, uniform_999;
    size_t ten[10];         /* 0..9 shuffled */
    size_t two[2];          /* 0..1 shuffled */
    uint32_t thousand_hash; /* of 0..999 shuffled, see hash_items */
    uint32_t after_thousand;
} expected[SEEDS] = {
    {0,
     {2357136044, 2546248239, 3071714933, 3626093760},
     3791854820,
     341544762,
     3856691381,
     0.5488135039273248,
     0.7151893663724195,
     0.6771411441114241,
     {2, 8, 4, 9, 1, 6, 7, 3, 0, 5},
     {1, 0},
     1812304064,
     4260924727},
    {1,
     {1791095845, 4282876139, 3093770124, 4005303368},
     2006116153,
     1104314680,
     138279050,
     0.417022004702574,
     0.7203244934421581,
     0.7744772660150796,
     {2, 9, 6, 4, 0, 3, 1, 7, 8, 5},
     {0, 1},
     3121394958,
     1484765143},
    {42,
     {1608637542, 3421126067, 4083286876, 787846414},
     1077437785,
     108880612,
     2238969328,
     0.3745401188473625,
     0.9507143064099162,
     0.44600577295795574,
     {8, 1, 5, 0, 7, 2, 9, 4, 3, 6},
     {1, 0},
     3294108678,
     4251846827},
    {UINT32_MAX,
     {419326371, 479346978, 3918654476, 2416749639},
     1027084080,
     3860652269,
     1762272365,
     0.0976320289940138,
     0.9123828453026218,
     0.556626859384112,
     {6, 9, 5, 1, 8, 0, 7, 4, 2, 3},
     {0, 1},
     1535210712,
     442012709},
};

/* Three draws from seed 0, and the next word after them. */
static const struct {
    uint64_t maximum, draws[3];
    uint32_t next;
} bounded[BOUNDS] = {
    {1, {0, 1, 1}, 3626093760},
    {5, {4, 5, 0}, 2588848963},
    {255, {172, 47, 117}, 3626093760},
    {1000000, {985772, 305711, 435829}, 3626093760},
    {UINT32_MAX, {2357136044, 2546248239, 3071714933}, 3626093760},
    {UINT64_C(1) << 32, {2546248239, 1277901399, 243580376}, 4138900056},
    {1000000000000000, {856161327032879, 745975020899520, 760053982450427}, 2340255427},
    {UINT64_C(1) << 63,
     {7815051614634499795, 8072059273656089175, 7073247613084517057},
     3400433126},
    {UINT64_MAX - 1,
     {UINT64_C(10123822223749065263), UINT64_C(13192915183495924928),
      UINT64_C(11119021634053362427)},
     2340255427},
    {UINT64_MAX,
     {UINT64_C(10123822223749065263), UINT64_C(13192915183495924928),
      UINT64_C(11119021634053362427)},
     2340255427},
};

static struct tulle_rng seeded(uint32_t seed)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, seed);
    return rng;
}

static void test_words(void **state)
{
    (void)state;
    for (int s = 0; s < SEEDS; s++) {
        struct tulle_rng rng = seeded(expected[s].seed);
        for (int i = 0; i < 2000; i++) {
            uint32_t word = tulle_rng_next(&rng);
            if (i < 4)
                assert_int_equal(word, expected[s].first[i]);
            if (i == 623)
                assert_int_equal(word, expected[s].word_623);
            if (i == 624)
                assert_int_equal(word, expected[s].word_624);
            if (i == 1999)
                assert_int_equal(word, expected[s].word_1999);
        }
    }
}

static void test_uniform(void **state)
{
    (void)state;
    for (int s = 0; s < SEEDS; s++) {
        struct tulle_rng rng = seeded(expected[s].seed);
        double draws[MANY];
        for (int i = 0; i < MANY; i++) {
            draws[i] = tulle_rng_uniform(&rng);
            assert_true(draws[i] >= 0 && draws[i] < 1);
        }
        assert_true(draws[0] == expected[s].uniform_0);
        assert_true(draws[1] == expected[s].uniform_1);
        assert_true(draws[999] == expected[s].uniform_999);
    }
}

static void test_integer(void **state)
{
    (void)state;
    for (int b = 0; b < BOUNDS; b++) {
        struct tulle_rng rng = seeded(0);
        for (int i = 0; i < 3; i++)
            assert_true(tulle_rng_integer(&rng, bounded[b].maximum) == bounded[b].draws[i]);
        assert_int_equal(tulle_rng_next(&rng), bounded[b].next);
    }
}

/* The only integer in [0, 0] takes no draw. */
static void test_integer_of_nothing(void **state)
{
    (void)state;
    struct tulle_rng rng = seeded(1);
    assert_int_equal(tulle_rng_integer(&rng, 0), 0);
    assert_int_equal(tulle_rng_next(&rng), expected[1].first[0]);
}

static void count_up(size_t *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        items[i] = i;
}

static uint32_t hash_items(const size_t *items, size_t count)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < count; i++)
        hash = hash * 31 + (uint32_t)items[i];
    return hash;
}

static void test_shuffle(void **state)
{
    (void)state;
    for (int s = 0; s < SEEDS; s++) {
        size_t items[MANY] = {7};
        struct tulle_rng rng = seeded(expected[s].seed);
        tulle_rng_shuffle(&rng, items, 0);
        tulle_rng_shuffle(&rng, items, 1);
        assert_int_equal(items[0], 7);
        assert_int_equal(tulle_rng_next(&rng), expected[s].first[0]);

        rng = seeded(expected[s].seed);
        count_up(items, 2);
        tulle_rng_shuffle(&rng, items, 2);
        assert_memory_equal(items, expected[s].two, sizeof expected[s].two);
        assert_int_equal(tulle_rng_next(&rng), expected[s].first[1]);

        rng = seeded(expected[s].seed);
        count_up(items, 10);
        tulle_rng_shuffle(&rng, items, 10);
        assert_memory_equal(items, expected[s].ten, sizeof expected[s].ten);

        rng = seeded(expected[s].seed);
        count_up(items, MANY);
        tulle_rng_shuffle(&rng, items, MANY);
        assert_int_equal(hash_items(items, MANY), expected[s].thousand_hash);
        assert_int_equal(tulle_rng_next(&rng), expected[s].after_thousand);
    }
}

/* A copy of the struct keeps a position in the stream, across the refill of the state too. */
static void test_copy(void **state)
{
    (void)state;
    struct tulle_rng rng = seeded(42);
    for (int i = 0; i < 620; i++)
        tulle_rng_next(&rng);
    struct tulle_rng copy = rng;
    for (int i = 0; i < MANY; i++)
        assert_int_equal(tulle_rng_next(&rng), tulle_rng_next(&copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),   cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_integer), cmocka_unit_test(test_integer_of_nothing),
        cmocka_unit_test(test_shuffle), cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
