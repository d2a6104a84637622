/*
 * tulle.h - train and serve small dense neural networks (multilayer perceptrons)
 *
 * This header is the manual of libtulle. Its parts, from the bottom up:
 *
 *   status and errors     what every call that can fail returns
 *   random numbers        NumPy's legacy generator, so that runs can be compared with it
 *   matrices              views of the caller's own arrays
 *   trainer               a network that learns from arrays, one step at a time
 *   dataset               a table read from a .csv or .npy file, or copied from arrays
 *   training on a dataset split, standardise, train and measure, in one call
 *   model                 the immutable result, and its file
 *   session               one thread's scratch memory for predicting with a model
 *   predicting a file     rows in, predictions out, never more than a block of rows in memory
 *
 * Conventions
 *
 *   Errors     A call that can fail returns enum tulle_status. On failure a handle that it was
 *              to make is set to NULL. Calls that read anything from outside also take a
 *              `struct tulle_error *`, which may be NULL and is written only on failure. The
 *              library never prints, exits or aborts, and has no global state.
 *   NULL       No pointer may be NULL unless its comment says so. Every *_free accepts NULL.
 *   Ownership  What a *_create, *_read, *_load or *_train call makes, the caller frees with the
 *              *_free of its type. A `const` pointer that a call returns belongs to the handle it
 *              came from and lives as long. Nothing keeps a pointer to the caller's arrays,
 *              strings or options after the call has returned, callbacks' `user` aside.
 *   Threads    A tulle_model and a tulle_dataset are immutable: any number of threads may use one
 *              at once. A tulle_trainer, tulle_session or tulle_rng serves one thread at a time.
 *              A trainer, or a session that was given threads, can after a fork() only be freed in
 *              the child: its threads are not there.
 *   Bits       Results depend on the data, the options and the seed alone: neither on the number
 *              of threads, nor on the instruction set, nor on how rows are grouped in predict.
 *   Options    An options struct begins with its own size and is initialised with the macro of its
 *              name in capitals (`struct tulle_train_options o = TULLE_TRAIN_OPTIONS;`), so that a
 *              program built against an older header keeps working with a newer library.
 *   Shapes     Data is row-major, one sample a row: x is (rows, inputs), y is (rows, outputs).
 *              A layer's weights are (units, inputs), as in the usual y = W x + b.
 *
 * Not promised: the same bits from different versions of Tulle; thread-safe use of one trainer or
 * session; that sizes of structs stay as they are (they grow at the end).
 */
#ifndef TULLE_H
#define TULLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TULLE_VERSION_MAJOR 0
#define TULLE_VERSION_MINOR 1
#define TULLE_VERSION_PATCH 0
#define TULLE_VERSION_STRING "0.1.0"

#if defined(TULLE_BUILD_SHARED) && defined(__GNUC__)
#define TULLE_API __attribute__((visibility("default")))
#else
#define TULLE_API
#endif

/* The version of the library that is linked, "0.1.0"; the macros above are that of this header. */
TULLE_API const char *tulle_version(void);

/* Writes what this build and this machine have, for bug reports, as snprintf does: "kernels avx2;
 * model files yes; gzip yes". */
TULLE_API int tulle_build_info(char *buffer, size_t size);

/* --- Status and errors ----------------------------------------------------------------------- */

/* X(NAME, value, text). Values never change; each is followed by an input that causes it. */
#define TULLE_STATUS_LIST(X)                                                                       \
    X(OK, 0, "success")                                                                            \
    X(ERROR_ARGUMENT, 1, "invalid argument")          /* a network with no inputs */               \
    X(ERROR_MEMORY, 2, "out of memory")               /* a layer of 10^9 by 10^9 */                \
    X(ERROR_IO, 3, "input or output failed")          /* no such file; the disk is full */         \
    X(ERROR_DATA, 4, "unusable data")                 /* text in a numeric column */               \
    X(ERROR_FORMAT, 5, "not a usable model file")     /* a model file cut short */                 \
    X(ERROR_VERSION, 6, "made by a newer version")    /* a model file of a later format */         \
    X(ERROR_DIVERGED, 7, "training diverged")         /* learning_rate = 1000 */                   \
    X(ERROR_INTERRUPTED, 8, "interrupted")            /* a progress callback returned non-zero */  \
    X(ERROR_UNSUPPORTED, 9, "left out of this build") /* a .gz file, built without zlib */

