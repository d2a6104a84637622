/* session.c - memory, and threads if there are to be several, for predicting with a model. */
#include "../base/portability.h"

#include <stdint.h>

#include "../base/cpu.h"
#include "../base/memory.h"
#include "../net/propagate.h"
#include "output_link.h"
#include "session.h"

struct tulle_session {
    const struct tulle_model *model;
    const struct kernels *kernels;
    struct pool *pool; /* NULL: the caller's thread alone */
    struct workspace workspace;
    struct row_encoder rows; /* of the user's: the model's inputs in the model's order */
    struct model_link link;
};

static enum tulle_status make_workspace(const struct tulle_session *session, unsigned threads,
                                        struct workspace *workspace)
{
    const struct workspace_use use = {.samples = SIZE_MAX, .threads = threads};
    return tulle_workspace_init(workspace, &session->model->network, session->kernels, &use);
}

enum tulle_status tulle_session_create(const tulle_model *model, tulle_session **session)
{
    *session = NULL;
    struct tulle_session *s = tulle_calloc(1, sizeof *s);
    if (!s)
        return TULLE_ERROR_MEMORY;
    s->model = model;
    s->kernels = tulle_kernels(model->network.precision);
    s->rows.encoder = &model->encoder;
    s->link = (struct model_link){&model->info, tulle_kernels(TULLE_F64)};
    if (make_workspace(s, 1, &s->workspace) != TULLE_OK) {
        tulle_free(s);
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
    tulle_free(session);
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

size_t tulle_session_block(const struct tulle_model *model)
{
    enum { NUMBERS = 1 << 20, FEWEST = 144, MOST = 1024 };
    size_t rows = NUMBERS / (model->info.input_count + model->info.prediction_count);
    return rows < FEWEST ? FEWEST : rows > MOST ? MOST : rows;
}

/* Rows of nothing but scaled numbers go by a shorter way, which the kernels know. */
static struct rows rows_of(const struct tulle_session *session, struct tulle_matrix x)
{
    const struct encoder *encoder = &session->model->encoder;
    if (encoder->is_linear)
        return (struct rows){.matrix = x,
                             .mean = encoder->is_identity ? NULL : encoder->means,
                             .scale = encoder->is_identity ? NULL : encoder->scales,
                             .missing_is_0 = 1};
    return (struct rows){.matrix = x, .encode = tulle_encode_inputs, .context = &session->rows};
}

enum tulle_status tulle_session_predict(tulle_session *session, struct tulle_matrix x,
                                        struct tulle_matrix_out out)
{
    const struct tulle_model *model = session->model;
    struct tulle_matrix o = {out.data, out.type, out.rows, out.columns, out.stride};
    if (!tulle_matrix_is_valid(x, model->info.input_count) ||
        !tulle_matrix_is_valid(o, model->info.prediction_count) || x.rows != out.rows)
        return TULLE_ERROR_ARGUMENT;
    const struct output_link link = tulle_model_link(&session->link);
    const struct pass pass = {.network = &model->network,
                              .kernels = session->kernels,
                              .workspace = &session->workspace,
                              .parameters = model->parameters,
                              .x = rows_of(session, x)};
    tulle_pass_predict(&pass, session->pool, 0, x.rows, out, &link);
    return TULLE_OK;
}
