/* SPDX-License-Identifier: BSD-2-Clause */
/* Mappings for a device of what is not the program's to give. */
#include "hostile.h"

#define KERNEL     0xffffffff80200000ull
#define DIRECT_MAP 0xffff800000000000ull

static int map_raw(uint64_t address, uint64_t iova, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map), .flags = flags, .vaddr = address, .iova = iova, .size = size};

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

/* The call fails, and the device reaches nothing there. */
static void refuse(uint64_t address, uint64_t iova, uint64_t size, uint32_t flags, int error)
{
    uint64_t before;

    START(ONLY(EDU));
    CHECK_ERROR(map_raw(address, iova, size, flags), error);
    before = fault_count();
    edu_write(EDU, iova & ~(PAGE - 1), BYTES);
    CHECK(faulted_since(before));
}

#define REFUSED(name, address, iova, size, flags, error)                                           \
    static void name(void)                                                                         \
    {                                                                                              \
        refuse(address, iova, size, flags, error);                                                 \
    }

static uint64_t some_memory(void)
{
    static uint8_t memory[4 * PAGE] __attribute__((aligned(4096))) = {1};

    return (uintptr_t)memory;
}

REFUSED(map_kernel_image, KERNEL, IOVA, PAGE, READ | WRITE, EFAULT)
REFUSED(map_direct_map, DIRECT_MAP, IOVA, PAGE, READ, EFAULT)
REFUSED(map_last_page_of_addresses, 0xfffffffffffff000, IOVA, PAGE, READ, EFAULT)
REFUSED(map_not_canonical, 0x0000800000000000, IOVA, PAGE, READ, EFAULT)
REFUSED(map_nothing, 0x0000700000000000, IOVA, PAGE, READ, EFAULT)
REFUSED(map_null, 0, IOVA, PAGE, READ, EFAULT)
REFUSED(map_into_the_kernel, 0x00007ffffffff000, IOVA, 2 * PAGE, READ, EFAULT)
REFUSED(map_own_text_writable, (uintptr_t)refuse & ~(PAGE - 1), IOVA, PAGE, READ | WRITE, EFAULT)
REFUSED(map_across_interrupt_window, some_memory(), 0xfedff000, 2 * PAGE, READ | WRITE, EINVAL)
REFUSED(map_beyond_the_width, some_memory(), 1ull << 48, PAGE, READ | WRITE, EINVAL)
REFUSED(map_wrapping_iova, some_memory(), 0xfffffffffffff000, 2 * PAGE, READ | WRITE, EOVERFLOW)
REFUSED(map_wrapping_pointer, 0xfffffffffffff000, IOVA, 2 * PAGE, READ | WRITE, EOVERFLOW)
REFUSED(map_wrapping_size, some_memory(), IOVA, 0xfffffffffffff000, READ | WRITE, EOVERFLOW)
REFUSED(map_half_a_page, some_memory(), IOVA, PAGE / 2, READ | WRITE, EINVAL)
REFUSED(map_odd_iova, some_memory(), IOVA + 8, PAGE, READ | WRITE, EINVAL)
REFUSED(map_odd_pointer, some_memory() + 8, IOVA, PAGE, READ | WRITE, EINVAL)
REFUSED(map_without_permission, some_memory(), IOVA, PAGE, 0, EINVAL)
REFUSED(map_unknown_flags, some_memory(), IOVA, PAGE, READ | 1u << 31, EINVAL)

/* Where messages go: a mapping there would be without effect. */
static void map_interrupt_window(void)
{
    START(ONLY(EDU));
    for (uint64_t iova = 0xfee00000; iova < 0xfef00000; iova += 0x3f000)
        CHECK_ERROR(map_raw(some_memory(), iova, PAGE, READ | WRITE), EINVAL);
}

/* A range that begins well and runs into what is not there: nothing of it stays. */
static void map_with_a_hole(void)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = new_memory(4 * PAGE, 0xa5);
    CHECK_OK(mprotect(memory + 2 * PAGE, PAGE, PROT_NONE));
    CHECK_ERROR(dma_map(IOVA, memory, 4 * PAGE, READ | WRITE), EFAULT);
    before = fault_count();
    edu_write(EDU, IOVA, BYTES);
    CHECK(faulted_since(before));
    CHECK_OK(mprotect(memory + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE));
    CHECK(is_filled(memory, 4 * PAGE, 0xa5));
}

