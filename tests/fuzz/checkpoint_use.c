/* checkpoint_use.c - a small training that has everything a checkpoint can hold. */
#include "../../lib/base/portability.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_use.h"

enum { ROWS = 16, COLUMNS = 3, STEPS_AT_MOST = 40 };

static int stop_at_7(const struct tulle_progress *progress, void *calls)
{
    (void)progress;
    return ++*(int *)calls == 7;
}

/* A checkpoint may say that next to nothing has been done; a fuzzer has no time for all of it. */
static int end_soon(const struct tulle_progress *progress, void *calls)
{
    (void)progress;
    return ++*(int *)calls == STEPS_AT_MOST ? TULLE_STOP_HERE : 0;
}

static tulle_dataset *make_table(void)
{
    static const char *const names[] = {"a", "colour", "y"};
    static const char *const colours[] = {"red", "green", "blue"};
    static const struct tulle_levels levels[] = {{NULL, 0}, {colours, 3}, {NULL, 0}};
    double values[ROWS][COLUMNS];
    tulle_dataset *table;
    for (size_t r = 0; r < ROWS; r++) {
        values[r][0] = r % 7 == 3 ? NAN : (double)(r * r % 11);
        values[r][1] = (double)(r % 3);
        values[r][2] = (double)(r % 5) + 0.25 * (double)r;
    }
    CHECK(tulle_dataset_create(names, tulle_f64(&values[0][0], ROWS, COLUMNS), levels, NULL, &table,
                               NULL) == TULLE_OK);
    return table;
}

static struct tulle_train_options make_options(int *calls)
{
    static const char *const targets[] = {"y"};
    static const size_t hidden[] = {3};
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.targets = targets;
    options.target_count = 1;
    options.valid_fraction = 0.25;
    options.recipe = TULLE_RECIPE_ENSEMBLE;
    options.number_dimensions = 2;
    options.number_bins = 2;
    options.number_frequencies = 0;
    options.members = 2;
    options.hidden = hidden;
    options.hidden_count = 1;
    options.averaging = 0.5;
    options.schedule = TULLE_SCHEDULE_PLATEAU;
    options.schedule_epochs = 1;
    options.batch_size = 4;
    options.epochs = 5;
    options.patience = 4;
    options.threads = 1;
    options.checkpoint = in_scratch("checkpoint");
    options.user = calls;
    return options;
}

const uint8_t *example_checkpoint(size_t *size)
{
    static uint8_t *bytes;
    static size_t known;
    if (!bytes) {
        int calls = 0;
        tulle_model *model;
        tulle_dataset *table = make_table();
        struct tulle_train_options options = make_options(&calls);
        options.progress = stop_at_7;
        CHECK(tulle_train(table, &options, &model, NULL) == TULLE_ERROR_INTERRUPTED);
        tulle_dataset_free(table);
        bytes = get_scratch("checkpoint", &known);
    }
    *size = known;
    return bytes;
}

void use_checkpoint(const uint8_t *bytes, size_t size)
{
    int calls = 0;
    tulle_model *model;
    struct tulle_error error;
    tulle_dataset *table = make_table();
    put_scratch("checkpoint", bytes, size);
    unlink(in_scratch("checkpoint.previous"));
    struct tulle_train_options options = make_options(&calls);
    options.progress = end_soon;
    options.resume = 1;
    enum tulle_status status = tulle_train(table, &options, &model, &error);
    CHECK((status == TULLE_OK) == (model != NULL));
    if (status != TULLE_OK) {
        CHECK(status == TULLE_ERROR_FORMAT || status == TULLE_ERROR_VERSION ||
              status == TULLE_ERROR_ARGUMENT || status == TULLE_ERROR_DIVERGED);
        check_error(status, &error);
    } else /* what training gives can be kept */
        CHECK(tulle_model_save(model, in_scratch("model"), &error) == TULLE_OK);
    tulle_model_free(model);
    tulle_dataset_free(table);
}
