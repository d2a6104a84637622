/* training.c - the whole job on a table: split, standardise, train, measure. */
#include "../base/portability.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "../data/dataset.h"
#include "../data/scaling.h"
#include "../model/evaluate.h"
#include "trainer.h"

struct training {
    const struct tulle_dataset *dataset;
    struct tulle_train_options options;
    size_t input_count;
    size_t *columns;              /* (inputs + targets) indices into the dataset's columns */
    struct tulle_column *scaling; /* (inputs + targets) */
    double *means, *scales;       /* (inputs + targets) those of scaling */
    size_t *order;                /* (rows): the training rows, then valid, then test */
    size_t rows[3];               /* how many of each */
    size_t *shuffled;             /* (training rows) of the epoch */
    struct tulle_layer *layers;
    size_t layer_count;
    struct tulle_rng rng;
    struct tulle_trainer *trainer;
    double hopeless_loss; /* above it, training has diverged; known after the first step */
    struct tulle_model *model;
};

/* --- Preparation ----------------------------------------------------------------------------- */

static enum tulle_status check_options(const struct tulle_train_options *o,
                                       struct tulle_error *error)
{
    if (o->target_count == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "no target column is named");
    if (o->epochs == 0)
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the number of epochs must be at least 1");
    if (!(o->valid_fraction >= 0) || !(o->test_fraction >= 0) ||
        !(o->valid_fraction + o->test_fraction < 1))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                          "the fractions of rows to validate and to test on must be at least 0 and "
                          "sum to less than 1, got %g and %g",
                          o->valid_fraction, o->test_fraction);
    return TULLE_OK;
}

/* Fills in columns: those that are no target, in the table's order, and then the targets. */
static enum tulle_status pick_columns(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    size_t targets = t->options.target_count;
    if (targets >= data->columns)
        return tulle_fail_at(error, TULLE_ERROR_DATA, data->source, 0, 0,
                             "no column is left to predict from: of %zu columns, %zu are targets",
                             data->columns, targets);
    t->input_count = data->columns - targets;
    for (size_t i = 0; i < targets; i++) {
        size_t column = tulle_dataset_find(t->dataset, t->options.targets[i]);
        if (column == SIZE_MAX)
            return tulle_fail_no_column(error, data->source, t->options.targets[i], data->names,
                                        data->columns);
        t->columns[t->input_count + i] = column;
        for (size_t j = 0; j < i; j++)
            if (t->columns[t->input_count + j] == column)
                return tulle_fail(error, TULLE_ERROR_ARGUMENT, "target '%s' is named twice",
                                  t->options.targets[i]);
    }
    size_t input = 0;
    for (size_t c = 0; c < data->columns; c++) {
        int is_target = 0;
        for (size_t i = 0; i < targets; i++)
            is_target |= t->columns[t->input_count + i] == c;
        if (!is_target)
            t->columns[input++] = c;
    }
    return TULLE_OK;
}

/* Fills in order and rows, by the dataset's own splits or else at random. */
static enum tulle_status split_rows(struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    if (data->split) {
        size_t filled = 0;
        for (unsigned split = 0; split < 3; split++) {
            size_t begin = filled;
            for (size_t r = 0; r < data->rows; r++)
                if (data->split[r] == split)
                    t->order[filled++] = r;
            t->rows[split] = filled - begin;
        }
    } else {
        double rows = (double)data->rows;
        t->rows[TULLE_SPLIT_VALID] = (size_t)(rows * t->options.valid_fraction + 0.5);
        t->rows[TULLE_SPLIT_TEST] = (size_t)(rows * t->options.test_fraction + 0.5);
        size_t held_out = t->rows[TULLE_SPLIT_VALID] + t->rows[TULLE_SPLIT_TEST];
        t->rows[TULLE_SPLIT_TRAIN] = data->rows > held_out ? data->rows - held_out : 0;
        for (size_t r = 0; r < data->rows; r++)
            t->order[r] = r;
        tulle_rng_shuffle(&t->rng, t->order, data->rows);
    }
    if (t->rows[TULLE_SPLIT_TRAIN] < 2)
        return tulle_fail_at(error, TULLE_ERROR_DATA, data->source, 0, 0,
                             "training needs at least 2 rows, got %zu (of %zu in all)",
                             t->rows[TULLE_SPLIT_TRAIN], data->rows);
    return TULLE_OK;
}

