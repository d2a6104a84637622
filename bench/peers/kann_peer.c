/*
 * kann_peer.c - KANN (github.com/attractivechaos/kann), for compare.py; f32 only, as KANN is.
 *
 * A step is kann_cost() with gradients and w -= rate * gradient, since the update that KANN brings,
 * RMSprop, is more work.
 */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <kann.h>

static kann_t *net;
static float *x, *y;
static size_t row_count, at; /* at: the row that is next */
static volatile float used;

static const char *peer_version(void)
{
    return KANN_VERSION;
}

static void step(void)
{
    int count = kann_size_var(net);
    kann_cost(net, 0, 1);
    for (int i = 0; i < count; i++)
        net->x[i] -= (float)LEARNING_RATE * net->g[i];
}

static void row(void)
{
    used = kann_apply1(net, x + at * INPUTS)[0];
    at = (at + 1) % row_count;
}

static void batch(void)
{
    kann_eval_out(net);
}

static peer_run *peer_prepare(const struct task *task)
{
    int one = strcmp(task->name, "row") == 0;
    if (strcmp(task->precision, "f32") != 0)
        return NULL;
    if (net)
        kann_delete(net);
    free(x);
    free(y);
    kad_node_t *layer = kann_layer_input(INPUTS);
    layer = kad_relu(kann_layer_dense(layer, HIDDEN_1));
    layer = kad_relu(kann_layer_dense(layer, HIDDEN_2));
    net = kann_new(kann_layer_cost(layer, OUTPUTS, KANN_C_MSE), 0);
    row_count = one ? 512 : task->rows;
    x = peer_allocate(row_count * INPUTS, sizeof *x);
    y = peer_allocate(row_count * OUTPUTS, sizeof *y);
    for (size_t i = 0; i < row_count * INPUTS; i++)
        x[i] = (float)peer_random();
    for (size_t i = 0; i < row_count * OUTPUTS; i++)
        y[i] = (float)peer_random();
    if (!one) {
        kann_set_batch_size(net, (int)row_count);
        kann_feed_bind(net, KANN_F_IN, 0, &x);
        kann_feed_bind(net, KANN_F_TRUTH, 0, &y);
    }
    kann_switch(net, strcmp(task->name, "step") == 0);
    at = 0;
    return one ? row : strcmp(task->name, "step") == 0 ? step : batch;
}
