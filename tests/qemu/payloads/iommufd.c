/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of /dev/iommu and of the device files that are bound to it, one case each. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conform.h"

#define PAGE       4096ull
#define MIB        (1024ull * 1024)
#define IOVA       0x100000000ull
#define INTERRUPTS 0xfee00000ull
#define MEMORY     (64 * PAGE)
#define NO_ID      0x7ffffffu
#define READ_WRITE (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define FIXED      (IOMMU_IOAS_MAP_FIXED_IOVA | READ_WRITE)
#define CDEV       "/dev/vfio/devices/vfio0"

static int iommu = -1, device = -1, file = -1;
static uint32_t device_id;
static unsigned char *memory; /* MEMORY bytes, readable and writable */

static void close_all(void)
{
    int *all[] = {&device, &iommu, &file};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* ---- The calls ------------------------------------------------------------------------------ */

/* A new IOAS; 0 on failure. */
static uint32_t new_ioas(void)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a)};

    if (iommu < 0)
        iommu = open("/dev/iommu", O_RDWR);
    if (iommu < 0 || ioctl(iommu, IOMMU_IOAS_ALLOC, &a)) {
        CONFORM_FAIL("no IOAS: %s", strerror(errno));
        return 0;
    }
    return a.out_ioas_id;
}

#define NEW_IOAS(name)                                                                             \
    uint32_t name = new_ioas();                                                                    \
    if (!name)                                                                                     \
    return

static int destroy(uint32_t id)
{
    struct iommu_destroy d = {.size = sizeof(d), .id = id};

    return ioctl(iommu, IOMMU_DESTROY, &d);
}

static int map_at(uint32_t ioas, uint32_t flags, uint64_t address, uint64_t length, uint64_t *iova)
{
    struct iommu_ioas_map m = {.size = sizeof(m),
                               .flags = flags,
                               .ioas_id = ioas,
                               .user_va = address,
                               .length = length,
                               .iova = *iova};
    int result = ioctl(iommu, IOMMU_IOAS_MAP, &m);

    *iova = m.iova;
    return result;
}

static int map(uint32_t ioas, uint64_t iova, const void *address, uint64_t length)
{
    return map_at(ioas, FIXED, (uintptr_t)address, length, &iova);
}

static int map_file(uint32_t ioas, int fd, uint64_t start, uint64_t length, uint64_t iova)
{
    struct iommu_ioas_map_file m = {.size = sizeof(m),
                                    .flags = FIXED,
                                    .ioas_id = ioas,
                                    .fd = fd,
                                    .start = start,
                                    .length = length,
                                    .iova = iova};

    return ioctl(iommu, IOMMU_IOAS_MAP_FILE, &m);
}

static int copy(uint32_t to, uint64_t to_iova, uint32_t from, uint64_t from_iova, uint64_t length)
{
    struct iommu_ioas_copy c = {.size = sizeof(c),
                                .flags = FIXED,
                                .dst_ioas_id = to,
                                .src_ioas_id = from,
                                .length = length,
                                .dst_iova = to_iova,
                                .src_iova = from_iova};

    return ioctl(iommu, IOMMU_IOAS_COPY, &c);
}

/* Bytes removed, or -1. */
static long long unmap(uint32_t ioas, uint64_t iova, uint64_t length)
{
    struct iommu_ioas_unmap u = {
        .size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = length};

    return ioctl(iommu, IOMMU_IOAS_UNMAP, &u) ? -1 : (long long)u.length;
}

static int allow(uint32_t ioas, const struct iommu_iova_range *ranges, uint32_t count)
{
    struct iommu_ioas_allow_iovas a = {
        .size = sizeof(a), .ioas_id = ioas, .num_iovas = count, .allowed_iovas = (uintptr_t)ranges};

    return ioctl(iommu, IOMMU_IOAS_ALLOW_IOVAS, &a);
}

static int list_ranges(uint32_t ioas, struct iommu_iova_range *ranges, uint32_t *count,
                       uint64_t *alignment)
{
    struct iommu_ioas_iova_ranges r = {.size = sizeof(r),
                                       .ioas_id = ioas,
                                       .num_iovas = *count,
                                       .allowed_iovas = (uintptr_t)ranges};
    int result = ioctl(iommu, IOMMU_IOAS_IOVA_RANGES, &r);

    *count = r.num_iovas;
    *alignment = r.out_iova_alignment;
    return result;
}

static int option(uint32_t id, uint16_t op, uint32_t object, uint64_t *value)
{
    struct iommu_option o = {
        .size = sizeof(o), .option_id = id, .op = op, .object_id = object, .val64 = *value};
    int result = ioctl(iommu, IOMMU_OPTION, &o);

    *value = o.val64;
    return result;
}

static int set_option(uint32_t id, uint32_t object, uint64_t value)
{
    return option(id, IOMMU_OPTION_OP_SET, object, &value);
}

static int vfio_ioas(uint16_t op, uint32_t *id)
{
    struct iommu_vfio_ioas v = {.size = sizeof(v), .ioas_id = *id, .op = op};
    int result = ioctl(iommu, IOMMU_VFIO_IOAS, &v);

    *id = v.ioas_id;
    return result;
}

