/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of an iommufd: binding, attaching, replacing, and units that stop answering meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/fdtable.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_user.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/iommufd_world.h"
#include "tests/unit/pins.h"

#define IOVA   (4 * GIB)
#define NOBODY 99 /* an id */
#define PAGES  4u

static struct pci_device *one, *two; /* of one group, behind unit 0 */
static struct iommufd_device *device, *second;
static uint32_t here, there; /* spaces */
static char said[1024];

static void listen(const char *text, size_t length)
{
    strncat(said, text, MIN(length, sizeof(said) - 1 - strlen(said)));
}

static struct log_sink sink = {.write = listen};

/* Two spaces, each with the same pages; two devices of a group, bound. */
static int setup(void **state)
{
    iommufd_setup(state);
    said[0] = '\0';
    one = world_pair.members[0];
    two = world_pair.members[1];
    here = iommufd_space();
    there = iommufd_space();
    assert_int_equal(iommufd_map_at(here, IOVA, SOURCE_SCATTERED, PAGES), 0);
    assert_int_equal(iommufd_map_at(there, IOVA, SOURCE_SCATTERED, PAGES), 0);
    device = iommufd_bound(one);
    second = iommufd_bound(two);
    return 0;
}

static int64_t attach(struct iommufd_device *to_attach, uint32_t id)
{
    return iommufd_attach(to_attach, &id);
}

/* Must be refused, with everything as before. */
static void refused(struct iommufd_device *to_attach, uint32_t id, int error)
{
    char *before = iommufd_snapshot();

    assert_int_equal(attach(to_attach, id), error);
    snapshot_compare("attach", id, before, iommufd_snapshot());
}

static struct iommu_domain *domain_of(const struct pci_device *pci)
{
    return ioas_iommu_domain_of(pci->rid);
}

/* Pages that stay pinned and charged, because nobody knows whether they are out of reach. */
static void let_go(unsigned times)
{
    struct frames_stats stats;

    frames_stats(&stats);
    assert_int_equal(stats.pins, times * PAGES);
    assert_int_equal(world_account.used, times * PAGES * PAGE_SIZE);
    assert_non_null(strstr(said, "the memory stays pinned for ever"));
    for (unsigned i = 0; i < times * PAGES; i++)
        frames_unpin(source_frame[SOURCE_SCATTERED + i % PAGES], PAGE_SIZE);
    world_account.used = 0;
}

/* ---- binding ---- */

static void binding_rules(void **state)
{
    struct iommufd_device *bound;
    struct file *ram = fd_get(RAM_FD), *other;
    char *before = iommufd_snapshot();

    assert_int_equal(iommufd_bind(ram, one, &bound), -EBADFD);
    file_put(ram);
    assert_int_equal(iommufd_bind(iommufd_file, one, &bound), -EBUSY);
    iommufd_unbind(second);
    assert_int_equal(iommufd_open(NULL, FILE_RDWR, &other), 0);
    assert_int_equal(iommufd_bind(other, two, &bound), -EBUSY); /* the group is ours */
    file_put(other);
    second = iommufd_bound(two);
    snapshot_compare("bind", 0, before, iommufd_snapshot());
}

/* The group goes to another iommufd once nothing of it is bound here. */
static void a_group_changes_hands(void **state)
{
    struct file *other;

    assert_int_equal(iommufd_open(NULL, FILE_RDWR, &other), 0);
    iommufd_unbind(device);
    iommufd_unbind(second);
    assert_int_equal(iommufd_bind(other, one, &device), 0);
    file_put(other);                                  /* the device keeps it open */
    assert_int_equal(attach(device, there), -ENOENT); /* ids belong to one file */
    iommufd_unbind(device);
}

static int64_t bind_split(void)
{
    static struct iommufd_device *bound;

    return iommufd_bind(iommufd_file, world_split.members[0], &bound);
}

/* ---- attaching ---- */

static int64_t attach_here(void)
{
    return attach(device, here);
}

static int64_t attach_there(void)
{
    return attach(device, there);
}

static int64_t attach_second(void)
{
    return attach(second, there);
}

static void every_step_of_an_attach_fails(void **state)
{
    assert_int_equal(every_step_fails("bind", bind_split, iommufd_snapshot), 2);
    ioas_iommu_set_reserved(one->rid, SIZE_1G, 2 * PAGE_SIZE); /* to be given back each time */
    assert_true(every_step_fails("attach", attach_here, iommufd_snapshot) > 8);
    assert_true(every_step_fails("replace", attach_there, iommufd_snapshot) > 8);
    assert_int_equal(every_step_fails("second device", attach_second, iommufd_snapshot), 0);
    assert_ptr_equal(domain_of(one), domain_of(two));
}

static void what_cannot_be_attached_to(void **state)
{
    refused(device, NOBODY, -ENOENT);
    refused(device, iommufd_device_id(second), -EINVAL);
    iommufd_detach(device); /* of one that is not: nothing */
    assert_null(domain_of(one));
}

