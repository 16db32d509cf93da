/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Silencing the devices before the firmware lets go of them: it drops DMA protection of its own
 * when boot services end, and a device it left running would write into memory that the kernel owns
 * by then. Uses EFI_PCI_IO_PROTOCOL (UEFI specification, 14.4).
 */
#include "boot/efi/internal.h"

#include <efipciio.h>

#define PCI_COMMAND            0x04
#define PCI_COMMAND_BUS_MASTER 0x0004
#define PCI_CLASS              0x08 /* revision 7:0, class code 31:8 */
#define PCI_BASE_CLASS(value)  ((value) >> 24)
#define PCI_CLASS_DISPLAY      0x03
#define PCI_CLASS_BRIDGE       0x06

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

/*
 * Silences all bridges or all other functions, one after the other: some drivers take their time to
 * stop, and no device shall wait for another's. Returns how many functions kept the bit, which some
 * bridges have hard-wired.
 */
static size_t silence(const EFI_HANDLE *handles, UINTN count, bool bridges)
{
    size_t stuck = 0;

    for (UINTN i = 0; i < count; i++) {
        EFI_PCI_IO_PROTOCOL *pci = pci_of(handles[i]);

        if (!pci || is_bridge(pci) != bridges)
            continue;
        disconnect(handles[i], pci);
        stuck += !clear_bus_master(pci);
    }
    return stuck;
}

EFI_STATUS dma_stop(void)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count;
    char number[21];
    size_t stuck;

    if (EFI_ERROR(
            firmware->BootServices->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
        return refuse("the firmware knows no PCI devices", NULL);
    stuck = silence(handles, count, false);
    silence(handles, count, true);
    firmware->BootServices->FreePool(handles);
    if (stuck)
        return refuse("bus mastering cannot be switched off on ", decimal(stuck, number),
                      " PCI functions", NULL);
    return EFI_SUCCESS;
}
