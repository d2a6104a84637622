/* rows.c - loading samples from the user's arrays. */
#include "../base/portability.h"

#include "network.h"
#include "rows.h"

/* One row for each pair of types, with the pair's branches folded away by inlining. */
static inline __attribute__((always_inline)) void load_row(const struct rows *rows,
                                                           const void *from,
                                                           enum tulle_type from_type, void *to,
                                                           enum tulle_type to_type, size_t features)
{
    for (size_t f = 0; f < features; f++) {
        size_t c = rows->columns ? rows->columns[f] : f;
        double value =
            from_type == TULLE_F64 ? ((const double *)from)[c] : (double)((const float *)from)[c];
        if (rows->scaling)
            value = (value - rows->scaling[f].mean) / rows->scaling[f].scale;
        /* v - v is 0, or NaN for an infinity: a value out of range must not look like a large one,
         * which tanh would turn into an unremarkable 1. */
        if (to_type == TULLE_F64)
            ((double *)to)[f] = value + (value - value);
        else
            ((float *)to)[f] = (float)value + ((float)value - (float)value);
    }
}

void tulle_rows_load(const struct rows *rows, size_t begin, size_t end, size_t features,
                     enum tulle_type type, void *to, size_t stride)
{
    const struct tulle_matrix *m = &rows->matrix;
    size_t from_stride = (m->stride ? m->stride : m->columns) * tulle_type_size(m->type);
    char *target = to;
    for (size_t s = begin; s < end; s++, target += stride * tulle_type_size(type)) {
        const char *source =
            (const char *)m->data + (rows->order ? rows->order[s] : s) * from_stride;
        if (m->type == TULLE_F64 && type == TULLE_F64)
            load_row(rows, source, TULLE_F64, target, TULLE_F64, features);
        else if (m->type == TULLE_F64)
            load_row(rows, source, TULLE_F64, target, TULLE_F32, features);
        else if (type == TULLE_F64)
            load_row(rows, source, TULLE_F32, target, TULLE_F64, features);
        else
            load_row(rows, source, TULLE_F32, target, TULLE_F32, features);
    }
}

int tulle_matrix_is_valid(struct tulle_matrix m, size_t columns)
{
    return m.columns == columns && tulle_type_name(m.type) &&
           (m.stride == 0 || m.stride >= columns) && (m.data || m.rows == 0);
}
