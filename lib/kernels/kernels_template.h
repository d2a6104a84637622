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
#include "dots.h"
#include "dropout.h"
#include "kernels.h"
#include "losses.h"
#include "spline.h"
#include "update.h"
#include "waves.h"

/* --- Activations over rows ------------------------------------------------------------------- */

/* In place on rows of n numbers, whole vectors at a time; slope may be NULL. */
typedef void activate_fn(real *z, real *slope, size_t stride, size_t rows, size_t n);

#define DEFINE_ACTIVATE(NAME, value, name, formula)                                                \
    static void activate_rows_##name(real *z, real *slope, size_t stride, size_t rows, size_t n)   \
    {                                                                                              \
        for (size_t r = 0; r < rows; r++)                                                          \
            for (size_t i = r * stride; i < r * stride + n; i += LANES) {                          \
                vec derivative;                                                                    \
                vec_store(z + i, activate_##name(vec_load(z + i), &derivative));                   \
                if (slope)                                                                         \
                    vec_store(slope + i, derivative);                                              \
            }                                                                                      \
    }
TULLE_ACTIVATION_LIST(DEFINE_ACTIVATE)
#undef DEFINE_ACTIVATE

#define ACTIVATE_ENTRY(NAME, value, name, formula) [value] = activate_rows_##name,
static activate_fn *const activate_rows[] = {TULLE_ACTIVATION_LIST(ACTIVATE_ENTRY)};
#undef ACTIVATE_ENTRY

/* The padding of rows up to the next whole vector becomes 0 again, so that it never reaches a sum.
 */
static void clear_padding(real *c, size_t c_row, struct tile_range range)
{
    size_t used = range.column_begin < range.column_end ? range.column_end % LANES : 0;
    vec_bits mask;
    UNROLL
    for (size_t i = 0; i < LANES; i++)
        mask[i] = i < used ? ~(bits)0 : 0;
    for (size_t m = range.row_begin; used && m < range.row_end; m++) {
        real *last = c + m * c_row + range.column_end - used;
        vec_store(last, (vec)((vec_bits)vec_load(last) & mask));
    }
}

/* --- Products -------------------------------------------------------------------------------- */

/* What becomes of a tile's sums. */
enum form { FORWARD, MULTIPLY, ACCUMULATE };

struct ending {
    const real *bias;      /* FORWARD: (columns) */
    real *slope;           /* FORWARD: as C, or NULL */
    real below;            /* FORWARD: the slope below 0 of an activation made of two lines, */
    activate_fn *activate; /* or, where it is not, the activation; else NULL */
    enum sum_part part;    /* ACCUMULATE, and so are the rest */
    real *sums;            /* as C */
    real alpha;
};

/* sum[i * vecs + j] += sum over k of A[i][k] B[k][j]: a and b point to the tile's first row and
 * column. Rows of A by rows are addressed in threes, from pointers that fit into registers. */
VEC_INLINE void multiply_tile(int by_columns, size_t rows, size_t vecs,
                              const struct product *product, const real *a, const real *b,
                              vec *restrict sum)
{
    size_t a_row = product->a_row, b_row = product->b_row;
    const real *three[TILE_ROWS / 3 + 1];
    UNROLL
    for (size_t i = 0; i < rows && !by_columns; i += 3)
        three[i / 3] = a + i * a_row;
    for (size_t k = product->k; k > 0; k--) {
        vec b_vec[LONG_VECS];
        UNROLL
        for (size_t j = 0; rows > 1 && j < vecs; j++)
            b_vec[j] = vec_load(b + j * LANES);
        UNROLL
        for (size_t i = 0; i < rows; i++) {
            vec a_vec = vec_set1(by_columns ? a[i] : three[i / 3][i % 3 * a_row]);
            UNROLL
            for (size_t j = 0; j < vecs; j++)
                sum[i * vecs + j] = vec_fma(a_vec, rows > 1 ? b_vec[j] : vec_load(b + j * LANES),
                                            sum[i * vecs + j]);
        }
        a += a_row;
        UNROLL
        for (size_t i = 0; i < rows && !by_columns; i += 3)
            three[i / 3]++;
        b += b_row;
    }
}

/* What becomes of the sums of the tile of C at element `at`. */
VEC_INLINE void end_tile(enum form form, size_t rows, size_t vecs, const struct product *product,
                         size_t at, const vec *sum, const struct ending *ending)
{
    size_t c_row = product->c_row;
    real *c = (real *)product->c + at;
    real *to = form == ACCUMULATE && !(ending->part & SUM_LAST) ? ending->sums + at : c;
    real *slope = form == FORWARD && ending->slope ? ending->slope + at : NULL;
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < vecs; j++) {
            size_t here = i * c_row + j * LANES;
            vec value = sum[i * vecs + j];
            if (form == FORWARD) {
                vec derivative;
                value = activate_lines(value, ending->below, &derivative);
                if (slope)
                    vec_store(slope + here, derivative);
            }
            if (form == MULTIPLY)
                value *= vec_load(c + here);
            if (form == ACCUMULATE && (ending->part & SUM_LAST))
                value = vec_fma(vec_set1(ending->alpha), value,
                                ending->part & SUM_STORE ? vec_set1(0) : vec_load(c + here));
            vec_store(to + here, value);
        }
    }
    if (form == FORWARD && ending->activate)
        ending->activate(c, slope, c_row, rows, vecs * LANES);
}

