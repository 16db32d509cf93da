/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sim_pci.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/time.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/group.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_thread.h"

#define FUNCTIONS_MAX 512
#define ECAM_SIZE     (256 * MIB)

const struct acpi_ecam sim_ecams[SIM_SEGMENTS] = {
    {SIM_ECAM, 0, 0, 255},
    {SIM_ECAM + ECAM_SIZE, 1, 0, 255},
};

struct sim_access sim_accesses[64];
size_t sim_access_count;
uint64_t sim_config_writes;
size_t sim_mappings;
void (*sim_on_change)(const struct sim_function *f, const char *event);
void (*sim_on_write)(const struct sim_function *f, unsigned offset);
bool sim_map_fails;

static struct sim_function *functions[FUNCTIONS_MAX];
static size_t function_count;

/* Address space without memory: whoever bypasses mmio_*() crashes. */
static char *ecam_window;

static void forget_enumerated(void)
{
    while (!list_empty(pci_groups())) {
        struct pci_group *g = list_first(pci_groups(), struct pci_group, link);

        list_remove(&g->link);
        kfree(g->requesters);
        kfree(g->members);
        kfree(g);
    }
    while (!list_empty(pci_devices())) {
        struct pci_device *d = list_first(pci_devices(), struct pci_device, link);

        list_remove(&d->link);
        kfree(d);
    }
}

void sim_reset(void)
{
    forget_enumerated();
    for (size_t i = 0; i < function_count; i++) {
        for (unsigned b = 0; b <= SIM_ROM; b++)
            free(functions[i]->bar_memory[b]);
        free(functions[i]);
    }
    function_count = 0;
    host_now_ns = NS_PER_S;
    sim_access_count = 0;
    sim_config_writes = 0;
    sim_mappings = 0;
    sim_map_fails = false;
    sim_on_change = NULL;
    sim_on_write = NULL;
}

