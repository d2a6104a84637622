/* cpu.c - what the machine can do. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "portability.h"

#include <unistd.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* XCR0: which registers the operating system saves. A CPU that has AVX2 under a system that does
 * not save its registers must not use it. */
static unsigned read_xcr0(void)
{
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

int tulle_cpu_has_avx2_fma(void)
{
    const unsigned xmm_and_ymm = 0x6;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
        return 0;
    if ((read_xcr0() & xmm_and_ymm) != xmm_and_ymm)
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}
#else
int tulle_cpu_has_avx2_fma(void)
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
