/*
 * test_model_hostile.c - files that are no model, no longer one, or a trap: all are refused with
 * one line that names the file. A trap has a right checksum, so that it gets past that.
 */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

#include "model_support.h"

/* Checks that loading fails with that status and a message with `part` in it. */
static void assert_refused(const char *path, enum tulle_status status, const char *part)
{
    struct tulle_error error = {0};
    struct tulle_model *model = (struct tulle_model *)&model;
    enum tulle_status found = tulle_model_load(path, &model, &error);
    assert_null(model);
    assert_int_equal(error.code, found);
    assert_string_equal(error.file, path);
    if (found != status || !strstr(error.message, part))
        fail_msg("expected status %d with '%s', got %d: %s", status, part, found, error.message);
    assert_int_equal(tulle_model_load(path, &model, NULL), status);
}

static void test_no_model(void **state)
{
    (void)state;
    unsigned char noise[5000];
    struct tulle_rng rng;
    tulle_rng_seed(&rng, 1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)tulle_rng_next(&rng);
    static const char text[] = "longitude,latitude,rooms\n1,2,3\n4,5,6\n7,8,9\n10,11,12\n13,14,15\n"
                               "16,17,18\n19,20,21\n22,23,24\n25,26,27\n28,29,30\n31,32,33\n";
    static const char other[] = "\x58\0\0\0\0\0\0\0"
                                "{\"__metadata__\":{\"format\":\"pt\"},\"w\":{\"dtype\":\"F32\","
                                "\"shape\":[8],\"data_offsets\":[0,32]}}         "
                                "01234567890123456789012345678901";
    put_bytes(in_folder("empty"), "", 0);
    put_bytes(in_folder("short"), "tulle", 5);
    put_bytes(in_folder("text"), text, sizeof text - 1);
    put_bytes(in_folder("noise"), noise, sizeof noise);
    put_bytes(in_folder("other"), other, sizeof other - 1);
    assert_refused(in_folder("empty"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("short"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("text"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("noise"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("other"), TULLE_ERROR_FORMAT, "not a Tulle model");
    assert_refused(in_folder("."), TULLE_ERROR_FORMAT, "a folder, expected a model file");
    assert_refused(in_folder("none"), TULLE_ERROR_IO, "cannot open: No such file or directory");
    assert_int_equal(mkfifo(in_folder("pipe"), 0666), 0);
    assert_refused(in_folder("pipe"), TULLE_ERROR_FORMAT, "not a regular file");
    assert_refused("/dev/zero", TULLE_ERROR_FORMAT, "not a regular file");
}

/* The file of a model, which is freed. */
static struct bytes bytes_of(struct tulle_model *model)
{
    assert_int_equal(tulle_model_save(model, in_folder("example"), NULL), TULLE_OK);
    tulle_model_free(model);
    return get_bytes(in_folder("example"));
}

static struct bytes example_bytes(void)
{
    return bytes_of(example_model());
}

static size_t data_offset(struct bytes file)
{
    return 8 + file.data[0] + 256 * (size_t)file.data[1];
}

/* Writes the file with a right checksum. */
static void put_sealed(const char *path, struct bytes file)
{
    char digits[17];
    memset(file.data + 45, '0', 16);
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits(file.data, file.size));
    memcpy(file.data + 45, digits, 16);
    put_bytes(path, file.data, file.size);
}

/* The file with the first `from` in its header turned into `to`, and the header's length right. */
static struct bytes edited(struct bytes file, const char *from, const char *to)
{
    size_t header = data_offset(file);
    char *at = strstr((char *)file.data + 8, from);
    if (!at)
        fail_msg("no '%s' in the header", from);
    size_t before = (size_t)(at - (char *)file.data), after = before + strlen(from);
    size_t length = header - strlen(from) + strlen(to), padded = (length + 63) / 64 * 64;
    struct bytes result = {NULL, padded + file.size - header};
    result.data = calloc(result.size + 1, 1);
    assert_non_null(result.data);
    for (int i = 0; i < 8; i++)
        result.data[i] = (unsigned char)((uint64_t)(padded - 8) >> 8 * i);
    memcpy(result.data + 8, file.data + 8, before - 8);
    memcpy(result.data + before, to, strlen(to));
    memcpy(result.data + before + strlen(to), file.data + after, header - after);
    memset(result.data + length, ' ', padded - length);
    memcpy(result.data + padded, file.data + header, file.size - header);
    return result;
}

static void test_cut_short(void **state)
{
    (void)state;
    struct bytes file = example_bytes();
    for (size_t size = 0; size < file.size; size++) {
        put_bytes(in_folder("cut"), file.data, size);
        assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "cut short");
    }
    struct bytes longer = {realloc(file.data, file.size + 4), file.size + 4};
    assert_non_null(longer.data);
    memset(longer.data + file.size, 0, 4);
    put_sealed(in_folder("cut"), longer);
    assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "take 36 bytes, but 40 are there");
    longer.size -= 8;
    put_sealed(in_folder("cut"), longer);
    assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "take 36 bytes, but 32 are there");
    free(longer.data);

    file = bytes_of(rich_model());
    for (; file.size > 0; file.size -= file.size < 13 ? file.size : 13) {
        put_bytes(in_folder("cut"), file.data, file.size - 1);
        assert_refused(in_folder("cut"), TULLE_ERROR_FORMAT, "cut short");
    }
    free(file.data);
}

