/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/iommu_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/group.h"
#include "kernel/pci/registers.h"
#include "tests/unit/host_heap.h"

#define UNITS_MAX     512
#define REGIONS_MAX   640
#define WINDOWS_MAX   640
#define FUNCTIONS_MAX 32

/* ---- device memory ---- */

struct region {
    paddr_t base;
    uint64_t size;
    uint8_t *plain;        /* a BAR, or */
    struct vtd_unit *unit; /* a remapping unit */
};

/* Where a region is mapped. The memory behind it is never touched: only its address counts. */
struct window {
    uint8_t *at;
    uint64_t length;
    struct region *region;
    uint64_t offset;
};

static struct region regions[REGIONS_MAX];
static size_t region_count;
static struct window windows[WINDOWS_MAX];
static uint64_t mapped;

void (*host_on_bar_access)(void);

static void bar_accessed(void)
{
    if (host_on_bar_access)
        host_on_bar_access();
}

static struct region *region_add(paddr_t base, uint64_t size)
{
    if (region_count == REGIONS_MAX)
        abort();
    regions[region_count] = (struct region){.base = base, .size = size};
    return &regions[region_count++];
}

uint8_t *host_bar_add(paddr_t base, uint64_t size)
{
    struct region *region = region_add(base, size);

    region->plain = calloc(1, size);
    return region->plain;
}

uint64_t host_mapped(void)
{
    return mapped;
}

void *mmio_map(paddr_t base, uint64_t length)
{
    if (host_must_fail())
        return NULL;
    for (size_t i = 0; i < region_count; i++) {
        struct region *region = &regions[i];

        if (base < region->base || base + length > region->base + region->size)
            continue;
        for (size_t w = 0; w < WINDOWS_MAX; w++) {
            if (windows[w].at)
                continue;
            windows[w] = (struct window){malloc(length), length, region, base - region->base};
            mapped++;
            return windows[w].at;
        }
    }
    abort();
}

static struct window *window_of(const volatile void *at)
{
    for (size_t w = 0; w < WINDOWS_MAX; w++) {
        if (windows[w].at && (const volatile uint8_t *)at >= windows[w].at &&
            (const volatile uint8_t *)at < windows[w].at + windows[w].length)
            return &windows[w];
    }
    return NULL;
}

void mmio_unmap(void *at, uint64_t length)
{
    struct window *window = window_of(at);

    if (!window || window->at != at || window->length != length)
        abort();
    free(window->at);
    *window = (struct window){0};
    mapped--;
}

/* Configuration space is not mapped by mmio_map() here: plain memory. */
static uint64_t read_any(const volatile void *at, unsigned bytes)
{
    struct window *window = window_of(at);
    uint64_t offset, value = 0;

    if (!window) {
        memcpy(&value, (const void *)at, bytes);
        return value;
    }
    offset = window->offset + (uint64_t)((const volatile uint8_t *)at - window->at);
    if (window->region->unit)
        return vtd_unit_read(window->region->unit, offset, bytes);
    bar_accessed();
    memcpy(&value, window->region->plain + offset, bytes);
    return value;
}

static void write_any(volatile void *at, uint64_t value, unsigned bytes)
{
    struct window *window = window_of(at);
    uint64_t offset;

    if (!window) {
        memcpy((void *)at, &value, bytes);
        return;
    }
    offset = window->offset + (uint64_t)((volatile uint8_t *)at - window->at);
    if (window->region->unit) {
        vtd_unit_write(window->region->unit, offset, value, bytes);
        return;
    }
    bar_accessed();
    memcpy(window->region->plain + offset, &value, bytes);
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
    write_any(at, value, 1);
}

void mmio_write16(volatile void *at, uint16_t value)
{
    write_any(at, value, 2);
}

void mmio_write32(volatile void *at, uint32_t value)
{
    write_any(at, value, 4);
}

void mmio_write64(volatile void *at, uint64_t value)
{
    write_any(at, value, 8);
}

/* ---- time: every look at the clock takes 100 us ---- */

static uint64_t now;

