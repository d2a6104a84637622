/* tulle_peer.c - Tulle, for compare.py. THREADS=N in the environment: at most that many. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include "../../include/tulle.h"

static tulle_trainer *trainer;
static tulle_model *model;
static tulle_session *session;
static struct tulle_matrix x, y;
static struct tulle_matrix_out out;
static size_t at; /* the row that is next */

static const char *peer_version(void)
{
    static char text[160];
    char build[128];
    tulle_build_info(build, sizeof build);
    snprintf(text, sizeof text, "%s (%.*s)", tulle_version(), (int)strcspn(build, ";"), build);
    return text;
}

static void *numbers(enum tulle_type type, size_t count)
{
    void *array = peer_allocate(count, type == TULLE_F32 ? sizeof(float) : sizeof(double));
    for (size_t i = 0; i < count; i++) {
        if (type == TULLE_F32)
            ((float *)array)[i] = (float)peer_random();
        else
            ((double *)array)[i] = peer_random();
    }
    return array;
}

static void step(void)
{
    if (tulle_trainer_step(trainer, x, y, NULL) != TULLE_OK)
        exit(1);
}

static void batch(void)
{
    if (tulle_session_predict(session, x, out) != TULLE_OK)
        exit(1);
}

static void row(void)
{
    size_t size = x.type == TULLE_F32 ? sizeof(float) : sizeof(double);
    const struct tulle_matrix one = {(const char *)x.data + at * INPUTS * size, x.type, 1, INPUTS,
                                     0};
    const struct tulle_matrix_out place = {out.data, x.type, 1, OUTPUTS, 0};
    at = (at + 1) % x.rows;
    if (tulle_session_predict(session, one, place) != TULLE_OK)
        exit(1);
}

static void release(void)
{
    tulle_session_free(session);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
    free((void *)x.data);
    free((void *)y.data);
    free(out.data);
}

static peer_run *peer_prepare(const struct task *task)
{
    static const struct tulle_layer layers[] = {{HIDDEN_1, TULLE_ACTIVATION_RELU},
                                                {HIDDEN_2, TULLE_ACTIVATION_RELU},
                                                {OUTPUTS, TULLE_ACTIVATION_IDENTITY}};
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    int one = strcmp(task->name, "row") == 0;
    size_t rows = one ? 512 : task->rows;
    const char *threads = getenv("THREADS");
    enum tulle_type type = strcmp(task->precision, "f64") == 0 ? TULLE_F64 : TULLE_F32;
    release();
    x = (struct tulle_matrix){numbers(type, rows * INPUTS), type, rows, INPUTS, 0};
    y = (struct tulle_matrix){numbers(type, rows * OUTPUTS), type, rows, OUTPUTS, 0};
    out = (struct tulle_matrix_out){numbers(type, rows * OUTPUTS), type, rows, OUTPUTS, 0};
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = 3;
    options.precision = type;
    options.batch_size = rows;
    options.learning_rate = LEARNING_RATE;
    options.threads = threads ? (unsigned)atoi(threads) : 0;
    if (tulle_trainer_create(&options, &trainer, NULL) != TULLE_OK ||
        tulle_trainer_model(trainer, &model) != TULLE_OK ||
        tulle_session_create(model, &session) != TULLE_OK ||
        tulle_session_set_threads(session, options.threads) != TULLE_OK)
        exit(1);
    at = 0;
    return one ? row : strcmp(task->name, "step") == 0 ? step : batch;
}
