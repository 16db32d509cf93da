/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/afu/cards.h"

#include "drivers/afu/port_reset.h"
#include "kernel/lib/error.h"

#define PCI_EXT_CAP_VENDOR 0x000b
#define VSEC_HEADER        0x04 /* id 15:0, length 31:20 */
#define VSEC_DFL           0x43
#define VSEC_DFL_COUNT     0x08
#define VSEC_DFL_STARTS    0x0c
#define EXT_CAP_FIRST      0x100
#define EXT_CAPS_MAX       ((4096 - EXT_CAP_FIRST) / 8)

static const struct afu_card cards[] = {
    {0x8086, 0xbcbd, "Arria 10 integrated 5.x", 0, PORT_RESET_CARD_NS},
    {0x8086, 0xbcbf, "Arria 10 integrated 5.x VF", 0, PORT_RESET_CARD_NS},
    {0x8086, 0xbcc0, "Arria 10 integrated 6.x", 0, PORT_RESET_CARD_NS},
    {0x8086, 0xbcc1, "Arria 10 integrated 6.x VF", 0, PORT_RESET_CARD_NS},
    {0x8086, 0x09c4, "PAC Arria 10", 0, PORT_RESET_CARD_NS},
    {0x8086, 0x09c5, "PAC Arria 10 VF", 0, PORT_RESET_CARD_NS},
    {0x8086, 0x0b30, "PAC N3000", 0, PORT_RESET_CARD_NS},
    {0x8086, 0x0b2b, "PAC D5005", 0, PORT_RESET_CARD_NS},
    {0x8086, 0x0b2c, "PAC D5005 VF", 0, PORT_RESET_CARD_NS},
    {0x8086, 0xbcce, "DFL card", 0, PORT_RESET_CARD_NS},
    {0x8086, 0xbccf, "DFL card VF", 0, PORT_RESET_CARD_NS},
    {0x1c2c, 0x1000, "N5010", 0, PORT_RESET_CARD_NS},
    {0x1c2c, 0x1001, "N5011", 0, PORT_RESET_CARD_NS},
    /* The software card: an ivshmem doorbell whose shared memory is the card. */
    {0x1af4, 0x1110, "software FPGA", 2, PORT_RESET_MODEL_NS},
};

const struct afu_card *afu_card_find(uint16_t vendor, uint16_t device)
{
    for (size_t i = 0; i < ARRAY_SIZE(cards); i++)
        if (cards[i].vendor == vendor && cards[i].device == device)
            return &cards[i];
    return NULL;
}

/* The DFL capability among the vendor-specific ones, or 0. The chain may be malformed. */
static unsigned find_vsec(const struct pci_device *device)
{
    unsigned at = pci_find_extended_capability(device, PCI_EXT_CAP_VENDOR);

    for (unsigned i = 0; at >= EXT_CAP_FIRST && i < EXT_CAPS_MAX; i++) {
        uint32_t header = pci_read32(device, at);

        if (bits_get(header, 15, 0) == PCI_EXT_CAP_VENDOR &&
            bits_get(pci_read32(device, at + VSEC_HEADER), 15, 0) == VSEC_DFL)
            return at;
        at = (unsigned)bits_get(header, 31, 20) & ~3u;
    }
    return 0;
}

int afu_card_starts(const struct pci_device *device, unsigned bar,
                    struct dfl_start starts[DFL_STARTS_MAX])
{
    unsigned vsec = find_vsec(device);

    if (!vsec) {
        starts[0] = (struct dfl_start){.bar = bar, .offset = 0};
        return 1;
    }
    uint32_t length = (uint32_t)bits_get(pci_read32(device, vsec + VSEC_HEADER), 31, 20);
    uint32_t count = pci_read32(device, vsec + VSEC_DFL_COUNT);

    if (count == 0 || count > DFL_STARTS_MAX || length < VSEC_DFL_STARTS + 4 * count)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t raw = pci_read32(device, vsec + VSEC_DFL_STARTS + 4 * i);

        starts[i] = (struct dfl_start){.bar = raw & 7, .offset = raw & ~7u};
    }
    return (int)count;
}
