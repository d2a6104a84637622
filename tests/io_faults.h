/*
 * io_faults.h - operations on files whose system calls fail, one after the other, and what must
 * hold whichever does: every file is whole, old or new, nothing else is left behind, no descriptor
 * is lost, and the error says what happened. Interruptions and short counts fail nothing.
 */
#ifndef IO_FAULTS_H
#define IO_FAULTS_H

#include "model_support.h"

struct io_operation {
    const char *name;
    void (*prepare)(void); /* fills the folder, which is empty; NULL: with nothing */
    enum tulle_status (*run)(struct tulle_error *error);
    /* What else must hold, after success or not; frees what run has made. NULL: nothing. */
    void (*check)(enum tulle_status status);
    const char *path;               /* in the folder: what is written there; NULL: no file is */
    enum tulle_status result;       /* where nothing fails */
    int may_lag;                    /* then path need not have the new file */
    size_t most;                    /* bytes that a read or write takes, so that there are several;
                                       0: all */
    int is_slow;                    /* not every call is to fail with every error */
    int has_no_links, has_no_locks; /* the file system */
};

/* All of it, in a folder of model_support.h's; prints how many calls failed. */
void check_operation(const struct io_operation *operation);

/* For run: the file as it is now may be found after a failure too. */
void note_state(const char *name);

/* For check: removes all that is in the folder. */
void empty_folder(void);

#endif
