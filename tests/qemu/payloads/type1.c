/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of the VFIO container (type1 v1 and v2) and group interfaces, one case each. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conform.h"

#define PAGE       4096ull
#define MIB        (1024ull * 1024)
#define IOVA       0x100000000ull
#define INTERRUPTS 0xfee00000ull
#define QUOTA      65535u
#define CANARY     0x5a

static const char *device_name;
static char group_path[64];
static int container = -1, group = -1, device = -1, other = -1;
static unsigned char *memory; /* MEMORY bytes, readable and writable */
#define MEMORY (64 * PAGE)

/* Things every case starts from. */

static void close_all(void)
{
    int *all[] = {&device, &group, &container, &other};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

static int find_group(void)
{
    char link[128], target[256];

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", device_name);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return -1;
    target[n] = '\0';
    snprintf(group_path, sizeof(group_path), "/dev/vfio%s", strrchr(target, '/'));
    return 0;
}

static bool open_group(void)
{
    container = open("/dev/vfio/vfio", O_RDWR);
    group = open(group_path, O_RDWR);
    if (container < 0 || group < 0) {
        CONFORM_FAIL("cannot open /dev/vfio/vfio or %s: %s", group_path, strerror(errno));
        return false;
    }
    return true;
}

static bool join(void)
{
    if (!open_group())
        return false;
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container)) {
        CONFORM_FAIL("VFIO_GROUP_SET_CONTAINER: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool start(int type)
{
    if (!join())
        return false;
    if (ioctl(container, VFIO_SET_IOMMU, type)) {
        CONFORM_FAIL("VFIO_SET_IOMMU: %s", strerror(errno));
        return false;
    }
    return true;
}

#define START(type)                                                                                \
    do {                                                                                           \
        if (!start(type))                                                                          \
            return;                                                                                \
    } while (0)
#define START_V2() START(VFIO_TYPE1v2_IOMMU)

static int map_flags(uint64_t iova, const void *address, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = flags,
                                         .vaddr = (uintptr_t)address,
                                         .iova = iova,
                                         .size = size};

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &m);
}

static int map(uint64_t iova, const void *address, uint64_t size)
{
    return map_flags(iova, address, size, VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
}

/* Bytes removed, or -1. */
static long long unmap_flags(uint64_t iova, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};

    return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u) ? -1 : (long long)u.size;
}

static long long unmap(uint64_t iova, uint64_t size)
{
    return unmap_flags(iova, size, 0);
}

/* GET_INFO with everything it has to say; the caller frees. NULL on failure. */
static struct vfio_iommu_type1_info *get_info(void)
{
    struct vfio_iommu_type1_info small = {.argsz = sizeof(small)};

    if (ioctl(container, VFIO_IOMMU_GET_INFO, &small))
        return NULL;
    struct vfio_iommu_type1_info *info = calloc(1, small.argsz);
    if (!info)
        return NULL;
    info->argsz = small.argsz;
    if (ioctl(container, VFIO_IOMMU_GET_INFO, info)) {
        free(info);
        return NULL;
    }
    return info;
}

static const struct vfio_info_cap_header *capability(const struct vfio_iommu_type1_info *info,
                                                     uint16_t id)
{
    uint32_t at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;

    while (at) {
        if (at + sizeof(struct vfio_info_cap_header) > info->argsz)
            return NULL;
        const struct vfio_info_cap_header *h = (const void *)((const char *)info + at);
        if (h->id == id)
            return h;
        at = h->next;
    }
    return NULL;
}

