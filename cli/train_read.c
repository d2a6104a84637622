/* train_read.c - the tables of `tulle train`. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "train.h"

/* The library takes no offence at names that the table does not have; here they are misspelt. */
static int check_kinds(const struct cli_training *job, const char *option,
                       const struct cli_names *names)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(job->dataset);
    const struct cli_names *drop = &job->options->drop;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        if (cli_is_among(data->names, data->columns, name) ||
            cli_is_among(drop->items, drop->count, name))
            continue;
        size_t nearest = tulle_nearest_name(name, data->names, data->columns);
        if (nearest != SIZE_MAX)
            return cli_usage_error("--%s: there is no column '%s'; did you mean '%s'?", option,
                                   name, data->names[nearest]);
        return cli_usage_error("--%s: there is no column '%s'", option, name);
    }
    return 0;
}

static int is_all_missing(const struct tulle_dataset_info *data, size_t column)
{
    for (size_t r = 0; r < data->rows; r++)
        if (!isnan(data->values[r * data->columns + column]))
            return 0;
    return 1;
}

/* With the columns of the data, of the same kinds, as far as they are of one. */
static int read_valid(struct cli_training *job, struct tulle_read_options *read)
{
    const struct tulle_dataset_info *data = tulle_dataset_info(job->dataset);
    struct tulle_error error;
    const char **kinds[2] = {cli_allocate(data->columns, sizeof(char *)),
                             cli_allocate(data->columns, sizeof(char *))};
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < data->columns; i++) {
        int is_categorical = data->levels[i].names != NULL;
        if (is_all_missing(data, i))
            continue;
        kinds[is_categorical][counts[is_categorical]++] = data->names[i];
    }
    read->columns = data->names;
    read->column_count = data->columns;
    read->drop_count = 0;
    read->split_column = NULL;
    read->numeric = kinds[0];
    read->numeric_count = counts[0];
    read->categorical = kinds[1];
    read->categorical_count = counts[1];
    int status = 0;
    if (tulle_dataset_read(job->options->valid_file, read, &job->valid, &error) != TULLE_OK)
        status = cli_fail(job->options, &error);
    job->train.valid_dataset = job->valid;
    free(kinds[0]);
    free(kinds[1]);
    return status;
}

int cli_train_read(struct cli_training *job)
{
    const struct cli_options *options = job->options;
    struct tulle_read_options read = TULLE_READ_OPTIONS;
    struct tulle_error error;
    read.drop = options->drop.items;
    read.drop_count = options->drop.count;
    read.split_column = options->split_column;
    read.categorical = options->categorical.items;
    read.categorical_count = options->categorical.count;
    read.numeric = options->numeric.items;
    read.numeric_count = options->numeric.count;
    read.missing = options->missing.items;
    read.missing_count = options->missing.count;
    if (tulle_dataset_read(options->arguments[0], &read, &job->dataset, &error) != TULLE_OK)
        return cli_fail(options, &error);
    int status = check_kinds(job, "categorical", &options->categorical);
    if (status == 0)
        status = check_kinds(job, "numeric", &options->numeric);
    return status == 0 && options->valid_file ? read_valid(job, &read) : status;
}