/* One tile of C at row m and column n, at which B's column b stands. rows and vecs are constants
 * wherever this is inlined. */
VEC_INLINE void compute_tile(enum form form, size_t rows, size_t vecs,
                             const struct product *product, const real *b, size_t m, size_t n,
                             const struct ending *ending)
{
    const real *a = product->a;
    size_t c_row = product->c_row, at = m * c_row + n;
    int resumes = form == ACCUMULATE && !(ending->part & SUM_FIRST);
    vec sum[TILE_ROWS * TILE_VECS];
    UNROLL
    for (size_t i = 0; i < rows; i++) {
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            sum[i * vecs + j] = form == FORWARD ? vec_load(ending->bias + n + j * LANES)
                                : resumes ? vec_load(ending->sums + at + i * c_row + j * LANES)
                                          : vec_set1(0);
    }
    multiply_tile(form == ACCUMULATE, rows, vecs, product,
                  form == ACCUMULATE ? a + m : a + m * product->a_row, b, sum);
    end_tile(form, rows, vecs, product, at, sum, ending);
}

/* The vectors that a tile may be long. A tile of one or two rows is longer, as it needs as many
 * sums to hide their latency. */
#define TILE_LENGTH(rows) ((rows) == 1 ? LONG_VECS : (rows) == 2 ? LONG_VECS / 2 : TILE_VECS)

/* compute_tile stamped out for every form and size, as a function of its own each: together they
 * would need more registers for addresses than there are. */
typedef void tile_fn(const struct product *product, const real *b, size_t m, size_t n,
                     const struct ending *ending);

#define DEFINE_TILE(form, rows, vecs)                                                              \
    static __attribute__((noinline)) void tile_##form##_##rows##_##vecs(                           \
        const struct product *product, const real *b, size_t m, size_t n,                          \
        const struct ending *ending)                                                               \
    {                                                                                              \
        if (vecs <= TILE_LENGTH(rows))                                                             \
            compute_tile(form, rows, vecs, product, b, m, n, ending);                              \
    }
#define DEFINE_TILES(form, rows)                                                                   \
    DEFINE_TILE(form, rows, 1)                                                                     \
    DEFINE_TILE(form, rows, 2)                                                                     \
    DEFINE_TILE(form, rows, 4)                                                                     \
    DEFINE_TILE(form, rows, 8)
