/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO container calls on an iommufd where arguments are wrong, memory is short or a unit silent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <linux/vfio.h>
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_user.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/iommufd_world.h"
#include "tests/unit/pins.h"

#define IOVA  (4 * GIB)
#define BYTES (8 * PAGE_SIZE)

static uint32_t compat;

static int64_t number_call(uint32_t command, uint64_t number)
{
    return iommufd_file->ops->ioctl(iommufd_file, command, number);
}

static int64_t compat_id(uint32_t *id)
{
    struct iommu_vfio_ioas get = SIZED(iommu_vfio_ioas, .op = IOMMU_VFIO_IOAS_GET);
    int64_t error = iommufd_call(IOMMU_VFIO_IOAS, &get);

    *id = get.ioas_id;
    return error;
}

static int64_t map(void)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = 3,
                                         .vaddr = source_address(SOURCE_SCATTERED),
                                         .iova = IOVA,
                                         .size = BYTES};

    return iommufd_call(VFIO_IOMMU_MAP_DMA, &m);
}

static int64_t unmap_at(uint64_t iova, uint64_t size, uint64_t *unmapped)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = size};
    int64_t error = iommufd_call(VFIO_IOMMU_UNMAP_DMA, &u);

    *unmapped = u.size;
    return error;
}

static int64_t unmap_middle(void)
{
    uint64_t unmapped;
    int64_t error = unmap_at(IOVA + PAGE_SIZE, BYTES - 2 * PAGE_SIZE, &unmapped);

    assert_int_equal(unmapped, error ? 0 : BYTES - 2 * PAGE_SIZE);
    return error;
}

static union {
    struct vfio_iommu_type1_info info;
    char room[1024];
} answer;

static int64_t get_info(void)
{
    answer.info = (struct vfio_iommu_type1_info){.argsz = sizeof(answer)};
    return iommufd_call(VFIO_IOMMU_GET_INFO, &answer);
}

/* The space of the container calls, and a device in it. */
static void populate(uint32_t type)
{
    assert_int_equal(iommufd_compat_create(iommufd_file), 0);
    assert_int_equal(compat_id(&compat), 0);
    assert_int_equal(number_call(VFIO_SET_IOMMU, type), 0);
    iommufd_attached(iommufd_bound(world_pair.members[0]), compat);
}

static int64_t create(void)
{
    return iommufd_compat_create(iommufd_file);
}

static void every_step_fails_and_leaves_nothing(void **state)
{
    assert_int_equal(every_step_fails("compat space", create, iommufd_snapshot), 2);
    populate(VFIO_TYPE1_IOMMU);
    assert_true(every_step_fails("MAP_DMA", map, iommufd_snapshot) > 3);
    assert_int_equal(every_step_fails("GET_INFO", get_info, iommufd_snapshot), 1);
    /* Version 1 cuts: an area for each end. */
    assert_int_equal(every_step_fails("UNMAP_DMA", unmap_middle, iommufd_snapshot), 2);
}

static void there_is_no_space(void **state)
{
    static const uint32_t calls[] = {VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA, VFIO_IOMMU_GET_INFO};
    struct vfio_iommu_type1_dma_map room = {.argsz = sizeof(room)};
    uint32_t id;

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        assert_int_equal(iommufd_call(calls[i], &room), -ENODEV);
    assert_int_equal(compat_id(&id), -ENODEV);
    assert_int_equal(number_call(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), -ENODEV);
    assert_int_equal(number_call(VFIO_SET_IOMMU, 99), -EINVAL);
    assert_int_equal(number_call(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), -ENODEV);
    assert_int_equal(number_call(VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
    assert_int_equal(number_call(VFIO_CHECK_EXTENSION, 99), 0);
    assert_int_equal(iommufd_call(VFIO_IOMMU_DIRTY_PAGES, &room), -ENOTTY);
}

/* Destroyed as any other, which the container calls must hear of. */
static void the_space_goes(void **state)
{
    struct iommu_destroy destroy = SIZED(iommu_destroy, .id = 0);
    struct iommu_vfio_ioas calls = SIZED(iommu_vfio_ioas, .op = IOMMU_VFIO_IOAS_CLEAR);

    assert_int_equal(create(), 0);
    assert_int_equal(compat_id(&destroy.id), 0);
    assert_int_equal(create(), 0); /* the same again */
    assert_int_equal(iommufd_call(IOMMU_DESTROY, &destroy), 0);
    assert_int_equal(compat_id(&destroy.id), -ENODEV);
    assert_int_equal(map(), -ENODEV);
    assert_int_equal(create(), 0);
    assert_int_equal(iommufd_call(IOMMU_VFIO_IOAS, &calls), 0);
    assert_int_equal(map(), -ENODEV);
}

struct bad_map {
    int error;
    struct vfio_iommu_type1_dma_map map;
};

static void bad_maps(void **state)
{
    const uint64_t va = source_address(SOURCE_SCATTERED);
    const struct bad_map bad[] = {
        {-EINVAL, {.argsz = 31, .flags = 3, .vaddr = va, .iova = IOVA, .size = PAGE_SIZE}},
        {-EINVAL, {.argsz = 32, .flags = 4, .vaddr = va, .iova = IOVA, .size = PAGE_SIZE}},
        {-EINVAL, {.argsz = 32, .flags = 0, .vaddr = va, .iova = IOVA, .size = PAGE_SIZE}},
        {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = va, .iova = IOVA}},
        {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = va, .iova = IOVA + 8, .size = PAGE_SIZE}},
        {-EOVERFLOW, {.argsz = 32, .flags = 3, .vaddr = -PAGE_SIZE, .size = 2 * PAGE_SIZE}},
        {-EFAULT,
         {.argsz = 32, .flags = 3, .vaddr = source_address(SOURCE_END), .size = PAGE_SIZE}},
        {-EFAULT,
         {.argsz = 32, .flags = 3, .vaddr = source_address(SOURCE_DEVICE_PAGE), .size = PAGE_SIZE}},
    };

    populate(VFIO_TYPE1v2_IOMMU);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *before = iommufd_snapshot();

        assert_int_equal(iommufd_call(VFIO_IOMMU_MAP_DMA, &bad[i].map), bad[i].error);
        snapshot_compare("map", i, before, iommufd_snapshot());
    }
    assert_int_equal(map(), 0);
    assert_int_equal(map(), -EEXIST);
    assert_int_equal(iommufd_call(VFIO_IOMMU_MAP_DMA, NULL), -EFAULT);
}

