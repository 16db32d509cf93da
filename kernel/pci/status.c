/* SPDX-License-Identifier: BSD-2-Clause */
/* What bridges note of errors in their status registers, until somebody clears it. */
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

#define CLASS_BRIDGE 0x06 /* host bridges among them */

static const struct {
    uint16_t bit;
    const char *words;
} errors[] = {
    {0x8000, "parity error"},           {0x4000, "system error"},
    {0x2000, "master abort received"},  {0x1000, "target abort received"},
    {0x0800, "target abort signalled"}, {0x0100, "data parity error"},
};

/* A register of the form of PCI_STATUS, which has its errors cleared by writing ones to them. */
static void take(const struct pci_device *bridge, unsigned offset, const char *side, bool told)
{
    uint16_t status = pci_read16(bridge, offset), found = 0;
    char buffer[160];
    struct text words;

    text_init(&words, buffer, sizeof(buffer));
    for (size_t i = 0; i < ARRAY_SIZE(errors) && status != UINT16_MAX; i++) {
        if (status & errors[i].bit)
            text_printf(&words, "%s%s", found ? ", " : "", errors[i].words);
        found |= status & errors[i].bit;
    }
    if (found)
        pci_write16(bridge, offset, found);
    if (found && told)
        log_warn("pci: %s noted %s: %s", pci_name(bridge), side, buffer);
}

static void take_all(bool told)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (d->class_code >> 16 != CLASS_BRIDGE || d->in_reset)
            continue;
        take(d, PCI_STATUS, "above it", told);
        if (d->header_type == PCI_HEADER_BRIDGE)
            take(d, PCI_STATUS_BELOW, "below it", told);
    }
}

void pci_clear_errors(void)
{
    take_all(false);
}

void pci_tell_errors(void)
{
    take_all(true);
}
