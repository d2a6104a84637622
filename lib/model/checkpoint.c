/* checkpoint.c - saving the state of a computation, and going on from it. */
#include "../base/portability.h"

#include "checkpoint.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/file_io.h"
#include "../base/file_writer.h"
#include "../base/memory.h"
#include "../base/utf8.h"
#include "json_text.h"

static const struct tensor_file checkpoint_file = {"tulle-checkpoint", "checkpoint", 1, 20000000};

/* Beside the file itself, if path is a link to it: another folder may be another disk. Freed with
 * tulle_free(). */
static enum tulle_status find_previous(const char *path, char **previous, struct tulle_error *error)
{
    char *target = tulle_resolve_links(path);
    *previous = NULL;
    if (!target && errno != ENOMEM)
        return tulle_fail_errno(error, path, "cannot open", errno);
    size_t size = target ? strlen(target) + sizeof ".previous" : 0;
    if (target && (*previous = tulle_calloc(size, 1)))
        snprintf(*previous, size, "%s.previous", target);
    tulle_free(target);
    return *previous ? TULLE_OK : tulle_fail_memory(error);
}

/* A tensor for each part, of as many numbers as counts says; one of none has no tensor. Freed with
 * tulle_free(); NULL if there is no memory. */
static struct tensor *list_tensors(const struct checkpoint *checkpoint, const size_t *counts,
                                   size_t *tensor_count)
{
    struct tensor *tensors = tulle_calloc(checkpoint->part_count, sizeof *tensors);
    *tensor_count = 0;
    for (size_t i = 0; tensors && i < checkpoint->part_count; i++) {
        const struct checkpoint_part *part = &checkpoint->parts[i];
        if (counts[i] == 0)
            continue;
        struct tensor *t = &tensors[(*tensor_count)++];
        *t = (struct tensor){
            .type = part->type, .rank = 1, .shape = {counts[i]}, .data = part->data};
        memcpy(t->name, part->name, sizeof t->name);
    }
    return tensors;
}

/* --- Writing --------------------------------------------------------------------------------- */

static enum tulle_status write_fields(json_t *object, const struct checkpoint *checkpoint,
                                      struct tulle_error *error)
{
    for (size_t i = 0; i < checkpoint->field_count; i++) {
        const struct checkpoint_field *field = &checkpoint->fields[i];
        if (!tulle_is_utf8(field->text))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT, "%s is not UTF-8 text", field->name);
        if (json_object_set_new(object, field->name, json_string(field->text)) != 0)
            return tulle_fail_memory(error);
    }
    return TULLE_OK;
}

static enum tulle_status write_counts(json_t *object, const struct checkpoint *checkpoint,
                                      struct tulle_error *error)
{
    for (size_t i = 0; i < checkpoint->part_count; i++) {
        const struct checkpoint_part *part = &checkpoint->parts[i];
        if (json_object_set_new(object, part->name, json_integer((json_int_t)part->count)) != 0)
            return tulle_fail_memory(error);
    }
    return TULLE_OK;
}

/* {"configuration": {NAME: TEXT, ...}, "counts": {NAME: COUNT, ...}} */
static enum tulle_status describe(const struct checkpoint *checkpoint, char **text,
                                  struct tulle_error *error)
{
    json_t *configuration = json_object(), *counts = json_object();
    enum tulle_status status = write_fields(configuration, checkpoint, error);
    if (status == TULLE_OK)
        status = write_counts(counts, checkpoint, error);
    json_t *root = json_pack("{s:o, s:o}", "configuration", configuration, "counts", counts);
    *text = tulle_json_text(root);
    json_decref(root);
    return status;
}

/* Whether the file is a checkpoint, and intact. */
static enum tulle_status check_intact(const char *path, struct tulle_error *error)
{
    struct tensor_reader *reader;
    enum tulle_status status = tulle_tensor_file_open(&checkpoint_file, path, &reader, error);
    return status == TULLE_OK ? tulle_tensor_file_finish(reader, TULLE_OK, NULL, error) : status;
}

