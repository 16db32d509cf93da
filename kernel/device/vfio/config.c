/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/vfio/config.h"

#include "kernel/lib/string.h"
#include "kernel/pci/registers.h"

#define FIRST_SIZE     256
#define LIST_STEPS_MAX ((VFIO_CONFIG_MAX - PCI_EXT_CAP_START) / 4)

static uint32_t read_hardware(const struct vfio_config *c, unsigned offset, unsigned width)
{
    if (width == 1)
        return pci_read8(c->device, offset);
    return width == 2 ? pci_read16(c->device, offset) : pci_read32(c->device, offset);
}

static void write_hardware(const struct vfio_config *c, unsigned offset, unsigned width,
                           uint32_t value)
{
    if (width == 1)
        pci_write8(c->device, offset, (uint8_t)value);
    else if (width == 2)
        pci_write16(c->device, offset, (uint16_t)value);
    else
        pci_write32(c->device, offset, value);
}

static uint32_t get(const uint8_t *bytes, unsigned offset, unsigned width)
{
    uint32_t value = 0;

    memcpy(&value, bytes + offset, width); /* little endian, as configuration space */
    return value;
}

static void set(uint8_t *bytes, unsigned offset, unsigned width, uint32_t value)
{
    memcpy(bytes + offset, &value, width);
}

/* Lays one table over the space from `base` on, without going past `end`. */
static void apply(struct vfio_config *c, unsigned base, unsigned end,
                  const struct config_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct config_field *f = &fields[i];
        unsigned at = base + f->offset, width = MIN(f->width, end - MIN(at, end));

        if (width == 0)
            continue;
        set(c->copied, at, width, f->copy);
        set(c->writable, at, width, f->write);
        memset(c->action + at, f->action, width);
    }
}

/* One byte or word that is always our copy's, such as the link to the next capability. */
static void fix(struct vfio_config *c, unsigned offset, unsigned width, uint32_t value)
{
    set(c->copied, offset, width, 0xffffffff);
    set(c->copy, offset, width, value);
}

/* Lays out a capability, or, if there is no row for it, shuts it. */
static void lay_out(struct vfio_config *c, const struct config_capability *cap, unsigned offset,
                    unsigned end)
{
    static const struct config_capability hidden;
    unsigned size;

    if (!cap)
        cap = &hidden;
    size = cap->measure ? cap->measure(c->device, offset) : cap->size;
    memset(c->action + offset, size ? CONFIG_NOTHING : CONFIG_SHUT,
           MIN(size ? size : 4, end - offset));
    apply(c, offset, MIN(offset + size, end), cap->fields, cap->count);
}

/* Those whose registers are used elsewhere; they must lie inside the space. */
static void note_offset(struct vfio_config *c, uint8_t id, unsigned offset)
{
    if (offset + 8 > FIRST_SIZE)
        return;
    if (id == PCI_CAP_PM)
        c->power = (uint16_t)offset;
    else if (id == PCI_CAP_VPD)
        c->vital_data = (uint16_t)offset;
}

