/* trainer_object.c - tulle.Trainer: the type, predictions, parameters. */
#include <stdlib.h>

#include "trainer_object.h"

void trainer_raise(enum tulle_status status)
{
    core_raise(status, NULL,
               status == TULLE_ERROR_DIVERGED
                   ? "the loss is not finite: is there NaN in the data, or is learning_rate too "
                     "large?"
                   : tulle_status_text(status));
}

/* --- Predicting ------------------------------------------------------------------------------ */

static enum tulle_status predict(void *object, struct tulle_matrix x, struct tulle_matrix_out out)
{
    return tulle_trainer_predict(object, x, out);
}

static enum tulle_status input_gradient(void *object, struct tulle_matrix x, struct tulle_matrix dy,
                                        struct tulle_matrix_out dx)
{
    return tulle_trainer_input_gradient(object, x, dy, dx);
}

static PyObject *trainer_predict(PyObject *object, PyObject *args, PyObject *keywords)
{
    return core_predict(&((struct trainer_object *)object)->predictor, args, keywords);
}

static PyObject *trainer_input_gradient(PyObject *object, PyObject *args, PyObject *keywords)
{
    return core_input_gradient(&((struct trainer_object *)object)->predictor, args, keywords);
}

/* --- Making one ------------------------------------------------------------------------------ */

static int keep_shapes(struct trainer_object *self, const struct tulle_trainer_options *o)
{
    self->shapes = PyMem_Calloc(o->layer_count, sizeof *self->shapes);
    if (!self->shapes) {
        PyErr_NoMemory();
        return -1;
    }
    self->layers = o->layer_count;
    size_t inputs = o->inputs;
    for (size_t i = 0; i < o->embedding_count; i++)
        inputs += o->embeddings[i].dimensions;
    for (size_t l = 0; l < o->layer_count; l++) {
        self->shapes[l] = (struct core_layer_shape){1, o->layers[l].units, inputs};
        self->work += (double)inputs * (double)o->layers[l].units;
        inputs = o->layers[l].units;
    }
    self->columns = o->inputs + o->embedding_count;
    self->outputs = inputs;
    self->predictor =
        (struct core_predictor){.object = self->trainer,
                                .predict = predict,
                                .input_gradient = input_gradient,
                                .lock = &self->lock,
                                .type = o->precision == TULLE_F32 ? core.float32 : core.float64,
                                .inputs = self->columns,
                                .outputs = self->outputs,
                                .work = self->work};
    self->targets = o->loss == TULLE_LOSS_CROSS_ENTROPY ? 1
                    : o->loss == TULLE_LOSS_QUANTILE && o->quantile_count
                        ? inputs / o->quantile_count
                        : inputs;
    self->batch_size = o->batch_size;
    return 0;
}

static int create(struct trainer_object *self, PyObject *args, PyObject *given, PyObject *keep)
{
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    struct tulle_error error;
    if (core_lock_init(&self->lock) < 0 || trainer_read_options(args, given, &options, keep) < 0)
        return -1;
    enum tulle_status status = tulle_trainer_create(&options, &self->trainer, &error);
    if (status == TULLE_OK)
        return keep_shapes(self, &options);
    core_raise(status, &error, NULL);
    return -1;
}

static PyObject *trainer_new(PyTypeObject *type, PyObject *args, PyObject *given)
{
    (void)type;
    PyObject *keep = PyList_New(0);
    struct trainer_object *self = keep ? core_new_object(core.Trainer) : NULL;
    int failed = !self || create(self, args, given, keep) < 0;
    Py_XDECREF(keep);
    if (!failed)
        return (PyObject *)self;
    Py_XDECREF((PyObject *)self);
    return NULL;
}

static void trainer_dealloc(PyObject *object)
{
    struct trainer_object *self = (struct trainer_object *)object;
    tulle_trainer_free(self->trainer);
    core_lock_clear(&self->lock);
    PyMem_Free(self->shapes);
    free(self->order);
    core_free_object(object);
}

/* --- Parameters ------------------------------------------------------------------------------ */

static int read_layer(const struct trainer_object *self, PyObject *value, size_t *layer)
{
    if (core_count(value, "layer", layer) < 0)
        return -1;
    if (*layer < self->layers)
        return 0;
    PyErr_Format(PyExc_IndexError, "layer %zu of a network of %zu", *layer, self->layers);
    return -1;
}

static PyObject *trainer_parameters(PyObject *object, PyObject *argument)
{
    struct trainer_object *self = (struct trainer_object *)object;
    struct core_call call;
    double *weights, *biases;
    size_t layer;
    if (read_layer(self, argument, &layer) < 0)
        return NULL;
    PyObject *pair = core_new_parameters(&self->shapes[layer], &weights, &biases);
    if (!pair || core_enter(&call, &self->lock, 0) < 0) {
        Py_XDECREF(pair);
        return NULL;
    }
    tulle_trainer_get_parameters(self->trainer, layer, weights, biases);
    core_leave(&call);
    return pair;
}

