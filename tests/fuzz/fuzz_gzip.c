/* fuzz_gzip.c - target: any bytes as a packed table; and packed here, in one piece or two, a table
 * is read as it is when it is plain. */
#include "../../lib/base/portability.h"

#include <stdlib.h>
#include <string.h>

#include "scratch.h"

#ifdef TULLE_WITH_GZIP

#include <zlib.h>

static tulle_dataset *read_table(const char *name, struct tulle_error *error)
{
    tulle_dataset *table;
    enum tulle_status status = tulle_dataset_read(in_scratch(name), NULL, &table, error);
    CHECK(status == TULLE_OK || status == TULLE_ERROR_DATA);
    if (status != TULLE_OK)
        check_error(status, error);
    return table;
}

/* Appends one gzip member; returns its size. */
static size_t pack(const uint8_t *data, size_t size, int level, uint8_t *to, size_t room)
{
    z_stream stream = {.next_in = (uint8_t *)data,
                       .avail_in = (uInt)size,
                       .next_out = to,
                       .avail_out = (uInt)room};
    CHECK(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static void check_packed(const uint8_t *data, size_t size)
{
    struct tulle_error error, packed_error;
    const size_t first = size % 3 == 0 ? size : size / 3, room = 2 * size + 1000;
    uint8_t *packed = malloc(room);
    CHECK(packed);
    size_t used = pack(data, first, (int)(size % 10), packed, room);
    if (first < size)
        used += pack(data + first, size - first, 6, packed + used, room - used);
    put_scratch("plain", data, size);
    put_scratch("packed", packed, used);
    free(packed);
    tulle_dataset *plain = read_table("plain", &error),
                  *other = read_table("packed", &packed_error);
    CHECK((plain == NULL) == (other == NULL));
    if (plain) {
        const struct tulle_dataset_info *a = tulle_dataset_info(plain);
        const struct tulle_dataset_info *b = tulle_dataset_info(other);
        CHECK(a->rows == b->rows && a->columns == b->columns);
        CHECK(memcmp(a->values, b->values, a->rows * a->columns * sizeof *a->values) == 0);
    } else {
        CHECK(strcmp(error.message, packed_error.message) == 0);
        CHECK(error.line == packed_error.line && error.column == packed_error.column);
    }
    tulle_dataset_free(plain);
    tulle_dataset_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b) {
        struct tulle_error error;
        put_scratch("input", data, size);
        tulle_dataset_free(read_table("input", &error));
    } else
        check_packed(data, size);
    return 0;
}

#else

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    return 0;
}

#endif
