/* trainer.c - making a trainer and freeing it. */
#include "../base/portability.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "../base/cpu.h"
#include "../base/float_mode.h"
#include "../base/memory.h"
#include "../base/pool.h"
#include "initialize.h"
#include "trainer.h"

/* --- Options --------------------------------------------------------------------------------- */

static enum tulle_status check_numbers(const struct tulle_trainer_options *o,
                                       struct tulle_error *error)
{
    enum { FROM_0, ABOVE_0, BELOW_1 };
    static const char *const expected[] = {"of at least 0", "above 0", "in [0, 1)"};
    const struct {
        const char *name;
        double value;
        int range;
    } numbers[] = {
        {"learning rate", o->learning_rate, FROM_0},
        {"momentum", o->momentum, BELOW_1},
        {"beta1", o->beta1, BELOW_1},
        {"beta2", o->beta2, BELOW_1},
        {"epsilon", o->epsilon, ABOVE_0},
        {"weight decay", o->weight_decay, FROM_0},
        {"learning rate of biases", o->bias_learning_rate, FROM_0},
        {"learning rate of mixes", o->mix_learning_rate, FROM_0},
        {"learning rate of factors", o->factor_learning_rate, FROM_0},
        {"learning rate of embedded numbers", o->number_learning_rate, FROM_0},
        {"deviation of frequencies", o->front.frequency_deviation, FROM_0},
        {"penalty", o->penalty, FROM_0},
        {"weight decay of biases", o->bias_weight_decay, FROM_0},
        {"norm that gradients are clipped to", o->clip_norm, FROM_0},
        {"averaging", o->averaging, BELOW_1},
        {"huber delta", o->huber_delta, ABOVE_0},
        {"label smoothing", o->label_smoothing, BELOW_1},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        double value = numbers[i].value;
        int range = numbers[i].range;
        if (!(value >= 0) || isinf(value) || (range == ABOVE_0 && value == 0) ||
            (range == BELOW_1 && value >= 1))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "the %s must be a finite number %s, got %g", numbers[i].name,
                              expected[range], value);
    }
    if (o->quantile_count > 0 && !o->quantiles)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "quantiles is NULL, but quantile_count %zu",
                          o->quantile_count);
    for (size_t q = 0; q < o->quantile_count; q++)
        if (!(o->quantiles[q] > 0 && o->quantiles[q] < 1))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "a quantile must be between 0 and 1, got %g", o->quantiles[q]);
    for (size_t q = 1; q < o->quantile_count; q++)
        if (!(o->quantiles[q - 1] < o->quantiles[q]))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "quantiles must ascend, got %g after %g",
                              o->quantiles[q], o->quantiles[q - 1]);
    return TULLE_OK;
}

static enum tulle_status check_options(const struct tulle_trainer_options *o,
                                       struct tulle_error *error)
{
    if (o->batch_size == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the batch size must be at least 1");
    if (!tulle_loss_name(o->loss))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown loss %d", (int)o->loss);
    if (!tulle_optimizer_name(o->optimizer))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown optimizer %d", (int)o->optimizer);
    if (!tulle_initializer_name(o->initializer))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown initializer %d",
                          (int)o->initializer);
    if (!tulle_parametrization_name(o->parametrization))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown parametrization %d",
                          (int)o->parametrization);
    if (!tulle_dialect_name(o->dialect))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown dialect %d", (int)o->dialect);
    if ((unsigned)o->weight_reduction > TULLE_REDUCTION_SUM ||
        (unsigned)o->bias_reduction > TULLE_REDUCTION_SUM)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown reduction of the gradients");
    return check_numbers(o, error);
}

/* The loss as the kernels take it, and how many numbers a row's target has. */
static enum tulle_status make_loss(struct tulle_trainer *trainer,
                                   const struct tulle_trainer_options *o, struct tulle_error *error)
{
    static const double median = 0.5;
    size_t outputs = trainer->network.outputs;
    size_t count = o->quantile_count > 0 ? o->quantile_count : 1;
    int is_own = o->loss_function != NULL;
    if (!is_own && o->loss == TULLE_LOSS_QUANTILE && outputs % count != 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "%zu quantiles of each target need outputs in multiples of that, got %zu",
                          count, outputs);
    if (!is_own && o->loss == TULLE_LOSS_CROSS_ENTROPY && outputs < 2)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "cross_entropy needs an output for each of at least 2 classes");
    if (o->loss == TULLE_LOSS_CROSS_ENTROPY && outputs > TULLE_MOST_LEVELS)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "there are %zu classes, more than the %d that f32 can number", outputs,
                          TULLE_MOST_LEVELS);
    trainer->quantiles = tulle_calloc(count, sizeof *trainer->quantiles);
    if (!trainer->quantiles)
        return tulle_fail_memory(error);
    memcpy(trainer->quantiles, o->quantile_count > 0 ? o->quantiles : &median,
           count * sizeof median);
    trainer->loss = (struct loss){.kind = o->loss,
                                  .huber_delta = o->huber_delta,
                                  .label_smoothing = o->label_smoothing,
                                  .quantiles = trainer->quantiles,
                                  .quantile_count = count};
    trainer->targets = !o->loss_function ? tulle_loss_targets(&trainer->loss, outputs)
                       : o->targets > 0  ? o->targets
                                         : outputs;
    return TULLE_OK;
}

