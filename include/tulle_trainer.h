/* tulle_trainer.h - networks, and trainers: networks that learn from the caller's arrays. Part of
 * tulle.h, which has the conventions; include that.
 *
 * Threads: each trainer has its own memory, generator and threads, so that trainers may be made,
 * used and freed on any threads at once, each by one thread at a time. The names are constants. */
#ifndef TULLE_API_TRAINER_H
#define TULLE_API_TRAINER_H

#include "tulle_base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- What a network is made of --------------------------------------------------------------- */

/* X(NAME, value, name, formula). The derivatives of relu and leaky_relu at 0 are 1. */
#define TULLE_ACTIVATION_LIST(X)                                                                   \
    X(IDENTITY, 0, identity, "z")                                                                  \
    X(RELU, 1, relu, "max(0, z)")                                                                  \
    X(LEAKY_RELU, 2, leaky_relu, "z >= 0 ? z : 0.01 z")                                            \
    X(TANH, 3, tanh, "tanh(z)")                                                                    \
    X(LOGISTIC, 4, logistic, "1 / (1 + exp(-z))")                                                  \
    X(ELU, 5, elu, "z >= 0 ? z : exp(z) - 1")                                                      \
    X(SELU, 6, selu, "1.0507 (z >= 0 ? z : 1.6733 (exp(z) - 1))")                                  \
    X(SILU, 7, silu, "z / (1 + exp(-z))")                                                          \
    X(MISH, 8, mish, "z tanh(log(1 + exp(z)))")                                                    \
    X(GELU, 9, gelu, "z (1 + erf(z / sqrt(2))) / 2")                                               \
    X(GELU_TANH, 10, gelu_tanh, "z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2")               \
    X(SOFTPLUS, 11, softplus, "log(1 + exp(z))")                                                   \
    X(SINE, 12, sine, "sin(z); NaN where z is beyond 2^20, in f64 2^49")

enum tulle_activation {
#define TULLE_ACTIVATION_ENUM(NAME, value, name, formula) TULLE_ACTIVATION_##NAME = value,
    TULLE_ACTIVATION_LIST(TULLE_ACTIVATION_ENUM)
#undef TULLE_ACTIVATION_ENUM
        TULLE_ACTIVATION_AUTO = -1 /* for tulle_train alone: as the recipe says */
};

/*
 * X(NAME, value, name, formula) of one output o and its target y. The loss that is reported is the
 * mean over rows and outputs, that of cross_entropy over rows. The gradient that flows back is that
 * of the sum over a row's outputs; for mse of half the squared error, o - y. huber_delta, d, and
 * label_smoothing, s, are options of the trainer.
 */
#define TULLE_LOSS_LIST(X)                                                                         \
    X(MSE, 0, mse, "(o - y)^2")                                                                    \
    X(MAE, 1, mae, "|o - y|")                                                                      \
    X(HUBER, 2, huber, "|o - y| <= d ? (o - y)^2 / 2 : d (|o - y| - d / 2)")                       \
    X(QUANTILE, 3, quantile, "max(q (y - o), (q - 1) (y - o)), for each quantile q an output")     \
    X(POISSON, 4, poisson, "exp(o) - y o, for counts y >= 0 with the mean exp(o)")                 \
    X(GAMMA, 5, gamma, "o + y exp(-o), for y > 0 with the mean exp(o)")                            \
    X(BINARY_CROSS_ENTROPY, 6, binary_cross_entropy,                                               \
      "log(1 + exp(o)) - t o, with t = y (1 - s) + s / 2 of y in 0..1")                            \
    X(CROSS_ENTROPY, 7, cross_entropy,                                                             \
      "log(sum exp(o_k)) - sum t_k o_k, with t_k = s / classes + (k == y ? 1 - s : 0)")

enum tulle_loss {
#define TULLE_LOSS_ENUM(NAME, value, name, formula) TULLE_LOSS_##NAME = value,
    TULLE_LOSS_LIST(TULLE_LOSS_ENUM)
#undef TULLE_LOSS_ENUM
        TULLE_LOSS_AUTO = -1 /* for tulle_train alone: as the target's kind suggests */
};