enum tulle_status {
#define TULLE_STATUS_ENUM(name, value, text) TULLE_##name = value,
    TULLE_STATUS_LIST(TULLE_STATUS_ENUM)
#undef TULLE_STATUS_ENUM
};

/* "out of memory" for TULLE_ERROR_MEMORY; "unknown status" for a value that is none. */
TULLE_API const char *tulle_status_text(enum tulle_status status);

/*
 * What went wrong and where. Its size is fixed for good. `line` counts physical lines and `column`
 * bytes within the line, both from 1; each is 0 where it has no meaning, and `file` is then "".
 */
struct tulle_error {
    enum tulle_status code;
    size_t line, column;
    char file[512];
    char message[512]; /* one line, no full stop; says what was expected and what to do */
};

/* Writes "houses.csv:17:4: expected a number in column 'rooms', got "n/a"" into buffer, as
 * snprintf does: at most size bytes with the NUL; returns the length that the whole text has. */
TULLE_API int tulle_error_text(const struct tulle_error *error, char *buffer, size_t size);

/* --- Random numbers -------------------------------------------------------------------------- */

/*
 * MT19937 (Matsumoto and Nishimura, 1998) as NumPy's legacy global generator uses it: the draws
 * after tulle_rng_seed(&rng, s) are those after numpy.random.seed(s). Plain data: copy it to
 * keep a position in the stream. Its layout is fixed for good.
 */
struct tulle_rng {
    uint32_t state[624];
    uint32_t position; /* words of state used up, 624 when all are */
};

TULLE_API void tulle_rng_seed(struct tulle_rng *rng, uint32_t seed);

/* 32 random bits. */
TULLE_API uint32_t tulle_rng_next(struct tulle_rng *rng);

/* A double in [0, 1) with 53 random bits: numpy.random.rand(). */
TULLE_API double tulle_rng_uniform(struct tulle_rng *rng);

/* An integer in [0, maximum], unbiased: masked draws, rejected while above maximum. */
TULLE_API uint64_t tulle_rng_integer(struct tulle_rng *rng, uint64_t maximum);

/* Fisher and Yates from the end: numpy.random.shuffle() of a one-dimensional array. */
TULLE_API void tulle_rng_shuffle(struct tulle_rng *rng, size_t *items, size_t count);

/* --- Matrices -------------------------------------------------------------------------------- */

/* The two types of number. As a precision, the one that a network computes in. */
enum tulle_type { TULLE_F32 = 0, TULLE_F64 = 1 };

/* A view of the caller's numbers: element (r, c) is data[r * stride + c]. The data may be of
 * either type, whatever the network's precision; it is converted where it is used. */
struct tulle_matrix {
    const void *data;
    enum tulle_type type;
    size_t rows, columns;
    size_t stride; /* in elements, >= columns; 0 means columns */
};

/* The same to be written to. */
struct tulle_matrix_out {
    void *data;
    enum tulle_type type;
    size_t rows, columns;
    size_t stride;
};

/* Views of dense arrays; for another stride set the member afterwards. */
static inline struct tulle_matrix tulle_f32(const float *data, size_t rows, size_t columns)
{
    struct tulle_matrix m = {data, TULLE_F32, rows, columns, columns};
    return m;
}

static inline struct tulle_matrix tulle_f64(const double *data, size_t rows, size_t columns)
{
    struct tulle_matrix m = {data, TULLE_F64, rows, columns, columns};
    return m;
}

static inline struct tulle_matrix_out tulle_f32_out(float *data, size_t rows, size_t columns)
{
    struct tulle_matrix_out m = {data, TULLE_F32, rows, columns, columns};
    return m;
}

