/* training.c - the whole job on a table: split, fit, train, measure. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "../model/checkpoint.h"
#include "../model/evaluate.h"
#include "initialize.h"
#include "settings.h"
#include "training.h"

/* --- Preparation ----------------------------------------------------------------------------- */

/* Makes validation rows from another table part of the dataset. */
static enum tulle_status join_valid(struct training *t, struct tulle_error *error)
{
    if (!t->options.valid_dataset)
        return TULLE_OK;
    enum tulle_status status = tulle_dataset_join(t->dataset, t->options.valid_dataset,
                                                  TULLE_SPLIT_VALID, &t->joined, error);
    if (status == TULLE_OK)
        t->dataset = t->joined;
    return status;
}

int tulle_training_has_valid(const struct training *t)
{
    size_t i = 0;
    while (i < t->valid_known && t->weights &&
           !(t->weights[t->order[t->rows[TULLE_SPLIT_TRAIN] + i]] > 0))
        i++;
    return i < t->valid_known;
}

/* What needs rows to validate on. */
static enum tulle_status check_valid_rows(struct training *t, struct tulle_error *error)
{
    const char *what = t->options.patience > 0                         ? "stopping early"
                       : t->options.schedule == TULLE_SCHEDULE_PLATEAU ? "the plateau schedule"
                                                                       : NULL;
    if (what && !tulle_training_has_valid(t))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "%s needs rows to validate on, and there are none%s", what,
                          t->valid_known > 0 ? " of a weight above 0" : "");
    return TULLE_OK;
}

/* Outputs of the network, for the loss and the targets. */
static size_t count_outputs(const struct training *t)
{
    if (t->options.loss == TULLE_LOSS_CROSS_ENTROPY)
        return t->fits[t->input_count].levels.count;
    if (t->options.loss == TULLE_LOSS_QUANTILE && t->options.quantile_count > 0)
        return t->target_count * t->options.quantile_count;
    return t->target_count;
}

static enum tulle_status make_layers(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    t->layers = tulle_calloc(o->hidden_count + 1, sizeof *t->layers);
    if (!t->layers)
        return tulle_fail_memory(error);
    for (size_t l = 0; l < o->hidden_count; l++)
        t->layers[l] =
            (struct tulle_layer){o->hidden[l], o->activation, o->parametric != 0, o->dropout};
    t->layers[o->hidden_count] =
        (struct tulle_layer){.units = count_outputs(t), .activation = TULLE_ACTIVATION_IDENTITY};
    t->layer_count = o->hidden_count + 1;
    return TULLE_OK;
}

/* A constant target stands at 0 in the network: with output weights of 0 it stays there, whatever
 * else is learned. */
static void silence_constants(struct training *t)
{
    const struct network *network = &t->trainer->network;
    const struct network_layer *last = &network->layers[network->layer_count - 1];
    void *arena = t->trainer->parameters;
    if (t->options.loss != TULLE_LOSS_MSE)
        return;
    for (size_t o = 0; o < t->target_count; o++) {
        const struct tulle_column *target = &t->fits[t->input_count + o];
        if (target->scaling != TULLE_SCALING_STANDARD || target->minimum != target->maximum)
            continue;
        for (size_t unit = o; unit < last->copies * last->units; unit += last->units) {
            for (size_t i = 0; i < last->inputs; i++)
                tulle_arena_set(network, arena, tulle_weight_index(last, unit, i), 0);
            tulle_arena_set(network, arena, tulle_bias_index(last, unit), 0);
        }
    }
}

/* From training rows that are drawn at random, since a table may be sorted. */
static enum tulle_status initialize_from_data(struct training *t, struct tulle_error *error)
{
    enum { MOST = 1024 };
    struct tulle_trainer *trainer = t->trainer;
    size_t rows = t->rows[TULLE_SPLIT_TRAIN];
    struct pass pass = {.network = &trainer->network,
                        .kernels = trainer->kernels,
                        .workspace = &trainer->workspace,
                        .parameters = trainer->parameters};
    memcpy(t->shuffled, t->order, rows * sizeof *t->shuffled);
    if (rows > MOST)
        tulle_rng_shuffle(&t->rng, t->shuffled, rows);
    tulle_training_view(t, t->shuffled, &pass.x, &pass.y);
    return tulle_initialize_from_data(&pass, trainer->parameters, rows < MOST ? rows : MOST,
                                      &t->rng) == TULLE_OK
               ? TULLE_OK
               : tulle_fail_memory(error);
}

