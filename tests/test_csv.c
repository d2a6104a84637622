/* test_csv.c - bytes and records: what a text is cut into, at whatever size it is read in. */
#include "../lib/base/portability.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "../lib/data/csv_reader.h"
#include "table_files.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- A text form of what is read -------------------------------------------------------------- */

struct transcript {
    char *text;
    size_t length;
};

static void print_record(FILE *to, const struct csv_record *record)
{
    fprintf(to, "%zu-%zu:%zu", record->line, record->end_line, record->end_column);
    for (size_t i = 0; i < record->count; i++) {
        const struct csv_cell *cell = &record->cells[i];
        fprintf(to, " %zu:%zu[%.*s]", cell->line, cell->column, (int)cell->length, cell->text);
    }
    fputc('\n', to);
}

/* Every record of the table file in a line such as "1-1:4 1:1[a] 1:3[b]": the physical lines from
 * and to, the column after the end, and the cells with their places. An error closes it. */
static struct transcript transcribe(size_t chunk)
{
    struct transcript made;
    struct tulle_error error;
    struct byte_source *source;
    struct csv_reader *reader = NULL;
    FILE *to = open_memstream(&made.text, &made.length);
    assert_non_null(to);
    enum tulle_status status = tulle_byte_source_open(table_path, chunk, &source, &error);
    if (!status)
        status = tulle_csv_reader_open(source, &reader, &error);
    while (!status) {
        const struct csv_record *record;
        status = tulle_csv_reader_next(reader, &record, &error);
        if (!record)
            break;
        assert_int_equal(record->has_quotes, memchr(record->text, '"', record->length) != NULL);
        assert_true(record->readable_end >= record->text + record->length);
        status = tulle_csv_reader_cut(reader, &error);
        if (status)
            break;
        assert_int_equal(tulle_csv_reader_cut(reader, &error), TULLE_OK);
        print_record(to, record);
    }
    if (status) {
        assert_int_equal(error.code, status);
        fprintf(to, "error %d %zu:%zu %s\n", status, error.line, error.column, error.message);
    }
    tulle_csv_reader_close(reader);
    tulle_byte_source_close(source);
    fclose(to);
    return made;
}

/* The same at every size of reads up to the text's own, and at the usual one. */
static void assert_transcript(const char *text, size_t length, const char *expected)
{
    write_table(text, length);
    for (size_t chunk = 1; chunk <= length + 1; chunk++) {
        struct transcript got = transcribe(chunk <= length ? chunk : TULLE_BYTE_SOURCE_CHUNK);
        if (strcmp(got.text, expected) != 0)
            fail_msg("in chunks of %zu, got\n%s", chunk, got.text);
        free(got.text);
    }
}

