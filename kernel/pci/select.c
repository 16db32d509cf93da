/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/select.h"

#include "kernel/lib/error.h"
#include "kernel/lib/log.h"

#define LISTED_MAX 16u

bool pci_selects(const struct pci_selector *s, const struct pci_device *d)
{
    uint32_t has = s->by == PCI_BY_ID ? (uint32_t)d->vendor << 16 | d->device : d->class_code;

    /* Virtual functions are assigned with their physical one. */
    return s->by != PCI_BY_ADDRESS && (has & s->mask) == s->value && !d->physical && !d->removed;
}

/* Where an address leads, whether something is there or not. False: not even to a bus. */
static bool place_of(const struct pci_selector *s, pci_rid_t *rid)
{
    *rid = s->rid;
    for (size_t i = 0; i < s->path_length; i++) {
        const struct pci_device *d = pci_find(s->segment, *rid);

        if (!d || !pci_is_bridge(d))
            return false;
        *rid = (pci_rid_t)(d->secondary << 8 | s->path[i]);
    }
    return true;
}

static struct pci_device *by_address(const struct pci_selector *s)
{
    pci_rid_t rid;

    return place_of(s, &rid) ? pci_find(s->segment, rid) : NULL;
}

void pci_expect(const struct pci_selector *s)
{
    pci_rid_t rid;

    if (s->by == PCI_BY_ADDRESS && place_of(s, &rid) && !pci_find(s->segment, rid))
        pci_add_empty(s->segment, rid);
}

/* The functions that match, or if none does, all but bridges; whatever the log level. */
static void list_candidates(const struct pci_selector *s, unsigned matching)
{
    const struct pci_device *d;
    unsigned count = 0;

    list_for_each_entry (d, pci_devices(), link) {
        if (matching ? !pci_selects(s, d) : pci_is_bridge(d) || d->physical || d->removed)
            continue;
        if (count++ < LISTED_MAX)
            log_error("there is %s %04x:%04x class:%06x", pci_name(d), d->vendor, d->device,
                      d->class_code);
    }
    if (count > LISTED_MAX)
        log_error("and %u more, which `show = devices` lists", count - LISTED_MAX);
}

static int not_one(const struct pci_selector *s, unsigned matching, struct refusal *why)
{
    const char *words = s->words;

    list_candidates(s, matching);
    if (!matching)
        return refuse(why, -ENODEV, "no such device: %s", words);
    if (s->number)
        return refuse(why, -ENODEV, "no such device: %s, there are only %u", words, matching);
    return refuse(why, -EEXIST,
                  "%u devices match %s: name one by its address, or as %s#1 to %s#%u in that order",
                  matching, words, words, words, matching);
}

int pci_select(const struct pci_selector *s, struct pci_device **out, struct refusal *why)
{
    struct pci_device *d, *found = s->by == PCI_BY_ADDRESS ? by_address(s) : NULL;
    unsigned matching = 0;

    list_for_each_entry (d, pci_devices(), link)
        if (pci_selects(s, d) && ++matching == MAX(s->number, 1))
            found = d;
    if (!found || (!s->number && matching > 1))
        return not_one(s, matching, why);
    *out = found;
    return 0;
}
