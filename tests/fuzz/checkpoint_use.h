/* checkpoint_use.h - a training of some steps, and going on with it from any bytes. */
#ifndef CHECKPOINT_USE_H
#define CHECKPOINT_USE_H

#include "scratch.h"

/* The checkpoint of that training, interrupted on its way; good for ever. */
const uint8_t *example_checkpoint(size_t *size);

/* Resumes from a file of these bytes, or finds out that it cannot. */
void use_checkpoint(const uint8_t *bytes, size_t size);

#endif
