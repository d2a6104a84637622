/*
 * core.h - what the sources of tulle._core share: the objects, arrays, errors, locks.
 *
 * One binary serves CPython 3.9 and all that follow: the limited API of 3.9. It has neither the
 * buffer protocol (3.11) nor a way from a type to its module (PyType_GetModule: 3.10). Hence arrays
 * come by NumPy's documented __array_struct__, and what would be the module's state is one C struct
 * (`core`) of the process, which only the main interpreter may import (core_module.c).
 *
 * Every object is complete from its tp_new on and keeps what it was made with: there is no __init__
 * to be left out or called twice, and no type can be derived from. Objects hold no others that
 * could hold them, so none takes part in garbage collection.
 */
#ifndef TULLE_CORE_H
#define TULLE_CORE_H

#include <Python.h>
#include <string.h>

#include "../../include/tulle.h"

struct core {
    PyObject *Dataset, *Model, *Session, *Trainer; /* types */
    PyObject *DivergedError, *VersionError;
    PyObject *asarray, *empty, *float32, *float64, *intp; /* NumPy's */
    PyObject *array_struct;                               /* "__array_struct__" */
    unsigned forks; /* that led to this process, since it was imported */
};

extern struct core core;

/* --- Errors ---------------------------------------------------------------------------------- */

/* Raises what the status stands for, with the error's text or, where error is NULL, `text`. */
void core_raise(enum tulle_status status, const struct tulle_error *error, const char *text);

/* --- Computing ------------------------------------------------------------------------------- */

/*
 * An object's lock, and the computing that is done under it. Whatever may run Python code (reading
 * arguments) comes before core_enter; between it and core_leave nothing does but core_poll, whose
 * signal handlers may come back to the same object: that is refused with RuntimeError.
 */
struct core_lock {
    PyThread_type_lock mutex;
    unsigned long holder; /* the thread's, while it is held; read and written under the GIL */
    unsigned forks;       /* of the process, when it was taken: another has no such thread */
};

struct core_call {
    struct core_lock *lock; /* or NULL */
    PyThreadState *thread;  /* NULL while this thread has the GIL */
    long long next_poll;    /* nanoseconds */
};

int core_lock_init(struct core_lock *lock);
void core_lock_clear(struct core_lock *lock);

/* Takes the lock, waiting without the GIL; and lets go of the GIL if `work`, in multiplications, is
 * worth it: a busy thread gives it back only after 5 ms. Returns -1 with an exception. */
enum { CORE_LONG = 1 << 30 };

int core_enter(struct core_call *call, struct core_lock *lock, double work);
void core_leave(struct core_call *call);

/* Lets go of the GIL later, if the work that comes is worth it. */
void core_compute(struct core_call *call, double work);

/* Sees now and then, at least every 50 ms of being called, whether a signal came; -1 with the
 * exception of its handler. */
int core_poll(struct core_call *call);

/* Takes the GIL and lets it go, in callbacks. */
void core_resume_python(struct core_call *call);
void core_suspend_python(struct core_call *call);

/* --- Arrays ---------------------------------------------------------------------------------- */

/* An array in use; `owner` keeps its memory. Zeroed: none. */
struct core_array {
    PyObject *owner;
    void *data;
    enum tulle_type type;
    int dimensions; /* as the caller gave it */
    size_t rows, columns, stride;
};

/* What one dimension means. */
enum core_shape { CORE_ROW, CORE_COLUMN };

#define CORE_ANY ((size_t)-1)

/* Numbers to read, where they lie if they are of float32 or float64 and rows are contiguous; else
 * NumPy makes a copy. `name` is for errors. -1 with an exception. */
int core_read(PyObject *object, const char *name, enum core_shape shape, struct core_array *array);

/* The same of exactly so many rows and columns; CORE_ANY: of any number. */
int core_read_sized(PyObject *object, const char *name, enum core_shape shape, size_t rows,
                    size_t columns, struct core_array *array);

/* Numbers to write, (rows, columns); also (columns,) where x was one row in one dimension, and
 * (rows,) where there is one column. */
int core_write(PyObject *object, const char *name, const struct core_array *x, size_t columns,
               struct core_array *array);

/* Dense float64 of the given shape, to read. */
int core_read_dense(PyObject *object, const char *name, int dimensions, const size_t *shape,
                    struct core_array *array);

/* One dimension of integers, dense; negative ones come as huge numbers. */
int core_read_order(PyObject *object, const char *name, struct core_array *array);

/* A new array of core.float32, float64 or intp; *data is where its numbers go. */
PyObject *core_new_array(PyObject *type, int dimensions, const size_t *shape, void **data);

/* Where predictions of x go: `given`, or if that is None a new array of the type, (x.rows, columns)
 * or (columns,) as x is. Returns it, NULL with an exception. */
PyObject *core_output(PyObject *given, const struct core_array *x, PyObject *type, size_t columns,
                      struct core_array *array);

