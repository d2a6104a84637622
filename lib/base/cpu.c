/* cpu.c - what the machine can do. */
#include "portability.h"

#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#include <errno.h>
#include <math.h>
#include <sched.h>
#endif

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdatomic.h>

/* XCR0: which registers the operating system saves. A CPU that has AVX2 under a system that does
 * not save its registers must not use it. (not covered: machines that lack what is asked for) */
static int saves_registers(unsigned mask)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & mask) == mask;
}

/* Whether CPUID's leaf 7 has the feature bit in EBX. (not covered: older machines) */
static int has_feature(unsigned bit)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit);
}

/* not covered: older machines */
static int has_avx2_fma(void)
{
    unsigned a, b, c, d;
    return saves_registers(0x06) && has_feature(bit_AVX2) && __get_cpuid(1, &a, &b, &c, &d) &&
           (c & bit_FMA);
}

/* not covered: older machines, or newer ones */
static int has_avx512(void)
{
    return has_avx2_fma() && saves_registers(0xe6) && has_feature(bit_AVX512F);
}

/* The answer, 1 + it in `known` from the first time on: under a hypervisor, CPUID takes tens of
 * microseconds. Threads that ask at once find the same. */
static int ask_once(atomic_int *known, int (*ask)(void))
{
    int answer = atomic_load_explicit(known, memory_order_relaxed) - 1;
    if (answer < 0) {
        answer = ask();
        atomic_store_explicit(known, 1 + answer, memory_order_relaxed);
    }
    return answer;
}

int tulle_cpu_has_avx2_fma(void)
{
    static atomic_int known;
    return ask_once(&known, has_avx2_fma);
}

int tulle_cpu_has_avx512(void)
{
    static atomic_int known;
    return ask_once(&known, has_avx512);
}
#else
int tulle_cpu_has_avx2_fma(void)
{
    return 0;
}

int tulle_cpu_has_avx512(void)
{
    return 0;
}
#endif

/* --- How many CPUs ---------------------------------------------------------------------------- */

#if defined(__linux__)

/* root, directory and name as one path, opened for reading; NULL if it is not there. */
static FILE *open_below(const char *root, const char *directory, const char *name)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s%s%s", root, directory, name);
    return (size_t)length < sizeof path ? fopen(path, "re") : NULL;
}

/* The numbers that the file begins with, as many as there are of two. */
static int read_numbers(const char *root, const char *directory, const char *name, double number[2])
{
    FILE *file = open_below(root, directory, name);
    if (!file)
        return 0;
    /* NOLINTNEXTLINE(cert-err34-c): a number beyond double is infinite, and no limit */
    int count = fscanf(file, "%lf %lf", &number[0], &number[1]);
    fclose(file);
    return count;
}

/* What one control group allows. For no limit, version 2 says "max" and version 1 says -1. */
static unsigned group_quota(const char *root, const char *directory, int version)
{
    double number[2] = {-1, 0}, period[2] = {0, 0};
    if (version == 2) {
        if (read_numbers(root, directory, "/cpu.max", number) != 2)
            return UINT_MAX;
    } else {
        if (read_numbers(root, directory, "/cpu.cfs_quota_us", number) < 1 ||
            read_numbers(root, directory, "/cpu.cfs_period_us", period) < 1)
            return UINT_MAX;
        number[1] = period[0];
    }
    if (!(number[0] > 0 && number[1] > 0))
        return UINT_MAX;
    double cpus = ceil(number[0] / number[1]);
    return cpus < UINT_MAX ? (unsigned)cpus : UINT_MAX;
}

/* Whether word stands in a list with commas. */
static int is_listed(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (; list; list = strchr(list, ','), list = list ? list + 1 : NULL)
        if (strncmp(list, word, length) == 0 && strchr(",\n", list[length]))
            return 1;
    return 0;
}

/* The path of the process's group in a line "7:cpu,cpuacct:/a/b" (version 1) or "0::/a/b" (2) of
 * /proc/self/cgroup, cut off at its end; NULL if the line is another hierarchy's. */
static char *group_path(char *line, int version)
{
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path)
        return NULL;
    *path++ = 0;
    path[strcspn(path, "\n")] = 0;
    controllers++;
    return (version == 2 ? *controllers == 0 : is_listed(controllers, "cpu")) ? path : NULL;
}

