/* model_write.c - saving a model: the header, the checksum over everything, the parameters. */
#include "../base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "../base/file_writer.h"
#include "../base/memory.h"
#include "model_file.h"
#include "model_json.h"

/* --- The header ------------------------------------------------------------------------------ */

/* With a checksum of zeros. The order of the members is part of the format. */
static enum tulle_status make_header_json(const struct tulle_model *model, json_t **header,
                                          struct tulle_error *error)
{
    const struct tulle_model_info *info = &model->info;
    json_t *tensors, *root = NULL;
    uint64_t bytes;
    enum tulle_status status = tulle_model_tensors(info->precision, info->input_count, info->layers,
                                                   info->layer_count, &tensors, &bytes, error);
    if (status != TULLE_OK)
        return status;
    char version[16];
    snprintf(version, sizeof version, "%d", TULLE_MODEL_FORMAT);
    char *description = tulle_model_json_write(info);
    if (description)
        root = json_pack("{s:{s:s, s:s, s:s, s:s, s:s}}", "__metadata__", "checksum",
                         "xxh3-64:0000000000000000", "format", "tulle", "format_version", version,
                         "tulle_version", info->tulle_version, "model", description);
    free(description);
    if (json_object_update(root, tensors) != 0) {
        json_decref(root);
        root = NULL;
    }
    json_decref(tensors);
    *header = root;
    return root ? TULLE_OK : tulle_fail_memory(error);
}

static void put_length(unsigned char *bytes, uint64_t length)
{
    for (int i = 0; i < MODEL_LENGTH_SIZE; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
}

/* The file up to its data: *head is *size bytes, freed with free(). */
static enum tulle_status make_head(const struct tulle_model *model, unsigned char **head,
                                   size_t *size, struct tulle_error *error)
{
    json_t *header;
    enum tulle_status status = make_header_json(model, &header, error);
    if (status != TULLE_OK)
        return status;
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
    size_t used = MODEL_LENGTH_SIZE + length;
    *size = (used + MODEL_DATA_ALIGNMENT - 1) / MODEL_DATA_ALIGNMENT * MODEL_DATA_ALIGNMENT;
    if (*size - MODEL_LENGTH_SIZE > MODEL_LONGEST_HEADER) {
        status = tulle_fail(error, TULLE_ERROR_ARGUMENT,
                            "the names and figures of the columns take %zu bytes, more than the %d "
                            "that a model file has room for; drop columns, or shorten their names",
                            *size, MODEL_LONGEST_HEADER);
        goto out;
    }
    unsigned char *bytes = tulle_calloc(*size, 1);
    if (!bytes || length == 0 ||
        json_dumpb(header, (char *)bytes + MODEL_LENGTH_SIZE, length, JSON_COMPACT) != length) {
        free(bytes);
        status = tulle_fail_memory(error);
        goto out;
    }
    put_length(bytes, *size - MODEL_LENGTH_SIZE);
    memset(bytes + used, ' ', *size - used);
    *head = bytes;
out:
    json_decref(header);
    return status;
}

/* --- Checksum and output --------------------------------------------------------------------- */

static enum tulle_status hash_run(void *hash, void *run, size_t bytes)
{
    return XXH3_64bits_update(hash, run, bytes) == XXH_OK ? TULLE_OK : TULLE_ERROR_MEMORY;
}

/* Puts the checksum in place of the zeros in the head. */
static enum tulle_status seal(const struct tulle_model *model, unsigned char *head, size_t size,
                              struct tulle_error *error)
{
    enum tulle_status status = TULLE_ERROR_MEMORY;
    XXH3_state_t *hash = XXH3_createState();
    if (hash && XXH3_64bits_reset(hash) == XXH_OK)
        status = hash_run(hash, head, size);
    if (status == TULLE_OK)
        status = tulle_model_each_run(model, hash_run, hash, error);
    if (status == TULLE_OK) {
        char digits[MODEL_CHECKSUM_DIGITS + 1];
        snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(hash));
        memcpy(head + MODEL_CHECKSUM_OFFSET, digits, MODEL_CHECKSUM_DIGITS);
    }
    XXH3_freeState(hash);
    return status == TULLE_OK ? status : tulle_fail_memory(error);
}

struct output {
    struct file_writer *writer;
    struct tulle_error *error;
};

static enum tulle_status write_run(void *context, void *run, size_t bytes)
{
    struct output *output = context;
    return tulle_file_writer_write(output->writer, run, bytes, output->error);
}

static enum tulle_status write_file(const struct tulle_model *model, const char *path,
                                    const unsigned char *head, size_t size,
                                    struct tulle_error *error)
{
    struct output output = {NULL, error};
    enum tulle_status status = tulle_file_writer_open(path, &output.writer, error);
    if (status == TULLE_OK)
        status = tulle_file_writer_write(output.writer, head, size, error);
    if (status == TULLE_OK)
        status = tulle_model_each_run(model, write_run, &output, error);
    if (status == TULLE_OK)
        return tulle_file_writer_commit(output.writer, error);
    tulle_file_writer_abort(output.writer);
    return status;
}

enum tulle_status tulle_model_save(const tulle_model *model, const char *path,
                                   struct tulle_error *error)
{
    if (!tulle_model_is_finite(model))
        return tulle_fail_at(error, TULLE_ERROR_DIVERGED, path, 0, 0,
                             "not saved: the model has parameters that are not finite numbers");
    unsigned char *head = NULL;
    size_t size;
    enum tulle_status status = make_head(model, &head, &size, error);
    if (status == TULLE_OK)
        status = seal(model, head, size, error);
    if (status == TULLE_OK)
        status = write_file(model, path, head, size, error);
    free(head);
    return status;
}

enum tulle_status tulle_model_check_path(const char *path, struct tulle_error *error)
{
    /* Opening a pipe would wait for its reader, and closing it again would send that reader away.
     */
    struct stat file;
    if (stat(path, &file) == 0 && S_ISFIFO(file.st_mode) && access(path, W_OK) == 0)
        return TULLE_OK;
    struct file_writer *writer;
    enum tulle_status status = tulle_file_writer_open(path, &writer, error);
    tulle_file_writer_abort(writer);
    return status;
}

#endif