void *mmio_map(paddr_t base, uint64_t length)
{
    if (sim_map_fails)
        return NULL;
    if (!ecam_window) {
        ecam_window = mmap(NULL, SIM_SEGMENTS * ECAM_SIZE, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (ecam_window == MAP_FAILED)
            abort();
    }
    sim_mappings++;
    if (base >= SIM_ECAM && base + length <= SIM_ECAM + SIM_SEGMENTS * ECAM_SIZE)
        return ecam_window + (base - SIM_ECAM);
    for (size_t i = 0; i < function_count; i++) {
        struct sim_function *f = functions[i];

        for (unsigned b = 0; b <= SIM_ROM; b++)
            if (f->bar_size[b] && base >= f->bar_base[b] &&
                base + length <= f->bar_base[b] + f->bar_size[b])
                return f->bar_memory[b] + (base - f->bar_base[b]);
    }
    abort(); /* the code under test maps something that is not there */
}

void mmio_unmap(void *mapped, uint64_t length)
{
    sim_mappings--;
}

/* Fields of the configuration, little endian. */
void sim_set(struct sim_function *f, unsigned offset, unsigned width, uint64_t value,
             uint64_t writable)
{
    memcpy(f->config + offset, &value, width);
    memcpy(f->writable + offset, &writable, width);
}

uint64_t sim_get(const struct sim_function *f, unsigned offset, unsigned width)
{
    uint64_t value = 0;

    memcpy(&value, f->config + offset, width);
    return value;
}

static void set_reset_values(struct sim_function *f)
{
    memcpy(f->after_reset, f->config, sizeof(f->config));
    /* Enables are off and BARs forgotten after a reset, whatever the firmware had set. */
    memset(f->after_reset + PCI_COMMAND, 0, 2);
    for (unsigned i = 0; i < SIM_BARS * 4; i++)
        f->after_reset[PCI_BAR0 + i] &= (uint8_t)~f->writable[PCI_BAR0 + i];
}

static bool is_below(const struct sim_function *f, const struct sim_function *bridge)
{
    unsigned bus = f->rid >> 8;

    return bridge->config[PCI_HEADER_TYPE] % 0x80 == PCI_HEADER_BRIDGE &&
           f->segment == bridge->segment && bus >= bridge->config[PCI_SECONDARY_BUS] &&
           bus <= bridge->config[PCI_SUBORDINATE_BUS];
}

/* The bridge right above, if any: of those that lead there, the one with the highest bus number. */
static const struct sim_function *bridge_above(const struct sim_function *f)
{
    const struct sim_function *above = NULL;

    for (size_t i = 0; i < function_count; i++)
        if (is_below(f, functions[i]) &&
            (!above || functions[i]->config[PCI_SECONDARY_BUS] > above->config[PCI_SECONDARY_BUS]))
            above = functions[i];
    return above;
}

void sim_remember(void)
{
    for (size_t i = 0; i < function_count; i++) {
        set_reset_values(functions[i]);
        functions[i]->above = bridge_above(functions[i]);
    }
}

/* Then a bridge passes nothing on. */
static bool asleep(const struct sim_function *f)
{
    return f->pm && (sim_get(f, f->pm + PCI_PM_CONTROL, 2) & PCI_PM_STATE) == PCI_PM_D3HOT;
}

static bool answers(const struct sim_function *f)
{
    if (host_now_ns < f->answers_from)
        return false;
    if (f->physical && (!answers(f->physical) ||
                        !(sim_get(f->physical, f->physical->sriov + PCI_SRIOV_CONTROL, 2) &
                          PCI_SRIOV_CONTROL_ENABLE)))
        return false;
    if (f->ari_port &&
        !(sim_get(f->ari_port, f->ari_port->pcie + PCIE_DEVICE_CTL2, 2) & PCIE_DEVICE_CTL2_ARI))
        return false;
    return !f->above || (is_below(f, f->above) && !asleep(f->above) && answers(f->above));
}

static void tell(const struct sim_function *f, const char *event)
{
    if (sim_on_change)
        sim_on_change(f, event);
}

static void reset_function(struct sim_function *f)
{
    tell(f, host_now_ns < f->pending_until ? "reset while pending" : "reset");
    memcpy(f->config, f->after_reset, sizeof(f->config));
    f->answers_from = f->reset_time == SIM_NEVER ? SIM_NEVER : host_now_ns + f->reset_time;
    f->resets++;
    for (size_t i = 0; f->sriov && i < function_count; i++)
        if (functions[i]->physical == f)
            reset_function(functions[i]);
}

static struct sim_function *at_address(const volatile void *at, unsigned *offset)
{
    uint64_t distance = (uint64_t)((const volatile char *)at - ecam_window);

    *offset = distance % 4096;
    for (size_t i = 0; i < function_count; i++)
        if (functions[i]->segment == distance / ECAM_SIZE &&
            functions[i]->rid == distance % ECAM_SIZE / 4096)
            return functions[i];
    return NULL;
}

static bool in_ecam(const volatile void *at)
{
    const volatile char *p = at;

    return ecam_window && p >= ecam_window && p < ecam_window + SIM_SEGMENTS * ECAM_SIZE;
}

/* A ROM answers while it is switched on and memory decoded. */
static bool bar_answers(const struct sim_function *f, unsigned bar)
{
    return bar != SIM_ROM || ((f->config[PCI_ROM_DEVICE] & PCI_ROM_ENABLE) &&
                              (f->config[PCI_COMMAND] & PCI_COMMAND_MEMORY));
}

/* The BAR memory an address lies in: its physical address; PADDR_NONE: nobody answers there. */
static paddr_t bar_address(const volatile void *at)
{
    for (size_t i = 0; i < function_count; i++) {
        const struct sim_function *f = functions[i];

        for (unsigned b = 0; b <= SIM_ROM; b++) {
            uintptr_t distance = (uintptr_t)at - (uintptr_t)f->bar_memory[b];

            if (f->bar_memory[b] && distance < f->bar_size[b])
                return bar_answers(f, b) ? f->bar_base[b] + distance : PADDR_NONE;
        }
    }
    abort();
}

static void record(const volatile void *at, unsigned width, bool write, uint64_t value)
{
    if (sim_access_count == ARRAY_SIZE(sim_accesses))
        abort();
    sim_accesses[sim_access_count++] = (struct sim_access){bar_address(at), width, write, value};
}

/* The end of a cycle: the flag turns. */
static void finish_cycle(struct sim_function *f)
{
    uint16_t address = (uint16_t)sim_get(f, f->vpd + PCI_VPD_ADDRESS, 2);
    uint8_t *there = f->vital_data + (address & 0x7fff) % sizeof(f->vital_data);

    if (!f->vpd_pending || host_now_ns < f->vpd_done)
        return;
    f->vpd_pending = false;
    if (address & PCI_VPD_FLAG)
        memcpy(there, f->config + f->vpd + PCI_VPD_DATA, 4);
    else
        memcpy(f->config + f->vpd + PCI_VPD_DATA, there, 4);
    f->config[f->vpd + PCI_VPD_ADDRESS + 1] ^= PCI_VPD_FLAG >> 8;
}

static uint64_t read_config(const volatile void *at, unsigned width)
{
    unsigned offset;
    struct sim_function *f = at_address(at, &offset);
    uint64_t value;

    if (f && f->asks_for_retry && host_now_ns < f->answers_from && offset == PCI_VENDOR)
        return UINT64_C(0xffffffffffff0001);
    if (!f || !answers(f))
        return UINT64_MAX;
    if (f->vpd)
        finish_cycle(f);
    value = sim_get(f, offset, width);
    if (f->pcie && offset == f->pcie + PCIE_LINK_STATUS && host_now_ns < f->link_from)
        value &= ~(uint64_t)PCIE_LINK_STATUS_ACTIVE;
    if (f->pcie && offset == f->pcie + PCIE_DEVICE_STATUS && host_now_ns < f->pending_until)
        value |= PCIE_DEVICE_STATUS_PENDS;
    if (f->af && offset == f->af + PCI_AF_STATUS && host_now_ns < f->pending_until)
        value |= PCI_AF_STATUS_PENDS;
    return value;
}

/* As the machine was set up: a reset takes bus numbers from bridges on the way. */
static bool leads_to(const struct sim_function *bridge, const struct sim_function *f)
{
    for (f = f->above; f; f = f->above)
        if (f == bridge)
            return true;
    return false;
}

static void after_write(struct sim_function *f, uint64_t old_command, uint64_t old_pm)
{
    uint64_t command = sim_get(f, PCI_COMMAND, 2);

    if ((old_command & PCI_COMMAND_MASTER) && !(command & PCI_COMMAND_MASTER))
        f->pending_until = f->pending_time == SIM_NEVER ? SIM_NEVER : host_now_ns + f->pending_time;
    if ((old_command ^ command) & PCI_COMMAND_MASTER)
        tell(f, command & PCI_COMMAND_MASTER ? "bus mastering on" : "bus mastering off");
    if (f->pcie && (f->config[f->pcie + PCIE_DEVICE_CONTROL + 1] & 0x80) &&
        f->config[PCI_HEADER_TYPE] % 0x80 != PCI_HEADER_BRIDGE)
        reset_function(f);
    if (f->af && (f->config[f->af + PCI_AF_CONTROL] & PCI_AF_FLR))
        reset_function(f);
    if (f->pm && (old_pm & PCI_PM_STATE) == PCI_PM_D3HOT &&
        !(sim_get(f, f->pm + PCI_PM_CONTROL, 2) & PCI_PM_STATE) && !f->pm_keeps_state)
        reset_function(f);
    if (f->config[PCI_HEADER_TYPE] % 0x80 == PCI_HEADER_BRIDGE &&
        (f->config[PCI_BRIDGE_CONTROL] & PCI_BRIDGE_BUS_RESET)) {
        f->link_from = f->link_time == SIM_NEVER ? SIM_NEVER : host_now_ns + f->link_time;
        for (size_t i = 0; i < function_count; i++)
            if (leads_to(f, functions[i]))
                reset_function(functions[i]);
    }
}

static void write_config(volatile void *at, unsigned width, uint64_t value)
{
    unsigned offset;
    struct sim_function *f = at_address(at, &offset);
    uint64_t command, pm;

    sim_config_writes++;
    if (!f || !answers(f))
        return;
    command = sim_get(f, PCI_COMMAND, 2);
    pm = f->pm ? sim_get(f, f->pm + PCI_PM_CONTROL, 2) : 0;
    for (unsigned i = 0; i < width; i++) {
        uint8_t mask = f->writable[offset + i], byte = (uint8_t)(value >> (8 * i));

        f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~mask) | (byte & mask));
        f->config[offset + i] = (uint8_t)(f->config[offset + i] & ~(byte & f->cleared[offset + i]));
    }
    if (sim_on_write)
        sim_on_write(f, offset);
    if (f->vpd && offset == f->vpd + PCI_VPD_ADDRESS) {
        f->vpd_pending = true;
        f->vpd_done = f->vpd_time == SIM_NEVER ? SIM_NEVER : host_now_ns + f->vpd_time;
    }
    after_write(f, command, pm);
}