/*
 * X(NAME, value, name, formula) with g the gradient, m and v kept for every parameter and 0 at
 * first. Of these, m' and v' are m / (1 - beta1^t) and v / (1 - beta2^t) after t steps.
 * weight_decay d adds d w to g, but adamw takes w -= learning_rate d w besides its step.
 */
#define TULLE_OPTIMIZER_LIST(X)                                                                    \
    X(SGD, 0, sgd, "m = momentum m + g; w -= learning_rate m")                                     \
    X(NESTEROV, 1, nesterov, "m = momentum m + g; w -= learning_rate (g + momentum m)")            \
    X(RMSPROP, 2, rmsprop,                                                                         \
      "v = beta2 v + (1 - beta2) g^2; w -= learning_rate g / (sqrt(v) + epsilon)")                 \
    X(ADAM, 3, adam,                                                                               \
      "m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; "                               \
      "w -= learning_rate m' / (sqrt(v') + epsilon)")                                              \
    X(ADAMW, 4, adamw, "adam, with decoupled weight decay (Loshchilov and Hutter, 2019)")

enum tulle_optimizer {
#define TULLE_OPTIMIZER_ENUM(NAME, value, name, formula) TULLE_OPTIMIZER_##NAME = value,
    TULLE_OPTIMIZER_LIST(TULLE_OPTIMIZER_ENUM)
#undef TULLE_OPTIMIZER_ENUM
        TULLE_OPTIMIZER_AUTO = -1 /* for tulle_train alone: as the recipe says */
};

/* X(NAME, value, name, formula): how a layer's weights begin; biases begin at 0, but for data. */
#define TULLE_INITIALIZER_LIST(X)                                                                  \
    X(FAN_IN, 0, fan_in, "uniform in +-1 / sqrt(inputs)")                                          \
    X(HE, 1, he, "normal, deviation sqrt(2 / inputs) (He et al., 2015)")                           \
    X(GLOROT, 2, glorot, "uniform in +-sqrt(6 / (inputs + units)) (Glorot and Bengio, 2010)")      \
    X(LECUN, 3, lecun, "normal, deviation sqrt(1 / inputs) (LeCun et al., 1998)")                  \
    X(DATA, 4, data,                                                                               \
      "lecun, then each unit scaled and shifted so that over some of the rows its sums deviate "   \
      "by 1 and are 0 at a random mean of five of them (Holzmueller et al., 2024)")

enum tulle_initializer {
#define TULLE_INITIALIZER_ENUM(NAME, value, name, formula) TULLE_INITIALIZER_##NAME = value,
    TULLE_INITIALIZER_LIST(TULLE_INITIALIZER_ENUM)
#undef TULLE_INITIALIZER_ENUM
        TULLE_INITIALIZER_AUTO = -1 /* for tulle_train alone: as the recipe says */
};

/* X(NAME, value, name, formula): what a learning rate means to weights. */
#define TULLE_PARAMETRIZATION_LIST(X)                                                              \
    X(STANDARD, 0, standard, "z = w x + b")                                                        \
    X(NTK, 1, ntk,                                                                                 \
      "as if z = w x / sqrt(inputs) + b: steps are smaller in layers of more inputs (Jacot et "    \
      "al., 2018)")

enum tulle_parametrization {
#define TULLE_PARAMETRIZATION_ENUM(NAME, value, name, formula) TULLE_PARAMETRIZATION_##NAME = value,
    TULLE_PARAMETRIZATION_LIST(TULLE_PARAMETRIZATION_ENUM)
#undef TULLE_PARAMETRIZATION_ENUM
        TULLE_PARAMETRIZATION_AUTO = -1 /* for tulle_train alone: as the recipe says */
};

/* X(NAME, value, name, formula): where libraries differ in what they mean by the same step. */
#define TULLE_DIALECT_LIST(X)                                                                      \
    X(PYTORCH, 0, pytorch, "as TULLE_OPTIMIZER_LIST has it")                                       \
    X(SKLEARN, 1, sklearn,                                                                         \
      "sgd: m = momentum m + learning_rate g; w -= m; nesterov: the same m; "                      \
      "w -= learning_rate g + momentum m; adam, adamw: w -= learning_rate "                        \
      "sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon), at the end of section 2 of "     \
      "Kingma and Ba (2015); means of rows with weights divide by the sum of the weights")

