/* model_support.h - what the tests of models and their files share: an example and its bytes. */
#ifndef MODEL_SUPPORT_H
#define MODEL_SUPPORT_H

#include <stddef.h>

#include "../lib/model/model.h"

/* Metrics of a regression, the others NaN. */
void set_metrics(struct tulle_metrics *metrics, size_t rows, double rmse, double mae, double r2);

/* The description of docs/format.md's example: rooms, age -> price by 2 relu units. */
struct example {
    struct tulle_column inputs[2], targets[1];
    struct tulle_layer layers[2];
    struct tulle_metrics metrics[3];
    struct tulle_model_info info; /* points to the above */
};
void example_init(struct example *example);

/* The example with its parameters. */
struct tulle_model *example_model(void);

/* A description with everything that one can have: numbers of all scalings, categories of all
 * kinds, classes, quantiles, a front with all of its parts, settings, a curve. */
struct rich {
    struct tulle_column inputs[6], targets[1];
    size_t numbers[3];
    struct tulle_layer layers[2];
    struct tulle_setting settings[4];
    struct tulle_metrics metrics[3];
    struct tulle_epoch curve[2];
    struct tulle_model_info info; /* points to the above */
};
void rich_init(struct rich *rich);

/* That with parameters -3, -2.875, ... in the order of the file. */
struct tulle_model *rich_model(void);
void fill_parameters(struct tulle_model *model);

/* A temporary folder, for cmocka's setup and teardown. */
int make_folder(void **state);
int remove_folder(void **state);

/* FOLDER/name, good until the fourth call from now; entries of the folder, hidden ones too. */
const char *in_folder(const char *name);
int entry_count(void);

/* A file's content; data is followed by a NUL and freed with free(). */
struct bytes {
    unsigned char *data;
    size_t size;
};
struct bytes get_bytes(const char *path);
void put_bytes(const char *path, const void *data, size_t size);
void assert_same_bytes(const char *path, const char *other);

void save_model(const struct tulle_model *model, const char *path);
struct tulle_model *load_model(const char *path);
void assert_same_model(const struct tulle_model *found, const struct tulle_model *expected);

/* Saves, loads and saves again. */
void check_file(const struct tulle_model *model);

#endif
