/* tulle_training.h - from a table to a model, and a model's predictions and errors on a table. Part
 * of tulle.h, which has the conventions; include that.
 *
 * Threads: any number may train, evaluate and predict at once, with the same datasets and models;
 * callbacks come on the thread that made the call. Trainings at the same time need checkpoint files
 * of their own. */
#ifndef TULLE_API_TRAINING_H
#define TULLE_API_TRAINING_H

#include "tulle_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Schedules ------------------------------------------------------------------------------- */

/* X(NAME, value, name, formula): what learning_rate is multiplied by, of t in [0, 1), the share of
 * all steps that are done; d is schedule_factor. */
#define TULLE_SCHEDULE_LIST(X)                                                                     \
    X(CONSTANT, 0, constant, "1")                                                                  \
    X(STEP, 1, step, "d after every schedule_epochs epochs, again and again")                      \
    X(COSINE, 2, cosine, "(1 + cos(pi t)) / 2 (Loshchilov and Hutter, 2017)")                      \
    X(ONE_CYCLE, 3, one_cycle,                                                                     \
      "from 1/25 up to 1 in the first 3/10 of the steps, then down to 1/250000, along cosines "    \
      "(Smith and Topin, 2018)")                                                                   \
    X(PLATEAU, 4, plateau, "d after every schedule_epochs epochs without a better valid loss")     \
    X(COSLOG4, 5, coslog4, "(1 - cos(2 pi log2(1 + 15 t))) / 2 (Holzmueller et al., 2024)")

enum tulle_schedule {
#define TULLE_SCHEDULE_ENUM(NAME, value, name, formula) TULLE_SCHEDULE_##NAME = value,
    TULLE_SCHEDULE_LIST(TULLE_SCHEDULE_ENUM)
#undef TULLE_SCHEDULE_ENUM
        TULLE_SCHEDULE_AUTO = -1 /* as the recipe says */
};

TULLE_API const char *tulle_schedule_name(enum tulle_schedule schedule);
TULLE_API enum tulle_status tulle_schedule_from_name(const char *name,
                                                     enum tulle_schedule *schedule);

/* X(NAME, value, name, formula): what dropout and weight_decay are multiplied by, of the same t. */
#define TULLE_FADING_LIST(X)                                                                       \
    X(NONE, 0, none, "1")                                                                          \
    X(FLAT_COS, 1, flat_cos, "t < 1/2 ? 1 : (1 + cos(pi (2 t - 1))) / 2 (Holzmueller et al., 2024)")

enum tulle_fading {
#define TULLE_FADING_ENUM(NAME, value, name, formula) TULLE_FADING_##NAME = value,
    TULLE_FADING_LIST(TULLE_FADING_ENUM)
#undef TULLE_FADING_ENUM
        TULLE_FADING_AUTO = -1 /* as the recipe says */
};

TULLE_API const char *tulle_fading_name(enum tulle_fading fading);
TULLE_API enum tulle_status tulle_fading_from_name(const char *name, enum tulle_fading *fading);

/* --- Recipes --------------------------------------------------------------------------------- */

/* X(NAME, value, name, what it is): settings that go together. */
#define TULLE_RECIPE_LIST(X)                                                                       \
    X(TABULAR, 0, tabular,                                                                         \
      "good on tables without tuning: networks that share most of their weights, after TabM "      \
      "(Gorishniy et al., 2025)")                                                                  \
    X(ENSEMBLE, 1, ensemble,                                                                       \
      "the same, larger: two to three times the work, better on most tables")                      \
    X(REALMLP, 2, realmlp, "one network, as RealMLP-TD was published (Holzmueller et al., 2024)")  \
    X(PLAIN, 3, plain, "Adam, standardised numbers, ReLU")                                         \
    X(NOTEBOOK, 4, notebook, "plain gradient descent, ReLU: how it all began")

enum tulle_recipe {
#define TULLE_RECIPE_ENUM(NAME, value, name, formula) TULLE_RECIPE_##NAME = value,
    TULLE_RECIPE_LIST(TULLE_RECIPE_ENUM)
#undef TULLE_RECIPE_ENUM
};

