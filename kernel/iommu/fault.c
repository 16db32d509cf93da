/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records (VT-d specification 7.2 to 7.4 and 11.4.9 to 11.4.14). */
#include "kernel/iommu/fault.h"

#include "kernel/cpu/time.h"
#include "kernel/cpu/trap.h"
#include "kernel/iommu/context.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/pci/group.h"
#include "kernel/machine/console/trace.h"

/* Records read, or looks at the unit, one after the other before it is made to record less. */
#define READS_MAX    1024u
#define SILENCES_MAX 8u

/* How long it is not listened to then: each time twice as long, until it was heard for so long. */
#define PAUSE_FIRST_NS (100 * NS_PER_MS)
#define PAUSE_LONG_NS  (60 * NS_PER_S)

/* Refused interrupts of a source that nobody was assigned, until they are only counted. */
#define STRANGERS_TOLD 16u

#define REASON_INTERRUPT    0x20 /* from here on: interrupts */
#define REASON_WRONG_SOURCE 0x26
#define OWNER_TEXT_MAX      48u

static struct fault recent[FAULTS_KEPT];
static uint64_t total;

/* ---- words ---- */

/* Specification, appendix "Fault reason encodings": legacy mode and interrupt remapping. */
static const struct {
    uint8_t reason;
    const char *words;
} reasons[] = {
    {0x01, "the root entry is not present"},
    {0x02, "the device has no context entry"},
    {0x03, "the context entry is invalid"},
    {0x04, "the address is beyond the domain's width"},
    {0x05, "no write permission"},
    {0x06, "no read permission"},
    {0x07, "the next page table could not be read"},
    {0x08, "the root table could not be read"},
    {0x09, "the context table could not be read"},
    {0x0a, "reserved bits in the root entry"},
    {0x0b, "reserved bits in the context entry"},
    {0x0c, "reserved bits in a page-table entry"},
    {0x0d, "the device may not use translated requests"},
    {0x20, "reserved bits in the interrupt request"},
    {0x21, "no such interrupt-remapping entry"},
    {0x22, "the interrupt-remapping entry is not present"},
    {0x23, "the interrupt-remapping table could not be read"},
    {0x24, "reserved bits in the interrupt-remapping entry"},
    {0x25, "compatibility-format interrupts are blocked"},
    {REASON_WRONG_SOURCE, "the interrupt came from the wrong source"},
    {0x27, "the posted-interrupt descriptor could not be read"},
    {0x28, "reserved bits in the posted-interrupt descriptor"},
};

const char *fault_reason(uint8_t reason)
{
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        if (reasons[i].reason == reason)
            return reasons[i].words;
    }
    return "unknown reason";
}

/* Whose interrupt it is; nothing when that is not known. */
static void describe_owner(const struct fault *fault, char *buffer, size_t size)
{
    if (fault->owner_check == VTD_SOURCE_EXACT)
        format(buffer, size, ": the entry is for %s", pci_rid_name(fault->segment, fault->owner));
    else if (fault->owner_check == VTD_SOURCE_BUSES)
        format(buffer, size, ": the entry is for buses %02x to %02x", fault->owner >> 8,
               fault->owner & 0xff);
    else
        buffer[0] = '\0';
}

void fault_describe(const struct fault *fault, char *buffer, size_t size)
{
    static const char *const requests[] = {"write to", "read of", "page request for",
                                           "atomic operation on"};
    const char *request = fault->interrupt ? "interrupt with index" : requests[fault->type & 3];
    char owner[OWNER_TEXT_MAX];

    describe_owner(fault, owner, sizeof(owner));
    format(buffer, size, "%s %s 0x%lx refused: reason %s%x, %s%s",
           pci_rid_name(fault->segment, fault->rid), request, fault->address,
           fault->reason > 9 ? "0x" : "", fault->reason, fault_reason(fault->reason), owner);
}

/* ---- the record of what happened ---- */

uint64_t iommu_fault_count(void)
{
    struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link)
        fault_collect(unit);
    return total;
}

size_t fault_recent(struct fault *out, size_t max)
{
    size_t count = (size_t)MIN(MIN(total, FAULTS_KEPT), max);

    for (size_t i = 0; i < count; i++)
        out[i] = recent[(total - count + i) % FAULTS_KEPT];
    return count;
}

/*
 * Who has faulted least makes room, so that a device cannot fill the table with ids it made up and
 * then go on under its own without end. NULL: all of them have been stopped.
 */
static struct fault_device *make_room(struct fault_log *log)
{
    struct fault_device *least = NULL;

    for (size_t i = 0; i < FAULT_DEVICES; i++) {
        struct fault_device *device = &log->devices[i];

        if (!device->stopped && (!least || device->count < least->count))
            least = device;
    }
    if (least)
        log->other += least->count;
    return least;
}

static struct fault_device *device_of(struct fault_log *log, uint16_t rid)
{
    struct fault_device *device;