/* ---- errors that escalate ---- */

static unsigned find_extended(const struct sim_function *f, uint16_t id)
{
    uint64_t header;

    for (unsigned at = PCI_EXT_CAP_START; at; at = header >> 20 & 0xffc) {
        header = sim_get(f, at, 4);
        if ((header & 0xffff) == id)
            return at;
    }
    return 0;
}

/* Either of both will do. */
static bool reports(const struct sim_function *f, bool fatal)
{
    uint64_t control = f->pcie ? sim_get(f, f->pcie + PCIE_DEVICE_CONTROL, 2) : 0;

    return (sim_get(f, PCI_COMMAND, 2) & PCI_COMMAND_SERR) || (control & (fatal ? 4 : 2));
}

static bool ignores(const struct sim_function *f, uint32_t error)
{
    unsigned aer = find_extended(f, PCI_EXT_CAP_AER);

    if (aer && (sim_get(f, aer + PCI_AER_FATAL_MASK, 4) & error))
        return true;
    return error == PCI_AER_UNSUPPORTED && !(sim_get(f, PCI_COMMAND, 2) & PCI_COMMAND_SERR) &&
           !(f->pcie && (sim_get(f, f->pcie + PCIE_DEVICE_CONTROL, 2) & 8));
}

static enum sim_outcome arrive(const struct sim_function *top, bool fatal)
{
    bool root = top->pcie && (sim_get(top, top->pcie + PCIE_FLAGS, 2) >> 4 & 15) == PCIE_ROOT_PORT;

