/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A member is a header of 6 + 13 * 8 ASCII characters, the name with its zero, and the data; name
 * and data are each padded so that what follows starts at a multiple of 4.
 */
#include "kernel/linux/program/cpio.h"
#include "kernel/lib/digit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"

#define HEADER_SIZE 110u
#define FIELD_MODE  1u
#define FIELD_SIZE  6u
#define FIELD_NAME  11u

static const char magic[] = "070701";

bool cpio_detect(const void *bytes, uint64_t size)
{
    return size >= sizeof(magic) - 1 && memcmp(bytes, magic, sizeof(magic) - 1) == 0;
}

void cpio_open(struct cpio_reader *reader, const void *bytes, uint64_t size)
{
    *reader = (struct cpio_reader){.bytes = bytes, .size = size};
}

static bool read_field(const uint8_t *header, unsigned field, uint32_t *value)
{
    const uint8_t *text = header + sizeof(magic) - 1 + field * 8;
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        unsigned digit = digit_value((char)text[i]);
        if (digit == 16)
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static const char *read_member(struct cpio_reader *reader, struct cpio_entry *entry)
{
    const uint8_t *header = reader->bytes + reader->offset;
    uint64_t left = reader->size - reader->offset;
    uint32_t name_size;
    if (left < HEADER_SIZE)
        return "the archive is truncated: it ends without a trailer";
    if (!cpio_detect(header, left))
        return "a member of the archive does not start with 070701";
    if (!read_field(header, FIELD_MODE, &entry->mode) ||
        !read_field(header, FIELD_SIZE, &entry->size) ||
        !read_field(header, FIELD_NAME, &name_size))
        return "a header of the archive has a field that is not hexadecimal";
    if (name_size < 2 || name_size > CPIO_NAME_MAX)
        return "a name in the archive is empty or too long";

    uint64_t data = ALIGN_UP(HEADER_SIZE + (uint64_t)name_size, 4);
    if (data > left || entry->size > left - data)
        return "the archive is truncated: a member lies beyond its end";
    entry->name = (const char *)header + HEADER_SIZE;
    if (strnlen(entry->name, name_size) != name_size - 1)
        return "a name in the archive is not terminated where it should be";
    entry->data = header + data;
    /* The padding after the very last member may be missing. */
    reader->offset += MIN(ALIGN_UP(data + entry->size, 4), left);
    return NULL;
}

int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry, const char **reason)
{
    *reason = read_member(reader, entry);
    if (*reason)
        return -EINVAL;
    return strcmp(entry->name, "TRAILER!!!") == 0 ? 0 : 1;
}
