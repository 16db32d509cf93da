/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA to what was never mapped, is mapped no longer, or is mapped for somebody else. */
#include "hostile.h"

#define CANARY 0xa5

/* ---- addresses that the test outside told ---- */

/* The device writes to a physical address: one fault for it, and the mark is nowhere. */
static void write_to(uint64_t address)
{
    uint64_t before;

    START(ONLY(EDU));
    before = fault_count();
    edu_write(EDU, address, BYTES);
    CHECK(faulted_since(before));
}

/* The device reads there: what it has then is what it had before, or nothing. */
static void read_from(uint64_t address)
{
    uint8_t got[BYTES];
    uint64_t before;

    START(ONLY(EDU));
    before = fault_count();
    edu_read(EDU, address, got);
    CHECK(faulted_since(before));
    CHECK(is_marked(got) || is_filled(got, BYTES, 0) || is_filled(got, BYTES, 0xff));
    memset(got, 0, BYTES);
}

#define WRITES(name, address)                                                                      \
    static void name(void)                                                                         \
    {                                                                                              \
        write_to(address);                                                                         \
    }
#define READS(name, address)                                                                       \
    static void name(void)                                                                         \
    {                                                                                              \
        read_from(address);                                                                        \
    }

WRITES(dma_writes_kernel_text, ask(KERNEL_TEXT))
READS(dma_reads_kernel_text, ask(KERNEL_TEXT))
WRITES(dma_writes_kernel_data, ask(KERNEL_DATA))
READS(dma_reads_kernel_data, ask(KERNEL_DATA))
WRITES(dma_writes_root_table, ask(ROOT_TABLE))
READS(dma_reads_root_table, ask(ROOT_TABLE))
WRITES(dma_writes_context_table, ask(CONTEXT_TABLE) + 16)
WRITES(dma_writes_invalidation_queue, ask(QUEUE))
READS(dma_reads_invalidation_queue, ask(QUEUE))
WRITES(dma_writes_remapping_table, ask(REMAPPING_TABLE))
READS(dma_reads_remapping_table, ask(REMAPPING_TABLE))
WRITES(dma_writes_nobodys_page, ask(BAIT))
READS(dma_reads_nobodys_page, ask(BAIT))
WRITES(dma_writes_own_bar, ask(EDU_BAR) + EDU_SOURCE)
WRITES(dma_writes_other_bar, ask(OTHER_BAR) + EDU_SOURCE)
READS(dma_reads_other_bar, ask(OTHER_BAR))
WRITES(dma_writes_card_bar, ask(CARD_BAR))
WRITES(dma_writes_card_vectors, ask(CARD_TABLE))
WRITES(dma_writes_disk_doorbell, ask(DISK_BAR) + 0x1000)
WRITES(dma_writes_stranger_bar, ask(STRANGER_BAR))
WRITES(dma_writes_first_page, 0)
READS(dma_reads_first_page, 0)
WRITES(dma_writes_video_memory, 0xa0000)
WRITES(dma_writes_firmware, 0xfffff000)
READS(dma_reads_firmware, 0xf0000)
WRITES(dma_writes_configuration_space, 0xb0000000)
WRITES(dma_writes_io_apic, 0xfec00000)
WRITES(dma_writes_iommu_registers, 0xfed90000)
READS(dma_reads_iommu_registers, 0xfed90000)
WRITES(dma_writes_behind_memory, 1ull << 38)
WRITES(dma_writes_beyond_the_width, 1ull << 52)
WRITES(dma_writes_last_page, 0xfffffffffffff000ull)

/* ---- its own tables, which exist while it is open ---- */

static void write_own_table(enum question table)
{
    uint8_t *memory;
    uint64_t before, at;

    START(ONLY(EDU));
    memory = new_memory(PAGES * PAGE, CANARY);
    CHECK_OK(dma_map(IOVA, memory, PAGES * PAGE, READ | WRITE));
    at = ask(table);
    CHECK(at != 0);
    before = fault_count();
    edu_write(EDU, at, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGES * PAGE, CANARY));
    edu_write(EDU, IOVA, BYTES); /* the table is as it was */
    CHECK(is_marked(memory));
    memset(memory, 0, BYTES);
}

static void dma_writes_own_page_table(void)
{
    write_own_table(PAGE_TABLE);
}

static void dma_writes_own_leaf_table(void)
{
    write_own_table(LEAF_TABLE);
}

static void dma_writes_own_memory_by_its_place(void)
{
    write_own_table(OWN_MEMORY);
}

/* The address that the program knows its memory by. */
static void dma_writes_own_memory_by_its_pointer(void)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = new_memory(PAGE, CANARY);
    CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
    before = fault_count();
    edu_write(EDU, (uintptr_t)memory, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE, CANARY));
}

