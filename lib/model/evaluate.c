/* evaluate.c - measuring a model on a table. */
#include "../base/portability.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "../data/dataset.h"
#include "column_match.h"
#include "evaluate.h"
#include "metrics.h"
#include "output_link.h"
#include "session.h"

/* Of more classes a matrix would be more memory than anybody can look at. */
enum { MOST_CONFUSION_CLASSES = 1000 };

struct measuring {
    const struct tulle_model_info *info;
    const struct tulle_dataset_info *data;
    const struct tulle_evaluation *found;
    struct tulle_session *session;
    struct column_match inputs, targets;
    size_t weight_position; /* SIZE_MAX: every row weighs 1 */
    struct tally *tallies;  /* (targets) */

    /* Rows on their way through the model. */
    size_t block, filled;
    size_t *rows;        /* (block) of the dataset */
    double *x, *y;       /* (block, inputs), (block, targets) */
    double *predictions; /* (block, predictions) */
};

/* --- A block of rows ------------------------------------------------------------------------- */

static enum tulle_status get_weight(const struct measuring *m, size_t row, double *weight,
                                    struct tulle_error *error)
{
    *weight = 1;
    if (m->weight_position == SIZE_MAX)
        return TULLE_OK;
    *weight = m->data->values[row * m->data->columns + m->weight_position];
    if (*weight >= 0)
        return TULLE_OK;
    return tulle_fail_at(error, TULLE_ERROR_DATA, m->data->source, 0, 0,
                         "row %zu: expected a weight of at least 0 in column '%s', got %g", row + 1,
                         m->data->names[m->weight_position], *weight);
}

static int all_finite(const double *numbers, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(numbers[i]))
        i++;
    return i == count;
}

/* Adds row number i of the block to the tallies of the targets that it has. */
static enum tulle_status add_row(struct measuring *m, size_t i, struct tulle_error *error)
{
    const double *predictions = m->predictions + i * m->info->prediction_count;
    double weight;
    enum tulle_status status = get_weight(m, m->rows[i], &weight, error);
    for (size_t t = 0; t < m->info->target_count && status == TULLE_OK; t++) {
        double truth = m->y[i * m->info->target_count + t];
        size_t count = tulle_target_predictions(m->info, t);
        if (isnan(truth))
            ;
        else if (all_finite(predictions, count))
            tulle_tally_add(&m->tallies[t], predictions, truth, weight);
        else
            status =
                tulle_fail_at(error, TULLE_ERROR_DATA, m->data->source, 0, 0,
                              "row %zu: the prediction of '%s' is not finite; a value of this row "
                              "must be far outside what the model was trained on",
                              m->rows[i] + 1, m->info->targets[t].name);
        predictions += count;
    }
    return status;
}

static enum tulle_status measure_block(struct measuring *m, struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    tulle_session_predict(m->session, tulle_f64(m->x, m->filled, m->info->input_count),
                          tulle_f64_out(m->predictions, m->filled, m->info->prediction_count));
    for (size_t i = 0; i < m->filled && status == TULLE_OK; i++)
        status = add_row(m, i, error);
    m->filled = 0;
    return status;
}

/* Puts a row into the block, unless all of its targets are missing. */
static void take_row(struct measuring *m, size_t row)
{
    const double *values = m->data->values + row * m->data->columns;
    double *y = m->y + m->filled * m->info->target_count;
    int is_known = 0;
    tulle_column_match_row(&m->targets, values, y, NULL);
    for (size_t t = 0; t < m->info->target_count; t++)
        is_known |= !isnan(y[t]);
    if (!is_known)
        return;
    tulle_column_match_row(&m->inputs, values, m->x + m->filled * m->info->input_count,
                           m->found->out_of_range);
    m->rows[m->filled++] = row;
}

static enum tulle_status measure_rows(struct measuring *m, const size_t *order, size_t count,
                                      struct tulle_error *error)
{
    enum tulle_status status = TULLE_OK;
    for (size_t i = 0; i < count && status == TULLE_OK; i++) {
        take_row(m, order[i]);
        if (m->filled == m->block)
            status = measure_block(m, error);
    }
    return status == TULLE_OK ? measure_block(m, error) : status;
}

