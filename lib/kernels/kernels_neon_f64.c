/* kernels_neon_f64.c - see kernels_template.h. */
#include "../base/portability.h"

#if defined(__aarch64__)
#define REAL_IS_F64 1
#define TABLE tulle_kernels_neon_f64
#define TABLE_NAME "neon"
#include "vec_neon.h"

#include "kernels_template.h"

VEC_REGION_END
#else
typedef int no_aarch64; /* a source may not be empty */
#endif
