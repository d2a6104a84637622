/* core_arrays.c - arrays by NumPy's __array_struct__, and new ones by NumPy's own functions. */
#include "core.h"

#include <stdint.h>

/* --- The interface, as NumPy's manual has it ("The array interface protocol") --------------- */

struct array_interface {
    int two;
    int dimensions;
    char kind;
    int item_size;
    int flags;
    Py_intptr_t *shape, *strides; /* strides in bytes */
    void *data;
    PyObject *descriptor;
};

enum { FLAG_ALIGNED = 0x100, FLAG_NATIVE = 0x200, FLAG_WRITEABLE = 0x400 };

/* The capsule of an array, and what it points to, which lives as long; NULL without an exception
 * where the object has none. The capsule holds the array. */
static PyObject *get_interface(PyObject *object, const struct array_interface **interface)
{
    PyObject *capsule = PyObject_GetAttr(object, core.array_struct);
    if (!capsule) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError))
            PyErr_Clear();
        return NULL;
    }
    const struct array_interface *found =
        PyCapsule_CheckExact(capsule) ? PyCapsule_GetPointer(capsule, NULL) : NULL;
    int is_valid = found && found->two == 2 && found->dimensions >= 0 &&
                   (found->dimensions == 0 || (found->shape && found->strides));
    for (int i = 0; is_valid && i < found->dimensions; i++)
        is_valid = found->shape[i] >= 0;
    if (is_valid) {
        *interface = found;
        return capsule;
    }
    Py_DECREF(capsule);
    PyErr_SetString(PyExc_TypeError, "__array_struct__ is not what NumPy's array interface has");
    return NULL;
}

static const char *shape_text(const struct array_interface *a, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < a->dimensions && used < size; i++)
        used += (size_t)PyOS_snprintf(text + used, size - used, i ? ", %zd" : "%zd", a->shape[i]);
    return text;
}

/* Fills in what is known of an array that can be used where it lies; 0 if this one cannot. */
static int describe(const struct array_interface *a, enum core_shape shape,
                    struct core_array *array)
{
    int is_pair = a->dimensions == 2;
    Py_intptr_t size = a->item_size;
    if (a->kind != 'f' || (size != 4 && size != 8) || !(a->flags & FLAG_NATIVE) ||
        (uintptr_t)a->data % (uintptr_t)size != 0)
        return 0;
    array->data = a->data;
    array->type = size == 4 ? TULLE_F32 : TULLE_F64;
    array->dimensions = a->dimensions;
    array->rows = is_pair || shape == CORE_COLUMN ? (size_t)a->shape[0] : 1;
    array->columns = (size_t)(is_pair ? a->shape[1] : shape == CORE_ROW ? a->shape[0] : 1);
    array->stride = array->columns;
    if (array->rows > 0 && array->columns > 1 && a->strides[is_pair] != size)
        return 0;
    if (array->rows <= 1)
        return 1;
    Py_intptr_t step = a->strides[0];
    if (step < 0 || step % size != 0 || (size_t)(step / size) < array->columns)
        return 0;
    array->stride = (size_t)(step / size);
    return 1;
}

/* --- Reading --------------------------------------------------------------------------------- */

/* Kinds of NumPy's types. */
static const char numbers[] = "fiub", integers[] = "iu";

/* NumPy calls an array C-contiguous wherever it lies: one at an odd address is copied. */
static PyObject *align(PyObject *array)
{
    const struct array_interface *a;
    PyObject *capsule = array ? get_interface(array, &a) : NULL;
    if (capsule && (uintptr_t)a->data % (uintptr_t)a->item_size != 0) {
        PyObject *copy = PyObject_CallMethod(array, "copy", NULL);
        Py_DECREF(array);
        array = copy;
    }
    if (array && !capsule)
        Py_CLEAR(array);
    Py_XDECREF(capsule);
    return array;
}

