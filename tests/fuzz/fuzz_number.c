/* fuzz_number.c - target: any text as a number; what is one is strtod's, to the bit, and comes back
 * from the text that it is written as. */
#include "../../lib/base/portability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/data/number.h"
#include "../../lib/data/number_format.h"
#include "scratch.h"

static int same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void check_written(double value)
{
    char text[TULLE_NUMBER_SIZE];
    double again = 0;
    tulle_number_format(value, text);
    CHECK(tulle_number_parse(text, strlen(text), &again) == NUMBER_FINITE);
    CHECK(same_bits(again, value));
}

static void check_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    double value = 0;
    CHECK(text);
    memcpy(text, data, size);
    text[size] = '\0';
    enum number_kind kind = tulle_number_parse(text, size, &value);
    if (kind == NUMBER_FINITE || kind == NUMBER_TOO_LARGE) {
        char *end;
        double expected = strtod(text, &end);
        CHECK(end == text + size);
        CHECK((isinf(expected) != 0) == (kind == NUMBER_TOO_LARGE));
        CHECK(kind == NUMBER_TOO_LARGE || same_bits(value, expected));
    }
    if (kind == NUMBER_FINITE)
        check_written(value);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double value;
    check_text(data, size);
    if (size >= sizeof value) {
        memcpy(&value, data, sizeof value);
        if (isfinite(value))
            check_written(value);
    }
    return 0;
}
