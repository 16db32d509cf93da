/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dirty pages. Second-level tables of this kind of hardware hold no dirty bits, so the truthful
 * answer is that any mapped page may have been written, each time it is asked.
 */
#include <linux/vfio.h>
#include "kernel/cpu/thread.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/device/vfio/type1.h"

#define BITMAP_BYTES_MAX ((uint64_t)1 << 28) /* as MIGRATION of GET_INFO says */
#define WORD_BITS        64
#define BATCH_WORDS      32
/* Work (breathe_after()) of a batch of words, and of an area. */
#define BATCH_WORK 600
#define AREA_WORK  200

static uint64_t bitmap_bytes(uint64_t pages)
{
    return (pages / WORD_BITS + (pages % WORD_BITS != 0)) * sizeof(uint64_t);
}

/* Does the bitmap have room for `size` bytes of IOVA space, and may the caller have it written? */
static int check_bitmap(const struct vfio_bitmap *bitmap, uint64_t size)
{
    if (!user_range_ok((uintptr_t)bitmap->data, bitmap->size) || bitmap->pgsize != PAGE_SIZE)
        return -EINVAL;
    if (!size || !IS_ALIGNED(size, PAGE_SIZE) || bitmap->size > BITMAP_BYTES_MAX ||
        bitmap->size < bitmap_bytes(size / PAGE_SIZE))
        return -EINVAL;
    return 0;
}

/* Those of a word's bits that lie in [first, last]. */
static uint64_t bits_of(uint64_t word, uint64_t first, uint64_t last)
{
    uint64_t bits = ~UINT64_C(0);

    if (word == first / WORD_BITS)
        bits <<= first % WORD_BITS;
    if (word == last / WORD_BITS)
        bits &= ~UINT64_C(0) >> (WORD_BITS - 1 - last % WORD_BITS);
    return bits;
}

/* Sets bits [first, last]. -EFAULT, -EINTR. */
static int set_bits(uaddr_t words, uint64_t first, uint64_t last)
{
    uint64_t batch[BATCH_WORDS], word = first / WORD_BITS, end = last / WORD_BITS + 1;
    int error = 0;

    while (word < end && !error) {
        uaddr_t at = words + word * sizeof(uint64_t);
        uint64_t count = MIN(end - word, BATCH_WORDS);

        if (copy_from_user(batch, at, count * sizeof(uint64_t)))
            return -EFAULT;
        for (uint64_t i = 0; i < count; i++)
            batch[i] |= bits_of(word + i, first, last);
        if (copy_to_user(at, batch, count * sizeof(uint64_t)))
            return -EFAULT;
        word += count;
        error = breathe_after(BATCH_WORK, "dirty bitmap");
    }
    return error;
}

int type1_dirty_mark(const struct type1 *type1, const struct vfio_bitmap *bitmap, uint64_t iova,
                     uint64_t last)
{
    struct ioas_range area;
    uint64_t at = iova;
    int error;

    if (ioas_find(type1->ioas, iova, iova, &area) && area.first != iova)
        return -EINVAL;
    if (ioas_find(type1->ioas, last, last, &area) && area.last != last)
        return -EINVAL;
    while (ioas_find(type1->ioas, at, last, &area)) {
        error = set_bits((uintptr_t)bitmap->data, (area.first - iova) / PAGE_SIZE,
                         (area.last - iova) / PAGE_SIZE);
        if (!error)
            error = breathe_after(AREA_WORK, "dirty bitmap");
        if (error)
            return error;
        if (area.last == last)
            break;
        at = area.last + 1;
    }
    return 0;
}

int type1_dirty_read(const struct type1 *type1, uaddr_t argument, uint64_t size,
                     struct vfio_bitmap *bitmap)
{
    if (copy_from_user(bitmap, argument, sizeof(*bitmap)))
        return -EFAULT;
    return type1->tracking ? check_bitmap(bitmap, size) : -EINVAL;
}

static int get_bitmap(const struct type1 *type1, uaddr_t argument, size_t size)
{
    struct vfio_iommu_type1_dirty_bitmap_get get;
    uint64_t last;
    int error;

    if (size < sizeof(get))
        return -EINVAL;
    if (copy_from_user(&get, argument, sizeof(get)))
        return -EFAULT;
    error = check_bitmap(&get.bitmap, get.size);
    if (error)
        return error;
    if (__builtin_add_overflow(get.iova, get.size - 1, &last) || !IS_ALIGNED(get.iova, PAGE_SIZE) ||
        !type1->tracking)
        return -EINVAL;
    return type1_dirty_mark(type1, &get.bitmap, get.iova, last);
}

/* Version 1 has not this call, whatever comes with it: so the structure is not in the row. */
int64_t type1_dirty_pages(struct ioctl_call *call)
{
    struct type1 *type1 = call->context;
    struct vfio_iommu_type1_dirty_bitmap dirty;

    if (!type1->v2)
        return -EACCES;
    if (copy_from_user(&dirty, call->argument, sizeof(dirty)))
        return -EFAULT;
    if (dirty.argsz < sizeof(dirty))
        return -EINVAL;
    switch (dirty.flags) {
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
        type1->tracking = true;
        return 0;
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
        type1->tracking = false;
        return 0;
    case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
        return get_bitmap(type1, call->argument + sizeof(dirty), dirty.argsz - sizeof(dirty));
    default:
        return -EINVAL;
    }
}
