/* encoder.c - what each kind of column becomes on its way into the network. */
#include "../base/portability.h"

#include <math.h>
#include <string.h>

#include "../base/float_mode.h"
#include "../base/memory.h"
#include "encoder.h"
#include "normal.h"

enum shape {
    SHAPE_NUMBER,  /* and, if ever missing, an indicator */
    SHAPE_SIGN,    /* one of two levels: -1 or 1 */
    SHAPE_ONE_HOT, /* a 1 among zeros */
    SHAPE_EMBEDDED /* a level behind the inputs */
};

static enum shape shape_of(const struct tulle_column *column)
{
    if (!column->levels.names)
        return SHAPE_NUMBER;
    if (column->levels.count == 2 && column->missing == 0)
        return SHAPE_SIGN;
    return column->dimensions ? SHAPE_EMBEDDED : SHAPE_ONE_HOT;
}

size_t tulle_column_inputs(const struct tulle_column *column)
{
    enum shape shape = shape_of(column);
    if (shape == SHAPE_EMBEDDED)
        return 0;
    size_t inputs = shape == SHAPE_ONE_HOT ? column->levels.count : 1;
    return inputs + (column->missing > 0); /* a sign's never are */
}

int tulle_column_is_embedded(const struct tulle_column *column)
{
    return shape_of(column) == SHAPE_EMBEDDED;
}

/* --- The encoder ------------------------------------------------------------------------------ */

/*
 * The deviate of the share part / whole, where whole / 2 is how many steps there are from quantile
 * to quantile. A quantile stands for the values that are nearest to it: for half a step at either
 * end, whose middle is a quarter of a step from 0 or 1, where there would be no deviate. With 1001
 * quantiles that is 3.48. Halves mirror each other exactly.
 */
static double deviate_of_share(size_t part, size_t whole)
{
    if (whole - part < part)
        return -deviate_of_share(whole - part, whole);
    if (whole - part == part)
        return 0;
    return tulle_normal_quantile((part > 0 ? (double)part : 0.5) / (double)whole);
}

/* The quantiles, each once, with the deviate of the middle of the shares at which it stands:
 * quantile i of n is that of the share i / (n - 1). */
static int make_deviates(const struct tulle_column *column, struct number_map *map)
{
    const double *knots = column->quantiles;
    size_t count = column->quantile_count;
    map->pairs = tulle_calloc(count, sizeof *map->pairs);
    if (!map->pairs)
        return 0;
    for (size_t first = 0, last; first < count; first = last + 1) {
        last = first;
        while (last + 1 < count && knots[last + 1] == knots[first])
            last++;
        double deviate = deviate_of_share(first + last, 2 * (count - 1));
        map->pairs[map->count++] = (struct number_pair){knots[first], deviate};
    }
    return 1;
}

/* Whether all there is to a column is (value - mean) / scale; one that had one value in training is
 * 0 instead (tulle_encode_number). */
static int is_linear(const struct tulle_column *column)
{
    return shape_of(column) == SHAPE_NUMBER && column->missing == 0 &&
           (column->scaling == TULLE_SCALING_NONE ||
            (column->scaling == TULLE_SCALING_STANDARD && column->minimum < column->maximum));
}

static int add_column(struct encoder *e, size_t c)
{
    const struct tulle_column *column = &e->columns[c];
    e->means[c] = column->mean;
    e->scales[c] = column->scale;
    e->inputs += tulle_column_inputs(column);
    e->is_linear &= is_linear(column);
    e->is_identity &= is_linear(column) && column->mean == 0 && column->scale == 1;
    if (tulle_column_is_embedded(column))
        e->embeddings[e->embedding_count++] =
            (struct tulle_embedding){column->levels.count, column->dimensions};
    if (column->levels.names)
        return tulle_level_numbers(&column->levels, &e->maps[c]);
    return column->scaling != TULLE_SCALING_QUANTILE || make_deviates(column, &e->maps[c]);
}

