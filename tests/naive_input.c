/* naive_input.c - outputs and their derivatives by the inputs, member by member and unit by unit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "naive_input.h"

enum { MOST = 512 }; /* numbers side by side */

/* A row of the first layer's inputs before the factors, and the derivatives of those that are
 * functions of a number by it. */
struct embedded {
    double value[MOST], slope[MOST];
};

static void embed_number(const struct tulle_front *front, size_t n, const double *own, double x,
                         double *value, double *slope)
{
    const double *w = own, *b = w + front->frequencies, *v = b + front->frequencies;
    const double *c = v + front->dimensions * front->frequencies;
    const double *knot = front->knots + n * (front->bins + 1), tau = 2 * acos(-1);
    for (size_t d = 0; d < front->dimensions; d++) {
        value[d] = front->bins > 0 ? 0 : c[d];
        slope[d] = 0;
        for (size_t f = 0; f < front->frequencies; f++) {
            double amplitude = v[d * front->frequencies + f];
            value[d] += amplitude * cos(tau * w[f] * x + b[f]);
            slope[d] -= amplitude * sin(tau * w[f] * x + b[f]) * tau * w[f];
        }
        for (size_t t = 0; t < front->bins; t++) {
            double width = knot[t + 1] - knot[t], rise = own[t * front->dimensions + d];
            value[d] += rise * fmin(1, fmax(0, (x - knot[t]) / width));
            slope[d] += x >= knot[t] && x < knot[t + 1] ? rise / width : 0;
        }
    }
}

static void embed(const struct tulle_trainer_options *o, const double *parameters, const double *x,
                  struct embedded *e)
{
    const struct tulle_front *front = &o->front;
    const double *own = parameters + first_number(o), *table = own;
    size_t each = front->number_count > 0 ? number_count(o) / front->number_count : 0;
    size_t at = o->inputs + front->number_count * front->dimensions;
    memcpy(e->value, x, o->inputs * sizeof *x);
    for (size_t n = 0; n < front->number_count; n++) {
        size_t first = o->inputs + n * front->dimensions;
        embed_number(front, n, own + n * each, x[front->numbers[n]], e->value + first,
                     e->slope + first);
    }
    for (size_t k = o->embedding_count; k-- > 0;)
        table -= (o->embeddings[k].levels + 1) * o->embeddings[k].dimensions;
    for (size_t k = 0; k < o->embedding_count; k++) {
        size_t dimensions = o->embeddings[k].dimensions;
        size_t level = (size_t)x[o->inputs + k];
        memcpy(e->value + at, table + level * dimensions, dimensions * sizeof *table);
        table += (o->embeddings[k].levels + 1) * dimensions;
        at += dimensions;
    }
}

/* One member from layer number l on: in and out are that layer's inputs and the network's outputs;
 * gradient becomes that by the inputs. */
static void run_layers(const struct tulle_trainer_options *o, size_t member, size_t l,
                       const double *parameters, size_t inputs, const double *in, const double *dy,
                       double *out, double *gradient)
{
    const struct tulle_layer *layer = &o->layers[l];
    size_t units = layer->units, is_last = l + 1 == o->layer_count;
    size_t copies = is_last ? member_count(o) : 1, copy = is_last ? member : 0;
    const double *weights = parameters + copy * units * inputs;
    const double *biases = parameters + copies * units * inputs + copy * units;
    const double *mix = parameters + copies * units * (inputs + 1);
    double a[MOST], slope[MOST], da[MOST];
    for (size_t u = 0; u < units; u++) {
        double z = biases[u], share = layer->parametric ? mix[u] : 1;
        for (size_t i = 0; i < inputs; i++)
            z += weights[u * inputs + i] * in[i];
        a[u] = z + share * (naive_activation(layer->activation, z, &slope[u]) - z);
        slope[u] = 1 + share * (slope[u] - 1);
    }
    if (is_last) {
        memcpy(out, a, units * sizeof *a);
        memcpy(da, dy, units * sizeof *a);
    } else
        run_layers(o, member, l + 1, mix + (layer->parametric ? units : 0), units, a, dy, out, da);
    for (size_t i = 0; i < inputs; i++)
        gradient[i] = 0;
    for (size_t u = 0; u < units; u++)
        for (size_t i = 0; i < inputs; i++)
            gradient[i] += da[u] * slope[u] * weights[u * inputs + i];
}

void naive_input_gradient(const struct tulle_trainer_options *o, const double *parameters,
                          const double *x, const double *dy, double *outputs, double *dx)
{
    const struct tulle_front *front = &o->front;
    size_t width = input_width(o), count = o->layers[o->layer_count - 1].units;
    size_t members = member_count(o);
    const double *factors = parameters + first_number(o) + number_count(o);
    struct embedded e;
    if (width > MOST || row_columns(o) > MOST)
        abort();
    embed(o, parameters, x, &e);
    memset(outputs, 0, count * sizeof *outputs);
    memset(dx, 0, row_columns(o) * sizeof *dx);
    for (size_t m = 0; m < members; m++) {
        double in[MOST], out[MOST], gradient[MOST];
        for (size_t i = 0; i < width; i++)
            in[i] = e.value[i] * (front->has_factors ? factors[m * width + i] : 1);
        run_layers(o, m, 0, parameters, width, in, dy, out, gradient);
        for (size_t u = 0; u < count; u++)
            outputs[u] += out[u] / (double)members;
        for (size_t i = 0; i < o->inputs + front->number_count * front->dimensions; i++) {
            double g = gradient[i] * (front->has_factors ? factors[m * width + i] : 1);
            if (i < o->inputs)
                dx[i] += g / (double)members;
            else
                dx[front->numbers[(i - o->inputs) / front->dimensions]] +=
                    g * e.slope[i] / (double)members;
        }
    }
}
