/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of /dev/iommu where memory is short, arguments are wrong and addresses are bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <linux/vfio.h>
#include "kernel/lib/error.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_user.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/iommufd_world.h"

#define IOVA    (4 * GIB)
#define NOBODY  99 /* an id */
#define REFUSED EOPNOTSUPP

/* The objects of most tests, by id. */
enum { FIRST = 1, SECOND, DEVICE, TABLE };

static struct iommufd_device *device;

/* Two spaces; a device that goes through the first, which has four pages. */
static void populate(void)
{
    assert_int_equal(iommufd_space(), FIRST);
    assert_int_equal(iommufd_space(), SECOND);
    device = iommufd_bound(world_pair.members[0]);
    assert_int_equal(iommufd_device_id(device), DEVICE);
    assert_int_equal(iommufd_attached(device, FIRST), TABLE);
    assert_int_equal(iommufd_map_at(FIRST, IOVA, SOURCE_SCATTERED, 4), 0);
}

/* ---- every step fails ---- */

static struct file *opened;

static int64_t open_one(void)
{
    return iommufd_open(NULL, FILE_RDWR, &opened);
}

static int64_t alloc_space(void)
{
    struct iommu_ioas_alloc alloc = SIZED(iommu_ioas_alloc, .flags = 0);

    return iommufd_call(IOMMU_IOAS_ALLOC, &alloc);
}

static int64_t map_many(void)
{
    struct iommu_ioas_map map =
        SIZED(iommu_ioas_map, .flags = 6, .ioas_id = FIRST,
              .user_va = source_address(SOURCE_SCATTERED), .length = 200 * PAGE_SIZE);

    return iommufd_call(IOMMU_IOAS_MAP, &map);
}

static int64_t map_file(void)
{
    struct iommu_ioas_map_file map =
        SIZED(iommu_ioas_map_file, .flags = 6, .ioas_id = FIRST, .fd = RAM_FD, .start = PAGE_SIZE,
              .length = 20 * PAGE_SIZE);

    return iommufd_call(IOMMU_IOAS_MAP_FILE, &map);
}

static int64_t copy(void)
{
    struct iommu_ioas_copy copy =
        SIZED(iommu_ioas_copy, .flags = 6, .dst_ioas_id = FIRST, .src_ioas_id = FIRST,
              .length = 3 * PAGE_SIZE, .src_iova = IOVA);

    return iommufd_call(IOMMU_IOAS_COPY, &copy);
}

static int64_t unmap(void)
{
    return iommufd_unmap_at(FIRST, 0, UINT64_MAX);
}

static int64_t allow(void)
{
    static const struct iommu_iova_range ranges[] = {{IOVA, IOVA + SIZE_1G}, {0, SIZE_1G}};
    struct iommu_ioas_allow_iovas allow =
        SIZED(iommu_ioas_allow_iovas, .ioas_id = FIRST, .num_iovas = 2,
              .allowed_iovas = user_address(ranges));

    return iommufd_call(IOMMU_IOAS_ALLOW_IOVAS, &allow);
}

static int64_t alloc_table(void)
{
    uint32_t id;

    return iommufd_table(DEVICE, FIRST, &id);
}

static void calls_fail_at_every_step(void **state)
{
    populate();
    assert_int_equal(every_step_fails("open", open_one, iommufd_snapshot), 2);
    file_put(opened);
    assert_int_equal(every_step_fails("IOAS_ALLOC", alloc_space, iommufd_snapshot), 2);
    assert_true(every_step_fails("IOAS_MAP", map_many, iommufd_snapshot) > 10);
    assert_true(every_step_fails("IOAS_MAP_FILE", map_file, iommufd_snapshot) > 2);
    assert_true(every_step_fails("IOAS_COPY", copy, iommufd_snapshot) > 1);
    assert_true(every_step_fails("HWPT_ALLOC", alloc_table, iommufd_snapshot) > 5);
    assert_true(every_step_fails("IOAS_ALLOW_IOVAS", allow, iommufd_snapshot) > 1);
    assert_int_equal(every_step_fails("IOAS_UNMAP", unmap, iommufd_snapshot), 0);
}

/* ---- refused ---- */

