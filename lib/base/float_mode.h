/*
 * float_mode.h - the floating-point mode that bits depend on: round to nearest, denormals as IEEE
 * has them. A host program may run with another (linking with -ffast-math turns denormals to zero
 * for the whole process), so arithmetic of ours is done between an enter and a leave on each
 * thread.
 */
#ifndef TULLE_FLOAT_MODE_H
#define TULLE_FLOAT_MODE_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>

/* Returns the mode to leave with. */
static inline uint64_t tulle_float_mode_enter(void)
{
    unsigned old = _mm_getcsr();
    _mm_setcsr(0x1f80); /* the processor's default: all exceptions masked */
    return old;
}

static inline void tulle_float_mode_leave(uint64_t old)
{
    _mm_setcsr((unsigned)old);
}

#elif defined(__aarch64__)

static inline uint64_t tulle_float_mode_enter(void)
{
    uint64_t old;
    __asm__ volatile("mrs %0, fpcr" : "=r"(old));
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
    return old;
}

static inline void tulle_float_mode_leave(uint64_t old)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(old));
}

#else

static inline uint64_t tulle_float_mode_enter(void)
{
    return 0;
}

static inline void tulle_float_mode_leave(uint64_t old)
{
    (void)old;
}

#endif
#endif
