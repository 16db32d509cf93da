/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Are the addresses the firmware gave out believable? A BAR that overlaps RAM, an interrupt
 * controller or an IOMMU would hand that to the payload.
 */
#ifndef KERNEL_PCI_CHECK_H
#define KERNEL_PCI_CHECK_H

#include "kernel/machine/acpi/acpi.h"
#include "kernel/pci/pci.h"

/* What a device must keep clear of. */
struct pci_machine {
    const struct acpi_info *acpi;
    const struct phys_run *ram; /* all RAM, whoever uses it; need not be sorted */
    size_t ram_count;
    const struct phys_run *keep_out; /* what the operator keeps out of all use */
    size_t keep_out_count;
    const struct phys_run *reserved; /* by the firmware's memory map: nothing is placed there */
    size_t reserved_count;
};

/* Call before pci_enumerate(): -EINVAL with a sentence if configuration space is misplaced. */
int pci_check_ecam(const struct pci_machine *machine, struct refusal *why);
/*
 * Is nothing that is known at [base, base + length), of ports or of memory, but windows that lead
 * to the device? Else *after is the end of something that is; PADDR_NONE: nothing can be there or
 * behind.
 */
bool pci_is_free(const struct pci_device *device, bool io, paddr_t base, uint64_t length,
                 const struct pci_machine *machine, paddr_t *after);
/*
 * Call after pci_place_bars(), for a device that is to be assigned. -EINVAL with a sentence if it
 * is a bridge, or a memory BAR overlaps something, or cannot be reached. If that is true of an I/O
 * BAR, or it has no address, the device is left without its ports, which is told (their sizes
 * become 0): firmware leaves many unassigned, and drivers do without. An expansion ROM of which it
 * is true is left out, too (its base becomes 0), and so is MSI-X of a port above (of no vectors
 * then), if its BAR is so. Notes which BARs have a page for themselves.
 */
int pci_check_resources(struct pci_device *device, const struct pci_machine *machine,
                        struct refusal *why);
/*
 * May a device be let reach this memory for good? -EINVAL with a sentence if RAM in use, or a
 * register that more than one device depends on, is there. What is kept out is what it may reach.
 */
int pci_check_reach(const struct pci_device *device, const struct phys_run *reach,
                    const struct pci_machine *machine, struct refusal *why);

#endif