typedef union {
    uint32_t size_field;
    struct iommu_destroy destroy;
    struct iommu_ioas_alloc ioas_alloc;
    struct iommu_ioas_iova_ranges iova_ranges;
    struct iommu_ioas_allow_iovas allow_iovas;
    struct iommu_ioas_map map;
    struct iommu_ioas_map_file map_file;
    struct iommu_ioas_copy copy;
    struct iommu_ioas_unmap unmap;
    struct iommu_ioas_change_process change_process;
    struct iommu_option option;
    struct iommu_vfio_ioas vfio_ioas;
    struct iommu_hwpt_alloc hwpt_alloc;
    struct iommu_hw_info hw_info;
    struct iommu_hwpt_set_dirty_tracking set_dirty;
    struct iommu_hwpt_get_dirty_bitmap get_dirty;
    struct iommu_hwpt_invalidate invalidate;
    struct iommu_fault_alloc fault_alloc;
    struct iommu_viommu_alloc viommu_alloc;
    struct iommu_vdevice_alloc vdevice_alloc;
    struct iommu_veventq_alloc veventq_alloc;
    struct iommu_hw_queue_alloc hw_queue_alloc;
} any_command;

struct row {
    uint32_t command;
    int error; /* positive */
    any_command argument;
};

#define ROW(error, command, member, ...)                                                           \
    {                                                                                              \
        command, error,                                                                            \
        {                                                                                          \
            .member = {.size = sizeof(((any_command *)NULL)->member), __VA_ARGS__ }                \
        }                                                                                          \
    }

#define RW                     (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define FIXED                  IOMMU_IOAS_MAP_FIXED_IOVA
#define VA                     (SOURCE_BASE + SOURCE_SCATTERED * PAGE_SIZE)
#define FREE_AT                (IOVA + SIZE_1G)
#define OBJECT_ROW(error, ...) ROW(error, IOMMU_DESTROY, destroy, __VA_ARGS__)
#define RANGES(error, ...)     ROW(error, IOMMU_IOAS_IOVA_RANGES, iova_ranges, __VA_ARGS__)
#define ALLOW(error, ...)      ROW(error, IOMMU_IOAS_ALLOW_IOVAS, allow_iovas, __VA_ARGS__)
#define MAP(error, ...)        ROW(error, IOMMU_IOAS_MAP, map, __VA_ARGS__)
#define MAP_FILE(error, ...)   ROW(error, IOMMU_IOAS_MAP_FILE, map_file, __VA_ARGS__)
#define COPY(error, ...)       ROW(error, IOMMU_IOAS_COPY, copy, __VA_ARGS__)
#define UNMAP(error, ...)      ROW(error, IOMMU_IOAS_UNMAP, unmap, __VA_ARGS__)
#define OPTION(error, ...)     ROW(error, IOMMU_OPTION, option, __VA_ARGS__)
#define COMPAT(error, ...)     ROW(error, IOMMU_VFIO_IOAS, vfio_ioas, __VA_ARGS__)
#define ALLOC(error, ...)      ROW(error, IOMMU_HWPT_ALLOC, hwpt_alloc, __VA_ARGS__)
#define INFO(error, ...)       ROW(error, IOMMU_GET_HW_INFO, hw_info, __VA_ARGS__)
#define SET_DIRTY(error, ...)  ROW(error, IOMMU_HWPT_SET_DIRTY_TRACKING, set_dirty, __VA_ARGS__)
#define GET_DIRTY(error, ...)  ROW(error, IOMMU_HWPT_GET_DIRTY_BITMAP, get_dirty, __VA_ARGS__)
#define INVALIDATE(error, ...) ROW(error, IOMMU_HWPT_INVALIDATE, invalidate, __VA_ARGS__)

