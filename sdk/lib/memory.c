/* SPDX-License-Identifier: BSD-2-Clause */
/* The address space, and the allocations that newlib leaves to the system. */
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "call.h"

/* brk returns the break as it is afterwards: unmoved means no memory. */
void *sbrk(ptrdiff_t increment)
{
    static intptr_t end;

    if (end == 0)
        end = CALL_RAW(SYS_brk, 0);
    intptr_t start = end;
    if (increment != 0) {
        if (CALL_RAW(SYS_brk, start + increment) != start + increment) {
            errno = ENOMEM;
            return (void *)-1;
        }
        end = start + increment;
    }
    return (void *)start;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
    return (void *)CALL(SYS_mmap, address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length)
{
    return (int)CALL(SYS_munmap, address, length);
}

int mprotect(void *address, size_t length, int protection)
{
    return (int)CALL(SYS_mprotect, address, length, protection);
}

void *mremap(void *address, size_t length, size_t new_length, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    void *target = flags & MREMAP_FIXED ? va_arg(args, void *) : NULL;
    va_end(args);
    return (void *)CALL(SYS_mremap, address, length, new_length, flags, target);
}

int madvise(void *address, size_t length, int advice)
{
    return (int)CALL(SYS_madvise, address, length, advice);
}

int msync(void *address, size_t length, int flags)
{
    return (int)CALL(SYS_msync, address, length, flags);
}

int mlock(const void *address, size_t length)
{
    return (int)CALL(SYS_mlock, address, length);
}

int munlock(const void *address, size_t length)
{
    return (int)CALL(SYS_munlock, address, length);
}

int mlockall(int flags)
{
    return (int)CALL(SYS_mlockall, flags);
}

int munlockall(void)
{
    return (int)CALL(SYS_munlockall);
}

int mlock2(const void *address, size_t length, unsigned flags)
{
    return (int)CALL(SYS_mlock2, address, length, flags);
}

int mincore(void *address, size_t length, unsigned char *vector)
{
    return (int)CALL(SYS_mincore, address, length, vector);
}

/* Returns the error number. To throw memory away is no advice of POSIX: its DONTNEED may do
 * nothing. */
int posix_madvise(void *address, size_t length, int advice)
{
    return advice == POSIX_MADV_DONTNEED ? 0 : (int)-CALL_RAW(SYS_madvise, address, length, advice);
}

int memfd_create(const char *name, unsigned flags)
{
    return (int)CALL(SYS_memfd_create, name, flags);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)))
        return EINVAL;
    void *block = memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}
