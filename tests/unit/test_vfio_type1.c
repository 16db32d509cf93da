/* SPDX-License-Identifier: BSD-2-Clause */
/* The type1 calls without a container: what is refused, version 1's cuts, bitmaps of dirty pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <linux/vfio.h>
#include "kernel/lib/error.h"
#include "kernel/device/vfio/type1.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/ioas_world.h"

#define IOVA  (4 * GIB)
#define PAGES 8u
#define BYTES (PAGES * PAGE_SIZE)

static struct ioas_user user;
static struct type1 *type1;

static void create(bool v2)
{
    user = (struct ioas_user){source_get(), &world_account};
    assert_int_equal(type1_create(&user, &world_lock, v2, &type1), 0);
    assert_int_equal(ioas_attach_group(&type1->tables, &world_pair), 0);
}

static void destroy(void)
{
    ioas_detach_group(&type1->tables, &world_pair);
    type1_destroy(type1);
}

static int setup(void **state)
{
    world_create();
    host_bad_user = host_const_user = (struct phys_run){0};
    create(true);
    return 0;
}

static int teardown(void **state)
{
    destroy();
    world_destroy();
    return 0;
}

static int64_t call(uint32_t command, const void *argument)
{
    return ioctl_run(type1_find(command), type1, user_address(argument));
}

static void map(uint64_t page, uint64_t pages)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = 3,
                                         .vaddr = source_address(SOURCE_SCATTERED),
                                         .iova = IOVA + page * PAGE_SIZE,
                                         .size = pages * PAGE_SIZE};

    assert_int_equal(call(VFIO_IOMMU_MAP_DMA, &m), 0);
}

/* Pages that went. */
static uint64_t unmap(uint64_t page, uint64_t pages)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .iova = IOVA + page * PAGE_SIZE, .size = pages * PAGE_SIZE};

    assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &u), 0);
    return u.size / PAGE_SIZE;
}

static char *snapshot(void)
{
    return snapshot_take(&type1->ioas, 1);
}

/* ---- refused ---- */

static const struct bad_map {
    int error;
    struct vfio_iommu_type1_dma_map map;
} bad_maps[] = {
#define VA (SOURCE_BASE + SOURCE_SCATTERED * PAGE_SIZE)
    {-EINVAL, {.argsz = 31, .flags = 3, .vaddr = VA, .size = PAGE_SIZE}},
    {-EINVAL, {.argsz = 32, .flags = 4 | 3, .vaddr = VA, .size = PAGE_SIZE}},
    {-EINVAL, {.argsz = 32, .flags = 0, .vaddr = VA, .size = PAGE_SIZE}},
    {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = VA}},
    {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = VA, .size = PAGE_SIZE + 1}},
    {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = VA + 8, .size = PAGE_SIZE}},
    {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = VA, .iova = 8, .size = PAGE_SIZE}},
    {-EINVAL, {.argsz = 32, .flags = 3, .vaddr = VA, .iova = BIT(48), .size = PAGE_SIZE}},
    {-EOVERFLOW, {.argsz = 32, .flags = 3, .vaddr = VA, .iova = -PAGE_SIZE, .size = BYTES}},
    {-EOVERFLOW, {.argsz = 32, .flags = 3, .vaddr = -PAGE_SIZE, .size = BYTES}},
    {-EFAULT, {.argsz = 32, .flags = 3, .vaddr = SOURCE_BASE + 2000 * PAGE_SIZE, .size = BYTES}},
    {-EEXIST, {.argsz = 32, .flags = 3, .vaddr = VA, .iova = IOVA, .size = PAGE_SIZE}},
};

