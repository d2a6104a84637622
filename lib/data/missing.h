/*
 * missing.h - the texts that stand for no value in a table. Of numbers they are more than texts: a
 * file may say -999.0 where its reader was told -999.
 */
#ifndef TULLE_MISSING_H
#define TULLE_MISSING_H

#include "../base/status.h"

/* TULLE_DEFAULT_MISSING as a list. */
extern const struct tulle_levels tulle_default_missing;

struct missing_token;

/* All zeros is one that is not initialised, which may be cleared. */
struct missing_texts {
    struct tulle_levels texts;    /* a copy */
    struct missing_token *tokens; /* (texts.count) */
    int has_numbers;              /* one of them is a number */
};

/* texts is (count), or NULL for the default. 0 if there is no memory: what there is must be cleared
 * then too. */
int tulle_missing_init(struct missing_texts *missing, const char *const *texts, size_t count);
void tulle_missing_clear(struct missing_texts *missing);

/* Whether text[0..length) is empty or one of the texts. */
int tulle_is_missing_text(const struct missing_texts *missing, const char *text, size_t length);

/* Whether a number, or where is_f4 one that was rounded to a float, is one of the texts'. */
int tulle_is_missing_number(const struct missing_texts *missing, double number, int is_f4);

#endif