static PyObject *trainer_set_parameters(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"layer", "weights", "biases", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct core_array weights = {0}, biases = {0};
    struct core_call call;
    PyObject *index, *w, *b;
    size_t layer;
    enum tulle_status status = TULLE_ERROR_ARGUMENT;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOO:set_parameters", names, &index, &w, &b) ||
        read_layer(self, index, &layer) < 0)
        return NULL;
    const struct core_layer_shape *shape = &self->shapes[layer];
    const size_t sizes[] = {shape->units, shape->inputs};
    if (core_read_dense(w, "weights", 2, sizes, &weights) == 0 &&
        core_read_dense(b, "biases", 1, sizes, &biases) == 0 &&
        core_enter(&call, &self->lock, 0) == 0) {
        status = tulle_trainer_set_parameters(self->trainer, layer, weights.data, biases.data);
        core_leave(&call);
        if (status != TULLE_OK)
            trainer_raise(status);
    }
    core_release(&weights);
    core_release(&biases);
    if (status != TULLE_OK)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *trainer_set_learning_rate(PyObject *object, PyObject *value)
{
    struct trainer_object *self = (struct trainer_object *)object;
    struct core_call call;
    double rate;
    if (core_number(value, "learning_rate", &rate) < 0 || core_enter(&call, &self->lock, 0) < 0)
        return NULL;
    enum tulle_status status = tulle_trainer_set_learning_rate(self->trainer, rate);
    core_leave(&call);
    if (status == TULLE_OK)
        Py_RETURN_NONE;
    PyErr_Format(PyExc_ValueError, "learning_rate: expected a finite number >= 0, got %R", value);
    return NULL;
}

static PyObject *trainer_model(PyObject *object, PyObject *unused)
{
    struct trainer_object *self = (struct trainer_object *)object;
    struct core_call call;
    tulle_model *model;
    (void)unused;
    if (core_enter(&call, &self->lock, 0) < 0)
        return NULL;
    enum tulle_status status = tulle_trainer_model(self->trainer, &model);
    core_leave(&call);
    if (status == TULLE_OK)
        return core_make_model(model);
    trainer_raise(status);
    return NULL;
}

/* --- Copies ---------------------------------------------------------------------------------- */

/* Both locks, always in one order, so that two threads that blend crosswise cannot wait for each
 * other. */
static enum tulle_status blend(struct trainer_object *self, struct trainer_object *other,
                               double share)
{
    struct trainer_object *first = self < other ? self : other;
    struct trainer_object *second = self < other ? other : self;
    struct core_call outer, inner;
    enum tulle_status status = TULLE_ERROR_INTERRUPTED;
    if (core_enter(&outer, &first->lock, 0) < 0)
        return status;
    if (core_enter(&inner, &second->lock, self->work) == 0) {
        status = tulle_trainer_blend(self->trainer, other->trainer, share);
        core_leave(&inner);
    }
    core_leave(&outer);
    return status;
}

static PyObject *trainer_blend(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"other", "share", NULL};
    PyObject *other, *number = NULL;
    double share = 1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|O:blend", names, &other, &number) ||
        (number && core_number(number, "share", &share) < 0))
        return NULL;
    if ((PyObject *)Py_TYPE(other) != core.Trainer) {
        PyErr_Format(PyExc_TypeError, "other: expected a tulle.Trainer, got %R",
                     (PyObject *)Py_TYPE(other));
        return NULL;
    }
    if (!(share >= 0 && share <= 1)) {
        PyErr_Format(PyExc_ValueError, "share: expected a number from 0 to 1, got %R", number);
        return NULL;
    }
    enum tulle_status status = TULLE_OK;
    if (other != object)
        status = blend((struct trainer_object *)object, (struct trainer_object *)other, share);
    if (status == TULLE_OK)
        Py_RETURN_NONE;
    core_raise(status, NULL,
               "other: expected a trainer of the same layers and precision: these two differ");
    return NULL;
}

static PyObject *trainer_state(PyObject *object, PyObject *unused)
{
    struct trainer_object *self = (struct trainer_object *)object;
    struct core_call call;
    (void)unused;
    size_t size = tulle_trainer_state_size(self->trainer);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!bytes || core_enter(&call, &self->lock, 0) < 0) {
        Py_XDECREF(bytes);
        return NULL;
    }
    tulle_trainer_get_state(self->trainer, PyBytes_AsString(bytes));
    core_leave(&call);
    return bytes;
}