/* A newer Tulle's checkpoint must not be written over. */
static enum tulle_status refuse_newer(const char *path, struct tulle_error *error)
{
    struct tensor_reader *reader;
    struct tulle_error failure;
    enum tulle_status status = tulle_tensor_file_open(&checkpoint_file, path, &reader, &failure);
    if (status == TULLE_OK) /* finished like this, the rest is not read */
        tulle_tensor_file_finish(reader, TULLE_ERROR_IO, NULL, NULL);
    if (status != TULLE_ERROR_VERSION)
        return TULLE_OK;
    return tulle_fail_at(error, status, path, 0, 0, "%s, or name another checkpoint",
                         failure.message);
}

enum tulle_status tulle_checkpoint_write(const char *path, const struct checkpoint *checkpoint,
                                         struct tulle_error *error)
{
    char *description = NULL, *previous;
    struct tensor *tensors = NULL;
    size_t tensor_count, *counts = tulle_calloc(checkpoint->part_count, sizeof *counts);
    for (size_t i = 0; counts && i < checkpoint->part_count; i++)
        counts[i] = checkpoint->parts[i].count;
    if (counts)
        tensors = list_tensors(checkpoint, counts, &tensor_count);
    enum tulle_status status = find_previous(path, &previous, error);
    if (status == TULLE_OK)
        status = tensors ? describe(checkpoint, &description, error) : tulle_fail_memory(error);
    if (status == TULLE_OK)
        status = refuse_newer(previous, error);
    if (status == TULLE_OK)
        status = refuse_newer(path, error);
    if (status == TULLE_OK)
        status = tulle_tensor_file_write(
            &checkpoint_file, path, check_intact(path, NULL) == TULLE_OK ? previous : NULL,
            TULLE_VERSION_STRING, description, tensors, tensor_count, error);
    tulle_free(description);
    tulle_free(previous);
    tulle_free(tensors);
    tulle_free(counts);
    return status;
}

enum tulle_status tulle_checkpoint_check(const char *path, struct tulle_error *error)
{
    struct stat file;
    char *previous;
    enum tulle_status status = find_previous(path, &previous, error);
    if (status == TULLE_OK)
        status = refuse_newer(previous, error);
    tulle_free(previous);
    if (status == TULLE_OK)
        status = refuse_newer(path, error);
    if (status == TULLE_OK && tulle_io_stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
        file.st_size > 0)
        status = check_intact(path, error);
    if (status == TULLE_ERROR_FORMAT)
        return tulle_fail_at(error, status, path, 0, 0,
                             "is there and no intact checkpoint; name another file");
    return status == TULLE_OK ? tulle_model_check_path(path, error) : status;
}

/* --- Reading --------------------------------------------------------------------------------- */

static enum tulle_status fail_other(const char *name, const char *there, const char *here,
                                    struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                      "the checkpoint is of another run: %.60s is %.120s there and %.120s here",
                      name, there ? there : "not set", here ? here : "not set");
}

static int has_field(const struct checkpoint *checkpoint, const char *name)
{
    for (size_t i = 0; i < checkpoint->field_count; i++)
        if (strcmp(checkpoint->fields[i].name, name) == 0)
            return 1;
    return 0;
}

/* Whether the stored texts are those of the fields, and there are no others. */
static enum tulle_status compare_fields(json_t *stored, const struct checkpoint *checkpoint,
                                        struct tulle_error *error)
{
    for (size_t i = 0; i < checkpoint->field_count; i++) {
        const struct checkpoint_field *field = &checkpoint->fields[i];
        const char *there = json_string_value(json_object_get(stored, field->name));
        if (!there || strcmp(there, field->text) != 0)
            return fail_other(field->name, there, field->text, error);
    }
    for (void *at = json_object_iter(stored); at; at = json_object_iter_next(stored, at))
        if (!has_field(checkpoint, json_object_iter_key(at)))
            return fail_other(json_object_iter_key(at),
                              json_string_value(json_object_iter_value(at)), NULL, error);
    return TULLE_OK;
}

