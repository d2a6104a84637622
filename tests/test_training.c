/* test_training.c - the whole job on a table: what goes wrong there, and what must not. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "training_support.h"

enum { ROWS = 60, COLUMNS = 3 }; /* a, k, y */

static const char *const names[] = {"a", "k", "y"};
static const char *const target[] = {"y"};
static double values[ROWS * COLUMNS];
static unsigned char splits[ROWS];

/* y = 3 a, k = 0; every fourth row is for validation. */
static int fill(void **state)
{
    (void)state;
    for (size_t r = 0; r < ROWS; r++) {
        values[r * COLUMNS] = (double)(r * 7 % ROWS) / ROWS;
        values[r * COLUMNS + 1] = 0;
        values[r * COLUMNS + 2] = 3 * values[r * COLUMNS];
        splits[r] = r % 4 == 3 ? TULLE_SPLIT_VALID : TULLE_SPLIT_TRAIN;
    }
    return 0;
}

static struct tulle_train_options usual_options(void)
{
    struct tulle_train_options options = TULLE_TRAIN_OPTIONS;
    options.targets = target;
    options.target_count = 1;
    options.recipe = TULLE_RECIPE_NOTEBOOK;
    options.threads = 1;
    return options;
}

/* A loss of one's own: half the squared error, with what is asked of a batch. */
static double half_squares(size_t rows, size_t outputs, const double *output, size_t targets,
                           const double *target, double *gradient, void *user)
{
    double sum = 0;
    struct watch *watch = user;
    watch->calls++;
    assert_int_equal(outputs, 1);
    assert_int_equal(targets, 1);
    for (size_t r = 0; r < rows; r++) {
        gradient[r] = output[r] - target[r];
        sum += gradient[r] * gradient[r];
    }
    return sum / (double)rows;
}

static double no_number(size_t rows, size_t outputs, const double *output, size_t targets,
                        const double *target, double *gradient, void *user)
{
    (void)half_squares(rows, outputs, output, targets, target, gradient, user);
    return NAN;
}

static enum tulle_status train(const struct tulle_train_options *options, tulle_model **model,
                               struct tulle_error *error)
{
    tulle_dataset *dataset;
    assert_int_equal(tulle_dataset_create(names, tulle_f64(values, ROWS, COLUMNS), NULL, splits,
                                          &dataset, error),
                     TULLE_OK);
    enum tulle_status status = tulle_train(dataset, options, model, error);
    assert_true((status == TULLE_OK) == (*model != NULL));
    tulle_dataset_free(dataset);
    return status;
}

/* k never changes: it is no input. */
static double predict(const tulle_model *model, double a)
{
    assert_int_equal(tulle_model_info(model)->input_count, 1);
    return predict_row(model, &a, 0);
}

static void test_learns(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    tulle_model *model;
    options.epochs = 300;
    assert_int_equal(train(&options, &model, NULL), TULLE_OK);
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->rows[TULLE_SPLIT_TRAIN], 45);
    assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_R2) > 0.999);
    assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_R2) > 0.99);
    assert_int_equal(info->metrics[TULLE_SPLIT_TEST].rows, 0);
    tulle_model_free(model);
}

static void test_constant_target(void **state)
{
    static const double constants[] = {0, 1e-6, -42, 1e100};
    (void)state;
    for (size_t c = 0; c < sizeof constants / sizeof *constants; c++) {
        struct tulle_train_options options = usual_options();
        tulle_model *model;
        options.epochs = 3;
        for (size_t r = 0; r < ROWS; r++)
            values[r * COLUMNS + 2] = constants[c];
        assert_int_equal(train(&options, &model, NULL), TULLE_OK);
        assert_true(predict(model, 0.3) == constants[c]);
        assert_true(isnan(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_R2)));
        assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_RMSE) == 0);
        tulle_model_free(model);
    }
}