/* Against what populate() makes. */
static const struct row refused[] = {
    OBJECT_ROW(ENOENT, .id = NOBODY),
    OBJECT_ROW(EBUSY, .id = FIRST),
    OBJECT_ROW(EBUSY, .id = DEVICE),
    OBJECT_ROW(EBUSY, .id = TABLE),
    ROW(REFUSED, IOMMU_IOAS_ALLOC, ioas_alloc, .flags = 1),

    RANGES(REFUSED, .ioas_id = FIRST, .__reserved = 1),
    RANGES(ENOENT, .ioas_id = NOBODY),
    RANGES(ENOENT, .ioas_id = DEVICE),
    RANGES(EMSGSIZE, .ioas_id = FIRST),
    RANGES(EFAULT, .ioas_id = FIRST, .num_iovas = 1),
    ALLOW(REFUSED, .ioas_id = FIRST, .__reserved = 1),
    ALLOW(ENOENT, .ioas_id = TABLE),
    ALLOW(ENOMEM, .ioas_id = FIRST, .num_iovas = UINT32_MAX),
    ALLOW(EFAULT, .ioas_id = FIRST, .num_iovas = 1),

    MAP(REFUSED, .ioas_id = FIRST, .flags = RW | 8, .user_va = VA, .length = PAGE_SIZE),
    MAP(REFUSED, .ioas_id = FIRST, .flags = RW, .__reserved = 1, .length = PAGE_SIZE),
    MAP(EOVERFLOW, .ioas_id = FIRST, .flags = RW, .iova = UINT64_MAX, .length = PAGE_SIZE),
    MAP(EOVERFLOW, .ioas_id = FIRST, .flags = RW, .length = UINT64_MAX),
    MAP(EOVERFLOW, .ioas_id = FIRST, .flags = RW, .length = UINT64_MAX / 2),
    MAP(EINVAL, .ioas_id = FIRST, .flags = FIXED, .user_va = VA, .length = PAGE_SIZE),
    MAP(ENOENT, .ioas_id = NOBODY, .flags = RW, .user_va = VA, .length = PAGE_SIZE),
    MAP(EINVAL, .ioas_id = FIRST, .flags = RW, .user_va = VA),
    MAP(EINVAL, .ioas_id = FIRST, .flags = RW, .user_va = VA + 1, .length = PAGE_SIZE),
    MAP(EINVAL, .ioas_id = FIRST, .flags = RW, .user_va = VA, .length = PAGE_SIZE + 1),
    MAP(EINVAL, .ioas_id = FIRST, .flags = RW | FIXED, .user_va = VA, .length = PAGE_SIZE,
        .iova = FREE_AT + 1),
    MAP(EINVAL, .ioas_id = FIRST, .flags = RW | FIXED, .user_va = VA, .length = PAGE_SIZE,
        .iova = UINT64_C(1) << 48),
    MAP(EEXIST, .ioas_id = FIRST, .flags = RW | FIXED, .user_va = VA, .length = PAGE_SIZE,
        .iova = IOVA + PAGE_SIZE),
    MAP(ENOMEM, .ioas_id = FIRST, .flags = RW | FIXED, .iova = FREE_AT,
        .user_va = SOURCE_BASE + SOURCE_BLOCK * PAGE_SIZE, .length = 29 * PAGE_SIZE),
    MAP(EFAULT, .ioas_id = FIRST, .flags = RW, .length = PAGE_SIZE,
        .user_va = SOURCE_BASE + SOURCE_END * PAGE_SIZE),
    MAP(EFAULT, .ioas_id = FIRST, .flags = RW, .length = PAGE_SIZE,
        .user_va = SOURCE_BASE + SOURCE_READ_ONLY * PAGE_SIZE),
    MAP(EFAULT, .ioas_id = FIRST, .flags = RW, .length = PAGE_SIZE,
        .user_va = SOURCE_BASE + SOURCE_DEVICE_PAGE * PAGE_SIZE),

    MAP_FILE(REFUSED, .ioas_id = FIRST, .flags = RW | 8, .fd = RAM_FD, .length = PAGE_SIZE),
    MAP_FILE(EOVERFLOW, .ioas_id = FIRST, .flags = RW, .fd = RAM_FD, .length = UINT64_MAX),
    MAP_FILE(EINVAL, .ioas_id = FIRST, .fd = RAM_FD, .length = PAGE_SIZE),
    MAP_FILE(ENOENT, .ioas_id = NOBODY, .flags = RW, .fd = RAM_FD, .length = PAGE_SIZE),
    MAP_FILE(EBADF, .ioas_id = FIRST, .flags = RW, .fd = -1, .length = PAGE_SIZE),
    MAP_FILE(EBADF, .ioas_id = FIRST, .flags = RW, .fd = 77, .length = PAGE_SIZE),
    MAP_FILE(EINVAL, .ioas_id = FIRST, .flags = RW, .fd = IOMMUFD_FD, .length = PAGE_SIZE),
    MAP_FILE(EFAULT, .ioas_id = FIRST, .flags = RW, .fd = RAM_FD, .start = RAM_FILE_SIZE,
             .length = PAGE_SIZE),
    MAP_FILE(EFAULT, .ioas_id = FIRST, .flags = RW, .fd = RAM_FD,
             .start = RAM_FILE_SIZE - PAGE_SIZE, .length = 2 * PAGE_SIZE),

    COPY(REFUSED, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .flags = RW | 8),
    COPY(EOVERFLOW, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .flags = RW,
         .dst_iova = UINT64_MAX),
    COPY(EOVERFLOW, .src_ioas_id = NOBODY, .dst_ioas_id = SECOND, .flags = RW, .length = PAGE_SIZE,
         .src_iova = UINT64_MAX),
    COPY(EINVAL, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .length = PAGE_SIZE),
    COPY(ENOENT, .src_ioas_id = NOBODY, .dst_ioas_id = SECOND, .flags = RW, .length = PAGE_SIZE),
    COPY(ENOENT, .src_ioas_id = FIRST, .dst_ioas_id = TABLE, .flags = RW, .length = PAGE_SIZE),
    COPY(ENOENT, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .flags = RW, .length = PAGE_SIZE,
         .src_iova = IOVA + 4 * PAGE_SIZE),
    COPY(ENOENT, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .flags = RW, .length = 5 * PAGE_SIZE,
         .src_iova = IOVA),
    COPY(EEXIST, .src_ioas_id = FIRST, .dst_ioas_id = FIRST, .flags = RW | FIXED,
         .length = PAGE_SIZE, .src_iova = IOVA, .dst_iova = IOVA + PAGE_SIZE),
    COPY(EOVERFLOW, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .flags = RW,
         .length = 2 * PAGE_SIZE, .src_iova = -PAGE_SIZE),

    UNMAP(ENOENT, .ioas_id = NOBODY, .iova = IOVA, .length = PAGE_SIZE),
    UNMAP(EOVERFLOW, .ioas_id = FIRST, .iova = UINT64_MAX, .length = PAGE_SIZE),
    UNMAP(EOVERFLOW, .ioas_id = FIRST, .iova = IOVA, .length = UINT64_MAX),
    UNMAP(EOVERFLOW, .ioas_id = FIRST, .iova = IOVA, .length = PAGE_SIZE - IOVA),
    UNMAP(EINVAL, .ioas_id = FIRST, .iova = IOVA),
    UNMAP(ENOENT, .ioas_id = FIRST, .iova = IOVA, .length = 3 * PAGE_SIZE), /* cuts */
    UNMAP(ENOENT, .ioas_id = FIRST, .iova = FREE_AT, .length = PAGE_SIZE),

    OPTION(REFUSED, .option_id = IOMMU_OPTION_RLIMIT_MODE, .__reserved = 1),
    OPTION(REFUSED, .option_id = 2),
    OPTION(REFUSED, .option_id = IOMMU_OPTION_RLIMIT_MODE, .object_id = FIRST),
    OPTION(REFUSED, .option_id = IOMMU_OPTION_RLIMIT_MODE, .op = 2),
    OPTION(EBUSY, .option_id = IOMMU_OPTION_RLIMIT_MODE),
    OPTION(ENOENT, .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = NOBODY),
    OPTION(REFUSED, .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = FIRST, .op = 2),
    OPTION(EINVAL, .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = FIRST, .val64 = 2),
    ROW(REFUSED, IOMMU_IOAS_CHANGE_PROCESS, change_process, .__reserved = 1),
    ROW(EINVAL, IOMMU_IOAS_CHANGE_PROCESS, change_process, .__reserved = 0),

    COMPAT(REFUSED, .op = IOMMU_VFIO_IOAS_GET, .__reserved = 1),
    COMPAT(REFUSED, .op = 3),
    COMPAT(ENODEV, .op = IOMMU_VFIO_IOAS_GET),
    COMPAT(ENOENT, .op = IOMMU_VFIO_IOAS_SET, .ioas_id = TABLE),

    ALLOC(REFUSED, .dev_id = DEVICE, .pt_id = FIRST, .__reserved = 1),
    ALLOC(REFUSED, .dev_id = DEVICE, .pt_id = FIRST, .__reserved2 = 1),
    ALLOC(EINVAL, .dev_id = DEVICE, .pt_id = FIRST, .data_len = 8),
    ALLOC(EINVAL, .dev_id = DEVICE, .pt_id = FIRST, .data_type = IOMMU_HWPT_DATA_VTD_S1),
    ALLOC(ENOENT, .dev_id = FIRST, .pt_id = FIRST),
    ALLOC(EINVAL, .dev_id = DEVICE, .pt_id = NOBODY),
    ALLOC(EINVAL, .dev_id = DEVICE, .pt_id = DEVICE),
    ALLOC(REFUSED, .dev_id = DEVICE, .pt_id = TABLE),
    ALLOC(REFUSED, .dev_id = DEVICE, .pt_id = FIRST, .flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING),
    ALLOC(REFUSED, .dev_id = DEVICE, .pt_id = FIRST, .data_type = IOMMU_HWPT_DATA_VTD_S1,
          .data_len = 8),

    INFO(REFUSED, .dev_id = DEVICE, .flags = 2),
    INFO(REFUSED, .dev_id = DEVICE, .__reserved = {0, 0, 1}),
    INFO(ENOENT, .dev_id = FIRST),
    INFO(REFUSED, .dev_id = DEVICE, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE, .in_data_type = 77),
    INFO(EFAULT, .dev_id = DEVICE, .data_len = 8),
    SET_DIRTY(REFUSED, .hwpt_id = TABLE, .flags = 2),
    SET_DIRTY(REFUSED, .hwpt_id = TABLE, .__reserved = 1),
    SET_DIRTY(ENOENT, .hwpt_id = FIRST),
    SET_DIRTY(REFUSED, .hwpt_id = TABLE),
    GET_DIRTY(REFUSED, .hwpt_id = TABLE, .flags = 2),
    GET_DIRTY(REFUSED, .hwpt_id = TABLE, .__reserved = 1),
    GET_DIRTY(ENOENT, .hwpt_id = FIRST),
    GET_DIRTY(EOVERFLOW, .hwpt_id = TABLE, .iova = -PAGE_SIZE, .length = 2 * PAGE_SIZE,
              .page_size = PAGE_SIZE),
    GET_DIRTY(EINVAL, .hwpt_id = TABLE, .length = PAGE_SIZE),
    GET_DIRTY(EINVAL, .hwpt_id = TABLE, .iova = 1, .length = PAGE_SIZE, .page_size = PAGE_SIZE),
    GET_DIRTY(EINVAL, .hwpt_id = TABLE, .length = PAGE_SIZE, .page_size = 2 * PAGE_SIZE),
    GET_DIRTY(REFUSED, .hwpt_id = TABLE, .length = PAGE_SIZE, .page_size = PAGE_SIZE),
    INVALIDATE(REFUSED, .hwpt_id = TABLE, .__reserved = 1),
    INVALIDATE(EINVAL, .hwpt_id = TABLE, .entry_num = 1),
    INVALIDATE(ENOENT, .hwpt_id = NOBODY),
    INVALIDATE(EINVAL, .hwpt_id = TABLE),
    ROW(REFUSED, IOMMU_FAULT_QUEUE_ALLOC, fault_alloc, .flags = 0),
    ROW(REFUSED, IOMMU_VIOMMU_ALLOC, viommu_alloc, .flags = 1, .type = 1),
    ROW(REFUSED, IOMMU_VIOMMU_ALLOC, viommu_alloc, .dev_id = DEVICE),
    ROW(ENOENT, IOMMU_VIOMMU_ALLOC, viommu_alloc, .type = 1, .dev_id = NOBODY),
    ROW(REFUSED, IOMMU_VIOMMU_ALLOC, viommu_alloc, .type = 1, .dev_id = DEVICE),
    ROW(ENOENT, IOMMU_VDEVICE_ALLOC, vdevice_alloc, .dev_id = DEVICE),
    ROW(REFUSED, IOMMU_VEVENTQ_ALLOC, veventq_alloc, .flags = 1, .type = 1),
    ROW(REFUSED, IOMMU_VEVENTQ_ALLOC, veventq_alloc, .veventq_depth = 1),
    ROW(EINVAL, IOMMU_VEVENTQ_ALLOC, veventq_alloc, .type = 1),
    ROW(ENOENT, IOMMU_VEVENTQ_ALLOC, veventq_alloc, .type = 1, .veventq_depth = 1),
    ROW(REFUSED, IOMMU_HW_QUEUE_ALLOC, hw_queue_alloc, .flags = 1, .type = 1),
    ROW(REFUSED, IOMMU_HW_QUEUE_ALLOC, hw_queue_alloc, .length = PAGE_SIZE),
    ROW(EINVAL, IOMMU_HW_QUEUE_ALLOC, hw_queue_alloc, .type = 1),
    ROW(EOVERFLOW, IOMMU_HW_QUEUE_ALLOC, hw_queue_alloc, .type = 1, .length = 2 * PAGE_SIZE,
        .nesting_parent_iova = -PAGE_SIZE),
    ROW(ENOENT, IOMMU_HW_QUEUE_ALLOC, hw_queue_alloc, .type = 1, .length = PAGE_SIZE),
};