enum tulle_dialect {
#define TULLE_DIALECT_ENUM(NAME, value, name, formula) TULLE_DIALECT_##NAME = value,
    TULLE_DIALECT_LIST(TULLE_DIALECT_ENUM)
#undef TULLE_DIALECT_ENUM
};

/* How a step's gradients are put together from those of its rows. */
enum tulle_reduction { TULLE_REDUCTION_MEAN = 0, TULLE_REDUCTION_SUM = 1 };

/* The names used in files and on the command line ("leaky_relu"); NULL for a value that is none. */
TULLE_API const char *tulle_activation_name(enum tulle_activation activation);
TULLE_API const char *tulle_loss_name(enum tulle_loss loss);
TULLE_API const char *tulle_optimizer_name(enum tulle_optimizer optimizer);
TULLE_API const char *tulle_initializer_name(enum tulle_initializer initializer);
TULLE_API const char *tulle_parametrization_name(enum tulle_parametrization parametrization);
TULLE_API const char *tulle_dialect_name(enum tulle_dialect dialect);
TULLE_API const char *tulle_type_name(enum tulle_type type); /* "f32", "f64" */

/* The values that the names stand for; TULLE_ERROR_ARGUMENT for a name that is none. */
TULLE_API enum tulle_status tulle_activation_from_name(const char *name,
                                                       enum tulle_activation *activation);
TULLE_API enum tulle_status tulle_loss_from_name(const char *name, enum tulle_loss *loss);
TULLE_API enum tulle_status tulle_optimizer_from_name(const char *name,
                                                      enum tulle_optimizer *optimizer);
TULLE_API enum tulle_status tulle_initializer_from_name(const char *name,
                                                        enum tulle_initializer *initializer);
TULLE_API enum tulle_status
tulle_parametrization_from_name(const char *name, enum tulle_parametrization *parametrization);
TULLE_API enum tulle_status tulle_dialect_from_name(const char *name, enum tulle_dialect *dialect);
TULLE_API enum tulle_status tulle_type_from_name(const char *name, enum tulle_type *type);

/* One dense layer: units outputs, each act(w . x + b). */
struct tulle_layer {
    size_t units; /* >= 1 */
    enum tulle_activation activation;
    /* Each unit learns how much of the activation it takes: z + a (act(z) - z), with a = 1 at
     * first (the mixing of RealMLP; Holzmueller et al., 2024). */
    int parametric;
    /* In [0, 1): the share of outputs that a step sets to 0, the others growing by 1 / (1 -
     * dropout) (Srivastava et al., 2014). Not of the last layer. */
    double dropout;
};

/* A table of vectors that are learned: a category's input to the network. */
struct tulle_embedding {
    size_t levels;     /* >= 1; an input is 0 for none of them, or 1..levels */
    size_t dimensions; /* >= 1 */
};

/*
 * What stands between a sample's numbers and the first layer. All of it may be absent: a zeroed
 * struct.
 *
 * Of each number x among `numbers` the first layer has, besides x, `dimensions` more inputs,
 * learned functions of x: waves or splines.
 *
 * - Waves are sum_f V_df cos(2 pi (w_f x) + b_f) + c_d over `frequencies` learned w, b and V of the
 *   number's own, NaN where an angle is beyond 2^20, in f64 2^49. They begin with w normal of
 *   deviation `frequency_deviation`, b uniform in +-pi, V and c uniform in +-1 / sqrt(frequencies)
 *   (the periodic part of RealMLP's "PBLD"; Holzmueller et al., 2024).
 * - Splines are piecewise linear: sum_t W_td min(1, max(0, (x - k_t) / (k_(t+1) - k_t))) over
 *   `bins` between the number's knots k, with learned W that begin at 0 ("PLE"; Gorishniy et al.,
 *   2022).
 *
 * The inputs of the first layer, x's, embedded numbers and levels' vectors alike, may each be
 * multiplied by a learned factor, which is 1 at first.
 *
 * With members k > 1 a sample goes through the network k times, each time with factors and a last
 * layer of its own; what is in between is shared. The factors then are normal numbers at first, one
 * for all inputs that come from the same number or level. In a step each of the k learns by itself;
 * their mean output is the network's (the "mini" of TabM; Gorishniy et al., 2025). Members need
 * factors.
 */
