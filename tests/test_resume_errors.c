/* test_resume_errors.c - checkpoints that training cannot go on from: damaged ones, those of other
 * options or data, and paths where there can be none. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "training_runs.h"

static struct run run;
static struct watch watch;

static int stop_at_7(const struct tulle_progress *progress, void *user)
{
    (void)progress;
    return ++((struct watch *)user)->calls == 7;
}

static void watch_run(void)
{
    memset(&watch, 0, sizeof watch);
    run.options.notice = take_notice;
    run.options.user = &watch;
    run.options.checkpoint = in_folder("run.ckpt");
}

/* Leaves a checkpoint of the run, of which the run itself goes on. */
static void begin(int number)
{
    make_run(&run, number);
    watch_run();
    run.options.progress = stop_at_7;
    run.options.checkpoint_steps = 1;
    refuse(&run.table, &run.options, TULLE_ERROR_INTERRUPTED, "interrupted in epoch ");
    run.options.progress = NULL;
    run.options.resume = 1;
}

/* The same of the run as it has been changed since. */
static void begin_again(void)
{
    unlink(in_folder("run.ckpt"));
    unlink(in_folder("run.ckpt.previous"));
    watch_run();
    run.options.progress = stop_at_7;
    refuse(&run.table, &run.options, TULLE_ERROR_INTERRUPTED, "interrupted in epoch ");
    run.options.progress = NULL;
}

/* The model's file, trained to the end from the checkpoint, or from the beginning. */
static struct bytes finish(void)
{
    watch_run();
    return bytes_of_run(&run);
}

/* The run's file, trained without checkpoints. */
static struct bytes expected_bytes(void)
{
    struct run other = run;
    other.options.checkpoint = NULL;
    other.options.resume = 0;
    return bytes_of_run(&other);
}

/* --- Damage ---------------------------------------------------------------------------------- */

static void flip(const char *path, size_t at)
{
    struct bytes bytes = get_bytes(path);
    bytes.data[at] ^= 0x10;
    put_bytes(path, bytes.data, bytes.size);
    free(bytes.data);
}

static void cut(const char *path, size_t size)
{
    assert_int_equal(truncate(path, (off_t)size), 0);
}

/* Where in a file of this size damage of kind i is. */
static size_t place(size_t i, size_t size)
{
    const size_t places[] = {0, 9, 200, size / 2, size - 1};
    return places[i % 5];
}

static void damage(const char *path, size_t kind)
{
    struct bytes bytes = get_bytes(path);
    (kind < 5 ? flip : cut)(path, place(kind, bytes.size));
    free(bytes.data);
}

/* The one before is taken, which is said; the model is what it would have been. */
static void test_damaged(void **state)
{
    (void)state;
    begin(RUN_CLASSES);
    struct bytes expected = expected_bytes();
    for (size_t kind = 0; kind < 10; kind++) {
        begin(RUN_CLASSES);
        damage(in_folder("run.ckpt"), kind);
        struct bytes found = finish();
        assert_true(same_bytes(found, expected));
        assert_int_equal(count_lines(watch.notices), 2);
        assert_non_null(strstr(watch.notices, "; going on from "));
        assert_non_null(strstr(watch.notices, "run.ckpt.previous\n"));
        free(found.data);
        remove(in_folder("run.ckpt"));
        remove(in_folder("run.ckpt.previous"));
    }
    free(expected.data);
}

static void test_missing(void **state)
{
    (void)state;
    begin(RUN_CLASSES);
    struct bytes expected = expected_bytes();
    assert_int_equal(unlink(in_folder("run.ckpt")), 0);
    struct bytes found = finish();
    assert_true(same_bytes(found, expected));
    assert_non_null(strstr(watch.notices, "missing; going on from "));
    free(found.data);
    assert_int_equal(unlink(in_folder("run.ckpt")), 0);
    assert_int_equal(unlink(in_folder("run.ckpt.previous")), 0);
    found = finish();
    assert_true(same_bytes(found, expected));
    assert_non_null(strstr(watch.notices, "training begins at the beginning"));
    free(found.data);
    free(expected.data);
}

