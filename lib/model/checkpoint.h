/*
 * checkpoint.h - a store for the state of a long computation: named arrays, and the configuration
 * that they are of. Its file is a tensor file (tensor_file.h); FILE.previous is the one before.
 * Without model files every function fails with TULLE_ERROR_UNSUPPORTED.
 */
#ifndef TULLE_CHECKPOINT_H
#define TULLE_CHECKPOINT_H

#include "tensor_file.h"

/* A setting that must be the same where the computation goes on; UTF-8. Each name occurs once. */
struct checkpoint_field {
    const char *name, *text;
};

struct checkpoint_part {
    char name[TENSOR_NAME_SIZE];
    enum tensor_type type;
    void *data; /* (count) numbers; only read from by tulle_checkpoint_write */
    size_t count;
    size_t *found_count; /* NULL: the file has exactly count. Else at most that many, and this is
                            set to how many when reading; count is how many when writing */
};

struct checkpoint {
    const struct checkpoint_field *fields;
    size_t field_count;
    const struct checkpoint_part *parts;
    size_t part_count;
};

/*
 * Writes path whole or not at all. If path is an intact checkpoint it becomes "PATH.previous" in
 * the same stroke; a damaged one must not take the place of the one before. Whenever the process or
 * the machine stops, one of the two names has a whole file, if one had before.
 */
enum tulle_status tulle_checkpoint_write(const char *path, const struct checkpoint *checkpoint,
                                         struct tulle_error *error);

enum { CHECKPOINT_NOTICE_SIZE = 2048 };

/*
 * Fills in the parts from path or, where that is missing or damaged, from "PATH.previous", which
 * then a line in notice (else "") says. *found is 0 if there is neither. TULLE_ERROR_ARGUMENT: the
 * checkpoint is of another run; the message names the first field that differs. On failure what the
 * parts hold is of no use.
 */
enum tulle_status tulle_checkpoint_read(const char *path, const struct checkpoint *checkpoint,
                                        int *found, char notice[CHECKPOINT_NOTICE_SIZE],
                                        struct tulle_error *error);

#endif