    if (!root || (sim_get(top, top->pcie + PCIE_ROOT_CONTROL, 2) & (fatal ? 4 : 2)))
        return SIM_SYSTEM_ERROR;
    return find_extended(top, PCI_EXT_CAP_AER) ? SIM_TOLD : SIM_SILENT;
}

enum sim_outcome sim_error(const struct sim_function *f, uint32_t error)
{
    unsigned aer = find_extended(f, PCI_EXT_CAP_AER);
    bool fatal = aer && (sim_get(f, aer + PCI_AER_FATAL_SEVERITY, 4) & error);

    if (ignores(f, error) || !reports(f, fatal))
        return SIM_SILENT;
    while (f->above) {
        f = f->above;
        if (!(sim_get(f, PCI_BRIDGE_CONTROL, 2) & PCI_BRIDGE_SERR) || !reports(f, fatal))
            return SIM_SILENT;
    }
    return arrive(f, fatal);
}

#define ACCESSORS(bits)                                                                            \
    uint##bits##_t mmio_read##bits(const volatile void *at)                                        \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
                                                                                                   \
        if (in_ecam(at))                                                                           \
            return (uint##bits##_t)read_config(at, bits / 8);                                      \
        value = *(const volatile uint##bits##_t *)at;                                              \
        if (bar_address(at) == PADDR_NONE)                                                         \
            value = (uint##bits##_t)UINT64_MAX;                                                    \
        record(at, bits / 8, false, value);                                                        \
        return value;                                                                              \
    }                                                                                              \
    void mmio_write##bits(volatile void *at, uint##bits##_t value)                                 \
    {                                                                                              \
        if (in_ecam(at)) {                                                                         \
            write_config(at, bits / 8, value);                                                     \
            return;                                                                                \
        }                                                                                          \
        *(volatile uint##bits##_t *)at = value;                                                    \
        record(at, bits / 8, true, value);                                                         \
    }

ACCESSORS(8)
ACCESSORS(16)
ACCESSORS(32)
ACCESSORS(64)

struct sim_function *sim_add(unsigned segment, uint16_t rid, uint32_t ids, uint32_t class_code)
{
    struct sim_function *f = calloc(1, sizeof(*f));

    if (!f || function_count == FUNCTIONS_MAX)
        abort();
    f->segment = (uint16_t)segment;
    f->rid = rid;
    sim_set(f, PCI_VENDOR, 4, ids, 0);
    sim_set(f, PCI_COMMAND, 2, 0, 0x547);
    sim_set(f, PCI_REVISION, 4, class_code << 8 | 0x10, 0);
    sim_set(f, PCI_CACHE_LINE, 2, 0, 0xffff);
    sim_set(f, PCI_INTERRUPT_LINE, 2, 0x0100, 0xff);
    functions[function_count++] = f;
    return f;
}

void sim_multifunction(struct sim_function *f)
{
    f->config[PCI_HEADER_TYPE] |= PCI_HEADER_MULTIFUNCTION;
}

unsigned sim_capability(struct sim_function *f, uint8_t id, unsigned size)
{
    unsigned offset = PCI_HEADER_END, link = PCI_CAPABILITIES;

    /* Behind the last one; the byte after the id of each capability holds the next offset. */
    while (f->config[link]) {
        offset = f->config[link];
        link = offset + 1;
        offset += f->writable[offset]; /* the size is kept in the mask of the id */
    }
    f->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    f->config[link] = (uint8_t)offset;
    f->config[offset] = id;
    f->writable[offset] = (uint8_t)ALIGN_UP(size, 4);
    return offset;
}

unsigned sim_extended_capability(struct sim_function *f, uint16_t id, unsigned size)
{
    unsigned offset = PCI_EXT_CAP_START, last = 0;

    while (sim_get(f, offset, 4) != 0) {
        last = offset;
        offset += 0x40;
    }
    sim_set(f, offset, 4, id | 1u << 16, 0);
    if (last)
        sim_set(f, last, 4, sim_get(f, last, 4) | (uint64_t)offset << 20, 0);
    return offset;
}

void sim_express(struct sim_function *f, unsigned type, bool flr)
{
    f->pcie = (uint16_t)sim_capability(f, PCI_CAP_PCIE, 60);
    sim_set(f, f->pcie + PCIE_FLAGS, 2, type << 4 | 2, 0);
    sim_set(f, f->pcie + PCIE_DEVICE_CAP, 4, flr ? PCIE_DEVICE_CAP_FLR : 0, 0);
    sim_set(f, f->pcie + PCIE_DEVICE_CONTROL, 2, 0x2810, flr ? 0xffff : 0x7fff);
    sim_set(f, f->pcie + PCIE_LINK_CONTROL, 2, 0, 0x01fb);
}

void sim_link(struct sim_function *f)
{
    sim_set(f, f->pcie + PCIE_LINK_STATUS, 2, PCIE_LINK_STATUS_ACTIVE, 0);
}

void sim_power(struct sim_function *f, bool keeps_state)
{
    f->pm = (uint16_t)sim_capability(f, PCI_CAP_PM, 8);
    f->pm_keeps_state = keeps_state;
    sim_set(f, f->pm + PCI_PM_CONTROL, 2, keeps_state ? PCI_PM_NO_SOFT_RESET : 0, PCI_PM_STATE);
}

void sim_advanced_features(struct sim_function *f, uint8_t capability)
{
    f->af = (uint16_t)sim_capability(f, PCI_CAP_AF, 6);
    sim_set(f, f->af + PCI_AF_CAP, 1, capability, 0);
    sim_set(f, f->af + PCI_AF_CONTROL, 1, 0, PCI_AF_FLR);
}

void sim_vital_data(struct sim_function *f)
{
    f->vpd = (uint16_t)sim_capability(f, PCI_CAP_VPD, 8);
    sim_set(f, f->vpd + PCI_VPD_ADDRESS, 2, 0, 0xffff);
    sim_set(f, f->vpd + PCI_VPD_DATA, 4, 0, 0xffffffff);
}

void sim_sriov(struct sim_function *f, unsigned total, unsigned first, unsigned stride)
{
    unsigned at = sim_extended_capability(f, PCI_EXT_CAP_SRIOV, 64);

    f->sriov = (uint16_t)at;
    sim_set(f, at + PCI_SRIOV_CONTROL, 2, 0, 0x1f);
    sim_set(f, at + PCI_SRIOV_TOTAL, 2, total, 0);
    sim_set(f, at + PCI_SRIOV_COUNT, 2, 0, 0xffff);
    sim_set(f, at + PCI_SRIOV_FIRST, 2, first, 0);
    sim_set(f, at + PCI_SRIOV_STRIDE, 2, stride, 0);
    sim_set(f, at + PCI_SRIOV_DEVICE_ID, 2, 0x10ca, 0);
    sim_set(f, at + PCI_SRIOV_PAGE, 4, 2, 0x553);
}

void sim_virtual_bar(struct sim_function *f, unsigned index, paddr_t base, uint64_t size,
                     unsigned flags)
{
    sim_set(f, f->sriov + PCI_SRIOV_BAR0 + 4 * index, flags & PCI_BAR_TYPE_64 ? 8 : 4, base | flags,
            ~(size - 1) & ~UINT64_C(15));
}

struct sim_function *sim_virtual(struct sim_function *physical, uint16_t rid)
{
    struct sim_function *f = sim_add(physical->segment, rid, 0xffffffff, 0x020000);

    f->physical = physical;
    sim_express(f, PCIE_ENDPOINT, true);
    return f;
}

void sim_access_control(struct sim_function *f, uint16_t offered)
{
    unsigned offset = sim_extended_capability(f, PCI_EXT_CAP_ACS, 8);

    sim_set(f, offset + PCI_ACS_CAP, 2, offered, 0);
    sim_set(f, offset + PCI_ACS_CONTROL, 2, 0, offered);
}

void sim_bridge(struct sim_function *f, unsigned secondary, unsigned subordinate)
{
    f->config[PCI_HEADER_TYPE] |= PCI_HEADER_BRIDGE;
    f->config[PCI_PRIMARY_BUS] = (uint8_t)(f->rid >> 8);
    f->config[PCI_SECONDARY_BUS] = (uint8_t)secondary;
    f->config[PCI_SUBORDINATE_BUS] = (uint8_t)subordinate;
    memset(f->writable + PCI_PRIMARY_BUS, 0xff, 3);
    sim_set(f, PCI_BRIDGE_CONTROL, 2, 0, 0x0fff);
}

static void back_bar(struct sim_function *f, unsigned index, paddr_t base, uint64_t size)
{
    free(f->bar_memory[index]);
    f->bar_base[index] = base;
    f->bar_size[index] = size;
    f->bar_memory[index] = size <= 64 * MIB ? aligned_alloc(4096, ALIGN_UP(size, 4096)) : NULL;
    if (f->bar_memory[index])
        memset(f->bar_memory[index], 0, ALIGN_UP(size, 4096));
}

void sim_bar(struct sim_function *f, unsigned index, paddr_t base, uint64_t size, unsigned flags)
{
    unsigned offset = PCI_BAR0 + 4 * index;
    uint64_t mask = ~(size - 1) & (flags & PCI_BAR_SPACE_IO ? ~UINT64_C(3) : ~UINT64_C(15));

    sim_set(f, offset, flags & PCI_BAR_TYPE_64 ? 8 : 4, base | flags, mask);
    back_bar(f, index, base, size);
}

void sim_rom(struct sim_function *f, paddr_t base, uint64_t size)
{
    unsigned offset =
        f->config[PCI_HEADER_TYPE] % 0x80 == PCI_HEADER_BRIDGE ? PCI_ROM_BRIDGE : PCI_ROM_DEVICE;

    sim_set(f, offset, 4, base, (~(size - 1) & PCI_ROM_ADDRESS) | PCI_ROM_ENABLE);
    back_bar(f, SIM_ROM, base, size);
}
