/*
 * model.h - the immutable model: its description, its network and its parameters.
 *
 * Building one (the trainer and the file reader do) goes: fill a zeroed struct tulle_model_info,
 * call tulle_model_create, write the parameters into the arena, and from then on nothing changes.
 */
#ifndef TULLE_MODEL_H
#define TULLE_MODEL_H

#include "../base/status.h"
#include "../data/encoder.h"
#include "../net/network.h"

/* The version of the file format that is written; older ones are read. */
#define TULLE_MODEL_FORMAT 3

/* The most bytes of a model file's header, room for some 100,000 columns. The safetensors library
 * would take five times as much, but parsing a header takes up to 80 times its length in memory. */
#define MODEL_LONGEST_HEADER 20000000

struct tulle_model {
    struct tulle_model_info info; /* what it points to is owned by the model, or static */
    struct network network;
    void *parameters;       /* the arena, laid out by network */
    struct encoder encoder; /* of info.inputs */
    char checksum[17];
    char version[32]; /* of the Tulle that trained it */
};

/*
 * What a description must hold to be one of a model; TULLE_ERROR_ARGUMENT says what is wrong. The
 * caller fills in precision, inputs, targets, the front, layers, their counts, the loss with its
 * parameters, and how it was trained. The last layer has a unit for each target, for quantile one
 * for each quantile of each, and for cross_entropy one for each class of the only target. metrics
 * may be NULL for none, missing for TULLE_DEFAULT_MISSING, tulle_version for this one, and the task
 * be TULLE_TASK_AUTO.
 */
enum tulle_status tulle_model_check(const struct tulle_model_info *info, struct tulle_error *error);

/* Checks and copies the description, and makes the encoder, the network and a zeroed arena. */
enum tulle_status tulle_model_create(const struct tulle_model_info *info,
                                     struct tulle_model **model, struct tulle_error *error);

/* Whether the loss is one of classes, not of numbers, and so are the targets of its models. */
int tulle_is_of_classes(enum tulle_loss loss);

/* Whether every parameter is a finite number. */
int tulle_model_is_finite(const struct tulle_model *model);

/* Whether this build has model files, for tulle_build_info. */
extern const int tulle_has_model_files;

#endif