/* Every row is answered as it says, and changes nothing. */
static void refusals(void **state)
{
    populate();
    world_account.limit = 32 * PAGE_SIZE;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        any_command argument = refused[i].argument;
        char *before = iommufd_snapshot();
        int64_t result = iommufd_call(refused[i].command, &argument);

        if (result != -refused[i].error)
            print_error("row %zu (command %#x)\n", i, refused[i].command);
        assert_int_equal(result, -refused[i].error);
        snapshot_compare("row", i, before, iommufd_snapshot());
    }
}

/*
 * The end of the memory must not wrap around to something that is there, not even to 0, which is
 * the end of the last page of all.
 */
static void pitfall_38_a_pointer_that_wraps_is_refused(void **state)
{
    struct iommu_ioas_map map =
        SIZED(iommu_ioas_map, .flags = RW, .ioas_id = FIRST, .user_va = -PAGE_SIZE);
    struct iommu_ioas_map_file file = SIZED(iommu_ioas_map_file, .flags = RW, .ioas_id = FIRST,
                                            .fd = RAM_FD, .start = -PAGE_SIZE);

    assert_int_equal(iommufd_space(), FIRST);
    for (unsigned attached = 0; attached < 2; attached++) {
        for (unsigned pages = 1; pages <= 2; pages++) {
            map.length = file.length = pages * PAGE_SIZE;
            assert_int_equal(iommufd_call(IOMMU_IOAS_MAP, &map), -EOVERFLOW);
            assert_int_equal(iommufd_call(IOMMU_IOAS_MAP_FILE, &file), -EOVERFLOW);
        }
        if (!attached)
            iommufd_attached(iommufd_bound(world_pair.members[0]), FIRST);
    }
    assert_int_equal(iommufd_unmap_at(FIRST, 0, UINT64_MAX), 0); /* nothing is there */
}

