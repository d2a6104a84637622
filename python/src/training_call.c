/* training_call.c - train() and evaluate(): the library's calls, and its callbacks into Python. */
#include <errno.h>
#include <stddef.h>

#include "core.h"

/* --- Options --------------------------------------------------------------------------------- */

#define MEMBER(member, kind)                                                                       \
    {                                                                                              \
#member, kind, offsetof(struct tulle_train_options, member), NULL                          \
    }
#define CHOICE(member)                                                                             \
    {                                                                                              \
#member, CORE_CHOICE, offsetof(struct tulle_train_options, member), #member                \
    }

static const struct core_keyword keywords[] = {
    MEMBER(valid_fraction, CORE_NUMBER),
    MEMBER(test_fraction, CORE_NUMBER),
    MEMBER(weight_column, CORE_TEXT),
    MEMBER(balance_classes, CORE_FLAG),
    CHOICE(task),
    CHOICE(precision),
    MEMBER(seed, CORE_UNSIGNED),
    MEMBER(threads, CORE_UNSIGNED),
    MEMBER(checkpoint, CORE_PATH),
    MEMBER(checkpoint_seconds, CORE_NUMBER),
    MEMBER(checkpoint_steps, CORE_COUNT),
    MEMBER(resume, CORE_FLAG),
    CHOICE(loss),
    MEMBER(huber_delta, CORE_NUMBER),
    MEMBER(quantiles, CORE_NUMBERS),
    CHOICE(recipe),
    CHOICE(scaling),
    MEMBER(standardize_targets, CORE_FLAG),
    MEMBER(clamp_predictions, CORE_FLAG),
    MEMBER(one_hot_levels, CORE_COUNT),
    MEMBER(embedding_dimensions, CORE_COUNT),
    MEMBER(number_dimensions, CORE_COUNT),
    MEMBER(number_bins, CORE_BINS),
    MEMBER(number_frequencies, CORE_COUNT),
    MEMBER(number_deviation, CORE_NUMBER),
    MEMBER(hidden, CORE_COUNTS),
    CHOICE(activation),
    MEMBER(parametric, CORE_FLAG),
    MEMBER(dropout, CORE_NUMBER),
    MEMBER(input_factors, CORE_FLAG),
    MEMBER(members, CORE_COUNT),
    CHOICE(initializer),
    CHOICE(parametrization),
    CHOICE(optimizer),
    MEMBER(learning_rate, CORE_NUMBER),
    MEMBER(bias_learning_rate, CORE_NUMBER),
    MEMBER(mix_learning_rate, CORE_NUMBER),
    MEMBER(factor_learning_rate, CORE_NUMBER),
    MEMBER(number_learning_rate, CORE_NUMBER),
    MEMBER(momentum, CORE_NUMBER),
    MEMBER(beta1, CORE_NUMBER),
    MEMBER(beta2, CORE_NUMBER),
    MEMBER(epsilon, CORE_NUMBER),
    MEMBER(weight_decay, CORE_NUMBER),
    MEMBER(bias_weight_decay, CORE_NUMBER),
    MEMBER(clip_norm, CORE_NUMBER),
    MEMBER(averaging, CORE_NUMBER),
    MEMBER(label_smoothing, CORE_NUMBER),
    MEMBER(batch_size, CORE_COUNT),
    MEMBER(epochs, CORE_COUNT),
    CHOICE(schedule),
    MEMBER(schedule_factor, CORE_NUMBER),
    MEMBER(schedule_epochs, CORE_COUNT),
    MEMBER(warmup, CORE_NUMBER),
    CHOICE(fading),
    MEMBER(patience, CORE_COUNT),
    MEMBER(keep_best, CORE_FLAG),
};

enum { KEYWORDS = sizeof keywords / sizeof keywords[0] };

/* The arguments that are no members: callbacks, and what has a form of its own. */
struct training {
    struct core_call call;
    PyObject *dataset, *targets, *valid_dataset, *class_weights;
    PyObject *progress, *notice, *interrupted;
    int is_trial, is_ending;
};

/* {class: weight} */
static int read_class_weights(PyObject *value, struct tulle_train_options *options, PyObject *keep)
{
    PyObject *items = PyMapping_Items(value);
    if (!items) {
        PyErr_Clear();
        PyErr_Format(PyExc_TypeError, "class_weights: expected a dict {class: weight}, got %R",
                     (PyObject *)Py_TYPE(value));
        return -1;
    }
    size_t count = (size_t)PyList_Size(items);
    const char **names = core_allocate(keep, count, sizeof *names);
    double *weights = names ? core_allocate(keep, count, sizeof *weights) : NULL;
    int failed = !weights;
    for (size_t i = 0; !failed && i < count; i++) {
        PyObject *pair = PyList_GetItem(items, (Py_ssize_t)i);
        if (!PyTuple_Check(pair) || PyTuple_Size(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "class_weights: its items() are no pairs");
            failed = 1;
            break;
        }
        names[i] = core_text(PyTuple_GetItem(pair, 0), "class_weights", keep);
        failed =
            !names[i] || core_number(PyTuple_GetItem(pair, 1), "class_weights", &weights[i]) < 0;
    }
    Py_DECREF(items);
    options->class_names = names;
    options->class_weights = weights;
    options->class_weight_count = count;
    return failed ? -1 : 0;
}

