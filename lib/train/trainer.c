/* trainer.c - a network that learns from the caller's arrays. */
#include "../base/portability.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cpu.h"
#include "../base/float_mode.h"
#include "../base/memory.h"
#include "trainer.h"

/* --- Making and freeing ---------------------------------------------------------------------- */

static enum tulle_status check_options(const struct tulle_trainer_options *o,
                                       struct tulle_error *error)
{
    if (!(o->learning_rate >= 0) || isinf(o->learning_rate))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the learning rate must be a finite number of at least 0, got %g",
                          o->learning_rate);
    if (o->batch_size == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the batch size must be at least 1");
    if (!tulle_loss_name(o->loss))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown loss %d", (int)o->loss);
    if (!tulle_optimizer_name(o->optimizer))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown optimizer %d", (int)o->optimizer);
    if ((unsigned)o->weight_reduction > TULLE_REDUCTION_SUM ||
        (unsigned)o->bias_reduction > TULLE_REDUCTION_SUM)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown reduction of the gradients");
    return TULLE_OK;
}

/* As many threads as are allowed, as there are tiles of samples to share, and as a step's work may
 * pay for; the pool finds out whether it does. */
static unsigned choose_threads(const struct tulle_trainer *trainer)
{
    const struct tulle_trainer_options *o = &trainer->options;
    unsigned threads = o->threads ? o->threads : UINT_MAX;
    size_t tiles = (o->batch_size - 1) / trainer->kernels->rows + 1;
    double paid = tulle_step_operations(&trainer->network, o->batch_size) / TULLE_POOL_LEAST_WORK;
    if (threads > tiles)
        threads = (unsigned)tiles;
    if (threads > paid)
        threads = (unsigned)paid;
    return threads > 1 ? tulle_cpu_limit(threads) : 1;
}

/* Layer by layer and row by row, as NumPy's uniform(-1/sqrt(inputs), 1/sqrt(inputs), (units,
 * inputs)) would: low + (high - low) * u. */
static void draw_weights(struct tulle_trainer *trainer)
{
    const struct network *network = &trainer->network;
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        double high = 1 / sqrt((double)layer->inputs), low = -high;
        for (size_t u = 0; u < layer->units; u++)
            for (size_t i = 0; i < layer->inputs; i++)
                tulle_arena_set(network, trainer->parameters, tulle_weight_index(layer, u, i),
                                low + (high - low) * tulle_rng_uniform(&trainer->rng));
    }
}

/* Makes room for steps of so many rows. */
static enum tulle_status reserve(struct tulle_trainer *trainer, size_t rows)
{
    struct workspace larger;
    if (rows <= trainer->workspace.capacity || trainer->workspace.sums)
        return TULLE_OK;
    enum tulle_status status = tulle_workspace_init(&larger, &trainer->network, trainer->kernels,
                                                    rows, tulle_pool_threads(trainer->pool), 1);
    if (status != TULLE_OK)
        return status;
    tulle_workspace_clear(&trainer->workspace);
    trainer->workspace = larger;
    return TULLE_OK;
}

