/* SPDX-License-Identifier: BSD-2-Clause */
/* What a unit can do, and whether that is enough. */
#include "kernel/iommu/unit.h"

#include "kernel/iommu/scope.h"
#include "kernel/lib/error.h"
#include "kernel/pci/quirks.h"

static bool has(uint64_t capabilities, unsigned bit)
{
    return (capabilities >> bit) & 1;
}

/*
 * The shallowest table that reaches every address the unit can translate, else the deepest: each
 * level costs the unit a memory access per walk. SAGAW is a bitmap with holes. 0: none fits.
 */
static unsigned choose_levels(unsigned sagaw, unsigned mgaw)
{
    unsigned chosen = 0;

    for (unsigned levels = 3; levels <= PT_LEVELS_MAX; levels++) {
        if (!(sagaw & (1u << (levels - 2))))
            continue;
        chosen = levels;
        if (PAGE_SHIFT + 9 * levels >= mgaw)
            break;
    }
    return chosen;
}

static int decide_translation(struct iommu_unit *unit, struct refusal *why)
{
    struct unit_abilities *can = &unit->can;
    uint64_t at = unit->described->registers;
    unsigned sagaw = (unsigned)bits_get(unit->cap, VTD_CAP_SAGAW);
    unsigned mgaw = (unsigned)bits_get(unit->cap, VTD_CAP_MGAW) + 1;
    unsigned large = (unsigned)bits_get(unit->cap, VTD_CAP_SLLPS);

    if (sagaw == 0)
        return refuse(why, -EOPNOTSUPP, "the IOMMU at 0x%lx cannot translate DMA (CAP.SAGAW is 0)",
                      at);
    can->levels = choose_levels(sagaw, mgaw);
    if (can->levels == 0)
        return refuse(
            why, -EOPNOTSUPP,
            "the IOMMU at 0x%lx has no page-table depth of 3, 4 or 5 levels (CAP.SAGAW is "
            "0x%x)",
            at, sagaw);
    if (bits_get(unit->cap, VTD_CAP_ND) == 7)
        return refuse(why, -EOPNOTSUPP,
                      "the IOMMU at 0x%lx reports an unknown number of domains (CAP.ND is 7)", at);
    can->domains = 1u << (4 + 2 * bits_get(unit->cap, VTD_CAP_ND));
    can->address_bits = MIN(mgaw, PAGE_SHIFT + 9 * can->levels);
    /* 1 GiB leaves count only on top of 2 MiB ones. */
    can->largest = !(large & 1) ? 1 : !(large & 2) ? 2 : 3;
    return 0;
}

static int decide_interrupts(struct iommu_unit *unit, const struct iommu_options *options,
                             bool platform_remaps, struct refusal *why)
{
    struct unit_abilities *can = &unit->can;
    uint64_t at = unit->described->registers;
    const struct pci_quirk *quirk = pci_machine_quirk(QUIRK_NO_REMAPPING);
    const char *missing = NULL;

    if (!platform_remaps)
        missing = "DMAR flag INTR_REMAP is 0";
    else if (!has(unit->ecap, VTD_ECAP_IR))
        missing = "ECAP.IR is 0";
    else if (!can->queue)
        missing = "ECAP.QI is 0";
    else if (quirk)
        missing = quirk->why;
    can->remapping = !missing;
    can->x2apic = can->remapping && has(unit->ecap, VTD_ECAP_EIM);
    if (missing && !options->unsafe_interrupts)
        return refuse(why, -EOPNOTSUPP,
                      "the IOMMU at 0x%lx cannot remap interrupts (%s); unsafe-interrupts=yes "
                      "goes on without",
                      at, missing);
    if (options->x2apic && can->remapping && !can->x2apic)
        return refuse(why, -EOPNOTSUPP,
                      "the CPU is in x2APIC mode but the IOMMU at 0x%lx cannot address it "
                      "(ECAP.EIM is 0)",
                      at);
    return 0;
}

int unit_decide(struct iommu_unit *unit, const struct iommu_options *options, bool platform_remaps,
                struct refusal *why)
{
    struct unit_abilities *can = &unit->can;
    uint64_t cap = unit->cap, ecap = unit->ecap;
    int error;

    if (cap == ~UINT64_C(0))
        return refuse(why, -EIO, "the IOMMU at 0x%lx does not answer", unit->described->registers);
    error = decide_translation(unit, why);
    if (error)
        return error;
    can->queue = has(ecap, VTD_ECAP_QI);
    can->coherent = has(ecap, VTD_ECAP_C);
    can->snoop_control = has(ecap, VTD_ECAP_SC);
    can->caching_mode = has(cap, VTD_CAP_CM);
    can->write_buffer = has(cap, VTD_CAP_RWBF) || pci_machine_quirk(QUIRK_FLUSH_WRITES);
    can->page_selective = has(cap, VTD_CAP_PSI);
    can->max_mask = (unsigned)bits_get(cap, VTD_CAP_MAMV);
    can->max_handle_mask = (unsigned)bits_get(ecap, VTD_ECAP_MHMV);
    can->device_tlb = has(ecap, VTD_ECAP_DT) && can->queue;
    can->throttles = can->device_tlb && has(ecap, VTD_ECAP_DIT);
    can->drain = (has(cap, VTD_CAP_DRD) ? VTD_IOTLB_DRAIN_READS : 0) |
                 (has(cap, VTD_CAP_DWD) ? VTD_IOTLB_DRAIN_WRITES : 0);
    can->fault_count = vtd_cap_fault_records(cap);
    return decide_interrupts(unit, options, platform_remaps, why);
}

/* Does the unit serve displays, and nothing else? */
static bool is_for_graphics(const struct dmar_unit *described)
{
    for (size_t i = 0; i < described->scopes.count; i++) {
        const struct dmar_scope *scope = &iommu_dmar->scopes[described->scopes.first + i];
        const struct pci_device *device;
        uint16_t rid;

        if (!scope_resolve(scope, described->segment, &rid))
            return false;
        device = pci_find(described->segment, rid);
        if (!device || device->class_code >> 16 != 0x03)
            return false;
    }
    return described->scopes.count && !described->include_all;
}

const char *unit_unusable(const struct dmar_unit *described)
{
    const struct pci_quirk *quirk = pci_machine_quirk(QUIRK_NO_GRAPHICS_UNIT);

    return quirk && is_for_graphics(described) ? quirk->why : NULL;
}
