/* scratch.c - files in a folder of the process's own, which is removed at its end, and checks. */
#include "../../lib/base/portability.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../lib/base/utf8.h"
#include "scratch.h"

static char folder[256];

void check(int holds, const char *condition, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
    abort();
}

static void remove_folder(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            remove(in_scratch(entry->d_name));
    if (dir)
        closedir(dir);
    rmdir(folder);
}

const char *in_scratch(const char *name)
{
    static char paths[8][1024];
    static int turn;
    if (!folder[0]) {
        const char *parent = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/tulle-fuzz-XXXXXX", parent ? parent : "/tmp");
        CHECK(mkdtemp(folder));
        atexit(remove_folder);
    }
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void put_scratch(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(in_scratch(name), "wb");
    CHECK(file);
    CHECK(fwrite(bytes, 1, size, file) == size);
    CHECK(fclose(file) == 0);
}

uint8_t *get_scratch(const char *name, size_t *size)
{
    FILE *file = fopen(in_scratch(name), "rb");
    CHECK(file);
    CHECK(fseek(file, 0, SEEK_END) == 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    CHECK(bytes);
    CHECK(fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

void check_error(enum tulle_status status, const struct tulle_error *error)
{
    CHECK(status != TULLE_OK && error->code == status);
    CHECK(error->message[0] && tulle_is_utf8(error->message) && tulle_is_utf8(error->file));
    for (const char *at = error->message; *at; at++)
        CHECK((unsigned char)*at >= 0x20 && *at != 0x7f);
}
