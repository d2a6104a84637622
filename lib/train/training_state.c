/*
 * training_state.c - checkpoints: all that training is between two steps, and the settings that
 * must be the same where it goes on.
 */
#include "../base/portability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/mix64.h"
#include "../data/number_format.h"
#include "../model/checkpoint.h"
#include "training.h"

/* --- Settings -------------------------------------------------------------------------------- */

enum { MOST_FIELDS = 64, TEXT_SIZE = 96 };

struct settings {
    struct checkpoint_field fields[MOST_FIELDS];
    char texts[MOST_FIELDS][TEXT_SIZE];
    size_t count;
};

static void add(struct settings *settings, const char *name, const char *format, ...)
    TULLE_PRINTF(3, 4);
static void add(struct settings *settings, const char *name, const char *format, ...)
{
    char *text = settings->texts[settings->count];
    va_list list;
    va_start(list, format);
    vsnprintf(text, TEXT_SIZE, format, list);
    va_end(list);
    settings->fields[settings->count++] = (struct checkpoint_field){name, text};
}

/* A text of the caller's, which lives as long as training does. */
static void add_text(struct settings *settings, const char *name, const char *text)
{
    settings->fields[settings->count++] = (struct checkpoint_field){name, text};
}

/* As it was most probably typed. */
static void add_number(struct settings *settings, const char *name, double value)
{
    char text[TULLE_NUMBER_SIZE];
    tulle_number_format(value, text);
    add(settings, name, "%s", text);
}

/* A running hash of bytes, 8 at a time. */
static uint64_t hash(uint64_t state, const void *bytes, size_t size)
{
    for (const char *at = bytes; size > 0;) {
        uint64_t word = 0;
        size_t piece = size < sizeof word ? size : sizeof word;
        memcpy(&word, at, piece);
        state = tulle_hash64(state, word);
        at += piece;
        size -= piece;
    }
    return state;
}

static uint64_t hash_text(uint64_t state, const char *text)
{
    return hash(state, text, strlen(text) + 1);
}

static uint64_t hash_numbers(const double *numbers, size_t count)
{
    return numbers ? hash(count, numbers, count * sizeof *numbers) : count;
}

/* Of names, values and levels, all columns and rows. */
static uint64_t hash_data(const struct tulle_dataset_info *data)
{
    uint64_t state = hash_numbers(data->values, data->rows * data->columns);
    for (size_t c = 0; c < data->columns; c++) {
        state = hash_text(state, data->names[c]);
        for (size_t l = 0; l < data->levels[c].count; l++)
            state = hash_text(state, data->levels[c].names[l]);
    }
    return state;
}

#define ADD_NUMBER(member) add_number(s, #member, o->member)
#define ADD_COUNT(member) add(s, #member, "%zu", o->member)
#define ADD_FLAG(member) add(s, #member, "%s", o->member ? "yes" : "no")
#define ADD_NAME(member, type) add(s, #member, "%s", tulle_##type##_name(o->member))
#define ADD_HASH(name, value) add(s, name, "%016llx", (unsigned long long)(value))

/* "128,128"; of what does not fit, a hash of all. */
static void add_layers(const struct training *t, struct settings *s)
{
    char text[TEXT_SIZE] = "";
    size_t used = 0;
    uint64_t all = 0;
    for (size_t l = 0; l + 1 < t->layer_count; l++) {
        all = tulle_hash64(all, t->layers[l].units);
        if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu", l > 0 ? "," : "",
                                     t->layers[l].units);
    }
    if (used < sizeof text)
        add(s, "hidden", "%s", used > 0 ? text : "none");
    else
        ADD_HASH("hidden", all);
}

static void add_quantiles(const struct tulle_train_options *o, struct settings *s)
{
    char text[TEXT_SIZE] = "";
    size_t used = 0;
    for (size_t q = 0; q < o->quantile_count && used < sizeof text; q++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.17g", q > 0 ? "," : "",
                                 o->quantiles[q]);
    if (used < sizeof text)
        add(s, "quantiles", "%s", used > 0 ? text : "none");
    else
        ADD_HASH("quantiles", hash_numbers(o->quantiles, o->quantile_count));
}

static uint64_t hash_classes(const struct tulle_train_options *o)
{
    uint64_t state = hash_numbers(o->class_weights, o->class_weight_count);
    for (size_t i = 0; i < o->class_weight_count; i++)
        state = hash_text(state, o->class_names[i]);
    return state;
}

