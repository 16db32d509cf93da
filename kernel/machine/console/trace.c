/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/trace.h"
#include "kernel/cpu/time.h"

unsigned trace_classes;

void trace_emit(enum trace_kind kind, uint32_t subject, uint32_t number, const void *bytes,
                size_t length)
{
    const uint64_t head[] = {time_ns(), subject | (uint64_t)number << 32};

    stream_begin(kind, sizeof(head) + length);
    stream_put(head, sizeof(head));
    stream_put(bytes, length);
}
