/*
 * test_trainer_state.c - what a trainer is between two steps, taken out as bytes and put into
 * another, which then goes on with the same bits; which bytes are refused, and that nothing has
 * happened then; and the other ways from one trainer to another: blends.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/base/mix64.h"
#include "random_network.h"

/* Freed with free(). */
static unsigned char *get_state(const tulle_trainer *trainer)
{
    size_t size = tulle_trainer_state_size(trainer);
    unsigned char *state = malloc(size);
    assert_non_null(state);
    memset(state, 0xa5, size);
    tulle_trainer_get_state(trainer, state);
    return state;
}

static enum tulle_status set_state(tulle_trainer *trainer, const void *state)
{
    return tulle_trainer_set_state(trainer, state, tulle_trainer_state_size(trainer));
}

static void train(tulle_trainer *trainer, const struct random_network *n, int epochs)
{
    for (int i = 0; i < epochs; i++) /* one that diverges does so with the same bits */
        (void)tulle_trainer_epoch(trainer, first_x(n, n->rows), first_y(n, n->rows), NULL);
}

static void assert_same_states(const tulle_trainer *a, const tulle_trainer *b)
{
    unsigned char *first = get_state(a), *second = get_state(b);
    assert_int_equal(tulle_trainer_state_size(a), tulle_trainer_state_size(b));
    assert_memory_equal(first, second, tulle_trainer_state_size(a));
    free(first), free(second);
}

static void draw(struct random_network *n, struct tulle_rng *rng)
{
    draw_network(n, rng);
    draw_optimizer(n, rng);
}

/* --- Going on --------------------------------------------------------------------------------- */

static void check_going_on(struct tulle_rng *rng)
{
    struct random_network n;
    draw(&n, rng);
    tulle_trainer *trainer = trainer_of(&n), *other = new_trainer(&n.options);
    train(trainer, &n, 2);
    tulle_trainer_set_learning_rate(trainer, n.options.learning_rate / 2);
    tulle_trainer_set_regularization(trainer, 0.75);
    unsigned char *state = get_state(trainer),
                  *moved = malloc(tulle_trainer_state_size(trainer) + 1);
    assert_non_null(moved);
    memcpy(moved + 1, state, tulle_trainer_state_size(trainer)); /* at an odd address */
    assert_int_equal(set_state(other, moved + 1), TULLE_OK);
    assert_same_states(trainer, other);
    train(trainer, &n, 2);
    train(other, &n, 2);
    assert_same_states(trainer, other);
    assert_true(same_parameters(trainer, other, &n.options));
    assert_memory_equal(tulle_trainer_rng(trainer), tulle_trainer_rng(other),
                        sizeof(struct tulle_rng));
    assert_int_equal(set_state(trainer, state), TULLE_OK); /* back in time */
    train(trainer, &n, 2);
    assert_same_states(trainer, other);
    free(state), free(moved);
    tulle_trainer_free(trainer), tulle_trainer_free(other);
    clear_network(&n);
}

/* --- What is refused -------------------------------------------------------------------------- */

static void assert_refused(tulle_trainer *trainer, const unsigned char *state, size_t size)
{
    unsigned char *before = get_state(trainer);
    assert_int_equal(tulle_trainer_set_state(trainer, state, size), TULLE_ERROR_FORMAT);
    unsigned char *after = get_state(trainer);
    assert_memory_equal(after, before, tulle_trainer_state_size(trainer));
    free(before), free(after);
}

/* Any byte that is another, and any that is missing. */
static void check_damage(struct tulle_rng *rng)
{
    struct random_network n;
    draw(&n, rng);
    tulle_trainer *trainer = trainer_of(&n);
    train(trainer, &n, 1);
    unsigned char *state = get_state(trainer);
    size_t size = tulle_trainer_state_size(trainer), at = tulle_rng_integer(rng, size - 1);
    train(trainer, &n, 1);
    state[at] ^= (unsigned char)(1 << tulle_rng_integer(rng, 7));
    assert_refused(trainer, state, size);
    assert_refused(trainer, state, at);
    assert_refused(trainer, NULL, 0);
    free(state);
    tulle_trainer_free(trainer);
    clear_network(&n);
}

