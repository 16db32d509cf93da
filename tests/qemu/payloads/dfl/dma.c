/* SPDX-License-Identifier: BSD-2-Clause */
/* What the loopback reaches by DMA: what is mapped, as it is mapped, as long as it is mapped. */
#define _GNU_SOURCE
#include <linux/fpga-dfl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "dfl.h"
#include "vfio_open.h"

#define LINE     64ull
#define DONE     0x40 /* in the status area */
#define SOURCE   (memory)
#define TARGET   (memory + 24 * PAGE)
#define STATUS   (memory + 48 * PAGE)
#define WINDOW   0xfee00000ull
#define AFU_BAR  VFIO_PCI_BAR2_REGION_INDEX
#define AFU_AT   0x50000
#define AFU_SIZE 0x40000

/* What the AFU says of a refused request: the reasons of the VT-d specification, and its own. */
enum {
    NOT_WRITABLE = 0x10005,
    NOT_READABLE = 6,
    INTERRUPT_WINDOW = 0x100,
    NO_END = -1 /* within ten seconds */,
};

/* IOVAs and bytes. */
struct copy {
    uint64_t source, target, status, bytes;
};

static void fill(void)
{
    for (uint64_t i = 0; i < MEMORY; i++)
        memory[i] = (unsigned char)(i * 7 + i / PAGE);
    memset(TARGET, 0, 24 * PAGE);
    memset(STATUS, 0, PAGE);
}

static bool map_all(struct copy *copy, uint64_t bytes)
{
    fill();
    copy->bytes = bytes;
    return begin() && map_size(STATUS, PAGE, &copy->status) == 0 &&
           map_size(SOURCE, 20 * PAGE, &copy->source) == 0 &&
           map_size(TARGET, 20 * PAGE, &copy->target) == 0;
}

static void start(const struct copy *copy)
{
    write64(NLB_DSM, copy->status);
    write64(NLB_SOURCE, copy->source / LINE);
    write64(NLB_TARGET, copy->target / LINE);
    write64(NLB_LINES, copy->bytes / LINE);
    write64(NLB_CONTROL, NLB_START); /* which the card clears */
}

/* Waits for the end: 0, or the reason of a refusal. */
static int64_t outcome(void)
{
    const volatile uint64_t *done = (const volatile uint64_t *)(STATUS + DONE);

    for (unsigned i = 0; i < 1000; i++) {
        bool begun = read64(NLB_CONTROL) != NLB_START;
        uint64_t refused = read64(NLB_STATUS);

        if (begun && (refused || *done))
            return (int64_t)refused;
        pause_ms(10);
    }
    return NO_END;
}

static int64_t run(const struct copy *copy)
{
    memset(STATUS, 0, PAGE);
    start(copy);
    return outcome();
}

static bool is_zero(const unsigned char *from, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; i++)
        if (from[i] != 0)
            return false;
    return true;
}

static void copies_what_is_mapped_and_nothing_beside(void)
{
    struct copy c;

    CHECK(map_all(&c, 18 * PAGE + LINE));
    c.source += 3 * LINE;
    c.target += 5 * LINE;
    CHECK_EQUAL(run(&c), 0);
    CHECK(is_zero(TARGET, 5 * LINE));
    CHECK(memcmp(TARGET + 5 * LINE, SOURCE + 3 * LINE, c.bytes) == 0);
    CHECK(is_zero(TARGET + 5 * LINE + c.bytes, 24 * PAGE - 5 * LINE - c.bytes));
}

static void reading_what_was_never_mapped_is_refused(void)
{
    struct copy c;

    CHECK(map_all(&c, 2 * PAGE));
    c.source = 0x7000000000;
    CHECK_EQUAL(run(&c), NOT_READABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.source);
    CHECK(is_zero(TARGET, 24 * PAGE));
    CHECK(is_zero(STATUS, PAGE));
}

static void writing_what_was_never_mapped_is_refused_and_told(void)
{
    struct copy c;

    CHECK(map_all(&c, 2 * PAGE));
    event = eventfd(0, 0);
    CHECK_OK(set_irqs(port, DFL_FPGA_PORT_ERR_SET_IRQ, 0, 1, event, 0));
    c.target = 0x7000000000;
    CHECK_EQUAL(run(&c), NOT_WRITABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.target);
    CHECK(signalled(event));
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_RESET, 0));
    CHECK_EQUAL(read64(NLB_STATUS), 0);
    CHECK_EQUAL(read64(TEST_FAULT), 0);
}

static void the_status_area_must_be_mapped(void)
{
    struct copy c;

    CHECK(map_all(&c, PAGE));
    c.status = 0x7000000000;
    CHECK_EQUAL(run(&c), NOT_WRITABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.status + DONE);
    CHECK(memcmp(TARGET, SOURCE, PAGE) == 0);
}

