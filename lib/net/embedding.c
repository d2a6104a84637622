/* embedding.c - looking up the vectors of levels, and their gradients. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/pool.h"
#include "embedding.h"

void tulle_embedding_forward(const struct network *network, const struct workspace *ws,
                             const void *parameters, size_t s, size_t e)
{
    enum tulle_type type = network->precision;
    size_t count = network->embedding_count;
    if (count == 0)
        return;
    for (size_t i = s; i < e; i++) {
        uint32_t *levels = ws->levels + i * count;
        int is_wrong = 0;
        /* All levels first: the vectors are written over them. */
        for (size_t k = 0; k < count; k++) {
            double level = tulle_arena_get(network, ws->x, i * ws->x_stride + network->inputs + k);
            int exists = level >= 0 && level <= (double)network->embeddings[k].levels;
            levels[k] = exists ? (uint32_t)level : 0;
            is_wrong |= !exists || (double)levels[k] != level;
        }
        for (size_t k = 0; k < count; k++) {
            const struct network_embedding *embedding = &network->embeddings[k];
            memcpy(tulle_element(ws->x, type, i * ws->x_stride + embedding->column),
                   tulle_element(parameters, type,
                                 embedding->table + levels[k] * embedding->dimensions),
                   embedding->dimensions * tulle_type_size(type));
        }
        if (is_wrong)
            tulle_arena_set(network, ws->x, i * ws->x_stride, NAN);
    }
}

/* to[d] += from[d] */
static void add(enum tulle_type type, void *to, const void *from, size_t count)
{
    for (size_t d = 0; d < count; d++) {
        if (type == TULLE_F64)
            ((double *)to)[d] += ((const double *)from)[d];
        else
            ((float *)to)[d] += ((const float *)from)[d];
    }
}

static void scale(enum tulle_type type, void *numbers, size_t count, double alpha)
{
    for (size_t d = 0; d < count; d++) {
        if (type == TULLE_F64)
            ((double *)numbers)[d] *= alpha;
        else
            ((float *)numbers)[d] *= (float)alpha;
    }
}

void tulle_embedding_backward(const struct network *network, const struct workspace *ws,
                              size_t size, enum sum_part part, double alpha, unsigned thread,
                              unsigned threads)
{
    enum tulle_type type = network->precision;
    for (size_t k = 0; k < network->embedding_count; k++) {
        const struct network_embedding *embedding = &network->embeddings[k];
        size_t dimensions = embedding->dimensions, begin, end;
        tulle_pool_share(thread, threads, embedding->levels + 1, 1, &begin, &end);
        void *rows = tulle_element(ws->sums, type, embedding->table + begin * dimensions);
        if (part & SUM_FIRST)
            memset(rows, 0, (end - begin) * dimensions * tulle_type_size(type));
        for (size_t i = 0; i < size; i++) {
            size_t level = ws->levels[i * network->embedding_count + k];
            if (level >= begin && level < end)
                add(type, tulle_element(rows, type, (level - begin) * dimensions),
                    tulle_element(ws->x_gradient, type, i * ws->x_stride + embedding->column),
                    dimensions);
        }
        if (part & SUM_LAST)
            scale(type, rows, (end - begin) * dimensions, alpha);
    }
}