/* Puts an argument of train() itself into its place; 0 if it is none, -1 with an exception. */
static int take_own(struct training *t, PyObject *key, PyObject *value)
{
    const struct {
        const char *name;
        PyObject **place;
    } own[] = {{"dataset", &t->dataset},
               {"targets", &t->targets},
               {"progress", &t->progress},
               {"notice", &t->notice},
               {"interrupted", &t->interrupted},
               {"valid_dataset", &t->valid_dataset},
               {"class_weights", &t->class_weights}};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (PyUnicode_CompareWithASCIIString(key, own[i].name) == 0) {
            if (*own[i].place) {
                PyErr_Format(PyExc_TypeError, "train() got two values of '%s'", own[i].name);
                return -1;
            }
            *own[i].place = value == Py_None ? NULL : value;
            return 1;
        }
    return 0;
}

static int read_keywords(PyObject *given, struct training *t, struct tulle_train_options *options,
                         PyObject *keep)
{
    PyObject *key, *value;
    for (Py_ssize_t at = 0; given && PyDict_Next(given, &at, &key, &value);) {
        int found = take_own(t, key, value);
        if (found == 0)
            found = core_set_keyword(keywords, KEYWORDS, options, key, value, keep);
        if (found == 0)
            core_raise_keyword(keywords, KEYWORDS, "train", key);
        if (found != 1)
            return -1;
    }
    return 0;
}

static int check_callback(PyObject *callback, const char *name)
{
    if (!callback || PyCallable_Check(callback))
        return 0;
    PyErr_Format(PyExc_TypeError, "%s: expected something to call, got %R", name,
                 (PyObject *)Py_TYPE(callback));
    return -1;
}

static const tulle_dataset *read_arguments(PyObject *args, PyObject *given, struct training *t,
                                           struct tulle_train_options *options, PyObject *keep)
{
    if (!PyArg_ParseTuple(args, "|OO:train", &t->dataset, &t->targets) ||
        read_keywords(given, t, options, keep) < 0)
        return NULL;
    if (!t->dataset || !t->targets) {
        PyErr_SetString(PyExc_TypeError, "train() needs a dataset and targets");
        return NULL;
    }
    const tulle_dataset *dataset = core_dataset(t->dataset, "dataset");
    options->targets =
        dataset ? core_texts(t->targets, "targets", keep, &options->target_count) : NULL;
    if (!options->targets || check_callback(t->progress, "progress") < 0 ||
        check_callback(t->notice, "notice") < 0 ||
        check_callback(t->interrupted, "interrupted") < 0 ||
        (t->class_weights && read_class_weights(t->class_weights, options, keep) < 0))
        return NULL;
    if (t->valid_dataset &&
        !(options->valid_dataset = core_dataset(t->valid_dataset, "valid_dataset")))
        return NULL;
    return dataset;
}

/* --- Callbacks ------------------------------------------------------------------------------- */

enum { FAILED = 1 };

/* What a signal handler raised may be made the end of training, once there is a model to end with.
 */
static int handle_interruption(struct training *t)
{
    if (!t->interrupted || t->is_trial)
        return FAILED;
    core_resume_python(&t->call);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *result = PyObject_CallFunctionObjArgs(t->interrupted, value, NULL);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    Py_XDECREF(result);
    core_suspend_python(&t->call);
    t->is_ending = result != NULL;
    return result ? TULLE_STOP_HERE : FAILED;
}

static PyObject *make_progress(const struct tulle_progress *p)
{
    return Py_BuildValue(
        "{s:n,s:n,s:n,s:n,s:n,s:d,s:d,s:d,s:n,s:d,s:n}", "trial", (Py_ssize_t)p->trial, "trials",
        (Py_ssize_t)p->trials, "epoch", (Py_ssize_t)p->epoch, "epochs", (Py_ssize_t)p->epochs,
        "steps", (Py_ssize_t)p->steps, "train_loss", p->train_loss, "valid_loss", p->valid_loss,
        "learning_rate", p->learning_rate, "best_epoch", (Py_ssize_t)p->best_epoch, "best_loss",
        p->best_loss, "parameter_count", (Py_ssize_t)p->model->parameter_count);
}

static int call_progress(const struct tulle_progress *progress, struct training *t)
{
    core_resume_python(&t->call);
    PyObject *dict = make_progress(progress);
    PyObject *result = dict ? PyObject_CallFunctionObjArgs(t->progress, dict, NULL) : NULL;
    int truth = result ? PyObject_IsTrue(result) : -1;
    /* Ctrl-C comes to Python code like any other. */
    int is_interrupted = truth < 0 && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt);
    Py_XDECREF(dict);
    Py_XDECREF(result);
    core_suspend_python(&t->call);
    if (is_interrupted)
        return handle_interruption(t);
    return truth < 0 ? FAILED : truth ? TULLE_STOP_HERE : 0;
}