/* Shows the capabilities that have a row, each linked to the next one that does. */
static void show_capabilities(struct vfio_config *c)
{
    const struct pci_device *d = c->device;
    unsigned link = PCI_CAPABILITIES, offset;

    fix(c, link, 1, 0);
    if (!(pci_read16(d, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
        return;
    offset = pci_read8(d, PCI_CAPABILITIES) & ~3u;
    for (unsigned i = 0; i < FIRST_SIZE / 4 && offset >= PCI_HEADER_END; i++) {
        const struct config_capability *cap = config_capability_find(false, pci_read8(d, offset));

        /* A capability that is shown already ends a list that loops. */
        if (c->copied[offset + 1])
            break;
        lay_out(c, cap, offset, FIRST_SIZE);
        if (cap) {
            fix(c, link, 1, offset);
            link = offset + 1;
            fix(c, link, 1, 0);
            note_offset(c, (uint8_t)cap->id, offset);
        }
        offset = pci_read8(d, offset + 1) & ~3u;
    }
}

/* The list cannot start elsewhere, so a hidden first capability becomes one with id 0. */
static void show_extended(struct vfio_config *c)
{
    const struct pci_device *d = c->device;
    unsigned link = PCI_EXT_CAP_START, offset = PCI_EXT_CAP_START;

    if (d->config_size <= PCI_EXT_CAP_START)
        return;
    fix(c, PCI_EXT_CAP_START, 4, 0);
    memset(c->action + PCI_EXT_CAP_START, CONFIG_NOTHING, 4);
    for (unsigned i = 0; i < LIST_STEPS_MAX && offset >= PCI_EXT_CAP_START; i++) {
        uint32_t header = pci_read32(d, offset);
        const struct config_capability *cap = config_capability_find(true, header & 0xffff);

        if (header == 0 || header == 0xffffffff)
            break;
        if (i > 0 && c->copied[offset + 3])
            break; /* shown already: the list loops */
        lay_out(c, cap, offset, d->config_size);
        if (cap) {
            if (i > 0)
                set(c->copy, link, 4, (get(c->copy, link, 4) & 0xfffff) | offset << 20);
            link = offset;
            fix(c, link, 4, header & 0xfffff);
        }
        offset = (header >> 20) & ~3u;
    }
}

/* Bytes of no capability, but for those behind one whose end is not known. */
static void open_unnamed(struct vfio_config *c)
{
    bool shut = false;

    for (unsigned i = PCI_HEADER_END; i < c->device->config_size; i++) {
        if (c->action[i] != CONFIG_UNNAMED)
            shut = c->action[i] == CONFIG_SHUT;
        else if (!shut)
            c->action[i] = CONFIG_RAW;
    }
}

/* The address bits from the size upwards can be written: so the payload learns the size. */
static void lay_out_address(struct vfio_config *c, unsigned offset, uint32_t value, uint64_t mask)
{
    fix(c, offset, 4, value);
    set(c->writable, offset, 4, (uint32_t)mask);
}

static uint32_t kind_of(const struct pci_bar *bar)
{
    if (bar->flags & PCI_BAR_IO)
        return PCI_BAR_SPACE_IO;
    return (bar->flags & PCI_BAR_PREFETCH ? PCI_BAR_PREFETCHED : 0) |
           (bar->flags & PCI_BAR_64 ? PCI_BAR_TYPE_64 : 0);
}

static void lay_out_bars(struct vfio_config *c)
{
    const struct pci_bar *rom = &c->device->rom;

    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &c->device->bars[i];
        uint64_t mask = -bar->size, base = bar->base & mask; /* none without a size */

        lay_out_address(c, PCI_BAR0 + 4 * i, (uint32_t)base | (mask ? kind_of(bar) : 0), mask);
        if (mask && (bar->flags & PCI_BAR_64) && i + 1 < PCI_BARS) {
            i++;
            lay_out_address(c, PCI_BAR0 + 4 * i, (uint32_t)(base >> 32), mask >> 32);
        }
    }
    lay_out_address(c, PCI_ROM_DEVICE, (uint32_t)rom->base,
                    rom->base ? -rom->size | PCI_ROM_ENABLE : 0);
}

/* Bits of a word that the payload sets in the hardware. */
static uint16_t set_there(const struct vfio_config *c, unsigned offset)
{
    return (uint16_t)(get(c->writable, offset, 2) & ~get(c->copied, offset, 2));
}

/* The payload changes them from what they are now. */
static void remember_hardware(struct vfio_config *c)
{
    for (unsigned offset = 0; offset < FIRST_SIZE; offset += 2) {
        uint16_t there = set_there(c, offset);

        if (there)
            set(c->copy, offset, 2,
                get(c->copy, offset, 2) | (pci_read16(c->device, offset) & there));
    }
}

void vfio_config_init(struct vfio_config *c, const struct pci_device *device)
{
    uint16_t command = pci_read16(device, PCI_COMMAND);

    memset(c, 0, sizeof(*c));
    c->device = device;
    memset(c->action, CONFIG_NOTHING, PCI_HEADER_END);
    apply(c, 0, PCI_HEADER_END, config_header, config_header_count);
    if (device->physical) { /* shows neither ids nor that its memory is always decoded */
        fix(c, PCI_VENDOR, 4, device->vendor | (uint32_t)device->device << 16);
        command = PCI_COMMAND_MEMORY;
    }
    set(c->copy, PCI_COMMAND, 2, command & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    set(c->copy, PCI_INTERRUPT_LINE, 1, pci_read8(device, PCI_INTERRUPT_LINE));
    set(c->copy, PCI_INTERRUPT_PIN, 1, device->intx_gsi ? device->intx_pin : 0);
    lay_out_bars(c);
    show_capabilities(c);
    show_extended(c);
    if (device->raw_config)
        open_unnamed(c);
    remember_hardware(c);
}

unsigned vfio_config_size(const struct vfio_config *c)
{
    return c->device->config_size;
}

uint32_t vfio_config_read(const struct vfio_config *c, unsigned offset, unsigned width)
{
    uint32_t copied = get(c->copied, offset, width);
    uint32_t value = get(c->copy, offset, width) & copied;
    uint32_t all = width == 4 ? 0xffffffff : (1u << (8 * width)) - 1;

    if (copied != all)
        value |= read_hardware(c, offset, width) & ~copied;
    return value;
}

/* What the bytes just written call for. Requests for a reset vanish from the copy. */
static unsigned actions_of(struct vfio_config *c, unsigned offset, unsigned width)
{
    unsigned actions = 0;

    for (unsigned i = offset; i < offset + width; i++) {
        uint8_t request = c->copy[i] & c->copied[i] & c->writable[i];

        if (!c->writable[i] || (c->action[i] == CONFIG_RESET && !request))
            continue;
        if (c->action[i] == CONFIG_RESET)
            c->copy[i] &= (uint8_t)~request;
        actions |= (unsigned)BIT(c->action[i]);
    }
    return actions & ~(unsigned)BIT(CONFIG_NOTHING);
}

/* In one piece if all of it is raw. */
static void write_raw(const struct vfio_config *c, unsigned offset, unsigned width, uint32_t value)
{
    unsigned raw = 0;

    for (unsigned i = 0; i < width; i++)
        raw += c->action[offset + i] == CONFIG_RAW;
    if (raw == width)
        write_hardware(c, offset, width, value);
    else if (raw)
        for (unsigned i = 0; i < width; i++)
            if (c->action[offset + i] == CONFIG_RAW)
                write_hardware(c, offset + i, 1, value >> (8 * i));
}

/*
 * Changes bits of the hardware, in pieces no larger than two bytes: writing back what was read from
 * a status register next door would clear it.
 */
static void change_hardware(const struct vfio_config *c, unsigned offset, unsigned width,
                            uint32_t mask, uint32_t value)
{
    unsigned piece = MIN(width, 2u);

    for (unsigned i = 0; i < width; i += piece) {
        uint32_t part = get((const uint8_t *)&mask, i, piece);

        if (part)
            write_hardware(c, offset + i, piece,
                           (read_hardware(c, offset + i, piece) & ~part) |
                               (get((const uint8_t *)&value, i, piece) & part));
    }
}

unsigned vfio_config_write(struct vfio_config *c, unsigned offset, unsigned width, uint32_t value)
{
    uint32_t writable = get(c->writable, offset, width);
    uint32_t there = writable & ~get(c->copied, offset, width);

    set(c->copy, offset, width, (get(c->copy, offset, width) & ~writable) | (value & writable));
    change_hardware(c, offset, width, there, value);
    write_raw(c, offset, width, value);
    return actions_of(c, offset, width);
}

void vfio_config_restore(struct vfio_config *c)
{
    for (unsigned offset = 0; offset < FIRST_SIZE; offset += 2)
        change_hardware(c, offset, 2, set_there(c, offset), get(c->copy, offset, 2));
    if (c->power)
        c->copy[c->power + PCI_PM_CONTROL] &= (uint8_t)~PCI_PM_STATE;
}

uint16_t vfio_config_command(const struct vfio_config *c)
{
    return (uint16_t)get(c->copy, PCI_COMMAND, 2);
}

bool vfio_config_powered(const struct vfio_config *c)
{
    return !c->power || !(get(c->copy, c->power + PCI_PM_CONTROL, 2) & PCI_PM_STATE);
}
