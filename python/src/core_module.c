/* core_module.c - the module: its types, exceptions and functions. */
#include <pthread.h>
#include <signal.h>

#include "core.h"

struct core core;

/* --- Objects --------------------------------------------------------------------------------- */

void *core_new_object(PyObject *type)
{
    return PyType_GenericAlloc((PyTypeObject *)type, 0);
}

void core_free_object(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc free = (freefunc)PyType_GetSlot(type, Py_tp_free);
    free(self);
    Py_DECREF(type);
}

/* --- Functions ------------------------------------------------------------------------------- */

static PyObject *build_info(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    char text[256];
    tulle_build_info(text, sizeof text);
    return PyUnicode_FromString(text);
}

int tulle_command_main(int argc, char **argv); /* cli/main.c */

/* The handlers that the command sets are for a process of its own. */
static const int command_signals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGALRM, SIGPIPE, SIGXFSZ};
enum { COMMAND_SIGNALS = sizeof command_signals / sizeof command_signals[0] };

static int run_command(int argc, char **argv)
{
    struct sigaction before[COMMAND_SIGNALS];
    for (int i = 0; i < COMMAND_SIGNALS; i++)
        sigaction(command_signals[i], NULL, &before[i]);
    int status = tulle_command_main(argc, argv);
    for (int i = 0; i < COMMAND_SIGNALS; i++)
        sigaction(command_signals[i], &before[i], NULL);
    return status;
}

static PyObject *command(PyObject *module, PyObject *arguments)
{
    (void)module;
    int status = 0;
    PyObject *keep = PyList_New(0);
    PyObject *items = keep ? PySequence_List(arguments) : NULL;
    Py_ssize_t count = items ? PyList_Size(items) : 0;
    char **argv = items ? core_allocate(keep, (size_t)count + 1, sizeof *argv) : NULL;
    for (Py_ssize_t i = 0; argv && i < count; i++) {
        PyObject *bytes;
        if (!PyUnicode_FSConverter(PyList_GetItem(items, i), &bytes))
            argv = NULL;
        else if (PyList_Append(keep, bytes) < 0 || !(argv[i] = PyBytes_AsString(bytes)))
            argv = NULL;
        if (argv)
            Py_DECREF(bytes);
    }
    if (argv) {
        Py_BEGIN_ALLOW_THREADS
        status = run_command((int)count, argv);
        Py_END_ALLOW_THREADS
    }
    Py_XDECREF(items);
    Py_XDECREF(keep);
    return argv ? PyLong_FromLong(status) : NULL;
}

static PyMethodDef functions[] = {
    {"build_info", build_info, METH_NOARGS,
     "build_info()\n--\n\nWhat this build and this machine have, for bug reports."},
    {"command", command, METH_O,
     "command(arguments, /)\n--\n\n"
     "Runs the command with these arguments, the first its name; returns its exit status.\n"
     "For `python -m tulle`: Ctrl-C ends the process, and standard output is closed."},
    {"train", (PyCFunction)(void (*)(void))core_train, METH_VARARGS | METH_KEYWORDS,
     "train(dataset, targets, *, progress=None, notice=None, interrupted=None, "
     "valid_dataset=None, class_weights=None, **options)\n--\n\n"
     "A Model of the dataset's columns `targets`, from all others. The options are the members of\n"
     "struct tulle_train_options; None is what the recipe says.\n\n"
     "progress(dict) is called after every epoch; True ends training as if this had been the\n"
     "last. notice(str) is called with what is worth saying. Where a signal handler raises,\n"
     "as Ctrl-C does, training stops with that exception; or interrupted(exception), unless it\n"
     "raises, makes of it the end of training, with the model as it is then\n"
     "and without metrics; not before the first step, nor in trials."},
    {"evaluate", (PyCFunction)(void (*)(void))core_evaluate, METH_VARARGS | METH_KEYWORDS,
     "evaluate(model, dataset, split='all', weight_column=None)\n--\n\n"
     "Measures a model on the rows of one split, 'train', 'valid' or 'test', or on 'all'."},
    {NULL}};

/* --- The module ------------------------------------------------------------------------------ */

static int add(PyObject *module, const char *name, PyObject *object)
{
    Py_XINCREF(object);
    if (object && PyModule_AddObject(module, name, object) == 0)
        return 0;
    Py_XDECREF(object);
    return -1;
}

static int get_numpy(void)
{
    PyObject *numpy = PyImport_ImportModule("numpy");
    if (!numpy)
        return -1;
    core.asarray = PyObject_GetAttrString(numpy, "asarray");
    core.empty = PyObject_GetAttrString(numpy, "empty");
    core.float32 = PyObject_GetAttrString(numpy, "float32");
    core.float64 = PyObject_GetAttrString(numpy, "float64");
    core.intp = PyObject_GetAttrString(numpy, "intp");
    core.array_struct = PyUnicode_InternFromString("__array_struct__");
    Py_DECREF(numpy);
    return core.asarray && core.empty && core.float32 && core.float64 && core.intp &&
                   core.array_struct
               ? 0
               : -1;
}

static void count_fork(void)
{
    core.forks++;
}

static int make_core(void)
{
    if (core.Trainer)
        return 0;
    core.DivergedError = PyErr_NewExceptionWithDoc(
        "tulle.DivergedError", "Training diverged: a smaller learning rate may help.",
        PyExc_ValueError, NULL);
    core.VersionError = PyErr_NewExceptionWithDoc("tulle.VersionError",
                                                  "A file was made by a newer version of Tulle.",
                                                  PyExc_ValueError, NULL);
    core.Dataset = PyType_FromSpec(&core_dataset_spec);
    core.Model = PyType_FromSpec(&core_model_spec);
    core.Session = PyType_FromSpec(&core_session_spec);
    if (!core.DivergedError || !core.VersionError || !core.Dataset || !core.Model ||
        !core.Session || get_numpy() < 0)
        return -1;
    if (pthread_atfork(NULL, NULL, count_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    core.Trainer = PyType_FromSpec(&core_trainer_spec);
    return core.Trainer ? 0 : -1;
}

static int execute(PyObject *module)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError,
                        "tulle works in the main interpreter only; not in a subinterpreter");
        return -1;
    }
    PyObject *choices = NULL, *version = NULL;
    int failed = make_core() < 0 || add(module, "Dataset", core.Dataset) < 0 ||
                 add(module, "Model", core.Model) < 0 || add(module, "Session", core.Session) < 0 ||
                 add(module, "Trainer", core.Trainer) < 0 ||
                 add(module, "DivergedError", core.DivergedError) < 0 ||
                 add(module, "VersionError", core.VersionError) < 0 ||
                 !(choices = core_choices()) || add(module, "choices", choices) < 0 ||
                 !(version = PyUnicode_FromString(tulle_version())) ||
                 add(module, "version", version) < 0;
    Py_XDECREF(choices);
    Py_XDECREF(version);
    return failed ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "tulle._core",
    .m_doc = "The extension: thin C over include/tulle.h.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
