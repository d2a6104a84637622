/*
 * npy_reader.c - the .npy format as NumPy's numpy/lib/format.py describes it: the magic, two bytes
 * of version, the length of the header (two bytes, four from version 2), the header, which is a
 * Python dictionary such as {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }, and the
 * elements.
 *
 * A header may claim any size. Nothing is allocated by such a claim: only bytes that have arrived
 * take memory, and the array of a row's doubles is made when a row's bytes are there.
 */
#include "../base/portability.h"

#include <stdint.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "npy_reader.h"

#define MAGIC_SIZE (sizeof TULLE_NPY_MAGIC - 1)

/* No plain array needs a header as long as this. */
#define MAX_HEADER 65536

struct npy_reader {
    struct byte_source *source;
    char kind;   /* 'b', 'f', 'i' or 'u' */
    size_t size; /* of an element */
    int little_endian, fortran_order;
    size_t rows, columns;
    size_t bytes;   /* of all elements */
    size_t row;     /* the next */
    double *values; /* (columns) */
    /* (columns, block_rows): for an array in Fortran order in a plain file, the rows that the next
     * one is among, or begins when its number is a multiple of block_rows; else NULL. */
    unsigned char *block;
    size_t block_rows;
};

/* --- The header ------------------------------------------------------------------------------- */

struct parser {
    const char *p, *end;
    const char *expected; /* what was not there, once something was not */
};

enum { HAS_DESCR = 1, HAS_ORDER = 2, HAS_SHAPE = 4 };

/* What the header says. */
struct claims {
    char descr[8];
    int fortran_order;
    size_t dimensions, shape[2]; /* of further dimensions only the number is kept */
    unsigned seen;
};

/* Passes over blanks and, if it comes next, the text. */
static int accept(struct parser *parser, const char *text)
{
    size_t length = strlen(text);
    while (parser->p < parser->end && (*parser->p == ' ' || *parser->p == '\n'))
        parser->p++;
    if ((size_t)(parser->end - parser->p) < length || memcmp(parser->p, text, length) != 0)
        return 0;
    parser->p += length;
    return 1;
}

static int expect(struct parser *parser, const char *text)
{
    if (accept(parser, text))
        return 1;
    parser->expected = text;
    return 0;
}

/* A quoted string; one that is too long for `text` cannot be of a kind that is known here. */
static int parse_string(struct parser *parser, char *text, size_t size)
{
    const char *quote = accept(parser, "'") ? "'" : "\"";
    size_t length = 0;
    if (*quote == '"' && !expect(parser, "\""))
        return 0;
    while (parser->p < parser->end && *parser->p != *quote && length + 1 < size)
        text[length++] = *parser->p++;
    text[length] = '\0';
    return expect(parser, quote);
}

static int parse_size(struct parser *parser, size_t *value)
{
    const char *begin = parser->p;
    *value = 0;
    for (; parser->p < parser->end && *parser->p >= '0' && *parser->p <= '9'; parser->p++) {
        size_t digit = (size_t)(*parser->p - '0');
        if (*value > (SIZE_MAX - digit) / 10)
            break;
        *value = *value * 10 + digit;
    }
    parser->expected = "a size";
    return parser->p > begin;
}

/* "(3, 4)", "(3,)", "()" */
static int parse_shape(struct parser *parser, struct claims *claims)
{
    claims->dimensions = 0;
    if (!expect(parser, "("))
        return 0;
    while (!accept(parser, ")")) {
        size_t size;
        if (claims->dimensions > 0 && !expect(parser, ","))
            return 0;
        if (accept(parser, ")"))
            break;
        if (!parse_size(parser, &size))
            return 0;
        if (claims->dimensions < 2)
            claims->shape[claims->dimensions] = size;
        claims->dimensions++;
    }
    return 1;
}

