/*
 * training.h - the whole job on a table, as its parts share it: what the options mean
 * (training_options.c), which columns and rows there are (training_columns.c, training_front.c,
 * training_rows.c), what is tried first (training_trials.c), how the epochs go (training_epochs.c),
 * and where they stand (training_state.c). training.c puts them together.
 */
#ifndef TULLE_TRAINING_H
#define TULLE_TRAINING_H

#include "../data/column_fit.h"
#include "../data/dataset.h"
#include "trainer.h"

/* Where training stands between two steps; with the arenas and the generator all there is to it. */
struct training_state {
    uint64_t epoch;      /* from 0; of the next step */
    uint64_t step;       /* of that epoch, from 0 */
    uint64_t best_epoch; /* from 1; 0: none yet */
    uint64_t epochs_since_best;
    uint64_t drops; /* of the plateau schedule */
    uint64_t epochs_since_drop;
    double best_loss;     /* of validation */
    double valid_loss;    /* of the last whole epoch; NaN before */
    double epoch_loss;    /* sum over this epoch's rows so far */
    double epoch_weight;  /* of those rows */
    double hopeless_loss; /* above it, training has diverged; known after the first step */
};

struct identity;

struct training {
    const struct tulle_dataset *given;   /* by the caller */
    const struct tulle_dataset *dataset; /* the same, or joined */
    struct tulle_dataset *joined; /* the dataset, if validation rows came apart: they follow */
    size_t first_rows;            /* these */
    struct tulle_train_options options; /* complete, once the task and the rows are known */
    int owns_hidden;                    /* those of the options are the recipe's */
    size_t trial;                       /* from 1; 0: the training itself */
    int is_stopped;                     /* where it is, by the caller, before its last epoch */
    struct tulle_setting *settings;     /* (setting_count) the options as texts */
    size_t setting_count;
    enum tulle_task task;

    /* Columns: the inputs, and then the targets. */
    size_t input_count, target_count;
    size_t *columns;           /* (inputs + targets) indices into the dataset's columns */
    struct tulle_column *fits; /* (inputs + targets) */
    size_t weight_column;      /* SIZE_MAX: none */
    struct encoder inputs, targets;
    const double **maps; /* (inputs + targets) */
    struct row_encoder input_rows, target_rows;
    struct tulle_front front;
    size_t *numbers; /* those of the front, */
    double *knots;   /* and theirs */
    double *classes; /* (rows, targets) of the dataset; NULL for regression */

    /* Rows. */
    size_t *order;      /* (rows) the training rows, then valid, then test */
    size_t rows[3];     /* how many of each */
    size_t valid_known; /* of the valid ones, the first whose classes training has */
    size_t *shuffled;   /* (training rows) of the epoch */
    double *weights;    /* (rows) of the dataset: what a row's loss counts; NULL: 1 */

    struct tulle_layer *layers;
    size_t layer_count;
    struct tulle_rng rng; /* before the epoch's shuffle */
    struct tulle_trainer *trainer;
    void *best; /* an arena: the best epoch's parameters; NULL if they are not kept */
    struct training_state state;
    struct tulle_epoch *curve; /* (curve_count) the epochs so far */
    size_t curve_count, curve_capacity;
    struct identity *identity; /* of checkpoints (training_state.c); NULL without them */
    int has_failed_to_save;    /* the last checkpoint */
    double last_write;         /* of the checkpoint, in seconds of a monotonic clock */
    struct tulle_model *model;
};

/* Steps of an epoch. */
static inline size_t tulle_training_steps(const struct training *t)
{
    return (t->rows[TULLE_SPLIT_TRAIN] - 1) / t->trainer->options.batch_size + 1;
}

/* --- training.c --- */

/* From the dataset, options that have been checked, and target_count to where the epochs begin. */
enum tulle_status tulle_training_prepare(struct training *t, struct tulle_error *error);

/* Whether there are rows to validate on that count for something. */
int tulle_training_has_valid(const struct training *t);

/* Frees what a training holds, prepared or not. */
void tulle_training_clear(struct training *t);

/* --- training_notice.c --- */

/* A line to the caller's notice, if there is one. */
void tulle_training_notice(const struct training *t, const char *format, ...) TULLE_PRINTF(2, 3);

/* TULLE_ERROR_INTERRUPTED if the caller's poll says so. */
enum tulle_status tulle_training_poll(const struct training *t, struct tulle_error *error);

/* TULLE_ERROR_DATA: "row 17: ...", in the file that the dataset's row came from. */
enum tulle_status tulle_fail_row(const struct training *t, size_t row, struct tulle_error *error,
                                 const char *format, ...) TULLE_PRINTF(4, 5);

/* --- training_options.c --- */

/* Refuses what can be seen to be wrong before the recipe has been looked up. */
enum tulle_status tulle_training_check_options(const struct tulle_train_options *o,
                                               struct tulle_error *error);

/* Fills in what the recipe says, and a batch size, once task and rows are known; refuses what is
 * not a whole. */
enum tulle_status tulle_training_complete_options(struct training *t, struct tulle_error *error);

/* --- training_columns.c --- */

/* Finds targets, weights and inputs by name, and the task. */
enum tulle_status tulle_training_find_columns(struct training *t, struct tulle_error *error);

/* Fits all columns on the training rows, leaves out those that say nothing, and makes the encoders.
 */
enum tulle_status tulle_training_fit_columns(struct training *t, struct tulle_error *error);

/* Refuses a value that would leave the precision's range in the network, in any row. */
enum tulle_status tulle_training_check_range(struct training *t, struct tulle_error *error);

/* --- training_trials.c --- */

enum { TULLE_TRIALS = 2 };

/* Finds out number_bins, if that is wanted, once columns and rows are known. */
enum tulle_status tulle_training_choose_bins(struct training *t, struct tulle_error *error);

/* --- training_front.c --- */

/* Fills in the front: which inputs are numbers, and where their splines have knots. */
enum tulle_status tulle_training_make_front(struct training *t, struct tulle_error *error);

/* --- training_rows.c --- */

/* Fills in order and rows: by the dataset's own splits or else at random. */
enum tulle_status tulle_training_split(struct training *t, struct tulle_error *error);

/* Fills in classes; moves valid rows whose class training has not behind the others. */
enum tulle_status tulle_training_find_classes(struct training *t, struct tulle_error *error);

/* Fills in the weights. */
enum tulle_status tulle_training_weigh(struct training *t, struct tulle_error *error);

/* The rows that order[0..] lists, as the network's inputs and targets. */
void tulle_training_view(const struct training *t, const size_t *order, struct rows *x,
                         struct rows *y);

/* --- training_epochs.c --- */

/* Whether the caller has ended training, and will not wait for what looks at all rows again. */
int tulle_training_hurries(const struct training *t);

enum tulle_status tulle_training_run(struct training *t, struct tulle_error *error);

/* Makes room for one more epoch of the curve; 0 if there is no memory. */
int tulle_training_grow_curve(struct training *t);

/* --- training_state.c --- */

/* Notes what a checkpoint of this training must agree with. */
enum tulle_status tulle_training_identify(struct training *t, struct tulle_error *error);

/* Writes the checkpoint. */
enum tulle_status tulle_training_save(struct training *t, struct tulle_error *error);

/* Reads it, if there is one, into the trainer, the state, the best parameters and the curve. */
enum tulle_status tulle_training_restore(struct training *t, struct tulle_error *error);

#endif
