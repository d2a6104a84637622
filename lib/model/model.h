/*
 * model.h - the immutable model: its description, its network and its parameters.
 *
 * Building one (the trainer and the file reader do) goes: fill a zeroed struct model_description,
 * call tulle_model_create, write the parameters into the arena, and from then on nothing changes.
 */
#ifndef TULLE_MODEL_H
#define TULLE_MODEL_H

#include "../base/status.h"
#include "../net/network.h"

/* The version of the file format that is written, and the only one that is read. */
#define TULLE_MODEL_FORMAT 1

/* The most bytes of a model file's header, room for some 100,000 columns. The safetensors library
 * would take five times as much, but parsing a header takes up to 80 times its length in memory. */
#define MODEL_LONGEST_HEADER 20000000

struct tulle_model {
    struct tulle_model_info info; /* what it points to is owned by the model, or static */
    struct network network;
    void *parameters;                   /* the arena, laid out by network */
    double *input_means, *input_scales; /* those of info.inputs; NULL if they change nothing */
    char checksum[17];
    char version[32]; /* of the Tulle that trained it */
};

/*
 * Copies the description, makes the network and a zeroed arena. Of `info` the caller fills in
 * precision, inputs, targets, layers (the last has target_count units), their counts, and how it
 * was trained; metrics may be NULL for none; tulle_version may be NULL for this one. Refuses
 * (TULLE_ERROR_ARGUMENT) what no network can be.
 */
enum tulle_status tulle_model_create(const struct tulle_model_info *info,
                                     struct tulle_model **model, struct tulle_error *error);

/* Whether every parameter is a finite number. */
int tulle_model_is_finite(const struct tulle_model *model);

/* Whether this build has model files, for tulle_build_info. */
extern const int tulle_has_model_files;

#endif