    for (size_t i = 0; i < log->device_count; i++) {
        if (log->devices[i].rid == rid)
            return &log->devices[i];
    }
    device =
        log->device_count < FAULT_DEVICES ? &log->devices[log->device_count++] : make_room(log);
    if (device)
        *device = (struct fault_device){.rid = rid};
    return device;
}

static void log_fault(struct iommu_unit *unit, const struct fault *fault)
{
    char text[FAULT_TEXT_MAX];
    uint64_t missed;

    if (!log_admit(&unit->faults.limit))
        return;
    missed = unit->faults.limit.suppressed;
    unit->faults.limit.suppressed = 0;
    fault_describe(fault, text, sizeof(text));
    if (missed)
        log_warn("%s (and %lu more since the last line)", text, missed);
    else
        log_warn("%s", text);
}

static int set_silence(struct requester *requester, bool on)
{
    struct iommu_unit *unit = requester->unit;

    context_silence(requester, on);
    invalidate_context_device(unit, requester->domain ? requester->domain->id : 0, requester->rid);
    return invalidation_wait(unit);
}

/* Silences a requester, so that its faults cost nothing any more. */
static void silence(struct iommu_unit *unit, uint16_t rid)
{
    struct requester *requester = requester_get(unit, rid);

    if (requester && !requester->silenced && !context_make_room(unit, rid))
        (void)set_silence(requester, true);
}

int iommu_forgive(struct requester *requester)
{
    struct iommu_unit *unit = requester->unit;

    if (!unit)
        return 0;
    fault_collect(unit);
    if (unit->fenced)
        return -EIO;
    for (size_t i = 0; i < unit->faults.device_count; i++) {
        struct fault_device *device = &unit->faults.devices[i];

        if (device->rid != requester->rid)
            continue;
        device->stopped = false;
        device->forgiven = device->count;
    }
    return requester->silenced ? set_silence(requester, false) : 0;
}

/* The configured answer to a device that does not stop. */
static void apply_policy(struct iommu_unit *unit, struct fault_device *device)
{
    const struct iommu_options *options = iommu_options();

    if (device->stopped || !options->fault_threshold ||
        device->count - device->forgiven < options->fault_threshold)
        return;
    device->stopped = device->reached = true;
    if (options->stop_device) {
        bool stopped = pci_stop_senders(unit->segment, device->rid);

        log_error("%s: %lu faults: %s", pci_rid_name(unit->segment, device->rid), device->count,
                  stopped ? "its bus mastering is taken away" : "they are no longer recorded");
        silence(unit, device->rid);
    }
    if (options->on_faults)
        options->on_faults(options->context, unit->segment, device->rid);
}

/* An interrupt from the wrong source is an attack on the right one: note whose entry it named. */
static void note_owner(const struct iommu_unit *unit, struct fault *fault)
{
    const struct vtd_irte *entry;

    if (fault->reason != REASON_WRONG_SOURCE || fault->address >= unit->remap.count)
        return;
    entry = &unit->remap.entries[fault->address];
    fault->owner = (uint16_t)entry->high;
    fault->owner_check = (uint8_t)bits_get(entry->high, 19, 18);
}

/*
 * An interrupt that firmware left on, or of a device that goes on as it was left, is refused at
 * each tick for ever, and no bit in a table keeps the unit from telling: reasons 0x20, 0x21 and
 * 0x25 know no entry. It is no attack of the payload's, which has no device that can send so.
 * False: it is to be recorded.
 */
static bool count_stranger(struct iommu_unit *unit, uint8_t reason, struct fault_device *device)
{
    if (reason < REASON_INTERRUPT || !device ||
        (!device->unheard &&
         (device->count < STRANGERS_TOLD || pci_group_assigned(unit->segment, device->rid))))
        return false;
    if (!device->unheard)
        log_warn("%s is nobody's, and its refused interrupts are only counted from now on",
                 pci_rid_name(unit->segment, device->rid));
    device->unheard = true;
    unit->faults.strangers++;
    return true;
}

static void record(struct iommu_unit *unit, const struct vtd_fault *raw)
{
    struct fault_device *device = device_of(&unit->faults, vtd_fault_source(raw));
    struct fault *fault = &recent[total % FAULTS_KEPT];

    if (count_stranger(unit, vtd_fault_reason(raw), device))
        return;
    *fault = (struct fault){
        .segment = unit->segment,
        .rid = vtd_fault_source(raw),
        .reason = vtd_fault_reason(raw),
        .type = (uint8_t)vtd_fault_type(raw),
        .time_ns = time_ns(),
    };
    fault->interrupt = fault->reason >= REASON_INTERRUPT;
    fault->address = fault->interrupt ? vtd_fault_index(raw) : vtd_fault_address(raw);
    note_owner(unit, fault);
    total++;
    log_fault(unit, fault);
    TRACE(TRACE_FAULTS, TRACE_DMA_FAULT, fault->segment << 16 | fault->rid, fault->reason,
          fault->address, fault->type, fault->owner_check, fault->owner);
    if (!device) {
        unit->faults.other++;
        return;
    }
    device->count++;
    apply_policy(unit, device);
}

/* ---- the hardware's side ---- */

