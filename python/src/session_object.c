/* session_object.c - tulle.Session: predictions of a model, one row or many at a time. */
#include "core.h"

struct session_object {
    PyObject_HEAD PyObject *model;
    tulle_session *session;
    struct core_lock lock;
    struct core_predictor predictor;
    unsigned threads;
};

/* --- Predicting ------------------------------------------------------------------------------ */

static enum tulle_status predict(void *object, struct tulle_matrix x, struct tulle_matrix_out out)
{
    return tulle_session_predict(object, x, out);
}

static enum tulle_status input_gradient(void *object, struct tulle_matrix x, struct tulle_matrix dy,
                                        struct tulle_matrix_out dx)
{
    return tulle_session_input_gradient(object, x, dy, dx);
}

static PyObject *session_predict(PyObject *object, PyObject *args, PyObject *keywords)
{
    return core_predict(&((struct session_object *)object)->predictor, args, keywords);
}

static PyObject *session_input_gradient(PyObject *object, PyObject *args, PyObject *keywords)
{
    return core_input_gradient(&((struct session_object *)object)->predictor, args, keywords);
}

/* --- Making one ------------------------------------------------------------------------------ */

static int create(struct session_object *self, const tulle_model *model)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    if (core_lock_init(&self->lock) < 0)
        return -1;
    enum tulle_status status = tulle_session_create(model, &self->session);
    self->predictor = (struct core_predictor){.object = self->session,
                                              .predict = predict,
                                              .input_gradient = input_gradient,
                                              .lock = &self->lock,
                                              .type = core.float64,
                                              .inputs = info->input_count,
                                              .outputs = info->prediction_count,
                                              .work = (double)info->parameter_count *
                                                      (double)(info->front.members + 1)};
    if (status == TULLE_OK && self->threads != 1)
        status = tulle_session_set_threads(self->session, self->threads);
    if (status != TULLE_OK)
        core_raise(status, NULL, tulle_status_text(status));
    return status == TULLE_OK ? 0 : -1;
}

static PyObject *session_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"model", "threads", NULL};
    PyObject *model, *count = NULL;
    unsigned threads = 1;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:Session", names, &model, &count) ||
        !core_model(model, "model") || (count && core_unsigned(count, "threads", &threads) < 0))
        return NULL;
    struct session_object *self = core_new_object(core.Session);
    if (!self)
        return NULL;
    Py_INCREF(model);
    self->model = model;
    self->threads = threads;
    if (create(self, core_model(model, "model")) == 0)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static void session_dealloc(PyObject *object)
{
    struct session_object *self = (struct session_object *)object;
    tulle_session_free(self->session);
    core_lock_clear(&self->lock);
    Py_XDECREF(self->model);
    core_free_object(object);
}

/* --- The type -------------------------------------------------------------------------------- */

static PyObject *session_reduce(PyObject *object, PyObject *unused)
{
    struct session_object *self = (struct session_object *)object;
    (void)unused;
    return Py_BuildValue("O(OI)", core.Session, self->model, self->threads);
}

static PyObject *session_get_model(PyObject *object, void *unused)
{
    (void)unused;
    PyObject *model = ((struct session_object *)object)->model;
    Py_INCREF(model);
    return model;
}

static PyMethodDef methods[] = {
    {"predict", (PyCFunction)(void (*)(void))session_predict, METH_VARARGS | METH_KEYWORDS,
     "predict($self, x, out=None)\n--\n\n"
     "The predictions for x, (rows, inputs) or one row (inputs,): a column for each target,\n"
     "quantile or class. Columns are in the model's order, in their own units; a category is\n"
     "the index of its level (Model.level), nan is missing. Written to `out` if there is one, of\n"
     "float32 or float64: then nothing is allocated. Returns where they are."},
    {"input_gradient", (PyCFunction)(void (*)(void))session_input_gradient,
     METH_VARARGS | METH_KEYWORDS,
     "input_gradient($self, x, dy, out=None)\n--\n\n"
     "The derivatives by x of the sum of dy * predict(x), shaped like x, in the columns' own "
     "units;\n"
     "0 by a category and by a value that is missing."},
    {"__reduce__", session_reduce, METH_NOARGS, NULL},
    {NULL}};

static PyGetSetDef members[] = {
    {"model", session_get_model, NULL, "The model that it predicts with.", NULL}, {NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Session(model, threads=1)\n--\n\n"
                "Scratch memory for predicting with one model; threads=0: as many as there are "
                "CPUs.\nA second thread that comes in waits: give each its own."},
    {Py_tp_new, session_new},
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {0, NULL}};

PyType_Spec core_session_spec = {.name = "tulle.Session",
                                 .basicsize = sizeof(struct session_object),
                                 .flags = Py_TPFLAGS_DEFAULT,
                                 .slots = slots};