/* Flips one bit in every so many of in_folder("example"). */
static void flip_bits(struct bytes file, size_t distance)
{
    int fd = open(in_folder("example"), O_WRONLY);
    assert_true(fd >= 0);
    for (size_t i = 0; i < file.size * 8; i += distance) {
        unsigned char flipped = file.data[i / 8] ^ (unsigned char)(1u << i % 8);
        struct tulle_error error;
        struct tulle_model *model;
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(i / 8)), 1);
        enum tulle_status status = tulle_model_load(in_folder("example"), &model, &error);
        if (status != TULLE_ERROR_FORMAT && status != TULLE_ERROR_VERSION)
            fail_msg("bit %zu of byte %zu: %d", i % 8, i / 8, status);
        assert_int_equal(pwrite(fd, &file.data[i / 8], 1, (off_t)(i / 8)), 1);
    }
    close(fd);
    struct tulle_model *model;
    assert_int_equal(tulle_model_load(in_folder("example"), &model, NULL), TULLE_OK);
    tulle_model_free(model);
    free(file.data);
}

static void test_every_flipped_bit(void **state)
{
    (void)state;
    flip_bits(example_bytes(), 1);
    flip_bits(bytes_of(rich_model()), 11);
}

#define VERSION "\"format_version\":\"2\""

static void test_versions(void **state)
{
    (void)state;
    const struct {
        const char *to;
        enum tulle_status status; /* of a file whose checksum is right */
        const char *part;
    } cases[] = {
        {"\"format_version\":\"3\"", TULLE_ERROR_VERSION, "model format 3 is newer"},
        {"\"format_version\":\"999\"", TULLE_ERROR_VERSION, "model format 999 is newer"},
        {"\"format_version\":\"0\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"01\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"-1\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"1.5\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\":\"99999999999\"", TULLE_ERROR_FORMAT, "no format version"},
        {"\"format_version\": \"2\"", TULLE_ERROR_FORMAT, "not a Tulle model"},
        {"\"format_version\":2", TULLE_ERROR_FORMAT, "not a Tulle model"},
    };
    struct bytes file = example_bytes();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes other = edited(file, VERSION, cases[i].to);
        const int is_newer = cases[i].status == TULLE_ERROR_VERSION;
        put_bytes(in_folder("other"), other.data, other.size);
        assert_refused(in_folder("other"), TULLE_ERROR_FORMAT,
                       is_newer ? "its checksum does not match" : cases[i].part);
        put_sealed(in_folder("other"), other);
        assert_refused(in_folder("other"), cases[i].status, cases[i].part);
        free(other.data);
    }
    free(file.data);
}

