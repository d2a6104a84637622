/*
 * test_parity.c - trainers against PyTorch and scikit-learn: losses, outputs and parameters after a
 * few steps from the same start, as parity/make_vectors.py wrote them (parity/README.md).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tulle.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <jansson.h>

enum { MAX_NUMBERS = 128, MAX_LAYERS = 4, MAX_EMBEDDINGS = 2 };

/* A case of a file, and the trainer made for it. */
struct run {
    const char *file_name, *name;
    const json_t *file, *test_case;
    struct tulle_layer layers[MAX_LAYERS];
    struct tulle_embedding embeddings[MAX_EMBEDDINGS];
    double quantiles[MAX_NUMBERS];
    struct tulle_trainer_options options;
    tulle_trainer *trainer;
    int failures;
};

/* --- Reading --------------------------------------------------------------------------------- */

/* Appends the numbers of nested arrays to values; returns their count. */
static size_t append_numbers(const json_t *json, double *values, size_t count)
{
    if (json_is_number(json)) {
        assert_true(count < MAX_NUMBERS);
        values[count] = json_number_value(json);
        return count + 1;
    }
    assert_true(json_is_array(json));
    for (size_t i = 0; i < json_array_size(json); i++)
        count = append_numbers(json_array_get(json, i), values, count);
    return count;
}

static size_t get_numbers(const json_t *json, double *values)
{
    return append_numbers(json, values, 0);
}

/* What a case has under the key, or else its file. */
static const json_t *get(const struct run *run, const char *key)
{
    const json_t *own = json_object_get(run->test_case, key);
    return own ? own : json_object_get(run->file, key);
}

static struct tulle_matrix get_matrix(const json_t *json, double *values)
{
    size_t rows = json_array_size(json), count = get_numbers(json, values);
    assert_true(rows > 0);
    return tulle_f64(values, rows, count / rows);
}

/* --- Making a trainer ------------------------------------------------------------------------ */

