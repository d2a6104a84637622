/*
 * test_hashes.c - one hash for each recipe, task and precision, of a model's file and predictions,
 * whatever the machine, the compiler, its optimisation, the instruction set and the threads.
 *
 * The hashes stand in data/hashes.txt. When bits change on purpose, `test_hashes 1` prints the new
 * ones; scripts/determinism.sh goes through the whole matrix.
 */
#include "../lib/base/portability.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../lib/base/pool.h"
#include "../lib/kernels/kernels.h"
#include "training_runs.h"

/* --- Threads --------------------------------------------------------------------------------- */

#ifdef CHOOSES_THREADS
static unsigned threads = 1;

/* The linker puts these in the place of the library's: --wrap. */
struct pool *__real_tulle_pool_create(unsigned asked);
struct pool *__wrap_tulle_pool_create(unsigned asked);
void __wrap_tulle_pool_adapt(struct pool *pool);

struct pool *__wrap_tulle_pool_create(unsigned asked)
{
    (void)asked;
    return __real_tulle_pool_create(threads);
}

/* A pool that does not adapt always takes all of its threads. */
void __wrap_tulle_pool_adapt(struct pool *pool)
{
    (void)pool;
}

static void choose_threads(unsigned count)
{
    threads = count;
}
#else
static void choose_threads(unsigned count)
{
    (void)count;
}
#endif

/* --- Cases ----------------------------------------------------------------------------------- */

/* The runs that are no recipes, and each recipe with numbers and with classes; each in f32 and f64.
 */
enum {
    RECIPES = TULLE_RECIPE_NOTEBOOK + 1,
    RUN_CASES = RUN_TABULAR,
    CASES = 2 * (RUN_CASES + 2 * RECIPES)
};

enum { NAME_SIZE = 64 };

static const size_t few_layers[] = {40, 24};

/* Few steps of the recipe as it is, but with layers that a test can pay for. */
static void make_recipe(struct run *run, int recipe, int is_of_classes)
{
    make_run(run, RUN_PLAIN_RECIPE);
    run->options.recipe = (enum tulle_recipe)recipe;
    run->options.hidden = few_layers;
    run->options.hidden_count = 2;
    run->options.batch_size = 150; /* more than goes through the network at a time */
    if (is_of_classes)
        make_classes(&run->table);
}

static void make_case(struct run *run, int number, char name[NAME_SIZE])
{
    static const char *const runs[RUN_CASES] = {"steps", "everything", "classes", "quantiles"};
    const int kind = number / 2, recipe = (kind - RUN_CASES) / 2, is_of_classes = kind % 2;
    const char *precision = number % 2 ? "f64" : "f32";
    if (kind < RUN_CASES) {
        make_run(run, kind);
        snprintf(name, NAME_SIZE, "%s-%s", runs[kind], precision);
    } else {
        make_recipe(run, recipe, is_of_classes);
        snprintf(name, NAME_SIZE, "%s-%s-%s", tulle_recipe_name((enum tulle_recipe)recipe),
                 is_of_classes ? "classes" : "numbers", precision);
    }
    run->options.precision = number % 2 ? TULLE_F64 : TULLE_F32;
}

/* --- Hashes ---------------------------------------------------------------------------------- */

/* FNV-1a (Fowler, Noll and Vo, 1991). */
static uint64_t hash(uint64_t state, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        state = (state ^ bytes[i]) * UINT64_C(0x100000001b3);
    return state;
}

static size_t column_of(const struct table *table, const char *name)
{
    size_t column = 0;
    while (strcmp(table->names[column], name) != 0)
        column++;
    return column;
}

