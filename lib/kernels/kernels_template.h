/*
 * kernels_template.h - the kernels, written once; kernels_<isa>_<type>.c stamps out a table from it
 * after including vec_<isa>.h and defining TABLE, its name.
 *
 * The heart is multiply_tile: a tile of up to TILE_ROWS x TILE_VECS vectors of C stays in registers
 * while k runs; each step broadcasts one number of A per row and loads TILE_VECS vectors of B. The
 * three products differ in what the sums start from and in what is done with them at the end.
 */
#include <string.h>

#include "activations.h"
#include "kernels.h"

/* --- Activations over rows ------------------------------------------------------------------- */

/* In place on n numbers, whole vectors at a time; slope may be NULL. */
typedef void activate_fn(real *z, real *slope, size_t n);

#define DEFINE_ACTIVATE(NAME, value, name, formula)                                                \
    static void activate_row_##name(real *z, real *slope, size_t n)                                \
    {                                                                                              \
        for (size_t i = 0; i < n; i += LANES) {                                                    \
            vec derivative;                                                                        \
            vec_store(z + i, activate_##name(vec_load(z + i), &derivative));                       \
            if (slope)                                                                             \
                vec_store(slope + i, derivative);                                                  \
        }                                                                                          \
    }
TULLE_ACTIVATION_LIST(DEFINE_ACTIVATE)
#undef DEFINE_ACTIVATE

#define ACTIVATE_ENTRY(NAME, value, name, formula) [value] = activate_row_##name,
static activate_fn *const activate_row[] = {TULLE_ACTIVATION_LIST(ACTIVATE_ENTRY)};
#undef ACTIVATE_ENTRY

/* --- Products -------------------------------------------------------------------------------- */

/* What becomes of a tile's sums. */
enum form { FORWARD, MULTIPLY, ACCUMULATE };

struct ending {
    const real *bias;      /* FORWARD: (rows) */
    real *slope;           /* FORWARD: as C, or NULL */
    activate_fn *activate; /* FORWARD */
    real alpha;            /* ACCUMULATE */
};

/* sum[i][j] += sum over k of A[i][k] B[k][j]: a and b point to the tile's first row and column. */
VEC_INLINE void multiply_tile(size_t rows, size_t vecs, const struct product *product,
                              const real *a, const real *b, vec sum[TILE_ROWS][TILE_VECS])
{
    size_t a_row = product->a_row, a_column = product->a_column, b_row = product->b_row;
    for (size_t left = product->k, count; left > 0; left -= count, a += product->a_block) {
        const real *a_at = a;
        count = left < product->k_block ? left : product->k_block;
        for (size_t k = count; k > 0; k--) {
            vec b_vec[TILE_VECS];
            UNROLL
            for (size_t j = 0; j < vecs; j++)
                b_vec[j] = vec_load(b + j * LANES);
            UNROLL
            for (size_t i = 0; i < rows; i++) {
                vec a_vec = vec_set1(a_at[i * a_row]);
                UNROLL
                for (size_t j = 0; j < vecs; j++)
                    sum[i][j] = vec_fma(a_vec, b_vec[j], sum[i][j]);
            }
            a_at += a_column;
            b += b_row;
        }
    }
}

/* One tile of C at row m and column n. rows and vecs are constants wherever this is inlined. */
VEC_INLINE void compute_tile(enum form form, size_t rows, size_t vecs,
                             const struct product *product, size_t m, size_t n,
                             const struct ending *ending)
{
    vec sum[TILE_ROWS][TILE_VECS];
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        vec start = vec_set1(form == FORWARD ? ending->bias[m + i] : 0);
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            sum[i][j] = start;
    }

    multiply_tile(rows, vecs, product, (const real *)product->a + m * product->a_row,
                  (const real *)product->b + n, sum);

    size_t c_row = product->c_row;
    real *c = (real *)product->c + m * c_row + n;
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < vecs; j++) {
            real *to = c + i * c_row + j * LANES;
            vec value = sum[i][j];
            if (form == MULTIPLY)
                value *= vec_load(to);
            if (form == ACCUMULATE)
                value = vec_fma(vec_set1(ending->alpha), value, vec_load(to));
            vec_store(to, value);
        }
    }
    if (form == FORWARD)
        for (size_t i = 0; i < rows; i++)
            ending->activate(c + i * c_row,
                             ending->slope ? ending->slope + (m + i) * c_row + n : NULL,
                             vecs * LANES);
}