/* The second device of a group goes where the first one is; later moves take both along. */
static void a_group_goes_to_one_place(void **state)
{
    uint32_t table, own;

    table = iommufd_attached(device, here);
    refused(second, there, -EINVAL);
    assert_int_equal(iommufd_table(iommufd_device_id(device), there, &own), 0);
    refused(second, own, -EINVAL);
    assert_int_equal(iommufd_attached(second, here), table);
    assert_int_equal(iommufd_attached(second, here), table); /* again: nothing happens */
    assert_int_equal(iommufd_attached(second, own), own);
    assert_ptr_equal(domain_of(one), find_hwpt(iommufd_ctx, own)->domain);
    assert_null(find_hwpt(iommufd_ctx, table)); /* automatic: went with its last user */
    iommufd_detach(device);
    assert_non_null(domain_of(one)); /* the other one is still there */
    iommufd_detach(second);
    assert_null(domain_of(one));
    assert_non_null(find_hwpt(iommufd_ctx, own));
}

/* Reserved memory is the space's business, so it stays as it is. */
static void a_move_within_one_space(void **state)
{
    uint32_t own;

    ioas_iommu_set_reserved(one->rid, SIZE_1G, 2 * PAGE_SIZE);
    assert_int_equal(attach(device, here), 0);
    assert_int_equal(iommufd_table(iommufd_device_id(device), here, &own), 0);
    ioas_iommu_kill_in(1);
    assert_int_equal(attach(device, own), -EIO);
    assert_int_equal(iommufd_map_at(here, SIZE_1G, SOURCE_BLOCK, 1), -EINVAL);
    iommufd_detach(device);
    let_go(1);
}

static void tables_fit_one_unit(void **state)
{
    struct iommufd_device *apart = iommufd_bound(world_split.members[0]);
    struct iommu_hw_info info = SIZED(iommu_hw_info, .dev_id = iommufd_device_id(apart));
    uint32_t id;

    /* Its group is behind two units. */
    refused(apart, here, -ENODEV);
    assert_int_equal(iommufd_table(iommufd_device_id(apart), here, &id), -ENODEV);
    assert_int_equal(iommufd_call(IOMMU_GET_HW_INFO, &info), 0);
    assert_int_equal(iommufd_table(iommufd_device_id(device), here, &id), 0);
    refused(apart, id, -EINVAL);
    iommufd_unbind(apart);
    /* No unit at all. The first member of that group is in another group, too. */
    one->group = world_lost.members[1]->group;
    apart = iommufd_bound(world_lost.members[1]);
    one->group = &world_pair;
    info.dev_id = iommufd_device_id(apart);
    assert_int_equal(iommufd_call(IOMMU_GET_HW_INFO, &info), -ENODEV);
    refused(apart, here, -ENODEV);
}

/* Reserved memory narrows the space that the device goes through, and no other. */
static void reserved_memory_moves_along(void **state)
{
    ioas_iommu_set_reserved(one->rid, SIZE_1G, 2 * PAGE_SIZE);
    assert_int_equal(attach(device, here), 0);
    assert_int_equal(attach(device, there), 0);
    assert_int_equal(iommufd_map_at(there, SIZE_1G, SOURCE_SCATTERED, 1), -EINVAL);
    assert_int_equal(iommufd_map_at(here, SIZE_1G, SOURCE_SCATTERED, 1), 0);
    refused(device, here, -EADDRINUSE);
}

static void memory_stands_in_the_way(void **state)
{
    ioas_iommu_set_reserved(one->rid, SIZE_1G, 2 * PAGE_SIZE);
    assert_int_equal(iommufd_map_at(there, SIZE_1G, SOURCE_SCATTERED, 1), 0);
    refused(device, there, -EADDRINUSE);
    assert_int_equal(attach(device, here), 0);
    assert_int_equal(iommufd_map_at(here, SIZE_1G, SOURCE_SCATTERED, 1), -EINVAL);
    refused(device, there, -EADDRINUSE); /* and it stays where it is */
    iommufd_detach(device);
    assert_int_equal(iommufd_map_at(here, SIZE_1G, SOURCE_SCATTERED, 1), 0);
    assert_int_equal(iommufd_unmap_at(there, SIZE_1G, PAGE_SIZE), 0);
    assert_int_equal(iommufd_map_at(there, 2 * SIZE_1G, SOURCE_END, 1), 0);
    refused(device, there, -EFAULT);
    assert_int_equal(iommufd_unmap_at(there, 2 * SIZE_1G, PAGE_SIZE), 0);
    world_account.limit = (PAGES - 1) * PAGE_SIZE;
    refused(device, there, -ENOMEM);
}

/* ---- ids and lives ---- */