/* Goes on with the predictions for all rows of the table. */
static uint64_t hash_predictions(uint64_t state, const tulle_model *model,
                                 const struct table *table)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    const size_t inputs = info->input_count, outputs = info->prediction_count;
    double *rows = calloc(table->rows * inputs, sizeof *rows);
    double *out = calloc(table->rows * outputs, sizeof *out);
    tulle_session *session;
    assert_true(rows && out);
    for (size_t i = 0; i < inputs; i++) {
        size_t column = column_of(table, info->inputs[i].name);
        for (size_t r = 0; r < table->rows; r++)
            rows[r * inputs + i] = table->values[r][column];
    }
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(rows, table->rows, inputs),
                                           tulle_f64_out(out, table->rows, outputs)),
                     TULLE_OK);
    state = hash(state, out, table->rows * outputs * sizeof *out);
    tulle_session_free(session);
    free(rows), free(out);
    return state;
}

static uint64_t hash_of_case(int number, char name[NAME_SIZE])
{
    static struct run run;
    make_case(&run, number, name);
    tulle_model *model = train_table(&run.table, &run.options);
    struct bytes file = model_bytes(model);
    uint64_t state = hash(UINT64_C(0xcbf29ce484222325), file.data, file.size);
    state = hash_predictions(state, model, &run.table);
    tulle_model_free(model);
    free(file.data);
    return state;
}

/* --- Against those that are written down ----------------------------------------------------- */

static void read_hashes(uint64_t hashes[CASES])
{
    char name[NAME_SIZE], expected_name[NAME_SIZE];
    static struct run run;
    FILE *file = fopen(TULLE_SOURCE_DIR "/tests/data/hashes.txt", "r");
    assert_non_null(file);
    for (int number = 0; number < CASES; number++) {
        assert_int_equal(fscanf(file, "%63s %" SCNx64, name, &hashes[number]), 2);
        make_case(&run, number, expected_name);
        assert_string_equal(name, expected_name);
    }
    fclose(file);
}

static void check_case(int number, unsigned count, uint64_t expected)
{
    char name[NAME_SIZE];
    choose_threads(count);
    uint64_t found = hash_of_case(number, name);
    if (found != expected)
        fail_msg("%s with %s kernels on %u threads: %016" PRIx64 " instead of %016" PRIx64, name,
                 tulle_kernels(TULLE_F32)->name, count, found, expected);
}

/* Each case with each instruction set that the machine has; how many threads they have takes turns.
 */
static void test_hashes(void **state)
{
    static const char *const kernels[] = {"generic", "avx2", "avx512", "neon"};
    static const unsigned counts[] = {1, 2, 3, 7};
    uint64_t hashes[CASES];
    (void)state;
    read_hashes(hashes);
    if (getenv("TULLE_KERNELS")) { /* the choice is not ours */
        for (int number = 0; number < CASES; number++)
            check_case(number, counts[number % 4], hashes[number]);
        return;
    }
    for (int k = 0; k < 4; k++) {
        if (!tulle_kernels_by_name(kernels[k], TULLE_F32))
            continue;
        setenv("TULLE_KERNELS", kernels[k], 1);
        for (int number = 0; number < CASES; number++)
            check_case(number, counts[(number + k) % 4], hashes[number]);
        unsetenv("TULLE_KERNELS");
    }
}

/* For data/hashes.txt and scripts/determinism.sh; 77 without the kernels. */
static int print_hashes(unsigned count, const char *kernels)
{
    if (kernels && !tulle_kernels_by_name(kernels, TULLE_F32))
        return 77;
    if (kernels)
        setenv("TULLE_KERNELS", kernels, 1);
    choose_threads(count);
    make_folder(NULL);
    for (int number = 0; number < CASES; number++) {
        char name[NAME_SIZE];
        uint64_t found = hash_of_case(number, name);
        printf("%s %016" PRIx64 "\n", name, found);
    }
    return remove_folder(NULL);
}

/* Without arguments a test, with them, THREADS [KERNELS], a printer. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hashes, make_folder, remove_folder)};
    if (!tulle_has_model_files)
        return 77;
    return argc > 1 ? print_hashes((unsigned)atoi(argv[1]), argv[2])
                    : cmocka_run_group_tests(tests, NULL, NULL);
}
