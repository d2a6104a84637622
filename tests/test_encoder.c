/* test_encoder.c - columns on their way into the network: every kind, what is missing, unseen or
 * far out, and rows of other tables. */
#include "../lib/base/portability.h"

#include <fenv.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/memory.h"
#include "../lib/data/encoder.h"
#include "../lib/data/normal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const towns[] = {"Oslo", "Rome", "Bern"};

#define TOWNS(n)                                                                                   \
    {                                                                                              \
        towns, n                                                                                   \
    }

enum { MOST = 64 };

static struct encoder new_encoder(const struct tulle_column *columns, size_t count)
{
    struct encoder encoder;
    assert_true(tulle_encoder_init(&encoder, columns, count));
    assert_true(encoder.inputs + encoder.embedding_count <= MOST);
    return encoder;
}

/* Encodes a row that has the encoder's columns, and sees that nothing is written behind. */
static void encode(const struct encoder *encoder, const void *row, enum tulle_type type,
                   double encoded[MOST + 1])
{
    struct row_encoder rows = {encoder, NULL, NULL};
    size_t count = encoder->inputs + encoder->embedding_count;
    for (size_t i = 0; i <= count; i++)
        encoded[i] = 12345;
    tulle_encode_inputs(&rows, row, type, encoded);
    assert_true(encoded[count] == 12345);
}

/* What one number becomes, of a column that gives one. */
static double encode_one(const struct encoder *encoder, double value)
{
    double encoded[MOST + 1];
    assert_int_equal(encoder->inputs + encoder->embedding_count, 1);
    encode(encoder, &value, TULLE_F64, encoded);
    return encoded[0];
}

static void assert_encodes(const struct encoder *encoder, const double *row, const double *expected)
{
    double encoded[MOST + 1];
    encode(encoder, row, TULLE_F64, encoded);
    for (size_t i = 0; i < encoder->inputs + encoder->embedding_count; i++)
        if (encoded[i] != expected[i])
            fail_msg("number %zu: expected %.17g, got %.17g", i, expected[i], encoded[i]);
}

/* --- Deviates --------------------------------------------------------------------------------- */

/* By inverting the normal distribution function in 60 digits with mpmath. */
static void test_deviates(void **state)
{
    static const struct {
        double p, deviate;
    } known[] = {
        {0.5, 0},
        {0.25, -0.67448975019608174},
        {0.1, -1.2815515655446004},
        {0.9, 1.2815515655446006},
        {0.001, -3.0902323061678135},
        {1e-7, -5.1993375821928168},
        {1e-20, -9.2623400897984076},
        {1e-300, -37.047096299361201},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++)
        if (!(fabs(tulle_normal_quantile(known[i].p) - known[i].deviate) <=
              1e-15 * fabs(known[i].deviate)))
            fail_msg("%g: got %.17g", known[i].p, tulle_normal_quantile(known[i].p));
}

/* Against the C library's distribution function: the share below the deviate is p. */
static void test_deviates_against_erfc(void **state)
{
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        double p = tulle_rng_uniform(&rng);
        p *= i % 2 ? 1 : pow(10, -300 * tulle_rng_uniform(&rng));
        if (p == 0)
            continue;
        double deviate = tulle_normal_quantile(p), share = erfc(-deviate / sqrt(2)) / 2;
        /* An error of the deviate x grows by some x^2 in the share. */
        assert_true(fabs(share - p) <= 1e-15 * (2 + deviate * deviate) * p);
    }
}

/* The same bits on every machine. */
static void test_deviates_bits(void **state)
{
    const uint64_t expected = UINT64_C(0x978c4a8e12497062);
    uint64_t hash = UINT64_C(0xcbf29ce484222325), bits;
    (void)state;
    for (int i = 1; i < 5000; i++) {
        double deviates[] = {tulle_normal_quantile(i / 5000.0),
                             tulle_normal_quantile(ldexp(i, -20 - i % 1000))};
        for (size_t k = 0; k < COUNT(deviates); k++) {
            memcpy(&bits, &deviates[k], sizeof bits);
            hash = (hash ^ bits) * UINT64_C(0x100000001b3); /* FNV-1a (Fowler, Noll, Vo, 1991) */
        }
    }
    if (hash != expected)
        fail_msg("the hash is 0x%016" PRIx64, hash);
}

