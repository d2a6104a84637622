/* kernel_matrix.h - for tests of kernels that write a part of a matrix: what must be in it then. */
#ifndef KERNEL_MATRIX_H
#define KERNEL_MATRIX_H

#include "kernel_tables.h"

static inline double fused(enum tulle_type type, double a, double b, double c)
{
    return type == TULLE_F64 ? fma(a, b, c) : fmaf((float)a, (float)b, (float)c);
}

/* A matrix that a kernel has written. */
struct matrix {
    enum tulle_type type;
    size_t rows, stride;
    struct tile_range range; /* what was to be written */
};

static inline size_t matrix_size(const struct matrix *matrix)
{
    return matrix->rows * matrix->stride;
}

/* The range is as expected and all else is as before; but vectors reach into the padding, where
 * they leave zeros. */
static inline void assert_written(const struct matrix *matrix, const void *before,
                                  const void *expected, const void *found, const char *kernel,
                                  const char *table)
{
    const struct tile_range *range = &matrix->range;
    size_t reach = tulle_padded(range->column_end);
    for (size_t m = 0; m < matrix->rows; m++)
        for (size_t n = 0; n < matrix->stride; n++) {
            size_t i = m * matrix->stride + n;
            int is_row = m >= range->row_begin && m < range->row_end;
            int is_inside = is_row && n >= range->column_begin && n < range->column_end;
            int is_padding = is_row && n >= range->column_end && n < reach;
            if (is_same(matrix->type, found, is_inside ? expected : before, i) ||
                (is_padding && get(matrix->type, found, i) == 0))
                continue;
            fail_msg("%s, %s, %s: (%zu, %zu) of (%zu, %zu) is %.17g, not %.17g", kernel, table,
                     tulle_type_name(matrix->type), m, n, range->row_end, range->column_end,
                     get(matrix->type, found, i),
                     get(matrix->type, is_inside ? expected : before, i));
        }
}

#endif