static void add_data(const struct training *t, struct settings *s)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    const struct tulle_train_options *o = &t->options;
    uint64_t targets = 0, missing = data->missing_count;
    if (!data->split) {
        ADD_NUMBER(valid_fraction);
        ADD_NUMBER(test_fraction);
    }
    for (size_t i = 0; i < t->target_count; i++)
        targets = hash_text(targets, o->targets[i]);
    add(s, "number of rows", "%zu", data->rows);
    add(s, "number of columns", "%zu", data->columns);
    add_text(s, "first target", o->targets[0]);
    ADD_HASH("targets, as a hash", targets);
    add_text(s, "weight_column", o->weight_column ? o->weight_column : "none");
    add(s, "rows to train on", "%zu", t->rows[TULLE_SPLIT_TRAIN]);
    add(s, "rows to validate on", "%zu", t->rows[TULLE_SPLIT_VALID]);
    ADD_HASH("order of the rows, as a hash",
             hash(0, t->order, (t->rows[0] + t->rows[1]) * sizeof *t->order));
    ADD_HASH("data, as a hash", hash_data(data));
    for (size_t i = 0; i < data->missing_count; i++)
        missing = hash_text(missing, data->missing[i]);
    ADD_HASH("missing texts, as a hash", missing);
}

static void add_options(const struct training *t, struct settings *s)
{
    const struct tulle_train_options *o = &t->options;
    ADD_NAME(precision, type);
    add(s, "seed", "%lu", (unsigned long)o->seed);
    ADD_NAME(loss, loss);
    ADD_FLAG(loss_function);
    ADD_NUMBER(huber_delta);
    ADD_NUMBER(label_smoothing);
    add_quantiles(o, s);
    if (o->class_weight_count > 0)
        add(s, "class_weights", "%s%016llx", o->balance_classes ? "balanced and " : "",
            (unsigned long long)hash_classes(o));
    else
        add(s, "class_weights", "%s", o->balance_classes ? "balanced" : "none");
    ADD_NAME(scaling, scaling);
    ADD_FLAG(standardize_targets);
    ADD_COUNT(one_hot_levels);
    ADD_COUNT(embedding_dimensions);
    add_layers(t, s);
    ADD_NAME(activation, activation);
    ADD_FLAG(parametric);
    ADD_NUMBER(dropout);
    ADD_NAME(initializer, initializer);
    ADD_NAME(optimizer, optimizer);
    ADD_NUMBER(learning_rate);
    ADD_COUNT(batch_size);
    ADD_COUNT(epochs);
    ADD_NUMBER(momentum);
    ADD_NUMBER(beta1);
    ADD_NUMBER(beta2);
    ADD_NUMBER(epsilon);
    ADD_NUMBER(weight_decay);
    ADD_NUMBER(bias_learning_rate);
    ADD_NUMBER(bias_weight_decay);
    ADD_NUMBER(clip_norm);
    ADD_NUMBER(averaging);
    ADD_NAME(schedule, schedule);
    ADD_NUMBER(schedule_factor);
    ADD_COUNT(schedule_epochs);
    ADD_NUMBER(warmup);
    ADD_COUNT(patience);
    ADD_FLAG(keep_best);
}

/* --- Parts ----------------------------------------------------------------------------------- */

enum { MOST_PARTS = 16 };

/* The state's numbers as arrays, and where everything else is. */
struct image {
    uint64_t counts[8];
    double losses[7];
    struct checkpoint_part parts[MOST_PARTS];
    size_t part_count;
};

static void add_part(struct image *image, const char *name, enum tensor_type type, void *data,
                     size_t count, size_t *found_count)
{
    if (!data)
        return;
    struct checkpoint_part *part = &image->parts[image->part_count++];
    *part = (struct checkpoint_part){.type = type, .data = data, .count = count};
    snprintf(part->name, sizeof part->name, "%s", name);
    part->found_count = found_count;
}

static void pack_state(const struct training *t, struct image *image)
{
    const struct training_state *s = &t->state;
    const struct optimizer *optimizer = &t->trainer->optimizer;
    const uint64_t counts[] = {s->epoch,          s->step,
                               s->best_epoch,     s->epochs_since_best,
                               s->drops,          s->epochs_since_drop,
                               t->trainer->steps, t->rng.position};
    const double losses[] = {s->best_loss,     s->valid_loss,     s->epoch_loss,    s->epoch_weight,
                             s->hopeless_loss, optimizer->power1, optimizer->power2};
    memcpy(image->counts, counts, sizeof counts);
    memcpy(image->losses, losses, sizeof losses);
}

static void unpack_state(struct training *t, const struct image *image)
{
    struct optimizer *optimizer = &t->trainer->optimizer;
    const uint64_t *counts = image->counts;
    const double *losses = image->losses;
    t->state =
        (struct training_state){counts[0], counts[1], counts[2], counts[3], counts[4], counts[5],
                                losses[0], losses[1], losses[2], losses[3], losses[4]};
    t->trainer->steps = counts[6];
    t->rng.position = (uint32_t)counts[7];
    optimizer->power1 = losses[5];
    optimizer->power2 = losses[6];
}

