/*
 * tensor_file.h - the container of models and checkpoints: a safetensors file with a description in
 * its metadata and a checksum over everything (docs/format.md). Its functions are only there in
 * builds with model files.
 */
#ifndef TULLE_TENSOR_FILE_H
#define TULLE_TENSOR_FILE_H

#include "../base/status.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ &&                        \
    defined(TULLE_WITH_MODEL_FILES)
#error "model files hold little-endian numbers, as they stand in memory; this machine's are not"
#endif

enum tensor_type { TENSOR_F32, TENSOR_F64, TENSOR_U32, TENSOR_U64 };

enum { TENSOR_NAME_SIZE = 64 };

/* An array whose numbers stand row by row in the file. */
struct tensor {
    char name[TENSOR_NAME_SIZE];
    enum tensor_type type;
    size_t rank, shape[3]; /* rank 1 to 3; a row is along the last, but of rank 1 it is a number */
    void *data; /* where they stand likewise in memory; or NULL, and each row is copied */
    void (*copy_row)(const struct tensor *tensor, size_t row, void *numbers, int is_read);
    void *context;    /* of copy_row: to be filled in from numbers if is_read, else the other way */
    size_t index;     /* likewise */
    size_t stride[2]; /* of data: 0 where it is dense, else the numbers from one index of the first
                         dimension, and with rank 3 of the second, to the next */
};

/* A kind of file. */
struct tensor_file {
    const char *format;    /* "tulle" */
    const char *noun;      /* "model": for errors, and the description's name in the metadata */
    int version;           /* that is written, and the newest that is read */
    size_t longest_header; /* in bytes */
};

/*
 * Writes path, whole or not at all (file_writer.h); the file that was there is kept as `keep`
 * unless that is NULL. The description is a JSON text, or NULL where there was no memory
 * for it, and none is written. The same arguments give the same bytes.
 */
enum tulle_status tulle_tensor_file_write(const struct tensor_file *kind, const char *path,
                                          const char *keep, const char *tulle_version,
                                          const char *description, const struct tensor *tensors,
                                          size_t count, struct tulle_error *error);

/*
 * The same bytes into memory: *needed of them, written where size is at least that. `bytes` may be
 * NULL with a size of 0.
 */
enum tulle_status tulle_tensor_bytes_write(const struct tensor_file *kind,
                                           const char *tulle_version, const char *description,
                                           const struct tensor *tensors, size_t count,
                                           unsigned char *bytes, size_t size, size_t *needed,
                                           struct tulle_error *error);

/*
 * Reading goes: open; find out from the description which tensors there must be; check that they
 * are there; only then make room for them; read; finish, in any case. No error but that of open and
 * finish says which file it is about.
 */
struct tensor_reader;

/* Reads the header. TULLE_ERROR_FORMAT, or TULLE_ERROR_VERSION for an intact file of a newer
 * version. */
enum tulle_status tulle_tensor_file_open(const struct tensor_file *kind, const char *path,
                                         struct tensor_reader **reader, struct tulle_error *error);

/* The same of a file's bytes in memory, which the reader uses where they are. Errors name no file.
 */
enum tulle_status tulle_tensor_bytes_open(const struct tensor_file *kind, const void *bytes,
                                          size_t size, struct tensor_reader **reader,
                                          struct tulle_error *error);

/* What stands in the metadata; the texts live as long as the reader. */
const char *tulle_tensor_file_description(const struct tensor_reader *reader);
const char *tulle_tensor_file_tulle_version(const struct tensor_reader *reader);
int tulle_tensor_file_version(const struct tensor_reader *reader);

/* Whether the file has exactly these tensors, of these types and shapes, in this order, and ends
 * with the last; data and copy_row are not looked at. */
enum tulle_status tulle_tensor_file_check(struct tensor_reader *reader,
                                          const struct tensor *tensors, size_t count,
                                          struct tulle_error *error);

/* Reads the next tensors of those that were checked. */
enum tulle_status tulle_tensor_file_read(struct tensor_reader *reader, const struct tensor *tensors,
                                         size_t count, struct tulle_error *error);

/*
 * Frees the reader, with `status` and, unless that is TULLE_OK, *error being how it went so far.
 * Where the checksum, over all that was read or not, does not match, that is what is wrong
 * (TULLE_ERROR_FORMAT). checksum (17 bytes) may be NULL. *error gets the file's name.
 */
enum tulle_status tulle_tensor_file_finish(struct tensor_reader *reader, enum tulle_status status,
                                           char *checksum, struct tulle_error *error);

#endif
