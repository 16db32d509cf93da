/* SPDX-License-Identifier: BSD-2-Clause */
/* Containers and their calls where memory is short, addresses are bad or a unit is silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <linux/vfio.h>
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/device/vfio/container.h"
#include "kernel/device/vfio/type1.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_user.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/ioas_world.h"
#include "tests/unit/pins.h"

#define IOVA (UINT64_C(1) << 38)

static struct ioas_user user;
static struct file *file;
static struct vfio_container *container;
static struct vfio_container_member pair = {LIST_INIT(pair.link), &world_pair};
static struct vfio_container_member split = {LIST_INIT(split.link), &world_split};
static bool tree_is_full;

int tree_add_device(const char *path, unsigned major, unsigned minor, tree_open open, void *context)
{
    assert_string_equal(path, "/dev/vfio/vfio");
    return tree_is_full ? -ENOMEM : 0;
}

static int64_t call(uint32_t command, const void *argument)
{
    return file->ops->ioctl(file, command, user_address(argument));
}

static int64_t set_iommu(void)
{
    return file->ops->ioctl(file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static int64_t map_at(uint64_t iova, unsigned page, unsigned count)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = 3,
                                         .vaddr = source_address(page),
                                         .iova = iova,
                                         .size = count * PAGE_SIZE};

    return call(VFIO_IOMMU_MAP_DMA, &m);
}

static int64_t unmap_at(uint64_t iova, uint64_t size, uint64_t *unmapped)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = size};
    int64_t result = call(VFIO_IOMMU_UNMAP_DMA, &u);

    *unmapped = u.size;
    return result;
}

static int setup(void **state)
{
    world_create();
    host_bad_user = host_const_user = (struct phys_run){0};
    user = (struct ioas_user){source_get(), &world_account};
    tree_is_full = false;
    assert_int_equal(vfio_container_add_file(&user), 0);
    assert_int_equal(vfio_container_open(NULL, FILE_RDWR, &file), 0);
    container = vfio_container_of(file);
    return 0;
}

static int teardown(void **state)
{
    if (!list_empty(&pair.link))
        vfio_container_remove_group(container, &pair);
    if (!list_empty(&split.link))
        vfio_container_remove_group(container, &split);
    assert_false(vfio_container_ready(container));
    file_put(file);
    world_destroy();
    return 0;
}

static void add(struct vfio_container_member *member)
{
    assert_int_equal(vfio_container_add_group(container, member), 0);
}

/* ---- every step fails ---- */

static struct file *opened;

static int64_t open_one(void)
{
    return vfio_container_open(NULL, FILE_RDWR, &opened);
}

static int64_t add_pair(void)
{
    return vfio_container_add_group(container, &pair);
}

static int64_t map_many(void)
{
    return map_at(IOVA, SOURCE_SCATTERED, 200);
}

static int64_t unmap_many(void)
{
    uint64_t unmapped;
    int64_t error = unmap_at(IOVA, 200 * PAGE_SIZE, &unmapped);

    assert_int_equal(unmapped, 200 * PAGE_SIZE);
    return error;
}

static union {
    struct vfio_iommu_type1_info info;
    char room[1024];
} answer;

static int64_t get_info(void)
{
    answer.info = (struct vfio_iommu_type1_info){.argsz = sizeof(answer)};
    return call(VFIO_IOMMU_GET_INFO, &answer);
}

static void opening(void **state)
{
    assert_int_equal(every_step_fails("open", open_one, world_snapshot), 2);
    file_put(opened);
}

static void a_group_without_an_address_space(void **state)
{
    assert_int_equal(every_step_fails("add a group", add_pair, world_snapshot), 0);
}

static void setting_the_iommu(void **state)
{
    add(&pair);
    add(&split);
    assert_true(every_step_fails("SET_IOMMU", set_iommu, world_snapshot) > 20);
    assert_true(vfio_container_ready(container));
}

static void a_group_that_comes_later(void **state)
{
    add(&split);
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 100), 0);
    assert_int_equal(map_at(SIZE_1G, SOURCE_BLOCK, 512), 0);
    assert_true(every_step_fails("add a group later", add_pair, world_snapshot) > 10);
    assert_non_null(ioas_iommu_domain_of(world_pair.members[0]->rid));
}

