/* files.c - names and identities of files. */
#define _POSIX_C_SOURCE 200809L
#include "files.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"

char *cli_model_path(const char *data)
{
    static const char *const endings[] = {".gz", ".csv", ".tsv", ".npy"}; /* .gz is outermost */
    const char *slash = strrchr(data, '/');
    const char *name = slash ? slash + 1 : data;
    size_t length = strcmp(name, "-") == 0 ? 0 : strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);
        if (length >= ending && memcmp(name + length - ending, endings[i], ending) == 0)
            length -= ending;
    }
    return length ? cli_format("%.*s.tulle", (int)length, name) : cli_format("model.tulle");
}

int cli_same_path(const char *a, const char *b)
{
    struct stat first, second;
    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return 0;
    if (stat(a, &first) != 0 || stat(b, &second) != 0)
        return strcmp(a, b) == 0;
    return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

const char *cli_source_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}
