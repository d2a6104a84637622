/* test_cpu.c - how many CPUs the process may use: made-up control groups, and this machine's. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity */
#include <sched.h>
#endif
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/base/cpu.h"

static void test_this_machine(void **state)
{
    (void)state;
    assert_true(tulle_cpu_count() >= 1);
#if defined(__linux__)
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_true(tulle_cpu_count() <= (unsigned)CPU_COUNT(&all));
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(tulle_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
#endif
}

#if defined(__linux__)

struct file {
    const char *path, *text;
};

static const char V2_MOUNT[] =
    "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
static const char V1_MOUNT[] =
    "30 1 0:5 / / rw - ext4 /dev/root rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

static const struct {
    const char *name;
    struct file files[8];
    unsigned quota;
} trees[] = {
    {"nothing mounted", {{"proc/self/cgroup", "0::/\n"}}, UINT_MAX},
    {"no group", {{"proc/self/mountinfo", V2_MOUNT}}, UINT_MAX},
    {"version 2, no limit",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/user\n"},
      {"sys/fs/cgroup/user/cpu.max", "max 100000\n"}},
     UINT_MAX},
    {"version 2, one and a half",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "150000 100000\n"}},
     2},
    {"version 2, a tenth",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/a\n"},
      {"sys/fs/cgroup/a/cpu.max", "10000 100000\n"}},
     1},
    {"version 2, the parent allows less",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/a/b/c\n"},
      {"sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}},
     3},
    {"version 2, the highest group that is mounted",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/\n"},
      {"sys/fs/cgroup/cpu.max", "200000 50000\n"}},
     4},
    {"version 2, a container is shown its own group as the highest",
     {{"proc/self/mountinfo", "9 8 0:2 /pod/box /groups rw - cgroup2 none rw\n"},
      {"proc/self/cgroup", "0::/pod/box/job\n"},
      {"groups/job/cpu.max", "max 100000\n"},
      {"groups/cpu.max", "250000 100000\n"}},
     3},
    {"version 2, shown a group that is not its own",
     {{"proc/self/mountinfo", "9 8 0:2 /pod/box /groups rw - cgroup2 none rw\n"},
      {"proc/self/cgroup", "0::/pod/boxes\n"},
      {"groups/cpu.max", "500000 100000\n"}},
     5},
    {"version 2, no number",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/a\n"},
      {"sys/fs/cgroup/a/cpu.max", "what 0\n"},
      {"sys/fs/cgroup/cpu.max", "100000 0\n"}},
     UINT_MAX},
    {"version 1, no limit",
     {{"proc/self/mountinfo", V1_MOUNT},
      {"proc/self/cgroup", "4:cpu,cpuacct:/a\n0::/\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n"}},
     UINT_MAX},
    {"version 1, the parent allows less; cpuset's path is another",
     {{"proc/self/mountinfo", V1_MOUNT},
      {"proc/self/cgroup", "5:cpuset:/z\n4:cpuacct,cpu:/a/b\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "700000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "120000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "50000\n"}},
     3},
    {"lines cut short",
     {{"proc/self/mountinfo", "31 23 - cgroup2\n - cgroup2 x y\n31 23 0:28 / /sys - \n"},
      {"proc/self/cgroup", "0:\n0\n\n:::\n"}},
     UINT_MAX},
    {"other mounts, and lines without what is looked for",
     {{"proc/self/mountinfo", "no line of this file\n"
                              "9 8 0:2 / /proc rw - proc\n"
                              "9 8 0:2 / /a rw - \n"
                              "9 8 0:2 / /b rw - cgroup cgroup\n"
                              "31 23 0:28 /group /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
                              "9 8 0:2 / /d rw - "},
      {"proc/self/cgroup", "0\n0:\n0::/other\n"},
      {"sys/fs/cgroup/cpu.max", "600000 100000\n"}},
     6},
    {"version 2, a limit beyond all numbers",
     {{"proc/self/mountinfo", V2_MOUNT},
      {"proc/self/cgroup", "0::/\n"},
      {"sys/fs/cgroup/cpu.max", "9999999999999999 1\n"}},
     UINT_MAX},
    {"version 1, without a period",
     {{"proc/self/mountinfo", V1_MOUNT},
      {"proc/self/cgroup", "4:cpu,cpuacct:/\n"},
      {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n"}},
     UINT_MAX},
    {"a mount of no whole path",
     {{"proc/self/mountinfo", "9 8 0:2 / groups rw - cgroup2 none rw\n"},
      {"proc/self/cgroup", "0::/\n"}},
     UINT_MAX},
};

/* Makes the file below root, and the directories that lead to it, or takes all of them away. */
static void change(const char *root, const struct file *file, int make)
{
    char path[PATH_MAX];
    size_t above = strlen(root);
    snprintf(path, sizeof path, "%s/%s", root, file->path);
    for (char *slash = strchr(path + above + 1, '/'); make && slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    if (!make) {
        for (remove(path); strlen(path) > above; remove(path))
            *strrchr(path, '/') = 0;
        return;
    }
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(file->text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void test_quota(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof trees / sizeof trees[0]; t++) {
        char root[] = "/tmp/tulle-cpu-XXXXXX";
        assert_non_null(mkdtemp(root));
        for (const struct file *file = trees[t].files; file->path; file++)
            change(root, file, 1);
        unsigned quota = tulle_cpu_quota(root);
        for (const struct file *file = trees[t].files; file->path; file++)
            change(root, file, 0);
        assert_int_not_equal(access(root, F_OK), 0);
        if (quota != trees[t].quota)
            fail_msg("%s: %u, expected %u", trees[t].name, quota, trees[t].quota);
    }
}

/* A path that is longer than paths can be is that of no file. */
static void test_long_paths(void **state)
{
    static char root[2 * PATH_MAX], group[2 * PATH_MAX];
    char folder[] = "/tmp/tulle-cpu-XXXXXX";
    (void)state;
    memset(root, '/', sizeof root - 1);
    assert_int_equal(tulle_cpu_quota(root), UINT_MAX);
    memset(group, 'g', sizeof group - 1);
    memcpy(group, "0::/", 4);
    const struct file files[] = {{"proc/self/mountinfo", V2_MOUNT}, {"proc/self/cgroup", group}};
    assert_non_null(mkdtemp(folder));
    change(folder, &files[0], 1);
    change(folder, &files[1], 1);
    assert_int_equal(tulle_cpu_quota(folder), UINT_MAX);
    change(folder, &files[0], 0);
    change(folder, &files[1], 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_this_machine),
#if defined(__linux__)
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_long_paths),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