static void mapping(void **state)
{
    add(&split);
    assert_int_equal(set_iommu(), 0);
    assert_true(every_step_fails("MAP_DMA", map_many, world_snapshot) > 10);
    assert_int_equal(every_step_fails("UNMAP_DMA", unmap_many, world_snapshot), 0);
}

static void information(void **state)
{
    add(&pair);
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(every_step_fails("GET_INFO", get_info, world_snapshot), 1);
    assert_int_not_equal(answer.info.cap_offset, 0);
}

/* ---- refused ---- */

static void order_of_calls(void **state)
{
    assert_int_equal(set_iommu(), -EINVAL);
    assert_int_equal(call(VFIO_IOMMU_MAP_DMA, NULL), -EINVAL);
    assert_int_equal(file->ops->ioctl(file, VFIO_GET_API_VERSION, 0), VFIO_API_VERSION);
    assert_int_equal(file->ops->ioctl(file, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
    add(&pair);
    assert_int_equal(file->ops->ioctl(file, VFIO_SET_IOMMU, 77), -ENODEV);
    assert_false(vfio_container_ready(container));
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(set_iommu(), -EINVAL);
    assert_int_equal(call(VFIO_GROUP_GET_STATUS, NULL), -ENOTTY);
}

static void the_tree_is_full(void **state)
{
    tree_is_full = true;
    assert_int_equal(vfio_container_add_file(&user), -ENOMEM);
}

/* The second group cannot be attached: the first is detached again. */
static void one_group_of_two_is_refused(void **state)
{
    char *before;

    add(&pair);
    add(&split);
    ioas_iommu_kill(1);
    before = world_snapshot();
    assert_int_equal(set_iommu(), -EIO);
    snapshot_compare("SET_IOMMU", 0, before, world_snapshot());
    vfio_container_remove_group(container, &split);
    assert_int_equal(set_iommu(), 0);
    before = world_snapshot();
    assert_int_equal(vfio_container_add_group(container, &split), -EIO);
    snapshot_compare("add a group", 0, before, world_snapshot());
}

static void bad_addresses(void **state)
{
    static const uint32_t commands[] = {VFIO_IOMMU_MAP_DMA, VFIO_IOMMU_UNMAP_DMA,
                                        VFIO_IOMMU_GET_INFO, VFIO_IOMMU_DIRTY_PAGES};

    add(&pair);
    assert_int_equal(set_iommu(), 0);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        assert_int_equal(call(commands[i], NULL), -EFAULT);
    host_const_user = (struct phys_run){user_address(&answer), sizeof(answer)};
    assert_int_equal(get_info(), -EFAULT);
    host_const_user.base += sizeof(answer.info); /* the capabilities alone */
    assert_int_equal(get_info(), -EFAULT);
}

/* What was unmapped stays so, even if the caller cannot be told how much it was. */
static void an_answer_that_cannot_be_stored(void **state)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = IOVA, .size = 2 * PAGE_SIZE};

    add(&pair);
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 1), 0);
    host_const_user = (struct phys_run){user_address(&u), sizeof(u)};
    assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &u), -EFAULT);
    assert_int_equal(world_account.used, 0);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 1), 0);
}

/* Quota, account and overlap: which one is told. */
static void what_is_told_first(void **state)
{
    add(&pair);
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 2), 0);
    world_account.limit = 3 * PAGE_SIZE;
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 2), -EEXIST);
    assert_int_equal(map_at(SIZE_1G, SOURCE_SCATTERED, 2), -ENOMEM);
    assert_int_equal(map_at(SIZE_1G, SOURCE_SCATTERED, 1), 0);
    assert_int_equal(map_at(UINT64_C(0xfee00000), SOURCE_SCATTERED, 1), -EINVAL);
}

/*
 * 65,535 mappings and not one more, so that they cannot take all of the kernel's memory; each that
 * goes makes room for another.
 */
