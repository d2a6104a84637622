/* written_text.h - texts written to files with the library's writer, and by others. */
#ifndef WRITTEN_TEXT_H
#define WRITTEN_TEXT_H

#include <stdlib.h>
#include <string.h>

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

#endif