TULLE_API const char *tulle_recipe_name(enum tulle_recipe recipe);
TULLE_API enum tulle_status tulle_recipe_from_name(const char *name, enum tulle_recipe *recipe);

/* What a recipe says for tables of classes or of numbers: (*count) settings, static. */
TULLE_API const struct tulle_setting *tulle_recipe_settings(enum tulle_recipe recipe,
                                                            int is_of_classes, size_t *count);

/* --- Training -------------------------------------------------------------------------------- */

/* Where training is, passed to the progress callback after every step. */
struct tulle_progress {
    size_t trial, trials;  /* of the short trainings that come first; trial: from 1, 0 afterwards */
    size_t epoch, epochs;  /* epoch counts from 1 */
    size_t step, steps;    /* of this epoch; step counts from 1 */
    double train_loss;     /* mean over this epoch's rows so far, of the standardised target */
    double valid_loss;     /* after the last whole epoch; NaN before the first and without rows */
    double learning_rate;  /* of this step */
    size_t best_epoch;     /* with the lowest valid_loss so far; 0: none yet */
    double best_loss;      /* its valid_loss */
    int epoch_is_complete; /* this call comes after the epoch's last step and its valid_loss */
    const struct tulle_model_info *model; /* what it is to be, during the call; metrics and curve */
                                          /* come at the end */
};

/* Returns 0 to go on; anything else stops with TULLE_ERROR_INTERRUPTED, after writing the
 * checkpoint if there is to be one; TULLE_STOP_HERE ends training as if this had been the last
 * epoch, and trials without a choice, for the training to begin. */
typedef int tulle_progress_fn(const struct tulle_progress *progress, void *user);

enum { TULLE_STOP_HERE = -1 };

/* One line, without a full stop, that is worth saying: a column that was dropped, the task that was
 * found, the checkpoint that training goes on from. */
typedef void tulle_notice_fn(const char *text, void *user);

/* Asked after every piece of what comes before the first step and takes long in large tables;
 * anything but 0 stops with TULLE_ERROR_INTERRUPTED. Asked again after TULLE_STOP_HERE: anything
 * but 0 leaves out what takes long there, the valid_loss of an epoch that is not complete and the
 * metrics (of rows = 0). */
typedef int tulle_poll_fn(void *user);

/* What stands in a field of struct tulle_train_options for what the recipe says; in those of size_t
 * (size_t)-1, in enums their _AUTO. */
#define TULLE_AUTO (-1)

/* In number_bins: few or many, by which of two short trainings the valid rows fit better. They take
 * about an eighth of the time where there are 8 members (two at most take part) and half as long as
 * the training itself where there is 1; there are none without numbers to embed or valid rows. */
#define TULLE_BY_TRIAL ((size_t)-2)

struct tulle_train_options {
    size_t size;
    const char *const *targets; /* (target_count) column names; no default; the other columns */
    size_t target_count;        /* of the dataset, but weight_column, are the inputs */
    const tulle_dataset *valid_dataset; /* NULL; else validation rows, and all of dataset's rows */
                                        /* that are not of its own test split train */
    double valid_fraction;     /* 0.1; the two fractions of rows are drawn at random, of each */
    double test_fraction;      /* 0; class alike, and used only for a dataset without splits */
    const char *weight_column; /* NULL; a row's loss counts as much as it says, >= 0 */
    int balance_classes;       /* 0; 1: every class counts the same altogether; and */
    const char *const *class_names; /* (class_weight_count), NULL: these classes count so */
    const double *class_weights;    /* much, and others 1 */
    size_t class_weight_count;
    enum tulle_task task;        /* TULLE_TASK_AUTO */
    enum tulle_type precision;   /* TULLE_F32 */
    uint32_t seed;               /* 0 */
    unsigned threads;            /* see tulle_trainer_options */
    tulle_progress_fn *progress; /* NULL; called on the thread that called tulle_train */
    tulle_poll_fn *poll;         /* NULL; the same */
    tulle_notice_fn *notice;     /* NULL */
    void *user;                  /* of all callbacks */

