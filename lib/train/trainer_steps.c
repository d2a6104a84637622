/* trainer_steps.c - steps, epochs, losses and predictions of a trainer. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "../base/mix64.h"
#include "../base/pool.h"
#include "trainer.h"

static struct pass make_pass(struct tulle_trainer *trainer, const struct batch *batch)
{
    struct pass pass = {.network = &trainer->network,
                        .kernels = trainer->kernels,
                        .workspace = &trainer->workspace,
                        .parameters = tulle_trainer_best_parameters(trainer),
                        .x = *batch->x,
                        .weights = batch->weights,
                        .loss = trainer->loss};
    if (batch->y)
        pass.y = *batch->y;
    return pass;
}

/* That of a step: with dropout, of another name for every step and seed. */
static struct pass make_step_pass(struct tulle_trainer *trainer, const struct batch *batch)
{
    struct pass pass = make_pass(trainer, batch);
    pass.parameters = trainer->parameters;
    pass.drops = trainer->regularization;
    pass.dropout_key = tulle_hash64(trainer->options.seed, trainer->steps);
    return pass;
}

/* --- Steps ----------------------------------------------------------------------------------- */

/* What is done with a batch. */
struct task {
    size_t begin, end; /* of the pass's samples */
    double rows;       /* that means divide by */
    int is_gradient;   /* no step: the gradients are to be left in the workspace */
};

/* The batch as a task. Its weights count as rows where the dialect says so, unless they are all 0.
 */
static struct task make_task(const struct tulle_trainer *trainer, const struct batch *batch)
{
    struct task task = {
        .begin = batch->begin, .end = batch->end, .rows = (double)(batch->end - batch->begin)};
    double sum = 0;
    if (!batch->weights || trainer->options.dialect != TULLE_DIALECT_SKLEARN)
        return task;
    for (size_t i = batch->begin; i < batch->end; i++)
        sum += batch->weights[batch->y->order ? batch->y->order[i] : i];
    if (sum > 0)
        task.rows = sum;
    return task;
}

/* What the sum over a task's samples, and all members, of the gradients is multiplied by: in place,
 * which members never are, the step itself. */
static double alpha(const struct tulle_trainer *trainer, const struct task *task,
                    enum tulle_reduction reduction, double factor)
{
    double rows = reduction == TULLE_REDUCTION_MEAN ? task->rows : 1;
    if (!trainer->is_in_place || task->is_gradient)
        return 1 / (rows * (double)trainer->network.members);
    return -trainer->options.learning_rate * factor / rows;
}

static double run_task(struct tulle_trainer *trainer, const struct pass *pass,
                       const struct task *task)
{
    const struct tulle_trainer_options *o = &trainer->options;
    int is_in_place = trainer->is_in_place && !task->is_gradient;
    const struct step step = {
        .parameters = trainer->parameters,
        .learning_rate = o->learning_rate,
        .regularization = trainer->regularization,
        .penalty = o->penalty / task->rows,
        .weight_alpha = alpha(trainer, task, o->weight_reduction, 1),
        .bias_alpha = alpha(trainer, task, o->bias_reduction, o->bias_learning_rate),
        .keeps_gradients = !is_in_place,
        .optimizer = is_in_place || task->is_gradient ? NULL : &trainer->optimizer};
    double loss = tulle_pass_step(pass, trainer->pool, task->begin, task->end, &step);
    trainer->steps += !task->is_gradient;
    return loss;
}

/* outputs, gradient and targets of the caller's own loss, of so many rows. */
static double *reserve_own_loss(struct tulle_trainer *trainer, size_t rows)
{
    size_t width = 2 * trainer->network.outputs + trainer->targets;
    if (rows > trainer->own_loss_capacity) {
        double *larger = tulle_realloc_array(trainer->own_loss, rows, width * sizeof *larger);
        if (!larger)
            return NULL;
        trainer->own_loss = larger;
        trainer->own_loss_capacity = rows;
    }
    return trainer->own_loss;
}

