/* json.c - the members that the commands' JSON objects share. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* jansson's own way to say that there is no memory is NULL. */
static json_t *checked(json_t *value)
{
    if (!value) {
        fputs("tulle: out of memory\n", stderr);
        exit(CLI_FAILURE);
    }
    return value;
}

void cli_json_set(json_t *object, const char *key, json_t *value)
{
    json_t *name = cli_json_text(key); /* a column's name may be no UTF-8 */
    if (json_object_set_new(object, json_string_value(name), checked(value)) != 0)
        checked(NULL);
    json_decref(name);
}

void cli_json_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, checked(value)) != 0)
        checked(NULL);
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

json_t *cli_json_network(const struct tulle_model_info *info)
{
    json_t *layers = json_array();
    for (size_t i = 0; i < info->layer_count; i++) {
        json_t *layer = json_object();
        cli_json_set(layer, "units", cli_json_count(info->layers[i].units));
        cli_json_set(layer, "activation",
                     cli_json_text(tulle_activation_name(info->layers[i].activation)));
        cli_json_append(layers, layer);
    }
    json_t *network = json_object();
    cli_json_set(network, "inputs", cli_json_count(info->input_count));
    cli_json_set(network, "layers", layers);
    cli_json_set(network, "parameters", cli_json_count(info->parameter_count));
    cli_json_set(network, "precision", cli_json_text(tulle_type_name(info->precision)));
    return network;
}

static void set_metrics(json_t *object, double rmse, double mae, double r2)
{
    cli_json_set(object, "rmse", cli_json_number(rmse));
    cli_json_set(object, "mae", cli_json_number(mae));
    cli_json_set(object, "r2", cli_json_number(r2));
}

json_t *cli_json_metrics(const struct tulle_model_info *info, const struct tulle_metrics *metrics)
{
    if (metrics[0].rows == 0)
        return json_null();
    json_t *object = json_object();
    cli_json_set(object, "rows", cli_json_count(metrics[0].rows));
    if (info->target_count == 1) {
        set_metrics(object, metrics[0].rmse, metrics[0].mae, metrics[0].r2);
        return object;
    }
    json_t *targets = json_object();
    double rmse = 0, mae = 0, r2 = 0, count = (double)info->target_count;
    for (size_t i = 0; i < info->target_count; i++) {
        json_t *target = json_object();
        set_metrics(target, metrics[i].rmse, metrics[i].mae, metrics[i].r2);
        cli_json_set(targets, info->targets[i].name, target);
        rmse += metrics[i].rmse / count;
        mae += metrics[i].mae / count;
        r2 += metrics[i].r2 / count;
    }
    set_metrics(object, rmse, mae, r2);
    cli_json_set(object, "targets", targets);
    return object;
}

json_t *cli_json_split_metrics(const struct tulle_model_info *info)
{
    json_t *splits = json_object();
    for (int split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_TEST; split++)
        cli_json_set(splits, tulle_split_name((enum tulle_split)split),
                     cli_json_metrics(info, info->metrics + (size_t)split * info->target_count));
    return splits;
}

json_t *cli_json_split_rows(const struct tulle_model_info *info)
{
    json_t *rows = json_object();
    for (int split = TULLE_SPLIT_TRAIN; split <= TULLE_SPLIT_TEST; split++)
        cli_json_set(rows, tulle_split_name((enum tulle_split)split),
                     cli_json_count(info->rows[split]));
    return rows;
}

int cli_json_print(json_t *object)
{
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(object);
    if (!text)
        checked(NULL);
    puts(text);
    free(text);
    return cli_close_stdout();
}
