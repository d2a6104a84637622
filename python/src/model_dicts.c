/* model_dicts.c - what the library tells of models, as dicts with its names. */
#include "core.h"

/* --- Pieces ---------------------------------------------------------------------------------- */

/* A list of what `make` makes of items 0, 1, ... */
static PyObject *make_list(size_t count, PyObject *(*make)(const void *items, size_t i),
                           const void *items)
{
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++) {
        PyObject *item = make(items, i);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *make_text(const void *items, size_t i)
{
    const char *text = ((const char *const *)items)[i];
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "surrogateescape");
}

static PyObject *make_numbers(const double *numbers, size_t count)
{
    void *data;
    if (!numbers)
        Py_RETURN_NONE;
    PyObject *array = core_new_array(core.float64, 1, &count, &data);
    if (array && count)
        memcpy(data, numbers, count * sizeof *numbers);
    return array;
}

PyObject *core_levels_list(const struct tulle_levels *levels)
{
    if (!levels->names)
        Py_RETURN_NONE;
    return make_list(levels->count, make_text, levels->names);
}

static PyObject *make_column(const void *items, size_t i)
{
    const struct tulle_column *c = (const struct tulle_column *)items + i;
    return Py_BuildValue(
        "{s:N,s:d,s:d,s:d,s:d,s:s,s:n,s:N,s:N,s:n,s:O}", "name", make_text(&c->name, 0), "mean",
        c->mean, "scale", c->scale, "minimum", c->minimum, "maximum", c->maximum, "scaling",
        tulle_scaling_name(c->scaling), "missing", (Py_ssize_t)c->missing, "quantiles",
        make_numbers(c->quantiles, c->quantile_count), "levels", core_levels_list(&c->levels),
        "dimensions", (Py_ssize_t)c->dimensions, "is_clamped", c->is_clamped ? Py_True : Py_False);
}

static PyObject *make_layer(const void *items, size_t i)
{
    const struct tulle_layer *l = (const struct tulle_layer *)items + i;
    return Py_BuildValue("{s:n,s:s,s:O,s:d}", "units", (Py_ssize_t)l->units, "activation",
                         tulle_activation_name(l->activation), "parametric",
                         l->parametric ? Py_True : Py_False, "dropout", l->dropout);
}

static PyObject *make_front(const struct tulle_front *f)
{
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:O,s:n}", "number_count", (Py_ssize_t)f->number_count,
                         "dimensions", (Py_ssize_t)f->dimensions, "frequencies",
                         (Py_ssize_t)f->frequencies, "bins", (Py_ssize_t)f->bins, "has_factors",
                         f->has_factors ? Py_True : Py_False, "members", (Py_ssize_t)f->members);
}

static PyObject *make_settings(const struct tulle_model_info *info)
{
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < info->setting_count; i++) {
        PyObject *value = make_text(&info->settings[i].value, 0);
        if (!value || PyDict_SetItemString(dict, info->settings[i].name, value) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(value);
    }
    return dict;
}

static PyObject *make_curve(const struct tulle_model_info *info)
{
    void *data;
    const size_t shape[] = {info->curve_count, 3};
    PyObject *array = core_new_array(core.float64, 2, shape, &data);
    for (size_t i = 0; array && i < info->curve_count; i++) {
        double *row = (double *)data + 3 * i;
        row[0] = info->curve[i].train_loss;
        row[1] = info->curve[i].valid_loss;
        row[2] = info->curve[i].learning_rate;
    }
    return array;
}

/* --- Metrics --------------------------------------------------------------------------------- */

