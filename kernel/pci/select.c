/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/select.h"

#include "kernel/lib/error.h"
#include "kernel/lib/format.h"

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads exactly `digits` hexadecimal digits no larger than `max`; NULL if they are not there. */
static const char *read_hex(const char *text, unsigned digits, unsigned max, unsigned *out)
{
    unsigned value = 0;

    for (unsigned i = 0; i < digits; i++, text++) {
        if (digit(*text) < 0)
            return NULL;
        value = value * 16 + (unsigned)digit(*text);
    }
    if (value > max)
        return NULL;
    *out = value;
    return text;
}

/* "DD.F" */
static const char *read_hop(const char *text, struct dmar_hop *hop)
{
    unsigned device, function;

    text = read_hex(text, 2, 31, &device);
    if (!text || *text++ != '.')
        return NULL;
    text = read_hex(text, 1, 7, &function);
    if (!text)
        return NULL;
    *hop = (struct dmar_hop){(uint8_t)device, (uint8_t)function};
    return text;
}

/* "DD.F", then "/DD.F" for each further hop, to the end of the text. */
static bool read_path(const char *text, struct pci_selector *out)
{
    for (;;) {
        if (out->hops == DMAR_HOPS_MAX)
            return false;
        text = read_hop(text, &out->path[out->hops]);
        if (!text)
            return false;
        out->hops++;
        if (*text == '\0')
            return true;
        if (*text++ != '/')
            return false;
    }
}

static bool read_id(const char *text, struct pci_selector *out)
{
    unsigned vendor, device;

    text = read_hex(text, 4, 0xffff, &vendor);
    if (!text || *text++ != ':')
        return false;
    text = read_hex(text, 4, 0xffff, &device);
    if (!text || *text != '\0')
        return false;
    *out = (struct pci_selector){.by_id = true, .vendor = vendor, .device = device};
    return true;
}

static bool read_address(const char *text, bool with_segment, struct pci_selector *out)
{
    unsigned segment = 0, bus;

    *out = (struct pci_selector){0};
    if (with_segment) {
        text = read_hex(text, 4, 0xffff, &segment);
        if (!text || *text++ != ':')
            return false;
    }
    text = read_hex(text, 2, 0xff, &bus);
    if (!text || *text++ != ':')
        return false;
    out->segment = (uint16_t)segment;
    out->bus = (uint8_t)bus;
    return read_path(text, out);
}

int pci_selector_parse(const char *text, struct pci_selector *out)
{
    if (read_id(text, out) || read_address(text, true, out) || read_address(text, false, out))
        return 0;
    return -EINVAL;
}

static int select_by_id(const struct pci_selector *s, struct pci_device **out, struct refusal *why)
{
    char first[PCI_NAME_SIZE], second[PCI_NAME_SIZE];
    struct pci_device *found = NULL, *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (d->vendor != s->vendor || d->device != s->device)
            continue;
        if (found)
            return refuse(why, -EEXIST,
                          "two devices match %04x:%04x: %s and %s; name one by address", s->vendor,
                          s->device, pci_name(found, first), pci_name(d, second));
        found = d;
    }
    if (!found)
        return refuse(why, -ENODEV, "no such device: %04x:%04x", s->vendor, s->device);
    *out = found;
    return 0;
}

int pci_select(const struct pci_selector *s, struct pci_device **out, struct refusal *why)
{
    char text[16 + 5 * DMAR_HOPS_MAX];
    struct text path;
    struct pci_device *d;

    if (s->by_id)
        return select_by_id(s, out, why);
    d = pci_resolve_path(s->segment, s->bus, s->path, s->hops);
    if (d) {
        *out = d;
        return 0;
    }
    text_init(&path, text, sizeof(text));
    text_printf(&path, "%04x:%02x:", s->segment, s->bus);
    for (unsigned i = 0; i < s->hops; i++)
        text_printf(&path, "%s%02x.%u", i ? "/" : "", s->path[i].device, s->path[i].function);
    return refuse(why, -ENODEV, "no such device: %s", text);
}
