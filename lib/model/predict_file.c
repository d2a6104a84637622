/* predict_file.c - a table in, its predictions out, a block of rows at a time. */
#include "../base/portability.h"

#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/file_writer.h"
#include "../base/memory.h"
#include "../data/table_reader.h"
#include "model.h"

enum { BLOCK = 1024 }; /* rows */

struct prediction {
    const struct tulle_model_info *info;
    struct tulle_session *session;
    struct table_reader *reader;
    struct file_writer *writer;
    const char **names;  /* of the model's inputs */
    double *x, *y;       /* (BLOCK, inputs), (BLOCK, targets) */
    size_t lines[BLOCK]; /* where each row of the block begins in the input */
};

enum { NUMBER_SIZE = 40 };

/* The shortest decimal that reads back as the same double, with '.' in any locale. */
static void format_number(double value, char text[NUMBER_SIZE])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    size_t plain = strspn(text, "+-0123456789e");
    if (text[plain] != '\0') {
        size_t point = strcspn(text + plain, "0123456789e"); /* bytes of the locale's point */
        text[plain] = '.';
        memmove(text + plain + 1, text + plain + point, strlen(text + plain + point) + 1);
    }
}

/* A cell of RFC 4180, quoted where it must be. */
static enum tulle_status write_name(struct file_writer *writer, const char *name,
                                    struct tulle_error *error)
{
    if (name[strcspn(name, ",;\t\"\r\n")] == '\0')
        return tulle_file_writer_write(writer, name, strlen(name), error);
    enum tulle_status status = tulle_file_writer_write(writer, "\"", 1, error);
    for (; *name && status == TULLE_OK; name++) {
        status = tulle_file_writer_write(writer, name, 1, error);
        if (*name == '"' && status == TULLE_OK)
            status = tulle_file_writer_write(writer, name, 1, error);
    }
    return status == TULLE_OK ? tulle_file_writer_write(writer, "\"", 1, error) : status;
}

static enum tulle_status write_header(struct prediction *p, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    for (size_t t = 0; t < p->info->target_count && status == TULLE_OK; t++) {
        if (t > 0)
            status = tulle_file_writer_write(p->writer, ",", 1, error);
        if (status == TULLE_OK)
            status = write_name(p->writer, p->info->targets[t].name, error);
    }
    return status == TULLE_OK ? tulle_file_writer_write(p->writer, "\n", 1, error) : status;
}

/* The next rows of the table to x, at most BLOCK. */
static enum tulle_status read_block(struct prediction *p, size_t *rows, struct tulle_error *error)
{
    size_t inputs = p->info->input_count;
    for (*rows = 0; *rows < BLOCK; (*rows)++) {
        const double *values;
        enum tulle_split split;
        enum tulle_status status = tulle_table_reader_next(p->reader, &values, &split, error);
        if (status != TULLE_OK)
            return status;
        if (!values)
            break;
        memcpy(p->x + *rows * inputs, values, inputs * sizeof *values);
        p->lines[*rows] = tulle_table_reader_line(p->reader);
    }
    return TULLE_OK;
}

static enum tulle_status write_rows(struct prediction *p, size_t rows, struct tulle_error *error)
{
    size_t targets = p->info->target_count;
    enum tulle_status status = TULLE_OK;
    for (size_t r = 0; r < rows; r++)
        for (size_t t = 0; t < targets && status == TULLE_OK; t++) {
            double value = p->y[r * targets + t];
            char text[NUMBER_SIZE + 1];
            if (!isfinite(value))
                return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(p->reader),
                                     p->lines[r], 0,
                                     "the prediction of '%s' is not finite; a value of this row "
                                     "must be far outside what the model was trained on",
                                     p->info->targets[t].name);
            format_number(value, text);
            strcat(text, t + 1 < targets ? "," : "\n");
            status = tulle_file_writer_write(p->writer, text, strlen(text), error);
        }
    return status;
}

/* In the rounding mode that reads the digits back as they were, whatever the program's is. */
static enum tulle_status write_block(struct prediction *p, size_t rows, struct tulle_error *error)
{
    int mode = fegetround();
    fesetround(FE_TONEAREST);
    enum tulle_status status = write_rows(p, rows, error);
    fesetround(mode);
    return status;
}

static enum tulle_status predict_all(struct prediction *p, const struct tulle_predict_options *o,
                                     size_t *total, struct tulle_error *error)
{
    enum tulle_status status = write_header(p, error);
    size_t rows = BLOCK;
    while (status == TULLE_OK && rows == BLOCK) {
        status = read_block(p, &rows, error);
        if (status != TULLE_OK)
            break;
        tulle_session_predict(p->session, tulle_f64(p->x, rows, p->info->input_count),
                              tulle_f64_out(p->y, rows, p->info->target_count));
        status = write_block(p, rows, error);
        *total += rows;
        if (status == TULLE_OK && o->progress && o->progress(*total, o->user))
            status = tulle_fail(error, TULLE_ERROR_INTERRUPTED, "interrupted");
    }
    if (status == TULLE_OK && *total == 0)
        status = tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(p->reader), 0, 0,
                               "has no rows after the header");
    return status;
}

/* Everything that is needed, the writer last: no output is begun for an input that cannot be read.
 */
static enum tulle_status open_all(struct prediction *p, const struct tulle_model *model,
                                  const char *input, const char *output, struct tulle_error *error)
{
    size_t inputs = p->info->input_count;
    p->names = tulle_calloc(inputs, sizeof *p->names);
    p->x = tulle_calloc(inputs, BLOCK * sizeof *p->x);
    p->y = tulle_calloc(p->info->target_count, BLOCK * sizeof *p->y);
    if (!p->names || !p->x || !p->y || tulle_session_create(model, &p->session) != TULLE_OK)
        return tulle_fail_memory(error);

    struct tulle_read_options options = TULLE_READ_OPTIONS;
    for (size_t i = 0; i < inputs; i++)
        p->names[i] = p->info->inputs[i].name;
    options.columns = p->names;
    options.column_count = inputs;
    enum tulle_status status = tulle_table_reader_open(input, &options, &p->reader, error);
    return status == TULLE_OK ? tulle_file_writer_open(output, &p->writer, error) : status;
}

enum tulle_status tulle_predict_file(const tulle_model *model, const char *input,
                                     const char *output,
                                     const struct tulle_predict_options *options, size_t *rows,
                                     struct tulle_error *error)
{
    struct tulle_predict_options o = TULLE_PREDICT_OPTIONS;
    if (options && !tulle_options_copy(&o, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the options' size is not set");

    struct prediction p = {.info = &model->info};
    size_t total = 0;
    enum tulle_status status = open_all(&p, model, input, output, error);
    if (status == TULLE_OK)
        status = predict_all(&p, &o, &total, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_commit(p.writer, error);
    else
        tulle_file_writer_abort(p.writer);
    if (rows)
        *rows = total;

    tulle_table_reader_close(p.reader);
    tulle_session_free(p.session);
    free(p.names);
    free(p.x);
    free(p.y);
    return status;
}
