/*
 * notebook.c - the NumPy notebook that Tulle comes from, replayed digit for digit.
 *
 * Random X and y, a network features -> 128 -> 256 -> 1 with ReLU, squared error and plain
 * mini-batch SGD whose weight gradients are sums over the batch and whose bias gradients are means.
 * Prints the mean squared error over all rows after epochs 0, 50, 100, ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tulle.h"

static const char *value_of(const char *option, const char *fallback, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    return fallback;
}

static size_t count_of(const char *option, const char *fallback, int argc, char **argv)
{
    return strtoull(value_of(option, fallback, argc, argv), NULL, 10);
}

int main(int argc, char **argv)
{
    static const char *const known[] = {"--seed", "--rows",  "--features",  "--epochs", "--batch",
                                        "--lr",   "--every", "--precision", "--threads"};
    const size_t known_count = sizeof known / sizeof *known;
    for (int i = 1; i < argc; i += 2) {
        size_t k = 0;
        while (k < known_count && strcmp(argv[i], known[k]) != 0)
            k++;
        if (k == known_count || i + 1 == argc) {
            fprintf(stderr,
                    "usage: notebook [--seed 0] [--rows 5000] [--features 100] [--epochs 1000]\n"
                    "                [--batch 500] [--lr 1e-3] [--every 50] [--precision f64]\n"
                    "                [--threads 1]\n");
            return 2;
        }
    }
    size_t rows = count_of("--rows", "5000", argc, argv);
    size_t features = count_of("--features", "100", argc, argv);
    size_t epochs = count_of("--epochs", "1000", argc, argv);
    size_t every = count_of("--every", "50", argc, argv);

    /* NumPy's draws in NumPy's order: X, y, then W1, W2, W3 by the trainer, then the shuffles. */
    struct tulle_rng rng;
    size_t seed = count_of("--seed", "0", argc, argv);
    if (seed > UINT32_MAX) {
        fprintf(stderr, "notebook: --seed must be below 2^32, as NumPy's\n");
        return 2;
    }
    tulle_rng_seed(&rng, (uint32_t)seed);
    double *x = malloc((rows * features + 1) * sizeof *x), *y = malloc((rows + 1) * sizeof *y);
    if (!x || !y)
        return 1;
    for (size_t i = 0; i < rows * features; i++)
        x[i] = tulle_rng_uniform(&rng);
    for (size_t i = 0; i < rows; i++)
        y[i] = tulle_rng_uniform(&rng);

    const struct tulle_layer layers[] = {
        {128, TULLE_ACTIVATION_RELU}, {256, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}};
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    options.inputs = features;
    options.layers = layers;
    options.layer_count = 3;
    options.learning_rate = strtod(value_of("--lr", "1e-3", argc, argv), NULL);
    options.batch_size = count_of("--batch", "500", argc, argv);
    options.weight_reduction = TULLE_REDUCTION_SUM;
    options.bias_reduction = TULLE_REDUCTION_MEAN;
    options.threads = (unsigned)count_of("--threads", "1", argc, argv);
    options.rng = &rng;

    tulle_trainer *trainer = NULL;
    struct tulle_error error = {0};
    const char *precision = value_of("--precision", "f64", argc, argv);
    enum tulle_status status = tulle_type_from_name(precision, &options.precision);
    if (status == TULLE_OK)
        status = tulle_trainer_create(&options, &trainer, &error);

    printf("epoch,mse\n");
    for (size_t epoch = 0; status == TULLE_OK && epoch < epochs; epoch++) {
        double mse;
        status =
            tulle_trainer_epoch(trainer, tulle_f64(x, rows, features), tulle_f64(y, rows, 1), NULL);
        if (status == TULLE_OK && every && epoch % every == 0) {
            status = tulle_trainer_loss(trainer, tulle_f64(x, rows, features),
                                        tulle_f64(y, rows, 1), &mse);
            printf("%zu,%.17g\n", epoch, mse);
            fflush(stdout);
        }
    }
    if (status != TULLE_OK)
        fprintf(stderr, "notebook: %s\n",
                error.message[0] ? error.message : tulle_status_text(status));
    tulle_trainer_free(trainer);
    free(x);
    free(y);
    return status == TULLE_OK ? 0 : 1;
}