/* --- CSV -------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *expected;
} texts[] = {
    {"a,b\n1,2\n", "1-1:4 1:1[a] 1:3[b]\n2-2:4 2:1[1] 2:3[2]\n"},
    {"a,b\r\n1,2\r\n", "1-1:4 1:1[a] 1:3[b]\n2-2:4 2:1[1] 2:3[2]\n"},
    {"a,b\n1,2", "1-1:4 1:1[a] 1:3[b]\n2-2:4 2:1[1] 2:3[2]\n"},
    {"a,b\r\n1,2\r", "1-1:4 1:1[a] 1:3[b]\n2-2:4 2:1[1] 2:3[2]\n"},
    {"\xef\xbb\xbf"
     "a,b\n1,2",
     "1-1:4 1:1[a] 1:3[b]\n2-2:4 2:1[1] 2:3[2]\n"},
    {"\xef\xbb\xbf", ""},
    {"", ""},
    {"\n\r\n  \n", ""},
    /* Blank lines are skipped and counted. */
    {"\n  \n\r\na\n\n1\n\n", "4-4:2 4:1[a]\n6-6:2 6:1[1]\n"},
    /* The delimiter is the most frequent in the first record, outside quotes. */
    {"a;b\n1,5;2\n", "1-1:4 1:1[a] 1:3[b]\n2-2:6 2:1[1,5] 2:5[2]\n"},
    {"a\tb\n1\t\n\t\n", "1-1:4 1:1[a] 1:3[b]\n2-2:3 2:1[1] 2:3[]\n3-3:2 3:1[] 3:2[]\n"},
    {"a;b,c;d\n", "1-1:8 1:1[a] 1:3[b,c] 1:7[d]\n"},
    {"a,b;c\n", "1-1:6 1:1[a] 1:3[b;c]\n"},
    {"\",,,\";b\n1;2\n", "1-1:8 1:1[,,,] 1:7[b]\n2-2:4 2:1[1] 2:3[2]\n"},
    {"\"x\"\",,,\";b\n", "1-1:11 1:1[x\",,,] 1:10[b]\n"},
    {"\"x\n,,,\n\";b\n", "1-3:4 1:1[x\n,,,\n] 3:3[b]\n"},
    {"\n\na;b,c;d\n", "3-3:8 3:1[a] 3:3[b,c] 3:7[d]\n"},
    {"a\n1\n", "1-1:2 1:1[a]\n2-2:2 2:1[1]\n"},
    /* Quotes. */
    {"\"a\",\"b\"\"c\"\n", "1-1:11 1:1[a] 1:5[b\"c]\n"},
    {"\"\",\"\"\"\"\n", "1-1:8 1:1[] 1:4[\"]\n"},
    {"\"a,b\",c\n", "1-1:8 1:1[a,b] 1:7[c]\n"},
    {"a,\"b\nc\",d\n1,2,3\n", "1-2:5 1:1[a] 1:3[b\nc] 2:4[d]\n3-3:6 3:1[1] 3:3[2] 3:5[3]\n"},
    {"a,\"\r\n\n\",\"x\"\"\n\"\r\n1\n", "1-4:2 1:1[a] 1:3[\r\n\n] 3:3[x\"\n]\n5-5:2 5:1[1]\n"},
    {"a,\"b\"", "1-1:6 1:1[a] 1:3[b]\n"},
    {"a,\"b\"\r", "1-1:6 1:1[a] 1:3[b]\n"},
    /* Within a cell that does not begin with one, a quote is a byte like others. */
    {"a,5\" nail,\"b\"\n6\",7,\"\"\n", "1-1:14 1:1[a] 1:3[5\" nail] 1:11[b]\n"
                                       "2-2:8 2:1[6\"] 2:4[7] 2:6[]\n"},
    {"5\"\";b;c,d\n", "1-1:10 1:1[5\"\"] 1:5[b] 1:7[c,d]\n"},
    {"a, \"b\"\n", "1-1:7 1:1[a] 1:3[ \"b\"]\n"},
    /* Empty cells, and records of other lengths, which are not this reader's business. */
    {",\n,,\na", "1-1:2 1:1[] 1:2[]\n2-2:3 2:1[] 2:2[] 2:3[]\n3-3:2 3:1[a]\n"},
    /* UTF-8 is bytes. */
    {"h\xc3\xb6he,b\n", "1-1:8 1:1[h\xc3\xb6he] 1:7[b]\n"},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_transcript(texts[i].text, strlen(texts[i].text), texts[i].expected);
}

#define NEVER_CLOSED " this quote is never closed\n"
#define AFTER_QUOTE                                                                                \
    " expected the cell to end at its closing quote; a quote within it is written twice\n"
#define NUL_BYTE                                                                                   \
    " expected text, got a NUL byte: this is a binary file, or UTF-16 text to be saved as UTF-8\n"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *text;
    size_t length;
    const char *expected;
} refused[] = {
    {BYTES("a,b\n1,\"2\n"), "1-1:4 1:1[a] 1:3[b]\nerror 4 2:3" NEVER_CLOSED},
    {BYTES("a,b\n1,\"2\n3,4\n5,6"), "1-1:4 1:1[a] 1:3[b]\nerror 4 2:3" NEVER_CLOSED},
    {BYTES("a\n\"x\ny\",\"z\n\n"), "1-1:2 1:1[a]\nerror 4 3:4" NEVER_CLOSED},
    {BYTES("a\n\"x\n\n\n"), "1-1:2 1:1[a]\nerror 4 2:1" NEVER_CLOSED},
    {BYTES("\""), "error 4 1:1" NEVER_CLOSED},
    {BYTES("\"\"\""), "error 4 1:1" NEVER_CLOSED},
    {BYTES("a,b\n1,\"2\"3\n"), "1-1:4 1:1[a] 1:3[b]\nerror 4 2:6" AFTER_QUOTE},
    {BYTES("a,b\n\"1\" ,2\n"), "1-1:4 1:1[a] 1:3[b]\nerror 4 2:4" AFTER_QUOTE},
    {BYTES("a\n\"x\ny\"z\n"), "1-1:2 1:1[a]\nerror 4 3:3" AFTER_QUOTE},
    {BYTES("a,b\n1,\0002\n"), "1-1:4 1:1[a] 1:3[b]\nerror 4 2:3" NUL_BYTE},
    {BYTES("a,b\n\"1\n\0\",2\n"), "1-1:4 1:1[a] 1:3[b]\nerror 4 3:1" NUL_BYTE},
    {BYTES("\xff\xfe"
           "a\0,\0b\0\n\0"),
     "error 4 1:4" NUL_BYTE},
    {BYTES("\0a,b\n"), "error 4 1:1" NUL_BYTE},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_transcript(refused[i].text, refused[i].length, refused[i].expected);
}

