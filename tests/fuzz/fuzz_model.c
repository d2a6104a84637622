/* fuzz_model.c - target: any bytes as a model file. */
#include "../../lib/base/portability.h"

#include "model_use.h"
#include "scratch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    put_scratch("input", data, size);
    use_model(in_scratch("input"));
    return 0;
}
