/* evaluate.c - measuring a model on a table. */
#include "../base/portability.h"

#include <math.h>
#include <stdlib.h>

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

/*
 * One target's metrics from count predictions, `stride` apart. Errors are added up in units of the
 * target's scale, so that their squares do not overflow where the target itself does not.
 */
static struct tulle_metrics measure(const double *predictions, size_t stride, size_t count,
                                    const struct tulle_dataset_info *info, const size_t *order,
                                    size_t column, double scale)
{
    double squares = 0, absolutes = 0, mean = 0, spread = 0;
    for (size_t i = 0; i < count; i++) {
        double y = info->values[order[i] * info->columns + column];
        double error = (predictions[i * stride] - y) / scale;
        squares += error * error;
        absolutes += fabs(error);
        mean += y / scale / (double)count;
    }
    int constant = 1;
    for (size_t i = 0; i < count; i++) {
        double y = info->values[order[i] * info->columns + column];
        double deviation = y / scale - mean;
        spread += deviation * deviation;
        constant &= y == info->values[order[0] * info->columns + column];
    }
    struct tulle_metrics metrics = {.rows = count,
                                    .rmse = sqrt(squares / (double)count) * scale,
                                    .mae = absolutes / (double)count * scale,
                                    .r2 = constant ? NAN : 1 - squares / spread};
    return metrics;
}

enum tulle_status tulle_evaluate_rows(const struct tulle_model *model,
                                      const struct tulle_dataset *dataset, const size_t *order,
                                      size_t count, struct tulle_metrics *metrics,
                                      struct tulle_error *error)
{
    const struct tulle_dataset_info *data = &dataset->info;
    const struct tulle_model_info *info = &model->info;
    size_t targets = info->target_count, size;
    enum tulle_status status = TULLE_ERROR_MEMORY;
    struct tulle_session *session = NULL;
    struct name_index index = {0};
    size_t *columns = tulle_calloc(info->input_count + targets, sizeof *columns);
    double *predictions =
        tulle_multiply(count, targets, &size) ? tulle_calloc(size, sizeof *predictions) : NULL;
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

    struct rows rows = {.matrix = tulle_f64(data->values, data->rows, data->columns),
                        .order = order,
                        .columns = columns};
    tulle_session_predict_rows(session, rows, count, tulle_f64_out(predictions, count, targets));
    for (size_t i = 0; i < count * targets; i++)
        if (!isfinite(predictions[i])) {
            status =
                tulle_fail_at(error, TULLE_ERROR_DATA, data->source, 0, 0,
                              "row %zu: the prediction of '%s' is not finite; a value of this row "
                              "must be far outside what the model was trained on",
                              order[i / targets] + 1, info->targets[i % targets].name);
            goto out;
        }
    for (size_t t = 0; t < targets; t++)
        metrics[t] = measure(predictions + t, targets, count, data, order,
                             columns[info->input_count + t], info->targets[t].scale);

out:
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
