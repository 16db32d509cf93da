/* SPDX-License-Identifier: BSD-2-Clause */
/* BARs: reading, writing, mapping. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "vfio_device.h"

static void bar_bounds(void)
{
    uint32_t value;

    START();
    for (int i = 0; i < 6; i++) {
        off_t end = (off_t)(regions[i].offset + regions[i].size);

        CHECK_ERROR(pread(device, &value, 4, end), EINVAL);
    }
    CHECK_ERROR(pread(device, &value, 4, (off_t)(9ull << 40)), EINVAL);
}

static void bar_read_forms(void)
{
    uint32_t words[2] = {0}, bytes_as_word;
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)regions[memory_bar].offset;
    CHECK_EQUAL(pread(device, words, 4, at), 4);
    CHECK_EQUAL(pread(device, &bytes_as_word, 4, at), 4);
    CHECK_EQUAL(bytes_as_word, words[0]);
    CHECK_ERROR(pread(device, NULL, 4, at), EFAULT);
}

static void bar_map_rules(void)
{
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)regions[memory_bar].offset;
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, device, at) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, at + (off_t)regions[memory_bar].size) ==
              MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, regions[memory_bar].size + PAGE, PROT_READ, MAP_SHARED, device, at) ==
              MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, (off_t)config.offset) == MAP_FAILED &&
          errno == EINVAL);
}

static void bar_map_sees_the_same(void)
{
    volatile uint32_t *mapped;
    uint32_t value;

    START();
    if (memory_bar < 0)
        return;
    mapped = mmap(NULL, map_size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                  (off_t)(regions[memory_bar].offset + map_offset));
    CHECK(mapped != MAP_FAILED);
    CHECK_EQUAL(pread(device, &value, 4, (off_t)(regions[memory_bar].offset + map_offset)), 4);
    CHECK_EQUAL(mapped[0], value);
    printf("mapped %llu bytes of BAR %d\n", (unsigned long long)map_size, memory_bar);
    CHECK_OK(munmap((void *)mapped, map_size));
}

static sigjmp_buf back;

static void on_bus_error(int number)
{
    siglongjmp(back, 1);
}

bool faults(const volatile uint32_t *at)
{
    struct sigaction action = {.sa_handler = on_bus_error}, old;
    volatile bool faulted = true;

    sigaction(SIGBUS, &action, &old);
    if (sigsetjmp(back, 1) == 0) {
        (void)*at;
        faulted = false;
    }
    sigaction(SIGBUS, &old, NULL);
    return faulted;
}

/* Only mmap asks what may be mapped, so a mapping neither grows nor comes twice; it may move. */
static void bar_mapping_does_not_grow(void)
{
    void *mapped, *moved;
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)(regions[memory_bar].offset + map_offset);
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, at);
    CHECK(mapped != MAP_FAILED);
    CHECK(mremap(mapped, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(mapped, 0, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(mapped, 0, PAGE, 0) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(mapped, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(mapped, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    moved = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(moved != MAP_FAILED);
    CHECK(mremap(mapped, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == MAP_FAILED &&
          errno == EFAULT);
    CHECK(mremap(mapped, PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == MAP_FAILED &&
          errno == EFAULT);
    CHECK(mremap(mapped, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved) == moved);
    CHECK(!faults(moved));
    CHECK_OK(munmap(moved, 4 * PAGE));
}

/* UIO maps from the start of a BAR on: what lies before the table is left. -1: no UIO. */
static long long uio_size(uint32_t bar)
{
    char path[64], text[32] = "";
    int row;

    snprintf(path, sizeof(path), "/sys/class/uio/uio0/maps/map%u/size", bar);
    row = open(path, O_RDONLY);
    if (row < 0)
        return -1;
    if (read(row, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(row);
    return strtoll(text, NULL, 16);
}

/* Linux maps a BAR whole, the vector table of MSI-X and all. Without remapping it is left out. */
static void bar_with_the_vector_table(void)
{
    struct vfio_iommu_type1_dma_map dma = {
        .argsz = sizeof(dma), .flags = VFIO_DMA_MAP_FLAG_READ, .iova = 1ull << 32};
    volatile uint32_t *mapped;
    uint32_t bar, value;
    uint64_t offset;
    bool whole;
    off_t at;

    START_GROUP();
    if (!find_table(&bar, &offset))
        return;
    at = (off_t)(regions[bar].offset + offset);
    whole = region_capability(bar, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
    printf("the vector table is %s\n", whole ? "mapped" : "left out");
    mapped = mmap(NULL, regions[bar].size, PROT_READ | PROT_WRITE, MAP_SHARED, device,
                  (off_t)regions[bar].offset);
    CHECK_EQUAL(mapped != MAP_FAILED, whole);
    CHECK_EQUAL(pread(device, &value, 4, at + 12), 4);
    CHECK_EQUAL(value, 0xffffffff); /* through the file it stays the kernel's */
    value = 0;
    CHECK_EQUAL(pwrite(device, &value, 4, at + 12), 4);
    if (!whole) {
        CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, at & ~(off_t)(PAGE - 1)) ==
                  MAP_FAILED &&
              errno == EINVAL);
        CHECK_EQUAL(uio_size(bar), offset & ~(PAGE - 1));
        return;
    }
    CHECK(!region_capability(bar, VFIO_REGION_INFO_CAP_SPARSE_MMAP));
    CHECK(mapped[offset / 4 + 3] != 0xffffffff); /* what the device says */
    dma.vaddr = (uintptr_t)mapped;
    dma.size = regions[bar].size;
    CHECK_OK(ioctl(container, VFIO_IOMMU_MAP_DMA, &dma));
    CHECK(mremap((void *)mapped, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK_OK(munmap((void *)mapped, regions[bar].size));
}

static void bar_hides_when_not_decoded(void)
{
    volatile uint32_t *mapped;
    uint32_t value, command;
    off_t at;

    START();
    if (memory_bar < 0)
        return;
    at = (off_t)(regions[memory_bar].offset + map_offset);
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, at);
    CHECK(mapped != MAP_FAILED);
    CHECK(!faults(mapped));
    command = get_config(COMMAND, 2);
    set_config(COMMAND, 2, command & ~(uint32_t)MEMORY);
    CHECK_ERROR(pread(device, &value, 4, at), EIO);
    CHECK_ERROR(pwrite(device, &value, 4, at), EIO);
    CHECK(faults(mapped));
    set_config(COMMAND, 2, command);
    CHECK_EQUAL(pread(device, &value, 4, at), 4);
    CHECK(!faults(mapped));
    CHECK_OK(munmap((void *)mapped, PAGE));
}

/* Told to the test, which has the file. */
static uint32_t sum_of(const unsigned char *bytes, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static void bar_expansion_rom(void)
{
    unsigned char *image;
    off_t at, end;

    START();
    CHECK_EQUAL(rom.offset, 6ull << 40);
    CHECK_EQUAL(rom.flags, rom.size ? VFIO_REGION_INFO_FLAG_READ : 0);
    at = (off_t)rom.offset;
    end = at + (off_t)rom.size;
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device, at) == MAP_FAILED && errno == EINVAL);
    if (!rom.size)
        return;
    image = malloc(rom.size);
    CHECK(image != NULL);
    CHECK_EQUAL(pread(device, image, rom.size, at), (ssize_t)rom.size);
    CHECK_EQUAL(image[0] | image[1] << 8, 0xaa55);
    printf("expansion ROM: %llu bytes, sum %08x\n", (unsigned long long)rom.size,
           (unsigned)sum_of(image, rom.size));
    CHECK_EQUAL(pread(device, image, 4, end - 1), 1);
    CHECK_ERROR(pread(device, image, 4, end), EINVAL);
    CHECK_ERROR(pwrite(device, image, 4, at), EINVAL);
    set_config(COMMAND, 2, 0);
    CHECK_ERROR2(pread(device, image, 4, at), EIO, ENOMEM);
    if (errno == ENOMEM)
        NOTE_LINUX("a ROM that is not decoded cannot be found");
    set_config(COMMAND, 2, MEMORY);
    CHECK_EQUAL(pread(device, image, 4, at), 4);
    free(image);
    if (memory_bar >= 0) { /* the ROM does not stand in its way */
        uint32_t value;

        CHECK_EQUAL(pread(device, &value, 4, (off_t)regions[memory_bar].offset), 4);
    }
}

/* A number that fits in the register is all that is known of the device. */
static int ioeventfd(uint32_t flags, uint64_t offset, int event)
{
    struct vfio_device_ioeventfd call = {sizeof(call), flags, offset, 1, event, 0};

    return ioctl(device, VFIO_DEVICE_IOEVENTFD, &call);
}

static void bar_ioeventfd_rules(void)
{
    uint64_t at;

    START();
    if (memory_bar < 0)
        return;
    open_events();
    at = regions[memory_bar].offset + map_offset;
    CHECK_ERROR(ioeventfd(4, at, 1000), EBADF);
    CHECK_ERROR(ioeventfd(4, at, device), EINVAL);
    CHECK_ERROR(ioeventfd(4, at, -2), EINVAL);
    CHECK_ERROR(ioeventfd(0, at, events[0]), EINVAL);
    CHECK_ERROR(ioeventfd(3, at, events[0]), EINVAL);
    CHECK_ERROR(ioeventfd(16, at, events[0]), EINVAL);
    CHECK_ERROR(ioeventfd(4, regions[memory_bar].offset + regions[memory_bar].size, events[0]),
                EINVAL);
    CHECK_ERROR(ioeventfd(2, config.offset + COMMAND, events[0]), EINVAL);
    CHECK_ERROR(ioeventfd(4, rom.offset, events[0]), EINVAL);
    CHECK_ERROR(ioeventfd(4, 8ull << 40, events[0]), EINVAL);
    CHECK_ERROR(ioeventfd(4, at, -1), ENODEV);
    CHECK_OK(ioeventfd(4, at, events[0]));
    CHECK_ERROR(ioeventfd(4, at, events[0]), EEXIST);
    CHECK_OK(ioeventfd(8, at, events[0]));
    CHECK_OK(ioeventfd(4, at, -1));
    CHECK_ERROR(ioeventfd(4, at, -1), ENODEV);
}

const struct conform_case bar_cases[] = {
    CASE(bar_bounds),
    CASE(bar_read_forms),
    CASE(bar_map_rules),
    CASE(bar_map_sees_the_same),
    CASE(bar_mapping_does_not_grow),
    CASE(bar_with_the_vector_table),
    CASE(bar_hides_when_not_decoded),
    CASE(bar_expansion_rom),
    CASE(bar_ioeventfd_rules),
    LAST_CASE,
};
