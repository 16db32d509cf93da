/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/replay/functions.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/pci/registers.h"

#define BRIDGE_BARS 2
#define DEVICE_BARS 6
#define ROM_INDEX   6
#define VIRTUAL     7 /* index of the first BAR of virtual functions */
#define HOPS_MAX    1024

struct function {
    struct replay_function *is;
    uint8_t writable[4096]; /* bits that keep what is written */
};

static struct function *functions;
static size_t function_count;

static uint64_t get(const uint8_t *bytes, unsigned at, unsigned width)
{
    uint64_t value = 0;

    memcpy(&value, bytes + at, width);
    return value;
}

static void keeps(struct function *f, unsigned at, unsigned width, uint64_t bits)
{
    if (at + width <= f->is->size)
        memcpy(f->writable + at, &bits, width);
}

/* ---- which bits ---- */

/* The registers at `offset`, with the sizes from `first` on. Returns nothing: flags stay. */
static void bars_keep(struct function *f, unsigned offset, unsigned first, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t size = f->is->bars[first + i];
        uint32_t flags = (uint32_t)get(f->is->config, offset + 4 * i, 4);
        bool wide = !(flags & PCI_BAR_SPACE_IO) && (flags & PCI_BAR_TYPE_MASK) == PCI_BAR_TYPE_64;
        uint64_t mask = size ? ~(size - 1) : 0;

        keeps(f, offset + 4 * i, 4,
              mask & (flags & PCI_BAR_SPACE_IO ? PCI_BAR_IO_MASK : PCI_BAR_MEM_MASK));
        if (wide && i + 1 < count)
            keeps(f, offset + 4 * ++i, 4, mask >> 32);
    }
}