#define TILE_ENTRIES(form, rows)                                                                   \
    [rows] = {[1] = tile_##form##_##rows##_1,                                                      \
              [2] = tile_##form##_##rows##_2,                                                      \
              [4] = tile_##form##_##rows##_4,                                                      \
              [8] = tile_##form##_##rows##_8},

/* X(form, rows) for every number of rows. */
#define TILES_TO_4(X, form) X(form, 1) X(form, 2) X(form, 3) X(form, 4)
#define TILES_TO_6(X, form) TILES_TO_4(X, form) X(form, 5) X(form, 6)
#define TILES_TO_12(X, form)                                                                       \
    TILES_TO_6(X, form) X(form, 7) X(form, 8) X(form, 9) X(form, 10) X(form, 11) X(form, 12)
#define TILES_TO_(rows) TILES_TO_##rows
#define TILES_TO(rows) TILES_TO_(rows)
#define ALL_TILES(X, form) TILES_TO(TILE_ROWS)(X, form)

ALL_TILES(DEFINE_TILES, FORWARD)
ALL_TILES(DEFINE_TILES, MULTIPLY)
ALL_TILES(DEFINE_TILES, ACCUMULATE)

static tile_fn *const tiles[][TILE_ROWS + 1][9] = {
    [FORWARD] = {ALL_TILES(TILE_ENTRIES, FORWARD)},
    [MULTIPLY] = {ALL_TILES(TILE_ENTRIES, MULTIPLY)},
    [ACCUMULATE] = {ALL_TILES(TILE_ENTRIES, ACCUMULATE)},
};

/* The largest power of two of vectors that is in `left` columns and in the longest tile. */
static size_t next_vecs(size_t left, size_t longest)
{
    size_t vecs = longest;
    while ((vecs - 1) * LANES >= left)
        vecs /= 2;
    return vecs;
}

/* All row tiles of columns [n, n + vecs * LANES), of which b is the first of B's. */
static void compute_panel(enum form form, const struct product *product, struct tile_range range,
                          const real *b, size_t n, size_t vecs, const struct ending *ending)
{
    for (size_t m = range.row_begin, rows; m < range.row_end; m += rows) {
        /* The last two tiles share what is left evenly: 8 rows are 4 + 4, not 6 + 2, as a tile
         * of 2 rows cannot hide the latency of its own sums. */
        size_t left = range.row_end - m;
        rows = left >= 2 * TILE_ROWS || left == TILE_ROWS ? TILE_ROWS
               : left > TILE_ROWS                         ? (left + 1) / 2
                                                          : left;
        tiles[form][rows][vecs](product, b, m, n, ending);
    }
}

/* All tiles of a range, down the rows first: a panel of B, k x TILE_VECS vectors, stays in the
 * first-level cache while A passes by. */
static void compute_range(enum form form, const struct product *product, struct tile_range range,
                          const struct ending *ending)
{
    size_t rows = range.row_end - range.row_begin, vecs;
    for (size_t n = range.column_begin; n < range.column_end; n += vecs * LANES) {
        vecs = next_vecs(range.column_end - n, TILE_LENGTH(rows));
        compute_panel(form, product, range, (const real *)product->b + n, n, vecs, ending);
    }
}

static void forward(const struct product *product, struct tile_range range, const void *bias,
                    void *slope, enum tulle_activation activation)
{
    struct ending ending = {.bias = bias, .slope = slope, .below = slope_below_0(activation)};
    if (isnan(ending.below)) {
        ending.below = 1;
        ending.activate = activate_rows[activation];
    }
    compute_range(FORWARD, product, range, &ending);
    clear_padding(product->c, product->c_row, range);
    if (slope)
        clear_padding(slope, product->c_row, range);
}

static void multiply(const struct product *product, struct tile_range range)
{
    compute_range(MULTIPLY, product, range, NULL);
}

static void accumulate(const struct product *product, struct tile_range range, enum sum_part part,
                       void *sums, double alpha)
{
    struct ending ending = {.part = part, .sums = sums, .alpha = (real)alpha};
    compute_range(ACCUMULATE, product, range, &ending);
    if (part & SUM_LAST)
        clear_padding(product->c, product->c_row, range); /* infinity times 0 is none */
}

/* --- Products with B by columns -------------------------------------------------------------- */

/* A panel of B that is turned: rows of k, `length` numbers long. It is turned piece by piece into
 * the first-level cache where few rows of A use it, and else as a whole. */
enum { FEW_ROWS = 2, PIECE = 16384 / sizeof(real) };

/* to[j * to_row + i] = from[i * from_row + j] for 4 QUADS rows and 4 columns. */
VEC_INLINE void transpose_quads(const real *from, size_t from_row, real *to, size_t to_row)
{
    quads a = QUADS_LOAD(from, from_row), b = QUADS_LOAD(from + from_row, from_row);
    quads c = QUADS_LOAD(from + 2 * from_row, from_row);
    quads d = QUADS_LOAD(from + 3 * from_row, from_row);
    /* Two columns of four lanes in each of a vector's groups. Which two is what single instructions
     * give: those of 128 bits hold two doubles or four floats. */
#if REAL_IS_F64
    enum { SECOND = 2 };
    quads low_ab = QUADS_SHUFFLE(a, b, 0, 4, 2, 6), low_cd = QUADS_SHUFFLE(c, d, 0, 4, 2, 6);
    quads high_ab = QUADS_SHUFFLE(a, b, 1, 5, 3, 7), high_cd = QUADS_SHUFFLE(c, d, 1, 5, 3, 7);
#else
    enum { SECOND = 1 };
    quads low_ab = QUADS_SHUFFLE(a, b, 0, 4, 1, 5), low_cd = QUADS_SHUFFLE(c, d, 0, 4, 1, 5);
    quads high_ab = QUADS_SHUFFLE(a, b, 2, 6, 3, 7), high_cd = QUADS_SHUFFLE(c, d, 2, 6, 3, 7);
#endif
    *(quads *)to = QUADS_SHUFFLE(low_ab, low_cd, 0, 1, 4, 5);
    *(quads *)(to + SECOND * to_row) = QUADS_SHUFFLE(low_ab, low_cd, 2, 3, 6, 7);
    *(quads *)(to + (3 - SECOND) * to_row) = QUADS_SHUFFLE(high_ab, high_cd, 0, 1, 4, 5);
    *(quads *)(to + 3 * to_row) = QUADS_SHUFFLE(high_ab, high_cd, 2, 3, 6, 7);
}

/* panel[k * length + n] = b[n * b_row + k] for n < columns, k < count; 0 in the rest of a vector.
 */
static void turn(const real *b, size_t b_row, size_t columns, size_t count, real *panel,
                 size_t length)
{
    size_t whole_count = count - count % 4, whole_columns = columns - columns % (4 * QUADS);
    for (size_t k = 0; k < whole_count; k += 4)
        for (size_t n = 0; n < whole_columns; n += 4 * QUADS)
            transpose_quads(b + n * b_row + k, b_row, panel + k * length + n, length);
    size_t padded_columns = columns + -columns % LANES;
    for (size_t k = whole_columns < padded_columns ? 0 : whole_count; k < count; k++)
        for (size_t n = k < whole_count ? whole_columns : 0; n < padded_columns; n++)
            panel[k * length + n] = n < columns ? b[n * b_row + k] : 0;
}

/* One tile of C = C * A B, B by columns, of which `columns` are there. */
VEC_INLINE void compute_turned(size_t rows, size_t vecs, const struct product *product, size_t m,
                               size_t n, size_t columns)
{
    enum { LENGTH = LONG_VECS * LANES };
    _Alignas(64) real panel[PIECE];
    const real *a = (const real *)product->a + m * product->a_row;
    const real *b = (const real *)product->b + n * product->b_row;
    struct product piece = *product;
    vec sum[TILE_ROWS * TILE_VECS] = {{0}};
    piece.b_row = LENGTH;
    for (size_t k = 0; k < product->k; k += piece.k) {
        piece.k = product->k - k < PIECE / LENGTH ? product->k - k : PIECE / LENGTH;
        turn(b + k, product->b_row, columns, piece.k, panel, LENGTH);
        multiply_tile(0, rows, vecs, &piece, a + k, panel, sum);
    }
    end_tile(MULTIPLY, rows, vecs, product, m * product->c_row + n, sum, NULL);
}

#define DEFINE_TURNED(rows, vecs)                                                                  \
    static __attribute__((noinline)) void turned_##rows##_##vecs(                                  \
        const struct product *product, size_t m, size_t n, size_t columns)                         \
    {                                                                                              \
        if (vecs <= TILE_LENGTH(rows))                                                             \
            compute_turned(rows, vecs, product, m, n, columns);                                    \
    }
