/* random_network.c - drawing networks, optimizers and data. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_network.h"

/* --- The network ------------------------------------------------------------------------------ */

/* Ascending, in f32 too. */
static void draw_knots(struct random_network *n, struct tulle_rng *rng, size_t bins)
{
    for (size_t i = 0; i < n->options.front.number_count; i++)
        for (size_t t = 0; t <= bins; t++)
            n->knots[i * (bins + 1) + t] =
                (float)(2.5 * ((double)t + 0.9 * tulle_rng_uniform(rng)) / (double)(bins + 1) -
                        1.25);
}

static void draw_numbers(struct random_network *n, struct tulle_rng *rng)
{
    struct tulle_front *front = &n->options.front;
    size_t most = n->options.inputs < MOST_NUMBERS ? n->options.inputs : MOST_NUMBERS;
    size_t count = draw_count(rng, 1, most), column = n->options.inputs;
    front->numbers = n->numbers;
    front->number_count = count;
    for (size_t i = count; i-- > 0;) /* each below the one before, and room for the rest */
        column = n->numbers[i] = draw_count(rng, i, column - 1);
    front->dimensions = draw_small(rng, 1, 20);
    if (draw_one_in(rng, 2)) {
        front->frequencies = draw_small(rng, 1, 20);
        front->frequency_deviation = draw_number(rng, 0, 1);
    } else {
        front->bins = draw_count(rng, 1, MOST_BINS);
        front->knots = n->knots;
        draw_knots(n, rng, front->bins);
    }
    describe(", %zu of them in %zu dimensions by %zu %s", count, front->dimensions,
             front->frequencies + front->bins, front->bins > 0 ? "bins" : "waves");
}

static void draw_front(struct random_network *n, struct tulle_rng *rng)
{
    struct tulle_trainer_options *o = &n->options;
    if (draw_one_in(rng, 4)) {
        o->embeddings = n->embeddings;
        o->embedding_count = draw_count(rng, 1, MOST_EMBEDDINGS);
        for (size_t e = 0; e < o->embedding_count; e++) {
            n->embeddings[e].levels = draw_small(rng, 1, 9);
            n->embeddings[e].dimensions = draw_small(rng, 1, 9);
            describe(", embedding %zux%zu", n->embeddings[e].levels, n->embeddings[e].dimensions);
        }
    }
    if (o->inputs > 0 && draw_one_in(rng, 4))
        draw_numbers(n, rng);
    o->front.has_factors = draw_one_in(rng, 3);
    if (o->front.has_factors && draw_one_in(rng, 2))
        o->front.members = draw_count(rng, 1, 5);
    describe("%s", o->front.has_factors ? ", factors" : "");
    if (o->front.members > 0)
        describe(" of %zu members", o->front.members);
}

/* How many outputs there are, by the loss. */
static size_t draw_loss(struct random_network *n, struct tulle_rng *rng)
{
    struct tulle_trainer_options *o = &n->options;
    size_t targets = draw_small(rng, 1, 12);
    o->loss = (enum tulle_loss)draw_count(rng, 0, LOSSES - 1);
    o->huber_delta = draw_number(rng, 0.1, 2);
    o->label_smoothing = draw_one_in(rng, 2) ? 0 : draw_number(rng, 0, 0.5);
    if (o->loss == TULLE_LOSS_CROSS_ENTROPY)
        return draw_one_in(rng, 50) ? draw_count(rng, 250, MOST_UNITS) : draw_small(rng, 2, 40);
    if (o->loss != TULLE_LOSS_QUANTILE || draw_one_in(rng, 4))
        return targets;
    o->quantiles = n->quantiles;
    o->quantile_count = draw_count(rng, 1, MOST_QUANTILES);
    for (size_t q = 0; q < o->quantile_count; q++)
        n->quantiles[q] = ((double)q + draw_number(rng, 0.1, 0.9)) / (double)o->quantile_count;
    return targets * o->quantile_count;
}

