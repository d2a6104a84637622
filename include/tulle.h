/*
 * tulle.h - train and serve small dense neural networks (multilayer perceptrons)
 *
 * This header and those that it includes are the manual of libtulle, from the bottom up:
 *
 *   tulle_base.h      status and errors; the allocator; random numbers, NumPy's legacy generator;
 *                     matrices, which are views of the caller's own arrays
 *   tulle_trainer.h   what a network is made of; trainers, networks that learn from arrays
 *   tulle_table.h     tables of numbers and categories, from files or arrays
 *   tulle_model.h     columns and metrics; the immutable model and its file; sessions, one thread's
 *                     scratch memory for predicting
 *   tulle_training.h  from a table to a model in one call; measuring one, and predicting files
 *
 * Conventions
 *
 *   Errors     A call that can fail returns enum tulle_status. On failure a handle that it was
 *              to make is set to NULL. Calls that read anything from outside also take a
 *              `struct tulle_error *`, which may be NULL and is written only on failure. The
 *              library never prints, exits or aborts, and has no global state but its allocator.
 *   NULL       No pointer may be NULL unless its comment says so. Every *_free accepts NULL.
 *   Ownership  What a *_create, *_read, *_load or *_train call makes, the caller frees with the
 *              *_free of its type. A `const` pointer that a call returns belongs to the handle it
 *              came from and lives as long. Nothing keeps a pointer to the caller's arrays,
 *              strings or options after the call has returned, callbacks' `user` aside.
 *   Threads    Any call may be made on any thread, whatever calls other threads are in, as long as
 *              they share nothing that one of them writes to: a tulle_model and a tulle_dataset
 *              are immutable, and any number of threads may use one at once; a tulle_trainer,
 *              tulle_session or tulle_rng serves one thread at a time, and so does what is freed.
 *              Each part below says what else there is to know. TULLE_KERNELS is looked up by
 *              getenv(): no thread must call setenv() while another is in the library.
 *   Processes  After fork(), whatever other threads did then, a child process may go on with every
 *              handle that none of them had in a call (where malloc() works there, as glibc's
 *              does). What had threads goes on with the calling one alone, and the same results.
 *   Bits       Results depend on the data, the options and the seed alone: neither on the number
 *              of threads, nor on the instruction set, nor on how rows are grouped in predict.
 *   Options    An options struct begins with its own size and is initialised with the macro of its
 *              name in capitals (`struct tulle_train_options o = TULLE_TRAIN_OPTIONS;`), so that a
 *              program built against an older header keeps working with a newer library.
 *   Names      tulle_loss_name() and its like give the name that files and the command use, or NULL
 *              for a value that is none; tulle_loss_from_name() finds the value again, and returns
 *              TULLE_ERROR_ARGUMENT for a name that is none.
 *   Shapes     Data is row-major, one sample a row: x is (rows, inputs), y is (rows, outputs).
 *              A layer's weights are (units, inputs), as in the usual y = W x + b.
 *
 * Not promised: the same bits from different versions of Tulle; thread-safe use of one trainer or
 * session; that sizes of structs stay as they are (they grow at the end).
 */
#ifndef TULLE_H
#define TULLE_H

#include "tulle_base.h"

#include "tulle_trainer.h"

#include "tulle_table.h"

#include "tulle_model.h"

#include "tulle_training.h"

#endif
