/* test_model_formats.c - files of older formats are read for ever, and predict as they did. */
#include "../lib/base/portability.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "../lib/data/missing.h"
#include "model_support.h"

/* A file of format 1, with the predictions that the Tulle of that time gave for it; its tanh was
 * another, by a unit in the last place of a float here and there. */
static void test_format_1(void **state)
{
    (void)state;
    static const double rows[][8] = {{8.3252, 41.0, 6.984126984126984, 1.0238095238095237, 322.0,
                                      2.5555555555555554, 37.88, -122.23},
                                     {8.3014, 21.0, 6.238137082601054, 0.9718804920913884, 2401.0,
                                      2.109841827768014, 37.86, -122.22}};
    double predicted[2];
    tulle_session *session;
    struct tulle_model *model = load_model(TULLE_SOURCE_DIR "/tests/data/model_v1.tulle");
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->format_version, 1);
    assert_string_equal(info->checksum, "e5bb676973e6a812");
    assert_int_equal(info->task, TULLE_TASK_REGRESSION);
    assert_int_equal(info->prediction_count, 1);
    assert_int_equal(info->inputs[0].scaling, TULLE_SCALING_STANDARD);
    assert_true(info->huber_delta == 1 && info->label_smoothing == 0);
    assert_null(info->weight_column);
    assert_true(info->rows[0] == 13209 && info->rows[1] == 3303 && info->rows[2] == 4128);
    assert_int_equal(info->missing_count, tulle_default_missing.count);
    assert_null(info->curve);
    assert_true(info->metrics[2].value[TULLE_METRIC_R2] == 0.65083803274674534);
    assert_true(isnan(info->metrics[2].value[TULLE_METRIC_PINBALL]));
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(&rows[0][0], 2, 8),
                                           tulle_f64_out(predicted, 2, 1)),
                     TULLE_OK);
    assert_true(fabs(predicted[0] - 4.2637329444427134) < 1e-6);
    assert_true(fabs(predicted[1] - 4.2264672479731695) < 1e-6);
    tulle_session_free(session);

    save_model(model, in_folder("new"));
    struct tulle_model *loaded = load_model(in_folder("new"));
    assert_int_equal(tulle_model_info(loaded)->format_version, 3);
    loaded->info.format_version = 1;
    assert_same_model(loaded, model);
    tulle_model_free(loaded);
    tulle_model_free(model);
}

/* The same of format 2: all that it could hold, and what it had no word for. */
static void test_format_2(void **state)
{
    (void)state;
    static const double rows[][6] = {{1.5, 3, 1, 2, 4, 8},
                                     {NAN, 0.5, 0, NAN, NAN, 1e9},
                                     {2, NAN, NAN, 0, 1, NAN},
                                     {3, 2, 1, 1, 7, -40}};
    static const double expected[] = {
        0.83345117039184069, 0.031535447732127013, 0.13501338187603232,  0.25285965828211993,
        0.1679934825710622,  0.57914685914681785,  0.59628780685507587,  0.095359919138100949,
        0.3083522740068233,  0.85056622577646501,  0.039500720778523034, 0.10993305344501193};
    double predicted[12];
    tulle_session *session;
    struct tulle_model *model = load_model(TULLE_SOURCE_DIR "/tests/data/model_v2.tulle");
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_int_equal(info->format_version, 2);
    assert_string_equal(info->checksum, "ba19a49c5f4678cb");
    assert_int_equal(info->inputs[5].scaling, TULLE_SCALING_ROBUST);
    assert_int_equal(info->missing_count, 2);
    assert_int_equal(info->curve_count, 2);
    assert_int_equal(info->front.members, 1);
    assert_int_equal(info->front.number_count, 0);
    assert_int_equal(info->front.has_factors, 0);
    assert_int_equal(info->setting_count, 0);
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(&rows[0][0], 4, 6),
                                           tulle_f64_out(predicted, 4, 3)),
                     TULLE_OK);
    for (int i = 0; i < 12; i++)
        assert_true(fabs(predicted[i] - expected[i]) < 1e-6);
    tulle_session_free(session);

    save_model(model, in_folder("new"));
    struct tulle_model *loaded = load_model(in_folder("new"));
    assert_int_equal(tulle_model_info(loaded)->format_version, 3);
    loaded->info.format_version = 2;
    assert_same_model(loaded, model);
    tulle_model_free(loaded);
    tulle_model_free(model);
}

