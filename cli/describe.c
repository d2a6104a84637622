/* describe.c - sentences about models. */
#include "describe.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { SHOWN = 10 }; /* of a long list */

/* With a comma it stands in double quotes. */
char *cli_append_name(char *text, const char *name)
{
    if (*name != '"' && !strchr(name, ','))
        return cli_append(text, "%s", name);
    text = cli_append(text, "\"");
    for (const char *quote; (quote = strchr(name, '"')); name = quote + 1)
        text = cli_append(text, "%.*s\"\"", (int)(quote - name), name);
    return cli_append(text, "%s\"", name);
}

/* In single quotes, unless nothing in it means anything to a shell. */
char *cli_append_word(char *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./,:@%";
    if (*word && !word[strspn(word, plain)])
        return cli_append(text, "%s", word);
    text = cli_append(text, "'");
    for (const char *quote; (quote = strchr(word, '\'')); word = quote + 1)
        text = cli_append(text, "%.*s'\\''", (int)(quote - word), word);
    return cli_append(text, "%s'", word);
}

char *cli_list_text(const char *const *names, size_t count)
{
    char *text = cli_format("%s", "");
    for (size_t i = 0; i < count && i < SHOWN; i++)
        text = cli_append_name(i ? cli_append(text, ", ") : text, names[i]);
    return count > SHOWN ? cli_append(text, " and %zu more", count - SHOWN) : text;
}

/* --- The network --- */

/* What struct tulle_column says of each kind. */
static size_t numbers_of(const struct tulle_column *column)
{
    size_t levels = column->levels.count, indicator = column->missing > 0;
    if (!column->levels.names)
        return 1 + indicator;
    if (levels == 2 && !indicator)
        return 1;
    return column->dimensions ? column->dimensions : levels + indicator;
}

size_t cli_network_inputs(const struct tulle_model_info *info)
{
    size_t count = info->front.number_count * info->front.dimensions;
    for (size_t i = 0; i < info->input_count; i++)
        count += numbers_of(&info->inputs[i]);
    return count;
}

/* What trainers of your own can make: hidden layers that differ, or an activation on the outputs.
 */
static int is_mixed(const struct tulle_layer *layers, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        if (layers[i].activation != layers[0].activation ||
            layers[i].parametric != layers[0].parametric || layers[i].dropout != layers[0].dropout)
            return 1;
    return layers[count - 1].activation != TULLE_ACTIVATION_IDENTITY ||
           layers[count - 1].parametric;
}

static char *append_layer(char *text, const char *separator, const struct tulle_layer *layer)
{
    text = cli_append(text, "%s%s%s", separator, layer->parametric ? "parametric " : "",
                      tulle_activation_name(layer->activation));
    return layer->dropout > 0
               ? cli_append(text, "%s dropout %g", *separator == ' ' ? "" : ",", layer->dropout)
               : text;
}

static char *append_front(char *text, const struct tulle_front *front)
{
    if (front->members > 1)
        text = cli_append(text, ", %zu members", front->members);
    return front->has_factors ? cli_append(text, ", input factors") : text;
}

char *cli_network_text(const struct tulle_model_info *info)
{
    int mixed = is_mixed(info->layers, info->layer_count);
    size_t embedded = info->front.number_count * info->front.dimensions;
    char *text = cli_format("%zu", cli_network_inputs(info));
    if (embedded)
        text = cli_append(text, " (%zu of %s)", embedded, info->front.bins ? "splines" : "waves");
    for (size_t i = 0; i < info->layer_count; i++) {
        text = cli_append(text, " -> %zu", info->layers[i].units);
        if (mixed)
            text = append_layer(text, " ", &info->layers[i]);
    }
    if (!mixed && info->layer_count > 1)
        text = append_layer(text, ", ", &info->layers[0]);
    else if (!mixed)
        text = cli_append(text, ", linear");
    text = append_front(text, &info->front);
    return cli_append(text, ", %zu parameters, %s", info->parameter_count,
                      tulle_type_name(info->precision));
}

/* --- Rows --- */

int cli_has_valid_table(const struct tulle_model_info *info)
{
    return !info->split_column && info->valid_fraction == 0 && info->rows[TULLE_SPLIT_VALID] > 0;
}

/* --- Columns --- */

char *cli_task_text(const struct tulle_model_info *info)
{
    char *text = cli_format("%s of", tulle_task_name(info->task));
    for (size_t i = 0; i < info->target_count && i < SHOWN; i++)
        text = cli_append(text, "%s '%s'", i ? "," : "", info->targets[i].name);
    if (info->target_count > SHOWN)
        text = cli_append(text, " and %zu more", info->target_count - SHOWN);
    if (info->target_count > 1 || info->task != TULLE_TASK_CLASSIFICATION)
        return text;
    const struct tulle_levels *classes = &info->targets[0].levels;
    char *names = cli_list_text(classes->names, classes->count);
    text = cli_append(text, ", %zu classes: %s", classes->count, names);
    free(names);
    return text;
}

char *cli_inputs_text(const struct tulle_model_info *info)
{
    size_t categorical = 0, missing = 0;
    for (size_t i = 0; i < info->input_count; i++) {
        categorical += info->inputs[i].levels.names != NULL;
        missing += info->inputs[i].missing > 0;
    }
    char *text =
        cli_format("%zu input%s: %zu numeric, %zu categorical", info->input_count,
                   info->input_count == 1 ? "" : "s", info->input_count - categorical, categorical);
    return missing ? cli_append(text, "; %zu with missing values", missing) : text;
}

char *cli_entry_text(const struct tulle_column *column)
{
    if (!column->levels.names)
        return cli_format("%s", tulle_scaling_name(column->scaling));
    if (column->levels.count == 2 && column->missing == 0)
        return cli_format("-1 or 1");
    return column->dimensions ? cli_format("vector of %zu", column->dimensions)
                              : cli_format("one of %zu", numbers_of(column));
}
