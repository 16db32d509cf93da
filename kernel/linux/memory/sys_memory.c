/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory calls. */
#include "kernel/cpu/user.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/mm/memobj.h"
#include "kernel/mm/ramobj.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

#define PROT_ALL (PAGE_READ | PAGE_WRITE | PAGE_EXEC)
#define PROT_SEM 8u /* has no meaning on x86 */

/* What MAP_SHARED_VALIDATE lets pass; the bits without a name here mean nothing any more. */
#define MAP_KNOWN                                                                                  \
    (SPACE_TYPE | SPACE_FIXED | SPACE_ANONYMOUS | SPACE_32BIT | 0x80u | SPACE_GROWSDOWN |          \
     0x1800u | SPACE_LOCK | SPACE_NORESERVE | SPACE_POPULATE | SPACE_NONBLOCK | SPACE_STACK |      \
     SPACE_HUGETLB | 0x4000000u | (0x3fu << SPACE_HUGE_SHIFT))

#define MLOCK_ONFAULT 1u

/* What mincore(2) tells between two breaths, and what that costs beside the bytes. */
#define MINCORE_PAGES (UINT64_C(1) << 20)
#define MINCORE_WORK  12000

static int64_t map_anonymous(struct space_request *request)
{
    unsigned type = request->flags & SPACE_TYPE;
    int64_t result;

    request->offset = 0;
    request->access_max = PROT_ALL;
    if (type == SPACE_PRIVATE)
        return space_mmap(payload.space, request);
    result = space_check(payload.space, request);
    if (result)
        return result;
    if (type != SPACE_SHARED || (request->flags & SPACE_GROWSDOWN))
        return -EINVAL;
    request->object = space_object(request);
    if (!request->object)
        return -ENOMEM;
    result = space_mmap(payload.space, request);
    memobj_put(request->object);
    return result;
}

/* May the file be mapped like this? Fills access_max. */
static int check_file(const struct file *file, struct space_request *request)
{
    unsigned type = request->flags & SPACE_TYPE;
    bool shared = type != SPACE_PRIVATE;
    int error = space_check(payload.space, request);

    if (error)
        return error;
    if (type != SPACE_SHARED && type != SPACE_PRIVATE && type != SPACE_SHARED_VALIDATE)
        return -EINVAL;
    if (type == SPACE_SHARED_VALIDATE && (request->flags & ~MAP_KNOWN))
        return -EOPNOTSUPP;
    if (shared && (request->access & PAGE_WRITE) && !file_writable(file))
        return -EACCES;
    if (!file_readable(file))
        return -EACCES;
    if (!file->ops->mmap)
        return -ENODEV;
    if ((request->flags & SPACE_GROWSDOWN) ||
        ((request->flags & SPACE_HUGETLB) && !file_is_huge(file)))
        return -EINVAL;
    request->access_max = !shared || file_writable(file) ? PROT_ALL : PAGE_READ | PAGE_EXEC;
    return 0;
}

static int64_t map_file(struct file *file, struct space_request *request)
{
    bool shared = (request->flags & SPACE_TYPE) != SPACE_PRIVATE;
    uint64_t granule = PAGE_SIZE;
    int64_t result;

    if (file_is_huge(file)) {
        granule = SIZE_2M;
        request->flags = (request->flags & SPACE_NO_HUGE_SIZE) | SPACE_HUGETLB;
    }
    result = check_file(file, request);
    if (!result)
        result = file->ops->mmap(file, request->offset, ALIGN_UP(request->length, granule),
                                 request->access, shared, &request->object, &request->offset);
    if (result)
        return result;
    request->file = file;
    if (!shared && (request->object->flags & MEMOBJ_DEVICE))
        result = -EINVAL;
    else
        result = space_mmap(payload.space, request);
    memobj_put(request->object);
    return result;
}

/* The rest of a call on the address space, done with its lock. */
#define WITH_SPACE(call)                                                                           \
    ({                                                                                             \
        int64_t with_space_result = space_lock(payload.space);                                     \
        if (!with_space_result) {                                                                  \
            with_space_result = (call);                                                            \
            space_unlock(payload.space);                                                           \
        }                                                                                          \
        with_space_result;                                                                         \
    })

