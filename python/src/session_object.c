/* session_object.c - tulle.Session: predictions of a model, one row or many at a time. */
#include "core.h"

struct session_object {
    PyObject_HEAD PyObject *model;
    tulle_session *session;
    struct core_lock lock;
    unsigned threads;
    size_t inputs, outputs;
    double work; /* of a row */
};

static int create(struct session_object *self, const tulle_model *model)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    self->inputs = info->input_count;
    self->outputs = info->prediction_count;
    self->work = (double)info->parameter_count * (double)(info->front.members + 1);
    if (core_lock_init(&self->lock) < 0)
        return -1;
    enum tulle_status status = tulle_session_create(model, &self->session);
    if (status == TULLE_OK && self->threads != 1)
        status = tulle_session_set_threads(self->session, self->threads);
    if (status != TULLE_OK)
        core_raise(status, NULL, tulle_status_text(status));
    return status == TULLE_OK ? 0 : -1;
}

static PyObject *session_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"model", "threads", NULL};
    PyObject *model;
    unsigned threads = 1;
    (void)type;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|I:Session", names, &model, &threads) ||
        !core_model(model, "model"))
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

/* --- Predicting ------------------------------------------------------------------------------ */

/* Rows on which the next stretch, between two looks at signals, is spent: some milliseconds. */
static size_t rows_at_once(const struct session_object *self)
{
    double rows = 5e7 / (self->work + 1);
    return rows < 64 ? 64 : (size_t)rows;
}

static size_t bytes_of(size_t rows, size_t stride, enum tulle_type type)
{
    return rows * stride * (type == TULLE_F32 ? sizeof(float) : sizeof(double));
}

/* Predictions of x, or with dy the gradients by x. */
static enum tulle_status go_over_rows(const struct session_object *self, struct tulle_matrix x,
                                      struct tulle_matrix *dy, struct tulle_matrix_out out,
                                      struct core_call *call)
{
    size_t rows = x.rows, most = rows_at_once(self), done = 0;
    enum tulle_status status;
    do {
        x.rows = out.rows = rows - done < most ? rows - done : most;
        if (dy) {
            dy->rows = x.rows;
            status = tulle_session_input_gradient(self->session, x, *dy, out);
            dy->data = (const char *)dy->data + bytes_of(dy->rows, dy->stride, dy->type);
        } else
            status = tulle_session_predict(self->session, x, out);
        x.data = (const char *)x.data + bytes_of(x.rows, x.stride, x.type);
        out.data = (char *)out.data + bytes_of(out.rows, out.stride, out.type);
        done += x.rows;
        if (status == TULLE_OK && core_poll(call) < 0)
            status = TULLE_ERROR_INTERRUPTED;
    } while (status == TULLE_OK && done < rows);
    return status;
}

static PyObject *session_predict(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "out", NULL};
    struct session_object *self = (struct session_object *)object;
    struct core_array x = {0}, out = {0};
    struct core_call call;
    PyObject *numbers, *given = Py_None, *result = NULL;
    enum tulle_status status = TULLE_ERROR_ARGUMENT;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:predict", names, &numbers, &given) ||
        core_read_sized(numbers, "x", CORE_ROW, CORE_ANY, self->inputs, &x) < 0 ||
        !(result = core_output(given, &x, core.float64, self->outputs, &out)) ||
        core_enter(&call, &self->lock, self->work * (double)x.rows) < 0)
        goto out;
    status = go_over_rows(self, core_matrix(&x), NULL, core_matrix_out(&out), &call);
    core_leave(&call);
    if (status != TULLE_OK)
        core_raise(status, NULL, tulle_status_text(status));
out:
    core_release(&x);
    core_release(&out);
    if (status != TULLE_OK)
        Py_CLEAR(result);
    return result;
}

static PyObject *session_input_gradient(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "dy", "out", NULL};
    struct session_object *self = (struct session_object *)object;
    struct core_array x = {0}, dy = {0}, out = {0};
    struct tulle_matrix dy_matrix;
    struct core_call call;
    PyObject *numbers, *weights, *given = Py_None, *result = NULL;
    enum tulle_status status = TULLE_ERROR_ARGUMENT;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OO|O:input_gradient", names, &numbers,
                                     &weights, &given) ||
        core_read_sized(numbers, "x", CORE_ROW, CORE_ANY, self->inputs, &x) < 0 ||
        core_read_sized(weights, "dy", x.dimensions == 1 ? CORE_ROW : CORE_COLUMN, x.rows,
                        self->outputs, &dy) < 0 ||
        !(result = core_output(given, &x, core.float64, self->inputs, &out)) ||
        core_enter(&call, &self->lock, 2 * self->work * (double)x.rows) < 0)
        goto out;
    dy_matrix = core_matrix(&dy);
    status = go_over_rows(self, core_matrix(&x), &dy_matrix, core_matrix_out(&out), &call);
    core_leave(&call);
    if (status != TULLE_OK)
        core_raise(status, NULL, tulle_status_text(status));
out:
    core_release(&x);
    core_release(&dy);
    core_release(&out);
    if (status != TULLE_OK)
        Py_CLEAR(result);
    return result;
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
