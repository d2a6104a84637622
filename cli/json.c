/* json.c - the members that the commands' JSON objects share. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "report.h"

/* jansson's own way to say that there is no memory is NULL. */
static void *checked(void *value)
{
    if (!value)
        cli_die("out of memory");
    return value;
}

static void check(int result)
{
    if (result != 0)
        cli_die("out of memory");
}

void cli_json_set(json_t *object, const char *key, json_t *value)
{
    json_t *name = cli_json_text(key); /* a column's name may be no UTF-8 */
    check(json_object_set_new(object, json_string_value(name), checked(value)));
    json_decref(name);
}

void cli_json_append(json_t *array, json_t *value)
{
    check(json_array_append_new(array, checked(value)));
}

json_t *cli_json_text(const char *text)
{
    if (!text)
        return json_null();
    json_t *value = json_string(text);
    if (value)
        return value;
    char *ascii = cli_format("%s", text);
    for (char *byte = ascii; *byte; byte++) {
        if ((unsigned char)*byte >= 0x80)
            *byte = '?';
    }
    value = checked(json_string(ascii));
    free(ascii);
    return value;
}

json_t *cli_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *cli_json_count(size_t value)
{
    return json_integer((json_int_t)value);
}

json_t *cli_json_count_or_null(size_t value)
{
    return value ? cli_json_count(value) : json_null();
}

static json_t *front_json(const struct tulle_front *front)
{
    json_t *object = json_object();
    cli_json_set(object, "numbers", cli_json_count(front->number_count));
    cli_json_set(object, "dimensions", cli_json_count(front->dimensions));
    cli_json_set(object, "bins", cli_json_count(front->bins));
    cli_json_set(object, "frequencies", cli_json_count(front->frequencies));
    cli_json_set(object, "factors", json_boolean(front->has_factors));
    cli_json_set(object, "members", cli_json_count(front->members ? front->members : 1));
    return object;
}

json_t *cli_json_network(const struct tulle_model_info *info)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < info->layer_count; i++) {
        json_t *layer = json_object();
        cli_json_set(layer, "units", cli_json_count(info->layers[i].units));
        cli_json_set(layer, "activation",
                     cli_json_text(tulle_activation_name(info->layers[i].activation)));
        cli_json_set(layer, "parametric", json_boolean(info->layers[i].parametric));
        cli_json_set(layer, "dropout", cli_json_number(info->layers[i].dropout));
        cli_json_append(layers, layer);
    }
    json_t *network = json_object();
    cli_json_set(network, "inputs", cli_json_count(cli_network_inputs(info)));
    cli_json_set(network, "layers", layers);
    cli_json_set(network, "front", front_json(&info->front));
    cli_json_set(network, "parameters", cli_json_count(info->parameter_count));
    cli_json_set(network, "precision", cli_json_text(tulle_type_name(info->precision)));
    return network;
}

/* The means over so many targets. */
static void set_metrics(json_t *object, unsigned known, const struct tulle_metrics *metrics,
                        size_t targets)
{
    for (int m = 0; m < TULLE_METRIC_SLOTS; m++) {
        double sum = 0;
        if (!(known & 1u << m))
            continue;
        for (size_t i = 0; i < targets; i++)
            sum += metrics[i].value[m];
        cli_json_set(object, tulle_metric_name((enum tulle_metric)m),
                     cli_json_number(sum / (double)targets));
    }
}

json_t *cli_json_metrics(const struct tulle_model_info *info, unsigned known,
                         const struct tulle_metrics *metrics)
{
    if (metrics[0].rows == 0)
        return json_null();
    json_t *object = json_object();
    cli_json_set(object, "rows", cli_json_count(metrics[0].rows));
    set_metrics(object, known, metrics, info->target_count);
    if (info->target_count == 1)
        return object;
    json_t *targets = json_object();
    for (size_t i = 0; i < info->target_count; i++) {
        json_t *target = json_object();
        set_metrics(target, known, &metrics[i], 1);
        cli_json_set(targets, info->targets[i].name, target);
    }
    cli_json_set(object, "targets", targets);
    return object;
}

json_t *cli_json_split_metrics(const struct tulle_model_info *info)
{
    unsigned known = cli_metrics_known(info->metrics, 3 * info->target_count);
    json_t *splits = json_object();
    for (int split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_TEST; split++)
        cli_json_set(
            splits, tulle_split_name((enum tulle_split)split),
            cli_json_metrics(info, known, info->metrics + (size_t)split * info->target_count));
    return splits;
}

json_t *cli_json_split_rows(const size_t *counts)
{
    json_t *rows = json_object();
    for (int split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_TEST; split++)
        cli_json_set(rows, tulle_split_name((enum tulle_split)split),
                     cli_json_count(counts[split]));
    return rows;
}

/* jansson escapes the control characters below a space, but not those that UTF-8 has besides. */
static char *escape_controls(const char *text)
{
    char *escaped = checked(malloc(strlen("\\u0000") * strlen(text) + 1)), *to = escaped;
    while (*text) {
        const unsigned char *byte = (const unsigned char *)text;
        size_t length = *byte < ' ' ? 0 : cli_control(text); /* the line ends are its own */
        unsigned code = byte[0];
        if (length > 1)
            code = length == 2 ? byte[1] : 0x2000u | (byte[1] & 0x3fu) << 6 | (byte[2] & 0x3fu);
        if (length > 0)
            to += snprintf(to, sizeof "\\u0000", "\\u%04x", code);
        else
            *to++ = *text;
        text += length > 0 ? length : 1;
    }
    *to = '\0';
    return escaped;
}

static char *take_text(json_t *object, size_t flags)
{
    char *text = checked(json_dumps(object, flags | JSON_PRESERVE_ORDER));
    json_decref(object);
    char *escaped = escape_controls(text);
    free(text);
    return escaped;
}

char *cli_json_line(json_t *object)
{
    return take_text(object, 0);
}

int cli_json_print(json_t *object)
{
    char *text = take_text(object, JSON_INDENT(2));
    puts(text);
    free(text);
    return cli_close_stdout();
}
