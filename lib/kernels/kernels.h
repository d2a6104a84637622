/*
 * kernels.h - the arithmetic of a network, one table of functions per instruction set and
 * precision.
 *
 * Pointers are void because precision is a property of the table: its functions read and write
 * numbers of `type`. Matrices are feature-major where a row is a feature and a column a sample, and
 * sample-major where a row is a sample. Buffers are aligned to TULLE_ALIGNMENT and row strides are
 * multiples of TULLE_ROW_PAD elements, so that a tile's tail computes whole vectors into the
 * padding by the same instructions as its body.
 *
 * Same bits everywhere. Every element that these functions write is one sum in one order, whatever
 * the table: products add their terms by fused multiply-add with k ascending, starting from the
 * bias or from 0; sum_rows adds TULLE_ROW_PAD interleaved partial sums and then those pairwise.
 * Vector width decides which elements are computed side by side, and nothing else.
 */
#ifndef TULLE_KERNELS_H
#define TULLE_KERNELS_H

#include "../../include/tulle.h"

/* Rows of every matrix are padded to a multiple of this many elements, whatever the table: a whole
 * number of vectors of any instruction set, and the number of partial sums of sum_rows. */
#define TULLE_ROW_PAD 16

/* The operands of C = A B: A's element (m, k) is a[m * a_row + k * a_column], B's (k, n) is
 * b[k * b_row + n], C's (m, n) is c[m * c_row + n]. Where A comes in blocks of k_block columns,
 * those of block i begin at a + i * a_block. */
struct product {
    const void *a, *b;
    void *c;
    size_t a_row, a_column, b_row, c_row;
    size_t k;                /* terms of each sum, >= 1 */
    size_t k_block, a_block; /* k_block >= k: one block, a_block is not used */
};

/* The part of C that is asked for. Columns are computed up to the next whole vector. */
struct tile_range {
    size_t row_begin, row_end, column_begin, column_end; /* column_begin: a multiple of columns */
};

struct kernels {
    const char *name; /* of the instruction set */
    enum tulle_type type;
    size_t rows, columns; /* of a whole tile: the grain for dividing work among threads */

    /* C = act(bias + A B), and slope = act'(bias + A B) unless slope is NULL. bias is (rows), slope
     * is laid out as C. The forward pass: A the weights, B and C feature-major activations. */
    void (*forward)(const struct product *product, struct tile_range range, const void *bias,
                    void *slope, enum tulle_activation activation);

    /* C = C * A B, element by element. The gradient with respect to a layer's input: A the weights
     * by columns, B the gradient at the layer's output, C the slopes at its input. */
    void (*multiply)(const struct product *product, struct tile_range range);

    /* C = C + alpha A B. The weights' step: A the gradient at the layer's output, B its input
     * sample-major, C the weights, alpha minus the learning rate. */
    void (*accumulate)(const struct product *product, struct tile_range range, double alpha);

    /* to[m] = to[m] + alpha * (sum of row m of A), for rows [row_begin, row_end) of the product's
     * A, whose a_column is 1; k_block is a multiple of TULLE_ROW_PAD. The biases' step. */
    void (*sum_rows)(const struct product *product, size_t row_begin, size_t row_end, double alpha,
                     void *to);

    /* to[c * to_row + r] = from[r * from_row + c]. */
    void (*transpose)(const void *from, size_t from_row, size_t rows, size_t columns, void *to,
                      size_t to_row);

    /* The gradient of one output over n samples, dz = dloss/do * act', in the place of act'
     * (slope), and the loss of each sample, added to losses. */
    void (*loss)(enum tulle_loss loss, const void *outputs, const void *targets, size_t n,
                 void *slope, double *losses);
};

/* The best table for this machine. The environment variable TULLE_KERNELS (generic, avx2, avx512)
 * names the best one to take, and so can only lower the choice: the library's only look at the
 * environment, for tests and bug reports. */
const struct kernels *tulle_kernels(enum tulle_type type);

/* A table by the name of its instruction set; NULL if this machine or build lacks it. */
const struct kernels *tulle_kernels_by_name(const char *name, enum tulle_type type);

#endif
