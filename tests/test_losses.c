/*
 * test_losses.c - every loss of every table: values and gradients against libm (naive.c), the same
 * bits from every table, and what is no target.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_matrix.h"
#include "naive.h"

static const double quantiles[] = {0.05, 0.5, 0.875};

/* So many samples of `count` outputs, and what a table makes of them. */
struct batch {
    struct loss loss;
    enum tulle_type type;
    size_t samples, count, targets, stride;
    void *outputs, *y, *slopes; /* the slopes before */
    double *weights;
};

/* Small numbers, and a few for which exponentials overflow or losses are far from 0. */
static double draw_output(size_t i)
{
    static const double odd[] = {0, -0.0, 60, -60, 3, -3, 1e-6};
    return i % 5 == 4 ? odd[tulle_rng_integer(&rng, 6)] : 4 * tulle_rng_uniform(&rng) - 2;
}

static double draw_target(const struct loss *loss, size_t count)
{
    switch (loss->kind) {
    case TULLE_LOSS_POISSON:
        return (double)tulle_rng_integer(&rng, 4);
    case TULLE_LOSS_GAMMA:
        return (float)(0.01 + tulle_rng_uniform(&rng));
    case TULLE_LOSS_BINARY_CROSS_ENTROPY:
        return (double)tulle_rng_integer(&rng, 4) / 4;
    case TULLE_LOSS_CROSS_ENTROPY:
        return (double)tulle_rng_integer(&rng, count - 1);
    default:
        return (float)(4 * tulle_rng_uniform(&rng) - 2);
    }
}

static struct batch make_batch(const struct loss *loss, enum tulle_type type, size_t samples,
                               size_t count)
{
    struct batch b = {
        *loss, type, samples, count, tulle_loss_targets(loss, count), tulle_row_stride(count)};
    b.outputs = random_buffer(type, samples * b.stride);
    b.slopes = random_buffer(type, samples * b.stride);
    b.y = random_buffer(type, samples * b.targets);
    b.weights = random_buffer(TULLE_F64, samples);
    set_padding(type, b.outputs, samples, 0, b.stride, 0);
    set_padding(type, b.slopes, samples, count, b.stride, 0);
    for (size_t s = 0; s < samples; s++) {
        b.weights[s] = s % 4 == 0 ? 0.25 * (double)s : 1;
        for (size_t o = 0; o < count; o++)
            set(type, b.outputs, s * b.stride + o, draw_output(s * count + o));
    }
    for (size_t i = 0; i < samples * b.targets; i++)
        set(type, b.y, i, draw_target(loss, count));
    return b;
}

static void free_batch(struct batch *b)
{
    tulle_free(b->outputs), tulle_free(b->slopes), tulle_free(b->y), tulle_free(b->weights);
}

/* The slopes are multiplied by the derivatives; the caller frees them. */
static void *run(const struct batch *b, const struct kernels *kernels, const double *weights,
                 double *losses)
{
    void *slopes = copy_buffer(b->type, b->slopes, b->samples * b->stride);
    kernels->loss(&b->loss, b->outputs, b->stride, b->y, weights, b->samples, b->count, slopes,
                  losses);
    return slopes;
}

static void compare_with_naive(const struct batch *b, const double *weights, const void *slopes,
                               const double *losses)
{
    const struct naive_criterion criterion = {b->loss.kind, b->loss.huber_delta,
                                              b->loss.label_smoothing, b->loss.quantiles,
                                              b->loss.quantile_count};
    double o[64], y[64], gradient[64], epsilon = b->type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON;
    for (size_t s = 0; s < b->samples; s++) {
        double weight = weights ? weights[s] : 1, size = 1;
        for (size_t i = 0; i < b->count; i++) {
            o[i] = get(b->type, b->outputs, s * b->stride + i);
            size += fabs(o[i]);
        }
        for (size_t i = 0; i < b->targets; i++)
            y[i] = get(b->type, b->y, s * b->targets + i);
        double loss = weight * naive_sample_loss(&criterion, b->count, o, y, gradient);
        double tolerance = 8 * epsilon * (fabs(loss) + 4 * weight * size);
        if (!(fabs(losses[s] - loss) <= tolerance))
            fail_msg("%s, %s: the loss is %.17g, not %.17g", tulle_loss_name(b->loss.kind),
                     tulle_type_name(b->type), losses[s], loss);
        for (size_t i = 0; i < b->count; i++) {
            double expected = weight * gradient[i] * get(b->type, b->slopes, s * b->stride + i);
            double found = get(b->type, slopes, s * b->stride + i);
            double allowed = 8 * epsilon * (fabs(expected) + 4 * weight);
            if (!(fabs(found - expected) <= allowed))
                fail_msg("%s, %s: the gradient is %.17g, not %.17g", tulle_loss_name(b->loss.kind),
                         tulle_type_name(b->type), found, expected);
        }
    }
}