/* --- The model and the table ----------------------------------------------------------------- */

static enum tulle_status find_weights(struct measuring *m, const struct tulle_dataset *dataset,
                                      const char *weight_column, struct tulle_error *error)
{
    m->weight_position = weight_column ? tulle_dataset_find(dataset, weight_column) : SIZE_MAX;
    if (!weight_column)
        return TULLE_OK;
    if (m->weight_position == SIZE_MAX)
        return tulle_fail_no_column(error, m->data->source, weight_column, m->data->names,
                                    m->data->columns);
    if (m->data->levels[m->weight_position].count > 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, m->data->source, 0, 0,
                             "column '%s' holds names; weights must be numbers", weight_column);
    return TULLE_OK;
}

static enum tulle_status match_table(struct measuring *m, struct tulle_error *error)
{
    const struct tulle_dataset_info *data = m->data;
    enum tulle_status status =
        tulle_column_match_init(&m->inputs, m->info->inputs, m->info->input_count, data->source,
                                data->names, data->columns, error);
    if (status == TULLE_OK)
        status = tulle_column_match_init(&m->targets, m->info->targets, m->info->target_count,
                                         data->source, data->names, data->columns, error);
    if (status == TULLE_OK)
        status = tulle_column_match_levels(&m->inputs, data->levels, error);
    if (status == TULLE_OK)
        status = tulle_column_match_levels(&m->targets, data->levels, error);
    return status;
}

static int allocate(struct measuring *m, const struct tulle_model *model, size_t count)
{
    size_t targets = m->info->target_count;
    m->block = tulle_session_block(model);
    m->tallies = tulle_calloc(targets, sizeof *m->tallies);
    m->rows = tulle_calloc(m->block, sizeof *m->rows);
    m->x = tulle_calloc(m->info->input_count, m->block * sizeof *m->x);
    m->y = tulle_calloc(targets, m->block * sizeof *m->y);
    m->predictions = tulle_calloc(m->info->prediction_count, m->block * sizeof *m->predictions);
    if (!m->tallies || !m->rows || !m->x || !m->y || !m->predictions ||
        tulle_session_create(model, &m->session) != TULLE_OK)
        return 0;
    for (size_t t = 0; t < targets; t++)
        if (!tulle_tally_init(&m->tallies[t], m->info, t, count, m->found->confusion))
            return 0;
    return 1;
}

static void clear(struct measuring *m)
{
    for (size_t t = 0; m->tallies && t < m->info->target_count; t++)
        tulle_tally_clear(&m->tallies[t]);
    tulle_column_match_clear(&m->inputs);
    tulle_column_match_clear(&m->targets);
    tulle_session_free(m->session);
    tulle_free(m->tallies);
    tulle_free(m->rows);
    tulle_free(m->x);
    tulle_free(m->y);
    tulle_free(m->predictions);
}

enum tulle_status tulle_evaluate_rows(const struct tulle_model *model,
                                      const struct tulle_dataset *dataset, const size_t *order,
                                      size_t count, const char *weight_column,
                                      const struct tulle_evaluation *found,
                                      struct tulle_error *error)
{
    struct measuring m = {.info = &model->info, .data = &dataset->info, .found = found};
    uint64_t mode = tulle_float_mode_enter();
    enum tulle_status status =
        allocate(&m, model, count) ? match_table(&m, error) : tulle_fail_memory(error);
    if (status == TULLE_OK)
        status = find_weights(&m, dataset, weight_column, error);
    if (status == TULLE_OK)
        status = measure_rows(&m, order, count, error);
    for (size_t t = 0; t < m.info->target_count && status == TULLE_OK; t++)
        tulle_tally_finish(&m.tallies[t], &found->metrics[t]);
    clear(&m);
    tulle_float_mode_leave(mode);
    return status;
}

/* --- The call -------------------------------------------------------------------------------- */

