/*
 * test_properties_tables.c - random tables that are written and read, columns that are encoded, and
 * metrics of rows with weights.
 */
#include "../lib/base/portability.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/data/column_fit.h"
#include "../lib/data/csv_writer.h"
#include "../lib/data/encoder.h"
#include "../lib/data/number_format.h"
#include "naive_metrics.h"
#include "property.h"
#include "table_files.h"

/* --- Tables ----------------------------------------------------------------------------------- */

enum { MOST_COLUMNS = 6, MOST_TABLE_ROWS = 40, MOST_LEVELS = 12, MOST_TEXT = 64 };

/* A table as it is meant: NaN is missing, and the cell of a column of texts is one of them. */
struct table {
    size_t rows, columns;
    char names[MOST_COLUMNS][MOST_TEXT];
    int is_text[MOST_COLUMNS];
    char texts[MOST_COLUMNS][MOST_LEVELS][MOST_TEXT];
    double cells[MOST_TABLE_ROWS][MOST_COLUMNS];
};

/* `first`, some of what makes trouble, and an end that is no blank. */
static void draw_text(struct tulle_rng *rng, char first, size_t number, char *text)
{
    static const char *const pieces[] = {"a",  "Z",    "ß", "日本", "\xf0\x9f\x98\x80",
                                         "\"", "\"\"", ",", ";",    "\t",
                                         "\n", "\r\n", " ", "  ",   "'",
                                         "\\", "NA",   "1", "-2.5", ":",
                                         "\r", "e9",   "?", "\x7f"};
    static const char *const ends[] = {".", "\n", "\r", "\"", "ü"};
    size_t length = (size_t)snprintf(text, MOST_TEXT, "%c%zu", first, number);
    for (size_t i = draw_small(rng, 0, 8); i > 0; i--)
        length += (size_t)snprintf(text + length, MOST_TEXT - length, "%s",
                                   pieces[draw_count(rng, 0, sizeof pieces / sizeof *pieces - 1)]);
    snprintf(text + length, MOST_TEXT - length, "%s", ends[draw_count(rng, 0, 4)]);
}

/* Any number that a table may hold: of random bits, whole, with few digits, at the ends. */
static double draw_cell(struct tulle_rng *rng)
{
    static const double ends[] = {0.0, -0.0, DBL_MIN, -DBL_MIN, 5e-324, 1e150, -1e150, 0x1p53};
    double value;
    switch (draw_count(rng, 0, 4)) {
    case 0:
        return ends[draw_count(rng, 0, sizeof ends / sizeof *ends - 1)];
    case 1:
        return (double)draw_count(rng, 0, 2000) - 1000;
    case 2:
        return ((double)draw_count(rng, 0, 2000) - 1000) / 100;
    case 3:
        return draw_number(rng, -1, 1);
    default:
        do {
            uint64_t bits = (uint64_t)tulle_rng_next(rng) << 32 | tulle_rng_next(rng);
            memcpy(&value, &bits, sizeof value);
        } while (!(fabs(value) <= 1e150));
        return value;
    }
}

static struct table *draw_table(struct tulle_rng *rng)
{
    struct table *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->rows = draw_small(rng, 1, MOST_TABLE_ROWS);
    t->columns = draw_count(rng, 1, MOST_COLUMNS);
    for (size_t c = 0; c < t->columns; c++) {
        size_t levels = draw_count(rng, 1, MOST_LEVELS);
        unsigned missing = (unsigned)draw_count(rng, 1, 20);
        t->is_text[c] = draw_one_in(rng, 3);
        draw_text(rng, 'c', c, t->names[c]);
        for (size_t i = 0; i < levels; i++)
            draw_text(rng, 'x', i, t->texts[c][i]);
        for (size_t r = 0; r < t->rows; r++)
            t->cells[r][c] = draw_one_in(rng, missing) ? NAN
                             : t->is_text[c]           ? (double)draw_count(rng, 0, levels - 1)
                                                       : draw_cell(rng);
    }
    describe("%zu rows, %zu columns", t->rows, t->columns);
    return t;
}

/* --- Tables as text --------------------------------------------------------------------------- */

/* One of the ways in which a table may be written. */
struct style {
    char delimiter;
    const char *line_end;
    int has_mark, quotes_all, pads, ends_open;
};