/* One line says what is wrong with both, or that the only one may be removed. */
static void test_both_damaged(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < 10; kind++) {
        begin(RUN_PLAIN);
        damage(in_folder("run.ckpt"), kind);
        damage(in_folder("run.ckpt.previous"), (kind + 3) % 10);
        struct bytes before = get_bytes(in_folder("run.ckpt"));
        watch_run();
        refuse(&run.table, &run.options, TULLE_ERROR_FORMAT, "; of the one before: ");
        unlink(in_folder("run.ckpt.previous"));
        refuse(&run.table, &run.options, TULLE_ERROR_FORMAT,
               "; name another file to begin at the beginning");
        struct bytes after = get_bytes(in_folder("run.ckpt"));
        assert_true(same_bytes(before, after));
        free(before.data);
        free(after.data);
        remove(in_folder("run.ckpt"));
    }
}

/* --- Other runs ------------------------------------------------------------------------------ */

/* The run with one thing changed is not the checkpoint's: `field` is what differs. */
static void refuse_other(const struct run *other, const char *field)
{
    char text[128];
    snprintf(text, sizeof text, "the checkpoint is of another run: %s is ", field);
    refuse(&other->table, &other->options, TULLE_ERROR_ARGUMENT, text);
}

static void test_other_options(void **state)
{
    static const double other_quantiles[] = {0.1, 0.5, 0.8}, ones[] = {1};
    static const char *const blue[] = {"blue"};
    (void)state;
    begin(RUN_EVERYTHING);
#define REFUSE(member, value)                                                                      \
    do {                                                                                           \
        struct run other = run;                                                                    \
        other.options.member = value;                                                              \
        refuse_other(&other, #member);                                                             \
    } while (0)
    REFUSE(seed, 77);
    REFUSE(recipe, TULLE_RECIPE_TABULAR);
    REFUSE(precision, TULLE_F64);
    REFUSE(loss, TULLE_LOSS_MSE);
    REFUSE(huber_delta, 1 + 0x1p-52);
    REFUSE(label_smoothing, 0.5);
    REFUSE(scaling, TULLE_SCALING_ROBUST);
    REFUSE(standardize_targets, 0);
    REFUSE(one_hot_levels, 9);
    REFUSE(clamp_predictions, 1);
    REFUSE(embedding_dimensions, 7);
    REFUSE(number_dimensions, 1);
    REFUSE(number_frequencies, 1);
    REFUSE(number_deviation, 0.2);
    REFUSE(activation, TULLE_ACTIVATION_TANH);
    REFUSE(parametric, 0);
    REFUSE(dropout, 0.24);
    REFUSE(input_factors, 1);
    REFUSE(initializer, TULLE_INITIALIZER_LECUN);
    REFUSE(parametrization, TULLE_PARAMETRIZATION_NTK);
    REFUSE(optimizer, TULLE_OPTIMIZER_ADAM);
    REFUSE(learning_rate, 0.004);
    REFUSE(batch_size, 149);
    REFUSE(epochs, 10);
    REFUSE(momentum, 0.5);
    REFUSE(beta1, 0.8);
    REFUSE(beta2, 0.998);
    REFUSE(epsilon, 1e-9);
    REFUSE(weight_decay, 0);
    REFUSE(bias_learning_rate, 2);
    REFUSE(mix_learning_rate, 2);
    REFUSE(factor_learning_rate, 2);
    REFUSE(number_learning_rate, 2);
    REFUSE(bias_weight_decay, 1);
    REFUSE(clip_norm, 0.4);
    REFUSE(averaging, 0.9);
    REFUSE(schedule, TULLE_SCHEDULE_CONSTANT);
    REFUSE(schedule_factor, 0.2);
    REFUSE(schedule_epochs, 2);
    REFUSE(warmup, 0.1);
    REFUSE(fading, TULLE_FADING_FLAT_COS);
    REFUSE(patience, 4);
    REFUSE(keep_best, 0);
    REFUSE(weight_column, NULL);
#undef REFUSE
    struct run other = run;
    other.options.hidden = two_units;
    refuse_other(&other, "hidden");
    other = run;
    other.options.hidden_count = 1;
    refuse_other(&other, "hidden");
    other = run;
    other.options.valid_fraction = 0.21;
    refuse_other(&other, "valid_fraction");

    begin(RUN_ENSEMBLE);
    other = run;
    other.options.members = 4;
    refuse_other(&other, "members");
    other = run;
    other.options.number_bins = 8;
    refuse_other(&other, "number_bins");
    begin(RUN_QUANTILES);
    other = run;
    other.options.quantiles = other_quantiles;
    refuse_other(&other, "quantiles");
    begin(RUN_CLASSES);
    other = run;
    other.options.balance_classes = 0;
    refuse_other(&other, "class_weights");
    other = run;
    other.options.class_names = blue;
    other.options.class_weights = ones;
    other.options.class_weight_count = 1;
    refuse_other(&other, "class_weights");
}

/* Any change of the table, be it of a row that is not for training, is another run. */
static void test_other_data(void **state)
{
    static const char *const other_cities[] = {"Aix",   "Bonn", "Cork", "Dax",  "Essen", "Faro",
                                               "Genoa", "Hull", "Ivry", "Jena", "Kiev",  NULL};
    (void)state;
    begin(RUN_PLAIN);
    for (size_t r = 0; r < run.table.rows; r += 7) {
        struct run other = run;
        other.table.values[r][A] += 1e-9;
        refuse_other(&other, "data, as a hash");
    }
    struct run other = run;
    other.table.rows--;
    refuse_other(&other, "number of rows");
    other = run;
    size_t more = add_column(&other.table, "more", NULL);
    for (size_t r = 0; r < other.table.rows; r++)
        other.table.values[r][more] = (double)(r % 5);
    refuse_other(&other, "number of columns");
    other = run;
    other.table.names[A] = "A";
    refuse_other(&other, "data, as a hash");
    other = run;
    other.table.levels[CITY].names = other_cities;
    refuse_other(&other, "data, as a hash");
    other = run;
    static const char *const target_a[] = {"a"};
    other.options.targets = target_a;
    refuse_other(&other, "first target");
    other = run;
    split_table(&other.table);
    refuse_other(&other, "rows to train on");
    /* What is the run's own choice is not the checkpoint's. */
    run.options.threads = 2;
    run.options.checkpoint_steps = 3;
    run.options.checkpoint_seconds = 7;
    struct bytes expected = expected_bytes(), found = finish();
    assert_true(same_bytes(found, expected));
    assert_null(strstr(watch.notices, "beginning"));
    free(expected.data);
    free(found.data);
}

/* Names that are the same one after the other, or differ in their last letter. */
static void test_other_texts(void **state)
{
    static const char *const towns[] = {"AixB",  "onn",  "Cork", "Dax",  "Essen", "Faro",
                                        "Genoa", "Hull", "Ivry", "Jena", "Kiel",  NULL};
    static const char *const two[] = {"y", "8 lettersare two"}, *const other_two[] = {"y", "c"};
    (void)state;
    begin(RUN_PLAIN);
    run.table.names[A] = "8 lettersare two";
    run.table.names[B] = "c";
    begin_again();
    struct run other = run;
    other.table.names[A] = "8 letter"; /* as many as are hashed at a time */
    other.table.names[B] = "sare twoc";
    refuse_other(&other, "data, as a hash");
    other = run;
    other.table.names[A] = "8 lettersare twp";
    refuse_other(&other, "data, as a hash");
    other = run;
    other.table.levels[CITY].names = towns;
    refuse_other(&other, "data, as a hash");
    const char *names[] = {"Ayx",     cities[1], cities[2], cities[3], cities[4], cities[5],
                           cities[6], cities[7], cities[8], cities[9], cities[10]};
    other.table.levels[CITY].names = names;
    refuse_other(&other, "data, as a hash");
    for (size_t r = 0; r < run.table.rows; r++)
        run.table.values[r][B] = (double)r;
    run.options.targets = two;
    run.options.target_count = 2;
    begin_again();
    run.options.targets = other_two;
    refuse_other(&run, "targets, as a hash");
}

static void swap_splits(struct table *table, size_t a, size_t b)
{
    unsigned char split = table->splits[a];
    table->splits[a] = table->splits[b];
    table->splits[b] = split;
}

/* Other rows to train or to validate on, be they as many. */
static void test_other_rows(void **state)
{
    (void)state;
    begin(RUN_PLAIN);
    run.options.valid_fraction = 0;
    split_table(&run.table);
    begin_again();
    struct run other = run;
    const size_t last = run.table.rows - 1;
    assert_int_equal(run.table.splits[last], TULLE_SPLIT_VALID);
    other.table.splits[last] = TULLE_SPLIT_TEST;
    refuse_other(&other, "rows to validate on");
    other = run;
    swap_splits(&other.table, last, last - 1);
    assert_int_equal(other.table.splits[last], TULLE_SPLIT_TEST);
    refuse_other(&other, "order of the rows, as a hash");
    other = run;
    swap_splits(&other.table, 0, last - 1);
    assert_int_equal(other.table.splits[0], TULLE_SPLIT_TEST);
    refuse_other(&other, "order of the rows, as a hash");
}

static tulle_dataset *read_table(const char *const *missing, size_t count)
{
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    tulle_dataset *dataset;
    options.missing = missing;
    options.missing_count = count;
    assert_int_equal(tulle_dataset_read(in_folder("table.csv"), &options, &dataset, NULL),
                     TULLE_OK);
    return dataset;
}

/* The table's numbers are the same; what else would have been missing is not. */
static void test_other_missing(void **state)
{
    static const char *const texts[] = {"no", "none", "nil"}, *const last[] = {"no", "none", "nix"},
                             *const first[] = {"na", "none", "nil"};
    static const char *const *const lists[] = {last, first, texts};
    (void)state;
    char text[1000];
    size_t length = (size_t)sprintf(text, "a,y\n");
    for (int i = 0; i < 60; i++)
        length += (size_t)sprintf(text + length, "%d,%d\n", i, i * i % 17);
    put_bytes(in_folder("table.csv"), text, length);
    tulle_dataset *dataset = read_table(texts, 3);
    make_run(&run, RUN_PLAIN);
    watch_run();
    run.options.progress = stop_at_7;
    refuse_dataset(dataset, &run.options, TULLE_ERROR_INTERRUPTED, "interrupted in epoch ");
    run.options.progress = NULL;
    run.options.resume = 1;
    for (size_t i = 0; i < 3; i++) {
        tulle_dataset *other = read_table(lists[i], i == 2 ? 2 : 3);
        refuse_dataset(other, &run.options, TULLE_ERROR_ARGUMENT,
                       "the checkpoint is of another run: missing texts, as a hash is ");
        tulle_dataset_free(other);
    }
    tulle_model_free(train_dataset(dataset, &run.options));
    tulle_dataset_free(dataset);
}

/* A name longer than what a message can show, with a letter of two bytes at every place. */
static void test_long_names(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 2; shift++) {
        static char name[2][300];
        static const char *target[1];
        for (size_t i = 0; i < 2; i++) {
            memset(name[i], '.', 299);
            for (size_t at = shift; at + 1 < 280; at += 2)
                memcpy(name[i] + at, "\xc3\xa9", 2);
            name[i][290] = (char)('0' + i);
        }
        begin(RUN_PLAIN);
        target[0] = run.table.names[Y] = name[0];
        run.table.names[A] = name[1];
        run.options.targets = target;
        begin_again();
        struct bytes expected = expected_bytes(), found = finish();
        assert_true(same_bytes(found, expected));
        assert_non_null(strstr(watch.notices, "goes on from '"));
        assert_non_null(strstr(watch.notices, "', in epoch 2 of 5\n"));
        free(found.data);
        found = finish();
        assert_true(same_bytes(found, expected));
        assert_non_null(strstr(watch.notices, "', in epoch 5 of 5\n"));
        free(expected.data);
        free(found.data);
        target[0] = name[1]; /* only its end differs */
        refuse_other(&run, "first target");
    }
}