static void draw_layers(struct random_network *n, struct tulle_rng *rng)
{
    struct tulle_trainer_options *o = &n->options;
    int is_parametric = draw_one_in(rng, 4), drops = draw_one_in(rng, 3);
    o->layers = n->layers;
    o->layer_count = draw_count(rng, 1, MOST_LAYERS);
    for (size_t l = 0; l < o->layer_count; l++) {
        struct tulle_layer *layer = &n->layers[l];
        int is_last = l + 1 == o->layer_count;
        layer->units = is_last ? draw_loss(n, rng) : draw_small(rng, 1, 90);
        layer->activation = (enum tulle_activation)draw_count(rng, 0, ACTIVATIONS - 1);
        if (is_last && !draw_one_in(rng, 4))
            layer->activation = TULLE_ACTIVATION_IDENTITY;
        layer->parametric = is_parametric && draw_one_in(rng, 2);
        layer->dropout = drops && !is_last && draw_one_in(rng, 2) ? draw_number(rng, 0, 0.9) : 0;
        describe("%s %zu %s%s", l > 0 ? "," : "; layers", layer->units,
                 tulle_activation_name(layer->activation), layer->parametric ? " mixed" : "");
        if (layer->dropout > 0)
            describe(" dropped %.17g", layer->dropout);
    }
    describe("; %s", tulle_loss_name(o->loss));
    if (o->quantile_count > 0)
        describe(" of %zu quantiles", o->quantile_count);
}

/* --- Its parameters and data ------------------------------------------------------------------ */

/* Of a size that lets numbers through the network as large as they come in; some are 0. */
static void draw_parameters(struct random_network *n, struct tulle_rng *rng)
{
    const struct tulle_trainer_options *o = &n->options;
    size_t count = parameter_count(o), members = member_count(o), inputs = input_width(o), i = 0;
    double size = draw_number(rng, 0.5, 2);
    int has_zeros = draw_one_in(rng, 8);
    n->parameters = new_values(rng, count);
    for (size_t l = 0; l < o->layer_count; inputs = o->layers[l++].units) {
        size_t copies = l + 1 == o->layer_count ? members : 1;
        size_t end = i + copies * o->layers[l].units * inputs;
        for (; i < end; i++)
            n->parameters[i] = (float)(n->parameters[i] * size / sqrt((double)inputs));
        i += copies * o->layers[l].units + (o->layers[l].parametric ? o->layers[l].units : 0);
    }
    for (i = 0; has_zeros && i < count; i++)
        n->parameters[i] *= draw_one_in(rng, 3) ? 0 : 1;
}

/* Few rows more often than many, and so many that the plain network is done in milliseconds. */
static size_t draw_rows(struct random_network *n, struct tulle_rng *rng)
{
    enum { MOST_WORK = 400000 };
    size_t most = MOST_WORK / (parameter_count(&n->options) * member_count(&n->options)) + 1;
    size_t rows = draw_one_in(rng, 8) ? draw_count(rng, 1, 400) : draw_small(rng, 1, 50);
    return rows < most ? rows : most;
}

/* At knots, at 0, and far out too. */
static void draw_x(struct random_network *n, struct tulle_rng *rng)
{
    const struct tulle_front *front = &n->options.front;
    n->x = new_rows(rng, &n->options, n->rows);
    for (size_t r = 0; r < n->rows; r++) {
        double *x = n->x + r * n->columns;
        for (size_t i = 0; i < n->options.inputs; i++)
            x[i] = draw_one_in(rng, 16) ? 0 : draw_one_in(rng, 16) ? 3 * x[i] : x[i];
        for (size_t i = 0; front->bins > 0 && i < front->number_count; i++)
            if (draw_one_in(rng, 4))
                x[n->numbers[i]] =
                    n->knots[i * (front->bins + 1) + draw_count(rng, 0, front->bins)];
        for (size_t i = 0; i < n->options.inputs; i++)
            x[i] = (float)x[i];
    }
}

static void draw_row_weights(struct random_network *n, struct tulle_rng *rng)
{
    if (draw_one_in(rng, 2))
        return;
    n->row_weights = new_values(rng, n->rows);
    for (size_t r = 0; r < n->rows; r++)
        n->row_weights[r] = draw_one_in(rng, 4) ? 0 : 2 * fabs(n->row_weights[r]);
    describe(" with weights");
}