static void test_header_lengths(void **state)
{
    (void)state;
    struct bytes file = example_bytes();
    const uint64_t right = data_offset(file) - 8;
    const uint64_t lengths[] = {0,          1,          7,          8,
                                63,         64,         right - 1,  right + 1,
                                right + 64, right + 36, right + 37, 1 << 30,
                                1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 7,
                                right - 64};
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        for (int i = 0; i < 8; i++)
            file.data[i] = (unsigned char)(lengths[n] >> 8 * i);
        put_sealed(in_folder("length"), file);
        assert_refused(in_folder("length"), TULLE_ERROR_FORMAT, "");
    }
    free(file.data);
}

/* Quotes within the description of the model are escaped in the header. */
#define Q "\\\""
#define REST                                                                                       \
    Q "mean" Q ":0.0," Q "scale" Q ":1.0," Q "min" Q ":0.0," Q "max" Q ":0.0," Q "scaling" Q ":" Q \
      "none" Q "," Q "missing" Q ":0}"
#define COLUMN(name) "{" Q "name" Q ":" Q name Q "," REST

/* A text of the header, what it is turned into, and what is said about that. */
struct trap {
    const char *from, *to, *part;
};

static void assert_traps(struct bytes file, const struct trap *traps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bytes trap = edited(file, traps[i].from, traps[i].to);
        put_sealed(in_folder("trap"), trap);
        free(trap.data);
        assert_refused(in_folder("trap"), TULLE_ERROR_FORMAT, traps[i].part);
    }
    free(file.data);
}

