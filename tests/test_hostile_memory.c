/*
 * test_hostile_memory.c - how much memory a file can make the library take: so many bytes for each
 * byte that is there, whatever its header claims. For a packed table it is the bytes that come out
 * that count, and only those of rows, and of the longest line.
 */
#include "../lib/base/portability.h"

#ifdef TULLE_WITH_MODEL_FILES

#include <dirent.h>

#include "../lib/data/byte_source.h"
#include "edited_model.h"
#include "failing_memory.h"

#ifdef TULLE_WITH_GZIP
#include <zlib.h>
#endif

/* --- What it may be -------------------------------------------------------------------------- */

/* Of a model: jansson takes at most 80 bytes for one of JSON, and the description is JSON within
 * JSON; of a session beyond that, 1024 members of layers that are padded to 16 units. Of a table:
 * the buffer of the input, doubles and what each column has of names and levels. */
enum { OF_ANY = 16384, FOR_MODEL = 100, FOR_SESSION = 400, OF_TABLE = 1 << 20, FOR_TABLE = 260 };

static void expect_at_most(size_t most, const char *what)
{
    const size_t peak = peak_memory();
    if (peak > most)
        fail_msg("%s: %zu bytes, expected at most %zu", what, peak, most);
    if (getenv("TULLE_LONG"))
        print_message("%s: %zu of %zu bytes\n", what, peak, most);
}

/* Loads what may be a model, and makes a session for what is one. */
static void load(const char *path, const char *what, size_t size)
{
    struct tulle_model *model;
    tulle_session *session;
    peak_memory();
    enum tulle_status status = tulle_model_load(path, &model, NULL);
    expect_at_most(OF_ANY + FOR_MODEL * size, what);
    if (status != TULLE_OK)
        return;
    assert_int_equal(tulle_session_create(model, &session), TULLE_OK);
    expect_at_most(OF_ANY + FOR_SESSION * size, what);
    tulle_session_free(session);
    tulle_model_free(model);
}

/* Of a table with so many bytes as the reader sees them. */
static void read_table(const char *path, const char *what, size_t size)
{
    tulle_dataset *table;
    peak_memory();
    enum tulle_status status = tulle_dataset_read(path, NULL, &table, NULL);
    assert_true(status == TULLE_OK || status == TULLE_ERROR_DATA ||
                (status == TULLE_ERROR_UNSUPPORTED && !tulle_has_gzip));
    tulle_dataset_free(table);
    expect_at_most(OF_TABLE + FOR_TABLE * size, what);
}

static void for_each_file(const char *corpus,
                          void (*use)(const char *path, const char *what, size_t size),
                          size_t factor)
{
    char folder[512], path[1024];
    snprintf(folder, sizeof folder, "%s/tests/%s", TULLE_SOURCE_DIR, corpus);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct bytes file = get_bytes(path);
        free(file.data);
        use(path, path, factor * file.size);
    }
    closedir(dir);
}

/* --- Models ---------------------------------------------------------------------------------- */

static void test_corpora(void **state)
{
    (void)state;
    for_each_file("data", load, 1);
    for_each_file("fuzz/corpus/model", load, 1);
    for_each_file("fuzz/corpus/model_sealed", load, 1);
    for_each_file("fuzz/corpus/csv", read_table, 1);
    for_each_file("fuzz/corpus/npy", read_table, 1);
    for_each_file("fuzz/corpus/gzip", read_table, 1032); /* as far as deflate goes */
}

#define Q "\\\""

/* A file's claims take no memory. */
static void test_claims(void **state)
{
    (void)state;
    static const char *const claims[][2] = {
        {Q "units" Q ":8", Q "units" Q ":1000000000"},
        {Q "units" Q ":3", Q "units" Q ":4611686018427387904"},
        {Q "dimensions" Q ":2", Q "dimensions" Q ":1000000000"},
        {"8]," Q "dimensions" Q ":2", "8]," Q "dimensions" Q ":4096"},
        {Q "frequencies" Q ":5", Q "frequencies" Q ":4096"},
        {Q "frequencies" Q ":5," Q "bins" Q ":0", Q "frequencies" Q ":0," Q "bins" Q ":65536"},
        {Q "members" Q ":2", Q "members" Q ":1024"},
        {Q "quantiles" Q ":4", Q "quantiles" Q ":1000000000"},
        {Q "curve" Q ":2", Q "curve" Q ":1000000000"},
        {Q "epochs" Q ":10", Q "epochs" Q ":9007199254740992"},
        {Q "batch_size" Q ":256", Q "batch_size" Q ":9007199254740992"},
        {"\"shape\":[2,3,8]", "\"shape\":[2,3,1000000000]"},
    };
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        struct bytes file = bytes_of(rich_model());
        struct bytes claim = edited(file, claims[i][0], claims[i][1]);
        put_sealed(in_folder("claim"), claim);
        load(in_folder("claim"), claims[i][1], claim.size);
        free(claim.data);
        free(file.data);
    }
}

