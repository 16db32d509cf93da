/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/stream.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/thread.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define PIECE     512u  /* bytes of memory in a record */
#define BYTE_WORK 1000u /* an emulated port takes about a microsecond for each */

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

void stream_send(unsigned kind, const void *bytes, size_t length)
{
    stream_record(kind, bytes, length);
    breathe_deaf_after((uint32_t)(length + sizeof(struct stream_header)) * BYTE_WORK, "stream");
}

uint64_t stream_send_memory(unsigned kind, uint64_t at, const void *bytes, uint64_t length)
{
    static const uint8_t zero[PIECE];
    const uint8_t *end = (const uint8_t *)bytes + length;
    uint64_t sent = 0;

    for (const uint8_t *from = bytes; from < end; from += PIECE, at += PIECE) {
        size_t n = MIN((size_t)(end - from), PIECE);
        bool empty = !memcmp(from, zero, n);

        if (!empty) {
            stream_begin(kind, sizeof(at) + n);
            stream_put(&at, sizeof(at));
            stream_put(from, n);
            sent += n;
        }
        breathe_deaf_after(empty ? PIECE : PIECE * BYTE_WORK, "stream");
    }
    return sent;
}
