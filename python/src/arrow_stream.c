/* arrow_stream.c - tulle.Dataset.from_arrow: a stream of chunks of columns. Its functions run
 * without the GIL, since they may wait for threads of the producer that want it. */
#include "arrow.h"

#include <stdlib.h>

struct table {
    struct arrow_stream stream;
    struct arrow_schema schema;
    struct arrow_column *columns; /* (column_count) */
    size_t column_count;
    struct arrow_array *chunks; /* (chunk_count) */
    size_t chunk_count, chunk_capacity;
    size_t rows;
    double *values; /* (rows, columns) */
};

/* Gives all back to the producer, whose functions may be Python's: not with an exception set. */
static void clear(struct table *t)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    for (size_t i = 0; i < t->chunk_count; i++)
        if (t->chunks[i].release)
            t->chunks[i].release(&t->chunks[i]);
    for (size_t i = 0; t->columns && i < t->column_count; i++)
        arrow_column_clear(&t->columns[i]);
    if (t->schema.release)
        t->schema.release(&t->schema);
    free(t->chunks);
    free(t->columns);
    free(t->values);
    if (t->stream.release) {
        Py_BEGIN_ALLOW_THREADS
        t->stream.release(&t->stream);
        Py_END_ALLOW_THREADS
    }
    PyErr_Restore(type, value, traceback);
}

static int fail(const char *text)
{
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

static int fail_memory(void)
{
    PyErr_NoMemory();
    return -1;
}

/* What the producer says of its failure. */
static int fail_stream(struct table *t, int number)
{
    struct arrow_stream *stream = &t->stream;
    const char *text = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "the Arrow stream failed: %.400s",
                     text ? text : strerror(number));
    return -1;
}

/* --- Schema ---------------------------------------------------------------------------------- */

static int read_schema(struct table *t)
{
    int number;
    Py_BEGIN_ALLOW_THREADS
    number = t->stream.get_schema(&t->stream, &t->schema);
    Py_END_ALLOW_THREADS
    if (number)
        return fail_stream(t, number);
    const struct arrow_schema *s = &t->schema;
    if (!s->release || !s->format || strcmp(s->format, "+s") != 0)
        return fail("expected an Arrow stream of tables, whose columns have names; got one of "
                    "something else");
    if (s->child_count < 0 || s->child_count > INT32_MAX || (s->child_count && !s->children))
        return fail("the Arrow stream has no sound schema");
    t->column_count = (size_t)s->child_count;
    t->columns = calloc(t->column_count + 1, sizeof *t->columns);
    if (!t->columns)
        return fail_memory();
    for (size_t i = 0; i < t->column_count; i++) {
        if (!s->children[i])
            return fail("the Arrow stream has no sound schema");
        if (arrow_column_init(&t->columns[i], s->children[i]) < 0)
            return -1;
    }
    return 0;
}

/* --- Chunks ---------------------------------------------------------------------------------- */

static int reserve_chunk(struct table *t)
{
    if (t->chunk_count < t->chunk_capacity)
        return 0;
    size_t capacity = t->chunk_capacity ? 2 * t->chunk_capacity : 16;
    struct arrow_array *larger = realloc(t->chunks, capacity * sizeof *larger);
    if (!larger)
        return fail_memory();
    t->chunks = larger;
    t->chunk_capacity = capacity;
    return 0;
}

/* Rows of the table itself cannot be missing, but the struct array that they are in has a bitmap.
 */
static int check_chunk(const struct table *t, const struct arrow_array *chunk)
{
    if (chunk->length < 0 || chunk->offset < 0 || chunk->length > PY_SSIZE_T_MAX / 16 ||
        chunk->offset > PY_SSIZE_T_MAX / 16 || (size_t)chunk->child_count != t->column_count ||
        (t->column_count && !chunk->children) || chunk->dictionary)
        return fail("the Arrow stream has a chunk that is not as its schema says");
    int64_t valid = chunk->null_count > 0 ? 0 : chunk->length; /* below 0: the bitmap knows */
    for (int64_t i = 0; i < valid; i++)
        if (!arrow_is_valid(chunk, i))
            valid = 0;
    if (valid < chunk->length)
        return fail("the Arrow stream has rows that are missing as a whole: drop them");
    return 0;
}

static int read_chunks(struct table *t)
{
    for (;;) {
        if (reserve_chunk(t) < 0)
            return -1;
        struct arrow_array *chunk = &t->chunks[t->chunk_count];
        memset(chunk, 0, sizeof *chunk);
        int number;
        Py_BEGIN_ALLOW_THREADS
        number = t->stream.get_next(&t->stream, chunk);
        Py_END_ALLOW_THREADS
        if (number)
            return fail_stream(t, number);
        if (!chunk->release)
            return 0;
        t->chunk_count++;
        if (check_chunk(t, chunk) < 0 || PyErr_CheckSignals() < 0)
            return -1;
        t->rows += (size_t)chunk->length;
        if (t->rows > (size_t)PY_SSIZE_T_MAX / 16)
            return fail_memory();
    }
}