uint64_t time_ns(void)
{
    return now += 100 * NS_PER_US;
}

void time_delay_ns(uint64_t ns)
{
    now += ns;
}

/* ---- threads: one, and whoever the test lets in when it breathes ---- */

int64_t breath_left = BREATH_WORK;
int (*machine_breath)(void);

struct thread *thread_current(void)
{
    static char one;

    return (struct thread *)(void *)&one;
}

int thread_breathe_hearing(const char *point, enum thread_hears hears)
{
    int said = machine_breath ? machine_breath() : 0;

    breath_left = BREATH_WORK;
    return hears == HEARS_NOTHING ? 0 : said;
}

int thread_sleep_hearing(const char *point, uint64_t deadline_ns, enum thread_hears hears)
{
    abort(); /* nobody would wake it */
}

void thread_wake(struct thread *thread)
{
}

/* ---- timers ---- */

static struct list timers = LIST_INIT(timers);

void timer_init(struct timer *timer, void (*expired)(struct timer *timer))
{
    list_init(&timer->link);
    timer->expired = expired;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    list_remove(&timer->link);
    timer->deadline_ns = deadline_ns;
    list_push_back(&timers, &timer->link);
}

bool host_timer_expires(void)
{
    struct timer *timer;

    if (list_empty(&timers))
        return false;
    timer = list_first(&timers, struct timer, link);
    if (now < timer->deadline_ns)
        now = timer->deadline_ns;
    list_remove(&timer->link);
    timer->expired(timer);
    return true;
}

/* ---- vectors ---- */

static struct {
    vector_handler handler;
    void *context;
    void (*hold)(void *context, bool on);
} vectors[256];
static unsigned vector_limit;
static uint32_t apic_id;

int vector_alloc(vector_handler handler, void (*hold)(void *context, bool on), void *context)
{
    if (host_must_fail() || host_vectors() >= vector_limit)
        return -ENOSPC;
    for (int i = 32; i < 255; i++) {
        if (vectors[i].handler)
            continue;
        vectors[i].handler = handler;
        vectors[i].context = context;
        vectors[i].hold = hold;
        return i;
    }
    return -ENOSPC;
}

void vector_free(unsigned vector)
{
    if (!vectors[vector].handler)
        abort();
    vectors[vector].handler = NULL;
}

bool host_hold(unsigned vector, bool on)
{
    if (vectors[vector].hold)
        vectors[vector].hold(vectors[vector].context, on);
    return vectors[vector].hold;
}

unsigned host_vectors(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
        count += vectors[i].handler != NULL;
    return count;
}

void host_limit_vectors(unsigned limit)
{
    vector_limit = limit;
}

bool host_raise(unsigned vector)
{
    if (!vectors[vector].handler)
        return false;
    vectors[vector].handler(vectors[vector].context);
    return true;
}

uint32_t cpu_apic_id(void)
{
    return apic_id;
}

void host_set_apic_id(uint32_t id)
{
    apic_id = id;
}

/* ---- PCI ---- */

static struct list functions = LIST_INIT(functions);
static struct pci_device storage[FUNCTIONS_MAX];
static uint8_t config_space[FUNCTIONS_MAX][4096];
static size_t function_count;

struct list *pci_devices(void)
{
    return &functions;
}

struct pci_device *pci_find(uint16_t segment, pci_rid_t rid)
{
    struct pci_device *device;

    list_for_each_entry (device, &functions, link) {
        if (device->segment == segment && device->rid == rid)
            return device;
    }
    return NULL;
}

struct pci_device *host_pci_add(uint16_t segment, pci_rid_t rid, struct pci_device *bridge)
{
    struct pci_device *device = &storage[function_count];

    if (function_count == FUNCTIONS_MAX)
        abort();
    memset(config_space[function_count], 0, sizeof(config_space[0]));
    *device = (struct pci_device){
        .segment = segment,
        .rid = rid,
        .bridge = bridge,
        .config = config_space[function_count],
        .config_size = 4096,
    };
    function_count++;
    list_push_back(&functions, &device->link);
    pci_set_bus_master(device, true);
    return device;
}

