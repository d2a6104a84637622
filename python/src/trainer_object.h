/* trainer_object.h - tulle.Trainer, whose methods are in two sources. */
#ifndef TULLE_CORE_TRAINER_OBJECT_H
#define TULLE_CORE_TRAINER_OBJECT_H

#include "core.h"

struct trainer_object {
    PyObject_HEAD tulle_trainer *trainer;
    struct core_lock lock;
    struct core_predictor predictor;
    struct core_layer_shape *shapes; /* (layers) */
    size_t layers;
    size_t columns, outputs, targets; /* of x, of what is predicted, of y */
    size_t batch_size;
    double work;   /* of a row's prediction */
    size_t *order; /* (order_capacity), of an epoch */
    size_t order_capacity;
};

/* Trainer(inputs, layers, **options). What the options point to is in `keep`, a list. */
int trainer_read_options(PyObject *args, PyObject *given, struct tulle_trainer_options *options,
                         PyObject *keep);

/* Raises what a status of the trainer stands for. */
void trainer_raise(enum tulle_status status);

PyObject *trainer_step(PyObject *object, PyObject *args, PyObject *keywords);
PyObject *trainer_step_gradient(PyObject *object, PyObject *args, PyObject *keywords);
PyObject *trainer_epoch(PyObject *object, PyObject *args, PyObject *keywords);
PyObject *trainer_gradient(PyObject *object, PyObject *args, PyObject *keywords);
PyObject *trainer_loss(PyObject *object, PyObject *args, PyObject *keywords);

#endif