/* --- Making and freeing ---------------------------------------------------------------------- */

/* As many threads as are allowed, as there are shares of rows, and as a step's work may pay
 * for; the pool finds out whether it does. */
static unsigned choose_threads(const struct tulle_trainer *trainer)
{
    const struct tulle_trainer_options *o = &trainer->options;
    unsigned threads = o->threads ? o->threads : UINT_MAX;
    size_t shares = (o->batch_size - 1) / tulle_pass_grain(&trainer->network) + 1;
    double paid = tulle_step_operations(&trainer->network, o->batch_size) / TULLE_POOL_LEAST_WORK;
    if (threads > shares)
        threads = (unsigned)shares;
    if (threads > paid)
        threads = (unsigned)paid;
    return threads > 1 ? tulle_cpu_limit(threads) : 1;
}

enum tulle_status tulle_trainer_reserve(struct tulle_trainer *trainer, size_t rows)
{
    struct workspace larger;
    const struct workspace *ws = &trainer->workspace;
    unsigned threads = tulle_pool_threads(trainer->pool);
    int is_largest = ws->sums && ws->capacity / threads >= ws->block;
    if (rows <= ws->capacity || is_largest)
        return TULLE_OK;
    const struct workspace_use use = {
        .samples = rows,
        .threads = threads,
        .is_training = 1,
        /* With a loss of the caller's own, the gradients come in the targets' place. */
        .targets = trainer->targets > trainer->network.outputs ? trainer->targets
                                                               : trainer->network.outputs,
        .keeps_gradients = !trainer->is_in_place};
    enum tulle_status status =
        tulle_workspace_init(&larger, &trainer->network, trainer->kernels, &use);
    if (status != TULLE_OK)
        return status;
    tulle_workspace_clear(&trainer->workspace);
    trainer->workspace = larger;
    return TULLE_OK;
}

/* All that needs memory, once the options are known to be good. */
static enum tulle_status allocate(struct tulle_trainer *t)
{
    t->parameters = tulle_network_arena(&t->network);
    t->pool = tulle_pool_create(choose_threads(t));
    if (!t->parameters || !t->pool ||
        (!t->is_in_place && !tulle_optimizer_init(&t->optimizer, &t->options, &t->network)))
        return TULLE_ERROR_MEMORY;
    tulle_pool_adapt(t->pool);
    return tulle_trainer_reserve(t, t->options.batch_size);
}

enum tulle_status tulle_trainer_create(const struct tulle_trainer_options *options,
                                       tulle_trainer **trainer, struct tulle_error *error)
{
    struct tulle_trainer_options o = TULLE_TRAINER_OPTIONS;
    *trainer = NULL;
    if (!tulle_options_copy(&o, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the options' size is not set");
    enum tulle_status status = check_options(&o, error);
    if (status != TULLE_OK)
        return status;

    struct tulle_trainer *t = tulle_calloc(1, sizeof *t);
    if (!t)
        return tulle_fail_memory(error);
    const struct network_shape shape = {
        o.precision, o.inputs, o.embedding_count, o.layer_count, o.embeddings, o.layers, o.front};
    status = tulle_network_init(&t->network, &shape, error);
    if (status == TULLE_OK)
        status = make_loss(t, &o, error);
    if (status != TULLE_OK)
        goto fail;
    t->kernels = tulle_kernels(o.precision);
    t->is_in_place = tulle_optimizer_is_in_place(&o, &t->network);
    if (o.rng)
        t->rng = *o.rng;
    else
        tulle_rng_seed(&t->rng, o.seed);
    t->options = o;
    t->options.layers = NULL;
    t->options.embeddings = NULL;
    t->options.quantiles = NULL;
    t->options.rng = NULL;
    t->options.front.numbers = NULL;
    t->options.front.knots = NULL;
    t->regularization = 1;
    if (allocate(t) != TULLE_OK) {
        status = tulle_fail_memory(error);
        goto fail;
    }
    uint64_t mode = tulle_float_mode_enter();
    status = tulle_initialize(&t->network, t->parameters, o.initializer,
                              o.front.frequency_deviation, &t->rng);
    tulle_float_mode_leave(mode);
    if (status != TULLE_OK) {
        status = tulle_fail_memory(error);
        goto fail;
    }
    tulle_optimizer_start_average(&t->optimizer, &t->network, t->parameters);
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
    tulle_optimizer_clear(&trainer->optimizer);
    tulle_network_clear(&trainer->network);
    tulle_free(trainer->parameters);
    tulle_free(trainer->quantiles);
    tulle_free(trainer->order);
    tulle_free(trainer->own_loss);
    tulle_free(trainer);
}
