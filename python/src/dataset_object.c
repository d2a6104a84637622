/* dataset_object.c - tulle.Dataset: immutable, so it needs no lock. */
#include "core.h"

struct dataset_object {
    PyObject_HEAD tulle_dataset *dataset;
};

PyObject *core_make_dataset(tulle_dataset *dataset)
{
    struct dataset_object *self = core_new_object(core.Dataset);
    if (!self) {
        tulle_dataset_free(dataset);
        return NULL;
    }
    self->dataset = dataset;
    return (PyObject *)self;
}

const tulle_dataset *core_dataset(PyObject *object, const char *name)
{
    if ((PyObject *)Py_TYPE(object) == core.Dataset)
        return ((struct dataset_object *)object)->dataset;
    PyErr_Format(PyExc_TypeError, "%s: expected a tulle.Dataset, got %R", name,
                 (PyObject *)Py_TYPE(object));
    return NULL;
}

static const struct tulle_dataset_info *info_of(PyObject *self)
{
    return tulle_dataset_info(((struct dataset_object *)self)->dataset);
}

/* --- Making one ------------------------------------------------------------------------------ */

/* Of each column its levels, or none for None; `columns` of them. */
static const struct tulle_levels *read_levels(PyObject *value, size_t columns, PyObject *keep)
{
    PyObject *items = PySequence_List(value);
    if (!items)
        return NULL;
    struct tulle_levels *levels = core_allocate(keep, columns, sizeof *levels);
    if (levels && (size_t)PyList_Size(items) != columns) {
        PyErr_Format(PyExc_ValueError, "levels: expected one item for each of %zu columns, got %zd",
                     columns, PyList_Size(items));
        levels = NULL;
    }
    for (size_t c = 0; levels && c < columns; c++) {
        PyObject *item = PyList_GetItem(items, (Py_ssize_t)c);
        if (item == Py_None)
            continue;
        levels[c].names = core_texts(item, "levels", keep, &levels[c].count);
        if (!levels[c].names)
            levels = NULL;
    }
    Py_DECREF(items);
    return levels;
}

static const unsigned char *read_splits(PyObject *value, size_t rows)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(value, &bytes, &size) < 0)
        return NULL;
    if ((size_t)size == rows)
        return (const unsigned char *)bytes;
    PyErr_Format(PyExc_ValueError, "splits: expected one byte for each of %zu rows, got %zd", rows,
                 size);
    return NULL;
}

struct pieces {
    struct core_array values;
    const char **names;
    const struct tulle_levels *levels;
    const unsigned char *splits;
};

static int read_pieces(PyObject *args, PyObject *keywords, PyObject *keep, struct pieces *p)
{
    static char *words[] = {"values", "names", "levels", "splits", NULL};
    PyObject *values, *names = Py_None, *levels = Py_None, *splits = Py_None;
    size_t count;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|OOO:Dataset", words, &values, &names,
                                     &levels, &splits) ||
        core_read(values, "values", CORE_COLUMN, &p->values) < 0)
        return -1;
    if (names != Py_None && !(p->names = core_texts(names, "names", keep, &count)))
        return -1;
    if (p->names && count != p->values.columns) {
        PyErr_Format(PyExc_ValueError, "names: expected one for each of %zu columns, got %zu",
                     p->values.columns, count);
        return -1;
    }
    if (levels != Py_None && !(p->levels = read_levels(levels, p->values.columns, keep)))
        return -1;
    return splits == Py_None || (p->splits = read_splits(splits, p->values.rows)) ? 0 : -1;
}

static PyObject *dataset_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)type;
    struct pieces p = {{0}, NULL, NULL, NULL};
    struct tulle_error error;
    tulle_dataset *dataset;
    PyObject *keep = PyList_New(0), *made = NULL;
    if (keep && read_pieces(args, keywords, keep, &p) == 0) {
        struct core_call call;
        core_enter(&call, NULL, (double)p.values.rows * (double)p.values.columns);
        enum tulle_status status = tulle_dataset_create(p.names, core_matrix(&p.values), p.levels,
                                                        p.splits, &dataset, &error);
        core_leave(&call);
        if (status == TULLE_OK)
            made = core_make_dataset(dataset);
        else
            core_raise(status, &error, NULL);
    }
    core_release(&p.values);
    Py_XDECREF(keep);
    return made;
}

