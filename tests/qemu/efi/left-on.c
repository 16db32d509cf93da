/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware that leaves everything on. The last thing that it does when the loader takes the
 * machine: a timer of the HPET sends a message every 10 ms; the VT-d unit translates, all to
 * itself, and remaps interrupts, and its queue has stopped at a request that is malformed; a
 * network card puts what it hears into memory that is free from then on; a root port tells of
 * errors; pins of the I/O APIC are open, one of them into SMM; and the second CPU counts in such
 * memory as well. If any of this cannot be done it goes no further.
 */
#include "tests/qemu/efi/start.h"

#include <stdint.h>

#define PAGE 4096

/* Fixed, so that the test finds them, and so that real mode reaches the first. */
#define STARTUP_PAGE 0x20000
#define LOOP_PAGE    0x9000000
#define COUNTER      0x9000800
#define FRAME_PAGE   0x9001000

#define STR_(x) #x
#define STR(x)  STR_(x)

extern const char ap_start[], ap_end[], ap_loop[], ap_loop_end[];

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/* The way of the second CPU: from real mode to 32 bits, and into its loop. */
__asm__("    .section .rodata\n"
        "    .code16\n"
        "ap_start:\n"
        "    cli\n"
        "    lgdtl %cs:(1f - ap_start)\n"
        "    mov %cr0, %eax\n"
        "    or $1, %al\n"
        "    mov %eax, %cr0\n"
        "    ljmpl $8, $" STR(
            LOOP_PAGE) "\n"
                       "    .balign 8\n"
                       "1:  .word 23\n"
                       "    .long 2f - ap_start + " STR(
                           STARTUP_PAGE) "\n"
                                         "    .balign 8\n"
                                         "2:  .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n"
                                         "ap_end:\n"
                                         "    .code32\n"
                                         "ap_loop:\n"
                                         "    mov $16, %ax\n"
                                         "    mov %ax, %ds\n"
                                         "3:  incl " STR(COUNTER) "\n"
                                                                  "    jmp 3b\n"
                                                                  "ap_loop_end:\n"
                                                                  "    .code64\n"
                                                                  "    .text\n");

static void insist(uint32_t condition)
{
    while (!condition)
        ;
}

static void pause_ms(uint64_t ms)
{
    uint64_t start = __builtin_ia32_rdtsc();

    while (__builtin_ia32_rdtsc() - start < ms * 1000000) /* QEMU counts nanoseconds */
        ;
}

static volatile uint32_t *reg32(uint64_t at)
{
    return (volatile uint32_t *)at;
}

static volatile uint64_t *reg64(uint64_t at)
{
    return (volatile uint64_t *)at;
}

/* ---- VT-d ---- */

#define UNIT      0xfed90000
#define UNIT_GCMD (UNIT + 0x18)
#define UNIT_GSTS (UNIT + 0x1c)
#define UNIT_FSTS (UNIT + 0x34)
#define UNIT_IQT  (UNIT + 0x88)
#define TE        0x80000000
#define RTP       0x40000000
#define QIE       0x04000000
#define IRE       0x02000000
#define IRTP      0x01000000
#define IQE       0x10

enum { ROOT, CONTEXT, QUEUE, INTERRUPTS, RING, TABLES };
static EFI_PHYSICAL_ADDRESS tables;

static uint64_t table_at(unsigned which)
{
    return tables + (uint64_t)which * PAGE;
}

/* Every bus has the same context table, and every function in it passes. */
static EFI_STATUS prepare_tables(void)
{
    EFI_STATUS status =
        services->AllocatePages(AllocateAnyPages, EfiReservedMemoryType, TABLES, &tables);

    if (EFI_ERROR(status))
        return status;
    services->SetMem((void *)tables, TABLES * PAGE, 0);
    for (unsigned i = 0; i < PAGE / 8; i += 2) {
        reg64(table_at(ROOT))[i] = table_at(CONTEXT) | 1;
        reg64(table_at(CONTEXT))[i] = 2 << 2 | 1; /* passed through */
        reg64(table_at(CONTEXT))[i + 1] = 1 << 8 | 2;
    }
    reg64(table_at(QUEUE))[0] = 5; /* a wait that tells nobody */
    return EFI_SUCCESS;
}

static void command(uint32_t bits, uint32_t keep)
{
    *reg32(UNIT_GCMD) = bits | keep;
    while ((*reg32(UNIT_GSTS) & bits) != bits)
        ;
}

static void start_unit(void)
{
    *reg64(UNIT + 0x20) = table_at(ROOT);
    command(RTP, 0);
    *reg64(UNIT + 0xb8) = table_at(INTERRUPTS) | 7;
    command(IRTP, 0);
    *reg64(UNIT + 0x90) = table_at(QUEUE);
    command(TE, 0);
    command(IRE, TE);
    command(QIE, TE | IRE);
    *reg64(UNIT_IQT) = 32;
    insist(*reg32(UNIT_FSTS) & IQE);
}

/* ---- PCI: QEMU's e1000e at 00:14.0, a root port at 00:15.0 ---- */

#define CARD             0x14
#define PORT             0x15
#define COMMAND          4
#define MEMORY_AND_DMA   6
#define SERR             0x100
#define BAR              0x10
#define PORT_CONTROL     (0x54 + 8) /* Device Control */
#define REPORTS          0xf        /* of every kind of error */
#define RECEIVE          0x100
#define RECEIVE_ALL      0x801a /* on; unicast, multicast and broadcast alike */
#define RING_BASE        0x2800
#define RING_SIZE        0x2808
#define RING_TAIL        0x2818
#define DESCRIPTOR_BYTES 16
#define DESCRIPTORS      256
#define DONE             1 /* in the middle of a descriptor's second half */

