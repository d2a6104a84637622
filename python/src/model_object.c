/* model_object.c - tulle.Model: immutable, so it needs no lock. */
#include <errno.h>

#include "core.h"

struct model_object {
    PyObject_HEAD tulle_model *model;
};

PyObject *core_make_model(tulle_model *model)
{
    struct model_object *self = core_new_object(core.Model);
    if (!self) {
        tulle_model_free(model);
        return NULL;
    }
    self->model = model;
    return (PyObject *)self;
}

const tulle_model *core_model(PyObject *object, const char *name)
{
    if ((PyObject *)Py_TYPE(object) == core.Model)
        return ((struct model_object *)object)->model;
    PyErr_Format(PyExc_TypeError, "%s: expected a tulle.Model, got %R", name,
                 (PyObject *)Py_TYPE(object));
    return NULL;
}

static const struct tulle_model_info *info_of(PyObject *self)
{
    return tulle_model_info(((struct model_object *)self)->model);
}

static PyObject *model_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    (void)type, (void)args, (void)keywords;
    PyErr_SetString(PyExc_TypeError, "a tulle.Model comes from Model.load, Model.from_bytes, "
                                     "Trainer.model or an estimator's fit");
    return NULL;
}

static void model_dealloc(PyObject *self)
{
    tulle_model_free(((struct model_object *)self)->model);
    core_free_object(self);
}

/* --- Files ----------------------------------------------------------------------------------- */