static enum tulle_status make_trainer(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    options.inputs = t->inputs.inputs;
    options.embeddings = t->inputs.embeddings;
    options.embedding_count = t->inputs.embedding_count;
    options.layers = t->layers;
    options.layer_count = t->layer_count;
    options.precision = o->precision;
    options.loss = o->loss;
    options.optimizer = o->optimizer;
    options.learning_rate = o->learning_rate;
    /* A batch is never larger than the table, nor is the memory for it. */
    size_t rows = t->rows[TULLE_SPLIT_TRAIN];
    options.batch_size = o->batch_size < rows ? o->batch_size : rows;
    options.threads = o->threads;
    options.seed = o->seed; /* of dropout */
    options.rng = &t->rng;
    options.initializer = o->initializer;
    options.momentum = o->momentum;
    options.beta1 = o->beta1;
    options.beta2 = o->beta2;
    options.epsilon = o->epsilon;
    options.weight_decay = o->weight_decay;
    options.bias_learning_rate = o->bias_learning_rate;
    options.bias_weight_decay = o->bias_weight_decay;
    options.clip_norm = o->clip_norm;
    options.averaging = o->averaging;
    options.huber_delta = o->huber_delta;
    options.label_smoothing = o->label_smoothing;
    options.quantiles = o->quantiles;
    options.quantile_count = o->quantile_count;
    options.loss_function = o->loss_function;
    options.user = o->user;
    options.front = t->front;
    options.parametrization = o->parametrization;
    options.mix_learning_rate = o->mix_learning_rate;
    options.factor_learning_rate = o->factor_learning_rate;
    options.number_learning_rate = o->number_learning_rate;
    enum tulle_status status = tulle_trainer_create(&options, &t->trainer, error);
    if (status != TULLE_OK)
        return status;
    t->rng = *tulle_trainer_rng(t->trainer);
    if (o->initializer == TULLE_INITIALIZER_DATA)
        status = initialize_from_data(t, error);
    silence_constants(t);
    tulle_optimizer_start_average(&t->trainer->optimizer, &t->trainer->network,
                                  t->trainer->parameters);
    return status;
}

/* Before the first epoch, so that a table no model can be made of (a column's name that is no
 * UTF-8, say) is refused before the work and not after it. */
static enum tulle_status make_model(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    const struct loss *loss = &t->trainer->loss;
    const struct tulle_dataset_info *data = &t->dataset->info;
    int has_quantiles = o->loss == TULLE_LOSS_QUANTILE && !o->loss_function;
    t->settings = tulle_settings_texts(o, data->split != NULL, &t->setting_count);
    if (!t->settings)
        return tulle_fail_memory(error);
    struct tulle_model_info info = {.precision = o->precision,
                                    .task = t->task,
                                    .input_count = t->input_count,
                                    .target_count = t->target_count,
                                    .layer_count = t->layer_count,
                                    .inputs = t->fits,
                                    .targets = t->fits + t->input_count,
                                    .layers = t->layers,
                                    .front = t->front,
                                    .missing = data->missing,
                                    .missing_count = data->missing_count,
                                    .settings = t->settings,
                                    .setting_count = t->setting_count,
                                    .loss = o->loss_function ? TULLE_LOSS_MSE : o->loss,
                                    .huber_delta = o->huber_delta,
                                    .label_smoothing = o->label_smoothing,
                                    .quantiles = has_quantiles ? loss->quantiles : NULL,
                                    .quantile_count = has_quantiles ? loss->quantile_count : 0,
                                    .optimizer = o->optimizer,
                                    .learning_rate = o->learning_rate,
                                    .batch_size = o->batch_size,
                                    .epochs = o->epochs,
                                    .seed = o->seed,
                                    .split_column = data->split_column,
                                    .weight_column = o->weight_column,
                                    .valid_fraction = data->split ? 0 : o->valid_fraction,
                                    .test_fraction = data->split ? 0 : o->test_fraction};
    memcpy(info.rows, t->rows, sizeof info.rows);
    return tulle_model_create(&info, &t->model, error);
}

/* Room for what the epochs leave. */
static enum tulle_status make_records(struct training *t, struct tulle_error *error)
{
    t->state.valid_loss = t->state.best_loss = NAN;
    if (t->options.keep_best && t->valid_known > 0)
        t->best = tulle_network_arena(&t->trainer->network);
    return tulle_training_grow_curve(t) && (t->best || !t->options.keep_best || t->valid_known == 0)
               ? TULLE_OK
               : tulle_fail_memory(error);
}