/* --- Numbers ---------------------------------------------------------------------------------- */

static void test_linear(void **state)
{
    static const struct tulle_column columns[] = {
        {.name = "a", .mean = 2, .scale = 4, .maximum = 9, .scaling = TULLE_SCALING_STANDARD},
        {.name = "b", .mean = 0, .scale = 1, .maximum = 9, .scaling = TULLE_SCALING_NONE}};
    static const double row[] = {8, 7}, missing[] = {NAN, NAN}, infinite[] = {-INFINITY, INFINITY};
    static const float floats[] = {8, 7};
    struct encoder encoder = new_encoder(columns, COUNT(columns));
    double encoded[MOST + 1];
    (void)state;
    assert_true(encoder.is_linear);
    assert_int_equal(encoder.inputs, 2);
    assert_int_equal(encoder.embedding_count, 0);
    assert_true(encoder.means[0] == 2 && encoder.scales[0] == 4);
    assert_true(encoder.means[1] == 0 && encoder.scales[1] == 1);
    assert_encodes(&encoder, row, (const double[]){1.5, 7});
    assert_encodes(&encoder, missing, (const double[]){0, 0});
    assert_encodes(&encoder, infinite, infinite);
    encode(&encoder, floats, TULLE_F32, encoded);
    assert_true(encoded[0] == 1.5 && encoded[1] == 7);
    tulle_encoder_clear(&encoder);
    tulle_encoder_clear(&encoder); /* does nothing */
}