/* A header of nothing but what takes the most memory as JSON. */
static void test_dense_header(void **state)
{
    (void)state;
    static const char *const dense[] = {"{},", "[],", "0,", "\"\","};
    struct bytes file = example_bytes();
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++) {
        const size_t each = strlen(dense[i]), size = 90000;
        char *text = malloc(size + 64);
        assert_non_null(text);
        size_t length = (size_t)sprintf(text, "\"dense\":[");
        for (; length + each < size; length += each)
            memcpy(text + length, dense[i], each);
        sprintf(text + length, "0],\"layers.0.weight\":");
        struct bytes trap = edited(file, "\"layers.0.weight\":", text);
        put_sealed(in_folder("dense"), trap);
        load(in_folder("dense"), dense[i], trap.size);
        free(trap.data);
        free(text);
    }
    free(file.data);
}

/* The widest session for its file: as many members as there can be, and a wide layer. */
static void test_wide_session(void **state)
{
    (void)state;
    const size_t widths[] = {1, 17, 1000, 5000};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct example example;
        example_init(&example);
        const struct tulle_layer layers[] = {{widths[i], TULLE_ACTIVATION_RELU, 0, 0},
                                             {1, TULLE_ACTIVATION_RELU, 0, 0},
                                             {1, TULLE_ACTIVATION_IDENTITY, 0, 0}};
        struct tulle_model *model;
        example.info.layers = layers;
        example.info.layer_count = 3;
        example.info.front = (struct tulle_front){.has_factors = 1, .members = 1024};
        assert_int_equal(tulle_model_create(&example.info, &model, NULL), TULLE_OK);
        struct bytes file = bytes_of(model);
        load(in_folder("example"), "members of a wide layer", file.size);
        free(file.data);
    }
}

/* --- Tables ---------------------------------------------------------------------------------- */

/* A record of as many cells as the one before, which is the header. */
static size_t append_record(char *text, const char *first, const char *cell, size_t cells)
{
    size_t length = (size_t)sprintf(text, "%s", first);
    for (size_t i = 1; i < cells; i++)
        length += (size_t)sprintf(text + length, ",%s", cell);
    text[length++] = '\n';
    return length;
}

/* Columns without a name, of numbers that are missing, and of a level each. */
static void test_many_columns(void **state)
{
    enum { CELLS = 100000 };
    char *text = malloc(10 * CELLS);
    (void)state;
    assert_non_null(text);
    for (size_t size = 0; size < 2; size++) {
        size_t length = append_record(text, "1", "", CELLS);
        length += append_record(text + length, "1", size ? "y" : "", CELLS);
        put_bytes(in_folder("table"), text, length);
        read_table(in_folder("table"), "columns", length);
    }
    free(text);
}

static void test_wide_tables(void **state)
{
    (void)state;
    enum { BYTES = 200000 };
    static const char *const cells[] = {",", "1,", "x,", "\"\",", ";", "\n", "1\n", "x\n"};
    char *text = malloc(BYTES);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        const size_t each = strlen(cells[i]);
        for (size_t at = 0; at + each <= BYTES; at += each)
            memcpy(text + at, cells[i], each);
        put_bytes(in_folder("table"), text, BYTES);
        read_table(in_folder("table"), cells[i], BYTES);
    }
    free(text);
}

#ifdef TULLE_WITH_GZIP

/* Packs `count` times the text, behind a first one; returns the size of what comes out. */
static size_t pack(const char *path, const char *first, const char *text, size_t count)
{
    gzFile file = gzopen(path, "wb9");
    assert_non_null(file);
    size_t size = strlen(first) + count * strlen(text);
    gzputs(file, first);
    for (size_t i = 0; i < count; i++)
        gzputs(file, text);
    assert_int_equal(gzclose(file), Z_OK);
    return size;
}

/* A bomb takes what its rows take, and its longest line; all else that it unpacks to takes nothing.
 */
static void test_bombs(void **state)
{
    (void)state;
    enum { MILLION = 1000000 };
    const char *path = in_folder("bomb.gz");
    size_t size = pack(path, "a,b\n", "1,2\n", MILLION);
    struct bytes packed = get_bytes(path);
    free(packed.data);
    assert_true(packed.size < size / 300);
    peak_memory();
    tulle_dataset *table;
    assert_int_equal(tulle_dataset_read(path, NULL, &table, NULL), TULLE_OK);
    tulle_dataset_free(table);
    expect_at_most(OF_TABLE + 2 * MILLION * 2 * sizeof(double) * 3 / 2, "rows");

    size = pack(path, "a,b\n1,2\n", "          ", MILLION / 4);
    peak_memory();
    assert_int_equal(tulle_dataset_read(path, NULL, &table, NULL), TULLE_OK);
    tulle_dataset_free(table);
    expect_at_most(OF_TABLE + 4 * size, "one line");

    pack(path, "a,b\n1,2\n", "\n\n\n\n\n\n\n\n\n\n", 2 * MILLION);
    read_table(path, "blank lines", 0);
    pack(path, "a,b\n1,2\n", "1,x,x,x,x,x,\n", 2 * MILLION);
    read_table(path, "an error in the third line", 0);
}

#else

static void test_bombs(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(test_corpora),      TEST(test_claims),
                                       TEST(test_dense_header), TEST(test_wide_session),
                                       TEST(test_wide_tables),  TEST(test_many_columns),
                                       TEST(test_bombs)};
    return cmocka_run_group_tests(tests, use_failing_memory, use_usual_memory);
}

#else

int main(void)
{
    return 77; /* skipped: there are no model files */
}

#endif
