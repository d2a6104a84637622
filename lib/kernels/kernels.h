/*
 * kernels.h - the arithmetic of a network, one table of functions per instruction set and
 * precision.
 *
 * Pointers are void because precision is a property of the table: its functions read and write
 * numbers of `type`. Activations and gradients are sample-major: a row is a sample, its features
 * lie side by side. Buffers are aligned to TULLE_ALIGNMENT and row strides are multiples of
 * TULLE_ROW_PAD elements, so that a tile's tail computes whole vectors into the padding by the same
 * instructions as its body.
 *
 * Same bits everywhere. Every element that these functions write is one sum in one order, whatever
 * the table: products add their terms by fused multiply-add with k ascending, starting from the
 * bias or from 0; dots add TULLE_ROW_PAD interleaved partial sums and then those pairwise. Vector
 * width decides which elements are computed side by side, and nothing else.
 */
#ifndef TULLE_KERNELS_H
#define TULLE_KERNELS_H

#include "../../include/tulle.h"

/* Rows of every matrix are padded to a multiple of this many elements, whatever the table: a whole
 * number of vectors of any instruction set, and the number of partial sums of a dot. */
#define TULLE_ROW_PAD 16

/* count, rounded up to a multiple of that. */
static inline size_t tulle_padded(size_t count)
{
    return (count + TULLE_ROW_PAD - 1) / TULLE_ROW_PAD * TULLE_ROW_PAD;
}

/* The operands of C = A B: A's element (m, k) is a[m * a_row + k], or a[k * a_row + m] where A
 * comes by columns; B's (k, n) is b[k * b_row + n], or b[n * b_row + k] by columns; C's (m, n) is
 * c[m * c_row + n]. */
struct product {
    const void *a, *b;
    void *c;
    size_t a_row, b_row, c_row;
    size_t k; /* terms of each sum, >= 1 */
};

/* The part of C that is asked for. Columns are computed up to the next whole vector. */
struct tile_range {
    size_t row_begin, row_end, column_begin, column_end; /* column_begin: a multiple of columns */
};

/* Which part of a long sum over samples a call adds: the first begins at 0 and the others at what
 * was kept, the last ends in the parameters and the others in what is kept. With SUM_STORE the last
 * one writes alpha times the sum instead of adding it. */
enum sum_part {
    SUM_MIDDLE = 0,
    SUM_FIRST = 1,
    SUM_LAST = 2,
    SUM_WHOLE = SUM_FIRST | SUM_LAST,
    SUM_STORE = 4
};

/* A loss and its parameters (TULLE_LOSS_LIST). */
struct loss {
    enum tulle_loss kind;
    int is_given; /* no loss: targets are the gradients dloss/do themselves, (outputs) */
    double huber_delta, label_smoothing;
    const double *quantiles; /* (quantile_count); of the quantile loss */
    size_t quantile_count;
};

/* Numbers of a sample's target: one for each of so many outputs, but for quantile and cross_entropy
 * (tulle.h). */
static inline size_t tulle_loss_targets(const struct loss *loss, size_t outputs)
{
    if (loss->is_given)
        return outputs;
    return loss->kind == TULLE_LOSS_CROSS_ENTROPY ? 1
           : loss->kind == TULLE_LOSS_QUANTILE    ? outputs / loss->quantile_count
                                                  : outputs;
}

/* X(NAME, name): functions of one number. */
#define TULLE_ELEMENTARY_LIST(X)                                                                   \
    X(EXP, exp)                                                                                    \
    X(EXPM1, expm1) X(LOG, log) X(LOG1P, log1p) X(TANH, tanh) X(ERF, erf) X(SIN, sin) X(COS, cos)

enum elementary {
#define TULLE_ELEMENTARY_ENUM(NAME, name) ELEMENTARY_##NAME,
    TULLE_ELEMENTARY_LIST(TULLE_ELEMENTARY_ENUM)
#undef TULLE_ELEMENTARY_ENUM
};

/*
 * Where the learned waves of a number stand (struct tulle_front): w (padded), b (padded), V
 * (dimensions, padded) and c, padded too, one behind the other. The padding is 0 and stays 0.
 */
