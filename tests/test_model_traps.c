/*
 * test_model_traps.c - files that say what no model can be: all are refused with one line that
 * names the file. A trap has a right checksum, so that it gets past that.
 */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <math.h>

#include "edited_model.h"

/* Quotes within the description of the model are escaped in the header. */
#define Q "\\\""
#define REST                                                                                       \
    Q "mean" Q ":0.0," Q "scale" Q ":1.0," Q "min" Q ":0.0," Q "max" Q ":0.0," Q "scaling" Q ":" Q \
      "none" Q "," Q "missing" Q ":0," Q "clamped" Q ":false}"
#define COLUMN(name) "{" Q "name" Q ":" Q name Q "," REST

#define TABLE(dimensions)                                                                          \
    "{" Q "name" Q ":" Q "t" Q "," Q "levels" Q ":[" Q "a" Q "]," Q "dimensions" Q ":" dimensions  \
    "," Q "missing" Q ":0},"

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
        {"\"0.1.0\"", "\"0.1.0\",\"extra\":\"\"", "unknown members"},
        {"\"0.1.0\"", "\"a version number of more than 31 bytes\"", "no version"},
        {"\"model\":\"", "\"model\":\"x", "bad description"},
        {"\"model\":", "\"no model\":", "bad header"},
        {"\"model\":\"{", "\"model\":\"[{", "bad description"},
        {Q "f32" Q, Q "f64" Q, "'layers.0.weight' is not as"},
        {Q "f32" Q, Q "f16" Q, "unknown precision 'f16'"},
        {Q "f32" Q, "32", "bad description"},
        {Q "precision" Q ":" Q "f32" Q ",", "", "bad description"},
        {Q "precision" Q, Q "extra" Q ":0," Q "precision" Q, "unknown members"},

        {Q "regression" Q, Q "auto" Q, "unknown task 'auto'"},
        {Q "regression" Q, Q "classification" Q, "the loss mse is for regression"},
        {"\"format_version\":\"3\"", "\"format_version\":\"1\"", "unknown members"},
        {"\"format_version\":\"3\"", "\"format_version\":\"2\"", "unknown members"},

        {Q "inputs" Q ":[", Q "inputs" Q ":[" COLUMN("x") ",", "'layers.0.weight' is not as"},
        {Q "inputs" Q ":[", Q "inputs" Q ":[5,", "bad inputs"},
        {Q "inputs" Q ":[", Q "inputs" Q ":[{" REST ",", "bad inputs"},
        {Q "inputs" Q ":[", Q "inputs" Q ":[]," Q "more" Q ":[", "unknown members"},
        {Q "targets" Q ":[", Q "targets" Q ":[" COLUMN("x") ",", "bad metrics"},
        {Q "targets" Q ":[", Q "targets" Q ":{" Q "x" Q ":[", "bad description"},
        {Q "inputs" Q ":[",
         Q "inputs" Q ":[" TABLE("9223372036854775806") TABLE("9223372036854775807"),
         "'layers.0.weight' is too large"}, /* SIZE_MAX, with the two numbers */
        {Q "inputs" Q ":[",
         Q "inputs" Q ":[" TABLE("9223372036854775807") TABLE("9223372036854775807"),
         "its inputs have too many dimensions"},
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
        {Q "clamped" Q ":false", Q "clamped" Q ":true", "the input 'rooms' is clamped"},
        {Q "clamped" Q ":false", Q "clamped" Q ":0", "bad inputs"},
        {"," Q "clamped" Q ":false", "", "bad inputs"},

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
        {Q "layers" Q ":[", Q "layers" Q ":[]," Q "more" Q ":[", "unknown members"},
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
        {Q "epochs" Q ":60", Q "epochs" Q ":60," Q "extra" Q ":60", "unknown members"},
        {Q "seed" Q ":0", Q "seed" Q ":-1", "bad seed"},
        {Q "seed" Q ":0", Q "seed" Q ":4294967296", "bad seed"},
        {Q "huber_delta" Q ":1.0", Q "huber_delta" Q ":-1.0", "huber_delta is -1"},
        {Q "huber_delta" Q ":1.0,", "", "bad training"},
        {Q "label_smoothing" Q ":0.0", Q "label_smoothing" Q ":1.0", "label_smoothing is 1"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":[0.5]", "1 quantiles with the loss mse"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":[" Q "x" Q "]", "bad quantiles: not a number"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":5", "bad quantiles: not an array"},
        {Q "quantiles" Q ":[]", Q "quantiles" Q ":[1]", "1 quantiles with the loss mse"},
        {Q "settings" Q ":{}", Q "settings" Q ":[]", "bad settings: not an object"},
        {Q "missing" Q ":[", Q "missing" Q ":[5,", "bad missing: a text is not a string"},
        {Q "missing" Q ":[", Q "missing" Q ":5," Q "m" Q ":[", "unknown members"},
        {Q "missing" Q ":[", Q "m" Q ":[", "bad training"},
        {Q "weight_column" Q ":null", Q "weight_column" Q ":3", "bad weight_column"},
        {Q "best_epoch" Q ":0", Q "best_epoch" Q ":1", "epoch 1 is the best of 0"},
        {Q "curve" Q ":0", Q "curve" Q ":-1", "bad curve: -1"},
        {Q "curve" Q ":0", Q "curve" Q ":1", "'curve' is not as"},
        {Q "curve" Q ":0", Q "curve" Q ":9223372036854775807", "'curve' is too large"},
        {Q "split_column" Q ":null", Q "split_column" Q ":3", "bad split_column"},
        {"0.25,", "1.25,", "fractions"},
        {Q "train" Q ":3", Q "train" Q ":-3", "bad rows"},
        {Q "train" Q ":3", Q "train" Q ":3," Q "all" Q ":4", "unknown members"},
        {Q "rmse" Q ":1.5", Q "rmse" Q ":-1.5", "impossible metrics"},
        {Q "rmse" Q ":1.5", Q "rmse" Q ":[]", "bad metrics"},
        {Q "r2" Q ":0.96875", Q "r2" Q ":1.96875", "impossible metrics"},
        {Q "r2" Q ":0.96875", Q "r2" Q ":null", "bad metrics: r2"},
        {Q "r2" Q ":0.96875", Q "r3" Q ":0.5", "bad metrics"},
        {Q "r2" Q ":0.96875", Q "r2" Q ":2", "impossible metrics"},
        {Q "rows" Q ":3,", "", "bad metrics: no number of rows"},
        {Q "rows" Q ":3,", Q "rows" Q ":3.0,", "bad metrics: no number of rows"},
        {Q "train" Q ":[{", Q "train" Q ":[{},{", "bad metrics"},
        {Q "train" Q ":[{", Q "train" Q ":[{" Q "rows" Q ":3},{",
         "bad metrics: expected one for each of the 1 targets in 'train'"},
        {Q "train" Q ":[{", Q "train" Q ":[]," Q "x" Q ":[{", "unknown members"},

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

