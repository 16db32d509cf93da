/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hello-afu: memory of ours is given to an FPGA's accelerator through /dev/dfl-port.0, the
 * accelerator copies from one buffer to the other, and tells by an interrupt that it is done. The
 * accelerator is either the loopback of a DFL card (its id says so), or QEMU's `edu` device
 * behind the same port interface.
 *
 * usage: hello-afu [/dev/dfl-port.N]
 */
#include <fcntl.h>
#include <linux/fpga-dfl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE    4096ull
#define LENGTH  (4 * PAGE)
#define BYTES   2048u
#define NLB_ID  "d8424dc4a4a3c413f89e433683f9040b"
#define ID_FILE "/sys/class/fpga_region/region0/dfl-port.0/afu_id"
#define LINE    64u

/* Registers of the loopback. */
enum {
    NLB_DSM = 0x110,
    NLB_SOURCE = 0x120, /* in lines of 64 bytes, as the target */
    NLB_TARGET = 0x128,
    NLB_LINES = 0x130,
    NLB_CONTROL = 0x138,
    NLB_REFUSED = 0x168, /* why the IOMMU refused a request, 0: it did not */
    NLB_RUN = 1,
    NLB_START = 3,
    NLB_DONE = 0x40, /* in the status area at DSM */
};

/* Registers of edu. */
enum {
    EDU_INTERRUPT_STATUS = 0x24,
    EDU_INTERRUPT_ACK = 0x64,
    EDU_DMA_SOURCE = 0x80,
    EDU_DMA_TARGET = 0x88,
    EDU_DMA_COUNT = 0x90,
    EDU_DMA_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
    EDU_START = 1,
    EDU_TO_MEMORY = 2,
    EDU_INTERRUPT = 4,
};

static int port, done = -1;
static volatile uint8_t *afu;

static void write64(unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(afu + at) = value;
}

static uint64_t read64(unsigned at)
{
    return *(volatile uint64_t *)(afu + at);
}

static bool fail(const char *what)
{
    perror(what);
    return false;
}

static bool map(const void *memory, uint64_t length, uint64_t *iova)
{
    struct dfl_fpga_port_dma_map m = {
        .argsz = sizeof(m), .user_addr = (uintptr_t)memory, .length = length};

    if (ioctl(port, DFL_FPGA_PORT_DMA_MAP, &m))
        return fail("hello-afu: DMA_MAP");
    *iova = m.iova;
    return true;
}

static bool unmap(uint64_t iova)
{
    struct dfl_fpga_port_dma_unmap u = {.argsz = sizeof(u), .iova = iova};

    return ioctl(port, DFL_FPGA_PORT_DMA_UNMAP, &u) == 0 || fail("hello-afu: DMA_UNMAP");
}

static bool wait_done(void)
{
    uint64_t count;

    return read(done, &count, sizeof(count)) == sizeof(count) || fail("hello-afu: interrupt");
}

/* The accelerator's interrupt to an eventfd, and that of the port's errors where it has one. */
static bool bind_interrupts(void)
{
    uint32_t words[3] = {0, 1}; /* struct dfl_fpga_irq_set: start, count, one descriptor */
    uint32_t errors = 0;

    done = eventfd(0, 0);
    words[2] = (uint32_t)done;
    if (done < 0 || ioctl(port, DFL_FPGA_PORT_UINT_SET_IRQ, words))
        return fail("hello-afu: UINT_SET_IRQ");
    if (ioctl(port, DFL_FPGA_PORT_ERR_GET_IRQ_NUM, &errors))
        return fail("hello-afu: ERR_GET_IRQ_NUM");
    if (errors != 0 && ioctl(port, DFL_FPGA_PORT_ERR_SET_IRQ, words))
        return fail("hello-afu: ERR_SET_IRQ");
    return true;
}

static bool open_port(const char *path)
{
    struct dfl_fpga_port_region_info region = {.argsz = sizeof(region),
                                               .index = DFL_PORT_REGION_INDEX_AFU};

    port = open(path, O_RDWR);
    if (port < 0)
        return fail(path);
    if (ioctl(port, DFL_FPGA_PORT_RESET))
        return fail("hello-afu: PORT_RESET");
    if (ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &region))
        return fail("hello-afu: PORT_GET_REGION_INFO");
    afu = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, port, (off_t)region.offset);
    if (afu == MAP_FAILED)
        return fail("hello-afu: mmap");
    return bind_interrupts();
}