void draw_network(struct random_network *n, struct tulle_rng *rng)
{
    struct tulle_trainer_options *o = &n->options;
    memset(n, 0, sizeof *n);
    size_t inputs = draw_small(rng, 1, 70); /* C leaves open which argument is drawn first */
    *o = network_options(inputs, NULL, 0, draw_one_in(rng, 2));
    describe("%s, %zu inputs", tulle_type_name(o->precision), o->inputs);
    draw_front(n, rng);
    draw_layers(n, rng);
    o->seed = tulle_rng_next(rng);
    o->weight_reduction = (enum tulle_reduction)draw_count(rng, 0, 1);
    o->bias_reduction = (enum tulle_reduction)draw_count(rng, 0, 1);
    describe("; %s of weights, %s of biases", o->weight_reduction ? "sum" : "mean",
             o->bias_reduction ? "sum" : "mean");
    n->columns = row_columns(o);
    n->outputs = o->layers[o->layer_count - 1].units;
    n->targets = target_count(o);
    n->rows = draw_rows(n, rng);
    o->batch_size = draw_count(rng, 1 + n->rows / 8, n->rows); /* few steps an epoch */
    describe("; %zu rows", n->rows);
    draw_parameters(n, rng);
    draw_x(n, rng);
    n->y = new_targets(rng, o, n->rows);
    draw_row_weights(n, rng);
    assert_true(input_width(o) <= MOST_WIDTH);
}

void clear_network(struct random_network *n)
{
    free(n->parameters), free(n->x), free(n->y), free(n->row_weights);
}

tulle_trainer *trainer_of(const struct random_network *n)
{
    tulle_trainer *trainer = new_trainer(&n->options);
    set_parameters(trainer, &n->options, n->parameters);
    return trainer;
}

struct tulle_matrix first_x(const struct random_network *n, size_t rows)
{
    return tulle_f64(n->x, rows, n->columns);
}

struct tulle_matrix first_y(const struct random_network *n, size_t rows)
{
    return tulle_f64(n->y, rows, n->targets);
}

/* --- The optimizer ---------------------------------------------------------------------------- */

/* `usual`, as often as not. */
static double draw_setting(struct tulle_rng *rng, const char *name, double usual, double least,
                           double most)
{
    if (draw_one_in(rng, 2))
        return usual;
    double value = draw_number(rng, least, most);
    describe(", %s %.17g", name, value);
    return value;
}

void draw_optimizer(struct random_network *n, struct tulle_rng *rng)
{
    struct tulle_trainer_options *o = &n->options;
    int is_plain = draw_one_in(rng, 6);
    o->optimizer = (enum tulle_optimizer)draw_count(rng, 0, OPTIMIZERS - 1);
    o->learning_rate = ldexp(1, -(int)draw_count(rng, 0, 12));
    o->learning_rate *= draw_number(rng, 0.5, 1);
    describe("; %s, rate %.17g", tulle_optimizer_name(o->optimizer), o->learning_rate);
    o->bias_learning_rate = draw_setting(rng, "of biases", 1, 0, 2);
    if (is_plain)
        return;
    o->parametrization = (enum tulle_parametrization)draw_count(rng, 0, 1);
    describe(", %s", tulle_parametrization_name(o->parametrization));
    o->mix_learning_rate = draw_setting(rng, "of mixes", 1, 0, 2);
    o->factor_learning_rate = draw_setting(rng, "of factors", 1, 0, 2);
    o->number_learning_rate = draw_setting(rng, "of numbers", 1, 0, 2);
    o->momentum = draw_setting(rng, "momentum", 0, 0, 0.99);
    o->beta1 = draw_setting(rng, "beta1", 0.9, 0, 0.99);
    o->beta2 = draw_setting(rng, "beta2", 0.999, 0, 0.9999);
    o->epsilon = draw_setting(rng, "epsilon", 1e-8, 1e-6, 1);
    o->weight_decay = draw_setting(rng, "decay", 0, 0, 0.5);
    o->bias_weight_decay = draw_setting(rng, "decay of biases", 0, 0, 2);
    o->clip_norm = draw_setting(rng, "clip", 0, 1e-3, 2);
    o->averaging = draw_setting(rng, "averaging", 0, 0.01, 0.999);
}
