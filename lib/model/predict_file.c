/* predict_file.c - a table in, its predictions out, a block of rows at a time. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/memory.h"
#include "../data/csv_writer.h"
#include "../data/number_format.h"
#include "../data/table_reader.h"
#include "column_match.h"
#include "output_link.h"
#include "session.h"

struct prediction {
    const struct tulle_model_info *info;
    const struct tulle_predict_options *options;
    struct tulle_session *session;
    struct table_reader *reader;
    struct file_writer *file;
    struct csv_writer csv;
    struct column_match match;
    const char **names; /* (3, inputs): all inputs, categorical ones, numeric ones */
    size_t block;
    size_t *lines; /* (block) where each row begins in the input */
    double *x, *y; /* (block, inputs), (block, predictions) */
};

/* --- Writing --------------------------------------------------------------------------------- */

/* Whether a target is written as the name of its most probable class. */
static int writes_names(const struct prediction *p)
{
    return tulle_is_of_classes(p->info->loss) && !p->options->probabilities;
}

static enum tulle_status write_header(struct prediction *p)
{
    const struct tulle_model_info *info = p->info;
    for (size_t t = 0; t < info->target_count; t++) {
        const struct tulle_column *target = &info->targets[t];
        size_t count = tulle_target_predictions(info, t);
        if (count == 1 || writes_names(p)) {
            tulle_csv_text(&p->csv, target->name);
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            char quantile[TULLE_NUMBER_SIZE];
            if (info->quantile_count > 0)
                tulle_number_format(info->quantiles[k], quantile);
            tulle_csv_pair(&p->csv, target->name,
                           info->quantile_count > 0 ? quantile : target->levels.names[k]);
        }
    }
    return tulle_csv_end_row(&p->csv);
}

static enum tulle_status write_row(struct prediction *p, size_t row, struct tulle_error *error)
{
    const double *predictions = p->y + row * p->info->prediction_count;
    for (size_t t = 0; t < p->info->target_count; t++) {
        const struct tulle_column *target = &p->info->targets[t];
        size_t count = tulle_target_predictions(p->info, t);
        for (size_t k = 0; k < count; k++)
            if (!isfinite(predictions[k]))
                return tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(p->reader),
                                     p->lines[row], 0,
                                     "the prediction of '%s' is not finite; a value of this row "
                                     "must be far outside what the model was trained on",
                                     target->name);
        if (writes_names(p))
            tulle_csv_text(&p->csv, target->levels.names[tulle_most_probable(predictions, count)]);
        else
            for (size_t k = 0; k < count; k++)
                tulle_csv_number(&p->csv, predictions[k]);
        predictions += count;
    }
    return tulle_csv_end_row(&p->csv);
}

/* --- A block of rows ------------------------------------------------------------------------- */

