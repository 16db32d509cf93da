/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of the UIO interface, one case each; the device is QEMU's edu. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conform.h"

#define PAGE        4096ull
#define MAGIC       (0xfffffull * PAGE)
#define FLAGGED(n)  ((0x80000000ull | (n)) * PAGE)
#define FIRST       1000u
#define REGISTERS   0x100000ull
#define RAISE       0x60 /* edu: raise an interrupt */
#define ACKNOWLEDGE 0x64
#define MAPS        "/sys/class/uio/uio0/maps"

static const char *path;
static int device = -1, other = -1;
static volatile uint32_t *registers;

static void close_all(void)
{
    if (registers)
        munmap((void *)registers, REGISTERS);
    registers = NULL;
    if (device >= 0)
        close(device);
    if (other >= 0)
        close(other);
    device = other = -1;
}

static bool begin(void)
{
    device = open(path, O_RDWR);
    if (device < 0) {
        CONFORM_FAIL("%s: %s", path, strerror(errno));
        return false;
    }
    void *mapped = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    if (mapped == MAP_FAILED) {
        CONFORM_FAIL("map 0: %s", strerror(errno));
        return false;
    }
    registers = mapped;
    return true;
}

static void raise_interrupt(void)
{
    registers[RAISE / 4] = 1;
    registers[ACKNOWLEDGE / 4] = 1;
}

static void *map_at(uint64_t offset, uint64_t length)
{
    return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)offset);
}

static uint64_t *new_buffer(uint64_t offset, uint64_t length)
{
    void *buffer = map_at(offset, length);

    return buffer == MAP_FAILED ? NULL : buffer;
}

static unsigned long long row(unsigned map, const char *name)
{
    char file[80], text[64] = "";

    snprintf(file, sizeof(file), MAPS "/map%u/%s", map, name);
    int fd = open(file, O_RDONLY);
    if (fd < 0)
        return ~0ull;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(fd);
    return strtoull(text, NULL, 16);
}