/* The numbers that each part has in the file: as many as there are to be, or have room. */
static enum tulle_status read_counts(const json_t *stored, const struct checkpoint *checkpoint,
                                     size_t *counts, struct tulle_error *error)
{
    for (size_t i = 0; i < checkpoint->part_count; i++) {
        const struct checkpoint_part *part = &checkpoint->parts[i];
        const json_t *count = json_object_get(stored, part->name);
        json_int_t there = json_is_integer(count) ? json_integer_value(count) : -1;
        if (there < 0)
            return fail_other(part->name, NULL, "there", error);
        counts[i] = (size_t)there;
        if ((uintmax_t)there > part->count || (counts[i] < part->count && !part->found_count))
            return tulle_fail(error, TULLE_ERROR_ARGUMENT,
                              "the checkpoint is of another run: %s has %" JSON_INTEGER_FORMAT
                              " numbers there and %zu here",
                              part->name, there, part->count);
    }
    return TULLE_OK;
}

/* For the parts whose count only the file knows, now that it is known to have all that it says. */
static int make_room(const struct checkpoint *checkpoint, const size_t *counts,
                     struct tensor *tensors)
{
    for (size_t i = 0, t = 0; i < checkpoint->part_count; i++) {
        struct checkpoint_part *part = &checkpoint->parts[i];
        if (part->found_count) {
            *part->found_count = counts[i];
            tulle_free(part->data); /* of a file that turned out to be damaged */
            part->data = tulle_calloc(counts[i], sizeof(double)); /* of the widest type */
            if (!part->data)
                return 0;
        }
        if (counts[i] > 0)
            tensors[t++].data = part->data;
    }
    return 1;
}

static enum tulle_status read_parts(struct tensor_reader *reader,
                                    const struct checkpoint *checkpoint, const size_t *counts,
                                    struct tulle_error *error)
{
    size_t tensor_count;
    struct tensor *tensors = list_tensors(checkpoint, counts, &tensor_count);
    if (!tensors)
        return tulle_fail_memory(error);
    enum tulle_status status = tulle_tensor_file_check(reader, tensors, tensor_count, error);
    if (status == TULLE_OK && !make_room(checkpoint, counts, tensors))
        status = tulle_fail_memory(error);
    if (status == TULLE_OK)
        status = tulle_tensor_file_read(reader, tensors, tensor_count, error);
    tulle_free(tensors);
    return status;
}

static enum tulle_status read_content(struct tensor_reader *reader,
                                      const struct checkpoint *checkpoint,
                                      struct tulle_error *error)
{
    const char *part = "description of the checkpoint";
    const char *text = tulle_tensor_file_description(reader);
    json_t *root, *configuration, *stored;
    const char *version = tulle_tensor_file_tulle_version(reader);
    if (strcmp(version, TULLE_VERSION_STRING) != 0)
        return fail_other("Tulle", version, TULLE_VERSION_STRING, error);
    size_t *counts = tulle_calloc(checkpoint->part_count, sizeof *counts);
    if (!counts)
        return tulle_fail_memory(error);
    enum tulle_status status = tulle_json_parse(part, text, strlen(text), &root, error);
    if (status == TULLE_OK)
        status = tulle_json_unpack(part, root, error, "{s:o, s:o}", "configuration", &configuration,
                                   "counts", &stored);
    if (status == TULLE_OK)
        status = compare_fields(configuration, checkpoint, error);
    if (status == TULLE_OK)
        status = read_counts(stored, checkpoint, counts, error);
    if (status == TULLE_OK)
        status = read_parts(reader, checkpoint, counts, error);
    json_decref(root);
    tulle_free(counts);
    return status;
}

static enum tulle_status read_file(const char *path, const struct checkpoint *checkpoint,
                                   struct tulle_error *error)
{
    struct tensor_reader *reader;
    enum tulle_status status = tulle_tensor_file_open(&checkpoint_file, path, &reader, error);
    if (status != TULLE_OK)
        return status;
    status = read_content(reader, checkpoint, error);
    return tulle_tensor_file_finish(reader, status, NULL, error);
}

/* What cannot be looked at is taken to be there, so that reading it says why: a run that has one
 * must not begin anew, and write over it. */