static void outl(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t inl(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint32_t read_config(unsigned slot, uint32_t at)
{
    outl(0xcf8, 0x80000000 | slot << 11 | at);
    return inl(0xcfc);
}

/* Sets bits of a register's lower half, of which each has to stay. */
static void set_config(unsigned slot, uint32_t at, uint32_t bits)
{
    uint32_t value = read_config(slot, at) & 0xffff;

    outl(0xcfc, value | bits);
    insist((read_config(slot, at) & bits) == bits);
}

/* Every frame goes to the same page; the test sends some all the time. */
static void start_card(void)
{
    volatile uint64_t *ring = reg64(table_at(RING));
    uint64_t registers = read_config(CARD, BAR) & ~0xfu;

    set_config(CARD, COMMAND, MEMORY_AND_DMA);
    for (unsigned i = 0; i < DESCRIPTORS; i++)
        ring[2 * i] = FRAME_PAGE;
    *reg32(registers + RING_BASE) = (uint32_t)table_at(RING);
    *reg32(registers + RING_BASE + 4) = (uint32_t)(table_at(RING) >> 32);
    *reg32(registers + RING_SIZE) = DESCRIPTORS * DESCRIPTOR_BYTES;
    *reg32(registers + RING_TAIL) = DESCRIPTORS - 1;
    *reg32(registers + RECEIVE) = RECEIVE_ALL;
    while (!(ring[1] >> 32 & DONE))
        ;
    insist(*reg32(FRAME_PAGE + 8) != 0); /* its checksum comes alone, to the page's begin */
}

static void start_reports(void)
{
    set_config(PORT, COMMAND, SERR);
    set_config(PORT, PORT_CONTROL, REPORTS);
}

/* ---- timer and pins ---- */

#define HPET           0xfed00000
#define TIMER          (HPET + 0x140)
#define TIMER_MESSAGE  (1 << 14 | 1 << 8 | 1 << 6 | 1 << 3 | 1 << 2) /* 32 bits, periodic, edge */
#define COUNTS_PER_MS  100000
#define TICK_VECTOR    123
#define IO_APIC        0xfec00000
#define PIN            0x10
#define SMM_PIN        5
#define OPEN_PIN       6
#define DELIVER_AS_SMI 0x200

static void start_timer(void)
{
    insist(*reg32(TIMER) & 1 << 15);
    *reg32(HPET + 0x10) = 0;
    *reg64(HPET + 0xf0) = 0;
    *reg64(TIMER + 0x10) = (uint64_t)0xfee00000 << 32 | TICK_VECTOR;
    *reg32(TIMER) = TIMER_MESSAGE;
    *reg32(TIMER + 8) = 50 * COUNTS_PER_MS;
    *reg32(TIMER + 8) = 10 * COUNTS_PER_MS;
    *reg32(HPET + 0x10) = 1;
}

static void open_pin(unsigned pin, uint32_t low)
{
    *reg32(IO_APIC) = PIN + 2 * pin;
    *reg32(IO_APIC + 0x10) = low;
}

/* ---- second CPU ---- */

#define LOCAL_APIC 0xfee00000
#define INIT       0x4500
#define STARTUP    0x4600

static EFI_STATUS take_page(EFI_PHYSICAL_ADDRESS at, const char *code, UINTN size)
{
    EFI_STATUS status = services->AllocatePages(AllocateAddress, EfiBootServicesCode, 1, &at);

    if (EFI_ERROR(status))
        return status;
    services->SetMem((void *)at, PAGE, 0);
    services->CopyMem((void *)at, (void *)code, size);
    return EFI_SUCCESS;
}

static void to_second_cpu(uint32_t message)
{
    *reg32(LOCAL_APIC + 0x310) = 1 << 24;
    *reg32(LOCAL_APIC + 0x300) = message;
    pause_ms(10);
}

static void start_second_cpu(void)
{
    uint32_t before;

    to_second_cpu(INIT);
    to_second_cpu(STARTUP | STARTUP_PAGE / PAGE);
    to_second_cpu(STARTUP | STARTUP_PAGE / PAGE);
    before = *reg32(COUNTER);
    pause_ms(100);
    insist(*reg32(COUNTER) != before);
}

/* ---- the end of the firmware ---- */

static EFI_EXIT_BOOT_SERVICES exit_boot_services;

static EFI_STATUS EFIAPI leave_on(EFI_HANDLE image, UINTN key)
{
    EFI_STATUS status = exit_boot_services(image, key);

    if (EFI_ERROR(status))
        return status;
    __asm__ volatile("cli");
    start_second_cpu();
    open_pin(SMM_PIN, DELIVER_AS_SMI);
    open_pin(OPEN_PIN, TICK_VECTOR);
    start_unit();
    start_card();
    start_reports();
    start_timer();
    return EFI_SUCCESS;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_HANDLE loader;

    start_init(image, table);
    if (EFI_ERROR(take_page(STARTUP_PAGE, ap_start, (UINTN)(ap_end - ap_start))) ||
        EFI_ERROR(take_page(LOOP_PAGE, ap_loop, (UINTN)(ap_loop_end - ap_loop))) ||
        EFI_ERROR(take_page(FRAME_PAGE, ap_start, 0)) || EFI_ERROR(prepare_tables()) ||
        EFI_ERROR(load_loader(&loader))) {
        say(L"left-on: failed\r\n");
        return EFI_ABORTED;
    }
    exit_boot_services = services->ExitBootServices;
    services->ExitBootServices = leave_on;
    say(L"left-on: armed\r\n");
    return services->StartImage(loader, NULL, NULL);
}