static struct style draw_style(struct tulle_rng *rng)
{
    struct style style; /* C leaves open which member of a list is drawn first */
    style.delimiter = ",;\t"[draw_count(rng, 0, 2)];
    style.line_end = draw_one_in(rng, 2) ? "\n" : "\r\n";
    style.has_mark = draw_one_in(rng, 4);
    style.quotes_all = draw_one_in(rng, 4);
    style.pads = draw_one_in(rng, 4);
    style.ends_open = draw_one_in(rng, 4);
    describe("; delimiter %d, line end %zu, mark %d, quotes %d, padding %d, open end %d",
             style.delimiter, strlen(style.line_end), style.has_mark, style.quotes_all, style.pads,
             style.ends_open);
    return style;
}

static void put_cell(FILE *to, const struct style *style, const char *text)
{
    int quotes = style->quotes_all || text[strcspn(text, ",;\t\"\r\n")];
    if (style->pads && !quotes)
        fputs("  ", to);
    if (quotes)
        fputc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    if (quotes)
        fputc('"', to);
    else if (style->pads)
        fputc(' ', to);
}

/* A cell's text; what is missing may be said in several ways, in a table of one column not by an
 * empty line. */
static const char *cell_text(struct tulle_rng *rng, const struct table *t, size_t r, size_t c,
                             char *number)
{
    static const char *const missing[] = {"NA", "?", "nan", "null", "N/A", ""};
    if (isnan(t->cells[r][c]))
        return missing[draw_count(rng, 0, t->columns > 1 ? 5 : 4)];
    if (t->is_text[c])
        return t->texts[c][(size_t)t->cells[r][c]];
    if (draw_one_in(rng, 2))
        snprintf(number, TULLE_NUMBER_SIZE, "%+.17e", t->cells[r][c]);
    else
        tulle_number_format(t->cells[r][c], number);
    return number;
}

static void write_styled(struct tulle_rng *rng, const struct table *t)
{
    char *text, number[TULLE_NUMBER_SIZE];
    size_t length;
    const struct style style = draw_style(rng);
    FILE *to = open_memstream(&text, &length);
    assert_non_null(to);
    fputs(style.has_mark ? "\xef\xbb\xbf" : "", to);
    for (size_t r = 0; r <= t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            if (c > 0)
                fputc(style.delimiter, to);
            put_cell(to, &style, r == 0 ? t->names[c] : cell_text(rng, t, r - 1, c, number));
        }
        if (r < t->rows || !style.ends_open)
            fputs(style.line_end, to);
        if (style.pads && draw_one_in(rng, 4))
            fputs(style.line_end, to);
    }
    fclose(to);
    write_table(text, length);
    free(text);
}

/* By the library's own writer, which never had anything missing to write. */
static void write_back(const struct tulle_dataset_info *info)
{
    struct tulle_error error;
    struct csv_writer csv = {.error = &error};
    assert_int_equal(tulle_file_writer_open(table_path, &csv.file, &error), TULLE_OK);
    for (size_t c = 0; c < info->columns; c++)
        tulle_csv_text(&csv, info->names[c]);
    tulle_csv_end_row(&csv);
    for (size_t r = 0; r < info->rows; r++) {
        for (size_t c = 0; c < info->columns; c++) {
            double value = info->values[r * info->columns + c];
            if (isnan(value))
                tulle_csv_text(&csv, "NA");
            else if (info->levels[c].names)
                tulle_csv_text(&csv, info->levels[c].names[(size_t)value]);
            else
                tulle_csv_number(&csv, value);
        }
        assert_int_equal(tulle_csv_end_row(&csv), TULLE_OK);
    }
    assert_int_equal(tulle_file_writer_commit(csv.file, &error), TULLE_OK);
}

static void compare_table(const struct table *t, const struct tulle_dataset_info *info)
{
    assert_int_equal(info->rows, t->rows);
    assert_int_equal(info->columns, t->columns);
    assert_int_equal(info->has_header, 1);
    for (size_t c = 0; c < t->columns; c++) {
        assert_string_equal(info->names[c], t->names[c]);
        assert_int_equal(info->levels[c].names != NULL, t->is_text[c]);
        for (size_t r = 0; r < t->rows; r++) {
            double found = info->values[r * t->columns + c], expected = t->cells[r][c];
            if (isnan(expected))
                assert_true(isnan(found));
            else if (t->is_text[c])
                assert_string_equal(info->levels[c].names[(size_t)found],
                                    t->texts[c][(size_t)expected]);
            else if (memcmp(&found, &expected, sizeof found) != 0)
                fail_msg("row %zu, column %zu: %.17g, not %.17g", r, c, found, expected);
        }
    }
}