static void map_over_a_mapping(void)
{
    uint8_t *memory, *other;

    START(ONLY(EDU));
    memory = new_memory(PAGE, 0);
    other = new_memory(2 * PAGE, 0xa5);
    CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
    CHECK_ERROR(dma_map(IOVA - PAGE, other, 2 * PAGE, READ | WRITE), EEXIST);
    edu_write(EDU, IOVA, BYTES);
    CHECK(is_marked(memory) && is_filled(other, 2 * PAGE, 0xa5));
    memset(memory, 0, BYTES);
}

/* Its own memory, but the device may not do what the program itself may not. */
static void map_read_only_memory_writable(void)
{
    uint8_t *memory;

    START(ONLY(EDU));
    memory = new_memory(PAGE, 0xa5);
    CHECK_OK(mprotect(memory, PAGE, PROT_READ));
    CHECK_ERROR(dma_map(IOVA, memory, PAGE, READ | WRITE), EFAULT);
    CHECK(is_filled(memory, PAGE, 0xa5));
}

static void map_read_only_file_writable(void)
{
    int file = open("/payload.elf", O_RDONLY);
    void *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);

    START(ONLY(EDU));
    close(file);
    if (shared == MAP_FAILED)
        return;
    CHECK_ERROR(dma_map(IOVA, shared, PAGE, READ | WRITE), EFAULT);
    CHECK_OK(munmap(shared, PAGE));
}

/* The old interface's unmap must not cut a mapping in two, and must not wrap. */
static void unmap_the_middle(void)
{
    uint8_t *memory;

    START(ONLY(EDU));
    memory = new_memory(4 * PAGE, 0);
    CHECK_OK(dma_map(IOVA, memory, 4 * PAGE, READ | WRITE));
    CHECK_ERROR(dma_unmap(IOVA + PAGE, PAGE), EINVAL);
    CHECK_ERROR(dma_unmap(0xfffffffffffff000, 2 * PAGE), EOVERFLOW);
    edu_write(EDU, IOVA + PAGE, BYTES);
    CHECK(is_marked(memory + PAGE));
    memset(memory + PAGE, 0, BYTES);
}

/* ---- an iommufd ---- */

/* Where DMA goes when the device is taken from its address space, or sent to another. */
struct bound {
    int iommufd;
    uint32_t id, ioas;
    uint8_t *memory;
};

static uint32_t new_ioas(int iommufd)
{
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

    return ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc) ? 0 : alloc.out_ioas_id;
}