int tulle_encoder_init(struct encoder *encoder, const struct tulle_column *columns, size_t count)
{
    *encoder = (struct encoder){
        .columns = columns, .column_count = count, .is_linear = 1, .is_identity = 1};
    encoder->embeddings = tulle_calloc(count, sizeof *encoder->embeddings);
    encoder->means = tulle_calloc(count, sizeof *encoder->means);
    encoder->scales = tulle_calloc(count, sizeof *encoder->scales);
    encoder->maps = tulle_calloc(count, sizeof *encoder->maps);
    int is_made = encoder->embeddings && encoder->means && encoder->scales && encoder->maps;
    uint64_t mode = tulle_float_mode_enter();
    for (size_t c = 0; c < count && is_made; c++)
        is_made = add_column(encoder, c);
    tulle_float_mode_leave(mode);
    return is_made;
}

void tulle_encoder_clear(struct encoder *encoder)
{
    for (size_t c = 0; encoder->maps && c < encoder->column_count; c++)
        tulle_free(encoder->maps[c].pairs);
    tulle_free(encoder->maps);
    tulle_free(encoder->embeddings);
    tulle_free(encoder->means);
    tulle_free(encoder->scales);
    memset(encoder, 0, sizeof *encoder);
}

/* --- A row ------------------------------------------------------------------------------------ */

static int is_level(double value, const struct tulle_column *column)
{
    return value >= 0 && value < (double)column->levels.count && value == floor(value);
}

/* The row's number or level for column c, NaN if it is missing. */
static double cell(const struct row_encoder *rows, const void *row, enum tulle_type type, size_t c)
{
    const struct tulle_column *column = &rows->encoder->columns[c];
    size_t at = rows->columns ? rows->columns[c] : c;
    double value = type == TULLE_F64 ? ((const double *)row)[at] : (double)((const float *)row)[at];
    if (!column->levels.names || isnan(value))
        return value;
    if (!rows->maps)
        return is_level(value, column) ? value : NAN;
    return rows->maps[c] ? rows->maps[c][(size_t)value]
                         : tulle_number_map_get(&rows->encoder->maps[c], value);
}

/* The normal deviate of x, linear between those of the quantiles about it and, beyond the least and
 * the largest of them, theirs. That deviates are linear there, and not shares, makes no difference
 * to speak of, and takes a fourth of the time. */
static double deviate_of(const struct number_map *map, double x)
{
    size_t above = tulle_number_map_find(map, x);
    const struct number_pair *to = map->pairs + (above < map->count ? above : map->count - 1);
    if (above == 0 || above == map->count)
        return to->value;
    const struct number_pair *from = to - 1;
    double share = (x - from->key) / (to->key - from->key);
    /* Rounded, it may be more than what the next quantile is. */
    return fmin(from->value + share * (to->value - from->value), to->value);
}

/* Nearly u where it is small, and never beyond +-3 (Holzmueller et al., Better by default, 2024).
 * The cap keeps the square in range. */
static double smooth_clip(double u)
{
    double capped = fmin(fmax(u, -1e150), 1e150), third = capped / 3;
    return capped / sqrt(1 + third * third);
}

/* Of a column that had one value in training (and was missing in other rows) the weight has learned
 * nothing: no value may enter by it. */
double tulle_encode_number(const struct encoder *encoder, size_t c, double x)
{
    const struct tulle_column *column = &encoder->columns[c];
    if (isinf(x) || column->scaling == TULLE_SCALING_NONE)
        return x;
    if (column->minimum == column->maximum)
        return 0;
    if (column->scaling == TULLE_SCALING_QUANTILE)
        return deviate_of(&encoder->maps[c], x);
    double u = (x - column->mean) / column->scale;
    return column->scaling == TULLE_SCALING_ROBUST ? smooth_clip(u) : u;
}

