/* cpu.h - what the machine can do. */
#ifndef TULLE_CPU_H
#define TULLE_CPU_H

/* Whether the CPU and the operating system (the register state it saves) both have AVX2 and FMA. */
int tulle_cpu_has_avx2_fma(void);

/* The same for AVX-512F. */
int tulle_cpu_has_avx512(void);

/* The CPUs that this process may run on; at least 1. */
unsigned tulle_cpu_count(void);

#endif
