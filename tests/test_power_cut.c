/*
 * test_power_cut.c - what is on the disk when the power fails between two system calls of a write.
 *
 * The calls are recorded and taken up by a disk that promises no more than POSIX does: the bytes of
 * a file are there for certain once it is synced, a change of names once its folder is; until then,
 * any of the changes may have been made, in any order, or not. After a cut at any moment the path
 * must lead to a whole file, the old or the new one; after success, to the new one.
 */
#include "../lib/base/portability.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/file_io.h"
#include "../lib/model/checkpoint.h"
#include "model_support.h"

/* --- The disk -------------------------------------------------------------------------------- */

enum { MOST = 16, NOBODY = -1 };

/* A file, by its number: those that were there before are whole and on the disk. */
struct disk_file {
    int is_new, is_synced, is_folder;
};

/* A name that leads to a file, or to none. */
struct entry {
    char name[64];
    int file;
};

/* A change of names: `to` leads to the file from now on, `from` to none. Either may be "". */
struct change {
    char from[64], to[64];
    int file;
};

static struct {
    struct disk_file files[MOST];
    struct entry entries[MOST];  /* as all processes see them */
    struct entry synced[MOST];   /* as they are on the disk for certain */
    struct change changes[MOST]; /* since then */
    int descriptors[1024];       /* the file of each; NOBODY */
    size_t file_count, entry_count, synced_count, change_count;
    size_t cuts; /* that were looked at */
    int is_done; /* the write has been called a success */
} disk;

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file that a name leads to, NOBODY if to none. */
static int file_of(const struct entry *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0)
            return entries[i].file;
    return NOBODY;
}

static void set_entry(struct entry *entries, size_t *count, const char *name, int file)
{
    size_t i = 0;
    while (i < *count && strcmp(entries[i].name, name) != 0)
        i++;
    assert_true(i < MOST);
    if (i == *count)
        snprintf(entries[(*count)++].name, sizeof entries->name, "%s", name);
    entries[i].file = file;
}

static void make_change(struct entry *entries, size_t *count, const struct change *change)
{
    if (change->from[0])
        set_entry(entries, count, change->from, NOBODY);
    if (change->to[0])
        set_entry(entries, count, change->to, change->file);
}

static int add_file(int is_new, int is_folder)
{
    assert_true(disk.file_count < MOST);
    disk.files[disk.file_count] = (struct disk_file){is_new, !is_new, is_folder};
    return (int)disk.file_count++;
}

static void add_old(const char *name)
{
    int file = add_file(0, 0);
    set_entry(disk.entries, &disk.entry_count, name, file);
    set_entry(disk.synced, &disk.synced_count, name, file);
}

/* --- The cut --------------------------------------------------------------------------------- */

/* With those of the changes made whose bits are set. */
static void check_cut(const char *path, unsigned made)
{
    struct entry entries[MOST];
    size_t count = disk.synced_count;
    memcpy(entries, disk.synced, sizeof entries);
    for (size_t i = 0; i < disk.change_count; i++)
        if (made >> i & 1)
            make_change(entries, &count, &disk.changes[i]);
    int had_old = file_of(disk.synced, disk.synced_count, path) != NOBODY;
    int file = file_of(entries, count, path);
    if (file == NOBODY && (had_old || disk.is_done))
        fail_msg("'%s' is lost", path);
    if (disk.is_done && !disk.files[file].is_new)
        fail_msg("'%s' is the old file, after success", path);
    for (size_t i = 0; i < count; i++) /* the one before, too */
        if (strncmp(entries[i].name, ".tulle.tmp-", 11) != 0 && entries[i].file != NOBODY &&
            !disk.files[entries[i].file].is_synced)
            fail_msg("'%s' is not whole", entries[i].name);
    disk.cuts++;
}

static const char *written;

static void check_cuts(void)
{
    assert_true(disk.change_count < MOST);
    for (unsigned made = 0; made < 1u << disk.change_count; made++)
        check_cut(written, made);
}

/* --- Recording ------------------------------------------------------------------------------- */

static struct file_io disk_system;

