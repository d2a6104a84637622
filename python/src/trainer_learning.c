/* trainer_learning.c - the methods of tulle.Trainer that go over rows: steps, epochs, losses. */
#include <stdlib.h>

#include "trainer_object.h"

/* x, y and a weight for each row, or none. */
struct batch {
    struct core_array x, y, weights;
};

static void release(struct batch *batch)
{
    core_release(&batch->x);
    core_release(&batch->y);
    core_release(&batch->weights);
}

/* y of one dimension is one row where x is, and else one column. */
static int read_batch(const struct trainer_object *self, PyObject *x, PyObject *y,
                      const char *y_name, size_t y_columns, PyObject *weights, struct batch *batch)
{
    if (core_read_sized(x, "x", CORE_ROW, CORE_ANY, self->columns, &batch->x) < 0)
        return -1;
    enum core_shape shape = batch->x.dimensions == 1 ? CORE_ROW : CORE_COLUMN;
    if (core_read_sized(y, y_name, shape, batch->x.rows, y_columns, &batch->y) < 0)
        return -1;
    if (batch->x.rows == 0) {
        PyErr_SetString(PyExc_ValueError, "x: expected at least one row");
        return -1;
    }
    return weights == Py_None
               ? 0
               : core_read_dense(weights, "weights", 1, &batch->x.rows, &batch->weights);
}

/* Of a step: there and back, and once more for the parameters. */
static double step_work(const struct trainer_object *self, const struct batch *batch)
{
    return 3 * self->work * (double)batch->x.rows;
}

/* The shapes are right by then: what can be wrong as an argument is a weight. */
static PyObject *make_loss(enum tulle_status status, double loss)
{
    if (status == TULLE_OK)
        return PyFloat_FromDouble(loss);
    if (status == TULLE_ERROR_ARGUMENT)
        PyErr_SetString(PyExc_ValueError, "weights: expected finite numbers >= 0");
    else
        trainer_raise(status);
    return NULL;
}

PyObject *trainer_step(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "y", "weights", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct batch batch = {0};
    struct core_call call;
    PyObject *x, *y, *weights = Py_None, *result = NULL;
    double loss;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO|O:step", names, &x, &y, &weights) &&
        read_batch(self, x, y, "y", self->targets, weights, &batch) == 0 &&
        core_enter(&call, &self->lock, step_work(self, &batch)) == 0) {
        enum tulle_status status = tulle_trainer_step_weighted(
            self->trainer, core_matrix(&batch.x), core_matrix(&batch.y), batch.weights.data, &loss);
        core_leave(&call);
        result = make_loss(status, loss);
    }
    release(&batch);
    return result;
}

PyObject *trainer_step_gradient(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "dy", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct batch batch = {0};
    struct core_call call;
    PyObject *x, *dy;
    enum tulle_status status = TULLE_ERROR_ARGUMENT;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO:step_gradient", names, &x, &dy) &&
        read_batch(self, x, dy, "dy", self->outputs, Py_None, &batch) == 0 &&
        core_enter(&call, &self->lock, step_work(self, &batch)) == 0) {
        status = tulle_trainer_step_gradient(self->trainer, core_matrix(&batch.x),
                                             core_matrix(&batch.y));
        core_leave(&call);
        if (status == TULLE_ERROR_ARGUMENT)
            PyErr_SetString(PyExc_ValueError,
                            "step_gradient: not with dropout or averaging, whose steps have other "
                            "outputs than predict gives");
        else if (status != TULLE_OK)
            trainer_raise(status);
    }
    release(&batch);
    if (status != TULLE_OK)
        return NULL;
    Py_RETURN_NONE;
}

/* --- Epochs ---------------------------------------------------------------------------------- */

/* The rows of an epoch, in self's own memory: another thread could change the caller's between the
 * library's look at them and their use. Raises for a row that is none. */
static int copy_order(struct trainer_object *self, const struct core_array *order, size_t rows)
{
    size_t count = order->owner ? order->rows : rows;
    if (count > self->order_capacity) {
        size_t *larger = realloc(self->order, count * sizeof *larger);
        if (!larger) {
            PyErr_NoMemory();
            return -1;
        }
        self->order = larger;
        self->order_capacity = count;
    }
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "order: expected at least one row");
        return -1;
    }
    if (!order->owner) {
        for (size_t i = 0; i < count; i++)
            self->order[i] = i;
        tulle_rng_shuffle(tulle_trainer_rng(self->trainer), self->order, count);
        return 0;
    }
    memcpy(self->order, order->data, count * sizeof *self->order);
    for (size_t i = 0; i < count; i++)
        if (self->order[i] >= rows) {
            PyErr_Format(PyExc_ValueError, "order: there is no row %zd of %zu",
                         (Py_ssize_t)self->order[i], rows);
            return -1;
        }
    return 0;
}

/* In pieces of whole batches, between which it looks at signals: some milliseconds each, but always
 * the same, so that the loss has the same bits. */
