/* initialize.h - the parameters that training begins with (TULLE_INITIALIZER_LIST). */
#ifndef TULLE_INITIALIZE_H
#define TULLE_INITIALIZE_H

#include "../net/propagate.h"

/* Draws weights layer by layer and row by row, and then the embeddings, waves and factors; the
 * arena is zeroed. Fails only for want of memory. */
enum tulle_status tulle_initialize(const struct network *network, void *parameters,
                                   enum tulle_initializer initializer, double frequency_deviation,
                                   struct tulle_rng *rng);

/* Scales and shifts every unit, layer by layer, so that its sums over samples [0, count) of the
 * pass's rows deviate by 1 and are 0 at a random mean of a few of them; one whose sums are all the
 * same is left as it is. The pass's parameters are written to. TULLE_ERROR_MEMORY leaves the layers
 * from some one on as they are. */
enum tulle_status tulle_initialize_from_data(const struct pass *pass, void *parameters,
                                             size_t count, struct tulle_rng *rng);

#endif