static int32_t readable(void)
{
    struct pollfd p = {.fd = device, .events = POLLIN};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

/* Interrupts. */

static void read_takes_four_bytes(void)
{
    char buffer[8];

    CHECK(begin());
    CHECK_ERROR(read(device, buffer, 0), EINVAL);
    CHECK_ERROR(read(device, buffer, 3), EINVAL);
    CHECK_ERROR(read(device, buffer, 8), EINVAL);
}

static void read_counts_interrupts(void)
{
    int32_t before = 0, count = 0;

    CHECK(begin());
    raise_interrupt();
    CHECK_EQUAL(read(device, &before, 4), 4);
    CHECK_EQUAL(readable(), 0);
    raise_interrupt();
    CHECK_EQUAL(read(device, &count, 4), 4);
    CHECK_EQUAL(count, before + 1);
}

static void read_does_not_block_if_told(void)
{
    int32_t count;

    device = open(path, O_RDWR | O_NONBLOCK);
    CHECK_OK(device);
    CHECK_ERROR(read(device, &count, 4), EAGAIN);
}

static void poll_tells_of_an_interrupt(void)
{
    int32_t count;

    CHECK(begin());
    CHECK_EQUAL(readable(), 0);
    raise_interrupt();
    CHECK_EQUAL(readable(), 1);
    CHECK_EQUAL(read(device, &count, 4), 4);
    CHECK_EQUAL(readable(), 0);
}

static void each_open_file_counts_for_itself(void)
{
    int32_t count;

    CHECK(begin());
    other = open(path, O_RDWR);
    CHECK_OK(other);
    raise_interrupt();
    CHECK_EQUAL(read(other, &count, 4), 4);
    CHECK_EQUAL(readable(), 1);
}

static void write_takes_zero_or_one(void)
{
    int32_t value = 2;

    CHECK(begin());
    CHECK_ERROR(write(device, &value, 4), EINVAL);
    CHECK_ERROR(write(device, &value, 2), EINVAL);
    value = 1;
    CHECK_EQUAL(write(device, &value, 4), 4);
    CHECK_ERROR(write(device, NULL, 4), EFAULT);
}

static void a_disabled_interrupt_waits(void)
{
    int32_t off = 0, on = 1;

    CHECK(begin());
    CHECK_EQUAL(write(device, &off, 4), 4);
    raise_interrupt();
    CHECK_EQUAL(readable(), 0);
    CHECK_EQUAL(write(device, &on, 4), 4);
    CHECK_EQUAL(readable(), 1);
}

static int event_count(void)
{
    char text[16] = "";
    int fd = open("/sys/class/uio/uio0/event", O_RDONLY);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
        CONFORM_FAIL("event: %s", strerror(errno));
    close(fd);
    return atoi(text);
}

static void event_row_counts(void)
{
    CHECK(begin());
    int before = event_count();
    raise_interrupt();
    CHECK_EQUAL(event_count(), before + 1);
}

/* Static maps. */

static void bar_row_and_size(void)
{
    CHECK_EQUAL(row(0, "size"), REGISTERS);
    CHECK_EQUAL(row(0, "offset"), 0);
    CHECK(row(0, "addr") != 0);
}

static void unused_slots_have_size_zero(void)
{
    for (unsigned i = 1; i < 6; i++)
        CHECK_EQUAL(row(i, "size"), 0);
    CHECK_EQUAL(row(6, "size"), ~0ull);
}

static void mmap_refusals(void)
{
    CHECK(begin());
    CHECK(map_at(0, REGISTERS + PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(map_at(PAGE, PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(map_at(6 * PAGE, PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(map_at(0x10000 * PAGE, PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(map_at((0x80000000ull | 0x10000) * PAGE, PAGE) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, device, 0) == MAP_FAILED && errno == EINVAL);
}

/* A mapping of a device, registers and buffers alike, is as large as mmap made it. */
static void mappings_do_not_grow(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(MAGIC, PAGE);
    CHECK(buffer);
    void *all[] = {(void *)registers, buffer};
    uint64_t sizes[] = {REGISTERS, PAGE};
    for (unsigned i = 0; i < 2; i++) {
        CHECK(mremap(all[i], 0, sizes[i], MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
        CHECK(mremap(all[i], sizes[i], 2 * sizes[i], MREMAP_MAYMOVE) == MAP_FAILED &&
              errno == EFAULT);
    }
    CHECK_ERROR(madvise(buffer, PAGE, 9 /* MADV_REMOVE */), EINVAL);
    CHECK_OK(munmap(buffer, PAGE));
}

/* mmap, then close: what the program can still reach is still in use. */
static void mapping_keeps_the_device_open(void)
{
    CHECK(begin());
    int before = event_count();
    close(device);
    device = -1;
    raise_interrupt();
    CHECK_EQUAL(event_count(), before + 1);
}

/* Buffers. */

static void magic_offset_makes_a_buffer(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(MAGIC, 3 * PAGE);
    CHECK(buffer);
    CHECK(buffer[1] >= FIRST);
    CHECK_EQUAL(row((unsigned)buffer[1], "addr"), buffer[0]);
    CHECK_EQUAL(row((unsigned)buffer[1], "size"), 3 * PAGE);
    for (unsigned i = 2; i < 3 * PAGE / 8; i++)
        CHECK_EQUAL(buffer[i], 0);
}

static void numbers_grow(void)
{
    CHECK(begin());
    uint64_t *one = new_buffer(MAGIC, PAGE), *two = new_buffer(MAGIC, PAGE);
    CHECK(one && two);
    CHECK_EQUAL(two[1], one[1] + 1);
    CHECK(one[0] != two[0]);
}

static void a_buffer_maps_again_by_number(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(MAGIC, PAGE);
    CHECK(buffer);
    uint64_t number = buffer[1];
    buffer[7] = 0x1122334455667788;
    CHECK_OK(munmap(buffer, PAGE));
    uint64_t *again = new_buffer(number * PAGE, PAGE);
    CHECK(again);
    CHECK_EQUAL(again[7], 0x1122334455667788);
    uint64_t *flagged = new_buffer(FLAGGED(number), PAGE);
    CHECK(flagged);
    CHECK_EQUAL(flagged[7], 0x1122334455667788);
    CHECK(map_at(number * PAGE, 2 * PAGE) == MAP_FAILED && errno == EINVAL);
}

static void the_kernel_does_not_believe_the_words(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(MAGIC, PAGE);
    CHECK(buffer);
    uint64_t address = buffer[0], number = buffer[1];
    buffer[0] = buffer[1] = ~0ull;
    CHECK_EQUAL(row((unsigned)number, "addr"), address);
    CHECK(new_buffer(number * PAGE, PAGE));
}

static void flagged_slot_makes_a_buffer(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(FLAGGED(3000), PAGE);
    CHECK(buffer);
    CHECK_EQUAL(buffer[1], 3000);
    CHECK_EQUAL(row(3000, "addr"), buffer[0]);
}

static void flagged_slot_fills_an_unused_one(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(FLAGGED(5), PAGE);
    CHECK(buffer);
    CHECK_EQUAL(buffer[1], 5);
    CHECK_EQUAL(row(5, "size"), PAGE);
    CHECK_EQUAL(row(4, "size"), 0);
}

static void flagged_bar_maps_the_bar(void)
{
    CHECK(begin());
    volatile uint32_t *bar = map_at(FLAGGED(0), PAGE);
    CHECK(bar != MAP_FAILED);
    CHECK_EQUAL(bar[0], registers[0]);
}

static void buffers_outlive_the_file(void)
{
    CHECK(begin());
    uint64_t *buffer = new_buffer(FLAGGED(4000), PAGE);
    CHECK(buffer);
    buffer[9] = 99;
    uint64_t address = buffer[0];
    CHECK_OK(munmap(buffer, PAGE));
    close_all();
    CHECK(begin());
    buffer = new_buffer(4000 * PAGE, PAGE);
    CHECK(buffer);
    CHECK_EQUAL(buffer[9], 99);
    CHECK_EQUAL(row(4000, "addr"), address);
}

static void buffers_are_charged(void)
{
    struct rlimit old, low;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low = (struct rlimit){PAGE, old.rlim_max};
    CHECK(begin());
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    bool refused = map_at(MAGIC, 64 * PAGE) == MAP_FAILED && errno == ENOMEM;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &old));
    CHECK(refused);
    CHECK(new_buffer(MAGIC, 64 * PAGE));
}

/* Last: it uses up the numbers' quota. */
static void buffers_have_a_quota(void)
{
    CHECK(begin());
    for (unsigned i = 0; i < 2000; i++) {
        void *buffer = map_at(MAGIC, PAGE);

        if (buffer == MAP_FAILED) {
            CHECK_EQUAL(errno, ENOSPC);
            CHECK(i > 500);
            return;
        }
        munmap(buffer, PAGE);
    }
    CONFORM_FAIL("no quota");
}

static const struct conform_case cases[] = {
    CASE(read_takes_four_bytes),
    CASE(read_counts_interrupts),
    CASE(read_does_not_block_if_told),
    CASE(poll_tells_of_an_interrupt),
    CASE(each_open_file_counts_for_itself),
    CASE(write_takes_zero_or_one),
    CASE(a_disabled_interrupt_waits),
    CASE(event_row_counts),
    CASE(bar_row_and_size),
    CASE(unused_slots_have_size_zero),
    CASE(mmap_refusals),
    CASE(mappings_do_not_grow),
    CASE(mapping_keeps_the_device_open),
    CASE(magic_offset_makes_a_buffer),
    CASE(numbers_grow),
    CASE(a_buffer_maps_again_by_number),
    CASE(the_kernel_does_not_believe_the_words),
    CASE(flagged_slot_makes_a_buffer),
    CASE(flagged_slot_fills_an_unused_one),
    CASE(flagged_bar_maps_the_bar),
    CASE(buffers_outlive_the_file),
    CASE(buffers_are_charged),
    CASE(buffers_have_a_quota),
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: uio /dev/uioN [CASE]...\n");
        return 2;
    }
    path = argv[1];
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_all, argc, argv);
}