/* Fills in scaling, means and scales. */
static enum tulle_status fit_scaling(struct training *t, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    for (size_t i = 0; i < t->dataset->info.columns && status == TULLE_OK; i++) {
        t->scaling[i].name = t->dataset->info.names[t->columns[i]];
        status = tulle_scaling_fit(t->dataset, t->columns[i], t->order, t->rows[TULLE_SPLIT_TRAIN],
                                   t->options.standardize, &t->scaling[i], error);
        t->means[i] = t->scaling[i].mean;
        t->scales[i] = t->scaling[i].scale;
    }
    return status;
}

/* Refuses what would leave the precision's range in the network, in any row: found out here rather
 * than by a loss that is no number, or after an hour by metrics that are none. */
static enum tulle_status check_range(const struct training *t, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    /* Squares must be in range too. */
    double limit = sqrt(t->options.precision == TULLE_F32 ? FLT_MAX : DBL_MAX);
    for (size_t r = 0; r < data->rows; r++)
        for (size_t i = 0; i < data->columns; i++) {
            const struct tulle_column *column = &t->scaling[i];
            double value = data->values[r * data->columns + t->columns[i]];
            if (!(fabs((value - column->mean) / column->scale) <= limit))
                return tulle_fail_at(error, TULLE_ERROR_DATA, data->source, 0, 0,
                                     "row %zu: column '%s' holds %g, which %s is too large for %s",
                                     r + 1, column->name, value,
                                     t->options.standardize ? "beside the training rows' values"
                                                            : "unscaled",
                                     tulle_type_name(t->options.precision));
        }
    return TULLE_OK;
}

/* Whether the training rows all have one value in the column. */
static int is_constant(const struct tulle_column *column)
{
    return column->minimum == column->maximum;
}

/*
 * A constant column stands at 0 in the network, so that its weights never learn: an input's are set
 * to 0, for they would let another value at prediction in with random weight; and so is the output
 * unit of a target, which then predicts the constant.
 */
static void silence_constants(struct training *t)
{
    const struct network *network = &t->trainer->network;
    const struct network_layer *first = &network->layers[0];
    const struct network_layer *last = &network->layers[network->layer_count - 1];
    void *arena = t->trainer->parameters;
    if (!t->options.standardize)
        return;
    for (size_t i = 0; i < t->input_count; i++)
        if (is_constant(&t->scaling[i]))
            for (size_t u = 0; u < first->units; u++)
                tulle_arena_set(network, arena, tulle_weight_index(first, u, i), 0);
    for (size_t o = 0; o < t->options.target_count; o++)
        if (is_constant(&t->scaling[t->input_count + o]))
            for (size_t i = 0; i < last->inputs; i++)
                tulle_arena_set(network, arena, tulle_weight_index(last, o, i), 0);
}

static enum tulle_status make_trainer(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    static const size_t default_hidden[] = TULLE_DEFAULT_HIDDEN;
    const size_t *hidden = o->hidden ? o->hidden : default_hidden;
    size_t hidden_count =
        o->hidden ? o->hidden_count : sizeof default_hidden / sizeof *default_hidden;
    t->layers = tulle_calloc(hidden_count + 1, sizeof *t->layers);
    if (!t->layers)
        return tulle_fail_memory(error);
    for (size_t l = 0; l < hidden_count; l++)
        t->layers[l] = (struct tulle_layer){hidden[l], o->activation};
    t->layers[hidden_count] = (struct tulle_layer){o->target_count, TULLE_ACTIVATION_IDENTITY};
    t->layer_count = hidden_count + 1;

    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    options.inputs = t->input_count;
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
    options.rng = &t->rng;
    enum tulle_status status = tulle_trainer_create(&options, &t->trainer, error);
    if (status != TULLE_OK)
        return status;
    silence_constants(t);
    return TULLE_OK;
}

/* Before the first epoch, so that a table no model can be made of (a column's name that is no
 * UTF-8, say) is refused before the work and not after it. */
