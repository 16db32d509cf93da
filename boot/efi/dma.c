/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Silencing the devices before the firmware lets go of them: it drops DMA protection of its own
 * when boot services end, and a device it left running would write into memory that the kernel owns
 * by then. Those that the configuration wants left as they are (`leave`) go on, and the bridges
 * above them; where it names one of several by a number, all of them, until the kernel has counted.
 * Uses EFI_PCI_IO_PROTOCOL (UEFI specification, 14.4).
 */
#include "boot/efi/internal.h"

#include <efipciio.h>

#include "kernel/machine/config/config.h"

#define PCI_COMMAND            0x04
#define PCI_COMMAND_BUS_MASTER 0x0004
#define PCI_CLASS              0x08 /* revision 7:0, class code 31:8 */
#define PCI_BUSES              0x18 /* of a bridge: secondary 15:8, subordinate 23:16 */
#define PCI_CLASS_PCI_BRIDGE   0x0604
#define PCI_BASE_CLASS(value)  ((value) >> 24)
#define PCI_CLASS_DISPLAY      0x03
#define PCI_CLASS_BRIDGE       0x06

static EFI_HANDLE *handles;
static UINTN handle_count;
static struct config config;

static uint32_t read32(EFI_PCI_IO_PROTOCOL *pci, UINT32 offset)
{
    uint32_t value = ~0U;

    pci->Pci.Read(pci, EfiPciIoWidthUint32, offset, 1, &value);
    return value;
}

static bool is_bridge(EFI_PCI_IO_PROTOCOL *pci)
{
    return PCI_BASE_CLASS(read32(pci, PCI_CLASS)) == PCI_CLASS_BRIDGE;
}

/*
 * Lets the drivers stop their device in good order. Displays keep theirs, because stopping it would
 * switch the framebuffer off that the kernel writes to; so do bridges (the console's serial port is
 * behind one), which start no DMA. Not every driver can stop: bus mastering goes off either way.
 */
static void disconnect(EFI_HANDLE handle, EFI_PCI_IO_PROTOCOL *pci)
{
    if (!is_bridge(pci) && PCI_BASE_CLASS(read32(pci, PCI_CLASS)) != PCI_CLASS_DISPLAY)
        firmware->BootServices->DisconnectController(handle, NULL, NULL);
}

/* True if the bit is off now, or the function is gone. */
static bool clear_bus_master(EFI_PCI_IO_PROTOCOL *pci)
{
    uint16_t command = 0xffff;

    pci->Pci.Read(pci, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command);
    if (command == 0xffff || !(command & PCI_COMMAND_BUS_MASTER))
        return true;
    command &= (uint16_t)~PCI_COMMAND_BUS_MASTER;
    pci->Pci.Write(pci, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command);
    pci->Pci.Read(pci, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command);
    return !(command & PCI_COMMAND_BUS_MASTER);
}

static EFI_PCI_IO_PROTOCOL *pci_of(EFI_HANDLE handle)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_PCI_IO_PROTOCOL *pci;

    if (EFI_ERROR(firmware->BootServices->HandleProtocol(handle, &guid, (void **)&pci)))
        return NULL;
    return pci;
}

/* ---- what is left ---- */

/* Segment 31:16, bus 15:8, device 7:3, function 2:0. */
static uint32_t place_of(EFI_PCI_IO_PROTOCOL *pci)
{
    UINTN segment = 0, bus = 0, device = 0, function = 0;

    pci->GetLocation(pci, &segment, &bus, &device, &function);
    return (uint32_t)(segment << 16 | bus << 8 | device << 3 | function);
}

static EFI_PCI_IO_PROTOCOL *function_at(uint32_t place)
{
    for (UINTN i = 0; i < handle_count; i++) {
        EFI_PCI_IO_PROTOCOL *pci = pci_of(handles[i]);

        if (pci && place_of(pci) == place)
            return pci;
    }
    return NULL;
}

static bool selected(EFI_PCI_IO_PROTOCOL *pci, const struct pci_selector *s)
{
    uint32_t place = (uint32_t)s->segment << 16 | s->rid;
    uint32_t ids = read32(pci, 0);

    if (s->by == PCI_BY_ID)
        return ((ids << 16 | ids >> 16) & s->mask) == s->value;
    if (s->by == PCI_BY_CLASS)
        return (read32(pci, PCI_CLASS) >> 8 & s->mask) == s->value;
    for (unsigned i = 0; i < s->path_length; i++) {
        EFI_PCI_IO_PROTOCOL *bridge = function_at(place);

        if (!bridge)
            return false;
        place = (uint32_t)s->segment << 16 | (read32(bridge, PCI_BUSES) & 0xff00) | s->path[i];
    }
    return place_of(pci) == place;
}

static bool is_left(EFI_PCI_IO_PROTOCOL *pci)
{
    for (size_t i = 0; i < config.leave_count; i++)
        if (selected(pci, &config.leaves[i].selector))
            return true;
    return false;
}

/* Is a function that is left on one of the buses below this one? */
static bool leads_to_left(EFI_PCI_IO_PROTOCOL *bridge)
{
    uint32_t buses = read32(bridge, PCI_BUSES), own = place_of(bridge);

    if (read32(bridge, PCI_CLASS) >> 16 != PCI_CLASS_PCI_BRIDGE)
        return false;
    for (UINTN i = 0; i < handle_count; i++) {
        EFI_PCI_IO_PROTOCOL *pci = pci_of(handles[i]);
        uint32_t place = pci ? place_of(pci) : 0;
        uint32_t bus = place >> 8 & 0xff;

        if (pci && place >> 16 == own >> 16 && bus >= (buses >> 8 & 0xff) &&
            bus <= (buses >> 16 & 0xff) && is_left(pci))
            return true;
    }
    return false;
}

/* Mistakes are for the kernel to tell, which reads the same again. */
static void read_config(const struct boot_info *info)
{
    struct config_error ignored;

    config_defaults(&config);
    (void)config_parse_file(&config, "", (const char *)info->config, info->config_size, &ignored);
    (void)config_parse_words(&config, "", (const char *)info->command_line, info->command_line_size,
                             &ignored);
}

/* ---- silence ---- */

/*
 * Silences all bridges or all other functions, one after the other: some drivers take their time to
 * stop, and no device shall wait for another's. Returns how many functions kept the bit, which some
 * bridges have hard-wired.
 */
static size_t silence(bool bridges)
{
    size_t stuck = 0;

    for (UINTN i = 0; i < handle_count; i++) {
        EFI_PCI_IO_PROTOCOL *pci = pci_of(handles[i]);

        if (!pci || is_bridge(pci) != bridges || is_left(pci) || (bridges && leads_to_left(pci)))
            continue;
        disconnect(handles[i], pci);
        stuck += !clear_bus_master(pci);
    }
    return stuck;
}

EFI_STATUS dma_stop(const struct boot_info *info)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    size_t stuck;

    if (EFI_ERROR(firmware->BootServices->LocateHandleBuffer(ByProtocol, &guid, NULL, &handle_count,
                                                             &handles)))
        return refuse("the firmware knows no PCI devices");
    read_config(info);
    stuck = silence(false);
    silence(true);
    firmware->BootServices->FreePool(handles);
    if (stuck)
        return refuse("bus mastering cannot be switched off on %zu PCI functions", stuck);
    return EFI_SUCCESS;
}
