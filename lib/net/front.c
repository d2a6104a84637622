/* front.c - the first layer's inputs, and the gradients of what is learned there. */
#include "../base/portability.h"

#include "../base/pool.h"
#include "embedding.h"
#include "front.h"

/* Element number `index` of an array of the network's precision. */
static void *at(const struct network *network, const void *array, size_t index)
{
    return tulle_element(array, network->precision, index);
}

static void embed_numbers(const struct network *network, const struct kernels *kernels,
                          const struct workspace *ws, const void *parameters, size_t s, size_t e)
{
    size_t first = s * ws->x_stride, stride = ws->x_stride;
    for (size_t i = 0; i < network->number_count; i++) {
        const void *own = at(network, parameters, network->first_number + i * network->number_size);
        const void *x = at(network, ws->x, first + network->numbers[i]);
        void *to = at(network, ws->x, first + network->number_column + i * network->dimensions);
        if (network->knots)
            kernels->spline(&network->spline, at(network, network->knots, i * network->knot_stride),
                            own, x, stride, e - s, to);
        else
            kernels->waves(&network->waves, own, x, stride, e - s, to);
    }
}

/* Those of numbers [begin, end). */
static void find_number_gradients(const struct network *network, const struct kernels *kernels,
                                  const struct workspace *ws, const void *parameters, size_t size,
                                  enum sum_part part, double alpha, size_t begin, size_t end)
{
    size_t stride = ws->x_stride;
    for (size_t i = begin; i < end; i++) {
        size_t own = network->first_number + i * network->number_size;
        const void *x = at(network, ws->x, network->numbers[i]);
        const void *gradient =
            at(network, ws->x_gradient, network->number_column + i * network->dimensions);
        if (network->knots)
            kernels->spline_gradient(
                &network->spline, at(network, network->knots, i * network->knot_stride), x,
                gradient, stride, size, part, at(network, ws->sums, own), alpha);
        else
            kernels->waves_gradient(&network->waves, at(network, parameters, own), x, gradient,
                                    stride, size, part, at(network, ws->sums, own), alpha);
    }
}

void tulle_front_forward(const struct network *network, const struct kernels *kernels,
                         const struct workspace *ws, const void *parameters, size_t s, size_t e)
{
    size_t members = network->members, stride = ws->x_stride;
    tulle_embedding_forward(network, ws, parameters, s, e);
    embed_numbers(network, kernels, ws, parameters, s, e);
    for (size_t m = 0; network->has_factors && m < members; m++)
        kernels->scale_rows(at(network, ws->scaled, (s * members + m) * stride), members * stride,
                            at(network, ws->x, s * stride), stride,
                            at(network, parameters, network->factors + m * network->factor_stride),
                            0, e - s, network->layers[0].inputs, 0);
}

/* x_gradient = the sum over the members of f dloss/dx'. */
static void join_members(const struct network *network, const struct kernels *kernels,
                         const struct workspace *ws, const void *parameters, size_t s, size_t e)
{
    size_t members = network->members, stride = ws->x_stride;
    for (size_t m = 0; network->has_factors && m < members; m++)
        kernels->scale_rows(at(network, ws->x_gradient, s * stride), stride,
                            at(network, ws->x_slope, (s * members + m) * stride), members * stride,
                            at(network, parameters, network->factors + m * network->factor_stride),
                            0, e - s, network->layers[0].inputs, m > 0);
}

void tulle_front_gradient(const struct network *network, const struct kernels *kernels,
                          const struct workspace *ws, const void *parameters, size_t s, size_t e)
{
    size_t members = network->members, stride = ws->x_stride;
    if (network->embedding_count > 0 || network->number_count > 0)
        join_members(network, kernels, ws, parameters, s, e);
    for (size_t m = 0; network->has_factors && m < members; m++) {
        void *slope = at(network, ws->x_slope, (s * members + m) * stride);
        kernels->scale_rows(slope, members * stride, slope, members * stride,
                            at(network, ws->x, s * stride), stride, e - s,
                            network->layers[0].inputs, 0);
    }
}

void tulle_front_input_gradient(const struct network *network, const struct kernels *kernels,
                                const struct workspace *ws, const void *parameters, size_t s,
                                size_t e)
{
    size_t stride = ws->x_stride, first = s * stride;
    join_members(network, kernels, ws, parameters, s, e);
    for (size_t i = 0; i < network->number_count; i++) {
        const void *own = at(network, parameters, network->first_number + i * network->number_size);
        const void *x = at(network, ws->x, first + network->numbers[i]);
        const void *from =
            at(network, ws->x_gradient, first + network->number_column + i * network->dimensions);
        void *to = at(network, ws->x_gradient, first + network->numbers[i]);
        if (network->knots)
            kernels->spline_input_gradient(&network->spline,
                                           at(network, network->knots, i * network->knot_stride),
                                           own, x, from, stride, e - s, to);
        else
            kernels->waves_input_gradient(&network->waves, own, x, from, stride, e - s, to);
    }
}

void tulle_front_backward(const struct network *network, const struct kernels *kernels,
                          const struct workspace *ws, const void *parameters, size_t size,
                          enum sum_part part, double alpha, unsigned thread, unsigned threads)
{
    size_t members = network->members, stride = ws->x_stride, begin, end;
    tulle_embedding_backward(network, ws, size, part, alpha, thread, threads);
    tulle_pool_share(thread, threads, network->number_count, 1, &begin, &end);
    find_number_gradients(network, kernels, ws, parameters, size, part, alpha, begin, end);
    tulle_pool_share(thread, threads, network->layers[0].inputs, TULLE_ROW_PAD, &begin, &end);
    for (size_t m = 0; network->has_factors && begin < end && m < members; m++) {
        void *sums = at(network, ws->sums, network->factors + m * network->factor_stride + begin);
        const struct product product = {.a = at(network, ws->x_slope, m * stride + begin),
                                        .a_row = members * stride,
                                        .c = sums,
                                        .k = size};
        kernels->sum_columns(&product, end - begin, part | SUM_STORE, sums, alpha);
    }
}
