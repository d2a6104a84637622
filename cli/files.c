/* files.c - names and identities of files. */
#define _XOPEN_SOURCE 700 /* readlink */
#include "files.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "report.h"

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *cli_model_path(const char *data)
{
    static const char *const endings[] = {".gz", ".csv", ".tsv", ".npy"}; /* .gz is outermost */
    const char *name = last_name(data);
    size_t length = strcmp(name, "-") == 0 ? 0 : strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);
        if (length >= ending && memcmp(name + length - ending, endings[i], ending) == 0)
            length -= ending;
    }
    return length ? cli_format("%.*s.tulle", (int)length, name) : cli_format("model.tulle");
}

/* Where the path leads to, links followed, whether or not that is there; to be freed. */
static char *follow_links(const char *path)
{
    enum { MOST_LINKS = 40 };
    char *current = cli_format("%s", path);
    for (int i = 0; i < MOST_LINKS; i++) {
        char link[4096];
        ssize_t length = readlink(current, link, sizeof link - 1);
        if (length < 0)
            break;
        link[length] = '\0';
        const char *name = last_name(current);
        char *next = link[0] == '/' ? cli_format("%s", link)
                                    : cli_format("%.*s%s", (int)(name - current), current, link);
        free(current);
        current = next;
    }
    return current;
}

/* The folder of the file whose last name this is. */
static int stat_folder(const char *path, const char *name, struct stat *folder)
{
    char *text = cli_format("%.*s.", (int)(name - path), path);
    int result = stat(text, folder);
    free(text);
    return result;
}

/* Of files that need not be there: the same name in the same folder. */
static int is_same_place(const char *a, const char *b)
{
    const char *first_name = last_name(a), *second_name = last_name(b);
    struct stat first, second;
    return strcmp(first_name, second_name) == 0 && stat_folder(a, first_name, &first) == 0 &&
           stat_folder(b, second_name, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

int cli_same_path(const char *a, const char *b)
{
    struct stat first, second;
    if (strcmp(a, "-") == 0 || strcmp(b, "-") == 0)
        return 0;
    if (stat(a, &first) != 0 || stat(b, &second) != 0) {
        char *a_file = follow_links(a), *b_file = follow_links(b);
        int is_same = is_same_place(a_file, b_file);
        free(a_file);
        free(b_file);
        return is_same;
    }
    return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

const char *cli_source_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

char *cli_previous_path(const char *checkpoint)
{
    char *file = follow_links(checkpoint);
    char *previous = cli_format("%s.previous", file);
    free(file);
    return previous;
}

int cli_is_special(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && !S_ISREG(file.st_mode);
}
