/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hardware cannot do. */
#define _GNU_SOURCE
#include "iommufd.h"

static void dirty_tracking_refused(void)
{
    NEW_ATTACHED(ioas);
    struct iommu_hwpt_set_dirty_tracking s = {.size = sizeof(s), .flags = 1, .hwpt_id = NO_ID};
    struct iommu_hwpt_get_dirty_bitmap g = {.size = sizeof(g), .hwpt_id = NO_ID};
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &s), ENOENT);
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), ENOENT);
    s.hwpt_id = g.hwpt_id = hwpt_ioas;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &s), EOPNOTSUPP);
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), EINVAL);
    g.length = g.page_size = PAGE;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), EOPNOTSUPP);
    g.iova = PAGE / 2;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), EINVAL);
    g.iova = -PAGE;
    g.length = 2 * PAGE;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), EOVERFLOW);
}

/* Devices here make no page requests. Linux would hand out a queue that stays silent. */
static void fault_queue_refused(void)
{
    struct iommu_fault_alloc f = {.size = sizeof(f)};

    NEW_IOAS(ioas);
    CHECK_ERROR(ioctl(iommu, IOMMU_FAULT_QUEUE_ALLOC, &f), EOPNOTSUPP);
    f.flags = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_FAULT_QUEUE_ALLOC, &f), EOPNOTSUPP);
    f.size = sizeof(f) - 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_FAULT_QUEUE_ALLOC, &f), EINVAL);
}

static void viommu_refused(void)
{
    NEW_ATTACHED(ioas);
    struct iommu_viommu_alloc v = {.size = sizeof(v), .dev_id = device_id, .hwpt_id = hwpt_ioas};

    CHECK_ERROR(ioctl(iommu, IOMMU_VIOMMU_ALLOC, &v), EOPNOTSUPP);
    v.type = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_VIOMMU_ALLOC, &v), EOPNOTSUPP);
    v.dev_id = NO_ID;
    CHECK_ERROR(ioctl(iommu, IOMMU_VIOMMU_ALLOC, &v), ENOENT);
    v.flags = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_VIOMMU_ALLOC, &v), EOPNOTSUPP);
    v.size = 4;
    CHECK_ERROR(ioctl(iommu, IOMMU_VIOMMU_ALLOC, &v), EINVAL);
}

/* What belongs to a virtual IOMMU does not find one. */
static void viommu_family_refused(void)
{
    NEW_IOAS(ioas);
    struct iommu_vdevice_alloc d = {.size = sizeof(d), .viommu_id = ioas};
    struct iommu_veventq_alloc e = {.size = sizeof(e), .viommu_id = ioas};
    struct iommu_hw_queue_alloc q = {.size = sizeof(q), .viommu_id = ioas};

    CHECK_ERROR(ioctl(iommu, IOMMU_VDEVICE_ALLOC, &d), ENOENT);
    CHECK_ERROR(ioctl(iommu, IOMMU_VEVENTQ_ALLOC, &e), EOPNOTSUPP);
    e.type = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_VEVENTQ_ALLOC, &e), EINVAL);
    e.veventq_depth = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_VEVENTQ_ALLOC, &e), ENOENT);
    CHECK_ERROR(ioctl(iommu, IOMMU_HW_QUEUE_ALLOC, &q), EOPNOTSUPP);
    q.type = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_HW_QUEUE_ALLOC, &q), EINVAL);
    q.length = 2 * PAGE;
    q.nesting_parent_iova = -PAGE;
    CHECK_ERROR(ioctl(iommu, IOMMU_HW_QUEUE_ALLOC, &q), EOVERFLOW);
    q.nesting_parent_iova = 0;
    CHECK_ERROR(ioctl(iommu, IOMMU_HW_QUEUE_ALLOC, &q), ENOENT);
    d.size = e.size = q.size = 4;
    CHECK_ERROR(ioctl(iommu, IOMMU_VDEVICE_ALLOC, &d), EINVAL);
    CHECK_ERROR(ioctl(iommu, IOMMU_VEVENTQ_ALLOC, &e), EINVAL);
    CHECK_ERROR(ioctl(iommu, IOMMU_HW_QUEUE_ALLOC, &q), EINVAL);
}

/* Only nested page tables have something to invalidate; no entry is dealt with in any case. */
static void invalidate_refused(void)
{
    NEW_ATTACHED(ioas);
    struct iommu_hwpt_invalidate i = {.size = sizeof(i), .hwpt_id = hwpt_ioas, .entry_num = 3};

    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_INVALIDATE, &i), EINVAL);
    CHECK_EQUAL(i.entry_num, 0);
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_INVALIDATE, &i), EINVAL);
    i.hwpt_id = NO_ID;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_INVALIDATE, &i), ENOENT);
    i.__reserved = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_INVALIDATE, &i), EOPNOTSUPP);
}

const struct conform_case refused_cases[] = {
    CASE(dirty_tracking_refused), CASE(fault_queue_refused), CASE(viommu_refused),
    CASE(viommu_family_refused),  CASE(invalidate_refused),  LAST_CASE,
};