struct tulle_front {
    const size_t *numbers; /* (number_count) of the inputs, ascending */
    size_t number_count;
    size_t dimensions;  /* of each number, at most 4096; 0 where there are no numbers */
    size_t frequencies; /* of waves, at most 4096, */
    double frequency_deviation;
    size_t bins;         /* or of splines, at most 65,536; the other is 0 */
    const double *knots; /* (number_count, bins + 1), finite and ascending, in f32 too if that is
                            the precision; those that a number of fewer bins has not are beyond its
                            values */
    int has_factors;
    size_t members; /* 0 is 1; at most 1024 */
};

/* --- Trainer --------------------------------------------------------------------------------- */

/*
 * Parameters, optimiser and random numbers of one network that learns from arrays: for training
 * loops of your own (reinforcement learning, simulation, tests). tulle_train() does the whole job
 * on a table.
 */
typedef struct tulle_trainer tulle_trainer;
typedef struct tulle_model tulle_model;

/*
 * A loss of your own, of a batch: outputs (rows, outputs), what the network gives, and targets
 * (rows, columns of y), both dense. Fills in gradient (rows, outputs), the derivative of the
 * batch's loss, summed over rows, by each output; the trainer divides by the rows as its reduction
 * says, and multiplies by the rows' weights. Returns the batch's mean loss, without weights. Called
 * on the thread that called the trainer, once a step.
 */
typedef double tulle_loss_fn(size_t rows, size_t outputs, const double *output, size_t targets,
                             const double *target, double *gradient, void *user);

struct tulle_trainer_options {
    size_t size;                      /* sizeof (struct tulle_trainer_options) */
    size_t inputs;                    /* columns of x that are numbers; see embeddings */
    const struct tulle_layer *layers; /* first hidden to output; no default */
    size_t layer_count;               /* >= 1; the outputs are layers[layer_count - 1].units */
    enum tulle_type precision;        /* TULLE_F32 */
    enum tulle_loss loss;             /* TULLE_LOSS_MSE */
    enum tulle_optimizer optimizer;   /* TULLE_OPTIMIZER_SGD */
    double learning_rate;             /* 0.01; finite, >= 0 */
    size_t batch_size;                /* 32; rows a step of tulle_trainer_epoch */
    enum tulle_reduction weight_reduction, bias_reduction; /* TULLE_REDUCTION_MEAN */
    unsigned threads; /* at most that many; 0: as the CPUs and the work of a step allow */
    uint32_t seed;    /* 0; of the trainer's generator, unless rng is given, and of dropout */
    const struct tulle_rng *rng; /* NULL; else the generator starts as a copy of this one */

    /* Columns of x behind the inputs, each a level of an embedding: whole numbers. The first layer
     * has the inputs and then the embeddings' vectors, which begin uniform in +-1 / sqrt(levels),
     * that of level 0 at 0. */
    const struct tulle_embedding *embeddings;
    size_t embedding_count; /* 0 */
    enum tulle_initializer
        initializer; /* TULLE_INITIALIZER_FAN_IN; data is lecun but in tulle_train */

    double momentum;           /* 0; in [0, 1), of sgd and nesterov */
    double beta1, beta2;       /* 0.9, 0.999; in [0, 1) */
    double epsilon;            /* 1e-8; > 0 */
    double weight_decay;       /* 0; >= 0 */
    double bias_learning_rate; /* 1; >= 0: times learning_rate, for biases */
    double bias_weight_decay;  /* 0; >= 0: times weight_decay, for biases */
    double clip_norm; /* 0: none; else the largest norm of all gradients together, by the */
                      /* weights as they stand, whatever the parametrization */
    /* 0: none; else, in (0, 1), predictions and losses outside steps use an average of the
     * parameters, a = averaging a + (1 - averaging) w after each step, a = w at first. */
    double averaging;