int64_t sys_mmap(uaddr_t at, uint64_t length, unsigned protection, unsigned flags, int fd,
                 uint64_t offset)
{
    struct space_request request = {
        .at = at,
        .length = length,
        .access = protection & PROT_ALL,
        .flags = flags,
        .offset = offset,
        .file_offset = offset,
    };

    if (!IS_ALIGNED(offset, PAGE_SIZE))
        return -EINVAL;
    if (flags & SPACE_ANONYMOUS) {
        request.file_offset = 0;
        return WITH_SPACE(map_anonymous(&request));
    }
    return WITH_FILE(file, fd_get(fd), WITH_SPACE(map_file(file, &request)));
}

int64_t sys_munmap(uaddr_t at, uint64_t length)
{
    return WITH_SPACE(space_munmap(payload.space, at, length));
}

int64_t sys_mprotect(uaddr_t at, uint64_t length, uint64_t protection)
{
    if (protection & ~(uint64_t)(PROT_ALL | PROT_SEM))
        return -EINVAL;
    return WITH_SPACE(space_protect(payload.space, at, length, protection & PROT_ALL));
}

int64_t sys_mremap(uaddr_t at, uint64_t old_length, uint64_t length, uint64_t flags, uaddr_t to)
{
    if (flags > UINT32_MAX)
        return -EINVAL;
    return WITH_SPACE(space_mremap(payload.space, at, old_length, length, (unsigned)flags, to));
}

int64_t sys_madvise(uaddr_t at, uint64_t length, unsigned advice)
{
    return WITH_SPACE(space_madvise(payload.space, at, length, advice));
}

int64_t sys_mlock(uaddr_t at, uint64_t length)
{
    return WITH_SPACE(space_mlock(payload.space, at, length, false));
}

int64_t sys_mlock2(uaddr_t at, uint64_t length, unsigned flags)
{
    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    return WITH_SPACE(space_mlock(payload.space, at, length, flags & MLOCK_ONFAULT));
}

int64_t sys_munlock(uaddr_t at, uint64_t length)
{
    return WITH_SPACE(space_munlock(payload.space, at, length));
}

int64_t sys_mlockall(unsigned flags)
{
    return WITH_SPACE(space_mlockall(payload.space, flags));
}

int64_t sys_munlockall(void)
{
    return WITH_SPACE((space_munlockall(payload.space), 0));
}

int64_t sys_msync(uaddr_t at, uint64_t length, unsigned flags)
{
    return WITH_SPACE(space_msync(payload.space, at, length, flags));
}

/* One byte a page, for pages that are all alike: 1 if they are there. */
static int put_residency(uaddr_t to, uint64_t pages, bool present)
{
    uint8_t ones[128];
    int error = 0;
    if (!present)
        return clear_user(to, pages);
    memset(ones, 1, sizeof(ones));
    for (uint64_t done = 0; !error && done < pages; done += sizeof(ones))
        error = copy_to_user(to + done, ones, MIN(pages - done, sizeof(ones)));
    return error;
}

int64_t sys_mincore(uaddr_t at, uint64_t length, uaddr_t vector)
{
    uint64_t pages = length / PAGE_SIZE + (length % PAGE_SIZE != 0);
    int error = 0;

    if (!IS_ALIGNED(at, PAGE_SIZE))
        return -EINVAL;
    if (at > USER_END || pages > (USER_END - at) / PAGE_SIZE)
        return -ENOMEM;
    for (uint64_t done = 0; !error && done < pages;) {
        struct space_pages kind;
        uaddr_t next = at + done * PAGE_SIZE;
        uint64_t n = MIN(pages - done, MINCORE_PAGES);
        error = space_mincore(payload.space, next, next + n * PAGE_SIZE, &kind);
        if (error)
            break;
        n = (kind.end - next) / PAGE_SIZE;
        error = put_residency(vector + done, n, kind.present);
        done += n;
        if (!error)
            error = breathe_after(MINCORE_WORK + (uint32_t)(n / 8), "mincore");
    }
    return error;
}

/* Never an error: the break as it is afterwards. */
int64_t sys_brk(uaddr_t to)
{
    return WITH_SPACE((int64_t)space_brk(payload.space, to));
}
