/* kernels.c - choosing the table for this machine. */
#include "../base/portability.h"

#include <stdlib.h>
#include <string.h>

#include "../base/cpu.h"
#include "kernels.h"

extern const struct kernels tulle_kernels_generic_f32, tulle_kernels_generic_f64;
#if defined(__x86_64__)
extern const struct kernels tulle_kernels_avx2_f32, tulle_kernels_avx2_f64;
extern const struct kernels tulle_kernels_avx512_f32, tulle_kernels_avx512_f64;
#elif defined(__aarch64__)
extern const struct kernels tulle_kernels_neon_f32, tulle_kernels_neon_f64;
#endif

static int always(void)
{
    return 1;
}

/* From the plainest to the best; a later one that the machine can run overrides. */
static const struct {
    const struct kernels *tables[2]; /* by enum tulle_type */
    int (*runs_here)(void);
} choices[] = {
    {{&tulle_kernels_generic_f32, &tulle_kernels_generic_f64}, always},
#if defined(__x86_64__)
    {{&tulle_kernels_avx2_f32, &tulle_kernels_avx2_f64}, tulle_cpu_has_avx2_fma},
    {{&tulle_kernels_avx512_f32, &tulle_kernels_avx512_f64}, tulle_cpu_has_avx512},
#elif defined(__aarch64__)
    {{&tulle_kernels_neon_f32, &tulle_kernels_neon_f64}, always},
#endif
};

enum { CHOICES = sizeof choices / sizeof choices[0] };

const struct kernels *tulle_kernels_by_name(const char *name, enum tulle_type type)
{
    for (size_t i = 0; i < CHOICES; i++)
        if (strcmp(choices[i].tables[type]->name, name) == 0 && choices[i].runs_here())
            return choices[i].tables[type];
    return NULL;
}

const struct kernels *tulle_kernels(enum tulle_type type)
{
    const char *limit = getenv("TULLE_KERNELS");
    const struct kernels *best = NULL;
    for (size_t i = 0; i < CHOICES; i++) {
        if (choices[i].runs_here())
            best = choices[i].tables[type];
        if (limit && strcmp(choices[i].tables[type]->name, limit) == 0)
            break;
    }
    return best;
}