static enum tulle_status make_model(struct training *t, struct tulle_error *error)
{
    const struct tulle_train_options *o = &t->options;
    const struct tulle_dataset_info *data = &t->dataset->info;
    struct tulle_model_info info = {.precision = o->precision,
                                    .input_count = t->input_count,
                                    .target_count = o->target_count,
                                    .layer_count = t->layer_count,
                                    .inputs = t->scaling,
                                    .targets = t->scaling + t->input_count,
                                    .layers = t->layers,
                                    .loss = o->loss,
                                    .optimizer = o->optimizer,
                                    .learning_rate = o->learning_rate,
                                    .batch_size = o->batch_size,
                                    .epochs = o->epochs,
                                    .seed = o->seed,
                                    .standardize = o->standardize != 0,
                                    .split_column = data->split_column,
                                    .valid_fraction = data->split ? 0 : o->valid_fraction,
                                    .test_fraction = data->split ? 0 : o->test_fraction};
    memcpy(info.rows, t->rows, sizeof info.rows);
    return tulle_model_create(&info, &t->model, error);
}

/* --- The epochs ------------------------------------------------------------------------------ */

/* The rows of one split, as order[0..] lists them, as the network's inputs and targets. */
static void view_rows(const struct training *t, const size_t *order, struct rows *x, struct rows *y)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    struct tulle_matrix values = tulle_f64(data->values, data->rows, data->columns);
    size_t inputs = t->input_count;
    *x = (struct rows){values, order, t->columns, t->means, t->scales};
    *y = (struct rows){values, order, t->columns + inputs, t->means + inputs, t->scales + inputs};
}

/* A network that predicts the mean has a loss of at most this: the variance of a target in a range
 * is at most a quarter of the range's square (Popoviciu, 1935). */
static double loss_of_mean(const struct training *t)
{
    double sum = 0;
    for (size_t o = 0; o < t->options.target_count; o++) {
        const struct tulle_column *target = &t->scaling[t->input_count + o];
        double range = (target->maximum - target->minimum) / target->scale;
        sum += range * range / 4;
    }
    return sum / (double)t->options.target_count;
}

/* Weights are of no use whose loss is so far above where it began, before anything was learned, and
 * above that of predicting the mean. */
static double hopeless_loss(const struct training *t, double first_loss)
{
    double mean = loss_of_mean(t);
    return 1000 * (first_loss > mean ? first_loss : mean);
}

static int has_diverged(const struct training *t, double loss)
{
    return !(loss <= t->hopeless_loss); /* a NaN too */
}

static enum tulle_status fail_diverged(const struct training *t, size_t epoch, double loss,
                                       struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_DIVERGED,
                      "training diverged in epoch %zu of %zu: the loss is %g; try a learning rate "
                      "below %g",
                      epoch, t->options.epochs, loss, t->options.learning_rate);
}

/* One epoch; *progress comes with the epoch's number and the last validation loss. */
static enum tulle_status run_epoch(struct training *t, struct tulle_progress *progress,
                                   struct tulle_error *error)
{
    size_t rows = t->rows[TULLE_SPLIT_TRAIN], batch = t->trainer->options.batch_size;
    struct rows x, y;
    double sum = 0;
    memcpy(t->shuffled, t->order, rows * sizeof *t->shuffled);
    tulle_rng_shuffle(tulle_trainer_rng(t->trainer), t->shuffled, rows);
    view_rows(t, t->shuffled, &x, &y);
    progress->step = 0;
    for (size_t begin = 0, end; begin < rows; begin = end) {
        double step_sum;
        end = rows - begin > batch ? begin + batch : rows;
        tulle_trainer_step_rows(t->trainer, &x, &y, begin, end, &step_sum);
        sum += step_sum;
        progress->step++;
        progress->train_loss = sum / ((double)end * (double)t->options.target_count);
        if (progress->epoch == 1 && progress->step == 1)
            t->hopeless_loss = hopeless_loss(t, progress->train_loss);
        if (has_diverged(t, progress->train_loss))
            return fail_diverged(t, progress->epoch, progress->train_loss, error);
        if (t->options.progress && t->options.progress(progress, t->options.user))
            return tulle_fail(error, TULLE_ERROR_INTERRUPTED, "interrupted in epoch %zu of %zu",
                              progress->epoch, progress->epochs);
    }
    return TULLE_OK;
}

