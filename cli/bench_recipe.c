/* bench_recipe.c - the part of `tulle bench` that measures a recipe's own training step: all that
 * the recipe puts around the products, on a table of a few numbers. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "report.h"
#include "train_settings.h"

enum { NUMBERS = 8, ROWS = 256, MOST_HIDDEN = 16 };

struct recipe {
    struct tulle_layer layers[MOST_HIDDEN + 1];
    size_t numbers[NUMBERS];
    double *knots;
    struct tulle_trainer_options options;
    float x[ROWS][NUMBERS], y[ROWS];
    tulle_trainer *trainer;
};

/* What a recipe says of tables of numbers. */
static const char *value_of(enum tulle_recipe recipe, const char *name)
{
    size_t count;
    const struct tulle_setting *settings = tulle_recipe_settings(recipe, 0, &count);
    return cli_setting_value(settings, count, name);
}

static double number_of(enum tulle_recipe recipe, const char *name)
{
    return strtod(value_of(recipe, name), NULL);
}

static int is_on(enum tulle_recipe recipe, const char *name)
{
    return strcmp(value_of(recipe, name), "yes") == 0;
}

static void make_layers(struct recipe *r, enum tulle_recipe recipe)
{
    struct tulle_layer layer = {0, TULLE_ACTIVATION_IDENTITY, is_on(recipe, "parametric"),
                                number_of(recipe, "dropout")};
    tulle_activation_from_name(value_of(recipe, "activation"), &layer.activation);
    const char *text = value_of(recipe, "hidden");
    while (*text && r->options.layer_count < MOST_HIDDEN) {
        char *end;
        layer.units = strtoul(text, &end, 10);
        r->layers[r->options.layer_count++] = layer;
        text = *end ? end + 1 : end;
    }
    const struct tulle_layer last = {1, TULLE_ACTIVATION_IDENTITY, 0, 0};
    r->layers[r->options.layer_count++] = last;
    r->options.layers = r->layers;
}

/* Every number is uniform in [0, 1), and so are its knots. */
static void make_front(struct recipe *r, enum tulle_recipe recipe)
{
    struct tulle_front *front = &r->options.front;
    front->has_factors = is_on(recipe, "input_factors");
    front->members = (size_t)number_of(recipe, "members");
    front->dimensions = (size_t)number_of(recipe, "number_dimensions");
    if (front->dimensions == 0)
        return;
    front->bins = strcmp(value_of(recipe, "number_bins"), "auto") == 0 /* the more costly */
                      ? 48
                      : (size_t)number_of(recipe, "number_bins");
    front->frequencies = front->bins > 0 ? 0 : (size_t)number_of(recipe, "number_frequencies");
    front->frequency_deviation = number_of(recipe, "number_deviation");
    front->numbers = r->numbers;
    front->number_count = NUMBERS;
    r->knots = cli_allocate(NUMBERS * (front->bins + 1), sizeof *r->knots);
    for (size_t i = 0; i < NUMBERS; i++) {
        r->numbers[i] = i;
        for (size_t t = 0; front->bins > 0 && t <= front->bins; t++)
            r->knots[i * (front->bins + 1) + t] = (double)t / (double)front->bins;
    }
    front->knots = front->bins > 0 ? r->knots : NULL;
}

static void make_rows(struct recipe *r)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 0);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t c = 0; c < NUMBERS; c++)
            r->x[i][c] = (float)tulle_rng_uniform(&rng);
        r->y[i] = (float)tulle_rng_uniform(&rng);
    }
}

static enum tulle_status step(void *user)
{
    struct recipe *r = user;
    const struct tulle_matrix x = {r->x, TULLE_F32, ROWS, NUMBERS, 0};
    const struct tulle_matrix y = {r->y, TULLE_F32, ROWS, 1, 0};
    return tulle_trainer_step(r->trainer, x, y, NULL);
}

/* Three products of all layers for each member: the first one's inputs are learned too. Nothing
 * else counts. */
static double operations(const struct recipe *r)
{
    const struct tulle_front *front = &r->options.front;
    size_t inputs = NUMBERS * (1 + front->dimensions), weights = 0;
    for (size_t l = 0; l < r->options.layer_count; l++) {
        weights += inputs * r->layers[l].units;
        inputs = r->layers[l].units;
    }
    return 6.0 * (double)weights * (double)front->members * ROWS;
}

void cli_bench_recipe(struct cli_bench_report *report, int quick, enum tulle_recipe recipe,
                      unsigned threads)
{
    const struct tulle_trainer_options defaults = TULLE_TRAINER_OPTIONS;
    struct recipe *r = cli_allocate(1, sizeof *r);
    struct cli_timing timing = {0};
    memset(r, 0, sizeof *r);
    r->options = defaults;
    r->options.inputs = NUMBERS;
    r->options.batch_size = ROWS;
    r->options.threads = threads;
    r->options.learning_rate = 1e-6; /* the same rows, many thousand times */
    tulle_optimizer_from_name(value_of(recipe, "optimizer"), &r->options.optimizer);
    r->options.weight_decay = number_of(recipe, "weight_decay");
    r->options.averaging = number_of(recipe, "averaging");
    make_layers(r, recipe);
    make_front(r, recipe);
    make_rows(r);
    const struct cli_work work = {step, r, operations(r), TULLE_F32, threads};
    cli_bench_line(report, "recipe", tulle_recipe_name(recipe), "f32", ROWS, threads);
    enum tulle_status status = tulle_trainer_create(&r->options, &r->trainer, NULL);
    if (status == TULLE_OK)
        status = cli_time_groups(&work, quick, &timing);
    if (status != TULLE_OK)
        cli_die(tulle_status_text(status));
    cli_bench_work(report, &timing, work.operations);
    tulle_trainer_free(r->trainer);
    free(r->knots);
    free(r);
}