static void test_traps(void **state)
{
    (void)state;
    static const struct trap traps[] = {
        {"\"dtype\"", "\"dtype", "bad header"},
        {"\"tulle_version\":", "\"tulle_version\":5,\"x\":", "bad header"},
        {"\"0.1.0\"", "\"0.1.0\",\"extra\":\"\"", "left unpacked"},
        {"\"0.1.0\"", "\"a version number of more than 31 bytes\"", "no version"},
        {"\"model\":\"", "\"model\":\"x", "bad description"},
        {"\"model\":", "\"no model\":", "bad header"},
        {"\"model\":\"{", "\"model\":\"[{", "bad description"},
        {Q "f32" Q, Q "f64" Q, "'layers.0.weight' is not as"},
        {Q "f32" Q, Q "f16" Q, "unknown precision 'f16'"},
        {Q "f32" Q, "32", "bad description"},
        {Q "precision" Q ":" Q "f32" Q ",", "", "bad description"},
        {Q "precision" Q, Q "extra" Q ":0," Q "precision" Q, "left unpacked"},

        {Q "regression" Q, Q "auto" Q, "unknown task 'auto'"},
        {Q "regression" Q, Q "classification" Q, "the loss mse is for regression"},
        {"\"format_version\":\"2\"", "\"format_version\":\"1\"", "left unpacked"},

        {Q "inputs" Q ":[", Q "inputs" Q ":[" COLUMN("x") ",", "'layers.0.weight' is not as"},
        {Q "inputs" Q ":[", Q "inputs" Q ":[5,", "bad inputs"},
        {Q "inputs" Q ":[", Q "inputs" Q ":[{" REST ",", "bad inputs"},
        {Q "inputs" Q ":[", Q "inputs" Q ":[]," Q "more" Q ":[", "left unpacked"},
        {Q "targets" Q ":[", Q "targets" Q ":[" COLUMN("x") ",", "bad metrics"},
        {Q "targets" Q ":[", Q "targets" Q ":{" Q "x" Q ":[", "bad description"},
        {Q "age" Q, Q "rooms" Q, "two inputs are named 'rooms'"},
        {Q "age" Q, Q Q, "has no name"},
        {Q "age" Q, "5", "bad inputs"},
        {Q "age" Q, Q "a\\\\u0000e" Q, "bad description"},
        {Q "age" Q, Q "\xff" Q, "bad header"},
        {Q "age" Q, Q "\\\\ud800" Q, "bad description"},
        {":0.5,", ":0.0,", "scale 0"},
        {":0.5,", ":-0.5,", "scale -0.5"},
        {":0.5,", ":1e999,", "bad description"},
        {":0.5,", ":1e-999,", "scale 0"},
        {":0.5,", ":null,", "bad inputs"},
        {":0.5,", ":NaN,", "bad description"},
        {":0.5,", ":0.5," Q "scale" Q ":0.5,", "bad description"},
        {":1.0,", ":4.0,", "from 4 to 3"},
        {Q "standard" Q, Q "minmax" Q, "unknown scaling 'minmax'"},
        {Q "standard" Q, Q "quantile" Q, "has 0 quantiles"},
        {Q "missing" Q ":0", Q "missing" Q ":-1", "bad missing: -1"},
        {Q "missing" Q ":0", Q "missing" Q ":1", "'layers.0.weight' is not as"},
        {Q "missing" Q ":0", Q "missing" Q ":0," Q "quantiles" Q ":2", "'columns.0.quantiles'"},
        {"60.0," Q "max" Q ":140.0," Q "scaling" Q ":" Q "standard" Q "," Q "missing" Q ":0",
         "60.0," Q "max" Q ":140.0," Q "scaling" Q ":" Q "quantile" Q "," Q "missing" Q ":0," Q
         "quantiles" Q ":2",
         "'price' has 2 quantiles"},

        {Q "units" Q ":2", Q "units" Q ":0", "is not as"},
        {Q "units" Q ":2", Q "units" Q ":-2", "bad units: -2"},
        {Q "units" Q ":2", Q "units" Q ":3", "is not as"},
        {Q "units" Q ":2", Q "units" Q ":2.0", "bad layers"},
        {Q "units" Q ":2", Q "units" Q ":1000000000000", "is not as"},
        {Q "units" Q ":2", Q "units" Q ":4611686018427387904", "'layers.0.weight' is too large"},
        {Q "units" Q ":2", Q "units" Q ":9223372036854775807", "'layers.0.weight' is too large"},
        {Q "units" Q ":2", Q "units" Q ":99999999999999999999", "bad description"},
        {Q "units" Q ":1", Q "units" Q ":1200000000000000000", "'layers.1.weight' is too large"},
        {"[{" Q "units",
         "[[],"
         "{" Q "units",
         "bad layers"},
        {Q "layers" Q ":[", Q "layers" Q ":[]," Q "more" Q ":[", "left unpacked"},
        {Q "relu" Q, Q "swish" Q, "unknown activation 'swish'"},
        {Q "relu" Q, "1", "bad layers"},
        {Q "parametric" Q ":false", Q "parametric" Q ":true", "'layers.0.mix' is not as"},
        {Q "parametric" Q ":false", Q "parametric" Q ":0", "bad layers"},
        {Q "dropout" Q ":0.0", Q "dropout" Q ":1.0", "dropout"},

        {Q "mse" Q, Q "hinge" Q, "unknown loss 'hinge'"},
        {Q "sgd" Q, Q "adagrad" Q, "unknown optimizer 'adagrad'"},
        {Q "learning_rate" Q ":", Q "learning_rate" Q ":-", "learning rate"},
        {Q "batch_size" Q ":", Q "batch_size" Q ":-", "bad batch_size: -32"},
        {Q "epochs" Q ":60", Q "epochs" Q ":9007199254740993", "2^53"},
        {Q "epochs" Q ":60", Q "epochs" Q ":60," Q "epochs" Q ":60", "bad description"},
        {Q "epochs" Q ":60", Q "epochs" Q ":60," Q "extra" Q ":60", "left unpacked"},
        {Q "seed" Q ":0", Q "seed" Q ":-1", "bad seed"},
        {Q "seed" Q ":0", Q "seed" Q ":4294967296", "bad seed"},
        {Q "huber_delta" Q ":1.0", Q "huber_delta" Q ":-1.0", "huber_delta is -1"},
        {Q "huber_delta" Q ":1.0,", "", "bad training"},
        {Q "label_smoothing" Q ":0.0", Q "label_smoothing" Q ":1.0", "label_smoothing is 1"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":[0.5]", "1 quantiles with the loss mse"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":[" Q "x" Q "]", "bad quantiles: not a number"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":5", "bad quantiles: not an array"},
        {Q "missing" Q ":[", Q "missing" Q ":[5,", "bad missing: a text is not a string"},
        {Q "missing" Q ":[", Q "missing" Q ":5," Q "m" Q ":[", "left unpacked"},
        {Q "missing" Q ":[", Q "m" Q ":[", "bad training"},
        {Q "weight_column" Q ":null", Q "weight_column" Q ":3", "bad weight_column"},
        {Q "best_epoch" Q ":0", Q "best_epoch" Q ":1", "epoch 1 is the best of 0"},
        {Q "curve" Q ":0", Q "curve" Q ":-1", "bad curve: -1"},
        {Q "curve" Q ":0", Q "curve" Q ":1", "'curve' is not as"},
        {Q "curve" Q ":0", Q "curve" Q ":9223372036854775807", "'curve' is too large"},
        {Q "split_column" Q ":null", Q "split_column" Q ":3", "bad split_column"},
        {"0.25,", "1.25,", "fractions"},
        {Q "train" Q ":3", Q "train" Q ":-3", "bad rows"},
        {Q "train" Q ":3", Q "train" Q ":3," Q "all" Q ":4", "left unpacked"},
        {Q "rmse" Q ":1.5", Q "rmse" Q ":-1.5", "impossible metrics"},
        {Q "rmse" Q ":1.5", Q "rmse" Q ":[]", "bad metrics"},
        {Q "r2" Q ":0.96875", Q "r2" Q ":1.96875", "impossible metrics"},
        {Q "r2" Q ":0.96875", Q "r2" Q ":null", "bad metrics: r2"},
        {Q "r2" Q ":0.96875", Q "r3" Q ":0.5", "bad metrics"},
        {Q "rows" Q ":3,", "", "bad metrics: no number of rows"},
        {Q "train" Q ":[{", Q "train" Q ":[{},{", "bad metrics"},
        {Q "train" Q ":[{", Q "train" Q ":[]," Q "x" Q ":[{", "left unpacked"},

        {"\"F32\"", "\"F64\"", "'layers.0.weight' is not as"},
        {"[2,2]", "[4]", "'layers.0.weight' is not as"},
        {"[2,2]", "[2,2,1]", "'layers.0.weight' is not as"},
        {"[2,2]", "[2,2.0]", "'layers.0.weight' is not as"},
        {"[2,2]", "null", "'layers.0.weight' is not as"},
        {"[16,24]", "[8,16]", "'layers.0.bias' is not as"},
        {"[16,24]", "[16,9223372036854775807]", "'layers.0.bias' is not as"},
        {"[16,24]", "[16,24],\"extra\":0", "'layers.0.bias' is not as"},
        {"\"layers.1.bias\"", "\"layers.9.bias\"", "'layers.1.bias' is not as"},
        {"\"layers.1.bias\"", "\"extra\":{},\"layers.1.bias\"", "the description does not name"},
        {"\"layers.1.bias\"", "\"layers.0.bias\":{},\"layers.1.bias\"", "bad header"},
    };
    assert_traps(example_bytes(), traps, sizeof traps / sizeof *traps);
}