static uint32_t mappings_left(void)
{
    struct vfio_iommu_type1_info *info = get_info();
    uint32_t left = 0;

    if (!info)
        return 0;
    const struct vfio_info_cap_header *h = capability(info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
    if (h)
        left = ((const struct vfio_iommu_type1_info_dma_avail *)(const void *)h)->avail;
    free(info);
    return left;
}

/* The highest IOVA the device can use. */
static uint64_t last_iova(void)
{
    struct vfio_iommu_type1_info *info = get_info();
    uint64_t last = 0;

    if (!info)
        return 0;
    const struct vfio_info_cap_header *h = capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
    if (h) {
        const struct vfio_iommu_type1_info_cap_iova_range *r = (const void *)h;
        if (r->nr_iovas)
            last = r->iova_ranges[r->nr_iovas - 1].end;
    }
    free(info);
    return last;
}

/* Container. */

static void api_version(void)
{
    CHECK(open_group());
    CHECK_EQUAL(ioctl(container, VFIO_GET_API_VERSION), 0);
}

static void extensions(void)
{
    static const struct {
        int extension;
        int expected;
    } table[] = {
        {VFIO_TYPE1_IOMMU, 1},
        {VFIO_TYPE1v2_IOMMU, 1},
        {VFIO_UNMAP_ALL, 1},
        {2, 0},
        {5, 0},
        {7, 0},
        {8, 0},
        {9999, 0},
    };

    CHECK(join());
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        CHECK_EQUAL(ioctl(container, VFIO_CHECK_EXTENSION, table[i].extension), table[i].expected);
}

static void set_iommu_without_group(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), EINVAL);
}

static void set_iommu_unsupported(void)
{
    CHECK(join());
    CHECK_ERROR(ioctl(container, VFIO_SET_IOMMU, 99), ENODEV);
}

static void set_iommu_twice(void)
{
    START_V2();
    CHECK_ERROR(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), EINVAL);
}

static void calls_before_set_iommu(void)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

    CHECK(join());
    CHECK_ERROR(map(IOVA, memory, PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, PAGE), EINVAL);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_GET_INFO, &info), EINVAL);
    CHECK_ERROR(ioctl(container, _IO(VFIO_TYPE, VFIO_BASE + 99)), EINVAL);
}

static void unknown_call(void)
{
    START_V2();
    CHECK_ERROR(ioctl(container, _IO(VFIO_TYPE, VFIO_BASE + 99)), ENOTTY);
}

/* Group. */

static void group_opens_once(void)
{
    CHECK(open_group());
    CHECK_ERROR(open(group_path, O_RDWR), EBUSY);
}

static void group_status(void)
{
    struct vfio_group_status s = {.argsz = sizeof(s)};

    CHECK(open_group());
    CHECK_OK(ioctl(group, VFIO_GROUP_GET_STATUS, &s));
    CHECK_EQUAL(s.flags, VFIO_GROUP_FLAGS_VIABLE);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(group, VFIO_GROUP_GET_STATUS, &s));
    CHECK_EQUAL(s.flags, VFIO_GROUP_FLAGS_VIABLE | VFIO_GROUP_FLAGS_CONTAINER_SET);
    s.argsz = sizeof(s) - 1;
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_STATUS, &s), EINVAL);
}

static void group_unknown_call(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(group, _IO(VFIO_TYPE, VFIO_BASE + 99)), ENOTTY);
}

static void set_container_refusals(void)
{
    int bad = -1, closed;

    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &bad), EBADF);
    other = eventfd(0, 0);
    CHECK_OK(other);
    CHECK_ERROR2(ioctl(group, VFIO_GROUP_SET_CONTAINER, &other), EBADFD, EINVAL);
    closed = 999;
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &closed), EBADF);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, NULL), EFAULT);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), EINVAL);
}

static void unset_container(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EINVAL);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
}

static void get_device_refusals(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name), EINVAL);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name), EINVAL);
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, "0000:7f:1f.7"), ENODEV);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_GET_DEVICE_FD, ""), ENODEV);
}

static void device_outlives_container_and_group_files(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};

    START_V2();
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(device);
    close(container);
    close(group);
    container = group = -1;
    CHECK_OK(ioctl(device, VFIO_DEVICE_GET_INFO, &info));
}

/* GET_INFO. */

static void info_needs_16_bytes(void)
{
    struct vfio_iommu_type1_info info = {.argsz = 15};

    START_V2();
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_GET_INFO, &info), EINVAL);
}

static void info_never_writes_past_argsz(void)
{
    unsigned char buffer[256];
    struct vfio_iommu_type1_info *info = (void *)buffer;

    START_V2();
    for (uint32_t argsz = 16; argsz <= 200; argsz++) {
        memset(buffer, CANARY, sizeof(buffer));
        info->argsz = argsz;
        CHECK_OK(ioctl(container, VFIO_IOMMU_GET_INFO, info));
        for (uint32_t i = argsz; i < sizeof(buffer); i++)
            CHECK_EQUAL(buffer[i], CANARY);
    }
}

