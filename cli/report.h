/*
 * report.h - everything the command says: log lines and errors to stderr, tables, JSON. Text from
 * files (column names, paths) is passed through as UTF-8, its control characters as '?'.
 */
#ifndef TULLE_CLI_REPORT_H
#define TULLE_CLI_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "../include/tulle.h"
#include "options.h"

#if defined(__GNUC__)
#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLI_PRINTF(text, first)
#endif

/* Exit statuses besides 0; a signal's is 128 plus its number. */
enum { CLI_FAILURE = 1, CLI_USAGE = 2 };

/* Zeroed; ends the program when there is no memory. */
void *cli_allocate(size_t count, size_t size);

/* "tulle: " and the text to stderr, and the end, with CLI_FAILURE. */
_Noreturn void cli_die(const char *text);

/* The formatted text, to be freed. */
char *cli_format(const char *format, ...) CLI_PRINTF(1, 2);

/* Frees text, and returns a copy with more behind it. */
char *cli_append(char *text, const char *format, ...) CLI_PRINTF(2, 3);

/* A copy without control characters, to be freed. */
char *cli_clean(const char *text);

/* The bytes of the character that a text begins with, if it is one that a terminal obeys, else 0:
 * those of ASCII, U+0080 to U+009F, the ends of lines and changes of direction in U+2028 to U+202E,
 * and those in U+2066 to U+2069. */
size_t cli_control(const char *text);

/* A line to stderr, unless --quiet. */
void cli_log(const struct cli_options *options, const char *format, ...) CLI_PRINTF(2, 3);

/* How many rows each input is out of range in, (input_count), for inputs of which there are any. */
void cli_log_out_of_range(const struct cli_options *options, const struct tulle_model_info *info,
                          const size_t *rows);

/* "tulle: " and a line to stderr; returns CLI_USAGE. */
int cli_usage_error(const char *format, ...) CLI_PRINTF(1, 2);

/* The same; returns CLI_FAILURE. */
int cli_failure(const char *format, ...) CLI_PRINTF(1, 2);

/* The same from the library, its advice in terms of the command's options. */
void cli_print_error(const struct cli_options *options, const struct tulle_error *error);

/* The same, unless a signal is the reason; returns the exit status that belongs to it. */
int cli_fail(const struct cli_options *options, const struct tulle_error *error);

/* Flushes and closes stdout: output counts only once it has arrived. Returns the exit status. */
int cli_close_stdout(void);

/* --- Tables --- */

/* Rows of cells as wide as their column needs; the first `left` columns are flush left. */
struct cli_table {
    size_t columns, left, count, capacity;
    char **cells;
};

void cli_table_add(struct cli_table *table, const char *format, ...) CLI_PRINTF(2, 3);
void cli_table_print(FILE *file, const struct cli_table *table, const char *indent);
void cli_table_free(struct cli_table *table);

/* The metrics, as bits by enum tulle_metric, that are numbers in any of these: those that belong to
 * the task. */
unsigned cli_metrics_known(const struct tulle_metrics *metrics, size_t count);

/* Metrics as tables: a header, and lines below it. */
void cli_table_add_metrics_header(struct cli_table *table, unsigned known);
void cli_table_add_metrics(struct cli_table *table, unsigned known, const char *target,
                           enum tulle_split split, const struct tulle_metrics *metrics);

/* The same without what comes before: the metrics' names, as further columns; and their values. */
void cli_table_add_names(struct cli_table *table, unsigned known);
void cli_table_add_values(struct cli_table *table, unsigned known,
                          const struct tulle_metrics *metrics);

/* Header and lines for those splits of the model that have rows. */
void cli_table_add_model_metrics(struct cli_table *table, const struct tulle_model_info *info);

/* --- JSON --- */

/* Set a member or add an element, taking over the value; they end the program when there is no
 * memory, which is also what NULL for an object, array or value means. */
void cli_json_set(json_t *object, const char *key, json_t *value);
void cli_json_append(json_t *array, json_t *value);
json_t *cli_json_text(const char *text); /* null for NULL; bytes that are no UTF-8 become '?' */
json_t *cli_json_number(double value);   /* null for what is not finite */
json_t *cli_json_count(size_t value);
json_t *cli_json_count_or_null(size_t value); /* null for 0 */
json_t *cli_json_network(const struct tulle_model_info *info);

/* rows and the known metrics; for several targets their averages, and each one's under "targets".
 * null when no rows were measured. */
json_t *cli_json_metrics(const struct tulle_model_info *info, unsigned known,
                         const struct tulle_metrics *metrics);

/* Of the three splits, as the model has them. */
json_t *cli_json_split_metrics(const struct tulle_model_info *info);
json_t *cli_json_split_rows(const size_t *counts); /* (3) */

/* The object on one line, to be freed; frees the object. */
char *cli_json_line(json_t *object);

/* Prints the object to stdout, frees it and closes stdout. Returns the exit status. */
int cli_json_print(json_t *object);

#endif