enum { MOST_SAMPLES = 70 };

static void check_loss(const struct loss *loss, enum tulle_type type, size_t samples, size_t count)
{
    struct batch b = make_batch(loss, type, samples, count);
    for (int weighted = 0; weighted <= 1; weighted++) {
        const double *weights = weighted ? b.weights : NULL;
        double first_losses[MOST_SAMPLES], losses[MOST_SAMPLES];
        void *first = run(&b, tables[type][0], weights, first_losses);
        compare_with_naive(&b, weights, first, first_losses);
        for (size_t t = 1; t < table_counts[type]; t++) {
            void *slopes = run(&b, tables[type][t], weights, losses);
            assert_memory_equal(losses, first_losses, samples * sizeof *losses);
            for (size_t s = 0; s < samples; s++) /* the padding stays 0, if not +0 */
                for (size_t i = 0; i < b.stride; i++)
                    assert_true(i < count ? is_same(type, slopes, first, s * b.stride + i)
                                          : get(type, slopes, s * b.stride + i) == 0);
            tulle_free(slopes);
        }
        tulle_free(first);
    }
    free_batch(&b);
}

static void test_losses(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int kind = 0; tulle_loss_name((enum tulle_loss)kind); kind++)
            for (size_t count = 1; count <= 40; count++)
                for (int smoothed = 0; smoothed <= 1; smoothed++) {
                    size_t levels = count % 3 == 0 ? 3 : 1;
                    const struct loss loss = {(enum tulle_loss)kind, 0,         0.75,
                                              smoothed * 0.125,      quantiles, levels};
                    if (kind != TULLE_LOSS_CROSS_ENTROPY || count > 1)
                        check_loss(&loss, (enum tulle_type)type, 1 + count % 7, count);
                    if (count == 27 || count == 40) /* more than cross_entropy takes at a time */
                        check_loss(&loss, (enum tulle_type)type, MOST_SAMPLES, count);
                }
}

/* As many classes as cross_entropy keeps of a sample or two, and more; all tables alike, and
 * probabilities less a 1. */
static void test_many_classes(void **state)
{
    enum { SAMPLES = 3 };
    static const size_t counts[] = {255, 256, 257, 512, 700, 1023, 1024, 1025, 2048, 2700};
    const struct loss loss = {.kind = TULLE_LOSS_CROSS_ENTROPY, .label_smoothing = 0.0625};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            size_t count = counts[c];
            struct batch b = make_batch(&loss, (enum tulle_type)type, SAMPLES, count);
            double first_losses[SAMPLES], losses[SAMPLES];
            set_padding(b.type, b.slopes, SAMPLES, 0, b.stride, 1);
            set_padding(b.type, b.slopes, SAMPLES, count, b.stride, 0);
            void *first = run(&b, tables[type][0], NULL, first_losses);
            for (size_t s = 0; s < SAMPLES; s++) {
                double sum = 0;
                for (size_t i = 0; i < count; i++)
                    sum += get(b.type, first, s * b.stride + i);
                assert_true(fabs(sum) <= (type == TULLE_F64 ? 1e-13 : 1e-5));
            }
            for (size_t t = 1; t < table_counts[type]; t++) {
                void *slopes = run(&b, tables[type][t], NULL, losses);
                assert_memory_equal(losses, first_losses, sizeof losses);
                for (size_t i = 0; i < SAMPLES * b.stride; i++)
                    assert_true(get(b.type, slopes, i) == get(b.type, first, i));
                tulle_free(slopes);
            }
            tulle_free(first);
            free_batch(&b);
        }
}

/* Where a network is sure, its loss is as small as what it leaves for the other classes, and so is
 * the gradient; a tie is none of that. */
static void test_sure_classes(void **state)
{
    enum { COUNT = 1500, SURE = 1200, OTHER = 3 };
    const struct loss loss = {.kind = TULLE_LOSS_CROSS_ENTROPY};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++) {
            struct batch b = make_batch(&loss, (enum tulle_type)type, 1, COUNT);
            double found, rest = exp(-50), epsilon = type == TULLE_F64 ? 1e-14 : 1e-5;
            set_padding(b.type, b.outputs, 1, 0, b.stride, -200);
            set_padding(b.type, b.slopes, 1, 0, b.stride, 1);
            set(b.type, b.y, 0, SURE);
            set(b.type, b.outputs, SURE, 30);
            set(b.type, b.outputs, OTHER, -20);
            void *slopes = run(&b, tables[type][t], NULL, &found);
            assert_true(fabs(found - rest) <= epsilon * rest);
            assert_true(fabs(get(b.type, slopes, SURE) + rest) <= epsilon * rest);
            assert_true(fabs(get(b.type, slopes, OTHER) - rest) <= epsilon * rest);
            tulle_free(slopes);
            set(b.type, b.outputs, OTHER, 30);
            slopes = run(&b, tables[type][t], NULL, &found);
            assert_true(fabs(found - log(2)) <= epsilon);
            assert_true(get(b.type, slopes, SURE) == -0.5 && get(b.type, slopes, OTHER) == 0.5);
            tulle_free(slopes);
            free_batch(&b);
        }
}