static void info_tells_the_size_it_needs(void)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

    START_V2();
    CHECK_OK(ioctl(container, VFIO_IOMMU_GET_INFO, &info));
    CHECK(info.flags & VFIO_IOMMU_INFO_PGSIZES);
    CHECK(info.flags & VFIO_IOMMU_INFO_CAPS);
    CHECK_EQUAL(info.cap_offset, 0);
    CHECK(info.argsz > sizeof(info));
    CHECK(info.iova_pgsizes & PAGE);
}

static void info_ranges(void)
{
    START_V2();
    struct vfio_iommu_type1_info *info = get_info();
    CHECK(info);
    const struct vfio_iommu_type1_info_cap_iova_range *r =
        (const void *)capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
    bool ok = r && r->nr_iovas >= 2 && r->header.version == 1;

    for (uint32_t i = 0; ok && i < r->nr_iovas; i++) {
        ok = r->iova_ranges[i].start < r->iova_ranges[i].end;
        ok = ok &&
             (r->iova_ranges[i].end < INTERRUPTS || r->iova_ranges[i].start > INTERRUPTS + MIB - 1);
        ok = ok && (i == 0 || r->iova_ranges[i].start > r->iova_ranges[i - 1].end);
    }
    free(info);
    CHECK(ok);
}

static void info_mappings_left(void)
{
    START_V2();
    CHECK_EQUAL(mappings_left(), QUOTA);
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_EQUAL(mappings_left(), QUOTA - 1);
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
    CHECK_EQUAL(mappings_left(), QUOTA);
}

/* MAP_DMA. */

static void map_argument_checks(void)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m) - 1,
                                         .flags = VFIO_DMA_MAP_FLAG_READ,
                                         .vaddr = (uintptr_t)memory,
                                         .iova = IOVA,
                                         .size = PAGE};

    START_V2();
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), EINVAL);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_MAP_DMA, NULL), EFAULT);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, 0), EINVAL);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, 8 | 1), EINVAL);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, 0x80000001), EINVAL);
    CHECK_ERROR(map(IOVA, memory, 0), EINVAL);
    CHECK_ERROR(map(IOVA + 1, memory, PAGE), EINVAL);
    CHECK_ERROR(map(IOVA, memory + 1, PAGE), EINVAL);
    CHECK_ERROR(map(IOVA, memory, PAGE + 1), EINVAL);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
}

static void map_larger_argsz(void)
{
    struct {
        struct vfio_iommu_type1_dma_map m;
        uint64_t more;
    } a = {.m = {.argsz = sizeof(a),
                 .flags = VFIO_DMA_MAP_FLAG_READ,
                 .vaddr = (uintptr_t)memory,
                 .iova = IOVA,
                 .size = PAGE},
           .more = ~0ull};

    START_V2();
    CHECK_OK(ioctl(container, VFIO_IOMMU_MAP_DMA, &a));
}

static void map_wraps(void)
{
    START_V2();
    CHECK_ERROR2(map(-PAGE, memory, 2 * PAGE), EOVERFLOW, EINVAL);
    CHECK_ERROR2(map(IOVA, (void *)-PAGE, 2 * PAGE), EOVERFLOW, EINVAL);
    CHECK_ERROR2(map(IOVA, memory, -PAGE), EOVERFLOW, EINVAL);
}

