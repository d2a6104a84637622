/*
 * csv_reader.c - finding records and cutting them into cells.
 *
 * A record is first found whole in the source's window, by memchr for its line end; only lines that
 * have a quote in them are looked at byte by byte for that. Then it is
 * cut, in place, if its cells are asked for.
 */
#include "../base/portability.h"

#include <string.h>

#include "../base/memory.h"
#include "csv_reader.h"

struct csv_reader {
    struct byte_source *source;
    char delimiter;
    size_t line;     /* that the window begins at, after `taken` bytes have been skipped */
    size_t taken;    /* bytes of the window that the record last returned lies in */
    size_t capacity; /* of cells */
    struct csv_cell *cells;
    struct csv_record record;
};

/* Where a record lies: at the beginning of the window. */
struct extent {
    size_t length; /* without its line end */
    size_t taken;  /* with it */
    size_t lines;
    int has_quotes;
};

/*
 * Reads until the physical line that begins at an offset of the window is whole. *end is the offset
 * of its '\n'; or, with *last set, of the end of the input.
 */
static enum tulle_status find_line(struct csv_reader *reader, size_t begin, size_t line,
                                   size_t *end, int *last, struct tulle_error *error)
{
    *end = begin;
    for (;;) {
        struct byte_window window = tulle_byte_source_window(reader->source);
        const char *from = window.data + *end;
        size_t size = window.size - *end;
        const char *newline = memchr(from, '\n', size);
        if (newline)
            size = (size_t)(newline - from);
        const char *nul = memchr(from, '\0', size);
        if (nul)
            return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source),
                                 line, (size_t)(nul - window.data) - begin + 1,
                                 "expected text, got a NUL byte: this is a binary file, or UTF-16 "
                                 "text to be saved as UTF-8");
        *end += size;
        *last = 0;
        if (newline)
            return TULLE_OK;
        enum tulle_status status = tulle_byte_source_fill(reader->source, *end + 1, error);
        *last = tulle_byte_source_window(reader->source).size == *end;
        if (status || *last)
            return status;
    }
}

/*
 * Follows the quotes through one physical line. `open` says whether it begins within a quoted cell;
 * returns whether it ends in one, whose quote is then at *opening unless it was open before.
 */
static int follow_quotes(const char *p, const char *end, char delimiter, int open,
                         const char **opening)
{
    while (p < end) {
        if (!open && *p == '"') {
            open = 1;
            *opening = p++;
        }
        while (open) {
            p = memchr(p, '"', (size_t)(end - p));
            if (!p)
                return 1;
            open = p + 1 < end && p[1] == '"';
            p += open ? 2 : 1;
        }
        p = memchr(p, delimiter, (size_t)(end - p));
        if (!p)
            return 0;
        p++;
    }
    return open;
}

/* Reads until the first record is whole in the window: up to a line end outside quotes. */
static enum tulle_status find_record(struct csv_reader *reader, struct extent *found,
                                     struct tulle_error *error)
{
    size_t open_line = 0, open_column = 0; /* where the quote is that is open */
    int open = 0, last = 0;
    *found = (struct extent){0};
    do {
        size_t begin = found->taken, line = reader->line + found->lines, end;
        enum tulle_status status = find_line(reader, begin, line, &end, &last, error);
        if (status)
            return status;
        const char *data = tulle_byte_source_window(reader->source).data;
        if (open || memchr(data + begin, '"', end - begin)) {
            const char *opening = NULL;
            found->has_quotes = 1;
            open = follow_quotes(data + begin, data + end, reader->delimiter, open, &opening);
            if (opening) {
                open_line = line;
                open_column = (size_t)(opening - data) - begin + 1;
            }
        }
        found->lines++;
        found->length = end > begin && data[end - 1] == '\r' ? end - 1 : end;
        found->taken = last ? end : end + 1;
    } while (open && !last);
    if (open)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source),
                             open_line, open_column, "this quote is never closed");
    return TULLE_OK;
}

static enum tulle_status add_cell(struct csv_reader *reader, struct csv_cell cell,
                                  struct tulle_error *error)
{
    if (reader->record.count == TULLE_MOST_COLUMNS)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source),
                             cell.line, cell.column, "a row of more than %d cells",
                             TULLE_MOST_COLUMNS);
    if (reader->record.count == reader->capacity) {
        size_t capacity = reader->capacity ? 2 * reader->capacity : 16;
        void *larger = tulle_realloc_array(reader->cells, capacity, sizeof *reader->cells);
        if (!larger)
            return tulle_fail_memory(error);
        reader->cells = larger;
        reader->capacity = capacity;
    }
    reader->cells[reader->record.count++] = cell;
    return TULLE_OK;
}

/*
 * Takes the quotes off the quoted cell at p, moving its text together where quotes were doubled.
 * Returns what follows the closing quote, which is there: find_record() has seen it. *line and
 * *line_begin move on with the line ends in the cell.
 */
static char *unquote(char *p, const char *end, struct csv_cell *cell, size_t *line,
                     const char **line_begin)
{
    char *to = ++p;
    cell->text = to;
    for (;;) {
        char *quote = memchr(p, '"', (size_t)(end - p));
        size_t length = (size_t)(quote - p);
        const char *newline = p;
        while ((newline = memchr(newline, '\n', (size_t)(quote - newline)))) {
            ++*line;
            *line_begin = ++newline;
        }
        memmove(to, p, length);
        to += length;
        p = quote + 1;
        if (p == end || *p != '"')
            break;
        *to++ = *p++;
    }
    cell->length = (size_t)(to - cell->text);
    return p;
}