static bool bind_device(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b), .iommufd = iommu};

    device = open(CDEV, O_RDWR);
    if (device < 0 || ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b)) {
        CONFORM_FAIL("cannot bind %s: %s", CDEV, strerror(errno));
        return false;
    }
    device_id = b.out_devid;
    return true;
}

static int attach(uint32_t *id)
{
    struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = *id};
    int result = ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a);

    *id = a.pt_id;
    return result;
}

static int detach(void)
{
    struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

    return ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d);
}

/* A new IOAS with the device attached: `name` is the IOAS, hwpt_NAME its page table. */
#define NEW_ATTACHED(name)                                                                         \
    NEW_IOAS(name);                                                                                \
    uint32_t hwpt_##name = name;                                                                   \
    CHECK(bind_device());                                                                          \
    CHECK_OK(attach(&hwpt_##name))

/* ---- Sizes and numbers ---------------------------------------------------------------------- */

static const struct {
    unsigned long command;
    uint32_t size, size_min;
} calls[] = {
    {IOMMU_DESTROY, 8, 8},
    {IOMMU_IOAS_ALLOC, 12, 12},
    {IOMMU_IOAS_ALLOW_IOVAS, 24, 24},
    {IOMMU_IOAS_COPY, 40, 40},
    {IOMMU_IOAS_IOVA_RANGES, 32, 32},
    {IOMMU_IOAS_MAP, 40, 40},
    {IOMMU_IOAS_UNMAP, 24, 24},
    {IOMMU_OPTION, 24, 24},
    {IOMMU_VFIO_IOAS, 12, 12},
    {IOMMU_HWPT_ALLOC, 48, 24},
    {IOMMU_GET_HW_INFO, 40, 32},
    {IOMMU_HWPT_SET_DIRTY_TRACKING, 16, 16},
    {IOMMU_HWPT_GET_DIRTY_BITMAP, 48, 48},
    {IOMMU_HWPT_INVALIDATE, 32, 32},
    {IOMMU_IOAS_MAP_FILE, 40, 40},
    {IOMMU_IOAS_CHANGE_PROCESS, 8, 8},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Result of a call with an all-zero structure of that size: 0 or the error. */
static int zero_call(size_t i, uint32_t size, size_t garbage)
{
    unsigned char buffer[256] = {0};

    memcpy(buffer, &size, sizeof(size));
    if (garbage)
        buffer[garbage] = 1;
    return ioctl(iommu, calls[i].command, buffer) ? errno : 0;
}

static void size_too_short(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        for (uint32_t size = 0; size < calls[i].size_min; size++)
            CHECK_EQUAL(zero_call(i, size, 0), EINVAL);
}

static void size_at_least_the_minimum(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        CHECK_EQUAL(zero_call(i, calls[i].size_min, 0), zero_call(i, calls[i].size, 0));
}

static void size_longer_with_zeros(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++) {
        int exact = zero_call(i, calls[i].size, 0);

        CHECK_EQUAL(zero_call(i, calls[i].size + 1, 0), exact);
        CHECK_EQUAL(zero_call(i, 200, 0), exact);
    }
}

static void size_longer_with_garbage(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++) {
        CHECK_EQUAL(zero_call(i, calls[i].size + 1, calls[i].size), E2BIG);
        CHECK_EQUAL(zero_call(i, 200, 199), E2BIG);
    }
}

static void structure_out_of_reach(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        CHECK_ERROR(ioctl(iommu, calls[i].command, NULL), EFAULT);
}

static void wrong_command_numbers(void)
{
    unsigned char buffer[256] = {200};

    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        CHECK_ERROR(ioctl(iommu, calls[i].command | 0x80000000ul, buffer), ENOTTY);
    CHECK_ERROR(ioctl(iommu, _IO(IOMMUFD_TYPE, 0x95), buffer), ENOTTY);
    CHECK_ERROR(ioctl(iommu, _IO(IOMMUFD_TYPE, 0xff), buffer), ENOTTY);
    CHECK_ERROR(ioctl(iommu, _IO(IOMMUFD_TYPE, 0x7f), buffer), ENOTTY);
}

/* ---- Objects -------------------------------------------------------------------------------- */

static void alloc_and_destroy(void)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a), .flags = 1};

    NEW_IOAS(ioas);
    CHECK(ioas != new_ioas());
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_ALLOC, &a), EOPNOTSUPP);
    CHECK_OK(destroy(ioas));
    CHECK_ERROR(destroy(ioas), ENOENT);
    CHECK_ERROR(destroy(0), ENOENT);
    CHECK_ERROR(destroy(NO_ID), ENOENT);
}

static void unknown_ids(void)
{
    struct iommu_iova_range range;
    uint64_t alignment, value = 0;
    uint32_t count = 1, unknown = NO_ID;

    NEW_IOAS(ioas);
    CHECK_ERROR(map(NO_ID, IOVA, memory, PAGE), ENOENT);
    CHECK_ERROR(unmap(NO_ID, IOVA, PAGE), ENOENT);
    CHECK_ERROR(copy(NO_ID, IOVA, ioas, IOVA, PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, IOVA, NO_ID, IOVA, PAGE), ENOENT);
    CHECK_ERROR(map_file(NO_ID, 0, 0, PAGE, IOVA), ENOENT);
    CHECK_ERROR(allow(NO_ID, NULL, 0), ENOENT);
    CHECK_ERROR(list_ranges(NO_ID, &range, &count, &alignment), ENOENT);
    CHECK_ERROR(option(IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, NO_ID, &value), ENOENT);
    CHECK_ERROR(vfio_ioas(IOMMU_VFIO_IOAS_SET, &unknown), ENOENT);
}