static void change_names(const char *from, const char *to, int file)
{
    struct change *change = &disk.changes[disk.change_count++];
    assert_true(disk.change_count < MOST);
    snprintf(change->from, sizeof change->from, "%s", last_name(from));
    snprintf(change->to, sizeof change->to, "%s", last_name(to));
    change->file = file;
    make_change(disk.entries, &disk.entry_count, change);
    check_cuts();
}

static int file_at(const char *path)
{
    return file_of(disk.entries, disk.entry_count, last_name(path));
}

static int disk_open(const char *path, int flags, mode_t mode)
{
    int fd = disk_system.open(path, flags, mode);
    if (fd < 0)
        return fd;
    assert_true(fd < 1024);
    if (flags & O_CREAT)
        change_names("", path, add_file(1, 0));
    disk.descriptors[fd] = flags & O_DIRECTORY ? add_file(0, 1) : file_at(path);
    return fd;
}

static int disk_duplicate(int fd)
{
    int other = disk_system.duplicate(fd);
    assert_true(other >= 0 && other < 1024);
    disk.descriptors[other] = disk.descriptors[fd];
    return other;
}

static ssize_t disk_write(int fd, const void *from, size_t size)
{
    disk.files[disk.descriptors[fd]].is_synced = 0;
    check_cuts();
    return disk_system.write(fd, from, size);
}

static int disk_fsync(int fd)
{
    struct disk_file *file = &disk.files[disk.descriptors[fd]];
    file->is_synced = 1;
    if (file->is_folder) {
        memcpy(disk.synced, disk.entries, sizeof disk.synced);
        disk.synced_count = disk.entry_count;
        disk.change_count = 0;
    }
    check_cuts();
    return 0;
}

static int disk_rename(const char *from, const char *to)
{
    int result = disk_system.rename(from, to);
    if (result == 0)
        change_names(from, to, file_at(from));
    return result;
}

static int disk_link(const char *from, const char *to)
{
    int result = disk_system.link(from, to);
    if (result == 0)
        change_names("", to, file_at(from));
    return result;
}

static int disk_unlink(const char *path)
{
    int result = disk_system.unlink(path);
    if (result == 0)
        change_names(path, "", NOBODY);
    return result;
}

/* What write does to the file, some of which the folder has already. */
static void check_write(const char *name, enum tulle_status (*write)(void), size_t cuts)
{
    static const char *const old[] = {"file", "file.previous"};
    memset(&disk, 0, sizeof disk);
    memset(disk.descriptors, NOBODY, sizeof disk.descriptors);
    for (int i = 0; i < 2; i++)
        if (access(in_folder(old[i]), F_OK) == 0)
            add_old(old[i]);
    disk_system = tulle_file_io;
    tulle_file_io.open = disk_open;
    tulle_file_io.duplicate = disk_duplicate;
    tulle_file_io.write = disk_write;
    tulle_file_io.fsync = disk_fsync;
    tulle_file_io.rename = disk_rename;
    tulle_file_io.link = disk_link;
    tulle_file_io.unlink = disk_unlink;
    written = name;
    enum tulle_status status = write();
    tulle_file_io = disk_system;
    assert_int_equal(status, TULLE_OK);
    disk.is_done = 1;
    check_cuts();
    print_message("%zu states of the disk after a cut\n", disk.cuts);
    assert_true(disk.cuts >= cuts);
}

/* --- What is written ------------------------------------------------------------------------- */

static enum tulle_status save(void)
{
    struct tulle_model *model = example_model();
    enum tulle_status status = tulle_model_save(model, in_folder("file"), NULL);
    tulle_model_free(model);
    return status;
}

static void test_save(void **state)
{
    (void)state;
    check_write("file", save, 5);
    check_write("file", save, 5);
}

static enum tulle_status write_checkpoint(void)
{
    double number = 1;
    struct checkpoint_part part = {"number", TENSOR_F64, &number, 1, NULL};
    const struct checkpoint checkpoint = {NULL, 0, &part, 1};
    return tulle_checkpoint_write(in_folder("file"), &checkpoint, NULL);
}

static void test_checkpoint(void **state)
{
    (void)state;
    check_write("file", write_checkpoint, 5);
    check_write("file", write_checkpoint, 5);
    check_write("file", write_checkpoint, 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {TEST(test_save), TEST(test_checkpoint)};
    return tulle_has_model_files ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
