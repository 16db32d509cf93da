/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/replay/hardware.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/cpu/mmio.h"
#include "kernel/mm/paging/paging.h"
#include "tests/replay/functions.h"
#include "tests/unit/vtd_unit.h"

#define XSDT         (REPLAY_RSDP + 64)
#define TABLES       (UINT64_C(1) << 46) /* where nothing else is */
#define TABLE_STEP   (2 * MIB)
#define WINDOWS_MAX  4096
#define PINS_USUAL   24
#define PINS_MAX     120
#define UNIT_VERSION 0 /* register */

static const struct replay_file *file;

/* ---- memory of the firmware ---- */

static struct {
    uint8_t bytes[64 + 36 + 8 * REPLAY_TABLES_MAX]; /* root pointer and root table */
    size_t length;
} roots;

static void put(size_t at, uint64_t value, size_t bytes)
{
    memcpy(roots.bytes + at, &value, bytes);
}

static void mend(size_t first, size_t length, size_t at)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += roots.bytes[first + i];
    roots.bytes[first + at] = (uint8_t)(roots.bytes[first + at] - sum);
}

static void build_roots(void)
{
    const size_t xsdt = XSDT - REPLAY_RSDP, length = 36 + 8 * file->table_count;

    memcpy(roots.bytes, "RSD PTR ", 8);
    put(15, 2, 1);
    put(20, 36, 4);
    put(24, XSDT, 8);
    mend(0, 20, 8);
    mend(0, 36, 32);
    memcpy(roots.bytes + xsdt, "XSDT", 4);
    put(xsdt + 4, length, 4);
    for (size_t i = 0; i < file->table_count; i++)
        put(xsdt + 36 + 8 * i, TABLES + i * TABLE_STEP, 8);
    mend(xsdt, length, 9);
    roots.length = xsdt + length;
}

static int read_firmware(void *context, paddr_t at, void *to, size_t length)
{
    uint64_t index = (at - TABLES) / TABLE_STEP, offset = (at - TABLES) % TABLE_STEP;

    if (at >= REPLAY_RSDP && at + length <= REPLAY_RSDP + roots.length) {
        memcpy(to, roots.bytes + (at - REPLAY_RSDP), length);
        return 0;
    }
    if (at < TABLES || index >= file->table_count || offset + length > file->tables[index].length)
        return -1;
    memcpy(to, file->tables[index].bytes + offset, length);
    return 0;
}

const struct acpi_memory replay_memory = {read_firmware, NULL};

void replay_hardware(const struct replay_file *of)
{
    file = of;
    build_roots();
}

/* ---- what is where ---- */

struct io_apic {
    paddr_t base;
    unsigned pins;
    uint32_t select;
    uint32_t registers[0x10 + 2 * PINS_MAX];
};

static const struct acpi_info *tables;
static struct vtd_unit *units[REPLAY_UNITS_MAX];
static struct io_apic *io_apics;

/* As many as there is room for in the numbers of interrupts: the file does not tell. */
static unsigned pins_of(const struct acpi_info *acpi, size_t index)
{
    uint32_t first = acpi->io_apics[index].gsi_base, next = UINT32_MAX;

    for (size_t i = 0; i < acpi->io_apic_count; i++)
        if (acpi->io_apics[i].gsi_base > first)
            next = MIN(next, acpi->io_apics[i].gsi_base);
    return next == UINT32_MAX ? PINS_USUAL : MIN(next - first, PINS_MAX);
}

static void place_io_apics(const struct acpi_info *acpi)
{
    io_apics = calloc(acpi->io_apic_count + 1, sizeof(*io_apics));
    for (size_t i = 0; i < acpi->io_apic_count; i++) {
        io_apics[i].base = acpi->io_apics[i].base;
        io_apics[i].pins = pins_of(acpi, i);
        for (size_t n = 0x10; n < ARRAY_SIZE(io_apics[i].registers); n += 2)
            io_apics[i].registers[n] = 1 << 16; /* masked */
    }
}

void replay_place(const struct acpi_info *acpi)
{
    tables = acpi;
    place_io_apics(acpi);
    functions_place(file);
    for (size_t i = 0; i < file->unit_count; i++)
        units[i] = vtd_unit_add(file->units[i].base, file->units[i].cap, file->units[i].ecap);
}

/* ---- access by physical address ---- */

/* Its registers end where its capabilities say. */
static uint64_t size_of_unit(const struct replay_unit *unit)
{
    uint64_t iotlb = bits_get(unit->ecap, 17, 8) * 16 + 16;
    uint64_t faults = bits_get(unit->cap, 33, 24) * 16 + 16 * (bits_get(unit->cap, 47, 40) + 1);

    return MAX(PAGE_SIZE, MAX(iotlb, faults));
}

static size_t unit_at(paddr_t at)
{
    size_t i = 0;

    while (i < file->unit_count &&
           (at < file->units[i].base || at - file->units[i].base >= size_of_unit(&file->units[i])))
        i++;
    return i;
}

