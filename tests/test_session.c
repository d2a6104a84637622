/* test_session.c - predictions: the same bits however rows are grouped, and the right ones. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/model/session.h"
#include "net_support.h"

enum { INPUTS = 5, OUTPUTS = 3, ROWS = 301 };

static const double tolerances[] = {[TULLE_F32] = 1e-5, [TULLE_F64] = 1e-12};

/* A model of INPUTS -> 33 -> 18 -> OUTPUTS with random biases, and all that it predicts. */
struct fixture {
    tulle_trainer *trainer;
    struct naive net;
    tulle_model *model;
    tulle_session *session;
    double *x;   /* (ROWS, INPUTS) */
    double *out; /* (ROWS, OUTPUTS), predicted in one call */
};

static struct tulle_matrix rows_of(const struct fixture *f, size_t first, size_t count)
{
    return tulle_f64(f->x + first * INPUTS, count, INPUTS);
}

static void predict(tulle_session *session, struct tulle_matrix x, struct tulle_matrix_out out)
{
    assert_int_equal(tulle_session_predict(session, x, out), TULLE_OK);
}

static void set_up(struct fixture *f, enum tulle_type precision, enum tulle_activation hidden,
                   enum tulle_activation output)
{
    const struct tulle_layer layers[] = {
        {33, hidden, 0, 0}, {18, hidden, 0, 0}, {OUTPUTS, output, 0, 0}};
    struct tulle_trainer_options options = network_options(INPUTS, layers, 3, precision);
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 2);
    options.batch_size = 7;
    f->trainer = new_trainer(&options);
    f->net = naive_of(f->trainer, &options);
    randomize_biases(f->trainer, &f->net, &rng);
    f->model = new_model(f->trainer);
    f->session = new_session(f->model);
    f->x = new_values(&rng, ROWS * INPUTS);
    f->out = new_values(&rng, ROWS * OUTPUTS);
    predict(f->session, rows_of(f, 0, ROWS), tulle_f64_out(f->out, ROWS, OUTPUTS));
}

static void clear(struct fixture *f)
{
    tulle_session_free(f->session);
    tulle_model_free(f->model);
    tulle_trainer_free(f->trainer);
    naive_free(&f->net);
    free(f->x);
    free(f->out);
}

/* Calls check for models of both precisions and all activations. */
static void for_all_models(void (*check)(struct fixture *f, enum tulle_type precision))
{
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++)
        for (int a = 0; a < ACTIVATIONS; a++)
            for (int output = 0; output <= a; output += a ? a : 1) { /* identity, and a */
                struct fixture f;
                set_up(&f, precision, a, output);
                check(&f, precision);
                clear(&f);
            }
}

/* Rows of many columns are taken fewer at a time. */
static void test_block(void **state)
{
    static const struct {
        size_t inputs, rows;
    } cases[] = {{10, 1024}, {2047, 512}, {20000, 144}};
    const struct tulle_layer layer = {1, TULLE_ACTIVATION_IDENTITY, 0, 0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tulle_trainer_options options =
            network_options(cases[i].inputs, &layer, 1, TULLE_F32);
        tulle_trainer *trainer = new_trainer(&options);
        tulle_model *model = new_model(trainer);
        assert_int_equal(tulle_session_block(model), cases[i].rows);
        tulle_model_free(model);
        tulle_trainer_free(trainer);
    }
}

/* --- The right numbers ----------------------------------------------------------------------- */

static void check_values(struct fixture *f, enum tulle_type precision)
{
    double expected[ROWS * OUTPUTS], trained[ROWS * OUTPUTS];
    for (size_t r = 0; r < ROWS; r++)
        memcpy(expected + r * OUTPUTS, naive_forward(&f->net, f->x + r * INPUTS),
               OUTPUTS * sizeof *expected);
    assert_true(difference(f->out, expected, ROWS * OUTPUTS) <= tolerances[precision]);

    assert_int_equal(tulle_trainer_predict(f->trainer, rows_of(f, 0, ROWS),
                                           tulle_f64_out(trained, ROWS, OUTPUTS)),
                     TULLE_OK);
    assert_true(difference(f->out, trained, ROWS * OUTPUTS) == 0);
}