static void test_too_many_cells(void **state)
{
    size_t length = TULLE_MOST_COLUMNS + 1;
    char *text = malloc(length);
    (void)state;
    assert_non_null(text);
    memset(text, ',', length); /* a cell before each comma, and one behind the last */
    for (int is_one_less = 0; is_one_less < 2; is_one_less++) {
        text[length - 1 - (size_t)is_one_less] = '\n';
        write_table(text, length - (size_t)is_one_less);
        struct transcript got = transcribe(TULLE_BYTE_SOURCE_CHUNK);
        if (is_one_less)
            assert_null(strstr(got.text, "error"));
        else
            assert_string_equal(got.text, "error 4 1:1048577 a row of more than 1048576 cells\n");
        free(got.text);
    }
    free(text);
}

/* Records longer than a read, than the window's first size, and of more cells than any before. */
static void test_long_records(void **state)
{
    enum { CELLS = 3000, TEXT = 100000 };
    char *text, *expected;
    size_t length, expected_length;
    FILE *to = open_memstream(&text, &length),
         *wanted = open_memstream(&expected, &expected_length);
    (void)state;
    fprintf(to, "a,\"");
    fprintf(wanted, "1-%d:2 1:1[a] 1:3[", TEXT / 10 + 1);
    for (int i = 0; i < TEXT / 10; i++) {
        fprintf(to, "%s", "1,\"\"4567\n");
        fprintf(wanted, "%s", "1,\"4567\n");
    }
    fprintf(to, "\"\n0");
    fprintf(wanted, "]\n%d-%d:%d %d:1[0]", TEXT / 10 + 2, TEXT / 10 + 2, 2 * CELLS, TEXT / 10 + 2);
    for (int i = 1; i < CELLS; i++) {
        fprintf(to, ",%d", i % 10);
        fprintf(wanted, " %d:%d[%d]", TEXT / 10 + 2, 2 * i + 1, i % 10);
    }
    fprintf(wanted, "\n");
    fclose(to);
    fclose(wanted);
    write_table(text, length);
    for (size_t chunk = 999; chunk <= TULLE_BYTE_SOURCE_CHUNK; chunk *= 7) {
        struct transcript got = transcribe(chunk);
        assert_string_equal(got.text, expected);
        free(got.text);
    }
    free(text);
    free(expected);
}

/* --- Bytes ------------------------------------------------------------------------------------ */

static enum tulle_status open_path(const char *path, struct tulle_error *error)
{
    struct byte_source *source;
    enum tulle_status status =
        tulle_byte_source_open(path, TULLE_BYTE_SOURCE_CHUNK, &source, error);
    assert_int_equal(source == NULL, status != TULLE_OK);
    tulle_byte_source_close(source);
    return status;
}

static void test_paths_refused(void **state)
{
    struct tulle_error error;
    (void)state;
    assert_int_equal(open_path(table_folder, &error), TULLE_ERROR_IO);
    assert_string_equal(error.file, table_folder);
    assert_string_equal(error.message, "expected a file, got a directory");
    assert_int_equal(open_path("/tmp/there/is/no/such/file", &error), TULLE_ERROR_IO);
    assert_string_equal(error.message, "cannot open: No such file or directory");
    assert_int_equal(open_path("", &error), TULLE_ERROR_IO);
    assert_int_equal(open_path("/tmp/there/is/no/such/file", NULL), TULLE_ERROR_IO);
}