/* The weights' column is known by the whole of its name too. */
static void test_long_weight_names(void **state)
{
    (void)state;
    static char name[2][200];
    for (size_t i = 0; i < 2; i++) {
        memset(name[i], 'w', 199);
        name[i][198] = (char)('0' + i);
    }
    begin(RUN_EVERYTHING);
    run.table.names[A] = name[0];
    run.table.names[Y + 1] = name[1];
    run.options.weight_column = name[1];
    begin_again();
    run.options.weight_column = name[0];
    refuse(&run.table, &run.options, TULLE_ERROR_ARGUMENT,
           "the checkpoint is of another run: weight");
}

/* --- Paths ----------------------------------------------------------------------------------- */

/* A path that cannot be written to is refused before the first step. */
static void check_path(const char *path)
{
    tulle_model *model;
    struct tulle_error error;
    tulle_dataset *dataset = new_dataset(&run.table);
    for (int resume = 0; resume < 2; resume++) {
        watch_run();
        run.options.checkpoint = path;
        run.options.resume = resume;
        run.options.progress = stop_at_7;
        enum tulle_status status = tulle_train(dataset, &run.options, &model, &error);
        assert_true(status == TULLE_ERROR_IO || (resume && status == TULLE_ERROR_FORMAT));
        assert_null(model);
        assert_true(strncmp(error.file, path, strlen(path)) == 0);
        assert_int_equal(watch.calls, 0);
    }
    tulle_dataset_free(dataset);
}

