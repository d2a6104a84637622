/* csv_writer.c - rows of cells as comma-separated text. */
#include "../base/portability.h"

#include <string.h>

#include "csv_writer.h"
#include "number_format.h"

static void put(struct csv_writer *writer, const char *text, size_t length)
{
    if (writer->status == TULLE_OK)
        writer->status = tulle_file_writer_write(writer->file, text, length, writer->error);
}

static void begin_cell(struct csv_writer *writer)
{
    if (writer->has_cells)
        put(writer, ",", 1);
    writer->has_cells = 1;
}

/* The semicolon and the tab, since a reader may take them for delimiters. */
static int needs_quotes(const char *text)
{
    return text[strcspn(text, ",;\t\"\r\n")] != '\0';
}

/* Within quotes, where a quote is two. */
static void put_doubled(struct csv_writer *writer, const char *text)
{
    for (size_t length; *text; text += length) {
        length = strcspn(text, "\"");
        length += text[length] == '"';
        put(writer, text, length);
        if (text[length - 1] == '"')
            put(writer, "\"", 1);
    }
}

void tulle_csv_text(struct csv_writer *writer, const char *text)
{
    begin_cell(writer);
    if (!needs_quotes(text)) {
        put(writer, text, strlen(text));
        return;
    }
    put(writer, "\"", 1);
    put_doubled(writer, text);
    put(writer, "\"", 1);
}

void tulle_csv_pair(struct csv_writer *writer, const char *text, const char *after)
{
    int quotes = needs_quotes(text) || needs_quotes(after);
    begin_cell(writer);
    put(writer, "\"", quotes);
    put_doubled(writer, text);
    put(writer, ":", 1);
    put_doubled(writer, after);
    put(writer, "\"", quotes);
}

void tulle_csv_number(struct csv_writer *writer, double number)
{
    char text[TULLE_NUMBER_SIZE];
    tulle_number_format(number, text);
    begin_cell(writer);
    put(writer, text, strlen(text));
}

enum tulle_status tulle_csv_end_row(struct csv_writer *writer)
{
    put(writer, "\n", 1);
    writer->has_cells = 0;
    return writer->status;
}