    double huber_delta;           /* 1; > 0 */
    double label_smoothing;       /* 0; in [0, 1) */
    const double *quantiles;      /* (quantile_count) in (0, 1), ascending; outputs are (targets, */
    size_t quantile_count;        /* quantiles). NULL and 0: the median alone */
    tulle_loss_fn *loss_function; /* NULL; in place of loss. Costs one more forward pass */
    void *user;                   /* its last argument */
    size_t targets;               /* with a loss_function, columns of y; 0: as outputs */

    struct tulle_front front;                   /* none of it */
    enum tulle_parametrization parametrization; /* TULLE_PARAMETRIZATION_STANDARD */
    double
        mix_learning_rate; /* 1; >= 0: times learning_rate, for the mixes of parametric layers, */
    double factor_learning_rate; /* 1; the same for the front's factors, and */
    double number_learning_rate; /* 1; for its embeddings of numbers */

    /* 0; >= 0: in a step of so many rows, adds penalty / rows w to the gradient by each weight w of
     * a layer: the derivative of p = penalty / (2 rows) sum w^2. The loss that the step reports
     * grows by p if it is cross_entropy or a loss_function, by 2 p if it is mse, whatever its
     * outputs, and by p / outputs if it is another. So it stays in proportion to scikit-learn's
     * loss: of mse it is twice that, of binary_cross_entropy that over the outputs. */
    double penalty;
    enum tulle_dialect dialect; /* TULLE_DIALECT_PYTORCH */
};

#define TULLE_TRAINER_OPTIONS                                                                      \
    {                                                                                              \
        sizeof(struct tulle_trainer_options), 0, NULL, 0, TULLE_F32, TULLE_LOSS_MSE,               \
            TULLE_OPTIMIZER_SGD, 0.01, 32, TULLE_REDUCTION_MEAN, TULLE_REDUCTION_MEAN, 0, 0, NULL, \
            NULL, 0, TULLE_INITIALIZER_FAN_IN, 0, 0.9, 0.999, 1e-8, 0, 1, 0, 0, 0, 1, 0, NULL, 0,  \
            NULL, NULL, 0, {NULL, 0, 0, 0, 0, 0, NULL, 0, 0}, TULLE_PARAMETRIZATION_STANDARD, 1,   \
            1, 1, 0, TULLE_DIALECT_PYTORCH                                                         \
    }

/*
 * Draws the weights from the generator, layer by layer and row by row, and then the embeddings,
 * waves and factors; biases are zero. x has a column for each input and each embedding; y one for
 * each output, but for quantile one for each target and for cross_entropy one, the class: a whole
 * number from 0.
 */
TULLE_API enum tulle_status tulle_trainer_create(const struct tulle_trainer_options *options,
                                                 tulle_trainer **trainer,
                                                 struct tulle_error *error);
TULLE_API void tulle_trainer_free(tulle_trainer *trainer);

/*
 * One update from all rows of x and y. *loss (may be NULL) is the loss before the update; of
 * members the mean of each one's, which is not that of their mean output.
 * Allocates only when x has more rows than batch_size and than any step before it, and in the first
 * step with a loss_function. TULLE_ERROR_MEMORY leaves everything as it was.
 * TULLE_ERROR_DIVERGED: the loss is not finite; the parameters are of no use any
 * more. So it is with a class or level that does not exist.
 */
TULLE_API enum tulle_status tulle_trainer_step(tulle_trainer *trainer, struct tulle_matrix x,
                                               struct tulle_matrix y, double *loss);

/* The same with a weight for each row, (rows), each >= 0: a row's loss and gradient are multiplied
 * by it. Means still divide by the number of rows, so weights had best have the mean 1. */
TULLE_API enum tulle_status tulle_trainer_step_weighted(tulle_trainer *trainer,
                                                        struct tulle_matrix x,
                                                        struct tulle_matrix y,
                                                        const double *weights, double *loss);

