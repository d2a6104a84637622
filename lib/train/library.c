/* library.c - what this build is. */
#include "../base/portability.h"

#include <stdio.h>

#include "../data/byte_source.h"
#include "../kernels/kernels.h"
#include "../model/model.h"

const char *tulle_version(void)
{
    return TULLE_VERSION_STRING;
}

int tulle_build_info(char *buffer, size_t size)
{
    return snprintf(buffer, size, "kernels %s; model files %s; gzip %s",
                    tulle_kernels(TULLE_F32)->name,
                    tulle_has_model_files ? "yes" : "no", /* not covered: another build */
                    tulle_has_gzip ? "yes" : "no");       /* not covered: another build */
}
