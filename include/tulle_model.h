/* tulle_model.h - the immutable model, its file, and predicting with it. Part of tulle.h, which has
 * the conventions; include that.
 *
 * Threads: any number may load, save and look at models, make sessions of one model and predict,
 * each with a session of its own. Of those that save to one path at once, one is last, and the path
 * holds its file, whole. */
#ifndef TULLE_API_MODEL_H
#define TULLE_API_MODEL_H

#include "tulle_table.h"
#include "tulle_trainer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Columns --------------------------------------------------------------------------------- */

/* X(NAME, value, name, formula): what a numeric column goes through on its way into the network. */
#define TULLE_SCALING_LIST(X)                                                                      \
    X(NONE, 0, none, "x")                                                                          \
    X(STANDARD, 1, standard, "(x - mean) / standard deviation")                                    \
    X(ROBUST, 2, robust, "u / sqrt(1 + (u / 3)^2) with u = (x - median) / interquartile range")    \
    X(QUANTILE, 3, quantile, "the normal deviate of the share of training values below x")

enum tulle_scaling {
#define TULLE_SCALING_ENUM(NAME, value, name, formula) TULLE_SCALING_##NAME = value,
    TULLE_SCALING_LIST(TULLE_SCALING_ENUM)
#undef TULLE_SCALING_ENUM
        TULLE_SCALING_AUTO = -1 /* for tulle_train alone: as the recipe says */
};

TULLE_API const char *tulle_scaling_name(enum tulle_scaling scaling);
TULLE_API enum tulle_status tulle_scaling_from_name(const char *name, enum tulle_scaling *scaling);

/*
 * A column as the model knows it, all of it learned from the training rows. As an input:
 *
 * - A number enters the network as its scaling says, with `mean` the centre and `scale` the unit. A
 *   missing value enters as 0, the centre; if there were any in training, a second input is 1 where
 *   the value is missing and else 0.
 * - A category of two levels that never was missing is -1 or 1. Any other has, where dimensions is
 *   0, an input for each level, and one for missing if it ever was: the one that holds is 1, all
 *   others are 0. Or else it is a learned vector of that many dimensions. A level that was not
 *   there in training is missing; what then never was missing is all zeros.
 *
 * As a target: a number leaves the network as output * scale + mean (for poisson and gamma as
 * exp(output) * scale), and where it is clamped no smaller than minimum and no larger than maximum;
 * a category's levels are the classes.
 */
struct tulle_column {
    const char *name;
    double mean, scale;
    double minimum, maximum; /* over the training rows; not of a categorical column */
    enum tulle_scaling scaling;
    size_t missing; /* training rows in which it was */
    const double
        *quantiles;        /* (quantile_count) of the training values, evenly spaced, ascending; */
    size_t quantile_count; /* with TULLE_SCALING_QUANTILE, else NULL and 0 */
    struct tulle_levels levels; /* of a categorical column */
    size_t dimensions;
    int is_clamped; /* of a numeric target */
};

/* --- Metrics --------------------------------------------------------------------------------- */

/* X(NAME, value, name, formula, is_better_higher) of rows with weights, by default 1. NaN where a
 * metric does not belong to the task, or cannot be said: r2 of a constant, auc of one class. */
#define TULLE_METRIC_LIST(X)                                                                       \
    X(RMSE, 0, rmse, "sqrt(mean (o - y)^2)", 0)                                                    \
    X(MAE, 1, mae, "mean |o - y|", 0)                                                              \
    X(R2, 2, r2, "1 - sum (o - y)^2 / sum (y - mean y)^2", 1)                                      \
    X(PINBALL, 3, pinball, "mean over rows and quantiles of the quantile loss", 0)                 \
    X(DEVIANCE, 4, deviance, "mean deviance of the poisson or gamma distribution", 0)              \
    X(ACCURACY, 5, accuracy, "share of rows whose most probable class is theirs", 1)               \
    X(BALANCED_ACCURACY, 6, balanced_accuracy, "mean over classes of their rows' accuracy", 1)     \
    X(LOG_LOSS, 7, log_loss, "mean of -log(probability of the row's class)", 0)                    \
    X(AUC, 8, auc, "of two classes: chance that a row of the second has the higher probability",   \
      1)                                                                                           \
    X(F1, 9, f1, "of two classes: 2 tp / (2 tp + fp + fn) of the second", 1)