DEFINE_TURNED(1, 1)
DEFINE_TURNED(1, 2)
DEFINE_TURNED(1, 4)
DEFINE_TURNED(1, 8)
DEFINE_TURNED(2, 1)
DEFINE_TURNED(2, 2)
DEFINE_TURNED(2, 4)

/* For a row or two, as tiles as long as they may be. */
static void multiply_few_turned(const struct product *product, struct tile_range range)
{
    static void (*const turned[FEW_ROWS + 1][9])(const struct product *, size_t, size_t, size_t) = {
        [1] = {[1] = turned_1_1, [2] = turned_1_2, [4] = turned_1_4, [8] = turned_1_8},
        [2] = {[1] = turned_2_1, [2] = turned_2_2, [4] = turned_2_4},
    };
    size_t rows = range.row_end - range.row_begin;
    for (size_t n = range.column_begin, vecs; n < range.column_end; n += vecs * LANES) {
        size_t left = range.column_end - n;
        vecs = next_vecs(left, TILE_LENGTH(rows));
        turned[rows][vecs](product, range.row_begin, n, left < vecs * LANES ? left : vecs * LANES);
    }
}

static void multiply_turned(const struct product *product, struct tile_range range, void *panel)
{
    enum { LENGTH = TILE_VECS * LANES };
    struct product turned = *product;
    turned.b_row = LENGTH;
    if (range.row_end - range.row_begin <= FEW_ROWS) {
        multiply_few_turned(product, range);
        return;
    }
    for (size_t n = range.column_begin, vecs; n < range.column_end; n += vecs * LANES) {
        size_t left = range.column_end - n;
        vecs = next_vecs(left, TILE_VECS);
        turn((const real *)product->b + n * product->b_row, product->b_row,
             left < vecs * LANES ? left : vecs * LANES, product->k, panel, LENGTH);
        compute_panel(MULTIPLY, &turned, range, panel, n, vecs, NULL);
    }
}