void host_pci_bridge(struct pci_device *device, int type, uint8_t secondary, uint8_t subordinate)
{
    device->header_type = PCI_HEADER_BRIDGE;
    device->secondary = secondary;
    device->subordinate = subordinate;
    if (type < 0)
        return;
    device->cap_pcie = 0x40;
    pci_write16(device, 0x40 + PCIE_FLAGS, (uint16_t)(type << 4));
}

bool host_pci_master(const struct pci_device *device)
{
    return pci_read16(device, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

bool pci_group_assigned(uint16_t segment, pci_rid_t rid)
{
    const struct pci_device *device = pci_find(segment, rid);

    return device && device->assigned;
}

/* ---- log ---- */

static char log_text[65536];
static size_t log_length;

static void log_write(const char *text, size_t length)
{
    length = MIN(length, sizeof(log_text) - 1 - log_length);
    memcpy(log_text + log_length, text, length);
    log_length += length;
    log_text[log_length] = 0;
}

static struct log_sink sink = {.write = log_write};

const char *host_log(void)
{
    return log_text;
}

void host_forget_log(void)
{
    log_length = 0;
    log_text[0] = 0;
}

/* ---- DMAR ---- */

struct dmar_info host_dmar;

void host_dmar_reset(void)
{
    static struct dmar_unit units[UNITS_MAX];
    static struct dmar_region reserved[512];
    static struct dmar_port ports[4];
    static struct dmar_scope scopes[1024];

    host_dmar =
        (struct dmar_info){.units = units, .regions = reserved, .ports = ports, .scopes = scopes};
    memset(units, 0, sizeof(units));
    memset(reserved, 0, sizeof(reserved));
    memset(ports, 0, sizeof(ports));
    memset(scopes, 0, sizeof(scopes));
    host_dmar.address_width = 46;
    host_dmar.flags = DMAR_INTR_REMAP;
}

struct dmar_unit *host_dmar_unit(paddr_t registers, bool include_all)
{
    struct dmar_unit *unit = &host_dmar.units[host_dmar.unit_count++];

    *unit = (struct dmar_unit){
        .registers = registers, .register_size = PAGE_SIZE, .include_all = include_all};
    return unit;
}

struct dmar_scope *host_dmar_scope(struct dmar_scope_list *list, uint8_t type, uint8_t id,
                                   uint8_t bus, uint8_t device, uint8_t function)
{
    struct dmar_scope *scope = &host_dmar.scopes[host_dmar.scope_count];

    if (list->count == 0)
        list->first = (uint32_t)host_dmar.scope_count;
    if (list->first + list->count != host_dmar.scope_count)
        abort();
    list->count++;
    host_dmar.scope_count++;
    *scope = (struct dmar_scope){.type = type, .enumeration_id = id, .bus = bus, .hops = 1};
    scope->path[0] = (struct dmar_hop){device, function};
    return scope;
}

/* ---- all of it ---- */

struct vtd_unit *host_unit_add(paddr_t base, uint64_t size, uint64_t cap, uint64_t ecap)
{
    struct region *region = region_add(base, size);

    region->unit = vtd_unit_add(base, cap, ecap);
    return region->unit;
}

void host_reset(void)
{
    static bool sink_added;

    if (!sink_added)
        log_add_sink(&sink);
    sink_added = true;
    for (size_t w = 0; w < WINDOWS_MAX; w++) {
        free(windows[w].at);
        windows[w] = (struct window){0};
    }
    for (size_t i = 0; i < region_count; i++)
        free(regions[i].plain);
    region_count = 0;
    mapped = 0;
    host_on_bar_access = NULL;
    vtd_units_reset();
    vtd_memory_reset();
    memset(vectors, 0, sizeof(vectors));
    vector_limit = 256;
    apic_id = 0;
    list_init(&timers);
    list_init(&functions);
    function_count = 0;
    host_forget_log();
    host_dmar_reset();
    host_fail_nth(0);
    log_set_clock(time_ns);
}