static void test_paths(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    check_path("/tmp/no/such/folder/run.ckpt");
    check_path(in_folder("."));
    put_bytes(in_folder("file"), "", 0);
    check_path(in_folder("file/run.ckpt")); /* a file, not a folder */
}

/* The folder of checkpoints goes away at the third call; the seventh may interrupt. */
static int lose_folder(const struct tulle_progress *progress, void *user)
{
    (void)progress;
    int calls = ++((struct watch *)user)->calls;
    if (calls == 3)
        assert_int_equal(rmdir(in_folder("away")), 0);
    return 0;
}

static int lose_folder_and_stop(const struct tulle_progress *progress, void *user)
{
    return lose_folder(progress, user) || ((struct watch *)user)->calls == 7;
}

/* A checkpoint on the way that cannot be written is only noticed, and training goes on; an
 * interruption that cannot leave its checkpoint says so. */
static void test_lost_folder(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    struct bytes expected = expected_bytes();
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder("away/run.ckpt"));
    assert_int_equal(mkdir(in_folder("away"), 0777), 0);
    watch_run();
    run.options.checkpoint = path;
    run.options.checkpoint_steps = 10;
    run.options.progress = lose_folder;
    struct bytes found = bytes_of_run(&run);
    assert_true(same_bytes(found, expected));
    assert_int_equal(count_lines(watch.notices), 1); /* of two times */
    assert_non_null(strstr(watch.notices, "the checkpoint is not written: "));
    assert_int_equal(mkdir(in_folder("away"), 0777), 0);
    watch_run();
    run.options.checkpoint = path;
    run.options.progress = lose_folder_and_stop;
    refuse(&run.table, &run.options, TULLE_ERROR_IO, "there is no folder");
    free(found.data);
    free(expected.data);
}

