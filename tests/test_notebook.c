/*
 * test_notebook.c - short runs of the notebook, through the public API and through the naive
 * network, against NumPy's: the files in reference/ were written by notebook_check.py with the
 * options that stand in their names.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net_support.h"

enum { MAX_REPORTS = 16 };

/* seed, rows, features, epochs, batch, learning rate, every */
static const struct notebook runs[] = {
    {0, 150, 100, 4, 64, 1e-3, 3},          /* a last batch of 22 */
    {1, 1, 1, 31, 1, 1e-2, 10},             /* one row of one feature */
    {42, 50, 7, 11, 16, 2e-3, 2},           /* a last batch of 2 */
    {4294967295, 33, 13, 12, 500, 1e-3, 4}, /* fewer rows than a batch */
    {7, 65, 1, 9, 32, 5e-4, 4},             /* a last batch of 1 */
    {123456789, 40, 3, 6, 1, 5e-3, 1},      /* every row a step */
};

enum { RUNS = sizeof runs / sizeof runs[0] };

/* Reads the mse column of the run's reference; returns the number of reports. */
static size_t read_reference(const struct notebook *n, double *mse)
{
    char path[1024];
    size_t count = 0, epoch;
    snprintf(path, sizeof path,
             "%s/tests/reference/"
             "notebook_seed%" PRIu32 "_rows%zu_features%zu_epochs%zu_batch%zu_lr%g_every%zu.csv",
             TULLE_SOURCE_DIR, n->seed, n->rows, n->features, n->epochs, n->batch, n->learning_rate,
             n->every);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot open %s", path);
    assert_int_equal(fscanf(file, "epoch,mse"), 0);
    while (count < MAX_REPORTS && fscanf(file, "%zu,%lf", &epoch, &mse[count]) == 2)
        assert_int_equal(epoch, n->every * count++);
    fclose(file);
    assert_int_equal(count, (n->epochs - 1) / n->every + 1);
    return count;
}

/* The run on a trainer: numpy.random.seed and the rest of its lines, as naive_notebook has them. */
static void tulle_notebook(const struct notebook *n, enum tulle_type precision, unsigned threads,
                           double *mse)
{
    const struct tulle_layer layers[] = {
        {128, TULLE_ACTIVATION_RELU}, {256, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}};
    struct tulle_trainer_options options = network_options(n->features, layers, 3, precision);
    struct tulle_rng rng;
    double *x = malloc(n->rows * n->features * sizeof *x), *y = malloc(n->rows * sizeof *y);
    assert_true(x && y);
    tulle_rng_seed(&rng, n->seed);
    for (size_t i = 0; i < n->rows * n->features; i++)
        x[i] = tulle_rng_uniform(&rng);
    for (size_t i = 0; i < n->rows; i++)
        y[i] = tulle_rng_uniform(&rng);
    options.learning_rate = n->learning_rate;
    options.batch_size = n->batch;
    options.weight_reduction = TULLE_REDUCTION_SUM;
    options.bias_reduction = TULLE_REDUCTION_MEAN;
    options.threads = threads;
    options.rng = &rng;
    tulle_trainer *trainer = new_trainer(&options);
    struct tulle_matrix xm = tulle_f64(x, n->rows, n->features), ym = tulle_f64(y, n->rows, 1);
    for (size_t epoch = 0; epoch < n->epochs; epoch++) {
        assert_int_equal(tulle_trainer_epoch(trainer, xm, ym, NULL), TULLE_OK);
        if (epoch % n->every == 0)
            assert_int_equal(tulle_trainer_loss(trainer, xm, ym, &mse[epoch / n->every]), TULLE_OK);
    }
    tulle_trainer_free(trainer);
    free(x);
    free(y);
}

static void compare(const struct notebook *n, const char *who, const double *mse, size_t reports,
                    double tolerance)
{
    double expected[MAX_REPORTS];
    size_t count = read_reference(n, expected);
    for (size_t i = 0; i < count && i < reports; i++)
        if (!(fabs(mse[i] - expected[i]) <= tolerance * expected[i]))
            fail_msg("%s, seed %" PRIu32 ", epoch %zu: mse %.17g, NumPy has %.17g", who, n->seed,
                     i * n->every, mse[i], expected[i]);
}

static void test_naive(void **state)
{
    (void)state;
    for (int i = 0; i < RUNS; i++) {
        double mse[MAX_REPORTS];
        naive_notebook(&runs[i], mse);
        compare(&runs[i], "naive network", mse, MAX_REPORTS, 1e-11);
    }
}

static void test_f64(void **state)
{
    (void)state;
    for (int i = 0; i < RUNS; i++) {
        double mse[MAX_REPORTS];
        tulle_notebook(&runs[i], TULLE_F64, 2 - i % 2, mse);
        compare(&runs[i], "f64", mse, MAX_REPORTS, 1e-9);
    }
}

/* Rounding errors grow with the epochs: only the first reports are near. */
static void test_f32(void **state)
{
    (void)state;
    for (int i = 0; i < RUNS; i++) {
        double mse[MAX_REPORTS];
        tulle_notebook(&runs[i], TULLE_F32, 1, mse);
        compare(&runs[i], "f32", mse, 2, 1e-3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naive),
        cmocka_unit_test(test_f64),
        cmocka_unit_test(test_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