static void test_values(void **state)
{
    (void)state;
    for_all_models(check_values);
}

/* --- The same bits --------------------------------------------------------------------------- */

/* Predicts the rows in groups of `group`, beginning at `first`. */
static void assert_same_in_groups(struct fixture *f, size_t first, size_t group)
{
    double out[ROWS * OUTPUTS];
    for (size_t r = first; r < ROWS; r += group) {
        size_t count = ROWS - r < group ? ROWS - r : group;
        predict(f->session, rows_of(f, r, count), tulle_f64_out(out, count, OUTPUTS));
        assert_memory_equal(out, f->out + r * OUTPUTS, count * OUTPUTS * sizeof *out);
    }
}

static void check_groups(struct fixture *f, enum tulle_type precision)
{
    static const size_t groups[] = {1, 2, 3, 4, 5, 8, 13, 16, 17, 31, 64, 65, 127, 128, 300};
    (void)precision;
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        assert_same_in_groups(f, 0, groups[g]);
        assert_same_in_groups(f, 1 + g, groups[g]);
    }
}

static void test_groups(void **state)
{
    (void)state;
    for_all_models(check_groups);
}

/* Type and stride of x do not matter; out may have either type and any stride, and what lies
 * between its rows is left alone. */
static void check_views(struct fixture *f, enum tulle_type precision)
{
    enum { X_STRIDE = INPUTS + 2, OUT_STRIDE = OUTPUTS + 4 };
    static double wide_x[ROWS * X_STRIDE], wide_out[ROWS * OUT_STRIDE];
    static float out_f32[ROWS * OUTPUTS];
    static double out[ROWS * OUTPUTS];
    float *x_f32 = new_floats(f->x, ROWS * INPUTS);
    struct tulle_matrix strided_x = tulle_f64(wide_x, ROWS, INPUTS);
    struct tulle_matrix_out strided_out = tulle_f64_out(wide_out, ROWS, OUTPUTS);
    strided_x.stride = X_STRIDE;
    strided_out.stride = OUT_STRIDE;
    for (size_t i = 0; i < ROWS * X_STRIDE; i++)
        wide_x[i] = i % X_STRIDE < INPUTS ? f->x[i / X_STRIDE * INPUTS + i % X_STRIDE] : NAN;
    for (size_t i = 0; i < ROWS * OUT_STRIDE; i++)
        wide_out[i] = -77;

    predict(f->session, tulle_f32(x_f32, ROWS, INPUTS), tulle_f64_out(out, ROWS, OUTPUTS));
    assert_memory_equal(out, f->out, sizeof out);
    predict(f->session, strided_x, strided_out);
    for (size_t i = 0; i < ROWS * OUT_STRIDE; i++)
        assert_true(
            wide_out[i] ==
            (i % OUT_STRIDE < OUTPUTS ? f->out[i / OUT_STRIDE * OUTPUTS + i % OUT_STRIDE] : -77));
    predict(f->session, rows_of(f, 0, ROWS), tulle_f32_out(out_f32, ROWS, OUTPUTS));
    for (size_t i = 0; i < ROWS * OUTPUTS; i++) {
        assert_true(out_f32[i] == (float)f->out[i]);
        if (precision == TULLE_F32)
            assert_true((double)(float)f->out[i] == f->out[i]); /* rounded to the precision */
    }
    strided_x = rows_of(f, 0, ROWS);
    strided_out = tulle_f64_out(out, ROWS, OUTPUTS);
    strided_x.stride = strided_out.stride = 0;
    predict(f->session, strided_x, strided_out);
    assert_memory_equal(out, f->out, sizeof out);
    free(x_f32);
}

static void test_views(void **state)
{
    (void)state;
    for_all_models(check_views);
}