static int on_progress(const struct tulle_progress *progress, void *user)
{
    struct training *t = user;
    t->is_trial = progress->trial > 0;
    if (t->is_ending)
        return TULLE_STOP_HERE;
    if (core_poll(&t->call) < 0)
        return handle_interruption(t);
    return progress->epoch_is_complete && t->progress ? call_progress(progress, t) : 0;
}

static int on_poll(void *user)
{
    struct training *t = user;
    return t->is_ending || core_poll(&t->call) < 0;
}

/* Cannot stop the training, so that what it raises goes to sys.unraisablehook. It may come when a
 * callback has raised already, as with a checkpoint that then cannot be written. */
static void on_notice(const char *text, void *user)
{
    struct training *t = user;
    PyObject *type, *value, *traceback;
    core_resume_python(&t->call);
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *result = PyObject_CallFunction(t->notice, "s", text);
    if (!result)
        PyErr_WriteUnraisable(t->notice);
    Py_XDECREF(result);
    PyErr_Restore(type, value, traceback);
    core_suspend_python(&t->call);
}

/* --- Training -------------------------------------------------------------------------------- */

PyObject *core_train(PyObject *module, PyObject *args, PyObject *given)
{
    (void)module;
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    struct training training = {.dataset = NULL};
    struct tulle_error error;
    tulle_model *model = NULL;
    PyObject *keep = PyList_New(0), *made = NULL;
    const tulle_dataset *dataset =
        keep ? read_arguments(args, given, &training, &options, keep) : NULL;
    if (dataset) {
        options.progress = on_progress;
        options.poll = on_poll;
        options.notice = training.notice ? on_notice : NULL;
        options.user = &training;
        errno = 0;
        core_enter(&training.call, NULL, CORE_LONG);
        enum tulle_status status = tulle_train(dataset, &options, &model, &error);
        core_leave(&training.call);
        if (status != TULLE_OK)
            core_raise(status, &error, NULL);
        else if (PyErr_Occurred()) /* raised by a callback that could not stop it any more */
            tulle_model_free(model);
        else
            made = core_make_model(model);
    }
    Py_XDECREF(keep);
    return made;
}

/* --- Measuring ------------------------------------------------------------------------------- */

static PyObject *make_confusion(const struct tulle_evaluation *evaluation)
{
    const size_t shape[] = {evaluation->classes, evaluation->classes};
    void *data;
    if (!evaluation->confusion)
        Py_RETURN_NONE;
    PyObject *array = core_new_array(core.float64, 2, shape, &data);
    if (array)
        memcpy(data, evaluation->confusion, shape[0] * shape[1] * sizeof(double));
    return array;
}

static PyObject *make_evaluation(const struct tulle_evaluation *evaluation,
                                 const struct tulle_model_info *info)
{
    PyObject *metrics = PyList_New(0), *out_of_range = PyList_New(0);
    int failed = !metrics || !out_of_range;
    for (size_t i = 0; !failed && i < info->target_count; i++) {
        PyObject *item = core_metrics_dict(&evaluation->metrics[i]);
        failed = !item || PyList_Append(metrics, item) < 0;
        Py_XDECREF(item);
    }
    for (size_t i = 0; !failed && i < info->input_count; i++) {
        PyObject *item = PyLong_FromSize_t(evaluation->out_of_range[i]);
        failed = !item || PyList_Append(out_of_range, item) < 0;
        Py_XDECREF(item);
    }
    if (failed) {
        Py_XDECREF(metrics);
        Py_XDECREF(out_of_range);
        return NULL;
    }
    return Py_BuildValue("{s:N,s:N,s:N}", "metrics", metrics, "confusion",
                         make_confusion(evaluation), "out_of_range", out_of_range);
}

PyObject *core_evaluate(PyObject *module, PyObject *args, PyObject *given)
{
    static char *names[] = {"model", "dataset", "split", "weight_column", NULL};
    PyObject *model_object, *table, *split_name = NULL;
    const char *weight_column = NULL;
    int split = TULLE_SPLIT_ALL;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, given, "OO|Oz:evaluate", names, &model_object, &table,
                                     &split_name, &weight_column) ||
        (split_name && core_choice(split_name, "split", "split", &split) < 0))
        return NULL;
    const tulle_model *model = core_model(model_object, "model");
    const tulle_dataset *dataset = model ? core_dataset(table, "dataset") : NULL;
    if (!dataset)
        return NULL;
    struct core_call call;
    struct tulle_evaluation *evaluation;
    struct tulle_error error;
    core_enter(&call, NULL, CORE_LONG);
    enum tulle_status status =
        tulle_evaluate(model, dataset, (enum tulle_split)split, weight_column, &evaluation, &error);
    core_leave(&call);
    if (status != TULLE_OK) {
        core_raise(status, &error, NULL);
        return NULL;
    }
    PyObject *made = make_evaluation(evaluation, tulle_model_info(model));
    tulle_evaluation_free(evaluation);
    return made;
}