TEST_PROPERTY(going_on, 150)
TEST_PROPERTY(damage, 150)

enum { INPUTS = 3, NUMBERS = 2, ROWS = 4 };

static const size_t numbers[] = {0, 2}, other_numbers[] = {1, 2};
static const double knots[] = {-1, 0, 2, -1, 1, 3}, other_knots[] = {-1, 0, 2, -1, 1, 4};
static const double fewer_knots[] = {-1, 2, -1, 3};
static const struct tulle_layer layers[] = {{6, TULLE_ACTIVATION_TANH, 1, 0.5},
                                            {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_layer without_dropout[] = {{6, TULLE_ACTIVATION_TANH, 1, 0},
                                                     {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_layer other_units[] = {{6, TULLE_ACTIVATION_TANH, 1, 0},
                                                 {3, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_layer other_activation[] = {{6, TULLE_ACTIVATION_SINE, 1, 0},
                                                      {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_layer unmixed[] = {{6, TULLE_ACTIVATION_TANH, 0, 0},
                                             {2, TULLE_ACTIVATION_IDENTITY, 0, 0}};
static const struct tulle_embedding embedding = {4, 3}, fewer_levels = {3, 3}, wider = {4, 4};

static struct tulle_trainer_options rich_options(void)
{
    struct tulle_trainer_options options = network_options(INPUTS, layers, 2, TULLE_F32);
    options.embeddings = &embedding;
    options.embedding_count = 1;
    options.front = (struct tulle_front){.numbers = numbers,
                                         .number_count = NUMBERS,
                                         .dimensions = 2,
                                         .bins = 2,
                                         .knots = knots,
                                         .has_factors = 1,
                                         .members = 2};
    options.optimizer = TULLE_OPTIMIZER_ADAM;
    return options;
}

/* Networks that are not that of rich_options(). */
enum { OTHERS = 16 };

static struct tulle_trainer_options other_options(size_t i)
{
    struct tulle_trainer_options o = rich_options();
    switch (i) {
    case 0:
        o.precision = TULLE_F64;
        break;
    case 1:
        o.layers = other_units;
        break;
    case 2:
        o.layers = other_activation;
        break;
    case 3:
        o.layers = unmixed;
        break;
    case 4:
        o.inputs++;
        break;
    case 5:
        o.embeddings = &fewer_levels;
        break;
    case 6:
        o.embeddings = &wider;
        break;
    case 7:
        o.embedding_count = 0;
        break;
    case 8:
        o.front.numbers = other_numbers;
        break;
    case 9:
        o.front.knots = other_knots;
        break;
    case 10:
        o.front.members = 3;
        break;
    case 11:
        o.front.number_count = 1;
        break;
    case 12:
        o.front.bins = 0;
        o.front.frequencies = 2;
        break;
    case 13:
        o.front.bins = 1;
        o.front.knots = fewer_knots;
        break;
    case 14:
        o.front.dimensions = 3;
        break;
    default:
        o.layers = layers + 1;
        o.layer_count = 1;
    }
    return o;
}

static void test_other_networks(void **state)
{
    struct tulle_trainer_options options = rich_options();
    tulle_trainer *trainer = new_trainer(&options);
    unsigned char *bytes = get_state(trainer);
    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        options = other_options(i);
        tulle_trainer *other = new_trainer(&options);
        double *before = get_parameters(other, &options);
        assert_refused(other, bytes, tulle_trainer_state_size(trainer));
        assert_int_equal(tulle_trainer_blend(other, trainer, 0.5), TULLE_ERROR_ARGUMENT);
        double *after = get_parameters(other, &options);
        assert_memory_equal(before, after, parameter_count(&options) * sizeof *before);
        free(before), free(after);
        tulle_trainer_free(other);
    }
    free(bytes);
    tulle_trainer_free(trainer);
}

/* Of one member, which can do without factors. */
static void test_other_factors(void **state)
{
    struct tulle_trainer_options options = rich_options();
    (void)state;
    options.front.members = 1;
    tulle_trainer *trainer = new_trainer(&options);
    unsigned char *bytes = get_state(trainer);
    options.front.has_factors = 0;
    tulle_trainer *other = new_trainer(&options);
    assert_refused(other, bytes, tulle_trainer_state_size(trainer));
    assert_int_equal(tulle_trainer_blend(other, trainer, 0.5), TULLE_ERROR_ARGUMENT);
    free(bytes);
    tulle_trainer_free(trainer), tulle_trainer_free(other);
}

/* Of the same network, with other things to remember; and one with other options for a step, which
 * are the caller's business. */
static void test_other_optimizers(void **state)
{
    struct tulle_trainer_options options = rich_options();
    tulle_trainer *trainer = new_trainer(&options);
    unsigned char *bytes = get_state(trainer);
    (void)state;
    options.optimizer = TULLE_OPTIMIZER_ADAMW;
    tulle_trainer *other = new_trainer(&options);
    assert_refused(other, bytes, tulle_trainer_state_size(trainer));
    tulle_trainer_free(other);
    options.optimizer = TULLE_OPTIMIZER_ADAM;
    options.averaging = 0.5;
    other = new_trainer(&options);
    assert_refused(other, bytes, tulle_trainer_state_size(trainer));
    tulle_trainer_free(other);
    options = rich_options();
    options.beta1 = 0.5;
    options.layers = without_dropout;
    options.loss = TULLE_LOSS_HUBER;
    options.batch_size = 7;
    other = new_trainer(&options);
    assert_int_equal(set_state(other, bytes), TULLE_OK);
    assert_same_states(trainer, other);
    free(bytes);
    tulle_trainer_free(trainer), tulle_trainer_free(other);
}

/* Where the numbers of the header stand, and a value there that no trainer writes. */
static const struct {
    size_t at;
    double value;
} impossible[] = {{32, -1}, {32, INFINITY}, {32, NAN}, {40, -0.5}, {40, 1.5},
                  {48, -1}, {48, 2},        {56, -1},  {56, 2},    {56, NAN}};
enum { POSITION = 64 + 624 * 4, MAGIC = 0, VERSION = 8 };

/* With the checksum that belongs to them. */
static void seal(unsigned char *bytes, size_t size)
{
    uint64_t checksum = tulle_hash_bytes(0, bytes, size - sizeof checksum);
    memcpy(bytes + size - sizeof checksum, &checksum, sizeof checksum);
}

static void test_forgeries(void **state)
{
    struct tulle_trainer_options options = rich_options();
    tulle_trainer *trainer = new_trainer(&options);
    size_t size = tulle_trainer_state_size(trainer);
    (void)state;
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        unsigned char *bytes = get_state(trainer);
        memcpy(bytes + impossible[i].at, &impossible[i].value, sizeof(double));
        seal(bytes, size);
        assert_refused(trainer, bytes, size);
        free(bytes);
    }
    unsigned char *bytes = get_state(trainer);
    memcpy(bytes + POSITION, &(uint32_t){625}, sizeof(uint32_t));
    seal(bytes, size);
    assert_refused(trainer, bytes, size);
    free(bytes);
    bytes = get_state(trainer);
    for (size_t at = MAGIC; at <= VERSION; at += VERSION - MAGIC) {
        bytes[at]++;
        seal(bytes, size);
        assert_refused(trainer, bytes, size);
        bytes[at]--;
    }
    seal(bytes, size);
    assert_int_equal(set_state(trainer, bytes), TULLE_OK);
    free(bytes);
    tulle_trainer_free(trainer);
}

/* --- Blends ----------------------------------------------------------------------------------- */

static void check_blend(struct tulle_rng *rng)
{
    const double shares[] = {0, 0.005, 0.5, draw_number(rng, 0, 1), 1};
    struct random_network n;
    draw(&n, rng);
    size_t count = parameter_count(&n.options);
    tulle_trainer *from = trainer_of(&n), *trainer = new_trainer(&n.options);
    free(randomize_parameters(trainer, &n.options, rng));
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        double *before = get_parameters(trainer, &n.options);
        assert_int_equal(tulle_trainer_blend(trainer, from, shares[s]), TULLE_OK);
        double *after = get_parameters(trainer, &n.options);
        for (size_t i = 0; i < count; i++) {
            double blend = (1 - shares[s]) * before[i] + shares[s] * n.parameters[i];
            assert_true(after[i] == (n.options.precision == TULLE_F64 ? blend : (float)blend));
        }
        free(before), free(after);
    }
    assert_true(same_parameters(trainer, from, &n.options));
    tulle_trainer_free(from), tulle_trainer_free(trainer);
    clear_network(&n);
}

TEST_PROPERTY(blend, 100)

/* Whatever stood there before; and nothing for a share that is none. */
static void test_shares(void **state)
{
    static const double wrong[] = {-0.5, 1.5, NAN};
    struct tulle_trainer_options options = rich_options(), target_options = rich_options();
    double biases[6] = {INFINITY, NAN, 1, 2, 3, 4};
    (void)state;
    target_options.layers = without_dropout;
    tulle_trainer *trainer = new_trainer(&options), *target = new_trainer(&target_options);
    tulle_trainer_set_parameters(target, 0, NULL, biases);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tulle_trainer_blend(target, trainer, wrong[i]), TULLE_ERROR_ARGUMENT);
    assert_int_equal(tulle_trainer_blend(target, trainer, 1), TULLE_OK);
    assert_true(same_parameters(target, trainer, &options));
    assert_int_equal(tulle_trainer_blend(trainer, trainer, 0.25), TULLE_OK);
    assert_true(same_parameters(target, trainer, &options));
    tulle_trainer_free(trainer), tulle_trainer_free(target);
}

/* The average begins anew. */
static void test_average(void **state)
{
    struct tulle_trainer_options options = rich_options();
    const double x[ROWS * (INPUTS + 1)] = {0.5, 1, 2, 3, -1, 0, 1, 0, 1, 1, 0, 4, 0, 0, 1, 1};
    const double y[ROWS * 2] = {1, 2, 3, 4, 5, 6, 7, 8};
    double found[ROWS * 2], expected[ROWS * 2];
    (void)state;
    tulle_trainer *plain = new_trainer(&options);
    options.averaging = 0.5;
    tulle_trainer *averaged = new_trainer(&options);
    assert_int_equal(
        tulle_trainer_step(averaged, tulle_f64(x, ROWS, INPUTS + 1), tulle_f64(y, ROWS, 2), NULL),
        TULLE_OK);
    assert_int_equal(tulle_trainer_blend(averaged, plain, 1), TULLE_OK);
    tulle_trainer *both[] = {averaged, plain};
    double *out[] = {found, expected};
    for (int i = 0; i < 2; i++)
        assert_int_equal(tulle_trainer_predict(both[i], tulle_f64(x, ROWS, INPUTS + 1),
                                               tulle_f64_out(out[i], ROWS, 2)),
                         TULLE_OK);
    assert_memory_equal(found, expected, sizeof found);
    tulle_trainer_free(plain), tulle_trainer_free(averaged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROPERTY(going_on),
        PROPERTY(damage),
        cmocka_unit_test(test_other_networks),
        cmocka_unit_test(test_other_factors),
        cmocka_unit_test(test_other_optimizers),
        cmocka_unit_test(test_forgeries),
        PROPERTY(blend),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_average),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
