/*
 * fann_peer.c - FANN, for compare.py; with -DDOUBLE and libdoublefann in f64. Its headers do
 * not tell its version: -DRELEASE='"2.2.0"'.
 *
 * A step is fann_train_epoch() of FANN_TRAIN_BATCH on the batch as training data: gradients summed
 * over its rows, then one update. FANN 2.2 has no relu; FANN_LINEAR_PIECE costs about the same.
 */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#ifdef DOUBLE
#include <doublefann.h>
#else
#include <fann.h>
#endif

static struct fann *net;
static struct fann_train_data *data;
static size_t at; /* the row that is next */
static volatile fann_type used;

static const char *peer_version(void)
{
    return RELEASE;
}

static void step(void)
{
    fann_train_epoch(net, data);
}

static void row(void)
{
    used = fann_run(net, data->input[at])[0];
    at = (at + 1) % data->num_data;
}

static void batch(void)
{
    for (unsigned i = 0; i < data->num_data; i++)
        row();
}

static peer_run *peer_prepare(const struct task *task)
{
    int one = strcmp(task->name, "row") == 0;
    unsigned rows = one ? 512 : (unsigned)task->rows;
    if (strcmp(task->precision, sizeof(fann_type) == sizeof(float) ? "f32" : "f64") != 0)
        return NULL;
    if (net) {
        fann_destroy(net);
        fann_destroy_train(data);
    }
    net = fann_create_standard(4, INPUTS, HIDDEN_1, HIDDEN_2, OUTPUTS);
    data = fann_create_train(rows, INPUTS, OUTPUTS);
    if (!net || !data)
        exit(1);
    fann_set_activation_function_hidden(net, FANN_LINEAR_PIECE);
    fann_set_activation_function_output(net, FANN_LINEAR);
    fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
    fann_set_training_algorithm(net, FANN_TRAIN_BATCH);
    fann_set_learning_rate(net, LEARNING_RATE);
    fann_randomize_weights(net, (fann_type)-0.1, (fann_type)0.1);
    for (unsigned i = 0; i < rows; i++) {
        for (unsigned j = 0; j < INPUTS; j++)
            data->input[i][j] = (fann_type)peer_random();
        data->output[i][0] = (fann_type)peer_random();
    }
    at = 0;
    return one ? row : strcmp(task->name, "step") == 0 ? step : batch;
}