static void ids_belong_to_one_file(void)
{
    NEW_IOAS(ioas);
    file = open("/dev/iommu", O_RDWR);
    CHECK_OK(file);
    struct iommu_destroy d = {.size = sizeof(d), .id = ioas};
    CHECK_ERROR(ioctl(file, IOMMU_DESTROY, &d), ENOENT);
    CHECK_OK(destroy(ioas));
}

/* ---- Ranges --------------------------------------------------------------------------------- */

static void ranges_of_a_fresh_space(void)
{
    struct iommu_iova_range range = {1, 2};
    uint64_t alignment = 0;
    uint32_t count = 1;

    NEW_IOAS(ioas);
    CHECK_OK(list_ranges(ioas, &range, &count, &alignment));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(range.start, 0);
    CHECK_EQUAL(range.last, UINT64_MAX);
    CHECK_EQUAL(alignment, 1);
}

static void ranges_with_every_buffer_size(void)
{
    struct iommu_iova_range all[18];
    uint64_t alignment = 0;
    uint32_t total = 0;

    NEW_ATTACHED(ioas);
    CHECK_ERROR(list_ranges(ioas, NULL, &total, &alignment), EMSGSIZE);
    CHECK(total >= 2 && total <= 16);
    for (uint32_t room = 0; room <= total + 1; room++) {
        uint32_t count = room, filled = room < total ? room : total;

        memset(all, 0x5a, sizeof(all));
        alignment = 0;
        if (room < total)
            CHECK_ERROR(list_ranges(ioas, all, &count, &alignment), EMSGSIZE);
        else
            CHECK_OK(list_ranges(ioas, all, &count, &alignment));
        CHECK_EQUAL(count, total);
        CHECK_EQUAL(alignment, PAGE);
        CHECK(filled == 0 || all[0].start == 0);
        CHECK(filled < 1 || all[filled - 1].last > all[filled - 1].start);
        for (size_t i = filled * sizeof(all[0]); i < sizeof(all); i++)
            CHECK_EQUAL(((unsigned char *)all)[i], 0x5a);
    }
}

static void ranges_of_an_attached_space(void)
{
    struct iommu_iova_range ranges[16];
    uint64_t alignment = 0;
    uint32_t count = 0;

    NEW_ATTACHED(ioas);
    CHECK_ERROR(list_ranges(ioas, NULL, &count, &alignment), EMSGSIZE);
    CHECK(count >= 2 && count <= 16);
    CHECK_EQUAL(alignment, PAGE);
    CHECK_OK(list_ranges(ioas, ranges, &count, &alignment));
    CHECK(ranges[count - 1].last < UINT64_MAX);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(ranges[i].start < ranges[i].last);
        CHECK(i == 0 || ranges[i].start > ranges[i - 1].last);
        CHECK(ranges[i].last < INTERRUPTS || ranges[i].start >= INTERRUPTS + MIB);
    }
    CHECK_OK(detach());
    CHECK_OK(list_ranges(ioas, ranges, &count, &alignment));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(alignment, 1);
}

static void allow_refusals(void)
{
    static const struct iommu_iova_range empty = {PAGE, PAGE}, backward = {2 * PAGE, PAGE},
                                         overlap[] = {{0, PAGE}, {PAGE, 2 * PAGE}};

    NEW_IOAS(ioas);
    CHECK_ERROR(allow(ioas, &empty, 1), EINVAL);
    CHECK_ERROR(allow(ioas, &backward, 1), EINVAL);
    CHECK_ERROR(allow(ioas, overlap, 2), EINVAL);
    CHECK_ERROR(allow(ioas, NULL, 1), EFAULT);
}

static void allow_steers_automatic_addresses(void)
{
    static const struct iommu_iova_range one = {MIB, MIB + PAGE - 1};
    uint64_t iova = 0;

    NEW_IOAS(ioas);
    CHECK_OK(allow(ioas, &one, 1));
    CHECK_OK(map_at(ioas, READ_WRITE, (uintptr_t)memory, PAGE, &iova));
    CHECK_EQUAL(iova, MIB);
    CHECK_ERROR(map_at(ioas, READ_WRITE, (uintptr_t)memory, PAGE, &iova), ENOSPC);
    CHECK_OK(allow(ioas, NULL, 0));
    CHECK_OK(map_at(ioas, READ_WRITE, (uintptr_t)memory, PAGE, &iova));
}

static void allow_against_reserved(void)
{
    static const struct iommu_iova_range window = {INTERRUPTS, INTERRUPTS + PAGE - 1};

    NEW_ATTACHED(ioas);
    CHECK_ERROR(allow(ioas, &window, 1), EADDRINUSE);
    CHECK_OK(detach());
    CHECK_OK(allow(ioas, &window, 1));
    uint32_t id = ioas;
    CHECK_ERROR(attach(&id), EADDRINUSE);
    CHECK_OK(allow(ioas, NULL, 0));
    CHECK_OK(attach(&id));
}