void tulle_encode_inputs(const void *context, const void *row, enum tulle_type type,
                         double *encoded)
{
    const struct row_encoder *rows = context;
    const struct encoder *encoder = rows->encoder;
    double *to = encoded, *level = encoded + encoder->inputs;
    for (size_t c = 0; c < encoder->column_count; c++) {
        const struct tulle_column *column = &encoder->columns[c];
        double value = cell(rows, row, type, c);
        int is_missing = isnan(value);
        size_t width = tulle_column_inputs(column);
        switch (shape_of(column)) { /* not covered: a shape that is not here */
        case SHAPE_NUMBER:
            *to++ = is_missing ? 0 : tulle_encode_number(encoder, c, value);
            if (width > 1)
                *to++ = is_missing;
            break;
        case SHAPE_SIGN:
            *to++ = is_missing ? 0 : 2 * value - 1;
            break;
        case SHAPE_ONE_HOT:
            memset(to, 0, width * sizeof *to);
            if (!is_missing)
                to[(size_t)value] = 1;
            else if (width > column->levels.count)
                to[width - 1] = 1;
            to += width;
            break;
        case SHAPE_EMBEDDED:
            *level++ = is_missing ? 0 : 1 + value;
            break;
        }
    }
}

void tulle_encode_targets(const void *context, const void *row, enum tulle_type type,
                          double *encoded)
{
    const struct row_encoder *rows = context;
    for (size_t c = 0; c < rows->encoder->column_count; c++) {
        const struct tulle_column *column = &rows->encoder->columns[c];
        double value = cell(rows, row, type, c);
        encoded[c] = column->levels.names ? value : (value - column->mean) / column->scale;
    }
}

/* --- And back --------------------------------------------------------------------------------- */

/* The slope of deviate_of; at a quantile that of its right side. */
static double slope_of_deviate(const struct number_map *map, double x)
{
    size_t above = tulle_number_map_find(map, x);
    if (above == 0 || above == map->count)
        return 0;
    const struct number_pair *to = map->pairs + above, *from = to - 1;
    return (to->value - from->value) / (to->key - from->key);
}

/* That of smooth_clip: (1 + (u / 3)^2)^(-3/2). */
static double slope_of_clip(double u)
{
    double third = u / 3, factor = 1 / sqrt(1 + third * third);
    return fabs(u) < 1e150 ? factor * factor * factor : 0;
}

/* That of tulle_encode_number. */
static double slope_of_number(const struct encoder *encoder, size_t c, double x)
{
    const struct tulle_column *column = &encoder->columns[c];
    if (isinf(x))
        return NAN;
    if (column->scaling == TULLE_SCALING_NONE)
        return 1;
    if (column->minimum == column->maximum)
        return 0;
    if (column->scaling == TULLE_SCALING_QUANTILE)
        return slope_of_deviate(&encoder->maps[c], x);
    double clip = column->scaling == TULLE_SCALING_ROBUST
                      ? slope_of_clip((x - column->mean) / column->scale)
                      : 1;
    return clip / column->scale;
}

void tulle_encode_gradient(const void *context, const void *row, enum tulle_type type,
                           const double *gradient, void *dx, enum tulle_type dx_type)
{
    const struct row_encoder *rows = context;
    const struct encoder *encoder = rows->encoder;
    for (size_t c = 0; c < encoder->column_count; c++) {
        const struct tulle_column *column = &encoder->columns[c];
        double x = cell(rows, row, type, c), result = 0;
        if (shape_of(column) == SHAPE_NUMBER && !isnan(x))
            result = *gradient * slope_of_number(encoder, c, x);
        gradient += tulle_column_inputs(column);
        if (dx_type == TULLE_F64)
            ((double *)dx)[c] = result;
        else
            ((float *)dx)[c] = (float)result;
    }
}

int tulle_is_out_of_range(const struct tulle_column *column, double value)
{
    if (isnan(value))
        return 0;
    if (column->levels.names)
        return !is_level(value, column);
    return value < column->minimum || value > column->maximum;
}
