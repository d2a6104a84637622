/* written_text.h - texts written to files with the library's writer, and by others. */
#ifndef WRITTEN_TEXT_H
#define WRITTEN_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "../lib/base/file_io.h"
#include "../lib/base/file_writer.h"
#include "model_support.h"

static inline void put(const char *path, const char *text)
{
    put_bytes(path, text, strlen(text));
}

static inline void assert_holds(const char *path, const char *text)
{
    struct bytes bytes = get_bytes(path);
    assert_string_equal((const char *)bytes.data, text);
    free(bytes.data);
}

static inline enum tulle_status write_text(const char *path, const char *text,
                                           struct tulle_error *error)
{
    struct file_writer *writer;
    enum tulle_status status = tulle_file_writer_open(path, &writer, error);
    if (status != TULLE_OK) {
        assert_null(writer);
        return status;
    }
    status = tulle_file_writer_write(writer, text, strlen(text), error);
    if (status == TULLE_OK)
        return tulle_file_writer_commit(writer, error);
    tulle_file_writer_abort(writer);
    return status;
}

/* With the calls on files as a test has set them, "new" cannot be written for this reason, and the
 * old file stays, alone. Puts back `calls`. */
static inline void assert_old_stays(const struct file_io *calls, int errnum)
{
    struct tulle_error error;
    enum tulle_status status = write_text(in_folder("file"), "new", &error);
    tulle_file_io = *calls;
    assert_int_equal(status, TULLE_ERROR_IO);
    assert_non_null(strstr(error.message, strerror(errnum)));
    assert_holds(in_folder("file"), "old");
    assert_int_equal(entry_count(), 1);
}

#endif
