/* test_concurrency.c - everything at once: threads that predict with one model while others load,
 * train, save, read and fail, each with the bits that it has alone; and processes that are forked
 * off in the middle of it. Made to run under ThreadSanitizer. */
#include "../lib/base/portability.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net_support.h"
#include "training_runs.h"

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) ||                               \
    HAS_FEATURE(thread_sanitizer) || HAS_FEATURE(address_sanitizer) || defined(TULLE_EMULATED)
enum { IS_SLOW = 1 };
#else
enum { IS_SLOW = 0 };
#endif

/* --- What all share -------------------------------------------------------------------------- */

enum { WIDE_ROWS = IS_SLOW ? 300 : 1500, WIDE_INPUTS = 100, WIDE_OUTPUTS = 2 };
enum { PATH = 128 };

/* Made before there is any other thread, and what each call gave then. */
static struct {
    struct run run;
    tulle_dataset *dataset;
    tulle_model *model;
    char table[PATH], file[PATH], common[PATH]; /* the dataset, the model, what all save to */
    struct bytes bytes, predicted;              /* the model's file, the table's predictions */
    struct tulle_evaluation *evaluation;
    double out[TABLE_ROWS];

    struct tulle_layer layers[3]; /* of a network that is worth several threads */
    struct tulle_trainer_options wide_options;
    tulle_model *wide;
    double *x, *y, *wide_out, *wide_parameters; /* after an epoch */
} world;

static struct tulle_matrix inputs(size_t first, size_t count)
{
    const struct tulle_dataset_info *info = tulle_dataset_info(world.dataset);
    struct tulle_matrix x = tulle_f64(info->values + first * info->columns, count, info->columns);
    x.columns = tulle_model_info(world.model)->input_count; /* which come first, in this order */
    return x;
}

static struct tulle_matrix wide_rows(const double *values, size_t columns)
{
    return tulle_f64(values, WIDE_ROWS, columns);
}

static void write_csv(const struct table *table, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t c = 0; c < table->columns; c++)
        fprintf(file, "%s%s", c ? "," : "", table->names[c]);
    for (size_t r = 0; r < table->rows; r++)
        for (size_t c = 0; c < table->columns; c++) {
            double value = table->values[r][c];
            fputs(c ? "," : "\n", file);
            if (table->levels[c].count > 0)
                fputs(table->levels[c].names[(size_t)value], file);
            else if (!isnan(value))
                fprintf(file, "%.17g", value);
        }
    assert_int_equal(fclose(file), 0);
}

static void make_wide(void)
{
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 8);
    world.layers[0] = (struct tulle_layer){128, TULLE_ACTIVATION_RELU, 0, 0};
    world.layers[1] = (struct tulle_layer){96, TULLE_ACTIVATION_TANH, 0, 0};
    world.layers[2] = (struct tulle_layer){WIDE_OUTPUTS, TULLE_ACTIVATION_IDENTITY, 0, 0};
    world.wide_options = network_options(WIDE_INPUTS, world.layers, 3, TULLE_F32);
    world.wide_options.batch_size = WIDE_ROWS / 2;
    world.wide_options.optimizer = TULLE_OPTIMIZER_ADAM;
    world.x = new_values(&rng, (size_t)WIDE_ROWS * WIDE_INPUTS);
    world.y = new_values(&rng, (size_t)WIDE_ROWS * WIDE_OUTPUTS);
    world.wide_out = new_values(&rng, (size_t)WIDE_ROWS * WIDE_OUTPUTS);
    tulle_trainer *trainer = new_trainer(&world.wide_options);
    assert_int_equal(tulle_trainer_epoch(trainer, wide_rows(world.x, WIDE_INPUTS),
                                         wide_rows(world.y, WIDE_OUTPUTS), NULL),
                     TULLE_OK);
    world.wide_parameters = get_parameters(trainer, &world.wide_options);
    world.wide = new_model(trainer);
    tulle_session *session = new_session(world.wide);
    assert_int_equal(tulle_session_predict(session, wide_rows(world.x, WIDE_INPUTS),
                                           tulle_f64_out(world.wide_out, WIDE_ROWS, WIDE_OUTPUTS)),
                     TULLE_OK);
    tulle_session_free(session);
    tulle_trainer_free(trainer);
}

