/* test_io_faults.c - saving and loading models, and predicting files, where each system call fails
 * in turn. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io_faults.h"
#include "linear_model.h"

/* --- Models ---------------------------------------------------------------------------------- */

static struct tulle_model *model_of(size_t units)
{
    struct example example;
    struct tulle_model *made;
    example_init(&example);
    example.layers[0].units = units;
    assert_int_equal(tulle_model_create(&example.info, &made, NULL), TULLE_OK);
    fill_parameters(made);
    return made;
}

static struct tulle_model *model, *loaded;

static int make_model(void **state)
{
    model = model_of(30);
    return make_folder(state);
}

static int free_model(void **state)
{
    tulle_model_free(model);
    return remove_folder(state);
}

static void save_old(void)
{
    struct tulle_model *old = example_model();
    save_model(old, in_folder("model"));
    assert_int_equal(chmod(in_folder("model"), 0640), 0);
    tulle_model_free(old);
}

static void save_old_behind_links(void)
{
    save_old();
    assert_int_equal(symlink("model", in_folder("link")), 0);
    assert_int_equal(symlink(in_folder("link"), in_folder("outer link")), 0);
}

static enum tulle_status save(struct tulle_error *error)
{
    return tulle_model_save(model, in_folder("model"), error);
}

static enum tulle_status save_through_links(struct tulle_error *error)
{
    return tulle_model_save(model, in_folder("outer link"), error);
}

static enum tulle_status check_path(struct tulle_error *error)
{
    return tulle_model_check_path(in_folder("model"), error);
}

/* Of a model that is more than the writer's buffer holds. */
static enum tulle_status save_large(struct tulle_error *error)
{
    struct tulle_model *large = model_of(5000);
    enum tulle_status status = tulle_model_save(large, in_folder("model"), error);
    tulle_model_free(large);
    return status;
}

static void check_mode(enum tulle_status status)
{
    struct stat file;
    (void)status;
    assert_int_equal(stat(in_folder("model"), &file), 0);
    assert_int_equal(file.st_mode & 0777, 0640);
}

static void test_save(void **state)
{
    const struct io_operation operations[] = {
        {"save a model", NULL, save_large, NULL, "model"},
        {"save one in the place of another", save_old, save, check_mode, "model"},
        {"save one where links lead to another", save_old_behind_links, save_through_links,
         check_mode, "model"},
        {"save one where there are no locks", save_old, save, NULL, "model", .has_no_locks = 1},
        {"see whether one can be saved", save_old, check_path, NULL, "model"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        check_operation(&operations[i]);
}

static void save_model_before(void)
{
    save_model(model, in_folder("model"));
}

static enum tulle_status load(struct tulle_error *error)
{
    return tulle_model_load(in_folder("model"), &loaded, error);
}

static void check_loaded(enum tulle_status status)
{
    assert_int_equal(loaded != NULL, status == TULLE_OK);
    if (loaded)
        assert_same_model(loaded, model);
    tulle_model_free(loaded);
    loaded = NULL;
}

static void test_load(void **state)
{
    const struct io_operation operation = {"load a model", save_model_before, load,
                                           check_loaded,   "model",           .most = 500};
    (void)state;
    check_operation(&operation);
}

/* --- Predictions ----------------------------------------------------------------------------- */

enum { ROWS = 6000 }; /* whose predictions, too, are more than a buffer holds */

static void write_table(void)
{
    FILE *file = fopen(in_folder("table.csv"), "wb");
    assert_non_null(file);
    fputs("b,a\n", file);
    for (int row = 0; row < ROWS; row++)
        fprintf(file, "%d,%d.125\n", row % 7, row % 10);
    assert_int_equal(fclose(file), 0);
}

static void write_table_and_old(void)
{
    write_table();
    put_bytes(in_folder("out.csv"), "old", 3);
}

static enum tulle_status predict(struct tulle_error *error)
{
    return tulle_predict_file(model, in_folder("table.csv"), in_folder("out.csv"), NULL, NULL,
                              error);
}

static void test_predict(void **state)
{
    static const double weights[] = {2 / 3.0, 1}; /* for many digits */
    const struct tulle_column inputs[] = {number_column("a"), number_column("b")};
    struct tulle_column target = number_column("y");
    const struct io_operation operations[] = {
        {"predict a file", write_table, predict, NULL, "out.csv", .most = 20000},
        {"predict one in the place of another", write_table_and_old, predict, NULL, "out.csv",
         .most = 20000},
    };
    (void)state;
    tulle_model_free(model);
    model = linear_model(
        (struct tulle_model_info){
            .inputs = inputs, .input_count = 2, .targets = &target, .target_count = 1},
        1, weights);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        check_operation(&operations[i]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_model, free_model)
    const struct CMUnitTest tests[] = {TEST(test_save), TEST(test_load), TEST(test_predict)};
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
