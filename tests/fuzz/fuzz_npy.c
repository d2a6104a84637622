/* fuzz_npy.c - target: any bytes as an array of NumPy's, which must be the same however few bytes a
 * read gives, and where it comes from standard input. */
#include "../../lib/base/portability.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/data/npy_reader.h"
#include "scratch.h"

/* A number that all rows, up to the first error, have a share in. */
static uint64_t hash_rows(const char *path, size_t chunk)
{
    struct byte_source *source;
    struct npy_reader *reader;
    const double *row;
    struct tulle_error error = {.code = TULLE_OK};
    uint64_t hash = 1, bits;
    CHECK(tulle_byte_source_open(path, chunk, &source, &error) == TULLE_OK);
    enum tulle_status status = tulle_npy_reader_open(source, &reader, &error);
    while (!status && !(status = tulle_npy_reader_next(reader, &row, &error)) && row)
        for (size_t c = 0; c < tulle_npy_reader_columns(reader); c++) {
            memcpy(&bits, &row[c], sizeof bits);
            hash = hash * 31 + bits;
        }
    if (status)
        check_error(status, &error);
    tulle_npy_reader_close(reader);
    tulle_byte_source_close(source);
    return hash * 31 + (uint64_t)status;
}

static void read_table(void)
{
    static const char *const names[] = {"c0"};
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    struct tulle_error error;
    tulle_dataset *table;
    options.categorical = names;
    options.categorical_count = 1;
    enum tulle_status status = tulle_dataset_read(in_scratch("input"), &options, &table, &error);
    CHECK(status == TULLE_OK || status == TULLE_ERROR_DATA ||
          (status == TULLE_ERROR_UNSUPPORTED && !tulle_has_gzip));
    if (status != TULLE_OK)
        check_error(status, &error);
    tulle_dataset_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t magic_size = sizeof TULLE_NPY_MAGIC - 1;
    if (size < magic_size || memcmp(data, TULLE_NPY_MAGIC, magic_size) != 0)
        return 0;
    put_scratch("input", data, size);
    read_table();
    const uint64_t expected = hash_rows(in_scratch("input"), TULLE_BYTE_SOURCE_CHUNK);
    CHECK(hash_rows(in_scratch("input"), 1 + size % 7) == expected);
    int file = open(in_scratch("input"), O_RDONLY);
    CHECK(file >= 0 && dup2(file, STDIN_FILENO) == STDIN_FILENO && close(file) == 0);
    CHECK(hash_rows("-", 1 + size % 5) == expected);
    return 0;
}