/* What is no checkpoint is neither gone on from nor written over. */
static void test_no_checkpoint(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    watch_run();
    run.options.resume = 1;
    put_bytes(in_folder("run.ckpt"), "text", 4);
    refuse(&run.table, &run.options, TULLE_ERROR_FORMAT,
           "name another file to begin at the beginning");
    assert_int_equal(entry_count(), 1);
    struct bytes bytes = get_bytes(in_folder("run.ckpt"));
    assert_string_equal((const char *)bytes.data, "text");
    free(bytes.data);
    run.options.checkpoint = NULL;
    refuse(&run.table, &run.options, TULLE_ERROR_ARGUMENT, "no checkpoint is named to resume from");
}

/* A model's own file is no checkpoint. */
static void test_model_file(void **state)
{
    (void)state;
    make_run(&run, RUN_PLAIN);
    struct bytes bytes = bytes_of_run(&run);
    watch_run();
    put_bytes(in_folder("run.ckpt"), bytes.data, bytes.size);
    run.options.resume = 1;
    refuse(&run.table, &run.options, TULLE_ERROR_FORMAT,
           "name another file to begin at the beginning");
    free(bytes.data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_damaged),           TEST(test_missing),    TEST(test_both_damaged),
        TEST(test_other_options),     TEST(test_other_data), TEST(test_long_names),
        TEST(test_other_texts),       TEST(test_other_rows), TEST(test_other_missing),
        TEST(test_long_weight_names), TEST(test_paths),      TEST(test_lost_folder),
        TEST(test_no_checkpoint),     TEST(test_model_file),
    };
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
