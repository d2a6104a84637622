/* naive.c - the network as its definition reads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "naive.h"

static void *allocate(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size);
    if (!block) {
        fprintf(stderr, "naive: out of memory\n");
        abort();
    }
    return block;
}

static double *zeros(size_t count)
{
    return allocate(count, sizeof(double));
}

void naive_create(struct naive *net, size_t inputs, const struct tulle_layer *layers,
                  size_t layer_count)
{
    if (layer_count < 1 || layer_count > NAIVE_MAX_LAYERS)
        abort();
    net->inputs = inputs;
    net->outputs = layers[layer_count - 1].units;
    net->layer_count = layer_count;
    for (size_t l = 0; l < layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        layer->inputs = l ? layers[l - 1].units : inputs;
        layer->units = layers[l].units;
        layer->activation = layers[l].activation;
        layer->weights = zeros(layer->units * layer->inputs);
        layer->biases = zeros(layer->units);
        layer->weight_gradients = zeros(layer->units * layer->inputs);
        layer->bias_gradients = zeros(layer->units);
        layer->z = zeros(layer->units);
        layer->a = zeros(layer->units);
        layer->da = zeros(layer->units);
    }
}

void naive_free(struct naive *net)
{
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        free(layer->weights);
        free(layer->biases);
        free(layer->weight_gradients);
        free(layer->bias_gradients);
        free(layer->z);
        free(layer->a);
        free(layer->da);
    }
}

/* numpy.random.uniform(-bound, bound) */
static double draw(struct tulle_rng *rng, double bound)
{
    return -bound + 2 * bound * tulle_rng_uniform(rng);
}

void naive_init(struct naive *net, struct tulle_rng *rng)
{
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        double bound = 1 / sqrt((double)layer->inputs);
        for (size_t i = 0; i < layer->units * layer->inputs; i++)
            layer->weights[i] = draw(rng, bound);
        for (size_t u = 0; u < layer->units; u++)
            layer->biases[u] = 0;
    }
}

static double activate(enum tulle_activation activation, double z)
{
    switch (activation) {
    case TULLE_ACTIVATION_IDENTITY:
        return z;
    case TULLE_ACTIVATION_RELU:
        return z >= 0 ? z : 0;
    case TULLE_ACTIVATION_LEAKY_RELU:
        return z >= 0 ? z : 0.01 * z;
    case TULLE_ACTIVATION_TANH:
        return tanh(z);
    case TULLE_ACTIVATION_LOGISTIC:
        return 1 / (1 + exp(-z));
    }
    abort();
}

/* The derivative da/dz where a = act(z). */
static double slope(enum tulle_activation activation, double z, double a)
{
    switch (activation) {
    case TULLE_ACTIVATION_IDENTITY:
        return 1;
    case TULLE_ACTIVATION_RELU:
        return z >= 0 ? 1 : 0;
    case TULLE_ACTIVATION_LEAKY_RELU:
        return z >= 0 ? 1 : 0.01;
    case TULLE_ACTIVATION_TANH:
        return 1 - a * a;
    case TULLE_ACTIVATION_LOGISTIC:
        return a * (1 - a);
    }
    abort();
}

const double *naive_forward(struct naive *net, const double *x)
{
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        for (size_t u = 0; u < layer->units; u++) {
            double z = layer->biases[u];
            for (size_t k = 0; k < layer->inputs; k++)
                z += layer->weights[u * layer->inputs + k] * x[k];
            layer->z[u] = z;
            layer->a[u] = activate(layer->activation, z);
        }
        x = layer->a;
    }
    return x;
}

/* The sum over one row's outputs of (o - y)^2. */
static double squared_error(const double *o, const double *y, size_t outputs)
{
    double sum = 0;
    for (size_t i = 0; i < outputs; i++)
        sum += (o[i] - y[i]) * (o[i] - y[i]);
    return sum;
}

double naive_loss(struct naive *net, const double *x, const double *y, size_t rows)
{
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        sum += squared_error(naive_forward(net, x + r * net->inputs), y + r * net->outputs,
                             net->outputs);
    return sum / (double)(rows * net->outputs);
}