#define FRONT(numbers, dimensions, frequencies, bins)                                              \
    numbers "," Q "dimensions" Q ":" dimensions "," Q "frequencies" Q ":" frequencies "," Q        \
            "bins" Q ":" bins

static void test_front_traps(void **state)
{
    (void)state;
    static const struct trap traps[] = {
        {"[0,2,8]", "[0,2,9]", "embedded numbers must be inputs, ascending"},
        {"[0,2,8]", "[2,0,8]", "embedded numbers must be inputs, ascending"},
        {"[0,2,8]", "[0,2,2]", "embedded numbers must be inputs, ascending"},
        {"[0,2,8]", "[0,2,9223372036854775807]", "embedded numbers must be inputs, ascending"},
        {"[0,2,8]", "[0,2,-8]", "bad numbers: -8"},
        {"[0,2,8]", "[-1,2,8]", "bad numbers: -1"},
        {"[0,2,8]", "[0,2,8.0]", "bad numbers: not an integer"},
        {"[0,2,8]", "[0,2]", "'layers.0.weight' is not as"},
        {"[0,2,8]", "8", "bad numbers: not an array"},
        {FRONT("[0,2,8]", "2", "5", "0"), FRONT("[]", "2", "0", "0"), "dimensions of no numbers"},
        {FRONT("[0,2,8]", "2", "5", "0"), FRONT("[]", "0", "5", "0"), "dimensions of no numbers"},
        {FRONT("[0,2,8]", "2", "5", "0"), FRONT("[]", "0", "0", "1"), "dimensions of no numbers"},
        {Q "frequencies" Q ":5", Q "frequencies" Q ":6", "'numbers.frequency' is not as"},
        {Q "frequencies" Q ":5", Q "frequencies" Q ":0", "'numbers.frequency' is not as"},
        {Q "frequencies" Q ":5", Q "frequencies" Q ":-5", "bad frequencies: -5"},
        {Q "frequencies" Q ":5", Q "frequencies" Q ":4611686018427387904",
         "'numbers.frequency' is too large"},
        {Q "frequencies" Q ":5,", "", "bad front"},
        {"8]," Q "dimensions" Q ":2", "8]," Q "dimensions" Q ":3", "'layers.0.weight' is not as"},
        {"8]," Q "dimensions" Q ":2", "8]," Q "dimensions" Q ":-2", "bad dimensions: -2"},
        {"8]," Q "dimensions" Q ":2", "8]," Q "dimensions" Q ":9223372036854775807",
         "its inputs have too many dimensions"},
        {"8]," Q "dimensions" Q ":2", "8]," Q "dimensions" Q ":6148914691236517205",
         "its inputs have too many dimensions"}, /* SIZE_MAX of three numbers, and the others */
        {"8]," Q "dimensions" Q ":2", "8]," Q "dimensions" Q ":3074457345618258602", "too large"},
        {Q "bins" Q ":0", Q "bins" Q ":1", "'numbers.knots' is not as"},
        {Q "bins" Q ":0", Q "bins" Q ":9223372036854775807", "'numbers.knots' is too large"},
        {Q "bins" Q ":0", Q "bins" Q ":-1", "bad bins: -1"},
        {Q "factors" Q ":true", Q "factors" Q ":false", "it has tensors that"},
        {Q "factors" Q ":true", Q "factors" Q ":1", "bad front"},
        {Q "members" Q ":2", Q "members" Q ":0", "bad members: 0"},
        {Q "members" Q ":2", Q "members" Q ":-2", "bad members: -2"},
        {Q "members" Q ":2", Q "members" Q ":1", "'layers.1.weight' is not as"},
        {Q "members" Q ":2", Q "members" Q ":3", "'layers.1.weight' is not as"},
        {Q "members" Q ":2", Q "members" Q ":9223372036854775807",
         "'layers.1.weight' is too large"},
        {Q "members" Q ":2", Q "members" Q ":9223372036854775808", "bad description"},
        {Q "members" Q ":2", Q "members" Q ":2," Q "x" Q ":0", "unknown members"},
        {Q "front" Q ":{", Q "front" Q ":[]," Q "x" Q ":{", "unknown members"},
        {Q "front" Q ":{", Q "back" Q ":{", "bad description"},
        {"\"shape\":[2,3,8]", "\"shape\":[6,8]", "'layers.1.weight' is not as"},
        {"\"shape\":[3,2,5]", "\"shape\":[3,10]", "'numbers.weight' is not as"},
        {"\"shape\":[2,17]", "\"shape\":[34]", "'factors' is not as"},
        {"\"factors\":{", "\"factor\":{", "'factors' is not as"},

        {Q "0.04" Q, "0.04", "bad settings: 'learning_rate' is not a string"},
        {Q "0.04" Q, Q "0.04" Q "," Q "learning_rate" Q ":" Q "1" Q, "bad description"},
        {Q "hidden" Q ":" Q Q, Q Q ":" Q Q, "setting 3 has no name"},
        {Q "settings" Q ":{", Q "settings" Q ":[]," Q "x" Q ":{", "unknown members"},
        {Q "settings" Q ":{", Q "x" Q ":{", "bad description"},
    };
    assert_traps(bytes_of(rich_model()), traps, sizeof traps / sizeof *traps);
}