static int parse_entry(struct parser *parser, struct claims *claims)
{
    char key[16];
    if (!parse_string(parser, key, sizeof key) || !expect(parser, ":"))
        return 0;
    if (strcmp(key, "descr") == 0) {
        claims->seen |= HAS_DESCR;
        if (!accept(parser, "["))
            return parse_string(parser, claims->descr, sizeof claims->descr);
        parser->expected = "one type, not the fields of a structured array";
        return 0;
    }
    if (strcmp(key, "fortran_order") == 0) {
        claims->seen |= HAS_ORDER;
        claims->fortran_order = accept(parser, "True");
        return claims->fortran_order || expect(parser, "False");
    }
    if (strcmp(key, "shape") == 0) {
        claims->seen |= HAS_SHAPE;
        return parse_shape(parser, claims);
    }
    parser->expected = "no keys but descr, fortran_order and shape";
    return 0;
}

static int parse_header(struct parser *parser, struct claims *claims)
{
    if (!expect(parser, "{"))
        return 0;
    do {
        if (accept(parser, "}"))
            return 1;
        if (!parse_entry(parser, claims))
            return 0;
    } while (accept(parser, ","));
    return expect(parser, "}");
}

static enum tulle_status fail(const struct npy_reader *reader, struct tulle_error *error,
                              const char *expected, const char *got)
{
    return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source), 0, 0,
                         "expected %s in the .npy header%s%s", expected, *got ? ", got " : "", got);
}

/* "<f8" */
static enum tulle_status set_type(struct npy_reader *reader, const char *descr,
                                  struct tulle_error *error)
{
    static const char types[] = "b1 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8";
    const uint16_t one = 1;
    int host_is_little_endian = *(const unsigned char *)&one;
    if (strlen(descr) != 3 || !strchr("<>|=", descr[0]) || !strchr("bfiu", descr[1]) ||
        !strstr(types, descr + 1))
        return fail(reader, error, "numbers of the types b1, f4, f8, i1 to i8 or u1 to u8", descr);
    reader->kind = descr[1];
    reader->size = (size_t)(descr[2] - '0');
    /* not covered: a big-endian machine */
    reader->little_endian = descr[0] == '<' || (descr[0] != '>' && host_is_little_endian);
    return TULLE_OK;
}

static enum tulle_status set_shape(struct npy_reader *reader, const struct claims *claims,
                                   struct tulle_error *error)
{
    const char *name = tulle_byte_source_name(reader->source);
    if (claims->dimensions != 2)
        return tulle_fail_at(error, TULLE_ERROR_DATA, name, 0, 0,
                             "expected an array of 2 dimensions, (rows, columns), got %zu",
                             claims->dimensions);
    reader->fortran_order = claims->fortran_order;
    reader->rows = claims->shape[0];
    reader->columns = claims->shape[1];
    if (reader->rows == 0 || reader->columns == 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, name, 0, 0,
                             "expected at least one row and one column, got shape (%zu, %zu)",
                             reader->rows, reader->columns);
    if (!tulle_multiply(reader->rows, reader->columns, &reader->bytes) ||
        !tulle_multiply(reader->bytes, reader->size, &reader->bytes))
        return tulle_fail_at(error, TULLE_ERROR_DATA, name, 0, 0,
                             "an array of shape (%zu, %zu) fits no memory", reader->rows,
                             reader->columns);
    if (reader->columns > TULLE_MOST_COLUMNS)
        return tulle_fail_at(error, TULLE_ERROR_DATA, name, 0, 0,
                             "an array of %zu columns; at most %d can be read", reader->columns,
                             TULLE_MOST_COLUMNS);
    return TULLE_OK;
}

static enum tulle_status interpret_header(struct npy_reader *reader, const char *text,
                                          size_t length, struct tulle_error *error)
{
    struct parser parser = {text, text + length, ""};
    struct claims claims = {0};
    if (!parse_header(&parser, &claims))
        return fail(reader, error, parser.expected, "");
    if (claims.seen != (HAS_DESCR | HAS_ORDER | HAS_SHAPE))
        return fail(reader, error, "all of descr, fortran_order and shape", "");
    accept(&parser, "");
    if (parser.p < parser.end)
        return fail(reader, error, "nothing after '}'", "");
    enum tulle_status status = set_type(reader, claims.descr, error);
    return status ? status : set_shape(reader, &claims, error);
}