/* Adds the gradients of one sample, whose forward pass has just been made. */
static void backward(struct naive *net, const double *x, const double *y)
{
    struct naive_layer *last = &net->layers[net->layer_count - 1];
    for (size_t u = 0; u < last->units; u++)
        last->da[u] = last->a[u] - y[u];

    for (size_t l = net->layer_count; l-- > 0;) {
        struct naive_layer *layer = &net->layers[l], *below = l ? layer - 1 : NULL;
        const double *in = below ? below->a : x;
        if (below)
            memset(below->da, 0, below->units * sizeof below->da[0]);
        for (size_t u = 0; u < layer->units; u++) {
            double dz = layer->da[u] * slope(layer->activation, layer->z[u], layer->a[u]);
            layer->bias_gradients[u] += dz;
            for (size_t k = 0; k < layer->inputs; k++) {
                layer->weight_gradients[u * layer->inputs + k] += dz * in[k];
                if (below)
                    below->da[k] += dz * layer->weights[u * layer->inputs + k];
            }
        }
    }
}

void naive_gradients(struct naive *net, const double *x, const double *y, size_t rows)
{
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        memset(layer->weight_gradients, 0, layer->units * layer->inputs * sizeof(double));
        memset(layer->bias_gradients, 0, layer->units * sizeof(double));
    }
    for (size_t r = 0; r < rows; r++) {
        naive_forward(net, x + r * net->inputs);
        backward(net, x + r * net->inputs, y + r * net->outputs);
    }
}

static double reduction_factor(enum tulle_reduction reduction, size_t rows)
{
    return reduction == TULLE_REDUCTION_MEAN ? 1 / (double)rows : 1;
}

double naive_step(struct naive *net, const struct naive_sgd *sgd, const double *x, const double *y,
                  size_t rows)
{
    double loss = naive_loss(net, x, y, rows);
    double weight_rate = sgd->learning_rate * reduction_factor(sgd->weight_reduction, rows);
    double bias_rate = sgd->learning_rate * reduction_factor(sgd->bias_reduction, rows);

    naive_gradients(net, x, y, rows);
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        for (size_t i = 0; i < layer->units * layer->inputs; i++)
            layer->weights[i] -= weight_rate * layer->weight_gradients[i];
        for (size_t u = 0; u < layer->units; u++)
            layer->biases[u] -= bias_rate * layer->bias_gradients[u];
    }
    return loss;
}

double naive_epoch(struct naive *net, const struct naive_sgd *sgd, struct tulle_rng *rng,
                   const double *x, const double *y, size_t rows)
{
    size_t *order = allocate(rows, sizeof *order);
    double *batch_x = zeros(sgd->batch_size * net->inputs);
    double *batch_y = zeros(sgd->batch_size * net->outputs);
    double sum = 0;

    for (size_t r = 0; r < rows; r++)
        order[r] = r;
    tulle_rng_shuffle(rng, order, rows);
    for (size_t start = 0; start < rows; start += sgd->batch_size) {
        size_t count = rows - start < sgd->batch_size ? rows - start : sgd->batch_size;
        for (size_t r = 0; r < count; r++) {
            size_t row = order[start + r];
            memcpy(batch_x + r * net->inputs, x + row * net->inputs, net->inputs * sizeof *x);
            memcpy(batch_y + r * net->outputs, y + row * net->outputs, net->outputs * sizeof *y);
        }
        sum += (double)count * naive_step(net, sgd, batch_x, batch_y, count);
    }
    free(order);
    free(batch_x);
    free(batch_y);
    return sum / (double)rows;
}

void naive_notebook(const struct notebook *n, double *mse)
{
    const struct tulle_layer layers[] = {
        {128, TULLE_ACTIVATION_RELU}, {256, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}};
    const struct naive_sgd sgd = {n->learning_rate, n->batch, TULLE_REDUCTION_SUM,
                                  TULLE_REDUCTION_MEAN};
    double *x = zeros(n->rows * n->features), *y = zeros(n->rows);
    struct tulle_rng rng;
    struct naive net;

    tulle_rng_seed(&rng, n->seed);
    for (size_t i = 0; i < n->rows * n->features; i++)
        x[i] = tulle_rng_uniform(&rng);
    for (size_t i = 0; i < n->rows; i++)
        y[i] = tulle_rng_uniform(&rng);
    naive_create(&net, n->features, layers, 3);
    naive_init(&net, &rng);
    for (size_t epoch = 0; epoch < n->epochs; epoch++) {
        naive_epoch(&net, &sgd, &rng, x, y, n->rows);
        if (epoch % n->every == 0)
            mse[epoch / n->every] = naive_loss(&net, x, y, n->rows);
    }
    naive_free(&net);
    free(x);
    free(y);
}
