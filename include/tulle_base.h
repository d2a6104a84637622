/* tulle_base.h - what every part of Tulle's interface uses: version, status and errors, memory,
 * random numbers, matrices. Part of tulle.h, which has the conventions; include that.
 *
 * Threads: but for tulle_set_allocator() the calls here touch nothing but their arguments. A
 * tulle_error is the caller's own, so each thread has its errors to itself. */
#ifndef TULLE_API_BASE_H
#define TULLE_API_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TULLE_VERSION_MAJOR 0
#define TULLE_VERSION_MINOR 1
#define TULLE_VERSION_PATCH 0
#define TULLE_VERSION_STRING "0.1.0"

#if defined(TULLE_BUILD_SHARED) && defined(__GNUC__)
#define TULLE_API __attribute__((visibility("default")))
#else
#define TULLE_API
#endif

/* The version of the library that is linked, "0.1.0"; the macros above are that of this header. */
TULLE_API const char *tulle_version(void);

/* Writes what this build and this machine have, for bug reports, as snprintf does: "kernels avx2;
 * model files yes; gzip yes". */
TULLE_API int tulle_build_info(char *buffer, size_t size);

/* --- Status and errors ----------------------------------------------------------------------- */

/* X(NAME, value, text). Values never change; each is followed by an input that causes it. */
#define TULLE_STATUS_LIST(X)                                                                       \
    X(OK, 0, "success")                                                                            \
    X(ERROR_ARGUMENT, 1, "invalid argument")          /* a network with no inputs */               \
    X(ERROR_MEMORY, 2, "out of memory")               /* a layer of 10^9 by 10^9 */                \
    X(ERROR_IO, 3, "input or output failed")          /* no such file; the disk is full */         \
    X(ERROR_DATA, 4, "unusable data")                 /* text in a numeric column */               \
    X(ERROR_FORMAT, 5, "not a usable model file")     /* a model file cut short */                 \
    X(ERROR_VERSION, 6, "made by a newer version")    /* a model file of a later format */         \
    X(ERROR_DIVERGED, 7, "training diverged")         /* learning_rate = 1000 */                   \
    X(ERROR_INTERRUPTED, 8, "interrupted")            /* a progress callback returned non-zero */  \
    X(ERROR_UNSUPPORTED, 9, "left out of this build") /* a .gz file, built without zlib */

enum tulle_status {
#define TULLE_STATUS_ENUM(name, value, text) TULLE_##name = value,
    TULLE_STATUS_LIST(TULLE_STATUS_ENUM)
#undef TULLE_STATUS_ENUM
};

/* "out of memory" for TULLE_ERROR_MEMORY; "unknown status" for a value that is none. */
TULLE_API const char *tulle_status_text(enum tulle_status status);

/*
 * What went wrong and where. Its size is fixed for good. `line` counts physical lines and `column`
 * bytes within the line, both from 1; each is 0 where it has no meaning, and `file` is then "".
 */
struct tulle_error {
    enum tulle_status code;
    size_t line, column;
    char file[512];
    char message[512]; /* one line, no full stop; says what was expected and what to do */
};

/* Writes "houses.csv:17:4: expected a number in column 'rooms', got "n/a"" into buffer, as
 * snprintf does: at most size bytes with the NUL; returns the length that the whole text has. */
TULLE_API int tulle_error_text(const struct tulle_error *error, char *buffer, size_t size);

/* --- Memory ---------------------------------------------------------------------------------- */

/*
 * Where the library's memory comes from. Each function may be called on any thread that the library
 * is used on, and on threads of the library's own, at the same time.
 */
struct tulle_allocator {
    /* `size` bytes, at least 1, at a multiple of `alignment`, a power of two: 128, or what suits
     * any C type. NULL if there is no memory. They need not be zeroed. */
    void *(*allocate)(size_t size, size_t alignment, void *user);
    /* As realloc, of a block that suits any C type, for `size` of at least 1: the block may move;
     * NULL, and it stays as it is, if there is no memory. */
    void *(*reallocate)(void *block, size_t size, void *user);
    /* Takes back a block of either. */
    void (*release)(void *block, void *user);
    void *user; /* handed to each call */
};

