/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware that does not do at once what it is asked for: replaces the service whose
 * letter is in the file \EFI\bulkhead\stubborn, then starts the loader.
 */
#include "tests/qemu/efi/start.h"

#define EDU_ID      0x11e81234
#define PCI_COMMAND 4
#define MAP_CHANGES 3

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static EFI_EXIT_BOOT_SERVICES exit_boot_services;
static EFI_PCI_IO_PROTOCOL_CONFIG write_config;

/* Memory is taken between the map's reading and its use, as event handlers may do. */
static EFI_STATUS EFIAPI exit_after_changes(EFI_HANDLE image, UINTN key)
{
    static unsigned changes;
    EFI_PHYSICAL_ADDRESS at;

    if (changes++ < MAP_CHANGES)
        services->AllocatePages(AllocateAnyPages, EfiRuntimeServicesData, 1, &at);
    return exit_boot_services(image, key);
}

static EFI_STATUS EFIAPI never_exit(EFI_HANDLE image, UINTN key)
{
    (void)image;
    (void)key;
    return EFI_INVALID_PARAMETER;
}

/* The command register cannot be written. */
static EFI_STATUS EFIAPI write_all_but_command(EFI_PCI_IO_PROTOCOL *pci,
                                               EFI_PCI_IO_PROTOCOL_WIDTH width, UINT32 offset,
                                               UINTN count, void *data)
{
    return offset == PCI_COMMAND ? EFI_SUCCESS : write_config(pci, width, offset, count, data);
}

static EFI_STATUS keep_bus_master(void)
{
    EFI_PCI_IO_PROTOCOL *edu = find_pci(EDU_ID);
    UINT16 command = 0x0006;

    if (!edu || EFI_ERROR(edu->Pci.Write(edu, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command)))
        return EFI_NOT_FOUND;
    write_config = edu->Pci.Write;
    edu->Pci.Write = write_all_but_command;
    return EFI_SUCCESS;
}

static EFI_STATUS change(char what)
{
    exit_boot_services = services->ExitBootServices;
    switch (what) {
    case 'c':
        services->ExitBootServices = exit_after_changes;
        return EFI_SUCCESS;
    case 'n':
        services->ExitBootServices = never_exit;
        return EFI_SUCCESS;
    case 'b':
        return keep_bus_master();
    default:
        return EFI_INVALID_PARAMETER;
    }
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_HANDLE loader;
    char *what;
    UINTN size;

    start_init(image, table);
    if (EFI_ERROR(read_file(L"\\EFI\\bulkhead\\stubborn", (void **)&what, &size)) || size != 1 ||
        EFI_ERROR(change(*what)) || EFI_ERROR(load_loader(&loader))) {
        say(L"stubborn: failed\r\n");
        return EFI_ABORTED;
    }
    say(L"stubborn: on\r\n");
    return services->StartImage(loader, NULL, NULL);
}
