/* model_support.c - an example of a model, and files in a temporary folder. */
#include "../lib/base/portability.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model_support.h"

static char folder[64];

void example_init(struct example *example)
{
    *example = (struct example){
        .inputs = {{"rooms", 2, 0.5, 1, 3}, {"age", 30, 10, 10, 50}},
        .targets = {{"price", 100, 20, 60, 140}},
        .layers = {{2, TULLE_ACTIVATION_RELU}, {1, TULLE_ACTIVATION_IDENTITY}},
        .metrics = {{3, 1.5, 1.25, 0.96875}, {0, 0, 0, 0}, {1, 2, 2, NAN}},
        .info = {.precision = TULLE_F32,
                 .input_count = 2,
                 .target_count = 1,
                 .layer_count = 2,
                 .learning_rate = 0.05,
                 .batch_size = 32,
                 .epochs = 60,
                 .standardize = 1,
                 .valid_fraction = 0.1,
                 .test_fraction = 0.25,
                 .rows = {3, 0, 1}},
    };
    example->info.inputs = example->inputs;
    example->info.targets = example->targets;
    example->info.layers = example->layers;
    example->info.metrics = example->metrics;
}

struct tulle_model *example_model(void)
{
    static const double hidden_weights[] = {1, -0.5, 0.25, 2}, hidden_biases[] = {0.5, -1};
    static const double output_weights[] = {3, -1.5}, output_biases[] = {0.125};
    struct example example;
    struct tulle_model *model;
    example_init(&example);
    assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
    tulle_arena_set_layer(&model->network, model->parameters, 0, hidden_weights, hidden_biases);
    tulle_arena_set_layer(&model->network, model->parameters, 1, output_weights, output_biases);
    return model;
}

int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tulle-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int remove_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove(in_folder(entry->d_name));
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

int entry_count(void)
{
    int count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count - 2;
}

struct bytes get_bytes(const char *path)
{
    struct bytes bytes = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("no file %s", path);
    fseek(file, 0, SEEK_END);
    bytes.size = (size_t)ftell(file);
    bytes.data = calloc(bytes.size + 1, 1);
    assert_non_null(bytes.data);
    rewind(file);
    assert_int_equal(fread(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
    return bytes;
}

void put_bytes(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}
