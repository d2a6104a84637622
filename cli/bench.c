/* bench.c - `tulle bench`: how fast Tulle is here, and how fast it could be. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "peak.h"
#include "report.h"

enum { MOST_LAYERS = 7, SINGLE_ROWS = 512, PEAK_REPEATS = 31 };

/* The hidden layers are relu; the outputs, units[layers - 1] of them, linear. */
struct shape {
    const char *name;
    size_t inputs, layers, units[MOST_LAYERS];
    enum tulle_optimizer optimizer; /* TULLE_OPTIMIZER_SGD */
};

/* The network of the notebook that Tulle comes from; every other figure is compared with its. */
static const struct shape reference = {"100-128-256-1", 100, 3, {128, 256, 1}, 0};
static const struct shape reference_adam = {
    "100-128-256-1 adam", 100, 3, {128, 256, 1}, TULLE_OPTIMIZER_ADAM};

struct bench {
    struct cli_bench_report report;
    int quick;
    unsigned threads[2]; /* one; and many, where there are more */
    size_t thread_counts;
};

/* --- A network at work --- */

struct subject {
    const struct shape *shape;
    enum tulle_type type;
    size_t rows, at; /* at: the row that is next, where they are predicted one by one */
    void *x, *y, *out;
    tulle_trainer *trainer;
    tulle_model *model;
    tulle_session *session;
};

static size_t outputs(const struct shape *shape)
{
    return shape->units[shape->layers - 1];
}

static size_t number_size(enum tulle_type type)
{
    return type == TULLE_F32 ? sizeof(float) : sizeof(double);
}

static void *random_numbers(enum tulle_type type, size_t count)
{
    struct tulle_rng rng;
    void *numbers = cli_allocate(count, number_size(type));
    tulle_rng_seed(&rng, 0);
    for (size_t i = 0; i < count; i++) {
        if (type == TULLE_F32)
            ((float *)numbers)[i] = (float)tulle_rng_uniform(&rng);
        else
            ((double *)numbers)[i] = tulle_rng_uniform(&rng);
    }
    return numbers;
}

static enum tulle_status subject_create(struct subject *s, const struct shape *shape,
                                        enum tulle_type type, size_t rows, unsigned threads)
{
    const struct subject fresh = {shape, type, rows, 0, NULL, NULL, NULL, NULL, NULL, NULL};
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    struct tulle_layer layers[MOST_LAYERS];
    for (size_t i = 0; i < shape->layers; i++) {
        const struct tulle_layer layer = {.units = shape->units[i],
                                          .activation = i + 1 < shape->layers
                                                            ? TULLE_ACTIVATION_RELU
                                                            : TULLE_ACTIVATION_IDENTITY};
        layers[i] = layer;
    }
    options.inputs = shape->inputs;
    options.layers = layers;
    options.layer_count = shape->layers;
    options.precision = type;
    options.optimizer = shape->optimizer;
    options.batch_size = rows;
    options.learning_rate = 1e-6; /* the same rows, many thousand times */
    options.threads = threads;

    *s = fresh;
    s->x = random_numbers(type, rows * shape->inputs);
    s->y = random_numbers(type, rows * outputs(shape));
    s->out = random_numbers(type, rows * outputs(shape));
    enum tulle_status status = tulle_trainer_create(&options, &s->trainer, NULL);
    if (status == TULLE_OK)
        status = tulle_trainer_model(s->trainer, &s->model);
    if (status == TULLE_OK)
        status = tulle_session_create(s->model, &s->session);
    return status == TULLE_OK ? tulle_session_set_threads(s->session, threads) : status;
}

static void subject_free(struct subject *s)
{
    tulle_session_free(s->session);
    tulle_model_free(s->model);
    tulle_trainer_free(s->trainer);
    free(s->x);
    free(s->y);
    free(s->out);
}

static enum tulle_status step(void *user)
{
    struct subject *s = user;
    const struct tulle_matrix x = {s->x, s->type, s->rows, s->shape->inputs, 0};
    const struct tulle_matrix y = {s->y, s->type, s->rows, outputs(s->shape), 0};
    return tulle_trainer_step(s->trainer, x, y, NULL);
}

static enum tulle_status predict(void *user)
{
    struct subject *s = user;
    const struct tulle_matrix x = {s->x, s->type, s->rows, s->shape->inputs, 0};
    const struct tulle_matrix_out out = {s->out, s->type, s->rows, outputs(s->shape), 0};
    return tulle_session_predict(s->session, x, out);
}

