/* model_use.c - what a stranger's model is used for, with checks of what is promised of any. */
#include "../../lib/base/portability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cli/options.h"
#include "model_use.h"
#include "scratch.h"

enum { ROWS = 5 };

/* A value for column c in row r: usual ones, missing ones, and such as no training has seen. */
static double value_of(const struct tulle_column *column, size_t r, size_t c)
{
    const double numbers[ROWS] = {column->mean, column->minimum - 1, NAN, 1e150, (double)c};
    const double levels[ROWS] = {0, (double)column->levels.count - 1, NAN, 1e9, -0.5};
    return column->levels.names ? levels[(r + c) % ROWS] : numbers[(r + c) % ROWS];
}

/* The command closes its output (CMakeLists.txt), of which there is to be more here. */
int __wrap_cli_close_stdout(void);
int __wrap_cli_close_stdout(void)
{
    return fflush(stdout) == 0 ? 0 : 1;
}

/* Whatever stands in the file, a terminal that it is shown on gets lines of text. */
static void check_output(void)
{
    size_t size;
    uint8_t *bytes = get_scratch("output", &size);
    for (size_t i = 0; i < size; i++)
        CHECK((bytes[i] >= 0x20 && bytes[i] != 0x7f) || bytes[i] == '\n');
    for (size_t i = 0; i + 1 < size; i++)
        CHECK(bytes[i] != 0xc2 || bytes[i + 1] >= 0xa0);
    free(bytes);
}

static void describe(const char *path)
{
    for (int json = 0; json < 2; json++) {
        struct cli_options options;
        CHECK(freopen(in_scratch("output"), "w", stdout));
        cli_options_init(&options, &cli_info);
        options.arguments[0] = path;
        options.json = json;
        CHECK(cli_info.run(&options) == 0);
        cli_options_free(&options);
        check_output();
    }
}

/* A row's prediction does not depend on the rows beside it, not even on their being there. */
static void predict(const tulle_model *model)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    const size_t inputs = info->input_count, outputs = info->prediction_count;
    double *x = calloc(ROWS * inputs, sizeof *x), *y = calloc((ROWS + 1) * outputs, sizeof *y);
    double *alone = y + ROWS * outputs;
    tulle_session *session;
    CHECK(x && y);
    for (size_t i = 0; i < ROWS * inputs; i++)
        x[i] = value_of(&info->inputs[i % inputs], i / inputs, i % inputs);
    CHECK(tulle_session_create(model, &session) == TULLE_OK);
    CHECK(tulle_session_predict(session, tulle_f64(x, ROWS, inputs),
                                tulle_f64_out(y, ROWS, outputs)) == TULLE_OK);
    for (size_t r = 0; r < ROWS; r++) {
        CHECK(tulle_session_predict(session, tulle_f64(x + r * inputs, 1, inputs),
                                    tulle_f64_out(alone, 1, outputs)) == TULLE_OK);
        for (size_t i = 0; i < outputs; i++)
            CHECK(isnan(alone[i]) ? isnan(y[r * outputs + i]) : alone[i] == y[r * outputs + i]);
    }
    tulle_session_free(session);
    free(x);
    free(y);
}

/* On a table of its own columns, in which a number cannot be beyond 1e150. */
static void evaluate(const tulle_model *model)
{
    const struct tulle_model_info *info = tulle_model_info(model);
    const size_t count = info->input_count + info->target_count;
    const char **names = calloc(count, sizeof *names);
    struct tulle_levels *levels = calloc(count, sizeof *levels);
    double *values = calloc(ROWS * count, sizeof *values);
    struct tulle_error error;
    struct tulle_evaluation *evaluation;
    tulle_dataset *table;
    CHECK(names && levels && values);
    for (size_t c = 0; c < count; c++) {
        const struct tulle_column *column =
            c < info->input_count ? &info->inputs[c] : &info->targets[c - info->input_count];
        names[c] = column->name;
        levels[c] = column->levels;
        for (size_t r = 0; r < ROWS; r++) {
            double value = value_of(column, r % 3, c);
            values[r * count + c] = fabs(value) <= 1e150 ? value : 0;
        }
    }
    enum tulle_status status =
        tulle_dataset_create(names, tulle_f64(values, ROWS, count), levels, NULL, &table, &error);
    if (status == TULLE_OK)
        status =
            tulle_evaluate(model, table, TULLE_SPLIT_ALL, info->weight_column, &evaluation, &error);
    if (status == TULLE_OK)
        tulle_evaluation_free(evaluation);
    else
        check_error(status, &error);
    tulle_dataset_free(table);
    free(names);
    free(levels);
    free(values);
}

