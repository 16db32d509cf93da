/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An attack on the time before the kernel: tells QEMU's edu device to write to a canary page, which
 * it does 100 ms later, and starts the loader (\EFI\bulkhead\bulkhead.efi of the same volume) at
 * once; a root port may pass on what comes from below it. If the loader comes back, waits until the
 * write has happened: the control of the test.
 */
#include "tests/qemu/efi/start.h"

/* Where tests look. Told to the kernel as reserved memory, so nobody else writes there. */
#define CANARY_PAGE 0x8000000
#define CANARY_BYTE 0xa5
#define PAGE        4096

#define ROOT_PORT_ID        0x000c1b36
#define EDU_ID              0x11e81234
#define EDU_SOURCE          0x80
#define EDU_DESTINATION     0x88
#define EDU_COUNT           0x90
#define EDU_COMMAND         0x98
#define EDU_BUFFER          0x40000
#define EDU_START_TO_MEMORY 3
#define EDU_BYTES           64
#define AFTER_THE_WRITE_US  300000

#define PCI_COMMAND           4
#define PCI_MEMORY_BUS_MASTER 6

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_STATUS prepare_canary(void)
{
    EFI_PHYSICAL_ADDRESS at = CANARY_PAGE;
    EFI_STATUS status = services->AllocatePages(AllocateAddress, EfiReservedMemoryType, 1, &at);

    if (!EFI_ERROR(status))
        services->SetMem((void *)at, PAGE, CANARY_BYTE);
    return status;
}

static void write_register(EFI_PCI_IO_PROTOCOL *pci, UINT64 at, UINT64 value)
{
    pci->Mem.Write(pci, EfiPciIoWidthUint64, 0, at, 1, &value);
}

static void enable(EFI_PCI_IO_PROTOCOL *pci)
{
    UINT16 command = PCI_MEMORY_BUS_MASTER;

    pci->Pci.Write(pci, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command);
}

static void arm(EFI_PCI_IO_PROTOCOL *pci)
{
    enable(pci);
    write_register(pci, EDU_SOURCE, EDU_BUFFER);
    write_register(pci, EDU_DESTINATION, CANARY_PAGE);
    write_register(pci, EDU_COUNT, EDU_BYTES);
    write_register(pci, EDU_COMMAND, EDU_START_TO_MEMORY);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_PCI_IO_PROTOCOL *edu, *port;
    EFI_HANDLE loader;

    start_init(image, table);
    edu = find_pci(EDU_ID);
    port = find_pci(ROOT_PORT_ID);
    if (!edu || !port || EFI_ERROR(prepare_canary()) || EFI_ERROR(copy_volume()) ||
        EFI_ERROR(load_loader(&loader))) {
        say(L"arm-edu: failed\r\n");
        return EFI_ABORTED;
    }
    say(L"arm-edu: armed\r\n");
    enable(port);
    arm(edu);
    services->StartImage(loader, NULL, NULL);
    services->Stall(AFTER_THE_WRITE_US);
    say(L"arm-edu: the loader came back\r\n");
    return EFI_ABORTED;
}