/* A target far from 0 beside its deviation keeps its digits, in f32 too. */
static void test_offset(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    tulle_model *model;
    options.epochs = 300;
    for (size_t r = 0; r < ROWS; r++)
        values[r * COLUMNS + 2] += 1.7e9;
    assert_int_equal(train(&options, &model, NULL), TULLE_OK);
    assert_true(metric(model, TULLE_SPLIT_TRAIN, TULLE_METRIC_R2) > 0.999);
    assert_true(fabs(predict(model, 0.5) - 1.7e9 - 1.5) < 0.1);
    tulle_model_free(model);
}

/* Whether the loss ends as infinity or only as something absurd, in an epoch or at its last step.
 */
static void test_divergence(void **state)
{
    static const size_t batches[] = {4, 45}, epochs[] = {1, 3, 100};
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (size_t b = 0; b < 2; b++)
            for (size_t e = 0; e < 3; e++) {
                struct tulle_train_options options = usual_options();
                struct tulle_error error;
                tulle_model *model;
                options.precision = (enum tulle_type)precision;
                options.learning_rate = 1000;
                options.batch_size = batches[b];
                options.epochs = epochs[e];
                assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DIVERGED);
                assert_true(strstr(error.message, "in epoch 1 of") ||
                            strstr(error.message, "in epoch 2 of"));
            }
}

/* What the network could not hold is named before training. */
static void test_range(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    struct tulle_error error;
    tulle_model *model;
    values[3 * COLUMNS] = 1e30; /* of validation */
    assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DATA);
    assert_non_null(strstr(error.message, "row 4: column 'a' holds 1e+30"));
    options.precision = TULLE_F64;
    assert_int_equal(train(&options, &model, &error), TULLE_OK);
    tulle_model_free(model);
    fill(NULL);
    values[2] = 1e30;
    options.precision = TULLE_F32;
    options.scaling = TULLE_SCALING_NONE;
    options.standardize_targets = 0;
    assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DATA);
    assert_non_null(strstr(error.message, "row 1: column 'y' holds 1e+30"));
}

/* Nor is a prediction that is no number measured as if it were one. */
static void test_evaluate_not_finite(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    struct tulle_error error;
    struct tulle_evaluation *evaluation;
    tulle_dataset *dataset;
    tulle_model *model;
    options.epochs = 1;
    assert_int_equal(train(&options, &model, &error), TULLE_OK);
    values[7 * COLUMNS] = 1e100;
    assert_int_equal(
        tulle_dataset_create(names, tulle_f64(values, ROWS, COLUMNS), NULL, splits, &dataset, NULL),
        TULLE_OK);
    assert_int_equal(tulle_evaluate(model, dataset, TULLE_SPLIT_TRAIN, NULL, &evaluation, &error),
                     TULLE_OK);
    tulle_evaluation_free(evaluation);
    assert_int_equal(tulle_evaluate(model, dataset, TULLE_SPLIT_VALID, NULL, &evaluation, &error),
                     TULLE_ERROR_DATA);
    assert_null(evaluation);
    assert_non_null(strstr(error.message, "row 8: the prediction of 'y' is not finite"));
    tulle_dataset_free(dataset);
    tulle_model_free(model);
}

/* The mean squared error by the caller's own function is the library's, to rounding: the gradient
 * passes through double. In f64 there is no rounding. */
static void test_own_loss(void **state)
{
    (void)state;
    struct watch watch = {"", 0};
    struct tulle_train_options options = usual_options();
    struct tulle_error error;
    tulle_model *own, *usual;
    options.precision = TULLE_F64;
    options.epochs = 20;
    assert_int_equal(train(&options, &usual, NULL), TULLE_OK);
    options.loss_function = half_squares;
    options.user = &watch;
    assert_int_equal(train(&options, &own, &error), TULLE_OK);
    /* 45 rows in batches of 32, and the validation rows after each epoch; in the end the training
     * rows once more. */
    assert_int_equal(watch.calls, 20 * 3 + 1);
    for (size_t e = 0; e < 20; e++) {
        const struct tulle_epoch *a = &tulle_model_info(own)->curve[e];
        const struct tulle_epoch *b = &tulle_model_info(usual)->curve[e];
        assert_true(fabs(a->train_loss - b->train_loss) <= 1e-9 * b->train_loss);
        assert_true(fabs(a->valid_loss - b->valid_loss) <= 1e-9 * b->valid_loss);
    }
    assert_true(fabs(predict(own, 0.3) - predict(usual, 0.3)) < 1e-9);
    assert_int_equal(tulle_model_info(own)->task, TULLE_TASK_REGRESSION);
    tulle_model_free(own);
    tulle_model_free(usual);
    options.loss_function = no_number;
    assert_int_equal(train(&options, &own, &error), TULLE_ERROR_DIVERGED);
    options.task = TULLE_TASK_CLASSIFICATION;
    assert_int_equal(train(&options, &own, &error), TULLE_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "a loss of your own is for regression"));
}

