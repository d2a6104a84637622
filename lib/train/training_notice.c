/* training_notice.c - what the parts of training say and ask: notices, whether to go on, and
 * errors about a row. */
#include "../base/portability.h"

#include <stdarg.h>
#include <stdio.h>

#include "training.h"

void tulle_training_notice(const struct training *t, const char *format, ...)
{
    struct tulle_error text; /* for its room, and for what tulle_fail does to control characters */
    char line[sizeof text.message];
    if (!t->options.notice)
        return;
    va_list list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    tulle_fail(&text, TULLE_OK, "%s", line);
    t->options.notice(text.message, t->options.user);
}

enum tulle_status tulle_training_poll(const struct training *t, struct tulle_error *error)
{
    if (!t->options.poll || t->options.poll(t->options.user) == 0)
        return TULLE_OK;
    return tulle_fail(error, TULLE_ERROR_INTERRUPTED, "interrupted before the first step");
}

enum tulle_status tulle_fail_row(const struct training *t, size_t row, struct tulle_error *error,
                                 const char *format, ...)
{
    struct tulle_error text;
    va_list list;
    va_start(list, format);
    vsnprintf(text.message, sizeof text.message, format, list);
    va_end(list);
    int is_first = row < t->first_rows;
    const tulle_dataset *dataset = is_first ? t->dataset : t->options.valid_dataset;
    return tulle_fail_at(error, TULLE_ERROR_DATA, dataset->info.source, 0, 0, "row %zu: %s",
                         (is_first ? row : row - t->first_rows) + 1, text.message);
}