/* ---- MAP ------------------------------------------------------------------------------------ */

static void map_error_order(void)
{
    uint64_t iova = UINT64_MAX, good = IOVA;

    NEW_IOAS(ioas);
    CHECK_ERROR(map_at(NO_ID, 0x80, 0, 0, &iova), EOPNOTSUPP);
    CHECK_ERROR(map_at(NO_ID, 0, 0, 0, &iova), EOVERFLOW);
    CHECK_ERROR(map_at(NO_ID, READ_WRITE, 0, UINT64_MAX, &good), EOVERFLOW);
    CHECK_ERROR(map_at(NO_ID, IOMMU_IOAS_MAP_FIXED_IOVA, 0, PAGE, &good), EINVAL);
    CHECK_ERROR(map_at(NO_ID, FIXED, 0, PAGE, &good), ENOENT);
    CHECK_ERROR(map_at(ioas, FIXED, 0, 0, &good), EINVAL);
    CHECK_ERROR(map_at(ioas, FIXED, -PAGE, 2 * PAGE, &good), EOVERFLOW);
    CHECK_ERROR(map(ioas, -PAGE, memory, 2 * PAGE), EOVERFLOW);
}

static void map_reserved_field(void)
{
    NEW_IOAS(ioas);
    struct iommu_ioas_map m = {.size = sizeof(m),
                               .flags = FIXED,
                               .ioas_id = ioas,
                               .__reserved = 1,
                               .user_va = (uintptr_t)memory,
                               .length = PAGE,
                               .iova = IOVA};
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_MAP, &m), EOPNOTSUPP);
}

static void map_overlap(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, 4 * PAGE));
    CHECK_ERROR(map(ioas, IOVA, memory, 4 * PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA - PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA + 3 * PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA + PAGE, memory, PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA - PAGE, memory, 6 * PAGE), EEXIST);
    CHECK_OK(map(ioas, IOVA - PAGE, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + 4 * PAGE, memory, PAGE));
}

static void map_bogus_memory_without_a_device(void)
{
    uint64_t iova = 0x123457;

    NEW_IOAS(ioas);
    CHECK_OK(map_at(ioas, FIXED, 0x1001, 511, &iova));
    CHECK_EQUAL(unmap(ioas, iova, 511), 511);
}

static void map_bogus_memory_with_a_device(void)
{
    NEW_ATTACHED(ioas);
    CHECK_ERROR(map(ioas, IOVA, (void *)0x1000, PAGE), EFAULT);
    CHECK_ERROR(unmap(ioas, IOVA, PAGE), ENOENT);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
}

static void bogus_memory_refuses_the_attach(void)
{
    NEW_IOAS(ioas);
    uint32_t id = ioas;
    CHECK(bind_device());
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + MIB, (void *)0x1000, PAGE));
    CHECK_ERROR(attach(&id), EFAULT);
    CHECK_EQUAL(unmap(ioas, IOVA + MIB, PAGE), PAGE);
    CHECK_OK(attach(&id));
}

static void map_alignment_with_a_device(void)
{
    NEW_ATTACHED(ioas);
    CHECK_ERROR(map(ioas, IOVA + 1, memory, PAGE), EINVAL);
    CHECK_ERROR(map(ioas, IOVA, memory, PAGE - 1), EINVAL);
    CHECK_ERROR(map(ioas, IOVA, memory + 1, PAGE), EINVAL);
    CHECK_ERROR(map(ioas, INTERRUPTS, memory, PAGE), EINVAL);
    CHECK_ERROR(map(ioas, INTERRUPTS - PAGE, memory, 2 * PAGE), EINVAL);
}

static void map_automatic_alignment(void)
{
    NEW_IOAS(ioas);
    for (uint64_t length = PAGE; length <= MEMORY; length += PAGE) {
        uint64_t iova = 0, natural = length & -length;

        CHECK_OK(map_at(ioas, READ_WRITE, (uintptr_t)memory, length, &iova));
        CHECK_EQUAL(iova % natural, 0);
        CHECK_EQUAL(unmap(ioas, iova, length), length);
    }
}

static void map_last_page(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, -PAGE, memory, PAGE));
    CHECK_ERROR(map(ioas, -PAGE, memory, PAGE), EEXIST);
    CHECK_EQUAL(unmap(ioas, -PAGE, PAGE), PAGE);
}

/* ---- MAP_FILE ------------------------------------------------------------------------------- */