    /*
     * NULL, or a file that is replaced every checkpoint_seconds, or every checkpoint_steps where
     * that is not 0, and on an interruption; the one before is kept as FILE.previous. With resume,
     * training goes on from it, and gives the model, byte for byte, that it would have given
     * without a stop; dataset and options must be the same, threads and checkpoint_* aside. Without
     * the file training begins at the beginning. A damaged one is passed over for FILE.previous.
     * One that cannot be written on the way is a notice, and at an interruption the error. Both are
     * removed by nobody.
     */
    const char *checkpoint;
    double checkpoint_seconds; /* 30 */
    size_t checkpoint_steps;   /* 0 */
    int resume;                /* 0 */

    enum tulle_loss loss;    /* TULLE_LOSS_AUTO: mse, or cross entropy for classes */
    double huber_delta;      /* 1 */
    const double *quantiles; /* as in tulle_trainer_options */
    size_t quantile_count;
    tulle_loss_fn *loss_function; /* the target as it enters the network */

    /* All from here on is as the recipe says, unless it is set to something else. */
    enum tulle_recipe recipe; /* TULLE_RECIPE_TABULAR */

    enum tulle_scaling scaling; /* of numeric inputs */
    int standardize_targets;    /* 1: numeric targets to mean 0 and deviation 1 */
    int clamp_predictions;      /* 1: numeric predictions stay within the range of training */
    size_t one_hot_levels;      /* a column of more levels is embedded */
    size_t embedding_dimensions;
    size_t number_dimensions;  /* of numeric inputs' embeddings (struct tulle_front); 0: none */
    size_t number_bins;        /* of splines, or TULLE_BY_TRIAL; 0: they are waves */
    size_t number_frequencies; /* of waves */
    double number_deviation;

    const size_t *hidden;             /* units of the hidden layers; NULL: as the recipe says */
    size_t hidden_count;              /* with hidden: may be 0, for a linear model */
    enum tulle_activation activation; /* of the hidden layers */
    int parametric;                   /* of the hidden layers, as is dropout */
    double dropout;
    int input_factors; /* has_factors of struct tulle_front */
    size_t members;
    enum tulle_initializer initializer;
    enum tulle_parametrization parametrization;

    enum tulle_optimizer optimizer; /* this and the following are as in tulle_trainer_options */
    double learning_rate;
    double bias_learning_rate, mix_learning_rate, factor_learning_rate, number_learning_rate;
    double momentum, beta1, beta2, epsilon;
    double weight_decay, bias_weight_decay;
    double clip_norm, averaging;
    double label_smoothing;
    size_t batch_size; /* 0: by the number of training rows */

    size_t epochs; /* 0: by the number of training rows */
    enum tulle_schedule schedule;
    double schedule_factor; /* of step and plateau */
    size_t schedule_epochs; /* of the same */
    double warmup;          /* in [0, 1): the share of all steps in which the learning rate grows */
                            /* to what the schedule says */
    enum tulle_fading fading;
    size_t patience; /* 0: none; stop after so many epochs without a better valid loss */
    int keep_best;   /* 1: the parameters of the epoch with the lowest valid loss; 0, or */
                     /* without validation rows: the last ones */
};

#define TULLE_TRAIN_OPTIONS                                                                        \
    {                                                                                              \
        sizeof(struct tulle_train_options), NULL, 0, NULL, 0.1, 0, NULL, 0, NULL, NULL, 0,         \
            TULLE_TASK_AUTO, TULLE_F32, 0, 0, NULL, NULL, NULL, NULL, /* checkpoints */ NULL, 30,  \
            0, 0, /* loss */ TULLE_LOSS_AUTO, 1, NULL, 0, NULL, /* recipe */ TULLE_RECIPE_TABULAR, \
            TULLE_SCALING_AUTO, TULLE_AUTO, TULLE_AUTO, (size_t)-1, (size_t)-1, (size_t)-1,        \
            (size_t)-1, (size_t)-1, TULLE_AUTO, /* network */ NULL, 0, TULLE_ACTIVATION_AUTO,      \
            TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, (size_t)-1, TULLE_INITIALIZER_AUTO,                \
            TULLE_PARAMETRIZATION_AUTO, /* optimizer */ TULLE_OPTIMIZER_AUTO, TULLE_AUTO,          \
            TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO,    \
            TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, TULLE_AUTO, (size_t)-1,    \
            /* schedule */ (size_t)-1, TULLE_SCHEDULE_AUTO, TULLE_AUTO, (size_t)-1, TULLE_AUTO,    \
            TULLE_FADING_AUTO, (size_t)-1, TULLE_AUTO                                              \
    }

