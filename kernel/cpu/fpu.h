/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating-point and vector registers. The kernel never uses them, so they hold the current
 * thread's state all the time it is in the kernel, and move only at thread switches (XSAVE area:
 * Intel SDM volume 1, chapter 13; without XSAVE the FXSAVE layout).
 */
#ifndef KERNEL_CPU_FPU_H
#define KERNEL_CPU_FPU_H

#include "kernel/lib/types.h"

#define FPU_ALIGN 64

/* Enables every state component the CPU has and loads the initial state. */
void fpu_init(void);
/* Bytes of a state area. */
size_t fpu_size(void);
/* The state components in an area (XCR0); 0: FXSAVE layout, x87 and SSE only. */
uint64_t fpu_components(void);
/* Stores the live registers; `area` is aligned to FPU_ALIGN and was once cleared. */
void fpu_save(void *area);
/* Loads an area that fpu_save() wrote. */
void fpu_restore(const void *area);
/*
 * Loads an area that the payload may have changed (a signal frame copied in). -EINVAL, with the
 * initial state loaded, when the CPU refuses it.
 */
int fpu_restore_untrusted(void *area);

#endif