static void ids_come_to_an_end(void **state)
{
    struct iommu_ioas_alloc alloc = SIZED(iommu_ioas_alloc, .flags = 0);
    struct iommufd_device *bound;
    uint32_t id;
    char *before = iommufd_snapshot();

    iommufd_ctx->last_id = INT32_MAX;
    assert_int_equal(iommufd_call(IOMMU_IOAS_ALLOC, &alloc), -ENOSPC);
    assert_int_equal(iommufd_compat_create(iommufd_file), -ENOSPC);
    assert_int_equal(iommufd_table(iommufd_device_id(device), here, &id), -ENOSPC);
    assert_int_equal(iommufd_bind(iommufd_file, world_split.members[0], &bound), -ENOSPC);
    snapshot_compare("ids", 0, before, iommufd_snapshot());
    refused(device, here, -ENOSPC);
}

static void ids_name_one_object_ever(void **state)
{
    struct iommu_destroy destroy = SIZED(iommu_destroy, .id = there);
    uint32_t next = iommufd_ctx->last_id + 1;

    assert_int_equal(iommufd_call(IOMMU_DESTROY, &destroy), 0);
    assert_int_equal(iommufd_call(IOMMU_DESTROY, &destroy), -ENOENT);
    assert_int_equal(iommufd_space(), next);
}

/* Spaces, page tables of both kinds, what is mapped, and the space of the container calls. */
static void a_file_closes_with_everything_in_it(void **state)
{
    uint32_t id;

    assert_int_equal(attach(device, here), 0);
    assert_int_equal(iommufd_table(iommufd_device_id(device), there, &id), 0);
    assert_int_equal(iommufd_table(iommufd_device_id(device), here, &id), 0);
    assert_int_equal(iommufd_compat_create(iommufd_file), 0);
}

/* ---- a unit stops answering ---- */

/* Within the attach of the first or of the second requester: neither stays. */
static void an_attach_is_not_confirmed(void **state)
{
    for (unsigned n = 1; n <= 2; n++) {
        ioas_iommu_kill_in(n);
        assert_int_equal(attach(device, here), -EIO);
        assert_null(domain_of(one));
        assert_null(domain_of(two));
        let_go(1);
        iommufd_teardown(state);
        setup(state);
    }
}

/* The device is attached as before, as far as anybody can tell, and can be detached. */
static void a_replace_is_not_confirmed(void **state)
{
    for (unsigned n = 1; n <= 2; n++) {
        uint32_t table = iommufd_attached(device, here);

        ioas_iommu_kill_in(n);
        assert_int_equal(attach(device, there), -EIO);
        assert_true(device->attached);
        assert_int_equal(object_id(&device->group->hwpt->object), table);
        assert_null(domain_of(one));
        iommufd_detach(device);
        assert_non_null(strstr(said, "the IOMMU did not confirm the detach"));
        assert_null(domain_of(two));
        let_go(2);
        iommufd_teardown(state);
        setup(state);
    }
}

static void calls_on_a_dead_unit(void **state)
{
    struct iommu_ioas_unmap unmap =
        SIZED(iommu_ioas_unmap, .ioas_id = here, .iova = IOVA, .length = PAGES * PAGE_SIZE);
    uint32_t id;

    assert_int_equal(attach(device, here), 0);
    ioas_iommu_kill(0);
    assert_int_equal(iommufd_call(IOMMU_IOAS_UNMAP, &unmap), -EIO);
    assert_int_equal(iommufd_call(IOMMU_IOAS_UNMAP, &unmap), -ENOENT); /* gone all the same */
    assert_int_equal(iommufd_map_at(here, IOVA, SOURCE_BLOCK, 1), -EIO);
    assert_int_equal(iommufd_table(iommufd_device_id(device), there, &id), -EIO);
    assert_int_equal(attach(second, there), -EINVAL);
    frames_unpin(source_frame[SOURCE_BLOCK], PAGE_SIZE); /* of the map */
    world_account.used -= PAGE_SIZE;
    let_go(1);
}

/* Of the whole group nobody else can have anything, bound or not. */
static void ids_of_other_functions(void **state)
{
    assert_int_equal(iommufd_id_of(device, one), iommufd_device_id(device));
    assert_int_equal(iommufd_id_of(device, two), iommufd_device_id(second));
    assert_int_equal(iommufd_id_of(device, world_split.members[0]), IOMMUFD_NOT_OWNED);
    iommufd_unbind(second);
    assert_int_equal(iommufd_id_of(device, two), 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, iommufd_teardown)
    const struct CMUnitTest tests[] = {
        TEST(binding_rules),
        TEST(ids_of_other_functions),
        TEST(a_group_changes_hands),
        TEST(every_step_of_an_attach_fails),
        TEST(what_cannot_be_attached_to),
        TEST(a_group_goes_to_one_place),
        TEST(a_move_within_one_space),
        TEST(tables_fit_one_unit),
        TEST(reserved_memory_moves_along),
        TEST(memory_stands_in_the_way),
        TEST(ids_come_to_an_end),
        TEST(ids_name_one_object_ever),
        TEST(a_file_closes_with_everything_in_it),
        TEST(an_attach_is_not_confirmed),
        TEST(a_replace_is_not_confirmed),
        TEST(calls_on_a_dead_unit),
    };

    log_add_sink(&sink);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