/*
 * Trains a network on the dataset's training rows and measures it on each split. What is learned
 * from columns comes from the training rows alone. Inputs that are constant there, or equal to
 * another, are left out. A numeric target is for regression, unless it has two values; a
 * categorical one for classification, its classes in alphabetical order (numbers ascending). Rows
 * whose target is missing are left out. Needs at least two training rows. TULLE_ERROR_DIVERGED
 * names the epoch; a model is then not made.
 */
TULLE_API enum tulle_status tulle_train(const tulle_dataset *dataset,
                                        const struct tulle_train_options *options,
                                        tulle_model **model, struct tulle_error *error);

/* --- Measuring ------------------------------------------------------------------------------- */

/* What besides metrics is found out about rows. */
struct tulle_evaluation {
    struct tulle_metrics *metrics; /* (target_count) */
    /* (classes, classes) of the only target, true class by predicted class, sums of weights; NULL
     * for regression, where there are several targets, and of more than 1000 classes. */
    double *confusion;
    size_t classes;
    size_t *out_of_range; /* (input_count) rows whose value is outside of that input's range in
                             training, or a level that was not there */
};

/*
 * Measures a model on the rows of one split, or TULLE_SPLIT_ALL. The dataset's columns are matched
 * by name; it may have more. Rows whose target is missing are left out. weight_column may be NULL.
 * A row of a class that the model does not know counts as wrong, with the smallest probability, and
 * all such rows as one more class; they are not in confusion, nor in auc.
 */
TULLE_API enum tulle_status tulle_evaluate(const tulle_model *model, const tulle_dataset *dataset,
                                           enum tulle_split split, const char *weight_column,
                                           struct tulle_evaluation **evaluation,
                                           struct tulle_error *error);
TULLE_API void tulle_evaluation_free(struct tulle_evaluation *evaluation);

/* --- Predicting a file ----------------------------------------------------------------------- */

struct tulle_predict_options {
    size_t size;
    int (*progress)(size_t rows,
                    void *user); /* NULL; called between blocks, as tulle_progress_fn */
    void *user;
    int probabilities; /* 0; 1: a column for each class, not the most probable one's name */
    const char *const *missing; /* as in tulle_read_options; NULL: the model's */
    size_t missing_count;
    size_t *out_of_range; /* NULL, or (input_count) as in struct tulle_evaluation, filled in */
};

#define TULLE_PREDICT_OPTIONS                                                                      \
    {                                                                                              \
        sizeof(struct tulle_predict_options), NULL, NULL, 0, NULL, 0, NULL                         \
    }

/*
 * Reads the model's input columns, matched by name, from the table at `input` (as
 * tulle_dataset_read) and writes a CSV with one line per row to `output` ("-": standard output; a
 * regular file appears only when it is complete). Its columns are the targets, with a class's name
 * for a category; "TARGET:q" for each quantile q, or "TARGET:CLASS" for each class, where there are
 * several for a target. Numbers have as many digits as it takes to read them back exactly. options
 * and rows may be NULL. A prediction that is not finite is TULLE_ERROR_DATA.
 */
TULLE_API enum tulle_status tulle_predict_file(const tulle_model *model, const char *input,
                                               const char *output,
                                               const struct tulle_predict_options *options,
                                               size_t *rows, struct tulle_error *error);

#ifdef __cplusplus
}
#endif
#endif