struct bad_unmap {
    int error;
    struct vfio_iommu_type1_dma_unmap unmap;
};

static void bad_unmaps(void **state)
{
    static const struct bad_unmap bad[] = {
        {-EINVAL, {.argsz = 23, .iova = IOVA, .size = BYTES}},
        {-EINVAL, {.argsz = 24, .flags = 1, .iova = IOVA, .size = BYTES}},
        {-EINVAL, {.argsz = 24, .flags = VFIO_DMA_UNMAP_FLAG_ALL, .iova = IOVA}},
        {-EINVAL, {.argsz = 24, .flags = VFIO_DMA_UNMAP_FLAG_ALL, .size = BYTES}},
        {-EINVAL, {.argsz = 24, .iova = IOVA}},
        {-EOVERFLOW, {.argsz = 24, .iova = -PAGE_SIZE, .size = 2 * PAGE_SIZE}},
        {-ENOENT, {.argsz = 24, .iova = IOVA, .size = PAGE_SIZE}}, /* cuts */
        {-ENOENT, {.argsz = 24, .iova = IOVA + PAGE_SIZE, .size = BYTES}},
        {0, {.argsz = 24, .size = BYTES}}, /* nothing there */
    };

    populate(VFIO_TYPE1v2_IOMMU);
    assert_int_equal(map(), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct vfio_iommu_type1_dma_unmap unmap = bad[i].unmap;
        char *before = iommufd_snapshot();

        assert_int_equal(iommufd_call(VFIO_IOMMU_UNMAP_DMA, &unmap), bad[i].error);
        snapshot_compare("unmap", i, before, iommufd_snapshot());
    }
    assert_int_equal(iommufd_call(VFIO_IOMMU_UNMAP_DMA, NULL), -EFAULT);
}

static void information(void **state)
{
    populate(VFIO_TYPE1v2_IOMMU);
    answer.info.argsz = offsetof(struct vfio_iommu_type1_info, cap_offset) - 1;
    assert_int_equal(iommufd_call(VFIO_IOMMU_GET_INFO, &answer), -EINVAL);
    assert_int_equal(iommufd_call(VFIO_IOMMU_GET_INFO, NULL), -EFAULT);
    host_const_user = (struct phys_run){user_address(&answer), sizeof(answer)};
    assert_int_equal(get_info(), -EFAULT);
    host_const_user.base += sizeof(answer.info); /* the capabilities alone */
    assert_int_equal(get_info(), -EFAULT);
}

static void snooping_is_what_the_page_tables_can(void **state)
{
    populate(VFIO_TYPE1v2_IOMMU);
    assert_int_equal(number_call(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
    iommufd_teardown(state);
    iommufd_setup(state);
    ioas_iommu_set_geometry(0, 48, true);
    populate(VFIO_TYPE1v2_IOMMU);
    assert_int_equal(number_call(VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 1);
}

/* Large leaves cannot be cut, so a space that has some cannot become version 1. */
static void version_1_comes_too_late(void **state)
{
    populate(VFIO_TYPE1v2_IOMMU);
    assert_int_equal(iommufd_map_at(compat, IOVA, SOURCE_BLOCK, 512), 0);
    assert_int_equal(number_call(VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), -EINVAL);
}

static void a_silent_unit(void **state)
{
    uint64_t unmapped;

    populate(VFIO_TYPE1v2_IOMMU);
    assert_int_equal(map(), 0);
    ioas_iommu_kill(0);
    assert_int_equal(unmap_at(IOVA, BYTES, &unmapped), -EIO);
    assert_int_equal(unmapped, BYTES);
    assert_int_equal(world_account.used, BYTES);
    for (uint64_t i = 0; i < BYTES / PAGE_SIZE; i++)
        frames_unpin(source_frame[SOURCE_SCATTERED + i], PAGE_SIZE);
    world_account.used = 0;
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, iommufd_setup, iommufd_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_step_fails_and_leaves_nothing),
        TEST(there_is_no_space),
        TEST(the_space_goes),
        TEST(bad_maps),
        TEST(bad_unmaps),
        TEST(information),
        TEST(snooping_is_what_the_page_tables_can),
        TEST(version_1_comes_too_late),
        TEST(a_silent_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
