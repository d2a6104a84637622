/* session.c - one thread's memory for predicting with a model. */
#include "../base/portability.h"

#include <stdlib.h>

#include "../base/memory.h"
#include "../net/propagate.h"
#include "model.h"
#include "session.h"

/* Rows that go through the network at a time. */
enum { BLOCK = 128 };

struct tulle_session {
    const struct tulle_model *model;
    const struct kernels *kernels;
    struct workspace workspace;
};

enum tulle_status tulle_session_create(const tulle_model *model, tulle_session **session)
{
    *session = NULL;
    struct tulle_session *s = tulle_calloc(1, sizeof *s);
    if (!s)
        return TULLE_ERROR_MEMORY;
    s->model = model;
    s->kernels = tulle_kernels(model->network.precision);
    if (tulle_workspace_init(&s->workspace, &model->network, BLOCK, 0) != TULLE_OK) {
        free(s);
        return TULLE_ERROR_MEMORY;
    }
    *session = s;
    return TULLE_OK;
}

void tulle_session_free(tulle_session *session)
{
    if (!session)
        return;
    tulle_workspace_clear(&session->workspace);
    free(session);
}

void tulle_session_predict_rows(struct tulle_session *session, struct rows rows, size_t count,
                                struct tulle_matrix_out out)
{
    const struct tulle_model *model = session->model;
    rows.scaling = model->info.inputs;
    struct pass pass = {.network = &model->network,
                        .kernels = session->kernels,
                        .workspace = &session->workspace,
                        .parameters = model->parameters,
                        .x = rows};
    for (size_t begin = 0, end; begin < count; begin = end) {
        end = count - begin > BLOCK ? begin + BLOCK : count;
        tulle_pass_predict(&pass, NULL, begin, end, out, model->info.targets);
    }
}

enum tulle_status tulle_session_predict(tulle_session *session, struct tulle_matrix x,
                                        struct tulle_matrix_out out)
{
    const struct tulle_model_info *info = &session->model->info;
    struct tulle_matrix o = {out.data, out.type, out.rows, out.columns, out.stride};
    if (!tulle_matrix_is_valid(x, info->input_count) ||
        !tulle_matrix_is_valid(o, info->target_count) || x.rows != out.rows)
        return TULLE_ERROR_ARGUMENT;
    struct rows rows = {.matrix = x};
    tulle_session_predict_rows(session, rows, x.rows, out);
    return TULLE_OK;
}
