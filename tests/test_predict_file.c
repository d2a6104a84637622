/* test_predict_file.c - tables in, predictions out: what is written, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_support.h"

#include "linear_model.h"

static const char *const colours[] = {"red", "light, \"pale\" green", "blue"};

/* y = 2 a + b, standing at 10. */
static struct tulle_model *number_model(void)
{
    static const double weights[] = {2, 1};
    const struct tulle_column inputs[] = {number_column("a"), number_column("b")};
    struct tulle_column target = number_column("y");
    target.mean = 10;
    return linear_model(
        (struct tulle_model_info){
            .inputs = inputs, .input_count = 2, .targets = &target, .target_count = 1},
        1, weights);
}

/* The colour whose sum is the largest of 2 a, b and -a. */
static struct tulle_model *colour_model(void)
{
    static const double weights[] = {2, 0, 0, 1, -1, 0};
    const struct tulle_column inputs[] = {number_column("a"), number_column("b")};
    const struct tulle_column target = level_column("colour", colours, 3);
    return linear_model((struct tulle_model_info){.inputs = inputs,
                                                  .input_count = 2,
                                                  .targets = &target,
                                                  .target_count = 1,
                                                  .loss = TULLE_LOSS_CROSS_ENTROPY},
                        3, weights);
}

/* What a table with that text is turned into; freed with free(). */
static char *predict(const struct tulle_model *model, const char *table,
                     const struct tulle_predict_options *options)
{
    struct tulle_error error = {0};
    size_t rows;
    put_bytes(in_folder("in.csv"), table, strlen(table));
    if (tulle_predict_file(model, in_folder("in.csv"), in_folder("out.csv"), options, &rows,
                           &error) != TULLE_OK)
        fail_msg("%s", error.message);
    struct bytes bytes = get_bytes(in_folder("out.csv"));
    size_t lines = 0;
    for (size_t i = 0; i < bytes.size; i++)
        lines += bytes.data[i] == '\n';
    assert_int_equal(lines, rows + 1);
    remove(in_folder("out.csv"));
    return (char *)bytes.data;
}

static void check(struct tulle_model *model, const char *table,
                  const struct tulle_predict_options *options, const char *expected)
{
    char *found = predict(model, table, options);
    assert_string_equal(found, expected);
    free(found);
    tulle_model_free(model);
}

/* That the table is refused, at that line and with that message, and no output left. */
static void check_refused(struct tulle_model *model, const char *table,
                          const struct tulle_predict_options *options, enum tulle_status status,
                          size_t line, const char *message)
{
    struct tulle_error error = {0};
    put_bytes(in_folder("in.csv"), table, strlen(table));
    assert_int_equal(
        tulle_predict_file(model, in_folder("in.csv"), in_folder("out.csv"), options, NULL, &error),
        status);
    if (!strstr(error.message, message))
        fail_msg("%s", error.message);
    assert_int_equal(error.line, line);
    assert_null(fopen(in_folder("out.csv"), "rb"));
    assert_int_equal(entry_count(), 1);
    tulle_model_free(model);
}

/* --- What is written ------------------------------------------------------------------------- */

static void test_numbers(void **state)
{
    (void)state;
    check(number_model(), "x,b,a\n7,1,0.25\n7,-3,1e-3\n,0,0.1\n", NULL, "y\n11.5\n7.002\n10.2\n");
}

static void test_missing(void **state)
{
    static const char *const missing[] = {"none"};
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    (void)state;
    check(number_model(), "a,b\nNA,1\n2,\n", NULL, "y\n11\n14\n");
    options.missing = missing;
    options.missing_count = 1;
    check(number_model(), "a,b\nnone,1\n2,\n", &options, "y\n11\n14\n");
    check_refused(number_model(), "a,b\n1,1\n2,NA\n", &options, TULLE_ERROR_DATA, 3, "'b'");
}