static enum tulle_status run_epochs(struct training *t, struct tulle_error *error)
{
    size_t rows = t->rows[TULLE_SPLIT_TRAIN], batch = t->trainer->options.batch_size;
    struct tulle_progress progress = {
        .epochs = t->options.epochs, .steps = (rows - 1) / batch + 1, .valid_loss = NAN};
    struct rows x, y, train_x, train_y;
    view_rows(t, t->order, &train_x, &train_y);
    view_rows(t, t->order + rows, &x, &y); /* of validation */
    for (progress.epoch = 1; progress.epoch <= progress.epochs; progress.epoch++) {
        enum tulle_status status = run_epoch(t, &progress, error);
        if (status != TULLE_OK)
            return status;
        if (t->rows[TULLE_SPLIT_VALID] > 0 && t->options.progress)
            progress.valid_loss =
                tulle_trainer_loss_rows(t->trainer, &x, &y, t->rows[TULLE_SPLIT_VALID]);
    }
    /* The last step's weights have not been looked at yet. */
    double loss = tulle_trainer_loss_rows(t->trainer, &train_x, &train_y, rows);
    if (has_diverged(t, loss) || tulle_trainer_export(t->trainer, t->model) != TULLE_OK)
        return fail_diverged(t, t->options.epochs, loss, error);
    return TULLE_OK;
}

static enum tulle_status measure(struct training *t, struct tulle_error *error)
{
    /* The model is not finished before this, so its metrics may still be written. */
    struct tulle_metrics *metrics = (struct tulle_metrics *)t->model->info.metrics;
    const size_t *order = t->order;
    for (size_t split = 0; split < 3; split++) {
        size_t rows = t->rows[split];
        if (rows > 0) {
            enum tulle_status status =
                tulle_evaluate_rows(t->model, t->dataset, order, rows,
                                    metrics + split * t->options.target_count, error);
            if (status != TULLE_OK)
                return status;
        }
        order += rows;
    }
    return TULLE_OK;
}

/* --- The call -------------------------------------------------------------------------------- */

static enum tulle_status run(struct training *t, struct tulle_error *error)
{
    enum tulle_status status = pick_columns(t, error);
    if (status == TULLE_OK)
        status = split_rows(t, error);
    if (status == TULLE_OK)
        status = fit_scaling(t, error);
    if (status == TULLE_OK)
        status = check_range(t, error);
    if (status == TULLE_OK)
        status = make_trainer(t, error);
    if (status == TULLE_OK)
        status = make_model(t, error);
    if (status == TULLE_OK)
        status = run_epochs(t, error);
    return status == TULLE_OK ? measure(t, error) : status;
}

enum tulle_status tulle_train(const tulle_dataset *dataset,
                              const struct tulle_train_options *options, tulle_model **model,
                              struct tulle_error *error)
{
    struct training t = {.dataset = dataset, .options = TULLE_TRAIN_OPTIONS};
    *model = NULL;
    if (!tulle_options_copy(&t.options, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the options' size is not set");
    enum tulle_status status = check_options(&t.options, error);
    if (status != TULLE_OK)
        return status;

    const struct tulle_dataset_info *data = &dataset->info;
    tulle_rng_seed(&t.rng, t.options.seed);
    t.columns = tulle_calloc(data->columns, sizeof *t.columns);
    t.scaling = tulle_calloc(data->columns, sizeof *t.scaling);
    t.means = tulle_calloc(data->columns, sizeof *t.means);
    t.scales = tulle_calloc(data->columns, sizeof *t.scales);
    t.order = tulle_calloc(data->rows, sizeof *t.order);
    t.shuffled = tulle_calloc(data->rows, sizeof *t.shuffled);
    uint64_t mode = tulle_float_mode_enter();
    int has_memory = t.columns && t.scaling && t.means && t.scales && t.order && t.shuffled;
    status = has_memory ? run(&t, error) : tulle_fail_memory(error);
    tulle_float_mode_leave(mode);
    if (status == TULLE_OK)
        *model = t.model;
    else
        tulle_model_free(t.model);
    tulle_trainer_free(t.trainer);
    free(t.columns);
    free(t.scaling);
    free(t.means);
    free(t.scales);
    free(t.order);
    free(t.shuffled);
    free(t.layers);
    return status;
}