static int make_world(void **state)
{
    struct tulle_error error;
    make_folder(state);
    snprintf(world.table, PATH, "%s", in_folder("table.csv"));
    snprintf(world.file, PATH, "%s", in_folder("world.tulle"));
    snprintf(world.common, PATH, "%s", in_folder("common.tulle"));
    make_run(&world.run, RUN_TABULAR);
    world.run.options.members = 3;
    world.run.options.epochs = 2;
    write_csv(&world.run.table, world.table);
    if (tulle_dataset_read(world.table, NULL, &world.dataset, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    world.model = train_dataset(world.dataset, &world.run.options);
    save_model(world.model, world.file);
    world.bytes = get_bytes(world.file);
    size_t rows = tulle_dataset_info(world.dataset)->rows;
    tulle_session *session = new_session(world.model);
    assert_int_equal(
        tulle_session_predict(session, inputs(0, rows), tulle_f64_out(world.out, rows, 1)),
        TULLE_OK);
    tulle_session_free(session);
    const char *predictions = in_folder("predictions");
    assert_int_equal(tulle_predict_file(world.model, world.table, predictions, NULL, NULL, &error),
                     TULLE_OK);
    world.predicted = get_bytes(predictions);
    assert_int_equal(tulle_evaluate(world.model, world.dataset, TULLE_SPLIT_ALL, NULL,
                                    &world.evaluation, &error),
                     TULLE_OK);
    make_wide();
    return 0;
}

static int free_world(void **state)
{
    tulle_evaluation_free(world.evaluation);
    tulle_model_free(world.model);
    tulle_model_free(world.wide);
    tulle_dataset_free(world.dataset);
    free(world.bytes.data), free(world.predicted.data);
    free(world.x), free(world.y), free(world.wide_out), free(world.wide_parameters);
    return remove_folder(state);
}

/* --- Threads and what they do ---------------------------------------------------------------- */

struct worker {
    int (*job)(struct worker *worker); /* once; whether all was right */
    const char *name;                  /* of the job */
    unsigned number, rounds;           /* 0: until the others are through */
    char path[PATH];                   /* of a file of its own */
    tulle_session *session;            /* the same, of the wide model */
    int is_wrong;
    pthread_t handle;
};

/* Whether the model, wherever it came from, predicts what the shared one does. */
static int is_right(const tulle_model *model, size_t group)
{
    double out[TABLE_ROWS];
    size_t rows = world.run.table.rows;
    tulle_session *session;
    if (tulle_session_create(model, &session) != TULLE_OK)
        return 0;
    int right = 1;
    for (size_t r = 0; right && r < rows; r += group) {
        size_t count = rows - r < group ? rows - r : group;
        right = tulle_session_predict(session, inputs(r, count), tulle_f64_out(out, count, 1)) ==
                    TULLE_OK &&
                memcmp(out, world.out + r, count * sizeof *out) == 0;
    }
    tulle_session_free(session);
    return right;
}

static int predict(struct worker *worker)
{
    return is_right(world.model, 1 + 7 * worker->number % 64);
}

static int is_wide_right(tulle_session *session)
{
    double out[WIDE_ROWS * WIDE_OUTPUTS];
    return tulle_session_predict(session, wide_rows(world.x, WIDE_INPUTS),
                                 tulle_f64_out(out, WIDE_ROWS, WIDE_OUTPUTS)) == TULLE_OK &&
           memcmp(out, world.wide_out, sizeof out) == 0;
}

static int predict_wide(struct worker *worker)
{
    return is_wide_right(worker->session);
}

static int predict_on_threads(struct worker *worker)
{
    tulle_session *session;
    if (tulle_session_create(world.wide, &session) != TULLE_OK)
        return 0;
    int right = tulle_session_set_threads(session, worker->number % 4) == TULLE_OK &&
                is_wide_right(session);
    tulle_session_free(session);
    return right;
}

static int load(struct worker *worker)
{
    struct tulle_error error;
    tulle_model *model;
    if (tulle_model_load(world.file, &model, &error) != TULLE_OK)
        return 0;
    int right = is_right(model, 1 + worker->number);
    tulle_model_free(model);
    return right;
}

/* To a file of its own, and to one that others save to: it is whole whoever was last. */
static int save(struct worker *worker)
{
    struct tulle_error error;
    tulle_model *model = NULL;
    if (tulle_model_save(world.model, worker->path, &error) != TULLE_OK ||
        tulle_model_save(world.model, world.common, &error) != TULLE_OK ||
        tulle_model_load(world.common, &model, &error) != TULLE_OK)
        return 0;
    struct bytes bytes = get_bytes(worker->path);
    int right = same_bytes(bytes, world.bytes) && same_bits(model, world.model);
    free(bytes.data);
    tulle_model_free(model);
    return right;
}

static int train(struct worker *worker)
{
    struct tulle_error error;
    tulle_model *model;
    struct tulle_train_options options = world.run.options;
    options.threads = worker->number % 3;
    if (tulle_train(world.dataset, &options, &model, &error) != TULLE_OK)
        return 0;
    int right = same_bits(model, world.model);
    tulle_model_free(model);
    return right;
}

static tulle_trainer *new_wide_trainer(unsigned threads)
{
    tulle_trainer *trainer;
    if (tulle_trainer_create(&world.wide_options, &trainer, NULL) == TULLE_OK)
        set_threads(trainer, threads);
    return trainer;
}

static int is_epoch_right(tulle_trainer *trainer)
{
    if (tulle_trainer_epoch(trainer, wide_rows(world.x, WIDE_INPUTS),
                            wide_rows(world.y, WIDE_OUTPUTS), NULL) != TULLE_OK)
        return 0;
    double *found = get_parameters(trainer, &world.wide_options);
    size_t bytes = parameter_count(&world.wide_options) * sizeof *found;
    int right = memcmp(found, world.wide_parameters, bytes) == 0;
    free(found);
    return right;
}

static int train_on_threads(struct worker *worker)
{
    tulle_trainer *trainer = new_wide_trainer(2 + worker->number % 2);
    int right = trainer && is_epoch_right(trainer);
    tulle_trainer_free(trainer);
    return right;
}

/* Threads that begin and end without having done anything. */
static int create_and_free(struct worker *worker)
{
    tulle_trainer *trainer = new_wide_trainer(1 + worker->number % 5);
    tulle_trainer_free(trainer);
    return trainer != NULL;
}

static int read_table(struct worker *worker)
{
    struct tulle_error error;
    tulle_dataset *dataset;
    (void)worker;
    if (tulle_dataset_read(world.table, NULL, &dataset, &error) != TULLE_OK)
        return 0;
    const struct tulle_dataset_info *found = tulle_dataset_info(dataset);
    const struct tulle_dataset_info *expected = tulle_dataset_info(world.dataset);
    int right = found->rows == expected->rows && found->columns == expected->columns &&
                memcmp(found->values, expected->values,
                       expected->rows * expected->columns * sizeof *found->values) == 0;
    tulle_dataset_free(dataset);
    return right;
}

static int predict_table(struct worker *worker)
{
    struct tulle_error error;
    if (tulle_predict_file(world.model, world.table, worker->path, NULL, NULL, &error) != TULLE_OK)
        return 0;
    struct bytes bytes = get_bytes(worker->path);
    int right = same_bytes(bytes, world.predicted);
    free(bytes.data);
    return right;
}

static int evaluate(struct worker *worker)
{
    struct tulle_error error;
    struct tulle_evaluation *found;
    (void)worker;
    if (tulle_evaluate(world.model, world.dataset, TULLE_SPLIT_ALL, NULL, &found, &error) !=
        TULLE_OK)
        return 0;
    int right = memcmp(found->metrics, world.evaluation->metrics, sizeof *found->metrics) == 0;
    tulle_evaluation_free(found);
    return right;
}

/* Three failures whose errors have the worker's own number in them. */
static int fail_in_own_way(struct worker *worker)
{
    struct tulle_error error = {0};
    tulle_model *model;
    tulle_dataset *dataset;
    char name[32], text[64];
    const char *const target = name;
    struct tulle_train_options options = world.run.options;

    remove(worker->path);
    int right = tulle_model_load(worker->path, &model, &error) == TULLE_ERROR_IO && !model &&
                strcmp(error.file, worker->path) == 0 && error.line == 0;
    FILE *file = fopen(worker->path, "w");
    for (unsigned i = 0; file && i <= worker->number; i++)
        fprintf(file, "%u\n", i);
    if (!file || fprintf(file, "no. %u\n", worker->number) < 0 || fclose(file) != 0)
        return 0;
    snprintf(text, sizeof text, "no. %u", worker->number);
    right = right && tulle_dataset_read(worker->path, NULL, &dataset, &error) == TULLE_ERROR_DATA &&
            error.line == worker->number + 2 && strstr(error.message, text);
    snprintf(name, sizeof name, "nothing %u", worker->number);
    options.targets = &target;
    return right && tulle_train(world.dataset, &options, &model, &error) == TULLE_ERROR_DATA &&
           strstr(error.message, name) && error.line == 0;
}

/* --- Crews ----------------------------------------------------------------------------------- */

struct place {
    int (*job)(struct worker *worker);
    const char *name;
    unsigned threads, rounds;
};
#define PLACE(job, threads, rounds)                                                                \
    {                                                                                              \
        job, #job, threads, rounds                                                                 \
    }

enum { MOST_WORKERS = 48 };

struct crew {
    struct worker workers[MOST_WORKERS];
    unsigned count;
};

static atomic_uint waiting; /* to begin together */
static atomic_int over;     /* for those without a number of rounds */

static void wait_for_all(void)
{
    atomic_fetch_sub(&waiting, 1);
    while (atomic_load(&waiting) > 0)
        sched_yield();
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    wait_for_all();
    for (unsigned round = 0; worker->rounds > 0 ? round < worker->rounds : !atomic_load(&over);
         round++)
        worker->is_wrong |= !worker->job(worker);
    return NULL;
}

static void start(struct crew *crew, const struct place *places, size_t count)
{
    crew->count = 0;
    atomic_store(&over, 0);
    for (size_t p = 0; p < count; p++)
        for (unsigned i = 0; i < places[p].threads; i++) {
            struct worker *worker = &crew->workers[crew->count];
            *worker = (struct worker){.job = places[p].job,
                                      .name = places[p].name,
                                      .number = crew->count++,
                                      .rounds = places[p].rounds,
                                      .session = new_session(world.wide)};
            char name[32];
            snprintf(name, sizeof name, "worker-%u", worker->number);
            snprintf(worker->path, PATH, "%s", in_folder(name));
        }
    assert_true(crew->count <= MOST_WORKERS);
    atomic_store(&waiting, crew->count + 1);
    for (unsigned i = 0; i < crew->count; i++)
        assert_int_equal(pthread_create(&crew->workers[i].handle, NULL, work, &crew->workers[i]),
                         0);
    wait_for_all();
}

static void join(struct crew *crew, int with_rounds)
{
    for (unsigned i = 0; i < crew->count; i++)
        if ((crew->workers[i].rounds > 0) == with_rounds) {
            assert_int_equal(pthread_join(crew->workers[i].handle, NULL), 0);
            tulle_session_free(crew->workers[i].session);
        }
}

static void finish(struct crew *crew)
{
    join(crew, 1);
    atomic_store(&over, 1);
    join(crew, 0);
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->workers[i].is_wrong)
            fail_msg("thread %u: %s() did not give what it gives alone", i, crew->workers[i].name);
}

static void run_crew(const struct place *places, size_t count)
{
    static struct crew crew;
    start(&crew, places, count);
    finish(&crew);
}
#define RUN_CREW(...)                                                                              \
    do {                                                                                           \
        const struct place places[] = {__VA_ARGS__};                                               \
        run_crew(places, sizeof places / sizeof places[0]);                                        \
    } while (0)

/* How often: `usual`, a fraction of that where it takes long, and much more in a long test. */
static unsigned times(unsigned usual)
{
    unsigned rounds = IS_SLOW ? 1 + usual / 8 : usual;
    return getenv("TULLE_LONG") ? 50 * rounds : rounds;
}

static void test_one_model(void **state)
{
    (void)state;
    RUN_CREW(PLACE(predict, 16, 0), PLACE(predict_on_threads, 2, times(20)),
             PLACE(load, 2, times(40)), PLACE(save, 2, times(10)), PLACE(train, 3, times(3)),
             PLACE(train_on_threads, 1, times(10)), PLACE(read_table, 1, times(40)),
             PLACE(predict_table, 2, times(20)), PLACE(evaluate, 1, times(40)),
             PLACE(fail_in_own_way, 2, times(20)));
}

static void test_pools(void **state)
{
    (void)state;
    RUN_CREW(PLACE(train_on_threads, 4, times(10)), PLACE(predict_on_threads, 2, times(20)),
             PLACE(create_and_free, 4, 0));
}

static void test_errors(void **state)
{
    (void)state;
    RUN_CREW(PLACE(fail_in_own_way, 16, times(40)));
}

/* --- Processes ------------------------------------------------------------------------------- */

/* What a child process does with what it was born with, and with what it makes itself. */
static int live_on(tulle_session *session, tulle_trainer *trainer)
{
    struct worker self = {.number = 1}; /* trains on one thread */
    snprintf(self.path, PATH, "%s", in_folder("child"));
    int right = is_wide_right(session) && is_epoch_right(trainer) && predict(&self) &&
                load(&self) && save(&self) && train(&self);
    tulle_session_free(session);
    tulle_trainer_free(trainer);
    return right;
}

/* A child of a process whose other threads are in the middle of something. Those allocate nothing
 * where a sanitizer looks on: its own locks are not made for that. */
static void test_fork(void **state)
{
    const struct place places[] = {
        PLACE(predict_wide, 3, 0),
        PLACE(train, IS_SLOW ? 0 : 1, 0),
        PLACE(load, IS_SLOW ? 0 : 1, 0),
    };
    static struct crew crew;
    (void)state;
    tulle_session *session = new_session(world.wide);
    assert_int_equal(tulle_session_set_threads(session, 0), TULLE_OK);
    tulle_trainer *trainer = new_wide_trainer(3);
    assert_true(is_wide_right(session));
    start(&crew, places, sizeof places / sizeof places[0]);
    unsigned wrong = 0;
    for (unsigned i = 0; i < times(16); i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(live_on(session, trainer) ? 0 : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        wrong += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    finish(&crew);
    assert_true(is_wide_right(session) && is_epoch_right(trainer)); /* the parent's threads */
    tulle_session_free(session);
    tulle_trainer_free(trainer);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_model),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_fork),
    };
    return tulle_has_model_files ? cmocka_run_group_tests(tests, make_world, free_world) : 77;
}
