/*
 * vec_generic.h - the vector type of plain C: 16 bytes by the GNU vector extension, which every
 * compiler lowers to what its target has. Fused multiply-adds go lane by lane through fma(), which
 * is exact everywhere and slow where the target has no such instruction.
 */
#ifndef TULLE_VEC_GENERIC_H
#define TULLE_VEC_GENERIC_H

#include <math.h>

#define VEC_BYTES 16
#define TILE_ROWS 4
#define TILE_VECS 2
#define LONG_VECS 4
#define VEC_REGION_END

#include "vec_types.h"

VEC_INLINE vec vec_fma(vec a, vec b, vec c)
{
    vec result = c;
    for (int i = 0; i < LANES; i++)
        result[i] = REAL_FMA(a[i], b[i], c[i]);
    return result;
}

VEC_INLINE vec vec_sqrt(vec a)
{
    vec result = a;
    for (int i = 0; i < LANES; i++)
        result[i] = REAL_SQRT(a[i]);
    return result;
}

#endif