static void forward_dots(const struct product *product, struct tile_range range, const void *bias,
                         void *slope, enum tulle_activation activation)
{
    real *c = product->c;
    for (size_t n = range.column_begin; n < range.column_end; n++)
        compute_dot_column(product, range.row_begin, range.row_end, n, ((const real *)bias)[n]);
    size_t first = range.row_begin * product->c_row + range.column_begin;
    activate_rows[activation](c + first, slope ? (real *)slope + first : NULL, product->c_row,
                              range.row_end - range.row_begin,
                              range.column_end - range.column_begin);
    clear_padding(c, product->c_row, range);
    if (slope)
        clear_padding(slope, product->c_row, range);
}

/* --- Inputs ---------------------------------------------------------------------------------- */

/* Plain loops, which compilers turn into vectors of this instruction set. Only a NaN gives a NaN up
 * to there; v - v is 0, or NaN for an infinity. */
#define DEFINE_LOAD(type)                                                                          \
    static void load_##type(const type *restrict from, size_t n, int missing_is_0,                 \
                            const double *mean, const double *scale, real *restrict to)            \
    {                                                                                              \
        const real missing = missing_is_0 ? 0 : (real)NAN;                                         \
        for (size_t i = 0; i < n; i++) {                                                           \
            real value = (real)(mean ? ((double)from[i] - mean[i]) / scale[i] : (double)from[i]);  \
            value = value == value ? value : missing;                                              \
            to[i] = value + (value - value);                                                       \
        }                                                                                          \
    }
DEFINE_LOAD(float)
DEFINE_LOAD(double)
#undef DEFINE_LOAD

static void load(const void *from, enum tulle_type from_type, size_t n, int missing_is_0,
                 const double *mean, const double *scale, void *to)
{
    if (from_type == TULLE_F64)
        load_double(from, n, missing_is_0, mean, scale, to);
    else
        load_float(from, n, missing_is_0, mean, scale, to);
}

/* --- The rest -------------------------------------------------------------------------------- */

/* Column by column a chain of additions, one row after the other, over vecs vectors at column n. */
VEC_INLINE void sum_vecs(size_t vecs, const struct product *product, size_t n,
                         const struct ending *ending)
{
    const real *a = (const real *)product->a + n;
    real *c = (real *)product->c + n;
    vec sum[LONG_VECS];
    UNROLL
    for (size_t j = 0; j < vecs; j++)
        sum[j] = ending->part & SUM_FIRST ? vec_set1(0) : vec_load(ending->sums + n + j * LANES);
    for (size_t k = product->k; k > 0; k--, a += product->a_row) {
        UNROLL
        for (size_t j = 0; j < vecs; j++)
            sum[j] += vec_load(a + j * LANES);
    }
    UNROLL
    for (size_t j = 0; j < vecs; j++) {
        real *to = ending->part & SUM_LAST ? c : ending->sums + n;
        if (ending->part & SUM_LAST)
            sum[j] = vec_fma(vec_set1(ending->alpha), sum[j],
                             ending->part & SUM_STORE ? vec_set1(0) : vec_load(c + j * LANES));
        vec_store(to + j * LANES, sum[j]);
    }
}