/* Room for all that a step of so many rows needs, so that it cannot fail half-way. */
static enum tulle_status reserve(struct tulle_trainer *trainer, size_t rows)
{
    if (trainer->options.loss_function && !reserve_own_loss(trainer, rows))
        return TULLE_ERROR_MEMORY;
    return tulle_trainer_reserve(trainer, rows);
}

/* The pass of a batch as samples 0, 1, ...; without an order it begins with the first row. */
static struct pass shift_pass(struct pass pass, size_t begin)
{
    if (pass.x.order) {
        pass.x.order += begin;
        pass.y.order += begin;
    }
    return pass;
}

/* Calls the caller's loss for a batch. *gradients is what it filled in, times the rows' weights;
 * *loss_sum its mean loss, for all outputs and the weights of all rows. */
static enum tulle_status call_own_loss(struct tulle_trainer *trainer, const struct pass *pass,
                                       size_t rows, double **gradients, double *loss_sum)
{
    size_t outputs = trainer->network.outputs, targets = trainer->targets;
    double *output = reserve_own_loss(trainer, rows);
    if (!output)
        return TULLE_ERROR_MEMORY;
    double *gradient = output + rows * outputs, *target = gradient + rows * outputs;
    tulle_pass_predict(pass, trainer->pool, 0, rows, tulle_f64_out(output, rows, outputs), NULL);
    tulle_rows_load(&pass->y, 0, rows, targets, tulle_kernels(TULLE_F64), target, targets,
                    trainer->workspace.scratch);
    double mean = trainer->options.loss_function(rows, outputs, output, targets, target, gradient,
                                                 trainer->options.user);
    double weights = 0;
    for (size_t r = 0; r < rows; r++) {
        double weight = pass->weights ? pass->weights[pass->y.order ? pass->y.order[r] : r] : 1;
        for (size_t o = 0; o < outputs; o++)
            gradient[r * outputs + o] *= weight;
        weights += weight;
    }
    *gradients = gradient;
    *loss_sum = mean * weights * (double)outputs;
    return TULLE_OK;
}

/* The caller sees all of a batch at once: it is taken forward once for the outputs, and once more
 * with the gradients that come back. */
static enum tulle_status run_own_loss(struct tulle_trainer *trainer, struct pass pass,
                                      struct task task, double *loss_sum)
{
    size_t rows = task.end - task.begin, outputs = trainer->network.outputs;
    double *gradient;
    pass = shift_pass(pass, task.begin);
    enum tulle_status status = call_own_loss(trainer, &pass, rows, &gradient, loss_sum);
    if (status != TULLE_OK)
        return status;
    pass.y = (struct rows){.matrix = tulle_f64(gradient, rows, outputs)};
    pass.weights = NULL;
    pass.loss.is_given = 1;
    task.begin = 0;
    task.end = rows;
    run_task(trainer, &pass, &task);
    return TULLE_OK;
}

/* What the penalty adds to a sum of losses, which becomes a mean by tulle_trainer_mean_loss. */
static double penalty_sum(const struct tulle_trainer *trainer)
{
    double outputs = (double)trainer->network.outputs;
    double factor = trainer->options.loss_function         ? outputs
                    : trainer->loss.kind == TULLE_LOSS_MSE ? 2 * outputs
                                                           : 1;
    return factor * trainer->options.penalty *
           tulle_optimizer_half_squares(&trainer->network, trainer->parameters);
}

/* The sum of the losses as it was before the step. */
static enum tulle_status run_batch(struct tulle_trainer *trainer, const struct pass *pass,
                                   const struct task *task, double *loss_sum)
{
    double count = (double)(task->end - task->begin);
    double penalty = trainer->options.penalty > 0 ? penalty_sum(trainer) : 0;
    enum tulle_status status = TULLE_OK;
    if (trainer->options.loss_function)
        status = run_own_loss(trainer, *pass, *task, loss_sum);
    else
        *loss_sum = run_task(trainer, pass, task);
    if (status == TULLE_OK)
        *loss_sum = (*loss_sum + penalty) * (count / task->rows);
    return status;
}

