/* core_predict.c - predictions and input gradients, which sessions and trainers give alike. */
#include "core.h"

/* Rows between two looks at signals: some milliseconds' worth. */
static size_t rows_at_once(const struct core_predictor *p)
{
    double rows = 5e7 / (p->work + 1);
    return rows < 64 ? 64 : (size_t)rows;
}

static size_t bytes_of(size_t rows, size_t stride, enum tulle_type type)
{
    return rows * stride * (type == TULLE_F32 ? sizeof(float) : sizeof(double));
}

/* Predictions of x, or with dy the gradients by x. */
static enum tulle_status go_over_rows(const struct core_predictor *p, struct tulle_matrix x,
                                      struct tulle_matrix *dy, struct tulle_matrix_out out,
                                      struct core_call *call)
{
    size_t rows = x.rows, most = rows_at_once(p), done = 0;
    enum tulle_status status;
    do {
        x.rows = out.rows = rows - done < most ? rows - done : most;
        if (dy) {
            dy->rows = x.rows;
            status = p->input_gradient(p->object, x, *dy, out);
            dy->data = (const char *)dy->data + bytes_of(dy->rows, dy->stride, dy->type);
        } else
            status = p->predict(p->object, x, out);
        x.data = (const char *)x.data + bytes_of(x.rows, x.stride, x.type);
        out.data = (char *)out.data + bytes_of(out.rows, out.stride, out.type);
        done += x.rows;
        if (status == TULLE_OK && core_poll(call) < 0)
            status = TULLE_ERROR_INTERRUPTED;
    } while (status == TULLE_OK && done < rows);
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
        status = go_over_rows(p, core_matrix(&x), NULL, core_matrix_out(&out), &call);
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
        core_enter(&call, p->lock, 2 * p->work * (double)x.rows) == 0) {
        struct tulle_matrix matrix = core_matrix(&dy);
        status = go_over_rows(p, core_matrix(&x), &matrix, core_matrix_out(&out), &call);
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
