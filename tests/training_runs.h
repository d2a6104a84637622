/* training_runs.h - trainings that between them use everything that training has a state of, and
 * the files of their models. For builds with model files. */
#ifndef TRAINING_RUNS_H
#define TRAINING_RUNS_H

#include "model_support.h"
#include "training_support.h"

/* Those from RUN_TABULAR on are recipes. */
enum {
    RUN_PLAIN,
    RUN_EVERYTHING,
    RUN_CLASSES,
    RUN_QUANTILES,
    RUN_TABULAR,
    RUN_ENSEMBLE,
    RUN_REALMLP,
    RUN_PLAIN_RECIPE,
    RUNS
};

struct run {
    struct table table;
    struct tulle_train_options options;
};

static const size_t wide_units[] = {64, 80}, two_units[] = {15, 9};
static const double three_quantiles[] = {0.1, 0.5, 0.9};

static inline void make_everything(struct run *run)
{
    struct tulle_train_options *o = &run->options;
    size_t weight = add_column(&run->table, "weight", NULL);
    for (size_t r = 0; r < run->table.rows; r++)
        run->table.values[r][weight] = (double)(r % 3);
    o->weight_column = "weight";
    o->optimizer = TULLE_OPTIMIZER_ADAMW;
    o->learning_rate = 0.005;
    o->hidden = wide_units; /* and batches that two threads share */
    o->hidden_count = 2;
    o->batch_size = 150;
    o->epochs = 9;
    o->loss = TULLE_LOSS_HUBER;
    o->parametric = 1;
    o->dropout = 0.25;
    o->initializer = TULLE_INITIALIZER_DATA;
    o->weight_decay = 0.01;
    o->clip_norm = 0.5;
    o->averaging = 0.8;
    o->schedule = TULLE_SCHEDULE_PLATEAU;
    o->schedule_epochs = 1;
    o->warmup = 0.2;
    o->patience = 3;
}

static inline void make_of_classes(struct run *run)
{
    struct tulle_train_options *o = &run->options;
    make_classes(&run->table);
    o->precision = TULLE_F64;
    o->optimizer = TULLE_OPTIMIZER_NESTEROV;
    o->momentum = 0.9;
    o->activation = TULLE_ACTIVATION_MISH;
    o->dropout = 0.1;
    o->balance_classes = 1;
    o->label_smoothing = 0.1;
    o->scaling = TULLE_SCALING_ROBUST;
    o->schedule = TULLE_SCHEDULE_COSINE;
    o->hidden = two_units;
    o->hidden_count = 2;
}

static inline void make_of_quantiles(struct run *run)
{
    struct tulle_train_options *o = &run->options;
    o->loss = TULLE_LOSS_QUANTILE;
    o->quantiles = three_quantiles;
    o->quantile_count = 3;
    o->optimizer = TULLE_OPTIMIZER_RMSPROP;
    o->learning_rate = 0.002;
    o->activation = TULLE_ACTIVATION_GELU;
    o->parametric = 1;
    o->scaling = TULLE_SCALING_QUANTILE;
    o->schedule = TULLE_SCHEDULE_STEP;
    o->schedule_epochs = 2;
    o->test_fraction = 0.1;
}

/* With splines where the recipe has waves, and few members. */
static inline void make_ensemble(struct run *run)
{
    struct tulle_train_options *o = &run->options;
    make_classes(&run->table);
    o->recipe = TULLE_RECIPE_ENSEMBLE;
    o->number_dimensions = 4;
    o->number_bins = 7;
    o->number_frequencies = 0;
    o->members = 3;
    o->averaging = 0.9;
}

static inline void make_run(struct run *run, int number)
{
    make_table(&run->table, 240);
    run->options = small_options();
    run->options.epochs = 5;
    run->options.batch_size = 50;
    run->options.valid_fraction = 0.2;
    if (number >= RUN_TABULAR) /* steps that cost more */
        run->options.epochs = 3;
    if (number == RUN_PLAIN) { /* a step updates weights in place */
        run->options.one_hot_levels = 20;
        run->options.keep_best = 0;
    } else if (number == RUN_EVERYTHING)
        make_everything(run);
    else if (number == RUN_CLASSES)
        make_of_classes(run);
    else if (number == RUN_QUANTILES)
        make_of_quantiles(run);
    else if (number == RUN_ENSEMBLE)
        make_ensemble(run);
    else
        run->options.recipe = number == RUN_TABULAR   ? TULLE_RECIPE_TABULAR
                              : number == RUN_REALMLP ? TULLE_RECIPE_REALMLP
                                                      : TULLE_RECIPE_PLAIN;
}

/* The model's file. */
static inline struct bytes model_bytes(const tulle_model *model)
{
    struct tulle_error error;
    if (tulle_model_save(model, in_folder("model"), &error) != TULLE_OK)
        fail_msg("%s", error.message);
    return get_bytes(in_folder("model"));
}

/* That of the model that the run gives. */
static inline struct bytes bytes_of_run(const struct run *run)
{
    tulle_model *model = train_table(&run->table, &run->options);
    struct bytes bytes = model_bytes(model);
    tulle_model_free(model);
    return bytes;
}

static inline int same_bytes(struct bytes a, struct bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

#endif