static void test_knot_traps(void **state)
{
    (void)state;
    static const double knots[] = {1, 2, 3, 4, 5, 6}, bad[] = {NAN, INFINITY, 1, 2};
    struct rich rich;
    struct tulle_model *model;
    rich_init(&rich);
    rich.inputs[1].scaling = TULLE_SCALING_NONE;
    rich.inputs[1].quantiles = NULL;
    rich.inputs[1].quantile_count = 0;
    rich.info.front = (struct tulle_front){
        .numbers = rich.numbers, .number_count = 2, .dimensions = 1, .bins = 2, .knots = knots};
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    struct bytes file = bytes_of(model);
    for (int i = 0; i < 4; i++) { /* instead of the third knot, of 3 */
        memcpy(file.data + data_offset(file) + 2 * sizeof *bad, &bad[i], sizeof *bad);
        put_sealed(in_folder("bad"), file);
        assert_refused(in_folder("bad"), TULLE_ERROR_FORMAT, "must be finite and ascend");
    }
    const struct trap traps[] = {
        {Q "bins" Q ":2", Q "bins" Q ":3", "'numbers.knots' is not as"},
        {Q "bins" Q ":2", Q "bins" Q ":0", "'curve' is not as"},
        {Q "frequencies" Q ":0", Q "frequencies" Q ":1", "either frequencies or bins"},
    };
    memcpy(file.data + data_offset(file) + 2 * sizeof *bad, &knots[2], sizeof *bad);
    assert_traps(file, traps, sizeof traps / sizeof *traps);
}