/* ---- beside a mapping ---- */

/* Three pages of memory, of which the device was given the middle one. */
static void write_beside(uint64_t offset, unsigned permissions)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = new_memory(3 * PAGE, CANARY);
    CHECK_OK(dma_map(IOVA, memory + PAGE, PAGE, permissions));
    before = fault_count();
    edu_write(EDU, IOVA + offset, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, 3 * PAGE, CANARY));
}

static void dma_writes_behind_a_mapping(void)
{
    write_beside(PAGE, READ | WRITE);
}

static void dma_writes_before_a_mapping(void)
{
    write_beside(0 - (uint64_t)BYTES, READ | WRITE);
}

static void dma_writes_read_only_memory(void)
{
    write_beside(0, READ);
}

static void dma_runs_over_the_end(void)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = new_memory(2 * PAGE, CANARY);
    CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
    before = fault_count();
    edu_write(EDU, IOVA + PAGE - 32, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE - 32, CANARY));
    CHECK(is_filled(memory + PAGE, PAGE, CANARY));
    memset(memory, 0, PAGE); /* what may be written to */
}

static void dma_reads_write_only_memory(void)
{
    uint8_t *memory, got[BYTES];
    uint64_t before;

    START(ONLY(EDU));
    memory = new_memory(PAGE, CANARY);
    CHECK_OK(dma_map(IOVA, memory, PAGE, WRITE));
    before = fault_count();
    edu_read(EDU, IOVA, got);
    CHECK(faulted_since(before));
    CHECK(!is_filled(got, BYTES, CANARY));
    memset(got, 0, BYTES);
}

/* ---- what is mapped no longer ---- */

/* Memory that the device has written to, so that the IOMMU has the translation in its caches. */
static uint8_t *used_memory(uint64_t size)
{
    uint8_t *memory = new_memory(size, CANARY);

    if (dma_map(IOVA, memory, size, READ | WRITE))
        CONFORM_FAIL("map: %s", strerror(errno));
    edu_write(EDU, IOVA, BYTES);
    if (!is_marked(memory))
        CONFORM_FAIL("the legal transfer did not arrive");
    memset(memory, CANARY, size);
    return memory;
}

static void dma_writes_after_unmap(void)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    CHECK_OK(dma_unmap(IOVA, PAGE));
    before = fault_count();
    edu_write(EDU, IOVA, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE, CANARY));
}

/* The memory is freed, too, and whoever gets it next has it for himself. */
static void dma_writes_freed_memory(void)
{
    const uint64_t size = 256 * PAGE;
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = used_memory(size);
    CHECK_OK(dma_unmap(IOVA, size));
    CHECK_OK(madvise(memory, size, MADV_DONTNEED));
    CHECK(is_filled(memory, size, 0));
    before = fault_count();
    edu_write(EDU, IOVA, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, size, 0));
}

/* Freed without an unmap: what is pinned stays the device's, and is nobody else's. */
static void dma_writes_memory_freed_while_mapped(void)
{
    const uint64_t size = 256 * PAGE;
    uint8_t *memory, *next;

    START(ONLY(EDU));
    memory = used_memory(size);
    CHECK_OK(madvise(memory, size, MADV_DONTNEED));
    next = new_memory(4 * size, CANARY);
    edu_write(EDU, IOVA, BYTES);
    CHECK(is_filled(next, 4 * size, CANARY));
    CHECK(is_filled(memory, size, 0));
    edu_clear(EDU, IOVA); /* it may, and the memory need not be used again before the end */
    CHECK_OK(dma_unmap(IOVA, size));
    CHECK(is_filled(new_memory(4 * size, 0), 4 * size, 0));
}

static void dma_writes_the_part_that_was_unmapped(void)
{
    uint8_t *memory, *second;
    uint64_t before;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    second = new_memory(PAGE, CANARY);
    CHECK_OK(dma_map(IOVA + PAGE, second, PAGE, READ | WRITE));
    CHECK_OK(dma_unmap(IOVA, PAGE));
    before = fault_count();
    edu_write(EDU, IOVA + PAGE - 32, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE, CANARY));
    memset(second, 0, PAGE);
}

static void dma_is_under_way_at_an_unmap(void)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    before = fault_count();
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    CHECK_OK(dma_unmap(IOVA, PAGE));
    CHECK_OK(munmap(memory, PAGE));
    memory = mmap(memory, PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1, 0);
    edu_wait(EDU);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE, 0));
}

static void dma_is_under_way_at_a_replacement(void)
{
    uint8_t *memory, *other;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    other = new_memory(PAGE, 0);
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    CHECK_OK(dma_unmap(IOVA, PAGE));
    CHECK_OK(dma_map(IOVA, other, PAGE, READ));
    edu_wait(EDU);
    CHECK(is_filled(memory, PAGE, CANARY) && is_filled(other, PAGE, 0));
}