struct waves {
    size_t frequencies, dimensions; /* each at most TULLE_MOST_WAVES */
};

/* Far more than are of use. */
enum { TULLE_MOST_WAVES = 4096 };

/* Elements of one number's waves, a multiple of TULLE_ROW_PAD. */
static inline size_t tulle_waves_size(const struct waves *waves)
{
    return (2 + waves->dimensions) * tulle_padded(waves->frequencies) +
           tulle_padded(waves->dimensions);
}

/* A learned piecewise-linear function of a number (struct tulle_front): W (bins, dimensions) with
 * padded rows, between bins + 1 knots that ascend. The padding is 0 and stays 0. */
struct spline {
    size_t bins, dimensions;
};

static inline size_t tulle_spline_size(const struct spline *spline)
{
    return spline->bins * tulle_padded(spline->dimensions);
}

/* A step of an optimiser (TULLE_OPTIMIZER_LIST) for parameters of one kind. */
struct update {
    enum tulle_optimizer optimizer;
    double learning_rate;
    double momentum, beta1, beta2, epsilon;
    double decay;       /* added to the gradient, times the parameter */
    double shrink;      /* the parameter is multiplied by this first: 1 but for adamw */
    double correction1; /* 1 / (1 - beta1^t) */
    double correction2; /* 1 / (1 - beta2^t) */
    double clip;        /* gradients are multiplied by this first */
    double averaging;   /* of the averages; 0 if there are none */
};

struct kernels {
    const char *name; /* of the instruction set */
    enum tulle_type type;
    size_t columns; /* of a whole tile: the grain for dividing them among threads */

    /* to[i] = (from[i] - mean[i]) / scale[i] for i < n, computed in double, or from[i] as it is
     * where mean is NULL; with missing_is_0 a NaN there is 0. What is out of the range of the
     * table's type becomes NaN: a value out of range must not look like a large one, which tanh
     * would turn into an unremarkable 1. */
    void (*load)(const void *from, enum tulle_type from_type, size_t n, int missing_is_0,
                 const double *mean, const double *scale, void *to);

    /* C = act(bias + A B), and slope = act'(bias + A B) unless slope is NULL. bias is (columns),
     * slope is laid out as C. The forward pass: A the inputs, B the weights (inputs, units). */
    void (*forward)(const struct product *product, struct tile_range range, const void *bias,
                    void *slope, enum tulle_activation activation);

    /* The same with B by columns: weights (units, inputs) of a layer too narrow for a vector of
     * units. Each sum is a dot of a row of A with a row of weights, to which the bias is added. */
    void (*forward_dots)(const struct product *product, struct tile_range range, const void *bias,
                         void *slope, enum tulle_activation activation);

    /* C = C * A B, element by element. The gradient with respect to a layer's input: A the gradient
     * at its output, B its weights (units, inputs), C the slopes at its input. */
    void (*multiply)(const struct product *product, struct tile_range range);

    /* The same with B by columns: weights (inputs, units). Panels of B are turned in `panel`, room
     * for k rows of `columns` numbers. */
    void (*multiply_turned)(const struct product *product, struct tile_range range, void *panel);

    /* C = C + alpha A B, with A by columns; `sums`, laid out as C, keeps what one call's part
     * leaves for the next (not used for SUM_WHOLE). The weights' step: one of A and B is the
     * gradient at a layer's output, the other its input. */
    void (*accumulate)(const struct product *product, struct tile_range range, enum sum_part part,
                       void *sums, double alpha);

    /* c[n] = c[n] + alpha * (sum over k of a[k * a_row + n]) for columns [0, columns), in parts
     * like accumulate; b is not used. The biases' step: A is the gradient at a layer's output. */
    void (*sum_columns)(const struct product *product, size_t columns, enum sum_part part,
                        void *sums, double alpha);

