// SPDX-License-Identifier: BSD-2-Clause
#include "tests/qemu/efi/start.h"

EFI_SYSTEM_TABLE *firmware;
EFI_BOOT_SERVICES *services;

static EFI_HANDLE self;

void start_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    self = image;
    firmware = table;
    services = table->BootServices;
}

void say(const CHAR16 *text)
{
    firmware->ConOut->OutputString(firmware->ConOut, (CHAR16 *)text);
}

EFI_PCI_IO_PROTOCOL *find_pci(UINT32 wanted)
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
        if (id == wanted)
            return pci;
    }
    return NULL;
}

static EFI_HANDLE our_volume(void)
{
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    EFI_LOADED_IMAGE *image;

    if (EFI_ERROR(services->HandleProtocol(self, &guid, (void **)&image)))
        return NULL;
    return image->DeviceHandle;
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

EFI_STATUS load_loader(EFI_HANDLE *loader)
{
    static const CHAR16 name[] = L"\\EFI\\bulkhead\\bulkhead.efi";
    EFI_DEVICE_PATH *path = path_of(our_volume(), name, sizeof(name));

    if (!path)
        return EFI_OUT_OF_RESOURCES;
    return services->LoadImage(FALSE, self, path, NULL, 0, loader);
}

EFI_STATUS read_file(const CHAR16 *name, void **data, UINTN *size)
{
    EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE_HANDLE root, file;
    EFI_STATUS status = services->HandleProtocol(our_volume(), &guid, (void **)&volume);

    *size = 65536;
    if (!EFI_ERROR(status))
        status = volume->OpenVolume(volume, &root);
    if (!EFI_ERROR(status))
        status = root->Open(root, &file, (CHAR16 *)name, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status))
        status = services->AllocatePool(EfiBootServicesData, *size, data);
    if (!EFI_ERROR(status))
        status = file->Read(file, size, *data);
    return status;
}