/* A CSV's cell: in quotes, in which a quote is two. */
static void write_cell(FILE *file, size_t c, const char *text)
{
    fputs(c ? ",\"" : "\"", file);
    for (; *text; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){*text, '\0'}, file);
    putc('"', file);
}

/* Of its own inputs, a level's number in the first row and any level in others. */
static void write_table(const struct tulle_model_info *info)
{
    char number[32];
    FILE *file = fopen(in_scratch("table.csv"), "w");
    CHECK(file);
    for (size_t c = 0; c < info->input_count; c++)
        write_cell(file, c, info->inputs[c].name);
    for (size_t r = 0; r < ROWS; r++) {
        putc('\n', file);
        for (size_t c = 0; c < info->input_count; c++) {
            const struct tulle_levels *levels = &info->inputs[c].levels;
            snprintf(number, sizeof number, "%g", r < 3 ? value_of(&info->inputs[c], r, c) : 1e9);
            write_cell(file, c,
                       r > 0 && levels->names ? levels->names[(r + c) % levels->count] : number);
        }
    }
    CHECK(fclose(file) == 0);
}

/* From file to file, unless a prediction is not finite. */
static void predict_file(const tulle_model *model)
{
    struct tulle_error error;
    size_t rows;
    write_table(tulle_model_info(model));
    enum tulle_status status = tulle_predict_file(model, in_scratch("table.csv"),
                                                  in_scratch("output"), NULL, &rows, &error);
    if (status == TULLE_OK)
        CHECK(rows == ROWS);
    else
        check_error(status, &error);
}

/* What was loaded is saved as a file that loads, and is saved again as the same bytes. */
static void save_and_load(const tulle_model *model)
{
    struct tulle_error error;
    tulle_model *again;
    size_t size, size_again;
    enum tulle_status status = tulle_model_save(model, in_scratch("saved"), &error);
    if (status != TULLE_OK) { /* as with a description that is too long in today's format */
        check_error(status, &error);
        return;
    }
    CHECK(tulle_model_load(in_scratch("saved"), &again, &error) == TULLE_OK);
    CHECK(tulle_model_save(again, in_scratch("again"), &error) == TULLE_OK);
    tulle_model_free(again);
    uint8_t *bytes = get_scratch("saved", &size), *bytes_again = get_scratch("again", &size_again);
    CHECK(size == size_again && memcmp(bytes, bytes_again, size) == 0);
    CHECK(tulle_model_to_bytes(model, bytes_again, size, &size_again, &error) == TULLE_OK);
    CHECK(size == size_again && memcmp(bytes, bytes_again, size) == 0);
    free(bytes);
    free(bytes_again);
}

/* A file's bytes are a model where the file is one, and refused with the same words. */
static void use_bytes(const char *path, enum tulle_status expected, const char *message)
{
    struct tulle_error error;
    tulle_model *model;
    size_t size;
    uint8_t *bytes = get_scratch(strrchr(path, '/') + 1, &size);
    CHECK(tulle_model_from_bytes(bytes, size, &model, &error) == expected);
    CHECK(expected == TULLE_OK || strcmp(error.message, message) == 0);
    tulle_model_free(model);
    free(bytes);
}

void use_model(const char *path)
{
    struct tulle_error error;
    tulle_model *model;
    enum tulle_status status = tulle_model_load(path, &model, &error);
    if (status != TULLE_OK) {
        CHECK(!model);
        CHECK(status == TULLE_ERROR_FORMAT || status == TULLE_ERROR_VERSION);
        check_error(status, &error);
        CHECK(strcmp(error.file, path) == 0);
        use_bytes(path, status, error.message);
        return;
    }
    use_bytes(path, TULLE_OK, NULL);
    describe(path);
    predict(model);
    evaluate(model);
    predict_file(model);
    save_and_load(model);
    tulle_model_free(model);
}
