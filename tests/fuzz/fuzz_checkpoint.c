/* fuzz_checkpoint.c - target: any bytes as a checkpoint to go on from. */
#include "../../lib/base/portability.h"

#include "checkpoint_use.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    use_checkpoint(data, size);
    return 0;
}