enum tulle_status tulle_trainer_step_rows(struct tulle_trainer *trainer, const struct batch *batch,
                                          double *loss_sum)
{
    const struct pass pass = make_step_pass(trainer, batch);
    const struct task task = make_task(trainer, batch);
    enum tulle_status status = run_batch(trainer, &pass, &task, loss_sum);
    if (status != TULLE_OK)
        return status;
    return isfinite(*loss_sum) ? TULLE_OK : TULLE_ERROR_DIVERGED;
}

double tulle_trainer_mean_loss(const struct tulle_trainer *trainer, double sum, double rows)
{
    int is_per_row =
        trainer->loss.kind == TULLE_LOSS_CROSS_ENTROPY && !trainer->options.loss_function;
    return sum / (rows * (is_per_row ? 1 : (double)trainer->network.outputs));
}

enum tulle_status tulle_trainer_loss_sum(struct tulle_trainer *trainer, const struct batch *batch,
                                         double *sum)
{
    struct pass pass = make_pass(trainer, batch);
    double *gradient;
    if (trainer->options.loss_function) {
        pass = shift_pass(pass, batch->begin);
        return call_own_loss(trainer, &pass, batch->end - batch->begin, &gradient, sum);
    }
    *sum = tulle_pass_loss(&pass, trainer->pool, batch->begin, batch->end);
    return TULLE_OK;
}

/* --- The caller's arrays --------------------------------------------------------------------- */

static int is_valid_x(const struct tulle_trainer *trainer, struct tulle_matrix x)
{
    return tulle_matrix_is_valid(x, trainer->network.columns);
}

static struct tulle_matrix as_input(struct tulle_matrix_out out)
{
    return (struct tulle_matrix){out.data, out.type, out.rows, out.columns, out.stride};
}

static int are_valid(const struct tulle_trainer *trainer, struct tulle_matrix x,
                     struct tulle_matrix y)
{
    return is_valid_x(trainer, x) && tulle_matrix_is_valid(y, trainer->targets) &&
           x.rows == y.rows && x.rows > 0;
}

/* Of the rows 0..count-1, or order[0..count-1]: no others, or an epoch in many pieces would cost as
 * many looks at all weights. They may be NULL. */
static int are_valid_weights(const struct tulle_trainer *trainer, const double *weights,
                             const size_t *order, size_t count)
{
    double most = trainer->network.precision == TULLE_F64 ? DBL_MAX : FLT_MAX;
    for (size_t i = 0; weights && i < count; i++) {
        double weight = weights[order ? order[i] : i];
        if (!(weight >= 0 && weight <= most))
            return 0;
    }
    return 1;
}

enum tulle_status tulle_trainer_step_weighted(tulle_trainer *trainer, struct tulle_matrix x,
                                              struct tulle_matrix y, const double *weights,
                                              double *loss)
{
    if (!are_valid(trainer, x, y) || !are_valid_weights(trainer, weights, NULL, x.rows))
        return TULLE_ERROR_ARGUMENT;
    enum tulle_status status = reserve(trainer, x.rows);
    if (status != TULLE_OK)
        return status;
    const struct rows x_rows = {.matrix = x}, y_rows = {.matrix = y};
    const struct batch batch = {&x_rows, &y_rows, weights, 0, x.rows};
    double sum = NAN;
    uint64_t mode = tulle_float_mode_enter();
    status = tulle_trainer_step_rows(trainer, &batch, &sum);
    if (loss)
        *loss = tulle_trainer_mean_loss(trainer, sum, (double)x.rows);
    tulle_float_mode_leave(mode);
    return status;
}

enum tulle_status tulle_trainer_step(tulle_trainer *trainer, struct tulle_matrix x,
                                     struct tulle_matrix y, double *loss)
{
    return tulle_trainer_step_weighted(trainer, x, y, NULL, loss);
}