static void map_file_memfd(void)
{
    NEW_ATTACHED(ioas);
    file = memfd_create("memory", 0);
    CHECK_OK(file);
    CHECK_OK(ftruncate(file, 4 * PAGE));
    CHECK_OK(map_file(ioas, file, 0, 4 * PAGE, IOVA));
    CHECK_ERROR(map_file(ioas, file, 0, PAGE, IOVA), EEXIST);
    CHECK_OK(map_file(ioas, file, 2 * PAGE, PAGE, IOVA + MIB));
    CHECK_EQUAL(unmap(ioas, IOVA, 4 * PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(ioas, IOVA + MIB, PAGE), PAGE);
}

static void map_file_refusals(void)
{
    NEW_IOAS(ioas);
    CHECK_ERROR(map_file(ioas, -1, 0, PAGE, IOVA), EBADF);
    CHECK_ERROR(map_file(ioas, 999, 0, PAGE, IOVA), EBADF);
    CHECK_ERROR(map_file(ioas, iommu, 0, PAGE, IOVA), EINVAL);
    file = memfd_create("memory", 0);
    CHECK_OK(file);
    CHECK_ERROR(map_file(ioas, file, -PAGE, 2 * PAGE, IOVA), EOVERFLOW);
    CHECK_ERROR(map_file(ioas, file, 0, 0, IOVA), EINVAL);
}

/* ---- COPY ----------------------------------------------------------------------------------- */

static void copy_sweep(void)
{
    NEW_IOAS(from);
    NEW_IOAS(to);
    CHECK_OK(map(from, IOVA, memory, 4 * PAGE));
    CHECK_OK(map(from, IOVA + 4 * PAGE, memory + 8 * PAGE, 4 * PAGE));
    for (uint64_t start = 0; start < 8 * PAGE; start += 511)
        for (uint64_t length = 511; start + length <= 8 * PAGE; length += 8 * 511) {
            CHECK_OK(copy(to, MIB, from, IOVA + start, length));
            CHECK_EQUAL(unmap(to, MIB, length), length);
        }
}

static void copy_within_one_space(void)
{
    NEW_ATTACHED(ioas);
    CHECK_OK(map(ioas, IOVA, memory, 4 * PAGE));
    CHECK_OK(copy(ioas, IOVA + MIB, ioas, IOVA + PAGE, 2 * PAGE));
    CHECK_ERROR(copy(ioas, IOVA + PAGE, ioas, IOVA, PAGE), EEXIST);
    CHECK_EQUAL(unmap(ioas, IOVA, 4 * PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(ioas, IOVA + MIB, 2 * PAGE), 2 * PAGE);
}

static void copy_refusals(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + 2 * PAGE, memory, PAGE));
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA, 3 * PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA - PAGE, 2 * PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA + PAGE, PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, UINT64_MAX, ioas, IOVA, PAGE), EOVERFLOW);
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA, UINT64_MAX), EOVERFLOW);
    CHECK_ERROR(unmap(ioas, MIB, PAGE), ENOENT);
}

/* ---- UNMAP ---------------------------------------------------------------------------------- */

static void unmap_several_with_holes(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + 4 * PAGE, memory, 2 * PAGE));
    CHECK_EQUAL(unmap(ioas, IOVA - MIB, 2 * MIB), 3 * PAGE);
    CHECK_ERROR(unmap(ioas, IOVA, PAGE), ENOENT);
}

static void unmap_refuses_to_cut(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, 4 * PAGE));
    CHECK_OK(map(ioas, IOVA + 4 * PAGE, memory, 4 * PAGE));
    CHECK_ERROR(unmap(ioas, IOVA, PAGE), ENOENT);
    CHECK_ERROR(unmap(ioas, IOVA + PAGE, 3 * PAGE), ENOENT);
    CHECK_ERROR(unmap(ioas, IOVA, 6 * PAGE), ENOENT);
    CHECK_ERROR(unmap(ioas, IOVA + 2 * PAGE, 6 * PAGE), ENOENT);
    CHECK_EQUAL(unmap(ioas, IOVA, 8 * PAGE), 8 * PAGE);
}

static void unmap_all(void)
{
    NEW_IOAS(ioas);
    CHECK_EQUAL(unmap(ioas, 0, UINT64_MAX), 0);
    CHECK_OK(map(ioas, 0, memory, PAGE));
    CHECK_OK(map(ioas, -PAGE, memory, PAGE));
    CHECK_EQUAL(unmap(ioas, 0, UINT64_MAX), 2 * PAGE);
    CHECK_EQUAL(unmap(ioas, 0, UINT64_MAX), 0);
}

static void unmap_overflow(void)
{
    NEW_IOAS(ioas);
    CHECK_ERROR(unmap(ioas, UINT64_MAX, PAGE), EOVERFLOW);
    CHECK_ERROR(unmap(ioas, PAGE, UINT64_MAX), EOVERFLOW);
    CHECK_ERROR(unmap(ioas, -PAGE, 2 * PAGE), EOVERFLOW);
}

/* ---- OPTION, VFIO_IOAS, CHANGE_PROCESS ------------------------------------------------------ */

static void option_rlimit_mode(void)
{
    uint64_t value = 9;

    iommu = open("/dev/iommu", O_RDWR);
    CHECK_OK(iommu);
    CHECK_OK(option(IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0, &value));
    CHECK_EQUAL(value, 0);
    CHECK_ERROR(set_option(IOMMU_OPTION_RLIMIT_MODE, 1, 1), EOPNOTSUPP);
    CHECK_ERROR(set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 2), EINVAL);
    CHECK_OK(set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 1));
    CHECK_OK(option(IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0, &value));
    CHECK_EQUAL(value, 1);
    CHECK(new_ioas());
    CHECK_ERROR(set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 0), EBUSY);
}

