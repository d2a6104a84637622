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
    net->criterion = (struct naive_criterion){.loss = TULLE_LOSS_MSE, .huber_delta = 1};
    net->weights = NULL;
    for (size_t l = 0; l < layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        layer->inputs = l ? layers[l - 1].units : inputs;
        layer->units = layers[l].units;
        layer->activation = layers[l].activation;
        layer->weights = zeros(layer->units * layer->inputs);
        layer->biases = zeros(layer->units);
        layer->weight_gradients = zeros(layer->units * layer->inputs);
        layer->bias_gradients = zeros(layer->units);
        layer->slope = zeros(layer->units);
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
        free(layer->slope);
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

double naive_activation(enum tulle_activation activation, double z, double *slope)
{
    const double alpha = 1.6732632423543772848, scale = 1.0507009873554804934; /* of selu */
    const double pi = 3.14159265358979323846;
    double logistic = 1 / (1 + exp(-z)), softplus = fmax(z, 0) + log1p(exp(-fabs(z)));
    double gate, gate_slope;
    switch (activation) {
    case TULLE_ACTIVATION_IDENTITY:
        *slope = 1;
        return z;
    case TULLE_ACTIVATION_RELU:
        *slope = z >= 0 ? 1 : 0;
        return z >= 0 ? z : 0;
    case TULLE_ACTIVATION_LEAKY_RELU:
        *slope = z >= 0 ? 1 : 0.01;
        return z >= 0 ? z : 0.01 * z;
    case TULLE_ACTIVATION_TANH:
        *slope = 1 / (cosh(z) * cosh(z));
        return tanh(z);
    case TULLE_ACTIVATION_LOGISTIC:
        *slope = exp(-fabs(z)) / pow(1 + exp(-fabs(z)), 2);
        return logistic;
    case TULLE_ACTIVATION_ELU:
        *slope = z >= 0 ? 1 : exp(z);
        return z >= 0 ? z : expm1(z);
    case TULLE_ACTIVATION_SELU:
        *slope = z >= 0 ? scale : scale * alpha * exp(z);
        return z >= 0 ? scale * z : scale * alpha * expm1(z);
    case TULLE_ACTIVATION_SILU:
        *slope = logistic + z * logistic / (1 + exp(z));
        return z * logistic;
    case TULLE_ACTIVATION_MISH:
        gate = tanh(softplus);
        gate_slope = logistic / (cosh(softplus) * cosh(softplus));
        *slope = gate + z * gate_slope;
        return z * gate;
    case TULLE_ACTIVATION_GELU:
        gate = 0.5 * erfc(-z / sqrt(2));
        *slope = gate + z * exp(-0.5 * z * z) / sqrt(2 * pi);
        return z * gate;
    case TULLE_ACTIVATION_GELU_TANH: /* (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)) */
        gate = 1 / (1 + exp(-2 * sqrt(2 / pi) * (z + 0.044715 * z * z * z)));
        gate_slope = gate * (1 - gate) * 2 * sqrt(2 / pi) * (1 + 3 * 0.044715 * z * z);
        *slope = gate + z * gate_slope;
        return z * gate;
    case TULLE_ACTIVATION_SOFTPLUS:
        *slope = logistic;
        return softplus;
    case TULLE_ACTIVATION_SINE:
        *slope = cos(z);
        return sin(z);
    case TULLE_ACTIVATION_AUTO:
        break;
    }
    abort();
}

size_t naive_targets(const struct naive_criterion *criterion, size_t outputs)
{
    switch (criterion->loss) {
    case TULLE_LOSS_QUANTILE:
        return outputs / criterion->quantile_count;
    case TULLE_LOSS_CROSS_ENTROPY:
        return 1;
    default:
        return outputs;
    }
}

/* The loss of output number i, o, with the target y; of the losses that have one for each. */
static double output_loss(const struct naive_criterion *c, size_t i, double o, double y,
                          double *gradient)
{
    double difference = o - y, t = y * (1 - c->label_smoothing) + c->label_smoothing / 2;
    switch (c->loss) {
    case TULLE_LOSS_MAE:
        *gradient = difference > 0 ? 1 : difference < 0 ? -1 : 0;
        return fabs(difference);
    case TULLE_LOSS_HUBER:
        *gradient = fmax(-c->huber_delta, fmin(difference, c->huber_delta));
        return fabs(difference) <= c->huber_delta
                   ? difference * difference / 2
                   : c->huber_delta * (fabs(difference) - c->huber_delta / 2);
    case TULLE_LOSS_QUANTILE: {
        double q = c->quantiles[i % c->quantile_count];
        *gradient = difference > 0 ? 1 - q : difference < 0 ? -q : 0;
        return fmax(-q * difference, (1 - q) * difference);
    }
    case TULLE_LOSS_POISSON:
        *gradient = exp(o) - y;
        return exp(o) - y * o;
    case TULLE_LOSS_GAMMA:
        *gradient = 1 - y * exp(-o);
        return o + y * exp(-o);
    case TULLE_LOSS_BINARY_CROSS_ENTROPY:
        *gradient = 1 / (1 + exp(-o)) - t;
        return fmax(o, 0) + log1p(exp(-fabs(o))) - t * o;
    default: /* mse */
        *gradient = difference;
        return difference * difference;
    }
}

static double cross_entropy(const struct naive_criterion *c, size_t classes, const double *o,
                            double y, double *gradient)
{
    double maximum = o[0], sum = 0, loss;
    for (size_t k = 1; k < classes; k++)
        maximum = fmax(maximum, o[k]);
    for (size_t k = 0; k < classes; k++)
        sum += exp(o[k] - maximum);
    loss = maximum + log(sum);
    for (size_t k = 0; k < classes; k++) {
        double t =
            c->label_smoothing / (double)classes + ((double)k == y) * (1 - c->label_smoothing);
        gradient[k] = exp(o[k] - maximum) / sum - t;
        loss -= t * o[k];
    }
    return loss;
}

double naive_sample_loss(const struct naive_criterion *criterion, size_t outputs, const double *o,
                         const double *y, double *gradient)
{
    size_t outputs_of_target = outputs / naive_targets(criterion, outputs);
    double sum = 0;
    if (criterion->loss == TULLE_LOSS_CROSS_ENTROPY)
        return cross_entropy(criterion, outputs, o, y[0], gradient);
    for (size_t i = 0; i < outputs; i++)
        sum += output_loss(criterion, i, o[i], y[i / outputs_of_target], &gradient[i]);
    return sum;
}

const double *naive_forward(struct naive *net, const double *x)
{
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        for (size_t u = 0; u < layer->units; u++) {
            double z = layer->biases[u];
            for (size_t k = 0; k < layer->inputs; k++)
                z += layer->weights[u * layer->inputs + k] * x[k];
            layer->a[u] = naive_activation(layer->activation, z, &layer->slope[u]);
        }
        x = layer->a;
    }
    return x;
}