/* One update from gradients of your own: dy (rows, outputs) is the derivative of the loss by each
 * output that tulle_trainer_predict gives, summed over rows as far as the reduction is concerned.
 * TULLE_ERROR_ARGUMENT with dropout or averaging, with which a step's outputs are others. */
TULLE_API enum tulle_status
tulle_trainer_step_gradient(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix dy);

/*
 * One pass over x and y: shuffles the row numbers 0..rows-1 with the trainer's generator, then
 * takes a step for every batch_size of them; the last may be short. *loss (may be NULL) is the
 * mean over the rows of the losses before each row's update.
 */
TULLE_API enum tulle_status tulle_trainer_epoch(tulle_trainer *trainer, struct tulle_matrix x,
                                                struct tulle_matrix y, double *loss);

/*
 * The same without a shuffle: a step for every batch_size of the rows order[0..count-1] of x and y,
 * of which any may be there more than once. weights is (rows of x) as in
 * tulle_trainer_step_weighted, of which only those rows' are looked at, or NULL. Draws no random
 * numbers. TULLE_ERROR_ARGUMENT, before anything happens, for a row that is none and a count of 0.
 */
TULLE_API enum tulle_status
tulle_trainer_epoch_ordered(tulle_trainer *trainer, struct tulle_matrix x, struct tulle_matrix y,
                            const double *weights, const size_t *order, size_t count, double *loss);

/* The loss over all rows of x and y with the parameters as they are, without dropout; NaN with a
 * loss_function that returns it. */
TULLE_API enum tulle_status tulle_trainer_loss(tulle_trainer *trainer, struct tulle_matrix x,
                                               struct tulle_matrix y, double *loss);

/*
 * The loss that a step of all rows of x and y would report and the gradient that it would follow,
 * without the step: for optimisers of your own. weights is (rows) or NULL, as in
 * tulle_trainer_step_weighted. gradient (may be NULL) has for each layer that by its weights and
 * then that by its biases, in the shapes of tulle_trainer_get_parameters, with the penalty, if
 * there is one; weight decay, clipping, dropout and the average have no part in it. Of mse it is
 * that of half the loss. May allocate like a step, and in the first call room for as many gradients
 * as there are parameters; TULLE_ERROR_MEMORY leaves everything as it was. A loss that is not
 * finite is no error: nothing has been done.
 */
TULLE_API enum tulle_status tulle_trainer_gradient(tulle_trainer *trainer, struct tulle_matrix x,
                                                   struct tulle_matrix y, const double *weights,
                                                   double *loss, double *gradient);

/* The network's outputs for all rows of x; out is (rows, outputs). */
TULLE_API enum tulle_status tulle_trainer_predict(tulle_trainer *trainer, struct tulle_matrix x,
                                                  struct tulle_matrix_out out);

/*
 * The derivatives by each column of x of what a row's outputs come to, weighed by dy: dx (rows,
 * columns of x) is that of sum_o dy[r][o] output[r][o], with the outputs of tulle_trainer_predict;
 * dy is (rows, outputs). 0 by a column that is a level. Where a function has a corner, that of its
 * right side: relu at 0, a spline at its knots. Does not allocate.
 */
TULLE_API enum tulle_status tulle_trainer_input_gradient(tulle_trainer *trainer,
                                                         struct tulle_matrix x,
                                                         struct tulle_matrix dy,
                                                         struct tulle_matrix_out dx);

/* Copies the parameters of layer number `layer` (from 0): weights is dense (units, inputs),
 * biases is (units), of the last layer with members (members, units, inputs) and (members, units);
 * each may be NULL. In f32 set rounds to nearest. Set leaves the optimiser's
 * memory of earlier steps as it is, and begins the average, if there is one, anew. */
TULLE_API enum tulle_status tulle_trainer_get_parameters(const tulle_trainer *trainer, size_t layer,
                                                         double *weights, double *biases);
TULLE_API enum tulle_status tulle_trainer_set_parameters(tulle_trainer *trainer, size_t layer,
                                                         const double *weights,
                                                         const double *biases);

/* The same for a parametric layer's a, (units); and for embedding number `embedding`, whose table
 * is dense (levels + 1, dimensions). TULLE_ERROR_ARGUMENT where there is none. */