enum tulle_metric {
#define TULLE_METRIC_ENUM(NAME, value, name, formula, better) TULLE_METRIC_##NAME = value,
    TULLE_METRIC_LIST(TULLE_METRIC_ENUM)
#undef TULLE_METRIC_ENUM
};

TULLE_API const char *tulle_metric_name(enum tulle_metric metric);

enum { TULLE_METRIC_SLOTS = 16 }; /* room for more than there are */

/* Of one target over some rows, in the target's own units. Of the quantile loss rmse, mae and r2
 * are those of the quantile that is nearest to 0.5. */
struct tulle_metrics {
    size_t rows;
    double value[TULLE_METRIC_SLOTS]; /* by enum tulle_metric */
};

/* --- Model ----------------------------------------------------------------------------------- */

/* X(NAME, value, name, formula) */
#define TULLE_TASK_LIST(X)                                                                         \
    X(AUTO, 0, auto, "as the target and the loss suggest")                                         \
    X(REGRESSION, 1, regression, "numbers")                                                        \
    X(CLASSIFICATION, 2, classification, "classes")

enum tulle_task {
#define TULLE_TASK_ENUM(NAME, value, name, formula) TULLE_TASK_##NAME = value,
    TULLE_TASK_LIST(TULLE_TASK_ENUM)
#undef TULLE_TASK_ENUM
};

TULLE_API const char *tulle_task_name(enum tulle_task task);
TULLE_API enum tulle_status tulle_task_from_name(const char *name, enum tulle_task *task);

/* One of the settings that a model was trained with: the name of a member of struct
 * tulle_train_options, and its value as a text: "0.04", "yes", "256,256,256". */
struct tulle_setting {
    const char *name, *value;
};

/* How a model's epoch went. */
struct tulle_epoch {
    double train_loss;    /* the mean over its rows, before each row's update */
    double valid_loss;    /* after it; NaN without validation rows */
    double learning_rate; /* of its last step */
};

/* All about a model but its weights. */
struct tulle_model_info {
    unsigned format_version;   /* of the file it came from or would be saved in */
    const char *tulle_version; /* that trained it */
    const char *checksum;      /* 16 hexadecimal digits; "" for a model that came from no file */
    enum tulle_type precision;
    enum tulle_task task;
    size_t input_count, target_count, layer_count;
    const struct tulle_column *inputs;  /* (input_count) */
    const struct tulle_column *targets; /* (target_count) */
    const struct tulle_layer *layers;   /* (layer_count) */
    struct tulle_front front;           /* without frequency_deviation: 0 */
    size_t parameter_count;             /* all that is learned */
    /* The columns that tulle_session_predict gives, target by target: a number; or a number for
     * each quantile; or a probability for each class. */
    size_t prediction_count;
    /* (missing_count) what stood for no value in the table besides empty cells, and so does in
     * those that tulle_predict_file reads. */
    const char *const *missing;
    size_t missing_count;
    /* All that made it what it is, in the order of struct tulle_train_options; of a model that came
     * from a tulle_trainer or a file of format 1 or 2 none. */
    const struct tulle_setting *settings; /* (setting_count) */
    size_t setting_count;
    /* How it was trained. epochs is 0 for a model that came from a tulle_trainer. */
    enum tulle_loss loss;
    double huber_delta, label_smoothing;
    const double *quantiles; /* (quantile_count), ascending; of the quantile loss, else NULL, 0 */
    size_t quantile_count;
    enum tulle_optimizer optimizer;
    double learning_rate;
    size_t batch_size, epochs; /* epochs that were to be; curve_count are those that were */
    uint32_t seed;
    const char *split_column;  /* NULL: rows were split at random by the two fractions */
    const char *weight_column; /* NULL: every row counted the same */
    double valid_fraction, test_fraction;
    size_t rows[3];                      /* train, valid, test */
    const struct tulle_metrics *metrics; /* (3, target_count), rows = 0 where none were measured */
    const struct tulle_epoch *curve;     /* (curve_count) */
    size_t curve_count;
    size_t best_epoch;   /* from 1: the epoch whose parameters these are; 0: the last */
    size_t first_inputs; /* the first layer's, which the inputs' columns become on their way in */
};

/* It and all that it points to live as long as the model. */
TULLE_API const struct tulle_model_info *tulle_model_info(const tulle_model *model);