PyObject *core_metrics_dict(const struct tulle_metrics *metrics)
{
    PyObject *dict = Py_BuildValue("{s:n}", "rows", (Py_ssize_t)metrics->rows);
#define SET(NAME, slot, name, formula, better)                                                     \
    if (dict) {                                                                                    \
        PyObject *value = PyFloat_FromDouble(metrics->value[slot]);                                \
        if (!value || PyDict_SetItemString(dict, #name, value) < 0)                                \
            Py_CLEAR(dict);                                                                        \
        Py_XDECREF(value);                                                                         \
    }
    TULLE_METRIC_LIST(SET)
#undef SET
    return dict;
}

static PyObject *make_metrics(const void *items, size_t i)
{
    return core_metrics_dict((const struct tulle_metrics *)items + i);
}

/* {split: a dict for each target}, of the splits that were measured. */
static PyObject *make_splits(const struct tulle_model_info *info)
{
    PyObject *dict = PyDict_New();
    for (int split = TULLE_SPLIT_TRAIN; dict && info->metrics && split <= TULLE_SPLIT_TEST;
         split++) {
        const struct tulle_metrics *of_split = &info->metrics[(size_t)split * info->target_count];
        if (info->target_count == 0 || of_split->rows == 0)
            continue;
        PyObject *list = make_list(info->target_count, make_metrics, of_split);
        if (!list || PyDict_SetItemString(dict, tulle_split_name(split), list) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(list);
    }
    return dict;
}

/* --- The whole ------------------------------------------------------------------------------- */

static PyObject *make_shape(const struct tulle_model_info *info)
{
    return Py_BuildValue(
        "{s:I,s:s,s:s,s:s,s:s,s:N,s:N,s:N,s:N,s:n,s:n,s:n,s:N}", "format_version",
        info->format_version, "tulle_version", info->tulle_version, "checksum", info->checksum,
        "precision", tulle_type_name(info->precision), "task", tulle_task_name(info->task),
        "inputs", make_list(info->input_count, make_column, info->inputs), "targets",
        make_list(info->target_count, make_column, info->targets), "layers",
        make_list(info->layer_count, make_layer, info->layers), "front", make_front(&info->front),
        "parameter_count", (Py_ssize_t)info->parameter_count, "first_inputs",
        (Py_ssize_t)info->first_inputs, "prediction_count", (Py_ssize_t)info->prediction_count,
        "missing", make_list(info->missing_count, make_text, info->missing));
}

static PyObject *make_training(const struct tulle_model_info *info)
{
    return Py_BuildValue(
        "{s:N,s:s,s:d,s:d,s:N,s:s,s:d,s:n,s:n,s:I,s:z,s:z,s:d,s:d,s:(nnn),s:N,s:N,s:n}", "settings",
        make_settings(info), "loss", tulle_loss_name(info->loss), "huber_delta", info->huber_delta,
        "label_smoothing", info->label_smoothing, "quantiles",
        make_numbers(info->quantiles, info->quantile_count), "optimizer",
        tulle_optimizer_name(info->optimizer), "learning_rate", info->learning_rate, "batch_size",
        (Py_ssize_t)info->batch_size, "epochs", (Py_ssize_t)info->epochs, "seed",
        (unsigned)info->seed, "split_column", info->split_column, "weight_column",
        info->weight_column, "valid_fraction", info->valid_fraction, "test_fraction",
        info->test_fraction, "rows", (Py_ssize_t)info->rows[0], (Py_ssize_t)info->rows[1],
        (Py_ssize_t)info->rows[2], "metrics", make_splits(info), "curve", make_curve(info),
        "best_epoch", (Py_ssize_t)info->best_epoch);
}

PyObject *core_info_dict(const struct tulle_model_info *info)
{
    PyObject *dict = make_shape(info), *training = dict ? make_training(info) : NULL;
    if (dict && (!training || PyDict_Update(dict, training) < 0))
        Py_CLEAR(dict);
    Py_XDECREF(training);
    return dict;
}

/* --- Parameters ------------------------------------------------------------------------------ */

PyObject *core_new_parameters(const struct core_layer_shape *shape, double **weights,
                              double **biases)
{
    const size_t sizes[] = {shape->members, shape->units, shape->inputs};
    int is_flat = shape->members <= 1;
    void *data = NULL;
    PyObject *first = core_new_array(core.float64, 3 - is_flat, sizes + is_flat, &data);
    *weights = data;
    PyObject *second =
        first ? core_new_array(core.float64, 2 - is_flat, sizes + is_flat, &data) : NULL;
    *biases = data;
    if (!second) {
        Py_XDECREF(first);
        return NULL;
    }
    return Py_BuildValue("(NN)", first, second);
}
