/* cpu.h - what the machine can do. */
#ifndef TULLE_CPU_H
#define TULLE_CPU_H

/* Whether the CPU and the operating system (the register state it saves) both have AVX2 and FMA. */
int tulle_cpu_has_avx2_fma(void);

/* The same for AVX-512F. */
int tulle_cpu_has_avx512(void);

/* The CPUs that this process may really use: those that its affinity mask names, but no more than
 * its control groups allow it the time of; at least 1. */
unsigned tulle_cpu_count(void);

/* So many threads, but at most one a CPU; 0 stands for as many as there are. Looks at the CPUs only
 * where more than one thread is asked for. */
unsigned tulle_cpu_limit(unsigned threads);

/* Linux: the CPUs that control groups (version 1 or 2) allow the process the time of, rounded up;
 * UINT_MAX where nothing limits them. /proc and the mount points are looked up below the directory
 * `root`, "" for the machine's own. */
unsigned tulle_cpu_quota(const char *root);

#endif
