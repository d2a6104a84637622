/* fuzz_csv.c - target: any bytes as a table, read with several options; and as records, which must
 * be the same however few bytes a read gives. */
#include "../../lib/base/portability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../lib/data/csv_reader.h"
#include "scratch.h"

static void read_table(const struct tulle_read_options *options)
{
    struct tulle_error error;
    tulle_dataset *table;
    enum tulle_status status = tulle_dataset_read(in_scratch("input"), options, &table, &error);
    if (status != TULLE_OK) {
        CHECK(!table);
        CHECK(status == TULLE_ERROR_DATA || (status == TULLE_ERROR_UNSUPPORTED && !tulle_has_gzip));
        check_error(status, &error);
        return;
    }
    const struct tulle_dataset_info *info = tulle_dataset_info(table);
    CHECK(info->rows > 0 && info->columns > 0);
    for (size_t i = 0; i < info->rows * info->columns; i++) {
        const struct tulle_levels *levels = &info->levels[i % info->columns];
        const double value = info->values[i];
        if (levels->names)
            CHECK(isnan(value) || levels->names[(size_t)value][0]);
        else
            CHECK(isnan(value) || fabs(value) <= 1e150);
    }
    tulle_dataset_free(table);
}

/* A number that all records of the file, up to the first error, have a share in. */
static uint64_t hash_records(size_t chunk)
{
    struct byte_source *source;
    struct csv_reader *reader;
    const struct csv_record *record = NULL;
    struct tulle_error error = {.code = TULLE_OK};
    uint64_t hash = 1;
    CHECK(tulle_byte_source_open(in_scratch("input"), chunk, &source, &error) == TULLE_OK);
    enum tulle_status status = tulle_csv_reader_open(source, &reader, &error);
    while (!status && !(status = tulle_csv_reader_next(reader, &record, &error)) && record &&
           !(status = tulle_csv_reader_cut(reader, &error))) {
        for (size_t i = 0; i < record->count; i++) {
            const struct csv_cell *cell = &record->cells[i];
            for (size_t k = 0; k < cell->length; k++)
                hash = hash * 31 + (unsigned char)cell->text[k];
            hash = hash * 31 + cell->line * 7 + cell->column;
        }
        hash = hash * 31 + record->end_line * 7 + record->end_column;
    }
    if (status)
        check_error(status, &error);
    hash = hash * 31 + (uint64_t)status * 7 + error.line * 5 + error.column;
    tulle_csv_reader_close(reader);
    tulle_byte_source_close(source);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const a[] = {"a"}, *const b[] = {"b"}, *const c[] = {"c"};
    static const char *const missing[] = {"-999", "?", "none"};
    struct tulle_read_options options = TULLE_READ_OPTIONS;
    const int is_packed = size >= 2 && data[0] == 0x1f && data[1] == 0x8b; /* fuzz_gzip.c's */
    put_scratch("input", data, size);
    read_table(NULL);
    options.split_column = "s";
    options.categorical = a;
    options.numeric = b;
    options.drop = c;
    options.categorical_count = options.numeric_count = options.drop_count = 1;
    options.missing = missing;
    options.missing_count = 3;
    read_table(&options);
    if (!is_packed)
        CHECK(hash_records(TULLE_BYTE_SOURCE_CHUNK) == hash_records(1 + size % 7));
    return 0;
}