static const struct bad_unmap {
    int error;
    struct vfio_iommu_type1_dma_unmap unmap;
} bad_unmaps[] = {
    {-EINVAL, {.argsz = 23, .iova = IOVA, .size = BYTES}},
    {-EINVAL, {.argsz = 24, .flags = 4, .iova = IOVA, .size = BYTES}},
    {-EINVAL, {.argsz = 24, .flags = 3}}, /* all, and a bitmap */
    {-EINVAL, {.argsz = 24, .flags = VFIO_DMA_UNMAP_FLAG_ALL, .iova = IOVA}},
    {-EINVAL, {.argsz = 24, .flags = VFIO_DMA_UNMAP_FLAG_ALL, .size = BYTES}},
    {-EINVAL, {.argsz = 24, .iova = IOVA}},
    {-EINVAL, {.argsz = 24, .iova = IOVA + 1, .size = BYTES}},
    {-EINVAL, {.argsz = 24, .iova = IOVA, .size = BYTES + 1}},
    {-EINVAL, {.argsz = 24, .iova = IOVA, .size = PAGE_SIZE}}, /* cuts */
    {-EINVAL, {.argsz = 24, .iova = IOVA + PAGE_SIZE, .size = BYTES}},
    {-EOVERFLOW, {.argsz = 24, .iova = -PAGE_SIZE, .size = BYTES}},
    {-EINVAL,
     {.argsz = 24, .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP, .iova = IOVA, .size = BYTES}},
};

static void refusals(void **state)
{
    char *before;

    map(0, PAGES);
    before = snapshot();
    for (size_t i = 0; i < ARRAY_SIZE(bad_maps); i++)
        assert_int_equal(call(VFIO_IOMMU_MAP_DMA, &bad_maps[i].map), bad_maps[i].error);
    for (size_t i = 0; i < ARRAY_SIZE(bad_unmaps); i++)
        assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &bad_unmaps[i].unmap), bad_unmaps[i].error);
    snapshot_compare("refusals", 0, before, snapshot());
}

static void extensions(void **state)
{
    assert_int_equal(type1_check_extension(type1, VFIO_TYPE1_IOMMU), 1);
    assert_int_equal(type1_check_extension(NULL, VFIO_TYPE1v2_IOMMU), 1);
    assert_int_equal(type1_check_extension(type1, VFIO_UNMAP_ALL), 1);
    assert_int_equal(type1_check_extension(type1, 99), 0);
    assert_int_equal(type1_check_extension(type1, VFIO_DMA_CC_IOMMU), 0);
    destroy();
    ioas_iommu_set_geometry(0, 48, true);
    create(true);
    assert_int_equal(type1_check_extension(type1, VFIO_DMA_CC_IOMMU), 1);
}

static void information_of_every_length(void **state)
{
    union {
        struct vfio_iommu_type1_info info;
        uint8_t bytes[256];
    } out;
    uint32_t whole;

    out.info.argsz = sizeof(out.info);
    assert_int_equal(call(VFIO_IOMMU_GET_INFO, &out), 0);
    whole = out.info.argsz; /* what there is to say */
    assert_in_range(whole, sizeof(out.info) + 1, sizeof(out) - 1);
    for (uint32_t argsz = 0; argsz < sizeof(out); argsz++) {
        int64_t expected = argsz < offsetof(struct vfio_iommu_type1_info, cap_offset) ? -EINVAL : 0;

        memset(&out, 0xee, sizeof(out));
        out.info.argsz = argsz;
        assert_int_equal(call(VFIO_IOMMU_GET_INFO, &out), expected);
        for (size_t i = argsz < 4 ? 4 : argsz; i < sizeof(out); i++)
            assert_int_equal(out.bytes[i], 0xee); /* nothing behind what the caller has */
        if (argsz >= sizeof(out.info))
            assert_int_equal(out.info.cap_offset, argsz < whole ? 0 : sizeof(out.info));
    }
}

/* ---- version 1 ---- */

/* A range with the first byte of a mapping takes all of it; one that starts inside takes nothing.
 */