TULLE_API enum tulle_status tulle_trainer_get_mix(const tulle_trainer *trainer, size_t layer,
                                                  double *mix);
TULLE_API enum tulle_status tulle_trainer_set_mix(tulle_trainer *trainer, size_t layer,
                                                  const double *mix);
TULLE_API enum tulle_status tulle_trainer_get_embedding(const tulle_trainer *trainer,
                                                        size_t embedding, double *table);
TULLE_API enum tulle_status tulle_trainer_set_embedding(tulle_trainer *trainer, size_t embedding,
                                                        const double *table);

/* The same for the front: factors is (members, inputs of the first layer); numbers has one number's
 * behind the other's, of waves w (frequencies), b (frequencies), V (dimensions, frequencies) and c
 * (dimensions), of splines W (bins, dimensions). */
TULLE_API enum tulle_status tulle_trainer_get_factors(const tulle_trainer *trainer,
                                                      double *factors);
TULLE_API enum tulle_status tulle_trainer_set_factors(tulle_trainer *trainer,
                                                      const double *factors);
TULLE_API enum tulle_status tulle_trainer_get_numbers(const tulle_trainer *trainer,
                                                      double *numbers);
TULLE_API enum tulle_status tulle_trainer_set_numbers(tulle_trainer *trainer,
                                                      const double *numbers);

/*
 * Every parameter w becomes (1 - share) w + share w', with w' that of `from`, computed in double
 * and then rounded; with a share of 1 it is a copy. For target networks and averages of one's own
 * (Lillicrap et al., 2016). The optimiser's memory and the average fare as with set_parameters.
 * TULLE_ERROR_ARGUMENT unless share is in [0, 1] and the networks are the same: precision, layers
 * (but for dropout), embeddings and front, with its knots.
 */
TULLE_API enum tulle_status tulle_trainer_blend(tulle_trainer *trainer, const tulle_trainer *from,
                                                double share);

/* For schedules of your own; takes effect with the next step. */
TULLE_API enum tulle_status tulle_trainer_set_learning_rate(tulle_trainer *trainer,
                                                            double learning_rate);

/* The same for what layers' dropout and the weight decay are multiplied by, in [0, 1]; 1 at first.
 */
TULLE_API enum tulle_status tulle_trainer_set_regularization(tulle_trainer *trainer, double factor);

/*
 * All that the trainer is between two steps: parameters, the optimiser's memory, the average, the
 * generator, how many steps there were (which names dropout), learning rate and regularization.
 * get writes state_size bytes to `state`, of which each machine makes the same. set takes them into
 * a trainer of the same network, precision, optimizer, and options for the like of momentum and
 * averaging, on any machine: with the same options altogether its steps have the same bits as those
 * of the one that they came from. TULLE_ERROR_FORMAT for any other bytes, which leave the trainer
 * as it was. They are checked for accidents, not against forgers: of those, too, the worst is a
 * trainer of no use.
 */
TULLE_API size_t tulle_trainer_state_size(const tulle_trainer *trainer);
TULLE_API void tulle_trainer_get_state(const tulle_trainer *trainer, void *state);
TULLE_API enum tulle_status tulle_trainer_set_state(tulle_trainer *trainer, const void *state,
                                                    size_t size);

/* The generator, to draw from in the same stream. Lives as long as the trainer. */
TULLE_API struct tulle_rng *tulle_trainer_rng(tulle_trainer *trainer);

/* A model with the parameters as they are now (or their average), its columns named c0, c1, ... and
 * y0, y1, ..., its classes 0, 1, ... and its levels 1, 2, ... (which a session knows by their
 * index, from 0, and level 0 as NaN), with no scaling. TULLE_ERROR_DIVERGED if a parameter is not
 * finite, TULLE_ERROR_ARGUMENT if there are so many columns (some 100,000) that no model file could
 * hold their names. */
TULLE_API enum tulle_status tulle_trainer_model(const tulle_trainer *trainer, tulle_model **model);

#ifdef __cplusplus
}
#endif
#endif
