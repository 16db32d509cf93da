/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/ioctl.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"

/* Room for any structure: a row counts its bytes in eight bits. */
#define DATA_SIZE 256
_Static_assert(sizeof(((struct ioctl_row *)0)->size) == 1, "DATA_SIZE holds every size");

const struct ioctl_row *ioctl_find(const struct ioctl_row *rows, size_t count, uint32_t command)
{
    for (const struct ioctl_row *row = rows; row < rows + count; row++)
        if (row->command == command)
            return row;
    return NULL;
}

/* The part that every caller has; the rest of what is known is zero. */
static int copy_head(struct ioctl_call *call)
{
    size_t known = call->row->size, length = call->row->size_min;

    if (length != known)
        memset(call->data, 0, known);
    return copy_from_user(call->data, call->argument, length);
}

/* There may be nothing to copy; then the argument need not be an address. */
static int copy_plain(struct ioctl_call *call)
{
    call->size = call->row->size;
    return call->size ? copy_head(call) : 0;
}

static int copy_argsz(struct ioctl_call *call)
{
    if (copy_head(call))
        return -EFAULT;
    call->size = *(const uint32_t *)call->data;
    return call->size < call->row->size_min ? -EINVAL : 0;
}

/* All that is known. The size is believed as it was read first, whatever the copy found there. */
static int copy_growing(struct ioctl_call *call)
{
    int error;

    if (copy_from_user(&call->size, call->argument, sizeof(call->size)))
        return -EFAULT;
    if (call->size < call->row->size_min)
        return -EINVAL;
    error = copy_struct_from_user(call->data, call->row->size, call->argument, call->size);
    *(uint32_t *)call->data = call->size;
    return error;
}

static APART int copy_other(struct ioctl_call *call)
{
    return call->row->rule == IOCTL_SIZE ? copy_growing(call) : copy_plain(call);
}

int64_t ioctl_run(const struct ioctl_row *row, void *context, uaddr_t argument)
{
    _Alignas(uint64_t) uint32_t data[DATA_SIZE / sizeof(uint32_t)];
    struct ioctl_call call;
    int64_t error;

    if (!row)
        return -ENOTTY;
    call.context = context;
    call.argument = argument;
    call.data = data;
    call.row = row;
    error = row->rule == IOCTL_ARGSZ ? copy_argsz(&call) : copy_other(&call);
    return error ? error : row->run(&call);
}

int ioctl_reply(const struct ioctl_call *call)
{
    return copy_to_user(call->argument, call->data, MIN(call->size, call->row->size));
}