/* ---- everything closed in the middle of one ---- */

static void *close_everything(void *argument)
{
    const struct timespec moment = {0, 20000000};

    nanosleep(&moment, NULL);
    for (int i = 0; i < DEVICES; i++)
        close_unit(&units[i]);
    close(container);
    container = -1;
    return NULL;
}

static void wait_out(void)
{
    const struct timespec longer = {0, 250000000};

    nanosleep(&longer, NULL);
}

static void dma_is_under_way_when_a_thread_closes_all(void)
{
    pthread_t thread;
    uint8_t *memory;

    START(ONLY(EDU) | ONLY(OTHER) | ONLY(CARD));
    memory = used_memory(PAGE);
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    CHECK_EQUAL(pthread_create(&thread, NULL, close_everything, NULL), 0);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    wait_out();
    CHECK(is_filled(memory, PAGE, CANARY));
}

static void dma_is_under_way_when_the_container_goes_first(void)
{
    uint8_t *memory;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    close(container);
    container = -1;
    close_unit(&units[EDU]);
    wait_out();
    CHECK(is_filled(memory, PAGE, CANARY));
}

/* A device that keeps what it was told through its reset: the next owner lets it go on. */
static void owned_again(enum which which)
{
    uint8_t *memory, *next;
    uint64_t before;

    START(ONLY(which));
    memory = new_memory(PAGE, CANARY);
    CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
    edu_load_mark(which);
    edu_start(which, EDU_BUFFER, IOVA, BYTES, true);
    close_unit(&units[which]);
    close(container);
    container = -1;
    before = fault_count();
    START(ONLY(which));
    next = new_memory(PAGES * PAGE, CANARY);
    CHECK_OK(dma_map(2 * IOVA, next, PAGES * PAGE, READ | WRITE));
    wait_out();
    *(volatile uint64_t *)(units[which].bar + EDU_COMMAND) = EDU_RUN | EDU_TO_MEMORY;
    edu_wait(which);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE, CANARY));
    CHECK(is_filled(next, PAGES * PAGE, CANARY));
}

static void dma_armed_at_release_behind_a_reset(void)
{
    owned_again(EDU);
}

static void dma_armed_at_release_without_a_reset(void)
{
    owned_again(OTHER);
}

/* ---- bus mastering ---- */

static void dma_before_anything_is_mapped(void)
{
    const uint64_t places[] = {0, IOVA, 1ull << 32};
    uint64_t before;

    START(ONLY(EDU));
    CHECK_OK(dma_unmap(0x3000000000, PAGE)); /* what START mapped */
    for (unsigned i = 0; i < 3; i++) {
        before = fault_count();
        edu_start(EDU, EDU_BUFFER, places[i], BYTES, true);
        edu_wait(EDU);
        CHECK(faulted_since(before));
    }
}

static void dma_without_bus_mastering(void)
{
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    before = fault_count();
    set_config(EDU, COMMAND, 2, MEMORY);
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    edu_wait(EDU);
    CHECK(is_filled(memory, PAGE, CANARY));
    CHECK_EQUAL(fault_count(), before);
}

static void dma_in_low_power(void)
{
    struct vfio_device_feature enter = {.argsz = sizeof(enter),
                                        .flags = VFIO_DEVICE_FEATURE_SET |
                                                 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY};
    uint8_t *memory;

    START(ONLY(EDU));
    memory = used_memory(PAGE);
    edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
    CHECK_OK(ioctl(units[EDU].device, VFIO_DEVICE_FEATURE, &enter));
    CHECK_OK(dma_unmap(IOVA, PAGE));
    wait_out();
    CHECK(is_filled(memory, PAGE, CANARY));
}

/* ---- what others were given ---- */

static void dma_by_a_device_of_another_container(void)
{
    struct vfio_files other;
    uint8_t *memory;
    uint64_t before;

    START(ONLY(EDU));
    CHECK_OK(vfio_open(units[OTHER].name, &other));
    memory = new_memory(PAGE, CANARY);
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags = READ | WRITE,
                                           .vaddr = (uintptr_t)memory,
                                           .iova = IOVA,
                                           .size = PAGE};
    CHECK_OK(ioctl(other.container, VFIO_IOMMU_MAP_DMA, &map));
    before = fault_count();
    edu_write(EDU, IOVA, BYTES);
    CHECK(faulted_since(before));
    CHECK(is_filled(memory, PAGE, CANARY));
    close(other.device);
    close(other.group);
    close(other.container);
}