/* A file that has become shorter than what was read of it is none whose end is known. */
static void test_shortened(void **state)
{
    struct byte_source *source;
    struct tulle_error error;
    uint64_t left;
    (void)state;
    write_table("0123456789", 10);
    assert_int_equal(tulle_byte_source_open(table_path, 4, &source, &error), TULLE_OK);
    assert_int_equal(tulle_byte_source_fill(source, 8, &error), TULLE_OK);
    tulle_byte_source_skip(source, 6);
    assert_true(tulle_byte_source_is_file(source, &left) && left == 4);
    write_table("01234", 5);
    assert_false(tulle_byte_source_is_file(source, &left));
    tulle_byte_source_close(source);
}

static int reads;

static ssize_t read_no_third(int descriptor, void *to, size_t size)
{
    errno = EIO;
    return ++reads == 3 ? -1 : read(descriptor, to, size);
}

/* The byte order mark is looked for in what may fail to be read. */
static void test_first_bytes_not_read(void **state)
{
    struct byte_source *source;
    struct csv_reader *reader;
    struct tulle_error error = {.message = ""};
    (void)state;
    write_table("a,b\n1,2\n", 8);
    reads = 0;
    tulle_file_io.read = read_no_third;
    enum tulle_status opened = tulle_byte_source_open(table_path, 1, &source, &error);
    enum tulle_status status = tulle_csv_reader_open(source, &reader, &error);
    tulle_file_io.read = read;
    assert_int_equal(opened, TULLE_OK);
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_null(reader);
    assert_string_equal(error.file, table_path);
    tulle_byte_source_close(source);
}