static inline struct tulle_matrix_out tulle_f64_out(double *data, size_t rows, size_t columns)
{
    struct tulle_matrix_out m = {data, TULLE_F64, rows, columns, columns};
    return m;
}

/* --- Networks -------------------------------------------------------------------------------- */

/* X(NAME, value, name, formula). The derivatives of relu and leaky_relu at 0 are 1. */
#define TULLE_ACTIVATION_LIST(X)                                                                   \
    X(IDENTITY, 0, identity, "z")                                                                  \
    X(RELU, 1, relu, "max(0, z)")                                                                  \
    X(LEAKY_RELU, 2, leaky_relu, "z >= 0 ? z : 0.01 z")                                            \
    X(TANH, 3, tanh, "tanh(z)")                                                                    \
    X(LOGISTIC, 4, logistic, "1 / (1 + exp(-z))")

enum tulle_activation {
#define TULLE_ACTIVATION_ENUM(NAME, value, name, formula) TULLE_ACTIVATION_##NAME = value,
    TULLE_ACTIVATION_LIST(TULLE_ACTIVATION_ENUM)
#undef TULLE_ACTIVATION_ENUM
};

/* X(NAME, value, name, formula). The gradient of mse that flows back is that of half the squared
 * error summed over a row's outputs, o - y; the loss that is reported is the mean over rows and
 * outputs of (o - y)^2. */
#define TULLE_LOSS_LIST(X) X(MSE, 0, mse, "mean (o - y)^2")

enum tulle_loss {
#define TULLE_LOSS_ENUM(NAME, value, name, formula) TULLE_LOSS_##NAME = value,
    TULLE_LOSS_LIST(TULLE_LOSS_ENUM)
#undef TULLE_LOSS_ENUM
};

/* X(NAME, value, name, formula) */
#define TULLE_OPTIMIZER_LIST(X) X(SGD, 0, sgd, "w -= learning_rate * dw")

enum tulle_optimizer {
#define TULLE_OPTIMIZER_ENUM(NAME, value, name, formula) TULLE_OPTIMIZER_##NAME = value,
    TULLE_OPTIMIZER_LIST(TULLE_OPTIMIZER_ENUM)
#undef TULLE_OPTIMIZER_ENUM
};

/* How a step's gradients are put together from those of its rows. */
enum tulle_reduction { TULLE_REDUCTION_MEAN = 0, TULLE_REDUCTION_SUM = 1 };

/* The names used in files and on the command line ("leaky_relu"); NULL for a value that is none. */
TULLE_API const char *tulle_activation_name(enum tulle_activation activation);
TULLE_API const char *tulle_loss_name(enum tulle_loss loss);
TULLE_API const char *tulle_optimizer_name(enum tulle_optimizer optimizer);
TULLE_API const char *tulle_type_name(enum tulle_type type); /* "f32", "f64" */

/* The values that the names stand for; TULLE_ERROR_ARGUMENT for a name that is none. */
TULLE_API enum tulle_status tulle_activation_from_name(const char *name,
                                                       enum tulle_activation *activation);
TULLE_API enum tulle_status tulle_loss_from_name(const char *name, enum tulle_loss *loss);
TULLE_API enum tulle_status tulle_optimizer_from_name(const char *name,
                                                      enum tulle_optimizer *optimizer);
TULLE_API enum tulle_status tulle_type_from_name(const char *name, enum tulle_type *type);

/* One dense layer: units outputs, each act(w . x + b). */
struct tulle_layer {
    size_t units; /* >= 1 */
    enum tulle_activation activation;
};

/* --- Trainer --------------------------------------------------------------------------------- */

/*
 * Parameters, optimiser and random numbers of one network that learns from arrays: for training
 * loops of your own (reinforcement learning, simulation, tests). tulle_train() below does the
 * whole job on a table.
 */
typedef struct tulle_trainer tulle_trainer;
typedef struct tulle_model tulle_model;

