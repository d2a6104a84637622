/* cpu.c - what the machine can do. */
#include "portability.h"

#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#endif

#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* XCR0: which registers the operating system saves. A CPU that has AVX2 under a system that does
 * not save its registers must not use it. */
static int saves_registers(unsigned mask)
{
    unsigned a, b, c, d, low, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & mask) == mask;
}

/* Whether CPUID's leaf 7 has the feature bit in EBX. */
static int has_feature(unsigned bit)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit);
}

int tulle_cpu_has_avx2_fma(void)
{
    unsigned a, b, c, d;
    return saves_registers(0x06) && has_feature(bit_AVX2) && __get_cpuid(1, &a, &b, &c, &d) &&
           (c & bit_FMA);
}

int tulle_cpu_has_avx512(void)
{
    return tulle_cpu_has_avx2_fma() && saves_registers(0xe6) && has_feature(bit_AVX512F);
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

unsigned tulle_cpu_count(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (unsigned)count : 1;
}