static void map_overlap(void)
{
    START_V2();
    CHECK_OK(map(IOVA + PAGE, memory, 2 * PAGE));
    CHECK_ERROR(map(IOVA + PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(IOVA, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(IOVA + 2 * PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(IOVA, memory, 8 * PAGE), EEXIST);
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + 3 * PAGE, memory, PAGE));
    CHECK_EQUAL(unmap(IOVA, 4 * PAGE), 4 * PAGE);
}

static void map_interrupt_window(void)
{
    START_V2();
    CHECK_ERROR(map(INTERRUPTS, memory, PAGE), EINVAL);
    CHECK_ERROR(map(INTERRUPTS + MIB - PAGE, memory, PAGE), EINVAL);
    CHECK_ERROR(map(INTERRUPTS - PAGE, memory, 2 * PAGE), EINVAL);
    CHECK_OK(map(INTERRUPTS - PAGE, memory, PAGE));
    CHECK_OK(map(INTERRUPTS + MIB, memory, PAGE));
}

static void map_last_page_of_the_aperture(void)
{
    START_V2();
    uint64_t last = last_iova();
    CHECK(last);
    CHECK_OK(map(last + 1 - PAGE, memory, PAGE));
    CHECK_ERROR(map(last + 1, memory, PAGE), EINVAL);
    CHECK_EQUAL(unmap(last + 1 - PAGE, PAGE), PAGE);
    CHECK_ERROR(map(last + 1 - PAGE, memory, 2 * PAGE), EINVAL);
    CHECK_OK(map(0, memory, PAGE));
    CHECK_EQUAL(unmap(0, PAGE), PAGE);
}

static void map_unreachable_memory(void)
{
    unsigned char *hole = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    START_V2();
    CHECK(hole != MAP_FAILED);
    CHECK_OK(munmap(hole + 2 * PAGE, PAGE));
    CHECK_ERROR(map(IOVA, hole, 4 * PAGE), EFAULT);
    CHECK_EQUAL(unmap(IOVA, 4 * PAGE), 0);
    CHECK_EQUAL(mappings_left(), QUOTA);
    CHECK_OK(map(IOVA, hole, 2 * PAGE));
    CHECK_EQUAL(unmap(IOVA, 2 * PAGE), 2 * PAGE);
    CHECK_ERROR(map(IOVA, NULL, PAGE), EFAULT);
    munmap(hole, 4 * PAGE);
}

static void map_protection(void)
{
    unsigned char *page =
        mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    START_V2();
    CHECK(page != MAP_FAILED);
    CHECK_ERROR(map(IOVA, page, PAGE), EFAULT);
    CHECK_ERROR(map_flags(IOVA, page, PAGE, VFIO_DMA_MAP_FLAG_WRITE), EFAULT);
    CHECK_OK(map_flags(IOVA, page, PAGE, VFIO_DMA_MAP_FLAG_READ));
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
    CHECK_OK(mprotect(page, PAGE, PROT_NONE));
    CHECK_ERROR(map_flags(IOVA, page, PAGE, VFIO_DMA_MAP_FLAG_READ), EFAULT);
    munmap(page, PAGE);
}

static void map_locked_memory_limit(void)
{
    struct rlimit old, low = {16 * PAGE, 0};
    bool binds;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low.rlim_max = old.rlim_max;
    START_V2();
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    binds = map(IOVA, memory, 17 * PAGE) == -1 && errno == ENOMEM;
    binds = binds && unmap(IOVA, 17 * PAGE) == 0;
    binds = binds && map(IOVA, memory, 16 * PAGE) == 0;
    binds = binds && map(IOVA + MIB, memory, PAGE) == -1 && errno == ENOMEM;
    binds = binds && unmap(IOVA, 16 * PAGE) == 16 * (long long)PAGE;
    binds = binds && map(IOVA, memory, 16 * PAGE) == 0;
    setrlimit(RLIMIT_MEMLOCK, &old);
    CHECK(binds);
}

static void map_same_memory_twice(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + MIB, memory, PAGE));
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
    CHECK_EQUAL(unmap(IOVA + MIB, PAGE), PAGE);
}

static void map_quota(void)
{
    START_V2();
    for (uint64_t i = 0; i < QUOTA; i++)
        if (map(IOVA + i * 2 * PAGE, memory, PAGE)) {
            CONFORM_FAIL("mapping %llu: %s", (unsigned long long)i, strerror(errno));
            return;
        }
    CHECK_EQUAL(mappings_left(), 0);
    CHECK_ERROR(map(IOVA + QUOTA * 2 * PAGE, memory, PAGE), ENOSPC);
    CHECK_ERROR(map(IOVA, memory, PAGE), EEXIST);
    CHECK_ERROR(map(INTERRUPTS, memory, PAGE), ENOSPC);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), QUOTA * PAGE);
    CHECK_EQUAL(mappings_left(), QUOTA);
}

/* UNMAP_DMA. */

static void unmap_argument_checks(void)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u) - 1, .iova = IOVA, .size = PAGE};

    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), EINVAL);
    CHECK_ERROR(unmap(IOVA, 0), EINVAL);
    CHECK_ERROR(unmap(IOVA + 1, PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, PAGE - 1), EINVAL);
    CHECK_ERROR(unmap_flags(IOVA, PAGE, 0x80), EINVAL);
    CHECK_ERROR2(unmap(-PAGE, 2 * PAGE), EOVERFLOW, EINVAL);
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
}