struct tulle_trainer_options {
    size_t size;                      /* sizeof (struct tulle_trainer_options) */
    size_t inputs;                    /* >= 1; no default */
    const struct tulle_layer *layers; /* first hidden to output; no default */
    size_t layer_count;               /* >= 1; the outputs are layers[layer_count - 1].units */
    enum tulle_type precision;        /* TULLE_F32 */
    enum tulle_loss loss;             /* TULLE_LOSS_MSE */
    enum tulle_optimizer optimizer;   /* TULLE_OPTIMIZER_SGD */
    double learning_rate;             /* 0.01; finite, >= 0 */
    size_t batch_size;                /* 32; rows a step of tulle_trainer_epoch */
    enum tulle_reduction weight_reduction, bias_reduction; /* TULLE_REDUCTION_MEAN */
    unsigned threads; /* at most that many; 0: as the CPUs and the work of a step allow */
    uint32_t seed;    /* 0; of the trainer's generator, unless rng is given */
    const struct tulle_rng *rng; /* NULL; else the generator starts as a copy of this one */
};

#define TULLE_TRAINER_OPTIONS                                                                      \
    {                                                                                              \
        sizeof(struct tulle_trainer_options), 0, NULL, 0, TULLE_F32, TULLE_LOSS_MSE,               \
            TULLE_OPTIMIZER_SGD, 0.01, 32, TULLE_REDUCTION_MEAN, TULLE_REDUCTION_MEAN, 0, 0, NULL  \
    }

/*
 * Draws the weights from the generator, layer by layer and row by row, uniform in
 * +-1/sqrt(inputs of the layer); biases are zero.
 */
TULLE_API enum tulle_status tulle_trainer_create(const struct tulle_trainer_options *options,
                                                 tulle_trainer **trainer,
                                                 struct tulle_error *error);
TULLE_API void tulle_trainer_free(tulle_trainer *trainer);

/*
 * One update from all rows of x and y. *loss (may be NULL) is the loss before the update.
 * Allocates only when x has more rows than batch_size and than any step before it.
 * TULLE_ERROR_DIVERGED: the loss is not finite; the parameters are of no use any
 * more.
 */
TULLE_API enum tulle_status tulle_trainer_step(tulle_trainer *trainer, struct tulle_matrix x,
                                               struct tulle_matrix y, double *loss);

/*
 * One pass over x and y: shuffles the row numbers 0..rows-1 with the trainer's generator, then
 * takes a step for every batch_size of them; the last may be short. *loss (may be NULL) is the
 * mean over the rows of the losses before each row's update.
 */
TULLE_API enum tulle_status tulle_trainer_epoch(tulle_trainer *trainer, struct tulle_matrix x,
                                                struct tulle_matrix y, double *loss);

/* The loss over all rows of x and y with the parameters as they are. */
TULLE_API enum tulle_status tulle_trainer_loss(tulle_trainer *trainer, struct tulle_matrix x,
                                               struct tulle_matrix y, double *loss);

/* The network's outputs for all rows of x; out is (rows, outputs). */
TULLE_API enum tulle_status tulle_trainer_predict(tulle_trainer *trainer, struct tulle_matrix x,
                                                  struct tulle_matrix_out out);

/* Copies the parameters of layer number `layer` (from 0): weights is dense (units, inputs),
 * biases is (units); each may be NULL. In f32 set rounds to nearest. */
TULLE_API enum tulle_status tulle_trainer_get_parameters(const tulle_trainer *trainer, size_t layer,
                                                         double *weights, double *biases);
TULLE_API enum tulle_status tulle_trainer_set_parameters(tulle_trainer *trainer, size_t layer,
                                                         const double *weights,
                                                         const double *biases);

/* For schedules of your own; takes effect with the next step. */
TULLE_API enum tulle_status tulle_trainer_set_learning_rate(tulle_trainer *trainer,
                                                            double learning_rate);