enum tulle_status tulle_csv_reader_cut(struct csv_reader *reader, struct tulle_error *error)
{
    struct csv_record *record = &reader->record;
    if (record->cells)
        return TULLE_OK;
    char *p = tulle_byte_source_window(reader->source).data, *end = p + record->length;
    char delimiter = reader->delimiter;
    size_t line = record->line;
    const char *line_begin = p;
    for (;; p++) {
        struct csv_cell cell = {p, 0, line, (size_t)(p - line_begin) + 1};
        if (p < end && *p == '"') {
            p = unquote(p, end, &cell, &line, &line_begin);
            if (p < end && *p != delimiter)
                return tulle_fail_at(error, TULLE_ERROR_DATA,
                                     tulle_byte_source_name(reader->source), line,
                                     (size_t)(p - line_begin) + 1,
                                     "expected the cell to end at its closing quote; a quote "
                                     "within it is written twice");
        } else {
            while (p < end && *p != delimiter)
                p++;
            cell.length = (size_t)(p - cell.text);
        }
        enum tulle_status status = add_cell(reader, cell, error);
        if (status)
            return status;
        if (p == end)
            break;
    }
    record->cells = reader->cells;
    record->end_line = line;
    record->end_column = (size_t)(end - line_begin) + 1;
    return TULLE_OK;
}

static int is_blank(const char *text, size_t length)
{
    while (length > 0 && text[length - 1] == ' ')
        length--;
    return length == 0;
}

enum tulle_status tulle_csv_reader_next(struct csv_reader *reader, const struct csv_record **record,
                                        struct tulle_error *error)
{
    struct extent found;
    struct byte_window window;
    enum tulle_status status;
    *record = NULL;
    for (;;) {
        tulle_byte_source_skip(reader->source, reader->taken);
        reader->taken = 0;
        status = find_record(reader, &found, error);
        if (status)
            return status;
        window = tulle_byte_source_window(reader->source);
        if (window.size == 0)
            return TULLE_OK;
        reader->taken = found.taken;
        if (!is_blank(window.data, found.length))
            break;
        reader->line += found.lines;
    }
    reader->record = (struct csv_record){.line = reader->line,
                                         .text = window.data,
                                         .length = found.length,
                                         .readable_end = window.data + window.size,
                                         .has_quotes = found.has_quotes,
                                         .delimiter = reader->delimiter};
    reader->line += found.lines;
    *record = &reader->record;
    return TULLE_OK;
}

/* The most frequent of the three in the first record, quoted text left out; ',' if there is none.
 * While it is not known, a cell can begin after any of the three. */
static enum tulle_status find_delimiter(struct csv_reader *reader, struct tulle_error *error)
{
    static const char candidates[] = {',', ';', '\t'};
    enum { CELL_START, PLAIN, QUOTED, QUOTE_IN_QUOTED } state = CELL_START;
    size_t counts[sizeof candidates] = {0};
    int blank = 1;
    for (size_t i = 0;; i++) {
        enum tulle_status status = tulle_byte_source_fill(reader->source, i + 1, error);
        if (status)
            return status;
        struct byte_window window = tulle_byte_source_window(reader->source);
        char byte = i < window.size ? window.data[i] : '\0';
        if (byte == '\0' || (byte == '\n' && state != QUOTED && !blank))
            break;
        blank = blank && (byte == ' ' || byte == '\r' || byte == '\n');
        const char *candidate = memchr(candidates, byte, sizeof candidates);
        if (byte == '"') {
            if (state != PLAIN)
                state = state == QUOTED ? QUOTE_IN_QUOTED : QUOTED;
        } else if (state != QUOTED) {
            if (candidate)
                counts[candidate - candidates]++;
            state = candidate || byte == '\n' ? CELL_START : PLAIN;
        }
    }
    size_t best = 0;
    for (size_t i = 1; i < sizeof candidates; i++)
        if (counts[i] > counts[best])
            best = i;
    reader->delimiter = candidates[best];
    return TULLE_OK;
}

static enum tulle_status skip_byte_order_mark(struct csv_reader *reader, struct tulle_error *error)
{
    enum tulle_status status = tulle_byte_source_fill(reader->source, 3, error);
    struct byte_window window = tulle_byte_source_window(reader->source);
    if (!status && window.size >= 3 && memcmp(window.data, "\xef\xbb\xbf", 3) == 0)
        tulle_byte_source_skip(reader->source, 3);
    return status;
}

enum tulle_status tulle_csv_reader_open(struct byte_source *source, struct csv_reader **reader,
                                        struct tulle_error *error)
{
    *reader = NULL;
    struct csv_reader *made = tulle_calloc(1, sizeof *made);
    if (!made)
        return tulle_fail_memory(error);
    made->source = source;
    made->line = 1;
    enum tulle_status status = skip_byte_order_mark(made, error);
    if (!status)
        status = find_delimiter(made, error);
    if (status) {
        tulle_csv_reader_close(made);
        return status;
    }
    *reader = made;
    return TULLE_OK;
}

void tulle_csv_reader_close(struct csv_reader *reader)
{
    if (!reader)
        return;
    tulle_free(reader->cells);
    tulle_free(reader);
}
