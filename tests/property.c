/* property.c - drawing cases, and saying which one failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "property.h"

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

/* Sanitizers end the program by themselves: what case it is must be said before. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
    HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
enum { IS_WATCHED = 1 };
#else
enum { IS_WATCHED = 0 };
#endif

/* Watched or not optimised: 3 to 10 times as slow; emulated: 20 to 30 times. */
#if defined(TULLE_EMULATED)
enum { SHARE = 10 };
#elif !defined(__OPTIMIZE__)
enum { SHARE = 5 };
#else
enum { SHARE = IS_WATCHED ? 5 : 1 };
#endif

enum { LONG = 100, FIRST_SEED = 1 };

/* The case at hand; name is NULL between cases. */
static struct {
    const char *name;
    uint32_t seed;
    char text[4096];
    size_t length;
    int is_said; /* as it is described */
} now;

static void print_case(void)
{
    if (now.name)
        fprintf(stderr, "%s failed in this case: %s\nagain by TULLE_SEED=%u TULLE_CASES=1\n",
                now.name, now.text, now.seed);
    now.name = NULL;
}

static uint32_t from_environment(const char *variable, uint32_t otherwise)
{
    const char *text = getenv(variable);
    return text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

void check_cases(const char *name, size_t cases, void (*check)(struct tulle_rng *rng))
{
    int is_long = getenv("TULLE_LONG") != NULL;
    uint32_t seed = from_environment("TULLE_SEED", is_long ? (uint32_t)time(NULL) : FIRST_SEED);
    cases = ((is_long ? cases * LONG : cases) - 1) / SHARE + 1;
    cases = from_environment("TULLE_CASES", (uint32_t)cases);
    printf("%s: %zu cases from TULLE_SEED=%u on\n", name, cases, seed);
    fflush(stdout);
    now.is_said = IS_WATCHED && cases == 1;
    for (size_t i = 0; i < cases; i++, seed++) {
        struct tulle_rng rng;
        tulle_rng_seed(&rng, seed);
        now.name = name;
        now.seed = seed;
        now.length = 0;
        now.text[0] = '\0';
        if (IS_WATCHED)
            fprintf(stderr, "TULLE_SEED=%u\n", seed);
        check(&rng);
    }
    now.name = NULL;
}

void describe(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(now.text + now.length, sizeof now.text - now.length, format, arguments);
    va_end(arguments);
    if (now.is_said)
        fputs(now.text + now.length, stderr);
    now.length += length > 0 ? (size_t)length : 0;
    if (now.length >= sizeof now.text)
        now.length = sizeof now.text - 1;
}

int report_case(void **state)
{
    (void)state;
    print_case();
    return 0;
}

int draw_one_in(struct tulle_rng *rng, unsigned many)
{
    return tulle_rng_integer(rng, many - 1) == 0;
}

size_t draw_count(struct tulle_rng *rng, size_t least, size_t most)
{
    return least + (size_t)tulle_rng_integer(rng, most - least);
}

size_t draw_small(struct tulle_rng *rng, size_t least, size_t most)
{
    double share = tulle_rng_uniform(rng);
    return least + (size_t)(share * share * share * (double)(most - least + 1));
}

double draw_number(struct tulle_rng *rng, double least, double most)
{
    return least + (most - least) * tulle_rng_uniform(rng);
}
