/* test_out_of_memory.c - tables, models, their files and predictions, with every allocation that
 * they make failing in turn. */
#include "../lib/base/portability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "failing_memory.h"
#include "training_runs.h"

extern const int tulle_has_gzip;

/* --- Tables ---------------------------------------------------------------------------------- */

static struct table table;
static tulle_dataset *dataset, *expected_dataset;
static const char *table_name;
static const struct tulle_read_options *read_options;

static void assert_same_texts(const char *const *found, const char *const *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(found[i], expected[i]);
}

static void assert_same_dataset(const tulle_dataset *found, const tulle_dataset *expected)
{
    const struct tulle_dataset_info *a = tulle_dataset_info(found);
    const struct tulle_dataset_info *b = tulle_dataset_info(expected);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->columns, b->columns);
    assert_memory_equal(a->values, b->values, b->rows * b->columns * sizeof *b->values);
    assert_same_texts(a->names, b->names, b->columns);
    for (size_t c = 0; c < b->columns; c++) {
        assert_int_equal(a->levels[c].count, b->levels[c].count);
        assert_same_texts(a->levels[c].names, b->levels[c].names, b->levels[c].count);
    }
    assert_int_equal(a->missing_count, b->missing_count);
    assert_same_texts(a->missing, b->missing, b->missing_count);
    assert_int_equal(a->split != NULL, b->split != NULL);
    if (b->split)
        assert_memory_equal(a->split, b->split, b->rows);
}

static enum tulle_status read_table(struct tulle_error *error)
{
    return tulle_dataset_read(in_folder(table_name), read_options, &dataset, error);
}

static void check_table(enum tulle_status status)
{
    assert_int_equal(dataset != NULL, status == TULLE_OK);
    if (dataset)
        assert_same_dataset(dataset, expected_dataset);
    tulle_dataset_free(dataset);
}

static void torture_reading(const char *name, const char *file,
                            const struct tulle_read_options *options)
{
    struct tulle_error error;
    table_name = file;
    read_options = options;
    if (read_table(&error) != TULLE_OK)
        fail_msg("%s", error.message);
    expected_dataset = dataset;
    torture(&(struct operation){.name = name, .run = read_table, .check = check_table});
    tulle_dataset_free(expected_dataset);
}

/* A CSV of the rows of the table, again and again until there are so many, with a column of as many
 * levels as there are rows and one that says what the row is for. */
static struct bytes make_csv(size_t rows)
{
    struct bytes csv = {malloc(rows * 200 + 200), 0};
    char *text = (char *)csv.data;
    assert_non_null(text);
    text += sprintf(text, "a;b;colour;city;name;use;y\n");
    for (size_t r = 0; r < rows; r++) {
        const double *row = table.values[r % table.rows];
        text += sprintf(text, "%.17g;", row[A]);
        text += isnan(row[B]) ? sprintf(text, "none;") : sprintf(text, "%.17g;", row[B]);
        text += sprintf(text, "%s;\"%s\";\"the \"\"%zu\"\"th\";%s;%.17g\n",
                        colours[(size_t)row[COLOUR]], cities[(size_t)row[CITY]], r,
                        r % 4 == 3 ? "valid" : "train", row[Y]);
    }
    csv.size = (size_t)(text - (char *)csv.data);
    return csv;
}

static void test_csv(void **state)
{
    static const char *const categorical[] = {"colour", "b2"}, *const numeric[] = {"a", "a2"};
    static const char *const missing[] = {"none", "?"}, *const drop[] = {"city"};
    static const char *const columns[] = {"y", "name", "b"};
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    struct bytes csv = make_csv(table.rows);
    (void)state;
    put_bytes(in_folder("table"), csv.data, csv.size);
    options.split_column = "use";
    options.missing = missing;
    options.missing_count = 2;
    options.categorical = categorical;
    options.numeric = numeric;
    options.categorical_count = options.numeric_count = 2;
    options.drop = drop;
    options.drop_count = 1;
    torture_reading("read a CSV", "table", &options);
    options.drop_count = 0;
    options.columns = columns;
    options.column_count = 3;
    torture_reading("read some of its columns", "table", &options);
    remove(in_folder("table"));
    free(csv.data);
}

