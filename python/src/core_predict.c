/* core_predict.c - predictions and input gradients, which sessions and trainers give alike. */
#include "core.h"

size_t core_rows_at_once(double work)
{
    double rows = 5e7 / (work + 1);
    return rows < 64 ? 64 : (size_t)rows;
}

/* Predictions of x, or with dy the gradients by x. */
static enum tulle_status go_over_rows(const struct core_predictor *p, const struct core_array *x,
                                      const struct core_array *dy, const struct core_array *out,
                                      struct core_call *call)
{
    size_t most = core_rows_at_once(p->work), done = 0;
    enum tulle_status status;
    do {
        size_t rows = x->rows - done < most ? x->rows - done : most;
        struct tulle_matrix from = core_rows(x, done, rows);
        struct tulle_matrix_out to = core_rows_out(out, done, rows);
        status = dy ? p->input_gradient(p->object, from, core_rows(dy, done, rows), to)
                    : p->predict(p->object, from, to);
        done += rows;
        if (status == TULLE_OK && core_poll(call) < 0)
            status = TULLE_ERROR_INTERRUPTED;
    } while (status == TULLE_OK && done < x->rows);
    return status;
}

PyObject *core_predict(const struct core_predictor *p, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "out", NULL};
    struct core_array x = {0}, out = {0};
    struct core_call call;
    PyObject *numbers, *given = Py_None, *result = NULL;
    enum tulle_status status = TULLE_ERROR_ARGUMENT;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "O|O:predict", names, &numbers, &given) &&
        core_read_sized(numbers, "x", CORE_ROW, CORE_ANY, p->inputs, &x) == 0 &&
        (result = core_output(given, &x, p->type, p->outputs, &out)) != NULL &&
        core_enter(&call, p->lock, p->work * (double)x.rows) == 0) {
        status = go_over_rows(p, &x, NULL, &out, &call);
        core_leave(&call);
        if (status != TULLE_OK)
            core_raise(status, NULL, tulle_status_text(status));
    }
    core_release(&x);
    core_release(&out);
    if (status != TULLE_OK)
        Py_CLEAR(result);
    return result;
}

PyObject *core_input_gradient(const struct core_predictor *p, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"x", "dy", "out", NULL};
    struct core_array x = {0}, dy = {0}, out = {0};
    struct core_call call;
    PyObject *numbers, *weights, *given = Py_None, *result = NULL;
    enum tulle_status status = TULLE_ERROR_ARGUMENT;
    if (PyArg_ParseTupleAndKeywords(args, keywords, "OO|O:input_gradient", names, &numbers,
                                    &weights, &given) &&
        core_read_sized(numbers, "x", CORE_ROW, CORE_ANY, p->inputs, &x) == 0 &&
        core_read_sized(weights, "dy", x.dimensions == 1 ? CORE_ROW : CORE_COLUMN, x.rows,
                        p->outputs, &dy) == 0 &&
        (result = core_output(given, &x, p->type, p->inputs, &out)) != NULL &&
        core_check_apart(&out, "out", &dy, "dy") == 0 &&
        core_enter(&call, p->lock, 2 * p->work * (double)x.rows) == 0) {
        status = go_over_rows(p, &x, &dy, &out, &call);
        core_leave(&call);
        if (status != TULLE_OK)
            core_raise(status, NULL, tulle_status_text(status));
    }
    core_release(&x);
    core_release(&dy);
    core_release(&out);
    if (status != TULLE_OK)
        Py_CLEAR(result);
    return result;
}