static double row_weight(const struct naive *net, size_t row)
{
    return net->weights ? net->weights[row] : 1;
}

double naive_loss(struct naive *net, const double *x, const double *y, size_t rows)
{
    struct naive_layer *last = &net->layers[net->layer_count - 1];
    size_t targets = naive_targets(&net->criterion, net->outputs);
    size_t outputs = net->criterion.loss == TULLE_LOSS_CROSS_ENTROPY ? 1 : net->outputs;
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        sum += row_weight(net, r) * naive_sample_loss(&net->criterion, net->outputs,
                                                      naive_forward(net, x + r * net->inputs),
                                                      y + r * targets, last->da);
    return sum / (double)(rows * outputs);
}

/* Adds the gradients of one sample, whose forward pass has just been made. */
static void backward(struct naive *net, const double *x, const double *y, double weight)
{
    struct naive_layer *last = &net->layers[net->layer_count - 1];
    naive_sample_loss(&net->criterion, net->outputs, last->a, y, last->da);
    for (size_t u = 0; u < last->units; u++)
        last->da[u] *= weight;

    for (size_t l = net->layer_count; l-- > 0;) {
        struct naive_layer *layer = &net->layers[l], *below = l ? layer - 1 : NULL;
        const double *in = below ? below->a : x;
        if (below)
            memset(below->da, 0, below->units * sizeof below->da[0]);
        for (size_t u = 0; u < layer->units; u++) {
            double dz = layer->da[u] * layer->slope[u];
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
    size_t targets = naive_targets(&net->criterion, net->outputs);
    for (size_t l = 0; l < net->layer_count; l++) {
        struct naive_layer *layer = &net->layers[l];
        memset(layer->weight_gradients, 0, layer->units * layer->inputs * sizeof(double));
        memset(layer->bias_gradients, 0, layer->units * sizeof(double));
    }
    for (size_t r = 0; r < rows; r++) {
        naive_forward(net, x + r * net->inputs);
        backward(net, x + r * net->inputs, y + r * targets, row_weight(net, r));
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
    size_t targets = naive_targets(&net->criterion, net->outputs);
    double *batch_x = zeros(sgd->batch_size * net->inputs);
    double *batch_y = zeros(sgd->batch_size * targets);
    double *batch_weights = zeros(sgd->batch_size);
    const double *weights = net->weights;
    double sum = 0;

    for (size_t r = 0; r < rows; r++)
        order[r] = r;
    tulle_rng_shuffle(rng, order, rows);
    for (size_t start = 0; start < rows; start += sgd->batch_size) {
        size_t count = rows - start < sgd->batch_size ? rows - start : sgd->batch_size;
        for (size_t r = 0; r < count; r++) {
            size_t row = order[start + r];
            memcpy(batch_x + r * net->inputs, x + row * net->inputs, net->inputs * sizeof *x);
            memcpy(batch_y + r * targets, y + row * targets, targets * sizeof *y);
            batch_weights[r] = weights ? weights[row] : 1;
        }
        net->weights = batch_weights;
        sum += (double)count * naive_step(net, sgd, batch_x, batch_y, count);
    }
    net->weights = weights;
    free(order);
    free(batch_x);
    free(batch_y);
    free(batch_weights);
    return sum / (double)rows;
}

double naive_update(const struct tulle_trainer_options *o, double rate, double decay, int t,
                    double w, double g, struct naive_kept *kept)
{
    double m, v;
    int is_sklearn = o->dialect == TULLE_DIALECT_SKLEARN;
    if (o->optimizer != TULLE_OPTIMIZER_ADAMW)
        g += decay * w;
    switch (o->optimizer) {
    case TULLE_OPTIMIZER_SGD:
        if (is_sklearn)
            return w - (kept->m = o->momentum * kept->m + rate * g);
        kept->m = o->momentum * kept->m + g;
        return w - rate * kept->m;
    case TULLE_OPTIMIZER_NESTEROV:
        if (is_sklearn) {
            kept->m = o->momentum * kept->m + rate * g;
            return w - (rate * g + o->momentum * kept->m);
        }
        kept->m = o->momentum * kept->m + g;
        return w - rate * (g + o->momentum * kept->m);
    case TULLE_OPTIMIZER_RMSPROP:
        kept->v = o->beta2 * kept->v + (1 - o->beta2) * g * g;
        return w - rate * g / (sqrt(kept->v) + o->epsilon);
    case TULLE_OPTIMIZER_ADAM:
    case TULLE_OPTIMIZER_ADAMW:
        kept->m = o->beta1 * kept->m + (1 - o->beta1) * g;
        kept->v = o->beta2 * kept->v + (1 - o->beta2) * g * g;
        m = kept->m / (1 - pow(o->beta1, t));
        v = kept->v / (1 - pow(o->beta2, t));
        if (o->optimizer == TULLE_OPTIMIZER_ADAMW)
            w -= rate * decay * w;
        if (is_sklearn)
            return w - rate * sqrt(1 - pow(o->beta2, t)) / (1 - pow(o->beta1, t)) * kept->m /
                           (sqrt(kept->v) + o->epsilon);
        return w - rate * m / (sqrt(v) + o->epsilon);
    case TULLE_OPTIMIZER_AUTO:
        break;
    }
    abort();
}

void naive_notebook(const struct notebook *n, double *mse)
{
    const struct tulle_layer layers[] = {{.units = 128, .activation = TULLE_ACTIVATION_RELU},
                                         {.units = 256, .activation = TULLE_ACTIVATION_RELU},
                                         {.units = 1, .activation = TULLE_ACTIVATION_IDENTITY}};
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