static void set_option(struct run *run, const char *key, const json_t *value)
{
    struct tulle_trainer_options *o = &run->options;
    const struct {
        const char *name;
        double *value;
    } numbers[] = {{"learning_rate", &o->learning_rate},
                   {"momentum", &o->momentum},
                   {"beta1", &o->beta1},
                   {"beta2", &o->beta2},
                   {"epsilon", &o->epsilon},
                   {"weight_decay", &o->weight_decay},
                   {"bias_learning_rate", &o->bias_learning_rate},
                   {"bias_weight_decay", &o->bias_weight_decay},
                   {"clip_norm", &o->clip_norm},
                   {"averaging", &o->averaging},
                   {"huber_delta", &o->huber_delta},
                   {"label_smoothing", &o->label_smoothing}};
    if (!strcmp(key, "loss")) {
        assert_int_equal(tulle_loss_from_name(json_string_value(value), &o->loss), TULLE_OK);
        return;
    }
    if (!strcmp(key, "optimizer")) {
        assert_int_equal(tulle_optimizer_from_name(json_string_value(value), &o->optimizer),
                         TULLE_OK);
        return;
    }
    if (!strcmp(key, "quantiles")) {
        o->quantiles = run->quantiles;
        o->quantile_count = get_numbers(value, run->quantiles);
        return;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (!strcmp(key, numbers[i].name)) {
            *numbers[i].value = json_number_value(value);
            return;
        }
    fail_msg("%s: unknown option %s", run->name, key);
}

/* The shape that the starting parameters have. */
static void set_shape(struct run *run)
{
    const json_t *layers = json_object_get(get(run, "start"), "layers");
    const json_t *embeddings = json_object_get(run->test_case, "embeddings");
    struct tulle_trainer_options *o = &run->options;
    o->layers = run->layers;
    o->layer_count = json_array_size(layers);
    assert_true(o->layer_count <= MAX_LAYERS);
    for (size_t l = 0; l < o->layer_count; l++) {
        const json_t *layer = json_array_get(layers, l);
        const char *activation = json_string_value(json_array_get(get(run, "activations"), l));
        run->layers[l].units = json_array_size(json_object_get(layer, "biases"));
        run->layers[l].parametric = json_object_get(layer, "mix") != NULL;
        assert_int_equal(tulle_activation_from_name(activation, &run->layers[l].activation),
                         TULLE_OK);
    }
    o->embeddings = run->embeddings;
    o->embedding_count = json_array_size(embeddings);
    assert_true(o->embedding_count <= MAX_EMBEDDINGS);
    for (size_t e = 0; e < o->embedding_count; e++) {
        const json_t *embedding = json_array_get(embeddings, e);
        run->embeddings[e] = (struct tulle_embedding){
            (size_t)json_integer_value(json_object_get(embedding, "levels")),
            (size_t)json_integer_value(json_object_get(embedding, "dimensions"))};
    }
    o->inputs = json_array_size(json_array_get(get(run, "x"), 0)) - o->embedding_count;
}

static void set_parameters(const struct run *run)
{
    const json_t *start = get(run, "start");
    double weights[MAX_NUMBERS], biases[MAX_NUMBERS];
    for (size_t l = 0; l < run->options.layer_count; l++) {
        const json_t *layer = json_array_get(json_object_get(start, "layers"), l);
        get_numbers(json_object_get(layer, "weights"), weights);
        get_numbers(json_object_get(layer, "biases"), biases);
        assert_int_equal(tulle_trainer_set_parameters(run->trainer, l, weights, biases), TULLE_OK);
        if (!run->layers[l].parametric)
            continue;
        get_numbers(json_object_get(layer, "mix"), weights);
        assert_int_equal(tulle_trainer_set_mix(run->trainer, l, weights), TULLE_OK);
    }
    for (size_t e = 0; e < run->options.embedding_count; e++) {
        get_numbers(json_array_get(json_object_get(start, "embeddings"), e), weights);
        assert_int_equal(tulle_trainer_set_embedding(run->trainer, e, weights), TULLE_OK);
    }
}

/* --- Comparing ------------------------------------------------------------------------------- */

/* Numbers are the same that differ by no more than the tolerance of the largest of their tensor.
 * Says where they are not, and goes on. */
static void compare(struct run *run, const char *what, size_t which, size_t steps,
                    const json_t *expected, const double *found)
{
    double values[MAX_NUMBERS], largest = 0;
    double tolerance = run->options.precision == TULLE_F64 ? 1e-12 : 1e-6;
    size_t count = get_numbers(expected, values);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(values[i]));
    for (size_t i = 0; i < count; i++)
        if (!(fabs(found[i] - values[i]) <= tolerance * largest)) {
            print_error("%s, \"%s\", %s: %s %zu after %zu steps: [%zu] is %.17g, expected %.17g\n",
                        run->file_name, run->name, tulle_type_name(run->options.precision), what,
                        which, steps, i, found[i], values[i]);
            run->failures++;
            return;
        }
}

static void compare_parameters(struct run *run, size_t steps, const json_t *expected)
{
    double weights[MAX_NUMBERS], biases[MAX_NUMBERS];
    for (size_t l = 0; l < run->options.layer_count; l++) {
        const json_t *layer = json_array_get(json_object_get(expected, "layers"), l);
        assert_int_equal(tulle_trainer_get_parameters(run->trainer, l, weights, biases), TULLE_OK);
        compare(run, "weights", l, steps, json_object_get(layer, "weights"), weights);
        compare(run, "biases", l, steps, json_object_get(layer, "biases"), biases);
        if (!run->layers[l].parametric)
            continue;
        assert_int_equal(tulle_trainer_get_mix(run->trainer, l, weights), TULLE_OK);
        compare(run, "mix", l, steps, json_object_get(layer, "mix"), weights);
    }
    for (size_t e = 0; e < run->options.embedding_count; e++) {
        const json_t *table = json_array_get(json_object_get(expected, "embeddings"), e);
        assert_int_equal(tulle_trainer_get_embedding(run->trainer, e, weights), TULLE_OK);
        compare(run, "embedding", e, steps, table, weights);
    }
}

