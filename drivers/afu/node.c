/* SPDX-License-Identifier: BSD-2-Clause */
/* What the FME's and the ports' device files have in common. */
#include "drivers/afu/internal.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"

int afu_opens_take(struct afu_opens *opens, unsigned flags)
{
    bool exclusive = flags & FILE_EXCL;

    if (opens->exclusive || (exclusive && opens->count))
        return -EBUSY;
    opens->exclusive = exclusive;
    opens->count++;
    return 0;
}

bool afu_opens_drop(struct afu_opens *opens)
{
    opens->exclusive = false;
    return --opens->count == 0;
}

int64_t afu_dispatch(struct afu_device *device, const struct afu_call *calls, size_t count,
                     void *node, uint32_t command, uint64_t argument)
{
    int64_t result = mutex_lock(&device->lock, AFU_OWNER);

    if (result)
        return result;
    result = -EINVAL; /* not ENOTTY: these device files answer so on Linux */
    for (size_t i = 0; i < count; i++)
        if (calls[i].command == command)
            result = calls[i].run(node, argument);
    mutex_unlock(&device->lock);
    return result;
}

int afu_copy_in(void *to, uint64_t argument, uint32_t size)
{
    uint32_t head[2]; /* argsz, flags */
    int error = copy_from_user(to, argument, sizeof(head[0]));

    if (error)
        return error;
    if (*(uint32_t *)to < size)
        return -EINVAL;
    error = copy_from_user(to, argument, size);
    if (error)
        return error;
    __builtin_memcpy(head, to, sizeof(head));
    /* argsz may have changed between the two reads; the copy is what counts. */
    return head[0] < size || head[1] ? -EINVAL : 0;
}