/* *order = the numbers of the split's rows. */
static enum tulle_status list_rows(const struct tulle_dataset_info *info, enum tulle_split split,
                                   size_t **order, size_t *count, struct tulle_error *error)
{
    if (!tulle_split_name(split))
        return tulle_fail(error, TULLE_ERROR_ARGUMENT, "unknown split %d", (int)split);
    if (split != TULLE_SPLIT_ALL && !info->split)
        return tulle_fail_at(error, TULLE_ERROR_ARGUMENT, info->source, 0, 0,
                             "was read without a split column, so it has no %s rows",
                             tulle_split_name(split));
    *order = tulle_calloc(info->rows, sizeof **order);
    if (!*order)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < info->rows; i++)
        if (split == TULLE_SPLIT_ALL || info->split[i] == split)
            (*order)[(*count)++] = i;
    if (*count == 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, info->source, 0, 0, "has no %s rows",
                             tulle_split_name(split));
    return TULLE_OK;
}

static struct tulle_evaluation *new_evaluation(const struct tulle_model_info *info)
{
    struct tulle_evaluation *e = tulle_calloc(1, sizeof *e);
    if (!e)
        return NULL;
    size_t classes = info->targets[0].levels.count;
    int has_confusion = tulle_is_of_classes(info->loss) && info->target_count == 1 &&
                        classes <= MOST_CONFUSION_CLASSES;
    e->metrics = tulle_calloc(info->target_count, sizeof *e->metrics);
    e->out_of_range = tulle_calloc(info->input_count, sizeof *e->out_of_range);
    if (has_confusion) {
        e->classes = classes;
        e->confusion = tulle_calloc(classes * classes, sizeof *e->confusion);
    }
    if (e->metrics && e->out_of_range && (e->confusion || !has_confusion))
        return e;
    tulle_evaluation_free(e);
    return NULL;
}

/* Whether there was anything to measure. Of rows that weigh anything there is a mean error or a log
 * loss. */
static enum tulle_status check_found(const struct tulle_model_info *info, const char *source,
                                     const struct tulle_evaluation *found,
                                     const char *weight_column, struct tulle_error *error)
{
    size_t rows = 0;
    int weigh = !weight_column;
    for (size_t t = 0; t < info->target_count; t++) {
        const struct tulle_metrics *metrics = &found->metrics[t];
        rows += metrics->rows;
        weigh |= !isnan(metrics->value[TULLE_METRIC_MAE]) ||
                 !isnan(metrics->value[TULLE_METRIC_LOG_LOSS]);
    }
    if (rows == 0)
        return tulle_fail_at(error, TULLE_ERROR_DATA, source, 0, 0,
                             "has no rows in which '%s' is not missing", info->targets[0].name);
    if (!weigh)
        return tulle_fail_at(error, TULLE_ERROR_DATA, source, 0, 0,
                             "the weights in column '%s' are all 0", weight_column);
    return TULLE_OK;
}

enum tulle_status tulle_evaluate(const tulle_model *model, const tulle_dataset *dataset,
                                 enum tulle_split split, const char *weight_column,
                                 struct tulle_evaluation **evaluation, struct tulle_error *error)
{
    size_t *order = NULL, count = 0;
    struct tulle_evaluation *found = NULL;
    *evaluation = NULL;
    enum tulle_status status = list_rows(&dataset->info, split, &order, &count, error);
    if (status != TULLE_OK)
        goto out;
    found = new_evaluation(&model->info);
    if (!found) {
        status = tulle_fail_memory(error);
        goto out;
    }
    status = tulle_evaluate_rows(model, dataset, order, count, weight_column, found, error);
    if (status == TULLE_OK)
        status = check_found(&model->info, dataset->info.source, found, weight_column, error);
    if (status == TULLE_OK) {
        *evaluation = found;
        found = NULL;
    }
out:
    tulle_evaluation_free(found);
    tulle_free(order);
    return status;
}

void tulle_evaluation_free(struct tulle_evaluation *evaluation)
{
    if (!evaluation)
        return;
    tulle_free(evaluation->metrics);
    tulle_free(evaluation->confusion);
    tulle_free(evaluation->out_of_range);
    tulle_free(evaluation);
}