static void option_huge_pages(void)
{
    uint64_t value = 9;

    NEW_IOAS(ioas);
    CHECK_OK(option(IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, ioas, &value));
    CHECK_EQUAL(value, 1);
    CHECK_ERROR(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 2), EINVAL);
    CHECK_OK(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0));
    CHECK_OK(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 1));
    CHECK_OK(map(ioas, 511, memory, 511));
    CHECK_ERROR(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0), EADDRINUSE);
}

static void option_huge_pages_attached(void)
{
    NEW_ATTACHED(ioas);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_ERROR(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0), EINVAL);
    CHECK_EQUAL(unmap(ioas, IOVA, PAGE), PAGE);
    CHECK_OK(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0));
}

static void option_unknown(void)
{
    uint64_t value = 0;

    NEW_IOAS(ioas);
    CHECK_ERROR(set_option(99, 0, 0), EOPNOTSUPP);
    CHECK_ERROR(option(IOMMU_OPTION_HUGE_PAGES, 2, ioas, &value), EOPNOTSUPP);
    CHECK_ERROR(option(IOMMU_OPTION_RLIMIT_MODE, 2, 0, &value), EOPNOTSUPP);
}

static void vfio_ioas_operations(void)
{
    uint32_t id = 0;

    NEW_IOAS(ioas);
    CHECK_ERROR(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), ENODEV);
    id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    id = 0;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id));
    CHECK_EQUAL(id, ioas);
    CHECK_ERROR(vfio_ioas(3, &id), EOPNOTSUPP);
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, &id));
    CHECK_ERROR(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), ENODEV);
}

static void change_process(void)
{
    struct iommu_ioas_change_process c = {.size = sizeof(c)};

    NEW_IOAS(ioas);
    file = memfd_create("memory", 0);
    CHECK_OK(file);
    CHECK_OK(ftruncate(file, PAGE));
    CHECK_OK(map_file(ioas, file, 0, PAGE, IOVA));
    CHECK_OK(ioctl(iommu, IOMMU_IOAS_CHANGE_PROCESS, &c));
    CHECK_OK(map(ioas, IOVA + MIB, memory, PAGE));
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_CHANGE_PROCESS, &c), EINVAL);
    c.__reserved = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_CHANGE_PROCESS, &c), EOPNOTSUPP);
}

/* ---- VFIO's container calls ----------------------------------------------------------------- */

static int vfio_map(uint32_t flags, uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = flags, .vaddr = (uintptr_t)memory, .iova = iova, .size = size};

    return ioctl(iommu, VFIO_IOMMU_MAP_DMA, &m);
}

static long long vfio_unmap(uint32_t flags, uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};

    return ioctl(iommu, VFIO_IOMMU_UNMAP_DMA, &u) ? -1 : (long long)u.size;
}

static void vfio_calls_without_a_space(void)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

    NEW_IOAS(ioas);
    CHECK_EQUAL(ioctl(iommu, VFIO_GET_API_VERSION), 0);
    CHECK_ERROR(ioctl(iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), ENODEV);
    CHECK_ERROR(ioctl(iommu, VFIO_SET_IOMMU, 99), EINVAL);
    CHECK_ERROR(ioctl(iommu, VFIO_IOMMU_GET_INFO, &info), ENODEV);
    CHECK_ERROR(vfio_map(VFIO_DMA_MAP_FLAG_READ, IOVA, PAGE), ENODEV);
    CHECK_ERROR(vfio_unmap(0, IOVA, PAGE), ENODEV);
    CHECK_ERROR(ioctl(iommu, VFIO_IOMMU_DIRTY_PAGES, &info), ENOTTY);
}

static void vfio_extensions(void)
{
    NEW_IOAS(ioas);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, 6), 0);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, 10), 0);
}