static void header_keeps(struct function *f)
{
    bool bridge = (f->is->config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_BRIDGE;
    uint64_t rom = f->is->bars[ROM_INDEX];

    keeps(f, PCI_COMMAND, 2, 0x0547);
    keeps(f, PCI_CACHE_LINE, 2, 0xffff);
    keeps(f, PCI_INTERRUPT_LINE, 1, 0xff);
    bars_keep(f, PCI_BAR0, 0, bridge ? BRIDGE_BARS : DEVICE_BARS);
    keeps(f, bridge ? PCI_ROM_BRIDGE : PCI_ROM_DEVICE, 4,
          rom ? (~(rom - 1) & PCI_ROM_ADDRESS) | PCI_ROM_ENABLE : 0);
    if (!bridge)
        return;
    keeps(f, PCI_PRIMARY_BUS, 4, 0x00ffffff);
    keeps(f, PCI_IO_BASE, 2, 0xf0f0);
    keeps(f, PCI_MEMORY_BASE, 4, 0xfff0fff0);
    keeps(f, PCI_PREFETCH_BASE, 4, 0xfff0fff0);
    keeps(f, PCI_PREFETCH_UPPER, 8, UINT64_MAX);
    keeps(f, PCI_IO_UPPER, 4, UINT32_MAX);
    keeps(f, PCI_BRIDGE_CONTROL, 2, 0x0bff);
}

/* Control registers of capabilities. What is not here is as if it were wired. */
static const struct control {
    uint16_t id, at, bits;
} controls[] = {
    {PCI_CAP_PM, PCI_PM_CONTROL, PCI_PM_STATE}, {PCI_CAP_MSI, 2, 0x0071},
    {PCI_CAP_MSIX, PCI_MSIX_CONTROL, 0xc000},   {PCI_CAP_PCIE, PCIE_DEVICE_CONTROL, 0x7fff},
    {PCI_CAP_PCIE, PCIE_LINK_CONTROL, 0x0fff},  {PCI_CAP_PCIE, PCIE_SLOT_CONTROL, 0x1fff},
    {PCI_CAP_PCIE, PCIE_ROOT_CONTROL, 0x001f},  {PCI_CAP_PCIE, PCIE_DEVICE_CTL2, 0xffff},
};

static const struct control extended_controls[] = {
    {PCI_EXT_CAP_AER, 0x08, 0xffff},   {PCI_EXT_CAP_AER, 0x0a, 0xffff},
    {PCI_EXT_CAP_AER, 0x0c, 0xffff},   {PCI_EXT_CAP_AER, 0x0e, 0xffff},
    {PCI_EXT_CAP_AER, 0x14, 0xffff},   {PCI_EXT_CAP_AER, 0x2c, 0x0007},
    {PCI_EXT_CAP_ATS, 0x06, 0x801f},   {PCI_EXT_CAP_SRIOV, 0x08, 0x001f},
    {PCI_EXT_CAP_SRIOV, 0x10, 0xffff}, {PCI_EXT_CAP_DPC, 0x06, 0xffff},
};

static void controls_keep(struct function *f, unsigned at, unsigned id, const struct control *of,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (of[i].id == id)
            keeps(f, at + of[i].at, 2, of[i].bits);
}

/* What the capability register offers; of words, and as some ports have it, of double words. */
static void access_control_keeps(struct function *f, unsigned at)
{
    keeps(f, at + 6, 2, get(f->is->config, at + 4, 2));
    if (at + 12 <= f->is->size)
        keeps(f, at + 8, 4, get(f->is->config, at + 4, 4));
}

static void extended_keeps(struct function *f)
{
    unsigned at = PCI_EXT_CAP_START, hops = 0;

    while (at >= PCI_EXT_CAP_START && at + 16 <= f->is->size && hops++ < HOPS_MAX) {
        unsigned id = (unsigned)get(f->is->config, at, 2);

        controls_keep(f, at, id, extended_controls, ARRAY_SIZE(extended_controls));
        if (id == PCI_EXT_CAP_ACS)
            access_control_keeps(f, at);
        if (id == PCI_EXT_CAP_SRIOV && at + 0x40 <= f->is->size)
            bars_keep(f, at + 0x24, VIRTUAL, DEVICE_BARS);
        at = (unsigned)get(f->is->config, at + 2, 2) >> 4 & ~3u;
    }
}

static void capabilities_keep(struct function *f)
{
    unsigned at = f->is->config[PCI_CAPABILITIES] & ~3u, hops = 0;

    while (at >= PCI_HEADER_END && at + 4 <= MIN(f->is->size, 256) && hops++ < HOPS_MAX) {
        controls_keep(f, at, f->is->config[at], controls, ARRAY_SIZE(controls));
        at = f->is->config[at + 1] & ~3u;
    }
}

void functions_place(const struct replay_file *file)
{
    functions = calloc(file->function_count + 1, sizeof(*functions));
    function_count = file->function_count;
    for (size_t i = 0; i < function_count; i++) {
        functions[i].is = file->functions[i];
        header_keeps(&functions[i]);
        if (functions[i].is->config[PCI_STATUS] & PCI_STATUS_CAPABILITIES)
            capabilities_keep(&functions[i]);
        extended_keeps(&functions[i]);
    }
}

/* ---- access ---- */

static struct function *find(uint16_t segment, uint16_t rid)
{
    uint32_t place = (uint32_t)segment << 16 | rid;
    size_t low = 0, high = function_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct replay_function *is = functions[middle].is;
        uint32_t there = (uint32_t)is->segment << 16 | is->rid;

        if (there == place)
            return &functions[middle];
        if (there < place)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

uint64_t functions_read(uint16_t segment, uint16_t rid, unsigned offset, unsigned width)
{
    const struct function *f = find(segment, rid);

    return f && offset + width <= f->is->size ? get(f->is->config, offset, width) : UINT64_MAX;
}

void functions_write(uint16_t segment, uint16_t rid, unsigned offset, unsigned width,
                     uint64_t value)
{
    struct function *f = find(segment, rid);

    for (unsigned i = 0; f && i < width && offset + i < f->is->size; i++) {
        uint8_t mask = f->writable[offset + i];
        uint8_t *byte = &f->is->config[offset + i];

        *byte = (uint8_t)((*byte & ~mask) | ((value >> 8 * i) & mask));
    }
}
