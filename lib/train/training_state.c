/*
 * training_state.c - checkpoints: all that training is between two steps, and the settings that
 * must be the same where it goes on.
 */
#include "../base/portability.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../base/memory.h"
#include "../base/mix64.h"
#include "../model/checkpoint.h"
#include "training.h"

/* --- Settings -------------------------------------------------------------------------------- */

enum { MOST_OTHERS = 16, TEXT_SIZE = 40 };

/* The settings' texts, and behind them what else must be the same. */
struct identity {
    char texts[MOST_OTHERS][TEXT_SIZE];
    size_t text_count, count;
    struct checkpoint_field fields[];
};

static void add_text(struct identity *identity, const char *name, const char *text)
{
    identity->fields[identity->count++] = (struct checkpoint_field){name, text};
}

static void add(struct identity *identity, const char *name, const char *format, ...)
    TULLE_PRINTF(3, 4);
static void add(struct identity *identity, const char *name, const char *format, ...)
{
    char *text = identity->texts[identity->text_count++];
    va_list list;
    va_start(list, format);
    vsnprintf(text, TEXT_SIZE, format, list);
    va_end(list);
    add_text(identity, name, text);
}

static uint64_t hash_text(uint64_t state, const char *text)
{
    return tulle_hash_bytes(state, text, strlen(text) + 1);
}

static uint64_t hash_numbers(const double *numbers, size_t count)
{
    return tulle_hash_bytes(count, numbers, count * sizeof *numbers);
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

#define ADD_HASH(name, value) add(identity, name, "%016llx", (unsigned long long)(value))

static void add_data(const struct training *t, struct identity *identity)
{
    const struct tulle_dataset_info *data = &t->dataset->info;
    const struct tulle_train_options *o = &t->options;
    uint64_t targets = 0, missing = data->missing_count;
    for (size_t i = 0; i < t->target_count; i++)
        targets = hash_text(targets, o->targets[i]);
    add(identity, "number of rows", "%zu", data->rows);
    add(identity, "number of columns", "%zu", data->columns);
    add_text(identity, "first target", o->targets[0]);
    ADD_HASH("targets, as a hash", targets);
    add_text(identity, "weight_column", o->weight_column ? o->weight_column : "none");
    add(identity, "rows to train on", "%zu", t->rows[TULLE_SPLIT_TRAIN]);
    add(identity, "rows to validate on", "%zu", t->rows[TULLE_SPLIT_VALID]);
    ADD_HASH("order of the rows, as a hash",
             tulle_hash_bytes(0, t->order, (t->rows[0] + t->rows[1]) * sizeof *t->order));
    ADD_HASH("data, as a hash", hash_data(data));
    for (size_t i = 0; i < data->missing_count; i++)
        missing = hash_text(missing, data->missing[i]);
    ADD_HASH("missing texts, as a hash", missing);
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

/* The curve, last, is there as far as it has come: numbers of it when writing, any when reading,
 * which sets found. */
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

enum tulle_status tulle_training_identify(struct training *t, struct tulle_error *error)
{
    struct identity *identity = tulle_calloc(
        1, sizeof *identity + (t->setting_count + MOST_OTHERS) * sizeof *identity->fields);
    if (!identity)
        return tulle_fail_memory(error);
    for (size_t i = 0; i < t->setting_count; i++)
        add_text(identity, t->settings[i].name, t->settings[i].value);
    add_data(t, identity);
    t->identity = identity;
    return TULLE_OK;
}

enum tulle_status tulle_training_save(struct training *t, struct tulle_error *error)
{
    struct image image = {.part_count = 0};
    size_t numbers = 3 * t->curve_count;
    pack_state(t, &image);
    make_parts(t, &image, numbers, &numbers);
    const struct checkpoint checkpoint = {t->identity->fields, t->identity->count, image.parts,
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
    struct checkpoint_part *curve = make_parts(t, &image, SIZE_MAX, &numbers);
    const struct checkpoint checkpoint = {t->identity->fields, t->identity->count, image.parts,
                                          image.part_count};
    enum tulle_status status = tulle_checkpoint_read(path, &checkpoint, &found, notice, error);
    if (curve->data) {
        tulle_free(t->curve);
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
