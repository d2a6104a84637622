/* rows.c - loading samples from the user's arrays. */
#include "../base/portability.h"

#include "network.h"
#include "rows.h"

/* Whether the columns are neighbours in the table, in order. */
static int is_run(const size_t *columns, size_t features)
{
    for (size_t f = 1; f < features; f++)
        if (columns[f] != columns[0] + f)
            return 0;
    return 1;
}

/* Features from all over a row, picked some at a time. */
static void load_picked(const struct rows *rows, const void *row, size_t features,
                        const struct kernels *kernels, void *to)
{
    enum { SOME = 64 };
    for (size_t begin = 0, count; begin < features; begin += count) {
        double picked[SOME];
        count = features - begin < SOME ? features - begin : SOME;
        for (size_t f = 0; f < count; f++) {
            const void *at = tulle_element(row, rows->matrix.type, rows->columns[begin + f]);
            picked[f] =
                rows->matrix.type == TULLE_F64 ? *(const double *)at : (double)*(const float *)at;
        }
        kernels->load(picked, TULLE_F64, count, rows->missing_is_0,
                      rows->mean ? rows->mean + begin : NULL,
                      rows->mean ? rows->scale + begin : NULL,
                      (char *)to + begin * tulle_type_size(kernels->type));
    }
}

const void *tulle_rows_at(const struct rows *rows, size_t sample)
{
    const struct tulle_matrix *m = &rows->matrix;
    size_t row = rows->order ? rows->order[sample] : sample;
    return tulle_element(m->data, m->type, row * (m->stride ? m->stride : m->columns));
}

void tulle_rows_load(const struct rows *rows, size_t begin, size_t end, size_t features,
                     const struct kernels *kernels, void *to, size_t stride, double *encoded)
{
    const struct tulle_matrix *m = &rows->matrix;
    int picks = !rows->encode && rows->columns && !is_run(rows->columns, features);
    char *target = to;
    for (size_t s = begin; s < end; s++, target += stride * tulle_type_size(kernels->type)) {
        const void *row = tulle_rows_at(rows, s);
        if (rows->encode) {
            rows->encode(rows->context, row, m->type, encoded);
            kernels->load(encoded, TULLE_F64, features, 0, NULL, NULL, target);
        } else if (picks)
            load_picked(rows, row, features, kernels, target);
        else
            kernels->load(tulle_element(row, m->type, rows->columns ? rows->columns[0] : 0),
                          m->type, features, rows->missing_is_0, rows->mean, rows->scale, target);
    }
}

int tulle_matrix_is_valid(struct tulle_matrix m, size_t columns)
{
    return m.columns == columns && tulle_type_name(m.type) &&
           (m.stride == 0 || m.stride >= columns) && (m.data || m.rows == 0);
}
