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

/* Every option takes a value; these are the defaults. */
static struct {
    const char *name, *value;
} options[] = {{"--seed", "0"},      {"--rows", "5000"},     {"--features", "100"},
               {"--epochs", "1000"}, {"--batch", "500"},     {"--lr", "1e-3"},
               {"--every", "50"},    {"--precision", "f64"}, {"--threads", "1"}};
enum { SEED, ROWS, FEATURES, EPOCHS, BATCH, LR, EVERY, PRECISION, THREADS, OPTIONS };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "notebook: %s: %s\nusage: notebook", what, why);
    for (int i = 0; i < OPTIONS; i++)
        fprintf(stderr, " [%s %s]", options[i].name, options[i].value);
    fprintf(stderr, "\n");
    exit(2);
}

static size_t count_of(int option, size_t least)
{
    char *end;
    const char *value = options[option].value;
    unsigned long long count = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || count < least || count > UINT32_MAX)
        fail(options[option].name, "expected a whole number below 2^32");
    return (size_t)count;
}

int main(int argc, char **argv)
{
    for (int i = 1, o; i < argc; i += 2) {
        for (o = 0; o < OPTIONS && strcmp(argv[i], options[o].name) != 0; o++)
            ;
        if (o == OPTIONS || i + 1 == argc)
            fail(argv[i], o == OPTIONS ? "no such option" : "expected a value");
        options[o].value = argv[i + 1];
    }
    size_t rows = count_of(ROWS, 1), features = count_of(FEATURES, 1);
    size_t epochs = count_of(EPOCHS, 0), every = count_of(EVERY, 1);

    /* NumPy's draws in NumPy's order: X, y, then W1, W2, W3 by the trainer, then the shuffles. */
    struct tulle_rng rng;
    tulle_rng_seed(&rng, (uint32_t)count_of(SEED, 0));
    double *x = calloc(rows, features * sizeof *x), *y = calloc(rows, sizeof *y);
    if (!x || !y)
        fail("--rows", "out of memory");
    for (size_t i = 0; i < rows * features; i++)
        x[i] = tulle_rng_uniform(&rng);
    for (size_t i = 0; i < rows; i++)
        y[i] = tulle_rng_uniform(&rng);

    const struct tulle_layer layers[] = {
        {128, TULLE_ACTIVATION_RELU}, {256, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}};
    struct tulle_trainer_options trainer_options = TULLE_TRAINER_OPTIONS;
    trainer_options.inputs = features;
    trainer_options.layers = layers;
    trainer_options.layer_count = 3;
    trainer_options.learning_rate = strtod(options[LR].value, NULL);
    trainer_options.batch_size = count_of(BATCH, 1);
    trainer_options.weight_reduction = TULLE_REDUCTION_SUM;
    trainer_options.bias_reduction = TULLE_REDUCTION_MEAN;
    trainer_options.threads = (unsigned)count_of(THREADS, 0);
    trainer_options.rng = &rng;
    if (tulle_type_from_name(options[PRECISION].value, &trainer_options.precision) != TULLE_OK)
        fail("--precision", "expected f32 or f64");

    tulle_trainer *trainer;
    struct tulle_error error = {0};
    enum tulle_status status = tulle_trainer_create(&trainer_options, &trainer, &error);
    printf("epoch,mse\n");
    for (size_t epoch = 0; status == TULLE_OK && epoch < epochs; epoch++) {
        double mse;
        status =
            tulle_trainer_epoch(trainer, tulle_f64(x, rows, features), tulle_f64(y, rows, 1), NULL);
        if (status == TULLE_OK && epoch % every == 0) {
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