static void test_no_rows(void **state)
{
    struct fixture f;
    double nothing;
    (void)state;
    set_up(&f, TULLE_F32, TULLE_ACTIVATION_RELU, TULLE_ACTIVATION_IDENTITY);
    predict(f.session, rows_of(&f, 0, 0), tulle_f64_out(&nothing, 0, OUTPUTS));
    assert_int_equal(
        tulle_session_predict(f.session, rows_of(&f, 0, 2), tulle_f64_out(f.out, 1, OUTPUTS)),
        TULLE_ERROR_ARGUMENT);
    clear(&f);
}

/* --- Threads --------------------------------------------------------------------------------- */

struct worker {
    const struct fixture *fixture;
    size_t group;
    int failed;
};

/* Assertions of cmocka belong to the main thread: this one reports. */
static void *work(void *argument)
{
    struct worker *worker = argument;
    const struct fixture *f = worker->fixture;
    tulle_session *session;
    double out[ROWS * OUTPUTS];
    worker->failed = 1;
    if (tulle_session_create(f->model, &session) != TULLE_OK)
        return NULL;
    for (int round = 0; round < 20; round++)
        for (size_t r = 0; r < ROWS; r += worker->group) {
            size_t count = ROWS - r < worker->group ? ROWS - r : worker->group;
            if (tulle_session_predict(session, rows_of(f, r, count),
                                      tulle_f64_out(out, count, OUTPUTS)) != TULLE_OK ||
                memcmp(out, f->out + r * OUTPUTS, count * OUTPUTS * sizeof *out))
                goto out;
        }
    worker->failed = 0;
out:
    tulle_session_free(session);
    return NULL;
}

static void test_sessions_share_a_model(void **state)
{
    enum { WORKERS = 3 };
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct fixture f;
        pthread_t threads[WORKERS];
        struct worker workers[WORKERS];
        set_up(&f, precision, TULLE_ACTIVATION_TANH, TULLE_ACTIVATION_LOGISTIC);
        for (int i = 0; i < WORKERS; i++) {
            workers[i] = (struct worker){&f, (size_t)(1 + 20 * i), 0};
            assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
        }
        for (int i = 0; i < WORKERS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        for (int i = 0; i < WORKERS; i++)
            assert_false(workers[i].failed);
        clear(&f);
    }
}

/* --- Activations, through a network of one unit with weight 1 and bias 0 ---------------------- */

struct function {
    tulle_model *model;
    tulle_session *session;
};

static struct function function_of(enum tulle_activation activation, enum tulle_type precision)
{
    const struct tulle_layer layer = {1, activation, 0, 0};
    const double one = 1;
    struct tulle_trainer_options options = network_options(1, &layer, 1, precision);
    struct function function;
    tulle_trainer *trainer = new_trainer(&options);
    assert_int_equal(tulle_trainer_set_parameters(trainer, 0, &one, NULL), TULLE_OK);
    function.model = new_model(trainer);
    function.session = new_session(function.model);
    tulle_trainer_free(trainer);
    return function;
}

static void function_free(struct function function)
{
    tulle_session_free(function.session);
    tulle_model_free(function.model);
}

static void evaluate(struct function function, const double *z, double *out, size_t count)
{
    predict(function.session, tulle_f64(z, count, 1), tulle_f64_out(out, count, 1));
}

static double exact(enum tulle_activation activation, double z)
{
    return activation == TULLE_ACTIVATION_TANH ? tanh(z) : 1 / (1 + exp(-z));
}

/* The distance in units in the last place of `expected`, in the precision. Near its smallest normal
 * number a function may stop there or go down to zero. */
static double ulps(double found, double expected, enum tulle_type precision)
{
    int digits = precision == TULLE_F64 ? DBL_MANT_DIG : FLT_MANT_DIG, exponent;
    double smallest = precision == TULLE_F64 ? DBL_MIN : FLT_MIN;
    if (!isfinite(found))
        return INFINITY;
    if (fabs(expected) < 2 * smallest)
        return fabs(found) <= 2 * smallest && found * expected >= 0 ? 0 : INFINITY;
    frexp(expected, &exponent);
    return fabs(found - expected) / ldexp(1, exponent - digits);
}

