/* kernels_avx512_f32.c - see kernels_template.h. */
#include "../base/portability.h"

#if defined(__x86_64__)
#define REAL_IS_F64 0
#define TABLE tulle_kernels_avx512_f32
#define TABLE_NAME "avx512"
#include "vec_avx512.h"

#include "kernels_template.h"

VEC_REGION_END
#else
typedef int no_x86_64; /* a source may not be empty */
#endif
