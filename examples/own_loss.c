/*
 * own_loss.c - a loss and a stopping rule of one's own: stock for a shop. Too little costs four
 * times what too much does, so the best prediction is not the mean demand but its 80 % quantile.
 *
 * usage: own_loss
 */
#include <stdio.h>
#include <stdlib.h>

#include "tulle.h"

enum { ROWS = 4000, INPUTS = 2 };

static const double COST_OF_LACK = 4, COST_OF_EXCESS = 1;

/* The cost of each row's prediction, and its derivative by the prediction. */
static double stock_loss(size_t rows, size_t outputs, const double *output, size_t targets,
                         const double *target, double *gradient, void *user)
{
    double sum = 0;
    (void)targets, (void)user;
    for (size_t i = 0; i < rows * outputs; i++) {
        double excess = output[i] - target[i];
        gradient[i] = excess > 0 ? COST_OF_EXCESS : -COST_OF_LACK;
        sum += gradient[i] * excess;
    }
    return sum / (double)(rows * outputs);
}

/* Ends training after ten epochs, all told, that were no better than the best before them. */
static int stop_when_flat(const struct tulle_progress *progress, void *user)
{
    size_t *flat_epochs = user;
    if (!progress->epoch_is_complete)
        return 0;
    if (progress->best_epoch < progress->epoch)
        ++*flat_epochs;
    return *flat_epochs >= 10 ? TULLE_STOP_HERE : 0;
}

/* Demand by the day of the week and the temperature, with noise that grows with it. */
static tulle_dataset *make_table(struct tulle_error *error)
{
    static const char *const names[] = {"weekday", "temperature", "demand"};
    static double values[ROWS][INPUTS + 1];
    struct tulle_rng rng;
    tulle_dataset *dataset;
    tulle_rng_seed(&rng, 1);
    for (size_t i = 0; i < ROWS; i++) {
        double day = (double)tulle_rng_integer(&rng, 6), warm = 35 * tulle_rng_uniform(&rng);
        double mean = 20 + 2 * warm + (day >= 5 ? 15 : 0);
        values[i][0] = day;
        values[i][1] = warm;
        values[i][2] = mean * (0.5 + tulle_rng_uniform(&rng));
    }
    tulle_dataset_create(names, tulle_f64(values[0], ROWS, INPUTS + 1), NULL, NULL, &dataset,
                         error);
    return dataset;
}

int main(void)
{
    static const char *const targets[] = {"demand"};
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    struct tulle_error error;
    tulle_model *model = NULL;
    tulle_session *session = NULL;
    size_t flat_epochs = 0;
    int status = EXIT_FAILURE;
    tulle_dataset *dataset = make_table(&error);
    options.targets = targets;
    options.target_count = 1;
    options.recipe = TULLE_RECIPE_PLAIN;
    options.learning_rate = 0.003;
    options.loss_function = stock_loss;
    options.progress = stop_when_flat;
    options.user = &flat_epochs;
    if (!dataset || tulle_train(dataset, &options, &model, &error) != TULLE_OK) {
        fprintf(stderr, "own_loss: %s\n", error.message);
        goto out;
    }
    if (tulle_session_create(model, &session) != TULLE_OK)
        goto out;
    double day[INPUTS] = {2, 20}, stock;
    tulle_session_predict(session, tulle_f64(day, 1, INPUTS), tulle_f64_out(&stock, 1, 1));
    /* Demand is uniform in 60 +- 30 then, and its 80 % quantile 78. */
    printf("after %zu epochs, stock for a Wednesday of 20 degrees: %.0f\n",
           tulle_model_info(model)->curve_count, stock);
    status = EXIT_SUCCESS;
out:
    tulle_session_free(session);
    tulle_model_free(model);
    tulle_dataset_free(dataset);
    return status;
}