static void dataset_dealloc(PyObject *self)
{
    tulle_dataset_free(((struct dataset_object *)self)->dataset);
    core_free_object(self);
}

/* --- What it holds --------------------------------------------------------------------------- */

static PyObject *dataset_names(PyObject *self, void *unused)
{
    const struct tulle_dataset_info *info = info_of(self);
    const struct tulle_levels names = {info->names, info->columns};
    (void)unused;
    return core_levels_list(&names);
}

static PyObject *dataset_rows(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromSize_t(info_of(self)->rows);
}

static PyObject *dataset_splits(PyObject *self, void *unused)
{
    const struct tulle_dataset_info *info = info_of(self);
    (void)unused;
    if (!info->split)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize((const char *)info->split, (Py_ssize_t)info->rows);
}

static PyObject *dataset_levels(PyObject *self, PyObject *argument)
{
    const struct tulle_dataset_info *info = info_of(self);
    size_t column;
    if (core_count(argument, "column", &column) < 0)
        return NULL;
    if (column < info->columns)
        return core_levels_list(&info->levels[column]);
    PyErr_Format(PyExc_IndexError, "column %zu of %zu", column, info->columns);
    return NULL;
}

static PyObject *dataset_values(PyObject *self, PyObject *unused)
{
    const struct tulle_dataset_info *info = info_of(self);
    const size_t shape[] = {info->rows, info->columns};
    void *data;
    (void)unused;
    PyObject *array = core_new_array(core.float64, 2, shape, &data);
    if (array)
        memcpy(data, info->values, info->rows * info->columns * sizeof *info->values);
    return array;
}

static PyObject *dataset_reduce(PyObject *self, PyObject *unused)
{
    const struct tulle_dataset_info *info = info_of(self);
    PyObject *levels = PyList_New((Py_ssize_t)info->columns);
    (void)unused;
    for (size_t c = 0; levels && c < info->columns; c++) {
        PyObject *item = core_levels_list(&info->levels[c]);
        if (!item || PyList_SetItem(levels, (Py_ssize_t)c, item) < 0)
            Py_CLEAR(levels);
    }
    if (!levels)
        return NULL;
    return Py_BuildValue("O(NNNN)", core.Dataset, dataset_values(self, NULL),
                         dataset_names(self, NULL), levels, dataset_splits(self, NULL));
}

static PyObject *dataset_repr(PyObject *self)
{
    const struct tulle_dataset_info *info = info_of(self);
    return PyUnicode_FromFormat("<tulle.Dataset: %zu rows, %zu columns>", info->rows,
                                info->columns);
}

/* --- The type -------------------------------------------------------------------------------- */

static PyMethodDef methods[] = {
    {"from_arrow", core_dataset_from_arrow, METH_O | METH_STATIC,
     "from_arrow(table, /)\n--\n\n"
     "From an object with __arrow_c_stream__ (polars, pyarrow, pandas 2.2 or newer): numbers,\n"
     "booleans, and text, also as dictionaries. Null and blank text is missing."},
    {"levels", dataset_levels, METH_O,
     "levels($self, column, /)\n--\n\nThe names of a column's levels; None of a number."},
    {"values", dataset_values, METH_NOARGS,
     "values($self, /)\n--\n\n"
     "A copy, (rows, columns) of float64: a number or the index of a level; nan is missing."},
    {"__reduce__", dataset_reduce, METH_NOARGS, NULL},
    {NULL}};

static PyGetSetDef members[] = {{"names", dataset_names, NULL, "The columns' names.", NULL},
                                {"rows", dataset_rows, NULL, "How many rows there are.", NULL},
                                {"splits", dataset_splits, NULL,
                                 "Of each row 0 (train), 1 (valid) or 2 (test), as bytes; or None.",
                                 NULL},
                                {NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Dataset(values, names=None, levels=None, splits=None)\n--\n\n"
                "A table to train on or to measure: a copy. values (rows, columns) are numbers, "
                "in a\ncolumn with levels (a list of str; None: it has none) their indices; nan "
                "is missing."},
    {Py_tp_new, dataset_new},
    {Py_tp_dealloc, dataset_dealloc},
    {Py_tp_repr, dataset_repr},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {0, NULL}};

PyType_Spec core_dataset_spec = {.name = "tulle.Dataset",
                                 .basicsize = sizeof(struct dataset_object),
                                 .flags = Py_TPFLAGS_DEFAULT,
                                 .slots = slots};
