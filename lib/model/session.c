/* session.c - memory, and threads if there are to be several, for predicting with a model, and for
 * the gradients of predictions. */
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
    struct workspace back;   /* for gradients; empty until there are any */
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
    tulle_workspace_clear(&session->back);
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
    tulle_workspace_clear(&session->back);
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

static struct tulle_matrix as_input(struct tulle_matrix_out out)
{
    return (struct tulle_matrix){out.data, out.type, out.rows, out.columns, out.stride};
}

enum tulle_status tulle_session_predict(tulle_session *session, struct tulle_matrix x,
                                        struct tulle_matrix_out out)
{
    const struct tulle_model *model = session->model;
    if (!tulle_matrix_is_valid(x, model->info.input_count) ||
        !tulle_matrix_is_valid(as_input(out), model->info.prediction_count) || x.rows != out.rows)
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

/* --- Gradients -------------------------------------------------------------------------------- */

static void enter_gradient(const void *context, const void *dy, enum tulle_type type,
                           double *outputs, double *room)
{
    const struct tulle_session *session = context;
    tulle_model_link_gradient(&session->link, dy, type, outputs, room);
}

static void leave_gradient(const void *context, const void *x, enum tulle_type type,
                           const double *gradient, void *dx, enum tulle_type dx_type)
{
    const struct tulle_session *session = context;
    tulle_encode_gradient(&session->rows, x, type, gradient, dx, dx_type);
}

/* A workspace that a prediction has no use for. */
static enum tulle_status reserve_back(struct tulle_session *session)
{
    const struct network *network = &session->model->network;
    const struct workspace_use use = {.samples = SIZE_MAX,
                                      .threads =
                                          session->pool ? tulle_pool_threads(session->pool) : 1,
                                      .is_training = 1,
                                      .targets = network->outputs,
                                      .makes_no_steps = 1};
    return session->back.capacity > 0
               ? TULLE_OK
               : tulle_workspace_init(&session->back, network, session->kernels, &use);
}

enum tulle_status tulle_session_input_gradient(tulle_session *session, struct tulle_matrix x,
                                               struct tulle_matrix dy, struct tulle_matrix_out dx)
{
    const struct tulle_model *model = session->model;
    if (!tulle_matrix_is_valid(x, model->info.input_count) ||
        !tulle_matrix_is_valid(dy, model->info.prediction_count) ||
        !tulle_matrix_is_valid(as_input(dx), model->info.input_count) || x.rows != dy.rows ||
        x.rows != dx.rows)
        return TULLE_ERROR_ARGUMENT;
    if (reserve_back(session) != TULLE_OK)
        return TULLE_ERROR_MEMORY;
    const struct gradient_link link = {enter_gradient, leave_gradient, session};
    const struct pass pass = {.network = &model->network,
                              .kernels = session->kernels,
                              .workspace = &session->back,
                              .parameters = model->parameters,
                              .x = rows_of(session, x),
                              .y = {.matrix = dy}};
    tulle_pass_input_gradient(&pass, session->pool, 0, x.rows, dx, &link);
    return TULLE_OK;
}