static int attach(uint32_t id)
{
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = id};

    return ioctl(units[EDU].device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

static int map_ioas(struct bound *bound, uint32_t ioas, uint64_t iova, void *memory)
{
    struct iommu_ioas_map map = {.size = sizeof(map),
                                 .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                                          IOMMU_IOAS_MAP_WRITEABLE,
                                 .ioas_id = ioas,
                                 .user_va = (uintptr_t)memory,
                                 .length = PAGE,
                                 .iova = iova};

    return ioctl(bound->iommufd, IOMMU_IOAS_MAP, &map);
}

static bool bind_edu(struct bound *bound)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};

    bind.iommufd = bound->iommufd = open("/dev/iommu", O_RDWR);
    units[EDU].device = own_file(EDU);
    bound->memory = new_memory(PAGE, 0xa5);
    if (ioctl(units[EDU].device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
        return false;
    bound->id = bind.out_devid;
    bound->ioas = new_ioas(bound->iommufd);
    units[EDU].bar = vfio_map_bar(units[EDU].device, &units[EDU].size);
    return units[EDU].bar && !vfio_command(units[EDU].device, MEMORY | MASTER) &&
           !attach(bound->ioas) && !map_ioas(bound, bound->ioas, IOVA, bound->memory);
}

static void write_refused(struct bound *bound)
{
    uint64_t before = fault_count();

    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    edu_wait(EDU);
    CHECK(faulted_since(before));
    CHECK(is_filled(bound->memory, PAGE, 0xa5));
    close_unit(&units[EDU]);
    close(bound->iommufd);
}

static void iommufd_dma_of_a_detached_device(void)
{
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
    struct bound bound;

    CHECK(bind_edu(&bound));
    CHECK_OK(ioctl(units[EDU].device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
    write_refused(&bound);
}

static void iommufd_dma_through_another_space(void)
{
    struct bound bound;

    CHECK(bind_edu(&bound));
    CHECK_OK(attach(new_ioas(bound.iommufd)));
    write_refused(&bound);
}

static void iommufd_dma_after_unmap(void)
{
    struct bound bound;

    CHECK(bind_edu(&bound));
    struct iommu_ioas_unmap unmap = {
        .size = sizeof(unmap), .ioas_id = bound.ioas, .iova = IOVA, .length = PAGE};
    CHECK_OK(ioctl(bound.iommufd, IOMMU_IOAS_UNMAP, &unmap));
    write_refused(&bound);
}

/* The space that a device goes through is not destroyed under it, and other numbers are nothing. */
static void iommufd_destroys_what_is_in_use(void)
{
    struct bound bound;

    CHECK(bind_edu(&bound));
    for (uint32_t id = 0; id < 64; id++) {
        struct iommu_destroy destroy = {.size = sizeof(destroy), .id = id};

        CHECK_EQUAL(ioctl(bound.iommufd, IOMMU_DESTROY, &destroy), -1);
    }
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    edu_wait(EDU);
    CHECK(!is_filled(bound.memory, BYTES, 0xa5));
    memset(bound.memory, 0, BYTES);
    close_unit(&units[EDU]);
    close(bound.iommufd);
}

static void iommufd_attaches_what_is_no_space(void)
{
    struct bound bound;

    CHECK(bind_edu(&bound));
    CHECK_ERROR(attach(bound.id), EINVAL);
    CHECK_ERROR(attach(0), ENOENT);
    CHECK_ERROR(attach(0xffffffff), ENOENT);
    CHECK_OK(attach(new_ioas(bound.iommufd)));
    write_refused(&bound);
}

/* Descriptors that are no iommufd; then one that is, for a device that is bound already. */
static void iommufd_bound_to_what_is_none(void)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
    const int event = eventfd(0, 0), console = open("/dev/console", O_RDWR);
    const int group = open("/dev/vfio/vfio", O_RDWR);
    const int wrong[] = {-1, 1000, event, console, group};

    units[EDU].device = own_file(EDU);
    for (unsigned i = 0; i < 5; i++) {
        bind.iommufd = wrong[i];
        CHECK_EQUAL(ioctl(units[EDU].device, VFIO_DEVICE_BIND_IOMMUFD, &bind), -1);
    }
    CHECK_ERROR(attach(1), EINVAL);
    CHECK_EQUAL(pread(units[EDU].device, &bind, 4, CONFIG), -1);
    close(event);
    close(console);
    close(group);
}

const struct attack map_attacks[] = {
    ATTACK(map_kernel_image, FAULT),
    ATTACK(map_direct_map, FAULT),
    ATTACK(map_last_page_of_addresses, FAULT),
    ATTACK(map_not_canonical, FAULT),
    ATTACK(map_nothing, FAULT),
    ATTACK(map_null, FAULT),
    ATTACK(map_into_the_kernel, FAULT),
    ATTACK(map_own_text_writable, FAULT),
    ATTACK(map_interrupt_window, QUIET),
    ATTACK(map_across_interrupt_window, FAULT),
    ATTACK(map_beyond_the_width, FAULT),
    ATTACK(map_wrapping_iova, FAULT),
    ATTACK(map_wrapping_pointer, FAULT),
    ATTACK(map_wrapping_size, FAULT),
    ATTACK(map_half_a_page, FAULT),
    ATTACK(map_odd_iova, FAULT),
    ATTACK(map_odd_pointer, FAULT),
    ATTACK(map_without_permission, FAULT),
    ATTACK(map_unknown_flags, FAULT),
    ATTACK(map_with_a_hole, FAULT),
    ATTACK(map_over_a_mapping, QUIET),
    ATTACK(map_read_only_memory_writable, QUIET),
    ATTACK(map_read_only_file_writable, QUIET),
    ATTACK(unmap_the_middle, QUIET),
    ATTACK(iommufd_dma_of_a_detached_device, FAULT),
    ATTACK(iommufd_dma_through_another_space, FAULT),
    ATTACK(iommufd_dma_after_unmap, FAULT),
    ATTACK(iommufd_destroys_what_is_in_use, QUIET),
    ATTACK(iommufd_attaches_what_is_no_space, FAULT),
    ATTACK(iommufd_bound_to_what_is_none, QUIET),
    LAST_ATTACK,
};
