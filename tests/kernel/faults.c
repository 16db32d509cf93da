/* SPDX-License-Identifier: BSD-2-Clause */
/* Three ways for the kernel to go wrong. */
#include "tests/kernel/internal.h"
#include "kernel/cpu/thread.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"

int test_panic(struct refusal *why)
{
    thread_yield("the test's own point");
    panic("asked for by the test");
}

int test_fault(struct refusal *why)
{
    volatile uint64_t *nowhere = (volatile uint64_t *)(uintptr_t)UINT64_C(0xffff900000001238);

    return (int)*nowhere;
}

/* Recursion that the compiler cannot turn into a loop; the kernel's stacks end long before. */
static unsigned descend(volatile unsigned *depth)
{
    volatile unsigned here = *depth + 1;

    return here < UINT32_MAX ? descend(&here) + here : 0;
}

static void overflow(void *argument)
{
    volatile unsigned depth = 0;

    descend(&depth);
}

int test_overflow(struct refusal *why)
{
    struct thread *thread;

    if (thread_create(&thread, NULL, overflow, NULL))
        return refuse(why, -ENOMEM, "test overflow: no memory");
    thread_start(thread);
    thread_yield("test");
    return refuse(why, -EIO, "test overflow: the stack has no end");
}
