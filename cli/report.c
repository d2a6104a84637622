/* report.c - lines to stderr, tables for people. */
#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"

/* --- Text --- */

void *cli_allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        cli_die("out of memory");
    return memory;
}

void cli_die(const char *text)
{
    fprintf(stderr, "tulle: %s\n", text); /* memory for more there may be none */
    exit(CLI_FAILURE);
}

static char *format_list(const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int length = vsnprintf(NULL, 0, format, list);
    char *text = cli_allocate(length > 0 ? (size_t)length + 1 : 1, 1);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *cli_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = format_list(format, list);
    va_end(list);
    return text;
}

char *cli_append(char *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *more = format_list(format, list);
    va_end(list);
    char *both = cli_format("%s%s", text, more);
    free(text);
    free(more);
    return both;
}

size_t cli_control(const char *text)
{
    const unsigned char *byte = (const unsigned char *)text;
    if (*byte < 0x20 || *byte == 0x7f)
        return 1;
    if (byte[0] == 0xc2 && byte[1] >= 0x80 && byte[1] < 0xa0)
        return 2;
    if (byte[0] == 0xe2 && ((byte[1] == 0x80 && byte[2] >= 0xa8 && byte[2] <= 0xae) ||
                            (byte[1] == 0x81 && byte[2] >= 0xa6 && byte[2] <= 0xa9)))
        return 3;
    return 0;
}

static char *clean(char *text)
{
    for (char *at = text; *at; at++)
        memset(at, '?', cli_control(at));
    return text;
}

char *cli_clean(const char *text)
{
    return clean(cli_format("%s", text));
}

static void print_line(const char *prefix, const char *format, va_list list)
{
    char *text = clean(format_list(format, list));
    fprintf(stderr, "%s%s\n", prefix, text);
    free(text);
}

void cli_log(const struct cli_options *options, const char *format, ...)
{
    if (options->quiet)
        return;
    va_list list;
    va_start(list, format);
    print_line("", format, list);
    va_end(list);
}

void cli_log_out_of_range(const struct cli_options *options, const struct tulle_model_info *info,
                          const size_t *rows)
{
    int found = 0;
    for (size_t i = 0; i < info->input_count; i++) {
        const struct tulle_column *input = &info->inputs[i];
        if (rows[i] && input->levels.names)
            cli_log(options, "out of range: '%s' has unknown levels in %zu row%s", input->name,
                    rows[i], rows[i] == 1 ? "" : "s");
        else if (rows[i])
            cli_log(options, "out of range: '%s' is outside of %g to %g in %zu row%s", input->name,
                    input->minimum, input->maximum, rows[i], rows[i] == 1 ? "" : "s");
        found |= rows[i] > 0;
    }
    if (!found)
        cli_log(options, "out of range: no input");
}

int cli_usage_error(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_line("tulle: ", format, list);
    va_end(list);
    return CLI_USAGE;
}

int cli_failure(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_line("tulle: ", format, list);
    va_end(list);
    return CLI_FAILURE;
}

int cli_fail(const struct cli_options *options, const struct tulle_error *error)
{
    if (cli_interrupted()) {
        cli_failure("interrupted; no file was written");
        return 128 + cli_interrupted();
    }
    cli_print_error(options, error);
    return error->code == TULLE_ERROR_ARGUMENT ? CLI_USAGE : CLI_FAILURE;
}

void cli_print_error(const struct cli_options *options, const struct tulle_error *error)
{
    static const char advice[] = "; name it as missing, or the column as categorical";
    const char *options_text = "";
    int length = tulle_error_text(error, NULL, 0);
    char *text = cli_allocate((size_t)length + 1, 1);
    tulle_error_text(error, text, (size_t)length + 1);
    char *end = strstr(text, advice);
    if (end && !end[sizeof advice - 1]) {
        *end = '\0';
        options_text = options->command->bit & CLI_FITS
                           ? "; name it with --missing, or the column with --categorical"
                           : "; name it with --missing";
    }
    cli_failure("%s%s", text, options_text);
    free(text);
}