enum tulle_status tulle_trainer_step_gradient(tulle_trainer *trainer, struct tulle_matrix x,
                                              struct tulle_matrix dy)
{
    int drops = 0;
    for (size_t l = 0; l < trainer->network.layer_count; l++)
        drops |= trainer->network.layers[l].dropout > 0;
    if (!is_valid_x(trainer, x) || !tulle_matrix_is_valid(dy, trainer->network.outputs) ||
        x.rows != dy.rows || x.rows == 0 || drops || trainer->optimizer.average)
        return TULLE_ERROR_ARGUMENT;
    enum tulle_status status = tulle_trainer_reserve(trainer, x.rows);
    if (status != TULLE_OK)
        return status;
    const struct rows x_rows = {.matrix = x}, dy_rows = {.matrix = dy};
    const struct batch batch = {&x_rows, &dy_rows, NULL, 0, x.rows};
    uint64_t mode = tulle_float_mode_enter();
    struct pass pass = make_step_pass(trainer, &batch);
    const struct task task = make_task(trainer, &batch);
    pass.loss.is_given = 1;
    run_task(trainer, &pass, &task);
    tulle_float_mode_leave(mode);
    return TULLE_OK;
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

/* Room for the steps of an epoch of so many rows. */
static enum tulle_status reserve_epoch(struct tulle_trainer *trainer, size_t rows)
{
    size_t size = trainer->options.batch_size;
    return reserve(trainer, size < rows ? size : rows);
}

/* Steps for the batch's samples, which are in order, for which there is room. */
static enum tulle_status run_epoch(struct tulle_trainer *trainer, struct batch batch, double *loss)
{
    size_t count = batch.end, size = trainer->options.batch_size;
    enum tulle_status status = TULLE_OK;
    double sum = 0;
    uint64_t mode = tulle_float_mode_enter();
    for (; status == TULLE_OK && batch.begin < count; batch.begin = batch.end) {
        double step_sum = NAN;
        batch.end = count - batch.begin > size ? batch.begin + size : count;
        status = tulle_trainer_step_rows(trainer, &batch, &step_sum);
        sum += step_sum;
    }
    if (loss)
        *loss = tulle_trainer_mean_loss(trainer, sum, (double)count);
    tulle_float_mode_leave(mode);
    return status;
}

enum tulle_status tulle_trainer_epoch(tulle_trainer *trainer, struct tulle_matrix x,
                                      struct tulle_matrix y, double *loss)
{
    if (!are_valid(trainer, x, y))
        return TULLE_ERROR_ARGUMENT;
    enum tulle_status status = reserve_epoch(trainer, x.rows);
    if (status == TULLE_OK)
        status = shuffle(trainer, x.rows);
    if (status != TULLE_OK)
        return status;
    const struct rows x_rows = {.matrix = x, .order = trainer->order};
    const struct rows y_rows = {.matrix = y, .order = trainer->order};
    return run_epoch(trainer, (struct batch){&x_rows, &y_rows, NULL, 0, x.rows}, loss);
}

enum tulle_status tulle_trainer_epoch_ordered(tulle_trainer *trainer, struct tulle_matrix x,
                                              struct tulle_matrix y, const double *weights,
                                              const size_t *order, size_t count, double *loss)
{
    if (!are_valid(trainer, x, y) || !order || count == 0)
        return TULLE_ERROR_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        if (order[i] >= x.rows)
            return TULLE_ERROR_ARGUMENT;
    if (!are_valid_weights(trainer, weights, order, count))
        return TULLE_ERROR_ARGUMENT;
    enum tulle_status status = reserve_epoch(trainer, count);
    if (status != TULLE_OK)
        return status;
    const struct rows x_rows = {.matrix = x, .order = order};
    const struct rows y_rows = {.matrix = y, .order = order};
    return run_epoch(trainer, (struct batch){&x_rows, &y_rows, weights, 0, count}, loss);
}

enum tulle_status tulle_trainer_loss(tulle_trainer *trainer, struct tulle_matrix x,
                                     struct tulle_matrix y, double *loss)
{
    if (!are_valid(trainer, x, y))
        return TULLE_ERROR_ARGUMENT;
    const struct rows x_rows = {.matrix = x}, y_rows = {.matrix = y};
    const struct batch batch = {&x_rows, &y_rows, NULL, 0, x.rows};
    double sum;
    uint64_t mode = tulle_float_mode_enter();
    enum tulle_status status = tulle_trainer_loss_sum(trainer, &batch, &sum);
    if (status == TULLE_OK)
        *loss = tulle_trainer_mean_loss(trainer, sum, (double)x.rows);
    tulle_float_mode_leave(mode);
    return status;
}

/* Copies those of all layers from the workspace, and adds the penalty's. */
static void get_gradient(const struct tulle_trainer *trainer, double penalty, double *gradient)
{
    const struct network *network = &trainer->network;
    for (size_t l = 0; l < network->layer_count; l++) {
        const struct network_layer *layer = &network->layers[l];
        size_t units = layer->copies * layer->units;
        double *biases = gradient + units * layer->inputs;
        tulle_arena_get_layer(network, trainer->workspace.sums, l, gradient, biases);
        for (size_t i = 0; penalty > 0 && i < units * layer->inputs; i++)
            gradient[i] += penalty * tulle_arena_get(network, trainer->parameters,
                                                     tulle_weight_index(layer, i / layer->inputs,
                                                                        i % layer->inputs));
        gradient = biases + units;
    }
}

enum tulle_status tulle_trainer_gradient(tulle_trainer *trainer, struct tulle_matrix x,
                                         struct tulle_matrix y, const double *weights, double *loss,
                                         double *gradient)
{
    if (!are_valid(trainer, x, y) || !are_valid_weights(trainer, weights, NULL, x.rows))
        return TULLE_ERROR_ARGUMENT;
    struct workspace *workspace = &trainer->workspace;
    if (reserve(trainer, x.rows) != TULLE_OK ||
        (!workspace->sums && !(workspace->sums = tulle_network_arena(&trainer->network))))
        return TULLE_ERROR_MEMORY;
    const struct rows x_rows = {.matrix = x}, y_rows = {.matrix = y};
    const struct batch batch = {&x_rows, &y_rows, weights, 0, x.rows};
    struct task task = make_task(trainer, &batch);
    struct pass pass = make_pass(trainer, &batch);
    double sum = NAN;
    task.is_gradient = 1;
    pass.parameters = trainer->parameters;
    uint64_t mode = tulle_float_mode_enter();
    enum tulle_status status = run_batch(trainer, &pass, &task, &sum);
    if (loss)
        *loss = tulle_trainer_mean_loss(trainer, sum, (double)x.rows);
    if (gradient)
        get_gradient(trainer, trainer->options.penalty / task.rows, gradient);
    tulle_float_mode_leave(mode);
    return status;
}

enum tulle_status tulle_trainer_predict(tulle_trainer *trainer, struct tulle_matrix x,
                                        struct tulle_matrix_out out)
{
    if (!is_valid_x(trainer, x) ||
        !tulle_matrix_is_valid(as_input(out), trainer->network.outputs) || x.rows != out.rows)
        return TULLE_ERROR_ARGUMENT;
    const struct rows rows = {.matrix = x};
    const struct batch batch = {.x = &rows, .end = x.rows};
    struct pass pass = make_pass(trainer, &batch);
    tulle_pass_predict(&pass, trainer->pool, 0, x.rows, out, NULL);
    return TULLE_OK;
}

enum tulle_status tulle_trainer_input_gradient(tulle_trainer *trainer, struct tulle_matrix x,
                                               struct tulle_matrix dy, struct tulle_matrix_out dx)
{
    if (!is_valid_x(trainer, x) || !tulle_matrix_is_valid(dy, trainer->network.outputs) ||
        !is_valid_x(trainer, as_input(dx)) || x.rows != dy.rows || x.rows != dx.rows)
        return TULLE_ERROR_ARGUMENT;
    const struct rows x_rows = {.matrix = x}, dy_rows = {.matrix = dy};
    const struct batch batch = {.x = &x_rows, .y = &dy_rows, .end = x.rows};
    struct pass pass = make_pass(trainer, &batch);
    tulle_pass_input_gradient(&pass, trainer->pool, 0, x.rows, dx, NULL);
    return TULLE_OK;
}