static void test_is_linear(void **state)
{
    static const double quantiles[] = {0, 1};
    static const struct tulle_column others[] = {
        {.name = "a", .scale = 1, .maximum = 1, .scaling = TULLE_SCALING_STANDARD, .missing = 1},
        {.name = "b", .scale = 1, .maximum = 1, .scaling = TULLE_SCALING_ROBUST},
        {.name = "k",
         .mean = 5,
         .scale = 1,
         .minimum = 5,
         .maximum = 5,
         .scaling = TULLE_SCALING_STANDARD},
        {.name = "c",
         .scale = 1,
         .maximum = 1,
         .scaling = TULLE_SCALING_QUANTILE,
         .quantiles = quantiles,
         .quantile_count = 2},
        {.name = "d", .scale = 1, .levels = TOWNS(2)},
        {.name = "e", .scale = 1, .levels = TOWNS(3)},
        {.name = "f", .scale = 1, .levels = TOWNS(3), .dimensions = 2}};
    struct tulle_column columns[2] = {{.name = "x", .scale = 1, .maximum = 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        columns[1] = others[i];
        struct encoder encoder = new_encoder(columns, 2);
        assert_false(encoder.is_linear);
        tulle_encoder_clear(&encoder);
    }
}

static void test_indicator(void **state)
{
    static const struct tulle_column columns[] = {{.name = "a",
                                                   .mean = 2,
                                                   .scale = 4,
                                                   .maximum = 9,
                                                   .scaling = TULLE_SCALING_STANDARD,
                                                   .missing = 3},
                                                  {.name = "b", .scale = 1, .maximum = 9}};
    struct encoder encoder = new_encoder(columns, COUNT(columns));
    (void)state;
    assert_int_equal(encoder.inputs, 3);
    assert_encodes(&encoder, (const double[]){8, 7}, (const double[]){1.5, 0, 7});
    assert_encodes(&encoder, (const double[]){NAN, 7}, (const double[]){0, 1, 7});
    tulle_encoder_clear(&encoder);
}

/* A column that was one value or missing says by its indicator alone what it says. */
static void test_one_value(void **state)
{
    struct tulle_column column = {.name = "a",
                                  .mean = 2,
                                  .scale = 1,
                                  .minimum = 2,
                                  .maximum = 2,
                                  .scaling = TULLE_SCALING_STANDARD,
                                  .missing = 3};
    struct encoder encoder = new_encoder(&column, 1);
    (void)state;
    assert_encodes(&encoder, (const double[]){2}, (const double[]){0, 0});
    assert_encodes(&encoder, (const double[]){50}, (const double[]){0, 0});
    assert_encodes(&encoder, (const double[]){NAN}, (const double[]){0, 1});
    tulle_encoder_clear(&encoder);
    column.missing = 0;
    encoder = new_encoder(&column, 1);
    assert_encodes(&encoder, (const double[]){50}, (const double[]){0});
    tulle_encoder_clear(&encoder);
}

static void test_robust(void **state)
{
    static const double far[] = {1e10, 1e155, 1.7e308};
    struct tulle_column column = {
        .name = "a", .mean = 10, .scale = 0.5, .maximum = 20, .scaling = TULLE_SCALING_ROBUST};
    struct encoder encoder = new_encoder(&column, 1);
    double last = -INFINITY;
    (void)state;
    for (int i = -4000; i <= 4000; i++) {
        double x = 10 + i / 100.0, u = (x - 10) / 0.5, found = encode_one(&encoder, x);
        assert_true(fabs(found - u / sqrt(1 + u * u / 9)) <= 1e-14);
        assert_true(found > last && fabs(found) < 3);
        last = found;
    }
    for (size_t i = 0; i < COUNT(far); i++) {
        assert_true(fabs(encode_one(&encoder, far[i]) - 3) <= 1e-15);
        assert_true(fabs(encode_one(&encoder, -far[i]) + 3) <= 1e-15);
    }
    assert_true(encode_one(&encoder, 10) == 0 && encode_one(&encoder, NAN) == 0);
    assert_true(isinf(encode_one(&encoder, INFINITY)));
    assert_true(isinf(encode_one(&encoder, -INFINITY)));
    tulle_encoder_clear(&encoder);
}

static struct encoder new_quantile_encoder(struct tulle_column *column, const double *quantiles,
                                           size_t count)
{
    *column = (struct tulle_column){.name = "a",
                                    .scale = 1,
                                    .minimum = quantiles[0],
                                    .maximum = quantiles[count - 1],
                                    .scaling = TULLE_SCALING_QUANTILE,
                                    .quantiles = quantiles,
                                    .quantile_count = count};
    return new_encoder(column, 1);
}

/* The formula at the quantiles, between them a line, beyond them the ends. */
static void test_quantile(void **state)
{
    static const double quantiles[] = {-3, -1, 0, 2, 10};
    struct tulle_column column;
    struct encoder encoder = new_quantile_encoder(&column, quantiles, COUNT(quantiles));
    double quarter = 0.67448975019608174, end = 1.5341205443525463, last = -INFINITY;
    (void)state;
    assert_true(fabs(encode_one(&encoder, -3) + end) < 2e-15);
    assert_true(fabs(encode_one(&encoder, -1) + quarter) < 1e-15);
    assert_true(encode_one(&encoder, 0) == 0 && encode_one(&encoder, NAN) == 0);
    assert_true(encode_one(&encoder, 2) == -encode_one(&encoder, -1));
    assert_true(encode_one(&encoder, 10) == -encode_one(&encoder, -3));
    assert_true(fabs(encode_one(&encoder, 1) - quarter / 2) < 1e-15);
    assert_true(fabs(encode_one(&encoder, 6) - (quarter + end) / 2) < 2e-15);
    assert_true(encode_one(&encoder, -1.7e308) == encode_one(&encoder, -3));
    assert_true(encode_one(&encoder, 1.7e308) == encode_one(&encoder, 10));
    assert_true(isinf(encode_one(&encoder, INFINITY)));
    assert_true(isinf(encode_one(&encoder, -INFINITY)));
    for (int i = -500; i <= 1200; i++) {
        double found = encode_one(&encoder, i / 100.0);
        assert_true(found >= last);
        last = found;
    }
    tulle_encoder_clear(&encoder);
}

/* A value at several quantiles has the middle of their shares. */
static void test_quantile_ties(void **state)
{
    static const double quantiles[] = {0, 0, 0, 0, 1, 2, 2, 2, 3}, same[] = {4, 4}, one[] = {4};
    static const double example[] = {10, 20, 20, 30, 70}; /* of docs/format.md */
    static const double points[] = {10, 15, 20, 30, 50, 70, 99};
    static const double shown[] = {-1.534121, -0.926380, -0.318639, 0.674490,
                                   1.104305,  1.534121,  1.534121};
    struct tulle_column column;
    struct encoder encoder = new_quantile_encoder(&column, quantiles, COUNT(quantiles));
    (void)state;
    assert_true(encode_one(&encoder, 0) == tulle_normal_quantile(1.5 / 8));
    assert_true(encode_one(&encoder, -1) == encode_one(&encoder, 0));
    assert_true(encode_one(&encoder, 1) == 0);
    assert_true(encode_one(&encoder, 2) == -tulle_normal_quantile(2.0 / 8));
    assert_true(fabs(encode_one(&encoder, 0.5) - tulle_normal_quantile(1.5 / 8) / 2) < 1e-15);
    tulle_encoder_clear(&encoder);
    encoder = new_quantile_encoder(&column, same, COUNT(same));
    assert_true(encode_one(&encoder, 4) == 0 && encode_one(&encoder, 5) == 0);
    tulle_encoder_clear(&encoder);
    encoder = new_quantile_encoder(&column, one, COUNT(one));
    assert_true(encode_one(&encoder, 4) == 0 && encode_one(&encoder, -5) == 0);
    tulle_encoder_clear(&encoder);
    encoder = new_quantile_encoder(&column, example, COUNT(example));
    for (size_t i = 0; i < COUNT(points); i++)
        assert_true(fabs(encode_one(&encoder, points[i]) - shown[i]) < 5.1e-7);
    tulle_encoder_clear(&encoder);
}

static void test_quantile_extremes(void **state)
{
    static const double wide[] = {-1e150, 0, 1e150}, narrow[] = {0, 5e-324, 1e-323};
    struct tulle_column column;
    struct encoder encoder = new_quantile_encoder(&column, wide, COUNT(wide));
    (void)state;
    assert_true(fabs(encode_one(&encoder, 5e149) - encode_one(&encoder, 1e150) / 2) < 1e-15);
    assert_true(encode_one(&encoder, 1e-300) >= 0);
    tulle_encoder_clear(&encoder);
    encoder = new_quantile_encoder(&column, narrow, COUNT(narrow));
    assert_true(encode_one(&encoder, 5e-324) == 0);
    assert_true(encode_one(&encoder, 1) == encode_one(&encoder, 1e-323));
    tulle_encoder_clear(&encoder);
}

/* Deviates are made in the default floating-point mode, whatever the program's. */
static void test_rounding_modes(void **state)
{
    static const double quantiles[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct tulle_column column;
    struct encoder expected = new_quantile_encoder(&column, quantiles, COUNT(quantiles));
    (void)state;
    fesetround(FE_UPWARD);
    struct encoder found = new_quantile_encoder(&column, quantiles, COUNT(quantiles));
    fesetround(FE_TONEAREST);
    for (double x = 0.5; x < 11; x += 0.25)
        assert_true(encode_one(&found, x) == encode_one(&expected, x));
    tulle_encoder_clear(&found);
    tulle_encoder_clear(&expected);
}

/* --- Categories ------------------------------------------------------------------------------- */

static void test_categories(void **state)
{
    static const struct {
        size_t levels, missing, dimensions, inputs, embeddings;
        double value, expected[4];
    } cases[] = {
        {2, 0, 0, 1, 0, 0, {-1}},         {2, 0, 0, 1, 0, 1, {1}},
        {2, 0, 0, 1, 0, NAN, {0}},        {2, 0, 0, 1, 0, 2, {0}}, /* no such level */
        {2, 0, 0, 1, 0, -1, {0}},         {2, 0, 0, 1, 0, 0.5, {0}},
        {2, 0, 0, 1, 0, INFINITY, {0}},   {2, 1, 0, 3, 0, 1, {0, 1, 0}},
        {2, 1, 0, 3, 0, NAN, {0, 0, 1}},  {2, 1, 0, 3, 0, 7, {0, 0, 1}},
        {3, 0, 0, 3, 0, 2, {0, 0, 1}},    {3, 0, 0, 3, 0, NAN, {0, 0, 0}},
        {3, 5, 0, 4, 0, 0, {1, 0, 0, 0}}, {3, 5, 0, 4, 0, NAN, {0, 0, 0, 1}},
        {1, 0, 0, 1, 0, 0, {1}},          {1, 0, 0, 1, 0, 1, {0}},
        {0, 0, 0, 0, 0, NAN, {0}},        {0, 0, 0, 0, 0, 0, {0}},
        {3, 0, 4, 0, 1, 0, {1}},          {3, 0, 4, 0, 1, 2, {3}},
        {3, 0, 4, 0, 1, NAN, {0}},        {3, 0, 4, 0, 1, 3, {0}},
        {3, 2, 4, 0, 1, 2, {3}},          {3, 2, 4, 0, 1, NAN, {0}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct tulle_column column = {.name = "town",
                                      .scale = 1,
                                      .missing = cases[i].missing,
                                      .levels = TOWNS(cases[i].levels),
                                      .dimensions = cases[i].dimensions};
        struct encoder encoder = new_encoder(&column, 1);
        assert_int_equal(encoder.inputs, cases[i].inputs);
        assert_int_equal(encoder.embedding_count, cases[i].embeddings);
        if (cases[i].embeddings) {
            assert_int_equal(encoder.embeddings[0].levels, cases[i].levels);
            assert_int_equal(encoder.embeddings[0].dimensions, cases[i].dimensions);
        }
        assert_encodes(&encoder, &cases[i].value, cases[i].expected);
        tulle_encoder_clear(&encoder);
    }
}

/* Kinds side by side: embeddings come behind all numbers, in the order of their columns. */
static const struct tulle_column mixed[] = {
    {.name = "first", .scale = 1, .levels = TOWNS(3), .dimensions = 5},
    {.name = "size", .mean = 1, .scale = 2, .maximum = 9, .scaling = TULLE_SCALING_STANDARD},
    {.name = "town", .scale = 1, .levels = TOWNS(3), .missing = 1},
    {.name = "second", .scale = 1, .levels = TOWNS(2), .missing = 4, .dimensions = 7},
    {.name = "side", .scale = 1, .levels = TOWNS(2)}};

static void test_mixed(void **state)
{
    static const double row[] = {2, 5, 1, NAN, 1}, expected[] = {2, 0, 1, 0, 0, 1, 3, 0};
    static const float floats[] = {2, 5, 1, NAN, 1};
    struct encoder encoder = new_encoder(mixed, COUNT(mixed));
    double encoded[MOST + 1];
    (void)state;
    assert_int_equal(encoder.inputs, 6);
    assert_int_equal(encoder.embedding_count, 2);
    assert_int_equal(encoder.embeddings[0].levels, 3);
    assert_int_equal(encoder.embeddings[0].dimensions, 5);
    assert_int_equal(encoder.embeddings[1].levels, 2);
    assert_int_equal(encoder.embeddings[1].dimensions, 7);
    assert_encodes(&encoder, row, expected);
    encode(&encoder, floats, TULLE_F32, encoded);
    assert_memory_equal(encoded, expected, sizeof expected);
    tulle_encoder_clear(&encoder);
}

/* --- Levels ----------------------------------------------------------------------------------- */

static const char *const names[] = {"a", "1.0", "-3", "1", "b c", "1e2", "0"};
static const struct tulle_column named = {.name = "x", .scale = 1, .levels = {names, COUNT(names)}};

static const struct {
    const char *text;
    double level;
} texts[] = {{"a", 0},   {"1.0", 1},   {"1", 3},      {"1.00", 1},  {"01", 1},     {"-3.0", 2},
             {"100", 5}, {"b c", 4},   {"-0", 6},     {".0e5", 6},  {"A", NAN},    {"b", NAN},
             {"", NAN},  {"nan", NAN}, {"1e9", NAN},  {"+1", 1},    {" 1", NAN},   {"1e999", NAN},
             {"2", NAN}, {"-1", NAN},  {"-100", NAN}, {"0x1", NAN}, {"1.0.", NAN}, {"100.", 5}};

static void assert_level(double found, double expected, const char *text)
{
    if (isnan(expected) ? !isnan(found) : found != expected)
        fail_msg("\"%s\": expected %g, got %g", text, expected, found);
}

static void test_column_level(void **state)
{
    static const struct tulle_column number = {.name = "y", .scale = 1};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_level(tulle_column_level(&named, texts[i].text), texts[i].level, texts[i].text);
    assert_true(isnan(tulle_column_level(&number, "1")));
}

static void test_level_map(void **state)
{
    const char *from[COUNT(texts)];
    struct tulle_levels levels = {from, COUNT(texts)}, none = {from, 0};
    static const struct tulle_column empty = {.name = "y", .scale = 1, .levels = TOWNS(0)};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        from[i] = texts[i].text;
    double *map = tulle_level_map(&levels, &named);
    assert_non_null(map);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_level(map[i], texts[i].level, texts[i].text);
    tulle_free(map);
    map = tulle_level_map(&levels, &empty);
    assert_non_null(map);
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_true(isnan(map[i]));
    tulle_free(map);
    map = tulle_level_map(&none, &named);
    assert_non_null(map);
    tulle_free(map);
}

/* So many that comparing each with each would be felt. */
static void test_many_levels(void **state)
{
    enum { MANY = 100000 };
    char(*text)[16] = malloc(MANY * sizeof *text);
    const char **from = malloc(MANY * sizeof *from), **to = malloc(MANY * sizeof *to);
    (void)state;
    assert_true(text && from && to);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(text[i], sizeof text[i], i % 2 ? "%zu" : "zip%zu", i * 7919 % MANY);
        from[i] = text[i];
        to[MANY - 1 - i] = text[i];
    }
    struct tulle_levels levels = {from, MANY};
    struct tulle_column column = {.name = "zip", .scale = 1, .levels = {to, MANY - 1}};
    double *map = tulle_level_map(&levels, &column);
    assert_non_null(map);
    assert_true(isnan(map[0]));
    for (size_t i = 1; i < MANY; i++)
        assert_true(map[i] == (double)(MANY - 1 - i));
    tulle_free(map);
    free(text);
    free(from);
    free(to);
}

/* --- Rows of other tables --------------------------------------------------------------------- */

/* The table has more columns, in another order, and levels of its own. */
static void test_row_maps(void **state)
{
    static const char *const others[] = {"Paris", "Bern", "Rome", "Oslo"};
    static const struct tulle_levels levels = {others, COUNT(others)};
    static const size_t columns[] = {5, 1, 0, 3, 4};
    static const double rows[][6] = {{1, 5, 99, 2, 3, 1}, {0, 5, 99, 3, NAN, 0}};
    static const double expected[][8] = {{2, 0, 0, 1, 0, -1, 3, 2}, {2, 0, 0, 0, 1, 0, 0, 1}};
    struct encoder encoder = new_encoder(mixed, COUNT(mixed));
    double *maps[COUNT(mixed)] = {NULL}, encoded[8];
    (void)state;
    for (size_t c = 0; c < COUNT(mixed); c++)
        if (mixed[c].levels.names)
            assert_non_null(maps[c] = tulle_level_map(&levels, &mixed[c]));
    struct row_encoder view = {&encoder, columns, (const double *const *)maps};
    for (size_t r = 0; r < COUNT(rows); r++) {
        tulle_encode_inputs(&view, rows[r], TULLE_F64, encoded);
        for (size_t i = 0; i < COUNT(encoded); i++)
            assert_true(encoded[i] == expected[r][i]);
    }
    for (size_t c = 0; c < COUNT(mixed); c++)
        tulle_free(maps[c]);
    tulle_encoder_clear(&encoder);
}

/* A category of numbers, in a table where it is numeric. */
static void test_numbers_as_levels(void **state)
{
    static const struct {
        double number, level;
    } cases[] = {{1, 1}, {-3, 2}, {100, 5}, {0, 6}, {-0.0, 6}, {2, NAN}, {NAN, NAN}, {1e300, NAN}};
    static const double *const maps[] = {NULL};
    struct encoder encoder = new_encoder(&named, 1);
    struct row_encoder rows = {&encoder, NULL, maps};
    double found;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        tulle_encode_targets(&rows, &cases[i].number, TULLE_F64, &found);
        assert_level(found, cases[i].level, "a number");
    }
    tulle_encoder_clear(&encoder);
}

static void test_targets(void **state)
{
    static const struct tulle_column columns[] = {
        {.name = "price", .mean = 10, .scale = 4, .scaling = TULLE_SCALING_STANDARD},
        {.name = "town", .scale = 1, .levels = TOWNS(3)},
        {.name = "sold", .scale = 1, .levels = TOWNS(2)}};
    struct encoder encoder = new_encoder(columns, COUNT(columns));
    struct row_encoder rows = {&encoder, NULL, NULL};
    double encoded[3];
    (void)state;
    tulle_encode_targets(&rows, (const double[]){12, 2, 1}, TULLE_F64, encoded);
    assert_true(encoded[0] == 0.5 && encoded[1] == 2 && encoded[2] == 1);
    tulle_encode_targets(&rows, (const float[]){12, 2, 1}, TULLE_F32, encoded);
    assert_true(encoded[0] == 0.5 && encoded[1] == 2 && encoded[2] == 1);
    tulle_encode_targets(&rows, (const double[]){NAN, NAN, 2}, TULLE_F64, encoded);
    assert_true(isnan(encoded[0]) && isnan(encoded[1]) && isnan(encoded[2]));
    tulle_encoder_clear(&encoder);
}

static void test_out_of_range(void **state)
{
    static const struct tulle_column number = {
        .name = "a", .scale = 1, .minimum = -2, .maximum = 3, .missing = 1};
    static const double inside[] = {-2, 0, 3, NAN}, outside[] = {-2.0001, 4, INFINITY, -INFINITY};
    static const double levels[] = {0, 6, NAN}, no_levels[] = {7, -1, 0.5, INFINITY};
    (void)state;
    for (size_t i = 0; i < COUNT(inside); i++)
        assert_false(tulle_is_out_of_range(&number, inside[i]));
    for (size_t i = 0; i < COUNT(outside); i++)
        assert_true(tulle_is_out_of_range(&number, outside[i]));
    for (size_t i = 0; i < COUNT(levels); i++)
        assert_false(tulle_is_out_of_range(&named, levels[i]));
    for (size_t i = 0; i < COUNT(no_levels); i++)
        assert_true(tulle_is_out_of_range(&named, no_levels[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deviates),          cmocka_unit_test(test_deviates_against_erfc),
        cmocka_unit_test(test_deviates_bits),     cmocka_unit_test(test_linear),
        cmocka_unit_test(test_is_linear),         cmocka_unit_test(test_indicator),
        cmocka_unit_test(test_one_value),         cmocka_unit_test(test_robust),
        cmocka_unit_test(test_quantile),          cmocka_unit_test(test_quantile_ties),
        cmocka_unit_test(test_quantile_extremes), cmocka_unit_test(test_rounding_modes),
        cmocka_unit_test(test_categories),        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_column_level),      cmocka_unit_test(test_level_map),
        cmocka_unit_test(test_many_levels),       cmocka_unit_test(test_row_maps),
        cmocka_unit_test(test_numbers_as_levels), cmocka_unit_test(test_targets),
        cmocka_unit_test(test_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