/* Of categories, quantiles, embeddings and the curve. */
static void test_rich_traps(void **state)
{
    (void)state;
    static const struct trap traps[] = {
        {"[" Q "no" Q "," Q "yes" Q "]", "[]", "a column of no levels"},
        {"[" Q "no" Q "," Q "yes" Q "]", "[" Q "no" Q ",1]", "a text is not a string"},
        {"[" Q "no" Q "," Q "yes" Q "]", "[" Q "no" Q "," Q "no" Q "]", "two levels of 'lift'"},
        {"[" Q "no" Q "," Q "yes" Q "]", "5", "bad inputs: not an array"},
        {Q "yes" Q "]", Q Q "]", "level 2 of 'lift' is blank"},
        {Q "yes" Q "]", Q " \\\\t" Q "]", "level 2 of 'lift' is blank"},
        {Q "yes" Q "]", Q "yes" Q "," Q "or" Q "]", "'layers.0.weight' is not as"},
        {Q "dimensions" Q ":2", Q "dimensions" Q ":3", "'layers.0.weight' is not as"},
        {Q "dimensions" Q ":2", Q "dimensions" Q ":-2", "bad dimensions: -2"},
        {Q "dimensions" Q ":2", Q "dimensions" Q ":9223372036854775807", "too large"},
        {Q "dimensions" Q ":2,", "", "bad inputs"},
        {Q "5" Q "]", Q "5" Q "," Q "6" Q "]", "'embeddings.0.weight' is not as"},
        {Q "missing" Q ":3", Q "missing" Q ":0", "'layers.0.weight' is not as"},
        {Q "missing" Q ":3", Q "missing" Q ":9007199254740993", "2^53"},
        {Q "quantiles" Q ":4", Q "quantiles" Q ":3", "'columns.1.quantiles' is not as"},
        {Q "quantiles" Q ":4", Q "quantiles" Q ":-4", "bad quantiles: -4"},
        {Q "quantiles" Q ":4", Q "quantiles" Q ":9223372036854775807", "too large"},
        {Q "quantile" Q, Q "robust" Q, "'area' has 4 quantiles, expected none"},
        {Q "virginica" Q, Q "virginica" Q "," Q "x" Q, "'kind' has 4 classes"},
        {Q "virginica" Q, Q "setosa" Q, "two levels of 'kind'"},
        {Q "best_epoch" Q ":1", Q "best_epoch" Q ":3", "epoch 3 is the best of 2"},
        {Q "curve" Q ":2", Q "curve" Q ":3", "'curve' is not as"},
        {Q "classification" Q, Q "regression" Q, "is for classification"},
    };
    assert_traps(bytes_of(rich_model()), traps, sizeof traps / sizeof *traps);

    struct bytes file = bytes_of(rich_model());
    const double bad[] = {NAN, INFINITY, 1e9};
    for (int i = 0; i < 3; i++) { /* the quantiles come first */
        memcpy(file.data + data_offset(file), &bad[i], sizeof bad[i]);
        put_sealed(in_folder("bad"), file);
        assert_refused(in_folder("bad"), TULLE_ERROR_FORMAT, "not finite, ascending numbers");
    }
    free(file.data);
}