/* Reads the file, kinds of columns declared, as those without any value must be. */
static tulle_dataset *read_declared(const struct table *t)
{
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    const char *texts[MOST_COLUMNS], *numbers[MOST_COLUMNS];
    struct tulle_error error;
    tulle_dataset *dataset;
    options.categorical = texts;
    options.numeric = numbers;
    for (size_t c = 0; c < t->columns; c++) {
        if (t->is_text[c])
            texts[options.categorical_count++] = t->names[c];
        else
            numbers[options.numeric_count++] = t->names[c];
    }
    if (tulle_dataset_read(table_path, &options, &dataset, &error) != TULLE_OK)
        fail_msg("%zu:%zu: %s", error.line, error.column, error.message);
    return dataset;
}

static void check_tables(struct tulle_rng *rng)
{
    struct table *t = draw_table(rng);
    write_styled(rng, t);
    tulle_dataset *dataset = read_declared(t);
    compare_table(t, tulle_dataset_info(dataset));
    if (draw_one_in(rng, 10)) { /* which waits for the disk */
        write_back(tulle_dataset_info(dataset));
        tulle_dataset_free(dataset);
        dataset = read_declared(t);
        compare_table(t, tulle_dataset_info(dataset));
    }
    tulle_dataset_free(dataset);
    free(t);
}

TEST_PROPERTY(tables, 1000)

/* --- Columns ---------------------------------------------------------------------------------- */