/* Another row each time, as they come in service. */
static enum tulle_status predict_one(void *user)
{
    struct subject *s = user;
    size_t inputs = s->shape->inputs, count = outputs(s->shape), bytes = number_size(s->type);
    const char *row = (const char *)s->x + s->at * inputs * bytes;
    char *place = (char *)s->out + s->at * count * bytes;
    const struct tulle_matrix x = {row, s->type, 1, inputs, 0};
    const struct tulle_matrix_out out = {place, s->type, 1, count, 0};
    s->at = (s->at + 1) % s->rows;
    return tulle_session_predict(s->session, x, out);
}

/* A multiply-add, which is two operations, for each weight and row. */
static double predict_operations(const struct shape *shape, size_t rows)
{
    size_t weights = shape->inputs * shape->units[0];
    for (size_t i = 1; i < shape->layers; i++)
        weights += shape->units[i - 1] * shape->units[i];
    return 2.0 * (double)weights * (double)rows;
}

/* Forward, the gradient of the weights, and that of the inputs of all layers but the first. */
static double step_operations(const struct shape *shape, size_t rows)
{
    return 3 * predict_operations(shape, rows) -
           2.0 * (double)(shape->inputs * shape->units[0]) * (double)rows;
}

/* --- Lines --- */

struct kind {
    const char *part;
    enum tulle_status (*run)(void *user);
    double (*operations)(const struct shape *shape, size_t rows);
    enum tulle_status (*time)(const struct cli_work *work, int quick, struct cli_timing *timing);
    size_t variety; /* rows to choose from, where a run takes one; else 0 */
};

static const struct kind steps = {"step", step, step_operations, cli_time_groups, 0};
static const struct kind shape_steps = {"shapes", step, step_operations, cli_time_groups, 0};
static const struct kind width_steps = {"widths", step, step_operations, cli_time_groups, 0};
static const struct kind rows_at_once = {"batch", predict, predict_operations, cli_time_groups, 0};
static const struct kind row_by_row = {"row", predict_one, predict_operations, cli_time_singles,
                                       SINGLE_ROWS};

static void measure(struct bench *bench, const struct kind *kind, const struct shape *shape,
                    enum tulle_type type, size_t rows, unsigned threads)
{
    struct subject subject;
    struct cli_timing timing = {0};
    double operations = kind->operations(shape, rows);
    const struct cli_work work = {kind->run, &subject, operations, type, threads};
    cli_bench_line(&bench->report, kind->part, shape->name, tulle_type_name(type), rows, threads);
    enum tulle_status status =
        subject_create(&subject, shape, type, kind->variety ? kind->variety : rows, threads);
    if (status == TULLE_OK)
        status = kind->time(&work, bench->quick, &timing);
    if (status != TULLE_OK)
        cli_die(tulle_status_text(status));
    subject_free(&subject);
    cli_bench_work(&bench->report, &timing, operations);
}

/* With one thread, and with many. */
static void measure_threads(struct bench *bench, const struct kind *kind, const struct shape *shape,
                            enum tulle_type type, size_t rows)
{
    for (size_t i = 0; i < bench->thread_counts; i++)
        measure(bench, kind, shape, type, rows, bench->threads[i]);
}

/* --- Parts --- */

static void bench_peak(struct bench *bench)
{
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        for (size_t i = 0; i < bench->thread_counts; i++) {
            double speeds[PEAK_REPEATS];
            cli_bench_line(&bench->report, "peak", cli_peak_level(),
                           tulle_type_name((enum tulle_type)type), 0, bench->threads[i]);
            for (size_t repeat = 0; repeat < PEAK_REPEATS; repeat++)
                speeds[repeat] = cli_peak((enum tulle_type)type, bench->threads[i]);
            cli_bench_peak(&bench->report, cli_median(speeds, PEAK_REPEATS));
        }
    }
}

static void bench_step(struct bench *bench)
{
    static const size_t batches[] = {1, 4, 16, 64, 500, 4096};
    for (int type = TULLE_F32; type <= TULLE_F64; type++) {
        for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
            measure_threads(bench, &steps, &reference, (enum tulle_type)type, batches[i]);
        measure_threads(bench, &steps, &reference_adam, (enum tulle_type)type, 500);
    }
}

static void bench_shapes(struct bench *bench)
{
    static const struct shape shapes[] = {
        {"8-64-64-2", 8, 3, {64, 64, 2}, 0},
        {"20-256-256-256-1", 20, 4, {256, 256, 256, 1}, 0},
        {"784-512-256-10", 784, 3, {512, 256, 10}, 0},
        {"64-1024-1024-8", 64, 3, {1024, 1024, 8}, 0},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t rows = 32; rows <= 512; rows *= 16)
            measure_threads(bench, &shape_steps, &shapes[i], TULLE_F32, rows);
}