static double huge_gradient(size_t rows, size_t outputs, const double *output, size_t targets,
                            const double *target, double *gradient, void *user)
{
    (void)outputs, (void)output, (void)targets, (void)target, (void)user;
    for (size_t r = 0; r < rows; r++)
        gradient[r] = 1e300;
    return 1;
}

/* Weights that are no numbers are not saved, whatever the caller's loss says. */
static void test_own_loss_says_nothing(void **state)
{
    (void)state;
    struct tulle_train_options options = usual_options();
    struct tulle_error error;
    tulle_model *model;
    options.loss_function = huge_gradient;
    options.epochs = 2;
    assert_int_equal(train(&options, &model, &error), TULLE_ERROR_DIVERGED);
    assert_null(model);
    assert_non_null(strstr(error.message, "epoch 2 of 2"));
}

/* Quantiles mean nothing to the caller's own loss. */
static void test_own_loss_without_quantiles(void **state)
{
    static const double quantiles[] = {0.1, 0.9};
    (void)state;
    struct watch watch = {"", 0};
    struct tulle_train_options options = usual_options();
    tulle_model *model;
    options.loss_function = half_squares;
    options.user = &watch;
    options.epochs = 1;
    options.loss = TULLE_LOSS_QUANTILE;
    options.quantiles = quantiles;
    assert_int_equal(train(&options, &model, NULL), TULLE_OK);
    assert_int_equal(tulle_model_info(model)->loss, TULLE_LOSS_MSE);
    assert_int_equal(tulle_model_info(model)->quantile_count, 0);
    tulle_model_free(model);
}

static size_t epochs_wanted, batch_wanted;

static int note_epochs(const struct tulle_progress *progress, void *user)
{
    (void)user;
    epochs_wanted = progress->epochs;
    batch_wanted = progress->model->batch_size;
    return 1;
}

/* The larger the table, the fewer epochs and the larger batches. */
static void test_chosen_sizes(void **state)
{
    static const struct {
        size_t rows, epochs, batch_size;
    } cases[] = {{900, 256, 64},   {4000, 158, 128},   {20000, 71, 256},
                 {40000, 50, 512}, {140000, 27, 1024}, {1800000, 8, 1024}};
    enum { MOST = 1800000 };
    double *numbers = malloc(MOST * sizeof *numbers * 2);
    (void)state;
    assert_non_null(numbers);
    for (size_t i = 0; i < MOST; i++) {
        numbers[2 * i] = (double)(i % 17);
        numbers[2 * i + 1] = (double)(i % 13) + 0.5;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const size_t units[] = {1};
        static const char *const columns[] = {"x", "y"};
        struct tulle_train_options options = usual_options();
        struct tulle_error error;
        tulle_dataset *dataset;
        tulle_model *model;
        options.recipe = TULLE_RECIPE_TABULAR;
        options.scaling = TULLE_SCALING_NONE;
        options.number_dimensions = 0;
        options.hidden = units;
        options.hidden_count = 1;
        options.valid_fraction = 0;
        options.progress = note_epochs;
        assert_int_equal(tulle_dataset_create(columns, tulle_f64(numbers, cases[i].rows, 2), NULL,
                                              NULL, &dataset, NULL),
                         TULLE_OK);
        assert_int_equal(tulle_train(dataset, &options, &model, &error), TULLE_ERROR_INTERRUPTED);
        assert_int_equal(epochs_wanted, cases[i].epochs);
        assert_int_equal(batch_wanted, cases[i].batch_size);
        tulle_dataset_free(dataset);
    }
    free(numbers);
}