static bool is_loopback(void)
{
    char id[40] = "";
    int file = open(ID_FILE, O_RDONLY);

    if (file < 0)
        return false;
    ssize_t n = read(file, id, sizeof(id) - 1);
    close(file);
    return n > 0 && strncmp(id, NLB_ID, strlen(NLB_ID)) == 0;
}

/* The loopback copies lines from source to target, then sets a bit in its status area. */
static bool copy_by_loopback(uint64_t source, uint64_t target)
{
    volatile uint64_t *status = aligned_alloc(PAGE, PAGE);
    uint64_t dsm;

    if (!status)
        return fail("hello-afu: memory");
    memset((void *)status, 0, PAGE);
    if (!map((void *)status, PAGE, &dsm))
        return false;
    write64(NLB_CONTROL, NLB_RUN);
    write64(NLB_DSM, dsm);
    write64(NLB_SOURCE, source / LINE);
    write64(NLB_TARGET, target / LINE);
    write64(NLB_LINES, BYTES / LINE);
    write64(NLB_CONTROL, NLB_START);
    if (!wait_done())
        return false;
    if (!(status[NLB_DONE / 8] & 1) && read64(NLB_REFUSED) == 0) {
        printf("hello-afu: interrupted, but neither done nor refused\n");
        return false;
    }
    write64(NLB_CONTROL, 0);
    return unmap(dsm);
}

static bool edu_transfer(uint64_t source, uint64_t target, uint64_t command)
{
    write64(EDU_DMA_SOURCE, source);
    write64(EDU_DMA_TARGET, target);
    write64(EDU_DMA_COUNT, BYTES);
    write64(EDU_DMA_COMMAND, command | EDU_START | EDU_INTERRUPT);
    if (!wait_done())
        return false;
    *(volatile uint32_t *)(afu + EDU_INTERRUPT_ACK) =
        *(volatile uint32_t *)(afu + EDU_INTERRUPT_STATUS);
    return true;
}

static bool copy_by_edu(uint64_t source, uint64_t target)
{
    return edu_transfer(source, EDU_BUFFER, 0) && edu_transfer(EDU_BUFFER, target, EDU_TO_MEMORY);
}

/* With its region gone the accelerator must reach nothing. */
static bool stray_is_refused(bool loopback, uint64_t source, uint64_t target, const uint8_t *to)
{
    if (!(loopback ? copy_by_loopback : copy_by_edu)(source, target))
        return false;
    for (unsigned i = 0; i < BYTES; i++)
        if (to[i] != 0) {
            printf("hello-afu: a stray write arrived\n");
            return false;
        }
    printf("hello-afu: stray write refused\n");
    return true;
}

int main(int argc, char **argv)
{
    uint8_t *from = aligned_alloc(PAGE, LENGTH), *to = aligned_alloc(PAGE, LENGTH);
    uint64_t source, target;

    if (!from || !to || !open_port(argc > 1 ? argv[1] : "/dev/dfl-port.0"))
        return 1;
    bool loopback = is_loopback();
    for (unsigned i = 0; i < LENGTH; i++)
        from[i] = (uint8_t)(i * 11 + 3);
    memset(to, 0, LENGTH);
    if (!map(from, LENGTH, &source) || !map(to, LENGTH, &target))
        return 1;
    if (!(loopback ? copy_by_loopback : copy_by_edu)(source, target))
        return 1;
    if (memcmp(from, to, BYTES) != 0) {
        printf("hello-afu: the copy differs\n");
        return 1;
    }
    printf("hello-afu: %s copied %u bytes from 0x%llx to 0x%llx\n", loopback ? "loopback" : "edu",
           BYTES, (unsigned long long)source, (unsigned long long)target);
    memset(to, 0, LENGTH);
    if (!unmap(target) || !stray_is_refused(loopback, source, target, to) || !unmap(source))
        return 1;
    printf("hello-afu: ok\n");
    return 0;
}