enum tulle_status tulle_training_prepare(struct training *t, struct tulle_error *error)
{
    typedef enum tulle_status part_fn(struct training * t, struct tulle_error * error);
    static part_fn *const parts[] = {
        join_valid,
        tulle_training_find_columns,
        tulle_training_split,
        tulle_training_complete_options,
        tulle_training_fit_columns,
        tulle_training_check_range,
        tulle_training_find_classes,
        tulle_training_weigh,
        check_valid_rows,
        tulle_training_choose_bins,
        tulle_training_make_front,
        make_layers,
        make_trainer,
        make_model,
        make_records,
    };
    t->dataset = t->given;
    t->first_rows = t->given->info.rows;
    tulle_rng_seed(&t->rng, t->options.seed);
    enum tulle_status status = TULLE_OK;
    for (size_t i = 0; status == TULLE_OK && i < sizeof parts / sizeof *parts; i++) {
        status = parts[i](t, error);
        if (status == TULLE_OK)
            status = tulle_training_poll(t, error);
    }
    if (status == TULLE_OK && t->options.checkpoint)
        status = tulle_training_identify(t, error);
    return status;
}

/* --- Afterwards ------------------------------------------------------------------------------ */

/* The model is not finished before this, so it may still be written to. */
static enum tulle_status measure(struct training *t, struct tulle_error *error)
{
    struct tulle_model_info *info = &t->model->info;
    struct tulle_metrics *metrics = (struct tulle_metrics *)info->metrics;
    const size_t *order = t->order;
    for (size_t split = 0; split < 3; split++) {
        const struct tulle_evaluation found = {.metrics = metrics};
        enum tulle_status status = TULLE_OK;
        if (t->rows[split] > 0 && !tulle_training_hurries(t))
            status = tulle_evaluate_rows(t->model, t->dataset, order, t->rows[split],
                                         t->options.weight_column, &found, error);
        if (status != TULLE_OK)
            return status;
        order += t->rows[split];
        metrics += t->target_count;
    }
    info->curve = t->curve;
    info->curve_count = t->curve_count;
    t->curve = NULL; /* the model's now */
    return TULLE_OK;
}

void tulle_training_clear(struct training *t)
{
    size_t columns = t->input_count + t->target_count;
    for (size_t i = 0; i < columns; i++) {
        if (t->fits)
            tulle_column_clear(&t->fits[i]);
        if (t->maps)
            tulle_free((double *)t->maps[i]);
    }
    tulle_dataset_free(t->joined);
    tulle_encoder_clear(&t->inputs);
    tulle_encoder_clear(&t->targets);
    tulle_trainer_free(t->trainer);
    tulle_free(t->columns);
    tulle_free(t->fits);
    tulle_free((double **)t->maps);
    tulle_free(t->classes);
    tulle_free(t->order);
    tulle_free(t->shuffled);
    tulle_free(t->weights);
    tulle_free(t->layers);
    tulle_free(t->best);
    tulle_free(t->curve);
    tulle_free(t->identity);
    tulle_free(t->settings);
    tulle_free(t->numbers);
    tulle_free(t->knots);
    if (t->owns_hidden)
        tulle_free((size_t *)t->options.hidden);
    tulle_model_free(t->model);
}

enum tulle_status tulle_train(const tulle_dataset *dataset,
                              const struct tulle_train_options *options, tulle_model **model,
                              struct tulle_error *error)
{
    struct training t = {.given = dataset, .options = TULLE_TRAIN_OPTIONS};
    *model = NULL;
    if (!tulle_options_copy(&t.options, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the options' size is not set");
    enum tulle_status status = tulle_training_check_options(&t.options, error);
    if (status != TULLE_OK)
        return status;
    t.target_count = t.options.target_count;
    uint64_t mode = tulle_float_mode_enter();
    if (t.options.checkpoint && !t.options.resume) /* before anything takes long */
        status = tulle_checkpoint_check(t.options.checkpoint, error);
    if (status == TULLE_OK)
        status = tulle_training_prepare(&t, error);
    if (status == TULLE_OK && t.options.checkpoint && t.options.resume)
        status = tulle_training_restore(&t, error);
    if (status == TULLE_OK && t.options.resume)
        status = tulle_model_check_path(t.options.checkpoint, error);
    if (status == TULLE_OK)
        status = tulle_training_run(&t, error);
    if (status == TULLE_OK)
        status = measure(&t, error);
    if (status == TULLE_OK) {
        *model = t.model;
        t.model = NULL;
    }
    tulle_float_mode_leave(mode);
    tulle_training_clear(&t);
    return status;
}