/* Copies the parameters of a layer; see tulle_trainer_get_parameters. */
TULLE_API enum tulle_status tulle_model_get_parameters(const tulle_model *model, size_t layer,
                                                       double *weights, double *biases);

/*
 * Writes the model to a temporary file beside path, syncs it and renames it: path holds the old
 * file or the whole new one, never a part. A path that is no regular file (/dev/stdout) is
 * written directly. docs/format.md describes the file byte by byte.
 */
TULLE_API enum tulle_status tulle_model_save(const tulle_model *model, const char *path,
                                             struct tulle_error *error);

/* Whether tulle_model_save could write there, found out by making and removing the temporary
 * file: to be asked before an hour of training, not after it. */
TULLE_API enum tulle_status tulle_model_check_path(const char *path, struct tulle_error *error);

/* Loads what tulle_model_save wrote, in this version of the format or an older one. Any other file
 * is refused: TULLE_ERROR_FORMAT, TULLE_ERROR_VERSION or TULLE_ERROR_IO; never a crash, and no
 * allocation beyond what the file's own length justifies. */
TULLE_API enum tulle_status tulle_model_load(const char *path, tulle_model **model,
                                             struct tulle_error *error);

/*
 * The same with the file's bytes in memory. to_bytes says in *needed how many there are, and writes
 * them where size is at least that; `bytes` may be NULL with a size of 0. from_bytes keeps no
 * pointer to them.
 */
TULLE_API enum tulle_status tulle_model_to_bytes(const tulle_model *model, void *bytes, size_t size,
                                                 size_t *needed, struct tulle_error *error);
TULLE_API enum tulle_status tulle_model_from_bytes(const void *bytes, size_t size,
                                                   tulle_model **model, struct tulle_error *error);

/* Sessions made from the model must have been freed before it. */
TULLE_API void tulle_model_free(tulle_model *model);

/* --- Session --------------------------------------------------------------------------------- */

/* Scratch memory for predicting with one model, on one thread at a time. */
typedef struct tulle_session tulle_session;

/* The model must live as long. Memory is all that a session can lack. */
TULLE_API enum tulle_status tulle_session_create(const tulle_model *model, tulle_session **session);
TULLE_API void tulle_session_free(tulle_session *session);

/*
 * From now on tulle_session_predict takes up to so many threads for batches that are worth it; 0:
 * as many as there are CPUs. A new session has one. The threads belong to the session and sleep
 * between calls. TULLE_ERROR_MEMORY leaves the session as it was.
 */
TULLE_API enum tulle_status tulle_session_set_threads(tulle_session *session, unsigned threads);

/*
 * Predicts all rows of x, whose columns are the model's inputs in the model's order and in their
 * own units, or for a categorical column the index of a level (tulle_column_level); NaN is missing,
 * and so is an index that is none. out is (rows, prediction_count), numbers in the targets' own
 * units. Does not allocate, and on one thread makes no system call and takes no lock.
 * A row's prediction has the same bits whatever other rows stand beside it. The network computes in
 * the model's precision; the return to the target's units is in double, so that a target far from 0
 * keeps its digits if out is f64. A prediction is not finite where an input is infinite, or is
 * beyond the precision's range: it does not saturate silently.
 */
TULLE_API enum tulle_status tulle_session_predict(tulle_session *session, struct tulle_matrix x,
                                                  struct tulle_matrix_out out);

/*
 * The derivatives, by each column of x, of what a row's predictions come to, weighed by dy: dx
 * (rows, input_count) is that of sum_p dy[r][p] prediction[r][p], with the predictions of
 * tulle_session_predict, all in the columns' own units; dy is (rows, prediction_count). 0 by a
 * value that is missing and by a category, and of a prediction that is held within its target's
 * range; where a function has a corner, that of its right side. NaN by an infinite value.
 * Does not allocate but in a session's first call, and in the first after
 * tulle_session_set_threads: TULLE_ERROR_MEMORY leaves the session as it was.
 */
TULLE_API enum tulle_status tulle_session_input_gradient(tulle_session *session,
                                                         struct tulle_matrix x,
                                                         struct tulle_matrix dy,
                                                         struct tulle_matrix_out dx);

/* The index of the level that a cell with this text is, NaN if it is none: that of the same text,
 * or else, where both are numbers, of the same number. */
TULLE_API double tulle_column_level(const struct tulle_column *column, const char *text);

#ifdef __cplusplus
}
#endif
#endif