/* The generator, to draw from in the same stream. Lives as long as the trainer. */
TULLE_API struct tulle_rng *tulle_trainer_rng(tulle_trainer *trainer);

/* A model with the parameters as they are now, its columns named c0, c1, ... and y0, y1, ..., with
 * no scaling. TULLE_ERROR_DIVERGED if a parameter is not finite, TULLE_ERROR_ARGUMENT if there are
 * so many columns (some 100,000) that no model file could hold their names. */
TULLE_API enum tulle_status tulle_trainer_model(const tulle_trainer *trainer, tulle_model **model);

/* --- Dataset --------------------------------------------------------------------------------- */

/* A table of numbers with named columns, and a split for each row if it came with one. */
typedef struct tulle_dataset tulle_dataset;

enum tulle_split {
    TULLE_SPLIT_TRAIN = 0,
    TULLE_SPLIT_VALID = 1,
    TULLE_SPLIT_TEST = 2,
    TULLE_SPLIT_ALL = 3 /* as an argument only: every row */
};

TULLE_API const char *tulle_split_name(enum tulle_split split); /* "train", "valid", ... */

/* Accepts "val" and "validation" for valid too. */
TULLE_API enum tulle_status tulle_split_from_name(const char *name, enum tulle_split *split);

struct tulle_read_options {
    size_t size;
    const char *const *columns; /* NULL: all but drop and split_column; else these, in this order */
    size_t column_count;
    const char *const *drop; /* columns to leave out; may be NULL */
    size_t drop_count;
    const char *split_column; /* holds train, valid or test for each row; NULL: there is none */
};

#define TULLE_READ_OPTIONS                                                                         \
    {                                                                                              \
        sizeof(struct tulle_read_options), NULL, 0, NULL, 0, NULL                                  \
    }

/*
 * Reads a table; path "-" is standard input, and gzip is undone whatever the name. The content
 * tells the format:
 *
 *   .npy   2-D, of f4, f8, i1..i8 or u1..u8, either byte order, C or Fortran order; the columns
 *          are named c0, c1, ...
 *   CSV    RFC 4180 with ',', ';' or tab, LF or CRLF, with or without a UTF-8 byte order mark. The
 *          first row names the columns, unless it holds nothing but numbers (and empty cells): then
 *          it is data and the columns are c0, c1, ... Blank lines are skipped, and blanks around
 *          names and numbers ignored.
 *
 * Only the columns that are kept are looked at; their names must be UTF-8, and each of their cells
 * must hold a number of at most 1e150 in size, so that squares can be summed; the decimal is
 * rounded correctly. options may be NULL. TULLE_ERROR_DATA says where and why.
 */
TULLE_API enum tulle_status tulle_dataset_read(const char *path,
                                               const struct tulle_read_options *options,
                                               tulle_dataset **dataset, struct tulle_error *error);

/* Copies arrays: names is (columns) or NULL for c0, c1, ...; splits is (rows) values of enum
 * tulle_split or NULL. Every value must be a number of at most 1e150 in size. */
TULLE_API enum tulle_status tulle_dataset_create(const char *const *names,
                                                 struct tulle_matrix values,
                                                 const unsigned char *splits,
                                                 tulle_dataset **dataset,
                                                 struct tulle_error *error);
TULLE_API void tulle_dataset_free(tulle_dataset *dataset);

struct tulle_dataset_info {
    const char *source;         /* the path, "standard input" or, for arrays, "" */
    size_t rows, columns;       /* of the columns kept, without the split column */
    const char *const *names;   /* (columns) */
    const double *values;       /* (rows, columns), dense */
    const unsigned char *split; /* (rows) of enum tulle_split, or NULL */
    const char *split_column;   /* its name, or NULL */
    int has_header;             /* whether the names came from the file */
};

TULLE_API const struct tulle_dataset_info *tulle_dataset_info(const tulle_dataset *dataset);

/* --- Model ----------------------------------------------------------------------------------- */

/* A column as the model knows it. Inputs enter the network as (value - mean) / scale; its outputs
 * leave as output * scale + mean. Without standardisation, mean is 0 and scale is 1. */