/* A file of format 1 is held to what that was. */
static void test_format_1_traps(void **state)
{
    (void)state;
    static const struct trap traps[] = {
        {Q "standardize" Q ":true", Q "standardize" Q ":1", "bad training"},
        {Q "standardize" Q ":true,", "", "bad training"},
        {Q "units" Q ":6", Q "units" Q ":6," Q "dropout" Q ":0.0", "left unpacked"},
        {Q "precision" Q, Q "task" Q ":" Q "regression" Q "," Q "precision" Q, "left unpacked"},
        {Q "max" Q ":15.0001", Q "max" Q ":15.0001," Q "missing" Q ":0", "left unpacked"},
        {Q "mse" Q, Q "mse" Q "," Q "huber_delta" Q ":1.0", "left unpacked"},
        {Q "rows" Q ":13209,", Q "rows" Q ":13209," Q "auc" Q ":1.0,", "bad metrics"},
        {"," Q "r2" Q ":0.65784446333095548", "", "bad metrics"},
        {Q "mse" Q, Q "cross_entropy" Q, "unknown loss 'cross_entropy'"},
        {Q "mse" Q, Q "mae" Q, "unknown loss 'mae'"},
        {Q "sgd" Q, Q "adamw" Q, "unknown optimizer 'adamw'"},
        {Q "identity" Q, Q "elu" Q, "unknown activation 'elu'"},
        {Q "identity" Q, Q "sine" Q, "unknown activation 'sine'"},
        {Q "seed" Q, Q "missing" Q ":[]," Q "seed" Q, "left unpacked"},
        {"\"format_version\":\"1\"", "\"format_version\":\"2\"", "bad description"},
    };
    assert_traps(get_bytes(TULLE_SOURCE_DIR "/tests/data/model_v1.tulle"), traps,
                 sizeof traps / sizeof *traps);
}