static PyObject *model_load(PyObject *type, PyObject *path)
{
    (void)type;
    PyObject *bytes;
    tulle_model *model;
    struct tulle_error error;
    enum tulle_status status;
    if (!PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const char *name = PyBytes_AsString(bytes);
    errno = 0;
    struct core_call call;
    core_enter(&call, NULL, CORE_LONG);
    status = tulle_model_load(name, &model, &error);
    core_leave(&call);
    Py_DECREF(bytes);
    if (status == TULLE_OK)
        return core_make_model(model);
    core_raise(status, &error, NULL);
    return NULL;
}

static PyObject *model_save(PyObject *self, PyObject *path)
{
    PyObject *bytes;
    struct tulle_error error;
    enum tulle_status status;
    if (!PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const char *name = PyBytes_AsString(bytes);
    errno = 0;
    struct core_call call;
    core_enter(&call, NULL, CORE_LONG);
    status = tulle_model_save(((struct model_object *)self)->model, name, &error);
    core_leave(&call);
    Py_DECREF(bytes);
    if (status == TULLE_OK)
        Py_RETURN_NONE;
    core_raise(status, &error, NULL);
    return NULL;
}

static PyObject *model_from_bytes(PyObject *type, PyObject *argument)
{
    (void)type;
    char *bytes;
    Py_ssize_t size;
    tulle_model *model;
    struct tulle_error error;
    struct core_call call;
    if (PyBytes_AsStringAndSize(argument, &bytes, &size) < 0)
        return NULL;
    core_enter(&call, NULL, CORE_LONG);
    enum tulle_status status = tulle_model_from_bytes(bytes, (size_t)size, &model, &error);
    core_leave(&call);
    if (status == TULLE_OK)
        return core_make_model(model);
    core_raise(status, &error, NULL);
    return NULL;
}

static PyObject *model_to_bytes(PyObject *self, PyObject *unused)
{
    (void)unused;
    const tulle_model *model = ((struct model_object *)self)->model;
    struct tulle_error error;
    size_t size;
    enum tulle_status status = tulle_model_to_bytes(model, NULL, 0, &size, &error);
    PyObject *bytes = status == TULLE_OK ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size) : NULL;
    if (bytes)
        status = tulle_model_to_bytes(model, PyBytes_AsString(bytes), size, &size, &error);
    if (status != TULLE_OK) {
        Py_CLEAR(bytes);
        core_raise(status, &error, NULL);
    }
    return bytes;
}

static PyObject *model_reduce(PyObject *self, PyObject *unused)
{
    PyObject *bytes = model_to_bytes(self, unused);
    PyObject *make = bytes ? PyObject_GetAttrString(core.Model, "from_bytes") : NULL;
    if (make)
        return Py_BuildValue("N(N)", make, bytes);
    Py_XDECREF(bytes);
    return NULL;
}

/* --- What it is ------------------------------------------------------------------------------ */

static PyObject *model_info(PyObject *self, PyObject *unused)
{
    (void)unused;
    return core_info_dict(info_of(self));
}

static PyObject *model_parameters(PyObject *self, PyObject *argument)
{
    const struct tulle_model_info *info = info_of(self);
    size_t layer;
    double *weights, *biases;
    if (core_count(argument, "layer", &layer) < 0)
        return NULL;
    if (layer >= info->layer_count) {
        PyErr_Format(PyExc_IndexError, "layer %zu of a network of %zu", layer, info->layer_count);
        return NULL;
    }
    int is_last = layer == info->layer_count - 1;
    const struct core_layer_shape shape = {.members = is_last ? info->front.members : 0,
                                           .units = info->layers[layer].units,
                                           .inputs = layer == 0 ? info->first_inputs
                                                                : info->layers[layer - 1].units};
    PyObject *pair = core_new_parameters(&shape, &weights, &biases);
    if (pair)
        tulle_model_get_parameters(((struct model_object *)self)->model, layer, weights, biases);
    return pair;
}

static PyObject *model_level(PyObject *self, PyObject *args)
{
    const struct tulle_model_info *info = info_of(self);
    PyObject *index, *value, *keep = NULL, *level = NULL;
    size_t column;
    if (!PyArg_ParseTuple(args, "OO:level", &index, &value) ||
        core_count(index, "column", &column) < 0 || !(keep = PyList_New(0)))
        return NULL;
    const char *text = core_text(value, "text", keep);
    if (text && column >= info->input_count)
        PyErr_Format(PyExc_IndexError, "column %zu of %zu inputs", column, info->input_count);
    else if (text)
        level = PyFloat_FromDouble(tulle_column_level(&info->inputs[column], text));
    Py_DECREF(keep);
    return level;
}

static PyObject *model_repr(PyObject *self)
{
    const struct tulle_model_info *info = info_of(self);
    return PyUnicode_FromFormat("<tulle.Model: %s, %zu inputs, %zu layers, %zu parameters, %s>",
                                info->task == TULLE_TASK_CLASSIFICATION ? "classification"
                                                                        : "regression",
                                info->input_count, info->layer_count, info->parameter_count,
                                tulle_type_name(info->precision));
}

static PyMethodDef methods[] = {
    {"load", model_load, METH_O | METH_STATIC,
     "load(path, /)\n--\n\nThe model that a file holds: of save(), or of the command."},
    {"save", model_save, METH_O,
     "save($self, path, /)\n--\n\nWrites a file that appears whole or not at all."},
    {"from_bytes", model_from_bytes, METH_O | METH_CLASS,
     "from_bytes($type, data, /)\n--\n\nThe model that to_bytes() gave, or that stood in a file."},
    {"to_bytes", model_to_bytes, METH_NOARGS, "to_bytes($self, /)\n--\n\nWhat save() writes."},
    {"__reduce__", model_reduce, METH_NOARGS, NULL},
    {"info", model_info, METH_NOARGS,
     "info($self, /)\n--\n\nAll about the model but its weights: struct tulle_model_info as a "
     "dict."},
    {"parameters", model_parameters, METH_O,
     "parameters($self, layer, /)\n--\n\n"
     "weights (units, inputs) and biases (units,) of a layer, from 0; of the last layer with\n"
     "members (members, units, inputs) and (members, units). Copies, float64."},
    {"level", model_level, METH_VARARGS,
     "level($self, column, text, /)\n--\n\n"
     "The index of the level that this text is in input number `column`; nan if it is none."},
    {NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What training made: a network and the columns that it knows. Immutable; any "
                "number of threads may use it."},
    {Py_tp_new, model_new},
    {Py_tp_dealloc, model_dealloc},
    {Py_tp_repr, model_repr},
    {Py_tp_methods, methods},
    {0, NULL}};

PyType_Spec core_model_spec = {.name = "tulle.Model",
                               .basicsize = sizeof(struct model_object),
                               .flags = Py_TPFLAGS_DEFAULT,
                               .slots = slots};
