/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that go on as the firmware left them, for somebody else than the payload (`leave`): they
 * are not reset, and they and the bridges above them keep their bus mastering. The IOMMU lets them
 * reach the memory that is named for them and nothing else; nobody but them has that memory.
 */
#ifndef KERNEL_PCI_LEAVE_H
#define KERNEL_PCI_LEAVE_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/pci/check.h"
#include "kernel/pci/select.h"

/*
 * Marks a device as left, before anything is written to it. `reach` is made of whole pages, and RAM
 * in it is kept out of all other use; it becomes reserved memory of the device in *dmar, as if the
 * firmware had said so. Errors of pci_select(); -EINVAL (a bridge; named twice; memory that
 * something else is at), -ENOMEM, with a sentence.
 */
int pci_leave(const struct pci_selector *selector, const struct phys_run *reach, size_t count,
              const struct pci_machine *machine, struct dmar_info *dmar, struct refusal *why);
/*
 * When groups are built and devices assigned: -EPERM with a sentence if a device that is left is
 * assigned, or cannot be kept apart from one that is.
 */
int pci_leave_check(struct refusal *why);

#endif