/* Lists that are none, put into an object. */
static void test_no_lists(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *began, *end, *ended, *part;
    } cases[] = {
        {Q "layers" Q ":[", Q "layers" Q ":{" Q "x" Q ":[", "]," Q "training" Q,
         "]}," Q "training" Q, "bad layers: not an array"},
        {Q "train" Q ":[", Q "train" Q ":{" Q "x" Q ":[", "]," Q "valid" Q ":[",
         "]}," Q "valid" Q ":[", "bad metrics: expected one for each of the 1 targets in 'train'"},
    };
    struct bytes file = example_bytes();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes half = edited(file, cases[i].begin, cases[i].began);
        struct bytes trap = edited(half, cases[i].end, cases[i].ended);
        put_sealed(in_folder("trap"), trap);
        assert_refused(in_folder("trap"), TULLE_ERROR_FORMAT, cases[i].part);
        free(half.data);
        free(trap.data);
    }
    free(file.data);
}

/* Members without factors, in a file that is otherwise as such a description says. */
static void test_members_without_factors(void **state)
{
    (void)state;
    struct rich rich;
    struct tulle_model *model;
    char entry[128];
    rich_init(&rich);
    rich.info.front = (struct tulle_front){.has_factors = 1, .members = 2};
    assert_int_equal(tulle_model_create(&rich.info, &model, NULL), TULLE_OK);
    const size_t bytes = 2 * model->network.layers[0].inputs * sizeof(float);
    struct bytes file = bytes_of(model);
    struct bytes half = edited(file, Q "factors" Q ":true", Q "factors" Q ":false");
    const char *at = strstr((char *)half.data + 8, ",\"factors\":");
    assert_non_null(at);
    snprintf(entry, sizeof entry, "%.*s", (int)strcspn(at, "}") + 1, at);
    struct bytes trap = edited(half, entry, "");
    trap.size -= bytes;
    put_sealed(in_folder("trap"), trap);
    assert_refused(in_folder("trap"), TULLE_ERROR_FORMAT, "members need factors");
    free(trap.data);
    free(half.data);
    free(file.data);
}