/* A mapping of registers ends when their device is closed. */
static void dma_to_registers_of_a_closed_device(void)
{
    uint64_t before;

    START(ONLY(EDU) | ONLY(OTHER));
    CHECK_OK(dma_map(IOVA, (void *)units[OTHER].bar, PAGE, READ | WRITE));
    close_unit(&units[OTHER]);
    before = fault_count();
    edu_write(EDU, IOVA, BYTES);
    CHECK(faulted_since(before));
}

static void dma_to_registers_that_are_not_decoded(void)
{
    uint64_t before;

    START(ONLY(EDU) | ONLY(OTHER));
    CHECK_OK(dma_map(IOVA, (void *)units[OTHER].bar, PAGE, READ | WRITE));
    set_config(OTHER, COMMAND, 2, 0);
    before = fault_count();
    edu_write(EDU, IOVA, BYTES);
    CHECK(faulted_since(before));
}

const struct attack dma_attacks[] = {
    ATTACK(dma_writes_kernel_text, FAULT),
    ATTACK(dma_reads_kernel_text, FAULT),
    ATTACK(dma_writes_kernel_data, FAULT),
    ATTACK(dma_reads_kernel_data, FAULT),
    ATTACK(dma_writes_root_table, FAULT),
    ATTACK(dma_reads_root_table, FAULT),
    ATTACK(dma_writes_context_table, FAULT),
    ATTACK(dma_writes_invalidation_queue, FAULT),
    ATTACK(dma_reads_invalidation_queue, FAULT),
    ATTACK(dma_writes_remapping_table, FAULT),
    ATTACK(dma_reads_remapping_table, FAULT),
    ATTACK(dma_writes_nobodys_page, FAULT),
    ATTACK(dma_reads_nobodys_page, FAULT),
    ATTACK(dma_writes_own_bar, FAULT),
    ATTACK(dma_writes_other_bar, FAULT),
    ATTACK(dma_reads_other_bar, FAULT),
    ATTACK(dma_writes_card_bar, FAULT),
    ATTACK(dma_writes_card_vectors, FAULT),
    ATTACK(dma_writes_disk_doorbell, FAULT),
    ATTACK(dma_writes_stranger_bar, FAULT),
    ATTACK(dma_writes_first_page, FAULT),
    ATTACK(dma_reads_first_page, FAULT),
    ATTACK(dma_writes_video_memory, FAULT),
    ATTACK(dma_writes_firmware, FAULT),
    ATTACK(dma_reads_firmware, FAULT),
    ATTACK(dma_writes_configuration_space, FAULT),
    ATTACK(dma_writes_io_apic, FAULT),
    ATTACK(dma_writes_iommu_registers, FAULT),
    ATTACK(dma_reads_iommu_registers, FAULT),
    ATTACK(dma_writes_behind_memory, FAULT),
    ATTACK(dma_writes_beyond_the_width, FAULT),
    ATTACK(dma_writes_last_page, FAULT),
    ATTACK(dma_writes_own_page_table, FAULT),
    ATTACK(dma_writes_own_leaf_table, FAULT),
    ATTACK(dma_writes_own_memory_by_its_place, FAULT),
    ATTACK(dma_writes_own_memory_by_its_pointer, FAULT),
    ATTACK(dma_writes_behind_a_mapping, FAULT),
    ATTACK(dma_writes_before_a_mapping, FAULT),
    ATTACK(dma_writes_read_only_memory, FAULT),
    ATTACK(dma_runs_over_the_end, FAULT),
    ATTACK(dma_reads_write_only_memory, FAULT),
    ATTACK(dma_writes_after_unmap, FAULT),
    ATTACK(dma_writes_freed_memory, FAULT),
    ATTACK(dma_writes_memory_freed_while_mapped, QUIET),
    ATTACK(dma_writes_the_part_that_was_unmapped, FAULT),
    ATTACK(dma_is_under_way_at_an_unmap, FAULT),
    ATTACK(dma_is_under_way_at_a_replacement, QUIET),
    ATTACK(dma_is_under_way_when_a_thread_closes_all, QUIET),
    ATTACK(dma_is_under_way_when_the_container_goes_first, QUIET),
    ATTACK(dma_armed_at_release_behind_a_reset, FAULT),
    ATTACK(dma_armed_at_release_without_a_reset, FAULT),
    ATTACK(dma_before_anything_is_mapped, FAULT),
    ATTACK(dma_without_bus_mastering, QUIET),
    ATTACK(dma_in_low_power, QUIET),
    ATTACK(dma_by_a_device_of_another_container, FAULT),
    ATTACK(dma_to_registers_of_a_closed_device, FAULT),
    ATTACK(dma_to_registers_that_are_not_decoded, FAULT),
    LAST_ATTACK,
};