/* Has the window hold the first `size` bytes of the file. */
static enum tulle_status need_header(struct npy_reader *reader, size_t size, const char **data,
                                     struct tulle_error *error)
{
    enum tulle_status status = tulle_byte_source_fill(reader->source, size, error);
    struct byte_window window = tulle_byte_source_window(reader->source);
    *data = window.data;
    if (!status && window.size < size)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source), 0, 0,
                             "the .npy header is cut short");
    return status;
}

/* Reads up to the first element. */
static enum tulle_status read_header(struct npy_reader *reader, struct tulle_error *error)
{
    const char *name = tulle_byte_source_name(reader->source);
    const char *data;
    size_t length_at = MAGIC_SIZE + 2;
    enum tulle_status status = need_header(reader, length_at, &data, error);
    if (status)
        return status;
    int version = (unsigned char)data[MAGIC_SIZE];
    if (version < 1 || version > 3)
        return tulle_fail_at(error, TULLE_ERROR_DATA, name, 0, 0,
                             "expected .npy format 1, 2 or 3, got %d", version);
    size_t text_at = length_at + (version == 1 ? 2 : 4);
    status = need_header(reader, text_at, &data, error);
    if (status)
        return status;
    size_t length = 0;
    for (size_t i = text_at; i-- > length_at;)
        length = length << 8 | (unsigned char)data[i];
    if (length > MAX_HEADER)
        return tulle_fail_at(error, TULLE_ERROR_DATA, name, 0, 0,
                             "expected a .npy header of at most %d bytes, got %zu", MAX_HEADER,
                             length);
    status = need_header(reader, text_at + length, &data, error);
    if (!status)
        status = interpret_header(reader, data + text_at, length, error);
    if (!status)
        tulle_byte_source_skip(reader->source, text_at + length);
    return status;
}

/* --- The elements ----------------------------------------------------------------------------- */

static double element(const struct npy_reader *reader, const unsigned char *p)
{
    size_t size = reader->size;
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++)
        bits = bits << 8 | p[reader->little_endian ? size - 1 - i : i];
    if (reader->kind == 'b')
        return bits != 0;
    if (reader->kind == 'u')
        return (double)bits;
    if (reader->kind == 'i') {
        /* NOLINTNEXTLINE(*UndefinedBinaryOperatorResult): set_type() has set the size */
        uint64_t sign = UINT64_C(1) << (8 * size - 1);
        return (double)(int64_t)((bits ^ sign) - sign);
    }
    if (size == 8) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof value);
    return value;
}

/* Has the window hold `size` bytes of elements. */
static enum tulle_status need(struct npy_reader *reader, size_t size, struct tulle_error *error)
{
    enum tulle_status status = tulle_byte_source_fill(reader->source, size, error);
    if (status)
        return status;
    size_t got = tulle_byte_source_window(reader->source).size;
    if (got >= size)
        return TULLE_OK;
    if (!reader->fortran_order)
        got += reader->row * reader->columns * reader->size;
    return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source), 0, 0,
                         "expected %zu bytes of data, got %zu", reader->bytes, got);
}

static enum tulle_status expect_end(struct npy_reader *reader, struct tulle_error *error)
{
    size_t left = reader->fortran_order ? reader->bytes : 0;
    enum tulle_status status = tulle_byte_source_fill(reader->source, left + 1, error);
    if (!status && tulle_byte_source_window(reader->source).size > left)
        return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_byte_source_name(reader->source), 0, 0,
                             "expected %zu bytes of data, got more", reader->bytes);
    return status;
}

/* The bytes that the window must hold to give a row. */
static size_t row_span(const struct npy_reader *reader)
{
    return reader->fortran_order ? reader->bytes : reader->columns * reader->size;
}

