// SPDX-License-Identifier: BSD-2-Clause
/*
 * An attack on the time before the kernel: tells QEMU's edu device to write to a canary page, which
 * it does 100 ms later, and starts the loader (\EFI\bulkhead\bulkhead.efi of the same volume) at
 * once. If the loader comes back, waits until the write has happened: the control of the test.
 */
#include <efi.h>
#include <efilib.h>
#include <efipciio.h>

/* Where tests look. Told to the kernel as reserved memory, so nobody else writes there. */
#define CANARY_PAGE 0x8000000
#define CANARY_BYTE 0xa5
#define PAGE        4096

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

static EFI_SYSTEM_TABLE *firmware;
static EFI_BOOT_SERVICES *services;

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static void say(const CHAR16 *text)
{
    firmware->ConOut->OutputString(firmware->ConOut, (CHAR16 *)text);
}

static EFI_STATUS prepare_canary(void)
{
    EFI_PHYSICAL_ADDRESS at = CANARY_PAGE;
    EFI_STATUS status = services->AllocatePages(AllocateAddress, EfiReservedMemoryType, 1, &at);

    if (!EFI_ERROR(status))
        services->SetMem((void *)at, PAGE, CANARY_BYTE);
    return status;
}

static EFI_PCI_IO_PROTOCOL *find_edu(void)
{
    EFI_GUID guid = EFI_PCI_IO_PROTOCOL_GUID;
    EFI_HANDLE *handles;
    UINTN count;

    if (EFI_ERROR(services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
        return NULL;
    for (UINTN i = 0; i < count; i++) {
        EFI_PCI_IO_PROTOCOL *pci;
        UINT32 id = 0;

        if (EFI_ERROR(services->HandleProtocol(handles[i], &guid, (void **)&pci)))
            continue;
        pci->Pci.Read(pci, EfiPciIoWidthUint32, 0, 1, &id);
        if (id == EDU_ID)
            return pci;
    }
    return NULL;
}

static void write_register(EFI_PCI_IO_PROTOCOL *pci, UINT64 at, UINT64 value)
{
    pci->Mem.Write(pci, EfiPciIoWidthUint64, 0, at, 1, &value);
}

static void arm(EFI_PCI_IO_PROTOCOL *pci)
{
    UINT16 command = PCI_MEMORY_BUS_MASTER;

    pci->Pci.Write(pci, EfiPciIoWidthUint16, PCI_COMMAND, 1, &command);
    write_register(pci, EDU_SOURCE, EDU_BUFFER);
    write_register(pci, EDU_DESTINATION, CANARY_PAGE);
    write_register(pci, EDU_COUNT, EDU_BYTES);
    write_register(pci, EDU_COMMAND, EDU_START_TO_MEMORY);
}

/* The device path of a file: that of its volume, then one node with the name. */
static EFI_DEVICE_PATH *path_of(EFI_HANDLE volume, const CHAR16 *name, UINTN name_size)
{
    EFI_GUID guid = DEVICE_PATH_PROTOCOL;
    EFI_DEVICE_PATH *start, *node;
    UINTN length = 0;
    UINT8 *path;

    if (EFI_ERROR(services->HandleProtocol(volume, &guid, (void **)&start)))
        return NULL;
    for (node = start; !IsDevicePathEnd(node); node = NextDevicePathNode(node))
        length += DevicePathNodeLength(node);
    if (EFI_ERROR(services->AllocatePool(EfiLoaderData, length + name_size + 8, (void **)&path)))
        return NULL;
    services->CopyMem(path, start, length);
    node = (EFI_DEVICE_PATH *)(path + length);
    node->Type = MEDIA_DEVICE_PATH;
    node->SubType = MEDIA_FILEPATH_DP;
    SetDevicePathNodeLength(node, name_size + 4);
    services->CopyMem(node + 1, (void *)name, name_size);
    node = NextDevicePathNode(node);
    SetDevicePathEndNode(node);
    return (EFI_DEVICE_PATH *)path;
}

static EFI_STATUS load(EFI_HANDLE image, EFI_HANDLE *loader)
{
    static const CHAR16 name[] = L"\\EFI\\bulkhead\\bulkhead.efi";
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    EFI_LOADED_IMAGE *self;
    EFI_STATUS status = services->HandleProtocol(image, &guid, (void **)&self);
    EFI_DEVICE_PATH *path;

    if (EFI_ERROR(status))
        return status;
    path = path_of(self->DeviceHandle, name, sizeof(name));
    if (!path)
        return EFI_OUT_OF_RESOURCES;
    return services->LoadImage(FALSE, image, path, NULL, 0, loader);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_PCI_IO_PROTOCOL *edu;
    EFI_HANDLE loader;

    firmware = table;
    services = table->BootServices;
    edu = find_edu();
    if (!edu || EFI_ERROR(prepare_canary()) || EFI_ERROR(load(image, &loader))) {
        say(L"arm-edu: failed\r\n");
        return EFI_ABORTED;
    }
    say(L"arm-edu: armed\r\n");
    arm(edu);
    services->StartImage(loader, NULL, NULL);
    services->Stall(AFTER_THE_WRITE_US);
    say(L"arm-edu: the loader came back\r\n");
    return EFI_ABORTED;
}