static void sum_columns(const struct product *product, size_t columns, enum sum_part part,
                        void *sums, double alpha)
{
    struct ending ending = {.part = part, .sums = sums, .alpha = (real)alpha};
    size_t n = 0;
    for (; n + LONG_VECS * LANES <= columns; n += LONG_VECS * LANES)
        sum_vecs(LONG_VECS, product, n, &ending);
    for (; n < columns; n += LANES)
        sum_vecs(1, product, n, &ending);
    if (part & SUM_LAST)
        clear_padding(product->c, 0, (struct tile_range){0, 1, 0, columns});
}

/* Elementary functions of any numbers, a vector's worth copied at a time. */
static void elementary(enum elementary f, void *x, size_t n)
{
    for (size_t i = 0; i < n; i += LANES) {
        size_t size = (n - i < LANES ? n - i : LANES) * sizeof(real);
        vec value = {0};
        memcpy(&value, (real *)x + i, size);
        switch (f) {
#define ELEMENTARY_CASE(NAME, name)                                                                \
    case ELEMENTARY_##NAME:                                                                        \
        value = vec_##name(value);                                                                 \
        break;
            TULLE_ELEMENTARY_LIST(ELEMENTARY_CASE)
#undef ELEMENTARY_CASE
        }
        memcpy((real *)x + i, &value, size);
    }
}

/* z = z + a (active - z) of so many units of one row, and the rest of mix. */
static void mix_row(size_t n, const real *a, const real *active, real *z, real *slope, real *gap)
{
    for (size_t i = 0; i < n; i += LANES) {
        vec share = vec_load(a + i), sum = vec_load(z + i), more = vec_load(active + i) - sum;
        vec_store(z + i, vec_fma(share, more, sum));
        if (slope)
            vec_store(slope + i, vec_fma(share, vec_load(slope + i) - 1, vec_set1(1)));
        if (gap)
            vec_store(gap + i, more);
    }
}

static void mix(void *z, void *slope, void *gap, size_t stride, size_t rows, size_t n,
                const void *a, enum tulle_activation activation)
{
    enum { VECS = 16 };
    _Alignas(VEC_BYTES) real active[VECS * LANES];
    struct tile_range range = {0, rows, 0, n};
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n; i += VECS * LANES) {
            size_t count = n - i < VECS * LANES ? n - i : VECS * LANES;
            real *sums = (real *)z + r * stride + i;
            real *slopes = slope ? (real *)slope + r * stride + i : NULL;
            real *gaps = gap ? (real *)gap + r * stride + i : NULL;
            for (size_t j = 0; j < count; j += LANES)
                vec_store(active + j, vec_load(sums + j));
            activate_rows[activation](active, slopes, 0, 1, count);
            mix_row(count, (const real *)a + i, active, sums, slopes, gaps);
        }
    clear_padding(z, stride, range);
    if (slope)
        clear_padding(slope, stride, range);
    if (gap)
        clear_padding(gap, stride, range);
}

static void scale_rows(void *to, size_t to_row, const void *a, size_t a_row, const void *b,
                       size_t b_row, size_t rows, size_t n, int adds)
{
    for (size_t r = 0; r < rows; r++) {
        real *sum = (real *)to + r * to_row;
        const real *first = (const real *)a + r * a_row, *second = (const real *)b + r * b_row;
        for (size_t i = 0; i < n; i += LANES)
            vec_store(sum + i, vec_fma(vec_load(first + i), vec_load(second + i),
                                       adds ? vec_load(sum + i) : vec_set1(0)));
    }
}

const struct kernels TABLE = {
    .name = TABLE_NAME,
    .type = REAL_IS_F64 ? TULLE_F64 : TULLE_F32,
    .columns = TILE_VECS * LANES,
    .load = load,
    .forward = forward,
    .forward_dots = forward_dots,
    .multiply = multiply,
    .multiply_turned = multiply_turned,
    .accumulate = accumulate,
    .sum_columns = sum_columns,
    .loss = compute_losses,
    .update = update,
    .drop = drop,
    .mix = mix,
    .scale_rows = scale_rows,
    .waves = compute_waves,
    .waves_gradient = compute_waves_gradient,
    .waves_input_gradient = compute_waves_input_gradient,
    .spline = compute_spline,
    .spline_gradient = compute_spline_gradient,
    .spline_input_gradient = compute_spline_input_gradient,
    .elementary = elementary,
};