/* A NumPy array of the numbers that `object` is, dense; type NULL for what suits. */
static PyObject *convert(PyObject *object, const char *name, const char *kinds, PyObject *type)
{
    const struct array_interface *a;
    PyObject *made = NULL, *array = PyObject_CallFunctionObjArgs(core.asarray, object, NULL);
    PyObject *capsule = array ? get_interface(array, &a) : NULL;
    if (capsule) {
        if (!strchr(kinds, a->kind)) {
            PyObject *dtype = PyObject_GetAttrString(array, "dtype");
            if (dtype)
                PyErr_Format(PyExc_TypeError, "%s: expected an array of %s, got one of %S", name,
                             kinds == integers ? "integers" : "numbers", dtype);
            Py_XDECREF(dtype);
        } else {
            if (!type)
                type = a->kind == 'f' && a->item_size <= 4 ? core.float32 : core.float64;
            made = align(PyObject_CallFunction(core.asarray, "OOs", array, type, "C"));
        }
    }
    Py_XDECREF(capsule);
    Py_XDECREF(array);
    if (!made && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "%s: NumPy made no array of it", name);
    return made;
}

static int check_dimensions(const struct array_interface *a, const char *name)
{
    char text[128];
    if (a->dimensions == 1 || a->dimensions == 2)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s: expected one or two dimensions, got shape (%s)", name,
                 shape_text(a, text, sizeof text));
    return -1;
}

int core_read(PyObject *object, const char *name, enum core_shape shape, struct core_array *array)
{
    const struct array_interface *a;
    PyObject *capsule = get_interface(object, &a);
    if (capsule && check_dimensions(a, name) == 0 && describe(a, shape, array)) {
        array->owner = capsule;
        return 0;
    }
    Py_XDECREF(capsule);
    if (PyErr_Occurred())
        return -1;
    PyObject *made = convert(object, name, numbers, NULL);
    capsule = made ? get_interface(made, &a) : NULL;
    Py_XDECREF(made);
    if (capsule && check_dimensions(a, name) == 0 && describe(a, shape, array)) {
        array->owner = capsule;
        return 0;
    }
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "%s: NumPy made no array of it", name);
    Py_XDECREF(capsule);
    return -1;
}

int core_read_sized(PyObject *object, const char *name, enum core_shape shape, size_t rows,
                    size_t columns, struct core_array *array)
{
    if (core_read(object, name, shape, array) < 0)
        return -1;
    if (columns != CORE_ANY && array->columns != columns)
        PyErr_Format(PyExc_ValueError, "%s: expected %zu columns, got %zu", name, columns,
                     array->columns);
    else if (rows != CORE_ANY && array->rows != rows)
        PyErr_Format(PyExc_ValueError, "%s: expected %zu rows, as many as x, got %zu", name, rows,
                     array->rows);
    else
        return 0;
    return -1;
}

int core_read_dense(PyObject *object, const char *name, int dimensions, const size_t *shape,
                    struct core_array *array)
{
    const struct array_interface *a;
    PyObject *made = convert(object, name, numbers, core.float64);
    PyObject *capsule = made ? get_interface(made, &a) : NULL;
    Py_XDECREF(made);
    if (!capsule)
        return -1;
    int is_same = a->dimensions == dimensions;
    for (int i = 0; is_same && i < dimensions; i++)
        is_same = (size_t)a->shape[i] == shape[i];
    if (is_same) {
        *array = (struct core_array){.owner = capsule, .data = a->data, .type = TULLE_F64};
        return 0;
    }
    char got[128], wanted[128];
    Py_intptr_t wanted_shape[3] = {0};
    for (int i = 0; i < dimensions; i++)
        wanted_shape[i] = (Py_intptr_t)shape[i];
    struct array_interface expected = {.dimensions = dimensions, .shape = wanted_shape};
    PyErr_Format(PyExc_ValueError, "%s: expected shape (%s), got (%s)", name,
                 shape_text(&expected, wanted, sizeof wanted), shape_text(a, got, sizeof got));
    Py_DECREF(capsule);
    return -1;
}

int core_read_order(PyObject *object, const char *name, struct core_array *array)
{
    const struct array_interface *a;
    PyObject *made = convert(object, name, integers, core.intp);
    PyObject *capsule = made ? get_interface(made, &a) : NULL;
    Py_XDECREF(made);
    if (capsule && a->dimensions != 1) {
        PyErr_Format(PyExc_ValueError, "%s: expected one dimension, got %d", name, a->dimensions);
        Py_CLEAR(capsule);
    }
    if (!capsule)
        return -1;
    *array = (struct core_array){.owner = capsule, .data = a->data, .rows = (size_t)a->shape[0]};
    return 0;
}

/* --- Writing --------------------------------------------------------------------------------- */

