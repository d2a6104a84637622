/* arrow_cells.c - the cells of an Arrow column. */
#include "arrow.h"

#include <math.h>
#include <stdlib.h>

static const double UNKNOWN = -1; /* a text of a dictionary that no row had yet */

/* --- Types ----------------------------------------------------------------------------------- */

static const struct {
    const char *format;
    enum arrow_kind kind;
} kinds[] = {
    {"n", ARROW_NULL},    {"b", ARROW_BOOL},   {"c", ARROW_INT8},       {"C", ARROW_UINT8},
    {"s", ARROW_INT16},   {"S", ARROW_UINT16}, {"i", ARROW_INT32},      {"I", ARROW_UINT32},
    {"l", ARROW_INT64},   {"L", ARROW_UINT64}, {"e", ARROW_FLOAT16},    {"f", ARROW_FLOAT32},
    {"g", ARROW_FLOAT64}, {"u", ARROW_TEXT},   {"U", ARROW_LARGE_TEXT}, {"vu", ARROW_TEXT_VIEW}};

/* Those that are refused, by how their formats begin, with what to do. */
static const struct {
    const char *prefix, *name, *advice;
} refused[] = {
    {"d:", "decimal", "cast it to float64"},
    {"td", "date", "make a number of it, as days since a date"},
    {"tt", "time", "make a number of it, as seconds"},
    {"ts", "timestamp", "make a number of it, as seconds since a date"},
    {"tD", "duration", "make a number of it, as seconds"},
    {"ti", "interval", "make a number of it"},
    {"z", "binary", "cast it to text, or leave it out"},
    {"Z", "binary", "cast it to text, or leave it out"},
    {"vz", "binary", "cast it to text, or leave it out"},
    {"w:", "binary", "cast it to text, or leave it out"},
    {"+", "nested", "make columns of its parts, or leave it out"},
    {"", "other", "cast it, or leave it out"},
};

static int is_text(enum arrow_kind kind)
{
    return kind >= ARROW_TEXT;
}

static int find_kind(const struct arrow_schema *schema, const char *name, enum arrow_kind *kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(schema->format, kinds[i].format) == 0) {
            *kind = kinds[i].kind;
            return 0;
        }
    size_t i = 0;
    while (strncmp(schema->format, refused[i].prefix, strlen(refused[i].prefix)) != 0)
        i++;
    PyErr_Format(PyExc_TypeError,
                 "column '%s' has the %s type '%.40s' of Arrow, which is neither a number, a "
                 "boolean nor text: %s",
                 name, refused[i].name, schema->format, refused[i].advice);
    return -1;
}

int arrow_column_init(struct arrow_column *column, const struct arrow_schema *schema)
{
    column->name = schema->name ? schema->name : "";
    PyObject *text = PyUnicode_DecodeUTF8(column->name, (Py_ssize_t)strlen(column->name), "strict");
    Py_XDECREF(text);
    if (!text || !schema->format || find_kind(schema, column->name, &column->kind) < 0)
        goto failed;
    column->value_kind = column->kind;
    column->has_dictionary = schema->dictionary != NULL;
    if (schema->dictionary) {
        if (column->kind < ARROW_INT8 || column->kind > ARROW_UINT64 ||
            !schema->dictionary->format || schema->dictionary->dictionary)
            goto failed;
        if (find_kind(schema->dictionary, column->name, &column->value_kind) < 0)
            goto failed;
    }
    if (!is_text(column->value_kind))
        return 0;
    column->levels = PyDict_New();
    column->in_order = PyList_New(0);
    return column->levels && column->in_order ? 0 : -1;
failed:
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "column '%s' has no sound Arrow schema", column->name);
    return -1;
}

void arrow_column_clear(struct arrow_column *column)
{
    free(column->meanings);
    Py_CLEAR(column->levels);
    Py_CLEAR(column->in_order);
}

/* --- What a producer says of an array -------------------------------------------------------- */

static int64_t buffers_of(enum arrow_kind kind)
{
    return kind == ARROW_NULL ? 0 : is_text(kind) ? 3 : 2;
}

/* Why an array with at least so many rows cannot be; NULL if it can. */
static const char *find_fault(const struct arrow_array *a, enum arrow_kind kind, int64_t rows)
{
    int64_t buffers = buffers_of(kind);
    if (!a || !a->release)
        return "is not there";
    if (a->length < rows || a->offset < 0 || a->length > PY_SSIZE_T_MAX / 16 ||
        a->offset > PY_SSIZE_T_MAX / 16)
        return "has an unsound length";
    if (kind == ARROW_TEXT_VIEW ? a->buffer_count < buffers : a->buffer_count != buffers)
        return "has a wrong number of buffers";
    if (a->child_count != 0)
        return "has children";
    if (buffers > 0 && !a->buffers)
        return "has no buffers";
    if (buffers > 0 && a->length > 0 && !a->buffers[1])
        return "has no values";
    if (buffers > 0 && a->null_count > 0 && !a->buffers[0])
        return "has missing values, but does not say where";
    if (kind == ARROW_TEXT_VIEW && a->buffer_count > buffers && !a->buffers[a->buffer_count - 1])
        return "has no sizes of its texts";
    return NULL;
}