/* The version of a hierarchy that a line of /proc/self/mountinfo shows mounted, with the group that
 * the mount shows and the directory that it shows it in; 0 if it is none that limits CPUs:
 *     31 23 0:28 /group /directory rw,nosuid shared:9 - cgroup2 cgroup2 rw        (proc(5)) */
static int mounted_version(char *line, char **group, char **directory)
{
    char *field[5] = {NULL}, *rest = NULL, *type = strstr(line, " - ");
    if (!type)
        return 0;
    *type = 0;
    type = strtok_r(type + 3, " ", &rest);
    strtok_r(NULL, " ", &rest);
    char *options = strtok_r(NULL, " ", &rest);
    for (int i = 0; i < 5; i++)
        if (!(field[i] = strtok_r(i == 0 ? line : NULL, " ", &rest)))
            return 0;
    *group = field[3];
    *directory = field[4];
    if (type && strcmp(type, "cgroup2") == 0)
        return 2;
    return type && strcmp(type, "cgroup") == 0 && options && is_listed(options, "cpu");
}

/* The least that is allowed by the group at `path` and by those above it, up to the one whose path
 * is so long. */
static unsigned least_quota(const char *root, int version, char *path, size_t top)
{
    unsigned least = UINT_MAX;
    for (char *end = path + strlen(path); end && (size_t)(end - path) >= top;
         end = strrchr(path, '/')) {
        *end = 0;
        unsigned quota = group_quota(root, path, version);
        least = quota < least ? quota : least;
    }
    return least;
}

/* What a hierarchy allows that shows the group `shown` and those below it in the directory. */
static unsigned hierarchy_quota(const char *root, int version, const char *shown,
                                const char *directory)
{
    unsigned least = UINT_MAX;
    char *line = NULL, path[PATH_MAX];
    size_t size = 0, above = strcmp(shown, "/") == 0 ? 0 : strlen(shown);
    FILE *file = open_below(root, "/proc/self", "/cgroup");
    while (file && getline(&line, &size, file) > 0) {
        const char *own = group_path(line, version);
        if (!own)
            continue;
        int is_shown = strncmp(own, shown, above) == 0 && strchr("/", own[above]);
        int length = snprintf(path, sizeof path, "%s%s", directory, is_shown ? own + above : "");
        if ((size_t)length < sizeof path)
            least = least_quota(root, version, path, strlen(directory));
    }
    if (file)
        fclose(file);
    free(line);
    return least;
}

unsigned tulle_cpu_quota(const char *root)
{
    unsigned least = UINT_MAX;
    char *line = NULL, *group, *directory;
    size_t size = 0;
    FILE *file = open_below(root, "/proc/self", "/mountinfo");
    while (file && getline(&line, &size, file) > 0) {
        int version = mounted_version(line, &group, &directory);
        unsigned quota = version ? hierarchy_quota(root, version, group, directory) : UINT_MAX;
        least = quota < least ? quota : least;
    }
    if (file)
        fclose(file);
    free(line);
    return least;
}

/* The CPUs of the affinity mask; 0 if it cannot be had. The kernel wants a set that holds as many
 * as it was built for, which may be more than cpu_set_t's 1024. (not covered: kernels built for
 * more, or that know no affinity) */
static unsigned affinity_count(void)
{
    for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set)
            return 0;
        int failed = sched_getaffinity(0, CPU_ALLOC_SIZE(cpus), set) != 0;
        int too_small = failed && errno == EINVAL;
        unsigned count = failed ? 0 : (unsigned)CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set);
        CPU_FREE(set);
        if (!too_small)
            return count;
    }
    return 0;
}

#else

unsigned tulle_cpu_quota(const char *root)
{
    (void)root;
    return UINT_MAX;
}

static unsigned affinity_count(void)
{
    return 0;
}

#endif

unsigned tulle_cpu_count(void)
{
    unsigned count = affinity_count(), quota = tulle_cpu_quota("");
    if (count == 0) { /* not covered: a system without affinity */
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        count = online > 0 ? (unsigned)online : 1;
    }
    return quota < count ? quota : count;
}

unsigned tulle_cpu_limit(unsigned threads)
{
    if (threads == 1)
        return 1;
    unsigned cpus = tulle_cpu_count();
    return threads == 0 || threads > cpus ? cpus : threads;
}