/* A target that a loss is not defined for, or an output that is no number, makes the loss NaN. */
static void test_refused_targets(void **state)
{
    static const struct {
        enum tulle_loss kind;
        double y, o;
    } bad[] = {
        {TULLE_LOSS_MSE, NAN, 0},
        {TULLE_LOSS_MAE, NAN, 0},
        {TULLE_LOSS_HUBER, NAN, 0},
        {TULLE_LOSS_QUANTILE, NAN, 0},
        {TULLE_LOSS_POISSON, NAN, 0},
        {TULLE_LOSS_POISSON, -1, 0},
        {TULLE_LOSS_GAMMA, NAN, 0},
        {TULLE_LOSS_GAMMA, 0, 0},
        {TULLE_LOSS_GAMMA, -2, 0},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, NAN, 0},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, -0.25, 0},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, 1.25, 0},
        {TULLE_LOSS_CROSS_ENTROPY, NAN, 0},
        {TULLE_LOSS_CROSS_ENTROPY, -1, 0},
        {TULLE_LOSS_CROSS_ENTROPY, 0.5, 0},
        {TULLE_LOSS_CROSS_ENTROPY, 3, 0},
        {TULLE_LOSS_CROSS_ENTROPY, INFINITY, 0},
        {TULLE_LOSS_CROSS_ENTROPY, 1e30, 0},
        {TULLE_LOSS_MSE, 1, NAN},
        {TULLE_LOSS_MAE, 1, NAN},
        {TULLE_LOSS_HUBER, 1, NAN},
        {TULLE_LOSS_QUANTILE, 1, NAN},
        {TULLE_LOSS_POISSON, 1, NAN},
        {TULLE_LOSS_GAMMA, 1, NAN},
        {TULLE_LOSS_BINARY_CROSS_ENTROPY, 1, NAN},
        {TULLE_LOSS_CROSS_ENTROPY, 1, NAN},
    };
    enum { COUNT = 3 };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int type = TULLE_F32; type <= TULLE_F64; type++)
            for (size_t t = 0; t < table_counts[type]; t++)
                for (size_t place = 0; place < COUNT; place++) {
                    const struct loss loss = {bad[i].kind, 0, 1, 0, quantiles, 1};
                    struct batch b = make_batch(&loss, (enum tulle_type)type, 1, COUNT);
                    double found;
                    set(b.type, b.y, place % b.targets, bad[i].y);
                    set(b.type, b.outputs, place, bad[i].o);
                    tulle_free(run(&b, tables[type][t], NULL, &found));
                    if (!isnan(found))
                        fail_msg("%s of the target %g and the output %g is %g, not NaN",
                                 tulle_loss_name(bad[i].kind), bad[i].y, bad[i].o, found);
                    free_batch(&b);
                }
}

/* Outputs so far out that every exponential overflows or vanishes: the limits, as long as they
 * are numbers. */
static void test_extremes(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++) {
            enum { COUNT = 2 };
            static const double far[] = {1e4, 3e37};
            for (size_t f = 0; f < 2; f++)
                for (int right = 0; right <= 1; right++) {
                    struct loss loss = {.kind = TULLE_LOSS_BINARY_CROSS_ENTROPY};
                    double found, slope = right ? 0 : 1, x = rounded((enum tulle_type)type, far[f]);
                    struct batch b = make_batch(&loss, (enum tulle_type)type, 1, 1);
                    set(b.type, b.outputs, 0, right ? -x : x);
                    set(b.type, b.y, 0, 0);
                    set(b.type, b.slopes, 0, 1);
                    void *slopes = run(&b, tables[type][t], NULL, &found);
                    assert_true(found == (right ? 0 : x) && get(b.type, slopes, 0) == slope);
                    tulle_free(slopes);
                    free_batch(&b);

                    loss.kind = TULLE_LOSS_CROSS_ENTROPY;
                    b = make_batch(&loss, (enum tulle_type)type, 1, COUNT);
                    set(b.type, b.outputs, 0, x);
                    set(b.type, b.outputs, 1, 0);
                    set(b.type, b.y, 0, right ? 0 : 1);
                    set(b.type, b.slopes, 0, 1), set(b.type, b.slopes, 1, 1);
                    slopes = run(&b, tables[type][t], NULL, &found);
                    assert_true(found == (right ? 0 : x));
                    assert_true(get(b.type, slopes, 0) == slope);
                    assert_true(get(b.type, slopes, 1) == -slope);
                    tulle_free(slopes);
                    free_batch(&b);
                }
        }
}