/* Each of these makes another model, and one that still learns. */
static void test_every_option_counts(void **state)
{
    enum {
        FIRST,
        DROPOUT = 1,
        PARAMETRIC,
        AVERAGING,
        CLIP,
        DECAY,
        BIAS_RATE,
        BIAS_DECAY,
        SMALL_LAYER,
        TANH,
        SEED,
        FIRST_INITIALIZER,
        AFTER = FIRST_INITIALIZER + TULLE_INITIALIZER_DATA
    };
    tulle_model *models[AFTER];
    (void)state;
    for (int i = FIRST; i < AFTER; i++) {
        struct tulle_train_options options = usual_options();
        options.epochs = 100;
        options.hidden = few_units;
        options.hidden_count = 1;
        options.weight_decay = i == DECAY || i == BIAS_DECAY ? 0.001 : 0;
        options.bias_weight_decay = i == BIAS_DECAY;
        options.dropout = i == DROPOUT ? 0.1 : 0;
        options.parametric = i == PARAMETRIC;
        options.averaging = i == AVERAGING ? 0.9 : 0;
        options.clip_norm = i == CLIP ? 0.5 : 0;
        options.bias_learning_rate = i == BIAS_RATE ? 0.5 : 1;
        options.hidden_count = i == SMALL_LAYER ? 0 : 1;
        options.activation = i == TANH ? TULLE_ACTIVATION_TANH : TULLE_ACTIVATION_RELU;
        options.seed = i == SEED;
        if (i >= FIRST_INITIALIZER)
            options.initializer = (enum tulle_initializer)(i - FIRST_INITIALIZER + 1);
        assert_int_equal(train(&options, &models[i], NULL), TULLE_OK);
        assert_true(metric(models[i], TULLE_SPLIT_VALID, TULLE_METRIC_R2) > 0.9);
        for (int j = FIRST; j < i; j++)
            assert_false(same_bits(models[i], models[j]));
    }
    for (int i = FIRST; i < AFTER; i++)
        tulle_model_free(models[i]);
}

static void test_optimizers(void **state)
{
    (void)state;
    for (int optimizer = TULLE_OPTIMIZER_SGD; optimizer <= TULLE_OPTIMIZER_ADAMW; optimizer++) {
        struct tulle_train_options options = usual_options();
        tulle_model *model;
        options.optimizer = (enum tulle_optimizer)optimizer;
        options.momentum = 0.5;
        options.epochs = 60;
        options.learning_rate = optimizer >= TULLE_OPTIMIZER_RMSPROP ? 0.003 : 0.02;
        options.weight_decay = 1e-4;
        assert_int_equal(train(&options, &model, NULL), TULLE_OK);
        assert_int_equal(tulle_model_info(model)->optimizer, optimizer);
        assert_true(metric(model, TULLE_SPLIT_VALID, TULLE_METRIC_R2) > 0.98);
        tulle_model_free(model);
    }
}

static void refuse_options(const struct tulle_train_options *options, const char *text)
{
    struct tulle_error error;
    tulle_model *model;
    assert_int_equal(train(options, &model, &error), TULLE_ERROR_ARGUMENT);
    if (!strstr(error.message, text))
        fail_msg("expected \"%s\", got \"%s\"", text, error.message);
}

