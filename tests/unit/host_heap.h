/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for the kernel heap (host_heap.c, over malloc, so that ASan sees every misuse) and
 * failure injection for it and for frames_alloc() (host_frames.c, the real allocator behind it).
 */
#ifndef TESTS_UNIT_HOST_HEAP_H
#define TESTS_UNIT_HOST_HEAP_H

#include "kernel/lib/types.h"

/* The n-th allocation from now on (1 is the next one) fails, once. 0: none fails. */
void host_fail_nth(uint64_t n);
/* Did the injected failure happen since host_fail_nth()? */
bool host_failed(void);
/* For stand-ins: counts an allocation; true if this one must fail. */
bool host_must_fail(void);

#endif