static void test_parameters_not_finite(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    struct bytes file = example_bytes();
    for (size_t at = data_offset(file); at < file.size; at += sizeof(float)) {
        unsigned char saved[sizeof(float)];
        memcpy(saved, file.data + at, sizeof saved);
        for (int i = 0; i < 3; i++) {
            memcpy(file.data + at, &bad[i], sizeof bad[i]);
            put_sealed(in_folder("bad"), file);
            assert_refused(in_folder("bad"), TULLE_ERROR_FORMAT, "not finite");
        }
        memcpy(file.data + at, saved, sizeof saved);
    }
    free(file.data);
}

/* A parser that calls itself must have a limit. */
static void test_deep_nesting(void **state)
{
    (void)state;
    struct bytes file = example_bytes();
    size_t depth = 1000000;
    char *brackets = malloc(depth + 32);
    assert_non_null(brackets);
    const char *const before[] = {"\"model\":\"", "\"layers.0.weight\":"};
    for (int i = 0; i < 2; i++) {
        strcpy(brackets, before[i]);
        memset(brackets + strlen(before[i]), '[', depth);
        brackets[strlen(before[i]) + depth] = '\0';
        struct bytes trap = edited(file, before[i], brackets);
        put_sealed(in_folder("deep"), trap);
        free(trap.data);
        assert_refused(in_folder("deep"), TULLE_ERROR_FORMAT, "depth");
    }
    free(brackets);
    free(file.data);
}

/* Huge on paper only: it must be neither held in memory nor read to its end. */
static void test_sparse(void **state)
{
    (void)state;
    free(example_bytes().data);
    if (truncate(in_folder("example"), (off_t)1 << 40) != 0)
        skip();
    assert_refused(in_folder("example"), TULLE_ERROR_FORMAT, "take 36 bytes");
    int fd = open(in_folder("example"), O_WRONLY);
    assert_int_equal(pwrite(fd, "\xf8\xff\xff\x3f", 4, 0), 4);
    close(fd);
    assert_refused(in_folder("example"), TULLE_ERROR_FORMAT, "a header of 1073741816 bytes");
    put_bytes(in_folder("zeros"), "", 0);
    assert_int_equal(truncate(in_folder("zeros"), (off_t)1 << 40), 0);
    assert_refused(in_folder("zeros"), TULLE_ERROR_FORMAT, "not a Tulle model");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_no_model),       TEST(test_cut_short),
        TEST(test_versions),       TEST(test_every_flipped_bit),
        TEST(test_traps),          TEST(test_rich_traps),
        TEST(test_format_1_traps), TEST(test_header_lengths),
        TEST(test_sparse),         TEST(test_parameters_not_finite),
        TEST(test_deep_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no model files to refuse */
}

#endif
