/* trainer_options.c - what a tulle.Trainer is made of, from Python's arguments. */
#include "trainer_object.h"

#include <stddef.h>

#define MEMBER(member, kind)                                                                       \
    {                                                                                              \
#member, kind, offsetof(struct tulle_trainer_options, member), NULL                        \
    }
#define CHOICE(member, choice)                                                                     \
    {                                                                                              \
#member, CORE_CHOICE, offsetof(struct tulle_trainer_options, member), choice               \
    }

static const struct core_keyword keywords[] = {
    CHOICE(precision, "precision"),
    CHOICE(loss, "loss"),
    CHOICE(optimizer, "optimizer"),
    MEMBER(learning_rate, CORE_NUMBER),
    MEMBER(batch_size, CORE_COUNT),
    CHOICE(weight_reduction, "reduction"),
    CHOICE(bias_reduction, "reduction"),
    MEMBER(threads, CORE_UNSIGNED),
    MEMBER(seed, CORE_UNSIGNED),
    CHOICE(initializer, "initializer"),
    MEMBER(momentum, CORE_NUMBER),
    MEMBER(beta1, CORE_NUMBER),
    MEMBER(beta2, CORE_NUMBER),
    MEMBER(epsilon, CORE_NUMBER),
    MEMBER(weight_decay, CORE_NUMBER),
    MEMBER(bias_learning_rate, CORE_NUMBER),
    MEMBER(bias_weight_decay, CORE_NUMBER),
    MEMBER(clip_norm, CORE_NUMBER),
    MEMBER(averaging, CORE_NUMBER),
    MEMBER(huber_delta, CORE_NUMBER),
    MEMBER(label_smoothing, CORE_NUMBER),
    MEMBER(quantiles, CORE_NUMBERS),
    CHOICE(parametrization, "parametrization"),
    MEMBER(mix_learning_rate, CORE_NUMBER),
    MEMBER(penalty, CORE_NUMBER),
    CHOICE(dialect, "dialect"),
};

enum { KEYWORDS = sizeof keywords / sizeof keywords[0] };

/* (units, activation), (units, activation, dropout) or (..., dropout, parametric). */
static int read_layer(PyObject *item, struct tulle_layer *layer)
{
    int activation;
    PyObject *fields = PyUnicode_Check(item) ? NULL : PySequence_Tuple(item);
    Py_ssize_t count = fields ? PyTuple_Size(fields) : 0;
    if (count < 2 || count > 4) {
        Py_XDECREF(fields);
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError,
                     "layers: expected (units, activation[, dropout[, parametric]]), got %R", item);
        return -1;
    }
    int failed =
        core_count(PyTuple_GetItem(fields, 0), "units", &layer->units) < 0 ||
        core_choice(PyTuple_GetItem(fields, 1), "activation", "activation", &activation) < 0 ||
        (count > 2 && core_number(PyTuple_GetItem(fields, 2), "dropout", &layer->dropout) < 0);
    if (!failed) {
        layer->activation = (enum tulle_activation)activation;
        layer->parametric = count > 3 ? PyObject_IsTrue(PyTuple_GetItem(fields, 3)) : 0;
        failed = layer->parametric < 0;
    }
    Py_DECREF(fields);
    return failed ? -1 : 0;
}

static int read_layers(PyObject *value, struct tulle_trainer_options *options, PyObject *keep)
{
    PyObject *items = PySequence_List(value);
    if (!items)
        return -1;
    options->layer_count = (size_t)PyList_Size(items);
    struct tulle_layer *layers = core_allocate(keep, options->layer_count, sizeof *layers);
    options->layers = layers;
    int failed = !layers;
    for (size_t i = 0; !failed && i < options->layer_count; i++)
        failed = read_layer(PyList_GetItem(items, (Py_ssize_t)i), &layers[i]) < 0;
    Py_DECREF(items);
    return failed ? -1 : 0;
}

/* [(levels, dimensions), ...] */
static int read_embeddings(PyObject *value, struct tulle_trainer_options *options, PyObject *keep)
{
    PyObject *items = PySequence_List(value);
    if (!items)
        return -1;
    options->embedding_count = (size_t)PyList_Size(items);
    struct tulle_embedding *made = core_allocate(keep, options->embedding_count, sizeof *made);
    options->embeddings = made;
    int failed = !made;
    for (size_t i = 0; !failed && i < options->embedding_count; i++) {
        PyObject *pair = PySequence_Tuple(PyList_GetItem(items, (Py_ssize_t)i));
        if (pair && PyTuple_Size(pair) != 2)
            PyErr_SetString(PyExc_ValueError, "embeddings: expected pairs (levels, dimensions)");
        failed = !pair || PyTuple_Size(pair) != 2 ||
                 core_count(PyTuple_GetItem(pair, 0), "levels", &made[i].levels) < 0 ||
                 core_count(PyTuple_GetItem(pair, 1), "dimensions", &made[i].dimensions) < 0;
        Py_XDECREF(pair);
    }
    Py_DECREF(items);
    return failed ? -1 : 0;
}

static int read_keyword(PyObject *key, PyObject *value, struct tulle_trainer_options *options,
                        PyObject *keep)
{
    if (PyUnicode_CompareWithASCIIString(key, "embeddings") == 0)
        return value == Py_None ? 0 : read_embeddings(value, options, keep);
    int found = core_set_keyword(keywords, KEYWORDS, options, key, value, keep);
    if (found == 0)
        core_raise_keyword(keywords, KEYWORDS, "Trainer", key);
    return found == 1 ? 0 : -1;
}

int trainer_read_options(PyObject *args, PyObject *given, struct tulle_trainer_options *options,
                         PyObject *keep)
{
    PyObject *own = PyDict_New(), *rest = PyDict_New(), *inputs, *layers, *key, *value;
    static char *names[] = {"inputs", "layers", NULL};
    int failed = !own || !rest;
    for (Py_ssize_t at = 0; !failed && given && PyDict_Next(given, &at, &key, &value);) {
        int is_own = PyUnicode_CompareWithASCIIString(key, "inputs") == 0 ||
                     PyUnicode_CompareWithASCIIString(key, "layers") == 0;
        failed = PyDict_SetItem(is_own ? own : rest, key, value) < 0;
    }
    failed = failed ||
             !PyArg_ParseTupleAndKeywords(args, own, "OO:Trainer", names, &inputs, &layers) ||
             core_count(inputs, "inputs", &options->inputs) < 0 ||
             read_layers(layers, options, keep) < 0;
    for (Py_ssize_t at = 0; !failed && PyDict_Next(rest, &at, &key, &value);)
        failed = read_keyword(key, value, options, keep) < 0;
    Py_XDECREF(own);
    Py_XDECREF(rest);
    return failed ? -1 : 0;
}