/* Arguments of all sizes: a dense sweep of [-limit, limit], and powers of two down to the smallest,
 * each in the precision. Returns how many. */
static size_t arguments(double *z, size_t count, double limit, enum tulle_type precision)
{
    int least = precision == TULLE_F64 ? DBL_MIN_EXP : FLT_MIN_EXP;
    size_t n = 0;
    for (int e = 4; e >= least; e--)
        for (int s = -1; s <= 1; s += 2)
            z[n++] = s * ldexp(1.37, e - 1);
    for (size_t i = 0, rest = count - n; i < rest; i++)
        z[n++] = -limit + 2 * limit * (double)i / (double)(rest - 1);
    if (precision == TULLE_F32)
        for (size_t i = 0; i < n; i++)
            z[i] = (float)z[i];
    return n;
}

static void test_accuracy(void **state)
{
    enum { COUNT = 200000 };
    static const struct {
        enum tulle_activation activation;
        enum tulle_type precision;
        double limit;
    } sweeps[] = {
        {TULLE_ACTIVATION_TANH, TULLE_F32, 12},      {TULLE_ACTIVATION_TANH, TULLE_F32, 1},
        {TULLE_ACTIVATION_TANH, TULLE_F64, 24},      {TULLE_ACTIVATION_TANH, TULLE_F64, 1},
        {TULLE_ACTIVATION_LOGISTIC, TULLE_F32, 110}, {TULLE_ACTIVATION_LOGISTIC, TULLE_F32, 2},
        {TULLE_ACTIVATION_LOGISTIC, TULLE_F64, 760}, {TULLE_ACTIVATION_LOGISTIC, TULLE_F64, 2},
    };
    double *z = malloc(COUNT * sizeof *z), *out = malloc(COUNT * sizeof *out);
    (void)state;
    assert_true(z && out);
    for (size_t s = 0; s < sizeof sweeps / sizeof sweeps[0]; s++) {
        struct function function = function_of(sweeps[s].activation, sweeps[s].precision);
        size_t n = arguments(z, COUNT, sweeps[s].limit, sweeps[s].precision);
        double worst = 0, where = 0;
        evaluate(function, z, out, n);
        for (size_t i = 0; i < n; i++) {
            double distance = ulps(out[i], exact(sweeps[s].activation, z[i]), sweeps[s].precision);
            assert_true(fabs(out[i]) <= 1);
            if (!(distance <= worst)) {
                worst = distance;
                where = z[i];
            }
        }
        if (!(worst <= 4))
            fail_msg("%s in %s is %.3g units in the last place off at %.17g",
                     tulle_activation_name(sweeps[s].activation),
                     tulle_type_name(sweeps[s].precision), worst, where);
        function_free(function);
    }
    free(z);
    free(out);
}

static void test_extremes(void **state)
{
    static const double z[] = {0.0, -0.0, 1e-300, -1e-300, 1000, -1000, 1e30, -1e30};
    static const double tanhs[] = {0, 0, 1e-300, -1e-300, 1, -1, 1, -1};
    static const double logistics[] = {0.5, 0.5, 0.5, 0.5, 1, 0, 1, 0};
    enum { COUNT = sizeof z / sizeof z[0] };
    (void)state;
    for (int precision = TULLE_F32; precision <= TULLE_F64; precision++) {
        struct function hyperbolic = function_of(TULLE_ACTIVATION_TANH, precision);
        struct function logistic = function_of(TULLE_ACTIVATION_LOGISTIC, precision);
        double out[COUNT];
        evaluate(hyperbolic, z, out, COUNT);
        for (int i = 0; i < COUNT; i++)
            assert_true(ulps(out[i], tanhs[i], precision) <= 1);
        evaluate(logistic, z, out, COUNT);
        for (int i = 0; i < COUNT; i++)
            assert_true(ulps(out[i], logistics[i], precision) <= 1);
        function_free(hyperbolic);
        function_free(logistic);
    }
}

