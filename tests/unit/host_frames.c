/* SPDX-License-Identifier: BSD-2-Clause */
/* The real frame allocator, with failures injected in front of frames_alloc(): see host_heap.h. */
#define frames_alloc frames_alloc_real
#include "kernel/mm/frames/frames.c"
#undef frames_alloc
#include "tests/unit/host_heap.h"

paddr_t frames_alloc(unsigned order, unsigned flags);

paddr_t frames_alloc(unsigned order, unsigned flags)
{
    return host_must_fail() ? PADDR_NONE : frames_alloc_real(order, flags);
}