/* A file of format 1 is held to what that was. */
static void test_format_1_traps(void **state)
{
    (void)state;
    static const struct trap traps[] = {
        {Q "standardize" Q ":true", Q "standardize" Q ":1", "bad training"},
        {Q "standardize" Q ":true,", "", "bad training"},
        {Q "units" Q ":6", Q "units" Q ":6," Q "dropout" Q ":0.0", "unknown members"},
        {Q "precision" Q, Q "task" Q ":" Q "regression" Q "," Q "precision" Q, "unknown members"},
        {Q "max" Q ":15.0001", Q "max" Q ":15.0001," Q "missing" Q ":0", "unknown members"},
        {Q "mse" Q, Q "mse" Q "," Q "huber_delta" Q ":1.0", "unknown members"},
        {Q "rows" Q ":13209,", Q "rows" Q ":13209," Q "auc" Q ":1.0,", "bad metrics"},
        {"," Q "r2" Q ":0.65784446333095548", "", "bad metrics"},
        {Q "r2" Q ":0.65784446333095548", Q "pinball" Q ":0.5", "bad metrics"},
        {Q "r2" Q ":0.65784446333095548", Q "f1" Q ":0.5", "bad metrics"},
        {Q "r2" Q ":0.65784446333095548", Q "r2" Q ":true", "bad metrics: r2 is not a number"},
        {Q "mse" Q, Q "cross_entropy" Q, "unknown loss 'cross_entropy'"},
        {Q "mse" Q, Q "mae" Q, "unknown loss 'mae'"},
        {Q "sgd" Q, Q "adamw" Q, "unknown optimizer 'adamw'"},
        {Q "identity" Q, Q "elu" Q, "unknown activation 'elu'"},
        {Q "identity" Q, Q "sine" Q, "unknown activation 'sine'"},
        {Q "seed" Q, Q "missing" Q ":[]," Q "seed" Q, "unknown members"},
        {"\"format_version\":\"1\"", "\"format_version\":\"2\"", "bad description"},
    };
    assert_traps(get_bytes(TULLE_SOURCE_DIR "/tests/data/model_v1.tulle"), traps,
                 sizeof traps / sizeof *traps);
}

/* What else could be in a file of format 1: columns that were not scaled, and figures of no rows.
 */
static void test_format_1_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        enum tulle_scaling scaling;
    } edits[] = {
        {Q "mean" Q ":3.8831891589067942", Q "mean" Q ":0.0", TULLE_SCALING_STANDARD},
        {Q "scale" Q ":1.9070028526183656", Q "scale" Q ":1.0", TULLE_SCALING_NONE},
        {Q "r2" Q ":0.65784446333095548", Q "r2" Q ":null", TULLE_SCALING_NONE},
        {Q "identity" Q, Q "logistic" Q, TULLE_SCALING_NONE}, /* the last that there was */
    };
    struct bytes file = get_bytes(TULLE_SOURCE_DIR "/tests/data/model_v1.tulle");
    struct tulle_model *model = NULL;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        struct bytes changed = edited(file, edits[i].from, edits[i].to);
        free(file.data);
        file = changed;
        put_sealed(in_folder("old"), file);
        tulle_model_free(model);
        model = load_model(in_folder("old"));
        assert_int_equal(tulle_model_info(model)->inputs[0].scaling, edits[i].scaling);
        assert_int_equal(tulle_model_info(model)->inputs[1].scaling, TULLE_SCALING_STANDARD);
    }
    assert_true(isnan(tulle_model_info(model)->metrics[0].value[TULLE_METRIC_R2]));
    tulle_model_free(model);
    free(file.data);
}

static void test_format_2_traps(void **state)
{
    (void)state;
    static const struct trap traps[] = {
        {Q "layers" Q ":", Q "front" Q ":{}," Q "layers" Q ":", "unknown members"},
        {Q "layers" Q ":", Q "settings" Q ":{}," Q "layers" Q ":", "unknown members"},
        {Q "missing" Q ":3", Q "missing" Q ":3," Q "clamped" Q ":false", "unknown members"},
        {"\"format_version\":\"2\"", "\"format_version\":\"3\"", "bad description"},
        {"\"format_version\":\"2\"", "\"format_version\":\"1\"", "unknown members"},
    };
    assert_traps(get_bytes(TULLE_SOURCE_DIR "/tests/data/model_v2.tulle"), traps,
                 sizeof traps / sizeof *traps);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_traps),          TEST(test_rich_traps),       TEST(test_front_traps),
        TEST(test_knot_traps),     TEST(test_no_lists),         TEST(test_members_without_factors),
        TEST(test_format_1_traps), TEST(test_format_1_numbers), TEST(test_format_2_traps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: there are no model files to refuse */
}

#endif