static void vfio_version_2(void)
{
    NEW_IOAS(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    CHECK_OK(ioctl(iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    CHECK_ERROR(vfio_map(VFIO_DMA_MAP_FLAG_READ | 0x80, IOVA, PAGE), EINVAL);
    CHECK_OK(vfio_map(VFIO_DMA_MAP_FLAG_READ, IOVA, 4 * PAGE));
    CHECK_ERROR(vfio_unmap(0, IOVA, PAGE), ENOENT);
    CHECK_ERROR(vfio_unmap(0x80, IOVA, 4 * PAGE), EINVAL);
    CHECK_ERROR(vfio_unmap(VFIO_DMA_UNMAP_FLAG_ALL, IOVA, 0), EINVAL);
    CHECK_EQUAL(vfio_unmap(0, IOVA, 4 * PAGE), 4 * PAGE);
    CHECK_EQUAL(vfio_unmap(0, IOVA, 4 * PAGE), 0);
    CHECK_EQUAL(vfio_unmap(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 0);
}

static void vfio_version_1_cuts(void)
{
    NEW_IOAS(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    CHECK_OK(ioctl(iommu, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
    CHECK_OK(vfio_map(VFIO_DMA_MAP_FLAG_READ, IOVA, 4 * PAGE));
    CHECK_EQUAL(vfio_unmap(0, IOVA + PAGE, PAGE), PAGE);
    CHECK_EQUAL(vfio_unmap(0, IOVA, 4 * PAGE), 3 * PAGE);
}

static void vfio_information(void)
{
    unsigned char buffer[256] = {0};
    struct vfio_iommu_type1_info *info = (void *)buffer;
    uint32_t size;

    NEW_ATTACHED(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    info->argsz = 15;
    CHECK_ERROR(ioctl(iommu, VFIO_IOMMU_GET_INFO, info), EINVAL);
    memset(buffer, 0x5a, sizeof(buffer));
    info->argsz = 16;
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    CHECK_EQUAL(buffer[16], 0x5a);
    size = info->argsz;
    CHECK(size > sizeof(*info) && size <= sizeof(buffer));
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    CHECK(info->iova_pgsizes & PAGE);
    CHECK(info->flags & VFIO_IOMMU_INFO_CAPS);
    CHECK(info->cap_offset >= sizeof(*info) && info->cap_offset < size);
}

static void locked_memory_limit(void)
{
    struct rlimit old, low;
    int unattached, attached, error, fits;
    uint32_t id;

    NEW_IOAS(ioas);
    CHECK(bind_device());
    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low = old;
    low.rlim_cur = 16 * PAGE;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    unattached = map(ioas, IOVA, memory, 17 * PAGE);
    id = ioas;
    attached = attach(&id);
    error = errno;
    fits = unmap(ioas, IOVA, 17 * PAGE) < 0 || map(ioas, IOVA, memory, 16 * PAGE) || attach(&id);
    setrlimit(RLIMIT_MEMLOCK, &old);
    CHECK_EQUAL(unattached, 0);
    CHECK_EQUAL(attached, -1);
    CHECK_EQUAL(error, ENOMEM);
    CHECK_EQUAL(fits, 0);
}

/* ---- Devices and page tables ---------------------------------------------------------------- */

static void calls_before_bind(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    uint32_t id = 1;

    device = open(CDEV, O_RDWR);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_GET_INFO, &info), EINVAL);
    CHECK_ERROR(attach(&id), EINVAL);
    CHECK_ERROR(detach(), EINVAL);
}

static void bind_refusals(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b), .iommufd = -1};

    NEW_IOAS(ioas);
    device = open(CDEV, O_RDWR);
    file = memfd_create("memory", 0);
    CHECK_OK(device);
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    b.iommufd = 999;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EBADF);
    b.iommufd = file;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EBADFD);
    b.iommufd = iommu;
    b.flags = 0x80;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    b.flags = 0;
    b.argsz = 15;
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    b.argsz = sizeof(b);
    CHECK_OK(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b));
    CHECK_ERROR(ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), EINVAL);
    CHECK_ERROR(destroy(b.out_devid), EBUSY);
}

static void attach_and_detach(void)
{
    uint32_t id = NO_ID;

    NEW_ATTACHED(ioas);
    CHECK(hwpt_ioas != ioas);
    CHECK_ERROR(destroy(ioas), EBUSY);
    CHECK_ERROR(destroy(hwpt_ioas), EBUSY);
    CHECK_ERROR(attach(&id), ENOENT);
    id = device_id;
    CHECK_ERROR(attach(&id), EINVAL);
    CHECK_OK(detach());
    CHECK_OK(detach());
    CHECK_ERROR(destroy(hwpt_ioas), ENOENT);
    CHECK_OK(destroy(ioas));
}

static void attach_elsewhere_replaces(void)
{
    NEW_ATTACHED(first);
    NEW_IOAS(second);
    uint32_t id = second;
    CHECK_OK(attach(&id));
    CHECK(id != hwpt_first);
    CHECK_ERROR(destroy(hwpt_first), ENOENT);
    CHECK_OK(destroy(first));
    CHECK_ERROR(destroy(second), EBUSY);
}

static int hwpt_alloc(uint32_t dev, uint32_t table, uint32_t flags, uint32_t *out)
{
    struct iommu_hwpt_alloc h = {.size = sizeof(h), .flags = flags, .dev_id = dev, .pt_id = table};
    int result = ioctl(iommu, IOMMU_HWPT_ALLOC, &h);

    *out = h.out_hwpt_id;
    return result;
}

static void hwpt_alloc_rules(void)
{
    struct iommu_hwpt_alloc h = {.size = sizeof(h), .data_len = 8};
    uint32_t id = 0, hwpt = 0;

    NEW_IOAS(ioas);
    CHECK(bind_device());
    h.dev_id = device_id;
    h.pt_id = ioas;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_ALLOC, &h), EINVAL);
    CHECK_ERROR(hwpt_alloc(NO_ID, ioas, 0, &id), ENOENT);
    CHECK_ERROR(hwpt_alloc(device_id, device_id, 0, &id), EINVAL);
    for (uint32_t flag = 1; flag; flag <<= 1)
        CHECK_ERROR(hwpt_alloc(device_id, ioas, flag, &id), EOPNOTSUPP);
    CHECK_OK(hwpt_alloc(device_id, ioas, 0, &hwpt));
    id = hwpt;
    CHECK_OK(attach(&id));
    CHECK_EQUAL(id, hwpt);
    CHECK_ERROR(destroy(hwpt), EBUSY);
    CHECK_OK(detach());
    CHECK_ERROR(destroy(ioas), EBUSY);
    CHECK_OK(destroy(hwpt));
    CHECK_OK(destroy(ioas));
}