static PyObject *trainer_set_state(PyObject *object, PyObject *argument)
{
    struct trainer_object *self = (struct trainer_object *)object;
    struct core_call call;
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(argument, &bytes, &size) < 0 ||
        core_enter(&call, &self->lock, 0) < 0)
        return NULL;
    enum tulle_status status = tulle_trainer_set_state(self->trainer, bytes, (size_t)size);
    core_leave(&call);
    if (status == TULLE_OK)
        Py_RETURN_NONE;
    core_raise(status, NULL,
               "state: expected that of a trainer of the same layers, precision and optimizer");
    return NULL;
}

static PyObject *trainer_reduce(PyObject *object, PyObject *unused)
{
    (void)object, (void)unused;
    PyErr_SetString(PyExc_TypeError, "a tulle.Trainer is not copied or pickled: keep its state(), "
                                     "and what it was made with");
    return NULL;
}

/* --- The type -------------------------------------------------------------------------------- */

#define KEYWORD_METHOD(function)                                                                   \
    (PyCFunction)(void (*)(void)) function, METH_VARARGS | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"step", KEYWORD_METHOD(trainer_step),
     "step($self, x, y, weights=None)\n--\n\n"
     "One update from all rows; returns the loss before it. y of one dimension is a column, where\n"
     "x is one row the row's; for cross_entropy the class, a whole number from 0. weights: how\n"
     "much each row counts."},
    {"step_gradient", KEYWORD_METHOD(trainer_step_gradient),
     "step_gradient($self, x, dy)\n--\n\n"
     "One update from the derivatives of your own loss by the outputs that predict gives."},
    {"epoch", KEYWORD_METHOD(trainer_epoch),
     "epoch($self, x, y, order=None, weights=None)\n--\n\n"
     "One pass over all rows in steps of batch_size, shuffled by the trainer's generator, or over\n"
     "those of `order`, integers, as they come. weights: how much each row of x counts. Returns\n"
     "the mean over rows of the losses before each row's update."},
    {"loss", KEYWORD_METHOD(trainer_loss),
     "loss($self, x, y)\n--\n\nThe loss with the parameters as they are."},
    {"predict", KEYWORD_METHOD(trainer_predict),
     "predict($self, x, out=None)\n--\n\n"
     "The outputs for x, (rows, inputs) or one row (inputs,); written to `out` if there is one."},
    {"gradient", KEYWORD_METHOD(trainer_gradient),
     "gradient($self, x, y, weights=None)\n--\n\n"
     "(loss, [(by weights, by biases) of each layer]): what a step of all rows would follow,\n"
     "without the step. Of mse that of half the loss."},
    {"input_gradient", KEYWORD_METHOD(trainer_input_gradient),
     "input_gradient($self, x, dy, out=None)\n--\n\n"
     "The derivatives by x of the sum of dy * predict(x), shaped like x; 0 by a level."},
    {"blend", KEYWORD_METHOD(trainer_blend),
     "blend($self, other, share=1.0)\n--\n\n"
     "Every parameter becomes (1 - share) times itself plus share times the other trainer's: with "
     "1\n"
     "a copy, for target networks; with less an average of one's own."},
    {"state", trainer_state, METH_NOARGS,
     "state($self, /)\n--\n\n"
     "All that the trainer is between two steps, as bytes that are the same on every machine."},
    {"set_state", trainer_set_state, METH_O,
     "set_state($self, state, /)\n--\n\n"
     "Goes on as the trainer that the state came from, which was made with the same arguments."},
    {"parameters", trainer_parameters, METH_O,
     "parameters($self, layer, /)\n--\n\n"
     "weights (units, inputs) and biases (units,) of a layer, from 0. Copies, float64."},
    {"set_parameters", KEYWORD_METHOD(trainer_set_parameters),
     "set_parameters($self, layer, weights, biases)\n--\n\n"
     "Sets what parameters() gives. Leaves the optimizer's memory as it is."},
    {"set_learning_rate", trainer_set_learning_rate, METH_O,
     "set_learning_rate($self, learning_rate, /)\n--\n\nFrom the next step on."},
    {"model", trainer_model, METH_NOARGS,
     "model($self, /)\n--\n\nA Model with the parameters as they are now; its columns are c0, c1, "
     "... and y0, y1, ..."},
    {"__reduce__", trainer_reduce, METH_NOARGS, NULL},
    {NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "Trainer(inputs, layers, **options)\n--\n\n"
     "A network that learns from arrays. layers is [(units, activation)], or with dropout and\n"
     "parametric behind; the options are the members of struct tulle_trainer_options, with names\n"
     "for enums: loss, optimizer, learning_rate, batch_size, seed, threads, precision, ..."},
    {Py_tp_new, trainer_new},
    {Py_tp_dealloc, trainer_dealloc},
    {Py_tp_methods, methods},
    {0, NULL}};

PyType_Spec core_trainer_spec = {.name = "tulle.Trainer",
                                 .basicsize = sizeof(struct trainer_object),
                                 .flags = Py_TPFLAGS_DEFAULT,
                                 .slots = slots};
