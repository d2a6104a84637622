/* missing.c - what stands for no value, compared as text and as number. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../base/memory.h"
#include "levels.h"
#include "missing.h"
#include "number.h"

struct missing_token {
    size_t length;
    double number, rounded; /* to a float; NaN, which equals nothing, where it is no number */
};

static const char *const usual[] = TULLE_DEFAULT_MISSING;
const struct tulle_levels tulle_default_missing = {usual, sizeof usual / sizeof *usual};

int tulle_missing_init(struct missing_texts *missing, const char *const *texts, size_t count)
{
    const struct tulle_levels given = {texts, count};
    *missing = (struct missing_texts){0};
    if (!tulle_levels_copy(&missing->texts, texts ? &given : &tulle_default_missing))
        return 0;
    missing->tokens = tulle_calloc(missing->texts.count, sizeof *missing->tokens);
    for (size_t i = 0; missing->tokens && i < missing->texts.count; i++) {
        const char *text = missing->texts.names[i];
        struct missing_token *token = &missing->tokens[i];
        token->length = strlen(text);
        if (tulle_number_parse(text, token->length, &token->number) != NUMBER_FINITE)
            token->number = NAN;
        token->rounded = fabs(token->number) <= FLT_MAX ? (float)token->number : token->number;
        missing->has_numbers |= !isnan(token->number);
    }
    return missing->tokens != NULL;
}

void tulle_missing_clear(struct missing_texts *missing)
{
    tulle_free((void *)missing->texts.names);
    tulle_free(missing->tokens);
    *missing = (struct missing_texts){0};
}

int tulle_is_missing_text(const struct missing_texts *missing, const char *text, size_t length)
{
    if (length == 0)
        return 1;
    for (size_t i = 0; i < missing->texts.count; i++)
        if (missing->tokens[i].length == length &&
            memcmp(missing->texts.names[i], text, length) == 0)
            return 1;
    return 0;
}

int tulle_is_missing_number(const struct missing_texts *missing, double number, int is_f4)
{
    for (size_t i = 0; missing->has_numbers && i < missing->texts.count; i++)
        if (missing->tokens[i].number == number || (is_f4 && missing->tokens[i].rounded == number))
            return 1;
    return 0;
}
