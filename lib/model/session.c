/* session.c - memory, and threads if there are to be several, for predicting with a model. */
#include "../base/portability.h"

#include <stdint.h>
#include <stdlib.h>

#include "../base/cpu.h"
#include "../base/memory.h"
#include "../net/propagate.h"
#include "model.h"
#include "session.h"

struct tulle_session {
    const struct tulle_model *model;
    const struct kernels *kernels;
    struct pool *pool; /* NULL: the caller's thread alone */
    struct workspace workspace;
};

static enum tulle_status make_workspace(const struct tulle_session *session, unsigned threads,
                                        struct workspace *workspace)
{
    return tulle_workspace_init(workspace, &session->model->network, session->kernels, SIZE_MAX,
                                threads, 0);
}

enum tulle_status tulle_session_create(const tulle_model *model, tulle_session **session)
{
    *session = NULL;
    struct tulle_session *s = tulle_calloc(1, sizeof *s);
    if (!s)
        return TULLE_ERROR_MEMORY;
    s->model = model;
    s->kernels = tulle_kernels(model->network.precision);
    if (make_workspace(s, 1, &s->workspace) != TULLE_OK) {
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
    tulle_pool_free(session->pool);
    tulle_workspace_clear(&session->workspace);
    free(session);
}

enum tulle_status tulle_session_set_threads(tulle_session *session, unsigned threads)
{
    struct workspace workspace;
    struct pool *pool = tulle_pool_create(tulle_cpu_limit(threads));
    if (!pool)
        return TULLE_ERROR_MEMORY;
    if (make_workspace(session, tulle_pool_threads(pool), &workspace) != TULLE_OK) {
        tulle_pool_free(pool);
        return TULLE_ERROR_MEMORY;
    }
    tulle_pool_adapt(pool);
    tulle_pool_free(session->pool);
    tulle_workspace_clear(&session->workspace);
    session->pool = pool;
    session->workspace = workspace;
    return TULLE_OK;
}

void tulle_session_predict_rows(struct tulle_session *session, struct rows rows, size_t count,
                                struct tulle_matrix_out out)
{
    const struct tulle_model *model = session->model;
    rows.mean = model->input_means;
    rows.scale = model->input_scales;
    struct pass pass = {.network = &model->network,
                        .kernels = session->kernels,
                        .workspace = &session->workspace,
                        .parameters = model->parameters,
                        .x = rows};
    tulle_pass_predict(&pass, session->pool, 0, count, out, model->info.targets);
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