/* Without options what is missing is what was so in training. */
static void test_missing_as_trained(void **state)
{
    static const char *const texts[] = {"none", "-999"}, *const usual[] = {"NA"};
    static const char *const levels[] = {"NA", "Gd"};
    static const double weights[] = {2, 1}, level_weights[] = {10, 20};
    const struct tulle_column inputs[] = {number_column("a"), number_column("b")};
    const struct tulle_column quality = level_column("q", levels, 2), target = number_column("y");
    struct tulle_model_info info = {.inputs = inputs,
                                    .input_count = 2,
                                    .targets = &target,
                                    .target_count = 1,
                                    .missing = texts,
                                    .missing_count = 2};
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    (void)state;
    check(linear_model(info, 1, weights), "a,b\nnone,1\n2,-999.0\n,\n", NULL, "y\n1\n4\n0\n");
    check_refused(linear_model(info, 1, weights), "a,b\n1,1\n2,NA\n", NULL, TULLE_ERROR_DATA, 3,
                  "'b'");
    options.missing = usual;
    options.missing_count = 1;
    check(linear_model(info, 1, weights), "a,b\nNA,1\n2,-999\n", &options, "y\n1\n-995\n");

    info.inputs = &quality;
    info.input_count = 1;
    info.missing_count = 0;
    check(linear_model(info, 1, level_weights), "q,x\nNA,0\nGd,0\n,0\n", NULL, "y\n-10\n10\n0\n");
    check(linear_model(info, 1, level_weights), "q,x\nNA,0\nGd,0\n", &options, "y\n0\n10\n");
}

static void test_class_names(void **state)
{
    (void)state;
    check(colour_model(), "a,b\n1,0\n0,1\n-2,0\n0,0\n", NULL,
          "colour\nred\n\"light, \"\"pale\"\" green\"\nblue\nred\n");
}

static void test_probabilities(void **state)
{
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    double p[3], q[3];
    char *found, rest[2];
    (void)state;
    options.probabilities = 1;
    struct tulle_model *model = colour_model();
    found = predict(model, "a,b\n0.5,1\n-1,-1\n", &options);
    assert_int_equal(sscanf(found,
                            "colour:red,\"colour:light, \"\"pale\"\" green\",colour:blue\n"
                            "%lf,%lf,%lf\n%lf,%lf,%lf%1s",
                            &p[0], &p[1], &p[2], &q[0], &q[1], &q[2], rest),
                     6);
    double sum = exp(1) + exp(1) + exp(-0.5);
    assert_true(fabs(p[0] - exp(1) / sum) < 1e-15 && fabs(p[2] - exp(-0.5) / sum) < 1e-15);
    assert_true(p[0] == p[1] && q[2] > q[1] && q[1] > q[0]);
    free(found);
    tulle_model_free(model);
    check(number_model(), "a,b\n1,1\n", &options, "y\n13\n"); /* of which there are none */
}

static void test_quantiles(void **state)
{
    static const double quantiles[] = {0.05, 0.5, 0.9}, weights[] = {1, 2, 4};
    const struct tulle_column input = number_column("a"), target = number_column("y,z");
    struct tulle_model_info info = {.inputs = &input,
                                    .input_count = 1,
                                    .targets = &target,
                                    .target_count = 1,
                                    .loss = TULLE_LOSS_QUANTILE,
                                    .quantiles = quantiles,
                                    .quantile_count = 3};
    (void)state;
    check(linear_model(info, 3, weights), "a\n1\n0.5\n", NULL,
          "\"y,z:0.05\",\"y,z:0.5\",\"y,z:0.9\"\n1,2,4\n0.5,1,2\n");
    info.quantile_count = 1;
    check(linear_model(info, 1, weights), "a\n1\n0.5\n", NULL, "\"y,z\"\n1\n0.5\n");
}

static void test_targets(void **state)
{
    static const char *const answers[] = {"no", "yes"};
    static const double weights[] = {1, -1};
    const struct tulle_column input = number_column("a");
    const struct tulle_column targets[] = {level_column("p", answers, 2),
                                           level_column("q", answers, 2)};
    const struct tulle_model_info info = {.inputs = &input,
                                          .input_count = 1,
                                          .targets = targets,
                                          .target_count = 2,
                                          .loss = TULLE_LOSS_BINARY_CROSS_ENTROPY};
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    (void)state;
    check(linear_model(info, 2, weights), "a\n3\n-3\n", NULL, "p,q\nyes,no\nno,yes\n");
    options.probabilities = 1;
    check(linear_model(info, 2, weights), "a\n0\n", &options,
          "p:no,p:yes,q:no,q:yes\n0.5,0.5,0.5,0.5\n");
}

/* --- Levels ---------------------------------------------------------------------------------- */