static void hardware_information(void)
{
    unsigned char data[64];

    NEW_IOAS(ioas);
    CHECK(bind_device());
    memset(data, 0x5a, sizeof(data));
    struct iommu_hw_info i = {
        .size = sizeof(i), .dev_id = device_id, .data_len = 32, .data_uptr = (uintptr_t)data};
    CHECK_OK(ioctl(iommu, IOMMU_GET_HW_INFO, &i));
    CHECK_EQUAL(i.data_len, 24);
    CHECK_EQUAL(i.out_data_type, IOMMU_HW_INFO_TYPE_INTEL_VTD);
    for (size_t at = 24; at < 32; at++)
        CHECK_EQUAL(data[at], 0);
    CHECK_EQUAL(data[32], 0x5a);
    memset(data, 0x5a, sizeof(data));
    i.data_len = 8;
    CHECK_OK(ioctl(iommu, IOMMU_GET_HW_INFO, &i));
    CHECK_EQUAL(i.data_len, 24);
    CHECK_EQUAL(data[8], 0x5a);
    i.data_len = 0;
    CHECK_OK(ioctl(iommu, IOMMU_GET_HW_INFO, &i));
    i.flags = 0x80;
    CHECK_ERROR(ioctl(iommu, IOMMU_GET_HW_INFO, &i), EOPNOTSUPP);
    i.flags = 0;
    i.dev_id = NO_ID;
    CHECK_ERROR(ioctl(iommu, IOMMU_GET_HW_INFO, &i), ENOENT);
}

/* ---- What the hardware cannot do ------------------------------------------------------------ */

static void dirty_tracking_refused(void)
{
    NEW_ATTACHED(ioas);
    struct iommu_hwpt_set_dirty_tracking s = {.size = sizeof(s), .flags = 1, .hwpt_id = NO_ID};
    struct iommu_hwpt_get_dirty_bitmap g = {.size = sizeof(g), .hwpt_id = NO_ID};
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &s), ENOENT);
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), ENOENT);
    s.hwpt_id = g.hwpt_id = hwpt_ioas;
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_SET_DIRTY_TRACKING, &s), EOPNOTSUPP);
    CHECK_ERROR(ioctl(iommu, IOMMU_HWPT_GET_DIRTY_BITMAP, &g), EOPNOTSUPP);
}

static void nested_family_refused(void)
{
    static const unsigned long family[] = {IOMMU_FAULT_QUEUE_ALLOC, IOMMU_VIOMMU_ALLOC,
                                           IOMMU_VDEVICE_ALLOC, IOMMU_VEVENTQ_ALLOC,
                                           IOMMU_HW_QUEUE_ALLOC};

    NEW_IOAS(ioas);
    for (size_t i = 0; i < sizeof(family) / sizeof(family[0]); i++) {
        uint32_t buffer[32] = {64};

        CHECK_ERROR(ioctl(iommu, family[i], buffer), EOPNOTSUPP);
        buffer[0] = 4;
        CHECK_ERROR(ioctl(iommu, family[i], buffer), EINVAL);
    }
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct conform_case cases[] = {
    CASE(size_too_short),
    CASE(size_at_least_the_minimum),
    CASE(size_longer_with_zeros),
    CASE(size_longer_with_garbage),
    CASE(structure_out_of_reach),
    CASE(wrong_command_numbers),
    CASE(alloc_and_destroy),
    CASE(unknown_ids),
    CASE(ids_belong_to_one_file),
    CASE(ranges_of_a_fresh_space),
    CASE(ranges_with_every_buffer_size),
    CASE(ranges_of_an_attached_space),
    CASE(allow_refusals),
    CASE(allow_steers_automatic_addresses),
    CASE(allow_against_reserved),
    CASE(map_error_order),
    CASE(map_reserved_field),
    CASE(map_overlap),
    CASE(map_bogus_memory_without_a_device),
    CASE(map_bogus_memory_with_a_device),
    CASE(bogus_memory_refuses_the_attach),
    CASE(map_alignment_with_a_device),
    CASE(map_automatic_alignment),
    CASE(map_last_page),
    CASE(map_file_memfd),
    CASE(map_file_refusals),
    CASE(copy_sweep),
    CASE(copy_within_one_space),
    CASE(copy_refusals),
    CASE(unmap_several_with_holes),
    CASE(unmap_refuses_to_cut),
    CASE(unmap_all),
    CASE(unmap_overflow),
    CASE(option_rlimit_mode),
    CASE(option_huge_pages),
    CASE(option_huge_pages_attached),
    CASE(option_unknown),
    CASE(vfio_ioas_operations),
    CASE(change_process),
    CASE(vfio_calls_without_a_space),
    CASE(vfio_extensions),
    CASE(vfio_version_2),
    CASE(vfio_version_1_cuts),
    CASE(vfio_information),
    CASE(locked_memory_limit),
    CASE(calls_before_bind),
    CASE(bind_refusals),
    CASE(attach_and_detach),
    CASE(attach_elsewhere_replaces),
    CASE(hwpt_alloc_rules),
    CASE(hardware_information),
    CASE(dirty_tracking_refused),
    CASE(nested_family_refused),
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: iommufd 0000:bb:dd.f [CASE]...\n");
        return 2;
    }
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                  -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "iommufd: no memory\n");
        return 2;
    }
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_all, argc, argv);
}