/* What both files of format 3 are asked, and what is to come of it. */
static void check_format_3(const char *name, const char *checksum, size_t outputs,
                           const double *expected)
{
    static const double rows[][6] = {{12, -2, 64, 1, 2, 4},
                                     {NAN, NAN, NAN, NAN, NAN, NAN},
                                     {36, 5, 65536, 0, 0, 0},
                                     {-3, 0.5, 1e9, 7, 1, 5}};
    char path[512];
    double predicted[12];
    tulle_session *session;
    snprintf(path, sizeof path, "%s/tests/data/%s", TULLE_SOURCE_DIR, name);
    struct tulle_model *model = load_model(path);
    assert_int_equal(tulle_model_info(model)->format_version, 3);
    assert_string_equal(tulle_model_info(model)->checksum, checksum);
    assert_int_equal(tulle_model_info(model)->prediction_count, outputs);
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    assert_int_equal(tulle_session_predict(session, tulle_f64(&rows[0][0], 4, 6),
                                           tulle_f64_out(predicted, 4, outputs)),
                     TULLE_OK);
    for (size_t i = 0; i < 4 * outputs; i++)
        assert_true(fabs(predicted[i] - expected[i]) < 1e-6);
    tulle_session_free(session);
    save_model(model, in_folder("new"));
    assert_same_bytes(in_folder("new"), path);
    tulle_model_free(model);
}

/* Format 3 has numbers in splines or waves, factors and members, and settings; these two files
 * have all that it can hold between them. */
static void test_format_3(void **state)
{
    (void)state;
    static const double splines[] = {
        0.45798418426532106,    0.022841268187440849, 0.51917454754723813,
        0.27672320822363722,    0.18257851080343215,  0.5406982809729306,
        1.1312733720376447e-05, 0.99995670026703254,  3.1986999247176934e-05,
        0.000863914212678005,   0.99494500354225734,  0.0041910822450646427};
    static const double waves[] = {12.454951077547134, 13.289681753067848, 16.927738005066992,
                                   14.513074534761476};
    check_format_3("model_v3.tulle", "7058f76a0e057758", 3, splines);
    check_format_3("model_v3_waves.tulle", "7e894d6a7557a457", 1, waves);

    struct tulle_model *model = load_model(TULLE_SOURCE_DIR "/tests/data/model_v3.tulle");
    const struct tulle_model_info *info = tulle_model_info(model);
    assert_true(info->front.bins == 4 && info->front.dimensions == 2 && info->front.members == 3);
    assert_true(info->front.has_factors && info->front.number_count == 3);
    assert_true(info->inputs[0].quantile_count == 42 && info->inputs[5].dimensions == 2);
    assert_true(info->layers[0].parametric && info->curve_count == 9 && info->best_epoch == 4);
    assert_int_equal(info->setting_count, 47);
    assert_string_equal(info->settings[19].name, "input_factors");
    tulle_model_free(model);
    model = load_model(TULLE_SOURCE_DIR "/tests/data/model_v3_waves.tulle");
    info = tulle_model_info(model);
    assert_true(info->front.frequencies == 4 && info->front.dimensions == 3 &&
                info->front.bins == 0);
    assert_true(info->precision == TULLE_F64 && info->targets[0].is_clamped);
    tulle_model_free(model);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(test_format_1), TEST(test_format_2),
                                       TEST(test_format_3)};
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77; /* skipped */
}