/* ---- structures of all lengths, addresses of all kinds ---- */

static uint8_t buffer[3 * PAGE_SIZE];

/* The shortest that is taken is found by trying; each command of the table above has one. */
static uint32_t size_min(uint32_t command)
{
    uint32_t size = 0;

    do {
        memset(buffer, 0xff, sizeof(struct iommu_ioas_map_file)); /* means nothing anywhere */
        memcpy(buffer, &(uint32_t){++size}, sizeof(size));
    } while (iommufd_call(command, buffer) == -EINVAL && size < 64);
    return size;
}

static void sizes(void **state)
{
    populate();
    world_account.limit = 32 * PAGE_SIZE;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        uint32_t known = refused[i].argument.size_field;

        memset(buffer, 0, sizeof(buffer));
        memcpy(buffer, &refused[i].argument, known);
        memcpy(buffer, &(uint32_t){known + 100}, 4);
        assert_int_equal(iommufd_call(refused[i].command, buffer), -refused[i].error);
        buffer[known + 99] = 1;
        assert_int_equal(iommufd_call(refused[i].command, buffer), -E2BIG);
        host_bad_user = (struct phys_run){user_address(buffer) + known + 80, 8};
        assert_int_equal(iommufd_call(refused[i].command, buffer), -EFAULT);
        host_bad_user = (struct phys_run){user_address(buffer) + 4, 1}; /* behind the size */
        assert_int_equal(iommufd_call(refused[i].command, buffer), -EFAULT);
        host_bad_user = (struct phys_run){0};
        memcpy(buffer, &(uint32_t){PAGE_SIZE + 1}, 4);
        assert_int_equal(iommufd_call(refused[i].command, buffer), -E2BIG);
        memcpy(buffer, &(uint32_t){3}, 4);
        assert_int_equal(iommufd_call(refused[i].command, buffer), -EINVAL);
        assert_in_range(size_min(refused[i].command), 8, known);
        assert_int_equal(iommufd_call(refused[i].command, NULL), -EFAULT);
        assert_int_equal(iommufd_call(refused[i].command | 1u << 16, buffer), -ENOTTY);
    }
    assert_int_equal(iommufd_call(_IO(IOMMUFD_TYPE, IOMMUFD_CMD_BASE - 1), buffer), -ENOTTY);
    assert_int_equal(iommufd_call(_IO(IOMMUFD_TYPE, 0xff), buffer), -ENOTTY);
}