/* An input that is not finite, or not in the precision, makes its row's predictions so and leaves
 * the rows beside it alone. */
static void check_not_finite(struct fixture *f, enum tulle_type precision)
{
    static const double broken[] = {INFINITY, -INFINITY, 1e300, -1e300 /* not in f32 */};
    enum { BROKEN = 17, COUNT = 40 };
    double x[COUNT * INPUTS], out[COUNT * OUTPUTS];
    for (int i = 0; i < (precision == TULLE_F32 ? 4 : 2); i++)
        for (size_t column = 0; column < INPUTS; column++) {
            memcpy(x, f->x, sizeof x);
            x[BROKEN * INPUTS + column] = broken[i];
            predict(f->session, tulle_f64(x, COUNT, INPUTS), tulle_f64_out(out, COUNT, OUTPUTS));
            for (size_t r = 0; r < COUNT; r++)
                for (size_t o = r * OUTPUTS; o < (r + 1) * OUTPUTS; o++)
                    if (r == BROKEN)
                        assert_false(isfinite(out[o]));
                    else
                        assert_true(out[o] == f->out[o]);
        }
}

static void test_not_finite(void **state)
{
    (void)state;
    for_all_models(check_not_finite);
}

/* A missing value is the centre of its column, here 0. */
static void check_missing(struct fixture *f, enum tulle_type precision)
{
    double x[INPUTS], missing[OUTPUTS], centre[OUTPUTS];
    (void)precision;
    for (size_t column = 0; column < INPUTS; column++) {
        memcpy(x, f->x, sizeof x);
        x[column] = NAN;
        predict(f->session, tulle_f64(x, 1, INPUTS), tulle_f64_out(missing, 1, OUTPUTS));
        x[column] = 0;
        predict(f->session, tulle_f64(x, 1, INPUTS), tulle_f64_out(centre, 1, OUTPUTS));
        assert_memory_equal(missing, centre, sizeof missing);
    }
}

static void test_missing(void **state)
{
    (void)state;
    for_all_models(check_missing);
}

/* However many threads, and whichever batches come after one another. */
static void test_threads(void **state)
{
    enum { WIDTH = 100, MANY = 3001 };
    static const unsigned threads[] = {0, 1, 2, 64, 3};
    static const size_t counts[] = {MANY, 1, 700, MANY};
    const struct tulle_layer layers[] = {{128, TULLE_ACTIVATION_RELU, 0, 0},
                                         {256, TULLE_ACTIVATION_RELU, 0, 0},
                                         {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
    struct tulle_trainer_options options = network_options(WIDTH, layers, 3, TULLE_F32);
    struct tulle_rng rng;
    (void)state;
    tulle_rng_seed(&rng, 4);
    tulle_trainer *trainer = new_trainer(&options);
    tulle_model *model = new_model(trainer);
    tulle_session *session = new_session(model);
    double *x = new_values(&rng, (size_t)MANY * WIDTH);
    double *alone = new_values(&rng, MANY * 2), *out = new_values(&rng, MANY * 2);
    predict(session, tulle_f64(x, MANY, WIDTH), tulle_f64_out(alone, MANY, 2));
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        assert_int_equal(tulle_session_set_threads(session, threads[t]), TULLE_OK);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            memset(out, 0, MANY * 2 * sizeof *out);
            predict(session, tulle_f64(x, counts[c], WIDTH), tulle_f64_out(out, counts[c], 2));
            assert_memory_equal(out, alone, counts[c] * 2 * sizeof *out);
        }
    }
    tulle_session_free(session);
    tulle_model_free(model);
    tulle_trainer_free(trainer);
    free(x), free(alone), free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_sessions_share_a_model),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