static int check(const struct arrow_column *column, const struct arrow_array *array,
                 enum arrow_kind kind, int64_t rows)
{
    const char *fault = find_fault(array, kind, rows);
    if (fault)
        PyErr_Format(PyExc_ValueError, "column '%s': an Arrow array of it %s", column->name, fault);
    return fault ? -1 : 0;
}

int arrow_is_valid(const struct arrow_array *array, int64_t i)
{
    int has_bitmap = array->buffer_count > 0 && array->buffers && array->null_count != 0;
    const uint8_t *bits = has_bitmap ? array->buffers[0] : NULL;
    i += array->offset;
    return !bits || (bits[i >> 3] >> (i & 7) & 1);
}

/* --- Numbers --------------------------------------------------------------------------------- */

static double half_to_double(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(fraction + 1024, exponent - 25);
    return half >> 15 ? -size : size;
}

#define READ_AS(type, convert)                                                                     \
    for (int64_t i = begin; i < end; i++) {                                                        \
        type value;                                                                                \
        memcpy(&value, (const char *)values + (size_t)(i + a->offset) * sizeof value,              \
               sizeof value);                                                                      \
        out[(size_t)(i - begin) * stride] = (double)convert(value);                                \
    }                                                                                              \
    break

/* Without a look at which are valid. Buffers need not be aligned. */
static void read_numbers(const struct arrow_array *a, enum arrow_kind kind, int64_t begin,
                         int64_t end, double *out, size_t stride)
{
    const void *values = kind == ARROW_NULL ? NULL : a->buffers[1];
    switch (kind) {
    case ARROW_BOOL:
        for (int64_t i = begin; i < end; i++)
            out[(size_t)(i - begin) * stride] =
                ((const uint8_t *)values)[(i + a->offset) >> 3] >> ((i + a->offset) & 7) & 1;
        break;
    case ARROW_INT8:
        READ_AS(int8_t, );
    case ARROW_UINT8:
        READ_AS(uint8_t, );
    case ARROW_INT16:
        READ_AS(int16_t, );
    case ARROW_UINT16:
        READ_AS(uint16_t, );
    case ARROW_INT32:
        READ_AS(int32_t, );
    case ARROW_UINT32:
        READ_AS(uint32_t, );
    case ARROW_INT64:
        READ_AS(int64_t, );
    case ARROW_UINT64:
        READ_AS(uint64_t, );
    case ARROW_FLOAT16:
        READ_AS(uint16_t, half_to_double);
    case ARROW_FLOAT32:
        READ_AS(float, );
    case ARROW_FLOAT64:
        READ_AS(double, );
    default: /* ARROW_NULL; text is not read here */
        for (int64_t i = begin; i < end; i++)
            out[(size_t)(i - begin) * stride] = NAN;
    }
}

/* --- Texts ----------------------------------------------------------------------------------- */

/* A text of at most 12 bytes stands in its view, others at an offset in one of the buffers. */
static int get_view(const struct arrow_array *a, int64_t i, const char **text, int64_t *length)
{
    const char *view = (const char *)a->buffers[1] + (size_t)(i + a->offset) * 16;
    int32_t size, buffer, offset;
    int64_t room;
    memcpy(&size, view, 4);
    memcpy(&buffer, view + 8, 4);
    memcpy(&offset, view + 12, 4);
    *length = size;
    *text = view + 4;
    if (size >= 0 && size <= 12)
        return 0;
    if (size < 0 || buffer < 0 || buffer >= a->buffer_count - 3 || offset < 0)
        return -1;
    memcpy(&room, (const char *)a->buffers[a->buffer_count - 1] + (size_t)buffer * 8, 8);
    const char *data = a->buffers[2 + buffer];
    if (!data || (int64_t)offset + size > room)
        return -1;
    *text = data + offset;
    return 0;
}

/* The bytes of text number i, which is valid; -1 where offsets are not sound. */
static int get_text(const struct arrow_array *a, enum arrow_kind kind, int64_t i, const char **text,
                    int64_t *length)
{
    int64_t begin, end;
    if (kind == ARROW_TEXT_VIEW)
        return get_view(a, i, text, length);
    const char *offsets = a->buffers[1];
    size_t at = (size_t)(i + a->offset);
    if (kind == ARROW_TEXT) {
        int32_t pair[2];
        memcpy(pair, offsets + at * sizeof pair[0], sizeof pair);
        begin = pair[0], end = pair[1];
    } else {
        int64_t pair[2];
        memcpy(pair, offsets + at * sizeof pair[0], sizeof pair);
        begin = pair[0], end = pair[1];
    }
    if (begin < 0 || end < begin || end > PY_SSIZE_T_MAX || (end > begin && !a->buffers[2]))
        return -1;
    *length = end - begin;
    *text = *length ? (const char *)a->buffers[2] + begin : "";
    return 0;
}