    /* For n samples of `count` outputs: the gradient dz = weight * dloss/do * act' in the place of
     * act' (slope), and each sample's loss, times its weight. outputs and slope have rows `stride`
     * apart; targets are dense, tulle_loss_targets a sample; weights are (n), or NULL for 1. */
    void (*loss)(const struct loss *loss, const void *outputs, size_t stride, const void *targets,
                 const double *weights, size_t n, size_t count, void *slope, double *losses);

    /* A step for n parameters w (a multiple of TULLE_ROW_PAD) with the gradients g; m, v and
     * average hold what the optimiser keeps, NULL where it keeps none. */
    void (*update)(const struct update *update, size_t n, void *w, const void *g, void *m, void *v,
                   void *average);

    /* Dropout of rows of n units: sets those that the generator says to 0 in z and slope, and
     * multiplies the others by 1 / (1 - rate). Unit u of row r is number u of stream first + r of
     * the key: the same whatever the table, the threads and the parts. */
    void (*drop)(void *z, void *slope, size_t stride, size_t rows, size_t n, double rate,
                 uint64_t key, uint64_t first);

    /* A parametric activation on rows of n sums: z = z + a (act(z) - z), with a of each unit. Where
     * slope is not NULL it becomes 1 + a (act'(z) - 1), and gap becomes act(z) - z. */
    void (*mix)(void *z, void *slope, void *gap, size_t stride, size_t rows, size_t n,
                const void *a, enum tulle_activation activation);

    /* to = a b, or with adds to + a b, element by element on rows of n numbers, whose distances may
     * be 0 for a row that is used again and again. All rows are aligned, and their padding 0. */
    void (*scale_rows)(void *to, size_t to_row, const void *a, size_t a_row, const void *b,
                       size_t b_row, size_t rows, size_t n, int adds);

    /* to[i * stride + d] = sum_f V_df cos(2 pi w_f x + b_f) + c_d with x = x[i * stride], for n
     * samples: sums of TULLE_ROW_PAD interleaved parts, and then those pairwise. parameters are
     * laid out as struct waves says. */
    void (*waves)(const struct waves *waves, const void *parameters, const void *x, size_t stride,
                  size_t n, void *to);

    /* The gradients of those parameters from gradient[i * stride + d], that of the sums: added up
     * over samples, in order, in `sums`, which is laid out like the parameters. The first part
     * begins at 0; the last multiplies the sums by alpha. */
    void (*waves_gradient)(const struct waves *waves, const void *parameters, const void *x,
                           const void *gradient, size_t stride, size_t n, enum sum_part part,
                           void *sums, double alpha);

    /* to[i * stride] += the gradient by x[i * stride], from that of the sums. */
    void (*waves_input_gradient)(const struct waves *waves, const void *parameters, const void *x,
                                 const void *gradient, size_t stride, size_t n, void *to);

    /* to[i * stride + d] = sum_t e_t W_td, where e_t is the share of bin t that lies below
     * x[i * stride], for n samples. knots are (bins + 1) numbers of the table's type. */
    void (*spline)(const struct spline *spline, const void *knots, const void *parameters,
                   const void *x, size_t stride, size_t n, void *to);

    /* The gradients of W, as waves_gradient gives those of waves. */
    void (*spline_gradient)(const struct spline *spline, const void *knots, const void *x,
                            const void *gradient, size_t stride, size_t n, enum sum_part part,
                            void *sums, double alpha);

    /* As waves_input_gradient; at a knot that of the bin to its right. */
    void (*spline_input_gradient)(const struct spline *spline, const void *knots,
                                  const void *parameters, const void *x, const void *gradient,
                                  size_t stride, size_t n, void *to);

    /* x[i] = f(x[i]) for n numbers of the table's type, without any alignment. */
    void (*elementary)(enum elementary f, void *x, size_t n);
};

/* The best table for this machine. The environment variable TULLE_KERNELS (generic, avx2, avx512,
 * neon) names the best one to take, and so can only lower the choice: the library's only look at
 * the environment, for tests and bug reports. */
const struct kernels *tulle_kernels(enum tulle_type type);

/* A table by the name of its instruction set; NULL if this machine or build lacks it. */
const struct kernels *tulle_kernels_by_name(const char *name, enum tulle_type type);

#endif
