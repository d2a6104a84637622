/* kernels_generic_f32.c - see kernels_template.h. */
#include "../base/portability.h"

#define REAL_IS_F64 0
#define TABLE tulle_kernels_generic_f32
#define TABLE_NAME "generic"
#include "vec_generic.h"

#include "kernels_template.h"

VEC_REGION_END