/* Makes the block if there is a file with all elements: of some reads' bytes, since the pieces that
 * are read for it are as many as columns, and of so many rows that a piece is worth a read. */
static enum tulle_status make_block(struct npy_reader *reader, struct tulle_error *error)
{
    enum { LEAST_ROWS = 64 };
    uint64_t left;
    if (!reader->fortran_order || !tulle_byte_source_is_file(reader->source, &left) ||
        left != reader->bytes)
        return TULLE_OK;
    size_t row_size = reader->columns * reader->size;
    /* NOLINTNEXTLINE(*DivideZero): the header has columns, and set_type() has set the size */
    size_t rows = 8 * tulle_byte_source_chunk(reader->source) / row_size;
    rows = rows < LEAST_ROWS ? LEAST_ROWS : rows;
    reader->block_rows = rows < reader->rows ? rows : reader->rows;
    reader->block = tulle_calloc(reader->block_rows, row_size);
    return reader->block ? TULLE_OK : tulle_fail_memory(error);
}

/* Reads the rows from the next on into the block: a piece of each column. */
static enum tulle_status fill_block(struct npy_reader *reader, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    size_t left = reader->rows - reader->row;
    size_t piece = (left < reader->block_rows ? left : reader->block_rows) * reader->size;
    for (size_t c = 0; c < reader->columns && !status; c++)
        status = tulle_byte_source_read_at(
            reader->source, (uint64_t)(c * reader->rows + reader->row) * reader->size,
            reader->block + c * reader->block_rows * reader->size, piece, error);
    return status;
}

enum tulle_status tulle_npy_reader_next(struct npy_reader *reader, const double **row,
                                        struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    *row = NULL;
    if (reader->row == reader->rows)
        return reader->block ? TULLE_OK : expect_end(reader, error);
    if (!reader->block)
        status = need(reader, row_span(reader), error);
    else if (reader->row % reader->block_rows == 0)
        status = fill_block(reader, error);
    if (status)
        return status;
    const unsigned char *p = (unsigned char *)tulle_byte_source_window(reader->source).data;
    size_t step = reader->size;
    if (reader->block) {
        p = reader->block + reader->row % reader->block_rows * reader->size;
        step *= reader->block_rows;
    } else if (reader->fortran_order) {
        p += reader->row * reader->size;
        step *= reader->rows;
    }
    uint64_t mode = tulle_float_mode_enter();
    for (size_t c = 0; c < reader->columns; c++)
        reader->values[c] = element(reader, p + c * step);
    tulle_float_mode_leave(mode);
    if (!reader->fortran_order)
        tulle_byte_source_skip(reader->source, row_span(reader));
    reader->row++;
    *row = reader->values;
    return TULLE_OK;
}

/* --- Open and close --------------------------------------------------------------------------- */

enum tulle_status tulle_npy_reader_open(struct byte_source *source, struct npy_reader **reader,
                                        struct tulle_error *error)
{
    *reader = NULL;
    struct npy_reader *made = tulle_calloc(1, sizeof *made);
    if (!made)
        return tulle_fail_memory(error);
    made->source = source;
    enum tulle_status status = read_header(made, error);
    if (!status)
        status = make_block(made, error);
    if (!status && !made->block)
        status = need(made, row_span(made), error);
    if (!status && !(made->values = tulle_calloc(made->columns, sizeof *made->values)))
        status = tulle_fail_memory(error);
    if (status) {
        tulle_npy_reader_close(made);
        return status;
    }
    *reader = made;
    return TULLE_OK;
}

void tulle_npy_reader_close(struct npy_reader *reader)
{
    if (!reader)
        return;
    tulle_free(reader->values);
    tulle_free(reader->block);
    tulle_free(reader);
}

size_t tulle_npy_reader_columns(const struct npy_reader *reader)
{
    return reader->columns;
}

int tulle_npy_reader_is_f4(const struct npy_reader *reader)
{
    return reader->kind == 'f' && reader->size == 4;
}