/* A level's prediction is its index, that of a missing or unknown one -1. */
static struct tulle_model *level_model(const char *const *levels, size_t count)
{
    double weights[8];
    struct tulle_column input = level_column("c", levels, count);
    const struct tulle_column target = number_column("y");
    for (size_t i = 0; i < count; i++)
        weights[i] = (double)i;
    weights[count] = -1;
    input.missing = 1;
    return linear_model(
        (struct tulle_model_info){
            .inputs = &input, .input_count = 1, .targets = &target, .target_count = 1},
        1, weights);
}

static void test_levels(void **state)
{
    static const char *const levels[] = {"12", "n", "3.50"};
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    size_t out_of_range[1] = {99};
    (void)state;
    options.out_of_range = out_of_range;
    check(level_model(levels, 3), "c,x\nn,1\n12.0,1\n3.5,1\nNA,1\nmore,1\n7,1\n12,1\n", &options,
          "y\n1\n0\n2\n-1\n-1\n-1\n0\n");
    assert_int_equal(out_of_range[0], 2);
}

/* New levels in every block, of which the model knows some that come late. */
static void test_growing_levels(void **state)
{
    enum { ROWS = 5000 };
    static const char *const levels[] = {"7", "1500", "late", "4999"};
    static char table[ROWS * 8 + 8], expected[ROWS * 4 + 8];
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    size_t out_of_range[1];
    char *to = table + sprintf(table, "c\n"), *line = expected + sprintf(expected, "y\n");
    (void)state;
    for (int r = 0; r < ROWS; r++) {
        int level = r == 7 ? 0 : r == 1500 ? 1 : r % 100 == 50 && r > 3000 ? 2 : r == 4999 ? 3 : -1;
        to += level == 2 ? sprintf(to, "late\n") : sprintf(to, "%d\n", r);
        line += sprintf(line, "%d\n", level);
    }
    options.out_of_range = out_of_range;
    check(level_model(levels, 4), table, &options, expected);
    assert_int_equal(out_of_range[0], ROWS - 3 - 20);
}

static void test_out_of_range(void **state)
{
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    size_t out_of_range[2] = {99, 99};
    (void)state;
    options.out_of_range = out_of_range;
    check(number_model(), "b,a\n10,-10\n10.5,0\n,11\n-11,2\n1e9,0\n", &options,
          "y\n0\n20.5\n32\n3\n1000000010\n");
    assert_int_equal(out_of_range[0], 1); /* a */
    assert_int_equal(out_of_range[1], 3);
}

/* --- What is refused ------------------------------------------------------------------------- */

static int stop(size_t rows, void *user)
{
    (void)rows;
    (void)user;
    return 1;
}

static void test_refused(void **state)
{
    struct tulle_predict_options options = TULLE_PREDICT_OPTIONS;
    (void)state;
    check_refused(number_model(), "a,bb\n1,2\n", NULL, TULLE_ERROR_DATA, 0, "did you mean 'bb'?");
    check_refused(number_model(), "a,b\n1,2\n1,many\n", NULL, TULLE_ERROR_DATA, 3, "\"many\"");
    check_refused(number_model(), "a,b\nmany,2\n", NULL, TULLE_ERROR_DATA, 2, "\"many\"");
    check_refused(number_model(), "a,b\n", NULL, TULLE_ERROR_DATA, 0, "no rows");
    options.progress = stop;
    check_refused(number_model(), "a,b\n1,2\n", &options, TULLE_ERROR_INTERRUPTED, 0,
                  "interrupted");
    options.size = 1;
    check_refused(number_model(), "a,b\n1,2\n", &options, TULLE_ERROR_ARGUMENT, 0, "size");
}

static void test_not_finite(void **state)
{
    static const char *const tables[] = {"a\n1\n\n1e150\n", "a\n1\n\n1e150\n2\n"};
    const struct tulle_column input = number_column("a"), target = number_column("y");
    const double weight = 1e200;
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        check_refused(linear_model((struct tulle_model_info){.inputs = &input,
                                                             .input_count = 1,
                                                             .targets = &target,
                                                             .target_count = 1},
                                   1, &weight),
                      tables[i], NULL, TULLE_ERROR_DATA, 4, "the prediction of 'y' is not finite");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_missing_as_trained),
        cmocka_unit_test(test_class_names),
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_growing_levels),
        cmocka_unit_test(test_out_of_range),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
