/* core_options.c - Python's values as the members of options structs. */
#include "core.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

/* --- Memory and texts ------------------------------------------------------------------------ */

void *core_allocate(PyObject *keep, size_t count, size_t size)
{
    if (size != 0 && count > (size_t)PY_SSIZE_T_MAX / size)
        return PyErr_NoMemory();
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(count * size + 1));
    if (!bytes || PyList_Append(keep, bytes) < 0) {
        Py_XDECREF(bytes);
        return NULL;
    }
    Py_DECREF(bytes); /* keep has it */
    char *memory = PyBytes_AsString(bytes);
    memset(memory, 0, count * size + 1);
    return memory;
}

const char *core_text(PyObject *value, const char *name, PyObject *keep)
{
    char *text = NULL;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s: expected a str, got %R", name,
                     (PyObject *)Py_TYPE(value));
        return NULL;
    }
    PyObject *bytes = PyUnicode_AsUTF8String(value);
    if (bytes &&
        (PyBytes_AsStringAndSize(bytes, &text, NULL) < 0 || PyList_Append(keep, bytes) < 0))
        text = NULL;
    Py_XDECREF(bytes);
    return text;
}

const char **core_texts(PyObject *value, const char *name, PyObject *keep, size_t *count)
{
    if (PyUnicode_Check(value)) { /* a sequence of str too, its letters, which nobody means */
        PyErr_Format(PyExc_TypeError, "%s: expected a sequence of str, got one str", name);
        return NULL;
    }
    PyObject *items = PySequence_List(value);
    if (!items) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s: expected a sequence of str, got %R", name,
                         (PyObject *)Py_TYPE(value));
        return NULL;
    }
    *count = (size_t)PyList_Size(items);
    const char **texts = core_allocate(keep, *count, sizeof *texts);
    for (size_t i = 0; texts && i < *count; i++) {
        texts[i] = core_text(PyList_GetItem(items, (Py_ssize_t)i), name, keep);
        if (!texts[i])
            texts = NULL;
    }
    Py_DECREF(items);
    return texts;
}

/* --- Numbers --------------------------------------------------------------------------------- */

int core_count(PyObject *value, const char *name, size_t *count)
{
    PyObject *integer = PyNumber_Index(value);
    if (!integer) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "%s: expected an int, got %R", name,
                         (PyObject *)Py_TYPE(value));
        return -1;
    }
    *count = PyLong_AsSize_t(integer);
    Py_DECREF(integer);
    /* Far beyond what fits into memory, so that no product of two overflows on the way, and none
     * of these is one of the library's own marks. */
    if (!PyErr_Occurred() && *count <= SIZE_MAX / 4)
        return 0;
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "%s: expected an int from 0 to %zu, got %R", name, SIZE_MAX / 4,
                 value);
    return -1;
}