void core_release(struct core_array *array);

/* ValueError where one array, which is written while the other is read, shares memory with it. */
int core_check_apart(const struct core_array *written, const char *name,
                     const struct core_array *read, const char *read_name);

/* All of an array, or so many rows of it from one on. */
struct tulle_matrix core_matrix(const struct core_array *array);
struct tulle_matrix core_rows(const struct core_array *array, size_t begin, size_t rows);
struct tulle_matrix_out core_rows_out(const struct core_array *array, size_t begin, size_t rows);

/* --- Predicting ------------------------------------------------------------------------------ */

/* What can predict: a session or a trainer. */
struct core_predictor {
    void *object;
    enum tulle_status (*predict)(void *object, struct tulle_matrix x, struct tulle_matrix_out out);
    enum tulle_status (*input_gradient)(void *object, struct tulle_matrix x, struct tulle_matrix dy,
                                        struct tulle_matrix_out dx);
    struct core_lock *lock;
    PyObject *type; /* of new arrays: core.float32 or float64 */
    size_t inputs, outputs;
    double work; /* of a row */
};

/* Rows between two looks at signals: some milliseconds' worth. */
size_t core_rows_at_once(double work);

/* predict(x, out=None) and input_gradient(x, dy, out=None). */
PyObject *core_predict(const struct core_predictor *p, PyObject *args, PyObject *keywords);
PyObject *core_input_gradient(const struct core_predictor *p, PyObject *args, PyObject *keywords);

/* --- Arguments ------------------------------------------------------------------------------- */

/* Memory that lives as long as `keep`, a list. NULL with an exception. */
void *core_allocate(PyObject *keep, size_t count, size_t size);

/* The text as UTF-8 in such memory; a value that is no text is TypeError, "NAME: expected ...". */
const char *core_text(PyObject *value, const char *name, PyObject *keep);

/* Texts of a sequence of str; *count of them. */
const char **core_texts(PyObject *value, const char *name, PyObject *keep, size_t *count);

int core_count(PyObject *value, const char *name, size_t *count);
int core_unsigned(PyObject *value, const char *name, unsigned *number);
int core_number(PyObject *value, const char *name, double *number);

/* The value of an enum that a text names; kind is "activation", "loss", ... (core_choices). */
int core_choice(PyObject *value, const char *name, const char *kind, int *choice);

/* {kind: (names...)} of all enums. */
PyObject *core_choices(void);

/* A keyword argument that goes into a member of an options struct. */
enum core_kind {
    CORE_FLAG,
    CORE_COUNT,
    CORE_UNSIGNED, /* unsigned and uint32_t */
    CORE_NUMBER,
    CORE_CHOICE,
    CORE_TEXT,
    CORE_PATH,
    CORE_NUMBERS, /* these two: the size_t behind the pointer is the count */
    CORE_COUNTS,
    CORE_BINS, /* a count or "trial" */
};

struct core_keyword {
    const char *name;
    enum core_kind kind;
    size_t offset;
    const char *choice; /* of CORE_CHOICE */
};

/* Sets the member that the keyword names; None leaves it as it is. Returns 0 if there is no such
 * keyword, 1, or -1 with an exception. */
int core_set_keyword(const struct core_keyword *keywords, size_t count, void *options,
                     PyObject *key, PyObject *value, PyObject *keep);

/* TypeError that names the nearest keyword. */
void core_raise_keyword(const struct core_keyword *keywords, size_t count, const char *function,
                        PyObject *key);

/* --- Objects --------------------------------------------------------------------------------- */

extern PyType_Spec core_dataset_spec, core_model_spec, core_session_spec, core_trainer_spec;

/* A new object of a type; free undoes it, at the end of tp_dealloc. */
void *core_new_object(PyObject *type);
void core_free_object(PyObject *self);

PyObject *core_make_model(tulle_model *model); /* takes the model */
const tulle_model *core_model(PyObject *object, const char *name);
PyObject *core_make_dataset(tulle_dataset *dataset); /* takes the dataset */
const tulle_dataset *core_dataset(PyObject *object, const char *name);

PyObject *core_info_dict(const struct tulle_model_info *info);
PyObject *core_metrics_dict(const struct tulle_metrics *metrics);
PyObject *core_levels_list(const struct tulle_levels *levels); /* None of a number */

/* (weights, biases) of a layer, whose shapes the layers tell; `get` is of tulle_model or _trainer.
 */
struct core_layer_shape {
    size_t members, units, inputs;
};
PyObject *core_new_parameters(const struct core_layer_shape *shape, double **weights,
                              double **biases);

PyObject *core_dataset_from_arrow(PyObject *type, PyObject *object);
PyObject *core_train(PyObject *module, PyObject *args, PyObject *keywords);
PyObject *core_evaluate(PyObject *module, PyObject *args, PyObject *keywords);

#endif