static enum tulle_status run_epoch(const struct trainer_object *self, const struct batch *batch,
                                   size_t count, struct core_call *call, double *loss)
{
    double batches = 1e7 / (self->work * (double)self->batch_size + 1) + 1;
    size_t most = (size_t)batches * self->batch_size;
    enum tulle_status status = TULLE_OK;
    double sum = 0, mean = 0;
    for (size_t begin = 0, rows; begin < count && status == TULLE_OK; begin += rows) {
        rows = count - begin < most ? count - begin : most;
        status = tulle_trainer_epoch_ordered(self->trainer, core_matrix(&batch->x),
                                             core_matrix(&batch->y), batch->weights.data,
                                             self->order + begin, rows, &mean);
        sum += mean * (double)rows;
        if (status == TULLE_OK && core_poll(call) < 0)
            status = TULLE_ERROR_INTERRUPTED;
    }
    *loss = count <= most ? mean : sum / (double)count;
    return status;
}

PyObject *trainer_epoch(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "y", "order", "weights", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct batch batch = {0};
    struct core_array order = {0};
    struct core_call call;
    PyObject *x, *y, *rows = Py_None, *weights = Py_None, *result = NULL;
    enum tulle_status status = TULLE_ERROR_MEMORY;
    double loss;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO|OO:epoch", names, &x, &y, &rows,
                                    &weights) &&
        read_batch(self, x, y, "y", self->targets, weights, &batch) == 0 &&
        (rows == Py_None || core_read_order(rows, "order", &order) == 0) &&
        core_enter(&call, &self->lock, 0) == 0) {
        size_t count = order.owner ? order.rows : batch.x.rows;
        int failed = copy_order(self, &order, batch.x.rows) < 0;
        if (!failed) {
            core_compute(&call, 3 * self->work * (double)count);
            status = run_epoch(self, &batch, count, &call, &loss);
        }
        core_leave(&call);
        if (!failed)
            result = make_loss(status, loss);
    }
    release(&batch);
    core_release(&order);
    return result;
}

/* --- Looking --------------------------------------------------------------------------------- */

/* In pieces, as run_epoch. */
static enum tulle_status find_loss(const struct trainer_object *self, const struct batch *batch,
                                   struct core_call *call, double *loss)
{
    size_t count = batch->x.rows, most = core_rows_at_once(self->work);
    enum tulle_status status = TULLE_OK;
    double sum = 0, mean = 0;
    for (size_t begin = 0, rows; begin < count && status == TULLE_OK; begin += rows) {
        rows = count - begin < most ? count - begin : most;
        status = tulle_trainer_loss(self->trainer, core_rows(&batch->x, begin, rows),
                                    core_rows(&batch->y, begin, rows), &mean);
        sum += mean * (double)rows;
        if (status == TULLE_OK && core_poll(call) < 0)
            status = TULLE_ERROR_INTERRUPTED;
    }
    *loss = count <= most ? mean : sum / (double)count;
    return status;
}

PyObject *trainer_loss(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "y", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct batch batch = {0};
    struct core_call call;
    PyObject *x, *y, *result = NULL;
    double loss;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO:loss", names, &x, &y) &&
        read_batch(self, x, y, "y", self->targets, Py_None, &batch) == 0 &&
        core_enter(&call, &self->lock, self->work * (double)batch.x.rows) == 0) {
        enum tulle_status status = find_loss(self, &batch, &call, &loss);
        core_leave(&call);
        result = make_loss(status, loss);
    }
    release(&batch);
    return result;
}

/* [(weights, biases)] of numbers that lie one behind the other. */
static PyObject *split_gradient(const struct trainer_object *self, const double *numbers)
{
    PyObject *list = PyList_New((Py_ssize_t)self->layers);
    for (size_t l = 0; list && l < self->layers; l++) {
        const struct core_layer_shape *shape = &self->shapes[l];
        size_t count = shape->units * shape->inputs;
        double *weights, *biases;
        PyObject *pair = core_new_parameters(shape, &weights, &biases);
        if (pair) {
            memcpy(weights, numbers, count * sizeof *numbers);
            memcpy(biases, numbers + count, shape->units * sizeof *numbers);
            numbers += count + shape->units;
        }
        if (!pair || PyList_SetItem(list, (Py_ssize_t)l, pair) < 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *trainer_gradient(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "y", "weights", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct batch batch = {0};
    struct core_call call;
    PyObject *x, *y, *weights = Py_None, *result = NULL;
    double loss, *gradient = NULL;
    size_t count = 0;
    for (size_t l = 0; l < self->layers; l++)
        count += self->shapes[l].units * (self->shapes[l].inputs + 1);
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO|O:gradient", names, &x, &y, &weights) &&
        read_batch(self, x, y, "y", self->targets, weights, &batch) == 0 &&
        (gradient = malloc(count * sizeof *gradient)) != NULL &&
        core_enter(&call, &self->lock, step_work(self, &batch)) == 0) {
        enum tulle_status status =
            tulle_trainer_gradient(self->trainer, core_matrix(&batch.x), core_matrix(&batch.y),
                                   batch.weights.data, &loss, gradient);
        core_leave(&call);
        PyObject *number = make_loss(status, loss);
        result = number ? Py_BuildValue("(NN)", number, split_gradient(self, gradient)) : NULL;
    }
    if (!result && !PyErr_Occurred())
        PyErr_NoMemory();
    free(gradient);
    release(&batch);
    return result;
}