static void unmap_empty_range(void)
{
    START_V2();
    CHECK_EQUAL(unmap(IOVA, 16 * PAGE), 0);
}

static void unmap_all(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + MIB, memory, 3 * PAGE));
    CHECK_ERROR(unmap_flags(IOVA, 0, VFIO_DMA_UNMAP_FLAG_ALL), EINVAL);
    CHECK_ERROR(unmap_flags(0, PAGE, VFIO_DMA_UNMAP_FLAG_ALL), EINVAL);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 4 * PAGE);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
}

static void unmap_several_with_holes(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 2 * PAGE));
    CHECK_OK(map(IOVA + 9 * PAGE, memory, PAGE));
    CHECK_EQUAL(unmap(IOVA, 9 * PAGE), 3 * PAGE);
    CHECK_EQUAL(unmap(IOVA, 16 * PAGE), PAGE);
}

static void v2_refuses_to_cut(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, 4 * PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 4 * PAGE));
    CHECK_ERROR(unmap(IOVA + PAGE, 3 * PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, 2 * PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, 6 * PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA + 2 * PAGE, 6 * PAGE), EINVAL);
    CHECK_EQUAL(unmap(IOVA, 8 * PAGE), 8 * PAGE);
}

static void v1_cutting_rules(void)
{
    START(VFIO_TYPE1_IOMMU);
    CHECK_OK(map(IOVA, memory, 4 * PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 4 * PAGE));
    /* The first overlapping mapping starts below the range: nothing, whatever follows. */
    CHECK_EQUAL(unmap(IOVA + PAGE, 7 * PAGE), 0);
    /* A call that covers a mapping's first byte removes it whole. */
    CHECK_EQUAL(unmap(IOVA + 4 * PAGE, PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(IOVA, PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(IOVA, 8 * PAGE), 0);
}

static void mappings_end_with_the_container(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    close_all();
    START_V2();
    CHECK_EQUAL(unmap(IOVA, PAGE), 0);
    CHECK_OK(map(IOVA, memory, PAGE));
}

static void leaving_the_last_group_drops_the_iommu(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
    CHECK_ERROR(map(IOVA, memory, PAGE), EINVAL);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    CHECK_EQUAL(unmap(IOVA, PAGE), 0);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct conform_case cases[] = {
    CASE(api_version),
    CASE(extensions),
    CASE(set_iommu_without_group),
    CASE(set_iommu_unsupported),
    CASE(set_iommu_twice),
    CASE(calls_before_set_iommu),
    CASE(unknown_call),
    CASE(group_opens_once),
    CASE(group_status),
    CASE(group_unknown_call),
    CASE(set_container_refusals),
    CASE(unset_container),
    CASE(get_device_refusals),
    CASE(device_outlives_container_and_group_files),
    CASE(info_needs_16_bytes),
    CASE(info_never_writes_past_argsz),
    CASE(info_tells_the_size_it_needs),
    CASE(info_ranges),
    CASE(info_mappings_left),
    CASE(map_argument_checks),
    CASE(map_larger_argsz),
    CASE(map_wraps),
    CASE(map_overlap),
    CASE(map_interrupt_window),
    CASE(map_last_page_of_the_aperture),
    CASE(map_unreachable_memory),
    CASE(map_protection),
    CASE(map_locked_memory_limit),
    CASE(map_same_memory_twice),
    CASE(map_quota),
    CASE(unmap_argument_checks),
    CASE(unmap_empty_range),
    CASE(unmap_all),
    CASE(unmap_several_with_holes),
    CASE(v2_refuses_to_cut),
    CASE(v1_cutting_rules),
    CASE(mappings_end_with_the_container),
    CASE(leaving_the_last_group_drops_the_iommu),
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: type1 0000:bb:dd.f [CASE]...\n");
        return 2;
    }
    device_name = argv[1];
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                  -1, 0);
    if (memory == MAP_FAILED || find_group()) {
        fprintf(stderr, "type1: no memory, or %s has no group\n", device_name);
        return 2;
    }
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_all, argc, argv);
}
