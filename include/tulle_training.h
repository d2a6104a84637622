/* tulle_training.h - from a table to a model, and a model's predictions and errors on a table. Part
 * of tulle.h, which has the conventions; include that. */
#ifndef TULLE_API_TRAINING_H
#define TULLE_API_TRAINING_H

#include "tulle_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Training -------------------------------------------------------------------------------- */

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
};

TULLE_API const char *tulle_schedule_name(enum tulle_schedule schedule);
TULLE_API enum tulle_status tulle_schedule_from_name(const char *name,
                                                     enum tulle_schedule *schedule);

/* Where training is, passed to the progress callback after every step. */
struct tulle_progress {
    size_t epoch, epochs;  /* epoch counts from 1 */
    size_t step, steps;    /* of this epoch; step counts from 1 */
    double train_loss;     /* mean over this epoch's rows so far, of the standardised target */
    double valid_loss;     /* after the last whole epoch; NaN before the first and without rows */
    double learning_rate;  /* of this step */
    size_t best_epoch;     /* with the lowest valid_loss so far; 0: none yet */
    double best_loss;      /* its valid_loss */
    int epoch_is_complete; /* this call comes after the epoch's last step and its valid_loss */
    const struct tulle_model_info *model; /* what it is to be; metrics and curve come at the end */
};

/* Returns 0 to go on; anything else stops with TULLE_ERROR_INTERRUPTED, after writing the
 * checkpoint if there is to be one; TULLE_STOP_HERE ends training as if this had been the last
 * epoch. */
typedef int tulle_progress_fn(const struct tulle_progress *progress, void *user);

enum { TULLE_STOP_HERE = -1 };

/* One line, without a full stop, that is worth saying: a column that was dropped, the task that was
 * found, the checkpoint that training goes on from. */
typedef void tulle_notice_fn(const char *text, void *user);

#define TULLE_DEFAULT_HIDDEN                                                                       \
    {                                                                                              \
        128, 128                                                                                   \
    }

struct tulle_train_options {
    size_t size;
    const char *const *targets; /* (target_count) column names; no default; the other columns */
    size_t target_count;        /* of the dataset, but weight_column, are the inputs */
    double valid_fraction;      /* 0.1; the two fractions of rows are drawn at random, of each */
    double test_fraction;       /* 0; class alike, and used only for a dataset without splits */
    const size_t *hidden;       /* units of the hidden layers; NULL: TULLE_DEFAULT_HIDDEN */
    size_t hidden_count;        /* with hidden: may be 0, for a linear model */
    enum tulle_activation activation; /* TULLE_ACTIVATION_RELU; of the hidden layers */
    enum tulle_loss loss;             /* TULLE_LOSS_AUTO: mse, or cross entropy for classes */
    enum tulle_optimizer optimizer;   /* TULLE_OPTIMIZER_SGD */
    double learning_rate;             /* 0.02 */
    size_t batch_size;                /* 32 */
    size_t epochs;                    /* 100 */
    enum tulle_type precision;
    uint32_t seed;
    unsigned threads;            /* see tulle_trainer_options */
    tulle_progress_fn *progress; /* NULL; called on the thread that called tulle_train */
    void *user;                  /* of all callbacks */

    enum tulle_task task;               /* TULLE_TASK_AUTO */
    const tulle_dataset *valid_dataset; /* NULL; else validation rows, and all of dataset's rows */
                                        /* that are not of its own test split train */
    const char *weight_column;          /* NULL; a row's loss counts as much as it says, >= 0 */
    int balance_classes;                /* 0; 1: every class counts the same altogether; and */
    const char *const *class_names;     /* (class_weight_count), NULL: these classes count so */
    const double *class_weights;        /* much, and others 1 */
    size_t class_weight_count;
    enum tulle_scaling scaling;  /* TULLE_SCALING_STANDARD; of numeric inputs */
    int standardize_targets;     /* 1: numeric targets to mean 0 and deviation 1 */
    size_t one_hot_levels;       /* 8; a column of more levels is embedded */
    size_t embedding_dimensions; /* 8 */

    int parametric;                     /* 0; of the hidden layers, as is dropout */
    double dropout;                     /* 0 */
    enum tulle_initializer initializer; /* these are as in tulle_trainer_options */
    double momentum, beta1, beta2, epsilon;
    double weight_decay, bias_learning_rate, bias_weight_decay;
    double clip_norm, averaging;
    double huber_delta, label_smoothing;
    const double *quantiles;
    size_t quantile_count;
    tulle_loss_fn *loss_function; /* the target as it enters the network */

    enum tulle_schedule schedule; /* TULLE_SCHEDULE_CONSTANT */
    double schedule_factor;       /* 0.1; of step and plateau */
    size_t schedule_epochs;       /* 10; of the same */
    double warmup;                /* 0; in [0, 1): the share of all steps in which the */
                                  /* learning rate grows to what the schedule says */
    size_t patience;              /* 0: none; stop after so many epochs without a better */
                                  /* valid loss */
    int keep_best;                /* 1: the parameters of the epoch with the lowest valid */
                                  /* loss; 0, or without validation rows: the last ones */
    tulle_notice_fn *notice;      /* NULL */

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
};

#define TULLE_TRAIN_OPTIONS                                                                        \
    {                                                                                              \
        sizeof(struct tulle_train_options), NULL, 0, 0.1, 0, NULL, 0, TULLE_ACTIVATION_RELU,       \
            TULLE_LOSS_AUTO, TULLE_OPTIMIZER_SGD, 0.02, 32, 100, TULLE_F32, 0, 0, NULL, NULL,      \
            /* data */ TULLE_TASK_AUTO, NULL, NULL, 0, NULL, NULL, 0, TULLE_SCALING_STANDARD, 1,   \
            8, 8, /* as a trainer's */ 0, 0, TULLE_INITIALIZER_FAN_IN, 0, 0.9, 0.999, 1e-8, 0, 1,  \
            0, 0, 0, 1, 0, NULL, 0, NULL, /* schedule */ TULLE_SCHEDULE_CONSTANT, 0.1, 10, 0, 0,   \
            1, NULL, /* checkpoints */ NULL, 30, 0, 0                                              \
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
