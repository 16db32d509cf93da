/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/error.h"
#include "kernel/lib/types.h"

#define NAME(e) [e] = #e

static const char *const names[] = {
    NAME(EPERM),     NAME(ENOENT),       NAME(ESRCH),        NAME(EINTR),     NAME(EIO),
    NAME(ENXIO),     NAME(E2BIG),        NAME(ENOEXEC),      NAME(EBADF),     NAME(ECHILD),
    NAME(EAGAIN),    NAME(ENOMEM),       NAME(EACCES),       NAME(EFAULT),    NAME(EBUSY),
    NAME(EEXIST),    NAME(EXDEV),        NAME(ENODEV),       NAME(ENOTDIR),   NAME(EISDIR),
    NAME(EINVAL),    NAME(ENFILE),       NAME(EMFILE),       NAME(ENOTTY),    NAME(EFBIG),
    NAME(ENOSPC),    NAME(ESPIPE),       NAME(EROFS),        NAME(EMLINK),    NAME(EPIPE),
    NAME(EDOM),      NAME(ERANGE),       NAME(ENAMETOOLONG), NAME(ENOSYS),    NAME(ENOTEMPTY),
    NAME(ELOOP),     NAME(ENODATA),      NAME(ETIME),        NAME(EOVERFLOW), NAME(EBADFD),
    NAME(EMSGSIZE),  NAME(EOPNOTSUPP),   NAME(EADDRINUSE),   NAME(ETIMEDOUT), NAME(EALREADY),
    NAME(ECANCELED), NAME(EAFNOSUPPORT),
};

const char *error_name(int error)
{
    unsigned number = error < 0 ? 0 - (unsigned)error : (unsigned)error;

    if (number >= ARRAY_SIZE(names) || !names[number])
        return "E?";
    return names[number];
}