/* Picks the stamp of compute_tile for a tile of this size. */
VEC_INLINE void dispatch_tile(enum form form, size_t rows, size_t vecs,
                              const struct product *product, size_t m, size_t n,
                              const struct ending *ending)
{
#define TILE_CASE(r, v)                                                                            \
    case r * 4 + v:                                                                                \
        compute_tile(form, r, v, product, m, n, ending);                                           \
        break;
#define TILE_CASES(r) TILE_CASE(r, 1) TILE_CASE(r, 2)
    switch (rows * 4 + vecs) {
        TILE_CASES(1)
        TILE_CASES(2)
        TILE_CASES(3)
        TILE_CASES(4)
#if TILE_ROWS > 4
        TILE_CASES(5)
        TILE_CASES(6)
#endif
#if TILE_ROWS > 6
        TILE_CASES(7)
        TILE_CASES(8)
        TILE_CASES(9)
        TILE_CASES(10)
        TILE_CASES(11)
        TILE_CASES(12)
#endif
    }
#undef TILE_CASES
#undef TILE_CASE
}

/* All tiles of a range, down the rows first: a panel of B, k x TILE_VECS vectors, stays in the
 * first-level cache while A passes by. */
VEC_INLINE void compute_range(enum form form, const struct product *product,
                              struct tile_range range, const struct ending *ending)
{
    for (size_t n = range.column_begin; n < range.column_end; n += TILE_VECS * LANES) {
        size_t vecs = (range.column_end - n + LANES - 1) / LANES;
        if (vecs > TILE_VECS)
            vecs = TILE_VECS;
        for (size_t m = range.row_begin, rows; m < range.row_end; m += rows) {
            /* The last two tiles share what is left evenly: 8 rows are 4 + 4, not 6 + 2, as a tile
             * of 2 rows cannot hide the latency of its own sums. */
            size_t left = range.row_end - m;
            rows = left >= 2 * TILE_ROWS || left == TILE_ROWS ? TILE_ROWS
                   : left > TILE_ROWS                         ? (left + 1) / 2
                                                              : left;
            dispatch_tile(form, rows, vecs, product, m, n, ending);
        }
    }
}

static void forward(const struct product *product, struct tile_range range, const void *bias,
                    void *slope, enum tulle_activation activation)
{
    struct ending ending = {.bias = bias, .slope = slope, .activate = activate_row[activation]};
    compute_range(FORWARD, product, range, &ending);
}

static void multiply(const struct product *product, struct tile_range range)
{
    compute_range(MULTIPLY, product, range, NULL);
}

static void accumulate(const struct product *product, struct tile_range range, double alpha)
{
    struct ending ending = {.alpha = (real)alpha};
    compute_range(ACCUMULATE, product, range, &ending);
}

/* --- The rest -------------------------------------------------------------------------------- */

/* Element k of a row belongs to partial sum k mod TULLE_ROW_PAD; the upper half of them is added to
 * the lower until one is left. */
static void sum_rows(const struct product *product, size_t row_begin, size_t row_end, double alpha,
                     void *to)
{
    enum { VECS = TULLE_ROW_PAD / LANES };
    for (size_t m = row_begin; m < row_end; m++) {
        const real *a = (const real *)product->a + m * product->a_row;
        vec sum[VECS] = {{0}};
        for (size_t left = product->k, count; left > 0; left -= count, a += product->a_block) {
            count = left < product->k_block ? left : product->k_block;
            size_t k = 0;
            for (; k + TULLE_ROW_PAD <= count; k += TULLE_ROW_PAD) {
                UNROLL
                for (size_t j = 0; j < VECS; j++)
                    sum[j] += vec_load(a + k + j * LANES);
            }
            if (k < count) {
                UNROLL
                for (size_t j = 0; j < VECS; j++)
                    sum[j] += vec_load_first(a + k + j * LANES, count - k, j * LANES);
            }
        }
        UNROLL
        for (size_t half = VECS / 2; half > 0; half /= 2) {
            UNROLL
            for (size_t j = 0; j < half; j++)
                sum[j] += sum[j + half];
        }
        real *target = (real *)to + m;
        *target = REAL_FMA((real)alpha, vec_sum(sum[0]), *target);
    }
}