/* Takes every filled record from `first` on, around to where it started. Returns how many. */
static unsigned collect_records(struct iommu_unit *unit, unsigned first, uint16_t *last_rid)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < unit->can.fault_count; i++) {
        unsigned index = (first + i) % unit->can.fault_count;
        struct vtd_fault raw = {0};

        raw.high = vtd_read64(unit->registers, VTD_FAULT_HIGH(unit->cap, index));
        if (!vtd_fault_filled(&raw))
            continue;
        raw.low = vtd_read64(unit->registers, VTD_FAULT_LOW(unit->cap, index));
        vtd_write32(unit->registers, VTD_FAULT_CLEAR(unit->cap, index), VTD_FAULT_F);
        *last_rid = vtd_fault_source(&raw);
        record(unit, &raw);
        taken++;
    }
    return taken;
}

/* Returns true when nothing is pending any more. */
static bool collect_some(struct iommu_unit *unit, uint16_t *last_rid)
{
    for (unsigned reads = 0; reads < READS_MAX; reads++) {
        uint32_t status = vtd_read32(unit->registers, VTD_FSTS);

        if (status & VTD_FSTS_PPF)
            reads += collect_records(unit, vtd_fsts_index(status), last_rid);
        if (status & VTD_FSTS_PFO) {
            /* Written alone: the queue's error bits are for the queue to clear. */
            vtd_write32(unit->registers, VTD_FSTS, VTD_FSTS_PFO);
            unit->faults.overflows++;
        }
        if (!(status & (VTD_FSTS_PPF | VTD_FSTS_PFO)))
            return true;
    }
    return false;
}

/* Whatever is recorded meanwhile is lost, but not that it was, which the overflow bit keeps. */
static void go_deaf(struct iommu_unit *unit)
{
    struct fault_log *log = &unit->faults;
    uint64_t now = time_ns();

    log->pause_ns = log->pause_ns && now - log->heard_at < PAUSE_LONG_NS
                        ? MIN(2 * log->pause_ns, PAUSE_LONG_NS)
                        : PAUSE_FIRST_NS;
    log->deaf = true;
    log_error("iommu%u: its faults do not end, and are not read for %lu ms", unit->index,
              log->pause_ns / NS_PER_MS);
    vtd_change32(unit->registers, VTD_FECTL, 0, VTD_EVENT_MASK);
    timer_set(&log->again, now + log->pause_ns);
}

void fault_collect(struct iommu_unit *unit)
{
    uint16_t rid = 0;

    for (unsigned i = 0; i < SILENCES_MAX && !unit->faults.deaf; i++) {
        if (collect_some(unit, &rid))
            return;
        log_error("iommu%u: faults come faster than they can be read; those of %02x:%02x.%x are no "
                  "longer recorded",
                  unit->index, PCI_BUS(rid), PCI_DEVICE(rid), PCI_FUNCTION(rid));
        silence(unit, rid);
    }
    if (!unit->faults.deaf)
        go_deaf(unit);
}

static void listen_again(struct timer *timer)
{
    struct iommu_unit *unit = list_entry(timer, struct iommu_unit, faults.again);
    uint16_t rid;

    unit->faults.heard_at = time_ns();
    if (!collect_some(unit, &rid)) {
        go_deaf(unit);
        return;
    }
    unit->faults.deaf = false;
    log_info("iommu%u: its faults are read again", unit->index);
    vtd_change32(unit->registers, VTD_FECTL, VTD_EVENT_MASK, 0);
}

/* One vector is enough for all units, and there are machines with more units than vectors. */
static void fault_event(void *context)
{
    struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link) {
        if (unit->faults.vector && !unit->faults.deaf)
            fault_collect(unit);
    }
}

int fault_start(struct iommu_unit *unit)
{
    uint32_t apic = cpu_apic_id();

    unit->faults.limit = (struct log_limit){.window_ns = NS_PER_S, .burst = 10};
    timer_init(&unit->faults.again, listen_again);
    unit->faults.vector = list_first(&iommu_units, struct iommu_unit, link)->faults.vector;
    if (!unit->faults.vector)
        unit->faults.vector = vector_alloc(fault_event, NULL, NULL);
    if (unit->faults.vector < 0)
        return unit->faults.vector;
    for (unsigned i = 0; i < unit->can.fault_count; i++)
        vtd_write32(unit->registers, VTD_FAULT_CLEAR(unit->cap, i), VTD_FAULT_F);
    vtd_write32(unit->registers, VTD_FSTS, VTD_FSTS_PFO);
    /* The unit's own messages are not remapped (5.1.8): a plain MSI to this CPU. */
    vtd_write32(unit->registers, VTD_FEDATA, (uint32_t)unit->faults.vector);
    vtd_write32(unit->registers, VTD_FEADDR, 0xfee00000 | (apic & 0xff) << 12);
    vtd_write32(unit->registers, VTD_FEUADDR, apic & ~0xffu);
    vtd_change32(unit->registers, VTD_FECTL, VTD_EVENT_MASK, 0);
    return 0;
}