/* Requests are of a page at most: those before the end of the region arrive. */
static void a_transfer_ends_where_its_region_ends(void)
{
    struct copy c;

    CHECK(map_all(&c, 4 * PAGE));
    c.target += 18 * PAGE;
    CHECK_EQUAL(run(&c), NOT_WRITABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.target + 2 * PAGE);
    CHECK(memcmp(TARGET + 18 * PAGE, SOURCE, 2 * PAGE) == 0);
    CHECK(is_zero(TARGET + 20 * PAGE, 4 * PAGE));
    CHECK(is_zero(STATUS, PAGE));
}

static void what_has_been_unmapped_is_out_of_reach(void)
{
    struct copy c;

    CHECK(map_all(&c, 2 * PAGE));
    CHECK_EQUAL(run(&c), 0);
    memset(TARGET, 0, 2 * PAGE);
    CHECK_OK(unmap(c.target));
    CHECK_EQUAL(run(&c), NOT_WRITABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.target);
    CHECK(is_zero(TARGET, 2 * PAGE));
}

static void unmap_ends_a_running_transfer(void)
{
    struct copy c;

    CHECK(map_all(&c, 2 * PAGE));
    misbehave(MODE_HANG);
    start(&c);
    pause_ms(200);
    CHECK_OK(unmap(c.target));
    CHECK_EQUAL(read64(NLB_STATUS), 0);
    misbehave(MODE_GOOD);
    CHECK_EQUAL(outcome(), NOT_WRITABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.target);
    CHECK(is_zero(TARGET, 2 * PAGE));
}

static void the_window_of_interrupts_is_not_for_data(void)
{
    struct copy c;

    CHECK(map_all(&c, PAGE));
    c.source = WINDOW;
    CHECK_EQUAL(run(&c), INTERRUPT_WINDOW);
    CHECK_EQUAL(read64(TEST_FAULT), WINDOW);
}

/* Regions of the port can be read and written; VFIO has mappings for less, of the same card. */
static int map_by_vfio(int container, void *at, uint64_t iova, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags = flags,
                                           .vaddr = (uintptr_t)at,
                                           .iova = iova,
                                           .size = 4 * PAGE};

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

static bool map_afu_by_vfio(int device)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = AFU_BAR};
    void *at;

    if (vfio_command(device, 6) || ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar))
        return false;
    at = mmap(NULL, AFU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, device,
              (off_t)(bar.offset + AFU_AT));
    if (at == MAP_FAILED)
        return false;
    afu = at;
    afu_size = AFU_SIZE;
    return true;
}

static void mappings_for_less_than_both_are_respected(void)
{
    struct copy c = {.source = 0x100000, .target = 0x200000, .status = 0x300000, .bytes = PAGE};
    struct vfio_files files;
    char link[200];
    ssize_t n = readlink(REGION "/device", link, sizeof(link) - 1);

    CHECK(n > 0);
    link[n] = '\0';
    fill();
    CHECK_OK(vfio_open(strrchr(link, '/') + 1, &files));
    port = files.device;
    other = files.container;
    event = files.group;
    CHECK(map_afu_by_vfio(files.device));
    CHECK_OK(map_by_vfio(other, SOURCE, c.source, VFIO_DMA_MAP_FLAG_READ));
    CHECK_OK(map_by_vfio(other, TARGET, c.target, VFIO_DMA_MAP_FLAG_WRITE));
    CHECK_OK(map_by_vfio(other, STATUS, c.status, VFIO_DMA_MAP_FLAG_WRITE));
    CHECK_EQUAL(run(&c), 0);
    CHECK(memcmp(TARGET, SOURCE, PAGE) == 0);
    c = (struct copy){c.source, c.source + PAGE, c.status, PAGE};
    CHECK_EQUAL(run(&c), NOT_WRITABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.target);
    c = (struct copy){0x200000, 0x200000 + PAGE, c.status, PAGE};
    CHECK_EQUAL(run(&c), NOT_READABLE);
    CHECK_EQUAL(read64(TEST_FAULT), c.source);
    CHECK(is_zero(TARGET + PAGE, PAGE));
    write64(NLB_CONTROL, 0);
}

const struct conform_case dma_cases[] = {
    CASE(copies_what_is_mapped_and_nothing_beside),
    CASE(reading_what_was_never_mapped_is_refused),
    CASE(writing_what_was_never_mapped_is_refused_and_told),
    CASE(the_status_area_must_be_mapped),
    CASE(a_transfer_ends_where_its_region_ends),
    CASE(what_has_been_unmapped_is_out_of_reach),
    CASE(unmap_ends_a_running_transfer),
    CASE(the_window_of_interrupts_is_not_for_data),
    CASE(mappings_for_less_than_both_are_respected),
    LAST_CASE,
};