static void bench_recipes(struct bench *bench)
{
    static const enum tulle_recipe recipes[] = {
#define RECIPE(NAME, value, name, formula) TULLE_RECIPE_##NAME,
        TULLE_RECIPE_LIST(RECIPE)
#undef RECIPE
    };
    for (size_t r = 0; r < sizeof recipes / sizeof recipes[0]; r++)
        for (size_t i = 0; i < bench->thread_counts; i++)
            cli_bench_recipe(&bench->report, bench->quick, recipes[r], bench->threads[i]);
}

static void bench_widths(struct bench *bench)
{
    static const size_t widths[] = {17, 100, 257, 1000}, depths[] = {1, 3, 6};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        for (size_t j = 0; j < sizeof depths / sizeof depths[0]; j++) {
            char name[32];
            struct shape shape = {name, widths[i], depths[j] + 1, {0}, 0};
            snprintf(name, sizeof name, "%zu-(%zu x %zu)-1", widths[i], depths[j], widths[i]);
            for (size_t layer = 0; layer < depths[j]; layer++)
                shape.units[layer] = widths[i];
            shape.units[depths[j]] = 1;
            for (size_t rows = 32; rows <= 512; rows *= 16)
                measure_threads(bench, &width_steps, &shape, TULLE_F32, rows);
        }
    }
}

static void bench_predict(struct bench *bench)
{
    static const size_t batches[] = {16, 500, 4096};
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        measure(bench, &row_by_row, &reference, (enum tulle_type)type, 1, 1);
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++)
            measure_threads(bench, &rows_at_once, &reference, (enum tulle_type)type, batches[i]);
}

static void bench_read(struct bench *bench)
{
    cli_bench_read(&bench->report, bench->quick);
}

static int run(const struct cli_options *options)
{
    static const struct {
        enum cli_bench_part part;
        void (*run)(struct bench *bench);
    } parts[] = {{CLI_BENCH_STEP, bench_step},       {CLI_BENCH_SHAPES, bench_shapes},
                 {CLI_BENCH_RECIPES, bench_recipes}, {CLI_BENCH_WIDTHS, bench_widths},
                 {CLI_BENCH_PREDICT, bench_predict}, {CLI_BENCH_READ, bench_read}};
    struct bench bench = {.quick = options->quick, .threads = {1, options->train.threads}};
    if (options->train.threads == 0)
        bench.threads[1] = cli_peak_cpus();
    bench.thread_counts = bench.threads[1] > 1 ? 2 : 1;

    cli_bench_begin(&bench.report, options);
    bench_peak(&bench);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        int wanted = options->only == CLI_BENCH_ALL ? parts[i].part != CLI_BENCH_WIDTHS
                                                    : parts[i].part == options->only;
        if (wanted)
            parts[i].run(&bench);
    }
    return cli_bench_end(&bench.report, options);
}

const struct cli_command cli_bench = {
    .bit = CLI_BENCH,
    .name = "bench",
    .summary = "measure how fast Tulle is on this machine",
    .synopsis = "[--only PART] [--quick] [--threads N] [--json]",
    .description =
        "Prints how long training steps, predictions and reading CSV take, how many floating-point "
        "operations a second that is (GFLOP/s: 10^9 of them), and how much of what the machine "
        "could do at best: of the peak, the multiply-adds a second of a loop that does nothing "
        "else. Takes up to a minute; nothing is left behind.\n\n"
        "step: steps of stochastic gradient descent with the reference network 100-128-256-1 "
        "(100 inputs, relu layers of 128 and 256 units, one output) on 1 to 4096 rows, and one of "
        "adam on 500, in f32 and f64, with one thread and with all. shapes: the same with smaller "
        "and larger networks. recipes: steps of 256 rows of 8 numbers with all that a recipe has "
        "around the products, of which alone the operations are counted. "
        "predict: the reference network on one row at a time, each call timed by itself, p50 and "
        "p99 being the times that half and 99 % of the calls do not exceed; and on many rows. "
        "read: a table from the disk's cache. widths, on request only: networks of 1, 3 and 6 "
        "hidden layers of 17 to 1000 units.\n\n"
        "A step is 2 operations a row and weight forward, 2 for the weights' gradient and, in all "
        "layers but the first, 2 for the inputs'. A time is the median of up to 31 repeats; each "
        "is compared with a peak measured just before it, since the speed of a machine changes "
        "from one second to the next. Other programs that run meanwhile take from the figures; "
        "the environment's TULLE_KERNELS=generic or avx2 lowers the kernels, not the peak.",
    .required = 0,
    .examples = "  tulle bench\n"
                "  tulle bench --only step --threads 1\n"
                "  tulle bench --json | jq '.lines[] | select(.part == \"row\") | .seconds.p99'\n",
    .run = run,
};