static void version_1_takes_whole_mappings(void **state)
{
    struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty)};

    destroy();
    create(false);
    map(0, PAGES);
    map(PAGES, PAGES);
    assert_int_equal(unmap(1, 2 * PAGES), 0);
    assert_int_equal(unmap(PAGES + 1, 1), 0);
    assert_int_equal(unmap(2 * PAGES, 1), 0);
    assert_int_equal(unmap(0, 1), PAGES);
    assert_int_equal(unmap(0, PAGES + 1), PAGES); /* the other, whose first byte is in it */
    map(0, PAGES);
    map(PAGES, PAGES);
    assert_int_equal(unmap(0, PAGES + 1), 2 * PAGES);
    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &dirty), -EACCES);
}

/* ---- dirty pages ---- */

#define WINDOW 300u /* pages */
#define WORDS  (WINDOW / 64 + 1)
#define GUARD  2u

static uint64_t words[GUARD + WORDS + GUARD];
static bool mapped[WINDOW];

/* The head of the interface's structures, with what follows it in the caller's memory. */
struct get {
    __u32 argsz, flags;
    struct vfio_iommu_type1_dirty_bitmap_get get;
};

struct unmap {
    __u32 argsz, flags;
    __u64 iova, size;
    struct vfio_bitmap bitmap;
};

static struct vfio_bitmap bitmap_of(uint64_t pages)
{
    return (struct vfio_bitmap){
        .pgsize = PAGE_SIZE, .size = (pages + 63) / 64 * 8, .data = (void *)(words + GUARD)};
}

static struct get get_of(uint64_t page, uint64_t pages)
{
    return (struct get){.argsz = sizeof(struct get),
                        .flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
                        .get = {.iova = IOVA + page * PAGE_SIZE,
                                .size = pages * PAGE_SIZE,
                                .bitmap = bitmap_of(pages)}};
}

static struct unmap unmap_of(uint64_t page, uint64_t pages)
{
    return (struct unmap){.argsz = sizeof(struct unmap),
                          .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
                          .iova = IOVA + page * PAGE_SIZE,
                          .size = pages * PAGE_SIZE,
                          .bitmap = bitmap_of(pages)};
}

static void track(uint32_t flags)
{
    struct vfio_iommu_type1_dirty_bitmap dirty = {.argsz = sizeof(dirty), .flags = flags};

    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &dirty), 0);
}

/* Mappings of one to a hundred pages with gaps now and then. */
static void map_at_random(uint64_t *rng)
{
    memset(mapped, 0, sizeof(mapped));
    for (uint64_t at = host_random_below(rng, 70); at < WINDOW;) {
        uint64_t pages = 1 + host_random_below(rng, host_random_below(rng, 2) ? 100 : 3);

        pages = MIN(pages, WINDOW - at);
        map(at, pages);
        memset(mapped + at, true, pages);
        at += pages + (host_random_below(rng, 2) ? host_random_below(rng, 70) : 0);
    }
}

static bool bit(const uint64_t *map_words, uint64_t i)
{
    return map_words[i / 64] >> i % 64 & 1;
}

/* Bits of mapped pages are set, all others are as they were. */
static void assert_marked(const uint64_t *before)
{
    for (uint64_t i = 0; i < 64 * ARRAY_SIZE(words); i++) {
        uint64_t page = i - 64 * GUARD;
        bool expected = bit(before, i) || (page < WINDOW && mapped[page]);

        assert_int_equal(bit(words, i), expected);
    }
}

static void every_mapped_page_is_dirty(void **state)
{
    uint64_t rng = 11, before[ARRAY_SIZE(words)];

    track(VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
    for (unsigned round = 0; round < 300; round++) {
        struct get get = get_of(0, WINDOW);
        struct unmap unmap = unmap_of(0, WINDOW);

        map_at_random(&rng);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            words[i] = before[i] = host_random(&rng) & host_random(&rng);
        assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), 0);
        assert_marked(before);
        memcpy(words, before, sizeof(words));
        assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &unmap), 0);
        assert_marked(before);
        assert_int_equal(ioas_area_count(type1->ioas), 0);
    }
}