static void test_bad_options(void **state)
{
    static const double falling[] = {0.5, 0.5}, outside[] = {0.5, 1};
    (void)state;
#define REFUSE(member, value, text)                                                                \
    do {                                                                                           \
        struct tulle_train_options options = usual_options();                                      \
        options.member = value;                                                                    \
        refuse_options(&options, text);                                                            \
    } while (0)
    REFUSE(size, 0, "size is not set");
    REFUSE(target_count, 0, "no target column is named");
    REFUSE(valid_fraction, -0.1, "fractions");
    REFUSE(valid_fraction, 1, "fractions");
    REFUSE(valid_fraction, NAN, "fractions");
    REFUSE(test_fraction, 0.95, "fractions");
    REFUSE(test_fraction, -0.1, "fractions");
    REFUSE(checkpoint_seconds, -1, "seconds between checkpoints must be at least 0, got -1");
    REFUSE(checkpoint_seconds, NAN, "seconds between checkpoints");
    REFUSE(schedule, (enum tulle_schedule)99, "unknown schedule");
    REFUSE(scaling, (enum tulle_scaling)99, "unknown");
    REFUSE(fading, (enum tulle_fading)99, "fading");
    REFUSE(task, (enum tulle_task)99, "unknown task 99");
    REFUSE(recipe, (enum tulle_recipe)99, "unknown recipe 99");
    REFUSE(loss, (enum tulle_loss)99, "unknown loss 99");
    REFUSE(optimizer, (enum tulle_optimizer)99, "unknown optimizer");
    REFUSE(initializer, (enum tulle_initializer)99, "unknown initializer");
    REFUSE(parametrization, (enum tulle_parametrization)99, "unknown parametrization");
    REFUSE(activation, (enum tulle_activation)99, "activation");
    REFUSE(schedule_factor, 0, "factor must be in (0, 1]");
    REFUSE(schedule_factor, 1.5, "factor must be in (0, 1]");
    REFUSE(schedule_epochs, 0, "epochs at least 1");
    REFUSE(warmup, 1, "[0, 1)");
    REFUSE(warmup, NAN, "[0, 1)");
    REFUSE(embedding_dimensions, 0, "at least 1 dimension");
    REFUSE(members, 0, "1 to 1024 members, got 0");
    REFUSE(members, 1025, "1 to 1024 members, got 1025");
    REFUSE(members, 4, "members need factors");
    REFUSE(number_bins, 65537, "at most 65536 bins, got 65537");
    REFUSE(dropout, 1, "dropout");
    REFUSE(dropout, -0.5, "dropout");
    REFUSE(momentum, 1, "momentum");
    REFUSE(beta1, 1, "beta1");
    REFUSE(beta2, -0.5, "beta2");
    REFUSE(epsilon, 0, "epsilon");
    REFUSE(weight_decay, -0.5, "weight decay");
    REFUSE(bias_learning_rate, INFINITY, "learning rate of biases");
    REFUSE(mix_learning_rate, -0.5, "learning rate of mixes");
    REFUSE(factor_learning_rate, NAN, "learning rate of factors");
    REFUSE(number_learning_rate, INFINITY, "learning rate of embedded numbers");
    REFUSE(bias_weight_decay, -0.5, "weight decay of biases");
    REFUSE(clip_norm, -0.5, "norm");
    REFUSE(averaging, 1, "averaging");
    REFUSE(huber_delta, 0, "huber delta");
    REFUSE(label_smoothing, 1, "label smoothing");
    REFUSE(learning_rate, NAN, "learning rate");
#undef REFUSE
    struct tulle_train_options options = usual_options();
    options.loss = TULLE_LOSS_QUANTILE;
    options.quantile_count = 2;
    options.quantiles = falling;
    refuse_options(&options, "quantiles must ascend");
    options.quantiles = outside;
    refuse_options(&options, "a quantile must be between 0 and 1, got 1");
    options = usual_options();
    options.number_dimensions = 3;
    options.number_deviation = -0.5;
    refuse_options(&options, "deviation of frequencies");
    options.number_deviation = 0.1;
    options.number_bins = options.number_frequencies = 0;
    refuse_options(&options, "either frequencies or bins");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_learns, fill),
        cmocka_unit_test_setup(test_constant_target, fill),
        cmocka_unit_test_setup(test_offset, fill),
        cmocka_unit_test_setup(test_divergence, fill),
        cmocka_unit_test_setup(test_range, fill),
        cmocka_unit_test_setup(test_evaluate_not_finite, fill),
        cmocka_unit_test_setup(test_own_loss, fill),
        cmocka_unit_test_setup(test_own_loss_says_nothing, fill),
        cmocka_unit_test_setup(test_own_loss_without_quantiles, fill),
        cmocka_unit_test(test_chosen_sizes),
        cmocka_unit_test_setup(test_every_option_counts, fill),
        cmocka_unit_test_setup(test_optimizers, fill),
        cmocka_unit_test_setup(test_bad_options, fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