/* Calls that answer in their structure, and would succeed. */
static const struct row answers[] = {
    ROW(0, IOMMU_IOAS_ALLOC, ioas_alloc, .flags = 0),
    MAP(0, .ioas_id = FIRST, .flags = RW, .user_va = VA, .length = PAGE_SIZE),
    MAP_FILE(0, .ioas_id = FIRST, .flags = RW, .fd = RAM_FD, .length = PAGE_SIZE),
    COPY(0, .src_ioas_id = FIRST, .dst_ioas_id = SECOND, .flags = RW, .length = PAGE_SIZE,
         .src_iova = IOVA),
    ALLOC(0, .dev_id = DEVICE, .pt_id = SECOND),
    OPTION(0, .option_id = IOMMU_OPTION_RLIMIT_MODE, .op = IOMMU_OPTION_OP_GET),
    OPTION(0, .option_id = IOMMU_OPTION_HUGE_PAGES, .op = IOMMU_OPTION_OP_GET, .object_id = FIRST),
    COMPAT(0, .op = IOMMU_VFIO_IOAS_GET),
    INFO(0, .dev_id = DEVICE),
    INVALIDATE(0, .hwpt_id = TABLE),
};

/* What the caller cannot be told did not happen. */
static void answers_that_cannot_be_stored(void **state)
{
    struct iommu_vfio_ioas set =
        SIZED(iommu_vfio_ioas, .op = IOMMU_VFIO_IOAS_SET, .ioas_id = FIRST);

    populate();
    assert_int_equal(iommufd_call(IOMMU_VFIO_IOAS, &set), 0);
    host_const_user = (struct phys_run){user_address(buffer), sizeof(buffer)};
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        char *before = iommufd_snapshot();

        memcpy(buffer, &answers[i].argument, sizeof(any_command));
        assert_int_equal(iommufd_call(answers[i].command, buffer), -EFAULT);
        snapshot_compare("answer", i, before, iommufd_snapshot());
    }
}