/* The next rows of the table to x, at most a block. */
static enum tulle_status read_block(struct prediction *p, size_t *rows, struct tulle_error *error)
{
    size_t inputs = p->info->input_count;
    for (*rows = 0; *rows < p->block; (*rows)++) {
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

static enum tulle_status predict_block(struct prediction *p, size_t rows, struct tulle_error *error)
{
    size_t inputs = p->info->input_count;
    enum tulle_status status =
        tulle_column_match_levels(&p->match, tulle_table_reader_levels(p->reader), error);
    if (status != TULLE_OK)
        return status;
    for (size_t r = 0; r < rows; r++)
        tulle_column_match_row(&p->match, p->x + r * inputs, p->x + r * inputs,
                               p->options->out_of_range);
    tulle_session_predict(p->session, tulle_f64(p->x, rows, inputs),
                          tulle_f64_out(p->y, rows, p->info->prediction_count));
    for (size_t r = 0; r < rows && status == TULLE_OK; r++)
        status = write_row(p, r, error);
    return status;
}

static enum tulle_status predict_all(struct prediction *p, size_t *total, struct tulle_error *error)
{
    const struct tulle_predict_options *o = p->options;
    enum tulle_status status = write_header(p);
    size_t rows = p->block;
    while (status == TULLE_OK && rows == p->block) {
        status = read_block(p, &rows, error);
        if (status == TULLE_OK)
            status = predict_block(p, rows, error);
        *total += rows;
        if (status == TULLE_OK && o->progress && o->progress(*total, o->user))
            status = tulle_fail(error, TULLE_ERROR_INTERRUPTED, "interrupted");
    }
    if (status == TULLE_OK && *total == 0)
        status = tulle_fail_at(error, TULLE_ERROR_DATA, tulle_table_reader_source(p->reader), 0, 0,
                               "has no rows after the header");
    return status;
}

/* --- The call -------------------------------------------------------------------------------- */

/* The input's columns that the model wants, in its order and of the kinds that they had. */
static enum tulle_status open_reader(struct prediction *p, const char *input,
                                     struct tulle_error *error)
{
    size_t inputs = p->info->input_count;
    const char **categorical = p->names + inputs, **numeric = categorical + inputs;
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    options.columns = p->names;
    options.column_count = inputs;
    options.categorical = categorical;
    options.numeric = numeric;
    options.missing = p->options->missing ? p->options->missing : p->info->missing;
    options.missing_count =
        p->options->missing ? p->options->missing_count : p->info->missing_count;
    for (size_t i = 0; i < inputs; i++) {
        const struct tulle_column *column = &p->info->inputs[i];
        p->names[i] = column->name;
        if (column->levels.names)
            categorical[options.categorical_count++] = column->name;
        else
            numeric[options.numeric_count++] = column->name;
    }
    enum tulle_status status = tulle_table_reader_open(input, &options, &p->reader, error);
    if (status != TULLE_OK)
        return status;
    return tulle_column_match_init(
        &p->match, p->info->inputs, inputs, tulle_table_reader_source(p->reader),
        tulle_table_reader_names(p->reader), tulle_table_reader_columns(p->reader), error);
}

/* Everything that is needed, the writer last: no output is begun for an input that cannot be read.
 */
static enum tulle_status open_all(struct prediction *p, const struct tulle_model *model,
                                  const char *input, const char *output, struct tulle_error *error)
{
    size_t inputs = p->info->input_count;
    p->block = tulle_session_block(model);
    p->names = tulle_calloc(inputs, 3 * sizeof *p->names);
    p->lines = tulle_calloc(p->block, sizeof *p->lines);
    p->x = tulle_calloc(inputs, p->block * sizeof *p->x);
    p->y = tulle_calloc(p->info->prediction_count, p->block * sizeof *p->y);
    if (!p->names || !p->lines || !p->x || !p->y ||
        tulle_session_create(model, &p->session) != TULLE_OK)
        return tulle_fail_memory(error);
    enum tulle_status status = open_reader(p, input, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_open(output, &p->file, error);
    p->csv = (struct csv_writer){.file = p->file, .error = error};
    return status;
}

enum tulle_status tulle_predict_file(const tulle_model *model, const char *input,
                                     const char *output,
                                     const struct tulle_predict_options *options, size_t *rows,
                                     struct tulle_error *error)
{
    struct tulle_predict_options o = TULLE_PREDICT_OPTIONS;
    if (options && !tulle_options_copy(&o, options))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "the options' size is not set");
    if (o.out_of_range)
        memset(o.out_of_range, 0, model->info.input_count * sizeof *o.out_of_range);

    struct prediction p = {.info = &model->info, .options = &o};
    size_t total = 0;
    enum tulle_status status = open_all(&p, model, input, output, error);
    if (status == TULLE_OK)
        status = predict_all(&p, &total, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_commit(p.file, error);
    else
        tulle_file_writer_abort(p.file);
    if (rows)
        *rows = total;

    tulle_column_match_clear(&p.match);
    tulle_table_reader_close(p.reader);
    tulle_session_free(p.session);
    tulle_free(p.names);
    tulle_free(p.lines);
    tulle_free(p.x);
    tulle_free(p.y);
    return status;
}