int core_write(PyObject *object, const char *name, const struct core_array *x, size_t columns,
               struct core_array *array)
{
    const struct array_interface *a;
    char text[128];
    PyObject *capsule = get_interface(object, &a);
    if (!capsule) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "%s: expected a NumPy array to write to, got %R", name,
                         (PyObject *)Py_TYPE(object));
        return -1;
    }
    enum core_shape shape = x->dimensions == 1 ? CORE_ROW : CORE_COLUMN;
    int is_described = (a->dimensions == 1 || a->dimensions == 2) && describe(a, shape, array);
    array->owner = capsule;
    if (a->dimensions < 1 || a->dimensions > 2 ||
        (is_described && (array->rows != x->rows || array->columns != columns)))
        PyErr_Format(PyExc_ValueError, "%s: expected shape (%zu, %zu), got (%s)", name, x->rows,
                     columns, shape_text(a, text, sizeof text));
    else if (!is_described)
        PyErr_Format(PyExc_TypeError, "%s: expected float32 or float64 in rows that are contiguous",
                     name);
    else if (!(a->flags & FLAG_WRITEABLE))
        PyErr_Format(PyExc_ValueError, "%s: the array is read-only", name);
    else
        return core_check_apart(array, name, x, "x");
    return -1;
}

PyObject *core_new_array(PyObject *type, int dimensions, const size_t *shape, void **data)
{
    const struct array_interface *a;
    PyObject *sizes = PyTuple_New(dimensions), *made = NULL;
    for (int i = 0; sizes && i < dimensions; i++) {
        PyObject *size = PyLong_FromSize_t(shape[i]);
        if (!size || PyTuple_SetItem(sizes, i, size) < 0)
            Py_CLEAR(sizes);
    }
    if (sizes)
        made = PyObject_CallFunctionObjArgs(core.empty, sizes, type, NULL);
    Py_XDECREF(sizes);
    PyObject *capsule = made ? get_interface(made, &a) : NULL;
    if (!capsule) {
        Py_XDECREF(made);
        return NULL;
    }
    *data = a->data;
    Py_DECREF(capsule); /* the array itself is in the caller's hands alone */
    return made;
}

PyObject *core_output(PyObject *given, const struct core_array *x, PyObject *type, size_t columns,
                      struct core_array *array)
{
    void *data;
    const size_t shape[] = {x->rows, columns};
    int is_row = x->dimensions == 1;
    if (given == Py_None)
        given = core_new_array(type, 2 - is_row, shape + is_row, &data);
    else
        Py_INCREF(given);
    if (given && core_write(given, "out", x, columns, array) < 0)
        Py_CLEAR(given);
    return given;
}

/* --- Use ------------------------------------------------------------------------------------- */

void core_release(struct core_array *array)
{
    Py_CLEAR(array->owner);
}

static size_t bytes_of(const struct core_array *array, size_t numbers)
{
    return numbers * (array->type == TULLE_F32 ? sizeof(float) : sizeof(double));
}

/* From the first number to the end of the last. */
static size_t length(const struct core_array *array)
{
    return array->rows == 0 || array->columns == 0
               ? 0
               : bytes_of(array, (array->rows - 1) * array->stride + array->columns);
}

int core_check_apart(const struct core_array *written, const char *name,
                     const struct core_array *read, const char *read_name)
{
    uintptr_t begin = (uintptr_t)written->data, read_begin = (uintptr_t)read->data;
    if (begin >= read_begin + length(read) || read_begin >= begin + length(written))
        return 0;
    PyErr_Format(PyExc_ValueError, "%s: overlaps %s, which is still read", name, read_name);
    return -1;
}

struct tulle_matrix core_rows(const struct core_array *a, size_t begin, size_t rows)
{
    const char *data = (const char *)a->data + bytes_of(a, begin * a->stride);
    return (struct tulle_matrix){data, a->type, rows, a->columns, a->stride};
}

struct tulle_matrix_out core_rows_out(const struct core_array *a, size_t begin, size_t rows)
{
    char *data = (char *)a->data + bytes_of(a, begin * a->stride);
    return (struct tulle_matrix_out){data, a->type, rows, a->columns, a->stride};
}

struct tulle_matrix core_matrix(const struct core_array *array)
{
    return core_rows(array, 0, array->rows);
}