struct tulle_column {
    const char *name;
    double mean, scale;
    double minimum, maximum; /* over the training rows; equal for a constant column */
};

/* Of one target over some rows, in the target's own units. */
struct tulle_metrics {
    size_t rows;
    double rmse, mae;
    double r2; /* 1 - sum (o - y)^2 / sum (y - mean y)^2; NaN where the target is constant */
};

/* All about a model but its weights. */
struct tulle_model_info {
    unsigned format_version;   /* of the file it came from or would be saved in */
    const char *tulle_version; /* that trained it */
    const char *checksum;      /* 16 hexadecimal digits; "" for a model that came from no file */
    enum tulle_type precision;
    size_t input_count, target_count, layer_count;
    const struct tulle_column *inputs;  /* (input_count) */
    const struct tulle_column *targets; /* (target_count) */
    const struct tulle_layer *layers;   /* (layer_count) */
    size_t parameter_count;             /* weights and biases */
    /* How it was trained. epochs is 0 for a model that came from a tulle_trainer. */
    enum tulle_loss loss;
    enum tulle_optimizer optimizer;
    double learning_rate;
    size_t batch_size, epochs;
    uint32_t seed;
    int standardize;
    const char *split_column; /* NULL: rows were split at random by the two fractions */
    double valid_fraction, test_fraction;
    size_t rows[3];                      /* train, valid, test */
    const struct tulle_metrics *metrics; /* (3, target_count), rows = 0 where none were measured */
};

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

/* Loads what tulle_model_save wrote. Any other file is refused: TULLE_ERROR_FORMAT,
 * TULLE_ERROR_VERSION or TULLE_ERROR_IO; never a crash, and no allocation beyond what the file's
 * own length justifies. */
TULLE_API enum tulle_status tulle_model_load(const char *path, tulle_model **model,
                                             struct tulle_error *error);

/* Sessions made from the model must have been freed before it. */
TULLE_API void tulle_model_free(tulle_model *model);

/* --- Training on a dataset ------------------------------------------------------------------- */

/* Where training is, passed to the progress callback after every step. */
struct tulle_progress {
    size_t epoch, epochs; /* epoch counts from 1 */
    size_t step, steps;   /* of this epoch; step counts from 1 */
    double train_loss;    /* mean over this epoch's rows so far, of the standardised target */
    double valid_loss;    /* after the last whole epoch; NaN before the first and without rows */
};

/* Returns 0 to go on; anything else stops with TULLE_ERROR_INTERRUPTED. */
typedef int tulle_progress_fn(const struct tulle_progress *progress, void *user);

#define TULLE_DEFAULT_HIDDEN                                                                       \
    {                                                                                              \
        128, 128                                                                                   \
    }

struct tulle_train_options {
    size_t size;
    const char *const *targets; /* (target_count) column names; no default; the other columns */
    size_t target_count;        /* of the dataset are the inputs */
    double valid_fraction;      /* 0.1; the two fractions of rows are drawn at random, and */
    double test_fraction;       /* 0; used only for a dataset without splits */
    const size_t *hidden;       /* units of the hidden layers; NULL: TULLE_DEFAULT_HIDDEN */
    size_t hidden_count;        /* with hidden: may be 0, for a linear model */
    enum tulle_activation activation; /* TULLE_ACTIVATION_RELU; of the hidden layers */
    enum tulle_loss loss;
    enum tulle_optimizer optimizer;
    double learning_rate; /* 0.02 */
    size_t batch_size;    /* 32 */
    size_t epochs;        /* 100 */
    enum tulle_type precision;
    uint32_t seed;
    unsigned threads;            /* see tulle_trainer_options */
    int standardize;             /* 1: inputs and targets to mean 0 and standard deviation 1 */
    tulle_progress_fn *progress; /* NULL; called on the thread that called tulle_train */
    void *user;
};