enum tulle_status tulle_trainer_create(const struct tulle_trainer_options *options,
                                       tulle_trainer **trainer, struct tulle_error *error)
{
    enum tulle_status status;
    struct tulle_trainer_options o = TULLE_TRAINER_OPTIONS;
    *trainer = NULL;
    if (!tulle_options_copy(&o, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the options' size is not set");
    status = check_options(&o, error);
    if (status != TULLE_OK)
        return status;

    struct tulle_trainer *t = tulle_calloc(1, sizeof *t);
    if (!t)
        return tulle_fail_memory(error);
    status = tulle_network_init(&t->network, o.inputs, o.layers, o.layer_count, o.precision, error);
    if (status != TULLE_OK)
        goto fail;
    t->options = o;
    t->options.layers = NULL;
    t->options.rng = NULL;
    t->kernels = tulle_kernels(o.precision);
    if (o.rng)
        t->rng = *o.rng;
    else
        tulle_rng_seed(&t->rng, o.seed);

    t->pool = tulle_pool_create(choose_threads(t));
    if (t->pool) {
        tulle_pool_adapt(t->pool);
        status = reserve(t, o.batch_size);
    }
    t->parameters = tulle_network_arena(&t->network);
    if (status != TULLE_OK || !t->parameters || !t->pool) {
        status = tulle_fail_memory(error);
        goto fail;
    }
    uint64_t mode = tulle_float_mode_enter();
    draw_weights(t);
    tulle_float_mode_leave(mode);
    *trainer = t;
    return TULLE_OK;

fail:
    tulle_trainer_free(t);
    return status;
}

void tulle_trainer_free(tulle_trainer *trainer)
{
    if (!trainer)
        return;
    tulle_pool_free(trainer->pool);
    tulle_workspace_clear(&trainer->workspace);
    tulle_network_clear(&trainer->network);
    free(trainer->parameters);
    free(trainer->order);
    free(trainer);
}

/* --- Steps ----------------------------------------------------------------------------------- */

static struct pass make_pass(struct tulle_trainer *trainer, const struct rows *x,
                             const struct rows *y)
{
    struct pass pass = {.network = &trainer->network,
                        .kernels = trainer->kernels,
                        .workspace = &trainer->workspace,
                        .parameters = trainer->parameters,
                        .x = *x,
                        .loss = trainer->options.loss};
    if (y)
        pass.y = *y;
    return pass;
}

/* What the sum over `count` samples is multiplied by. */
static double alpha(const struct tulle_trainer *trainer, enum tulle_reduction reduction,
                    size_t count)
{
    double learning_rate = trainer->options.learning_rate;
    return reduction == TULLE_REDUCTION_MEAN ? -learning_rate / (double)count : -learning_rate;
}

enum tulle_status tulle_trainer_step_rows(struct tulle_trainer *trainer, const struct rows *x,
                                          const struct rows *y, size_t begin, size_t end,
                                          double *loss_sum)
{
    struct pass pass = make_pass(trainer, x, y);
    size_t count = end - begin;
    *loss_sum = tulle_pass_step(&pass, trainer->pool, begin, end, trainer->parameters,
                                alpha(trainer, trainer->options.weight_reduction, count),
                                alpha(trainer, trainer->options.bias_reduction, count));
    return isfinite(*loss_sum) ? TULLE_OK : TULLE_ERROR_DIVERGED;
}

/* The mean over rows and outputs. */
static double mean_loss(const struct tulle_trainer *trainer, double sum, size_t rows)
{
    return sum / ((double)rows * (double)trainer->network.outputs);
}

double tulle_trainer_loss_rows(struct tulle_trainer *trainer, const struct rows *x,
                               const struct rows *y, size_t count)
{
    struct pass pass = make_pass(trainer, x, y);
    return mean_loss(trainer, tulle_pass_loss(&pass, trainer->pool, 0, count), count);
}

static int are_valid(const struct tulle_trainer *trainer, struct tulle_matrix x,
                     struct tulle_matrix y)
{
    return tulle_matrix_is_valid(x, trainer->network.inputs) &&
           tulle_matrix_is_valid(y, trainer->network.outputs) && x.rows == y.rows && x.rows > 0;
}

enum tulle_status tulle_trainer_step(tulle_trainer *trainer, struct tulle_matrix x,
                                     struct tulle_matrix y, double *loss)
{
    if (!are_valid(trainer, x, y))
        return TULLE_ERROR_ARGUMENT;
    enum tulle_status status = reserve(trainer, x.rows);
    if (status != TULLE_OK)
        return status;
    struct rows x_rows = {.matrix = x}, y_rows = {.matrix = y};
    double sum;
    uint64_t mode = tulle_float_mode_enter();
    status = tulle_trainer_step_rows(trainer, &x_rows, &y_rows, 0, x.rows, &sum);
    if (loss)
        *loss = mean_loss(trainer, sum, x.rows);
    tulle_float_mode_leave(mode);
    return status;
}

/* trainer->order = the numbers 0..rows-1, shuffled. */
static enum tulle_status shuffle(struct tulle_trainer *trainer, size_t rows)
{
    if (rows > trainer->order_capacity) {
        size_t *order = tulle_realloc_array(trainer->order, rows, sizeof *order);
        if (!order)
            return TULLE_ERROR_MEMORY;
        trainer->order = order;
        trainer->order_capacity = rows;
    }
    for (size_t i = 0; i < rows; i++)
        trainer->order[i] = i;
    tulle_rng_shuffle(&trainer->rng, trainer->order, rows);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_epoch(tulle_trainer *trainer, struct tulle_matrix x,
                                      struct tulle_matrix y, double *loss)
{
    if (!are_valid(trainer, x, y))
        return TULLE_ERROR_ARGUMENT;
    size_t batch = trainer->options.batch_size;
    enum tulle_status status = reserve(trainer, batch < x.rows ? batch : x.rows);
    if (status == TULLE_OK)
        status = shuffle(trainer, x.rows);
    struct rows x_rows = {.matrix = x, .order = trainer->order};
    struct rows y_rows = {.matrix = y, .order = trainer->order};
    double sum = 0;
    uint64_t mode = tulle_float_mode_enter();
    for (size_t begin = 0, end; status == TULLE_OK && begin < x.rows; begin = end) {
        double step_sum;
        end = x.rows - begin > batch ? begin + batch : x.rows;
        status = tulle_trainer_step_rows(trainer, &x_rows, &y_rows, begin, end, &step_sum);
        sum += step_sum;
    }
    if (loss)
        *loss = mean_loss(trainer, sum, x.rows);
    tulle_float_mode_leave(mode);
    return status;
}

enum tulle_status tulle_trainer_loss(tulle_trainer *trainer, struct tulle_matrix x,
                                     struct tulle_matrix y, double *loss)
{
    if (!are_valid(trainer, x, y))
        return TULLE_ERROR_ARGUMENT;
    struct rows x_rows = {.matrix = x}, y_rows = {.matrix = y};
    uint64_t mode = tulle_float_mode_enter();
    *loss = tulle_trainer_loss_rows(trainer, &x_rows, &y_rows, x.rows);
    tulle_float_mode_leave(mode);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_predict(tulle_trainer *trainer, struct tulle_matrix x,
                                        struct tulle_matrix_out out)
{
    struct tulle_matrix o = {out.data, out.type, out.rows, out.columns, out.stride};
    if (!tulle_matrix_is_valid(x, trainer->network.inputs) ||
        !tulle_matrix_is_valid(o, trainer->network.outputs) || x.rows != out.rows)
        return TULLE_ERROR_ARGUMENT;
    struct rows rows = {.matrix = x};
    struct pass pass = make_pass(trainer, &rows, NULL);
    tulle_pass_predict(&pass, trainer->pool, 0, x.rows, out, NULL);
    return TULLE_OK;
}

/* --- Parameters and state -------------------------------------------------------------------- */

enum tulle_status tulle_trainer_get_parameters(const tulle_trainer *trainer, size_t layer,
                                               double *weights, double *biases)
{
    if (layer >= trainer->network.layer_count)
        return TULLE_ERROR_ARGUMENT;
    tulle_arena_get_layer(&trainer->network, trainer->parameters, layer, weights, biases);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_parameters(tulle_trainer *trainer, size_t layer,
                                               const double *weights, const double *biases)
{
    if (layer >= trainer->network.layer_count)
        return TULLE_ERROR_ARGUMENT;
    uint64_t mode = tulle_float_mode_enter();
    tulle_arena_set_layer(&trainer->network, trainer->parameters, layer, weights, biases);
    tulle_float_mode_leave(mode);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_set_learning_rate(tulle_trainer *trainer, double learning_rate)
{
    if (!(learning_rate >= 0) || isinf(learning_rate))
        return TULLE_ERROR_ARGUMENT;
    trainer->options.learning_rate = learning_rate;
    return TULLE_OK;
}

struct tulle_rng *tulle_trainer_rng(tulle_trainer *trainer)
{
    return &trainer->rng;
}

enum tulle_status tulle_trainer_export(const struct tulle_trainer *trainer,
                                       struct tulle_model *model)
{
    size_t size = tulle_type_size(trainer->network.precision);
    memcpy(model->parameters, trainer->parameters, trainer->network.arena_size * size);
    return tulle_model_is_finite(model) ? TULLE_OK : TULLE_ERROR_DIVERGED;
}

/* Columns <letter>0, <letter>1, ... with no scaling; NULL if there is no memory. The names stand in
 * the same block, after the columns. */
static struct tulle_column *make_columns(char letter, size_t count)
{
    enum { NAME_SIZE = 24 };
    size_t size = sizeof(struct tulle_column) + NAME_SIZE;
    struct tulle_column *columns = tulle_calloc(count, size);
    if (!columns)
        return NULL;
    char *names = (char *)(columns + count);
    for (size_t i = 0; i < count; i++, names += NAME_SIZE) {
        snprintf(names, NAME_SIZE, "%c%zu", letter, i);
        columns[i] = (struct tulle_column){.name = names, .scale = 1};
    }
    return columns;
}

enum tulle_status tulle_trainer_model(const tulle_trainer *trainer, tulle_model **model)
{
    const struct network *network = &trainer->network;
    enum tulle_status status = TULLE_ERROR_MEMORY;
    struct tulle_column *inputs = make_columns('c', network->inputs);
    struct tulle_column *targets = make_columns('y', network->outputs);
    struct tulle_layer *layers = tulle_calloc(network->layer_count, sizeof *layers);
    *model = NULL;
    if (!inputs || !targets || !layers)
        goto out;
    for (size_t l = 0; l < network->layer_count; l++)
        layers[l] = (struct tulle_layer){network->layers[l].units, network->layers[l].activation};
    struct tulle_model_info info = {.precision = network->precision,
                                    .input_count = network->inputs,
                                    .target_count = network->outputs,
                                    .layer_count = network->layer_count,
                                    .inputs = inputs,
                                    .targets = targets,
                                    .layers = layers,
                                    .loss = trainer->options.loss,
                                    .optimizer = trainer->options.optimizer,
                                    .learning_rate = trainer->options.learning_rate,
                                    .batch_size = trainer->options.batch_size,
                                    .seed = trainer->options.seed};
    status = tulle_model_create(&info, model, NULL);
    if (status != TULLE_OK)
        goto out;
    status = tulle_trainer_export(trainer, *model);
    if (status != TULLE_OK) {
        tulle_model_free(*model);
        *model = NULL;
    }

out:
    free(inputs);
    free(targets);
    free(layers);
    return status;
}