static int is_blank(const char *text, int64_t length)
{
    while (length > 0 && (*text == ' ' || (*text >= '\t' && *text <= '\r')))
        text++, length--;
    return length == 0;
}

/* The level of a text: NaN of a blank one, as in files; its place in the order of first rows. */
static int find_level(struct arrow_column *column, const char *text, int64_t length, double *level)
{
    *level = NAN;
    if (is_blank(text, length))
        return 0;
    if (memchr(text, '\0', (size_t)length)) {
        PyErr_Format(PyExc_ValueError, "column '%s': a text with a NUL character in it",
                     column->name);
        return -1;
    }
    PyObject *key = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
    PyObject *found = key ? PyDict_GetItemWithError(column->levels, key) : NULL;
    int failed = !key || (!found && PyErr_Occurred());
    if (found)
        *level = PyFloat_AsDouble(found);
    else if (!failed) {
        *level = (double)PyList_Size(column->in_order);
        PyObject *number = PyFloat_FromDouble(*level);
        failed = !number || PyDict_SetItem(column->levels, key, number) < 0 ||
                 PyList_Append(column->in_order, key) < 0;
        Py_XDECREF(number);
    }
    Py_XDECREF(key);
    return failed ? -1 : 0;
}

static int read_text(struct arrow_column *column, const struct arrow_array *a, enum arrow_kind kind,
                     int64_t i, double *level)
{
    const char *text;
    int64_t length;
    *level = NAN;
    if (!arrow_is_valid(a, i))
        return 0;
    if (get_text(a, kind, i, &text, &length) == 0)
        return find_level(column, text, length, level);
    PyErr_Format(PyExc_ValueError, "column '%s': an Arrow array of it has unsound offsets",
                 column->name);
    return -1;
}

/* --- Columns --------------------------------------------------------------------------------- */

/* What the dictionary's numbers are; its texts become levels when a row has them. */
static int read_dictionary(struct arrow_column *column, const struct arrow_array *dictionary)
{
    if (check(column, dictionary, column->value_kind, 0) < 0)
        return -1;
    size_t length = (size_t)dictionary->length;
    free(column->meanings);
    column->meanings = malloc((length + 1) * sizeof *column->meanings);
    if (!column->meanings) {
        PyErr_NoMemory();
        return -1;
    }
    if (is_text(column->value_kind))
        for (size_t i = 0; i < length; i++)
            column->meanings[i] = UNKNOWN;
    else {
        read_numbers(dictionary, column->value_kind, 0, dictionary->length, column->meanings, 1);
        for (size_t i = 0; i < length; i++)
            if (!arrow_is_valid(dictionary, (int64_t)i))
                column->meanings[i] = NAN;
    }
    return 0;
}

int arrow_column_turn(struct arrow_column *column, const struct arrow_array *array, int64_t rows)
{
    if (check(column, array, column->kind, rows) < 0)
        return -1;
    column->array = array;
    return column->has_dictionary ? read_dictionary(column, array->dictionary) : 0;
}

/* An index into the dictionary, in place, becomes what the entry means. */
static int look_up(struct arrow_column *column, double *cell)
{
    const struct arrow_array *dictionary = column->array->dictionary;
    if (!(*cell >= 0 && *cell < (double)dictionary->length)) {
        PyErr_Format(PyExc_ValueError, "column '%s': an Arrow array of it has an unsound index",
                     column->name);
        return -1;
    }
    int64_t entry = (int64_t)*cell;
    *cell = column->meanings[entry];
    if (!is_text(column->value_kind) || *cell != UNKNOWN)
        return 0;
    int failed = read_text(column, dictionary, column->value_kind, entry, cell) < 0;
    column->meanings[entry] = *cell;
    return failed ? -1 : 0;
}

int arrow_column_read(struct arrow_column *column, int64_t begin, int64_t end, double *out,
                      size_t stride)
{
    const struct arrow_array *a = column->array;
    int failed = 0;
    if (is_text(column->kind)) {
        for (int64_t i = begin; i < end && !failed; i++, out += stride)
            failed = read_text(column, a, column->kind, i, out) < 0;
        return failed ? -1 : 0;
    }
    read_numbers(a, column->kind, begin, end, out, stride);
    for (int64_t i = begin; i < end && !failed; i++, out += stride)
        if (!arrow_is_valid(a, i))
            *out = NAN;
        else if (column->has_dictionary)
            failed = look_up(column, out) < 0;
    return failed ? -1 : 0;
}