#define TULLE_TRAIN_OPTIONS                                                                        \
    {                                                                                              \
        sizeof(struct tulle_train_options), NULL, 0, 0.1, 0, NULL, 0, TULLE_ACTIVATION_RELU,       \
            TULLE_LOSS_MSE, TULLE_OPTIMIZER_SGD, 0.02, 32, 100, TULLE_F32, 0, 0, 1, NULL, NULL     \
    }

/*
 * Trains a network on the dataset's training rows and measures it on each split. Means and
 * standard deviations come from the training rows alone; a constant column has scale 1.
 * Needs at least two training rows. TULLE_ERROR_DIVERGED names the epoch; a model is then not made.
 */
TULLE_API enum tulle_status tulle_train(const tulle_dataset *dataset,
                                        const struct tulle_train_options *options,
                                        tulle_model **model, struct tulle_error *error);

/*
 * Measures a model on the rows of one split, or TULLE_SPLIT_ALL. The dataset's columns are matched
 * by name; it may have more. metrics is (target_count).
 */
TULLE_API enum tulle_status tulle_evaluate(const tulle_model *model, const tulle_dataset *dataset,
                                           enum tulle_split split, struct tulle_metrics *metrics,
                                           struct tulle_error *error);

/* --- Session --------------------------------------------------------------------------------- */

/* Scratch memory for predicting with one model, on one thread at a time. */
typedef struct tulle_session tulle_session;

TULLE_API enum tulle_status tulle_session_create(const tulle_model *model, tulle_session **session);
TULLE_API void tulle_session_free(tulle_session *session);

/*
 * From now on tulle_session_predict takes up to so many threads for batches that are worth it; 0: as
 * many as there are CPUs. A new session has one. The threads belong to the session and sleep between
 * calls. TULLE_ERROR_MEMORY leaves the session as it was.
 */
TULLE_API enum tulle_status tulle_session_set_threads(tulle_session *session, unsigned threads);

/*
 * Predicts all rows of x, whose columns are the model's inputs in the model's order and in their
 * own units; out is (rows, target_count), in the targets' own units. Does not allocate, and on one
 * thread makes no system call and takes no lock.
 * A row's prediction has the same bits whatever other rows stand beside it. The network computes in
 * the model's precision; the return to the target's units is in double, so that a target far from 0
 * keeps its digits if out is f64. A prediction is not finite where an input is not, or is beyond
 * the precision's range: it does not saturate silently.
 */
TULLE_API enum tulle_status tulle_session_predict(tulle_session *session, struct tulle_matrix x,
                                                  struct tulle_matrix_out out);

/* --- Predicting a file ----------------------------------------------------------------------- */

struct tulle_predict_options {
    size_t size;
    int (*progress)(size_t rows,
                    void *user); /* NULL; called between blocks, as tulle_progress_fn */
    void *user;
};

#define TULLE_PREDICT_OPTIONS                                                                      \
    {                                                                                              \
        sizeof(struct tulle_predict_options), NULL, NULL                                           \
    }

/*
 * Reads the model's input columns, matched by name, from the table at `input` (as
 * tulle_dataset_read) and writes a CSV with one column per target, named, and one line per row to
 * `output` ("-": standard output; a regular file appears only when it is complete). Numbers have as
 * many digits as it takes to read them back exactly. options and rows may be NULL. A prediction
 * that is not finite is TULLE_ERROR_DATA.
 */
TULLE_API enum tulle_status tulle_predict_file(const tulle_model *model, const char *input,
                                               const char *output,
                                               const struct tulle_predict_options *options,
                                               size_t *rows, struct tulle_error *error);

/* --- Utilities ------------------------------------------------------------------------------- */

/* The index of the name that is nearest to `name` (Levenshtein distance, 1966), for "did you mean";
 * SIZE_MAX if none is near: the distance must be at most a third of the longer length, rounded up,
 * and less than the whole of it. */
TULLE_API size_t tulle_nearest_name(const char *name, const char *const *names, size_t count);

#ifdef __cplusplus
}
#endif
#endif
