/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello-uio: a driver in the style of UIO. The device file /dev/uio0 gives everything: the
 * registers and two buffers for DMA by mmap, the interrupts by read. QEMU's `edu` device carries a
 * message from one buffer to the other; the address that it has to use stands in each buffer's
 * first word.
 *
 * usage: hello-uio [/dev/uioN]
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ull
/* Offsets of mmap that ask for a new buffer: the magic one, and the flag beside a map number. */
#define NEW_BUFFER    (0xfffffull * PAGE)
#define BUFFER_AT(n)  ((0x80000000ull | (n)) * PAGE)
#define SLOT          2000
#define REGISTERS     0x100000
#define MESSAGE_AT    16 /* behind the two words that the kernel wrote */
#define MESSAGE_BYTES 2000

/* edu's registers; those below 0x80 take 4-byte accesses only. */
enum {
    EDU_INTERRUPT_STATUS = 0x24,
    EDU_INTERRUPT_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
};
enum {
    EDU_START = 1,
    EDU_TO_MEMORY = 2,
    EDU_INTERRUPT = 4,
};

static volatile uint8_t *registers;
static int device;

static bool fail(const char *what)
{
    perror(what);
    return false;
}

static void write64(unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(registers + at) = value;
}

/* One transfer, and the interrupt at its end. False if no interrupt could be waited for. */
static bool transfer(uint64_t source, uint64_t target, uint64_t command)
{
    uint32_t count;

    write64(EDU_DMA_SOURCE, source);
    write64(EDU_DMA_TARGET, target);
    write64(EDU_DMA_COUNT, MESSAGE_BYTES);
    write64(EDU_DMA_COMMAND, command | EDU_START | EDU_INTERRUPT);
    if (read(device, &count, sizeof(count)) != sizeof(count))
        return fail("hello-uio: waiting for the interrupt");
    *(volatile uint32_t *)(registers + EDU_INTERRUPT_ACK) =
        *(volatile uint32_t *)(registers + EDU_INTERRUPT_STATUS);
    return true;
}

static uint64_t *new_buffer(uint64_t offset)
{
    void *buffer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)offset);

    return buffer == MAP_FAILED ? NULL : buffer;
}

static bool open_device(const char *path)
{
    device = open(path, O_RDWR);
    if (device < 0)
        return fail(path);
    registers = mmap(NULL, REGISTERS, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    if (registers == MAP_FAILED)
        return fail("hello-uio: registers");
    return true;
}

/* What sysfs says of a buffer's address, to be compared with what the buffer says. */
static uint64_t address_in_sysfs(unsigned number)
{
    char path[80], text[32] = "";
    snprintf(path, sizeof(path), "/sys/class/uio/uio0/maps/map%u/addr", number);
    int file = open(path, O_RDONLY);

    if (file >= 0) {
        if (read(file, text, sizeof(text) - 1) < 0)
            text[0] = '\0';
        close(file);
    }
    return strtoull(text, NULL, 16);
}

int main(int argc, char **argv)
{
    char *from, *to;

    if (!open_device(argc > 1 ? argv[1] : "/dev/uio0"))
        return 1;
    uint64_t *first = new_buffer(NEW_BUFFER), *second = new_buffer(BUFFER_AT(SLOT));
    if (!first || !second) {
        perror("hello-uio: buffers");
        return 1;
    }
    printf("hello-uio: buffers %u at 0x%llx and %u at 0x%llx\n", (unsigned)first[1],
           (unsigned long long)first[0], (unsigned)second[1], (unsigned long long)second[0]);
    if (second[1] != SLOT || address_in_sysfs(SLOT) != second[0] ||
        address_in_sysfs((unsigned)first[1]) != first[0]) {
        printf("hello-uio: the buffers are not where sysfs says\n");
        return 1;
    }
    from = (char *)first + MESSAGE_AT;
    to = (char *)second + MESSAGE_AT;
    for (unsigned i = 0; i < MESSAGE_BYTES; i++)
        from[i] = (char)(i * 7 + 1);
    if (!transfer(first[0] + MESSAGE_AT, EDU_BUFFER, 0) ||
        !transfer(EDU_BUFFER, second[0] + MESSAGE_AT, EDU_TO_MEMORY))
        return 1;
    if (memcmp(from, to, MESSAGE_BYTES) != 0) {
        printf("hello-uio: the message did not arrive\n");
        return 1;
    }
    printf("hello-uio: round trip ok: %d bytes, 2 interrupts\n", MESSAGE_BYTES);
    return 0;
}