static uint32_t *io_apic_register(paddr_t at)
{
    for (size_t i = 0; i < tables->io_apic_count; i++) {
        struct io_apic *a = &io_apics[i];

        if (at == a->base)
            return &a->select;
        a->registers[1] = (a->pins - 1) << 16 | 0x20;
        if (at == a->base + 0x10)
            return &a->registers[MIN(a->select, ARRAY_SIZE(a->registers) - 1)];
    }
    return NULL;
}

/* The function whose configuration space is there: of which there is some for every bus. */
static bool in_ecam(paddr_t at, uint16_t *segment, uint16_t *rid, unsigned *offset)
{
    for (size_t i = 0; i < tables->ecam_count; i++) {
        const struct acpi_ecam *e = &tables->ecams[i];
        uint64_t distance = at - e->base;

        if (at < e->base || distance / MIB < e->first_bus || distance / MIB > e->last_bus)
            continue;
        *segment = e->segment;
        *rid = (uint16_t)(distance / 4096);
        *offset = (unsigned)(distance % 4096);
        return true;
    }
    return false;
}

static bool is_dead_unit(paddr_t at)
{
    for (size_t i = 0; i < tables->dmar.unit_count; i++)
        if (tables->dmar.units[i].registers == ALIGN_DOWN(at, PAGE_SIZE))
            return true;
    return false;
}

static uint64_t read_physical(paddr_t at, unsigned width)
{
    size_t unit = unit_at(at);
    uint16_t segment, rid;
    unsigned offset;
    const uint32_t *pin;

    if (unit < file->unit_count && at == file->units[unit].base + UNIT_VERSION)
        return file->units[unit].version;
    if (unit < file->unit_count)
        return vtd_unit_read(units[unit], at - file->units[unit].base, width);
    if (is_dead_unit(at))
        return UINT64_MAX;
    if (in_ecam(at, &segment, &rid, &offset))
        return functions_read(segment, rid, offset, width);
    pin = io_apic_register(at);
    return pin ? *pin : 0;
}

static void write_physical(paddr_t at, unsigned width, uint64_t value)
{
    size_t unit = unit_at(at);
    uint16_t segment, rid;
    unsigned offset;
    uint32_t *pin;

    if (unit < file->unit_count)
        vtd_unit_write(units[unit], at - file->units[unit].base, value, width);
    else if (in_ecam(at, &segment, &rid, &offset))
        functions_write(segment, rid, offset, width, value);
    else if ((pin = io_apic_register(at)))
        *pin = (uint32_t)value;
}

/* ---- kernel/cpu/mmio.h: address space without memory, whose addresses count alone ---- */

static struct window {
    char *at;
    uint64_t length;
    paddr_t base;
} windows[WINDOWS_MAX];

void *mmio_map(paddr_t base, uint64_t length)
{
    size_t i = 0;

    while (i < WINDOWS_MAX && windows[i].at)
        i++;
    if (i == WINDOWS_MAX)
        return NULL;
    windows[i] = (struct window){
        mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), length,
        base};
    if (windows[i].at == MAP_FAILED)
        abort();
    return windows[i].at;
}

static struct window *window_of(const volatile void *at)
{
    const volatile char *p = at;

    for (size_t i = 0; i < WINDOWS_MAX; i++)
        if (windows[i].at && p >= windows[i].at && p < windows[i].at + windows[i].length)
            return &windows[i];
    abort();
}

void mmio_unmap(void *mapped, uint64_t length)
{
    struct window *window = window_of(mapped);

    munmap(window->at, window->length);
    window->at = NULL;
}

static uint64_t read_any(const volatile void *at, unsigned width)
{
    const struct window *window = window_of(at);

    return read_physical(window->base + (uint64_t)((const volatile char *)at - window->at), width);
}

static void write_any(volatile void *at, unsigned width, uint64_t value)
{
    const struct window *window = window_of(at);

    write_physical(window->base + (uint64_t)((volatile char *)at - window->at), width, value);
}

uint8_t mmio_read8(const volatile void *at)
{
    return (uint8_t)read_any(at, 1);
}

uint16_t mmio_read16(const volatile void *at)
{
    return (uint16_t)read_any(at, 2);
}

uint32_t mmio_read32(const volatile void *at)
{
    return (uint32_t)read_any(at, 4);
}

uint64_t mmio_read64(const volatile void *at)
{
    return read_any(at, 8);
}

void mmio_write8(volatile void *at, uint8_t value)
{
    write_any(at, 1, value);
}

void mmio_write16(volatile void *at, uint16_t value)
{
    write_any(at, 2, value);
}

void mmio_write32(volatile void *at, uint32_t value)
{
    write_any(at, 4, value);
}

void mmio_write64(volatile void *at, uint64_t value)
{
    write_any(at, 8, value);
}
