/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/stream.h"
#include "kernel/cpu/port.h"
#include "kernel/lib/panic.h"

static uint16_t port;  /* 0: none */
static size_t missing; /* bytes of the record that is being written */
static bool has_output;

void stream_open(uint16_t to, bool output)
{
    port = to;
    has_output = output;
}

bool stream_has_output(void)
{
    return has_output;
}

bool stream_is_open(void)
{
    return port;
}

static void put(const void *bytes, size_t length)
{
    if (port)
        port_write_bytes(port, bytes, length);
}

void stream_begin(unsigned kind, size_t length)
{
    const struct stream_header header = {kind, (uint32_t)length};

    ASSERT(!missing && length <= STREAM_BYTES_MAX);
    put(&header, sizeof(header));
    missing = length;
}

void stream_put(const void *bytes, size_t length)
{
    ASSERT(length <= missing);
    put(bytes, length);
    missing -= length;
}

void stream_record(unsigned kind, const void *bytes, size_t length)
{
    stream_begin(kind, length);
    stream_put(bytes, length);
}
