/* evaluate.c - measuring a model on a table. */
#include "../base/portability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "../data/dataset.h"
#include "../data/name_index.h"
#include "evaluate.h"
#include "model.h"
#include "session.h"

/* columns[i] = the dataset's column that has the name of the model's i-th. */
static enum tulle_status match_columns(const struct tulle_dataset_info *data,
                                       const struct name_index *index,
                                       const struct tulle_column *wanted, size_t count,
                                       size_t *columns, struct tulle_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct name_entry *found;
        if (tulle_name_index_find(index, wanted[i].name, &found) == 0)
            return tulle_fail_no_column(error, data->source, wanted[i].name, data->names,
                                        data->columns);
        columns[i] = found->position;
    }
    return TULLE_OK;
}

/* Rows that are predicted and measured at a time. */
enum { BLOCK = 1024 };

/* Adds the errors of count predictions of one target, `stride` apart, to what metrics has. Errors
 * are in units of the target's scale, so that their squares do not overflow where the target itself
 * does not. */
static void add_errors(struct tulle_metrics *metrics, const double *predictions, size_t stride,
                       size_t count, const struct tulle_dataset_info *info, const size_t *order,
                       size_t column, double scale)
{
    for (size_t i = 0; i < count; i++) {
        double y = info->values[order[i] * info->columns + column];
        double error = (predictions[i * stride] - y) / scale;
        metrics->rmse += error * error;
        metrics->mae += fabs(error);
    }
}

/* Sums of errors to metrics of all `count` rows. */
static void finish_metrics(struct tulle_metrics *metrics, size_t count,
                           const struct tulle_dataset_info *info, const size_t *order,
                           size_t column, double scale)
{
    double squares = metrics->rmse, mean = 0, spread = 0;
    int constant = 1;
    for (size_t i = 0; i < count; i++)
        mean += info->values[order[i] * info->columns + column] / scale / (double)count;
    for (size_t i = 0; i < count; i++) {
        double y = info->values[order[i] * info->columns + column];
        double deviation = y / scale - mean;
        spread += deviation * deviation;
        constant &= y == info->values[order[0] * info->columns + column];
    }
    metrics->rows = count;
    metrics->rmse = sqrt(squares / (double)count) * scale;
    metrics->mae = metrics->mae / (double)count * scale;
    metrics->r2 = constant ? NAN : 1 - squares / spread;
}

/* The index of the first number that is not finite; count if all are. */
static size_t find_not_finite(const double *numbers, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(numbers[i]))
        i++;
    return i;
}

enum tulle_status tulle_evaluate_rows(const struct tulle_model *model,
                                      const struct tulle_dataset *dataset, const size_t *order,
                                      size_t count, struct tulle_metrics *metrics,
                                      struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &dataset->info;
    const struct tulle_model_info *info = &model->info;
    size_t targets = info->target_count;
    enum tulle_status status = TULLE_ERROR_MEMORY;
    struct tulle_session *session = NULL;
    struct name_index index = {0};
    uint64_t mode = tulle_float_mode_enter();
    size_t *columns = tulle_calloc(info->input_count + targets, sizeof *columns);
    double *predictions = tulle_calloc(targets, BLOCK * sizeof *predictions);
    if (!columns || !predictions || !tulle_name_index_init(&index, data->names, data->columns) ||
        tulle_session_create(model, &session) != TULLE_OK) {
        tulle_fail_memory(error);
        goto out;
    }
    status = match_columns(data, &index, info->inputs, info->input_count, columns, error);
    if (status == TULLE_OK)
        status =
            match_columns(data, &index, info->targets, targets, columns + info->input_count, error);
    if (status != TULLE_OK)
        goto out;

    memset(metrics, 0, targets * sizeof *metrics);
    for (size_t begin = 0, rows; begin < count; begin += rows) {
        rows = count - begin < BLOCK ? count - begin : BLOCK;
        struct rows block = {.matrix = tulle_f64(data->values, data->rows, data->columns),
                             .order = order + begin,
                             .columns = columns};
        tulle_session_predict_rows(session, block, rows, tulle_f64_out(predictions, rows, targets));
        size_t i = find_not_finite(predictions, rows * targets);
        if (i < rows * targets) {
            status =
                tulle_fail_at(error, TULLE_ERROR_DATA, data->source, 0, 0,
                              "row %zu: the prediction of '%s' is not finite; a value of this row "
                              "must be far outside what the model was trained on",
                              order[begin + i / targets] + 1, info->targets[i % targets].name);
            goto out;
        }
        for (size_t t = 0; t < targets; t++)
            add_errors(&metrics[t], predictions + t, targets, rows, data, order + begin,
                       columns[info->input_count + t], info->targets[t].scale);
    }
    for (size_t t = 0; t < targets; t++)
        finish_metrics(&metrics[t], count, data, order, columns[info->input_count + t],
                       info->targets[t].scale);

out:
    tulle_float_mode_leave(mode);
    tulle_session_free(session);
    tulle_name_index_clear(&index);
    free(predictions);
    free(columns);
    return status;
}

enum tulle_status tulle_evaluate(const tulle_model *model, const tulle_dataset *dataset,
                                 enum tulle_split split, struct tulle_metrics *metrics,
                                 struct tulle_error *error)
{
    const struct tulle_dataset_info *info = &dataset->info;
    size_t count = 0;
    if (!tulle_split_name(split))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown split %d", (int)split);
    if (split != TULLE_SPLIT_ALL && !info->split)
        return tulle_fail_at(error, TULLE_ERROR_ARGUMENT, info->source, 0, 0,
                             "was read without a split column, so it has no %s rows",
                             tulle_split_name(split));
    size_t *order = tulle_calloc(info->rows, sizeof *order);
    if (!order)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < info->rows; i++)
        if (split == TULLE_SPLIT_ALL || info->split[i] == split)
            order[count++] = i;
    enum tulle_status status =
        count == 0 ? tulle_fail_at(error, TULLE_ERROR_DATA, info->source, 0, 0, "has no %s rows",
                                   split == TULLE_SPLIT_ALL ? "data" : tulle_split_name(split))
                   : tulle_evaluate_rows(model, dataset, order, count, metrics, error);
    free(order);
    return status;
}