/* Values of many kinds: all equal, few, many; near each other, far apart, with some far out. */
static void draw_values(struct tulle_rng *rng, double *values, size_t rows)
{
    double size = ldexp(1, (int)draw_count(rng, 0, 60) - 30), shift = draw_number(rng, -9, 9);
    size_t different = draw_small(rng, 1, 200);
    unsigned missing = (unsigned)draw_count(rng, 2, 30), far = (unsigned)draw_count(rng, 2, 60);
    int has_missing = draw_one_in(rng, 2), has_far = draw_one_in(rng, 3);
    describe("%zu rows, at most %zu values, size %g about %g%s%s", rows, different, size, shift,
             has_missing ? ", some missing" : "", has_far ? ", some far out" : "");
    for (size_t r = 0; r < rows; r++) {
        values[r] = size * (shift + (double)draw_count(rng, 0, different) / 7);
        if (has_far && draw_one_in(rng, far))
            values[r] = draw_cell(rng);
        if (has_missing && draw_one_in(rng, missing))
            values[r] = NAN;
    }
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* Finite, in the order of what is encoded (but for rounding where that is a quotient of roots), and
 * within what the scaling promises. */
static void check_order(const struct encoder *encoder, const struct tulle_column *column,
                        double *probes, size_t count)
{
    const double most = column->scaling == TULLE_SCALING_ROBUST     ? 3
                        : column->scaling == TULLE_SCALING_QUANTILE ? 3.5
                                                                    : DBL_MAX;
    double before = -DBL_MAX;
    qsort(probes, count, sizeof *probes, ascending);
    for (size_t i = 0; i < count; i++) {
        double encoded = tulle_encode_number(encoder, 0, probes[i]);
        int may_overflow = fabs((probes[i] - column->mean) / column->scale) > DBL_MAX;
        if (!(fabs(encoded) <= most) && !may_overflow)
            fail_msg("%.17g becomes %.17g", probes[i], encoded);
        double rounding = column->scaling == TULLE_SCALING_ROBUST ? 4 * DBL_EPSILON : 0;
        if (!(encoded >= before - rounding * fabs(before)))
            fail_msg("%.17g becomes %.17g, less than %.17g of a smaller one", probes[i], encoded,
                     before);
        before = fmax(before, encoded);
    }
}

/* A row of it: 0 for what is missing, which the indicator says if there is one. */
static void check_row(const struct encoder *encoder, const struct tulle_column *column, double x)
{
    const struct row_encoder rows = {.encoder = encoder};
    double encoded[2] = {NAN, NAN};
    assert_int_equal(encoder->inputs, column->missing > 0 ? 2 : 1);
    tulle_encode_inputs(&rows, &x, TULLE_F64, encoded);
    assert_true(encoded[0] == (isnan(x) ? 0 : tulle_encode_number(encoder, 0, x)));
    assert_true(encoder->inputs == 1 || encoded[1] == isnan(x));
}

static void check_columns(struct tulle_rng *rng)
{
    enum { ROWS = 1500, PROBES = 100 };
    static double values[ROWS], probes[4 * PROBES];
    static size_t order[ROWS];
    size_t rows = draw_small(rng, 1, ROWS), count = 0;
    struct column_fit_options options = {(enum tulle_scaling)draw_count(rng, 0, 3), 9, 8};
    struct tulle_column column;
    struct tulle_error error;
    struct encoder encoder;
    tulle_dataset *dataset;
    describe("%s, ", tulle_scaling_name(options.scaling));
    draw_values(rng, values, rows);
    for (size_t r = 0; r < rows; r++)
        order[r] = r;
    assert_int_equal(
        tulle_dataset_create(NULL, tulle_f64(values, rows, 1), NULL, NULL, &dataset, &error),
        TULLE_OK);
    assert_int_equal(tulle_column_fit(dataset, 0, order, rows, &options, &column, &error),
                     TULLE_OK);
    assert_true(tulle_encoder_init(&encoder, &column, 1));
    for (size_t i = 0; i < PROBES; i++) {
        double value = values[draw_count(rng, 0, rows - 1)];
        check_row(&encoder, &column, value);
        if (!isnan(value)) {
            probes[count++] = nextafter(value, -INFINITY);
            probes[count++] = value;
            probes[count++] = nextafter(value, INFINITY);
        }
        probes[count++] = draw_cell(rng);
    }
    check_order(&encoder, &column, probes, count);
    tulle_encoder_clear(&encoder);
    tulle_column_clear(&column);
    tulle_dataset_free(dataset);
}

TEST_PROPERTY(columns, 1500)

/* --- Metrics ---------------------------------------------------------------------------------- */

static void draw_sample_weights(struct sample *s, struct tulle_rng *rng)
{
    unsigned zeros = (unsigned)draw_count(rng, 1, 10); /* all of them are, now and then */
    if (draw_one_in(rng, 3))
        return;
    for (size_t r = 0; r < s->rows; r++)
        s->weights[r] = draw_one_in(rng, zeros) ? 0 : draw_number(rng, 0, 3);
    describe(", weights");
}

static void check_class_metrics(struct tulle_rng *rng)
{
    size_t classes = draw_count(rng, 2, MOST_PREDICTIONS);
    struct sample *s =
        new_sample(classes == 2 && draw_one_in(rng, 2) ? TULLE_LOSS_BINARY_CROSS_ENTROPY
                                                       : TULLE_LOSS_CROSS_ENTROPY,
                   classes);
    s->rows = draw_small(rng, 1, 300);
    describe("%zu rows of %zu classes", s->rows, classes);
    draw_classes(s, rng);
    for (size_t r = 0; r < s->rows; r++) {
        if (draw_one_in(rng, 30))
            s->predictions[r][(size_t)s->truth[r]] = 0;
        if (draw_one_in(rng, 30))
            s->truth[r] = -1;
    }
    draw_sample_weights(s, rng);
    check_classes(s);
    free(s);
}

TEST_PROPERTY(class_metrics, 1000)

static void check_number_metrics(struct tulle_rng *rng)
{
    static const enum tulle_loss losses[] = {TULLE_LOSS_MSE, TULLE_LOSS_QUANTILE,
                                             TULLE_LOSS_POISSON, TULLE_LOSS_GAMMA};
    static const double quantiles[] = {0.05, 0.25, 0.625, 0.75, 0.9};
    enum tulle_loss loss = losses[draw_count(rng, 0, 3)];
    struct sample *s = new_sample(loss, 0);
    double shift = draw_number(rng, -50, 50);
    s->rows = draw_small(rng, 1, MOST_ROWS);
    s->target.scale = ldexp(draw_number(rng, 1, 2), (int)draw_count(rng, 0, 20) - 10);
    describe("%zu rows, %s, scale %g", s->rows, tulle_loss_name(loss), s->target.scale);
    if (loss == TULLE_LOSS_QUANTILE) {
        s->info.quantiles = quantiles;
        s->info.quantile_count = draw_count(rng, 1, 5);
        s->middle = s->info.quantile_count > 2 ? 2 : s->info.quantile_count - 1;
    }
    for (size_t r = 0; r < s->rows; r++) {
        s->truth[r] = loss == TULLE_LOSS_POISSON ? (double)draw_count(rng, 0, 5)
                      : loss == TULLE_LOSS_GAMMA ? draw_number(rng, 0.1, 5)
                                                 : shift + draw_number(rng, -4, 9);
        for (size_t q = 0; q < MOST_PREDICTIONS; q++)
            s->predictions[r][q] = loss == TULLE_LOSS_POISSON || loss == TULLE_LOSS_GAMMA
                                       ? draw_number(rng, 0.2, 6)
                                       : s->truth[r] + draw_number(rng, -2, 2);
    }
    draw_sample_weights(s, rng);
    check_numbers(s, 1e-12);
    free(s);
}

TEST_PROPERTY(number_metrics, 1000)

int main(void)
{
    const struct CMUnitTest tests[] = {PROPERTY(tables), PROPERTY(columns), PROPERTY(class_metrics),
                                       PROPERTY(number_metrics)};
    return cmocka_run_group_tests(tests, make_table_folder, remove_table_folder);
}