/*
 * From now on this one serves, of which a copy is kept; NULL: the C library's malloc() and its
 * family, as it is at first. To be called while the library holds no memory, before anything was
 * made or after all was freed, and while no other thread is in it. What libraries allocate by
 * themselves does not come from here: jansson (see its json_set_alloc_funcs()) and xxHash, while a
 * model file is read or written, and the C library for its streams and threads.
 */
TULLE_API enum tulle_status tulle_set_allocator(const struct tulle_allocator *allocator,
                                                struct tulle_error *error);

/* --- Random numbers -------------------------------------------------------------------------- */

/*
 * MT19937 (Matsumoto and Nishimura, 1998) as NumPy's legacy global generator uses it: the draws
 * after tulle_rng_seed(&rng, s) are those after numpy.random.seed(s). Plain data: copy it to
 * keep a position in the stream. Its layout is fixed for good.
 */
struct tulle_rng {
    uint32_t state[624];
    uint32_t position; /* words of state used up, 624 when all are */
};

/* The state that numpy.random.seed(seed) makes. */
TULLE_API void tulle_rng_seed(struct tulle_rng *rng, uint32_t seed);

/* 32 random bits. */
TULLE_API uint32_t tulle_rng_next(struct tulle_rng *rng);

/* A double in [0, 1) with 53 random bits: numpy.random.rand(). */
TULLE_API double tulle_rng_uniform(struct tulle_rng *rng);

/* An integer in [0, maximum], unbiased: masked draws, rejected while above maximum. */
TULLE_API uint64_t tulle_rng_integer(struct tulle_rng *rng, uint64_t maximum);

/* Fisher and Yates from the end: numpy.random.shuffle() of a one-dimensional array. */
TULLE_API void tulle_rng_shuffle(struct tulle_rng *rng, size_t *items, size_t count);

/* --- Matrices -------------------------------------------------------------------------------- */

/* The two types of number. As a precision, the one that a network computes in. */
enum tulle_type { TULLE_F32 = 0, TULLE_F64 = 1 };

/* A view of the caller's numbers: element (r, c) is data[r * stride + c]. The data may be of
 * either type, whatever the network's precision; it is converted where it is used. */
struct tulle_matrix {
    const void *data;
    enum tulle_type type;
    size_t rows, columns;
    size_t stride; /* in elements, >= columns; 0 means columns */
};

/* The same to be written to. */
struct tulle_matrix_out {
    void *data;
    enum tulle_type type;
    size_t rows, columns;
    size_t stride;
};

/* Views of dense arrays; for another stride set the member afterwards. */
static inline struct tulle_matrix tulle_f32(const float *data, size_t rows, size_t columns)
{
    struct tulle_matrix m = {data, TULLE_F32, rows, columns, columns};
    return m;
}

static inline struct tulle_matrix tulle_f64(const double *data, size_t rows, size_t columns)
{
    struct tulle_matrix m = {data, TULLE_F64, rows, columns, columns};
    return m;
}

static inline struct tulle_matrix_out tulle_f32_out(float *data, size_t rows, size_t columns)
{
    struct tulle_matrix_out m = {data, TULLE_F32, rows, columns, columns};
    return m;
}

static inline struct tulle_matrix_out tulle_f64_out(double *data, size_t rows, size_t columns)
{
    struct tulle_matrix_out m = {data, TULLE_F64, rows, columns, columns};
    return m;
}
/* --- Utilities ------------------------------------------------------------------------------- */

/* The index of the name that is nearest to `name` (Levenshtein distance, 1966), for "did you mean";
 * SIZE_MAX if none is near: the distance must be at most a third of the longer length, rounded up,
 * and less than the whole of it. */
TULLE_API size_t tulle_nearest_name(const char *name, const char *const *names, size_t count);

#ifdef __cplusplus
}
#endif
#endif