/* --- Values ---------------------------------------------------------------------------------- */

/* In blocks of rows, of which what is written of all columns stays in a near cache. */
static int read_chunk(struct table *t, const struct arrow_array *chunk, double *out)
{
    enum { BLOCK = 512 };
    int64_t last = chunk->offset + chunk->length;
    for (size_t c = 0; c < t->column_count; c++)
        if (arrow_column_turn(&t->columns[c], chunk->children[c], last) < 0)
            return -1;
    for (int64_t begin = chunk->offset, end; begin < last; begin = end) {
        end = last - begin < BLOCK ? last : begin + BLOCK;
        for (size_t c = 0; c < t->column_count; c++)
            if (arrow_column_read(&t->columns[c], begin, end, out + c, t->column_count) < 0)
                return -1;
        out += (size_t)(end - begin) * t->column_count;
        if (PyErr_CheckSignals() < 0)
            return -1;
    }
    return 0;
}

static int read_values(struct table *t)
{
    size_t width = t->column_count * sizeof *t->values;
    if (width && t->rows > (size_t)PY_SSIZE_T_MAX / width)
        return fail_memory();
    t->values = malloc(t->rows * width + 1);
    if (!t->values)
        return fail_memory();
    double *out = t->values;
    for (size_t i = 0; i < t->chunk_count; i++) {
        if (read_chunk(t, &t->chunks[i], out) < 0)
            return -1;
        out += (size_t)t->chunks[i].length * t->column_count;
    }
    return 0;
}

/* --- The dataset ----------------------------------------------------------------------------- */

static const struct tulle_levels *collect_levels(const struct table *t, PyObject *keep)
{
    struct tulle_levels *levels = core_allocate(keep, t->column_count, sizeof *levels);
    for (size_t c = 0; levels && c < t->column_count; c++) {
        if (!t->columns[c].in_order)
            continue;
        size_t count = (size_t)PyList_Size(t->columns[c].in_order);
        const char **names = core_allocate(keep, count, sizeof *names);
        if (!names)
            return NULL;
        for (size_t i = 0; i < count; i++)
            names[i] = PyBytes_AsString(PyList_GetItem(t->columns[c].in_order, (Py_ssize_t)i));
        levels[c] = (struct tulle_levels){names, count};
    }
    return levels;
}

static PyObject *make_dataset(const struct table *t)
{
    PyObject *keep = PyList_New(0), *made = NULL;
    const struct tulle_levels *levels = keep ? collect_levels(t, keep) : NULL;
    const char **names = levels ? core_allocate(keep, t->column_count, sizeof *names) : NULL;
    if (names) {
        struct tulle_error error;
        tulle_dataset *dataset;
        struct core_call call;
        for (size_t c = 0; c < t->column_count; c++)
            names[c] = t->columns[c].name;
        core_enter(&call, NULL, (double)t->rows * (double)t->column_count);
        enum tulle_status status = tulle_dataset_create(
            names, tulle_f64(t->values, t->rows, t->column_count), levels, NULL, &dataset, &error);
        core_leave(&call);
        if (status == TULLE_OK)
            made = core_make_dataset(dataset);
        else
            core_raise(status, &error, NULL);
    }
    Py_XDECREF(keep);
    return made;
}

/* Moves the stream of an object out of its capsule. */
static int take_stream(PyObject *object, struct arrow_stream *stream)
{
    PyObject *capsule = PyObject_CallMethod(object, "__arrow_c_stream__", NULL);
    if (!capsule) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_Format(PyExc_TypeError,
                         "expected an object with __arrow_c_stream__ (polars, pyarrow, pandas 2.2 "
                         "or newer), got %R",
                         (PyObject *)Py_TYPE(object));
        return -1;
    }
    struct arrow_stream *given =
        PyCapsule_CheckExact(capsule) ? PyCapsule_GetPointer(capsule, "arrow_array_stream") : NULL;
    int is_sound = given && given->release && given->get_schema && given->get_next;
    if (is_sound) {
        *stream = *given;
        given->release = NULL;
    } else {
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError, "__arrow_c_stream__ gave no Arrow stream, or a used one");
    }
    Py_DECREF(capsule);
    return is_sound ? 0 : -1;
}

PyObject *core_dataset_from_arrow(PyObject *type, PyObject *object)
{
    (void)type;
    struct table table = {.rows = 0};
    PyObject *made = NULL;
    if (take_stream(object, &table.stream) == 0 && read_schema(&table) == 0 &&
        read_chunks(&table) == 0 && read_values(&table) == 0)
        made = make_dataset(&table);
    clear(&table);
    return made;
}