static int is_there(const char *path)
{
    struct stat file;
    return tulle_io_stat(path, &file) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

/* Of a checkpoint that is missing or damaged, as `failure` says. */
static enum tulle_status read_previous(const char *path, const char *previous,
                                       const struct checkpoint *checkpoint,
                                       const struct tulle_error *failure, char *notice,
                                       struct tulle_error *error)
{
    struct tulle_error older;
    enum tulle_status status = read_file(previous, checkpoint, &older);
    if (status == TULLE_OK)
        snprintf(notice, CHECKPOINT_NOTICE_SIZE, "%s: %s; going on from %s", path, failure->message,
                 previous);
    else
        tulle_fail_at(error, status, path, 0, 0, "%.200s; of the one before: %s", failure->message,
                      older.message);
    return status;
}

enum tulle_status tulle_checkpoint_read(const char *path, const struct checkpoint *checkpoint,
                                        int *found, char notice[CHECKPOINT_NOTICE_SIZE],
                                        struct tulle_error *error)
{
    struct tulle_error failure = {.message = "missing"};
    char *previous;
    *found = 0;
    notice[0] = '\0';
    for (size_t i = 0; i < checkpoint->part_count; i++)
        if (checkpoint->parts[i].found_count)
            checkpoint->parts[i].data = NULL;
    enum tulle_status status = find_previous(path, &previous, error);
    if (status != TULLE_OK)
        return status;
    const int is_here = is_there(path), has_previous = is_there(previous);
    if (is_here)
        status = read_file(path, checkpoint, &failure);
    const int is_unusable = !is_here || status == TULLE_ERROR_FORMAT || status == TULLE_ERROR_IO;
    if (is_unusable && has_previous)
        status = read_previous(path, previous, checkpoint, &failure, notice, error);
    else if (is_here && is_unusable)
        tulle_fail_at(error, status, path, 0, 0, "%s; name another file to begin at the beginning",
                      failure.message);
    else if (status != TULLE_OK && error)
        *error = failure;
    *found = status == TULLE_OK && (is_here || has_previous);
    tulle_free(previous);
    return status;
}

static int find_field(const char *path, const char *name, char *text, size_t size)
{
    struct tensor_reader *reader;
    if (tulle_tensor_file_open(&checkpoint_file, path, &reader, NULL) != TULLE_OK)
        return 0;
    const char *description = tulle_tensor_file_description(reader);
    json_t *root;
    tulle_json_parse("", description, strlen(description), &root, NULL);
    const char *there =
        json_string_value(json_object_get(json_object_get(root, "configuration"), name));
    int length = there ? snprintf(text, size, "%s", there) : -1;
    json_decref(root);
    return tulle_tensor_file_finish(reader, TULLE_OK, NULL, NULL) == TULLE_OK && length >= 0 &&
           (size_t)length < size;
}

int tulle_checkpoint_field(const char *path, const char *name, char *text, size_t size)
{
    char *previous;
    int found = find_previous(path, &previous, NULL) == TULLE_OK &&
                (find_field(path, name, text, size) || find_field(previous, name, text, size));
    tulle_free(previous);
    return found;
}

#else

static enum tulle_status fail_without(struct tulle_error *error)
{
    return tulle_fail(error, TULLE_ERROR_UNSUPPORTED,
                      "this build of Tulle has no checkpoints: it was built without jansson and "
                      "xxHash");
}

enum tulle_status tulle_checkpoint_write(const char *path, const struct checkpoint *checkpoint,
                                         struct tulle_error *error)
{
    (void)path, (void)checkpoint;
    return fail_without(error);
}

enum tulle_status tulle_checkpoint_check(const char *path, struct tulle_error *error)
{
    (void)path;
    return fail_without(error);
}

enum tulle_status tulle_checkpoint_read(const char *path, const struct checkpoint *checkpoint,
                                        int *found, char notice[CHECKPOINT_NOTICE_SIZE],
                                        struct tulle_error *error)
{
    (void)path, (void)checkpoint;
    *found = 0;
    notice[0] = '\0';
    return fail_without(error);
}

int tulle_checkpoint_field(const char *path, const char *name, char *text, size_t size)
{
    (void)path, (void)name, (void)text, (void)size;
    return 0;
}

#endif
