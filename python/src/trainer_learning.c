/* trainer_learning.c - the methods of tulle.Trainer that go over rows: steps, epochs, losses. */
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

static PyObject *make_loss(enum tulle_status status, double loss)
{
    if (status == TULLE_OK)
        return PyFloat_FromDouble(loss);
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

PyObject *trainer_epoch(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "y", NULL};
    struct trainer_object *self = (struct trainer_object *)object;
    struct batch batch = {0};
    struct core_call call;
    PyObject *x, *y, *result = NULL;
    double loss;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO:epoch", names, &x, &y) &&
        read_batch(self, x, y, "y", self->targets, Py_None, &batch) == 0 &&
        core_enter(&call, &self->lock, step_work(self, &batch)) == 0) {
        enum tulle_status status =
            tulle_trainer_epoch(self->trainer, core_matrix(&batch.x), core_matrix(&batch.y), &loss);
        core_leave(&call);
        result = make_loss(status, loss);
    }
    release(&batch);
    return result;
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
        enum tulle_status status =
            tulle_trainer_loss(self->trainer, core_matrix(&batch.x), core_matrix(&batch.y), &loss);
        core_leave(&call);
        result = make_loss(status, loss);
    }
    release(&batch);
    return result;
}
