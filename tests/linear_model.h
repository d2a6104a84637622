/* linear_model.h - models whose predictions a test can know: one layer of identity units. */
#ifndef TULLE_LINEAR_MODEL_H
#define TULLE_LINEAR_MODEL_H

#include "../lib/model/model.h"

/* A column of numbers that enters and leaves as it is; -10..10 in training. */
static inline struct tulle_column number_column(const char *name)
{
    return (struct tulle_column){.name = name, .scale = 1, .minimum = -10, .maximum = 10};
}

static inline struct tulle_column level_column(const char *name, const char *const *levels,
                                               size_t count)
{
    return (struct tulle_column){.name = name, .scale = 1, .levels = {levels, count}};
}

/* Of the info the columns, the loss and its parameters are the caller's; weights are (outputs,
 * numbers that the inputs become). */
static inline struct tulle_model *linear_model(struct tulle_model_info info, size_t outputs,
                                               const double *weights)
{
    const struct tulle_layer layer = {outputs, TULLE_ACTIVATION_IDENTITY, 0, 0};
    struct tulle_model *model;
    struct tulle_error error = {0};
    int is_class =
        info.loss == TULLE_LOSS_CROSS_ENTROPY || info.loss == TULLE_LOSS_BINARY_CROSS_ENTROPY;
    info.precision = TULLE_F64;
    info.task = is_class ? TULLE_TASK_CLASSIFICATION : TULLE_TASK_REGRESSION;
    info.layers = &layer;
    info.layer_count = 1;
    info.batch_size = info.epochs = 1;
    info.huber_delta = 1;
    if (tulle_model_create(&info, &model, &error) != TULLE_OK)
        fail_msg("%s", error.message);
    tulle_arena_set_layer(&model->network, model->parameters, 0, weights, NULL);
    return model;
}

#endif