static void pitfall_33_mappings_have_a_quota(void **state)
{
    uint64_t unmapped;
    size_t heap;

    add(&pair);
    assert_int_equal(set_iommu(), 0);
    world_account.limit = UINT64_MAX;
    for (uint64_t i = 0; i < TYPE1_MAPPINGS_MAX; i++)
        assert_int_equal(map_at(IOVA + i * PAGE_SIZE, SOURCE_SCATTERED, 1), 0);
    heap = heap_used();
    assert_int_equal(map_at(SIZE_1G, SOURCE_SCATTERED, 1), -ENOSPC);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 1), -EEXIST);
    assert_int_equal(heap_used(), heap);
    assert_int_equal(unmap_at(IOVA, PAGE_SIZE, &unmapped), 0);
    assert_int_equal(map_at(SIZE_1G, SOURCE_SCATTERED, 1), 0);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 1), -ENOSPC);
}

/*
 * The last page of the aperture, and ranges that end with the last byte of all: a check of first +
 * length would see 0 there. One byte more does overflow.
 */
static void pitfall_36_the_last_page_can_be_mapped(void **state)
{
    const uint64_t last = (UINT64_C(1) << 48) - PAGE_SIZE, top = UINT64_MAX - PAGE_SIZE + 1;
    uint64_t unmapped;

    add(&pair);
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(map_at(last, SOURCE_SCATTERED, 1), 0);
    assert_int_equal(map_at(last, SOURCE_SCATTERED, 1), -EEXIST);
    assert_int_equal(map_at(last, SOURCE_SCATTERED, 2), -EEXIST); /* told before the end */
    assert_int_equal(map_at(last + PAGE_SIZE, SOURCE_SCATTERED, 1), -EINVAL);
    assert_int_equal(map_at(top, SOURCE_SCATTERED, 1), -EINVAL); /* no such IOVA, no overflow */
    assert_int_equal(map_at(top, SOURCE_SCATTERED, 2), -EOVERFLOW);
    assert_int_equal(unmap_at(last, -last, &unmapped), 0);
    assert_int_equal(unmapped, PAGE_SIZE);
    assert_int_equal(map_at(last, SOURCE_SCATTERED, 1), 0);
    assert_int_equal(unmap_at(last, PAGE_SIZE - last, &unmapped), -EOVERFLOW);
    assert_int_equal(unmap_at(0, top, &unmapped), 0);
    assert_int_equal(unmapped, PAGE_SIZE);
    assert_int_equal(unmap_at(top, PAGE_SIZE, &unmapped), 0);
    assert_int_equal(unmapped, 0);
}

/* The unit does not confirm: told to the caller, and the memory stays charged. */
static void a_silent_unit(void **state)
{
    uint64_t unmapped;

    add(&pair);
    assert_int_equal(set_iommu(), 0);
    assert_int_equal(map_at(IOVA, SOURCE_SCATTERED, 4), 0);
    ioas_iommu_kill(0);
    assert_int_equal(unmap_at(IOVA, 4 * PAGE_SIZE, &unmapped), -EIO);
    assert_int_equal(map_at(SIZE_1G, SOURCE_BLOCK, 1), -EIO);
    assert_int_equal(world_account.used, 5 * PAGE_SIZE);
    /* Let go by hand, so that the world can end. */
    for (unsigned i = 0; i < 4; i++)
        frames_unpin(source_frame[SOURCE_SCATTERED + i], PAGE_SIZE);
    frames_unpin(source_frame[SOURCE_BLOCK], PAGE_SIZE);
    world_account.used = 0;
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(opening),
        TEST(a_group_without_an_address_space),
        TEST(setting_the_iommu),
        TEST(a_group_that_comes_later),
        TEST(mapping),
        TEST(information),
        TEST(order_of_calls),
        TEST(the_tree_is_full),
        TEST(one_group_of_two_is_refused),
        TEST(bad_addresses),
        TEST(an_answer_that_cannot_be_stored),
        TEST(what_is_told_first),
        TEST(pitfall_33_mappings_have_a_quota),
        TEST(pitfall_36_the_last_page_can_be_mapped),
        TEST(a_silent_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