int cli_close_stdout(void)
{
    int failed = ferror(stdout);
    if (fclose(stdout) != 0 || failed)
        return cli_failure("standard output: cannot write: %s", strerror(errno));
    return 0;
}

/* --- Tables --- */

static void add_cell(struct cli_table *table, char *text)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 64;
        char **cells = cli_allocate(capacity, sizeof *cells);
        if (table->count)
            memcpy(cells, table->cells, table->count * sizeof *cells);
        free(table->cells);
        table->cells = cells;
        table->capacity = capacity;
    }
    table->cells[table->count++] = clean(text);
}

void cli_table_add(struct cli_table *table, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    add_cell(table, format_list(format, list));
    va_end(list);
}

/* Characters, not bytes: all but the continuation bytes of UTF-8. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void cli_table_print(FILE *file, const struct cli_table *table, const char *indent)
{
    size_t *widths = cli_allocate(table->columns, sizeof *widths);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = width_of(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        int last = column + 1 == table->columns;
        int padding = (int)(widths[column] - width_of(table->cells[i]));
        fputs(column == 0 ? indent : "  ", file);
        if (column < table->left)
            fprintf(file, "%s%*s", table->cells[i], last ? 0 : padding, "");
        else
            fprintf(file, "%*s%s", padding, "", table->cells[i]);
        if (last)
            fputc('\n', file);
    }
    free(widths);
}

void cli_table_free(struct cli_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
}

/* --- Metrics --- */

unsigned cli_metrics_known(const struct tulle_metrics *metrics, size_t count)
{
    unsigned known = 0;
    for (size_t i = 0; i < count; i++)
        for (int m = 0; metrics[i].rows && m < TULLE_METRIC_SLOTS; m++)
            if (tulle_metric_name((enum tulle_metric)m) && !isnan(metrics[i].value[m]))
                known |= 1u << m;
    /* Of a constant target there is an error, but no variance to explain. */
    return (known & 1u << TULLE_METRIC_RMSE) ? known | 1u << TULLE_METRIC_R2 : known;
}

void cli_table_add_names(struct cli_table *table, unsigned known)
{
    for (int m = 0; m < TULLE_METRIC_SLOTS; m++) {
        if (known & 1u << m) {
            cli_table_add(table, "%s", tulle_metric_name((enum tulle_metric)m));
            table->columns++;
        }
    }
}

void cli_table_add_values(struct cli_table *table, unsigned known,
                          const struct tulle_metrics *metrics)
{
    for (int m = 0; m < TULLE_METRIC_SLOTS; m++) {
        if (known & 1u << m)
            cli_table_add(table, isnan(metrics->value[m]) ? "-" : "%.6g", metrics->value[m]);
    }
}

void cli_table_add_metrics_header(struct cli_table *table, unsigned known)
{
    static const char *const header[] = {"target", "split", "rows"};
    enum { COLUMNS = sizeof header / sizeof header[0] };
    table->columns = COLUMNS;
    table->left = 2;
    for (int i = 0; i < COLUMNS; i++)
        cli_table_add(table, "%s", header[i]);
    cli_table_add_names(table, known);
}

void cli_table_add_metrics(struct cli_table *table, unsigned known, const char *target,
                           enum tulle_split split, const struct tulle_metrics *metrics)
{
    cli_table_add(table, "%s", target);
    cli_table_add(table, "%s", tulle_split_name(split));
    cli_table_add(table, "%zu", metrics->rows);
    cli_table_add_values(table, known, metrics);
}

void cli_table_add_model_metrics(struct cli_table *table, const struct tulle_model_info *info)
{
    unsigned known = cli_metrics_known(info->metrics, 3 * info->target_count);
    cli_table_add_metrics_header(table, known);
    for (size_t i = 0; i < info->target_count; i++) {
        for (int split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_TEST; split++) {
            const struct tulle_metrics *metrics =
                &info->metrics[(size_t)split * info->target_count + i];
            if (metrics->rows)
                cli_table_add_metrics(table, known, info->targets[i].name, (enum tulle_split)split,
                                      metrics);
        }
    }
}