/* By the polynomial of RFC 1952. */
static uint32_t crc32_of(const unsigned char *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static unsigned char *put_little(unsigned char *to, uint32_t value, int size)
{
    for (int i = 0; i < size; i++)
        *to++ = (unsigned char)(value >> 8 * i);
    return to;
}

/* One gzip member of stored blocks. */
static struct bytes make_gzip(struct bytes plain)
{
    enum { MOST = 65535 };
    struct bytes packed = {malloc(plain.size + plain.size / 1000 + 100), 0};
    assert_non_null(packed.data);
    memcpy(packed.data, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    unsigned char *to = packed.data + 10;
    for (size_t begin = 0, size; begin < plain.size; begin += size) {
        size = plain.size - begin < MOST ? plain.size - begin : MOST;
        *to++ = begin + size == plain.size;
        to = put_little(to, (uint32_t)size, 2);
        to = put_little(to, ~(uint32_t)size, 2);
        to = (unsigned char *)memcpy(to, plain.data + begin, size) + size;
    }
    to = put_little(to, crc32_of(plain.data, plain.size), 4);
    to = put_little(to, (uint32_t)plain.size, 4);
    packed.size = (size_t)(to - packed.data);
    return packed;
}

/* Larger than what is read at once, so that zlib needs a window. */
static void test_gzip(void **state)
{
    static const char *const categorical[] = {"b"};
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    struct bytes csv = make_csv(12000), packed = make_gzip(csv);
    (void)state;
    options.categorical = categorical;
    options.categorical_count = 1;
    if (tulle_has_gzip) {
        put_bytes(in_folder("table"), packed.data, packed.size);
        torture_reading("read a CSV through gzip", "table", &options);
        remove(in_folder("table"));
    }
    free(csv.data);
    free(packed.data);
}

/* Three rows of four numbers, row by row and column by column. */
static void test_npy(void **state)
{
    static const char *const headers[] = {
        "{'descr': '>i2', 'fortran_order': False, 'shape': (3, 4), }\n",
        "{'descr': '>i2', 'fortran_order': True, 'shape': (3, 4), }\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        unsigned char file[200] = "\x93NUMPY\x01";
        size_t length = strlen(headers[i]);
        put_little(file + 8, (uint32_t)length, 2);
        memcpy(file + 10, headers[i], length);
        for (unsigned char n = 0; n < 12; n++)
            file[10 + length + 2 * n + 1] = n;
        put_bytes(in_folder("table"), file, 10 + length + 24);
        torture_reading(i ? "read a .npy in Fortran order" : "read a .npy", "table", NULL);
    }
    remove(in_folder("table"));
}

static enum tulle_status create_dataset(struct tulle_error *error)
{
    const struct tulle_matrix values = {table.values, TULLE_F64, table.rows, table.columns,
                                        TABLE_COLUMNS};
    return tulle_dataset_create(table.names, values, table.levels, table.splits, &dataset, error);
}

static void test_arrays(void **state)
{
    (void)state;
    assert_int_equal(create_dataset(NULL), TULLE_OK);
    expected_dataset = dataset;
    torture(&(struct operation){
        .name = "a table from arrays", .run = create_dataset, .check = check_table});
    tulle_dataset_free(expected_dataset);
}

/* --- Models and their files ------------------------------------------------------------------ */

static tulle_model *model, *loaded;
static struct bytes old_file, new_file; /* what a failure leaves, and what success does */

/* That "out" is one or the other, and nothing is beside it; then that it can be written. */
static void check_file_out(enum tulle_status status,
                           enum tulle_status (*write)(struct tulle_error *))
{
    const struct bytes *expected = status == TULLE_OK ? &new_file : &old_file;
    struct bytes found = get_bytes(in_folder("out"));
    if (!same_bytes(found, *expected))
        fail_msg("%s: another file, of %zu bytes", tulle_status_text(status), found.size);
    free(found.data);
    assert_int_equal(entry_count(), 3);
    assert_int_equal(write(NULL), TULLE_OK);
    found = get_bytes(in_folder("out"));
    assert_true(same_bytes(found, new_file));
    free(found.data);
    put_bytes(in_folder("out"), old_file.data, old_file.size);
}

static void torture_writing(const char *name, enum tulle_status (*write)(struct tulle_error *),
                            void (*check)(enum tulle_status))
{
    assert_int_equal(write(NULL), TULLE_OK);
    new_file = get_bytes(in_folder("out"));
    put_bytes(in_folder("out"), old_file.data, old_file.size);
    torture(&(struct operation){.name = name, .run = write, .check = check, .is_slow = 1});
    free(new_file.data);
}

static enum tulle_status save(struct tulle_error *error)
{
    return tulle_model_save(model, in_folder("out"), error);
}

static void check_saved(enum tulle_status status)
{
    check_file_out(status, save);
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
}

static enum tulle_status check_path(struct tulle_error *error)
{
    return tulle_model_check_path(in_folder("new"), error);
}

static void check_no_file(enum tulle_status status)
{
    (void)status;
    assert_int_equal(entry_count(), 3);
}

/* Of everything that a description can have. */
static void test_model_files(void **state)
{
    tulle_model *trained = model;
    (void)state;
    model = rich_model();
    save_model(model, in_folder("model"));
    torture_writing("save a model", save, check_saved);
    torture(&(struct operation){.name = "load a model", .run = load, .check = check_loaded});
    torture(&(struct operation){
        .name = "see whether a model can be saved", .run = check_path, .check = check_no_file});
    tulle_model_free(model);
    model = trained;
}

/* Files of older formats, whose readers fill in what they lack. */
static void test_old_files(void **state)
{
    static const char *const names[] = {"model_v1.tulle", "model_v2.tulle"};
    tulle_model *trained = model;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[1000];
        snprintf(path, sizeof path, "%s/tests/data/%s", TULLE_SOURCE_DIR, names[i]);
        struct bytes bytes = get_bytes(path);
        put_bytes(in_folder("model"), bytes.data, bytes.size);
        free(bytes.data);
        model = load_model(in_folder("model"));
        torture(&(struct operation){.name = names[i], .run = load, .check = check_loaded});
        tulle_model_free(model);
    }
    model = trained;
}

/* --- Predicting and measuring ---------------------------------------------------------------- */

enum { ASKED = 20 };

static double x[ASKED][4], expected_y[ASKED], y[ASKED];
static tulle_session *session;

static enum tulle_status make_session(struct tulle_error *error)
{
    (void)error;
    return tulle_session_create(model, &session);
}

static enum tulle_status predict(struct tulle_error *error)
{
    (void)error;
    return tulle_session_predict(session, tulle_f64(x[0], ASKED, 4), tulle_f64_out(y, ASKED, 1));
}

static enum tulle_status make_threads(struct tulle_error *error)
{
    (void)error;
    return tulle_session_set_threads(session, 3);
}

static double dx[ASKED][4], expected_dx[ASKED][4];

static enum tulle_status find_gradient(struct tulle_error *error)
{
    (void)error;
    return tulle_session_input_gradient(session, tulle_f64(x[0], ASKED, 4),
                                        tulle_f64(expected_y, ASKED, 1),
                                        tulle_f64_out(dx[0], ASKED, 4));
}

static void check_predictions(enum tulle_status status)
{
    (void)status;
    memset(y, 0, sizeof y);
    assert_int_equal(predict(NULL), TULLE_OK);
    assert_memory_equal(y, expected_y, sizeof y);
}

static void check_session(enum tulle_status status)
{
    assert_int_equal(session != NULL, status == TULLE_OK);
    if (session)
        check_predictions(status);
    tulle_session_free(session);
}

/* And a session without threads for the next time. */
static void check_threads(enum tulle_status status)
{
    check_predictions(status);
    tulle_session_free(session);
    assert_int_equal(make_session(NULL), TULLE_OK);
}

static void check_gradient(enum tulle_status status)
{
    memset(dx, 0, sizeof dx);
    assert_int_equal(find_gradient(NULL), TULLE_OK);
    assert_memory_equal(dx, expected_dx, sizeof dx);
    check_threads(status);
}

static void test_session(void **state)
{
    (void)state;
    for (size_t r = 0; r < ASKED; r++)
        memcpy(x[r], table.values[r], sizeof x[r]);
    assert_int_equal(make_session(NULL), TULLE_OK);
    assert_int_equal(predict(NULL), TULLE_OK);
    memcpy(expected_y, y, sizeof y);
    tulle_session_free(session);
    torture(&(struct operation){"make a session", make_session, 1, 0, check_session});
    assert_int_equal(make_session(NULL), TULLE_OK);
    torture(&(struct operation){"give a session threads", make_threads, 1, 0, check_threads});
    torture(&(struct operation){"predict", predict, 1, 0, check_predictions});
    assert_int_equal(find_gradient(NULL), TULLE_OK);
    memcpy(expected_dx, dx, sizeof dx);
    fail_allocations(1, 1); /* of which a second call needs none */
    assert_int_equal(find_gradient(NULL), TULLE_OK);
    assert_int_equal(stop_failing(), 0);
    tulle_session_free(session);
    assert_int_equal(make_session(NULL), TULLE_OK);
    torture(&(struct operation){"gradients", find_gradient, 1, 0, check_gradient});
    tulle_session_free(session);
}

static enum tulle_status predict_file(struct tulle_error *error)
{
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    static const char *const missing[] = {"none"};
    size_t out_of_range[4];
    options.missing = missing;
    options.missing_count = 1;
    options.out_of_range = out_of_range;
    return tulle_predict_file(model, in_folder("in"), in_folder("out"), &options, NULL, error);
}

static void check_predicted(enum tulle_status status)
{
    check_file_out(status, predict_file);
}

static void test_predict_file(void **state)
{
    struct bytes csv = make_csv(700);
    (void)state;
    put_bytes(in_folder("in"), csv.data, csv.size);
    torture_writing("predict a file", predict_file, check_predicted);
    free(csv.data);
}

static struct tulle_evaluation *evaluation, *expected_evaluation;

static enum tulle_status evaluate(struct tulle_error *error)
{
    return tulle_evaluate(model, expected_dataset, TULLE_SPLIT_ALL, "a", &evaluation, error);
}

static void check_evaluation(enum tulle_status status)
{
    const size_t classes = expected_evaluation->classes;
    assert_int_equal(evaluation != NULL, status == TULLE_OK);
    if (evaluation) {
        assert_memory_equal(evaluation->metrics, expected_evaluation->metrics,
                            sizeof *evaluation->metrics);
        assert_int_equal(evaluation->classes, classes);
        if (classes > 0)
            assert_memory_equal(evaluation->confusion, expected_evaluation->confusion,
                                classes * classes * sizeof *evaluation->confusion);
    }
    tulle_evaluation_free(evaluation);
}

static void torture_evaluation(const char *name)
{
    expected_dataset = new_dataset(&table);
    assert_int_equal(evaluate(NULL), TULLE_OK);
    expected_evaluation = evaluation;
    torture(&(struct operation){.name = name, .run = evaluate, .check = check_evaluation});
    tulle_evaluation_free(expected_evaluation);
    tulle_dataset_free(expected_dataset);
}

static void test_evaluate(void **state)
{
    struct tulle_train_options options = small_options();
    const struct table numbers = table;
    tulle_model *trained = model;
    (void)state;
    torture_evaluation("measure numbers");
    make_classes(&table);
    options.epochs = 2;
    model = train_table(&table, &options);
    torture_evaluation("measure classes");
    tulle_model_free(model);
    model = trained;
    table = numbers;
}

/* --- Set-up ---------------------------------------------------------------------------------- */

/* The folder holds a model, a table for predicting, and the file that is written over. */
static int set_up(void **state)
{
    struct tulle_train_options options = small_options();
    if (make_folder(state) != 0 || use_failing_memory(state) != 0)
        return 1;
    make_table(&table, 200);
    options.recipe = TULLE_RECIPE_TABULAR;
    options.epochs = 2;
    model = train_table(&table, &options);
    save_model(model, in_folder("model"));
    put_bytes(in_folder("in"), "a\n1\n", 4);
    put_bytes(in_folder("out"), "old\n", 4);
    old_file = get_bytes(in_folder("out"));
    return 0;
}

static int tear_down(void **state)
{
    tulle_model_free(model);
    free(old_file.data);
    return use_usual_memory(state) || remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),         cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_npy),         cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_model_files), cmocka_unit_test(test_old_files),
        cmocka_unit_test(test_session),     cmocka_unit_test(test_predict_file),
        cmocka_unit_test(test_evaluate),
    };
    return tulle_has_model_files ? cmocka_run_group_tests(tests, set_up, tear_down) : 77;
}