/* Where a network is sure, small losses and derivatives are as precise as large ones. */
static void test_sure(void **state)
{
    enum { COUNT = 4 };
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (int is_one_class = 0; is_one_class <= 1; is_one_class++)
            for (int right = 0; right <= 1; right++) {
                size_t count = is_one_class ? 1 : COUNT;
                const struct loss loss = {.kind = is_one_class ? TULLE_LOSS_BINARY_CROSS_ENTROPY
                                                               : TULLE_LOSS_CROSS_ENTROPY};
                struct batch b = make_batch(&loss, (enum tulle_type)type, 1, count);
                double epsilon = 8 * (type == TULLE_F64 ? DBL_EPSILON : FLT_EPSILON), found;
                double sign = right ? 1 : -1, others = (double)(is_one_class ? 1 : COUNT - 1);
                set_padding(b.type, b.outputs, 1, 0, count, 0);
                set(b.type, b.outputs, 0, is_one_class ? sign * 15 : 15);
                set(b.type, b.y, 0, is_one_class ? right : 0);
                set(b.type, b.slopes, 0, 1);
                void *slopes = run(&b, tables[type][0], NULL, &found);
                double rest = others * exp(-15), derivative = rest / (1 + rest);
                assert_true(fabs(found - log1p(rest)) <= epsilon * rest);
                assert_true(fabs(fabs(get(b.type, slopes, 0)) - derivative) <= epsilon * rest);
                tulle_free(slopes);
                free_batch(&b);
            }
}

/* The plain loss to the bit: differences in the table's type, their squares summed in double. */
static void test_mse(void **state)
{
    const struct loss loss = {.kind = TULLE_LOSS_MSE};
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++)
            for (size_t count = 1; count <= 40; count++) {
                struct batch b = make_batch(&loss, (enum tulle_type)type, 7, count);
                double losses[7];
                void *slopes = run(&b, tables[type][t], NULL, losses);
                for (size_t s = 0; s < 7; s++) {
                    double sum = 0;
                    for (size_t i = 0; i < count; i++) {
                        size_t at = s * b.stride + i;
                        double difference = rounded(b.type, get(b.type, b.outputs, at) -
                                                                get(b.type, b.y, s * count + i));
                        assert_true(get(b.type, slopes, at) ==
                                    rounded(b.type, difference * get(b.type, b.slopes, at)));
                        sum += difference * difference;
                    }
                    assert_true(losses[s] == sum);
                }
                tulle_free(slopes);
                free_batch(&b);
            }
}

/* No loss: the targets are the derivatives. */
static void test_given(void **state)
{
    (void)state;
    for (int type = TULLE_F32; type <= TULLE_F64; type++)
        for (size_t t = 0; t < table_counts[type]; t++)
            for (size_t count = 1; count <= 40; count++) {
                const struct loss loss = {.kind = TULLE_LOSS_CROSS_ENTROPY, .is_given = 1};
                struct batch b = make_batch(&loss, (enum tulle_type)type, 3, count);
                double losses[3];
                void *slopes = run(&b, tables[type][t], b.weights, losses);
                assert_int_equal(b.targets, count);
                for (size_t s = 0; s < 3; s++) {
                    assert_true(losses[s] == 0);
                    for (size_t i = 0; i < count; i++) {
                        size_t at = s * b.stride + i;
                        double dy = rounded(b.type, get(b.type, b.y, s * count + i) * b.weights[s]);
                        assert_true(get(b.type, slopes, at) ==
                                    rounded(b.type, get(b.type, b.slopes, at) * dy));
                    }
                }
                tulle_free(slopes);
                free_batch(&b);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_losses),       cmocka_unit_test(test_many_classes),
        cmocka_unit_test(test_sure_classes), cmocka_unit_test(test_refused_targets),
        cmocka_unit_test(test_extremes),     cmocka_unit_test(test_sure),
        cmocka_unit_test(test_mse),          cmocka_unit_test(test_given),
    };
    tulle_rng_seed(&rng, 7);
    return cmocka_run_group_tests(tests, find_tables, NULL);
}
