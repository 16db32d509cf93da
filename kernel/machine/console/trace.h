/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens, as records of the stream: `--trace` of ./bulkhead run. Numbers, and bytes of the
 * payload's memory; what they mean is the host's to know (docs/report.md).
 */
#ifndef KERNEL_MACHINE_CONSOLE_TRACE_H
#define KERNEL_MACHINE_CONSOLE_TRACE_H

#include "kernel/machine/console/stream.h"

/* clang-format off */
enum trace_class { TRACE_CALLS = 1, TRACE_MAPS = 2, TRACE_FAULTS = 4, TRACE_IRQS = 8 };
enum trace_kind {
    TRACE_CALL = STREAM_TRACE, TRACE_RESULT, TRACE_SIGNAL, TRACE_THREAD_EXIT,
    TRACE_MAP, TRACE_UNMAP, TRACE_IOVA_MAP, TRACE_IOVA_UNMAP,
    TRACE_DMA_FAULT, TRACE_PAGE_FAULT, TRACE_EXCEPTION, TRACE_INTERRUPT
};
/* clang-format on */

/*
 * What is wanted, a sum of classes: the key `trace`. Set before anything is there that could be
 * traced, because some make their choice when they are set up, not on each of their counted paths.
 */
extern unsigned trace_classes;

/* A record of 64-bit numbers, if their class is wanted. */
#define TRACE(class, kind, subject, number, ...)                                                   \
    do {                                                                                           \
        const uint64_t values[] = {__VA_ARGS__};                                                   \
        if (trace_classes & (class))                                                               \
            trace_emit(kind, (uint32_t)(subject), (uint32_t)(number), values, sizeof(values));     \
    } while (0)
/*
 * A record of the time in ns, whose it is (thread, function of a device, domain), a number, and
 * `length` bytes, less than a KiB. Interrupts out.
 */
void trace_emit(enum trace_kind kind, uint32_t subject, uint32_t number, const void *bytes,
                size_t length);

#endif
