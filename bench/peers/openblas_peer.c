/*
 * openblas_peer.c - the step written out in C on OpenBLAS, for compare.py: what one gets without a
 * library for networks. Matrices are row-major, a sample a row, W (units, inputs); the gradient of
 * the weights goes straight into them; a product with one row or one column is a gemv or a ger.
 * With -DDOUBLE in f64.
 */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <cblas.h>

#ifdef DOUBLE
typedef double number;
#define PRECISION "f64"
#define GEMM cblas_dgemm
#define GEMV cblas_dgemv
#define GER cblas_dger
#else
typedef float number;
#define PRECISION "f32"
#define GEMM cblas_sgemm
#define GEMV cblas_sgemv
#define GER cblas_sger
#endif

enum { LAYERS = 3 };
static const int width[LAYERS + 1] = {INPUTS, HIDDEN_1, HIDDEN_2, OUTPUTS};

static number *weights[LAYERS], *biases[LAYERS], *values[LAYERS + 1], *gradients[LAYERS + 1];
static number *x, *y;
static int rows, given; /* rows of a run; and those there are to choose from */
static int at;          /* the row that is next */

static const char *peer_version(void)
{
    static char text[128];
    char release[32] = "";
    sscanf(openblas_get_config(), "OpenBLAS %31s", release);
    snprintf(text, sizeof text, "%s (%s)", release, openblas_get_corename());
    return text;
}

/* out (rows, units) = act(in W^T + b) */
static void forward(void)
{
    for (int l = 0; l < LAYERS; l++) {
        int inputs = width[l], units = width[l + 1];
        number *out = values[l + 1];
        for (int r = 0; r < rows; r++)
            memcpy(out + (size_t)r * units, biases[l], units * sizeof *out);
        if (rows == 1)
            GEMV(CblasRowMajor, CblasNoTrans, units, inputs, 1, weights[l], inputs, values[l], 1, 1,
                 out, 1);
        else if (units == 1)
            GEMV(CblasRowMajor, CblasNoTrans, rows, inputs, 1, values[l], inputs, weights[l], 1, 1,
                 out, 1);
        else
            GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, rows, units, inputs, 1, values[l], inputs,
                 weights[l], inputs, 1, out, units);
        for (int i = 0; l + 1 < LAYERS && i < rows * units; i++)
            out[i] = out[i] > 0 ? out[i] : 0;
    }
}

/* gradients of layer l's inputs: (dz W) where they were above 0 */
static void backward_inputs(int l)
{
    int inputs = width[l], units = width[l + 1];
    number *dz = gradients[l + 1], *dx = gradients[l];
    if (rows == 1)
        GEMV(CblasRowMajor, CblasTrans, units, inputs, 1, weights[l], inputs, dz, 1, 0, dx, 1);
    else
        GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, inputs, units, 1, dz, units,
             weights[l], inputs, 0, dx, inputs);
    for (int i = 0; i < rows * inputs; i++)
        dx[i] = values[l][i] > 0 ? dx[i] : 0;
}

/* W -= rate / rows dz^T in, b -= rate / rows (sum of dz) */
static void update(int l)
{
    int inputs = width[l], units = width[l + 1];
    number *dz = gradients[l + 1], rate = (number)(-LEARNING_RATE / rows);
    if (rows == 1)
        GER(CblasRowMajor, units, inputs, rate, dz, 1, values[l], 1, weights[l], inputs);
    else if (units == 1)
        GEMV(CblasRowMajor, CblasTrans, rows, inputs, rate, values[l], inputs, dz, 1, 1, weights[l],
             1);
    else
        GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, units, inputs, rows, rate, dz, units,
             values[l], inputs, 1, weights[l], inputs);
    for (int r = 0; r < rows; r++)
        for (int u = 0; u < units; u++)
            biases[l][u] += rate * dz[(size_t)r * units + u];
}

static void step(void)
{
    forward();
    for (int i = 0; i < rows * OUTPUTS; i++)
        gradients[LAYERS][i] = values[LAYERS][i] - y[i];
    for (int l = LAYERS - 1; l >= 0; l--) {
        if (l > 0)
            backward_inputs(l);
        update(l);
    }
}

static void batch(void)
{
    forward();
}

static void row(void)
{
    values[0] = x + (size_t)at * INPUTS;
    at = (at + 1) % given;
    forward();
}

static number *fill(number *old, size_t count, double low, double high)
{
    free(old);
    number *array = peer_allocate(count, sizeof *array);
    for (size_t i = 0; i < count; i++)
        array[i] = (number)(low + (high - low) * peer_random());
    return array;
}

static peer_run *peer_prepare(const struct task *task)
{
    int one = strcmp(task->name, "row") == 0;
    if (strcmp(task->precision, PRECISION) != 0)
        return NULL;
    rows = (int)task->rows;
    given = one ? 512 : rows;
    x = fill(x, (size_t)given * INPUTS, 0, 1);
    y = fill(y, (size_t)given * OUTPUTS, 0, 1);
    values[0] = x;
    for (int l = 0; l < LAYERS; l++) {
        weights[l] = fill(weights[l], (size_t)width[l] * width[l + 1], -0.1, 0.1);
        biases[l] = fill(biases[l], (size_t)width[l + 1], 0, 0);
        values[l + 1] = fill(values[l + 1], (size_t)rows * width[l + 1], 0, 0);
        gradients[l + 1] = fill(gradients[l + 1], (size_t)rows * width[l + 1], 0, 0);
    }
    at = 0;
    return one ? row : strcmp(task->name, "step") == 0 ? step : batch;
}
