/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/qemu/efi/start.h"

EFI_SYSTEM_TABLE *firmware;
EFI_BOOT_SERVICES *services;

/* EFI_RAM_DISK_PROTOCOL (UEFI specification, 13.17), which GNU-EFI does not have. */
static const EFI_GUID ram_disk_protocol = {
    0xab38a0df, 0x6873, 0x44a9, {0x87, 0xe6, 0xd4, 0xeb, 0x56, 0x14, 0x84, 0x49}};
static const EFI_GUID virtual_disk = {
    0x77ab535a, 0x45fc, 0x624b, {0x55, 0x60, 0xf7, 0xb2, 0x81, 0xd1, 0xf9, 0x6e}};

struct ram_disk {
    EFI_STATUS(EFIAPI *register_disk)
    (UINT64 base, UINT64 size, EFI_GUID *type, EFI_DEVICE_PATH *parent, EFI_DEVICE_PATH **path);
    EFI_STATUS(EFIAPI *unregister_disk)(EFI_DEVICE_PATH *path);
};

static EFI_HANDLE self, volume;

static EFI_HANDLE our_volume(void)
{
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    EFI_LOADED_IMAGE *image;

    if (EFI_ERROR(services->HandleProtocol(self, &guid, (void **)&image)))
        return NULL;
    return image->DeviceHandle;
}

void start_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    self = image;
    firmware = table;
    services = table->BootServices;
    volume = our_volume();
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

/* The device path of a file: that of its volume, then one node with the name. */
static EFI_DEVICE_PATH *path_of(const CHAR16 *name, UINTN name_size)
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

/* All of the volume's blocks in memory. */
static EFI_STATUS read_volume(EFI_PHYSICAL_ADDRESS *at, UINT64 *size)
{
    EFI_GUID guid = BLOCK_IO_PROTOCOL;
    EFI_BLOCK_IO *blocks;
    EFI_STATUS status = services->HandleProtocol(volume, &guid, (void **)&blocks);

    if (EFI_ERROR(status))
        return status;
    *size = (blocks->Media->LastBlock + 1) * blocks->Media->BlockSize;
    status = services->AllocatePages(AllocateAnyPages, EfiReservedMemoryType,
                                     EFI_SIZE_TO_PAGES(*size), at);
    if (EFI_ERROR(status))
        return status;
    return blocks->ReadBlocks(blocks, blocks->Media->MediaId, 0, *size, (void *)*at);
}

EFI_STATUS copy_volume(void)
{
    EFI_GUID guid = ram_disk_protocol, type = virtual_disk;
    EFI_GUID block_io = BLOCK_IO_PROTOCOL, file_system = SIMPLE_FILE_SYSTEM_PROTOCOL;
    EFI_PHYSICAL_ADDRESS at;
    EFI_DEVICE_PATH *path;
    struct ram_disk *disks;
    EFI_HANDLE disk;
    UINT64 size;
    EFI_STATUS status = services->LocateProtocol(&guid, NULL, (void **)&disks);

    if (!EFI_ERROR(status))
        status = read_volume(&at, &size);
    if (!EFI_ERROR(status))
        status = disks->register_disk(at, size, &type, NULL, &path);
    if (!EFI_ERROR(status))
        status = services->LocateDevicePath(&block_io, &path, &disk);
    if (EFI_ERROR(status))
        return status;
    services->ConnectController(disk, NULL, NULL, TRUE);
    volume = disk;
    return services->HandleProtocol(disk, &file_system, (void **)&disks);
}

EFI_STATUS load_loader(EFI_HANDLE *loader)
{
    static const CHAR16 name[] = L"\\EFI\\bulkhead\\bulkhead.efi";
    EFI_DEVICE_PATH *path = path_of(name, sizeof(name));

    if (!path)
        return EFI_OUT_OF_RESOURCES;
    return services->LoadImage(FALSE, self, path, NULL, 0, loader);
}

EFI_STATUS read_file(const CHAR16 *name, void **data, UINTN *size)
{
    EFI_GUID guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    EFI_FILE_IO_INTERFACE *files;
    EFI_FILE_HANDLE root, file;
    EFI_STATUS status = services->HandleProtocol(volume, &guid, (void **)&files);

    *size = 65536;
    if (!EFI_ERROR(status))
        status = files->OpenVolume(files, &root);
    if (!EFI_ERROR(status))
        status = root->Open(root, &file, (CHAR16 *)name, EFI_FILE_MODE_READ, 0);
    if (!EFI_ERROR(status))
        status = services->AllocatePool(EfiBootServicesData, *size, data);
    if (!EFI_ERROR(status))
        status = file->Read(file, size, *data);
    return status;
}