int core_number(PyObject *value, const char *name, double *number)
{
    *number = PyFloat_AsDouble(value);
    if (*number != -1 || !PyErr_Occurred())
        return 0;
    if (PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(PyExc_TypeError, "%s: expected a number, got %R", name,
                     (PyObject *)Py_TYPE(value));
    else if (PyErr_ExceptionMatches(PyExc_OverflowError))
        PyErr_Format(PyExc_ValueError, "%s: the number is too large", name);
    return -1;
}

int core_unsigned(PyObject *value, const char *name, unsigned *number)
{
    size_t count;
    if (core_count(value, name, &count) < 0)
        return -1;
    if (count > UINT_MAX) {
        PyErr_Format(PyExc_ValueError, "%s: expected an int from 0 to %u, got %R", name, UINT_MAX,
                     value);
        return -1;
    }
    *number = (unsigned)count;
    return 0;
}

/* --- Choices --------------------------------------------------------------------------------- */

struct option {
    const char *name;
    int value;
};

#define OPTION(NAME, value, name, formula) {#name, value},
static const struct option activations[] = {TULLE_ACTIVATION_LIST(OPTION){NULL}},
                           losses[] = {TULLE_LOSS_LIST(OPTION){NULL}},
                           optimizers[] = {TULLE_OPTIMIZER_LIST(OPTION){NULL}},
                           initializers[] = {TULLE_INITIALIZER_LIST(OPTION){NULL}},
                           parametrizations[] = {TULLE_PARAMETRIZATION_LIST(OPTION){NULL}},
                           dialects[] = {TULLE_DIALECT_LIST(OPTION){NULL}},
                           scalings[] = {TULLE_SCALING_LIST(OPTION){NULL}},
                           schedules[] = {TULLE_SCHEDULE_LIST(OPTION){NULL}},
                           fadings[] = {TULLE_FADING_LIST(OPTION){NULL}},
                           recipes[] = {TULLE_RECIPE_LIST(OPTION){NULL}},
                           tasks[] = {TULLE_TASK_LIST(OPTION){NULL}},
                           types[] = {{"f32", TULLE_F32}, {"f64", TULLE_F64}, {NULL}},
                           reductions[] = {{"mean", TULLE_REDUCTION_MEAN},
                                           {"sum", TULLE_REDUCTION_SUM},
                                           {NULL}},
                           splits[] = {{"train", TULLE_SPLIT_TRAIN},
                                       {"valid", TULLE_SPLIT_VALID},
                                       {"test", TULLE_SPLIT_TEST},
                                       {"all", TULLE_SPLIT_ALL},
                                       {NULL}};
#define METRIC_OPTION(NAME, value, name, formula, better) {#name, value},
static const struct option metrics[] = {TULLE_METRIC_LIST(METRIC_OPTION){NULL}};

static const struct choice {
    const char *kind;
    const struct option *options;
} choices[] = {
    {"activation", activations},
    {"loss", losses},
    {"optimizer", optimizers},
    {"initializer", initializers},
    {"parametrization", parametrizations},
    {"dialect", dialects},
    {"scaling", scalings},
    {"schedule", schedules},
    {"fading", fadings},
    {"recipe", recipes},
    {"task", tasks},
    {"precision", types},
    {"reduction", reductions},
    {"split", splits},
    {"metric", metrics},
};

enum { CHOICES = sizeof choices / sizeof choices[0], MOST_OPTIONS = 64 };

/* The names, up to NULL, and how many they are. */
static size_t names_of(const struct option *options, const char **names)
{
    size_t count = 0;
    for (; options[count].name && count < MOST_OPTIONS; count++)
        names[count] = options[count].name;
    return count;
}

static void raise_choice(const struct option *options, const char *name, const char *text)
{
    const char *names[MOST_OPTIONS] = {NULL};
    char list[1024] = "";
    size_t count = names_of(options, names), used = 0;
    for (size_t i = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s'%s'",
                                 i == 0           ? ""
                                 : i == count - 1 ? " or "
                                                  : ", ",
                                 names[i]);
    size_t nearest = tulle_nearest_name(text, names, count);
    if (nearest < count)
        PyErr_Format(PyExc_ValueError, "%s: expected %s, got '%s'; did you mean '%s'?", name, list,
                     text, names[nearest]);
    else
        PyErr_Format(PyExc_ValueError, "%s: expected %s, got '%s'", name, list, text);
}

int core_choice(PyObject *value, const char *name, const char *kind, int *choice)
{
    const struct option *options = NULL;
    for (size_t i = 0; i < CHOICES; i++)
        if (strcmp(choices[i].kind, kind) == 0)
            options = choices[i].options;
    PyObject *keep = PyList_New(0);
    const char *text = keep ? core_text(value, name, keep) : NULL;
    for (size_t i = 0; text && options && options[i].name; i++)
        if (strcmp(options[i].name, text) == 0) {
            *choice = options[i].value;
            Py_DECREF(keep);
            return 0;
        }
    if (text && options)
        raise_choice(options, name, text);
    Py_XDECREF(keep);
    return -1;
}

PyObject *core_choices(void)
{
    const char *names[MOST_OPTIONS] = {NULL};
    PyObject *dict = PyDict_New();
    for (size_t c = 0; dict && c < CHOICES; c++) {
        size_t count = names_of(choices[c].options, names);
        PyObject *tuple = PyTuple_New((Py_ssize_t)count);
        for (size_t i = 0; tuple && i < count; i++) {
            PyObject *text = PyUnicode_FromString(names[i]);
            if (!text || PyTuple_SetItem(tuple, (Py_ssize_t)i, text) < 0)
                Py_CLEAR(tuple);
        }
        if (!tuple || PyDict_SetItemString(dict, choices[c].kind, tuple) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(tuple);
    }
    return dict;
}

/* --- Keywords -------------------------------------------------------------------------------- */

static int set_counts(PyObject *value, const char *name, void *member, PyObject *keep)
{
    size_t *counts = NULL;
    PyObject *items = PySequence_List(value);
    size_t count = items ? (size_t)PyList_Size(items) : 0;
    if (items)
        counts = core_allocate(keep, count, sizeof *counts);
    for (size_t i = 0; counts && i < count; i++)
        if (core_count(PyList_GetItem(items, (Py_ssize_t)i), name, &counts[i]) < 0)
            counts = NULL;
    Py_XDECREF(items);
    memcpy(member, &counts, sizeof counts);
    memcpy((char *)member + sizeof counts, &count, sizeof count);
    return counts ? 0 : -1;
}

static int set_numbers(PyObject *value, const char *name, void *member, PyObject *keep)
{
    double *numbers = NULL;
    PyObject *items = PySequence_List(value);
    size_t count = items ? (size_t)PyList_Size(items) : 0;
    if (items)
        numbers = core_allocate(keep, count, sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        if (core_number(PyList_GetItem(items, (Py_ssize_t)i), name, &numbers[i]) < 0)
            numbers = NULL;
    Py_XDECREF(items);
    memcpy(member, &numbers, sizeof numbers);
    memcpy((char *)member + sizeof numbers, &count, sizeof count);
    return numbers ? 0 : -1;
}

static const char *read_path(PyObject *value, PyObject *keep)
{
    PyObject *bytes;
    if (!PyUnicode_FSConverter(value, &bytes))
        return NULL;
    const char *path = PyList_Append(keep, bytes) == 0 ? PyBytes_AsString(bytes) : NULL;
    Py_DECREF(bytes);
    return path;
}

static int set_member(const struct core_keyword *keyword, void *member, PyObject *value,
                      PyObject *keep)
{
    const char *text;
    int flag;
    switch (keyword->kind) {
    case CORE_FLAG:
        flag = PyObject_IsTrue(value);
        memcpy(member, &flag, sizeof flag);
        return flag < 0 ? -1 : 0;
    case CORE_BINS:
        if (PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "trial") == 0) {
            *(size_t *)member = TULLE_BY_TRIAL;
            return 0;
        }
        return core_count(value, keyword->name, member);
    case CORE_COUNT:
        return core_count(value, keyword->name, member);
    case CORE_UNSIGNED:
        return core_unsigned(value, keyword->name, member);
    case CORE_NUMBER:
        return core_number(value, keyword->name, member);
    case CORE_CHOICE:
        return core_choice(value, keyword->name, keyword->choice, member);
    case CORE_TEXT:
        text = core_text(value, keyword->name, keep);
        memcpy(member, &text, sizeof text);
        return text ? 0 : -1;
    case CORE_PATH:
        text = read_path(value, keep);
        memcpy(member, &text, sizeof text);
        return text ? 0 : -1;
    case CORE_NUMBERS:
        return set_numbers(value, keyword->name, member, keep);
    case CORE_COUNTS:
        return set_counts(value, keyword->name, member, keep);
    }
    return -1;
}

int core_set_keyword(const struct core_keyword *keywords, size_t count, void *options,
                     PyObject *key, PyObject *value, PyObject *keep)
{
    for (size_t i = 0; i < count; i++)
        if (PyUnicode_CompareWithASCIIString(key, keywords[i].name) == 0) {
            if (value == Py_None)
                return 1;
            char *member = (char *)options + keywords[i].offset;
            return set_member(&keywords[i], member, value, keep) < 0 ? -1 : 1;
        }
    return 0;
}

void core_raise_keyword(const struct core_keyword *keywords, size_t count, const char *function,
                        PyObject *key)
{
    const char *names[MOST_OPTIONS] = {NULL};
    PyObject *keep = PyList_New(0);
    const char *text = keep ? core_text(key, "a keyword", keep) : NULL;
    if (text) {
        count = count < MOST_OPTIONS ? count : MOST_OPTIONS;
        for (size_t i = 0; i < count; i++)
            names[i] = keywords[i].name;
        size_t nearest = tulle_nearest_name(text, names, count);
        if (nearest < count)
            PyErr_Format(PyExc_TypeError, "%s() has no keyword argument '%s'; did you mean '%s'?",
                         function, text, names[nearest]);
        else
            PyErr_Format(PyExc_TypeError, "%s() has no keyword argument '%s'", function, text);
    }
    Py_XDECREF(keep);
}