/* A bitmap that cannot be written: nothing is unmapped. */
static void a_bitmap_out_of_reach(void **state)
{
    track(VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
    map(0, WINDOW);
    for (unsigned word = 0; word < WORDS; word++) {
        struct get get = get_of(0, WINDOW);
        struct unmap unmap = unmap_of(0, WINDOW);

        host_const_user = (struct phys_run){user_address(words + GUARD + word), 8};
        assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), -EFAULT);
        assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &unmap), -EFAULT);
        host_const_user = (struct phys_run){0};
        host_bad_user = (struct phys_run){user_address(words + GUARD + word), 8};
        assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &unmap), -EFAULT);
        host_bad_user = (struct phys_run){0};
    }
    assert_int_equal(ioas_area_count(type1->ioas), 1);
}

static int end_asked_for(const char *point, enum thread_hears hears)
{
    assert_int_equal(hears, HEARS_END);
    return -EINTR;
}

/* A large bitmap lets others in on the way; a call that is ended there has unmapped nothing. */
static void marking_can_be_ended(void **state)
{
    struct get get = get_of(0, WINDOW);
    struct unmap unmap = unmap_of(0, WINDOW);

    track(VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
    map(0, WINDOW);
    host_breath = end_asked_for;
    host_breath_work = breath_left = 0;
    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), -EINTR);
    assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &unmap), -EINTR);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    assert_int_equal(ioas_area_count(type1->ioas), 1);
}

static void bad_bitmaps(void **state)
{
    struct get get = get_of(0, PAGES), bad = get;
    struct unmap unmap = unmap_of(0, PAGES);

    map(0, PAGES);
    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), -EINVAL); /* not tracking */
    assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &unmap), -EINVAL);
    track(VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), 0);
#define BAD(error, member, value)                                                                  \
    bad = get, bad.member = value, assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &bad), error)
    BAD(-EINVAL, argsz, 7);
    BAD(-EINVAL, argsz, sizeof(bad) - 1);
    BAD(-EINVAL, flags, 0);
    BAD(-EINVAL, flags, 3);
    BAD(-EINVAL, get.size, 0);
    BAD(-EINVAL, get.size, PAGE_SIZE + 1);
    BAD(-EINVAL, get.size, 65 * PAGE_SIZE);          /* of which the bitmap has 64 */
    BAD(-EINVAL, get.size, (PAGES - 1) * PAGE_SIZE); /* cuts */
    BAD(-EINVAL, get.iova, IOVA + PAGE_SIZE);
    BAD(-EINVAL, get.iova, IOVA + 1);
    BAD(-EINVAL, get.iova, -PAGE_SIZE);
    BAD(-EINVAL, get.bitmap.pgsize, 2 * PAGE_SIZE);
    BAD(-EINVAL, get.bitmap.size, (UINT64_C(1) << 28) + 8);
    BAD(-EINVAL, get.bitmap.data, (void *)-PAGE_SIZE);
    host_bad_user = (struct phys_run){user_address(&get.get), sizeof(get.get)};
    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), -EFAULT);
    host_bad_user = (struct phys_run){user_address(&unmap.bitmap), sizeof(unmap.bitmap)};
    assert_int_equal(call(VFIO_IOMMU_UNMAP_DMA, &unmap), -EFAULT);
    host_bad_user = (struct phys_run){0};
    track(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
    assert_int_equal(call(VFIO_IOMMU_DIRTY_PAGES, &get), -EINVAL);
    assert_int_equal(ioas_area_count(type1->ioas), 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(refusals),
        TEST(extensions),
        TEST(information_of_every_length),
        TEST(version_1_takes_whole_mappings),
        TEST(every_mapped_page_is_dirty),
        TEST(a_bitmap_out_of_reach),
        TEST(marking_can_be_ended),
        TEST(bad_bitmaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
