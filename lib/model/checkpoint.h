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
    /* NULL: the file has exactly count. Else it has at most that many, and reading sets this to how
     * many, and data to them, NULL for no file; the caller frees it. */
    size_t *found_count;
};

struct checkpoint {
    const struct checkpoint_field *fields;
    size_t field_count;
    struct checkpoint_part *parts;
    size_t part_count;
};

/*
 * Writes path whole or not at all. If path is an intact checkpoint it becomes "PATH.previous" in
 * the same stroke; a damaged one must not take the place of the one before. Whenever the process or
 * the machine stops, one of the two names has a whole file, if one had before. TULLE_ERROR_VERSION
 * if either is of a newer Tulle: both are left as they are.
 */
enum tulle_status tulle_checkpoint_write(const char *path, const struct checkpoint *checkpoint,
                                         struct tulle_error *error);

/* Before the computation that is to write there: whether it can, and whether nothing else than a
 * checkpoint would be written over. */
enum tulle_status tulle_checkpoint_check(const char *path, struct tulle_error *error);

enum { CHECKPOINT_NOTICE_SIZE = 2048 };

/*
 * Fills in the parts from path or, where that is missing or damaged, from "PATH.previous", which
 * then a line in notice (else "") says. *found is 0 if there is neither. TULLE_ERROR_ARGUMENT: the
 * checkpoint is of another run; the message names the first field that differs.
 * TULLE_ERROR_VERSION: it is of a newer Tulle, which is no damage. On failure what the parts hold
 * is of no use.
 */
enum tulle_status tulle_checkpoint_read(const char *path, const struct checkpoint *checkpoint,
                                        int *found, char notice[CHECKPOINT_NOTICE_SIZE],
                                        struct tulle_error *error);

/* Of the checkpoint that would be read, a field's text, in `size` bytes; 0 if there is none. */
int tulle_checkpoint_field(const char *path, const char *name, char *text, size_t size);

#endif
