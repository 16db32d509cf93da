/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A payload that goes wrong while its device may reach its memory and a transfer is running: what
 * goes wrong is the first argument. A case that comes back says so and exits 99.
 *
 * usage: misbehave CASE DEVICE     DEVICE as 0000:00:10.0
 */
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio_open.h"

#define IOVA       0x100000000ull
#define SIZE       (1 << 20)
#define TRANSFER   2048
#define KERNEL     0xffffffff80200000ull
#define DIRECT_MAP 0xffff800000000000ull

static uint8_t *memory;

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(98);
}

static int open_device(const char *name)
{
    struct vfio_files files;

    if (vfio_open(name, &files))
        fail("VFIO");
    memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags =
                                               VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                           .vaddr = (uintptr_t)memory,
                                           .iova = IOVA,
                                           .size = SIZE};
    if (memory == MAP_FAILED || ioctl(files.container, VFIO_IOMMU_MAP_DMA, &map) < 0)
        fail("VFIO_IOMMU_MAP_DMA");
    return files.device;
}

/* Memory decoding and bus mastering on, then one transfer to memory, which takes 100 ms. */
static void start_transfer(int device)
{
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    const uint64_t source = 0x40000, target = IOVA, count = TRANSFER, command = 3;
    uint16_t enable = 6;

    if (device < 0 || ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) < 0 ||
        ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) < 0 ||
        pwrite(device, &enable, sizeof(enable), (off_t)config.offset + 4) != sizeof(enable) ||
        pwrite(device, &source, 8, (off_t)bar.offset + 0x80) != 8 ||
        pwrite(device, &target, 8, (off_t)bar.offset + 0x88) != 8 ||
        pwrite(device, &count, 8, (off_t)bar.offset + 0x90) != 8 ||
        pwrite(device, &command, 8, (off_t)bar.offset + 0x98) != 8)
        fail("start the transfer");
}

/* ---- what can go wrong ---- */

static void *volatile hidden; /* the compiler may not know these addresses */

static void read_at(uint64_t address)
{
    hidden = (void *)(uintptr_t)address;
    (void)*(volatile uint8_t *)hidden;
}

static void write_at(uint64_t address)
{
    hidden = (void *)(uintptr_t)address;
    *(volatile uint8_t *)hidden = 1;
}

static void jump_to(uint64_t address)
{
    hidden = (void *)(uintptr_t)address;
    ((void (*)(void))hidden)();
}

static void read_null(void)
{
    read_at(0);
}

static void write_null(void)
{
    write_at(0);
}

static void jump_null(void)
{
    jump_to(0);
}

static void read_kernel(void)
{
    read_at(KERNEL);
}

static void write_kernel(void)
{
    write_at(KERNEL);
}

static void jump_kernel(void)
{
    jump_to(KERNEL);
}

static void read_direct_map(void)
{
    read_at(DIRECT_MAP);
}

static void read_not_canonical(void)
{
    read_at(0x8000000000000000ull);
}

static void jump_not_canonical(void)
{
    jump_to(0x8000000000000000ull);
}

static void write_code(void)
{
    write_at((uintptr_t)&write_code);
}

static void execute_data(void)
{
    memory[0] = 0xc3;
    jump_to((uintptr_t)memory);
}

static volatile int depth;

static int recurse(int level)
{
    volatile char frame[4096];

    frame[0] = (char)level;
    depth = level;
    return depth < 0 ? 0 : recurse(level + 1) + frame[0];
}

static void overflow_stack(void)
{
    recurse(0);
}

/* A stack pointer that points nowhere while the kernel is entered and left. */
static void bad_stack_pointer(void)
{
    __asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"(KERNEL) : "memory");
}

static void divide_by_zero(void)
{
    __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" : : : "eax", "ecx", "edx");
}

static void undefined(void)
{
    __asm__ volatile("ud2");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

/* Every gate but the breakpoint's belongs to the kernel. */
static void software_interrupt(void)
{
    __asm__ volatile("int $0x0e");
}

static void linux_32bit_call(void)
{
    __asm__ volatile("int $0x80" : : "a"(1) : "memory");
}

static void sysenter(void)
{
    __asm__ volatile("sysenter" : : : "memory");
}

static void single_step(void)
{
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop" : : : "memory");
}

#define PRIVILEGED(name, code)                                                                     \
    static void name(void)                                                                         \
    {                                                                                              \
        __asm__ volatile(code : : : "rax", "rcx", "rdx", "memory");                                \
    }
PRIVILEGED(halt, "hlt")
PRIVILEGED(disable_interrupts, "cli")
PRIVILEGED(read_port, "mov $0x3f8, %%edx; in %%dx, %%al")
PRIVILEGED(write_port, "mov $0x501, %%edx; out %%ax, %%dx")
PRIVILEGED(configure_pci, "mov $0xcf8, %%edx; out %%eax, %%dx")
PRIVILEGED(read_msr, "mov $0xc0000080, %%ecx; rdmsr")
PRIVILEGED(write_msr, "mov $0xc0000080, %%ecx; wrmsr")
PRIVILEGED(read_cr0, "mov %%cr0, %%rax")
PRIVILEGED(write_cr3, "xor %%eax, %%eax; mov %%rax, %%cr3")
PRIVILEGED(write_cr4, "xor %%eax, %%eax; mov %%rax, %%cr4")
PRIVILEGED(load_idt, "lidt (%%rsp)")
PRIVILEGED(load_tss, "xor %%eax, %%eax; ltr %%ax")
PRIVILEGED(swap_gs, "swapgs")
PRIVILEGED(sysret, "sysretq")
PRIVILEGED(invalidate_page, "invlpg (%%rsp)")
PRIVILEGED(invalidate_caches, "wbinvd")
PRIVILEGED(set_xcr0, "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $7, %%eax; xsetbv")
PRIVILEGED(load_kernel_segment, "mov $0x10, %%eax; mov %%eax, %%ss")

/* Versions of clang-format differ in this. */
/* clang-format off */
#define CASE(name) {#name, name}
/* clang-format on */
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    CASE(read_null),
    CASE(write_null),
    CASE(jump_null),
    CASE(read_kernel),
    CASE(write_kernel),
    CASE(jump_kernel),
    CASE(read_direct_map),
    CASE(read_not_canonical),
    CASE(jump_not_canonical),
    CASE(write_code),
    CASE(execute_data),
    CASE(overflow_stack),
    CASE(bad_stack_pointer),
    CASE(divide_by_zero),
    CASE(undefined),
    CASE(breakpoint),
    CASE(software_interrupt),
    CASE(linux_32bit_call),
    CASE(sysenter),
    CASE(single_step),
    CASE(halt),
    CASE(disable_interrupts),
    CASE(read_port),
    CASE(write_port),
    CASE(configure_pci),
    CASE(read_msr),
    CASE(write_msr),
    CASE(read_cr0),
    CASE(write_cr3),
    CASE(write_cr4),
    CASE(load_idt),
    CASE(load_tss),
    CASE(swap_gs),
    CASE(sysret),
    CASE(invalidate_page),
    CASE(invalidate_caches),
    CASE(set_xcr0),
    CASE(load_kernel_segment),
    CASE(abort),
};

int main(int argc, char **argv)
{
    start_transfer(open_device(argc > 2 ? argv[2] : "0000:00:10.0"));
    printf("misbehave: running\n");
    fflush(stdout);
    for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, argv[1]) != 0)
            continue;
        cases[i].run();
        printf("misbehave: %s came back\n", argv[1]);
        return 99;
    }
    printf("misbehave: no such case\n");
    return 97;
}