/* Compares what the file has of the state after so many steps. */
static void compare_state(struct run *run, size_t steps, struct tulle_matrix x)
{
    const json_t *after = json_object_get(run->test_case, "after");
    double outputs[MAX_NUMBERS];
    for (size_t i = 0; i < json_array_size(after); i++) {
        const json_t *state = json_array_get(after, i);
        const json_t *expected_parameters = json_object_get(state, "parameters");
        const json_t *expected_outputs = json_object_get(state, "outputs");
        if ((size_t)json_integer_value(json_object_get(state, "steps")) != steps)
            continue;
        if (expected_parameters)
            compare_parameters(run, steps, expected_parameters);
        if (expected_outputs) {
            size_t columns = run->layers[run->options.layer_count - 1].units;
            assert_true(x.rows * columns <= MAX_NUMBERS);
            assert_int_equal(
                tulle_trainer_predict(run->trainer, x, tulle_f64_out(outputs, x.rows, columns)),
                TULLE_OK);
            compare(run, "outputs", 0, steps, expected_outputs, outputs);
        }
    }
}

/* --- Running --------------------------------------------------------------------------------- */

static size_t last_step(const json_t *test_case)
{
    const json_t *after = json_object_get(test_case, "after");
    const json_t *last = json_array_get(after, json_array_size(after) - 1);
    return (size_t)json_integer_value(json_object_get(last, "steps"));
}

static void take_steps(struct run *run)
{
    double x_values[MAX_NUMBERS], y_values[MAX_NUMBERS], weights[MAX_NUMBERS], loss;
    const char *targets = json_string_value(json_object_get(run->test_case, "targets"));
    const json_t *y_json = json_object_get(json_object_get(run->file, "targets"), targets);
    const json_t *row_weights = json_object_get(run->test_case, "row_weights");
    const json_t *losses = json_object_get(run->test_case, "losses");
    struct tulle_matrix x = get_matrix(get(run, "x"), x_values);
    struct tulle_matrix y = get_matrix(y_json, y_values);
    if (row_weights)
        assert_int_equal(get_numbers(row_weights, weights), x.rows);
    compare_state(run, 0, x);
    for (size_t step = 0; step < last_step(run->test_case); step++) {
        enum tulle_status status =
            row_weights ? tulle_trainer_step_weighted(run->trainer, x, y, weights, &loss)
                        : tulle_trainer_step(run->trainer, x, y, &loss);
        assert_int_equal(status, TULLE_OK);
        if (step < json_array_size(losses))
            compare(run, "loss", 0, step, json_array_get(losses, step), &loss);
        compare_state(run, step + 1, x);
    }
}

/* Returns how many tensors are not what they should be. */
static int run_case(const char *file_name, const json_t *file, const json_t *test_case,
                    enum tulle_type precision)
{
    struct run run = {.file_name = file_name, .file = file, .test_case = test_case};
    json_t *options = json_object_get(test_case, "options"), *value;
    struct tulle_error error;
    const char *key;
    run.name = json_string_value(json_object_get(test_case, "name"));
    run.options = (struct tulle_trainer_options)TULLE_TRAINER_OPTIONS;
    run.options.precision = precision;
    run.options.threads = 1;
    set_shape(&run);
    json_object_foreach(options, key, value)
    {
        set_option(&run, key, value);
    }
    if (tulle_trainer_create(&run.options, &run.trainer, &error) != TULLE_OK)
        fail_msg("%s, \"%s\": %s", file_name, run.name, error.message);
    set_parameters(&run);
    take_steps(&run);
    tulle_trainer_free(run.trainer);
    return run.failures;
}

static void test_file(void **state)
{
    const char *name = *state;
    char path[1024];
    json_error_t error;
    int failures = 0;
    snprintf(path, sizeof path, "%s/tests/parity/%s", TULLE_SOURCE_DIR, name);
    json_t *file = json_load_file(path, 0, &error);
    if (!file)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    const json_t *cases = json_object_get(file, "cases");
    assert_true(json_array_size(cases) > 0);
    for (size_t i = 0; i < json_array_size(cases); i++)
        for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
            failures += run_case(name, file, json_array_get(cases, i), (enum tulle_type)precision);
    if (failures)
        fail_msg("%d tensors are not those of %s", failures,
                 json_string_value(json_object_get(file, "made_by")));
    json_decref(file);
}

int main(void)
{
    static char files[][20] = {"activations.json", "losses.json", "optimizers.json",
                               "structure.json", "sklearn.json"};
    struct CMUnitTest tests[sizeof files / sizeof files[0]];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        tests[i] = (struct CMUnitTest){files[i], test_file, NULL, NULL, files[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    puts("skipped: built without jansson, which reads the vectors");
    return 77;
}

#endif