/* Neither side need be aligned. */
VEC_INLINE void transpose_4x4(const real *from, size_t from_row, real *to, size_t to_row)
{
    quad in[4], out[4];
    UNROLL
    for (size_t i = 0; i < 4; i++)
        memcpy(&in[i], from + i * from_row, sizeof in[i]);
    quad low01 = QUAD_SHUFFLE(in[0], in[1], 0, 4, 1, 5);
    quad high01 = QUAD_SHUFFLE(in[0], in[1], 2, 6, 3, 7);
    quad low23 = QUAD_SHUFFLE(in[2], in[3], 0, 4, 1, 5);
    quad high23 = QUAD_SHUFFLE(in[2], in[3], 2, 6, 3, 7);
    out[0] = QUAD_SHUFFLE(low01, low23, 0, 1, 4, 5);
    out[1] = QUAD_SHUFFLE(low01, low23, 2, 3, 6, 7);
    out[2] = QUAD_SHUFFLE(high01, high23, 0, 1, 4, 5);
    out[3] = QUAD_SHUFFLE(high01, high23, 2, 3, 6, 7);
    UNROLL
    for (size_t i = 0; i < 4; i++)
        memcpy(to + i * to_row, &out[i], sizeof out[i]);
}

static void transpose(const void *from, size_t from_row, size_t rows, size_t columns, void *to,
                      size_t to_row)
{
    enum { BLOCK = 32 }; /* rows, so that what is read stays near until all of its lines are used */
    const real *source = from;
    real *target = to;
    for (size_t begin = 0, end; begin < rows; begin = end) {
        end = rows - begin < BLOCK ? rows : begin + BLOCK;
        size_t whole_rows = end - (end - begin) % 4, whole_columns = columns - columns % 4;
        for (size_t c = 0; c < whole_columns; c += 4)
            for (size_t r = begin; r < whole_rows; r += 4)
                transpose_4x4(source + r * from_row + c, from_row, target + c * to_row + r, to_row);
        for (size_t c = 0; c < columns; c++)
            for (size_t r = c < whole_columns ? whole_rows : begin; r < end; r++)
                target[c * to_row + r] = source[r * from_row + c];
    }
}

/* One function a loss, gradient_<name>: see the table's member loss. */
static void gradient_mse(const real *outputs, const real *targets, size_t n, real *slope,
                         double *losses)
{
    for (size_t i = 0; i < n; i++) {
        real difference = outputs[i] - targets[i];
        slope[i] *= difference;
        losses[i] += (double)difference * (double)difference;
    }
}

static void loss(enum tulle_loss loss, const void *outputs, const void *targets, size_t n,
                 void *slope, double *losses)
{
    switch (loss) {
#define LOSS_CASE(NAME, value, name, formula)                                                      \
    case TULLE_LOSS_##NAME:                                                                        \
        gradient_##name(outputs, targets, n, slope, losses);                                       \
        break;
        TULLE_LOSS_LIST(LOSS_CASE)
#undef LOSS_CASE
    }
}

const struct kernels TABLE = {
    .name = TABLE_NAME,
    .type = REAL_IS_F64 ? TULLE_F64 : TULLE_F32,
    .rows = TILE_ROWS,
    .columns = TILE_VECS * LANES,
    .forward = forward,
    .multiply = multiply,
    .accumulate = accumulate,
    .sum_rows = sum_rows,
    .transpose = transpose,
    .loss = loss,
};