/* "-" is standard input, here a pipe written to byte by byte. */
static void test_standard_input(void **state)
{
    int ends[2], saved = dup(STDIN_FILENO);
    struct tulle_error error;
    struct byte_source *source;
    const char text[] = "a,b\n1,2\n";
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        for (const char *p = text; *p; p++)
            if (write(ends[1], p, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(tulle_byte_source_open("-", 64, &source, &error), TULLE_OK);
    assert_string_equal(tulle_byte_source_name(source), "standard input");
    assert_int_equal(tulle_byte_source_fill(source, 1000, &error), TULLE_OK);
    struct byte_window window = tulle_byte_source_window(source);
    assert_int_equal(window.size, sizeof text - 1);
    assert_memory_equal(window.data, text, sizeof text - 1);
    tulle_byte_source_close(source);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    close(saved);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* --- Gzip ------------------------------------------------------------------------------------- */

/* "a,b\n" and 5000 times "1,2\n", by Python's gzip.compress(.., mtime=0). */
static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc3, 0x21, 0x0d, 0x00, 0x00,
    0x08, 0x00, 0x30, 0x4f, 0x16, 0x0c, 0x34, 0x82, 0xfe, 0x21, 0xa8, 0x81, 0xf8, 0xb7, 0x4f, 0x6e,
    0x54, 0xb6, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
    0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x0f, 0x1e, 0x2a, 0x5e, 0xba, 0x28, 0x24, 0x4e, 0x00, 0x00,
};
enum { UNPACKED_SIZE = 4 + 4 * 5000 };

/* The whole table file, whose bytes are the caller's to free; NULL and *error if it cannot be. */
static char *read_whole(size_t chunk, size_t *size, struct tulle_error *error)
{
    struct byte_source *source;
    char *copy = NULL;
    enum tulle_status status = tulle_byte_source_open(table_path, chunk, &source, error);
    if (!status)
        status = tulle_byte_source_fill(source, SIZE_MAX, error);
    if (!status) {
        struct byte_window window = tulle_byte_source_window(source);
        copy = malloc(window.size + 1);
        assert_non_null(copy);
        memcpy(copy, window.data, window.size);
        *size = window.size;
    }
    tulle_byte_source_close(source);
    return copy;
}

static void assert_members(const char *bytes, size_t size, size_t members)
{
    assert_non_null(bytes);
    assert_int_equal(size, members * UNPACKED_SIZE);
    for (size_t i = 0; i < size; i += 4)
        assert_memory_equal(bytes + i, i % UNPACKED_SIZE ? "1,2\n" : "a,b\n", 4);
}

static void assert_unpacked(size_t chunk, size_t members)
{
    size_t size;
    struct tulle_error error;
    char *bytes = read_whole(chunk, &size, &error);
    assert_members(bytes, size, members);
    free(bytes);
}

static void test_gzip(void **state)
{
    (void)state;
    if (!tulle_has_gzip)
        skip();
    unsigned char twice[2 * sizeof packed];
    memcpy(twice, packed, sizeof packed);
    memcpy(twice + sizeof packed, packed, sizeof packed);
    for (size_t chunk = 1; chunk <= TULLE_BYTE_SOURCE_CHUNK; chunk = 3 * chunk / 2 + 1) {
        write_table(packed, sizeof packed);
        assert_unpacked(chunk, 1);
        write_table(twice, sizeof twice);
        assert_unpacked(chunk, 2);
    }
}

/* As tapes have it, and tar: zeros up to the end of a block, after the last member or between. */
static void test_gzip_padded(void **state)
{
    enum { ZEROS = 700 };
    static unsigned char padded[2 * (sizeof packed + ZEROS)];
    (void)state;
    if (!tulle_has_gzip)
        skip();
    memcpy(padded, packed, sizeof packed);
    memcpy(padded + sizeof packed + ZEROS, packed, sizeof packed);
    for (size_t chunk = 1; chunk <= TULLE_BYTE_SOURCE_CHUNK; chunk = 3 * chunk / 2 + 1) {
        write_table(padded, sizeof packed + 1);
        assert_unpacked(chunk, 1);
        write_table(padded, sizeof packed + ZEROS);
        assert_unpacked(chunk, 1);
        write_table(padded, sizeof padded);
        assert_unpacked(chunk, 2);
    }
    struct tulle_error error;
    size_t size;
    padded[sizeof packed + ZEROS - 1] = 'x';
    write_table(padded, sizeof packed + ZEROS);
    assert_null(read_whole(64, &size, &error));
    assert_int_equal(error.code, TULLE_ERROR_DATA);
}

static void test_gzip_cut_short(void **state)
{
    struct tulle_error error;
    size_t size;
    (void)state;
    if (!tulle_has_gzip)
        skip();
    for (size_t length = 2; length < sizeof packed; length++)
        for (size_t chunk = 1; chunk <= 64; chunk += 63) {
            write_table(packed, length);
            assert_null(read_whole(chunk, &size, &error));
            assert_int_equal(error.code, TULLE_ERROR_DATA);
            assert_string_equal(error.message, "the gzip data is cut short");
        }
}

/* A flipped bit is noticed, or it is one that says nothing about the data. */
static void test_gzip_damaged(void **state)
{
    struct tulle_error error;
    size_t size;
    unsigned char damaged[sizeof packed + 1];
    (void)state;
    if (!tulle_has_gzip)
        skip();
    for (size_t i = 8 * 2; i < 8 * sizeof packed; i++) {
        memcpy(damaged, packed, sizeof packed);
        damaged[i / 8] ^= (unsigned char)(1u << i % 8);
        write_table(damaged, sizeof packed);
        char *bytes = read_whole(64, &size, &error);
        if (bytes)
            assert_members(bytes, size, 1);
        free(bytes);
    }
    memcpy(damaged, packed, sizeof packed);
    damaged[sizeof packed] = 'x';
    write_table(damaged, sizeof damaged);
    assert_null(read_whole(64, &size, &error));
    assert_int_equal(error.code, TULLE_ERROR_DATA);
}

static void test_no_gzip(void **state)
{
    struct tulle_error error;
    (void)state;
    if (tulle_has_gzip)
        skip();
    write_table(packed, sizeof packed);
    assert_int_equal(open_path(table_path, &error), TULLE_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "without zlib; decompress the file first"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many_cells),
        cmocka_unit_test(test_long_records),
        cmocka_unit_test(test_paths_refused),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_gzip_cut_short),
        cmocka_unit_test(test_gzip_damaged),
        cmocka_unit_test(test_gzip_padded),
        cmocka_unit_test(test_no_gzip),
        cmocka_unit_test(test_shortened),
        cmocka_unit_test(test_first_bytes_not_read),
    };
    return cmocka_run_group_tests(tests, make_table_folder, remove_table_folder);
}
