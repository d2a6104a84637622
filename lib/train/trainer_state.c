/* trainer_state.c - all that a trainer is between two steps, as bytes: a header, the arenas as they
 * stand in memory, and a checksum. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/mix64.h"
#include "trainer.h"

/* "tulle st" as little-endian machines read it: to others these are no states. */
#define MAGIC UINT64_C(0x747320656c6c7574)

enum { VERSION = 1, MOST_ARENAS = 4 };

struct header {
    uint64_t magic, version;
    uint64_t identity; /* of what must be the same */
    uint64_t steps;
    double learning_rate, regularization, power1, power2;
    struct tulle_rng rng;
    uint32_t padding;
};
_Static_assert(sizeof(struct header) == 8 * 8 + 626 * 4, "the header has no holes");

/* Those that there are, in order; returns how many. */
static size_t list_arenas(const struct tulle_trainer *trainer, void *arenas[MOST_ARENAS])
{
    const struct optimizer *optimizer = &trainer->optimizer;
    void *const all[MOST_ARENAS] = {trainer->parameters, optimizer->m, optimizer->v,
                                    optimizer->average};
    size_t count = 0;
    for (size_t i = 0; i < MOST_ARENAS; i++)
        if (all[i])
            arenas[count++] = all[i];
    return count;
}

/* A hash of the network, and of the optimizer with what it keeps. */
static uint64_t hash_identity(const struct tulle_trainer *trainer)
{
    const struct network *n = &trainer->network;
    const struct optimizer *optimizer = &trainer->optimizer;
    const uint64_t numbers[] = {n->precision,
                                n->inputs,
                                n->members,
                                n->has_factors,
                                n->layer_count,
                                n->embedding_count,
                                n->number_count,
                                n->dimensions,
                                n->waves.frequencies,
                                n->spline.bins,
                                n->arena_size,
                                trainer->options.optimizer,
                                trainer->options.dialect,
                                optimizer->m != NULL,
                                optimizer->v != NULL,
                                optimizer->average != NULL};
    uint64_t state = tulle_hash_bytes(0, numbers, sizeof numbers);
    for (size_t l = 0; l < n->layer_count; l++) {
        const struct network_layer *layer = &n->layers[l];
        state = tulle_hash64(state, layer->units);
        state = tulle_hash64(state, (uint64_t)layer->activation * 2 + (layer->is_parametric != 0));
    }
    for (size_t e = 0; e < n->embedding_count; e++) {
        state = tulle_hash64(state, n->embeddings[e].levels);
        state = tulle_hash64(state, n->embeddings[e].dimensions);
    }
    for (size_t i = 0; i < n->number_count; i++)
        state = tulle_hash64(state, n->numbers[i]);
    if (n->knots)
        state = tulle_hash_bytes(state, n->knots,
                                 n->number_count * n->knot_stride * tulle_type_size(n->precision));
    return state;
}

size_t tulle_trainer_state_size(const tulle_trainer *trainer)
{
    void *arenas[MOST_ARENAS];
    return sizeof(struct header) +
           list_arenas(trainer, arenas) * tulle_arena_bytes(&trainer->network) + sizeof(uint64_t);
}

void tulle_trainer_get_state(const tulle_trainer *trainer, void *state)
{
    void *arenas[MOST_ARENAS];
    size_t count = list_arenas(trainer, arenas), bytes = tulle_arena_bytes(&trainer->network);
    const struct header header = {.magic = MAGIC,
                                  .version = VERSION,
                                  .identity = hash_identity(trainer),
                                  .steps = trainer->steps,
                                  .learning_rate = trainer->options.learning_rate,
                                  .regularization = trainer->regularization,
                                  .power1 = trainer->optimizer.power1,
                                  .power2 = trainer->optimizer.power2,
                                  .rng = trainer->rng};
    char *to = state;
    memcpy(to, &header, sizeof header);
    to += sizeof header;
    for (size_t i = 0; i < count; i++, to += bytes)
        memcpy(to, arenas[i], bytes);
    uint64_t checksum = tulle_hash_bytes(0, state, (size_t)(to - (char *)state));
    memcpy(to, &checksum, sizeof checksum);
}

/* Whether a trainer can have written these numbers, which the checksum alone does not promise. */
static int is_possible(const struct header *header)
{
    return header->learning_rate >= 0 && isfinite(header->learning_rate) &&
           header->regularization >= 0 && header->regularization <= 1 && header->power1 >= 0 &&
           header->power1 <= 1 && header->power2 >= 0 && header->power2 <= 1 &&
           header->rng.position <= 624;
}

enum tulle_status tulle_trainer_set_state(tulle_trainer *trainer, const void *state, size_t size)
{
    void *arenas[MOST_ARENAS];
    size_t count = list_arenas(trainer, arenas), bytes = tulle_arena_bytes(&trainer->network);
    const char *from = state;
    struct header header;
    uint64_t checksum;
    if (size != tulle_trainer_state_size(trainer))
        return TULLE_ERROR_FORMAT;
    memcpy(&header, from, sizeof header);
    memcpy(&checksum, from + size - sizeof checksum, sizeof checksum);
    if (header.magic != MAGIC || header.version != VERSION ||
        header.identity != hash_identity(trainer) ||
        checksum != tulle_hash_bytes(0, state, size - sizeof checksum) || !is_possible(&header))
        return TULLE_ERROR_FORMAT;
    from += sizeof header;
    for (size_t i = 0; i < count; i++, from += bytes)
        memcpy(arenas[i], from, bytes);
    trainer->steps = header.steps;
    trainer->options.learning_rate = header.learning_rate;
    trainer->regularization = header.regularization;
    trainer->optimizer.power1 = header.power1;
    trainer->optimizer.power2 = header.power2;
    trainer->rng = header.rng;
    return TULLE_OK;
}