/* But what was unmapped stays so. */
static void an_unmap_whose_answer_cannot_be_stored(void **state)
{
    struct iommu_ioas_unmap unmap =
        SIZED(iommu_ioas_unmap, .ioas_id = FIRST, .iova = IOVA, .length = 8 * PAGE_SIZE);

    populate();
    host_const_user = (struct phys_run){user_address(&unmap), sizeof(unmap)};
    assert_int_equal(iommufd_call(IOMMU_IOAS_UNMAP, &unmap), -EFAULT);
    host_const_user = (struct phys_run){0};
    assert_int_equal(iommufd_call(IOMMU_IOAS_UNMAP, &unmap), -ENOENT);
    assert_int_equal(world_account.used, 0);
}

/* Before there is any object: afterwards it is too late. */
static void the_limit_s_mode_is_chosen_first(void **state)
{
    struct iommu_option option = SIZED(iommu_option, .option_id = IOMMU_OPTION_RLIMIT_MODE,
                                       .op = IOMMU_OPTION_OP_SET, .val64 = 2);

    assert_int_equal(iommufd_call(IOMMU_OPTION, &option), -EINVAL);
    option.val64 = 1;
    assert_int_equal(iommufd_call(IOMMU_OPTION, &option), 0);
    assert_int_equal(iommufd_space(), FIRST);
    assert_int_equal(iommufd_call(IOMMU_OPTION, &option), -EBUSY);
    option = SIZED(iommu_option, .option_id = IOMMU_OPTION_RLIMIT_MODE, .op = IOMMU_OPTION_OP_GET);
    assert_int_equal(iommufd_call(IOMMU_OPTION, &option), 0);
    assert_int_equal(option.val64, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, iommufd_setup, iommufd_teardown)
    const struct CMUnitTest tests[] = {
        TEST(calls_fail_at_every_step),
        TEST(refusals),
        TEST(pitfall_38_a_pointer_that_wraps_is_refused),
        TEST(sizes),
        TEST(answers_that_cannot_be_stored),
        TEST(an_unmap_whose_answer_cannot_be_stored),
        TEST(the_limit_s_mode_is_chosen_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