/* The curve, last, is there as far as it has come: numbers of it when writing, at most so many when
 * reading, which sets found. */
static struct checkpoint_part *make_parts(struct training *t, struct image *image, size_t numbers,
                                          size_t *found)
{
    const struct tulle_trainer *trainer = t->trainer;
    size_t size = trainer->network.arena_size;
    enum tensor_type type = trainer->network.precision == TULLE_F64 ? TENSOR_F64 : TENSOR_F32;
    add_part(image, "counts", TENSOR_U64, image->counts,
             sizeof image->counts / sizeof *image->counts, NULL);
    add_part(image, "losses", TENSOR_F64, image->losses,
             sizeof image->losses / sizeof *image->losses, NULL);
    add_part(image, "generator", TENSOR_U32, t->rng.state,
             sizeof t->rng.state / sizeof *t->rng.state, NULL);
    add_part(image, "parameters", type, trainer->parameters, size, NULL);
    add_part(image, "first_moments", type, trainer->optimizer.m, size, NULL);
    add_part(image, "second_moments", type, trainer->optimizer.v, size, NULL);
    add_part(image, "average", type, trainer->optimizer.average, size, NULL);
    add_part(image, "best", type, t->best, size, NULL);
    add_part(image, "curve", TENSOR_F64, t->curve, numbers, found);
    return &image->parts[image->part_count - 1];
}

_Static_assert(sizeof(struct tulle_epoch) == 3 * sizeof(double),
               "the curve is an array of doubles");

/* --- Writing and reading --------------------------------------------------------------------- */

static struct settings *make_settings(const struct training *t)
{
    struct settings *settings = tulle_calloc(1, sizeof *settings);
    if (!settings)
        return NULL;
    add_options(t, settings);
    add_data(t, settings);
    return settings;
}

enum tulle_status tulle_training_save(struct training *t, struct tulle_error *error)
{
    struct image image = {.part_count = 0};
    size_t numbers = 3 * t->curve_count;
    if (!t->settings && !(t->settings = make_settings(t)))
        return tulle_fail_memory(error);
    pack_state(t, &image);
    make_parts(t, &image, numbers, &numbers);
    const struct checkpoint checkpoint = {t->settings->fields, t->settings->count, image.parts,
                                          image.part_count};
    return tulle_checkpoint_write(t->options.checkpoint, &checkpoint, error);
}

/* Whether a state that was read can be one of this training. */
static int is_possible(const struct training *t, size_t numbers)
{
    const struct training_state *s = &t->state;
    return s->epoch <= t->options.epochs && s->step <= tulle_training_steps(t) &&
           s->best_epoch <= s->epoch && numbers == 3 * s->epoch && t->rng.position <= 624;
}

enum tulle_status tulle_training_restore(struct training *t, struct tulle_error *error)
{
    const char *path = t->options.checkpoint;
    struct image image = {.part_count = 0};
    char notice[CHECKPOINT_NOTICE_SIZE];
    size_t numbers = 0;
    int found;
    if (!t->settings && !(t->settings = make_settings(t)))
        return tulle_fail_memory(error);
    size_t most = t->options.epochs < SIZE_MAX / 3 ? 3 * t->options.epochs : SIZE_MAX;
    struct checkpoint_part *curve = make_parts(t, &image, most, &numbers);
    const struct checkpoint checkpoint = {t->settings->fields, t->settings->count, image.parts,
                                          image.part_count};
    enum tulle_status status = tulle_checkpoint_read(path, &checkpoint, &found, notice, error);
    if (curve->data) {
        free(t->curve);
        t->curve = curve->data;
        t->curve_capacity = numbers / 3;
    }
    if (status != TULLE_OK)
        return status;
    if (notice[0])
        tulle_training_notice(t, "%s", notice);
    if (!found) {
        tulle_training_notice(t, "no checkpoint '%s' yet: training begins at the beginning", path);
        return TULLE_OK;
    }
    unpack_state(t, &image);
    if (!is_possible(t, numbers))
        return tulle_fail_at(error, TULLE_ERROR_FORMAT, path, 0, 0,
                             "not a checkpoint that this training can have written");
    t->curve_count = numbers / 3;
    size_t next = (size_t)t->state.epoch + 1; /* none, if the run was over */
    tulle_training_notice(t, "goes on from '%s', in epoch %zu of %zu", path,
                          next < t->options.epochs ? next : t->options.epochs, t->options.epochs);
    return TULLE_OK;
}
